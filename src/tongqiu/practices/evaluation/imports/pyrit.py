"""Reading what PyRIT remembers of attacks (its SQLite file, or its scores as JSON): each score, and how each attack ended.

Tables and fields are those of PyRIT 1.1 (``memory/memory_models.py``: ``ScoreEntries``, ``PromptMemoryEntries``,
``Conversations``, ``AttackResultEntries``). The file is opened read-only, plain tables alone are asked, and a query that takes
too long is stopped. Prompts and answers are not read; PyRIT says nothing of which outcome is good except for attacks.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal
from urllib.parse import quote

import msgspec

from tongqiu.practices.evaluation.imports.reading import (
    MAX_ITEMS,
    MAX_METHODS,
    damaged,
    decode,
    line,
    many,
    number,
    table,
    whole,
)
from tongqiu.practices.evaluation.imports.told import Gathered, Told
from tongqiu.practices.evaluation.objects import Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TOOL: Final = "pyrit"
MAGIC: Final = b"SQLite format 3\0"
ATTACKS: Final = "attack-outcome"
_STEPS: Final = 10_000
_PATIENCE: Final = 2_000
_LONGEST: Final = 16 << 20
_OUTCOMES: Final = {"success": 1.0, "failure": 0.0}
_BOOLEANS: Final = {"true": 1.0, "false": 0.0}
_NEEDED: Final = {
    "ScoreEntries": (
        "id",
        "score_value",
        "score_type",
        "scorer_class_identifier",
        "prompt_request_response_id",
        "timestamp",
    ),
    "AttackResultEntries": ("id", "conversation_id", "outcome", "timestamp"),
    "PromptMemoryEntries": ("id", "conversation_id"),
    "Conversations": ("conversation_id", "target_identifier"),
}


class _Score(msgspec.Struct, frozen=True):
    """One score, as a row of the database or as PyRIT writes it as JSON (``Score.model_dump``)."""

    id: str
    score_type: str
    score_value: str | float | bool | None = None
    status: str = "complete"
    scorer_class_identifier: dict[str, Any] | None = None
    message_piece_id: str | None = None
    timestamp: str = ""
    conversation: str = ""
    pyrit_version: str | None = None


class _Attack(msgspec.Struct, frozen=True):
    id: str
    conversation: str
    outcome: str
    timestamp: str


class _Scores(msgspec.Struct, frozen=True):
    scores: list[_Score]


def looks(data: bytes) -> bool:
    """Tell whether the beginning of a JSON document is that of a list of scores."""
    return b'"score_value"' in data[:65536] and b'"score_type"' in data[:65536]


def from_json(stream: BinaryIO, where: str) -> tuple[Told, ...]:
    """Return what a list of scores tells, by scorer. Raises Malformed (``imports.*``)."""
    data = whole(stream, where)
    scores = decode(data, list[_Score], where) if data.lstrip()[:1] == b"[" else decode(data, _Scores, where).scores
    return _told(scores, (), "", where)


def from_database(path: Path, where: str) -> tuple[Told, ...]:
    """Return what a memory file tells, by scorer, and how attacks ended. Raises Malformed (``imports.*``)."""
    steps = iter(range(_PATIENCE))
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as base:
            base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
            base.text_factory = _text
            base.execute("PRAGMA trusted_schema = OFF")
            base.execute("PRAGMA cell_size_check = ON")
            base.set_progress_handler(lambda: next(steps, None) is None, _STEPS)
            columns = {name: _columns(base, name) for name in _NEEDED}
            scores = list(_scores(base, columns, where)) if columns["ScoreEntries"] else []
            attacks = list(_attacks(base, where)) if columns["AttackResultEntries"] else []
            target = _target(base) if columns["Conversations"] else ""
    except (sqlite3.Error, OverflowError, ValueError) as error:
        # ValueError: the driver meets bytes that are no text in its own message, or a value of an unexpected form.
        raise damaged(where, str(error)) from error
    if not any(columns.values()):
        raise damaged(where, "no table of PyRIT's in it")
    return _told(scores, attacks, target, where)


def _columns(base: sqlite3.Connection, name: str) -> frozenset[str]:
    """Return the columns of a plain table, none where there is no such table or it lacks what is needed."""
    row = base.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    if row is None or row[0] != "table" or not str(row[1]).upper().startswith("CREATE TABLE"):
        return frozenset()
    # The name is one of ours; a statement of this sort takes no parameters.
    found = frozenset(str(each[1]) for each in base.execute(f'PRAGMA table_info("{name}")'))
    return found if found.issuperset(_NEEDED[name]) else frozenset()


def _scores(base: sqlite3.Connection, columns: dict[str, frozenset[str]], where: str) -> Iterator[_Score]:
    own = columns["ScoreEntries"]
    status = "s.status" if "status" in own else "'complete'"
    version = "s.pyrit_version" if "pyrit_version" in own else "NULL"
    joined = bool(columns["PromptMemoryEntries"])
    talk = "p.conversation_id" if joined else "NULL"
    join = 'LEFT JOIN "PromptMemoryEntries" AS p ON p.id = s.prompt_request_response_id' if joined else ""
    # Every piece is one of the constants above; nothing from the file is put into the statement.
    query = (
        f"SELECT s.id, s.score_type, s.score_value, {status}, substr(s.scorer_class_identifier, 1, 65536), "  # noqa: S608 - constants
        f's.prompt_request_response_id, s.timestamp, {talk}, {version} FROM "ScoreEntries" AS s {join} LIMIT {MAX_ITEMS + 1}'
    )
    for number_, row in enumerate(base.execute(query)):
        if number_ >= MAX_ITEMS:
            raise many(where, MAX_ITEMS)
        about = decode(str(row[4]).encode(), dict[str, Any], where) if row[4] else {}
        yield _Score(
            id=str(row[0]),
            score_type=str(row[1]),
            score_value=row[2] if isinstance(row[2], str | float | None) else str(row[2]),
            status=str(row[3]),
            scorer_class_identifier=about,
            message_piece_id=str(row[5]),
            timestamp=str(row[6]),
            conversation=str(row[7] or ""),
            pyrit_version=None if row[8] is None else str(row[8]),
        )


def _attacks(base: sqlite3.Connection, where: str) -> Iterator[_Attack]:
    query = f'SELECT id, conversation_id, outcome, timestamp FROM "AttackResultEntries" LIMIT {MAX_ITEMS + 1}'  # noqa: S608 - constants
    for number_, row in enumerate(base.execute(query)):
        if number_ >= MAX_ITEMS:
            raise many(where, MAX_ITEMS)
        yield _Attack(*(str(each) for each in row))


def _target(base: sqlite3.Connection) -> str:
    """Return the name of the one model that was attacked, empty where there are several or none."""
    names = set()
    query = 'SELECT DISTINCT substr(target_identifier, 1, 65536) FROM "Conversations" LIMIT 100'
    for (told,) in base.execute(query):
        about = decode(str(told).encode(), dict[str, Any], "Conversations") if told else {}
        names.add(line(about.get("model_name") or about.get("underlying_model_name") or about.get("class_name") or ""))
    names.discard("")
    return names.pop() if len(names) == 1 else ""


def _told(scores: Iterable[_Score], attacks: Iterable[_Attack], target: str, where: str) -> tuple[Told, ...]:
    found: dict[tuple[str, str], Gathered] = {}
    times: list[str] = []
    versions: set[str] = set()
    for each in scores:
        key = (_scorer(each), each.score_type)
        if key not in found and len(found) >= MAX_METHODS:
            raise many(where, MAX_METHODS)
        times.append(each.timestamp)
        versions.add(each.pyrit_version or "")
        value = number(
            _BOOLEANS.get(each.score_value.lower(), each.score_value)
            if isinstance(each.score_value, str)
            else each.score_value
        )
        score = value if each.status == "complete" else None
        found.setdefault(key, Gathered(where)).add(
            each.id,
            score,
            each.conversation or each.message_piece_id or "",
            error="" if score is not None else "undetermined",
        )
    for attack in attacks:
        times.append(attack.timestamp)
        ended = _OUTCOMES.get(attack.outcome)
        found.setdefault((ATTACKS, "outcome"), Gathered(where)).add(
            attack.id, ended, attack.conversation, error="" if ended is not None else line(attack.outcome, 40)
        )
    versions.discard("")
    times = sorted(each for each in times if each)
    plain = Told(
        tool=TOOL,
        release=line(versions.pop(), 40) if len(versions) == 1 else "",
        task="",
        scorer="",
        model=target,
        begun=times[0] if times else None,
        ended=times[-1] if times else None,
        missing=("dataset-digest", "completion", "task-version"),
    )
    return tuple(_of(plain, key, found[key]) for key in sorted(found)) or (plain._replace(task="memory"),)


def _of(plain: Told, key: tuple[str, str], gathered: Gathered) -> Told:
    """Return one scorer's part; PyRIT plans nothing, so only what was scored can be counted."""
    items = gathered.items()
    better: Literal["lower"] | None = "lower" if key[0] == ATTACKS else None
    own = () if key[0] == ATTACKS else ("judge-calibration",)
    return plain._replace(
        task=key[0],
        scorer=key[1],
        items=items,
        planned=len(items),
        better=better,
        clustered=len({each.cluster for each in items}) < len(items),
        missing=(*plain.missing, *own, *(("score-scale",) if gathered.outside else ())),
        use=Use(asked=len(items)),
    )


def _scorer(score: _Score) -> str:
    about = table(score.scorer_class_identifier)
    return line(about.get("class_name") or about.get("__type__") or "scorer", 80)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


__all__ = ["ATTACKS", "MAGIC", "from_database", "from_json", "looks"]

"""Statement in, rows out: how the log is folded into the tables of registries, a piece at a time.

A piece is read and folded without any lock; it is written, together with the position it ends at, only if nobody else has
written it meanwhile. So any process may fold at any time, and a crash leaves no half piece.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import sqlalchemy as sa

from tongqiu.record.faults import Fault, Malformed
from tongqiu.record.statement import Statement, read_content
from tongqiu.record.text import Text
from tongqiu.store import schema, search
from tongqiu.store.backend import not_standing
from tongqiu.store.rows import Rows, opened
from tongqiu.store.shape import Line, kinds_like, lines_of, wants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.practice import View
    from tongqiu.store.database import Database

STEP = 2048
"""How many entries one piece covers at most."""

STEP_BYTES = 32 * 1024 * 1024
"""About how much content one piece holds in memory at most, in bytes."""

_E, _V = schema.entry.c, schema.view.c

# Made once: a record that is published alone is folded by these four, and most of the time went into writing them down.
_NAMED = _V.tbl.in_(sa.bindparam("names", expanding=True))
_PLACES = sa.select(_V.tbl, _V.position, _V.token).where(_NAMED)
_MOVE = sa.update(schema.view).where(_NAMED).values(position=sa.bindparam("stop"))
_LEFT_OUT = sa.select(_E.idx).where(
    _E.idx > sa.bindparam("after"),
    _E.idx <= sa.bindparam("stop"),
    sa.or_(_E.erased.is_(True), not_standing()),
)


class Target(NamedTuple):
    """A view and the table it is folded into."""

    view: View
    table: sa.Table


class Piece(NamedTuple):
    """What a stretch of the log becomes, before it is written."""

    places: dict[str, tuple[int, str]]
    """Position and token of each table when the stretch was read."""

    stop: int
    """The last index of the stretch."""

    rows: dict[str, list[tuple[Any, ...]]]
    problems: list[tuple[str, int, str, str, str]]
    end: int = -1
    """The last index that there is for these tables to fold; -1 where others are behind as well."""


def advance(database: Database, targets: Sequence[Target]) -> int:
    """Fold everything there is into ``targets``; return how many entries were passed."""
    passed = 0
    while (piece := _read(database, targets)) is not None:
        if _write(database, targets, piece):
            passed += piece.stop - min(position for position, _ in piece.places.values())
            if piece.stop == piece.end:
                break
    return passed


def _read(database: Database, targets: Sequence[Target]) -> Piece | None:
    """Fold the next stretch for the tables that are furthest behind, or return None where none is behind."""
    with database.read() as connection:
        rows = Rows(connection, database.keys)
        head = rows.head()
        found = connection.execute(_PLACES, {"names": [target.table.name for target in targets]}).all()
        behind = {each.tbl: (each.position, each.token) for each in found if each.position < head.size - 1}
        if not behind:
            return None
        first = min(position for position, _ in behind.values())
        ahead = [each.position for each in found if each.position > first]
        stop = min([head.size - 1, first + STEP, *ahead])
        chosen = [target for target in targets if behind.get(target.table.name, (None, ""))[0] == first]
        places = {target.table.name: behind[target.table.name] for target in chosen}
        end = head.size - 1 if len(chosen) == len(behind) else -1
        piece = Piece(places, stop, {target.table.name: [] for target in chosen}, [], end)
        return folded(rows, chosen, piece, first)


def folded(rows: Rows, chosen: Sequence[Target], piece: Piece, after: int) -> Piece:
    """Return ``piece`` with the rows of every entry above ``after`` up to where it stops, which may be earlier."""
    selected = _stretch(tuple(pattern for target in chosen for pattern in target.view.reads))
    held, origin, place = 0, rows.head().origin, {"after": after, "stop": piece.stop}
    with rows.connection.execution_options(stream_results=True, yield_per=64).execute(selected, place) as found:
        for each in found:
            held += len(each.sealed)
            _take(rows, origin, chosen, piece, each)
            if held > STEP_BYTES:
                return piece._replace(stop=each.idx)
    return piece


@lru_cache(maxsize=64)
def _stretch(reads: tuple[str, ...]) -> sa.Select[Any]:
    """Return what is read to fold kinds that ``reads`` name, above ``after`` and up to ``stop``."""
    wanted = kinds_like(reads)
    return (
        sa.select(_E.idx, _E.entry, _E.kind, _E.audience, _E.logged_at, schema.content.c.slot, schema.content.c.sealed)
        .join(schema.content, schema.content.c.idx == _E.idx)
        .where(
            _E.idx > sa.bindparam("after"),
            _E.idx <= sa.bindparam("stop"),
            sa.true() if wanted is None else wanted,
        )
        .order_by(_E.idx)
    )


def _take(rows: Rows, origin: str, chosen: Sequence[Target], piece: Piece, each: Any) -> None:  # noqa: ANN401 - a selected row
    """Fold one entry into every chosen view that reads its kind; a view that cannot take it keeps the reason."""
    interested = [target for target in chosen if wants(target.view.reads, each.kind)]
    if not interested:
        return
    entry = "sha-256:" + bytes(each.entry).hex()
    kept = opened(rows.keys, each.entry, each.slot, each.sealed)
    if kept.fate == "destroyed":
        return
    try:
        content = _lost(entry) if kept.data is None else read_content(kept.data, where=entry)
        statement = Statement(entry, each.idx, origin, each.logged_at, content)
    except Malformed as fault:
        piece.problems.extend(_problem(target, each.idx, fault) for target in interested)
        return
    for target in interested:
        try:
            lines = lines_of(target.view, statement)
        except Fault as fault:
            piece.problems.append(_problem(target, each.idx, fault))
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            # A mistake in one practice must not stop the registries of the others.
            piece.problems.append(_problem(target, each.idx, _broken(target, error)))
        else:
            piece.rows[target.table.name].extend(
                (line.key, each.idx, entry, each.audience, line.drop, *line.values) for line in lines
            )


def _lost(entry: str) -> NoReturn:
    raise Malformed(
        "log.content-lost",
        Text(
            en="The content cannot be read: its key or its bytes are not those that were kept.",
            zh="无法读取内容：其密钥或字节与所保存的不符。",
        ),
        do=Text(en="Run: tongqiu fsck", zh="请运行：tongqiu fsck"),
        where=entry,
    )


def _write(database: Database, targets: Sequence[Target], piece: Piece) -> bool:
    """Write a piece and its position, unless somebody has done so; leave out what was erased or corrected meanwhile."""
    with database.follow() as connection:
        names = list(piece.places)
        found = connection.execute(_PLACES, {"names": names}).all()
        if {each.tbl: (each.position, each.token) for each in found} != piece.places:
            return False
        first = min(position for position, _ in piece.places.values())
        left_out = set(connection.execute(_LEFT_OUT, {"after": first, "stop": piece.stop}).scalars())
        chosen = {target.table.name: target for target in targets}
        for name, rows in ((name, rows) for name, rows in piece.rows.items() if rows):
            taken = [row for row in rows if row[1] not in left_out]
            _insert(connection, chosen[name].table, taken)
            if chosen[name].view.finds:
                place = [column.name for column in chosen[name].table.columns].index(search.WORDS)
                search.put(connection, piece.places[name][1], ((row[1], row[place]) for row in taken))
        _insert(connection, schema.problem, (problem for problem in piece.problems if problem[1] not in left_out))
        connection.execute(_MOVE, {"names": names, "stop": piece.stop})
    return True


def _insert(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[Any, ...]]) -> None:
    names = [column.name for column in table.columns]
    values = [dict(zip(names, row, strict=True)) for row in rows]
    if values:
        connection.execute(sa.insert(table), values)


def _problem(target: Target, index: int, fault: Fault) -> tuple[str, int, str, str, str]:
    return target.table.name, index, fault.code, fault.what.en[:1000], fault.what.zh[:1000]


def _broken(target: Target, error: Exception) -> Malformed:
    return Malformed(
        "practice.broken",
        Text(en="The registry {view} failed on a record ({error}).", zh="名录 {view} 处理一条记录时出错（{error}）。"),
        do=Text(en="Tell the authors of the practice.", zh="请告知该领域的作者。"),
        view=target.view.name,
        # Only the type: the words of an exception may quote content.
        error=type(error).__name__,
    )


__all__ = ["STEP", "Line", "Target", "advance"]

"""The form of each row of a pack file: unknown keys, rows that do not fit, and the line of everything that is wrong."""

from __future__ import annotations

import difflib
import functools
import re
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import msgspec

from tongqiu.norms.lines import Path, line_of
from tongqiu.norms.pack import Pack
from tongqiu.record.faults import Malformed
from tongqiu.record.misfit import misfit
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ROWS = 2000
"""Most rows in any one list of a pack."""

MEND = Text(en="Mend this line of the pack.", zh="请修正规范包的这一行。")
_MOST_LIKE = 400
"""Most known words that one unknown word is compared with, those of the nearest length."""

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


class Enough(Exception):
    """As many faults were found as were asked for."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like ``word``; the empty string when there is none to name."""
    options = sorted(set(known))
    if len(options) > _MOST_LIKE:
        options = sorted(options, key=lambda each: abs(len(each) - len(word)))[:_MOST_LIKE]
    close = difflib.get_close_matches(word[:120], options, n=1, cutoff=0.0)
    return close[0] if close else ""


def number(version: str) -> tuple[int, ...]:
    """Return a version as numbers that compare: ``2026.11`` is later than ``2026.9``, and the same as ``2026.11.0``."""
    parts = [int(each) for each in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


class Reader:
    """One reading of one file; knows its lines, and keeps what is wrong with it."""

    def __init__(self, places: dict[Path, int], where: str, found: list[Malformed], limit: int) -> None:
        """Keep faults in ``found``, at most ``limit`` of them."""
        self.places = places
        self.where = where
        self.lost: dict[str, set[str]] = {}
        """Names of rows that do not fit the format, by table: whoever names them names something that is there."""
        self._found, self._limit = found, limit
        self._kept: dict[str, list[int]] = {}

    def say(self, code: str, what: Text, path: Path, *, do: Text = MEND, **values: object) -> None:
        """Keep the fault ``code`` of the place ``path``, whose line the words may name."""
        line = self.line(path)
        self.keep(Malformed(code, what, do=do, where=f"{self.where}:{line}", line=line, **values))

    def keep(self, fault: Malformed) -> None:
        """Keep a fault, once."""
        if all((each.code, each.where, each.values) != (fault.code, fault.where, fault.values) for each in self._found):
            self._found.append(fault)
        if len(self._found) >= self._limit:
            raise Enough

    def line(self, path: Path) -> int:
        """Return the line of ``path``, whose rows are counted as in the pack, where those that do not fit are left out."""
        if len(path) > 1 and path[0] in self._kept and isinstance(path[1], int):
            path = (path[0], self._kept[str(path[0])][path[1]], *path[2:])
        return line_of(self.places, path)

    def pack(self, tree: dict[str, Any]) -> Pack | None:
        """Return what fits of ``tree``; None where the head does not."""
        known = self._known_keys(tree, Pack, ())
        whole: dict[str, Any] = {}
        before = len(self._found)
        for field in msgspec.structs.fields(Pack):
            name = field.encode_name
            if name not in known or name == "digest":
                continue
            value = known[name]
            kind = get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type
            if isinstance(value, list) and get_origin(kind) is tuple:
                whole[name] = self._rows(name, value, get_args(kind)[0])
            else:
                whole[name] = value
        if len(self._found) > before and self._kept.get("source") == []:
            return None
        try:
            return msgspec.convert(whole, ready(Pack), strict=True)
        except msgspec.ValidationError as error:
            self._misfit(error, ())
            return None

    def _rows(self, table: str, rows: list[Any], kind: Any) -> list[Any]:  # noqa: ANN401 - any row
        """Return the rows that fit ``kind``, and remember where in the file they stand and what the others are called."""
        fitting = []
        kept = []
        for place, row in enumerate(rows):
            try:
                msgspec.convert(row, ready(kind), strict=True)
            except msgspec.ValidationError as error:
                self._misfit(error, (table, place))
                name = row.get("id", row.get("key")) if isinstance(row, dict) else None
                if isinstance(name, str):
                    self.lost.setdefault(table, set()).add(name)
                continue
            fitting.append(row)
            kept.append(place)
        self._kept[table] = kept
        return fitting

    def _misfit(self, error: msgspec.ValidationError, path: Path) -> None:
        """Keep what the type checker says, in its own words."""
        place = str(error).partition(" - at `$")[2]
        inner = tuple(name or int(number) for name, number in _STEP.findall(place))
        line, words = line_of(self.places, (*path, *inner)), misfit(error)
        self.keep(
            Malformed(
                "norms.pack.form",
                Text(en="Line {line}: {en}.", zh="第 {line} 行：{zh}。"),
                do=MEND,
                where=f"{self.where}:{line}",
                line=line,
                en=words.en,
                zh=words.zh,
            )
        )

    def _known_keys(self, value: Any, kind: Any, path: Path) -> Any:  # noqa: ANN401 - walks any annotation
        """Return ``value`` without the keys that the struct at this place does not have, each complained of."""
        struct = _struct(kind)
        if struct is None:
            return value
        if isinstance(value, list):
            if len(value) > MAX_ROWS:
                self.say(
                    "norms.pack.rows",
                    Text(en="A list may have {limit} rows.", zh="一个列表最多 {limit} 行。"),
                    path,
                    limit=MAX_ROWS,
                )
                value = value[:MAX_ROWS]
            return [self._known_keys(each, kind, (*path, place)) for place, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        fields = _keys(struct)
        kept = {}
        for key, each in value.items():
            if key in fields:
                kept[key] = self._known_keys(each, fields[key], (*path, key))
                continue
            self.say(
                "norms.pack.unknown-key",
                Text(en="Line {line}: no key {key} here.", zh="第 {line} 行：此处没有键 {key}。"),
                (*path, key),
                do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                key=key[:80],
                nearest=nearest(key, fields),
            )
        return kept


@functools.cache
def _keys(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the keys that a file may give for ``struct``, with their annotations; worked out once, for a pack has many rows."""
    return {each.encode_name: each.type for each in msgspec.structs.fields(struct) if each.encode_name != "digest"}


def _struct(kind: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - any annotation
    """Return the struct inside an annotation such as ``tuple[Rule, ...] | None``, if there is one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    for inner in get_args(kind):
        found = _struct(inner)
        if found is not None:
            return found
    return None

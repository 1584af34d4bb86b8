"""Reading a crosswalk file: strict, with the line of every defect, and with the laws that a whole crosswalk keeps.

Every requirement of both packs is answered, by a counterpart or by saying that there is none (former ones may be left
out); nothing is said twice, and nothing contradicts itself. The file format is specified in ``docs/spec/crosswalk.md``.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.norms.crosswalk import Crosswalk, Relation
from tongqiu.norms.lines import Path, index, line_of
from tongqiu.norms.pack import Words
from tongqiu.norms.reading import nearest
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.misfit import misfit
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable

    from tongqiu.norms.pack import Pack, Requirement

MAX_BYTES = 2 * 1024 * 1024
"""Longest crosswalk file, in bytes."""

MAX_ROWS = 5000
"""Most relations in one crosswalk."""

_OURS = {"digest", "turned"}
_SYNTAX = re.compile(r"at line (\d+)")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_MEND = Text(en="Mend this line of the crosswalk.", zh="请修正对照文件的这一行。")


def read(data: bytes, *, pack: Callable[[str], Pack], where: str = "") -> Crosswalk:
    """Return the crosswalk that ``data`` (TOML, UTF-8, at most :data:`MAX_BYTES`) holds, checked against its two packs.

    ``pack`` gives a pack by its id and raises Missing for one that is not there; ``where`` names the file in faults.
    Raises Malformed (``norms.crosswalk.*``) with ``file:line``.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(
            "norms.crosswalk.size",
            Text(
                en="A crosswalk may have {limit} bytes; this one has {size}.",
                zh="对照文件最多 {limit} 字节，此文件有 {size} 字节。",
            ),
            do=Text(en="Map two packs in one file, not more.", zh="一个文件只对照两个规范包。"),
            where=where,
            limit=MAX_BYTES,
            size=len(data),
        )
    text, tree = _parse(data, where)
    reader = _Reader(index(text), where)
    reader.known_keys(tree)
    crosswalk = reader.convert(tree)
    reader.check(crosswalk, pack)
    return msgspec.structs.replace(crosswalk, digest="sha-256:" + hashlib.sha256(data).hexdigest())


def _parse(data: bytes, where: str) -> tuple[str, dict[str, Any]]:
    try:
        text = data.decode()
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        line, why = data[: error.start].count(b"\n") + 1, "not UTF-8"
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _SYNTAX.search(str(error))
        line, why = int(place[1]) if place else 1, str(error)[:200]
    raise Malformed(
        "norms.crosswalk.syntax",
        Text(en="Line {line} is not TOML: {why}.", zh="第 {line} 行不是 TOML：{why}。"),
        do=_MEND,
        where=f"{where}:{line}",
        line=line,
        why=why,
    )


class _Reader:
    """One reading of one file; knows its lines."""

    def __init__(self, places: dict[Path, int], where: str) -> None:
        self.places = places
        self.where = where

    def bad(self, code: str, what: Text, path: Path, *, do: Text = _MEND, **values: object) -> Malformed:
        line = line_of(self.places, path)
        return Malformed(f"norms.crosswalk.{code}", what, do=do, where=f"{self.where}:{line}", line=line, **values)

    def known_keys(self, tree: dict[str, Any]) -> None:
        """Refuse a key that does not belong where it stands, naming the nearest one that does; and too many rows."""
        self._keys(tree, Crosswalk, ())
        rows = tree.get("relation")
        if not isinstance(rows, list):
            return
        if len(rows) > MAX_ROWS:
            raise self.bad(
                "rows",
                Text(en="A crosswalk may have {limit} relations.", zh="一个对照最多 {limit} 条关系。"),
                ("relation", MAX_ROWS),
                limit=MAX_ROWS,
            )
        for place, row in enumerate(rows):
            if isinstance(row, dict):
                self._keys(row, Relation, ("relation", place))
                self._keys(row.get("why"), Words, ("relation", place, "why"))

    def _keys(self, value: object, struct: type[msgspec.Struct], path: Path) -> None:
        if not isinstance(value, dict):
            return
        known = {each.encode_name for each in msgspec.structs.fields(struct)} - _OURS
        for key in value:
            if key not in known:
                raise self.bad(
                    "unknown-key",
                    Text(en="Line {line}: no key {key} here.", zh="第 {line} 行：此处没有键 {key}。"),
                    (*path, key),
                    do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                    key=key[:80],
                    nearest=nearest(key, known),
                )

    def convert(self, tree: dict[str, Any]) -> Crosswalk:
        """Return ``tree`` as a crosswalk; the type checker's own words name what does not fit."""
        try:
            return msgspec.convert(tree, ready(Crosswalk), strict=True)
        except msgspec.ValidationError as error:
            place, words = str(error).partition(" - at `$")[2], misfit(error)
            path = tuple(name or int(number) for name, number in _STEP.findall(place))
            raise self.bad(
                "form",
                Text(en="Line {line}: {en}.", zh="第 {line} 行：{zh}。"),
                path,
                en=words.en,
                zh=words.zh,
            ) from error

    def check(self, crosswalk: Crosswalk, pack: Callable[[str], Pack]) -> None:
        """Refuse what each row alone cannot show."""
        if crosswalk.from_ == crosswalk.to:
            raise self.bad(
                "itself",
                Text(en="Line {line}: a pack is not mapped to itself.", zh="第 {line} 行：规范包不与自身对照。"),
                ("to",),
            )
        one, other = self._pack(crosswalk.from_, "from", pack), self._pack(crosswalk.to, "to", pack)
        known = [{each.id for each in pack.requirements} for pack in (one, other)]
        for place, row in enumerate(crosswalk.relations):
            self._row(row, ("relation", place))
            self._exists(row.from_, known[0], one.id, ("relation", place, "from"))
            self._exists(row.to, known[1], other.id, ("relation", place, "to"))
        self._pairs(crosswalk)
        self._both(crosswalk)
        self._whole(crosswalk, one, other)

    def _pack(self, name: str, key: str, pack: Callable[[str], Pack]) -> Pack:
        try:
            return pack(name)
        except Missing as fault:
            raise self.bad(
                "no-pack",
                Text(en="Line {line}: there is no pack {name}.", zh="第 {line} 行：没有名为 {name} 的规范包。"),
                (key,),
                do=fault.do,
                name=name,
            ) from fault

    def _exists(self, name: str | None, known: set[str], pack: str, path: Path) -> None:
        if name is not None and name not in known:
            raise self.bad(
                "no-requirement",
                Text(
                    en="Line {line}: the pack {pack} has no requirement {name}.",
                    zh="第 {line} 行：规范包 {pack} 中没有要求 {name}。",
                ),
                path,
                do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                name=name,
                pack=pack,
                nearest=nearest(name, known),
            )

    def _row(self, row: Relation, path: Path) -> None:
        """Refuse a row whose keys do not fit its type, or whose review is no review."""
        sides = (row.from_ is not None) + (row.to is not None)
        if row.type == "none":
            if sides != 1 or row.strength:
                raise self.bad(
                    "none",
                    Text(
                        en="Line {line}: none names one side only, and has no strength.",
                        zh="第 {line} 行：none 只写一侧，且没有 strength。",
                    ),
                    path,
                )
        elif sides != 2 or row.rationale is None or not row.strength:  # noqa: PLR2004 - both sides
            raise self.bad(
                "pair",
                Text(
                    en="Line {line}: {type} needs from, to, a rationale, and a strength from 1 to 10.",
                    zh="第 {line} 行：{type} 须有 from、to、rationale，以及 1 至 10 的 strength。",
                ),
                path,
                type=row.type,
            )
        if bool(row.reviewed_by) != (row.reviewed_on is not None):
            raise self.bad(
                "review",
                Text(
                    en="Line {line}: a review needs both who and when.",
                    zh="第 {line} 行：复核须同时写明何人与何时。",
                ),
                path,
            )
        if row.reviewed_on is not None and (row.reviewed_by == row.mapped_by or row.reviewed_on < row.mapped_on):
            raise self.bad(
                "review",
                Text(
                    en="Line {line}: a review is by somebody else than {mapper}, and not before it was mapped.",
                    zh="第 {line} 行：复核者不得为 {mapper} 本人，且不得早于对照之日。",
                ),
                path,
                mapper=row.mapped_by,
            )

    def _pairs(self, crosswalk: Crosswalk) -> None:
        """Refuse a pair that is said twice, one that contradicts itself, and one requirement that equals two."""
        said: dict[tuple[str, str, str], int] = {}
        types: dict[tuple[str, str], set[str]] = {}
        equal: dict[tuple[str, str, str], str] = {}
        for place, row in enumerate(crosswalk.relations):
            if row.from_ is None or row.to is None:
                continue
            path: Path = ("relation", place, "type")
            key = (row.from_, row.to, str(row.rationale))
            before = types.setdefault(key[:2], set())
            if {"subset", "superset"} <= before | {row.type}:
                raise self.bad(
                    "contradiction",
                    Text(
                        en="Line {line}: {from_} cannot be both a subset and a superset of {to}.",
                        zh="第 {line} 行：{from_} 不能既是 {to} 的子集又是其超集。",
                    ),
                    path,
                    do=Text(en="If both hold they are equal.", zh="若二者皆成立，则为 equal。"),
                    from_=row.from_,
                    to=row.to,
                )
            before.add(row.type)
            if key in said:
                raise self.bad(
                    "twice",
                    Text(
                        en="Line {line}: {from_} and {to} are related here a second time (first on line {first}).",
                        zh="第 {line} 行：{from_} 与 {to} 的关系重复（首次见第 {first} 行）。",
                    ),
                    path,
                    do=Text(
                        en="Keep one row, or give each its own rationale.",
                        zh="请只留一行，或为各行写明不同的 rationale。",
                    ),
                    from_=row.from_,
                    to=row.to,
                    first=line_of(self.places, ("relation", said[key])),
                )
            said[key] = place
            if row.type == "equal":
                self._alone(row, key[2], equal, path)

    def _alone(self, row: Relation, rationale: str, equal: dict[tuple[str, str, str], str], path: Path) -> None:
        for side, own, other in (("from", row.from_, row.to), ("to", row.to, row.from_)):
            known = equal.setdefault((side, str(own), rationale), str(other))
            if known != other:
                raise self.bad(
                    "equal",
                    Text(
                        en="Line {line}: {own} already equals {known}; it cannot equal {other} as well.",
                        zh="第 {line} 行：{own} 已与 {known} 相等，不能再与 {other} 相等。",
                    ),
                    path,
                    own=own,
                    known=known,
                    other=other,
                )

    def _both(self, crosswalk: Crosswalk) -> None:
        paired = {("from", each.from_) for each in crosswalk.mapped} | {("to", each.to) for each in crosswalk.mapped}
        seen: set[tuple[str, str]] = set()
        for place, row in enumerate(crosswalk.relations):
            if row.type != "none":
                continue
            own = ("from", row.from_) if row.from_ is not None else ("to", str(row.to))
            path: Path = ("relation", place, own[0])
            if own in paired:
                raise self.bad(
                    "both",
                    Text(
                        en="Line {line}: {own} has no counterpart here and a counterpart in another row.",
                        zh="第 {line} 行：{own} 在此处无对应，在另一行却有对应。",
                    ),
                    path,
                    own=own[1],
                )
            if own in seen:
                raise self.bad(
                    "twice-none",
                    Text(en="Line {line}: {own} stands here twice.", zh="第 {line} 行：{own} 重复出现。"),
                    path,
                    own=own[1],
                )
            seen.add((own[0], str(own[1])))

    def _whole(self, crosswalk: Crosswalk, one: Pack, other: Pack) -> None:
        """Refuse a crosswalk that leaves a requirement of either pack without an answer; former ones need none."""
        for key, pack, named in (
            ("from", one, {each.from_ for each in crosswalk.relations}),
            ("to", other, {each.to for each in crosswalk.relations}),
        ):
            left = [
                each.id for each in pack.requirements if each.id not in named and not former(each, crosswalk.known_at)
            ]
            if left:
                raise self.bad(
                    "unanswered",
                    Text(
                        en="{count} requirements of {pack} are not answered: {names}.",
                        zh="{pack} 有 {count} 项要求未作答：{names}。",
                    ),
                    (key,),
                    do=Text(
                        en="Name a counterpart of each, or write a row of type none.",
                        zh="请为每项写明对应，或写一行 none。",
                    ),
                    pack=pack.id,
                    count=len(left),
                    names=_some(left),
                )


def former(requirement: Requirement, day: datetime.date) -> bool:
    """Tell whether on ``day`` a requirement was already replaced, or no longer applied (both ends are exclusive)."""
    return any(end is not None and end <= day for end in (requirement.known_until, requirement.applies_until))


def _some(names: Iterable[str]) -> str:
    """Return the first ten names, and that there are more."""
    listed = list(names)
    return ", ".join(listed[:10]) + (", …" if len(listed) > 10 else "")  # noqa: PLR2004 - a line's worth

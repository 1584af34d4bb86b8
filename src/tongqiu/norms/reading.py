"""Reading a pack file: strict, and precise about what is wrong and on which line.

An unknown key is refused and the nearest known one is named; a rule may read only declared facts; every grade, source
and scale that a row names must exist. Nothing is guessed.
"""

from __future__ import annotations

import datetime
import difflib
import hashlib
import itertools
import re
import tomllib
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from tongqiu.norms.lines import Path, index, line_of
from tongqiu.norms.pack import Cite, Fact, Pack, Row
from tongqiu.norms.rules import Table, paths, tabulate
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_BYTES = 2 * 1024 * 1024
"""Longest pack file, in bytes."""

MAX_ROWS = 2000
"""Most rows in any one list of a pack."""

_ROWS = {
    "sources": "source",
    "groups": "group",
    "roles": "role",
    "scales": "scale",
    "facts": "fact",
    "rules": "rule",
    "requirements": "requirement",
    "risks": "risk",
}
RISK = "risk:"
"""Before the id of a risk in the tables of a pack: no rule can be called so."""

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_SYNTAX = re.compile(r"at line (\d+)")
_MEND = Text(en="Mend this line of the pack.", zh="请修正规范包的这一行。")


def read(data: bytes, *, where: str = "") -> Pack:
    """Return the pack that ``data`` (TOML, UTF-8, at most :data:`MAX_BYTES`) holds, checked from end to end.

    ``where`` names the file in faults. Raises Malformed (``norms.pack.*``, ``norms.fact.*``, ``norms.rule.*``) with
    ``file:line``.
    """
    return read_with_tables(data, where=where)[0]


def read_with_tables(data: bytes, *, where: str = "") -> tuple[Pack, dict[str, Table]]:
    """Return the pack as :func:`read` does, and the truth table of every rule by its id."""
    if len(data) > MAX_BYTES:
        raise Malformed(
            "norms.pack.size",
            Text(
                en="A pack may have {limit} bytes; this one has {size}.",
                zh="规范包最多 {limit} 字节，此文件有 {size} 字节。",
            ),
            do=Text(en="Split it into several packs.", zh="请拆成几个规范包。"),
            where=where,
            limit=MAX_BYTES,
            size=len(data),
        )
    text, tree = _parse(data, where)
    reader = _Reader(index(text), where)
    reader.known_keys(tree, Pack, ())
    pack = reader.convert(tree)
    tables = reader.check(pack)
    return msgspec.structs.replace(pack, digest="sha-256:" + hashlib.sha256(data).hexdigest()), tables


def number(version: str) -> tuple[int, ...]:
    """Return a version as numbers that can be compared: ``2026.11`` is later than ``2026.9``, and the same as ``2026.11.0``."""
    parts = [int(each) for each in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like ``word``; the empty string when there is none to name."""
    options = sorted(known)
    close = difflib.get_close_matches(word, options, n=1, cutoff=0.0)
    return close[0] if close else ""


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
        "norms.pack.syntax",
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
        return Malformed(code, what, do=do, where=f"{self.where}:{line}", line=line, **values)

    def known_keys(self, value: Any, kind: Any, path: Path) -> None:  # noqa: ANN401 - walks any annotation
        """Refuse a key that the struct at this place does not have, naming the nearest one that it has."""
        struct = _struct(kind)
        if struct is None:
            return
        if isinstance(value, list):
            if len(value) > MAX_ROWS:
                raise self.bad(
                    "norms.pack.rows",
                    Text(en="A list may have {limit} rows.", zh="一个列表最多 {limit} 行。"),
                    path,
                    limit=MAX_ROWS,
                )
            for place, each in enumerate(value):
                self.known_keys(each, kind, (*path, place))
            return
        if not isinstance(value, dict):
            return
        fields = {each.encode_name: each.type for each in msgspec.structs.fields(struct)}
        fields.pop("digest", None)
        for key, each in value.items():
            if key not in fields:
                raise self.bad(
                    "norms.pack.unknown-key",
                    Text(en="Line {line}: no key {key} here.", zh="第 {line} 行：此处没有键 {key}。"),
                    (*path, key),
                    do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                    key=key[:80],
                    nearest=nearest(key, fields),
                )
            self.known_keys(each, fields[key], (*path, key))

    def convert(self, tree: dict[str, Any]) -> Pack:
        """Return ``tree`` as a pack; the type checker's own words name what does not fit."""
        try:
            return msgspec.convert(tree, ready(Pack), strict=True)
        except msgspec.ValidationError as error:
            message = str(error)
            what, _, place = message.partition(" - at `$")
            path = tuple(name or int(number) for name, number in _STEP.findall(place))
            raise self.bad(
                "norms.pack.form",
                Text(en="Line {line}: {error}.", zh="第 {line} 行不合格式：{error}。"),
                path,
                error=(what + (" in " + place.rstrip("`").lstrip(".") if place else ""))[:300],
            ) from error

    def check(self, pack: Pack) -> dict[str, Table]:
        """Refuse what each row alone cannot show: names used twice, names of nothing, rules that read no such fact.

        Returns the truth table of every rule.
        """
        self._unique(pack)
        self._groups(pack)
        self._scales(pack)
        self._facts(pack)
        self._rows(pack)
        self._succession(pack)
        return self._rules(pack)

    def _unique(self, pack: Pack) -> None:
        for name, table in _ROWS.items():
            rows: Sequence[Any] = getattr(pack, name)
            seen: set[str] = set()
            for place, each in enumerate(rows):
                own = each.key if isinstance(each, Fact) else each.id
                if own in seen:
                    raise self.bad(
                        "norms.pack.twice",
                        Text(en="Line {line}: {name} stands here twice.", zh="第 {line} 行：{name} 重复出现。"),
                        (table, place, "key" if isinstance(each, Fact) else "id"),
                        name=own,
                    )
                seen.add(own)

    def _groups(self, pack: Pack) -> None:
        parents = {each.id: each.parent for each in pack.groups}
        for place, group in enumerate(pack.groups):
            path: Path = ("group", place)
            self._cites(pack, group.cite, (*path, "cite"))
            trail, up = {group.id}, group.parent
            while up is not None:
                self._must(up, list(parents), (*path, "parent"), "group")
                if up in trail:
                    raise self.bad(
                        "norms.group.loop",
                        Text(en="Line {line}: {id} stands within itself.", zh="第 {line} 行：{id} 归于其自身之下。"),
                        (*path, "parent"),
                        id=group.id,
                    )
                trail.add(up)
                up = parents[up]

    def _scales(self, pack: Pack) -> None:
        for place, scale in enumerate(pack.scales):
            ids = [grade.id for grade in scale.grades]
            if len(set(ids)) != len(ids):
                raise self.bad(
                    "norms.pack.twice",
                    Text(en="Line {line}: a grade stands here twice.", zh="第 {line} 行：有等级重复。"),
                    ("scale", place, "grades"),
                )
            self._must(scale.default, ids, ("scale", place, "default"), "grade")

    def _facts(self, pack: Pack) -> None:
        facts = {each.key: each for each in pack.facts}
        for place, fact in enumerate(pack.facts):
            path: Path = ("fact", place)
            self._form(fact, path)
            if len(set(fact.values)) != len(fact.values):
                raise self.bad(
                    "norms.pack.twice",
                    Text(en="Line {line}: a choice stands here twice.", zh="第 {line} 行：有选项重复。"),
                    path,
                )
            self._within(fact, facts, (*path, "within"))
            self._cites(pack, fact.cite, (*path, "cite"))
        for key in facts:
            inside = next((other for other in facts if other.startswith(key + ".")), None)
            if inside is not None:
                raise self.bad(
                    "norms.fact.prefix",
                    Text(
                        en="Line {line}: {key} is also the beginning of {other}.",
                        zh="第 {line} 行：{key} 同时是 {other} 的前缀。",
                    ),
                    ("fact", [each.key for each in pack.facts].index(key), "key"),
                    key=key,
                    other=inside,
                )

    def _form(self, fact: Fact, path: Path) -> None:
        """Refuse a question whose type and whose list of answers do not fit each other."""
        ranged = fact.type in {"date", "number"}
        if (
            (fact.type == "choice") != bool(fact.choices)
            or (fact.type == "signal") != (fact.signal is not None)
            or ranged != bool(fact.bands)
            or (fact.unit and fact.type != "number")
        ):
            raise self.bad(
                "norms.fact.form",
                Text(
                    en="Line {line}: a choice needs choices, a signal a signal, a date or number bands; no other type has "
                    "them, and only a number has a unit.",
                    zh="第 {line} 行：choice 须有 choices，signal 须有 signal，date 和 number 须有 bands；其他类型都不得有，"
                    "且只有 number 可有 unit。",
                ),
                path,
            )
        if not ranged:
            return
        kind = datetime.date if fact.type == "date" else (int, float)
        ends = [each.below for each in fact.bands]
        known = [each for each in ends[:-1] if isinstance(each, kind)]
        if ends[-1] is not None or not known or len(known) < len(ends) - 1 or not _rising(known):
            raise self.bad(
                "norms.fact.bands",
                Text(
                    en="Line {line}: bands go upwards, two or more, each below a {type} that is greater than the one before; "
                    "the last has no below.",
                    zh="第 {line} 行：bands 须由小到大、至少两段，各段的 below 为 {type} 且大于前一段；最后一段没有 below。",
                ),
                (*path, "bands"),
                type=fact.type,
            )

    def _within(self, fact: Fact, facts: dict[str, Fact], path: Path) -> None:
        trail = {fact.key}
        while fact.within is not None:
            self._must(fact.within, list(facts), path, "fact")
            wider = facts[fact.within]
            if fact.type != "bool" or wider.type != "bool" or wider.key in trail:
                raise self.bad(
                    "norms.fact.within",
                    Text(
                        en="Line {line}: only a yes/no question stands within another, and never within itself.",
                        zh="第 {line} 行：只有是非题可以归于另一是非题之下，且不得循环。",
                    ),
                    path,
                )
            trail.add(wider.key)
            fact = wider

    def _rows(self, pack: Pack) -> None:
        for place, rule in enumerate(pack.rules):
            path: Path = ("rule", place)
            self._grade(pack, rule.scale, (rule.grade,), path, "grade")
            self._row(pack, rule, rule.cite, path)
        for place, requirement in enumerate(pack.requirements):
            path = ("requirement", place)
            if requirement.scale is not None:
                self._grade(pack, requirement.scale, requirement.grades, path, "grades")
            for name in requirement.rules:
                self._must(name, [each.id for each in pack.rules], (*path, "rules"), "rule")
            for name in requirement.asked_of:
                self._must(name, [each.id for each in pack.roles], (*path, "asked_of"), "role")
            if requirement.group is not None:
                self._must(requirement.group, [each.id for each in pack.groups], (*path, "group"), "group")
            self._row(pack, requirement, requirement.cite, path)
        for place, risk in enumerate(pack.risks):
            path = ("risk", place)
            if risk.group is not None:
                self._must(risk.group, [each.id for each in pack.groups], (*path, "group"), "group")
            self._row(pack, risk, risk.cite, path)

    def _grade(self, pack: Pack, scale: str, grades: Sequence[str], path: Path, key: str) -> None:
        self._must(scale, [each.id for each in pack.scales], (*path, "scale"), "scale")
        for grade in grades:
            self._must(grade, [each.id for each in pack.scale(scale).grades], (*path, key), "grade")

    def _row(self, pack: Pack, row: Row, cite: tuple[Cite, ...], path: Path) -> None:
        self._cites(pack, cite, (*path, "cite"))
        self._dates(row.applies_from, row.applies_until, (*path, "applies_until"))
        self._dates(row.known_from, row.known_until, (*path, "known_until"))

    def _rules(self, pack: Pack) -> dict[str, Table]:
        readable = [each.key for each in pack.facts if each.type != "text"]
        tables = {}
        conditions = [(each.id, each.when, ("rule", place, "when")) for place, each in enumerate(pack.rules)] + [
            (RISK + each.id, each.suggested_when, ("risk", place, "suggested_when"))
            for place, each in enumerate(pack.risks)
            if each.suggested_when is not None
        ]
        for name, when, path in conditions:
            where = f"{self.where}:{line_of(self.places, path)}"
            for key in paths(when, where=where, rule=name):
                self._must(key, readable, path, "fact")
            tables[name] = tabulate(pack, name, when, where=where)
        return tables

    def _succession(self, pack: Pack) -> None:
        after = {each.id: each.succeeds for each in pack.requirements}
        for place, each in enumerate(pack.requirements):
            for name in each.succeeds:
                former, _, version = name.partition("@")
                if not version:
                    self._must(former, list(after), ("requirement", place, "succeeds"), "requirement")
                elif number(version) >= number(pack.version):
                    raise self.bad(
                        "norms.requirement.edition",
                        Text(
                            en="Line {line}: {name} is of edition {version}, which is not earlier than this one, {own}.",
                            zh="第 {line} 行：{name} 属于版本 {version}，并不早于本版 {own}。",
                        ),
                        ("requirement", place, "succeeds"),
                        name=name,
                        version=version,
                        own=pack.version,
                    )
            trail: set[str] = set()
            open_: list[str] = list(each.succeeds)
            while open_:
                name = open_.pop()
                if name == each.id:
                    raise self.bad(
                        "norms.requirement.loop",
                        Text(en="Line {line}: {id} succeeds itself.", zh="第 {line} 行：{id} 承继了自身。"),
                        ("requirement", place, "succeeds"),
                        id=each.id,
                    )
                if name not in trail:
                    trail.add(name)
                    open_.extend(after.get(name, ()))

    def _cites(self, pack: Pack, cites: tuple[Cite, ...], path: Path) -> None:
        for cite in cites:
            self._must(cite.source, [each.id for each in pack.sources], path, "source")

    def _dates(self, start: datetime.date | None, end: datetime.date | None, path: Path) -> None:
        if start is not None and end is not None and end <= start:
            raise self.bad(
                "norms.pack.dates",
                Text(en="Line {line}: it ends before it begins.", zh="第 {line} 行：止期早于起期。"),
                path,
            )

    def _must(self, name: str, known: Sequence[str], path: Path, what: str) -> None:
        if name not in known:
            words = {
                "fact": Text(en="fact", zh="事实"),
                "grade": Text(en="grade", zh="等级"),
                "group": Text(en="group", zh="分组"),
                "requirement": Text(en="requirement", zh="要求"),
                "role": Text(en="role", zh="角色"),
                "rule": Text(en="rule", zh="规则"),
                "scale": Text(en="scale", zh="量级"),
                "source": Text(en="source", zh="来源"),
            }[what]
            close = nearest(name, known)
            raise self.bad(
                f"norms.pack.no-{what}",
                Text(
                    en="Line {line}: there is no " + words.en + " {name}.",
                    zh="第 {line} 行：没有名为 {name} 的" + words.zh + "。",
                ),
                path,
                do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？")
                if close
                else Text(en="Declare it first.", zh="请先声明。"),
                name=name[:80],
                nearest=close,
            )


def _rising(ends: Sequence[Any]) -> bool:
    """Tell whether each end lies beyond the one before it."""
    return all(before < after for before, after in itertools.pairwise(ends))


def _struct(kind: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - any annotation
    """Return the struct inside an annotation such as ``tuple[Rule, ...] | None``, if there is one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    for inner in get_args(kind):
        found = _struct(inner)
        if found is not None:
            return found
    return None

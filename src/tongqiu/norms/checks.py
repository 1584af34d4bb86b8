"""What no row of a pack can show alone: names used twice, names of nothing, circles, and conditions that cannot be worked out."""

from __future__ import annotations

import datetime
import itertools
from typing import TYPE_CHECKING, Any

from tongqiu.norms.form import nearest, number
from tongqiu.norms.pack import Cite, Fact, Pack, Row
from tongqiu.norms.rules import Table, paths, tabulate
from tongqiu.norms.succession import bare, loops
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.norms.form import Reader
    from tongqiu.norms.lines import Path

RISK = "risk:"
"""Before the id of a risk in the tables of a pack: no rule can be called so."""

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
_WHAT = {
    "fact": Text(en="fact", zh="事实"),
    "grade": Text(en="grade", zh="等级"),
    "group": Text(en="group", zh="分组"),
    "requirement": Text(en="requirement", zh="要求"),
    "role": Text(en="role", zh="角色"),
    "rule": Text(en="rule", zh="规则"),
    "scale": Text(en="scale", zh="量级"),
    "source": Text(en="source", zh="来源"),
}


def check(pack: Pack, reader: Reader) -> dict[str, Table]:
    """Tell ``reader`` what is wrong across the rows of ``pack``; return the truth table of every condition that has one.

    Conditions of risks are found under ``risk:`` and the risk's id.
    """
    return _Checks(pack, reader).run()


class _Checks:
    """The checks of one pack."""

    def __init__(self, pack: Pack, reader: Reader) -> None:
        self.pack = pack
        self.reader = reader
        self.say = reader.say
        self.names: dict[str, list[str]] = {
            table: [_own(each) for each in getattr(pack, name)] for name, table in _ROWS.items()
        }

    def run(self) -> dict[str, Table]:
        self._unique()
        self._sources()
        self._groups()
        self._scales()
        self._facts()
        self._rows()
        self._succession()
        return self._conditions()

    def _unique(self) -> None:
        for table, names in self.names.items():
            seen: set[str] = set()
            for place, own in enumerate(names):
                if own in seen:
                    self.say(
                        "norms.pack.twice",
                        Text(en="Line {line}: {name} stands here twice.", zh="第 {line} 行：{name} 重复出现。"),
                        (table, place, "key" if table == "fact" else "id"),
                        name=own,
                    )
                seen.add(own)

    def _sources(self) -> None:
        for place, source in enumerate(self.pack.sources):
            path: Path = ("source", place)
            for name in source.amended_by:
                self.must(name, "source", (*path, "amended_by"))
            self._dates(source.in_force_from, source.repealed_on, (*path, "repealed_on"))

    def _groups(self) -> None:
        parents = {each.id: (each.parent,) for each in self.pack.groups if each.parent is not None}
        around = set(loops(parents))
        for place, group in enumerate(self.pack.groups):
            path: Path = ("group", place)
            self._cites(group.cite, (*path, "cite"))
            if group.parent is not None:
                self.must(group.parent, "group", (*path, "parent"))
            if group.id in around:
                self.say(
                    "norms.group.loop",
                    Text(en="Line {line}: {id} stands within itself.", zh="第 {line} 行：{id} 归于其自身之下。"),
                    (*path, "parent"),
                    do=Text(en="Take the parent of one of them away.", zh="请去掉其中一个 parent。"),
                    id=group.id,
                )

    def _scales(self) -> None:
        for place, scale in enumerate(self.pack.scales):
            ids = [grade.id for grade in scale.grades]
            if len(set(ids)) != len(ids):
                self.say(
                    "norms.pack.twice",
                    Text(en="Line {line}: a grade stands here twice.", zh="第 {line} 行：有等级重复。"),
                    ("scale", place, "grades"),
                )
            self.must(scale.default, "grade", ("scale", place, "default"), ids)

    def _facts(self) -> None:
        facts = {each.key: each for each in self.pack.facts}
        around = set(loops({each.key: (each.within,) for each in self.pack.facts if each.within is not None}))
        for place, fact in enumerate(self.pack.facts):
            path: Path = ("fact", place)
            self._form(fact, path)
            if len(set(fact.values)) != len(fact.values):
                self.say(
                    "norms.pack.twice",
                    Text(en="Line {line}: a choice stands here twice.", zh="第 {line} 行：有选项重复。"),
                    path,
                )
            if fact.within is not None and self.must(fact.within, "fact", (*path, "within")):
                wider = facts.get(fact.within)
                if fact.type != "bool" or (wider is not None and wider.type != "bool") or fact.key in around:
                    self.say(
                        "norms.fact.within",
                        Text(
                            en="Line {line}: only a yes/no question stands within another, and never within itself.",
                            zh="第 {line} 行：只有是非题可以归于另一是非题之下，且不得循环。",
                        ),
                        (*path, "within"),
                    )
            self._cites(fact.cite, (*path, "cite"))
        self._beginnings()

    def _beginnings(self) -> None:
        """Complain of a key that is also the beginning of another: a rule could not tell them apart."""
        whole = set(self.names["fact"])
        beginnings: dict[str, str] = {}
        for key in self.names["fact"]:
            parts = key.split(".")
            for size in range(1, len(parts)):
                beginnings.setdefault(".".join(parts[:size]), key)
        for place, key in enumerate(self.names["fact"]):
            if key in beginnings and key in whole:
                self.say(
                    "norms.fact.prefix",
                    Text(
                        en="Line {line}: {key} is also the beginning of {other}.",
                        zh="第 {line} 行：{key} 同时是 {other} 的前缀。",
                    ),
                    ("fact", place, "key"),
                    key=key,
                    other=beginnings[key],
                )

    def _form(self, fact: Fact, path: Path) -> None:
        """Complain of a question whose type and whose list of answers do not fit each other."""
        ranged = fact.type in {"date", "number"}
        if (
            (fact.type == "choice") != bool(fact.choices)
            or (fact.type == "signal") != (fact.signal is not None)
            or ranged != bool(fact.bands)
            or (fact.unit and fact.type != "number")
        ):
            self.say(
                "norms.fact.form",
                Text(
                    en="Line {line}: a choice needs choices, a signal a signal, a date or number bands; no other type has "
                    "them, and only a number has a unit.",
                    zh="第 {line} 行：choice 须有 choices，signal 须有 signal，date 和 number 须有 bands；其他类型都不得有，"
                    "且只有 number 可有 unit。",
                ),
                path,
            )
        elif ranged:
            self._bands(fact, path)

    def _bands(self, fact: Fact, path: Path) -> None:
        dates = fact.type == "date"
        ends = [each.below for each in fact.bands]
        known: list[Any] = [each for each in ends[:-1] if each is not None and isinstance(each, datetime.date) is dates]
        rising = all(before < after for before, after in itertools.pairwise(known))
        if ends[-1] is not None or not known or len(known) < len(ends) - 1 or not rising:
            self.say(
                "norms.fact.bands",
                Text(
                    en="Line {line}: bands go upwards, two or more, each below a {type} beyond the one before; the last has "
                    "no below.",
                    zh="第 {line} 行：bands 须由小到大、至少两段，各段的 below 为 {type} 且大于前一段；最后一段没有 below。",
                ),
                (*path, "bands"),
                type=fact.type,
            )

    def _rows(self) -> None:
        for place, rule in enumerate(self.pack.rules):
            path: Path = ("rule", place)
            self._grade(rule.scale, (rule.grade,), path, "grade")
            self._row(rule, rule.cite, path)
        for place, requirement in enumerate(self.pack.requirements):
            path = ("requirement", place)
            if requirement.scale is not None:
                self._grade(requirement.scale, requirement.grades, path, "grades")
            for name in requirement.rules:
                self.must(name, "rule", (*path, "rules"))
            for name in requirement.asked_of:
                self.must(name, "role", (*path, "asked_of"))
            self._grouped(requirement.group, path)
            self._row(requirement, requirement.cite, path)
        for place, risk in enumerate(self.pack.risks):
            path = ("risk", place)
            self._grouped(risk.group, path)
            self._row(risk, risk.cite, path)

    def _grouped(self, group: str | None, path: Path) -> None:
        if group is not None:
            self.must(group, "group", (*path, "group"))

    def _grade(self, scale: str, grades: Sequence[str], path: Path, key: str) -> None:
        if not self.must(scale, "scale", (*path, "scale")) or scale not in self.names["scale"]:
            return
        for grade in grades:
            self.must(grade, "grade", (*path, key), [each.id for each in self.pack.scale(scale).grades])

    def _row(self, row: Row, cite: tuple[Cite, ...], path: Path) -> None:
        self._cites(cite, (*path, "cite"))
        self._dates(row.applies_from, row.applies_until, (*path, "applies_until"))
        self._dates(row.known_from, row.known_until, (*path, "known_until"))

    def _conditions(self) -> dict[str, Table]:
        readable = [each.key for each in self.pack.facts if each.type != "text"]
        conditions: list[tuple[str, str, Path]] = [
            (each.id, each.when, ("rule", place, "when")) for place, each in enumerate(self.pack.rules)
        ]
        conditions += [
            (RISK + each.id, each.suggested_when, ("risk", place, "suggested_when"))
            for place, each in enumerate(self.pack.risks)
            if each.suggested_when is not None
        ]
        tables = {}
        for name, when, path in conditions:
            line = self.reader.line(path)
            try:
                read = paths(when, where=f"{self.reader.where}:{line}", rule=name)
                if all([self.must(key, "fact", path, readable) for key in read]) and set(read) <= set(readable):  # noqa: C419 - every missing one
                    tables[name] = tabulate(self.pack, name, when, where=f"{self.reader.where}:{line}")
            except Malformed as fault:
                fault.values.setdefault("line", str(line))
                self.reader.keep(fault)
        return tables

    def _succession(self) -> None:
        after = {each.id: tuple(bare(name) for name in each.succeeds) for each in self.pack.requirements}
        around = set(loops(after))
        for place, each in enumerate(self.pack.requirements):
            path: Path = ("requirement", place, "succeeds")
            for name in each.succeeds:
                former, _, version = name.partition("@")
                if not version:
                    self.must(former, "requirement", path, do=_EDITION)
                elif number(version) >= number(self.pack.version):
                    self.say(
                        "norms.requirement.edition",
                        Text(
                            en="Line {line}: {name} is of edition {version}, which is not earlier than this one, {own}.",
                            zh="第 {line} 行：{name} 属于版本 {version}，并不早于本版 {own}。",
                        ),
                        path,
                        name=name,
                        version=version,
                        own=self.pack.version,
                    )
            if each.id in around:
                self.say(
                    "norms.requirement.loop",
                    Text(en="Line {line}: {id} succeeds itself.", zh="第 {line} 行：{id} 承继了自身。"),
                    path,
                    do=Text(en="Take one of the steps of the circle away.", zh="请去掉循环中的一步。"),
                    id=each.id,
                )

    def _cites(self, cites: tuple[Cite, ...], path: Path) -> None:
        for cite in cites:
            self.must(cite.source, "source", path)

    def _dates(self, start: datetime.date | None, end: datetime.date | None, path: Path) -> None:
        if start is not None and end is not None and end <= start:
            self.say(
                "norms.pack.dates",
                Text(
                    en="Line {line}: it ends on {end}, before it begins on {start}.",
                    zh="第 {line} 行：止期 {end} 早于起期 {start}。",
                ),
                path,
                do=Text(en="Turn the two dates round, or mend one.", zh="请对调两个日期，或更正其一。"),
                start=start,
                end=end,
            )

    def must(
        self, name: str, what: str, path: Path, known: Iterable[str] | None = None, *, do: Text | None = None
    ) -> bool:
        """Tell whether something is called so, and complain where nothing is; a row that does not fit counts as there."""
        names = list(self.names[what] if known is None else known)
        if name in names or name in self.reader.lost.get(what, ()):
            return True
        close = nearest(name, names)
        advice = Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？") if close else _DECLARE
        self.say(
            f"norms.pack.no-{what}",
            Text(
                en="Line {line}: there is no " + _WHAT[what].en + " {name}.",
                zh="第 {line} 行：没有名为 {name} 的" + _WHAT[what].zh + "。",
            ),
            path,
            do=advice if do is None else Text(en=f"{advice.en} {do.en}", zh=advice.zh + do.zh),
            name=name[:80],
            nearest=close,
        )
        return False


_DECLARE = Text(en="Declare it first.", zh="请先声明。")
_EDITION = Text(en="One of an earlier edition is named id@version.", zh="如属较早版本，请写作“编号@版本”。")


def _own(row: Any) -> str:  # noqa: ANN401 - any row
    """Return what a row is called."""
    return str(row.key if isinstance(row, Fact) else row.id)

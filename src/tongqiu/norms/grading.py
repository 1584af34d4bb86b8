"""Grading a system under a pack: the grade, or the range of grades that missing answers leave open, and why.

An unknown answer is never taken for a no. Whatever grade the full answers would give lies inside the stated range, and
a further answer never widens it. The result names the rules that hold, those that may, the facts read, and what each
missing answer would change. Nothing here says that a duty is fulfilled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongqiu.norms.checks import RISK
from tongqiu.norms.duties import Owed, owed, prefixed
from tongqiu.norms.outcome import Gap, Grading, Held, Outcome, Seen, Span, State
from tongqiu.norms.questions import Questions
from tongqiu.norms.reading import read_with_tables
from tongqiu.norms.span import Bar, Counter, TooKnotted, answered
from tongqiu.norms.time import Calendar

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Mapping

    from tongqiu.norms.pack import Fact, Pack, Rule, Scale
    from tongqiu.norms.questions import Value
    from tongqiu.norms.rules import Table


class Suggested(NamedTuple):
    """A risk that a condition suggests: for sure, or depending on the missing answers ``open``."""

    risk: str
    sure: bool
    open: tuple[str, ...]


class Book:
    """A pack with its conditions worked out; made once by :func:`open_book` and never changed."""

    def __init__(self, pack: Pack, tables: Mapping[str, Table]) -> None:
        """Bind ``pack`` to the truth tables of its rules, by rule id."""
        self.pack = pack
        self.tables = dict(tables)
        self.questions = Questions(pack.id, pack.facts)
        self.calendar = Calendar(pack)

    @property
    def facts(self) -> dict[str, Fact]:
        """Return the questions by key."""
        return self.questions.facts

    def settle(
        self, facts: Mapping[str, object], findings: Iterable[Seen] = (), *, where: str = ""
    ) -> dict[str, Value]:
        """Return ``facts`` checked against the questions, with the answers that follow from them and from findings.

        Raises Malformed as :meth:`tongqiu.norms.questions.Questions.settle`.
        """
        seen = tuple(findings)
        heard = {each.key: _signal(each, seen) for each in self.pack.facts if each.signal is not None}
        said = {key: value for key, value in heard.items() if value is not None}
        return self.questions.settle(facts, said, where=where)

    def grade(
        self,
        facts: Mapping[str, object],
        findings: Iterable[Seen] = (),
        *,
        as_of: datetime.date,
        known_at: datetime.date | None = None,
        where: str = "",
    ) -> Grading:
        """Return the grade, or the range of grades, of a system with these ``facts`` on the day ``as_of``.

        Rows that ended before ``as_of`` or became known after ``known_at`` (default ``as_of``) do not count; rows that
        apply only later count and are marked pending. Raises Malformed as :meth:`settle`.
        """
        given = self.settle(facts, tuple(findings), where=where)
        known = self.questions.ruled(given)
        until = known_at or as_of
        rules = [each for each in self.pack.rules if self.calendar.row(each, as_of, until).counts]
        answers = {key: self.facts[key].values.index(value) for key, value in known.items()}
        bars = {each.id: answered([self._bar(each)], answers)[0] for each in rules}
        counter = Counter()
        spans = tuple(self._span(scale, rules, bars, known, counter) for scale in self.pack.scales)
        aside = _aside(rules, bars)
        held = tuple(
            self._held(each, bars[each.id].table, known, as_of, aside=each.id in aside)
            for each in rules
            if bars[each.id].table.settled is not False
        )
        return Grading(
            pack=self.pack.id,
            version=self.pack.version,
            digest=self.pack.digest or "",
            as_of=as_of,
            known_at=until,
            spans=spans,
            held=tuple(sorted(held, key=lambda each: (each.scale, each.state, -self._place(each), each.rule))),
            facts={key: value for key, value in sorted(given.items()) if key in facts},
            implied={key: value for key, value in sorted(given.items()) if key not in facts},
            gaps=self._gaps([each for each in rules if each.id not in aside], bars, spans, known, counter),
        )

    def owed(self, grading: Grading, findings: Iterable[Seen]) -> tuple[Owed, ...]:
        """Return the requirements that ``grading`` brings or may bring, and which findings speak to each."""
        return owed(self.pack, self.calendar, grading, findings)

    def suggested(
        self,
        facts: Mapping[str, object],
        findings: Iterable[Seen] = (),
        *,
        as_of: datetime.date,
        known_at: datetime.date | None = None,
    ) -> tuple[Suggested, ...]:
        """Return the risks of the pack that its conditions suggest for a system with these ``facts``, in file order.

        A risk is suggested for sure, or possibly where missing answers leave it open; one without a condition never is.
        Raises Malformed as :meth:`settle`.
        """
        known = self.questions.ruled(self.settle(facts, findings))
        found = []
        for each in self.pack.risks:
            table = self.tables.get(RISK + each.id)
            if table is None or not self.calendar.row(each, as_of, known_at or as_of).counts:
                continue
            for fact in table.facts:
                if fact in known:
                    table = table.given(fact, self.facts[fact].values.index(known[fact]))
            if table.settled is not False:
                found.append(Suggested(each.id, table.settled is True, () if table.settled else _deciding(table)))
        return tuple(found)

    def _bar(self, rule: Rule) -> Bar:
        return Bar(rule.overrides, self.pack.scale(rule.scale).place(rule.grade), self.tables[rule.id])

    def _place(self, held: Held) -> int:
        return self.pack.scale(held.scale).place(held.grade)

    def _span(
        self, scale: Scale, rules: list[Rule], bars: Mapping[str, Bar], known: Mapping[str, Value], counter: Counter
    ) -> Span:
        own = [each.id for each in rules if each.scale == scale.id]
        places, counted = _places(scale, [bars[each] for each in own], counter)
        touched = any(fact in known for each in own for fact in self.tables[each].facts)
        state: State = "graded" if len(places) == 1 else "range" if touched and counted else "unanswered"
        return Span(
            scale=scale.id,
            title=scale.title,
            state=state,
            low=scale.grades[places[0]].id,
            high=scale.grades[places[-1]].id,
            grades=tuple(scale.grades[place].id for place in places),
        )

    def _held(self, rule: Rule, table: Table, known: Mapping[str, Value], as_of: datetime.date, *, aside: bool) -> Held:
        start = self.calendar.bounds(rule, rule.cite)[0]
        return Held(
            rule=rule.id,
            scale=rule.scale,
            grade=rule.grade,
            state="fired" if table.settled else "possible",
            title=rule.title,
            reason=rule.reason,
            cite=rule.cite,
            pending=start is not None and start > as_of,
            aside=aside,
            applies_from=start,
            checked=rule.checked,
            read={key: known[key] for key in self.tables[rule.id].facts if key in known},
            open=() if table.settled else _deciding(table),
        )

    def _gaps(
        self,
        rules: list[Rule],
        bars: Mapping[str, Bar],
        spans: tuple[Span, ...],
        known: Mapping[str, Value],
        counter: Counter,
    ) -> tuple[Gap, ...]:
        open_ = [bars[each.id] for each in rules if bars[each.id].table.settled is None]
        keys = {fact for bar in open_ for fact in _deciding(bar.table)}
        by_scale = {span.scale: tuple(bars[each.id] for each in rules if each.scale == span.scale) for span in spans}
        for scale in self.pack.scales:
            if not _places(scale, by_scale[scale.id], counter)[1]:
                del by_scale[scale.id]  # too knotted as it is: what one answer would change cannot be said either
        gaps = [self._gap(fact, open_, by_scale, spans, counter) for fact in self.pack.facts if fact.key in keys]
        order = {fact.key: place for place, fact in enumerate(self.pack.facts)}

        def rank(gap: Gap) -> tuple[bool, int, float, int, int]:
            blocked = any(key not in known for key in self.questions.wider(gap.fact))
            return blocked, -gap.sure, -gap.mean, -gap.settles, order[gap.fact]

        return tuple(sorted(gaps, key=rank))

    def _gap(
        self,
        fact: Fact,
        open_: list[Bar],
        by_scale: Mapping[str, tuple[Bar, ...]],
        spans: tuple[Span, ...],
        counter: Counter,
    ) -> Gap:
        outcomes: list[Outcome] = []
        dropped = [0] * len(fact.values)
        for span in spans:
            own = by_scale.get(span.scale, ())
            if not any(fact.key in bar.table.facts for bar in own):
                continue
            scale = self.pack.scale(span.scale)
            for number, value in enumerate(fact.values):
                places, _ = _places(scale, answered(own, {fact.key: number}), counter)
                grades = tuple(scale.grades[place].id for place in places)
                outcomes.append(Outcome(value=value, scale=span.scale, grades=grades))
                dropped[number] += len(span.grades) - len(places)
        touched = [bar for bar in open_ if fact.key in bar.table.facts]
        settles = max(
            sum(bar.table.settled is not None for bar in answered(touched, {fact.key: number}))
            for number in range(len(fact.values))
        )
        return Gap(
            fact=fact.key,
            question=fact.question,
            outcomes=tuple(outcomes),
            sure=min(dropped),
            mean=round(sum(dropped) / len(dropped), 6),
            settles=settles,
        )


def open_book(data: bytes, *, where: str = "") -> Book:
    """Return the pack file ``data`` with every condition worked out. Raises as :func:`tongqiu.norms.reading.read`."""
    return Book(*read_with_tables(data, where=where))


def _places(scale: Scale, bars: Iterable[Bar], counter: Counter) -> tuple[list[int], bool]:
    """Return the places still possible, and whether they were counted or, being too knotted, all assumed possible."""
    try:
        return sorted(counter.possible(bars, scale.place(scale.default))), True
    except TooKnotted:
        return list(range(len(scale.grades))), False


def _deciding(table: Table) -> tuple[str, ...]:
    """Return the open facts on which ``table`` really depends."""
    return tuple(
        fact
        for fact, size in zip(table.facts, table.sizes, strict=True)
        if len({table.given(fact, value).cells for value in range(size)}) > 1
    )


def _aside(rules: list[Rule], bars: Mapping[str, Bar]) -> set[str]:
    """Return the rules that cannot count because, on their scale, a rule that overrides holds for sure."""
    ruled = {each.scale for each in rules if each.overrides and bars[each.id].table.settled}
    return {each.id for each in rules if each.scale in ruled and not each.overrides}


def _signal(fact: Fact, findings: Iterable[Seen]) -> bool | None:
    """Return yes when a matching finding has the verdict, no when others only, None when there is no finding."""
    assert fact.signal is not None  # noqa: S101 - only called for signals
    prefix = fact.signal.finding
    heard = [
        each.finding.verdict
        for each in findings
        if prefixed(each.finding.requirement, prefix) or prefixed(each.finding.code, prefix)
    ]
    judged = [verdict for verdict in heard if verdict in {"met", "unmet", "undecided"}]
    return any(verdict in fact.signal.verdicts for verdict in judged) if judged else None


__all__ = [
    "Book",
    "Gap",
    "Grading",
    "Held",
    "Outcome",
    "Owed",
    "Seen",
    "Span",
    "State",
    "Suggested",
    "open_book",
]

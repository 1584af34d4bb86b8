"""The system card: one page on one system, made of records alone, that says what was measured, how surely, and what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tongqiu.practices.evaluation import identity
from tongqiu.practices.evaluation.judging import AGENTS, change_words, lacking_words
from tongqiu.practices.evaluation.object_kinds import DUE, PLAN, REPORT
from tongqiu.record import core
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tongqiu.chart.mark import Mark
    from tongqiu.practice import Desk
    from tongqiu.practices.evaluation.objects import Report, Summary
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Statement


class Row(msgspec.Struct, frozen=True):
    """One number of a card, and a row of its CSV: of what, for which part, value, bounds, items, and how it stands.

    ``sort`` is ``result``, ``part`` (a language or slice of it), ``utility`` (its partner), ``floor`` (a system without
    skill) or ``table``.
    """

    tested: str
    method: str
    title_en: str
    title_zh: str
    sort: str
    part: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    planned: int | None = None
    verdict: str = ""
    entry: str = ""


class Result(msgspec.Struct, frozen=True):
    """One method on the card: its finding in words, and its numbers, the value first."""

    title: Text
    tested: str
    method: str
    verdict: str
    reason: Text
    lacking: Text
    imported: bool
    better: Text
    rows: tuple[Row, ...]
    entry: str

    def figure(self, language: str) -> Mark:
        """Return the picture: the system, its languages and slices, its partner, and what systems without skill reach."""
        from tongqiu.chart.interval import IntervalPlot, Point

        points = tuple(
            Point(_label(row, language), row.value, row.low, row.high, row.n, _stands(row)) for row in self.rows
        )
        return IntervalPlot(_CAPTION.of(language), points, share=True, coverage=0.95).figure(language)


class Pick(msgspec.Struct, frozen=True):
    """A system that has a card."""

    id: str
    name: str
    valid_until: str


class CardPage(msgspec.Struct, frozen=True):
    """The card of one system, or where none was named, the systems that have one.

    ``sure`` says how surely each thing under test is known; ``ended`` that the card is no longer valid.
    """

    rows: tuple[Row, ...]
    systems: tuple[Pick, ...]
    id: str = ""
    name: str = ""
    purpose: str = ""
    parts: tuple[str, ...] = ()
    sure: tuple[Text, ...] = ()
    scope: Text | None = None
    tested_from: str = ""
    tested_until: str = ""
    valid_until: str = ""
    ended: bool = False
    due: tuple[Text, ...] = ()
    next: str | None = None
    results: tuple[Result, ...] = ()
    changes: tuple[Text, ...] = ()
    not_assessed: tuple[Text, ...] = ()
    limits: tuple[Text, ...] = ()
    triggers: tuple[Text, ...] = ()
    issuer: str = ""
    entry: str = ""


def show(desk: Desk, params: Mapping[str, str]) -> CardPage:
    """Return the card of the system ``id``, by ``issuer`` where given, else by this node's party, else the newest.

    Raises Missing (``evaluation.no-card``) for a system without a report that may be read.
    """
    reports = sorted(desk.said(REPORT.name), key=lambda each: (each.at, each.entry))
    wanted = params.get("id", "")
    if not wanted:
        newest = {each.subject.id: each for each in reports}
        return CardPage((), tuple(_pick(each) for _, each in sorted(newest.items())))
    issuer = params.get("issuer", "")
    mine = [each for each in reports if each.subject.id == wanted and issuer in {"", each.issuer}]
    if not mine:
        raise Missing(
            "evaluation.no-card",
            Text(en="No report on {id} is here.", zh="此处没有关于 {id} 的报告。"),
            do=Text(
                en="Assess it, or choose among the systems on the page of cards.", zh="请先评估，或从系统卡页面中选择。"
            ),
            id=wanted[:200],
        )
    return _card(desk, next((each for each in reversed(mine) if each.issuer == desk.issuer), mine[-1]))


def _card(desk: Desk, statement: Statement) -> CardPage:
    body = REPORT.read(statement.body)
    results = tuple(_result(desk, each) for each in body.results)
    composed = _newest(desk, core.COMPOSITION, statement)
    due = _newest(desk, DUE, statement)
    plan = _newest(desk, PLAN, statement)
    return CardPage(
        rows=(*(row for each in results for row in each.rows), *_tables(body)),
        systems=(),
        id=statement.subject.id,
        name=statement.subject.name or statement.subject.id,
        purpose=composed.purpose if composed else "",
        parts=tuple(f"{each.role}: {each.subject.name or each.subject.id}" for each in composed.parts)
        if composed
        else (),
        sure=tuple(_sure(each) for each in body.tested),
        scope=body.scope,
        tested_from=body.tested_from,
        tested_until=body.tested_until,
        valid_until=body.valid_until,
        ended=body.valid_until <= desk.now,
        due=tuple(each.words for each in due.causes) if due else (),
        next=plan.next if plan else None,
        results=results,
        changes=tuple(_changed(each.title, change_words(each)) for each in body.changes),
        not_assessed=body.not_assessed,
        limits=body.limits[len(body.tested) :],
        triggers=tuple(each.words for each in body.triggers),
        issuer=statement.issuer,
        entry=statement.entry,
    )


def _newest(desk: Desk, kind: Kind[Any], statement: Statement) -> Any:  # noqa: ANN401 - the kind's body, or None
    """Return the newest record of ``kind`` that the report's issuer said about its system."""
    found = [each for each in desk.said(kind.name, subject=statement.subject) if each.issuer == statement.issuer]
    return kind.read(max(found, key=lambda each: (each.at, each.entry)).body) if found else None


def _pick(statement: Statement) -> Pick:
    return Pick(
        statement.subject.id, statement.subject.name or statement.subject.id, str(statement.body["valid_until"])
    )


def _sure(each: Any) -> Text:  # noqa: ANN401 - a SystemIdentity
    how = identity.words(each)
    return Text(en=f"{each.name}: {how.en}", zh=f"{each.name}：{how.zh}")


def _changed(title: Text, words: Text) -> Text:
    return Text(en=f"{title.en}. {words.en}", zh=f"{title.zh}。{words.zh}")


def _result(desk: Desk, each: Summary) -> Result:
    """Return one method of a card, with the sentence of its own finding where the measurement can be read."""
    words = lacking_words(each.lacking)
    reason = Text(en="", zh="")
    try:
        findings = desk.record(each.entry).content.findings
    except Missing:
        findings = ()
    if findings:
        reason = findings[0].reason
    better = {
        "higher": Text(en="More is better.", zh="越高越好。"),
        "lower": Text(en="Less is better.", zh="越低越好。"),
    }
    rows = tuple(_rows(each))
    return Result(
        title=each.title,
        tested=each.about,
        method=each.method,
        verdict=each.verdict,
        reason=reason,
        lacking=words,
        imported=each.source == "imported",
        better=better[each.better],
        rows=rows,
        entry=each.entry,
    )


def _rows(each: Summary) -> Iterator[Row]:
    sure = "uncertainty" not in each.lacking
    first = Row(
        tested=each.about,
        method=each.method,
        title_en=each.title.en,
        title_zh=each.title.zh,
        sort="result",
        part="",
        value=each.value,
        low=each.low if sure else None,
        high=each.high if sure else None,
        n=each.n,
        planned=each.completeness.planned,
        verdict=each.verdict,
        entry=each.entry,
    )
    yield first
    plain = msgspec.structs.replace(first, planned=None, verdict="")
    change = msgspec.structs.replace
    for part in each.parts:
        by = ", ".join(f"{key} {value}" for key, value in sorted(part.by.items()))
        yield change(plain, sort="part", part=by, value=part.value, low=part.low, high=part.high, n=part.n)
    if each.utility is not None:
        beside = each.utility
        yield change(
            plain, sort="utility", part=beside.method, value=beside.value, low=beside.low, high=beside.high, n=None
        )
    for floor in each.floors:
        yield change(
            plain, sort="floor", part=floor.agent, value=floor.value, low=floor.low, high=floor.high, n=floor.n
        )


def _tables(body: Report) -> Iterator[Row]:
    for each in body.tables:
        part = each.between or each.data
        yield Row(
            each.about,
            each.method,
            each.title.en,
            each.title.zh,
            "table",
            part,
            each.value,
            each.low,
            each.high,
            each.n,
            entry=each.entry,
        )
        if each.floor is not None:
            yield Row(
                each.about, each.method, each.title.en, each.title.zh, "floor", part, each.floor, None, None, each.n,
                entry=each.entry,
            )  # fmt: skip


_CAPTION = Text(en="Beside it: parts of the items, and systems without skill", zh="并列：条目的各部分与无技能系统")
_BY: dict[str, Text] = {"language": Text(en="language", zh="语言"), "slice": Text(en="slice", zh="分组")}
_NAMES: dict[str, Text] = {
    "result": Text(en="This system", zh="本系统"),
    "utility": Text(en="Usefulness beside it", zh="并列的有用性"),
}


def _label(row: Row, language: str) -> str:
    if row.sort == "floor":
        words = AGENTS.get(row.part, Text(en=row.part, zh=row.part))
        return f"{Text(en='No skill', zh='无技能').of(language)}: {words.of(language)}"
    if row.sort == "part":
        key, _, value = row.part.partition(" ")
        return f"{_BY[key].of(language)} {value}" if key in _BY else row.part
    return _NAMES[row.sort].of(language)


def _stands(row: Row) -> Literal["", "met", "unmet", "undecided"]:
    for verdict in ("met", "unmet", "undecided"):
        if row.verdict == verdict:
            return verdict
    return ""

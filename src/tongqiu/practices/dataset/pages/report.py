"""The report page of a corpus: what is in it, for whom, how good it is, and what to mend first, made of records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tongqiu.practices.dataset.cleaning.kinds import TESTED
from tongqiu.practices.dataset.corpus import bodies
from tongqiu.practices.dataset.indicators.kinds import Lack, Mend, Served, Value
from tongqiu.practices.dataset.indicators.kinds import Row as Indicator
from tongqiu.practices.dataset.words import FIGURE_NAMES, sort_name
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tongqiu.chart.mark import Mark
    from tongqiu.practice import Desk
    from tongqiu.practices.dataset.cleaning.kinds import Cleaning
    from tongqiu.practices.dataset.indicators.kinds import Indicators
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

AUDIT: Final = "dataset.audit/1"
SHOWN: Final = 30
"""Rows of a table that are shown; all are in the JSON beside it."""


class Row(msgspec.Struct, frozen=True):
    """One number of the report, and a row of its CSV: in which part, what, of which group, value, bounds, items."""

    part: str
    name: str
    group: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


class Pick(msgspec.Struct, frozen=True):
    """A data set that has a report."""

    id: str
    name: str
    documents: int
    at: str


class Check(msgspec.Struct, frozen=True):
    """One verdict on the data set, in words."""

    verdict: str
    title: Text
    reason: Text
    entry: str


class Cleaned(msgspec.Struct, frozen=True):
    """One cleaned copy: what it lost, who lost most, and its record."""

    before: int
    after: int
    hidden: int
    product: str
    removed: tuple[tuple[Text, int], ...]
    lost_most: tuple[tuple[str, int, int], ...]
    entry: str


class CorpusPage(msgspec.Struct, frozen=True):
    """The report on one data set, or where none was named, the data sets that have one."""

    rows: tuple[Row, ...]
    corpora: tuple[Pick, ...]
    id: str = ""
    name: str = ""
    at: str = ""
    entry: str = ""
    audit: bodies.Audit | None = None
    mend: tuple[Mend, ...] = ()
    served: tuple[Served, ...] = ()
    lacks: tuple[Lack, ...] = ()
    values: tuple[Value, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    checks: tuple[Check, ...] = ()
    cleaned: tuple[Cleaned, ...] = ()
    leaks: tuple[bodies.Leak, ...] = ()
    at_once: str = ""
    weighed: bool = False

    def sort(self, code: str) -> Text:
        """Return what a sort of identifier is called."""
        return sort_name(code)

    def figure(self, code: str) -> Text:
        """Return what a figure is called whose spread is shown; the code itself for one of a later version."""
        return FIGURE_NAMES.get(code, Text(en=code, zh=code))

    def languages(self, language: str) -> Mark:
        """Return how many documents there are in each language."""
        from tongqiu.chart.bar import Bar, Bars

        found = self.audit.tongues if self.audit else ()
        bars = _bars((_tongue(each.language, each.script), each.documents) for each in found)
        return Bars(_LANGUAGES.of(language), tuple(Bar(*each) for each in bars)).figure(language)

    def regions(self, language: str) -> Mark | None:
        """Return a map of declared regions where they are countries, else bars; None where nothing was declared."""
        from tongqiu.chart.bar import Bar, Bars
        from tongqiu.chart.tiles import PLACES, Tiles

        found = [(each.value, each.documents) for each in self._slices("region") if each.value]
        if not found:
            return None
        if sum(code.upper() in PLACES for code, _ in found) * 2 >= len(found):
            return Tiles(_REGIONS.of(language), tuple((code.upper(), float(count)) for code, count in found)).figure(
                language
            )
        return Bars(_REGIONS.of(language), tuple(Bar(*each) for each in _bars(found))).figure(language)

    def people(self, language: str) -> Mark:
        """Return a map of identifiers of people by the country whose authority gives them."""
        from tongqiu.chart.tiles import Tiles

        counts: dict[str, float] = {}
        for each in self.audit.personal if self.audit else ():
            country = each.country or _NOWHERE.of(language)
            counts[country] = counts.get(country, 0.0) + each.count
        amounts = tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
        return Tiles(_PEOPLE.of(language), amounts).figure(language)

    def kept(self, language: str) -> Mark:
        """Return which part of the documents is new, and which repeats an earlier one."""
        from tongqiu.chart.bar import Bar, Share

        audit = self.audit
        repeats = audit.duplicates if audit else None
        exact, near = (repeats.exact, repeats.near) if repeats else (0, 0)
        new = max(0, (audit.documents if audit else 0) - exact - near)
        parts = (
            Bar(_NEW.of(language), new, "met"),
            Bar(_NEAR.of(language), near, "undecided"),
            Bar(_EXACT.of(language), exact, "unmet"),
        )
        return Share(_REPEATS.of(language), parts).figure(language)

    def by(self, name: str, language: str) -> Mark | None:
        """Return how many documents each value of one declared property has; None where there is nothing to show."""
        from tongqiu.chart.bar import Bar, Bars

        others = Text(en="all others ({n})", zh="其余（{n} 个）")
        found = [(each.value or others.fill(n=each.values).of(language), each.documents) for each in self._slices(name)]
        if len(found) < 2:  # noqa: PLR2004 - one bar compares nothing
            return None
        return Bars(_BY[name].of(language), tuple(Bar(*each) for each in _bars(found))).figure(language)

    def intervals(self, language: str) -> Mark | None:
        """Return the shares of languages that are served, each with its interval."""
        from tongqiu.chart.interval import IntervalPlot, Point

        points = tuple(
            Point(each.language, each.share, each.low, each.high, each.documents, "unmet" if each.under else "")
            for each in self.served[:SHOWN]
        )
        return (
            IntervalPlot(_SERVED.of(language), points, share=True, coverage=0.95).figure(language) if points else None
        )

    def _slices(self, name: str) -> list[bodies.Slice]:
        found = [each for each in (self.audit.slices if self.audit else ()) if each.by == name]
        return sorted(found, key=lambda each: (not each.value, -each.documents, each.value))


_LANGUAGES = Text(en="Documents by language and script", zh="按语言与文字统计的文档数")
_REGIONS = Text(en="Documents by declared region", zh="按声明的地区统计的文档数")
_PEOPLE = Text(en="Identifiers of people by country", zh="按国家或地区统计的个人标识")
_NOWHERE = Text(en="of no country", zh="不属于任一国家")
_REPEATS = Text(en="What is new and what repeats", zh="新内容与重复内容")
_NEW = Text(en="first of its kind", zh="首次出现")
_NEAR = Text(en="near copy of an earlier one", zh="与更早文档近似")
_EXACT = Text(en="exact copy of an earlier one", zh="与更早文档相同")
_SERVED = Text(en="Share of documents by language, with interval", zh="各语言的文档份额与区间")
_BY: Final[dict[str, Text]] = {
    "source": Text(en="Documents by source", zh="按来源统计的文档数"),
    "split": Text(en="Documents by part", zh="按划分统计的文档数"),
    "year": Text(en="Documents by year", zh="按年份统计的文档数"),
    "licence": Text(en="Documents by licence", zh="按许可统计的文档数"),
}


def show(desk: Desk, params: Mapping[str, str]) -> CorpusPage:
    """Return the report on the data set ``id``, by ``issuer`` where given, else by this node's party, else the newest.

    Raises Missing (``dataset.no-report``) for a data set without an audit that may be read.
    """
    audits = sorted(desk.said(AUDIT), key=lambda each: (each.at, each.entry))
    wanted, issuer = params.get("id", ""), params.get("issuer", "")
    if not wanted:
        newest = {each.subject.id: each for each in audits}
        return CorpusPage((), tuple(_pick(each) for _, each in sorted(newest.items())))
    mine = [each for each in audits if each.subject.id == wanted and issuer in {"", each.issuer}]
    if not mine:
        raise Missing(
            "dataset.no-report",
            Text(en="No audit of {id} is here.", zh="此处没有对 {id} 的审查。"),
            do=Text(en="Assess it, or choose among the data sets on this page.", zh="请先评估，或从本页选择数据集。"),
            id=wanted[:200],
        )
    return _page(desk, next((each for each in reversed(mine) if each.issuer == desk.issuer), mine[-1]))


def _page(desk: Desk, statement: Statement) -> CorpusPage:
    audit = msgspec.convert(statement.body, bodies.Audit)
    about, issuer = statement.subject, statement.issuer
    weighed = _weighed(desk, about, issuer)
    cleaned = tuple(_cleanings(desk, about, issuer))
    return CorpusPage(
        rows=tuple(_rows(audit, weighed)),
        corpora=(),
        id=about.id,
        name=about.name or about.id,
        at=statement.at,
        entry=statement.entry,
        audit=audit,
        mend=weighed.mend if weighed else (),
        served=weighed.languages if weighed else (),
        lacks=weighed.lacks if weighed else (),
        values=tuple(each for each in weighed.values if not each.group)[: 2 * SHOWN] if weighed else (),
        indicators=weighed.coverage if weighed else (),
        checks=tuple(_checks(desk, about, issuer)),
        cleaned=cleaned,
        weighed=weighed is not None,
        leaks=_leaks(audit),
        at_once=_at_once(audit),
    )


def _leaks(audit: bodies.Audit) -> tuple[bodies.Leak, ...]:
    """Return what stands in a part that is tested on and elsewhere; where no part is called so, every crossing."""
    found = audit.duplicates.leaks
    tested = tuple(each for each in found if each.tested.strip().casefold() in TESTED)
    return tested or found


def _at_once(audit: bodies.Audit) -> str:
    """Return the one command that mends all that a command can mend, or nothing."""
    repeats = audit.duplicates
    drop = [
        name
        for name, count in (
            ("exact", repeats.exact),
            ("near", repeats.near),
            ("leaked", len(repeats.leaks)),
            ("unfit", audit.unfit + audit.lost),
        )
        if count
    ]
    if not drop:
        return "tongqiu dataset mask PATH --out DIR" if audit.personal_documents else ""
    hide = " --hide mask" if audit.personal_documents else ""
    return "tongqiu dataset clean PATH --out DIR " + " ".join(f"--drop {name}" for name in drop) + hide


def _weighed(desk: Desk, about: Subject, issuer: str) -> Indicators | None:
    from tongqiu.practices.dataset.indicators.kinds import INDICATORS

    found = [each for each in desk.said(INDICATORS.name, subject=about) if each.issuer == issuer]
    return INDICATORS.read(max(found, key=lambda each: (each.at, each.entry)).body) if found else None


def _checks(desk: Desk, about: Subject, issuer: str) -> Iterator[Check]:
    """Yield the verdicts of this area on the data set, those that are not met first."""
    found = {
        (finding.verdict, finding.requirement, finding.reason.en): (finding, statement.entry)
        for kind in ("dataset.review/1", "dataset.conflicts/1", "dataset.description/1")
        for statement in desk.said(kind, subject=about)
        if statement.issuer == issuer
        for finding in statement.content.findings
    }
    order = ("unmet", "undecided", "not-assessed", "met", "not-applicable")
    for key in sorted(found, key=lambda each: (order.index(each[0]), *each[1:])):
        finding, entry = found[key]
        yield Check(finding.verdict, finding.title, finding.reason, entry)


def _cleanings(desk: Desk, about: Subject, issuer: str) -> Iterator[Cleaned]:
    from tongqiu.practices.dataset.cleaning.kinds import CLEANING, REASONS

    found = [each for each in desk.said(CLEANING.name, subject=about) if each.issuer == issuer]
    for statement in sorted(found, key=lambda each: (each.at, each.entry), reverse=True)[:5]:
        body: Cleaning = CLEANING.read(statement.body)
        lost = sorted(
            (
                each
                for each in body.losses
                if each.by == "language" and each.value and each.share_after < each.share_before
            ),
            key=lambda each: (each.share_after - each.share_before, each.value),
        )
        yield Cleaned(
            body.documents_before,
            body.documents_after,
            sum(each.count for each in body.hidden),
            body.product,
            tuple((REASONS[each.reason], each.documents) for each in body.removed),
            tuple((each.value, each.before, each.after) for each in lost[:5]),
            statement.entry,
        )


def _pick(statement: Statement) -> Pick:
    return Pick(statement.subject.id, statement.subject.name or statement.subject.id, _whole(statement), statement.at)


def _whole(statement: Statement) -> int:
    found = statement.body.get("documents", 0)
    return found if isinstance(found, int) else 0


def _rows(audit: bodies.Audit, weighed: Indicators | None) -> Iterator[Row]:
    """Yield every number of the report as a row of its CSV."""
    repeats = audit.duplicates
    for name in (
        "documents",
        "bytes",
        "characters",
        "words",
        "empty",
        "unfit",
        "personal_documents",
        "secrets",
        "lost",
    ):
        yield Row("whole", name, "", getattr(audit, name))
    for name in ("exact", "exact_groups", "near", "near_groups", "candidates", "verified", "short"):
        yield Row("duplicates", name, "", getattr(repeats, name), n=audit.documents)
    for leak in repeats.leaks:
        yield Row("duplicates", "leaked", f"{leak.tested} / {leak.among}", leak.exact + leak.near, n=leak.of)
    for tongue in audit.tongues:
        yield Row("language", "documents", _tongue(tongue.language, tongue.script), tongue.documents, n=audit.documents)
    for each in audit.slices:
        yield Row(each.by, "documents", each.value, each.documents, n=audit.documents)
    for spread in audit.spreads:
        for at, value in zip(spread.at, spread.values, strict=False):
            yield Row("quality", spread.name, f"{at:g}", value, n=spread.of)
    for flaw in audit.flaws:
        yield Row("quality", flaw.code, "", flaw.documents, n=audit.documents)
    for one in audit.personal:
        yield Row("personal", one.scheme, f"{one.country} {one.ground}".strip(), one.count, n=one.documents)
    for some in audit.variety:
        yield Row("variety", some.name, some.group, some.value, some.low, some.high, some.of)
    for each_value in weighed.values if weighed else ():
        group = ", ".join(f"{key} {value}" for key, value in sorted(each_value.group.items()))
        yield Row(
            "indicators", each_value.measure, group, each_value.value, each_value.low, each_value.high, each_value.n
        )


def _tongue(language: str, script: str) -> str:
    return f"{language} · {script}"


def _bars(amounts: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the largest amounts, and the rest together."""
    found = sorted(amounts, key=lambda each: (-each[1], each[0]))
    rest = sum(amount for _, amount in found[SHOWN:])
    return [*found[:SHOWN], *([("…", rest)] if rest else [])]


__all__ = ["CorpusPage", "show"]

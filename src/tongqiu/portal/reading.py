"""From records to what pages say: the newest evidence and findings of a subject, by what they are and who said so.

Nothing is judged here. Verdicts, intervals and limits are taken from the records as they stand; where a record says
nothing, nothing is filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tongqiu.portal.models import FindingRow, MeasureRow, Numbers, Plot, RecordRow, Verdicts, Word
from tongqiu.practice import Found, Measured
from tongqiu.record.audience import EVERYONE
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from tongqiu.portal.lent import Practices
    from tongqiu.record.shapes import Evidence, Scalar
    from tongqiu.record.statement import Statement

MOST_SHAPES = 2000
"""Pieces of evidence, or findings, that one page reads from one record."""

_ORDER = {"unmet": 0, "undecided": 1, "not-assessed": 2, "met": 3, "not-applicable": 4}
_SEVERITY = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}
_NO_SHARES = frozenset({"ratio", "difference", "gap"})
_SHARES = frozenset(
    {"rate", "share", "proportion", "accuracy", "precision", "recall", "missing", "completeness", "prevalence"}
)
_NAMES: dict[str, tuple[str, ...]] = {
    "value": ("value", "ratio", "difference", "gap", "rate", "share", "estimate", "found"),
    "low": ("low", "lower"),
    "high": ("high", "upper"),
    "limit": ("limit", "threshold", "bar", "floor", "ceiling"),
}


def gone(statement: Statement) -> bool:
    """Tell whether the content of a record was erased or withheld."""
    return cast("object", statement.content) is None


def graded(body: object) -> bool:
    """Tell whether a body has the form of a grading."""
    return isinstance(body, dict) and isinstance(body.get("spans"), list | tuple) and isinstance(body.get("pack"), str)


def shapes(statement: Statement) -> tuple[tuple[Measured, ...], tuple[Found, ...]]:
    """Return the evidence and the findings that were signed with a record, whether or not its type is installed here."""
    if gone(statement):
        return (), ()
    content = statement.content
    return (
        tuple(Measured(statement, each) for each in content.evidence[:MOST_SHAPES]),
        tuple(Found(statement, each) for each in content.findings[:MOST_SHAPES]),
    )


def word_of(measured: Sequence[Measured], found: Sequence[Found], *, derived: bool, known: bool) -> Word:
    """Return the one word for what a record is, the strongest that its content supports.

    ``derived`` tells whether the record itself says that a rule made it from others; ``known`` whether its type is
    installed here.
    """
    bases = {each.evidence.basis for each in measured}
    if "measured" in bases:
        return "measured"
    if "imported" in bases:
        return "imported"
    if derived:
        return "derived"
    if bases:
        return "claimed"
    if found:
        return "derived"
    return "claimed" if known else "opaque"


def record_row(statement: Statement, practices: Practices) -> RecordRow:
    """Return a record as it stands in a list."""
    if gone(statement):
        nothing = Subject(type="output", id="urn:tongqiu:withheld")
        return RecordRow(
            statement.entry, "", None, "withheld", nothing, "", "", statement.logged, statement.index, statement.origin,
            public=False,
        )  # fmt: skip
    measured, found = shapes(statement)
    kind = practices.kind(statement.kind)
    return RecordRow(
        entry=statement.entry,
        kind=statement.kind,
        title=None if kind is None else kind.title,
        word=word_of(measured, found, derived=_derived(statement), known=kind is not None),
        subject=statement.subject,
        issuer=statement.issuer,
        at=statement.at,
        logged=statement.logged,
        index=statement.index,
        origin=statement.origin,
        public=statement.content.audience == EVERYONE,
    )


def newest_evidence(measured: Iterable[Measured]) -> tuple[list[Measured], int]:
    """Return, of evidence that says the same thing again, only what was said last, and how many older ones there are.

    The same thing: one issuer, subject, kind, measure, method and set of grouping columns.
    """
    return _newest(
        measured,
        lambda each: (
            each.statement.issuer,
            each.statement.subject.id,
            each.statement.kind,
            each.evidence.measure,
            each.evidence.method.partition("@")[0],
            tuple(sorted(each.evidence.group)),
            each.evidence.group.get("between", ""),
        ),
    )


def newest_findings(found: Iterable[Found]) -> tuple[list[Found], int]:
    """Return, of findings on the same requirement, only those said last, and how many older ones there are."""
    return _newest(
        found,
        lambda each: (
            each.statement.issuer,
            each.statement.subject.id,
            each.statement.kind,
            each.finding.requirement,
            each.finding.title.en,
        ),
    )


def measure_rows(measured: Sequence[Measured]) -> tuple[MeasureRow, ...]:
    """Return evidence as rows, sorted by subject, measure and group.

    ``parties`` counts the issuers that measured the same of the same thing by the same method; the word is
    *reproduced* where that is more than one and their intervals meet.
    """
    by_claim: dict[Hashable, list[Measured]] = {}
    for each in measured:
        by_claim.setdefault(_claim(each), []).append(each)
    rows = [_measure_row(each, by_claim[_claim(each)]) for each in measured]
    return tuple(
        sorted(rows, key=lambda row: (row.subject.type, row.subject.id, row.measure, sorted(row.group.items()), row.at))
    )


def finding_rows(found: Iterable[Found]) -> tuple[FindingRow, ...]:
    """Return findings as rows, the most serious first."""
    rows = [
        FindingRow(
            entry=statement.entry,
            subject=statement.subject,
            requirement=finding.requirement,
            title=finding.title,
            verdict=finding.verdict,
            severity=finding.severity,
            code=finding.code,
            reason=finding.reason,
            mend=finding.mend,
            params=finding.params,
            numbers=Numbers(**{name: _first(finding.params, keys) for name, keys in _NAMES.items()}),
            kind=statement.kind,
            issuer=statement.issuer,
            at=statement.at,
        )
        for statement, finding in found
    ]
    return tuple(
        sorted(rows, key=lambda row: (_ORDER[row.verdict], _SEVERITY[row.severity], row.requirement, row.entry))
    )


def verdicts(rows: Iterable[FindingRow]) -> Verdicts:
    """Return how many findings came to each verdict."""
    count = dict.fromkeys(_ORDER, 0)
    for row in rows:
        count[row.verdict] += 1
    return Verdicts(**{name.replace("-", "_"): number for name, number in count.items()})


def plots(rows: Sequence[MeasureRow], findings: Sequence[FindingRow]) -> tuple[Plot, ...]:
    """Return the measures that hold for groups, gathered so that groups of one kind stand side by side; most telling first.

    A limit is drawn only where findings hold this measure, by its name or by its very numbers, against one single limit.
    """
    gathered: dict[Hashable, list[MeasureRow]] = {}
    for row in rows:
        if row.group and isinstance(row.value, int | float) and not isinstance(row.value, bool):
            key = (row.subject.id, row.measure, row.method, row.issuer, tuple(sorted(row.group)))
            gathered.setdefault(key, []).append(row)
    held = [_held(group, findings) for group in gathered.values()]
    drawn = [
        Plot(group[0].title, group[0].subject, tuple(group), _only(findings[i].numbers.limit for i in places))
        for group, places in zip(gathered.values(), held, strict=True)
    ]
    ranks = {plot.rows[0].measure: min(places) for plot, places in zip(drawn, held, strict=True) if places}
    return tuple(sorted(drawn, key=lambda plot: _telling(plot, ranks)))


def _held(rows: Sequence[MeasureRow], findings: Sequence[FindingRow]) -> list[int]:
    """Return the places of the findings that hold these very measures against a limit."""
    seen = {(row.value, row.low, row.high) for row in rows if row.low is not None}
    return [
        i
        for i, found in enumerate(findings)
        if found.numbers.limit is not None
        and (
            found.params.get("measure") == rows[0].measure
            or (found.numbers.value, found.numbers.low, found.numbers.high) in seen
        )
    ]


def _telling(plot: Plot, ranks: dict[str, int]) -> tuple[float, bool, int]:
    """Return where a plot stands among others: by the most serious finding about its measure, the rates of the groups
    before the gap between them, few groups before many.
    """
    measure = plot.rows[0].measure
    stem = f".{measure.rpartition('.')[2]}."
    rank = min((place for name, place in ranks.items() if name == measure or stem in name), default=float("inf"))
    return (rank, plot.limit is not None, len(plot.rows[0].group))


def _only(values: Iterable[float | None]) -> float | None:
    """Return the one value there is, None where there is none or several."""
    different = set(values)
    return different.pop() if len(different) == 1 else None


def gather(statements: Iterable[Statement]) -> tuple[list[Measured], list[Found]]:
    """Return all evidence and all findings in ``statements``."""
    pairs = [shapes(each) for each in statements]
    return [each for seen, _ in pairs for each in seen], [each for _, weighed in pairs for each in weighed]


def _derived(statement: Statement) -> bool:
    """Tell whether a record says itself that it was derived: it asked the log, or it holds a grading."""
    return bool(statement.content.asked) or graded(statement.body)


def _newest(items: Iterable[Any], key: Any) -> tuple[list[Any], int]:  # noqa: ANN401 - for both shapes
    held = list(items)
    last: dict[Hashable, tuple[str, int, str]] = {}
    for each in held:
        place = (each.statement.at, each.statement.index, each.statement.entry)
        if place > last.get(key(each), ("", -1, "")):
            last[key(each)] = place
    kept = [each for each in held if each.statement.entry == last[key(each)][2]]
    return kept, len(held) - len(kept)


def _claim(each: Measured) -> Hashable:
    subject, seen = each.statement.subject, each.evidence
    group = tuple(sorted(seen.group.items()))
    return (subject.digest or subject.id, seen.measure, seen.method.partition("@")[0], group, seen.unit)


def _measure_row(each: Measured, same: Sequence[Measured]) -> MeasureRow:
    statement, seen = each
    others = [other for other in same if other.statement.issuer != statement.issuer and _agree(seen, other.evidence)]
    parties = 1 + len({other.statement.issuer for other in others})
    words = set(seen.measure.replace("-", ".").split("."))
    return MeasureRow(
        entry=statement.entry,
        subject=statement.subject,
        measure=seen.measure,
        title=seen.title,
        group=seen.group,
        value=seen.value,
        unit=seen.unit,
        low=seen.low,
        high=seen.high,
        coverage=seen.coverage,
        u=seen.u,
        n=seen.n,
        method=seen.method,
        basis=seen.basis,
        ran_by=seen.ran_by,
        attested=seen.attested,
        word="reproduced" if parties > 1 else seen.basis,
        parties=parties,
        share=seen.unit == "1" and not words.isdisjoint(_SHARES) and words.isdisjoint(_NO_SHARES) and _within_one(seen),
        kind=statement.kind,
        issuer=statement.issuer,
        at=statement.at,
    )


def _agree(first: Evidence, second: Evidence) -> bool:
    if first.basis != "measured" or second.basis != "measured":
        return False
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return first.value == second.value
    return first.low <= second.high and second.low <= first.high


def _within_one(seen: Evidence) -> bool:
    numbers = (seen.value, seen.low, seen.high)
    return all(each is None or (isinstance(each, int | float) and -1 <= each <= 1) for each in numbers)


def _first(params: dict[str, Scalar], names: Sequence[str]) -> float | None:
    for name in names:
        value = params.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None

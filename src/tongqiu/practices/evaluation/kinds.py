"""What an evaluation says: how well a system decides, how it treats groups, and what that means against named limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.practices.evaluation.words import statistic_title, title
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Code, Component, Evidence, Finding
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

Natural = Annotated[int, msgspec.Meta(ge=0)]
MethodText = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*@[0-9]+(\.[0-9]+)*$")]
Sharing = Literal["column", "model"]


class Completeness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of what was planned was done: rows of the table that were planned, done, errored and skipped.

    ``errored`` rows could not be read or scored; ``skipped`` rows were left out on purpose (no label recorded).
    """

    planned: Natural
    done: Natural
    errored: Natural
    skipped: Natural


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the counts were made from.

    ``data`` and ``model`` by identity and digest; ``decisions`` tells whether they stood in a column or came from running
    the model; ``positive`` is the class that all rates count, ``favourable`` whether its owner calls it the good outcome
    for the person; ``threshold`` the score from which ``threshold_class`` was decided.
    """

    data: Subject
    decisions: Sharing
    positive: str
    negative: str
    favourable: bool
    model: Subject | None = None
    label: str | None = None
    threshold: float | None = None
    threshold_class: str | None = None


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One share with its uncertainty: ``count`` of ``n`` rows; all None where the rows are too few to judge.

    ``u`` is half the Wilson interval divided by the factor of its coverage, so that it is not zero at 0 or 1.
    ``floor`` is what a system without any skill reaches on the same rows.
    """

    measure: Code
    value: float | None = None
    unit: str = "1"
    n: Natural | None = None
    count: Natural | None = None
    u: float | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    components: tuple[Component, ...] = ()


class Skill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The system against the constant answer on the same rows.

    ``gained`` rows only the system got right, ``lost`` rows only the constant answer ``constant`` did. ``value`` is
    (gained - lost) / n with an interval from the exact binomial interval of gained among both (as in McNemar's test).
    """

    constant: str
    gained: Natural
    lost: Natural
    n: Natural
    value: float
    low: float
    high: float


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Performance on one table: values with uncertainty, floor and completeness (``evaluation.result/1``)."""

    method: MethodText
    source: Source
    rows: Completeness
    coverage: float
    interval: str
    values: tuple[Value, ...]
    skill: Skill | None = None


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One group: its levels by column, its rows and rates; ``n`` None and no values mean: too few to judge."""

    by: dict[str, str]
    n: Natural | None = None
    values: tuple[Value, ...] = ()


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How far groups lie apart: the greatest difference, or the least ratio, of a rate between any two of them.

    ``low`` and ``high`` hold at the coverage of the whole report for all ``comparisons`` of this measure together
    (Bonferroni). ``lowest`` and ``highest`` are the groups that show the value. ``too_few`` groups could not be judged.
    ``value`` None: fewer than two groups could be judged, or the ratio is of nothing to nothing.
    """

    measure: Code
    statistic: Literal["difference", "ratio"]
    by: tuple[str, ...]
    groups: Natural
    too_few: Natural
    comparisons: Natural
    value: float | None = None
    low: float | None = None
    high: float | None = None
    lowest: dict[str, str] = {}
    highest: dict[str, str] = {}


class Fairness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a system treats groups: rates of every group and the gaps between them (``evaluation.fairness/1``).

    ``left_out`` names combinations of columns that form too many groups to compare.
    """

    method: MethodText
    source: Source
    rows: Completeness
    coverage: float
    interval: str
    adjustment: Literal["bonferroni"]
    smallest_cell: Annotated[int, msgspec.Meta(ge=1)]
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]
    left_out: tuple[tuple[str, ...], ...] = ()


class Verdicts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the measures mean against named limits, each verdict taken at the confidence bound (``evaluation.verdict/1``)."""

    rules: MethodText
    data: Subject
    findings: tuple[Finding, ...]


def result_evidence(body: Result) -> Iterator[Evidence]:
    """Yield each value of a result as evidence; measures are ``evaluation.<measure>``."""
    for value in body.values:
        if value.value is not None:
            yield _evidence(body, value, {})
    if body.skill is not None:
        yield Evidence(
            measure="evaluation.skill",
            title=title("skill"),
            value=body.skill.value,
            unit="1",
            method=body.method,
            n=body.skill.n,
            low=body.skill.low,
            high=body.skill.high,
            coverage=body.coverage,
        )


def fairness_evidence(body: Fairness) -> Iterator[Evidence]:
    """Yield the rates of every judged group, then every gap.

    Gaps are ``evaluation.gap.<measure>.<statistic>`` with ``group`` ``{"between": "column"}`` or ``"one x two"``.
    """
    for group in body.groups:
        for value in group.values:
            if value.value is not None:
                yield _evidence(body, value, group.by)
    for gap in body.gaps:
        if gap.value is not None:
            yield Evidence(
                measure=f"evaluation.gap.{gap.measure}.{gap.statistic}",
                title=statistic_title(gap.measure, gap.statistic),
                value=gap.value,
                unit="1",
                method=body.method,
                group={"between": " x ".join(gap.by)},
                n=body.rows.done,
                low=gap.low,
                high=gap.high,
                coverage=body.coverage,
            )


def _evidence(body: Result | Fairness, value: Value, group: dict[str, str]) -> Evidence:
    return Evidence(
        measure=f"evaluation.{value.measure}",
        title=title(value.measure),
        value=value.value,
        unit=value.unit,
        method=body.method,
        group=group,
        n=value.n,
        u=value.u,
        low=value.low,
        high=value.high,
        coverage=body.coverage,
        components=value.components,
    )


def verdict_findings(body: Verdicts) -> tuple[Finding, ...]:
    """Return the findings as they stand in the body."""
    return body.findings


RESULT: Kind[Result] = Kind(
    name="evaluation.result/1",
    body=Result,
    title=Text(en="Evaluation result", zh="评测结果"),
    evidence=result_evidence,
)
FAIRNESS: Kind[Fairness] = Kind(
    name="evaluation.fairness/1",
    body=Fairness,
    title=Text(en="Treatment of groups", zh="群体公平性"),
    evidence=fairness_evidence,
)
VERDICT: Kind[Verdicts] = Kind(
    name="evaluation.verdict/1",
    body=Verdicts,
    title=Text(en="Evaluation against limits", zh="评测判定"),
    findings=verdict_findings,
)

"""What an evaluation says: how well a system decides, how it treats groups, and what that means against named limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practices.evaluation.bodies import Fairness, Result, Value, Verdicts
from tongqiu.practices.evaluation.words import statistic_title, title
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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


def result_holds(body: Result) -> Iterable[str]:
    """Return the fields of a result that do not follow from its own counts."""
    from tongqiu.practices.evaluation import again

    return again.result(body)


def fairness_holds(body: Fairness) -> Iterable[str]:
    """Return the fields of a fairness record that do not follow from its own counts."""
    from tongqiu.practices.evaluation import again

    return again.fairness(body)


RESULT: Kind[Result] = Kind(
    name="evaluation.result/1",
    body=Result,
    title=Text(en="Evaluation result", zh="评测结果"),
    evidence=result_evidence,
    holds=result_holds,
)
FAIRNESS: Kind[Fairness] = Kind(
    name="evaluation.fairness/1",
    body=Fairness,
    title=Text(en="Treatment of groups", zh="群体公平性"),
    evidence=fairness_evidence,
    holds=fairness_holds,
)
VERDICT: Kind[Verdicts] = Kind(
    name="evaluation.verdict/1",
    body=Verdicts,
    title=Text(en="Evaluation against limits", zh="评测判定"),
    findings=verdict_findings,
)

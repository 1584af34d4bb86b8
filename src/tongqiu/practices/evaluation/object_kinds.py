"""The records of a test: the method, the run, what it measured, the report, and the plan for the next one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tongqiu.practices.evaluation.objects import Due, Measurement, Plan, Replay, Report, TestMethod, TestRun
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tongqiu.practices.evaluation.objects import Floor, Relationship
    from tongqiu.record.shapes import Basis, Finding, RanBy

_SLACK = 1e-9


def run_evidence(body: TestRun) -> Iterator[Evidence]:
    """Show how much of what was planned was done; what it comes to is the measurement's to say."""
    rows = body.completeness
    if rows.planned:
        yield Evidence(
            measure="evaluation.items-done",
            title=Text(en="Share of planned items that were done", zh="已完成的计划条目占比"),
            value=rows.done / rows.planned,
            unit="1",
            method=body.method.method,
            n=rows.planned,
            basis=_basis(body.source),
            ran_by=_ran_by(body.relationship),
        )


def run_holds(body: TestRun) -> Iterator[str]:
    """Count the items again, and look at the order of times, the names of items and the floors."""
    rows = body.completeness
    scored = sum(each.score is not None for each in body.items)
    if body.items and scored != rows.done:
        yield "completeness.done"
    if rows.done + rows.errored + rows.skipped > rows.planned:
        yield "completeness.planned"
    if len({each.id for each in body.items}) != len(body.items):
        yield "items"
    if body.ended < body.started:
        yield "ended"
    yield from _floors_hold((*body.floors, *body.method.floors))


def measurement_evidence(body: Measurement) -> Iterator[Evidence]:
    """Show the value with its uncertainty, then the value of each language and slice."""
    basis, ran_by = _basis(body.source), _ran_by(body.relationship)
    sure = "uncertainty" not in body.lacking
    yield Evidence(
        measure=_measure(body),
        title=body.title,
        value=body.value,
        unit=body.unit,
        method=body.method,
        n=body.n,
        u=body.u if sure else None,
        low=body.low if sure else None,
        high=body.high if sure else None,
        coverage=body.coverage if sure else None,
        components=body.components if sure else (),
        basis=basis,
        ran_by=ran_by,
    )
    for part in body.parts:
        yield Evidence(
            measure=_measure(body),
            title=body.title,
            value=part.value,
            unit=body.unit,
            method=body.method,
            group=part.by,
            n=part.n,
            low=part.low,
            high=part.high,
            coverage=body.coverage,
            basis=basis,
            ran_by=ran_by,
        )


def _measure(body: Measurement) -> str:
    """Return the name under which norm packs and readers find the value: ``evaluation.<measurand>``, once."""
    return f"evaluation.{body.measurand.removeprefix('evaluation.')}"


def measurement_findings(body: Measurement) -> Iterator[Finding]:
    """Say whether the system did better than systems without skill; nothing is said on a basis that lacks something."""
    from tongqiu.practices.evaluation import judging

    yield judging.finding(body)


def measurement_holds(body: Measurement) -> Iterator[str]:
    """Compute again: the combined uncertainty, the order of the bounds, what the basis must be, and counts."""
    if abs(body.u - math.sqrt(math.fsum(each.u**2 for each in body.components))) > _SLACK:
        yield "u"
    if not body.low - _SLACK <= body.value <= body.high + _SLACK:
        yield "value"
    said = "verdict" if not body.lacking else "imported-incomplete" if body.source == "imported" else "incomplete"
    if body.basis != said:
        yield "basis"
    if body.completeness.done + body.completeness.errored + body.completeness.skipped > body.completeness.planned:
        yield "completeness.planned"
    if body.clusters > body.n:
        yield "clusters"
    for part in body.parts:
        if not part.low - _SLACK <= part.value <= part.high + _SLACK or part.n > body.n:
            yield "parts"
    yield from _floors_hold((*body.floors, *(body.utility.floors if body.utility else ())))


def report_findings(body: Report) -> Iterator[Finding]:
    """Say of each method that was run before whether it changed beyond its uncertainty."""
    from tongqiu.practices.evaluation import judging

    yield from judging.changes(body)


def report_holds(body: Report) -> Iterator[str]:
    """Compute the differences again, and look at the order of times and bounds."""
    if not body.tested_from <= body.tested_until < body.valid_until:
        yield "valid_until"
    for each in body.results:
        if not each.low - _SLACK <= each.value <= each.high + _SLACK:
            yield "results"
        if (each.basis == "verdict") == bool(each.lacking) or (each.lacking and each.verdict in {"met", "unmet"}):
            yield "results.basis"
    for change in body.changes:
        if abs(change.value_now - change.value_before - change.difference) > _SLACK and change.way != "paired":
            yield "changes.difference"
        if change.beyond != (change.low > 0 or change.high < 0):
            yield "changes.beyond"


def plan_holds(body: Plan) -> Iterator[str]:
    """Look that no method stands twice in a plan."""
    if len({each.method for each in body.methods}) != len(body.methods):
        yield "methods"


def method_holds(body: TestMethod) -> Iterator[str]:
    """Look that floors lie within their bounds and that a judge was not right more often than it was asked."""
    yield from _floors_hold(body.floors)
    if body.judge and any(right > of for right, of in (body.judge.sensitivity, body.judge.specificity)):
        yield "judge"


def replay_holds(body: Replay) -> Iterator[str]:
    """Compute again with what probability the items drawn find out made-up scores."""
    for each in body.results:
        if not len(set(each.ids)) == len(each.ids) <= each.of or not 0 < each.false <= each.of:
            yield "ids"
            continue
        rest = math.comb(each.of - each.false, len(each.ids)) / math.comb(each.of, len(each.ids))
        if abs(1 - rest - each.found) > _SLACK:
            yield "found"


def _floors_hold(floors: Iterable[Floor]) -> Iterator[str]:
    if any(not each.low - _SLACK <= each.value <= each.high + _SLACK for each in floors):
        yield "floors"


def _basis(source: str) -> Basis:
    return "imported" if source == "imported" else "measured"


def _ran_by(relationship: Relationship) -> RanBy:
    """Return who ran it; what is not said to be independent counts as the provider's own."""
    return "third" if relationship == "third_party" else "first"


METHOD: Kind[TestMethod] = Kind(
    name="evaluation.method/1", body=TestMethod, title=Text(en="Test method", zh="测试方法"), holds=method_holds
)
RUN: Kind[TestRun] = Kind(
    name="evaluation.run/1",
    body=TestRun,
    title=Text(en="Test run", zh="测试运行"),
    evidence=run_evidence,
    holds=run_holds,
)
MEASUREMENT: Kind[Measurement] = Kind(
    name="evaluation.measurement/1",
    body=Measurement,
    title=Text(en="Measurement", zh="测量结果"),
    evidence=measurement_evidence,
    findings=measurement_findings,
    holds=measurement_holds,
)
REPORT: Kind[Report] = Kind(
    name="evaluation.report/1",
    body=Report,
    title=Text(en="Evaluation report", zh="评测报告"),
    findings=report_findings,
    holds=report_holds,
)
PLAN: Kind[Plan] = Kind(
    name="evaluation.plan/1",
    body=Plan,
    title=Text(en="Plan of re-assessment", zh="复评计划"),
    holds=plan_holds,
)
DUE: Kind[Due] = Kind(name="evaluation.due/1", body=Due, title=Text(en="New test due", zh="应重新评测"))
REPLAY: Kind[Replay] = Kind(
    name="evaluation.replay/1",
    body=Replay,
    title=Text(en="Items drawn to ask again", zh="抽取的复核条目"),
    holds=replay_holds,
)
OBJECTS = (METHOD, RUN, MEASUREMENT, REPORT, PLAN, DUE, REPLAY)

"""Weighing evaluation results against named limits, and turning runs into what they measured.

Every verdict is taken where the whole interval stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tongqiu.practices.evaluation import measuring, rules
from tongqiu.practices.evaluation.bodies import Fairness, Result, Verdicts
from tongqiu.practices.evaluation.identity import same
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT, VERDICT
from tongqiu.practices.evaluation.object_kinds import MEASUREMENT, RUN
from tongqiu.practices.evaluation.objects import Paired
from tongqiu.record.statement import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.practice import Ask
    from tongqiu.practices.evaluation.objects import TestRun
    from tongqiu.record.kind import Kind
    from tongqiu.record.shapes import Finding
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

B = TypeVar("B", Result, Fairness)


def assess(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Hand back, for each table that ``subject`` was evaluated on, the findings of its newest result and fairness record.

    The verdicts rest on exactly those records.
    """
    results = _newest(ask.said(RESULT.name, subject=subject), RESULT)
    treated = _newest(ask.said(FAIRNESS.name, subject=subject), FAIRNESS)
    for data in sorted({*results, *treated}):
        findings: list[Finding] = []
        rests = []
        source = None
        if data in results:
            statement, result = results[data]
            rests.append(statement.entry)
            source = result.source
            findings.append(rules.complete_finding(result))
            if result.skill is not None:
                findings.append(rules.skill_finding(result))
        if data in treated:
            statement, fairness = treated[data]
            rests.append(statement.entry)
            source = fairness.source
            findings.extend(rules.fairness_findings(fairness))
        else:
            findings.append(rules.unlooked_finding())
        if source is not None:
            yield Said(VERDICT.name, subject, Verdicts(rules.RULES, source.data, tuple(findings)), tuple(sorted(rests)))


def _newest(statements: Sequence[Statement], kind: Kind[B]) -> dict[str, tuple[Statement, B]]:
    """Return the newest statement about each table, by time said and then by entry, so that order does not matter."""
    found: dict[str, tuple[Statement, B]] = {}
    for statement in sorted(statements, key=lambda each: (each.at, each.entry)):
        body = kind.read(statement.body)
        found[body.source.data.id] = (statement, body)
    return found


def measure(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Hand back what each of this party's standing runs on ``subject`` measured, beside its partner in usefulness.

    The partner is the newest standing run of the method that ``utility`` names, on the same system. Each measurement rests on
    its run and on that of its partner; a run without any score, and without a total that was told, measures nothing.
    """
    runs = [
        (each, RUN.read(each.body))
        for each in sorted(ask.said(RUN.name, subject=subject), key=lambda each: (each.at, each.entry))
        if each.issuer == ask.receiver
    ]
    for statement, run in runs:
        beside = [
            pair for pair in runs if pair[1].method.method == run.method.utility and same(pair[1].system, run.system)
        ]
        entry, partner = (beside[-1][0].entry, paired(*beside[-1])) if beside else ("", None)
        body = measuring.measure(run, partner)
        if body is not None:
            rests = (statement.entry, entry) if partner is not None else (statement.entry,)
            yield Said(MEASUREMENT.name, subject, body, tuple(sorted(rests)))


def paired(statement: Statement, run: TestRun) -> Paired | None:
    """Return what a run measured as the partner of another; None where it measured nothing.

    Whether it has a partner itself does not matter here: two methods may stand beside each other.
    """
    body = measuring.measure(run)
    if body is None:
        return None
    lacking = tuple(each for each in body.lacking if each != "utility")
    return Paired(body.method, statement.entry, body.value, body.low, body.high, body.better, body.floors, lacking)

"""Weighing evaluation results against named limits; every verdict is taken where the whole interval stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tongqiu.practices.evaluation import rules
from tongqiu.practices.evaluation.bodies import Fairness, Result, Verdicts
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT, VERDICT
from tongqiu.record.statement import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.practice import Ask
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

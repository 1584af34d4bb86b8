"""The first page and the page of one subject: how things stand, before any detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.portal.grades import grades, shelf_of, shipped
from tongqiu.portal.models import Failed, Home, Part, SubjectPage, SystemCard
from tongqiu.portal.reading import (
    finding_rows,
    gather,
    gone,
    measure_rows,
    newest_evidence,
    newest_findings,
    plots,
    record_row,
    verdicts,
)
from tongqiu.record.core import ASSESSMENT, COMPOSITION
from tongqiu.record.faults import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.portal.grades import Shelf
    from tongqiu.portal.lent import Desk, Node, Practices
    from tongqiu.record.core import Assessment
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

MOST_SYSTEMS = 20
MOST_RECORDS = 2000
_PAGE = 100


def home(node: Node, desk: Desk, *, offset: int = 0) -> Home:
    """Return systems at a glance, in order of name: :data:`MOST_SYSTEMS` from place ``offset`` on."""
    systems = sorted(desk.systems(), key=lambda each: (each.name or each.id, each.id))
    return Home(
        node=node.me,
        name=node.name,
        systems=tuple(card(node, desk, each) for each in systems[offset : offset + MOST_SYSTEMS]),
        total=len(systems),
        offset=offset,
        step=MOST_SYSTEMS,
    )


def card(node: Node, desk: Desk, system: Subject) -> SystemCard:
    """Return one system at a glance."""
    page = subject_page(node.practices, desk, system, shelf_of(node, desk))
    return SystemCard(
        subject=page.subject,
        grades=page.grades,
        verdicts=page.verdicts,
        measured=sum(row.basis == "measured" for row in page.measures),
        claimed=sum(row.basis == "claimed" for row in page.measures),
        silent=page.verdicts.not_assessed
        + sum(grade.state == "unanswered" for grade in page.grades)
        + len(page.not_assessed)
        + len(page.failed)
        + len(page.silent),
        last=page.last,
    )


def subject_page(practices: Practices, desk: Desk, subject: Subject, shelf: Shelf = shipped) -> SubjectPage:
    """Return all that is readable about ``subject`` and its parts; what was said again shows only what was said last.

    ``shelf`` finds the packs whose scales are shown whole.
    """
    parts = tuple(desk.parts(subject))
    everything = (subject, *(part for _, part in parts))
    statements = _statements(desk, everything)
    measured, found = gather(statements)
    measured, older_measures = newest_evidence(measured)
    found, older_findings = newest_findings(found)
    findings, measures = finding_rows(found), measure_rows(measured)
    run = _last_run(statements)
    composition = _composition(statements, subject)
    return SubjectPage(
        subject=subject,
        purpose=composition[0],
        version=composition[1],
        grades=grades(statements, shelf),
        verdicts=verdicts(findings),
        findings=findings,
        plots=plots(measures, findings),
        measures=measures,
        parts=tuple(
            Part(
                role=role,
                subject=part,
                measures=sum(row.subject.same(part) for row in measures),
                verdicts=verdicts(row for row in findings if row.subject.same(part)),
            )
            for role, part in parts
        ),
        not_assessed=() if run is None else run.not_assessed,
        failed=()
        if run is None
        else tuple(Failed(each.run, each.about, each.code, each.reason) for each in run.failed),
        silent=tuple(
            part
            for _, part in parts
            if not any(row.subject.same(part) for row in measures)
            and not any(row.subject.same(part) for row in findings)
        ),
        records=tuple(record_row(each, practices) for each in statements[:_PAGE]),
        last=max((*(row.at for row in measures), *(row.at for row in findings)), default=None),
        older=older_measures + older_findings,
    )


def _statements(desk: Desk, subjects: Sequence[Subject]) -> list[Statement]:
    """Return the records about ``subjects`` that stand, newest first, each once (at most :data:`MOST_RECORDS`)."""
    held = {each.entry: each for subject in subjects for each in desk.said("*", subject=subject)}
    newest = sorted(held.values(), key=lambda each: (each.logged, each.index, each.entry), reverse=True)
    return newest[:MOST_RECORDS]


def _last_run(statements: Sequence[Statement]) -> Assessment | None:
    for each in statements:
        if not gone(each) and each.kind == ASSESSMENT.name:
            try:
                return ASSESSMENT.read(each.body)
            except Malformed:
                continue
    return None


def _composition(statements: Sequence[Statement], subject: Subject) -> tuple[str, str]:
    for each in statements:
        if not gone(each) and each.kind == COMPOSITION.name and each.subject.same(subject):
            try:
                body = COMPOSITION.read(each.body)
            except Malformed:
                continue
            return body.purpose, body.version
    return "", ""

"""Records one by one: the list, one record in full, and the way from a conclusion back to its measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.portal.grades import grades, shelf_of
from tongqiu.portal.models import (
    ExplainPage,
    Findings,
    Measures,
    RecordPage,
    Records,
    ReplyRow,
    Source,
    Step,
)
from tongqiu.portal.reading import (
    finding_rows,
    gone,
    measure_rows,
    newest_evidence,
    newest_findings,
    record_row,
    shapes,
)
from tongqiu.record import core
from tongqiu.record.faults import Missing

if TYPE_CHECKING:
    from tongqiu.portal.lent import Desk, Explained, Node
    from tongqiu.record.statement import Statement

LIMIT = 50
MOST_ROWS = 2000
_DEEPEST = 12
_MOST_STEPS = 400
_MOST_SOURCES = 500


def records(  # noqa: PLR0913 - each narrows the list
    node: Node, desk: Desk, *, kind: str, subject: str, search: str, after: str | None
) -> Records:
    """Return one page of records, newest first."""
    page, following = desk.records(kind=kind, subject=subject, search=search, after=after, limit=LIMIT)
    return Records(kind, subject, search, tuple(record_row(each, node.practices) for each in page), following)


def record(node: Node, desk: Desk, entry: str) -> RecordPage:
    """Return one record in full. Raises Missing. A record it rests on that may not be seen is named and no more."""
    statement = desk.record(entry)
    row = record_row(statement, node.practices)
    if gone(statement):
        return RecordPage(row, "", None, None, (), (), (), (), (), None, "", None, None, (), "", None)
    content = statement.content
    kind = node.practices.kind(statement.kind)
    measured, found = shapes(statement)
    ended = desk.retired_by(entry)
    return RecordPage(
        record=row,
        schema=content.schema,
        schema_holds=None if kind is None else kind.schema_digest == content.schema,
        body=msgspec.to_builtins(content.body, str_keys=True),
        grades=grades([statement], shelf_of(node, desk)),
        measures=measure_rows(measured),
        findings=finding_rows(found),
        rests_on=tuple(_source(node, desk, each) for each in content.rests_on[:_MOST_SOURCES]),
        files=content.files,
        readers=content.audience.readers,
        marking=content.audience.marking,
        embargo=content.audience.embargo,
        thread=content.thread,
        asked=content.asked,
        by=content.by,
        retired_by=None if ended is None else record_row(ended, node.practices),
        replies=tuple(_reply(each) for each in desk.replies(entry)),
    )


def _reply(statement: Statement) -> ReplyRow:
    body = core.REPLY.read(statement.body)
    return ReplyRow(statement.entry, body.party, body.words, body.asks, statement.at)


def _source(node: Node, desk: Desk, entry: str) -> Source:
    try:
        return Source(entry, record_row(desk.record(entry), node.practices))
    except Missing:
        return Source(entry, None)


def explain(node: Node, desk: Desk, entry: str) -> ExplainPage:
    """Return a record with all it rests on as a tree; a record met twice is opened once, and large trees are cut."""
    seen: set[str] = set()
    cut, shelf = False, shelf_of(node, desk)

    def walk(explained: Explained, depth: int) -> Step:
        nonlocal cut
        statement = explained.statement
        entry, row = statement.entry, record_row(statement, node.practices)
        if entry in seen:
            return Step(entry, row, depth, (), (), (), (), 0, seen_above=True)
        seen.add(entry)
        measured, found = shapes(statement)
        why, hidden = tuple(explained.why), tuple(explained.hidden)
        if depth >= _DEEPEST or len(seen) >= _MOST_STEPS or (_rests(statement) and not (why or hidden)):
            cut, why, hidden = cut or _rests(statement), (), ()
        return Step(
            entry=entry,
            record=row,
            depth=depth,
            grades=grades([statement], shelf),
            measures=measure_rows(measured),
            findings=finding_rows(found),
            why=(
                *(walk(each, depth + 1) for each in why),
                *(Step(each, None, depth + 1, (), (), (), (), 0) for each in hidden),
            ),
            asked=len(explained.asked),
        )

    root = walk(desk.explain(entry), 0)
    return ExplainPage(root, cut)


def _rests(statement: Statement) -> bool:
    return not gone(statement) and bool(statement.content.rests_on)


def findings(desk: Desk, *, subject: str, requirement: str, verdict: str) -> Findings:
    """Return the findings said last, the most serious first (at most :data:`MOST_ROWS`)."""
    about = desk.subject(subject) if subject else None
    found, _ = newest_findings(desk.findings(subject=about, requirement=requirement))
    rows = [row for row in finding_rows(found) if not verdict or row.verdict == verdict]
    return Findings(subject, requirement, verdict, tuple(rows[:MOST_ROWS]), len(rows))


def measures(desk: Desk, *, subject: str, measure: str) -> Measures:
    """Return the evidence said last, by subject and measure (at most :data:`MOST_ROWS`)."""
    about = desk.subject(subject) if subject else None
    measured, _ = newest_evidence(desk.evidence(subject=about, measure=measure))
    rows = measure_rows(measured)
    return Measures(subject, measure, rows[:MOST_ROWS], len(rows))

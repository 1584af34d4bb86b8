"""What falls due by itself: measures, reviews of risks, conditions, the next review, the next drill; and reminders.

A reminder is a record for just those who may read what is overdue. It comes again until that is done, and goes with it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from tongqiu.practices.grading.drills import CONTROLS, DRILL
from tongqiu.practices.grading.keeping import replaced, thread_of
from tongqiu.practices.grading.reviews import REVIEW
from tongqiu.practices.grading.reviews import overdue_of as review_dues
from tongqiu.practices.grading.risks import RISK
from tongqiu.practices.grading.risks import overdue_of as risk_dues
from tongqiu.practices.grading.suggestions import REMINDER, Overdue, Reminder
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.statement import Said, instant, moment_of
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.practice import Desk, World
    from tongqiu.record.statement import Statement

AGAIN = datetime.timedelta(days=14)
"""How long after a reminder the next one comes."""


def dues(statement: Statement) -> tuple[tuple[Text, str], ...]:
    """Return what falls due about a risk, review or drill, each with its instant, the earliest first."""
    if statement.kind == RISK.name:
        return risk_dues(RISK.read(statement.body))
    if statement.kind == REVIEW.name:
        return review_dues(REVIEW.read(statement.body))
    drill = DRILL.read(statement.body)
    if drill.phase != "lapsed" or drill.valid_until is None:
        return ()
    title = CONTROLS[drill.control]
    return ((Text(en="Drill: {en}", zh="演练：{zh}").fill(en=title.en, zh=title.zh), drill.valid_until),)


def first_due(statement: Statement) -> str | None:
    """Say when the first thing about a record falls due; what does not read, as a peer may send it, sets no clock."""
    try:
        return _real(next((at for _, at in dues(statement)), None))
    except Malformed:
        return None


def remind(statement: Statement, world: World, desk: Desk) -> Iterator[Said]:
    """Say what is overdue about a record, for those who may read it."""
    if statement.issuer != desk.issuer:
        return
    now = world.clock.now()
    late = tuple(Overdue(what, at) for what, at in dues(statement) if at <= now)
    if late:
        coming = [at for _, at in dues(statement) if at > now]
        again = min([instant(moment_of(now) + AGAIN), *coming])
        body = Reminder(statement.entry, late, again)
        thread = thread_of("reminder", statement.subject, statement.content.thread or statement.entry)
        before = replaced(desk, statement)[1:]
        yield Said(REMINDER.name, statement.subject, body, (statement.entry,), None, thread, replaces=before)


def again_at(statement: Statement) -> str | None:
    """Say when the next reminder comes."""
    try:
        return _real(REMINDER.read(statement.body).again_at)
    except Malformed:
        return None


def remind_again(statement: Statement, world: World, desk: Desk) -> Iterator[Said]:
    """Remind again while the record stands and something is overdue; else take the reminder back."""
    about = REMINDER.read(statement.body).about
    try:
        found = desk.record(about)
    except Missing:
        found = None
    stands = found is not None and any(
        each.entry == about for each in desk.said(found.kind, thread=found.content.thread)
    )
    if stands and found is not None:
        yield from remind(found, world, desk)
    elif statement.issuer == desk.issuer:
        body = core.Withdrawal(entry=statement.entry, why="what was overdue no longer stands")
        yield Said(core.WITHDRAWAL.name, statement.subject, body, (statement.entry,), statement.content.audience)


def drill_ends(statement: Statement) -> str | None:
    """Say from when a drill shows nothing any more."""
    try:
        body = DRILL.read(statement.body)
        return _real(body.valid_until) if body.phase == "ended" else None
    except Malformed:
        return None


def lapse(statement: Statement, _world: World, desk: Desk) -> Iterator[Said]:
    """Say that a drill shows nothing any more, in place of what it showed."""
    if statement.issuer == desk.issuer:
        body = msgspec.structs.replace(DRILL.read(statement.body), phase="lapsed")
        content = statement.content
        rests = content.rests_on
        yield Said(
            DRILL.name, statement.subject, body, rests, content.audience, content.thread, replaces=(statement.entry,)
        )


def _real(at: str | None) -> str | None:
    """Return ``at`` where it names a real moment. Raises Malformed for the 40th of May."""
    if at is not None:
        moment_of(at)
    return at

"""What people do about drills: begin one, end it, or say of one that was held elsewhere; and what comes of it.

The node's clock, not the person, says when a drill began and when it was over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.practice import Field, Verb
from tongqiu.practices.grading.drills import (
    CONTROLS,
    DRILL,
    OUTCOMES,
    Control,
    Days,
    Drill,
    Limit,
    Outcome,
    days_after,
    seconds_between,
)
from tongqiu.practices.grading.keeping import no, readers, replaced, standing, thread_of
from tongqiu.practices.grading.risk_verbs import SUBJECT
from tongqiu.practices.grading.risks import Line, Told, Words
from tongqiu.record.statement import Attachment, Instant, Said
from tongqiu.record.subject import EntryText, IdText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.practice import Desk
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

_HERE = "tongqiu.practices.grading.drill_verbs"


class StartDrill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A drill that begins now."""

    subject: IdText
    control: Control
    scenario: Told
    operator: Line
    limit: Limit
    valid_days: Days = 365


class EndDrill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A drill that is over now."""

    entry: EntryText
    outcome: Outcome
    notes: Words = ""
    files: tuple[Attachment, ...] = ()


class ClaimControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says of a drill that was not timed here."""

    subject: IdText
    control: Control
    scenario: Told
    limit: Limit
    operator: Line = ""
    outcome: Outcome = "done"
    started_at: Instant | None = None
    stopped_at: Instant | None = None
    notes: Words = ""
    files: tuple[Attachment, ...] = ()


# --- what comes of it ------------------------------------------------------------------------------------------------


def start(desk: Desk, form: StartDrill) -> Iterable[Said]:
    """Begin a drill: the clock runs from this record. Raises Missing, Refused (``grading.drill-runs``)."""
    subject, now = desk.subject(form.subject), desk.now
    thread, held = _held(desk, subject, form.control)
    if any(body.phase == "running" for _, body in held):
        raise no(
            "drill-runs",
            Text(en="A drill of this control is under way.", zh="该项控制的演练正在进行。"),
            Text(en="End it first: grading.end-drill", zh="请先结束：grading.end-drill"),
            where="control",
        )
    body = Drill(
        drill=_name(now),
        phase="running",
        control=form.control,
        scenario=form.scenario,
        operator=form.operator,
        limit=form.limit,
        valid_days=form.valid_days,
        started_at=now,
    )
    return [Said(DRILL.name, subject, body, thread=thread)]


def end(desk: Desk, form: EndDrill) -> Iterable[Said]:
    """End a drill: the clock stops at this record, which takes its place and that of what the drill before it showed.

    Raises Missing, Refused (``grading.drill-not-begun``).
    """
    old, body = standing(desk, DRILL, form.entry)
    now = desk.now
    _, held = _held(desk, old.subject, body.control)
    if body.phase != "running" or body.started_at is None:
        raise no(
            "drill-not-begun",
            Text(en="No such drill is under way.", zh="没有正在进行的该演练。"),
            Text(en="Name the record with which it began.", zh="请填写演练开始时的记录编号。"),
            where="entry",
        )
    ended = msgspec.structs.replace(
        body,
        phase="ended",
        stopped_at=now,
        seconds=seconds_between(body.started_at, now),
        outcome=form.outcome,
        notes=form.notes,
        valid_until=days_after(now, body.valid_days),
    )
    earlier = [one for each, _ in held for one in replaced(desk, each)]
    audience = readers(desk, old)
    return [
        Said(
            DRILL.name,
            old.subject,
            ended,
            (old.entry,),
            audience,
            old.content.thread,
            form.files,
            replaces=tuple(dict.fromkeys(earlier)),
        )
    ]


def claim(desk: Desk, form: ClaimControl) -> Iterable[Said]:
    """Keep what somebody says of a drill that was not timed here; it shows nothing. Raises Missing."""
    subject = desk.subject(form.subject)
    thread, _ = _held(desk, subject, form.control)
    timed = form.started_at is not None and form.stopped_at is not None
    body = Drill(
        drill=_name(desk.now),
        phase="claimed",
        control=form.control,
        scenario=form.scenario,
        operator=form.operator,
        limit=form.limit,
        valid_days=1,
        started_at=form.started_at,
        stopped_at=form.stopped_at,
        seconds=seconds_between(str(form.started_at), str(form.stopped_at)) if timed else None,
        outcome=form.outcome,
        notes=form.notes,
    )
    if body.seconds is not None and body.seconds < 0:
        raise no(
            "figures",
            Text(en="The drill ends before it begins.", zh="演练的结束早于开始。"),
            Text(en="Correct the two moments.", zh="请更正两个时刻。"),
            where="stopped_at",
        )
    return [Said(DRILL.name, subject, body, thread=thread, files=form.files)]


def _name(now: str) -> str:
    """Return the name of a drill that begins now, such as ``d20261123t080000001z``."""
    return "d" + "".join(each for each in now.lower() if each.isalnum())


def _held(desk: Desk, subject: Subject, control: str) -> tuple[str, list[tuple[Statement, Drill]]]:
    """Return the thread of one control of a system, and what of ours stands there."""
    thread = thread_of("drill", subject, control)
    found = [each for each in desk.said(DRILL.name, thread=thread) if each.issuer == desk.issuer]
    return thread, [(each, DRILL.read(each.body)) for each in found]


# --- the values ------------------------------------------------------------------------------------------------------

_CONTROL = Field(
    title=Text(en="What is tried", zh="演练内容"),
    help=Text(en="Each is shown by a drill of its own.", zh="每项须分别演练。"),
    kind="choice",
    choices=tuple(CONTROLS.items()),
)
_SCENARIO = Field(
    title=Text(en="Scenario", zh="情景"),
    help=Text(
        en="What goes wrong in the drill, and what counts as done.", zh="演练中出现什么问题，达到什么状态视为完成。"
    ),
    kind="text",
)
_OPERATOR = Field(
    title=Text(en="Who operates", zh="操作者"),
    help=Text(en="An office or function rather than a private name.", zh="请写职位或部门，尽量不写私人姓名。"),
)
_LIMIT = Field(
    title=Text(en="Seconds it may take", zh="时限（秒）"),
    help=Text(
        en="Fixed before the drill; the verdict is taken at the observed time.", zh="演练前确定；按实测用时判定。"
    ),
    kind="number",
)
_OUTCOME = Field(
    title=Text(en="Outcome", zh="结果"),
    help=Text(en="Whether what the scenario asks for was reached.", zh="是否达到情景所要求的状态。"),
    kind="choice",
    choices=tuple(OUTCOMES.items()),
)
_NOTES = Field(title=Text(en="Notes", zh="备注"), help=Text(en="What was learned.", zh="有何发现。"), kind="text")
_FILES = Field(
    title=Text(en="Files", zh="附件"), help=Text(en="Logs, pictures, minutes.", zh="日志、图片、记录。"), kind="file"
)

VERBS: tuple[Verb, ...] = (
    Verb(
        name="grading.start-drill",
        title=Text(en="Begin a drill", zh="开始演练"),
        about=Text(
            en="Begins a drill of human control. The time counts from the moment this is logged.",
            zh="开始一次人工控制演练。自本操作入日志时起计时。",
        ),
        form=StartDrill,
        fields={
            "subject": SUBJECT,
            "control": _CONTROL,
            "scenario": _SCENARIO,
            "operator": _OPERATOR,
            "limit": _LIMIT,
            "valid_days": Field(
                title=Text(en="Days it counts", zh="有效天数"),
                help=Text(en="After that the next drill is due; 365 unless said.", zh="此后应再次演练；默认 365 天。"),
                kind="number",
            ),
        },
        role="contributor",
        run=f"{_HERE}:start",
        makes=(DRILL.name,),
        on=("system",),
    ),
    Verb(
        name="grading.end-drill",
        title=Text(en="End a drill", zh="结束演练"),
        about=Text(
            en="Ends a drill that is under way. The time between both acts is measured, and judged against the limit.",
            zh="结束正在进行的演练。两次操作之间的时间即为实测用时，并与时限比较。",
        ),
        form=EndDrill,
        fields={
            "entry": Field(
                title=Text(en="Drill", zh="演练"),
                help=Text(en="The id of the record with which it began.", zh="演练开始时的记录编号。"),
                kind="entry",
            ),
            "outcome": _OUTCOME,
            "notes": _NOTES,
            "files": _FILES,
        },
        role="contributor",
        run=f"{_HERE}:end",
        makes=(DRILL.name,),
        on=(DRILL.name,),
    ),
    Verb(
        name="grading.claim-control",
        title=Text(en="Claim a control", zh="声称具备控制手段"),
        about=Text(
            en="Keeps what you say of a drill that was not timed here. It shows as claimed and answers nothing.",
            zh="记录您对未在此计时的演练的说法。显示为“声称”，不作为证明。",
        ),
        form=ClaimControl,
        fields={
            "subject": SUBJECT,
            "control": _CONTROL,
            "scenario": _SCENARIO,
            "limit": _LIMIT,
            "operator": _OPERATOR,
            "outcome": _OUTCOME,
            "started_at": Field(
                title=Text(en="Began (UTC)", zh="开始（UTC）"),
                help=Text(en="As you say.", zh="由您填写。"),
                kind="date",
            ),
            "stopped_at": Field(
                title=Text(en="Was over (UTC)", zh="结束（UTC）"),
                help=Text(en="As you say.", zh="由您填写。"),
                kind="date",
            ),
            "notes": _NOTES,
            "files": _FILES,
        },
        role="contributor",
        run=f"{_HERE}:claim",
        makes=(DRILL.name,),
        on=("system",),
    ),
)
"""What people do about drills."""

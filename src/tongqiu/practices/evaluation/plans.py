"""When a system is tested again: by a plan with dates, and by what changed since its report, each told with its reason.

A plan is a record that a person makes; its clock, and that of every report, strikes by itself. What changed is found by a
rule whenever a system is assessed, and a new test that is due stays on the list, with the reason, until it was done.
"""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from tongqiu.practice import Duty, Field, Verb
from tongqiu.practices.evaluation.bodies import MethodText
from tongqiu.practices.evaluation.causes import AGAIN, SORTS, begun, ended, incident, methods_of
from tongqiu.practices.evaluation.object_kinds import DUE, PLAN, REPORT, RUN
from tongqiu.practices.evaluation.objects import Cause, Due, Language, Plan, Planned, Trigger
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.statement import Instant, Said, instant, moment_of
from tongqiu.record.subject import IdText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tongqiu.practice import Desk, World
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

_HERE: Final = "tongqiu.practices.evaluation.plans"
_DAY: Final = datetime.timedelta(days=1)

_CHOICES: tuple[tuple[str, Text], ...] = tuple((key, text) for key, text in SORTS.items() if key != "date")


class PlanForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What will be tested again, and when."""

    subject: IdText
    methods: Annotated[tuple[MethodText, ...], msgspec.Meta(min_length=1, max_length=100)]
    first: Instant
    every_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 180
    items: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 60
    languages: tuple[Language, ...] = ()
    valid_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 365
    triggers: tuple[str, ...] = ()
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


def plan(desk: Desk, form: PlanForm) -> Iterable[Said]:
    """Say when ``form.subject`` is tested again, in place of the plan that stands.

    No trigger chosen means all of them. Raises Missing (``subject.missing``), Malformed (``evaluation.plan-twice``,
    ``evaluation.plan-trigger``, ``statement.instant``).
    """
    subject = desk.subject(form.subject)
    moment_of(form.first, where="first")
    if len(set(form.methods)) != len(form.methods):
        raise Malformed(
            "evaluation.plan-twice",
            Text(en="A method stands twice in the plan.", zh="计划中有重复的方法。"),
            do=Text(en="Name each method once.", zh="每种方法只写一次。"),
            where="methods",
        )
    known = dict(_CHOICES)
    for each in form.triggers:
        if each not in known:
            raise Malformed(
                "evaluation.plan-trigger",
                Text(en="There is no trigger {trigger}.", zh="没有触发条件 {trigger}。"),
                do=Text(en="Choose among: {known}.", zh="请从中选择：{known}。"),
                where="triggers",
                trigger=each[:40],
                known=", ".join(known),
            )
    body = Plan(
        methods=tuple(Planned(each, form.items, form.languages, form.every_days) for each in form.methods),
        triggers=tuple(Trigger(each, known[each]) for each in (form.triggers or known)),  # type: ignore[arg-type]
        first=form.first,
        next=form.first,
        valid_days=form.valid_days,
        note=form.note,
    )
    thread = _thread("plan", subject)
    old = [each.entry for each in desk.said(PLAN.name, thread=thread) if each.issuer == desk.issuer]
    return [Said(PLAN.name, subject, body, thread=thread, replaces=tuple(sorted(old)))]


# --- by date ---------------------------------------------------------------------------------------------------------


def plan_strikes(statement: Statement) -> str | None:
    """Say when the next test of a plan falls due; what does not read, as a peer may send it, sets no clock."""
    body = _read(PLAN, statement)
    return None if body is None else _real(body.next)


def plan_due(statement: Statement, world: World, desk: Desk) -> Iterator[Said]:
    """Say which tests of a plan fell due, and set the plan to the date after."""
    if statement.issuer != desk.issuer:
        return
    body, now = PLAN.read(statement.body), world.clock.now()
    at = body.next
    if at is None:
        return
    late = [each for each in body.methods if _falls(body.first, each, at)]
    runs = [pair for each in _subjects(desk, statement.subject) for pair in _mine(desk, RUN, each)]
    done = {run.method.method for _, run in runs if run.ended >= at}
    open_ = tuple(each.method for each in late if each.method not in done)
    forward = msgspec.structs.replace(body, next=_next(body, now))
    yield Said(
        PLAN.name,
        statement.subject,
        forward,
        audience=statement.content.audience,
        thread=statement.content.thread,
        replaces=(statement.entry,),
    )
    if open_:
        words = Text(en=f"The plan names {at[:10]} as the day.", zh=f"计划规定的日期为 {at[:10]}。")
        yield _said(statement, (Cause("date", words, at, statement.entry),), open_, now, desk)


def report_ends(statement: Statement) -> str | None:
    """Say until when a report is valid."""
    body = _read(REPORT, statement)
    return None if body is None else _real(body.valid_until)


def report_due(statement: Statement, world: World, desk: Desk) -> Iterator[Said]:
    """Say that a report has ended; the clock of one that was replaced does not strike."""
    if statement.issuer == desk.issuer:
        body = REPORT.read(statement.body)
        yield _said(statement, (ended(body, statement.entry),), methods_of(body), world.clock.now(), desk)


def norm_begins(statement: Statement) -> str | None:
    """Say on which day the next rows of a norm pack begin to apply, as the report knew it."""
    body = _read(REPORT, statement)
    if body is None or not any(each.sort == "norm" for each in body.triggers):
        return None
    coming = [each.at for each in body.known if each.sort == "norm-begins" and each.at and each.at < body.valid_until]
    return _real(min(coming, default=None))


def norm_due(statement: Statement, world: World, desk: Desk) -> Iterator[Said]:
    """Say that rules have begun to apply since a report was made."""
    if statement.issuer == desk.issuer:
        body, now = REPORT.read(statement.body), world.clock.now()
        found = tuple(
            begun(each.id, each.at) for each in body.known if each.sort == "norm-begins" and each.at and each.at <= now
        )
        if found:
            yield _said(statement, found, methods_of(body), now, desk)


def incident_strikes(statement: Statement) -> str | None:
    """Say that an incident is looked at as soon as it is recorded."""
    return statement.at


def incident_due(statement: Statement, world: World, desk: Desk) -> Iterator[Said]:
    """Say that a system with a report had an incident after it was tested."""
    for report in desk.said(REPORT.name):
        body = REPORT.read(report.body)
        about = {report.subject.id, *(each.id for each in body.known)}
        if report.issuer != desk.issuer or statement.subject.id not in about:
            continue
        if any(each.sort == "incident" for each in body.triggers) and statement.at > body.tested_until:
            yield _said(report, (incident(statement),), methods_of(body), world.clock.now(), desk, statement)


# --- reminded until it is done -----------------------------------------------------------------------------------------


def _again(sort: str, statement: Statement) -> str | None:
    body = _read(DUE, statement)
    return _real(body.again_at) if body is not None and body.causes[0].sort == sort else None


def again_date(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due by its date."""
    return _again("date", statement)


def again_digest(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due because a part changed."""
    return _again("digest", statement)


def again_data(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due because data changed."""
    return _again("data", statement)


def again_incident(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due because of an incident."""
    return _again("incident", statement)


def again_norm(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due because a rule began to apply."""
    return _again("norm", statement)


def again_drift(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due because a service behaves otherwise."""
    return _again("drift", statement)


def again_method(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due because its method has a newer version."""
    return _again("method", statement)


def again_configuration(statement: Statement) -> str | None:
    """Say when people are reminded of a test that is due because parts were added or left out."""
    return _again("configuration", statement)


def remind(statement: Statement, world: World, desk: Desk) -> Iterator[Said]:
    """Remind again while what a test is due under stands and the test was not done; else take the reminder back."""
    if statement.issuer != desk.issuer:
        return
    body, now = DUE.read(statement.body), world.clock.now()
    if _answered(desk, statement.subject, body):
        gone = core.Withdrawal(entry=statement.entry, why="the test that was due was done")
        yield Said(core.WITHDRAWAL.name, statement.subject, gone, (statement.entry,), statement.content.audience)
        return
    later = msgspec.structs.replace(body, again_at=instant(moment_of(now) + AGAIN))
    content = statement.content
    yield Said(
        DUE.name,
        statement.subject,
        later,
        content.rests_on,
        content.audience,
        content.thread,
        replaces=(statement.entry,),
    )


def _answered(desk: Desk, subject: Subject, body: Due) -> bool:
    """Tell whether a report that was made later covers every method that was due, or what it was due under is gone."""
    reports = _mine(desk, REPORT, subject)
    try:
        about = desk.record(body.about)
    except Missing:
        return True
    if about.kind == REPORT.name:
        return all(each.entry != body.about for each, _ in reports)
    return any(set(body.methods) <= set(methods_of(found)) and found.tested_from >= body.since for _, found in reports)


# --- small parts -------------------------------------------------------------------------------------------------------


def _thread(sort: str, subject: Subject) -> str:
    return f"urn:tongqiu:evaluation-{sort}:" + hashlib.sha256(subject.id.encode()).hexdigest()


def _read(kind: Kind[Any], statement: Statement) -> Any:  # noqa: ANN401 - the kind's body, or None
    try:
        return kind.read(statement.body)
    except Malformed:
        return None


def _real(at: str | None) -> str | None:
    """Return ``at`` where it names a real moment, else None: a peer may send the 40th of May."""
    if at is None:
        return None
    try:
        moment_of(at)
    except Malformed:
        return None
    return at


def _mine(desk: Desk, kind: Kind[Any], subject: Subject) -> list[tuple[Statement, Any]]:
    found = [each for each in desk.said(kind.name, subject=subject) if each.issuer == desk.issuer]
    return [(each, kind.read(each.body)) for each in sorted(found, key=lambda each: (each.at, each.entry))]


def _subjects(desk: Desk, subject: Subject) -> list[Subject]:
    """Return a system and the parts that its newest composition names."""
    composed = _mine(desk, core.COMPOSITION, subject)
    return [subject, *(part.subject for _, body in composed[-1:] for part in body.parts)]


def _falls(first: str, planned: Planned, at: str) -> bool:
    """Tell whether a planned method falls due on the day ``at``."""
    days = (moment_of(at) - moment_of(first)) / _DAY
    return days == 0 if planned.every_days is None else days % planned.every_days == 0


def _next(body: Plan, now: str) -> str | None:
    """Return the first planned day after ``now``, None where nothing is repeated."""
    first, then = moment_of(body.first), moment_of(now)
    steps = [each.every_days for each in body.methods if each.every_days is not None]
    coming = [first + _DAY * step * max(1, (then - first) // (_DAY * step) + 1) for step in steps]
    return instant(min(coming)) if coming else None


def _said(
    under: Statement,
    causes: tuple[Cause, ...],
    methods: tuple[str, ...],
    now: str,
    desk: Desk,
    *more: Statement,
) -> Said:
    """Return that a test is due, in place of what is said to be due already by a clock."""
    thread = _thread("due", under.subject)
    old = tuple(sorted(each.entry for each in desk.said(DUE.name, thread=thread) if each.issuer == desk.issuer))
    since = min(each.since for each in causes)
    body = Due(under.entry, causes, methods, since, instant(moment_of(now) + AGAIN))
    rests = tuple(sorted({under.entry, *(each.entry for each in more)}))
    return Said(DUE.name, under.subject, body, rests, None, thread, replaces=old)


VERBS: tuple[Verb, ...] = (
    Verb(
        name="evaluation.plan",
        title=Text(en="Plan the next tests", zh="制定复评计划"),
        about=Text(
            en="Says which methods are run again and when, for how long a report holds, and which changes bring a new test "
            "before its date. It takes the place of the plan that stands.",
            zh="写明哪些方法在何时重新运行、报告有效多久，以及哪些变化会提前触发复评。新计划替代现行计划。",
        ),
        form=PlanForm,
        fields={
            "subject": Field(
                title=Text(en="System", zh="系统"),
                help=Text(en="The system that will be tested again.", zh="将被重新评测的系统。"),
                kind="subject",
            ),
            "methods": Field(
                title=Text(en="Methods", zh="方法"),
                help=Text(en="Each as name@version, as reports show it.", zh="逐一写成“名称@版本”，与报告所示相同。"),
                kind="many",
            ),
            "first": Field(
                title=Text(en="First day", zh="首次日期"),
                help=Text(en="The day from which the intervals count.", zh="间隔自该日起算。"),
                kind="date",
            ),
            "every_days": Field(
                title=Text(en="Every so many days", zh="间隔天数"),
                help=Text(en="After how many days it is tested again.", zh="每隔多少天重新评测一次。"),
                kind="number",
            ),
            "items": Field(
                title=Text(en="Items", zh="条目数"),
                help=Text(en="How many items of each method.", zh="每种方法使用多少条目。"),
                kind="number",
            ),
            "languages": Field(
                title=Text(en="Languages", zh="语言"),
                help=Text(
                    en="Language tags such as zh, en; none means all of the method's.",
                    zh="语言标签，如 zh、en；不填表示该方法的全部语言。",
                ),
                kind="many",
            ),
            "valid_days": Field(
                title=Text(en="Reports hold for", zh="报告有效天数"),
                help=Text(
                    en="Days after the last test for which a report holds.", zh="最后一次测试之后报告有效的天数。"
                ),
                kind="number",
            ),
            "triggers": Field(
                title=Text(en="Changes that bring a new test", zh="触发复评的变化"),
                help=Text(en="None chosen means all of them.", zh="不选表示全部。"),
                kind="many",
                choices=_CHOICES,
            ),
            "note": Field(
                title=Text(en="Note", zh="备注"),
                help=Text(en="Anything that whoever tests should know.", zh="评测者需要知道的事项。"),
                kind="text",
            ),
        },
        role="issuer",
        run=f"{_HERE}:plan",
        makes=(PLAN.name,),
        on=("system", REPORT.name, PLAN.name),
    ),
)

DUTIES: tuple[Duty, ...] = (
    Duty(
        name="evaluation.plan-date",
        title=Text(en="Test again: planned day", zh="复评：计划日期"),
        reads=(PLAN.name,),
        when=f"{_HERE}:plan_strikes",
        act=f"{_HERE}:plan_due",
    ),
    Duty(
        name="evaluation.report-ends",
        title=Text(en="Test again: the report ends", zh="复评：报告到期"),
        reads=(REPORT.name,),
        when=f"{_HERE}:report_ends",
        act=f"{_HERE}:report_due",
    ),
    Duty(
        name="evaluation.norm-begins",
        title=Text(en="Test again: a rule begins to apply", zh="复评：有规则开始适用"),
        reads=(REPORT.name,),
        when=f"{_HERE}:norm_begins",
        act=f"{_HERE}:norm_due",
    ),
    Duty(
        name="evaluation.incident",
        title=Text(en="Test again? An incident was recorded", zh="是否复评：记录了安全事件"),
        reads=("incident.*",),
        when=f"{_HERE}:incident_strikes",
        act=f"{_HERE}:incident_due",
    ),
    *(
        Duty(
            name=f"evaluation.overdue-{sort}",
            title=Text(en=f"OVERDUE, test again: {words.en}", zh=f"已逾期，应复评：{words.zh}"),
            reads=(DUE.name,),
            when=f"{_HERE}:again_{sort}",
            act=f"{_HERE}:remind",
        )
        for sort, words in SORTS.items()
    ),
)

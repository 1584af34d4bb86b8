"""Why a new test of a system is due: what changed since it was tested, found from records alone, each with its reason."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Final

from tongqiu.practices.evaluation import identity
from tongqiu.practices.evaluation.object_kinds import DUE, PLAN, REPORT, RUN
from tongqiu.practices.evaluation.objects import Cause, Due
from tongqiu.record import core
from tongqiu.record.statement import Said, instant, moment_of
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.practice import Ask
    from tongqiu.practices.evaluation.objects import Report
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

AGAIN: Final = datetime.timedelta(days=14)
"""How long after a new test fell due people are reminded again."""

SORTS: dict[str, Text] = {
    "date": Text(en="the date came", zh="日期已到"),
    "digest": Text(en="a part changed", zh="组成部分已变化"),
    "data": Text(en="data changed", zh="数据已变化"),
    "incident": Text(en="an incident was recorded", zh="记录了安全事件"),
    "norm": Text(en="a rule began to apply", zh="有规则开始适用"),
    "drift": Text(en="the service behaves like another", zh="服务的行为如另一系统"),
    "method": Text(en="the method has a newer version", zh="测试方法有新版本"),
    "configuration": Text(en="parts were added or left out", zh="组成部分有增减"),
}
"""Why a new test is due, in words."""


def assess(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Hand back that a new test of the system ``subject`` is due, with every reason; nothing where there is none."""
    reports = asked(ask, REPORT, subject)
    if not reports:
        return
    report, body = reports[-1]
    wanted = {each.sort for each in body.triggers}
    causes = [cause for cause in _causes(report, body, subject, ask) if cause.sort == "date" or cause.sort in wanted]
    if causes:
        order = list(SORTS)
        causes.sort(key=lambda each: (order.index(each.sort), each.since, each.words.en))
        since = min(each.since for each in causes)
        rests = {report.entry, *(each.entry for each in causes if each.entry)}
        due = Due(report.entry, tuple(causes[:50]), methods_of(body), since, instant(moment_of(ask.as_of) + AGAIN))
        yield Said(DUE.name, subject, due, tuple(sorted(rests)))


def _causes(report: Statement, body: Report, subject: Subject, ask: Ask) -> Iterator[Cause]:
    if body.valid_until <= ask.as_of:
        yield ended(body, report.entry)
    composed = asked(ask, core.COMPOSITION, subject)
    if composed:
        yield from _moved(body, *composed[-1])
    subjects = [subject, *(part.subject for _, found in composed[-1:] for part in found.parts)]
    yield from _incidents(body, subjects, ask)
    yield from _norms(body, ask)
    yield from _drifts(body, subjects, ask)
    for _, planned in asked(ask, PLAN, subject)[-1:]:
        old = {each.method.partition("@")[0]: each.method for each in body.results}
        for each in planned.methods:
            name = each.method.partition("@")[0]
            if old.get(name, each.method) != each.method:
                words = Text(
                    en=f"The plan asks for {each.method}; tested was {old[name]}.",
                    zh=f"计划要求 {each.method}，已测为 {old[name]}。",
                )
                yield Cause("method", words, body.tested_until)


def _moved(body: Report, statement: Statement, now: core.Composition) -> Iterator[Cause]:
    """Yield what of the system's parts is not what it was when it was tested."""
    before = {each.id: each for each in body.known if each.sort in {"model", "data", "code", "service"}}
    fresh = {part.subject.id[:400]: part for part in now.parts}
    for name, part in sorted(fresh.items()):
        title = part.subject.name or name
        if name not in before:
            words = Text(en=f"{title} was added.", zh=f"新增了 {title}。")
            yield Cause("data" if part.role == "data" else "configuration", words, statement.at, statement.entry)
        elif before[name].digest != (part.subject.digest or ""):
            words = Text(en=f"The bytes of {title} changed.", zh=f"{title} 的字节已变化。")
            yield Cause("data" if part.role == "data" else "digest", words, statement.at, statement.entry)
    for name in sorted(set(before) - set(fresh)):
        title = before[name].name or name
        words = Text(en=f"{title} is no longer a part.", zh=f"{title} 不再是组成部分。")
        yield Cause("configuration", words, statement.at, statement.entry)


def _incidents(body: Report, subjects: Sequence[Subject], ask: Ask) -> Iterator[Cause]:
    found = {each.entry: each for subject in subjects for each in ask.said("incident.*", subject=subject)}
    for each in sorted(found.values(), key=lambda each: (each.at, each.entry)):
        if each.at > body.tested_until:
            yield incident(each)


def _norms(body: Report, ask: Ask) -> Iterator[Cause]:
    """Yield each pack of which rows began to apply after the tests, and each pack that is new here."""
    from tongqiu.norms.time import Calendar

    if ask.norms is None:
        return
    known = {each.id for each in body.known if each.sort == "norm"}
    for name in ask.norms.ids:
        pack = ask.norms.pack(name)
        calendar = Calendar(pack)
        rows = [calendar.row(each, ask.norms.as_of, ask.norms.known_at) for each in pack.requirements]
        days = sorted({each.applies_from for each in rows if each.state == "in-force" and each.applies_from})
        since = [day for day in days if body.tested_until[:10] < day.isoformat()]
        if since:
            yield begun(name, f"{since[0].isoformat()}T00:00:00.000Z")
        elif name not in known:
            words = Text(en=f"The framework {name} is new here.", zh=f"规范包 {name} 为新增。")
            yield Cause("norm", words, ask.as_of)


def _drifts(body: Report, subjects: Sequence[Subject], ask: Ask) -> Iterator[Cause]:
    """Yield each service whose newest fingerprint is not alike the one that it had when it was tested."""
    runs = sorted(
        (pair for subject in subjects for pair in asked(ask, RUN, subject)),
        key=lambda pair: (pair[1].ended, pair[0].entry),
    )
    newest = {run.system.name: (statement, run) for statement, run in runs if run.system.fingerprint is not None}
    for tested in body.tested:
        statement, run = newest.get(tested.name, (None, None))
        if statement is None or run is None or tested.fingerprint is None or run.system.fingerprint is None:
            continue
        found = identity.compare(tested.fingerprint, run.system.fingerprint)
        if not found.alike:
            words = Text(
                en=f"{tested.name} gave the same answer to {found.agreement:.0%} of {found.n} fixed questions.",
                zh=f"{tested.name} 对 {found.n} 个固定问题仅 {found.agreement:.0%} 回答相同。",
            )
            yield Cause("drift", words, run.ended, statement.entry)


# --- one cause --------------------------------------------------------------------------------------------------------


def ended(body: Report, entry: str) -> Cause:
    """Return that a report is no longer valid."""
    words = Text(
        en=f"The report was valid until {body.valid_until[:10]}.", zh=f"报告有效期至 {body.valid_until[:10]}。"
    )
    return Cause("date", words, body.valid_until, entry)


def begun(pack: str, at: str) -> Cause:
    """Return that rules of a norm pack have begun to apply."""
    words = Text(
        en=f"Rules of {pack} apply since {at[:10]}; see whether they concern this system.",
        zh=f"{pack} 的规则自 {at[:10]} 起适用；请查看是否涉及本系统。",
    )
    return Cause("norm", words, at)


def incident(statement: Statement) -> Cause:
    """Return that an incident was recorded."""
    words = Text(en=f"An incident was recorded on {statement.at[:10]}.", zh=f"{statement.at[:10]} 记录了安全事件。")
    return Cause("incident", words, statement.at, statement.entry)


def methods_of(body: Report) -> tuple[str, ...]:
    """Return the methods of a report, each once."""
    return tuple(sorted({*(each.method for each in body.results), *(each.method for each in body.tables)}))


def asked(ask: Ask, kind: Kind[Any], subject: Subject) -> list[tuple[Statement, Any]]:
    """Return this party's standing records of ``kind`` about ``subject``, oldest first, with their bodies."""
    found = [each for each in ask.said(kind.name, subject=subject) if each.issuer == ask.receiver]
    return [(each, kind.read(each.body)) for each in sorted(found, key=lambda each: (each.at, each.entry))]

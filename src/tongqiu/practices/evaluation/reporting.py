"""The report on a system: what was measured, what it holds for and what not, until when, and what changed since the last one.

Pure. One report for each thing under test of a system, from this party's own standing measurements. It is good for twelve
months unless a plan says otherwise, and says itself by what a new test becomes due before that.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tongqiu.practices.evaluation import identity, measuring
from tongqiu.practices.evaluation.bodies import Result
from tongqiu.practices.evaluation.changing import changes
from tongqiu.practices.evaluation.judging import finding
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT
from tongqiu.practices.evaluation.object_kinds import MEASUREMENT, PLAN, REPORT, RUN
from tongqiu.practices.evaluation.objects import (
    Kept,
    Known,
    Report,
    Summary,
    SystemIdentity,
    Tabled,
    Trigger,
)
from tongqiu.practices.evaluation.words import statistic_title
from tongqiu.practices.evaluation.words import title as measure_title
from tongqiu.record import core
from tongqiu.record.statement import Said, instant, moment_of
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.practice import Ask
    from tongqiu.practices.evaluation.bodies import Fairness
    from tongqiu.practices.evaluation.objects import Measurement, Plan, TestRun
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

VALID_DAYS: Final = 365
"""Days for which a report holds unless a plan says otherwise: a convention."""

MOST_ITEMS: Final = 20_000
"""Item scores that one report carries at most; beyond, changes are told from totals."""

_MOST_NOTES: Final = 20

TRIGGERS: tuple[Trigger, ...] = (
    Trigger(
        "digest", Text(en="the bytes of a model, its code or its service change", zh="模型、代码或服务的字节发生变化")
    ),
    Trigger("configuration", Text(en="a part is added or left out", zh="组成部分有增减")),
    Trigger("data", Text(en="data that the system is made with change", zh="系统所用数据发生变化")),
    Trigger("incident", Text(en="an incident with this system is recorded", zh="记录了涉及本系统的安全事件")),
    Trigger("norm", Text(en="a rule begins to apply, or a framework changes", zh="有规则开始适用，或规范包更新")),
    Trigger("drift", Text(en="the service behaves like another system", zh="服务的行为表现如另一系统")),
    Trigger("method", Text(en="the plan asks for a newer version of a method", zh="计划要求使用方法的新版本")),
)
"""What brings a new test before its date, unless a plan says otherwise."""


class _Test(NamedTuple):
    """One standing measurement with the run behind it and its entry, and the name of the thing under test."""

    about: str
    statement: Statement
    body: Measurement
    entry: str
    run: TestRun


class _Table(NamedTuple):
    """One standing result, or fairness record, of a table of cases, and the name of what decided."""

    about: str
    statement: Statement
    body: Result | Fairness


class _Group(NamedTuple):
    """All that was found about one thing under test."""

    system: SystemIdentity
    tests: list[_Test]
    tables: list[_Table]


def assess(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Hand back the report on the system ``subject``; none where nothing was measured."""
    parts = _parts(subject, ask)
    groups = _groups((subject, *(part.subject for part in parts)), ask)
    if not groups:
        return
    before, planned = _own(ask, REPORT, subject), _own(ask, PLAN, subject)
    plan = planned[-1] if planned else None
    known = (*(_part(each) for each in parts), *_norms(ask))
    energy = bool(ask.said("footprint.*", subject=subject))
    fresh = _report(subject, groups, plan, known, energy=energy)
    rests = {row.statement.entry for each in groups for row in each.tests}
    rests |= {row.statement.entry for each in groups for row in each.tables}
    if plan is not None:
        rests.add(plan[0])
    if before:
        entry, former = before[-1]
        if _measured(former) == _measured(fresh):
            # What it was made knowing stays as it was when the tests were done, or no change would ever be seen.
            fresh = msgspec.structs.replace(fresh, before=former.before, changes=former.changes, known=former.known)
        else:
            found = tuple(changes(former.results, fresh.results))
            fresh = msgspec.structs.replace(fresh, before=entry, changes=found)
            rests.add(entry)
    yield Said(REPORT.name, subject, fresh, tuple(sorted(rests)))


# --- what there is ---------------------------------------------------------------------------------------------------


def _own(ask: Ask, kind: Kind[Any], subject: Subject) -> list[tuple[str, Any]]:
    """Return this party's standing records of ``kind``, oldest first, as (entry, body)."""
    mine = [each for each in ask.said(kind.name, subject=subject) if each.issuer == ask.receiver]
    return [(each.entry, kind.read(each.body)) for each in sorted(mine, key=lambda each: (each.at, each.entry))]


def _parts(subject: Subject, ask: Ask) -> tuple[core.Part, ...]:
    found = _own(ask, core.COMPOSITION, subject)
    return found[-1][1].parts if found else ()


def _groups(subjects: Sequence[Subject], ask: Ask) -> list[_Group]:
    """Return what was found, by thing under test, in order of their names; runs of one thing share its identity."""
    groups: list[_Group] = []
    for subject in subjects:
        runs = dict(_own(ask, RUN, subject))
        for statement in ask.said(MEASUREMENT.name, subject=subject):
            if statement.issuer != ask.receiver:
                continue
            body = MEASUREMENT.read(statement.body)
            # The first record a measurement rests on may be its partner's run; the method tells which is its own.
            own = [(each, runs[each]) for each in statement.content.rests_on if each in runs]
            for entry, run in [pair for pair in own if pair[1].method.method == body.method][:1]:
                system = identity.lifted(body.system, subject, ask)
                _into(groups, system).tests.append(_Test(system.name, statement, body, entry, run))
        for kind in (RESULT, FAIRNESS):
            for statement in ask.said(kind.name, subject=subject):
                if statement.issuer == ask.receiver:
                    table: Any = kind.read(statement.body)
                    system = _of_table(subject, table, statement.at)
                    _into(groups, system).tables.append(_Table(system.name, statement, table))
    return sorted(groups, key=lambda each: (each.system.name, each.system.at))


def _into(groups: list[_Group], system: SystemIdentity) -> _Group:
    """Return the group that ``system`` belongs to, opened where there is none yet."""
    for each in groups:
        if each.system.name == system.name and identity.same(each.system, system):
            return each
    groups.append(_Group(system, [], []))
    return groups[-1]


def _of_table(subject: Subject, body: Result | Fairness, at: str) -> SystemIdentity:
    """Return which model decided on a table: by its bytes where it was run here, else by name and date."""
    model = body.source.model or subject
    digest = model.digest if model.digest and model.digest.startswith("sha-256:") else None
    name = model.name or model.id
    return identity.ladder(SystemIdentity("name-and-date", name[:200], at, digest=digest))


# --- the report ------------------------------------------------------------------------------------------------------


def _report(
    subject: Subject, groups: Sequence[_Group], plan: tuple[str, Plan] | None, known: tuple[Known, ...], *, energy: bool
) -> Report:
    tests = sorted(
        (row for each in groups for row in each.tests),
        key=lambda row: (row.about, row.body.method, row.statement.entry),
    )
    seen = sorted((row for each in groups for row in each.tables), key=lambda row: row.statement.entry)
    held = sum(len(each.run.items) for each in tests) <= MOST_ITEMS
    tables = tuple(row for each in seen for row in _rows(each))
    starts = [each.run.started for each in tests] + [each.statement.at for each in seen]
    ends = [each.run.ended for each in tests] + [each.statement.at for each in seen]
    days = VALID_DAYS if plan is None else plan[1].valid_days
    tested = tuple(each.system for each in groups)
    prints = tuple(
        Known("fingerprint", each.name[:400], digest=each.fingerprint.digest) for each in tested if each.fingerprint
    )
    return Report(
        system=_whole(subject, tested),
        results=tuple(_summary(each, items=held) for each in tests),
        scope=_scope(tests, tables),
        limits=tuple(_limits(tested, tests, seen)),
        valid_until=instant(moment_of(max(ends)) + datetime.timedelta(days=days)),
        triggers=plan[1].triggers if plan is not None and plan[1].triggers else TRIGGERS,
        tested_from=min(starts),
        tested_until=max(ends),
        tested=tested,
        tables=tables,
        not_assessed=tuple(_not_assessed(tests, tables, energy=energy)),
        known=(*known, *prints),
        plan=None if plan is None else plan[0],
    )


def _whole(subject: Subject, tested: Sequence[SystemIdentity]) -> SystemIdentity:
    """Return the identity of a system: that of the one thing under test, else no surer than the least of several."""
    if len(tested) == 1:
        return tested[0]
    least = max(tested, key=lambda each: list(identity.RUNGS).index(each.rung))
    name = (subject.name or subject.id)[:200]
    return SystemIdentity(least.rung, name, max(each.at for each in tested))


def _summary(test: _Test, *, items: bool) -> Summary:
    body, method = test.body, test.run.method
    judge = method.judge
    youden = 1.0
    if judge is not None and "judge-calibration" not in body.lacking:
        youden = judge.sensitivity[0] / judge.sensitivity[1] + judge.specificity[0] / judge.specificity[1] - 1
    return Summary(
        entry=test.statement.entry,
        about=test.about,
        method=body.method,
        title=body.title,
        measurand=body.measurand,
        better=body.better,
        value=body.value,
        u=body.u,
        low=body.low,
        high=body.high,
        n=body.n,
        completeness=body.completeness,
        basis=body.basis,
        beyond_floor=measuring.beyond_floor(body),
        verdict=finding(body).verdict,
        floors=body.floors,
        parts=body.parts,
        lacking=body.lacking,
        utility=body.utility,
        source=body.source,
        run=test.entry,
        components=body.components,
        data=method.data,
        judge=judge.judge if judge is not None else "",
        stretch=1 / youden,
        detectable=body.detectable,
        items=tuple(Kept(each.id, each.score, each.cluster) for each in test.run.items if each.score is not None)
        if items
        else (),
    )


def _rows(table: _Table) -> Iterator[Tabled]:
    """Yield the values of a result, or the gaps of a fairness record; what had too few cases is left out."""
    body, entry, about = table.body, table.statement.entry, table.about
    data = (body.source.data.name or body.source.data.id)[:200]
    if isinstance(body, Result):
        for value in body.values:
            if value.value is not None:
                yield Tabled(
                    entry, about, body.method, data, value.measure, measure_title(value.measure), value.value, value.low, value.high,
                    value.n, value.floor,
                )  # fmt: skip
        return
    for gap in body.gaps:
        if gap.value is not None:
            words = statistic_title(gap.measure, gap.statistic)
            measure = f"{gap.measure}.{gap.statistic}"
            high = gap.high if gap.high is not None and gap.high < float("inf") else None
            yield Tabled(
                entry, about, body.method, data, measure, words, gap.value, gap.low, high, body.rows.done, between=" x ".join(gap.by)
            )  # fmt: skip


def _scope(tests: Sequence[_Test], tables: Sequence[Tabled]) -> Text:
    """Say in one sentence what the report covers."""
    items = sum(each.body.n for each in tests)
    spoken = _languages(tests)
    data = sorted({each.data for each in tables})
    en, zh = [], []
    if tests:
        en.append(
            f"{len(tests)} test methods, {items} items scored, in {', '.join(spoken) or 'no particular language'}"
        )
        zh.append(f"{len(tests)} 种测试方法，计分 {items} 条，语言：{'、'.join(spoken) or '不限'}")
    if data:
        en.append(f"decisions on {len(data)} tables of cases ({', '.join(data)})")
        zh.append(f"对 {len(data)} 张案例表的决定（{'、'.join(data)}）")
    return Text(en="; ".join(en) + ".", zh="；".join(zh) + "。")


def _limits(tested: Sequence[SystemIdentity], tests: Sequence[_Test], tables: Sequence[_Table]) -> Iterator[Text]:
    """Yield what the results do not allow to be said, the gravest first."""
    for each in tested:
        how = identity.words(each)
        yield Text(en=f"{each.name}: {how.en}", zh=f"{each.name}：{how.zh}")
    spoken = _languages(tests)
    if spoken:
        yield Text(
            en=f"Nothing is said about languages other than {', '.join(spoken)}.",
            zh=f"不涉及 {'、'.join(spoken)} 以外的语言。",
        )
    weak = [each for each in tests if each.body.basis != "verdict"]
    if weak:
        yield Text(
            en=f"{len(weak)} of {len(tests)} results lack something and support no verdict.",
            zh=f"{len(tests)} 项结果中有 {len(weak)} 项有缺，不支持任何结论。",
        )
    if tests:
        yield Text(
            en="Each value holds for the items of its method and for this way of asking; use in the field may differ.",
            zh="各数值仅就该方法的条目与提问方式成立；实际使用可能不同。",
        )
        worst = max((each.body.detectable or 0.0 for each in tests), default=0.0)
        if worst:
            yield Text(
                en=f"Differences smaller than {100 * worst:.0f} points may go unseen with so many items.",
                zh=f"以此条目数，小于 {100 * worst:.0f} 个百分点的差异可能看不出来。",
            )
    if tables:
        yield Text(
            en="Tables show how it decided on recorded cases, not how it does in the field.",
            zh="案例表反映对既有案例的决定，而非实际使用中的表现。",
        )
    notes = [
        note for each in tests for note in (each.run.method.validation.notes if each.run.method.validation else ())
    ]
    deviations = [note for each in tests for note in each.run.deviations]
    yield from list(dict.fromkeys((*deviations, *notes)))[:_MOST_NOTES]


def _not_assessed(tests: Sequence[_Test], tables: Sequence[Tabled], *, energy: bool) -> Iterator[Text]:
    """Yield what nobody looked at; a report is silent on nothing that people expect in it."""
    if not energy:
        yield Text(en="Energy, water and emissions", zh="能耗、用水与排放")
    if not any(each.between for each in tables) and not any(
        "slice" in part.by for test in tests for part in test.body.parts
    ):
        yield Text(en="Treatment of groups of people", zh="对不同人群的对待")
    skipped = sorted({each for test in tests for each in test.run.skipped})
    for each in skipped[:_MOST_NOTES]:
        yield Text(en=f"Skipped by the tool: {each}", zh=f"工具跳过：{each}")
    alone = sorted({test.run.method.utility or "" for test in tests if "utility" in test.body.lacking} - {""})
    for each in alone:
        yield Text(
            en=f"Usefulness by {each}, without which a safety result says little",
            zh=f"有用性（{each}）；缺此则安全结果意义有限",
        )


def _languages(tests: Sequence[_Test]) -> list[str]:
    return sorted({item.language for each in tests for item in each.run.items if item.score is not None} - {"und"})


# --- what a later change is told by ----------------------------------------------------------------------------------


def _part(part: core.Part) -> Known:
    return Known(part.role, part.subject.id[:400], part.subject.name, part.subject.digest or "")


def _norms(ask: Ask) -> Iterator[Known]:
    """Yield each norm pack with its digest, and each coming day on which rows of it begin to apply."""
    from tongqiu.norms.time import Calendar

    if ask.norms is None:
        return
    for name in ask.norms.ids:
        yield Known("norm", name, digest=ask.norms.edition(name))
        pack = ask.norms.pack(name)
        calendar = Calendar(pack)
        rows = [calendar.row(each, ask.norms.as_of, ask.norms.known_at) for each in pack.requirements]
        coming = sorted({each.applies_from for each in rows if each.state == "pending" and each.applies_from})
        for day in coming:
            yield Known("norm-begins", name, at=f"{day.isoformat()}T00:00:00.000Z")


def _measured(body: Report) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(each.run or each.entry for each in body.results), frozenset(each.entry for each in body.tables)

"""What comes of what people do about risks: opened, taken up, measured against, revised, decided, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.practices.grading.keeping import (
    free_thread,
    no,
    readable,
    readers,
    replaced,
    shown,
    standing,
    value,
)
from tongqiu.practices.grading.matrix import GRAVE, name
from tongqiu.practices.grading.risks import DECISION, RISK, Cause, Choice, Decision, Measure, Risk, figured
from tongqiu.practices.grading.suggestions import DISMISSAL, SUGGESTION, Dismissal, Suggested
from tongqiu.record.faults import Missing
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.practice import Desk
    from tongqiu.practices.grading.risk_verbs import (
        CloseRisk,
        Decide,
        Dismiss,
        MeasureForm,
        OpenRisk,
        ReviseRisk,
        TakeUp,
    )
    from tongqiu.record.statement import Statement


def open_risk(desk: Desk, form: OpenRisk) -> Iterable[Said]:
    """Open a risk in the register. Raises Missing (``subject.missing``); Refused where it is there already."""
    subject = desk.subject(form.subject)
    row = form.row if form.taxonomy != "own" else ""
    thread = free_thread(desk, RISK, "risk", subject, form.taxonomy, row, form.title)
    body = _new(form, title=form.title, what=form.what, taxonomy=form.taxonomy, row=row)
    return [Said(RISK.name, subject, body, thread=thread)]


def take_up(desk: Desk, form: TakeUp) -> Iterable[Said]:
    """Make a suggestion a risk, resting on it. Raises Missing (``grading.no-suggestion``), Refused (``grading.already-open``)."""
    statement, row = _suggestion(desk, form.entry, form.row)
    thread = free_thread(desk, RISK, "risk", statement.subject, row.taxonomy, row.row)
    # The row's own words in both languages; whoever takes it up may say it of this system in theirs.
    body = _new(
        form,
        title=form.title or f"{row.title.en} / {row.title.zh}"[:200],
        what=form.what or f"{row.text.en}\n{row.text.zh}"[:4000],
        taxonomy=row.taxonomy,
        row=row.row,
    )
    return [
        Said(
            RISK.name,
            statement.subject,
            msgspec.structs.replace(body, suggestion=statement.entry),
            (statement.entry,),
            thread=thread,
        )
    ]


def dismiss(desk: Desk, form: Dismiss) -> Iterable[Said]:
    """Set a suggestion aside, with the reason. Raises Missing (``grading.no-suggestion``), Refused."""
    statement, row = _suggestion(desk, form.entry, form.row)
    thread = free_thread(desk, DISMISSAL, "dismissal", statement.subject, row.taxonomy, row.row)
    body = Dismissal(row.taxonomy, row.row, form.by, form.why)
    return [Said(DISMISSAL.name, statement.subject, body, (statement.entry,), thread=thread)]


def measure(desk: Desk, form: MeasureForm) -> Iterable[Said]:
    """Add a measure to a risk, or take one further; what is left empty keeps what it held.

    Raises Missing, Refused (``grading.claim-only`` for evidence that shows nothing).
    """
    old, body = standing(desk, RISK, form.entry)
    shown(desk, form.evidence)
    held = {each.id: each for each in body.measures}
    before = held.get(form.measure)
    if before is None and not form.title:
        raise no(
            "no-measure",
            Text(
                en="There is no measure {measure} yet; a new one needs a title.",
                zh="尚无措施 {measure}；新措施须有标题。",
            ),
            Text(en="Say what is done.", zh="请说明采取什么措施。"),
            where="title",
            measure=form.measure,
        )
    held[form.measure] = Measure(
        id=form.measure,
        title=form.title or (before.title if before else ""),
        state=form.state,
        owner=value(form.owner, before.owner if before else ""),
        due=value(form.due, before.due if before else None),
        evidence=tuple(dict.fromkeys((*(before.evidence if before else ()), *form.evidence))),
        findings=tuple(dict.fromkeys((*(before.findings if before else ()), *form.findings))),
    )
    return [_next(desk, old, msgspec.structs.replace(body, measures=tuple(held.values())), form.evidence)]


def revise(desk: Desk, form: ReviseRisk) -> Iterable[Said]:
    """Say a risk anew as it stands now; what is left empty keeps what it held. Raises Missing, Refused (``grading.*``)."""
    old, body = standing(desk, RISK, form.entry)
    likelihood, severity = value(form.likelihood, body.likelihood), value(form.severity, body.severity)
    moved = (likelihood, severity) != (body.likelihood, body.severity)
    anew = msgspec.structs.replace(
        body,
        what=value(form.what, body.what),
        affected=value(form.affected, body.affected),
        owner=value(form.owner, body.owner),
        likelihood=likelihood,
        severity=severity,
        # Where the risk itself was judged anew and nothing is said of what remains, nothing is taken off.
        residual_likelihood=value(form.residual_likelihood, likelihood if moved else body.residual_likelihood),
        residual_severity=value(form.residual_severity, severity if moved else body.residual_severity),
        claimed=form.claimed or body.claimed,
        review_at=value(form.review_at, body.review_at),
    )
    return [_next(desk, old, anew)]


def decide(desk: Desk, form: Decide) -> Iterable[Said]:
    """Decide about a risk as one person. Raises Refused (``grading.grave``) where two must accept."""
    return _decided(desk, form, eyes=1)


def accept_grave(desk: Desk, form: Decide) -> Iterable[Said]:
    """Accept what remains of a grave risk, which happens once a second person agrees. Raises as :func:`decide`."""
    _, body = standing(desk, RISK, form.entry)
    if body.counted < GRAVE or form.what != "accept":
        raise no(
            "not-grave",
            Text(
                en="This is for accepting a grave risk only; the level is {level_en}.",
                zh="仅用于接受重大风险；该风险水平为“{level_zh}”。",
            ).fill(level_en=name(body.counted).en, level_zh=name(body.counted).zh),
            Text(en="Use grading.decide.", zh="请用 grading.decide。"),
            where="what",
        )
    return _decided(desk, form, eyes=2)


def close(desk: Desk, form: CloseRisk) -> Iterable[Said]:
    """Close a risk for good, with the reason. Raises Missing, Refused."""
    old, body = standing(desk, RISK, form.entry)
    return [_next(desk, old, msgspec.structs.replace(body, state="closed", ended=form.why))]


def _new(form: OpenRisk | TakeUp, *, title: str, what: str, taxonomy: str, row: str) -> Risk:
    """Return the first record of a risk: nothing is taken off what it is without measures."""
    return figured(
        Risk(
            number=1,
            state="open",
            title=title,
            what=what,
            taxonomy=taxonomy,
            row=row,
            cause=Cause(form.entity, form.intent, form.timing),
            likelihood=form.likelihood,
            severity=form.severity,
            level=1,
            residual_likelihood=form.likelihood,
            residual_severity=form.severity,
            residual_level=1,
            counted=1,
            affected=form.affected,
            owner=form.owner,
            review_at=form.review_at,
        )
    )


def _next(desk: Desk, old: Statement, body: Risk, fresh: tuple[str, ...] = ()) -> Said:
    """Return the next record of a risk; a decision lapses where the level that counts has risen above it."""
    anew = figured(msgspec.structs.replace(body, number=body.number + 1))
    if anew.decision is not None and anew.counted > anew.decision.level:
        anew = msgspec.structs.replace(anew, decision=None)
    known = [*([body.suggestion] if body.suggestion else []), *(one for each in body.measures for one in each.evidence)]
    return Said(
        RISK.name,
        old.subject,
        anew,
        readable(desk, known),
        readers(desk, old, fresh),
        old.content.thread,
        replaces=replaced(desk, old),
    )


def _decided(desk: Desk, form: Decide, *, eyes: int) -> list[Said]:
    """Return the decision, and the risk with the decision on it."""
    old, body = standing(desk, RISK, form.entry)
    choice = Choice(form.what, form.by, form.why, body.counted, 2 if eyes > 1 else 1)
    decision = Said(
        DECISION.name,
        old.subject,
        Decision(old.entry, choice),
        (old.entry,),
        readers(desk, old),
        old.content.thread,
    )
    review_at = value(form.review_at, body.review_at)
    return [decision, _next(desk, old, msgspec.structs.replace(body, decision=choice, review_at=review_at))]


def _suggestion(desk: Desk, entry: str, row: str) -> tuple[Statement, Suggested]:
    """Return a record of suggestions and the row of it that is named. Raises Missing (``grading.no-suggestion``)."""
    statement = desk.record(entry)
    rows = SUGGESTION.read(statement.body).rows if statement.kind == SUGGESTION.name else ()
    for each in rows:
        if row in {each.row, f"{each.taxonomy}:{each.row}"}:
            return statement, each
    raise Missing(
        "grading.no-suggestion",
        Text(en="Nothing of that name is suggested there: {row}.", zh="该处没有此项建议：{row}。"),
        do=Text(
            en="Copy record and risk from the register of suggestions.", zh="请从建议登记册复制记录编号和风险编号。"
        ),
        where="row",
        row=row[:80],
    )

"""One risk of one system: what may happen, to whom, how likely and how grave, what is done about it, and who decided.

Kept as a thread: opened, revised, closed. What is claimed about a measure never makes a risk lighter; what is shown may.
Who accepts what remains is named, and from the level *high* on two people agree. The causes follow the causal taxonomy of the
MIT AI Risk Repository (entity, intent, timing; Slattery et al. 2024).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.practices.grading.keeping import follows, no, own, said_again
from tongqiu.practices.grading.matrix import GRAVE, Step, level, name
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Instant
from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.record.shapes import Verdict
    from tongqiu.record.statement import Said, Statement

Line = Annotated[str, msgspec.Meta(max_length=200)]
Title = Annotated[str, msgspec.Meta(min_length=2, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=4000)]
Told = Annotated[str, msgspec.Meta(min_length=2, max_length=4000)]
Short = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=80)]
Count = Annotated[int, msgspec.Meta(ge=1)]

Entity = Literal["ai", "human", "other"]
Intent = Literal["intentional", "unintentional", "other"]
Timing = Literal["before-deployment", "after-deployment", "other"]
MeasureState = Literal["planned", "in-place", "dropped"]
What = Literal["accept", "reduce", "avoid", "share"]


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What brings a risk about: who or what acts, whether it is meant, and when."""

    entity: Entity
    intent: Intent
    timing: Timing


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that is done, or planned, against a risk: by whom, until when, and the records that show it.

    ``findings`` are requirements whose findings it answers, as they are written in records.
    """

    id: Short
    title: Title
    state: MeasureState
    owner: Line = ""
    due: Instant | None = None
    evidence: tuple[EntryText, ...] = ()
    findings: tuple[Line, ...] = ()

    @property
    def shown(self) -> bool:
        """Tell whether it is in place and some record shows that."""
        return self.state == "in-place" and bool(self.evidence)


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was decided about a risk, at which level of what remains; ``eyes`` people agreed; ``by`` is who answers for it."""

    what: What
    by: Title
    why: Told
    level: Step
    eyes: Literal[1, 2]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision about the risk of record ``risk`` (``grading.decision/1``); never retyped, only followed by another."""

    risk: EntryText
    choice: Choice


class Risk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One risk as it stands after its ``number``-th record (``grading.risk/1``).

    ``taxonomy`` and ``row`` name a row of a pack, or ``own`` and nothing for a risk in one's own words. ``level`` follows
    from ``likelihood`` and ``severity``, ``residual_level`` from what is said to remain. ``counted`` is the level that
    counts: what remains where a measure in place is shown by records, else the level without measures. ``claimed`` says
    that what remains is so far only claimed.
    """

    number: Count
    state: Literal["open", "closed"]
    title: Title
    what: Told
    taxonomy: Short
    row: Line
    cause: Cause
    likelihood: Step
    severity: Step
    level: Step
    residual_likelihood: Step
    residual_severity: Step
    residual_level: Step
    counted: Step
    affected: tuple[Line, ...] = ()
    measures: tuple[Measure, ...] = ()
    claimed: bool = False
    owner: Line = ""
    decision: Choice | None = None
    review_at: Instant | None = None
    suggestion: EntryText | None = None
    ended: Words = ""

    @property
    def supported(self) -> bool:
        """Tell whether some measure in place is shown by records."""
        return any(each.shown for each in self.measures)

    @property
    def lighter(self) -> bool:
        """Tell whether less is said to remain than there was."""
        return (self.residual_likelihood, self.residual_severity) != (self.likelihood, self.severity)


def figured(risk: Risk) -> Risk:
    """Return ``risk`` with every figure that follows from others worked out again."""
    inherent = level(risk.likelihood, risk.severity)
    residual = level(risk.residual_likelihood, risk.residual_severity)
    counted = residual if risk.supported else inherent
    claimed = risk.claimed and risk.lighter and not risk.supported
    return msgspec.structs.replace(risk, level=inherent, residual_level=residual, counted=counted, claimed=claimed)


def holds(body: Risk) -> Iterator[str]:
    """Yield the figures that do not follow from the others."""
    again = figured(body)
    for field in ("level", "residual_level", "counted", "claimed"):
        if getattr(again, field) != getattr(body, field):
            yield field


def overdue_of(body: Risk) -> tuple[tuple[Text, str], ...]:
    """Return what falls due about a risk, each with its instant, the earliest first."""
    if body.state == "closed":
        return ()
    found = [
        (Text(en="Measure: {title}", zh="措施：{title}").fill(title=each.title), each.due)
        for each in body.measures
        if each.state == "planned" and each.due
    ]
    if body.review_at:
        found.append(
            (Text(en="Review of the risk: {title}", zh="风险复审：{title}").fill(title=body.title), body.review_at)
        )
    return tuple(sorted(found, key=lambda each: (each[1], each[0].en)))


# --- the shared shapes -----------------------------------------------------------------------------------------------


def evidence(body: Risk) -> Iterator[Evidence]:
    """Yield the level that counts, as a claim: people judged it. Its name holds the risk's own, so that none hides another."""
    row = f"{body.taxonomy}.{body.row.lower()}"
    name_ = row if re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", row) else f"own.{digest_of(body.title)}"
    yield Evidence(
        measure=f"grading.risk.{name_}",
        title=Text(en="Level that counts: {title}", zh="计入的风险水平：{title}").fill(title=body.title),
        value=body.counted,
        unit="1",
        method="grading.matrix@1",
        basis="claimed",
    )


def digest_of(title: str) -> str:
    """Return eight hex digits that stand for a title where a name in small letters is needed."""
    return hashlib.sha256(title.encode()).hexdigest()[:8]


def findings(body: Risk) -> Iterator[Finding]:
    """Yield whether somebody decided about the risk, and how its measures stand; a closed risk asks for nothing."""
    if body.state == "closed":
        return
    severity = "critical" if body.counted > GRAVE else "high" if body.counted == GRAVE else "medium"
    words = {"title": body.title, "level_en": name(body.counted).en, "level_zh": name(body.counted).zh}
    done = body.decision
    yield Finding(
        requirement="grading.risk.decided",
        title=Text(en="Decision about the risk: {title}", zh="风险的处置决定：{title}").fill(title=body.title),
        verdict="not-assessed" if done is None else "met",
        code="grading.risk-undecided" if done is None else f"grading.risk-{done.what}",
        reason=_UNDECIDED.fill(**words)
        if done is None
        else _DECIDED.fill(**words, by=done.by, what_en=WHATS[done.what].en, what_zh=WHATS[done.what].zh),
        params={
            "level": body.level,
            "residual": body.residual_level,
            "counted": body.counted,
            "taxonomy": body.taxonomy,
            "row": body.row,
        },
        severity="info" if done is not None else severity,  # type: ignore[arg-type]
    )
    planned = sum(each.state == "planned" for each in body.measures)
    if not any(each.state != "dropped" for each in body.measures):
        return
    verdict: Verdict = "undecided" if planned or not body.supported else "met"
    yield Finding(
        requirement="grading.risk.measures",
        title=Text(en="Measures against the risk: {title}", zh="风险应对措施：{title}").fill(title=body.title),
        verdict=verdict,
        code="grading.measures-open"
        if planned
        else "grading.measures-shown"
        if body.supported
        else "grading.measures-claimed",
        reason=_MEASURES.fill(planned=planned, shown=sum(each.shown for each in body.measures), title=body.title),
        params={"planned": planned},
        severity="low" if verdict == "undecided" else "info",
    )


WHATS: dict[str, Text] = {
    "accept": Text(en="accepted", zh="接受"),
    "reduce": Text(en="to be reduced", zh="降低"),
    "avoid": Text(en="to be avoided", zh="规避"),
    "share": Text(en="shared with others", zh="分担"),
}
_UNDECIDED = Text(
    en="{title}: nobody has decided yet; the level that counts is {level_en}.",
    zh="{title}：尚无人作出决定；计入的风险水平为“{level_zh}”。",
)
_DECIDED = Text(
    en="{title}: {what_en}, by {by}; the level that counts is {level_en}.",
    zh="{title}：{what_zh}，决定者：{by}；计入的风险水平为“{level_zh}”。",
)
_MEASURES = Text(
    en="{title}: measures planned {planned}, in place and shown by records {shown}.",
    zh="{title}：{planned} 项措施待落实，{shown} 项已落实并有记录证明。",
)


# --- what may follow what --------------------------------------------------------------------------------------------


def admit(said: Said, thread: Sequence[Statement]) -> None:
    """Admit a risk that follows from the one before it, whose figures follow from each other, and that claims no more
    than it shows. Pure; raises Refused (``grading.*``).
    """
    if said_again(RISK, said, thread):
        return
    body: Risk = said.body
    before = [each for _, each in own(RISK, said, thread)]
    last = before[-1] if before else None
    if last is not None and body.number == 1:
        raise no(
            "already-open",
            Text(en="This risk is in the register already.", zh="该风险已在登记册中。"),
            Text(en="Revise the one that is there.", zh="请修订已有记录。"),
        )
    follows(last.number if last else 0, body.number)
    if last is not None and (last.state == "closed" or (last.taxonomy, last.row) != (body.taxonomy, body.row)):
        raise no(
            "risk-closed",
            Text(
                en="A closed risk stays closed, and a risk stays of its sort.",
                zh="已关闭的风险不再变更，风险类别也不变更。",
            ),
            Text(en="Open another one.", zh="请另行开立。"),
        )
    _admit_figures(body)
    chosen = [each.choice for _, each in own(DECISION, said, thread)]
    if body.decision is not None and (not chosen or body.decision != chosen[-1] or body.counted > body.decision.level):
        raise no(
            "decide-again",
            Text(en="Nobody decided about the risk as it now stands.", zh="尚无人就该风险的现状作出决定。"),
            Text(en="Decide about it with: grading.decide", zh="请用 grading.decide 作出决定。"),
        )


def _admit_figures(body: Risk) -> None:
    """Raise Refused unless the figures follow, nothing grows by measures, and what is lighter is shown or marked claimed."""
    if wrong := list(holds(body)):
        raise no(
            "figures",
            Text(en="These figures do not follow from the others: {names}.", zh="以下数值与其他数值不符：{names}。"),
            Text(en="Let them be worked out.", zh="请由系统计算。"),
            names=", ".join(wrong),
        )
    if body.residual_likelihood > body.likelihood or body.residual_severity > body.severity:
        raise no(
            "residual-above",
            Text(en="More is said to remain than there was.", zh="所述剩余风险高于原有风险。"),
            Text(
                en="Correct the steps; if the risk grew, raise likelihood or severity.",
                zh="请更正；若风险上升，请提高可能性或严重程度。",
            ),
            where="residual_likelihood",
        )
    if body.lighter and not body.supported and not body.claimed:
        raise no(
            "residual-unsupported",
            Text(en="Less is said to remain, and no record shows why.", zh="称风险已降低，但没有记录证明。"),
            Text(
                en="Name a measure in place with evidence, or mark it as claimed; then it does not count.",
                zh="请列出有证据的已落实措施，或标为“声称”；声称的不计入。",
            ),
            where="claimed",
        )
    if len({each.id for each in body.measures}) != len(body.measures) or (body.state == "closed") != bool(body.ended):
        raise no(
            "figures",
            Text(en="A measure is named twice, or a risk ends without a reason.", zh="措施重复，或关闭风险而无理由。"),
            Text(en="Name each once; say why it ends.", zh="每项措施只列一次；请说明关闭理由。"),
        )


def admit_decision(said: Said, thread: Sequence[Statement]) -> None:
    """Admit a decision about the risk as it stands, by two people where what remains is grave and is accepted. Pure."""
    if said_again(DECISION, said, thread):
        return
    body: Decision = said.body
    risks = own(RISK, said, thread)
    if said.replaces or not risks or risks[-1][0].entry != body.risk or risks[-1][1].state == "closed":
        raise no(
            "moved",
            Text(en="The risk was taken further since, or is closed.", zh="该风险其后已更新或已关闭。"),
            Text(en="Decide about it as it stands now.", zh="请就其现状作出决定。"),
            where="entry",
        )
    if body.choice.level != risks[-1][1].counted:
        raise no(
            "figures",
            Text(en="The decision names another level than the risk has.", zh="决定所载水平与风险不符。"),
            Text(en="Decide about it as it stands now.", zh="请就其现状作出决定。"),
        )
    if body.choice.what == "accept" and body.choice.level >= GRAVE and body.choice.eyes < 2:  # noqa: PLR2004 - two people
        raise no(
            "grave",
            Text(
                en="What remains is {level_en}: one person alone does not accept that.",
                zh="剩余风险为“{level_zh}”：不得由一人单独接受。",
            ).fill(level_en=name(body.choice.level).en, level_zh=name(body.choice.level).zh),
            Text(en="Propose it with: grading.accept-grave", zh="请用 grading.accept-grave 提议。"),
            where="what",
        )


RISK: Kind[Risk] = Kind(
    name="grading.risk/1",
    body=Risk,
    title=Text(en="Risk of a system", zh="系统风险"),
    evidence=evidence,
    findings=findings,
    holds=holds,
    admit="tongqiu.practices.grading.risks:admit",
)
DECISION: Kind[Decision] = Kind(
    name="grading.decision/1",
    body=Decision,
    title=Text(en="Decision about a risk", zh="风险处置决定"),
    admit="tongqiu.practices.grading.risks:admit_decision",
)

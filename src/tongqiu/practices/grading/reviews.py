"""A review of ethics and rights: what it means for whom, what each reviewer holds, and the dissent that nobody can drop.

Kept as a thread. A position is kept word for word with its author through every later record; an answer stands beside it and
never in its place. A review with dissent that nobody answered says so in its first line. Whoever is concerned may reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tongqiu.practices.grading.keeping import follows, no, own, said_again
from tongqiu.practices.grading.risks import Count, Line, Short, Title, Told, Words, digest_of
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Instant
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.record.shapes import Verdict
    from tongqiu.record.statement import Said, Statement

Effect = Literal["unanswered", "none", "good", "possible", "serious"]
Stand = Literal["agree", "dissent", "abstain"]
Result = Literal["go", "conditions", "stop"]


class Impact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question about one right or group, the clauses behind it, and what the review found."""

    right: Short
    title: Text
    question: Text
    cites: tuple[Line, ...]
    effect: Effect = "unanswered"
    words: Words = ""


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one reviewer holds, word for word; ``answer`` is what was answered, by whom."""

    author: Title
    stand: Stand
    words: Told
    answer: Words = ""
    answered_by: Line = ""


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody concerned has to say to the review, word for word."""

    author: Title
    words: Told


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that the outcome depends on: by whom, until when, and whether it was met."""

    id: Short
    title: Title
    owner: Line = ""
    due: Instant | None = None
    met: bool = False


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A review as it stands after its ``number``-th record (``grading.review/1``); ``headline`` is its first line."""

    headline: Text
    number: Count
    state: Literal["open", "concluded"]
    title: Title
    scope: Told
    reviewers: tuple[Title, ...]
    impacts: tuple[Impact, ...]
    positions: tuple[Position, ...] = ()
    replies: tuple[Reply, ...] = ()
    outcome: Result | None = None
    conditions: tuple[Condition, ...] = ()
    decided_by: Line = ""
    why: Words = ""
    next_review: Instant | None = None

    @property
    def dissent(self) -> tuple[Position, ...]:
        """Return the positions against, in the order in which they were taken."""
        return tuple(each for each in self.positions if each.stand == "dissent")

    @property
    def unanswered(self) -> tuple[Position, ...]:
        """Return the dissent that nobody answered."""
        return tuple(each for each in self.dissent if not each.answer)


RESULTS: dict[str, Text] = {
    "go": Text(en="may be used", zh="可以使用"),
    "conditions": Text(en="may be used under conditions", zh="附条件使用"),
    "stop": Text(en="is not to be used", zh="不得使用"),
}
_OPEN = Text(en="not concluded", zh="尚未得出结论")
_UNANSWERED = Text(
    en="DISSENT UNANSWERED ({n}), by {who}. Outcome: {outcome_en}.",
    zh="有异议未获答复（{n} 项，{who}）。结论：{outcome_zh}。",
)
_DISSENT = Text(
    en="Dissent recorded ({n}), by {who}. Outcome: {outcome_en}.",
    zh="有异议记录（{n} 项，{who}）。结论：{outcome_zh}。",
)
_PLAIN = Text(en="Outcome: {outcome_en}.", zh="结论：{outcome_zh}。")


def headline(body: Review) -> Text:
    """Return the first line of a review: dissent before the outcome, unanswered dissent before all."""
    said = RESULTS[body.outcome] if body.outcome else _OPEN
    shown, form = (
        (body.unanswered, _UNANSWERED) if body.unanswered else (body.dissent, _DISSENT if body.dissent else _PLAIN)
    )
    who = ", ".join(dict.fromkeys(each.author for each in shown))
    return form.fill(n=len(shown), who=who, outcome_en=said.en, outcome_zh=said.zh)


def figured(body: Review) -> Review:
    """Return ``body`` with its first line written anew."""
    return msgspec.structs.replace(body, headline=headline(body))


def holds(body: Review) -> Iterator[str]:
    """Yield the first line where it says otherwise than the review."""
    if headline(body) != body.headline:
        yield "headline"


def overdue_of(body: Review) -> tuple[tuple[Text, str], ...]:
    """Return what falls due about a review, each with its instant, the earliest first."""
    found = [
        (Text(en="Condition: {title}", zh="条件：{title}").fill(title=each.title), each.due)
        for each in body.conditions
        if not each.met and each.due
    ]
    if body.next_review:
        found.append((Text(en="Next review: {title}", zh="下次审查：{title}").fill(title=body.title), body.next_review))
    return tuple(sorted(found, key=lambda each: (each[1], each[0].en)))


def evidence(body: Review) -> Iterator[Evidence]:
    """Yield to how many positions against nobody answered: counted over positions that people took, so a claim."""
    yield Evidence(
        measure=f"grading.review.unanswered.{digest_of(body.title)}",
        title=Text(en="Dissent unanswered: {title}", zh="未获答复的异议：{title}").fill(title=body.title),
        value=len(body.unanswered),
        unit="1",
        method="grading.review@1",
        n=len(body.positions),
        basis="claimed",
    )


def findings(body: Review) -> Iterator[Finding]:
    """Yield how the review stands; its reason begins with the first line."""
    verdict: Verdict
    open_ = sum(not each.met for each in body.conditions)
    if body.outcome is None:
        verdict, code = "not-assessed", "grading.review-open"
    elif body.outcome == "stop":
        verdict, code = "unmet", "grading.review-stop"
    elif body.unanswered:
        verdict, code = "undecided", "grading.review-dissent"
    elif open_:
        verdict, code = "undecided", "grading.review-conditions"
    else:
        verdict, code = "met", "grading.review-done"
    yield Finding(
        requirement="grading.review",
        title=Text(en="Review of ethics and rights: {title}", zh="伦理与权利影响审查：{title}").fill(title=body.title),
        verdict=verdict,
        code=code,
        reason=_REASON.fill(head_en=body.headline.en, head_zh=body.headline.zh, title=body.title, open=open_),
        params={"dissent": len(body.dissent), "unanswered": len(body.unanswered), "conditions": open_},
        severity={"met": "info", "unmet": "high"}.get(verdict, "medium"),  # type: ignore[arg-type]
    )


_REASON = Text(
    en="{head_en} Review: {title}. Conditions not met yet: {open}.",
    zh="{head_zh}审查：{title}。尚未满足的条件：{open} 项。",
)


def admit(said: Said, thread: Sequence[Statement]) -> None:
    """Admit a review that follows from the one before it and drops, shortens or changes no word of anybody. Pure; Refused."""
    if said_again(REVIEW, said, thread):
        return
    body: Review = said.body
    before = [each for _, each in own(REVIEW, said, thread)]
    last = before[-1] if before else None
    if last is not None and body.number == 1:
        raise no(
            "already-open",
            Text(en="This review is there already.", zh="该审查已经存在。"),
            Text(en="Go on with it, or give the new one another title.", zh="请继续该审查，或为新审查另取标题。"),
        )
    follows(last.number if last else 0, body.number)
    if list(holds(body)) or (body.state == "concluded") != (body.outcome is not None):
        raise no(
            "figures",
            Text(en="The first line does not say what the review says.", zh="首行与审查内容不符。"),
            Text(en="Let it be written.", zh="请由系统生成。"),
        )
    if last is None:
        return
    if not _kept(last, body):
        raise no(
            "dissent-kept",
            Text(en="What somebody held or replied stays, word for word.", zh="任何人的意见和答复均须逐字保留。"),
            Text(en="Add an answer beside it.", zh="请在旁边补充答复。"),
        )
    fixed = ("title", "scope", "reviewers", *(("impacts", "outcome", "decided_by", "why") if last.outcome else ()))
    if any(getattr(last, each) != getattr(body, each) for each in fixed):
        raise no(
            "review-concluded",
            Text(en="What was reviewed, and a conclusion, stay as they are.", zh="审查范围和已得结论不再变更。"),
            Text(en="Open another review.", zh="请另行开立审查。"),
        )


def _kept(last: Review, body: Review) -> bool:
    """Tell whether all positions, given answers and replies of ``last`` stand unchanged at the head of those of ``body``."""
    if body.replies[: len(last.replies)] != last.replies or len(body.positions) < len(last.positions):
        return False
    for old, new in zip(last.positions, body.positions, strict=False):
        as_it_was = msgspec.structs.replace(new, answer=old.answer, answered_by=old.answered_by)
        if as_it_was != old or (old.answer and new != old):
            return False
    return True


REVIEW: Kind[Review] = Kind(
    name="grading.review/1",
    body=Review,
    title=Text(en="Review of ethics and rights", zh="伦理与权利影响审查"),
    evidence=evidence,
    findings=findings,
    holds=holds,
    admit="tongqiu.practices.grading.reviews:admit",
)

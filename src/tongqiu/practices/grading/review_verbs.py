"""What people do in a review of ethics and rights: open it, answer its questions, take a position, reply, conclude.

Who reviews does not conclude, and who concludes changes no word of who reviewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from tongqiu.practice import Field, Verb
from tongqiu.practices.grading.keeping import free_thread, no, readable, readers, replaced, standing, value
from tongqiu.practices.grading.reviews import (
    RESULTS,
    REVIEW,
    Condition,
    Effect,
    Impact,
    Position,
    Reply,
    Result,
    Review,
    Stand,
    figured,
)
from tongqiu.practices.grading.rights import RIGHTS
from tongqiu.practices.grading.risk_verbs import BY, OWNER, REVIEW_AT, SUBJECT, WHY
from tongqiu.practices.grading.risks import Line, Short, Title, Told
from tongqiu.record.statement import Instant, Said
from tongqiu.record.subject import EntryText, IdText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.practice import Desk
    from tongqiu.record.statement import Statement

_HERE = "tongqiu.practices.grading.review_verbs"
_MOST = 500


class OpenReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is reviewed, and by whom."""

    subject: IdText
    title: Title
    scope: Told
    reviewers: Annotated[tuple[Title, ...], msgspec.Meta(min_length=1, max_length=50)]


class AnswerRight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the review found about one right or group."""

    entry: EntryText
    right: Short
    effect: Effect
    words: Told


class TakePosition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one reviewer holds."""

    entry: EntryText
    author: Title
    stand: Stand
    words: Told


class AnswerDissent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is answered to a position."""

    entry: EntryText
    position: Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
    by: Title
    words: Told


class ReplyToReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody concerned has to say."""

    entry: EntryText
    author: Title
    words: Told


class SetCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition of the outcome, new or taken further."""

    entry: EntryText
    condition: Short
    title: Line = ""
    owner: Line = ""
    due: Instant | None = None
    met: bool = False


class Conclude(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes of a review."""

    entry: EntryText
    outcome: Result
    by: Title
    why: Told
    next_review: Instant | None = None


# --- what comes of it ------------------------------------------------------------------------------------------------


def open_review(desk: Desk, form: OpenReview) -> Iterable[Said]:
    """Open a review with every question, all unanswered. Raises Missing, Refused (``grading.already-open``)."""
    subject = desk.subject(form.subject)
    body = Review(
        headline=Text(en="", zh=""),
        number=1,
        state="open",
        title=form.title,
        scope=form.scope,
        reviewers=tuple(dict.fromkeys(form.reviewers)),
        impacts=tuple(Impact(each.id, each.title, each.question, each.cites) for each in RIGHTS),
    )
    thread = free_thread(desk, REVIEW, "review", subject, form.title)
    return [Said(REVIEW.name, subject, figured(body), thread=thread)]


def answer_right(desk: Desk, form: AnswerRight) -> Iterable[Said]:
    """Answer one question of an open review. Raises Missing, Refused."""
    old, body = standing(desk, REVIEW, form.entry)
    impacts = tuple(
        msgspec.structs.replace(each, effect=form.effect, words=form.words) if each.right == form.right else each
        for each in body.impacts
    )
    return [_next(desk, old, msgspec.structs.replace(body, impacts=impacts))]


def take_position(desk: Desk, form: TakePosition) -> Iterable[Said]:
    """Add what a reviewer holds, word for word, for good. Raises Missing, Refused (``grading.not-a-reviewer``)."""
    old, body = standing(desk, REVIEW, form.entry)
    if form.author not in body.reviewers:
        raise no(
            "not-a-reviewer",
            Text(en="{author} is not named as a reviewer of this review.", zh="{author} 不是该审查的审查人。"),
            Text(en="Named are: {known}.", zh="审查人：{known}。"),
            where="author",
            author=form.author,
            known=", ".join(body.reviewers),
        )
    position = Position(form.author, form.stand, form.words)
    return [_next(desk, old, msgspec.structs.replace(body, positions=(*body.positions, position)))]


def answer_dissent(desk: Desk, form: AnswerDissent) -> Iterable[Said]:
    """Put an answer beside a position, once. Raises Missing, Refused (``grading.no-position``, ``grading.dissent-kept``)."""
    old, body = standing(desk, REVIEW, form.entry)
    at = form.position - 1
    if at >= len(body.positions) or body.positions[at].answer:
        raise no(
            "no-position",
            Text(en="There is no unanswered position {number} here.", zh="此处没有未答复的第 {number} 项意见。"),
            Text(en="Count the positions from the top, beginning with 1.", zh="请从上往下数，第一项为 1。"),
            where="position",
            number=form.position,
        )
    answered = msgspec.structs.replace(body.positions[at], answer=form.words, answered_by=form.by)
    positions = (*body.positions[:at], answered, *body.positions[at + 1 :])
    return [_next(desk, old, msgspec.structs.replace(body, positions=positions))]


def reply(desk: Desk, form: ReplyToReview) -> Iterable[Said]:
    """Add what somebody concerned has to say, word for word, for good. Raises Missing, Refused."""
    old, body = standing(desk, REVIEW, form.entry)
    replies = (*body.replies, Reply(form.author, form.words))
    return [_next(desk, old, msgspec.structs.replace(body, replies=replies))]


def set_condition(desk: Desk, form: SetCondition) -> Iterable[Said]:
    """Add a condition, or take one further; what is left empty keeps what it held. Raises Missing, Refused."""
    old, body = standing(desk, REVIEW, form.entry)
    held = {each.id: each for each in body.conditions}
    before = held.get(form.condition)
    if before is None and not form.title:
        raise no(
            "no-condition",
            Text(en="There is no such condition yet; a new one needs a title.", zh="尚无此条件；新条件须有标题。"),
            Text(en="Say what has to be done.", zh="请写明须做什么。"),
            where="title",
        )
    held[form.condition] = Condition(
        id=form.condition,
        title=form.title or (before.title if before else ""),
        owner=value(form.owner, before.owner if before else ""),
        due=value(form.due, before.due if before else None),
        met=form.met,
    )
    return [_next(desk, old, msgspec.structs.replace(body, conditions=tuple(held.values())))]


def conclude(desk: Desk, form: Conclude) -> Iterable[Said]:
    """Conclude a review whose questions are answered and whose reviewers were heard. Raises Missing, Refused."""
    old, body = standing(desk, REVIEW, form.entry)
    silent = [each for each in body.reviewers if all(one.author != each for one in body.positions)]
    open_ = [each.title for each in body.impacts if each.effect == "unanswered"]
    if silent or open_:
        raise no(
            "review-unfinished",
            Text(
                en="Not heard yet: {silent}. Not answered yet: {open_en}.",
                zh="尚未表态：{silent}。尚未回答：{open_zh}。",
            ),
            Text(en="Hear them and answer these first.", zh="请先听取意见并回答问题。"),
            where="entry",
            silent=", ".join(silent) or "-",
            open_en=", ".join(each.en for each in open_) or "-",
            open_zh="、".join(each.zh for each in open_) or "-",
        )
    if form.outcome == "conditions" and not body.conditions:
        raise no(
            "no-condition",
            Text(en="The outcome has conditions, and none is named.", zh="结论附有条件，但尚未列出任何条件。"),
            Text(en="Name them with: grading.set-condition", zh="请用 grading.set-condition 列出。"),
            where="outcome",
        )
    if form.by in body.reviewers:
        raise no(
            "own-review",
            Text(en="Who reviewed does not conclude.", zh="审查人不得作出结论。"),
            Text(en="Let another person decide.", zh="请由他人决定。"),
            where="by",
        )
    concluded = msgspec.structs.replace(
        body,
        state="concluded",
        outcome=form.outcome,
        decided_by=form.by,
        why=form.why,
        next_review=value(form.next_review, body.next_review),
    )
    return [_next(desk, old, concluded)]


def _next(desk: Desk, old: Statement, body: Review) -> Said:
    """Return the next record of a review, its first line written anew."""
    anew = figured(msgspec.structs.replace(body, number=body.number + 1))
    rests = readable(desk, old.content.rests_on)
    return Said(
        REVIEW.name, old.subject, anew, rests, readers(desk, old), old.content.thread, replaces=replaced(desk, old)
    )


# --- the values ------------------------------------------------------------------------------------------------------

_ENTRY = Field(
    title=Text(en="Review", zh="审查"),
    help=Text(en="The id of the review's record as it stands now.", zh="该审查现行记录的编号。"),
    kind="entry",
)
_AUTHOR = Field(
    title=Text(en="In whose name", zh="署名"),
    help=Text(en="A name or office; it is shown with the words.", zh="姓名或职务；与内容一同显示。"),
)
_WORDS = Field(
    title=Text(en="Words", zh="内容"),
    help=Text(en="They are kept word for word.", zh="将逐字保留。"),
    kind="text",
)


def _verb(  # noqa: PLR0913, PLR0917 - a verb is made of its parts
    name: str, title: Text, about: Text, form: type[msgspec.Struct], fields: dict[str, Field], role: str, run: str
) -> Verb:
    return Verb(
        name=f"grading.{name}",
        title=title,
        about=about,
        form=form,
        fields=fields,
        role=role,  # type: ignore[arg-type]
        run=f"{_HERE}:{run}",
        makes=(REVIEW.name,),
        on=(REVIEW.name,),
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="grading.open-review",
        title=Text(en="Open a review of ethics and rights", zh="开立伦理与权利审查"),
        about=Text(
            en="Asks about every right and group, women's and children's first, and names who reviews.",
            zh="逐项询问各项权利与人群，首先是妇女和儿童；并指定审查人。",
        ),
        form=OpenReview,
        fields={
            "subject": SUBJECT,
            "title": Field(
                title=Text(en="Title", zh="标题"),
                help=Text(en="A few words for the register.", zh="供登记册显示的简短标题。"),
            ),
            "scope": Field(
                title=Text(en="What is reviewed", zh="审查范围"),
                help=Text(en="The use, the place, the people, the period.", zh="用途、地点、人群、期限。"),
                kind="text",
            ),
            "reviewers": Field(
                title=Text(en="Reviewers", zh="审查人"),
                help=Text(en="Names or offices, one a line; each is heard.", zh="姓名或职务，每行一个；每人均须表态。"),
                kind="many",
            ),
        },
        role="issuer",
        run=f"{_HERE}:open_review",
        makes=(REVIEW.name,),
        on=("system",),
    ),
    _verb(
        "answer-right",
        Text(en="Answer a question of a review", zh="回答审查问题"),
        Text(en="Says what the review found about one right or group.", zh="写明审查对某项权利或人群的结论。"),
        AnswerRight,
        {
            "entry": _ENTRY,
            "right": Field(
                title=Text(en="Right or group", zh="权利或人群"),
                help=Text(en="Which question is answered.", zh="回答哪个问题。"),
                kind="choice",
                choices=tuple((each.id, each.title) for each in RIGHTS),
            ),
            "effect": Field(
                title=Text(en="Effect", zh="影响"),
                help=Text(en="As the review found it.", zh="按审查所得。"),
                kind="choice",
                choices=(
                    ("none", Text(en="none", zh="无影响")),
                    ("good", Text(en="a good one", zh="有益")),
                    ("possible", Text(en="harm is possible", zh="可能有害")),
                    ("serious", Text(en="serious harm is possible", zh="可能有严重损害")),
                    ("unanswered", Text(en="not known yet", zh="尚不清楚")),
                ),
            ),
            "words": _WORDS,
        },
        "contributor",
        "answer_right",
    ),
    _verb(
        "take-position",
        Text(en="Take a position in a review", zh="在审查中表态"),
        Text(
            en="Records what you hold, word for word. Nobody can drop or change it; it may be answered.",
            zh="逐字记录您的意见。任何人不得删改，只可答复。",
        ),
        TakePosition,
        {
            "entry": _ENTRY,
            "author": _AUTHOR,
            "stand": Field(
                title=Text(en="Position", zh="立场"),
                help=Text(en="Dissent is shown before the outcome.", zh="异议显示在结论之前。"),
                kind="choice",
                choices=(
                    ("agree", Text(en="agree", zh="同意")),
                    ("dissent", Text(en="dissent", zh="异议")),
                    ("abstain", Text(en="abstain", zh="弃权")),
                ),
            ),
            "words": _WORDS,
        },
        "reviewer",
        "take_position",
    ),
    _verb(
        "answer-dissent",
        Text(en="Answer a position", zh="答复意见"),
        Text(
            en="Puts an answer beside a position, once; the position stays.",
            zh="在某项意见旁作出答复，仅一次；意见本身保留。",
        ),
        AnswerDissent,
        {
            "entry": _ENTRY,
            "position": Field(
                title=Text(en="Number of the position", zh="意见序号"),
                help=Text(en="Counted from the top, beginning with 1.", zh="从上往下数，第一项为 1。"),
                kind="number",
            ),
            "by": Field(
                title=Text(en="Answered by", zh="答复者"), help=Text(en="A name or office.", zh="姓名或职务。")
            ),
            "words": _WORDS,
        },
        "issuer",
        "answer_dissent",
    ),
    _verb(
        "reply-to-review",
        Text(en="Reply to a review", zh="回应审查"),
        Text(
            en="The right of reply: who is concerned says what they have to say, and it is kept word for word.",
            zh="答辩权：相关方可陈述意见，并逐字保留。",
        ),
        ReplyToReview,
        {"entry": _ENTRY, "author": _AUTHOR, "words": _WORDS},
        "contributor",
        "reply",
    ),
    _verb(
        "set-condition",
        Text(en="Set a condition, or say it is met", zh="设定条件或确认满足"),
        Text(en="Conditions fall due like measures do.", zh="条件与措施一样会到期。"),
        SetCondition,
        {
            "entry": _ENTRY,
            "condition": Field(
                title=Text(en="Short name", zh="简称"),
                help=Text(
                    en="Small letters and hyphens; a known one is updated.", zh="小写字母和连字符；已有简称则更新。"
                ),
            ),
            "title": Field(
                title=Text(en="What has to be done", zh="须做什么"),
                help=Text(en="Empty keeps what it was.", zh="留空则不变。"),
            ),
            "owner": OWNER,
            "due": Field(
                title=Text(en="Due", zh="期限"), help=Text(en="It falls due that day.", zh="届时到期。"), kind="date"
            ),
            "met": Field(
                title=Text(en="It is met", zh="已满足"),
                help=Text(en="Tick it when it was done.", zh="完成后勾选。"),
                kind="flag",
            ),
        },
        "issuer",
        "set_condition",
    ),
    _verb(
        "conclude-review",
        Text(en="Conclude a review", zh="作出审查结论"),
        Text(
            en="Says what comes of a review. Dissent that nobody answered stands in its first line.",
            zh="写明审查结论。未获答复的异议显示在首行。",
        ),
        Conclude,
        {
            "entry": _ENTRY,
            "outcome": Field(
                title=Text(en="Outcome", zh="结论"),
                help=Text(en="Whether the system may be used.", zh="系统可否使用。"),
                kind="choice",
                choices=tuple(RESULTS.items()),
            ),
            "by": BY,
            "why": WHY,
            "next_review": REVIEW_AT,
        },
        "issuer",
        "conclude",
    ),
)
"""What people do in a review."""

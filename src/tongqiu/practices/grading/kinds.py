"""What grading says: the facts that an owner declares, and the grade that follows from them under one pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Code, Evidence, Finding, Scalar
from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

DECLARED = "grading.declared@1"
"""The method of every declared fact: its owner says so."""

Answer = bool | str | float
Key = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=120)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Natural = Annotated[int, msgspec.Meta(ge=0)]
State = Literal["graded", "range", "unanswered"]
Words = Annotated[str, msgspec.Meta(max_length=1000)]


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One declared answer with its question; ``meaning`` of a choice, or of the band of a date or number; ``packs`` that
    ask it. A date is written ``YYYY-MM-DD``.
    """

    key: Key
    value: bool | Words | float
    question: Text
    packs: tuple[str, ...]
    meaning: Text | None = None


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answers of the manifest as the probe gets them, with their questions."""

    facts: tuple[Fact, ...]


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the owner of a system declares about its use (``grading.facts/1``): claimed by the issuer of the record."""

    facts: tuple[Fact, ...]
    source: Literal["manifest", "form"] = "manifest"


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it is written: the document's identifier, article and clause."""

    document: str
    article: str
    clause: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grade by its id and its title."""

    id: str
    title: Text


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome on one scale: the grades still possible, lightest first; one when ``graded``.

    ``code``, ``params`` and ``reason`` say why, for software and for people.
    """

    scale: str
    title: Text
    state: State
    grades: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1)]
    code: Code
    params: dict[str, Scalar]
    reason: Text


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule that holds (``fired``) or may (``possible``), where it is written, and what it read.

    ``pending``: the clause applies only from ``applies_from``. ``aside``: it cannot count, as an exclusion holds.
    ``checked``: somebody compared this row of the pack with the primary text.
    """

    id: str
    scale: str
    grade: str
    state: Literal["fired", "possible"]
    title: Text
    reason: Text
    clauses: tuple[Clause, ...]
    checked: bool
    pending: bool = False
    aside: bool = False
    applies_from: Day | None = None
    read: dict[str, Answer] = {}
    open: tuple[Key, ...] = ()


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one answer would leave on one scale."""

    value: Answer
    scale: str
    grades: tuple[str, ...]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A missing answer, what may be answered (as the manifest writes it), and what each answer would change.

    ``sure`` grades drop out whatever the answer, ``mean`` on average over the answers, ``settles`` rules at best.
    """

    fact: Key
    question: Text
    answers: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    sure: Natural
    mean: float
    settles: Natural


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A requirement that the grade brings (``sure``) or may bring, and the records whose findings speak to it.

    ``partly``: to some of its parts only; ``open`` names the others.
    """

    id: str
    title: Text
    clauses: tuple[Clause, ...]
    sure: bool
    checked: bool
    state: Literal["answered", "partly", "unanswered"]
    pending: bool = False
    records: tuple[EntryText, ...] = ()
    open: tuple[str, ...] = ()


class Grade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grade of a system under one pack (``grading.grade/1``), with everything it was worked out from.

    ``questions`` stand in the order in which they are best asked; ``more_questions`` were left out. ``considered`` are
    the records whose findings were looked at.
    """

    pack: str
    version: str
    digest: EntryText
    title: Text
    as_of: Day
    known_at: Day
    said_by: str | None
    spans: tuple[Span, ...]
    rules: tuple[Rule, ...]
    facts: dict[str, Answer]
    implied: dict[str, Answer]
    questions: tuple[Question, ...]
    more_questions: Natural
    duties: tuple[Duty, ...]
    considered: tuple[EntryText, ...]


def facts_evidence(body: Facts) -> Iterator[Evidence]:
    """Yield each declared fact as claimed evidence, ``grading.fact.<key>``; no number, so no uncertainty."""
    for each in body.facts:
        yield Evidence(
            measure="grading.fact." + _dashed(each.key),
            title=each.question,
            value=each.value,
            unit="1",
            method=DECLARED,
            basis="claimed",
        )


def grade_evidence(body: Grade) -> Iterator[Evidence]:
    """Yield the outcome on each scale, ``grading.<pack>.<scale>``: a grade, or a range written ``low..high``."""
    for span in body.spans:
        low, high = span.grades[0], span.grades[-1]
        yield Evidence(
            measure=f"grading.{body.pack}.{span.scale}",
            title=Text(
                en=f"{span.title.en}: {body.title.en}",
                zh=f"{span.title.zh}：{body.title.zh}",
            ),
            value=low.id if span.state == "graded" else f"{low.id}..{high.id}",
            unit="1",
            method=f"{body.pack}@{body.version}",
            basis="claimed",
        )


def grade_findings(body: Grade) -> Iterator[Finding]:
    """Yield what is still open: a range that missing answers leave, and duties to which no record speaks.

    A grade itself is no verdict on anybody and is shown as evidence.
    """
    for span in body.spans:
        if span.state != "graded":
            yield Finding(
                requirement=f"{body.pack}:{span.scale}",
                title=span.title,
                verdict="undecided" if span.state == "range" else "not-assessed",
                code=span.code,
                reason=span.reason,
                params=span.params,
                severity="low",
                mend=_ASK.fill(question_en=body.questions[0].question.en, question_zh=body.questions[0].question.zh)
                if body.questions
                else None,
            )
    for duty in body.duties:
        if duty.sure and duty.state == "unanswered":
            clauses = ", ".join(each.article + each.clause for each in duty.clauses)
            yield Finding(
                requirement=f"{body.pack}:{duty.id}",
                title=duty.title,
                verdict="not-assessed",
                code="grading.duty-unanswered",
                reason=_UNANSWERED.fill(clauses=clauses),
                params={"clauses": clauses, "pending": duty.pending},
                severity="low" if duty.pending else "medium",
            )


def grade_holds(body: Grade) -> Iterator[str]:
    """Yield the fields that contradict each other: a state that does not fit the number of grades, a rule's grade that
    should count and does not.
    """
    for span in body.spans:
        if (span.state == "graded") != (len(span.grades) == 1):
            yield f"spans.{span.scale}.state"
        grades = {each.id for each in span.grades}
        fired = {
            each.grade for each in body.rules if each.scale == span.scale and each.state == "fired" and not each.aside
        }
        if span.state == "graded" and fired and not grades & fired:
            yield f"spans.{span.scale}.grades"


def _dashed(key: str) -> str:
    return key.replace("_", "-").strip("-")


_ASK = Text(en="Answer first: {question_en}", zh="请先回答：{question_zh}")
_UNANSWERED = Text(
    en="{clauses} asks for this, and no record considered here speaks to it.",
    zh="{clauses} 对此有要求，而此处所考虑的记录均未涉及。",
)

FACTS: Kind[Facts] = Kind(
    name="grading.facts/1",
    body=Facts,
    title=Text(en="Declared facts of use", zh="声明的使用事实"),
    evidence=facts_evidence,
)
GRADE: Kind[Grade] = Kind(
    name="grading.grade/1",
    body=Grade,
    title=Text(en="Grade under a pack", zh="按规范包分级"),
    evidence=grade_evidence,
    findings=grade_findings,
    holds=grade_holds,
)

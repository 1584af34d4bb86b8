"""Registries of grading: the grade of every system, the facts declared for it, and what is best asked next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practice import Column, Put
from tongqiu.practices.grading.kinds import FACTS, GRADE
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.statement import Statement

_SUBJECT = (
    Column(name="subject", title=Text(en="System", zh="系统"), searched=True),
    Column(name="name", title=Text(en="Name", zh="名称"), searched=True),
)
_LAST = (
    Column(name="issuer", title=Text(en="Said by", zh="出具方")),
    Column(name="at", title=Text(en="Said at", zh="出具时间"), type="instant"),
    Column(name="entry", title=Text(en="Record", zh="记录")),
)

GRADE_COLUMNS = (
    *_SUBJECT,
    Column(name="pack", title=Text(en="Pack", zh="规范包"), searched=True),
    Column(name="version", title=Text(en="Version", zh="版本")),
    Column(name="scale", title=Text(en="Scale", zh="量级")),
    Column(name="state", title=Text(en="State", zh="状态")),
    Column(name="low", title=Text(en="Lightest", zh="最轻等级")),
    Column(name="high", title=Text(en="Gravest", zh="最重等级")),
    Column(name="reason_en", title=Text(en="Reason (English)", zh="理由（英文）"), searched=True),
    Column(name="reason_zh", title=Text(en="Reason (Chinese)", zh="理由（中文）"), searched=True),
    Column(name="clauses", title=Text(en="Clauses", zh="条款")),
    Column(name="pending", title=Text(en="Applies only later", zh="尚未适用"), type="boolean"),
    Column(name="unchecked", title=Text(en="Rows nobody checked", zh="未核对的规则数"), type="integer"),
    Column(name="questions", title=Text(en="Open questions", zh="待答问题数"), type="integer"),
    *_LAST,
)
FACT_COLUMNS = (
    *_SUBJECT,
    Column(name="fact", title=Text(en="Fact", zh="事实"), searched=True),
    Column(name="question_en", title=Text(en="Question (English)", zh="问题（英文）")),
    Column(name="question_zh", title=Text(en="Question (Chinese)", zh="问题（中文）")),
    Column(name="value", title=Text(en="Answer", zh="回答"), searched=True),
    Column(name="basis", title=Text(en="Basis", zh="依据")),
    Column(name="packs", title=Text(en="Asked by", zh="提问的规范包")),
    *_LAST,
)
QUESTION_COLUMNS = (
    *_SUBJECT,
    Column(name="pack", title=Text(en="Pack", zh="规范包"), searched=True),
    Column(name="place", title=Text(en="Order", zh="次序"), type="integer"),
    Column(name="fact", title=Text(en="Fact", zh="事实"), searched=True),
    Column(name="question_en", title=Text(en="Question (English)", zh="问题（英文）")),
    Column(name="question_zh", title=Text(en="Question (Chinese)", zh="问题（中文）")),
    Column(name="sure", title=Text(en="Grades that drop out for sure", zh="必然排除的等级数"), type="integer"),
    Column(name="mean", title=Text(en="Grades that drop out on average", zh="平均排除的等级数"), type="real"),
    Column(name="settles", title=Text(en="Rules settled at best", zh="至多确定的规则数"), type="integer"),
    *_LAST,
)


def grades(statement: Statement) -> Iterator[Put]:
    """Yield one row for each scale of the pack."""
    body = GRADE.read(statement.body)
    for span in body.spans:
        own = [each for each in body.rules if each.scale == span.scale and not each.aside]
        telling = [each for each in own if each.state == "fired" and each.grade == span.grades[0].id]
        yield Put(
            _about(statement)
            | {
                "pack": body.pack,
                "version": body.version,
                "scale": span.scale,
                "state": span.state,
                "low": span.grades[0].id,
                "high": span.grades[-1].id,
                "reason_en": span.reason.en,
                "reason_zh": span.reason.zh,
                "clauses": "; ".join(each.clauses[0].article + each.clauses[0].clause for each in telling),
                "pending": bool(telling) and all(each.pending for each in telling),
                "unchecked": sum(not each.checked for each in own),
                "questions": len(body.questions) + body.more_questions,
            }
        )


def facts(statement: Statement) -> Iterator[Put]:
    """Yield one row for each declared fact; its basis is always that the issuer claims it."""
    for each in FACTS.read(statement.body).facts:
        value = str(each.value).lower() if isinstance(each.value, bool) else each.value
        yield Put(
            _about(statement)
            | {
                "fact": each.key,
                "question_en": each.question.en,
                "question_zh": each.question.zh,
                "value": value,
                "basis": "claimed",
                "packs": ", ".join(each.packs),
            }
        )


def questions(statement: Statement) -> Iterator[Put]:
    """Yield one row for each missing answer, in the order in which they are best asked."""
    body = GRADE.read(statement.body)
    for place, each in enumerate(body.questions, 1):
        yield Put(
            _about(statement)
            | {
                "pack": body.pack,
                "place": place,
                "fact": each.fact,
                "question_en": each.question.en,
                "question_zh": each.question.zh,
                "sure": each.sure,
                "mean": each.mean,
                "settles": each.settles,
            }
        )


def _about(statement: Statement) -> dict[str, object]:
    return {
        "subject": statement.subject.id,
        "name": statement.subject.name,
        "issuer": statement.issuer,
        "at": statement.at,
        "entry": statement.entry,
    }

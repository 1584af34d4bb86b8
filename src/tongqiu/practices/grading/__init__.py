"""Grading: which class a system falls in and why, and the register of its risks: measures, drills, reviews, decisions."""

from __future__ import annotations

import msgspec

from tongqiu.practice import Assessor, Duty, Practice, Probe, View
from tongqiu.practices.grading import drill_verbs, review_verbs, risk_verbs
from tongqiu.practices.grading.drills import DRILL
from tongqiu.practices.grading.kinds import FACTS, GRADE, Answers
from tongqiu.practices.grading.register_views import (
    DRILL_COLUMNS,
    OVERDUE_COLUMNS,
    REVIEW_COLUMNS,
    RISK_COLUMNS,
    SUGGESTION_COLUMNS,
)
from tongqiu.practices.grading.reviews import REVIEW
from tongqiu.practices.grading.risks import DECISION, RISK
from tongqiu.practices.grading.suggestions import DISMISSAL, REMINDER, SUGGESTION
from tongqiu.practices.grading.views import FACT_COLUMNS, GRADE_COLUMNS, QUESTION_COLUMNS
from tongqiu.record.text import Text

_HERE = "tongqiu.practices.grading"


class FactKeys(msgspec.Struct, frozen=True):
    """The table ``[facts]`` of the manifest: its keys are the questions of the norm packs, checked when it is read."""


PRACTICE = Practice(
    name="grading",
    title=Text(en="Grading", zh="分级"),
    about=Text(
        en="Which class a system falls in under a law or standard, by which clause, from which declared facts, and which "
        "missing answers would change it; its risks, what is done about them and who decided. It never says that a duty is "
        "fulfilled.",
        zh="系统依法律或标准属于哪一等级、依据哪一条款、由哪些声明的事实得出，以及哪些未回答的问题会改变结果；"
        "系统有哪些风险、采取了什么措施、由谁决定。它从不表示义务已经履行。",
    ),
    kinds=(FACTS, GRADE, RISK, DECISION, SUGGESTION, DISMISSAL, DRILL, REVIEW, REMINDER),
    probes=(
        Probe(
            name="grading.facts",
            version="1",
            title=Text(en="Declared facts of use", zh="声明的使用事实"),
            makes=(FACTS.name,),
            plan=f"{_HERE}.probes:plan",
            observe=f"{_HERE}.probes:observe",
            params=Answers,
        ),
    ),
    assessors=(
        Assessor(
            name="grading.grade",
            version="1",
            title=Text(en="Grade under each pack", zh="按各规范包分级"),
            about=("system",),
            reads=(
                FACTS.name,
                RISK.name,
                DRILL.name,
                REVIEW.name,
                "core.composition/1",
                "dataset.*",
                "evaluation.*",
                "supply.*",
                "provenance.*",
            ),
            makes=(GRADE.name,),
            assess=f"{_HERE}.assessors:assess",
        ),
        Assessor(
            name="grading.suggest",
            version="1",
            title=Text(en="Suggested risks", zh="建议关注的风险"),
            about=("system",),
            reads=(
                FACTS.name,
                RISK.name,
                DISMISSAL.name,
                DRILL.name,
                "core.composition/1",
                "dataset.*",
                "evaluation.*",
                "supply.*",
            ),
            makes=(SUGGESTION.name,),
            assess=f"{_HERE}.suggest:assess",
        ),
    ),
    views=(
        View(
            name="grading.grades",
            version=1,
            title=Text(en="Grades", zh="等级"),
            reads=(GRADE.name,),
            columns=GRADE_COLUMNS,
            key=("subject", "issuer", "pack", "scale"),
            rows=f"{_HERE}.views:grades",
        ),
        View(
            name="grading.facts",
            version=1,
            title=Text(en="Declared facts of use", zh="声明的使用事实"),
            reads=(FACTS.name,),
            columns=FACT_COLUMNS,
            key=("entry", "fact"),
            rows=f"{_HERE}.views:facts",
        ),
        View(
            name="grading.questions",
            version=1,
            title=Text(en="Next questions", zh="下一步问题"),
            reads=(GRADE.name,),
            columns=QUESTION_COLUMNS,
            key=("entry", "fact"),
            rows=f"{_HERE}.views:questions",
        ),
        View(
            name="grading.risks",
            version=1,
            title=Text(en="Risk register", zh="风险登记册"),
            reads=(RISK.name,),
            columns=RISK_COLUMNS,
            key=("thread", "issuer"),
            rows=f"{_HERE}.register_views:risks",
        ),
        View(
            name="grading.suggestions",
            version=1,
            title=Text(en="Suggested risks", zh="建议关注的风险"),
            reads=(SUGGESTION.name, RISK.name, DISMISSAL.name),
            columns=SUGGESTION_COLUMNS,
            key=("subject", "issuer", "taxonomy", "row"),
            rows=f"{_HERE}.register_views:suggestions",
        ),
        View(
            name="grading.drills",
            version=1,
            title=Text(en="Drills of human control", zh="人工控制演练"),
            reads=(DRILL.name,),
            columns=DRILL_COLUMNS,
            key=("subject", "issuer", "control", "drill"),
            rows=f"{_HERE}.register_views:drills",
        ),
        View(
            name="grading.reviews",
            version=1,
            title=Text(en="Reviews of ethics and rights", zh="伦理与权利影响审查"),
            reads=(REVIEW.name,),
            columns=REVIEW_COLUMNS,
            key=("thread", "issuer"),
            rows=f"{_HERE}.register_views:reviews",
        ),
        View(
            name="grading.overdue",
            version=1,
            title=Text(en="Overdue", zh="逾期事项"),
            reads=(REMINDER.name,),
            columns=OVERDUE_COLUMNS,
            key=("about", "issuer", "what_en", "due"),
            rows=f"{_HERE}.register_views:overdue",
        ),
    ),
    verbs=(*risk_verbs.VERBS, *drill_verbs.VERBS, *review_verbs.VERBS),
    duties=(
        Duty(
            name="grading.overdue",
            title=Text(en="A measure, condition, review or drill falls due", zh="措施、条件、审查或演练到期"),
            reads=(RISK.name, REVIEW.name, DRILL.name),
            when=f"{_HERE}.duties:first_due",
            act=f"{_HERE}.duties:remind",
        ),
        Duty(
            name="grading.remind",
            title=Text(en="OVERDUE: reminded again", zh="已逾期：再次提醒"),
            reads=(REMINDER.name,),
            when=f"{_HERE}.duties:again_at",
            act=f"{_HERE}.duties:remind_again",
        ),
        Duty(
            name="grading.drill-lapses",
            title=Text(en="Next drill due", zh="下次演练到期"),
            reads=(DRILL.name,),
            when=f"{_HERE}.duties:drill_ends",
            act=f"{_HERE}.duties:lapse",
        ),
    ),
    settings={"facts": FactKeys},
)

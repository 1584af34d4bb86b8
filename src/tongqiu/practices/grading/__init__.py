"""Grading: which class a system falls in under a law or standard, why, and which answers are still missing."""

from __future__ import annotations

import msgspec

from tongqiu.practice import Assessor, Practice, Probe, View
from tongqiu.practices.grading.kinds import FACTS, GRADE, Answers
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
        "missing answers would change it. It never says that a duty is fulfilled.",
        zh="系统依法律或标准属于哪一等级、依据哪一条款、由哪些声明的事实得出，以及哪些未回答的问题会改变结果。"
        "它从不表示义务已经履行。",
    ),
    kinds=(FACTS, GRADE),
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
            reads=(FACTS.name, "core.composition/1", "dataset.*", "evaluation.*", "supply.*", "provenance.*"),
            makes=(GRADE.name,),
            assess=f"{_HERE}.assessors:assess",
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
    ),
    settings={"facts": FactKeys},
)

"""Evaluation: how well an AI system decides, and how it treats groups of people, with honest uncertainty."""

from __future__ import annotations

from tongqiu.practice import Assessor, Practice, Probe, View
from tongqiu.practices.evaluation.declared import DataKeys, LanguageParams, ModelKeys, Params, ServiceKeys
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT, VERDICT
from tongqiu.practices.evaluation.object_kinds import MEASUREMENT, OBJECTS, PLAN, REPORT, RUN
from tongqiu.practices.evaluation.views import FAIRNESS_COLUMNS, RESULT_COLUMNS
from tongqiu.record.text import Text

_HERE = "tongqiu.practices.evaluation"

PRACTICE = Practice(
    name="evaluation",
    title=Text(en="Evaluation", zh="评测"),
    about=Text(
        en="How well a system decides on real cases, and whether groups of people are treated alike, with intervals and with "
        "verdicts that wait for the whole interval.",
        zh="系统对真实案例的决定有多准确，各群体是否受到同等对待；附置信区间，只有整个区间都在限值一侧时才下判定。",
    ),
    kinds=(RESULT, FAIRNESS, VERDICT, *OBJECTS),
    probes=(
        Probe(
            name="evaluation.tabular",
            version="1",
            title=Text(en="Decisions on a table of cases", zh="对案例表的决定"),
            makes=(RESULT.name, FAIRNESS.name),
            plan=f"{_HERE}.probes:plan",
            observe=f"{_HERE}.probes:observe",
            needs=("tree", "pool", "progress"),
            params=Params,
        ),
        Probe(
            name="evaluation.language",
            version="1",
            title=Text(en="Answers to test questions", zh="对测试问题的回答"),
            makes=(RUN.name,),
            plan=f"{_HERE}.language.probes:plan",
            observe=f"{_HERE}.language.probes:observe",
            needs=("endpoint", "journal", "tree", "scratch", "clock", "progress"),
            params=LanguageParams,
        ),
    ),
    assessors=(
        Assessor(
            name="evaluation.measure",
            version="1",
            title=Text(en="What a test run measured", zh="测试运行的测量结果"),
            about=("system", "model", "service"),
            reads=(RUN.name,),
            makes=(MEASUREMENT.name,),
            assess=f"{_HERE}.assessors:measure",
        ),
        Assessor(
            name="evaluation.report",
            version="1",
            title=Text(en="Report on a system", zh="系统评测报告"),
            about=("system",),
            reads=(
                RUN.name,
                MEASUREMENT.name,
                RESULT.name,
                FAIRNESS.name,
                PLAN.name,
                REPORT.name,
                "core.composition/1",
                "footprint.*",
            ),
            makes=(REPORT.name,),
            assess=f"{_HERE}.reporting:assess",
        ),
        Assessor(
            name="evaluation.limits",
            version="1",
            title=Text(en="Evaluation against limits", zh="评测判定"),
            about=("system", "model"),
            reads=(RESULT.name, FAIRNESS.name),
            makes=(VERDICT.name,),
            assess=f"{_HERE}.assessors:assess",
        ),
    ),
    views=(
        View(
            name="evaluation.results",
            version=1,
            title=Text(en="Evaluation results", zh="评测结果"),
            reads=(RESULT.name, FAIRNESS.name),
            columns=RESULT_COLUMNS,
            key=("entry", "measure", "group"),
            rows=f"{_HERE}.views:results",
        ),
        View(
            name="evaluation.fairness",
            version=1,
            title=Text(en="Gaps between groups", zh="群体间差距"),
            reads=(FAIRNESS.name,),
            columns=FAIRNESS_COLUMNS,
            key=("entry", "measure", "statistic", "between"),
            rows=f"{_HERE}.views:gaps",
        ),
    ),
    settings={"data": DataKeys, "model": ModelKeys, "service": ServiceKeys},
)

"""Evaluation: how well an AI system decides, and how it treats groups of people, with honest uncertainty."""

from __future__ import annotations

from tongqiu.practice import Assessor, Page, Practice, Probe, View
from tongqiu.practices.evaluation import plans, replay
from tongqiu.practices.evaluation.card import CardPage
from tongqiu.practices.evaluation.declared import (
    DataKeys,
    LanguageParams,
    PairParams,
    Params,
    ScoreParams,
)
from tongqiu.practices.evaluation.imports import declared as results
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT, VERDICT
from tongqiu.practices.evaluation.object_kinds import DUE, MEASUREMENT, OBJECTS, PLAN, REPORT, RUN
from tongqiu.practices.evaluation.object_views import DUE_COLUMNS, MEASUREMENT_COLUMNS, PLAN_COLUMNS, REPORT_COLUMNS
from tongqiu.practices.evaluation.tabular import kinds as tabular
from tongqiu.practices.evaluation.tabular import views as tabular_views
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
    kinds=(RESULT, FAIRNESS, VERDICT, *tabular.KINDS, *OBJECTS),
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
            name="evaluation.scores",
            version="1",
            title=Text(en="What lies behind the scores", zh="分数背后的情况"),
            makes=tuple(
                kind.name for kind in (tabular.CALIBRATION, tabular.MITIGATION, tabular.EXPLANATION, tabular.ROBUSTNESS)
            ),
            plan=f"{_HERE}.tabular.probes:plan_scores",
            observe=f"{_HERE}.tabular.probes:observe_scores",
            needs=("tree", "pool", "progress"),
            params=ScoreParams,
        ),
        Probe(
            name="evaluation.pairs",
            version="1",
            title=Text(en="Two tables side by side", zh="两张表的对照"),
            makes=(tabular.MEMBERSHIP.name, tabular.DRIFT.name),
            plan=f"{_HERE}.tabular.probes:plan_pairs",
            observe=f"{_HERE}.tabular.probes:observe_pairs",
            needs=("tree", "pool", "progress"),
            params=PairParams,
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
        Probe(
            name="evaluation.imported",
            version="1",
            title=Text(en="Results of other tools", zh="其他工具的结果"),
            makes=(RUN.name,),
            plan=f"{_HERE}.imports.probes:plan",
            observe=f"{_HERE}.imports.probes:observe",
            needs=("tree", "clock", "progress"),
            params=results.ImportParams,
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
            name="evaluation.reassess",
            version="1",
            title=Text(en="Is a new test due?", zh="是否应当复评"),
            about=("system",),
            reads=(REPORT.name, PLAN.name, RUN.name, "core.composition/1", "incident.*"),
            makes=(DUE.name,),
            assess=f"{_HERE}.causes:assess",
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
            name="evaluation.figures",
            version=1,
            title=Text(en="Figures behind the scores", zh="分数背后的数据"),
            reads=tuple(kind.name for kind in tabular.KINDS),
            columns=tabular_views.COLUMNS,
            key=tabular_views.KEY,
            rows=f"{_HERE}.tabular.views:figures",
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
        View(
            name="evaluation.measurements",
            version=1,
            title=Text(en="Measurements by test methods", zh="测试方法测量结果"),
            reads=(MEASUREMENT.name,),
            columns=MEASUREMENT_COLUMNS,
            key=("entry", "part"),
            rows=f"{_HERE}.object_views:measurements",
        ),
        View(
            name="evaluation.reports",
            version=1,
            title=Text(en="Evaluation reports", zh="评测报告"),
            reads=(REPORT.name,),
            columns=REPORT_COLUMNS,
            key=("subject", "issuer"),
            rows=f"{_HERE}.object_views:reports",
        ),
        View(
            name="evaluation.plans",
            version=1,
            title=Text(en="Plans of re-assessment", zh="复评计划"),
            reads=(PLAN.name,),
            columns=PLAN_COLUMNS,
            key=("subject", "issuer"),
            rows=f"{_HERE}.object_views:plans",
        ),
        View(
            name="evaluation.due",
            version=1,
            title=Text(en="New tests due", zh="应复评事项"),
            reads=(DUE.name,),
            columns=DUE_COLUMNS,
            key=("subject", "issuer", "about"),
            rows=f"{_HERE}.object_views:dues",
        ),
    ),
    pages=(
        Page(
            path="card",
            title=Text(en="System card", zh="系统卡"),
            model=CardPage,
            template="tongqiu.practices.evaluation:card.html",
            context=f"{_HERE}.card:show",
        ),
    ),
    verbs=(*plans.VERBS, *replay.VERBS),
    duties=plans.DUTIES,
    settings={
        "data": DataKeys,
        "model": results.ModelKeys,
        "service": results.ServiceKeys,
        "system": results.ResultKeys,
    },
)

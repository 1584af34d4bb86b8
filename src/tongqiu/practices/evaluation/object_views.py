"""Registries of tests: what was measured, the reports, the plans, and which new tests are due and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tongqiu.practice import Column, Put
from tongqiu.practices.evaluation.identity import RUNGS
from tongqiu.practices.evaluation.judging import AGENTS, lacking_words
from tongqiu.practices.evaluation.object_kinds import DUE, MEASUREMENT, PLAN, REPORT
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.statement import Statement


def _text(column: str, en: str, zh: str, *, searched: bool = False) -> Column:
    return Column(name=column, title=Text(en=en, zh=zh), searched=searched)


def _real(column: str, en: str, zh: str) -> Column:
    return Column(name=column, title=Text(en=en, zh=zh), type="real")


def _whole(column: str, en: str, zh: str) -> Column:
    return Column(name=column, title=Text(en=en, zh=zh), type="integer")


def _instant(column: str, en: str, zh: str) -> Column:
    return Column(name=column, title=Text(en=en, zh=zh), type="instant")


_SYSTEM = (
    _text("name", "Name of the system", "系统名称", searched=True),
    _text("subject", "System", "系统", searched=True),
)
_LAST = (_text("issuer", "Said by", "出具方"), _instant("at", "Said at", "出具时间"), _text("entry", "Record", "记录"))

MEASUREMENT_COLUMNS = (
    _text("title_en", "Measure (English)", "指标（英文）", searched=True),
    _text("title_zh", "Measure (Chinese)", "指标（中文）", searched=True),
    _text("tested", "Tested", "被测对象", searched=True),
    _text("part", "Language or slice", "语言或分组"),
    _real("value", "Value", "数值"),
    _real("low", "Lower bound", "下界"),
    _real("high", "Upper bound", "上界"),
    _whole("n", "Items scored", "计分条目"),
    _whole("planned", "Items planned", "计划条目"),
    Column(name="beyond", title=Text(en="Beyond every floor", zh="优于所有基线"), type="boolean"),
    _text("floors", "Systems without skill reach", "无技能系统所达"),
    _real("utility", "Usefulness beside it", "并列的有用性"),
    _text("verdict", "Verdict", "结论"),
    _text("lacking_en", "Lacking (English)", "所缺（英文）"),
    _text("lacking_zh", "Lacking (Chinese)", "所缺（中文）"),
    _text("source", "Ran here or imported", "本地运行或导入"),
    _text("rung", "Known by", "身份依据"),
    _text("better", "Better is", "优的方向"),
    _text("method", "Method", "方法"),
    *_SYSTEM,
    *_LAST,
)
REPORT_COLUMNS = (
    *_SYSTEM,
    _instant("valid_until", "Valid until", "有效期至"),
    _whole("results", "Results", "结果数"),
    _whole("met", "Beyond systems without skill", "优于无技能系统"),
    _whole("no_verdict", "Without verdict", "无结论"),
    _whole("tables", "Values from tables", "案例表数值"),
    _whole("worse", "Worse than before", "较上次变差"),
    _whole("better", "Better than before", "较上次变好"),
    _whole("not_assessed", "Not assessed", "未评估"),
    _text("rung_en", "Known by (English)", "身份依据（英文）"),
    _text("rung_zh", "Known by (Chinese)", "身份依据（中文）"),
    _text("scope_en", "Scope (English)", "范围（英文）", searched=True),
    _text("scope_zh", "Scope (Chinese)", "范围（中文）", searched=True),
    _instant("tested_until", "Last tested", "最后测试"),
    *_LAST,
)
PLAN_COLUMNS = (
    *_SYSTEM,
    _instant("next", "Next test", "下次测试"),
    _text("methods", "Methods", "方法", searched=True),
    _whole("every_days", "Shortest interval in days", "最短间隔（天）"),
    _text("triggers_en", "Also when (English)", "另在何时（英文）"),
    _text("triggers_zh", "Also when (Chinese)", "另在何时（中文）"),
    _whole("valid_days", "Reports hold for days", "报告有效天数"),
    _text("note", "Note", "备注", searched=True),
    *_LAST,
)
DUE_COLUMNS = (
    *_SYSTEM,
    _instant("since", "Due since", "应测日期"),
    _text("why_en", "Why (English)", "原因（英文）", searched=True),
    _text("why_zh", "Why (Chinese)", "原因（中文）", searched=True),
    _text("methods", "Methods", "方法"),
    _text("sort", "Sort of reason", "原因类别"),
    _text("about", "Report or plan", "报告或计划"),
    _instant("again_at", "Reminded again", "再次提醒"),
    *_LAST,
)


def measurements(statement: Statement) -> Iterator[Put]:
    """Yield a row for the value of a measurement, then one for each language and slice."""
    from tongqiu.practices.evaluation.measuring import beyond_floor

    body = MEASUREMENT.read(statement.body)
    lacking = lacking_words(body.lacking)
    verdict = statement.content.findings[0].verdict if statement.content.findings else "not-assessed"
    floors = sorted(body.floors, key=lambda each: -each.value)
    shared: dict[str, Any] = _shared(statement) | {
        "title_en": body.title.en,
        "title_zh": body.title.zh,
        "tested": body.system.name,
        "planned": body.completeness.planned,
        "floors": ", ".join(f"{AGENTS[each.agent].en} {100 * each.value:.0f} %" for each in floors),
        "utility": body.utility.value if body.utility else None,
        "verdict": verdict,
        "lacking_en": lacking.en,
        "lacking_zh": lacking.zh,
        "source": body.source,
        "rung": body.system.rung,
        "better": body.better,
        "method": body.method,
    }
    whole = {"part": "", "value": body.value, "low": body.low, "high": body.high, "n": body.n}
    yield Put(shared | whole | {"beyond": beyond_floor(body)})
    for part in body.parts:
        by = ", ".join(f"{key}: {value}" for key, value in sorted(part.by.items()))
        row = {"part": by, "value": part.value, "low": part.low, "high": part.high, "n": part.n}
        yield Put(shared | row | {"beyond": None, "verdict": ""})


def reports(statement: Statement) -> Iterator[Put]:
    """Yield the row of a report."""
    body = REPORT.read(statement.body)
    rung = RUNGS[body.system.rung]
    codes = [each.code for each in statement.content.findings]
    yield Put(
        _shared(statement)
        | {
            "valid_until": body.valid_until,
            "results": len(body.results),
            "met": sum(each.verdict == "met" for each in body.results),
            "no_verdict": sum(each.verdict == "not-assessed" for each in body.results),
            "tables": len(body.tables),
            "worse": codes.count("evaluation.change-worse"),
            "better": codes.count("evaluation.change-better"),
            "not_assessed": len(body.not_assessed),
            "rung_en": rung.en,
            "rung_zh": rung.zh,
            "scope_en": body.scope.en,
            "scope_zh": body.scope.zh,
            "tested_until": body.tested_until,
        }
    )


def plans(statement: Statement) -> Iterator[Put]:
    """Yield the row of a plan."""
    body = PLAN.read(statement.body)
    yield Put(
        _shared(statement)
        | {
            "next": body.next,
            "methods": ", ".join(each.method for each in body.methods),
            "every_days": min((each.every_days for each in body.methods if each.every_days), default=None),
            "triggers_en": "; ".join(each.words.en for each in body.triggers),
            "triggers_zh": "；".join(each.words.zh for each in body.triggers),
            "valid_days": body.valid_days,
            "note": body.note,
        }
    )


def dues(statement: Statement) -> Iterator[Put]:
    """Yield the row of a test that is due."""
    body = DUE.read(statement.body)
    yield Put(
        _shared(statement)
        | {
            "since": body.since,
            "why_en": " ".join(each.words.en for each in body.causes),
            "why_zh": "".join(each.words.zh for each in body.causes),
            "methods": ", ".join(body.methods),
            "sort": body.causes[0].sort,
            "about": body.about,
            "again_at": body.again_at,
        }
    )


def _shared(statement: Statement) -> dict[str, Any]:
    return {
        "name": statement.subject.name,
        "subject": statement.subject.id,
        "issuer": statement.issuer,
        "at": statement.at,
        "entry": statement.entry,
    }

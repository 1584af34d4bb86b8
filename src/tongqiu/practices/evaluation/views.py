"""Registries of evaluation: every measured value, every gap between groups, every verdict, each a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tongqiu.practice import Column, Put
from tongqiu.practices.evaluation.bodies import Value
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT
from tongqiu.practices.evaluation.words import group_words, statistic_title, title
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.statement import Statement

_SUBJECT = (
    Column(name="subject", title=Text(en="Assessed", zh="评测对象"), searched=True),
    Column(name="subject_id", title=Text(en="Identifier", zh="标识符"), searched=True),
    Column(name="data", title=Text(en="Table", zh="数据表"), searched=True),
)
_NUMBERS = (
    Column(name="value", title=Text(en="Value", zh="值"), type="real"),
    Column(name="low", title=Text(en="From", zh="下限"), type="real"),
    Column(name="high", title=Text(en="To", zh="上限"), type="real"),
    Column(name="coverage", title=Text(en="Confidence", zh="置信度"), type="real"),
)
_LAST = (
    Column(name="method", title=Text(en="Method", zh="方法")),
    Column(name="at", title=Text(en="Said at", zh="出具时间"), type="instant"),
    Column(name="entry", title=Text(en="Record", zh="记录")),
)

RESULT_COLUMNS = (
    *_SUBJECT,
    Column(name="measure", title=Text(en="Measure", zh="指标"), searched=True),
    Column(name="measure_en", title=Text(en="Meaning (English)", zh="含义（英文）")),
    Column(name="measure_zh", title=Text(en="Meaning (Chinese)", zh="含义（中文）")),
    Column(name="group", title=Text(en="Group", zh="群体"), searched=True),
    Column(name="n", title=Text(en="Cases", zh="样本数"), type="integer"),
    *_NUMBERS,
    Column(name="floor", title=Text(en="Floor", zh="基线"), type="real"),
    *_LAST,
)
FAIRNESS_COLUMNS = (
    *_SUBJECT,
    Column(name="measure", title=Text(en="Measure", zh="指标"), searched=True),
    Column(name="measure_en", title=Text(en="Meaning (English)", zh="含义（英文）")),
    Column(name="measure_zh", title=Text(en="Meaning (Chinese)", zh="含义（中文）")),
    Column(name="statistic", title=Text(en="Statistic", zh="统计量")),
    Column(name="between", title=Text(en="Between groups by", zh="分组依据"), searched=True),
    *_NUMBERS,
    Column(name="lowest", title=Text(en="Lowest group", zh="最低群体")),
    Column(name="highest", title=Text(en="Highest group", zh="最高群体")),
    Column(name="groups", title=Text(en="Groups judged", zh="已评群体数"), type="integer"),
    Column(name="too_few", title=Text(en="Groups with too few cases", zh="样本过少群体数"), type="integer"),
    Column(name="comparisons", title=Text(en="Comparisons", zh="比较次数"), type="integer"),
    *_LAST,
)


def results(statement: Statement) -> Iterator[Put]:
    """Yield a row for each value of a result, and for each rate of each group of a fairness record.

    A group with too few cases is a row without any number.
    """
    if statement.kind == RESULT.name:
        result = RESULT.read(statement.body)
        shared = _shared(statement, result.source.data.name, result.coverage, result.method)
        for value in result.values:
            yield Put(shared | _value(value, ""))
        return
    fairness = FAIRNESS.read(statement.body)
    shared = _shared(statement, fairness.source.data.name, fairness.coverage, fairness.method)
    for group in fairness.groups:
        name = group_words(group.by)
        if not group.values:
            yield Put(shared | _value(Value("too-few-to-judge"), name))
        for value in group.values:
            yield Put(shared | _value(value, name))


def gaps(statement: Statement) -> Iterator[Put]:
    """Yield a row for each gap of a fairness record."""
    body = FAIRNESS.read(statement.body)
    shared = _shared(statement, body.source.data.name, body.coverage, body.method)
    for gap in body.gaps:
        words = statistic_title(gap.measure, gap.statistic)
        yield Put(
            shared
            | {
                "measure": gap.measure,
                "measure_en": words.en,
                "measure_zh": words.zh,
                "statistic": gap.statistic,
                "between": " x ".join(gap.by),
                "value": gap.value,
                "low": gap.low,
                "high": gap.high,
                "lowest": group_words(gap.lowest),
                "highest": group_words(gap.highest),
                "groups": gap.groups,
                "too_few": gap.too_few,
                "comparisons": gap.comparisons,
            }
        )


def _shared(statement: Statement, data: str, coverage: float, method: str) -> dict[str, Any]:
    return {
        "subject": statement.subject.name,
        "subject_id": statement.subject.id,
        "data": data,
        "coverage": coverage,
        "method": method,
        "at": statement.at,
        "entry": statement.entry,
    }


def _value(value: Value, group: str) -> dict[str, Any]:
    words = title(value.measure)
    return {
        "measure": value.measure,
        "measure_en": words.en,
        "measure_zh": words.zh,
        "group": group,
        "n": value.n,
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "floor": value.floor,
    }

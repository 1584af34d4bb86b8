"""The registry of what lies behind scores: every figure a row, beside its floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practice import Column, Put
from tongqiu.practices.evaluation.tabular.figures import TITLES
from tongqiu.practices.evaluation.tabular.kinds import FIGURES, KINDS
from tongqiu.practices.evaluation.words import group_words
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Statement

COLUMNS = (
    Column(name="subject", title=Text(en="Assessed", zh="评测对象"), searched=True),
    Column(name="subject_id", title=Text(en="Identifier", zh="标识符"), searched=True),
    Column(name="kind", title=Text(en="Record type", zh="记录类型"), searched=True),
    Column(name="data", title=Text(en="Table", zh="数据表"), searched=True),
    Column(name="measure", title=Text(en="Measure", zh="指标"), searched=True),
    Column(name="measure_en", title=Text(en="Meaning (English)", zh="含义（英文）")),
    Column(name="measure_zh", title=Text(en="Meaning (Chinese)", zh="含义（中文）")),
    Column(name="of", title=Text(en="Of", zh="范围"), searched=True),
    Column(name="n", title=Text(en="Cases", zh="样本数"), type="integer"),
    Column(name="value", title=Text(en="Value", zh="值"), type="real"),
    Column(name="low", title=Text(en="From", zh="下限"), type="real"),
    Column(name="high", title=Text(en="To", zh="上限"), type="real"),
    Column(name="floor", title=Text(en="Floor", zh="基线"), type="real"),
    Column(name="method", title=Text(en="Method", zh="方法")),
    Column(name="at", title=Text(en="Said at", zh="出具时间"), type="instant"),
    Column(name="entry", title=Text(en="Record", zh="记录")),
)
KEY = ("entry", "measure", "of")
_KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in KINDS}


def figures(statement: Statement) -> Iterator[Put]:
    """Yield a row for each figure of a record on scores."""
    body = _KINDS[statement.kind].read(statement.body)
    for each in FIGURES[statement.kind](body):
        words = TITLES[each.measure]
        yield Put(
            {
                "subject": statement.subject.name,
                "subject_id": statement.subject.id,
                "kind": statement.kind,
                "data": body.source.data.name,
                "measure": each.measure,
                "measure_en": words.en,
                "measure_zh": words.zh,
                "of": group_words(each.group),
                "n": each.n,
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "floor": each.floor,
                "method": each.method or body.method,
                "at": statement.at,
                "entry": statement.entry,
            }
        )

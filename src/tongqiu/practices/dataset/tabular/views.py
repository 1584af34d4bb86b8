"""Registries of tables and of releases: one row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practice import Column, Put
from tongqiu.practices.dataset.tabular.kinds import RELEASE, TABLE
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.statement import Statement

_SUBJECT = (
    Column(name="dataset", title=Text(en="Data set", zh="数据集"), searched=True),
    Column(name="dataset_id", title=Text(en="Identifier", zh="标识符"), searched=True),
)
_LAST = (
    Column(name="method", title=Text(en="Method", zh="方法")),
    Column(name="at", title=Text(en="Said at", zh="出具时间"), type="instant"),
    Column(name="entry", title=Text(en="Record", zh="记录")),
)
TABLE_COLUMNS = (
    *_SUBJECT,
    Column(name="file", title=Text(en="File", zh="文件"), searched=True),
    Column(name="rows", title=Text(en="Rows", zh="行数"), type="integer"),
    Column(name="columns", title=Text(en="Columns", zh="列数"), type="integer"),
    Column(name="constraints", title=Text(en="Constraints declared", zh="声明的约束数"), type="integer"),
    Column(name="broken", title=Text(en="Constraints that do not hold", zh="不成立的约束数"), type="integer"),
    Column(
        name="leaks", title=Text(en="Columns that nearly determine the label", zh="几乎决定标签的列数"), type="integer"
    ),
    Column(name="wrong", title=Text(en="Labels wrong at least", zh="至少标错的标签数"), type="integer"),
    Column(name="shifted", title=Text(en="Columns no longer spread as before", zh="分布已变化的列数"), type="integer"),
    Column(name="k", title=Text(en="k", zh="k 值"), type="integer"),
    Column(name="l", title=Text(en="l", zh="l 值"), type="integer"),
    Column(name="t", title=Text(en="t", zh="t 值"), type="real"),
    *_LAST,
)
RELEASE_COLUMNS = (
    *_SUBJECT,
    Column(name="epsilon", title=Text(en="Privacy budget spent", zh="已用隐私预算"), type="real"),
    Column(name="before", title=Text(en="Spent before", zh="此前已用"), type="real"),
    Column(name="most", title=Text(en="Allowed in all", zh="允许总额"), type="real"),
    Column(name="summaries", title=Text(en="Summaries", zh="统计量数"), type="integer"),
    *_LAST,
)


def tables(statement: Statement) -> Iterator[Put]:
    """Yield the row of one table; what was not looked at is empty."""
    body = TABLE.read(statement.body)
    hidden = body.anonymity.hidden if body.anonymity else ()
    yield Put(
        {
            **_subject(statement),
            "file": body.path,
            "rows": body.rows,
            "columns": len(body.columns) + body.more_columns,
            "constraints": body.declared,
            "broken": sum(1 for each in body.constraints if each.count),
            "leaks": sum(each.leaks for each in body.telling) if body.label else None,
            "wrong": body.labels.wrong if body.labels else None,
            "shifted": sum(each.shifted for each in body.versions.shifts) if body.versions else None,
            "k": body.anonymity.k if body.anonymity else None,
            "l": min((each.l_distinct for each in hidden), default=None),
            "t": max((each.t for each in hidden), default=None),
            **_last(statement, body.method),
        }
    )


def releases(statement: Statement) -> Iterator[Put]:
    """Yield the row of one release."""
    body = RELEASE.read(statement.body)
    yield Put(
        {
            **_subject(statement),
            "epsilon": body.epsilon,
            "before": body.before,
            "most": body.most,
            "summaries": len(body.released),
            **_last(statement, body.method),
        }
    )


def _subject(statement: Statement) -> dict[str, object]:
    return {"dataset": statement.subject.name, "dataset_id": statement.subject.id}


def _last(statement: Statement, method: str) -> dict[str, object]:
    return {"method": method, "at": statement.at, "entry": statement.entry}

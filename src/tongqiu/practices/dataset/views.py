"""Registries of data sets: one row for each table profiled, one for each kind of identifier of people found in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practice import Column, Put
from tongqiu.practices.dataset.kinds import PROFILE
from tongqiu.practices.dataset.words import sort_name
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.statement import Statement

_SUBJECT = (
    Column(name="dataset", title=Text(en="Data set", zh="数据集"), searched=True),
    Column(name="dataset_id", title=Text(en="Identifier", zh="标识符"), searched=True),
    Column(name="file", title=Text(en="File", zh="文件"), searched=True),
)
_LAST = (
    Column(name="method", title=Text(en="Method", zh="方法")),
    Column(name="at", title=Text(en="Said at", zh="出具时间"), type="instant"),
    Column(name="entry", title=Text(en="Record", zh="记录")),
)

DATASET_COLUMNS = (
    *_SUBJECT,
    Column(name="format", title=Text(en="Format", zh="格式")),
    Column(name="bytes", title=Text(en="Bytes", zh="字节数"), type="integer"),
    Column(name="rows", title=Text(en="Rows", zh="行数"), type="integer"),
    Column(name="rows_lost", title=Text(en="Rows not readable", zh="无法读取的行数"), type="integer"),
    Column(name="columns", title=Text(en="Columns", zh="列数"), type="integer"),
    Column(name="missing_share", title=Text(en="Absent values", zh="缺失值占比"), type="real"),
    Column(name="repeated_rows", title=Text(en="Repeated rows", zh="重复行数"), type="integer"),
    Column(name="personal_identifiers", title=Text(en="Identifiers of people", zh="个人标识数"), type="integer"),
    Column(name="languages", title=Text(en="Languages", zh="语言")),
    *_LAST,
)
PERSONAL_COLUMNS = (
    *_SUBJECT,
    Column(name="column", title=Text(en="Column", zh="列"), searched=True),
    Column(name="scheme", title=Text(en="Scheme", zh="标识类型"), searched=True),
    Column(name="sort_en", title=Text(en="What it is (English)", zh="含义（英文）"), searched=True),
    Column(name="sort_zh", title=Text(en="What it is (Chinese)", zh="含义（中文）"), searched=True),
    Column(name="country", title=Text(en="Country", zh="国家或地区"), searched=True),
    Column(name="ground", title=Text(en="Ground", zh="依据")),
    Column(name="found", title=Text(en="Found", zh="数量"), type="integer"),
    Column(name="masked", title=Text(en="Form, masked", zh="形式（已遮盖）")),
    *_LAST,
)


def datasets(statement: Statement) -> Iterator[Put]:
    """Yield a row for each table of a profile."""
    body = PROFILE.read(statement.body)
    for table in body.tables:
        cells = table.rows * len(table.columns)
        yield Put(
            {
                **_shared(statement, table.path, body.method),
                "format": table.format,
                "bytes": table.size,
                "rows": table.rows,
                "rows_lost": table.completeness.lost,
                "columns": len(table.columns),
                "missing_share": sum(column.missing for column in table.columns) / cells if cells else None,
                "repeated_rows": next((each.count.value for each in table.repeated if not each.column), None),
                "personal_identifiers": sum(item.count for item in table.personal),
                "languages": " ".join(dict.fromkeys(item.language for item in table.languages)),
            }
        )


def personal_data(statement: Statement) -> Iterator[Put]:
    """Yield a row for each scheme of identifiers in each column of a profile."""
    body = PROFILE.read(statement.body)
    for table in body.tables:
        for item in table.personal:
            words = sort_name(item.sort)
            yield Put(
                {
                    **_shared(statement, table.path, body.method),
                    "column": item.column,
                    "scheme": item.scheme,
                    "sort_en": words.en,
                    "sort_zh": words.zh,
                    "country": item.country,
                    "ground": item.ground,
                    "found": item.count,
                    "masked": "  ".join(item.masked),
                }
            )


def _shared(statement: Statement, path: str, method: str) -> dict[str, object]:
    return {
        "dataset": statement.subject.name,
        "dataset_id": statement.subject.id,
        "file": path,
        "method": method,
        "at": statement.at,
        "entry": statement.entry,
    }

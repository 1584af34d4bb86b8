"""The registry of texts: one row for each language of each part."""

from __future__ import annotations

from collections.abc import Iterator

from tongqiu.practice import Column, Put
from tongqiu.record.statement import Statement
from tongqiu.record.text import Text
from tongqiu_readability.kinds import READING

COLUMNS = (
    Column(name="entry", title=Text(en="Record", zh="记录")),
    Column(name="name", title=Text(en="Name", zh="名称"), searched=True),
    Column(name="language", title=Text(en="Language", zh="语言")),
    Column(name="sentences", title=Text(en="Sentences", zh="句数"), type="integer"),
    Column(name="mean", title=Text(en="Mean length", zh="平均长度"), type="real"),
)


def rows(statement: Statement) -> Iterator[Put]:
    """Yield the rows of one reading."""
    for each in READING.read(statement.body).languages:
        yield Put(
            {
                "entry": statement.entry,
                "name": statement.subject.name,
                "language": each.language,
                "sentences": each.n,
                "mean": each.mean,
            }
        )

"""Reading the columns that an evaluation needs from a table of any origin: categories as codes, features as numbers."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text
from tongqiu.scan.tables import open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

MAX_LEVELS = 100
"""Most different values of a column that is read as categories: with more it is no grouping, and may name people."""

MAX_LEVEL_LENGTH = 120
"""Longest value of such a column, in characters."""


class Columns(NamedTuple):
    """What was read: ``rows`` readable rows, ``lost`` rows that could not be read at all.

    ``codes[name]`` is one unsigned integer a row; ``levels[name]`` the values they stand for, sorted, so that the order of
    rows changes nothing.
    ``numbers`` has one line a row and one column for each numeric column asked for (float32); it holds NaN where a field
    is no finite number. ``later`` marks the rows of the later period, where the table was asked to be split in two.
    """

    rows: int
    lost: int
    codes: dict[str, NDArray[np.uint16]]
    levels: dict[str, list[str]]
    numbers: NDArray[np.float32]
    later: NDArray[np.bool_] | None = None


def read(  # noqa: PLR0913 - each is a part of the question
    stream: BinaryIO,
    *,
    where: str,
    coded: Sequence[str],
    numeric: Sequence[str],
    split: tuple[str, str | None] | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Columns:
    """Read the columns ``coded`` (as categories) and ``numeric`` (as numbers) of the table in ``stream``.

    ``split`` names a column of dates (ISO 8601, or any words that sort by time) and where its later period begins; without that,
    the column must hold two values, of which the second in order is the later. Blanks around a value do not count. Raises Missing (``evaluation.no-column``), Malformed (``evaluation.too-many-levels``,
    ``evaluation.no-rows``) and whatever :func:`tongqiu.scan.tables.open_table` raises.
    """
    import numpy as np

    seen: dict[str, dict[str, int]] = {name: {} for name in coded}
    parts: dict[str, list[NDArray[np.uint16]]] = {name: [] for name in coded}
    blocks: list[NDArray[np.float32]] = []
    rows = 0
    wanted = (*coded, *numeric, *((split[0],) if split is not None else ()))
    periods: list[str] = []
    with open_table(stream, name=where) as table:
        if table.format != "jsonl":
            _check(table.columns, wanted, where)
        for batch in table.batches():
            place = {name: at for at, name in enumerate(table.columns)}
            for name in coded:
                column = _column(batch.rows, place.get(name))
                parts[name].append(_encode(column, seen[name], name, where))
            if numeric:
                block = np.empty((len(batch.rows), len(numeric)), dtype=np.float32)
                for at, name in enumerate(numeric):
                    block[:, at] = _numbers(_column(batch.rows, place.get(name)))
                blocks.append(block)
            if split is not None:
                periods.extend(_column(batch.rows, place.get(split[0])))
            rows += len(batch.rows)
            progress(table.read)
        _check(table.columns, wanted, where)
        lost = table.problems.lost
    if not rows:
        raise Malformed(
            "evaluation.no-rows",
            Text(en="The table has a header but no rows.", zh="表格只有表头，没有数据行。"),
            do=Text(en="Give a table with at least one row.", zh="请提供至少有一行数据的表格。"),
            where=where,
        )
    empty = np.empty((rows, 0), dtype=np.float32)
    levels = {name: sorted(seen[name]) for name in coded}
    return Columns(
        rows,
        lost,
        {name: _ranked(levels[name], seen[name])[np.concatenate(parts[name])] for name in coded},
        levels,
        np.concatenate(blocks) if blocks else empty,
        _later(periods, split[1], split[0], where) if split is not None else None,
    )


def _ranked(levels: Sequence[str], seen: dict[str, int]) -> NDArray[np.uint16]:
    """Return, for each code in the order in which levels were seen, its place among them in order."""
    import numpy as np

    rank = np.zeros(len(levels), dtype=np.uint16)
    for at, level in enumerate(levels):
        rank[seen[level]] = at
    return rank


def _later(periods: list[str], since: str | None, name: str, where: str) -> NDArray[np.bool_]:
    """Return which rows are of the later period; Malformed (``evaluation.periods``) where there are not two."""
    import numpy as np

    seen = sorted(set(periods) - {""})
    if since is None and len(seen) == 2:  # noqa: PLR2004 - earlier and later
        since = seen[1]
    if since is None or not seen or not seen[0] < since <= seen[-1] or "" in periods:
        raise Malformed(
            "evaluation.periods",
            Text(
                en="The column {name} does not part the rows into two periods (values from '{first}' to '{last}', blanks: {blanks}).",
                zh="列 {name} 未能把各行分为两个时期（取值从“{first}”到“{last}”，空白 {blanks} 个）。",
            ),
            do=Text(
                en="Name the first date of the later period, and leave no blanks: since = 'YYYY-MM-DD'",
                zh="请写明后一时期的起始日期，且不留空白：since = 'YYYY-MM-DD'",
            ),
            where=where,
            name=name,
            first=seen[0][:40] if seen else "",
            last=seen[-1][:40] if seen else "",
            blanks=periods.count(""),
        )
    return np.fromiter((each >= since for each in periods), dtype=np.bool_, count=len(periods))


def _check(columns: Sequence[str], wanted: Sequence[str], where: str) -> None:
    for name in wanted:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
            raise Missing(
                "evaluation.no-column",
                Text(en="The table has no column named {name}.", zh="表格中没有名为 {name} 的列。"),
                do=Text(en="Did you mean {near}? Mend the manifest.", zh="您是指 {near} 吗？请修正清单。")
                if near
                else Text(en="Its columns are: {columns}.", zh="现有的列：{columns}。"),
                where=where,
                name=name,
                near=near[0] if near else "",
                columns=", ".join(columns[:30]),
            )


def _column(rows: Sequence[Sequence[str]], at: int | None) -> list[str]:
    """Return one column; a row that ends before it, or a table that has not shown it yet, gives blanks."""
    if at is None:
        return [""] * len(rows)
    return [row[at].strip() if at < len(row) else "" for row in rows]


def _encode(column: list[str], seen: dict[str, int], name: str, where: str) -> NDArray[np.uint16]:
    import numpy as np

    for value in dict.fromkeys(column):
        if value not in seen:
            if len(seen) >= MAX_LEVELS or len(value) > MAX_LEVEL_LENGTH:
                raise Malformed(
                    "evaluation.too-many-levels",
                    Text(
                        en="The column {name} has more than {limit} different values, or values longer than {length} characters; "
                        "these are no groups.",
                        zh="列 {name} 有超过 {limit} 个不同取值，或取值长于 {length} 个字符，不能作为分组。",
                    ),
                    do=Text(en="Bin its values, or name another column.", zh="请将取值分箱，或改用其他列。"),
                    where=where,
                    name=name,
                    limit=MAX_LEVELS,
                    length=MAX_LEVEL_LENGTH,
                )
            seen[value] = len(seen)
    return np.fromiter(map(seen.__getitem__, column), dtype=np.uint16, count=len(column))


def _numbers(column: list[str]) -> NDArray[np.float32]:
    import numpy as np

    try:
        found = np.array([value or "nan" for value in column], dtype=np.str_).astype(np.float64)
    except ValueError:
        found = np.fromiter(map(_number, column), dtype=np.float64, count=len(column))
    with np.errstate(over="ignore"):
        narrow = found.astype(np.float32)
    narrow[~np.isfinite(narrow)] = np.nan
    return narrow


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

"""Profiling one table in a single pass and in memory that does not grow with it.

Memory, at most: one batch of rows, 2 million entries for the values of all columns together (about 90 bytes each), one
million different rows and as many different texts for repetitions (about 160 bytes each), 200 thousand groups.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from tongqiu.practices.dataset.column import ABSENT, TEXT_FROM, ColumnWatch
from tongqiu.practices.dataset.kinds import (
    SMALLEST_CELL,
    Completeness,
    Group,
    Groups,
    Number,
    Repeated,
    TableProfile,
    Tongue,
    Trouble,
)
from tongqiu.practices.dataset.sketch import Repeats
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text
from tongqiu.scan import personal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.scan.tables import Batch, Problem, Table

    Progress = Callable[[int], None]

_ENTRIES = 2_000_000
_REPEATS = 1_000_000
_GROUPS = 200_000
_SHOWN = 50
_LISTED = 1_000
_DOCUMENT_FROM = 40.0


def profile(  # noqa: PLR0913 - what is asked of a table
    table: Table,
    path: str,
    *,
    sensitive: Sequence[str] = (),
    label: str | None = None,
    progress: Progress | None = None,
    repeats: int = _REPEATS,
    every: bool = True,
) -> TableProfile:
    """Read ``table`` to its end and return its profile.

    ``sensitive`` and ``label`` name columns whose groups are counted; ``progress`` is called with the bytes of the file
    read so far. Raises Missing (``dataset.column``) when ``every`` column named must be there and one is not, and
    whatever reading raises.
    """
    watch = _TableWatch(sensitive, label, repeats)
    for batch in table.batches():
        watch.take(batch, table.columns)
        if progress is not None:
            progress(table.read)
    if every:
        watch.check(table.columns, path)
    return watch.result(table, path)


class _TableWatch:
    """A table as its batches go by."""

    def __init__(self, sensitive: Sequence[str], label: str | None, repeats: int) -> None:
        self.columns: list[ColumnWatch] = []
        self.rows = 0
        self._sensitive = tuple(dict.fromkeys(sensitive))
        self._label = label
        self._groups: dict[str, dict[str, list[int]]] = {name: {} for name in self._named()}
        self._overfull: set[str] = set()
        self._bound = repeats
        self._same_rows = Repeats(repeats)
        self._document = -1
        self._same_texts = Repeats(repeats)
        self._texts = 0

    def _named(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._sensitive, *([self._label] if self._label else []))))

    def take(self, batch: Batch, names: Sequence[str]) -> None:
        """Take one batch of rows under the columns known by now."""
        rows = batch.rows
        if not rows:
            return
        width = len(names)
        if any(len(row) < width for row in rows):
            rows = [row if len(row) == width else row + [""] * (width - len(row)) for row in rows]
        share = max(64, min(8192, _ENTRIES // max(1, width) // 2))
        for name in names[len(self.columns) :]:
            column = ColumnWatch(name, bound=share)
            if self.rows:
                column.take([""] * self.rows, range(1, self.rows + 1))
            self.columns.append(column)
        values = list(zip(*rows, strict=True))
        for column, each in zip(self.columns, values, strict=True):
            column.take(each, batch.numbers)
        for row in rows:
            self._same_rows.add("\x00".join(row).rstrip("\x00"))
        self._take_texts(values)
        if self._groups:
            self._take_groups(rows, names)
        self.rows += len(rows)

    def check(self, names: Sequence[str], path: str) -> None:
        """Raise Missing for a declared column that is not there."""
        for name in self._named():
            if name not in names:
                raise Missing(
                    "dataset.column",
                    Text(en="The table has no column of this name: {name}.", zh="表格中没有名为 {name} 的列。"),
                    do=Text(en="Name one of its columns: {columns}.", zh="请填写其中一列：{columns}。"),
                    where=path,
                    name=name,
                    columns=", ".join(column.name for column in self.columns[:20]),
                )

    def result(self, table: Table, path: str) -> TableProfile:
        """Return the profile of all that was taken."""
        found = [item for column in self.columns for item in column.personal()]
        hidden = [item for column in self.columns for item in column.secrets()]
        columns = self.columns or [ColumnWatch(name, bound=1) for name in table.columns]
        tongues: Counter[tuple[str, str]] = Counter()
        for column in self.columns:
            tongues.update(column.tongues())
        lost = table.problems.lost
        return TableProfile(
            path=path,
            format=table.format,
            size=table.size or table.read,
            rows=self.rows,
            columns=tuple(column.column() for column in columns),
            repeated=tuple(self._repeated()),
            completeness=Completeness(
                self.rows,
                lost,
                sum(column.looked_at for column in self.columns),
                whole=not any(item.code in {"table.truncated", "table.corrupt"} for item in table.problems.all()),
            ),
            groups=tuple(self._group(name, table.columns) for name in self._named() if name in table.columns),
            languages=tuple(
                Tongue(language, script, count)
                for (language, script), count in sorted(tongues.items(), key=_often)[:_LISTED]
            ),
            personal=tuple(
                sorted(found, key=lambda item: (-item.count, item.column, item.scheme, item.country, item.ground))[
                    :_LISTED
                ]
            ),
            secrets=tuple(hidden[:_LISTED]),
            troubles=tuple(_trouble(item) for item in table.problems.all()),
            more=max(0, len(found) - _LISTED) + max(0, len(hidden) - _LISTED),
        )

    def _take_texts(self, values: list[tuple[str, ...]]) -> None:
        """Follow repetitions in the column that holds the documents: the one with the longest texts at the start."""
        if not self.rows:
            longest = max(range(len(self.columns)), key=lambda index: self.columns[index].mean_length, default=-1)
            if len(self.columns) > 1 and self.columns[longest].mean_length >= _DOCUMENT_FROM:
                self._document = longest
        if self._document < 0:
            return
        for value in values[self._document]:
            if value not in ABSENT:
                self._same_texts.add(value)
                self._texts += 1

    def _take_groups(self, rows: list[list[str]], names: Sequence[str]) -> None:
        places = {name: index for index, name in enumerate(names)}
        gaps = [sum(value in ABSENT for value in row) for row in rows]
        for name, groups in self._groups.items():
            at = places.get(name)
            if at is None or name in self._overfull:
                continue
            for row, absent in zip(rows, gaps, strict=True):
                value = "" if row[at] in ABSENT else row[at].strip()
                cell = groups.get(value)
                if cell is None:
                    cell = groups[value] = [0, 0]
                cell[0] += 1
                cell[1] += absent - (not value) > 0
            if len(groups) > _GROUPS // len(self._groups):
                self._overfull.add(name)
                groups.clear()

    def _group(self, name: str, names: Sequence[str]) -> Groups:
        """Return the groups of a column, the small ones without their values and numbers."""
        role: Literal["sensitive", "label"] = (
            "label" if name == self._label and name not in self._sensitive else "sensitive"
        )
        shown_name = personal.masked(name)[:100]
        at = names.index(name)
        watch = self.columns[at] if at < len(self.columns) else ColumnWatch(name, bound=1)
        if name in self._overfull or watch.identifies or watch.mean_length >= TEXT_FROM:
            return Groups(shown_name, role, withheld=True)
        groups = dict(self._groups[name])
        missing, _ = groups.pop("", (0, 0))
        ordered = sorted(groups.items(), key=lambda item: (-item[1][0], item[0]))
        visible = [item for item in ordered[:_SHOWN] if item[1][0] >= SMALLEST_CELL]
        hidden = ordered[len(visible) :]
        if not visible and len(hidden) > _SHOWN:
            return Groups(shown_name, role, withheld=True)
        return Groups(
            shown_name,
            role,
            tuple(Group(personal.masked(value)[:100], rows, gaps) for value, (rows, gaps) in visible),
            len(hidden),
            sum(cell[0] for _, cell in hidden),
            missing,
        )

    def _repeated(self) -> list[Repeated]:
        same = self._same_rows.count()
        out = [Repeated("", self.rows, Number(same.value, same.exact))]
        if self._document >= 0:
            texts = self._same_texts.count()
            out.append(Repeated(self.columns[self._document].name, self._texts, Number(texts.value, texts.exact)))
        return out


def _often(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -item[1], item[0]


def _trouble(problem: Problem) -> Trouble:
    places = problem.places[:10]
    return Trouble(
        problem.code,
        problem.count,
        problem.what,
        problem.do,
        tuple(p.row for p in places),
        tuple(p.line for p in places),
    )

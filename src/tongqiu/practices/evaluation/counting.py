"""Counting decisions by group: every rate, difference and interval of a fairness report comes from one table of counts.

The codes of all sensitive columns, the label and the decision are packed into one small integer a row, and the integers
are counted. Everything after that costs by the number of groups, not by the number of rows.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.unsignedinteger]

MAX_CELLS = 1 << 20
_BLOCK = 1 << 16


class Outcome(NamedTuple):
    """Counts of one group: ``tp``, ``fp``, ``fn``, ``tn`` by label and decision, both read as positive or not."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def n(self) -> int:
        """Return how many rows the group has."""
        return self.tp + self.fp + self.fn + self.tn


class Cells(NamedTuple):
    """Counts of all rows: ``counts`` has one axis for each column (its levels in order), then label and decision (0, 1)."""

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    counts: NDArray[np.int64]

    @property
    def total(self) -> Outcome:
        """Return the counts of all rows together."""
        return _outcome(self.counts.reshape(-1, 2, 2).sum(axis=0))

    def groups(self, by: Sequence[str]) -> list[tuple[Mapping[str, str], Outcome]]:
        """Return the groups formed by ``by`` (one or more columns) that have rows, in the order of their levels."""
        axes = [self.columns.index(name) for name in by]
        dropped = tuple(axis for axis in range(len(self.columns)) if axis not in axes)
        table = self.counts.sum(axis=dropped) if dropped else self.counts
        # sum() keeps the remaining axes in their own order; bring them into the order asked for.
        order = [sorted(axes).index(axis) for axis in axes]
        table = table.transpose(*order, len(axes), len(axes) + 1)
        names = [self.levels[axis] for axis in axes]
        found: list[tuple[Mapping[str, str], Outcome]] = []
        for place in itertools.product(*(range(len(each)) for each in names)):
            outcome = _outcome(table[place])
            if outcome.n:
                found.append(({name: names[i][place[i]] for i, name in enumerate(by)}, outcome))
        return found


def _outcome(table: NDArray[np.int64]) -> Outcome:
    return Outcome(tp=int(table[1, 1]), fp=int(table[0, 1]), fn=int(table[1, 0]), tn=int(table[0, 0]))


def count(columns: Mapping[str, tuple[Codes, Sequence[str]]], label: Codes, decision: Codes) -> Cells:
    """Count the rows of every combination of levels, label and decision.

    ``columns`` maps each sensitive column to its codes (one unsigned integer a row, below the number of levels) and its
    levels; ``label`` and ``decision`` are 0 or 1 a row. All arrays have one length. Raises ``Malformed``
    (``evaluation.lengths``, ``evaluation.codes``, ``evaluation.too-many-groups``).
    """
    import numpy as np

    sizes = [len(levels) for _, levels in columns.values()]
    parts = [*(codes for codes, _ in columns.values()), label, decision]
    if len({len(part) for part in parts}) != 1:
        raise _unequal([len(part) for part in parts])
    shape = (*sizes, 2, 2)
    cells = int(np.prod(shape, dtype=np.int64))
    if cells > MAX_CELLS:
        raise _too_many(cells)
    for part, size in zip(parts, shape, strict=True):
        if len(part) and int(part.max()) >= size:
            raise _beyond(int(part.max()), size)
    small = np.min_scalar_type(cells)
    total = np.zeros(cells, dtype=np.int64)
    # Blocks that fit in the cache: the packed codes never travel to memory and back.
    for start in range(0, len(label), _BLOCK):
        stop = start + _BLOCK
        packed = parts[0][start:stop].astype(small)
        for part, size in zip(parts[1:], shape[1:], strict=True):
            packed *= small.type(size)
            packed += part[start:stop].astype(small, copy=False)
        total += np.bincount(packed, minlength=cells)
    return Cells(tuple(columns), tuple(tuple(levels) for _, levels in columns.values()), total.reshape(shape))


def _unequal(lengths: Sequence[int]) -> Malformed:
    return Malformed(
        "evaluation.lengths",
        Text(en="The columns have different lengths: {lengths}.", zh="各列长度不同：{lengths}。"),
        do=Text(en="Give every row a label, a decision and its groups.", zh="请为每一行给出标签、决定和分组。"),
        lengths=", ".join(map(str, lengths)),
    )


def _beyond(code: int, size: int) -> Malformed:
    return Malformed(
        "evaluation.codes",
        Text(
            en="The code {found} names no level; there are {size}.",
            zh="编码 {found} 不对应任何取值；共有 {size} 个取值。",
        ),
        do=Text(en="Number the levels from 0.", zh="请从 0 起为取值编号。"),
        found=code,
        size=size,
    )


def _too_many(cells: int) -> Malformed:
    return Malformed(
        "evaluation.too-many-groups",
        Text(
            en="The sensitive columns form {cells} cells; {limit} is the most that can be judged.",
            zh="敏感列组合出 {cells} 个单元；最多可评 {limit} 个。",
        ),
        do=Text(en="Name fewer columns, or bin their values.", zh="请减少列，或将取值分箱。"),
        cells=cells,
        limit=MAX_CELLS,
    )

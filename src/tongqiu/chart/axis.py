"""Where a number stands on a line: the range that is shown, its marks, and places as per cent of the width.

Places are per cent, not pixels, so a drawing fills whatever width it is given while its letters keep their size.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARGIN = 2.0
_WIDE = 0.35
_MOST_MARKS = 12
_SAME = 1e-9
_LEAST = 1e-280


class Axis(NamedTuple):
    """A shown range from ``low`` to ``high`` with its ``marks`` (in the unit of the values)."""

    low: float
    high: float
    marks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return where ``value`` stands, in per cent of the width; values outside stand at the edge."""
        part = (value - self.low) / (self.high - self.low)
        return _MARGIN + (100 - 2 * _MARGIN) * min(1.0, max(0.0, part))


def axis(values: Iterable[float], *, share: bool = False) -> Axis:
    """Return an axis that holds ``values`` (those not finite are ignored) with about four round marks.

    Shares that fill over a third of 0 to 1 are shown on the whole of it, so that no difference looks larger than it is.
    """
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if share and low >= 0 and high <= 1 and high - low >= _WIDE:
        return Axis(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
    if not math.isfinite(high - low):
        return Axis(0.0, 1.0, (0.0, 1.0))
    if high - low <= max(abs(high), abs(low), _LEAST) * _SAME:
        spread = abs(high) * 0.1 or 1.0
        low, high = low - spread, high + spread
    step = _round_step((high - low) / 3)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if last - first > _MOST_MARKS:
        return Axis(low, high, (low, high))
    marks = tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))
    return Axis(min(low, marks[0]), max(high, marks[-1]), marks)


def _round_step(rough: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return float(next(factor for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough * 0.999) * magnitude)

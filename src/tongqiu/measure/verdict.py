"""A verdict on a limit is taken where the whole interval stands, never where its middle does.

``met`` if every value in the interval is on the right side, ``unmet`` if every value is on the wrong side, ``undecided``
otherwise. Looking at many groups finds a difference by luck, so the level is adjusted for how many were compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tongqiu.measure.distribution import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.measure.interval import Interval

Verdict = Literal["met", "unmet", "undecided"]
Side = Literal["at-least", "at-most"]


def at_bound(interval: Interval, limit: float, side: Side) -> Verdict:
    """Return the verdict on "the true value is at least (at most) ``limit``", read at the bounds of ``interval``.

    A bound exactly on the limit is on the right side, since the limit itself is allowed.
    """
    if side == "at-least":
        right, wrong = interval.low >= limit, interval.high < limit
    else:
        right, wrong = interval.high <= limit, interval.low > limit
    return "met" if right else "unmet" if wrong else "undecided"


def bonferroni_level(level: float, comparisons: int) -> float:
    """Return the level of each of ``comparisons`` intervals so that all hold together at ``level`` (Bonferroni)."""
    require("level", level, 0.0, 1.0, strict=True)
    require("comparisons", comparisons, 1, float("inf"))
    return 1.0 - (1.0 - level) / comparisons


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted by Holm's step-down (1979, Scand. J. Statist. 6:65), in the order given.

    0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        require("p", p_values[index], 0.0, 1.0)
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted

"""Intervals: between which bounds a share, a difference or a ratio lies, at a stated level of confidence.

All take counts, not shares, so that the number of cases cannot be lost on the way. Every interval names its method.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from tongqiu.measure.distribution import beta_quantile, z_two_sided
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

CONVENTIONAL_LEVEL = 0.95


class Interval(msgspec.Struct, frozen=True):
    """Two bounds at a confidence level; ``high`` is ``math.inf`` where nothing bounds it from above."""

    low: float
    high: float
    level: float
    method: str

    def magnitude(self) -> Interval:
        """Return the interval of the absolute value: what bounds ``|d|`` when this bounds ``d``."""
        if self.low >= 0.0:
            low, high = self.low, self.high
        elif self.high <= 0.0:
            low, high = -self.high, -self.low
        else:
            low, high = 0.0, max(-self.low, self.high)
        return Interval(low, high, self.level, self.method)

    def shrink(self) -> Interval:
        """Return the interval of ``min(r, 1/r)`` when this bounds a ratio ``r`` >= 0: 1 means equal, 0 far apart."""
        if self.high <= 1.0:
            low, high = self.low, self.high
        elif self.low >= 1.0:
            low, high = (0.0 if math.isinf(self.high) else 1.0 / self.high), 1.0 / self.low
        else:
            low, high = min(self.low, 0.0 if math.isinf(self.high) else 1.0 / self.high), 1.0
        return Interval(low, high, self.level, self.method)


def counts(successes: int, n: int) -> tuple[int, int]:
    """Return the two counts if ``0 <= successes <= n`` and ``n >= 1``; raise ``Malformed`` otherwise."""
    if n < 1 or not 0 <= successes <= n:
        raise Malformed(
            "measure.impossible-counts",
            Text(
                en="{successes} out of {n} cannot be counts of cases: a share needs at least one case.",
                zh="{n} 例中有 {successes} 例，这样的计数不成立：计算比例至少需要一例。",
            ),
            do=Text(
                en="Give counts with 0 <= cases counted <= all cases.", zh="请给出满足 0 <= 计入数 <= 总数的计数。"
            ),
            successes=successes,
            n=n,
        )
    return successes, n


def wilson(successes: int, n: int, level: float = CONVENTIONAL_LEVEL) -> Interval:
    """Score interval of a share without continuity correction (Wilson 1927; method 3 of Newcombe 1998, Stat. Med. 17:857).

    Newcombe's Table I: 81/263 gives 0.2553 to 0.3662; 15/148 gives 0.0624 to 0.1605; 0/20 gives 0.0000 to 0.1611;
    1/29 gives 0.0061 to 0.1718.
    """
    x, n = counts(successes, n)
    z = z_two_sided(level)
    p = x / n
    centre = x + z * z / 2.0
    spread = z * math.sqrt(x * (1.0 - p) + z * z / 4.0)
    # At 0 and at n the formula gives the end exactly, but floating point leaves dust of either sign.
    low = 0.0 if x == 0 else (centre - spread) / (n + z * z)
    high = 1.0 if x == n else (centre + spread) / (n + z * z)
    return Interval(low, high, level, "wilson")


def wilson_corrected(successes: int, n: int, level: float = CONVENTIONAL_LEVEL) -> Interval:
    """Score interval of a share with continuity correction (method 4 of Newcombe 1998, Stat. Med. 17:857, Table I).

    81/263 gives 0.2535 to 0.3682; 15/148 gives 0.0598 to 0.1644; 0/20 gives 0.0000 to 0.2005; 1/29 gives 0.0018 to
    0.1963.
    """
    x, n = counts(successes, n)
    z = z_two_sided(level)
    p = x / n
    q = 1.0 - p
    scale = 2.0 * (n + z * z)
    low = high = p
    if x == 0:
        low = 0.0
    else:
        low = (2 * n * p + z * z - 1 - z * math.sqrt(max(0.0, z * z - 2 - 1 / n + 4 * p * (n * q + 1)))) / scale
    if x == n:
        high = 1.0
    else:
        high = (2 * n * p + z * z + 1 + z * math.sqrt(max(0.0, z * z + 2 - 1 / n + 4 * p * (n * q - 1)))) / scale
    return Interval(max(0.0, low), min(1.0, high), level, "wilson-corrected")


def clopper_pearson(successes: int, n: int, level: float = CONVENTIONAL_LEVEL) -> Interval:
    """Exact interval of a share by the binomial tails (Clopper and Pearson 1934; method 5 of Newcombe 1998, Table I).

    Coverage is never below ``level``. 81/263 gives 0.2527 to 0.3676; 15/148 gives 0.0578 to 0.1617; 0/20 gives 0.0000
    to 0.1684; 1/29 gives 0.0009 to 0.1776.
    """
    x, n = counts(successes, n)
    tail = (1.0 - level) / 2.0
    z_two_sided(level)
    low = 0.0 if x == 0 else beta_quantile(tail, x, n - x + 1)
    high = 1.0 if x == n else 1.0 - beta_quantile(tail, n - x, x + 1)
    return Interval(low, high, level, "clopper-pearson")


def upper_bound(successes: int, n: int, level: float = CONVENTIONAL_LEVEL) -> float:
    """Return the exact one-sided upper bound of a share: 0 failures in 30 cases at 0.95 gives 0.0950."""
    x, n = counts(successes, n)
    z_two_sided(level)
    return 1.0 if x == n else 1.0 - beta_quantile(1.0 - level, n - x, x + 1)


def newcombe(first: tuple[int, int], second: tuple[int, int], level: float = CONVENTIONAL_LEVEL) -> Interval:
    """Interval of the difference of two independent shares, first minus second; each given as (successes, n).

    Hybrid score interval without continuity correction: method 10 of Newcombe 1998, Stat. Med. 17:873. Its Table II:
    56/70 - 48/80 gives 0.0524 to 0.3339; 9/10 - 3/10 gives 0.1705 to 0.8090; 5/56 - 0/29 gives -0.0381 to 0.1926;
    0/10 - 0/20 gives -0.1611 to 0.2775; 10/10 - 0/20 gives 0.6791 to 1.0000.
    """
    (x1, n1), (x2, n2) = first, second
    one, two = wilson(x1, n1, level), wilson(x2, n2, level)
    p1, p2 = x1 / n1, x2 / n2
    d = p1 - p2
    low = d - math.hypot(p1 - one.low, two.high - p2)
    high = d + math.hypot(one.high - p1, p2 - two.low)
    return Interval(max(-1.0, low), min(1.0, high), level, "newcombe-10")


def katz(first: tuple[int, int], second: tuple[int, int], level: float = CONVENTIONAL_LEVEL) -> Interval:
    """Interval of the ratio of two independent shares, first over second; each given as (successes, n).

    Normal interval of the logarithm (Katz et al. 1978, Biometrics 34:469): 7/34 over 1/34 gives 0.91 to 54. It has no
    meaning where a count is 0, and no width where a share is 1; there :func:`mover_ratio` answers instead, and the method
    of the interval says so.
    """
    (x1, n1), (x2, n2) = first, second
    counts(x1, n1)
    counts(x2, n2)
    if x1 in (0, n1) or x2 in (0, n2):
        return mover_ratio(first, second, level)
    spread = z_two_sided(level) * math.sqrt(1 / x1 - 1 / n1 + 1 / x2 - 1 / n2)
    ratio = (x1 / n1) / (x2 / n2)
    return Interval(ratio * math.exp(-spread), ratio * math.exp(spread), level, "katz-log")


def mover_ratio(first: tuple[int, int], second: tuple[int, int], level: float = CONVENTIONAL_LEVEL) -> Interval:
    """Interval of a ratio of shares from the two score intervals (method of variance estimates recovery).

    Donner and Zou 2012, Stat. Methods Med. Res. 21:347, with Wilson limits; the lower limit is written so that it stays
    defined where the second share is 0. 0/n over 0/n gives 0 to infinity: nothing is known. 10/10 over 10/10 gives
    0.7225 to 1.3841, the lower score limit of 10/10 and its inverse.
    """
    (x1, n1), (x2, n2) = first, second
    one, two = wilson(x1, n1, level), wilson(x2, n2, level)
    p1, p2 = x1 / n1, x2 / n2
    product = p1 * p2
    below = one.low * (2.0 * p1 - one.low)
    low = 0.0
    if below > 0.0:
        low = below / (product + math.sqrt(max(0.0, product**2 - below * two.high * (2.0 * p2 - two.high))))
    above = two.low * (2.0 * p2 - two.low)
    high = math.inf
    if above > 0.0:
        high = (product + math.sqrt(max(0.0, product**2 - above * one.high * (2.0 * p1 - one.high)))) / above
    return Interval(low, high, level, "mover-wilson")


def widest(pairs: Iterable[Interval]) -> Interval:
    """Return the interval of the greatest of several magnitudes, from intervals that hold together.

    If every true ``|d_i|`` lies in its interval, the greatest of them lies between the greatest lower and the greatest
    upper bound. So simultaneous intervals of all pairs (see :func:`tongqiu.measure.verdict.bonferroni_level`) give an
    interval of the range, although the pair that shows the range was chosen after looking.
    """
    parts = list(pairs)
    return Interval(max(i.low for i in parts), max(i.high for i in parts), parts[0].level, parts[0].method)


def narrowest(pairs: Iterable[Interval]) -> Interval:
    """Return the interval of the least of several ratios, from intervals that hold together (see :func:`widest`)."""
    parts = list(pairs)
    return Interval(min(i.low for i in parts), min(i.high for i in parts), parts[0].level, parts[0].method)

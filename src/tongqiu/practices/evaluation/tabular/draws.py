"""Drawing by lot so that anyone can draw the same again, and the small arithmetic of ranks and bounds that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tongqiu.practices.evaluation.fairness import COVERAGE
from tongqiu.practices.evaluation.tabular.bodies import Bounded, Share

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.measure.interval import Interval

    Numbers = NDArray[np.float64]

SEED = 20261123
"""The seed of every draw here; it stands in each record."""

MAX_ROWS = 200_000
"""Most rows that are looked at; of more, so many are drawn."""


def generator(*parts: int) -> np.random.Generator:
    """Return a source of chance that depends on :data:`SEED` and ``parts`` alone (PCG64)."""
    import numpy as np

    return np.random.default_rng([SEED, *parts])


def drawn(n: int, limit: int = MAX_ROWS) -> NDArray[np.int64]:
    """Return which of ``n`` rows to look at, in order: all of them, or ``limit`` drawn without putting back."""
    import numpy as np

    if n <= limit:
        return np.arange(n)
    return np.sort(generator(n, limit).choice(n, limit, replace=False))


def share(count: int, n: int, method: Callable[[int, int, float], Interval], level: float = COVERAGE) -> Share:
    """Return ``count`` of ``n`` with the bounds that ``method`` gives; n >= 1."""
    interval = method(count, n, level)
    return Share(count, n, count / n, interval.low, interval.high)


def percentile(value: float, resampled: Numbers, level: float = COVERAGE) -> Bounded:
    """Return ``value`` with the bounds between which the middle ``level`` of its resamples lie (Efron 1979)."""
    import numpy as np

    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Bounded(value, min(value, float(low)), max(value, float(high)))


def reflected(value: float, resampled: Numbers, level: float = COVERAGE, least: float = 0.0) -> Bounded:
    """Return ``value`` with bounds by the basic bootstrap: twice the value less the other quantile, never below ``least``.

    For a statistic that chance can only raise, resampling raises it once more; reflecting takes that back (Davison and Hinkley
    1997, formula 5.6).
    """
    import numpy as np

    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Bounded(value, max(least, min(value, 2 * value - float(high))), max(value, 2 * value - float(low)))


def ranks(values: Numbers) -> Numbers:
    """Return the ranks of each line of ``values`` (lines by items), equal values sharing the mean of theirs."""
    import numpy as np

    table = np.atleast_2d(values)
    less = (table[:, :, None] > table[:, None, :]).sum(axis=2)
    same = (table[:, :, None] == table[:, None, :]).sum(axis=2)
    found: Numbers = less + (same + 1) / 2.0
    return found


def rank_correlation(one: Numbers, two: Numbers) -> Numbers:
    """Return Spearman's rank correlation of each line of ``one`` with the same line of ``two``; 0 where a line is constant."""
    import numpy as np

    first, second = (ranks(each) - (each.shape[-1] + 1) / 2.0 for each in (one, two))
    below = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    above = (first * second).sum(axis=1)
    found: Numbers = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return found


def weights(rng: np.random.Generator, n: int, resamples: int) -> NDArray[Any]:
    """Return how often each of ``n`` rows falls into each resample (resamples by n); each line sums to ``n``."""
    import numpy as np

    picked = rng.integers(0, n, size=(resamples, n))
    picked += np.arange(resamples)[:, None] * n
    return np.bincount(picked.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)

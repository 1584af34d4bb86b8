"""Whether intervals keep what they promise: exact coverage of binomial intervals, simulated coverage over clusters.

For a share nothing is simulated: over all outcomes, the probabilities of those whose interval holds the truth are added up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tongqiu.measure.distribution import binomial_mass
from tongqiu.measure.interval import clopper_pearson, wilson
from tongqiu.measure.mean import FEWEST_CLUSTERS, clustered_bootstrap, clustered_mean, clustered_share
from tongqiu.record.faults import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.report import Report
    from tongqiu.measure.interval import Interval

ITEMS = (10, 20, 30, 60, 100, 300, 1000)
SHARES = tuple(round(0.01 * step, 2) for step in range(1, 100))
REPEATS = 2000
LEVEL = 0.95


def run(benchmark: Report) -> None:
    """Add the coverage of every interval that results are given with."""
    for name, way in (("Clopper-Pearson", clopper_pearson), ("Wilson", wilson)):
        found = [_exact(way, n) for n in ITEMS]
        every = np.concatenate(found)
        benchmark.add(
            f"coverage of {name}, n {ITEMS[0]} to {ITEMS[-1]}, p 0.01 to 0.99: least",
            100 * float(every.min()),
            "%",
            bar=("at least", 95.0) if name == "Clopper-Pearson" else None,
        )
        mean = 100 * float(every.mean())
        benchmark.add(f"  mean, {name}", mean, "%", bar=("at least", 94.0))
        if name == "Wilson":
            benchmark.add("  mean, Wilson, from above", mean, "%", bar=("at most", 96.0))
    for groups in (30, 60, 120):
        for label, estimate, scores in _CASES:
            hit = 100 * _simulated(estimate, scores, groups)
            benchmark.add(f"coverage of {label}, {groups} clusters", hit, "%", bar=("at least", 93.0))
            benchmark.add("  from above", hit, "%", bar=("at most", 97.0))
    benchmark.add("intervals refused below 30 clusters", float(_refused()), "of 3", bar=("at least", 3.0))


def _exact(way: Callable[[int, int], Interval], n: int) -> NDArray[np.float64]:
    """Return the coverage for each share of :data:`SHARES`, with ``n`` items."""
    bounds = [way(count, n) for count in range(n + 1)]
    return np.array(
        [
            math.fsum(binomial_mass(count, n, p) for count, each in enumerate(bounds) if each.low <= p <= each.high)
            for p in SHARES
        ]
    )


Drawn = tuple["NDArray[np.float64]", "NDArray[np.int64]", float]


def _normal(rng: np.random.Generator, groups: int) -> Drawn:
    """Clusters of one to eleven items, an eighth to a half of the variance between clusters; true mean 0."""
    of = np.repeat(np.arange(groups), rng.integers(1, 12, groups))
    return rng.normal(0, 0.7, groups)[of] + rng.normal(0, 1, len(of)), of, 0.0


def _shares(p: float) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(rng: np.random.Generator, groups: int) -> Drawn:
        """Zeros and ones, two to nine in a cluster, correlation 0.2 within clusters (beta-binomial); true share ``p``."""
        of = np.repeat(np.arange(groups), rng.integers(2, 10, groups))
        return (rng.random(len(of)) < rng.beta(4 * p, 4 * (1 - p), groups)[of]).astype(float), of, p

    return draw


def _few(scores: list[float], clusters: list[int]) -> Interval:
    return clustered_bootstrap(scores, clusters, resamples=999)


_CASES = (
    ("clustered mean (t), graded scores", clustered_mean, _normal),
    ("clustered bootstrap-t, graded scores", _few, _normal),
    ("clustered share, p 0.5", clustered_share, _shares(0.5)),
    ("clustered share, p 0.2", clustered_share, _shares(0.2)),
    ("clustered share, p 0.1", clustered_share, _shares(0.1)),
    ("clustered bootstrap-t, shares, p 0.2", _few, _shares(0.2)),
)


def _simulated(
    way: Callable[[list[float], list[int]], Interval],
    draw: Callable[[np.random.Generator, int], Drawn],
    groups: int,
) -> float:
    rng = np.random.default_rng(20261123)
    hits = 0
    for _ in range(REPEATS):
        scores, of, truth = draw(rng, groups)
        found = way(scores.tolist(), of.tolist())
        hits += found.low <= truth <= found.high
    return hits / REPEATS


def _refused() -> int:
    count = 0
    for way in (clustered_mean, clustered_share, clustered_bootstrap):
        try:
            way([0.0, 1.0] * (FEWEST_CLUSTERS - 1), sorted([*range(FEWEST_CLUSTERS - 1)] * 2))
        except Malformed:
            count += 1
    return count

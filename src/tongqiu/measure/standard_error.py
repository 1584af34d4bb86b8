"""Standard errors of averages of scores: independent items, items in clusters, two systems on the same items.

Formulas of Miller, "Adding Error Bars to Evals" (arXiv 2411.00640). Each estimator is named, because two programs that
both say "clustered standard error" may differ by a factor (see ``clusters``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from tongqiu.measure.distribution import normal_quantile, require
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

ClusterEstimator = Literal["sandwich", "sandwich-G", "miller"]


def _mean(scores: Sequence[float]) -> float:
    if len(scores) < 2:  # noqa: PLR2004 - a spread needs two values
        raise Malformed(
            "measure.too-few-scores",
            Text(
                en="A standard error needs at least two scores; there are {n}.",
                zh="标准误至少需要两个得分；现有 {n} 个。",
            ),
            do=Text(en="Measure more items.", zh="请测量更多条目。"),
            n=len(scores),
        )
    if not all(math.isfinite(score) for score in scores):
        raise Malformed(
            "measure.not-a-number",
            Text(en="A score is not a finite number.", zh="有得分不是有限的数。"),
            do=Text(en="Remove it, and count its item as errored.", zh="请移除该得分，并把该条目记为出错。"),
        )
    return math.fsum(scores) / len(scores)


def variance(scores: Sequence[float]) -> float:
    """Return the sample variance with divisor n - 1; at least two finite scores, else ``Malformed``."""
    mean = _mean(scores)
    return math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1)


def independent(scores: Sequence[float]) -> float:
    """Return the standard error of the mean of independent scores: sqrt(Var(s) / n) (Miller, eq. for SE_CLT)."""
    return math.sqrt(variance(scores) / len(scores))


def clustered(scores: Sequence[float], clusters: Sequence[Hashable], estimator: ClusterEstimator = "sandwich") -> float:
    """Return the standard error of the mean of scores that come in clusters (several questions on one passage).

    ``sandwich`` is sqrt(sum over clusters of (sum of deviations)^2) / n, which is Miller's formula with the variance of
    the single scores taken with divisor n; ``miller`` takes that variance with divisor n - 1 as in SE_CLT;
    ``sandwich-G`` multiplies the variance by G / (G - 1) for G clusters, as inspect-ai does. For 40 scores in 10
    clusters of 4 equal scores, 6 clusters all 1 and 4 all 0: 0.154919, 0.155415 and 0.163299.

    Needs one cluster name per score and at least two clusters, else ``Malformed``.
    """
    mean = _mean(scores)
    if len(clusters) != len(scores):
        raise Malformed(
            "measure.cluster-lengths",
            Text(
                en="There are {scores} scores but {clusters} cluster names.",
                zh="有 {scores} 个得分，却有 {clusters} 个簇名。",
            ),
            do=Text(en="Give each score one cluster.", zh="请为每个得分给出一个簇。"),
            scores=len(scores),
            clusters=len(clusters),
        )
    sums: dict[Hashable, list[float]] = defaultdict(list)
    for score, cluster in zip(scores, clusters, strict=True):
        sums[cluster].append(score - mean)
    groups = len(sums)
    if groups < 2:  # noqa: PLR2004 - between-cluster spread needs two clusters
        raise Malformed(
            "measure.one-cluster",
            Text(
                en="All scores lie in one cluster, so their spread is unknown.",
                zh="所有得分同属一簇，离散程度无从得知。",
            ),
            do=Text(en="Measure items from at least two clusters.", zh="请测量至少来自两个簇的条目。"),
        )
    n = len(scores)
    total = math.fsum(math.fsum(part) ** 2 for part in sums.values()) / n**2
    if estimator == "sandwich-G":
        total *= groups / (groups - 1)
    elif estimator == "miller":
        total += variance(scores) / n**2
    return math.sqrt(max(0.0, total))


def paired(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the standard error of the mean difference of two systems on the same items: sqrt(Var(a - b) / n)."""
    if len(first) != len(second):
        raise Malformed(
            "measure.unpaired",
            Text(
                en="The two lists of scores have {first} and {second} items; pairs need equal lists.",
                zh="两组得分分别有 {first} 项和 {second} 项；配对需要数目相同。",
            ),
            do=Text(en="Keep only items that both systems answered.", zh="请只保留两个系统都作答的条目。"),
            first=len(first),
            second=len(second),
        )
    return independent([a - b for a, b in zip(first, second, strict=True)])


def covariance(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the sample covariance of two equally long lists of scores, divisor n - 1."""
    mean_1, mean_2 = _mean(first), _mean(second)
    return math.fsum((a - mean_1) * (b - mean_2) for a, b in zip(first, second, strict=True)) / (len(first) - 1)


def items_needed(  # noqa: PLR0913 - the formula has these parts
    difference: float,
    *,
    between: float,
    within_1: float = 0.0,
    within_2: float = 0.0,
    resamples_1: int = 1,
    resamples_2: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Return how many items show a true ``difference`` with ``power`` in a two-sided test at ``alpha``.

    n = (z_{alpha/2} + z_beta)^2 (w^2 + s_1^2 / K_1 + s_2^2 / K_2) / d^2 (Miller, section on power); ``between`` is w^2,
    the variance of the paired difference of item means, ``within_*`` the mean noise variance of one answer and
    ``resamples_*`` the answers taken per item. w^2 = 1/9, no noise, d = 0.03, power 0.8 gives 969.
    """
    require("alpha", alpha, 0.0, 1.0, strict=True)
    require("power", power, 0.0, 1.0, strict=True)
    require("difference", abs(difference), 0.0, math.inf, strict=True)
    require("between", between, 0.0, math.inf)
    z = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power)
    return math.ceil(z * z * (between + within_1 / resamples_1 + within_2 / resamples_2) / difference**2)

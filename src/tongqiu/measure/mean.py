"""Intervals of an average whose items come in clusters, such as several questions on one passage or one person's answers.

Both methods need at least thirty clusters: below, neither keeps its promised coverage (``make bench-evaluation`` prints the
simulation), and a number that is not kept would mislead more than none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from tongqiu.measure.distribution import normal_quantile, require, student_t_quantile
from tongqiu.measure.interval import CONVENTIONAL_LEVEL, Interval
from tongqiu.measure.standard_error import clustered, independent
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

FEWEST_CLUSTERS: Final = 30
"""Fewest clusters for which an interval is given."""

RARE: Final = 5
"""Fewer effective cases of the rarer outcome than this: then every cluster counts as one item at most."""

RESAMPLES: Final = 4000
"""Resamples of a bootstrap unless said: the bounds then move by about a hundredth of the interval between two seeds."""


def mean(scores: Sequence[float], level: float = CONVENTIONAL_LEVEL) -> Interval:
    """Return the interval of the mean of independent scores: mean +- t(n - 1) * SE (Student 1908; Miller, SE_CLT).

    Raises Malformed for fewer than two scores or one that is not finite; ``measure.few-clusters`` below thirty scores.
    """
    _enough(len(scores))
    half = student_t_quantile(0.5 + level / 2, len(scores) - 1) * independent(scores)
    middle = math.fsum(scores) / len(scores)
    return Interval(middle - half, middle + half, level, "student-t")


def clustered_mean(
    scores: Sequence[float], clusters: Sequence[Hashable], level: float = CONVENTIONAL_LEVEL
) -> Interval:
    """Return the interval of the mean of clustered scores: mean +- t(G - 1) * SE with the factor G / (G - 1).

    Cameron and Miller 2015 (J. Human Resources 50:317), section VI.D: T(G - 1) critical values with the finite-G factor.
    Raises Malformed as :func:`tongqiu.measure.standard_error.clustered`, and ``measure.few-clusters``.
    """
    groups = len(set(clusters))
    _enough(groups)
    half = student_t_quantile(0.5 + level / 2, groups - 1) * clustered(scores, clusters, "sandwich-G")
    middle = math.fsum(scores) / len(scores)
    return Interval(middle - half, middle + half, level, "clustered-t")


def clustered_share(
    scores: Sequence[float], clusters: Sequence[Hashable], level: float = CONVENTIONAL_LEVEL
) -> Interval:
    """Return the interval of the share of ones among clustered scores of 0 and 1.

    Wilson's score interval with the effective number of items n* = p (1 - p) / SE^2 and t(G - 1) in place of z (Korn and
    Graubard 1998, Survey Methodology 24:193; Franco et al. 2019, J. Survey Stat. Methodol. 7:334). Near 0 and 1 it keeps its
    coverage where mean +- t SE does not: 0.95 against 0.92 for p = 0.1 and 30 clusters (``make bench-evaluation``). With fewer
    than five effective cases on one side, each cluster counts as one item at most. Raises Malformed as :func:`clustered_mean`, and ``measure.not-a-share``.
    """
    if any(score not in {0, 1} for score in scores):
        raise Malformed(
            "measure.not-a-share",
            Text(en="A share counts zeros and ones only.", zh="比例只计 0 与 1。"),
            do=Text(en="Use the interval of a mean.", zh="请改用平均值的区间。"),
        )
    groups = len(set(clusters))
    _enough(groups)
    error = clustered(scores, clusters, "sandwich-G")
    share = math.fsum(scores) / len(scores)
    n = groups if error == 0.0 else min(share * (1 - share) / error**2, float(len(scores)))
    if n * min(share, 1 - share) < RARE:
        n = min(n, groups)  # the spread between clusters is itself unsure when so few cases lie on one side
    t = student_t_quantile(0.5 + level / 2, groups - 1)
    middle = (share + t * t / (2 * n)) / (1 + t * t / n)
    half = t * math.sqrt(share * (1 - share) / n + t * t / (4 * n * n)) / (1 + t * t / n)
    return Interval(max(0.0, middle - half), min(1.0, middle + half), level, "clustered-wilson-t")


def clustered_bootstrap(
    scores: Sequence[float],
    clusters: Sequence[Hashable],
    level: float = CONVENTIONAL_LEVEL,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the bootstrap-t interval of the mean of clustered scores: whole clusters are drawn, G of G with replacement.

    Each resample gives t* = (m* - m) / SE*, and the bounds are m - q(t*) SE at the outer quantiles (Efron and Tibshirani
    1993, section 12.5; Cameron, Gelbach and Miller 2008 for clusters). Costs O(resamples * G), whatever the number of
    items. The same seed gives the same bounds. Where more resamples have no spread than lie outside ``level``, the interval is
    that of :func:`clustered_share` or :func:`clustered_mean`, and says so. Raises as :func:`clustered_mean`.
    """
    import numpy as np

    groups = sorted({repr(each): None for each in clusters})
    _enough(len(groups))
    error = clustered(scores, clusters, "sandwich-G")
    place = {name: at for at, name in enumerate(groups)}
    of = np.array([place[repr(each)] for each in clusters])
    sums = np.bincount(of, weights=np.asarray(scores, dtype=float), minlength=len(groups))
    sizes = np.bincount(of, minlength=len(groups)).astype(float)
    middle = float(sums.sum() / sizes.sum())
    if error == 0.0:
        return Interval(middle, middle, level, "clustered-bootstrap-t")
    draws = np.random.default_rng(seed).integers(0, len(groups), size=(resamples, len(groups)))
    drawn, size = sums[draws], sizes[draws]
    total = size.sum(axis=1)
    means = drawn.sum(axis=1) / total
    spread = ((drawn - means[:, None] * size) ** 2).sum(axis=1)
    errors = np.sqrt(spread * len(groups) / (len(groups) - 1)) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = (means - middle) / errors
    steps = np.sort(steps[np.isfinite(steps)])
    if resamples - steps.size > resamples * (1 - level) / 2:
        # So few clusters differ that many resamples have no spread: their t* is unknown, and a bound among them would be, too.
        shares = all(score in {0, 1} for score in scores)
        return (clustered_share if shares else clustered_mean)(scores, clusters, level)
    low, high = np.quantile(steps, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(middle - high * error), float(middle - low * error), level, "clustered-bootstrap-t")


def detectable(items: int, *, between: float, within: float = 0.0, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the least true difference of two systems that ``items`` common items show with ``power``.

    d = (z_{alpha/2} + z_beta) sqrt((w^2 + 2 s^2) / n): Miller (arXiv 2411.00640), section on power, solved for d; ``between`` is
    w^2, the variance of the paired difference, ``within`` the noise variance of one answer of either system. 969 items with
    w^2 = 1/9 show 0.03. Raises Malformed (``measure.parameter``) outside the domain.
    """
    require("items", items, 1, math.inf)
    require("between", between, 0.0, math.inf)
    require("within", within, 0.0, math.inf)
    require("alpha", alpha, 0.0, 1.0, strict=True)
    require("power", power, 0.0, 1.0, strict=True)
    z = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power)
    return z * math.sqrt((between + 2 * within) / items)


def items_for_none(limit: float, level: float = CONVENTIONAL_LEVEL) -> int:
    """Return how many items without a single failure show a failure rate below ``limit`` at one-sided ``level``.

    n = ln(1 - level) / ln(1 - limit), rounded up: the exact binomial bound at zero failures (Clopper and Pearson 1934; "rule of
    three"). A limit of 0.05 at 0.95 takes 59.
    """
    require("limit", limit, 0.0, 1.0, strict=True)
    require("level", level, 0.0, 1.0, strict=True)
    return math.ceil(math.log(1.0 - level) / math.log1p(-limit))


def _enough(groups: int) -> None:
    if groups < FEWEST_CLUSTERS:
        raise Malformed(
            "measure.few-clusters",
            Text(
                en="An interval of an average needs at least {least} clusters of items; there are {groups}.",
                zh="平均值的区间至少需要 {least} 个条目簇；现有 {groups} 个。",
            ),
            do=Text(
                en="Measure items from more clusters, or report a share with an exact interval.",
                zh="请测量更多簇的条目，或以精确区间报告比例。",
            ),
            least=FEWEST_CLUSTERS,
            groups=groups,
        )

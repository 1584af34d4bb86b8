"""What changed between two reports on a system, and whether beyond doubt: item by item where both asked the same items.

Two runs on the same items err together; comparing their totals as if they were independent hides real change (Miller 2024,
section on paired differences). So items that both reports hold are compared one by one; where there are none, errors that
both share (one judge marked both) are taken out: u^2(d) = u_1^2 + u_2^2 - 2 cov (JCGM 100:2008, F.1.2.3).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.measure.combination import difference, shared_covariance
from tongqiu.measure.distribution import z_two_sided
from tongqiu.measure.interval import clopper_pearson
from tongqiu.measure.mean import FEWEST_CLUSTERS, clustered_mean, mean
from tongqiu.measure.standard_error import clustered, paired
from tongqiu.practices.evaluation.objects import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.practices.evaluation.objects import Summary

COVERAGE = 0.95


class _Difference(NamedTuple):
    """A difference with its standard uncertainty and bounds, and over how many shared items."""

    value: float
    u: float
    low: float
    high: float
    shared: int


def changes(before: Sequence[Summary], now: Sequence[Summary]) -> Iterator[Change]:
    """Yield what changed, for each method and thing under test in both reports; the version of a method is part of its name."""
    old = {(each.about, each.method): each for each in before}
    for each in now:
        former = old.get((each.about, each.method))
        if former is not None and _behind(former) != _behind(each):
            yield change(former, each)


def _behind(each: Summary) -> str:
    """Return what a result stands on: its run, for one run measures the same however often that is said."""
    return each.run or each.entry


def change(before: Summary, now: Summary) -> Change:
    """Return the difference of two measurements of one method, ``now`` less ``before``, with the uncertainty it has.

    ``zeta`` is the difference over its standard uncertainty (ISO 13528, with covariance); None where nothing varied.
    """
    found = _paired(before, now)
    way = "paired"
    if found is None:
        found, way = _unpaired(before, now)
    return Change(
        about=now.about,
        method=now.method,
        title=now.title,
        before=before.entry,
        now=now.entry,
        value_before=before.value,
        value_now=now.value,
        difference=found.value,
        u=found.u,
        low=found.low,
        high=found.high,
        zeta=found.value / found.u if found.u else None,
        coverage=COVERAGE,
        way=way,  # type: ignore[arg-type]
        shared=found.shared,
        beyond=found.low > 0 or found.high < 0,
        better=now.better,
    )


def _paired(before: Summary, now: Summary) -> _Difference | None:
    """Return the mean difference over shared items; None where they are too few, or not the same items or judge.

    The judge is the same, so its errors are, too: the difference of observed shares is stretched as each share was. Where no
    item changed, up to the exact bound of a share of 0 may have (Clopper and Pearson 1934).
    """
    if before.data != now.data or before.judge != now.judge:
        return None
    old = {each.id: each for each in before.items}
    both = [(old[each.id], each) for each in now.items if each.id in old]
    if len(both) < FEWEST_CLUSTERS:
        return None
    scale = now.stretch
    first, second = [a.score for a, _ in both], [b.score for _, b in both]
    gaps = [b - a for a, b in zip(first, second, strict=True)]
    middle = math.fsum(gaps) / len(gaps)
    groups = [b.cluster or b.id for _, b in both]
    if not any(gaps):
        most = clopper_pearson(0, len(set(groups)), COVERAGE).high * scale
        return _Difference(0.0, 0.0, -most, most, len(both))
    if len(set(groups)) == len(both):
        error, bounds = paired(second, first), mean(gaps, COVERAGE)
    elif len(set(groups)) >= FEWEST_CLUSTERS:
        error, bounds = clustered(gaps, groups, "sandwich-G"), clustered_mean(gaps, groups, COVERAGE)
    else:
        return None
    return _Difference(middle * scale, error * scale, bounds.low * scale, bounds.high * scale, len(both))


def _unpaired(before: Summary, now: Summary) -> tuple[_Difference, str]:
    """Return the difference of the totals; of the errors only those of one and the same judge are counted as shared.

    That the items are the same is not enough: without their single scores nobody knows how far their errors go together.
    """
    same = {"judge"} if before.judge and before.judge == now.judge else set()
    shared = shared_covariance(before.components, now.components, same) if same else 0.0
    cov = min(shared, before.u * now.u)
    u = difference(now.u, before.u, cov)
    half = z_two_sided(COVERAGE) * u
    value = now.value - before.value
    return _Difference(value, u, value - half, value + half, 0), "shared" if cov else "independent"

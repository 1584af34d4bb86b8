"""Intervals give the published figures to the digits printed, and keep the laws that intervals have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.measure.distribution import binomial_mass
from tongqiu.measure.interval import (
    Interval,
    clopper_pearson,
    katz,
    mover_ratio,
    narrowest,
    newcombe,
    upper_bound,
    widest,
    wilson,
    wilson_corrected,
)
from tongqiu.record.faults import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

SINGLE = [  # Newcombe 1998, Statistics in Medicine 17:857, Table I, methods 3, 4 and 5
    (81, 263, (0.2553, 0.3662), (0.2535, 0.3682), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0598, 0.1644), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.2005), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0018, 0.1963), (0.0009, 0.1776)),
]
DIFFERENCE = [  # Newcombe 1998, Statistics in Medicine 17:873, Table II, method 10
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]
share = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
level = st.sampled_from([0.8, 0.9, 0.95, 0.99, 0.9999])


def digits(interval: Interval) -> tuple[float, float]:
    return round(interval.low, 4), round(interval.high, 4)


@pytest.mark.parametrize(("x", "n", "score", "corrected", "exact"), SINGLE)
def test_single_shares_as_printed(
    x: int, n: int, score: tuple[float, float], corrected: tuple[float, float], exact: tuple[float, float]
) -> None:
    assert digits(wilson(x, n)) == score
    assert digits(wilson_corrected(x, n)) == corrected
    assert digits(clopper_pearson(x, n)) == exact


@pytest.mark.parametrize(("first", "second", "expected"), DIFFERENCE)
def test_differences_as_printed(first: tuple[int, int], second: tuple[int, int], expected: tuple[float, float]) -> None:
    assert digits(newcombe(first, second)) == expected


def test_ratio_by_the_logarithm() -> None:
    interval = katz((7, 34), (1, 34))
    assert (round(interval.low, 2), round(interval.high)) == (0.91, 54)


def test_no_failure_in_thirty_still_allows_nearly_ten_percent() -> None:
    assert round(upper_bound(0, 30), 4) == 0.0950


@given(case=share, level=level)
def test_scipy_gives_the_same_three(case: tuple[int, int], level: float) -> None:
    binomtest = pytest.importorskip("scipy.stats").binomtest
    result = binomtest(*case)
    for ours, method in ((wilson, "wilson"), (wilson_corrected, "wilsoncc"), (clopper_pearson, "exact")):
        theirs = result.proportion_ci(level, method)
        mine = ours(*case, level)
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(case=share, level=level)
def test_an_interval_holds_what_was_seen_and_mirrors(case: tuple[int, int], level: float) -> None:
    x, n = case
    for method in (wilson, wilson_corrected, clopper_pearson):
        one, other = method(x, n, level), method(n - x, n, level)
        assert 0.0 <= one.low <= x / n <= one.high <= 1.0
        assert one.low == pytest.approx(1.0 - other.high, abs=1e-12)


@pytest.mark.parametrize("n", [5, 30])
def test_exact_intervals_cover_at_least_as_often_as_they_say(n: int) -> None:
    intervals = [clopper_pearson(x, n) for x in range(n + 1)]
    for step in range(1, 100):
        p = step / 100
        covered = math.fsum(binomial_mass(x, n, p) for x, i in enumerate(intervals) if i.low <= p <= i.high)
        assert covered >= 0.95


def test_score_intervals_cover_as_often_as_they_say_on_average() -> None:
    n = 50
    intervals = [wilson(x, n) for x in range(n + 1)]
    grid = [step / 1000 for step in range(1, 1000)]
    covered = [math.fsum(binomial_mass(x, n, p) for x, i in enumerate(intervals) if i.low <= p <= i.high) for p in grid]
    assert 0.94 <= sum(covered) / len(covered) <= 0.96


@given(first=share, second=share)
def test_difference_and_ratio_turn_round(first: tuple[int, int], second: tuple[int, int]) -> None:
    there, back = newcombe(first, second), newcombe(second, first)
    assert there.low == pytest.approx(-back.high, abs=1e-12)
    assert there.low <= first[0] / first[1] - second[0] / second[1] <= there.high
    ratio, inverse = katz(first, second), katz(second, first)
    if ratio.low > 0:
        assert ratio.low == pytest.approx(1.0 / inverse.high, rel=1e-9)
    else:
        assert math.isinf(inverse.high)


def test_equal_certainties_are_not_certainly_equal() -> None:
    interval = katz((10, 10), (10, 10))
    assert interval.low == pytest.approx(wilson(10, 10).low)
    assert interval.high == pytest.approx(1 / wilson(10, 10).low)
    assert interval.method == "mover-wilson"


@pytest.mark.parametrize("method", [katz, mover_ratio])
def test_ratios_cover_about_as_often_as_they_say(method: Callable[..., Interval]) -> None:
    n1, n2 = 40, 60
    for p1, p2 in ((0.1, 0.2), (0.5, 0.5), (0.9, 0.95), (0.3, 0.9)):
        covered = 0.0
        for x1 in range(n1 + 1):
            for x2 in range(n2 + 1):
                weight = binomial_mass(x1, n1, p1) * binomial_mass(x2, n2, p2)
                if weight < 1e-9:
                    continue
                interval = method((x1, n1), (x2, n2))
                covered += weight if interval.low <= p1 / p2 <= interval.high else 0.0
        assert 0.925 <= covered <= 0.99


def test_a_ratio_of_nothing_to_nothing_says_nothing() -> None:
    assert katz((0, 10), (0, 10)).low == 0.0
    assert math.isinf(katz((0, 10), (0, 10)).high)
    assert math.isinf(katz((3, 10), (0, 10)).high)
    assert katz((0, 10), (3, 10)).low == 0.0


@given(low=st.floats(-1, 1), width=st.floats(0, 1), at=st.floats(0, 1))
def test_magnitude_bounds_the_absolute_value(low: float, width: float, at: float) -> None:
    interval = Interval(low, low + width, 0.95, "x")
    value = low + at * width
    inside = interval.magnitude()
    assert inside.low - 1e-12 <= abs(value) <= inside.high + 1e-12


@given(low=st.floats(0.01, 5), width=st.floats(0, 5), at=st.floats(0, 1))
def test_shrinking_bounds_the_smaller_over_the_larger(low: float, width: float, at: float) -> None:
    value = low + at * width
    inside = Interval(low, low + width, 0.95, "x").shrink()
    assert inside.low - 1e-12 <= min(value, 1 / value) <= inside.high + 1e-12


def test_shrinking_an_open_interval() -> None:
    assert Interval(0.5, math.inf, 0.95, "x").shrink() == Interval(0.0, 1.0, 0.95, "x")
    assert Interval(2.0, math.inf, 0.95, "x").shrink() == Interval(0.0, 0.5, 0.95, "x")


def test_the_range_of_many_pairs() -> None:
    pairs = [Interval(0.0, 0.2, 0.95, "x"), Interval(0.1, 0.15, 0.95, "x")]
    assert (widest(pairs).low, widest(pairs).high) == (0.1, 0.2)
    assert (narrowest(pairs).low, narrowest(pairs).high) == (0.0, 0.15)


@pytest.mark.parametrize("case", [(0, 0), (-1, 5), (6, 5)])
@pytest.mark.parametrize("method", [wilson, wilson_corrected, clopper_pearson, upper_bound])
def test_impossible_counts(case: tuple[int, int], method: Callable[[int, int], object]) -> None:
    with pytest.raises(Malformed) as caught:
        method(*case)
    assert caught.value.code == "measure.impossible-counts"


@pytest.mark.parametrize("bad", [0.0, 1.0, 95.0])
def test_a_level_is_a_share(bad: float) -> None:
    for method in (wilson, wilson_corrected, clopper_pearson):
        with pytest.raises(Malformed):
            method(3, 10, bad)

"""Standard errors of scores: the formulas' own identities, published figures, and lists that cannot be judged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.measure.combination import (
    combined,
    coverage_factor,
    difference,
    effective_dof,
    shared_covariance,
    zeta,
)
from tongqiu.measure.judge import rogan_gladen
from tongqiu.measure.standard_error import clustered, covariance, independent, items_needed, paired
from tongqiu.record.faults import Malformed
from tongqiu.record.shapes import Component

SCORES = [1.0] * 24 + [0.0] * 16
CLUSTERS = [i // 4 for i in range(40)]
values = st.lists(st.floats(-5, 5), min_size=2, max_size=40)


def test_three_programs_three_clustered_errors() -> None:
    assert round(clustered(SCORES, CLUSTERS, "sandwich"), 6) == 0.154919
    assert round(clustered(SCORES, CLUSTERS, "sandwich-G"), 6) == 0.163299
    assert round(clustered(SCORES, CLUSTERS, "miller"), 6) == 0.155415


def test_independent_scores() -> None:
    assert independent(SCORES) == pytest.approx(math.sqrt(9.6 / 39 / 40))


@given(scores=values)
def test_clusters_of_one_are_independent_scores(scores: list[float]) -> None:
    n = len(scores)
    assert clustered(scores, list(range(n)), "sandwich-G") == pytest.approx(independent(scores), abs=1e-9)


@given(pairs=st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=40))
def test_pairing_is_the_covariance_term(pairs: list[tuple[float, float]]) -> None:
    one, two = [a for a, _ in pairs], [b for _, b in pairs]
    u_1, u_2 = independent(one), independent(two)
    expected = u_1**2 + u_2**2 - 2 * covariance(one, two) / len(pairs)
    assert paired(one, two) ** 2 == pytest.approx(expected, abs=1e-9)


def test_items_needed_for_three_points() -> None:
    assert items_needed(0.03, between=1 / 9) == 969
    assert items_needed(0.03, between=1 / 9, within_1=0.1, within_2=0.1, resamples_1=2, resamples_2=2) > 969


@pytest.mark.parametrize("scores", [[], [1.0], [1.0, math.nan], [1.0, math.inf]])
def test_scores_that_have_no_spread_or_are_no_numbers(scores: list[float]) -> None:
    with pytest.raises(Malformed):
        independent(scores)


def test_clusters_must_fit_and_be_two() -> None:
    with pytest.raises(Malformed, match="one-cluster"):
        clustered([1.0, 0.0], ["a", "a"])
    with pytest.raises(Malformed, match="cluster-lengths"):
        clustered([1.0, 0.0], ["a"])
    with pytest.raises(Malformed, match="unpaired"):
        paired([1.0, 0.0], [1.0])


def test_judge_as_computed() -> None:
    result = rogan_gladen((100, 500), (51, 60), (133, 140))
    assert (round(result.value, 4), round(result.u, 4), round(result.naive_u, 4)) == (0.1875, 0.0311, 0.0179)


def test_a_perfect_judge_changes_nothing_but_adds_no_false_certainty() -> None:
    result = rogan_gladen((100, 500), (60, 60), (140, 140))
    assert result.value == pytest.approx(0.2)
    assert result.u == pytest.approx(result.naive_u)


def test_a_useless_judge_is_refused() -> None:
    with pytest.raises(Malformed, match="useless-judge"):
        rogan_gladen((10, 20), (10, 20), (10, 20))


def test_shared_items_cancel_in_a_difference() -> None:
    parts = [Component("items", 0.03, shared_by="items"), Component("noise", 0.01)]
    same = difference(combined(parts), combined(parts), shared_covariance(parts, parts, {"items"}))
    apart = difference(combined(parts), combined(parts), shared_covariance(parts, parts, set()))
    assert same == pytest.approx(math.sqrt(2) * 0.01)
    assert apart == pytest.approx(math.sqrt(2) * math.hypot(0.03, 0.01))


def test_zeta_of_the_unit_case() -> None:
    assert round(zeta(10.2, 0.15, 10.0, 0.05), 3) == 1.265
    with pytest.raises(Malformed, match="no-uncertainty"):
        zeta(1.0, 0.0, 2.0, 0.0)


def test_impossible_covariance_is_refused() -> None:
    with pytest.raises(Malformed):
        difference(0.1, 0.1, 0.02)


def test_degrees_of_freedom() -> None:
    parts = [Component("a", 0.3, dof=4), Component("b", 0.4)]
    assert effective_dof(parts) == pytest.approx(0.5**4 / (0.3**4 / 4))
    assert math.isinf(effective_dof([Component("b", 0.4)]))
    assert round(coverage_factor(9.0), 3) == 2.262
    assert round(coverage_factor(math.inf), 3) == 1.96

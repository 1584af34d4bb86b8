"""A verdict waits for the whole interval, and pays for every comparison made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.measure.interval import Interval, newcombe
from tongqiu.measure.verdict import at_bound, bonferroni_level, holm
from tongqiu.record.faults import Malformed


def span(low: float, high: float) -> Interval:
    return Interval(low, high, 0.95, "x")


def test_only_the_whole_interval_decides() -> None:
    assert at_bound(span(0.81, 0.9), 0.8, "at-least") == "met"
    assert at_bound(span(0.79, 0.9), 0.8, "at-least") == "undecided"
    assert at_bound(span(0.6, 0.79), 0.8, "at-least") == "unmet"
    assert at_bound(span(0.0, 0.1), 0.1, "at-most") == "met"
    assert at_bound(span(0.05, 0.2), 0.1, "at-most") == "undecided"
    assert at_bound(span(0.11, 0.2), 0.1, "at-most") == "unmet"


def test_the_limit_itself_is_allowed() -> None:
    assert at_bound(span(0.8, 0.9), 0.8, "at-least") == "met"
    assert at_bound(span(0.7, 0.8), 0.8, "at-least") == "undecided"


@given(low=st.floats(-1, 1), width=st.floats(0, 1), limit=st.floats(-1, 1))
def test_a_narrower_interval_never_turns_a_verdict_round(low: float, width: float, limit: float) -> None:
    wide = at_bound(span(low, low + width), limit, "at-least")
    narrow = at_bound(span(low + width / 4, low + width / 2), limit, "at-least")
    assert wide in ("undecided", narrow)


def test_more_comparisons_widen() -> None:
    one = newcombe((56, 70), (48, 80))
    many = newcombe((56, 70), (48, 80), bonferroni_level(0.95, 20))
    assert many.low < one.low < one.high < many.high
    assert at_bound(one, 0.0, "at-most") == "unmet"
    assert at_bound(many, 0.0, "at-most") == "undecided"


def test_holm_as_worked_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(p=st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_makes_a_p_value_smaller(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert all(a <= min(1.0, len(p) * b) + 1e-12 for a, b in zip(adjusted, p, strict=True))


def test_impossible_requests() -> None:
    with pytest.raises(Malformed):
        bonferroni_level(0.95, 0)
    with pytest.raises(Malformed):
        holm([1.5])

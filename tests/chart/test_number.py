"""Numbers keep as many digits as they support, and rounding never moves one across a limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.chart.number import decimals_for, number, percent, plain, with_interval


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.0, "0"),
        (2380, "2,380"),
        (123456789, "123,456,789"),
        (0.7904, "0.79"),
        (0.79, "0.79"),
        (1234.5678, "1,235"),
        (-0.0421, "−0.0421"),
        (0.000012, "1.20 × 10⁻⁵"),
        (-3.2e20, "−3.20 × 10²⁰"),
        (10**40, "1.00 × 10⁴⁰"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_a_number_is_written_for_people(value: float, written: str) -> None:
    assert number(value) == written


def test_a_share_is_a_percentage() -> None:
    assert percent(0.9074) == "90.7%"
    assert percent(math.nan) == "–"
    assert plain(0.0004, share=True) == "0.04%"


def test_scalars_of_every_sort_have_words() -> None:
    assert [plain(each) for each in (None, True, False, "x", 3)] == ["–", "true", "false", "x", "3"]


@pytest.mark.parametrize(
    ("args", "written"),
    [
        ((0.7904, 0.7407, 0.8434, False), "0.79 [0.74, 0.84]"),
        ((0.9074, 0.8942, 0.9191, True), "90.7% [89.4, 91.9]"),
        ((0.7168, 0.6667, 0.7621, True), "72% [67, 76]"),
        ((5.0, None, None, False), "5"),
        ((5.0, 5.0, 5.0, False), "5.000 [5.000, 5.000]"),
        ((0.1, -math.inf, 0.2, False), "0.1"),
    ],
)
def test_an_interval_decides_the_digits(args: tuple[float, float | None, float | None, bool], written: str) -> None:
    value, low, high, share = args
    assert with_interval(value, low, high, share=share) == written


def test_rounding_never_hides_on_which_side_of_a_limit_a_bound_lies() -> None:
    assert with_interval(0.75, 0.70, 0.7996) == "0.75 [0.70, 0.80]"
    assert with_interval(0.75, 0.70, 0.7996, against=0.8) == "0.7500 [0.7000, 0.7996]"


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_bounds_written_like_the_limit_are_the_limit(low: float, spread: float, limit: float) -> None:
    high = low + spread
    written = with_interval(low, low, high, against=limit)
    places = len(written.partition("[")[2].partition(",")[0].partition(".")[2])
    if places < 6:
        shown = written.rpartition("[")[2].rstrip("]").split(", ")
        for bound, text in zip((low, high), shown, strict=True):
            assert bound == limit or text.replace("−", "-").replace(",", "") != f"{limit:.{places}f}"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_can_be_written(value: float) -> None:
    assert number(value)
    assert percent(value)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_decimals_stay_within_reason(low: float, high: float) -> None:
    assert 0 <= decimals_for(low, high) <= 6

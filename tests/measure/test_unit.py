"""Units are read as UCUM writes them, or refused with what was probably meant."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.measure.unit import convert, unit
from tongqiu.record.faults import Malformed


@pytest.mark.parametrize(
    "code",
    ["1", "%", "s", "ms", "kW.h", "g", "kg", "L", "mL", "By", "KiBy", "GBy", "{item}", "{token}", "g{CO2e}", "kg{CO2e}/a",
     "J/{token}", "/s", "10*6", "10*-2", "m/s2", "m.s-1", "(m/s)/s", "W", "Cel", "K", "[ppm]", "m3", "L/(kW.h)", "100"],
)  # fmt: skip
def test_units_in_use(code: str) -> None:
    assert unit(code).code == code


@pytest.mark.parametrize(
    "code",
    ["", " ", "kWh", "kw.h", "kg CO2e", "m//s", "m.", ".m", "m s", "{", "{}", "{a{b}}", "}", "(m", "m)", "()", "kmin", "0",
     "m0", "m99", "m-", "m+", "xyz", "m" * 65, "1e3", "{é}", "9" * 13, "((((((((((m))))))))))", "Cel/s", "k", "%%", "²"],
)  # fmt: skip
def test_what_is_no_unit(code: str) -> None:
    with pytest.raises(Malformed) as caught:
        unit(code)
    assert caught.value.code == "measure.unit"


def test_what_was_meant() -> None:
    with pytest.raises(Malformed) as caught:
        unit("kWh")
    assert "kW.h" in caught.value.explain("en")
    assert "kW.h" in caught.value.explain("zh")


def test_exact_sizes() -> None:
    assert unit("%").scale == Fraction(1, 100)
    assert unit("kW.h").scale / unit("J").scale == 3_600_000
    assert unit("KiBy").scale == 8192
    assert unit("m/s2").dimension == (1, -2, 0, 0, 0, 0, 0)
    assert unit("m/s/s").dimension == unit("m.s-2").dimension


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("W.s", "J"),
        ("V.A", "W"),
        ("Pa.m3", "J"),
        ("N.m", "J"),
        ("V.C", "J"),
        ("kg.m2/s2", "J"),
        ("L", "dm3"),
        ("t", "Mg"),
    ],
)
def test_names_of_one_thing(one: str, two: str) -> None:
    assert (unit(one).scale, unit(one).dimension) == (unit(two).scale, unit(two).dimension)


def test_conversion() -> None:
    assert convert(1.0, "kW.h", "MJ") == 3.6
    assert convert(50.0, "%", "1") == 0.5
    assert convert(1.0, "m3", "L") == 1000.0
    assert convert(3.0, "{item}", "1") == 3.0
    assert convert(20.0, "Cel", "Cel") == 20.0


@pytest.mark.parametrize(("one", "two"), [("kW.h", "s"), ("Cel", "K"), ("g", "L")])
def test_units_of_different_quantities(one: str, two: str) -> None:
    with pytest.raises(Malformed) as caught:
        convert(1.0, one, two)
    assert caught.value.code == "measure.incommensurable"


@given(text=st.text(max_size=80))
def test_nothing_but_a_unit_or_a_refusal(text: str) -> None:
    try:
        found = unit(text).code
    except Malformed as fault:
        found = fault.code
    assert found in (text, "measure.unit")


@given(value=st.floats(-1e6, 1e6), pair=st.sampled_from([("kW.h", "J"), ("mL", "L"), ("ms", "h"), ("KiBy", "By")]))
def test_there_and_back(value: float, pair: tuple[str, str]) -> None:
    assert convert(convert(value, *pair), *pair[::-1]) == pytest.approx(value, rel=1e-14)

"""The curves agree with scipy over wide ranges, and refuse what they cannot answer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.measure import distribution as d
from tongqiu.record.faults import Malformed

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")


@given(p=st.floats(1e-12, 1 - 1e-12))
def test_normal_quantile_is_the_one_scipy_gives(p: float) -> None:
    assert d.normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-9, abs=1e-12)


@given(z=st.floats(-30, 30))
def test_normal_tail_keeps_its_digits_far_out(z: float) -> None:
    assert d.normal_tail(z) == pytest.approx(stats.norm.sf(z), rel=1e-11)


def test_the_factor_everyone_knows() -> None:
    assert d.z_two_sided(0.95) == pytest.approx(1.959963984540054, abs=1e-14)
    assert d.z_two_sided(1 - 1e-10) == pytest.approx(stats.norm.isf(5e-11), rel=1e-6)


@given(x=st.just(0.0) | st.floats(1e-300, 1), a=st.floats(1e-2, 1e4), b=st.floats(1e-2, 1e4))
def test_incomplete_beta(x: float, a: float, b: float) -> None:
    assert d.beta_cdf(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("n", [10**6, 10**8])
@pytest.mark.parametrize("share", [1e-5, 0.1, 0.5, 0.9])
def test_incomplete_beta_at_the_size_of_a_country(n: int, share: float) -> None:
    a = n * share
    x = share * 1.0001
    assert d.beta_cdf(x, a, n - a + 1) == pytest.approx(special.betainc(a, n - a + 1, x), rel=1e-7, abs=1e-12)


@given(p=st.floats(1e-6, 1 - 1e-6), a=st.floats(0.3, 500), b=st.floats(0.3, 500))
def test_beta_quantile_undoes_the_curve(p: float, a: float, b: float) -> None:
    x = d.beta_quantile(p, a, b)
    # Near 1 the quantile itself is the limit of what a double can hold, so compare with scipy's, not with p.
    assert x == pytest.approx(special.betaincinv(a, b, p), rel=1e-8, abs=1e-12)


@given(p=st.floats(1e-5, 1 - 1e-5), dof=st.floats(0.5, 1e5))
def test_student_t(p: float, dof: float) -> None:
    assert d.student_t_quantile(p, dof) == pytest.approx(stats.t.ppf(p, dof), rel=1e-6, abs=1e-7)


def test_student_t_of_the_tables() -> None:
    assert round(d.student_t_quantile(0.975, 9), 3) == 2.262
    assert round(d.student_t_quantile(0.975, 1), 3) == 12.706
    assert d.student_t_quantile(0.5, 3) == 0.0


@given(x=st.floats(0, 300), dof=st.floats(0.5, 200))
def test_chi_square(x: float, dof: float) -> None:
    assert d.chi_square_tail(x, dof) == pytest.approx(stats.chi2.sf(x, dof), rel=1e-9, abs=1e-14)


@given(n=st.integers(1, 10**6), share=st.floats(0, 1), p=st.floats(1e-6, 1 - 1e-6))
def test_binomial_mass(n: int, share: float, p: float) -> None:
    x = round(n * share)
    assert d.binomial_mass(x, n, p) == pytest.approx(stats.binom.pmf(x, n, p), rel=1e-8, abs=1e-290)


def test_certain_events() -> None:
    assert d.binomial_mass(0, 5, 0.0) == 1.0
    assert d.binomial_mass(5, 5, 1.0) == 1.0
    assert d.binomial_mass(4, 5, 1.0) == 0.0
    assert d.binomial_mass(0, 0, 0.5) == 1.0


@pytest.mark.parametrize("p", [0.0, 1.0, -1.0, 2.0, math.nan])
def test_impossible_probabilities_are_refused(p: float) -> None:
    with pytest.raises(Malformed) as caught:
        d.normal_quantile(p)
    assert caught.value.code == "measure.out-of-range"
    assert "之间" in caught.value.explain("zh")

"""The few probability curves that honest intervals need: normal, binomial, beta, Student t and chi-square.

They are written here because the base installation carries no scientific library. The tests compare each of them with
scipy over wide ranges.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

_NORMAL = NormalDist()
_STIRLING_EXACT = 15.0
_MAX_STEPS = 200_000
_TINY = 1e-300
_EPSILON = 1e-16


def _outside(name: str, value: float, low: float, high: float) -> Malformed:
    return Malformed(
        "measure.out-of-range",
        Text(
            en="{name} is {value}; it must lie between {low} and {high}.",
            zh="{name} 为 {value}；它必须在 {low} 与 {high} 之间。",
        ),
        do=Text(en="Give a value inside that range.", zh="请给出该范围内的值。"),
        name=name,
        value=value,
        low=low,
        high=high,
    )


def require(name: str, value: float, low: float, high: float, *, strict: bool = False) -> None:
    """Raise ``Malformed`` unless ``low <= value <= high`` (``low < value < high`` where ``strict``)."""
    inside = low < value < high if strict else low <= value <= high
    if not inside:
        raise _outside(name, value, low, high)


def normal_quantile(p: float) -> float:
    """Return z with P(Z <= z) = p for a standard normal Z; 0 < p < 1 (Wichura, algorithm AS 241, 1988)."""
    require("p", p, 0.0, 1.0, strict=True)
    return _NORMAL.inv_cdf(p)


def normal_tail(z: float) -> float:
    """Return P(Z > z) for a standard normal Z, accurate far into the tail."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def z_two_sided(level: float) -> float:
    """Return the factor z of a two-sided interval at ``level`` (0.95 gives 1.959964)."""
    require("level", level, 0.0, 1.0, strict=True)
    # (1 - level) / 2 keeps its precision near level = 1, where 1 - alpha would round.
    return -_NORMAL.inv_cdf((1.0 - level) / 2.0)


def _stirling_error(n: float) -> float:
    """log(n!) minus Stirling's formula (Loader 2000, "Fast and accurate computation of binomial probabilities")."""
    if n <= _STIRLING_EXACT:
        return math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2.0 * math.pi)
    square = n * n
    series = 1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188) / square) / square) / square) / square
    return series / n


def _deviance(x: float, mean: float) -> float:
    """Return x log(x / mean) + mean - x without cancellation (Loader 2000, function bd0)."""
    if abs(x - mean) < 0.1 * (x + mean):
        v = (x - mean) / (x + mean)
        total = (x - mean) * v
        term = 2.0 * x * v
        for j in range(1, 1000):
            term *= v * v
            step = total + term / (2 * j + 1)
            if step == total:
                return step
            total = step
    if mean == 0.0:  # the product n p fell below the smallest double: the mass is zero
        return math.inf
    return x * (math.log(x) - math.log(mean)) + mean - x


def binomial_mass(x: float, n: float, p: float) -> float:
    """Return P(X = x) of a binomial, also for fractional ``x`` and ``n`` by the gamma function; 0 <= x <= n."""
    require("x", x, 0.0, n)
    require("p", p, 0.0, 1.0)
    q = 1.0 - p
    if p == 0.0 or q == 0.0:
        return 1.0 if x == n * p else 0.0
    if n == 0.0:
        return 1.0
    if x == 0.0:
        return math.exp(n * math.log1p(-p))
    if x == n:
        return math.exp(n * math.log(p))
    exponent = (
        _stirling_error(n) - _stirling_error(x) - _stirling_error(n - x) - _deviance(x, n * p) - _deviance(n - x, n * q)
    )
    return math.exp(exponent) * math.sqrt(n / (2.0 * math.pi * x * (n - x)))


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1.

    Continued fraction by Lentz's method (NIST DLMF 8.17.22), with the front factor from Loader's saddle-point form so
    that a and b up to 1e9 lose no digits to the gamma function.
    """
    require("x", x, 0.0, 1.0)
    require("a", a, 0.0, math.inf, strict=True)
    require("b", b, 0.0, math.inf, strict=True)
    if x in (0.0, 1.0):
        return x
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = binomial_mass(a, a + b, x) * b / (a + b)
    return front * _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    total = d
    for m in range(1, _MAX_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for coefficient in (even, odd):
            d = 1.0 + coefficient * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + coefficient / c
            c = c if abs(c) > _TINY else _TINY
            total *= c * d
        if abs(c * d - 1.0) < _EPSILON * 10:
            break
    return total


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = p, by bisection to the last bit that matters; 0 <= p <= 1."""
    require("p", p, 0.0, 1.0)
    if p in (0.0, 1.0):
        return p
    low, high = 0.0, 1.0
    # 200 halvings pass through every double between 0 and 1; the loop ends when the bracket stops shrinking.
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high) or high - low < 1e-15 * high:
            break
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def student_t_quantile(p: float, dof: float) -> float:
    """Return t with P(T <= t) = p for Student's t with ``dof`` > 0 degrees of freedom (may be fractional)."""
    require("p", p, 0.0, 1.0, strict=True)
    require("dof", dof, 0.0, math.inf, strict=True)
    if p == 0.5:  # noqa: PLR2004 - the median of a symmetric curve
        return 0.0
    tail = min(p, 1.0 - p)
    # P(|T| > t) = I_x(dof / 2, 1 / 2) with x = dof / (dof + t^2), Abramowitz and Stegun 26.7.1. Far out x is small and
    # keeps its digits; near the middle its complement y does.
    x = beta_quantile(2.0 * tail, dof / 2.0, 0.5)
    if x > 0.5:  # noqa: PLR2004 - the smaller of x and 1 - x
        y = beta_quantile(1.0 - 2.0 * tail, 0.5, dof / 2.0)
        t = math.sqrt(dof * y / (1.0 - y))
    else:
        t = math.sqrt(dof * (1.0 - x) / x)
    return t if p > 0.5 else -t  # noqa: PLR2004 - the side of the median


def chi_square_tail(x: float, dof: float) -> float:
    """Return P(X > x) of chi-square with ``dof`` > 0 degrees of freedom; x >= 0 (NIST DLMF 8.2, 8.7.1, 8.9.2)."""
    require("x", x, 0.0, math.inf)
    require("dof", dof, 0.0, math.inf, strict=True)
    a, z = dof / 2.0, x / 2.0
    if z == 0.0:
        return 1.0
    front = math.exp(a * math.log(z) - z - math.lgamma(a))
    if z < a + 1.0:
        term = total = 1.0 / a
        n = a
        while abs(term) > abs(total) * _EPSILON:
            n += 1.0
            term *= z / n
            total += term
        return 1.0 - front * total
    b = z + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    total = d
    for i in range(1, _MAX_STEPS):
        coefficient = -i * (i - a)
        b += 2.0
        d = coefficient * d + b
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = b + coefficient / c
        c = c if abs(c) > _TINY else _TINY
        total *= c * d
        if abs(c * d - 1.0) < _EPSILON * 10:
            break
    return front * total

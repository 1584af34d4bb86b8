"""Numbers written for people: as many digits as the measurement supports, and no more."""

from __future__ import annotations

import math

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_TINY, _HUGE = 1e-4, 1e15
_MOST_DECIMALS = 6


def number(value: float, *, digits: int = 3) -> str:
    """Return ``value`` with ``digits`` significant digits, thousands grouped; whole numbers keep all of theirs.

    Very small and very large values are written as powers of ten; what is not a number is a dash.
    """
    if isinstance(value, int):
        return _sign(f"{value:,}") if abs(value) < _HUGE else _power(float(value), digits)
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) < _TINY or abs(value) >= _HUGE:
        return _power(value, digits)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    plain = f"{value:,.{decimals}f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return _sign(plain)


def percent(value: float, *, digits: int = 3) -> str:
    """Return a share (0 to 1) as a percentage with ``digits`` significant digits, such as ``90.7%``."""
    return number(value * 100, digits=digits) + "%" if math.isfinite(value) else "–"


def decimals_for(low: float, high: float) -> int:
    """Return how many decimals an interval from ``low`` to ``high`` supports: one to two digits of its half-width
    (JCGM 100:2008, 7.2.6, advises at most two digits for an uncertainty).
    """
    half = abs(high - low) / 2
    if half <= 0 or not math.isfinite(half):
        return 3
    return min(_MOST_DECIMALS, max(0, math.ceil(0.5 - math.log10(half))))


def with_interval(
    value: float, low: float | None, high: float | None, *, share: bool = False, against: float | None = None
) -> str:
    """Return ``value [low, high]`` with the digits that its interval supports; ``share`` writes percentages.

    ``against`` is a limit the interval is compared with: decimals are added until a bound that differs from the limit
    is also written differently, so that rounding never hides on which side it lies.
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return percent(value) if share else number(value)
    scale, sign = (100.0, "%") if share else (1.0, "")
    places = decimals_for(low * scale, high * scale)
    if against is not None:
        while places < _MOST_DECIMALS and any(
            bound != against and f"{bound * scale:.{places}f}" == f"{against * scale:.{places}f}"
            for bound in (value, low, high)
        ):
            places += 1
    middle, left, right = (_sign(f"{each * scale:,.{places}f}") for each in (value, low, high))
    return f"{middle}{sign} [{left}, {right}]"


def plain(value: object, *, share: bool = False) -> str:
    """Return any scalar for people: numbers with sensible digits, truth as it is written in JSON, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return percent(value) if share else number(value)
    return str(value)


def _sign(written: str) -> str:
    return "−" + written[1:] if written.startswith("-") else written


def _power(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return "–"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{_sign(mantissa)} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"

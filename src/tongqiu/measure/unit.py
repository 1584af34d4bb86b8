"""Units of measure in UCUM, read strictly, so that a kilowatt hour in one country is a kilowatt hour in another.

The grammar is the whole of UCUM's (The Unified Code for Units of Measure, case-sensitive form; grammar repeated in OPC
10000-8, B.2); the table of atoms is the part that assessment of AI uses. An atom outside the table is refused, never
guessed. Scales are exact fractions of base units, so converting there and back loses nothing.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import msgspec

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

MAX_LENGTH = 64
MAX_EXPONENT = 20
MAX_DEPTH = 8
MAX_DIGITS = 12

Dimension = tuple[int, int, int, int, int, int, int]
"""Powers of metre, second, gram, radian, kelvin, coulomb and candela: the seven base units of UCUM."""

_NONE: Dimension = (0, 0, 0, 0, 0, 0, 0)

_PREFIXES: dict[str, Fraction] = {
    symbol: Fraction(10) ** power
    for symbol, power in {
        "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
        "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
    }.items()
} | {symbol: Fraction(2) ** power for symbol, power in {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40}.items()}  # fmt: skip


class Unit(msgspec.Struct, frozen=True):
    """A unit as read: its code, its size in base units, and its powers of the base units.

    ``special`` marks the degree Celsius, whose zero is elsewhere; it stands alone and converts only to itself.
    """

    code: str
    scale: Fraction
    dimension: Dimension
    special: bool = False


class _Atom(msgspec.Struct, frozen=True):
    scale: Fraction
    dimension: Dimension
    metric: bool


def _atom(scale: str | int, *powers: int, metric: bool = False) -> _Atom:
    dimension = (*powers, *(0,) * (7 - len(powers)))
    return _Atom(Fraction(scale), dimension, metric)  # type: ignore[arg-type]


_ATOMS: dict[str, _Atom] = {
    "m": _atom(1, 1, metric=True),
    "s": _atom(1, 0, 1, metric=True),
    "g": _atom(1, 0, 0, 1, metric=True),
    "rad": _atom(1, 0, 0, 0, 1, metric=True),
    "K": _atom(1, 0, 0, 0, 0, 1, metric=True),
    "C": _atom(1, 0, 0, 0, 0, 0, 1, metric=True),
    "cd": _atom(1, 0, 0, 0, 0, 0, 0, 1, metric=True),
    "10*": _atom(10),
    "10^": _atom(10),
    "%": _atom("1/100"),
    "[ppm]": _atom("1/1000000"),
    "[ppb]": _atom("1/1000000000"),
    "mol": _atom(602214076000000000000000, metric=True),
    "min": _atom(60, 0, 1),
    "h": _atom(3600, 0, 1),
    "d": _atom(86400, 0, 1),
    "wk": _atom(604800, 0, 1),
    "mo": _atom(2629800, 0, 1),
    "a": _atom(31557600, 0, 1),
    "Hz": _atom(1, 0, -1, metric=True),
    "N": _atom(1000, 1, -2, 1, metric=True),
    "Pa": _atom(1000, -1, -2, 1, metric=True),
    "J": _atom(1000, 2, -2, 1, metric=True),
    "W": _atom(1000, 2, -3, 1, metric=True),
    "A": _atom(1, 0, -1, 0, 0, 0, 1, metric=True),
    "V": _atom(1000, 2, -2, 1, 0, 0, -1, metric=True),
    "L": _atom("1/1000", 3, metric=True),
    "l": _atom("1/1000", 3, metric=True),
    "ar": _atom(100, 2, metric=True),
    "t": _atom(1000000, 0, 0, 1, metric=True),
    "bit": _atom(1, metric=True),
    "By": _atom(8, metric=True),
    "Bd": _atom(1, 0, -1, metric=True),
}

_HINTS = {
    "kWh": "kW.h", "Wh": "W.h", "MWh": "MW.h", "GWh": "GW.h", "B": "By", "kB": "kBy", "MB": "MBy", "GB": "GBy",
    "KB": "kBy", "byte": "By", "bytes": "By", "sec": "s", "second": "s", "hour": "h", "day": "d", "year": "a",
    "percent": "%", "kgCO2e": "kg{CO2e}", "gCO2e": "g{CO2e}", "tCO2e": "t{CO2e}", "token": "{token}", "item": "{item}",
    "tokens": "{token}", "items": "{item}", "": "1",
}  # fmt: skip


def _refusal(code: str, at: int) -> Malformed:
    hint = _HINTS.get(code)
    shown = code[:MAX_LENGTH]
    return Malformed(
        "measure.unit",
        Text(
            en="'{unit}' is not a unit we can read (it stops making sense at character {at}).",
            zh="“{unit}”不是可识别的单位（从第 {at} 个字符起无法理解）。",
        ),
        do=Text(en="Write '{hint}'.", zh="请写“{hint}”。")
        if hint
        else Text(
            en="Write a UCUM code, such as kW.h, g, L, By, s, %, 1 or {{item}}.",
            zh="请写 UCUM 代码，例如 kW.h、g、L、By、s、%、1 或 {{item}}。",
        ),
        unit=shown,
        at=at + 1,
        hint=hint or "",
    )


class _Reader:
    """One pass over one code; ``at`` is the next character."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.at = 0

    def peek(self) -> str:
        return self.code[self.at] if self.at < len(self.code) else ""

    def refuse(self) -> Malformed:
        return _refusal(self.code, self.at)

    def digits(self) -> int:
        start = self.at
        while self.peek() and self.peek() in "0123456789":
            self.at += 1
        if not 0 < self.at - start <= MAX_DIGITS:
            raise self.refuse()
        return int(self.code[start : self.at])

    def term(self, depth: int) -> tuple[Fraction, Dimension]:
        """Read ``component (('.' | '/') component)*``; operators of equal rank, from the left."""
        if depth > MAX_DEPTH:
            raise self.refuse()
        scale, dimension = Fraction(1), _NONE
        sign = 1
        if depth == 0 and self.peek() == "/":
            self.at += 1
            sign = -1
        while True:
            part, powers = self.component(depth)
            scale *= part**sign
            dimension = _plus(dimension, powers, sign)
            operator = self.peek()
            if operator not in (".", "/") or not operator:
                return scale, dimension
            self.at += 1
            sign = 1 if operator == "." else -1

    def component(self, depth: int) -> tuple[Fraction, Dimension]:
        if self.peek() == "(":
            self.at += 1
            inner = self.term(depth + 1)
            if self.peek() != ")":
                raise self.refuse()
            self.at += 1
            return inner
        if self.peek() == "{":
            self.annotation()
            return Fraction(1), _NONE
        symbol = self.symbol()
        if symbol is None:
            factor = self.digits()
            if factor == 0:
                raise self.refuse()
            return Fraction(factor), _NONE
        scale, dimension = symbol
        exponent = self.exponent()
        if self.peek() == "{":
            self.annotation()
        return scale**exponent, _plus(_NONE, dimension, exponent)

    def symbol(self) -> tuple[Fraction, Dimension] | None:
        start = self.at
        if self.code.startswith(("10*", "10^"), start):
            self.at += 3
            atom = _ATOMS[self.code[start : self.at]]
            return atom.scale, atom.dimension
        end = start
        while end < len(self.code) and self.code[end] not in ".//(){}+-0123456789":
            end += 1
        name = self.code[start:end]
        if not name:
            return None
        found = _named(name)
        if found is None:
            raise self.refuse()
        self.at = end
        return found

    def exponent(self) -> int:
        sign = 1
        if self.peek() in ("+", "-") and self.peek():
            sign = -1 if self.peek() == "-" else 1
            self.at += 1
        elif not self.peek() or self.peek() not in "0123456789":
            return 1
        value = self.digits()
        if not 0 < value <= MAX_EXPONENT:
            raise self.refuse()
        return sign * value

    def annotation(self) -> None:
        end = self.code.find("}", self.at)
        inside = self.code[self.at + 1 : end]
        if end < 0 or not inside or "{" in inside or not inside.isascii() or not inside.isprintable():
            raise self.refuse()
        self.at = end + 1


def _named(name: str) -> tuple[Fraction, Dimension] | None:
    """Find an atom, alone first and then behind a prefix (UCUM 29: the bare atom wins)."""
    atom = _ATOMS.get(name)
    if atom is not None:
        return atom.scale, atom.dimension
    for prefix, factor in _PREFIXES.items():
        atom = _ATOMS.get(name[len(prefix) :]) if name.startswith(prefix) else None
        if atom is not None and atom.metric:
            return atom.scale * factor, atom.dimension
    return None


def _plus(one: Dimension, two: Dimension, times: int) -> Dimension:
    return tuple(a + times * b for a, b in zip(one, two, strict=True))  # type: ignore[return-value]


@lru_cache(maxsize=1024)
def unit(code: str) -> Unit:
    """Read a UCUM code; ``Malformed`` (``measure.unit``) names the character where it fails and often what was meant."""
    if not 0 < len(code) <= MAX_LENGTH:
        raise _refusal(code, 0)
    if code == "Cel":
        return Unit(code, Fraction(1), (0, 0, 0, 0, 1, 0, 0), special=True)
    reader = _Reader(code)
    scale, dimension = reader.term(0)
    if reader.at != len(code):
        raise reader.refuse()
    return Unit(code, scale, dimension)


def convert(value: float, from_code: str, to_code: str) -> float:
    """Return ``value`` of ``from_code`` expressed in ``to_code``; units of different dimension are ``Malformed``.

    UCUM treats annotations as having no meaning for arithmetic, so {item} converts to 1.
    """
    source, target = unit(from_code), unit(to_code)
    if source == target:
        return value
    if source.special or target.special or source.dimension != target.dimension:
        raise Malformed(
            "measure.incommensurable",
            Text(en="{source} cannot be expressed in {target}.", zh="{source} 不能换算为 {target}。"),
            do=Text(en="Compare only units of the same quantity.", zh="请只比较同一种量的单位。"),
            source=from_code,
            target=to_code,
        )
    return float(Fraction(value) * source.scale / target.scale)

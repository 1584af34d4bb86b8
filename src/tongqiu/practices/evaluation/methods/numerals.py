"""Numbers in answers, however they are written: 42, forty-two, 四十二 or ４２."""

from __future__ import annotations

import re
from typing import Final

_ONES: Final = {
    name: number
    for number, name in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS: Final = {
    name: 10 * number
    for number, name in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_DIGITS: Final = {name: number for number, name in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_MYRIADS: Final = {"万": 10_000, "亿": 100_000_000}

_WORD: Final = "|".join(sorted([*_ONES, *_TENS, "hundred", "thousand", "million"], key=len, reverse=True))
_NUMBER: Final = re.compile(
    r"(?P<figures>-?\d{1,15}(?:,\d{3})*(?:\.\d{1,15})?)"
    rf"|\b(?P<words>(?:{_WORD})(?:(?:-| and | )(?:{_WORD})){{0,7}})\b"
    r"|(?P<chinese>[零〇一二两三四五六七八九十百千万亿]{1,20})"
)
_MOST: Final = 200
"""Numbers of an answer that are looked at."""


def numbers(text: str) -> list[float]:
    """Return the numbers in the cleaned ``text`` in order, at most two hundred."""
    found: list[float] = []
    for match in _NUMBER.finditer(text):
        found.append(_value(match))
        if len(found) == _MOST:
            break
    return found


def first_number(text: str, question: str) -> float | None:
    """Return the first number of ``text``; one that ``question`` holds too, or a bare "one", counts only where there is no other."""
    found = numbers(text)
    given = {*numbers(question), 1.0}
    return next((each for each in found if each not in given), found[0] if found else None)


def as_digits(text: str) -> str:
    """Return the digits of the cleaned ``text`` in a row, with words for digits in English and Chinese read as digits."""
    read = re.sub(rf"\b({'|'.join(list(_ONES)[:10])})\b", lambda match: str(_ONES[match[1]]), text)
    return "".join(str(_DIGITS.get(each, each)) for each in read if each.isdecimal() or each in _DIGITS)


def _value(match: re.Match[str]) -> float:
    if match["figures"]:
        return float(match["figures"].replace(",", ""))
    if match["words"]:
        return float(_english(re.split(r"-| and | ", match["words"])))
    return float(_chinese(match["chinese"]))


def _english(words: list[str]) -> int:
    total = part = 0
    for word in words:
        if word == "hundred":
            part = max(part, 1) * 100
        elif word in {"thousand", "million"}:
            total += max(part, 1) * (1000 if word == "thousand" else 1_000_000)
            part = 0
        else:
            part += _ONES.get(word, 0) or _TENS.get(word, 0)
    return total + part


def _chinese(text: str) -> int:
    """Return the value of a Chinese numeral, by place (一百零五) or digit by digit (一九四五)."""
    if all(each in _DIGITS for each in text):
        return int("".join(str(_DIGITS[each]) for each in text))
    total = section = digit = 0
    for each in text:
        if each in _DIGITS:
            digit = _DIGITS[each]
        elif each in _UNITS:
            section += max(digit, 1) * _UNITS[each]
            digit = 0
        else:
            total = (total + section + digit or 1) * _MYRIADS[each]
            section = digit = 0
    return total + section + digit

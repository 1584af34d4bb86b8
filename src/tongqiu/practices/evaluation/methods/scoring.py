"""The rules that judge answers: named, versioned, the same on every machine; what they cannot read scores 0 and never stops a run."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.practices.evaluation.methods.shelf import Question

LONGEST: Final = 1_000_000
"""Characters of an answer that are looked at at all."""

HEAD: Final = 2_000
"""Characters, after cleaning, in which an answer must have come to the point."""

_LINE: Final = 8
"""Shorter lines of a question may be said again by chance."""


class Rule(NamedTuple):
    """How answers are scored: one by one, or those of a cluster together."""

    one: Callable[[Question, str], float | None]
    cluster: Callable[[Sequence[tuple[Question, str]]], tuple[float | None, ...]] | None = None


def nothing(_question: Question, _answer: str) -> float | None:
    """Score nothing."""
    return None


def clean(text: str) -> str:
    """Return ``text`` as it is compared: compatibility forms unified, invisible characters gone, one space between words.

    Zero-width characters, direction marks and control characters could hide a word from a rule that a person would read.
    """
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()[:LONGEST]
    kept = "".join(_shown(each) for each in folded)
    return " ".join(kept.split())


def _shown(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cf" or (kind == "Mn" and character in _INVISIBLE):
        return ""
    return " " if kind in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"} else character


_INVISIBLE: Final = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f" + "".join(map(chr, range(0xFE00, 0xFE10))))


def said(question: Question, answer: str) -> str:
    """Return the cleaned answer without the lines of the question that it only repeats."""
    text = clean(answer)
    for _, message in question.messages:
        for line in sorted((clean(each) for each in message.splitlines()), key=len, reverse=True):
            if len(line) >= _LINE:
                text = text.replace(line, " ")
    return " ".join(text.split())[:HEAD]


_YES: Final = re.compile(
    r"\b(yes|true|correct|right)\b|(?<![不没])(是的|是真的|正确|属实|对的|对[，。！,.!]|有道理)|^[\W_]*[是对真]"
)
_NO: Final = re.compile(
    r"\b(no|not|false|incorrect|wrong|untrue|myth|never)\b|n't\b|不是|不对|错误|不正确|不属实|不实|假的|谣言|没有|否|错[，。！,.!]|^[\W_]*[否不错假]"
)


def yes_or_no(text: str) -> str:
    """Return ``yes``, ``no`` or, where the answer says neither, nothing; what comes first counts, a denial before an assent."""
    no, yes = _NO.search(text), _YES.search(text)
    if no and (not yes or no.start() <= yes.start() + 8):
        return "no"
    return "yes" if yes else ""


def _claim(question: Question, answer: str) -> float:
    """Score 1 where a claim is called what it is (``right`` is yes or no)."""
    return float(yes_or_no(said(question, answer)) == question.target["right"])


RULES: Final[dict[str, Rule]] = {
    "yes-no@1": Rule(_claim),
}
"""The rules by name and version."""

"""How answers are made comparable before a rule reads them: hidden characters gone, forms unified, repeated questions struck out."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST: Final = 1_000_000
"""Characters of an answer that are looked at at all."""

HEAD: Final = 2_000
"""Characters, after cleaning, in which an answer must have come to the point."""

_LINE: Final = 4
"""Shorter questions may be said again by chance."""

_BEGINNING: Final = 20
"""An answer that begins with so many characters of a message is repeating it."""

_QUOTES: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "`": "'"})
_BLANK: Final = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return ``text`` as it is compared: compatibility forms unified, invisible characters gone, one space between words.

    Zero-width characters, direction marks and combining accents without a letter could hide a word from a rule that a person
    would read. NFKC after Unicode Standard Annex 15; case folding after section 3.13 of the Unicode Standard,
    categories after 4.5.
    """
    text = text[:LONGEST]
    # What is taken out may leave letters side by side that then become one, so that all is done twice.
    for _ in range(1 if text.isascii() else 2):
        shown = {each: _shown(each) for each in set(text)}
        text = "".join(map(shown.__getitem__, text))
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())[:LONGEST]
    return _BLANK.sub(" ", text.translate(_QUOTES)).strip()


def said(messages: Sequence[tuple[str, str]], answer: str) -> str:
    """Return what the cleaned ``answer`` adds to the ``messages``, at most :data:`HEAD` characters.

    A message that it gives back whole, the beginning of one that it begins with, and a question that it repeats are struck
    out; a sentence taken from a document stays, as it may be the answer.
    """
    text = clean(answer)
    for _, message in messages:
        whole = clean(message)
        if len(whole) >= _LINE:
            text = text.replace(whole, " ").strip()
        same = next(
            (at for at, (one, two) in enumerate(zip(whole, text, strict=False)) if one != two),
            min(len(whole), len(text)),
        )
        if same >= _BEGINNING:
            text = text[same:]
        for line in message.splitlines():
            asked = clean(line)
            if "?" in asked and len(asked) >= _LINE:
                text = text.replace(asked, " ")
    return _BLANK.sub(" ", text).strip()[:HEAD]


def _shown(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in {"Cf", "Cs", "Co", "Cn"} or character in _INVISIBLE:
        return ""
    return " " if kind in {"Cc", "Zl", "Zp", "Zs"} else character


_INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10)))
)

"""Safe building of HTML and SVG: whatever is put in stays text and can never become markup."""

from __future__ import annotations

import html
import re
import unicodedata

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*\Z")


class Mark(str):
    """Text that is already markup: made only by :func:`tag` and :func:`join`, so every leaf was escaped once."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return itself, so that templates which escape everything let it through."""
        return self


def text(value: object) -> Mark:
    """Return ``value`` as escaped text; control characters, which no reader can see, become U+FFFD."""
    if isinstance(value, Mark):
        return value
    return Mark(html.escape(_UNFIT.sub("\ufffd", str(value)), quote=True))


def tag(name: str, *children: object, **attributes: object) -> Mark:
    """Return one element. Attributes that are None are left out; ``_`` in their names becomes ``-``, and a leading
    ``_`` is dropped (``_class``). Raises ValueError for a name that could not be one: names are ours, never input.
    """
    written = [name]
    for key, value in attributes.items():
        if value is None:
            continue
        attribute = key.removeprefix("_").replace("_", "-")
        if not _NAME.match(attribute):
            raise ValueError(f"not the name of an attribute: {attribute!r}")
        plain = f"{value:.6g}" if isinstance(value, float) else value
        written.append(f'{attribute}="{text(str(plain))}"')
    if not _NAME.match(name):
        raise ValueError(f"not the name of an element: {name!r}")
    return Mark(f"<{' '.join(written)}>{join(*children)}</{name}>")


def join(*children: object) -> Mark:
    """Return the children one after another, each escaped unless it is markup already."""
    return Mark("".join(text(child) for child in children))


def width(words: str) -> int:
    """Return how wide ``words`` is drawn, in Latin letters: Chinese characters count two (Unicode UAX #11)."""
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 1 for char in words
    )


def fit(words: str, room: int) -> str:
    """Return ``words``, or as much of them as fits in ``room`` Latin letters, ending in an ellipsis."""
    if width(words) <= room:
        return words
    kept, used = [], 1
    for char in words:
        used += width(char)
        if used > room:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"

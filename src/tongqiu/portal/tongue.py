"""Which language a reader is answered in: the one asked for, else the browser's, else the node's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tongqiu.record.text import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

TAGS = {"zh": "zh-Hans", "en": "en"}
"""The BCP 47 tag of each language, as pages declare it."""


def choose(query: Mapping[str, str], accepted: str, default: str) -> str:
    """Return ``zh`` or ``en``: from ``?lang=``, else the best of an Accept-Language header (RFC 9110, 12.5.4), else
    ``default``. What cannot be read is passed over.
    """
    asked = _primary(query.get("lang", ""))
    if asked in LANGUAGES:
        return asked
    best, weight = default, 0.0
    for each in accepted[:500].split(","):
        name, _, rest = each.partition(";")
        quality = _quality(rest)
        if _primary(name) in LANGUAGES and quality > weight:
            best, weight = _primary(name), quality
    return best


def _primary(tag: str) -> str:
    return tag.strip().split("-")[0].lower()


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip() == "q" and math.isfinite(quality) else 0.0

"""Finding identifiers of people in any text, without ever repeating one.

What is found is told by kind, country, place and masked form; the value itself leaves this room in nothing. Numbers
are found in Chinese text as in English (a border is a change of ASCII letters and digits, not a space), with full-width
or other digits, and with invisible characters slipped in between. Every pattern runs in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tongqiu.scan import readers
from tongqiu.scan.layouts import ROOT, numeric
from tongqiu.scan.readers import Found, Ground, Seen

METHOD = "scan.personal@3"
"""Name and version of the method, for evidence; raised whenever the same text could give another answer."""


class Hit(NamedTuple):
    """One identifier: scheme code, sort, country (ISO 3166-1 alpha-2, empty: worldwide or unknown), where it stands
    (offsets into the text as given), its form with every letter and digit hidden, and why it counts.
    """

    scheme: str
    sort: str
    country: str
    start: int
    end: int
    masked: str
    ground: Ground


def scan(text: str, *, context: str = "") -> list[Hit]:
    """Return the identifiers in ``text`` in order of place, none overlapping another.

    ``context`` is what the text stands under, such as the name of its column. The answer depends on nothing else.
    """
    if len(text) < 6 or _MAYBE(text) is None:  # noqa: PLR2004 - the shortest there is
        return []
    plain, places = readers.plain_of(text)
    hits = []
    for one in readers.apart(list(_found(Seen(plain, context)))):
        start = places[one.start] if places else one.start
        end = places[one.end - 1] + 1 if places else one.end
        hits.append(Hit(one.scheme, one.sort, one.country, start, end, mask(text[start:end]), one.ground))
    return hits


def number_matters(digits: int, *, context: str = "") -> bool:
    """Return whether a lone number of so many digits, under ``context``, could be an identifier at all.

    For columns of numbers: where this is False, :func:`scan` finds nothing in any such value.
    """
    node = ROOT.following.get(("", digits))
    seen = Seen("", context)
    return node is not None and any(
        numeric(scheme, digits) and (not needs_word or seen.named(scheme)) for scheme, needs_word in node.ends
    )


def mask(value: str) -> str:
    """Return ``value`` with every letter and digit hidden, at most 48 characters; an e-mail address keeps only its @."""
    if "@" in value or "＠" in value:
        return "•••@•••"
    return "".join("•" if char.isalnum() else char for char in value if char.isprintable())[:48]


def masked(text: str, *, context: str = "") -> str:
    """Return ``text`` with every identifier in it replaced by its masked form."""
    out, at = [], 0
    for hit in scan(text, context=context):
        out += [text[at : hit.start], hit.masked]
        at = hit.end
    return "".join((*out, text[at:]))


# --- where to look, in Python alone -------------------------------------------------------------------------------------

_MAYBE = re.compile(r"[\d@\uff20]").search
_LONG = re.compile(r"[0-9](?:[ \-./():]{0,2}[0-9A-Za-z])").search
# The first character stands outside, so that the search runs fast from one to the next.
_V4 = re.compile(r"[0-9](?<![0-9A-Za-z.:].)(?=[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9])")
_V6 = re.compile(r"[0-9A-Fa-f](?<![0-9A-Za-z.:].)(?=[0-9A-Fa-f]{0,3}:[0-9A-Fa-f]{0,4}:)")
# A line end written as an escape is a border too: so numbers stand in JSON and in templates.
_PLUS = re.compile(r"\+(?:(?<![0-9A-Za-z+].)|(?<=\\[nrt].))(?=[1-9])")
_AMERICAN = re.compile(r"[2-9](?<![0-9A-Za-z].)(?=[0-9]{2}(?:[-. ]|\) ?)[2-9][0-9]{2}[-. ][0-9]{4})")
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}(?<![0-9A-Za-z]....)")
_BRACKET = re.compile(r"\((?=[0-9]{1,4}\) ?[0-9]{2})")
_HK = re.compile(r"[A-Z](?<![0-9A-Za-z].)(?=[A-Z]?[0-9]{6}\()")
_GLUED = re.compile(r"[0-9](?<=[A-Za-z].)(?=[0-9]{16}[0-9Xx](?![0-9A-Za-z]))")


def _found(seen: Seen) -> Iterator[Found]:
    """Yield all that any reader finds in the text."""
    text = seen.plain
    at = text.find("@")
    while at >= 0:
        yield from readers.email_at(seen, at)
        at = text.find("@", at + 1)
    if _LONG(text) is None:
        return
    plain = (
        (text.count(".") >= 3, _V4, readers.address_at),  # noqa: PLR2004 - what an address holds
        (text.count(":") >= 2, _V6, readers.address_at),  # noqa: PLR2004 - as above
        ("+" in text, _PLUS, readers.plus_at),
        (True, _AMERICAN, readers.american_at),
        (True, _IBAN, readers.iban_at),
        ("(" in text, _BRACKET, readers.bracketed_at),
        ("(" in text, _HK, readers.hong_kong_at),
        (True, _GLUED, readers.glued_at),
    )
    for matters, pattern, read in plain:
        for match in pattern.finditer(text) if matters else ():
            yield from read(seen, match.start())
    yield from readers.shapes(seen)

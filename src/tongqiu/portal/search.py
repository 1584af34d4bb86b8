"""Finding what is known here by words in any language: subjects first, and the records that speak of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.node.node import Node as RealNode
from tongqiu.portal import sheet
from tongqiu.portal.pages import Shown
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from starlette.routing import Route

    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit

MOST = 50
"""How many records one page of results holds."""


class Hit(msgspec.Struct, frozen=True):
    """One record that was found."""

    entry: str
    kind: str
    title: Text
    subject: str
    type: str
    name: str
    issuer: str
    at: str


class About(msgspec.Struct, frozen=True):
    """A subject of which records were found, and how many of them are on this page."""

    subject: str
    type: str
    name: str
    hits: int


class Found(msgspec.Struct, frozen=True):
    """One page of results; ``after`` is where the next one begins, None at the end."""

    q: str
    subjects: tuple[About, ...]
    records: tuple[Hit, ...]
    after: str | None


def routes(site: Site) -> list[Route]:
    """Return the routes of the search."""
    return site.page("/search", "/search", search)


def search(visit: Visit) -> Shown:
    """Show the records that hold all words of ``q``, newest first, as far as whoever asks may read them."""
    words = visit.asked("q")
    hits: tuple[Hit, ...] = ()
    after = None
    if words and isinstance(visit.node, RealNode):
        node = visit.node
        node.registry.catch_up()
        found = node.registry.newest(
            "found",
            principal=visit.signed.principal,
            now=node.now,
            below=None if visit.cursor is None else int(visit.cursor),
            limit=MOST,
            words=words,
        )
        hits = tuple(_hit(node, row) for _, _, row in found.rows)
        after = None if found.below is None else str(found.below)
    model = Found(words, _subjects(hits), hits, after)
    return Shown("search.html", Text(en="Search", zh="搜索"), model, sheet.sheet(Hit, hits))


def _hit(node: RealNode, row: dict[str, Any]) -> Hit:
    kind = node.practices.kind(row["kind"])
    title = kind.title if kind is not None else Text(en=row["kind"], zh=row["kind"])
    return Hit(row["entry"], row["kind"], title, row["subject"], row["type"], row["name"], row["issuer"], row["at"])


def _subjects(hits: tuple[Hit, ...]) -> tuple[About, ...]:
    """Return the subjects of ``hits``: systems first, then by how many records speak of each."""
    counts: dict[str, int] = {}
    for each in hits:
        counts[each.subject] = counts.get(each.subject, 0) + 1
    named = {each.subject: each for each in reversed(hits)}
    made = [About(each.subject, each.type, each.name, counts[each.subject]) for each in named.values()]
    return tuple(sorted(made, key=lambda each: (each.type != "system", -each.hits, each.name, each.subject)))

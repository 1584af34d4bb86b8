"""The packs of law and standards that a node goes by: those that travel with the software, and those that somebody added.

An added pack is a record (``core.norm-pack/1``) signed by whoever publishes it; the body holds the very bytes. The node's
own party goes by what it published itself and by what it adopted (``core.pack/1``) of what others published: a pack that
only arrived is listed and never applied. Withdrawing either record takes the pack away again.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from tongqiu.norms import library
from tongqiu.norms.grading import Book, open_book
from tongqiu.norms.library import Added, Norms
from tongqiu.norms.reading import number
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.node.ask import Snapshot
    from tongqiu.record.statement import Statement

State = Literal["in-use", "offered", "older", "unreadable"]
"""It applies here; another party offers it; a later edition is in use; this version of the software cannot read it."""


class Offer(NamedTuple):
    """A pack that somebody published and stands by, and how it stands here; ``entries`` brought it into use.

    ``pack`` and ``version`` are those of the record. ``fault`` says why it cannot be read.
    """

    statement: Statement
    pack: str
    version: str
    state: State
    entries: tuple[str, ...] = ()
    fault: Malformed | None = None


def norms(snapshot: Snapshot, party: str) -> Norms:
    """Return the packs that ``party`` goes by, as ``snapshot`` shows them; asking for them is no question to the log."""
    added = [
        Added(_book(each.statement.body["text"]), each.entries)
        for each in offers(snapshot, party)
        if each.state == "in-use"
    ]
    return Norms(_day(snapshot.as_of), _day(snapshot.known_at), added)


def offers(snapshot: Snapshot, party: str) -> tuple[Offer, ...]:
    """Return every pack that somebody published and stands by, and how it stands with ``party``; sorted by id and version.

    Of several editions the latest is used, of several records of one edition the first in the log.
    """
    taken = {
        each.content.rests_on[0]: each.entry
        for each in snapshot.standing(core.PACK.name)
        if each.issuer == party and len(each.content.rests_on) == 1
    }
    found = []
    for each in snapshot.standing(core.NORM_PACK.name):
        ours = (each.entry,) if each.issuer == party else ()
        entries = ours or ((each.entry, taken[each.entry]) if each.entry in taken else ())
        found.append(_offer(each, entries))
    latest: dict[str, tuple[tuple[int, ...], int]] = {}
    for one in found:
        if one.state == "in-use":
            rank = (number(one.version), -one.statement.index)
            latest[one.pack] = max(latest.get(one.pack, rank), rank)
    settled = [
        one._replace(state="older")
        if one.state == "in-use"
        and (latest[one.pack] != (number(one.version), -one.statement.index) or _shipped_later(one))
        else one
        for one in found
    ]
    return tuple(sorted(settled, key=lambda one: (one.pack, number(one.version), one.statement.index)))


def _offer(statement: Statement, entries: tuple[str, ...]) -> Offer:
    body = statement.body
    name, version = str(body.get("pack", "")), str(body.get("version", ""))
    try:
        kept = core.NORM_PACK.read(body, where=statement.entry)
        pack = _book(kept.text).pack
        if (pack.id, pack.version, pack.digest) != (kept.pack, kept.version, kept.digest):
            raise _otherwise(statement.entry)
    except Malformed as fault:
        return Offer(statement, name[:80], "0", "unreadable", (), fault)
    return Offer(statement, name, version, "in-use" if entries else "offered", entries)


def _otherwise(entry: str) -> Malformed:
    return Malformed(
        "norms.pack.otherwise",
        Text(en="The record calls its pack otherwise than the pack itself.", zh="记录所称的规范包与其内容不符。"),
        do=Text(en="Ask its publisher.", zh="请联系其发布方。"),
        where=entry,
    )


def _shipped_later(offer: Offer) -> bool:
    """Tell whether this software brings an edition of that pack that is at least as late."""
    try:
        return number(library.version(offer.pack)) >= number(offer.version)
    except Missing:
        return False


@lru_cache(maxsize=64)
def _book(text: str) -> Book:
    return open_book(text.encode())


def _day(moment: str) -> datetime.date:
    return datetime.date.fromisoformat(moment[:10])

"""The shelf of law and standards as one reader may see it: packs and crosswalks by name, on two days.

Packs and crosswalks that travel with the software are for everyone. An added pack is a record and has readers: whoever may
not read it sees the shelf as if it were not there. What is named and not there is refused with the nearest name.
"""

from __future__ import annotations

import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tongqiu.norms.crosswalk import Chain
from tongqiu.norms.crosswalks.shelf import Shelf
from tongqiu.norms.reading import nearest
from tongqiu.portal.norms_models import Counted, Days, Named, Part
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from tongqiu.node.node import Node
    from tongqiu.node.shelf import Offer
    from tongqiu.norms.crosswalk import Crosswalk
    from tongqiu.norms.grading import Book
    from tongqiu.norms.library import Norms
    from tongqiu.portal.pages import Visit

STEP = 100
"""Rows on one page of a list, unless asked otherwise."""

MOST = 1000
"""Rows that may be asked for at once."""


class Law:
    """What one request may know of law: the packs, the crosswalks, and the two days that were asked about."""

    def __init__(self, node: Node, visit: Visit) -> None:
        """Look at the shelf of ``node`` as ``visit`` may. Raises Malformed (``norms.day``)."""
        snapshot = node.snapshot(visit.signed.principal)
        self.node, self.visit, self.desk = node, visit, visit.desk
        self.norms: Norms = snapshot.norms
        self._snapshot = snapshot
        today = datetime.date.fromisoformat(self.desk.now[:10])
        as_of = _day(visit, "as_of")
        known_at = _day(visit, "known_at")
        self.as_of = as_of or today
        self.known_at = known_at or self.as_of
        self.days = Days(
            self.as_of.isoformat(),
            self.known_at.isoformat(),
            "" if as_of is None else as_of.isoformat(),
            "" if known_at is None else known_at.isoformat(),
        )

    @cached_property
    def walks(self) -> Shelf:
        """Return the crosswalks at hand."""
        return Shelf()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """Return the packs that somebody published as a record which the reader may see."""
        from tongqiu.node.shelf import offers

        return offers(self._snapshot, self.node.me)

    def book(self, name: str) -> Book:
        """Return the pack ``name``. Raises Missing (``norms.no-pack``) with the nearest name that is here."""
        if name not in self.norms.ids:
            raise Missing(
                "norms.no-pack",
                Text(en="There is no pack {name}.", zh="没有名为 {name} 的规范包。"),
                do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                name=name[:80],
                nearest=nearest(name[:80], self.norms.ids),
            )
        return self.norms.book(name)

    def between(self, have: str, want: str) -> Crosswalk | Chain | None:
        """Return what is known from one pack to the other, None where nothing leads there."""
        try:
            return self.walks.between(have, want)
        except Missing:
            return None

    def named(self, name: str) -> Named:
        """Return a pack by its id and title. Raises as :meth:`book`."""
        return Named(name, plain(self.book(name).pack.title))

    def part(self, total: int) -> Part:
        """Return which piece of a list of ``total`` was asked for. Raises Malformed (``portal.number``)."""
        limit = max(1, self.visit.whole("limit", STEP, MOST))
        return Part(total, self.visit.whole("offset", 0, 10**9), limit)

    def chosen(self, name: str, known: Iterable[str]) -> str:
        """Return a parameter that names one of ``known``, empty where it is not given. Raises Malformed (``norms.choice``)."""
        value, allowed = self.visit.asked(name), tuple(known)
        if value and value not in allowed:
            raise Malformed(
                "norms.choice",
                Text(en="{value} is nothing that {name} may be here.", zh="此处 {name} 不能是 {value}。"),
                do=Text(en="Did you mean {nearest}? Allowed: {known}", zh="是否想写 {nearest}？可用：{known}"),
                value=value[:80],
                name=name,
                nearest=nearest(value, allowed),
                known=", ".join(allowed)[:400] or "-",
            )
        return value


def piece(rows: Sequence[Any], part: Part) -> tuple[Any, ...]:
    """Return the rows of one piece of a list."""
    return tuple(rows[part.offset : part.offset + part.limit])


def counted(words: Mapping[str, Text], found: Iterable[str], chosen: str) -> tuple[Counted, ...]:
    """Return every one of ``words`` with how often it occurs in ``found``."""
    every = list(found)
    return tuple(Counted(each, plain(title), every.count(each), each == chosen) for each, title in words.items())


def plain(words: Text) -> Text:
    """Return the words of a pack as the text that pages hold."""
    return Text(en=words.en, zh=words.zh)


def bare(words: Text | None) -> Text | None:
    """Return the words of a pack as the text that pages hold, None for none."""
    return None if words is None else plain(words)


def day(value: datetime.date | None) -> str:
    """Return a day as it is written, empty for none."""
    return "" if value is None else value.isoformat()


def number(value: float) -> str:
    """Return a number as a person writes it: a whole one without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - exact in a double


def _day(visit: Visit, name: str) -> datetime.date | None:
    value = visit.asked(name)
    if not value:
        return None
    try:
        found = datetime.date.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.isoformat() != value:
        raise Malformed(
            "norms.day",
            Text(en="{value} is no day.", zh="{value} 不是日期。"),
            do=Text(
                en="Write {name} as year, month and day, such as 2026-11-23.",
                zh="请将 {name} 写成年月日，如 2026-11-23。",
            ),
            value=value[:40],
            name=name,
        )
    return found

"""Whether a row of law applies on a day, as far as could be known on another day: two times that are never mixed up.

*Valid time* (``as_of``) is when a rule binds; *known time* (``known_at``) is when anyone could have known of it in that
form. Asking with an old ``known_at`` gives what an honest reader would have said then; asking with today's gives what
is now known about that day. A row without valid time of its own takes that of the first source it cites.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from tongqiu.norms.succession import heirs, walk

if TYPE_CHECKING:
    import datetime

    from tongqiu.norms.pack import Cite, Pack, Requirement, Risk, Row, Rule, Source

State = Literal["in-force", "pending", "amended", "repealed", "not-yet-known"]
"""It applies; it will; another row or act took its place; nothing did; on that day nobody could know it."""

STATES: tuple[State, ...] = ("in-force", "pending", "amended", "repealed", "not-yet-known")


class Standing(NamedTuple):
    """How a row stands: its state, its valid time (the end is exclusive), and the rows or sources that took its place.

    ``by`` holds only what was known on the day asked about.
    """

    state: State
    applies_from: datetime.date | None
    applies_until: datetime.date | None
    by: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Tell whether the row says something about systems of that day: it applies, or will."""
        return self.state in {"in-force", "pending"}


class Calendar:
    """The two times of every row of one pack."""

    def __init__(self, pack: Pack) -> None:
        """Look up sources and successors once."""
        self._sources = {each.id: each for each in pack.sources}
        self._rows = {each.id: each for each in pack.requirements}
        self._heirs = heirs(pack)

    def row(self, row: Rule | Requirement | Risk, as_of: datetime.date, known_at: datetime.date) -> Standing:
        """Return how ``row`` stands on the day ``as_of`` as known on the day ``known_at``."""
        start, end = self.bounds(row, row.cite)
        if row.known_from is not None and row.known_from > known_at:
            return Standing("not-yet-known", start, end)
        by = self._later(row.id, known_at) if self._rows.get(row.id) is row else ()
        gone = row.known_until is not None and row.known_until <= known_at
        if gone or (end is not None and end <= as_of):
            return Standing("amended" if by else "repealed", start, end, by)
        begun = [name for name in by if self._begun(name, as_of)]
        if begun:
            return Standing("amended", start, end, tuple(begun))
        return Standing("pending" if start is not None and start > as_of else "in-force", start, end, by)

    def source(self, source: Source, as_of: datetime.date, known_at: datetime.date) -> Standing:
        """Return how a document stands; ``amended`` means that it is in force as changed by the sources ``by``."""
        start, end = source.in_force_from, source.repealed_on
        if source.published is not None and source.published > known_at:
            return Standing("not-yet-known", start, end)
        if end is not None and end <= as_of:
            return Standing("repealed", start, end)
        if start is not None and start > as_of:
            return Standing("pending", start, end)
        by = tuple(
            name
            for name in source.amended_by
            if self.source_begun(self._sources[name], as_of) and _published(self._sources[name], known_at)
        )
        return Standing("amended" if by else "in-force", start, end, by)

    def bounds(self, row: Row, cite: tuple[Cite, ...]) -> tuple[datetime.date | None, datetime.date | None]:
        """Return the valid time of a row: its own, or where it names none at all, that of the first source it cites."""
        if row.applies_from is not None or row.applies_until is not None:
            return row.applies_from, row.applies_until
        source = self._sources.get(cite[0].source)
        return (None, None) if source is None else (source.in_force_from, source.repealed_on)

    @staticmethod
    def source_begun(source: Source, as_of: datetime.date) -> bool:
        """Tell whether a document had come into force by ``as_of``."""
        return source.in_force_from is None or source.in_force_from <= as_of

    def _later(self, name: str, known_at: datetime.date) -> tuple[str, ...]:
        """Return the rows that took the place of ``name``, in a form that is known on ``known_at``."""
        return tuple(each for each in walk(self._heirs, name) if _known(self._rows[each], known_at))

    def _begun(self, name: str, as_of: datetime.date) -> bool:
        start = self.bounds(self._rows[name], self._rows[name].cite)[0]
        return start is None or start <= as_of


def _known(row: Row, known_at: datetime.date) -> bool:
    return (row.known_from is None or row.known_from <= known_at) and (
        row.known_until is None or known_at < row.known_until
    )


def _published(source: Source, known_at: datetime.date) -> bool:
    return source.published is None or source.published <= known_at

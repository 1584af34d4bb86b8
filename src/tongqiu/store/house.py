"""One store: the log's backend, who may read, registries, jobs, duties and people, behind one door.

::

    with open_store(folder / ".tongqiu", create=True) as store:
        store.backend, store.jobs, store.dues, store.people, store.registry(views)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from tongqiu.record.faults import Malformed, Unreachable
from tongqiu.record.statement import Content, Statement, read_content
from tongqiu.store import schema
from tongqiu.store.audiences import Audiences, Known
from tongqiu.store.backend import SqlBackend, not_standing
from tongqiu.store.database import WAIT, Database, by_url, keys_for_url, on_disk
from tongqiu.store.dues import Dues
from tongqiu.store.forms import Drafts
from tongqiu.store.jobs import Jobs
from tongqiu.store.looks import Looks
from tongqiu.store.people import PeopleTables
from tongqiu.store.registry import Registry
from tongqiu.store.rows import Rows, conditions, opened
from tongqiu.store.shape import kinds_like

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from tongqiu.ledger.backend import Where
    from tongqiu.practice import View
    from tongqiu.record.audience import Audience, Principal

_E = schema.entry.c


class Store:
    """An open store; made by :func:`open_store`."""

    def __init__(self, database: Database, *, writer: str = "") -> None:
        """Take over an open database, for the home called ``writer``."""
        self._database = database
        self._audiences = Audiences(database)
        self.backend = SqlBackend(database, writer=writer)
        self.jobs = Jobs(database)
        self.dues = Dues(database)
        self.drafts = Drafts(database)
        self.looks = Looks(database, self._audiences)
        self.people = PeopleTables(database)

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give back everything; further calls raise Unreachable. Idempotent."""
        self._database.close()

    @property
    def where(self) -> str:
        """Return the file or the database (without its password) it is kept in."""
        return self._database.where

    def audience_id(self, audience: Audience, issuer: str) -> str:
        """Return the id of ``audience`` for records of ``issuer``, noted durably; the same every time."""
        return self._audiences.id_of(audience, issuer)

    def audience(self, name: str) -> Known:
        """Return the audience and issuer an id stands for. Raises Missing (``store.no-audience``)."""
        return self._audiences.get(name)

    def visible(self, principal: Principal, now: str) -> frozenset[str]:
        """Return the ids of the audiences that ``principal`` may read at ``now`` (RFC 3339 UTC)."""
        return self._audiences.visible(principal, now)

    def registry(self, views: Sequence[View]) -> Registry:
        """Return the registries of ``views``, their tables made. Raises Malformed (``practice.view``)."""
        return Registry(self._database, self._audiences, views)

    def statements(  # noqa: PLR0913 - which ones, for whom, and what to do with the unreadable
        self,
        after: int = -1,
        limit: int = 1000,
        where: Where | None = None,
        *,
        kinds: Sequence[str] = ("*",),
        principal: Principal | None = None,
        now: str = "",
        standing: bool = False,
        bare: bool = False,
    ) -> list[Statement]:
        """Return up to ``limit`` statements above index ``after``, in order of the log.

        ``kinds`` are names or ``prefix*``; ``principal`` confines them to what it may read at ``now`` (None: the node
        itself, everything); ``standing`` leaves out what its issuer withdrew or superseded. Entries whose content is not
        here, erased or never given, or unreadable, are left out, or have ``content`` None with ``bare``.
        """
        chosen: list[sa.ColumnElement[bool]] = []
        if where is not None:
            chosen += conditions(where, self._database.engine.dialect.name)
        if (liked := kinds_like(tuple(kinds))) is not None:
            chosen.append(liked)
        if standing:
            chosen.append(~not_standing())
        if principal is not None:
            from tongqiu.ledger.backend import Where as Only

            readable = Only(audiences=self.visible(principal, now))
            chosen += conditions(readable, self._database.engine.dialect.name)
        if not bare:
            chosen.append(schema.content.c.sealed.is_not(None))
        joined = schema.entry.outerjoin(schema.content, schema.content.c.idx == _E.idx)
        wanted = (
            sa.select(_E.idx, _E.entry, _E.logged_at, schema.content.c.slot, schema.content.c.sealed)
            .select_from(joined)
            .where(*chosen)
            .order_by(_E.idx)
        )
        found: list[Statement] = []
        with self._database.read() as connection:
            origin, full = Rows(connection, self._database.keys).head().origin, True
            while full and len(found) < limit:
                # Those that cannot be read are left out here, so that a page is short only where the log ends.
                asked = limit - len(found)
                page = connection.execute(wanted.where(_E.idx > after).limit(asked)).all()
                full = len(page) == asked
                for each in page:
                    after, entry = each.idx, "sha-256:" + bytes(each.entry).hex()
                    content = self._content(each, entry)
                    if content is not None or bare:
                        found.append(Statement(entry, each.idx, origin, each.logged_at, cast("Content", content)))
        return found

    def _content(self, each: Any, entry: str) -> Content | None:  # noqa: ANN401 - a selected row
        """Return readable content, or None: gone, never given, or not a record, such as a log's first entry."""
        if each.slot is None:
            return None
        data = opened(self._database.keys, each.entry, each.slot, each.sealed).data
        try:
            return None if data is None else read_content(data, where=entry)
        except Malformed:
            return None

    def corrections(self, entries: Iterable[bytes]) -> dict[bytes, tuple[int, ...]]:
        """Return, for each of ``entries`` that its own issuer withdrew or superseded, the indices of the records that did."""
        gone = schema.gone.c
        chosen = list(entries)
        found: dict[bytes, tuple[int, ...]] = {}
        with self._database.read() as connection:
            for start in range(0, len(chosen), 500):
                wanted = (
                    sa.select(gone.entry, gone.by)
                    .join(schema.entry, sa.and_(_E.entry == gone.entry, _E.issuer == gone.issuer))
                    .where(gone.entry.in_(chosen[start : start + 500]))
                    .order_by(gone.by)
                )
                for entry, by in connection.execute(wanted):
                    found[bytes(entry)] = (*found.get(bytes(entry), ()), by)
        return found


def open_store(
    where: Path | str, *, create: bool, wait: float = WAIT, writer: str = "", keys: Path | None = None
) -> Store:
    """Open the store in the folder ``where``, or in the PostgreSQL database at that URL, at its present shape.

    ``create`` makes it if there is none. ``wait`` is how long a writer waits for another, in seconds. ``writer`` names the
    home it is opened for, so that a copy of either can be told apart when it appends (``log.copied``). ``keys`` is the
    file of the keys of its contents; without it, ``content.keys`` in the folder; a URL needs it named. Every start makes
    sure that nothing erased is left in a file, nor its key. Raises Missing (``store.none``, ``store.no-keys``), Malformed
    (``store.foreign``, ``store.url``, ``store.keys``), Unproven (``log.corrupt``), Refused (``store.newer``), Unreachable (``log.storage``).
    """
    if isinstance(where, str) and "://" in where:
        database = by_url(where, keys=keys_for_url(keys), create=create, wait=wait)
    else:
        database = on_disk(Path(where), create=create, wait=wait, keys=keys)
    try:
        store = Store(database, writer=writer)
    except Unreachable:
        database.close()
        raise
    try:
        store.backend.scrub()
    except Unreachable:
        # A reader elsewhere, or too little space to rewrite the file, must not keep the node from starting: nobody reads
        # what was erased, and the note that it is to be scrubbed stays until that has been done.
        pass
    except BaseException:
        store.close()
        raise
    return store

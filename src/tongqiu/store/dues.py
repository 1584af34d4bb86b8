"""Clocks that keep running while nobody is there: what falls due, when, and whether it was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from tongqiu.record.statement import moment_of
from tongqiu.store import schema

if TYPE_CHECKING:
    from tongqiu.store.database import Database

_D = schema.due.c


class Due(NamedTuple):
    """A duty that falls due at an instant because of an entry."""

    duty: str
    entry: str
    at: str


class Dues:
    """The duties of one store."""

    def __init__(self, database: Database) -> None:
        """Keep them in ``database``."""
        self._database = database

    def note(self, duty: str, entry: str, at: str) -> bool:
        """Set the clock of ``duty`` for ``entry`` to ``at``; return whether it was new. A clock once set keeps its time.

        Raises Malformed (``statement.instant``) for an ``at`` that is no instant.
        """
        moment_of(at)
        with self._database.read() as connection:
            if connection.execute(_one(duty, entry)).first() is not None:
                return False
        with self._database.write() as connection:
            if connection.execute(_one(duty, entry)).first() is not None:
                return False
            connection.execute(sa.insert(schema.due).values(duty=duty, entry=entry, at=at, done=False))
        return True

    def due(self, now: str, *, limit: int = 1000) -> list[Due]:
        """Return what has fallen due by ``now`` and is not done, the oldest first."""
        wanted = (
            sa.select(_D.duty, _D.entry, _D.at)
            .where(_D.done.is_(False), _D.at <= now)
            .order_by(_D.at, _D.duty, _D.entry)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Due(*each) for each in connection.execute(wanted)]

    def coming(self, after: Due | None = None, *, limit: int = 50) -> list[Due]:
        """Return what is not done, due or not yet, the earliest first, from behind ``after`` on."""
        wanted = sa.select(_D.duty, _D.entry, _D.at).where(_D.done.is_(False))
        if after is not None:
            later = sa.or_(
                _D.at > after.at,
                sa.and_(_D.at == after.at, _D.duty > after.duty),
                sa.and_(_D.at == after.at, _D.duty == after.duty, _D.entry > after.entry),
            )
            # The first condition follows from the second; said apart, the index is used for it.
            wanted = wanted.where(_D.at >= after.at, later)
        ordered = wanted.order_by(_D.at, _D.duty, _D.entry).limit(limit)
        with self._database.read() as connection:
            return [Due(*each) for each in connection.execute(ordered)]

    def done(self, duty: str, entry: str) -> None:
        """Note that the duty was done, for good. Idempotent."""
        with self._database.write(lock=False) as connection:
            connection.execute(sa.update(schema.due).where(_D.duty == duty, _D.entry == entry).values(done=True))


def _one(duty: str, entry: str) -> sa.Select[str]:
    return sa.select(_D.duty).where(_D.duty == duty, _D.entry == entry)

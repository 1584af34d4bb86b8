"""What arrived from others, and up to where each person has looked at it; never more than that person may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from tongqiu.store import schema
from tongqiu.store.rows import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.record.audience import Principal
    from tongqiu.store.audiences import Audiences
    from tongqiu.store.database import Database

_E = schema.entry.c
_L = schema.look.c
_APART = 32
_MOST = 1 << 62


class Looks:
    """Arrivals of one store."""

    def __init__(self, database: Database, audiences: Audiences) -> None:
        """Read them from ``database``, as far as ``audiences`` lets each reader see."""
        self._database, self._audiences = database, audiences

    def upto(self, person: str) -> int:
        """Return the log index up to which a person has looked, -1 for somebody who never has."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(_L.idx).where(_L.person == person)).scalar()
        return -1 if found is None else int(found)

    def note(self, person: str, index: int) -> None:
        """Note that a person has looked at all up to ``index``; it never goes back."""
        with self._database.write(lock=False) as connection:
            known = connection.execute(sa.select(_L.idx).where(_L.person == person)).scalar()
            if known is None:
                connection.execute(sa.insert(schema.look).values(person=person, idx=index))
            elif index > known:
                connection.execute(sa.update(schema.look).where(_L.person == person).values(idx=index))

    def forget(self, person: str) -> None:
        """Forget how far a person has looked. Idempotent."""
        with self._database.write(lock=False) as connection:
            connection.execute(sa.delete(schema.look).where(_L.person == person))

    def arrived(  # noqa: PLR0913 - for whom, since when, and which page of it
        self, principal: Principal, now: str, *, me: str, above: int, below: int | None = None, limit: int = 50
    ) -> list[int]:
        """Return up to ``limit`` log indices of entries of others that ``principal`` may read, the newest first.

        For people of the node's own party ``me``: whatever any other party said. For others: what names them, or a group
        of theirs, among its readers; what everyone may read has not arrived for anybody in particular.
        """
        audiences = self._foreign(principal, now, me)
        within = (_E.idx > above, _E.idx < (_MOST if below is None else below))
        newest = sa.select(_E.idx).order_by(_E.idx.desc()).limit(limit)
        with self._database.read() as connection:
            if len(audiences) > _APART:
                among = _E.audience.in_(listed(audiences, self._database.engine.dialect.name))
                return list(connection.execute(newest.where(among, *within)).scalars())
            # One short walk of the index for each audience, however much of one's own stands in between.
            found: list[int] = []
            for each in audiences:
                found += connection.execute(newest.where(_E.audience == each, *within)).scalars()
        return sorted(found, reverse=True)[:limit]

    def count(self, principal: Principal, now: str, *, me: str, above: int, most: int = 1000) -> int:
        """Return how many have arrived above an index, at most ``most`` + 1."""
        left = most + 1
        audiences = self._foreign(principal, now, me)
        pieces = [[each] for each in audiences] if len(audiences) <= _APART else [audiences]
        with self._database.read() as connection:
            for each in pieces:
                among = _E.audience.in_(listed(each, self._database.engine.dialect.name))
                some = sa.select(_E.idx).where(among, _E.idx > above).limit(left).subquery()
                left -= int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())
                if left <= 0:
                    break
        return most + 1 - max(left, 0)

    def readable(self, entries: Sequence[str], principal: Principal, now: str) -> dict[str, int]:
        """Return, of ``entries`` (ids), those that ``principal`` may read, each with its log index."""
        hashes = [bytes.fromhex(each.removeprefix("sha-256:")) for each in entries]
        visible, found = self._audiences.visible(principal, now), dict[str, int]()
        with self._database.read() as connection:
            for start in range(0, len(hashes), 500):
                # The audience is compared here: in the statement it would lure SQLite into walking all of an audience.
                wanted = sa.select(_E.entry, _E.idx, _E.audience).where(_E.entry.in_(hashes[start : start + 500]))
                for entry, idx, audience in connection.execute(wanted):
                    if audience in visible:
                        found[f"sha-256:{bytes(entry).hex()}"] = idx
        return found

    def _foreign(self, principal: Principal, now: str, me: str) -> list[str]:
        """Return the audiences of others' records that have arrived for ``principal``."""
        chosen = []
        for name in self._audiences.visible(principal, now):
            known = self._audiences.get(name)
            named = known.audience.readers is not None or principal.party == me
            if known.issuer != (principal.party or me) and named:
                chosen.append(name)
        return sorted(chosen)

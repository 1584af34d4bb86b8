"""Which audiences there are, and which of them somebody may read: asked before any record or registry is looked at.

Every entry carries the id of its audience; what the id stands for is kept here, so that one look-up by a principal gives
the ids that its reads are confined to.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import sqlalchemy as sa

from tongqiu.record import cbor
from tongqiu.record.audience import Audience, Principal, permits
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text
from tongqiu.record.types import ready
from tongqiu.store import schema

if TYPE_CHECKING:
    from tongqiu.store.database import Database


class Known(NamedTuple):
    """An audience and the issuer whose records it is for."""

    audience: Audience
    issuer: str


class Audiences:
    """The audiences of one store; those seen once are remembered, because they never change."""

    def __init__(self, database: Database) -> None:
        """Read them from ``database``."""
        self._database = database
        self._known: dict[str, Known] = {}
        self._last = -1
        self._lock = threading.Lock()

    def id_of(self, audience: Audience, issuer: str) -> str:
        """Return the id (64 hex digits) of ``audience`` for records of ``issuer``, noting it durably if it is new."""
        data = cbor.dumps(msgspec.to_builtins(audience))
        name = hashlib.sha256(cbor.dumps([msgspec.to_builtins(audience), issuer])).hexdigest()
        if name in self._known:
            return name
        table = schema.audience
        with self._database.read() as connection:
            found = connection.execute(sa.select(table.c.id).where(table.c.id == name)).first()
        if found is None:
            with self._database.write() as connection:
                if connection.execute(sa.select(table.c.id).where(table.c.id == name)).first() is None:
                    connection.execute(sa.insert(table).values(id=name, issuer=issuer, audience=data))
        with self._lock:
            self._known = {**self._known, name: Known(audience, issuer)}
        return name

    def get(self, name: str) -> Known:
        """Return what an id stands for. Raises Missing (``store.no-audience``)."""
        if name not in self._known:
            self._learn()
        try:
            return self._known[name]
        except KeyError:
            raise Missing(
                "store.no-audience",
                Text(en="No such audience is known here.", zh="此处没有该受众。"),
                do=Text(en="Name an audience that was registered.", zh="请指定已登记的受众。"),
                where=name[:64],
            ) from None

    def visible(self, principal: Principal, now: str) -> frozenset[str]:
        """Return the ids that ``principal`` may read at ``now`` (RFC 3339 UTC)."""
        self._learn()
        return frozenset(
            name for name, known in self._known.items() if permits(known.audience, known.issuer, principal, now)
        )

    def _learn(self) -> None:
        """Read those that were added since the last time."""
        table = schema.audience
        with self._lock:
            with self._database.read() as connection:
                found = connection.execute(
                    sa.select(table).where(table.c.number > self._last).order_by(table.c.number)
                ).all()
            # A new dictionary, so that another thread never walks one that grows.
            known = dict(self._known)
            for each in found:
                plain = cbor.loads(bytes(each.audience))
                known[each.id] = Known(msgspec.convert(plain, ready(Audience)), each.issuer)
                self._last = each.number
            self._known = known

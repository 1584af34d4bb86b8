"""Reading a store without touching it, for the check that derives everything again from the entries.

Opened here, a database cannot be written to: no migration, no scrub, not even the tidying that the last reader of a
write-ahead file does. All of it is seen in one state, however long the check takes and whoever writes meanwhile.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event

from tongqiu.record.faults import Refused
from tongqiu.record.text import Text
from tongqiu.store import database as databases
from tongqiu.store import fold, schema
from tongqiu.store.backend import not_standing
from tongqiu.store.database import FILE, WAIT, Database
from tongqiu.store.fold import STEP, Piece, Target
from tongqiu.store.keys import piece_of
from tongqiu.store.migrations import REVISIONS
from tongqiu.store.rows import Rows, cut
from tongqiu.store.shape import shape_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tongqiu.practice import View
    from tongqiu.store.keys import Fate, Keys

_E = schema.entry.c
_PIECE = 500


class Pair(NamedTuple):
    """One line of an index of entries: a hash, and the entry that names it."""

    digest: bytes
    at: int


class Odd(NamedTuple):
    """A row of a registry that is not what the entries say: which registry, and which entry it comes from."""

    view: str
    at: int


class Kept:
    """Everything a store keeps, in one state."""

    def __init__(self, connection: sa.Connection, keys: Keys) -> None:
        """Look through ``connection`` and ``keys``, which :func:`untouched` opened."""
        self._connection = connection
        self._keys = keys
        self.rows = Rows(connection, keys)

    def integrity(self) -> str:
        """Return what the database itself finds wrong with its file, or nothing; PostgreSQL has no such check."""
        if self._connection.dialect.name != "sqlite":
            return ""
        found = str(self._connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
        return "" if found == "ok" else found

    def count(self, table: sa.Table) -> int:
        """Return how many rows a table has."""
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())

    def pairs(self, table: sa.Table) -> Iterator[Pair]:
        """Yield the lines of ``schema.ref`` or ``schema.file`` in order of entries."""
        digest = table.c[0]
        for each in self._stream(sa.select(digest, table.c.idx).order_by(table.c.idx, digest)):
            yield Pair(bytes(each[0]), each[1])

    def audiences(self) -> dict[str, tuple[str, bytes]]:
        """Return issuer and written audience by id."""
        table = schema.audience.c
        return {
            each[0]: (each[1], bytes(each[2]))
            for each in self._stream(sa.select(table.id, table.issuer, table.audience))
        }

    def corrections(self) -> Iterator[tuple[bytes, int, str, str]]:
        """Yield ``(entry, by, issuer, kind)`` of each note of a withdrawal or replacement."""
        table = schema.gone.c
        for each in self._stream(sa.select(table.entry, table.by, table.issuer, table.kind).order_by(table.by)):
            yield bytes(each[0]), each[1], each[2], each[3]

    def done(self) -> Iterator[tuple[str, tuple[bytes, ...]]]:
        """Yield each note of work done, and the entries it led to."""
        for each in self._stream(sa.select(schema.done.c.key, schema.done.c.entries)):
            yield each[0], cut(each[1])

    @cached_property
    def revived(self) -> frozenset[int]:
        """Return the entries whose content an older copy of the store brought back, under keys destroyed since."""
        spent = {each[0] for each in self._stream(sa.select(schema.spent.c.slot))}
        gone, content = sorted(set(self._keys.destroyed()) - spent), schema.content.c
        found: set[int] = set()
        for start in range(0, len(gone), _PIECE):
            wanted = sa.select(content.idx).where(content.slot.in_(gone[start : start + _PIECE]))
            found.update(self._connection.execute(wanted).scalars())
        return frozenset(found)

    def lost(self, index: int) -> bool:
        """Tell whether the content of an entry is kept while its key is neither there nor destroyed."""
        found = self._connection.execute(sa.select(schema.content.c.slot).where(schema.content.c.idx == index)).scalar()
        return found is not None and self._keys.look(found)[0] == "lost"

    def files(self) -> Iterator[tuple[bytes, Fate]]:
        """Yield the digest of each kept file, and whether its bytes have that digest and the length noted."""
        blob = schema.blob.c
        for digest, size, slot in self._stream(sa.select(blob.digest, blob.size, blob.slot).order_by(blob.digest)):
            state, length, pieces, fate = hashlib.sha256(), 0, 0, self._keys.look(slot)[0]
            chunk = schema.chunk.c
            wanted = sa.select(chunk.number, chunk.bytes).where(chunk.digest == digest).order_by(chunk.number)
            for number, sealed in self._stream(wanted, 4):
                piece = self._keys.open(slot, piece_of(bytes(digest), number), bytes(sealed)).data or b""
                state.update(piece)
                length += len(piece)
                pieces += number == pieces
            held = -(-size // schema.CHUNK) == pieces and length == size and state.digest() == bytes(digest)
            yield bytes(digest), "whole" if held else "destroyed" if fate == "destroyed" else "lost"

    def unspent(self) -> int | None:
        """Return the first slot whose key an erasure was to destroy and which is still there, or None."""
        found = self._stream(sa.select(schema.spent.c.slot).order_by(schema.spent.c.slot))
        return next((each[0] for each in found if self._keys.look(each[0])[0] == "whole"), None)

    def stray_pieces(self) -> int:
        """Return how many pieces of files there are that belong to no kept file."""
        lost = ~sa.exists().where(schema.blob.c.digest == schema.chunk.c.digest)
        return int(
            self._connection.execute(sa.select(sa.func.count()).select_from(schema.chunk).where(lost)).scalar_one()
        )

    def odd_rows(self, views: Sequence[View], tell: Callable[[int, int], None]) -> Odd | None:
        """Fold the entries again, in a place of their own, and return the first registry row that differs, or None.

        ``tell`` hears how many registries are done, of how many.
        """
        for number, view in enumerate(views):
            tell(number, len(views))
            found = self._odd_row(view)
            if found is not None:
                return found
        tell(len(views), len(views))
        return None

    def _odd_row(self, view: View) -> Odd | None:
        table = table_of(view)
        place = self._connection.execute(sa.select(schema.view).where(schema.view.c.tbl == table.name)).first()
        if place is None or place.shape != shape_of(view):
            # Not made yet, or of another version: it is made anew when the node next starts.
            return None
        # A file without a name, gone when it is closed: a registry may be larger than memory.
        beside = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(""))
        with beside.connect() as connection:
            table.create(connection)
            self._fold(Target(view, table), place.position, connection)
            ordered = sa.select(table).order_by(table.c["_key"], table.c["_seq"])
            again = iter(connection.execution_options(yield_per=1024).execute(ordered))
            # What an older copy brought back is forgotten again at the next start, rows and all.
            kept = (row for row in self._stream(ordered) if row[1] not in self.revived)
            while True:
                expected, found = next(again, None), next(kept, None)
                if expected is None and found is None:
                    break
                if expected is None or found is None or tuple(expected) != tuple(found):
                    first = min((each for each in (expected, found) if each is not None), key=lambda row: bytes(row[0]))
                    return Odd(view.name, int(first[1]))
        beside.dispose()
        return None

    def _fold(self, target: Target, position: int, beside: sa.Connection) -> None:
        name, first = target.table.name, -1
        columns = [column.name for column in target.table.columns]
        while first < position:
            piece = Piece({name: (first, "")}, min(first + STEP, position), {name: []}, [])
            piece = fold.folded(self.rows, [target], piece, first)
            outside = sa.select(_E.idx).where(
                _E.idx > first, _E.idx <= piece.stop, sa.or_(_E.erased.is_(True), not_standing())
            )
            left_out = set(self._connection.execute(outside).scalars())
            values = [dict(zip(columns, row, strict=True)) for row in piece.rows[name] if row[1] not in left_out]
            if values:
                beside.execute(sa.insert(target.table), values)
            first = piece.stop

    def _stream(self, wanted: sa.Select[Any], size: int = 1024) -> Iterator[Any]:
        options = self._connection.execution_options(stream_results=True, yield_per=size)
        return iter(options.execute(wanted))


@contextmanager
def untouched(where: Path | str, *, keys: Path | None = None, wait: float = WAIT) -> Iterator[Kept]:
    """Lend everything that is kept in the folder or PostgreSQL database ``where``, which stays as it is.

    ``keys`` as for :func:`tongqiu.store.house.open_store`. Raises Missing (``store.none``, ``store.no-keys``), Malformed
    (``store.foreign``, ``store.url``, ``store.keys``), Refused (``store.newer``, and ``store.older`` where the store must first be brought to the present shape), Unproven (``log.corrupt``), Unreachable.
    """
    if isinstance(where, str) and "://" in where:
        database = databases.by_url(where, keys=databases.keys_for_url(keys), create=False, wait=wait)
    else:
        database = _read_only(Path(where), wait, keys)
    try:
        found = database.keys
        with database.read() as connection:
            if not database.sqlite:
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield Kept(connection, found)
    finally:
        database.close()


def _read_only(folder: Path, wait: float, keys: Path | None) -> Database:
    path = folder / FILE
    if not path.is_file() or path.stat().st_size == 0:
        raise databases.none(str(folder))
    databases.check_header(path)
    address = path.absolute().as_uri() + "?mode=ro"
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None),
        poolclass=sa.pool.NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", databases._begin)  # noqa: SLF001 - the same room
    database = Database(engine, str(path), wait=wait, keys=keys)
    if databases._revision(database, create=False) != REVISIONS[-1]:  # noqa: SLF001 - the same room
        raise Refused(
            "store.older",
            Text(en="The store was written by an older version of this software.", zh="该存储由本软件的较早版本写成。"),
            do=Text(
                en="Start the node once, which brings it to the present shape, and check again.",
                zh="请先启动一次节点以更新其结构，然后再检查。",
            ),
            where=str(path),
        )
    return database

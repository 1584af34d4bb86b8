"""Looking into a kept log through one open transaction: entries, tiles and notes, as they stand there.

The single look-ups that an append makes by the thousand go straight to the driver; everything else is SQLAlchemy Core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from tongqiu.ledger.backend import Columns, Done, Head, Row, Tile, Where
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text
from tongqiu.store import schema
from tongqiu.store.disk import damaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.store.keys import Fate, Keys, Opened

_E, _C = schema.entry.c, schema.content.c
_ALL = sa.select(schema.entry, _C.slot, _C.sealed).select_from(schema.entry.outerjoin(schema.content, _E.idx == _C.idx))


_BYTES = (bytes, memoryview)
_HEAD: tuple[tuple[type, ...], ...] = ((str,), (int,), _BYTES, _BYTES, (str,), (int,))
"""What the columns of the head are; SQLite keeps any sort of value in any column, and so shows whatever a page holds."""


class Rows:
    """A :class:`tongqiu.ledger.backend.Reading` of what one connection sees."""

    def __init__(self, connection: sa.Connection, keys: Keys) -> None:
        """Read through ``connection``, whose transaction the caller holds open, with the keys of the contents."""
        self.connection = connection
        self.keys = keys
        self._cursor = connection.connection.cursor()
        self._mark = "?" if connection.dialect.name == "sqlite" else "%s"
        self._finding = "SELECT idx FROM entry WHERE entry = ?".replace("?", self._mark)
        self._head: Head | None = None

    def head(self) -> Head:
        """Return the head; read once, because this transaction sees one state.

        Raises Unproven (``log.corrupt``) where a disk gave back a page that it was never given: no head, or no values of
        its sorts.
        """
        if self._head is None:
            found = self._one("SELECT origin, size, root, frontier, logged_at, epoch FROM head")
            if found is None or not all(isinstance(*each) for each in zip(found, _HEAD, strict=True)):
                raise damaged("head")
            self._head = Head(found[0], found[1], bytes(found[2]), cut(found[3]), found[4], found[5])
        return self._head

    def row(self, index: int) -> Row:
        """Return the row at ``index``. Raises Missing (``log.no-entry``)."""
        found = self.connection.execute(_ALL.where(_E.idx == index)).first() if _whole(index) else None
        if found is None:
            raise Missing(
                "log.no-entry",
                Text(en="The log has no entry {index}.", zh="日志中没有第 {index} 条。"),
                do=Text(en="Name an entry that the log has.", zh="请指定日志中已有的条目。"),
                index=index,
            )
        return self._row_of(found)

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows from ``start`` to before ``stop`` that exist, in order."""
        within = sa.and_(_E.idx >= _clamp(start), _E.idx < _clamp(stop))
        return tuple(map(self._row_of, self.connection.execute(_ALL.where(within).order_by(_E.idx))))

    def find(self, entry: bytes) -> int | None:
        """Return the index of an entry hash, or None."""
        # Asked twice for every entry that is logged: nothing between this and the driver.
        self._cursor.execute(self._finding, (entry,))
        found = self._cursor.fetchone()
        return None if found is None else int(found[0])

    def select(self, where: Where, *, after: int = -1, limit: int = 1000) -> Sequence[Row]:
        """Return up to ``limit`` matching rows with an index above ``after``, in order."""
        wanted = _ALL.where(*conditions(where, self.connection.dialect.name), _E.idx > _clamp(after))
        return tuple(map(self._row_of, self.connection.execute(wanted.order_by(_E.idx).limit(limit))))

    def done(self, key: str) -> Done | None:
        """Return what was noted under ``key``, or None."""
        found = self._one("SELECT entries FROM done WHERE key = ?", key)
        return None if found is None else Done(key, cut(found[0]))

    def tile(self, level: int, number: int) -> bytes:
        """Return the hashes of a tile as far as it has grown, or nothing."""
        found = self._one("SELECT hashes FROM tile WHERE level = ? AND number = ?", level, number)
        return b"" if found is None else bytes(found[0])

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the entry hashes from ``start`` to before ``stop`` that exist, in order."""
        within = sa.and_(_E.idx >= _clamp(start), _E.idx < _clamp(stop))
        found = self.connection.execute(sa.select(_E.entry).where(within).order_by(_E.idx))
        return tuple(bytes(each[0]) for each in found)

    def noted(self, name: str) -> str | None:
        """Return a note of the store to itself, or None."""
        found = self._one("SELECT value FROM state WHERE name = ?", name)
        return None if found is None else str(found[0])

    def has_file(self, digest: bytes) -> bool:
        """Tell whether the file with this SHA-256 is staged."""
        return self._one("SELECT 1 FROM blob WHERE digest = ?", digest) is not None

    def write(self, table: sa.Table, values: Iterable[tuple[Any, ...]]) -> None:
        """Insert rows given in the order of the table's columns."""
        rows = list(values)
        if rows:
            quote = self.connection.dialect.identifier_preparer
            names = ", ".join(quote.quote(column.name) for column in table.columns)
            marks = ", ".join(self._mark for _ in table.columns)
            sql = f"INSERT INTO {quote.format_table(table)} ({names}) VALUES ({marks})"  # noqa: S608 - own names
            self._cursor.executemany(sql, rows)

    def write_head(self, head: Head) -> None:
        """Make ``head`` the end of the log; its epoch is not written."""
        kept = (head.origin, head.size, head.root, b"".join(head.frontier), head.logged_at)
        self._run("UPDATE head SET origin = ?, size = ?, root = ?, frontier = ?, logged_at = ?", *kept)

    def write_tile(self, tile: Tile) -> None:
        """Keep a tile in place of the shorter one."""
        self._run(
            "INSERT INTO tile (level, number, hashes) VALUES (?, ?, ?)"
            " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
            tile.level,
            tile.number,
            tile.hashes,
        )

    def fate(self, index: int) -> Fate | None:
        """Return what has become of the content of an entry, None where none is kept."""
        found = self._one(
            "SELECT entry.entry, slot, sealed FROM content JOIN entry ON entry.idx = content.idx WHERE content.idx = ?",
            index,
        )
        return None if found is None else opened(self.keys, *found).fate

    def write_content(self, rows: Sequence[Row]) -> None:
        """Keep what was sealed, and its salt, each under a key of its own, which is durable before this is."""
        held = [row for row in rows if row.content is not None and row.salt is not None]
        sealed = self.keys.seal((row.entry, row.salt + row.content) for row in held)  # type: ignore[operator]
        self.write(schema.content, ((row.index, *each) for row, each in zip(held, sealed, strict=True)))
        if sealed:
            self.note_slots(max(slot for slot, _ in sealed))

    def note_slots(self, last: int) -> None:
        """Note that the key file has slots up to ``last``: an older copy of it, put back, is known by that."""
        self._run(
            "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            " WHERE CAST(state.value AS BIGINT) < CAST(excluded.value AS BIGINT)",
            schema.SLOTS,
            str(last + 1),
        )

    def _row_of(self, found: Any) -> Row:  # noqa: ANN401 - a row of the select above
        """Return one selected row as the value the log knows.

        Content whose key was destroyed counts as erased even where an older copy of the store says otherwise.
        """
        columns = Columns(
            found.kind, found.subject, found.issuer, found.audience, found.thread, cut(found.refs), cut(found.files)
        )
        content = salt = None
        erased = bool(found.erased)
        if found.slot is not None:
            kept = self.keys.open(found.slot, bytes(found.entry), bytes(found.sealed))
            if kept.data is not None:
                salt, content = kept.data[: schema.HASH], kept.data[schema.HASH :]
            erased = erased or kept.fate == "destroyed"
        return Row(
            found.idx, bytes(found.entry), bytes(found.statement), content, salt, found.logged_at, columns, erased
        )

    def _one(self, sql: str, *values: object) -> Any:  # noqa: ANN401 - a row of the driver
        self._run(sql, *values)
        return self._cursor.fetchone()

    def _run(self, sql: str, *values: object) -> None:
        self._cursor.execute(sql.replace("?", self._mark), values)


def conditions(where: Where, dialect: str) -> list[sa.ColumnElement[bool]]:
    """Return ``where`` as conditions on the table ``entry``."""
    given: list[sa.ColumnElement[bool]] = [
        column == value
        for column, value in (
            (_E.kind, where.kind),
            (_E.subject, where.subject),
            (_E.thread, where.thread),
            (_E.issuer, where.issuer),
        )
        if value is not None
    ]
    if where.ref is not None:
        given.append(_E.idx.in_(sa.select(schema.ref.c.idx).where(schema.ref.c.ref == where.ref)))
    if where.audiences is not None:
        given.append(_E.audience.in_(listed(where.audiences, dialect)))
    return given


def listed(texts: Iterable[str], dialect: str) -> sa.Select[str]:
    """Return a select of ``texts``, however many, from one parameter."""
    given = sa.literal(msgspec.json.encode(sorted(texts)).decode(), sa.Text)
    if dialect == "sqlite":
        return sa.select(sa.func.json_each(given).table_valued("value").c.value)
    each = sa.func.json_array_elements_text(sa.cast(given, sa.JSON())).table_valued("value")
    return sa.select(each.c.value)


def opened(keys: Keys, entry: bytes, slot: int, sealed: bytes) -> Opened:
    """Return the content of an entry without its salt, or None and why it cannot be read."""
    found = keys.open(slot, bytes(entry), bytes(sealed))
    return found if found.data is None else found._replace(data=found.data[schema.HASH :])


def cut(kept: bytes) -> tuple[bytes, ...]:
    """Cut hashes that were kept one after the other into a tuple of 32-byte values."""
    data = bytes(kept)
    return tuple(data[at : at + schema.HASH] for at in range(0, len(data), schema.HASH))


def _whole(index: int) -> bool:
    return 0 <= index < 1 << 63


def _clamp(index: int) -> int:
    return max(-1, min(index, (1 << 63) - 1))

"""The log on disk: every batch in one flushed transaction, and erased content gone from every byte of every file.

Implements :class:`tongqiu.ledger.backend.Backend` over SQLite or PostgreSQL; what each method promises is said there.
"""

from __future__ import annotations

import io
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import msgspec
import sqlalchemy as sa

from tongqiu.ledger.backend import Batch, check_batch, check_epoch
from tongqiu.record import core
from tongqiu.record.digest import Digest
from tongqiu.record.faults import Fault, Malformed, Refused, Unreachable
from tongqiu.record.statement import read_content
from tongqiu.record.text import Text
from tongqiu.store import blobs, schema, search
from tongqiu.store.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tongqiu.ledger.backend import Done, Head, Reading, Row, Where
    from tongqiu.store.database import Database

T = TypeVar("T")

_TRIES = 4
_PIECE = 500
_UNSCRUBBED = "unscrubbed"
_WRITER = "writer"
_NOTED = sa.select(schema.state.c.value).where(schema.state.c.name == _UNSCRUBBED)
_UNDER_WAY = ("queued", "running")
_BLANK: dict[str, str | None] = {"args": "null", "note": "", "result": None, "fault": None}
"""What becomes of a job that is over when something is erased: that it ran stays, what it was given and said goes."""
_CORRECTIONS = (core.WITHDRAWAL.name, core.SUPERSESSION.name)


class SqlBackend:
    """One log in one database, shared by any number of threads and processes."""

    def __init__(self, database: Database, *, writer: str = "") -> None:
        """Keep the log in ``database``, which :mod:`tongqiu.store.database` opened.

        ``writer`` names the home that opens it; the first one that appends is noted, and from then on no other may, nor
        the same one after the store was copied to another place. Nothing is asked where it is empty.
        """
        self._database = database
        self._writer = f"{writer} {database.place()}" if writer else ""

    # --- reading ----------------------------------------------------------------------------------------------------

    def head(self) -> Head:
        """Return the current head."""
        with self._rows() as rows:
            return rows.head()

    def row(self, index: int) -> Row:
        """Return the row at ``index``. Raises Missing (``log.no-entry``)."""
        with self._rows() as rows:
            return rows.row(index)

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows from ``start`` to before ``stop`` that exist, in order."""
        with self._rows() as rows:
            return rows.rows(start, stop)

    def find(self, entry: bytes) -> int | None:
        """Return the index of an entry hash, or None."""
        with self._rows() as rows:
            return rows.find(entry)

    def select(self, where: Where, *, after: int = -1, limit: int = 1000) -> Sequence[Row]:
        """Return up to ``limit`` matching rows with an index above ``after``, in order."""
        with self._rows() as rows:
            return rows.select(where, after=after, limit=limit)

    def done(self, key: str) -> Done | None:
        """Return what was noted under ``key``, or None."""
        with self._rows() as rows:
            return rows.done(key)

    def tile(self, level: int, number: int) -> bytes:
        """Return the hashes of a tile as far as it has grown, or nothing."""
        with self._rows() as rows:
            return rows.tile(level, number)

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the entry hashes from ``start`` to before ``stop`` that exist, in order."""
        with self._rows() as rows:
            return rows.entries(start, stop)

    @contextmanager
    def _rows(self) -> Iterator[Rows]:
        with self._database.read() as connection:
            yield Rows(connection, self._database.keys)

    # --- writing ----------------------------------------------------------------------------------------------------

    def commit(self, plan: Callable[[Reading], tuple[Batch, T]], *, epoch: int) -> T:
        """Run ``plan`` under the write lock, write its batch and return its answer once it is flushed to disk."""
        for left in reversed(range(_TRIES)):
            try:
                with self._database.write() as connection:
                    rows = Rows(connection, self._database.keys)
                    check_epoch(epoch, rows.head().epoch)
                    noted = self._check_writer(rows)
                    batch, answer = plan(rows)
                    if batch.rows or batch.done or batch.erase:
                        check_batch(batch, rows, has_file=rows.has_file)
                        _write(connection, rows, batch)
                        if noted is None:
                            _note(connection, _WRITER, self._writer)
                    return answer
            except Unreachable as fault:
                if not left or not _asks_again(fault):
                    raise
        raise AssertionError("the last try returns or raises")

    def fence(self) -> int:
        """Raise the epoch by one, durably, and return it."""
        with self._database.write() as connection:
            connection.execute(sa.update(schema.head).values(epoch=schema.head.c.epoch + 1))
            return int(connection.execute(sa.select(schema.head.c.epoch)).scalar_one())

    def take_over(self) -> int:
        """Let the present writer append from now on, in place of the one that did, and return the new epoch.

        Durable. Whoever has this very store open is fenced; a copy of it elsewhere cannot be reached from here. Logs that
        are open keep their old epoch: open them again.
        """
        with self._database.write() as connection:
            connection.execute(sa.update(schema.head).values(epoch=schema.head.c.epoch + 1))
            _note(connection, _WRITER, self._writer)
            return int(connection.execute(sa.select(schema.head.c.epoch)).scalar_one())

    def _check_writer(self, rows: Rows) -> str | None:
        """Return the note of who appends here, "" where nobody asks. Raises Refused (``log.copied``) for another."""
        if not self._writer:
            return ""
        noted = rows.noted(_WRITER)
        if noted not in {None, self._writer}:
            raise Refused(
                "log.copied",
                Text(
                    en="This is a copy of a node, or a store moved to another place; both writing would split the log.",
                    zh="这是节点的副本，或存储已被移到别处；若两者都写入，日志将分叉。",
                ),
                do=Text(
                    en="Write with the original. If it is gone for good, run: tongqiu take-over",
                    zh="请用原节点写入。若原节点已永久停用，请运行：tongqiu take-over",
                ),
                where=self._database.where,
            )
        return noted

    # --- files ------------------------------------------------------------------------------------------------------

    def stage(self, stream: BinaryIO, *, limit: int) -> tuple[bytes, int]:
        """Keep the bytes of ``stream`` under their SHA-256; durable on return. Raises Refused (``log.file-size``)."""
        with blobs.received(stream, limit=limit) as (kept, digest, size), self._database.write() as connection:
            blobs.keep(Rows(connection, self._database.keys), kept, digest, size, now=time.time())
        return digest, size

    def blob(self, digest: bytes) -> BinaryIO:
        """Open a staged file at its beginning. Raises Missing (``log.no-file``), also while reading if it is erased."""
        return io.BufferedReader(blobs.Stored(self._database, digest), schema.CHUNK)

    # --- forgetting -------------------------------------------------------------------------------------------------

    def scrub(self) -> None:
        """Leave no erased byte in any file, and no key to one that is elsewhere.

        First every key is destroyed that an erasure spent; an older copy of the key file that was put back loses them
        again, too. What an older copy of the *store* brought back is then erased once more, because its key is gone. Then,
        where anything was erased since the last time, the database is rewritten without free pages and the write-ahead
        file emptied. Raises Unreachable (``log.storage``) while a reader keeps an old state open; nothing is lost then, and
        the next call tries again.
        """
        keys = self._database.keys
        # The file before the notes: what is destroyed was noted before, so that nothing is taken for an older copy.
        gone = set(keys.destroyed())
        with self._database.read() as connection:
            noted: str | None = connection.execute(_NOTED).scalar()
            spent = set(connection.execute(sa.select(schema.spent.c.slot)).scalars())
            stale = connection.execute(blobs.stale(time.time()).limit(1)).first()
        keys.destroy(sorted(spent - gone))
        if stale is not None or gone - spent:
            with self._database.write() as connection:
                noted = self._forget_again(Rows(connection, keys), sorted(gone - spent))
            self.scrub()
            return
        if noted is None:
            return
        with self._database.outside() as connection:
            if self._database.sqlite:
                self._scrub_sqlite(connection)
            else:
                # What the server keeps besides (its own write-ahead log, replicas) is the operator's: see the spec page.
                connection.exec_driver_sql("VACUUM FULL")
        with self._database.write() as connection:
            connection.execute(
                sa.delete(schema.state).where(schema.state.c.name == _UNSCRUBBED, schema.state.c.value == noted)
            )

    @staticmethod
    def _forget_again(rows: Rows, slots: Sequence[int]) -> str:
        """Erase what lies under keys that are gone, note those that lie under none, and drop files nobody took up."""
        connection, content, blob = rows.connection, schema.content.c, schema.blob.c
        for start in range(0, len(slots), _PIECE):
            chosen = slots[start : start + _PIECE]
            if again := connection.execute(sa.select(content.idx).where(content.slot.in_(chosen))).scalars().all():
                _erase(rows, tuple(again))
            files = sa.select(blob.digest).where(blob.slot.in_(chosen))
            blobs.drop(connection, connection.execute(files).scalars().all())
            noted = sa.select(schema.spent.c.slot).where(schema.spent.c.slot.in_(chosen))
            missing = set(chosen) - set(connection.execute(noted).scalars())
            if missing:
                connection.execute(sa.insert(schema.spent), [{"slot": slot} for slot in sorted(missing)])
        blobs.drop(connection, connection.execute(blobs.stale(time.time())).scalars().all())
        return _mark_unscrubbed(connection)

    def _scrub_sqlite(self, connection: sa.Connection) -> None:
        # A temporary file here is unlinked at once and holds only what still exists; memory could not hold a large log.
        connection.exec_driver_sql("PRAGMA temp_store=FILE")
        try:
            connection.exec_driver_sql("VACUUM")
        finally:
            connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
        busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            raise Unreachable(
                "log.storage",
                Text(
                    en="Erased bytes are still in the write-ahead file, because somebody is reading an older state.",
                    zh="有读者仍在读取旧状态，预写文件中尚有已删除的字节。",
                ),
                do=Text(en="End long reads and scrub again.", zh="请结束长时间的读取后再次清理。"),
                where=self._database.where,
            )

    def close(self) -> None:
        """Give back what the backend holds open; further calls raise Unreachable. Idempotent."""
        self._database.close()


def _write(connection: sa.Connection, rows: Rows, batch: Batch) -> None:
    rows.write(
        schema.entry,
        (
            (
                row.index,
                row.entry,
                row.statement,
                row.logged_at,
                row.columns.kind,
                row.columns.subject,
                row.columns.issuer,
                row.columns.audience,
                row.columns.thread,
                b"".join(row.columns.refs),
                b"".join(row.columns.files),
                False,
            )
            for row in batch.rows
        ),
    )
    rows.write_content(batch.rows)
    rows.write(schema.ref, ((each, row.index) for row in batch.rows for each in dict.fromkeys(row.columns.refs)))
    rows.write(schema.file, ((each, row.index) for row in batch.rows for each in dict.fromkeys(row.columns.files)))
    rows.write(schema.done, ((done.key, b"".join(done.entries)) for done in batch.done))
    for tile in batch.tiles:
        rows.write_tile(tile)
    _correct(connection, rows, batch.rows)
    # A piece at a time: SQLite takes some thousands of values in one statement.
    for start in range(0, len(batch.erase), _PIECE):
        _erase(rows, batch.erase[start : start + _PIECE])
    rows.write_head(batch.head)


def _correct(connection: sa.Connection, rows: Rows, new: Sequence[Row]) -> None:
    """Note what the new rows withdraw or supersede, and take the rows of those entries out of every registry.

    Only an issuer's own records go: the note names the issuer, and readers of it compare (:func:`not_standing`).
    """
    notes = [
        (target, row.index, row.columns.issuer, row.columns.kind)
        for row in new
        if row.columns.kind in _CORRECTIONS and row.content is not None and (target := _target(row)) is not None
    ]
    if notes:
        rows.write(schema.gone, notes)
        own = [
            index
            for target, _, issuer, _ in notes
            if (index := rows.find(target)) is not None and rows.row(index).columns.issuer == issuer
        ]
        _drop_view_rows(connection, own)


def _target(row: Row) -> bytes | None:
    """Return the entry that a correction names, or None for a body that is not one: it then corrects nothing."""
    try:
        said = read_content(row.content or b"").body
        if row.columns.kind == core.WITHDRAWAL.name:
            return Digest.parse(core.WITHDRAWAL.read(said).entry).value
        return Digest.parse(core.SUPERSESSION.read(said).old).value
    except Malformed:
        return None


def not_standing() -> sa.ColumnElement[bool]:
    """Return the condition on ``entry`` that its own issuer withdrew or superseded it."""
    return sa.exists().where(schema.gone.c.entry == schema.entry.c.entry, schema.gone.c.issuer == schema.entry.c.issuer)


def _erase(rows: Rows, indices: tuple[int, ...]) -> None:
    connection, chosen = rows.connection, list(indices)
    _drop_drafts(rows, chosen)
    named = sa.select(schema.file.c.digest).where(schema.file.c.idx.in_(chosen)).distinct()
    digests = connection.execute(named).scalars().all()
    connection.execute(sa.update(schema.entry).where(schema.entry.c.idx.in_(chosen)).values(erased=True))
    blobs.spend(connection, sa.select(schema.content.c.slot).where(schema.content.c.idx.in_(chosen)))
    connection.execute(sa.delete(schema.content).where(schema.content.c.idx.in_(chosen)))
    connection.execute(sa.update(schema.job).where(schema.job.c.state.not_in(_UNDER_WAY)).values(**_BLANK))
    connection.execute(sa.delete(schema.problem).where(schema.problem.c.idx.in_(chosen)))
    _drop_view_rows(connection, chosen)
    search.scrub(connection)
    blobs.drop(connection, [digest for digest in digests if not blobs.needed(connection, digest)])
    _mark_unscrubbed(connection)


def _drop_drafts(rows: Rows, indices: Sequence[int]) -> None:
    """Drop the unfinished forms of anybody that name one of these entries, or what it is about."""
    forms = sa.select(schema.draft.c.id, schema.draft.c.form)
    drafts = rows.connection.execute(forms).all()
    if not drafts:
        return
    names: set[str] = set()
    for row in (rows.row(index) for index in indices):
        names.add(row.entry.hex())
        try:
            subject = read_content(row.content or b"").subject
        except Malformed:
            continue
        # As JSON writes them, whole, so that a short name is not found in every word.
        names |= {msgspec.json.encode(each).decode() for each in (subject.id, subject.name, subject.digest) if each}
    gone = [each.id for each in drafts if any(name in each.form for name in names)]
    for start in range(0, len(gone), _PIECE):
        named = schema.draft.c.id.in_(gone[start : start + _PIECE])
        rows.connection.execute(sa.delete(schema.draft).where(named))


def _drop_view_rows(connection: sa.Connection, indices: Sequence[int]) -> None:
    """Take the rows of these entries out of every registry there is, those of other versions and half-built ones too."""
    if indices:
        search.forget(connection, indices)
        for name in connection.execute(sa.select(schema.view.c.tbl)).scalars().all():
            seq: sa.ColumnClause[Any] = sa.column("_seq")
            connection.execute(sa.delete(sa.table(name, seq)).where(seq.in_(indices)))


def _mark_unscrubbed(connection: sa.Connection) -> str:
    """Note, in the same transaction, that erased bytes lie in free pages; a new note, so that no scrub in hand clears it."""
    return _note(connection, _UNSCRUBBED, str(time.time_ns()))


def _note(connection: sa.Connection, name: str, value: str) -> str:
    connection.execute(sa.delete(schema.state).where(schema.state.c.name == name))
    connection.execute(sa.insert(schema.state).values(name=name, value=value))
    return value


def _asks_again(fault: Fault) -> bool:
    """Tell whether PostgreSQL gave up a transaction that may simply be run again (serialisation, deadlock)."""
    original = getattr(fault.__cause__, "orig", fault.__cause__)
    return getattr(original, "sqlstate", None) in {"40001", "40P01"}


__all__ = ["SqlBackend", "not_standing"]

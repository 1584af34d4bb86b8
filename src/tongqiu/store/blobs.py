"""Files that belong to records: received in constant memory, kept in pieces beside the content, erased with it."""

from __future__ import annotations

import hashlib
import io
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import sqlalchemy as sa

from tongqiu.record.faults import Missing, Refused, Unproven
from tongqiu.record.text import Text
from tongqiu.store import schema
from tongqiu.store.disk import fault_of
from tongqiu.store.keys import enciphered, piece_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.store.database import Database
    from tongqiu.store.rows import Rows

KEEP_SECONDS = 24 * 3600.0
"""How long a staged file waits for a record that names it."""

_SPOOL = 1 << 20


@contextmanager
def received(stream: BinaryIO, *, limit: int) -> Iterator[tuple[BinaryIO, bytes, int]]:
    """Lend a rewound copy of ``stream`` with its SHA-256 and length, before any lock is taken.

    Beyond 1 MiB the copy is a file without a name, so that a crash leaves nothing behind. Raises Refused
    (``log.file-size``) beyond ``limit`` bytes, Unreachable (``log.storage``) when the disk is full.
    """
    state, size = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as kept:
        while piece := stream.read(schema.CHUNK):
            size += len(piece)
            if size > limit:
                raise Refused(
                    "log.file-size",
                    Text(en="The file is longer than {limit} bytes.", zh="文件超过 {limit} 字节。"),
                    do=Text(en="Attach a smaller file, or its digest alone.", zh="请附较小的文件，或仅附其摘要。"),
                    limit=limit,
                )
            state.update(piece)
            try:
                kept.write(piece)
            except OSError as error:
                raise fault_of(error, tempfile.gettempdir()) from error
        kept.seek(0)
        yield kept, state.digest(), size  # type: ignore[misc]


def keep(rows: Rows, kept: BinaryIO, digest: bytes, size: int, *, now: float) -> None:
    """Write a received file in enciphered pieces, or note anew that it is wanted where it is there already."""
    connection = rows.connection
    again = sa.update(schema.blob).where(schema.blob.c.digest == digest).values(staged_at=now)
    if connection.execute(again).rowcount:
        return
    ((slot, key),) = rows.keys.take(1)
    rows.note_slots(slot)
    connection.execute(sa.insert(schema.blob).values(digest=digest, size=size, staged_at=now, slot=slot))
    number = 0
    while piece := kept.read(schema.CHUNK):
        sealed = enciphered(key, piece_of(digest, number), piece)
        connection.execute(sa.insert(schema.chunk).values(digest=digest, number=number, bytes=sealed))
        number += 1


def needed(connection: sa.Connection, digest: bytes) -> bool:
    """Tell whether a record that is not erased carries the file."""
    return bool(connection.execute(sa.select(_carried(sa.literal(digest, sa.LargeBinary)))).scalar())


def stale(now: float) -> sa.Select[bytes]:
    """Return a select of the files that no record took up in time."""
    old = schema.blob.c.staged_at < now - KEEP_SECONDS
    return sa.select(schema.blob.c.digest).where(old, ~_carried(schema.blob.c.digest))


def drop(connection: sa.Connection, digests: Sequence[bytes]) -> None:
    """Take these files out, and note that their keys are to be destroyed."""
    for digest in digests:
        spend(connection, sa.select(schema.blob.c.slot).where(schema.blob.c.digest == digest))
        connection.execute(sa.delete(schema.chunk).where(schema.chunk.c.digest == digest))
        connection.execute(sa.delete(schema.blob).where(schema.blob.c.digest == digest))


def spend(connection: sa.Connection, slots: sa.Select[int]) -> None:
    """Note, in the transaction that erases, which keys are to be destroyed once it is durable."""
    known = sa.select(schema.spent.c.slot)
    found = slots.subquery().c[0]
    connection.execute(
        sa.insert(schema.spent).from_select(["slot"], sa.select(found).where(found.not_in(known)).distinct())
    )


def _carried(digest: sa.ColumnElement[bytes]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        schema.file.c.digest == digest, schema.file.c.idx == schema.entry.c.idx, schema.entry.c.erased.is_(False)
    )


class Stored(io.RawIOBase):
    """A kept file as a stream; every piece is looked up when it is read, so that erasing ends the reading."""

    def __init__(self, database: Database, digest: bytes) -> None:
        """Open it. Raises Missing (``log.no-file``)."""
        super().__init__()
        self._database = database
        self._digest = digest
        self._at = 0
        with database.read() as connection:
            found = connection.execute(sa.select(schema.blob.c.size).where(schema.blob.c.digest == digest)).scalar()
        if found is None:
            raise self._missing()
        self._size = int(found)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place, never outside the file."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, min(start + offset, self._size))
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill ``buffer`` from one piece. Raises Missing (``log.no-file``) once the file is erased."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._at >= self._size or not len(view):
            return 0
        number, start = divmod(self._at, schema.CHUNK)
        chunk = schema.chunk.c
        wanted = (
            sa.select(schema.blob.c.slot, chunk.bytes)
            .join(schema.blob, schema.blob.c.digest == chunk.digest)
            .where(chunk.digest == self._digest, chunk.number == number)
        )
        with self._database.read() as connection:
            found = connection.execute(wanted).first()
        if found is None:
            raise self._missing()
        whole = self._database.keys.open(found.slot, piece_of(self._digest, number), bytes(found.bytes))
        if whole.data is None:
            raise self._missing() if whole.fate == "destroyed" else self._lost()
        piece = whole.data[start : start + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _lost(self) -> Unproven:
        return Unproven(
            "log.file-lost",
            Text(
                en="The file cannot be read: its key or its bytes are not those that were kept.",
                zh="无法读取该文件：其密钥或字节与所保存的不符。",
            ),
            do=Text(en="Run: tongqiu fsck", zh="请运行：tongqiu fsck"),
            where=self._digest.hex(),
        )

    def _missing(self) -> Missing:
        return Missing(
            "log.no-file",
            Text(en="The file is not kept here; it may have been erased.", zh="此处未保存该文件，可能已被删除。"),
            do=Text(en="Ask whoever made the record.", zh="请询问记录的出具方。"),
            where=self._digest.hex(),
        )

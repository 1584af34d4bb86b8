"""A log kept in memory: the stand-in that keeps every promise of the door except surviving the process.

It implements the real :class:`tongqiu.ledger.backend.Backend` with the same checks, so that tests of the rooms above need
no disk and no monkey-patching. The contract tests run against it and against the real backends alike.
"""

from __future__ import annotations

import hashlib
import io
import threading
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import msgspec

from tongqiu.ledger.backend import Batch, Done, Head, Reading, Row, Where, check_batch, check_epoch
from tongqiu.record.faults import Missing, Refused, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

_CHUNK = 1 << 20


class MemoryBackend:
    """One log in memory, safe for threads."""

    def __init__(self) -> None:
        """Begin with an empty log."""
        self._lock = threading.RLock()
        self._head = Head()
        self._rows: list[Row] = []
        self._index: dict[bytes, int] = {}
        self._refs: dict[bytes, list[int]] = {}
        self._done: dict[str, Done] = {}
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._files: dict[bytes, bytes] = {}
        self._writing = False
        self._closed = False

    def head(self) -> Head:
        """Return the current head."""
        with self._held():
            return self._head

    def row(self, index: int) -> Row:
        """Return the row at ``index``. Raises Missing (``log.no-entry``)."""
        with self._held():
            if 0 <= index < len(self._rows):
                return self._rows[index]
        raise Missing(
            "log.no-entry",
            Text(en="The log has no entry {index}.", zh="日志中没有第 {index} 条。"),
            do=Text(en="Name an entry that the log has.", zh="请指定日志中已有的条目。"),
            index=index,
        )

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows from ``start`` to before ``stop`` that exist."""
        with self._held():
            return tuple(self._rows[max(start, 0) : max(stop, 0)])

    def find(self, entry: bytes) -> int | None:
        """Return the index of an entry hash, or None."""
        with self._held():
            return self._index.get(entry)

    def select(self, where: Where, *, after: int = -1, limit: int = 1000) -> Sequence[Row]:
        """Return up to ``limit`` matching rows above ``after``, in order."""
        with self._held():
            indices = range(len(self._rows)) if where.ref is None else self._refs.get(where.ref, [])
            found: list[Row] = []
            for index in indices:
                if len(found) >= limit:
                    break
                if index > after and where.matches(self._rows[index]):
                    found.append(self._rows[index])
            return tuple(found)

    def done(self, key: str) -> Done | None:
        """Return what was noted under ``key``, or None."""
        with self._held():
            return self._done.get(key)

    def tile(self, level: int, number: int) -> bytes:
        """Return the hashes of a tile so far, or nothing."""
        with self._held():
            return self._tiles.get((level, number), b"")

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the entry hashes from ``start`` to before ``stop`` that exist."""
        return tuple(row.entry for row in self.rows(start, stop))

    def commit(self, plan: Callable[[Reading], tuple[Batch, T]], *, epoch: int) -> T:
        """Run ``plan`` under the write lock and take over the whole of its batch, or nothing."""
        with self._held():
            check_epoch(epoch, self._head.epoch)
            if self._writing:
                raise RuntimeError("a plan must not commit")
            self._writing = True
            try:
                batch, answer = plan(self)
            finally:
                self._writing = False
            if not (batch.rows or batch.done or batch.erase):
                return answer
            check_batch(batch, self, has_file=self._files.__contains__)
            self._write(batch)
            return answer

    def fence(self) -> int:
        """Raise the epoch by one and return it."""
        with self._held():
            self._head = msgspec.structs.replace(self._head, epoch=self._head.epoch + 1)
            return self._head.epoch

    def stage(self, stream: BinaryIO, *, limit: int) -> tuple[bytes, int]:
        """Keep the bytes of ``stream`` under their SHA-256."""
        kept = bytearray()
        while chunk := stream.read(_CHUNK):
            kept += chunk
            if len(kept) > limit:
                raise Refused(
                    "log.file-size",
                    Text(en="The file is longer than {limit} bytes.", zh="文件超过 {limit} 字节。"),
                    do=Text(en="Attach a smaller file, or its digest alone.", zh="请附较小的文件，或仅附其摘要。"),
                    limit=limit,
                )
        digest = hashlib.sha256(kept).digest()
        with self._held():
            self._files.setdefault(digest, bytes(kept))
        return digest, len(kept)

    def blob(self, digest: bytes) -> BinaryIO:
        """Open a staged file. Raises Missing (``log.no-file``)."""
        with self._held():
            data = self._files.get(digest)
        if data is None:
            raise Missing(
                "log.no-file",
                Text(en="The file is not kept here; it may have been erased.", zh="此处未保存该文件，可能已被删除。"),
                do=Text(en="Ask whoever made the record.", zh="请询问记录的出具方。"),
                where=digest.hex(),
            )
        return io.BytesIO(data)

    def scrub(self) -> None:
        """Do nothing: what was erased from memory is in no file."""
        with self._held():
            return

    def close(self) -> None:
        """Refuse every further call."""
        with self._lock:
            self._closed = True

    def _held(self) -> threading.RLock:
        if self._closed:
            raise Unreachable(
                "log.storage",
                Text(en="The log is closed.", zh="日志已关闭。"),
                do=Text(en="Open it again.", zh="请重新打开。"),
            )
        return self._lock

    def _write(self, batch: Batch) -> None:
        for row in batch.rows:
            self._index[row.entry] = row.index
            for ref in dict.fromkeys(row.columns.refs):
                self._refs.setdefault(ref, []).append(row.index)
        self._rows.extend(batch.rows)
        self._tiles.update({(tile.level, tile.number): tile.hashes for tile in batch.tiles})
        self._done.update({done.key: done for done in batch.done})
        for index in batch.erase:
            self._rows[index] = msgspec.structs.replace(self._rows[index], content=None, salt=None, erased=True)
        if batch.erase:
            gone = {digest for index in batch.erase for digest in self._rows[index].columns.files}
            needed = {digest for row in self._rows if not row.erased for digest in row.columns.files}
            for digest in gone - needed:
                self._files.pop(digest, None)
        self._head = batch.head

"""What a long run has learnt so far, kept on disk, so that a run that was killed goes on where it stopped.

A journal is one file that only grows: after each answer that was dear to get, it is on disk before the run goes on. A torn
end, as a power cut leaves it, is cut off when the file is opened again. The node removes it once the run's records are
in the log.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tongqiu.record.faults import Malformed, Refused, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_VALUE: Final = 16 << 20
"""Longest single value, in bytes."""

MAX_FILE: Final = 1 << 30
"""Longest journal, in bytes."""

_HEAD = 8


class Journal:
    """Keys and values in the order in which they were put; a key that is put again has its last value.

    The file holds, for each, four bytes of length, four of CRC-32, and MessagePack of ``[key, value]``.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path`` or begin it, for this process alone.

        Raises Refused (``journal.busy``) while another process holds it; Unreachable (``journal.disk``) where it cannot be
        opened.
        """
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as error:
            raise _disk(path, error) from error
        try:
            _lock(self._file, path)
            self._path = path
            self._known = dict(self._replay())
        except BaseException:
            os.close(self._file)
            raise
        self.resumed = len(self._known)
        """How many keys there were when it was opened."""

    def _replay(self) -> Iterator[tuple[str, bytes]]:
        """Yield what the file holds, and cut off an end that is torn."""
        good = 0
        with open(self._file, "rb", closefd=False) as stream:
            while len(head := stream.read(_HEAD)) == _HEAD:
                size, check = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
                data = stream.read(size) if size <= MAX_VALUE + 1024 else b""
                if len(data) != size or zlib.crc32(data) != check:
                    break
                try:
                    key, value = msgspec.msgpack.decode(data, type=tuple[str, bytes])
                except msgspec.DecodeError:
                    break
                good += _HEAD + size
                yield key, value
        os.ftruncate(self._file, good)
        os.lseek(self._file, good, os.SEEK_SET)

    def get(self, key: str) -> bytes | None:
        """Return what was put under ``key``, or None."""
        return self._known.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Put ``value`` under ``key``; it is on disk when this returns.

        Raises Malformed (``journal.large``) beyond the limits; Unreachable (``journal.disk``) where it cannot be written:
        then the journal is as it was before.
        """
        data = msgspec.msgpack.encode((key, value))
        start = os.lseek(self._file, 0, os.SEEK_CUR)
        if len(value) > MAX_VALUE or start + len(data) > MAX_FILE:
            raise Malformed(
                "journal.large",
                Text(en="A run keeps more than it may ({limit} bytes).", zh="检测保存的内容超过上限（{limit} 字节）。"),
                do=Text(en="Test with fewer items.", zh="请减少测试条目。"),
                limit=MAX_VALUE if len(value) > MAX_VALUE else MAX_FILE,
            )
        whole = len(data).to_bytes(4, "big") + zlib.crc32(data).to_bytes(4, "big") + data
        try:
            _write_all(self._file, whole)
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, start)
            os.lseek(self._file, start, os.SEEK_SET)
            raise _disk(self._path, error) from error
        self._known[key] = value

    def close(self) -> None:
        """Let go of the file; another may open it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self._known)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _lock(file: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # pragma: no cover - Windows has no such locks
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Refused(
            "journal.busy",
            Text(en="Another process is doing this very run.", zh="另一进程正在进行同一检测。"),
            do=Text(en="Wait for it to end, or stop it.", zh="请等待其结束，或将其停止。"),
            where=path.name,
        ) from error


def _disk(path: Path, error: OSError) -> Unreachable:
    return Unreachable(
        "journal.disk",
        Text(en="What the run learnt could not be kept: {error}.", zh="无法保存检测进度：{error}。"),
        do=Text(
            en="Make room on the disk and start again; nothing is lost.",
            zh="请腾出磁盘空间后重新开始，已有内容不会丢失。",
        ),
        where=path.name,
        error=error.strerror or type(error).__name__,
    )

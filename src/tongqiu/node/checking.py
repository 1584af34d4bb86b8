"""A process beside the node's own that checks what strangers signed, so that signatures and HTTP do not wait for each other.

It holds no key and no file: it is handed envelopes over a pipe and gives back what each is, or nothing where one does not
pass; why not is then found out by the node itself. If it ends, the node checks alone and starts it anew.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Final

import msgspec

from tongqiu.ledger.backend import Columns
from tongqiu.ledger.log import Sealed
from tongqiu.node.foreign import check_foreign
from tongqiu.record.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES: Final = 64 << 20
"""Longest message either way; the node hands over at most 1,024 statements at a time."""

_LENGTH = 4
_ENOUGH = 2


class _Found(msgspec.Struct, frozen=True, array_like=True):
    """What an envelope is; ``stripped`` only where it is not what was handed over."""

    entry: bytes
    issuer: str
    subject: str
    stripped: bytes | None


_ENCODE = msgspec.msgpack.Encoder().encode
_GROUP = msgspec.msgpack.Decoder(list[bytes])
_ANSWER = msgspec.msgpack.Decoder(list[_Found | None])


class Checker:
    """The node's end of the pipe (:class:`tongqiu.ledger.registrar.Beside`); the process starts with the first group."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._under_way = 0

    @classmethod
    def if_room(cls, processors: int | None = None) -> Checker | None:
        """Return one where this machine has a processor to spare beside the two that HTTP and the log fill.

        On two processors it was slower than none: the node waits for a process that waits for its turn (0023).
        """
        return cls() if (processors or os.cpu_count() or 1) > _ENOUGH else None

    def hand(self, statements: Sequence[bytes]) -> bool:
        """Hand over a group; False if the process has ended and older groups still wait for its answer."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                if self._under_way:
                    return False
                self._end()
                # -P: nothing is imported from the folder that the node happens to stand in.
                process = self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            self._under_way += 1
        with contextlib.suppress(OSError):
            _send(process.stdin, _ENCODE(list(statements)))
        return True

    def take(self, statements: Sequence[bytes]) -> Sequence[Sealed | None]:
        """Return the answer to the oldest group under way; nothing is sealed where the process has ended."""
        process = self._process
        answer = None if process is None else _receive(process.stdout)
        with self._lock:
            self._under_way -= 1
        found: Sequence[_Found | None] = [None] * len(statements) if answer is None else _ANSWER.decode(answer)
        return [None if each is None else _sealed(each, data) for each, data in zip(found, statements, strict=True)]

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe and pipe.close()
            process.wait()


def _sealed(found: _Found, statement: bytes) -> Sealed:
    columns = Columns("", found.subject, found.issuer)
    return Sealed(found.stripped or statement, found.entry, None, None, columns)


def check_groups(coming: IO[bytes], going: IO[bytes]) -> None:
    """Check group after group until there are no more: the other end of the pipe."""
    while (data := _receive(coming)) is not None:
        found: list[_Found | None] = []
        for statement in _GROUP.decode(data):
            try:
                sealed = check_foreign(statement)
            except Fault:
                found.append(None)
            else:
                stripped = None if sealed.statement == statement else sealed.statement
                found.append(_Found(sealed.entry, sealed.columns.issuer, sealed.columns.subject, stripped))
        _send(going, _ENCODE(found))


def _send(pipe: IO[bytes] | None, data: bytes) -> None:
    if pipe is not None:
        pipe.write(len(data).to_bytes(_LENGTH) + data)
        pipe.flush()


def _receive(pipe: IO[bytes] | None) -> bytes | None:
    """Return the next message, or None where the other end is gone."""
    if pipe is None:
        return None
    try:
        head = pipe.read(_LENGTH)
        size = int.from_bytes(head)
        if len(head) < _LENGTH or size > MOST_BYTES:
            return None
        data = pipe.read(size)
    except (OSError, ValueError):
        return None
    return data if len(data) == size else None


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, OSError):
        check_groups(sys.stdin.buffer, sys.stdout.buffer)

"""The keys of everything that can be forgotten: one for each record and file, in a file of their own.

What a store keeps as content is enciphered; whoever has a copy of it, and not the key, has nothing. So destroying 32 bytes
here makes a record unreadable in every copy of the store there is, those on old backup tapes included, and touches no
other record. The file holds nothing else, and belongs in no backup of contents (``docs/spec/erasure.md``).

::

    offset 0      16 bytes  "TONGQIU KEYS v1" and a line feed
    offset 16     16 bytes  the name of this file, random; the store notes it, so that another's file is refused
    offset 32+32n 32 bytes  the key of slot n, random; once destroyed, DESTROYED

A slot never crosses a sector, so it is never half destroyed, and it is overwritten where it lies: no page, journal or free
list of a database ever holds another copy. Slots are made ahead of their use, flushed, and used once; those that a process
had made and not used when it ended stay behind and open nothing. They are not swept: a slot that this store does not know may
hold the key of a content in a newer copy of it (``docs/adr/0025-what-a-post-costs.md``).
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from tongqiu.record.faults import Malformed, Missing, Unreachable
from tongqiu.record.text import Text
from tongqiu.store.disk import fault_of, flush, made_folder, sync

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEYS = "content.keys"
"""The name of the file where nothing else is named: beside the database file, in the store's folder."""

SIZE = 32
"""Length of a key, a slot and the head of the file, in bytes."""

MAGIC = b"TONGQIU KEYS v1\n"
DESTROYED = b"tongqiu: this key was destroyed\n"
"""What stands in the slot of a key that was destroyed on purpose; anything else that is wrong with a slot is a loss."""

_NAME = 16
_UNWRITTEN = bytes(SIZE)
_NONCE = 12
_FEWEST, _MOST = 32, 4096
_STEP = 1 << 20
_TRIES = 16
_PIECE_NUMBER = 8

Fate = Literal["whole", "destroyed", "lost"]
"""What has become of something kept: readable; its key was destroyed; its key or its bytes are not what was written."""


class Opened(NamedTuple):
    """What was kept under a key, or None and why."""

    data: bytes | None
    fate: Fate


class Keys:
    """One open key file, shared by any number of threads and processes."""

    def __init__(self, path: Path, name: str, handle: int) -> None:
        """Take over the readable ``handle`` of the file; made by :func:`open_keys`."""
        self.path = path
        self.name = name
        self._handle = handle
        self._lock = threading.Lock()
        self._free: list[tuple[int, bytes]] = []
        self._next = _FEWEST
        self._process = os.getpid()
        self.floor = 0
        """How many slots the store has noted as used: where the file is shorter, it is an older copy, and what comes next
        must not be given the slots of contents whose keys it lacks."""

    # --- using ------------------------------------------------------------------------------------------------------

    def take(self, count: int) -> list[tuple[int, bytes]]:
        """Return ``count`` slots nobody else was given, with their keys, which are durable already.

        Keys are made many at a time, twice as many each time, so that few appends wait for a flush of this file. Raises
        Unreachable (``log.storage``).
        """
        with self._lock:
            if self._process != os.getpid():
                # A forked child must not use the slots that its parent was given.
                self._free, self._process = [], os.getpid()
            if len(self._free) < count:
                self._free += self._made(max(count - len(self._free), self._next))
                self._next = min(2 * self._next, _MOST)
            taken, self._free = self._free[:count], self._free[count:]
        return taken

    def seal(self, items: Iterable[tuple[bytes, bytes]]) -> list[tuple[int, bytes]]:
        """Encipher each ``(about, data)`` under a new key of its own; return slots and what to keep, in the same order."""
        given = list(items)
        cipher, _ = _aes()
        nonces = secrets.token_bytes(_NONCE * len(given))
        sealed = []
        for at, ((slot, key), (about, data)) in enumerate(zip(self.take(len(given)), given, strict=True)):
            nonce = nonces[_NONCE * at : _NONCE * (at + 1)]
            sealed.append((slot, nonce + cipher(key).encrypt(nonce, data, about)))
        return sealed

    def open(self, slot: int, about: bytes, sealed: bytes) -> Opened:
        """Return what was sealed in ``slot`` about ``about``, or why it cannot be read."""
        fate, key = self.look(slot)
        if key is None:
            return Opened(None, fate)
        data = deciphered(key, about, sealed)
        return Opened(data, "lost" if data is None else "whole")

    def look(self, slot: int) -> tuple[Fate, bytes | None]:
        """Return what has become of a slot's key, and the key."""
        try:
            found = _read_at(self._handle, SIZE * (slot + 1), SIZE)
        except OSError as error:
            raise self._fault(error) from error
        if found == DESTROYED:
            return "destroyed", None
        return ("lost", None) if len(found) < SIZE or found == _UNWRITTEN else ("whole", found)

    # --- forgetting -------------------------------------------------------------------------------------------------

    def destroyed(self) -> Iterator[int]:
        """Yield every slot whose key was destroyed, in order; reads the whole file."""
        at = SIZE
        try:
            while piece := _read_at(self._handle, at, _STEP):
                place = piece.find(DESTROYED)
                while place >= 0:
                    yield (at + place) // SIZE - 1
                    place = piece.find(DESTROYED, place + SIZE)
                at += len(piece) - len(piece) % SIZE or _STEP
        except OSError as error:
            raise self._fault(error) from error

    def destroy(self, slots: Collection[int]) -> int:
        """Overwrite the keys of ``slots`` where they lie and flush; return how many were still there. Idempotent.

        Raises Unreachable (``log.storage``), Missing (``store.no-keys``): then some may be there still; ask again.
        """
        there = [slot for slot in slots if self.look(slot)[0] != "destroyed"]
        if there:
            self._put([SIZE * (slot + 1) for slot in there], DESTROYED)
        return len(there)

    def close(self) -> None:
        """Give the file back. Idempotent."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    # --- inside -----------------------------------------------------------------------------------------------------

    def _made(self, count: int) -> list[tuple[int, bytes]]:
        """Add ``count`` keys at the end of the file, flushed before any is used."""
        for _ in range(_TRIES):
            # What a crash left of an append may end anywhere; another process may append before this one does.
            length = self._length()
            pad = max(SIZE * (self.floor + 1) - length, -length % SIZE)
            keys = secrets.token_bytes(SIZE * count)
            start = self._put((), bytes(pad) + keys) + pad
            if start % SIZE == 0:
                first = start // SIZE - 1
                return [(first + at, keys[SIZE * at : SIZE * (at + 1)]) for at in range(count)]
        raise Unreachable(
            "log.storage",
            Text(en="Others keep writing to the file of keys.", zh="其他程序不断写入密钥文件。"),
            do=Text(en="End what else writes there, then try again.", zh="请结束写入该文件的其他程序后重试。"),
            where=str(self.path),
        )

    def _length(self) -> int:
        try:
            return os.fstat(self._handle).st_size
        except OSError as error:
            raise self._fault(error) from error

    def _put(self, places: Sequence[int], data: bytes) -> int:
        """Write ``data`` at each of ``places``, or at the end where none is named, flush, and return where it begins last.

        The only place where the file changes. Raises Missing, Unreachable.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | (0 if places else os.O_APPEND))
            try:
                if _read_at(handle, 0, SIZE) != _read_at(self._handle, 0, SIZE):
                    raise _none(self.path)
                for place in places or (0,):
                    os.lseek(handle, place, os.SEEK_SET)
                    if os.write(handle, data) < len(data):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                end = os.lseek(handle, 0, os.SEEK_CUR)
                flush(handle)
                return end - len(data)
            finally:
                os.close(handle)
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> Unreachable:
        return fault_of(error, str(self.path))  # type: ignore[return-value]


def enciphered(key: bytes, about: bytes, data: bytes, *, nonce: bytes = b"") -> bytes:
    """Return ``nonce || AES-256-GCM(key, nonce, data)``, bound to ``about`` (NIST SP 800-38D; a random 12-byte nonce)."""
    cipher, _ = _aes()
    nonce = nonce or secrets.token_bytes(_NONCE)
    return nonce + cipher(key).encrypt(nonce, data, about)


def deciphered(key: bytes, about: bytes, sealed: bytes) -> bytes | None:
    """Return what was enciphered so, or None where key, ``about`` or any byte is another."""
    cipher, wrong_tag = _aes()
    if len(sealed) <= _NONCE:
        return None
    try:
        return cipher(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about)
    except wrong_tag:
        return None


@cache
def _aes() -> tuple[type[AESGCM], type[Exception]]:
    """Return the cipher and what it raises, imported when the first content needs it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import aead

    return aead.AESGCM, InvalidTag


def piece_of(digest: bytes, number: int) -> bytes:
    """Return what piece ``number`` of the file ``digest`` is bound to: the digest and the number, 8 bytes, big-endian."""
    return digest + number.to_bytes(_PIECE_NUMBER)


def open_keys(path: Path, *, create: bool) -> Keys:
    """Open the key file at ``path``, making it with ``create``, durable on return.

    Raises Missing (``store.no-keys``), Malformed (``store.keys``) for a file of another sort, Unreachable (``log.storage``).
    """
    try:
        if create and not path.exists():
            _create(path)
        handle = os.open(path, os.O_RDONLY)
        try:
            head = _read_at(handle, 0, SIZE)
            if len(head) < SIZE or not head.startswith(MAGIC):
                raise wrong(path)
        except (OSError, Malformed):
            os.close(handle)
            raise
    except FileNotFoundError as error:
        raise _none(path) from error
    except OSError as error:
        raise fault_of(error, str(path)) from error
    return Keys(path, head[-_NAME:].hex(), handle)


def _create(path: Path) -> None:
    """Write the head of a new file: whole and flushed under another name, then given its own; whoever is first wins."""
    made_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            os.write(handle, MAGIC + secrets.token_bytes(_NAME))
            flush(handle)
        finally:
            os.close(handle)
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _read_at(handle: int, offset: int, length: int, *, seek: bool = not hasattr(os, "pread")) -> bytes:
    """Read at a place; where the system cannot do so in one call, ``seek`` first, one thread at a time."""
    if not seek:
        return os.pread(handle, length, offset)
    with _SEEKING:
        os.lseek(handle, offset, os.SEEK_SET)
        return os.read(handle, length)


_SEEKING = threading.Lock()


def _none(path: Path) -> Missing:
    return Missing(
        "store.no-keys",
        Text(en="The keys of this store's contents are not here.", zh="此处没有该存储内容的密钥。"),
        do=Text(
            en="Put the file back from its own backup, or name it as keys in node.toml. Nothing else can read the contents.",
            zh="请从其专门备份放回该文件，或在 node.toml 中以 keys 指明。没有它，任何程序都无法读出内容。",
        ),
        where=str(path),
    )


def wrong(path: Path) -> Malformed:
    """Return the fault for a file that does not hold the keys of this store."""
    return Malformed(
        "store.keys",
        Text(en="This file does not hold the keys of this store.", zh="该文件所存并非此存储的密钥。"),
        do=Text(
            en="Put the right file in its place; leave this one as it is.", zh="请放入正确的文件，并原样保留此文件。"
        ),
        where=str(path),
    )

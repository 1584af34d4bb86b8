"""Registrations that were answered with a promise: kept on disk until the log has them, so that none is ever forgotten.

Whoever does not want to wait for a receipt (``Prefer: respond-async``), or was kept waiting for too long, is told to come
back. Before that is said, the statement lies flushed in a folder of the node's home; it leaves the folder when it is in the
log, and what is found there at a start is handed in again. Handing in twice is harmless: a log keeps a statement once.
"""

from __future__ import annotations

import os
import secrets
import threading
from typing import TYPE_CHECKING, Final, Literal

from tongqiu.ledger.registrar import Registered, Turned
from tongqiu.ledger.sequencer import busy
from tongqiu.node.foreign import check_foreign
from tongqiu.record.faults import Malformed, Unproven, Unreachable
from tongqiu.record.text import Text
from tongqiu.seal.statement import MAX_STATEMENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tongqiu.ledger.registrar import Outcome, Registrar

FOLDER: Final = "promised"
MOST: Final = 4096
"""Most statements promised at one time; beyond this nothing more is (``log.busy``)."""

State = Literal["none", "pending", "failed"]

_WAITS = ".cose"
_FAILED = ".failed"


class Promises:
    """The promises of one node; several processes may share the folder."""

    def __init__(self, home: Path, registrar: Registrar) -> None:
        """Keep promises below ``home`` and hand statements to ``registrar``."""
        self._folder = home / FOLDER
        self._registrar = registrar
        self._lock = threading.Lock()
        self._working: set[str] = set()

    def make(self, statement: bytes) -> bytes:
        """Check a statement, keep it durably, queue it, and return its 32-byte entry hash.

        Raises Malformed and Unproven as :func:`check_foreign`, Unreachable (``log.busy``, ``log.stopped``,
        ``home.storage``); then nothing was promised.
        """
        sealed = check_foreign(statement)
        name = sealed.entry.hex()
        try:
            if len(self._waiting()) >= MOST:
                raise busy()
            self._write(name + _WAITS, sealed.statement)
        except OSError as error:
            raise _storage(self._folder, error) from error
        try:
            self._hand_in(name, sealed.statement)
        except Unreachable:
            self._remove(name)
            raise
        return sealed.entry

    def state(self, entry: bytes) -> State:
        """Return how it stands with an entry that is not in the log; one that nobody works on is handed in again."""
        name = entry.hex()
        if (self._folder / (name + _WAITS)).exists():
            self._take_up(name)
            return "pending"
        return "failed" if (self._folder / (name + _FAILED)).exists() else "none"

    def resume(self) -> int:
        """Hand in again what an earlier run has left, and return how much that is."""
        names = self._waiting()
        for name in names:
            self._take_up(name)
        return len(names)

    def _waiting(self) -> list[str]:
        try:
            return [each.stem for each in self._folder.iterdir() if each.suffix == _WAITS and each.name[0] != "."]
        except FileNotFoundError:
            return []

    def _take_up(self, name: str) -> None:
        with self._lock:
            if name in self._working:
                return
        try:
            with (self._folder / (name + _WAITS)).open("rb") as file:
                statement = file.read(MAX_STATEMENT + 1)
            if check_foreign(statement).entry.hex() == name:
                self._hand_in(name, statement)
                return
        except FileNotFoundError:
            # Another process has just logged it.
            return
        except Unreachable:
            # The next who asks for it takes it up again.
            return
        except (Malformed, Unproven):
            pass
        self._fail(name)

    def _hand_in(self, name: str, statement: bytes) -> None:
        with self._lock:
            self._working.add(name)
        try:
            self._registrar.submit(statement, self._told, name)
        except Unreachable:
            with self._lock:
                self._working.discard(name)
            raise

    def _told(self, pairs: Sequence[tuple[object, Outcome]]) -> None:
        """Hear, in the registrar's thread, what became of statements: what the log could not take now stays."""
        for ticket, outcome in pairs:
            name = str(ticket)
            if isinstance(outcome, Registered):
                self._remove(name)
            elif isinstance(outcome, Turned):
                self._fail(name)
            with self._lock:
                self._working.discard(name)

    def _remove(self, name: str) -> None:
        (self._folder / (name + _WAITS)).unlink(missing_ok=True)

    def _fail(self, name: str) -> None:
        """Mark a statement that can no longer be registered; the mark stays, so that its sender is told."""
        (self._folder / (name + _WAITS)).rename(self._folder / (name + _FAILED))

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        draft = self._folder / f".{name}.{secrets.token_hex(8)}"
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / name)
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        finally:
            draft.unlink(missing_ok=True)


def _storage(path: Path, error: OSError) -> Unreachable:
    return Unreachable(
        "home.storage",
        Text(en="The node's folder cannot be used: {error}.", zh="无法使用节点目录：{error}。"),
        do=Text(en="Free some space or mend the permissions, then try again.", zh="请腾出空间或修正权限后重试。"),
        where=str(path),
        error=error.strerror or type(error).__name__,
    )

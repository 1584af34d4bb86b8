"""SQLite with a disk of one's own beneath it: apsw's VFS under the same SQL that the store gives to the standard library's.

apsw brings its own copy of SQLite, so a VFS registered there is unknown to ``sqlite3``. The store speaks to its driver
through SQLAlchemy; :func:`recorded` therefore gives SQLAlchemy apsw dressed as ``sqlite3`` (PEP 249, as far as the store
uses it). Every open, write, cut, flush and deletion that SQLite asks of its disk is written down as a :class:`Call`.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import apsw
import sqlalchemy as sa
from sqlalchemy import event

from tests.ledger.paper_disk import Call
from tongqiu.store import database
from tongqiu.store.house import Store
from tongqiu.store.keys import KEYS, Keys, open_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


class _File(apsw.VFSFile):
    """One open file; passes everything on and writes it down."""

    def __init__(self, vfs: Recorder, name: str, flags: list[int]) -> None:
        fresh = not os.path.exists(name)  # noqa: PTH110 - a name as SQLite gives it
        super().__init__("", name, flags)
        self._vfs, self._name = vfs, os.path.basename(name)  # noqa: PTH119 - the same
        if fresh:
            vfs.number += 1
            vfs.calls.append(Call("create", self._name, vfs.number))
            vfs.inodes[self._name] = vfs.number
        self._inode = vfs.inodes[self._name]

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._vfs.calls.append(Call("write", inode=self._inode, at=offset, data=bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - the same
        super().xTruncate(newsize)
        self._vfs.calls.append(Call("cut", inode=self._inode, at=newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - the same
        super().xSync(flags)
        # SQLite's own VFS flushes the folder with the first flush of a file that it made.
        self._vfs.calls += [Call("sync", inode=self._inode), Call("flush", "")]


class Recorder(apsw.VFS):
    """A VFS that writes down every call; ``told`` notes in between what was acknowledged."""

    def __init__(self, name: str, kept: Iterable[str]) -> None:
        """Register as ``name``; ``kept`` are the files that are there, numbered as :class:`Disk` numbers them."""
        super().__init__(name, "")
        self.name = name
        self.calls: list[Call] = []
        self.number = 0
        self.inodes = {each: -at for at, each in enumerate(kept, 1)}

    def told(self, what: str) -> None:
        """Note that the world was told this now."""
        self.calls.append(Call("told", what))

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        if name is None:
            return apsw.VFSFile("", None, flags)
        return _File(self, name.filename() if isinstance(name, apsw.URIFilename) else name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - the same
        super().xDelete(filename, syncdir)
        self.calls.append(Call("unlink", os.path.basename(filename)))  # noqa: PTH119 - a name as SQLite gives it
        if syncdir:
            self.calls.append(Call("flush", ""))


class _Cursor:
    """What the store asks of a cursor; reads all rows at once."""

    arraysize = 1
    lastrowid = None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Cursor:
        cursor = self._connection.cursor()
        self.description = None
        cursor.exec_trace = self._described
        before = self._connection.total_changes()
        self._rows = list(cursor.execute(sql, tuple(values)))
        # How many rows a query has is not known beforehand in `sqlite3` either; nobody asks.
        self.rowcount = self._connection.total_changes() - before
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> _Cursor:
        before = self._connection.total_changes()
        for each in rows:
            self.execute(sql, each)
        self.rowcount = self._connection.total_changes() - before
        return self

    def _described(self, cursor: apsw.Cursor, _sql: str, _values: Any) -> bool:
        found = [(each[0], *[None] * 6) for each in cursor.get_description()]
        self.description = tuple(found) if found else None
        return True

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        found, self._rows = self._rows[:size], self._rows[size:]
        return found

    def fetchall(self) -> list[tuple[Any, ...]]:
        found, self._rows = self._rows, []
        return found

    def close(self) -> None:
        self._rows = []


class _Connection:
    """What SQLAlchemy and the store ask of a connection of ``sqlite3``, in a mode that begins nothing by itself."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.isolation_level: str | None = None

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def execute(self, sql: str) -> _Cursor:
        return self.cursor().execute(sql)

    def commit(self) -> None:
        if self._connection.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    def create_function(self, name: str, count: int, function: Callable[..., Any], *, deterministic: bool) -> None:
        self._connection.create_scalar_function(name, function, count, deterministic=deterministic)


_DRIVER = SimpleNamespace(
    Binary=bytes,
    Error=apsw.Error,
    paramstyle="qmark",
    sqlite_version_info=tuple(map(int, apsw.sqlite_lib_version().split("."))),
)


class _Keys(Keys):
    """The file of keys, beside the database, with its writes written down in the same order."""

    def __init__(self, opened: Keys, vfs: Recorder) -> None:
        super().__init__(opened.path, opened.name, opened._handle)  # noqa: SLF001 - taken over from it
        self._vfs = vfs

    def _put(self, places: Sequence[int], data: bytes) -> int:
        start, inode = super()._put(places, data), self._vfs.inodes[self.path.name]
        writes = [Call("write", inode=inode, at=place, data=data) for place in places or (start,)]
        self._vfs.calls += [*writes, Call("sync", inode=inode)]
        return start


def recorded(folder: Path, vfs: Recorder, *pragmas: str) -> Store:
    """Open the store that is in ``folder`` over ``vfs``, tuned as every store is, then by ``pragmas``."""
    path = str(folder / database.FILE)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=path),
        module=_DRIVER,
        creator=lambda: _Connection(apsw.Connection(path, vfs=vfs.name)),
    )
    # The very functions with which `on_disk` prepares a connection, so that this is the store's own SQL.
    event.listen(engine, "connect", database._tune)  # noqa: SLF001 - see above
    event.listen(engine, "begin", database._begin)  # noqa: SLF001 - see above

    def after(connection: Any, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(pragma)

    event.listen(engine, "connect", after)
    opened = database.Database(engine, path)
    opened._keys = _Keys(open_keys(folder / KEYS, create=False), vfs)  # noqa: SLF001 - see above
    return Store(opened)


__all__ = ["Recorder", "recorded"]

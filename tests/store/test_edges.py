"""The edges of the store: what is derived follows without a flush of its own, and never leaves a connection changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tongqiu.store.database import on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from tongqiu.store.database import Database

FULL, NORMAL = 2, 1
"""Values of ``PRAGMA synchronous`` (sqlite.org/pragma.html)."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = on_disk(tmp_path / "store", create=True)
    yield opened
    opened.close()


def _flushes(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


def _fail(database: Database) -> None:
    with database.follow() as connection:
        connection.exec_driver_sql("INSERT INTO state VALUES ('z', 'y')")
        raise ZeroDivisionError


def test_only_what_is_derived_is_committed_without_a_flush(database: Database) -> None:
    with database.follow() as connection:
        assert _flushes(connection) == NORMAL
        connection.exec_driver_sql("INSERT INTO state VALUES ('x', 'y')")
    with pytest.raises(ZeroDivisionError):
        _fail(database)
    # The pool lends the same connection again, to whoever must be durable.
    for _ in range(3):
        with database.write() as connection:
            assert _flushes(connection) == FULL
    with database.read() as connection:
        assert _flushes(connection) == FULL
        kept = connection.exec_driver_sql("SELECT name FROM state WHERE value = 'y'").scalars().all()
        assert kept == ["x"]

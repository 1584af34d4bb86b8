"""The log on disk keeps every promise of its door, in SQLite and in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ledger.backend_contract import BackendContract
from tongqiu.store.house import open_store
from tongqiu.store.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.store.backend import SqlBackend
    from tongqiu.store.house import Store


class TestOnSqlite(BackendContract):
    @pytest.fixture
    def backend(self, store: Store) -> SqlBackend:
        return store.backend


@pytest.mark.system
class TestOnPostgres(BackendContract):
    @pytest.fixture
    def backend(self, postgres: str, tmp_path: Path) -> Iterator[SqlBackend]:
        with open_store(postgres, keys=tmp_path / KEYS, create=True) as opened:
            yield opened.backend

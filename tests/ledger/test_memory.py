"""The stand-in keeps the promises of the door."""

from __future__ import annotations

import pytest

from tests.ledger.backend_contract import BackendContract, add
from tongqiu.ledger.backend import Batch
from tongqiu.ledger.memory import MemoryBackend


class TestMemoryBackend(BackendContract):
    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return MemoryBackend()


def test_a_plan_may_not_commit_itself() -> None:
    backend = MemoryBackend()

    def plan(_reading: object) -> tuple[Batch, None]:
        add(backend, "inner")
        return Batch(backend.head()), None

    with pytest.raises(RuntimeError):
        backend.commit(plan, epoch=0)
    assert backend.head().size == 0
    add(backend, "outer")
    assert backend.head().size == 1

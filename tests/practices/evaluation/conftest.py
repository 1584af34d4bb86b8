"""A real lent world over a folder, and small models and tables to put into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import msgspec
import pytest

from tongqiu.node.world import LentWorld
from tongqiu.practices.evaluation.declared import Params
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.practice import World

DATA = Subject("dataset", "urn:tongqiu:test:data", "sha-256:" + "a" * 64, "cases")
MODEL = Subject("model", "urn:tongqiu:test:model", "sha-256:" + "b" * 64, "scorer")


class Lend(Protocol):
    """Lends a world over ``folder`` for the paths named."""

    def __call__(self, *reads: str) -> World: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder under assessment."""
    made = tmp_path / "system"
    made.mkdir()
    return made


@pytest.fixture
def lend(folder: Path, tmp_path: Path) -> Lend:
    """Return a real world's door to the folder."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def give(*reads: str) -> World:
        world = LentWorld(
            ("tree", "pool", "progress"), folder=folder, reads=reads, scratch=scratch, report=lambda _done, _total: None
        )
        return cast("World", world)

    return give


@pytest.fixture
def params() -> Callable[..., Params]:
    """Return a maker of parameters: a table cases.csv with columns label, decision and sex, unless told otherwise."""

    def make(**changes: object) -> Params:
        plain: dict[str, object] = {
            "data": msgspec.to_builtins(DATA),
            "data_path": "cases.csv",
            "label": "label",
            "prediction": "decision",
            "sensitive": ("sex",),
        }
        return msgspec.convert(plain | changes, Params)

    return make


@pytest.fixture
def model_subject() -> Subject:
    """Return the subject that runs are about."""
    return MODEL

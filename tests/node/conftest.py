"""A real node in a temporary folder, and a clock that a test can move."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from tongqiu.node import open_node
from tongqiu.record.statement import instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node import Node


class HandClock:
    """A clock that moves a millisecond at each look, and as far as a test pushes it."""

    def __init__(self) -> None:
        self._at = datetime.datetime(2026, 11, 23, 8, 0, tzinfo=datetime.UTC)

    def now(self) -> str:
        self._at += datetime.timedelta(milliseconds=1)
        return instant(self._at)

    def push(self, **delta: float) -> None:
        self._at += datetime.timedelta(**delta)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Test laboratory", clock=clock) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small honest system: predictions in a table, two groups, a licence, some code."""
    place = tmp_path / "system"
    (place / "code").mkdir(parents=True)
    rows = ["id,group,label,decision"]
    for number in range(400):
        group = "a" if number % 2 else "b"
        label = "yes" if number % 3 else "no"
        decision = label if number % 7 else ("no" if label == "yes" else "yes")
        rows.append(f"{number},{group},{label},{decision}")
    (place / "cases.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (place / "code" / "run.py").write_text("# SPDX-License-Identifier: MIT\nprint('hello')\n", "utf-8")
    (place / "tongqiu.toml").write_text(MANIFEST, "utf-8")
    return place


MANIFEST = """\
[system]
name = "Small system"
id = "urn:tongqiu:test:small"
purpose = "For tests"

[[data]]
name = "cases"
path = "cases.csv"
role = "test"
label = "label"
prediction = "decision"
favourable = "yes"
sensitive = ["group"]

[[code]]
name = "program"
path = "code"
licence = "MIT"
"""

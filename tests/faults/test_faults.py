"""Every system call of the write path, failing or killing at every place: nothing acknowledged is lost, nothing is torn.

With strace, each call by which a program changes files (``openat``, ``write``, ``pwrite64``, ``fsync``, ``fdatasync``,
``ftruncate``, ``link``, ``rename``, ``unlink``, ``mkdir``) is made to fail once (EIO, ENOSPC), and once the process is killed
there. Afterwards a new start must find a whole log that holds what was acknowledged, and take the same record again exactly
once. This is the crash of a process, not of a machine: for that see ``test_power_loss_traced.py``.

Here every place of a rare call is taken and a spread of those of ``pwrite64``; ``make bench-faults`` takes all.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults import disturb, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

SPREAD = 17
"""One in so many places of a frequent call."""


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder, in memory where there is such a place: what is flushed here is thrown away."""
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own there
    made = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("kind", scenes.SCENES, ids=lambda kind: kind.what)
def test_disturbed_anywhere_nothing_acknowledged_is_lost(
    kind: type[scenes.Scene], base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = kind(base / "runs")
    assert scene.counted["pwrite64"] >= 10
    assert scene.counted["fdatasync"] >= 1
    wrong = list(scene.wrong(SPREAD))
    with capsys.disabled():
        calls = ", ".join(f"{name} {count}" for name, count in sorted(scene.counted.items()))
        print(f"\n{kind.what}: {scene.ends.total()} runs over {calls}; {dict(scene.ends)}; wrong {len(wrong)}")  # noqa: T201 - the count is the point
    assert wrong == []
    assert scene.ends["killed"] >= 10
    assert scene.ends["told"] >= 5


def test_a_program_that_says_too_much_is_seen(base: Path) -> None:
    scene = scenes.Publish(base / "runs")
    place = disturb.Place("fdatasync", 1, disturb.ENDS[0])
    ran = disturb.Ran([f"logged {10**6} {'0' * 64}"], -9, "")
    assert scene.judge(scene.fresh(0), ran).startswith("lost")
    assert place in disturb.places(scene.counted)

"""The power goes at any moment: whatever was acknowledged is there afterwards, nothing is torn, and the next start is clean.

The store's own SQL runs over a VFS that writes down what SQLite asks of its disk (:mod:`tests.ledger.cut_sqlite`). For a
cut after each call the remains are built by :mod:`tests.ledger.paper_disk`: without anything that was not flushed, with
all of it, and with random sectors of it (512 or 4,096 bytes, so that writes are torn and change places), and a start is
made on them with the standard library's SQLite. What such a model cannot show is a disk that says it flushed and did not.

apsw carries its own SQLite, newer than the one that Python has; ``tests/faults`` does the same with the real one and with
every other file of a node, from a trace of its system calls.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ledger.cut_sqlite import Recorder, recorded
from tests.ledger.paper_disk import Call, Disk
from tests.ledger.said_before_cut import Judge, work
from tests.ledger.test_sequencer import LOG_KEY, ORIGIN
from tongqiu.ledger.log import Log
from tongqiu.record.faults import Unproven
from tongqiu.store.database import FILE
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

POINTS = 60
"""Cuts that are tried here; `python -m benchmarks faults` tries all."""

OFTEN = "PRAGMA wal_autocheckpoint=60"
"""Copy the write-ahead file back after 60 pages in place of 1,000: the same calls, oftener, over smaller files."""


class Story:
    """One run of :func:`work`: the files it began with, every call, and who knows how it should end."""

    def __init__(self, folder: Path, *pragmas: str) -> None:
        with open_store(folder, create=True) as store:
            Log(store.backend, LOG_KEY, ORIGIN)
        self.files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        vfs = Recorder(f"cut-{folder}", self.files)
        for again in (False, True):
            # What closing and opening again do is cut, too.
            with recorded(folder, vfs, *pragmas) as store:
                work(store, vfs.told, again=again)
        vfs.unregister()
        self.calls = vfs.calls
        self.judge = Judge(folder)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("story"), OFTEN)


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder, in memory where there is such a place: these flushes protect nothing."""
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own there
    made = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    yield made
    shutil.rmtree(made)


def cuts(calls: list[Call], count: int) -> set[int]:
    """Return after which calls to cut: about ``count``, evenly spread, and each one beside a flush or a deletion."""
    step = max(1, len(calls) // count)
    near = {at + by for at, call in enumerate(calls) if call.what in {"sync", "unlink", "cut"} for by in (-1, 0, 1)}
    return {at for at in range(len(calls)) if at % step == 0 or at in near}


def faults(story: Story, calls: list[Call], chosen: set[int], place: Path) -> Iterator[str]:
    """Cut after each of the chosen calls, in several ways, and yield what is wrong with each of the remains, or ""."""
    chance = random.Random(20261123)  # noqa: S311 - the same cuts again, not secrets
    disk, seen = Disk(story.files), set()
    for at, call in enumerate(calls):
        disk.apply(call)
        if at not in chosen:
            continue
        for left in (
            disk.left(None),
            disk.left(None, all_of_it=True),
            disk.left(chance, sector=512),
            disk.left(chance, sector=4096),
        ):
            key = (len(disk.told), hash(tuple(left.items())))
            if key not in seen:
                seen.add(key)
                yield story.judge.fault(left, disk.told, place / "found")
                shutil.rmtree(place / "found", ignore_errors=True)


def test_a_cut_at_any_call_loses_nothing_that_was_acknowledged(
    story: Story, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = cuts(story.calls, POINTS)
    found = Counter(faults(story, story.calls, chosen, place))
    counted = Counter(call.what for call in story.calls)
    with capsys.disabled():
        print(f"\npower cut after {len(chosen)} of {len(story.calls)} calls ({dict(counted)}): {found.total()} remains")  # noqa: T201 - the count is the point
    assert set(found) == {""}
    assert found.total() > 2 * POINTS
    assert counted["sync"] > 20
    assert counted["cut"] >= 1


@pytest.mark.parametrize("pragma", ["PRAGMA synchronous=OFF", "PRAGMA synchronous=NORMAL"])
def test_without_the_full_flush_the_same_cuts_lose_entries(tmp_path: Path, place: Path, pragma: str) -> None:
    careless = Story(tmp_path / "careless", OFTEN, pragma)
    found = faults(careless, careless.calls, cuts(careless.calls, POINTS), place)
    assert any(fault.startswith("lost: entry") for fault in found)


def test_a_disk_that_only_says_it_flushed_is_seen_to_lose_and_to_tear(story: Story, place: Path) -> None:
    calls = [call for call in story.calls if call.what != "sync"]
    found = faults(story, calls, cuts(calls, POINTS // 3), place)
    assert any(fault.startswith("lost: entry") for fault in found)
    assert any(fault and not fault.startswith("lost") for fault in found)


def test_a_file_of_nothing_but_zeros_is_damaged_and_left_alone(tmp_path: Path) -> None:
    # With a journal beside it this is a store that was being made; SQLite clears it. Without, nobody knows what it was.
    (tmp_path / FILE).write_bytes(bytes(8192))
    with pytest.raises(Unproven) as raised:
        open_store(tmp_path, create=False)
    assert raised.value.code == "log.corrupt"
    assert (tmp_path / FILE).read_bytes() == bytes(8192)

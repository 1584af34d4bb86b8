"""The power goes while a node writes with the real SQLite and all its other files: nothing acknowledged is lost.

A program works undisturbed under strace; from the trace, :mod:`tests.faults.traced` gives every write, flush and change of
a name to a disk on paper. For a cut after each of these calls the remains of the whole folder are built: bytes that were
not flushed and names whose folder was not are gone, or there, or there in part (see :mod:`tests.ledger.paper_disk`). On each
of these a start is made. One program is a store from nothing to an erasure; the other a node from its first key on.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.traced import TRACED, calls_of, under_strace
from tests.ledger.paper_disk import Disk, write
from tests.ledger.said_before_cut import Judge
from tongqiu.node import anchor, open_node
from tongqiu.node import home as homes
from tongqiu.record import core
from tongqiu.record.faults import Fault, Refused
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.ledger.paper_disk import Call
    from tongqiu.node import Node

pytestmark = pytest.mark.system

STORE = """
    import os, sys
    from pathlib import Path
    from tests.ledger.said_before_cut import work
    from tongqiu.store.house import open_store

    for again in (False, True):
        with open_store(Path(sys.argv[1]) / "home", create=True) as store:
            work(store, lambda what: os.write(1, what.encode() + b"\\n"), again=again)
"""

NODE = """
    import os, sys
    from pathlib import Path
    from tongqiu.node import open_node
    from tongqiu.record import core
    from tongqiu.record.statement import Said
    from tongqiu.record.subject import Subject

    for turn in range(2):
        with open_node(Path(sys.argv[1]) / "home", create=True, name="Laboratory") as node:
            for number in range(3):
                subject = Subject("system", f"urn:tongqiu:test:{turn}.{number}", None, "One")
                said = Said(core.COMPOSITION.name, subject, core.Composition(parts=(), purpose="p"))
                for each in node.publish([said]):
                    os.write(1, f"logged {each.index} {each.entry}\\n".encode())
            node.erase(node.desk(node.owner).said(core.COMPOSITION.name)[0], ground="Art. 17")
            os.write(1, f"erased {turn}\\n".encode())
"""


def traced(code: str, root: Path) -> list[Call]:
    """Run ``code`` in the empty folder ``root`` and return what it did there."""
    root.mkdir()
    trace = root.with_suffix(".trace")
    ran = under_strace(code, root, trace, "-xx", "-s", "10000000", "-e", f"trace={TRACED}", "-e", "signal=none")
    assert ran.returncode == 0, ran.stderr
    return calls_of(trace.read_text(), str(root))


def chosen(calls: Sequence[Call], step: int) -> list[int]:
    """Return after which calls to cut: every ``step``-th, and those beside a flush or a change of a name."""
    plain = {"write", "told"}
    return [
        at
        for at in range(len(calls))
        if at % step == 0 or not plain.issuperset(each.what for each in calls[max(0, at - 1) : at + 2])
    ]


def remains(calls: Sequence[Call], step: int = 1) -> Iterator[tuple[dict[str, bytes], list[str]]]:
    """Yield what is left by cuts after every ``step``-th call, and beside each flush, with what was told until then."""
    chance = random.Random(20261123)  # noqa: S311 - the same cuts again, not secrets
    disk, seen, cuts = Disk(), set(), set(chosen(calls, step))
    for at, call in enumerate(calls):
        disk.apply(call)
        if at not in cuts:
            continue
        for left in (
            disk.left(None),
            disk.left(None, all_of_it=True),
            disk.left(chance),
            disk.left(chance, sector=4096),
        ):
            key = (len(disk.told), hash(tuple(left.items())))
            if key not in seen:
                seen.add(key)
                yield left, list(disk.told)


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder, in memory where there is such a place: these flushes protect nothing."""
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own there
    made = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    yield made
    shutil.rmtree(made)


def judged(
    found: Iterator[tuple[dict[str, bytes], list[str]]],
    fault: Callable[[dict[str, bytes], Sequence[str], Path], str],
    place: Path,
) -> Counter[str]:
    wrong = Counter[str]()
    for left, told in found:
        wrong[fault(left, told, place / "found")] += 1
        shutil.rmtree(place / "found", ignore_errors=True)
    return wrong


def report(capsys: pytest.CaptureFixture[str], what: str, calls: Sequence[Call], found: Counter[str]) -> None:
    with capsys.disabled():
        counted = dict(Counter(call.what for call in calls))
        print(f"\npower cut, {what}: {len(calls)} calls ({counted}), {found.total()} remains: {dict(found)}")  # noqa: T201 - the count is the point


def test_what_the_model_holds_at_the_end_is_what_the_folder_holds(tmp_path: Path) -> None:
    disk = Disk()
    for call in traced(NODE, tmp_path / "root"):
        disk.apply(call)
    held = {
        str(path.relative_to(tmp_path / "root")): path.read_bytes()
        for path in (tmp_path / "root").rglob("*")
        if path.is_file()
    }
    assert disk.left(None, all_of_it=True) == held


def store_fault(judge: Judge) -> Callable[[dict[str, bytes], Sequence[str], Path], str]:
    """Return what says what is broken in the remains of a store."""
    return lambda left, told, place: judge.fault(left, told, place, home="home", create=True)


def test_a_store_from_nothing_to_an_erasure(tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "root"
    calls = traced(STORE, root)
    found = judged(remains(calls, 10), store_fault(Judge(root / "home")), place)
    report(capsys, "a store", calls, found)
    assert set(found) == {""}


def node_fault(files: dict[str, bytes], told: Sequence[str], place: Path) -> str:
    """Return what is broken in the remains of a node, or nothing."""
    write(files, place)
    try:
        with _started(place / "home") as node:
            size = node.log.audit().size
            entries = node.log.reading.entries(0, size)
            for each in told:
                what, number, *entry = each.split()
                if what == "logged" and (int(number) >= size or entry[0] != "sha-256:" + entries[int(number)].hex()):
                    return f"lost: entry {number} of {size}"
            erased = sum(row.erased for row in node.log.reading.rows(0, size))
            promised = sum(each.startswith("erased") for each in told)
            if not promised <= erased <= promised + 1:
                return f"{erased} erased in place of {promised}"
        return _goes_on(place / "home")
    except Fault as fault:
        return f"no start: {fault.code}"
    except (TypeError, ValueError, IndexError) as error:
        # Pages torn by a disk that lies can read as rows with holes.
        return f"no start: {type(error).__name__}"


def _started(home: Path) -> Node:
    """Start the node there. These files are copies, to which a node writes only after take-over; a cut moves nothing."""
    try:
        return open_node(home, create=True, name="Laboratory")
    except Refused as fault:
        if fault.code != "log.copied":
            raise
    _take_over(home)
    return open_node(home, create=False)


def _take_over(home: Path) -> None:
    where = homes.load(home)
    with open_store(where.store, create=False, writer=anchor.instance(where.path)) as store:
        anchor.check(where.path, store.backend)
        store.backend.take_over()


def _goes_on(home: Path) -> str:
    """Publish once more."""
    _take_over(home)
    subject = Subject("system", "urn:tongqiu:test:after", None, "One")
    with open_node(home, create=False) as node:
        said = Said(core.COMPOSITION.name, subject, core.Composition(parts=(), purpose="again"))
        (again,) = node.publish([said])
        return "" if node.log.audit().size == again.index + 1 else "what comes after is not taken"


def test_a_node_from_its_first_key_on(tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = traced(NODE, tmp_path / "root")
    found = judged(remains(calls, 60), node_fault, place)
    report(capsys, "a node", calls, found)
    assert set(found) == {""}


def test_a_disk_that_only_says_it_flushed_is_seen_to_lose(tmp_path: Path, place: Path) -> None:
    calls = [call for call in traced(NODE, tmp_path / "root") if call.what not in {"sync", "flush"}]
    found = (node_fault(left, told, place / str(at)) for at, (left, told) in enumerate(remains(calls, 100)) if told)
    assert any(fault.startswith("lost: entry") for fault in found)

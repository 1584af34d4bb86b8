"""Every system call of the write path, failing or killing at every place: nothing acknowledged is lost, nothing is torn.

With strace, each of ``openat``, ``pwrite64``, ``fsync``, ``fdatasync``, ``link`` and ``rename`` that one publication makes is
made to fail once (EIO, ENOSPC), and once the process is killed there. Afterwards a new start must find a whole log that
holds what was acknowledged, and take the same record again exactly once. This is the crash of a process, not of a machine.

strace counts the calls of each thread apart, so some of the places counted over the whole program harm nobody; every call of
every thread is among them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.ledger.test_sequencer import LOG_KEY, ORIGIN, sealed
from tongqiu.ledger.log import Log
from tongqiu.node import open_node
from tongqiu.record import core
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.store.database import FILE
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
CALLS = "openat,pwrite64,fsync,fdatasync,link,linkat,rename,renameat,renameat2"
ENDS = ("signal=KILL", "error=EIO", "error=ENOSPC")

PUBLISH = """
    import sys
    from pathlib import Path
    from tests.ledger.test_sequencer import LOG_KEY, ORIGIN, sealed
    from tongqiu.ledger.log import Log
    from tongqiu.ledger.sequencer import Sequencer
    from tongqiu.record.faults import Fault
    from tongqiu.store.house import open_store

    try:
        with open_store(Path(sys.argv[1]), create=True) as store, Sequencer(Log(store.backend, LOG_KEY, ORIGIN)) as sequencer:
            print(sequencer.record(sealed("new"))[0].index, flush=True)
    except Fault as fault:
        sys.exit("fault " + fault.code)
"""

BEGIN = """
    import sys
    from pathlib import Path
    from tongqiu.node import open_node
    from tongqiu.record import core
    from tongqiu.record.faults import Fault
    from tongqiu.record.statement import Said
    from tongqiu.record.subject import Subject

    try:
        with open_node(Path(sys.argv[1]), create=True, name="Laboratory") as node:
            subject = Subject("system", "urn:tongqiu:test:one", None, "One")
            said = Said(core.COMPOSITION.name, subject, core.Composition(parts=(), purpose="p"))
            print(node.publish([said])[0].index, flush=True)
    except Fault as fault:
        sys.exit("fault " + fault.code)
"""


class Ran(NamedTuple):
    """How one run ended: the places it acknowledged, its exit code, and what it said."""

    told: list[int]
    code: int
    said: str


def run(code: str, folder: Path, *options: str, trace: Path | None = None) -> Ran:
    command = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
    if options:
        command = ["strace", "-f", "-qq", "-o", str(trace or "/dev/null"), *options, *command]
    path = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    return Ran([int(line) for line in done.stdout.split()], done.returncode, done.stderr)


def places(code: str, folder: Path, *options: str) -> Counter[str]:
    """Return how often each call is made in a run that nothing disturbs."""
    trace = folder.with_suffix(".trace")
    ran = run(code, folder, *options, "-e", f"trace={CALLS}", trace=trace)
    assert (ran.code, len(ran.told)) == (0, 1), ran.said
    return Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))


def disturbed(
    code: str, fresh: Callable[[], Path], counted: Counter[str], options: Callable[[Path], tuple[str, ...]]
) -> Iterator[tuple[Path, Ran, str]]:
    for call, count in sorted(counted.items()):
        for end in ENDS:
            for when in range(1, count + 1):
                folder = fresh()
                named = f"{call} {when} of {count}: {end}"
                ran = run(
                    code, folder, *options(folder), "-e", f"trace={call}", "-e", f"inject={call}:{end}:when={when}"
                )
                yield folder, ran, named


def report(capsys: pytest.CaptureFixture[str], what: str, counted: Counter[str], ends: Counter[str]) -> None:
    with capsys.disabled():
        calls = ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))
        print(f"\n{what}: {sum(ends.values())} runs over {calls}; {dict(ends)}; lost 0, torn 0")  # noqa: T201 - the count is the point


def files(folder: Path) -> tuple[str, ...]:
    """Return the options that confine strace to the files of a store."""
    names = (folder / FILE, folder / f"{FILE}-wal", folder / f"{FILE}-shm", folder)
    return tuple(part for name in names for part in ("-P", str(name)))


def kind_of(ran: Ran) -> str:
    if ran.code == 0:
        return "unharmed"
    if ran.code in {-9, 137}:
        return "killed"
    assert ran.said.strip().rpartition("\n")[2].startswith("fault "), ran.said
    return "told"


def test_one_publication_disturbed_at_every_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = tmp_path / "start"
    with open_store(start, create=True) as store:
        Log(store.backend, LOG_KEY, ORIGIN).record(sealed("old"))
        before = store.backend.head().size
    number = 0

    def fresh() -> Path:
        nonlocal number
        number += 1
        return shutil.copytree(start, tmp_path / f"run{number}")

    first = fresh()
    counted = places(PUBLISH, first, *files(first))
    assert counted["pwrite64"] >= 3
    assert counted["fdatasync"] >= 1
    ends = Counter[str]()
    for folder, ran, named in disturbed(PUBLISH, fresh, counted, files):
        ends[kind_of(ran)] += 1
        with open_store(folder, create=False) as store:
            log = Log(store.backend, LOG_KEY, ORIGIN)
            head = log.audit()
            assert head.size in {before, before + 1}, named
            assert not ran.told or (head.size == before + 1 and ran.told == [before]), named
            assert log.record(sealed("new"))[0].fresh is (head.size == before), named
            assert log.audit().size == before + 1, named
        shutil.rmtree(folder)
    assert ends["killed"] >= 10
    assert ends["told"] >= 5
    report(capsys, "one publication", counted, ends)


def test_a_node_that_begins_disturbed_at_every_flush_and_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = 0

    def fresh() -> Path:
        nonlocal number
        number += 1
        return tmp_path / f"home{number}"

    counted = places(BEGIN, fresh())
    chosen = Counter(
        {call: count for call, count in counted.items() if call not in {"openat", "pwrite64", "fdatasync"}}
    )
    assert chosen["fsync"] >= 4
    assert chosen["link"] >= 3
    assert chosen["rename"] >= 2
    ends = Counter[str]()
    subject = Subject("system", "urn:tongqiu:test:one", None, "One")
    for folder, ran, named in disturbed(BEGIN, fresh, chosen, lambda _: ()):
        ends[kind_of(ran)] += 1
        with open_node(folder, create=True, name="Laboratory") as node:
            size = node.log.audit().size
            assert all(place < size for place in ran.told), named
            assert len(node.desk(node.owner).said(core.COMPOSITION.name)) in ({1} if ran.told else {0, 1}), named
            node.publish([Said(core.COMPOSITION.name, subject, core.Composition(parts=(), purpose="again"))])
        shutil.rmtree(folder)
    report(capsys, "a node that begins", chosen, ends)

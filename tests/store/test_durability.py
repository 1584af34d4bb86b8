"""Nothing acknowledged is lost and nothing is half there, whoever writes and whenever a process dies."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.store.paper import ANNA, AT, NOTES, Paper
from tongqiu.ledger import tree
from tongqiu.record.audience import Principal
from tongqiu.store.database import FILE
from tongqiu.store.house import Store, open_store

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import os, sys
from pathlib import Path
from tests.store.paper import NOTES, Paper
from tongqiu.store.house import open_store

folder, name, batches, each = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open_store(folder, create=True) as store:
    registry, paper = store.registry([NOTES]), Paper(store)
    for batch in range(batches):
        rows = [paper.row({"key": f"{name} {batch} {at}"}) for at in range(each)]
        rows = [type(row)(0, os.urandom(32), *list(getattr(row, field) for field in row.__struct_fields__[2:])) for row in rows]
        for row in paper.log(*rows):
            os.write(1, b"%d %s\\n" % (row.index, row.entry.hex().encode()))
        if batch % 5 == 0:
            registry.catch_up()
"""


def start(*argv: str, code: str = WRITER, wrap: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    return subprocess.Popen(
        [*wrap, sys.executable, "-c", textwrap.dedent(code), *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )


def acknowledged(output: bytes) -> dict[int, str]:
    """Return the whole lines: index and entry of what a writer was told is durable."""
    lines = output.decode().split("\n")[:-1]
    return {int(index): entry for index, entry in (line.split(" ") for line in lines)}


def check(folder: Path, expected: dict[int, str]) -> int:
    """Check that the log is whole, holds what was acknowledged, and that the live registry is what a rebuild gives."""
    with open_store(folder, create=False) as store:
        backend = store.backend
        head = backend.head()
        entries = backend.entries(0, head.size)
        assert len(entries) == head.size == len(set(entries))
        assert tree.grow(0, (), list(entries), lambda *_: b"").root == head.root
        assert tree.Tiles(backend.tile).root(head.size) == head.root
        assert {index: entries[index].hex() for index in expected} == expected
        assert len(store.statements(limit=head.size + 1)) == head.size
        registry = store.registry([NOTES])
        registry.catch_up()
        live = registry.digest(NOTES.name)
        registry.rebuild()
        assert registry.digest(NOTES.name) == live
        assert registry.select(NOTES.name, principal=Principal(ANNA), now=AT).total == head.size
        return head.size


def test_four_processes_write_one_log(tmp_path: Path) -> None:
    running = [start(str(tmp_path), f"w{number}", "12", "7") for number in range(4)]
    expected: dict[int, str] = {}
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
        told = acknowledged(output)
        assert len(told) == 84
        assert not expected.keys() & told.keys()
        expected |= told
    assert check(tmp_path, expected) == 4 * 84


def test_a_killed_writer_leaves_nothing_half_done(tmp_path: Path) -> None:
    expected: dict[int, str] = {}
    for number in range(5):
        process = start(str(tmp_path), f"k{number}", "100000", "20")
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(0.02 + 0.07 * number)
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        expected |= acknowledged(first + output)
    assert check(tmp_path, expected) >= len(expected) >= 5


def test_a_killed_rebuild_leaves_the_live_registry(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        paper = Paper(store)
        paper.log(*(paper.row({"key": str(number)}) for number in range(3000)))
        store.registry([NOTES]).catch_up()
    code = """
        import os, sys
        from pathlib import Path
        from tests.store.paper import NOTES
        from tongqiu.store.house import open_store
        registry = open_store(Path(sys.argv[1]), create=False).registry([NOTES])
        os.write(1, b"x\\n")
        while True:
            registry.rebuild()
    """
    for number in range(3):
        process = start(str(tmp_path), code=code)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + 0.1 * number)
        process.kill()
        process.communicate(timeout=60)
        with open_store(tmp_path, create=False) as store:
            found = store.registry([NOTES]).select(NOTES.name, principal=Principal(ANNA), now=AT)
            assert found.total == 3000
    check(tmp_path, {})


def test_a_disk_that_fails_while_writing_loses_nothing(tmp_path: Path) -> None:
    code = (
        """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
"""
        + WRITER
    )
    process = start(str(tmp_path), "full", "1000", "50", code=code)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"log.storage" in errors
    expected = acknowledged(output)
    assert len(expected) >= 50
    assert check(tmp_path, expected) >= len(expected)


@pytest.mark.system
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_no_failing_system_call_loses_an_acknowledged_entry(tmp_path: Path, call: str, error: str) -> None:
    interrupted = 0
    for when in range(1, 60, 7):
        folder = tmp_path / str(when)
        open_store(folder, create=True).close()
        wrap = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-P", str(folder / (FILE + "-wal")))
        process = start(
            str(folder),
            "s",
            "20",
            "3",
            wrap=(*wrap, "-P", str(folder / FILE), "-e", f"inject={call}:error={error}:when={when}"),
        )
        output, errors = process.communicate(timeout=120)
        if process.returncode:
            interrupted += 1
            assert b"log.storage" in errors, errors.decode()
        check(folder, acknowledged(output))
    assert interrupted


def test_a_forked_child_reads_and_writes_with_connections_of_its_own(store: Store, paper: Paper) -> None:
    paper.say({"key": "parent"})
    child = os.fork()
    if child == 0:
        try:
            entry = hashlib.sha256(b"child").digest()
            row = paper.row({"key": "child"})
            paper.log(type(row)(0, entry, row.statement, row.content, row.salt, row.logged_at, row.columns))
        except BaseException:  # noqa: BLE001 - a child must end here, whatever happens
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert store.backend.head().size == 2
    paper.say({"key": "parent again"})
    assert store.backend.find(hashlib.sha256(b"child").digest()) == 1

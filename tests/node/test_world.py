"""What a run is lent: these files and no others, an empty folder, a meter, engines under limits."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tongqiu.node.world import (
    ChildPool,
    LentTree,
    LentWorld,
    ProcessMeter,
    Scratch,
    SystemClock,
    _no_sockets,
    limits,
    most_processes,
)
from tongqiu.record.faults import Fault, Malformed, Missing, Refused
from tongqiu.record.statement import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code" / "sub").mkdir(parents=True)
    (tmp_path / "code" / "b.py").write_bytes(b"b")
    (tmp_path / "code" / "sub" / "a.py").write_bytes(b"aa")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "data.csv").write_bytes(b"x\n1\n")
    return tmp_path


def test_only_what_was_named_is_seen(folder: Path) -> None:
    tree = LentTree(folder, ["code", "data.csv"])
    assert list(tree.walk("code")) == [("code/b.py", 1), ("code/sub/a.py", 2)]
    assert list(tree.walk("data.csv")) == [("data.csv", 4)]
    with tree.open("code/sub/a.py") as stream:
        assert stream.read() == b"aa"
    assert tree.digest("data.csv") == "sha-256:" + hashlib.sha256(b"x\n1\n").hexdigest()
    assert tree.digest("code").startswith("tree-1:")
    assert tree.locate("code/b.py") == (folder / "code" / "b.py").resolve()
    for other in ("secret.txt", "codes", "."):
        with pytest.raises(Refused) as caught:
            tree.open(other)
        assert caught.value.code == "world.not-lent"
    with pytest.raises(Missing):
        tree.open("code/none.py")
    for path in ("code/../secret.txt", "code/../../secret.txt", "code/sub/../../secret.txt"):
        with pytest.raises(Fault):
            tree.locate(path)
    assert tree.locate("code/sub/../b.py") == (folder / "code" / "b.py").resolve()


def test_the_whole_folder_may_be_lent(folder: Path) -> None:
    tree = LentTree(folder, ["."])
    assert [name for name, _ in tree.walk(".")] == ["code/b.py", "code/sub/a.py", "data.csv", "secret.txt"]


def test_a_world_has_just_the_members_that_were_needed(folder: Path) -> None:
    seen: list[tuple[float, float | None]] = []
    world = LentWorld(
        ("clock", "scratch", "meter"),
        folder=folder,
        reads=(),
        scratch=folder / "code",
        report=lambda done, total: seen.append((done, total)),
    )
    world.progress(1, 2)
    assert seen == [(1, 2)]
    assert isinstance(world.scratch, Scratch)
    assert world.scratch.path == folder / "code"
    assert isinstance(world.clock, SystemClock)
    assert moment_of(world.clock.now()).tzinfo is not None
    for name in ("tree", "pool", "endpoint", "anything"):
        with pytest.raises(Refused) as caught:
            getattr(world, name)
        assert caught.value.code == "world.not-lent"


def test_a_meter_measures_or_says_none() -> None:
    meter = ProcessMeter()
    total = sum(number * number for number in range(100_000))
    assert total
    read = meter.read()
    assert set(read) == {"cpu_s", "wall_s", "peak_bytes", "energy_j"}
    assert (read["cpu_s"] or 0) > 0
    assert (read["wall_s"] or 0) > 0
    assert (read["peak_bytes"] or 0) > 1 << 20
    assert read["energy_j"] is None or read["energy_j"] >= 0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """Return the name of a module that the interpreter's own site-packages holds for the length of a test."""
    import sysconfig

    name = f"tongqiu_test_engine_{tmp_path.name.replace('-', '_')}"
    place = Path(sysconfig.get_path("purelib")) / f"{name}.py"
    place.write_text(
        "import sys, time, socket\n"
        "what = sys.argv[1]\n"
        "if what == 'echo': sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])\n"
        "if what == 'fail': sys.exit('cannot read this')\n"
        "if what == 'slow': time.sleep(60)\n"
        "if what == 'large': x = bytearray(1 << 34)\n"
        "if what == 'out': socket.create_connection(('127.0.0.1', 9), 1)\n"
    )
    yield name
    place.unlink()


def test_engines_run_under_limits_and_without_network(engine: str) -> None:
    pool = ChildPool()
    assert pool.run([engine, "echo"], b"abc", seconds=60, megabytes=2048) == b"cba"
    with pytest.raises(Malformed) as failed:
        pool.run([engine, "fail"], seconds=60, megabytes=2048)
    assert failed.value.code == "pool.failed"
    assert "cannot read this" in failed.value.what.en
    with pytest.raises(Refused) as slow:
        pool.run([engine, "slow"], seconds=1, megabytes=2048)
    assert slow.value.code == "pool.limit"
    for what in ("large", "out"):
        with pytest.raises((Malformed, Refused)):
            pool.run([engine, what], seconds=60, megabytes=2048)
    with pytest.raises(Malformed):
        pool.run(["no.such.engine"], seconds=60, megabytes=2048)


def test_the_interpreter_of_engines_is_isolated(engine: str) -> None:
    assert sys.executable
    assert ChildPool().run([engine, "nothing"], seconds=60, megabytes=2048) == b""


def test_an_engine_that_the_system_ends_passed_its_limit() -> None:
    with pytest.raises(Refused) as caught:
        # `timeit` runs the statement it is given: an engine that every interpreter has.
        ChildPool().run(
            ["timeit", "-n", "1", "-r", "1", "import os; os.kill(os.getpid(), 9)"], seconds=60, megabytes=2048
        )
    assert caught.value.code == "pool.limit"
    assert "2048 MB" in caught.value.what.en


def test_limits_never_pass_the_ceiling_and_leave_no_core() -> None:
    resource = pytest.importorskip("resource")
    free = limits(100, 7, lambda _: resource.RLIM_INFINITY)
    assert free[resource.RLIMIT_AS] == (100 << 20, resource.RLIM_INFINITY)
    assert free[resource.RLIMIT_CPU] == (7, resource.RLIM_INFINITY)
    low = limits(100, 7, lambda _: 5)
    assert set(low.values()) == {(5, 5), (0, 0)}
    assert free[resource.RLIMIT_CORE] == low[resource.RLIMIT_CORE] == (0, 0)


@pytest.mark.parametrize(
    ("release", "ceiling", "most"),
    [
        ("5.13.19-generic", 50_000, None),
        ("4.19", 50_000, None),
        ("odd", 50_000, None),
        ("5.14.0", 50_000, 1024),
        ("6.1-cloud", 100, 100),
        ("10.0", -1, 1024),
    ],
)
def test_processes_are_counted_only_where_the_kernel_counts_them_for_the_run_alone(
    release: str, ceiling: int, most: int | None
) -> None:
    pytest.importorskip("resource")
    assert most_processes(release, ceiling) == most


def test_every_way_out_is_refused_and_nothing_else() -> None:
    for event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        with pytest.raises(Refused) as caught:
            _no_sockets(event, ())
        assert caught.value.code == "world.network"
    for event in ("open", "socket.__new__", "import"):
        _no_sockets(event, ())


def test_a_counter_of_energy_is_read_where_there_is_one(tmp_path: Path) -> None:
    counter = tmp_path / "energy_uj"
    counter.write_text("1000000\n")
    meter = ProcessMeter(counter)
    counter.write_text("3500000\n")
    assert meter.read()["energy_j"] == 2.5
    counter.write_text("not a number")
    assert meter.read()["energy_j"] is None
    assert ProcessMeter(tmp_path / "absent").read()["energy_j"] is None

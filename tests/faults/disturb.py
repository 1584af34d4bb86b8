"""Disturb a program at one of its system calls, with strace, and see how it ends; count first how many it makes.

A :class:`Server` runs :mod:`tests.faults.program`; each run is a fork of it with strace attached. ``when`` counts the calls
of each thread apart, so the highest place is the count of the busiest thread, and every call of every thread is reached.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.faults.program import TOLD, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Self

CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat"
ENDS = ("signal=KILL", "error=EIO", "error=ENOSPC")
ROOT = Path(__file__).parents[2]
_ATTACHED = 20.0
_AHEAD = 16
_RARE = 31


class Ran(NamedTuple):
    """How one run ended: what it acknowledged, its exit code (minus the signal), and the fault or traceback."""

    told: list[str]
    code: int
    fault: str

    @property
    def end(self) -> str:
        """Unharmed, killed, told by a fault, its own source unreadable; anything else is a bug."""
        return {0: "unharmed", -9: "killed", TOLD: "told", UNREADABLE: "unreadable"}.get(self.code, "crashed")


class Place(NamedTuple):
    """The ``when``-th ``call`` of each thread, and what happens there."""

    call: str
    when: int
    end: str


class Server:
    """One process from which programs are forked; a run at a time."""

    def __init__(self) -> None:
        """Start it and wait until it is warm."""
        path = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert self._answer() == {"ready": True}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    def run(self, what: str, folder: Path, *options: str, trace: Path = Path(os.devnull)) -> Ran:
        """Fork the program ``what`` on ``folder``, attach strace with ``options``, let it go and wait for its end."""
        self._ask({"what": what, "folder": str(folder)})
        child = self._answer()["pid"]
        with subprocess.Popen(["strace", "-f", "-qq", "-p", str(child), "-o", str(trace), *options]) as strace:
            _wait_for_tracer(child, strace)
            self._ask("go")
            ended = self._answer()
            strace.wait(30)
        return Ran(ended["told"], ended["code"], ended["fault"])

    def _ask(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def _wait_for_tracer(child: int, strace: subprocess.Popen[bytes]) -> None:
    status, until = Path(f"/proc/{child}/status"), time.monotonic() + _ATTACHED
    while "\nTracerPid:\t0\n" in status.read_text():
        assert strace.poll() is None, "strace could not attach"
        assert time.monotonic() < until, "strace did not attach"
        time.sleep(0.002)


def count(server: Server, what: str, folder: Path, *options: str) -> Counter[str]:
    """Return how often the busiest thread makes each call in a run that nothing disturbs."""
    trace = folder.with_name(folder.name + ".trace")
    ran = server.run(what, folder, *options, "-e", f"trace={CALLS}", trace=trace)
    assert ran.code == 0, ran.fault
    each = Counter(re.findall(r"^(\d+) +(\w+)\(", trace.read_text(), re.MULTILINE))
    most = Counter[str]()
    for (_, call), number in each.items():
        most[call] = max(most[call], number)
    return most


def places(counted: Counter[str], step: int = 1) -> list[Place]:
    """Return every place; with ``step``, of frequent calls the first, the last and every so many-th for each end."""
    return [
        Place(call, when, end)
        for call, number in sorted(counted.items())
        for when in range(1, number + 1)
        for shift, end in enumerate(ENDS)
        if number <= _RARE or when in {1, number} or (when + shift) % step == 0
    ]


def sweep(chosen: Iterable[Place], what: str, fresh: Callable[[int], Path]) -> Iterator[tuple[Place, Path, Ran]]:
    """Disturb the program at each place, on a folder of its own, and yield the folder and how it ended.

    Two run at a time, and a few ahead of whoever takes the results.
    """
    servers: SimpleQueue[Server] = SimpleQueue()
    room = threading.Semaphore(_AHEAD)

    def one(numbered: tuple[int, Place]) -> tuple[Place, Path, Ran]:
        number, place = numbered
        room.acquire()
        folder, server = fresh(number), servers.get()
        try:
            inject = f"inject={place.call}:{place.end}:when={place.when}"
            return place, folder, server.run(what, folder, "-e", f"trace={place.call}", "-e", inject)
        finally:
            servers.put(server)

    with Server() as first, Server() as second, ThreadPoolExecutor(2) as pool:
        servers.put(first)
        servers.put(second)
        for done in pool.map(one, enumerate(chosen)):
            yield done
            room.release()


__all__ = ["CALLS", "ENDS", "Place", "Ran", "Server", "count", "places", "sweep"]

"""The main job as a person meets it: the demonstration and the mortgage example, cold and again unchanged; and how many
records a second a node can say, seal and log, beside what signing, checking and a flush cost by themselves.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.cli.demonstration import build
from tongqiu.node.node import open_node
from tongqiu.record import core
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.seal.keyfile import generate

if TYPE_CHECKING:
    from benchmarks.report import Report

PROGRAM = Path(sys.executable).with_name("tongqiu")
ALONE = 300
TOGETHER = 5
BATCH = 500


class Used(NamedTuple):
    """What a finished program used: wall seconds, processor seconds, and the peak of its largest process in bytes."""

    wall: float
    cpu: float
    peak: float


def run(report: Report) -> None:
    """Run the demonstration, the assessment cold and unchanged, the verification; then publish records."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        whole = used(["demo", str(folder / "demo")])
        report.add("tongqiu demo, start to end, wall", whole.wall, "s", bar=("at most", 60))
        report.add("tongqiu demo, peak of the largest process", whole.peak / 1e6, "MB")
        build(folder / "mortgage")
        home = ["--home", str(folder / "home")]
        cold = used(["assess", str(folder / "mortgage"), *home])
        report.add("assess mortgage, cold, wall", cold.wall, "s", bar=("at most", 60))
        report.add("assess mortgage, cold, processor", cold.cpu, "s")
        report.add("assess mortgage, cold, peak", cold.peak / 1e6, "MB")
        warm = used(["assess", str(folder / "mortgage"), *home])
        against = ("cold", cold.wall)
        report.add("assess mortgage, unchanged, wall", warm.wall, "s", against=against)
        report.add("assess mortgage, unchanged, peak", warm.peak / 1e6, "MB")
        passport = folder / "mortgage" / ".tongqiu" / "passport.tqp"
        report.add("size of its evidence file", passport.stat().st_size / 1e3, "kB")
        checked = used(["verify", str(passport), *home])
        report.add("verify it, wall", checked.wall, "s")
        _publish(report, folder / "publisher")


def used(arguments: list[str]) -> Used:
    """Run ``tongqiu`` to its end and return what it used. Raises RuntimeError when it ends with a fault."""
    begun = time.perf_counter()
    quiet = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)]
    child = os.posix_spawn(PROGRAM, [str(PROGRAM), *arguments], os.environ, file_actions=actions)
    _, status, spent = os.wait4(child, 0)
    os.close(quiet)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"tongqiu {arguments[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return Used(time.perf_counter() - begun, spent.ru_utime + spent.ru_stime, spent.ru_maxrss * 1024)


def _publish(report: Report, home: Path) -> None:
    """Say records one by one and many at once; compare with signing and checking alone, and with a bare flush."""
    signer, message = generate(), b"x" * 300
    begun = time.perf_counter()
    for _ in range(1000):
        signer.public.holds(message, signer.sign(message))
    signed = 1000 / (time.perf_counter() - begun)
    flushed = _flushes(home.parent)
    with open_node(home, create=True, name="Benchmark") as node:
        begun = time.perf_counter()
        for number in range(ALONE):
            node.publish([_said(number)])
        alone = ALONE / (time.perf_counter() - begun)
        report.add("publish, one at a time, durable", alone, "/s", against=("one flush each", flushed))
        begun = time.perf_counter()
        for turn in range(TOGETHER):
            node.publish([_said(1000 + turn * BATCH + number) for number in range(BATCH)])
        many = TOGETHER * BATCH / (time.perf_counter() - begun)
        report.add(f"publish, {BATCH} at a time, durable", many, "/s", against=("sign and check alone", signed))


def _said(number: int) -> Said:
    about = Subject("system", f"urn:tongqiu:bench:{number}", None, f"System {number}")
    return Said(core.COMPOSITION.name, about, core.Composition(parts=(), purpose="benchmark " * 60))


def _flushes(folder: Path) -> float:
    """Return how many 4 KiB appends, each flushed to the disk, this folder takes a second."""
    handle = os.open(folder / "flush", os.O_WRONLY | os.O_CREAT, 0o600)
    begun = time.perf_counter()
    for _ in range(200):
        os.write(handle, b"\0" * 4096)
        os.fdatasync(handle)
    rate = 200 / (time.perf_counter() - begun)
    os.close(handle)
    return rate

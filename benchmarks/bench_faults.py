"""Every call by which the log changes files, disturbed at every place, and the power cut after each: what was lost.

``make bench-faults`` needs strace and takes a spread of the places; ``FAULTS_EVERY=1 make bench-faults`` takes all of them,
which is half an hour on two cores. Programs and judges are those of ``tests/faults`` and ``tests/ledger``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.report import Report

EVERY = int(os.environ.get("FAULTS_EVERY", "40"))
"""One in so many places of a frequent call, and one in so many calls to cut the power after."""


def run(report: Report) -> None:
    """Disturb the three programs, then cut the power in two traces and under a VFS of our own."""
    if shutil.which("strace") is None:
        report.add("strace is not installed; nothing was disturbed", 0, "runs")
        return
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own there
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    try:
        _disturbed(report, folder)
        _cut(report, folder)
    finally:
        shutil.rmtree(folder)


def _disturbed(report: Report, folder: Path) -> None:
    from tests.faults import disturb, scenes

    for kind in scenes.SCENES:
        began = time.perf_counter()
        scene = kind(folder / kind.what)
        wrong = list(scene.wrong(EVERY))
        for place, fault in wrong[:20]:
            print(place, fault)
        print(f"{kind.what}: {scene.ends.total()} runs, {dict(scene.ends)}, wrong {len(wrong)}", flush=True)
        every = len(disturb.places(scene.counted))
        name = f"disturbed: {kind.what}"
        report.add(f"{name}: runs", scene.ends.total(), "runs", against=("places x KILL, EIO, ENOSPC", every))
        for call, number in sorted(scene.counted.items()):
            report.add(f"  places of {call}", number, "calls")
        for end, number in sorted(scene.ends.items()):
            report.add(f"  {end}", number, "runs")
        report.add("  acknowledged and lost, torn, or no clean start", len(wrong), "runs", bar=("at most", 0))
        report.add("  time", time.perf_counter() - began, "s")


def _cut(report: Report, folder: Path) -> None:
    from tests.faults import test_power_loss_traced as traced
    from tests.ledger import test_power_loss as vfs
    from tests.ledger.said_before_cut import Judge

    began = time.perf_counter()
    story = vfs.Story(folder / "vfs", vfs.OFTEN)
    chosen = vfs.cuts(story.calls, max(1, len(story.calls) // EVERY))
    found = Counter(vfs.faults(story, story.calls, chosen, folder))
    _tell(report, "a store over apsw's VFS", (len(chosen), len(story.calls)), found, began)
    # The start of a node costs more than ten of a store.
    for name, code, every in (("a store, traced", traced.STORE, EVERY), ("a node, traced", traced.NODE, 4 * EVERY)):
        began = time.perf_counter()
        root = folder / name.replace(", ", "-").replace(" ", "-")
        calls = traced.traced(code, root)
        fault = traced.node_fault if code == traced.NODE else traced.store_fault(Judge(root / "home"))
        found = traced.judged(traced.remains(calls, every), fault, folder)
        _tell(report, name, (len(traced.chosen(calls, every)), len(calls)), found, began)


def _tell(report: Report, name: str, cuts: tuple[int, int], found: Counter[str], began: float) -> None:
    for fault, number in found.items():
        if fault:
            print(f"{name}: {fault} ({number})")
    report.add(f"power cut: {name}: cuts", cuts[0], "cuts", against=("calls", cuts[1]))
    report.add("  different remains on which a start was made", found.total(), "starts")
    report.add(
        "  acknowledged and lost, torn, or no clean start", found.total() - found[""], "starts", bar=("at most", 0)
    )
    report.add("  time", time.perf_counter() - began, "s")

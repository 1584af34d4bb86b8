"""What it costs to take in a log of 3,000 samples, beside reading it with the engine that wrote it; then changed files.

The log is made by Inspect itself (some fifty seconds of processor), or given: ``IMPORTS_LOG=runs/x.eval make bench-imports``.
``IMPORTS_EACH`` changed files go to each reader, 10,000 unless said.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.practices.evaluation import fuzzing
from tongqiu.practices.evaluation.imports import inspect_log
from tongqiu.practices.evaluation.imports.told import record
from tongqiu.practices.evaluation.object_kinds import RUN

if TYPE_CHECKING:
    from benchmarks.report import Report

SAMPLES = 3000
EACH = int(os.environ.get("IMPORTS_EACH", "10000"))
_NOW = "2026-11-23T08:00:00.000Z"
_MAKE = "import sys; from pathlib import Path; from tests.practices.evaluation.make_logs import run; print(run(Path(sys.argv[1]), samples=int(sys.argv[2]), epochs=1).location)"
_THEIRS = "import sys, time; from inspect_ai.log import read_eval_log; t = time.process_time(); read_eval_log(sys.argv[1]); print(time.process_time() - t)"


def run(benchmark: Report) -> None:
    """Measure one import, step by step, and then every reader on changed files."""
    with tempfile.TemporaryDirectory() as place:
        path = os.environ.get("IMPORTS_LOG") or _python(_MAKE, place, str(SAMPLES))
        _import(benchmark, Path(path))
    for reader in fuzzing.READERS:
        begun = time.process_time()
        refused, kept = fuzzing.run(reader, EACH)
        spent = time.process_time() - begun
        benchmark.add(f"{reader}: changed files a second ({refused:,} refused, {kept:,} read)", EACH / spent, "1/CPU-s")


def _import(benchmark: Report, path: Path) -> None:
    with path.open("rb") as stream:
        begun = time.process_time()
        told = inspect_log.from_archive(stream, path.name)
        read = time.process_time() - begun
    begun = time.process_time()
    bodies = [record(each, (), _NOW) for each in told]
    made = time.process_time() - begun
    begun = time.process_time()
    size = sum(len(str(RUN.write(each))) for each in bodies)
    written = time.process_time() - begun
    n = max(len(each.items) for each in bodies)
    theirs = float(_python(_THEIRS, str(path)))
    benchmark.add(
        f"a log of {n:,} samples and {len(bodies)} scorers ({path.stat().st_size / 1e6:.1f} MB) taken in",
        read + made + written,
        "CPU-s",
        against=("inspect_ai.read_eval_log", theirs),
        bar=("at most", 3.0),
    )
    benchmark.add("  of that: unpacking and decoding", read, "CPU-s")
    benchmark.add("  of that: making the records", made, "CPU-s")
    benchmark.add(f"  of that: writing them ({size / 1e3:.0f} kB)", written, "CPU-s")


def _python(code: str, *arguments: str) -> str:
    """Return the last line that a process of its own prints: the engine starts threads and a loop."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True, timeout=900
    )
    return done.stdout.strip().splitlines()[-1]

"""What a person waits for and carries before anything useful happens: start-up, and the size of a base install."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.report import Report

ROOT = Path(__file__).parent.parent
RUNS = 9


def run(report: Report) -> None:
    """Measure import and help time beside a bare interpreter, then a base install made from the hashed lock."""
    bare = seconds([sys.executable, "-c", "pass"])
    loaded = seconds([sys.executable, "-c", "import tongqiu"])
    report.add("import tongqiu, above a bare interpreter", 1000 * (loaded - bare), "ms", bar=("at most", 100))
    program = Path(sys.executable).with_name("tongqiu")
    helped = seconds([str(program), "--help"])
    against = ("python -c pass", 1000 * bare)
    report.add("tongqiu --help, whole process", 1000 * helped, "ms", against=against, bar=("at most", 200))
    _install(report)


def seconds(command: list[str]) -> float:
    """Return the median wall time of ``command`` in seconds, over nine runs after one that warms the disk cache."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def _install(report: Report) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    report.add("direct dependencies", len(project["dependencies"]), "packages", bar=("at most", 20))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "base"
        venv.create(place, with_pip=True)
        python = place / "bin" / "python"
        empty = _bytes(place)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        start = time.perf_counter()
        lock = ROOT / "requirements" / "base.lock"
        locked = ["install", "--no-deps", "--require-hashes", "--only-binary=:all:", "-r", str(lock)]
        subprocess.run([*pip, *locked], check=True)
        took = time.perf_counter() - start
        listed = subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True).stdout
        packages = [line for line in listed.splitlines() if not re.match(r"(pip|setuptools)==", line)]
        report.add("base install, packages", len(packages), "packages", bar=("at most", 45))
        report.add("base install, size", (_bytes(place) - empty) / 1e6, "MB", bar=("at most", 250))
        report.add("base install, time (depends on the network)", took, "s")


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())

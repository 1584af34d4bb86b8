"""Run benchmarks: ``python -m benchmarks [NAME ...]``; with no name, all of them.

Each is a file ``bench_NAME.py`` in this folder with a function ``run(report)``. Prints a table for each and writes
``results/NAME.json``. Ends with exit code 1 if any bar does not hold, 3 for a name that does not exist.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from benchmarks.report import Report

HERE = Path(__file__).parent


def names() -> list[str]:
    """Return the name of every benchmark in this folder, in order."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, each in this process, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; print; keep the figures.")
    parser.add_argument("name", nargs="*", help=f"one of: {', '.join(names())}; all if none is given")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder for NAME.json")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.name) - set(names()))
    if unknown:
        print(f"no benchmark called {', '.join(unknown)}; there are: {', '.join(names())}", file=sys.stderr)
        return 3
    holds = True
    for name in options.name or names():
        report = Report(name)
        start = time.perf_counter()
        importlib.import_module(f"benchmarks.bench_{name}").run(report)
        path = report.write(options.results)
        print(f"\n{name} ({time.perf_counter() - start:.1f} s) -> {path}\n\n{report.table()}")
        holds = holds and report.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())

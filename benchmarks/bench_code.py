"""How large the house is and whether it holds together: lines, tests, circles in the import graph."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import grimp

if TYPE_CHECKING:
    from benchmarks.report import Report

ROOT = Path(__file__).parent.parent


def run(report: Report) -> None:
    """Count lines of source, tests and benchmarks, collected tests, and circles of files in the import graph."""
    source = lines(ROOT / "src")
    report.add("source", source, "lines")
    report.add("tests", lines(ROOT / "tests"), "lines", against=("source", source))
    report.add("benchmarks", lines(ROOT / "benchmarks"), "lines", against=("source", source))
    report.add("tests collected", collected(), "tests")
    graph = grimp.build_graph("tongqiu", cache_dir=None)
    report.add("modules", len(graph.modules), "modules")
    report.add("circles in the import graph, by file", len(circles(graph)), "circles", bar=("at most", 0))


def lines(folder: Path) -> int:
    """Return the lines of Python in ``folder`` that are not blank."""
    return sum(
        1 for path in folder.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    )


def collected() -> int:
    """Return how many tests pytest finds, those that need system tools included."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    match = re.search(r"^(\d+) tests? collected", found, re.MULTILINE)
    assert match is not None, found[-2000:]
    return int(match[1])


def circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """Return every set of two or more modules that import each other in a circle (Tarjan's components, 1972).

    A package's ``__init__`` counts as one file, so importing a room's face from within the room is a circle.
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    waiting: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        waiting.append(module)
        for other in sorted(graph.find_modules_directly_imported_by(module)):
            if other not in order:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in waiting:
                low[module] = min(low[module], order[other])
        if low[module] == order[module]:
            start = waiting.index(module)
            component = waiting[start:]
            del waiting[start:]
            if len(component) > 1:
                found.append(sorted(component))

    for module in sorted(graph.modules):
        if module not in order:
            visit(module)
    return found

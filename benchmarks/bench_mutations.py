"""Every guard of the list is taken away once, and a test must fail each time; see ``mutations``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks import mutations

if TYPE_CHECKING:
    from benchmarks.report import Report


def run(report: Report) -> None:
    """Take away each guard in a copy of the source and count those whose loss no test noticed."""
    began = time.perf_counter()
    alive = mutations.judge(mutations.GUARDS)
    report.add("guards taken away", len(mutations.GUARDS), "guards")
    report.add("  noticed by a test", len(mutations.GUARDS) - len(alive), "guards")
    report.add("  alive: nobody keeps them", len(alive), "guards", bar=("at most", 0))
    report.add("  time", time.perf_counter() - began, "s")

"""pycose 1.1.0 and we judge each other's statements and receipts, whole and changed; see ``judge_pycose``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import judge_pycose

if TYPE_CHECKING:
    from benchmarks.report import Report


def run(report: Report) -> None:
    """Install pycose in an environment of its own and count the verdicts that agree."""
    found = judge_pycose.verdicts()
    report.add(
        "our objects, judged by pycose as by us",
        sum(found.alike),
        "objects",
        against=("all", len(found.alike)),
        bar=("at least", len(found.alike)),
    )
    report.add(
        "its objects, taken by us and refused when changed",
        sum(found.taken),
        "objects",
        against=("all", len(found.taken)),
        bar=("at least", len(found.taken)),
    )

"""The log over HTTP alone, beside its ideal: the HTTP rows of ``make bench-ledger`` in a minute, in more turns.

Every turn posts 2,000 statements to the null handler and 2,000 to the log. The first row says how busy the machine was with
other programs: the shares hold all the same, because ideal and achieved meet the same company; the rates do not.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from benchmarks import http_ledger
from benchmarks.bench_ledger import PARTY, Raw, Share, _statements

if TYPE_CHECKING:
    from benchmarks.report import Report

TURNS = int(os.environ.get("LEDGER_TURNS", "11"))


def run(report: Report) -> None:
    """Measure raw verification, then HTTP in :data:`TURNS` turns."""
    cores = len(os.sched_getaffinity(0))
    before, began = Share.now(), time.perf_counter()
    one = Raw.alone()
    report.add("limit: raw Ed25519 verification, 1 core", one, "1/s")
    http_ledger.measure(report, _statements(http_ledger.WARM + TURNS * http_ledger.TURN, 8)[0], PARTY, one)
    after = Share.now()
    other = (after.all - before.all) - (after.own - before.own)
    report.add("processor time of other programs", 100 * max(other, 0) / (cores * (time.perf_counter() - began)), "%")
    report.rows.insert(0, report.rows.pop())

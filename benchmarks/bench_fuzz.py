"""Changed inputs against every reader of signed things, so many each, with what became of them and how fast.

``FUZZ_EACH=1000000 make bench-fuzz`` gives every reader a million; 2,000 is the default. A long run is kept as it goes in
``build/fuzz-so-far.json``: broken off, it goes on where it stopped, and a reader whose source has changed since begins anew.
``FUZZ_ONLY=receipt`` names readers; ``FUZZ_SECONDS=600`` ends after so long and says how far each reader came. Seeds are the numbers of the pieces, so any input that fails can be made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import fuzz_ledger
from tongqiu.record.faults import Fault

if TYPE_CHECKING:
    from types import FrameType

    from benchmarks.fuzz_ledger import Target
    from benchmarks.report import Report

EACH = int(os.environ.get("FUZZ_EACH", "2000"))
ONLY = os.environ.get("FUZZ_ONLY", "")
SECONDS = float(os.environ.get("FUZZ_SECONDS", "inf"))
PIECE = 20_000
"""Inputs of one seed."""

HERE = Path(__file__).parent
KEPT = HERE.parent / "build" / "fuzz-so-far.json"
ROOMS = HERE.parent / "src" / "tongqiu"


def run(report: Report) -> None:
    """Give every reader its inputs, those of earlier runs counted, and say what became of them."""
    long = EACH > PIECE
    kept: dict[str, Any] = json.loads(KEPT.read_text("utf-8")) if long and KEPT.exists() else {}
    total = Counter[str]()
    until = time.monotonic() + SECONDS
    for target in fuzz_ledger.targets():
        if ONLY not in target.name:
            continue
        source = source_of(target)
        found = kept.get(target.name, {})
        if found.get("source") != source:
            found = {
                "source": source,
                "inputs": 0,
                "refused": 0,
                "alike": 0,
                "failed": 0,
                "seconds": 0.0,
                "slowest": 0.0,
            }
        while found["inputs"] < EACH and time.monotonic() < until:
            _piece(target, found)
            kept[target.name] = found
            if long:
                KEPT.parent.mkdir(exist_ok=True)
                KEPT.write_text(json.dumps(kept, indent=1), "utf-8")
        report.add(f"{target.name}: inputs", found["inputs"], "inputs", bar=("at least", EACH))
        report.add("  refused by a fault", found["refused"], "inputs")
        report.add("  read as what was signed, or as plain as it is written", found["alike"], "inputs")
        report.add("  crashed, hung, forged or against the rule", found["failed"], "inputs", bar=("at most", 0))
        report.add("  slowest input", 1e3 * found["slowest"], "ms", bar=("at most", 1e3 * fuzz_ledger.SLOW))
        if found["inputs"]:
            report.add("  throughput in processor time", found["inputs"] / found["seconds"], "1/s")
        total.update({name: found[name] for name in ("inputs", "failed", "seconds")})
    report.add("all readers: inputs", total["inputs"], "inputs")
    report.add("all readers: crashed, hung, forged or against the rule", total["failed"], "inputs", bar=("at most", 0))
    report.add("all readers: processor time", total["seconds"], "s")


def _piece(target: Target, found: dict[str, Any]) -> None:
    """Read one more piece of inputs and add what became of them to ``found``."""
    number = found["inputs"] // PIECE
    began = time.process_time()
    tally = fuzz_ledger.fuzz(target, min(PIECE, EACH - found["inputs"]), 1000 + number)
    found["seconds"] += time.process_time() - began
    found["inputs"] += tally.runs
    found["refused"] += sum(tally.refused.values())
    found["alike"] += tally.same - len(tally.forged)
    found["failed"] += len(tally.forged) + len(tally.crashed)
    found["slowest"] = max(found["slowest"], tally.slowest)
    for data in tally.forged[:3]:
        print(f"{target.name}, seed {1000 + number}: forged {data.hex()}", flush=True)
    for data, why in tally.crashed[:3]:
        print(f"{target.name}, seed {1000 + number}: {why} {data.hex()}", flush=True)


def source_of(target: Target) -> str:
    """Return the digest of every file of ours that some changed inputs of ``target`` run through."""
    files: set[str] = {fuzz_ledger.__file__}

    def seen(frame: FrameType, _event: str, _given: object) -> None:
        files.add(frame.f_code.co_filename)

    chance = random.Random(0)  # noqa: S311 - the same inputs again, not secrets
    inputs = [fuzz_ledger.change(target.originals[0], target.originals, chance) for _ in range(300)]
    sys.setprofile(seen)
    try:
        for data in (*target.originals, *inputs):
            try:
                target.read(data)
            except (Fault, AssertionError):
                continue
    finally:
        sys.setprofile(None)
    ours = sorted(path for path in map(Path, files) if path.is_relative_to(ROOMS) or path.parent == HERE)
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in ours)).hexdigest()

"""One log that grows tenfold at a time: what a receipt, a check, an append and a restart cost at each size.

Up to near each size the log is filled with stand-ins: 32 random bytes in place of a sealed statement, under true entry
hashes, in a true tree with true tiles, written straight into the tables because nobody would wait for ten million
signatures. The last 8,192 entries of each size, and everything that is timed, go through the log itself. Times are those of
the processor, each taken in turn with what it is compared with, so that a busy machine burdens both alike.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from itertools import count, repeat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.ledger import receipt, tree
from tongqiu.ledger.backend import Columns
from tongqiu.ledger.log import Log, Sealed, Submission
from tongqiu.seal import cose
from tongqiu.store.database import FILE
from tongqiu.store.house import open_store
from tongqiu.store.rows import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.report import Report
    from tongqiu.seal.keyfile import FileSigner

ORIGIN = "bench.example/log"
SMALLEST = 1_000
ASKED = 400
"""Receipts made and checked at each size."""

PASSES = 5
BATCH = 1_024
LAST = 8 * BATCH
"""Entries before each size that the log itself appends, and that are timed."""

_FILLED = 1 << 17
_ISSUER, _SUBJECT = "did:key:zStandIn", "urn:example:stand-in"
_PLAIN = ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-1500000", "PRAGMA temp_store=MEMORY")
_INSERT = (
    "INSERT INTO entry (idx, entry, statement, logged_at, kind, subject, issuer, audience, thread, refs, files, erased)"
    " VALUES (?, ?, ?, ?, '', 'urn:example:stand-in', 'did:key:zStandIn', '', '', x'', x'', 0)"
)


class Receipt(NamedTuple):
    """A receipt and what it is about."""

    data: bytes
    entry: bytes


def measure(report: Report, signer: FileSigner, largest: int) -> None:
    """Grow one log to ``largest`` entries and add the rows of each size; a second log stays small, for comparison."""
    with tempfile.TemporaryDirectory() as small_folder, tempfile.TemporaryDirectory() as folder:
        _fill(Path(small_folder), signer, SMALLEST)
        _fill(Path(folder), signer, 1)
        with open_store(Path(small_folder), create=False) as held:
            small = Log(held.backend, signer, ORIGIN)
            goal = SMALLEST
            while goal <= largest:
                took = time.perf_counter()
                _fill(Path(folder), signer, max(goal - LAST, goal // 2))
                took = time.perf_counter() - took
                _at(report, Path(folder), signer, small, goal, last=goal * 10 > largest)
                report.add(f"  filled with stand-ins up to near {goal:,}", took, "s")
                goal *= 10
        kept = sum(path.stat().st_size for path in Path(folder).iterdir())
        report.add("  disk for each entry beyond the 32 bytes of a stand-in", kept / (goal // 10) - 32, "B")
        report.add("  most memory of this process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "GB")


def _at(report: Report, folder: Path, signer: FileSigner, small: Log, goal: int, *, last: bool) -> None:  # noqa: PLR0913 - two logs, and where
    """Open the log, append up to ``goal``, and add the rows of this size; with ``last`` those that have a bar."""
    start = time.perf_counter()
    with open_store(folder, create=False) as store:
        log = Log(store.backend, signer, ORIGIN)
        report.add(
            f"restart with {log.reading.head().size:,} entries",
            time.perf_counter() - start,
            "s",
            bar=("at most", 2) if goal >= 1_000_000 else None,  # noqa: PLR2004 - the size that the bar names
        )
        busy, wall = _append(log, goal)
        report.add(f"appended at {goal:,} entries, in batches of {BATCH:,}", 1e6 * busy, "us of processor an entry")
        report.add("  and until durable", 1e6 * wall, "us an entry")
        created, small_created, receipts, small_receipts = _create(log, small, goal)
        report.add(
            f"receipt made, of {goal:,} entries",
            1e6 * created,
            "us",
            against=(f"of {SMALLEST:,} entries, in turn", 1e6 * small_created),
        )
        checked, small_checked, raw = _check(signer, receipts, small_receipts)
        report.add(
            f"  and verified, of {goal:,} entries",
            1e6 * checked,
            "us",
            against=(f"of {SMALLEST:,} entries, in turn", 1e6 * small_checked),
        )
        _dedup(report, log, goal)
        if last:
            name = f"growth from {SMALLEST:,} to {goal:,} entries"
            report.add(f"receipt made, {name}", created / small_created, "times", bar=("at most", 2.4))
            report.add(f"receipt verified, {name}", checked / small_checked, "times", bar=("at most", 1.2))
            report.add(
                f"receipts verified from bytes, of {goal:,} entries, 1 core, processor time",
                1 / checked,
                "1/s",
                against=("the same signatures alone", 1 / raw),
            )
            report.add("  share of the raw rate", raw / checked, "of verify", bar=("at least", 0.6))
            _parts(report, signer, receipts, checked)


def _append(log: Log, goal: int) -> tuple[float, float]:
    """Append stand-ins up to ``goal`` through the log; return seconds of processor and of the clock for an entry."""
    before = log.reading.head().size
    columns = Columns("", _SUBJECT, _ISSUER)
    busy, wall = time.process_time(), time.perf_counter()
    for at in range(before, goal, BATCH):
        made = [os.urandom(32) for _ in range(min(BATCH, goal - at))]
        log.append(
            [Submission(tuple(Sealed(each, hashlib.sha256(each).digest(), None, None, columns) for each in made))]
        )
    assert log.reading.head().size == goal
    return (time.process_time() - busy) / (goal - before), (time.perf_counter() - wall) / (goal - before)


def _create(log: Log, small: Log, size: int) -> tuple[float, float, list[Receipt], list[Receipt]]:
    """Make receipts of random entries of both logs in turn; return the median seconds of each, and the receipts."""
    times: tuple[list[float], list[float]] = ([], [])
    made: tuple[list[Receipt], list[Receipt]] = ([], [])
    for _ in range(ASKED):
        for which, (each, most) in enumerate(((log, size), (small, SMALLEST))):
            index = random.randrange(most)  # noqa: S311 - not a secret
            start = time.thread_time()
            data = each.receipt(index)
            times[which].append(time.thread_time() - start)
            made[which].append(Receipt(data, each.reading.row(index).entry))
    return statistics.median(times[0]), statistics.median(times[1]), *made


def _check(signer: FileSigner, receipts: Sequence[Receipt], small: Sequence[Receipt]) -> tuple[float, float, float]:
    """Return the median seconds of one whole check, of one of the small log, and of the signature of the first alone."""
    key = signer.public
    whole: list[float] = []
    other: list[float] = []
    alone: list[float] = []
    for _ in range(PASSES):
        for mine, theirs in zip(receipts, small, strict=True):
            opened = receipt.open_receipt(mine.data)
            root = tree.root_from_inclusion(mine.entry, opened.index, opened.size, opened.path)
            message, signature = cose.to_be_signed(opened.sign1.protected, root), opened.sign1.signature
            start = time.thread_time()
            held = key.holds(message, signature)
            alone.append(time.thread_time() - start)
            assert held
            for each, times in ((mine, whole), (theirs, other)):
                start = time.thread_time()
                receipt.verify_receipt(each.data, each.entry, key, origin=ORIGIN)
                times.append(time.thread_time() - start)
    return statistics.median(whole), statistics.median(other), statistics.median(alone)


def _parts(report: Report, signer: FileSigner, receipts: Sequence[Receipt], checked: float) -> None:
    """Add where the time of a check goes."""
    opened = [receipt.open_receipt(each.data) for each in receipts]
    path = _median(
        lambda at: tree.root_from_inclusion(receipts[at].entry, opened[at].index, opened[at].size, opened[at].path)
    )
    read = _median(lambda at: receipt.open_receipt(receipts[at].data))
    message, signed = b"m" * 230, signer.sign(b"m" * 230)
    alone = _median(lambda _: signer.public.holds(message, signed))
    for name, took in (("signature", alone), ("path to the root", path), ("strict reading of the bytes", read)):
        report.add(f"  of a check: {name}", 1e6 * took, "us")
    report.add("  of a check: the rest", 1e6 * max(checked - alone - path - read, 0), "us")


def _median(act: Callable[[int], object]) -> float:
    times = []
    for at in range(ASKED):
        start = time.thread_time()
        act(at)
        times.append(time.thread_time() - start)
    return statistics.median(times)


def _dedup(report: Report, log: Log, size: int) -> None:
    """Add what it costs to ask the unique index for an entry that is there and for one that is not."""
    known = [log.reading.row(random.randrange(1, size)).entry for _ in range(ASKED)]  # noqa: S311 - not a secret
    for name, entries in (("a known", known), ("an unknown", [os.urandom(32) for _ in known])):
        took = _median(lambda at, entries=entries: log.reading.find(entries[at]))  # type: ignore[misc]
        report.add(f"  index asked for {name} entry, median", 1e6 * took, "us")


def _fill(folder: Path, signer: FileSigner, goal: int) -> None:
    """Bring the log in ``folder`` to ``goal`` entries, straight into its tables; begin it if it is not there."""
    with open_store(folder, create=True) as store:
        at = Log(store.backend, signer, ORIGIN).reading.head().logged_at
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        for pragma in _PLAIN:
            connection.execute(pragma)
        size, kept = connection.execute("SELECT size, frontier FROM head").fetchone()
        frontier, root = cut(kept), b""
        connection.execute("BEGIN")
        for step in _steps(size, goal):
            noise = os.urandom(32 * step)
            made = [noise[at : at + 32] for at in range(0, len(noise), 32)]
            entries = [hashlib.sha256(each).digest() for each in made]
            connection.executemany(_INSERT, zip(count(size), entries, made, repeat(at), strict=False))
            grown = tree.grow(size, frontier, entries, lambda level, number: _tile(connection, level, number))
            tiles = ((tile.level, tile.number, tile.hashes) for tile in grown.tiles)
            connection.executemany("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", tiles)
            size, frontier, root = grown.size, grown.frontier, grown.root
        if root:
            connection.execute("UPDATE head SET size = ?, root = ?, frontier = ?", (size, root, b"".join(frontier)))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")


def _steps(size: int, goal: int) -> Iterator[int]:
    while size < goal:
        step = min(_FILLED, goal - size)
        yield step
        size += step


def _tile(connection: sqlite3.Connection, level: int, number: int) -> bytes:
    found = connection.execute("SELECT hashes FROM tile WHERE level = ? AND number = ?", (level, number)).fetchone()
    return found[0] if found else b""

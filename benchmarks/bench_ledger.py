"""The log beside the limits of this machine: what it could do at most, measured in the same run, and what it does.

``LEDGER_LARGEST=10000000 make bench-ledger`` goes to ten million entries; one million is the default. The share of the
processors that other programs took while it ran is printed first: above some percent the figures are not worth much.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import http_ledger
from tongqiu.ledger import receipt
from tongqiu.ledger.backend import Columns
from tongqiu.ledger.log import Log, Sealed, Submission
from tongqiu.ledger.sequencer import Sequencer
from tongqiu.ledger.verifiers import Verifiers
from tongqiu.seal import keyfile
from tongqiu.seal.statement import new_salt, seal_statement
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.report import Report

LARGEST = int(os.environ.get("LEDGER_LARGEST", "1000000"))
INGEST = 24_000
"""Statements of the batch test."""

PIECE = 256
"""Statements handed to a worker at a time."""

ORIGIN = "bench.example/log"
PARTY = keyfile.from_seed(b"p" * 32)
LOG_KEY = keyfile.from_seed(b"l" * 32)
HERE = Path(__file__).parent


class Share(NamedTuple):
    """Processor time so far, in seconds: of the whole machine, and of this program with its children."""

    all: float
    own: float

    @classmethod
    def now(cls) -> Share:
        """Read both."""
        fields = [int(each) for each in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
        busy = sum(fields) - fields[3] - fields[4]
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        own = sum(each.ru_utime + each.ru_stime for each in used)
        return cls(busy / os.sysconf("SC_CLK_TCK"), own)


def run(report: Report) -> None:
    """Measure the limits, ingest, HTTP, receipts up to the largest log, restart, and two peers."""
    cores = len(os.sched_getaffinity(0))
    before, began = Share.now(), time.perf_counter()
    verify = _verify_rate(cores)
    one = _verify_rate(1)
    report.add(f"limit: raw Ed25519 verification, {cores} cores", verify, "1/s")
    report.add("limit: raw Ed25519 verification, 1 core", one, "1/s")
    report.add("limit: append 4 KiB and flush, median", 1e3 * _flush(), "ms")
    _ingest(report, cores, verify)
    http_ledger.measure(report, _statements(http_ledger.POSTS, 8)[0], PARTY, one)
    _grow(report)
    _peers(report)
    after = Share.now()
    other = (after.all - before.all) - (after.own - before.own)
    report.add("processor time of other programs", 100 * max(other, 0) / (cores * (time.perf_counter() - began)), "%")


# --- limits -----------------------------------------------------------------------------------------------------------


def _verify_rate(cores: int) -> float:
    """Return signatures a second that ``cores`` processes check at once, with nothing around them."""
    context = multiprocessing.get_context("forkserver")
    with context.Pool(cores) as pool:
        pool.map(_verify_some, [10] * cores)
        start = time.perf_counter()
        count = 12_000
        pool.map(_verify_some, [count] * cores, chunksize=1)
        return cores * count / (time.perf_counter() - start)


def _verify_some(count: int) -> None:
    message = b"m" * 320
    signed = PARTY.sign(message)
    for _ in range(count):
        assert PARTY.public.holds(message, signed)


def _flush() -> float:
    with tempfile.TemporaryFile() as file:
        times = []
        for _ in range(200):
            os.write(file.fileno(), b"x" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times)


# --- ingest -----------------------------------------------------------------------------------------------------------


def _statements(count: int, size: int) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """Return sealed statements over contents of ``size`` bytes, and content and salt of each."""
    contents = [(os.urandom(8) + b"c" * (size - 8), new_salt()) for _ in range(count)]
    did = PARTY.public.did
    sealed = [
        seal_statement(content, salt, signer=PARTY, issuer=did, subject=f"urn:example:{number:040}")
        for number, (content, salt) in enumerate(contents)
    ]
    return sealed, contents


def _ingest(report: Report, cores: int, limit: float) -> None:
    sealed, contents = _statements(INGEST, 1024)
    for name, given, bar in (("bare envelopes", [], 0.55), ("envelopes with 1 KiB content", contents, 0.4)):
        with tempfile.TemporaryDirectory() as folder, open_store(Path(folder), create=True) as store:
            log = Log(store.backend, LOG_KEY, ORIGIN)
            with Verifiers(cores) as workers, Sequencer(log) as sequencer:
                _feed(workers, sequencer, sealed[:PIECE], given[:PIECE])
                before, start = time.process_time(), time.perf_counter()
                _feed(workers, sequencer, sealed[PIECE:], given[PIECE:])
                took, writer = time.perf_counter() - start, time.process_time() - before
                assert store.backend.head().size == INGEST + 1
            rate = (INGEST - PIECE) / took
            report.add(
                f"durable, {name}, verified by {cores} workers", rate, "1/s", against=("raw verification", limit)
            )
            report.add("  of which the sequencer's process", 1e6 * writer / (INGEST - PIECE), "us")
            report.add(f"  share of the limit, {name}", rate / limit, "of verify", bar=("at least", bar))


def _feed(
    workers: Verifiers, sequencer: Sequencer, sealed: Sequence[bytes], contents: Sequence[tuple[bytes, bytes]]
) -> None:
    """Hand all of it in, a piece at a time, and wait until the last is durable."""
    key = PARTY.public.cose_key()
    checks = [
        workers.check(sealed[at : at + PIECE], [key] * len(sealed[at : at + PIECE]), contents[at : at + PIECE])
        for at in range(0, len(sealed), PIECE)
    ]
    answers = []
    for check in checks:
        items = check.result()
        kept = [each for each in items if isinstance(each, Sealed)]
        assert len(kept) == len(items)
        answers.append(sequencer.submit(Submission(tuple(kept))))
    for answer in answers:
        answer.result()


# --- size -------------------------------------------------------------------------------------------------------------


def _grow(report: Report) -> None:
    """Grow one log tenfold at a time; at each size make and check receipts; at the end restart and look up."""
    created: dict[int, float] = {}
    checked: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        with open_store(Path(folder), create=True) as store:
            log = Log(store.backend, LOG_KEY, ORIGIN)
            size, goal = 1, 1_000
            while goal <= LARGEST:
                for step in _steps(size, goal):
                    log.append([Submission(tuple(_unsealed(step)))])
                size = goal
                created[goal], checked[goal] = _receipts(log, size)
                goal *= 10
        report_sizes(report, created, checked, 1 / _verify_time())
        start = time.perf_counter()
        with open_store(Path(folder), create=False) as store:
            log = Log(store.backend, LOG_KEY, ORIGIN)
            report.add(f"restart with {size:,} entries", time.perf_counter() - start, "s", bar=("at most", 2))
            _dedup(report, store.backend.find, [log.reading.row(random.randrange(1, size)).entry for _ in range(500)])  # noqa: S311 - not a secret
        report.add(
            "  bytes kept for each entry beyond its 300", Path(folder, "log.sqlite").stat().st_size / size - 300, "B"
        )


def _verify_time() -> float:
    """Return the median seconds of processor time that one raw verification takes."""
    message = b"m" * 320
    signed = PARTY.sign(message)
    times = []
    for _ in range(400):
        start = time.thread_time()
        assert PARTY.public.holds(message, signed)
        times.append(time.thread_time() - start)
    return statistics.median(times)


def report_sizes(report: Report, created: dict[int, float], checked: dict[int, float], verify: float) -> None:
    """Add the rows about receipts at each size."""
    for size, took in created.items():
        report.add(f"receipt made, of {size:,} entries", 1e6 * took, "us")
        report.add(f"  and verified, of {size:,} entries", 1e6 * checked[size], "us")
    first, last = min(created), max(created)
    name = f"growth from {first:,} to {last:,} entries"
    report.add(f"receipt made, {name}", created[last] / created[first], "times", bar=("at most", 2.4))
    report.add(f"receipt verified, {name}", checked[last] / checked[first], "times", bar=("at most", 1.2))
    rate = 1 / checked[last]
    report.add("receipts verified, 1 core, processor time", rate, "1/s", against=("raw verification", verify))
    report.add("  share of the raw rate", rate / verify, "of verify", bar=("at least", 0.6))


def _steps(size: int, goal: int) -> Iterator[int]:
    while size < goal:
        step = min(8192, goal - size)
        yield step
        size += step


def _unsealed(count: int) -> Iterator[Sealed]:
    """Yield entries whose seal nobody checks: the tree and the index are what is measured."""
    columns = Columns("", "urn:example:bench", PARTY.public.did)
    for _ in range(count):
        data = os.urandom(300)
        yield Sealed(data, hashlib.sha256(data).digest(), None, None, columns)


def _receipts(log: Log, size: int) -> tuple[float, float]:
    """Return the median seconds of processor time to make and to verify a receipt of a random entry."""
    made, checked = [], []
    for _ in range(400):
        index = random.randrange(size)  # noqa: S311 - not a secret
        start = time.thread_time()
        data = log.receipt(index)
        made.append(time.thread_time() - start)
        entry = log.reading.row(index).entry
        start = time.thread_time()
        receipt.verify_receipt(data, entry, LOG_KEY.public)
        checked.append(time.thread_time() - start)
    return statistics.median(made), statistics.median(checked)


def _dedup(report: Report, find: Callable[[bytes], int | None], known: list[bytes]) -> None:
    for name, entries in (("a known", known), ("an unknown", [os.urandom(32) for _ in known])):
        times = []
        for entry in entries:
            start = time.perf_counter()
            find(entry)
            times.append(time.perf_counter() - start)
        report.add(f"  index asked for {name} entry, median", 1e6 * statistics.median(times), "us")


# --- peers ------------------------------------------------------------------------------------------------------------


def _peers(report: Report) -> None:
    """Install two peers in an environment of their own and let them do what they can of the same."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        packages = ["pymerkle==7.0.0", "scitt-cose==0.5.0"]
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        if subprocess.run(install, check=False, capture_output=True).returncode:
            report.add("peers could not be installed", 0, "")
            return
        done = subprocess.run(
            [str(python), str(HERE / "peers_ledger.py"), folder], check=True, capture_output=True, text=True
        )
    for name, value, unit in json.loads(done.stdout):
        report.add(f"peer: {name}", value, unit)

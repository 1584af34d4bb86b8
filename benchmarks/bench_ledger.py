"""The log beside the limits of this machine: what it could do at most, measured in the same run, and what it does.

``LEDGER_LARGEST=10000000 make bench-ledger`` goes to ten million entries; one million is the default. The share of the
processors that other programs took while it ran is the first row: above some percent, figures by the clock are not worth
much. Limit and achieved are therefore measured in turn, a slice at a time, and their ratio is the median over the slices.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
import venv
from collections import deque
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from benchmarks import grow_ledger, http_ledger, writers_ledger
from tongqiu.ledger.log import Log, Sealed, Submission, check_in
from tongqiu.ledger.sequencer import Sequencer
from tongqiu.ledger.verifiers import Verifiers
from tongqiu.seal import keyfile
from tongqiu.seal.statement import new_salt, open_statement, seal_statement, verify_statement
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.report import Report
    from tongqiu.ledger.backend import Backend, Batch, Reading

T = TypeVar("T")

LARGEST = int(os.environ.get("LEDGER_LARGEST", "1000000"))
SLICES = 4
SLICE = 16_384
"""Statements of one slice of the batch test."""

PIECE = 1_024
"""Statements handed to a worker at a time: as many as the sequencer writes in one group."""

RAW = 4_000
"""Signatures that each processor checks between two slices."""

ORIGIN = "bench.example/log"
PARTY = keyfile.from_seed(b"p" * 32)
LOG_KEY = keyfile.from_seed(b"l" * 32)
HERE = Path(__file__).parent
_TICK = os.sysconf("SC_CLK_TCK")


class Share(NamedTuple):
    """Processor time so far, in seconds: of the whole machine, and of this program with all that it started."""

    all: float
    own: float

    @classmethod
    def now(cls) -> Share:
        """Read both."""
        fields = [int(each) for each in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
        return cls((sum(fields) - fields[3] - fields[4]) / _TICK, _of_family())


def _of_family() -> float:
    """Return the processor time of this process, its children and theirs, those that have ended included, in seconds."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(folder.name)] = int(fields[1])
            used[int(folder.name)] = sum(map(int, fields[11:15]))
    family = {os.getpid()}
    while found := {each for each, parent in parents.items() if parent in family} - family:
        family |= found
    return sum(used.get(each, 0) for each in family) / _TICK


def run(report: Report) -> None:
    """Measure the limits, ingest, HTTP, receipts up to the largest log, restart, and two peers."""
    cores = len(os.sched_getaffinity(0))
    before, began = Share.now(), time.perf_counter()
    with Raw(cores) as raw:
        one = Raw.alone()
        report.add("limit: raw Ed25519 verification, 1 core", one, "1/s")
        report.add("limit: append 4 KiB and flush, median", 1e3 * _flush(), "ms")
        _ingest(report, raw)
    http_ledger.measure(report, _statements(http_ledger.POSTS, 8)[0], PARTY, one)
    writers_ledger.add(report)
    grow_ledger.measure(report, LOG_KEY, LARGEST)
    _peers(report)
    after = Share.now()
    other = (after.all - before.all) - (after.own - before.own)
    report.add("processor time of other programs", 100 * max(other, 0) / (cores * (time.perf_counter() - began)), "%")
    report.rows.insert(0, report.rows.pop())


# --- limits -----------------------------------------------------------------------------------------------------------


class Raw:
    """As many processes as there are processors, which check signatures with nothing around them."""

    def __init__(self, cores: int) -> None:
        """Start ``cores`` processes."""
        self.cores = cores
        self._pool = multiprocessing.get_context("forkserver").Pool(cores, initializer=_signed)

    def __enter__(self) -> Self:
        """Return the processes."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """End them."""
        self._pool.terminate()
        self._pool.join()

    def measure(self) -> tuple[float, float]:
        """Return signatures a second that all check at once, and the processor time of one, in seconds."""
        start = time.perf_counter()
        busy = self._pool.map(_verify_all, range(self.cores), chunksize=1)
        return self.cores * RAW / (time.perf_counter() - start), statistics.mean(busy) / RAW

    @staticmethod
    def alone() -> float:
        """Return signatures a second of one process, by its processor time."""
        return RAW / _verify_all(0)


@cache
def _signed() -> list[tuple[bytes, bytes]]:
    """Return messages of 320 bytes and their signatures; no two alike, for one again and again takes a twentieth less."""
    return [(message, PARTY.sign(message)) for message in (os.urandom(320) for _ in range(RAW))]


def _verify_all(_: int) -> float:
    """Check all of them and return the processor time it took, in seconds."""
    signed = _signed()
    start = time.thread_time()
    for message, signature in signed:
        assert PARTY.public.holds(message, signature)
    return time.thread_time() - start


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


def _ingest(report: Report, raw: Raw) -> None:
    sealed, contents = _statements(SLICES * SLICE + PIECE, 1024)
    for name, given, bar in (("bare envelopes", [], 0.55), ("envelopes with 1 KiB content", contents, 0.4)):
        rates, limits, shares, busy = [], [], [], 0.0
        with tempfile.TemporaryDirectory() as folder, open_store(Path(folder), create=True) as store:
            log = Log(store.backend, LOG_KEY, ORIGIN)
            with Verifiers(raw.cores) as workers, Sequencer(log) as sequencer:
                _feed(workers, sequencer, sealed[:PIECE], given[:PIECE])
                limit, alone = raw.measure()
                singles = [alone]
                for at in range(PIECE, len(sealed), SLICE):
                    before, start = _of_family(), time.perf_counter()
                    _feed(workers, sequencer, sealed[at : at + SLICE], given[at : at + SLICE])
                    rates.append(SLICE / (time.perf_counter() - start))
                    busy += _of_family() - before
                    before_it, (limit, alone) = limit, raw.measure()
                    limits.append((before_it + limit) / 2)
                    shares.append(rates[-1] / limits[-1])
                    singles.append(alone)
                assert store.backend.head().size == len(sealed) + 1
        verified = f"durable, {name}, verified by {raw.cores} workers"
        against = (f"raw verification, {raw.cores} cores, in turn", statistics.median(limits))
        report.add(verified, statistics.median(rates), "1/s", against=against)
        report.add(f"  share of the limit, {name}", statistics.median(shares), "of verify", bar=("at least", bar))
        each, alone = busy / (SLICES * SLICE), statistics.mean(singles)
        report.add("  the same by processor time, whatever else runs", alone / each, "of verify")
        report.add("  processor time of it all", 1e6 * each, "us", against=("raw verification", 1e6 * alone))
        _parts(report, sealed[:4096], given[:4096], each)


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


class _Timed:
    """A backend that notes how much processor time the plans of the log take."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.planning = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def commit(self, plan: Callable[[Reading], tuple[Batch, T]], *, epoch: int) -> T:
        """Pass it on."""

        def timed(reading: Reading) -> tuple[Batch, T]:
            start = time.thread_time()
            try:
                return plan(reading)
            finally:
                self.planning += time.thread_time() - start

        return self._backend.commit(timed, epoch=epoch)


def _parts(report: Report, sealed: Sequence[bytes], contents: Sequence[tuple[bytes, bytes]], whole: float) -> None:
    """Add where the processor time of one durable statement goes, each part measured by itself in this process."""
    bodies: list[tuple[bytes | None, bytes | None]] = [*contents] or [(None, None)] * len(sealed)
    opened = [open_statement(each) for each in sealed]
    read = _least(lambda: [open_statement(each) for each in sealed])
    signature = _least(lambda: deque((verify_statement(each, PARTY.public) for each in opened), 0))  # type: ignore[func-returns-value]
    items: list[Sealed] = []

    def check() -> None:
        items[:] = [
            check_in(each, PARTY.public, content=content, salt=salt)
            for each, (content, salt) in zip(sealed, bodies, strict=True)
        ]

    checked = _least(check)
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder), create=True) as store:
        timed = _Timed(store.backend)
        log = Log(timed, LOG_KEY, ORIGIN)  # type: ignore[arg-type]
        start, timed.planning = time.thread_time(), 0.0
        for at in range(0, len(items), 1024):
            log.append([Submission((item,)) for item in items[at : at + 1024]])
        appended = time.thread_time() - start
    parts = {
        "the signature": signature,
        "strict reading of the envelope": read,
        "entry hash and content": checked - signature - read,
        "order, duplicates and tree": timed.planning,
        "rows and flush": appended - timed.planning,
    }
    count = len(sealed)
    for name, took in parts.items():
        report.add(f"    {name}", 1e6 * max(took, 0) / count, "us")
    report.add(
        "    handing over between processes, and the rest", 1e6 * max(whole - (checked + appended) / count, 0), "us"
    )


def _least(act: Callable[[], object]) -> float:
    """Return the least processor time of three runs, in seconds."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        act()
        times.append(time.thread_time() - start)
    return min(times)


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

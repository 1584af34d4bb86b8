"""How fast a node keeps what it is told, beside plain SQLite and beside checking signatures; how long a rebuild takes."""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tongqiu.ledger.backend import Columns
from tongqiu.ledger.log import Log, Sealed, Submission, check_in
from tongqiu.practice import Column, Put, View
from tongqiu.record.audience import EVERYONE, STRANGER
from tongqiu.record.statement import Content, Statement, write_content
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.seal.keyfile import FileSigner, generate
from tongqiu.seal.statement import new_salt, open_statement, seal_statement, verify_statement
from tongqiu.store.house import Store, open_store

if TYPE_CHECKING:
    from benchmarks.report import Report

AT = "2026-11-23T08:00:00.000Z"
TITLE = Text(en="Benchmark", zh="基准")
BATCHES = {1: 300, 256: 20, 1024: 8}
"""Batch size, and how many batches of it are timed."""

PAGE = 100
REBUILT = (1_000, 10_000, 100_000)
KIND = "bench.note/1"
WORDS = "words " * 150


def rows_of(statement: Statement) -> Iterator[Put]:
    """Fold of the benchmark's registry: one row a statement, a tenth of them replacing an earlier one."""
    yield Put({"key": statement.body["key"], "words": statement.body["words"][:40], "number": statement.body["number"]})


VIEW = View(
    name="bench_notes",
    version=1,
    title=TITLE,
    reads=(KIND,),
    columns=(
        Column(name="key", title=TITLE),
        Column(name="words", title=TITLE, searched=True),
        Column(name="number", title=TITLE, type="integer"),
    ),
    key=("key",),
    rows="benchmarks.bench_store:rows_of",
)


def run(report: Report) -> None:
    """Measure durable appends by batch size against raw SQLite and Ed25519, then rebuilds of 1e3 to 1e5 statements."""
    signer = generate()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder, "log"), create=True) as store:
        sealed = [
            _sealed(signer, store, number) for number in range(sum(size * runs for size, runs in BATCHES.items()))
        ]
        verified = _rate(len(sealed[:4000]), lambda: _verify(signer, sealed[:4000]))
        report.add("Ed25519 envelopes opened and verified, one core", verified, "1/s")
        log = Log(store.backend, signer, "bench.example")
        place = 0
        for size, runs in BATCHES.items():
            chosen = [sealed[place + size * each : place + size * (each + 1)] for each in range(runs)]
            place += size * runs
            raw = _raw(Path(folder, f"raw{size}"), chosen)
            kept = _median_rate(size, chosen, lambda batch: log.append([Submission((item,)) for item in batch]))
            name = f"durable statements, 1 KiB content, batches of {size}"
            report.add(name, kept, "1/s", against=("raw SQLite, same bytes and flush", raw))
            if size == max(BATCHES):
                both = 1 / (1 / verified + 1 / kept)
                against = ("Ed25519 verification alone", verified)
                report.add("verified and kept on one core, one after the other", both, "1/s", against=against)
        report.add("share of one core's verification rate", both / verified, "of verify", bar=("at least", 0.4))
    _rebuilds(report)


def _rebuilds(report: Report) -> None:
    signer = generate()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder), create=True) as store:
        registry = store.registry([VIEW])
        log = Log(store.backend, signer, "bench.example")
        size, each = 0, 0.0
        for goal in REBUILT:
            while size < goal:
                step = min(1000, goal - size)
                log.append([Submission(tuple(_bare(signer, store, size + number) for number in range(step)))])
                size += step
            registry.catch_up()
            live = registry.digest(VIEW.name)
            start = time.perf_counter()
            registry.rebuild()
            took = time.perf_counter() - start
            assert registry.digest(VIEW.name) == live
            first = each or took / goal
            each = each or first
            report.add(f"rebuild of {goal:,} statements", took, "s")
            report.add("  for each statement", 1e6 * took / goal, "us", against=("with 1,000", 1e6 * first))
            start = time.perf_counter()
            page = registry.select(VIEW, principal=STRANGER, now=AT, limit=PAGE)
            assert len(page.rows) == PAGE
            report.add(f"  first page and count, of {page.total:,} rows", 1e3 * (time.perf_counter() - start), "ms")
        report.add(
            "growth of a rebuild for each statement, 1e3 to 1e5", took / goal / first, "times", bar=("at most", 2)
        )


def _content(issuer: str, number: int) -> bytes:
    body = {"key": f"k{number % (max(REBUILT) * 9 // 10)}", "words": WORDS, "number": number}
    subject = Subject(type="system", id="urn:example:bench")
    return write_content(
        Content(kind=KIND, schema="sha-256:" + "0" * 64, subject=subject, issuer=issuer, at=AT, body=body)
    )


def _sealed(signer: FileSigner, store: Store, number: int) -> Sealed:
    content, salt, issuer = _content(signer.public.did, number), new_salt(), signer.public.did
    sealed = seal_statement(content, salt, signer=signer, issuer=issuer, subject="urn:example:bench")
    audience = store.audience_id(EVERYONE, issuer)
    return check_in(sealed, signer.public, content=content, salt=salt, kind=KIND, audience=audience)


def _bare(signer: FileSigner, store: Store, number: int) -> Sealed:
    """Return a record whose seal is not checked: rebuilding is what is measured."""
    issuer = signer.public.did
    columns = Columns(KIND, "urn:example:bench", issuer, store.audience_id(EVERYONE, issuer))
    return Sealed(os.urandom(300), os.urandom(32), _content(issuer, number), new_salt(), columns)


def _verify(signer: FileSigner, sealed: list[Sealed]) -> None:
    for item in sealed:
        verify_statement(open_statement(item.statement), signer.public)


def _raw(path: Path, batches: list[list[Sealed]]) -> float:
    """Return rows a second of the least that could be written: the same bytes, one unique key, the same flush."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(
        "CREATE TABLE t (idx INTEGER PRIMARY KEY, entry BLOB UNIQUE, statement BLOB, content BLOB, salt BLOB)"
    )

    def write(batch: list[Sealed]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        rows = [(item.entry, item.statement, item.content, item.salt) for item in batch]
        connection.executemany("INSERT INTO t (entry, statement, content, salt) VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

    rate = _median_rate(len(batches[0]), batches, write)
    connection.close()
    return rate


def _rate(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _median_rate(size: int, batches: list[list[Sealed]], work: Callable[[list[Sealed]], object]) -> float:
    """Return statements a second at the median time of a batch."""
    times = []
    for batch in batches:
        start = time.perf_counter()
        work(batch)
        times.append(time.perf_counter() - start)
    return size / statistics.median(times)

"""The audit of a corpus: how fast, how much memory, how right, beside what the machine can do and what other tools do.

The corpus is one gigabyte of real text in some fifty languages (:mod:`benchmarks.corpus`); every figure of one table is of one run
on one machine. ``TONGQIU_CORPUS`` names a folder to keep it in between runs, and the environments of other tools beside it; without
it both are made in a temporary folder. Rates are MB of text (UTF-8, without the JSON around it) a second. What else the issue
of data asks for is measured by scripts of their own, which ``run`` calls at the end.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.report import Report

MEGABYTES = 1000
TARGET, BAR = 80.0, 60.0
"""MB a second on two cores: what is hoped for, what must hold."""
PERSONAL = 140.0
"""MB of text for each second of processor that the search for identifiers must reach."""
AS_INSTALLED, SAME_MODEL = 100.0, 25.0
"""How many times as fast as Data-Juicer, by processor time."""
PATTERNS, COUNTRIES = 60, 40
SAMPLE = 120_000_000
"""Bytes of text on which the parts of the kernel are timed by themselves."""


class Timed(NamedTuple):
    """One run in a process of its own: seconds on the clock, of processor, peak memory in MB, and what it said."""

    wall: float
    cpu: float
    memory: float
    said: dict[str, Any]


def run(report: Report) -> None:
    """Add every row."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("TONGQIU_CORPUS") or temporary)
        corpus = folder / "corpus.jsonl"
        if not corpus.exists():
            subprocess.run(
                [sys.executable, "-m", "benchmarks.corpus", "--out", str(folder), "--megabytes", str(MEGABYTES)],
                check=True,
            )
        ours = whole(report, corpus)
        parts(report, corpus)
        runners(report, corpus)
        others(report, corpus, folder / "environments", ours)


def whole(report: Report, corpus: Path) -> float:
    """Audit the whole corpus with everything; return MB of text for each second of processor."""
    plain = child("read", corpus)
    once = child("audit", corpus, "here")
    megabytes = float(once.said["bytes"]) / 1e6
    report.add("text of the corpus", megabytes, "MB", bar=("at least", MEGABYTES))
    report.add("documents", once.said["documents"], "1")
    report.add(
        f"full audit on two cores, by the clock (target {TARGET:g})",
        megabytes / once.wall,
        "MB/s",
        against=("reading and hashing the same file, one core", megabytes / plain.wall),
        bar=("at least", BAR),
    )
    report.add("full audit, by processor time", megabytes / once.cpu, "MB/CPU-s")
    report.add("peak memory of the audit", once.memory, "MB")
    for name, seconds in once.said["stages"].items():
        report.add(f"of that, {name}", seconds, "CPU-s", against=("all", once.cpu))
    report.add("bytes of index a document, on disk", once.said["index"], "B")
    return megabytes / once.cpu


def parts(report: Report, corpus: Path) -> None:
    """Time each part of the kernel by itself, on one core, over the same batches."""
    told = child("parts", corpus)
    for name, rate in told.said["rates"].items():
        report.add(
            f"part of the kernel: {name}",
            rate,
            "MB/CPU-s",
            bar=("at least", PERSONAL) if name == "personal data" else None,
        )
    report.add("patterns of identifiers", told.said["patterns"], "1", bar=("at least", PATTERNS))
    report.add("countries of identifiers", told.said["countries"], "1", bar=("at least", COUNTRIES))


def runners(report: Report, corpus: Path) -> None:
    """Give a tenth of the corpus to every engine: the digest of all results must be the same."""
    with tempfile.TemporaryDirectory() as temporary:
        tenth = Path(temporary) / "tenth.jsonl"
        with corpus.open("rb") as stream, tenth.open("wb") as out:
            for number, line in enumerate(stream):
                if number % 10 == 0:
                    out.write(line)
        found = {engine: child("audit", tenth, engine) for engine in ("here", "daft", "ray")}
    digests = {each.said["digest"] for each in found.values()}
    report.add("different digests of results of three engines", len(digests), "1", bar=("at most", 1))
    for engine, each in found.items():
        report.add(f"a tenth of the corpus, {engine}", each.said["bytes"] / 1e6 / each.wall, "MB/s")


def others(report: Report, corpus: Path, environments: Path, ours: float) -> None:
    """Set our rate beside that of others, and once more with their model of languages over the whole text."""
    from benchmarks import peers_dataset

    same = child("same-model", corpus).said["rate"]
    for peer in sorted(peers_dataset.INSTALLS):
        rate = peers_dataset.measure(peer, corpus, environments)
        started = rate.sizes[1] / 1e6 / rate.seconds[1]
        juicer = peer == "data-juicer"
        report.add(f"{peer}, {rate.sizes[1] / 1e6:.0f} MB, with starting", started, "MB/CPU-s")
        report.add(f"{peer}, without starting", rate.rate, "MB/CPU-s")
        report.add(
            f"full audit against {peer} as installed (with its starting)",
            ours / started,
            "times",
            bar=("at least", AS_INSTALLED if juicer else 1.0),
        )
        report.add(
            f"full audit against {peer}, its starting left out",
            ours / rate.rate,
            "times",
            bar=("at least", AS_INSTALLED if juicer else 1.0),
        )
        report.add(
            f"full audit with the same language model on full text against {peer}, both without starting",
            same / rate.rate,
            "times",
            bar=("at least", SAME_MODEL if juicer else 1.0),
        )


# --- in a process of its own --------------------------------------------------------------------------------------------


def child(task: str, corpus: Path, *more: str) -> Timed:
    """Run one task in a process of its own and return what it took, with all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_dataset", task, str(corpus), *more], check=True, stdout=subprocess.PIPE
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = json.loads(done.stdout.decode().strip().split("\n")[-1])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(wall, cpu, said.get("memory", 0.0), said)


def _read(corpus: Path) -> dict[str, Any]:
    """Read the file and hash it: the least that anything must do."""
    import hashlib

    with corpus.open("rb") as stream:
        return {"digest": hashlib.file_digest(stream, "blake2b").hexdigest()}


def _audit(corpus: Path, engine: str) -> dict[str, Any]:
    """Run the whole audit as the check of a data set does, in a folder that is then removed."""
    from tongqiu.practices.dataset.corpus import auditing, source
    from tongqiu.practices.dataset.corpus import engine as engines

    keys = source.Keys(source="source", time="time", language="language")
    planned = source.plan(corpus, keys)
    with tempfile.TemporaryDirectory() as kept:
        began = time.process_time()
        marks: list[float] = []
        outcome = engines.run(
            planned,
            keys,
            kept=Path(kept),
            engine=engine,
            progress=lambda done, total: marks.append(time.process_time()) if done == total else None,
        )
        ended = time.process_time()
        body = auditing.audit(outcome, planned, engine=engine)
        told = time.process_time()
        looked = marks[0] if marks else ended
    return {
        "bytes": body.bytes,
        "documents": body.documents,
        "digest": body.digest,
        "index": body.means.bytes_per_document,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "stages": {
            "looking at documents": looked - began,
            "copies": ended - looked,
            "putting the record together": told - ended,
        },
    }


def _batches(corpus: Path, most: int) -> list[Any]:
    """Return batches of texts evenly drawn from the corpus, about ``most`` bytes together."""
    import numpy as np

    from tongqiu.scan.screen import Strings

    step = max(1, int(corpus.stat().st_size / most / 1.08))
    with corpus.open("rb") as stream:
        texts = [json.loads(line)["text"].encode() for number, line in enumerate(stream) if number % step == 0]
    return [
        Strings(
            np.frombuffer(b"".join(part), dtype=np.uint8),
            np.concatenate([[0], np.cumsum([len(text) for text in part])]).astype(np.int64),
        )
        for part in (texts[at : at + 8192] for at in range(0, len(texts), 8192))
    ]


def _rate(batches: list[Any], work: Callable[[Any], object]) -> float:
    """Return MB of text for each second of processor that ``work`` takes, after one batch that is not counted."""
    work(batches[0])
    began = time.process_time()
    for batch in batches:
        work(batch)
    return sum(int(batch.offsets[-1]) for batch in batches) / 1e6 / (time.process_time() - began)


def _parts(corpus: Path) -> dict[str, Any]:
    from tongqiu.practices.dataset.corpus import counting, kernel, lists, tongues
    from tongqiu.scan import screen

    batches = _batches(corpus, SAMPLE)
    counted = {id(batch): counting.count(batch).scripts for batch in batches}
    known = screen.schemes()
    return {
        "rates": {
            "the whole kernel": _rate(batches, kernel.audit_batch),
            "statistics, five-word sequences, MinHash": _rate(batches, counting.count),
            "language": _rate(batches, lambda batch: tongues.hear(batch, counted[id(batch)])),
            "personal data": _rate(batches, screen.screen),
            "word lists and published sets": _rate(batches, lists.meet),
        },
        "patterns": len(known),
        "countries": len({scheme.country for scheme in known if scheme.country}),
    }


def _same_model(corpus: Path) -> dict[str, Any]:
    """Time reading, audit and search for copies with lid.176 over the whole of each text, and nothing else of language.

    All but starting and putting the record together, on one core, over documents evenly drawn.
    """
    from functools import partial

    from tongqiu.practices.dataset.corpus import engine, kernel, piece, source, tongues
    from tongqiu.practices.dataset.corpus.duplicates import Index

    audit = partial(kernel.audit_batch, engines=kernel.Engines(languages=tongues.Engines("lid", whole=True)))
    for batch in _batches(corpus, 1_000_000):
        audit(batch)
    step = max(1, int(corpus.stat().st_size / (SAMPLE // 2) / 1.08))
    keys = source.Keys(source="source", time="time", language="language")
    with tempfile.TemporaryDirectory() as temporary:
        sample = Path(temporary) / "sample.jsonl"
        with corpus.open("rb") as stream, sample.open("wb") as out:
            out.writelines(line for number, line in enumerate(stream) if number % step == 0)
        store = engine.Kept(Path(temporary), "")
        index = Index(Path(temporary) / "index")
        size = 0
        began = time.process_time()
        for shard in source.shards(source.plan(sample, keys), keys, lambda _file, _troubles: None):
            looked = piece.look(shard, keys, audit)
            size += looked.summary.stats["bytes"]
            index.take(shard.number << piece.SHARD_BITS, looked.audited)
            store.put(looked)
        index.finish()
        return {"rate": size / 1e6 / (time.process_time() - began)}


def _main(task: str, corpus: Path, *more: str) -> None:
    tasks: dict[str, Callable[..., dict[str, Any]]] = {
        "read": _read,
        "audit": _audit,
        "parts": _parts,
        "same-model": _same_model,
    }
    print(json.dumps(tasks[task](corpus, *more)))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])

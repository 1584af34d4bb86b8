"""A corpus looked at piece by piece, here, in Daft, or on a cluster: one code, one answer, and nothing done twice after a stop.

Pieces are looked at in any order and on any machine; what each gave is kept on disk at once, and put together in the order
of the pieces. On a cluster the files must be at the same path on every machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from tongqiu.practices.dataset.corpus import kernel, piece, source, summary
from tongqiu.practices.dataset.corpus.duplicates import Groups, Index, Marks
from tongqiu.practices.dataset.corpus.piece import SHARD_BITS, Looked
from tongqiu.practices.dataset.corpus.troubles import Spot, Troubles, missing_column
from tongqiu.record.faults import Refused, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from tongqiu.practices.dataset.corpus.columns import Column
    from tongqiu.practices.dataset.corpus.source import Keys, Plan, Shard
    from tongqiu.practices.dataset.corpus.summary import Summary

METHOD: Final = "tongqiu.dataset-audit@1"

ENGINES: Final = ("here", "daft", "ray")
"""By what a corpus is looked at: threads of this process, Daft on this machine, Daft on a Ray cluster."""

SPLITS: Final = {"train": 1, "validation": 2, "test": 3}
"""Numbers of the usual parts of a corpus; others get one by their digest."""


class Outcome(NamedTuple):
    """What a run gave: the counts, the groups of repeats, the places' files, and how many pieces were already there."""

    summary: Summary
    groups: Groups
    spots: Spots
    kept: Kept
    pieces: int
    resumed: int
    repeats: dict[str, dict[str, tuple[int, int]]]
    """By slice and value: documents that repeat an earlier one exactly, and nearly."""

    def spot_of(self, number: int) -> Spot:
        """Return the place of the document of this number (:data:`piece.SHARD_BITS`) as piece and record.

        Documents of a piece are numbered as they were given; records that were left out make the number of a record greater.
        """
        shard = number >> SHARD_BITS
        return shard, self.kept.record(shard, number & ((1 << SHARD_BITS) - 1))

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that was computed, whatever engine did it."""
        plain = self.groups._replace(flags=None, bytes_per_document=0.0)  # type: ignore[arg-type]
        told = msgspec.json.encode((plain._replace(flags=None), self.repeats), order="sorted")  # type: ignore[arg-type]
        return hashlib.sha256(self.summary.encode() + told).hexdigest()


def run(  # noqa: PLR0913 - what to look at, where to keep it, by what, and whom to tell
    plan: Plan,
    keys: Keys,
    *,
    kept: Path,
    engine: str = "here",
    progress: Callable[[float, float | None], None] | None = None,
    threshold: float = 0.7,
    workers: int = 0,
) -> Outcome:
    """Look at every document of ``plan``, keeping in the folder ``kept`` what a run after a stop goes on from.

    Raises Refused (``corpus.engine``) for an engine that is not known, Missing (``dataset.column``) when no file has the column
    of texts, Missing (``corpus.extra``) when a library is absent, Unreachable (``corpus.workers-lost``) when pieces fail again
    and again.
    """
    name, _, address = engine.partition(":")
    if name not in ENGINES:
        raise Refused(
            "corpus.engine",
            Text(en="This engine is not known: {engine}.", zh="未知的计算引擎：{engine}。"),
            do=Text(en="Name here, daft or ray.", zh="请填写 here、daft 或 ray。"),
            engine=engine[:40],
        )
    store = Kept(kept, _fingerprint(plan, keys))
    broken: dict[int, Troubles] = {}

    def told(file: int, troubles: Troubles) -> None:
        broken.setdefault(file, Troubles()).take(troubles)

    index = Index(kept / "index")
    spots = Spots()
    meter = _Meter(progress, plan.size)

    def wanted() -> Iterator[Shard]:
        for shard in source.shards(plan, keys, told):
            spots.add(shard)
            if store.has(shard.number):
                meter.step(shard.weight)
            else:
                meter.weights[shard.number] = shard.weight
                yield shard

    resumed = store.count()
    for looked in _mapped(name, address, wanted(), keys, workers):
        index.take(looked.number << SHARD_BITS, looked.audited, _marks(looked))
        store.put(looked)
        meter.step(meter.weights.pop(looked.number, 0))
    whole = summary.nothing()
    whole.note(-1, plan.troubles)
    for number in range(spots.count):
        whole = whole.merge(store.get(number).summary)
    for file, troubles in sorted(broken.items()):
        whole.note(file, troubles)
    spots.settle(whole)
    if not whole.totals.get("documents") and "corpus.column" in whole.troubles:
        raise missing_column(keys.text, (), "")
    groups = index.finish(threshold)
    return Outcome(whole, groups, spots, store, spots.count, resumed, _repeats(store, groups, spots.count))


def _mapped(name: str, address: str, shards: Iterator[Shard], keys: Keys, workers: int) -> Iterator[Looked]:
    if name == "here":
        yield from _here(shards, keys, workers or os.cpu_count() or 1)
        return
    from tongqiu.practices.dataset.corpus import daft_runner

    yield from daft_runner.mapped(shards, keys, on_ray=name == "ray", address=address)


def _here(shards: Iterator[Shard], keys: Keys, workers: int) -> Iterator[Looked]:
    """Look at pieces in threads; at most one more than there are threads is in hand."""
    with ThreadPoolExecutor(workers) as pool, ThreadPoolExecutor(1) as aside:
        aside.submit(kernel.prepare)
        running: set[Future[Looked]] = set()
        try:
            for shard in shards:
                running.add(pool.submit(piece.look, shard, keys))
                if len(running) > workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for each in done:
                        yield each.result()
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    yield each.result()
        finally:
            for each in running:
                each.cancel()


def _marks(looked: Looked) -> Marks:
    """Return numbers for the split and the source of each document, the same for a name everywhere."""
    numbers = {}
    for by, most in (("split", 60), ("source", 65_535)):
        column = looked.slices[by]
        table = np.asarray([number_of(value, most) for value in column.values], dtype=np.uint16)
        numbers[by] = table[column.codes]
    return Marks(numbers["split"], numbers["source"])


def number_of(name: str, most: int) -> int:
    """Return the number of a name: 0 for none, fixed for the usual splits, else by its digest, from 4 (splits) or 1 on."""
    if not name:
        return 0
    rank = int.from_bytes(summary.rank_of(name), "big")
    if most == 60:  # noqa: PLR2004 - splits, of which an index tells 63 apart
        return SPLITS.get(name) or 4 + rank % most
    return 1 + rank % most


def _repeats(store: Kept, groups: Groups, pieces: int) -> dict[str, dict[str, tuple[int, int]]]:
    """Count by slice the documents that repeat an earlier one."""
    out: dict[str, dict[str, tuple[int, int]]] = {by: {} for by in summary.BY}
    for number in range(pieces):
        slices = store.get(number).slices
        count = len(next(iter(slices.values())).codes)
        flags = groups.flags.read(number << SHARD_BITS, count)
        if not flags.any():
            continue
        for by, column in slices.items():
            _count(out[by], column, flags)
    return {by: dict(sorted(values.items())) for by, values in out.items()}


def _count(
    table: dict[str, tuple[int, int]], column: Column, flags: np.ndarray[tuple[int], np.dtype[np.uint8]]
) -> None:
    exact = np.bincount(column.codes, weights=flags & 3 == 1, minlength=len(column.values))
    near = np.bincount(column.codes, weights=flags & 3 == 2, minlength=len(column.values))  # noqa: PLR2004 - duplicates.NEAR
    for code in np.flatnonzero(exact + near).tolist():
        before = table.get(column.values[code], (0, 0))
        table[column.values[code]] = (before[0] + int(exact[code]), before[1] + int(near[code]))


def _fingerprint(plan: Plan, keys: Keys) -> str:
    """Return a digest of all that has a say in what a piece gives; what was kept under another is of no use."""
    files = [(file.path, file.place, file.size, Path(file.place).stat().st_mtime_ns, file.form) for file in plan.files]
    said = msgspec.json.encode((METHOD, kernel.method(), source.PIECE, msgspec.to_builtins(keys), files))
    return hashlib.sha256(said).hexdigest()


class _Meter:
    """How far a run is, in bytes of files."""

    def __init__(self, progress: Callable[[float, float | None], None] | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self.weights: dict[int, int] = {}

    def step(self, weight: int) -> None:
        """Say that so many bytes more are done."""
        self._done += weight
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)


class Spots:
    """Where pieces stand in their files, so that a place can be told as a file and the number of a record in it."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0
        self._file: list[int] = []
        self._bundle: list[bool] = []
        self._base: list[int] = []

    def add(self, shard: Shard) -> None:
        """Note one piece; they come in order."""
        self.count += 1
        self._file.append(shard.file)
        self._bundle.append(len(shard.places) > 1)

    def settle(self, whole: Summary) -> None:
        """Learn how many records each piece held."""
        self._base = []
        file, base = -1, 0
        for number in range(self.count):
            if self._file[number] != file:
                file, base = self._file[number], 0
            self._base.append(base)
            base += whole.shards.get(number, 0)

    def of(self, spot: Spot) -> tuple[int, int]:
        """Return the file (its number in the plan) and the number of the record in it."""
        number, record = spot
        if self._bundle[number]:
            return self._file[number] + max(0, record - 1), min(record, 1)
        return self._file[number], self._base[number] + record if record else 0


class Kept:
    """What each piece gave, one file each: whole or not at all, and on disk before it counts."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Use ``folder``; whatever was kept of another corpus, of other files or by other means is let go."""
        self._folder = folder / "pieces"
        mark = folder / "corpus"
        if not mark.exists() or mark.read_text("utf-8") != fingerprint:
            for old in ("pieces", "index"):
                shutil.rmtree(folder / old, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            self._folder.mkdir()
            _durable(mark, fingerprint.encode())
        self._records: dict[int, NDArray[np.int32]] = {}
        self._there = {int(path.stem) for path in self._folder.glob("*.piece")}

    def has(self, number: int) -> bool:
        """Return whether a piece is there and sound."""
        if number not in self._there:
            return False
        data = self._path(number).read_bytes()
        if hashlib.blake2b(data[32:], digest_size=32).digest() != data[:32]:
            self._there.discard(number)
            return False
        return True

    def count(self) -> int:
        """Return how many pieces are there."""
        return len(self._there)

    def put(self, looked: Looked) -> None:
        """Keep what a piece gave; it is on disk when this returns. Raises Unreachable (``corpus.disk``) when the disk is full."""
        data = piece.encode(looked, index=False)
        try:
            _durable(self._path(looked.number), hashlib.blake2b(data, digest_size=32).digest() + data)
        except OSError as error:
            raise Unreachable(
                "corpus.disk",
                Text(en="The disk did not take what was computed.", zh="磁盘无法保存计算结果。"),
                do=Text(
                    en="Make room and run it again; it goes on where it was.",
                    zh="请腾出空间后重新运行，将从中断处继续。",
                ),
            ) from error
        self._there.add(looked.number)

    def get(self, number: int) -> Looked:
        """Return what a piece gave."""
        return piece.decode(self._path(number).read_bytes()[32:])

    def record(self, number: int, document: int) -> int:
        """Return the number of the record that a document of a piece (from 0) came from."""
        records = self._records.get(number)
        if records is None:
            if len(self._records) >= 64:  # noqa: PLR2004 - pieces remembered
                self._records.clear()
            records = self._records[number] = self.get(number).records
        return int(records[document])

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}.piece"


def _durable(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and onto the disk."""
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    with contextlib.suppress(OSError):  # some systems open no folders
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

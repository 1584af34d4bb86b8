"""The tree over all entries: one fingerprint for the whole log, and short proofs for any part of it.

This is the Merkle tree of RFC 9162 section 2.1 with SHA-256. Its nodes are kept in *tiles* of 256 (C2SP tlog-tiles): tile
``(L, N)`` holds the roots of 256 consecutive perfect subtrees of ``256**L`` leaves each. Appending touches one tile per
level and needs only the *frontier* (the perfect subtrees of the current size); every proof reads at most two tiles per
level, so all of it stays O(log n).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from tongqiu.ledger.backend import EMPTY_ROOT, Tile
from tongqiu.record.faults import Unproven
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HASH_BYTES: Final = 32
TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
MAX_PATH: Final = 63
"""Longest proof path: trees have fewer than 2**63 entries."""

_CACHED_TILES = 256
_WHOLE = frozenset({HASH_BYTES})
_DO = Text(
    en="Trust nothing that rests on it; ask the log for a new proof.", zh="请勿信任依赖它的内容；请向日志重新索取证明。"
)


class Grown(NamedTuple):
    """The tree after an append."""

    size: int
    frontier: tuple[bytes, ...]
    root: bytes
    tiles: tuple[Tile, ...]


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(frontier: Sequence[bytes]) -> bytes:
    """Return the root of the tree whose perfect subtrees have the roots ``frontier``, largest first."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def grow(size: int, frontier: Sequence[bytes], entries: Iterable[bytes], tile: Callable[[int, int], bytes]) -> Grown:
    """Append ``entries`` (32-byte entry hashes) to a tree of ``size`` with ``frontier``.

    ``tile(level, number)`` returns the hashes kept so far; it is asked once for each tile that is begun and not full.
    Amortised O(1) hashes an entry. Raises ValueError if the frontier does not fit the size.
    """
    if len(frontier) != size.bit_count():
        raise ValueError("a frontier has one root for each 1 bit of the size")
    stack = list(frontier)
    open_tiles: dict[tuple[int, int], bytearray] = {}

    def put(level: int, position: int, value: bytes) -> None:
        """Write a node into its tile."""
        key = (level, position // TILE_WIDTH)
        held = open_tiles.get(key)
        if held is None:
            width = position % TILE_WIDTH
            held = open_tiles[key] = bytearray(tile(*key)[: width * HASH_BYTES] if width else b"")
            if len(held) != width * HASH_BYTES:
                raise torn_tile(*key)
        held += value

    sha256 = hashlib.sha256
    for entry in entries:
        node = sha256(b"\x00" + entry).digest()
        put(0, size, node)
        size += 1
        height, count = 0, size
        while not count & 1:
            node = sha256(b"\x01" + stack.pop() + node).digest()
            height, count = height + 1, count >> 1
            if not height % TILE_HEIGHT:
                put(height // TILE_HEIGHT, count - 1, node)
        stack.append(node)
    tiles = tuple(Tile(level, number, bytes(held)) for (level, number), held in sorted(open_tiles.items()))
    return Grown(size, tuple(stack), root_of(stack), tiles)


Known: TypeAlias = "dict[tuple[int, int], tuple[bytes, ...]]"
"""The upper parts of paths in a tree of one size, by the height they begin at and the node there."""


class Tiles:
    """Reads roots and proofs of any past size out of tiles, keeping worked-out tiles at hand.

    ``tile(level, number)`` is the backend's: it may return more hashes than an older size needs, never fewer. One object
    may be used by several threads: it holds nothing but a cache of values that never change.
    """

    def __init__(self, tile: Callable[[int, int], bytes]) -> None:
        """Read through ``tile``."""
        self._tile = tile
        # Tiles of leaves and those above them apart: a walk through the leaves must not drive out what every path needs.
        self._leaves: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()
        self._above: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def root(self, size: int) -> bytes:
        """Return the root over the first ``size`` entries. Raises Unproven (``tree.tile``) for missing tiles."""
        return self._range(0, size) if size else EMPTY_ROOT

    def frontier(self, size: int) -> tuple[bytes, ...]:
        """Return the roots of the perfect subtrees of the first ``size`` entries, largest first."""
        found, start = [], 0
        for height in range(size.bit_length() - 1, -1, -1):
            if size >> height & 1:
                found.append(self._perfect(height, start >> height, size))
                start += 1 << height
        return tuple(found)

    def inclusion(self, index: int, size: int, known: Known | None = None) -> tuple[bytes, ...]:
        """Return the path from leaf ``index`` to the root of ``size`` (RFC 9162 section 2.1.3.1), lowest first.

        Whoever asks for many paths of one ``size`` hands in one empty dictionary: neighbours share all of their paths but
        the lowest part. Raises ValueError unless ``0 <= index < size``.
        """
        if not 0 <= index < size:
            raise ValueError("the index lies outside the tree")
        # Below the level where the leaf and the last one meet, every neighbour is the root of a perfect subtree.
        inner = (index ^ (size - 1)).bit_length()
        low = min(TILE_HEIGHT, max(inner - 1, 0))
        key = (low, index >> low)
        above = None if known is None else known.get(key)
        if above is None:
            above = self._path_above(index, size, low, inner)
            if known is not None:
                known[key] = above
        if not low:
            return above
        number, at = divmod(index, TILE_WIDTH)
        rows = self._worked_out(0, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
        return (*[rows[height][at >> height ^ 1] for height in range(low)], *above)

    def _path_above(self, index: int, size: int, low: int, inner: int) -> tuple[bytes, ...]:
        """Return the path from height ``low`` on, where leaf and last leaf meet at height ``inner``, above ``low``."""
        path = [self._perfect(height, index >> height ^ 1, size) for height in range(low, inner - 1)]
        if inner:
            # The one neighbour that holds the last leaf, and may be no perfect tree.
            path.append(self._range((size - 1) >> (inner - 1) << (inner - 1), size))
        left = range(inner, (size - 1).bit_length())
        path += [self._perfect(height, (index >> height) - 1, size) for height in left if index >> height & 1]
        return tuple(path)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of ``old`` is a beginning of that of ``new`` (RFC 9162 section 2.1.4.1).

        Raises ValueError unless ``0 < old <= new``.
        """
        if not 0 < old <= new:
            raise ValueError("the older size must be above 0 and not above the newer")
        path, start, stop, whole = [], 0, new, True
        while old != stop:
            middle = start + _split(stop - start)
            if old <= middle:
                path.append(self._range(middle, stop))
                stop = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range(start, stop))
        return tuple(reversed(path))

    def _range(self, start: int, stop: int) -> bytes:
        """Return the root over the leaves from ``start`` to ``stop``, where ``start`` is a multiple of the widest part."""
        parts = []
        at = start
        for height in range((stop - start).bit_length() - 1, -1, -1):
            if (stop - start) >> height & 1:
                parts.append(self._perfect(height, at >> height, stop))
                at += 1 << height
        return root_of(parts)

    def _perfect(self, height: int, position: int, size: int) -> bytes:
        """Return the root of the ``position``-th perfect subtree of 2**height leaves, which lies below ``size``."""
        level, above = divmod(height, TILE_HEIGHT)
        first = position << above
        number = first // TILE_WIDTH
        width = min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - number * TILE_WIDTH)
        return self._worked_out(level, number, width)[above][first % TILE_WIDTH >> above]

    def _worked_out(self, level: int, number: int, width: int) -> list[list[bytes]]:
        """Return all complete nodes above the hashes of a tile, of which at least ``width`` are needed, by height.

        A tile only ever grows; one that was read before and now begins differently has been tampered with.
        """
        key = (level, number)
        cache = self._above if level else self._leaves
        rows = cache.get(key)
        if rows is not None and len(rows[0]) >= width:
            return rows
        hashes = self._tile(level, number)
        row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
        if len(row) < width or (rows is not None and row[: len(rows[0])] != rows[0]):
            raise torn_tile(level, number)
        rows, sha256 = [row], hashlib.sha256
        while len(row) > 1:
            # Written out, because a tile is 255 of these.
            row = [sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]
            rows.append(row)
        cache[key] = rows
        while len(cache) > _CACHED_TILES:
            cache.popitem(last=False)
        return rows


def root_from_inclusion(entry: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that the path leads to (RFC 9162 section 2.1.3.2); the caller compares it with a trusted one.

    Raises Unproven (``tree.inclusion``) if the path has not the one length that index and size ask for.
    """
    if not 0 <= index < size or len(path) > MAX_PATH or not _WHOLE.issuperset(map(len, path)):
        raise _no_inclusion()
    # Below the level where index and last index meet, the bits of the index say on which side the neighbour stands;
    # above it there are left neighbours alone, one for each bit that is set.
    inner = (index ^ (size - 1)).bit_length()
    if len(path) != inner + (index >> inner).bit_count():
        raise _no_inclusion()
    # Written out, because a proof is twenty of these: half of the time of a function for each.
    sha256, root, side = hashlib.sha256, leaf_hash(entry), index
    for part in path[:inner]:
        root = sha256(b"\x01" + part + root if side & 1 else b"\x01" + root + part).digest()
        side >>= 1
    for part in path[inner:]:
        root = sha256(b"\x01" + part + root).digest()
    return root


def verify_inclusion(entry: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Prove that ``entry`` is at ``index`` of the tree with ``size`` and ``root``. Raises Unproven (``tree.inclusion``)."""
    if root_from_inclusion(entry, index, size, path) != root:
        raise _no_inclusion()


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Prove that the older tree is a beginning of the newer (RFC 9162 section 2.1.4.2).

    A tree is consistent with itself by an empty path, and the empty tree with any. Raises Unproven
    (``tree.consistency``).
    """
    if not 0 <= old <= new or len(path) > MAX_PATH + 1 or any(len(part) != HASH_BYTES for part in path):
        raise _no_consistency()
    if old in {0, new}:
        if path or old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise _no_consistency()
        return
    nodes = list(path)
    if old & (old - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        raise _no_consistency()
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = nodes[0]
    for part in nodes[1:]:
        if sn == 0:
            raise _no_consistency()
        if fn & 1 or fn == sn:
            first, second = node_hash(part, first), node_hash(part, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, part)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or first != old_root or second != new_root:
        raise _no_consistency()


def torn_tile(level: int, number: int) -> Unproven:
    """Return the fault of a tile that is not what it must be."""
    return Unproven(
        "tree.tile",
        Text(en="A piece of the stored log is missing, torn or changed.", zh="所存日志有一部分缺失、残缺或被改动。"),
        do=Text(
            en="Run the log check; nothing is written or signed until it passes.",
            zh="请运行日志检查；通过之前不写入也不签署。",
        ),
        where=f"tile {level}/{number}",
    )


def _split(count: int) -> int:
    """Return the largest power of two below ``count`` (at least 2)."""
    return 1 << (count - 1).bit_length() - 1


def _no_inclusion() -> Unproven:
    return Unproven(
        "tree.inclusion",
        Text(en="The record is not proven to be in the log.", zh="无法证明该记录在日志中。"),
        do=_DO,
    )


def _no_consistency() -> Unproven:
    return Unproven(
        "tree.consistency",
        Text(en="The newer log is not proven to continue the older one.", zh="无法证明较新的日志是较早日志的延续。"),
        do=_DO,
    )

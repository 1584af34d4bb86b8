"""The log as a set of files that never change, so that anyone can copy, cache and check all of it.

C2SP tlog-tiles: hashes of the tree at ``tile/<level>/<number>``, log entries at ``tile/entries/<number>``, each up to 256
at a time, the last ones with ``.p/<width>``. Everything here is arithmetic over names and bytes; a door over HTTP, a copy
on a disk and a mirror use the same functions. Examples: ``docs/spec/tiles.md``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from tongqiu.ledger import tree
from tongqiu.record.faults import Malformed, Missing, Unproven
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_LEVEL: Final = 63
MAX_ENTRY: Final = 65_535
"""Longest entry that a bundle can carry, in bytes. Our entries have 32."""

MAX_BUNDLE: Final = tree.TILE_WIDTH * (2 + MAX_ENTRY)

_LENGTH_BYTES = 2
_GROUP = 1000
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_DO = Text(en="Ask for a file that the log's latest checkpoint covers.", zh="请索取该日志最新检查点所涵盖的文件。")


class Tile(NamedTuple):
    """The name of one file: part of a level of the tree, or a bundle of entries."""

    level: int | None
    """0 for leaf hashes and so on upwards; None for a bundle of entries."""

    number: int
    width: int = tree.TILE_WIDTH
    """How many hashes or entries: 256, or 1 to 255 in a partial one."""

    @property
    def path(self) -> str:
        """Return the path below the log's prefix, such as ``tile/0/x001/x234/067.p/5``."""
        groups = [f"{self.number % _GROUP:03}"]
        rest = self.number // _GROUP
        while rest:
            groups.append(f"x{rest % _GROUP:03}")
            rest //= _GROUP
        level = "entries" if self.level is None else str(self.level)
        suffix = "" if self.width == tree.TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{suffix}"


def parse_path(path: str, *, where: str = "") -> Tile:
    """Read a path, without a leading slash; every file has one name only. Raises Malformed (``tiles.path``)."""
    match = _PATH.fullmatch(path) if len(path) <= 80 else None  # noqa: PLR2004 - the longest has 52
    if match is not None:
        groups = match[2].replace("x", "").split("/")
        level = None if match[1] == "entries" else int(match[1])
        found = Tile(level, int("".join(groups)), int(match[3] or tree.TILE_WIDTH))
        # A further group of zeros in front, a level above 63 or a width of 256 would be a second name.
        if found.path == path and (level is None or level <= MAX_LEVEL) and found.number < 1 << 55:
            return found
    raise Malformed(
        "tiles.path",
        Text(en="Not the path of a tile: {path}.", zh="这不是瓦片文件的路径：{path}。"),
        do=Text(en="Write it as the C2SP tlog-tiles page does.", zh="请按 C2SP tlog-tiles 规范书写。"),
        where=where,
        path=path[:80].encode("unicode_escape").decode(),
    )


def width_at(level: int | None, number: int, size: int) -> int:
    """Return how wide a tile is in the tree of ``size`` entries: 0 to 256."""
    held = size >> tree.TILE_HEIGHT * (level or 0)
    return max(0, min(tree.TILE_WIDTH, held - number * tree.TILE_WIDTH))


def tiles_of(size: int) -> Iterator[Tile]:
    """Go through all hash tiles of the tree of ``size``, level by level; the bundles have the names of level 0."""
    level = 0
    while size >> tree.TILE_HEIGHT * level:
        held = size >> tree.TILE_HEIGHT * level
        for number in range(-(-held // tree.TILE_WIDTH)):
            yield Tile(level, number, width_at(level, number, size))
        level += 1


def newer_tiles(old: int, new: int) -> Iterator[Tile]:
    """Go through the hash tiles of the tree of ``new`` that the tree of ``old`` does not have in this width."""
    level = 0
    while new >> tree.TILE_HEIGHT * level:
        held, before = new >> tree.TILE_HEIGHT * level, old >> tree.TILE_HEIGHT * level
        for number in range(before // tree.TILE_WIDTH, -(-held // tree.TILE_WIDTH)):
            if held > before:
                yield Tile(level, number, width_at(level, number, new))
        level += 1


def read_tile(wanted: Tile, size: int, tile: Callable[[int, int], bytes]) -> bytes:
    """Return the bytes of a hash tile out of a log with ``size`` entries, through the backend's ``tile``.

    ``size`` is that of the published checkpoint: nothing beyond it is shown. Raises Missing (``tiles.none``) and Unproven
    (``tree.tile``) where the stored tile is too short.
    """
    if wanted.level is None or wanted.width > width_at(wanted.level, wanted.number, size):
        _none(wanted)
    data = tile(wanted.level, wanted.number)[: wanted.width * tree.HASH_BYTES]
    if len(data) != wanted.width * tree.HASH_BYTES:
        raise tree.torn_tile(wanted.level, wanted.number)
    return data


def read_entries(wanted: Tile, size: int, entries: Callable[[int, int], Sequence[bytes]]) -> bytes:
    """Return a bundle out of a log with ``size`` entries, through the backend's ``entries(start, stop)``.

    Raises Missing (``tiles.none``) and Unproven (``tree.tile``) where entries are missing.
    """
    if wanted.level is not None or wanted.width > width_at(None, wanted.number, size):
        _none(wanted)
    start = wanted.number * tree.TILE_WIDTH
    held = entries(start, start + wanted.width)
    if len(held) != wanted.width:
        raise tree.torn_tile(0, wanted.number)
    return write_bundle(held)


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as a bundle: each with its length in two bytes, big end first, in front.

    Raises Malformed (``tiles.bundle``) for more than 256 or for one over 65,535 bytes.
    """
    if not 0 < len(entries) <= tree.TILE_WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise _bad_bundle("")
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES) + entry for entry in entries)


def parse_bundle(data: bytes, *, where: str = "") -> tuple[bytes, ...]:
    """Return the entries of a bundle: 1 to 256 and nothing after them. Raises Malformed (``tiles.bundle``)."""
    found: list[bytes] = []
    at = start = 0
    while at < len(data) and len(found) < tree.TILE_WIDTH:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start])
        found.append(data[start:at])
    if not found or at != len(data) or start > len(data):
        raise _bad_bundle(where)
    return tuple(found)


def check_bundle(entries: Sequence[bytes], hashes: bytes, *, where: str = "") -> None:
    """Prove that ``entries`` are those of the level-0 tile ``hashes``. Raises Unproven (``tiles.entries``)."""
    if b"".join(map(tree.leaf_hash, entries)) != hashes:
        raise Unproven(
            "tiles.entries",
            Text(en="The entries are not those of the log's tree.", zh="这些条目与日志的树不符。"),
            do=Text(
                en="Trust none of them; get them from another copy.", zh="请勿信任其中任何条目；请改从其他副本获取。"
            ),
            where=where,
        )


def through(fetch: Callable[[str], bytes], size: int) -> Callable[[int, int], bytes]:
    """Return what reads the tiles of somebody's log of ``size`` by path, to be given to :class:`tree.Tiles`.

    ``fetch`` returns the bytes at a path. Once ``Tiles(...).root(size)`` equals the root of a verified checkpoint, all
    tiles it needed are those of the log. Raises what ``fetch`` raises, and Unproven (``tree.tile``) for another length.
    """

    def tile(level: int, number: int) -> bytes:
        width = width_at(level, number, size)
        data = fetch(Tile(level, number, width).path) if width else b""
        if len(data) != width * tree.HASH_BYTES:
            raise tree.torn_tile(level, number)
        return data

    return tile


def _none(wanted: Tile) -> NoReturn:
    raise Missing(
        "tiles.none",
        Text(en="The published log has no such file.", zh="已公布的日志中没有此文件。"),
        do=_DO,
        where=wanted.path,
    )


def _bad_bundle(where: str) -> Malformed:
    return Malformed(
        "tiles.bundle",
        Text(en="Not a bundle of log entries.", zh="这不是日志条目的集合文件。"),
        do=Text(en="Get the file again, whole.", zh="请重新完整获取该文件。"),
        where=where,
    )

"""Tiles: every name leads to one file and back, and a copy made of files alone proves the whole log."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.backend_contract import add
from tongqiu.ledger import tiles, tree
from tongqiu.ledger.memory import MemoryBackend
from tongqiu.record.faults import Malformed, Missing, Unproven

ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(700)]


class Copy:
    """A log as files: what a mirror or a cache has."""

    def __init__(self, size: int) -> None:
        grown = tree.grow(0, (), ENTRIES[:size], lambda *_: b"")
        self.root = grown.root
        self.kept = {(tile.level, tile.number): tile.hashes for tile in grown.tiles}
        self.files = {wanted.path: tiles.read_tile(wanted, size, self.tile) for wanted in tiles.tiles_of(size)}

    def tile(self, level: int, number: int) -> bytes:
        return self.kept.get((level, number), b"")


@given(st.none() | st.integers(0, 63), st.integers(0, 2**55 - 1), st.integers(1, 256))
def test_every_name_leads_back(level: int | None, number: int, width: int) -> None:
    wanted = tiles.Tile(level, number, width)
    assert tiles.parse_path(wanted.path) == wanted


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 700), st.data())
def test_a_copy_of_files_proves_the_log(size: int, data: st.DataObject) -> None:
    copy = Copy(size)
    reader = tree.Tiles(tiles.through(copy.files.__getitem__, size))
    assert reader.root(size) == copy.root
    index = data.draw(st.integers(0, size - 1))
    tree.verify_inclusion(ENTRIES[index], index, size, reader.inclusion(index, size), copy.root)
    bundle = tiles.Tile(None, index // 256, tiles.width_at(None, index // 256, size))
    entries = tiles.parse_bundle(tiles.read_entries(bundle, size, lambda start, stop: ENTRIES[start:stop]))
    assert entries[index % 256] == ENTRIES[index]
    tiles.check_bundle(entries, copy.files[bundle._replace(level=0).path])


@settings(max_examples=60)
@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_what_has_grown_is_what_is_new(one: int, two: int) -> None:
    old, new = sorted((one, two))
    before, after = set(tiles.tiles_of(old)), set(tiles.tiles_of(new))
    assert set(tiles.newer_tiles(old, new)) == after - before
    # All that was there is still there, as the beginning of something at least as wide.
    assert {(tile.level, tile.number) for tile in before} <= {(tile.level, tile.number) for tile in after}


def test_nothing_beyond_the_published_size_is_shown() -> None:
    copy = Copy(300)
    for wanted in (
        tiles.Tile(0, 1, 45),
        tiles.Tile(0, 2, 1),
        tiles.Tile(1, 0, 2),
        tiles.Tile(2, 0, 1),
        tiles.Tile(None, 0),
    ):
        with pytest.raises(Missing) as raised:
            tiles.read_tile(wanted, 300, copy.tile)
        assert raised.value.code == "tiles.none"
    for wanted in (tiles.Tile(None, 1, 45), tiles.Tile(0, 0)):
        with pytest.raises(Missing):
            tiles.read_entries(wanted, 300, lambda start, stop: ENTRIES[start:stop])
    # The stored tile may have grown since; an older width is its beginning.
    assert tiles.read_tile(tiles.Tile(0, 1, 9), 300, copy.tile) == copy.tile(0, 1)[: 9 * 32]


def test_a_torn_store_is_not_served() -> None:
    copy = Copy(300)
    with pytest.raises(Unproven):
        tiles.read_tile(tiles.Tile(0, 1, 44), 300, lambda *_: copy.tile(0, 1)[:-1])
    with pytest.raises(Unproven):
        tiles.read_entries(tiles.Tile(None, 1, 44), 300, lambda start, stop: ENTRIES[start : stop - 1])
    with pytest.raises(Unproven):
        tree.Tiles(tiles.through(lambda _: b"", 300)).root(300)


def test_a_forged_file_is_seen() -> None:
    copy = Copy(300)
    for path, data in copy.files.items():
        forged = {**copy.files, path: bytes([data[0] ^ 1]) + data[1:]}
        assert tree.Tiles(tiles.through(forged.__getitem__, 300)).root(300) != copy.root or path == "tile/0/000"
    # A full tile below is not needed for the root; it shows when its own hashes are worked out.
    with pytest.raises(Unproven) as raised:
        tiles.check_bundle(ENTRIES[1:257], copy.files["tile/0/000"])
    assert raised.value.code == "tiles.entries"


def test_bundles_carry_entries_of_any_length() -> None:
    entries = [b"", b"x" * 65_535, b"y"]
    assert tiles.parse_bundle(tiles.write_bundle(entries)) == tuple(entries)
    for bad in ([], [b""] * 257, [b"x" * 65_536]):
        with pytest.raises(Malformed) as raised:
            tiles.write_bundle(bad)
        assert raised.value.code == "tiles.bundle"


@given(st.binary(max_size=600))
def test_any_bytes_are_a_bundle_or_malformed(data: bytes) -> None:
    try:
        entries = tiles.parse_bundle(data)
    except Malformed:
        return
    assert tiles.write_bundle(entries) == data


@given(st.text(max_size=40) | st.from_regex(r"tile/([0-9]{1,3}|entries)/(x?[0-9]{3}/){0,3}[0-9]{3}(\.p/[0-9]{1,3})?"))
def test_any_text_is_a_path_or_malformed(text: str) -> None:
    try:
        found = tiles.parse_path(text)
    except Malformed:
        return
    assert found.path == text


def test_a_real_backend_is_served() -> None:
    backend = MemoryBackend()
    for number in range(5):
        add(backend, f"entry {number}")
    size = backend.head().size
    files = {tile.path: tiles.read_tile(tile, size, backend.tile) for tile in tiles.tiles_of(size)}
    held = tiles.parse_bundle(tiles.read_entries(tiles.Tile(None, 0, size), size, backend.entries))
    assert held == tuple(backend.entries(0, size))
    assert set(files) == {"tile/0/000.p/5"}

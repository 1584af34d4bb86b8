"""The check of a whole node: it agrees with a sound one, changes nothing, and names whichever single thing was changed."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tongqiu.cli import main
from tongqiu.ledger.log import Sealed, check_in
from tongqiu.node import core as core_practice
from tongqiu.node import fsck, open_node
from tongqiu.node import home as homes
from tongqiu.node.discovery import discover
from tongqiu.record import cbor, core
from tongqiu.record.audience import EVERYONE
from tongqiu.record.faults import Unproven
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject
from tongqiu.seal import keyfile, statement
from tongqiu.store.database import FILE

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
FILES = (Attachment("a.txt", "text/plain", b"a" * 300_000), Attachment("b.txt", "text/plain", b"b"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a node with everything that can be kept: records, files, corrections, an erasure, more than one tile."""
    path = tmp_path_factory.mktemp("fsck") / "home"
    with open_node(path, create=True, name="Laboratory") as node:
        made = [
            node.publish(
                [
                    Said(
                        core.COMPOSITION.name,
                        SYSTEM,
                        core.Composition(parts=(), purpose=f"{number}"),
                        (),
                        EVERYONE,
                        files=FILES if number == 1 else (),
                    )
                ]
            )[0]
            for number in range(4)
        ]
        said = [
            Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose=f"m{number}"), (made[0].entry,))
            for number in range(260)
        ]
        more = node.publish(said, done="many")
        node.withdraw(made[2], why="wrong")
        node.erase(made[3], ground="Art. 17")
        node.withdraw(more[0], why="wrong")
        node.registry.catch_up()
    return path


def check(path: Path) -> fsck.Whole:
    return fsck.check(homes.load(path), discover(core=core_practice.PRACTICE))


def test_a_sound_node_agrees_and_stays_byte_for_byte(sound: Path) -> None:
    def bytes_of() -> dict[str, bytes]:
        return {
            str(each): hashlib.sha256(each.read_bytes()).digest()
            for each in sorted(sound.rglob("*"))
            # Whoever looks into such a database makes these two, the second empty; they hold nothing of the log.
            if each.is_file() and not each.name.endswith("-shm") and (each.stat().st_size or "-wal" not in each.name)
        }

    before, steps = bytes_of(), list[tuple[str, int, int]]()
    found = fsck.check(homes.load(sound), discover(core=core_practice.PRACTICE), tell=lambda *step: steps.append(step))
    assert found.entries == 2 + 4 + 260 + 3
    assert (found.contents, found.unknown, found.tiles, found.files) == (found.entries - 1, 0, 3, 2)
    assert found.registries == len(discover(core=core_practice.PRACTICE).views)
    assert {step for step, done, total in steps if done == total} == set(fsck.STEPS)
    assert bytes_of() == before


def test_it_sees_one_state_while_others_write(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_node(home, create=True, name="Laboratory") as node:

        def tell(*_: Any) -> None:
            node.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose="late"))])

        size = node.store.backend.head().size
        assert fsck.check(homes.load(home), node.practices, tell=tell).entries == size
        assert check(home).entries > size


FLIPS = [
    ("head", "root", "1", "head", "head"),
    ("head", "frontier", "1", "head", "head"),
    ("head", "logged_at", "1", "head", "head"),
    ("head", "origin", "1", "head", "head"),
    ("head", "size", "1", "entry", "entry 269"),
    ("entry", "entry", "idx = 7", "entry", "entry 7"),
    ("entry", "statement", "idx = 7", "entry", "entry 7"),
    ("entry", "logged_at", "idx = 7", "time", "entry"),
    ("entry", "kind", "idx = 7", "columns", "entry 7"),
    ("entry", "subject", "idx = 7", "columns", "entry 7"),
    ("entry", "issuer", "idx = 7", "columns", "entry 7"),
    ("entry", "audience", "idx = 7", "columns", "entry 7"),
    ("entry", "thread", "thread <> ''", "columns", "entry"),
    ("entry", "refs", "idx = 7", "columns", "entry 7"),
    ("entry", "files", "files <> x''", "columns", "entry"),
    ("content", "sealed", "idx = 7", "content", "entry 7"),
    ("content", "slot", "idx = 7", "content", "entry 7"),
    ("content", "sealed", "idx = 0", "content", "entry 0"),
    ("tile", "hashes", "level = 0 AND number = 0", "tile", "tile 0/0"),
    ("tile", "hashes", "level = 0 AND number = 1", "tile", "tile 0/1"),
    ("tile", "hashes", "level = 1", "tile", "tile 1/0"),
    ("ref", "ref", "idx = 7", "ref", "entry 7"),
    ("file", "digest", "1", "file-index", "entry"),
    ("gone", "entry", "1", "correction", "entry"),
    ("gone", "issuer", "1", "correction", "entry"),
    ("done", "entries", "1", "done", "many"),
    ("audience", "audience", "1", "audience", ""),
    ("audience", "issuer", "1", "audience", ""),
    ("blob", "size", "1", "file", ""),
    ("blob", "slot", "1", "file", ""),
    ("chunk", "bytes", "number = 1", "file", hashlib.sha256(b"a" * 300_000).hexdigest()),
    ("v_systems_%", "name", "1", "registry", "systems"),
    ("v_systems_%", "_aud", "1", "registry", "systems"),
]


@pytest.mark.parametrize(("table", "column", "where", "part", "named"), FLIPS)
def test_one_changed_byte_is_found_and_named(
    sound: Path, tmp_path: Path, table: str, column: str, where: str, part: str, named: str
) -> None:
    home = shutil.copytree(sound, tmp_path / "home")
    with sqlite3.connect(home / "store" / FILE) as database:
        (table,) = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ?", (table,)
        ).fetchone()
        key = {"ref": "idx", "file": "idx", "gone": "by"}.get(table, "rowid")
        number, value = database.execute(
            f"SELECT {key}, {column} FROM {table} WHERE {where} ORDER BY 1 LIMIT 1"  # noqa: S608 - own names
        ).fetchone()
        changed: Any = value + 1 if isinstance(value, int) else _flipped(value)
        update = f"UPDATE {table} SET {column} = ? WHERE {key} = ? AND {column} = ?"  # noqa: S608 - own names
        assert database.execute(update, (changed, number, value)).rowcount == 1
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code == f"fsck.{part}", caught.value
    assert named in caught.value.where
    assert caught.value.do.en
    assert caught.value.do.zh


def _flipped(value: bytes | str) -> bytes | str:
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[len(data) // 2] ^= 1
    return data.decode() if isinstance(value, str) else bytes(data)


LOST = [
    ("DELETE FROM entry WHERE idx = 7", "entry"),
    ("DELETE FROM content WHERE idx = 7", "content"),
    ("DELETE FROM tile WHERE level = 1", "tile"),
    ("INSERT INTO tile SELECT 3, 0, hashes FROM tile WHERE level = 1", "tile"),
    ("DELETE FROM ref WHERE idx = 7", "ref"),
    ("INSERT INTO ref VALUES (zeroblob(32), 268)", "ref"),
    ("INSERT INTO ref VALUES (zeroblob(32), 9999)", "ref"),
    ("UPDATE head SET size = size - 1", "head"),
    ("UPDATE entry SET logged_at = 'soon' WHERE idx = 7", "time"),
    ("DELETE FROM chunk; DELETE FROM blob", "file"),
    ("DELETE FROM gone", "correction"),
    ("INSERT INTO gone SELECT zeroblob(32), 5, issuer, kind FROM gone LIMIT 1", "correction"),
    ("DELETE FROM chunk WHERE number = 0", "file"),
    ("DELETE FROM blob", "file"),
    ("UPDATE entry SET erased = 1 WHERE idx = 7", "erased"),
    ("UPDATE entry SET erased = 1 WHERE idx = 7; DELETE FROM content WHERE idx = 7", "tombstone"),
    ("UPDATE content SET slot = 1000000 WHERE idx = 7", "key"),
    ("UPDATE content SET slot = 1000000 WHERE idx = 0", "key"),
    ("UPDATE content SET sealed = x'00' WHERE idx = 7", "content"),
    ("UPDATE blob SET slot = 1000000", "file"),
    ("INSERT INTO spent SELECT slot FROM content WHERE idx = 7", "spent"),
    ("DELETE FROM audience WHERE number = 1", "columns"),
    ("DELETE FROM v_systems_1", "registry"),
    (
        "INSERT INTO v_systems_1 SELECT zeroblob(32), 5, _entry, _aud, _drop, subject, name, purpose, version, parts, at, entry, issuer FROM v_systems_1 LIMIT 1",
        "registry",
    ),
]


@pytest.mark.parametrize(("change", "part"), LOST)
def test_a_row_too_few_or_too_many_is_found(sound: Path, tmp_path: Path, change: str, part: str) -> None:
    home = shutil.copytree(sound, tmp_path / "home")
    with sqlite3.connect(home / "store" / FILE) as database:
        for each in change.split("; "):
            assert database.execute(each).rowcount
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code == f"fsck.{part}", caught.value


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0)])
def test_a_tile_that_goes_on_after_its_entries_is_found(sound: Path, tmp_path: Path, place: tuple[int, int]) -> None:
    home = shutil.copytree(sound, tmp_path / "home")
    with sqlite3.connect(home / "store" / FILE) as database:
        where = "WHERE level = ? AND number = ?"
        (hashes,) = database.execute(f"SELECT hashes FROM tile {where}", place).fetchone()  # noqa: S608 - own names
        database.execute(f"UPDATE tile SET hashes = ? {where}", (hashes + bytes(32), *place))  # noqa: S608 - own names
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert (caught.value.code, caught.value.where) == ("fsck.tile", f"tile {place[0]}/{place[1]}")


def test_a_resealed_entry_under_another_key_is_found(sound: Path, tmp_path: Path) -> None:
    """Whoever rewrites statement, hash, tiles and head alike still cannot sign."""
    home = shutil.copytree(sound, tmp_path / "home")
    with sqlite3.connect(home / "store" / FILE) as database:
        (data,) = database.execute("SELECT statement FROM entry WHERE idx = 9").fetchone()
        forged = data[:-1] + bytes([data[-1] ^ 1])
        database.execute(
            "UPDATE entry SET statement = ?, entry = ? WHERE idx = 9", (forged, hashlib.sha256(forged).digest())
        )
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code == "fsck.signature"
    assert caught.value.where == "entry 9"


def test_a_damaged_database_file_is_named(sound: Path, tmp_path: Path) -> None:
    home = shutil.copytree(sound, tmp_path / "home")
    file = home / "store" / FILE
    data = bytearray(file.read_bytes())
    for page in range(3, 60):
        data[4096 * page : 4096 * page + 8] = b"\xff" * 8
    file.write_bytes(data)
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code in {"fsck.database", "log.corrupt"}


def test_the_command_says_what_agrees_and_ends_with_the_code_of_the_table(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fsck", "--home", str(sound)])
    assert ended.value.code == 0
    assert "269" in capsys.readouterr().out
    home = shutil.copytree(sound, tmp_path / "home")
    with sqlite3.connect(home / "store" / FILE) as database:
        database.execute("UPDATE content SET sealed = zeroblob(320) WHERE idx = 12")
    database.close()
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "zh", "fsck", "--home", str(home)])
    assert ended.value.code == 5
    said = capsys.readouterr().err
    assert "entry 12" in said
    assert "fsck.content" in said


def test_an_index_of_the_database_that_lost_an_entry_is_found(sound: Path, tmp_path: Path) -> None:
    home = shutil.copytree(sound, tmp_path / "home")
    with sqlite3.connect(home / "store" / FILE) as database:
        (root,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_entry_1'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    file = home / "store" / FILE
    data = bytearray(file.read_bytes())
    page = data[size * (root - 1) : size * root]
    while page[0] == INNER:
        root = int.from_bytes(page[8:12], "big")
        page = data[size * (root - 1) : size * root]
    # The end of the page is the row number in the first key that was written there.
    data[size * root - 1] ^= 1
    file.write_bytes(data)
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code == "fsck.database"
    assert "index" in caught.value.what.en


INNER = 2
"""The first byte of an inner page of an index (sqlite.org/fileformat2.html, section 1.6)."""


@pytest.fixture
def young(tmp_path: Path) -> Path:
    """Make a node of its own, which may be written to: its log and its party are begun, two entries."""
    open_node(tmp_path / "young", create=True, name="Laboratory").close()
    return tmp_path / "young"


def _log(home: Path, *items: Sealed) -> None:
    with open_node(home) as node:
        node.log.record(*items)


def _foreign(signer: keyfile.FileSigner, issuer: str) -> Sealed:
    data = statement.seal_statement(b"x", statement.new_salt(), signer=signer, issuer=issuer, subject="urn:x:y")
    return check_in(data, signer.public)


def test_what_strangers_registered_is_checked_as_far_as_their_key_is_known(young: Path) -> None:
    home, signer = young, keyfile.from_seed(b"s" * 32)
    _log(home, _foreign(signer, signer.public.did))
    found = check(home)
    assert (found.entries, found.unknown) == (3, 0)
    _log(home, _foreign(signer, "did:web:example.org"))
    found = check(home)
    assert (found.entries, found.unknown) == (4, 1)
    # What is known only by its hash has no kind; a bare envelope that claims one lacks its content.
    with sqlite3.connect(home / "store" / FILE) as database:
        database.execute("UPDATE entry SET kind = 'core.party/1' WHERE idx = 2")
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code == "fsck.content"


def test_content_that_was_sealed_but_is_no_record_is_found(young: Path) -> None:
    party, salt = homes.load(young).party, statement.new_salt()
    for content, kind in ((cbor.dumps("a stranger's own words"), ""), (b"no CBOR at all", "core.party/1")):
        data = statement.seal_statement(content, salt, signer=party, issuer=party.public.did, subject="urn:x:y")
        _log(young, check_in(data, party.public, content=content, salt=salt, kind=kind))
        if not kind:
            assert check(young).entries == 3
    with pytest.raises(Unproven) as caught:
        check(young)
    assert (caught.value.code, caught.value.where) == ("fsck.content", "entry 3")


def test_an_entry_that_is_no_envelope_is_found(sound: Path, tmp_path: Path) -> None:
    home = shutil.copytree(sound, tmp_path / "home")
    with sqlite3.connect(home / "store" / FILE) as database:
        database.execute(
            "UPDATE entry SET statement = ?, entry = ? WHERE idx = 9", (b"junk", hashlib.sha256(b"junk").digest())
        )
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert (caught.value.code, caught.value.where) == ("fsck.entry", "entry 9")


def test_a_log_of_another_name_is_found(sound: Path) -> None:
    home = homes.load(sound)
    other = home._replace(settings=msgspec.structs.replace(home.settings, origin="tongqiu.node/other"))
    with pytest.raises(Unproven) as caught:
        fsck.check(other, discover(core=core_practice.PRACTICE))
    assert (caught.value.code, caught.value.where) == ("fsck.head", "entry 0")


def test_an_erased_correction_is_known_by_its_note(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_node(home, create=True, name="Laboratory") as node:
        body = core.Composition(parts=(), purpose="p")
        made = node.publish([Said(core.COMPOSITION.name, SYSTEM, body)])[0]
        node.withdraw(made, why="wrong")
        node.erase(made, ground="Art. 17")
    found = check(home)
    assert found.contents == found.entries - 2
    with sqlite3.connect(home / "store" / FILE) as database:
        assert database.execute("UPDATE gone SET issuer = 'did:key:z6MkSomebodyElse'").rowcount == 1
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code == "fsck.correction"

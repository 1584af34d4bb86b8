"""The check of a whole node: it agrees with a sound one, changes nothing, and names whichever single thing was changed."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tongqiu.cli import main
from tongqiu.node import core as core_practice
from tongqiu.node import fsck, open_node
from tongqiu.node import home as homes
from tongqiu.node.discovery import discover
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE
from tongqiu.record.faults import Unproven
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject
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
    ("content", "content", "idx = 7", "content", "entry 7"),
    ("content", "salt", "idx = 7", "content", "entry 7"),
    ("content", "content", "idx = 0", "content", "entry 0"),
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
    ("DELETE FROM gone", "correction"),
    ("INSERT INTO gone SELECT zeroblob(32), 5, issuer, kind FROM gone LIMIT 1", "correction"),
    ("DELETE FROM chunk WHERE number = 0", "file"),
    ("DELETE FROM blob", "file"),
    ("UPDATE entry SET erased = 1 WHERE idx = 7", "erased"),
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
        assert database.execute(change).rowcount
    database.close()
    with pytest.raises(Unproven) as caught:
        check(home)
    assert caught.value.code == f"fsck.{part}", caught.value


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
        database.execute("UPDATE content SET salt = zeroblob(32) WHERE idx = 12")
    database.close()
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "zh", "fsck", "--home", str(home)])
    assert ended.value.code == 5
    said = capsys.readouterr().err
    assert "entry 12" in said
    assert "fsck.content" in said

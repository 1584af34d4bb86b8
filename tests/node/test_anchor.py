"""Copies and rollbacks: a copied node reads and refuses to write; a store that went back is not written to at all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tongqiu.cli import main
from tongqiu.ledger import checkpoint
from tongqiu.node import anchor, open_node
from tongqiu.node import home as homes
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Refused, Unproven, Unreachable
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")


def say(node: Node, purpose: str) -> str:
    said = Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose=purpose))
    return node.publish([said])[0].entry


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_node(tmp_path / "home", create=True, name="Laboratory") as node:
        say(node, "before")
    return tmp_path / "home"


def test_a_copied_node_reads_but_does_not_write_and_the_original_goes_on(home: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(home, tmp_path / "copy")
    with open_node(copy) as node:
        size = node.store.backend.head().size
        with pytest.raises(Refused) as caught:
            say(node, "in the copy")
        assert caught.value.code == "log.copied"
        assert node.store.backend.head().size == size
        assert "take-over" in caught.value.do.en
        assert node.desk(node.owner).records()[0]
        assert node.log.receipt(1)
    with open_node(home) as node:
        say(node, "in the original")
        assert node.store.backend.head().size == size + 1


def test_a_node_that_was_moved_writes_on(home: Path, tmp_path: Path) -> None:
    moved = home.rename(tmp_path / "elsewhere")
    with open_node(moved) as node:
        say(node, "after the move")


def test_another_home_with_the_same_keys_does_not_write_to_the_same_store(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    for name in ("keys", "secret", "node.toml"):
        source = home / name
        shutil.copytree(source, other / name) if source.is_dir() else shutil.copy2(source, other / name)
    (other / "store").symlink_to(home / "store")
    with open_node(other) as node, pytest.raises(Refused) as caught:
        say(node, "from the other home")
    assert caught.value.code == "log.copied"


def test_taking_over_lets_the_copy_write_and_fences_whoever_has_the_store_open(home: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(home, tmp_path / "copy")
    with open_node(copy) as before:
        with pytest.raises(SystemExit) as ended:
            main(["take-over", "--home", str(copy), "--yes"])
        assert ended.value.code == 0
        with pytest.raises(Refused) as caught:
            say(before, "by one that was open")
        assert caught.value.code == "log.fenced"
    with open_node(copy) as node:
        say(node, "after taking over")


def test_taking_over_asks_first(home: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(home, tmp_path / "copy")
    command = [sys.executable, "-m", "tongqiu", "take-over", "--home", str(copy)]
    done = subprocess.run(command, input=b"no\n", capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    with open_node(copy) as node, pytest.raises(Refused):
        say(node, "still a copy")


def test_a_store_that_went_back_is_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "store", tmp_path / "backup")
    with open_node(home) as node:
        say(node, "after the backup")
    for file in (home / "store").iterdir():
        # Written into the same file, as many tools restore: only the note beside the keys can tell.
        file.write_bytes((tmp_path / "backup" / file.name).read_bytes())
    with pytest.raises(Unproven) as caught:
        open_node(home)
    assert caught.value.code == "log.behind"


def test_a_lost_store_is_not_begun_anew_under_the_same_name(home: Path) -> None:
    shutil.rmtree(home / "store")
    with pytest.raises(Unproven) as caught:
        open_node(home)
    assert caught.value.code == "log.behind"


def test_another_history_of_the_same_length_is_refused(home: Path) -> None:
    seen = checkpoint.parse_checkpoint((home / anchor.SEEN).read_text())
    (home / anchor.SEEN).write_text(checkpoint.Checkpoint(seen.origin, seen.size, bytes(32)).text())
    with pytest.raises(Unproven) as caught:
        open_node(home)
    assert caught.value.code == "log.behind"


def test_damaged_notes_are_named(home: Path) -> None:
    (home / anchor.SEEN).write_bytes(b"\xff\xfe")
    with pytest.raises(Malformed) as caught:
        open_node(home)
    assert caught.value.code == "checkpoint.form"
    for bad in (b"", b"x" * 32, b"\xff" * 32):
        (home / anchor.INSTANCE).write_bytes(bad)
        with pytest.raises(Malformed) as caught:
            anchor.instance(home)
        assert caught.value.code == "home.instance"


def test_a_disk_that_fails_is_named(home: Path, tmp_path: Path) -> None:
    for name in (anchor.INSTANCE, anchor.SEEN):
        (home / name).unlink()
        (home / name).mkdir()
    store = open_store(homes.load(home).store, create=False)
    with pytest.raises(Unreachable):
        anchor.instance(home)
    with pytest.raises(Unreachable):
        anchor.check(home, store.backend)
    store.close()
    with pytest.raises(Unreachable):
        anchor.instance(tmp_path / "nowhere")
    with open_store(homes.load(home).store, create=False) as store:
        (home / anchor.SEEN).rmdir()
        shutil.rmtree(home / "keys")
        anchor.note(home, store.backend)
        anchor.check(home, store.backend)


def test_a_home_of_before_gets_its_name_and_goes_on(home: Path) -> None:
    (home / anchor.SEEN).unlink()
    with open_store(home / "store", create=False) as store, store._database.write() as connection:  # noqa: SLF001 - as an older version left it
        connection.exec_driver_sql("DELETE FROM state WHERE name = 'writer'")
    with open_node(home) as node:
        say(node, "goes on")
    assert (home / anchor.SEEN).exists()

"""A copy to keep: all that was sealed, nothing in clear, and a store again once its keys are beside it."""

from __future__ import annotations

import io
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.store.paper import ANNA, AT, NOTES, Paper
from tests.store.test_erasure import PLANTED, everywhere
from tongqiu.cli import main
from tongqiu.node import open_node
from tongqiu.record.audience import Principal
from tongqiu.record.faults import Malformed, Missing, Refused, Unreachable
from tongqiu.store.backup import back_up
from tongqiu.store.database import FILE
from tongqiu.store.house import Store, open_store
from tongqiu.store.keys import KEYS


def test_a_copy_holds_everything_and_shows_nothing(store: Store, paper: Paper, tmp_path: Path) -> None:
    digest, _ = store.backend.stage(io.BytesIO(PLANTED.encode()), limit=1000)
    kept = paper.say({"key": PLANTED, "words": PLANTED}, files=(digest,))
    gone = paper.say({"key": "gone", "words": PLANTED})
    registry = store.registry([NOTES])
    registry.catch_up()
    store.jobs.create("assess", {"folder": PLANTED}, ANNA)
    store.drafts.keep("person", "core.reply", {"text": PLANTED}, now=AT)
    here, there = tmp_path / ".tongqiu", tmp_path / "kept" / FILE
    there.parent.mkdir()
    assert back_up(here, there) == 2
    assert [path.name for path in there.parent.iterdir()] == [FILE]
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    assert everywhere(there.parent, PLANTED.encode(), PLANTED.lower().encode(), kept.salt or b"") == []
    paper.erase(gone.index)
    store.backend.scrub()
    # A copy stays shut without the keys, and with them it shows what is not erased: files, registries, and all.
    with pytest.raises(Missing) as raised:
        open_store(there.parent, create=False)
    assert raised.value.code == "store.no-keys"
    with open_store(there.parent, create=False, keys=here / KEYS) as again:
        assert again.backend.head().size == 2
        assert again.backend.row(0).content == kept.content
        assert again.backend.row(1).erased
        with again.backend.blob(digest) as file:
            assert file.read() == PLANTED.encode()
        back = again.registry([NOTES])
        back.catch_up()
        assert back.select(NOTES.name, principal=Principal(ANNA), now=AT).total == 1
        assert again.drafts.list("person") == []
        assert again.jobs.list(Principal(ANNA, roles=frozenset({"owner"}))) == []
        with again.backend._database.outside() as connection:  # noqa: SLF001 - the file's own settings
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_copy_is_of_one_state_and_never_over_another_file(paper: Paper, tmp_path: Path) -> None:
    paper.say({"key": "a"})
    target = tmp_path / "copy"
    other = sqlite3.connect(tmp_path / ".tongqiu" / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM entry")
    assert back_up(str(tmp_path / ".tongqiu"), target) == 1
    other.execute("ROLLBACK")
    other.close()
    held = target.read_bytes()
    with pytest.raises(Refused) as raised:
        back_up(tmp_path / ".tongqiu", target)
    assert raised.value.code == "backup.exists"
    assert target.read_bytes() == held
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tongqiu", "copy"]


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        back_up("postgresql://anna@/x", tmp_path / "copy")
    assert refused.value.code == "backup.server"
    assert "pg_dump" in refused.value.do.zh
    with pytest.raises(Missing):
        back_up(tmp_path, tmp_path / "copy")
    (tmp_path / FILE).write_bytes(b"another program's")
    with pytest.raises(Malformed):
        back_up(tmp_path, tmp_path / "copy")
    open_store(tmp_path / "s", create=True).close()
    with pytest.raises(Unreachable):
        back_up(tmp_path / "s", tmp_path / "nowhere" / "copy")
    data = bytearray((tmp_path / "s" / FILE).read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    (tmp_path / "s" / FILE).write_bytes(data)
    with pytest.raises(Exception, match=r"log\.(corrupt|storage)"):
        back_up(tmp_path / "s", tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, "s"]


@pytest.mark.parametrize(("language", "word"), [("en", "newest copy"), ("zh", "最新副本")])
def test_the_command_copies_and_says_where_the_keys_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, word: str
) -> None:
    home = tmp_path / "home"
    open_node(home, create=True, name="Laboratory").close()
    with pytest.raises(SystemExit) as ended:
        main(["--lang", language, "backup", str(tmp_path / "copy"), "--home", str(home)])
    assert ended.value.code == 0
    said = "".join(capsys.readouterr().out.split())
    assert "".join(word.split()) in said
    assert KEYS in said
    # The recipe of the guide: home and keys, with the copy in the place of the log's file.
    back = shutil.copytree(home, tmp_path / "back", ignore=shutil.ignore_patterns(f"{FILE}*"))
    shutil.move(tmp_path / "copy", back / "store" / FILE)
    with pytest.raises(SystemExit) as ended:
        main(["fsck", "--home", str(back)])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        main(["take-over", "--yes", "--home", str(back)])
    assert ended.value.code == 0
    with open_node(back) as node:
        assert node.log.audit().size == 2

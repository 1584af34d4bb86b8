"""Forgetting: after erasing and scrubbing, no byte of what was erased is in any file; everything else stays."""

from __future__ import annotations

import io
import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.node.test_forgetting import PLANT, SUBJECT, holding, planted
from tests.store.paper import ANNA, AT, NOTES, Paper
from tongqiu.ledger.receipt import verify_receipt
from tongqiu.node import fsck, open_node
from tongqiu.node import home as homes
from tongqiu.record.audience import Principal
from tongqiu.record.faults import Missing, Unreachable
from tongqiu.store import blobs, schema
from tongqiu.store.database import FILE
from tongqiu.store.house import Store, open_store
from tongqiu.store.keys import DESTROYED, KEYS

PLANTED = "Wang Xiaoming 王小明 ID 11010519491231002X"


def everywhere(folder: Path, *needles: bytes) -> list[tuple[str, bytes]]:
    """Return which needle is in which file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [(path.name, needle) for path in files for needle in needles if needle in _bytes(path)]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        # A server unlinks files whenever it likes; what is gone holds nothing.
        return b""


def fill(paper: Paper, count: int, start: int = 0) -> None:
    rows = [paper.row({"key": f"filler {start + number}", "words": "x" * (number % 700)}) for number in range(count)]
    paper.log(*rows)


def test_no_byte_of_what_was_erased_is_left_in_any_file(store: Store, paper: Paper, tmp_path: Path) -> None:
    registry = store.registry([NOTES])
    fill(paper, 60)
    attached = b"photograph of " + PLANTED.encode() * 20_000
    digest, size = store.backend.stage(io.BytesIO(attached), limit=len(attached))
    assert size == len(attached) > 2 * schema.CHUNK
    short = paper.say({"key": PLANTED, "words": PLANTED}, files=(digest,))
    fill(paper, 60, 60)
    long = paper.say({"key": "long", "words": PLANTED * 400})
    registry.catch_up()
    registry.rebuild()
    fill(paper, 60, 120)
    registry.catch_up()
    needles = (PLANTED.encode(), PLANTED[14:].encode(), short.salt or b"", long.salt or b"")
    # Registries are in clear; content, its salt and files are not.
    assert {needle for _, needle in everywhere(tmp_path, *needles)} == set(needles[:2])
    assert everywhere(tmp_path, attached[:50]) == []

    head = store.backend.head()
    paper.erase(short.index, long.index)
    assert registry.select(NOTES.name, {"key": PLANTED}, principal=Principal(ANNA), now=AT).total == 0
    with pytest.raises(Missing):
        store.backend.blob(digest)
    store.backend.scrub()
    assert everywhere(tmp_path, *needles) == []

    # The file was written anew: no page is free, and the long write-ahead file is gone.
    with store.backend._database.outside() as connection:  # noqa: SLF001 - what the file itself says
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar() == 0
    assert (tmp_path / ".tongqiu" / (FILE + "-wal")).stat().st_size < 100_000
    kept = store.backend.row(short.index)
    assert (kept.entry, kept.statement, kept.erased, kept.content) == (short.entry, short.statement, True, None)
    assert store.backend.head().size == head.size + 1
    assert registry.select(NOTES.name, principal=Principal(ANNA), now=AT).total == 180
    registry.catch_up()
    live = registry.digest(NOTES.name)
    registry.rebuild()
    assert registry.digest(NOTES.name) == live
    store.backend.scrub()
    assert everywhere(tmp_path, *needles) == []


def test_a_crash_between_erasing_and_scrubbing_is_made_good_at_the_next_start(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        paper = Paper(store)
        planted = paper.say({"key": "a", "words": PLANTED})
        fill(paper, 300)
        paper.erase(planted.index)
    # No scrub: bytes of the old state may still be there. The next start cleans, once.
    with open_store(tmp_path, create=False) as store:
        assert everywhere(tmp_path, PLANTED.encode(), planted.salt or b"") == []
        before = (tmp_path / FILE).stat().st_mtime_ns
        store.backend.scrub()
        assert (tmp_path / FILE).stat().st_mtime_ns == before


def test_a_reader_of_an_old_state_delays_scrubbing_but_not_the_start(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        paper = Paper(store)
        planted = paper.say({"key": "a", "words": PLANTED})
    reader = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM content").fetchone() == (1,)
    with open_store(tmp_path, create=False, wait=0.1) as store:
        Paper(store).erase(planted.index)
        with pytest.raises(Unreachable) as raised:
            store.backend.scrub()
        assert raised.value.code == "log.storage"
        assert store.backend.row(planted.index).erased
    with open_store(tmp_path, create=False, wait=0.1) as store:
        reader.execute("COMMIT")
        reader.close()
        store.backend.scrub()
        assert everywhere(tmp_path, PLANTED.encode()) == []


def test_erasing_reaches_registries_of_other_versions_and_half_built_ones(store: Store, paper: Paper) -> None:
    planted = paper.say({"key": "a", "words": PLANTED})
    registry = store.registry([NOTES])
    registry.catch_up()
    with store.backend._database.write() as connection:  # noqa: SLF001 - a rebuild that died half way leaves this
        connection.exec_driver_sql("CREATE TABLE v_test_notes_1__new AS SELECT * FROM v_test_notes_1")
        connection.execute(
            sa.insert(schema.view).values(
                tbl="v_test_notes_1__new", name="x", version=1, shape="", position=0, token="t", live=False
            )
        )
    paper.erase(planted.index)
    with store.backend._database.read() as connection:  # noqa: SLF001 - the tables themselves
        for table in ("v_test_notes_1", "v_test_notes_1__new"):
            assert connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar() == 0
    registry.rebuild()
    assert registry.select(NOTES.name, principal=Principal(ANNA), now=AT).total == 0


def test_reading_a_file_ends_when_it_is_erased(store: Store, paper: Paper) -> None:
    data = os.urandom(3 * schema.CHUNK + 17)
    digest, _ = store.backend.stage(io.BytesIO(data), limit=len(data))
    row = paper.say({"key": "a"}, files=(digest,))
    with store.backend.blob(digest) as file:
        assert file.read() == data
        assert file.seek(-5, io.SEEK_END) == len(data) - 5
        assert file.read() == data[-5:]
        assert file.seek(schema.CHUNK - 2) == schema.CHUNK - 2
        assert file.read(4) == data[schema.CHUNK - 2 : schema.CHUNK + 2]
        paper.erase(row.index)
        with pytest.raises(Missing) as raised:
            file.read()
        assert raised.value.code == "log.no-file"


def test_an_empty_file_is_a_file(store: Store) -> None:
    digest, size = store.backend.stage(io.BytesIO(), limit=0)
    assert size == 0
    with store.backend.blob(digest) as file:
        assert file.read() == b""


def test_a_file_that_no_record_takes_up_goes_after_a_day(store: Store, paper: Paper) -> None:
    wanted, _ = store.backend.stage(io.BytesIO(b"wanted"), limit=10)
    paper.say({"key": "a"}, files=(wanted,))
    orphan, _ = store.backend.stage(io.BytesIO(b"orphan"), limit=10)
    young, _ = store.backend.stage(io.BytesIO(b"young"), limit=10)
    with store.backend._database.write() as connection:  # noqa: SLF001 - a day passes
        old = sa.update(schema.blob).where(schema.blob.c.digest != young)
        connection.execute(old.values(staged_at=schema.blob.c.staged_at - blobs.KEEP_SECONDS - 1))
    store.backend.scrub()
    with pytest.raises(Missing):
        store.backend.blob(orphan)
    for digest in (wanted, young):
        store.backend.blob(digest).close()


def test_a_closed_store_lets_go_of_its_files(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        Paper(store).say({"key": "a"})
    # SQLite removes the write-ahead file when the last connection is closed.
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEYS, FILE]


@pytest.mark.system
def test_on_postgres_what_is_erased_is_in_no_file_of_the_server(postgres: str, tmp_path: Path) -> None:
    folder = Path(postgres.partition("host=")[2], "data")
    with open_store(postgres, keys=tmp_path / KEYS, create=True) as store:
        paper = Paper(store)
        registry = store.registry([NOTES])
        digest, _ = store.backend.stage(io.BytesIO(PLANTED.encode() * 30_000), limit=1 << 22)
        planted = paper.say({"key": PLANTED, "words": PLANTED}, files=(digest,))
        fill(paper, 100)
        registry.catch_up()
        with store.backend._database.outside() as connection:  # noqa: SLF001 - make the server write all it holds
            connection.exec_driver_sql("CHECKPOINT")
        # In clear in the tables of the registry alone, which the server's own log leaves out.
        needles = (PLANTED.encode(), planted.salt or b"")
        assert registry.select(NOTES.name, {"key": PLANTED}, principal=Principal(ANNA), now=AT).total == 1
        assert everywhere(folder / "pg_wal", *needles) == []
        paper.erase(planted.index)
        store.backend.scrub()
        with store.backend._database.outside() as connection:  # noqa: SLF001 - as above
            connection.exec_driver_sql("CHECKPOINT")
            assert registry.select(NOTES.name, principal=Principal(ANNA), now=AT).total == 100
        assert everywhere(folder, *needles) == []
        assert everywhere(tmp_path, *needles) == []
        assert (tmp_path / KEYS).read_bytes().count(DESTROYED) == 2


@pytest.mark.system
def test_on_postgres_registries_that_a_crash_took_are_folded_again(postgres: str, tmp_path: Path) -> None:
    with open_store(postgres, keys=tmp_path / KEYS, create=True) as store:
        paper = Paper(store)
        registry = store.registry([NOTES])
        fill(paper, 30)
        registry.catch_up()
        live = registry.digest(NOTES.name)
        with store.backend._database.write() as connection:  # noqa: SLF001 - what a crash does to unlogged tables
            kinds = connection.exec_driver_sql(
                "SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'"
            )
            names = kinds.scalars().all()
            assert sorted(names) == ["registries_whole", "v_test_notes_1"]
            connection.exec_driver_sql(f"TRUNCATE {', '.join(names)}")
        registry.catch_up()
        assert registry.digest(NOTES.name) == live
        fill(paper, 5, 30)
        registry.catch_up()
        assert registry.select(NOTES.name, principal=Principal(ANNA), now=AT).total == 35
        with store.backend._database.write() as connection:  # noqa: SLF001 - as above
            connection.exec_driver_sql("TRUNCATE registries_whole, v_test_notes_1")
    with open_store(postgres, keys=tmp_path / KEYS, create=False) as store:
        again = store.registry([NOTES])
        again.catch_up()
        assert again.select(NOTES.name, principal=Principal(ANNA), now=AT).total == 35


@pytest.mark.system
def test_a_whole_node_on_postgres_forgets(postgres: str, tmp_path: Path) -> None:
    folder, home = Path(postgres.partition("host=")[2], "data"), tmp_path / "home"
    homes.create(home, name="Laboratory", database=postgres)
    with open_node(home, extra=[PLANT]) as node:
        (made,) = node.publish([planted()])
        receipt = node.desk(node.owner).receipt(made.entry)
        assert holding(folder / "pg_wal") == set()
        assert node.desk(node.owner).rows("systems").total == 0
        node.forget(SUBJECT, ground="Art. 17 GDPR")
        with node.store.backend._database.outside() as connection:  # noqa: SLF001 - make the server write all it holds
            connection.exec_driver_sql("CHECKPOINT")
        assert holding(folder) == set()
        assert holding(home) == set()
        assert verify_receipt(receipt, bytes.fromhex(made.entry[8:]), node.log.public).index == made.index
        assert fsck.check(node.home, node.practices).entries == node.store.backend.head().size
    assert (home / "store" / KEYS).read_bytes().count(DESTROYED) == 3

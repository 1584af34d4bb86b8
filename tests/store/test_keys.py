"""The file of keys: durable before use, one slot for one thing, destroyed where it lies; and what its absence means."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.store.paper import ANNA, AT, NOTES, Paper
from tests.store.test_erasure import PLANTED, everywhere
from tongqiu.record.audience import Principal
from tongqiu.record.faults import Fault, Malformed, Missing, Unproven, Unreachable
from tongqiu.store import database as databases
from tongqiu.store import schema
from tongqiu.store.check import untouched
from tongqiu.store.database import FILE
from tongqiu.store.house import Store, open_store
from tongqiu.store.keys import (
    DESTROYED,
    KEYS,
    MAGIC,
    SIZE,
    Keys,
    _read_at,
    deciphered,
    enciphered,
    open_keys,
    piece_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    opened = open_keys(tmp_path / "folder" / KEYS, create=True)
    yield opened
    opened.close()


def slots(file: Path) -> list[bytes]:
    data = file.read_bytes()[SIZE:]
    return [data[at : at + SIZE] for at in range(0, len(data), SIZE)]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    with pytest.raises(Missing) as raised:
        open_keys(tmp_path / KEYS, create=False)
    assert raised.value.code == "store.no-keys"
    names = set()
    for _ in range(2):
        opened = open_keys(tmp_path / KEYS, create=True)
        names.add(opened.name)
        opened.close()
        opened.close()
    (name,) = names
    assert (tmp_path / KEYS).read_bytes() == MAGIC + bytes.fromhex(name)
    assert stat.S_IMODE((tmp_path / KEYS).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [KEYS]


def test_of_many_who_make_it_at_once_one_does(tmp_path: Path) -> None:
    together, names = threading.Barrier(8), []

    def work() -> None:
        together.wait()
        opened = open_keys(tmp_path / "new" / KEYS, create=True)
        names.append(opened.name)
        opened.close()

    running = [threading.Thread(target=work) for _ in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=60)
    assert len(names) == 8
    assert len(set(names)) == 1
    assert [each.name for each in (tmp_path / "new").iterdir()] == [KEYS]


@pytest.mark.parametrize("data", [b"", b"TONGQIU", b"another program's file, longer than a head"])
def test_a_file_of_another_sort_is_refused_and_left_alone(tmp_path: Path, data: bytes) -> None:
    (tmp_path / KEYS).write_bytes(data)
    with pytest.raises(Malformed) as raised:
        open_keys(tmp_path / KEYS, create=True)
    assert raised.value.code == "store.keys"
    assert (tmp_path / KEYS).read_bytes() == data


def test_what_cannot_be_opened_or_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("x")
    for path in (tmp_path / "in the way" / KEYS, tmp_path):
        with pytest.raises(Unreachable) as raised:
            open_keys(path, create=True)
        assert raised.value.code == "log.storage"


def test_no_slot_is_given_twice_and_every_key_is_in_the_file_first(keys: Keys) -> None:
    other = open_keys(keys.path, create=False)
    taken = [each for count in (1, 5, 40, 0, 100) for each in keys.take(count) + other.take(count)]
    assert len(taken) == 2 * 146
    assert len({slot for slot, _ in taken}) == len({key for _, key in taken}) == len(taken)
    held = slots(keys.path)
    assert all(held[slot] == key and len(key) == SIZE for slot, key in taken)
    assert {keys.look(slot) for slot, _ in taken[:3]} == {("whole", key) for _, key in taken[:3]}
    assert other.look(len(held)) == ("lost", None)
    other.close()


def test_a_forked_child_is_given_slots_of_its_own(keys: Keys) -> None:
    keys.take(1)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b" ".join(b"%d" % slot for slot, _ in keys.take(20)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = {int(each) for each in os.read(reading, 1000).split()}
    assert len(theirs) == 20
    assert theirs.isdisjoint(slot for slot, _ in keys.take(31))
    os.close(reading)
    os.close(writing)


def test_the_uneven_end_that_a_crash_left_is_passed_over(keys: Keys) -> None:
    first = keys.take(32)
    with keys.path.open("ab") as file:
        file.write(b"half a key")
    ((slot, key), *_) = keys.take(1)
    assert slot == len(first) + 1
    assert slots(keys.path)[slot] == key
    assert [keys.look(each)[1] for each, _ in first] == [each for _, each in first]


def test_a_process_that_writes_between_is_seen_and_the_keys_are_made_again(keys: Keys) -> None:
    class Raced(Keys):
        odd = 2

        def _length(self) -> int:
            length = super()._length()
            if self.odd:
                self.odd -= 1
                with self.path.open("ab") as file:
                    file.write(b"x")
            return length

    raced = Raced(keys.path, keys.name, os.dup(keys._handle))  # noqa: SLF001 - a second door to one file
    assert all(slots(keys.path)[slot] == key for slot, key in raced.take(3))
    raced.odd = 100
    with pytest.raises(Unreachable):
        raced.take(5000)
    raced.close()


def test_a_full_disk_gives_no_key(tmp_path: Path) -> None:
    code = """
        import resource, signal, sys
        from pathlib import Path
        from tongqiu.record.faults import Fault
        from tongqiu.store.keys import open_keys
        keys = open_keys(Path(sys.argv[1]), create=True)
        keys.take(10)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, most))
        for _ in range(2):
            try:
                keys.take(100)
            except Fault as fault:
                print(fault.code)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    """
    argv = [sys.executable, "-c", "\n".join(line[8:] for line in code.splitlines()), str(tmp_path / KEYS)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["log.storage"] * 2
    again = open_keys(tmp_path / KEYS, create=False)
    ((slot, key), *_) = again.take(3)
    assert slots(tmp_path / KEYS)[slot] == key
    again.close()


def test_destroying_overwrites_where_it_lies_and_nothing_else(keys: Keys) -> None:
    taken = keys.take(50)
    before = keys.path.read_bytes()
    assert keys.destroy([taken[3][0], taken[40][0]]) == 2
    assert keys.destroy([taken[3][0]]) == 0
    assert keys.destroy([]) == 0
    after = keys.path.read_bytes()
    assert len(after) == len(before)
    for slot, key in taken:
        gone = slot in {taken[3][0], taken[40][0]}
        assert keys.look(slot) == (("destroyed", None) if gone else ("whole", key))
        assert (key in after) is not gone
    assert list(keys.destroyed()) == [taken[3][0], taken[40][0]]
    # A slot that a shorter, older copy of the file does not have is marked all the same, so that it is never given out.
    assert keys.destroy([5000]) == 1
    assert keys.look(4999) == ("lost", None)
    assert list(keys.destroyed())[-1] == 5000
    assert min(slot for slot, _ in keys.take(200)[20:]) > 5000


def test_a_file_that_was_exchanged_meanwhile_is_not_written_to(keys: Keys) -> None:
    ((slot, _), *_) = keys.take(1)
    other = open_keys(keys.path.with_name("other"), create=True)
    other.take(1)
    other.close()
    other.path.replace(keys.path)
    held = keys.path.read_bytes()
    for work in (lambda: keys.destroy([slot]), lambda: keys.take(1000)):
        with pytest.raises(Missing) as raised:
            work()
        assert raised.value.code == "store.no-keys"
    assert keys.path.read_bytes() == held


def test_a_system_without_reading_at_a_place_seeks_first(keys: Keys) -> None:
    ((slot, key), *_) = keys.take(5)
    for seek in (False, True):
        assert _read_at(keys._handle, SIZE * (slot + 1), SIZE, seek=seek) == key  # noqa: SLF001 - the open file


def test_a_closed_file_is_unreachable(keys: Keys) -> None:
    keys.close()
    for work in (lambda: keys.look(0), lambda: list(keys.destroyed()), lambda: keys.take(1)):
        with pytest.raises(Unreachable):
            work()


def test_enciphering_is_aes_256_gcm_and_bound_to_what_it_is_about() -> None:
    # NIST's GCM test vectors (gcmEncryptExtIV256.rsp, PTlen 128, AADlen 128, first case) as published with SP 800-38D.
    key = bytes.fromhex("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b")
    nonce = bytes.fromhex("ac93a1a6145299bde902f21a")
    plain = bytes.fromhex("2d71bcfa914e4ac045b2aa60955fad24")
    about = bytes.fromhex("1e0889016f67601c8ebea4943bc23ad6")
    sealed = enciphered(key, about, plain, nonce=nonce)
    assert sealed == nonce + bytes.fromhex("8995ae2e6df3dbf96fac7b7137bae67feca5aa77d51d4a0a14d9c51e1da474ab")
    assert deciphered(key, about, sealed) == plain
    for at in range(len(sealed)):
        assert deciphered(key, about, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]) is None
    assert deciphered(key, about[:-1], sealed) is None
    assert deciphered(bytes(32), about, sealed) is None
    assert [deciphered(key, about, sealed[:cut]) for cut in (0, 11, 12, 20)] == [None] * 4
    assert enciphered(key, about, plain) != enciphered(key, about, plain)
    assert piece_of(b"d" * 32, 258) == b"d" * 32 + bytes([0, 0, 0, 0, 0, 0, 1, 2])


# --- the store --------------------------------------------------------------------------------------------------------


def test_content_lies_in_no_file_in_clear_and_every_record_has_a_key_of_its_own(
    store: Store, paper: Paper, tmp_path: Path
) -> None:
    digest, _ = store.backend.stage(io.BytesIO(PLANTED.encode() * 30_000), limit=1 << 22)
    rows = list(
        paper.log(paper.row({"key": PLANTED}, files=(digest,)), *(paper.row({"key": PLANTED}) for _ in range(40)))
    )
    assert everywhere(tmp_path, PLANTED.encode(), *(row.salt or b"" for row in rows)) == []
    with store.backend._database.read() as connection:  # noqa: SLF001 - the tables themselves
        used = [*connection.execute(sa.select(schema.content.c.slot)).scalars()]
        used += connection.execute(sa.select(schema.blob.c.slot)).scalars()
    assert len(set(used)) == len(used) == 42
    assert [row.content for row in store.backend.rows(0, 41)] == [row.content for row in rows]
    assert [row.salt for row in store.backend.rows(0, 41)] == [row.salt for row in rows]


def test_a_store_without_its_keys_or_with_anothers_is_not_opened(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with open_store(tmp_path / name, create=True) as store:
            Paper(store).say({"key": name})
    shutil.move(tmp_path / "one" / KEYS, tmp_path / "kept")
    for create in (True, False):
        with pytest.raises(Missing) as missing:
            open_store(tmp_path / "one", create=create)
        assert missing.value.code == "store.no-keys"
    with pytest.raises(Missing), untouched(tmp_path / "one"):
        pass
    shutil.copy(tmp_path / "two" / KEYS, tmp_path / "one" / KEYS)
    with pytest.raises(Malformed) as raised:
        open_store(tmp_path / "one", create=False)
    assert raised.value.code == "store.keys"
    with open_store(tmp_path / "one", create=False, keys=tmp_path / "kept") as store:
        assert store.statements()[0].body == {"key": "one"}


def test_keys_may_be_kept_elsewhere_and_a_server_needs_them_named(tmp_path: Path) -> None:
    elsewhere = tmp_path / "another disk" / "keys"
    with open_store(tmp_path / "s", create=True, keys=elsewhere) as store:
        Paper(store).say({"key": "a"})
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [FILE]
    assert len(slots(elsewhere)) == 32
    with pytest.raises(Malformed) as raised:
        open_store("postgresql://nobody@/nothing", create=True)
    assert raised.value.code == "store.url"


def test_a_key_file_left_by_a_start_that_died_is_taken_up(tmp_path: Path) -> None:
    orphan = open_keys(tmp_path / KEYS, create=True)
    orphan.take(1)
    orphan.close()
    with open_store(tmp_path, create=True) as store:
        Paper(store).say({"key": "a"})
        assert store.backend._database.keys.name == orphan.name  # noqa: SLF001 - which file it is
    assert len(slots(tmp_path / KEYS)) == 64


def test_a_lost_key_is_a_loss_and_not_an_erasure(store: Store, paper: Paper, tmp_path: Path) -> None:
    digest, _ = store.backend.stage(io.BytesIO(b"file"), limit=10)
    rows = paper.log(*(paper.row({"key": str(number)}, files=(digest,)) for number in range(3)))
    held = store.backend._database  # noqa: SLF001 - the bytes of one content and of the file change
    with held.write() as connection:
        connection.execute(sa.update(schema.content).where(schema.content.c.idx == 1).values(slot=9999))
        connection.execute(sa.update(schema.content).where(schema.content.c.idx == 2).values(sealed=b"x" * 60))
        connection.execute(sa.update(schema.blob).values(slot=9999))
    assert [row.content is not None for row in store.backend.rows(0, 3)] == [True, False, False]
    assert not any(row.erased for row in store.backend.rows(0, 3))
    assert [each.index for each in store.statements()] == [0]
    assert [each.index for each in store.statements(limit=1)] == [0]
    with store.backend.blob(digest) as file, pytest.raises(Unproven) as raised:
        file.read()
    assert raised.value.code == "log.file-lost"
    registry = store.registry([NOTES])
    registry.catch_up()
    assert [(each.at, each.code) for each in registry.problems(NOTES.name)] == [
        (1, "log.content-lost"),
        (2, "log.content-lost"),
    ]
    with untouched(tmp_path / ".tongqiu") as kept:
        assert [kept.rows.fate(row.index) for row in rows] == ["whole", "lost", "lost"]
        assert [kept.lost(row.index) for row in rows] == [False, True, False]
        assert kept.rows.fate(99) is None
        assert dict(kept.files()) == {digest: "lost"}
    store.backend.scrub()
    assert not store.backend.row(1).erased


def test_a_store_too_damaged_to_be_scrubbed_is_not_opened(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        paper = Paper(store)
        paper.log(*(paper.row({"key": str(number), "words": "x" * 900}) for number in range(60)))
        paper.erase(3)
    data = bytearray((tmp_path / FILE).read_bytes())
    with sqlite3.connect(tmp_path / FILE) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'content'").fetchone()
    connection.close()
    data[4096 * (root - 1) : 4096 * root] = b"\xa5" * 4096
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(Unproven) as raised:
        open_store(tmp_path, create=False)
    assert raised.value.code == "log.corrupt"


def test_pages_are_short_only_at_the_end_though_some_cannot_be_read(store: Store, paper: Paper) -> None:
    paper.log(*(paper.row({"key": str(number)}) for number in range(10)))
    with store.backend._database.write() as connection:  # noqa: SLF001 - as above
        lost = schema.content.c.idx.in_([0, 1, 4, 5, 6])
        connection.execute(sa.update(schema.content).where(lost).values(slot=9999))
    assert [each.index for each in store.statements(limit=3)] == [2, 3, 7]
    assert [each.index for each in store.statements(after=7, limit=3)] == [8, 9]
    assert [each.index for each in store.statements(limit=3, bare=True)] == [0, 1, 2]


# --- copies -----------------------------------------------------------------------------------------------------------


def _seen(store: Store) -> int:
    registry = store.registry([NOTES])
    registry.catch_up()
    return registry.select(NOTES.name, principal=Principal(ANNA), now=AT).total


def test_an_older_copy_of_the_store_shows_nothing_that_was_erased_since(tmp_path: Path) -> None:
    here, backup = tmp_path / "store", tmp_path / "backup"
    with open_store(here, create=True) as store:
        paper = Paper(store)
        digest, _ = store.backend.stage(io.BytesIO(PLANTED.encode()), limit=1000)
        kept = paper.say({"key": "kept"})
        planted = paper.say({"key": PLANTED}, files=(digest,))
        assert _seen(store) == 2
    # The whole folder is copied but for the keys.
    shutil.copytree(here, backup, ignore=shutil.ignore_patterns(KEYS))
    with open_store(here, create=False) as store:
        Paper(store).erase(planted.index)
        store.backend.scrub()
        assert everywhere(here, PLANTED.encode()) == []

    # Looked at as it is: erased, not broken. The clear rows of its registry are still in the copy's file.
    with untouched(backup, keys=here / KEYS) as copy:
        assert (copy.rows.row(1).content, copy.rows.row(1).erased) == (None, True)
        assert copy.rows.fate(1) == "destroyed"
        assert copy.revived == {1}
        assert dict(copy.files()) == {digest: "destroyed"}
        assert copy.unspent() is None
    # A start forgets it again, rows and all.
    with open_store(backup, create=False, keys=here / KEYS) as store:
        row = store.backend.row(planted.index)
        assert (row.content, row.salt, row.erased) == (None, None, True)
        assert store.backend.row(kept.index).content == kept.content
        with pytest.raises(Missing):
            store.backend.blob(digest)
        assert [each.content is None for each in store.statements(bare=True)] == [False, True]
        assert _seen(store) == 1
        assert everywhere(backup, PLANTED.encode()) == []
    # Without any keys it shows nothing at all.
    with pytest.raises(Missing) as raised:
        open_store(backup, create=False)
    assert raised.value.code == "store.no-keys"


def test_an_older_copy_of_the_keys_brings_no_erased_key_back(tmp_path: Path) -> None:
    here, copy = tmp_path / "store", tmp_path / "older.keys"
    with open_store(here, create=True) as store:
        paper = Paper(store)
        planted, kept = paper.say({"key": PLANTED}), paper.say({"key": "kept"})
        shutil.copy(here / KEYS, copy)
        paper.erase(planted.index)
        store.backend.scrub()
    assert DESTROYED not in copy.read_bytes()
    shutil.copy(copy, here / KEYS)
    with open_store(here, create=False) as store:
        assert slots(here / KEYS).count(DESTROYED) == 1
        assert store.backend.row(kept.index).content == kept.content


def test_what_is_written_beside_an_older_copy_of_the_keys_takes_no_slot_of_what_it_lacks(tmp_path: Path) -> None:
    here, copy = tmp_path / "store", tmp_path / "older.keys"
    with open_store(here, create=True) as store:
        paper = Paper(store)
        paper.say({"key": "first"})
        shutil.copy(here / KEYS, copy)
        paper.log(*(paper.row({"key": str(number)}) for number in range(60)))
        digest, _ = store.backend.stage(io.BytesIO(b"file"), limit=10)
    held = (here / KEYS).read_bytes()
    shutil.copy(copy, here / KEYS)
    with open_store(here, create=False) as store:
        # A start alone changes nothing: the newest copy can still be put back.
        assert (here / KEYS).read_bytes() == copy.read_bytes()
        lost = [row.index for row in store.backend.rows(0, 61) if row.content is None]
        assert len(lost) > 20
        assert not any(store.backend.row(index).erased for index in lost)
        paper = Paper(store)
        paper.count = 100
        new = paper.log(*(paper.row({"key": f"new {number}"}) for number in range(40)))
        paper.erase(*lost)
        store.backend.scrub()
        assert [store.backend.row(row.index).content for row in new] == [row.content for row in new]
        assert store.backend.row(0).content is not None
        with store.backend.blob(digest) as file, pytest.raises(Unproven):
            file.read()
    assert held.startswith(copy.read_bytes())


def test_erasing_one_record_leaves_the_others_of_its_subject(store: Store, paper: Paper) -> None:
    rows = paper.log(*(paper.row({"key": str(number)}) for number in range(5)))
    paper.erase(2)
    store.backend.scrub()
    assert [row.content is None for row in store.backend.rows(0, 5)] == [False, False, True, False, False]
    paper.erase(*(row.index for row in rows if row.index != 2))
    store.backend.scrub()
    assert all(row.erased for row in store.backend.rows(0, 5))


def test_a_file_that_two_records_carry_goes_with_the_second(store: Store, paper: Paper, tmp_path: Path) -> None:
    digest, _ = store.backend.stage(io.BytesIO(b"shared"), limit=10)
    rows = paper.log(*(paper.row({"key": str(number)}, files=(digest,)) for number in range(2)))
    paper.erase(rows[0].index)
    store.backend.scrub()
    with store.backend.blob(digest) as file:
        assert file.read() == b"shared"
    paper.erase(rows[1].index)
    store.backend.scrub()
    assert slots(tmp_path / ".tongqiu" / KEYS).count(DESTROYED) == 3
    again, _ = store.backend.stage(io.BytesIO(b"shared"), limit=10)
    with store.backend.blob(again) as file:
        assert file.read() == b"shared"


def test_content_that_is_no_record_is_erased_beside_unfinished_forms(store: Store, paper: Paper) -> None:
    row = paper.row({"key": "a"})
    paper.log(type(row)(0, row.entry, row.statement, b"\xff", row.salt, row.logged_at, row.columns))
    for text in (row.entry.hex(), "another"):
        store.drafts.keep(text, "core.reply", {"entry": text}, now=AT)
    paper.erase(0)
    assert [len(store.drafts.list(text)) for text in (row.entry.hex(), "another")] == [0, 1]


# --- a store from before ----------------------------------------------------------------------------------------------


def _from_before(folder: Path) -> tuple[bytes, bytes]:
    """Make a store as the version before keys left it: one content with a file of two pieces, in clear."""
    folder.mkdir()
    path = folder / FILE
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    config = Config()
    config.set_main_option("script_location", "tongqiu.store:migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    engine.dispose()
    blob = PLANTED.encode() * 10_000
    digest = b"f" * 32
    with sqlite3.connect(path) as old:
        old.execute(f"PRAGMA application_id={databases.APPLICATION_ID}")
        old.execute("PRAGMA journal_mode=WAL")
        old.execute("INSERT INTO head VALUES (1, 'log.example', 1200, zeroblob(32), x'', ?, 0)", (AT,))
        for number in range(1200):
            row = (
                number,
                b"%032d" % number,
                b"envelope",
                AT,
                "",
                "urn:x",
                ANNA,
                "",
                "",
                b"",
                digest if number == 7 else b"",
                0,
            )
            old.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            if number % 3:
                old.execute(
                    "INSERT INTO content VALUES (?, ?, ?)", (number, PLANTED.encode() + b" %d" % number, b"s" * 32)
                )
        old.execute("INSERT INTO file VALUES (?, 7)", (digest,))
        old.execute("INSERT INTO blob VALUES (?, ?, 0.0)", (digest, len(blob)))
        for at in range(0, len(blob), schema.CHUNK):
            piece = blob[at : at + schema.CHUNK]
            old.execute("INSERT INTO chunk VALUES (?, ?, ?)", (digest, at // schema.CHUNK, piece))
    old.close()
    return digest, blob


def test_a_store_from_before_is_enciphered_at_its_first_start(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    digest, blob = _from_before(folder)
    assert everywhere(folder, PLANTED.encode()) != []
    # A start that dies before it commits leaves the old one as it was, and a file of keys that nothing uses.
    ended = subprocess.run(
        [sys.executable, "-c", _DIES, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 9, ended.stderr
    with open_store(folder, create=False) as store:
        assert everywhere(folder, PLANTED.encode()) == []
        for number in (0, 1, 7, 501, 1199):
            row = store.backend.row(number)
            assert row.content == (PLANTED.encode() + b" %d" % number if number % 3 else None)
            assert row.salt == (b"s" * 32 if number % 3 else None)
        with store.backend.blob(digest) as file:
            assert file.read() == blob
        with store.backend._database.read() as connection:  # noqa: SLF001 - the tables themselves
            assert connection.execute(sa.select(sa.func.count(sa.distinct(schema.content.c.slot)))).scalar() == 800


_DIES = """
import os, sys
from pathlib import Path
from tongqiu.store import keys
from tongqiu.store.house import open_store
taken, take = 0, keys.Keys.take
def dies(self, count):
    global taken
    taken += 1
    if taken == 2:
        os._exit(9)
    return take(self, count)
keys.Keys.take = dies
open_store(Path(sys.argv[1]), create=False)
"""


# --- flushes ----------------------------------------------------------------------------------------------------------


def _traced(tmp_path: Path, code: str) -> list[tuple[str, str]]:
    """Return which call was made on which file, of those that write, flush or name, in order."""
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,pwrite64,write,link,unlink,mkdir"
    subprocess.run(
        ["strace", "-f", "-y", "-qq", "-o", str(trace), "-e", calls, sys.executable, "-c", code, str(tmp_path / "s")],
        check=True,
        timeout=60,
    )
    found = []
    for line in trace.read_text().splitlines():
        call, _, rest = line.split(maxsplit=1)[1].partition("(")
        place = rest.partition("<")[2].partition(">")[0] if call not in {"link", "unlink", "mkdir"} else rest
        if str(tmp_path) in place:
            found.append((call, place.rpartition("/")[2].split('"')[0]))
    return found


@pytest.mark.system
def test_a_new_store_and_its_keys_have_names_that_last(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from tongqiu.store.house import open_store; open_store(Path(sys.argv[1]), create=True).close()"
    found = _traced(tmp_path, code)
    made = found.index(("mkdir", "s"))
    assert ("fsync", tmp_path.name) in found[made:]
    named = next(at for at, each in enumerate(found) if each[0] == "link")
    drafts = [each for each in found[:named] if each[1].startswith(f".{KEYS}.")]
    assert [call for call, _ in drafts] == ["write", "fsync"]
    # The name of the key file lasts before the database commits that it is there.
    after = [each for each in found[named:] if each in {("fsync", "s"), ("fdatasync", f"{FILE}-wal")}]
    assert after[0] == ("fsync", "s")


@pytest.mark.system
def test_keys_are_flushed_before_the_content_and_destroyed_with_a_flush(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", create=True) as store:
        Paper(store).say({"key": "begun"})
    code = """
import sys
from pathlib import Path
from tests.store.paper import Paper
from tongqiu.store.house import open_store
with open_store(Path(sys.argv[1]), create=False) as store:
    paper = Paper(store)
    paper.count = 100
    row = paper.say({"key": "a"})
    paper.erase(row.index)
    store.backend.scrub()
"""
    found = [each for each in _traced(tmp_path, code) if each[1] in {KEYS, f"{FILE}-wal"}]
    keys = [at for at, each in enumerate(found) if each[1] == KEYS]
    assert [found[at][0] for at in keys] == ["write", "fsync", "write", "fsync"]
    first = next(at for at, each in enumerate(found) if each[0] == "fdatasync")
    assert keys[1] < first, "the keys are durable before the content is"
    assert keys[2] > first, "nothing is destroyed before the erasure is durable"


def test_a_failing_key_file_logs_nothing(store: Store, paper: Paper, tmp_path: Path) -> None:
    paper.say({"key": "a"})
    (tmp_path / ".tongqiu" / KEYS).rename(tmp_path / "away")
    rows = [paper.row({"key": str(number)}) for number in range(100)]
    with pytest.raises(Fault) as raised:
        paper.log(*rows)
    assert raised.value.code in {"log.storage", "store.no-keys"}
    assert store.backend.head().size == 1
    (tmp_path / "away").rename(tmp_path / ".tongqiu" / KEYS)
    paper.log(*rows)
    assert store.backend.head().size == 101

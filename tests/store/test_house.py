"""Opening a store: made once, refused when it is not ours, damaged, or newer than the software."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import tongqiu
from tests.store.paper import ANNA, AT, BORIS, CHEN, NOTES, Paper
from tongqiu.ledger.backend import Where
from tongqiu.record.audience import EVERYONE, STRANGER, Principal, only_for
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unproven, Unreachable
from tongqiu.store.database import APPLICATION_ID, FILE, by_url
from tongqiu.store.disk import fault_of
from tongqiu.store.house import Store, open_store
from tongqiu.store.keys import KEYS
from tongqiu.store.migrations import REVISIONS
from tongqiu.store.schema import METADATA


def test_a_store_is_made_once_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / ".tongqiu"
    with pytest.raises(Missing) as raised:
        open_store(folder, create=False)
    assert raised.value.code == "store.none"
    assert not folder.exists()
    with open_store(folder, create=True) as made:
        Paper(made).say({"key": "k"})
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    with open_store(folder, create=False) as again:
        assert again.backend.head().size == 1
    with open_store(str(folder), create=True) as again:
        assert again.backend.head().size == 1


def test_the_file_is_flushed_fully_and_marked_as_ours(store: Store) -> None:
    with store.backend._database.outside() as connection:  # noqa: SLF001 - the settings of this very connection
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "application_id", "trusted_schema")
        }
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "application_id": APPLICATION_ID,
        "trusted_schema": 0,
    }


def test_the_migrations_lead_to_the_schema(store: Store) -> None:
    with store.backend._database.read() as connection:  # noqa: SLF001 - the tables themselves
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)
        strict = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'")
        assert strict.scalar() == 3
    assert differences == []


@pytest.mark.system
def test_the_migrations_lead_to_the_schema_on_postgres(postgres: str, tmp_path: Path) -> None:
    with open_store(postgres, keys=tmp_path / KEYS, create=True) as store, store.backend._database.read() as connection:  # noqa: SLF001
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_store(tmp_path, create=True).close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for create in (True, False):
        with pytest.raises(Refused) as raised:
            open_store(tmp_path, create=create)
        assert raised.value.code == "store.newer"
        assert "9999" in raised.value.explain("zh")
        assert "9999" in raised.value.explain("en")
    assert REVISIONS[-1] != "9999"


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    foreign = path.read_bytes()
    marked = foreign[:68] + (77).to_bytes(4) + foreign[72:]
    for found in (foreign, marked, b"just text, nothing else\n", b"SQLite format 3\x00"):
        path.write_bytes(found)
        for create in (True, False):
            with pytest.raises(Malformed) as raised:
                open_store(tmp_path, create=create)
            assert raised.value.code == "store.foreign"
        assert path.read_bytes() == found


def test_an_unfinished_file_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with pytest.raises(Missing):
        open_store(tmp_path, create=False)
    with open_store(tmp_path, create=True) as store:
        assert store.backend.head().size == 0


def test_a_damaged_file_is_unproven(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        paper = Paper(store)
        paper.log(*(paper.row({"key": str(number), "words": "x" * 500}) for number in range(100)))
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    data[4096 * 3 :] = b"\xa5" * (len(data) - 4096 * 3)
    path.write_bytes(data)
    with pytest.raises(Unproven) as raised, open_store(tmp_path, create=False) as store:
        store.backend.rows(0, 100)
    assert raised.value.code == "log.corrupt"


def test_a_folder_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Fault) as raised:
        open_store(tmp_path / "file" / ".tongqiu", create=True)
    assert raised.value.code == "log.storage"


@pytest.mark.parametrize("url", ["mysql://host/name", "postgresql//host", "sqlite:///x.db", "://"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Malformed) as raised:
        by_url(url, keys=Path(KEYS), create=True)
    assert raised.value.code == "store.url"


def test_a_server_that_does_not_answer_is_unreachable_and_keeps_its_password_secret(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as raised:
        open_store(f"postgresql://anna:Secret99@/x?host={tmp_path}", keys=tmp_path / KEYS, create=True)
    assert raised.value.code == "log.storage"
    assert "Secret99" not in str(raised.value) + raised.value.explain("zh") + raised.value.explain("en")


def test_waiting_too_long_for_another_writer_is_unreachable(tmp_path: Path) -> None:
    open_store(tmp_path, create=True).close()
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with open_store(tmp_path, create=False, wait=0.1) as store:
        with pytest.raises(Unreachable) as raised:
            store.backend.fence()
        assert raised.value.code == "log.storage"
        assert "locked" in raised.value.what.en
        other.execute("ROLLBACK")
        assert store.backend.fence() == 1
    other.close()


def test_a_full_disk_is_told_apart(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "small", isolation_level=None) as small:
        small.execute("CREATE TABLE t (x)")
        small.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as full:
            small.execute("INSERT INTO t VALUES (zeroblob(100000))")
    small.close()
    for error in (full.value, OSError(28, "No space left on device")):
        fault = fault_of(error, "here")
        assert isinstance(fault, Unreachable)
        assert fault.code == "log.storage"
        assert "full" in fault.what.en
        assert "已满" in fault.what.zh


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def work() -> None:
        try:
            open_store(tmp_path / "s", create=True).close()
        except BaseException as fault:  # noqa: BLE001 - shown by the assertion below
            faults.append(fault)

    running = [threading.Thread(target=work) for _ in range(6)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=60)
    assert faults == []
    with open_store(tmp_path / "s", create=False) as store:
        assert store.backend.head().size == 0


def test_many_may_open_different_new_stores_at_once(tmp_path: Path) -> None:
    """What makes the tables keeps what it works on in one place for a whole process, and mixed the stores up."""
    failed: list[BaseException] = []
    together = threading.Barrier(4)

    def begin(name: str) -> None:
        together.wait()
        try:
            with open_store(tmp_path / name, create=True) as store:
                assert store.backend.head().size == 0
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=begin, args=(str(number),)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert failed == []


@pytest.mark.parametrize(
    "torn",
    [
        "DELETE FROM head",
        "UPDATE head SET size = 'x'",
        "UPDATE head SET root = 7",
        "UPDATE head SET frontier = 'text'",
        "UPDATE head SET origin = x'00'",
        "UPDATE head SET epoch = 1.5",
    ],
)
def test_a_head_that_a_disk_made_up_is_unproven(tmp_path: Path, torn: str) -> None:
    open_store(tmp_path, create=True).close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute(torn)
    connection.close()
    with open_store(tmp_path, create=False) as store, pytest.raises(Unproven) as raised:
        store.backend.head()
    assert raised.value.code == "log.corrupt"


def test_a_step_whose_file_cannot_be_read_is_unreachable(tmp_path: Path) -> None:
    """The software lies on a disk, too. A folder stands for a file that gives an error when it is read."""
    whole = Path(tongqiu.__file__).parent
    for path in (whole, whole / "store", whole / "store" / "migrations", whole / "store" / "migrations" / "versions"):
        copy = tmp_path / "tongqiu" / path.relative_to(whole)
        copy.mkdir()
        for each in path.iterdir():
            if each.name not in {"store", "migrations", "versions", "__pycache__"}:
                (copy / each.name).symlink_to(each)
    step = tmp_path / "tongqiu" / "store" / "migrations" / "env.py"
    step.unlink()
    step.mkdir()
    program = (
        "from pathlib import Path; from tongqiu.record.faults import Unreachable; from tongqiu.store.house import open_store\n"
        f"try: open_store(Path({str(tmp_path / 'new')!r}), create=True)\n"
        "except Unreachable as fault: print(fault.code, fault.where)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout.strip() == f"log.storage {step}", done.stderr


def test_nothing_heavy_is_imported_with_the_room() -> None:
    code = "import sys, tongqiu.store; print([m for m in ('sqlalchemy', 'alembic', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- audiences and statements ---------------------------------------------------------------------------------------


def test_an_audience_has_one_id_however_often_it_is_named(store: Store, tmp_path: Path) -> None:
    few = only_for([BORIS, CHEN], marking="amber", embargo="2026-12-01T00:00:00.000Z")
    name = store.audience_id(few, ANNA)
    assert store.audience_id(only_for([CHEN, BORIS], marking="amber", embargo=few.embargo), ANNA) == name
    assert store.audience_id(few, BORIS) != name
    assert store.audience(name) == (few, ANNA)
    with open_store(tmp_path / ".tongqiu", create=False) as again:
        assert again.audience_id(few, ANNA) == name
        assert again.audience(name) == (few, ANNA)
    with pytest.raises(Missing):
        store.audience("0" * 64)


def test_what_is_visible_follows_the_rule_of_the_record(store: Store, tmp_path: Path) -> None:
    everyone = store.audience_id(EVERYONE, ANNA)
    later = store.audience_id(only_for([BORIS], embargo="2026-12-01T00:00:00.000Z"), ANNA)
    assert store.visible(STRANGER, AT) == {everyone}
    assert store.visible(Principal(BORIS), AT) == {everyone}
    assert store.visible(Principal(ANNA), AT) == {everyone, later}
    assert store.visible(Principal(BORIS), "2026-12-01T00:00:00.000Z") == {everyone, later}
    with open_store(tmp_path / ".tongqiu", create=False) as other:
        group = other.audience_id(only_for(["urn:group:lab"]), ANNA)
    assert group in store.visible(Principal(CHEN, frozenset({"urn:group:lab"})), AT)
    assert group not in store.visible(Principal(CHEN), AT)


def test_statements_are_read_back_for_whom_they_are_meant(store: Store, paper: Paper) -> None:
    first = paper.say({"key": "a"})
    second = paper.say({"key": "b"}, audience=only_for([BORIS]), kind="other.note/1", thread="urn:thread:1")
    third = paper.say({"key": "c"})

    def seen(**given: object) -> list[int]:
        return [each.index for each in store.statements(**given)]  # type: ignore[arg-type]

    assert seen() == [0, 1, 2]
    assert seen(after=0, limit=1) == [1]
    assert seen(kinds=("test.*",)) == [0, 2]
    assert seen(kinds=("other.note/1", "nothing/1")) == [1]
    assert seen(kinds=()) == []
    assert seen(where=Where(thread="urn:thread:1")) == [1]
    assert seen(principal=STRANGER, now=AT) == [0, 2]
    assert seen(principal=Principal(BORIS), now=AT) == [0, 1, 2]
    found = store.statements(where=Where(subject=first.columns.subject), limit=1)[0]
    assert (found.entry, found.origin, found.body) == ("sha-256:" + first.entry.hex(), "log.example", {"key": "a"})

    paper.withdraw(first.entry)
    paper.withdraw(third.entry, issuer=BORIS)
    assert seen(kinds=("test.*",), standing=True) == [2]
    assert store.corrections([first.entry, second.entry, third.entry]) == {first.entry: (3,)}
    paper.erase(2)
    assert seen(kinds=("test.*",)) == [0]
    assert [each.content is None for each in store.statements(kinds=("test.*",), bare=True)] == [False, True]


def test_unreadable_content_is_shown_bare_or_not_at_all(store: Store, paper: Paper) -> None:
    row = paper.row({"key": "a"})
    paper.log(row)
    plain = Paper(store).row({"key": "b"})
    broken = type(plain)(0, b"\1" * 32, plain.statement, b"\xff", plain.salt, plain.logged_at, plain.columns)
    paper.log(broken)
    assert [each.index for each in store.statements()] == [0]
    assert [each.index for each in store.statements(bare=True)] == [0, 1]
    registry = store.registry([NOTES])
    registry.catch_up()
    assert [problem.at for problem in registry.problems(NOTES.name)] == [1]


@pytest.mark.system
def test_everything_works_on_postgres(postgres: str, tmp_path: Path) -> None:
    with pytest.raises(Missing):
        open_store(postgres, keys=tmp_path / KEYS, create=False)
    with open_store(postgres, keys=tmp_path / KEYS, create=True) as store:
        paper = Paper(store)
        test_statements_are_read_back_for_whom_they_are_meant(store, paper)
        with (
            store.backend._database.write(),  # noqa: SLF001 - somebody else's write
            open_store(postgres, keys=tmp_path / KEYS, create=False, wait=0.1) as other,
        ):
            with pytest.raises(Unreachable) as raised:
                other.backend.fence()
            assert "locked" in raised.value.what.en
    with open_store(postgres, keys=tmp_path / KEYS, create=False) as again:
        again.backend.scrub()
        assert again.backend.head().size == 6
    engine = sa.create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Refused):
        open_store(postgres, keys=tmp_path / KEYS, create=True)

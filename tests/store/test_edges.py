"""The edges of the store: flushes, rows that do not fit, stores that are not there or not ours, races of who derives."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.store.paper import AT, NOTES
from tongqiu.ledger.log import Log
from tongqiu.practice import Drop, Put
from tongqiu.record.audience import STRANGER
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable
from tongqiu.record.statement import Content, Statement
from tongqiu.record.subject import Subject
from tongqiu.seal import keyfile
from tongqiu.store import fold
from tongqiu.store.check import untouched
from tongqiu.store.database import FILE, on_disk
from tongqiu.store.house import open_store
from tongqiu.store.shape import lines_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from tests.store.paper import Paper
    from tongqiu.store.database import Database
    from tongqiu.store.house import Store

FULL, NORMAL = 2, 1
"""Values of ``PRAGMA synchronous`` (sqlite.org/pragma.html)."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = on_disk(tmp_path / "store", create=True)
    yield opened
    opened.close()


def _flushes(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


def _fail(database: Database) -> None:
    with database.follow() as connection:
        connection.exec_driver_sql("INSERT INTO state VALUES ('z', 'y')")
        raise ZeroDivisionError


def test_only_what_is_derived_is_committed_without_a_flush(database: Database) -> None:
    with database.follow() as connection:
        assert _flushes(connection) == NORMAL
        connection.exec_driver_sql("INSERT INTO state VALUES ('x', 'y')")
    with pytest.raises(ZeroDivisionError):
        _fail(database)
    # The pool lends the same connection again, to whoever must be durable.
    for _ in range(3):
        with database.write() as connection:
            assert _flushes(connection) == FULL
    with database.read() as connection:
        assert _flushes(connection) == FULL
        kept = connection.exec_driver_sql("SELECT name FROM state WHERE value = 'y'").scalars().all()
        assert kept == ["x"]


def rows(statement: Statement) -> list[Any]:
    return list(statement.body)


def _of(*made: Any) -> Statement:
    subject = Subject("system", "urn:example:system:1")
    content = Content("test.note/1", "sha-256:" + "0" * 64, subject, "did:web:a.example", AT, made)
    return Statement("sha-256:" + "1" * 64, 1, "log.example", AT, content)


def _deep(levels: int) -> Any:
    found: Any = "end"
    for _ in range(levels):
        found = [found]
    return found


def test_rows_that_do_not_fit_their_registry_are_refused_and_the_last_word_on_a_key_counts() -> None:
    view = replace(NOTES, rows="tests.store.test_edges:rows")
    good = lines_of(view, _of(Put({"key": "a", "words": "1"}), Put({"key": "a", "words": "2"}), Drop(("b",))))
    assert [(each.drop, each.values[:2]) for each in good] == [(False, ("a", "2")), (True, ("b", None))]
    bad: tuple[Any, ...] = (
        Put({"key": "a", "nowhere": "x"}),
        Put({"key": 3}),
        Put({"key": "a\0b"}),
        Put({"key": "a", "words": "half \ud800"}),
        Put({"key": "a", "weight": "heavy"}),
        Put({"key": "a", "weight": True}),
        Put({"key": "a", "weight": 1e999}),
        Put({"key": "a", "extra": {"x": float("nan")}}),
        Put({"key": "a", "extra": object()}),
        Put({"key": "a", "extra": _deep(100_000)}),
        Drop(("a", "b")),
        ("a", "b"),
        None,
    )
    for each in bad:
        with pytest.raises(Malformed) as caught:
            lines_of(view, _of(each))
        assert caught.value.code == "practice.row"


def test_who_derives_second_writes_nothing(store: Store, paper: Paper) -> None:
    registry = store.registry((NOTES,))
    for number in range(3):
        paper.say({"key": str(number)})
    database, targets = store._database, [fold.Target(NOTES, table_of(NOTES))]  # noqa: SLF001 - two at the same moment
    piece = fold._read(database, targets)  # noqa: SLF001 - as above
    assert piece is not None
    assert fold._write(database, targets, piece)  # noqa: SLF001 - as above
    assert not fold._write(database, targets, piece)  # noqa: SLF001 - as above
    assert registry.select(NOTES, principal=STRANGER, now=AT).total == 3
    assert fold._read(database, targets) is None  # noqa: SLF001 - as above


def test_two_rebuilds_at_once_leave_one_registry(store: Store, paper: Paper) -> None:
    registry = store.registry((NOTES,))
    for number in range(20):
        paper.say({"key": str(number)})
    registry.catch_up()
    before = registry.digest(NOTES.name)
    faults: list[Fault] = []

    def work() -> None:
        try:
            for _ in range(5):
                registry.rebuild(NOTES.name)
        except Fault as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for number in range(20, 30):
        paper.say({"key": str(number)})
        registry.catch_up()
    for each in threads:
        each.join()
    assert faults == []
    registry.catch_up()
    assert registry.select(NOTES, principal=STRANGER, now=AT).total == 30
    after = registry.digest(NOTES.name)
    registry.rebuild(NOTES.name)
    assert registry.digest(NOTES.name) == after != before


def test_a_store_that_is_not_there_or_not_ours_is_named_and_left_alone(tmp_path: Path) -> None:
    cases: tuple[tuple[str, bytes | None, str], ...] = (
        ("absent", None, "store.none"),
        ("empty", b"", "store.none"),
        ("foreign", b"not a database at all" * 10, "store.foreign"),
        ("tables", b"tables", "store.foreign"),
        ("bare", b"bare", "store.none"),
    )
    for name, data, code in cases:
        place = tmp_path / name
        place.mkdir()
        if name in {"tables", "bare"}:
            with sqlite3.connect(place / FILE) as made:
                made.execute("CREATE TABLE t (x)" if name == "tables" else "PRAGMA user_version = 1")
            made.close()
        elif data is not None:
            (place / FILE).write_bytes(data)
        before = (place / FILE).read_bytes() if (place / FILE).exists() else None
        with pytest.raises((Missing, Malformed)) as caught:
            open_store(place, create=False)
        assert caught.value.code == code, name
        assert ((place / FILE).read_bytes() if (place / FILE).exists() else None) == before
    for name in ("absent", "empty"):
        with pytest.raises(Missing), untouched(tmp_path / name):
            pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unreachable):
        open_store(tmp_path / "file" / "store", create=True)


def test_a_check_asks_for_the_present_shape_and_says_how_many_registries_are_not_made_yet(
    store: Store, tmp_path: Path
) -> None:
    with untouched(tmp_path / ".tongqiu") as kept:
        assert kept.odd_rows((NOTES,), lambda *_: None) is None, "what was not made cannot differ"
    with store._database.write() as connection:  # noqa: SLF001 - as an older version left it
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(Refused) as caught, untouched(tmp_path / ".tongqiu"):
        pass
    assert caught.value.code == "store.older"


def test_a_newer_store_is_not_touched(store: Store, tmp_path: Path) -> None:
    with store._database.write() as connection:  # noqa: SLF001 - as a newer version left it
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused) as caught:
        open_store(tmp_path / ".tongqiu", create=False)
    assert caught.value.code == "store.newer"


def test_a_clock_is_set_once_and_struck_once(store: Store) -> None:
    first, second = "sha-256:" + "1" * 64, "sha-256:" + "2" * 64
    assert store.dues.note("d", first, "2026-11-23T08:00:00.000Z")
    assert not store.dues.note("d", first, "2027-11-23T08:00:00.000Z")
    assert store.dues.note("d", second, "2026-11-23T07:00:00.000Z")
    with pytest.raises(Malformed):
        store.dues.note("d", second, "tomorrow")
    now = "2026-11-23T09:00:00.000Z"
    assert [each.entry for each in store.dues.due(now)] == [second, first]
    assert [each.entry for each in store.dues.due(now, limit=1)] == [second]
    assert store.dues.due("2026-11-23T06:00:00.000Z") == []
    store.dues.done("d", first)
    store.dues.done("d", first)
    assert [each.entry for each in store.dues.due(now)] == [second]


def test_a_store_says_where_it_is_and_a_closed_one_that_it_is_closed(store: Store, tmp_path: Path) -> None:
    assert store.where == str(tmp_path / ".tongqiu" / FILE)
    log = Log(store.backend, keyfile.from_seed(b"l" * 32), "log.example")
    assert log.checkpoint().startswith("log.example\n1\n")
    store.close()
    store.close()
    with pytest.raises(Unreachable) as caught:
        store.backend.head()
    assert caught.value.code == "log.storage"
    (tmp_path / ".tongqiu" / FILE).unlink()
    with pytest.raises(Unreachable):
        store._database.place()  # noqa: SLF001 - the file went away behind it

"""The promises of the backend door, as tests that every backend runs: subclass and give a fixture ``backend``."""

from __future__ import annotations

import hashlib
import io
import threading
from typing import TYPE_CHECKING

import pytest

from tongqiu.ledger import tree
from tongqiu.ledger.backend import EMPTY_ROOT, Batch, Columns, Done, Head, Row, Tile, Where
from tongqiu.record.faults import Missing, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.ledger.backend import Backend, Reading

ORIGIN = "log.example/contract"
AT = "2026-11-23T10:00:00.000Z"


def entry(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def row(index: int, name: str, columns: Columns | None = None, at: str = AT, content: bytes | None = b"said") -> Row:
    salt = None if content is None else bytes(32)
    found = columns or Columns(kind="a.note/1", subject=f"urn:x:{name}", issuer="did:key:zA")
    return Row(index, entry(name), b"sealed " + name.encode(), content, salt, at, found)


def grown(
    reading: Reading, rows: Sequence[Row], done: Sequence[Done] = (), erase: Sequence[int] = (), at: str = AT
) -> Batch:
    head = reading.head()
    new = tree.grow(head.size, head.frontier, [one.entry for one in rows], reading.tile)
    after = Head(ORIGIN, new.size, new.root, new.frontier, at, head.epoch)
    return Batch(after, tuple(rows), new.tiles, tuple(done), tuple(erase))


def add(backend: Backend, *names: str, columns: Columns | None = None, erase: Sequence[int] = ()) -> None:
    def plan(reading: Reading) -> tuple[Batch, None]:
        size = reading.head().size
        return grown(reading, [row(size + at, name, columns) for at, name in enumerate(names)], erase=erase), None

    backend.commit(plan, epoch=backend.head().epoch)


class BackendContract:
    """Subclass this in the tests of a backend; ``backend`` gives an empty log."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    def test_an_empty_log_has_the_empty_root(self, backend: Backend) -> None:
        assert backend.head() == Head()
        assert backend.head().root == EMPTY_ROOT
        assert list(backend.rows(0, 10)) == []
        assert list(backend.entries(0, 10)) == []
        assert backend.tile(0, 0) == b""
        assert backend.find(entry("a")) is None
        assert backend.done("key") is None
        assert list(backend.select(Where())) == []
        for index in (0, -1):
            with pytest.raises(Missing) as raised:
                backend.row(index)
            assert raised.value.code == "log.no-entry"

    def test_what_is_committed_is_read_back_whole(self, backend: Backend) -> None:
        columns = Columns(
            kind="b.note/2",
            subject="urn:x:1",
            issuer="did:key:zB",
            audience="aud",
            thread="urn:t:1",
            refs=(entry("a"), entry("never logged")),
        )
        add(backend, "a")
        add(backend, "b", columns=columns)
        assert backend.row(1) == row(1, "b", columns)
        assert list(backend.rows(0, 5)) == [row(0, "a"), row(1, "b", columns)]
        assert list(backend.rows(1, 2)) == [row(1, "b", columns)]
        assert list(backend.entries(0, 5)) == [entry("a"), entry("b")]
        assert backend.find(entry("b")) == 1
        head = backend.head()
        assert (head.origin, head.size, head.logged_at, head.epoch) == (ORIGIN, 2, AT, 0)
        assert head.root == tree.node_hash(tree.leaf_hash(entry("a")), tree.leaf_hash(entry("b")))
        assert backend.tile(0, 0) == tree.leaf_hash(entry("a")) + tree.leaf_hash(entry("b"))

    def test_a_bare_envelope_has_no_content(self, backend: Backend) -> None:
        backend.commit(lambda reading: (grown(reading, [row(0, "a", content=None)]), None), epoch=0)
        found = backend.row(0)
        assert (found.content, found.salt, found.erased) == (None, None, False)

    def test_empty_content_is_not_no_content(self, backend: Backend) -> None:
        backend.commit(lambda reading: (grown(reading, [row(0, "a", content=b"")]), None), epoch=0)
        assert backend.row(0).content == b""

    def test_tiles_grow_over_their_borders(self, backend: Backend) -> None:
        names = [str(number) for number in range(600)]
        for start in range(0, 600, 150):
            add(backend, *names[start : start + 150])
        tiles = tree.Tiles(backend.tile)
        assert tiles.root(600) == backend.head().root
        assert tiles.frontier(600) == backend.head().frontier
        assert len(backend.tile(0, 2)) == (600 - 512) * 32
        assert len(backend.tile(1, 0)) == 2 * 32

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (Where(), [0, 1, 2, 3]),
            (Where(kind="k/1"), [0, 2]),
            (Where(subject="urn:x:1"), [0, 3]),
            (Where(thread="urn:t:1"), [1]),
            (Where(issuer="did:key:zB"), [2, 3]),
            (Where(ref=entry("0")), [1, 3]),
            (Where(audiences=frozenset({"all"})), [0, 1]),
            (Where(audiences=frozenset()), []),
            (Where(kind="k/1", issuer="did:key:zB"), [2]),
            (Where(kind="nothing/1"), []),
        ],
    )
    def test_rows_are_selected_by_every_column(self, backend: Backend, where: Where, expected: list[int]) -> None:
        every = [
            Columns("k/1", "urn:x:1", "did:key:zA", "all"),
            Columns("l/1", "urn:x:2", "did:key:zA", "all", "urn:t:1", (entry("0"),)),
            Columns("k/1", "urn:x:2", "did:key:zB", "few"),
            Columns("l/1", "urn:x:1", "did:key:zB", "few", refs=(entry("9"), entry("0"))),
        ]
        for number, columns in enumerate(every):
            add(backend, str(number), columns=columns)
        assert [found.index for found in backend.select(where)] == expected
        assert [found.index for found in backend.select(where, limit=1)] == expected[:1]
        assert [found.index for found in backend.select(where, after=1)] == [index for index in expected if index > 1]

    def test_done_keys_are_noted_with_the_batch(self, backend: Backend) -> None:
        backend.commit(lambda reading: (grown(reading, [row(0, "a")], [Done("p", (entry("a"),))]), None), epoch=0)
        assert backend.done("p") == Done("p", (entry("a"),))
        backend.commit(lambda reading: (grown(reading, [], [Done("q")]), None), epoch=0)
        assert backend.done("q") == Done("q")
        assert backend.head().size == 1

    def test_a_plan_that_raises_leaves_nothing(self, backend: Backend) -> None:
        add(backend, "a")
        before = backend.head()

        def plan(reading: Reading) -> tuple[Batch, None]:
            assert reading.find(entry("a")) == 0
            raise LookupError("refused by the caller")

        with pytest.raises(LookupError):
            backend.commit(plan, epoch=0)
        assert backend.head() == before
        add(backend, "b")
        assert backend.head().size == 2

    def test_an_empty_batch_writes_nothing_and_answers(self, backend: Backend) -> None:
        add(backend, "a")
        before = backend.head()
        assert backend.commit(lambda reading: (Batch(reading.head()), "answer"), epoch=0) == "answer"
        assert backend.head() == before

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda reading: grown(reading, [row(1, "a")]),
            lambda reading: grown(reading, [row(2, "b")]),
            lambda reading: grown(reading, [row(1, "b"), row(2, "b")]),
            lambda reading: grown(reading, [row(1, "b", at="2020-01-01T00:00:00.000Z")]),
            lambda reading: grown(reading, [row(1, "b")], at="2030-01-01T00:00:00.000Z"),
            lambda reading: grown(reading, [row(1, "b")], [Done("p")]),
            lambda reading: grown(reading, [row(1, "b")], [Done("q"), Done("q")]),
            lambda reading: grown(reading, [row(1, "b")], erase=[1]),
            lambda reading: grown(reading, [row(1, "b")], erase=[-1]),
            lambda reading: grown(reading, [], erase=[0]),
            lambda reading: grown(reading, [row(1, "b", Columns("k/1", "s", "i", files=(bytes(32),)))]),
            lambda _: Batch(Head(ORIGIN, 3, bytes(32), (bytes(32),) * 2, AT), (row(1, "b"),)),
            lambda _: Batch(Head(ORIGIN, 2, bytes(32), (), AT), (row(1, "b"),)),
            lambda _: Batch(Head("other", 2, bytes(32), (bytes(32),), AT), (row(1, "b"),)),
            lambda _: Batch(Head(ORIGIN, 2, bytes(32), (bytes(32),), AT, 7), (row(1, "b"),)),
            lambda _: Batch(Head(ORIGIN, 2, bytes(32), (bytes(32),), AT), (row(1, "b"),), (Tile(0, 0, bytes(31)),)),
        ],
    )
    def test_a_batch_that_does_not_follow_is_refused_whole(
        self, backend: Backend, spoil: Callable[[Reading], Batch]
    ) -> None:
        backend.commit(lambda reading: (grown(reading, [row(0, "a")], [Done("p")]), None), epoch=0)
        before = backend.head()
        with pytest.raises(Refused) as raised:
            backend.commit(lambda reading: (spoil(reading), None), epoch=0)
        assert raised.value.code == "log.batch"
        assert backend.head() == before
        assert backend.find(entry("b")) is None
        assert backend.done("q") is None

    def test_erasure_takes_content_and_salt_and_leaves_the_entry(self, backend: Backend) -> None:
        add(backend, "a", "b")
        add(backend, "tombstone", erase=[0])
        found = backend.row(0)
        assert (found.content, found.salt, found.erased) == (None, None, True)
        assert (found.statement, found.entry) == (b"sealed a", entry("a"))
        assert backend.row(1).content == b"said"
        assert not backend.row(1).erased
        assert [one.index for one in backend.select(Where(subject="urn:x:a"))] == [0]
        backend.scrub()
        backend.scrub()
        assert backend.row(0).erased

    def test_files_go_when_nobody_needs_them_any_more(self, backend: Backend) -> None:
        digest, size = backend.stage(io.BytesIO(b"a file"), limit=100)
        assert (digest, size) == (hashlib.sha256(b"a file").digest(), 6)
        assert backend.stage(io.BytesIO(b"a file"), limit=100)[0] == digest
        with backend.blob(digest) as file:
            assert file.read() == b"a file"
        columns = Columns("k/1", "s", "i", files=(digest,))
        add(backend, "a", columns=columns)
        add(backend, "b", columns=columns)
        add(backend, "tombstone 1", erase=[0])
        with backend.blob(digest) as file:
            assert file.read() == b"a file"
        add(backend, "tombstone 2", erase=[1])
        with pytest.raises(Missing) as raised:
            backend.blob(digest)
        assert raised.value.code == "log.no-file"

    def test_a_file_over_the_limit_is_not_kept(self, backend: Backend) -> None:
        with pytest.raises(Refused) as raised:
            backend.stage(io.BytesIO(b"x" * 11), limit=10)
        assert raised.value.code == "log.file-size"
        with pytest.raises(Missing):
            backend.blob(hashlib.sha256(b"x" * 11).digest())

    def test_an_older_epoch_is_fenced_off(self, backend: Backend) -> None:
        add(backend, "a")
        assert backend.fence() == 1
        assert backend.head().epoch == 1
        for epoch in (0, 2):
            with pytest.raises(Refused) as raised:
                backend.commit(lambda _: pytest.fail("the plan must not run"), epoch=epoch)
            assert raised.value.code == "log.fenced"
        add(backend, "b")
        assert (backend.head().size, backend.head().epoch) == (2, 1)

    def test_racing_writers_are_put_in_one_order(self, backend: Backend) -> None:
        threads, each = 4, 12
        faults: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for count in range(each):
                    add(backend, f"{number} {count}")
            except BaseException as fault:  # noqa: BLE001 - shown by the assertion below
                faults.append(fault)

        running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(timeout=60)
        assert faults == []
        held = list(backend.entries(0, 1000))
        assert sorted(held) == sorted(entry(f"{number} {count}") for number in range(threads) for count in range(each))
        assert backend.head().root == tree.grow(0, (), held, lambda *_: b"").root

    def test_a_closed_backend_answers_nothing(self, backend: Backend) -> None:
        backend.close()
        backend.close()
        with pytest.raises(Unreachable) as raised:
            backend.head()
        assert raised.value.code == "log.storage"

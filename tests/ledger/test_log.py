"""The log: order, admission, idempotence, receipts only for what is durable, and no signature over a doubt."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import msgspec
import pytest

from tongqiu.ledger import checkpoint, receipt
from tongqiu.ledger.backend import Batch, Head, Row, Tile, Where
from tongqiu.ledger.log import Log, Logged, Sealed, Submission, check_in, now
from tongqiu.ledger.memory import MemoryBackend
from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Missing, Refused, Unproven
from tongqiu.record.statement import moment_of
from tongqiu.record.text import Text
from tongqiu.seal import keyfile, statement
from tongqiu.seal.keys import MLDSA44, KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.ledger.backend import Reading

T = TypeVar("T")

LOG_KEY, PARTY = keyfile.from_seed(b"l" * 32), keyfile.from_seed(b"p" * 32)
ORIGIN = "log.example/test"


class Clock:
    def __init__(self) -> None:
        self.second = 0

    def __call__(self) -> str:
        return f"2026-11-23T10:00:{self.second:02d}.000Z"


def sealed(name: str, *, thread: str = "", refs: Sequence[bytes] = (), kind: str = "a.note/1") -> Sealed:
    content, salt = name.encode(), statement.new_salt()
    data = statement.seal_statement(
        content, salt, signer=PARTY, issuer=PARTY.public.did, subject=f"urn:x:{name.split(maxsplit=1)[0]}"
    )
    return check_in(data, PARTY.public, content=content, salt=salt, kind=kind, thread=thread, refs=refs)


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def log(backend: MemoryBackend) -> Log:
    return Log(backend, LOG_KEY, ORIGIN, clock=Clock())


def test_a_new_log_begins_with_its_own_name_and_key(log: Log, backend: MemoryBackend) -> None:
    first = backend.row(0)
    assert first.content is not None
    head, origin, key, at = cbor.loads(first.content)
    assert (head, origin, key, at) == ("tongqiu.log/1", ORIGIN, LOG_KEY.public.cose_key(), first.logged_at)
    assert log.reading.head().size == 1
    assert log.public == LOG_KEY.public
    with pytest.raises(Missing) as raised:
        log.receipt(0)
    assert raised.value.code == "receipt.too-early"
    log.record(sealed("a"))
    assert receipt.verify_receipt(log.receipt(0), first.entry, LOG_KEY.public).index == 0


def test_it_opens_again_where_it_was(log: Log, backend: MemoryBackend) -> None:
    log.record(sealed("a"))
    again = Log(backend, LOG_KEY, ORIGIN)
    assert again.reading.head().size == 2
    assert again.checkpoint() == log.checkpoint()


def test_it_opens_only_under_its_own_name_and_key(backend: MemoryBackend, log: Log) -> None:
    assert log.origin == ORIGIN
    with pytest.raises(Refused) as raised:
        Log(backend, LOG_KEY, "other.example")
    assert raised.value.code == "log.other-origin"
    other = keyfile.generate()
    with pytest.raises(Refused) as raised:
        Log(backend, other, ORIGIN)
    assert raised.value.code == "log.other-key"
    assert Log(backend, other, ORIGIN, earlier=KeyRing.of([LOG_KEY.public])).public == other.public
    with pytest.raises(Malformed) as malformed:
        Log(MemoryBackend(), LOG_KEY, "https://with space")
    assert malformed.value.code == "note.name"


def test_a_log_with_a_second_key_signs_its_checkpoints_with_both(backend: MemoryBackend) -> None:
    beside = keyfile.from_seed(b"q" * 32, MLDSA44)
    log = Log(backend, LOG_KEY, ORIGIN, clock=Clock(), beside=beside)
    first, second = (checkpoint.parse_vkey(vkey) for vkey in log.vkeys)
    assert (first, second.key) == (checkpoint.parse_vkey(log.vkey), beside.public)
    note = log.checkpoint()
    assert checkpoint.signers_of(note, [first, second])[1] == {first: 0, second: 0}
    assert checkpoint.verify(note, first, beside=second) == checkpoint.verify(note, first)
    # ML-DSA-44 never signs twice alike, so this is one signature for one tree.
    assert log.checkpoint() == log.proofs([])[0] == note
    log.record(sealed("1"))
    assert checkpoint.verify(log.checkpoint(), first, beside=second).size == 2
    plain = Log(backend, LOG_KEY, ORIGIN, clock=Clock())
    assert plain.vkeys == (plain.vkey,)
    with pytest.raises(Unproven) as raised:
        checkpoint.verify(plain.checkpoint(), first, beside=second)
    assert raised.value.code == "note.unsigned"


def test_records_get_places_receipts_and_a_checkpoint(log: Log) -> None:
    items = [sealed(str(number)) for number in range(300)]
    outcomes = log.append([Submission((item,)) for item in items])
    places = [outcome[0] for outcome in outcomes if isinstance(outcome, tuple)]
    assert [place.index for place in places] == list(range(1, 301))
    assert all(place.fresh for place in places)
    tip = checkpoint.verify(log.checkpoint(), checkpoint.parse_vkey(log.vkey))
    assert (tip.origin, tip.size) == (ORIGIN, 301)
    for place in (places[0], places[255], places[299]):
        proven = receipt.verify_receipt(log.receipt(place.index), place.entry, log.public, origin=ORIGIN)
        assert (proven.index, proven.size, proven.root) == (place.index, 301, tip.root)
        assert proven.logged_at == place.logged_at
    note, (one, two) = log.proofs([1, 2])
    assert note == log.checkpoint()
    assert receipt.open_receipt(one).size == receipt.open_receipt(two).size == 301
    assert log.audit() == log.reading.head()


def test_the_same_record_keeps_its_place(log: Log) -> None:
    item = sealed("a")
    first = log.record(item)
    assert log.record(item) == (msgspec.structs.replace(first[0], fresh=False),)
    assert log.append([Submission((item,)), Submission((item, item))]) == [
        (msgspec.structs.replace(first[0], fresh=False),),
        (msgspec.structs.replace(first[0], fresh=False),) * 2,
    ]
    assert log.reading.head().size == 2


def test_twins_in_one_batch_are_one_entry(log: Log) -> None:
    item = sealed("a")
    log.append([Submission((item,)), Submission((item,))])
    assert log.reading.head().size == 2


def refuse_second(thread: str) -> Callable[[Reading], None]:
    def admit(reading: Reading) -> None:
        if reading.select(Where(thread=thread)):
            raise Refused("thread.taken", Text(en="Taken.", zh="已占用。"), do=Text(en="Stop.", zh="停。"))

    return admit


def test_a_refusal_leaves_the_others_alone(log: Log) -> None:
    first, second, third = (sealed(name, thread="urn:t") for name in "abc")
    admit = refuse_second("urn:t")
    outcomes = log.append([Submission((first,), admit), Submission((second,), admit), Submission((third,))])
    assert isinstance(outcomes[0], tuple)
    assert isinstance(outcomes[1], Refused)
    assert isinstance(outcomes[2], tuple)
    assert log.reading.find(second.entry) is None
    with pytest.raises(Refused):
        log.record(second, admit=admit)
    # What is in the log already is not asked again.
    assert log.record(first, admit=admit)[0].index == 1


def test_of_racing_writers_in_one_thread_one_is_admitted(backend: MemoryBackend, log: Log) -> None:
    outcomes: list[str] = []

    def work(number: int) -> None:
        own = Log(backend, LOG_KEY, log.origin)
        try:
            own.record(sealed(str(number), thread="urn:t"), admit=refuse_second("urn:t"))
            outcomes.append("logged")
        except Refused as fault:
            outcomes.append(fault.code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["logged"] + ["thread.taken"] * 5
    assert log.audit().size == 2


def test_threads_may_write_and_ask_for_proofs_at_once(log: Log) -> None:
    faults: list[BaseException] = []
    items = [[sealed(f"{number} {count}") for count in range(25)] for number in range(4)]

    def work(number: int) -> None:
        try:
            for item in items[number]:
                (place,) = log.record(item)
                proven = receipt.verify_receipt(log.receipt(place.index), item.entry, log.public)
                assert proven.size > place.index
                checkpoint.verify(log.checkpoint(), checkpoint.parse_vkey(log.vkey))
        except BaseException as fault:  # noqa: BLE001 - shown by the assertion below
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert log.audit().size == 101


def test_admission_sees_the_batch_as_it_will_be(log: Log, backend: MemoryBackend) -> None:
    known = sealed("known")
    log.record(known)
    first = sealed("first", refs=(known.entry,))
    seen: list[object] = []

    def admit(reading: Reading) -> None:
        seen.extend(
            [
                reading.head().size,
                reading.find(first.entry),
                reading.row(2).entry == first.entry,
                reading.row(1).entry == known.entry,
                [row.index for row in reading.rows(0, 10)],
                [row.index for row in reading.rows(2, 10)],
                [row.index for row in reading.select(Where(ref=known.entry))],
                [row.index for row in reading.select(Where(), limit=2)],
                [row.index for row in reading.select(Where(), after=1)],
                len(reading.entries(0, 10)),
                len(reading.entries(2, 10)),
                reading.done("first"),
                len(reading.tile(0, 0)),
            ]
        )

    log.append([Submission((first,), done="first"), Submission((sealed("second"),), admit)])
    done = backend.done("first")
    assert seen == [2, 2, True, True, [0, 1, 2], [2], [2], [0, 1], [2], 3, 1, done, 64]


def test_work_that_is_done_is_not_done_again(log: Log) -> None:
    one, two = sealed("one"), sealed("two")
    first = log.append([Submission((one, two), done="probe")])
    again = log.append([Submission((sealed("three"),), lambda _: pytest.fail("not asked"), done="probe")])
    assert isinstance(first[0], tuple)
    assert again == [tuple(msgspec.structs.replace(place, fresh=False) for place in first[0])]
    # Also when the earlier one is still in the same batch, and when nothing came of the work.
    both = log.append([Submission((), done="nothing"), Submission((sealed("four"),), done="nothing")])
    assert both == [(), ()]
    assert log.reading.head().size == 3


def test_erasure_and_tombstone_are_one_step(log: Log) -> None:
    item = sealed("a")
    log.record(item)
    before = log.receipt(1)
    log.append([Submission((sealed("tombstone", refs=(item.entry,)),), erase=(item.entry,))])
    row = log.reading.row(1)
    assert (row.content, row.salt, row.erased) == (None, None, True)
    assert receipt.verify_receipt(before, item.entry, log.public).index == 1
    assert receipt.verify_receipt(log.receipt(1), item.entry, log.public).size == 3
    assert log.audit().size == 3
    (outcome,) = log.append([Submission((sealed("b"),), erase=(bytes(32),))])
    assert isinstance(outcome, Missing)
    assert log.reading.head().size == 3


def test_times_never_go_back(backend: MemoryBackend) -> None:
    clock = Clock()
    log = Log(backend, LOG_KEY, ORIGIN, clock=clock)
    clock.second = 30
    log.record(sealed("a"))
    clock.second = 10
    (place,) = log.record(sealed("b"))
    assert place.logged_at == "2026-11-23T10:00:30.000Z"
    clock.second = 31
    assert log.record(sealed("c"))[0].logged_at == "2026-11-23T10:00:31.000Z"


def test_a_fenced_log_writes_no_more(backend: MemoryBackend, log: Log) -> None:
    backend.fence()
    with pytest.raises(Refused) as raised:
        log.record(sealed("a"))
    assert raised.value.code == "log.fenced"
    assert Log(backend, LOG_KEY, ORIGIN).record(sealed("a"))[0].index == 1


def test_only_what_is_signed_and_sealed_is_checked_in() -> None:
    item = sealed("a")
    bare = check_in(statement.with_receipts(item.statement, [b"r"]), PARTY.public)
    assert (bare.statement, bare.entry, bare.content, bare.columns.issuer) == (
        item.statement,
        item.entry,
        None,
        PARTY.public.did,
    )
    with pytest.raises(Unproven) as raised:
        check_in(item.statement, LOG_KEY.public)
    assert raised.value.code == "cose.key"
    with pytest.raises(Unproven) as raised:
        check_in(item.statement, PARTY.public, content=b"other", salt=item.salt)
    assert raised.value.code == "statement.content"


def test_missing_entries_are_missing(log: Log) -> None:
    for index in (-1, 1, 99):
        with pytest.raises(Missing) as raised:
            log.receipt(index)
        assert raised.value.code == "log.no-entry"


def test_the_clock_tells_utc_with_milliseconds() -> None:
    assert moment_of(now()).tzinfo is not None


class Tampered(MemoryBackend):
    """A disk that somebody has edited."""

    def __init__(self) -> None:
        super().__init__()
        self.spoil_head: Callable[[Head], Head] = lambda head: head
        self.spoil_row: Callable[[Row], Row] = lambda row: row
        self.spoil_tile: Callable[[Tile], bytes] = lambda tile: tile.hashes

    def head(self) -> Head:
        return self.spoil_head(super().head())

    def row(self, index: int) -> Row:
        return self.spoil_row(super().row(index))

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        return [self.spoil_row(row) for row in super().rows(start, stop)]

    def tile(self, level: int, number: int) -> bytes:
        return self.spoil_tile(Tile(level, number, super().tile(level, number)))


def flip(data: bytes, at: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.fixture
def tampered() -> tuple[Tampered, Log]:
    backend = Tampered()
    log = Log(backend, LOG_KEY, ORIGIN, clock=Clock())
    log.append([Submission((sealed(str(number)),)) for number in range(8)])
    return backend, log


@pytest.mark.parametrize(
    "spoil",
    [
        lambda head: msgspec.structs.replace(head, root=bytes(32)),
        lambda head: msgspec.structs.replace(head, size=head.size - 1),
        lambda head: msgspec.structs.replace(head, frontier=(flip(head.frontier[0]), *head.frontier[1:])),
        lambda head: msgspec.structs.replace(head, frontier=head.frontier[1:]),
        lambda head: msgspec.structs.replace(head, origin="other.example"),
        lambda _: Head(),
    ],
)
def test_nothing_is_appended_to_a_head_that_does_not_fit(
    tampered: tuple[Tampered, Log], spoil: Callable[[Head], Head]
) -> None:
    backend, log = tampered
    log.checkpoint()
    backend.spoil_head = spoil
    with pytest.raises(Unproven) as raised:
        log.record(sealed("x"))
    assert raised.value.code == "log.disagrees"


def test_nothing_is_signed_over_a_head_that_does_not_fit(tampered: tuple[Tampered, Log]) -> None:
    backend, log = tampered
    for spoil in (
        lambda head: msgspec.structs.replace(head, root=bytes(32)),
        lambda head: msgspec.structs.replace(head, size=head.size - 1),
    ):
        backend.spoil_head = spoil
        for act in (log.checkpoint, lambda: log.receipt(1), lambda: log.proofs([1]), log.audit):
            with pytest.raises(Unproven) as raised:
                act()
            assert raised.value.code == "log.disagrees"
        with pytest.raises((Unproven, Refused)):
            Log(backend, LOG_KEY, ORIGIN)


def test_a_log_that_was_set_back_is_noticed(tampered: tuple[Tampered, Log]) -> None:
    backend, log = tampered
    log.checkpoint()
    other = MemoryBackend()
    fork = Log(other, LOG_KEY, ORIGIN, clock=Clock())
    fork.append([Submission((sealed(f"fork {number}"),)) for number in range(12)])
    backend.spoil_head = lambda _: other.head()
    backend.spoil_tile = lambda tile: other.tile(tile.level, tile.number)
    with pytest.raises(Unproven) as raised:
        log.checkpoint()
    assert raised.value.code == "tree.tile"
    # The same where nothing is remembered but the last head.
    fresh = Log(backend, LOG_KEY, ORIGIN)
    backend.spoil_head = lambda _: Head(ORIGIN, 13, bytes(32), (bytes(32),) * 3)
    with pytest.raises(Unproven) as raised:
        fresh.checkpoint()
    assert raised.value.code == "log.disagrees"


def test_an_edited_entry_gets_no_receipt(tampered: tuple[Tampered, Log]) -> None:
    backend, log = tampered
    backend.spoil_row = lambda row: msgspec.structs.replace(row, entry=flip(row.entry))
    with pytest.raises(Unproven) as raised:
        log.receipt(2)
    assert raised.value.code == "log.disagrees"


@pytest.mark.parametrize(
    ("part", "spoil"),
    [
        ("entry 3", lambda row: msgspec.structs.replace(row, statement=flip(row.statement))),
        ("entry 3", lambda row: msgspec.structs.replace(row, content=b"another")),
        ("entry 3", lambda row: msgspec.structs.replace(row, salt=bytes(32))),
        ("entry 3", lambda row: msgspec.structs.replace(row, index=99)),
        ("entry 3", lambda row: msgspec.structs.replace(row, logged_at="2020-01-01T00:00:00.000Z")),
        ("head", lambda row: msgspec.structs.replace(row, logged_at="2030-01-01T00:00:00.000Z")),
    ],
)
def test_the_audit_names_the_first_difference(
    tampered: tuple[Tampered, Log], part: str, spoil: Callable[[Row], Row]
) -> None:
    backend, log = tampered
    last = 8 if part == "head" else 3
    backend.spoil_row = lambda row: spoil(row) if row.index == last else row
    with pytest.raises(Unproven) as raised:
        log.audit()
    assert raised.value.code == "log.disagrees"
    assert f"({part})" in str(raised.value)


def test_the_audit_notices_missing_rows_and_other_tiles(tampered: tuple[Tampered, Log]) -> None:
    backend, log = tampered
    backend.spoil_tile = lambda tile: flip(tile.hashes, 100)
    with pytest.raises(Unproven) as raised:
        log.audit()
    assert "tile 0/0" in str(raised.value)
    backend.spoil_tile = lambda tile: tile.hashes
    backend.spoil_head = lambda head: msgspec.structs.replace(head, size=head.size + 1)
    with pytest.raises(Unproven) as raised:
        log.audit()
    assert "entry 9" in str(raised.value)


class Slow(MemoryBackend):
    """A backend on which another process begins the log just before we do."""

    raced = False

    def commit(self, plan: Callable[[Reading], tuple[Batch, T]], *, epoch: int) -> T:
        if not self.raced:
            self.raced = True
            Log(self, LOG_KEY, ORIGIN)
        return super().commit(plan, epoch=epoch)


def test_of_two_that_begin_a_log_one_does() -> None:
    backend = Slow()
    assert Log(backend, LOG_KEY, ORIGIN).audit().size == 1


def test_places_are_values() -> None:
    assert Logged(b"e", 1, "t", fresh=True) == Logged(b"e", 1, "t", fresh=True)

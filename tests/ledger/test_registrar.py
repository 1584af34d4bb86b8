"""The registrar: everybody hears of his own statement, once, after it is durable; nothing that fails costs another."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from tongqiu.ledger import receipt
from tongqiu.ledger.log import Log, Sealed, check_in
from tongqiu.ledger.memory import MemoryBackend
from tongqiu.ledger.registrar import LARGE, MOST_BYTES, Registered, Registrar, Turned
from tongqiu.ledger.sequencer import BUSY, Sequencer
from tongqiu.record.faults import Malformed, Unproven, Unreachable
from tongqiu.seal import keyfile, statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.ledger.registrar import Outcome

LOG_KEY, PARTY = keyfile.from_seed(b"l" * 32), keyfile.from_seed(b"p" * 32)


def signed(name: str) -> bytes:
    return statement.seal_statement(
        b"", name.encode().ljust(32, b"."), signer=PARTY, issuer=PARTY.public.did, subject=f"urn:x:{name}"
    )


def policy(data: bytes) -> Sealed:
    if data == b"mistake":
        raise ZeroDivisionError
    return check_in(data, PARTY.public)


class Ears:
    """Hears outcomes by ticket, from whatever thread tells them, and in how many calls."""

    def __init__(self) -> None:
        self.heard: dict[object, Outcome] = {}
        self.calls = 0
        self._changed = threading.Condition()

    def tell(self, pairs: Sequence[tuple[object, Outcome]]) -> None:
        with self._changed:
            self.calls += 1
            for ticket, outcome in pairs:
                assert ticket not in self.heard
                self.heard[ticket] = outcome
            self._changed.notify_all()

    def wait(self, count: int) -> dict[object, Outcome]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.heard) >= count, 20)
            return self.heard


class Aside:
    """Another process, as the registrar sees it."""

    def __init__(self, log: list[str]) -> None:
        self.log, self.takes_on, self.lost = log, True, False

    def hand(self, statements: Sequence[bytes]) -> bool:
        self.log.append(f"hand {len(statements)}")
        return self.takes_on

    def take(self, statements: Sequence[bytes]) -> list[Sealed | None]:
        self.log.append(f"take {len(statements)}")
        found: list[Sealed | None] = []
        for data in statements:
            try:
                found.append(None if self.lost else policy(data))
            except (Malformed, ZeroDivisionError):
                found.append(None)
        return found

    def close(self) -> None:
        self.log.append("close")


@pytest.fixture
def log() -> Log:
    return Log(MemoryBackend(), LOG_KEY, "log.example/test")


@pytest.fixture
def sequencer(log: Log) -> Iterator[Sequencer]:
    with Sequencer(log) as made:
        yield made


def test_everybody_hears_of_his_own(log: Log, sequencer: Sequencer) -> None:
    ears = Ears()
    bad = {"bad": b"\xd2\x80", "mistake": b"mistake"}
    given = {str(number): signed(str(number)) for number in range(50)} | bad | {"again": signed("7")}
    with Registrar(log, sequencer, policy) as registrar:
        for ticket, data in given.items():
            registrar.submit(data, ears.tell, ticket)
        heard = ears.wait(len(given))
    for ticket in given.keys() - bad.keys():
        found = heard[ticket]
        assert isinstance(found, Registered)
        entry = policy(given[ticket]).entry
        assert found.logged.entry == entry
        assert receipt.verify_receipt(found.receipt, entry, LOG_KEY.public).index == found.logged.index
    turned = heard["bad"]
    assert isinstance(turned, Turned)
    assert isinstance(turned.fault, Malformed)
    assert isinstance(heard["mistake"], ZeroDivisionError)
    assert log.reading.head().size == 51
    assert ears.calls < len(given)


@pytest.mark.parametrize(("takes_on", "lost"), [(True, False), (True, True), (False, False)])
def test_large_groups_go_aside_and_come_back_the_same(
    log: Log, sequencer: Sequencer, *, takes_on: bool, lost: bool
) -> None:
    seen: list[str] = []
    aside, ears = Aside(seen), Ears()
    aside.takes_on, aside.lost = takes_on, lost
    hold = threading.Event()

    def slow(data: bytes) -> Sealed:
        hold.wait(10)
        return policy(data)

    with Registrar(log, sequencer, slow, beside=aside) as registrar:
        registrar.submit(signed("first"), ears.tell, "first")
        while registrar._queue:  # noqa: SLF001 - the first alone is in the first group
            pass
        for number in range(LARGE):
            registrar.submit(signed(str(number)), ears.tell, number)
        registrar.submit(b"\xd2\x80", ears.tell, "bad")
        hold.set()
        heard = ears.wait(LARGE + 2)
    assert isinstance(heard["bad"], Turned)
    assert all(isinstance(heard[number], Registered) for number in range(LARGE))
    size = f"{LARGE + 1}"
    assert seen == [f"hand {size}", *([f"take {size}"] if takes_on else []), "close"]


def test_what_the_log_cannot_do_all_of_a_group_hear(log: Log, sequencer: Sequencer) -> None:
    ears = Ears()
    with Registrar(log, sequencer, policy) as registrar:
        sequencer.close()
        registrar.submit(signed("one"), ears.tell, "one")
        registrar.submit(b"bad", ears.tell, "bad")
        heard = ears.wait(2)
    assert isinstance(heard["one"], Unreachable)
    assert isinstance(heard["bad"], Turned)


def test_a_log_that_disagrees_signs_no_receipt(sequencer: Sequencer, log: Log) -> None:
    ears = Ears()

    class Broken(MemoryBackend):
        def tile(self, level: int, number: int) -> bytes:
            return bytes(len(super().tile(level, number)))

    broken = Log.__new__(Log)
    broken.__dict__.update(log.__dict__)
    from tongqiu.ledger.tree import Tiles

    broken._tiles = Tiles(Broken().tile)  # noqa: SLF001 - a log whose tiles were lost under it
    with Registrar(broken, sequencer, policy) as registrar:
        registrar.submit(signed("one"), ears.tell, "one")
        assert isinstance(ears.wait(1)["one"], Unproven)


def test_a_full_queue_turns_away_and_a_closed_one_too(log: Log, sequencer: Sequencer) -> None:
    hold, ears = threading.Event(), Ears()

    def slow(data: bytes) -> Sealed:
        hold.wait(10)
        return policy(data)

    registrar = Registrar(log, sequencer, slow, queue=2)
    registrar.submit(signed("first"), ears.tell, "first")
    while registrar._queue:  # noqa: SLF001 - until it is under way
        pass
    for name in ("a", "b"):
        registrar.submit(signed(name), ears.tell, name)
    with pytest.raises(Unreachable) as full:
        registrar.submit(signed("c"), ears.tell, "c")
    assert full.value.code == BUSY
    hold.set()
    registrar.close()
    registrar.close()
    assert set(ears.heard) == {"first", "a", "b"}
    with pytest.raises(Unreachable) as closed:
        registrar.submit(signed("d"), ears.tell, "d")
    assert closed.value.code == "log.stopped"


def test_not_more_than_so_many_bytes_wait(log: Log, sequencer: Sequencer) -> None:
    hold, ears = threading.Event(), Ears()

    def slow(data: bytes) -> Sealed:
        hold.wait(10)
        return policy(data[:2])

    with Registrar(log, sequencer, slow) as registrar:
        registrar.submit(b"first", ears.tell, "first")
        while registrar._queue:  # noqa: SLF001 - until it is under way
            pass
        for number in range(3):
            registrar.submit(bytes(MOST_BYTES // 2), ears.tell, number)
        with pytest.raises(Unreachable) as full:
            registrar.submit(b"", ears.tell, "more")
        assert full.value.code == BUSY
        hold.set()
        ears.wait(4)
        registrar.submit(b"", ears.tell, "later")
        assert all(isinstance(each, Turned) for each in ears.wait(5).values())


def test_a_forked_child_registers_nothing(log: Log, sequencer: Sequencer) -> None:
    with Registrar(log, sequencer, policy) as registrar:
        child = os.fork()
        if not child:
            try:
                registrar.submit(signed("x"), Ears().tell, "x")
            except Unreachable as fault:
                os._exit(0 if fault.code == "log.stopped" else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

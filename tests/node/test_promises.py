"""Promises: on disk before they are given, kept over a restart, taken back when they cannot be kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tongqiu.ledger.registrar import Registered, Registrar, Tell, Turned
from tongqiu.ledger.sequencer import busy
from tongqiu.node import open_node
from tongqiu.node.foreign import check_foreign
from tongqiu.node.promises import FOLDER, MOST, Promises
from tongqiu.record.faults import Malformed, Unproven, Unreachable
from tongqiu.record.text import Text
from tongqiu.seal import keyfile, statement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARTY = keyfile.from_seed(b"p" * 32)


def signed(name: str) -> bytes:
    return statement.seal_statement(
        b"", name.encode().ljust(32, b"."), signer=PARTY, issuer=PARTY.public.did, subject=f"urn:x:{name}"
    )


class Slow(Registrar):
    """Takes statements in and tells what became of them when the test says so."""

    def __init__(self) -> None:
        self.held: list[tuple[bytes, Tell, object]] = []
        self.full = False

    def submit(self, statement: bytes, tell: Tell, ticket: object) -> None:
        if self.full:
            raise busy()
        self.held.append((statement, tell, ticket))

    def say(self, outcome: object) -> None:
        held, self.held = self.held, []
        for _, tell, ticket in held:
            tell([(ticket, outcome)])  # type: ignore[list-item]


def until(what: Callable[[], bool]) -> None:
    for _ in range(500):
        if what():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come true")


def test_a_promise_is_on_disk_until_it_is_kept(tmp_path: Path) -> None:
    slow = Slow()
    promises = Promises(tmp_path, slow)
    data = signed("one")
    with_receipt = statement.with_receipts(data, [b"r"])
    entry = promises.make(with_receipt)
    assert entry == check_foreign(data).entry
    file = tmp_path / FOLDER / f"{entry.hex()}.cose"
    assert file.read_bytes() == data
    assert promises.state(entry) == "pending"
    assert len(slow.held) == 1
    # The log could not take it: it stays, and whoever asks has it handed in again.
    slow.say(Unreachable("log.storage", Text(en="full", zh="满"), do=Text(en="free", zh="腾")))
    assert file.exists()
    assert promises.state(entry) == "pending"
    assert len(slow.held) == 1
    slow.say(Registered.__new__(Registered, None, b""))  # type: ignore[arg-type]
    assert not file.exists()
    assert promises.state(entry) == "none"


def test_what_is_refused_now_was_never_promised(tmp_path: Path) -> None:
    slow = Slow()
    promises = Promises(tmp_path, slow)
    with pytest.raises(Malformed):
        promises.make(b"\xd2\x80")
    data = signed("one")
    with pytest.raises(Unproven):
        promises.make(data[:-1] + bytes([data[-1] ^ 1]))
    slow.full = True
    with pytest.raises(Unreachable):
        promises.make(data)
    assert not list((tmp_path / FOLDER).iterdir())
    assert promises.state(check_foreign(data).entry) == "none"
    (tmp_path / FOLDER).rmdir()
    (tmp_path / FOLDER).write_bytes(b"in the way")
    with pytest.raises(Unreachable) as fault:
        promises.make(data)
    assert fault.value.code == "home.storage"


def test_there_are_only_so_many(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for number in range(MOST):
        (folder / f"{number:064x}.cose").touch()
    with pytest.raises(Unreachable) as fault:
        Promises(tmp_path, Slow()).make(signed("one"))
    assert fault.value.code == "log.busy"


def test_one_that_can_no_longer_be_kept_says_so(tmp_path: Path) -> None:
    slow = Slow()
    promises = Promises(tmp_path, slow)
    entry = promises.make(signed("one"))
    slow.say(Turned(Malformed("x", Text(en="no", zh="否"), do=Text(en="mend", zh="改"))))
    assert promises.state(entry) == "failed"
    # One whose file was changed on disk, or is no statement.
    other = promises.make(signed("two"))
    for junk in (signed("three"), b"junk"):
        (tmp_path / FOLDER / f"{other.hex()}.cose").write_bytes(junk)
        assert Promises(tmp_path, slow).resume() == 1
        assert promises.state(other) == "failed"


def test_a_restart_keeps_every_promise(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_node(home, create=True, name="Laboratory") as node:
        slow = Slow()
        entry = Promises(home, slow).make(signed("one"))
        full = Slow()
        full.full = True
        assert Promises(home, full).resume() == 1
        assert node.store.backend.find(entry) is None
        assert node.promises.resume() == 1
        until(lambda: node.promises.state(entry) == "none")
        assert node.store.backend.find(entry) is not None
        # Another process was faster: the file went between the look and the reading.
        node.promises._take_up(entry.hex())  # noqa: SLF001 - a race, one step at a time

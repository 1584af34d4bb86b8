"""The process beside: it seals what passes, leaves the rest to the node, and its end costs nobody his registration."""

from __future__ import annotations

import io
import os
from typing import IO, cast

import msgspec

from tongqiu.node.checking import MOST_BYTES, Checker, check_groups
from tongqiu.node.foreign import check_foreign
from tongqiu.seal import keyfile, statement

PARTY = keyfile.from_seed(b"p" * 32)


def signed(name: str) -> bytes:
    return statement.seal_statement(
        b"", name.encode().ljust(32, b"."), signer=PARTY, issuer=PARTY.public.did, subject=f"urn:x:{name}"
    )


GROUP = [signed("one"), b"\xd2\x80", statement.with_receipts(signed("two"), [b"r"]), signed("three")[:-1] + b"\0"]


def test_it_gives_back_what_the_policy_would() -> None:
    checker = Checker()
    try:
        for _ in range(2):
            assert checker.hand(GROUP)
            first, second, third, fourth = checker.take(GROUP)
            assert first == check_foreign(GROUP[0])
            assert third == check_foreign(GROUP[2])
            assert third is not None
            assert third.statement == signed("two")
            assert (second, fourth) == (None, None)
    finally:
        checker.close()
        checker.close()


def test_it_is_there_where_a_processor_is_to_spare() -> None:
    assert Checker.if_room(2) is None
    assert isinstance(Checker.if_room(4), Checker)
    assert (Checker.if_room() is None) == ((os.cpu_count() or 1) <= 2)


def test_its_end_is_seen_and_mended() -> None:
    checker = Checker()
    try:
        assert checker.hand(GROUP)
        process = checker._process  # noqa: SLF001 - to end it from outside
        assert process is not None
        checker.take(GROUP)
        process.kill()
        process.wait()
        # Handed to a new one.
        assert checker.hand(GROUP)
        again = checker._process  # noqa: SLF001 - as above
        assert again is not None
        assert again is not process
        again.kill()
        again.wait()
        # The group under way is lost to it; until that is known nothing more is handed over.
        assert not checker.hand(GROUP)
        assert list(checker.take(GROUP)) == [None] * 4
    finally:
        checker.close()


def test_the_other_end_of_the_pipe() -> None:
    data = msgspec.msgpack.encode(GROUP)
    coming, going = io.BytesIO(len(data).to_bytes(4) + data), io.BytesIO()
    check_groups(cast("IO[bytes]", coming), cast("IO[bytes]", going))
    answer = going.getvalue()
    found = msgspec.msgpack.decode(answer[4:])
    assert int.from_bytes(answer[:4]) == len(answer) - 4
    assert [each and each[0] for each in found] == [
        check_foreign(GROUP[0]).entry,
        None,
        check_foreign(GROUP[2]).entry,
        None,
    ]


def test_a_message_without_end_is_no_message() -> None:
    for broken in (b"", b"\0", (10).to_bytes(4) + b"short", (MOST_BYTES + 1).to_bytes(4)):
        going = io.BytesIO()
        check_groups(cast("IO[bytes]", io.BytesIO(broken)), cast("IO[bytes]", going))
        assert going.getvalue() == b""

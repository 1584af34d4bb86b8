"""Whose turn it is, kept under races; and bytes that stop flowing the moment the right to them ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal import exchange
from tests.rehearsal.race import ASSET, CONSUMER, thread
from tongqiu.node import passports
from tongqiu.node.duties import Duties
from tongqiu.node.follow import follow
from tongqiu.node.lend import Token, lender, new_token
from tongqiu.record.audience import EVERYONE, STRANGER, Principal, only_for
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.statement import Attachment, Said
from tongqiu.seal.policy import read_trust
from tongqiu.testing import PaperClock, paper_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node import Node
    from tongqiu.node.desk import NodeDesk
    from tongqiu.record.statement import Statement

ROOT = Path(__file__).parents[2]
RACES = 12


@pytest.fixture
def clock() -> PaperClock:
    return PaperClock()


@pytest.fixture
def node(tmp_path: Path, clock: PaperClock) -> Iterator[Node]:
    with paper_node(tmp_path, exchange.PRACTICE, clock=clock) as opened:
        yield opened


def _step(node: Node, state: Any, *, by: str | None = None, number: int | None = 0, **more: Any) -> Said:
    parties = {"provider": node.me, "consumer": CONSUMER} | more
    body = exchange.Step(state, by=by or node.me, **parties)
    return Said(exchange.STEP.name, ASSET, body, thread=None if number is None else thread(number))


def _requested(node: Node, number: int = 0) -> None:
    """Offer, and let the consumer come to the door and ask for it."""
    node.publish([_step(node, "offered", number=number)])
    _at_door(node).publish(_step(node, "requested", by=CONSUMER, number=number))


def _at_door(node: Node) -> NodeDesk:
    token, digest = new_token()
    lend = lender(node, exchange.PRACTICE.doors[0], [Token("Consumer", digest, CONSUMER)])
    return lend({"Authorization": f"Bearer {token}"})


def _until_finalised(node: Node, number: int = 0) -> None:
    _requested(node, number)
    node.publish([_step(node, "agreed", number=number)])
    node.publish([_step(node, "finalised", number=number)])


def _deliver(node: Node, data: bytes, until: str = "2026-12-23T08:00:00.000Z") -> Statement:
    file = Attachment("asset.bin", "application/octet-stream", data)
    readers = only_for([node.me, CONSUMER], marking="amber")
    body = exchange.Delivery("asset", until)
    return node.publish([Said(exchange.DELIVERY.name, ASSET, body, audience=readers, thread=thread(0), files=(file,))])[
        0
    ]


def test_the_steps_follow_each_other_and_only_by_whose_turn_it_is(node: Node) -> None:
    with pytest.raises(Refused) as caught:
        node.publish([_step(node, "agreed")])
    assert caught.value.code == "exchange.turn"
    _until_finalised(node)
    for said, code in (
        (_step(node, "offered"), "exchange.turn"),
        (_step(node, "requested", by=CONSUMER, number=1), "exchange.thread"),
        (_step(node, "terminated", by=CONSUMER), "exchange.voice"),
        (_step(node, "offered", number=None), "exchange.thread"),
        (_step(node, "terminated", consumer="did:key:z6Mkanother"), "exchange.parties"),
        (_step(node, "offered", provider="did:key:z6Mkanother", number=2), "exchange.thread"),
        (_step(node, "offered", provider="did:key:z6Mkanother", by="did:key:z6Mkanother", number=2), "exchange.voice"),
    ):
        with pytest.raises(Refused) as caught:
            node.publish([said])
        assert caught.value.code == code
    _at_door(node).publish(_step(node, "terminated", by=CONSUMER))
    with pytest.raises(Refused):
        node.publish([_step(node, "terminated")])


def test_a_batch_cannot_outrun_the_rule_of_its_thread(node: Node) -> None:
    size = node.store.backend.head().size
    with pytest.raises(Refused) as caught:
        node.publish([_step(node, "offered"), _step(node, "offered")])
    assert caught.value.code == "exchange.turn"
    assert node.store.backend.head().size == size
    node.publish([_step(node, "offered"), _step(node, "terminated")])
    assert node.store.backend.head().size == size + 2


def test_two_threads_race_and_exactly_one_wins(node: Node, tmp_path: Path) -> None:
    outcomes: list[str] = []
    with paper_node(tmp_path, exchange.PRACTICE) as other:
        _requested(node)
        size = node.store.backend.head().size
        start = threading.Barrier(4)

        def race(at: Node, state: str) -> None:
            start.wait()
            try:
                at.publish([_step(at, state)])
            except Refused as fault:
                outcomes.append(fault.code)
            else:
                outcomes.append("won")

        racers = [
            threading.Thread(target=race, args=(at, state))
            for at, state in ((node, "agreed"), (other, "agreed"), (node, "terminated"), (other, "terminated"))
        ]
        for each in racers:
            each.start()
        for each in racers:
            each.join()
    # Agreed, then terminated, is a lawful order of two; never more, and never two of one.
    assert outcomes.count("won") in {1, 2}
    assert set(outcomes) <= {"won", "exchange.turn"}
    assert node.store.backend.head().size == size + outcomes.count("won")


def test_two_processes_race_and_of_the_loser_nothing_is_written(node: Node, tmp_path: Path) -> None:
    for number in range(RACES):
        _requested(node, number)
    size = node.store.backend.head().size
    command = [sys.executable, "-m", "tests.rehearsal.race", str(tmp_path)]
    racers = [
        subprocess.Popen([*command, who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for who in ("one", "two")
    ]
    for each in racers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in racers:
        assert each.stdin is not None
        each.stdin.write(f"go {RACES}\n")
        each.stdin.flush()
    outcomes = [each.communicate(timeout=60)[0].split() for each in racers]
    for pair in zip(*outcomes, strict=True):
        assert sorted(pair) == ["exchange.turn", "won"]
    # The winner's agreement and its companion, twelve times; of the loser neither.
    assert node.store.backend.head().size == size + 2 * RACES
    agreed = [each for each in node.desk(node.owner).said(exchange.STEP.name) if each.body["state"] == "agreed"]
    companions = node.desk(node.owner).said("core.composition/1")
    assert len(agreed) == len(companions) == RACES
    winners = sorted(b"".join(node.desk(node.owner).stream(each.content.files[0].digest)).split()[0] for each in agreed)
    assert winners == sorted(each.body["purpose"].encode() for each in companions)
    assert node.log.audit().size == size + 2 * RACES


def test_a_party_at_the_door_takes_its_own_step_and_nothing_else(node: Node) -> None:
    node.publish([_step(node, "offered")])
    desk = _at_door(node)
    (taken,) = desk.publish(_step(node, "requested", by=CONSUMER))
    assert (taken.issuer, taken.body["by"], taken.content.by) == (node.me, CONSUMER, "core.door@1")
    with pytest.raises(Refused) as caught:
        desk.publish(_step(node, "terminated", by=CONSUMER), Said("core.composition/1", ASSET, {"parts": []}))
    assert caught.value.code == "desk.role"
    with pytest.raises(Refused) as caught:
        desk.publish(_step(node, "agreed"))
    assert caught.value.code == "exchange.voice"
    with pytest.raises(Refused) as caught:
        lender(node, exchange.PRACTICE.doors[0], [])({})
    assert caught.value.code == "door.party"


def test_a_peers_move_heard_later_counts_by_who_said_it(tmp_path: Path, clock: PaperClock, node: Node) -> None:
    """The consumer takes its step at its own node; the provider hears it, and goes on from there."""
    with paper_node(tmp_path / "consumer", exchange.PRACTICE, clock=clock, name="Consumer") as consumer:
        parties = {"provider": node.me, "consumer": consumer.me}
        offer = exchange.Step("offered", by=node.me, **parties)
        node.publish([Said(exchange.STEP.name, ASSET, offer, audience=EVERYONE, thread=thread(0))])
        trust = {each: read_trust(passports.trust_file(each.home).encode(), where="") for each in (node, consumer)}
        follow(consumer, passports.export(node, ASSET), trust[node])
        wanted = exchange.Step("requested", by=consumer.me, **parties)
        consumer.publish([Said(exchange.STEP.name, ASSET, wanted, audience=EVERYONE, thread=thread(0))])
        follow(node, passports.export(consumer, ASSET), trust[consumer] | trust[node])
    agreed = exchange.Step("agreed", by=node.me, **parties)
    (made,) = node.publish([Said(exchange.STEP.name, ASSET, agreed, thread=thread(0))])
    said = sorted(node.desk(node.owner).said(exchange.STEP.name, thread=thread(0)), key=lambda each: each.index)
    assert [each.body["state"] for each in said] == ["offered", "requested", "agreed"]
    assert [each.issuer for each in said] == [node.me, consumer.me, made.issuer]


# --- the bytes ------------------------------------------------------------------------------------------------------


def test_nothing_is_delivered_without_a_finalised_agreement(node: Node) -> None:
    with pytest.raises(Refused) as caught:
        _deliver(node, b"x")
    assert caught.value.code == "exchange.no-agreement"
    _until_finalised(node)
    _deliver(node, b"x")
    with pytest.raises(Refused):
        _deliver(node, b"y")


def test_a_transfer_under_way_stops_when_the_right_is_revoked(node: Node) -> None:
    _until_finalised(node)
    data = bytes(range(256)) * 1024
    made = _deliver(node, data)
    digest = made.content.files[0].digest
    assert b"".join(node.desk(Principal(CONSUMER)).stream(digest)) == data
    for who in (STRANGER, Principal("did:key:z6Mksomebody")):
        with pytest.raises(Missing) as caught:
            node.desk(who).stream(digest)
        with pytest.raises(Missing) as absent:
            node.desk(who).stream("sha-256:" + "0" * 64)
        assert caught.value.code == absent.value.code
    pieces = node.desk(Principal(CONSUMER)).stream(digest)
    first = next(pieces)
    assert 0 < len(first) < len(data)
    node.withdraw(made, why="breach of terms")
    with pytest.raises(Refused) as stopped:
        next(pieces)
    assert stopped.value.code == "stream.stopped"
    with pytest.raises(Missing):
        node.desk(Principal(CONSUMER)).stream(digest)


def test_an_agreement_ends_by_its_own_clock_in_the_middle_of_a_transfer(node: Node, clock: PaperClock) -> None:
    _until_finalised(node)
    clock.push(hours=1)
    made = _deliver(node, b"z" * 300_000, until="2026-11-23T12:00:00.000Z")
    duties = Duties(node)
    assert duties.tick() == []
    pieces = node.desk(Principal(CONSUMER)).stream(made.content.files[0].digest)
    next(pieces)
    clock.push(hours=4)
    assert [each.fault for each in duties.tick()] == [None]
    with pytest.raises(Refused):
        list(pieces)
    assert not node.snapshot().stands(made)
    assert node.desk(node.owner).retired_by(made.entry) is not None

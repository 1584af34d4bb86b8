"""Clocks that nobody winds, practices that cannot be had, and who is let in at a door of the node with which token."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tongqiu.node import core as core_practice
from tongqiu.node.discovery import bring
from tongqiu.node.duties import Duties
from tongqiu.node.lend import Token, lender, new_token, open_doors
from tongqiu.practice import Door, Duty, Practice
from tongqiu.record import core
from tongqiu.record.audience import STRANGER, Principal
from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.statement import Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.node import Node
    from tongqiu.practice import Desk, World

WORDS = Text(en="words", zh="文字")
SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
HERE = "tests.node.test_let_in"
STRUCK: list[str] = []


def at_once(statement: Statement) -> str:
    return statement.at


def odd(_statement: Statement) -> str:
    raise Refused("test.odd", WORDS, do=WORDS)


def act(statement: Statement, _world: World, _desk: Desk) -> list[Said]:
    STRUCK.append(statement.entry)
    return []


DUTY = Duty(name="test.duty", title=WORDS, reads=(core.COMPOSITION.name,), when=f"{HERE}:at_once", act=f"{HERE}:act")


def test_a_clock_that_nobody_winds_and_one_whose_record_is_gone_stop_no_other(node: Node) -> None:
    def saying(purpose: str) -> str:
        return node.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose=purpose))])[0].entry

    practice = Practice(name="test", title=WORDS, about=WORDS, duties=(DUTY,))
    node.practices = replace(node.practices, all=(*node.practices.all, practice))
    STRUCK.clear()
    gone, kept = saying("gone"), saying("kept")
    node.store.dues.note("somebody.else", kept, node.now)
    node.store.dues.note(DUTY.name, "sha-256:" + "1" * 64, node.now)
    node.erase(node.statement(gone), ground="test")
    struck = Duties(node).tick()
    assert [(each.duty, each.fault) for each in struck] == [(DUTY.name, None)] * 2
    assert [kept] == STRUCK
    assert [each.duty for each in node.store.dues.due(node.now)] == ["somebody.else"], "it waits for who knows it"


def test_a_thread_outlives_a_clock_that_cannot_be_set(node: Node) -> None:
    duty = replace(DUTY, when="tests.node.test_let_in:odd")
    practice = Practice(name="test", title=WORDS, about=WORDS, duties=(duty,))
    node.practices = replace(node.practices, all=(*node.practices.all, practice))
    node.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose="x"))])
    with pytest.raises(Refused) as caught:
        Duties(node).tick()
    assert caught.value.code == "test.odd"
    duties = Duties(node, patience=0.01)
    thread = duties.keep()
    thread.join(0.2)
    assert thread.is_alive()
    duties.rest()
    thread.join(10)
    assert not thread.is_alive()


PRACTICE = "not a practice"


def test_a_practice_that_cannot_be_had_is_named_and_stops_no_other() -> None:
    named = {
        "absent": "nobody.wrote.this",
        "bare": "json",
        "core": core_practice.__name__,
        "odd": HERE,
    }
    found, broken = bring(named)
    assert found == (core_practice.PRACTICE,)
    assert [name for name, _ in broken] == ["absent", "bare", "odd"]
    assert "ModuleNotFoundError" in broken[0][1]
    assert "PRACTICE" in broken[1][1]
    assert "not a tongqiu.practice.Practice" in broken[2][1]


def test_two_doors_want_one_path(node: Node) -> None:
    doors = [Door(name=f"test.{name}", title=WORDS, mounts=(path,), app="x:y") for name, path in PATHS]
    practice = Practice(name="test", title=WORDS, about=WORDS, doors=tuple(doors))
    node.practices = replace(node.practices, all=(practice,))
    with pytest.raises(Malformed) as caught:
        open_doors(node, None, tokens=())  # type: ignore[arg-type]
    assert caught.value.code == "practice.clash"
    assert "test.one" in caught.value.what.en
    assert "test.two" in caught.value.what.en


PATHS = (("one", "/a/b"), ("two", "/a"))


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("Bearer {token}", True),
        ("bearer  {token} ", True),
        ("Bearer x{token}", False),
        ("Digest {token}", False),
        ("Basic {basic}", True),
        ("Basic {basic}!", False),
        ("Basic /w==", False),
        ("", False),
    ],
)
def test_a_token_opens_its_partys_desk_and_nothing_else_opens_any(node: Node, header: str, *, known: bool) -> None:
    token, digest = new_token()
    door = Door(name="test.door", title=WORDS, mounts=("/a",), app="x:y", auth="node")
    lend = lender(node, door, [Token("Centre", digest, FRIEND, roles=frozenset({"contributor"}))])
    basic = base64.b64encode(f"anyone:{token}".encode()).decode()
    headers = {"Host": "x", "Authorization": header.format(token=token, basic=basic)}
    if known:
        assert lend(headers).me == Principal(FRIEND, roles=frozenset({"contributor"}))
    else:
        with pytest.raises(Refused) as caught:
            lend(headers)
        assert caught.value.code == "door.token"
    with pytest.raises(Refused) as caught:
        lend({})
    assert caught.value.code == "door.party"
    assert lender(node, replace(door, auth="token"), [])({}).me == STRANGER


FRIEND = "did:key:z6MkfriendFriendFriend"


def test_a_door_takes_what_it_was_made_for_from_who_is_known(node: Node) -> None:
    token, digest = new_token()
    door = Door(name="test.door", title=WORDS, mounts=("/a",), app="x:y", takes=(core.COMPOSITION.name,))
    lend = lender(node, door, [Token("Centre", digest, FRIEND)])
    said = Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose="handed in"))
    (made,) = lend({"authorization": f"Bearer {token}"}).publish(said)
    assert (made.issuer, made.content.by) == (node.me, "core.door@1")
    party = Said(core.PARTY.name, SYSTEM, core.Party(name="x", sort="unstated", key="00"))
    for desk, what in ((lend({}), said), (lend({"authorization": f"Bearer {token}"}), party)):
        with pytest.raises(Refused) as caught:
            desk.publish(what)
        assert caught.value.code == "desk.role"

"""Packs as records: added, used, replaced, withdrawn, offered by others and adopted; grades rest on the entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tongqiu.node import open_node, packs, passports, shelf
from tongqiu.node.assess import assess
from tongqiu.node.follow import follow
from tongqiu.norms.draft import starter
from tongqiu.norms.library import Norms, version
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE
from tongqiu.record.faults import Fault, Malformed, Missing, Refused
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.seal.policy import LogPin, PartyPin, Policy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.node.conftest import HandClock
    from tongqiu.node import Node

FIRST = starter("xx-ai-act", today="2026-11-23", jurisdiction="XX")
SECOND = FIRST.replace('version = "1"', 'version = "2"')
MANIFEST = '[system]\nname = "Scorer"\n\n[facts]\nxx_ai_act.decides = true\nxx_ai_act.people = 25000\n'


def code(node: Node, text: str) -> str:
    with pytest.raises(Fault) as caught:
        packs.add(node, text.encode(), where="p.toml")
    assert caught.value.do.zh
    return caught.value.code


def test_an_added_pack_is_a_record_that_the_node_goes_by_until_it_is_withdrawn(node: Node) -> None:
    before = node.norms_digest
    assert "xx-ai-act" not in node.norms.ids
    made = packs.add(node, FIRST.encode())
    assert (made.kind, made.issuer, made.subject.type) == ("core.norm-pack/1", node.me, "pack")
    assert made.body["text"] == FIRST
    assert core.NORM_PACK.holds is not None
    assert list(core.NORM_PACK.holds(core.NORM_PACK.read(made.body))) == []
    norms = node.norms
    assert norms.entries("xx-ai-act") == (made.entry,)
    assert norms.pack("xx-ai-act").jurisdiction == "XX"
    assert norms.entries("eu-ai-act") == ()
    assert node.norms_digest != before
    assert norms.share({"xx_ai_act.decides": True}) == {"xx-ai-act": {"xx_ai_act.decides": True}}
    node.withdraw(made, why="a test")
    assert "xx-ai-act" not in node.norms.ids
    assert node.norms_digest == before


def test_an_old_moment_still_sees_the_packs_of_its_time(node: Node) -> None:
    early = node.now
    first = packs.add(node, FIRST.encode())
    between = node.now
    second = packs.add(node, SECOND.encode())
    then: Norms = node.snapshot(as_of=between, known_at=between).norms
    assert (then.pack("xx-ai-act").version, then.entries("xx-ai-act")) == ("1", (first.entry,))
    assert (node.norms.pack("xx-ai-act").version, node.norms.entries("xx-ai-act")) == ("2", (second.entry,))
    assert "xx-ai-act" not in node.snapshot(as_of=early, known_at=early).norms.ids
    assert [each.version for each in shelf.offers(node.snapshot(), node.me)] == ["2"], "the first was replaced"


def test_an_edition_must_be_later_and_may_lose_no_duty(node: Node) -> None:
    packs.add(node, SECOND.encode())
    assert code(node, SECOND) == "norms.pack.version"
    assert code(node, FIRST) == "norms.pack.version"
    third = FIRST.replace('version = "1"', 'version = "3"')
    assert code(node, third.replace('id = "s4"', 'id = "s5"')) == "norms.pack.lost"
    packs.add(node, third.replace('id = "s4"', 'id = "s5"\nsucceeds = ["s4@2"]').encode())
    shipped = FIRST.replace('id = "xx-ai-act"', 'id = "eu-ai-act"').replace('version = "1"', 'version = "2026.1"')
    assert code(node, shipped) == "norms.pack.version"
    assert version("eu-ai-act").startswith("2026")
    with pytest.raises(Missing):
        version("no-such-pack")


def test_a_question_that_another_pack_asks_otherwise_is_refused(node: Node) -> None:
    packs.add(node, FIRST.encode())
    other = starter("yy", today="2026-11-23").replace("yy.decides", "xx_ai_act.decides")
    packs.add(node, other.encode())
    assert node.norms.share({"xx_ai_act.decides": True}).keys() == {"xx-ai-act", "yy"}
    clash = starter("zz", today="2026-11-23").replace("zz.people", "xx_ai_act.people").replace("10000", "500")
    assert code(node, clash) == "norms.pack.clash"
    assert code(node, "format = 1") == "norms.pack.form"


def test_a_record_that_is_not_what_it_says_is_listed_and_never_used(node: Node) -> None:
    good = packs.add(node, FIRST.encode()).body
    said = [
        good | {"pack": "other", "digest": "sha-256:" + "0" * 64},
        good | {"pack": "broken", "text": "format = 1"},
        good | {"pack": "lies", "version": "7"},
    ]
    for body in said:
        node.publish([Said(core.NORM_PACK.name, Subject("pack", f"urn:tongqiu:pack:{body['pack']}"), body)])
    states = {each.pack: each.state for each in shelf.offers(node.snapshot(), node.me)}
    assert states == {"xx-ai-act": "in-use", "other": "unreadable", "broken": "unreadable", "lies": "unreadable"}
    assert core.NORM_PACK.holds is not None
    assert list(core.NORM_PACK.holds(core.NORM_PACK.read(said[0]))) == ["digest"]
    assert not {"other", "broken", "lies"} & set(node.norms.ids)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    place = tmp_path / "scorer"
    place.mkdir()
    (place / "tongqiu.toml").write_text(MANIFEST, "utf-8")
    return place


def test_a_grade_rests_on_the_pack_and_a_stranger_computes_it_again_from_the_file(node: Node, system: Path) -> None:
    with pytest.raises(Malformed) as caught:
        assess(node, system)
    assert caught.value.code == "facts.unknown"
    added = packs.add(node, FIRST.encode())
    done = assess(node, system)
    (grade,) = [
        each
        for each in node.snapshot().standing("grading.grade/1", subject=done.system)
        if each.body["pack"] == "xx-ai-act"
    ]
    assert added.entry in grade.content.rests_on
    assert grade.body["digest"] == added.body["digest"]
    assert [each["id"] for each in grade.body["spans"][0]["grades"]] == ["high"]
    assert grade.body["facts"]["xx_ai_act.people"] == 25_000
    shipped = [
        each
        for each in node.snapshot().standing("grading.grade/1", subject=done.system)
        if each.body["pack"] == "eu-ai-act"
    ]
    assert all(added.entry not in each.content.rests_on for each in shipped)
    file = passports.export(node, done.system)
    checked = passports.verify(file, policy=Policy(), practices=node.practices, now=node.now)
    (again,) = [each for each in checked.records if each.statement.entry == grade.entry]
    assert again.derived is True, again.notes
    assert checked.sound
    hidden = passports.export(node, done.system, withhold=["core.norm-pack/1"])
    without = passports.verify(hidden, policy=Policy(), practices=node.practices, now=node.now)
    (cannot,) = [each for each in without.records if each.statement.entry == grade.entry]
    assert cannot.derived is None, "without the pack nobody can compute it again, and the file says so"


def test_a_pack_of_another_party_is_listed_and_applies_only_once_adopted(
    node: Node, tmp_path: Path, clock: HandClock
) -> None:
    with open_node(tmp_path / "ministry", create=True, name="Ministry", clock=clock) as ministry:
        theirs = packs.add(ministry, FIRST.encode(), audience=EVERYONE)
        about = Subject("system", "urn:tongqiu:test:one", None, "One")
        body = core.Composition(parts=())
        ministry.publish([Said(core.COMPOSITION.name, about, body, (theirs.entry,), EVERYONE)])
        file = passports.export(ministry, about)
        trusted = Policy(
            (PartyPin("Ministry", ministry.me),),
            (LogPin("Ministry", ministry.log.origin, ministry.log.public, ministry.home.beside.public),),
        )
    follow(node, file, trusted)
    assert "xx-ai-act" not in node.norms.ids
    (offer,) = shelf.offers(node.snapshot(), node.me)
    assert (offer.state, offer.statement.entry) == ("offered", theirs.entry)
    taken = packs.adopt(node, theirs.entry)
    assert node.norms.entries("xx-ai-act") == (theirs.entry, taken.entry)
    assert (taken.body["name"], taken.content.rests_on) == ("xx-ai-act", (theirs.entry,))
    with pytest.raises(Refused) as again:
        packs.adopt(node, theirs.entry)
    assert again.value.code == "norms.pack.version"
    own = packs.add(node, SECOND.encode())
    assert node.norms.entries("xx-ai-act") == (own.entry,)
    assert {each.state for each in shelf.offers(node.snapshot(), node.me)} == {"older", "in-use"}
    node.withdraw(own, why="a test")
    assert node.norms.entries("xx-ai-act") == (theirs.entry, taken.entry)
    node.withdraw(node.statement(taken.entry), why="a test")
    assert "xx-ai-act" not in node.norms.ids


def test_only_a_standing_pack_of_somebody_else_can_be_adopted(node: Node) -> None:
    mine = packs.add(node, FIRST.encode())
    with pytest.raises(Refused) as own:
        packs.adopt(node, mine.entry)
    assert own.value.code == "norms.own-pack"
    party = node.snapshot().standing(core.PARTY.name)[0]
    with pytest.raises(Malformed) as other:
        packs.adopt(node, party.entry)
    assert other.value.code == "norms.not-a-pack"
    with pytest.raises(Missing):
        packs.adopt(node, "sha-256:" + "0" * 64)

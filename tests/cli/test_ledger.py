"""The commands that change the log's key and forget a subject: what they ask, what they do, and who must agree."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tongqiu.cli.ledger import forget, log_keys, rotate_log_key
from tongqiu.node import open_node
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE
from tongqiu.record.faults import Missing
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

THING = Subject("system", "urn:example:thing", None, "Thing")
OTHER = Subject("system", "urn:example:other", None, "Other")


def fact(subject: Subject, name: str, *rests: str) -> Said:
    return Said(core.FACT.name, subject, core.Fact(name, True, "us"), tuple(rests), EVERYONE)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    open_node(place, create=True, name="Lab").close()
    return place


def answered(home: Path, words: list[str], answer: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tongqiu", *words, "--home", str(home), "--lang", "en"]
    return subprocess.run(command, input=f"{answer}\n", capture_output=True, text=True, check=False)


def test_the_key_is_changed_and_every_key_is_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_node(home) as node:
        first = node.log.vkey
    assert rotate_log_key(home=home, yes=True) == 0
    with open_node(home) as node:
        second = node.log.vkey
    assert second != first
    assert second in capsys.readouterr().out
    assert log_keys(home=home) == 0
    shown = capsys.readouterr().out
    assert shown.index(second) < shown.index(first)


def test_the_key_is_changed_only_after_a_yes(home: Path) -> None:
    with open_node(home) as node:
        first = node.log.vkey
    kept = answered(home, ["log-key", "rotate"], "y")
    assert (kept.returncode, "Nothing was changed" in kept.stdout) == (1, True), kept.stderr
    with open_node(home) as node:
        assert node.log.vkey == first
    assert answered(home, ["log-key", "rotate"], "yes").returncode == 0
    with open_node(home) as node:
        assert node.log.vkey != first


def test_a_subject_is_forgotten_and_who_did_it_is_logged_with_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_node(home) as node:
        one, two, other = node.publish([fact(THING, "a.one"), fact(THING, "a.two"), fact(OTHER, "a.one")])
        (resting,) = node.publish([fact(OTHER, "a.two", one.entry)])
        node.withdraw(two, why="wrong")
    assert forget(THING.id, ground="Art. 17", authority="officer", home=home, yes=True) == 0
    assert "3 records; 1 others" in capsys.readouterr().out
    with open_node(home) as node:
        desk = node.desk(node.owner)
        stones = desk.said(core.TOMBSTONE.name)
        assert {each.body["entry"] for each in stones} == {one.entry, two.entry}
        assert all(each.body["ground"] == "Art. 17" for each in stones)
        (account,) = (each.body for each in desk.said(core.ACT.name) if each.body["verb"] == "core.erase")
        assert set(account["made"]) == {each.entry for each in stones}
        assert account["who"] == node.people.at_terminal().principal.person
        for each in (one, two):
            with pytest.raises(Missing):
                node.statement(each.entry)
        assert node.statement(other.entry).subject == OTHER
        assert node.statement(resting.entry).subject == OTHER
    with pytest.raises(Missing):
        forget("urn:example:nobody", ground="Art. 17", home=home, yes=True)


def test_nothing_is_forgotten_unless_the_identifier_is_typed(home: Path) -> None:
    with open_node(home) as node:
        (one,) = node.publish([fact(THING, "a.one")])
    kept = answered(home, ["forget", THING.id, "--ground", "law"], "yes")
    assert (kept.returncode, "Nothing was destroyed" in kept.stdout) == (1, True), kept.stderr
    assert core.FACT.name in kept.stdout
    with open_node(home) as node:
        assert node.statement(one.entry).subject == THING
    assert answered(home, ["forget", THING.id, "--ground", "law"], THING.id).returncode == 0
    with open_node(home) as node, pytest.raises(Missing):
        node.statement(one.entry)


def test_where_there_is_a_second_person_forgetting_is_only_proposed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_node(home) as node:
        node.people.add("Second", "reviewer")
        made = node.publish([fact(THING, "a.one"), fact(THING, "a.two")])
        node.withdraw(made[0], why="wrong")
    assert forget(THING.id, ground="Art. 17", home=home, yes=True) == 0
    assert "2 erasures are proposed" in capsys.readouterr().out
    with open_node(home) as node:
        wanted = [each.body["values"]["entry"] for each in node.desk(node.owner).said(core.PROPOSAL.name)]
        assert sorted(wanted) == sorted(each.entry for each in made)
        assert all(node.statement(each.entry) for each in made)

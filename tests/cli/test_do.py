"""Verbs at the terminal: what there is, what each asks for, what is done, and what is said when it cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tongqiu.cli.do import approve, do, proposals
from tongqiu.node.filling import Unfit
from tongqiu.node.node import open_node
from tongqiu.node.people import Signed
from tongqiu.node.verbs import act
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.record.statement import Statement

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_node(tmp_path / "home", create=True, name="Laboratory") as node:
        node.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()))])
    return tmp_path / "home"


def said(home: Path, kind: str) -> list[Statement]:
    with open_node(home) as node:
        return list(node.desk(node.owner).said(kind))


def test_without_a_name_everything_is_listed_and_with_one_it_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("--help",), ("-h",)):
        assert do(*words) == 0
        assert "core.declare" in capsys.readouterr().out
    for more in ((), ("--help",)):
        assert do("core.erase", *more) == 0
        shown = capsys.readouterr().out
        assert "--ground" in shown
        assert "second person" in shown
    assert do("core.reply") == 0
    assert "correction:" in capsys.readouterr().out
    with pytest.raises(Missing):
        do("core.nothing")


def test_fields_come_as_options_or_from_a_file(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--subject", SYSTEM.id, "--name=users.count", "--value", "12", "--sort", "number")
    assert do("core.declare", *options, home=home) == 0
    assert "Made core.fact/1" in capsys.readouterr().out
    file = tmp_path / "fields.json"
    file.write_text(json.dumps({"subject": SYSTEM.id, "name": "users.more", "value": "x"}), "utf-8")
    assert do("core.declare", "--value", "y", home=home, json=file) == 0
    facts = {each.body["name"]: each.body["value"] for each in said(home, core.FACT.name)}
    assert facts == {"users.count": 12.0, "users.more": "y"}


def test_every_mistake_is_told(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unfit):
        do("core.declare", "--name", "A", home=home)
    told = capsys.readouterr().err
    assert "--name: " in told
    assert "--subject: This is needed." in told
    for words in (("--nothing", "x"), ("subject", "x")):
        with pytest.raises(Malformed) as caught:
            do("core.declare", *words, home=home)
        assert caught.value.code == "do.option"
    with pytest.raises(Missing) as gone:
        do("core.declare", home=home, json=tmp_path / "none.json")
    assert gone.value.code == "do.file"
    for words_in in ("[]", "{"):
        (tmp_path / "bad.json").write_text(words_in, "utf-8")
        with pytest.raises(Malformed) as bad:
            do("core.declare", home=home, json=tmp_path / "bad.json")
        assert bad.value.code == "do.json"
    with pytest.raises(Unfit):
        do("core.declare", "--name", home=home)


def test_what_cannot_be_undone_is_asked_once_more(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = (each.entry for each in said(home, core.COMPOSITION.name))
    words = ["do", "core.withdraw", "--entry", entry[8:20], "--why", "wrong", "--home", str(home)]
    asked = subprocess.run(
        [sys.executable, "-m", "tongqiu", *words], input="no\n", capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert "cannot be undone" in asked.stdout
    assert said(home, core.WITHDRAWAL.name) == []
    assert do("core.withdraw", "--entry", entry[8:20], "--why", "wrong", home=home, yes=True) == 0
    assert "Made core.withdrawal/1" in capsys.readouterr().out


def test_what_another_proposed_is_listed_and_decided(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_node(home) as node:
        person = node.people.add("Second", "owner")
        second = Signed(node.people.principal(person), person, "", "")
        entry = node.desk(node.owner).said(core.COMPOSITION.name)[0].entry
        made = act(node, second, "core.erase", {"entry": entry, "ground": "Art. 17"}).proposal
        other = act(node, second, "core.erase", {"entry": entry, "ground": "Art. 18"}).proposal
    assert made is not None
    assert other is not None
    assert proposals(home=home) == 0
    assert "core.erase" in capsys.readouterr().out
    assert proposals(home=home, json_=True) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {each["entry"]: each["may"] for each in listed} == {made.entry: True, other.entry: True}
    assert approve(other.entry, decline="not this one", home=home) == 0
    assert "Taken off the table" in capsys.readouterr().out
    assert approve(made.entry[8:20], home=home) == 0
    assert "Made core.tombstone/1" in capsys.readouterr().out


def test_what_the_terminal_proposes_waits_for_somebody_else(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_node(home) as node:
        node.people.add("Second", "reviewer")
        entry = node.desk(node.owner).said(core.COMPOSITION.name)[0].entry
    assert do("core.erase", "--entry", entry, "--ground", "Art. 17", home=home, yes=True) == 0
    assert "Proposed as" in capsys.readouterr().out
    proposals(home=home)
    assert "you proposed it" in capsys.readouterr().out
    (waits,) = said(home, core.PROPOSAL.name)
    with pytest.raises(Refused) as caught:
        approve(waits.entry, home=home)
    assert caught.value.code == "proposal.same"

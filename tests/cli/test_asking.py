"""What to ask next at the terminal: over all systems of a node, or some, and what is said when there is nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tongqiu.cli.asking import next_
from tongqiu.node.node import open_node
from tongqiu.practices.grading.kinds import FACTS
from tongqiu.practices.grading.probes import described
from tongqiu.record import core
from tongqiu.record.faults import Missing
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

ONE = Subject("system", "urn:tongqiu:test:one", None, "One")
OTHER = Subject("system", "urn:tongqiu:test:other", None, "Other")
SCALE = {"severity": "serious", "likelihood": "occasional", "exposure": "few", "reversibility": "easy"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_node(tmp_path / "home", create=True, name="Laboratory") as node:
        for system in (ONE, OTHER):
            node.publish([Said(core.COMPOSITION.name, system, core.Composition(parts=()))])
        facts = {f"common.{key}": value for key, value in SCALE.items()}
        node.publish([Said(FACTS.name, ONE, described(facts))])
    return tmp_path / "home"


def asked(home: Path, capsys: pytest.CaptureFixture[str], *systems: str) -> list[dict[str, object]]:
    assert next_(home=home, systems=systems, limit=1000, json_=True) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_questions_of_all_systems_or_of_some(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = {str(each["fact"]): each for each in asked(home, capsys)}
    waiting = everything["common.autonomy"]["waiting"]
    assert isinstance(waiting, list)
    assert [each["system"] for each in waiting] == ["One", "Other"]
    of_one = {str(each["fact"]) for each in asked(home, capsys, "One")}
    assert "common.autonomy" in of_one
    assert "common.severity" not in of_one
    assert {str(each["fact"]) for each in asked(home, capsys, OTHER.id)} >= {"common.severity", "eu.scope.ai_system"}


def test_the_table_names_question_answers_and_frameworks(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert next_(home=home, limit=2) == 0
    shown = capsys.readouterr().out
    assert "Order" in shown
    assert "2 of " in shown


def test_an_unknown_system_is_named(home: Path) -> None:
    with pytest.raises(Missing) as caught:
        next_(home=home, systems=("Nobody",))
    assert caught.value.code == "subject.missing"


def test_answers_that_cannot_be_used_are_named_and_left_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = described({"common.severity": "serious", "eu.art5.any": False})
    with open_node(home) as node:
        bad = FACTS.write(facts)
        for each in bad["facts"]:
            each["value"] = "awful" if each["key"] == "common.severity" else each["value"]
        node.publish([Said(FACTS.name, OTHER, FACTS.read(bad))])
    assert {one["system"] for each in asked(home, capsys) for one in each["waiting"]} == {"One"}  # type: ignore[attr-defined]
    assert next_(home=home, limit=1) == 0
    assert "awful" in capsys.readouterr().err


def test_without_systems_there_is_nothing_to_ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_node(tmp_path / "home", create=True, name="Laboratory"):
        pass
    assert next_(home=tmp_path / "home") == 0
    assert "no system here yet" in capsys.readouterr().out

"""The commands of ``tongqiu norms``: looking at packs and rows on any day, checking a file, writing and adding one."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import pytest

from tongqiu import cli
from tongqiu.cli import norms
from tongqiu.norms import library
from tongqiu.record.faults import Malformed, Missing, Refused

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = datetime.date(2020, 1, 1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "node"


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def starter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "xx-ai-act.toml"
    assert norms.new("xx-ai-act", jurisdiction="XX", out=path) == 0
    capsys.readouterr()
    return path


def test_a_whole_pack_is_shown_with_sources_rows_and_their_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert norms.show("eu-ai-act", json=True) == 0
    now = told(capsys)
    assert now["pack"] == "eu-ai-act"
    assert {each["state"] for each in now["source"]} <= {"in-force", "amended", "pending"}
    norms.show("eu-ai-act", as_of=LONG_AGO, json=True)
    then = told(capsys)
    assert then["asked_known_at"] == "2020-01-01"
    assert {each["state"] for each in then["source"]} == {"not-yet-known"}
    norms.show("eu-ai-act")
    words = capsys.readouterr().out
    assert "compared with the primary text" in words
    assert now["source"][0]["id"] in words


def test_a_row_is_shown_with_clause_force_licence_and_who_checked_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = library.book("eu-ai-act").pack
    rule, duty = pack.rules[0], pack.requirements[0]
    for name in (rule.id, duty.id, pack.sources[0].id):
        assert norms.show("eu-ai-act", name, json=True) == 0
        row = told(capsys)
        assert row["state"] in {"in-force", "pending", "amended", "repealed"}
    norms.show("eu-ai-act", duty.id)
    words = capsys.readouterr().out
    assert str(duty.cite[0]) in words
    assert "checked" in words
    monkeypatch.setenv("TONGQIU_LANG", "zh")
    norms.show("eu-ai-act", rule.id)
    norms.show("eu-ai-act", pack.sources[0].id)
    assert "条件：" in capsys.readouterr().out
    with pytest.raises(Missing) as caught:
        norms.show("eu-ai-act", rule.id + "x")
    assert rule.id[:3] in caught.value.do.en


def test_a_duty_and_its_successor_tell_of_each_other(
    capsys: pytest.CaptureFixture[str], starter: Path, home: Path
) -> None:
    text = starter.read_text("utf-8")
    at = text.index("[[requirement]]")
    later = text[at:].replace(
        'id = "s4"', 'id = "s4a"\nsucceeds = ["s4"]\napplies_from = 2027-01-01\nnote = { en = "N", zh = "注" }'
    )
    later = later.replace("answered_by = []", 'answered_by = [{ finding = "dataset.balance", part = "bias" }]')
    starter.write_text(text + "\n" + later, "utf-8")
    assert norms.add(starter, home=home) == 0
    capsys.readouterr()
    norms.show("xx-ai-act", "s4", as_of=datetime.date(2027, 2, 1), home=home, json=True)
    row = told(capsys)
    assert (row["state"], row["by"], row["succeeded_by"]) == ("amended", ["s4a"], ["s4a"])
    norms.show("xx-ai-act", "s4a", as_of=datetime.date(2026, 12, 1), home=home)
    words = capsys.readouterr().out
    assert "Took the place of s4" in words
    assert "not yet in force" in words
    assert "unchecked" in words
    assert "(bias)" in words
    norms.show("xx-ai-act", "s4", as_of=datetime.date(2027, 2, 1), home=home)
    assert "its place is taken by s4a" in capsys.readouterr().out


def test_a_starter_is_written_once_and_has_no_faults(capsys: pytest.CaptureFixture[str], starter: Path) -> None:
    assert norms.check(starter) == 0
    assert "without faults" in capsys.readouterr().out
    assert norms.check(starter, json=True) == 0
    counted = told(capsys)
    assert (counted["requirements"], counted["rules"], counted["facts"], counted["unanswered_by"]) == (1, 1, 2, 0)
    with pytest.raises(Malformed) as again:
        norms.new("xx-ai-act", out=starter)
    assert again.value.code == "norms.draft.exists"
    with pytest.raises(Missing) as nowhere:
        norms.new("xx-ai-act", out=starter / "in" / "a.toml")
    assert nowhere.value.code == "norms.draft.folder"


def test_check_tells_every_fault_and_what_nothing_would_answer(
    capsys: pytest.CaptureFixture[str], starter: Path
) -> None:
    text = starter.read_text("utf-8")
    starter.write_text(text.replace('grade = "high"', 'grade = "hgih"').replace("known_at", "known_on"), "utf-8")
    assert norms.check(starter) == 2
    said = capsys.readouterr().err
    assert "[norms.pack.unknown-key]" in said
    assert "[norms.pack.form]" in said
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("by_hand"))
    starter.write_text(bare, "utf-8")
    assert norms.check(starter) == 0
    assert "  s4" in capsys.readouterr().out
    many = text + "".join(f'\n[[role]]\nid = "r{n}"\n' for n in range(60))
    starter.write_text(many, "utf-8")
    assert norms.check(starter) == 2
    assert "There may be more" in capsys.readouterr().err


def test_a_pack_is_added_listed_and_its_later_edition_takes_its_place(
    capsys: pytest.CaptureFixture[str], starter: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert norms.add(starter, home=home, public=True) == 0
    assert "xx-ai-act 1 is in use" in capsys.readouterr().out
    assert norms.list_(home=home, json=True) == 0
    rows = {each["pack"]: each for each in told(capsys)}
    assert rows["xx-ai-act"]["state"] == "in-use"
    assert rows["xx-ai-act"]["record"].startswith("sha-256:")
    assert rows["eu-ai-act"]["state"] == "shipped"
    with pytest.raises(Refused):
        norms.add(starter, home=home)
    with pytest.raises(Refused) as own:
        norms.adopt(rows["xx-ai-act"]["record"], home=home)
    assert own.value.code == "norms.own-pack"
    norms.list_(home=home)
    assert "in use, added" in capsys.readouterr().out


def test_without_a_node_the_packs_of_the_software_are_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONGQIU_HOME", str(tmp_path / "none"))
    norms.list_(json=True)
    assert {each["pack"] for each in told(capsys)} == set(library.shipped())


def test_the_schema_is_printed_and_groups_of_commands_stand_once_on_the_first_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert norms.schema() == 0
    assert told(capsys)["$defs"]["Requirement"]
    assert cli.overview("en").count("  norms ") == 1
    assert "norms show" in cli.commands()

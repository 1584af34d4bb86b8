"""The commands ``people`` and ``token``: what they print, and what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tongqiu.cli.people import people, token
from tongqiu.node.node import open_node
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "http://localhost:8470/sign-in/link/"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_node(tmp_path / "home", create=True, name="Lab"):
        return tmp_path / "home"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TONGQIU_LANG", "en")
    return lambda: capsys.readouterr().out


def test_people_are_invited_changed_and_ended(home: Path, said: Callable[[], str]) -> None:
    assert people(home=home) == 0
    assert "Lab" in said()
    people(home=home, invite="Ann", role="contributor", organisation="did:web:lab.example", group=("urn:example:g",))
    shown = said()
    assert "within 72 hours" in shown
    link = shown.partition(URL)[2].split()[0]
    people("Ann", home=home, role="reader", name="Anna")
    assert "Anna" in said()
    people("Anna", home=home, link=True)
    assert "within 15 minutes" in said()
    with open_node(home) as node:
        anna = node.people.everyone()[1]
        assert (anna.role, anna.party, anna.groups) == ("reader", "did:web:lab.example", frozenset({"urn:example:g"}))
        assert node.people.signed(node.people.enter(link)).person == anna
        acts = [core.ACT.read(each.body) for each in node.desk(node.owner).said(core.ACT.name)]
        assert {(each.who, each.verb) for each in acts} == {
            (node.people.owner().id, "people.add"), (node.people.owner().id, "people.change"),
        }  # fmt: skip
    people(anna.id[:28], home=home, end=True, yes=True)
    assert "ended" in said()
    people(anna.id[:28], home=home, forget=True)
    assert "Anna" not in said()
    with pytest.raises(Missing):
        people("Anna", home=home)


def test_one_person_must_be_meant_and_sure(
    home: Path, said: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    people(home=home, invite="Ann")
    people(home=home, invite="Ann")
    with pytest.raises(Malformed, match=r"people\.many"):
        people("Ann", home=home)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert people("Lab", home=home, end=True) == 1
    assert "Nothing was changed" in said()


def test_tokens_are_made_listed_and_ended(home: Path, said: Callable[[], str]) -> None:
    token("script", home=home, scope=("read", "core.publish"), days=3)
    secret = next(word for word in said().split() if word.startswith("tq_"))
    people(home=home, invite="Ann")
    token("hers", home=home, person="Ann")
    token("lab", home=home, party="did:web:lab.example", role=("contributor",))
    said()
    token(home=home)
    shown = said()
    assert all(word in shown for word in ("script", "core.publish, read", "hers", "Ann", "did:web:lab.example"))
    with open_node(home) as node:
        found = node.people.by_token(secret)
        assert found is not None
        assert found.person == node.people.owner()
        name = node.people.tokens(found.person.id)[0].id
    token(home=home, end=name)
    with open_node(home) as node:
        assert node.people.by_token(secret) is None
    with pytest.raises(Missing, match=r"people\.no-token"):
        token(home=home, end=name)

"""Answers that are numbers or days: typed exactly or by their band, kept as the owner wrote them, and where to give them."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.portal.people import browser, csrf, signed_in
from tests.portal.test_norms_pages import OWN, answers
from tongqiu.node import home as homes
from tongqiu.node import manifest, packs, places, propose
from tongqiu.node.node import open_node
from tongqiu.portal.site import app
from tongqiu.practices.grading.kinds import FACTS
from tongqiu.record.audience import EVERYONE
from tongqiu.record.core import COMPOSITION, Composition
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from tongqiu.node import Node

LOANS = Subject("system", "urn:example:loans", None, "Loans")
ODD = Subject("system", "urn:example:odd", None, "Odd one")
HEAD = '[system]\nname = "Loans"\nid = "urn:example:loans"\n\n[facts]\n'


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    place = tmp_path_factory.mktemp("answers")
    (place / "open" / "loans").mkdir(parents=True)
    homes.create(place / "home", name="Lab")
    with (place / "home" / "node.toml").open("a", encoding="utf-8") as file:
        file.write(f'[assess]\nroots = ["{place}/open"]\n')
    with open_node(place / "home") as made:
        packs.add(made, OWN.encode())
        yield made


@pytest.fixture(scope="module")
def owner(node: Node) -> TestClient:
    return signed_in(app(node), node.people, node.people.owner())


@pytest.fixture
def folder(node: Node) -> Iterator[Path]:
    place = places.roots(node, node.owner)[0] / "loans"
    yield place
    (place / manifest.NAME).unlink(missing_ok=True)


def form(node: Node, client: TestClient, **given: str) -> dict[str, str]:
    return {"csrf": csrf(node.people, client), "root": "0", "at": "loans", "name": "Loans", **given}


def facts(text: str) -> dict[str, object]:
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)
    assert shown
    plain = shown[1].replace("&#34;", '"')
    return propose.flat(tomllib.loads(plain)["facts"])


def test_a_number_and_a_day_are_typed_exactly_or_by_their_band(node: Node, owner: TestClient) -> None:
    page = owner.get("/assess/folder?root=0&at=loans&lang=en").text
    assert 'type="text" name="exact.own.people"' in page
    assert 'type="date" name="exact.own.placed"' in page
    assert "(persons)" in page
    assert "few (below 10000)" in page
    for typed, held in (("25000", 25000), ("25,000", 25000), ("1e25", 1e25), ("2.5", 2.5), ("-3", -3)):
        given = form(node, owner, **{"exact.own.people": typed, "exact.own.placed": "2026-05-01"})
        found = facts(owner.post("/assess/folder", data=given).text)
        assert (found["own.people"], str(found["own.placed"])) == (held, "2026-05-01"), typed
    band = facts(owner.post("/assess/folder", data=form(node, owner, **{"fact.own.people": "many"})).text)
    assert band == {"own.people": "many"}
    both = form(node, owner, **{"fact.own.people": "few", "exact.own.people": "25000"})
    assert facts(owner.post("/assess/folder", data=both).text) == {"own.people": 25000}


@pytest.mark.parametrize("typed", ["many people", "nan", "inf", "9" * 500, "1e999"])
def test_what_is_no_number_is_said_beside_it_and_kept(node: Node, owner: TestClient, typed: str) -> None:
    answer = owner.post("/assess/folder", data=form(node, owner, **{"exact.own.people": typed}))
    assert answer.status_code == 400
    assert answer.text.count('class="error"') == 1
    assert f'value="{typed}"' in answer.text
    day = owner.post("/assess/folder", data=form(node, owner, **{"exact.own.placed": "May"}))
    assert day.status_code == 400
    assert 'value="May"' in day.text


def test_answers_that_stand_are_shown_as_written_and_not_rewritten(node: Node, owner: TestClient, folder: Path) -> None:
    text = HEAD + "own.people = 25000.0   # counted\nown.placed = 2026-05-01\n"
    (folder / manifest.NAME).write_text(text, "utf-8")
    page = owner.get("/assess/folder?root=0&at=loans&lang=en").text
    assert 'name="exact.own.people" value="25000"' in page
    assert 'name="exact.own.placed" value="2026-05-01"' in page
    given = form(node, owner, **{"exact.own.people": "25000", "exact.own.placed": "2026-05-01"})
    assert "stays as it is" in owner.post("/assess/folder?lang=en", data=given).text
    changed = owner.post("/assess/folder", data=given | {"exact.own.people": "26000"}).text
    assert "+&#34;own.people&#34; = 26000" in changed
    assert "2026-05-01\n+" not in changed


def test_next_questions_lead_to_the_folder_in_which_they_are_answered(
    node: Node, owner: TestClient, folder: Path
) -> None:
    node.publish(
        [
            Said(COMPOSITION.name, LOANS, Composition(parts=()), (), EVERYONE),
            Said(FACTS.name, LOANS, answers({"own.people": 25000.0}), (), EVERYONE),
        ]
    )
    jobs = node.store.jobs
    name = jobs.create(
        "assess", {"folder": str(folder), "out": None, "ran_by": "first"}, "", person=node.people.owner().id
    )
    jobs.finish(name, {"system": LOANS.id})
    model = owner.get("/norms/next.json?limit=1000").json()
    (placed,) = [each for each in model["questions"] if each["fact"] == "own.placed"]
    assert placed["waiting"][0]["path"] == "/assess/folder?root=0&at=loans#f-own.placed"
    page = owner.get("/norms/next?lang=en&limit=1000").text
    link = "/assess/folder?root=0&amp;at=loans&amp;lang=en#f-own.placed"
    assert link in page
    assert 'id="f-own.placed"' in owner.get("/assess/folder?root=0&at=loans").text
    strange = browser(app(node)).get("/norms/next.json?limit=1000").json()
    assert all(each["path"] == "" for row in strange["questions"] for each in row["waiting"])


def test_answers_that_contradict_each_other_are_named_and_left_out(node: Node, owner: TestClient) -> None:
    odd = answers({"eu.annex3.any": False, "eu.annex3.creditworthiness": True})
    node.publish(
        [
            Said(COMPOSITION.name, ODD, Composition(parts=()), (), EVERYONE),
            Said(FACTS.name, ODD, odd, (), EVERYONE),
        ]
    )
    model = owner.get(f"/norms/next.json?system={ODD.id}").json()
    assert [each["id"] for each in model["unusable"]] == [ODD.id]
    assert model["questions"] == []
    assert "Odd one" in owner.get(f"/norms/next?lang=en&system={ODD.id}").text
    answer = owner.get(f"/norms/grade?system={ODD.id}&pack=eu-ai-act&lang=en")
    assert answer.status_code == 400
    assert "facts.contradiction" in answer.text

"""Who sees what, on every path: the pages of a real node against an oracle written from the rules, leaks and gaps alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.portal import oracle
from tongqiu.node.node import open_node
from tongqiu.portal.site import app
from tongqiu.record.faults import Missing

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.portal.oracle import Told, Who
    from tongqiu.node import Node

_WORD = re.compile(r"w[0-9]{4}x[0-9a-f]{16}")


def _all_of(browser: TestClient, path: str) -> str:
    """Return the text of a list with all its pages, following its cursor or, in a registry, its offset."""
    whole, more = "", "offset=0&limit=50"
    for _ in range(200):
        answer = browser.get(f"{path}?{more}")
        assert answer.status_code == 200, (path, answer.text[:300])
        whole, model = whole + answer.text, answer.json()
        if "rows" in model and model["offset"] + len(model["rows"]) < model["total"]:
            more = f"offset={model['offset'] + len(model['rows'])}&limit=50"
        elif model.get("next"):
            more = f"after={model['next']}"
        else:
            return whole
    raise AssertionError(path)


LISTS: dict[str, Callable[[Told], bool]] = {
    # A list, and which readable records must be found in it: withdrawn ones stay in the log's list, and leave the rest.
    "/records.json": lambda _: True,
    "/registries/systems.json": lambda told: told.composition and not told.ended,
    "/registries/findings.json": lambda told: not told.composition and not told.ended,
    "/registries/measures.json": lambda told: not told.composition and not told.ended,
    "/findings.json": lambda told: not told.composition and not told.ended,
    "/measures.json": lambda told: not told.composition and not told.ended,
}


def check_lists(node: Node, told: list[Told], people: list[Who]) -> int:
    """Compare every list for everybody; return how many (record, reader, path) cases were compared."""
    cases = 0
    for who in people:
        browser = TestClient(app(node, principal=who.principal))
        for path, shown in LISTS.items():
            seen = set(_WORD.findall(_all_of(browser, path)))
            due = {each.word for each in told if oracle.may(who, each) and shown(each)}
            allowed = {each.word for each in told if oracle.may(who, each)}
            assert not seen - allowed, f"leak on {path} to {who}: {sorted(seen - allowed)[:3]}"
            assert not due - seen, f"hidden on {path} from {who}: {sorted(due - seen)[:3]}"
            cases += len(told)
        for path in ("/registries/systems.json", "/registries/findings.json"):
            total = browser.get(path).json()["total"]
            rows = sum(oracle.may(who, each) and LISTS[path](each) for each in told)
            assert total == rows, (path, who)
        for path in ("/", "/records", "/records.csv", "/measures.csv", "/findings", "/about.json", "/jobs.json"):
            seen = set(_WORD.findall(browser.get(path).text))
            assert seen <= {each.word for each in told if oracle.may(who, each)}, (path, who)
            cases += len(told)
    return cases


def check_objects(node: Node, told: list[Told], people: list[Who], drawn: random.Random, count: int) -> int:
    """Ask for drawn records by every address that names one; what may not be seen answers as what does not exist."""
    cases = 0
    browsers = {who: TestClient(app(node, principal=who.principal)) for who in people}
    for _ in range(count):
        who, one = drawn.choice(people), drawn.choice(told)
        browser, hexed = browsers[who], one.entry.removeprefix("sha-256:")
        absent = f"{drawn.getrandbits(256):064x}"
        about, false = quote(one.subject, safe=""), f"w9999x{drawn.getrandbits(64):016x}"
        nobody = quote(f"urn:example:{false}", safe="")
        paths = [
            ("/records/{}", hexed, absent),
            ("/records/{}.json", hexed, absent),
            ("/records/{}/explain.json", hexed, absent),
            ("/records/{}/envelope", hexed, absent),
            ("/records/{}/receipt", hexed, absent),
            ("/files/{}", one.file.removeprefix("sha-256:"), absent),
            ("/subject.json?id={}", about, nobody),
            ("/report?id={}", about, nobody),
            ("/records.json?search={}", one.word, false),
            ("/records.json?subject={}", about, nobody),
            ("/registries/measures.json?search={}", one.word, false),
        ]
        path, real, unreal = drawn.choice(paths)
        answer, nothing = browser.get(path.format(real)), browser.get(path.format(unreal))
        # The files of a withdrawn record are not handed out any more, to nobody.
        if oracle.may(who, one) and not (one.ended and path.startswith("/files")):
            assert answer.status_code == 200, (path, who, one, answer.text[:300])
        else:
            assert answer.status_code == nothing.status_code, (path, who, one)
            shape = answer.text.replace(real, "").replace(one.word, "")
            plain = nothing.text.replace(unreal, "").replace(false, "")
            assert shape == plain, (path, who, one)
        cases += 1
    return cases


def check_desk(node: Node, told: list[Told], people: list[Who]) -> int:
    """Ask the desk of everybody for every record."""
    cases = 0
    for who in people:
        desk = node.desk(who.principal)
        for one in told:
            try:
                seen = desk.record(one.entry).content.subject.id == one.subject
            except Missing:
                seen = False
            assert seen is oracle.may(who, one), (who, one)
            cases += 1
    return cases


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with open_node(tmp_path_factory.mktemp("oracle") / "home", create=True, name="Oracle laboratory") as made:
        yield made


@pytest.fixture(scope="module")
def told(node: Node) -> list[Told]:
    return oracle.fill(node, oracle.parties(), oracle.drawn(20261123), 60)


@pytest.fixture(scope="module")
def people(node: Node, told: list[Told]) -> list[Who]:
    assert told
    return oracle.everybody(node, oracle.parties(), oracle.drawn(7), 11)


def test_every_list_shows_just_what_its_reader_may_see(node: Node, told: list[Told], people: list[Who]) -> None:
    assert check_lists(node, told, people) > 5_000


def test_every_address_of_a_record_answers_as_the_oracle_says(node: Node, told: list[Told], people: list[Who]) -> None:
    assert check_objects(node, told, people, oracle.drawn(11), 160) == 160


def test_every_desk_reads_just_what_it_may(node: Node, told: list[Told], people: list[Who]) -> None:
    assert check_desk(node, told, people) == len(told) * len(people)


@pytest.mark.system
def test_a_hundred_thousand_cases_without_a_leak_or_a_gap(tmp_path: Path) -> None:
    with open_node(tmp_path / "home", create=True, name="Oracle laboratory") as node:
        drawn = oracle.drawn(5)
        told = oracle.fill(node, oracle.parties(), drawn, 260)
        people = oracle.everybody(node, oracle.parties(), drawn, 30)
        cases = check_lists(node, told, people) + check_desk(node, told, people)
        cases += check_objects(node, told, people, drawn, 1_500)
        assert cases >= 100_000

"""The first page: each sees what is theirs to do, counted and paged, and what is done leaves by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.portal.people import browser, csrf, signed_in
from tongqiu.node import passports, queue
from tongqiu.node.duties import Duties
from tongqiu.node.follow import follow
from tongqiu.node.node import open_node
from tongqiu.node.verbs import act
from tongqiu.portal.site import app
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, STRANGER, only_for
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.seal.policy import read_trust
from tongqiu.store.jobs import MOST_TRIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from tongqiu.node.node import Node
    from tongqiu.record.statement import Statement

GUEST = "did:web:guest.example"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Lab 实验室") as made:
        yield made


@pytest.fixture
def owner(node: Node) -> TestClient:
    return signed_in(app(node), node.people, node.people.owner())


def system(node: Node, name: str, *, private: bool = False) -> Statement:
    about = Subject("system", f"urn:example:{name}", None, f"贷款系统 {name}")
    audience = only_for([node.me]) if private else EVERYONE
    return node.publish([Said(core.COMPOSITION.name, about, core.Composition(parts=()), audience=audience)])[0]


def lists(client: TestClient, **query: str) -> dict[str, list[dict[str, object]]]:
    answer = client.get("/index.json", params=query)
    assert answer.status_code == 200, answer.text
    return {each["list"]: each["items"] for each in answer.json()["sections"]}


def test_an_empty_node_says_where_to_begin(node: Node, owner: TestClient) -> None:
    for language, words in (("en", "Nothing was assessed here yet"), ("zh", "此处尚未评估任何系统")):
        page = owner.get(f"/?lang={language}").text
        assert words in page
        assert "/assess" in page
    reader = signed_in(app(node), node.people, node.people.add("Rita", "reader"))
    assert "/assess" not in reader.get("/").text


def test_a_stranger_sees_systems_and_no_queue(node: Node, owner: TestClient) -> None:
    system(node, "open")
    system(node, "shut", private=True)
    stranger = browser(app(node))
    assert "贷款系统 open" in stranger.get("/").text
    assert "贷款系统 shut" not in stranger.get("/").text
    assert "贷款系统 open" in stranger.get("/?list=next").text
    assert "sections" not in stranger.get("/index.json").json()
    assert "贷款系统 shut" in owner.get("/systems").text
    assert stranger.post("/seen", data={"top": "1"}).status_code == 404


def test_a_system_waits_to_be_assessed_until_it_is(node: Node, owner: TestClient) -> None:
    made = system(node, "a")
    (item,) = lists(owner)["next"]
    assert item["title"] == {"en": "Assess 贷款系统 a", "zh": "评估 贷款系统 a"}
    assert item["path"] == "/assess?system=urn%3Aexample%3Aa"
    run = core.Assessment(
        done=("x",), unchanged=(), failed=(), not_assessed=(), software="t", environment=made.entry, began=made.at
    )
    node.publish([Said(core.ASSESSMENT.name, made.subject, run)])
    assert lists(owner)["next"] == []
    failed = core.Failure("probe: a", made.subject.id, "data.empty", Text(en="It is empty.", zh="为空。"))
    broken = msgspec.structs.replace(run, done=(), failed=(failed,))
    node.publish([Said(core.ASSESSMENT.name, made.subject, broken)])
    (item,) = lists(owner)["next"]
    assert item["why"] == {"en": "It is empty.", "zh": "为空。"}
    node.publish([Said(core.ASSESSMENT.name, made.subject, run)])
    assert lists(owner)["next"] == []


def test_only_the_second_person_is_asked_to_approve(node: Node, owner: TestClient) -> None:
    made = system(node, "a")
    issuer, reviewer = (node.people.add(name, role) for name, role in (("Ida", "issuer"), ("Rex", "reviewer")))
    values = {"entry": made.entry, "ground": "Art. 17"}
    done = act(node, node.people.principal(node.people.owner()), "core.erase", values)
    assert done.proposal is not None
    site = app(node)
    assert lists(owner)["waiting"] == []
    assert lists(signed_in(site, node.people, issuer))["waiting"] == []
    (item,) = lists(signed_in(site, node.people, reviewer))["waiting"]
    assert item["entry"] == done.proposal.entry
    assert str(item["due"]) > node.now
    page = signed_in(site, node.people, reviewer).get("/?lang=en").text
    assert re.search(r"until 20\d\d-", page)
    assert signed_in(site, node.people, reviewer).get(str(item["path"])).status_code == 200
    node.withdraw(done.proposal, why="not wanted")
    assert lists(signed_in(site, node.people, reviewer))["waiting"] == []


def test_whoever_is_told_before_publication_is_asked_to_reply(node: Node, owner: TestClient) -> None:
    made = system(node, "a", private=True)
    guest = node.people.add("Gu", "contributor", party=GUEST)
    until = "2099-01-01T00:00:00.000Z"
    act(
        node,
        node.people.principal(node.people.owner()),
        "core.publish",
        {"entry": made.entry, "told": [GUEST], "until": until},
    )
    site = app(node)
    items = lists(signed_in(site, node.people, guest))
    assert [each["due"] for each in items["waiting"]] == [until]
    # The clock that publishes it at the end runs for whoever may read the notice.
    Duties(node).set()
    (clock,) = lists(owner)["due"]
    assert clock["due"] == until
    assert lists(owner)["waiting"] == []


def test_what_others_said_has_arrived_until_it_was_looked_at(tmp_path: Path, node: Node, owner: TestClient) -> None:
    with open_node(tmp_path / "peer", create=True, name="Peer") as peer:
        said = system(peer, "theirs")
        data = passports.export(peer, said.subject)
        policy = read_trust(passports.trust_file(peer.home).encode())
    follow(node, data, policy)
    items = lists(owner)["arrived"]
    assert "urn:example:theirs" in {each["subject"] for each in items}
    assert {each["by"] for each in items} == {said.issuer}
    page = owner.get("/?lang=en").text
    top = re.search(r'name="top" value="(\d+)"', page)
    assert top
    key = csrf(node.people, owner)
    assert owner.post("/seen", data={"top": top[1]}).status_code == 403
    assert owner.post("/seen", data={"csrf": key, "top": "x"}).status_code == 400
    assert len(lists(owner)["arrived"]) == len(items)
    answer = owner.post("/seen", data={"csrf": key, "top": top[1]}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert lists(owner)["arrived"] == []
    # One person's look is no other's.
    other = signed_in(app(node), node.people, node.people.add("Ida", "issuer"))
    assert len(lists(other)["arrived"]) == len(items)


def test_what_a_contributor_hands_in_arrives(node: Node, owner: TestClient) -> None:
    made = system(node, "a")
    guest = node.people.add("Gu", "contributor", party=GUEST)
    act(node, node.people.principal(node.people.owner()), "core.assign", {"subject": made.subject.id, "party": GUEST})
    assert lists(owner)["arrived"] == []
    act(
        node,
        node.people.principal(guest),
        "core.declare",
        {"subject": made.subject.id, "name": "use.note", "value": "贷款"},
    )
    (item,) = lists(owner)["arrived"]
    assert item["by"] == guest.id
    assert item["why"] == {"en": "A contributor handed this in.", "zh": "由提供人提交。"}
    assert owner.get(str(item["path"])).status_code == 200


def test_jobs_stand_in_the_list_of_who_began_them_until_put_away(node: Node, owner: TestClient) -> None:
    jobs = node.store.jobs
    ida = node.people.add("Ida", "issuer")
    name = jobs.create("assess", {"folder": "/srv/secret/loans"}, node.me, person=ida.id)
    mine, other = (signed_in(app(node), node.people, each) for each in (ida, node.people.add("Ivo", "issuer")))
    assert [each["id"] for each in lists(mine)["jobs"]] == [name]
    assert lists(other)["jobs"] == []
    assert [each["id"] for each in lists(owner)["jobs"]] == [name]
    assert "loans" in mine.get("/").text
    assert "/srv/secret" not in mine.get("/").text
    for _ in range(MOST_TRIES):
        jobs.start(name, handing=True)
        jobs.leave(name)
    (item,) = lists(mine)["jobs"]
    assert "broke off" in str(item["why"])
    jobs.put_away(name)
    assert lists(mine)["jobs"] == []


@pytest.mark.parametrize("sort", ["next", "jobs", "due"])
def test_a_list_goes_on_from_where_it_was_whatever_comes_in_between(node: Node, owner: TestClient, sort: str) -> None:
    def more(number: int) -> None:
        if sort == "jobs":
            node.store.jobs.create("assess", {"folder": f"/x/{number}"}, node.me, person=f"p{number}")
        else:
            entry = system(node, f"s{number}").entry
            node.store.dues.note("core.publish-noticed", entry, f"2099-01-01T00:00:{number % 7:02}.000Z")

    for number in range(60):
        more(number)
    first = owner.get(f"/index.json?list={sort}").json()["sections"][0]
    assert (len(first["items"]), first["count"]) == (50, 60)
    for number in range(60, 63):
        more(number)
    second = owner.get("/index.json", params={"list": sort, "after": first["after"]}).json()["sections"][0]
    ids = [each["id"] for each in (*first["items"], *second["items"])]
    assert len(ids) == len(set(ids))
    assert len(ids) in {60, 61, 62, 63}
    assert second["after"] is None
    page = owner.get(f"/?list={sort}&lang=en").text
    assert 'rel="next"' in page
    assert owner.get(f"/index.csv?list={sort}").text.count("\r\n") == 51


def test_counts_stop_counting_somewhere(node: Node, owner: TestClient) -> None:
    node.publish(
        [
            Said(
                core.COMPOSITION.name, Subject("system", f"urn:example:{n}", None, f"s{n}"), core.Composition(parts=())
            )
            for n in range(queue.MOST + 5)
        ]
    )
    section = next(each for each in owner.get("/index.json").json()["sections"] if each["list"] == "next")
    assert (section["count"], section["more"], len(section["items"])) == (queue.MOST, True, 10)
    assert f"{queue.MOST}+" in owner.get("/").text


def test_places_in_lists_that_are_none_of_ours_are_refused(node: Node, owner: TestClient) -> None:
    for sort in queue.SORTS:
        for after in ("x", "1|2", "-1", "9" * 30, "2026-01-01|x|sha-256:00"):
            answer = owner.get("/index.json", params={"list": sort, "after": after})
            assert answer.status_code == 400, (sort, after)
            assert answer.json()["code"] in {"queue.cursor", "portal.number"}
    assert owner.get("/index.json?after=3").status_code == 400
    assert owner.get("/?list=nothing").status_code == 404
    with pytest.raises(Malformed):
        queue.page(node, STRANGER, "nothing")
    for sort in queue.SORTS:
        assert queue.page(node, STRANGER, sort).items == ()
        assert queue.count(node, STRANGER, sort) == (0, False)


def test_the_search_page_shows_what_each_may_read(node: Node, owner: TestClient) -> None:
    for number in range(55):
        system(node, f"n{number}", private=bool(number % 2))
    stranger = browser(app(node))
    first = owner.get("/search.json", params={"q": "贷款"}).json()
    assert (len(first["records"]), len(first["subjects"])) == (50, 50)
    rest = owner.get("/search.json", params={"q": "贷款", "after": first["after"]}).json()
    assert (len(rest["records"]), rest["after"]) == (5, None)
    open_ = stranger.get("/search.json", params={"q": "贷款"}).json()
    assert (len(open_["records"]), open_["after"]) == (28, None)
    assert "n1<" not in stranger.get("/search?q=贷款系统").text
    nothing = [stranger.get("/search", params={"q": words}).text for words in ("n53", "n99")]
    assert nothing[0].replace("n53", "n99") == nothing[1]
    assert 'rel="next"' in owner.get("/search?q=贷款").text
    assert stranger.get("/search").status_code == 200
    assert stranger.get("/search", params={"q": "贷" * 201}).status_code == 400
    assert stranger.get("/search", params={"q": '"><script>'}).text.count("<script>") == 0
    assert stranger.get("/search.csv", params={"q": "n0"}).text.startswith("\ufeffentry,")

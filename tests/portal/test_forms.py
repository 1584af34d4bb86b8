"""Doing things in a browser and by a program: nothing typed is lost, nothing is done twice, nothing goes without its token."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.node.conftest import HandClock
from tests.node.shop import PRACTICE
from tests.portal.people import browser, csrf, signed_in
from tongqiu.cli.do import do
from tongqiu.node.node import open_node
from tongqiu.portal.forms import OWN
from tongqiu.portal.site import app
from tongqiu.record import core
from tongqiu.record.statement import Said, Statement, write_content
from tongqiu.record.subject import Subject
from tongqiu.testing.verbs import TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
SAY = {"subject": SYSTEM.id, "words": "it works", "count": "3"}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory", clock=HandClock(), extra=[PRACTICE]) as opened:
        opened.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()))])
        yield opened


@pytest.fixture
def site(node: Node) -> Starlette:
    return app(node)


class Desk:
    """Somebody's browser at the node."""

    def __init__(self, node: Node, site: Starlette, name: str = "", role: str = "owner") -> None:
        self.person = node.people.add(name, role) if name else node.people.owner()
        self.client: TestClient = signed_in(site, node.people, self.person)
        self.client.follow_redirects = False
        self.csrf = csrf(node.people, self.client)

    def send(self, path: str, values: dict[str, Any], **more: Any) -> Any:
        return self.client.post(path, data={"csrf": self.csrf, **values}, **more)

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def once(self, path: str) -> str:
        found = re.search(r'name="once" value="([0-9a-f]{32})"', self.page(path))
        assert found is not None
        return found[1]


@pytest.fixture
def desk(node: Node, site: Starlette) -> Desk:
    return Desk(node, site)


def things(node: Node) -> list[Statement]:
    found = node.desk(node.owner).said("shop.thing/1")
    return sorted(found, key=lambda each: each.index)


# --- what a form shows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_field_of_every_verb_is_labelled_explained_and_described(node: Node, desk: Desk, lang: str) -> None:
    for _, verb in node.practices.verbs:
        page = desk.page(f"/do/{verb.name}?lang={lang}").replace("&#39;", "'")
        ids = re.findall(r'id="([^"]+)"', page)
        assert len(ids) == len(set(ids)), verb.name
        for each in re.findall(r'aria-describedby="([^"]+)"', page):
            assert set(each.split()) <= set(ids), each
        assert set(re.findall(r'<label for="([^"]+)"', page)) <= set(ids)
        for name, field in verb.fields.items():
            assert f'id="f-{name}-help">{field.help.of(lang)}</p>' in page
            assert f'name="{name}"' in page
            assert field.title.of(lang) in page
        assert "<script" not in page
        assert "style=" not in page


def test_names_that_a_page_uses_are_taken() -> None:
    assert OWN <= TAKEN


def test_what_was_typed_stays_and_each_reason_stands_beside_its_field_and_on_top(desk: Desk, node: Node) -> None:
    typed = {**SAY, "words": "<b>", "count": "11", "sort": "fancy", "colours": ["red"], "tags": "a\nb", "whole": "true"}
    typed |= {"words": "x", "until": "2026-12-31T18:00"}
    answer = desk.send("/do/shop.say", typed)
    assert answer.status_code == 400
    page = answer.text
    for name, words in (("words", "Write at least 3 characters."), ("count", "Write a number &lt;= 10.")):
        assert f'<a href="#f-{name}">Title</a>: {words}' in page
        assert f'<p class="error" id="f-{name}-wrong">{words}</p>' in page
        assert re.search(
            rf'id="f-{name}" name="{name}" aria-describedby="f-{name}-help f-{name}-wrong"[^>]*aria-invalid', page
        )
    assert 'value="11"' in page
    assert re.search(r'value="fancy" checked', page)
    assert re.search(r'value="red" checked', page)
    assert not re.search(r'value="blue" checked', page)
    assert "\na\nb</textarea>" in page
    assert 'value="2026-12-31T18:00"' in page
    assert re.search(r'name="whole"[^>]* checked', page)
    assert "至少填写 3 个字" in desk.send("/do/shop.say?lang=zh", typed).text
    assert things(node) == []


def test_markup_that_was_typed_is_only_shown(desk: Desk) -> None:
    page = desk.send("/do/shop.say", {**SAY, "words": "</textarea><b>", "count": "x"}).text
    assert "&lt;/textarea&gt;&lt;b&gt;" in page
    assert "<b>" not in page


def test_a_field_that_does_not_exist_is_named_on_top(desk: Desk) -> None:
    assert "<li>more: There is no such field.</li>" in desk.send("/do/shop.say", {**SAY, "more": "1"}).text


def test_a_fault_of_the_verb_itself_is_shown_with_the_form(desk: Desk) -> None:
    answer = desk.send("/do/shop.word", {"subject": "urn:tongqiu:test:none", "words": "kept"})
    assert answer.status_code == 404
    assert "Nothing is known here of urn:tongqiu:test:none." in answer.text
    assert ">\nkept</textarea>" in answer.text
    period = {"entry": "0" * 64, "told": "did:key:z6Mkx", "until": "2020-01-01"}
    assert desk.send("/do/core.publish", {**period, "sure": "yes"}).status_code == 404


def test_an_address_fills_a_form_in(desk: Desk) -> None:
    page = desk.page(f"/do/core.declare?subject={SYSTEM.id}&name=users.count")
    assert f'value="{SYSTEM.id}"' in page
    assert 'value="users.count"' in page
    assert f'<option value="{SYSTEM.id}">One</option>' in page


# --- what it does -----------------------------------------------------------------------------------------------------


def test_a_form_that_is_right_is_done_and_leads_to_its_record(node: Node, desk: Desk) -> None:
    answer = desk.send("/do/shop.say", {**SAY, "once": desk.once("/do/shop.say")})
    (made,) = things(node)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/records/{made.entry[8:]}")
    assert made.body == {"words": "it works", "count": 3}
    assert "it works" in desk.page(answer.headers["location"])


def test_a_form_that_is_sent_twice_is_done_once(node: Node, desk: Desk) -> None:
    once = desk.once("/do/shop.say")
    first, second = (desk.send("/do/shop.say", {**SAY, "once": once}) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert len(things(node)) == 1


def test_what_cannot_be_undone_is_asked_once_more_and_may_be_changed(node: Node, desk: Desk) -> None:
    values = {"subject": SYSTEM.id, "words": 'line\n"two"', "once": "1"}
    asked = desk.send("/do/shop.final", values)
    assert asked.status_code == 200
    assert "This cannot be undone" in asked.text
    hidden = dict(re.findall(r'<input type="hidden" name="(subject|words|once)" value="([^"]*)"', asked.text))
    assert hidden == {"subject": SYSTEM.id, "words": "line\n&#34;two&#34;", "once": "1"}
    assert things(node) == []
    changed = desk.send("/do/shop.final", {**values, "change": "yes"})
    assert "<textarea" in changed.text
    assert things(node) == []
    desk.send("/do/shop.final", {**values, "sure": "yes"})
    assert [each.body["words"] for each in things(node)] == ['line\n"two"']


def test_files_come_with_a_form(node: Node, desk: Desk) -> None:
    assert 'enctype="multipart/form-data"' in desk.page("/do/shop.say")
    files = [("pages", ("a.txt", b"\r\n\x00aaa\r\n", "text/plain")), ("pages", ("b.bin", b"", "application/x-b"))]
    answer = desk.send("/do/shop.say", SAY, files=files)
    assert answer.status_code == 303
    (made,) = things(node)
    assert [(each.name, each.media, each.size) for each in made.content.files] == [
        ("a.txt", "text/plain", 8),
        ("b.bin", "application/x-b", 0),
    ]


def test_without_the_token_or_the_role_nothing_is_done(node: Node, site: Starlette, desk: Desk) -> None:
    size = node.store.backend.head().size
    assert desk.client.post("/do/shop.say", data=SAY).status_code == 403
    assert desk.client.post("/api/do/shop.say", json=SAY).status_code == 403
    reader = Desk(node, site, "R", "reader")
    assert reader.send("/do/shop.say", SAY).status_code == 403
    assert reader.client.get("/do/shop.say").status_code == 403
    stranger = browser(site)
    assert stranger.post("/do/shop.say", data=SAY).status_code == 403
    assert stranger.post("/do/shop.nothing-such", data=SAY).status_code == 404
    assert stranger.get("/do.json").json()["actions"] == []
    assert node.store.backend.head().size == size


def test_what_may_be_done_is_listed_beside_a_record_or_subject(node: Node, desk: Desk) -> None:
    entry = node.desk(node.owner).said(core.COMPOSITION.name)[0].entry
    page = desk.page(f"/do?entry={entry}")
    assert f"/do/core.withdraw?entry={entry.replace(':', '%3A')}" in page
    names = {each["name"] for each in desk.client.get(f"/do.json?subject={SYSTEM.id}").json()["actions"]}
    assert {each for each in names if not each.startswith(("grading.", "evaluation."))} == {
        "core.declare",
        "core.assign",
        "shop.say",
    }
    assert "grading.open-risk" in names
    assert desk.client.get("/do.json?entry=" + "0" * 64).status_code == 404


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_form_is_kept_gone_on_with_and_forgotten_once_it_is_done(node: Node, site: Starlette, desk: Desk) -> None:
    answer = desk.send("/do/shop.say", {"subject": SYSTEM.id, "words": "x", "tags": "a\nb", "keep": "yes"})
    assert answer.headers["location"] == "/drafts"
    (kept,) = desk.client.get("/drafts.json").json()["drafts"]
    assert f"/do/shop.say?draft={kept['id']}" in desk.page("/drafts")
    page = desk.page(f"/do/shop.say?draft={kept['id']}")
    assert "\na\nb</textarea>" in page
    assert f'name="draft" value="{kept["id"]}"' in page
    other = Desk(node, site, "Other", "issuer")
    assert other.client.get(f"/do/shop.say?draft={kept['id']}").status_code == 404
    assert other.client.get("/drafts.json").json()["drafts"] == []
    other.send(f"/drafts/{kept['id']}", {})
    again = desk.send("/do/shop.say", {"subject": SYSTEM.id, "words": "y", "draft": kept["id"], "keep": "yes"})
    assert again.status_code == 303
    assert [each["id"] for each in desk.client.get("/drafts.json").json()["drafts"]] == [kept["id"]]
    desk.send("/do/shop.say", {**SAY, "draft": kept["id"]})
    assert desk.client.get("/drafts.json").json()["drafts"] == []
    assert len(things(node)) == 1
    desk.send("/do/shop.say", {"words": "z", "keep": "yes"})
    (kept,) = desk.client.get("/drafts.json").json()["drafts"]
    assert desk.send(f"/drafts/{kept['id']}", {}).headers["location"] == "/drafts"
    assert desk.client.get("/drafts.json").json()["drafts"] == []
    stranger = browser(site)
    assert stranger.get("/drafts.json").json()["drafts"] == []
    assert stranger.post(f"/drafts/{kept['id']}").status_code == 403


def test_unfinished_forms_go_with_their_person(node: Node, site: Starlette) -> None:
    guest = Desk(node, site, "Guest", "issuer")
    guest.send("/do/shop.say", {"words": "unfinished", "keep": "yes"})
    assert len(node.store.drafts.list(guest.person.id)) == 1
    node.people.end(guest.person.id)
    assert node.store.drafts.list(guest.person.id) == []


# --- two people -------------------------------------------------------------------------------------------------------


def _proposed(desk: Desk) -> str:
    assert "Propose it" in desk.page("/do/shop.two")
    answer = desk.send("/do/shop.two", {"subject": SYSTEM.id, "words": "both of us", "tags": "a\nb"})
    assert answer.status_code == 303
    return str(answer.headers["location"])


def test_two_people_decide_on_pages(node: Node, site: Starlette, desk: Desk) -> None:
    second = Desk(node, site, "Second", "reviewer")
    where = _proposed(desk)
    assert "both of us" in second.page(where)
    assert "waits for you" in second.page("/proposals")
    assert "proposed by you" in desk.page("/proposals")
    assert "Agree" not in desk.page(where)
    entry = node.desk(node.owner).said(core.COMPOSITION.name)[0].entry
    asked = desk.send("/do/core.withdraw", {"entry": entry, "why": "an old one"})
    assert f'<a href="/records/{entry[8:]}">' in asked.text
    same = desk.send(where, {"decision": "approve"})
    assert same.status_code == 403
    assert "A second person must agree" in same.text
    assert things(node) == []
    once = second.once(where)
    done = [second.send(where, {"decision": "approve", "once": once}) for _ in range(2)]
    assert done[0].headers["location"] == done[1].headers["location"]
    assert [each.body["tags"] for each in things(node)] == [["a", "b"]]
    assert second.client.get(where).status_code == 404


def test_a_proposal_is_declined_with_a_reason(node: Node, site: Starlette, desk: Desk) -> None:
    second = Desk(node, site, "Second", "reviewer")
    where = _proposed(desk)
    short = second.send(where, {"decision": "decline", "why": "no"})
    assert short.status_code == 400
    assert "Say why" in short.text
    assert 'value="no"' in short.text
    assert second.send(where, {"decision": "perhaps"}).status_code == 400
    assert second.send(where, {"decision": "decline", "why": "not now"}).headers["location"] == "/proposals"
    assert second.client.get("/proposals.json").json()["proposals"] == []
    assert second.send(where, {"decision": "decline", "why": "not now"}).status_code in {403, 404}


def test_who_may_not_see_a_proposal_sees_what_is_not_there(node: Node, site: Starlette, desk: Desk) -> None:
    Desk(node, site, "Second", "reviewer")
    where = _proposed(desk)
    stranger = browser(site)
    for path in (where, "/proposals/" + "0" * 64):
        seen, sent = stranger.get(path + ".json"), stranger.post(path, data={"decision": "approve"})
        told = stranger.post("/api" + path, json={"decision": "approve"})
        assert (seen.status_code, sent.status_code, told.status_code) == (404, 404, 404)
    assert stranger.get(where + ".json").content == stranger.get("/proposals/" + "0" * 64 + ".json").content
    assert stranger.get("/proposals.json").json()["proposals"] == []


def test_a_reply_stands_beside_the_record(node: Node, site: Starlette, desk: Desk) -> None:
    made = desk.send("/do/shop.say", SAY).headers["location"].rpartition("/")[2]
    friend = "did:key:z6MkfriendFriend"
    notice = {"entry": made, "told": friend, "until": "2026-12-31T18:00", "sure": "yes"}
    where = desk.send("/do/core.publish", notice).headers["location"]
    (told,) = node.desk(node.owner).said(core.NOTICE.name)
    person = node.people.add("Friend", "contributor", party=friend)
    guest = signed_in(site, node.people, person)
    values = {"csrf": csrf(node.people, guest), "entry": told.entry, "words": "<i>Not so.</i>", "asks": "correction"}
    assert guest.post("/do/core.reply", data=values, follow_redirects=False).status_code == 303
    page = desk.page(where)
    assert "&lt;i&gt;Not so.&lt;/i&gt;" in page
    assert "asks for a correction" in page
    assert [each["words"] for each in desk.client.get(where + ".json").json()["replies"]] == ["<i>Not so.</i>"]


# --- programs ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(node: Node, site: Starlette) -> TestClient:
    """Return a program that holds a token of the owner."""
    secret, _ = node.people.make_token(node.people.owner().id, "robot", scopes=["read", "*"])
    made = browser(site)
    made.headers.update({"authorization": f"Bearer {secret}"})
    return made


def test_a_program_does_what_a_form_does(node: Node, program: TestClient) -> None:
    data = base64.b64encode(b"hello").decode()
    sent = {**SAY, "count": 3, "tags": ["a"], "pages": [{"name": "a.txt", "media": "text/plain", "data": data}]}
    first, second = (program.post("/api/do/shop.say", json=sent, headers={"idempotency-key": "k"}) for _ in range(2))
    assert first.status_code == 201
    assert first.json() == second.json()
    (made,) = things(node)
    assert first.json() == {
        "statements": [{"entry": made.entry, "kind": made.kind, "index": made.index, "logged": made.logged}],
        "proposal": None,
    }
    assert made.body == {"words": "it works", "count": 3, "tags": ["a"]}


def test_a_program_is_told_every_mistake_in_both_languages(program: TestClient) -> None:
    answer = program.post("/api/do/shop.say", json={"words": "x", "more": 1})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    told = answer.json()
    assert told["code"] == "form.fields"
    assert set(told["fields"]) == {"subject", "words", "more"}
    assert told["fields"]["subject"] == {"en": "This is needed.", "zh": "此项必填。"}
    assert set(told["words"]["detail"]) == {"en", "zh"}
    assert program.post("/api/do/shop.say?lang=zh", json={}).json()["detail"].startswith("有些内容")
    for body in (b"[]", b"1", b"null", b"{"):
        answer = program.post("/api/do/shop.say", content=body, headers={"content-type": "application/json"})
        assert answer.json()["code"] == "portal.json"
    assert program.post("/api/do/shop.say", content=b"{}").json()["code"] == "portal.json"
    assert program.post("/api/do/shop.none", json={}).status_code == 404


def test_a_program_proposes_and_decides(node: Node, site: Starlette, program: TestClient, desk: Desk) -> None:
    second = Desk(node, site, "Second", "reviewer")
    answer = program.post("/api/do/shop.two", json={"subject": SYSTEM.id, "words": "both of us"})
    assert answer.status_code == 202
    entry = answer.json()["proposal"]
    path = f"/api/proposals/{entry[8:]}"
    same = program.post(path, json={"decision": "approve"})
    assert (same.status_code, same.json()["code"]) == (403, "proposal.same")
    assert program.post(path, json={"decision": "perhaps"}).json()["code"] == "form.fields"
    assert program.post(path, json={"decide": "approve"}).json()["code"] == "portal.json"
    agreed = second.client.post(path, json={"decision": "approve"}, headers={"x-csrf-token": second.csrf})
    assert agreed.status_code == 201
    assert [each.entry for each in things(node)] == [each["entry"] for each in agreed.json()["statements"]]
    where = _proposed(desk)
    assert program.post("/api" + where, json={"decision": "decline", "why": "no more"}).status_code == 200


def test_form_call_and_command_make_the_same_bytes(node: Node, desk: Desk, program: TestClient, tmp_path: Path) -> None:
    typed = {"subject": SYSTEM.id, "name": "users.count", "value": "12", "sort": "number", "source": "page 3 第三页"}
    made: list[bytes] = []

    def keep() -> None:
        (fact,) = node.desk(node.owner).said(core.FACT.name)
        made.append(write_content(msgspec.structs.replace(fact.content, at="2026-11-23T08:00:00.000Z")))

    assert desk.send("/do/core.declare", {**typed, "source": " page 3 第三页\r\n"}).status_code == 303
    keep()
    assert program.post("/api/do/core.declare", json=typed).status_code == 201
    keep()
    options = [part for name, value in typed.items() for part in (f"--{name}", value)]
    assert do("core.declare", *options, home=tmp_path / "home") == 0
    keep()
    assert made[0] == made[1] == made[2]

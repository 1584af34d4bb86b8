"""Who sent a request, and what the guard lets through: sessions, tokens, forms from elsewhere, limits."""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.node.conftest import HandClock
from tests.portal.people import ORIGIN, browser, csrf, signed_in
from tongqiu.node.node import open_node
from tongqiu.portal import guard, posted
from tongqiu.portal.frame import local
from tongqiu.portal.guard import Guard
from tongqiu.portal.limits import Allowance, Limits, Rate, caller
from tongqiu.portal.session import Call, Sessions
from tongqiu.portal.site import app
from tongqiu.record.audience import EVERYONE, only_for
from tongqiu.record.core import COMPOSITION, Composition
from tongqiu.record.faults import Malformed, Unreachable
from tongqiu.record.statement import Said, moment_of
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.seal import keyfile
from tongqiu.seal.httpsig import Request, sign
from tongqiu.seal.policy import PartyPin, Policy, write_trust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node import Node
    from tongqiu.node.people import Signed

OPEN = Subject(type="system", id="urn:example:open", name="Open system")
SHUT = Subject(type="system", id="urn:example:shut", name="Shut system")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Real laboratory", clock=clock) as made:
        made.publish(
            [
                Said(COMPOSITION.name, OPEN, Composition(parts=()), audience=EVERYONE),
                Said(COMPOSITION.name, SHUT, Composition(parts=())),
            ]
        )
        yield made


def sees_all(client: TestClient) -> bool:
    names = [each["subject"]["name"] for each in client.get("/records.json").json()["records"]]
    assert "Open system" in names
    return "Shut system" in names


def test_a_link_makes_a_session_that_reads_what_the_owner_reads(node: Node) -> None:
    site = app(node)
    client = browser(site)
    link = node.people.link(node.people.owner().id)
    assert not sees_all(client)
    page = client.get(f"/sign-in/link/{link}")
    assert link in page.text
    assert client.get(f"/sign-in/link/{link}").status_code == 200
    answer = client.post("/sign-in/link", data={"link": link}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    crumb = answer.headers["set-cookie"].lower()
    assert "httponly" in crumb
    assert "samesite=lax" in crumb
    assert "domain" not in crumb
    assert sees_all(client)
    assert client.post("/sign-out", data={"csrf": csrf(node.people, client)}).status_code == 200
    assert not sees_all(client)


def test_over_https_the_cookie_is_bound_to_this_host(node: Node) -> None:
    client = TestClient(app(node, url="https://node.example"), base_url="https://node.example")
    client.headers.update({"origin": "https://node.example"})
    link = node.people.link(node.people.owner().id)
    answer = client.post("/sign-in/link", data={"link": link}, follow_redirects=False)
    crumb = answer.headers["set-cookie"]
    assert crumb.startswith("__Host-tongqiu=")
    assert "Secure" in crumb
    assert "Path=/;" in crumb
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert sees_all(client)
    client.cookies = {"tongqiu": client.cookies["__Host-tongqiu"]}
    assert not sees_all(client)


def test_what_does_not_work_looks_the_same_whatever_it_was(node: Node, clock: HandClock) -> None:
    client = browser(app(node))
    owner = node.people.owner().id
    used, old, ended = (node.people.link(owner) for _ in range(3))
    node.people.enter(used)
    person = node.people.add("Ann", "issuer")
    ended = node.people.link(person.id)
    node.people.end(person.id)
    clock.push(minutes=16)
    answers = {client.post("/sign-in/link", data={"link": each}).text for each in (used, old, ended, "x", "", "é")}
    assert len(answers) == 1
    assert client.post("/sign-in/link", data={"link": used}).status_code == 403
    pages = {client.get(f"/sign-in/link/{each}").text.replace(each, "") for each in (used, old, ended)}
    assert len(pages) == 1


def test_a_form_from_elsewhere_is_refused(node: Node) -> None:
    site, owner = app(node), node.people.owner().id
    cases: list[tuple[dict[str, str], int]] = [
        ({}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://testserver", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://testserver", "sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "ftp://testserver"}, 403),
        ({"origin": "http://testserver"}, 303),
        ({"sec-fetch-site": "same-origin"}, 303),
        (ORIGIN, 303),
    ]
    for headers, status in cases:
        client = TestClient(site, headers=headers)
        answer = client.post("/sign-in/link", data={"link": node.people.link(owner)}, follow_redirects=False)
        assert answer.status_code == status, headers


def test_a_session_needs_its_own_csrf_token(node: Node) -> None:
    site = app(node)
    mine = signed_in(site, node.people, node.people.owner())
    other = signed_in(site, node.people, node.people.add("Ann", "reader"))
    for given_ in ("", "x", csrf(node.people, other), csrf(node.people, mine)[:-1]):
        assert mine.post("/sign-out", data={"csrf": given_}).status_code == 403
    assert sees_all(mine)
    assert mine.post("/sign-out", headers={"x-csrf-token": csrf(node.people, mine)}).status_code == 200
    assert not sees_all(mine)


def test_a_session_ends_by_itself_and_with_its_person(node: Node, clock: HandClock) -> None:
    site = app(node)
    ann = node.people.add("Ann", "issuer")
    first = signed_in(site, node.people, ann)
    assert sees_all(first)
    clock.push(hours=11)
    assert sees_all(first)
    clock.push(hours=11)
    assert sees_all(first)
    clock.push(hours=13)
    assert not sees_all(first)
    second = signed_in(site, node.people, ann)
    for _ in range(17):
        clock.push(hours=10)
        second.get("/records.json")
    assert not sees_all(second)
    third = signed_in(site, node.people, ann)
    assert sees_all(third)
    node.people.end(ann.id)
    assert not sees_all(third)


def test_a_token_reads_as_its_person_and_one_that_does_not_work_is_told(node: Node, clock: HandClock) -> None:
    client = TestClient(app(node))
    owner = node.people.owner().id
    secret, kept = node.people.make_token(owner, "script", days=1)
    assert sees_all(TestClient(app(node), headers={"authorization": f"Bearer {secret}"}))
    writes, _ = node.people.make_token(owner, "writer", scopes=("core.publish",))
    values = ("Bearer x", f"Basic {secret}", "Bearer", f"Bearer {secret}x", f"Bearer {writes}", "Bearer " + "x" * 999)
    answers = [client.get("/records.json", headers={"authorization": value}) for value in values]
    node.people.end_token(kept.id)
    answers.append(client.get("/records.json", headers={"authorization": f"Bearer {secret}"}))
    assert {(each.status_code, each.text, each.headers["www-authenticate"]) for each in answers} == {
        (401, answers[0].text, 'Bearer error="invalid_token"')
    }
    late, _ = node.people.make_token(owner, "late", days=1)
    clock.push(days=1)
    assert client.get("/", headers={"authorization": f"Bearer {late}"}).status_code == 401


def test_a_cookie_that_opens_nothing_makes_a_stranger(node: Node) -> None:
    client = TestClient(app(node))
    for value in ("x", "x" * 5000, '"', "é".encode().decode("latin-1"), "a; tongqiu=b"):
        answer = client.get("/records.json", headers={b"cookie": f"tongqiu={value}".encode("latin-1")})
        assert answer.status_code == 200
        assert [each["subject"]["name"] for each in answer.json()["records"]][:1] == ["Open system"]


def test_a_body_has_limits(node: Node) -> None:
    client = browser(app(node))
    long = "link=" + "x" * guard.MAX_BODY
    assert client.post("/sign-in/link", content=long).status_code == 413
    form = {"content-type": posted.FORM}
    assert client.post("/sign-in/link", content="a=b;" + "&" * 9, headers=form).status_code == 400
    assert (
        client.post("/sign-in/link", content="&".join(f"a{i}=" for i in range(3000)), headers=form).status_code == 400
    )
    assert client.post("/sign-in/link", content=b"\xff", headers=form).status_code == 400


def test_who_asks_too_often_waits() -> None:
    now = [0.0]
    allowance = Allowance(Rate(2, 0.5), most=2, clock=lambda: now[0])
    assert [allowance.wait("a") for _ in range(4)] == [0, 0, 2, 2]
    assert allowance.wait("b") == 0
    now[0] = 2.0
    assert [allowance.wait("a") for _ in range(2)] == [0, 2]
    assert allowance.wait("c") == 0  # the longest silent, b, is forgotten
    now[0] = 3.0
    assert allowance.wait("a") == 1
    assert caller("2001:db8:1:2::1") == caller("2001:db8:1:2:ffff::9") != caller("2001:db8:1:3::1")
    assert caller("192.0.2.1") == "192.0.2.1"
    assert caller("testclient") == "testclient"


def test_signing_in_is_slowed_down(node: Node) -> None:
    client = browser(app(node, limits=Limits(entering=Rate(3, 0.01))))
    answers = [client.post("/sign-in/link", data={"link": "x"}) for _ in range(5)]
    assert [each.status_code for each in answers] == [403, 403, 403, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 100
    assert client.get("/").status_code == 200


def test_a_person_is_counted_wherever_they_ask_from(node: Node) -> None:
    client = signed_in(app(node, limits=Limits(reading=Rate(4, 0.01))), node.people, node.people.owner())
    assert [client.get("/about").status_code for _ in range(5)] == [200] * 4 + [429]


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "evil", "/%0d%0a", "/a//b",
     "/a?next=http:\\\\e", "/\nx", "/a b", "/a#b", "/\t/evil.example", "/;x"],
)  # fmt: skip
def test_only_a_path_of_this_site_is_onward(path: str) -> None:
    assert local(path) in {"/", "/%0d%0a"}


@given(st.text(max_size=40))
def test_no_path_leads_elsewhere(words: str) -> None:
    from urllib.parse import urljoin, urlsplit

    assert urlsplit(urljoin("https://node.example/a/b", local(words))).netloc == "node.example"


def test_paths_of_this_site_are_kept() -> None:
    for path in ("/", "/records", "/records/ab12/explain", "/subject?id=urn:example:a%20b&lang=zh"):
        assert local(path) == path


def test_json_is_read_only_where_it_was_sent() -> None:
    assert posted.read("application/json; charset=utf-8", b'{"a": [1]}').json() == {"a": [1]}
    for media, body in (("text/plain", b"{}"), ("application/json", b"{"), ("application/json", b"[" * 99_999)):
        with pytest.raises(Malformed):
            posted.read(media, body).json()
    sent = posted.read(posted.FORM, b"a=1&a=2&b=")
    assert (sent.one("a"), sent.many("a"), sent.one("b"), sent.one("c"), sent.many("c")) == (
        "1",
        ("1", "2"),
        "",
        "",
        (),
    )


def test_the_clock_of_a_link_is_short(node: Node) -> None:
    from tongqiu.node.people import IDLE, LINK, LONGEST

    assert datetime.timedelta(minutes=15) >= LINK
    assert IDLE < LONGEST <= datetime.timedelta(days=7)
    assert node.people is node.people


# --- the doorkeeper, message by message ------------------------------------------------------------------------------


def asked(app_: Any, *messages: dict[str, Any], **scope: Any) -> list[dict[str, Any]]:
    """Send ``messages`` to an ASGI application and return what it sends."""
    sent: list[dict[str, Any]] = []
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(3600)
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], **scope}
    asyncio.run(app_(whole, receive, send))
    return sent


async def slow(scope: Any, receive: Any, send: Any) -> None:
    del receive
    if scope["path"] == "/late":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(3600)


def made_guard(**limits: float) -> Guard:
    made = Guard(slow, sessions=Sessions(None))
    for name, seconds in limits.items():
        setattr(made, name, seconds)
    return made


ORIGIN_HEADERS = [(b"origin", b"http://a"), (b"host", b"a")]


def test_a_body_that_comes_too_slowly_or_breaks_off_is_refused() -> None:
    first = {"type": "http.request", "body": b"a", "more_body": True}
    door = made_guard(body_seconds=0.05)
    for messages in ((first,), (first, {"type": "http.disconnect"})):
        (start, _) = asked(door, *messages, method="POST", headers=ORIGIN_HEADERS)
        assert start["status"] == 408


def test_an_answer_that_does_not_begin_is_given_up_and_one_that_began_goes_on() -> None:
    door = made_guard(answer_seconds=0.05)
    (start, body) = asked(door)
    assert start["status"] == 503
    assert "took too long" in body["body"].decode()
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(_streams(door), 0.3))


async def _streams(door: Guard) -> None:
    async def nothing() -> Any:
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200

    await door({"type": "http", "method": "GET", "path": "/late", "query_string": b"", "headers": []}, nothing, send)


def test_only_pages_pass_the_doorkeeper() -> None:
    assert asked(made_guard(), type="websocket") == []


class Busy(Sessions):
    """Finds nobody out: the store does not answer."""

    def signed(self, call: Call) -> Signed:
        raise Unreachable(
            "log.storage", Text(en=f"Busy at {call.method}.", zh="忙。"), do=Text(en="Wait.", zh="请稍候。")
        )


def test_a_store_that_does_not_answer_is_said_so(node: Node) -> None:
    door = Guard(slow, sessions=Busy(node.people))
    (start, body) = asked(door, headers=[(b"cookie", b"tongqiu=x")])
    assert (start["status"], body["body"].decode()) == (503, "Busy at GET. 忙。\n")


def test_another_node_may_call_by_signature(node: Node) -> None:
    peer = keyfile.from_seed(b"\7" * 32)
    pins = Policy((PartyPin("Peer", peer.public.did),))
    (node.home.path / "trust.toml").write_text(write_trust(pins), "utf-8")
    shared = Subject(type="system", id="urn:example:shared", name="Shared system")
    audience = only_for([node.me, peer.public.did])
    node.publish([Said(COMPOSITION.name, shared, Composition(parts=()), audience=audience)])
    client = TestClient(app(node, url="https://node.example"))

    def signed(method: str, path: str, body: bytes, nonce: str) -> dict[str, str]:
        created = int(moment_of(node.clock.now()).timestamp())
        request = Request(method, f"https://node.example{path}", {})
        return sign(peer, request, body, created=created, nonce=nonce)

    headers = signed("GET", "/records.json?limit=5", b"", "a" * 22)
    answer = client.get("/records.json?limit=5", headers=headers)
    names = [each["subject"]["name"] for each in answer.json()["records"]]
    assert "Shared system" in names
    assert "Shut system" not in names
    again = client.get("/records.json?limit=5", headers=headers)
    assert (again.status_code, again.text.partition(".")[0]) == (401, "The signature of this request does not hold")
    body = b"link=x"
    headers = signed("POST", "/sign-in/link", body, "b" * 22) | {"content-type": posted.FORM}
    assert client.post("/sign-in/link", content=body, headers=headers).status_code == 403
    assert client.post("/sign-in/link", content=b"link=y", headers=headers).status_code == 401
    assert client.post("/sign-in/link", content=b"x" * (guard.MAX_BODY + 1), headers=headers).status_code == 413


# --- forms with files -----------------------------------------------------------------------------------------------


def multipart(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\ncontent-disposition: form-data; " + each + b"\r\n" for each in parts) + end


def test_a_form_with_files_is_read() -> None:
    body = multipart(
        b'name="csrf"\r\n\r\nabc',
        'name="name"\r\n\r\n同球'.encode(),
        b'name="file"; filename="C:\\\\a\\\\b.csv"\r\ncontent-type: text/csv\r\n\r\n1,2\r\n3',
        b'name="none"; filename=""\r\ncontent-type: application/octet-stream\r\n\r\n',
    )
    sent = posted.read("multipart/form-data; boundary=b", body)
    assert sent.fields == {"csrf": ("abc",), "name": ("同球",)}
    assert sent.files == {"file": (posted.Upload("b.csv", "text/csv", b"1,2\r\n3"),)}


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("multipart/form-data", multipart(b'name="a"\r\n\r\nb')),
        ("multipart/form-data; boundary=b", multipart(b'name="a"\r\n\r\nb', end=b"")),
        ("multipart/form-data; boundary=b", multipart(b"x=1\r\n\r\nb")),
        ("multipart/form-data; boundary=b", multipart(b'name="a"\r\n\r\n\xff')),
        ("multipart/form-data; boundary=b", multipart(*[b'name="a"\r\n\r\nb'] * (posted.MOST_FIELDS + 1))),
        (
            "multipart/form-data; boundary=b",
            multipart(b'name="a"' + b"".join(b"\r\nx%d: y" % i for i in range(20)) + b"\r\n\r\nb"),
        ),
        ("multipart/form-data; boundary=" + "b" * 400, b""),
        ("multipart/form-data; boundary=b", b"nothing"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(media: str, body: bytes) -> None:
    with pytest.raises(Malformed, match=r"portal\.form"):
        posted.read(media, body)

"""Signing in by passkey and by an account elsewhere, one's own page, and the owner's page of people."""

from __future__ import annotations

import json
import re
import time
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.testclient import TestClient

from tests.node.conftest import HandClock
from tests.portal import paper
from tests.portal.device import USER_PRESENT, USER_VERIFIED, Device, data_of, text
from tests.portal.provider import Provider
from tongqiu.node.node import open_node
from tongqiu.portal.guard import CSP
from tongqiu.portal.session import name_of
from tongqiu.portal.signin import SCRIPTED
from tongqiu.portal.site import app
from tongqiu.record import core
from tongqiu.record.statement import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx2 import Response

    from tongqiu.node import Node
    from tongqiu.store.people import Person

URL = "http://localhost:8470"
ORIGIN = {"origin": URL, "sec-fetch-site": "same-origin"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory", clock=clock) as made:
        yield made


class Browser:
    """A browser at one node, perhaps with somebody's session."""

    def __init__(self, node: Node, person: Person | None = None, *, site: Any = None, url: str = URL) -> None:
        self.node, self.url = node, url
        self.site = site or app(node, url=url)
        self.client = TestClient(self.site, base_url=url, headers={**ORIGIN, "origin": url}, follow_redirects=False)
        if person is not None:
            self.client.cookies.set(name_of(secure=False), node.people.begin(person.id, how="test"))

    @property
    def who(self) -> str | None:
        found = self.node.people.signed(self.client.cookies.get(name_of(secure=False)) or "").person
        return None if found is None else found.name

    def get(self, path: str) -> Response:
        return self.client.get(path)

    def post(self, path: str, **fields: str) -> Response:
        csrf = self.node.people.signed(self.client.cookies.get(name_of(secure=False)) or "").csrf
        return self.client.post(path, data={"csrf": csrf, **fields})

    def options(self, path: str) -> dict[str, Any]:
        page = self.get(path)
        assert page.headers["content-security-policy"] == SCRIPTED
        found = re.search(r'data-options="([^"]*)"', page.text)
        assert found is not None
        made: dict[str, Any] = json.loads(unescape(found[1]))
        return made


# --- passkeys -------------------------------------------------------------------------------------------------------


def test_a_passkey_is_added_and_signs_in(node: Node) -> None:
    owner = node.people.owner()
    browser, device = Browser(node, owner), Device(URL)
    options = browser.options("/me/passkey")
    assert options["rp"] == {"id": "localhost", "name": "Laboratory"}
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert data_of(options["user"]["id"]).hex() in owner.id
    answer = browser.post("/me/passkey", answer=json.dumps(device.create(options)), name="My phone")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert "My phone" in browser.get("/me").text
    assert browser.options("/me/passkey")["excludeCredentials"] == [
        {"type": "public-key", "id": text(device.credential)}
    ]
    stranger = Browser(node)
    for _ in range(2):
        asked = stranger.options("/sign-in/passkey")
        assert asked["userVerification"] == "required"
        assert "allowCredentials" not in asked
        answer = stranger.post("/sign-in/passkey", answer=json.dumps(device.get(asked)))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert stranger.who == "Laboratory"
        assert len(node.people.sessions(owner.id)) == 2
    (held,), _ = node.people.held(owner.id)
    assert held.uses == device.uses
    browser.post("/me/end", passkey=held.id)
    assert Browser(node).post("/sign-in/passkey", answer=json.dumps(device.get(asked))).status_code == 403


def like(device: Device, origin: str = URL, flags: int = USER_PRESENT | USER_VERIFIED) -> Device:
    """Return a device with the same key that is at another site, or proves less."""
    made = Device(origin, flags=flags)
    made.key, made.credential, made.handle = device.key, device.credential, device.handle
    device.uses += 1
    made.uses = device.uses
    return made


def changed(answer: dict[str, Any], response: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    return {**answer, **parts, "response": {**answer["response"], **(response or {})}}


WRONG_USES: dict[str, Callable[[Device, dict[str, Any]], dict[str, Any]]] = {
    "a device nobody knows": lambda device, asked: Device(device.origin).get(asked),
    "another site": lambda device, asked: like(device, "https://evil.example").get(asked),
    "another port": lambda device, asked: like(device, "http://localhost:1").get(asked),
    "nobody verified": lambda device, asked: like(device, flags=USER_PRESENT).get(asked),
    "nobody present": lambda device, asked: like(device, flags=USER_VERIFIED).get(asked),
    "another name": lambda device, asked: device.get({**asked, "rpId": "evil.example"}),
    "another challenge": lambda device, asked: device.get({**asked, "challenge": text(b"\0" * 54)}),
    "no challenge": lambda device, asked: device.get({**asked, "challenge": ""}),
    "a challenge that was changed": lambda device, asked: device.get(
        {**asked, "challenge": "AAAA" + asked["challenge"][4:]}
    ),
    "another ceremony": lambda device, asked: device.get(asked, kind="webauthn.create"),
    "another person": lambda device, asked: device.get(asked, handle=b"\1" * 16),
    "another signature": lambda device, asked: changed(
        device.get(asked), {"signature": Device(URL).get(asked)["response"]["signature"]}
    ),
    "a broken signature": lambda device, asked: changed(device.get(asked), {"signature": text(b"x")}),
    "broken data": lambda device, asked: changed(device.get(asked), {"authenticatorData": text(b"x")}),
    "no base64": lambda device, asked: changed(device.get(asked), {"clientDataJSON": "\u00e9"}),
    "no client data": lambda device, asked: changed(device.get(asked), {"clientDataJSON": text(b"{}")}),
    "another credential": lambda device, asked: changed(device.get(asked), rawId="AAAA"),
    "a number": lambda device, asked: changed(device.get(asked), rawId=7),
    "two names": lambda device, asked: changed(device.get(asked), id="AAAA"),
    "a person who is a number": lambda device, asked: changed(device.get(asked), {"userHandle": 7}),
}


def test_whatever_a_device_answers_wrongly_looks_the_same(node: Node, clock: HandClock) -> None:
    owner = node.people.owner()
    browser, device = Browser(node, owner), Device(URL)
    browser.post("/me/passkey", answer=json.dumps(device.create(browser.options("/me/passkey"))))
    stranger = Browser(node, site=browser.site)
    answers: dict[tuple[int, str], str] = {}

    def tried(name: str, sent: str) -> None:
        answer = stranger.post("/sign-in/passkey", answer=sent)
        answers[answer.status_code, answer.text] = name
        assert stranger.who is None, name

    for name, make in WRONG_USES.items():
        tried(name, json.dumps(make(device, stranger.options("/sign-in/passkey"))))
    for words in ("", "x", "[]", "{}", "[" * 9999, "x" * 99_999):
        tried(words[:9], words)
    asked = stranger.options("/sign-in/passkey")
    used = json.dumps(device.get(asked))
    assert Browser(node, site=browser.site).post("/sign-in/passkey", answer=used).status_code == 303
    tried("an answer again", used)
    tried("a challenge again", json.dumps(device.get(asked)))
    tried("of another process", json.dumps(device.get(Browser(node).options("/sign-in/passkey"))))
    adding = browser.options("/me/passkey")["challenge"]
    tried("for adding one", json.dumps(device.get({**asked, "challenge": adding})))
    old = stranger.options("/sign-in/passkey")
    clock.push(minutes=6)
    tried("too old", json.dumps(device.get(old)))
    copied = like(device)
    copied.uses = 1
    tried("a copy", json.dumps(copied.get(stranger.options("/sign-in/passkey"))))
    assert len(answers) == 1, answers.values()
    assert next(iter(answers))[0] == 403
    good = json.dumps(device.get(stranger.options("/sign-in/passkey")))
    assert stranger.post("/sign-in/passkey", answer=good).status_code == 303


def test_a_device_that_does_not_count_works_and_one_that_stops_counting_does_not(node: Node) -> None:
    owner = node.people.owner()
    browser, device = Browser(node, owner), Device(URL, counts=False)
    browser.post("/me/passkey", answer=json.dumps(device.create(browser.options("/me/passkey"))))
    for _ in range(2):
        stranger = Browser(node, site=browser.site)
        sent = json.dumps(device.get(stranger.options("/sign-in/passkey")))
        assert stranger.post("/sign-in/passkey", answer=sent).status_code == 303
    device.uses = 5
    sent = json.dumps(device.get(stranger.options("/sign-in/passkey")))
    assert Browser(node, site=browser.site).post("/sign-in/passkey", answer=sent).status_code == 303
    device.uses = 0
    sent = json.dumps(device.get(Browser(node, site=browser.site).options("/sign-in/passkey")))
    assert Browser(node, site=browser.site).post("/sign-in/passkey", answer=sent).status_code == 403


def test_a_passkey_is_added_only_by_its_person_in_their_session(node: Node) -> None:
    owner, ann = node.people.owner(), node.people.add("Ann", "reader")
    browser, hers = Browser(node, owner), Browser(node, ann)
    hers = Browser(node, ann, site=browser.site)
    device, options = Device(URL), browser.options("/me/passkey")
    wrong: list[Any] = [
        device.create(options, alg=-65535), device.create(options, kind="webauthn.get"), "", {"response": {}},
        Device(URL, flags=USER_PRESENT).create(options), Device("https://evil.example").create(options),
    ]  # fmt: skip
    for each in wrong:
        answer = browser.post("/me/passkey", answer=json.dumps(each))
        assert answer.status_code == 403
    assert hers.post("/me/passkey", answer=json.dumps(device.create(browser.options("/me/passkey")))).status_code == 403
    good = json.dumps(device.create(browser.options("/me/passkey")))
    assert browser.post("/me/passkey", answer=good).status_code == 303
    assert browser.post("/me/passkey", answer=good).status_code == 403
    again = json.dumps(device.create(hers.options("/me/passkey")))
    assert hers.post("/me/passkey", answer=again).status_code == 403
    assert node.people.held(ann.id)[0] == []
    for _ in range(19):
        made = json.dumps(Device(URL).create(browser.options("/me/passkey")))
        assert browser.post("/me/passkey", answer=made).status_code == 303
    made = json.dumps(Device(URL).create(browser.options("/me/passkey")))
    assert browser.post("/me/passkey", answer=made).status_code == 403


def test_who_is_ended_cannot_come_back_by_passkey(node: Node) -> None:
    ann = node.people.add("Ann", "issuer")
    browser, device = Browser(node, ann), Device(URL)
    browser.post("/me/passkey", answer=json.dumps(device.create(browser.options("/me/passkey"))))
    asked = browser.options("/sign-in/passkey")
    node.people.end(ann.id)
    assert (
        Browser(node, site=browser.site).post("/sign-in/passkey", answer=json.dumps(device.get(asked))).status_code
        == 403
    )


def test_passkeys_are_offered_only_where_a_browser_has_them(node: Node) -> None:
    for url, offered in ((URL, True), ("https://node.example", True), ("http://192.0.2.1:8470", False), ("", False)):
        browser = TestClient(app(node, url=url), base_url=url or "http://testserver")
        ways = browser.get("/sign-in.json").json()["ways"]
        assert ("passkey" in ways) is offered
        assert browser.get("/sign-in/passkey").status_code == (200 if offered else 404)


def test_the_one_script_is_a_file_and_only_two_pages_may_run_it(node: Node) -> None:
    browser = Browser(node, node.people.owner())
    script = browser.get("/static/passkey.js")
    assert script.headers["content-type"].startswith("text/javascript")
    for path in ("/", "/sign-in", "/me", "/people", "/about", "/sign-in/link/abc"):
        page = browser.get(path)
        assert page.headers["content-security-policy"] == CSP, path
        assert "<script" not in page.text, path
    for path in ("/me/passkey", "/sign-in/passkey"):
        words = browser.get(path).text
        assert re.findall(r"<script[^>]*>", words) == [
            f'<script src="/static/passkey.js?{words.partition("passkey.js?")[2][:10]}" defer>'
        ]
        assert not re.search(r"\son[a-z]+=|style=|javascript:", words)


# --- an account elsewhere -------------------------------------------------------------------------------------------

SECRET = "a secret: of/the client"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider("tongqiu client", SECRET)
    yield made
    made.close()


def settle(home: Path, provider: Provider, *, secret: bool = True, admit: bool = False, title: str = "City") -> None:
    lines = ["", "[oidc]", f'issuer = "{provider.issuer}"', 'client_id = "tongqiu client"', f'title = "{title}"']
    lines += ['secret = "oidc.secret"'] * secret + ["admit = true"] * admit
    with (home / "node.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    (home / "oidc.secret").write_text(SECRET + "\n", "utf-8")


@pytest.fixture
def joined(tmp_path: Path, provider: Provider, clock: HandClock) -> Iterator[Node]:
    open_node(tmp_path / "home", create=True, name="Laboratory").close()
    settle(tmp_path / "home", provider)
    with open_node(tmp_path / "home", clock=clock) as made:
        provider.now = moment_of(clock.now()).timestamp()
        yield made


def sent_away(browser: Browser) -> str:
    """Return where the provider asks who somebody is."""
    page = browser.post("/sign-in/oidc")
    assert page.status_code == 200
    (address,) = set(re.findall(r'(?:url=|href=")(http://127[^"]*)"', page.text))
    return unescape(address)


def come_back(browser: Browser, provider: Provider, sub: str, **changes: str) -> Response:
    """Go to the provider, agree there, and come back."""
    query = {**provider.agree(sent_away(browser), sub), **changes}
    answer = browser.client.get("/sign-in/oidc/back", params=query)
    assert query["state"] not in answer.text or not query["state"]
    return answer


REFUSED = (303, "/sign-in?refused=oidc.refused")


def led(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.headers["location"]


def test_an_account_is_connected_once_and_signs_in_from_then_on(joined: Node, provider: Provider) -> None:
    owner = joined.people.owner()
    mine, stranger = Browser(joined, owner), Browser(joined)
    assert "City" in stranger.get("/sign-in").text
    assert led(come_back(stranger, provider, "sub-1")) == REFUSED
    answer = come_back(mine, provider, "sub-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert provider.issuer in mine.get("/me").text
    answer = come_back(stranger, provider, "sub-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert stranger.who == "Laboratory"
    ann = joined.people.add("Ann", "reader")
    hers = Browser(joined, ann)
    assert led(come_back(hers, provider, "sub-1")) == REFUSED
    assert come_back(hers, provider, "sub-2").status_code == 303
    assert hers.who == "Ann"
    assert joined.people.held(ann.id)[1] == [(provider.issuer, "sub-2")]
    joined.people.end(ann.id)
    assert led(come_back(Browser(joined), provider, "sub-2")) == REFUSED
    assert provider.asked.count("/.well-known/openid-configuration") <= 4


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WRONG_TOKENS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"iss": "https://evil.example"}, {}),
    ({"aud": "another client"}, {}),
    ({"aud": ["tongqiu client", "another"]}, {}),
    ({"aud": ["tongqiu client", "another"], "azp": "another"}, {}),
    ({"nonce": "another"}, {}),
    ({"nonce": None}, {}),
    ({"exp": 1}, {}),
    ({"exp": None}, {}),
    ({"iat": 4_000_000_000}, {}),
    ({"iat": 1}, {}),
    ({"sub": ""}, {}),
    ({"sub": "x" * 256}, {}),
    ({"sub": None}, {}),
    ({}, {"key": OTHER_KEY}),
    ({}, {"headers": {"kid": "unknown"}}),
    ({}, {"headers": {"kid": "hmac"}, "key": "x" * 32, "algorithm": "HS256"}),
    ({}, {"key": None, "algorithm": "none"}),
    ({}, {"algorithm": "RS512"}),
]


def test_a_token_that_does_not_hold_opens_nothing(joined: Node, provider: Provider) -> None:
    owner = joined.people.owner()
    assert come_back(Browser(joined, owner), provider, "sub-1").status_code == 303
    site = app(joined, url=URL)
    answers = set()
    for claims, signing in WRONG_TOKENS:
        provider.claims, provider.signing = claims, signing
        stranger = Browser(joined, site=site)
        answer = come_back(stranger, provider, "sub-1")
        answers.add(led(answer))
        assert stranger.who is None, (claims, signing)
    provider.claims, provider.signing = {"aud": ["tongqiu client"], "azp": "tongqiu client"}, {}
    for changes in ({"state": "x"}, {"state": ""}, {"code": ""}, {"iss": "https://evil.example"}):
        stranger = Browser(joined, site=site)
        answer = come_back(stranger, provider, "sub-1", **changes)
        answers.add(led(answer))
    assert answers == {REFUSED}
    assert "does not open anything here" in stranger.get("/sign-in?refused=oidc.refused").text
    stranger = Browser(joined, site=site)
    assert come_back(stranger, provider, "sub-1").status_code == 303
    assert stranger.who == "Laboratory"


def test_what_was_begun_in_one_browser_cannot_end_in_another(
    joined: Node, provider: Provider, clock: HandClock
) -> None:
    owner = joined.people.owner()
    mine, other = Browser(joined, owner), Browser(joined)
    query = provider.agree(sent_away(mine), "sub-1")
    assert led(other.client.get("/sign-in/oidc/back", params=query)) == REFUSED
    # Somebody signs out in between: the account is connected to nobody.
    address = sent_away(mine)
    cookie = mine.client.cookies[name_of(secure=False, name="oidc")]
    other.client.cookies.set(name_of(secure=False, name="oidc"), cookie)
    assert led(other.client.get("/sign-in/oidc/back", params=provider.agree(address, "evil"))) == REFUSED
    assert led(come_back(mine, provider, "sub-1")) == (303, "/me")
    query = provider.agree(sent_away(Browser(joined, site=mine.site)), "sub-1")
    victim = Browser(joined, site=mine.site)
    for cookie in ("", "x", "x" * 43):
        victim.client.cookies.set(name_of(secure=False, name="oidc"), cookie)
        assert led(victim.client.get("/sign-in/oidc/back", params=query)) == REFUSED
        assert victim.who is None
    query = provider.agree(sent_away(mine), "sub-1")
    clock.push(minutes=11)
    assert led(mine.client.get("/sign-in/oidc/back", params=query)) == REFUSED


def test_a_provider_that_answers_oddly_is_not_believed(joined: Node, provider: Provider) -> None:
    configuration = "/.well-known/openid-configuration"
    good = json.loads(provider.give(configuration)[2])
    odd: list[tuple[str, tuple[int, dict[str, str], bytes]]] = [
        (configuration, (500, {}, b"{}")),
        (configuration, (302, {"location": provider.issuer + "/keys"}, b"")),
        (configuration, (200, {}, b"not json")),
        (configuration, (200, {}, b"{}")),
        (configuration, (200, {}, json.dumps(good).encode() + b" " * 300_000)),
        (configuration, (200, {}, json.dumps({**good, "issuer": "https://evil.example"}).encode())),
        (configuration, (200, {}, json.dumps({**good, "jwks_uri": "http://evil.example/keys"}).encode())),
        (configuration, (200, {}, json.dumps({**good, "token_endpoint": "file:///etc/passwd"}).encode())),
    ]
    for path, answer in odd:
        provider.answers = {path: answer}
        refused = Browser(joined).post("/sign-in/oidc")
        assert refused.status_code == 403
        assert "provider does not answer" in refused.text
    for path, answer in (
        ("/token", (200, {}, b"{}")),
        ("/keys", (200, {}, b"[]")),
        ("/token", (200, {}, b'{"id_token": "x"}')),
    ):
        provider.answers = {path: answer}
        found = led(come_back(Browser(joined, joined.people.owner()), provider, "sub-1"))
        assert found[1] in {"/sign-in?refused=oidc.provider", "/sign-in?refused=oidc.refused"}
    provider.close()
    assert Browser(joined).post("/sign-in/oidc").status_code == 403
    assert joined.people.held(joined.people.owner().id)[1] == []


def test_new_keys_are_learnt_but_not_asked_for_at_every_try(joined: Node, provider: Provider, clock: HandClock) -> None:
    owner = joined.people.owner()
    site = app(joined, url=URL)
    assert come_back(Browser(joined, owner, site=site), provider, "sub-1").status_code == 303
    provider.kid = "k2"
    assert led(come_back(Browser(joined, site=site), provider, "sub-1")) == REFUSED
    assert provider.asked.count("/keys") == 1
    clock.push(minutes=2)
    provider.now = moment_of(clock.now()).timestamp()
    assert come_back(Browser(joined, site=site), provider, "sub-1").status_code == 303
    assert provider.asked.count("/keys") == 2


def test_who_the_provider_vouches_for_may_be_let_in_as_a_reader(tmp_path: Path) -> None:
    made = Provider("tongqiu client", "", methods=("none",))
    open_node(tmp_path / "home", create=True, name="Laboratory").close()
    settle(tmp_path / "home", made, secret=False, admit=True, title="")
    made.now = time.time()
    with open_node(tmp_path / "home") as node:
        browser = Browser(node)
        assert made.issuer.removeprefix("http://") in browser.get("/sign-in").text
        assert come_back(browser, made, "sub-9").status_code == 303
        assert browser.who == "Name of sub-9"
        assert node.people.everyone()[1].role == "reader"
    made.close()


def test_a_client_secret_that_cannot_be_read_says_so(joined: Node, provider: Provider) -> None:
    (joined.home.path / "oidc.secret").unlink()
    browser = Browser(joined)
    where = led(come_back(browser, provider, "sub-1"))[1]
    assert "secret cannot be read" in browser.get(where).text


# --- one's own page, and everybody's --------------------------------------------------------------------------------


def test_ones_own_page_lists_and_ends_every_way_in(node: Node) -> None:
    owner = node.people.owner()
    mine, other = Browser(node, owner), Browser(node, owner)
    model = mine.get("/me.json").json()
    assert (model["name"], model["role"], len(model["sessions"])) == ("Laboratory", "owner", 2)
    mine.post("/me/end", session=next(each["id"] for each in model["sessions"] if not each["here"]))
    assert other.who is None
    third, fourth = Browser(node, owner), Browser(node, owner)
    mine.post("/me/end", session="others")
    assert (third.who, fourth.who, mine.who) == (None, None, "Laboratory")
    page = mine.post("/me/token", name="script", read="yes", scopes="core.publish core.correct", days="30")
    secret = re.search(r"tq_[A-Za-z0-9_-]+", page.text)
    assert secret is not None
    assert secret[0] not in mine.get("/me").text
    found = node.people.by_token(secret[0])
    assert found is not None
    assert found.scopes == frozenset({"read", "core.publish", "core.correct"})
    for wrong in ({"name": ""}, {"name": "x", "days": "0"}, {"name": "x", "days": "x"}, {"name": "x", "days": "9999"}):
        assert mine.post("/me/token", **wrong).status_code == 400
    mine.post("/me/end", token=mine.get("/me.json").json()["tokens"][0]["id"])
    assert node.people.by_token(secret[0]) is None
    assert mine.post("/me/name", name="").status_code == 400
    assert mine.post("/me/name", name="Dr. <b>Li</b>").status_code == 303
    assert "Dr. &lt;b&gt;Li&lt;/b&gt;" in mine.get("/me").text
    assert mine.post("/sign-out").status_code == 303
    assert mine.get("/me").status_code == 404


def test_the_owner_invites_changes_and_ends_people_and_each_act_is_a_record(node: Node, clock: HandClock) -> None:
    owner = node.people.owner()
    mine = Browser(node, owner)
    page = mine.post("/people/invite", name="Ann", role="issuer", organisation="", groups="urn:example:g")
    link = re.search(rf"{URL}(/sign-in/link/[A-Za-z0-9_-]+)", page.text)
    assert link is not None
    ann = node.people.everyone()[1]
    assert (ann.name, ann.role, ann.party, ann.groups) == ("Ann", "issuer", node.me, frozenset({"urn:example:g"}))
    clock.push(hours=1)
    mine = Browser(node, owner)
    hers = Browser(node)
    assert hers.post("/sign-in/link", link=link[1].rpartition("/")[2]).status_code == 303
    assert "Ann" in hers.get("/me").text
    mine.post("/people/change", person=ann.id, do="role", role="reviewer")
    assert node.people.person(ann.id).role == "reviewer"
    page = mine.post("/people/change", person=ann.id, do="link")
    assert "/sign-in/link/" in page.text
    assert "Yes, end it" in mine.post("/people/change", person=ann.id, do="end").text
    assert "Ann" in hers.get("/me").text
    mine.post("/people/change", person=ann.id, do="end", sure="yes")
    assert hers.who is None
    for wrong in (
        {"name": "", "role": "reader"},
        {"name": "x", "role": "king"},
        {"name": "x", "role": "owner", "organisation": "did:web:x"},
    ):
        assert mine.post("/people/invite", **wrong).status_code == 400
    assert mine.post("/people/change", person=owner.id, do="end", sure="yes").status_code == 400
    assert mine.post("/people/change", person="nobody", do="end").status_code == 404
    assert mine.post("/people/change", person=owner.id, do="nothing").status_code == 303
    found = sorted(node.desk(node.owner).said(core.ACT.name), key=lambda each: each.index)
    acts = [core.ACT.read(each.body) for each in found]
    assert [(each.who, each.verb) for each in acts] == [
        (owner.id, "people.add"), (owner.id, "people.change"), (owner.id, "people.end"),
    ]  # fmt: skip
    assert {each.subject.id for each in found} == {ann.id}


def test_to_anybody_else_the_pages_of_people_do_not_exist(node: Node) -> None:
    site = app(node, url=URL)
    nothing = Browser(node, site=site).get("/nothing-here")
    secret, _ = node.people.make_token(node.people.owner().id, "all", scopes=["*", "read"])
    for role in ("issuer", "reviewer", "contributor", "reader", ""):
        browser = Browser(node, node.people.add(role, role) if role else None, site=site)
        absent = browser.get("/nothing-here")
        paths = ["/people"] + ([] if role else ["/me", "/me/passkey"])
        assert {(each.status_code, each.text) for each in map(browser.get, paths)} == {
            (absent.status_code, absent.text)
        }
        for path in (
            "/people/invite",
            "/people/change",
            *(() if role else ("/me/end", "/me/token", "/me/name", "/me/passkey")),
        ):
            answer = browser.post(path, name="x", role="owner", person=node.people.owner().id, do="end", sure="yes")
            assert (answer.status_code, answer.text) == (absent.status_code, absent.text), path
    program = TestClient(site, base_url=URL, headers={"authorization": f"Bearer {secret}"})
    for path in ("/people/invite", "/people/change", "/me/end", "/me/token", "/me/name", "/me/passkey"):
        assert program.post(path, data={"name": "x", "role": "owner"}).status_code == nothing.status_code == 404
    assert program.get("/people.json").status_code == 200
    assert len(node.people.everyone()) == 5


def test_a_site_without_people_has_no_way_in() -> None:
    browser = TestClient(app(paper.mortgage()))
    for path in ("/sign-in", "/me", "/people", "/static/passkey.js"):
        assert browser.get(path).status_code == 404

"""People of a node: there is always an owner, each may do what the table says, and every way in ends when it should."""

from __future__ import annotations

import asyncio
import datetime
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from tongqiu.node.lend import MAX_SIGNED, open_doors
from tongqiu.node.node import open_node
from tongqiu.node.people import INVITATION, LONGEST, MAY, MOST_TOKENS, NOBODY, OWN, READ, ROLES, TITLES, Signed, may
from tongqiu.practice import Door, Practice
from tongqiu.record.audience import EVERYONE, STRANGER, Principal, only_for, permits
from tongqiu.record.core import ACT, COMPOSITION, Composition
from tongqiu.record.faults import Fault, Refused, Unproven
from tongqiu.record.statement import Said, moment_of
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.seal import httpsig, keyfile
from tongqiu.seal.policy import PartyPin, Policy, write_trust
from tongqiu.store.people import Once, Passkey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.node.conftest import HandClock
    from tongqiu.node import Node
    from tongqiu.node.people import People

OTHER = "did:web:lab.example"
GROUP = "urn:example:group:responders"


@pytest.fixture
def people(node: Node) -> People:
    return node.people


def code(call: Callable[[], object]) -> str:
    with pytest.raises(Fault) as caught:
        call()
    return caught.value.code


# --- who there is ---------------------------------------------------------------------------------------------------


def test_a_node_has_an_owner_from_the_first_look_and_never_none(people: People, node: Node) -> None:
    owner = people.owner()
    assert (owner.name, owner.role, owner.party, owner.state) == ("Test laboratory", "owner", node.me, "active")
    assert people.everyone() == [owner] == [people.owner()]
    for wrong in ({"role": "reader"}, {"role": "issuer"}):
        assert code(lambda wrong=wrong: people.change(owner.id, **wrong)) == "people.last-owner"  # type: ignore[misc]
    assert code(lambda: people.end(owner.id)) == "people.last-owner"
    assert people.owner() == owner
    second = people.add("Ann", "owner")
    people.end(owner.id)
    assert people.owner() == second
    assert code(lambda: people.change(owner.id, name="x")) == "people.missing"
    assert [each.state for each in people.everyone()] == ["ended", "active"]


def test_two_who_look_at_once_make_one_owner(people: People, node: Node) -> None:
    made = people.owner()._replace(id="urn:tongqiu:person:" + "0" * 32)
    assert not node.store.people.add(made, first=True)
    assert len(people.everyone()) == 1


def test_a_person_is_checked_before_anything_is_written(people: People) -> None:
    for name in ("", " ", "x" * 201, "a\nb", "a\u202eb"):
        assert code(lambda name=name: people.add(name, "reader")) == "people.name"  # type: ignore[misc]
    assert code(lambda: people.add("Ann", "king")) == "people.role"
    assert code(lambda: people.add("Ann", "reader", party="nobody")) == "subject.id"
    assert code(lambda: people.add("Ann", "reader", groups=["x y"])) == "subject.id"
    assert code(lambda: people.add("Ann", "reader", party=GROUP)) == "people.organisation"
    assert code(lambda: people.add("Ann", "reader", groups=[OTHER])) == "people.organisation"
    for role in sorted(OWN):
        assert code(lambda role=role: people.add("Ann", role, party=OTHER)) == "people.outside"  # type: ignore[misc]
    assert code(lambda: people.person("urn:tongqiu:person:0")) == "people.missing"
    assert len(people.everyone()) == 1
    ann = people.add("Ann", "contributor", party=OTHER)
    assert code(lambda: people.change(ann.id, role="issuer")) == "people.outside"
    assert people.change(ann.id, role="reader", name="Anna").name == "Anna"


# --- what each may do and read --------------------------------------------------------------------------------------


def test_the_table_of_duties() -> None:
    assert TITLES.keys() == MAY.keys()
    expected = {
        "owner": "owner issuer reviewer contributor reader",
        "issuer": "issuer contributor reader",
        "reviewer": "reviewer reader",
        "contributor": "contributor reader",
        "reader": "reader",
    }
    for role, duty in product(ROLES, ROLES):
        assert may(Principal("did:web:x", roles=frozenset({role})), duty) is (duty in expected[role].split())
    assert not any(may(STRANGER, duty) for duty in ROLES)
    assert not may(Principal("did:web:x", roles=frozenset({"king"})), "reader")


def test_a_token_may_no_more_than_its_scopes_and_its_person() -> None:
    def with_scopes(*scopes: str) -> Signed:
        return Signed(Principal("did:web:x", roles=frozenset({"issuer"})), None, "", "", frozenset(scopes))

    assert with_scopes("core.publish").may("issuer", "core.publish")
    assert not with_scopes("core.publish").may("issuer", "core.erase")
    assert not with_scopes("core.publish").may("reader")
    assert with_scopes(READ).may("reader")
    assert not with_scopes(READ).may("issuer", "core.publish")
    assert with_scopes("*").may("issuer", "core.publish")
    assert not with_scopes("*").may("owner", "core.erase")
    assert not NOBODY.may("reader")


def test_who_speaks_for_the_party(people: People, node: Node) -> None:
    said = Said(COMPOSITION.name, Subject("system", "urn:example:s", name="S"), Composition(parts=()))
    for role, party in product(ROLES, (node.me, OTHER)):
        if role in OWN and party == OTHER:
            continue
        desk = node.desk(people.principal(people.add("Ann", role, party=party)))
        if role in {"owner", "issuer"}:
            assert desk.publish(said)
        else:
            assert code(lambda desk=desk: desk.publish(said)) == "desk.role"  # type: ignore[misc]


def test_what_each_reads(people: People, node: Node) -> None:
    own, named, grouped = only_for([node.me]), only_for([OTHER]), only_for([GROUP])
    expected = {
        ("owner", node.me): (True, True, True, True),
        ("issuer", node.me): (True, True, True, True),
        ("reviewer", node.me): (True, True, True, True),
        ("contributor", node.me): (True, True, True, True),
        ("reader", node.me): (True, False, False, True),
        ("contributor", OTHER): (True, False, True, True),
        ("reader", OTHER): (True, False, True, True),
    }
    for (role, party), sees in expected.items():
        principal = people.principal(people.add("Ann", role, party=party, groups=[GROUP]))
        found = tuple(permits(each, node.me, principal, node.now) for each in (EVERYONE, own, named, grouped))
        assert found == sees, (role, party)
        assert principal.person not in principal.names


# --- links and sessions ---------------------------------------------------------------------------------------------


def test_a_link_enters_once_and_in_time(people: People, clock: HandClock) -> None:
    owner = people.owner().id
    first, second = people.link(owner), people.link(owner, lives=INVITATION)
    clock.push(minutes=14)
    session = people.enter(first, label="a\nbrowser" * 99)
    assert people.signed(session).person == people.owner()
    assert "\n" not in people.sessions(owner)[0].label
    assert len(people.sessions(owner)[0].label) <= 120
    clock.push(hours=71)
    assert people.signed(people.enter(second)).how == "link"
    third = people.link(owner)
    clock.push(minutes=15)
    for wrong in (first, second, third, "", "x", people.once("passkey", person=owner)):
        assert code(lambda wrong=wrong: people.enter(wrong)) == "people.link"  # type: ignore[misc]
    ann = people.add("Ann", "reader")
    people.end(ann.id)
    assert code(lambda: people.link(ann.id)) == "people.missing"
    assert code(lambda: people.begin(ann.id, how="x")) == "people.missing"


def test_sessions_are_listed_ended_and_forgotten(people: People, node: Node, clock: HandClock) -> None:
    owner, ann = people.owner().id, people.add("Ann", "reader").id
    first, second, other = people.begin(owner, how="a"), people.begin(owner, how="b"), people.begin(ann, how="c")
    name = people.signed(first).session
    assert {each.id for each in people.sessions(owner)} == {name, people.signed(second).session}
    assert people.leave(ann, name) == 0
    assert people.leave(owner, name) == 1
    assert people.signed(first) == NOBODY
    assert people.signed(second).csrf != people.signed(other).csrf
    assert people.leave(owner) == 1
    assert people.signed(second) == NOBODY
    assert people.signed(other).person is not None
    clock.push(hours=13)
    assert people.sessions(ann) == []
    clock.push(days=7)
    node.store.people.sweep(clock.now())
    assert node.store.people.sessions(ann) == []


def test_a_role_that_changes_counts_at_once(people: People) -> None:
    ann = people.add("Ann", "issuer")
    session = people.begin(ann.id, how="x")
    assert people.signed(session).may("issuer")
    people.change(ann.id, role="reader")
    assert not people.signed(session).may("issuer")
    assert people.signed(session).principal.party is None


def test_who_is_ended_has_no_way_in_left(people: People, node: Node) -> None:
    ann = people.add("Ann", "issuer")
    session, (token, _) = people.begin(ann.id, how="x"), people.make_token(ann.id, "t")
    link = people.link(ann.id)
    node.store.people.add_passkey(Passkey(b"c", "p", ann.id, "phone", b"k", 0, "", ""))
    node.store.people.bind("https://id.example", "ann", ann.id)
    people.end(ann.id)
    assert people.signed(session) == NOBODY
    assert people.by_token(token) is None
    assert code(lambda: people.enter(link)) == "people.link"
    assert node.store.people.passkey(b"c") is None
    assert node.store.people.bound("https://id.example", "ann") is None


def test_a_link_opens_for_one_of_many_who_come_at_once(people: People) -> None:
    link = people.link(people.owner().id)

    def comes(_: int) -> bool:
        try:
            people.entered(link)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(comes, range(8))) == 1


def test_a_person_who_is_gone_is_forgotten_and_the_pseudonym_stays(people: People, node: Node) -> None:
    ann = people.add("Anastasia Unforgettable", "reader", groups=[GROUP])
    assert code(lambda: people.forget(ann.id)) == "people.missing"
    people.end(ann.id)
    people.forget(ann.id, by=people.owner().id)
    gone = people.person(ann.id)
    assert (gone.id, gone.name, gone.groups, gone.state) == (ann.id, "", frozenset(), "ended")
    node.store.backend.scrub()
    assert [each.subject.id for each in node.desk(node.owner).said(ACT.name)] == [ann.id]


def test_no_secret_is_kept(people: People, node: Node) -> None:
    owner = people.owner().id
    secrets = [people.link(owner), people.begin(owner, how="x"), people.make_token(owner, "t")[0]]
    node.store.people.put_once(b"1" * 32, Once("x", "", ""), "9999")
    kept = b"".join(path.read_bytes() for path in node.home.path.rglob("*") if path.is_file())
    assert not [each for each in secrets if each.encode() in kept]


def test_the_terminal_is_the_owners(people: People) -> None:
    assert people.at_terminal().person == people.owner()
    assert people.at_terminal().may("owner", "core.erase")
    assert datetime.timedelta(days=7) >= LONGEST


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_tokens_are_made_used_and_ended(people: People, clock: HandClock) -> None:
    ann, owner = people.add("Ann", "issuer"), people.owner()
    secret, kept = people.make_token(ann.id, "script", scopes=[READ, "core.publish"], days=2)
    clock.push(minutes=5)
    found = people.by_token(secret)
    assert found is not None
    assert (found.person, found.scopes, found.how) == (ann, frozenset({READ, "core.publish"}), "token")
    assert people.tokens(ann.id)[0].used
    assert people.tokens(owner.id) == []
    assert not people.end_token(kept.id, owner.id)
    assert not people.end_token("", ann.id)
    assert people.end_token(kept.id, ann.id)
    assert people.by_token(secret) is None
    late, _ = people.make_token(ann.id, "late", days=1)
    clock.push(days=1)
    assert people.by_token(late) is None
    door, kept = people.make_door_token(OTHER, "Lab", groups=[GROUP], roles=["contributor"])
    found = people.by_token(door)
    assert found is not None
    assert found.principal == Principal(OTHER, frozenset({GROUP}), frozenset({"contributor"}))
    assert people.tokens("") == [kept._replace(used=people.tokens("")[0].used)]


def test_a_token_is_checked_before_it_is_made(people: People) -> None:
    owner = people.owner().id
    for values in ({"name": ""}, {"name": "a\n"}, {"days": 0}, {"days": 367}, {"scopes": [""]}, {"scopes": ["a b"]}):
        made: dict[str, Any] = {"name": "x", "days": 1, **values}
        assert code(lambda made=made: people.make_token(owner, **made)) == "people.token"  # type: ignore[misc]
    assert code(lambda: people.make_door_token("urn:example:x", "x")) == "people.token"
    assert code(lambda: people.make_door_token(OTHER, "x", roles=["king"])) == "people.token"
    ann = people.add("Ann", "reader")
    people.end(ann.id)
    assert code(lambda: people.make_token(ann.id, "x")) == "people.missing"
    for number in range(MOST_TOKENS):
        people.make_token(owner, f"t{number}")
    assert code(lambda: people.make_token(owner, "one more")) == "people.tokens"


# --- passkeys and accounts, as they are kept -------------------------------------------------------------------------


def test_a_passkey_counts_on_and_belongs_to_one(people: People, node: Node) -> None:
    kept, owner = node.store.people, people.owner().id
    first = Passkey(b"c", "p1", owner, "phone", b"key", 3, "2026", "")
    kept.add_passkey(first)
    assert code(lambda: kept.add_passkey(first._replace(id="p2"))) == "people.passkey"
    assert kept.passkey(b"c") == first
    assert kept.counted(first, 4, "2027")
    assert not kept.counted(first, 5, "2027")
    assert [each.uses for each in kept.passkeys(owner)] == [4]
    assert kept.end_passkey("urn:other", "p1") == 0
    assert kept.end_passkey(owner, "p1") == 1
    assert kept.passkey(b"c") is None


def test_an_account_elsewhere_is_one_persons(people: People, node: Node) -> None:
    kept, owner, ann = node.store.people, people.owner().id, people.add("Ann", "reader").id
    kept.bind("https://id.example", "sub", owner)
    kept.bind("https://id.example", "sub", owner)
    assert code(lambda: kept.bind("https://id.example", "sub", ann)) == "people.account"
    assert kept.bound("https://id.example", "sub") == owner
    assert kept.bindings(owner) == [("https://id.example", "sub")]


# --- signatures of other nodes ---------------------------------------------------------------------------------------

PEER = keyfile.from_seed(b"\7" * 32)
STRANGE = keyfile.from_seed(b"\6" * 32)


class Seen:
    """A door that says who came."""

    def __init__(self, lend: Callable[[Mapping[str, str]], Any]) -> None:
        self._lend = lend

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        try:
            who = await asyncio.to_thread(lambda: self._lend(headers).me.party or "stranger")
        except Refused as fault:
            who = fault.code
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": who.encode() + b" " + body})


DOORS = Practice(
    name="doors",
    title=Text(en="Doors", zh="门"),
    about=Text(en="For tests.", zh="用于测试。"),
    doors=tuple(
        Door(
            name=f"doors.{auth}",
            title=Text(en="x", zh="x"),
            mounts=(f"/{auth}",),
            app="tests.node.test_people:Seen",
            auth=auth,
        )
        for auth in ("none", "token", "node")
    ),
)


async def rest(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"rest"})


def call(app: Any, path: str, headers: dict[str, str], body: bytes = b"hello", pieces: int = 1) -> tuple[int, str]:
    sent: list[Any] = []
    cut = [body] if pieces == 1 else [body[:1], body[1:]]
    messages = [{"type": "http.request", "body": each, "more_body": at < len(cut) - 1} for at, each in enumerate(cut)]
    if pieces == 0:
        messages = [{"type": "http.disconnect"}]
    raw = [(key.encode(), value.encode()) for key, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"a=1",
             "scheme": "http", "headers": [(b"host", b"inside"), *raw]}  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return (sent[0]["status"], sent[1]["body"].decode()) if sent else (0, "")


def signed(
    node: Node, path: str, *, signer: Any = PEER, body: bytes = b"hello", nonce: str = "n" * 22
) -> dict[str, str]:
    created = int(moment_of(node.clock.now()).timestamp())
    request = httpsig.Request("POST", f"https://node.example{path}?a=1", {})
    return httpsig.sign(signer, request, body, created=created, nonce=nonce)


@pytest.fixture
def trusting(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Test laboratory", clock=clock, extra=[DOORS]) as node:
        pins = Policy((PartyPin("Peer", PEER.public.did),))
        (node.home.path / "trust.toml").write_text(write_trust(pins), "utf-8")
        yield node


def test_a_door_for_nodes_knows_a_pinned_party_by_its_signature_once(trusting: Node) -> None:
    node = trusting
    app = open_doors(node, rest, url="https://node.example")
    peer = PEER.public.did
    headers = signed(node, "/node")
    assert call(app, "/node", headers) == (200, f"{peer} hello")
    assert call(app, "/node", headers)[0] == 401
    assert call(app, "/node", signed(node, "/node", nonce="m" * 22), pieces=2) == (200, f"{peer} hello")
    assert call(app, "/token", signed(node, "/token", nonce="o" * 22)) == (200, f"{peer} hello")
    assert call(app, "/none", signed(node, "/none", nonce="p" * 22)) == (200, "stranger hello")
    assert call(app, "/node", {}) == (200, "door.party hello")
    assert call(app, "/token", {}) == (200, "stranger hello")
    assert call(app, "/elsewhere", {}) == (418, "rest")
    refused = {
        call(app, "/node", signed(node, "/node", signer=STRANGE, nonce="q" * 22)),
        call(app, "/node", signed(node, "/token", nonce="r" * 22)),
        call(app, "/node", signed(node, "/node", nonce="s" * 22), body=b"other"),
        call(app, "/node", {**headers, "signature": "x"}),
        call(app, "/node", signed(node, "/node", signer=node.home.party, nonce="t" * 22)),
    }
    assert {status for status, _ in refused} == {401}
    assert len(refused) == 1
    assert call(app, "/node", signed(node, "/node", nonce="u" * 22), pieces=0) == (0, "")


def test_a_signed_body_has_a_limit(trusting: Node) -> None:
    app, body = open_doors(trusting, rest), b"x" * (MAX_SIGNED + 1)
    assert call(app, "/node", signed(trusting, "/node", body=body), body=body)[0] == 400


def test_a_signature_is_of_a_pinned_did_key_alone(trusting: Node) -> None:
    request = httpsig.Request("POST", "https://node.example/x", {})
    created = int(moment_of(trusting.clock.now()).timestamp())
    for name in ("did:web:lab.example", "did:key:zzz", "did:key:z6Mk", trusting.me):
        headers = httpsig.sign(PEER, request, b"", created=created, nonce="n" * 22)
        headers["signature-input"] = headers["signature-input"].replace(PEER.public.did, name)
        with pytest.raises(Unproven):
            trusting.people.by_signature(request._replace(headers=headers), b"")
    headers = httpsig.sign(PEER, request, b"", created=created, nonce="n" * 22)
    found = trusting.people.by_signature(request._replace(headers=headers), b"")
    assert (found.principal, found.how, found.person) == (Principal(PEER.public.did), "signature", None)

"""A wire protocol and a legal clock through the contract alone: rights per request, one overdue record whatever breaks."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal import taxii
from tongqiu.node.duties import Duties
from tongqiu.node.lend import Token, lender, new_token, open_doors
from tongqiu.record.audience import EVERYONE, STRANGER, only_for
from tongqiu.record.faults import Refused
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.testing import PaperClock, check_practice, paper_node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node import Node
    from tongqiu.record.audience import Audience
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Statement

SYSTEM = Subject("system", "urn:tongqiu:test:triage", None, "Triage")
CENTRE, LABORATORY = "did:key:z6MkregionalCentre", "did:key:z6MkincidentLab"
RESPONDERS = "urn:example:group:responders"


@pytest.fixture
def clock() -> PaperClock:
    return PaperClock()


@pytest.fixture
def node(tmp_path: Path, clock: PaperClock) -> Iterator[Node]:
    with paper_node(tmp_path, taxii.PRACTICE, clock=clock) as opened:
        yield opened


def _happened(node: Node, title: str, collection: str, audience: Audience | None = None) -> Statement:
    return node.publish(
        [Said(taxii.INCIDENT.name, SYSTEM, taxii.Incident(title, collection, node.now), audience=audience)]
    )[0]


async def _nothing(scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def _get(
    app: Any, path: str, token: str | None = None, query: str = "", *, basic: bool = False
) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []
    headers = [(b"accept", taxii.MEDIA.encode())]
    if token:
        value = "Basic " + base64.b64encode(f"user:{token}".encode()).decode() if basic else f"Bearer {token}"
        headers.append((b"Authorization", value.encode()))

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    asyncio.run(app(scope, None, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"]


def test_two_tokens_see_two_worlds_and_what_is_hidden_looks_like_what_never_was(node: Node) -> None:
    _happened(node, "Public outage", "open", EVERYONE)
    _happened(node, "Leak of cases", "closed", only_for([node.me, RESPONDERS], marking="amber"))
    _happened(node, "Draft", "own")
    (member, first), (outsider, second) = new_token(), new_token()
    tokens = [
        Token("Centre", first, CENTRE, frozenset({RESPONDERS})),
        Token("Laboratory", second, LABORATORY),
    ]
    app = open_doors(node, _nothing, tokens=tokens)

    def titles(token: str | None, **more: Any) -> list[str]:
        found = json.loads(_get(app, taxii.ROOT + "collections/", token, **more)[2])
        return [each["title"] for each in found["collections"]]

    assert titles(member) == titles(member, basic=True) == ["closed", "open"]
    assert titles(outsider) == titles(None) == ["open"]
    closed = f"{taxii.ROOT}collections/{taxii.collection_id('closed')}/objects/"
    status, headers, body = _get(app, closed, member)
    assert status == 200
    assert headers["content-type"] == taxii.MEDIA
    assert [each["name"] for each in json.loads(body)["objects"]] == ["Leak of cases"]
    hidden = _get(app, closed, outsider)
    assert hidden[0] == 404
    assert hidden == _get(app, f"{taxii.ROOT}collections/{taxii.collection_id('nothing')}/objects/", outsider)
    own = f"{taxii.ROOT}collections/{taxii.collection_id('own')}/objects/"
    assert _get(app, own, member) == hidden


def test_a_false_token_gets_the_protocols_own_refusal_and_other_paths_are_untouched(node: Node) -> None:
    app = open_doors(node, _nothing, tokens=[])
    status, headers, _ = _get(app, "/taxii2/", "guessed")
    assert status == 401
    assert headers["www-authenticate"].startswith("Basic")
    assert _get(app, "/taxii2/")[0] == 200
    assert _get(app, "/taxii2x")[0] == _get(app, "/")[0] == 418


def test_pages_follow_each_other_by_the_time_of_logging(node: Node, clock: PaperClock) -> None:
    for number in range(3):
        _happened(node, f"n{number}", "open", EVERYONE)
        clock.push(seconds=1)
    app = open_doors(node, _nothing, tokens=[])
    path = f"{taxii.ROOT}collections/{taxii.collection_id('open')}/objects/"
    seen: list[str] = []
    query, more = "limit=2", True
    while more:
        _, headers, body = _get(app, path, query=query)
        seen += [each["name"] for each in json.loads(body)["objects"]]
        more, query = json.loads(body)["more"], f"limit=2&added_after={headers['x-taxii-date-added-last']}"
    assert seen == ["n0", "n1", "n2"]


def test_a_door_asks_the_node_for_its_tokens_at_every_request(node: Node) -> None:
    token, kept = node.people.make_door_token(CENTRE, "Centre", groups=[RESPONDERS])
    lend = lender(node, taxii.PRACTICE.doors[0])
    assert lend({"authorization": f"Bearer {token}"}).me.party == CENTRE
    assert lend({"authorization": f"Bearer {token}"}).me.groups == {RESPONDERS}
    assert lend({}).me == STRANGER
    for wrong in (kept.id, "", "Bearer", "Basic !!!", "Digest x", f"Bearer {token[:-1]}"):
        with pytest.raises(Refused) as caught:
            lend({"Authorization": wrong})
        assert caught.value.code == "door.token"
    mine, _ = node.people.make_token(node.people.owner().id, "reads")
    writes, _ = node.people.make_token(node.people.owner().id, "writes", scopes=["core.publish"])
    assert lend({"authorization": f"Bearer {mine}"}).me.party == node.me
    node.people.end_token(kept.id)
    for ended in (token, writes):
        with pytest.raises(Refused):
            lend({"authorization": f"Bearer {ended}"})


def test_nobody_says_anything_through_a_door_that_takes_nothing(node: Node) -> None:
    token, digest = new_token()
    desk = lender(node, taxii.PRACTICE.doors[0], [Token("c", digest, CENTRE)])({"authorization": f"Bearer {token}"})
    with pytest.raises(Refused) as caught:
        desk.publish(Said(taxii.REPORT.name, SYSTEM, taxii.Report("x")))
    assert caught.value.code == "desk.role"


# --- the clock ------------------------------------------------------------------------------------------------------


def _overdue(node: Node) -> list[str]:
    return [each.entry for each in node.desk(node.owner).said(taxii.OVERDUE.name)]


def test_the_clock_strikes_once_after_24_hours_and_not_a_moment_before(node: Node, clock: PaperClock) -> None:
    happened = _happened(node, "Leak", "own")
    duties = Duties(node)
    clock.push(hours=23, minutes=59)
    assert duties.tick() == []
    clock.push(minutes=1)
    assert [each.duty for each in duties.tick()] == ["taxii.deadline"]
    (entry,) = _overdue(node)
    assert node.statement(entry).content.rests_on == (happened.entry,)
    assert node.statement(entry).content.findings[0].verdict == "unmet"
    clock.push(days=9)
    assert duties.tick() == []
    assert len(_overdue(node)) == 1


def test_a_report_in_time_keeps_the_clock_silent(node: Node, clock: PaperClock) -> None:
    happened = _happened(node, "Leak", "own")
    node.publish([Said(taxii.REPORT.name, SYSTEM, taxii.Report("A-1"), rests_on=(happened.entry,))])
    clock.push(hours=25)
    Duties(node).tick()
    assert _overdue(node) == []


def test_the_clock_of_a_replaced_record_gives_way_to_the_new_one(node: Node, clock: PaperClock) -> None:
    thread = "urn:tongqiu:test:incident:1"
    body = taxii.Incident("Leak", "own", node.now)
    node.replace(thread, [Said(taxii.INCIDENT.name, SYSTEM, body)], by="t@1", key=None)
    duties = Duties(node)
    duties.tick()
    clock.push(hours=10)
    later = taxii.Incident("Leak, known later", "own", node.now)
    node.replace(thread, [Said(taxii.INCIDENT.name, SYSTEM, later)], by="t@1", key=None)
    clock.push(hours=15)
    duties.tick()
    assert _overdue(node) == []
    clock.push(hours=10)
    duties.tick()
    assert len(_overdue(node)) == 1


class Over:
    """Something real with some of its parts exchanged."""

    def __init__(self, real: Any, **exchanged: Any) -> None:
        self._real, self._exchanged = real, exchanged

    def __getattr__(self, name: str) -> Any:
        return self._exchanged[name] if name in self._exchanged else getattr(self._real, name)


def _power_fails(_duty: str, _entry: str) -> None:
    raise KeyboardInterrupt


def _powerless(node: Node) -> Any:
    """Return a node whose power fails after a duty's record is logged and before that is noted."""
    return Over(node, store=Over(node.store, dues=Over(node.store.dues, done=_power_fails)))


def test_a_crash_between_saying_and_noting_leads_to_one_record(tmp_path: Path, clock: PaperClock) -> None:
    with paper_node(tmp_path, taxii.PRACTICE, clock=clock) as node:
        _happened(node, "Leak", "own")
        clock.push(hours=24)
        with pytest.raises(KeyboardInterrupt):
            Duties(_powerless(node)).tick()
        assert len(_overdue(node)) == 1
    clock.push(hours=1)
    with paper_node(tmp_path, taxii.PRACTICE, clock=clock) as node:
        assert [each.fault for each in Duties(node).tick()] == [None]
        assert Duties(node).tick() == []
        assert len(_overdue(node)) == 1


def test_a_clock_that_ran_out_while_the_node_was_away_strikes_when_it_is_back(
    tmp_path: Path, clock: PaperClock
) -> None:
    with paper_node(tmp_path, taxii.PRACTICE, clock=clock) as node:
        _happened(node, "Leak", "own")
    clock.push(days=30)
    with paper_node(tmp_path, taxii.PRACTICE, clock=clock) as node:
        two = (Duties(node), Duties(node))
        assert [len(each.tick()) for each in two] == [1, 0]
        assert len(_overdue(node)) == 1


def test_the_practice_keeps_the_contract(tmp_path: Path) -> None:
    examples: dict[Kind[Any], Any] = {
        taxii.INCIDENT: taxii.Incident("Leak", "own", "2026-11-23T08:00:00.000Z"),
        taxii.REPORT: taxii.Report("A-1"),
        taxii.OVERDUE: taxii.Overdue("2026-11-24T08:00:00.000Z"),
    }
    rows = [{"kind": kind.name, "body": kind.write(body)} for kind, body in examples.items()]
    (tmp_path / "examples.json").write_text(json.dumps(rows), "utf-8")
    (tmp_path / "schemas.json").write_text(json.dumps({kind.name: kind.schema_digest for kind in examples}), "utf-8")
    assert check_practice(taxii.PRACTICE, vectors=tmp_path) == []

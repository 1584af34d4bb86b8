"""A program's way to a node, over a real connection: what it reads, what it does, and what it is told when that fails."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest
import uvicorn

from tests.node.shop import PRACTICE, Form
from tongqiu.client import ANSWERS, Client
from tongqiu.node.filling import Unfit
from tongqiu.node.node import open_node
from tongqiu.portal.site import app
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
SAY = {"subject": SYSTEM.id, "words": "by a program"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    place = tmp_path_factory.mktemp("client")
    with open_node(place / "home", create=True, name="Laboratory", extra=[PRACTICE]) as opened:
        opened.publish(
            [
                Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()), audience=EVERYONE),
                Said(
                    "shop.thing/1", SYSTEM, {"words": "private"}, files=(Attachment("a.txt", "text/plain", b"hello"),)
                ),
            ]
        )
        yield opened


@pytest.fixture(scope="module")
def address(node: Node) -> Iterator[str]:
    """Serve the node on a free port of this machine."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app(node), log_level="error"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def owner(node: Node, address: str) -> Iterator[Client]:
    secret, _ = node.people.make_token(node.people.owner().id, "robot", scopes=["read", "*"])
    with Client(address, token=secret) as made:
        yield made


def code(work: Any, *args: Any, **named: Any) -> str:
    def whole() -> None:
        found = work(*args, **named)
        if hasattr(found, "__next__"):
            list(found)

    with pytest.raises(Fault) as caught:
        whole()
    return caught.value.code


# --- what is read -----------------------------------------------------------------------------------------------------


def test_what_pages_show_comes_as_typed_values(owner: Client, node: Node) -> None:
    assert [each.subject.name for each in owner.systems()] == ["One"]
    (thing,) = owner.records(kind="shop.thing/1")
    detail = owner.record(thing.entry)
    assert (detail.body, detail.readers, detail.by) == ({"words": "private"}, (node.me,), "")
    assert owner.file(detail.files[0].digest) == b"hello"
    assert owner.envelope(thing.entry) == node.desk(node.owner).envelope(thing.entry)
    assert owner.receipt(thing.entry)[:1] == b"\xd2"
    assert owner.checkpoint().startswith(node.log.origin)
    assert {"core.erase", "shop.say"} <= {each.name for each in owner.actions()}
    assert owner.proposals() == ()


def test_rows_come_page_by_page_and_nothing_new_shifts_them(owner: Client, node: Node) -> None:
    for number in range(5):
        fact = core.Fact(f"row.n{number}", float(number))
        node.publish([Said(core.FACT.name, SYSTEM, fact, thread=f"urn:tongqiu:fact:row{number}")])
    rows = owner.rows("measures", page=2)
    first = next(rows)
    node.publish([Said(core.FACT.name, SYSTEM, core.Fact("row.late", 1.0), thread="urn:tongqiu:fact:late")])
    found = [each["measure"] for each in [first, *rows]]
    assert found == [f"declared.row.n{number}" for number in (4, 3, 2, 1, 0)]
    assert first["_entry"].startswith("sha-256:")


def test_a_stranger_reads_what_is_for_everyone(address: str) -> None:
    with Client(address) as stranger:
        assert [each.kind for each in stranger.records(subject=SYSTEM.id)] == ["core.composition/1"]
        assert stranger.actions() == ()
        # Without a token it does not even come to the question of roles: nothing says where the call comes from.
        assert code(stranger.act, "shop.say", SAY) == "client.http-403"


def test_what_has_not_changed_is_not_sent_again(owner: Client) -> None:
    first = list(owner.systems())
    tag, body = owner._held["/systems.json?offset=0"]  # noqa: SLF001 - what the client keeps is what this is about
    owner._held["/systems.json?offset=0"] = (tag, body.replace(b'"One"', b'"Kept"'))  # noqa: SLF001 - the same
    assert [each.subject.name for each in owner.systems()] == ["Kept"]
    owner._held.clear()  # noqa: SLF001 - the same
    assert list(owner.systems()) == first
    for number in range(80):
        owner._held[str(number)] = ("x", b"")  # noqa: SLF001 - the same
    list(owner.systems())
    assert len(owner._held) <= 81  # noqa: SLF001 - the same


# --- what is done -----------------------------------------------------------------------------------------------------


def test_an_act_is_done_once_however_often_it_is_called(owner: Client, node: Node) -> None:
    first = owner.act("shop.say", SAY, once="k")
    assert owner.act("shop.say", Form(SAY["subject"], SAY["words"]), once="k") == first
    assert first.proposal is None
    assert node.statement(first.statements[0].entry).body == {"words": "by a program"}
    assert owner.act("shop.say", SAY).statements[0].entry != first.statements[0].entry


def test_two_programs_decide(owner: Client, node: Node, address: str) -> None:
    reviewer = node.people.add("R", "reviewer")
    secret, _ = node.people.make_token(reviewer.id, "robot", scopes=["read", "core.approve"])
    with Client(address, token=secret) as second:
        asked = owner.act("shop.two", SAY).proposal
        assert asked is not None
        assert code(owner.approve, asked) == "proposal.same"
        (waits,) = second.proposals()
        assert (waits.entry, waits.may, waits.mine) == (asked, True, False)
        done = second.approve(asked, once="a")
        assert second.approve(asked, once="a") == done
        other = owner.act("shop.two", SAY).proposal
        assert other is not None
        second.decline(other, why="not today")
        assert second.proposals() == ()


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_faults_are_those_of_the_node_in_both_languages(owner: Client) -> None:
    with pytest.raises(Missing) as missing:
        owner.record("sha-256:" + "0" * 64)
    assert (missing.value.code, missing.value.what.zh) == ("portal.absent", "此处没有您可以查看的内容。")
    with pytest.raises(Unfit) as unfit:
        owner.act("shop.say", {"words": "x"})
    assert unfit.value.fields["subject"].zh == "此项必填。"
    assert code(owner.act, "shop.word", {"subject": SYSTEM.id, "words": "never"}) == "form.fields"
    assert code(owner.rows, "no-such") == "portal.absent"
    entry = next(owner.records(kind="core.composition/1")).entry
    with pytest.raises(Refused) as refused:
        owner.act("core.correct", {"entry": entry, "body": "{}", "why": "why not"})
    assert refused.value.code == "core.made-by-run"
    assert code(owner.record, "abc") == "client.entry"


def test_a_token_that_does_not_work_is_refused(address: str) -> None:
    with Client(address, token="tq_none") as nobody:
        with pytest.raises(Refused) as caught:
            nobody.jobs()
        assert caught.value.code == "client.http-401"


@pytest.mark.parametrize("url", ["ftp://x", "node.example", "https://", "https://node.example/path", "https://x/?q=1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert code(Client, url) == "client.url"


def test_a_token_is_not_sent_where_anyone_can_read_it() -> None:
    assert code(Client, "http://node.example", token="tq_x") == "client.plain"
    Client("http://localhost:1", token="tq_x").close()
    Client("http://[::1]:1", token="tq_x").close()
    Client("https://node.example", token="tq_x").close()


def test_nobody_there_is_said_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", seconds=2) as lost:
        assert code(lost.jobs) == "client.silent"
        assert code(lost.follow, "x") == "client.silent"


# --- a node that answers oddly ----------------------------------------------------------------------------------------


class Odd(BaseHTTPRequestHandler):
    """Answers each path as a test has set it down: status, headers, body; a body of None closes the connection."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[dict[str, list[tuple[int, dict[str, str], bytes | None]]]] = {}

    def do_GET(self) -> None:
        queue = self.answers[self.path.partition("?")[0]]
        status, headers, body = queue.pop(0) if len(queue) > 1 else queue[0]
        if body is None:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the library looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def odd() -> Iterator[Client]:
    server = HTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Client(f"http://127.0.0.1:{server.server_port}", seconds=5) as made:
        yield made
    server.shutdown()
    server.server_close()


def job(**values: object) -> bytes:
    plain = {"id": "j", "state": "running", "open": True, "done": 0, "total": 2, "note": "", "step": 0, **values}
    return msgspec.json.encode(plain) + b"\n"


def test_a_job_is_followed_over_broken_connections_to_its_end(odd: Client) -> None:
    over = job(step=3, state="done", open=False, system="urn:x", records=4)
    Odd.answers = {
        "/jobs/j/stream": [
            (200, {}, job(step=1) + b"\n"),
            (200, {"content-length": "9999", "connection": "close"}, job(step=1) + job(step=2)),
            (200, {}, b""),
            (200, {}, over),
        ],
        "/jobs/j.json": [(200, {}, job(step=2))],
    }
    states = [(each.step, each.state) for each in odd.follow("j")]
    assert states == [(1, "running"), (2, "running"), (3, "done")]
    Odd.answers = {"/jobs/j/stream": [(200, {}, b"")], "/jobs/j.json": [(200, {}, over)]}
    assert [each.records for each in odd.follow("j")] == [4]
    assert odd.job("j").system == "urn:x"


@pytest.mark.parametrize(
    ("answer", "fault", "named"),
    [
        ((200, {}, b"[]"), Malformed, "client.answer"),
        ((200, {}, b"{"), Malformed, "client.answer"),
        ((500, {}, b"oops"), Unreachable, "client.http-500"),
        ((418, {}, b"\xff"), Unreachable, "client.http-418"),
        ((302, {"location": "http://elsewhere.example"}, b""), Unreachable, "client.http-302"),
        ((304, {}, b""), Unreachable, "client.http-304"),
        ((400, {"content-type": "application/problem+json"}, b"{}"), Malformed, "client.answer"),
        ((200, {}, None), Unreachable, "client.silent"),
    ],
)
def test_an_answer_that_is_none_is_a_fault(
    odd: Client, answer: tuple[int, dict[str, str], bytes | None], fault: type[Fault], named: str
) -> None:
    Odd.answers = {"/jobs.json": [answer], "/jobs/j/stream": [answer], "/jobs/j.json": [answer], "/api/do/x": [answer]}
    with pytest.raises(fault) as caught:
        odd.jobs()
    assert caught.value.code == named
    assert code(odd.follow, "j") in {named, "client.answer"}


def test_who_asks_too_often_is_told_how_long_to_wait(odd: Client) -> None:
    Odd.answers = {"/jobs.json": [(429, {"retry-after": "7"}, b"Too many")]}
    with pytest.raises(Unreachable) as caught:
        odd.jobs()
    assert "7 seconds" in caught.value.do.en


def test_words_of_a_problem_are_never_filled_in_again(odd: Client) -> None:
    words = {"en": "{where} {en} {do}", "zh": "{where}"}
    told = {"type": "urn:tongqiu:problem:refused", "code": "x.y", "where": "W"}
    body = msgspec.json.encode({**told, "words": {"title": words, "detail": words, "do": words}})
    Odd.answers = {"/jobs.json": [(403, {"content-type": "application/problem+json; charset=utf-8"}, body)]}
    with pytest.raises(Refused) as caught:
        odd.jobs()
    assert (caught.value.what.en, caught.value.do.zh, caught.value.where) == ("{where} {en} {do}", "{where}", "W")
    strange = body.replace(b"refused", b"unknown")
    Odd.answers = {"/jobs.json": [(499, {"content-type": "application/problem+json"}, strange)]}
    assert code(odd.jobs) == "x.y"


def test_an_answer_without_end_is_cut_off(odd: Client) -> None:
    Odd.answers = {"/jobs.json": [(200, {}, b" " * 100)]}
    with Client(f"http://127.0.0.1:{odd._port}", most=10) as careful:  # noqa: SLF001 - the same server
        assert code(careful.jobs) == "client.answer"


# --- the same source --------------------------------------------------------------------------------------------------


def _fits(mine: dict[str, Any], theirs: dict[str, Any], parts: tuple[dict[str, Any], dict[str, Any]], at: str) -> None:
    """Check that every field that this form reads is there, always where it is needed, and of the same type."""
    if "$ref" in mine:
        mine = parts[0][mine["$ref"].rpartition("/")[2]]
    if "$ref" in theirs:
        theirs = parts[1][theirs["$ref"].rpartition("/")[2]]
    if not mine or not theirs:
        return
    if "anyOf" in mine and "anyOf" in theirs:
        kinds = [each for each in mine["anyOf"] if each.get("type") != "null"]
        others = [each for each in theirs["anyOf"] if each.get("type") != "null"]
        assert ({"type": "null"} in theirs["anyOf"]) <= ({"type": "null"} in mine["anyOf"]), at
        assert len(kinds) == len(others), at
        for one, other in zip(kinds, others, strict=True):
            _fits(one, other, parts, at)
        return
    if "properties" in mine:
        assert set(mine["properties"]) <= set(theirs["properties"]), at
        assert set(mine.get("required", ())) <= set(theirs.get("required", ())), at
        for name, each in mine["properties"].items():
            _fits(each, theirs["properties"][name], parts, f"{at}.{name}")
    elif mine.get("type") == "array":
        assert theirs.get("type") == "array", at
        _fits(mine.get("items") or {}, theirs.get("items") or {}, parts, f"{at}[]")
    elif "type" in mine and "type" in theirs:
        assert mine["type"] == theirs["type"], at


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_form_follows_the_document_of_the_node(owner: Client, name: str) -> None:
    document = msgspec.json.decode(owner._bytes("/api/openapi.json"))  # noqa: SLF001 - the document itself
    theirs = document["components"]["schemas"]
    schemas, mine = msgspec.json.schema_components([ANSWERS[name]], ref_template="#/{name}")
    _fits(schemas[0], theirs[name], (mine, theirs), name)

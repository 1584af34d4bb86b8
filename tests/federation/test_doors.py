"""The log's doors: SCRAPI to the letter of the draft, tiles that rebuild the root, and nothing shown to whom it is not for."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import inspect
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import uvicorn

from tongqiu.ledger import checkpoint, receipt, tiles, tree
from tongqiu.node import open_node
from tongqiu.node.lend import Token, new_token, open_doors
from tongqiu.portal.site import at
from tongqiu.record import cbor, core
from tongqiu.record.audience import EVERYONE
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.seal import cose, keyfile, statement
from tongqiu.seal.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node import Node

PARTY = keyfile.from_seed(b"p" * 32)
SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
PROBLEM = "application/concise-problem-details+cbor"
KEYS = "/.well-known/scitt-keys"


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def title(self) -> str:
        assert self.headers["content-type"] == PROBLEM
        found = cbor.loads(self.body)
        assert set(found) == {-1, -2}
        return str(found[-1])


class Client:
    """Speaks ASGI to the doors of one node, as one party or as a stranger."""

    def __init__(self, node: Node) -> None:
        token, digest = new_token()
        self.token = f"Bearer {token}"
        self.app = open_doors(node, self.rest, tokens=[Token("Lab", digest, PARTY.public.did)])

    async def rest(self, scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"the pages"})

    async def call(self, method: str, path: str, body: bytes = b"", *, token: str | None = "", **headers: str) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["authorization"] = token or self.token
        sent: list[dict[str, Any]] = []
        pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)] or [b""]
        messages = [{"type": "http.request", "body": each, "more_body": True} for each in pieces]
        messages[-1]["more_body"] = False

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        await self.app(scope, receive, send)
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], found, b"".join(each.get("body", b"") for each in sent[1:]))

    def get(self, path: str, *, token: str | None = None, method: str = "GET") -> Reply:
        return asyncio.run(self.call(method, path, token=token))

    def post(self, body: bytes, *, token: str | None = "", media: str = "application/cose") -> Reply:
        return asyncio.run(self.call("POST", "/entries", body, token=token, content_type=media))


def sealed(name: str, *, signer: keyfile.FileSigner = PARTY, issuer: str = "") -> bytes:
    did = issuer or signer.public.did
    return statement.seal_statement(
        name.encode(), statement.new_salt(), signer=signer, issuer=did, subject=f"urn:x:{name}"
    )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory") as opened:
        yield opened


@pytest.fixture
def client(node: Node) -> Client:
    return Client(node)


def test_a_registered_statement_gets_a_receipt_that_verifies(client: Client, node: Node) -> None:
    data = sealed("one")
    reply = client.post(data)
    entry = hashlib.sha256(data).digest()
    assert (reply.status, reply.headers["content-type"]) == (201, "application/cose")
    assert reply.headers["location"] == f"/entries/{entry.hex()}"
    proven = receipt.verify_receipt(reply.body, entry, node.log.public, origin=node.log.origin)
    row = node.store.backend.row(proven.index)
    assert (row.statement, row.content, row.columns.issuer) == (data, None, PARTY.public.did)
    assert proven.subject == "urn:x:one"
    again = client.get(reply.headers["location"])
    assert (again.status, again.headers["location"]) == (200, reply.headers["location"])
    assert receipt.verify_receipt(again.body, entry, node.log.public).index == proven.index


def test_sending_it_again_gives_the_same_place(client: Client, node: Node) -> None:
    data = sealed("one")
    first = client.post(data)
    size = node.store.backend.head().size
    with_receipt = statement.with_receipts(data, [first.body])
    for each in (data, with_receipt):
        again = client.post(each)
        assert (again.status, again.headers["location"]) == (201, first.headers["location"])
    assert node.store.backend.head().size == size


def test_many_at_once_share_flushes_and_all_get_their_own_receipt(client: Client, node: Node) -> None:
    batch = [sealed(str(number)) for number in range(60)]

    async def everyone() -> list[Reply]:
        return await asyncio.gather(
            *(client.call("POST", "/entries", each, content_type="application/cose") for each in batch + batch[:20])
        )

    replies = asyncio.run(everyone())
    for data, reply in zip(batch + batch[:20], replies, strict=True):
        assert receipt.verify_receipt(reply.body, hashlib.sha256(data).digest(), node.log.public).index > 1
    assert node.store.backend.head().size == 2 + 60
    assert node.sequencer.counts.groups < 30
    node.log.audit()


def test_what_is_wrong_with_a_statement_has_the_title_of_the_draft(client: Client, node: Node) -> None:
    size = node.store.backend.head().size
    good = sealed("one")
    opened = cose.decode(good, protected=(15, 258, 259))
    headers = {key: value for key, value in opened.headers.items() if key not in {1, 4}}
    bare = cbor.loads(good[1:])
    cases = [
        (b"", 400, "Malformed request"),
        (b"\xd2\x80", 400, "Malformed request"),
        (good + b"\0", 400, "Malformed request"),
        (good[:-1] + bytes([good[-1] ^ 1]), 400, "Rejected"),
        (sealed("two", issuer="did:web:else.example"), 400, "Rejected"),
        (sealed("two", issuer=keyfile.from_seed(b"q" * 32).public.did), 400, "Rejected"),
        (cose.encode(cose.sign({15: {1: "a", 2: "b"}}, b"plain", PARTY)), 400, "Rejected"),
        (cose.encode(opened, detached=True), 400, "Payload Missing"),
        (b"\xd2" + cbor.dumps([cbor.dumps({**headers, 1: -257, 4: b"k"}), *bare[1:]]), 400, "Bad Signature Algorithm"),
        (b"\xd2" + cbor.dumps([cbor.dumps({**headers, 1: -19}), *bare[1:]]), 400, "Confirmation Missing"),
        (b"\0" * 300_000, 413, "Content Too Large"),
    ]
    for data, status, title in cases:
        reply = client.post(data)
        assert (reply.status, reply.title) == (status, title), data[:20]
    assert client.post(good, media="text/plain").title == "Unsupported Media Type"
    assert node.store.backend.head().size == size


def test_who_may_not_register_is_told_so_in_the_same_form(client: Client) -> None:
    for token in (None, "Bearer wrong"):
        reply = client.post(sealed("one"), token=token)
        assert (reply.status, reply.title) == (401, "Unauthorized")
        assert reply.headers["www-authenticate"] == "Bearer"


def test_a_full_queue_is_429_with_a_time_to_come_back(client: Client, node: Node) -> None:
    from tongqiu.federation.wire import of_fault
    from tongqiu.ledger.sequencer import busy

    answer = of_fault(busy())
    assert answer.status == 429
    assert cbor.loads(answer.body)[-1] == "Too Many Requests"
    assert ("retry-after", "1") in answer.headers
    node.sequencer.close()
    storage = client.post(sealed("one"))
    node.registrar.close()
    closed = client.post(sealed("one"))
    for each in (storage, closed):
        assert (each.status, each.title) == (503, "Service Unavailable")
        assert each.headers["retry-after"] == "1"


def test_a_fault_of_the_log_is_not_one_of_the_statement() -> None:
    from tongqiu.record.faults import Refused
    from tongqiu.record.text import Text

    why = Refused("log.fenced", Text(en="taken over", zh="已接管"), do=Text(en="stop", zh="停"))
    for outcome, status, title in (
        (why, 503, "Service Unavailable"),
        (ZeroDivisionError(), 500, "Internal Server Error"),
    ):
        reply = outcomes(outcome).post(sealed("one"))
        assert (reply.status, reply.title) == (status, title)
        assert ("retry-after" in reply.headers) == (status == 503)


def outcomes(*told: object, promised: bytes = b"\1" * 32, budget: float = 10.0) -> Client:
    """A client at a door whose log tells these outcomes, one for each statement; without any it never answers."""
    from tongqiu.federation import scrapi

    class Fixed:
        def __init__(self) -> None:
            self.left = list(told)

        def register(self, data: bytes, tell: Any, ticket: object) -> None:
            del data
            if self.left:
                tell([(ticket, self.left.pop(0))])

        def promise(self, data: bytes) -> bytes:
            del data
            return promised

    desk = Fixed()
    made = Client.__new__(Client)
    made.token, made.app = "", scrapi.app(lambda _: desk, budget=budget)  # type: ignore[arg-type, return-value]
    return made


def test_who_is_kept_waiting_for_too_long_gets_a_promise() -> None:
    for client, prefer in ((outcomes(budget=0.05), ""), (outcomes(), "respond-async, wait=0"), (outcomes(), "wait=0")):
        headers = {"prefer": prefer} if prefer else {}
        reply = asyncio.run(client.call("POST", "/entries", sealed("one"), content_type="application/cose", **headers))
        assert (reply.status, reply.body) == (202, b"")
        assert reply.headers["location"] == "/entries/" + "01" * 32
        assert (reply.headers["retry-after"], reply.headers["cache-control"]) == ("1", "no-store")


def test_some_wait_longer_than_others(client: Client) -> None:
    async def several() -> list[Reply]:
        slow = outcomes(budget=10.0)
        return await asyncio.gather(
            *(
                slow.call("POST", "/entries", b"x", content_type="application/cose", prefer=f"wait={wait}; foo, bar")
                for wait in (1, 0, 1)
            )
        )

    began = time.monotonic()
    assert [reply.status for reply in asyncio.run(several())] == [202, 202, 202]
    assert 0.9 < time.monotonic() - began < 3
    reply = asyncio.run(
        client.call("POST", "/entries", sealed("a"), content_type="application/cose", prefer='respond-async, wait="5"')
    )
    assert reply.status == 201


def test_a_promise_is_kept_and_leads_to_the_same_place(client: Client, node: Node) -> None:
    def later(data: bytes) -> Reply:
        return asyncio.run(
            client.call("POST", "/entries", data, content_type="application/cose", prefer="respond-async")
        )

    data = sealed("one")
    reply = later(data)
    assert (reply.status, reply.headers["preference-applied"]) == (202, "respond-async")
    for _ in range(200):
        found = client.get(reply.headers["location"])
        if found.status == 200:
            break
        assert (found.status, found.body) == (204, b"")
        time.sleep(0.02)
    assert receipt.verify_receipt(found.body, hashlib.sha256(data).digest(), node.log.public).index > 0
    assert client.post(data).headers["location"] == reply.headers["location"] == later(data).headers["location"]
    assert later(data[:-1] + bytes([data[-1] ^ 1])).title == "Rejected"
    assert later(b"junk").title == "Malformed request"


def test_a_promise_that_came_to_nothing_is_not_found_and_says_so(client: Client, node: Node) -> None:
    folder = node.home.path / "promised"
    folder.mkdir()
    (folder / ("0" * 64 + ".failed")).touch()
    reply = client.get("/entries/" + "0" * 64)
    assert (reply.status, reply.title) == (404, "Not Found")
    assert "failed" in cbor.loads(reply.body)[-2]


def test_a_stranger_is_promised_nothing(client: Client) -> None:
    reply = asyncio.run(
        client.call(
            "POST", "/entries", sealed("one"), token=None, content_type="application/cose", prefer="respond-async"
        )
    )
    assert (reply.status, reply.title) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/cbor", 200),
        ("text/html, application/*", 200),
        ("text/html", 406),
        ("application/cbor;q=0, */*", 406),
        ("application/cbor; q=0.001", 200),
        ("*/*;q=0", 406),
        ("application/cbor;q=high", 406),
        ("", 406),
    ],
)
def test_only_what_the_caller_takes_is_sent(client: Client, accept: str, status: int) -> None:
    reply = asyncio.run(client.call("GET", KEYS, accept=accept))
    assert reply.status == status
    if status == 406:
        assert reply.title == "Not Acceptable"


def test_every_answer_of_the_door_asks_what_the_caller_takes(client: Client) -> None:
    for path in ("/entries/" + "0" * 64, "/statements/" + "0" * 64, KEYS + "/AAAA"):
        assert asyncio.run(client.call("GET", path, accept="text/html")).title == "Not Acceptable"
    reply = asyncio.run(client.call("POST", "/entries", b"", content_type="application/cose", accept="text/html"))
    assert reply.status == 406


def test_a_body_that_never_ends_is_not_waited_for() -> None:
    from tongqiu.federation import wire

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(1)
        raise AssertionError("nobody waits so long")

    async def send(message: Any) -> None:
        sent.append(message)

    async def taken(_asked: wire.Asked) -> wire.Answer:
        raise AssertionError("there is no body")

    async def serve() -> None:
        scope = {"type": "http", "method": "POST", "path": "/entries", "headers": []}
        await wire.serve(lambda _: {"POST": taken}, patience=0.05)(scope, receive, send)

    asyncio.run(serve())
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert cbor.loads(sent[1]["body"])[-1] == "Request Timeout"


def test_an_error_of_our_own_is_answered_in_the_same_form_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    from tongqiu.federation import tiles as door

    def broken(_headers: object) -> Any:
        raise ZeroDivisionError

    made = Client.__new__(Client)
    made.token, made.app = "", door.app(broken)
    reply = made.get("/checkpoint")
    assert (reply.status, reply.title) == (500, "Internal Server Error")
    assert "ZeroDivisionError" in caplog.text


def test_a_log_that_does_not_hold_is_not_the_callers_fault(client: Client, node: Node) -> None:
    from tongqiu.ledger.log import check_in

    # An entry by the log's own key that should be a change of key, and is none.
    log, salt = node.home.log, statement.new_salt()
    data = statement.seal_statement(b"junk", salt, signer=log, issuer=log.public.did, subject=log.public.did)
    node.log.record(check_in(data, log.public, content=b"junk", salt=salt))
    for path in (KEYS, KEYS + "/AAAA"):
        reply = client.get(path)
        assert (reply.status, reply.title) == (503, "Service Unavailable")
        assert reply.headers["retry-after"] == "1"


def test_a_token_is_looked_up_once_a_second_and_its_end_is_seen(node: Node) -> None:
    secret, kept = node.people.make_door_token(PARTY.public.did, "Lab")
    made = Client.__new__(Client)
    made.token, made.app = f"Bearer {secret}", open_doors(node, made.rest)
    assert made.post(sealed("one")).status == 201
    assert made.post(sealed("two")).status == 201
    node.people.end_token(kept.id)
    time.sleep(1.1)
    assert made.post(sealed("three")).status == 401


def test_every_stray_request_is_answered_in_the_same_form(client: Client) -> None:
    assert client.get("/entries/" + "0" * 64).title == "Not Found"
    assert client.get("/entries/xyz").title == "Invalid locator"
    assert client.get("/entries/" + "A" * 64).title == "Invalid locator"
    assert client.get("/statements/1").title == "Invalid locator"
    assert client.get("/entries/1/2").title == "Not Found"
    assert client.get("/entries/" + "0" * 300).title == "Not Found"
    assert client.get("/tile/9/zzz").title == "Not Found"
    assert client.get("/tile/0/000.p/200").title == "Not Found"
    for method, path, allowed in (
        ("GET", "/entries", "POST"),
        ("PUT", "/entries", "POST"),
        ("DELETE", "/entries/" + "0" * 64, "GET, HEAD"),
        ("POST", "/checkpoint", "GET, HEAD"),
    ):
        reply = asyncio.run(client.call(method, path))
        assert (reply.status, reply.title, reply.headers["allow"]) == (405, "Method Not Allowed", allowed)
    assert asyncio.run(client.call("GET", "/elsewhere")).status == 299


def test_head_is_get_without_the_body(client: Client) -> None:
    whole, head = client.get(KEYS), client.get(KEYS, method="HEAD")
    assert (head.status, head.headers, head.body) == (200, whole.headers, b"")


def test_the_keys_of_the_log_are_resolvable_by_their_ids(client: Client, node: Node) -> None:
    reply = client.get(KEYS)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/cbor")
    (key,) = cbor.loads(reply.body)
    assert key[2] == node.log.public.thumbprint
    name = base64.urlsafe_b64encode(key[2]).rstrip(b"=").decode()
    one = client.get(f"{KEYS}/{name}")
    assert cbor.loads(one.body) == key
    assert PublicKey.from_cose(one.body) == node.log.public
    for wrong in ("AAAA", "%%", "a"):
        assert client.get(f"{KEYS}/{wrong}").title == "No such key"


def test_receipts_and_statements_of_records_follow_their_audience(client: Client, node: Node) -> None:
    said = Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose="p"))
    private, public = node.publish([said])[0], node.publish([said._replace(audience=EVERYONE)])[0]
    for start in ("/entries/", "/statements/"):
        name = private.entry.removeprefix("sha-256:")
        assert client.get(start + name).body == client.get(start + "0" * 64).body
        assert client.get(start + name, token="").title == "Not Found"
        assert client.get(start + public.entry.removeprefix("sha-256:")).status == 200
    foreign = sealed("one")
    name = hashlib.sha256(foreign).hexdigest()
    client.post(foreign)
    assert client.get(f"/entries/{name}").status == 200
    assert client.get(f"/statements/{name}").title == "Not Found"
    assert client.get(f"/statements/{name}", token="").body == foreign


def test_a_log_with_one_entry_says_that_it_cannot_give_a_receipt_yet() -> None:
    from tongqiu.federation import scrapi
    from tongqiu.record.faults import Missing
    from tongqiu.record.text import Text

    class Early:
        def find_receipt(self, entry: bytes) -> bytes:
            raise Missing(
                "receipt.too-early", Text(en="early", zh="早"), do=Text(en="wait", zh="等"), where=entry.hex()
            )

    client = Client.__new__(Client)
    client.token, client.app = "", scrapi.app(lambda _: Early())  # type: ignore[arg-type, return-value]
    reply = client.get("/entries/" + "0" * 64)
    assert (reply.status, reply.body, reply.headers["cache-control"]) == (204, b"", "no-store")
    assert reply.headers["retry-after"] == "1"


def test_the_files_of_the_log_rebuild_its_root(client: Client, node: Node) -> None:
    for number in range(5):
        client.post(sealed(str(number)))
    note = client.get("/checkpoint")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    head = checkpoint.verify(note.body.decode(), checkpoint.parse_vkey(node.log.vkey))
    entries: list[bytes] = []
    for each in tiles.tiles_of(head.size):
        reply = client.get("/" + each.path)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
        assert "immutable" in reply.headers["cache-control"]
        if each.level is None:
            entries += tiles.parse_bundle(reply.body)
    if not entries:
        entries += tiles.parse_bundle(client.get(f"/{tiles.Tile(None, 0, head.size).path}").body)
    assert len(entries) == head.size
    assert tree.grow(0, (), entries, lambda *_: b"").root == head.root
    for width in range(1, head.size + 1):
        assert len(client.get(f"/{tiles.Tile(0, 0, width).path}").body) == 32 * width


def test_a_real_server_serves_pages_and_doors_alike(node: Node) -> None:
    app = open_doors(node, at(node, "127.0.0.1"))
    # What uvicorn looks at to tell ASGI 3 from ASGI 2.
    assert inspect.iscoroutinefunction(app)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    running = threading.Thread(target=server.run)
    running.start()
    try:
        for _ in range(200):
            if server.started:
                break
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{KEYS}") as keys:
            assert cbor.loads(keys.read())[0][2] == node.log.public.thumbprint
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert b"Laboratory" in page.read()
    finally:
        server.should_exit = True
        running.join(10)

"""Our own server held to the published SCRAPI vectors over real HTTP, and the vectors derived again from their seed."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
import uvicorn

from tests.conformance import scrapi
from tongqiu.federation import scrapi as door
from tongqiu.federation.http import Bounded
from tongqiu.ledger.registrar import Registrar
from tongqiu.node import open_node
from tongqiu.node.foreign import check_foreign
from tongqiu.node.lend import open_doors
from tongqiu.record import cbor
from tongqiu.seal import cose, keyfile, statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.ledger.log import Sealed
    from tongqiu.node import Node
    from tongqiu.seal.keys import PublicKey

SEED = bytes(range(1, 33))
PARTY = keyfile.from_seed(SEED)
COSE = "application/cose"
KEYS = scrapi.KEYS


def sealed(name: str) -> bytes:
    salt = name.encode().ljust(32, b".")
    return statement.seal_statement(
        name.encode(), salt, signer=PARTY, issuer=PARTY.public.did, subject=f"urn:example:{name}"
    )


def bad(good: bytes) -> dict[str, tuple[bytes, str]]:
    """Every way in which a statement is wrong, and the draft's title for it."""
    raw, _, payload, signature = cbor.loads(good[1:])
    headers = cbor.loads(raw)

    def with_headers(found: dict[Any, Any]) -> bytes:
        return b"\xd2" + cbor.dumps([cbor.dumps(found), {}, payload, signature])

    without = {key: value for key, value in headers.items() if key != 4}
    opened = cose.decode(good, protected=(15, 258, 259))
    return {
        "not CBOR": (b"\xff", "Malformed request"),
        "another tag": (b"\xd1" + good[1:], "Malformed request"),
        "bytes after the end": (good + b"\0", "Malformed request"),
        "CBOR that is not deterministic": (good.replace(b"\xa0\x58\x20", b"\xb8\x00\x58\x20", 1), "Malformed request"),
        "an algorithm nobody takes": (with_headers({**headers, 1: -65535}), "Bad Signature Algorithm"),
        "no key named": (with_headers(without), "Confirmation Missing"),
        "no payload": (cose.encode(opened, detached=True), "Payload Missing"),
        "a signature that does not hold": (good[:-1] + bytes([good[-1] ^ 1]), "Rejected"),
        "a certificate instead of a key id": (with_headers({**without, 33: b"\x30\x00"}), "Rejected"),
        "an issuer that is no did:key": (
            statement.seal_statement(b"", b"." * 32, signer=PARTY, issuer="did:web:a.example", subject="urn:x:y"),
            "Rejected",
        ),
    }


def case(
    level: str,
    name: str,
    method: str,
    path: str,
    status: list[int],
    *,
    headers: dict[str, str] | None = None,
    title: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method, "path": path}
    request |= {key: more.pop(key) for key in ("body", "zeros") if key in more}
    if headers:
        request["headers"] = headers
    expect: dict[str, Any] = {"status": status}
    if title:
        expect["title"] = title
    if "gives" in more:
        expect["body"] = more.pop("gives")
    if "has" in more:
        expect["headers"] = more.pop("has")
    return {"level": level, "name": name, "request": request, "expect": expect, **more}


def vectors() -> dict[str, Any]:
    post, asked = {"content-type": COSE, "accept": COSE}, {"accept": "application/cbor"}
    good, other, plain = sealed("good"), sealed("other"), {"content-type": COSE}
    later = {"retry-after": "", "cache-control": "no-store"}
    given = {"location": "", "content-type": COSE}
    cases = [
        case("draft", "all keys", "GET", KEYS, [200], headers=asked, gives="keys", has={"content-type": "application/cbor"}),
        case("draft", "one key by its id", "GET", KEYS + "/{kid}", [200], headers=asked, gives="key"),
        case("draft", "a key nobody has", "GET", KEYS + "/AAAA", [404], headers=asked, title="No such key"),
        case("draft", "register", "POST", "/entries", [201, 202], headers=post, body=good.hex(), save="good", gives="receipt:good", has={"location": ""}, needs=["token"]),
        case("draft", "its receipt", "GET", "{good}", [200], headers={"accept": COSE}, gives="receipt:good", has=given, polls=100, meanwhile={"status": [204], "headers": later, "body": "empty"}, needs=["token"]),
        case("draft", "register it again", "POST", "/entries", [201, 202], headers=post, body=good.hex(), save="good", gives="receipt:good", needs=["token"]),
        case("house", "register it with a receipt attached", "POST", "/entries", [201], headers=post, body=statement.with_receipts(good, [b"receipt"]).hex(), save="good", gives="receipt:good", needs=["token"]),
        case("house", "register and do not wait", "POST", "/entries", [202], headers={**post, "prefer": "respond-async"}, body=other.hex(), save="other", gives="empty", has=later | {"location": "", "preference-applied": "respond-async"}, needs=["token"]),
        case("draft", "its receipt, once there is one", "GET", "{other}", [200], headers={"accept": COSE}, gives="receipt:other", has=given, polls=300, meanwhile={"status": [204], "headers": later, "body": "empty"}, needs=["token"]),
        case("draft", "register at once what was promised before", "POST", "/entries", [201, 202], headers=post, body=other.hex(), save="other", gives="receipt:other", needs=["token"]),
        case("draft", "an entry nobody has", "GET", "/entries/" + "0" * 64, [404]),
        case("house", "no name of an entry", "GET", "/entries/xyz", [400], title="Invalid locator"),
        *(
            case("draft", f"register {name}", "POST", "/entries", [400], headers=plain, body=data.hex(), title=title, needs=["token"])
            for name, (data, title) in bad(good).items()
        ),
        case("http", "a method that is not there", "PUT", "/entries", [405], title="Method Not Allowed", has={"allow": ""}),
        case("http", "a method that is not there, below", "DELETE", "/entries/" + "0" * 64, [405], has={"allow": ""}),
        case("http", "an address that is not there", "GET", "/entries/a/b", [404], title="Not Found"),
        case("http", "a body that is too large", "POST", "/entries", [413], headers=plain, zeros=300_000, title="Content Too Large", needs=["token"]),
        case("http", "another type of body", "POST", "/entries", [415], headers={"content-type": "text/plain"}, body=good.hex(), needs=["token"]),
        case("http", "an answer the caller does not take", "GET", KEYS, [406], headers={"accept": "text/html"}, title="Not Acceptable"),
        case("http", "an answer the caller takes among others", "GET", KEYS, [200], headers={"accept": "text/html, application/*;q=0.2"}),
        case("http", "register without a name", "POST", "/entries", [401], headers={**plain, "authorization": "no"}, body=good.hex(), has={"www-authenticate": ""}, needs=["token"]),
        case("http", "the head of an answer", "HEAD", KEYS, [200], gives="empty"),
        case("house", "the statement itself", "GET", "/statements/{id:good}", [200], gives="statement:good", needs=["token"]),
        case("house", "the statement, for a stranger", "GET", "/statements/{id:good}", [404], headers={"authorization": "no"}, needs=["token"]),
    ]  # fmt: skip
    return {
        "specification": "draft-ietf-scitt-scrapi-11",
        "seed": SEED.hex(),
        "statements": {"good": good.hex(), "other": other.hex()},
        "cases": cases,
    }


def test_the_vectors_are_those_of_their_seed() -> None:
    assert json.loads(scrapi.VECTORS.read_text("utf-8")) == vectors()


class Serving:
    """A node behind a real HTTP server."""

    def __init__(self, node: Node) -> None:
        self.token, _ = node.people.make_door_token("did:key:zStranger", "conformance")
        self.serve(open_doors(node, _nothing))

    def serve(self, app: Any) -> None:
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", http=Bounded))
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_exc: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    del receive
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory") as opened:
        yield opened


def test_our_server_holds_every_vector(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    serving = Serving(node)
    with serving as url:
        assert scrapi.main([url, "--token", serving.token]) == 0
        # A second run finds what the first one registered.
        assert [wrong for _, _, wrong in scrapi.run(url, serving.token, ("draft",)) if wrong] == []
        assert len(scrapi.run(url, "", ("draft",))) < len(scrapi.run(url, serving.token, ("draft",)))
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"{len(said) - 1} of {len(said) - 1} hold"
    assert not [line for line in said if line.startswith("FAIL")]


def test_a_slow_log_is_waited_for_and_a_full_one_turns_away(node: Node) -> None:
    def slowly(data: bytes) -> Sealed:
        time.sleep(0.05)
        return check_foreign(data)

    # Large groups are not formed by eight: what waits is what is counted here.
    with Registrar(node.log, node.sequencer, slowly, queue=2) as slow:
        node.__dict__["registrar"] = slow
        serving = Serving(node)
        with serving as url:
            found = scrapi.run(url, serving.token, ("draft", "house"), floods=8)
            assert [each for each in found if each[2]] == []
            counts = scrapi.flood(scrapi.Server(url, serving.token), vectors(), 12)
            assert counts.get(429, 0) > 0
            assert counts.get(201, 0) > 0
            server = scrapi.Server(url, serving.token)
            body = scrapi.statement(SEED.hex(), 1)
            reply = server.call("POST", "/entries", {"content-type": COSE, "prefer": "respond-async"}, body)
            assert reply.status == 202
            assert server.call("GET", reply.headers["location"]).status == 204


def test_the_kit_finds_what_is_wrong(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Answers everything with 200 and a key."""
        del receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/cbor")]})
        body = cbor2.dumps([{1: 1, 2: b"k", -2: bytes(32)}])
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    serving = Serving(node)
    serving.serve(app)
    with serving as url:
        assert scrapi.main([url, "--token", "x", "--level", "draft", "--flood", "1"]) == 1
    said = capsys.readouterr().out
    assert said.count("FAIL") > 10
    assert "status 200, not one of [404]" in said


def test_a_receipt_that_does_not_verify_is_found(node: Node) -> None:
    serving = Serving(node)
    with serving as url:
        server = scrapi.Server(url, serving.token)
        held = scrapi.Run(server, vectors())
        good = sealed("good")
        reply = server.call("POST", "/entries", {"content-type": COSE}, good)
        held._verify(reply.body, good)  # noqa: SLF001 - the kit's own verifier is under test
        for data, entry in ((reply.body[:-1] + bytes([reply.body[-1] ^ 1]), good), (reply.body, sealed("other"))):
            with pytest.raises(scrapi.WrongError):
                held._verify(data, entry)  # noqa: SLF001 - as above
    for size in (1, 9):
        with pytest.raises(scrapi.WrongError):
            scrapi.root_of(bytes(32), 0, size * 5, [bytes(32)])


def test_the_bytes_of_the_page(node: Node) -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "scrapi.md").read_text("utf-8")
    old, new = (keyfile.from_seed(bytes(range(start, start + 32))) for start in (32, 64))

    class Desk:
        def log_keys(self) -> tuple[PublicKey, ...]:
            return new.public, old.public

    def shown(block: str) -> bytes:
        return bytes.fromhex("".join(page.partition(f"```hex {block}\n")[2].partition("```")[0].split()))

    serving = Serving(node)
    serving.serve(door.app(lambda _: Desk()))  # type: ignore[arg-type, return-value]
    with serving as url:
        server = scrapi.Server(url)
        assert shown("keys") == server.call("GET", KEYS).body
        assert shown("problem") == server.call("GET", "/entries/xyz").body
        kid = page.partition("The first of them was `")[2].partition("`")[0]
        assert cbor.loads(server.call("GET", kid).body)[2] == old.kid
    assert shown("statement") == sealed("good")
    assert f"`{hashlib.sha256(sealed('good')).hexdigest()}`" in page


if __name__ == "__main__":
    scrapi.VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n", "utf-8")

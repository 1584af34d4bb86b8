"""HTTP within limits: no endless head, no silence without end, and one form of error below the doors too."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from tongqiu.federation import wire
from tongqiu.federation.http import Bounded, Joined, settle
from tongqiu.record import cbor

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEM = b"application/concise-problem-details+cbor"


class Small(Bounded):
    max_head = 4096
    head_time = 0.3


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/grows":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await asyncio.sleep(0.4)
        await send({"type": "http.response.body", "body": b"more"})
        return
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = f"{scope['path']} {size}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(**settings: Any) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", http=Small, **settings))
    running = threading.Thread(target=server.run)
    running.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        running.join(10)


def everything(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send pieces and return all that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        except OSError:
            pass
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
        except OSError:
            pass
        return found


def title(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert PROBLEM in head
    assert b"cache-control: no-store" in head
    found = cbor.loads(body)
    assert set(found) == {-1, -2}
    return str(found[-1])


GET = b"GET /one HTTP/1.1\r\nhost: x\r\n"


def test_requests_go_through_as_before() -> None:
    with serving() as port:
        body = b"x" * 100_000
        post = b"POST /two HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        answer = everything(port, GET + b"\r\n", post + body)
        assert answer.count(b"HTTP/1.1 200") == 2
        assert answer.endswith(b"/two 100000")
        # One that thinks between two requests, on one connection.
        assert everything(port, GET + b"\r\n", GET + b"connection: close\r\n\r\n", pause=0.5).count(b"/one 0") == 2


def test_a_head_without_end_is_cut_off() -> None:
    with serving() as port:
        for line in (b"x: " + b"a" * 1000 + b"\r\n", b"a" * 1000):
            answer = everything(port, GET, *[line] * 5, pause=0.01)
            assert answer.startswith(b"HTTP/1.1 431 ")
            assert title(answer) == "Request Header Fields Too Large"


def test_silence_is_not_listened_to_for_ever() -> None:
    with serving() as port:
        for begun in (b"", b"GET", GET):
            began = time.monotonic()
            answer = everything(port, begun)
            assert 0.2 < time.monotonic() - began < 3
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert title(answer) == "Request Timeout"


def test_what_is_no_http_is_answered_in_the_one_form() -> None:
    with serving() as port:
        answer = everything(port, b"\x16\x03\x01 hello\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert title(answer) == "Malformed request"


def test_one_too_many_is_told_when_to_come_back() -> None:
    with serving(limit_concurrency=1) as port:
        answer = everything(port, GET + b"connection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer
        assert title(answer) == "Service Unavailable"


class Wire:
    """A transport that notes what is written in one call, and a loop that runs what is due when it is told to."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.due: list[Any] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def call_soon(self, act: Any) -> None:
        self.due.append(act)

    def turn(self) -> None:
        while self.due:
            self.due.pop(0)()


def joined() -> tuple[Joined, Wire]:
    wires: Any = Wire()
    return Joined(wires, wires), wires


def test_head_and_body_leave_together() -> None:
    to, sent = joined()
    for body in (b"one", b"HTTP/ is how this body begins"):
        to.write(b"HTTP/1.1 200 OK\r\n\r\n")
        to.write(body)
    sent.turn()
    assert sent.sent == [b"HTTP/1.1 200 OK\r\n\r\none", b"HTTP/1.1 200 OK\r\n\r\nHTTP/ is how this body begins"]
    assert to.closed is False


def test_a_head_alone_leaves_at_the_next_turn_or_with_the_end() -> None:
    to, sent = joined()
    to.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert not sent.sent
    sent.turn()
    to.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    to.close()
    assert sent.sent == [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    assert sent.closed


def test_a_page_that_grows_begins_at_once() -> None:
    with serving() as port, socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /grows HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        began, found = time.monotonic(), connection.recv(65536)
        assert found.startswith(b"HTTP/1.1 200")
        assert found.endswith(b"\r\n\r\n")
        while part := connection.recv(65536):
            found += part
        assert found.endswith(b"more")
        assert time.monotonic() - began > 0.3


def test_a_body_that_is_here_is_read_without_a_clock_and_has_its_limit() -> None:
    """The server says so in the scope; then no timer is set, and the limit holds all the same."""

    async def kept(asked: wire.Asked) -> wire.Answer:
        return wire.Answer(200, asked.body)

    async def post(body: bytes, extensions: dict[str, Any]) -> list[Any]:
        answers: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(0.05)
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            answers.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "extensions": extensions}
        await wire.serve(lambda _path: {"POST": kept}, limit=10, patience=0.01)(scope, receive, send)
        return answers

    start, body = asyncio.run(post(b"x" * 10, {wire.WHOLE: {}}))
    assert (start["status"], body["body"]) == (200, b"x" * 10)
    assert asyncio.run(post(b"x" * 11, {wire.WHOLE: {}}))[0]["status"] == 413
    assert asyncio.run(post(b"x", {}))[0]["status"] == 408


def test_the_server_says_when_a_body_is_here() -> None:
    """A body that is held back is not called whole: the clock of the door must run for it."""
    seen: list[bool] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        seen.append(wire.WHOLE in scope.get("extensions", ()))
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(note, port=0, log_level="critical", lifespan="off", http=Small))
    running = threading.Thread(target=server.run)
    running.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n"
        everything(port, head + b"ab")
        everything(port, head, b"ab", pause=0.1)
    finally:
        server.should_exit = True
        running.join(10)
    assert seen == [True, False]


def test_what_was_loaded_before_serving_is_not_searched_again() -> None:
    before = gc.get_threshold()
    try:
        settle()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold() > before
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

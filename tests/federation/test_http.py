"""HTTP within limits: no endless head, no silence without end, and one form of error below the doors too."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from tongqiu.federation.http import Bounded
from tongqiu.record import cbor

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEM = b"application/concise-problem-details+cbor"


class Small(Bounded):
    max_head = 4096
    head_time = 0.3


async def app(scope: Any, receive: Any, send: Any) -> None:
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

"""The gate to a service: what was agreed and no further, whatever the service does."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tongqiu.node import gate as room
from tongqiu.node.gate import Consent, Gate, Question, consents, host_of
from tongqiu.node.home import Agreed
from tongqiu.practice import Reply, Spend
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable


class _Service(http.server.BaseHTTPRequestHandler):
    """A service with every bad habit, by path."""

    seen: list[tuple[str, str, dict[str, str], bytes]]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        type(self).seen.append((self.command, self.path, dict(self.headers), body))
        what = self.path.rpartition("/")[2]
        if what == "die":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if what == "stall":
            time.sleep(1.5)
            return
        status = {"busy": 429, "moved": 302}.get(what, 200)
        answer = json.dumps({"usage": {"total_tokens": 40}, "said": "你好"}).encode()
        answer = {"garbage": b"\xff\x00{{{", "huge": b"0" * (room.MAX_ANSWER + 1), "deep": b"[" * 200_000}.get(
            what, answer
        )
        self.send_response(status)
        waits = {"busy": "7", "later": "Wed, 21 Oct 2026 07:28:00 GMT", "ages": "99999999999"}
        if what in waits:
            self.send_header("Retry-After", waits[what])
        if what == "moved":
            self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", str(len(answer) if what != "short" else len(answer) + 50))
        self.end_headers()
        if what == "drip":
            for at in range(len(answer)):
                self.wfile.write(answer[at : at + 1])
                self.wfile.flush()
                time.sleep(0.1)
            return
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - as http.server names it


@pytest.fixture
def service() -> Iterator[str]:
    class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A caller that went away is none."""

    _Service.seen = []
    server = Threaded(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def ask(url: str, what: str, *, questions: int = 5, tokens: int = 10_000, **consent: Any) -> Reply:
    """Ask a fresh gate once."""
    return Gate(Spend(url, questions, tokens), Consent(**consent)).ask(Question(1, "POST", f"/{what}", b"{}"))


def test_a_question_goes_below_the_base_address_with_the_key(service: str) -> None:
    reply = ask(service, "chat/completions", key="s3cret")
    assert reply.status == 200
    assert json.loads(reply.body)["said"] == "你好"
    _, path, headers, body = _Service.seen[0]
    assert (path, headers["Authorization"], body) == ("/v1/chat/completions", "Bearer s3cret", b"{}")


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("die", "endpoint.unreachable"),
        ("stall", "endpoint.slow"),
        ("drip", "endpoint.slow"),
        ("huge", "endpoint.large"),
        ("short", "endpoint.unreachable"),
    ],
)
def test_bad_services_end_in_one_clear_fault(service: str, what: str, code: str) -> None:
    began = time.monotonic()
    with pytest.raises(Fault) as caught:
        ask(service, what, patience=0.5, key="s3cret")
    assert caught.value.code == code
    assert "s3cret" not in str(caught.value) + caught.value.what.zh + caught.value.do.en
    assert time.monotonic() - began < 5


def test_what_is_odd_and_still_an_answer_is_handed_on(service: str) -> None:
    busy = ask(service, "busy")
    assert (busy.status, busy.retry_after) == (429, 7.0)
    assert ask(service, "garbage").body == b"\xff\x00{{{"
    assert len(ask(service, "deep").body) == 200_000
    assert ask(service, "moved").status == 302
    assert len(_Service.seen) == 4


def test_the_budget_is_hard(service: str) -> None:
    gate = Gate(Spend(service, 3, 1000), Consent())
    for number in range(3):
        gate.ask(Question(number, "POST", "/a"))
    with pytest.raises(Refused) as caught:
        gate.ask(Question(4, "POST", "/a"))
    assert caught.value.code == "endpoint.budget"
    assert (gate.asked, gate.tokens, len(_Service.seen)) == (3, 120, 3)
    gate = Gate(Spend(service, 100, 1000), Consent(tokens=50))
    gate.ask(Question(1, "POST", "/a"))
    gate.ask(Question(2, "POST", "/a"))
    with pytest.raises(Refused):
        gate.ask(Question(3, "POST", "/a"))
    gate = Gate(Spend(service, 100, 100_000), Consent(questions=1))
    gate.ask(Question(1, "POST", "/garbage", b"0" * 3000))
    assert gate.tokens == 1001  # not told, so a third of the bytes
    with pytest.raises(Refused):
        gate.ask(Question(2, "POST", "/a"))


@pytest.mark.parametrize(
    "question",
    [
        Question(1, "DELETE", "/a"),
        Question(1, "POST", "http://other.example/"),
        Question(1, "POST", "/../admin"),
        Question(1, "POST", "/a b"),
        Question(1, "POST", "/a\r\nX: y"),
        Question(1, "POST", "@other.example/"),
        Question(1, "POST", "/a", headers={"Authorization": "Bearer mine"}),
        Question(1, "POST", "/a", headers={"Accept": "x\r\nHost: other"}),
        Question(1, "POST", "/a", b"0" * (room.MAX_QUESTION + 1)),
    ],
)
def test_a_run_cannot_leave_its_way(service: str, question: Question) -> None:
    with pytest.raises(Refused) as caught:
        Gate(Spend(service, 5, 100), Consent()).ask(question)
    assert caught.value.code == "endpoint.way"
    assert not _Service.seen


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://",
        "https://user:pw@a.example/",
        "https://a.example/?q=1",
        "https://a.example/#f",
        "https://a.example:0/",
        "https://a.example:x/",
        "https://例子.example/",
        "https://a.example/a b",
        "https://[::1",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        host_of(url)
    assert caught.value.code == "endpoint.url"
    assert "pw" not in str(caught.value)


def test_keys_stay_off_plain_wires_and_in_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused) as caught:
        Gate(Spend("http://far.example/v1", 1, 1), Consent(key="s"))
    assert caught.value.code == "endpoint.plain"
    Gate(Spend("http://far.example/v1", 1, 1), Consent())
    monkeypatch.setenv("A_KEY", " s3cret ")
    hosts = {"a.example": Agreed(key="A_KEY", tokens=9), "b.example": Agreed()}
    found = consents(hosts, ["c.example", "b.example"], {"c.example": "A_KEY"})
    assert found["a.example"] == Consent("s3cret", None, 9, 120.0)
    assert (found["b.example"].key, found["c.example"].key) == (None, "s3cret")
    for value in ("", "ключ", "a\nb"):
        monkeypatch.setenv("A_KEY", value)
        with pytest.raises(Missing) as missing:
            consents(hosts, (), {})
        assert missing.value.code == "endpoint.key"


def test_nobody_there(service: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable) as caught:
            ask(f"http://127.0.0.1:{held.getsockname()[1]}", "a")
    assert caught.value.code == "endpoint.unreachable"
    with pytest.raises(Unreachable):  # a certificate of nobody
        ask(service.replace("http:", "https:"), "a")


def test_many_threads_ask_side_by_side(service: str) -> None:
    gate = Gate(Spend(service, 40, 100_000), Consent())
    threads = [threading.Thread(target=lambda: gate.ask(Question(1, "POST", "/a"))) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (gate.asked, gate.tokens) == (16, 640)


def test_how_long_a_service_wants_to_be_left_alone(service: str) -> None:
    assert ask(service, "later").retry_after is None
    assert ask(service, "ages").retry_after == 86_400

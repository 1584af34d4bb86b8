"""The gate to a service under test: the run asks, the node sends, within what a person agreed to and no further.

A run has no network. It hands each question to the node, which adds the key (no run ever sees it), sends it to the one host
that was agreed, counts, and stops hard at each limit. Redirects are never followed; answers have a length and a time.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec

from tongqiu.practice import Reply
from tongqiu.record.faults import Malformed, Missing, Refused, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tongqiu.practice import Spend

MAX_QUESTION: Final = 4 << 20
"""Longest question, in bytes."""

MAX_ANSWER: Final = 4 << 20
"""Longest answer, in bytes."""

CONNECT: Final = 10.0
"""Longest that connecting may take, in seconds."""

PATIENCE: Final = 120.0
"""Longest that a whole answer may take, in seconds."""

_METHODS = frozenset({"GET", "POST"})
_HEADERS = frozenset({"accept", "content-type", "accept-language"})
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?\Z")
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_BYTES_A_TOKEN = 3
_SHORTEST_KEY = 8
"""Shorter ones are looked for in no answer: they are words that occur."""


class Wish(NamedTuple):
    """What a run would like to send out: its name for people, the host, and how much at most."""

    run: str
    host: str
    spend: Spend


class Consent(NamedTuple):
    """What a person agreed to for one host: the key, and limits that may be lower than what was wished."""

    key: str | None = None
    questions: int | None = None
    tokens: int | None = None
    patience: float = PATIENCE


class Question(msgspec.Struct, frozen=True):
    """A question as it crosses from run to node."""

    id: int
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}


class _Used(msgspec.Struct, frozen=True):
    total_tokens: int = 0


class _Answered(msgspec.Struct, frozen=True):
    usage: _Used | None = None


def host_of(url: str) -> str:
    """Return host and port of a base address as people are asked about it. Raises Malformed (``endpoint.url``)."""
    return _split(url).netloc


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and not parts.query
        sound = sound and (parts.port is None or parts.port > 0) and not parts.fragment and url.isascii()
    except ValueError:
        sound = False
    if not sound or (parts.path and not _PATH.match(parts.path)):
        raise Malformed(
            "endpoint.url",
            Text(en="This is no address of a service: {url}", zh="这不是服务地址：{url}"),
            do=Text(
                en="Write it as https://host/path, without user, password or question mark.",
                zh="请写成 https://主机/路径，不含用户名、密码或问号。",
            ),
            url=re.sub(r"//[^/@]*@", "//…@", url)[:200],
        )
    return parts


class Gate:
    """One run's way to one host. Threads may ask at the same time."""

    def __init__(self, spend: Spend, consent: Consent, *, context: ssl.SSLContext | None = None) -> None:
        """Open the way that a person agreed to; nothing is sent yet.

        Raises Malformed (``endpoint.url``); Refused (``endpoint.plain``) where a key would travel unenciphered.
        """
        self._parts = _split(spend.url)
        self._consent = consent
        self._questions = min(spend.questions, consent.questions if consent.questions is not None else spend.questions)
        self._tokens = min(spend.tokens, consent.tokens if consent.tokens is not None else spend.tokens)
        self._context = context
        self._lock = threading.Lock()
        self.asked = self.tokens = 0
        if consent.key and self._parts.scheme == "http" and self._parts.hostname not in _HERE:
            raise Refused(
                "endpoint.plain",
                Text(en="A key is not sent to {host} over plain HTTP.", zh="不会通过明文 HTTP 向 {host} 发送密钥。"),
                do=Text(en="Use https.", zh="请使用 https。"),
                host=self._parts.netloc,
            )

    def ask(self, question: Question) -> Reply:
        """Send one question and return the answer.

        Raises Refused (``endpoint.budget``, ``endpoint.way``), Unreachable (``endpoint.unreachable``, ``endpoint.slow``),
        Malformed (``endpoint.large``).
        """
        self._check(question)
        with self._lock:
            if self.asked >= self._questions or self.tokens >= self._tokens:
                raise _spent(self._parts.netloc, self.asked, self.tokens)
            self.asked += 1
        reply = self._send(question)
        used = _tokens(reply.body, len(question.body))
        with self._lock:
            self.tokens += used
        return reply

    def _check(self, question: Question) -> None:
        sound = (
            question.method in _METHODS
            and _PATH.match(question.path)
            and ".." not in question.path
            and len(question.body) <= MAX_QUESTION
            and all(name.lower() in _HEADERS and value.isprintable() for name, value in question.headers.items())
        )
        if not sound:
            raise Refused(
                "endpoint.way",
                Text(en="The run asked {host} in a way that is not allowed.", zh="检测以不被允许的方式请求 {host}。"),
                do=Text(en="Tell the authors of the practice.", zh="请告知领域作者。"),
                host=self._parts.netloc,
            )

    def _send(self, question: Question) -> Reply:
        end = time.monotonic() + self._consent.patience
        headers = {**question.headers, "Accept-Encoding": "identity", "Connection": "close", "User-Agent": "tongqiu"}
        if self._consent.key:
            headers["Authorization"] = f"Bearer {self._consent.key}"
        connection = self._connection()
        try:
            connection.request(question.method, self._parts.path.rstrip("/") + question.path, question.body, headers)
            _wait(connection, end)
            with connection.getresponse() as response:
                body = _read(response, connection, end, self._parts.netloc)
        except TimeoutError as error:
            raise _slow(self._parts.netloc, self._consent.patience) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unreachable(self._parts.netloc, error) from error
        finally:
            connection.close()
        return Reply(response.status, self._without_key(body), _seconds(response.headers.get("Retry-After")))

    def _without_key(self, body: bytes) -> bytes:
        """Return an answer without the key, should the service say it back: what a run hears may stand in a record."""
        key = self._consent.key or ""
        return body.replace(key.encode(), b"[key]") if len(key) >= _SHORTEST_KEY else body

    def _connection(self) -> http.client.HTTPConnection:
        """Return a new connection: sending a question twice costs twice, so none rides on one that may be closing."""
        host, port = str(self._parts.hostname), self._parts.port
        if self._parts.scheme == "https":
            context = self._context or ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=CONNECT, context=context)
        return http.client.HTTPConnection(host, port, timeout=CONNECT)


def consents(hosts: Mapping[str, Any], agreed: Iterable[str], keys: Mapping[str, str]) -> dict[str, Consent]:
    """Return what is agreed for which host: by ``node.toml`` (``hosts``: its ``[assess.hosts]``), or just now (``agreed``).

    ``keys`` names, for a host, the environment variable that holds its key. Raises Missing (``endpoint.key``) where that
    variable is not set.
    """
    found = {
        host: Consent(_secret(host, each.key), each.questions, each.tokens, each.patience)
        for host, each in hosts.items()
    }
    for host in agreed:
        before = found.get(host, Consent())
        found[host] = before._replace(key=_secret(host, keys[host])) if host in keys else before
    return found


def _secret(host: str, variable: str) -> str | None:
    if not variable:
        return None
    value = os.environ.get(variable, "").strip()
    if not value or not value.isascii() or not value.isprintable():
        raise Missing(
            "endpoint.key",
            Text(
                en="The variable {variable} with the key of {host} is not set.",
                zh="环境变量 {variable}（{host} 的密钥）未设置。",
            ),
            do=Text(en="Set it in this terminal: export {variable}=…", zh="请在此终端设置：export {variable}=…"),
            variable=variable[:100],
            host=host,
        )
    return value


def _wait(connection: http.client.HTTPConnection, end: float) -> None:
    """Let the connection's next operation take no longer than until ``end``. Raises TimeoutError."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    if connection.sock is not None:
        connection.sock.settimeout(left)


def _read(response: http.client.HTTPResponse, connection: http.client.HTTPConnection, end: float, host: str) -> bytes:
    """Return the body: at most :data:`MAX_ANSWER` bytes, until ``end``, however slowly they drip."""
    pieces: list[bytes] = []
    size = 0
    while True:
        _wait(connection, end)
        piece = response.read1(65536)
        if not piece:
            if response.length:  # it promised more than it sent
                raise http.client.IncompleteRead(b"", response.length)
            return b"".join(pieces)
        size += len(piece)
        if size > MAX_ANSWER:
            raise Malformed(
                "endpoint.large",
                Text(en="{host} answered with more than {limit} bytes.", zh="{host} 的回答超过 {limit} 字节。"),
                do=Text(en="Ask for shorter answers, or mend the service.", zh="请要求较短的回答，或修复该服务。"),
                host=host,
                limit=MAX_ANSWER,
            )
        pieces.append(piece)


def _tokens(body: bytes, asked: int) -> int:
    """Return how many tokens the service says it counted; where it does not say, a third of the bytes."""
    try:
        answered = msgspec.json.decode(body, type=_Answered)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        answered = _Answered()
    counted = answered.usage.total_tokens if answered.usage is not None else 0
    return counted if counted > 0 else (len(body) + asked) // _BYTES_A_TOKEN


def _seconds(value: str | None) -> float | None:
    """Return a Retry-After in seconds (RFC 9110 section 10.2.3), between 0 and a day; None for a date or nonsense."""
    if value is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    return float(min(int(value.strip()[:8]), 86_400))


def _spent(host: str, questions: int, tokens: int) -> Refused:
    return Refused(
        "endpoint.budget",
        Text(
            en="What was agreed for {host} is used up: {questions} questions, {tokens} tokens.",
            zh="对 {host} 约定的用量已用完：{questions} 个问题，{tokens} 个词元。",
        ),
        do=Text(
            en="Agree to more and assess again; answers so far are kept.",
            zh="请同意更大的用量后重新评估；已有回答会保留。",
        ),
        host=host,
        questions=questions,
        tokens=tokens,
    )


def _slow(host: str, patience: float) -> Unreachable:
    return Unreachable(
        "endpoint.slow",
        Text(en="{host} did not finish its answer within {seconds} s.", zh="{host} 未能在 {seconds} 秒内答完。"),
        do=Text(en="Try again later; answers so far are kept.", zh="请稍后重试；已有回答会保留。"),
        host=host,
        seconds=f"{patience:g}",
    )


def _unreachable(host: str, error: Exception) -> Unreachable:
    words = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Unreachable(
        "endpoint.unreachable",
        Text(en="{host} could not be asked: {error}.", zh="无法请求 {host}：{error}。"),
        do=Text(
            en="See that the service runs, then try again; answers so far are kept.",
            zh="请确认服务在运行后重试；已有回答会保留。",
        ),
        host=host,
        error=str(words)[:200],
    )


__all__ = ["MAX_ANSWER", "Consent", "Gate", "Question", "Wish", "consents", "host_of"]

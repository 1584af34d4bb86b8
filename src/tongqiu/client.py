"""A program's way to a node: what its pages show, and what may be done there, as typed values over HTTP.

::

    with Client("https://node.example", token="tq_...") as node:
        for system in node.systems():
            print(system.subject.name)
        done = node.act("core.declare", {"subject": "urn:...", "name": "users.count", "value": "12", "sort": "number"})

Only the standard library speaks HTTP here. What the node says is wrong is raised as the fault it is, with the same code and
words; what has not changed since it was last asked is not sent again. The forms of the answers are those of the node's own
OpenAPI document (``/api/openapi.json``); a test holds them against it. A newer node may say more: that is passed over.
It is one file, and longer than others here, so that a program can be read together with all that it may call.
"""

from __future__ import annotations

import http.client
import ipaddress
import secrets
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from tongqiu.record.faults import TABLE, Fault, Malformed, Missing, Refused, Unproven, Unreachable
from tongqiu.record.statement import Blob
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")

MOST = 64 << 20
"""Longest answer that is read, in bytes."""
_HELD = 64
_PAGE = 100
_PROBLEM = "application/problem+json"
_ENDED = frozenset({"done", "failed", "cancelled"})


# --- what a node answers ---------------------------------------------------------------------------------------------


class Card(msgspec.Struct, frozen=True):
    """A system at a glance: how much was measured and claimed, how much was not assessed, and when it was last looked at."""

    subject: Subject
    measured: int
    claimed: int
    silent: int
    last: str | None


class Record(msgspec.Struct, frozen=True):
    """One record in a list; ``word`` says whether it was claimed, measured, derived or anything else."""

    entry: str
    kind: str
    word: str
    subject: Subject
    issuer: str
    at: str
    logged: str
    index: int
    origin: str
    public: bool
    title: Text | None = None


class Detail(msgspec.Struct, frozen=True):
    """One record in full."""

    record: Record
    schema: str
    body: Any
    files: tuple[Blob, ...]
    readers: tuple[str, ...] | None
    marking: str
    embargo: str | None
    thread: str | None
    by: str
    retired_by: Record | None


class Heading(msgspec.Struct, frozen=True):
    """The name of a column, its title and its type."""

    name: str
    title: Text
    type: str


class Rows(msgspec.Struct, frozen=True):
    """One page of a registry; ``next`` is where the next one begins."""

    name: str
    columns: tuple[Heading, ...]
    rows: tuple[tuple[Any, ...], ...]
    entries: tuple[str, ...]
    next: str | None


class Action(msgspec.Struct, frozen=True):
    """Something that whoever asks may do."""

    name: str
    title: Text
    about: Text
    role: str
    eyes: int
    final: bool


class Made(msgspec.Struct, frozen=True):
    """One record that was made."""

    entry: str
    kind: str
    index: int
    logged: str


class Done(msgspec.Struct, frozen=True):
    """What an act led to: the records made, or the proposal that waits for a second person."""

    statements: tuple[Made, ...]
    proposal: str | None = None


class Waiting(msgspec.Struct, frozen=True):
    """Something that waits for a second person; ``may`` tells whether whoever asks is one."""

    entry: str
    verb: str
    by: str
    until: str
    mine: bool
    may: bool


class Job(msgspec.Struct, frozen=True):
    """One piece of work at the node, in a list."""

    id: str
    kind: str
    state: str
    done: float
    total: float | None
    note: str
    created: str
    beat: str
    fault: Text | None
    do: Text | None


class Progress(msgspec.Struct, frozen=True):
    """How one piece of work stands; ``step`` grows with every change, ``open`` until nothing more will come."""

    id: str
    state: str
    open: bool
    done: float
    total: float | None
    note: str
    step: int
    system: str = ""
    records: int = 0
    fault: Text | None = None
    do: Text | None = None


class _Home(msgspec.Struct, frozen=True):
    systems: tuple[Card, ...]
    total: int
    offset: int
    step: int


class _Records(msgspec.Struct, frozen=True):
    records: tuple[Record, ...]
    next: str | None


class _Actions(msgspec.Struct, frozen=True):
    actions: tuple[Action, ...]


class _Proposals(msgspec.Struct, frozen=True):
    proposals: tuple[Waiting, ...]


class _Jobs(msgspec.Struct, frozen=True):
    jobs: tuple[Job, ...]


ANSWERS: dict[str, type[Any]] = {
    "Home": _Home,
    "SystemCard": Card,
    "Records": _Records,
    "RecordRow": Record,
    "RecordPage": Detail,
    "Heading": Heading,
    "Rows": Rows,
    "Actions": _Actions,
    "ActionRow": Action,
    "Answered": Done,
    "Made": Made,
    "Proposals": _Proposals,
    "ProposalRow": Waiting,
    "Jobs": _Jobs,
    "JobRow": Job,
    "JobPage": Progress,
}
"""Which schema of the node's OpenAPI document each form here follows."""


class _Words(msgspec.Struct, frozen=True):
    title: Text
    detail: Text
    do: Text


class _Problem(msgspec.Struct, frozen=True):
    type: str
    code: str
    words: _Words
    where: str = ""
    fields: dict[str, Text] = {}


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """A connection to one node. It may be used again after a fault; threads need one each."""

    def __init__(
        self, url: str, *, token: str = "", language: str = "en", seconds: float = 60.0, most: int = MOST
    ) -> None:
        """Speak to the node at ``url`` (scheme, host, port), with a token where it shall know who asks.

        ``language`` is that of what is said in one language only; ``seconds`` how long an answer may take, and ``most`` how many bytes long it may be. Raises Malformed
        (``client.url``), Refused (``client.plain``) for a token that would travel unprotected.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
            raise Malformed(
                "client.url",
                Text(en="Not the address of a node: {url}.", zh="这不是节点地址：{url}。"),
                do=Text(en="Write it like https://node.example", zh="请写成 https://node.example 的样子。"),
                url=url[:200],
            )
        if token and parts.scheme == "http" and not _here(parts.hostname):
            raise Refused(
                "client.plain",
                Text(
                    en="A token is not sent over a connection that anyone can read.", zh="令牌不得经未加密的连接发送。"
                ),
                do=Text(en="Use https.", zh="请使用 https。"),
            )
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._seconds, self._most = seconds, most
        self._headers = {"accept-language": language, "user-agent": "tongqiu-client"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None
        self._held: dict[str, tuple[str, bytes]] = {}

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens one again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- reading -----------------------------------------------------------------------------------------------------

    def systems(self) -> Iterator[Card]:
        """Yield every system that may be read, at a glance."""
        offset = 0
        while True:
            page = self._get("/systems.json", _Home, offset=offset)
            yield from page.systems
            offset += len(page.systems)
            if not page.systems or offset >= page.total:
                return

    def records(self, *, kind: str = "", subject: str = "", search: str = "") -> Iterator[Record]:
        """Yield records, newest first; what is logged meanwhile does not shift them."""
        after: str | None = ""
        while after is not None:
            page = self._get("/records.json", _Records, kind=kind, subject=subject, search=search, after=after)
            yield from page.records
            after = page.next

    def record(self, entry: str) -> Detail:
        """Return one record in full. Raises Missing, also for one that may not be read."""
        return self._get(f"/records/{_hex(entry)}.json", Detail)

    def envelope(self, entry: str) -> bytes:
        """Return a record as it was signed (COSE_Sign1). Raises Missing."""
        return self._bytes(f"/records/{_hex(entry)}/envelope")

    def receipt(self, entry: str) -> bytes:
        """Return the log's receipt for a record (RFC 9942). Raises Missing."""
        return self._bytes(f"/records/{_hex(entry)}/receipt")

    def file(self, digest: str) -> bytes:
        """Return a file that belongs to a record that may be read. Raises Missing."""
        return self._bytes(f"/files/{_hex(digest)}")

    def checkpoint(self) -> str:
        """Return the log's signed checkpoint (C2SP)."""
        return self._bytes("/checkpoint").decode()

    def rows(self, registry: str, *, page: int = _PAGE) -> Iterator[dict[str, Any]]:
        """Yield the rows of a registry by column, newest first, ``page`` at a time; nothing new shifts them.

        ``_entry`` is the record that a row comes from. Raises Missing.
        """
        after: str | None = ""
        while after is not None:
            found = self._get(f"/api/registries/{quote(registry, safe='')}", Rows, limit=page, after=after)
            names = [column.name for column in found.columns]
            for entry, cells in zip(found.entries, found.rows, strict=True):
                yield {"_entry": entry, **dict(zip(names, cells, strict=True))}
            after = found.next

    def actions(self) -> tuple[Action, ...]:
        """Return what whoever asks may do."""
        return self._get("/do.json", _Actions).actions

    def proposals(self) -> tuple[Waiting, ...]:
        """Return what waits for a second person."""
        return self._get("/proposals.json", _Proposals).proposals

    def jobs(self) -> tuple[Job, ...]:
        """Return the work in the background, newest first."""
        return self._get("/jobs.json", _Jobs).jobs

    def job(self, name: str) -> Progress:
        """Return how one piece of work stands. Raises Missing."""
        return self._get(f"/jobs/{quote(name, safe='')}.json", Progress)

    def follow(self, name: str) -> Iterator[Progress]:
        """Yield each state of a piece of work until it is over; a broken connection is taken up where it broke.

        Raises Missing, Unreachable when the node does not answer any more.
        """
        step = -1
        while True:
            state: Progress | None = None
            for state in self._lines(f"/jobs/{quote(name, safe='')}/stream?as=lines", Progress):
                if state.step != step:
                    step = state.step
                    yield state
            state = state or self.job(name)
            if not state.open or state.state in _ENDED:
                if state.step != step:
                    yield state
                return

    # --- doing -------------------------------------------------------------------------------------------------------

    def act(self, verb: str, form: Mapping[str, Any] | msgspec.Struct, *, once: str = "") -> Done:
        """Do ``verb`` with the fields of ``form``, and return what came of it.

        ``once`` names the call: made again under the same name, it is not done again. Without one it gets a name of its own,
        under which it is tried a second time where the connection breaks. Raises what the node refuses.
        """
        body = msgspec.json.encode(form)
        return self._post(f"/api/do/{quote(verb, safe='')}", body, once)

    def approve(self, proposal: str, *, once: str = "") -> Done:
        """Agree to what another person proposed. Raises Missing, Refused."""
        return self._post(f"/api/proposals/{_hex(proposal)}", b'{"decision":"approve"}', once)

    def decline(self, proposal: str, *, why: str) -> None:
        """Do not agree to a proposal, or take one's own back. Raises Missing, Refused."""
        body = msgspec.json.encode({"decision": "decline", "why": why})
        self._post(f"/api/proposals/{_hex(proposal)}", body, "")

    # --- inside ------------------------------------------------------------------------------------------------------

    def _get(self, path: str, form: type[T], **query: object) -> T:
        pairs = {name: value for name, value in query.items() if value not in {"", None}}
        return _read(self._bytes(f"{path}?{urlencode(pairs)}" if pairs else path), form)

    def _bytes(self, path: str) -> bytes:
        held = self._held.get(path)
        answer = self._send("GET", path, headers={} if held is None else {"if-none-match": held[0]})
        if answer.status == 304 and held is not None:  # noqa: PLR2004 - as HTTP calls it
            return held[1]
        if answer.status != 200:  # noqa: PLR2004 - as HTTP calls it
            raise _fault(answer)
        if tag := answer.headers.get("etag"):
            self._held[path] = (tag, answer.body)
            if len(self._held) > _HELD:
                self._held.pop(next(iter(self._held)))
        return answer.body

    def _post(self, path: str, body: bytes, once: str) -> Done:
        headers = {"content-type": "application/json", "idempotency-key": once or secrets.token_hex(16)}
        answer = self._send("POST", path, body, headers)
        if answer.status not in {200, 201, 202}:
            raise _fault(answer)
        return _read(answer.body, Done)

    def _send(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> _Answer:
        """Send one call; where a connection that was kept open has gone, try once more on a new one."""
        for again in (True, False):
            try:
                with self._ask(method, path, body, headers) as answer:
                    data = answer.read(self._most + 1)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not again:
                    raise _silent(self._host, error) from error
            else:
                if len(data) > self._most:
                    self.close()
                    raise _strange("longer than may be read")
                return _Answer(answer.status, {key.lower(): value for key, value in answer.headers.items()}, data)
        raise AssertionError("the second try answers or raises")

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request(method, path, body, {**self._headers, **headers})
        return self._connection.getresponse()

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._seconds, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)

    def _lines(self, path: str, form: type[T]) -> Iterator[T]:
        """Yield each line of a stream; what breaks off ends it, and whoever follows asks again."""
        self.close()
        try:
            with self._ask("GET", path, None, {}) as answer:
                if answer.status != 200:  # noqa: PLR2004 - as HTTP calls it
                    raise _fault(
                        _Answer(
                            answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read(self._most)
                        )
                    )
                while line := answer.readline(self._most):
                    if line.strip():
                        yield _read(line, form)
        except TimeoutError as error:
            raise _silent(self._host, error) from error
        except (OSError, http.client.HTTPException):
            return
        finally:
            self.close()


def _here(host: str) -> bool:
    """Tell whether a host is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hex(entry: str) -> str:
    found = entry.removeprefix("sha-256:")
    if len(found) != 64 or not set(found) <= set("0123456789abcdef"):  # noqa: PLR2004 - hex digits of SHA-256
        raise Malformed(
            "client.entry",
            Text(en="Not the id of a record or file: {entry}.", zh="这不是记录或文件的编号：{entry}。"),
            do=Text(en="Write sha-256: and 64 hex digits.", zh="请写 sha-256: 加 64 位十六进制数。"),
            entry=entry[:80],
        )
    return found


def _read(body: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=ready(form))
    except (msgspec.DecodeError, RecursionError) as error:
        raise _strange(str(error)) from error


def _strange(what: str) -> Malformed:
    return Malformed(
        "client.answer",
        Text(en="The answer is not one of a node: {reason}.", zh="应答不是节点的应答：{reason}。"),
        do=Text(en="Check the address, and that both are of like age.", zh="请核对地址，并确认双方版本相近。"),
        reason=what[:200],
    )


def _silent(host: str, error: Exception) -> Unreachable:
    return Unreachable(
        "client.silent",
        Text(en="{host} does not answer: {error}.", zh="{host} 没有应答：{error}。"),
        do=Text(en="Try again later.", zh="请稍后重试。"),
        host=host,
        error=str(error)[:200] or type(error).__name__,
    )


_BY_STATUS: dict[int, type[Fault]] = {
    400: Malformed, 401: Refused, 403: Refused, 404: Missing, 405: Malformed, 408: Unreachable, 413: Malformed,
    414: Malformed, 421: Malformed, 422: Unproven, 429: Unreachable,
}  # fmt: skip


def _fault(answer: _Answer) -> Fault:
    """Return what a node says is wrong as the fault it is; what is no problem of ours goes by its HTTP status."""
    if answer.headers.get("content-type", "").partition(";")[0] == _PROBLEM:
        try:
            told = msgspec.json.decode(answer.body, type=ready(_Problem))
        except msgspec.DecodeError as error:
            return _strange(str(error))
        if told.fields:
            from tongqiu.node.filling import Unfit

            return Unfit(told.fields)
        branch = next((cls for cls, line in TABLE.items() if line.problem == told.type), Unreachable)
        # What was filled in already is handed on as it is: nothing in it is a place to be filled again.
        what, do = Text(en="{en}", zh="{zh}"), Text(en="{do_en}", zh="{do_zh}")
        words = told.words
        return branch(
            told.code, what, do=do, where=told.where,
            en=words.detail.en, zh=words.detail.zh, do_en=words.do.en, do_zh=words.do.zh,
        )  # fmt: skip
    branch = _BY_STATUS.get(answer.status, Unreachable)
    wait = answer.headers.get("retry-after", "")
    return branch(
        f"client.http-{answer.status}",
        Text(en="The node answered {status}: {said}", zh="节点应答 {status}：{said}"),
        do=branch.action if not wait else Text(en="Try again in {wait} seconds.", zh="请在 {wait} 秒后重试。"),
        status=answer.status,
        said=answer.body[:200].decode("utf-8", "replace").strip(),
        wait=wait,
    )

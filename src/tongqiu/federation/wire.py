"""HTTP as the log's doors speak it: whole requests in, whole answers out, and every error in one form.

Errors are *concise problem details* (RFC 9290): a CBOR map of a title (-1) and a detail (-2), whatever went wrong, down to
an address that no route serves. Standards fix the titles, so these are in English; the detail says it in both languages.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tongqiu.record import cbor
from tongqiu.record.faults import Fault, Malformed, Missing, Unproven, Unreachable, row
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]
    Handle = Callable[["Asked"], Awaitable["Answer"]]

PROBLEM: Final = "application/concise-problem-details+cbor"
COSE: Final = "application/cose"
MAX_BODY: Final = 256 * 1024
"""Longest request body, in bytes: a statement with all receipts it may carry."""

RETRY_AFTER: Final = "1"
BODY_TIME: Final = 20.0
"""Longest that a body may take to arrive, in seconds."""

WHOLE: Final = "tongqiu.whole"
"""An ASGI extension of our server: the body of this request has arrived, so that reading it cannot take long."""

_MAX_PATH = 256
_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'"),
)
_LOG = logging.getLogger(__name__)


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes = b""
    media: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Asked(NamedTuple):
    """One HTTP request, read whole."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def problem(status: int, title: str, detail: str, *headers: tuple[str, str]) -> Answer:
    """Return an error answer (RFC 9290). No cache keeps it: what is not here now may be a second later."""
    return Answer(status, cbor.dumps({-1: title, -2: detail}), PROBLEM, (*headers, ("cache-control", "no-store")))


def of_fault(fault: Fault) -> Answer:
    """Return the answer to a fault that no protocol names otherwise; the status is that of the table of faults."""
    status = row(fault).http_status
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(fault, Unreachable):
        headers = (("retry-after", fault.values.get("retry_after", RETRY_AFTER)),)
        status = 429 if fault.code == "log.busy" else status
    elif fault.code in {"door.token", "door.party"}:
        status, headers = 401, (("www-authenticate", "Bearer"),)
    return problem(status, _TITLES.get(status, "Refused"), said(fault.what), *headers)


_TITLES = {
    400: "Malformed request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    422: "Unproven",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


def said(text: Text) -> str:
    """Return a text in both languages, as a detail carries it."""
    return f"{text.en} {text.zh}"


def absent() -> Answer:
    """Return the one answer for all that does not exist and all that the caller may not see."""
    return problem(404, "Not Found", "There is nothing here for you. 此处没有可供您读取的内容。")


def unavailable(fault: Fault) -> Answer:
    """Return the answer to a fault of the log itself: the request was right, and may be sent again as it is."""
    if isinstance(fault, Unreachable):
        return of_fault(fault)
    return problem(503, _TITLES[503], said(fault.what), ("retry-after", RETRY_AFTER))


def accepts(headers: Mapping[str, str], media: str) -> bool:
    """Tell whether the caller takes ``media`` (RFC 9110 section 12.5.1); one that says nothing takes anything."""
    asked = headers.get("accept")
    if asked is None or asked in {"*/*", media}:
        return True
    ranges = (media, media.partition("/")[0] + "/*", "*/*")
    best = (-len(ranges), 0.0)
    for part in asked[:2048].split(","):
        name, *given = (each.strip().lower() for each in part.split(";"))
        if name in ranges:
            weight = next((each[2:] for each in given if each.startswith("q=")), "1")
            best = max(best, (-ranges.index(name), float(weight) if _WEIGHT.fullmatch(weight) else 0.0))
    return best[1] > 0


_WEIGHT = re.compile(r"[01](?:\.[0-9]{0,3})?", re.ASCII)


def unacceptable(media: str) -> Answer:
    """Return the answer to a caller who does not take what there is."""
    return problem(406, "Not Acceptable", f"There is only {media} here. 此处仅提供 {media}。")


def serve(
    routes: Callable[[str], Mapping[str, Handle] | None], *, limit: int = MAX_BODY, patience: float = BODY_TIME
) -> App:
    """Return an ASGI application: ``routes`` gives the handlers of a path by method, or None where nothing is.

    HEAD is answered as GET without its body. What is wrong with a request, its handler says; a Malformed or Unproven that
    comes from behind is the log's own trouble, and is 503. Bodies are read up to ``limit`` bytes and for ``patience`` seconds. An
    error of our own making is logged and answered in the same form as all others.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await _answer(routes, scope, receive, limit, patience)
        except Exception:  # noqa: BLE001 - the stack goes to the log, and the caller gets the one form of all errors
            _LOG.exception("a door failed at %s %.80r", scope["method"], scope["path"])
            answer = problem(500, "Internal Server Error", "This is our mistake. 此为本节点的错误。")
        headers = [(b"content-length", b"%d" % len(answer.body))] if answer.status != 204 else []  # noqa: PLR2004 - RFC 9110
        if answer.media:
            headers.append((b"content-type", answer.media.encode()))
        headers += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        headers += _SAFE
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    return app


async def _answer(
    routes: Callable[[str], Mapping[str, Handle] | None], scope: Scope, receive: Receive, limit: int, patience: float
) -> Answer:
    path, method = scope["path"], scope["method"]
    handlers = routes(path) if len(path) <= _MAX_PATH else None
    if handlers is None:
        return absent()
    handle = handlers.get("GET" if method == "HEAD" else method)
    if handle is None:
        allowed = ", ".join(sorted({*handlers, *(["HEAD"] if "GET" in handlers else [])}))
        return problem(405, "Method Not Allowed", f"Use {allowed}. 请使用 {allowed}。", ("allow", allowed))
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    body = b""
    if method == "POST":
        try:
            read = await _body(receive, headers, limit, None if WHOLE in scope.get("extensions", ()) else patience)
        except TimeoutError:
            return problem(
                408,
                "Request Timeout",
                "The body took too long to arrive. 请求体未能及时到达。",
                ("connection", "close"),
            )
        if read is None:
            return problem(413, "Content Too Large", f"At most {limit} bytes are taken. 最多接受 {limit} 字节。")
        body = read
    try:
        return await handle(Asked(method, path, headers, body))
    except Missing:
        return absent()
    except (Malformed, Unproven) as fault:
        return unavailable(fault)
    except Fault as fault:
        return of_fault(fault)


async def _body(receive: Receive, headers: Mapping[str, str], limit: int, patience: float | None) -> bytes | None:
    """Read the body, or return None as soon as it is known to be too long. Raises TimeoutError after ``patience`` seconds."""
    named = headers.get("content-length", "")
    if named.isdecimal() and int(named) > limit:
        return None
    if patience is None:
        # A clock that is set and stopped for each costs more than all the rest of this.
        whole: bytes = (await receive()).get("body", b"")
        return whole if len(whole) <= limit else None
    async with asyncio.timeout(patience):
        message = await receive()
        first: bytes = message.get("body", b"")
        if not message.get("more_body") and len(first) <= limit:
            return first
        body = bytearray(first)
        while len(body) <= limit and message["type"] != "http.disconnect" and message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
    return bytes(body) if len(body) <= limit else None

"""HTTP as the log's doors speak it: whole requests in, whole answers out, and every error in one form.

Errors are *concise problem details* (RFC 9290): a CBOR map of a title (-1) and a detail (-2), whatever went wrong, down to
an address that no route serves. Standards fix the titles, so these are in English; the detail says it in both languages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tongqiu.record import cbor
from tongqiu.record.faults import Fault, Missing, Refused, Unreachable, row
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
_MAX_PATH = 256
_SAFE = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'"),
)


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
    """Return an error answer (RFC 9290)."""
    return Answer(status, cbor.dumps({-1: title, -2: detail}), PROBLEM, headers)


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


def serve(routes: Callable[[str], Mapping[str, Handle] | None], *, limit: int = MAX_BODY) -> App:
    """Return an ASGI application: ``routes`` gives the handlers of a path by method, or None where nothing is.

    HEAD is answered as GET without its body. Bodies are read up to ``limit`` bytes.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = await _answer(routes, scope, receive, limit)
        headers = [(b"content-length", str(len(answer.body)).encode())] if answer.status != 204 else []  # noqa: PLR2004 - RFC 9110
        if answer.media:
            headers.append((b"content-type", answer.media.encode()))
        headers += [(name.encode(), value.encode("latin-1")) for name, value in (*answer.headers, *_SAFE)]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    return app


async def _answer(
    routes: Callable[[str], Mapping[str, Handle] | None], scope: Scope, receive: Receive, limit: int
) -> Answer:
    path, method = str(scope["path"]), str(scope["method"])
    handlers = routes(path) if len(path) <= _MAX_PATH else None
    if handlers is None:
        return absent()
    handle = handlers.get("GET" if method == "HEAD" else method)
    if handle is None:
        allowed = ", ".join(sorted({*handlers, *(["HEAD"] if "GET" in handlers else [])}))
        return problem(405, "Method Not Allowed", f"Use {allowed}. 请使用 {allowed}。", ("allow", allowed))
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    body = await _body(receive, headers, limit) if method == "POST" else b""
    if body is None:
        return problem(413, "Content Too Large", f"At most {limit} bytes are taken. 最多接受 {limit} 字节。")
    try:
        return await handle(Asked(method, path, headers, body))
    except Missing:
        return absent()
    except Refused as fault:
        return of_fault(fault)
    except Fault as fault:
        return of_fault(fault)


async def _body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes | None:
    """Read the body, or return None as soon as it is known to be too long."""
    named = headers.get("content-length", "")
    if named.isdecimal() and int(named) > limit:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)

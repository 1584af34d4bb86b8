"""The doorkeeper of the pages: sane addresses, named hosts, who is asking and whether their own page sent it, how often,
and strict headers on every answer.

Everything that changes anything passes here, so that no form can forget its check: a POST that carries a session's cookie
is let through only with that session's CSRF token, and only from a page of this very site.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from tongqiu.portal import posted
from tongqiu.portal.limits import caller
from tongqiu.portal.session import Call, Sessions
from tongqiu.record.faults import Fault, Refused, Unproven, row

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tongqiu.node.people import Signed
    from tongqiu.portal.limits import Limits

MAX_PATH = 2048
"""Longest path, in bytes as sent."""
MAX_QUERY = 6144
"""Longest query, in bytes as sent: an identifier of 1,024 characters, each escaped, and some room."""
MAX_BODY = 1 << 20
"""Longest body, in bytes, of a form or of a program's call."""
MAX_UPLOAD = 32 << 20
"""Longest body, in bytes, of a form with files, from somebody who is signed in."""
BODY_SECONDS = 20.0
"""How long a body may take to arrive."""
ANSWER_SECONDS = 60.0
"""How long an answer may take to begin."""

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""No script from anywhere, no style but our one file, no frame around us."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    # Under no-referrer a browser would hide from us where a form came from, too (Fetch, "append a request Origin header").
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-frame-options": "DENY",
}
_READING = frozenset({"GET", "HEAD"})
_FOREIGN = "This was not sent from a page of this node. 该请求并非来自本节点的页面。"
_STALE = (
    "This page was open for too long. Go back, load it again and send it once more. "
    "此页面打开时间过长。请返回，重新载入后再次提交。"
)


class Guard:
    """Wraps an ASGI application; puts ``signed`` and ``posted`` into the state of each request that it lets through.

    ``hosts`` None lets any Host header in; otherwise only those names (without port): a page on this machine names its
    hosts, so that no web site can reach it by pointing its own name at 127.0.0.1 (DNS rebinding). ``url`` is where people
    find this site, such as ``https://node.example``; ``limits`` None lets everybody ask as often as they like.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        sessions: Sessions,
        hosts: Collection[str] | None = None,
        url: str = "",
        limits: Limits | None = None,
    ) -> None:
        """Guard ``app``."""
        self._app = app
        self._sessions = sessions
        self._hosts = None if hosts is None else frozenset(hosts)
        self._url = url
        self._limits = limits
        self.body_seconds, self.answer_seconds = BODY_SECONDS, ANSWER_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse before anything is looked up."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        started = False

        async def sealed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if not clock.expired():
                    clock.reschedule(None)
                headers = MutableHeaders(scope=message)
                seal(headers)
                if self._url.startswith("https://"):
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        try:
            async with asyncio.timeout(self.answer_seconds) as clock:
                refusal = self._refusal(scope) or await self._let_in(scope, receive)
                if refusal is None:
                    await self._app(scope, receive, sealed)
                else:
                    await refusal(scope, receive, sealed)
        except TimeoutError:
            if not clock.expired() or started:
                raise
            await _plain("This took too long. Try again later. 处理超时，请稍后重试。", 503)(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["method"] not in {*_READING, "POST"}:
            return _plain(
                "Only reading and sending forms is possible here. 此处只能读取和提交表单。",
                405,
                {"allow": "GET, HEAD, POST"},
            )
        raw = scope.get("raw_path") or scope["path"].encode()
        if len(raw) > MAX_PATH or len(scope.get("query_string", b"")) > MAX_QUERY:
            return _plain("The address is too long. 地址过长。", 414)
        if self._hosts is not None and _name(Headers(scope=scope).get("host", "")) not in self._hosts:
            return _plain("This address does not serve that name. 此地址不提供该主机名的服务。", 421)
        client = scope.get("client")
        return self._often(scope, caller(client[0]) if client else "")

    def _often(self, scope: Scope, who: str) -> Response | None:
        wait = self._limits.wait(scope["method"], scope["path"], who) if self._limits else 0
        if not wait:
            return None
        return _plain("Too many requests. Wait a little. 请求过多，请稍候。", 429, {"retry-after": str(wait)})

    async def _let_in(self, scope: Scope, receive: Receive) -> Response | None:
        """Find out who asks and read what they sent; return a refusal, or None."""
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        secure = self._url.startswith("https://") if self._url else scope.get("scheme") == "https"
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope.get("query_string", b"").decode("latin-1")
        target = f"{self._url or scope.get('scheme', 'http') + '://' + headers.get('host', '')}{raw}" + (
            f"?{query}" if query else ""
        )
        call = Call(scope["method"], target, headers, b"", secure)
        try:
            if "signature" in headers and scope["method"] == "POST":
                body = await _body(receive, MAX_BODY, self.body_seconds)
                signed = await self._who(call._replace(body=body))
            else:
                signed = await self._who(call)
                most = (
                    MAX_UPLOAD
                    if signed.session and headers.get("content-type", "").startswith("multipart/")
                    else MAX_BODY
                )
                body = await _body(receive, most, self.body_seconds) if scope["method"] == "POST" else b""
            sent = posted.read(headers.get("content-type", ""), body) if scope["method"] == "POST" else posted.EMPTY
        except _TooLong:
            return _plain("What was sent is too long. 发送的内容过长。", 413)
        except TimeoutError:
            return _plain("What was sent took too long to arrive. 发送超时。", 408)
        except (Refused, Unproven) as fault:
            return _plain(f"{fault.what.en} {fault.what.zh}", 401, {"www-authenticate": 'Bearer error="invalid_token"'})
        except Fault as fault:
            return _plain(f"{fault.what.en} {fault.what.zh}", row(fault).http_status)
        if scope["method"] not in _READING and (why := self._forged(headers, signed, sent)):
            return _plain(why, 403)
        state = scope.setdefault("state", {})
        state.update(signed=signed, posted=sent, secure=secure)
        return self._often(scope, signed.principal.person or signed.principal.party or "") if signed.person else None

    async def _who(self, call: Call) -> Signed:
        known = self._sessions.at_once(call)
        return await run_in_threadpool(self._sessions.signed, call) if known is None else known

    def _forged(self, headers: dict[str, str], signed: Signed, sent: posted.Posted) -> str:
        """Return why a POST may have been made by another site, or nothing: what carries no cookie nobody else can send."""
        if signed.how in {"token", "signature"}:
            return ""
        if not same_origin(headers, self._url):
            return _FOREIGN
        given = sent.one("csrf") or headers.get("x-csrf-token", "")
        if signed.session and not hmac.compare_digest(given.encode(), signed.csrf.encode()):
            return _STALE
        return ""


def same_origin(headers: dict[str, str], url: str) -> bool:
    """Tell whether a browser says that a page of this site made the request (Fetch Metadata, else the Origin header).

    A request that says nothing of where it came from did not come from a browser of this decade's forms.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return site is not None
    if url and origin == "{0.scheme}://{0.netloc}".format(urlsplit(url)):
        return True
    scheme, _, host = origin.partition("://")
    return scheme in {"http", "https"} and bool(host) and host.lower() == headers.get("host", "").lower()


class _TooLong(Exception):
    """A body went on past its limit."""


async def _body(receive: Receive, most: int, seconds: float) -> bytes:
    pieces, size = [], 0
    async with asyncio.timeout(seconds):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise TimeoutError
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > most:
                raise _TooLong
            if not message.get("more_body"):
                return b"".join(pieces)


def seal(headers: MutableHeaders) -> None:
    """Add what every answer must carry; a page's own policy and cache rule stay."""
    for name, value in _HEADERS.items():
        headers[name] = value
    headers.setdefault("content-security-policy", CSP)
    headers.setdefault("cache-control", "no-store")


def _name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0][1:].lower()
    return host.partition(":")[0].lower()


def _plain(words: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(words + "\n", status, headers, media_type="text/plain; charset=utf-8")

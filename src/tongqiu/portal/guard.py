"""The doorkeeper of the pages: only reading, only sane addresses, only named hosts, and strict headers on every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_PATH = 2048
"""Longest path, in bytes as sent."""
MAX_QUERY = 6144
"""Longest query, in bytes as sent: an identifier of 1,024 characters, each escaped, and some room."""

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""No script from anywhere, no style but our one file, no frame around us."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-frame-options": "DENY",
}


class Guard:
    """Wraps an ASGI application. ``hosts`` None lets any Host header in; otherwise only those names (without port).

    A page for the owner on this machine names its hosts, so that no web site can reach it by pointing its own name at
    127.0.0.1 (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] | None = None) -> None:
        """Guard ``app``."""
        self._app = app
        self._hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse before anything is looked up."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                seal(MutableHeaders(scope=message))
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, sealed)
            return
        await self._app(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["method"] not in {"GET", "HEAD"}:
            return _plain("Only reading is possible here. 此处只能读取。", 405, {"allow": "GET, HEAD"})
        raw = scope.get("raw_path") or scope["path"].encode()
        if len(raw) > MAX_PATH or len(scope.get("query_string", b"")) > MAX_QUERY:
            return _plain("The address is too long. 地址过长。", 414)
        if self._hosts is not None and _name(Headers(scope=scope).get("host", "")) not in self._hosts:
            return _plain("This address does not serve that name. 此地址不提供该主机名的服务。", 421)
        return None


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

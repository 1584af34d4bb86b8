"""Whether an answer has changed: a tag made from the content itself, so that who holds it already is not sent it again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON = "application/json"
_GZIP_FROM = 1000


class Fresh:
    """Gives every answer that is data a strong entity tag, and answers 304 to who holds it already (RFC 9110, 8.8.3, 13.1.2).

    The tag is the SHA-256 of the content; where the content is sent compressed it is another representation, and says so.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Look at what ``app`` answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that nothing has changed."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        start: Message | None = None

        async def looked(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _tagged(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            held, start = start, None
            if message.get("more_body"):
                await send(held)
                await send(message)
                return
            body = message.get("body", b"")
            packed = "gzip" in asked.get("accept-encoding", "") and len(body) >= _GZIP_FROM
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}{"-gzip" if packed else ""}"'
            headers = MutableHeaders(scope=held)
            headers["etag"] = tag
            if _holds(asked.get("if-none-match", ""), tag):
                for name in ("content-length", "content-type"):
                    del headers[name]
                held["status"], message = 304, {"type": "http.response.body", "body": b""}
            await send(held)
            await send(message)

        await self._app(scope, receive, looked)


def _tagged(message: Message) -> bool:
    media = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] == 200 and media.startswith((JSON, "text/csv"))  # noqa: PLR2004 - as HTTP calls it


def _holds(named: str, tag: str) -> bool:
    """Tell whether an If-None-Match header names the tag; the comparison is the weak one (RFC 9110, 13.1.2)."""
    return named.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in named[:4096].split(",")}

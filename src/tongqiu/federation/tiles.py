"""The log as files over HTTP, for anyone who wants to copy and check all of it: C2SP tlog-tiles, reading only.

What it shows is public by design: hashes, and how many there are. Neither names nor contents are in them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tongqiu.federation.wire import Answer, Asked, absent, serve
from tongqiu.record.faults import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tongqiu.federation.lent import Lend
    from tongqiu.federation.wire import App, Handle

MOUNTS: Final = ("/checkpoint", "/tile")


def app(lend: Lend) -> App:
    """Return the door of checkpoint and tiles as an ASGI application."""

    async def checkpoint(asked: Asked) -> Answer:
        """Answer ``GET /checkpoint``; short-lived, for it changes with every entry."""
        note = await asyncio.to_thread(lend(asked.headers).log_checkpoint)
        headers = (("cache-control", "public, max-age=1"),)
        return Answer(200, note.encode(), "text/plain; charset=utf-8", headers)

    async def tile(asked: Asked) -> Answer:
        """Answer ``GET /tile/...``; what was served once never changes."""
        try:
            data = await asyncio.to_thread(lend(asked.headers).log_tile, asked.path[1:])
        except Malformed:
            return absent()
        headers = (("cache-control", "public, max-age=31536000, immutable"),)
        return Answer(200, data, "application/octet-stream", headers)

    def routes(path: str) -> Mapping[str, Handle] | None:
        """Return the handlers of a path."""
        if path == "/checkpoint":
            return {"GET": checkpoint}
        return {"GET": tile} if path.startswith("/tile/") else None

    return serve(routes)

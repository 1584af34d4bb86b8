"""HTTP from strangers, within limits: what never becomes a request is turned away, in the form of all errors, or cut off.

uvicorn's protocol over httptools has no limit on the length of a request's head nor on the time it may take to arrive, and
answers what is no HTTP, and whoever is one too many, in plain text. This one has limits, and one form for all errors (RFC 9290).
Give it to uvicorn as its ``http``.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tongqiu.federation.wire import PROBLEM, RETRY_AFTER, WHOLE, problem

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, MutableMapping

    from tongqiu.federation.wire import Answer

    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_HEAD: Final = 64 * 1024
"""Longest head of a request, in bytes, beyond what came with its last part."""

HEAD_TIME: Final = 20.0
"""Longest that a head may take to arrive, and that a new connection may stay silent, in seconds."""


_OFTEN = (20_000, 20, 50)


def settle() -> None:
    """Make this process ready to serve for long: what it has loaded by now is not searched for garbage again and again.

    A node holds some hundred thousand objects that stay. Without this a tenth of the processor goes into looking at them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_OFTEN)


class Bounded(HttpToolsProtocol):
    """One connection; ``max_head`` and ``head_time`` are as :data:`MAX_HEAD` and :data:`HEAD_TIME`."""

    max_head = MAX_HEAD
    head_time = HEAD_TIME

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as uvicorn calls it
        """Stand between uvicorn and its own protocol."""
        super().__init__(*given, **named)
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._served = self.app
        self._within, self._head, self._since = True, 0, self.loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count the time."""
        super().connection_made(cast("asyncio.Transport", Joined(transport, self.loop)))
        self._timer = self.loop.call_later(self.head_time, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no longer."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that has no end by now is counted."""
        super().data_received(data)
        if self._within and not self.transport.is_closing():
            self._head += len(data)
            if self._head > self.max_head:
                self._end(problem(431, "Request Header Fields Too Large", "The head is too long. 请求头过长。"))

    def on_message_begin(self) -> None:
        """Count a new head."""
        super().on_message_begin()
        self._within, self._head, self._since = True, 0, self.loop.time()

    def on_headers_complete(self) -> None:
        """Hand the request on, or turn it away where there are too many."""
        self._within = False
        many = self._most is not None and max(len(self.connections), len(self.tasks)) >= self._most
        self.app = _crowded if many else self._served
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Say that the whole body is here: whoever reads it need not look at the clock."""
        super().on_message_complete()
        self.scope["extensions"] = {WHOLE: {}}

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._end(problem(400, "Malformed request", f"{msg} 这不是有效的 HTTP 请求。"))

    def _look(self) -> None:
        if self._within and self.loop.time() - self._since >= self.head_time:
            self._end(problem(408, "Request Timeout", "The head took too long to arrive. 请求头未能及时到达。"))
            return
        self._timer = self.loop.call_later(self.head_time, self._look)

    def _end(self, answer: Answer) -> None:
        """Answer and close; nothing more is read."""
        head = f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\ncontent-type: {PROBLEM}\r\ncontent-length: "
        head += f"{len(answer.body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + answer.body)
        self.transport.close()


class Joined:
    """A transport that sends the head of an answer together with what follows at once: one call of the system, not two.

    A head that nothing follows goes out in the loop's next turn, so that pages that grow begin when they begin.
    """

    __slots__ = ("_held", "_later", "_to")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Send through ``transport``."""
        self._to, self._later, self._held = transport, loop.call_soon, b""

    def write(self, data: bytes) -> None:
        """Send ``data``, or keep it for a moment where it begins an answer."""
        if self._held:
            self._held, data = b"", self._held + data
        elif data.startswith(b"HTTP/"):
            self._held = data
            self._later(self.flush)
            return
        self._to.write(data)

    def flush(self) -> None:
        """Send what was kept."""
        if self._held:
            self._held, data = b"", self._held
            self._to.write(data)

    def close(self) -> None:
        """Send what was kept, and close."""
        self.flush()
        self._to.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a transport has
        """Leave everything else to the transport."""
        return getattr(self._to, name)


_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


async def _crowded(_scope: object, _receive: object, send: Send) -> None:
    answer = problem(
        503, "Service Unavailable", "There are too many at once. 同时访问者过多。", ("retry-after", RETRY_AFTER)
    )
    headers = [(b"content-length", b"%d" % len(answer.body)), (b"content-type", PROBLEM.encode())]
    headers += [(name.encode(), value.encode()) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

"""Where answers from the log's own thread come in for one event loop: all of a group at once, each to whoever waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.federation.lent import LogDesk
    from tongqiu.ledger.registrar import Outcome

Waits: TypeAlias = "asyncio.Future[Outcome | None]"

_STEP = 0.25


class Inbox:
    """Made inside a running event loop and used only there; :meth:`tell` alone may be called from other threads.

    A loop is woken once for a whole group. Nobody has a timer of his own: one look every quarter of a second tells all
    whose time is over, since those who wait for as long as one another wait in order.
    """

    def __init__(self) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[float, deque[tuple[float, Waits]]] = {}
        self._looks = False

    @property
    def here(self) -> bool:
        """Tell whether this is the inbox of the running loop."""
        return self._loop is asyncio.get_running_loop()

    def ask(self, desk: LogDesk, statement: bytes, budget: float) -> Waits:
        """Hand ``statement`` in and return what will hold its outcome, or None after ``budget`` seconds without one.

        Raises what ``desk.register`` raises at once.
        """
        waits: Waits = self._loop.create_future()
        desk.register(statement, self.tell, waits)
        self._waiting.setdefault(budget, deque()).append((self._loop.time() + budget, waits))
        if not self._looks:
            self._looks = True
            self._loop.call_later(min(budget, _STEP), self._look)
        return waits

    def tell(self, pairs: Sequence[tuple[object, Outcome]]) -> None:
        """Hear of outcomes, in another thread; if the loop has ended, nobody waits for them any more."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, pairs)

    def _settle(self, pairs: Sequence[tuple[object, Outcome]]) -> None:
        for ticket, outcome in pairs:
            waits = cast("Waits", ticket)
            if not waits.done():
                waits.set_result(outcome)

    def _look(self) -> None:
        """Tell those whose time is over, forget those who have been answered, and look again while anybody waits."""
        now = self._loop.time()
        for budget, line in list(self._waiting.items()):
            while line and (line[0][1].done() or line[0][0] <= now):
                _, waits = line.popleft()
                if not waits.done():
                    waits.set_result(None)
            if not line:
                del self._waiting[budget]
        self._looks = bool(self._waiting)
        if self._looks:
            self._loop.call_later(_STEP, self._look)

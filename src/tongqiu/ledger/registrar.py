"""Registration of what others signed: many statements at once are checked, logged, and answered with their receipts.

One thread does all of it a group at a time: whoever comes while a group is under way is in the next one. So a statement
costs one hand-over, and each caller's event loop is woken once for a whole group and not once for each of its parts.
Order never changes: check, one durable transaction, and only then receipts.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeAlias

from tongqiu.ledger.log import Submission
from tongqiu.ledger.sequencer import MOST, QUEUE, busy, stopped
from tongqiu.record.faults import Malformed, Refused, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.ledger.log import Log, Logged, Sealed
    from tongqiu.ledger.sequencer import Sequencer

LINGER: Final = 0.004
"""Longest that a group waits for as many as came last time, in seconds."""


class Registered(NamedTuple):
    """A statement that is durably in the log, and its receipt."""

    logged: Logged
    receipt: bytes


class Turned(NamedTuple):
    """A statement that the policy does not take, and why; the log is not to blame."""

    fault: Malformed | Refused | Unproven


Outcome: TypeAlias = "Registered | Turned | BaseException"
Tell: TypeAlias = "Callable[[Sequence[tuple[object, Outcome]]], None]"
"""Is told, from the registrar's thread, what became of its statements: pairs of its own ticket and the outcome."""


class _Waiting(NamedTuple):
    statement: bytes
    tell: Tell
    ticket: object


class Registrar:
    """Registers statements for many callers, in one thread; close it, or use it in a ``with``."""

    def __init__(
        self,
        log: Log,
        sequencer: Sequencer,
        check: Callable[[bytes], Sealed],
        *,
        linger: float = LINGER,
        queue: int = QUEUE,
    ) -> None:
        """Start the thread. ``check`` is the registration policy: it returns what may be logged or raises a Fault.

        ``queue`` statements wait at most. A group that is alone never waits for company.
        """
        self._log, self._sequencer, self._check = log, sequencer, check
        self._linger, self._room = linger, queue
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._closing = False
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="tongqiu-registrar", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the registrar."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close it."""
        self.close()

    def submit(self, statement: bytes, tell: Tell, ticket: object) -> None:
        """Queue ``statement`` and return at once; ``tell`` hears what became of ``ticket`` once that is certain.

        Raises Unreachable: ``log.busy`` when too much is waiting (nothing was kept), ``log.stopped`` after :meth:`close`
        and in a forked child. ``tell`` hears of a :class:`Registered`, of a :class:`Turned`, or of the error that kept
        the log from being written or from signing; it returns at once and raises nothing.
        """
        with self._changed:
            if self._closing or self._process != os.getpid():
                raise stopped()
            if len(self._queue) >= self._room:
                raise busy()
            self._queue.append(_Waiting(statement, tell, ticket))
            if len(self._queue) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Take nothing more in, register and answer all that waits, and stop. Idempotent."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._process == os.getpid() and threading.current_thread() is not self._thread:
            self._thread.join()

    # --- the one thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        company = 1
        while group := self._next(company):
            company = len(group)
            self._register(group)

    def _next(self, company: int) -> list[_Waiting]:
        """Return the next group: at once, or after a short wait for as many as came last time; nothing at the end."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
        until = time.monotonic() + self._linger
        while len(self._queue) < min(company, MOST) and not self._closing and time.monotonic() < until:
            # Not on the condition: each statement that came would wake this thread for nothing.
            time.sleep(self._linger / 8)
        with self._changed:
            return [self._queue.popleft() for _ in range(min(len(self._queue), MOST))]

    def _register(self, group: list[_Waiting]) -> None:
        kept: list[_Waiting] = []
        items: list[Sealed] = []
        outcomes: list[tuple[_Waiting, Outcome]] = []
        for each in group:
            try:
                items.append(self._check(each.statement))
            except (Malformed, Refused, Unproven) as fault:
                outcomes.append((each, Turned(fault)))
            else:
                kept.append(each)
        outcomes += zip(kept, self._record(items), strict=True)
        told: dict[Tell, list[tuple[object, Outcome]]] = {}
        for each, outcome in outcomes:
            told.setdefault(each.tell, []).append((each.ticket, outcome))
        for tell, pairs in told.items():
            tell(pairs)

    def _record(self, items: Sequence[Sealed]) -> Sequence[Outcome]:
        """Log ``items`` in one transaction and make their receipts; what fails, fails for all of them."""
        if not items:
            return ()
        try:
            places = self._sequencer.submit(Submission(tuple(items))).result()
            made = self._log.receipts(
                [(place, item.columns.subject) for place, item in zip(places, items, strict=True)]
            )
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            return [error] * len(items)
        return [Registered(place, receipt) for place, receipt in zip(places, made, strict=True)]


__all__ = ["LINGER", "Outcome", "Registered", "Registrar", "Tell", "Turned"]

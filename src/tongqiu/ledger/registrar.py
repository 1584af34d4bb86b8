"""Registration of what others signed: many statements at once are checked, logged, and answered with their receipts.

Two threads do it a group at a time, one checks and one writes: whoever comes while a group is under way is in the next one.
So a statement costs one hand-over, and each caller's event loop is woken once for a whole group and not once for each of its
parts. Large groups are checked in a process of their own, beside the one that speaks HTTP. The order never changes: check,
one durable transaction, and only then receipts.
"""

from __future__ import annotations

import os
import queue as queues
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self, TypeAlias

from tongqiu.ledger.log import Sealed, Submission
from tongqiu.ledger.sequencer import MOST, QUEUE, busy, stopped
from tongqiu.record.faults import Malformed, Refused, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.ledger.log import Log, Logged
    from tongqiu.ledger.sequencer import Sequencer

LINGER: Final = 0.004
"""Longest that a group waits for as many as came last time, in seconds."""

LARGE: Final = 24
"""A group of so many is handed to another process; for fewer the hand-over costs more than it saves."""

MOST_BYTES: Final = 16 << 20
"""Most bytes that wait, one statement more or less: a few may come with many receipts, not all."""

_AHEAD = 2


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


class Beside(Protocol):
    """Another process that checks; one thread hands groups to it, another takes its answers, in the same order."""

    def hand(self, statements: Sequence[bytes]) -> bool:
        """Hand over a group. Returns False where that is not possible now."""
        ...

    def take(self, statements: Sequence[bytes]) -> Sequence[Sealed | None]:
        """Wait for the answer to a group that was handed over; None for each statement that it could not seal."""
        ...

    def close(self) -> None:
        """End it. Idempotent."""
        ...


class _Waiting(NamedTuple):
    statement: bytes
    tell: Tell
    ticket: object


class Registrar:
    """Registers statements for many callers; close it, or use it in a ``with``."""

    def __init__(  # noqa: PLR0913 - each part is named at the call
        self,
        log: Log,
        sequencer: Sequencer,
        check: Callable[[bytes], Sealed],
        *,
        beside: Beside | None = None,
        linger: float = LINGER,
        queue: int = QUEUE,
    ) -> None:
        """Start the threads. ``check`` is the registration policy: it returns what may be logged or raises a Fault.

        Large groups go ``beside`` if that is given; whatever does not come back sealed is checked here. ``queue``
        statements wait at most, of :data:`MOST_BYTES` together. A group that is alone never waits for company.
        """
        self._log, self._sequencer, self._check = log, sequencer, check
        self._beside, self._linger, self._room = beside, linger, queue
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._ready: queues.Queue[tuple[list[_Waiting], Sequence[_Checked] | None] | None] = queues.Queue(_AHEAD)
        self._closing = False
        self._process = os.getpid()
        self._threads = [
            threading.Thread(target=target, name=f"tongqiu-{name}", daemon=True)
            for name, target in (("check", self._take), ("register", self._write))
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        """Return the registrar."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close it."""
        self.close()

    def submit(self, statement: bytes, tell: Tell, ticket: object) -> None:
        """Queue ``statement`` and return at once; ``tell`` hears what became of ``ticket`` once that is certain.

        Raises Unreachable: ``log.busy`` when too much is waiting (nothing was kept), ``log.stopped`` after :meth:`close`
        and in a forked child. ``tell`` hears of a :class:`Registered`, of a :class:`Turned`, or of the error that kept the
        log from being written or from signing; it returns at once and raises nothing.
        """
        with self._changed:
            if self._closing or self._process != os.getpid():
                raise stopped()
            if len(self._queue) >= self._room or self._bytes > MOST_BYTES:
                raise busy()
            self._queue.append(_Waiting(statement, tell, ticket))
            self._bytes += len(statement)
            if len(self._queue) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Take nothing more in, register and answer all that waits, and stop. Idempotent."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._process == os.getpid() and threading.current_thread() not in self._threads:
            for thread in self._threads:
                thread.join()
            if self._beside is not None:
                self._beside.close()

    # --- the thread that checks -------------------------------------------------------------------------------------

    def _take(self) -> None:
        company = 1
        while group := self._next(company):
            company = len(group)
            statements = [each.statement for each in group]
            away = self._beside is not None and len(group) >= LARGE and self._beside.hand(statements)
            self._ready.put((group, None if away else [self._checked(each) for each in statements]))
        self._ready.put(None)

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
            group = [self._queue.popleft() for _ in range(min(len(self._queue), MOST))]
            self._bytes -= sum(len(each.statement) for each in group)
            return group

    def _checked(self, statement: bytes) -> _Checked:
        try:
            return self._check(statement)
        except (Malformed, Refused, Unproven) as fault:
            return Turned(fault)
        except BaseException as error:  # noqa: BLE001 - a mistake in the policy must not leave anybody waiting
            return error

    # --- the thread that writes -------------------------------------------------------------------------------------

    def _write(self) -> None:
        while (taken := self._ready.get()) is not None:
            group, checked = taken
            if checked is None:
                checked = self._taken([each.statement for each in group])
            items = [each for each in checked if isinstance(each, Sealed)]
            made = iter(self._record(items))
            told: dict[Tell, list[tuple[object, Outcome]]] = {}
            for each, found in zip(group, checked, strict=True):
                told.setdefault(each.tell, []).append((each.ticket, next(made) if isinstance(found, Sealed) else found))
            for tell, pairs in told.items():
                tell(pairs)

    def _taken(self, statements: Sequence[bytes]) -> Sequence[_Checked]:
        found = self._beside.take(statements) if self._beside is not None else ()
        return [each or self._checked(statement) for each, statement in zip(found, statements, strict=True)]

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


_Checked: TypeAlias = "Sealed | Turned | BaseException"

__all__ = ["LARGE", "LINGER", "MOST_BYTES", "Beside", "Outcome", "Registered", "Registrar", "Tell", "Turned"]

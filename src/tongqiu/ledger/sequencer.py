"""The sequencer: many who speak at once are put in one order, written together, and answered one by one.

A flush to disk costs the same for one record as for a thousand, so whoever hands something in while a flush is under way
shares the next one (*group commit*). Nobody is answered before the flush that holds his records has returned; whoever
comes when too much is waiting already is turned away at once and told when to come back, and nothing of his is kept.

Any number of processes may each run a sequencer over one log: the backend's write lock puts their groups in one order.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeAlias

from tongqiu.ledger.log import Logged, Submission
from tongqiu.record.faults import Malformed, Missing, Refused, Unproven, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.ledger.backend import Reading
    from tongqiu.ledger.log import Log, Outcome, Sealed

MOST: Final = 1024
"""Most entries of one group, unless a single submission alone has more."""

LINGER: Final = 0.005
"""Longest that a group waits for others to join, in seconds."""

QUEUE: Final = 8192
"""Most entries that wait; beyond this a submission is turned away (``log.busy``)."""

RETRY_AFTER: Final = 1
"""When to come back after ``log.busy``, in seconds: some ten full queues later at the speed measured."""

BUSY: Final = "log.busy"

_CROWD = 8

Answer: TypeAlias = "Future[tuple[Logged, ...]]"


class Counts(NamedTuple):
    """What a sequencer did since it was started."""

    groups: int
    """Groups written, one flush each."""

    entries: int
    """Entries in those groups, the known ones included."""

    turned_away: int
    """Submissions refused because too much was waiting."""


class _Waiting(NamedTuple):
    submission: Submission
    answer: Answer
    weight: int


class Sequencer:
    """Writes what many threads submit to one log, in groups; close it, or use it in a ``with``."""

    def __init__(self, log: Log, *, most: int = MOST, linger: float = LINGER, queue: int = QUEUE) -> None:
        """Start the one thread that appends to ``log``.

        ``most`` entries go into one group, ``queue`` entries wait at most, and a group waits ``linger`` seconds at most,
        and only where the group before it had company: who writes alone never waits.
        """
        self._log = log
        self._most, self._linger, self._room = most, linger, queue
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._weight = 0
        self._closing = False
        self._groups = self._entries = self._turned_away = 0
        self._process = os.getpid()
        # A daemon, so that a program that forgets to close still ends; what it has acknowledged is on disk by then.
        self._thread = threading.Thread(target=self._run, name="tongqiu-sequencer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the sequencer."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close it."""
        self.close()

    @property
    def counts(self) -> Counts:
        """Return what was done so far."""
        with self._changed:
            return Counts(self._groups, self._entries, self._turned_away)

    def submit(self, submission: Submission) -> Answer:
        """Queue ``submission`` and return at once; the answer holds its places once they are durable, or what refused it.

        A record that the log has already is answered with the place it has. Raises Unreachable: ``log.busy`` when too
        much is waiting (nothing was kept; its value ``retry_after`` says in how many seconds to come back),
        ``log.stopped`` after :meth:`close` and in a forked child.
        """
        waiting = _Waiting(submission, Future(), max(len(submission.items), 1))
        with self._changed:
            if self._closing or self._process != os.getpid():
                raise stopped()
            # One that is larger than the whole queue is taken when nothing waits: it could never be taken otherwise.
            if self._queue and self._weight + waiting.weight > self._room:
                self._turned_away += 1
                raise busy()
            self._queue.append(waiting)
            self._weight += waiting.weight
            self._changed.notify()
        return waiting.answer

    def append(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Log every submission that is admitted and return one outcome for each, in order, as :meth:`Log.append` does.

        Each may share its flush with what others submit meanwhile. Raises as :meth:`submit`, and whatever kept the log
        from being written.
        """
        answers = [self.submit(submission) for submission in submissions]
        outcomes: list[Outcome] = []
        for answer in answers:
            try:
                outcomes.append(answer.result())
            except (Malformed, Missing, Refused, Unproven) as fault:
                if fault.code in _WHOLE:
                    raise
                outcomes.append(fault)
        return outcomes

    def record(self, *items: Sealed, admit: Callable[[Reading], None] | None = None) -> tuple[Logged, ...]:
        """Log ``items`` together and return their places once durable; raises the fault that refuses them."""
        return self.submit(Submission(items, admit)).result()

    def close(self) -> None:
        """Take nothing more in, write and answer all that waits, and stop. Idempotent."""
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
            # Who gave up waiting before his turn is left out; from here on nobody can give up.
            kept = [each for each in group if each.answer.set_running_or_notify_cancel()]
            if kept:
                self._write(kept)

    def _next(self, company: int) -> list[_Waiting]:
        """Return the next group, at once or after a short wait for those who came along last time; nothing at the end."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            # A few wait for as many as last time; a crowd waits for all that the time allows, since flushes then cost most.
            expected = self._most if company >= _CROWD else min(company, self._most)
            until = time.monotonic() + self._linger
            while len(self._queue) < expected and not self._closing and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            group: list[_Waiting] = []
            weight = 0
            while self._queue and (not group or weight + self._queue[0].weight <= self._most):
                group.append(self._queue.popleft())
                weight += group[-1].weight
            self._weight -= weight
            return group

    def _write(self, group: list[_Waiting]) -> None:
        """Log a group and answer each; what is wrong with one submission must not cost the others their place."""
        try:
            outcomes = self._log.append([each.submission for each in group])
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            if len(group) > 1 and _is_of_one(error):
                for each in group:
                    self._write([each])
                return
            for each in group:
                each.answer.set_exception(error)
            return
        with self._changed:
            self._groups += 1
            self._entries += sum(len(each.submission.items) for each in group)
        for each, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, tuple):
                each.answer.set_result(outcome)
            else:
                each.answer.set_exception(outcome)


_WHOLE = frozenset({"log.fenced", "log.disagrees", "log.copied", "log.corrupt", "tree.tile"})
"""Faults of the log itself, which no submission is to blame for."""


def _is_of_one(error: BaseException) -> bool:
    """Tell whether the error can be the doing of a single submission: a file it names that is not there, its own bug."""
    if isinstance(error, Unreachable):
        return False
    return getattr(error, "code", "") not in _WHOLE


def busy() -> Unreachable:
    """Return the fault of a log that has too much waiting; nothing of the submission was kept."""
    return Unreachable(
        BUSY,
        Text(en="Too much is waiting to be logged.", zh="等待入日志的内容过多。"),
        do=Text(
            en="Send it again in {retry_after} s; nothing was kept.",
            zh="请在 {retry_after} 秒后重新提交；本次内容未保存。",
        ),
        retry_after=RETRY_AFTER,
    )


def stopped() -> Unreachable:
    """Return the fault of a log that is being closed."""
    return Unreachable(
        "log.stopped",
        Text(en="The log takes nothing more in: it is being closed.", zh="日志正在关闭，不再接收内容。"),
        do=Text(en="Open it again.", zh="请重新打开。"),
    )

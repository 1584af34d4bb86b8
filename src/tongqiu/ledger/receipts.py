"""Receipts for many at once: whoever asks while some are being made shares the next look at the tree."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, Self

from tongqiu.record.faults import Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.ledger.log import Log, Logged


class _Waiting(NamedTuple):
    logged: Logged
    subject: str
    answer: Future[bytes]


class Receipts:
    """Makes receipts for what was just logged, in one thread; close it, or use it in a ``with``."""

    def __init__(self, log: Log) -> None:
        """Start the thread that signs for ``log``."""
        self._log = log
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._closing = False
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="tongqiu-receipts", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the maker of receipts."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close it."""
        self.close()

    def ask(self, logged: Logged, subject: str) -> Future[bytes]:
        """Return the receipt of ``logged``, whose envelope names ``subject``, once it is made.

        The answer raises what :meth:`tongqiu.ledger.log.Log.receipts` raises. Raises Unreachable (``log.stopped``).
        """
        answer: Future[bytes] = Future()
        with self._changed:
            if self._closing or self._process != os.getpid():
                raise Unreachable(
                    "log.stopped",
                    Text(en="The log is being closed.", zh="日志正在关闭。"),
                    do=Text(en="Open it again.", zh="请重新打开。"),
                )
            self._waiting.append(_Waiting(logged, subject, answer))
            self._changed.notify()
        return answer

    def close(self) -> None:
        """Answer all that waits, and stop. Idempotent."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._process == os.getpid() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while group := self._next():
            kept = [each for each in group if each.answer.set_running_or_notify_cancel()]
            try:
                made = self._log.receipts([(each.logged, each.subject) for each in kept])
            except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                for each in kept:
                    each.answer.set_exception(error)
                continue
            for each, receipt in zip(kept, made, strict=True):
                each.answer.set_result(receipt)

    def _next(self) -> list[_Waiting]:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            group, self._waiting = self._waiting, []
            return group

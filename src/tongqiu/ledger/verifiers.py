"""Workers that check signatures side by side, so that the one sequencer never waits for arithmetic.

Each worker is a process of its own: reading a strict envelope takes as long as its signature, and one interpreter does one
thing at a time. They hold no key and no file; they are handed bytes and give back bytes and faults.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Self

import msgspec

from tongqiu.ledger.backend import Columns
from tongqiu.ledger.log import Sealed, examine
from tongqiu.record.faults import Fault, Malformed, Unproven, Unreachable
from tongqiu.record.text import Text
from tongqiu.seal.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Sequence

Checked = Sealed | Fault
"""A statement ready to be logged, or why it is not."""


class _Found(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a worker found out about one envelope; the caller has all the rest already."""

    entry: bytes
    issuer: str
    subject: str
    stripped: bytes | None
    """The envelope without receipts, if it came with some."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[_Found | None])


class Verifiers:
    """A few worker processes for envelopes; close them, or use them in a ``with``."""

    def __init__(self, workers: int | None = None) -> None:
        """Make ``workers`` processes (one for each processor unless said); they start when there is work."""
        self.workers = workers or os.cpu_count() or 1
        # Never forked: the caller may hold locks and database connections in other threads.
        self._context = multiprocessing.get_context("forkserver")
        self._lock = threading.Lock()
        self._pool = ProcessPoolExecutor(self.workers, mp_context=self._context)

    def __enter__(self) -> Self:
        """Return the workers."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close them."""
        self.close()

    def check(
        self, statements: Sequence[bytes], keys: Sequence[bytes], contents: Sequence[tuple[bytes, bytes]] = ()
    ) -> Future[list[Checked]]:
        """Check envelopes, each with the COSE_Key (bytes) it must be signed with; answers are in the same order.

        ``contents`` are content and salt of each, or nothing at all where the envelopes are bare.
        Hand over some hundred at a time: a hand-over costs as much as a few signatures, and a thousand fill one group of the
        sequencer, whose flush costs much the same for a third of that. An answer is what
        :func:`tongqiu.ledger.log.check_in` returns or raises; one bad statement costs the others nothing. The whole
        answer is Unreachable (``log.workers``) when a worker died; the next call has new ones.
        """
        answer: Future[list[Checked]] = Future()
        sent, bodies = list(statements), list(contents)

        def done(held: Future[tuple[bytes, dict[int, Malformed | Unproven]]]) -> None:
            error = held.exception()
            if error is not None:
                answer.set_exception(_dead())
                return
            packed, faults = held.result()
            answer.set_result(
                [
                    faults[at] if each is None else _sealed(each, sent[at], bodies[at] if bodies else None)
                    for at, each in enumerate(_DECODER.decode(packed))
                ]
            )

        self._submit(sent, list(keys), bodies).add_done_callback(done)
        return answer

    def _submit(
        self, statements: list[bytes], keys: list[bytes], contents: list[tuple[bytes, bytes]]
    ) -> Future[tuple[bytes, dict[int, Malformed | Unproven]]]:
        """Hand it to the workers, or to new ones where one of them has died since the last time."""
        with self._lock:
            try:
                return self._pool.submit(_check, statements, keys, contents)
            except BrokenProcessPool:
                self._pool = ProcessPoolExecutor(self.workers, mp_context=self._context)
                return self._pool.submit(_check, statements, keys, contents)

    def close(self) -> None:
        """Finish what is under way and end the workers. Idempotent."""
        self._pool.shutdown()


def _check(
    statements: list[bytes], keys: list[bytes], contents: list[tuple[bytes, bytes]]
) -> tuple[bytes, dict[int, Malformed | Unproven]]:
    """Check a piece of work inside a worker; what was found goes back packed, and never what the caller has."""
    known: dict[bytes, PublicKey] = {}
    found: list[_Found | None] = []
    faults: dict[int, Malformed | Unproven] = {}
    for at, (statement, raw) in enumerate(zip(statements, keys, strict=True)):
        try:
            key = known.get(raw) or known.setdefault(raw, PublicKey.from_cose(raw))
            content, salt = contents[at] if contents else (None, None)
            opened = examine(statement, key, content, salt)
        except (Malformed, Unproven) as fault:
            faults[at] = fault
            found.append(None)
        else:
            stripped = opened.stripped if opened.receipts else None
            found.append(_Found(opened.entry, opened.issuer, opened.subject, stripped))
    return _ENCODER.encode(found), faults


def _sealed(found: _Found, statement: bytes, body: tuple[bytes, bytes] | None) -> Sealed:
    content, salt = body or (None, None)
    return Sealed(found.stripped or statement, found.entry, content, salt, Columns("", found.subject, found.issuer))


def _dead() -> Unreachable:
    return Unreachable(
        "log.workers",
        Text(en="A process that checks signatures ended by itself.", zh="核验签名的进程意外终止。"),
        do=Text(
            en="Send it again; nothing was kept. If it stays so, look at the machine's memory.",
            zh="请重新提交；本次内容未保存。若仍如此，请检查本机内存。",
        ),
    )

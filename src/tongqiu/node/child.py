"""One run of one probe, in a process of its own: it reads its order, does the run, and hands back what was seen.

Orders and answers are length-prefixed MessagePack frames of plain values, never pickles: the parent trusts nothing
that a process which touched hostile files sends. When the parent goes away, so does the child.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tongqiu.node.world import LentWorld, confine
from tongqiu.practice import load
from tongqiu.record.faults import TABLE, Fault, Malformed
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

FRAME_LIMIT = 512 << 20
_PATIENCE = 0.05


class Order(msgspec.Struct, frozen=True):
    """What the child is to do: which function, with which parameters, over which files, under which limits."""

    observe: str
    params_type: str
    params: Any
    subject: Subject
    folder: str
    reads: tuple[str, ...]
    needs: tuple[str, ...]
    megabytes: int
    seconds: int


class Handed(msgspec.Struct, frozen=True):
    """One record as it crosses from child to parent: the body is plain values."""

    kind: str
    subject: Subject
    body: Any
    thread: str | None
    files: tuple[tuple[str, str, bytes], ...]

    def said(self) -> Said:
        """Return it as the node reads it; the body stays plain until its kind has checked it."""
        files = tuple(Attachment(*file) for file in self.files)
        return Said(self.kind, self.subject, self.body, thread=self.thread, files=files)


class Failed(msgspec.Struct, frozen=True):
    """A fault as it crosses from child to parent."""

    branch: str
    code: str
    what: Text
    do: Text
    where: str

    def fault(self) -> Fault:
        """Return the fault again."""
        branch = next((cls for cls in TABLE if cls.__name__ == self.branch), Malformed)
        return branch(self.code, self.what, do=self.do, where=self.where)

    @classmethod
    def of(cls, fault: Fault) -> Failed:
        """Return ``fault`` as plain values."""
        branch = next(each.__name__ for each in type(fault).__mro__ if each in TABLE)
        return cls(branch, fault.code, fault.what, fault.do, fault.where)


class Frame(msgspec.Struct, frozen=True):
    """One message from child to parent: progress, or the end with either records or a fault."""

    done: float | None = None
    total: float | None = None
    handed: tuple[Handed, ...] | None = None
    failed: Failed | None = None
    isolated: bool = False
    meter: dict[str, float | None] | None = None


def write(stream: IO[bytes], value: object) -> None:
    """Write one frame: four bytes of length, then MessagePack."""
    data = msgspec.msgpack.encode(value)
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.flush()


def read(stream: IO[bytes]) -> bytes | None:
    """Return the bytes of one frame, or None at the end. Raises Malformed (``child.frame``) beyond the limit."""
    head = stream.read(4)
    if len(head) < 4:  # noqa: PLR2004 - the length prefix
        return None
    size = int.from_bytes(head, "big")
    if size > FRAME_LIMIT:
        raise Malformed(
            "child.frame",
            Text(en="A run handed back more than {limit} bytes.", zh="检测交回的数据超过 {limit} 字节。"),
            do=Text(en="Give it a smaller input.", zh="请换用较小的输入。"),
            limit=FRAME_LIMIT,
        )
    data = stream.read(size)
    return data if len(data) == size else None


def observe(order: Order, *, report: Any, scratch: Path) -> tuple[Handed, ...]:  # noqa: ANN401 - a callable
    """Do the run that ``order`` describes and return its records as plain values. Raises Fault."""
    params = msgspec.convert(order.params, load(order.params_type), strict=False)
    world = LentWorld(order.needs, folder=Path(order.folder), reads=order.reads, scratch=scratch, report=report)
    said: Iterable[Said] = load(order.observe)(order.subject, params, world)
    return tuple(
        Handed(
            each.kind,
            each.subject,
            msgspec.to_builtins(each.body, str_keys=True),
            each.thread,
            tuple(tuple(file) for file in each.files),  # type: ignore[misc]
        )
        for each in said
    )


def main() -> None:
    """Read one order from standard input, do it, and write frames to what was standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    data = read(sys.stdin.buffer)
    if data is None:
        return
    order = msgspec.msgpack.decode(data, type=Order)
    threading.Thread(target=_follow_parent, daemon=True).start()
    lock, last = threading.Lock(), [0.0]

    def report(done: float, total: float | None = None) -> None:
        now = time.monotonic()
        if now - last[0] >= _PATIENCE:
            last[0] = now
            with lock:
                write(answers, Frame(done=float(done), total=None if total is None else float(total)))

    isolated = confine(order.megabytes, order.seconds, network="endpoint" in order.needs)
    with tempfile.TemporaryDirectory(prefix="tongqiu-run-") as scratch:
        try:
            end = Frame(handed=observe(order, report=report, scratch=Path(scratch)), isolated=isolated)
        except Fault as fault:
            end = Frame(failed=Failed.of(fault), isolated=isolated)
        except MemoryError:
            end = Frame(failed=Failed.of(_too_large(order.megabytes)), isolated=isolated)
    with lock:
        write(answers, end)


def _follow_parent() -> None:
    """Leave at once when the parent closes our input: it was killed, or gave up on us."""
    os.read(0, 1)
    os._exit(70)


def _too_large(megabytes: int) -> Fault:
    return Malformed(
        "child.memory",
        Text(en="The run needed more than {limit} MB of memory.", zh="检测所需内存超过 {limit} MB。"),
        do=Text(en="Give it a smaller input, or raise the limit.", zh="请换用较小的输入，或提高限额。"),
        limit=megabytes,
    )


if __name__ == "__main__":
    main()

"""Doing runs side by side in child processes, with progress, limits and a clean end whatever happens to a child."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from tongqiu.node import child
from tongqiu.record.faults import Fault, Malformed, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tongqiu.record.statement import Said

Progress = "Callable[[str, float, float | None], None]"


class Planned(NamedTuple):
    """A run that is to be done: its name for people, its key, and the order for the child."""

    name: str
    key: str
    order: child.Order


class Ended(NamedTuple):
    """A run that came to its end, with records or with a fault."""

    planned: Planned
    said: tuple[Said, ...]
    fault: Fault | None
    isolated: bool


class Runner(Protocol):
    """Whoever can do runs: child processes in a real node, the same process in a paper world."""

    def run(self, planned: Iterable[Planned], progress: Callable[[str, float, float | None], None]) -> Iterator[Ended]:
        """Yield each run as it ends, in any order."""
        ...


class ChildRunner:
    """Runs in child processes, at most ``width`` at once."""

    def __init__(self, width: int | None = None) -> None:
        """Use ``width`` processes, or as many as this machine has cores."""
        self._width = width or os.cpu_count() or 1

    def run(self, planned: Iterable[Planned], progress: Callable[[str, float, float | None], None]) -> Iterator[Ended]:
        """Yield each run as it ends. Leaving the loop early ends the children that are left."""
        living: set[subprocess.Popen[bytes]] = set()
        with ThreadPoolExecutor(self._width) as pool:
            waiting = [pool.submit(_one, each, progress, living) for each in planned]
            try:
                for future in as_completed(waiting):
                    yield future.result()
            finally:
                for future in waiting:
                    future.cancel()
                for process in list(living):
                    with contextlib.suppress(OSError):
                        process.kill()


def _one(
    planned: Planned,
    progress: Callable[[str, float, float | None], None],
    living: set[subprocess.Popen[bytes]],
) -> Ended:
    """Do one run in a child and return its end; a child that dies silently ends in a fault that says so."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "tongqiu.node.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    living.add(process)
    complaints: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(process, complaints), daemon=True)
    listener.start()
    timer = threading.Timer(planned.order.seconds, process.kill)
    timer.start()
    try:
        assert process.stdin is not None  # noqa: S101 - opened above
        assert process.stdout is not None  # noqa: S101 - opened above
        with contextlib.suppress(BrokenPipeError):
            child.write(process.stdin, planned.order)
        while data := child.read(process.stdout):
            frame = msgspec.msgpack.decode(data, type=child.Frame)
            if frame.failed is not None:
                return Ended(planned, (), frame.failed.fault(), frame.isolated)
            if frame.handed is not None:
                return Ended(planned, tuple(each.said() for each in frame.handed), None, frame.isolated)
            if frame.done is not None:
                progress(planned.name, frame.done, frame.total)
        process.wait()
        listener.join(1)
        return Ended(planned, (), _died(process.returncode, b"".join(complaints)), isolated=False)
    except (Fault, msgspec.MsgspecError) as error:
        return Ended(
            planned, (), error if isinstance(error, Fault) else _died(None, str(error).encode()), isolated=False
        )
    finally:
        timer.cancel()
        with contextlib.suppress(OSError):
            process.kill()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        process.wait()
        living.discard(process)


def _listen(process: subprocess.Popen[bytes], complaints: list[bytes]) -> None:
    """Keep the last complaints of a child, so that its end can be explained; never more than a few kilobytes."""
    assert process.stderr is not None  # noqa: S101 - opened by the caller
    with process.stderr:
        while chunk := process.stderr.read1(4096):  # type: ignore[attr-defined]
            complaints.append(chunk)
            del complaints[:-4]


def _died(code: int | None, complaint: bytes) -> Fault:
    if code is not None and code < 0:
        return Refused(
            "run.ended",
            Text(
                en="The run was ended by the system (signal {signal}): a limit of time or memory.",
                zh="检测被系统终止（信号 {signal}）：超出时间或内存限制。",
            ),
            do=Text(en="Give it a smaller input, or raise the limit.", zh="请换用较小的输入，或提高限额。"),
            signal=-code,
        )
    return Malformed(
        "run.failed",
        Text(en="The check broke off: {error}", zh="检测中断：{error}"),
        do=Text(
            en="This is a defect of the check; report it with the line above.",
            zh="这是检测程序的缺陷；请附上此行报告。",
        ),
        error=complaint.decode(errors="replace").strip().rpartition("\n")[2][:300] or f"exit code {code}",
    )

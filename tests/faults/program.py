"""Programs that write, ready to be disturbed: ``python -m tests.faults.program`` forks one off whenever it is asked.

Everything is imported, and has run once, before the first fork; a forked program therefore makes no system call but those of
its work, and starts in a millisecond. It waits until whoever asked has strace attached to it. Requests and answers are JSON,
a line each: ``{"what": ..., "folder": ...}`` is answered by the process number; after ``go`` comes how it ended.

What a program acknowledges goes out over a socket, so that disturbing ``write`` disturbs files alone.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import socket
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tests.ledger.said_before_cut import PLANTED, work
from tests.ledger.test_sequencer import LOG_KEY, ORIGIN, sealed
from tests.store.paper import NOTES, Paper
from tongqiu.ledger.log import Log
from tongqiu.ledger.sequencer import Sequencer
from tongqiu.node import open_node
from tongqiu.record import core
from tongqiu.record.faults import Fault
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.store.house import Store

PERSONAL = 1
"""The place of the record that :func:`erase` erases."""

TOLD, UNREADABLE = 3, 4
"""Exit codes of a program that was told by a fault what had happened, and of one whose own source could not be read."""

_ANYONE = ctypes.c_ulong(-1)
_SET_TRACER = 0x59616D61


def store(folder: Path, told: Callable[[str], None]) -> None:
    """Make a store and do all that a log does; open it again and go on."""
    for again in (False, True):
        with open_store(folder, create=True) as opened:
            work(opened, told, again=again)


def publish(folder: Path, told: Callable[[str], None]) -> None:
    """Hand one record to the sequencer of a store that is there."""
    with open_store(folder, create=True) as opened, Sequencer(Log(opened.backend, LOG_KEY, ORIGIN)) as sequencer:
        (place,) = sequencer.record(sealed("new"))
        told(f"logged {place.index} {place.entry.hex()}")


def node(folder: Path, told: Callable[[str], None]) -> None:
    """Begin a node, publish and erase."""
    with open_node(folder, create=True, name="Laboratory") as opened:
        subject = Subject("system", "urn:tongqiu:test:one", None, "One")
        for purpose in ("first", "second"):
            said = Said(core.COMPOSITION.name, subject, core.Composition(parts=(), purpose=purpose))
            for each in opened.publish([said]):
                told(f"logged {each.index} {each.entry}")
        opened.erase(opened.desk(opened.owner).said(core.COMPOSITION.name)[0], ground="Art. 17")
        told("erased")


def erase(folder: Path, told: Callable[[str], None]) -> None:
    """Erase the personal record of a store that is there, with its file and its rows in a registry, and scrub."""
    with open_store(folder, create=True) as opened:
        paper = begin(opened)
        paper.erase(PERSONAL)
        told("erased")
        opened.backend.scrub()
        told("scrubbed")


def begin(opened: Store) -> Paper:
    """Put what :func:`erase` needs into a store that has nothing yet, and return who says more there."""
    paper = Paper(opened)
    if opened.backend.head().size == 0:
        registry = opened.registry([NOTES])
        digest, _ = opened.backend.stage(io.BytesIO(PLANTED * 20_000), limit=1 << 22)
        for number in range(3):
            words, files = (PLANTED.decode() * 200, (digest,)) if number == PERSONAL else ("plain", ())
            paper.say({"key": str(number), "words": words}, files=files)
        registry.catch_up()
    paper.count = opened.backend.head().size + 100
    return paper


PROGRAMS = {each.__name__: each for each in (store, publish, node, erase)}


def main() -> None:
    """Serve requests until there are no more."""
    for each in PROGRAMS.values():
        with tempfile.TemporaryDirectory() as folder:
            each(Path(folder) / "warm", lambda _: None)
    _say({"ready": True})
    for line in sys.stdin:
        _serve(json.loads(line))


def _serve(asked: dict[str, str]) -> None:
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _be(asked, theirs)
    theirs.close()
    _say({"pid": child})
    sys.stdin.readline()
    ours.sendall(b"!")
    _, status = os.waitpid(child, 0)
    told = b"".join(iter(lambda: ours.recv(1 << 16), b"")).decode()
    ours.close()
    *said, last = told.split("\n")
    _say(
        {"told": [each for each in said if not each.startswith("? ")], "code": os.waitstatus_to_exitcode(status)}
        | {"fault": "\n".join(each[2:] for each in said if each.startswith("? ")) + last}
    )


def _be(asked: dict[str, str], line: socket.socket) -> None:
    """Do the work and end; never returns."""
    ctypes.CDLL(None).prctl(_SET_TRACER, _ANYONE, 0, 0, 0)
    line.recv(1)
    code = 0
    try:
        PROGRAMS[asked["what"]](Path(asked["folder"]), lambda what: line.sendall(what.encode() + b"\n"))
    except Fault as fault:
        line.sendall(f"? {fault.code}\n".encode())
        code = TOLD
    except OSError as error:
        # Alembic reads the steps of a migration from their files each time; a broken installation is no fault of the disk.
        code = UNREADABLE if str(error.filename).endswith((".py", ".pyc")) else 1
        line.sendall(f"? {error!r} {error.filename}\n".encode())
    except BaseException:  # noqa: BLE001 - whatever else comes out is what the tests look for
        line.sendall(b"".join(b"? " + each.encode() + b"\n" for each in traceback.format_exc().splitlines()))
        code = 1
    os._exit(code)


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Whether a process that said it was at work is still the one that said so, and how to end it with all it started."""

from __future__ import annotations

import datetime
import os
import signal
import socket
from pathlib import Path

SILENT_SECONDS = 120.0
"""How long a job on another machine may say nothing before it counts as interrupted."""


def lives(host: str, pid: int, born: str, beat: str) -> bool:
    """Tell whether the process ``pid`` of ``host``, born and last heard of then, still lives."""
    if host == here():
        pid = abs(pid)
        # A number that was given to a new process was born at another time.
        return born_at(pid) == born if born else _answers(pid)
    silent = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(beat)
    return silent.total_seconds() < SILENT_SECONDS


def born_at(pid: int) -> str:
    """Return when a process began, in ticks since boot (proc(5), field 22), or nothing where that cannot be known."""
    try:
        data = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The second field, in brackets, may hold anything; a dead child that nobody has waited for has state Z.
    fields = data.rpartition(b")")[2].split()
    return "" if fields[0] in {b"Z", b"X"} else fields[19].decode()


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def here() -> str:
    """Return the name of this boot of this machine where there is one: after a restart no process of before lives."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()} {boot}".strip()


def end_group(pid: int) -> bool:
    """End a process, with its whole group where it leads one of its own."""
    try:
        if hasattr(os, "killpg") and os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
    except OSError:
        return False
    return True

"""Long work that outlives the connection of whoever began it: how far it is, how it ended, and whether it still runs.

A job is *running* only while its process lives. Once that is gone without a last word, every reader sees *interrupted*,
whatever the row says.
"""

from __future__ import annotations

import datetime
import os
import secrets
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from tongqiu.record.faults import Missing, Refused
from tongqiu.record.statement import instant
from tongqiu.record.text import Text
from tongqiu.store import schema

if TYPE_CHECKING:
    from tongqiu.record.audience import Principal
    from tongqiu.record.faults import Fault
    from tongqiu.store.database import Database

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

SILENT_SECONDS = 120.0
"""How long a job on another machine may say nothing before it counts as interrupted."""

_BETWEEN_NOTES = 0.5
_J = schema.job.c
_OPEN = ("queued", "running")


class Fell(msgspec.Struct, frozen=True):
    """The fault that ended a job."""

    code: str
    what: Text
    do: Text
    where: str = ""


class Job(NamedTuple):
    """One job as it stands. ``args`` and ``result`` are plain values; times are RFC 3339 in UTC."""

    id: str
    kind: str
    args: Any
    owner: str
    state: State
    done: float
    total: float | None
    note: str
    result: Any
    fault: Fell | None
    cancel: bool
    pid: int
    created: str
    beat: str


class Jobs:
    """The jobs of one store."""

    def __init__(self, database: Database) -> None:
        """Keep them in ``database``."""
        self._database = database
        self._noted: dict[str, float] = {}

    def create(self, kind: str, args: object, owner: str) -> str:
        """Queue a job of ``owner`` (a party's DID; empty for the node's own) and return its id, which cannot be guessed."""
        name, now = secrets.token_hex(16), _now()
        with self._database.write(lock=False) as connection:
            connection.execute(
                sa.insert(schema.job).values(
                    id=name,
                    kind=kind,
                    args=_text(args),
                    owner=owner,
                    state="queued",
                    done=0.0,
                    note="",
                    cancel=False,
                    host="",
                    pid=0,
                    born="",
                    created=now,
                    beat=now,
                )
            )
        return name

    def start(self, name: str, pid: int | None = None) -> None:
        """Say that process ``pid`` (default: this one) has begun. Raises Refused (``job.state``) if another one has."""
        pid = os.getpid() if pid is None else pid
        self._change(name, ("queued",), state="running", pid=pid, host=_host(), born=_born(pid))

    def progress(self, name: str, done: float, total: float | None = None, note: str = "") -> bool:
        """Say how far the job is; return whether somebody asked it to stop. Written at most twice a second."""
        now = time.monotonic()
        if now - self._noted.get(name, -1.0) < _BETWEEN_NOTES and done != total:
            return False
        self._noted[name] = now
        self._change(name, ("running",), done=float(done), total=total, note=note[:500])
        return self.get(name).cancel

    def heartbeat(self, name: str) -> bool:
        """Say that the job still runs; return whether somebody asked it to stop."""
        self._change(name, ("running",))
        return self.get(name).cancel

    def finish(self, name: str, result: object = None) -> None:
        """Say that the job is done, with a plain result."""
        self._change(name, _OPEN, state="done", result=_text(result))

    def fail(self, name: str, fault: Fault) -> None:
        """Say that ``fault`` ended the job."""
        fell = Fell(fault.code, fault.what, fault.do, fault.where)
        self._change(name, _OPEN, state="failed", fault=_text(fell))

    def cancel(self, name: str) -> None:
        """Ask the job to stop: one that has not begun is cancelled at once, one that runs sees it at its next word."""
        with self._database.write(lock=False) as connection:
            chosen = sa.update(schema.job).where(_J.id == name)
            connection.execute(chosen.where(_J.state == "running").values(cancel=True))
            connection.execute(chosen.where(_J.state == "queued").values(cancel=True, state="cancelled"))

    def stopped(self, name: str) -> None:
        """Say that the job stopped because it was asked to."""
        self._change(name, _OPEN, state="cancelled")

    def get(self, name: str) -> Job:
        """Return a job. Raises Missing (``job.none``)."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(schema.job).where(_J.id == name)).first()
        if found is None:
            raise _none(name)
        return _job(found)

    def list(self, principal: Principal, *, limit: int = 100) -> list[Job]:
        """Return the jobs that ``principal`` owns, for the node's owner (role ``owner``) all of them, the newest first."""
        wanted = sa.select(schema.job).order_by(_J.created.desc(), _J.id).limit(limit)
        if "owner" not in principal.roles:
            if principal.party is None:
                return []
            wanted = wanted.where(_J.owner == principal.party)
        with self._database.read() as connection:
            return [_job(each) for each in connection.execute(wanted)]

    def _change(self, name: str, states: tuple[str, ...], **values: object) -> None:
        changed = sa.update(schema.job).where(_J.id == name, _J.state.in_(states)).values(beat=_now(), **values)
        with self._database.write(lock=False) as connection:
            count = connection.execute(changed).rowcount
            found = connection.execute(sa.select(_J.state).where(_J.id == name)).scalar()
        if found is None:
            raise _none(name)
        if not count:
            raise Refused(
                "job.state",
                Text(en="The job is {state} and cannot be changed so.", zh="任务状态为 {state}，不能如此变更。"),
                do=Text(en="Begin a new job.", zh="请另建任务。"),
                where=name,
                state=found,
            )


def _job(found: Any) -> Job:  # noqa: ANN401 - a selected row
    state: State = found.state
    if state == "running" and not _lives(found.host, found.pid, found.born, found.beat):
        state = "interrupted"
    return Job(
        found.id,
        found.kind,
        msgspec.json.decode(found.args),
        found.owner,
        state,
        found.done,
        found.total,
        found.note,
        None if found.result is None else msgspec.json.decode(found.result),
        None if found.fault is None else msgspec.json.decode(found.fault, type=Fell),
        found.cancel,
        found.pid,
        found.created,
        found.beat,
    )


def _lives(host: str, pid: int, born: str, beat: str) -> bool:
    if host == _host():
        # A number that was given to a new process was born at another time.
        return _born(pid) == born if born else _answers(pid)
    silent = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(beat)
    return silent.total_seconds() < SILENT_SECONDS


def _born(pid: int) -> str:
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


def _host() -> str:
    """Return the name of this boot of this machine where there is one: after a restart no process of before lives."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()} {boot}".strip()


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _now() -> str:
    return instant(datetime.datetime.now(datetime.UTC))


def _none(name: str) -> Missing:
    return Missing(
        "job.none",
        Text(en="There is no such job.", zh="没有该任务。"),
        do=Text(en="List the jobs.", zh="请列出任务。"),
        where=name[:64],
    )

"""Long work that outlives the connection of whoever began it: how far it is, how it ended, and whether it still runs.

A job is *running* only while its process lives. Once that is gone without a last word, every reader sees *interrupted*,
whatever the row says, until somebody who looks after jobs takes it up again (:meth:`Jobs.take_up`).
"""

from __future__ import annotations

import datetime
import os
import secrets
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from tongqiu.record.faults import Missing, Refused
from tongqiu.record.statement import instant
from tongqiu.record.text import Text
from tongqiu.record.types import ready
from tongqiu.store import schema
from tongqiu.store.processes import born_at, end_group, here, lives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.record.audience import Principal
    from tongqiu.record.faults import Fault
    from tongqiu.store.database import Database

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

MOST_TRIES = 3
"""How often a job is begun before its end without a word counts as a failure."""

MOST_WAITING = 50
"""How many jobs one person may have in the queue."""

KEPT_DAYS = 90
"""How long a job that has ended is kept, in days."""

_BETWEEN_NOTES = 0.5
_LOOK = 1000
_J = schema.job.c
_OPEN = ("queued", "running")
_STEP = _J.step + 1


class Fell(msgspec.Struct, frozen=True):
    """The fault that ended a job."""

    code: str
    what: Text
    do: Text
    where: str = ""


class Job(NamedTuple):
    """One job as it stands. ``args`` and ``result`` are plain values; times are RFC 3339 in UTC.

    ``owner`` is a party (DID) and ``person`` whoever of it began the job (URN, empty for a program). ``tries`` is how often
    it was begun, ``step`` a number that grows with every change, ``away`` whether it was put away from the work queue.
    """

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
    person: str = ""
    tries: int = 0
    step: int = 0
    away: bool = False

    def ended(self) -> bool:
        """Tell whether nothing will change any more."""
        return self.state in {"done", "failed", "cancelled"}


class Jobs:
    """The jobs of one store."""

    def __init__(self, database: Database) -> None:
        """Keep them in ``database``."""
        self._database = database
        self._noted: dict[str, float] = {}

    def create(self, kind: str, args: object, owner: str, *, person: str = "") -> str:
        """Queue a job of ``owner`` (a party's DID; empty for the node's own) and return its id, which cannot be guessed.

        Raises Refused (``job.many``) where as many of the same person's wait already as may.
        """
        name, now = secrets.token_hex(16), _now()
        same = (_J.state == "queued", _J.owner == owner, _J.person == person)
        with self._database.write(lock=False) as connection:
            waiting = connection.execute(sa.select(sa.func.count()).select_from(schema.job).where(*same)).scalar_one()
            if waiting >= MOST_WAITING:
                raise _many()
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
                    person=person,
                    tries=0,
                    step=0,
                    began="",
                    away=False,
                )
            )
        return name

    def start(self, name: str, pid: int | None = None, *, handing: bool = False) -> None:
        """Say that process ``pid`` (default: this one) has begun. Raises Refused (``job.state``) if another one has.

        With ``handing`` it only holds the job for a process that it is about to start (:meth:`hand_over`): then its number
        is kept below zero, and ending the job does not end it.
        """
        pid = os.getpid() if pid is None else pid
        self._change(
            name,
            ("queued",),
            state="running",
            pid=-pid if handing else pid,
            host=here(),
            born=born_at(pid),
            tries=_J.tries + 1,
            step=_STEP,
            began=_now(),
        )

    def hand_over(self, name: str, giver: int) -> None:
        """Say that this process goes on with what process ``giver`` holds for it. Raises Refused (``job.state``)."""
        mine = os.getpid()
        self._change(name, ("running",), _J.pid == -giver, pid=mine, host=here(), born=born_at(mine))

    def progress(self, name: str, done: float, total: float | None = None, note: str = "") -> bool:
        """Say how far the job is; return whether somebody asked it to stop. Written at most twice a second."""
        now = time.monotonic()
        if now - self._noted.get(name, -1.0) < _BETWEEN_NOTES and done != total:
            return False
        self._noted[name] = now
        self._change(name, ("running",), done=float(done), total=total, note=note[:500], step=_STEP)
        return self.get(name).cancel

    def heartbeat(self, name: str) -> bool:
        """Say that the job still runs; return whether somebody asked it to stop."""
        self._change(name, ("running",))
        return self.get(name).cancel

    def finish(self, name: str, result: object = None) -> None:
        """Say that the job is done, with a plain result."""
        self._change(name, _OPEN, state="done", result=_text(result), step=_STEP)

    def fail(self, name: str, fault: Fault) -> None:
        """Say that ``fault`` ended the job."""
        fell = Fell(fault.code, fault.what, fault.do, fault.where)
        self._change(name, _OPEN, state="failed", fault=_text(fell), step=_STEP)

    def cancel(self, name: str) -> None:
        """Ask the job to stop: one that has not begun is cancelled at once, one that runs sees it at its next word."""
        with self._database.write(lock=False) as connection:
            chosen = sa.update(schema.job).where(_J.id == name)
            connection.execute(chosen.where(_J.state == "running").values(cancel=True, step=_STEP))
            connection.execute(chosen.where(_J.state == "queued").values(cancel=True, state="cancelled", step=_STEP))

    def stopped(self, name: str) -> None:
        """Say that the job stopped because it was asked to."""
        self._change(name, _OPEN, state="cancelled", step=_STEP)

    def end(self, name: str) -> bool:
        """End the process of a running job, with its whole group, at once; return whether it was here to be ended."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(schema.job).where(_J.id == name)).first()
        if found is None:
            raise _none(name)
        # Whoever only holds it for another, and we ourselves, are not the job.
        if found.state != "running" or found.host != here() or found.pid <= 0 or found.pid == os.getpid():
            return False
        if not found.born or born_at(found.pid) != found.born:
            return False
        return end_group(found.pid)

    def put_away(self, name: str) -> None:
        """Take a job that has ended off the work queue. Idempotent. Raises Missing, Refused (``job.state``)."""
        self._change(name, ("done", "failed", "cancelled"), away=True)

    def again(self, name: str, person: str = "") -> str:
        """Queue the work of a job that failed or was cancelled once more, and return the new job's id."""
        old = self.get(name)
        if old.state not in {"failed", "cancelled"}:
            raise _state(name, old.state)
        new = self.create(old.kind, old.args, old.owner, person=person or old.person)
        self.put_away(name)
        return new

    # --- looking after them ------------------------------------------------------------------------------------------

    def take_up(self) -> list[str]:
        """Queue again what was interrupted; return the names.

        What was asked to stop is cancelled instead, and what was begun :data:`MOST_TRIES` times fails (``job.tries``).
        """
        taken = []
        for row in self._rows(_J.state == "running"):
            if lives(row.host, row.pid, row.born, row.beat):
                continue
            values: dict[str, Any] = {"state": "queued", "pid": 0, "host": "", "born": "", "done": 0.0}
            if row.cancel:
                values = {"state": "cancelled"}
            elif row.tries >= MOST_TRIES:
                values = {"state": "failed", "fault": _text(_tired(row.tries))}
            # The process that we saw dead, and no other: somebody else may have taken it up meanwhile.
            same = sa.and_(_J.pid == row.pid, _J.born == row.born, _J.host == row.host)
            changed = sa.update(schema.job).where(_J.id == row.id, _J.state == "running", same)
            with self._database.write(lock=False) as connection:
                if connection.execute(changed.values(beat=_now(), step=_STEP, **values)).rowcount:
                    taken += [row.id] if values["state"] == "queued" else []
        return taken

    def running(self) -> list[Job]:
        """Return the jobs whose processes live."""
        return [job for job in map(_job, self._rows(_J.state == "running")) if job.state == "running"]

    def waiting(self) -> int:
        """Return how many jobs wait, at most a thousand."""
        return len(self._rows(_J.state == "queued"))

    def leave(self, name: str) -> None:
        """Give back a job that this process began and nobody took over: it waits again, or has failed too often."""
        job = self.get(name)
        if job.tries >= MOST_TRIES:
            self._change(name, ("running",), state="failed", fault=_text(_tired(job.tries)), step=_STEP)
        else:
            self._change(name, ("running",), state="queued", pid=0, host="", born="", step=_STEP)

    def next(self) -> str | None:
        """Return the job whose turn it is, or None: of whoever has the fewest running, then waited longest, the oldest.

        A job that was interrupted waits a few seconds, longer each time.
        """
        busy: dict[tuple[str, str], int] = {}
        for job in self.running():
            busy[job.owner, job.person] = busy.get((job.owner, job.person), 0) + 1
        latest = sa.select(_J.owner, _J.person, sa.func.max(_J.began)).group_by(_J.owner, _J.person)
        with self._database.read() as connection:
            last = {(each[0], each[1]): each[2] for each in connection.execute(latest)}
        now = datetime.datetime.now(datetime.UTC)
        ready = [row for row in self._rows(_J.state == "queued") if _rested(row, now)]
        if not ready:
            return None

        def turn(row: Any) -> tuple[int, str, str, str]:  # noqa: ANN401 - a selected row
            whose = (row.owner, row.person)
            return busy.get(whose, 0), last.get(whose, ""), row.created, row.id

        return str(min(ready, key=turn).id)

    def sweep(self, days: int = KEPT_DAYS) -> int:
        """Forget jobs that ended more than ``days`` ago; return how many."""
        before = instant(datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days))
        old = sa.delete(schema.job).where(_J.state.in_(("done", "failed", "cancelled")), _J.beat < before)
        with self._database.write(lock=False) as connection:
            return int(connection.execute(old).rowcount)

    # --- reading -----------------------------------------------------------------------------------------------------

    def get(self, name: str) -> Job:
        """Return a job. Raises Missing (``job.none``)."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(schema.job).where(_J.id == name)).first()
        if found is None:
            raise _none(name)
        return _job(found)

    def seen(self, name: str, principal: Principal) -> Job:
        """Return a job as ``principal`` may see it. Raises Missing (``job.none``), also for one it may not see."""
        job = self.get(name)
        if not sees(job, principal):
            raise _none(name)
        return job

    def list(
        self,
        principal: Principal,
        *,
        limit: int = 100,
        before: str = "",
        states: Sequence[State] = (),
        away: bool = True,
    ) -> list[Job]:
        """Return the jobs that ``principal`` may see (:func:`sees`), the newest first.

        ``before`` is the ``created|id`` of the last one seen; ``states`` narrow; without ``away`` those put away are left out.
        """
        wanted = sa.select(schema.job).order_by(_J.created.desc(), _J.id.desc()).limit(limit)
        if (mine := _whose(principal)) is None:
            return []
        wanted = wanted.where(*mine)
        if before:
            created, _, name = before.partition("|")
            wanted = wanted.where(sa.or_(_J.created < created, sa.and_(_J.created == created, _J.id < name)))
        if states:
            # A row says running until somebody notices that it is not.
            kept = {"running" if each == "interrupted" else each for each in states}
            wanted = wanted.where(_J.state.in_(kept))
        if not away:
            wanted = wanted.where(_J.away.is_(False))
        with self._database.read() as connection:
            found = [_job(each) for each in connection.execute(wanted)]
        return [each for each in found if not states or each.state in states]

    def count(self, principal: Principal, states: Sequence[State], *, most: int = 1000) -> int:
        """Return how many jobs that are not put away ``principal`` may see in ``states``, at most ``most`` + 1."""
        if (mine := _whose(principal)) is None:
            return 0
        kept = {"running" if each == "interrupted" else each for each in states}
        chosen = sa.select(_J.id).where(*mine, _J.state.in_(kept), _J.away.is_(False)).limit(most + 1).subquery()
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(chosen)).scalar_one())

    def _rows(self, *conditions: sa.ColumnElement[bool]) -> Sequence[Any]:
        with self._database.read() as connection:
            return list(
                connection.execute(sa.select(schema.job).where(*conditions).order_by(_J.created, _J.id).limit(_LOOK))
            )

    def _change(
        self, name: str, states: tuple[str, ...], *conditions: sa.ColumnElement[bool], **values: object
    ) -> None:
        chosen = sa.update(schema.job).where(_J.id == name, _J.state.in_(states), *conditions)
        changed = chosen.values(**({} if "away" in values else {"beat": _now()}), **values)
        with self._database.write(lock=False) as connection:
            count = connection.execute(changed).rowcount
            found = connection.execute(sa.select(_J.state).where(_J.id == name)).scalar()
        if found is None:
            raise _none(name)
        if not count:
            raise _state(name, found)


def sees(job: Job, principal: Principal) -> bool:
    """Tell whether ``principal`` may see a job: the node's owner, the person who began it, or a program of its party."""
    if "owner" in principal.roles:
        return True
    if principal.person:
        return job.person == principal.person
    return bool(principal.party) and not job.person and job.owner == principal.party


def _whose(principal: Principal) -> list[sa.ColumnElement[bool]] | None:
    """Return the conditions of :func:`sees` for a select, None where nothing fits."""
    if "owner" in principal.roles:
        return []
    if principal.person:
        return [_J.person == principal.person]
    return [_J.owner == principal.party, _J.person == ""] if principal.party else None


def _rested(row: Any, now: datetime.datetime) -> bool:  # noqa: ANN401 - a selected row
    waited = now - datetime.datetime.fromisoformat(row.beat)
    return bool(row.tries == 0) or waited.total_seconds() >= 2.0**row.tries - 1


def _job(found: Any) -> Job:  # noqa: ANN401 - a selected row
    state: State = found.state
    if state == "running" and not lives(found.host, found.pid, found.born, found.beat):
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
        None if found.fault is None else msgspec.json.decode(found.fault, type=ready(Fell)),
        found.cancel,
        found.pid,
        found.created,
        found.beat,
        found.person,
        found.tries,
        found.step,
        found.away,
    )


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


def _state(name: str, state: str) -> Refused:
    return Refused(
        "job.state",
        Text(en="The job is {state} and cannot be changed so.", zh="任务状态为 {state}，不能如此变更。"),
        do=Text(en="Begin a new job.", zh="请另建任务。"),
        where=name,
        state=state,
    )


def _many() -> Refused:
    return Refused(
        "job.many",
        Text(en="You have {most} jobs waiting already.", zh="您已有 {most} 项任务在等待。"),
        do=Text(en="Wait until some are done, or cancel some.", zh="请等待部分任务完成，或取消一些。"),
        most=MOST_WAITING,
    )


def _tired(tries: int) -> Fell:
    what = Text(
        en="The work was begun {tries} times and broke off each time.", zh="工作已开始 {tries} 次，每次都中断。"
    )
    do = Text(
        en="Look at memory, disk and the system's log, then start it again; what was done is kept.",
        zh="请检查内存、磁盘和系统日志后重新开始；已完成的部分均已保存。",
    )
    return Fell("job.tries", what.fill(tries=tries), do)

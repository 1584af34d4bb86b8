"""How a job goes on, while one looks: a page that grows without any script, and the same as a stream for programs.

The page is sent piece by piece for as long as the job runs; its style shows the last piece. Once it has ended it loads
itself again and rests. Where the connection drops it keeps what it showed, and a link leads to the present state, from which
it goes on. ``/jobs/ID/stream`` gives server-sent events (HTML Standard, 9.2), which go on from the last one that was seen, or
one JSON object a line. Streams are few, end after a while, and stop when the right to see the job does.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tongqiu.node import queue as queues
from tongqiu.node.node import Node as RealNode
from tongqiu.node.people import may
from tongqiu.portal import directory, sheet
from tongqiu.portal.draw import render
from tongqiu.portal.pages import Shown
from tongqiu.portal.session import Call, Sessions
from tongqiu.record.faults import Fault, Missing, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from tongqiu.node.people import Signed
    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit
    from tongqiu.record.audience import Principal
    from tongqiu.store.jobs import Job

MOST_STREAMS = 64
"""How many streams the whole site keeps open."""
MOST_EACH = 6
"""How many streams one person, or one stranger's party, keeps open."""
LONGEST = 600.0
"""How long one stream lasts, in seconds; whoever still looks asks again."""
HEARTBEAT = 10.0
"""How often something is sent while nothing changes, in seconds; the right to see it is looked up as often."""
LOOK = 0.5
"""How often the job is looked at, in seconds."""

STOPPING = threading.Event()
"""Set when the process that serves is asked to end: streams end with it."""

_OPEN = frozenset({"queued", "running", "interrupted"})
_GAP = "<!--live-->"
_SSE, _LINES = "text/event-stream", "application/jsonl"
_AGAIN = 2000


class JobPage(msgspec.Struct, frozen=True):
    """One job as a page shows it; ``system`` and the counts are there once it is done, and not before.

    ``step`` grows with every change. ``folder`` is the folder's own name, never the way to it.
    """

    id: str
    kind: str
    folder: str
    state: str
    open: bool
    done: float
    total: float | None
    note: str
    created: str
    beat: str
    tries: int
    step: int
    cancel: bool
    fault: Text | None = None
    do: Text | None = None
    system: str = ""
    records: int = 0
    ran: int = 0
    unchanged: int = 0
    failed: tuple[str, ...] = ()
    not_assessed: tuple[str, ...] = ()
    evidence: bool = False


class Streams:
    """The streams that are open: so many in all, so many each."""

    def __init__(self, most: int = MOST_STREAMS, each: int = MOST_EACH) -> None:
        """Allow ``most`` in all and ``each`` to everyone."""
        self._most, self._each = most, each
        self._open: dict[str, int] = {}
        self._lock = threading.Lock()

    def enter(self, who: str) -> bool:
        """Open one for ``who``, if there is room."""
        with self._lock:
            if sum(self._open.values()) >= self._most or self._open.get(who, 0) >= self._each:
                return False
            self._open[who] = self._open.get(who, 0) + 1
            return True

    def leave(self, who: str) -> None:
        """Close one of ``who``."""
        with self._lock:
            left = self._open.get(who, 0) - 1
            if left > 0:
                self._open[who] = left
            else:
                self._open.pop(who, None)


def routes(site: Site, *, longest: float = LONGEST, heartbeat: float = HEARTBEAT, look: float = LOOK) -> list[Route]:
    """Return the routes of one job: its page, its stream, its evidence file, and what may be done to it."""
    if not isinstance(site.node, RealNode):
        return []
    made = Progress(site, site.node, longest=longest, heartbeat=heartbeat, look=look)
    data, table, _page = site.page("/jobs/{id}", "/jobs/{id}", made.show)
    return [
        Route("/jobs/{id}/stream", made.stream),
        Route("/jobs/{id}/passport.tqp", site.raw(made.evidence)),
        data,
        table,
        site.form("/jobs/{id}", made.change),
        Route("/jobs/{id}", made.page),
    ]


class Progress:
    """The jobs of one site, watched."""

    def __init__(self, site: Site, node: RealNode, *, longest: float, heartbeat: float, look: float) -> None:
        """Show the jobs of ``node`` on ``site``; times in seconds."""
        self._site, self._node = site, node
        self._longest, self._heartbeat, self._look = longest, heartbeat, look
        self.streams = Streams()

    # --- one look ----------------------------------------------------------------------------------------------------

    def show(self, visit: Visit) -> Shown:
        """Return the present state of a job. Raises Missing for one that whoever asks may not see."""
        model = self._model(visit.path["id"], visit.signed.principal)
        title = Text(en="Assessment of {folder}", zh="评估 {folder}").fill(folder=model.folder)
        return Shown("job.html", title, model, sheet.sheet(JobPage, [model]))

    def evidence(self, visit: Visit) -> Response:
        """Return the evidence file of the system that a job has assessed, made now, for people of the node's own party."""
        from tongqiu.node import passports

        model = self._model(visit.path["id"], visit.signed.principal)
        if not model.evidence:
            raise directory.absent()
        data = passports.export(self._node, visit.desk.subject(model.system))
        headers = {"content-disposition": 'attachment; filename="passport.tqp"'}
        return Response(data, 200, headers, "application/octet-stream")

    def change(self, request: Request, visit: Visit) -> Response:
        """Stop a job, begin it again, or put it away. Raises Missing, Refused (``job.state``, ``desk.role``)."""
        jobs, name, act = self._node.store.jobs, visit.path["id"], visit.posted.one("act")
        self._model(name, visit.signed.principal)
        if not visit.signed.may("contributor", "core.assess"):
            raise _not_yours()
        if act == "cancel":
            jobs.cancel(name)
        elif act == "again":
            name = jobs.again(name, visit.signed.principal.person)
        elif act == "away":
            jobs.put_away(name)
            return self._site.onward(request, "/")
        return self._site.onward(request, f"/jobs/{name}")

    # --- looking on ----------------------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """Answer with the page of a job; while it is not over, the page goes on growing."""
        try:
            visit = self._site.visit(request)
            shown = await run_in_threadpool(self.show, visit)
            answer = self._site.seen(request, shown, beside="/jobs/{id}")
        except Fault as fault:
            return self._site.fault(request, fault, problem=False)
        who = _name(visit.signed)
        if request.method == "HEAD" or not shown.model.open or "still" in visit.query or not self.streams.enter(who):
            return answer
        head, _, tail = bytes(answer.body).decode().partition(_GAP)
        headers = {key: value for key, value in answer.headers.items() if key != "content-length"}
        # Said to be as it is, so that nothing on the way holds pieces back to press them together.
        headers |= {"content-encoding": "identity", "x-accel-buffering": "no"}
        voice = self._site.voice(request)

        def tick(model: JobPage) -> str:
            return render("tick.html", voice, m=model)

        return StreamingResponse(self._pieces(request, who, shown.model, (head, tail), tick), 200, headers)

    async def _pieces(
        self, request: Request, who: str, first: JobPage, frame: tuple[str, str], tick: Callable[[JobPage], str]
    ) -> AsyncIterator[str]:
        try:
            yield frame[0]
            async for model in self._states(request, first.id, first.step):
                yield "\n" if model is None else tick(model)
            yield frame[1]
        finally:
            self.streams.leave(who)

    async def stream(self, request: Request) -> Response:
        """Answer with how a job goes on, as server-sent events or lines of JSON."""
        try:
            visit = self._site.visit(request)
            model = (await run_in_threadpool(self.show, visit)).model
        except Fault as fault:
            return self._site.fault(request, fault, problem=True)
        lines = visit.query.get("as") == "lines" or _LINES in request.headers.get("accept", "")
        seen = request.headers.get("last-event-id", "")
        last = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else -1  # noqa: PLR2004 - digits
        if not lines and not model.open and last >= model.step:
            # There is nothing left to tell; this answer keeps a browser from asking again.
            return Response(status_code=204)
        who = _name(visit.signed)
        if not self.streams.enter(who):
            return Response("Too many streams. 数据流过多。\n", 429, {"retry-after": "10"}, "text/plain; charset=utf-8")
        media = _LINES if lines else _SSE
        headers = {"content-encoding": "identity", "x-accel-buffering": "no"}
        return StreamingResponse(self._events(request, who, model, last, lines=lines), 200, headers, media)

    async def _events(
        self, request: Request, who: str, first: JobPage, last: int, *, lines: bool
    ) -> AsyncIterator[bytes]:
        try:
            if not lines:
                yield f"retry: {_AGAIN}\n\n".encode()
            if first.step != last:
                yield _event(first, lines=lines)
            if first.open:
                async for model in self._states(request, first.id, first.step):
                    if model is not None:
                        yield _event(model, lines=lines)
                    else:
                        yield b"\n" if lines else b":\n\n"
        finally:
            self.streams.leave(who)

    async def _states(self, request: Request, name: str, step: int) -> AsyncIterator[JobPage | None]:
        """Yield each new state of a job until it is over, and None where nothing changed for a while.

        Ends early when the time is up, or when whoever looks may no longer see it.
        """
        loop = asyncio.get_running_loop()
        end = quiet = loop.time()
        state, end = "", end + self._longest
        while loop.time() < end and not STOPPING.is_set():
            try:
                model = await run_in_threadpool(self._once_more, request, name)
            except Missing:
                return
            if model.step != step or (state and model.state != state):
                step, quiet = model.step, loop.time()
                yield model
            elif loop.time() - quiet >= self._heartbeat:
                quiet = loop.time()
                yield None
            state = model.state
            if not model.open:
                return
            await asyncio.sleep(self._look)

    def _once_more(self, request: Request, name: str) -> JobPage:
        return self._model(name, still(self._node, request))

    def _model(self, name: str, principal: Principal) -> JobPage:
        job = self._node.store.jobs.seen(name, principal)
        return page_of(job, evidence=principal.party == self._node.me and may(principal, "issuer"))


def page_of(job: Job, *, evidence: bool = False) -> JobPage:
    """Return a job as pages show it; of a result nothing before the job is done."""
    given: dict[str, Any] = job.result if job.state == "done" and isinstance(job.result, dict) else {}
    return JobPage(
        id=job.id,
        kind=job.kind,
        folder=queues.folder_of(job),
        state=job.state,
        open=job.state in _OPEN,
        done=job.done,
        total=job.total,
        note=job.note,
        created=job.created,
        beat=job.beat,
        tries=job.tries,
        step=job.step,
        cancel=job.cancel,
        fault=None if job.fault is None else job.fault.what,
        do=None if job.fault is None else job.fault.do,
        system=given.get("system", ""),
        records=given.get("records", 0),
        ran=len(given.get("done", ())),
        unchanged=len(given.get("unchanged", ())),
        failed=tuple(run for run, _ in given.get("failed", ())),
        not_assessed=tuple(given.get("not_assessed", ())),
        evidence=evidence and bool(given.get("system")),
    )


def still(node: RealNode, request: Request) -> Principal:
    """Return who looks on, asked anew: a session may have ended, a token been taken back, a role changed.

    Raises Missing where whoever it was may see nothing any more.
    """
    signed: Signed = request.state.signed
    headers = {key.lower(): value for key, value in request.headers.items()}
    if signed.how == "signature" or not ({"cookie", "authorization"} & headers.keys()) or signed.person is None:
        return signed.principal
    call = Call(request.method, str(request.url), headers, b"", request.state.secure)
    try:
        return Sessions(node.people).signed(call).principal
    except Refused as fault:
        raise directory.absent() from fault


def _event(model: JobPage, *, lines: bool) -> bytes:
    data = msgspec.json.encode(model)
    if lines:
        return data + b"\n"
    name = "progress" if model.open else "end"
    return f"id: {model.step}\nevent: {name}\ndata: ".encode() + data + b"\n\n"


def _name(signed: Signed) -> str:
    return signed.principal.person or signed.principal.party or ""


def _not_yours() -> Refused:
    return Refused(
        "desk.role",
        Text(en="You may look at this work, not change it.", zh="您可以查看该任务，但无权更改。"),
        do=Text(en="Ask whoever began it, or the node's owner.", zh="请联系发起人或节点所有者。"),
    )

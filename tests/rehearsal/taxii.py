"""A slice of TAXII 2.1 over incident reports: fixed root paths, rights per request, a legal clock that strikes by itself.

Paths, envelope and media type are those of OASIS TAXII 2.1 (sections 1.6.8, 4, 5). The clock is that of a duty to report within
24 hours of becoming aware.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs

import msgspec

from tongqiu.practice import Column, Door, Duty, Practice, Put, View
from tongqiu.record.faults import Fault, Missing, Refused
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Finding
from tongqiu.record.statement import Instant, Said, Statement, instant, moment_of
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.practice import Desk, World

_HERE = "tests.rehearsal.taxii"
MEDIA = "application/taxii+json;version=2.1"
ROOT = "/taxii2/incidents/"
HOURS = 24


class Incident(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something went wrong with a system: what, in which collection it is shared, and since when the party knew."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    collection: str
    aware: Instant


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The report to the authority was filed."""

    reference: str


class Overdue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No report was filed by the end of the period."""

    due: Instant


def due_of(aware: str) -> str:
    return instant(moment_of(aware) + datetime.timedelta(hours=HOURS))


def overdue_findings(body: Overdue) -> tuple[Finding]:
    reason = Text(en="No report was filed by {due}.", zh="截至 {due} 未提交报告。").fill(due=body.due)
    title = Text(en="Report within 24 hours", zh="24 小时内报告")
    return (Finding("taxii.report-in-time", title, "unmet", "taxii.overdue", reason, {"due": body.due}, "high"),)


def when(statement: Statement) -> str:
    """Say when the period ends."""
    return due_of(INCIDENT.read(statement.body).aware)


def act(statement: Statement, world: World, desk: Desk) -> Iterable[Said]:
    """Note that the period ended without a report; its clock is the node's."""
    due = due_of(INCIDENT.read(statement.body).aware)
    if world.clock.now() >= due and not desk.said(REPORT.name, ref=statement.entry):
        yield Said(OVERDUE.name, statement.subject, Overdue(due), rests_on=(statement.entry,))


def rows(statement: Statement) -> Iterable[Put]:
    """Yield one row an incident."""
    body = INCIDENT.read(statement.body)
    yield Put({"entry": statement.entry, "title": body.title, "collection": body.collection})


# --- the door -------------------------------------------------------------------------------------------------------


def collection_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:tongqiu:taxii:" + name))


def stix(statement: Statement) -> dict[str, Any]:
    """Return an incident as the STIX object that a client of the field expects."""
    body = INCIDENT.read(statement.body)
    name = uuid.uuid5(uuid.NAMESPACE_URL, statement.entry)
    return {
        "type": "incident",
        "spec_version": "2.1",
        "id": f"incident--{name}",
        "created": statement.at,
        "name": body.title,
    }


def answer(desk: Desk, method: str, path: str, query: Mapping[str, list[str]]) -> tuple[Any, dict[str, str]]:
    """Return body and headers for a request; what the desk cannot see is as absent as what never was."""
    if path == "/taxii2/":
        return {"title": "Rehearsal", "default": ROOT, "api_roots": [ROOT]}, {}
    if path == ROOT:
        return {"title": "Incidents", "versions": [MEDIA], "max_content_length": 1 << 20}, {}
    seen = desk.said(INCIDENT.name)
    names = sorted({INCIDENT.read(each.body).collection for each in seen})
    if path == f"{ROOT}collections/":
        return {
            "collections": [{"id": collection_id(n), "title": n, "can_read": True, "can_write": False} for n in names]
        }, {}
    chosen = next((name for name in names if path == f"{ROOT}collections/{collection_id(name)}/objects/"), None)
    if chosen is None or method != "GET":
        raise Missing(
            "taxii.absent", Text(en="There is no such thing.", zh="没有此内容。"), do=Text(en="Check.", zh="请核对。")
        )
    after = query.get("added_after", [""])[0]
    found = sorted(
        (each for each in seen if INCIDENT.read(each.body).collection == chosen and each.logged > after),
        key=lambda each: each.logged,
    )
    limit = max(1, min(100, int(query.get("limit", ["100"])[0])))
    dates = (
        {"x-taxii-date-added-first": found[0].logged, "x-taxii-date-added-last": found[:limit][-1].logged}
        if found
        else {}
    )
    return {"more": len(found) > limit, "objects": [stix(each) for each in found[:limit]]}, dates


def app(lend: Callable[[Mapping[str, str]], Desk]) -> Callable[..., Awaitable[None]]:
    """Return the protocol as an ASGI application that owns its errors (section 3.6.1)."""

    def whole(scope: Mapping[str, Any]) -> tuple[int, Any, dict[str, str]]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not headers.get("accept", MEDIA).startswith(("application/taxii+json", "*/*")):
            return 406, {"title": "Not acceptable"}, {}
        try:
            body, more = answer(lend(headers), scope["method"], scope["path"], parse_qs(scope["query_string"].decode()))
        except Refused as fault:
            return 401, {"title": fault.what.en, "error_code": fault.code}, {"www-authenticate": 'Basic realm="taxii"'}
        except Missing as fault:
            return 404, {"title": fault.what.en, "error_code": fault.code}, {}
        except (Fault, ValueError):
            return 400, {"title": "Bad request"}, {}
        return 200, body, more

    async def serve(scope: Mapping[str, Any], _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        # A desk reads the disk: in a thread, so that one slow reader holds up nobody.
        status, body, more = await asyncio.to_thread(whole, scope)
        headers = [(b"content-type", MEDIA.encode()), *((k.encode(), v.encode()) for k, v in more.items())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body, sort_keys=True).encode()})

    return serve


INCIDENT = Kind(name="taxii.incident/1", body=Incident, title=Text(en="Incident", zh="事件"))
REPORT = Kind(name="taxii.report/1", body=Report, title=Text(en="Report filed", zh="已提交报告"))
OVERDUE = Kind(
    name="taxii.overdue/1", body=Overdue, title=Text(en="Report overdue", zh="报告逾期"), findings=overdue_findings
)

PRACTICE = Practice(
    name="taxii",
    title=Text(en="Sharing of incidents", zh="事件共享"),
    about=Text(
        en="Incidents for those entitled, with the clock of the law.", zh="向有权者共享事件，并按法定时限计时。"
    ),
    kinds=(INCIDENT, REPORT, OVERDUE),
    views=(
        View(
            name="taxii.incidents",
            version=1,
            title=Text(en="Incidents", zh="事件名录"),
            reads=(INCIDENT.name,),
            columns=tuple(
                Column(name=name, title=Text(en=en, zh=zh))
                for name, en, zh in (
                    ("entry", "Record", "记录"),
                    ("title", "Title", "标题"),
                    ("collection", "Shared in", "共享集"),
                )
            ),
            key=("entry",),
            rows=f"{_HERE}:rows",
        ),
    ),
    doors=(
        Door(
            name="taxii",
            title=Text(en="TAXII 2.1 server", zh="TAXII 2.1 服务"),
            mounts=("/taxii2/",),
            app=f"{_HERE}:app",
        ),
    ),
    duties=(
        Duty(
            name="taxii.deadline",
            title=Text(en="Report within 24 hours", zh="24 小时内报告"),
            reads=(INCIDENT.name,),
            when=f"{_HERE}:when",
            act=f"{_HERE}:act",
        ),
    ),
)

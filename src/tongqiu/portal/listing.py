"""A registry for programs: its rows newest first, page by page, with a cursor that nothing new in the log can shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from tongqiu.portal import directory
from tongqiu.portal.models import Heading
from tongqiu.record.faults import Fault
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from starlette.requests import Request

    from tongqiu.node.node import Node
    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit

MOST = 500
PATH = "/api/registries/{name}"


class Rows(msgspec.Struct, frozen=True):
    """One page of a registry: each row's cells in the order of ``columns``, and the record it comes from.

    ``next`` is where the next page begins (as ``after``), None at the end. A page may be short and yet not the last one.
    """

    name: str
    title: Text
    columns: tuple[Heading, ...]
    rows: tuple[tuple[Any, ...], ...]
    entries: tuple[str, ...]
    next: str | None


def routes(site: Site) -> list[Route]:
    """Return the route of the rows."""
    if site.node.people is None:
        return []
    node = cast("Node", site.node)

    def endpoint(request: Request) -> Response:
        try:
            return Response(msgspec.json.encode(rows(node, site.visit(request))), media_type="application/json")
        except Fault as fault:
            return site.fault(request, fault, problem=True)

    return [Route(PATH, endpoint)]


def rows(node: Node, visit: Visit) -> Rows:
    """Return a page of a registry as whoever asks may read it. Raises Missing, Malformed (``portal.number``)."""
    view = node.practices.views.get(visit.path["name"])
    if view is None:
        raise directory.absent()
    node.registry.catch_up()
    found = node.registry.newest(
        view.name,
        principal=visit.signed.principal,
        now=node.now,
        below=None if visit.cursor is None else int(visit.cursor),
        limit=max(1, visit.whole("limit", 100, MOST)),
    )
    names = [column.name for column in view.columns]
    return Rows(
        view.name,
        view.title,
        tuple(Heading(column.name, column.title, column.type) for column in view.columns),
        tuple(tuple(values[name] for name in names) for _, _, values in found.rows),
        tuple(entry for _, entry, _ in found.rows),
        None if found.below is None else str(found.below),
    )

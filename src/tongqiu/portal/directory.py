"""What this node knows how to read and keep: registries, areas, record types, work in progress, and who runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.portal.models import (
    About,
    Area,
    Areas,
    Heading,
    JobRow,
    Jobs,
    KindPage,
    KindRow,
    Named,
    Registries,
    Registry,
    RegistryRow,
)
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tongqiu.portal.lent import Desk, Node
    from tongqiu.practice import Practice, Query, View
    from tongqiu.record.kind import Kind

_RUNNING = frozenset({"running", "queued"})
_MOST_JOBS = 200


def registries(node: Node) -> Registries:
    """Return every registry (view and query) with the area it belongs to."""
    rows: list[RegistryRow] = []
    for practice in node.practices.all:
        sources: tuple[View | Query, ...] = (*practice.views, *practice.queries)
        rows += [RegistryRow(each.name, each.title, practice.name, len(each.columns)) for each in sources]
    return Registries(tuple(sorted(rows, key=lambda row: (row.area, row.name))))


def registry(  # noqa: PLR0913 - a page of a registry has these coordinates
    node: Node, desk: Desk, name: str, params: Mapping[str, str], *, search: str, limit: int, offset: int
) -> Registry:
    """Return rows of one registry. Raises Missing for a name that no practice brings."""
    source: View | Query | None = node.practices.views.get(name) or node.practices.queries.get(name)
    if source is None:
        raise absent()
    table = desk.rows(name, params, search=search, limit=limit, offset=offset)
    columns = tuple(Heading(each.name, each.title, each.type) for each in table.columns)
    return Registry(name, source.title, columns, tuple(map(tuple, table.rows)), table.total, search, limit, offset)


def areas(node: Node) -> Areas:
    """Return every installed area with all it brings."""
    return Areas(tuple(_area(each) for each in node.practices.all))


def area(node: Node, name: str) -> Area:
    """Return one area. Raises Missing."""
    for each in node.practices.all:
        if each.name == name:
            return _area(each)
    raise absent()


def kind(node: Node, name: str) -> KindPage:
    """Return a record type with its JSON Schema. Raises Missing."""
    found = node.practices.kind(name)
    if found is None:
        raise absent()
    return KindPage(_kind(found), found.schema)


def jobs(desk: Desk) -> Jobs:
    """Return the work at the node, newest first."""
    rows = tuple(
        JobRow(
            job.id,
            job.kind,
            job.state,
            job.done,
            job.total,
            job.note,
            job.created,
            job.beat,
            None if job.fault is None else job.fault.what,
            None if job.fault is None else job.fault.do,
        )
        for job in list(desk.jobs())[:_MOST_JOBS]
    )
    return Jobs(rows, any(row.state in _RUNNING for row in rows))


def about(node: Node, desk: Desk) -> About:
    """Return who runs this node and the latest checkpoint of its log."""
    practices = node.practices.all
    return About(
        node=node.me,
        name=node.name,
        checkpoint=desk.checkpoint(),
        areas=len(practices),
        kinds=sum(len(each.kinds) for each in practices),
    )


def absent() -> Missing:
    """Return the one fault for everything that is not here or may not be seen."""
    return Missing(
        "portal.absent",
        Text(en="There is nothing here that you may see.", zh="此处没有您可以查看的内容。"),
        do=Text(en="Check the address, or start from the first page.", zh="请检查地址，或从首页开始。"),
    )


def _area(practice: Practice) -> Area:
    brings = [
        *(Named("probe", each.name, each.version, each.title) for each in practice.probes),
        *(Named("assessor", each.name, each.version, each.title) for each in practice.assessors),
        *(
            Named("view", each.name, str(each.version), each.title, f"/registries/{each.name}")
            for each in practice.views
        ),
        *(Named("query", each.name, "", each.title, f"/registries/{each.name}") for each in practice.queries),
        *(
            Named("page", each.path, "", each.title, "" if "{" in each.path else page_path(practice, each.path))
            for each in practice.pages
        ),
    ]
    return Area(practice.name, practice.title, practice.about, tuple(map(_kind, practice.kinds)), tuple(brings))


def page_path(practice: Practice, path: str) -> str:
    """Return where a practice's own page is served."""
    return f"/areas/{practice.name}/{path.strip('/')}"


def _kind(found: Kind[Any]) -> KindRow:
    return KindRow(found.name, found.title, found.schema_digest, found.public)

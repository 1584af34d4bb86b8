"""The first page of somebody who has signed in: what waits for them, what is due, what arrived, what to do next.

A stranger's first page shows the systems. Each list has its own address, filter and cursor, and JSON and CSV beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.node import queue
from tongqiu.node.node import Node as RealNode
from tongqiu.node.people import may
from tongqiu.portal import directory, overview, sheet
from tongqiu.portal.models import SystemCard
from tongqiu.portal.pages import Shown
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit

FEW = 10
"""How many items of each list stand on the first page."""
MOST = 50
"""How many items stand on the page of one list."""

TITLES = {
    "waiting": Text(en="Waits for you", zh="等待您处理"),
    "due": Text(en="Falls due", zh="即将到期"),
    "arrived": Text(en="Arrived", zh="新到"),
    "jobs": Text(en="Work in the background", zh="后台任务"),
    "next": Text(en="To do next", zh="下一步"),
}
_TITLE = Text(en="Your work", zh="待办")


class Row(msgspec.Struct, frozen=True):
    """One thing to do: what, why it is here, until when, and where to do it."""

    list: str
    id: str
    title: Text
    why: Text
    subject: str
    name: str
    by: str
    due: str
    at: str
    entry: str
    action: Text
    path: str


class Section(msgspec.Struct, frozen=True):
    """One list, or its beginning: ``count`` items in all, or more than that; ``after`` is where its next page begins."""

    list: str
    title: Text
    items: tuple[Row, ...]
    count: int
    more: bool
    after: str | None


class Queue(msgspec.Struct, frozen=True):
    """The first page. ``only`` names the one list that is shown, ``top`` the log index up to which it was read.

    ``begin`` tells that nothing was ever assessed here, and ``drafts`` how many unfinished forms there are.
    """

    sections: tuple[Section, ...]
    only: str
    top: int
    begin: bool
    drafts: int
    assess: bool


def routes(site: Site) -> list[Route]:
    """Return the routes of the first page, of the systems, and of the button that says: I have looked."""
    return [
        *site.page("/systems", "/systems", systems),
        *site.page("/", "/index", first),
        *([site.form("/seen", _Seen(site).take)] if isinstance(site.node, RealNode) else []),
    ]


def first(visit: Visit) -> Shown:
    """Show the work queue to whoever has a duty here, and the systems to everybody else."""
    if not isinstance(visit.node, RealNode) or not may(visit.signed.principal, "reader"):
        return systems(visit)
    model = _queue(visit.node, visit)
    rows = [row for section in model.sections for row in section.items]
    title = TITLES[model.only] if model.only else _TITLE
    return Shown("queue.html", title, model, sheet.sheet(Row, rows))


def systems(visit: Visit) -> Shown:
    """Show the systems at a glance."""
    model = overview.home(visit.node, visit.desk, offset=visit.whole("offset", 0, 10**6))
    return Shown("home.html", Text(en="Systems", zh="系统"), model, sheet.sheet(SystemCard, model.systems))


def _queue(node: RealNode, visit: Visit) -> Queue:
    who, only = visit.signed.principal, visit.asked("list")
    if only and only not in TITLES:
        raise directory.absent()
    limit = MOST if only else FEW
    after = visit.asked("after") or None
    if after is not None and not only:
        raise Malformed(
            "queue.cursor",
            Text(en="Only one list at a time can go on.", zh="每次只能续看一个列表。"),
            do=Text(en="Name the list.", zh="请指定列表。"),
        )
    queue.fresh(node)
    top = node.store.backend.head().size - 1
    sections = []
    for name in (only,) if only else queue.SORTS:
        page = queue.page(node, who, name, limit=limit, after=after)
        # What is shown whole needs no counting.
        whole = after is None and page.after is None
        counted = queue.Counted(len(page.items), more=False) if whole else queue.count(node, who, name)
        rows = tuple(_row(each) for each in page.items)
        sections.append(Section(name, TITLES[name], rows, counted.least, counted.more, page.after))
    empty = not any(each.items for each in sections)
    return Queue(
        sections=tuple(sections),
        only=only,
        top=top,
        begin=empty and not only and not node.registry.count("systems", principal=who, now=node.now, most=1),
        drafts=len(node.store.drafts.list(who.person)) if who.person and not only else 0,
        assess=may(who, "contributor"),
    )


def _row(item: queue.Item) -> Row:
    return Row(
        item.sort,
        item.id,
        item.title,
        item.why,
        item.subject,
        item.name,
        item.by,
        item.due,
        item.at,
        item.entry,
        item.act,
        item.path,
    )


class _Seen:
    """The button that takes what arrived off the list."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def take(self, request: Request, visit: Visit) -> Response:
        """Note that all up to an index was looked at. Raises Missing for strangers, Malformed (``queue.cursor``)."""
        if not isinstance(visit.node, RealNode) or not may(visit.signed.principal, "reader"):
            raise directory.absent()
        top = visit.posted.one("top")
        if not (top.isascii() and top.isdigit() and len(top) <= 18):  # noqa: PLR2004 - digits
            raise Malformed(
                "queue.cursor",
                Text(en="This is not a place in the log.", zh="这不是日志中的位置。"),
                do=Text(en="Load the page again.", zh="请重新载入页面。"),
            )
        queue.seen(visit.node, visit.signed.principal, int(top))
        return self._site.onward(request, "/")

"""The pages of law and standards: the shelf, packs and their rows, crosswalks, what is owed, why a grade, what to ask next.

Packs and crosswalks are for everyone; what is said of a system is worked out from the records that the reader may see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from tongqiu.node.node import Node as RealNode
from tongqiu.portal import norms_grades, norms_pages, norms_rows, norms_walks
from tongqiu.portal.norms_shelf import Law

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Shown, Visit

PAGES: tuple[tuple[str, Callable[[Law], Shown]], ...] = (
    ("/norms", norms_pages.shelf),
    ("/norms/gap", norms_walks.gap),
    ("/norms/grade", norms_grades.grade),
    ("/norms/next", norms_grades.asked),
    ("/norms/crosswalk/{have}/{want}", norms_walks.walk),
    ("/norms/{pack}", norms_pages.pack),
    ("/norms/{pack}/{row}", norms_rows.row),
)
"""Every page with what it shows; fixed addresses before those with places."""

CATALOG = "/norms/{pack}/file/oscal"
FILE = "/norms/{pack}/file/toml"
MAPPING = "/norms/crosswalk/{have}/{want}/oscal"


def routes(site: Site) -> list[Route]:
    """Return the routes of these pages."""
    node = site.node
    if not isinstance(node, RealNode):
        return []
    made: list[Route] = [
        Route(MAPPING, site.raw(lambda visit: _mapping(Law(node, visit)))),
        Route(CATALOG, site.raw(lambda visit: _catalog(Law(node, visit)))),
        Route(FILE, site.raw(lambda visit: _file(Law(node, visit)))),
    ]
    for path, show in PAGES:
        made += site.page(path, path, _bound(node, show))
    return made


def _bound(node: RealNode, show: Callable[[Law], Shown]) -> Callable[[Visit], Shown]:
    return lambda visit: show(Law(node, visit))


def _mapping(law: Law) -> Response:
    data = norms_walks.mapping(law)
    return _download(data, f"{law.visit.path['have']}--{law.visit.path['want']}.oscal.json", "application/json")


def _catalog(law: Law) -> Response:
    from tongqiu.norms.oscal.catalog import write_catalog

    pack = law.book(law.visit.path["pack"]).pack
    return _download(write_catalog(pack), f"{pack.id}.oscal.json", "application/json")


def _file(law: Law) -> Response:
    """Return the very bytes of a pack: of the shipped file, or of the record that brought it."""
    from tongqiu.norms import library

    pack = law.book(law.visit.path["pack"]).pack
    record = next((each for each in law.offers if each.pack == pack.id and each.state == "in-use"), None)
    data = library.raw(pack.id) if record is None else record.statement.body["text"].encode()
    return _download(data, f"{pack.id}.toml", "application/toml")


def _download(data: bytes, name: str, media: str) -> Response:
    return Response(data, 200, {"content-disposition": f'attachment; filename="{name}"'}, media)

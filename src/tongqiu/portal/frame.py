"""The frame that every page of a site shares: who asks, in which language, as page or as data, and what a fault looks like.

Modules of this room build their routes with the methods of :class:`Site`; :mod:`tongqiu.portal.site` puts them together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tongqiu.node.node import Node as RealNode
from tongqiu.node.people import NOBODY, Signed
from tongqiu.portal import directory
from tongqiu.portal.draw import Voice, render
from tongqiu.portal.guard import seal
from tongqiu.portal.pages import Shown, Visit
from tongqiu.portal.problem import problem as problem_of
from tongqiu.portal.tongue import choose
from tongqiu.record.faults import Fault, Malformed, Missing, Unreachable, row
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from tongqiu.portal.lent import Node

_MOST_PARAMS = 32
_LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9._~:@%-]+(?:/[A-Za-z0-9._~:@%-]+)*)?(?:\?[A-Za-z0-9._~:@%/&=+-]*)?")
"""One slash, then names: nothing that a browser could read as another host."""
_PUBLIC = frozenset({"norms.no-pack", "norms.no-row", "norms.no-crosswalk", "norms.oscal.nothing-mapped"})
"""Faults of names on the shelf of law that the reader sees whole: to say what is not there hides nothing, and helps."""


class Site:
    """The pages of one node; made by :func:`app`. Other modules of this room build their routes with its methods."""

    def __init__(self, node: Node, *, language: str, url: str = "") -> None:
        """Show ``node``, in ``language`` where the reader names none; people find it at ``url``.

        ``law`` tells whether there are pages of law and standards, which need a real node.
        """
        self.node = node
        self.url = url
        self.language = language
        self.law = isinstance(node, RealNode)

    def page(self, path: str, beside: str, show: Callable[[Visit], Shown]) -> list[Route]:
        """Return the routes of one page: HTML at ``path``, JSON and CSV at ``beside``; only for reading."""
        return [
            Route(beside + ".json", self._answer(show, "json", beside)),
            Route(beside + ".csv", self._answer(show, "csv", beside)),
            Route(path, self._answer(show, "html", beside)),
        ]

    def form(self, path: str, take: Callable[[Request, Visit], Response]) -> Route:
        """Return the route of what a form at ``path`` sends; the guard has checked where it came from.

        ``take`` answers with :meth:`seen` for a page that shows the form again, or :meth:`onward`; its faults become pages.
        """

        def endpoint(request: Request) -> Response:
            try:
                return take(request, self.visit(request))
            except Fault as fault:
                return self.fault(request, fault, problem=False)

        return Route(path, endpoint, methods=["POST"])

    def seen(self, request: Request, shown: Shown, *, status: int = 200, beside: str = "") -> Response:
        """Return a page as the answer to a form: without JSON and CSV beside it, unless ``beside`` says where they are."""
        return self._html(request, shown, beside, status)

    def onward(self, request: Request, path: str) -> Response:
        """Return the way to a page of ours once a form was taken (303), in the language that was chosen.

        Anything but a path of this site leads to its first page.
        """
        where, _, query = local(path).partition("?")
        return RedirectResponse(self.voice(request).url(where, **dict(parse_qsl(query))), 303)

    def visit(self, request: Request) -> Visit:
        """Return what is known of a request. Raises Malformed (``portal.params``)."""
        query = dict(request.query_params)
        if len(query) > _MOST_PARAMS:
            raise Malformed(
                "portal.params",
                Text(en="There are too many parameters.", zh="参数过多。"),
                do=Text(en="Name at most {most}.", zh="最多 {most} 个。"),
                most=_MOST_PARAMS,
            )
        signed: Signed = request.state.signed
        desk = self.node.desk(signed.principal)
        return Visit(self.node, desk, dict(request.path_params), query, signed, request.state.posted)

    def _answer(self, show: Callable[[Visit], Shown], form: str, beside: str) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            try:
                shown = show(self.visit(request))
                if form == "json":
                    return _json(shown.model)
                if form == "csv":
                    return Response(shown.sheet.csv(), media_type="text/csv; charset=utf-8; header=present")
                return self._html(request, shown, beside)
            except Fault as fault:
                return self.fault(request, fault, problem=form != "html")

        return endpoint

    def raw(self, give: Callable[[Visit], Response]) -> Callable[[Request], Response]:
        """Return the endpoint of what is no page: bytes, text or a stream made by ``give``."""

        def endpoint(request: Request) -> Response:
            try:
                return give(self.visit(request))
            except Fault as fault:
                return self.fault(request, fault, problem=False)

        return endpoint

    def _html(self, request: Request, shown: Shown, beside: str, status: int = 200) -> Response:
        voice, language = self.voice(request), self._chosen(request)
        query = {key: value for key, value in request.query_params.items() if key != "lang"}
        # What only takes forms has nothing to show again: the other language is that of the page they stand on.
        path = beside if beside and request.method == "POST" else request.url.path
        switch = Voice(language).url(path, **query, lang="en" if language == "zh" else "zh")
        places = {key: str(value) for key, value in request.path_params.items()}
        plain = beside
        for key, value in places.items():
            plain = plain.replace("{" + key + "}", value).replace("{" + key + ":path}", value)
        page = render(
            shown.template,
            voice,
            m=shown.model,
            title=shown.title,
            node=self.node.name,
            me=self.node.me,
            here=request.url.path,
            query=query,
            switch=switch,
            json_url=Voice(language).url(plain + ".json", **query) if plain else "",
            csv_url=Voice(language).url(plain + ".csv", **query) if plain else "",
            hidden=dict(request.query_params) if "lang" in request.query_params else {},
            signed=request.state.signed,
            law=self.law,
        )
        return page_of(page, language, status)

    def fault(self, request: Request, fault: Fault, *, problem: bool) -> Response:
        """Return the answer to ``fault``: a page, or a problem (RFC 9457) where data was asked for.

        Whatever is missing gives the same answer, whether it does not exist or may not be seen; but for what is missing from
        a shelf that the reader sees whole.
        """
        if isinstance(fault, Missing) and fault.code not in _PUBLIC:
            fault = directory.absent()
        line = row(fault)
        language = self._chosen(request)
        if problem:
            data = problem_of(fault, language)
            return Response(data, line.http_status, {"content-language": language}, "application/problem+json")
        switch = Voice(language).url("/", lang="en" if language == "zh" else "zh")
        page = render(
            "fault.html",
            self.voice(request),
            fault=fault,
            status=line.http_status,
            title=Text(en="Nothing to show", zh="无法显示"),
            node=self.node.name,
            me=self.node.me,
            here="",
            switch=switch,
            json_url="",
            csv_url="",
            signed=getattr(request.state, "signed", NOBODY),
            law=self.law,
        )
        return page_of(page, language, line.http_status)

    def stray(self, request: Request, error: Exception) -> Response:
        """Answer an address that no route serves, or a fault of the web framework itself."""
        if isinstance(error, HTTPException) and error.status_code == 404:  # noqa: PLR2004 - as HTTP calls it
            return self.fault(request, directory.absent(), problem=_is_data(request.url.path))
        broken = Unreachable(
            "portal.broken",
            Text(en="This page could not be made.", zh="无法生成此页面。"),
            do=Text(en="Try again later, or tell whoever runs this node.", zh="请稍后重试，或告知节点运行者。"),
        )
        answer = self.fault(request, broken, problem=_is_data(request.url.path))
        seal(answer.headers)  # the framework answers its own faults outside the guard
        return answer

    def _chosen(self, request: Request) -> str:
        return choose(request.query_params, request.headers.get("accept-language", ""), self.language)

    def voice(self, request: Request) -> Voice:
        """Return what speaks the reader's language, and keeps it in every link."""
        language = self._chosen(request)
        return Voice(language, {"lang": language} if "lang" in request.query_params else None)


def local(path: str) -> str:
    """Return ``path`` when it is one of this site (as a form's ``next`` may name), else the first page."""
    return path if _LOCAL_PATH.fullmatch(path) else "/"


def _is_data(path: str) -> bool:
    return path.endswith((".json", ".csv")) or path.startswith("/api/")


def _json(model: object) -> Response:
    return Response(msgspec.json.encode(model), media_type="application/json")


def page_of(page: str, language: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a page as an answer in ``language``."""
    named = {"content-language": language, "vary": "accept-language", **(headers or {})}
    return Response(page, status, named, media_type="text/html; charset=utf-8")

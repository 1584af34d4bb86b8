"""The pages of a node over HTTP: every page an address, with JSON and CSV beside it made from the same values."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tongqiu.node.people import NOBODY, Signed
from tongqiu.portal import directory, forms, listing, members, openapi, progress, queue, search, wizard
from tongqiu.portal.draw import Voice, css, render
from tongqiu.portal.fresh import Fresh
from tongqiu.portal.guard import Guard, seal
from tongqiu.portal.limits import Limits
from tongqiu.portal.pages import PAGES, Shown, Visit, area, practice_page
from tongqiu.portal.report import report_html, style_hash
from tongqiu.portal.session import Sessions
from tongqiu.portal.tongue import choose
from tongqiu.record.audience import Principal
from tongqiu.record.faults import Fault, Malformed, Missing, Unreachable, row
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from tongqiu.portal.lent import Node

PORT = 8470
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names under which a page for this machine alone may be asked for."""

_MOST_PARAMS = 32
_LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9._~:@%-]+(?:/[A-Za-z0-9._~:@%-]+)*)?(?:\?[A-Za-z0-9._~:@%/&=+-]*)?")
"""One slash, then names: nothing that a browser could read as another host."""


class Site:
    """The pages of one node; made by :func:`app`. Other modules of this room build their routes with its methods."""

    def __init__(self, node: Node, *, language: str, url: str = "") -> None:
        """Show ``node``, in ``language`` where the reader names none; people find it at ``url``."""
        self.node = node
        self.url = url
        self._language = language

    def routes(self) -> list[Route]:
        """Return every route: fixed ones first, then the pages of the practices, then the areas."""
        made = [
            Route("/static/portal.css", _style),
            Route("/checkpoint", self.raw(_checkpoint)),
            Route("/report", self.raw(self._report)),
            Route("/records/{hex}/envelope", self.raw(_envelope)),
            Route("/records/{hex}/receipt", self.raw(_receipt)),
            Route("/files/{hex}", self.raw(_stream)),
            *members.routes(self),
            *forms.routes(self),
            *listing.routes(self),
            *queue.routes(self),
            *search.routes(self),
            *progress.routes(self),
            *wizard.routes(self),
        ]
        for path, beside, show in PAGES:
            made += self.page(path, beside, show)
        for practice in self.node.practices.all:
            for page in practice.pages:
                path = directory.page_path(practice, page.path)
                made += self.page(path, path, practice_page(page))
        made += self.page("/areas/{name}", "/areas/{name}", area)
        return [*made, *openapi.routes(self, made)]

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
        )
        return _page_of(page, language, status)

    def fault(self, request: Request, fault: Fault, *, problem: bool) -> Response:
        """Return the answer to ``fault``: a page, or a problem (RFC 9457) where data was asked for.

        Whatever is missing gives the same answer, whether it does not exist or may not be seen.
        """
        if isinstance(fault, Missing):
            fault = directory.absent()
        line = row(fault)
        language = self._chosen(request)
        if problem:
            data = openapi.problem(fault, language)
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
        )
        return _page_of(page, language, line.http_status)

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

    def _report(self, visit: Visit) -> Response:
        language = choose(visit.query, "", self._language)
        subject = visit.desk.subject(visit.asked("id"))
        page = report_html(visit.desk, subject, language=language, practices=visit.node.practices, node=visit.node.name)
        policy = (
            f"default-src 'none'; style-src '{style_hash()}'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
        )
        return _page_of(page, language, headers={"content-security-policy": policy})

    def _chosen(self, request: Request) -> str:
        return choose(request.query_params, request.headers.get("accept-language", ""), self._language)

    def voice(self, request: Request) -> Voice:
        """Return what speaks the reader's language, and keeps it in every link."""
        language = self._chosen(request)
        return Voice(language, {"lang": language} if "lang" in request.query_params else None)


def app(  # noqa: PLR0913 - each part is named at the call
    node: Node,
    *,
    language: str = "en",
    principal: Principal | None = None,
    hosts: Collection[str] | None = None,
    url: str = "",
    limits: Limits | None = None,
) -> Starlette:
    """Return the pages of ``node`` as an ASGI application, to each as they may see them by how they signed in.

    ``language`` answers readers who ask for none; ``principal`` shows everybody what that one may see, whoever they are;
    ``hosts`` names the only Host headers that are served; ``url`` is where people find the site (scheme, host and port);
    ``limits`` says how often one may ask (without, as often as they like).
    """
    site = Site(node, language=language, url=url)
    sessions = Sessions(node.people, principal)
    return Starlette(
        routes=site.routes(),
        middleware=[
            Middleware(Guard, sessions=sessions, hosts=hosts, url=url, limits=limits),
            Middleware(GZipMiddleware, minimum_size=1000),
            Middleware(Fresh),
        ],
        exception_handlers={404: site.stray, 500: site.stray},
    )


def at(node: Node, host: str, *, language: str = "en", principal: Principal | None = None, url: str = "") -> Starlette:
    """Return the pages of ``node`` as they are served at the address ``host``; who has not signed in is a stranger.

    On this machine's own address only this machine's names are served, and that of ``url``.
    """
    names = LOCAL | {host.strip("[]").lower(), urlsplit(url).hostname or "localhost"}
    return app(
        node,
        language=language,
        principal=principal,
        hosts=names if is_local(host) else None,
        url=url,
        limits=Limits(),
    )


def serve(  # noqa: PLR0913 - each part is named at the call
    node: Node,
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    language: str = "en",
    principal: Principal | None = None,
    url: str = "",
    doors: Callable[[ASGIApp], ASGIApp] | None = None,
) -> None:
    """Serve the pages of ``node`` at ``host`` until interrupted; who reads what: :func:`at`.

    ``doors`` puts the wire protocols in front of the pages (:func:`tongqiu.node.lend.open_doors`).
    """
    import uvicorn

    pages = at(node, host, language=language, principal=principal, url=url)
    uvicorn.run(
        doors(pages) if doors else pages,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        date_header=True,
        # A request's address may hold the secret of a link.
        access_log=False,
        limit_concurrency=256,
        timeout_keep_alive=15,
    )


def address(host: str, port: int) -> str:
    """Return where people find a site that listens at ``host``, unless its owner says otherwise.

    This machine is called by name: passkeys hold for names alone (WebAuthn Level 3, 5.1.3).
    """
    name = "localhost" if is_local(host) else f"[{host}]" if ":" in host.strip("[]") and "[" not in host else host
    return f"http://{name}:{port}"


def is_local(host: str) -> bool:
    """Tell whether only this machine reaches ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def local(path: str) -> str:
    """Return ``path`` when it is one of this site (as a form's ``next`` may name), else the first page."""
    return path if _LOCAL_PATH.fullmatch(path) else "/"


def _is_data(path: str) -> bool:
    return path.endswith((".json", ".csv")) or path.startswith("/api/")


def _style(_request: Request) -> Response:
    return Response(css(), media_type="text/css; charset=utf-8", headers={"cache-control": "public, max-age=86400"})


def _json(model: object) -> Response:
    return Response(msgspec.json.encode(model), media_type="application/json")


def _page_of(page: str, language: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    named = {"content-language": language, "vary": "accept-language", **(headers or {})}
    return Response(page, status, named, media_type="text/html; charset=utf-8")


def _checkpoint(visit: Visit) -> Response:
    return Response(visit.desk.checkpoint(), media_type="text/plain; charset=utf-8")


def _envelope(visit: Visit) -> Response:
    return _download(visit.desk.envelope(visit.entry), f"{visit.path['hex'][:16]}.envelope.cose")


def _receipt(visit: Visit) -> Response:
    return _download(visit.desk.receipt(visit.entry), f"{visit.path['hex'][:16]}.receipt.cose")


def _download(data: bytes, name: str) -> Response:
    return Response(data, 200, {"content-disposition": f'attachment; filename="{name}"'}, "application/cose")


def _stream(visit: Visit) -> Response:
    pieces = iter(visit.desk.stream(visit.entry))
    first = next(pieces, b"")

    def whole() -> Iterator[bytes]:
        yield first
        yield from pieces

    # Whatever the file claims to be, a browser may only save it: it is a stranger's file.
    headers = {"content-disposition": f'attachment; filename="{visit.path["hex"][:16]}"'}
    return StreamingResponse(whole(), 200, headers, "application/octet-stream")

"""The pages of a node over HTTP: every page an address, with JSON and CSV beside it made from the same values."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tongqiu.portal import directory, forms, listing, members, norms, openapi, progress, queue, search, wizard
from tongqiu.portal.draw import css
from tongqiu.portal.frame import Site, page_of
from tongqiu.portal.fresh import Fresh
from tongqiu.portal.grades import shelf_of
from tongqiu.portal.guard import Guard
from tongqiu.portal.limits import Limits
from tongqiu.portal.pages import PAGES, Visit, area, practice_page
from tongqiu.portal.report import report_html, style_hash
from tongqiu.portal.session import Sessions
from tongqiu.portal.tongue import choose
from tongqiu.record.audience import Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from types import FrameType

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from tongqiu.portal.lent import Node

PORT = 8470
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names under which a page for this machine alone may be asked for."""


def routes(site: Site) -> list[Route]:
    """Return every route: fixed ones first, then the pages of the practices, then the areas."""
    made = [
        Route("/static/portal.css", _style),
        Route("/checkpoint", site.raw(_checkpoint)),
        Route("/report", site.raw(functools.partial(_report, site))),
        Route("/records/{hex}/envelope", site.raw(_envelope)),
        Route("/records/{hex}/receipt", site.raw(_receipt)),
        Route("/files/{hex}", site.raw(_stream)),
        *members.routes(site),
        *forms.routes(site),
        *listing.routes(site),
        *queue.routes(site),
        *search.routes(site),
        *progress.routes(site),
        *wizard.routes(site),
        *norms.routes(site),
    ]
    for path, beside, show in PAGES:
        made += site.page(path, beside, show)
    for practice in site.node.practices.all:
        for page in practice.pages:
            path = directory.page_path(practice, page.path)
            made += site.page(path, path, practice_page(page))
    made += site.page("/areas/{name}", "/areas/{name}", area)
    return [*made, *openapi.routes(site, made)]


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
        routes=routes(site),
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

    from tongqiu.federation.http import Bounded, settle

    pages = at(node, host, language=language, principal=principal, url=url)
    config = uvicorn.Config(
        doors(pages) if doors else pages,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        date_header=True,
        # A request's address may hold the secret of a link.
        access_log=False,
        limit_concurrency=256,
        http=Bounded,
        timeout_keep_alive=15,
        # Pages that grow with a job end when the node does; whoever looks asks again.
        timeout_graceful_shutdown=2,
    )

    class Server(uvicorn.Server):
        """A server that tells pages that grow to end when it is asked to."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            progress.STOPPING.set()
            super().handle_exit(sig, frame)

    settle()
    # What interrupted it is said once more after the end, as uvicorn.run does; the end is what was wanted.
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run()


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


def _style(_request: Request) -> Response:
    return Response(css(), media_type="text/css; charset=utf-8", headers={"cache-control": "public, max-age=86400"})


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


def _report(site: Site, visit: Visit) -> Response:
    language = choose(visit.query, "", site.language)
    subject = visit.desk.subject(visit.asked("id"))
    page = report_html(
        visit.desk,
        subject,
        language=language,
        practices=visit.node.practices,
        node=visit.node.name,
        shelf=shelf_of(visit.node, visit.desk),
    )
    policy = f"default-src 'none'; style-src '{style_hash()}'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
    return page_of(page, language, headers={"content-security-policy": policy})

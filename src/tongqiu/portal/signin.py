"""Coming in and going out: the pages on which a person proves who they are, and their own page.

Whatever does not work is answered in the same words, whether it was never there, was used, or is past its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.routing import Route

from tongqiu.portal import session, sheet
from tongqiu.portal.pages import Shown
from tongqiu.record.faults import Fault
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from tongqiu.node.people import People
    from tongqiu.portal.pages import Visit
    from tongqiu.portal.site import Site


class SignIn(msgspec.Struct, frozen=True):
    """The ways in that this node offers; ``refused`` is what did not work just now."""

    ways: tuple[str, ...]
    signed: bool = False
    refused: Text | None = None


class Link(msgspec.Struct, frozen=True):
    """A link that is about to be used."""

    link: str


def routes(site: Site) -> list[Route]:
    """Return the routes of signing in and out."""
    if site.node.people is None:
        return []
    doors = _Doors(site, site.node.people)
    return [
        *site.page("/sign-in", "/sign-in", doors.ways),
        Route("/sign-in/link/{secret}", doors.knock),
        site.form("/sign-in/link", doors.enter),
        site.form("/sign-out", doors.leave),
    ]


class _Doors:
    """The ways into one site."""

    def __init__(self, site: Site, people: People) -> None:
        self._site, self._people = site, people

    def ways(self, visit: Visit) -> Shown:
        """Show how one may sign in."""
        return self._ways(signed=bool(visit.signed.session))

    def _ways(self, *, signed: bool = False, refused: Text | None = None) -> Shown:
        model = SignIn(("link",), signed, refused)
        return Shown("signin.html", Text(en="Sign in", zh="登录"), model, sheet.Sheet(("way",), (("link",),)))

    def knock(self, request: Request) -> Response:
        """Show the button behind a link; nothing is looked up, so that a mail scanner neither uses it nor learns of it."""
        try:
            visit = self._site.visit(request)
        except Fault as fault:
            return self._site.fault(request, fault, problem=False)
        model = Link(visit.path["secret"][:128])
        shown = Shown("link.html", Text(en="Sign in", zh="登录"), model, sheet.Sheet((), ()))
        return self._site.seen(request, shown)

    def enter(self, request: Request, visit: Visit) -> Response:
        """Use up a link and begin a session; an old one of this browser ends."""
        try:
            secret = self._people.enter(visit.posted.one("link")[:128], label=request.headers.get("user-agent", ""))
        except Fault as fault:
            return self._site.seen(request, self._ways(refused=fault.what), status=403)
        return self.begun(request, visit, secret)

    def begun(self, request: Request, visit: Visit, secret: str, path: str = "/") -> Response:
        """Answer with the cookie of a session that just began."""
        if visit.signed.person is not None and visit.signed.session:
            self._people.leave(visit.signed.person.id, visit.signed.session)
        answer = self._site.onward(request, path)
        session.keep(answer, secret, secure=request.state.secure)
        return answer

    def leave(self, request: Request, visit: Visit) -> Response:
        """End this browser's session."""
        if visit.signed.person is not None and visit.signed.session:
            self._people.leave(visit.signed.person.id, visit.signed.session)
        answer = self._site.onward(request, "/sign-in")
        session.drop(answer, secure=request.state.secure)
        answer.headers["clear-site-data"] = '"cache"'
        return answer

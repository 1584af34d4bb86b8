"""Coming in and going out: the pages on which a person proves who they are.

Whatever does not work is answered in the same words, whether it was never there, was used, or is past its time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from tongqiu.node.oidc import refused, unreachable, unreadable
from tongqiu.node.passkeys import MOST_ANSWER
from tongqiu.portal import session, sheet
from tongqiu.portal.draw import passkey_script
from tongqiu.portal.guard import CSP
from tongqiu.portal.pages import Shown
from tongqiu.record.faults import Fault
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from starlette.requests import Request

    from tongqiu.node.oidc import Oidc
    from tongqiu.node.passkeys import Passkeys
    from tongqiu.node.people import People
    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit

SCRIPTED = CSP + "; script-src 'self'"
"""The policy of the two pages that need a script: a browser gives passkeys to scripts alone."""


_REFUSED = {fault.code: fault.what for fault in (refused(), unreachable(), unreadable())}


class SignIn(msgspec.Struct, frozen=True):
    """The ways in that this node offers (``link``, ``passkey``, ``oidc``); ``refused`` is what did not work just now."""

    ways: tuple[str, ...]
    signed: bool = False
    refused: Text | None = None
    provider: str = ""
    options: str = ""


class Away(msgspec.Struct, frozen=True):
    """Where the provider asks a person who they are."""

    url: str
    provider: str


class Link(msgspec.Struct, frozen=True):
    """A link that is about to be used."""

    link: str


def routes(site: Site, doors: Doors) -> list[Route]:
    """Return the routes of signing in and out."""
    made = [
        Route("/static/passkey.js", _script),
        *site.page("/sign-in", "/sign-in", doors.ways),
        Route("/sign-in/link/{secret}", doors.knock),
        site.form("/sign-in/link", doors.enter),
        site.form("/sign-out", doors.leave),
    ]
    if doors.passkeys is not None:
        made += [Route("/sign-in/passkey", doors.ask), site.form("/sign-in/passkey", doors.answered)]
    if doors.oidc is not None:
        made += [site.form("/sign-in/oidc", doors.away), Route("/sign-in/oidc/back", doors.back)]
    return made


class Doors:
    """The ways into one site."""

    def __init__(self, site: Site, people: People) -> None:
        """Open the ways into ``site`` that ``people`` offer at its address."""
        self._site, self._people = site, people
        self.passkeys: Passkeys | None = people.passkeys(site.url, site.node.name) if site.url else None
        if self.passkeys is not None and not self.passkeys.offered:
            self.passkeys = None
        self.oidc: Oidc | None = people.oidc(site.url) if site.url else None

    # --- the page -----------------------------------------------------------------------------------------------------

    def ways(self, visit: Visit) -> Shown:
        """Show how one may sign in, and what did not work just now where the address says so."""
        refused = _REFUSED.get(visit.asked("refused"))
        return self._ways(signed=bool(visit.signed.session), refused=refused)

    def _ways(self, *, signed: bool = False, refused: Text | None = None) -> Shown:
        ways = ["link"]
        if self.passkeys is not None:
            ways.insert(0, "passkey")
        if self.oidc is not None:
            ways.append("oidc")
        model = SignIn(tuple(ways), signed, refused, self.oidc.title if self.oidc else "")
        rows = tuple((each,) for each in ways)
        return Shown("signin.html", Text(en="Sign in", zh="登录"), model, sheet.Sheet(("way",), rows))

    def _refused(self, request: Request, why: Text) -> Response:
        return self._site.seen(request, self._ways(refused=why), status=403, beside="/sign-in")

    def begun(self, request: Request, visit: Visit, person: str, how: str) -> Response:
        """Begin a session and answer with its cookie; the old one of this browser ends."""
        self._end(visit)
        secret = self._people.begin(person, how=how, label=request.headers.get("user-agent", ""))
        answer = self._site.onward(request, "/")
        session.keep(answer, secret, secure=request.state.secure)
        return answer

    def _end(self, visit: Visit) -> None:
        if visit.signed.person is not None and visit.signed.session:
            self._people.leave(visit.signed.person.id, visit.signed.session)

    # --- by a link ----------------------------------------------------------------------------------------------------

    def knock(self, request: Request) -> Response:
        """Show the button behind a link; nothing is looked up, so that a mail scanner neither uses it nor learns of it."""
        model = Link(str(request.path_params["secret"])[:128])
        shown = Shown("link.html", Text(en="Sign in", zh="登录"), model, sheet.Sheet((), ()))
        return self._site.seen(request, shown)

    def enter(self, request: Request, visit: Visit) -> Response:
        """Use up a link and begin a session."""
        try:
            person = self._people.entered(visit.posted.one("link")[:128])
            return self.begun(request, visit, person, "link")
        except Fault as fault:
            return self._refused(request, fault.what)

    def leave(self, request: Request, visit: Visit) -> Response:
        """End this browser's session."""
        self._end(visit)
        answer = self._site.onward(request, "/sign-in")
        session.drop(answer, secure=request.state.secure)
        answer.headers["clear-site-data"] = '"cache"'
        return answer

    # --- by a passkey -------------------------------------------------------------------------------------------------

    def ask(self, request: Request) -> Response:
        """Ask this browser for a passkey: the one page of a stranger's with a script."""
        assert self.passkeys is not None  # noqa: S101 - or there is no such route
        model = SignIn(("passkey",), options=json.dumps(self.passkeys.to_use()))
        title = Text(en="Sign in with a passkey", zh="用通行密钥登录")
        answer = self._site.seen(request, Shown("passkey.html", title, model, sheet.Sheet((), ())))
        answer.headers["content-security-policy"] = SCRIPTED
        return answer

    def answered(self, request: Request, visit: Visit) -> Response:
        """Take what a device signed."""
        assert self.passkeys is not None  # noqa: S101 - or there is no such route
        try:
            person = self.passkeys.use(visit.posted.one("answer")[: MOST_ANSWER + 1])
            return self.begun(request, visit, person, "passkey")
        except Fault as fault:
            return self._refused(request, fault.what)

    # --- by an account elsewhere --------------------------------------------------------------------------------------

    def away(self, request: Request, visit: Visit) -> Response:
        """Send the browser to the provider, with a cookie by which it is known when it comes back."""
        assert self.oidc is not None  # noqa: S101 - or there is no such route
        try:
            url, state = self.oidc.away(visit.signed.person.id if visit.signed.person and visit.signed.session else "")
        except Fault as fault:
            return self._refused(request, fault.what)
        # Not a redirect: our policy lets forms go nowhere else, and a browser holds their redirects to it, too.
        title = Text(en="Sign in", zh="登录")
        answer = self._site.seen(request, Shown("away.html", title, Away(url, self.oidc.title), sheet.Sheet((), ())))
        answer.set_cookie(
            session.name_of(secure=request.state.secure, name="oidc"),
            state,
            max_age=600,
            path="/",
            secure=request.state.secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    def back(self, request: Request) -> Response:
        """Take the browser back from the provider: sign in, or connect the account of whoever is signed in."""
        assert self.oidc is not None  # noqa: S101 - or there is no such route
        name = session.name_of(secure=request.state.secure, name="oidc")
        try:
            visit = self._site.visit(request)
            person, connected = self.oidc.back(visit.query, request.cookies.get(name, ""))
            if connected and (visit.signed.person is None or visit.signed.person.id != person):
                raise refused()
            answer = self._site.onward(request, "/me") if connected else self.begun(request, visit, person, "oidc")
        except Fault as fault:
            # The address at hand holds a code, which no page needs to repeat.
            answer = self._site.onward(request, f"/sign-in?refused={fault.code}")
        answer.delete_cookie(name, path="/", secure=request.state.secure, httponly=True, samesite="lax")
        return answer


def _script(_request: Request) -> Response:
    headers = {"cache-control": "public, max-age=86400"}
    return Response(passkey_script(), media_type="text/javascript; charset=utf-8", headers=headers)

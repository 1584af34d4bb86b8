"""One's own page, where every way in is listed and can be ended, and the owner's page of all people.

Only somebody who is there in person changes anything here: tokens and signatures do not, whatever their scopes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from tongqiu.node.people import INVITATION, LINK, READ, ROLES, TITLES
from tongqiu.portal import directory, sheet, signin
from tongqiu.portal.pages import Shown
from tongqiu.portal.signin import SCRIPTED, Doors
from tongqiu.record.faults import Fault, Malformed, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from starlette.requests import Request

    from tongqiu.node.people import People
    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit
    from tongqiu.store.people import Person

_ME = Text(en="Your page", zh="个人页面")
_PEOPLE = Text(en="People", zh="人员")


class SessionRow(msgspec.Struct, frozen=True):
    """One place where somebody is signed in."""

    id: str
    how: str
    label: str
    created: str
    seen: str
    until: str
    here: bool


class KeyRow(msgspec.Struct, frozen=True):
    """A passkey, or a token with its scopes."""

    id: str
    name: str
    created: str
    used: str
    until: str = ""
    scopes: tuple[str, ...] = ()


class Me(msgspec.Struct, frozen=True):
    """What somebody sees of themselves. ``token`` is a new one, shown this one time."""

    id: str
    name: str
    role: str
    role_title: Text
    organisation: str
    sessions: tuple[SessionRow, ...]
    passkeys: tuple[KeyRow, ...]
    tokens: tuple[KeyRow, ...]
    accounts: tuple[str, ...]
    provider: str
    addable: bool
    owner: bool
    token: str = ""
    refused: Text | None = None


class Adding(msgspec.Struct, frozen=True):
    """What a browser asks a device for, to add a passkey."""

    options: str


class PersonRow(msgspec.Struct, frozen=True):
    """A person, as the owner sees them."""

    id: str
    name: str
    role: str
    role_title: Text
    organisation: str
    groups: tuple[str, ...]
    active: bool
    created: str
    me: bool


class Roll(msgspec.Struct, frozen=True):
    """All people of a node. ``link`` is a new one for ``invited``, shown this one time; ``ending`` is who is to be ended."""

    people: tuple[PersonRow, ...]
    roles: tuple[tuple[str, Text], ...]
    link: str = ""
    invited: str = ""
    hours: int = 0
    ending: PersonRow | None = None
    refused: Text | None = None


def routes(site: Site) -> list[Route]:
    """Return the routes of both pages and of signing in; none where nobody can."""
    if site.node.people is None:
        return []
    doors = Doors(site, site.node.people)
    rooms = _Rooms(site, site.node.people, doors)
    return [
        *signin.routes(site, doors),
        *site.page("/me", "/me", rooms.me),
        Route("/me/passkey", rooms.ask),
        site.form("/me/passkey", rooms.add_passkey),
        site.form("/me/end", rooms.end_mine),
        site.form("/me/token", rooms.make_token),
        site.form("/me/name", rooms.rename),
        *site.page("/people", "/people", rooms.people),
        site.form("/people/invite", rooms.invite),
        site.form("/people/change", rooms.change),
    ]


class _Rooms:
    def __init__(self, site: Site, people: People, doors: Doors) -> None:
        self._site, self._people, self._doors = site, people, doors

    # --- one's own ----------------------------------------------------------------------------------------------------

    def me(self, visit: Visit) -> Shown:
        """Show somebody who is signed in to themselves; to anybody else there is no such page."""
        return self._me(visit)

    def _me(self, visit: Visit, *, token: str = "", refused: Text | None = None) -> Shown:
        person = _person(visit)
        passkeys, accounts = self._people.held(person.id)
        model = Me(
            person.id,
            person.name,
            person.role,
            TITLES[person.role],
            person.party,
            tuple(
                SessionRow(
                    each.id, each.how, each.label, each.created, each.seen, each.until, each.id == visit.signed.session
                )
                for each in self._people.sessions(person.id)
            ),
            tuple(KeyRow(each.id, each.name, each.created, each.used) for each in passkeys),
            tuple(
                KeyRow(each.id, each.name, each.created, each.used, each.until, tuple(sorted(each.scopes)))
                for each in self._people.tokens(person.id)
            ),
            tuple(issuer for issuer, _ in accounts),
            self._doors.oidc.title if self._doors.oidc else "",
            self._doors.passkeys is not None,
            visit.signed.may("owner"),
            token,
            refused,
        )
        return Shown("me.html", _ME, model, sheet.sheet(SessionRow, model.sessions))

    def ask(self, request: Request) -> Response:
        """Ask this browser for a new passkey."""
        try:
            visit = self._site.visit(request)
            person = _present(visit)
            if self._doors.passkeys is None:
                raise directory.absent()
        except Fault as fault:
            return self._site.fault(request, fault, problem=False)
        options = json.dumps(self._doors.passkeys.to_add(person, visit.signed.session))
        title = Text(en="Add a passkey", zh="添加通行密钥")
        answer = self._site.seen(request, Shown("passkey_add.html", title, Adding(options), sheet.Sheet((), ())))
        answer.headers["content-security-policy"] = SCRIPTED
        return answer

    def add_passkey(self, request: Request, visit: Visit) -> Response:
        """Keep the passkey that a device made."""
        person = _present(visit)
        if self._doors.passkeys is None:
            raise directory.absent()
        try:
            sent = visit.posted
            self._doors.passkeys.add(person, visit.signed.session, sent.one("answer"), name=sent.one("name"))
        except Refused as fault:
            return self._site.seen(request, self._me(visit, refused=fault.what), beside="/me", status=403)
        return self._site.onward(request, "/me")

    def end_mine(self, request: Request, visit: Visit) -> Response:
        """End a session, passkey or token of one's own, or every other session."""
        person, sent = _present(visit), visit.posted
        if sent.one("session") == "others":
            for each in self._people.sessions(person.id):
                if each.id != visit.signed.session:
                    self._people.leave(person.id, each.id)
        elif sent.one("session"):
            self._people.leave(person.id, sent.one("session"))
        self._people.end_passkey(person.id, sent.one("passkey"))
        self._people.end_token(sent.one("token"), person.id)
        return self._site.onward(request, "/me")

    def make_token(self, request: Request, visit: Visit) -> Response:
        """Make a token and show it this one time."""
        person, sent = _present(visit), visit.posted
        scopes = frozenset(sent.one("scopes").split()) | ({READ} if sent.one("read") else set())
        days = sent.one("days") or "90"
        try:
            if not (days.isascii() and days.isdigit() and len(days) < 4):  # noqa: PLR2004 - a year has 366 days
                days = "0"
            secret, _ = self._people.make_token(person.id, sent.one("name"), scopes=scopes or {READ}, days=int(days))
        except (Malformed, Refused) as fault:
            return self._site.seen(request, self._me(visit, refused=fault.what), beside="/me", status=400)
        return self._site.seen(request, self._me(visit, token=secret), beside="/me")

    def rename(self, request: Request, visit: Visit) -> Response:
        """Be called otherwise from now on."""
        person = _present(visit)
        try:
            self._people.change(person.id, by=person.id, name=visit.posted.one("name"))
        except Malformed as fault:
            return self._site.seen(request, self._me(visit, refused=fault.what), beside="/me", status=400)
        return self._site.onward(request, "/me")

    # --- everybody ----------------------------------------------------------------------------------------------------

    def people(self, visit: Visit) -> Shown:
        """Show all people to an owner; to anybody else there is no such page."""
        if not visit.signed.may("owner") or visit.signed.person is None:
            raise directory.absent()
        return self._roll(visit)

    def _roll(  # noqa: PLR0913 - what may be said beside the list
        self,
        visit: Visit,
        *,
        link: str = "",
        invited: str = "",
        hours: int = 0,
        ending: str = "",
        refused: Text | None = None,
    ) -> Shown:
        mine = visit.signed.person.id if visit.signed.person else ""
        rows = tuple(
            PersonRow(
                each.id,
                each.name,
                each.role,
                TITLES[each.role],
                each.party,
                tuple(sorted(each.groups)),
                each.state == "active",
                each.created,
                each.id == mine,
            )
            for each in self._people.everyone()
        )
        roles = tuple((role, TITLES[role]) for role in ROLES)
        asked = next((each for each in rows if each.id == ending and each.active), None)
        model = Roll(rows, roles, link, invited, hours, asked, refused)
        return Shown("people.html", _PEOPLE, model, sheet.sheet(PersonRow, rows))

    def invite(self, request: Request, visit: Visit) -> Response:
        """Add a person and show the link by which they enter."""
        owner, sent = self._owner(visit), visit.posted
        try:
            made = self._people.add(
                sent.one("name"),
                sent.one("role"),
                party=sent.one("organisation").strip(),
                groups=sent.one("groups").split(),
                by=owner.id,
            )
        except (Malformed, Refused) as fault:
            return self._site.seen(request, self._roll(visit, refused=fault.what), beside="/people", status=400)
        return self._linked(request, visit, made, invitation=True)

    def change(self, request: Request, visit: Visit) -> Response:
        """Give a person another role, end their time here, or make them a new link."""
        owner, sent = self._owner(visit), visit.posted
        try:
            person = self._people.person(sent.one("person"))
            if sent.one("do") == "link":
                return self._linked(request, visit, person, invitation=False)
            if sent.one("do") == "end" and not sent.one("sure"):
                return self._site.seen(request, self._roll(visit, ending=person.id), beside="/people")
            if sent.one("do") == "end":
                self._people.end(person.id, by=owner.id)
            elif sent.one("do") == "role":
                self._people.change(person.id, by=owner.id, role=sent.one("role"))
        except (Malformed, Refused) as fault:
            return self._site.seen(request, self._roll(visit, refused=fault.what), beside="/people", status=400)
        return self._site.onward(request, "/people")

    def _linked(self, request: Request, visit: Visit, person: Person, *, invitation: bool) -> Response:
        lives = INVITATION if invitation else LINK
        where = self._site.url or str(request.base_url).rstrip("/")
        link = f"{where}/sign-in/link/{self._people.link(person.id, lives=lives)}"
        hours = int(lives.total_seconds() // 3600)
        return self._site.seen(
            request, self._roll(visit, link=link, invited=person.name, hours=hours), beside="/people"
        )

    @staticmethod
    def _owner(visit: Visit) -> Person:
        person = _present(visit)
        if not visit.signed.may("owner"):
            raise directory.absent()
        return person


def _person(visit: Visit) -> Person:
    """Return who is there, in person or through their program."""
    if visit.signed.person is None:
        raise directory.absent()
    return visit.signed.person


def _present(visit: Visit) -> Person:
    """Return who is there in person; to anybody else nothing of this exists."""
    if not visit.signed.session:
        raise directory.absent()
    return _person(visit)

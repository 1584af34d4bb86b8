"""The people of a node: who they are, what each may do, and the ways in that each of them holds.

Secrets are 256 random bits, shown once; only their SHA-256 is kept. A secret that is unknown, used, ended or past its time
is answered in the same words. What a person may do is read anew at every request, so a change counts at once.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.record.audience import STRANGER, Principal
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.statement import instant, moment_of
from tongqiu.record.subject import check_id
from tongqiu.record.text import Text, inert
from tongqiu.seal import httpsig
from tongqiu.seal.keys import PublicKey
from tongqiu.seal.policy import Policy
from tongqiu.store.people import ACTIVE, ENDED, Once, Person, Session, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tongqiu.node.home import Home
    from tongqiu.node.oidc import Oidc
    from tongqiu.node.passkeys import Passkeys
    from tongqiu.practice import Clock
    from tongqiu.store.people import Passkey, PeopleTables

MAY: dict[str, frozenset[str]] = {
    "owner": frozenset({"owner", "issuer", "reviewer", "contributor", "reader"}),
    "issuer": frozenset({"issuer", "contributor", "reader"}),
    "reviewer": frozenset({"reviewer", "reader"}),
    "contributor": frozenset({"contributor", "reader"}),
    "reader": frozenset({"reader"}),
}
"""Which duties each role may do. A reviewer does not make what it reviews, nor an issuer review; an owner may do all."""

ROLES = tuple(MAY)
TITLES: dict[str, Text] = {
    "owner": Text(en="Owner", zh="所有者"),
    "issuer": Text(en="Issuer", zh="出具人"),
    "reviewer": Text(en="Reviewer", zh="复核人"),
    "contributor": Text(en="Contributor", zh="提供人"),
    "reader": Text(en="Reader", zh="读者"),
}
OWN = frozenset({"owner", "issuer", "reviewer"})
"""Roles that speak for, or check, the node's own party: nobody of another organisation holds one."""

IDLE = datetime.timedelta(hours=12)
"""How long a session lives without being used."""
LONGEST = datetime.timedelta(days=7)
"""How long a session lives at most."""
LINK = datetime.timedelta(minutes=15)
"""How long the link lives that ``serve`` prints."""
INVITATION = datetime.timedelta(hours=72)
"""How long an invitation lives."""
MOST_NAME = 200
MOST_TOKENS = 50
READ = "read"
"""The scope of a token that may read; every other scope is the name of a verb, or ``*`` for all of them."""

_BETWEEN = datetime.timedelta(minutes=1)
_LABEL = 120
_LONGEST_TOKEN = 366
_VERB = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)+")


class Signed(NamedTuple):
    """Whoever sent a request, as far as it proved it; a stranger is ``Signed(STRANGER, None, "", "")``.

    ``session`` is the public name of a cookie's session (empty for tokens and signatures), ``csrf`` what its forms must
    send back. ``scopes`` None means that a human is there; a token may do no more than its scopes name.
    """

    principal: Principal
    person: Person | None
    session: str
    csrf: str
    scopes: frozenset[str] | None = None
    how: str = ""

    def may(self, role: str, verb: str = "") -> bool:
        """Tell whether it may do the duty of ``role``, and with a token also the verb."""
        allowed = self.scopes is None or "*" in self.scopes or verb in self.scopes or (not verb and READ in self.scopes)
        return allowed and may(self.principal, role)


NOBODY = Signed(STRANGER, None, "", "")
"""A stranger."""


def may(principal: Principal, role: str) -> bool:
    """Tell whether ``principal`` may do the duty of ``role`` (see :data:`MAY`)."""
    return any(role in MAY.get(each, frozenset()) for each in principal.roles)


def digest_of(secret: str) -> bytes:
    """Return the SHA-256 under which a secret is kept: it is long and random, so one round hides it."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_of(secret: str) -> str:
    """Return what the forms of a session send back: made from its secret, which no page and no table holds."""
    return hmac.new(secret.encode(), b"tongqiu csrf", hashlib.sha256).hexdigest()


class People:
    """The people of one node; their rows are in the store, what they did is in the log."""

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        tables: PeopleTables,
        *,
        me: str,
        name: str,
        clock: Clock,
        trust: Callable[[], Policy] = Policy,
        home: Home | None = None,
        told: Callable[[str, str, str], None] | None = None,
    ) -> None:
        """Look after the people in ``tables`` at the node of party ``me``, called ``name``.

        ``trust`` names other nodes, ``home`` an account provider. ``told(who, verb, whom)`` logs what was done to whom.
        """
        self._tables = tables
        self._me, self._party_name = me, name
        self._clock = clock
        self._trust, self._home, self._told = trust, home, told
        self.changes = 0
        """How often this process took a right away; whoever remembers one looks here first."""

    # --- who there is ------------------------------------------------------------------------------------------------

    def owner(self) -> Person:
        """Return the owner who came first; a node that has none yet gets one, called as its party is."""
        found = [each for each in self._tables.everyone() if each.role == "owner" and each.state == ACTIVE]
        if found:
            return found[0]
        made = self._new(self._party_name, "owner", self._me, frozenset())
        return made if self._tables.add(made, first=True) else self.owner()

    def everyone(self) -> list[Person]:
        """Return every person, those who are gone included; there is always an owner."""
        self.owner()
        return self._tables.everyone()

    def person(self, name: str) -> Person:
        """Return a person by pseudonym. Raises Missing (``people.missing``)."""
        return self._tables.person(name)

    def add(self, name: str, role: str, *, party: str = "", groups: Iterable[str] = (), by: str = "") -> Person:
        """Add a person of ``party`` (a DID; the node's own by default), who is a member of ``groups`` (URNs).

        ``by`` is the person who does it, for the record of who did what.

        Raises Malformed (``people.name``, ``people.role``, ``people.organisation``, ``subject.id``), Refused (``people.outside``) for a role that
        only people of the node's own party hold.
        """
        self.owner()
        made = self._new(name, role, party or self._me, frozenset(groups))
        self._tables.add(made)
        self._tell(by, "people.add", made.id)
        return made

    def change(self, name: str, /, by: str = "", **values: str) -> Person:
        """Change ``name``, ``role`` or ``party`` of an active person; what they may do changes at once.

        Raises as :meth:`add`; Missing (``people.missing``), Refused (``people.last-owner``).
        """
        old = self.person(name)
        self._check(values.get("name", old.name), values.get("role", old.role), values.get("party", old.party), ())
        changed = self._tables.change(name, **values)
        self.changes += 1
        self._tell(by, "people.change", name)
        return changed

    def end(self, name: str, *, by: str = "") -> Person:
        """End a person's time here: sessions, tokens, passkeys and links go at once. Raises as :meth:`change`."""
        ended = self._tables.change(name, state=ENDED)
        self.changes += 1
        self._tell(by, "people.end", name)
        return ended

    def forget(self, name: str, *, by: str = "") -> None:
        """Forget what a person who was ended was called; records keep the pseudonym. Raises Missing (``people.missing``)."""
        self._tables.forget(name)
        self._tell(by, "people.forget", name)

    def principal(self, person: Person) -> Principal:
        """Return what a person reads as.

        Owner, issuer, reviewer and contributor read what their organisation reads. A reader of the node's own party
        reads what its groups are named for, and what everyone may: it does not stand in the party's place.
        """
        own_reader = person.role == "reader" and person.party == self._me
        return Principal(
            None if own_reader else person.party, person.groups, roles=frozenset({person.role}), person=person.id
        )

    def at_terminal(self) -> Signed:
        """Return the owner, as whoever may use the node's own keys from the command line."""
        owner = self.owner()
        return Signed(self.principal(owner), owner, "", "", how="terminal")

    # --- ways in: links and sessions ---------------------------------------------------------------------------------

    def link(self, person: str, *, lives: datetime.timedelta = LINK) -> str:
        """Return the secret of a link by which a person enters once. Raises Missing (``people.missing``)."""
        if self.person(person).state != ACTIVE:
            raise self._missing()
        now = self._clock.now()
        self._tables.sweep(now)
        return self.once("link", person=person, lives=lives)

    def enter(self, link: str, *, label: str = "") -> str:
        """Use up a link and return the secret of the session it opens. Raises Refused (``people.link``)."""
        return self.begin(self.entered(link), how="link", label=label)

    def entered(self, link: str) -> str:
        """Use up a link and return whose it was. Raises Refused (``people.link``)."""
        used = self.take("link", link)
        if used is None:
            raise Refused(
                "people.link",
                Text(en="This link does not work, or no longer does.", zh="此链接无效或已失效。"),
                do=Text(en="Ask the node's owner for a new one.", zh="请向节点所有者索取新链接。"),
            )
        return used.person

    def begin(self, person: str, *, how: str, label: str = "") -> str:
        """Return the secret of a new session of an active person, who proved by ``how`` who they are."""
        if self.person(person).state != ACTIVE:
            raise self._missing()
        secret, now = secrets.token_urlsafe(32), self._clock.now()
        session = Session(
            secrets.token_hex(8), person, how, inert(label, one_line=True)[:_LABEL], now, now, self._after(LONGEST)
        )
        self._tables.begin(digest_of(secret), session)
        return secret

    def signed(self, secret: str) -> Signed:
        """Return whose session a cookie's secret opens; a stranger where it opens none."""
        digest = digest_of(secret)
        found = self._tables.session(digest) if secret else None
        if found is None:
            return NOBODY
        session, person = found
        now = self._clock.now()
        if person.state != ACTIVE or now >= session.until or now >= self._after(IDLE, session.seen):
            return NOBODY
        if now >= self._after(_BETWEEN, session.seen):
            self._tables.seen(digest, now)
        return Signed(self.principal(person), person, session.id, csrf_of(secret), how=session.how)

    def sessions(self, person: str) -> list[Session]:
        """Return a person's sessions that still live."""
        now = self._clock.now()
        return [
            each for each in self._tables.sessions(person) if now < each.until and now < self._after(IDLE, each.seen)
        ]

    def leave(self, person: str, session: str = "") -> int:
        """End one session of a person by its public name, or all of them; return how many ended."""
        return self._tables.leave(person, session)

    def once(self, purpose: str, *, person: str = "", data: str = "", lives: datetime.timedelta = LINK) -> str:
        """Return a fresh secret that :meth:`take` accepts one time, for one ``purpose``, before it is too old."""
        secret = secrets.token_urlsafe(32)
        self._tables.put_once(digest_of(secret), Once(purpose, person, data), self._after(lives))
        return secret

    def take(self, purpose: str, secret: str) -> Once | None:
        """Use up a one-time secret; None for one that is unknown, used, too old or for another purpose."""
        return self._tables.take_once(digest_of(secret), purpose, self._clock.now())

    def passkeys(self, url: str, name: str) -> Passkeys:
        """Return the passkeys of people at the address ``url``, at which a device calls this site ``name``."""
        from tongqiu.node.passkeys import Passkeys

        return Passkeys(self._tables, url=url, name=name, clock=self._clock)

    def oidc(self, url: str) -> Oidc | None:
        """Return the account provider that ``node.toml`` names, for a site at ``url``; None where it names none."""
        from tongqiu.node.oidc import Oidc

        if self._home is None or self._home.settings.oidc is None:
            return None
        provider = self._home.settings.oidc
        return Oidc(self, self._tables, provider, url=url, folder=self._home.path, clock=self._clock)

    def held(self, person: str) -> tuple[list[Passkey], list[tuple[str, str]]]:
        """Return the passkeys of a person, and issuer and sub of their accounts elsewhere."""
        return self._tables.passkeys(person), self._tables.bindings(person)

    def end_passkey(self, person: str, name: str) -> bool:
        """Forget a passkey of a person by its public name; tell whether it was there."""
        return bool(name) and bool(self._tables.end_passkey(person, name))

    # --- ways in: tokens ---------------------------------------------------------------------------------------------

    def make_token(
        self, person: str, name: str, *, scopes: Iterable[str] = (READ,), days: int = 90
    ) -> tuple[str, Token]:
        """Return the secret of a new token of a person, for their programs, and what is kept of it.

        ``scopes`` are :data:`READ` and names of verbs; it never may more than its person. Raises Malformed
        (``people.token``), Refused (``people.tokens``) for too many.
        """
        if self.person(person).state != ACTIVE:
            raise self._missing()
        if len(self._tables.tokens(person)) >= MOST_TOKENS:
            raise Refused(
                "people.tokens",
                Text(en="There are {most} tokens already.", zh="令牌已达 {most} 个。"),
                do=Text(en="End those that are not used.", zh="请停用不再使用的令牌。"),
                most=MOST_TOKENS,
            )
        return self._token(name, person=person, scopes=frozenset(scopes), days=days)

    def make_door_token(
        self, party: str, name: str, *, groups: Iterable[str] = (), roles: Iterable[str] = (), days: int = 365
    ) -> tuple[str, Token]:
        """Return the secret of a new token for another party at this node's doors, and what is kept of it."""
        check_id(party, where="party")
        if not party.startswith("did:"):
            raise _bad_token()
        return self._token(name, party=party, groups=frozenset(groups), roles=frozenset(roles), days=days)

    def by_token(self, secret: str) -> Signed | None:
        """Return who holds a token; None for one that nobody may use (any more)."""
        found = self._tables.token(digest_of(secret))
        now = self._clock.now()
        if found is None or now >= found.until:
            return None
        if now >= self._after(_BETWEEN, found.used or found.created):
            self._tables.used_token(found.id, now)
        if not found.person:
            return Signed(Principal(found.party, found.groups, found.roles), None, "", "", found.scopes, "token")
        person = self.person(found.person)
        return Signed(self.principal(person), person, "", "", found.scopes, "token")

    def tokens(self, person: str | None = None) -> list[Token]:
        """Return a person's tokens (of other parties: ``""``; all: None), those past their time included."""
        return self._tables.tokens(person)

    def end_token(self, name: str, person: str | None = None) -> bool:
        """Forget a token by its public name, where ``person`` is given only one of theirs; tell whether it was there."""
        ended = bool(name) and bool(self._tables.end_token(name, person))
        self.changes += ended
        return ended

    # --- ways in: signatures of other nodes --------------------------------------------------------------------------

    def by_signature(self, request: httpsig.Request, body: bytes) -> Signed:
        """Return the pinned party whose node signed a request, each time once. Raises Unproven (``httpsig``)."""
        policy = self._trust()

        def key(name: str) -> PublicKey | None:
            if name == self._me or not name.startswith("did:key:"):
                return None
            try:
                found = PublicKey.from_did(name)
            except Malformed:
                return None
            return None if policy.party(name, found.thumbprint) is None else found

        def fresh(name: str) -> bool:
            lives = datetime.timedelta(seconds=httpsig.LIFE + 2 * httpsig.SKEW)
            return self._tables.put_once(digest_of(name), Once("nonce", "", ""), self._after(lives))

        now = int(moment_of(self._clock.now()).timestamp())
        party = httpsig.verify(request, body, now=now, key=key, fresh=fresh)
        self._tables.sweep(self._clock.now())
        return Signed(Principal(party), None, "", "", frozenset({READ}), "signature")

    # --- inside ------------------------------------------------------------------------------------------------------

    def _tell(self, by: str, verb: str, whom: str) -> None:
        if self._told is not None and by:
            self._told(by, verb, whom)

    def _token(  # noqa: PLR0913 - what a token holds
        self,
        name: str,
        *,
        person: str = "",
        party: str = "",
        groups: frozenset[str] = frozenset(),
        roles: frozenset[str] = frozenset(),
        scopes: frozenset[str] = frozenset(),
        days: int,
    ) -> tuple[str, Token]:
        known = all(each in {READ, "*"} or _VERB.fullmatch(each) for each in scopes)
        if not _sound(name) or not 1 <= days <= _LONGEST_TOKEN or not roles <= MAY.keys() or not known:
            raise _bad_token()
        secret, until = "tq_" + secrets.token_urlsafe(32), self._after(datetime.timedelta(days=days))
        made = Token(secrets.token_hex(8), name, person, party, groups, roles, scopes, self._clock.now(), until, "")
        self._tables.add_token(digest_of(secret), made)
        return secret, made

    def _new(self, name: str, role: str, party: str, groups: frozenset[str]) -> Person:
        self._check(name, role, party, groups)
        return Person(
            f"urn:tongqiu:person:{secrets.token_hex(16)}", name, role, party, groups, ACTIVE, self._clock.now()
        )

    def _check(self, name: str, role: str, party: str, groups: Iterable[str]) -> None:
        if not _sound(name):
            raise Malformed(
                "people.name",
                Text(en="A name needs 1 to {most} characters, none of them control characters.",
                     zh="姓名须为 1 至 {most} 个字符，且不含控制字符。"),
                do=Text(en="Give another name.", zh="请换一个名称。"),
                most=MOST_NAME,
            )  # fmt: skip
        if role not in MAY:
            raise Malformed(
                "people.role",
                Text(en="{role} is no role.", zh="{role} 不是角色。"),
                do=Text(en="Known ones: {known}.", zh="可用的角色：{known}。"),
                role=inert(role[:40], one_line=True),
                known=", ".join(ROLES),
            )
        for each, sort in ((party, "did:"), *((group, "urn:") for group in groups)):
            check_id(each)
            if not each.startswith(sort):
                raise Malformed(
                    "people.organisation",
                    Text(
                        en="An organisation is named by a DID (did:…), a group by a URN (urn:…).",
                        zh="机构以 DID（did:…）标识，群组以 URN（urn:…）标识。",
                    ),
                    do=Text(en="Give its identifier.", zh="请给出其标识符。"),
                )
        if role in OWN and party != self._me:
            raise Refused(
                "people.outside",
                Text(
                    en="Only people of the node's own organisation can be {role}.",
                    zh="只有节点所属机构的人员才能担任 {role}。",
                ),
                do=Text(en="Make them a contributor or a reader.", zh="请设为 contributor 或 reader。"),
                role=role,
            )

    def _after(self, span: datetime.timedelta, start: str = "") -> str:
        return instant(moment_of(start or self._clock.now()) + span)

    @staticmethod
    def _missing() -> Missing:
        return Missing(
            "people.missing",
            Text(en="There is no such person here.", zh="此处没有此人。"),
            do=Text(en="List the people of this node.", zh="请列出本节点的人员。"),
        )


def _sound(name: str) -> bool:
    return bool(name.strip()) and len(name) <= MOST_NAME and inert(name, one_line=True) == name


def _bad_token() -> Malformed:
    return Malformed(
        "people.token",
        Text(
            en="A token needs a name, 1 to {most} days, scopes that are read, * or names of verbs, known roles and a party's DID.",
            zh="令牌须有名称、1 至 {most} 天的有效期、范围（read、* 或操作名称）、已知角色及参与方 DID。",
        ),
        do=Text(en="Mend what was given.", zh="请修正所填内容。"),
        most=_LONGEST_TOKEN,
    )

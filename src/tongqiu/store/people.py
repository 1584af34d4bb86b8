"""Who may sign in at a node, and by what: kept apart from the log, so that a person and every way in can be forgotten.

No secret is here. Of cookies, tokens and links only the SHA-256 is kept, of passkeys only the public key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from tongqiu.record.faults import Missing, Refused
from tongqiu.record.text import Text
from tongqiu.store import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tongqiu.store.database import Database

ACTIVE, ENDED = "active", "ended"
_MOST = 1000


class Person(NamedTuple):
    """A human who may sign in. ``id`` is a pseudonym (``urn:tongqiu:person:<32 hex>``); ``party`` their organisation's DID."""

    id: str
    name: str
    role: str
    party: str
    groups: frozenset[str] = frozenset()
    state: str = ACTIVE
    created: str = ""


class Session(NamedTuple):
    """Somebody who is signed in: ``how`` they proved it, on what device (``label``), when last seen and until when."""

    id: str
    person: str
    how: str
    label: str
    created: str
    seen: str
    until: str


class Token(NamedTuple):
    """What a program sends: of a person, or of another party at a door (``person`` empty). ``until`` empty: no end."""

    id: str
    name: str
    person: str
    party: str
    groups: frozenset[str]
    roles: frozenset[str]
    scopes: frozenset[str]
    created: str
    until: str
    used: str


class Passkey(NamedTuple):
    """The public half of a WebAuthn credential: ``key`` is a COSE key, ``uses`` how many signatures it has reported."""

    credential: bytes
    id: str
    person: str
    name: str
    key: bytes
    uses: int
    created: str
    used: str


class Once(NamedTuple):
    """What a one-time secret was for, whose it was, and what was noted with it."""

    purpose: str
    person: str
    data: str


class PeopleTables:
    """The people of one store and their ways in."""

    def __init__(self, database: Database) -> None:
        """Keep them in ``database``."""
        self._database = database

    # --- people ------------------------------------------------------------------------------------------------------

    def everyone(self) -> list[Person]:
        """Return every person, those who are gone included, in the order they came."""
        wanted = sa.select(schema.person).order_by(schema.person.c.created, schema.person.c.id)
        return [_person(each) for each in self._rows(wanted)]

    def person(self, name: str) -> Person:
        """Return a person by pseudonym. Raises Missing (``people.missing``)."""
        found = self._rows(sa.select(schema.person).where(schema.person.c.id == name))
        if not found:
            raise _nobody()
        return _person(found[0])

    def add(self, person: Person, *, first: bool = False) -> bool:
        """Add a person; with ``first`` only while there is no active owner. Return whether it was added."""
        with self._database.write() as connection:
            if first and _owners(connection):
                return False
            connection.execute(sa.insert(schema.person).values(**_plain(person._asdict())))
        return True

    def change(self, name: str, /, **values: object) -> Person:
        """Change a person; who is ended loses every way in, in the same transaction.

        Raises Missing (``people.missing``), Refused (``people.last-owner``) if no owner were left.
        """
        with self._database.write() as connection:
            chosen = sa.update(schema.person).where(schema.person.c.id == name, schema.person.c.state == ACTIVE)
            if not connection.execute(chosen.values(**_plain(values))).rowcount:
                raise _nobody()
            _one_owner(connection)
            if values.get("state") == ENDED:
                ways_in = (schema.session, schema.token, schema.passkey, schema.binding, schema.once)
                for table in (*ways_in, schema.look, schema.draft):
                    connection.execute(sa.delete(table).where(table.c.person == name))
        return self.person(name)

    def forget(self, name: str) -> None:
        """Take the name and groups of a person who is gone; the pseudonym stays. Raises Missing (``people.missing``)."""
        chosen = sa.update(schema.person).where(schema.person.c.id == name, schema.person.c.state == ENDED)
        with self._database.write() as connection:
            if not connection.execute(chosen.values(name="", groups=_written(frozenset()))).rowcount:
                raise _nobody()

    # --- sessions ----------------------------------------------------------------------------------------------------

    def begin(self, digest: bytes, session: Session) -> None:
        """Keep a session under the SHA-256 of its secret."""
        self._insert(schema.session, digest=digest, **session._asdict())

    def session(self, digest: bytes) -> tuple[Session, Person] | None:
        """Return the session of a secret and whose it is, whatever their age and state; None where there is none."""
        wanted = sa.select(schema.session, schema.person).join_from(
            schema.session, schema.person, schema.person.c.id == schema.session.c.person
        )
        found = self._rows(wanted.where(schema.session.c.digest == digest))
        if not found:
            return None
        row = tuple(found[0])
        at = len(schema.session.c)
        return Session(*row[1:at]), _person_of(row[at:])

    def sessions(self, person: str) -> list[Session]:
        """Return the sessions of a person, the latest seen first."""
        wanted = sa.select(schema.session).where(schema.session.c.person == person)
        return [Session(*each[1:]) for each in self._rows(wanted.order_by(schema.session.c.seen.desc()).limit(_MOST))]

    def seen(self, digest: bytes, at: str) -> None:
        """Note when a session was last used."""
        with self._database.write(lock=False) as connection:
            chosen = sa.update(schema.session).where(schema.session.c.digest == digest)
            connection.execute(chosen.values(seen=at))

    def leave(self, person: str, name: str = "") -> int:
        """End a session of a person by its public name, or all; return how many ended."""
        return self._delete(schema.session, person, name)

    # --- tokens ------------------------------------------------------------------------------------------------------

    def add_token(self, digest: bytes, token: Token) -> None:
        """Keep a token under the SHA-256 of its secret."""
        self._insert(schema.token, digest=digest, **_plain(token._asdict()))

    def token(self, digest: bytes) -> Token | None:
        """Return the token of a secret, whatever its age."""
        found = self._rows(sa.select(schema.token).where(schema.token.c.digest == digest))
        return _token(found[0]) if found else None

    def tokens(self, person: str | None = None) -> list[Token]:
        """Return the tokens of a person, or of everybody, the oldest first."""
        wanted = sa.select(schema.token).order_by(schema.token.c.created, schema.token.c.id).limit(_MOST)
        if person is not None:
            wanted = wanted.where(schema.token.c.person == person)
        return [_token(each) for each in self._rows(wanted)]

    def used_token(self, name: str, at: str) -> None:
        """Note when a token was last used."""
        with self._database.write(lock=False) as connection:
            connection.execute(sa.update(schema.token).where(schema.token.c.id == name).values(used=at))

    def end_token(self, name: str, person: str | None = None) -> int:
        """Forget a token by its public name, of a person where one is named; return how many went (0 or 1)."""
        return self._delete(schema.token, person, name)

    # --- passkeys and accounts elsewhere -----------------------------------------------------------------------------

    def add_passkey(self, passkey: Passkey) -> None:
        """Keep a passkey. Raises Refused (``people.passkey``) for one that is known already."""
        with self._database.write() as connection:
            chosen = sa.select(schema.passkey.c.id).where(schema.passkey.c.credential == passkey.credential)
            if connection.execute(chosen).first() is not None:
                raise Refused(
                    "people.passkey",
                    Text(en="This passkey cannot be added.", zh="无法添加该通行密钥。"),
                    do=Text(en="Use another device or account.", zh="请改用其他设备或账户。"),
                )
            connection.execute(sa.insert(schema.passkey).values(**passkey._asdict()))

    def passkey(self, credential: bytes) -> Passkey | None:
        """Return a passkey by its credential id."""
        found = self._rows(sa.select(schema.passkey).where(schema.passkey.c.credential == credential))
        return Passkey(*found[0]) if found else None

    def passkeys(self, person: str) -> list[Passkey]:
        """Return the passkeys of a person, the oldest first."""
        wanted = sa.select(schema.passkey).where(schema.passkey.c.person == person)
        return [Passkey(*each) for each in self._rows(wanted.order_by(schema.passkey.c.created).limit(_MOST))]

    def counted(self, passkey: Passkey, uses: int, at: str) -> bool:
        """Move the counter of a passkey on from where ``passkey`` saw it; return False if another use was faster."""
        with self._database.write() as connection:
            chosen = sa.update(schema.passkey).where(
                schema.passkey.c.credential == passkey.credential, schema.passkey.c.uses == passkey.uses
            )
            return bool(connection.execute(chosen.values(uses=uses, used=at)).rowcount)

    def end_passkey(self, person: str, name: str) -> int:
        """Forget a passkey by its public name; return how many went (0 or 1)."""
        return self._delete(schema.passkey, person, name)

    def bind(self, issuer: str, sub: str, person: str) -> None:
        """Say that an account at an OpenID provider is this person's. Raises Refused (``people.account``) if another's."""
        with self._database.write() as connection:
            mine = sa.and_(schema.binding.c.issuer == issuer, schema.binding.c.sub == sub)
            held = connection.execute(sa.select(schema.binding.c.person).where(mine)).scalar()
            if held not in {None, person}:
                raise Refused(
                    "people.account",
                    Text(en="This account cannot be connected.", zh="无法关联该账户。"),
                    do=Text(en="Sign in with it, or use another.", zh="请直接用它登录，或改用其他账户。"),
                )
            if held is None:
                connection.execute(sa.insert(schema.binding).values(issuer=issuer, sub=sub, person=person))

    def bound(self, issuer: str, sub: str) -> str | None:
        """Return the pseudonym of the person whose account this is."""
        chosen = sa.select(schema.binding.c.person).where(
            schema.binding.c.issuer == issuer, schema.binding.c.sub == sub
        )
        found = self._rows(chosen)
        return str(found[0][0]) if found else None

    def bindings(self, person: str) -> list[tuple[str, str]]:
        """Return issuer and sub of a person's accounts elsewhere."""
        chosen = sa.select(schema.binding.c.issuer, schema.binding.c.sub).where(schema.binding.c.person == person)
        return [(each[0], each[1]) for each in self._rows(chosen.limit(_MOST))]

    # --- what works once ---------------------------------------------------------------------------------------------

    def put_once(self, digest: bytes, once: Once, until: str) -> bool:
        """Keep what works one time; return False, keeping what is there, if the digest is taken."""
        with self._database.write() as connection:
            if connection.execute(sa.select(schema.once.c.purpose).where(schema.once.c.digest == digest)).first():
                return False
            connection.execute(sa.insert(schema.once).values(digest=digest, until=until, **once._asdict()))
        return True

    def take_once(self, digest: bytes, purpose: str, now: str) -> Once | None:
        """Use what works one time: returned to one caller alone, and only before its end; None in every other case."""
        mine = sa.and_(schema.once.c.digest == digest, schema.once.c.purpose == purpose)
        with self._database.write() as connection:
            found = connection.execute(sa.select(schema.once).where(mine)).first()
            if found is None or not connection.execute(sa.delete(schema.once).where(mine)).rowcount:
                return None
        return Once(found.purpose, found.person, found.data) if now < found.until else None

    def sweep(self, now: str) -> None:
        """Forget what is past its time."""
        with self._database.write(lock=False) as connection:
            connection.execute(sa.delete(schema.once).where(schema.once.c.until <= now))
            connection.execute(sa.delete(schema.session).where(schema.session.c.until <= now))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _rows(self, wanted: sa.Select[Any]) -> list[Any]:
        with self._database.read() as connection:
            return list(connection.execute(wanted))

    def _insert(self, table: sa.Table, **values: object) -> None:
        with self._database.write(lock=False) as connection:
            connection.execute(sa.insert(table).values(**values))

    def _delete(self, table: sa.Table, person: str | None, name: str) -> int:
        chosen = sa.delete(table)
        if person is not None:
            chosen = chosen.where(table.c.person == person)
        if name:
            chosen = chosen.where(table.c.id == name)
        with self._database.write(lock=False) as connection:
            return connection.execute(chosen).rowcount


def _owners(connection: sa.Connection) -> int:
    chosen = sa.select(sa.func.count()).select_from(schema.person)
    chosen = chosen.where(schema.person.c.role == "owner", schema.person.c.state == ACTIVE)
    return connection.execute(chosen).scalar_one()


def _one_owner(connection: sa.Connection) -> None:
    if not _owners(connection):
        raise Refused(
            "people.last-owner",
            Text(en="A node always has an owner.", zh="节点必须始终有一名所有者。"),
            do=Text(en="Make somebody else an owner first.", zh="请先让另一人成为所有者。"),
        )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _written(value) if isinstance(value, frozenset) else value for key, value in values.items()}


def _written(names: frozenset[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()


def _names(text: str) -> frozenset[str]:
    return msgspec.json.decode(text, type=frozenset[str])


def _person(row: Any) -> Person:  # noqa: ANN401 - a selected row
    return _person_of(tuple(row))


def _person_of(row: tuple[Any, ...]) -> Person:
    return Person(row[0], row[1], row[2], row[3], _names(row[4]), row[5], row[6])


def _token(row: Any) -> Token:  # noqa: ANN401 - a selected row
    return Token(
        row.id, row.name, row.person, row.party, _names(row.groups), _names(row.roles), _names(row.scopes),
        row.created, row.until, row.used,
    )  # fmt: skip


def _nobody() -> Missing:
    return Missing(
        "people.missing",
        Text(en="There is no such person here.", zh="此处没有此人。"),
        do=Text(en="List the people of this node.", zh="请列出本节点的人员。"),
    )

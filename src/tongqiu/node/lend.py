"""Who is at the door: from the headers of a request to the desk of whoever sent it, and no further.

A token is a secret that this node gave to one party; only its SHA-256 is kept, in ``tokens.toml`` of the node's home::

    [[token]]
    name = "Regional centre"                    # for the owner's own list
    digest = "sha-256:<64 hex digits>"
    party = "did:key:z6Mk..."                   # whose desk it opens
    groups = ["urn:example:group:responders"]   # may be absent
    roles = ["contributor"]                     # may be absent

:func:`open_doors` puts every practice's wire protocol under its fixed paths, before whatever else the node serves.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import tomllib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec

from tongqiu.node.logdesk import LogDesk
from tongqiu.practice import load
from tongqiu.record.audience import STRANGER, Principal
from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tongqiu.node import Node
    from tongqiu.practice import Door
    from tongqiu.record.statement import Said, Statement

NAME = "tokens.toml"
MAX_BYTES = 1 << 20
_MAX_HEADER = 4096

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One token by its digest, and whose desk it opens."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    digest: EntryText
    party: Annotated[str, msgspec.Meta(pattern=r"^did:")]
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @property
    def principal(self) -> Principal:
        """Return who holds it."""
        return Principal(self.party, self.groups, self.roles)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: tuple[Token, ...] = ()


def new_token() -> tuple[str, str]:
    """Return a fresh token of 256 random bits, for its party's eyes, and the digest that is written down here."""
    token = secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """Return the digest under which a token is kept: it is long and random, so one SHA-256 hides it."""
    return "sha-256:" + hashlib.sha256(token.encode()).hexdigest()


def read_tokens(home: Path) -> tuple[Token, ...]:
    """Return the tokens of a node's home; none where it has no such file. Raises Malformed (``door.tokens``)."""
    path = home / NAME
    if not path.exists():
        return ()
    try:
        data = path.read_bytes()[:MAX_BYTES]
        return msgspec.convert(tomllib.loads(data.decode()), _File, strict=False).token
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Malformed(
            "door.tokens",
            Text(en="The list of tokens cannot be read: {error}.", zh="无法读取令牌清单：{error}。"),
            do=Text(
                en="Mend tokens.toml; until then every token is refused.",
                zh="请修正 tokens.toml；在此之前所有令牌均被拒绝。",
            ),
            where=str(path),
            error=str(error)[:200],
        ) from error


class DoorDesk(LogDesk):
    """A desk lent at a door: it reads as its principal may, and takes in what that door takes, from callers with a name."""

    def __init__(self, node: Node, principal: Principal, takes: Iterable[str]) -> None:
        """Sit ``principal`` down at ``node``, to hand in ``takes`` at most unless it is an issuer anyway."""
        super().__init__(node, principal)
        self._takes = frozenset(takes)

    def publish(self, *said: Said) -> Sequence[Statement]:
        """Seal and log as :meth:`LogDesk.publish`, or under the node's party what this door takes from a known caller."""
        if self.me.party is not None and said and all(each.kind in self._takes for each in said):
            return self._at.publish(said, by="core.door@1", speaker=self.me.party)
        return super().publish(*said)


def lender(node: Node, door: Door, tokens: Iterable[Token]) -> Callable[[Mapping[str, str]], DoorDesk]:
    """Return the ``lend`` of one door: from a request's headers to a desk.

    A request without a token gets a stranger's desk. ``Bearer`` (RFC 6750) and ``Basic`` (RFC 7617, the token as
    password) are read. The function raises Refused: ``door.token`` for a token nobody issued, or a header that cannot be
    read, in the same words; ``door.party`` at a door for nodes alone, without one.
    """
    known = {token.digest: token.principal for token in tokens}

    def lend(headers: Mapping[str, str]) -> DoorDesk:
        value = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
        if door.auth == "none" or (value is None and door.auth == "token"):
            return DoorDesk(node, STRANGER, ())
        if value is None:
            raise Refused(
                "door.party",
                Text(en="Only parties known to this node may ask here.", zh="只有本节点认识的参与方才能在此请求。"),
                do=Text(en="Send the token that the node's owner gave you.", zh="请附上节点所有者发给您的令牌。"),
            )
        principal = known.get(digest_of(_secret(value)))
        if principal is None:
            raise Refused(
                "door.token",
                Text(en="This token is not known here.", zh="此处不认识该令牌。"),
                do=Text(en="Ask the node's owner for a new one.", zh="请向节点所有者申请新令牌。"),
            )
        return DoorDesk(node, principal, door.takes)

    return lend


def open_doors(node: Node, rest: App, *, tokens: Iterable[Token] | None = None) -> App:
    """Return an application that serves every door of every practice under its paths, and ``rest`` everywhere else.

    ``tokens`` are those of the node's home unless given. Raises Malformed (``practice.clash``) when two doors want one
    path, ``door.tokens``, and ``practice.ref`` for a door that cannot be loaded.
    """
    held = read_tokens(node.home.path) if tokens is None else tuple(tokens)
    doors = node.practices.doors
    for one, other in combinations([(mount.rstrip("/"), door.name) for door in doors for mount in door.mounts], 2):
        if _below(one[0], other[0]) or _below(other[0], one[0]):
            raise Malformed(
                "practice.clash",
                Text(en="The doors {one} and {other} want one path.", zh="{one} 与 {other} 要求同一路径。"),
                do=Text(en="Remove one of the practices.", zh="请移除其中一个领域。"),
                one=one[1],
                other=other[1],
            )
    made = {mount.rstrip("/"): load(door.app)(lender(node, door, held)) for door in doors for mount in door.mounts}

    # A plain coroutine function: servers tell by its form which version of ASGI an application speaks.
    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", "")) if scope["type"] == "http" else ""
        app = next((app for mount, app in made.items() if path and _below(path, mount)), rest)
        await app(scope, receive, send)

    return dispatch


def _below(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount + "/")


def _secret(value: str) -> str:
    """Return the token in an Authorization header, or nothing, which no token's digest is of."""
    scheme, _, rest = value[:_MAX_HEADER].partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


__all__ = ["App", "DoorDesk", "Token", "digest_of", "lender", "new_token", "open_doors", "read_tokens"]

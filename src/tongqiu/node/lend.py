"""Who is at the door: from the headers of a request to the desk of whoever sent it, and no further.

A caller is known by a token that this node gave to its party (:meth:`tongqiu.node.people.People.make_door_token`), or to a
person of this node, or by a signature over the request with the key of a party that is pinned here (RFC 9421).
:func:`open_doors` puts every practice's wire protocol under its fixed paths, before whatever else the node serves.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec

from tongqiu.node.logdesk import LogDesk
from tongqiu.node.people import READ
from tongqiu.node.promises import FOLDER
from tongqiu.practice import load
from tongqiu.record.audience import STRANGER, Principal
from tongqiu.record.faults import Fault, Malformed, Refused, Unproven, row
from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text
from tongqiu.seal.httpsig import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.node import Node
    from tongqiu.practice import Door
    from tongqiu.record.statement import Said, Statement

MAX_SIGNED = 16 << 20
"""Longest body of a signed request, in bytes: it is verified as a whole before a door sees it."""
_MAX_HEADER = 4096
_RECENT = 1.0
_MOST_RECENT = 1024

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


def new_token() -> tuple[str, str]:
    """Return a fresh token of 256 random bits, for its party's eyes, and the digest that is written down here."""
    token = secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """Return the digest under which a token is kept: it is long and random, so one SHA-256 hides it."""
    return "sha-256:" + hashlib.sha256(token.encode()).hexdigest()


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


def lender(node: Node, door: Door, tokens: Iterable[Token] | None = None) -> Callable[[Mapping[str, str]], DoorDesk]:
    """Return the ``lend`` of one door: from a request's headers to a desk.

    A request without a token gets a stranger's desk. ``Bearer`` (RFC 6750) and ``Basic`` (RFC 7617, the token as
    password) are read; the tokens are those the node gave out, or ``tokens`` alone. The function raises Refused:
    ``door.token`` for a token nobody issued, or a header that cannot be read, in the same words; ``door.party`` at a door
    for nodes alone, without a token or signature.
    """
    known = None if tokens is None else {token.digest: token.principal for token in tokens}
    recent = _Recent(node)

    def lend(headers: Mapping[str, str]) -> DoorDesk:
        value = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
        signer = _SIGNER.get()
        if signer is not None and door.auth != "none":
            return DoorDesk(node, signer, door.takes)
        if door.auth == "none" or (value is None and door.auth == "token"):
            return DoorDesk(node, STRANGER, ())
        if value is None:
            raise Refused(
                "door.party",
                Text(en="Only parties known to this node may ask here.", zh="只有本节点认识的参与方才能在此请求。"),
                do=Text(
                    en="Send the token that the node's owner gave you, or sign the request.",
                    zh="请附上节点所有者发给您的令牌，或对请求签名。",
                ),
            )
        principal = recent.holder(_secret(value)) if known is None else known.get(digest_of(_secret(value)))
        if principal is None:
            raise Refused(
                "door.token",
                Text(en="This token is not known here.", zh="此处不认识该令牌。"),
                do=Text(en="Ask the node's owner for a new one.", zh="请向节点所有者申请新令牌。"),
            )
        return DoorDesk(node, principal, door.takes)

    return lend


class _Recent:
    """Who holds which token, remembered for a second: a party that registers thousands is looked up once a second.

    A token that is taken back in this process is refused at once; one taken back from the command line, a second later at
    most.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[str, tuple[float, int, Principal]] = {}

    def holder(self, secret: str) -> Principal | None:
        digest, now = digest_of(secret), time.monotonic()
        seen = self._known.get(digest)
        changes = self._node.people.changes
        if seen is not None and now < seen[0] and seen[1] == changes:
            return seen[2]
        found = _held(self._node, secret)
        if found is None:
            self._known.pop(digest, None)
            return None
        if len(self._known) >= _MOST_RECENT:
            self._known.clear()
        self._known[digest] = (now + _RECENT, changes, found)
        return found


def _held(node: Node, secret: str) -> Principal | None:
    """Return who holds a token of this node. One of a person opens doors only where it may read."""
    found = node.people.by_token(secret) if secret else None
    return None if found is None or (found.person is not None and READ not in (found.scopes or ())) else found.principal


_SIGNER: ContextVar[Principal | None] = ContextVar("signer", default=None)
"""Whose signature over the request at hand was verified; no header can say so."""


def open_doors(node: Node, rest: App, *, tokens: Iterable[Token] | None = None, url: str = "") -> App:
    """Return an application that serves every door of every practice under its paths, and ``rest`` everywhere else.

    ``tokens`` are those that the node gave out unless given. ``url`` is where callers find the node (scheme, host and
    port), which a signed request must name. Raises Malformed (``practice.clash``) when two doors want one path, and
    ``practice.ref`` for a door that cannot be loaded.
    """
    held = None if tokens is None else tuple(tokens)
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
    if (node.home.path / FOLDER).exists():
        node.promises.resume()
    made = {mount.rstrip("/"): load(door.app)(lender(node, door, held)) for door in doors for mount in door.mounts}

    # A plain coroutine function: servers tell by its form which version of ASGI an application speaks.
    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", "")) if scope["type"] == "http" else ""
        app = next((app for mount, app in made.items() if path and _below(path, mount)), None)
        if app is None:
            await rest(scope, receive, send)
        elif any(name == b"signature" for name, _ in scope["headers"]):
            await _signed(node, url, app, scope, receive, send)
        else:
            await app(scope, receive, send)

    return dispatch


async def _signed(node: Node, url: str, app: App, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: PLR0913 - as ASGI calls it, and what it is for
    """Serve a request that its sender signed: verified as a whole before the door sees any of it, or refused here (401)."""
    body, more = b"", True
    while more and len(body) <= MAX_SIGNED:
        message = await receive()
        if message["type"] != "http.request":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    try:
        if more or len(body) > MAX_SIGNED:
            raise _too_long()
        found = await asyncio.to_thread(node.people.by_signature, _request(scope, url), body)
    except Fault as fault:
        words = f"{fault.what.en} {fault.what.zh}\n".encode()
        status = 401 if isinstance(fault, Unproven) else row(fault).http_status
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(words)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": words})
        return
    whole = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> MutableMapping[str, Any]:
        return whole.pop() if whole else await receive()

    token = _SIGNER.set(found.principal)
    try:
        await app(scope, again, send)
    finally:
        _SIGNER.reset(token)


def _request(scope: Scope, url: str) -> Request:
    headers: dict[str, str] = {}
    for key, value in scope["headers"]:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1").strip()
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    where = url or f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
    return Request(scope["method"], f"{where}{path}" + (f"?{query}" if query else ""), headers)


def _too_long() -> Malformed:
    return Malformed(
        "door.long",
        Text(en="A signed request may have {most} bytes.", zh="带签名的请求至多 {most} 字节。"),
        do=Text(en="Send it in parts, or with a token.", zh="请分次发送，或改用令牌。"),
        most=MAX_SIGNED,
    )


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


__all__ = ["App", "DoorDesk", "Token", "digest_of", "lender", "new_token", "open_doors"]

"""Who sent a request: a person with a session, a program with a token, another node with its signature, or a stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import cookie_parser

from tongqiu.node.people import LONGEST, NOBODY, READ, Signed
from tongqiu.record.faults import Refused
from tongqiu.record.text import Text
from tongqiu.seal.httpsig import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from tongqiu.node.people import People
    from tongqiu.record.audience import Principal

COOKIE = "tongqiu"
_MOST_COOKIE = 4096
_SECRET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST_SECRET = 128


class Call(NamedTuple):
    """What is known of a request before it is answered. Names of ``headers`` are in small letters."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    secure: bool = False


class Sessions:
    """Finds out who sent a request. Where ``fixed`` is given everybody is that principal, as in tests of pages."""

    def __init__(self, people: People | None, fixed: Principal | None = None) -> None:
        """Ask ``people``; without any, everybody is a stranger."""
        self._people = people
        self._fixed = None if fixed is None else Signed(fixed, None, "", "")

    def at_once(self, call: Call) -> Signed | None:
        """Return who sent ``call`` where that needs no look-up, which would block; None where it does."""
        if self._fixed is not None:
            return self._fixed
        known = "authorization" in call.headers or "signature" in call.headers or "cookie" in call.headers
        return None if known and self._people is not None else NOBODY

    def signed(self, call: Call) -> Signed:
        """Return who sent ``call``. Raises Refused (``sign-in.token``), Unproven (``httpsig``) for what does not hold.

        A cookie that opens nothing makes a stranger: sessions end by themselves, and pages are still to be read.
        """
        if self._fixed is not None:
            return self._fixed
        if self._people is None:
            return NOBODY
        if "authorization" in call.headers:
            return self._by_token(call)
        if "signature" in call.headers:
            return self._people.by_signature(Request(call.method, call.url, call.headers), call.body)
        return self._people.signed(cookie(call.headers, secure=call.secure))

    def _by_token(self, call: Call) -> Signed:
        assert self._people is not None  # noqa: S101 - asked before
        scheme, _, secret = call.headers["authorization"].partition(" ")
        found = self._people.by_token(secret.strip()) if scheme.lower() == "bearer" and _sound(secret.strip()) else None
        if found is None or (found.scopes is not None and READ not in found.scopes and call.method in {"GET", "HEAD"}):
            raise Refused(
                "sign-in.token",
                Text(en="This token does not work here.", zh="此令牌在此处无效。"),
                do=Text(
                    en="Make a new one on your own page, or ask the node's owner.",
                    zh="请在个人页面新建，或向节点所有者申请。",
                ),
            )
        return found


def cookie(headers: Mapping[str, str], *, secure: bool) -> str:
    """Return the secret in the session's cookie, or nothing."""
    value = headers.get("cookie", "")
    found = cookie_parser(value).get(name_of(secure=secure), "") if len(value) <= _MOST_COOKIE else ""
    return found if _sound(found) else ""


def name_of(*, secure: bool, name: str = "") -> str:
    """Return a cookie's name: over HTTPS one that no other host, path or plain connection can set (RFC 6265bis)."""
    return ("__Host-" if secure else "") + COOKIE + (f"-{name}" if name else "")


def keep(response: Response, secret: str, *, secure: bool) -> None:
    """Let the browser hold a session's secret: out of reach of scripts and of other sites' requests."""
    response.set_cookie(
        name_of(secure=secure),
        secret,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def drop(response: Response, *, secure: bool) -> None:
    """Let the browser forget it."""
    response.delete_cookie(name_of(secure=secure), path="/", secure=secure, httponly=True, samesite="lax")


def _sound(secret: str) -> bool:
    return 0 < len(secret) <= _LONGEST_SECRET and _SECRET.issuperset(secret)

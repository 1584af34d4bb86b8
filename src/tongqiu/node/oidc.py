"""Signing in with an account elsewhere: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636), for people who were invited.

Only what the provider signed counts, and only for the browser that was sent there: state in its cookie, nonce in the token,
verifier with the code, each used once. Addresses, sizes and times are limited, and no redirect is followed.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.client
import secrets
import ssl
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from tongqiu.record.faults import Malformed, Refused, Unreachable
from tongqiu.record.statement import moment_of
from tongqiu.record.text import Text, inert
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jwt.types import Options

    from tongqiu.node.home import Provider
    from tongqiu.practice import Clock
    from tongqiu.store.people import Once, PeopleTables, Person

AWAY = datetime.timedelta(minutes=10)
"""How long somebody may stay at the provider."""
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""How an ID token may be signed: with a public key, never with our own secret and never not at all."""
SKEW = 60
"""How far the provider's clock may stand apart, in seconds."""
MOST_BYTES = 256 * 1024
SECONDS = 10.0
_KEPT = datetime.timedelta(hours=1)
_AGAIN = datetime.timedelta(minutes=1)
_MOST_KEYS = 50
T = TypeVar("T")


class _Discovered(msgspec.Struct, frozen=True):
    """What is read of a provider's configuration (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


class _Answer(msgspec.Struct, frozen=True):
    id_token: str


class _Claims(msgspec.Struct, frozen=True):
    """What is read of an ID token (OpenID Connect Core 1.0, section 2)."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: float
    iat: float
    nonce: str
    azp: str = ""
    name: str = ""


class _State(msgspec.Struct, frozen=True):
    nonce: str
    verifier: str


class Keeper(Protocol):
    """What a provider needs of the people of a node."""

    def once(self, purpose: str, *, person: str = "", data: str = "", lives: datetime.timedelta = AWAY) -> str:
        """Return a secret that :meth:`take` accepts one time."""
        ...

    def take(self, purpose: str, secret: str) -> Once | None:
        """Use up a one-time secret."""
        ...

    def add(self, name: str, role: str) -> Person:
        """Add a person."""
        ...


class Oidc:
    """One provider, for the node at the address ``url`` (scheme, host and port)."""

    def __init__(  # noqa: PLR0913 - what it stands between
        self, people: Keeper, tables: PeopleTables, provider: Provider, *, url: str, folder: Path, clock: Clock
    ) -> None:
        """Ask ``provider``, whose client secret lies in ``folder``, on behalf of ``people``."""
        self._people, self._tables, self._clock = people, tables, clock
        self._provider, self._folder = provider, folder
        self._redirect = f"{url}/sign-in/oidc/back"
        self._found: tuple[datetime.datetime, _Discovered] | None = None
        self._keys: tuple[datetime.datetime, dict[str, dict[str, Any]]] | None = None

    @property
    def title(self) -> str:
        """Return what people call the provider."""
        return self._provider.title or urlsplit(self._provider.issuer).netloc

    def away(self, person: str = "") -> tuple[str, str]:
        """Return where to send a browser, and the state that it must bring back in its cookie.

        ``person`` is who is signed in and connects an account. Raises Unreachable (``oidc.provider``).
        """
        found = self._discovered()
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        noted = msgspec.json.encode(_State(nonce, verifier)).decode()
        state = self._people.once("oidc", person=person, data=noted, lives=AWAY)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": self._redirect,
            "scope": "openid profile" if self._provider.admit else "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in found.authorization_endpoint else "?"
        return f"{found.authorization_endpoint}{mark}{urlencode(query)}", state

    def back(self, query: Mapping[str, str], cookie: str) -> tuple[str, bool]:
        """Return the person whose account came back, and whether it was just connected instead of used to sign in.

        Raises Refused (``oidc.refused``) in the same words for whatever does not hold and for accounts that nobody here
        has connected; Unreachable (``oidc.provider``).
        """
        state = query.get("state", "")
        if not state or not hmac.compare_digest(state.encode(), cookie.encode()):
            raise refused()
        noted = self._people.take("oidc", state)
        if noted is None or not query.get("code") or query.get("iss", self._provider.issuer) != self._provider.issuer:
            raise refused()
        known = msgspec.json.decode(noted.data, type=ready(_State))
        claims = self._claims(self._token(query["code"][:4096], known.verifier), known.nonce)
        if noted.person:
            try:
                self._tables.bind(self._provider.issuer, claims.sub, noted.person)
            except Refused as fault:
                raise refused() from fault
            return noted.person, True
        person = self._tables.bound(self._provider.issuer, claims.sub)
        if person is None and self._provider.admit:
            name = inert(claims.name, one_line=True)[:100].strip() or claims.sub[:100]
            person = self._people.add(inert(name, one_line=True), "reader").id
            self._tables.bind(self._provider.issuer, claims.sub, person)
        if person is None:
            raise refused()
        return person, False

    # --- what the provider says ---------------------------------------------------------------------------------------

    def _discovered(self) -> _Discovered:
        now = moment_of(self._clock.now())
        if self._found is not None and now < self._found[0] + _KEPT:
            return self._found[1]
        address = self._provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = _decoded(_fetch("GET", address), _Discovered)
        places = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if found.issuer != self._provider.issuer or not all(_safe(each) for each in places):
            raise unreachable()
        self._found = (now, found)
        return found

    def _token(self, code: str, verifier: str) -> str:
        """Return the ID token for a code (OpenID Connect Core 1.0, 3.1.3)."""
        found = self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        secret = self._secret()
        if secret and "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            pair = f"{quote(self._provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": self._provider.client_id, **({"client_secret": secret} if secret else {})}
        return _decoded(_fetch("POST", found.token_endpoint, urlencode(form).encode(), headers), _Answer).id_token

    def _secret(self) -> str:
        if not self._provider.secret:
            return ""
        try:
            return (self._folder / self._provider.secret).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable() from error

    def _claims(self, token: str, nonce: str) -> _Claims:
        """Return what an ID token says once everything holds that OpenID Connect Core 1.0, 3.1.3.7 asks for."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            algorithm = str(header.get("alg"))
            if algorithm not in ALGORITHMS:
                raise refused()
            key = jwt.PyJWK(self._key(str(header.get("kid", ""))), algorithm=algorithm)
            # Audience, issuer and times are checked below, by this node's own clock.
            plain = jwt.decode(token, key, algorithms=[algorithm], options=_UNCHECKED)
            claims = msgspec.convert(plain, ready(_Claims))
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError, TypeError) as error:
            raise refused() from error
        now = moment_of(self._clock.now()).timestamp()
        audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        holds = (
            claims.iss == self._provider.issuer,
            self._provider.client_id in audience,
            claims.azp in {"", self._provider.client_id} and (len(audience) == 1 or bool(claims.azp)),
            claims.iat - SKEW <= now < claims.exp + SKEW,
            now - claims.iat <= AWAY.total_seconds() + SKEW,
            hmac.compare_digest(claims.nonce.encode(), nonce.encode()),
            0 < len(claims.sub) <= 255,  # noqa: PLR2004 - OpenID Connect Core 1.0, section 2
        )
        if not all(holds):
            raise refused()
        return claims

    def _key(self, kid: str) -> dict[str, Any]:
        """Return the provider's key called ``kid``; asked for anew, not too often, when it is not among those known."""
        now = moment_of(self._clock.now())
        held = self._keys
        if held is None or now >= held[0] + _KEPT or (kid not in held[1] and now >= held[0] + _AGAIN):
            found = _decoded(_fetch("GET", self._discovered().jwks_uri), _Keys).keys[:_MOST_KEYS]
            usable = [
                each for each in found if each.get("kty") in {"RSA", "EC", "OKP"} and each.get("use", "sig") == "sig"
            ]
            held = self._keys = (now, {str(each.get("kid", "")): each for each in usable})
        if kid not in held[1]:
            raise refused()
        return held[1][kid]


_UNCHECKED: Options = {
    "verify_exp": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_iat": False,
    "verify_nbf": True,
}


def _safe(address: str) -> bool:
    """Tell whether an address of a provider may be asked: over TLS, or on this machine."""
    parts = urlsplit(address)
    local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    return (parts.scheme == "https" or local) and bool(parts.hostname) and "@" not in parts.netloc


def _fetch(method: str, address: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Return what an address answers with status 200, up to a size, within a time, without following it elsewhere."""
    parts = urlsplit(address)
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.netloc, timeout=SECONDS, context=context
            )
        else:
            line = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
        try:
            line.request(
                method, parts._replace(scheme="", netloc="", fragment="").geturl() or "/", body, dict(headers or {})
            )
            answer = line.getresponse()
            data = answer.read(MOST_BYTES + 1)
        finally:
            line.close()
    except (OSError, http.client.HTTPException) as error:
        raise unreachable() from error
    if answer.status != 200 or len(data) > MOST_BYTES:  # noqa: PLR2004 - as HTTP calls it
        raise unreachable()
    return data


def _decoded(data: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=ready(form))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreachable() from error


def unreachable() -> Unreachable:
    """Return the one answer to a provider that does not answer as it should."""
    return Unreachable(
        "oidc.provider",
        Text(en="The account provider does not answer as it should.", zh="账户提供方未正常应答。"),
        do=Text(en="Try again later, or sign in by a link.", zh="请稍后重试，或用链接登录。"),
    )


def unreadable() -> Malformed:
    """Return the answer to a client secret that is not where ``node.toml`` says."""
    return Malformed(
        "oidc.secret",
        Text(en="The client secret cannot be read.", zh="无法读取客户端密钥。"),
        do=Text(en="Name its file under [oidc] in node.toml.", zh="请在 node.toml 的 [oidc] 中写明密钥文件。"),
    )


def refused() -> Refused:
    """Return the one answer to whatever does not hold."""
    return Refused(
        "oidc.refused",
        Text(en="This account does not open anything here.", zh="此账户在此处无法登录。"),
        do=Text(
            en="Sign in by an invitation first, and connect the account on your own page.",
            zh="请先通过邀请链接登录，再在个人页面关联该账户。",
        ),
    )

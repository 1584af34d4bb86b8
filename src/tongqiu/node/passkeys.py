"""Signing in with a device one holds: passkeys, checked as WebAuthn Level 3 asks (sections 7.1 and 7.2).

A challenge is bound to what it is for and to the session that asked for it, and works once: the node signs it with a key
that lives as long as the process, so that showing the page writes nothing, and notes it when it is used.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import msgspec

from tongqiu.record.faults import Refused
from tongqiu.record.statement import instant, moment_of
from tongqiu.record.text import Text, inert
from tongqiu.store.people import ACTIVE, Once, Passkey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fido2.server import Fido2Server
    from fido2.webauthn import AttestedCredentialData

    from tongqiu.practice import Clock
    from tongqiu.store.people import PeopleTables, Person

CHALLENGE = datetime.timedelta(minutes=5)
"""How long a challenge may be answered."""
MOST_ANSWER = 32_768
MOST_PASSKEYS = 20
ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA and RS256, the strongest first that a device offers (WebAuthn Level 3, 5.8.5)."""
_MOST_CREDENTIAL = 1023
_RANDOM, _AT, _MAC = 16, 6, 32
T = TypeVar("T")


class Passkeys:
    """The passkeys of one node at the address ``url`` (scheme, host and port), to which they are bound."""

    def __init__(self, tables: PeopleTables, *, url: str, name: str, clock: Clock) -> None:
        """Keep them in ``tables``; ``name`` is what a device calls this site."""
        self._tables, self._clock = tables, clock
        self._url, self._name = url, name
        self._secret = secrets.token_bytes(32)

    @property
    def offered(self) -> bool:
        """Tell whether a browser would use passkeys at this address: over HTTPS, or on this machine by name."""
        parts = urlsplit(self._url)
        return parts.scheme == "https" or parts.hostname == "localhost"

    # --- adding one ---------------------------------------------------------------------------------------------------

    def to_add(self, person: Person, session: str) -> dict[str, Any]:
        """Return what a browser asks a device for, to add a passkey of a person (PublicKeyCredentialCreationOptions)."""
        from fido2.webauthn import (
            PublicKeyCredentialDescriptor,
            PublicKeyCredentialType,
            PublicKeyCredentialUserEntity,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        user = PublicKeyCredentialUserEntity(id=_handle(person.id), name=person.name, display_name=person.name)
        held = [
            PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=each.credential)
            for each in self._tables.passkeys(person.id)
        ]
        options, _ = self._server().register_begin(
            user,
            held,
            ResidentKeyRequirement.REQUIRED,
            UserVerificationRequirement.REQUIRED,
            challenge=self._challenge("add", session),
        )
        return dict(options)["publicKey"]  # type: ignore[no-any-return]

    def add(self, person: Person, session: str, answer: str, *, name: str = "") -> Passkey:
        """Keep the passkey that a device made. Raises Refused (``people.passkey``, ``people.passkeys`` for too many)."""
        if len(self._tables.passkeys(person.id)) >= MOST_PASSKEYS:
            raise Refused(
                "people.passkeys",
                Text(en="There are {most} passkeys already.", zh="通行密钥已达 {most} 个。"),
                do=Text(en="Remove one first.", zh="请先移除一个。"),
                most=MOST_PASSKEYS,
            )
        credential, key, uses = _tried(lambda: self._added(answer, session))
        now = self._clock.now()
        label = inert(name.strip(), one_line=True)[:100] or now[:10]
        passkey = Passkey(credential, secrets.token_hex(8), person.id, label, key, uses, now, "")
        self._tables.add_passkey(passkey)
        return passkey

    def _added(self, answer: str, session: str) -> tuple[bytes, bytes, int]:
        from fido2 import cbor

        response = _json(answer)
        state = self._state(response, "add", session)
        data = self._server().register_complete(state, response)
        found = data.credential_data
        if found is None or found.public_key.get(3) not in ALGORITHMS or len(found.credential_id) > _MOST_CREDENTIAL:
            raise ValueError("no key of a kind that was asked for")
        return found.credential_id, cbor.encode(found.public_key), data.counter

    # --- using one ----------------------------------------------------------------------------------------------------

    def to_use(self, session: str = "") -> dict[str, Any]:
        """Return what a browser asks a device for, to sign in as whoever it knows (PublicKeyCredentialRequestOptions)."""
        from fido2.webauthn import UserVerificationRequirement

        challenge = self._challenge("use", session)
        options, _ = self._server().authenticate_begin(None, UserVerificationRequirement.REQUIRED, challenge)
        return dict(options)["publicKey"]  # type: ignore[no-any-return]

    def use(self, answer: str, session: str = "") -> str:
        """Return whose passkey answered. Raises Refused (``people.passkey``), in the same words for every fault."""
        passkey, count = _tried(lambda: self._used(answer, session))
        person = self._tables.person(passkey.person)
        # Where a device counts, the count goes up; one that stands still was copied (WebAuthn Level 3, 6.1.1).
        stale = (count or passkey.uses) and count <= passkey.uses
        if stale or person.state != ACTIVE or not self._tables.counted(passkey, count, self._clock.now()):
            raise refused()
        return person.id

    def _used(self, answer: str, session: str) -> tuple[Passkey, int]:
        from fido2 import cbor
        from fido2.cose import CoseKey
        from fido2.utils import websafe_decode
        from fido2.webauthn import Aaguid, AttestedCredentialData, AuthenticatorData

        response = _json(answer)
        state = self._state(response, "use", session)
        passkey = self._tables.passkey(websafe_decode(response["rawId"]))
        if passkey is None:
            raise ValueError("unknown")
        key = CoseKey.parse(cast("Mapping[int, Any]", cbor.decode(passkey.key)))
        held: AttestedCredentialData = AttestedCredentialData.create(Aaguid.NONE, passkey.credential, key)
        self._server().authenticate_complete(state, [held], response)
        handle = response["response"].get("userHandle")
        if handle is not None and not hmac.compare_digest(websafe_decode(handle), _handle(passkey.person)):
            raise ValueError("of somebody else")
        return passkey, AuthenticatorData(websafe_decode(response["response"]["authenticatorData"])).counter

    # --- inside -------------------------------------------------------------------------------------------------------

    def _server(self) -> Fido2Server:
        from fido2.server import Fido2Server
        from fido2.webauthn import PublicKeyCredentialParameters, PublicKeyCredentialRpEntity, PublicKeyCredentialType

        server = Fido2Server(
            PublicKeyCredentialRpEntity(id=urlsplit(self._url).hostname, name=self._name),
            verify_origin=lambda origin: origin == self._url,
        )
        server.allowed_algorithms = [
            PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=each) for each in ALGORITHMS
        ]
        return server

    def _challenge(self, use: str, session: str) -> bytes:
        stamp = int(moment_of(self._clock.now()).timestamp()).to_bytes(_AT)
        body = secrets.token_bytes(_RANDOM) + stamp
        return body + self._mac(body, use, session)

    def _mac(self, body: bytes, use: str, session: str) -> bytes:
        return hmac.new(self._secret, body + f"{use} {session}".encode(), hashlib.sha256).digest()

    def _state(self, response: dict[str, Any], use: str, session: str) -> dict[str, Any]:
        """Return what the library compares the answer with, once it is sure that we asked for it, and uses it up."""
        from fido2.utils import websafe_decode, websafe_encode
        from fido2.webauthn import CollectedClientData, UserVerificationRequirement

        sent: bytes = CollectedClientData(websafe_decode(response["response"]["clientDataJSON"])).challenge
        body, mac = sent[:-_MAC], sent[-_MAC:]
        now = moment_of(self._clock.now())
        asked = datetime.datetime.fromtimestamp(int.from_bytes(body[_RANDOM:]), datetime.UTC)
        if (
            len(body) != _RANDOM + _AT
            or not hmac.compare_digest(mac, self._mac(body, use, session))
            or not asked <= now < asked + CHALLENGE
            or not self._tables.put_once(
                hashlib.sha256(sent).digest(), Once("answered", "", ""), instant(now + CHALLENGE)
            )
        ):
            raise ValueError("not a challenge of ours, or not any more")
        return {"challenge": websafe_encode(sent), "user_verification": UserVerificationRequirement.REQUIRED}


def _tried(call: Callable[[], T]) -> T:
    """Return what ``call`` gives; everything that a hostile answer sets off in it is the one refusal."""
    import struct

    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        return call()
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        InvalidSignature,
        LookupError,
        NotImplementedError,
        RecursionError,
        TypeError,
        UnsupportedAlgorithm,
        ValueError,
        struct.error,
    ) as error:
        raise refused() from error


def _json(answer: str) -> dict[str, Any]:
    if len(answer) > MOST_ANSWER:
        raise ValueError("too long")
    found: dict[str, Any] = msgspec.json.decode(answer, type=dict[str, Any])
    return found


def _handle(person: str) -> bytes:
    """Return the user handle of a person: the random bytes of the pseudonym, which say nothing about them."""
    return bytes.fromhex(person.rpartition(":")[2])


def refused() -> Refused:
    """Return the one answer to a passkey that does not open anything."""
    return Refused(
        "people.passkey",
        Text(en="This passkey does not work here.", zh="此通行密钥在此处无效。"),
        do=Text(en="Try again, or sign in another way.", zh="请重试，或改用其他方式登录。"),
    )

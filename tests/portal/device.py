"""A passkey device on paper: what a browser and its authenticator make of a page's options (WebAuthn Level 3)."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def data_of(words: str) -> bytes:
    return urlsafe_b64decode(words + "=" * (-len(words) % 4))


class Device:
    """Holds one key; ``uses`` counts signatures unless ``counts`` is off."""

    def __init__(self, origin: str, *, counts: bool = True, flags: int = USER_PRESENT | USER_VERIFIED) -> None:
        self.origin, self.flags = origin, flags
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential = os.urandom(32)
        self.counts, self.uses, self.handle = counts, 0, b""

    def _client(self, kind: str, challenge: str, **other: Any) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, **other}).encode()

    def _data(self, rp: str, flags: int) -> bytes:
        self.uses += self.counts
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + self.uses.to_bytes(4)

    def create(self, options: dict[str, Any], *, alg: int = -7, kind: str = "webauthn.create") -> dict[str, Any]:
        """Return the answer to PublicKeyCredentialCreationOptions."""
        self.handle = data_of(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: alg, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.credential).to_bytes(2) + self.credential + cbor.encode(cose)
        auth = self._data(options["rp"]["id"], self.flags | ATTESTED) + attested
        response = {
            "clientDataJSON": text(self._client(kind, options["challenge"])),
            "attestationObject": text(cbor.encode({"fmt": "none", "attStmt": {}, "authData": auth})),
        }
        return self._answer(response)

    def get(
        self, options: dict[str, Any], *, kind: str = "webauthn.get", handle: bytes | None = None
    ) -> dict[str, Any]:
        """Return the answer to PublicKeyCredentialRequestOptions."""
        auth = self._data(options["rpId"], self.flags)
        client = self._client(kind, options["challenge"])
        signature = self.key.sign(auth + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": text(client),
            "authenticatorData": text(auth),
            "signature": text(signature),
            "userHandle": text(self.handle if handle is None else handle),
        }
        return self._answer(response)

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        name = text(self.credential)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}

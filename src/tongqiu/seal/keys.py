"""Keys: how a party proves that words are its own, and how its key is named so that anyone can find it.

One algorithm is emitted, Ed25519 (RFC 8032), under its fully specified COSE number -19 (RFC 9864); the older number -8
is accepted when reading others. One verifier decides, libsodium's, so that two nodes never differ over an odd signature:
it refuses non-canonical scalars and points of small order.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nacl.signing import VerifyKey

ED25519: Final = -19
"""COSE algorithm number of Ed25519 (RFC 9864 section 2.2)."""

EDDSA: Final = -8
"""The deprecated number for the same signature (RFC 9053 section 2.2), for interoperability only."""

SIGNATURE_BYTES: Final = 64
KEY_BYTES: Final = 32
THUMBPRINT_BYTES: Final = 32

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519_PUB = b"\xed\x01"
_DID_CHARS = 56
_DO_KEY = Text(en="Ask the party for its public key again.", zh="请向该参与方重新索取公钥。")


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Ed25519 public key: 32 bytes as RFC 8032 writes them."""

    raw: bytes

    @property
    def thumbprint(self) -> bytes:
        """Return the 32-byte RFC 9679 thumbprint: SHA-256 of the COSE_Key with its required members alone."""
        return _thumbprint(self.raw)

    @property
    def did(self) -> str:
        """Return the did:key name of this key, such as ``did:key:z6Mk...``."""
        return _did(self.raw)

    def cose_key(self) -> bytes:
        """Return the deterministic COSE_Key: kty OKP, crv Ed25519, x (RFC 9053 section 7.2)."""
        return _cose_key(self.raw)

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Say whether ``signature`` over ``message`` was made with this key, by the one pinned verifier."""
        from nacl.exceptions import BadSignatureError

        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            _verifier(self.raw).verify(message, signature)
        except BadSignatureError:
            return False
        return True

    @classmethod
    def from_raw(cls, raw: bytes, *, where: str = "") -> PublicKey:
        """Return the key of 32 raw bytes. Raises Malformed (``key.form``) for another length."""
        if len(raw) != KEY_BYTES:
            raise _not_a_key(where)
        return cls(bytes(raw))

    @classmethod
    def from_cose(cls, data: bytes, *, where: str = "") -> PublicKey:
        """Read a COSE_Key: deterministic CBOR of kty, crv and x; kid and alg may be there and must fit.

        Raises Malformed (``key.form``, ``cbor.*``).
        """
        value = cbor.loads(data, where=where, limit=1024)
        raw = value.get(-2) if isinstance(value, dict) else None
        if not isinstance(raw, bytes):
            raise _not_a_key(where)
        key = cls.from_raw(raw, where=where)
        plain = {1: 1, -1: 6, -2: raw}
        # Compared as bytes, because in Python True equals 1.
        forms = [{**plain, **kid, **alg} for kid in ({}, {2: key.thumbprint}) for alg in ({}, {3: ED25519}, {3: EDDSA})]
        if data not in [cbor.dumps(form) for form in forms]:
            raise _not_a_key(where)
        return key

    @classmethod
    def from_did(cls, did: str, *, where: str = "") -> PublicKey:
        """Read a did:key of an Ed25519 key (multibase base58btc, multicodec 0xed). Raises Malformed (``key.did``)."""
        raw = _unbase58(did[9:]) if did.startswith("did:key:z") and len(did) == _DID_CHARS else None
        if raw is None or not raw.startswith(_ED25519_PUB) or len(raw) != KEY_BYTES + 2:
            raise Malformed(
                "key.did",
                Text(en="Not a did:key of an Ed25519 key: {did}.", zh="这不是 Ed25519 密钥的 did:key：{did}。"),
                do=Text(
                    en="Write did:key:z6Mk... exactly as the party gave it.",
                    zh="请完全照该参与方提供的样子书写 did:key:z6Mk...。",
                ),
                where=where,
                did=did[:80].encode("unicode_escape").decode(),
            )
        return cls(raw[2:])


class Signer(Protocol):
    """Whatever can sign with one Ed25519 key: a key in a file, a smart card, a hardware module."""

    @property
    def public(self) -> PublicKey:
        """Return the public key."""
        ...

    @property
    def kid(self) -> bytes:
        """Return the key's 32-byte RFC 9679 thumbprint."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature. Raises Unreachable when the device does not answer."""
        ...


class KeyRing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Public keys found by their thumbprints; a value, so rings can be put together freely."""

    keys: dict[bytes, PublicKey] = {}

    @classmethod
    def of(cls, keys: Iterable[PublicKey]) -> KeyRing:
        """Return the ring of ``keys``."""
        return cls({key.thumbprint: key for key in keys})

    def __or__(self, other: KeyRing) -> KeyRing:
        """Return both rings in one."""
        return KeyRing({**self.keys, **other.keys})

    def __iter__(self) -> Iterator[PublicKey]:
        """Go through the keys in the order of their thumbprints."""
        return iter(self.keys[kid] for kid in sorted(self.keys))

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self.keys)

    def find(self, kid: bytes) -> PublicKey | None:
        """Return the key with this thumbprint, or None."""
        return self.keys.get(kid)

    def key(self, kid: bytes, *, where: str = "") -> PublicKey:
        """Return the key with this thumbprint. Raises Unproven (``key.unknown``) if it is not here."""
        found = self.keys.get(kid)
        if found is None:
            raise Unproven(
                "key.unknown",
                Text(en="The signing key {kid} is not known.", zh="签名密钥 {kid} 未知。"),
                do=Text(
                    en="Get the party's key from the party itself and add it to the trust file.",
                    zh="请向该参与方本身获取其密钥，并写入信任文件。",
                ),
                where=where,
                kid=kid[:THUMBPRINT_BYTES].hex(),
            )
        return found


@lru_cache(maxsize=4096)
def _verifier(raw: bytes) -> VerifyKey:
    from nacl.signing import VerifyKey

    return VerifyKey(raw)


@lru_cache(maxsize=4096)
def _cose_key(raw: bytes) -> bytes:
    return cbor.dumps({1: 1, -1: 6, -2: raw})


@lru_cache(maxsize=4096)
def _thumbprint(raw: bytes) -> bytes:
    return hashlib.sha256(_cose_key(raw)).digest()


@lru_cache(maxsize=4096)
def _did(raw: bytes) -> str:
    return "did:key:z" + _base58(_ED25519_PUB + raw)


def _base58(data: bytes) -> str:
    """Return base58btc of bytes that do not begin with zero (a multicodec never does)."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return text


def _unbase58(text: str) -> bytes | None:
    """Return the bytes of base58btc text, or None for other characters or a leading zero digit."""
    if not text or text[0] == _ALPHABET[0]:
        return None
    number = 0
    for char in text:
        digit = _ALPHABET.find(char)
        if digit < 0:
            return None
        number = number * 58 + digit
    return number.to_bytes((number.bit_length() + 7) // 8)


def _not_a_key(where: str) -> Malformed:
    return Malformed(
        "key.form",
        Text(en="Not an Ed25519 public key.", zh="这不是 Ed25519 公钥。"),
        do=_DO_KEY,
        where=where,
    )

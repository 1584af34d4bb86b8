"""Keys: how a party proves that words are its own, and how its key is named so that anyone can find it.

A public key is of one of three kinds (:mod:`tongqiu.seal.signature`); Ed25519 is the usual one. Whatever its kind, a key is
named by its RFC 9679 thumbprint and by its did:key, and one verifier decides about its signatures, so that two nodes never
differ over an odd one: libsodium's for Ed25519, which refuses non-canonical scalars and points of small order.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text
from tongqiu.seal import signature
from tongqiu.seal.signature import ED25519, EDDSA, ES256, ESP256, MLDSA44

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ED25519",
    "EDDSA",
    "ES256",
    "ESP256",
    "KEY_BYTES",
    "MLDSA44",
    "SIGNATURE_BYTES",
    "THUMBPRINT_BYTES",
    "KeyRing",
    "PublicKey",
    "Signer",
]

SIGNATURE_BYTES: Final = 64
"""Bytes of an Ed25519 signature."""

KEY_BYTES: Final = 32
"""Bytes of an Ed25519 public key."""

THUMBPRINT_BYTES: Final = 32

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CODECS = {ED25519: b"\xed\x01", ESP256: b"\x80\x24", MLDSA44: b"\x90\x24"}
"""Multicodec prefixes as varints: ed25519-pub 0xed, p256-pub 0x1200, mldsa-44-pub 0x1210.

Every entry of the table has the status draft (multiformats/multicodec, 45c88b8, April 2026).
"""

_DID = "did:key:z"
_MAX_COSE_KEY = 2048
_MAX_DID = 2048
_DO_KEY = Text(en="Ask the party for its public key again.", zh="请向该参与方重新索取公钥。")


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key: for Ed25519 the 32 bytes that RFC 8032 writes, for the others see :data:`signature.KEY_SIZES`."""

    raw: bytes

    alg: int = ED25519
    """The fully specified COSE number of the one algorithm it signs with: -19, -9 or -48."""

    @property
    def thumbprint(self) -> bytes:
        """Return the 32-byte RFC 9679 thumbprint: SHA-256 of the COSE_Key with its required members alone."""
        return _thumbprint(self.alg, self.raw)

    @property
    def did(self) -> str:
        """Return the did:key name of this key, such as ``did:key:z6Mk...``."""
        return _did(self.alg, self.raw)

    @property
    def kind(self) -> str:
        """Return what people call the algorithm: Ed25519, P-256 or ML-DSA-44."""
        return signature.NAMES[self.alg]

    def cose_key(self) -> bytes:
        """Return the deterministic COSE_Key with its required members alone.

        OKP with crv Ed25519 and x (RFC 9053 section 7.2), EC2 with crv P-256, x and y (section 7.1.1), or AKP with alg
        and pub (RFC 9964).
        """
        return _cose_key(self.alg, self.raw)

    def accepts(self, alg: int) -> bool:
        """Say whether a signature under the COSE number ``alg`` can be one of this key."""
        return alg in signature.ACCEPTED[self.alg]

    def holds(self, message: bytes, sig: bytes, *, low_s: bool = True) -> bool:
        """Say whether ``sig`` over ``message`` was made with this key, by the one pinned verifier.

        Without ``low_s`` both forms of an ECDSA signature count: for reading what other software signed.
        """
        return signature.holds(self.alg, self.raw, message, sig, low_s=low_s)

    @classmethod
    def from_raw(cls, raw: bytes, *, alg: int = ED25519, where: str = "") -> PublicKey:
        """Return the key of these raw bytes. Raises Malformed (``key.form``) for another length, or no point."""
        if len(raw) != signature.KEY_SIZES[alg] or (alg == ESP256 and signature.point(bytes(raw)) is None):
            raise _not_a_key(where)
        return cls(bytes(raw), alg)

    @classmethod
    def from_cose(cls, data: bytes, *, where: str = "") -> PublicKey:
        """Read a COSE_Key: deterministic CBOR of its required members; kid and alg may be there and must fit.

        Raises Malformed (``key.form``, ``cbor.*``).
        """
        value = cbor.loads(data, where=where, limit=_MAX_COSE_KEY)
        key = _from_members(cls, value, where) if isinstance(value, dict) else None
        if key is None:
            raise _not_a_key(where)
        plain = _members(key.alg, key.raw)
        # Compared as bytes, because in Python True equals 1.
        algs: list[dict[int, Any]] = [{}, *({3: alg} for alg in signature.ACCEPTED[key.alg])]
        forms = [{**plain, **kid, **alg} for kid in ({}, {2: key.thumbprint}) for alg in algs]
        if data not in [cbor.dumps(form) for form in forms]:
            raise _not_a_key(where)
        return key

    @classmethod
    def from_did(cls, did: str, *, where: str = "") -> PublicKey:
        """Read a did:key (multibase base58btc) of a key of one of the three kinds. Raises Malformed (``key.did``)."""
        raw = _unbase58(did[9:]) if did.startswith(_DID) and len(did) <= _MAX_DID else None
        for alg, codec in _CODECS.items():
            if raw is not None and raw.startswith(codec) and len(raw) == len(codec) + signature.KEY_SIZES[alg]:
                found = raw[len(codec) :]
                if alg != ESP256 or signature.point(found) is not None:
                    return cls(found, alg)
        raise Malformed(
            "key.did",
            Text(
                en="Not a did:key of an Ed25519, P-256 or ML-DSA-44 key: {did}.",
                zh="这不是 Ed25519、P-256 或 ML-DSA-44 密钥的 did:key：{did}。",
            ),
            do=Text(
                en="Write did:key:z... exactly as the party gave it.",
                zh="请完全照该参与方提供的样子书写 did:key:z...。",
            ),
            where=where,
            did=did[:80].encode("unicode_escape").decode(),
        )


class Signer(Protocol):
    """Whatever can sign with one key: a key in a file, a smart card, a hardware module."""

    @property
    def public(self) -> PublicKey:
        """Return the public key."""
        ...

    @property
    def kid(self) -> bytes:
        """Return the key's 32-byte RFC 9679 thumbprint."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature, in the one form that is accepted (:func:`signature.low_form` for P-256).

        Raises Unreachable when the device does not answer.
        """
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


def _members(alg: int, raw: bytes) -> dict[int, Any]:
    """Return the required members of the COSE_Key (RFC 9679 section 4)."""
    if alg == ED25519:
        return {1: 1, -1: 6, -2: raw}
    if alg == ESP256:
        x, y = signature.point(raw) or (b"", b"")
        return {1: 2, -1: 1, -2: x, -3: y}
    return {1: 7, 3: MLDSA44, -1: raw}


def _from_members(cls: type[PublicKey], value: dict[Any, Any], where: str) -> PublicKey | None:
    """Return the key that the members of a COSE_Key name, or None; other members are not looked at."""
    kty, crv, x, y = value.get(1), value.get(-1), value.get(-2), value.get(-3)
    if kty == 1 and isinstance(x, bytes):
        return cls.from_raw(x, where=where)
    if kty == 2 and isinstance(x, bytes) and isinstance(y, bytes) and len(x) == len(y) == KEY_BYTES:  # noqa: PLR2004 - EC2
        return cls.from_raw(signature.compressed(x, y), alg=ESP256, where=where)
    if kty == 7 and isinstance(crv, bytes):  # noqa: PLR2004 - AKP, where -1 is the key itself
        return cls.from_raw(crv, alg=MLDSA44, where=where)
    return None


@lru_cache(maxsize=4096)
def _cose_key(alg: int, raw: bytes) -> bytes:
    return cbor.dumps(_members(alg, raw))


@lru_cache(maxsize=4096)
def _thumbprint(alg: int, raw: bytes) -> bytes:
    return hashlib.sha256(_cose_key(alg, raw)).digest()


@lru_cache(maxsize=4096)
def _did(alg: int, raw: bytes) -> str:
    return _DID + _base58(_CODECS[alg] + raw)


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
        Text(
            en="Not an Ed25519, P-256 or ML-DSA-44 public key.",
            zh="这不是 Ed25519、P-256 或 ML-DSA-44 公钥。",
        ),
        do=_DO_KEY,
        where=where,
    )

"""The three ways to sign that are accepted here, each with its numbers, its sizes and the one verifier that decides.

Ed25519 (RFC 8032) is what this software signs with; ECDSA on P-256 with SHA-256 is what many smart cards and other
people's logs have; ML-DSA-44 (FIPS 204, RFC 9964) withstands quantum computers. For each, one library decides, and one
signature has one form: a second form of the same signature would give the same record a second entry hash. Why, and what
it costs: ``docs/adr/0014-three-ways-to-sign.md``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ED25519: Final = -19
"""COSE algorithm number of Ed25519 (RFC 9864 section 2.2)."""

EDDSA: Final = -8
"""The deprecated number for the same signature (RFC 9053 section 2.2), for interoperability only."""

ESP256: Final = -9
"""ECDSA on P-256 with SHA-256, fully specified (RFC 9864 section 2.1)."""

ES256: Final = -7
"""The deprecated number for the same signature (RFC 9053 section 2.1), for interoperability only."""

MLDSA44: Final = -48
"""ML-DSA-44 (RFC 9964)."""

ACCEPTED: Final[dict[int, tuple[int, ...]]] = {
    ED25519: (ED25519, EDDSA),
    ESP256: (ESP256, ES256),
    MLDSA44: (MLDSA44,),
}
"""For the algorithm of a key, every number under which its signatures are accepted."""

OWN: Final[dict[int, int]] = {number: own for own, numbers in ACCEPTED.items() for number in numbers}
"""For every accepted number, the algorithm of the key that it needs."""

SIGNATURE_SIZES: Final[dict[int, int]] = {ED25519: 64, ESP256: 64, MLDSA44: 2420}
KEY_SIZES: Final[dict[int, int]] = {ED25519: 32, ESP256: 33, MLDSA44: 1312}
"""Bytes of a public key: as RFC 8032 writes it, a compressed point (SEC 1 section 2.3.3), as FIPS 204 writes it."""

NAMES: Final[dict[int, str]] = {ED25519: "Ed25519", ESP256: "P-256", MLDSA44: "ML-DSA-44"}

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order n of the P-256 group (SP 800-186 section 3.2.1.3)."""

_HALF = 32


def holds(alg: int, raw: bytes, message: bytes, signature: bytes, *, low_s: bool = True) -> bool:
    """Say whether ``signature`` over ``message`` was made with the public key ``raw`` of the algorithm ``alg``.

    ``alg`` is the algorithm of the key, a key of :data:`ACCEPTED`; ``raw`` and ``signature`` are plain bytes. With
    ``low_s`` an ECDSA signature must be the one of its two forms whose s is at most n/2; without it both count.
    """
    if len(signature) != SIGNATURE_SIZES[alg] or len(raw) != KEY_SIZES[alg]:
        return False
    if alg == ED25519:
        return _ed25519_check(raw)(message, signature)
    if alg == ESP256:
        return _p256_holds(raw, message, signature, low_s=low_s)
    return _mldsa44_holds(raw, message, signature)


def is_low_s(signature: bytes) -> bool:
    """Say whether an ECDSA signature r || s on P-256 is the form with s at most n/2."""
    return int.from_bytes(signature[_HALF:]) <= P256_ORDER // 2


def other_form(signature: bytes) -> bytes:
    """Return the other form, r || n - s, of an ECDSA signature on P-256: it holds exactly when the first one does."""
    return signature[:_HALF] + (P256_ORDER - int.from_bytes(signature[_HALF:])).to_bytes(_HALF)


def low_form(signature: bytes) -> bytes:
    """Return the form of an ECDSA signature on P-256 that is accepted here."""
    return signature if is_low_s(signature) else other_form(signature)


def point(raw: bytes) -> tuple[bytes, bytes] | None:
    """Return x and y (32 bytes each) of a compressed point on P-256, or None if there is no such point."""
    key = _p256_key(raw)
    if key is None:
        return None
    numbers = key.public_numbers()
    return numbers.x.to_bytes(_HALF), numbers.y.to_bytes(_HALF)


def compressed(x: bytes, y: bytes) -> bytes:
    """Return the compressed form of a point (SEC 1 section 2.3.3); whether it lies on the curve is not looked at."""
    return bytes((2 | y[-1] & 1,)) + x


def _p256_holds(raw: bytes, message: bytes, signature: bytes, *, low_s: bool) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _p256_key(raw)
    r, s = int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
    if key is None or not 0 < r < P256_ORDER or not 0 < s < P256_ORDER or (low_s and s > P256_ORDER // 2):
        return False
    try:
        key.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _mldsa44_holds(raw: bytes, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        _mldsa44_key(raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4096)
def _ed25519_check(raw: bytes) -> Callable[[bytes, bytes], bool]:
    """Return libsodium's verifier for one key: what ``nacl.signing.VerifyKey`` calls, with nothing in between."""
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    def check(message: bytes, signature: bytes) -> bool:
        try:
            crypto_sign_open(signature + message, raw)
        except BadSignatureError:
            return False
        return True

    return check


@lru_cache(maxsize=4096)
def _p256_key(raw: bytes) -> EllipticCurvePublicKey | None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    try:
        # A compressed point alone: the other forms, and the point at infinity, are second names of a key.
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw) if raw[:1] in {b"\x02", b"\x03"} else None
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _mldsa44_key(raw: bytes) -> MLDSA44PublicKey:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    return MLDSA44PublicKey.from_public_bytes(raw)

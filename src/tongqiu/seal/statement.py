"""The envelope of a record: who signed what about which subject, over the fingerprint of content that can be forgotten.

A SCITT Signed Statement (RFC 9943) that is a hash envelope (RFC 9995): its payload is SHA-256 over 32 random bytes of
salt and the content, so that the envelope can stand in a public log for ever and says nothing once content and salt are
destroyed. The exact bytes are in ``docs/spec/statement.md``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text
from tongqiu.seal import cose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.seal.keys import PublicKey, Signer

PAYLOAD_HASH: Final = 258
PREIMAGE_TYPE: Final = 259
RECEIPTS: Final = 394
SHA256: Final = -16
"""COSE algorithm number of SHA-256 as a hash (RFC 9054)."""

MEDIA: Final = "application/vnd.tongqiu.statement+cbor"
SALT_BYTES: Final = 32
MAX_STATEMENT: Final = 8 * 1024
"""Longest stripped envelope, in bytes: it holds names and a digest, never content."""

_DIGEST_BYTES = 32
_MAX_RECEIPTS = 16
_MAX_TRANSPARENT = 256 * 1024
_BEFORE_DIGEST = b"\xa0\x58\x20"
_BEFORE_SIGNATURE = b"\x58\x40"
_TAIL = 3 + 32 + 2 + 64
"""Bytes behind the protected header of a usual envelope: no receipts, the digest, the signature."""

_DO = Text(en="Get the record again from its source; do not edit it.", zh="请从来源重新获取该记录，切勿编辑。")


class Envelope(msgspec.Struct, frozen=True):
    """A sealed record taken apart. Only :func:`verify_statement` proves who signed it."""

    issuer: str
    """The DID that claims to have signed."""

    subject: str
    """The pseudonymous id of what it is about."""

    kid: bytes
    alg: int
    payload_digest: bytes
    """SHA-256 of salt and content."""

    media: str
    """What the content is: :data:`MEDIA` for a record, another type for other sealed things."""

    stripped: bytes
    """The envelope without receipts: the bytes that are logged."""

    receipts: tuple[bytes, ...]
    """Receipts that came along (label 394), not looked at here."""

    sign1: cose.Sign1

    @property
    def entry(self) -> bytes:
        """Return the 32-byte entry hash, by which a log knows the record."""
        return hashlib.sha256(self.stripped).digest()


def new_salt() -> bytes:
    """Return 32 random bytes. One for each content; never used twice."""
    return secrets.token_bytes(SALT_BYTES)


def digest_of(content: bytes, salt: bytes) -> bytes:
    """Return SHA-256(salt || content). Raises Malformed (``statement.salt``) unless the salt has 32 bytes."""
    if len(salt) != SALT_BYTES:
        raise Malformed(
            "statement.salt",
            Text(en="The salt has {size} bytes instead of 32.", zh="盐值有 {size} 字节，应为 32 字节。"),
            do=_DO,
            size=len(salt),
        )
    return hashlib.sha256(salt + content).digest()


def seal_statement(  # noqa: PLR0913 - each part is named at the call
    content: bytes,
    salt: bytes,
    *,
    signer: Signer,
    issuer: str,
    subject: str,
    alg: int | None = None,
    media: str = MEDIA,
) -> bytes:
    """Return the sealed envelope of ``content``, 290 to 400 bytes for usual names and an Ed25519 key.

    ``issuer`` is the party's DID and ``subject`` a pseudonymous id; neither may hold personal data, for they are never
    erased. Raises Malformed (``statement.salt``, ``cose.alg``, ``cose.claims``, ``cbor.size``).
    """
    headers = {cose.CLAIMS: {cose.ISS: issuer, cose.SUB: subject}, PAYLOAD_HASH: SHA256, PREIMAGE_TYPE: media}
    sealed = cose.encode(cose.sign(headers, digest_of(content, salt), signer, alg=alg))
    # Reading back what was written is the cheapest way never to log what nobody can open.
    open_statement(sealed, media=media)
    return sealed


def open_statement(data: bytes, *, where: str = "", media: str = MEDIA) -> Envelope:
    """Take apart a sealed record, stripped or with receipts, without proving anything.

    Raises Malformed: ``cbor.*`` and ``cose.*`` for the form, ``statement.envelope`` for anything else that is not a hash
    envelope over SHA-256 of the given ``media`` type, or has an ill-formed list of receipts.
    """
    return quick(data, media=media) or whole(data, where=where, media=media)


def whole(data: bytes, *, where: str = "", media: str = MEDIA) -> Envelope:
    """Read an envelope of any form that is ours. Raises as :func:`open_statement`, which asks :func:`quick` first."""
    sign1 = cose.decode(
        data,
        protected=(cose.CLAIMS, PAYLOAD_HASH, PREIMAGE_TYPE),
        unprotected=(RECEIPTS,),
        where=where,
        limit=_MAX_TRANSPARENT,
    )
    issuer, subject, _ = cose.claims(sign1, where=where)
    payload, found = sign1.payload, sign1.headers.get(PREIMAGE_TYPE)
    hashed = sign1.headers.get(PAYLOAD_HASH) == SHA256 and payload is not None and len(payload) == _DIGEST_BYTES
    if payload is None or not hashed or found != media:
        raise _not_an_envelope(where)
    receipts: tuple[bytes, ...] = ()
    stripped = data
    if sign1.unprotected:
        receipts = _receipts(sign1.unprotected[RECEIPTS], where)
        sign1 = msgspec.structs.replace(sign1, unprotected={})
        stripped = cose.encode(sign1)
    if len(stripped) > MAX_STATEMENT:
        raise Malformed(
            "statement.envelope-size",
            Text(
                en="The envelope is {size} bytes; at most {limit} are taken.",
                zh="信封有 {size} 字节，最多接受 {limit} 字节。",
            ),
            do=Text(en="Use shorter identifiers.", zh="请使用更短的标识符。"),
            where=where,
            size=len(stripped),
            limit=MAX_STATEMENT,
        )
    return Envelope(issuer, subject, sign1.kid, sign1.alg, payload, found, stripped, receipts, sign1)


def quick(data: bytes, *, media: str = MEDIA) -> Envelope | None:
    """Read an envelope of the usual form, without receipts, by comparing what must stand where.

    None for every other, wrong ones included: whatever is read here, :func:`whole` would read alike.
    """
    start, stop = cose.protected_at(data)
    if len(data) != stop + _TAIL or len(data) > MAX_STATEMENT:
        return None
    if data[stop : stop + 3] != _BEFORE_DIGEST or data[stop + 35 : stop + 37] != _BEFORE_SIGNATURE:
        return None
    protected = data[start:stop]
    usual = cose.usual(protected, 5, 2)
    if usual is None or protected[usual.end :] != _last_headers(media):
        return None
    alg, kid, issuer, subject, _ = usual
    headers = {
        cose.ALG: alg,
        cose.KID: kid,
        cose.CLAIMS: {cose.ISS: issuer, cose.SUB: subject},
        PAYLOAD_HASH: SHA256,
        PREIMAGE_TYPE: media,
    }
    digest = data[stop + 3 : stop + 35]
    sign1 = cose.Sign1(protected, headers, {}, digest, data[stop + 37 :])
    return Envelope(issuer, subject, kid, alg, digest, media, data, (), sign1)


@lru_cache(maxsize=16)
def _last_headers(media: str) -> bytes:
    """Return how the protected header of an envelope ends: hash algorithm and media type, after the claims."""
    return b"".join(map(cbor.dumps, (PAYLOAD_HASH, SHA256, PREIMAGE_TYPE, media)))


def verify_statement(envelope: Envelope, key: PublicKey, *, where: str = "") -> None:
    """Prove that ``key`` signed the envelope. Raises Unproven (``cose.key``, ``cose.signature``)."""
    cose.verify(envelope.sign1, key, where=where)


def matches(envelope: Envelope, content: bytes, salt: bytes) -> bool:
    """Say whether content and salt are what was sealed."""
    return len(salt) == SALT_BYTES and hmac.compare_digest(digest_of(content, salt), envelope.payload_digest)


def entry_of(data: bytes, *, where: str = "") -> bytes:
    """Return the 32-byte entry hash of a sealed record: SHA-256 of its stripped bytes.

    The same with and without receipts. Raises Malformed as :func:`open_statement` does.
    """
    return open_statement(data, where=where).entry


def with_receipts(statement: bytes, receipts: Sequence[bytes]) -> bytes:
    """Return the Transparent Statement (RFC 9943 section 7): the sealed record with ``receipts`` in label 394.

    Earlier receipts are replaced. Raises Malformed (``statement.envelope``) for none or more than 16.
    """
    envelope = open_statement(statement)
    held = list(_receipts(list(receipts), ""))
    return cose.encode(msgspec.structs.replace(envelope.sign1, unprotected={RECEIPTS: held}))


def _receipts(value: object, where: str) -> tuple[bytes, ...]:
    if isinstance(value, list) and 0 < len(value) <= _MAX_RECEIPTS and all(isinstance(item, bytes) for item in value):
        return tuple(value)
    raise _not_an_envelope(where)


def _not_an_envelope(where: str) -> Malformed:
    return Malformed(
        "statement.envelope",
        Text(en="Not the sealed envelope of a record.", zh="这不是记录的签名信封。"),
        do=_DO,
        where=where,
    )

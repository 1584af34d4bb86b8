"""COSE_Sign1 (RFC 9052): one signature over some bytes and a few facts about it, read strictly.

A deliberately small layer. It writes and reads tag 18 only, in deterministic CBOR only; the protected header is kept as
the very bytes that were signed; the unprotected header never decides anything; a header that is not expected is refused
rather than ignored, ``crit`` (label 2) above all, because it names what a verifier must understand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text
from tongqiu.seal.signature import OWN, SIGNATURE_SIZES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tongqiu.seal.keys import PublicKey, Signer

ALG: Final = 1
CONTENT_TYPE: Final = 3
KID: Final = 4
CLAIMS: Final = 15
"""CWT claims in a header (RFC 9597)."""
TYP: Final = 16
"""What kind of signed object this is (RFC 9596)."""
ISS: Final = 1
SUB: Final = 2

MAX_SIGN1: Final = 1024 * 1024
"""Longest COSE_Sign1 that is read, in bytes."""

MAX_ISSUER: Final = 2048
"""Longest issuer in characters: the did:key of an ML-DSA-44 key fits."""

MAX_SUBJECT: Final = 1024

_MAX_PROTECTED = 32 * 1024
_SUB = bytes((SUB,))
_SHORT_ALGS = {0x20 | -1 - alg: alg for alg in OWN if alg > -25 and SIGNATURE_SIZES[OWN[alg]] == 64}  # noqa: PLR2004 - one byte, RFC 8949 section 3.1
"""Algorithm numbers that are one byte, by that byte; signatures of all of them have 64."""

_PARTS = 4
_TAGGED = b"\xd2"
"""Tag 18 (RFC 9052 section 2) in its one byte."""
_BEGIN = _TAGGED + b"\x84"
_DO = Text(en="Get it again from its source; do not edit it.", zh="请从来源重新获取，切勿编辑。")


class Sign1(msgspec.Struct, frozen=True):
    """A COSE_Sign1 taken apart; nothing in it is proven until :func:`verify` has said so."""

    protected: bytes
    """The protected header exactly as it was signed."""

    headers: dict[Any, Any]
    """The protected header, decoded."""

    unprotected: dict[Any, Any]
    """The unprotected header: anyone on the way may have changed it."""

    payload: bytes | None
    """The payload, or None where it is detached."""

    signature: bytes

    @property
    def alg(self) -> int:
        """Return the algorithm number: -19, -8, -9, -7 or -48."""
        return int(self.headers[ALG])

    @property
    def kid(self) -> bytes:
        """Return the key id from the protected header."""
        return bytes(self.headers[KID])


def sign(headers: Mapping[int, Any], payload: bytes, signer: Signer, *, alg: int | None = None) -> Sign1:
    """Return ``payload`` signed under ``headers`` plus alg and kid, which this function sets.

    ``alg`` is the number of the signer's own key unless it is given; -8 and -7 are for readers that do not know RFC 9864
    yet. Raises Malformed (``cose.alg``) for a number that does not belong to the key.
    """
    number = signer.public.alg if alg is None else alg
    if not signer.public.accepts(number):
        raise wrong_alg(number, "")
    full = {**headers, ALG: number, KID: signer.kid}
    protected = cbor.dumps(full)
    return Sign1(protected, full, {}, payload, signer.sign(to_be_signed(protected, payload)))


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure (RFC 9052 section 4.4) with empty external data."""
    return b"\x84\x6aSignature1" + _bstr(protected) + b"\x40" + _bstr(payload)


def encode(sign1: Sign1, *, detached: bool = False) -> bytes:
    """Return the tagged bytes; with ``detached`` the payload is left out (nil) and travels elsewhere."""
    payload = None if detached else sign1.payload
    head = _TAGGED + b"\x84" + _bstr(sign1.protected) + cbor.dumps(sign1.unprotected)
    return head + (b"\xf6" if payload is None else _bstr(payload)) + _bstr(sign1.signature)


def decode(
    data: bytes,
    *,
    protected: Collection[int],
    unprotected: Collection[int] = (),
    where: str = "",
    limit: int = MAX_SIGN1,
) -> Sign1:
    """Read a COSE_Sign1 whose header labels are among those given; alg and kid must be protected.

    Raises Malformed: ``cbor.*`` for bytes that are not deterministic CBOR, ``cose.form`` for another shape,
    ``cose.header`` for a header that is not expected there (``crit`` always), ``cose.alg`` for another algorithm.
    """
    if data[:1] != _TAGGED:
        raise _form(where)
    parts = cbor.loads(data[1:], where=where, limit=limit)
    if not isinstance(parts, list) or len(parts) != _PARTS:
        raise _form(where)
    raw, loose, payload, signature = parts
    if not isinstance(raw, bytes) or not isinstance(loose, dict) or not isinstance(payload, bytes | None):
        raise _form(where)
    if not isinstance(signature, bytes):
        raise _form(where)
    headers = cbor.loads(raw, where=where, limit=_MAX_PROTECTED)
    if not isinstance(headers, dict):
        raise _form(where)
    _check_labels(headers, {ALG, KID, *protected}, where)
    _check_labels(loose, set(unprotected) - set(headers), where)
    if ALG not in headers or not isinstance(headers.get(KID), bytes):
        raise _form(where)
    alg = headers[ALG]
    if type(alg) is not int or alg not in OWN:
        raise wrong_alg(alg, where)
    if len(signature) != SIGNATURE_SIZES[OWN[alg]]:
        raise _form(where)
    return Sign1(raw, headers, loose, payload, signature)


def protected_at(data: bytes) -> tuple[int, int]:
    """Return where the protected header of a tagged COSE_Sign1 begins and ends; (0, 0) for what does not begin so."""
    if data[:2] != _BEGIN:
        return 0, 0
    major, size, start = cbor.head(data, 2)
    return (start, start + size) if major == 2 else (0, 0)  # noqa: PLR2004 - a byte string, RFC 8949 section 3.1


class Usual(NamedTuple):
    """The beginning of a protected header of the usual form: Ed25519 or P-256, a thumbprint, issuer and subject first."""

    alg: int
    kid: bytes
    issuer: str
    subject: str
    end: int
    """Where the rest begins: further claims, then further headers."""


def usual(protected: bytes, headers: int, claims: int) -> Usual | None:
    """Read the beginning of a protected header with so many ``headers`` and ``claims`` (below 24), if it is the usual one.

    The quick way for those who read thousands: bytes that must stand somewhere are compared, and nothing is put together
    that is not needed. None means nothing but that :func:`decode` must look; what is found here is what it would find.
    """
    if protected[:2] != bytes((0xA0 | headers, ALG)) or protected[3:6] != b"\x04\x58\x20":
        return None
    if protected[38:41] != bytes((CLAIMS, 0xA0 | claims, ISS)):
        return None
    alg = _SHORT_ALGS.get(protected[2])
    issuer, at = cbor.text(protected, 41)
    if alg is None or issuer is None or protected[at : at + 1] != _SUB or not _is_name(issuer, MAX_ISSUER):
        return None
    subject, end = cbor.text(protected, at + 1)
    if subject is None or not _is_name(subject, MAX_SUBJECT):
        return None
    return Usual(alg, protected[6:38], issuer, subject, end)


def verify(sign1: Sign1, key: PublicKey, *, payload: bytes | None = None, where: str = "") -> None:
    """Prove that ``key`` signed the protected header and the payload (``payload`` where it is detached).

    Raises Unproven: ``cose.key`` when the signature names another key, ``cose.signature`` when it does not hold; and
    Malformed (``cose.alg``) when the algorithm is not that of the key.
    """
    signed = sign1.payload if payload is None else payload
    if sign1.kid != key.thumbprint:
        raise Unproven(
            "cose.key",
            Text(en="It was signed with another key than the one given.", zh="签名所用密钥与给定密钥不同。"),
            do=Text(en="Look for the key that it names.", zh="请查找其所注明的密钥。"),
            where=where,
        )
    if not key.accepts(sign1.alg):
        raise wrong_alg(sign1.alg, where)
    if signed is None or not key.holds(to_be_signed(sign1.protected, signed), sign1.signature):
        raise Unproven(
            "cose.signature",
            Text(en="The signature does not hold.", zh="签名不成立。"),
            do=_DO,
            where=where,
        )


def claims(sign1: Sign1, *, where: str = "", extra: Collection[str] = ()) -> tuple[str, str, dict[Any, Any]]:
    """Return issuer, subject and all CWT claims of the protected header (RFC 9943 asks for both).

    Raises Malformed (``cose.claims``) if one is missing, empty, too long (issuer 2,048 characters, so that the did:key of
    an ML-DSA-44 key fits; subject 1,024) or holds a control character, or if there is a claim that is neither of the two nor in ``extra``.
    """
    found = sign1.headers.get(CLAIMS)
    if isinstance(found, dict) and set(found) <= {ISS, SUB, *extra}:
        issuer, subject = found.get(ISS), found.get(SUB)
        if (
            isinstance(issuer, str)
            and isinstance(subject, str)
            and _is_name(issuer, MAX_ISSUER)
            and _is_name(subject, MAX_SUBJECT)
        ):
            return issuer, subject, found
    raise Malformed(
        "cose.claims",
        Text(en="It does not say properly who signed about what.", zh="其中未正确写明由谁就何事签署。"),
        do=_DO,
        where=where,
    )


def _is_name(value: str, longest: int) -> bool:
    return 0 < len(value) <= longest and value.isprintable()


def _bstr(data: bytes) -> bytes:
    """Return the deterministic CBOR byte string (written out: this is the hot path)."""
    size = len(data)
    if size < 24:  # noqa: PLR2004 - RFC 8949 section 3
        return bytes((0x40 | size,)) + data
    if size < 1 << 8:
        return b"\x58" + size.to_bytes(1) + data
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2) + data
    return b"\x5a" + size.to_bytes(4) + data


def wrong_alg(alg: object, where: str) -> Malformed:
    """Return the fault of an algorithm that is not accepted, or is not that of the key (``cose.alg``)."""
    return Malformed(
        "cose.alg",
        Text(
            en="The signature algorithm {alg} is not accepted here, or not for this key.",
            zh="此处或对此密钥不接受签名算法 {alg}。",
        ),
        do=Text(
            en="Sign with the algorithm of the key: Ed25519 (-19), ESP256 (-9) or ML-DSA-44 (-48).",
            zh="请使用与密钥相符的算法签名：Ed25519（-19）、ESP256（-9）或 ML-DSA-44（-48）。",
        ),
        where=where,
        alg=str(alg)[:40],
    )


def _check_labels(headers: dict[Any, Any], known: Collection[int], where: str) -> None:
    for label in headers:
        if label not in known:
            raise Malformed(
                "cose.header",
                Text(en="There is a header that is not expected here: {label}.", zh="存在此处不应有的标头：{label}。"),
                do=_DO,
                where=where,
                label=str(label)[:40],
            )


def _form(where: str) -> Malformed:
    return Malformed(
        "cose.form",
        Text(
            en="Not a signed object of the expected form (COSE_Sign1).", zh="这不是预期形式的签名对象（COSE_Sign1）。"
        ),
        do=_DO,
        where=where,
    )

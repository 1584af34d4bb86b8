"""What other people's software signed: read with patience, proven with none.

Our own objects have one form and are refused in any other. Those of others may be written in any well-formed CBOR, carry
further headers and name their keys as they like; RFC 9052 allows it. This reader keeps the signed bytes as they came,
proves the signature over exactly these, and lists by name everything in which the object differs from ours. What must be
understood and is not (``crit``), and every algorithm that is not accepted here, is refused all the same.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import cbor2
import msgspec

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text
from tongqiu.seal import cose
from tongqiu.seal.keys import ESP256
from tongqiu.seal.signature import OWN, SIGNATURE_SIZES, is_low_s

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tongqiu.seal.keys import PublicKey

MAX_DEPTH: Final = 16
DIFFERENCES: Final[dict[str, Text]] = {
    "encoding": Text(en="It is CBOR, but not in its one deterministic form.", zh="属于 CBOR，但不是唯一的确定性编码。"),
    "header": Text(en="It has signed headers that are not understood here.", zh="含有此处不理解的已签署标头。"),
    "claim": Text(en="It has signed claims that are not understood here.", zh="含有此处不理解的已签署声明。"),
    "kid": Text(en="The key is not named by its thumbprint.", zh="密钥未以其指纹标识。"),
    "no-kid": Text(en="The key is not named under the signature.", zh="签名范围内未标明密钥。"),
    "no-issuer": Text(en="The issuer is not named under the signature.", zh="签名范围内未标明出具方。"),
    "no-subject": Text(en="The subject is not named under the signature.", zh="签名范围内未标明对象。"),
    "high-s": Text(
        en="The signature is in the second of its two forms.",
        zh="签名采用了两种形式中的第二种。",
    ),
}
"""Each way in which an object may differ from ours, and what it means."""


class Loose(msgspec.Struct, frozen=True):
    """A COSE_Sign1 of somebody else taken apart; nothing in it is proven until :func:`verify` has said so."""

    sign1: cose.Sign1
    issuer: str | None
    subject: str | None
    claims: dict[Any, Any]
    """All CWT claims of the protected header."""

    differences: tuple[str, ...]
    """Names of :data:`DIFFERENCES`, in the order of that table."""


def decode(
    data: bytes, *, protected: Collection[int] = (), claims: Collection[int | str] = (), where: str = "", limit: int
) -> Loose:
    """Take apart a tagged COSE_Sign1 in any well-formed encoding; ``protected`` and ``claims`` are understood as well.

    Raises Malformed: ``cbor.*`` for what is not CBOR or has duplicate keys, is too long or too deep; ``cose.form`` for
    another shape or no alg; ``cose.header`` for ``crit``; ``cose.alg`` for an algorithm that is not accepted.
    """
    value, exact = loads(data, where=where, limit=limit)
    parts = value.value if isinstance(value, cbor2.CBORTag) and value.tag == 18 else None  # noqa: PLR2004 - COSE_Sign1
    if not isinstance(parts, list) or len(parts) != 4:  # noqa: PLR2004 - RFC 9052 section 4.2
        raise _form(where)
    raw, loose, payload, signature = parts
    shaped = isinstance(raw, bytes) and isinstance(loose, dict) and isinstance(payload, bytes | None)
    if not shaped or not isinstance(signature, bytes):
        raise _form(where)
    headers, exact_too = loads(raw, where=where, limit=limit)
    alg = headers.get(cose.ALG) if isinstance(headers, dict) else None
    if not isinstance(headers, dict) or type(alg) is not int:
        raise _form(where)
    if alg not in OWN:
        raise cose.wrong_alg(alg, where)
    if len(signature) != SIGNATURE_SIZES[OWN[alg]]:
        raise _form(where)
    if _CRIT in headers or _CRIT in loose or set(headers) & set(loose):
        raise _header(where)
    said, issuer, subject = _claims(headers, where)
    kid = headers.get(cose.KID)
    found = {
        "encoding": not (exact and exact_too),
        "header": not set(headers) <= {cose.ALG, cose.KID, cose.CLAIMS, *protected},
        "claim": not set(said) <= {cose.ISS, cose.SUB, *claims},
        "no-kid": not isinstance(kid, bytes),
        "no-issuer": issuer is None,
        "no-subject": subject is None,
        "high-s": OWN[alg] == ESP256 and not is_low_s(signature),
    }
    differences = tuple(name for name in DIFFERENCES if found.get(name))
    return Loose(cose.Sign1(raw, headers, loose, payload, signature), issuer, subject, said, differences)


def verify(loose: Loose, key: PublicKey, *, payload: bytes | None = None, where: str = "") -> tuple[str, ...]:
    """Prove that ``key`` signed the protected header and the payload, and return all differences.

    The key is the caller's choice: a key id that is no thumbprint proves nothing and decides nothing. Raises Malformed
    (``cose.alg``) where the algorithm is not that of the key, and Unproven (``cose.signature``).
    """
    sign1 = loose.sign1
    signed = sign1.payload if payload is None else payload
    if not key.accepts(sign1.alg):
        raise cose.wrong_alg(sign1.alg, where)
    message = None if signed is None else cose.to_be_signed(sign1.protected, signed)
    if message is None or not key.holds(message, sign1.signature, low_s=False):
        raise Unproven(
            "cose.signature",
            Text(en="The signature does not hold.", zh="签名不成立。"),
            do=_DO,
            where=where,
        )
    kid = sign1.headers.get(cose.KID)
    named = {"kid"} if isinstance(kid, bytes) and kid != key.thumbprint else set()
    return tuple(name for name in DIFFERENCES if name in {*loose.differences, *named})


def loads(data: bytes, *, where: str = "", limit: int) -> tuple[Any, bool]:
    """Return the value that ``data`` encodes, and whether it is in the one deterministic form.

    Duplicate keys, bytes after the end, and nesting beyond 16 levels are refused: two readers could see two things. Raises
    Malformed (``cbor.size``, ``cbor.syntax``).
    """
    if len(data) <= limit:
        stream = io.BytesIO(data)
        try:
            value = cbor2.CBORDecoder(
                stream, max_depth=MAX_DEPTH, allow_duplicate_keys=False, semantic_decoders=_EveryTag()
            ).decode()
        except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
            raise _syntax(where) from error
        if stream.read(1):
            raise _syntax(where)
        try:
            return value, cbor.dumps(value) == data
        except Malformed:
            return value, False
    raise Malformed(
        "cbor.size",
        Text(
            en="The data is {size} bytes; at most {limit} are read.",
            zh="数据有 {size} 字节，最多读取 {limit} 字节。",
        ),
        do=_DO,
        where=where,
        size=len(data),
        limit=limit,
    )


_CRIT = 2
_DO = Text(en="Get it again from its source; do not edit it.", zh="请从来源重新获取，切勿编辑。")


class _EveryTag(dict[int, "Callable[[object, bool], cbor2.CBORTag]"]):
    """Keeps every tag a tag, so that nothing is made of what a stranger wrote."""

    def __missing__(self, tag: int) -> Callable[[object, bool], cbor2.CBORTag]:
        return lambda value, _immutable: cbor2.CBORTag(tag, value)


def _claims(headers: dict[Any, Any], where: str) -> tuple[dict[Any, Any], str | None, str | None]:
    """Return claims, issuer and subject; a claim of another type than text is a damaged one."""
    said = headers.get(cose.CLAIMS, {})
    if not isinstance(said, dict):
        raise _form(where)
    issuer, subject = said.get(cose.ISS), said.get(cose.SUB)
    for name in (issuer, subject):
        if name is not None and not (isinstance(name, str) and 0 < len(name) <= 8192 and name.isprintable()):  # noqa: PLR2004 - RFC 9943 section 6
            raise _form(where)
    return said, issuer, subject


def _syntax(where: str) -> Malformed:
    return Malformed(
        "cbor.syntax",
        Text(en="The data is not well-formed CBOR.", zh="数据不是格式正确的 CBOR。"),
        do=_DO,
        where=where,
    )


def _form(where: str) -> Malformed:
    return Malformed(
        "cose.form",
        Text(en="Not a signed object (COSE_Sign1).", zh="这不是签名对象（COSE_Sign1）。"),
        do=_DO,
        where=where,
    )


def _header(where: str) -> Malformed:
    return Malformed(
        "cose.header",
        Text(
            en="It has a header that must be understood and is not, or one header twice.",
            zh="含有必须理解但此处不理解的标头，或同一标头出现两次。",
        ),
        do=_DO,
        where=where,
    )

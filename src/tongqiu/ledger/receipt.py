"""Receipts: a log's signed word that it holds a record, which anyone can check without asking the log.

COSE receipts (RFC 9942) over the tree of RFC 9162: the log signs the root, and the receipt carries the path from the
record to that root. Two private claims are signed along: when the log took the record, and the size of the tree. The
size must be signed because a path alone often fits several sizes, and with them several positions.

Receipts of other software are read by :func:`verify_foreign`, which says in what they differ from ours.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from tongqiu.ledger import tree
from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Missing, Unproven
from tongqiu.record.text import Text
from tongqiu.seal import cose, foreign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.seal.keys import PublicKey, Signer

VDS: Final = 395
VDP: Final = 396
RFC9162_SHA256: Final = 1
LOGGED: Final = "logged"
SIZE: Final = "size"

MAX_RECEIPT: Final = 8 * 1024
MAX_FOREIGN: Final = 64 * 1024
"""Longest receipt of other software that is read, in bytes."""

MAX_PROOFS: Final = 16
DIFFERENCES: Final[dict[str, Text]] = {
    **foreign.DIFFERENCES,
    "size-unsigned": Text(
        en="The size of the tree, and so the place in it, is not under the signature.",
        zh="树的规模（以及条目位置）不在签名范围之内。",
    ),
    "time-unsigned": Text(en="When it was logged is not under the signature.", zh="入日志的时间不在签名范围之内。"),
    "several-proofs": Text(en="It carries more than one proof.", zh="含有多于一个证明。"),
    "empty-path": Text(en="Its path is empty: the log had one entry.", zh="路径为空：当时日志仅有一条记录。"),
}
"""Each way in which a receipt may differ from ours, and what it means."""

_BEYOND_RFC = {"no-kid", "no-issuer", "no-subject", "empty-path"}
"""Differences that RFC 9942 and RFC 9943 do not allow either."""

_MAX_INDEX = 1 << 63
_PROOF_PARTS = 3
_BEFORE_PROOF = b"\xa1\x19\x01\x8c\xa1\x20\x81"
_BEFORE_SIGNATURE = b"\xf6\x58\x40"
_TAIL = 3 + 64
"""Bytes behind the proof of a usual receipt: no payload, the signature."""

_BEGIN = b"\xd2\x84"
_HASH = b"\x58\x20"
_SHORT = 24
"""Arrays of fewer parts say so in one byte (RFC 8949 section 3)."""

_SIZE_KEY = b"\x64size"
_LOGGED_KEY = b"\x66logged"
_LAST_HEADER = b"\x19\x01\x8b\x01"
_DO = Text(en="Ask the log for a new receipt.", zh="请向日志重新索取回执。")


class Receipt(msgspec.Struct, frozen=True):
    """A receipt taken apart; nothing in it is proven until :func:`verify_receipt` has said so."""

    origin: str
    """The log that claims to have issued it."""

    subject: str
    kid: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    logged_at: str | None
    """When the log says it took the record; None in receipts of other software, which do not sign it."""

    size_signed: bool
    """Whether the tree size (and with it the index) is under the signature; True in all our own receipts."""

    sign1: cose.Sign1


class Proven(msgspec.Struct, frozen=True):
    """What a receipt proves: this log signed a tree of this root that holds the record at this place."""

    origin: str
    subject: str
    index: int
    size: int
    root: bytes
    logged_at: str | None
    size_signed: bool


class Foreign(msgspec.Struct, frozen=True):
    """What a receipt of other software proves, and how it was written."""

    proven: Proven
    """Origin and subject are empty, and ``logged_at`` is None, where the signature does not cover them."""

    profile: str
    """``tongqiu``: as we write them; ``rfc9942``: as the standards ask; ``loose``: neither, but it proves what it says."""

    differences: tuple[str, ...]
    """In what it differs from ours: names of :data:`DIFFERENCES`, in the order of that table."""


def create_receipt(  # noqa: PLR0913 - each part is named at the call
    *,
    index: int,
    size: int,
    path: Sequence[bytes],
    root: bytes,
    logged_at: str,
    origin: str,
    subject: str,
    signer: Signer,
    alg: int | None = None,
) -> bytes:
    """Return the receipt of the entry at ``index`` in the tree of ``size`` with ``root``.

    The caller has checked that ``path`` leads there. Raises Missing (``receipt.too-early``) for a tree of one entry: the
    standard has no empty path, so the first entry of a log gets its receipt once there is a second.
    """
    if not path:
        raise Missing(
            "receipt.too-early",
            Text(en="A log with one entry cannot give a receipt yet.", zh="仅有一条记录的日志尚不能出具回执。"),
            do=Text(en="Ask again after the next entry.", zh="请在下一条记录入日志之后再索取。"),
            where=origin,
        )
    number = signer.public.alg if alg is None else alg
    if not signer.public.accepts(number):
        raise cose.wrong_alg(number, "")
    # Written out in the one order there is, because a log makes thousands: putting the maps together and sorting them
    # anew costs more than the signature.
    first, last = _first_headers(number, signer.kid, origin), _last_headers(size, logged_at)
    protected = first + cbor.dumps(subject) + last
    signature = signer.sign(cose.to_be_signed(protected, root))
    parts = bytes((0x80 | len(path),)) if len(path) < _SHORT else bytes((0x98, len(path)))
    proof = b"\x83" + cbor.dumps(size) + cbor.dumps(index) + parts + _HASH + _HASH.join(path)
    sealed = cbor.dumps(signature)
    return _BEGIN + cbor.dumps(protected) + _BEFORE_PROOF + cbor.dumps(proof) + b"\xf6" + sealed


@lru_cache(maxsize=64)
def _first_headers(alg: int, kid: bytes, origin: str) -> bytes:
    """Return how the protected header of a receipt begins: algorithm, key and log, up to what it is about."""
    return b"\xa4\x01" + cbor.dumps(alg) + b"\x04" + cbor.dumps(kid) + b"\x0f\xa4\x01" + cbor.dumps(origin) + b"\x02"


@lru_cache(maxsize=64)
def _last_headers(size: int, logged_at: str) -> bytes:
    """Return how it ends: the tree and the time, which receipts made together share."""
    return _SIZE_KEY + cbor.dumps(size) + _LOGGED_KEY + cbor.dumps(logged_at) + _LAST_HEADER


def open_receipt(data: bytes, *, where: str = "") -> Receipt:
    """Take a receipt apart without proving anything.

    Raises Malformed: ``cbor.*``, ``cose.*``, and ``receipt.form`` for another tree algorithm, an attached payload, other
    than one inclusion proof, or an empty path.
    """
    return quick(data) or whole(data, where=where)


def whole(data: bytes, *, where: str = "") -> Receipt:
    """Read a receipt of any form that is ours. Raises as :func:`open_receipt`, which asks :func:`quick` first."""
    sign1 = cose.decode(data, protected=(VDS, cose.CLAIMS), unprotected=(VDP,), where=where, limit=MAX_RECEIPT)
    origin, subject, said = cose.claims(sign1, where=where, extra=(LOGGED, SIZE))
    size, index, path = _proof(sign1, where)
    logged_at, signed = said.get(LOGGED), said.get(SIZE)
    if not isinstance(logged_at, str | None) or (SIZE in said and (type(signed) is not int or signed != size)):
        raise _form(where)
    return Receipt(origin, subject, sign1.kid, index, size, path, logged_at, SIZE in said, sign1)


def quick(data: bytes) -> Receipt | None:
    """Read a receipt of the usual form by comparing what must stand where.

    None for every other, wrong ones included: whatever is read here, :func:`whole` would read alike.
    """
    start, stop = cose.protected_at(data)
    end = len(data) - _TAIL
    if not start < stop < end or len(data) > MAX_RECEIPT:
        return None
    protected, first = data[start:stop], stop + len(_BEFORE_PROOF)
    major, length, at = cbor.head(data, first)
    if major != 2 or at + length != end:  # noqa: PLR2004 - a byte string, RFC 8949 section 3.1
        return None
    if data[stop:first] != _BEFORE_PROOF or data[end : end + 3] != _BEFORE_SIGNATURE:
        return None
    proof = data[at:end]
    place = _quick_place(proof)
    usual = cose.usual(protected, 4, 4)
    logged_at = None if place is None or usual is None else _quick_claims(protected, usual.end, place[0])
    if place is None or usual is None or logged_at is None:
        return None
    alg, kid, origin, subject, _ = usual
    size, index, path = place
    said = {cose.ISS: origin, cose.SUB: subject, SIZE: size, LOGGED: logged_at}
    headers = {cose.ALG: alg, cose.KID: kid, cose.CLAIMS: said, VDS: RFC9162_SHA256}
    sign1 = cose.Sign1(protected, headers, {VDP: {-1: [proof]}}, None, data[end + 3 :])
    return Receipt(origin, subject, kid, index, size, path, logged_at, size_signed=True, sign1=sign1)


def _quick_claims(protected: bytes, at: int, size: int) -> str | None:
    """Return the time from the rest of a usual protected header, which must give this size; None for any other."""
    if protected[at : at + 5] != _SIZE_KEY:
        return None
    major, signed, at = cbor.head(protected, at + 5)
    if major or signed != size or protected[at : at + 7] != _LOGGED_KEY:
        return None
    logged_at, at = cbor.text(protected, at + 7)
    return logged_at if protected[at:] == _LAST_HEADER else None


def _quick_place(proof: bytes) -> tuple[int, int, tuple[bytes, ...]] | None:
    """Return size, index and path of an inclusion proof, or None for any that the whole reader must look at."""
    if proof[:1] != b"\x83":
        return None
    sizes, size, at = cbor.head(proof, 1)
    indices, index, at = cbor.head(proof, at)
    paths, count, at = cbor.head(proof, at)
    if (sizes, indices, paths) != (0, 0, 4) or not index < size < _MAX_INDEX or not 0 < count <= tree.MAX_PATH:
        return None
    # Every part of the path is 58 20 and 32 bytes.
    if len(proof) != at + 34 * count or proof[at::34] != b"\x58" * count or proof[at + 1 :: 34] != b"\x20" * count:
        return None
    return size, index, struct.unpack_from("=" + "2x32s" * count, proof, at)


def verify_receipt(data: bytes, entry: bytes, key: PublicKey, *, origin: str | None = None, where: str = "") -> Proven:
    """Prove that the log with ``key`` (and, if given, the name ``origin``) holds ``entry``, and return what is proven.

    Raises Malformed as :func:`open_receipt`; Unproven: ``receipt.other-log`` when it was issued by another log or key,
    ``tree.inclusion`` when the path does not fit its place, ``receipt.root`` when path and signature do not lead to the
    same root (the record is another one, or the receipt was changed).
    """
    receipt = open_receipt(data, where=where)
    if receipt.kid != key.thumbprint or origin not in {None, receipt.origin}:
        raise _other_log(receipt.origin, where)
    root = tree.root_from_inclusion(entry, receipt.index, receipt.size, receipt.path)
    try:
        cose.verify(receipt.sign1, key, payload=root, where=where)
    except Unproven as error:
        raise _no_root(where) from error
    return Proven(
        receipt.origin, receipt.subject, receipt.index, receipt.size, root, receipt.logged_at, receipt.size_signed
    )


def verify_foreign(data: bytes, entry: bytes, key: PublicKey, *, origin: str | None = None, where: str = "") -> Foreign:
    """Prove that the log with ``key`` holds ``entry`` by a receipt in any well-formed encoding, and say what it met.

    Of several proofs one must lead to the signed root, and all must be well-formed. The key is the caller's choice, and
    with ``origin`` the signed issuer must be that name. Evidence files never take such a receipt. Raises Malformed:
    ``cbor.*``, ``cose.*``, ``receipt.form``; Unproven: ``receipt.other-log``, ``tree.inclusion``, ``receipt.root``.
    """
    loose = foreign.decode(data, protected=(VDS,), claims=(LOGGED, SIZE), where=where, limit=MAX_FOREIGN)
    vds, proofs = loose.sign1.headers.get(VDS), loose.sign1.unprotected.get(VDP)
    held = proofs.get(-1) if isinstance(proofs, dict) else None
    if type(vds) is not int or vds != RFC9162_SHA256 or loose.sign1.payload is not None:
        raise _form(where)
    if not isinstance(held, list) or not 0 < len(held) <= MAX_PROOFS:
        raise _form(where)
    if origin not in {None, loose.issuer}:
        raise _other_log(loose.issuer or "", where)
    read = [_foreign_proof(proof, where) for proof in held]
    for size, index, path, exact in read:
        root = tree.root_from_inclusion(entry, index, size, path)
        try:
            differences = set(foreign.verify(loose, key, payload=root, where=where))
        except Unproven:
            continue
        signed, logged_at = loose.claims.get(SIZE), loose.claims.get(LOGGED)
        if SIZE in loose.claims and (type(signed) is not int or signed != size):
            raise _form(where)
        found = {
            "encoding": not exact,
            "size-unsigned": SIZE not in loose.claims,
            "time-unsigned": not isinstance(logged_at, str),
            "several-proofs": len(read) > 1 or not isinstance(proofs, dict) or len(proofs) > 1,
            "empty-path": not path,
        }
        differences |= {name for name, differs in found.items() if differs}
        profile = "tongqiu" if not differences else "loose" if differences & _BEYOND_RFC else "rfc9942"
        proven = Proven(
            loose.issuer or "",
            loose.subject or "",
            index,
            size,
            root,
            logged_at if isinstance(logged_at, str) else None,
            SIZE in loose.claims,
        )
        return Foreign(proven, profile, tuple(name for name in DIFFERENCES if name in differences))
    raise _no_root(where)


def _foreign_proof(proof: object, where: str) -> tuple[int, int, tuple[bytes, ...], bool]:
    """Return size, index and path of one inclusion proof, and whether it is in deterministic form."""
    if not isinstance(proof, bytes):
        raise _form(where)
    value, exact = foreign.loads(proof, where=where, limit=MAX_RECEIPT)
    size, index, path = _place(value, where)
    if not path and size != 1:
        raise _form(where)
    return size, index, path, exact


def _proof(sign1: cose.Sign1, where: str) -> tuple[int, int, tuple[bytes, ...]]:
    """Return size, index and path of the one inclusion proof."""
    vds, proofs = sign1.headers.get(VDS), sign1.unprotected.get(VDP)
    if type(vds) is not int or vds != RFC9162_SHA256 or sign1.payload is not None:
        raise _form(where)
    held = proofs.get(-1) if isinstance(proofs, dict) and set(proofs) == {-1} else None
    if not isinstance(held, list) or len(held) != 1 or not isinstance(held[0], bytes):
        raise _form(where)
    size, index, path = _place(cbor.loads(held[0], where=where, limit=MAX_RECEIPT), where)
    if not path:
        raise _form(where)
    return size, index, path


def _place(value: object, where: str) -> tuple[int, int, tuple[bytes, ...]]:
    """Return size, index and path of a decoded inclusion proof."""
    if not isinstance(value, list) or len(value) != _PROOF_PARTS:
        raise _form(where)
    size, index, path = value
    if type(size) is not int or type(index) is not int or not 0 <= index < size < _MAX_INDEX:
        raise _form(where)
    if not isinstance(path, list) or len(path) > tree.MAX_PATH:
        raise _form(where)
    if any(not isinstance(part, bytes) or len(part) != tree.HASH_BYTES for part in path):
        raise _form(where)
    return size, index, tuple(path)


def _form(where: str) -> Malformed:
    return Malformed(
        "receipt.form",
        Text(en="Not a receipt of the expected form.", zh="这不是预期形式的回执。"),
        do=_DO,
        where=where,
    )


def _other_log(found: str, where: str) -> Unproven:
    return Unproven(
        "receipt.other-log",
        Text(
            en="The receipt was issued by another log ({found}) than the one expected.",
            zh="回执由另一日志（{found}）出具，与预期日志不符。",
        ),
        do=Text(en="Ask the log that is expected for its receipt.", zh="请向预期的日志索取回执。"),
        where=where,
        found=found[:200],
    )


def _no_root(where: str) -> Unproven:
    return Unproven(
        "receipt.root",
        Text(en="The receipt does not prove that this record is in the log.", zh="该回执不能证明此记录在日志中。"),
        do=_DO,
        where=where,
    )

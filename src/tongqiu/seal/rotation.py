"""A change of key: the old key hands over to the new one, and the new one accepts, so that a party stays itself.

A party's DID is the did:key of its first key and never changes. Each rotation is a small message, signed by both keys; the
chain of rotations, kept as records in the log, leads from the first key to the current one. Exact bytes:
``docs/spec/statement.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.statement import moment_of
from tongqiu.record.text import Text
from tongqiu.seal import cose
from tongqiu.seal.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.seal.keys import Signer

HEAD: Final = "tongqiu.rotation/1"
TYP: Final = "application/vnd.tongqiu.rotation+cbor"
MAX_ROTATIONS: Final = 1000

_LIMIT = 16 * 1024
"""Two ML-DSA-44 keys and two signatures by them come to about 10 KiB."""

_PARTS = 3
_WORDS = 6
_DO = Text(
    en="Trust neither key; ask the party through another channel.", zh="两把密钥均勿信任；请通过其他渠道询问该参与方。"
)


class Rotation(msgspec.Struct, frozen=True):
    """A proven change of key."""

    did: str
    serial: int
    """1 for the first change, and so on without gaps."""

    at: str
    """When, as both keys say (UTC)."""

    old: PublicKey
    new: PublicKey


def rotate_proof(old: Signer, new: Signer, *, did: str, serial: int, at: str) -> bytes:
    """Return the proof that ``old`` hands the identity ``did`` over to ``new`` as its ``serial``-th change at ``at``."""
    moment_of(at)
    message = cbor.dumps([HEAD, did, serial, at, old.public.cose_key(), new.public.cose_key()])
    signed = [cose.encode(cose.sign({cose.TYP: TYP}, message, signer), detached=True) for signer in (old, new)]
    return cbor.dumps([message, *signed])


def check_rotation(proof: bytes, *, did: str, serial: int, current: PublicKey, where: str = "") -> Rotation:
    """Prove that ``proof`` hands ``did`` over from ``current`` as its ``serial``-th change, and return it.

    Raises Malformed (``cbor.*``, ``cose.*``, ``rotation.form``); Unproven: ``rotation.chain`` when it does not follow on
    from identity, serial and current key, ``cose.signature`` when one of the two signatures does not hold.
    """
    parts = cbor.loads(proof, where=where, limit=_LIMIT)
    if not isinstance(parts, list) or len(parts) != _PARTS or any(not isinstance(part, bytes) for part in parts):
        raise _form(where)
    found = _message(parts[0], where)
    if (found.did, found.serial, found.old) != (did, serial, current) or found.new == current:
        raise Unproven(
            "rotation.chain",
            Text(
                en="This change of key does not continue from the key known for {did}.",
                zh="此次换钥与 {did} 的已知密钥不衔接。",
            ),
            do=_DO,
            where=where,
            did=did[:200],
        )
    for part, key in zip(parts[1:], (found.old, found.new), strict=True):
        sign1 = cose.decode(part, protected=(cose.TYP,), where=where, limit=_LIMIT)
        if sign1.headers.get(cose.TYP) != TYP or sign1.payload is not None:
            raise _form(where)
        cose.verify(sign1, key, payload=parts[0], where=where)
    return found


def keys_after(did: str, proofs: Sequence[bytes], *, where: str = "") -> tuple[PublicKey, ...]:
    """Return every key that ``did`` has had, first to current, proven from its genesis key through all ``proofs``.

    Raises as :func:`check_rotation`, and Malformed ``key.did`` or ``rotation.form`` (over 1,000 changes).
    """
    if len(proofs) > MAX_ROTATIONS:
        raise _form(where)
    keys = [PublicKey.from_did(did, where=where)]
    for serial, proof in enumerate(proofs, 1):
        keys.append(check_rotation(proof, did=did, serial=serial, current=keys[-1], where=where).new)
    return tuple(keys)


def _message(data: bytes, where: str) -> Rotation:
    words: Any = cbor.loads(data, where=where, limit=_LIMIT)
    kinds = [str, str, int, str, bytes, bytes]
    if not isinstance(words, list) or len(words) != _WORDS or [type(word) for word in words] != kinds:
        raise _form(where)
    head, did, serial, at, old, new = words
    if head != HEAD:
        raise _form(where)
    moment_of(at, where=where)
    return Rotation(did, serial, at, PublicKey.from_cose(old, where=where), PublicKey.from_cose(new, where=where))


def _form(where: str) -> Malformed:
    return Malformed(
        "rotation.form",
        Text(en="Not a change of key.", zh="这不是换钥证明。"),
        do=_DO,
        where=where,
    )

"""Changes of key: a chain that holds from the first key to the last, or nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import keyfile, rotation

A, B, C = (keyfile.from_seed(bytes([number]) * 32) for number in (1, 2, 3))
DID = A.public.did
AT = "2026-11-23T11:00:00.000Z"


def proofs() -> list[bytes]:
    return [
        rotation.rotate_proof(old, new, did=DID, serial=serial, at=AT)
        for serial, (old, new) in enumerate(pairwise((A, B, C)), 1)
    ]


def test_the_chain_leads_from_the_first_key_to_the_current() -> None:
    assert rotation.keys_after(DID, []) == (A.public,)
    assert rotation.keys_after(DID, proofs()) == (A.public, B.public, C.public)
    found = rotation.check_rotation(proofs()[0], did=DID, serial=1, current=A.public)
    assert found == rotation.Rotation(DID, 1, AT, A.public, B.public)


@pytest.mark.parametrize(
    "chain",
    [
        proofs()[1:],
        proofs()[::-1],
        [proofs()[0], proofs()[0]],
        [rotation.rotate_proof(A, B, did=B.public.did, serial=1, at=AT)],
        [rotation.rotate_proof(A, A, did=DID, serial=1, at=AT)],
        [rotation.rotate_proof(B, C, did=DID, serial=1, at=AT)],
    ],
)
def test_a_chain_with_a_gap_proves_nothing(chain: list[bytes]) -> None:
    with pytest.raises(Unproven) as raised:
        rotation.keys_after(DID, chain)
    assert raised.value.code == "rotation.chain"


def test_both_keys_must_sign() -> None:
    message, by_old, by_new = cbor.loads(proofs()[0])
    for parts in ([message, by_old, by_old], [message, by_new, by_new], [message, by_new, by_old]):
        with pytest.raises(Unproven) as raised:
            rotation.check_rotation(cbor.dumps(parts), did=DID, serial=1, current=A.public)
        assert raised.value.code == "cose.key"


def test_every_single_bit_flip_is_refused() -> None:
    proof = proofs()[0]
    for at in range(len(proof) * 8):
        flipped = bytearray(proof)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((Malformed, Unproven)):
            rotation.keys_after(DID, [bytes(flipped)])


@pytest.mark.parametrize(
    "value",
    [
        [],
        [b"", b""],
        [b"", b"", ""],
        [cbor.dumps([]), b"", b""],
        [cbor.dumps(["other/1", DID, 1, AT, A.public.cose_key(), B.public.cose_key()]), b"", b""],
        [cbor.dumps([rotation.HEAD, DID, True, AT, A.public.cose_key(), B.public.cose_key()]), b"", b""],
        [cbor.dumps([rotation.HEAD, DID, 1, "today", A.public.cose_key(), B.public.cose_key()]), b"", b""],
        [cbor.dumps([rotation.HEAD, DID, 1, AT, b"", B.public.cose_key()]), b"", b""],
    ],
)
def test_what_is_no_change_of_key_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        rotation.check_rotation(cbor.dumps(value), did=DID, serial=1, current=A.public)


def test_a_signature_made_for_something_else_does_not_count() -> None:
    from tongqiu.seal import cose

    message, _, by_new = cbor.loads(proofs()[0])
    other = cose.encode(cose.sign({cose.TYP: "text/plain"}, message, A), detached=True)
    with pytest.raises(Malformed) as raised:
        rotation.check_rotation(cbor.dumps([message, other, by_new]), did=DID, serial=1, current=A.public)
    assert raised.value.code == "rotation.form"


def test_a_history_has_an_end() -> None:
    with pytest.raises(Malformed):
        rotation.keys_after(DID, [b""] * (rotation.MAX_ROTATIONS + 1))

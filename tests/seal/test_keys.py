"""Keys and their names, against published vectors and bad input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import keyfile
from tongqiu.seal.keys import KeyRing, PublicKey

# RFC 8032 section 7.1: seed, public key, message, signature.
RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
# did:key method specification, section Ed25519 test vector.
DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
DID_RAW = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC8032)
def test_rfc_8032_vectors(seed: str, public: str, message: str, signature: str) -> None:
    signer = keyfile.from_seed(bytes.fromhex(seed))
    assert signer.public.raw.hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    assert signer.public.holds(bytes.fromhex(message), bytes.fromhex(signature))
    assert not signer.public.holds(bytes.fromhex(message) + b"x", bytes.fromhex(signature))
    assert not signer.public.holds(bytes.fromhex(message), bytes.fromhex(signature)[:-1])


def test_the_published_did_key() -> None:
    assert PublicKey.from_did(DID).raw.hex() == DID_RAW
    assert PublicKey(bytes.fromhex(DID_RAW)).did == DID


def test_a_key_of_small_order_proves_nothing() -> None:
    # The neutral point signs everything for a verifier that does not look.
    neutral = PublicKey(b"\x01" + bytes(31))
    assert not neutral.holds(b"anything", b"\x01" + bytes(63))


@given(st.binary(min_size=32, max_size=32))
def test_every_name_of_a_key_leads_back_to_it(raw: bytes) -> None:
    key = PublicKey.from_raw(raw)
    assert PublicKey.from_did(key.did) == key
    assert PublicKey.from_cose(key.cose_key()) == key
    assert len(key.did) == 56
    assert PublicKey.from_cose(cbor.dumps({1: 1, -1: 6, -2: raw, 2: key.thumbprint, 3: -19})) == key
    assert PublicKey.from_cose(cbor.dumps({1: 1, -1: 6, -2: raw, 3: -8})) == key


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:key:",
        "did:web:example.org",
        DID[:-1],
        DID + "1",
        DID.replace("z6", "m6"),
        DID[:-1] + "0",
        "did:key:z" + "1" * 47,
        "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
        DID + "\n",
    ],
)
def test_what_is_no_did_key_of_ours_is_refused(did: str) -> None:
    with pytest.raises(Malformed) as raised:
        PublicKey.from_did(did)
    assert raised.value.code == "key.did"


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {1: 1, -1: 6},
        {1: 1, -1: 6, -2: b"short"},
        {1: 2, -1: 6, -2: bytes(32)},
        {1: 1, -1: 4, -2: bytes(32)},
        {1: True, -1: 6, -2: bytes(32)},
        {1: 1, -1: 6, -2: bytes(32), -4: bytes(32)},
        {1: 1, -1: 6, -2: bytes(32), 3: -7},
        {1: 1, -1: 6, -2: bytes(32), 2: b"not the thumbprint"},
    ],
)
def test_what_is_no_cose_key_of_ours_is_refused(value: object) -> None:
    with pytest.raises(Malformed) as raised:
        PublicKey.from_cose(cbor.dumps(value))
    assert raised.value.code == "key.form"


def test_a_ring_finds_and_joins() -> None:
    first, second = keyfile.generate().public, keyfile.generate().public
    ring = KeyRing.of([first]) | KeyRing.of([second])
    assert len(ring) == 2
    assert sorted(key.raw for key in ring) == sorted([first.raw, second.raw])
    assert ring.find(first.thumbprint) == ring.key(first.thumbprint) == first
    assert ring.find(bytes(32)) is None
    with pytest.raises(Unproven) as raised:
        ring.key(bytes(32))
    assert raised.value.code == "key.unknown"

"""Three kinds of keys: one verdict for each signature, one form for each ECDSA signature, and key files for each."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import cose, keyfile, rotation, signature, statement
from tongqiu.seal.keys import ED25519, EDDSA, ES256, ESP256, MLDSA44, PublicKey

if TYPE_CHECKING:
    from pathlib import Path

KINDS = [ED25519, ESP256, MLDSA44]
SIGNERS = {alg: keyfile.from_seed(b"s" * 32, alg) for alg in KINDS}


@pytest.mark.parametrize("alg", KINDS)
def test_a_key_of_every_kind_is_kept_and_found_again(tmp_path: Path, alg: int) -> None:
    path = tmp_path / "key.pem"
    made = keyfile.create(path, alg=alg, passphrase=b"a long sentence")
    found = keyfile.load(path, passphrase=b"a long sentence")
    assert found.public == made.public
    assert (found.public.alg, stat.S_IMODE(path.stat().st_mode)) == (alg, 0o600)
    assert found.public.holds(b"x", found.sign(b"x"))
    assert keyfile.generate(alg).public != made.public
    assert made.public.did in repr(made)


@pytest.mark.parametrize("alg", KINDS)
def test_public_keys_are_read_as_others_publish_them(alg: int) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private: keyfile.PrivateKey = ec.generate_private_key(ec.SECP256R1())
    if alg != ESP256:
        private = ed25519.Ed25519PrivateKey.generate() if alg == ED25519 else mldsa.MLDSA44PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert keyfile.read_public(pem) == keyfile.FileSigner(private).public


def test_other_keys_are_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    other = ec.generate_private_key(ec.SECP384R1())
    pem = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for data in (pem, b"", b"-----BEGIN PUBLIC KEY-----\n", bytes(100_000)):
        with pytest.raises(Malformed) as raised:
            keyfile.read_public(data)
        assert raised.value.code == "key.kind"
    with pytest.raises(Malformed) as raised:
        keyfile.FileSigner(other)
    assert raised.value.code == "key.kind"


@pytest.mark.parametrize("seed", [b"", bytes(32), b"\xff" * 32, bytes(33)])
def test_a_secret_number_outside_the_group_is_no_key(seed: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        keyfile.from_seed(seed, ESP256)
    assert raised.value.code == "key.seed"


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_an_ecdsa_signature_has_one_form(message: bytes) -> None:
    signer = SIGNERS[ESP256]
    made = signer.sign(message)
    assert made == signer.sign(message)
    second = signature.other_form(made)
    assert signature.is_low_s(made)
    assert not signature.is_low_s(second)
    assert signature.low_form(second) == made == signature.other_form(second)
    assert signer.public.holds(message, made)
    assert not signer.public.holds(message, second)
    assert signer.public.holds(message, second, low_s=False)


@pytest.mark.parametrize("alg", KINDS)
def test_every_changed_byte_breaks_a_signature(alg: int) -> None:
    signer = SIGNERS[alg]
    made = signer.sign(b"message")
    assert signer.public.holds(b"message", made)
    for at in range(0, len(made), 1 if alg != MLDSA44 else 37):
        changed = bytearray(made)
        changed[at] ^= 1 << at % 8
        assert not signer.public.holds(b"message", bytes(changed))
    for other in (made[:-1], made + b"\x00", b"", bytes(len(made))):
        assert not signer.public.holds(b"message", other)
    assert not any(SIGNERS[other].public.holds(b"message", made) for other in KINDS if other != alg)


@pytest.mark.parametrize(
    "raw", [b"\x02" + b"\xff" * 32, b"\x04" + b"\x00" * 32, b"\x00" * 33, b"\x03" + b"\x00" * 31 + b"\x07"]
)
def test_what_is_no_point_is_no_key(raw: bytes) -> None:
    assert signature.point(raw) is None
    assert not PublicKey(raw, ESP256).holds(b"", bytes(31) + b"\x01" + bytes(31) + b"\x01")
    with pytest.raises(Malformed):
        PublicKey.from_raw(raw, alg=ESP256)
    with pytest.raises(Malformed) as raised:
        PublicKey.from_did(PublicKey(raw, ESP256).did)
    assert raised.value.code == "key.did"


@pytest.mark.parametrize("alg", KINDS)
def test_every_name_of_a_key_leads_back_to_it(alg: int) -> None:
    key = SIGNERS[alg].public
    assert PublicKey.from_did(key.did) == key
    assert PublicKey.from_cose(key.cose_key()) == key
    members = cbor.loads(key.cose_key())
    for number in signature.ACCEPTED[alg]:
        assert PublicKey.from_cose(cbor.dumps({**members, 2: key.thumbprint, 3: number})) == key
    for odd in ({2: b"another"}, {3: -35}, {-4: b"secret"}, {1: True}, {-1: 2}):
        with pytest.raises(Malformed):
            PublicKey.from_cose(cbor.dumps({**members, **odd}))
    for missing in members:
        with pytest.raises(Malformed):
            PublicKey.from_cose(cbor.dumps({label: value for label, value in members.items() if label != missing}))


def test_a_point_off_the_curve_is_no_cose_key() -> None:
    x, y = signature.point(SIGNERS[ESP256].public.raw) or (b"", b"")
    for odd in (bytes(32), y[:-1] + bytes([y[-1] ^ 2]), signature.other_form(bytes(32) + y)[32:][:31]):
        with pytest.raises(Malformed):
            PublicKey.from_cose(cbor.dumps({1: 2, -1: 1, -2: x, -3: odd}))
    assert PublicKey.from_cose(cbor.dumps({1: 2, -1: 1, -2: x, -3: y})) == SIGNERS[ESP256].public


@pytest.mark.parametrize(
    ("alg", "number"), [(ED25519, ESP256), (ED25519, MLDSA44), (ESP256, EDDSA), (MLDSA44, ES256), (ED25519, -35)]
)
def test_nobody_signs_under_the_number_of_another_key(alg: int, number: int) -> None:
    with pytest.raises(Malformed) as raised:
        cose.sign({}, b"", SIGNERS[alg], alg=number)
    assert raised.value.code == "cose.alg"


@pytest.mark.parametrize(("alg", "number"), [(own, number) for own in KINDS for number in signature.ACCEPTED[own]])
def test_statements_under_every_number(alg: int, number: int) -> None:
    signer = SIGNERS[alg]
    sealed = statement.seal_statement(b"c", bytes(32), signer=signer, issuer=signer.public.did, subject="s", alg=number)
    opened = statement.open_statement(sealed)
    statement.verify_statement(opened, signer.public)
    assert (opened.alg, len(sealed) <= statement.MAX_STATEMENT) == (number, True)
    for other in KINDS:
        if other != alg:
            forged = msgspec.structs.replace(opened.sign1, headers={**opened.sign1.headers, 4: SIGNERS[other].kid})
            with pytest.raises((Malformed, Unproven)):
                cose.verify(forged, SIGNERS[other].public)


def test_a_party_may_change_to_another_kind_of_key() -> None:
    chain = [SIGNERS[ED25519], SIGNERS[MLDSA44], SIGNERS[ESP256]]
    did, at = chain[0].public.did, "2026-11-23T11:00:00.000Z"
    proofs = [
        rotation.rotate_proof(chain[serial - 1], chain[serial], did=did, serial=serial, at=at) for serial in (1, 2)
    ]
    assert rotation.keys_after(did, proofs) == tuple(signer.public for signer in chain)

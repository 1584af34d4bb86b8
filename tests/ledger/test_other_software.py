"""Our statements and receipts read by independent software, and its ones read by ours."""

from __future__ import annotations

import hashlib
from typing import Any

import cbor2
import pytest

from tongqiu.ledger import receipt, tree
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import cose, foreign, keyfile, statement
from tongqiu.seal.keys import ESP256, MLDSA44

scitt_cose = pytest.importorskip("scitt_cose", reason="the independent judge is in the dev extra")

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key  # noqa: E402 - after the skip
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402 - after the skip
from cryptography.hazmat.primitives.serialization import (  # noqa: E402 - after the skip
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SEED = b"l" * 32
SIGNER = keyfile.from_seed(SEED)
PRIVATE = Ed25519PrivateKey.from_private_bytes(SEED)
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CURVE = keyfile.from_seed(SEED, ESP256)
CURVE_PRIVATE = derive_private_key(int.from_bytes(SEED), SECP256R1())
CURVE_PEM = CURVE_PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
CURVE_PUBLIC_PEM = CURVE_PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(300)]
GROWN = tree.grow(0, (), ENTRIES, lambda *_: b"")
TILES = tree.Tiles(
    lambda level, number: {(tile.level, tile.number): tile.hashes for tile in GROWN.tiles}[level, number]
)


def ours(index: int, alg: int, signer: keyfile.FileSigner = SIGNER) -> bytes:
    return receipt.create_receipt(
        index=index,
        size=300,
        path=TILES.inclusion(index, 300),
        root=GROWN.root,
        logged_at="2026-11-23T10:00:00.000Z",
        origin="log.example/x",
        subject="urn:x:1",
        signer=signer,
        alg=alg,
    )


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_our_receipts_are_accepted(index: int) -> None:
    result = scitt_cose.verify_receipt(
        ours(index, -8), leaf_entry_hex=ENTRIES[index].hex(), log_public_key_pem=PUBLIC_PEM
    )
    assert result.ok, result.errors
    assert (result.tree_size, result.leaf_index, result.root) == (300, index, GROWN.root.hex())
    result = scitt_cose.verify_receipt(
        ours(index, -7, CURVE), leaf_entry_hex=ENTRIES[index].hex(), log_public_key_pem=CURVE_PUBLIC_PEM
    )
    assert result.ok, result.errors


def test_our_receipts_are_refused_for_another_record() -> None:
    result = scitt_cose.verify_receipt(ours(5, -8), leaf_entry_hex=ENTRIES[6].hex(), log_public_key_pem=PUBLIC_PEM)
    assert not result.ok


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
@pytest.mark.parametrize("names", [{"iss": "log.example/x", "sub": "urn:x:1", "kid": SIGNER.kid}, {}])
def test_their_receipts_are_taken_for_what_they_prove(index: int, names: dict[str, Any]) -> None:
    named = bool(names)
    made = scitt_cose.build_receipt(
        leaf_entry_hex=ENTRIES[index].hex(),
        leaf_index=index,
        tree_entries_hex=[entry.hex() for entry in ENTRIES],
        alg="EdDSA",
        log_private_key_pem=PEM,
        **names,
    )
    found = receipt.verify_foreign(made, ENTRIES[index], SIGNER.public, origin="log.example/x" if named else None)
    assert (found.proven.size, found.proven.index, found.proven.root) == (300, index, GROWN.root)
    assert found.profile == ("rfc9942" if named else "loose")
    assert {"encoding", "size-unsigned", "time-unsigned"} <= set(found.differences)
    assert ("no-kid" in found.differences) is not named
    # It writes its headers in another order than the deterministic one: as evidence of ours it is refused.
    with pytest.raises(Malformed) as raised:
        receipt.open_receipt(made)
    assert raised.value.code == "cbor.form"
    for entry, key, origin in (
        (ENTRIES[index - 1], SIGNER.public, None),
        (ENTRIES[index], CURVE.public, None),
        (ENTRIES[index], SIGNER.public, "another.example"),
    ):
        with pytest.raises((Malformed, Unproven)):
            receipt.verify_foreign(made, entry, key, origin=origin)


def test_our_receipts_are_of_our_profile_to_the_patient_reader() -> None:
    for alg, signer in ((-19, SIGNER), (-7, CURVE), (-9, CURVE), (-48, keyfile.from_seed(SEED, MLDSA44))):
        found = receipt.verify_foreign(ours(5, alg, signer), ENTRIES[5], signer.public, origin="log.example/x")
        assert (found.profile, found.differences) == ("tongqiu", ())
        assert found.proven == receipt.verify_receipt(ours(5, alg, signer), ENTRIES[5], signer.public)


def test_a_log_of_one_entry_gives_others_a_receipt_without_a_path() -> None:
    made = scitt_cose.build_receipt(
        leaf_entry_hex=ENTRIES[0].hex(),
        leaf_index=0,
        tree_entries_hex=[ENTRIES[0].hex()],
        alg="EdDSA",
        log_private_key_pem=PEM,
    )
    found = receipt.verify_foreign(made, ENTRIES[0], SIGNER.public)
    assert "empty-path" in found.differences
    assert found.profile == "loose"


def test_a_signed_size_that_is_another_is_refused_from_others_too() -> None:
    data = ours(5, -19)
    protected, unprotected, payload, signature = cbor2.loads(data).value
    proof = cbor2.dumps([299, 5, list(TILES.inclusion(5, 300))])
    forged = cbor2.dumps(cbor2.CBORTag(18, [protected, {396: {-1: [proof]}}, payload, signature]))
    with pytest.raises((Malformed, Unproven)):
        receipt.verify_foreign(forged, ENTRIES[5], SIGNER.public)
    assert unprotected


@pytest.mark.parametrize(("alg", "name"), [(-8, "EdDSA"), (-7, "ES256")])
def test_their_statements_are_taken(alg: int, name: str) -> None:
    signer, pem = (SIGNER, PEM) if alg == -8 else (CURVE, CURVE_PEM)
    made = scitt_cose.build_signed_statement(
        b"payload", alg=name, private_key_pem=pem, issuer="i", subject="s", content_type="text/plain", kid=signer.kid
    )
    opened = foreign.decode(made, protected=(cose.CONTENT_TYPE,), limit=4096)
    differences = foreign.verify(opened, signer.public)
    assert (opened.issuer, opened.subject, opened.sign1.payload) == ("i", "s", b"payload")
    assert set(differences) <= {"encoding", "high-s"}


@pytest.mark.parametrize("alg", [-8, -7])
def test_our_statements_are_accepted(alg: int) -> None:
    signer, pem = (SIGNER, PUBLIC_PEM) if alg == -8 else (CURVE, CURVE_PUBLIC_PEM)
    data = statement.seal_statement(b"content", bytes(32), signer=signer, issuer="i", subject="s", alg=alg)
    payload = scitt_cose.verify_sign1(data, public_key_pem=pem)
    assert statement.digest_of(b"content", bytes(32)) in (payload, getattr(payload, "payload", None))


def test_the_trees_agree() -> None:
    hexes = [entry.hex() for entry in ENTRIES]
    assert scitt_cose.merkle_root(hexes[:257]) in (TILES.root(257), TILES.root(257).hex())

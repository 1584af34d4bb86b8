"""Our statements and receipts read by independent software, and its ones read by ours."""

from __future__ import annotations

import hashlib

import cbor2
import pytest

from tongqiu.ledger import receipt, tree
from tongqiu.record.faults import Malformed
from tongqiu.seal import cose, keyfile, statement

scitt_cose = pytest.importorskip("scitt_cose", reason="the independent judge is in the dev extra")

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
ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(300)]
GROWN = tree.grow(0, (), ENTRIES, lambda *_: b"")
TILES = tree.Tiles(
    lambda level, number: {(tile.level, tile.number): tile.hashes for tile in GROWN.tiles}[level, number]
)


def ours(index: int, alg: int) -> bytes:
    return receipt.create_receipt(
        index=index,
        size=300,
        path=TILES.inclusion(index, 300),
        root=GROWN.root,
        logged_at="2026-11-23T10:00:00.000Z",
        origin="log.example/x",
        subject="urn:x:1",
        signer=SIGNER,
        alg=alg,
    )


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_our_receipts_are_accepted(index: int) -> None:
    result = scitt_cose.verify_receipt(
        ours(index, -8), leaf_entry_hex=ENTRIES[index].hex(), log_public_key_pem=PUBLIC_PEM
    )
    assert result.ok, result.errors
    assert (result.tree_size, result.leaf_index, result.root) == (300, index, GROWN.root.hex())


def test_our_receipts_are_refused_for_another_record() -> None:
    result = scitt_cose.verify_receipt(ours(5, -8), leaf_entry_hex=ENTRIES[6].hex(), log_public_key_pem=PUBLIC_PEM)
    assert not result.ok


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_what_their_receipts_prove_is_proven_here(index: int) -> None:
    made = scitt_cose.build_receipt(
        leaf_entry_hex=ENTRIES[index].hex(),
        leaf_index=index,
        tree_entries_hex=[entry.hex() for entry in ENTRIES],
        alg="EdDSA",
        log_private_key_pem=PEM,
        iss="log.example/x",
        sub="urn:x:1",
        kid=SIGNER.kid,
    )
    # It writes its headers in another order than the deterministic one, so our strict reader turns the wrapping down;
    # what is inside, path and signature, is judged by our tree and our verifier.
    with pytest.raises(Malformed) as raised:
        receipt.open_receipt(made)
    assert raised.value.code == "cbor.form"
    protected, unprotected, payload, signature = cbor2.loads(made).value
    assert payload is None
    size, place, path = cbor2.loads(unprotected[396][-1][0])
    root = tree.root_from_inclusion(ENTRIES[index], place, size, path)
    assert (size, place, root) == (300, index, GROWN.root)
    assert SIGNER.public.holds(cose.to_be_signed(protected, root), signature)


def test_our_statements_are_accepted() -> None:
    data = statement.seal_statement(b"content", bytes(32), signer=SIGNER, issuer="i", subject="s", alg=-8)
    payload = scitt_cose.verify_sign1(data, public_key_pem=PUBLIC_PEM)
    assert statement.digest_of(b"content", bytes(32)) in (payload, getattr(payload, "payload", None))


def test_the_trees_agree() -> None:
    hexes = [entry.hex() for entry in ENTRIES]
    assert scitt_cose.merkle_root(hexes[:257]) in (TILES.root(257), TILES.root(257).hex())

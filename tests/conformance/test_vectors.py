"""This implementation against the vectors that it publishes for others."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tongqiu.ledger import checkpoint, passport, receipt, tree
from tongqiu.record import cbor
from tongqiu.record.faults import Fault, Malformed, Unproven
from tongqiu.record.statement import moment_of
from tongqiu.seal import cose, keyfile, rotation, statement
from tongqiu.seal.keys import PublicKey
from tongqiu.seal.policy import LogPin, PartyPin, Policy

HERE = Path(__file__).parent
CLASSES: dict[str, type[Fault]] = {"malformed": Malformed, "unproven": Unproven}


def vectors(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


STATEMENT, RECEIPT, CHECKPOINT, TREE, PASSPORT = map(
    vectors, ("statement", "receipt", "checkpoint", "tree", "passport")
)


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


def test_every_form_of_the_key() -> None:
    keys = STATEMENT["keys"]
    signer = keyfile.from_seed(bytes.fromhex(keys["seed"]))
    assert signer.public.raw.hex() == keys["public"]
    assert signer.public.cose_key().hex() == keys["cose_key"]
    assert signer.kid.hex() == hashlib.sha256(bytes.fromhex(keys["cose_key"])).hexdigest() == keys["thumbprint"]
    assert signer.public.did == keys["did"]
    assert PublicKey.from_did(keys["did"]) == PublicKey.from_cose(bytes.fromhex(keys["cose_key"])) == signer.public


@pytest.mark.parametrize("case", STATEMENT["accept"], ids=name_of)
def test_a_statement_is_derived_and_read(case: dict[str, Any]) -> None:
    signer = keyfile.from_seed(bytes.fromhex(STATEMENT["keys"]["seed"]))
    content, salt, data = (bytes.fromhex(case[key]) for key in ("content", "salt", "statement"))
    sealed = statement.seal_statement(
        content, salt, signer=signer, issuer=case["issuer"], subject=case["subject"], alg=case["alg"]
    )
    assert sealed == data
    opened = statement.open_statement(data)
    statement.verify_statement(opened, signer.public)
    assert (opened.issuer, opened.subject, opened.alg) == (case["issuer"], case["subject"], case["alg"])
    assert opened.sign1.protected.hex() == case["protected"]
    assert opened.payload_digest.hex() == hashlib.sha256(salt + content).hexdigest() == case["payload"]
    assert statement.entry_of(data).hex() == hashlib.sha256(data).hexdigest() == case["entry"]
    assert statement.matches(opened, content, salt)


@pytest.mark.parametrize("case", STATEMENT["refuse"], ids=name_of)
def test_a_statement_is_refused(case: dict[str, Any]) -> None:
    key = PublicKey.from_did(STATEMENT["keys"]["did"])
    with pytest.raises(CLASSES[case["class"]]) as raised:
        statement.verify_statement(statement.open_statement(bytes.fromhex(case["statement"])), key)
    assert raised.value.code == case["code"]


def test_a_change_of_key_is_derived_and_read() -> None:
    case = STATEMENT["rotation"]
    old, new = (keyfile.from_seed(bytes.fromhex(seed)) for seed in (STATEMENT["keys"]["seed"], case["new_seed"]))
    proof = rotation.rotate_proof(old, new, did=case["did"], serial=case["serial"], at=case["at"])
    assert proof.hex() == case["proof"]
    assert [key.did for key in rotation.keys_after(case["did"], [proof])] == [case["did"], case["new_did"]]


def entries_of(part: str) -> list[bytes]:
    if part == "ct":
        return [bytes.fromhex(entry) for entry in TREE["ct"]["entries"]]
    return [hashlib.sha256(b"entry %d" % number).digest() for number in range(600)]


@pytest.mark.parametrize("part", ["ct", "large"])
def test_the_tree(part: str) -> None:
    entries = entries_of(part)
    grown = tree.grow(0, (), entries, lambda *_: b"")
    kept = {(tile.level, tile.number): tile.hashes for tile in grown.tiles}
    tiles = tree.Tiles(lambda level, number: kept[level, number])
    roots = dict(enumerate(TREE["ct"]["roots"], 1)) if part == "ct" else {}
    roots |= {case["size"]: case["root"] for case in TREE["large"]["roots"]} if part == "large" else {}
    for size, root in roots.items():
        assert tiles.root(size).hex() == root
        assert tree.grow(0, (), entries[:size], lambda *_: b"").root.hex() == root
    for case in TREE[part]["inclusion"]:
        index, size, path = case["index"], case["size"], tuple(map(bytes.fromhex, case["path"]))
        assert tiles.inclusion(index, size) == path
        tree.verify_inclusion(entries[index], index, size, path, bytes.fromhex(roots[size]))
    for case in TREE[part]["consistency"]:
        old, new, path = case["old"], case["new"], tuple(map(bytes.fromhex, case["path"]))
        assert tiles.consistency(old, new) == path
        tree.verify_consistency(old, new, tiles.root(old), tiles.root(new), path)


def test_the_tiles() -> None:
    grown = tree.grow(0, (), entries_of("large"), lambda *_: b"")
    assert TREE["large"]["tiles"] == [
        {
            "level": tile.level,
            "number": tile.number,
            "sha256": hashlib.sha256(tile.hashes).hexdigest(),
            "hashes": len(tile.hashes) // 32,
        }
        for tile in grown.tiles
    ]


@pytest.mark.parametrize("case", RECEIPT["accept"], ids=name_of)
def test_a_receipt_is_derived_and_verified(case: dict[str, Any]) -> None:
    signer = keyfile.from_seed(bytes.fromhex(RECEIPT["log"]["seed"]))
    made = receipt.create_receipt(
        index=case["index"],
        size=case["size"],
        path=[bytes.fromhex(part) for part in case["path"]],
        root=bytes.fromhex(case["root"]),
        logged_at=case["logged_at"],
        origin=RECEIPT["log"]["origin"],
        subject=case["subject"],
        signer=signer,
        alg=case["alg"],
    )
    assert made.hex() == case["receipt"]
    proven = receipt.verify_receipt(
        made, bytes.fromhex(RECEIPT["entry"]), signer.public, origin=RECEIPT["log"]["origin"]
    )
    assert proven == receipt.Proven(
        RECEIPT["log"]["origin"],
        case["subject"],
        3,
        7,
        bytes.fromhex(case["root"]),
        case["logged_at"],
        size_signed=True,
    )


@pytest.mark.parametrize("case", RECEIPT["accept_foreign"], ids=name_of)
def test_a_foreign_receipt_is_verified(case: dict[str, Any]) -> None:
    key = PublicKey.from_raw(bytes.fromhex(RECEIPT["log"]["public"]))
    proven = receipt.verify_receipt(bytes.fromhex(case["receipt"]), bytes.fromhex(RECEIPT["entry"]), key)
    assert (proven.index, proven.size, proven.logged_at, proven.size_signed) == (
        case["index"],
        case["size"],
        None,
        False,
    )


@pytest.mark.parametrize("case", RECEIPT["refuse"], ids=name_of)
def test_a_receipt_is_refused(case: dict[str, Any]) -> None:
    key, entry = PublicKey.from_raw(bytes.fromhex(RECEIPT["log"]["public"])), bytes.fromhex(RECEIPT["entry"])
    with pytest.raises(CLASSES[case["class"]]) as raised:
        receipt.verify_receipt(bytes.fromhex(case["receipt"]), entry, key, origin=RECEIPT["log"]["origin"])
    assert raised.value.code == case["code"]


@pytest.mark.parametrize("case", CHECKPOINT["published"], ids=lambda case: case["source"])
def test_a_published_note_is_verified(case: dict[str, Any]) -> None:
    key = checkpoint.parse_vkey(case["vkey"])
    assert checkpoint.open_note(case["note"], [key]) == (case["text"], (key,))
    assert checkpoint.vkey(key.name, key.key) == case["vkey"]
    with pytest.raises(Unproven):
        checkpoint.open_note(case["note"].replace("is", "iz", 1), [key])


def test_a_published_note_is_derived() -> None:
    case = CHECKPOINT["published"][0]
    seed = base64.b64decode(case["private_key"].split("+", 4)[4])[1:]
    assert checkpoint.sign_note(case["text"], "PeterNeumann", keyfile.from_seed(seed)) == case["note"]


@pytest.mark.parametrize("case", CHECKPOINT["accept"], ids=name_of)
def test_a_checkpoint_is_derived_and_verified(case: dict[str, Any]) -> None:
    signer = keyfile.from_seed(bytes.fromhex(case["seed"]))
    tip = checkpoint.Checkpoint(case["origin"], case["size"], bytes.fromhex(case["root"]))
    assert tip.text() == case["text"]
    assert case["note"].startswith(checkpoint.sign(tip, signer))
    assert checkpoint.verify(case["note"], checkpoint.parse_vkey(case["vkey"])) == tip


@pytest.mark.parametrize("case", CHECKPOINT["refuse"], ids=name_of)
def test_a_checkpoint_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(CLASSES[case["class"]]) as raised:
        checkpoint.verify(case["note"], checkpoint.parse_vkey(CHECKPOINT["accept"][0]["vkey"]))
    assert raised.value.code == case["code"]


def passport_policy() -> Policy:
    party, log = (keyfile.from_seed(bytes.fromhex(PASSPORT[key])).public for key in ("party_seed", "log_seed"))
    return Policy((PartyPin("The party", party.did),), (LogPin("The log", PASSPORT["origin"], log),))


def test_a_passport_is_derived_and_read() -> None:
    party, log = (keyfile.from_seed(bytes.fromhex(PASSPORT[key])) for key in ("party_seed", "log_seed"))
    items = [
        passport.Item(**{key: bytes.fromhex(value) for key, value in item.items() if key != "index"})
        for item in PASSPORT["items"]
    ]
    made = passport.write_passport(
        subject=PASSPORT["subject"],
        exported_at=PASSPORT["exported_at"],
        origin=PASSPORT["origin"],
        log_key=log.public,
        checkpoint_note=PASSPORT["checkpoint"],
        items=items,
        files=[bytes.fromhex(PASSPORT["file"])],
        parties=[],
        exporter=party.public.did,
        signer=party,
    )
    assert made.hex() == PASSPORT["passport"]
    head, body, seal = cbor.loads(made)
    assert (head, body.hex(), seal.hex()) == ("tongqiu.passport/1", PASSPORT["body"], PASSPORT["seal"])
    report = passport.read_passport(made, passport_policy(), moment_of(PASSPORT["now"]))
    assert report.pinned
    assert (report.size, report.root.hex()) == (PASSPORT["size"], PASSPORT["root"])
    assert [(item.index, item.disclosed) for item in report.items] == [(1, True), (2, False)]
    assert [claim.code for claim in report.not_proven] == ["truth"]


def test_every_single_byte_flip_of_a_passport_is_refused() -> None:
    data, policy, now = bytes.fromhex(PASSPORT["passport"]), passport_policy(), moment_of(PASSPORT["now"])
    taken = []
    for at in range(len(data)):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            flipped = bytearray(data)
            flipped[at] ^= mask
            try:
                passport.read_passport(bytes(flipped), policy, now)
            except (Malformed, Unproven):
                continue
            taken.append((at, mask))
    assert taken == []


def test_every_truncation_of_a_passport_is_malformed() -> None:
    data, policy, now = bytes.fromhex(PASSPORT["passport"]), passport_policy(), moment_of(PASSPORT["now"])
    for length in range(len(data)):
        with pytest.raises(Malformed):
            passport.read_passport(data[:length], policy, now)


def test_sign1_is_written_and_read_alike() -> None:
    data = bytes.fromhex(STATEMENT["accept"][0]["statement"])
    taken = cose.decode(data, protected=(15, 258, 259))
    assert cose.encode(taken) == data
    assert cose.to_be_signed(taken.protected, taken.payload or b"") == cbor.dumps(
        ["Signature1", taken.protected, b"", taken.payload]
    )

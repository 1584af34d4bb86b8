"""Keys of three kinds, cosignatures, tiles and proofs against the vectors that are published here for others."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tongqiu.ledger import checkpoint, proof, tiles
from tongqiu.record.faults import Fault, Malformed, Unproven
from tongqiu.seal import keyfile, signature, statement
from tongqiu.seal.keys import PublicKey

HERE = Path(__file__).parent
CLASSES: dict[str, type[Fault]] = {"malformed": Malformed, "unproven": Unproven}


def vectors(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


SIGNATURES, WITNESS, TILES = (vectors(name) for name in ("signatures", "witness", "tiles"))
SIGNERS = {key["alg"]: keyfile.from_seed(bytes.fromhex(key["seed"]), key["alg"]) for key in SIGNATURES["keys"]}
KEYS = [checkpoint.parse_vkey(vkey) for vkey in WITNESS["vkeys"]]


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("case", SIGNATURES["keys"], ids=lambda case: case["kind"])
def test_every_form_of_a_key(case: dict[str, Any]) -> None:
    key = SIGNERS[case["alg"]].public
    assert (key.alg, key.kind, key.raw.hex()) == (case["alg"], case["kind"], case["public"])
    assert key.cose_key().hex() == case["cose_key"]
    assert key.thumbprint.hex() == hashlib.sha256(bytes.fromhex(case["cose_key"])).hexdigest() == case["thumbprint"]
    assert PublicKey.from_did(case["did"]) == PublicKey.from_cose(bytes.fromhex(case["cose_key"])) == key
    assert key.did == case["did"]


@pytest.mark.parametrize("case", SIGNATURES["published"], ids=lambda case: case["source"])
def test_published_thumbprints(case: dict[str, Any]) -> None:
    assert PublicKey.from_cose(bytes.fromhex(case["cose_key"])).thumbprint.hex() == case["thumbprint"]


@pytest.mark.parametrize("case", SIGNATURES["published_dids"], ids=lambda case: case["did"][:16])
def test_published_dids(case: dict[str, Any]) -> None:
    key = PublicKey.from_did(case["did"])
    assert signature.point(key.raw) == (unbase64url(case["x"]), unbase64url(case["y"]))
    assert key.did == case["did"]


@pytest.mark.parametrize("case", SIGNATURES["accept"], ids=name_of)
def test_statements_of_every_kind_of_key(case: dict[str, Any]) -> None:
    signer, data = SIGNERS[case["key"]], bytes.fromhex(case["statement"])
    content, salt = bytes.fromhex(case["content"]), bytes.fromhex(case["salt"])
    opened = statement.open_statement(data)
    statement.verify_statement(opened, signer.public)
    assert (opened.alg, opened.entry.hex(), opened.issuer) == (case["alg"], case["entry"], signer.public.did)
    assert statement.matches(opened, content, salt)
    made = statement.seal_statement(
        content, salt, signer=signer, issuer=opened.issuer, subject=opened.subject, alg=case["alg"]
    )
    assert (made == data) is case["derivable"]
    statement.verify_statement(statement.open_statement(made), signer.public)


@pytest.mark.parametrize("case", SIGNATURES["refuse"], ids=name_of)
def test_other_forms_of_a_signature_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(CLASSES[case["class"]]) as raised:
        statement.verify_statement(
            statement.open_statement(bytes.fromhex(case["statement"])), SIGNERS[case["key"]].public
        )
    assert raised.value.code == case["code"]


@pytest.mark.parametrize("case", WITNESS["published_part"], ids=lambda case: case["source"])
def test_a_published_cosignature_of_a_part_of_a_tree(case: dict[str, Any]) -> None:
    key = checkpoint.parse_vkey(case["vkey"])
    ((name, key_id, sig),) = checkpoint.parse_note("text\n\n" + case["line"] + "\n").signatures
    assert (name, key_id, key.vkey) == (key.name, key.key_id, case["vkey"])
    root = base64.b64decode(case["root"])
    assert key.time_of_part(case["origin"], case["start"], case["end"], root, sig) == 0
    assert key.time_of_part(case["origin"], case["start"], case["end"] + 1, root, sig) is None
    assert key.time_of_part("example.com/other", case["start"], case["end"], root, sig) is None


@pytest.mark.parametrize("case", WITNESS["published_vkeys"], ids=lambda case: case["type"])
def test_published_verifier_keys(case: dict[str, Any]) -> None:
    key = checkpoint.parse_vkey(case["vkey"])
    assert (key.kind.hex(), key.vkey) == (case["type"], case["vkey"])


def test_what_a_cosigner_signs() -> None:
    timed, parted = WITNESS["messages"]
    assert checkpoint.cosigned_text(timed["text"], timed["at"]).decode() == timed["signed"]
    tip = checkpoint.parse_checkpoint(parted["text"])
    message = checkpoint.subtree_message(parted["cosigner"], parted["at"], tip.origin, 0, tip.size, tip.root)
    assert message.hex() == parted["signed_hex"]


def test_a_checkpoint_with_four_signatures() -> None:
    note, (log, beside, first, second) = WITNESS["note"], KEYS
    assert [key.kind.hex() for key in KEYS] == ["01", "06", "04", "06"]
    text, times = checkpoint.signers_of(note, KEYS)
    assert (text, times) == (WITNESS["text"], {log: 0, beside: 0, first: WITNESS["at"], second: WITNESS["at"]})
    tip = checkpoint.verify(note, log, beside=beside)
    assert tip == checkpoint.parse_checkpoint(text)
    # Ed25519 signs alike each time, so these lines are derived.
    log_signer, witness = (keyfile.from_seed(bytes.fromhex(WITNESS["seeds"][name])) for name in ("log", "witness"))
    assert note.startswith(checkpoint.sign(tip, log_signer))
    assert checkpoint.cosign(note, first.name, witness, at=WITNESS["at"]) in note


@pytest.mark.parametrize("case", WITNESS["refuse"], ids=name_of)
def test_a_checkpoint_with_a_signature_that_does_not_hold(case: dict[str, Any]) -> None:
    asked = KEYS[:1] if case["code"] == "note.unsigned" else KEYS
    with pytest.raises(Unproven) as raised:
        checkpoint.signers_of(case["note"], asked)
    assert raised.value.code == case["code"]


@pytest.mark.parametrize("case", TILES["paths"], ids=lambda case: case["path"])
def test_paths(case: dict[str, Any]) -> None:
    wanted = tiles.Tile(case["level"], case["number"], case["width"])
    assert wanted.path == case["path"]
    assert tiles.parse_path(case["path"]) == wanted


@pytest.mark.parametrize("path", TILES["refuse_paths"])
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(Malformed) as raised:
        tiles.parse_path(path)
    assert raised.value.code == "tiles.path"


@pytest.mark.parametrize("case", TILES["sizes"], ids=lambda case: str(case["size"]))
def test_which_tiles_a_tree_has(case: dict[str, Any]) -> None:
    found: dict[int | None, list[int]] = {}
    for tile in tiles.tiles_of(case["size"]):
        found.setdefault(tile.level, []).append(tile.width)
    shown = [[widths.count(256), sum(width for width in widths if width < 256)] for widths in found.values()]
    assert shown == case["levels"]


def test_bundles() -> None:
    entries = [bytes.fromhex(entry) for entry in TILES["bundle"]["entries"]]
    assert tiles.write_bundle(entries).hex() == TILES["bundle"]["bytes"]
    assert tiles.parse_bundle(bytes.fromhex(TILES["bundle"]["bytes"])) == tuple(entries)


@pytest.mark.parametrize("data", TILES["refuse_bundles"])
def test_bundles_that_are_refused(data: str) -> None:
    with pytest.raises(Malformed) as raised:
        tiles.parse_bundle(bytes.fromhex(data))
    assert raised.value.code == "tiles.bundle"


def test_a_proof() -> None:
    case = TILES["proof"]
    log, _, *witnesses = (checkpoint.parse_vkey(vkey) for vkey in case["vkeys"])
    taken = proof.parse_proof(case["text"])
    assert proof.write_proof(taken) == case["text"]
    assert (taken.index, (taken.extra or b"").hex()) == (case["index"], case["extra"])
    proven = proof.verify_proof(case["text"], bytes.fromhex(case["entry"]), log, witnesses=witnesses, quorum=2)
    assert (proven.index, len(proven.witnessed)) == (case["index"], case["witnessed"])


@pytest.mark.parametrize("case", TILES["refuse_proofs"], ids=name_of)
def test_a_proof_that_is_refused(case: dict[str, Any]) -> None:
    log = checkpoint.parse_vkey(TILES["proof"]["vkeys"][0])
    with pytest.raises(Fault) as raised:
        proof.verify_proof(case["text"], bytes.fromhex(TILES["proof"]["entry"]), log)
    assert raised.value.code == case["code"]

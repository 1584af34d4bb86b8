"""Proofs in one file: the vectors are in tests/conformance; here are their laws, quorums and odd inputs."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.ledger import checkpoint, proof, tree
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import keyfile
from tongqiu.seal.keys import MLDSA44

ORIGIN = "log.example/x"
LOG = keyfile.from_seed(b"l" * 32)
KEY = checkpoint.NoteKey(ORIGIN, LOG.public)
ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(20)]
NAMES = ["w.example/1", "w.example/2", "w.example/3"]
SIGNERS = [keyfile.from_seed(bytes([number]) * 32, -19 if number < 3 else MLDSA44) for number in (1, 2, 3)]
WITNESSES = [checkpoint.cosigner(name, signer.public) for name, signer in zip(NAMES, SIGNERS, strict=True)]


def made(index: int, size: int, witnesses: int = 0, extra: bytes | None = None) -> str:
    grown = tree.grow(0, (), ENTRIES[:size], lambda *_: b"")
    kept = {(tile.level, tile.number): tile.hashes for tile in grown.tiles}
    note = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, size, grown.root), LOG)
    for name, signer in list(zip(NAMES, SIGNERS, strict=True))[:witnesses]:
        note += checkpoint.cosign(note, name, signer, at=1_700_000_000)
    path = tree.Tiles(lambda level, number: kept[level, number]).inclusion(index, size)
    return proof.write_proof(proof.Proof(index, path, note, extra))


@settings(max_examples=40)
@given(st.integers(1, 20), st.data(), st.none() | st.binary(max_size=50))
def test_what_is_written_is_proven(size: int, data: st.DataObject, extra: bytes | None) -> None:
    index = data.draw(st.integers(0, size - 1))
    text = made(index, size, extra=extra)
    proven = proof.verify_proof(text, ENTRIES[index], KEY)
    assert (proven.index, proven.tip.size, proven.witnessed) == (index, size, {})
    assert proof.parse_proof(text).extra == extra
    with pytest.raises(Unproven) as raised:
        proof.verify_proof(text, ENTRIES[index - 1] if size > 1 else bytes(32), KEY)
    assert raised.value.code == "tree.inclusion"


def test_witnesses_are_counted_by_name_and_only_those_that_are_known() -> None:
    text = made(3, 7, witnesses=3)
    for known in range(4):
        proven = proof.verify_proof(text, ENTRIES[3], KEY, witnesses=WITNESSES[:known], quorum=known)
        assert set(proven.witnessed) == set(WITNESSES[:known])
        with pytest.raises(Unproven) as raised:
            proof.verify_proof(text, ENTRIES[3], KEY, witnesses=WITNESSES[:known], quorum=known + 1)
        assert raised.value.code == "proof.quorum"
    # The log under its own name is no witness of itself, and a plain signature has no time and is none.
    itself = [KEY, checkpoint.cosigner(ORIGIN, LOG.public)]
    grown = proof.parse_proof(text)
    note = grown.note + checkpoint.cosign(grown.note, ORIGIN, LOG, at=5)
    with pytest.raises(Unproven):
        proof.verify_proof(
            proof.write_proof(proof.Proof(3, grown.path, note)), ENTRIES[3], KEY, witnesses=itself, quorum=1
        )


def test_time_zero_says_nothing_of_the_newest_tree() -> None:
    plain = proof.parse_proof(made(3, 7))
    note = plain.note + checkpoint.cosign(plain.note, NAMES[2], SIGNERS[2], at=0)
    text = proof.write_proof(proof.Proof(3, plain.path, note))
    assert proof.verify_proof(text, ENTRIES[3], KEY, witnesses=WITNESSES).witnessed == {}


def test_the_proof_of_a_log_of_one_entry_has_no_path() -> None:
    assert proof.parse_proof(made(0, 1)).path == ()
    proof.verify_proof(made(0, 1), ENTRIES[0], KEY)


def test_every_single_character_flip_is_refused_or_changes_the_extra_only() -> None:
    text = made(3, 7, witnesses=1, extra=b"not under any signature")
    for at, char in enumerate(text):
        changed = text[:at] + chr(ord(char) ^ 1) + text[at + 1 :]
        try:
            proven = proof.verify_proof(changed, ENTRIES[3], KEY, witnesses=WITNESSES)
        except (Malformed, Unproven):
            continue
        # Nothing but the extra, or a line that names an unknown signer, was touched.
        assert (proven.index, proven.tip.size) == (3, 7)
        assert text[:at].startswith(proof.HEAD)
        line = text[:at].count("\n")
        assert line == 1 or set(proven.witnessed) == set()


@pytest.mark.parametrize(
    "part", [proof.Proof(-1, (), "x"), proof.Proof(2**63, (), "x"), proof.Proof(0, (b"short",), "x")]
)
def test_what_cannot_be_read_is_not_written(part: proof.Proof) -> None:
    note = proof.parse_proof(made(0, 2)).note
    with pytest.raises(Malformed):
        proof.write_proof(proof.Proof(part.index, part.path, note))


@given(st.text(max_size=300))
def test_any_text_is_malformed(text: str) -> None:
    for data in (text, f"{proof.HEAD}\n{text}", f"{proof.HEAD}\nindex 0\n\n{text}"):
        with pytest.raises((Malformed, Unproven)):
            proof.verify_proof(data, ENTRIES[0], KEY)


def test_a_proof_is_short() -> None:
    with pytest.raises(Malformed):
        proof.parse_proof(made(0, 2) + "x" * proof.MAX_PROOF)

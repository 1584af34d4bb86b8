"""Notes and checkpoints: the vectors are in tests/conformance; here are their laws and the odd inputs."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.ledger import checkpoint
from tongqiu.ledger.checkpoint import Checkpoint, NoteKey
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import keyfile
from tongqiu.seal.keys import ESP256, MLDSA44

SIGNER, OTHER = keyfile.from_seed(b"l" * 32), keyfile.from_seed(b"o" * 32)
KEY = NoteKey("log.example/x", SIGNER.public)
TIP = Checkpoint("log.example/x", 7, bytes(32))


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_read_back(size: int, root: bytes) -> None:
    tip = Checkpoint("log.example/x", size, root)
    assert checkpoint.verify(checkpoint.sign(tip, SIGNER), KEY) == tip


def test_every_single_character_flip_is_refused_or_leaves_text_and_signature_alone() -> None:
    note = checkpoint.sign(TIP, SIGNER)
    for at, char in enumerate(note):
        with pytest.raises((Malformed, Unproven)):
            checkpoint.verify(note[:at] + chr(ord(char) ^ 1) + note[at + 1 :], KEY)


def test_signatures_of_strangers_are_passed_over_but_not_broken_ones_of_friends() -> None:
    note, other = checkpoint.sign(TIP, SIGNER), checkpoint.sign_note(TIP.text(), "w.example", OTHER)
    both = note + other.split("\n\n")[1]
    witness = NoteKey("w.example", OTHER.public)
    assert checkpoint.open_note(both, [KEY])[1] == (KEY,)
    assert checkpoint.open_note(both, [KEY, witness])[1] == (KEY, witness)
    # Same name and key id, another key: the signature must hold, so the whole note is refused.
    blob = base64.b64encode(witness.key_id + bytes(64)).decode()
    with pytest.raises(Unproven) as raised:
        checkpoint.open_note(f"{note}— w.example {blob}\n", [KEY, witness])
    assert raised.value.code == "note.signature"


def test_a_text_may_hold_empty_lines() -> None:
    text = "one\n\n two\n"
    assert checkpoint.open_note(checkpoint.sign_note(text, "n", SIGNER), [NoteKey("n", SIGNER.public)])[0] == text


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "x" * 256, "a\u2028b"])
def test_names_that_a_note_cannot_carry_are_refused(name: str) -> None:
    with pytest.raises(Malformed) as raised:
        checkpoint.sign_note("text\n", name, SIGNER)
    assert raised.value.code == "note.name"


@pytest.mark.parametrize("text", ["no newline", "bell\x07\n", "delete\x7f\n"])
def test_texts_that_a_note_cannot_carry_are_refused(text: str) -> None:
    with pytest.raises(Malformed) as raised:
        checkpoint.sign_note(text, "n", SIGNER)
    assert raised.value.code == "note.form"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\n— n\n",
        "text\n\n— n AAAA\n",
        "text\n\n— n AAAAA===\n",
        "text\n\n— n AAAAAB==\n",
        "text\n\n— n+m AAAAAAAA\n",
        "text\n\n— n AAAAAAAA",
        "text\n\n" + "— n AAAAAAAA\n" * 17,
        "x" * 70_000 + "\n\n— n AAAAAAAA\n",
    ],
)
def test_what_is_no_note_is_malformed(note: str) -> None:
    with pytest.raises(Malformed) as raised:
        checkpoint.parse_note(note)
    assert raised.value.code == "note.form"


VKEY = checkpoint.vkey(KEY.name, KEY.key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        VKEY[:-4],
        VKEY + "A",
        VKEY.replace("log.", "log2."),
        VKEY.replace("+", " "),
        "n+00000000+AAAA",
        VKEY.upper(),
    ],
)
def test_what_is_no_verifier_key_is_malformed(text: str) -> None:
    assert checkpoint.parse_vkey(VKEY) == KEY
    with pytest.raises(Malformed) as raised:
        checkpoint.parse_vkey(text)
    assert raised.value.code == "note.vkey"


@pytest.mark.parametrize("size", ["9223372036854775808", "1e3", "", "+1", "١", "1 "])
def test_odd_sizes_are_malformed(size: str) -> None:
    with pytest.raises(Malformed) as raised:
        checkpoint.parse_checkpoint(f"log.example/x\n{size}\n{base64.b64encode(bytes(32)).decode()}\n")
    assert raised.value.code == "checkpoint.form"


PQ, CURVE = keyfile.from_seed(b"q" * 32, MLDSA44), keyfile.from_seed(b"c" * 32, ESP256)


@pytest.mark.parametrize("signer", [OTHER, PQ])
def test_a_cosignature_holds_for_its_name_time_and_checkpoint_only(signer: keyfile.FileSigner) -> None:
    note = checkpoint.sign(TIP, SIGNER)
    whole = note + checkpoint.cosign(note, "w.example", signer, at=1_700_000_000)
    witness = checkpoint.cosigner("w.example", signer.public)
    assert checkpoint.signers_of(whole, [KEY, witness])[1] == {KEY: 0, witness: 1_700_000_000}
    assert checkpoint.parse_vkey(witness.vkey) == witness
    # The same line under another checkpoint, the same bytes under another time or name.
    other = checkpoint.sign(Checkpoint(TIP.origin, 8, bytes(32)), SIGNER)
    line = checkpoint.parse_note(whole).signatures[1]
    assert witness.time_of(checkpoint.parse_note(other).text, line[2]) is None
    assert witness.time_of(TIP.text(), (1_700_000_001).to_bytes(8) + line[2][8:]) is None
    assert witness.time_of(TIP.text(), line[2][:-1]) is None
    assert witness.time_of(TIP.text(), b"\xff" * 8 + line[2][8:]) is None
    if signer is PQ:
        assert checkpoint.cosigner("w2.example", signer.public).time_of(TIP.text(), line[2]) is None


def test_the_latest_time_of_a_witness_counts() -> None:
    note = checkpoint.sign(TIP, SIGNER)
    witness = checkpoint.cosigner("w.example", OTHER.public)
    for at in (5, 9, 7):
        note += checkpoint.cosign(note, "w.example", OTHER, at=at)
    assert checkpoint.signers_of(note, [witness])[1] == {witness: 9}


def test_a_log_signs_with_both_keys_and_both_are_asked_for() -> None:
    note, plain = checkpoint.sign(TIP, SIGNER, beside=PQ), checkpoint.sign(TIP, SIGNER)
    beside = checkpoint.cosigner(TIP.origin, PQ.public)
    assert note.startswith(plain)
    assert checkpoint.verify(note, KEY) == checkpoint.verify(note, KEY, beside=beside) == TIP
    with pytest.raises(Unproven) as raised:
        checkpoint.verify(plain, KEY, beside=beside)
    assert raised.value.code == "note.unsigned"


def test_further_lines_are_for_those_who_let_them_through() -> None:
    text = TIP.text() + "extension\n"
    note = checkpoint.sign_note(text, TIP.origin, SIGNER)
    assert checkpoint.verify(note, KEY, extensions=True) == TIP
    with pytest.raises(Malformed):
        checkpoint.verify(note, KEY)
    witness = checkpoint.cosigner("w.example", OTHER.public)
    line = checkpoint.parse_note(note + checkpoint.cosign(note, "w.example", OTHER, at=3)).signatures[1]
    assert witness.time_of(text, line[2]) == 3
    # Ed25519 covers the further line; ML-DSA-44 signs the first three only, as the standard says.
    assert witness.time_of(text.replace("extension", "other"), line[2]) is None
    lattice = checkpoint.cosigner("w.example", PQ.public)
    line = checkpoint.parse_note(note + checkpoint.cosign(note, "w.example", PQ, at=3)).signatures[1]
    assert lattice.time_of(text.replace("extension", "other"), line[2]) == 3
    with pytest.raises(Malformed):
        checkpoint.parse_checkpoint(TIP.text() + "\n", extensions=True)


def test_what_cannot_be_cosigned_is_refused() -> None:
    note = checkpoint.sign(TIP, SIGNER)
    with pytest.raises(Malformed) as raised:
        checkpoint.cosign(checkpoint.sign_note("no checkpoint\n", "n", SIGNER), "w.example", OTHER, at=1)
    assert raised.value.code == "checkpoint.form"
    for at in (-1, 2**63):
        with pytest.raises(Malformed):
            checkpoint.cosign(note, "w.example", OTHER, at=at)
    for name in ("", "a b", "x" * 256, "字" * 86):
        with pytest.raises(Malformed) as raised:
            checkpoint.cosign(note, name, PQ, at=1)
        assert raised.value.code == "note.name"
    for signer in (PQ, CURVE):
        with pytest.raises(Malformed) as raised:
            checkpoint.sign(TIP, signer)
        assert raised.value.code == "note.key"
    with pytest.raises(Malformed) as raised:
        checkpoint.cosign(note, "w.example", CURVE, at=1)
    assert raised.value.code == "note.key"


def test_a_key_of_another_kind_signs_no_note() -> None:
    """A P-256 key under type 01 would be a signature that no other software can check."""
    odd = NoteKey("w.example", CURVE.public)
    assert odd.time_of(TIP.text(), CURVE.sign(TIP.text().encode())) is None
    assert NoteKey("w.example", PQ.public, b"\x04").time_of(TIP.text(), bytes(8) + PQ.sign(b"x")) is None


@pytest.mark.parametrize(("start", "end", "at"), [(1, 2, 5), (3, 2, 0), (-1, 2, 0), (0, 2**63, 0), (0, 1, -1)])
def test_parts_that_nobody_may_sign_are_refused(start: int, end: int, at: int) -> None:
    assert checkpoint.subtree_message("n", 0, "o", 8, 13, bytes(32)).startswith(b"subtree/v1\n\0\x01n")
    with pytest.raises(Malformed):
        checkpoint.subtree_message("n", at, "o", start, end, bytes(32))
    with pytest.raises(Malformed):
        checkpoint.subtree_message("n", 0, "o" * 256, 0, 1, bytes(32))


def test_a_checkpoint_with_a_long_origin_holds_under_ed25519_only() -> None:
    text = Checkpoint("o" * 300, 1, bytes(32)).text()
    key = checkpoint.cosigner("w.example", PQ.public)
    assert key.time_of(text, bytes(8 + 2420)) is None
    assert key.time_of("no checkpoint\n", bytes(8 + 2420)) is None
    assert checkpoint.cosigner("w.example", OTHER.public).time_of_part("o", 0, 1, bytes(32), bytes(72)) is None


@pytest.mark.parametrize("odd", ["text\n\ud800\n\n— n AAAAAAAA\n", "text\n\n— n\u00a0m AAAAAAAA\n"])
def test_notes_of_odd_characters_are_malformed(odd: str) -> None:
    with pytest.raises(Malformed) as raised:
        checkpoint.parse_note(odd)
    assert raised.value.code == "note.form"

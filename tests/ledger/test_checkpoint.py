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

"""Every byte that the specification pages show is derived again and compared with the page."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tongqiu.ledger import checkpoint, passport, proof, receipt, tiles, tree
from tongqiu.record.statement import Content, read_content, write_content
from tongqiu.record.subject import Subject
from tongqiu.seal import keyfile, rotation, statement
from tongqiu.seal.keys import ESP256, MLDSA44
from tongqiu.store import keys

PAGES = Path(__file__).parents[2] / "docs" / "spec"
PARTY, LOG, NEXT = (keyfile.from_seed(bytes(range(start, start + 32))) for start in (0, 32, 64))
SALTS = [bytes(range(start, start + 32)) for start in (96, 128)]
SUBJECT, ORIGIN = "urn:uuid:2f1a4f1e-6a4f-4d3b-9d53-1f6f6f0c8a11", "log.example/tongqiu"
AT = "2026-11-23T11:00:00.123Z"
CONTENT = write_content(
    Content(
        kind="example.note/1",
        schema="sha-256:" + hashlib.sha256(b"example schema").hexdigest(),
        subject=Subject("software", SUBJECT, name="Example"),
        issuer=PARTY.public.did,
        at="2026-11-23T10:59:00.000Z",
        body={"answer": 42},
    )
)
SEALED = statement.seal_statement(CONTENT, SALTS[0], signer=PARTY, issuer=PARTY.public.did, subject=SUBJECT)
SECOND = statement.seal_statement(b"\xa1\x61\x61\x01", SALTS[1], signer=PARTY, issuer=PARTY.public.did, subject=SUBJECT)


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def shown(name: str, block: str) -> bytes:
    """Return the bytes of a hex block, comments left out."""
    (found,) = re.findall(rf"```hex {block}\n(.*?)```", page(name), re.DOTALL)
    return bytes.fromhex("".join(line.split("#")[0] for line in found.splitlines()))


def log_of(entries: list[bytes]) -> tuple[tree.Grown, tree.Tiles]:
    grown = tree.grow(0, (), entries, lambda *_: b"")
    kept = {(tile.level, tile.number): tile.hashes for tile in grown.tiles}
    return grown, tree.Tiles(lambda level, number: kept[level, number])


def receipt_at(index: int, entries: list[bytes]) -> bytes:
    grown, tiles = log_of(entries)
    return receipt.create_receipt(
        index=index,
        size=grown.size,
        path=tiles.inclusion(index, grown.size),
        root=grown.root,
        logged_at=AT,
        origin=ORIGIN,
        subject=SUBJECT,
        signer=LOG,
    )


def numbered(count: int) -> list[bytes]:
    return [hashlib.sha256(b"entry %d" % number).digest() for number in range(count)]


def seven() -> list[bytes]:
    entries = numbered(7)
    entries[3] = statement.entry_of(SEALED)
    return entries


def test_statement_page() -> None:
    text = page("statement")
    assert shown("statement", "content") == CONTENT
    assert read_content(CONTENT).body == {"answer": 42}
    assert shown("statement", "key") == PARTY.public.cose_key()
    assert shown("statement", "statement") == SEALED
    proof = rotation.rotate_proof(PARTY, NEXT, did=PARTY.public.did, serial=1, at="2026-11-23T11:00:00.000Z")
    assert shown("statement", "rotation") == proof
    for value in (bytes(range(32)).hex(), f"kid  {PARTY.kid.hex()}", f"did  {PARTY.public.did}", SALTS[0].hex()):
        assert value in text
    assert f"entry hash  {hashlib.sha256(SEALED).hexdigest()}" in text


def test_keys_of_other_kinds_on_the_statement_page() -> None:
    curve, lattice = keyfile.from_seed(bytes(range(1, 33)), ESP256), keyfile.from_seed(bytes(range(32)), MLDSA44)
    assert shown("statement", "curve") == curve.public.cose_key()
    for value in (f"kid  {curve.kid.hex()}", f"did  {curve.public.did}", lattice.kid.hex()):
        assert value in page("statement")


def test_receipt_page() -> None:
    assert shown("receipt", "receipt") == receipt_at(3, seven())
    assert log_of(seven())[0].root.hex() in page("receipt")
    assert bytes(range(32, 64)).hex() in page("receipt")


def test_checkpoint_page() -> None:
    grown, _ = log_of(seven())
    note = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 7, grown.root), LOG)
    assert f"```text note\n{note}```" in page("checkpoint")
    assert f"```text vkey\n{checkpoint.vkey(ORIGIN, LOG.public)}\n```" in page("checkpoint")


def test_the_second_signature_of_a_log_on_the_checkpoint_page() -> None:
    grown, _ = log_of(seven())
    beside = keyfile.from_seed(bytes(range(128, 160)), MLDSA44)
    key = checkpoint.cosigner(ORIGIN, beside.public)
    message = checkpoint.subtree_message(ORIGIN, 0, ORIGIN, 0, 7, grown.root)
    assert shown("checkpoint", "beside") == message
    for said in (key.key_id.hex(), f"{len(key.vkey):,} characters", hashlib.sha256(key.vkey.encode()).hexdigest()):
        assert f"`{said}`" in page("checkpoint") or f" {said}," in page("checkpoint")
    note = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 7, grown.root), LOG, beside=beside)
    assert beside.public.holds(message, checkpoint.parse_note(note).signatures[1][2][8:])


def test_cosignatures_on_the_checkpoint_page() -> None:
    grown, _ = log_of(numbered(7))
    message = checkpoint.subtree_message("witness.example/w2", 1795431600, ORIGIN, 0, 7, grown.root)
    assert shown("checkpoint", "subtree") == message


def test_tiles_page() -> None:
    entries = numbered(7)
    grown, path = log_of(entries)
    assert shown("tiles", "bundle") == tiles.write_bundle(entries[:3])
    for wanted in (tiles.Tile(0, 1234067, 5), tiles.Tile(None, 1)):
        assert f"`{wanted.path}`" in page("tiles")
    note = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 7, grown.root), LOG)
    note += checkpoint.cosign(note, "witness.example/w1", NEXT, at=1795431600)
    text = proof.write_proof(proof.Proof(3, path.inclusion(3, 7), note))
    assert f"```text proof\n{text}```" in page("tiles")


def test_erasure_page() -> None:
    key, nonce, file = bytes(range(160, 192)), bytes(range(192, 204)), b"attached"
    entry, digest = statement.entry_of(SEALED), hashlib.sha256(file).digest()
    assert shown("erasure", "content") == keys.enciphered(key, entry, SALTS[0] + CONTENT, nonce=nonce)
    assert keys.deciphered(key, entry, shown("erasure", "content")) == SALTS[0] + CONTENT
    assert shown("erasure", "piece") == keys.enciphered(key, keys.piece_of(digest, 0), file, nonce=nonce)
    text = page("erasure")
    assert f"```text destroyed\n{keys.DESTROYED.decode()}```" in text
    for value in (key.hex(), nonce.hex(), entry.hex(), keys.MAGIC.hex(" ")):
        assert value in text
    assert (len(keys.MAGIC), len(keys.DESTROYED)) == (keys.SIZE // 2, keys.SIZE)


def test_passport_page() -> None:
    entries = [*numbered(1), statement.entry_of(SEALED), statement.entry_of(SECOND)]
    grown, _ = log_of(entries)
    made = passport.write_passport(
        subject=SUBJECT,
        exported_at="2026-11-23T11:05:00.000Z",
        origin=ORIGIN,
        log_key=LOG.public,
        checkpoint_note=checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 3, grown.root), LOG),
        items=[
            passport.Item(SEALED, receipt_at(1, entries), CONTENT, SALTS[0]),
            passport.Item(SECOND, receipt_at(2, entries)),
        ],
        files=[b"hello\n"],
        parties=[],
        exporter=PARTY.public.did,
        signer=PARTY,
    )
    body, seal = shown("passport", "body"), shown("passport", "seal")
    assert made.endswith(seal)
    assert made.startswith(b"\x83\x72" + passport.HEAD.encode())
    assert body in made
    assert len(made) == len(body) + len(seal) + 20 + 6


@pytest.mark.parametrize("name", ["statement", "receipt", "checkpoint", "tiles", "passport"])
def test_pages_are_short(name: str) -> None:
    assert len(page(name).splitlines()) < 300

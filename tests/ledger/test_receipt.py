"""Receipts: the vectors are in tests/conformance; here is what a receipt must not be able to say, and hostile shapes."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.ledger import receipt, tree
from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Missing, Unproven
from tongqiu.seal import cose, keyfile, rotation, statement
from tongqiu.seal.keys import ESP256, MLDSA44
from tongqiu.seal.signature import SIGNATURE_SIZES

SIGNER = keyfile.from_seed(b"l" * 32)
CURVE, LATTICE = keyfile.from_seed(b"c" * 32, ESP256), keyfile.from_seed(b"m" * 32, MLDSA44)
ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(9)]
AT = "2026-11-23T10:00:00.000Z"


def made(index: int, size: int) -> bytes:
    grown = tree.grow(0, (), ENTRIES[:size], lambda *_: b"")
    kept = {(tile.level, tile.number): tile.hashes for tile in grown.tiles}
    path = tree.Tiles(lambda level, number: kept[level, number]).inclusion(index, size)
    return receipt.create_receipt(
        index=index, size=size, path=path, root=grown.root, logged_at=AT, origin="o", subject="s", signer=SIGNER
    )


def with_proof(data: bytes, proof: object) -> bytes:
    opened = receipt.open_receipt(data).sign1
    changed = msgspec.structs.replace(opened, unprotected={receipt.VDP: {-1: [cbor.dumps(proof)]}})
    return cose.encode(changed, detached=True)


def test_every_entry_of_every_small_tree_has_its_receipt_and_no_other() -> None:
    for size in range(2, 10):
        for index in range(size):
            data = made(index, size)
            proven = receipt.verify_receipt(data, ENTRIES[index], SIGNER.public, origin="o")
            assert (proven.index, proven.size, proven.logged_at, proven.size_signed) == (index, size, AT, True)
            with pytest.raises(Unproven) as raised:
                receipt.verify_receipt(data, ENTRIES[(index + 1) % 9], SIGNER.public)
            assert raised.value.code == "receipt.root"


def test_a_path_may_fit_two_places_so_the_size_is_signed() -> None:
    """The third leaf of three reads as the second of two, with the same path and root (see ADR 0010)."""
    ours = made(2, 3)
    opened = receipt.open_receipt(ours)
    root = tree.root_from_inclusion(ENTRIES[2], 2, 3, opened.path)
    assert tree.root_from_inclusion(ENTRIES[2], 1, 2, opened.path) == root
    with pytest.raises(Malformed) as raised:
        receipt.verify_receipt(with_proof(ours, [2, 1, list(opened.path)]), ENTRIES[2], SIGNER.public)
    assert raised.value.code == "receipt.form"
    # Without the signed size nothing tells the two apart, and the reader is told so.
    bare = cose.sign({receipt.VDS: 1, cose.CLAIMS: {1: "o", 2: "s"}}, root, SIGNER)
    shell = msgspec.structs.replace(bare, unprotected=opened.sign1.unprotected)
    foreign = cose.encode(shell, detached=True)
    for size, index in ((3, 2), (2, 1)):
        proven = receipt.verify_receipt(
            with_proof(foreign, [size, index, list(opened.path)]), ENTRIES[2], SIGNER.public
        )
        assert (proven.size, proven.index, proven.size_signed) == (size, index, False)


def test_every_single_bit_flip_is_refused() -> None:
    data = made(3, 7)
    for at in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((Malformed, Unproven)):
            receipt.verify_receipt(bytes(flipped), ENTRIES[3], SIGNER.public, origin="o")


def test_there_is_no_receipt_in_a_tree_of_one() -> None:
    with pytest.raises(Missing) as raised:
        made(0, 1)
    assert raised.value.code == "receipt.too-early"


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.binary(max_size=33) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.integers(-3, 400) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
LABELS = st.sampled_from([1, 2, 3, 4, 13, 15, 16, 258, 259, 260, 391, 394, 395, 396, -111])


@given(st.dictionaries(LABELS, ANYTHING, max_size=4), st.dictionaries(LABELS, ANYTHING, max_size=3), ANYTHING)
def test_headers_of_any_shape_are_refused_and_nothing_else_happens(
    protected: dict[int, Any], unprotected: dict[int, Any], payload: Any
) -> None:
    for base in (
        {1: -19, 4: SIGNER.kid, 395: 1, 15: {1: "o", 2: "s"}},
        {1: -19, 4: SIGNER.kid, 258: -16, 259: statement.MEDIA, 15: {1: "o", 2: "s"}},
        {},
    ):
        header = cbor.dumps({**base, **protected})
        body = payload if isinstance(payload, bytes) else b""
        signature = SIGNER.sign(cose.to_be_signed(header, body))
        data = b"\xd2" + cbor.dumps([header, unprotected, payload, signature])
        with pytest.raises((Malformed, Unproven)):
            receipt.verify_receipt(data, ENTRIES[0], SIGNER.public)
        with pytest.raises((Malformed, Unproven)):
            statement.verify_statement(statement.open_statement(data), keyfile.from_seed(bytes(32)).public)
        with pytest.raises((Malformed, Unproven)):
            rotation.keys_after(SIGNER.public.did, [data, cbor.dumps(payload)])


@given(ANYTHING)
def test_proofs_of_any_shape_are_refused(proof: Any) -> None:
    with pytest.raises((Malformed, Unproven)):
        receipt.verify_receipt(with_proof(made(3, 7), proof), ENTRIES[3], SIGNER.public)


def read(reader: Any, data: bytes) -> Any:
    try:
        return reader(data)
    except Malformed as fault:
        return fault.code


@given(
    st.sampled_from([made(0, 2), made(6, 9), made(2, 3)]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 2), st.binary(max_size=2)), max_size=2),
)
def test_what_is_read_quickly_is_what_the_whole_reader_reads(data: bytes, changes: Any) -> None:
    changed = bytearray(data)
    for place, length, instead in changes:
        at = int(place * len(changed))
        changed[at : at + length] = instead
    found = receipt.quick(bytes(changed))
    assert found is None or found == read(receipt.whole, bytes(changed))


@pytest.mark.parametrize("at", range(400))
def test_no_byte_of_a_receipt_is_passed_over(at: int) -> None:
    """Each byte is changed in turn, so that the quick reader is tried at every boundary."""
    data = made(6, 9)
    for value in {data[at % len(data)] ^ 1, 0, 0x18, 0x40, 0x58, 0x78, 0xFF} - {data[at % len(data)]}:
        changed = bytearray(data)
        changed[at % len(data)] = value
        found = receipt.quick(bytes(changed))
        assert found is None or found == read(receipt.whole, bytes(changed))


@given(
    st.integers(2, 2**62),
    st.data(),
    st.text(min_size=1, max_size=300),
    st.sampled_from([-19, -8]),
    st.text(max_size=30),
)
def test_our_own_receipts_are_read_quickly(size: int, data: st.DataObject, name: str, alg: int, at: str) -> None:
    index = data.draw(st.integers(0, size - 1))
    inner = (index ^ (size - 1)).bit_length()
    path = [hashlib.sha256(b"%d" % number).digest() for number in range(inner + (index >> inner).bit_count())]
    root = tree.root_from_inclusion(ENTRIES[0], index, size, path)
    made_now = receipt.create_receipt(
        index=index,
        size=size,
        path=path,
        root=root,
        logged_at=at,
        origin="o",
        subject=name,
        signer=SIGNER,
        alg=alg,
    )
    found = receipt.quick(made_now)
    assert found == read(receipt.whole, made_now) if found else not name.isprintable()


@settings(max_examples=40)
@given(
    st.integers(2, 1 << 40),
    st.data(),
    st.text(min_size=1, max_size=300),
    st.sampled_from(((SIGNER, -19), (SIGNER, -8), (CURVE, -9), (CURVE, -7), (LATTICE, None))),
)
def test_receipts_are_written_in_the_one_form_there_is(
    size: int, data: st.DataObject, name: str, signer: tuple[keyfile.FileSigner, int | None]
) -> None:
    """They are put together from pieces; the general writer must write the same bytes."""
    key, alg = signer
    index = data.draw(st.integers(0, size - 1))
    path = [hashlib.sha256(b"%d" % number).digest() for number in range(data.draw(st.integers(1, tree.MAX_PATH)))]
    written = receipt.create_receipt(
        index=index, size=size, path=path, root=b"r" * 32, logged_at=AT, origin=name, subject=name, signer=key, alg=alg
    )
    said = {cose.ISS: name, cose.SUB: name, receipt.LOGGED: AT, receipt.SIZE: size}
    headers = {cose.ALG: alg or key.public.alg, cose.KID: key.kid, cose.CLAIMS: said, receipt.VDS: 1}
    protected, signature = cbor.dumps(headers), written[-signature_size(key) :]
    assert key.public.holds(cose.to_be_signed(protected, b"r" * 32), signature)
    proof = cbor.dumps([size, index, path])
    whole = cose.Sign1(protected, headers, {receipt.VDP: {-1: [proof]}}, None, signature)
    assert written == cose.encode(whole, detached=True)


def signature_size(signer: keyfile.FileSigner) -> int:
    return SIGNATURE_SIZES[signer.public.alg]


def test_an_algorithm_of_another_key_is_refused() -> None:
    with pytest.raises(Malformed) as raised:
        receipt.create_receipt(
            index=0, size=2, path=ENTRIES[:1], root=b"", logged_at=AT, origin="o", subject="s", signer=SIGNER, alg=-48
        )
    assert raised.value.code == "cose.alg"

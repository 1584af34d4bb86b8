"""Sealed statements: what is written is read, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import cose, keyfile, statement

SIGNER = keyfile.from_seed(bytes(32))
SALT = bytes(range(32))
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=60)


def sealed(content: bytes = b"content", subject: str = "urn:x:1") -> bytes:
    return statement.seal_statement(content, SALT, signer=SIGNER, issuer=SIGNER.public.did, subject=subject)


@given(st.binary(max_size=2000), st.binary(min_size=32, max_size=32), NAMES, NAMES)
def test_what_is_sealed_is_read_back(content: bytes, salt: bytes, issuer: str, subject: str) -> None:
    data = statement.seal_statement(content, salt, signer=SIGNER, issuer=issuer, subject=subject)
    opened = statement.open_statement(data)
    statement.verify_statement(opened, SIGNER.public)
    assert (opened.issuer, opened.subject, opened.kid, opened.stripped) == (issuer, subject, SIGNER.kid, data)
    assert opened.receipts == ()
    assert statement.matches(opened, content, salt)
    assert not statement.matches(opened, content + b"x", salt)
    assert not statement.matches(opened, content, salt[:-1])


def test_receipts_come_along_without_changing_the_entry() -> None:
    data = sealed()
    carrying = statement.with_receipts(data, [b"first", b"second"])
    opened = statement.open_statement(carrying)
    assert opened.receipts == (b"first", b"second")
    assert opened.stripped == data
    assert statement.entry_of(carrying) == statement.entry_of(data) == opened.entry
    statement.verify_statement(opened, SIGNER.public)
    assert statement.open_statement(statement.with_receipts(carrying, [b"new"])).receipts == (b"new",)


@pytest.mark.parametrize("receipts", [[], [b"x"] * 17])
def test_none_or_too_many_receipts_are_refused(receipts: list[bytes]) -> None:
    with pytest.raises(Malformed) as raised:
        statement.with_receipts(sealed(), receipts)
    assert raised.value.code == "statement.envelope"


def test_every_single_bit_flip_is_refused() -> None:
    data = sealed()
    for at in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((Malformed, Unproven)):
            statement.verify_statement(statement.open_statement(bytes(flipped)), SIGNER.public)


def test_a_salt_has_32_bytes_and_is_new_each_time() -> None:
    with pytest.raises(Malformed) as raised:
        statement.digest_of(b"", b"short")
    assert raised.value.code == "statement.salt"
    assert len({statement.new_salt() for _ in range(100)}) == 100


@pytest.mark.parametrize("subject", ["", "x" * 1025, "a\nb", "a\u202eb"])
def test_a_subject_that_cannot_be_shown_is_not_sealed(subject: str) -> None:
    with pytest.raises(Malformed) as raised:
        sealed(subject=subject)
    assert raised.value.code == "cose.claims"


def test_an_envelope_is_small() -> None:
    wide = "\U00020000" * 1024
    with pytest.raises(Malformed) as raised:
        statement.seal_statement(b"", SALT, signer=SIGNER, issuer=wide, subject=wide)
    assert raised.value.code == "statement.envelope-size"


def test_another_media_type_is_another_thing() -> None:
    data = statement.seal_statement(b"", SALT, signer=SIGNER, issuer="i", subject="s", media="text/plain")
    assert statement.open_statement(data, media="text/plain").media == "text/plain"
    with pytest.raises(Malformed):
        statement.open_statement(data)


def test_the_wrong_key_is_named() -> None:
    with pytest.raises(Unproven) as raised:
        statement.verify_statement(statement.open_statement(sealed()), keyfile.generate().public)
    assert raised.value.code == "cose.key"


def test_only_two_algorithms_are_signed() -> None:
    with pytest.raises(Malformed) as raised:
        cose.sign({}, b"", SIGNER, alg=-7)
    assert raised.value.code == "cose.alg"


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65535, 65536])
def test_payloads_of_every_length_form(size: int) -> None:
    signed = cose.sign({}, bytes(size), SIGNER)
    taken = cose.decode(cose.encode(signed), protected=())
    assert taken == signed
    cose.verify(taken, SIGNER.public)
    apart = cose.decode(cose.encode(signed, detached=True), protected=())
    cose.verify(apart, SIGNER.public, payload=bytes(size))
    with pytest.raises(Unproven):
        cose.verify(apart, SIGNER.public)


@given(st.binary(max_size=300))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    with pytest.raises(Malformed):
        statement.open_statement(noise)


@given(st.binary(max_size=60), st.integers(0, 300))
def test_spliced_statements_are_refused(noise: bytes, at: int) -> None:
    data = sealed()
    mutant = data[:at] + noise + data[at + len(noise) :]
    if mutant == data:
        return
    with pytest.raises((Malformed, Unproven)):
        statement.verify_statement(statement.open_statement(mutant), SIGNER.public)


@pytest.mark.parametrize(
    "tail", ["\x83\x40\xa0\xf6", "\x84\x01\xa0\xf6\x40", "\x84\x40\x01\xf6\x40", "\x84\x40\xa0\x01\x40"]
)
def test_sign1_of_other_shapes_is_refused(tail: str) -> None:
    with pytest.raises(Malformed):
        cose.decode(b"\xd2" + tail.encode("latin-1"), protected=())


def test_a_protected_header_that_is_no_map_is_refused() -> None:
    with pytest.raises(Malformed) as raised:
        cose.decode(b"\xd2\x84\x41\x80\xa0\x40\x58\x40" + bytes(64), protected=())
    assert raised.value.code == "cose.form"


@pytest.mark.parametrize("alg", [[1], {}, "EdDSA", None, -19.0])
def test_odd_algorithms_are_refused(alg: object) -> None:
    from tongqiu.record import cbor

    protected = cbor.dumps({1: alg, 4: b"k"})
    with pytest.raises(Malformed) as raised:
        cose.decode(b"\xd2" + cbor.dumps([protected, {}, b"", bytes(64)]), protected=())
    assert raised.value.code == "cose.alg"


def read(data: bytes) -> statement.Envelope | str:
    try:
        return statement.whole(data)
    except Malformed as fault:
        return fault.code


@given(NAMES, NAMES, st.sampled_from([-19, -8]))
def test_our_own_envelopes_are_read_quickly(issuer: str, subject: str, alg: int) -> None:
    data = statement.seal_statement(b"", SALT, signer=SIGNER, issuer=issuer, subject=subject, alg=alg)
    assert statement.quick(data) == statement.whole(data)
    assert statement.quick(data, media="text/plain") is None
    assert statement.quick(statement.with_receipts(data, [b"first"])) is None


def test_what_is_read_quickly_is_what_the_whole_reader_reads() -> None:
    data = sealed(subject="urn:x:" + "1" * 30)
    for at in range(len(data)):
        for value in {data[at] ^ 1, data[at] ^ 0x80, 0, 0x18, 0x40, 0x58, 0x78, 0xFF} - {data[at]}:
            changed = data[:at] + bytes((value,)) + data[at + 1 :]
            assert statement.quick(changed) in (None, read(changed))
        shorter = data[:at] + data[at + 1 :]
        assert statement.quick(shorter) in (None, read(shorter))


def test_a_name_that_is_too_long_is_no_quick_matter() -> None:
    for issuer, subject in (("i" * 2049, "s"), ("i", "s" * 1025), ("", "s"), ("i", ""), ("i\n", "s"), ("i", "s\x00")):
        claims = {cose.ISS: issuer, cose.SUB: subject}
        headers = {cose.CLAIMS: claims, 258: -16, 259: statement.MEDIA}
        data = cose.encode(cose.sign(headers, bytes(32), SIGNER))
        assert statement.quick(data) is None
        assert read(data) == "cose.claims"

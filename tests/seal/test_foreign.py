"""Objects of other software: whatever their shape, they hold or they are refused, and what differs is named."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import cose, foreign, keyfile, signature
from tongqiu.seal.keys import ESP256

SIGNER = keyfile.from_seed(b"f" * 32)
CURVE = keyfile.from_seed(b"f" * 32, ESP256)


def made(headers: dict[Any, Any], loose: dict[Any, Any] | None = None, signer: keyfile.FileSigner = SIGNER) -> bytes:
    """Sign as other software does: headers in the order given."""
    protected = cbor2.dumps(headers)
    sig = signer.sign(cose.to_be_signed(protected, b"payload"))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, loose or {}, b"payload", sig]))


def differences(data: bytes, signer: keyfile.FileSigner = SIGNER) -> tuple[str, ...]:
    return foreign.verify(foreign.decode(data, limit=4096), signer.public)


def test_every_difference_has_its_name() -> None:
    names = {15: {1: "i", 2: "s"}, 4: SIGNER.kid}
    assert differences(cose.encode(cose.sign({15: {1: "i", 2: "s"}}, b"payload", SIGNER))) == ()
    assert differences(made({1: -19, 4: SIGNER.kid, 15: {1: "i", 2: "s"}})) == ()
    assert differences(made({1: -8, **names})) == ("encoding",)
    assert differences(made({1: -19, 4: b"key 1", 15: {1: "i", 2: "s"}})) == ("kid",)
    assert differences(made({1: -19, 4: SIGNER.kid, 15: {1: "i", 2: "s"}, 99: 1})) == ("header",)
    assert differences(made({1: -19, 4: SIGNER.kid, 15: {1: "i", 2: "s", 6: 1}})) == ("claim",)
    assert differences(made({1: -19, 15: {2: "s"}}, {4: b"outside"})) == ("no-kid", "no-issuer")
    assert differences(made({1: -19, 4: SIGNER.kid, 15: {1: "i"}})) == ("no-subject",)
    for names_of in foreign.DIFFERENCES.values():
        assert names_of.en
        assert names_of.zh


def test_the_second_form_of_a_signature_is_named() -> None:
    plain = made({1: -7, 4: CURVE.kid, 15: {1: "i", 2: "s"}}, signer=CURVE)
    assert differences(plain, CURVE) == ()
    value = cbor2.loads(plain).value
    second = cbor2.dumps(cbor2.CBORTag(18, [*value[:3], signature.other_form(value[3])]))
    assert differences(second, CURVE) == ("high-s",)


def test_any_well_formed_encoding_is_read() -> None:
    protected = b"\xbf\x18\x01\x32\x04" + cbor2.dumps(SIGNER.kid) + b"\x0f\xa2\x01\x61i\x02\x61s\xff"
    sig = SIGNER.sign(cose.to_be_signed(protected, b"payload"))
    inside: list[Any] = [protected, {}, b"payload", sig]
    parts = b"".join(map(cbor2.dumps, inside))
    for head, tail in ((b"\xd2\x9f", b"\xff"), (b"\xd8\x12\x84", b""), (b"\xd2\x98\x04", b"")):
        assert differences(head + parts + tail) == ("encoding",)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (made({1: -19, 2: [99], 99: 1}), "cose.header"),
        (made({1: -19}, {2: [1]}), "cose.header"),
        (made({1: -19, 99: 1}, {99: 2}), "cose.header"),
        (made({1: -35}), "cose.alg"),
        (made({}, {1: -19}), "cose.form"),
        (made({1: "EdDSA"}), "cose.form"),
        (made({1: -48}), "cose.form"),
        (made({1: -19, 15: []}), "cose.form"),
        (made({1: -19, 15: {1: 5}}), "cose.form"),
        (made({1: -19, 15: {1: "a\nb"}}), "cose.form"),
        (made({1: -19})[1:], "cose.form"),
        (b"\xd1" + made({1: -19})[1:], "cose.form"),
        (made({1: -19}) + b"\x00", "cbor.syntax"),
        (made({1: -19})[:-1], "cbor.syntax"),
        (b"\xd2\x84\x45\xa2\x01\x32\x01\x32\xa0\x40\x58\x40" + bytes(64), "cbor.syntax"),
        (b"\x81" * 5000, "cbor.size"),
        (b"\x81" * 400 + b"\x00", "cbor.syntax"),
        (b"", "cbor.syntax"),
    ],
)
def test_what_is_refused_all_the_same(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as raised:
        foreign.decode(data, limit=4096)
    assert raised.value.code == code


def test_the_wrong_key_proves_nothing() -> None:
    opened = foreign.decode(made({1: -19, 4: CURVE.kid}), limit=4096)
    with pytest.raises(Unproven):
        foreign.verify(opened, keyfile.from_seed(b"g" * 32).public)
    with pytest.raises(Unproven):
        foreign.verify(opened, SIGNER.public, payload=b"another")
    with pytest.raises(Malformed) as raised:
        foreign.verify(opened, CURVE.public)
    assert raised.value.code == "cose.alg"


@given(
    st.recursive(
        st.none() | st.integers() | st.binary() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.integers() | st.text(), inner),
    )
)
def test_the_reader_gives_the_value_and_says_whether_it_was_deterministic(value: Any) -> None:
    try:
        plain = cbor.dumps(value)
    except Malformed:
        return
    assert foreign.loads(plain, limit=1 << 20) == (value, True)
    loose = cbor2.dumps(value)
    assert foreign.loads(loose, limit=1 << 20) == (value, loose == plain)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    try:
        foreign.decode(b"\xd2\x84" + data, limit=4096)
    except Malformed:
        pass
    else:
        pytest.fail("nobody signs by chance")

"""One value, one encoding: vectors of RFC 8949 appendix A, the order of its section 4.2.1, and every refusal."""

from __future__ import annotations

import io
import math
import struct
import tracemalloc
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record import cbor
from tongqiu.record.faults import Malformed

# RFC 8949 appendix A: every example that lies within the vocabulary and is in preferred serialization.
APPENDIX_A: list[tuple[Any, str]] = [
    (0, "00"),
    (1, "01"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (0.0, "f90000"),
    (-0.0, "f98000"),
    (1.0, "f93c00"),
    (1.1, "fb3ff199999999999a"),
    (1.5, "f93e00"),
    (65504.0, "f97bff"),
    (100000.0, "fa47c35000"),
    (3.4028234663852886e38, "fa7f7fffff"),
    (1.0e300, "fb7e37e43c8800759c"),
    (5.960464477539063e-8, "f90001"),
    (0.00006103515625, "f90400"),
    (-4.0, "f9c400"),
    (-4.1, "fbc010666666666666"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (cbor2.CBORTag(0, "2013-03-21T20:04:00Z"), "c074323031332d30332d32315432303a30343a30305a"),
    (cbor2.CBORTag(1, 1363896240), "c11a514b67b0"),
    (cbor2.CBORTag(1, 1363896240.5), "c1fb41d452d9ec200000"),
    (cbor2.CBORTag(23, bytes.fromhex("01020304")), "d74401020304"),
    (cbor2.CBORTag(24, bytes.fromhex("6449455446")), "d818456449455446"),
    (cbor2.CBORTag(32, "http://www.example.com"), "d82076687474703a2f2f7777772e6578616d706c652e636f6d"),
    (b"", "40"),
    (bytes.fromhex("01020304"), "4401020304"),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ([], "80"),
    ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    ({"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}, "a56161614161626142616361436164614461656145"),
]


@pytest.mark.parametrize(("value", "encoded"), APPENDIX_A, ids=[encoded for _, encoded in APPENDIX_A])
def test_published_examples_both_ways(value: Any, encoded: str) -> None:
    assert cbor.dumps(value).hex() == encoded
    back = cbor.loads(bytes.fromhex(encoded))
    assert back == value
    assert type(back) is type(value)
    if isinstance(value, float):
        assert math.copysign(1, back) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("encoded", "code"),
    [
        ("", "cbor.syntax"),  # nothing
        ("18", "cbor.syntax"),  # cut short
        ("6261", "cbor.syntax"),
        ("8201", "cbor.syntax"),
        ("0000", "cbor.syntax"),  # bytes after the end
        ("a201010102", "cbor.syntax"),  # the same key twice
        ("a2616101616102", "cbor.syntax"),
        ("a20101f93c0002", "cbor.syntax"),  # keys 1 and 1.0
        ("1c", "cbor.syntax"),  # reserved additional information
        ("ff", "cbor.syntax"),  # a break with nothing to end
        ("f818", "cbor.syntax"),  # simple value below 32 in two bytes
        ("61ff", "cbor.syntax"),  # not UTF-8
        ("62c328", "cbor.syntax"),
        ("63eda080", "cbor.syntax"),  # a surrogate
        ("5f42010243030405ff", "cbor.syntax"),  # indefinite lengths
        ("7f657374726561646d696e67ff", "cbor.syntax"),
        ("9fff", "cbor.syntax"),
        ("bf61610161629f0203ffff", "cbor.syntax"),
        ("5bffffffffffffffff", "cbor.syntax"),  # lengths that nothing follows
        ("7bffffffffffffffff", "cbor.syntax"),
        ("9bffffffffffffffff", "cbor.syntax"),
        ("bbffffffffffffffff", "cbor.syntax"),
        ("1800", "cbor.form"),  # longer than needed
        ("190001", "cbor.form"),
        ("1a00000001", "cbor.form"),
        ("1b0000000000000001", "cbor.form"),
        ("3800", "cbor.form"),
        ("5800", "cbor.form"),
        ("7800", "cbor.form"),
        ("9800", "cbor.form"),
        ("b800", "cbor.form"),
        ("d80101", "cbor.form"),
        ("fa3f800000", "cbor.form"),
        ("fb3ff0000000000000", "cbor.form"),
        ("fb47efffffe0000000", "cbor.form"),
        ("a2616201616102", "cbor.form"),  # keys out of order
        ("a26261610161620 2".replace(" ", ""), "cbor.form"),
        ("a220000000", "cbor.form"),
        ("a220000100", "cbor.form"),  # -1 before 0 and 1
        ("f97e00", "cbor.value"),  # NaN
        ("f97c00", "cbor.value"),  # infinity
        ("f9fc00", "cbor.value"),
        ("f7", "cbor.value"),  # undefined
        ("f0", "cbor.value"),  # unassigned simple value
        ("f8ff", "cbor.value"),
        ("a1410100", "cbor.value"),  # a byte string as key
        ("a1810100", "cbor.value"),  # an array as key
        ("a1f500", "cbor.value"),  # a boolean as key
        ("a1f600", "cbor.value"),
        ("c249010000000000000000", "cbor.value"),  # integers beyond 64 bits
        ("c349010000000000000000", "cbor.value"),
        ("c24101", "cbor.value"),  # and small ones in that disguise
    ],
)
def test_every_other_encoding_is_refused(encoded: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        cbor.loads(bytes.fromhex(encoded), where="some.file")
    assert caught.value.code == code
    assert caught.value.where == "some.file"


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**64,
        -(2**64) - 1,
        10**5000,
        {1, 2},
        bytearray(b"a"),
        1j,
        object(),
        cbor2.undefined,
        cbor2.CBORTag(2, b"\x01"),
        {True: 1},
        {1.0: 1},
        {b"a": 1},
        {(1,): 1},
        {2**64: 1},
        "\ud800",
        {"\udfff": 1},
        [[["\ud800"]]],
        {"deep": [cbor2.CBORTag(40, [math.nan])]},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_said_is_refused_in_words(value: Any) -> None:
    with pytest.raises(Malformed) as caught:
        cbor.dumps(value)
    assert caught.value.code == "cbor.value"
    for words in (caught.value.what.en, caught.value.what.zh, caught.value.do.en, caught.value.do.zh):
        assert words
        assert "{" not in words


def test_subclasses_are_not_taken_for_what_they_extend() -> None:
    class Loud(str):
        __slots__ = ()

    with pytest.raises(Malformed):
        cbor.dumps(Loud("a"))


def test_a_circle_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(Malformed) as caught:
        cbor.dumps(value)
    assert caught.value.code == "cbor.value"


@pytest.mark.parametrize("head", ["81", "a100", "c1"])
def test_depth_is_bounded_alike_in_both_directions(head: str) -> None:
    deepest = bytes.fromhex(head * cbor.MAX_DEPTH + "00")
    assert cbor.dumps(cbor.loads(deepest)) == deepest
    with pytest.raises(Malformed):
        cbor.loads(bytes.fromhex(head * (cbor.MAX_DEPTH + 1) + "00"))
    with pytest.raises(Malformed):
        cbor.loads(bytes.fromhex(head * 100_000 + "00"))


def test_depth_of_what_is_written() -> None:
    value: Any = 0
    for _ in range(cbor.MAX_DEPTH):
        value = [value]
    assert cbor.loads(cbor.dumps(value)) == value
    with pytest.raises(Malformed):
        cbor.dumps([value])


def test_size_is_bounded() -> None:
    data = cbor.dumps(b"x" * 100)
    assert cbor.loads(data, limit=len(data)) == b"x" * 100
    with pytest.raises(Malformed) as caught:
        cbor.loads(data, limit=len(data) - 1)
    assert caught.value.code == "cbor.size"
    assert str(len(data)) in caught.value.what.zh


@pytest.mark.parametrize("head", ["5b", "7b", "9b", "bb"])
@pytest.mark.parametrize("length", ["00000000ffffffff", "0000ffffffffffff", "7fffffffffffffff"])
def test_a_promised_length_takes_no_memory(head: str, length: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            cbor.loads(bytes.fromhex(head + length + "00"))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "tag", [*range(24), 24, 25, *range(28, 60), 100, 256, 258, 260, 261, 1004, 43000, 55799, 2**64 - 1]
)
def test_a_tag_stays_a_tag(tag: int) -> None:
    if tag in {2, 3}:
        with pytest.raises(Malformed):
            cbor.dumps(cbor2.CBORTag(tag, b"\x01"))
        return
    for value in (0, "a", b"a", [1, 2], {1: 2}, None, [cbor2.CBORTag(29, 0)]):
        tagged = cbor2.CBORTag(tag, value)
        data = cbor.dumps(tagged)
        back = cbor.loads(data)
        assert type(back) is cbor2.CBORTag
        assert back == tagged


keys = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=300)
finite = st.floats(allow_nan=False, allow_infinity=False) | st.floats(width=16, allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | finite | st.binary() | st.text()
tags = st.integers(0, 2**64 - 1).filter(lambda tag: tag not in {2, 3})
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(keys, inner, max_size=6) | st.builds(cbor2.CBORTag, tags, inner)
    ),
    max_leaves=20,
)


def same(left: Any, right: Any) -> bool:
    """Equal in value, type and the sign of zero."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return struct.pack(">d", left) == struct.pack(">d", right)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, cbor2.CBORTag):
        return left.tag == right.tag and same(left.value, right.value)
    return bool(left == right)


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    data = cbor.dumps(value)
    back = cbor.loads(data)
    assert same(back, value)
    assert cbor.dumps(back) == data


@given(values)
def test_another_reader_agrees(value: Any) -> None:
    def untag(item: Any) -> Any:
        if isinstance(item, cbor2.CBORTag):
            return untag(item.value)
        if isinstance(item, list):
            return [untag(part) for part in item]
        return {key: untag(part) for key, part in item.items()} if isinstance(item, dict) else item

    bare = untag(value)
    assert same(cbor2.loads(cbor.dumps(bare)), bare)


@given(st.dictionaries(keys, st.just(0), min_size=2, max_size=12), st.randoms())
def test_keys_stand_in_bytewise_order_however_they_were_given(value: dict[Any, int], shuffle: Any) -> None:
    items = list(value.items())
    shuffle.shuffle(items)
    data = cbor.dumps(dict(items))
    assert data == cbor.dumps(value)
    written = [cbor.dumps(key) for key in cbor.loads(data)]
    assert written == sorted(written)


def test_bytewise_order_is_not_length_first() -> None:
    # RFC 8949 section 4.2.1 gives 10, 100, -1, "z", "aa"; length-first (section 4.2.3) would put -1 before 100.
    assert list(cbor.loads(cbor.dumps({"aa": 0, "z": 0, -1: 0, 100: 0, 10: 0}))) == [10, 100, -1, "z", "aa"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_take_the_shortest_exact_form(value: float) -> None:
    data = cbor.dumps(value)
    width = {3: ">e", 5: ">f", 9: ">d"}[len(data)]
    assert struct.pack(">d", struct.unpack(width, data[1:])[0]) == struct.pack(">d", value)
    for shorter in [">e", ">f"][: [">e", ">f", ">d"].index(width)]:
        try:
            packed = struct.pack(shorter, value)
        except OverflowError:
            continue
        assert struct.unpack(shorter, packed)[0] != value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_back_to_the_same_or_refused(data: bytes) -> None:
    try:
        value = cbor.loads(data)
    except Malformed:
        return
    assert cbor.dumps(value) == data


@given(values, st.data())
def test_no_flipped_bit_gives_the_same_value(value: Any, data: st.DataObject) -> None:
    original = cbor.dumps(value)
    flipped = bytearray(original)
    flipped[data.draw(st.integers(0, len(original) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        other = cbor.loads(bytes(flipped))
    except Malformed:
        return
    assert not same(other, value)


def read_by_the_plain_rule(data: bytes) -> Any:
    """Return the value, or the code of its refusal, by the rule as it is said: put together anew and compare."""

    class EveryTag(dict[int, Any]):
        def __missing__(self, tag: int) -> Any:
            return lambda value, _immutable: cbor2.CBORTag(tag, value)

    stream = io.BytesIO(data)
    try:
        value = cbor2.CBORDecoder(
            stream,
            max_depth=cbor.MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=EveryTag(),
        ).decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError):
        return "cbor.syntax"
    if stream.read(1):
        return "cbor.syntax"
    try:
        return value if cbor.dumps(value) == data else "cbor.form"
    except Malformed as fault:
        return fault.code


def read(data: bytes) -> Any:
    try:
        return cbor.loads(data)
    except Malformed as fault:
        return fault.code


heads = st.sampled_from([bytes([major << 5 | argument]) for major in range(8) for argument in range(32)])
pieces = heads | st.binary(min_size=1, max_size=9) | values.map(cbor.dumps)


@given(st.lists(pieces, min_size=1, max_size=8).map(b"".join))
def test_reading_decides_as_the_plain_rule_does(data: bytes) -> None:
    assert same(read(data), read_by_the_plain_rule(data))


@given(values, st.data())
def test_and_of_what_is_nearly_right(value: Any, data: st.DataObject) -> None:
    changed = bytearray(cbor.dumps(value))
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    assert same(read(bytes(changed)), read_by_the_plain_rule(bytes(changed)))


@given(st.dictionaries(keys | st.integers(-300, 300), st.just(0), min_size=2, max_size=6), st.randoms())
def test_and_of_maps_in_any_order(value: dict[Any, int], shuffle: Any) -> None:
    items = list(value.items())
    shuffle.shuffle(items)
    data = cbor2.dumps(dict(items))
    assert same(read(data), read_by_the_plain_rule(data))


@pytest.mark.parametrize("head", ["81", "a100", "c1"])
@pytest.mark.parametrize("end", ["80", "a0", "00", "c100", "fb3ff199999999999a", "820102"])
@pytest.mark.parametrize("depth", [cbor.MAX_DEPTH - 1, cbor.MAX_DEPTH, cbor.MAX_DEPTH + 1])
def test_and_at_the_deepest(head: str, end: str, depth: int) -> None:
    data = bytes.fromhex(head * depth + end)
    assert same(read(data), read_by_the_plain_rule(data))


def test_keys_are_remembered_only_while_there_are_few() -> None:
    for number in range(0, 12_000, 3):
        data = cbor.dumps({"k" * 80 + str(number): 0, f"key-{number}": 1, number: 2})
        assert cbor.dumps(cbor.loads(data)) == data
        assert read(cbor2.dumps({f"key-{number}": 1, number: 2})) == "cbor.form"


@given(st.integers(0, 7), st.integers(0, 2**64 - 1) | st.integers(0, 300), st.binary(max_size=4))
def test_a_head_is_read_in_its_shortest_form_alone(major: int, argument: int, before: bytes) -> None:
    if argument < 24:
        written = bytes([major << 5 | argument])
    else:
        width = next(width for width in range(4) if argument < 1 << (8 << width))
        written = bytes([major << 5 | 24 + width]) + argument.to_bytes(1 << width)
    assert cbor.head(before + written + b"after", len(before)) == (major, argument, len(before) + len(written))
    assert cbor.head(before + written[:-1], len(before))[0] == -1
    for width in range(4):
        if argument < 1 << (8 << width) and (1 << width) + 1 > len(written):
            longer = bytes([major << 5 | 24 + width]) + argument.to_bytes(1 << width)
            assert cbor.head(before + longer, len(before))[0] == -1
    for odd in range(28, 32):
        assert cbor.head(bytes([major << 5 | odd]) + bytes(8), 0)[0] == -1


@given(st.text(max_size=300), st.binary(max_size=4))
def test_a_text_is_read_where_it_stands(value: str, around: bytes) -> None:
    written = cbor.dumps(value)
    assert cbor.text(around + written + around, len(around)) == (value, len(around) + len(written))
    assert cbor.text(around + written[:-1], len(around)) == (None, len(around))


@pytest.mark.parametrize("odd", ["41ff", "62c328", "63eda080", "7800", "01", ""])
def test_what_is_no_text_is_not_read_as_one(odd: str) -> None:
    assert cbor.text(bytes.fromhex(odd), 0) == (None, 0)

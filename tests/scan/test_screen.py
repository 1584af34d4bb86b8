"""Texts by the million: every engine gives what the plain one gives, whatever stands beside a text and however it is written."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scan.planted import PLANTED, planted
from tongqiu.scan import confirming, layouts, personal, readers, spotting
from tongqiu.scan.identifiers import SCHEMES
from tongqiu.scan.screen import Engine, Hits, Strings, best, method, schemes, screen

ENGINES: list[Engine] = ["hyperscan", "re2"]


def strings(texts: list[bytes]) -> Strings:
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64))).astype(np.int64)
    return Strings(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets)


def rows(hits: Hits) -> list[tuple[int, int, int, int, int]]:
    return list(zip(*(column.tolist() for column in hits), strict=True))


TRICKS = ["\u200b", "\u00ad", "\u202e", "\u00a0", "\u2011", "\u3000", "（", "）", "\u2066", "\ufeff", "＠", "．", "－"]
WRITINGS: list[Callable[[str], str]] = [
    lambda value: value,
    lambda value: value.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)}),
    lambda value: value.translate({ord(str(digit)): 0x06F0 + digit for digit in range(10)}),
    "\u200b".join,
    lambda value: value.replace(" ", "\u00a0").replace("-", "\u2013"),
    lambda value: value.replace("(", "（").replace(")", "）"),
    lambda value: value.lower(),
]
BETWEEN = [
    "",
    " ",
    "，",
    "\n",
    "电话",
    " tel ",
    "号码是",
    " id no ",
    "。",
    "中",
    "ก",
    "\x00",
    "a",
    "1",
    ".",
    "-",
    "\\n",
    "ß",
    "\u202e",
    "K",
]

pieces = st.one_of(
    st.tuples(st.sampled_from(PLANTED), st.sampled_from(WRITINGS)).map(
        lambda pair: f"{pair[0][1]} {pair[1](pair[0][2])}"
    ),
    st.sampled_from(BETWEEN),
    st.sampled_from(TRICKS),
    st.text(st.sampled_from("0123456789-. /()+@:abXx（：–"), max_size=20),
    st.text(max_size=8),
)
texts = st.lists(pieces, max_size=7).map("".join)


def test_every_engine_is_installed_here() -> None:
    assert best() == "hyperscan"
    assert method("re2").endswith("(re2)")
    assert method().startswith(personal.METHOD)


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, max_size=5), st.sampled_from(["", "bsn", "phoneNumber", "护照"]))
def test_every_engine_gives_what_the_plain_one_gives(many: list[str], context: str) -> None:
    columns = strings([text.encode("utf-8", "surrogatepass") for text in many])
    plain = rows(screen(columns, context=context, engine="python"))
    for engine in ENGINES:
        assert rows(screen(columns, context=context, engine=engine)) == plain
    assert rows(screen(columns, context=context, engine="hyperscan", compiled=False)) == plain


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, st.binary(max_size=6)), max_size=4))
def test_bytes_that_are_no_text_are_read_all_the_same(many: list[tuple[str, bytes]]) -> None:
    columns = strings([text.encode("utf-8", "surrogatepass") + broken + b" tel 13812345678" for text, broken in many])
    plain = rows(screen(columns, engine="python"))
    assert rows(screen(columns, engine="hyperscan")) == plain
    assert rows(screen(columns, engine="hyperscan", compiled=False)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "2::1",
        "3::",
        "ip 2::",
        "personalausweis: VVYKFRX764",
        "personalausweis L01X00T47 VVYKFRXV64",
        "name＠mail.example",
    ],
)
def test_few_digits_are_enough_and_short_addresses_are_read(text: str) -> None:
    columns = strings([text.encode()])
    plain = rows(screen(columns, engine="python"))
    assert rows(screen(columns, engine="re2")) == rows(screen(columns)) == plain
    assert len(plain) == text.startswith(("personalausweis: ", "name"))


ADDRESSES = [
    *"@.-_+%~ /:=0aZ",
    "a.b@c.de",
    "x@",
    "@y.org",
    "a" * 63 + ".co",
    "b" * 64,
    "q." * 7 + "museum",
    "mail.example.org",
    "8.8.8.8",
    "1.2.3.256",
    "10.0.0.1",
    "127.0.0.1",
    "224.0.0.1",
    "250.1.1.1",
    "03.4.5.6",
    "2001:db8:12:3::1",
    "face:be1:cafe",
    "12:34:567:890",
    "v",
    "version ",
    "版本",
    "ip ",
    "/24",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
    "QA58 DOHB 0000 1234 5678 90AB CDEF G",
    "qa58dohb00001234567890abcdefg",
    "a1b2c3d4",
    "AB123456C",
    "12345678Z",
    "12345678x",
    "20240101",
    "deadbeef1234567",
    "A" * 49 + "1234567",
    "1" * 60,
    "-",
    "–",
    "\u00a0",
    "\u200b",
    "\u3000",
    "（",
    "）",
    "\n",
    "中",
    "é",
    "\U0001d7ce",
    "tel ",
    "ext.",
]


@settings(max_examples=250, deadline=None)
@given(st.lists(st.lists(st.sampled_from(ADDRESSES), max_size=9).map("".join), max_size=4))
def test_machine_code_says_of_addresses_and_groups_what_the_readers_say(many: list[str]) -> None:
    columns = strings([text.encode() for text in many])
    plain = rows(screen(columns, engine="python"))
    assert rows(screen(columns, engine="hyperscan", compiled=True)) == plain
    assert rows(screen(columns, engine="hyperscan", compiled=False)) == plain


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLANTED), st.sampled_from(TRICKS), st.integers(0, 40)), min_size=1, max_size=4)
)
def test_a_trick_anywhere_in_a_number_is_seen_by_every_engine(
    many: list[tuple[tuple[str, str, str], str, int]],
) -> None:
    written = [(f"{word} {value}", trick, at) for (_, word, value), trick, at in many]
    columns = strings([f"{text[:at]}{trick}{text[at:]} x".encode() for text, trick, at in written])
    plain = rows(screen(columns, engine="python"))
    assert rows(screen(columns, engine="hyperscan", compiled=True)) == plain
    assert rows(screen(columns, engine="hyperscan", compiled=False)) == plain


def test_numbers_of_patterns_that_machine_code_knows_are_theirs() -> None:
    known = spotting.patterns()
    assert known[spotting.AT].read is readers.email_at
    assert known[spotting.IBAN].read is readers.iban_at
    assert known[spotting.V4].read is known[spotting.PAIR].read is readers.address_at
    assert "." in known[spotting.V4].regex
    assert known[spotting.PAIR].regex == "[0-9A-Fa-f]{3}:[0-9A-Fa-f]{3}"


@given(st.binary(max_size=60), st.text(st.sampled_from(sorted("".join(TRICKS) + "@a0é中")), max_size=40))
def test_marks_found_by_machine_code_are_those_of_the_automaton(noise: bytes, text: str) -> None:
    buffer = b"\0" + noise + text.encode() + noise[::-1] + b"\0"
    one, two = (automaton.spots(buffer) for automaton in AUTOMATA)
    assert one.pattern.tolist() == two.pattern.tolist()
    assert one.end.tolist() == two.end.tolist()


AUTOMATA = (spotting.Hyperscan(), spotting.Hyperscan(confirming.marks))


def test_what_stands_beside_a_text_changes_nothing() -> None:
    one = b"4111 1111 1111 1111"
    parts = [b"nr 1381234", b"5678", one, b"4111 1111", b" 1111 1111", b"bsn", b" 111222333"]
    together = rows(screen(strings(parts)))
    alone = [(index, *row[1:]) for index, part in enumerate(parts) for row in rows(screen(strings([part])))]
    assert together == alone
    assert [row[0] for row in together] == [2]


@pytest.mark.parametrize(("code", "word", "value"), PLANTED)
def test_a_planted_number_of_every_scheme_is_found_in_any_writing_system(code: str, word: str, value: str) -> None:
    numbers = {scheme.code: index for index, scheme in enumerate(schemes())}
    many = [f"{word} {value}", f"他的{word}号码{value}，已登记", f"รหัส {word} {value} ครับ", f"番号は{word} {value}です"]
    found = rows(screen(strings([text.encode() for text in many]), context=""))
    for index, text in enumerate(many):
        here = [text.encode()[start:end].decode() for row, _, start, end, _ in found if row == index]
        assert any(value in one or one in value for one in here), (code, text)
    assert any(number == numbers[code] for _, number, *_ in found) or code in AMBIGUOUS


AMBIGUOUS = {
    scheme.code
    for scheme in SCHEMES
    if scheme.code.startswith(
        (
            "ee-",
            "lt-",
            "dk-",
            "kr-mobile",
            "jp-mobile",
            "mk-",
            "me-",
            "ba-",
            "rs-",
            "passport",
            "phone-named",
            "card-named",
        )
    )
}
"""Schemes whose numbers another scheme of the same shape and words may be told as."""


def test_every_scheme_has_a_planted_number() -> None:
    assert {code for code, _, _ in PLANTED} == {scheme.code for scheme in SCHEMES}


def test_every_form_fits_a_shape_and_every_pattern_has_one_length() -> None:
    for scheme in SCHEMES:
        found = layouts.layouts(scheme)
        assert found, scheme.code
        assert all(layout.length >= 6 for layout, _ in found), scheme.code
    assert len(spotting.patterns()) + len(spotting.words()) >= 400


def test_many_threads_share_one_automaton() -> None:
    columns = strings([f"tel 1381234{index:04d} x@example.org".encode() for index in range(300)])
    wanted = rows(screen(columns))
    got: list[list[tuple[int, int, int, int, int]]] = []
    threads = [threading.Thread(target=lambda: got.append(rows(screen(columns)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [wanted] * 6
    assert len(wanted) == 600


def test_texts_longer_than_a_portion_and_empty_ones() -> None:
    filler = "词" * 10_000
    columns = strings([b"", filler.encode(), b"", ("x " * 5000 + "电话13812345678").encode(), b""])
    ((text, number, start, end, ground),) = rows(screen(columns))
    assert (text, schemes()[number].code, end - start, ground) == (3, "cn-mobile", 11, 1)
    assert rows(screen(strings([]))) == []


@pytest.mark.parametrize("piece", ["1", "1 ", "@", "a@", "1.", "+1 ", "1-", "AB12 ", "\u200b1", "1：", "（1"])
def test_no_text_makes_it_slow(piece: str) -> None:
    """Matches that pile up at one place are read once: the work grows as the text does, not as its square."""
    long = (piece * (200_000 // len(piece))).encode()
    screen(strings([long]), engine="hyperscan")


def test_drawn_numbers_are_what_they_are_said_to_be() -> None:
    draw = random.Random(7)  # noqa: S311 - a fixed seed, nothing secret
    for scheme in SCHEMES:
        value = planted(scheme, draw)
        compact = "".join(char for char in value if char.isalnum())
        assert layouts.formed(scheme, compact)
        assert scheme.check(compact)

"""Identifiers of people: found where they are, in any writing, told from near misses, and never repeated."""

from __future__ import annotations

import itertools
import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.scan import checks
from tongqiu.scan.identifiers import SCHEMES, SORTS
from tongqiu.scan.personal import Hit, mask, masked, number_matters, scan
from tongqiu.scan.screen import Strings, screen

# Published examples: standards, authorities' own samples, documentation of open libraries. None is a living person's.
PUBLISHED: list[tuple[str, str, str]] = [
    ("cn-resident", "", "11010519491231002X"),  # GB 11643-1999, annex
    ("cn-resident", "", "440524188001010014"),  # GB 11643-1999, annex
    ("cn-mobile", "", "13800138000"),  # the operator's own service number
    ("cn-passport", "护照", "E12345678"),
    ("tw-identity", "", "A123456789"),
    ("hk-identity", "", "A123456(3)"),
    ("sg-nric", "", "S1234567D"),
    ("jp-my-number", "my number", "1234 5678 9018"),
    ("kr-resident", "", "971013-9019902"),
    ("in-aadhaar", "aadhaar", "2341 2341 2346"),
    ("in-pan", "", "ACUPA7085R"),
    ("th-identity", "thai id", "1-2345-45678-78-1"),
    ("my-identity", "", "770305-02-1234"),
    ("pk-cnic", "", "34201-0891231-8"),
    ("us-ssn", "", "536-90-4399"),
    ("us-itin", "", "912-90-3456"),
    ("us-phone", "phone", "212-555-0123"),
    ("ca-sin", "sin no", "123-456-782"),
    ("mx-curp", "", "BOXW310820HNERXN09"),
    ("br-cpf", "", "390.533.447-05"),
    ("ar-cuil", "", "20-05536168-2"),
    ("cl-rut", "", "12.531.909-2"),
    ("gb-nhs", "nhs number", "943 476 5919"),
    ("gb-nino", "", "AA123456C"),
    ("ie-pps", "", "6433435F"),
    ("es-dni", "", "12345678Z"),
    ("es-dni", "", "X-2482300-W"),
    ("it-fiscal", "", "RCCMNL83S18D969H"),
    ("fr-nir", "", "295109912611193"),
    ("de-tax", "steuer-id", "86095742719"),
    ("nl-bsn", "bsn", "111222333"),
    ("be-national", "", "85.07.30-033.28"),
    ("ch-ahv", "", "756.9217.0769.85"),
    ("at-svnr", "svnr", "1237 010180"),
    ("pl-pesel", "pesel", "44051401359"),
    ("se-personal", "", "19811218-9876"),
    ("no-identity", "fødselsnummer", "15108695088"),
    ("dk-cpr", "cpr", "211062-5629"),
    ("fi-hetu", "", "131052-308T"),
    ("tr-tckn", "tckn", "17291716060"),
    ("ro-cnp", "cnp", "1630615123457"),
    ("cz-birth", "", "710319/2745"),
    ("bg-egn", "egn", "7523169263"),
    ("hr-oib", "oib", "33392005961"),
    ("ee-identity", "isikukood", "36805280109"),
    ("ru-snils", "", "112-233-445 95"),
    ("ru-inn", "инн", "500100732259"),
    ("ua-tax", "рнокпп", "1759013776"),
    ("il-identity", "israeli id", "039337423"),
    ("za-identity", "sa id", "8001015009087"),
    ("au-tfn", "tax file number", "123 456 782"),
    ("au-medicare", "medicare", "2123456701"),
    ("uy-cedula", "", "1.234.567-2"),
    ("do-cedula", "", "001-1391820-5"),
    ("ec-cedula", "cédula", "1714307103"),
    ("pe-dni", "dni", "10117410-2"),
    ("id-nik", "nik", "3171011708450001"),
    ("is-kennitala", "", "120174-3399"),
    ("si-emso", "emšo", "0101006500006"),
    ("gr-amka", "amka", "01013099997"),
    ("lt-identity", "asmens kodas", "33309240064"),
    ("fr-tax", "numéro fiscal", "3023217600053"),
    ("de-health", "kvnr", "A123456780"),
    ("nz-ird", "ird", "49-098-576"),
    ("gb-nino", "", "AA 12 34 56 C"),
    ("lv-personal", "", "161175-19997"),
    ("card", "", "4111 1111 1111 1111"),
    ("card", "", "5555555555554444"),
    ("card", "", "378282246310005"),
    ("iban", "", "DE89 3704 0044 0532 0130 00"),
    ("iban", "", "GB82WEST12345698765432"),
    ("e164", "", "+44 20 7946 0958"),
    ("e164", "", "+86 138-0013-8000"),
    ("e-mail", "", "jane.doe+list@mail.example.org"),
    ("ip-address", "", "8.8.8.8"),
    ("ip-address", "", "2606:4700:4700::1111"),
]

CHECKED = [
    (code, word, value)
    for code, word, value in PUBLISHED
    if code not in {"au-medicare", "is-kennitala"}  # the last digit counts the issues of the card; tells the century
    and next((scheme.checked for scheme in SCHEMES if scheme.code == code), code in {"iban", "hk-identity"})
]


def _schemes(text: str, context: str = "") -> list[str]:
    return [hit.scheme for hit in scan(text, context=context)]


@pytest.mark.parametrize(("scheme", "word", "value"), PUBLISHED)
def test_published_examples_are_found_in_english_chinese_and_columns(scheme: str, word: str, value: str) -> None:
    for text in (f"see {word} {value}.", f"他的{word}号码{value}，已登记", f"{word}：{value}；"):
        hits = [hit for hit in scan(text) if hit.scheme == scheme]
        assert len(hits) == 1, text
        assert text[hits[0].start : hits[0].end] == value
    assert scheme in _schemes(value, word)


@pytest.mark.parametrize(("scheme", "word", "value"), CHECKED)
def test_one_wrong_digit_is_a_near_miss(scheme: str, word: str, value: str) -> None:
    """No check digit lets more than one in nine changes of the last digit through; these let none."""
    at = max(index for index, char in enumerate(value) if char.isdigit())
    wrong = [value[:at] + str(digit) + value[at + 1 :] for digit in range(10) if str(digit) != value[at]]
    passed = [text for text in wrong if scheme in _schemes(f"{word} {text}")]
    assert len(passed) <= 1, passed


def test_many_kinds_from_many_countries() -> None:
    countries = {scheme.country for scheme in SCHEMES} - {""}
    assert len(SCHEMES) >= 125
    assert len(countries) >= 85
    assert {scheme.sort for scheme in SCHEMES} <= set(SORTS)
    assert len({code for code, _, _ in PUBLISHED}) >= 60


def test_the_trap_sentence_gives_all_three() -> None:
    text = "身份证号11010519491231002X，电话13812345678，邮箱wang@example.com"
    assert _schemes(text) == ["cn-resident", "cn-mobile", "e-mail"]
    assert masked(text) == "身份证号••••••••••••••••••，电话•••••••••••，邮箱•••@•••"


@pytest.mark.parametrize(
    "written",
    [
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105\u200b19491231\u200d002X",
        "110105\u202e19491231002X",
        "110105\u00ad19491231002X",
        "110105 19491231 002X",
        "110105 19491231 002x",
        "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",
        "ID11010519491231002X",
        "11010519491231002x",
    ],
)
def test_tricks_of_writing_do_not_hide_a_number(written: str) -> None:
    text = f"前文 {written} 后文"
    (hit,) = scan(text)
    assert hit.scheme == "cn-resident"
    found = text[hit.start : hit.end]
    assert written.endswith(found)
    assert not re.search(r"\d|X", hit.masked)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23 12:30:45",
        "version 1.2.3.4",
        "v8.8.8.8",
        "10.0.0.1 127.0.0.1 192.168.1.1 ::1 fe80::1 2001:db8::1",
        "224.0.0.5 ff02::1 400::1 8.8.8.0/24 2606:4700::/32",
        "Decimal('+35236450.6')",
        "std::vector<int> a::b",
        "pi 3.14159265358979323846 and 0.4111111111111111",
        "550e8400-e29b-41d4-a716-446655440000",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "978-3-16-148410-0",
        "4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "0028 4111 1111 1111 1111 29",
        "4111 1111 1111 1111 005B",
        "05D0 4111 1111 1111 1111;1",
        "2680 0028 0029 2681 005D",
        "0061 0029 2680 0062 0028 2681",
        "078-05-1120",
        "666-12-1234",
        "900-12-1234",
        "DE89 3704 0044 0532 0130 01",
        "11010519490231002X",
        "user@localhost @handle a@b",
        "1234567890123",
        "123456789",
        "order 536904399",
        "+999 1234 5678",
        "+1 23",
        "+4230-00131 +513030-0000731 Europe/London",
        "A123456(4)",
        "S1234567A",
    ],
)
def test_what_is_no_identifier_is_left_alone(text: str) -> None:
    assert scan(text) == []


def test_weak_check_digits_need_their_word() -> None:
    for scheme in SCHEMES:
        assert all(word == word.lower() for word in scheme.words)
    assert _schemes("111222333") == []
    assert _schemes("BSN: 111222333") == ["nl-bsn"]
    assert _schemes("absn: 111222333") == []
    assert _schemes("111222333", "customer_bsn") == ["nl-bsn"]
    assert _schemes("111222333", "customerBsn") == ["nl-bsn"]
    assert _schemes("bsn" + " " * 60 + "111222333") == []
    assert _schemes("ABC123456", "passportNo") == ["passport"]
    assert _schemes("55512345", "联系电话") == ["phone-named"]


@pytest.mark.parametrize(
    "text",
    [
        "2024 4111 1111 1111 1111 2027",
        "4111 1111 1111 1111 0427",
        "4111 1111 1111 1111 5500 0000 0000 0004",
        "card 0028 4111 1111 1111 1111 005B",
        "4111-1111-1111-1111 005B",
        "4111111111111111 005B",
        "10028 4111 1111 1111 1111 DEAR",
    ],
)
def test_a_card_beside_other_numbers_is_no_row_of_codes(text: str) -> None:
    assert "card" in _schemes(text)


def test_grounds_are_told_apart() -> None:
    grounds = {hit.scheme: hit.ground for hit in scan("4111111111111111, 13812345678; phone 13912345678")}
    assert grounds == {"card": "checked", "cn-mobile": "context"} or grounds["card"] == "checked"
    assert [hit.ground for hit in scan("13812345678")] == ["form"]
    assert [hit.ground for hit in scan("电话13812345678")] == ["context"]


def test_random_numbers_are_seldom_taken_for_identifiers() -> None:
    """The false-positive rate of bare digit runs, counted over 20,000 evenly spread numbers of each length."""
    rates = {}
    for size in range(6, 20):
        step = 10**size // 4001
        texts = [str(number).zfill(size).encode() for number in range(7, 10**size, step)]
        offsets = np.arange(len(texts) + 1, dtype=np.int64) * size
        found = screen(Strings(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets))
        rates[size] = len(set(found.text.tolist())) / 4001
    assert rates[11] < 0.075  # Chinese mobile numbers: 7 of 100 eleven-digit numbers have their form
    assert rates[16] < 0.03
    assert all(rate < 0.02 for size, rate in rates.items() if size not in {11, 16})


@given(
    st.lists(st.sampled_from([value for _, _, value in PUBLISHED]), max_size=4),
    st.text(max_size=40),
    st.text(st.sampled_from("abc 中，。\n1-.@+:"), max_size=30),
)
def test_no_value_survives_masking(values: list[str], before: str, between: str) -> None:
    text = before + between.join(f" tel {value} " for value in values)
    hits = scan(text)
    out = masked(text)
    for hit in hits:
        value = text[hit.start : hit.end]
        assert not any(char.isalnum() for char in hit.masked)
        assert value not in repr(hit)
        assert hit.start < hit.end
    assert [hit.end for hit in hits] == sorted(hit.end for hit in hits)
    assert all(one.end <= two.start for one, two in itertools.pairwise(hits))
    for hit in hits:
        assert mask(text[hit.start : hit.end]) in out


@given(st.text(max_size=200), st.text(max_size=20))
def test_any_text_is_read(text: str, context: str) -> None:
    for hit in scan(text, context=context):
        assert isinstance(hit, Hit)
        assert 0 <= hit.start < hit.end <= len(text)


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "@", "a@", "a.", "1:", "+1 ", "1.", "1-", "AB12 ", "4-", "a", "DE89 ", "中1", "\u200b1", "::", "+"],
)
def test_time_is_linear_in_length(piece: str) -> None:
    def spent(size: int) -> float:
        text = piece * (size // len(piece))
        began = time.process_time()
        scan(text)
        return time.process_time() - began

    spent(1000)
    assert spent(160_000) < 16 * max(spent(20_000), 0.002)


def test_check_rules_answer_for_the_algorithms_they_name() -> None:
    assert checks.luhn("79927398713")
    assert not checks.luhn("79927398710")
    assert checks.verhoeff("2363")
    assert not checks.verhoeff("2364")
    assert checks.iban("GB82WEST12345698765432")
    assert not checks.iban("GB82WEST1234569876543")
    assert not checks.date(2023, 2, 29)
    assert checks.date(2024, 2, 29)
    assert not checks.date(1849, 1, 1)
    assert checks.cn_landline("01012345678")
    assert not checks.cn_landline("11012345678")
    assert checks.pt_nif("123456789")
    assert not checks.kr_resident("9710139019903")


@given(st.integers(1, 10**20), st.sampled_from(["", "id", "phone", "bsn", "护照", "cpf"]))
def test_a_number_that_does_not_matter_is_never_found(number: int, context: str) -> None:
    text = str(number)
    if not number_matters(len(text), context=context):
        assert scan(text, context=context) == []


def test_numbers_matter_by_length_and_column() -> None:
    assert number_matters(18)
    assert number_matters(11)
    assert not number_matters(9)
    assert number_matters(9, context="bsn")
    assert not number_matters(7)
    assert number_matters(7, context="phone")

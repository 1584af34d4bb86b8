"""The trust file: what it says is what is trusted, and a slip in it is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tongqiu.record.faults import Malformed, Unproven
from tongqiu.seal import keyfile
from tongqiu.seal.keys import MLDSA44
from tongqiu.seal.policy import LogPin, PartyPin, Policy, read_trust, write_trust

if TYPE_CHECKING:
    from collections.abc import Callable

A, B = (keyfile.from_seed(bytes([number]) * 32).public for number in (1, 2))
POLICY = Policy(
    (PartyPin('The "Lab" \\ 实验室', A.did), PartyPin("Narrow", B.did, frozenset({A.thumbprint, B.thumbprint}))),
    (
        LogPin("Log", "log.example/x", A),
        LogPin("Two", "log.example/y", A, keyfile.from_seed(bytes(32), MLDSA44).public),
    ),
)


def test_what_is_written_is_read() -> None:
    assert read_trust(write_trust(POLICY).encode()) == POLICY
    assert read_trust(b"") == Policy()


def test_pins_are_found_by_name_and_key() -> None:
    assert POLICY.party(A.did, B.thumbprint) == POLICY.require_party(A.did, B.thumbprint) == POLICY.parties[0]
    assert POLICY.party(B.did, bytes(32)) is None
    assert POLICY.log("log.example/x", A) == POLICY.require_log("log.example/x", A) == POLICY.logs[0]


def test_the_second_key_of_a_log_is_of_the_other_kind() -> None:
    assert read_trust(write_trust(POLICY).encode()).logs[1].beside == POLICY.logs[1].beside
    with pytest.raises(Malformed) as raised:
        read_trust(write_trust(Policy((), (LogPin("L", "log.example/x", A, B),))).encode())
    assert raised.value.code == "trust.value"


def test_policies_compose() -> None:
    first, second = Policy(POLICY.parties[:1]), Policy(POLICY.parties[1:], POLICY.logs)
    assert first | second == POLICY
    assert POLICY | POLICY == POLICY
    assert Policy() | POLICY == POLICY


def test_a_refusal_tells_unknown_from_another_key() -> None:
    cases: list[tuple[Callable[[], object], str, str]] = [
        (lambda: POLICY.require_party("did:key:zOther", bytes(32)), "trust.party", "did:key:zOther"),
        (lambda: POLICY.require_party(B.did, bytes(32)), "trust.party-key", "Narrow"),
        (lambda: POLICY.require_log("other.example", A), "trust.log", "other.example"),
        (lambda: POLICY.require_log("log.example/x", B), "trust.log-key", "Log"),
    ]
    for act, code, name in cases:
        with pytest.raises(Unproven) as raised:
            act()
        assert raised.value.code == code
        assert name in raised.value.explain("zh")
        assert name in raised.value.explain("en")


PARTY = f'[[party]]\nname = "A"\ndid = "{A.did}"\n'
LOG = f'[[log]]\nname = "L"\norigin = "log.example/x"\nkey = "{A.did}"\n'


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("party = [", "trust.syntax", "TOML"),
        ("\xff", "trust.syntax", "TOML"),
        ("[[partys]]\n", "trust.unknown-key", "party"),
        (PARTY + 'nmae = "x"\n', "trust.unknown-key", "name"),
        ('party = "x"', "trust.value", "[[party]]"),
        ("party = [1]", "trust.value", "[[party]]"),
        (f'[[party]]\ndid = "{A.did}"\n', "trust.missing", "name"),
        ('[[party]]\nname = "A"\n', "trust.missing", "did"),
        ('[[party]]\nname = "A"\ndid = "did:web:x"\n', "key.did", "did:web:x"),
        (PARTY + 'keys = ["abc"]\n', "trust.value", "keys"),
        (PARTY + "keys = [1]\n", "trust.value", "keys"),
        (PARTY + 'keys = "x"\n', "trust.value", "keys"),
        (PARTY + PARTY, "trust.twice", A.did),
        (LOG + LOG, "trust.twice", "log.example/x"),
        (LOG.replace('"L"', '""'), "trust.value", "name"),
        (LOG.replace('"L"', "1"), "trust.value", "name"),
        (LOG.replace(A.did, "did:key:z"), "key.did", "did:key:z"),
    ],
)
def test_a_slip_is_explained(text: str, code: str, says: str) -> None:
    with pytest.raises(Malformed) as raised:
        read_trust(text.encode("latin-1"))
    assert raised.value.code == code
    assert says in raised.value.explain("en")


def test_a_trust_file_is_short() -> None:
    with pytest.raises(Malformed) as raised:
        read_trust(b"#" * 2**21)
    assert raised.value.code == "trust.syntax"

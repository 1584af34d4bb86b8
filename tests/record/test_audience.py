"""Who may read: the laws of audiences, against an oracle that thinks in sets of people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record.audience import (
    EVERYONE,
    STRANGER,
    Audience,
    Principal,
    check_derived,
    meet,
    only_for,
    permits,
    within,
)
from tongqiu.record.faults import Malformed, Refused

NAMES = ["did:key:a", "did:key:b", "did:key:c", "urn:group:x", "urn:group:y"]
TIMES = ["2026-01-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"]
MARKS = ["clear", "green", "amber", "amber+strict", "red"]

audiences = st.builds(
    lambda readers, mark, embargo: (
        Audience(None, "clear", embargo) if readers is None else only_for(readers, marking=mark, embargo=embargo)
    ),
    st.none() | st.sets(st.sampled_from(NAMES)),
    st.sampled_from(MARKS),
    st.none() | st.sampled_from(TIMES),
)
principals = st.builds(
    Principal,
    st.none() | st.sampled_from(NAMES[:3]),
    st.frozensets(st.sampled_from(NAMES[3:])),
)


def oracle(audience: Audience, issuer: str, principal: Principal, now: str) -> bool:
    """Say the same in other words: the issuer always; else after the embargo, everyone or somebody named."""
    if principal.party == issuer and issuer:
        return True
    waiting = audience.embargo is not None and audience.embargo > now
    named = audience.readers is None or any(
        name in audience.readers for name in [principal.party or "", *principal.groups]
    )
    return named and not waiting


@given(audiences, st.sampled_from(NAMES[:3]), principals, st.sampled_from(TIMES))
def test_reading_is_as_the_oracle_says(audience: Audience, issuer: str, principal: Principal, now: str) -> None:
    assert permits(audience, issuer, principal, now) == oracle(audience, issuer, principal, now)


@given(st.lists(audiences, max_size=4), principals, st.sampled_from(TIMES))
def test_whoever_reads_under_the_meet_reads_under_each(sources: list[Audience], principal: Principal, now: str) -> None:
    both = meet(sources)
    assert all(within(both, each) for each in sources)
    if permits(both, "did:key:nobody", principal, now):
        assert all(permits(each, "did:key:nobody", principal, now) for each in sources)


@given(audiences, audiences)
def test_within_means_no_reader_more_no_mark_less_no_earlier(inner: Audience, outer: Audience) -> None:
    people = (
        [Principal(name) for name in NAMES[:3]]
        + [Principal(None, frozenset({each})) for each in NAMES[3:]]
        + [STRANGER]
    )
    fits = all(
        permits(outer, "did:key:nobody", each, now)
        for now in TIMES
        for each in people
        if permits(inner, "did:key:nobody", each, now)
    )
    if within(inner, outer):
        assert fits
    elif fits:
        later = outer.embargo is not None and (inner.embargo is None or inner.embargo < outer.embargo)
        weaker = MARKS.index(inner.marking) < MARKS.index(outer.marking)
        more = inner.readers is None or (outer.readers is not None and not set(inner.readers) <= set(outer.readers))
        assert later or weaker or more


@given(audiences, audiences, audiences)
def test_within_is_an_order(one: Audience, two: Audience, three: Audience) -> None:
    assert within(one, one)
    if within(one, two) and within(two, three):
        assert within(one, three)


@given(audiences, st.lists(audiences, max_size=3))
def test_a_wider_derivation_is_refused_and_a_narrower_one_is_not(derived: Audience, sources: list[Audience]) -> None:
    if within(derived, meet(sources)):
        check_derived(derived, sources)
    else:
        with pytest.raises(Refused) as caught:
            check_derived(derived, sources, where="here")
        assert caught.value.code == "audience.wider"


def test_one_meaning_has_one_form() -> None:
    assert only_for(["did:key:b", "did:key:a", "did:key:b"]).readers == ("did:key:a", "did:key:b")
    with pytest.raises(Malformed):
        Audience(("did:key:b", "did:key:a"))
    with pytest.raises(Malformed):
        Audience(("did:key:a", "did:key:a"))
    with pytest.raises(Malformed):
        Audience(None, "red")
    assert meet([]) == EVERYONE

"""The two times of a row and the succession of duties: what must hold for every pack, and the plain cases by hand."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.norms.pack import Cite, Pack, Requirement, Source, Words
from tongqiu.norms.succession import former, heirs, loops, lost, successors, walk
from tongqiu.norms.time import STATES, Calendar
from tongqiu.norms.words import STATES as STATE_WORDS
from tongqiu.norms.words import checked

W = Words("w", "文")
DAY0 = datetime.date(2026, 1, 1)
CITE = (Cite(source="law", article="Art. 1"),)


def day(number: int) -> datetime.date:
    return DAY0 + datetime.timedelta(days=number)


def row(name: str, **values: Any) -> Requirement:
    return Requirement(id=name, title=W, text=W, cite=CITE, **values)


def pack(*rows: Requirement, sources: tuple[Source, ...] = (), version: str = "2") -> Pack:
    law = Source(id="law", document="D", title=W, force="binding", licence="CC0-1.0")
    return Pack(
        format=1,
        id="p",
        version=version,
        title=W,
        publisher="p",
        licence="CC0-1.0",
        wording="own",
        known_at=DAY0,
        sources=sources or (law,),
        requirements=rows,
    )


days = st.integers(0, 12).map(day)
maybe = st.none() | days


@st.composite
def rewritten(draw: st.DrawFn) -> Pack:
    """A pack in which rows may succeed earlier ones; times are in order where both ends are given."""
    rows: list[Requirement] = []
    for number in range(draw(st.integers(1, 5))):
        times: dict[str, datetime.date | None] = {}
        for start, end in (("applies_from", "applies_until"), ("known_from", "known_until")):
            one, other = draw(maybe), draw(maybe)
            if one is not None and other is not None and other <= one:
                other = None
            times |= {start: one, end: other}
        old = draw(st.sets(st.sampled_from([each.id for each in rows]), max_size=2)) if rows else set()
        rows.append(row(f"r{number}", succeeds=tuple(sorted(old)), **times))
    order = draw(st.permutations(rows))
    return pack(*order)


@settings(max_examples=150, deadline=None)
@given(rewritten(), days, days)
def test_every_row_has_one_state_which_says_what_its_dates_and_successors_say(
    made: Pack, as_of: datetime.date, known_at: datetime.date
) -> None:
    calendar = Calendar(made)
    later = heirs(made)
    for each in made.requirements:
        standing = calendar.row(each, as_of, known_at)
        assert standing.state in STATES
        hidden = each.known_from is not None and each.known_from > known_at
        gone = each.known_until is not None and each.known_until <= known_at
        over = each.applies_until is not None and each.applies_until <= as_of
        ahead = each.applies_from is not None and each.applies_from > as_of
        after = [made.requirement(name) for name in walk(later, each.id)]
        known = [
            one
            for one in after
            if (one.known_from is None or one.known_from <= known_at)
            and (one.known_until is None or known_at < one.known_until)
        ]
        begun = any(one.applies_from is None or one.applies_from <= as_of for one in known)
        expected = (
            "not-yet-known"
            if hidden
            else ("amended" if known else "repealed")
            if gone or over
            else "amended"
            if begun
            else "pending"
            if ahead
            else "in-force"
        )
        assert standing.state == expected
        assert standing.counts == (standing.state in {"in-force", "pending"})


@settings(max_examples=80, deadline=None)
@given(rewritten(), days, days, days)
def test_what_becomes_known_later_never_changes_what_was_said_earlier(
    made: Pack, as_of: datetime.date, known_at: datetime.date, late: datetime.date
) -> None:
    """Bitemporality: an edition that adds rows known only later says the same of every day before that."""
    if late <= known_at:
        late = known_at + datetime.timedelta(days=1)
    news = row("news", known_from=late, succeeds=(made.requirements[0].id,))
    grown = pack(*made.requirements, news)
    before, after = Calendar(made), Calendar(grown)
    for each in made.requirements:
        assert before.row(each, as_of, known_at) == after.row(each, as_of, known_at)
    assert after.row(news, as_of, known_at).state == "not-yet-known"


@settings(max_examples=80, deadline=None)
@given(rewritten())
def test_succession_reads_alike_in_both_directions_and_in_any_order(made: Pack) -> None:
    shuffled = pack(*reversed(made.requirements))
    for each in made.requirements:
        forward = successors(made, each.id)
        assert set(forward) == set(successors(shuffled, each.id))
        assert all(each.id in former(made, name) for name in forward)
        assert each.id not in forward
    assert loops({each.id: each.succeeds for each in made.requirements}) == ()


graphs = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefx"), max_size=3).map(tuple), max_size=6
)


@settings(max_examples=200, deadline=None)
@given(graphs)
def test_a_loop_is_found_exactly_where_the_steps_lead_back(steps: dict[str, tuple[str, ...]]) -> None:
    assert loops(steps) == tuple(sorted(name for name in steps if name in walk(steps, name)))


def test_the_life_of_a_duty_that_an_act_moves_to_a_later_day() -> None:
    old = row("a", applies_from=day(10), known_from=day(0), known_until=day(5))
    new = row("b", applies_from=day(20), known_from=day(5), succeeds=("a",))
    calendar = Calendar(pack(old, new))
    assert calendar.row(old, day(3), day(3)).state == "pending"
    assert calendar.row(new, day(3), day(3)).state == "not-yet-known"
    assert calendar.row(old, day(12), day(4)).state == "in-force"
    moved = calendar.row(old, day(12), day(12))
    assert (moved.state, moved.by) == ("amended", ("b",))
    assert calendar.row(new, day(12), day(12)).state == "pending"
    assert calendar.row(new, day(20), day(20)).state == "in-force"


def test_a_row_without_dates_lives_as_long_as_the_document_it_cites() -> None:
    law = Source(
        id="law",
        document="D",
        title=W,
        force="binding",
        licence="CC0-1.0",
        published=day(0),
        in_force_from=day(2),
        repealed_on=day(9),
        amended_by=("act",),
    )
    act = Source(
        id="act", document="A", title=W, force="binding", licence="CC0-1.0", published=day(3), in_force_from=day(4)
    )
    made = pack(row("a"), row("b", applies_from=day(1)), sources=(law, act))
    calendar = Calendar(made)
    states = [calendar.row(made.requirements[0], day(each), day(each)).state for each in (1, 2, 9)]
    assert states == ["pending", "in-force", "repealed"]
    assert calendar.row(made.requirements[1], day(1), day(1)).state == "in-force"
    told = [calendar.source(law, day(each), day(each)).state for each in (1, 3, 4, 9)]
    assert told == ["pending", "in-force", "amended", "repealed"]
    assert calendar.source(law, day(5), day(5)).by == ("act",)
    assert calendar.source(act, day(5), day(2)).state == "not-yet-known"


def test_no_requirement_is_lost_between_two_editions_unless_it_vanishes() -> None:
    before = pack(row("a"), row("b"), row("c"), version="1")
    after = pack(row("a"), row("d", succeeds=("b@1",)))
    assert lost(before, after) == ("c",)
    assert successors(after, "b@1") == ("d",)
    assert former(after, "d") == ("b",)


def test_states_and_checks_have_words_in_both_languages() -> None:
    assert set(STATE_WORDS) == set(STATES)
    assert checked("", None, "").en == "unchecked"
    assert "2026-01-01" in checked("A", DAY0, "the gazette").zh
    assert msgspec.to_builtins(STATE_WORDS["pending"])["zh"]

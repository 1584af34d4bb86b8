"""The gap between two packs: what is answered, partly, owed; why; and never more than the rows and records say."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.norms.two_packs import ONWARD, PACKS, WALK, relation, walk
from tongqiu.norms.crosswalk import Chain, compose, turn
from tongqiu.norms.gap import Comparison, Looked, Standing, chosen, compare, records, speaking, tell
from tongqiu.norms.grading import Seen
from tongqiu.record.shapes import Finding, Verdict
from tongqiu.record.text import Text

ONE, OTHER = PACKS["one"], PACKS["other"]
WORDS = Text(en="x", zh="甲")


def seen(requirement: str, verdict: Verdict = "met", entry: str = "") -> Seen:
    finding = Finding(requirement=requirement, title=WORDS, verdict=verdict, code="area.code", reason=WORDS)
    return Seen(entry=entry or f"sha-256:{requirement}", kind="area.result/1", finding=finding)


def looked(*findings: Seen, applies: dict[str, bool] | None = None) -> Looked:
    brought = {each.id: True for each in OTHER.requirements} if applies is None else applies
    return Looked(having=tell(ONE, findings), own=tell(OTHER, findings), applies=brought)


def stand(comparison: Comparison) -> dict[str, str]:
    return {each.requirement: each.state for each in comparison.standings}


def row(comparison: Comparison, name: str) -> Standing:
    return {each.requirement: each for each in comparison.standings}[name]


def test_without_a_system_it_says_what_would_follow() -> None:
    found = compare(ONE, OTHER, walk())
    assert found.supposed
    assert stand(found) == {"v": "answered", "w": "answered", "x": "partly", "y": "partly", "z": "no-counterpart"}
    assert found.counts() == {"answered": 2, "partly": 2, "owed": 0, "no-counterpart": 1, "not-mapped": 0}
    assert (found.crosswalk, found.by) == ("one--other", ())
    assert records(found) == ()


def test_the_reason_is_relation_rationale_confidence_and_review() -> None:
    found = compare(ONE, OTHER, walk())
    v, w, x = (row(found, name).ways[0] for name in "vwx")
    assert (v.requirement, v.type, v.rationale, v.strength, v.confidence, v.reviewed) == (
        "a", "equal", "semantic", 8, "high", True,
    )  # fmt: skip
    assert v.why is not None
    assert v.why.en == "a equal v"
    # Nobody reviewed it, so its high confidence is shown as medium.
    assert (w.confidence, w.reviewed) == ("medium", False)
    assert (x.gives, row(found, "x").confidence) == ("partly", "medium")
    lone = row(found, "z")
    assert lone.why is not None
    assert (lone.why.en, lone.ways, lone.confidence) == (" none z", (), None)


def test_with_nothing_recorded_everything_mapped_is_owed() -> None:
    found = compare(ONE, OTHER, walk(), looked())
    assert not found.supposed
    assert stand(found) == {"v": "owed", "w": "owed", "x": "owed", "y": "owed", "z": "no-counterpart"}
    assert row(found, "v").by_hand is not None
    assert row(found, "v").ways[0].told == "unanswered"
    assert [each.requirement for each in chosen(found, {"no-counterpart"})] == ["z"]


def test_records_under_the_one_answer_the_other() -> None:
    found = compare(ONE, OTHER, walk(), looked(seen("area.a.deep", "unmet"), seen("area.b")))
    v = row(found, "v")
    assert (v.state, v.ways[0].records, v.ways[0].verdicts) == ("answered", ("sha-256:area.a.deep",), ("unmet",))
    assert v.by_hand is None
    # Only the first part of b is spoken to: the part of w may be the other one.
    assert (row(found, "w").state, row(found, "w").ways[0].told) == ("partly", "partly")
    whole = compare(ONE, OTHER, walk(), looked(seen("area.b"), seen("area.c")))
    assert row(whole, "w").state == "answered"
    assert row(whole, "w").ways[0].records == ("sha-256:area.b", "sha-256:area.c")
    assert records(whole) == ("sha-256:area.b", "sha-256:area.c")


def test_records_that_speak_to_the_other_directly_come_first() -> None:
    found = compare(ONE, OTHER, walk(), looked(seen("area.x"), seen("area.c")))
    x = row(found, "x")
    assert (x.state, x.open, x.ways[0].requirement, x.ways[0].type) == ("partly", ("second",), "", None)
    assert [each.requirement for each in x.ways] == ["", "c"]
    both = compare(ONE, OTHER, walk(), looked(seen("area.x"), seen("area.y")))
    assert (row(both, "x").state, row(both, "x").confidence) == ("answered", "high")
    named = compare(ONE, OTHER, walk(), looked(seen("other:z")))
    assert row(named, "z").state == "answered"


def test_what_nobody_looked_at_answers_nothing() -> None:
    assert stand(compare(ONE, OTHER, walk(), looked(seen("area.a", "not-assessed"))))["v"] == "owed"
    assert tell(ONE, [seen("area.a", "not-assessed")])["a"].verdicts == ()


def test_low_confidence_never_gives_more_than_partly() -> None:
    low = walk(WALK.replace('confidence = "high"', 'confidence = "low"', 1))
    found = compare(ONE, OTHER, low)
    assert (row(found, "v").state, row(found, "v").confidence) == ("partly", "low")


def test_only_what_applies_is_asked_and_what_may_apply_says_so() -> None:
    found = compare(ONE, OTHER, walk(), looked(applies={"v": True, "x": False}))
    assert {each.requirement: each.sure for each in found.standings} == {"v": True, "x": False}


def test_only_what_stands_is_asked() -> None:
    assert set(stand(compare(ONE, OTHER, walk(), standing={"v", "z"}))) == {"v", "z"}


def test_a_derived_relation_answers_nothing_and_shows_its_path() -> None:
    chain = compose(walk(), walk(ONWARD))
    found = compare(ONE, PACKS["third"], chain)
    assert stand(found) == {"m": "partly", "n": "partly"}
    m = row(found, "m")
    assert (m.confidence, m.ways[0].reviewed, m.ways[0].type) == ("low", False, "equal")
    assert [each.to for each in m.ways[0].path] == ["v", "m"]
    assert (found.crosswalk, found.by) == ("", ("other",))
    empty = compare(ONE, PACKS["third"], Chain(from_="one", to="third", by=(), relations=()))
    assert stand(empty) == {"m": "not-mapped", "n": "not-mapped"}


def test_the_other_direction_turns_the_relations() -> None:
    back = compare(OTHER, ONE, turn(walk()))
    assert stand(back) == {
        "a": "answered",
        "b": "partly",
        "c": "answered",
        "d": "no-counterpart",
        "e": "no-counterpart",
    }


def test_a_pair_with_two_rationales_shows_both() -> None:
    more = walk(WALK + relation("intersects", "a", "v", rationale="syntactic", strength=3))
    ways = row(compare(ONE, OTHER, more), "v").ways
    assert [(each.rationale, each.gives) for each in ways] == [("semantic", "answered"), ("syntactic", "partly")]


RANK = {"answered": 0, "partly": 1, "owed": 2, "no-counterpart": 3}
FINDINGS = st.lists(
    st.builds(
        seen,
        st.sampled_from(["area.a", "area.b", "area.c", "area.x", "area.y", "one:d", "other:z", "else"]),
        st.sampled_from(get_args(Verdict)),
    ),
    max_size=6,
)


@settings(max_examples=50)
@given(FINDINGS, FINDINGS)
def test_more_records_never_make_it_worse_and_order_never_matters(some: list[Seen], more: list[Seen]) -> None:
    before, after = compare(ONE, OTHER, walk(), looked(*some)), compare(ONE, OTHER, walk(), looked(*some, *more))
    assert all(
        RANK[late.state] <= RANK[early.state] for early, late in zip(before.standings, after.standings, strict=True)
    )
    assert after == compare(ONE, OTHER, walk(), looked(*reversed([*some, *more])))


def test_it_can_be_written_as_plain_data() -> None:
    plain = msgspec.to_builtins(compare(ONE, OTHER, walk(), looked(seen("area.a"))))
    assert plain["standings"][0]["ways"][0]["requirement"] == "a"


@pytest.mark.parametrize(("name", "heard"), [("a", 1), ("b", 1), ("c", 0)])
def test_which_findings_speak_to_a_requirement(name: str, heard: int) -> None:
    found = speaking(
        ONE, ONE.requirement(name), [seen("area.a"), seen("area.b", "unmet"), seen("area.c", "not-assessed")]
    )
    assert len(found) == heard

"""The question to ask next across many systems: ranked by its own measure, none left when all are answered."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.norms.test_laws_of_grading import DAY
from tongqiu.norms.asking import Awaited, Next, next_questions, telling
from tongqiu.norms.library import book
from tongqiu.record.faults import Malformed

COMMON = book("tongqiu-common")
FACTS = {each.key: each.values for each in COMMON.pack.facts}


def waiting(**facts: str) -> dict[str, object]:
    return {f"common.{key}": value for key, value in facts.items()}


answers = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in FACTS.items()})


def ask(*known: dict[str, object]) -> tuple[Next, ...]:
    systems = [Awaited(system=f"urn:s{number}", facts=each) for number, each in enumerate(known)]
    return next_questions(systems, [COMMON], as_of=DAY)


def test_the_question_that_most_systems_wait_for_comes_first() -> None:
    done = waiting(severity="minor", likelihood="remote", exposure="few", reversibility="easy", autonomy="advises")
    open_ = {key: value for key, value in done.items() if key != "common.severity"}
    found = ask(open_, open_, {key: value for key, value in done.items() if key != "common.autonomy"}, done)
    assert found[0].fact == "common.severity"
    assert found[0].systems == ("urn:s0", "urn:s1")
    assert found[0].packs == ("tongqiu-common",)
    assert [each.mean for each in found[0].waiting] == [found[0].mean / 2] * 2
    assert "urn:s3" not in {name for each in found for name in each.systems}


def test_sums_are_those_of_each_system() -> None:
    one, other = waiting(severity="serious"), waiting(severity="critical", autonomy="alone")
    apart = {each.fact: each for each in ask(one)}, {each.fact: each for each in ask(other)}
    for each in ask(one, other):
        parts = [part[each.fact] for part in apart if each.fact in part]
        assert each.mean == pytest.approx(sum(part.mean for part in parts))
        assert (each.sure, each.best, each.settles) == (
            sum(part.sure for part in parts),
            sum(part.best for part in parts),
            sum(part.settles for part in parts),
        )


@settings(max_examples=40, deadline=None)
@given(st.lists(answers, min_size=1, max_size=4))
def test_the_first_question_narrows_at_least_as_much_as_any_other(systems: list[dict[str, object]]) -> None:
    found = ask(*systems)
    assert all(found[0].measure >= each.measure for each in found)
    assert [each.measure for each in found] == sorted((each.measure for each in found), reverse=True)
    assert len({each.fact for each in found}) == len(found)
    assert all(each.sure <= each.mean <= each.best for each in found)


@settings(max_examples=25, deadline=None)
@given(answers, st.data())
def test_what_a_question_promises_is_what_its_answers_do(known: dict[str, object], data: st.DataObject) -> None:
    found = ask(known)
    if not found:
        return
    chosen = data.draw(st.sampled_from(found))
    before = len(COMMON.grade(known, as_of=DAY).span("concern").grades)
    left = [
        len(COMMON.grade({**known, chosen.fact: value}, as_of=DAY).span("concern").grades) for value in chosen.values
    ]
    assert chosen.best == before - min(left)
    assert chosen.sure == before - max(left)
    assert chosen.mean == pytest.approx(before - sum(left) / len(left), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(answers, st.data())
def test_answering_all_leaves_none(known: dict[str, object], data: st.DataObject) -> None:
    for _ in range(len(FACTS) + 1):
        found = ask(known)
        if not found:
            break
        known = {**known, found[0].fact: data.draw(st.sampled_from(found[0].values))}
    assert ask(known) == ()
    assert COMMON.grade(known, as_of=DAY).span("concern").state == "graded"


def test_several_packs_count_together_and_a_wider_question_comes_before_those_within() -> None:
    eu = book("eu-ai-act")
    found = next_questions([Awaited(system="urn:s", facts={})], [eu, COMMON], as_of=DAY)
    assert {name for each in found for name in each.packs} == {"eu-ai-act", "tongqiu-common"}
    places = {each.fact: place for place, each in enumerate(found)}
    equal = [
        (eu.questions.wider(each.fact), each)
        for each in found
        if each.fact in eu.facts and eu.questions.wider(each.fact)
    ]
    assert equal
    for wider, each in equal:
        for key in wider:
            if key in places and found[places[key]].measure == each.measure:
                assert places[key] < places[each.fact]


def test_questions_that_bear_on_nothing_open_are_left_out() -> None:
    eu = book("eu-ai-act")
    facts = {"eu.scope.ai_system": False}
    grading = eu.grade(facts, as_of=DAY)
    left = {gap.fact for gap in telling(eu, grading)}
    assert left <= {gap.fact for gap in grading.gaps}
    assert not any(fact.startswith("eu.annex3") for fact in left)


def test_a_wrong_answer_is_refused_with_the_system_it_is_of() -> None:
    with pytest.raises(Malformed) as caught:
        next_questions(
            [Awaited(system="urn:wrong", facts={"common.severity": "awful"})],
            [COMMON],
            as_of=datetime.date(2026, 11, 23),
        )
    assert caught.value.where.startswith("urn:wrong")

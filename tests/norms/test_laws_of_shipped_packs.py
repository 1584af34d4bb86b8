"""What holds for every pack that travels with the software: order, ranges, evidence, and the common scale's own laws.

Stated exactly. (1) The order of facts, of findings and of rows never matters. (2) A further answer never widens a range.
(3) The grade of the full answers lies inside every range that part of them gave. (4) Under one and the same grading,
adding a finding *met* never takes a duty from answered to partly or unanswered, and never lowers the answered share;
evidence has no part in the grade itself, for no shipped pack lets a finding answer a question.
"""

from __future__ import annotations

import datetime
import itertools
import random
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.norms.grading import Book, Grading, Seen
from tongqiu.norms.library import book, shipped
from tongqiu.norms.pack import Fact
from tongqiu.record.shapes import Finding
from tongqiu.record.text import Text

DAY = datetime.date(2026, 11, 23)
GRADED = tuple(name for name in shipped() if book(name).pack.scales)
ASKING = tuple(name for name in shipped() if any(each.answered_by for each in book(name).pack.requirements))
FEW = settings(max_examples=6, deadline=None)
RANK = {"unanswered": 0, "partly": 1, "answered": 2}


def given_as(fact: Fact, value: bool | str) -> object:  # noqa: FBT001 - an answer
    """Return an answer as a person gives it: a date or number that falls into the band ``value``."""
    if not fact.bands:
        return value
    place = [each.value for each in fact.bands].index(str(value))
    below = fact.bands[place].below
    if below is None:
        return fact.bands[place - 1].below
    return below - datetime.timedelta(days=1) if isinstance(below, datetime.date) else below - abs(below) / 1e6 - 1e-9


def full(shelf: Book, seed: int) -> dict[str, object]:
    """Return an answer to every question, none within a no."""
    chance = random.Random(seed)  # noqa: S311 - draws a case, keeps no secret
    known: dict[str, object] = {}
    for fact in sorted(shelf.pack.facts, key=lambda each: len(shelf.questions.wider(each.key))):
        if not fact.values:
            continue
        shut = any(known.get(key) is False for key in shelf.questions.wider(fact.key))
        value = False if shut else chance.choice(fact.values)
        known[fact.key] = given_as(fact, value)
    return known


def part(shelf: Book, facts: dict[str, object], seed: int) -> dict[str, object]:
    """Return most of ``facts``."""
    chance = random.Random(seed)  # noqa: S311 - draws a case, keeps no secret
    keys = sorted(facts)
    kept = chance.sample(keys, k=len(keys) - min(len(keys), chance.randint(1, 5)))
    del shelf
    return {key: facts[key] for key in kept}


def spans(grading: Grading) -> dict[str, tuple[str, ...]]:
    return {each.scale: each.grades for each in grading.spans}


@pytest.mark.parametrize("name", GRADED)
@FEW
@given(st.integers(0, 10**9))
def test_the_order_of_facts_and_of_rows_never_matters(name: str, seed: int) -> None:
    shelf = book(name)
    facts = part(shelf, full(shelf, seed), seed)
    chance = random.Random(seed)  # noqa: S311 - draws a case, keeps no secret
    rules, rows = list(shelf.pack.rules), list(shelf.pack.requirements)
    chance.shuffle(rules)
    chance.shuffle(rows)
    shuffled = Book(msgspec.structs.replace(shelf.pack, rules=tuple(rules), requirements=tuple(rows)), shelf.tables)
    keys = list(facts)
    chance.shuffle(keys)
    one = shelf.grade(facts, as_of=DAY)
    other = shuffled.grade({key: facts[key] for key in keys}, as_of=DAY)
    assert (one.spans, one.held, one.facts, one.implied) == (other.spans, other.held, other.facts, other.implied)
    assert {each.requirement for each in shelf.owed(one, ())} == {each.requirement for each in shuffled.owed(other, ())}


@pytest.mark.parametrize("name", GRADED)
@FEW
@given(st.integers(0, 10**9))
def test_answers_never_widen_and_the_true_grade_is_inside(name: str, seed: int) -> None:
    shelf = book(name)
    answers = full(shelf, seed)
    truth = spans(shelf.grade(answers, as_of=DAY))
    assert all(len(each) == 1 for each in truth.values())
    known = part(shelf, answers, seed)
    before = spans(shelf.grade(known, as_of=DAY))
    for key in sorted(set(answers) - set(known)):
        known[key] = answers[key]
        after = spans(shelf.grade(known, as_of=DAY))
        assert all(set(after[scale]) <= set(before[scale]) for scale in after), (name, key)
        assert all(set(truth[scale]) <= set(after[scale]) for scale in after), (name, key)
        before = after
    assert before == truth


def finding(requirement: str, verdict: str) -> Seen:
    text = Text(en="t", zh="t")
    return Seen(
        entry="sha-256:" + f"{abs(hash((requirement, verdict))):064x}"[:64],
        kind="evaluation.verdict/1",
        finding=msgspec.convert(
            {
                "requirement": requirement,
                "title": {"en": "t", "zh": "t"},
                "verdict": verdict,
                "code": requirement.replace(":", "."),
                "reason": {"en": text.en, "zh": text.zh},
                "params": {},
            },
            Finding,
        ),
    )


@cache
def about(name: str) -> tuple[str, ...]:
    """Return what findings could be about that speak to some duty of a pack."""
    return tuple(
        sorted(
            {each.finding for row in book(name).pack.requirements for each in row.answered_by if each.finding}
            | {f"{name}:{row.id}" for row in book(name).pack.requirements[:20]}
        )
    )


@pytest.mark.parametrize("name", ASKING)
@FEW
@given(st.integers(0, 10**9))
def test_a_met_finding_never_takes_an_answer_away(name: str, seed: int) -> None:
    shelf = book(name)
    chance = random.Random(seed)  # noqa: S311 - draws a case, keeps no secret
    facts = full(shelf, seed)
    grading = shelf.grade(facts, as_of=DAY)
    some = [finding(each, chance.choice(("met", "unmet", "undecided"))) for each in chance.sample(about(name), k=2)]
    more = [*some, finding(chance.choice(about(name)), "met")]
    chance.shuffle(more)
    before = {each.requirement: each for each in shelf.owed(grading, some)}
    after = {each.requirement: each for each in shelf.owed(grading, more)}
    assert set(before) == set(after)
    assert all(RANK[before[key].state] <= RANK[after[key].state] for key in before)
    assert all(set(before[key].findings) <= set(after[key].findings) for key in before)
    assert spans(shelf.grade(facts, more, as_of=DAY)) == spans(grading)


def test_no_shipped_pack_lets_a_finding_answer_a_question() -> None:
    assert not [fact.key for name in shipped() for fact in book(name).pack.facts if fact.signal is not None]


# --- the common scale, on all 1,200 answers --------------------------------------------------------------------------


@cache
def concern() -> dict[tuple[int, ...], int]:
    """Return the place of the grade for every combination of answers, each counted from the lightest."""
    shelf = book("tongqiu-common")
    scale = shelf.pack.scale("concern")
    places: dict[tuple[int, ...], int] = {}
    for numbers in itertools.product(*(range(len(fact.values)) for fact in shelf.pack.facts)):
        answers: dict[str, Any] = {fact.key: number for fact, number in zip(shelf.pack.facts, numbers, strict=True)}
        held = [
            scale.place(rule.grade)
            for rule in shelf.pack.rules
            if shelf.tables[rule.id].cells[_cell(shelf, rule.id, answers)]
        ]
        places[numbers] = max(held, default=scale.place(scale.default))
    return places


def _cell(shelf: Book, rule: str, answers: dict[str, int]) -> int:
    cell = 0
    for fact, size in zip(shelf.tables[rule].facts, shelf.tables[rule].sizes, strict=True):
        cell = cell * size + answers[fact]
    return cell


def test_no_factor_made_worse_lowers_the_common_grade() -> None:
    places = concern()
    assert len(places) == 5 * 5 * 4 * 3 * 4
    for numbers, place in places.items():
        for at in range(len(numbers)):
            worse = (*numbers[:at], numbers[at] + 1, *numbers[at + 1 :])
            assert places.get(worse, place) >= place, (numbers, worse)


def test_every_factor_matters_and_every_grade_is_reached() -> None:
    places = concern()
    assert set(places.values()) == {0, 1, 2, 3, 4}
    for at in range(5):
        assert any(
            places.get((*numbers[:at], numbers[at] + 1, *numbers[at + 1 :]), place) > place
            for numbers, place in places.items()
        )


def test_every_rule_of_the_common_scale_decides_some_answer() -> None:
    shelf = book("tongqiu-common")
    for rule in shelf.pack.rules:
        least = min(
            (numbers for numbers in concern() if shelf.tables[rule.id].cells[_cell(shelf, rule.id, _named(numbers))]),
            key=sum,
        )
        assert shelf.pack.scale("concern").place(rule.grade) == concern()[least], rule.id


def _named(numbers: tuple[int, ...]) -> dict[str, int]:
    return {fact.key: number for fact, number in zip(book("tongqiu-common").pack.facts, numbers, strict=True)}


def test_the_tables_agree_with_grading() -> None:
    shelf = book("tongqiu-common")
    grades = [each.id for each in shelf.pack.scale("concern").grades]
    chance = random.Random(7)  # noqa: S311 - draws a case, keeps no secret
    for numbers in chance.sample(sorted(concern()), k=60):
        facts = {fact.key: fact.values[number] for fact, number in zip(shelf.pack.facts, numbers, strict=True)}
        assert shelf.grade(facts, as_of=DAY).span("concern").grades == (grades[concern()[numbers]],)


def test_the_common_scale_says_that_it_is_no_law() -> None:
    pack = book("tongqiu-common").pack
    assert (pack.nature, pack.jurisdiction) == ("framework", "international")
    assert pack.about is not None
    assert "never compared" in pack.about.en
    assert "不与任何法律的类别相比较" in pack.about.zh
    assert all(source.force != "binding" for source in pack.sources)

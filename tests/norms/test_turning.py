"""What would change a grade is exactly what grading again with the other answer says."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

import msgspec
import pytest

from tongqiu.norms import library
from tongqiu.norms.grading import Book, open_book
from tongqiu.norms.rules import Table
from tongqiu.norms.span import Bar, Counter, TooKnotted
from tongqiu.norms.turning import possible, turns
from tongqiu.record.faults import Malformed

MINI = (Path(__file__).parent / "mini.toml").read_text("utf-8")
DAY = datetime.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("kr-ai-basic-act", {"kr.scope.korea": True, "kr.scope.defence_only": False}),
        ("eu-ai-act", {"eu.scope.ai_system": True, "eu.annex3.any": True, "eu.annex3.creditworthiness": True}),
        ("tongqiu-common", {"common.severity": "s3"}),
    ],
)
def test_every_turn_is_what_grading_again_would_say(name: str, facts: dict[str, object]) -> None:
    book = library.book(name)
    known = {
        key: value if value in book.facts[key].values else book.facts[key].values[0] for key, value in facts.items()
    }
    now = {span.scale: span.grades for span in book.grade(known, as_of=DAY).spans}
    found = {(each.fact, each.value): each for each in turns(book, known, as_of=DAY)}
    for key, given in known.items():
        for value in book.facts[key].values:
            if value == given:
                assert (key, value) not in found
                continue
            try:
                then = {span.scale: span.grades for span in book.grade({**known, key: value}, as_of=DAY).spans}
            except Malformed:
                assert (key, value) not in found
                continue
            changed = {scale: grades for scale, grades in then.items() if grades != now[scale]}
            assert (found[key, value].grades if changed else {}) == changed
            assert not changed or found[key, value].given == given


def test_an_answer_that_others_rule_out_is_no_turn() -> None:
    book = open_book(MINI.encode())
    found = {(each.fact, each.value) for each in turns(book, {"a.any": True, "a.one": True, "a.kind": "x"}, as_of=DAY)}
    assert ("a.any", False) not in found
    assert {("a.one", False), ("a.kind", "y")} <= found
    with pytest.raises(Malformed):
        list(turns(book, {"a.any": False, "a.one": True}, as_of=DAY))


def test_where_rules_are_too_knotted_every_grade_stays_possible() -> None:
    mini = open_book(MINI.encode()).pack
    rng = random.Random(5)  # noqa: S311 - a fixed made-up knot
    questions = [f"f{number:02}" for number in range(40)]
    rule = mini.rules[0]
    rules = tuple(
        msgspec.structs.replace(rule, id=f"k{number}", grade=("high", "out")[number % 2]) for number in range(24)
    )
    tables = {
        each.id: Table(tuple(sorted(rng.sample(questions, 8))), (2,) * 8, bytes(rng.choices((0, 1), (9, 1), k=256)))
        for each in rules
    }
    book = Book(msgspec.structs.replace(mini, rules=rules), tables)
    grades = {scale.id: tuple(each.id for each in scale.grades) for scale in mini.scales}
    scale = mini.scales[0]
    with pytest.raises(TooKnotted):
        Counter().possible([Bar(each.overrides, scale.place(each.grade), tables[each.id]) for each in rules], 0)
    assert possible(book, rules, {}) == grades

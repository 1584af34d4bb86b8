"""A grade says what is known, what is open, and what each missing answer would change."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

import pytest

from tongqiu.norms.grading import Book, Seen, open_book
from tongqiu.norms.library import Norms
from tongqiu.norms.rules import Table
from tongqiu.norms.span import Bar, Counter, TooKnotted
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.shapes import Finding, Verdict
from tongqiu.record.text import Text

MINI = Path(__file__).with_name("mini.toml").read_text(encoding="utf-8")
DAY = datetime.date(2026, 11, 23)


def mini(text: str = MINI) -> Book:
    return open_book(text.encode())


def finding(requirement: str, verdict: Verdict, entry: str = "sha-256:" + "0" * 64) -> Seen:
    words = Text(en="x", zh="x")
    return Seen(
        entry=entry,
        kind="dataset.findings/1",
        finding=Finding(requirement=requirement, title=words, verdict=verdict, code="c", reason=words),
    )


def test_nothing_known_is_unanswered_and_every_grade_is_open() -> None:
    graded = mini().grade({}, as_of=DAY)
    assert graded.span("risk").state == "unanswered"
    assert graded.span("risk").grades == ("out", "low", "high")
    assert {each.state for each in graded.held} == {"possible"}


def test_an_answer_that_settles_it_grades() -> None:
    graded = mini().grade({"a.one": True, "a.kind": "x"}, as_of=DAY)
    assert (graded.span("risk").state, graded.span("risk").low, graded.span("risk").high) == ("graded", "high", "high")
    (held,) = graded.fired
    assert held.rule == "r1"
    assert held.read == {"a.any": True, "a.kind": "x", "a.one": True}
    assert graded.facts == {"a.kind": "x", "a.one": True}
    assert graded.implied == {"a.any": True}
    assert graded.gaps == ()


def test_a_missing_answer_is_never_taken_for_a_no() -> None:
    graded = mini().grade({"a.kind": "x"}, as_of=DAY)
    assert graded.span("risk").grades == ("low", "high")
    assert graded.span("risk").state == "range"
    by_fact = {gap.fact: gap for gap in graded.gaps}
    assert {(o.value, o.grades) for o in by_fact["a.any"].outcomes} == {(False, ("low",)), (True, ("low", "high"))}
    assert by_fact["a.any"].sure == 0
    assert by_fact["a.any"].mean == 0.5
    assert [gap.fact for gap in graded.gaps] == ["a.any", "a.one"]


def test_a_wider_no_closes_what_lies_within() -> None:
    graded = mini().grade({"a.any": False, "a.kind": "x"}, as_of=DAY)
    assert graded.span("risk").grades == ("low",)
    assert graded.implied == {"a.one": False}


def test_a_rule_that_overrides_sets_the_others_aside() -> None:
    text = MINI.replace("a.one && a.kind == 'x'", "a.one")
    graded = mini(text).grade({"a.one": True, "a.kind": "y"}, as_of=DAY)
    assert graded.span("risk").grades == ("out",)
    assert {(each.rule, each.aside) for each in graded.fired} == {("r1", True), ("r2", False)}
    unasked = mini(text).grade({"a.kind": "y"}, as_of=DAY)
    assert unasked.gaps == ()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"a.won": True}, "facts.unknown"),
        ({"a.one": "yes"}, "facts.value"),
        ({"a.one": 1}, "facts.value"),
        ({"a.kind": "z"}, "facts.value"),
        ({"a.kind": True}, "facts.value"),
        ({"a.one": True, "a.any": False}, "facts.contradiction"),
    ],
)
def test_bad_answers_are_refused(facts: dict[str, object], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        mini().grade(facts, as_of=DAY, where="tongqiu.toml")
    assert caught.value.code == code
    assert caught.value.where == "tongqiu.toml"
    if code == "facts.unknown":
        assert caught.value.values["nearest"] == "a.one"


def test_rows_count_from_when_they_were_known_until_they_end() -> None:
    dated = MINI.replace('id = "r1"\n', 'id = "r1"\nknown_from = 2026-07-24\napplies_from = 2026-12-02\n')
    facts = {"a.one": True, "a.kind": "x"}
    (held,) = mini(dated).grade(facts, as_of=DAY).fired
    assert held.pending
    assert not mini(dated).grade(facts, as_of=datetime.date(2026, 12, 2)).fired[0].pending
    assert mini(dated).grade(facts, as_of=DAY, known_at=datetime.date(2026, 7, 23)).span("risk").grades == ("low",)
    ended = MINI.replace('id = "r1"\n', 'id = "r1"\napplies_until = 2026-11-23\n')
    assert mini(ended).grade(facts, as_of=DAY).span("risk").grades == ("low",)
    assert mini(ended).grade(facts, as_of=datetime.date(2026, 11, 22)).span("risk").grades == ("high",)
    forgotten = MINI.replace('id = "r1"\n', 'id = "r1"\nknown_until = 2026-11-23\n')
    assert mini(forgotten).grade(facts, as_of=DAY).span("risk").grades == ("low",)


SIGNAL = (
    MINI.replace("a.one && a.kind == 'x'", "a.one && a.leak")
    + '\n[[fact]]\nkey = "a.leak"\ntype = "signal"\nquestion = { en = "Leak?", zh = "泄露？" }\n'
    + 'signal = { finding = "dataset.personal", verdicts = ["unmet"] }\n'
    + '\n[[requirement]]\nid = "q"\ntitle = { en = "Q", zh = "求" }\ntext = { en = "Q", zh = "求" }\n'
    + 'scale = "risk"\ngrades = ["high"]\ncite = [{ source = "law", article = "Art. 3" }]\n'
    + 'answered_by = [{ kind = "dataset", finding = "dataset.personal" }]\n'
    + '\n[[requirement]]\nid = "r"\ntitle = { en = "R", zh = "求" }\ntext = { en = "R", zh = "求" }\n'
    + 'rules = ["r2"]\ncite = [{ source = "law", article = "Art. 3" }]\n'
)


def test_findings_answer_signals_and_requirements() -> None:
    book = mini(SIGNAL)
    facts = {"a.one": True, "a.kind": "x"}
    assert book.grade(facts, as_of=DAY).span("risk").grades == ("low", "high")
    bad = finding("dataset.personal.email", "unmet")
    other = finding("dataset.personality", "unmet")
    graded = book.grade(facts, [bad, other], as_of=DAY)
    assert graded.span("risk").grades == ("high",)
    assert graded.implied["a.leak"] is True
    assert book.grade(facts, [finding("dataset.personal", "met")], as_of=DAY).span("risk").grades == ("low",)
    assert book.grade(facts, [finding("dataset.personal", "not-assessed")], as_of=DAY).span("risk").grades == (
        "low",
        "high",
    )
    (owed,) = book.owed(graded, [bad, other])
    assert (owed.requirement, owed.state, owed.sure, owed.findings) == ("q", "answered", True, (bad.entry,))
    (unanswered,) = book.owed(graded, [])
    assert unanswered.state == "unanswered"
    may = book.owed(book.grade({"a.kind": "x"}, as_of=DAY), [])
    assert [(each.requirement, each.sure) for each in may] == [("q", False)]
    by_rule = book.owed(book.grade({"a.kind": "y"}, as_of=DAY), [])
    assert [(each.requirement, each.sure) for each in by_rule] == [("r", True)]
    with pytest.raises(Malformed):
        book.grade({"a.leak": True}, as_of=DAY)


def test_a_knot_too_great_to_count_says_so() -> None:
    rng = random.Random(5)  # noqa: S311 - a fixed made-up knot
    questions = [f"f{number:02}" for number in range(40)]
    bars = [
        Bar(
            overrides=False,
            place=place,
            table=Table(tuple(sorted(rng.sample(questions, 8))), (2,) * 8, rng.randbytes(0)),
        )
        for place in range(24)
    ]
    bars = [bar._replace(table=bar.table._replace(cells=bytes(rng.choices((0, 1), (9, 1), k=256)))) for bar in bars]
    with pytest.raises(TooKnotted):
        Counter().possible(bars, 0)


def test_norms_deal_facts_to_packs_and_hide_a_shipped_one() -> None:
    norms = Norms(DAY, extra=[mini()])
    assert {"eu-ai-act", "mini"} <= set(norms.ids)
    dealt = norms.share({"a.one": True, "eu.profiling": True})
    assert dealt == {"mini": {"a.one": True}, "eu-ai-act": {"eu.profiling": True}}
    with pytest.raises(Malformed) as caught:
        norms.share({"eu.profilling": True}, where="tongqiu.toml")
    assert caught.value.values["nearest"] == "eu.profiling"
    assert norms.grade("mini", {"a.kind": "y"}).span("risk").low == "out"
    with pytest.raises(Missing):
        norms.book("minny")

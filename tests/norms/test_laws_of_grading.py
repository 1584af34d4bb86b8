"""What must hold for every pack: order never matters, the range is exact, and more answers never widen it."""

from __future__ import annotations

import datetime
import itertools
import json
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.norms.grading import Book, open_book
from tongqiu.norms.library import book

BANDS = ("b0", "b1", "b2")
"""Of a number: below 10, below 20, and from 20."""

DAY = datetime.date(2026, 11, 23)
GRADES = ("g0", "g1", "g2", "g3")
HEAD = """format = 1
id = "any"
version = "1"
title = { en = "t", zh = "t" }
publisher = "p"
licence = "CC0-1.0"
wording = "own"
known_at = 2026-01-01
[[source]]
id = "s"
document = "D"
title = { en = "t", zh = "t" }
force = "binding"
licence = "CC0-1.0"
[[scale]]
id = "k"
title = { en = "t", zh = "t" }
default = "g1"
"""


@dataclass(frozen=True)
class Made:
    """A made-up pack: questions as (key, answers, wider key), rules as (grade, overrides, disjunction of conjunctions)."""

    facts: tuple[tuple[str, tuple[object, ...], str | None], ...]
    rules: tuple[tuple[str, bool, tuple[tuple[tuple[str, object, bool], ...], ...]], ...]

    def toml(self, *, reverse: bool = False) -> str:
        words = '{ en = "w", zh = "w" }'
        grades = ", ".join(f'{{ id = "{each}", title = {words}, meaning = {words} }}' for each in GRADES)
        out = [HEAD + f"grades = [{grades}]"]
        for key, values, wider in self.facts[:: -1 if reverse else 1]:
            kind = "bool" if isinstance(values[0], bool) else "number" if values == BANDS else "choice"
            out.append(f'[[fact]]\nkey = "{key}"\ntype = "{kind}"\nquestion = {words}')
            if wider:
                out.append(f'within = "{wider}"')
            if kind == "number":
                bands = ", ".join(
                    f'{{ value = "{each}", below = {10 + 10 * n}, title = {words} }}' for n, each in enumerate(BANDS)
                )
                out.append(f"bands = [{bands}]".replace(", below = 30", ""))
            if kind == "choice":
                choices = ", ".join(f'{{ value = "{each}", title = {words} }}' for each in values)
                out.append(f"choices = [{choices}]")
        numbered = list(enumerate(self.rules))
        for number, (grade, overrides, terms) in numbered[:: -1 if reverse else 1]:
            when = " || ".join(
                "("
                + " && ".join(f"{key} {'==' if equal else '!='} {json.dumps(value)}" for key, value, equal in term)
                + ")"
                for term in terms
            )
            out.append(
                f'[[rule]]\nid = "r{number}"\nscale = "k"\ngrade = "{grade}"\noverrides = {str(overrides).lower()}\n'
                f'when = {json.dumps(when)}\ntitle = {words}\nreason = {words}\ncite = [{{ source = "s", article = "A" }}]'
            )
        return "\n".join(out)

    def book(self, *, reverse: bool = False) -> Book:
        return open_book(self.toml(reverse=reverse).encode())

    def truth(self, answers: dict[str, object]) -> str:
        """Return the grade by plain reading of the rules, every answer given; independent of the code under test."""
        wider = {key: up for key, _, up in self.facts}

        def effective(key: str) -> object:
            if not isinstance(answers[key], bool):
                return answers[key]
            up: str | None = key
            while up is not None:
                if answers[up] is False:
                    return False
                up = wider[up]
            return True

        held = [
            (overrides, grade)
            for grade, overrides, terms in self.rules
            if any(all((effective(key) == value) is equal for key, value, equal in term) for term in terms)
        ]
        over = [grade for overrides, grade in held if overrides]
        return max(over or [grade for _, grade in held], default="g1")


@st.composite
def packs(draw: st.DrawFn) -> Made:
    facts: list[tuple[str, tuple[object, ...], str | None]] = []
    for number in range(draw(st.integers(1, 6))):
        sort = draw(st.integers(0, 4))
        if sort == 0:
            facts.append((f"a.f{number}", BANDS, None))
        elif sort == 1:
            facts.append((f"a.f{number}", ("x", "y", "z")[: draw(st.integers(1, 3))], None))
        else:
            wider = [key for key, values, _ in facts if isinstance(values[0], bool)]
            facts.append((f"a.f{number}", (False, True), draw(st.sampled_from([None, *wider]))))
    domains = {key: values for key, values, _ in facts}
    keys = st.sampled_from(sorted(domains))
    literal = keys.flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(domains[key]), st.booleans()))
    terms = st.lists(st.lists(literal, min_size=1, max_size=3).map(tuple), min_size=1, max_size=2).map(tuple)
    rules = draw(
        st.lists(st.tuples(st.sampled_from(GRADES), st.integers(0, 3).map(lambda n: n == 0), terms), max_size=6)
    )
    return Made(tuple(facts), tuple(rules))


def completions(made: Made, known: dict[str, object]) -> set[str]:
    keys = [key for key, _, _ in made.facts]
    options = [(known[key],) if key in known else values for key, values, _ in made.facts]
    return {made.truth(dict(zip(keys, each, strict=True))) for each in itertools.product(*options)}


@st.composite
def partly_answered(draw: st.DrawFn) -> tuple[Made, dict[str, object]]:
    made = draw(packs())
    domains = {key: values for key, values, _ in made.facts}
    known: dict[str, object] = {
        key: draw(st.sampled_from(values)) for key, values in domains.items() if draw(st.booleans())
    }
    for key, _, wider in made.facts:  # a yes within a no is refused, and tested elsewhere
        up = wider
        while known.get(key) is True and up is not None:
            known[up] = True
            up = {each: w for each, _, w in made.facts}[up]
    return made, known


def said(known: dict[str, object], step: int) -> dict[str, object]:
    """Return the answers as a person gives them: a number somewhere in its band (``step`` from its beginning)."""
    return {key: BANDS.index(value) * 10 + step if value in BANDS else value for key, value in known.items()}


@settings(max_examples=100, deadline=None)
@given(partly_answered(), st.integers(0, 9))
def test_the_range_is_exactly_the_grades_that_the_missing_answers_can_give(
    case: tuple[Made, dict[str, object]], step: int
) -> None:
    made, known = case
    graded = made.book().grade(said(known, step), as_of=DAY)
    assert graded.spans == made.book().grade(known, as_of=DAY).spans, "a band may be answered by its name"
    assert set(graded.span("k").grades) == completions(made, known)
    for gap in graded.gaps:
        for outcome in gap.outcomes:
            assert set(outcome.grades) == completions(made, {**known, gap.fact: outcome.value})


@settings(max_examples=60, deadline=None)
@given(partly_answered())
def test_the_order_of_rules_and_questions_never_matters(case: tuple[Made, dict[str, object]]) -> None:
    made, known = case
    one = made.book().grade(known, as_of=DAY)
    other = made.book(reverse=True).grade(dict(reversed(known.items())), as_of=DAY)
    same = {"digest": "", "gaps": tuple(sorted(one.gaps, key=lambda gap: gap.fact))}
    mirrored = {"digest": "", "gaps": tuple(sorted(other.gaps, key=lambda gap: gap.fact))}
    assert msgspec.structs.replace(one, **same) == msgspec.structs.replace(other, **mirrored)


EU = book("eu-ai-act")
ASKED = {fact.key: fact.values for fact in EU.pack.facts if fact.values}


@pytest.mark.system
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_further_answer_never_widens_the_range_of_the_shipped_pack(data: st.DataObject) -> None:
    order = data.draw(st.permutations(sorted(ASKED)))
    known: dict[str, object] = {}
    before = EU.grade(known, as_of=DAY)
    for key in order[: data.draw(st.integers(1, 8))]:
        settled = EU.settle(known)
        if key in settled:
            continue
        wider = EU.facts[key].within
        refusable = wider is not None and settled.get(wider) is False
        known[key] = False if refusable else data.draw(st.sampled_from(ASKED[key]))
        after = EU.grade(known, as_of=DAY)
        for scale in ("system", "model"):
            assert set(after.span(scale).grades) <= set(before.span(scale).grades)
        before = after


@settings(max_examples=60, deadline=None)
@given(partly_answered(), st.data())
def test_a_further_answer_never_widens_the_range_of_any_pack(
    case: tuple[Made, dict[str, object]], data: st.DataObject
) -> None:
    """More evidence met never brings back a grade that was ruled out, whatever order it comes in."""
    made, known = case
    book = made.book()
    kept: dict[str, object] = {}
    before = set(book.grade(kept, as_of=DAY).span("k").grades)
    for key in data.draw(st.permutations(sorted(known))):
        up = {each: wider for each, _, wider in made.facts}[key]
        while up is not None and known[key] is True:
            kept[up] = True
            up = {each: wider for each, _, wider in made.facts}[up]
        kept[key] = known[key]
        after = set(book.grade(said(kept, 5), as_of=DAY).span("k").grades)
        assert after <= before
        before = after

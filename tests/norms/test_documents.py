"""What the documents show is what the code does."""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from pathlib import Path

import pytest

from tongqiu.norms.grading import open_book
from tongqiu.norms.library import book

ROOT = Path(__file__).parents[2]
DAY = datetime.date(2026, 11, 23)
VECTORS = json.loads(
    (ROOT / "src/tongqiu/practices/grading/vectors/grades.json").read_text(encoding="utf-8"),
)


def example(document: str) -> str:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_pack_of_the_specification_is_read_and_grades_as_it_says() -> None:
    eg = open_book(example("spec/norm-pack.md").encode(), where="norm-pack.md")
    some = eg.grade({"example.credit": True}, as_of=DAY).span("risk")
    assert (some.state, some.low, some.high) == ("range", "ordinary", "high")
    full = eg.grade({"example.credit": True, "example.human": False}, as_of=DAY)
    assert full.span("risk").grades == ("high",)
    (held,) = full.fired
    assert held.pending
    assert not held.checked
    assert (
        not eg.grade({"example.credit": True, "example.human": False}, as_of=datetime.date(2027, 1, 1)).fired[0].pending
    )


def test_the_guide_grades_as_it_says() -> None:
    from tongqiu.practices.grading.probes import check, flat

    facts = flat(tomllib.loads(example("guides/grading.md"))["facts"])
    check(facts)
    graded = book("eu-ai-act").grade(facts, as_of=DAY)
    assert graded.span("system").grades == ("high",)
    assert graded.span("model").state == "unanswered"
    del facts["eu.profiling"]
    system = book("eu-ai-act").grade(facts, as_of=DAY).span("system")
    assert (system.state, system.low, system.high) == ("range", "minimal", "high")


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_vectors(case: dict[str, object]) -> None:
    facts = case["facts"]
    assert isinstance(facts, dict)
    graded = book(VECTORS["pack"]).grade(facts, as_of=DAY)
    spans = {span.scale: {"state": span.state, "grades": list(span.grades)} for span in graded.spans}
    assert spans == case["spans"]
    assert sorted(held.rule for held in graded.fired) == case["fired"]
    assert [gap.fact for gap in graded.gaps[:5]] == case["first_questions"]

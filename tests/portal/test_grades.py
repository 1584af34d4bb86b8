"""Gradings are read by their form, on the whole scale of their pack where it is here, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.portal import paper
from tongqiu.norms import library
from tongqiu.portal.grades import grades


def span(scale: str, *ids: str, state: str = "range") -> dict[str, Any]:
    return {
        "scale": scale,
        "title": {"en": "Scale", "zh": "等级"},
        "state": state,
        "grades": [{"id": each, "title": {"en": each, "zh": each}} for each in ids],
    }


def read(*bodies: dict[str, Any]) -> list[tuple[int, int, int, str]]:
    node = paper.PaperNode()
    for body in bodies:
        node.say(paper.GRADED.name, paper.SYSTEM, body)
    return [(len(each.steps), each.low, each.high, each.state) for each in grades(node.statements)]


def test_a_pack_that_is_here_lends_the_whole_scale() -> None:
    scale = library.book("eu-ai-act").pack.scales[0]
    ids = [each.id for each in scale.grades]
    assert read({"pack": "eu-ai-act", "spans": [span(scale.id, *ids[1:3])]}) == [(len(ids), 1, 2, "range")]


def test_an_unknown_pack_scale_or_step_shows_only_what_is_possible() -> None:
    scale = library.book("eu-ai-act").pack.scales[0].id
    assert read({"pack": "nowhere", "spans": [span("x", "a", "b")]}) == [(2, 0, 1, "range")]
    assert read({"pack": "eu-ai-act", "spans": [span("x", "a")]}) == [(1, 0, 0, "range")]
    assert read({"pack": "eu-ai-act", "spans": [span(scale, "a", "b")]}) == [(2, 0, 1, "range")]


@pytest.mark.parametrize(
    "body",
    [
        {"pack": "p", "spans": [{}]},
        {"pack": "p", "spans": [span("x")]},
        {"pack": "p", "spans": [span("x", "a", state="perfect")]},
        {"pack": "p", "spans": "x"},
        {"pack": 1, "spans": [span("x", "a")]},
        {"spans": [span("x", "a")]},
        {"pack": "p", "spans": [span("x", "a")], "rules": [{"state": "fired"}]},
    ],
)
def test_what_has_not_the_form_of_a_grading_is_none(body: dict[str, Any]) -> None:
    assert read(body) == []


def test_the_grade_said_last_counts_on_each_scale() -> None:
    first = {"pack": "p", "spans": [span("x", "a", "b"), span("y", "c")]}
    later = {"pack": "p", "spans": [span("x", "a", state="graded")]}
    assert read(first, later) == [(1, 0, 0, "graded"), (1, 0, 0, "range")]

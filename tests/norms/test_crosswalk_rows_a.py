"""The rows from the EU AI Act to the NIST framework, and from there to the action plan: complete, sober, in two languages."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tongqiu.norms.crosswalks.reading import former
from tongqiu.norms.crosswalks.shelf import Shelf, load, shipped_pack

if TYPE_CHECKING:
    from tongqiu.norms.crosswalk import Crosswalk

LAW, FRAMEWORK, PLAN = "eu-ai-act", "nist-ai-rmf", "global-ai-governance-action-plan"
OURS = (f"{LAW}--{FRAMEWORK}", f"{FRAMEWORK}--{PLAN}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(params=OURS)
def walk(request: pytest.FixtureRequest) -> Crosswalk:
    return load(request.param)


def current(name: str, walk: Crosswalk) -> set[str]:
    return {each.id for each in shipped_pack(name).requirements if not former(each, walk.known_at)}


def test_the_current_rows_and_only_they_are_answered(walk: Crosswalk) -> None:
    assert {each.from_ for each in walk.relations if each.from_} == current(walk.from_, walk)
    assert {each.to for each in walk.relations if each.to} == current(walk.to, walk)


def test_a_former_row_is_one_that_the_law_has_replaced() -> None:
    """Rows of 2024 that Regulation (EU) 2026/1744 replaced or took out are history and need no answer."""
    law = shipped_pack(LAW)
    left = {each.id for each in law.requirements} - current(LAW, load(OURS[0]))
    assert {name for name in left if not name.endswith("-2024")} == {"annex8.b.7", "annex8.b.9"}
    assert not {each.id for each in law.requirements if each.id.endswith("-2024")} - left


@pytest.mark.parametrize(
    ("name", "counts", "alone"),
    [
        (OURS[0], {"intersects": 183, "superset": 1, "none": 204}, (187, 17)),
        (OURS[1], {"intersects": 63, "superset": 1, "none": 56}, (21, 35)),
    ],
)
def test_how_many_rows_of_each_type(name: str, counts: dict[str, int], alone: tuple[int, int]) -> None:
    """The counts are printed with ``pytest -s``; a change of them is a change of what the crosswalk says."""
    walk = load(name)
    found = Counter(each.type for each in walk.relations)
    print(name, dict(found), [len(walk.alone(side)) for side in ("from", "to")])  # noqa: T201 - the counts are asked for
    assert found == counts
    assert (len(walk.alone("from")), len(walk.alone("to"))) == alone


def test_each_pair_has_its_own_reason_in_both_languages(walk: Crosswalk) -> None:
    for each in walk.relations:
        assert CHINESE.search(each.why.zh), each
        assert not CHINESE.search(each.why.en), each
        assert each.why.en.endswith("."), each
        assert each.why.zh.endswith("。"), each
    for language in ("en", "zh"):
        told = Counter(getattr(each.why, language) for each in walk.mapped)
        assert [text for text, times in told.items() if times > 1] == []


def test_strength_and_confidence_do_not_contradict_each_other(walk: Crosswalk) -> None:
    """Who is unsure claims no strong relation, and who is sure of one finds more than a trace."""
    for each in walk.mapped:
        assert each.strength <= 4 or each.confidence != "low", each
        assert each.strength >= 5 or each.confidence != "high", each
        assert each.strength < 10, each


def test_nobody_is_said_to_have_reviewed_what_nobody_reviewed(walk: Crosswalk) -> None:
    assert not any(each.reviewed for each in walk.relations)
    assert {each.mapped_by for each in walk.relations} == {"Tongqiu contributors"}


@pytest.mark.parametrize(
    ("one", "other", "type_"),
    [
        ("art9.1", "govern-1.4", "intersects"),
        ("art14.1", "map-3.5", "intersects"),
        ("art14.4.e", "manage-2.4", "intersects"),
        ("art72.1", "manage-4.1", "intersects"),
        ("annex4.2.b", "map-2.1", "superset"),
        ("art5.1.c", None, "none"),
        ("art50.2", None, "none"),
        ("annex5.8", None, "none"),
        (None, "manage-2.2", "none"),
    ],
)
def test_rows_of_the_law(one: str | None, other: str | None, type_: str) -> None:
    assert [each.type for each in load(OURS[0]).relations if (each.from_, each.to) == (one, other)] == [type_]


@pytest.mark.parametrize(
    ("one", "other", "type_"),
    [
        ("measure-2.6", "9.2", "superset"),
        ("measure-2.11", "8.2", "intersects"),
        ("map-3.5", "10.10", "intersects"),
        ("map-1.4", None, "none"),
        (None, "12.1", "none"),
    ],
)
def test_rows_of_the_plan(one: str | None, other: str | None, type_: str) -> None:
    assert [each.type for each in load(OURS[1]).relations if (each.from_, each.to) == (one, other)] == [type_]


def test_both_are_found_from_either_side() -> None:
    shelf = Shelf(own=lambda: [load(name) for name in OURS])
    there, back = shelf.mapped(LAW, FRAMEWORK), shelf.mapped(FRAMEWORK, LAW)
    assert there is not None
    assert back is not None
    assert len(there.relations) == len(back.relations)
    assert [each.type for each in back.mapped if (each.from_, each.to) == ("map-2.1", "annex4.2.b")] == ["subset"]


def test_overlaps_alone_let_nothing_follow_from_the_law_to_the_plan() -> None:
    """Two overlaps in a row prove no third one: the laws of sets give no relation, and none is made up."""
    shelf = Shelf(own=lambda: [load(name) for name in OURS])
    assert shelf.between(LAW, PLAN).relations == ()

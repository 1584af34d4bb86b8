"""The rows between the EU AI Act and the Action Plan, and China's rules and the NIST framework: whole, sober, bilingual."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tongqiu.norms.crosswalks.reading import former
from tongqiu.norms.crosswalks.shelf import Shelf, load, shipped_pack

if TYPE_CHECKING:
    from tongqiu.norms.crosswalk import Crosswalk

LAW, PLAN = "eu-ai-act", "global-ai-governance-action-plan"
CHINA, FRAMEWORK = "cn-generative-ai", "nist-ai-rmf"
OURS = (f"{LAW}--{PLAN}", f"{CHINA}--{FRAMEWORK}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(params=OURS)
def walk(request: pytest.FixtureRequest) -> Crosswalk:
    """Return one of the two crosswalks."""
    return load(request.param)


def test_the_current_rows_and_only_they_are_answered(walk: Crosswalk) -> None:
    for name, named in (
        (walk.from_, {each.from_ for each in walk.relations if each.from_}),
        (walk.to, {each.to for each in walk.relations if each.to}),
    ):
        rows = shipped_pack(name).requirements
        gone = {each.id for each in rows if former(each, walk.known_at) or each.id.endswith("-2024")}
        assert named == {each.id for each in rows} - gone


@pytest.mark.parametrize(
    ("name", "counts", "alone"),
    [
        (OURS[0], {"intersects": 220, "subset": 7, "none": 148}, (119, 29)),
        (OURS[1], {"intersects": 97, "none": 89}, (56, 33)),
    ],
)
def test_how_many_rows_of_each_type(name: str, counts: dict[str, int], alone: tuple[int, int]) -> None:
    """The counts are printed with ``pytest -s``; a change of them is a change of what the crosswalk says."""
    walk = load(name)
    found = Counter(each.type for each in walk.relations)
    print(name, dict(found), [len(walk.alone(side)) for side in ("from", "to")])  # noqa: T201 - the counts are asked for
    assert found == counts
    assert (len(walk.alone("from")), len(walk.alone("to"))) == alone


def test_every_row_gives_its_reason_in_both_languages_and_is_unreviewed(walk: Crosswalk) -> None:
    for each in walk.relations:
        assert each.why.en.endswith(".")
        assert each.why.en.isascii()
        assert each.why.zh.endswith("。")
        assert CHINESE.search(each.why.zh)
        assert not any(mark in each.why.zh for mark in ",;:")
        assert each.mapped_by == "Tongqiu contributors"
        assert not each.reviewed


def test_a_pair_has_a_reason_of_its_own(walk: Crosswalk) -> None:
    for language in ("en", "zh"):
        reasons = Counter(getattr(each.why, language) for each in walk.mapped)
        assert {why for why, times in reasons.items() if times > 1} == set()


def test_no_pair_is_surer_than_the_row_it_starts_from(walk: Crosswalk) -> None:
    rows = {each.id: each for each in shipped_pack(walk.from_).requirements}
    for each in walk.mapped:
        assert rows[str(each.from_)].checked_by or each.confidence == "low", each


def test_work_on_an_aim_of_the_plan_shows_no_duty_as_fulfilled() -> None:
    """A row of the Act within an aim of the Plan is not answered by it: such rows have low confidence, and none equals."""
    contained = [each for each in load(OURS[0]).mapped if each.type != "intersects"]
    assert {each.type for each in contained} == {"subset"}
    assert {each.confidence for each in contained} == {"low"}


def test_the_shelf_holds_both_and_reads_them_either_way() -> None:
    shelf = Shelf()
    for one, other in ((LAW, PLAN), (CHINA, FRAMEWORK)):
        there, back = shelf.mapped(one, other), shelf.mapped(other, one)
        assert there is not None
        assert back is not None
        assert {(each.from_, each.to) for each in there.mapped} == {(each.to, each.from_) for each in back.mapped}

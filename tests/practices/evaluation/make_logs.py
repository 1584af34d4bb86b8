"""Makes the logs in ``data/`` with the real engine: run it again after a new version of Inspect, and commit what it gives.

    python -m tests.practices.evaluation.make_logs tests/practices/evaluation/data

A mock model answers, with its use told outright, because counting it would reach for the network. ``capitals.eval`` is a whole
run of two epochs and two scorers; ``marked.eval`` one with an edited score, an invalid sample and one that failed;
``cancelled.json`` the same run as JSON, cut short.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

SAMPLES = 12


def run(folder: Path, *, samples: int = SAMPLES, epochs: int = 2, fail: bool = False) -> EvalLog:
    """Ask a mock model for capitals, twice each, and return the log; with ``fail`` it breaks on one question."""
    from inspect_ai import Task
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import GenerateConfig, ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import includes, match
    from inspect_ai.solver import generate

    def reply(asked: list[Any], *_: object) -> ModelOutput:
        text = str(asked[-1].content)
        if fail and "Atlantis" in text:
            raise RuntimeError("no such place")
        output = ModelOutput.from_content("mockllm/model", "Paris" if "France" in text else "no")
        output.usage = ModelUsage(input_tokens=5, output_tokens=1, total_tokens=6)
        return output

    places = ["Atlantis" if fail and at == 1 else "France" if at % 3 else "Peru" for at in range(samples)]
    questions = [Sample(id=at, input=f"Capital of {place} ({at})?", target="Paris") for at, place in enumerate(places)]
    task = Task(
        dataset=MemoryDataset(questions, name="capitals"),
        solver=[generate()],
        scorer=[includes(), match()],
        name="capital_check",
        version=2,
        config=GenerateConfig(temperature=0.0, max_tokens=8, seed=7),
    )
    model = get_model("mockllm/model", custom_outputs=reply)
    logs = evaluate(task, model=model, log_dir=str(folder), display="none", epochs=epochs, fail_on_error=False)
    return logs[0]


def make(folder: Path) -> None:
    """Write the three logs into ``folder``."""
    from inspect_ai.log import ProvenanceData, edit_score, invalidate_samples, read_eval_log, write_eval_log
    from inspect_ai.scorer import ScoreEdit

    with tempfile.TemporaryDirectory() as place:
        made = run(Path(place) / "whole")
        (folder / "capitals.eval").write_bytes(Path(str(made.location)).read_bytes())
        whole = read_eval_log(made.location)
        broken = read_eval_log(run(Path(place) / "broken", epochs=1, fail=True).location)
    who = ProvenanceData(author="somebody", reason="a test")
    edit_score(broken, 0, "includes", ScoreEdit(value="C", provenance=who))
    samples = broken.samples or []
    broken = invalidate_samples(broken, [str(samples[4].uuid)], who)
    write_eval_log(broken, str(folder / "marked.eval"))
    whole.status = "cancelled"
    samples = whole.samples or []
    whole.samples = samples[:4]
    write_eval_log(whole, str(folder / "cancelled.json"), format="json")


if __name__ == "__main__":
    make(Path(sys.argv[1]))

"""What our part of a run costs beside the engine's own: measured in processor time, with a model that answers at once.

The engine alone runs the same questions with its own mock model and its own scorer; then the same questions go through the
whole of :func:`~tongqiu.practices.evaluation.language.runner.run`: kept answers, judge, floors, digests, record and files.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.practices.evaluation.language import engine, runner
from tongqiu.practices.evaluation.language.models import Answer, Called, Pins
from tongqiu.practices.evaluation.methods.shelf import Method, Question
from tongqiu.practices.evaluation.objects import SystemIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.practice import World

_NOON = "2026-11-01T12:00:00.000Z"
_WARM = 20


class Cost(NamedTuple):
    """Processor seconds for ``items`` questions: the engine alone, and all of ours with the engine in it."""

    items: int
    engine_s: float
    ours_s: float

    @property
    def overhead(self) -> float:
        """Return what we add, as a share of the engine's own."""
        return self.ours_s / self.engine_s - 1


def cost(method: Method, items: int, lend: Callable[[], World]) -> Cost:
    """Return the processor time for ``items`` copies of the questions of ``method``.

    ``lend`` returns a world with an empty journal and an empty scratch folder at each call. Both ways run a few questions
    first, so that imports count for neither. Raises Missing (``language.engine``).
    """
    for size in (_WARM, items):
        many = multiply(method, size)
        start = time.process_time()
        _alone(many, lend().scratch.path)
        middle = time.process_time()
        _ours(many, lend())
        end = time.process_time()
    return Cost(items, middle - start, end - middle)


def multiply(method: Method, items: int) -> Method:
    """Return ``method`` with ``items`` questions: its own, again and again under other names, in clusters of two."""
    made = tuple(
        Question(f"copy-{at}", f"cluster-{at // 2}", each.language, each.slice, each.messages, each.target)
        for at, each in ((at, method.questions[at % len(method.questions)]) for at in range(items))
    )
    return method._replace(questions=made)


def _ours(method: Method, world: World) -> None:
    model = Called(lambda _: Answer("Yes.", 30, 2), "mock")
    system = SystemIdentity("name-and-date", "mock", _NOON)
    told = runner.run(runner.Job(method, system, Pins(32), 0), model, world)
    assert told.run.completeness.planned == len(method.questions)  # noqa: S101 - a figure of half a run would be none


def _alone(method: Method, place: Path) -> None:
    """Do what the engine does by itself: its mock model, its scorer, its log."""
    import inspect_ai
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    def say(*_: Any) -> ModelOutput:  # noqa: ANN401 - as the engine calls it
        output = ModelOutput.from_content("mock", "Yes.")
        output.usage = ModelUsage(input_tokens=30, output_tokens=2, total_tokens=32)
        return output

    with engine.apart(place):
        samples = [
            Sample(
                id=each.id,
                target="yes",
                input=[
                    (ChatMessageSystem if role == "system" else ChatMessageUser)(content=words)
                    for role, words in each.messages
                ],
                metadata={
                    "cluster": each.cluster,
                    "language": each.language,
                    "slice": each.slice,
                    "target": each.target,
                },
            )
            for each in method.questions
        ]
        task = inspect_ai.Task(dataset=MemoryDataset(samples), solver=generate(), scorer=includes(), name="alone")
        model = get_model("mockllm/model", custom_outputs=say, memoize=False)
        (log,) = inspect_ai.eval(task, model=model, max_samples=1, **engine.quiet(place))
        Path(log.location.removeprefix("file://")).read_bytes()


__all__ = ["Cost", "cost", "multiply"]

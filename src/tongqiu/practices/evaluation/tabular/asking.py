"""Asking the model again about changed rows, all of them in one go: starting its process costs more than many answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.practices.evaluation.declared import HALF
from tongqiu.practices.evaluation.probes import ask_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practice import World
    from tongqiu.practices.evaluation.bodies import Source
    from tongqiu.practices.evaluation.declared import Params
    from tongqiu.practices.evaluation.tabular.draws import Numbers

    Features = NDArray[np.float32]

MAX_BYTES = 256 << 20
"""Most bytes of changed rows that one question may hold."""


class Answers(NamedTuple):
    """What the model said of each row: ``chance`` of the positive class (or 0 and 1, where it only names classes), and decisions.

    ``sound`` tells where the answer was a number at all.
    """

    probable: bool
    chance: Numbers
    decision: NDArray[np.bool_]
    sound: NDArray[np.bool_]


class Prepared(NamedTuple):
    """Rows that somebody wants answers to, and what he makes of them."""

    features: Features
    finish: Callable[[Answers], Any]


def together(params: Params, source: Source, world: World, prepared: Sequence[Prepared]) -> list[Any]:
    """Ask once about the rows of all ``prepared`` and return what each makes of its answers, in order."""
    import numpy as np

    answers = ask(params, source, world, np.concatenate([each.features for each in prepared]))
    made, start = [], 0
    for each in prepared:
        part = slice(start, start + len(each.features))
        start = part.stop
        made.append(
            each.finish(Answers(answers.probable, answers.chance[part], answers.decision[part], answers.sound[part]))
        )
    return made


def ask(params: Params, source: Source, world: World, features: Features) -> Answers:
    """Return the model's answers to ``features`` (rows by the model's inputs), decided as in the evaluation itself."""
    import numpy as np

    kind, values = ask_model(params, world, features)
    sound = np.isfinite(values)
    within = values[sound]
    probable = kind == "probability" and bool(((within >= 0.0) & (within <= 1.0)).all())
    event = values >= (params.threshold if kind == "probability" else HALF)
    forward = source.threshold_class == source.positive
    chance = values if probable else event.astype(np.float64)
    return Answers(probable, chance if forward else 1.0 - chance, event if forward else ~event, sound)


def rows_for(columns: int, variants: int, limit: int) -> int:
    """Return how many rows may be looked at when each is asked about in ``variants`` ways: at most ``limit``, at least 1."""
    return max(1, min(limit, MAX_BYTES // (4 * max(1, columns) * max(1, variants))))

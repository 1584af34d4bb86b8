"""The process that runs the package ``shap`` over a model: rows in on standard input, contributions out, nothing else.

Started through the lent pool like :mod:`tongqiu.practices.evaluation.onnx_child`, whose way of running a model it shares: under
limits, without network, and shap only ever sees the model through its answers.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from tongqiu.practices.evaluation.onnx_child import Answer, CannotError, Order, frame, score, unframe

if TYPE_CHECKING:
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

EXACT = 10
"""Up to so many columns every subset of them is asked about; beyond, orders are drawn."""

MAX_EVALUATIONS = 4
"""Orders of all columns, forwards and backwards, that are walked for a row beyond :data:`EXACT`."""


class Question(msgspec.Struct, frozen=True):
    """The model, and how many of the rows sent are the background; the others are explained."""

    order: Order
    background: int
    seed: int


def contributions(question: Question, rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], str]:
    """Return a line for each explained row: its base, its answer, then each column's contribution; and the explainer's name."""
    import numpy as np
    import shap  # type: ignore[import-untyped]

    order = question.order
    background, explained = rows[: question.background], rows[question.background :]

    def answer(asked: NDArray[np.float64]) -> NDArray[np.float64]:
        part = msgspec.structs.replace(order, rows=len(asked))
        return score(part, np.ascontiguousarray(asked, dtype=np.float32))[1]

    columns = len(order.inputs)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    if columns <= EXACT:
        name, explainer = "exact", shap.explainers.ExactExplainer(answer, masker)
        found = explainer(explained, silent=True)
    else:
        name, explainer = "permutation", shap.explainers.PermutationExplainer(answer, masker, seed=question.seed)
        found = explainer(explained, max_evals=MAX_EVALUATIONS * (2 * columns + 1), silent=True)
    base = np.broadcast_to(np.asarray(found.base_values, dtype=np.float64).reshape(-1, 1), (len(explained), 1))
    return np.concatenate(
        [base, answer(explained.astype(np.float64))[:, None], found.values], axis=1
    ), f"{name}@{shap.__version__}"


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer one question."""
    import numpy as np

    question, body = unframe(source.read(), Question)
    rows = np.frombuffer(body, dtype="<f4").reshape(-1, len(question.order.inputs))
    try:
        found, name = contributions(question, rows)
    except CannotError as error:
        sink.write(frame(Answer(fault=error.fault, detail=error.detail)))
        return
    sink.write(frame(Answer(kind=name), found.astype("<f8").tobytes()))


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)

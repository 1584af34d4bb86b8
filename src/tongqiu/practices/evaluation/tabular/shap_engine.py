"""Asking the package ``shap`` what a model hangs on; it runs in a process of its own, and only where the owner asks for it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.practices.evaluation import onnx_model
from tongqiu.practices.evaluation.onnx_child import Order, frame
from tongqiu.practices.evaluation.tabular.draws import SEED, generator
from tongqiu.practices.evaluation.tabular.shap_child import Question
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.practice import World
    from tongqiu.practices.evaluation.bodies import Source
    from tongqiu.practices.evaluation.declared import Params
    from tongqiu.practices.evaluation.tabular.asking import Features
    from tongqiu.practices.evaluation.tabular.draws import Numbers

CHILD = "tongqiu.practices.evaluation.tabular.shap_child"
BACKGROUND = 32
EXPLAINED = 48
SECONDS = 300.0
MEGABYTES = 8192


class Contributions(NamedTuple):
    """What each column added to the chance of each explained row (rows by columns), and how far the sums are off at most."""

    method: str
    rows: Features
    values: Numbers
    additivity: float


def explain(params: Params, source: Source, world: World, features: Features) -> Contributions:
    """Return shap's contributions of the inputs to the chance of the positive class, on some of the rows ``features`` (at least 2).

    Raises Missing (``evaluation.no-shap``) and whatever running the model raises.
    """
    import numpy as np

    if importlib.util.find_spec("shap") is None:
        raise Missing(
            "evaluation.no-shap",
            Text(en="The package that works out SHAP values is not installed.", zh="未安装计算 SHAP 值的软件包。"),
            do=Text(
                en="Run: pip install 'tongqiu[explain]', or take explain out of the manifest.",
                zh="请运行：pip install 'tongqiu[explain]'，或从清单中删去 explain。",
            ),
        )
    assert params.model_path is not None  # noqa: S101 - planned for models alone
    file = onnx_model.checked(world.tree, params.model_path)
    lot = generator(*features.shape, 5).permutation(len(features))
    background = min(BACKGROUND, len(features) // 2)
    rows = features[lot[: background + EXPLAINED]]
    order = Order(str(world.tree.locate(file)), params.inputs, len(rows), params.output)
    message = frame(Question(order, background, SEED), np.ascontiguousarray(rows, dtype="<f4").tobytes())
    reply = world.pool.run([CHILD], message, seconds=SECONDS, megabytes=MEGABYTES)
    answer, body = onnx_model.read(reply, file)
    found = np.frombuffer(body, dtype="<f8").reshape(-1, 2 + len(params.inputs))
    # The model's own answer speaks of its class; what lowers that raises the other.
    sign = 1.0 if source.threshold_class == source.positive else -1.0
    additivity = float(np.abs(found[:, 2:].sum(axis=1) + found[:, 0] - found[:, 1]).max())
    return Contributions(f"shap.{answer.kind}", rows[background:], sign * found[:, 2:], additivity)

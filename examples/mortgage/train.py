# SPDX-License-Identifier: Apache-2.0
"""Fit the scorer of the mortgage example: logistic regression by iteratively reweighted least squares, then ONNX.

    python train.py training.csv model.onnx

Reads the features named in FEATURES and the column ``deny``; neither ``afam`` nor ``single`` is a feature. Prints the
threshold at which the scorer denies as large a share of the training cases as was denied. Coefficients and threshold are
rounded, so that every machine writes the same bytes.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

FEATURES = (
    "pirat",
    "hirat",
    "lvrat",
    "chist",
    "mhist",
    "unemp",
    "phist",
    "selfemp",
    "insurance",
    "condomin",
    "hschool",
)
OPSET = 17
IR_VERSION = 8


def fit(features: np.ndarray, denied: np.ndarray) -> tuple[np.ndarray, float]:
    """Return coefficients and intercept that maximise the likelihood (Newton steps until none moves by 1e-12)."""
    middle, spread = features.mean(axis=0), features.std(axis=0)
    design = np.column_stack([np.ones(len(features)), (features - middle) / spread])
    beta = np.zeros(design.shape[1])
    for _ in range(100):
        chance = 1.0 / (1.0 + np.exp(-design @ beta))
        weight = chance * (1.0 - chance)
        step = np.linalg.solve(design.T @ (design * weight[:, None]), design.T @ (denied - chance))
        beta += step
        if np.abs(step).max() < 1e-12:
            break
    slope = beta[1:] / spread
    return np.round(slope, 6), round(float(beta[0] - slope @ middle), 6)


def model(slope: np.ndarray, intercept: float) -> onnx.ModelProto:
    """Return the ONNX model: float features (rows by features) in, probability of denial (rows) out."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [len(slope), 1], slope.astype(np.float32))
    bias = helper.make_tensor("bias", TensorProto.FLOAT, [1], np.array([intercept], dtype=np.float32))
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["features", "weights"], ["products"]),
            helper.make_node("Add", ["products", "bias"], ["logit"]),
            helper.make_node("Sigmoid", ["logit"], ["chance"]),
            helper.make_node("Squeeze", ["chance", "axis"], ["probability"]),
        ],
        "mortgage-scorer",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(slope)])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows"])],
        [weights, bias, axis],
    )
    made = helper.make_model(graph, producer_name="mortgage-example", opset_imports=[helper.make_opsetid("", OPSET)])
    made.ir_version = IR_VERSION
    onnx.checker.check_model(made)
    return made


def train(table: Path, out: Path) -> float:
    """Fit on ``table``, write the model to ``out`` and return the threshold."""
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    features = np.array([[float(row[name]) for name in FEATURES] for row in rows])
    denied = np.array([row["deny"] == "yes" for row in rows], dtype=float)
    slope, intercept = fit(features, denied)
    out.write_bytes(model(slope, intercept).SerializeToString(deterministic=True))
    chance = 1.0 / (1.0 + np.exp(-(features @ slope + intercept)))
    return round(float(np.quantile(chance, 1.0 - denied.mean())), 3)


if __name__ == "__main__":
    print("threshold", train(Path(sys.argv[1]), Path(sys.argv[2])))

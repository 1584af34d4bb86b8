"""What a fairness report costs: beside a plain pass over the same data, and beside fairlearn in the same run."""

from __future__ import annotations

import functools
import math
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import coverage_evaluation
from tongqiu.practices.evaluation.counting import count
from tongqiu.practices.evaluation.fairness import RATES, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.report import Report

ROWS = 10_000_000
ITEMS = 1000
PEER_ROWS = 1_000_000
"""fairlearn needs some twenty seconds of processor for this many."""


def run(benchmark: Report) -> None:
    """Measure counting and report at ten million rows, then the same report beside fairlearn's MetricFrame."""
    columns = _columns(ROWS)
    least = _seconds(lambda: [int(column.sum()) for column in columns.values()])
    spent = _seconds(lambda: _ours(columns))
    benchmark.add(
        f"report of {len(RATES)} measures, 2 features with intersections and intervals, 1e7 rows",
        spent,
        "CPU-s",
        against=("numpy sum of the same four columns", least),
        bar=("at most", 1.0),
    )
    benchmark.add("rows counted", ROWS / spent / 1e6, "million/CPU-s")
    _growth(benchmark)
    _beside_fairlearn(benchmark)
    coverage_evaluation.run(benchmark)
    _beside_inspect(benchmark)


def _beside_inspect(benchmark: Report) -> None:
    """Measure what our part of a run of a language model adds to the engine's own, with a model that answers at once."""
    try:
        import inspect_ai  # noqa: F401 - only whether it is there
    except ImportError:
        return
    from tests.practices.evaluation.language_world import lend
    from tongqiu.practices.evaluation.language.cost import cost
    from tongqiu.practices.evaluation.methods.shelf import find

    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cost(find("misinformation"), ITEMS, lambda: lend(Path(tempfile.mkdtemp(dir=place))))
    benchmark.add(
        f"language-model run of {found.items} items, all of ours",
        found.ours_s,
        "CPU-s",
        against=("inspect-ai alone", found.engine_s),
    )
    benchmark.add("  what ours adds", 100 * found.overhead, "%", bar=("at most", 10.0))


def _growth(benchmark: Report) -> None:
    """Show that cost grows as the rows do."""
    first = None
    for rows in (100_000, 1_000_000, 10_000_000):
        columns = _columns(rows)
        each = _seconds(functools.partial(_ours, columns)) / rows
        first = first or each
        benchmark.add(f"  processor time a row at {rows:,} rows, over that at 100,000", each / first, "times")


def _beside_fairlearn(benchmark: Report) -> None:
    try:
        from fairlearn import metrics
        from sklearn import metrics as scores
    except ImportError:
        return
    columns = _columns(PEER_ROWS)
    wanted: dict[str, Any] = {
        "selection-rate": metrics.selection_rate,
        "base-rate": lambda y_true, y_pred: metrics.selection_rate(y_pred, y_true),
        "accuracy": scores.accuracy_score,
        "true-positive-rate": metrics.true_positive_rate,
        "false-positive-rate": metrics.false_positive_rate,
        "true-negative-rate": metrics.true_negative_rate,
        "false-negative-rate": metrics.false_negative_rate,
        "precision": scores.precision_score,
    }

    def theirs() -> Any:  # noqa: ANN401 - a data frame
        return metrics.MetricFrame(
            metrics=wanted,
            y_true=columns["label"],
            y_pred=columns["decision"],
            sensitive_features={"one": columns["one"], "two": columns["two"]},
        ).by_group

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = _seconds(theirs, times=1)
        frame = theirs()
    spent = _seconds(lambda: _ours(columns))
    _same(frame, _ours(columns))
    benchmark.add(
        "the same with intervals and gaps (fairlearn: rates alone), 1e6 rows",
        1000 * spent,
        "CPU-ms",
        against=("fairlearn MetricFrame", 1000 * peer),
    )
    benchmark.add("fairlearn over ours, 1e6 rows", peer / spent, "times", bar=("at least", 1000.0))


def _columns(rows: int) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(20261123)
    one, two = rng.integers(0, 2, rows, dtype=np.uint8), rng.integers(0, 5, rows, dtype=np.uint8)
    label = rng.binomial(1, 0.4, rows).astype(np.uint8)
    decision = rng.binomial(1, 0.3 + 0.3 * label).astype(np.uint8)
    return {"one": one, "two": two, "label": label, "decision": decision}


def _ours(columns: dict[str, np.ndarray[Any, Any]]) -> Any:  # noqa: ANN401 - the report's own type
    sensitive = {"one": (columns["one"], "01"), "two": (columns["two"], "01234")}
    return report(count(sensitive, columns["label"], columns["decision"]), labelled=True)


def _same(frame: Any, ours: Any) -> None:  # noqa: ANN401 - a data frame and a report
    """Check that both say the same, so that the times compare like with like."""
    for group in ours.groups:
        if len(group.by) > 1:
            theirs = frame.loc[(int(group.by["one"]), int(group.by["two"]))]
            for value in group.values:
                assert math.isclose(value.value, theirs[value.measure], abs_tol=1e-12)


def _seconds(work: Callable[[], object], times: int = 3) -> float:
    """Return the least processor time of ``work`` over several runs."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)

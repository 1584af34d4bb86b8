"""Which decisions turn when the input changes in ways that must not matter, or only in a column that must not count.

Noise, rounding and the last digit of the machine are applied to columns of many values; a missing value is replaced by the
column's median, one column at a time. Where a sensitive column is itself an input, each case is asked about as if it were of
every other group. That turns no other column that goes with the group: it shows direct use, not use by way of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.measure.interval import clopper_pearson
from tongqiu.practices.evaluation.fairness import COVERAGE
from tongqiu.practices.evaluation.tabular.asking import Answers, Prepared, rows_for
from tongqiu.practices.evaluation.tabular.bodies import Flips, Robustness
from tongqiu.practices.evaluation.tabular.draws import SEED, drawn, generator, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practices.evaluation.declared import Params
    from tongqiu.practices.evaluation.probes import Cases
    from tongqiu.practices.evaluation.tabular.asking import Features
    from tongqiu.practices.evaluation.tabular.bodies import Share

    Flags = NDArray[np.bool_]

METHOD = "tongqiu.decision-flips@1"
MAX_ROWS = 20_000
CONTINUOUS = 10
"""A column with more different values than this is a quantity; noise on a yes-or-no column would be another case."""

NOISE = 0.01
"""Standard deviation of the noise, as a share of the column's spread."""

DIGITS = 3
"""Significant digits that are kept in rounding."""


def prepare(params: Params, cases: Cases) -> Prepared:
    """Return the changed rows to ask about, and how to count from the answers which decisions turned (a ``Robustness``)."""
    import numpy as np

    inputs = params.inputs
    everything = cases.features[:, : len(inputs)]
    rows = drawn(len(everything), rows_for(len(inputs), len(inputs) + 14, MAX_ROWS))
    features = everything[rows]
    changes = list(_changes(features, params))
    return Prepared(
        np.concatenate([features, *(each for _, each in changes)]),
        lambda answers: _counted(params, cases, rows, [change for change, _ in changes], answers),
    )


def _counted(
    params: Params, cases: Cases, rows: NDArray[np.int64], changes: list[Flips], answers: Answers
) -> Robustness:
    """Return how many decisions turn under each change, for all and by group."""
    import numpy as np

    n = len(rows)
    first = answers.decision[:n]
    flips: list[Flips] = []
    others: dict[str, Flags] = {}
    for at, change in enumerate(changes, start=1):
        part = slice(at * n, (at + 1) * n)
        turned = (answers.decision[part] != first) | ~answers.sound[part]
        if change.change == "other-group":
            name = change.columns[0]
            others[name] = others.get(name, np.zeros(n, dtype=np.bool_)) | turned
            continue
        flips.extend(_by_group(change, turned, cases, params, rows))
    for name, turned in others.items():
        flips.extend(_by_group(Flips("other-group", (name,)), turned, cases, params, rows))
    return Robustness(
        METHOD,
        cases.source,
        cases.rows,
        n,
        SEED,
        COVERAGE,
        "clopper-pearson",
        params.smallest_cell,
        tuple(flips),
    )


def _by_group(change: Flips, turned: Flags, cases: Cases, params: Params, rows: NDArray[np.int64]) -> Iterator[Flips]:
    """Yield the change for all cases and, where it touches all columns at once, for each group."""
    yield _flips(change, {}, turned, params.smallest_cell)
    if change.change in {"none", "median"}:
        return
    for name in params.sensitive:
        codes, levels = cases.codes(name)
        for at, level in enumerate(levels):
            mine = codes[rows] == at
            if mine.any():
                yield _flips(change, {name: level}, turned[mine], params.smallest_cell)


def _flips(change: Flips, by: dict[str, str], turned: Flags, smallest: int) -> Flips:
    outcome: Share | None = None
    if len(turned) >= smallest:
        outcome = share(int(turned.sum()), len(turned), clopper_pearson)
    return Flips(change.change, change.columns, by, change.size, outcome)


def _changes(features: Features, params: Params) -> Iterator[tuple[Flips, Features]]:
    """Yield each change and the rows after it, as many as ``features`` has."""
    import numpy as np

    inputs, many = params.inputs, quantities(features)
    names = tuple(name for name, each in zip(inputs, many, strict=True) if each)
    yield Flips("none", ()), features
    if many.any():
        rng = generator(*features.shape)
        noisy, rounded, last = features.copy(), features.copy(), features.copy()
        noise = rng.standard_normal(features.shape) * (NOISE * spread(features))
        noisy[:, many] = (features + noise).astype(np.float32)[:, many]
        yield Flips("noise", names, size=NOISE), _finite(noisy, features)
        rounded[:, many] = significant(features)[:, many]
        yield Flips("rounding", names, size=float(DIGITS)), _finite(rounded, features)
        away = np.where(rng.random(features.shape) < HALF, np.float32(-np.inf), np.float32(np.inf))
        last[:, many] = np.nextafter(features, away)[:, many]
        yield Flips("last-place", names, size=1.0), _finite(last, features)
    medians = np.median(features, axis=0)
    for at, name in enumerate(inputs):
        filled = features.copy()
        filled[:, at] = medians[at]
        yield Flips("median", (name,)), filled
    for name in params.sensitive:
        if name in inputs:
            at = inputs.index(name)
            values = np.unique(features[:, at])
            for value in values[:CONTINUOUS]:
                other = features.copy()
                other[:, at] = value
                yield Flips("other-group", (name,)), other


HALF = 0.5


def _finite(changed: Features, before: Features) -> Features:
    """Return ``changed``, with what overflowed left as it was."""
    import numpy as np

    return np.where(np.isfinite(changed), changed, before)


def quantities(features: Features) -> Flags:
    """Return which columns hold more than :data:`CONTINUOUS` different values."""
    import numpy as np

    return np.array([len(np.unique(features[:, at])) > CONTINUOUS for at in range(features.shape[1])], dtype=np.bool_)


def spread(features: Features) -> NDArray[np.float64]:
    """Return each column's spread: the quartiles' distance as of a normal curve, or the standard deviation where that is 0."""
    import numpy as np

    wide = features.astype(np.float64)
    low, high = np.quantile(wide, [0.25, 0.75], axis=0)
    found: NDArray[np.float64] = np.where(high > low, (high - low) / 1.349, wide.std(axis=0))
    return found


def significant(features: Features) -> Features:
    """Return ``features`` rounded to :data:`DIGITS` significant digits."""
    import numpy as np

    wide = features.astype(np.float64)
    size = np.where(wide == 0.0, 1.0, np.abs(wide))
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(size)))
    return (np.round(wide * scale) / scale).astype(np.float32)

"""What moved between two periods: the columns, the scores, the decisions, and how often they are right.

Many columns are compared at once, so one of them differs by luck; p-values are adjusted (Holm) and every index stands beside what
it exceeds in one case of twenty although nothing changed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from tongqiu.measure.distribution import chi_square_tail, z_two_sided
from tongqiu.measure.interval import newcombe
from tongqiu.measure.verdict import holm
from tongqiu.practices.evaluation.fairness import COVERAGE
from tongqiu.practices.evaluation.tabular.bodies import Bounded, Drift, Moved, Shift
from tongqiu.practices.evaluation.tabular.draws import SEED, drawn, generator, reflected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practices.evaluation.declared import Params
    from tongqiu.practices.evaluation.probes import Cases
    from tongqiu.practices.evaluation.tabular.draws import Numbers

    Role = Literal["input", "group", "outcome", "score", "decision"]

METHOD = "tongqiu.drift@1"
BINS = 10
RESAMPLES = 400
PERMUTATIONS = 999
PERMUTED_ROWS = 20_000
"""With more rows in both periods together, p is read off the limiting curve instead of shuffled."""

FEW = 10
"""A column with no more different values than this is counted by value."""

SMALLEST = 10
OTHER = "(other)"
_DUST = 1e-12


class _Column(NamedTuple):
    name: str
    role: Role
    before: Numbers
    after: Numbers
    levels: tuple[str, ...]


def drift(params: Params, before: Cases, after: Cases, earlier: Params) -> Drift:
    """Return what changed from ``before`` to ``after``, cases of two periods of one system."""
    rows = tuple(drawn(each.rows.done) for each in (before, after))
    columns = list(_columns(params, before, after, rows))
    found = [_shift(each) for each in columns]
    p_values = _p_values(columns, found)
    adjusted = holm([p for _, p in p_values])
    shifts = [
        Shift(
            column=each.name,
            role=each.role,
            kind="category" if each.levels else "number",
            before=tuple(counted.before),
            after=tuple(counted.after),
            index=counted.moved,
            floor=counted.floor,
            test=test,
            statistic=counted.statistic,
            p=p,
            adjusted=at_most,
            edges=tuple(counted.edges),
            levels=each.levels,
        )
        for each, counted, (test, p), at_most in zip(columns, found, p_values, adjusted, strict=True)
    ]
    return Drift(
        METHOD,
        after.source,
        earlier.data,
        after.rows,
        before.rows,
        len(rows[1]),
        len(rows[0]),
        SEED,
        RESAMPLES,
        COVERAGE,
        "holm",
        tuple(shifts),
        tuple(_performance(before, after)) if before.labelled and after.labelled else (),
        params.period,
        params.since,
    )


def _columns(params: Params, before: Cases, after: Cases, rows: Sequence[NDArray[np.int64]]) -> Iterator[_Column]:
    """Yield every column that both periods have: inputs, groups, outcome, scores, decisions."""
    import numpy as np

    pair = (before, after)
    features = [each.features[at] for each, at in zip(pair, rows, strict=True)]
    for place, name in enumerate(params.inputs if params.model_path is not None else ()):
        one, two = (each[:, place].astype(np.float64) for each in features)
        values = np.unique(np.concatenate([one, two]))
        if len(values) <= FEW:
            one, two = (np.searchsorted(values, each).astype(np.float64) for each in (one, two))
            yield _grouped(name, "input", one, two, [format(float(each), ".6g") for each in values])
        else:
            yield _Column(name, "input", one, two, ())
    for name in params.sensitive:
        if name in params.inputs:
            continue
        levels = sorted({level for each in pair for level in each.read.levels[name]})
        coded = []
        for each, at in zip(pair, rows, strict=True):
            codes, own = each.codes(name)
            coded.append(np.array([levels.index(level) for level in own], dtype=np.float64)[codes[at]])
        yield _grouped(name, "group", coded[0], coded[1], levels)
    positive, negative = after.source.positive, after.source.negative
    if before.labelled and after.labelled:
        one, two = (each.label[at].astype(np.float64) for each, at in zip(pair, rows, strict=True))
        yield _Column(str(params.label), "outcome", one, two, (negative, positive))
    if before.scores is not None and after.scores is not None:
        yield _Column("score", "score", before.scores[rows[0]], after.scores[rows[1]], ())
    one, two = (each.decision[at].astype(np.float64) for each, at in zip(pair, rows, strict=True))
    yield _Column("decision", "decision", one, two, (negative, positive))


def _grouped(name: str, role: Role, before: Numbers, after: Numbers, levels: list[str]) -> _Column:
    """Return a column of categories; levels that few cases have in either period are counted together."""
    import numpy as np

    counts = [np.bincount(each.astype(np.int64), minlength=len(levels)) for each in (before, after)]
    few = np.zeros(len(levels), dtype=np.bool_)
    for each in counts:
        few |= (each > 0) & (each < SMALLEST)
    if int(few.sum()) < 1:
        return _Column(name, role, before, after, tuple(levels))
    kept = [level for level, small in zip(levels, few, strict=True) if not small]
    target = np.where(few, len(kept), np.cumsum(~few) - 1).astype(np.float64)
    one, two = (target[each.astype(np.int64)] for each in (before, after))
    return _Column(name, role, one, two, (*kept, OTHER))


class _Counted(NamedTuple):
    before: list[int]
    after: list[int]
    edges: list[float]
    moved: Bounded
    floor: float
    statistic: float


def _shift(column: _Column) -> _Counted:
    import numpy as np

    edges: Numbers = np.empty(0)
    if column.levels:
        places = [each.astype(np.int64) for each in (column.before, column.after)]
        bins = len(column.levels)
    else:
        edges = np.unique(np.quantile(column.before, np.arange(1, BINS) / BINS))
        places = [np.searchsorted(edges, each, side="left") for each in (column.before, column.after)]
        bins = len(edges) + 1
    one, two = (np.bincount(each, minlength=bins) for each in places)
    rng = generator(len(column.before), len(column.after), bins)
    resampled = stability_index(
        rng.multinomial(one.sum(), one / one.sum(), RESAMPLES), rng.multinomial(two.sum(), two / two.sum(), RESAMPLES)
    )
    both = (one + two) / (one + two).sum()
    unmoved = stability_index(rng.multinomial(one.sum(), both, RESAMPLES), rng.multinomial(two.sum(), both, RESAMPLES))
    value = float(stability_index(one[None], two[None])[0])
    statistic = chi_square(one, two) if column.levels else _distance(column.before, column.after)
    return _Counted(
        one.tolist(),
        two.tolist(),
        edges.tolist(),
        reflected(value, resampled),
        float(np.quantile(unmoved, COVERAGE)),
        statistic,
    )


def stability_index(before: NDArray[np.int64], after: NDArray[np.int64]) -> Numbers:
    """Return the population stability index of each line of counts (lines by bins): sum of (q - p) ln(q / p).

    It is Jeffreys' divergence of the two shares; half a case is added to every bin, so that an empty one does not make it infinite.
    """
    import numpy as np

    bins = before.shape[1]
    p = (before + 0.5) / (before.sum(axis=1, keepdims=True) + 0.5 * bins)
    q = (after + 0.5) / (after.sum(axis=1, keepdims=True) + 0.5 * bins)
    found: Numbers = ((q - p) * np.log(q / p)).sum(axis=1)
    return found


def chi_square(before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """Return Pearson's statistic for the hypothesis that both lines of counts come from the same shares."""
    import numpy as np

    seen = (before + after) > 0
    one, two = before[seen].astype(np.float64), after[seen].astype(np.float64)
    both = (one + two) / (one.sum() + two.sum())
    return float(
        ((one - one.sum() * both) ** 2 / (one.sum() * both)).sum()
        + ((two - two.sum() * both) ** 2 / (two.sum() * both)).sum()
    )


def _distance(before: Numbers, after: Numbers) -> float:
    """Return the greatest distance between the two distributions (Smirnov's statistic)."""
    import numpy as np

    values = np.unique(np.concatenate([before, after]))
    one = np.searchsorted(np.sort(before), values, "right") / len(before)
    two = np.searchsorted(np.sort(after), values, "right") / len(after)
    return float(np.abs(one - two).max())


Test = Literal["ks-permutation", "ks-asymptotic", "chi-square"]


def _p_values(columns: Sequence[_Column], found: Sequence[_Counted]) -> list[tuple[Test, float]]:
    """Return test and p of each column; the same shuffles of periods serve all columns of numbers."""
    import numpy as np

    made: list[tuple[Test, float]] = [("chi-square", 1.0)] * len(columns)
    numbers = [at for at, each in enumerate(columns) if not each.levels]
    for at, (each, counted) in enumerate(zip(columns, found, strict=True)):
        if each.levels:
            seen = sum(1 for one, two in zip(counted.before, counted.after, strict=True) if one + two)
            made[at] = ("chi-square", chi_square_tail(counted.statistic, seen - 1) if seen > 1 else 1.0)
    m, n = len(columns[0].before), len(columns[0].after)
    if m + n > PERMUTED_ROWS:
        for at in numbers:
            made[at] = ("ks-asymptotic", smirnov_tail(found[at].statistic, m, n))
        return made
    orders = []
    for at in numbers:
        pooled = np.concatenate([columns[at].before, columns[at].after])
        order = np.argsort(pooled, kind="stable")
        last = np.append(np.diff(pooled[order]) > 0, True)
        orders.append((order, last))
    step = np.concatenate([np.full(m, -1.0 / m), np.full(n, 1.0 / n)])
    rng = generator(m, n)
    reached = np.zeros(len(numbers), dtype=np.int64)
    for _ in range(PERMUTATIONS):
        shuffled = rng.permutation(step)
        for k, (order, last) in enumerate(orders):
            distance = np.abs(np.cumsum(shuffled[order])[last]).max()
            reached[k] += distance >= found[numbers[k]].statistic - _DUST
    for k, at in enumerate(numbers):
        made[at] = ("ks-permutation", float((1 + reached[k]) / (1 + PERMUTATIONS)))
    return made


def smirnov_tail(distance: float, m: int, n: int) -> float:
    """Return P(D >= distance) for two samples of m and n from one distribution: Kolmogorov's series with Stephens' (1970) correction.

    Where values are tied the true p is smaller: the test errs to the careful side.
    """
    effective = math.sqrt(m * n / (m + n))
    x = (effective + 0.12 + 0.11 / effective) * distance
    if x < 0.2:  # noqa: PLR2004 - the series needs many terms there, and its value is 1 to eleven digits
        return 1.0
    total = 2.0 * math.fsum((-1) ** (k - 1) * math.exp(-2.0 * k * k * x * x) for k in range(1, 101))
    return min(1.0, max(0.0, total))


def _performance(before: Cases, after: Cases) -> Iterator[Moved]:
    """Yield how accuracy, the share decided positive and the mean squared error of scores changed."""
    import numpy as np

    m, n = before.rows.done, after.rows.done
    for measure, one, two in (
        ("accuracy", before.decision == before.label, after.decision == after.label),
        ("selection-rate", before.decision, after.decision),
    ):
        x, y = int(one.sum()), int(two.sum())
        interval = newcombe((y, n), (x, m), COVERAGE)
        yield Moved(measure, x / m, y / n, m, n, Bounded(y / n - x / m, interval.low, interval.high), interval.method)
    if before.scores is not None and after.scores is not None and min(m, n) > 1:
        squares = [(before.label - before.scores) ** 2, (after.label - after.scores) ** 2]
        apart = float(np.mean(squares[1]) - np.mean(squares[0]))
        spread = z_two_sided(COVERAGE) * math.sqrt(sum(float(each.var(ddof=1)) / len(each) for each in squares))
        yield Moved(
            "brier",
            float(np.mean(squares[0])),
            float(np.mean(squares[1])),
            m,
            n,
            Bounded(apart, apart - spread, apart + spread),
            "normal",
        )

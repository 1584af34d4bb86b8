"""What the scores hang on, by explainers that are held against each other and against chance.

Three explainers: what shuffling a column costs (Breiman 2001; Fisher, Rudin and Dominici 2019), Shapley values by drawn orders
(Strumbelj and Kononenko 2014), both written here, and the package ``shap`` where the owner asks for it. An explainer explains the
model, not the world: a column may matter because it stands for another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from tongqiu.measure.combination import coverage_factor
from tongqiu.practices.evaluation.fairness import COVERAGE
from tongqiu.practices.evaluation.tabular import shap_engine, summary
from tongqiu.practices.evaluation.tabular.asking import Prepared, rows_for
from tongqiu.practices.evaluation.tabular.bodies import Agreement, Bounded, Explained, Explanation, Importance
from tongqiu.practices.evaluation.tabular.draws import (
    SEED,
    drawn,
    generator,
    percentile,
    rank_correlation,
    weights,
)
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practice import World
    from tongqiu.practices.evaluation.declared import Params
    from tongqiu.practices.evaluation.probes import Cases
    from tongqiu.practices.evaluation.tabular.asking import Answers, Features
    from tongqiu.practices.evaluation.tabular.bodies import Explainer
    from tongqiu.practices.evaluation.tabular.draws import Numbers

METHOD = "tongqiu.explanation@1"
PERMUTATION = "tongqiu.permutation-importance@1"
SHAPLEY = "tongqiu.shapley-sampling@1"
SHUFFLES = 5
RESAMPLES = 300
CHANCE = 200
MAX_ROWS = 2_000
SHAPLEY_ROWS = 64
ORDERS = 12
"""Orders in which the columns of one row are turned, half of them the other half backwards."""

SMALLEST = 10
"""Fewest cases to explain on."""

MAX_COLUMNS = 100
RANKED = 3
"""Fewest columns whose order is worth comparing."""

CLEAR = 0.5
"""Rank correlation of a column with its contributions from which one says that it raises, or lowers."""


class Judged(NamedTuple):
    """One explainer's importances, over all rows and over resampled rows (resamples by columns)."""

    explained: Explained
    values: Numbers
    resampled: Numbers


def prepare(params: Params, cases: Cases, world: World) -> Prepared:
    """Return the mixed rows to ask about, and how to read importances off the answers (an ``Explanation``).

    Rows for which the model gives no number under some mixture are left out. Raises Malformed (``evaluation.too-many-inputs``);
    reading raises Malformed (``evaluation.too-few-cases``), Missing (``evaluation.no-shap``).
    """
    import numpy as np

    columns = len(params.inputs)
    if columns > MAX_COLUMNS:
        raise Malformed(
            "evaluation.too-many-inputs",
            Text(
                en="The model reads {n} columns; importance is worked out for at most {limit}.",
                zh="该模型读取 {n} 列；最多可为 {limit} 列计算重要性。",
            ),
            do=Text(en="Explain the model by other means.", zh="请以其他方法解释该模型。"),
            where=str(params.model_path),
            n=columns,
            limit=MAX_COLUMNS,
        )
    everything = cases.features[:, :columns]
    rows = drawn(len(everything), rows_for(columns, SHUFFLES * columns, MAX_ROWS))
    features, label = everything[rows], cases.label[rows]
    paths = Paths.over(features)
    asked = np.concatenate([features, shuffles(features).reshape(-1, columns), paths.points()])

    def finish(answers: Answers) -> Explanation:
        found = _first_two(params.inputs, features, label, paths, answers, params.data_path)
        if "shap" in params.explain:
            said = shap_engine.explain(params, cases.source, world, features)
            found.append(contributed("shap", said.method, params.inputs, said.rows, said.values, said.additivity))
        return Explanation(
            METHOD,
            cases.source,
            cases.rows,
            len(rows),
            SEED,
            SHUFFLES,
            RESAMPLES,
            COVERAGE,
            "brier" if answers.probable else "error-rate",
            tuple(each.explained for each in found),
            summary.words(cases.source, tuple(each.explained for each in found)),
            tuple(_agreements(found)),
        )

    return Prepared(asked, finish)


def _first_two(  # noqa: PLR0913 - the question and its answers
    names: tuple[str, ...], features: Features, label: NDArray[np.bool_], paths: Paths, answers: Answers, where: str
) -> list[Judged]:
    """Return what our own two explainers say, both read off the same answers."""
    n, d = features.shape
    middle = n + SHUFFLES * d * n
    sound = answers.sound[:n] & answers.sound[n:middle].reshape(SHUFFLES * d, n).all(axis=0)
    walked = answers.sound[middle:].reshape(len(paths.rows), -1).all(axis=1)
    if sound.sum() < SMALLEST or walked.sum() < SMALLEST:
        raise _too_few(where)
    after = answers.chance[n:middle].reshape(SHUFFLES, d, n)
    along = answers.chance[middle:].reshape(len(paths.rows), -1)
    kept = Paths(paths.rows[walked], paths.others[walked], paths.orders[walked])
    return [
        permutation(names, answers.chance[:n][sound], after[:, :, sound], label[sound]),
        shapley(names, kept, along[walked]),
    ]


def _too_few(where: str) -> Malformed:
    return Malformed(
        "evaluation.too-few-cases",
        Text(
            en="There are too few cases to explain on (under {least}), or too few for which the model gives a number.",
            zh="可供解释的案例过少（少于 {least}），或该模型能给出数值的案例过少。",
        ),
        do=Text(en="Give more cases.", zh="请提供更多案例。"),
        where=where,
        least=SMALLEST,
    )


def shuffles(features: Features) -> Features:
    """Return the rows with one column shuffled (shuffles by columns by rows by columns)."""
    import numpy as np

    n, d = features.shape
    found = np.broadcast_to(features, (SHUFFLES, d, n, d)).copy()
    rng = generator(n, d, 1)
    for again in range(SHUFFLES):
        for at in range(d):
            found[again, at, :, at] = features[rng.permutation(n), at]
    return found


def permutation(names: tuple[str, ...], before: Numbers, after: Numbers, label: NDArray[np.bool_]) -> Judged:
    """Return what shuffling each column costs, from the chances ``before`` (rows) and ``after`` (shuffles by columns by rows).

    The cost of a row is linear in its outcome, so the costs under shuffled outcomes (the floor; Altmann et al. 2010) need no
    further answers: (b - y)^2 - (a - y)^2 = b^2 - a^2 - 2 y (b - a).
    """
    import numpy as np

    n = len(before)
    square, line = after**2 - before**2, after - before
    cost = square - 2.0 * label * line
    by_row, by_shuffle = cost.mean(axis=0), cost.mean(axis=2)
    values = by_row.mean(axis=1)
    rng = generator(n, len(names), 2)
    resampled = weights(rng, n, RESAMPLES) @ by_row.T / n
    outcomes = np.stack([rng.permutation(label) for _ in range(CHANCE)]).astype(np.float64)
    chance = square.mean(axis=(0, 2)) - 2.0 * outcomes @ line.mean(axis=0).T / n
    floor = np.quantile(chance, COVERAGE, axis=0)
    half = coverage_factor(SHUFFLES - 1, COVERAGE) * by_shuffle.std(axis=0, ddof=1) / np.sqrt(SHUFFLES)
    columns = tuple(
        Importance(
            name,
            percentile(float(values[at]), resampled[:, at]),
            float(floor[at]),
            Bounded(float(values[at]), float(values[at] - half[at]), float(values[at] + half[at])),
        )
        for at, name in enumerate(names)
    )
    return judged("permutation", PERMUTATION, n, columns, values, resampled)


def judged(  # noqa: PLR0913, PLR0917 - what an explainer says is all of this
    explainer: Explainer,
    method: str,
    n: int,
    columns: tuple[Importance, ...],
    values: Numbers,
    resampled: Numbers,
    additivity: float | None = None,
) -> Judged:
    """Return an explainer's answer with the stability of its order: how far resampled orders agree with it."""
    import numpy as np

    stability = None
    if len(columns) >= RANKED:
        agreed = rank_correlation(resampled, np.broadcast_to(values, resampled.shape))
        low, high = np.quantile(agreed, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
        middle = float(agreed.mean())
        stability = Bounded(middle, min(middle, float(low)), max(middle, float(high)))
    order = np.argsort(-values, kind="stable")
    made = Explained(explainer, method, n, tuple(columns[at] for at in order), stability, additivity)
    return Judged(made, values, resampled)


class Paths(NamedTuple):
    """Walks from another row to a row, one column at a time: ``rows``, ``others`` and ``orders`` by row and walk."""

    rows: Features
    others: Features
    orders: NDArray[np.int64]

    @classmethod
    def over(cls, features: Features) -> Paths:
        """Draw the walks for at most :data:`SHAPLEY_ROWS` rows of ``features``."""
        import numpy as np

        n, d = features.shape
        rng = generator(n, d, 3)
        rows = features[rng.permutation(n)[:SHAPLEY_ROWS]]
        half = np.argsort(rng.random((len(rows), ORDERS // 2, d)), axis=2)
        orders = np.concatenate([half, half[:, :, ::-1]], axis=1)
        # Both of a pair of orders start from the same other row, so that they cancel each other's luck.
        picked = np.tile(rng.integers(0, n, (len(rows), ORDERS // 2)), 2)
        return cls(rows, features[picked], orders)

    def points(self) -> Features:
        """Return every point of every walk (rows x walks x steps, by columns); a walk has one point more than columns."""
        import numpy as np

        m, walks, d = self.orders.shape
        place = np.argsort(self.orders, axis=2)
        turned = place[:, :, None, :] < np.arange(d + 1)[None, None, :, None]
        points = np.where(turned, self.rows[:, None, None, :], self.others[:, :, None, :])
        found: Features = points.reshape(m * walks * (d + 1), d)
        return found


def shapley(names: tuple[str, ...], paths: Paths, chance: Numbers) -> Judged:
    """Return mean absolute contributions of the columns from the answers along all walks.

    The contributions of a row add up to its answer less the mean answer of the rows its walks start from: that is checked.
    """
    import numpy as np

    m, walks, d = paths.orders.shape
    along = chance.reshape(m, walks, d + 1)
    steps = np.diff(along, axis=2)
    contributions = np.zeros((m, walks, d))
    np.put_along_axis(contributions, paths.orders, steps, axis=2)
    mean = contributions.mean(axis=1)
    additivity = float(np.abs(mean.sum(axis=1) - (along[:, :, -1] - along[:, :, 0]).mean(axis=1)).max())
    return contributed("shapley", SHAPLEY, names, paths.rows, mean, additivity)


def contributed(  # noqa: PLR0913 - what an explainer says is all of this
    explainer: Explainer,
    method: str,
    names: tuple[str, ...],
    rows: Features,
    contributions: Numbers,
    additivity: float,
) -> Judged:
    """Return importances as mean absolute ``contributions`` (rows by columns), with the way each column points."""
    import numpy as np

    m, d = contributions.shape
    size = np.abs(contributions)
    values = size.mean(axis=0)
    resampled = weights(generator(m, d, 4), m, RESAMPLES) @ size / m
    pointing = rank_correlation(rows.T.astype(np.float64), contributions.T)
    columns = []
    for at, name in enumerate(names):
        way: Literal["raises", "lowers", "mixed"] | None = None
        if values[at] > 0.0:
            way = "raises" if pointing[at] >= CLEAR else "lowers" if pointing[at] <= -CLEAR else "mixed"
        columns.append(Importance(name, percentile(float(values[at]), resampled[:, at]), way=way))
    return judged(explainer, method, m, tuple(columns), values, resampled, additivity)


def _agreements(found: list[Judged]) -> Iterator[Agreement]:
    """Yield the rank correlation of each pair of explainers, with the interval over resampled rows of both."""
    for at, one in enumerate(found):
        for two in found[at + 1 :]:
            if one.values.shape[0] >= RANKED:
                value = float(rank_correlation(one.values, two.values)[0])
                resampled = rank_correlation(one.resampled, two.resampled)
                yield Agreement(one.explained.explainer, two.explained.explainer, percentile(value, resampled))

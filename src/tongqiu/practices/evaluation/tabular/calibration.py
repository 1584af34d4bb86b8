"""Whether scores mean what they say: of the cases scored 0.7, do seven in ten turn out so?

Bins hold about equally many cases (quantiles of the score; equal scores stay together), so every bin has enough to say something.
The expected calibration error is never 0 on a finite table, even for a perfect scorer; how large it then is, is simulated and shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.measure.interval import wilson
from tongqiu.practices.evaluation.fairness import COVERAGE, MAX_GROUPS
from tongqiu.practices.evaluation.tabular.bodies import Bin, Calibrated, Calibration
from tongqiu.practices.evaluation.tabular.draws import SEED, drawn, generator, percentile, reflected, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practices.evaluation.probes import Cases
    from tongqiu.practices.evaluation.tabular.draws import Numbers

METHOD = "tongqiu.calibration@1"
INTERVAL = "wilson; bootstrap-basic; bootstrap-percentile"
BINS = 10
SMALLEST_BIN = 10
SMALLEST = 50
"""Fewest cases of a group for which anything is said."""

RESAMPLES = 400


def calibration(cases: Cases, sensitive: tuple[str, ...]) -> Calibration:
    """Return the calibration of the scores of ``cases`` for all and for each group of each sensitive column."""
    assert cases.scores is not None  # noqa: S101 - asked only for cases with scores
    rows = drawn(cases.rows.done)
    scores, label = cases.scores[rows], cases.label[rows]
    found = [calibrated(scores, label, {})]
    left_out = []
    for name in sensitive:
        codes, levels = cases.codes(name)
        if len(levels) > MAX_GROUPS:
            left_out.append(name)
            continue
        for at, level in enumerate(levels):
            mine = codes[rows] == at
            if mine.any():
                found.append(calibrated(scores[mine], label[mine], {name: level}))
    return Calibration(
        METHOD,
        cases.source,
        cases.rows,
        len(rows),
        SEED,
        RESAMPLES,
        COVERAGE,
        INTERVAL,
        SMALLEST,
        tuple(found),
        tuple(left_out),
    )


def calibrated(scores: Numbers, label: NDArray[np.bool_], by: dict[str, str]) -> Calibrated:
    """Return the calibration of one group: ``scores`` between 0 and 1, ``label`` whether the case was positive."""
    import numpy as np

    n = len(scores)
    if n < SMALLEST:
        return Calibrated(by)
    place = bins(scores)
    number = int(place.max()) + 1
    apart = label - scores
    error = _error(place, apart, number, n)
    rng = generator(n, number)
    resampled, squares, perfect = np.empty(RESAMPLES), np.empty(RESAMPLES), np.empty(RESAMPLES)
    for at in range(RESAMPLES):
        picked = rng.integers(0, n, n)
        resampled[at] = _error(place[picked], apart[picked], number, n)
        squares[at] = np.mean(apart[picked] ** 2)
        # Consistency resampling (Broecker and Smith 2007, Weather and Forecasting 22:651): outcomes drawn as the scores say.
        perfect[at] = _error(place, (rng.random(n) < scores) - scores, number, n)
    positive = int(label.sum())
    return Calibrated(
        by,
        n,
        positive,
        reflected(error, resampled),
        float(perfect.mean()),
        float(np.quantile(perfect, COVERAGE)),
        float((1 + (perfect >= error).sum()) / (1 + RESAMPLES)),
        percentile(float(np.mean(apart**2)), squares),
        positive / n * (1 - positive / n),
        tuple(_bins(scores, label, place, number)),
    )


def bins(scores: Numbers) -> NDArray[np.int64]:
    """Return the bin of each score: at most :data:`BINS` by quantiles, each of at least :data:`SMALLEST_BIN` cases."""
    import numpy as np

    inner = np.unique(np.quantile(scores, np.arange(1, BINS) / BINS))
    place = np.searchsorted(inner, scores, side="left")
    counts = np.bincount(place, minlength=len(inner) + 1)
    # Bins that are too small join the next one; what is left over at the end joins the last.
    target, filled = np.zeros(len(counts), dtype=np.int64), 0
    current = 0
    for at, count in enumerate(counts):
        target[at] = current
        filled += int(count)
        if filled >= SMALLEST_BIN:
            current, filled = current + 1, 0
    target = np.minimum(target, max(0, current - 1))
    found: NDArray[np.int64] = target[place]
    return found


def _error(place: NDArray[np.int64], apart: Numbers, number: int, n: int) -> float:
    """Return the expected calibration error: by bin, how far outcomes lie from scores, weighted by the cases in it."""
    import numpy as np

    return float(np.abs(np.bincount(place, weights=apart, minlength=number)).sum() / n)


def _bins(scores: Numbers, label: NDArray[np.bool_], place: NDArray[np.int64], number: int) -> list[Bin]:
    found = []
    for at in range(number):
        mine = place == at
        inside = scores[mine]
        outcome = share(int(label[mine].sum()), int(mine.sum()), wilson)
        found.append(Bin(float(inside.min()), float(inside.max()), float(inside.mean()), outcome))
    return found

"""What other thresholds would change: chosen on one half of the cases, measured on the other; nothing is changed in the model.

A table of options for whoever must answer for the decision. Deciding by group may itself be unlawful, whatever it evens out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongqiu.measure.interval import wilson
from tongqiu.practices.evaluation import counting
from tongqiu.practices.evaluation import fairness as engine
from tongqiu.practices.evaluation.tabular.bodies import Mitigation, Option, Threshold
from tongqiu.practices.evaluation.tabular.draws import SEED, drawn, generator, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practices.evaluation.probes import Cases
    from tongqiu.practices.evaluation.tabular.bodies import OptionName
    from tongqiu.practices.evaluation.tabular.draws import Numbers

    Flags = NDArray[np.bool_]

METHOD = "tongqiu.thresholds-by-group@1"
SMALLEST = 30
"""Fewest cases of a group in the half that thresholds are chosen on, ..."""

SMALLEST_CLASS = 10
"""... and fewest of each outcome among them."""

STEPS = 99
MAX_LEVELS = 10
SHOWN = (("selection-rate", "difference"), ("equalized-odds", "difference"))


class _Half(NamedTuple):
    scores: Numbers
    label: Flags
    codes: NDArray[np.uint16]
    decision: Flags


def mitigation(cases: Cases, sensitive: tuple[str, ...], smallest: int) -> Mitigation:
    """Return, for each sensitive column, the decisions as they are and under thresholds by group."""
    assert cases.scores is not None  # noqa: S101 - asked only for cases with scores
    rows = drawn(cases.rows.done)
    order = generator(len(rows)).permutation(rows)
    middle = len(order) // 2
    options: list[Option] = []
    left_out = []
    for name in sensitive:
        codes, levels = cases.codes(name)
        halves = [
            _Half(cases.scores[part], cases.label[part], codes[part], cases.decision[part])
            for part in (order[:middle], order[middle:])
        ]
        if not _enough(halves[0], len(levels)):
            left_out.append(name)
            continue
        options.extend(_options(name, levels, halves[0], halves[1], smallest))
    return Mitigation(
        METHOD,
        cases.source,
        cases.rows,
        len(rows),
        middle,
        len(rows) - middle,
        SEED,
        engine.COVERAGE,
        smallest,
        tuple(options),
        tuple(left_out),
    )


def _enough(half: _Half, levels: int) -> bool:
    """Tell whether every group of the half has enough cases of each outcome."""
    import numpy as np

    if not 1 < levels <= MAX_LEVELS:
        return False
    all_of = np.bincount(half.codes, minlength=levels)
    positive = np.bincount(half.codes[half.label], minlength=levels)
    return bool(
        (all_of >= SMALLEST).all()
        and (positive >= SMALLEST_CLASS).all()
        and (all_of - positive >= SMALLEST_CLASS).all()
    )


def _options(name: str, levels: Sequence[str], chosen: _Half, used: _Half, smallest: int) -> Iterator[Option]:
    yield _measured("as-is", name, levels, (), used, used.decision, smallest)
    for option, thresholds in choose(chosen, len(levels)).items():
        decision = used.scores >= thresholds[used.codes]
        yield _measured(option, name, levels, thresholds.tolist(), used, decision, smallest)


def choose(half: _Half, levels: int) -> dict[OptionName, Numbers]:
    """Return for each option the threshold of every group, chosen on ``half``.

    Candidates even out one thing each: the share decided positive, the share found among the positive, or both error rates
    (as near as the groups' own curves come to a point of the common curve; Hardt, Price and Srebro 2016, without their lots).
    Of the first two, the most accurate is taken; of the last, the most accurate among those that at least halve the present gap
    of error rates, else the one with the smallest gap.
    """
    import numpy as np

    share_of = np.arange(1, STEPS + 1) / (STEPS + 1)
    groups = [half.codes == at for at in range(levels)]
    selection = np.stack([_upper(half.scores[mine], share_of) for mine in groups], axis=1)
    opportunity = np.stack([_upper(half.scores[mine & half.label], share_of) for mine in groups], axis=1)
    targets = _upper(half.scores, share_of)
    curves = [_curve(half.scores[mine], half.label[mine], selection[:, at]) for at, mine in enumerate(groups)]
    common = _curve(half.scores, half.label, targets)
    near = np.stack([_nearest(curve, common) for curve in curves], axis=1)
    odds = np.take_along_axis(selection, near, axis=0)
    rates = np.stack([curve[near[:, at]] for at, curve in enumerate(curves)], axis=1)
    gap = (rates.max(axis=1) - rates.min(axis=1)).max(axis=1)
    present = np.array([_rates(half.decision[mine], half.label[mine]) for mine in groups])
    aim = max(float(gap.min()), float((present.max(axis=0) - present.min(axis=0)).max()) / 2.0)
    right = np.where(gap <= aim, _right(half, odds), -1)
    return {
        "equal-selection": selection[int(np.argmax(_right(half, selection)))],
        "equal-opportunity": opportunity[int(np.argmax(_right(half, opportunity)))],
        "equalized-odds": odds[int(np.argmax(right))],
    }


def _upper(scores: Numbers, shares: Numbers) -> Numbers:
    """Return for each share the score from which about that share of ``scores`` lies."""
    import numpy as np

    found: Numbers = np.quantile(scores, 1.0 - shares, method="higher")
    return found


def _curve(scores: Numbers, label: Flags, thresholds: Numbers) -> Numbers:
    """Return true and false positive rate at each threshold (thresholds by 2)."""
    import numpy as np

    positive, negative = np.sort(scores[label]), np.sort(scores[~label])
    hit = 1.0 - np.searchsorted(positive, thresholds, "left") / max(1, len(positive))
    alarm = 1.0 - np.searchsorted(negative, thresholds, "left") / max(1, len(negative))
    return np.stack([hit, alarm], axis=1)


def _nearest(curve: Numbers, common: Numbers) -> NDArray[np.intp]:
    """Return which point of ``curve`` is nearest to each of ``common``, by the larger of both distances."""
    import numpy as np

    found: NDArray[np.intp] = np.abs(curve[None] - common[:, None]).max(axis=2).argmin(axis=1)
    return found


def _rates(decision: Flags, label: Flags) -> tuple[float, float]:
    return float(decision[label].mean()), float(decision[~label].mean())


def _right(half: _Half, thresholds: Numbers) -> NDArray[np.int64]:
    """Return how many cases of ``half`` each line of thresholds (lines by groups) decides as recorded."""
    import numpy as np

    return np.array([int(((half.scores >= each[half.codes]) == half.label).sum()) for each in thresholds])


def _measured(  # noqa: PLR0913, PLR0917 - one option is all of this
    option: OptionName,
    name: str,
    levels: Sequence[str],
    thresholds: Sequence[float],
    used: _Half,
    decision: Flags,
    smallest: int,
) -> Option:
    """Return what ``decision`` does on the half that nothing was chosen on."""
    import numpy as np

    cells = counting.count({name: (used.codes, levels)}, used.label.astype(np.uint8), decision.astype(np.uint8))
    report = engine.report(cells, labelled=True, smallest=smallest)
    n = len(decision)
    return Option(
        option,
        name,
        tuple(Threshold(level, value) for level, value in zip(levels, thresholds, strict=False)),
        share(int((decision != used.decision).sum()), n, wilson),
        share(int((decision == used.label).sum()), n, wilson),
        report.groups,
        tuple(gap for gap in report.gaps if (gap.measure, gap.statistic) in SHOWN),
    )

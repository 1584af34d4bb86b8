"""Whether a model gives away which cases it learnt from: an attack by the loss, measured where nothing is known but the score.

The attack is that of Yeom et al. (2018, CSF): a case on whose recorded outcome the model is surer was rather trained on. It is the
weakest attack worth naming; a result at the floor says nothing of stronger ones, and one above it may also come from tables that
differ for another reason. Nothing more is claimed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tongqiu.measure.distribution import z_two_sided
from tongqiu.measure.interval import clopper_pearson, newcombe
from tongqiu.practices.evaluation.fairness import COVERAGE
from tongqiu.practices.evaluation.tabular.bodies import Bounded, Membership
from tongqiu.practices.evaluation.tabular.draws import SEED, drawn, generator, share
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.practices.evaluation.probes import Cases
    from tongqiu.practices.evaluation.tabular.draws import Numbers

METHOD = "tongqiu.membership-by-loss@1"
FLOOR = 0.5
STRICT = 0.01
"""The false positive rate at which few, but sure, findings are counted (Carlini et al. 2022, IEEE S&P)."""

SMALLEST = 40
"""Fewest cases of either table."""


def membership(training: Cases, other: Cases) -> Membership:
    """Return how well the loss attack tells the cases of ``training`` from those of ``other``.

    Raises Malformed (``evaluation.too-few-cases``).
    """
    members, others = (surety(each, at) for at, each in enumerate((training, other)))
    if min(len(members), len(others)) < SMALLEST:
        raise Malformed(
            "evaluation.too-few-cases",
            Text(
                en="One of the tables has fewer than {least} cases; nothing can be told from so few.",
                zh="其中一张表少于 {least} 例，样本过少，无法判断。",
            ),
            do=Text(en="Give more cases.", zh="请提供更多案例。"),
            where=other.source.data.name or "",
            least=SMALLEST,
        )
    # Thresholds are chosen on the even and used on the odd cases; the order is drawn by lot.
    halves = [(each[::2], each[1::2]) for each in (members, others)]
    (chosen_in, used_in), (chosen_out, used_out) = halves
    threshold, strict = _best(chosen_in, chosen_out), _quantile(chosen_out)
    hit = share(int((used_in >= threshold).sum()), len(used_in), clopper_pearson)
    alarm = share(int((used_out >= threshold).sum()), len(used_out), clopper_pearson)
    apart = newcombe((hit.count, hit.n), (alarm.count, alarm.n), COVERAGE)
    return Membership(
        METHOD,
        other.source,
        training.source.data,
        len(members),
        len(others),
        SEED,
        COVERAGE,
        auc(members, others),
        FLOOR,
        threshold,
        hit,
        alarm,
        Bounded(hit.value - alarm.value, apart.low, apart.high),
        strict,
        share(int((used_in > strict).sum()), len(used_in), clopper_pearson),
        share(int((used_out > strict).sum()), len(used_out), clopper_pearson),
    )


def surety(cases: Cases, part: int) -> Numbers:
    """Return, in an order drawn by lot, how much chance the scores gave to what was recorded (high: low loss)."""
    import numpy as np

    assert cases.scores is not None  # noqa: S101 - asked only for cases with scores
    rows = drawn(cases.rows.done)
    scores = cases.scores[rows]
    found = np.where(cases.label[rows], scores, 1.0 - scores)
    shuffled: Numbers = generator(len(found), part).permutation(found)
    return shuffled


def auc(high: Numbers, low: Numbers, level: float = COVERAGE) -> Bounded:
    """Return the chance that one of ``high`` is above one of ``low`` (ties half), with DeLong's interval (1988, Biometrics 44:837).

    Where all pairs point one way DeLong's variance is 0; the bound is then that of the exact share over the smaller sample.
    """
    import numpy as np

    m, n = len(high), len(low)
    sorted_low, sorted_high = np.sort(low), np.sort(high)
    above = (np.searchsorted(sorted_low, high, "left") + np.searchsorted(sorted_low, high, "right")) / (2.0 * n)
    below = 1.0 - (np.searchsorted(sorted_high, low, "left") + np.searchsorted(sorted_high, low, "right")) / (2.0 * m)
    value = float(above.mean())
    variance = float(above.var(ddof=1) / m + below.var(ddof=1) / n)
    if variance == 0.0 and value in (0.0, 1.0):
        exact = clopper_pearson(round(value * min(m, n)), min(m, n), level)
        return Bounded(value, exact.low, exact.high)
    spread = z_two_sided(level) * math.sqrt(variance)
    return Bounded(value, max(0.0, value - spread), min(1.0, value + spread))


def _best(members: Numbers, others: Numbers) -> float:
    """Return the threshold at which hits exceed false alarms most; the highest of equals."""
    import numpy as np

    levels = np.unique(np.concatenate([members, others]))
    hits = 1.0 - np.searchsorted(np.sort(members), levels, "left") / len(members)
    alarms = 1.0 - np.searchsorted(np.sort(others), levels, "left") / len(others)
    gain = hits - alarms
    return float(levels[len(levels) - 1 - int(np.argmax(gain[::-1]))])


def _quantile(others: Numbers) -> float:
    """Return the level that a share of :data:`STRICT` of ``others`` exceeds."""
    import numpy as np

    return float(np.quantile(others, 1.0 - STRICT, method="higher"))

"""Computing records on scores again from what they carry: bins, counts, ranks and bounds that follow must follow.

What was drawn by lot is not drawn again here (the rows are not in the record); its bounds must hold the value all the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tongqiu.measure.distribution import chi_square_tail
from tongqiu.measure.interval import clopper_pearson, newcombe, wilson
from tongqiu.measure.verdict import holm
from tongqiu.practices.evaluation import again
from tongqiu.practices.evaluation import fairness as engine
from tongqiu.practices.evaluation.tabular import drift as drifting
from tongqiu.practices.evaluation.tabular import mitigation as mitigating
from tongqiu.practices.evaluation.tabular import summary
from tongqiu.practices.evaluation.tabular.bodies import Bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tongqiu.measure.interval import Interval
    from tongqiu.practices.evaluation.tabular.bodies import (
        Calibrated,
        Calibration,
        Drift,
        Explanation,
        Membership,
        Mitigation,
        Option,
        Robustness,
        Share,
        Shift,
    )

_SLACK = 1e-9


def _share(name: str, share: Share, method: Callable[[int, int, float], Interval], level: float) -> Iterator[str]:
    if not 0 <= share.count <= share.n or not share.n:
        yield name
        return
    interval = method(share.count, share.n, level)
    wanted = (share.count / share.n, interval.low, interval.high)
    if not all(math.isclose(one, two, abs_tol=_SLACK) for one, two in zip(wanted, _three(share), strict=True)):
        yield name


def _three(of: Share | Bounded) -> tuple[float, float, float]:
    return of.value, of.low, of.high


def _within(name: str, *bounded: Bounded | None) -> Iterator[str]:
    if any(each and not each.low - _SLACK <= each.value <= each.high + _SLACK for each in bounded):
        yield name


def calibration(body: Calibration) -> Iterator[str]:
    """Yield the fields of ``body`` that its bins do not give."""
    yield from again.row_counts(body.rows)
    for group in body.groups:
        yield from _calibrated("groups." + ",".join(f"{k}={v}" for k, v in sorted(group.by.items())), group, body)


def _calibrated(name: str, group: Calibrated, body: Calibration) -> Iterator[str]:
    if group.n is None or group.error is None or group.brier is None or not group.bins:
        if group != type(group)(group.by):
            yield name
        return
    n = sum(each.outcome.n for each in group.bins)
    positive = sum(each.outcome.count for each in group.bins)
    if (n, positive) != (group.n, group.positive) or not body.smallest <= n <= body.drawn:
        yield f"{name}.n"
        return
    error = sum(each.outcome.n * abs(each.outcome.value - each.score) for each in group.bins) / n
    if not math.isclose(error, group.error.value, abs_tol=_SLACK):
        yield f"{name}.error"
    share = positive / n
    if group.brier_floor is None or not math.isclose(group.brier_floor, share * (1 - share), abs_tol=_SLACK):
        yield f"{name}.brier_floor"
    for at, each in enumerate(group.bins):
        yield from _share(f"{name}.bins.{at}", each.outcome, wilson, body.coverage)
        if not each.least - _SLACK <= each.score <= each.most + _SLACK:
            yield f"{name}.bins.{at}.score"
    yield from _within(f"{name}.error", group.error)
    yield from _within(f"{name}.brier", group.brier)


def explanation(body: Explanation) -> Iterator[str]:
    """Yield the fields of ``body`` that do not go together: bounds, order, summary."""
    yield from again.row_counts(body.rows)
    for each in body.explainers:
        name = f"explainers.{each.explainer}"
        for column in each.columns:
            yield from _within(f"{name}.{column.column}", column.value, column.repeats)
        values = [column.value.value for column in each.columns]
        if values != sorted(values, reverse=True) or each.n > body.drawn:
            yield name
        yield from _within(f"{name}.stability", each.stability)
    if len({frozenset(column.column for column in each.columns) for each in body.explainers}) > 1:
        yield "explainers"
    for pair in body.agreement:
        yield from _within(f"agreement.{pair.one}.{pair.other}", pair.rank)
    if not body.explainers or body.summary != summary.words(body.source, body.explainers):
        yield "summary"


def robustness(body: Robustness) -> Iterator[str]:
    """Yield the shares of ``body`` that their counts do not give."""
    yield from again.row_counts(body.rows)
    for at, each in enumerate(body.flips):
        if each.outcome is not None:
            yield from _share(f"flips.{at}", each.outcome, clopper_pearson, body.coverage)
            if not body.smallest_cell <= each.outcome.n <= body.drawn:
                yield f"flips.{at}.n"


def membership(body: Membership) -> Iterator[str]:
    """Yield the fields of ``body`` that its counts do not give."""
    for name in ("hit", "alarm", "caught", "false_alarms"):
        yield from _share(name, getattr(body, name), clopper_pearson, body.coverage)
    if min(body.hit.n, body.alarm.n) > 0:
        interval = newcombe((body.hit.count, body.hit.n), (body.alarm.count, body.alarm.n), body.coverage)
        wanted = (body.hit.value - body.alarm.value, interval.low, interval.high)
        if not again.same(wanted, _three(body.advantage)):
            yield "advantage"
    if body.hit.n != body.members // 2 or body.alarm.n != body.others // 2:
        yield "hit.n"
    yield from _within("auc", body.auc)


def drift(body: Drift) -> Iterator[str]:
    """Yield the fields of ``body`` that its counts do not give."""
    yield from again.row_counts(body.rows)
    yield from again.row_counts(body.rows_earlier)
    for shift in body.shifts:
        yield from _shift(f"shifts.{shift.column}", shift, body)
    if not again.same(tuple(holm([each.p for each in body.shifts])), tuple(each.adjusted for each in body.shifts)):
        yield "shifts.adjusted"
    for moved in body.performance:
        if not math.isclose(moved.after - moved.before, moved.difference.value, abs_tol=_SLACK):
            yield f"performance.{moved.measure}"
        yield from _within(f"performance.{moved.measure}", moved.difference)


def _shift(name: str, shift: Shift, body: Drift) -> Iterator[str]:
    import numpy as np

    bins = len(shift.levels) if shift.kind == "category" else len(shift.edges) + 1
    before, after = np.array(shift.before, dtype=np.int64), np.array(shift.after, dtype=np.int64)
    if len(before) != bins or len(after) != bins or (before.sum(), after.sum()) != (body.drawn_earlier, body.drawn):
        yield f"{name}.before"
        return
    if not math.isclose(
        float(drifting.stability_index(before[None], after[None])[0]), shift.index.value, abs_tol=_SLACK
    ):
        yield f"{name}.index"
    yield from _within(f"{name}.index", shift.index)
    if shift.kind == "category":
        seen = int(((before + after) > 0).sum())
        statistic = drifting.chi_square(before, after)
        p = chi_square_tail(statistic, seen - 1) if seen > 1 else 1.0
        if not math.isclose(statistic, shift.statistic, rel_tol=_SLACK, abs_tol=_SLACK):
            yield f"{name}.statistic"
    elif shift.test == "ks-asymptotic":
        p = drifting.smirnov_tail(shift.statistic, int(before.sum()), int(after.sum()))
    else:
        p = shift.p
    if not math.isclose(p, shift.p, rel_tol=_SLACK, abs_tol=_SLACK):
        yield f"{name}.p"


def mitigation(body: Mitigation) -> Iterator[str]:
    """Yield the fields of ``body`` that the counts of its groups do not give."""
    yield from again.row_counts(body.rows)
    if body.chosen_on + body.measured_on != body.drawn:
        yield "drawn"
    for option in body.options:
        yield from _option(f"options.{option.column}.{option.name}", option, body)


def _option(name: str, option: Option, body: Mitigation) -> Iterator[str]:
    yield from _share(f"{name}.changed", option.changed, wilson, body.coverage)
    yield from _share(f"{name}.accuracy", option.accuracy, wilson, body.coverage)
    if option.changed.n != body.measured_on or option.accuracy.n != body.measured_on:
        yield f"{name}.n"
    found = []
    for group in option.groups:
        outcome = again.group_counts(group, labelled=True, smallest=body.smallest_cell)
        if outcome is None or set(group.by) != {option.column}:
            yield f"{name}.groups"
            return
        found.append((group.by, outcome))
        if group.values:
            wanted = engine.values(outcome, labelled=True, smallest=body.smallest_cell)
            yield from again.differing(f"{name}.groups", group.values, wanted)
    gaps = engine.gaps({(option.column,): found}, labelled=True, smallest=body.smallest_cell)
    expected = tuple(gap for gap in gaps if (gap.measure, gap.statistic) in mitigating.SHOWN)
    if not again.same(option.gaps, expected):
        yield f"{name}.gaps"

"""From the item scores of a run to what it measured: value, uncertainty by component, floors, parts, and what is missing.

Pure: whoever holds the record of a run computes the same measurement again. A judge's own errors are allowed for (Rogan and
Gladen 1978) with the uncertainty of its calibration; items that come in clusters count as what they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from tongqiu.measure.distribution import z_two_sided
from tongqiu.measure.interval import Interval, clopper_pearson, wilson
from tongqiu.measure.mean import FEWEST_CLUSTERS, clustered_bootstrap, clustered_mean, clustered_share, mean
from tongqiu.measure.standard_error import clustered, independent
from tongqiu.practices.evaluation.judging import paired_lacks
from tongqiu.practices.evaluation.objects import Floor, Measurement, Paired, Part
from tongqiu.record.shapes import Component

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.practices.evaluation.objects import Calibration, Item, Reported, TestRun

INCOMPLETE: Final = 0.01
"""Share of planned items that may be missing before nothing can be said to be met."""

_SMALLEST_PART: Final = 5


class _Counted(NamedTuple):
    """The plain value of item scores: its interval, standard error, and what its estimator lacked."""

    value: float
    interval: Interval
    error: float
    lacking: tuple[str, ...]


def measure(run: TestRun, utility: Paired | None = None) -> Measurement | None:
    """Return what ``run`` measured, beside its ``utility`` partner; None where no item at all was scored.

    A run that another tool told of by its total alone is measured by that total, which is no basis for a verdict.
    """
    scored = [each for each in run.items if each.score is not None]
    if not scored:
        return _told(run, run.reported, utility) if run.reported is not None else None
    method, estimator = run.method, run.method.estimator
    counted = _count(scored, estimator.name, estimator.coverage)
    value, low, high, components = _judged(counted, method.judge, estimator.coverage)
    lacking = (*counted.lacking, *_lacking(run, utility))
    return Measurement(
        method=method.method,
        title=method.title,
        measurand=method.measurand,
        system=run.system,
        value=value,
        observed=counted.value,
        unit=method.unit,
        n=len(scored),
        clusters=len(_clusters(scored)),
        u=math.sqrt(math.fsum(each.u**2 for each in components)),
        low=low,
        high=high,
        coverage=estimator.coverage,
        components=components,
        decision_rule="at-bound",
        better=method.better,
        completeness=run.completeness,
        floors=tuple(_judged_floor(each, method.judge, estimator.coverage) for each in run.floors),
        basis="verdict" if not lacking else "imported-incomplete" if run.source == "imported" else "incomplete",
        detectable=None if method.validation is None else method.validation.detectable,
        parts=tuple(_parts(scored, method.judge, estimator.coverage)),
        utility=utility,
        lacking=lacking,
        source=run.source,
        relationship=run.relationship,
    )


def _told(run: TestRun, told: Reported, utility: Paired | None) -> Measurement:
    """Return what another tool told of a run without its items.

    Where it told no uncertainty, all that is known of a share is that it lies between 0 and 1: u = 1 / sqrt(12) (JCGM
    100:2008, 4.3.7).
    """
    z = z_two_sided(run.method.estimator.coverage)
    sure = told.u is not None or (told.low is not None and told.high is not None)
    low, high, u = 0.0, 1.0, 1 / math.sqrt(12)
    if told.low is not None and told.high is not None:
        low, high = min(told.low, told.value), max(told.high, told.value)
        u = (high - low) / 2 / z if told.u is None else told.u
    elif told.u is not None:
        u = told.u
        low, high = max(0.0, told.value - z * u), min(1.0, told.value + z * u)
    lacking = dict.fromkeys(("item-scores", *(() if sure else ("uncertainty",)), *_lacking(run, utility)))
    return Measurement(
        method=run.method.method,
        title=run.method.title,
        measurand=run.method.measurand,
        system=run.system,
        value=told.value,
        observed=told.value,
        unit=run.method.unit,
        n=told.n,
        clusters=0,
        u=u,
        low=low,
        high=high,
        coverage=run.method.estimator.coverage,
        components=(Component("items", u, shared_by="items"),),
        decision_rule="at-bound",
        better=run.method.better,
        completeness=run.completeness,
        floors=run.floors,
        basis="imported-incomplete" if run.source == "imported" else "incomplete",
        utility=utility,
        lacking=tuple(lacking),
        source=run.source,
        relationship=run.relationship,
    )


def beyond_floor(measurement: Measurement) -> bool:
    """Tell whether the whole interval is better than every floor's: what a system without skill reaches proves nothing."""
    if not measurement.floors:
        return False
    if measurement.better == "higher":
        return measurement.low > max(each.high for each in measurement.floors)
    return measurement.high < min(each.low for each in measurement.floors)


def floor(agent: str, scores: Sequence[float], coverage: float = 0.95) -> Floor:
    """Return what a system without skill reached: the mean of its ``scores`` with an interval."""
    found = _interval(scores, coverage)
    return Floor(agent, math.fsum(scores) / len(scores), found.low, found.high, len(scores))  # type: ignore[arg-type]


def _clusters(items: Sequence[Item]) -> set[str]:
    return {each.cluster or each.id for each in items}


def _count(items: Sequence[Item], name: str, coverage: float) -> _Counted:
    scores = [float(each.score or 0) for each in items]
    value = math.fsum(scores) / len(scores)
    clusters = [each.cluster or each.id for each in items]
    shares = _shares(scores)
    if name.startswith("clustered") and len(set(clusters)) >= FEWEST_CLUSTERS:
        error = clustered(scores, clusters, "sandwich-G")
        if name == "clustered-bootstrap":
            return _Counted(value, clustered_bootstrap(scores, clusters, coverage), error, ())
        way = clustered_share if shares else clustered_mean
        return _Counted(value, way(scores, clusters, coverage), error, ())
    if name.startswith("clustered"):
        # Too few clusters for an estimate of their spread: each counts as one item, and no verdict may rest on it.
        groups = len(set(clusters))
        found = clopper_pearson(round(value * groups), groups, coverage) if shares else _anything(coverage)
        found = Interval(min(found.low, value), max(found.high, value), coverage, found.method)
        return _Counted(value, found, _half(found, coverage), ("few-clusters",))
    if name in {"proportion", "proportion-exact"} and shares:
        way_ = wilson if name == "proportion" else clopper_pearson
        found = way_(round(sum(scores)), len(scores), coverage)
        return _Counted(value, found, _half(found, coverage), ())
    if len(scores) < FEWEST_CLUSTERS:
        return _Counted(value, _anything(coverage), 0.5, ("few-items",))
    return _Counted(value, mean(scores, coverage), independent(scores), ())


def _judged(
    counted: _Counted, judge: Calibration | None, coverage: float
) -> tuple[float, float, float, tuple[Component, ...]]:
    """Return value, bounds and components after the judge's errors were allowed for.

    p = (p_obs + Sp - 1) / (Se + Sp - 1); the bounds add what the items and what the calibration leave open in quadrature on
    each side (Donner and Zou 2012, method of variance estimates recovery).
    """
    low, high = counted.interval.low, counted.interval.high
    if judge is None or _useless(judge):
        return counted.value, low, high, (Component("items", counted.error, shared_by="items"),)
    se, sp = (right / of for right, of in (judge.sensitivity, judge.specificity))
    youden = se + sp - 1
    value = (counted.value + sp - 1) / youden
    spread = (value**2 * se * (1 - se) / judge.sensitivity[1], (1 - value) ** 2 * sp * (1 - sp) / judge.specificity[1])
    judge_u = math.sqrt(math.fsum(spread)) / youden
    z = z_two_sided(coverage)
    down = math.hypot((counted.value - low) / youden, z * judge_u)
    up = math.hypot((high - counted.value) / youden, z * judge_u)
    value = min(1.0, max(0.0, value))
    components = (
        Component("items", counted.error / youden, shared_by="items"),
        Component("judge", judge_u, shared_by="judge"),
    )
    return value, max(0.0, value - down), min(1.0, value + up), components


def _judged_floor(found: Floor, judge: Calibration | None, coverage: float) -> Floor:
    """Return what a floor agent reached after the same judge's errors were allowed for, as they are for the system."""
    bounds = Interval(found.low, found.high, coverage, "")
    value, low, high, _ = _judged(_Counted(found.value, bounds, _half(bounds, coverage), ()), judge, coverage)
    return Floor(found.agent, value, low, high, found.n)


def _lacking(run: TestRun, utility: Paired | None) -> tuple[str, ...]:
    """Return by code what a verdict would need and this run does not have."""
    rows = run.completeness
    missing = rows.planned - rows.done
    found = {
        "completeness": not rows.planned,
        "items": rows.planned > 0 and missing > INCOMPLETE * rows.planned,
        "floors": not run.floors,
        "utility": run.method.utility is not None and utility is None,
        "utility-incomplete": utility is not None and paired_lacks(utility),
        "judge-calibration": run.method.judge is not None and _useless(run.method.judge),
    }
    return (*run.missing, *(name for name, lacks in found.items() if lacks and name not in run.missing))


def _useless(judge: Calibration) -> bool:
    """Tell whether a judge is not calibrated, or no better than chance: then its errors cannot be allowed for."""
    (found, sick), (cleared, well) = judge.sensitivity, judge.specificity
    return not (sick and well) or found / sick + cleared / well <= 1


def _parts(items: Sequence[Item], judge: Calibration | None, coverage: float) -> Iterable[Part]:
    """Yield the value for each language and each slice that has items enough."""
    for key in ("language", "slice"):
        levels = sorted({getattr(each, key) for each in items})
        for level in levels if len(levels) > 1 else ():
            scores = [float(each.score or 0) for each in items if getattr(each, key) == level]
            if level and len(scores) >= _SMALLEST_PART:
                found = _interval(scores, coverage)
                counted = _Counted(math.fsum(scores) / len(scores), found, _half(found, coverage), ())
                value, low, high, _ = _judged(counted, judge, coverage)
                yield Part({key: level}, value, len(scores), low, high)


def _interval(scores: Sequence[float], coverage: float) -> Interval:
    """Return the interval of single scores: exact for shares; else by t, or without bounds for too few."""
    if _shares(scores):
        return clopper_pearson(round(math.fsum(scores)), len(scores), coverage)
    return mean(scores, coverage) if len(scores) >= FEWEST_CLUSTERS else _anything(coverage)


def _anything(coverage: float) -> Interval:
    """Return the interval of which nothing is known: scores lie between 0 and 1."""
    return Interval(0.0, 1.0, coverage, "none")


def _shares(scores: Sequence[float]) -> bool:
    return all(score in {0.0, 1.0} for score in scores)


def _half(found: Interval, coverage: float) -> float:
    return (found.high - found.low) / 2 / z_two_sided(coverage)

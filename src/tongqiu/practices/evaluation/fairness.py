"""From counts to rates, gaps and their intervals: performance and the usual measures of treatment of groups.

Rates are named and defined as in fairlearn's ``MetricFrame`` (our judge in the tests). Demographic parity is the gap of
the selection rate, equal opportunity that of the true positive rate, equalized odds the larger gap of true and false
positive rates, predictive parity that of precision. A cell with fewer rows than the smallest judged cell gives no
number at all: it is listed as too few to judge.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.measure.distribution import z_two_sided
from tongqiu.measure.interval import Interval, clopper_pearson, katz, narrowest, newcombe, widest, wilson
from tongqiu.measure.verdict import bonferroni_level
from tongqiu.practices.evaluation.bodies import Gap, Group, Skill, Value
from tongqiu.practices.evaluation.declared import SMALLEST_CELL
from tongqiu.record.shapes import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tongqiu.practices.evaluation.counting import Cells, Outcome

    Groupings = Mapping[tuple[str, ...], Sequence[tuple[Mapping[str, str], Outcome]]]

COVERAGE = 0.95
MAX_GROUPS = 200

RATES: dict[str, Callable[[Outcome], tuple[int, int]]] = {
    "selection-rate": lambda o: (o.tp + o.fp, o.n),
    "base-rate": lambda o: (o.tp + o.fn, o.n),
    "accuracy": lambda o: (o.tp + o.tn, o.n),
    "true-positive-rate": lambda o: (o.tp, o.tp + o.fn),
    "false-positive-rate": lambda o: (o.fp, o.fp + o.tn),
    "true-negative-rate": lambda o: (o.tn, o.fp + o.tn),
    "false-negative-rate": lambda o: (o.fn, o.tp + o.fn),
    "precision": lambda o: (o.tp, o.tp + o.fp),
}
"""Each rate as (rows counted, rows looked at)."""

UNLABELLED = ("selection-rate",)
"""Rates that need no recorded outcome."""

GAPS: tuple[tuple[str, str], ...] = (
    ("selection-rate", "difference"),
    ("selection-rate", "ratio"),
    ("base-rate", "difference"),
    ("base-rate", "ratio"),
    ("true-positive-rate", "difference"),
    ("false-positive-rate", "difference"),
    ("precision", "difference"),
    ("accuracy", "difference"),
)
"""Gaps that are reported, beside equalized odds."""


class Report(NamedTuple):
    """Groups, gaps, and combinations of columns that form too many groups to compare."""

    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]
    left_out: tuple[tuple[str, ...], ...]


def share(measure: str, count: int, n: int, smallest: int, floor: float | None = None) -> Value:
    """Return a share with its Wilson interval at :data:`COVERAGE`, or without any number below ``smallest`` rows."""
    if n < smallest:
        return Value(measure)
    interval = wilson(count, n, COVERAGE)
    u = (interval.high - interval.low) / (2.0 * z_two_sided(COVERAGE))
    sampling = Component(source="sampling-of-items", u=u, shared_by="items")
    return Value(
        measure,
        value=count / n,
        n=n,
        count=count,
        u=u,
        low=interval.low,
        high=interval.high,
        floor=floor,
        components=(sampling,),
    )


def values(outcome: Outcome, *, labelled: bool, smallest: int, floors: bool = False) -> tuple[Value, ...]:
    """Return every rate of ``outcome``; ``floors`` adds what an answer without skill reaches on the same rows."""
    found = []
    positive = outcome.tp + outcome.fn
    for measure, rate in RATES.items():
        if labelled or measure in UNLABELLED:
            floor = None
            if floors and outcome.n:
                commonest = max(positive, outcome.n - positive) / outcome.n
                floor = {"accuracy": commonest, "precision": positive / outcome.n}.get(measure)
            found.append(share(measure, *rate(outcome), smallest, floor))
    return tuple(found)


def skill(outcome: Outcome, positive: str, negative: str) -> Skill:
    """Return what the decisions gain over always giving the commonest recorded answer.

    Of the rows where exactly one of both is right, ``gained`` are the system's; their exact interval (Clopper and Pearson
    1934), turned into a difference of accuracies, holds given how many such rows there are (McNemar 1947). With no such
    row the gain is 0 and nothing bounds it but the rows themselves.
    """
    mostly_positive = outcome.tp + outcome.fn > outcome.fp + outcome.tn
    gained, lost = (outcome.tn, outcome.fn) if mostly_positive else (outcome.tp, outcome.fp)
    apart = gained + lost
    n = outcome.n
    if apart:
        exact = clopper_pearson(gained, apart, COVERAGE)
        low, high = (apart / n * (2.0 * bound - 1.0) for bound in (exact.low, exact.high))
    else:
        # Even rows on which both agree say something: what share of rows could still differ (exact, two-sided).
        high = clopper_pearson(0, n, COVERAGE).high
        low = -high
    return Skill(positive if mostly_positive else negative, gained, lost, n, (gained - lost) / n, low, high)


def report(cells: Cells, *, labelled: bool, smallest: int = SMALLEST_CELL) -> Report:
    """Return rates of all groups by each column and each pair of columns, and the gaps between groups."""
    wanted = [(name,) for name in cells.columns] + list(itertools.combinations(cells.columns, 2))
    groups: list[Group] = []
    judged: dict[tuple[str, ...], Sequence[tuple[Mapping[str, str], Outcome]]] = {}
    left_out = []
    for by in wanted:
        found = cells.groups(by)
        if len(found) > MAX_GROUPS:
            left_out.append(by)
            continue
        judged[by] = found
        for levels, outcome in found:
            few = outcome.n < smallest
            numbers = () if few else values(outcome, labelled=labelled, smallest=smallest)
            groups.append(Group(dict(levels), None if few else outcome.n, numbers))
    return Report(tuple(groups), gaps(judged, labelled=labelled, smallest=smallest), tuple(left_out))


def gaps(judged: Groupings, *, labelled: bool, smallest: int) -> tuple[Gap, ...]:
    """Return every gap between the groups of each grouping; groups below ``smallest`` rows only count as too few."""
    found: list[Gap] = []
    for measure, statistic in GAPS:
        if labelled or measure in UNLABELLED:
            found.extend(_gaps(judged, (measure,), measure, statistic, smallest))
    if labelled:
        odds = ("true-positive-rate", "false-positive-rate")
        found.extend(_gaps(judged, odds, "equalized-odds", "difference", smallest))
    return tuple(found)


class _Rated(NamedTuple):
    by: Mapping[str, str]
    counted: int
    n: int


def _gaps(
    judged: Groupings,
    rates: Sequence[str],
    name: str,
    statistic: str,
    smallest: int,
) -> list[Gap]:
    """Return one gap for each combination of columns; all comparisons of the measure share the error (Bonferroni)."""
    rated = {
        by: [[_Rated(levels, *RATES[rate](outcome)) for levels, outcome in found] for rate in rates]
        for by, found in judged.items()
    }
    able = {by: [[r for r in each if r.n >= smallest] for each in lists] for by, lists in rated.items()}
    comparisons = sum(len(each) * (len(each) - 1) // 2 for lists in able.values() for each in lists)
    level = bonferroni_level(COVERAGE, max(1, comparisons))
    made = []
    for by, lists in able.items():
        total = len(judged[by])
        # A group counts as judged when every rate of the measure could be judged.
        groups = sum(all(r.n >= smallest for r in of_group) for of_group in zip(*rated[by], strict=True))
        gap = Gap(name, statistic, by, groups, total - groups, comparisons)  # type: ignore[arg-type]
        widths = [_widest_pair(each, statistic, level) for each in lists if len(each) > 1]
        if len(widths) == len(lists) and all(width is not None for width in widths):
            found = [width for width in widths if width is not None]
            value, lowest, highest, _ = max(found, key=lambda w: w[0]) if statistic == "difference" else found[0]
            whole = widest(w[3] for w in found) if statistic == "difference" else found[0][3]
            gap = Gap(
                name,
                statistic,  # type: ignore[arg-type]
                by,
                groups,
                total - groups,
                comparisons,
                value,
                whole.low,
                whole.high,
                dict(lowest.by),
                dict(highest.by),
            )
        made.append(gap)
    return made


def _widest_pair(
    rated: Sequence[_Rated], statistic: str, level: float
) -> tuple[float, _Rated, _Rated, Interval] | None:
    """Return value, lowest and highest group and the interval of the gap; None for the ratio of nothing to nothing."""
    lowest = min(rated, key=lambda r: r.counted / r.n)
    highest = max(rated, key=lambda r: r.counted / r.n)
    pairs = itertools.combinations([(r.counted, r.n) for r in rated], 2)
    if statistic == "difference":
        interval = widest(newcombe(one, two, level).magnitude() for one, two in pairs)
        return highest.counted / highest.n - lowest.counted / lowest.n, lowest, highest, interval
    if highest.counted == 0:
        return None
    interval = narrowest(katz(one, two, level).shrink() for one, two in pairs)
    return (lowest.counted / lowest.n) / (highest.counted / highest.n), lowest, highest, interval

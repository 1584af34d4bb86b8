"""Computing an evaluation record again from its own counts, so that a stranger need not believe its figures.

From how many rows were decided positive, recorded positive and decided as recorded, the four counts of a group follow; from
these every rate, interval and gap. Floating-point dust between machines is allowed for; anything more is named.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import msgspec

from tongqiu.practices.evaluation import fairness as engine
from tongqiu.practices.evaluation.counting import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tongqiu.practices.evaluation.bodies import Completeness, Fairness, Group, Result, Value

_RELATIVE = 1e-9
_ABSOLUTE = 1e-12


def result(body: Result) -> Iterator[str]:
    """Yield the name of each field of ``body`` that its counts do not give."""
    yield from row_counts(body.rows)
    labelled = any(value.measure == "base-rate" for value in body.values)
    outcome = _outcome(body.values, labelled=labelled)
    if outcome is None:
        yield "values"
        return
    if outcome.n != body.rows.done:
        yield "rows.done"
    if body.coverage != engine.COVERAGE:
        yield "coverage"
    yield from differing("values", body.values, engine.values(outcome, labelled=labelled, smallest=1, floors=labelled))
    skill = engine.skill(outcome, body.source.positive, body.source.negative) if labelled else None
    if not same(body.skill, skill):
        yield "skill"


def fairness(body: Fairness) -> Iterator[str]:
    """Yield the name of each field of ``body`` that the counts of its groups do not give."""
    yield from row_counts(body.rows)
    if body.coverage != engine.COVERAGE:
        yield "coverage"
    labelled = any(value.measure == "base-rate" for group in body.groups for value in group.values)
    labelled = labelled or any(gap.measure == "base-rate" for gap in body.gaps)
    groupings = tuple(dict.fromkeys(gap.by for gap in body.gaps))
    judged: dict[tuple[str, ...], list[tuple[Mapping[str, str], Outcome]]] = {by: [] for by in groupings}
    for group in body.groups:
        name = "groups." + ",".join(f"{column}={level}" for column, level in sorted(group.by.items()))
        outcome = group_counts(group, labelled=labelled, smallest=body.smallest_cell)
        by = next((each for each in groupings if set(each) == set(group.by)), None)
        if outcome is None or by is None:
            yield name
            return
        if group.values:
            expected = engine.values(outcome, labelled=labelled, smallest=body.smallest_cell)
            yield from differing(name, group.values, expected)
        judged[by].append((group.by, outcome))
    for by, found in judged.items():
        known = sum(outcome.n for _, outcome in found)
        whole = all(outcome.n for _, outcome in found)
        if known > body.rows.done or (whole and known != body.rows.done):
            yield "groups." + ",".join(by)
    expected_gaps = engine.gaps(judged, labelled=labelled, smallest=body.smallest_cell)
    for have, want in itertools.zip_longest(body.gaps, expected_gaps):
        if not same(have, want):
            named = have or want
            yield f"gaps.{named.measure}.{named.statistic}.{','.join(named.by)}" if named else "gaps"


def row_counts(rows: Completeness) -> Iterator[str]:
    """Yield ``rows.planned`` where the rows do not add up."""
    if rows.planned != rows.done + rows.errored + rows.skipped:
        yield "rows.planned"


def group_counts(group: Group, *, labelled: bool, smallest: int) -> Outcome | None:
    """Return the counts of a group; all zero for one too small to judge, None where its figures give none."""
    if group.n is None:
        return None if group.values else Outcome(0, 0, 0, 0)
    outcome = _outcome(group.values, labelled=labelled)
    return outcome if outcome is not None and outcome.n == group.n >= smallest else None


def _outcome(values: Sequence[Value], *, labelled: bool) -> Outcome | None:
    """Return the four counts behind rates of one group, or None where no such counts exist.

    With a = tp + fp, b = tp + fn, c = tp + tn of n rows: tp = (a + b + c - n) / 2. Without recorded outcomes decisions
    stand for them, as when they were counted.
    """
    found = {value.measure: value for value in values}
    decided = found.get("selection-rate")
    if decided is None or decided.count is None or decided.n is None:
        return None
    n, a = decided.n, decided.count
    if not labelled:
        return Outcome(a, 0, 0, n - a) if a <= n else None
    recorded, right = found.get("base-rate"), found.get("accuracy")
    if recorded is None or right is None or recorded.count is None or right.count is None:
        return None
    b, c = recorded.count, right.count
    twice = a + b + c - n
    tp = twice // 2
    outcome = Outcome(tp, a - tp, b - tp, c - tp)
    return outcome if twice % 2 == 0 and min(outcome) >= 0 and outcome.n == n else None


def differing(name: str, have: Sequence[Value], want: Sequence[Value]) -> Iterator[str]:
    """Yield, below ``name``, each measure whose figures are not those expected."""
    for one, two in itertools.zip_longest(have, want):
        if not same(one, two):
            named = one or two
            yield f"{name}.{named.measure}" if named else name


def same(one: object, two: object) -> bool:
    """Compare two structures; numbers may differ by what floating point leaves between machines."""
    if isinstance(one, msgspec.Struct) and type(one) is type(two):
        return all(same(getattr(one, name), getattr(two, name)) for name in one.__struct_fields__)
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, float) and isinstance(two, float | int):
        return math.isclose(one, two, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return one == two

"""The measures that a profile of a table, and what is known of it beyond, give: values, labels, groups and constraints."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from tongqiu.measure.interval import Interval, newcombe, widest
from tongqiu.measure.verdict import bonferroni_level
from tongqiu.practices.dataset.indicators import shares
from tongqiu.practices.dataset.indicators.of_corpus import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tongqiu.practices.dataset.indicators.kinds import Value
    from tongqiu.practices.dataset.kinds import Groups, Profile, TableProfile
    from tongqiu.practices.dataset.tabular.bodies import Table

PROFILE_NAME = "dataset.profile/1"
TABLE_NAME = "dataset.table/1"


def measures(body: Profile) -> Iterator[Value]:
    """Yield every measure of each table of a profile. A share of nothing is left out."""
    several = len(body.tables) > 1
    for table in body.tables:
        where = {"file": table.path} if several else {}
        yield from _table(table, where)


def _share(  # noqa: PLR0913 - a share is made of its parts
    measure: str, part: int, of: int, where: Mapping[str, str], level: float = shares.LEVEL, made: str = PROFILE_NAME
) -> Iterator[Value]:
    if of > 0 and 0 <= part <= of:
        bounds = shares.share_of(part, of, of, level)
        yield value(measure, part / of, of, interval=bounds, group=where, rests_on=made)


def _table(table: TableProfile, where: dict[str, str]) -> Iterator[Value]:
    cells = table.rows * len(table.columns)
    missing = sum(column.missing for column in table.columns)
    if cells:
        # Cells of one row are no independent cases, so the share of all cells has no interval of its own.
        yield value("dataset.indicator.values-present", 1 - missing / cells, cells, group=where, rests_on=PROFILE_NAME)
    level = bonferroni_level(shares.LEVEL, max(1, len(table.columns)))
    for column in table.columns:
        here = where | {"column": column.name}
        yield from _share("dataset.indicator.column-present", table.rows - column.missing, table.rows, here, level)
    lost = table.completeness.lost
    yield from _share("dataset.indicator.rows-read", table.rows, table.rows + lost, where)
    for each in table.repeated:
        if not each.column and each.of:
            yield from _share("dataset.indicator.rows-repeated", min(each.count.value, each.of), each.of, where)
    for groups in table.groups:
        if groups.role == "label" and not groups.withheld:
            yield from _labels(table, groups, where)
        elif groups.role == "sensitive" and not groups.withheld:
            yield from _by_group(groups, where)


def _labels(table: TableProfile, groups: Groups, where: dict[str, str]) -> Iterator[Value]:
    here = where | {"column": groups.column}
    yield from _share("dataset.indicator.labelled", table.rows - groups.missing, table.rows, here)
    counts = [group.rows for group in groups.shown]
    n = sum(counts) + groups.hidden_rows
    if not n:
        return
    even, effective = shares.spread_of(counts, groups.hidden_rows, groups.hidden, n)
    yield value(
        "dataset.indicator.label-evenness", even.value, n, interval=even.interval, group=here, rests_on=PROFILE_NAME
    )
    yield value(
        "dataset.indicator.label-effective",
        effective.value,
        n,
        interval=effective.interval,
        group=here,
        rests_on=PROFILE_NAME,
    )
    spread = [*counts, *shares.evenly(groups.hidden_rows, groups.hidden)]
    yield value("dataset.indicator.label-richness", len(spread) / n, n, group=here, rests_on=PROFILE_NAME)
    level = bonferroni_level(shares.LEVEL, max(1, len(counts)))
    for group in groups.shown:
        yield from _share("dataset.indicator.label-share", group.rows, n, here | {"label": group.value}, level)


def _by_group(groups: Groups, where: dict[str, str]) -> Iterator[Value]:
    """Yield how even the groups are, the share of rows with a gap in each, and the largest difference between two of them."""
    here = where | {"column": groups.column}
    counts = [group.rows for group in groups.shown]
    n = sum(counts) + groups.hidden_rows
    if n:
        even, _ = shares.spread_of(counts, groups.hidden_rows, groups.hidden, n)
        yield value(
            "dataset.indicator.group-evenness", even.value, n, interval=even.interval, group=here, rests_on=PROFILE_NAME
        )
    level = bonferroni_level(shares.LEVEL, max(1, len(groups.shown)))
    for group in groups.shown:
        yield from _share("dataset.indicator.group-gaps", group.gaps, group.rows, here | {"group": group.value}, level)
    pairs = list(combinations([(group.gaps, group.rows) for group in groups.shown if group.rows], 2))
    if pairs:
        joint = bonferroni_level(shares.LEVEL, len(pairs))
        bounds = widest([newcombe(one, two, joint).magnitude() for one, two in pairs])
        most = max(abs(one[0] / one[1] - two[0] / two[1]) for one, two in pairs)
        bounds = Interval(min(bounds.low, most), max(bounds.high, most), shares.LEVEL, "newcombe-bonferroni")
        yield value("dataset.indicator.gap-difference", most, n, interval=bounds, group=here, rests_on=PROFILE_NAME)


def constraints(body: Table) -> Iterator[Value]:
    """Yield of each declared constraint the share of rows in which it holds, all judged together."""
    asked = [each for each in body.constraints if each.rule not in {"column", "not-looked-at"} and each.of]
    level = bonferroni_level(shares.LEVEL, max(1, len(asked)))
    for each in asked:
        where = {"rule": each.rule, "column": ", ".join(each.columns)[:300]}
        held = each.of - min(each.count, each.of)
        yield from _share("dataset.indicator.constraint-held", held, each.of, where, level, TABLE_NAME)
    for seen in body.columns:
        of = body.rows - seen.absent
        if of > 0:
            held = of - min(seen.misfits, of)
            yield from _share("dataset.indicator.type-held", held, of, {"column": seen.name}, made=TABLE_NAME)
    yield from _noise(body)


def _noise(body: Table) -> Iterator[Value]:
    """Yield what the labels say of one another."""
    told = body.labels
    if told is None:
        return
    where = {"column": told.column}
    if told.rows:
        wrong = told.wrong / told.rows
        yield value("dataset.indicator.label-contradicted", wrong, told.rows, group=where, rests_on=TABLE_NAME)
    if told.rate is not None and told.low is not None and told.high is not None:
        bounds = Interval(1 - told.high, 1 - told.low, shares.LEVEL, "clopper-pearson")
        yield value(
            "dataset.indicator.label-accuracy",
            1 - told.rate,
            told.sets,
            interval=bounds,
            group=where,
            rests_on=TABLE_NAME,
        )
    yield from _share("dataset.indicator.label-doubted", told.doubted, told.judged, where, made=TABLE_NAME)

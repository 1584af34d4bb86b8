"""How far two readers agree who sorted the same rows, beyond what chance alone would give: Cohen's kappa.

Kappa (Cohen 1960) is the share of rows on which both agree, less the share that chance would give, over what was left
to agree on: ``(p_o - p_c) / (1 - p_c)``. The weighted kind (Cohen 1968) counts a near miss as part agreement; linear
weights are ``1 - |i - j| / (k - 1)`` over ``k`` ordered categories. The interval is that of the large-sample standard
error of Fleiss, Cohen and Everitt (Psychological Bulletin 72, 1969), cut off at -1 and 1; with few rows it is rough, so the number
of rows is always told with it.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import msgspec

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kappa(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of two readers over ``n`` rows: ``value`` from -1 to 1 with its interval, and the plain share agreed.

    ``value``, ``low`` and ``high`` are None where chance alone explains everything (both used one category only).
    """

    n: int
    agreed: float
    by_chance: float
    value: float | None
    low: float | None
    high: float | None
    coverage: float


def kappa(
    first: Sequence[str],
    second: Sequence[str],
    categories: Sequence[str],
    *,
    linear: bool = False,
    coverage: float = 0.95,
) -> Kappa:
    """Return Cohen's kappa of two readers' answers to the same rows, in the same order.

    ``categories`` are all answers there are, in order of their meaning where ``linear`` weights are asked for;
    ``coverage`` is that of the interval (two-sided). Raises Malformed (``agreement.rows``, ``agreement.category``).
    """
    if not first or len(first) != len(second):
        raise Malformed(
            "agreement.rows",
            Text(
                en="Two readings of the same rows are needed; there are {one} and {other}.",
                zh="须有对相同各行的两次判读；现有 {one} 行与 {other} 行。",
            ),
            do=Text(en="Give both readings of every row.", zh="请给出每一行的两次判读。"),
            one=len(first),
            other=len(second),
        )
    for each in (*first, *second):
        if each not in categories:
            raise Malformed(
                "agreement.category",
                Text(en="{name} is no category.", zh="{name} 不是类别。"),
                do=Text(en="Use one of: {known}.", zh="请使用：{known}。"),
                name=each[:80],
                known=", ".join(categories),
            )
    size, n = len(categories), len(first)
    counts = [[0] * size for _ in range(size)]
    for one, other in zip(first, second, strict=True):
        counts[categories.index(one)][categories.index(other)] += 1
    share = [[count / n for count in row] for row in counts]
    weight = (
        [
            [1 - abs(row - column) / (size - 1) if linear else float(row == column) for column in range(size)]
            for row in range(size)
        ]
        if size > 1
        else [[1.0]]
    )
    return _kappa(share, weight, n, coverage)


def _kappa(share: list[list[float]], weight: list[list[float]], n: int, coverage: float) -> Kappa:
    places = range(len(share))
    rows = [sum(share[i]) for i in places]
    columns = [sum(share[i][j] for i in places) for j in places]
    observed = sum(weight[i][j] * share[i][j] for i in places for j in places)
    chance = sum(weight[i][j] * rows[i] * columns[j] for i in places for j in places)
    plain = sum(share[i][i] for i in places)
    if math.isclose(chance, 1.0):
        return Kappa(n=n, agreed=plain, by_chance=chance, value=None, low=None, high=None, coverage=coverage)
    value = (observed - chance) / (1 - chance)
    # Mean weights of a row's and of a column's answers, against what the other reader usually says.
    row_mean = [sum(columns[j] * weight[i][j] for j in places) for i in places]
    column_mean = [sum(rows[i] * weight[i][j] for i in places) for j in places]
    spread = sum(
        share[i][j] * (weight[i][j] - (row_mean[i] + column_mean[j]) * (1 - value)) ** 2 for i in places for j in places
    )
    variance = max(0.0, spread - (value - chance * (1 - value)) ** 2) / (n * (1 - chance) ** 2)
    reach = NormalDist().inv_cdf((1 + coverage) / 2) * math.sqrt(variance)
    return Kappa(
        n=n,
        agreed=plain,
        by_chance=chance,
        value=value,
        low=max(-1.0, value - reach),
        high=min(1.0, value + reach),
        coverage=coverage,
    )

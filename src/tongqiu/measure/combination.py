"""Uncertainty put together from its parts, and two results compared without forgetting what they share.

Two laboratories that test the same items, or use the same judge, err together. Treating their results as independent
hides real disagreement, so each component says what it is shared by (JCGM 100:2008, the GUM, 5.2 and F.1.2).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tongqiu.measure.distribution import require, student_t_quantile, z_two_sided
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tongqiu.record.shapes import Component


def combined(components: Sequence[Component]) -> float:
    """Return the combined standard uncertainty sqrt(sum u_i^2) of uncorrelated components (GUM eq. 10)."""
    for component in components:
        require(component.source, component.u, 0.0, math.inf)
    return math.sqrt(math.fsum(component.u**2 for component in components))


def shared_covariance(
    first: Sequence[Component], second: Sequence[Component], same: Collection[str], correlation: float = 1.0
) -> float:
    """Return the covariance of two results from the components that they share.

    ``same`` says what really is the same in both: ``{"items"}`` when the digests of their items are equal, ``"judge"``
    when one judge marked both. Each pair of components of one ``source`` that are both ``shared_by`` a thing in ``same``
    adds ``correlation * u_1 * u_2`` (GUM F.1.2.3; correlation 1 when the error is the very same).
    """
    require("correlation", correlation, -1.0, 1.0)
    return correlation * math.fsum(
        a.u * b.u
        for a in first
        for b in second
        if a.shared_by in same and (a.shared_by, a.source) == (b.shared_by, b.source)
    )


def difference(u_1: float, u_2: float, covariance: float = 0.0) -> float:
    """Return the standard uncertainty of a difference: u^2(d) = u_1^2 + u_2^2 - 2 cov (GUM eq. 13).

    A covariance beyond u_1 * u_2 is impossible and is ``Malformed``.
    """
    require("u_1", u_1, 0.0, math.inf)
    require("u_2", u_2, 0.0, math.inf)
    limit = u_1 * u_2 * (1.0 + 1e-9)
    require("covariance", covariance, -limit, limit)
    return math.sqrt(max(0.0, u_1 * u_1 + u_2 * u_2 - 2.0 * covariance))


def zeta(x_1: float, u_1: float, x_2: float, u_2: float, covariance: float = 0.0) -> float:
    """Return (x_1 - x_2) / u(x_1 - x_2): ISO 13528 zeta score, with covariance where errors are shared.

    10.2 with u 0.15 against 10 with u 0.05 gives 1.265. Raises ``Malformed`` when the difference has no uncertainty.
    """
    u = difference(u_1, u_2, covariance)
    if u == 0.0:
        raise Malformed(
            "measure.no-uncertainty",
            Text(en="The difference has no uncertainty, so it has no score.", zh="该差值没有不确定度，无法计算评分。"),
            do=Text(en="State the uncertainty of both results.", zh="请给出两个结果的不确定度。"),
        )
    return (x_1 - x_2) / u


def effective_dof(components: Sequence[Component]) -> float:
    """Return the effective degrees of freedom of a sum (Welch-Satterthwaite, GUM eq. G.2b); infinity if all known."""
    below = math.fsum(c.u**4 / c.dof for c in components if c.dof is not None)
    return math.inf if below == 0.0 else combined(components) ** 4 / below


def coverage_factor(dof: float, level: float = 0.95) -> float:
    """Return k for an expanded uncertainty U = k u at ``level``: Student t for finite ``dof`` (GUM G.3.2), else normal."""
    return z_two_sided(level) if math.isinf(dof) else student_t_quantile(1.0 - (1.0 - level) / 2.0, dof)

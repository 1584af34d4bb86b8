"""What a share really is when the judge that counted it makes mistakes.

A language model or a keyword rule that marks answers has a sensitivity and a specificity of its own, each known only
from a calibration set. Ignoring that makes a result look about twice as sure as it is.
"""

from __future__ import annotations

import math

import msgspec

from tongqiu.measure.interval import counts
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text


class Corrected(msgspec.Struct, frozen=True):
    """A share corrected for its judge: value, standard uncertainty, and what the share alone would have claimed.

    ``value`` is not clipped: outside 0 to 1 it says that the calibration does not fit the run.
    """

    value: float
    u: float
    naive_u: float


def rogan_gladen(observed: tuple[int, int], sensitivity: tuple[int, int], specificity: tuple[int, int]) -> Corrected:
    """Return the share corrected for the errors of its judge; each argument is (counted, out of).

    p = (p_obs + Sp - 1) / (Se + Sp - 1) with delta-method variance (Rogan and Gladen 1978, Am. J. Epidemiol. 107:71).
    100/500 observed, 51/60 found, 133/140 cleared gives 0.1875 with u 0.0311, against 0.0179 unadjusted. A judge no
    better than chance (Se + Sp <= 1) is ``Malformed``: nothing can be learnt from it.
    """
    shares = []
    for part in (observed, sensitivity, specificity):
        x, n = counts(*part)
        shares.append((x / n, (x / n) * (1 - x / n) / n))
    (p, var_p), (se, var_se), (sp, var_sp) = shares
    youden = se + sp - 1.0
    if youden <= 0.0:
        raise Malformed(
            "measure.useless-judge",
            Text(
                en="The judge is no better than chance (sensitivity {se} and specificity {sp}).",
                zh="该评判者不优于随机（灵敏度 {se}，特异度 {sp}）。",
            ),
            do=Text(en="Use another judge, or calibrate it again.", zh="请更换评判者，或重新校准。"),
            se=round(se, 4),
            sp=round(sp, 4),
        )
    value = (p + sp - 1.0) / youden
    u = math.sqrt(var_p + value**2 * var_se + (1.0 - value) ** 2 * var_sp) / youden
    return Corrected(value, u, math.sqrt(var_p))

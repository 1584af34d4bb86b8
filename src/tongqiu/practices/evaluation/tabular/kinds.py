"""The records on scores: what they are called, and how strangers read and check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practices.evaluation.tabular import figures
from tongqiu.practices.evaluation.tabular.bodies import (
    Calibration,
    Drift,
    Explanation,
    Membership,
    Mitigation,
    Robustness,
)
from tongqiu.record.kind import Kind
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any


def calibration_holds(body: Calibration) -> Iterable[str]:
    """Return the fields of a calibration record that do not follow from its bins."""
    from tongqiu.practices.evaluation.tabular import again

    return again.calibration(body)


def explanation_holds(body: Explanation) -> Iterable[str]:
    """Return the fields of an explanation that do not go together."""
    from tongqiu.practices.evaluation.tabular import again

    return again.explanation(body)


def robustness_holds(body: Robustness) -> Iterable[str]:
    """Return the fields of a robustness record that its counts do not give."""
    from tongqiu.practices.evaluation.tabular import again

    return again.robustness(body)


def membership_holds(body: Membership) -> Iterable[str]:
    """Return the fields of a membership record that its counts do not give."""
    from tongqiu.practices.evaluation.tabular import again

    return again.membership(body)


def drift_holds(body: Drift) -> Iterable[str]:
    """Return the fields of a drift record that its counts do not give."""
    from tongqiu.practices.evaluation.tabular import again

    return again.drift(body)


def mitigation_holds(body: Mitigation) -> Iterable[str]:
    """Return the fields of a table of options that its counts do not give."""
    from tongqiu.practices.evaluation.tabular import again

    return again.mitigation(body)


CALIBRATION: Kind[Calibration] = Kind(
    name="evaluation.calibration/1",
    body=Calibration,
    title=Text(en="Calibration of scores", zh="分数校准"),
    evidence=figures.evidence(figures.calibration),
    holds=calibration_holds,
)
EXPLANATION: Kind[Explanation] = Kind(
    name="evaluation.explanation/1",
    body=Explanation,
    title=Text(en="What the scores hang on", zh="分数的依据"),
    evidence=figures.evidence(figures.explanation),
    holds=explanation_holds,
)
ROBUSTNESS: Kind[Robustness] = Kind(
    name="evaluation.robustness/1",
    body=Robustness,
    title=Text(en="Decisions that turn", zh="决定的稳健性"),
    evidence=figures.evidence(figures.robustness),
    holds=robustness_holds,
)
MEMBERSHIP: Kind[Membership] = Kind(
    name="evaluation.membership/1",
    body=Membership,
    title=Text(en="Training cases given away", zh="训练案例的泄露"),
    evidence=figures.evidence(figures.membership),
    holds=membership_holds,
)
DRIFT: Kind[Drift] = Kind(
    name="evaluation.drift/1",
    body=Drift,
    title=Text(en="Change between two periods", zh="两期之间的变化"),
    evidence=figures.evidence(figures.drift),
    holds=drift_holds,
)
MITIGATION: Kind[Mitigation] = Kind(
    name="evaluation.mitigation/1",
    body=Mitigation,
    title=Text(en="What other thresholds would change", zh="其他阈值的效果"),
    evidence=figures.evidence(figures.mitigation),
    holds=mitigation_holds,
)
FIGURES: dict[str, Callable[[Any], Iterator[figures.Figure]]] = {
    CALIBRATION.name: figures.calibration,
    EXPLANATION.name: figures.explanation,
    ROBUSTNESS.name: figures.robustness,
    MEMBERSHIP.name: figures.membership,
    DRIFT.name: figures.drift,
    MITIGATION.name: figures.mitigation,
}
KINDS = (CALIBRATION, EXPLANATION, ROBUSTNESS, MEMBERSHIP, DRIFT, MITIGATION)

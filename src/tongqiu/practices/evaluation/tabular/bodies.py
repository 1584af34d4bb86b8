"""The bodies of records on scores: calibration, explanation, robustness, membership, drift and what other thresholds would change.

Each carries its value, interval, number of cases, floor and method, and what is needed to compute again whatever follows from it.
``drawn`` is how many of the rows that count were used: all of them up to a limit, else a sample drawn by ``seed``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tongqiu.practices.evaluation.bodies import Completeness, Gap, Group, MethodText, Natural, Source
from tongqiu.record.shapes import Code
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

Explainer = Literal["permutation", "shapley", "shap"]
OptionName = Literal["as-is", "equal-selection", "equal-opportunity", "equalized-odds"]


class Bounded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number between two bounds."""

    value: float
    low: float
    high: float


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` of ``n`` cases, with the bounds of its share."""

    count: Natural
    n: Natural
    value: float
    low: float
    high: float


class Bin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows whose scores lie between ``least`` and ``most``: their mean score, and how many turned out positive."""

    least: float
    most: float
    score: float
    outcome: Share


class Calibrated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How far scores lie from what happened, for one group (``by`` empty: for all); no numbers where the cases are too few.

    ``error`` is the expected calibration error over ``bins``; ``floor`` what a scorer that is perfectly calibrated shows on as
    many cases (mean), ``floor_high`` what it exceeds in one case of twenty; ``p`` the share of such scorers that show at least this
    error. ``brier`` is the mean squared error of the scores, ``brier_floor`` that of always giving the share of positive cases.
    """

    by: dict[str, str]
    n: Natural | None = None
    positive: Natural | None = None
    error: Bounded | None = None
    floor: float | None = None
    floor_high: float | None = None
    p: float | None = None
    brier: Bounded | None = None
    brier_floor: float | None = None
    bins: tuple[Bin, ...] = ()


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whether a score of 0.7 means seven in ten (``evaluation.calibration/1``)."""

    method: MethodText
    source: Source
    rows: Completeness
    drawn: Natural
    seed: Natural
    resamples: Natural
    coverage: float
    interval: str
    smallest: Natural
    groups: tuple[Calibrated, ...]
    left_out: tuple[str, ...] = ()


class Importance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one column is worth to the scores, by one explainer.

    ``value`` with the interval over resampled rows; ``repeats`` the interval over repeated shuffles alone; ``floor`` what the same
    column reaches when outcomes are shuffled, so that nothing can be learnt from it (one time in twenty it is more).
    ``way`` tells whether higher values raise or lower the chance of the positive class.
    """

    column: str
    value: Bounded
    floor: float | None = None
    repeats: Bounded | None = None
    way: Literal["raises", "lowers", "mixed"] | None = None


class Explained(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One explainer's answer: columns by importance, the order's stability over resampled rows, and its own check.

    ``additivity`` is the greatest difference between the sum of the contributions of a row and what they must add up to.
    """

    explainer: Explainer
    method: MethodText
    n: Natural
    columns: tuple[Importance, ...]
    stability: Bounded | None = None
    additivity: float | None = None


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far two explainers put the columns in the same order (Spearman's rank correlation)."""

    one: Explainer
    other: Explainer
    rank: Bounded


class Explanation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the scores hang on, by explainers that are held against each other (``evaluation.explanation/1``).

    ``measured`` is what importance counts: ``brier`` the rise of the mean squared error, ``error-rate`` that of wrong decisions.
    """

    method: MethodText
    source: Source
    rows: Completeness
    drawn: Natural
    seed: Natural
    shuffles: Natural
    resamples: Natural
    coverage: float
    measured: Literal["brier", "error-rate"]
    explainers: tuple[Explained, ...]
    summary: Text
    agreement: tuple[Agreement, ...] = ()


class Flips(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many decisions turned when the input was changed in one way; ``outcome`` None: too few cases.

    ``columns`` were changed, ``size`` by how much (in the change's own measure); ``by`` the group, empty for all.
    """

    change: Literal["none", "noise", "rounding", "last-place", "median", "other-group"]
    columns: tuple[str, ...]
    by: dict[str, str] = {}
    size: float | None = None
    outcome: Share | None = None


class Robustness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which decisions turn under changes that must not matter, and when only a sensitive column is another (``evaluation.robustness/1``)."""

    method: MethodText
    source: Source
    rows: Completeness
    drawn: Natural
    seed: Natural
    coverage: float
    interval: str
    smallest_cell: Natural
    flips: tuple[Flips, ...]


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How well somebody who knows a case's outcome can tell from its score whether it was trained on (``evaluation.membership/1``).

    ``auc`` of the loss attack has the floor 0.5, ``advantage`` (true less false positive rate of a threshold chosen on one half and
    used on the other) the floor 0; ``caught`` members are found at a false positive rate ``false_alarms``, aimed at 1 in 100.
    It also is above the floor where the two tables differ for any other reason, and below it says nothing of stronger attacks.
    """

    method: MethodText
    source: Source
    training: Subject
    members: Natural
    others: Natural
    seed: Natural
    coverage: float
    auc: Bounded
    floor: float
    threshold: float
    hit: Share
    alarm: Share
    advantage: Bounded
    strict: float
    caught: Share
    false_alarms: Share


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one column (``score`` and ``decision`` too) lies in two periods, counted in the same bins or levels.

    ``index`` is the population stability index, ``floor`` what it exceeds in one case of twenty without any change; ``statistic``
    the greatest distance of the distributions (numbers) or chi-square (categories); ``adjusted`` is ``p`` after Holm.
    """

    column: str
    role: Literal["input", "group", "outcome", "score", "decision"]
    kind: Literal["number", "category"]
    before: tuple[Natural, ...]
    after: tuple[Natural, ...]
    index: Bounded
    floor: float
    test: Literal["ks-permutation", "ks-asymptotic", "chi-square"]
    statistic: float
    p: float
    adjusted: float
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()


class Moved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measure of performance in two periods and its difference (later less earlier) with its interval."""

    measure: Code
    before: float
    after: float
    n_before: Natural
    n_after: Natural
    difference: Bounded
    interval: str


class Drift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What changed between two periods: columns, scores, decisions and performance (``evaluation.drift/1``)."""

    method: MethodText
    source: Source
    earlier: Subject
    rows: Completeness
    rows_earlier: Completeness
    drawn: Natural
    drawn_earlier: Natural
    seed: Natural
    resamples: Natural
    coverage: float
    adjustment: Literal["holm"]
    shifts: tuple[Shift, ...]
    performance: tuple[Moved, ...] = ()
    period: str | None = None
    since: str | None = None
    left_out: tuple[str, ...] = ()


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which score of the positive class the positive decision is given to a group."""

    level: str
    value: float


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one choice of thresholds does on cases that it was not chosen on.

    ``changed`` decisions would be others; ``accuracy`` of all; ``groups`` and ``gaps`` as in a fairness record.
    """

    name: OptionName
    column: str
    thresholds: tuple[Threshold, ...]
    changed: Share
    accuracy: Share
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]


class Mitigation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What thresholds by group would change: chosen on one half, measured on the other (``evaluation.mitigation/1``).

    A table of options, not advice: nothing was changed in the model, and deciding by group may itself be unlawful.
    """

    method: MethodText
    source: Source
    rows: Completeness
    drawn: Natural
    chosen_on: Natural
    measured_on: Natural
    seed: Natural
    coverage: float
    smallest_cell: Natural
    options: tuple[Option, ...]
    left_out: tuple[str, ...] = ()

"""The bodies of evaluation records: sources, values, groups and gaps, each with what is needed to compute it again."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.record.shapes import Code, Component, Finding
from tongqiu.record.subject import Subject

Natural = Annotated[int, msgspec.Meta(ge=0)]
MethodText = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*@[0-9]+(\.[0-9]+)*$")]
Sharing = Literal["column", "model"]


class Completeness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of what was planned was done: rows of the table that were planned, done, errored and skipped.

    ``errored`` rows could not be read or scored; ``skipped`` rows were left out on purpose (no label recorded).
    """

    planned: Natural
    done: Natural
    errored: Natural
    skipped: Natural


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the counts were made from.

    ``data`` and ``model`` by identity and digest; ``decisions`` tells whether they stood in a column or came from running
    the model; ``positive`` is the class that all rates count, ``favourable`` whether its owner calls it the good outcome
    for the person; ``threshold`` the score from which ``threshold_class`` was decided.
    """

    data: Subject
    decisions: Sharing
    positive: str
    negative: str
    favourable: bool
    model: Subject | None = None
    label: str | None = None
    threshold: float | None = None
    threshold_class: str | None = None


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One share with its uncertainty: ``count`` of ``n`` rows; all None where the rows are too few to judge.

    ``u`` is half the Wilson interval divided by the factor of its coverage, so that it is not zero at 0 or 1.
    ``floor`` is what a system without any skill reaches on the same rows.
    """

    measure: Code
    value: float | None = None
    unit: str = "1"
    n: Natural | None = None
    count: Natural | None = None
    u: float | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    components: tuple[Component, ...] = ()


class Skill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The system against the constant answer on the same rows.

    ``gained`` rows only the system got right, ``lost`` rows only the constant answer ``constant`` did. ``value`` is
    (gained - lost) / n with an interval from the exact binomial interval of gained among both (as in McNemar's test).
    """

    constant: str
    gained: Natural
    lost: Natural
    n: Natural
    value: float
    low: float
    high: float


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Performance on one table: values with uncertainty, floor and completeness (``evaluation.result/1``)."""

    method: MethodText
    source: Source
    rows: Completeness
    coverage: float
    interval: str
    values: tuple[Value, ...]
    skill: Skill | None = None


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One group: its levels by column, its rows and rates; ``n`` None and no values mean: too few to judge."""

    by: dict[str, str]
    n: Natural | None = None
    values: tuple[Value, ...] = ()


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How far groups lie apart: the greatest difference, or the least ratio, of a rate between any two of them.

    ``low`` and ``high`` hold at the coverage of the whole report for all ``comparisons`` of this measure together
    (Bonferroni). ``lowest`` and ``highest`` are the groups that show the value. ``too_few`` groups could not be judged.
    ``value`` None: fewer than two groups could be judged, or the ratio is of nothing to nothing.
    """

    measure: Code
    statistic: Literal["difference", "ratio"]
    by: tuple[str, ...]
    groups: Natural
    too_few: Natural
    comparisons: Natural
    value: float | None = None
    low: float | None = None
    high: float | None = None
    lowest: dict[str, str] = {}
    highest: dict[str, str] = {}


class Fairness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a system treats groups: rates of every group and the gaps between them (``evaluation.fairness/1``).

    ``left_out`` names combinations of columns that form too many groups to compare.
    """

    method: MethodText
    source: Source
    rows: Completeness
    coverage: float
    interval: str
    adjustment: Literal["bonferroni"]
    smallest_cell: Annotated[int, msgspec.Meta(ge=1)]
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]
    left_out: tuple[tuple[str, ...], ...] = ()


class Verdicts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the measures mean against named limits, each verdict taken at the confidence bound (``evaluation.verdict/1``)."""

    rules: MethodText
    data: Subject
    findings: tuple[Finding, ...]

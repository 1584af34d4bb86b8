"""What is recorded of a table beyond its profile: counts, shares and distances, never a value that could be a person's.

Rows are told by number, groups only from ten rows on, columns by name (masked). Every judgement by chance says its method, how many rows
it rests on and how sure it is.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.record.text import Text

Natural = Annotated[int, msgspec.Meta(ge=0)]
Short = Annotated[str, msgspec.Meta(max_length=300)]
Part = Annotated[float, msgspec.Meta(ge=0, le=1, title="part of a whole")]
"""The title keeps this type apart from an equal one elsewhere, whose bounds typing's cache would put in its place, written otherwise."""
Rows = tuple[Natural, ...]
ColumnType = Literal["empty", "boolean", "integer", "number", "date", "instant", "category", "text"]
Rule = Literal[
    "type",
    "required",
    "unique",
    "enum",
    "minimum",
    "maximum",
    "pattern",
    "length",
    "foreign-key",
    "column",
    "not-looked-at",
]


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column: its type by content, values absent, different values, and values of another type with their first rows.

    ``constant`` columns hold one value; ``numbering`` columns hold a different value in nearly every row, as numbers of
    people or records do. ``people`` columns hold identifiers of people.
    """

    name: Short
    type: ColumnType
    absent: Natural
    distinct: Natural
    misfits: Natural = 0
    misfit_rows: Rows = ()
    constant: bool = False
    numbering: bool = False
    people: bool = False


class Broken(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One declared constraint: ``columns`` it is on, of how many rows, in how many it does not hold, and the first of them.

    ``column``: the column is not there; ``not-looked-at``: the constraint could not be tested, and ``why``.
    """

    rule: Rule
    columns: tuple[Short, ...]
    of: Natural
    count: Natural
    rows: Rows = ()
    why: Text | None = None


class Outlying(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Numbers far from the rest of their column, among ``of``: outside Tukey's inner (1.5) and outer (3 interquartile ranges) fences,
    and with a modified z-score above 3.5 by the median absolute deviation (``spread`` false: more than half are equal, so none is told).
    """

    column: Short
    of: Natural
    inner: Natural
    outer: Natural
    deviating: Natural
    spread: bool = True
    rows: Rows = ()


class Telling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much a column tells of the label: the share of the label's entropy that it takes away (None where nearly every row has a value of its own), and the error of the best rule by this
    column alone, learnt on one half of ``of`` rows and tested on the other, within ``low`` and ``high`` (adjusted for the number of
    columns), beside the error ``blind`` of always saying the commonest class. ``leaks``: the whole interval lies below ``limit``, and below a fifth of ``blind``.
    """

    column: Short
    of: Natural
    information: Part | None
    error: Part
    low: Part
    high: Part
    blind: Part
    limit: Part
    leaks: bool


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the labels of a table say of one another.

    ``sets`` sets of rows that agree in all ``compared`` columns (``left_out`` columns number their rows) hold ``rows`` labelled rows; ``contradicted`` sets
    carry different labels, so that at least ``wrong`` labels are wrong where the compared columns decide the label; ``first`` are rows of such sets. ``rate`` within ``low`` and ``high`` (95 %): the share of wrong
    labels that follows if equal rows were labelled independently and wrong labels fall evenly on the other classes. ``doubted`` of ``judged`` labels, or the
    share within ``doubted_low`` and ``doubted_high``: a model trained on other rows firmly names another class; ``doubtful`` are the first such rows. No model was asked where ``unjudged``.
    """

    column: Short
    compared: Natural
    left_out: Natural
    sets: Natural = 0
    rows: Natural = 0
    contradicted: Natural = 0
    wrong: Natural = 0
    first: Rows = ()
    rate: Part | None = None
    low: Part | None = None
    high: Part | None = None
    judged: Natural = 0
    doubted: Natural = 0
    doubted_low: Part | None = None
    doubted_high: Part | None = None
    doubtful: Rows = ()
    unjudged: Literal["", "no-prose", "too-much-prose", "no-library", "too-few"] = ""


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a column differs between two versions: statistic and p-value (Holm over all columns), effect size, stability index.

    ``kolmogorov-smirnov``: effect is the statistic D itself; ``chi-squared``: effect is Cramér's V over ``freedom`` degrees. ``appeared`` and ``gone``
    count values (of columns that are not numbers) that stand in one version alone. ``absent`` is the change of the share of absent values.
    """

    column: Short
    test: Literal["kolmogorov-smirnov", "chi-squared", "none"]
    before: Natural
    after: Natural
    effect: float = 0.0
    statistic: float = 0.0
    freedom: Natural = 0
    p: float = 1.0
    stability: float = 0.0
    appeared: Natural = 0
    gone: Natural = 0
    absent: float = 0.0
    shifted: bool = False


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column that was added, removed, or is of another type than in the version before."""

    column: Short
    change: Literal["added", "removed", "type"]
    before: Short = ""
    after: Short = ""


class Versions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The table beside its previous version."""

    rows_before: Natural
    rows_after: Natural
    changes: tuple[Change, ...] = ()
    shifts: tuple[Shift, ...] = ()


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rows of one group and their share within ``low`` and ``high`` (Wilson, all groups together at 95 %).

    ``expected`` is its share in the declared population; ``standing`` where the interval lies beside it.
    """

    value: Short
    rows: Natural
    share: Part
    low: Part
    high: Part
    expected: Part | None = None
    standing: Literal["fewer", "as-declared", "more", "not-compared"] = "not-compared"


class Makeup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The groups by one column among ``of`` rows that have a value; ``hidden`` groups of too few rows are told together.

    ``evenness`` is the entropy of the shares over that of equal shares. ``withheld``: the column points to persons or has too many values.
    ``unseen`` counts groups of the declared population without a row.
    """

    column: Short
    role: Literal["sensitive", "label"]
    of: Natural
    shown: tuple[Share, ...] = ()
    hidden: Natural = 0
    hidden_rows: Natural = 0
    evenness: Part = 0.0
    withheld: bool = False
    unseen: Natural = 0
    source: Short = ""


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The two groups by ``by`` that differ most in how often ``column`` is absent: shares, and the difference within ``low`` and ``high``
    (Newcombe, adjusted for all pairs that were compared).
    """

    column: Short
    by: Short
    most: Short
    least: Short
    most_share: Part
    least_share: Part
    low: float
    high: float


class Below(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Classes that miss a mark, and the rows in them."""

    mark: float
    classes: Natural
    rows: Natural


class Hidden(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How well one sensitive column is hidden in the classes: l (distinct, entropy) and t, and which classes miss which mark."""

    column: Short
    l_distinct: Natural
    l_entropy: float
    t: Part
    distance: Literal["equal", "ordered"]
    l_below: tuple[Below, ...] = ()
    t_above: tuple[Below, ...] = ()


class Coarser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one change would do: k, and the rows that would still stand in classes of fewer than five."""

    column: Short
    change: Literal["leave-out", "ten-bands"]
    k: Natural
    rows: Natural


class Anonymity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How well people are hidden by the declared quasi-identifiers. ``alone`` rows share their combination with no other."""

    quasi: tuple[Short, ...]
    rows: Natural
    classes: Natural
    k: Natural
    alone: Natural
    k_below: tuple[Below, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    coarser: tuple[Coarser, ...] = ()


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What holds of a table."""

    path: Short
    format: Short
    rows: Natural
    lost: Natural
    columns: tuple[Seen, ...]
    method: Short
    constraints: tuple[Broken, ...] = ()
    declared: Natural = 0
    """How many constraints were declared."""
    outliers: tuple[Outlying, ...] = ()
    label: Short = ""
    telling: tuple[Telling, ...] = ()
    makeup: tuple[Makeup, ...] = ()
    gaps: tuple[Gap, ...] = ()
    versions: Versions | None = None
    anonymity: Anonymity | None = None
    more_columns: Natural = 0
    """Columns beyond those told here one by one."""
    labels: Labels | None = None


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One released number; ``name`` is a category or band that was declared, not one that was met."""

    name: Short
    value: float


class Released(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One released summary: what it cost (``epsilon``), how it was made, and within what it likely lies.

    ``mechanism`` with ``scale`` of its noise; ``within`` is the distance from the true number that 95 % of draws keep (for counts).
    ``low`` and ``high`` are the declared bounds that values were cut to.
    """

    summary: Literal["count", "histogram", "mean"]
    column: Short
    epsilon: float
    mechanism: Short
    scale: float
    cells: tuple[Cell, ...]
    within: float | None = None
    low: float | None = None
    high: float | None = None


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A differentially private release: never a true number, and what it cost in all.

    ``before`` is the epsilon of earlier releases that were handed in, ``most`` the largest sum that the owner allows. One row is one person;
    two tables are neighbours where one has a row more.
    """

    epsilon: float
    released: tuple[Released, ...]
    method: Short
    before: float = 0.0
    most: float | None = None
    unit: Literal["row"] = "row"

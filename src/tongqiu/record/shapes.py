"""The two shapes through which areas read each other: a measure, and a verdict with its reason.

Whatever a record's body looks like, a stranger reads it as *evidence* (something was seen, this much, this sure, by
this method, by whom) and as *findings* (a requirement was met, or not, because). Both explain themselves in Chinese
and English, so they can be read where the area that made them is not installed.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.record.text import Text

Basis = Literal["claimed", "measured", "imported"]
"""How a value came about: a party says so; a probe saw it; another tool's result was taken in."""

RanBy = Literal["first", "second", "third"]
"""Who ran it: the provider itself, a customer or user of it, or an independent party (ISO/IEC 17000 clause 4.3-4.5)."""

Verdict = Literal["met", "unmet", "undecided", "not-assessed", "not-applicable"]
"""``undecided`` means the interval straddles the threshold; ``not-assessed`` means nobody looked."""

Scalar = bool | int | float | str | None
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
"""A stable dotted name in lower case."""


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One part of an uncertainty: its source, standard uncertainty ``u`` in the unit of the value, degrees of freedom,
    and with whom it is shared, so that correlated results are not counted as independent.
    """

    source: Code
    u: float
    dof: float | None = None
    shared_by: Literal["items", "judge", "serving", "none"] = "none"


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that was seen.

    ``measure`` a stable dotted name; ``title`` for people; ``value`` with ``unit`` (a UCUM code, ``1`` for a plain
    number); ``method`` as ``name@version``; ``group`` the slice it holds for; ``n`` items behind it; ``u`` combined
    standard uncertainty; ``low``/``high`` the interval of ``coverage``; ``components`` of the uncertainty; ``basis``
    how it came about, ``ran_by`` whom, ``attested`` whether the environment was attested.
    """

    measure: Code
    title: Text
    value: Scalar
    unit: str
    method: str
    group: dict[str, str] = {}
    n: int | None = None
    u: float | None = None
    low: float | None = None
    high: float | None = None
    coverage: float | None = None
    components: tuple[Component, ...] = ()
    basis: Basis = "measured"
    ran_by: RanBy = "first"
    attested: bool = False


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A verdict on one requirement, with its reason.

    ``requirement`` is ``pack:id`` or a rule's own dotted name; ``code`` and ``params`` let software compare reasons;
    ``reason`` says the same in words, already filled in; ``severity`` orders findings for people.
    """

    requirement: str
    title: Text
    verdict: Verdict
    code: Code
    reason: Text
    params: dict[str, Scalar] = {}
    severity: Literal["info", "low", "medium", "high", "critical"] = "info"
    mend: Text | None = None

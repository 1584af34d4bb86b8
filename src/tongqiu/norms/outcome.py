"""What grading looks at and what it says, as values: findings seen, rules that hold, ranges of grades, missing answers."""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec

from tongqiu.norms.pack import Cite
from tongqiu.norms.questions import Value
from tongqiu.record.shapes import Finding
from tongqiu.record.text import Text

State = Literal["graded", "range", "unanswered"]
"""One grade is left; several are; or nothing that bears on it was answered, or it could not be counted."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as grading looks at it: the record (entry) and kind it came in, and the finding itself."""

    entry: str
    kind: str
    finding: Finding


class Held(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule that holds for sure (``fired``) or under some of the missing answers (``possible``), with its reasons.

    ``read`` are the known facts that the rule looked at, dates and numbers as the band it saw; ``open`` the missing ones that decide it. ``pending`` means
    that the clause does not apply yet on the day asked about; ``aside`` that it cannot count, because a rule that
    overrides holds; ``checked`` that somebody compared the row with the law.
    """

    rule: str
    scale: str
    grade: str
    state: Literal["fired", "possible"]
    title: Text
    reason: Text
    cite: tuple[Cite, ...]
    pending: bool
    aside: bool
    applies_from: datetime.date | None
    checked: bool
    read: dict[str, Value]
    open: tuple[str, ...]


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The outcome on one scale: ``low`` and ``high`` grade, and every grade that is still possible, lightest first."""

    scale: str
    title: Text
    state: State
    low: str
    high: str
    grades: tuple[str, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one answer would leave: on this scale, these grades."""

    value: Value
    scale: str
    grades: tuple[str, ...]


class Gap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A missing answer that matters: its question, what each answer would change, and how much it narrows.

    ``sure`` is how many grades drop out whatever the answer, ``mean`` how many on average over the answers (each
    counted once), ``settles`` how many open rules the most telling answer settles; all over every scale.
    """

    fact: str
    question: Text
    outcomes: tuple[Outcome, ...]
    sure: int
    mean: float
    settles: int


class Grading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole answer under one pack; ``facts`` as they were given, ``implied`` what follows from them and from findings;
    ``gaps`` in the order in which they are best asked (wider questions before those within them).
    """

    pack: str
    version: str
    digest: str
    as_of: datetime.date
    known_at: datetime.date
    spans: tuple[Span, ...]
    held: tuple[Held, ...]
    facts: dict[str, Value]
    implied: dict[str, Value]
    gaps: tuple[Gap, ...]

    def span(self, scale: str) -> Span:
        """Return the outcome on ``scale``. Raises KeyError for a scale that the pack does not have."""
        return {each.scale: each for each in self.spans}[scale]

    @property
    def fired(self) -> tuple[Held, ...]:
        """Return the rules that hold whatever the missing answers are."""
        return tuple(each for each in self.held if each.state == "fired")

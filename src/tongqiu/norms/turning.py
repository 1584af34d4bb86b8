"""What would change a grade: each given answer, answered otherwise while all others stay, and the grades that would follow.

A grade that was reached is explained by what would have led elsewhere. Nothing is assumed: missing answers stay missing,
and an answer that the other answers rule out (a yes within a no) is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongqiu.norms.span import Bar, Counter, TooKnotted, answered
from tongqiu.record.faults import Malformed

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator, Mapping

    from tongqiu.norms.grading import Book, Seen
    from tongqiu.norms.pack import Rule
    from tongqiu.norms.questions import Value

Grades = dict[str, tuple[str, ...]]
"""The grades still possible on each scale, lightest first."""


class Turn(NamedTuple):
    """Answering ``fact`` with ``value`` instead of ``given`` leaves ``grades`` on the scales on which that changes them."""

    fact: str
    given: Value
    value: Value
    grades: Grades


def turns(
    book: Book,
    facts: Mapping[str, object],
    findings: Iterable[Seen] = (),
    *,
    as_of: datetime.date,
    known_at: datetime.date | None = None,
) -> Iterator[Turn]:
    """Yield every answer of ``facts`` that, given otherwise, gives other grades; a date or number by its bands.

    In the order of the pack. Raises Malformed as :meth:`tongqiu.norms.grading.Book.settle`.
    """
    seen = tuple(findings)
    rules = [each for each in book.pack.rules if book.calendar.row(each, as_of, known_at or as_of).counts]
    settled = book.settle(facts, seen)
    ruled = book.questions.ruled(settled)
    now = possible(book, rules, ruled)
    for key, fact in book.facts.items():
        if key not in facts or key not in ruled:
            continue
        for value in fact.values:
            if value == ruled[key]:
                continue
            try:
                other = book.questions.ruled(book.settle({**facts, key: value}, seen))
            except Malformed:  # the other answers rule it out
                continue
            then = possible(book, rules, other)
            changed = {scale: grades for scale, grades in then.items() if grades != now[scale]}
            if changed:
                yield Turn(key, settled[key], value, changed)


def possible(book: Book, rules: Iterable[Rule], ruled: Mapping[str, bool | str]) -> Grades:
    """Return the grades that ``rules`` of ``book`` leave possible under answers as rules see them; all where it is too knotted."""
    answers = {key: book.facts[key].values.index(value) for key, value in ruled.items()}
    counter, found = Counter(), {}
    held = tuple(rules)
    for scale in book.pack.scales:
        bars = [
            Bar(each.overrides, scale.place(each.grade), book.tables[each.id])
            for each in held
            if each.scale == scale.id
        ]
        try:
            places = sorted(counter.possible(answered(bars, answers), scale.place(scale.default)))
        except TooKnotted:
            places = list(range(len(scale.grades)))
        found[scale.id] = tuple(scale.grades[place].id for place in places)
    return found

"""Which question to ask next when many systems wait for their grades: the one whose answers would narrow most of them.

Every missing answer of every system is weighed under every pack, and the same question is counted once for each system
and pack that waits for it. What an answer would do is counted as it is for one grade: exactly, never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.norms.grading import Seen
from tongqiu.norms.questions import Value
from tongqiu.record.text import Text

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from tongqiu.norms.grading import Book, Gap, Grading


class Awaited(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One system, as asking looks at it: its identifier, the known answers by question, and the findings about it."""

    system: str
    facts: dict[str, object]
    findings: tuple[Seen, ...] = ()


class Waiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A system and a pack that wait for an answer, and how many grades drop out: surely, on average, at best."""

    system: str
    pack: str
    sure: int
    mean: float
    best: int


class Next(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question with what its answers would do for all systems and packs together.

    ``mean`` is how many grades drop out on average over its answers (each counted once), summed over ``waiting``; ``sure``
    how many drop out whatever is answered, ``best`` how many at best, ``settles`` how many open rules the most telling
    answer settles, each summed likewise. ``values`` are the answers as rules see them: a date or number as its band.
    """

    fact: str
    question: Text
    values: tuple[Value, ...]
    sure: int
    mean: float
    best: int
    settles: int
    waiting: tuple[Waiting, ...]

    @property
    def systems(self) -> tuple[str, ...]:
        """Return the systems that wait for this answer, sorted."""
        return tuple(sorted({each.system for each in self.waiting}))

    @property
    def packs(self) -> tuple[str, ...]:
        """Return the packs under which they wait, sorted."""
        return tuple(sorted({each.pack for each in self.waiting}))

    @property
    def measure(self) -> tuple[float, int, int, int]:
        """Return what questions are ranked by, the greater the earlier: mean, sure, best and settles."""
        return self.mean, self.sure, self.best, self.settles


class _Sum:
    """The tally of one question while systems and packs are gone through."""

    def __init__(self, question: Text, values: tuple[Value, ...], depth: int) -> None:
        self.question, self.values, self.depth = question, values, depth
        self.settles = 0
        self.waiting: list[Waiting] = []


def next_questions(
    systems: Iterable[Awaited], books: Iterable[Book], *, as_of: datetime.date, known_at: datetime.date | None = None
) -> tuple[Next, ...]:
    """Return the missing answers of ``systems`` under ``books``, the one that narrows most grades first.

    Ranked by :attr:`Next.measure`; of equals a wider question comes before those within it, then by key. A question that
    bears neither on a grade still open nor on a duty of its own is left out, so that answering all leaves none. Two
    systems that gave a pack the same answers are counted once and weighed twice. Raises Malformed as
    :meth:`tongqiu.norms.grading.Book.settle`.
    """
    shelf = tuple(books)
    sums: dict[str, _Sum] = {}
    worked: dict[tuple[object, ...], tuple[tuple[Gap, int], ...]] = {}
    for system in systems:
        for book in shelf:
            own = {key: value for key, value in system.facts.items() if key in book.facts}
            settled = book.settle(own, system.findings, where=system.system)
            key = (book.pack.id, tuple(sorted((each, str(value)) for each, value in settled.items())))
            if key not in worked:
                grading = book.grade(own, system.findings, as_of=as_of, known_at=known_at, where=system.system)
                worked[key] = _weighed(book, grading)
            for gap, best in worked[key]:
                _add(sums, book, system.system, gap, best)
    made = [_next(fact, each) for fact, each in sums.items()]
    return tuple(sorted(made, key=lambda each: (*(-part for part in each.measure), sums[each.fact].depth, each.fact)))


def telling(book: Book, grading: Grading) -> tuple[Gap, ...]:
    """Return the missing answers that bear on a grade still open, or on a rule that brings a duty of its own."""
    own = {rule for each in book.pack.requirements for rule in each.rules}
    duty = {fact for each in grading.held if each.rule in own and each.state == "possible" for fact in each.open}
    open_ = {span.scale for span in grading.spans if span.state != "graded"}
    return tuple(gap for gap in grading.gaps if gap.fact in duty or any(one.scale in open_ for one in gap.outcomes))


def _weighed(book: Book, grading: Grading) -> tuple[tuple[Gap, int], ...]:
    """Return the telling gaps, each with how many grades its most telling answer drops."""
    held = {span.scale: len(span.grades) for span in grading.spans}
    weighed = []
    for gap in telling(book, grading):
        lost: dict[Value, int] = {}
        for each in gap.outcomes:
            lost[each.value] = lost.get(each.value, 0) + held[each.scale] - len(each.grades)
        weighed.append((gap, max(lost.values(), default=0)))
    return tuple(weighed)


def _add(sums: dict[str, _Sum], book: Book, system: str, gap: Gap, best: int) -> None:
    fact = book.facts[gap.fact]
    tally = sums.get(gap.fact)
    if tally is None:
        words = Text(en=fact.question.en, zh=fact.question.zh)
        tally = sums[gap.fact] = _Sum(words, fact.values, len(book.questions.wider(gap.fact)))
    tally.settles += gap.settles
    tally.waiting.append(Waiting(system=system, pack=book.pack.id, sure=gap.sure, mean=gap.mean, best=best))


def _next(fact: str, tally: _Sum) -> Next:
    waiting = tuple(sorted(tally.waiting, key=lambda each: (each.system, each.pack)))
    return Next(
        fact=fact,
        question=tally.question,
        values=tally.values,
        sure=sum(each.sure for each in waiting),
        mean=round(sum(each.mean for each in waiting), 6),
        best=sum(each.best for each in waiting),
        settles=tally.settles,
        waiting=waiting,
    )

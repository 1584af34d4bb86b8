"""Which grades are still possible when some answers are missing: every completion is counted, none is assumed.

Rules that share no open question are independent of each other, so they are counted apart and joined by the graver
grade; within a knot of rules the question that most of them share is answered in every way. The result is exact. Only
a knot that would need more than :data:`MAX_STEPS` steps is given up, and then says so.
"""

from __future__ import annotations

from collections import Counter as Counts
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tongqiu.norms.rules import Table

MAX_STEPS = 4095
"""Most questions answered in one count: what a knot of twelve yes/no questions takes at most, nothing being shared."""

Pair = tuple[int, int]
"""The gravest place among rules that override and among the others, -1 for none."""

_NONE: Pair = (-1, -1)


class Bar(NamedTuple):
    """One rule on one scale: whether it overrides, the place of its grade, and its truth table."""

    overrides: bool
    place: int
    table: Table

    @property
    def pair(self) -> Pair:
        """Return what the rule adds when it holds."""
        return (self.place, -1) if self.overrides else (-1, self.place)


class TooKnotted(Exception):
    """The open questions hang together too much to be counted."""


class Counter:
    """Counts knots, and remembers the ones it has counted: most questions leave most knots as they were."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._known: dict[tuple[Bar, ...], frozenset[Pair]] = {}
        self._steps = 0

    def possible(self, bars: Iterable[Bar], default: int) -> frozenset[int]:
        """Return the places on the scale that some completion of the open questions gives.

        Raises TooKnotted when that takes more than :data:`MAX_STEPS` steps.
        """
        self._steps = 0
        pairs = self._count(tuple(bars), _NONE)
        return frozenset(over if over >= 0 else plain if plain >= 0 else default for over, plain in pairs)

    def _count(self, bars: tuple[Bar, ...], floor: Pair) -> frozenset[Pair]:
        """Return the pairs that ``bars`` can reach, none below ``floor``; rules that cannot rise above it are left out."""
        open_: list[Bar] = []
        for bar in bars:
            settled = bar.table.settled
            if settled is None:
                open_.append(bar)
            elif settled:
                floor = _graver(floor, bar.pair)
        rising = [bar for bar in open_ if bar.place > floor[not bar.overrides] and (bar.overrides or floor[0] < 0)]
        result = frozenset({floor})
        for knot in _knots(rising):
            result = frozenset(_graver(one, other) for one in result for other in self._untie(knot))
        return result

    def _untie(self, knot: tuple[Bar, ...]) -> frozenset[Pair]:
        if len(knot) == 1:
            return frozenset({_NONE, knot[0].pair})
        if knot in self._known:
            return self._known[knot]
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooKnotted
        shared = Counts(fact for bar in knot for fact in bar.table.facts)
        fact = min(shared, key=lambda each: (-shared[each], each))
        size = next(bar.table.sizes[bar.table.facts.index(fact)] for bar in knot if fact in bar.table.facts)
        result: set[Pair] = set()
        for value in range(size):
            result |= self._count(answered(knot, {fact: value}), _NONE)
        self._known[knot] = frozenset(result)
        return self._known[knot]


def answered(bars: Iterable[Bar], answers: Mapping[str, int]) -> tuple[Bar, ...]:
    """Return ``bars`` after the questions in ``answers`` are answered (by the number of the answer)."""
    result = []
    for bar in bars:
        table = bar.table
        for fact in bar.table.facts:
            if fact in answers:
                table = _given(table, fact, answers[fact])
        result.append(bar._replace(table=table))
    return tuple(result)


def _knots(bars: list[Bar]) -> list[tuple[Bar, ...]]:
    """Return ``bars`` in groups that share no open question, each in one order whatever the order of ``bars``."""
    groups: list[tuple[set[str], list[Bar]]] = []
    for bar in bars:
        facts, members = set(bar.table.facts), [bar]
        apart = []
        for other, theirs in groups:
            if facts & other:
                facts |= other
                members = theirs + members
            else:
                apart.append((other, theirs))
        groups = [*apart, (facts, members)]
    return [tuple(sorted(set(members))) for _, members in groups]


def _graver(one: Pair, other: Pair) -> Pair:
    return max(one[0], other[0]), max(one[1], other[1])


@lru_cache(maxsize=1 << 15)
def _given(table: Table, fact: str, value: int) -> Table:
    return table.given(fact, value)

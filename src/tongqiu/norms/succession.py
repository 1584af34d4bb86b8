"""Which requirement took the place of which when a law was rewritten, so that evidence outlives the numbering of articles.

``succeeds`` names a row of the same edition by its id, and one of an earlier edition as ``id@version``. Evidence names
requirements without an edition, so here an id means the same duty in every edition: it may never come to mean another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tongqiu.norms.pack import Pack


def bare(name: str) -> str:
    """Return the id in ``name``, which may be of an earlier edition (``id@version``)."""
    return name.partition("@")[0]


def successors(pack: Pack, name: str) -> tuple[str, ...]:
    """Return the requirements of ``pack`` that took the place of ``name``, directly or through others, the nearest first."""
    return walk(heirs(pack), bare(name))


def former(pack: Pack, name: str) -> tuple[str, ...]:
    """Return the ids whose place the requirement ``name`` took, directly or through others, the nearest first."""
    return walk({each.id: tuple(bare(one) for one in each.succeeds) for each in pack.requirements}, bare(name))


def heirs(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Return by id, the requirements that name it in ``succeeds``, in the order of the file."""
    found: dict[str, list[str]] = {}
    for each in pack.requirements:
        for name in each.succeeds:
            found.setdefault(bare(name), []).append(each.id)
    return {name: tuple(dict.fromkeys(rows)) for name, rows in found.items()}


def walk(steps: Mapping[str, Sequence[str]], start: str) -> tuple[str, ...]:
    """Return everything that ``steps`` lead to from ``start``, the nearest first; ends on loops too."""
    reached: dict[str, None] = {}
    edge: list[str] = [start]
    while edge:
        edge = [after for name in edge for after in steps.get(name, ()) if after not in reached]
        reached.update(dict.fromkeys(edge))
        edge = list(dict.fromkeys(edge))
    return tuple(reached)


def loops(steps: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the names from which ``steps`` lead back to themselves, sorted.

    Found by taking away, again and again, whatever leads nowhere and whatever nothing leads to.
    """
    left = {name: tuple(after) for name, after in steps.items()}
    while True:
        reached = {after for each in left.values() for after in each}
        going = {name: tuple(each for each in after if each in left) for name, after in left.items() if name in reached}
        kept = {name: after for name, after in going.items() if after}
        if len(kept) == len(left):
            return tuple(sorted(name for name in kept if name in walk(kept, name)))
        left = kept


def lost(before: Pack, after: Pack) -> tuple[str, ...]:
    """Return the requirements of the edition ``before`` that ``after`` neither keeps nor names as succeeded, sorted."""
    kept: set[str] = {each.id for each in after.requirements}
    named: Iterable[str] = (bare(name) for each in after.requirements for name in each.succeeds)
    return tuple(sorted({each.id for each in before.requirements} - kept - set(named)))

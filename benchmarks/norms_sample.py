"""Draws what a second reader looks at without seeing the first answer: pairs of requirements, or citations.

``python -m benchmarks.norms_sample --rows 60 --seed 1`` draws pairs over all shipped crosswalks, the same number from
each, and within each in proportion to what the rows say, every type at least once. A row without a counterpart is shown
beside the requirement of the other pack that shares most words with it, so that *none* cannot be told by the look of it.
``--citations 40 --seed 1`` draws citations from all packs, in proportion to their number. The same seed gives the same
draw. Print goes to the terminal as TOML; fill in ``type`` (or ``right``) and keep it in ``tests/norms/second_reading``.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING

from tongqiu.norms.crosswalk import TYPES
from tongqiu.norms.crosswalks.shelf import load, shipped, shipped_pack
from tongqiu.norms.library import shipped as packs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tongqiu.norms.crosswalk import Crosswalk, Relation
    from tongqiu.norms.pack import Cite, Pack, Requirement

_WORD = re.compile(r"[a-z]{4,}")


def draw_pairs(rows: int, seed: int) -> list[tuple[str, Requirement, Requirement]]:
    """Return ``rows`` pairs (crosswalk, from, to) in an order that tells nothing of the answer."""
    names = shipped()
    chance = random.Random(seed)  # noqa: S311 - a draw that anyone can repeat
    found = []
    for place, name in enumerate(names):
        quota = rows // len(names) + (place < rows % len(names))
        found += [(name, *_pair(load(name), row)) for row in _stratified(load(name), quota, chance)]
    chance.shuffle(found)
    return found


def _stratified(crosswalk: Crosswalk, quota: int, chance: random.Random) -> list[Relation]:
    """Return ``quota`` rows, of each type in proportion, at least one of each that occurs as far as the quota goes."""
    by_type = {kind: [each for each in crosswalk.relations if each.type == kind] for kind in TYPES}
    by_type = {kind: each for kind, each in by_type.items() if each}
    total = len(crosswalk.relations)
    share = dict.fromkeys(by_type, 0)
    for _ in range(min(quota, total)):
        open_ = [kind for kind, rows in by_type.items() if share[kind] < len(rows)]
        # First the types that have none yet, then whichever lags most behind its due.
        kind = max(open_, key=lambda each: (share[each] == 0, quota * len(by_type[each]) / total - share[each]))
        share[kind] += 1
    return [row for kind, count in share.items() for row in chance.sample(by_type[kind], count)]


def _pair(
    crosswalk: Crosswalk, row: Relation, pack: Callable[[str], Pack] = shipped_pack
) -> tuple[Requirement, Requirement]:
    one, other = pack(crosswalk.from_), pack(crosswalk.to)
    if row.from_ is not None and row.to is not None:
        return one.requirement(row.from_), other.requirement(row.to)
    if row.from_ is not None:
        left = one.requirement(row.from_)
        return left, _nearest(left, other)
    right = other.requirement(str(row.to))
    return _nearest(right, one), right


def _nearest(row: Requirement, pack: Pack) -> Requirement:
    """Return the requirement of ``pack`` whose English shares most words with that of ``row``, rare words counting more."""
    texts = {each.id: set(_words(each)) for each in pack.requirements}
    common = Counter(word for words in texts.values() for word in words)
    mine = set(_words(row))
    return max(pack.requirements, key=lambda each: (sum(1 / common[word] for word in mine & texts[each.id]), each.id))


def _words(row: Requirement) -> list[str]:
    return _WORD.findall(f"{row.title.en} {row.text.en}".lower())


def draw_citations(count: int, seed: int) -> list[tuple[str, str, str, Cite]]:
    """Return ``count`` citations: pack, id of the row, what the row says, and the pinpoint."""
    found = [each for name in packs() for each in _cited(shipped_pack(name))]
    return random.Random(seed).sample(found, min(count, len(found)))  # noqa: S311 - a draw that anyone can repeat


def _cited(pack: Pack) -> Iterator[tuple[str, str, str, Cite]]:
    for row in pack.requirements:
        yield from ((pack.id, row.id, row.text.en, each) for each in row.cite)
    for rule in pack.rules:
        yield from ((pack.id, rule.id, rule.reason.en, each) for each in rule.cite)
    for risk in pack.risks:
        yield from ((pack.id, risk.id, risk.text.en, each) for each in risk.cite)


def main(arguments: list[str] | None = None) -> int:
    """Print a draw as TOML; return 3 where there is nothing to draw from."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.norms_sample", description="Draw for a second reader.")
    parser.add_argument("--rows", type=int, default=0, help="pairs of requirements")
    parser.add_argument("--citations", type=int, default=0, help="citations")
    parser.add_argument("--seed", type=int, required=True, help="the same seed gives the same draw")
    options = parser.parse_args(arguments)
    if options.rows and not shipped():
        print("there are no crosswalks", file=sys.stderr)
        return 3
    print(f"# Drawn by: python -m benchmarks.norms_sample with --seed {options.seed}")
    if options.rows:
        print(f"# For each pair write what from is to to: {', '.join(TYPES)} (docs/spec/crosswalk.md).")
        for name, one, other in draw_pairs(options.rows, options.seed):
            _print_pair(name, one, other)
    if options.citations:
        print("# For each citation write true where the source says there what the row says, else false, and why.")
        for pack, row, says, cite in draw_citations(options.citations, options.seed):
            document = shipped_pack(pack).source(cite.source).document
            values = {"pack": pack, "row": row, "document": document, "cite": str(cite), "says": says}
            print("\n[[citation]]\n" + "\n".join(f"{key} = {_quoted(value)}" for key, value in values.items()))
            print('right = ""\nwhy = ""')
    return 0


def _print_pair(name: str, one: Requirement, other: Requirement) -> None:
    values = {"crosswalk": name, "from": one.id, "to": other.id}
    print("\n[[pair]]\n" + "\n".join(f"{key} = {_quoted(value)}" for key, value in values.items()))
    for side, row in (("from", one), ("to", other)):
        print(f"# {side}: {_line(row.title.en)}\n#   {_line(row.text.en)}")
    print('type = ""')


def _line(words: str) -> str:
    return " ".join(words.split())


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())

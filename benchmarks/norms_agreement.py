"""How far a second reader, who saw only the pairs, agrees with the crosswalks: ``python -m benchmarks.norms_agreement``.

Without arguments it reads every blind reading of pairs in ``tests/norms/second_reading`` and compares it with the shipped
crosswalks; with one file, that reading; with two, the two readings with each other. A reading is what
``python -m benchmarks.norms_sample`` wrote, with ``type`` filled in by the reader. A pair of which no shipped row speaks
counts as *none*.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from tongqiu.norms.agreement import Kappa, kappa
from tongqiu.norms.crosswalk import TYPES
from tongqiu.norms.crosswalks.shelf import load

BLIND = Path(__file__).parent.parent / "tests" / "norms" / "second_reading"

Pair = tuple[str, str, str]
"""A crosswalk by its file name, the requirement ``from``, the requirement ``to``."""


class Related(NamedTuple):
    """Of the pairs that at least one reader holds to be related: how many both answer the same, and how many not.

    A requirement without counterpart stands beside a stranger, so *none* is the easy answer and lifts kappa.
    """

    same: int
    apart: int


class Agreement(NamedTuple):
    """Two readings compared: kappa by name only, with linear weights, and the pairs on which they differ."""

    name: str
    plain: Kappa
    linear: Kappa
    apart: tuple[tuple[Pair, str, str], ...]
    related: Related


def reading(path: Path) -> dict[Pair, str]:
    """Return the answers of one reading by pair. Raises ValueError for a pair that is not answered, or not as it must."""
    found: dict[Pair, str] = {}
    for each in tomllib.loads(path.read_text("utf-8"))["pair"]:
        pair = (each["crosswalk"], each["from"], each["to"])
        if each["type"] not in TYPES:
            raise ValueError(f"{path.name}: {pair} is answered {each['type']!r}; write one of {', '.join(TYPES)}")
        found[pair] = each["type"]
    return found


def shipped(pairs: dict[Pair, str]) -> dict[Pair, str]:
    """Return what the shipped crosswalks say of these pairs: the semantic row first, else the strongest one."""
    found: dict[Pair, str] = {}
    for name, from_, to in pairs:
        rows = [each for each in load(name).mapped if (each.from_, each.to) == (from_, to)]
        rows.sort(key=lambda each: (each.rationale != "semantic", -TYPES.index(each.type)))
        found[name, from_, to] = rows[0].type if rows else "none"
    return found


def agree(name: str, first: dict[Pair, str], second: dict[Pair, str]) -> Agreement:
    """Return how far two readings of the same pairs agree. Raises ValueError where the pairs differ."""
    if set(first) != set(second):
        raise ValueError(f"{name}: the two readings are not of the same pairs")
    pairs = sorted(first)
    one, other = [first[pair] for pair in pairs], [second[pair] for pair in pairs]
    apart = tuple((pair, first[pair], second[pair]) for pair in pairs if first[pair] != second[pair])
    same = sum(first[pair] == second[pair] != "none" for pair in pairs)
    linear = kappa(one, other, TYPES, linear=True)
    return Agreement(name, kappa(one, other, TYPES), linear, apart, Related(same, len(apart)))


def readings(folder: Path = BLIND) -> list[Agreement]:
    """Return the agreement of every blind reading in ``folder`` with the shipped crosswalks."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        if "pair" not in tomllib.loads(path.read_text("utf-8")):
            continue  # a reading of citations, which has no answer to compare
        second = reading(path)
        found.append(agree(path.stem, shipped(second), second))
    return found


def told(found: Agreement) -> str:
    """Return an agreement in a few lines of words."""
    lines = [f"{found.name}: {found.plain.n} pairs, the same answer to {100 * found.plain.agreed:.1f} %"]
    for name, value in (("kappa", found.plain), ("kappa, linear weights", found.linear)):
        if value.value is None or value.low is None or value.high is None:
            lines.append(f"  {name}: undefined, both used one answer only")
        else:
            lines.append(
                f"  {name}: {value.value:.3f} ({100 * value.coverage:.0f} % {value.low:.3f} to {value.high:.3f})"
            )
    if sum(found.related):
        lines.append(f"  of {sum(found.related)} pairs that either holds to be related, the same: {found.related.same}")
    lines += [f"  {pair[0]}: {pair[1]} – {pair[2]}: {one} | {other}" for pair, one, other in found.apart]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the agreement of the readings named, or of all; return 3 where there is none."""
    given = [Path(each) for each in (sys.argv[1:] if arguments is None else arguments)]
    if len(given) > 2:  # noqa: PLR2004 - two readers
        print("two readings at most", file=sys.stderr)
        return 2
    if len(given) == 2:  # noqa: PLR2004 - two readers
        found = [agree(f"{given[0].stem} and {given[1].stem}", reading(given[0]), reading(given[1]))]
    elif given:
        second = reading(given[0])
        found = [agree(given[0].stem, shipped(second), second)]
    else:
        found = readings()
    if not found:
        print(f"no blind reading in {BLIND}", file=sys.stderr)
        return 3
    print("\n".join(told(each) for each in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

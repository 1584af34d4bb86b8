"""How far a second reader, who saw only the pairs, agrees with a crosswalk that travels with the software.

A reading stands beside the crosswalks as ``second_reading/NAME.toml``, with a row ``[[pair]]`` of ``crosswalk``, ``from``, ``to``
and ``type`` for each pair; docs/spec/crosswalk.md says how it is drawn.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from functools import cache
from typing import TYPE_CHECKING

from tongqiu.norms.agreement import Kappa, kappa
from tongqiu.norms.crosswalk import INVERSE, TYPES, Crosswalk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Pair = tuple[str, str]


@cache
def readings() -> Mapping[str, Mapping[Pair, str]]:
    """Return what second readers answered, by crosswalk and pair; the last of several readings of one pair."""
    folder = importlib.resources.files("tongqiu.norms.crosswalks").joinpath("second_reading")
    found: dict[str, dict[Pair, str]] = {}
    if folder.is_dir():
        for each in sorted(folder.iterdir(), key=lambda file: file.name):
            if each.name.endswith(".toml"):
                for row in tomllib.loads(each.read_text("utf-8"))["pair"]:
                    found.setdefault(row["crosswalk"], {})[row["from"], row["to"]] = row["type"]
    return found


def agreement(crosswalk: Crosswalk, read: Mapping[str, Mapping[Pair, str]] | None = None) -> Kappa | None:
    """Return how far the second reader agrees with ``crosswalk``, by Cohen's kappa; None where nobody read it again."""
    second = (readings() if read is None else read).get(crosswalk.id)
    if not second:
        return None
    pairs = sorted(second)
    turned = crosswalk.turned
    first = [_said(crosswalk, (pair[1], pair[0]) if turned else pair) for pair in pairs]
    answers = [INVERSE[second[pair]] if turned else second[pair] for pair in pairs]  # type: ignore[index]
    return kappa(first, answers, TYPES)


def _said(crosswalk: Crosswalk, pair: Pair) -> str:
    """Return what a crosswalk says of a pair: the row by meaning first, else the strongest; no row is none."""
    rows: Iterable[tuple[bool, int, str]] = sorted(
        (each.rationale != "semantic", -TYPES.index(each.type), each.type)
        for each in crosswalk.mapped
        if (each.from_, each.to) == pair
    )
    return next((each[2] for each in rows), "none")

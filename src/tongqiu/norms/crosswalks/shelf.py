"""The shelf of crosswalks: those that travel with the software and added ones, and the ways that lead over several."""

from __future__ import annotations

import importlib.resources
import itertools
import tomllib
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from tongqiu.norms import library
from tongqiu.norms.crosswalk import Chain, Crosswalk, compose, turn
from tongqiu.norms.crosswalks.reading import read
from tongqiu.norms.pack import Pack
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Shelf:
    """The crosswalks at hand, those that travel with the software and added ones; an added one hides one of its pair."""

    def __init__(
        self, extra: Iterable[Crosswalk] = (), *, own: Callable[[], Iterable[Crosswalk]] | None = None
    ) -> None:
        """Put the shipped crosswalks on the shelf (or those that ``own`` gives), and then those of ``extra``."""
        self._kept = {(each.from_, each.to): each for each in (_all() if own is None else own())}
        for each in extra:
            self._kept.pop((each.to, each.from_), None)
            self._kept[each.from_, each.to] = each

    @property
    def all(self) -> tuple[Crosswalk, ...]:
        """Return every crosswalk once, in the direction in which it was written, sorted by its two packs."""
        return tuple(self._kept[pair] for pair in sorted(self._kept))

    def mapped(self, have: str, want: str) -> Crosswalk | None:
        """Return the crosswalk that somebody wrote between two packs, turned if need be; None where nobody did."""
        found = self._kept.get((have, want))
        if found is None and (want, have) in self._kept:
            found = turn(self._kept[want, have])
        return found

    def between(self, have: str, want: str) -> Crosswalk | Chain:
        """Return what is known from ``have`` to ``want``: as mapped, else as derived over the fewest packs.

        Raises Missing (``norms.no-crosswalk``) where nothing leads from one to the other.
        """
        direct = self.mapped(have, want)
        if direct is not None:
            return direct
        path = self._path(have, want)
        if path is None:
            raise Missing(
                "norms.no-crosswalk",
                Text(en="Nobody mapped {have} to {want}.", zh="尚无人对照 {have} 与 {want}。"),
                do=Text(
                    en="There are crosswalks between: {pairs}. To write one, see docs/spec/crosswalk.md.",
                    zh="现有对照：{pairs}。如何编写见 docs/spec/crosswalk.md。",
                ),
                have=have[:80],
                want=want[:80],
                pairs="; ".join(f"{one} – {other}" for one, other in sorted(self._kept)) or "-",
            )
        walks = [self._leg(one, other) for one, other in itertools.pairwise(path)]
        chain: Crosswalk | Chain = walks[0]
        for each in walks[1:]:
            chain = compose(chain, each)
        return chain

    def _leg(self, one: str, other: str) -> Crosswalk:
        found = self.mapped(one, other)
        assert found is not None  # noqa: S101 - a path goes only where there is a crosswalk
        return found

    def _path(self, have: str, want: str) -> tuple[str, ...] | None:
        """Return the shortest way between two packs, the first in order of name; None where there is none."""
        near: dict[str, set[str]] = {}
        for one, other in self._kept:
            near.setdefault(one, set()).add(other)
            near.setdefault(other, set()).add(one)
        ways: list[tuple[str, ...]] = [(have,)]
        seen = {have}
        for way in ways:  # grows while it is walked: breadth first
            for each in sorted(near.get(way[-1], ())):
                if each == want:
                    return (*way, each)
                if each not in seen:
                    seen.add(each)
                    ways.append((*way, each))
        return None


def shipped() -> tuple[str, ...]:
    """Return the file names, without their ending, of the crosswalks that travel with the software, sorted."""
    folder = importlib.resources.files("tongqiu.norms.crosswalks")
    return tuple(sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml")))


@cache
def load(name: str) -> Crosswalk:
    """Return the shipped crosswalk ``name``, read and checked against its two packs; the second call costs nothing.

    Raises Missing (``norms.no-crosswalk-file``) for one that is not there, Malformed as the reader.
    """
    if name not in shipped():
        raise Missing(
            "norms.no-crosswalk-file",
            Text(en="There is no crosswalk {name}.", zh="没有名为 {name} 的对照。"),
            do=Text(en="There are: {known}", zh="现有：{known}"),
            name=name[:120],
            known=", ".join(shipped()) or "-",
        )
    data = importlib.resources.files("tongqiu.norms.crosswalks").joinpath(name + ".toml").read_bytes()
    return read(data, pack=shipped_pack, where=name + ".toml")


def _all() -> Iterable[Crosswalk]:
    return tuple(load(name) for name in shipped())


@cache
def shipped_pack(name: str) -> Pack:
    """Return the shipped pack ``name`` without working out its conditions. Raises Missing (``norms.no-pack``)."""
    return msgspec.convert(tomllib.loads(library.raw(name).decode()), ready(Pack), strict=True)

"""The shelf of packs: those that travel with the software, each read, checked and worked out once a process."""

from __future__ import annotations

import importlib.resources
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from tongqiu.norms.grading import Book, Grading, Seen, open_book
from tongqiu.norms.pack import Pack
from tongqiu.norms.questions import Questions
from tongqiu.norms.reading import nearest
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Mapping


class Norms:
    """The packs as they stand at one moment: in force on the day ``as_of``, known on the day ``known_at``."""

    def __init__(self, as_of: datetime.date, known_at: datetime.date | None = None, extra: Iterable[Book] = ()) -> None:
        """Look at the shipped packs, and those of ``extra``, as of these days; an extra pack hides one of its id."""
        self.as_of = as_of
        self.known_at = known_at or as_of
        self._extra = {each.pack.id: each for each in extra}

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of all packs here, sorted."""
        return tuple(sorted({*shipped(), *self._extra}))

    def book(self, name: str) -> Book:
        """Return the pack ``name`` with its conditions worked out. Raises Missing (``norms.no-pack``)."""
        return self._extra[name] if name in self._extra else book(name)

    def questions(self, name: str) -> Questions:
        """Return the questions of the pack ``name``; cheaper than the whole pack. Raises Missing (``norms.no-pack``)."""
        return self._extra[name].questions if name in self._extra else questions(name)

    def grade(self, name: str, facts: Mapping[str, object], findings: Iterable[Seen] = ()) -> Grading:
        """Return the grade under the pack ``name`` at this moment. Raises as :meth:`Book.grade`."""
        return self.book(name).grade(facts, findings, as_of=self.as_of, known_at=self.known_at)

    def share(self, facts: Mapping[str, object], *, where: str = "") -> dict[str, dict[str, object]]:
        """Return ``facts`` dealt out to the packs that ask for them, by pack id; packs that get none are left out.

        Raises Malformed (``facts.unknown``) for a fact that no pack asks for, naming the nearest one that some does.
        """
        asked = {name: set(self.questions(name).facts) for name in self.ids}
        for key in facts:
            if not any(key in keys for keys in asked.values()):
                raise Malformed(
                    "facts.unknown",
                    Text(en="No pack asks for the fact {key}.", zh="没有规范包询问事实 {key}。"),
                    do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                    where=where,
                    key=key[:120],
                    nearest=nearest(key, set().union(*asked.values())),
                )
        dealt = {name: {key: facts[key] for key in facts if key in keys} for name, keys in asked.items()}
        return {name: own for name, own in dealt.items() if own}


def shipped() -> tuple[str, ...]:
    """Return the ids of the packs that travel with the software, sorted."""
    folder = importlib.resources.files("tongqiu.norms.packs")
    return tuple(sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml")))


def raw(name: str) -> bytes:
    """Return the bytes of the shipped pack ``name``. Raises Missing (``norms.no-pack``) for one that is not there."""
    known = shipped()
    if name not in known:
        raise Missing(
            "norms.no-pack",
            Text(en="There is no pack {name}.", zh="没有名为 {name} 的规范包。"),
            do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
            name=name[:80],
            nearest=nearest(name, known),
        )
    return importlib.resources.files("tongqiu.norms.packs").joinpath(name + ".toml").read_bytes()


@cache
def book(name: str) -> Book:
    """Return the shipped pack ``name``, read and worked out; the second call costs nothing. Raises as :func:`raw`."""
    return open_book(raw(name), where=name + ".toml")


@cache
def questions(name: str) -> Questions:
    """Return the questions of the shipped pack ``name``, without working out its conditions. Raises as :func:`raw`."""
    import tomllib

    pack = msgspec.convert(tomllib.loads(raw(name).decode()), ready(Pack), strict=True)
    return Questions(pack.id, pack.facts)

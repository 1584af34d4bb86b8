"""The shelf of packs: those that travel with the software, each read, checked and worked out once a process."""

from __future__ import annotations

import hashlib
import importlib.resources
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

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


class Added(NamedTuple):
    """A pack that somebody added: worked out, and the entries by which it came to be used here."""

    book: Book
    entries: tuple[str, ...] = ()


class Norms:
    """The packs as they stand at one moment: in force on the day ``as_of``, known on the day ``known_at``."""

    def __init__(
        self, as_of: datetime.date, known_at: datetime.date | None = None, extra: Iterable[Book | Added] = ()
    ) -> None:
        """Look at the shipped packs, and those of ``extra``, as of these days; an extra pack hides one of its id."""
        self.as_of = as_of
        self.known_at = known_at or as_of
        added = [each if isinstance(each, Added) else Added(each) for each in extra]
        self._added = {each.book.pack.id: each for each in added}
        self._extra = {name: each.book for name, each in self._added.items()}

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of all packs here, sorted."""
        return tuple(sorted({*shipped(), *self._extra}))

    @property
    def digest(self) -> str:
        """Return one digest over the ids and bytes of all packs here."""
        packs = "".join(f"{name} {self.edition(name)}\n" for name in self.ids)
        return "sha-256:" + hashlib.sha256(packs.encode()).hexdigest()

    def edition(self, name: str) -> str:
        """Return the digest of the bytes of the pack ``name``. Raises Missing (``norms.no-pack``)."""
        return str(self._extra[name].pack.digest) if name in self._extra else digest(name)

    def entries(self, name: str) -> tuple[str, ...]:
        """Return the records by which the pack ``name`` came to be used here; none for one that travels with the software."""
        return self._added[name].entries if name in self._added else ()

    def pack(self, name: str) -> Pack:
        """Return the pack ``name`` as data. Raises Missing (``norms.no-pack``)."""
        return self.book(name).pack

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
def digest(name: str) -> str:
    """Return the digest of the bytes of the shipped pack ``name``. Raises as :func:`raw`."""
    return "sha-256:" + hashlib.sha256(raw(name)).hexdigest()


@cache
def version(name: str) -> str:
    """Return the edition of the shipped pack ``name``, read from its head alone. Raises as :func:`raw`."""
    import tomllib

    return str(tomllib.loads(raw(name).decode().partition("\n[[")[0])["version"])


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

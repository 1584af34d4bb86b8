"""Two small packs and the crosswalk between them, written out, for the tests of crosswalks, gaps and OSCAL."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tongqiu.norms.crosswalks.reading import read as read_walk
from tongqiu.norms.reading import read
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.norms.crosswalk import Crosswalk
    from tongqiu.norms.pack import Pack


def words(text: str) -> str:
    return f'{{ en = "{text}", zh = "{text}之义" }}'


def requirement(name: str, *, more: str = "") -> str:
    hand = "" if "answered_by" in more else f"answered_by = []\nby_hand = {words('paper for ' + name)}\n"
    return (
        f'\n[[requirement]]\nid = "{name}"\ntitle = {words("Title " + name)}\ntext = {words("Text of " + name)}\n'
        f'cite = [{{ source = "doc", article = "Art. {name}", clause = "(1)" }}]\n{hand}{more}'
    )


def answered(finding: str, part: str = "") -> str:
    tail = f', part = "{part}"' if part else ""
    return f'{{ finding = "{finding}"{tail} }}'


def head(name: str) -> str:
    return (
        f'format = 1\nid = "{name}"\nversion = "1"\ntitle = {words("Pack " + name)}\npublisher = "Ministry"\n'
        f'licence = "CC0-1.0"\nwording = "own"\nknown_at = 2026-01-01\n\n[[source]]\nid = "doc"\ndocument = "DOC {name}"\n'
        f'title = {words("Document " + name)}\nforce = "binding"\nlicence = "CC0-1.0"\n'
    )


ONE = (
    head("one")
    + requirement("a", more=f"answered_by = [{answered('area.a')}]\n")
    + requirement("b", more=f"answered_by = [{answered('area.b', 'first')}, {answered('area.c', 'second')}]\n")
    + requirement("c", more=f"answered_by = [{answered('area.c')}]\n")
    + requirement("d")
    + requirement("e")
)
OTHER = (
    head("other")
    + requirement("v")
    + requirement("w")
    + requirement("x", more=f"answered_by = [{answered('area.x', 'first')}, {answered('area.y', 'second')}]\n")
    + requirement("y")
    + requirement("z")
)
THIRD = head("third") + requirement("m") + requirement("n")
FOURTH = head("fourth") + requirement("q")


def relation(type_: str, from_: str = "", to: str = "", **more: str | int) -> str:
    rows = [f'{key} = "{value}"' for key, value in (("from", from_), ("to", to)) if value]
    given: dict[str, str | int] = {"confidence": "high", "mapped_by": "A", "mapped_on": "2026-01-01"}
    given |= {} if type_ == "none" else {"rationale": "semantic", "strength": 8}
    given |= more
    for key, value in given.items():
        plain = isinstance(value, int) or key.endswith("_on")
        rows.append(f"{key} = {value}" if plain else f'{key} = "{value}"')
    return f'\n[[relation]]\ntype = "{type_}"\nwhy = {words(f"{from_} {type_} {to}")}\n' + "\n".join(rows) + "\n"


def walk_head(one: str, other: str) -> str:
    return (
        f'format = 1\nid = "{one}--{other}"\nversion = "1"\ntitle = {words(f"{one} to {other}")}\npublisher = "Ministry"\n'
        f'licence = "CC0-1.0"\nknown_at = 2026-01-01\nfrom = "{one}"\nto = "{other}"\n'
    )


WALK = (
    walk_head("one", "other")
    + relation("equal", "a", "v", reviewed_by="B", reviewed_on="2026-02-01")
    + relation("superset", "b", "w")
    + relation("subset", "c", "x", confidence="medium", strength=5)
    + relation("intersects", "c", "y", confidence="low", strength=2)
    + relation("none", "d")
    + relation("none", "e")
    + relation("none", "", "z")
)
ONWARD = (
    walk_head("other", "third")
    + relation("equal", "v", "m", strength=6)
    + relation("subset", "w", "n")
    + relation("superset", "x", "n")
    + relation("none", "y")
    + relation("none", "z")
)


def packs() -> dict[str, Pack]:
    return {each.id: each for each in (read(text.encode()) for text in (ONE, OTHER, THIRD, FOURTH))}


PACKS = packs()


def pack(name: str) -> Pack:
    if name not in PACKS:
        raise Missing(
            "norms.no-pack",
            Text(en="There is no pack {name}.", zh="没有规范包 {name}。"),
            do=Text(en="", zh=""),
            name=name,
        )
    return PACKS[name]


@cache
def walk(text: str = WALK) -> Crosswalk:
    return read_walk(text.encode(), pack=pack, where="w.toml")

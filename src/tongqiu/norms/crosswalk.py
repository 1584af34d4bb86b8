"""How the requirements of one framework stand to those of another: what maps to what, how far, why, and who says so.

The relations are those of set theory in NIST IR 8477 (February 2024), section 4.3: requirement A is a *subset* of B when
B contains everything that A does and more; *superset* the other way round; *intersects* when each has something of the
other and something of its own; *equal* when they are the same, though not word for word; *none* when nothing overlaps.
The rationale is theirs too: *syntactic* compares wording, *semantic* meaning, *functional* what doing it brings about.
The strength from 1 to 10 is not in that report; it is the optional column of NIST's OLIR template (NIST IR 8278A).

A relation that nobody wrote down, but that follows from two others, is a :class:`Derived` one: weaker, never shown as
mapped, and with the path it came by.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import msgspec

from tongqiu.norms.pack import Line, Name, Words
from tongqiu.record.faults import Malformed
from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text

Type = Literal["equal", "subset", "superset", "intersects", "none"]
"""What ``from`` is to ``to`` (NIST IR 8477, section 4.3)."""

TYPES: tuple[Type, ...] = ("none", "intersects", "subset", "superset", "equal")
"""The types in the order of what the answer to ``from`` says about ``to``: nothing, some, some, all, all."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+((--|[.-])[a-z0-9]+)*$", max_length=163)]
"""What a crosswalk is called: usually its two packs, as in ``eu-ai-act--nist-ai-rmf``."""

Rationale = Literal["syntactic", "semantic", "functional"]
Confidence = Literal["low", "medium", "high"]

INVERSE: dict[Type, Type] = {
    "equal": "equal",
    "subset": "superset",
    "superset": "subset",
    "intersects": "intersects",
    "none": "none",
}
"""What ``to`` is to ``from``."""

_THROUGH: dict[tuple[Type, Type], Type] = {
    ("equal", "equal"): "equal",
    ("equal", "subset"): "subset",
    ("equal", "superset"): "superset",
    ("equal", "intersects"): "intersects",
    ("subset", "equal"): "subset",
    ("superset", "equal"): "superset",
    ("intersects", "equal"): "intersects",
    ("subset", "subset"): "subset",
    ("superset", "superset"): "superset",
    # B lies within both A and C, or shares something with A and lies within C: A and C share at least that.
    ("superset", "subset"): "intersects",
    ("superset", "intersects"): "intersects",
    ("intersects", "subset"): "intersects",
}
"""What A is to C where A is the first to B, and B the second to C. A pair that is not here says nothing."""


class Relation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: what requirement ``from_`` is to requirement ``to``, why, how strongly, how surely, and who says so.

    A row of type ``none`` names one side only and says that the other framework has no counterpart of it.
    """

    type: Type
    why: Words
    confidence: Confidence
    mapped_by: Line
    mapped_on: datetime.date
    from_: Name | None = msgspec.field(name="from", default=None)
    to: Name | None = None
    rationale: Rationale | None = None
    strength: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    reviewed_by: str = ""
    reviewed_on: datetime.date | None = None

    @property
    def reviewed(self) -> bool:
        """Tell whether a second person looked at this row, and when."""
        return bool(self.reviewed_by) and self.reviewed_on is not None


class Crosswalk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All relations between two packs, as somebody wrote them; ``digest`` is the SHA-256 of the file.

    ``turned`` means that the file says it the other way round, and the types were turned with it.
    """

    format: Literal[1]
    id: Id
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+){0,3}$")]
    title: Words
    publisher: Line
    licence: Line
    known_at: datetime.date
    from_: Name = msgspec.field(name="from")
    to: Name
    relations: tuple[Relation, ...] = msgspec.field(name="relation", default=())
    about: Words | None = None
    digest: EntryText | None = None
    turned: bool = False

    @property
    def mapped(self) -> tuple[Relation, ...]:
        """Return the rows that name a counterpart."""
        return tuple(each for each in self.relations if each.type != "none")

    def alone(self, side: Literal["from", "to"]) -> tuple[str, ...]:
        """Return the requirements of one side of which a row says that they have no counterpart."""
        ids = (each.from_ if side == "from" else each.to for each in self.relations if each.type == "none")
        return tuple(each for each in ids if each is not None)


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mapped row on the way of a derived relation: in which crosswalk, from what to what."""

    crosswalk: Id
    from_: Name = msgspec.field(name="from")
    type: Type
    to: Name


class Derived(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relation that nobody mapped: it follows from the rows of ``path``. Its confidence is always low.

    Every mapping has a purpose and assumptions of its own (NIST IR 8477, section 3), and meaning drifts on the way; so
    it points people to a row that is worth reading, and answers nothing. ``strength`` is that of its weakest step.
    """

    from_: Name = msgspec.field(name="from")
    to: Name
    type: Type
    strength: int
    path: tuple[Step, ...]
    confidence: Literal["low"] = "low"


class Chain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What follows between two packs that nobody mapped to each other, by way of the packs ``by``.

    A requirement that does not occur here is *not mapped*; nobody said that it has no counterpart.
    """

    from_: Name = msgspec.field(name="from")
    to: Name
    by: tuple[Name, ...]
    relations: tuple[Derived, ...]


def turn(crosswalk: Crosswalk) -> Crosswalk:
    """Return ``crosswalk`` from ``to`` to ``from``: subset and superset change places, nothing else changes."""
    turned = tuple(
        msgspec.structs.replace(each, from_=each.to, to=each.from_, type=INVERSE[each.type])
        for each in crosswalk.relations
    )
    return msgspec.structs.replace(
        crosswalk, from_=crosswalk.to, to=crosswalk.from_, relations=turned, turned=not crosswalk.turned
    )


def compose(first: Crosswalk | Chain, second: Crosswalk) -> Chain:
    """Return what follows from A to C out of ``first`` (A to B) and ``second`` (B to C), the strongest for each pair.

    Raises Malformed (``norms.crosswalk.apart``) when the two do not meet.
    """
    if first.to != second.from_:
        raise Malformed(
            "norms.crosswalk.apart",
            Text(en="One ends at {one}, the other begins at {other}.", zh="前者止于 {one}，后者始于 {other}。"),
            do=Text(en="Name two that meet.", zh="请选择首尾相接的两个。"),
            one=first.to,
            other=second.from_,
        )
    onward: dict[str, list[Relation]] = {}
    for each in second.mapped:
        onward.setdefault(str(each.from_), []).append(each)
    found: dict[tuple[str, str], Derived] = {}
    for here in _links(first):
        for there in onward.get(here.to, ()):
            kind = _THROUGH.get((here.type, there.type))
            if kind is None:
                continue
            step = Step(crosswalk=second.id, from_=here.to, type=there.type, to=str(there.to))
            strength = min(here.strength, there.strength)
            new = Derived(from_=here.from_, to=step.to, type=kind, strength=strength, path=(*here.path, step))
            pair = (new.from_, new.to)
            found[pair] = _stronger(found[pair], new) if pair in found else new
    by = (*(first.by if isinstance(first, Chain) else ()), first.to)
    ordered = tuple(found[pair] for pair in sorted(found))
    return Chain(from_=first.from_, to=second.to, by=by, relations=ordered)


def _links(first: Crosswalk | Chain) -> list[Derived]:
    if isinstance(first, Chain):
        return list(first.relations)
    return [
        Derived(
            from_=str(each.from_),
            to=str(each.to),
            type=each.type,
            strength=each.strength,
            path=(Step(crosswalk=first.id, from_=str(each.from_), type=each.type, to=str(each.to)),),
        )
        for each in first.mapped
    ]


def _stronger(one: Derived, other: Derived) -> Derived:
    """Return which of two derived relations of one pair says more; of equals, the stronger one.

    A subset by one way and a superset by another would make them equal; that much is not said, only that they overlap.
    """
    if {one.type, other.type} == {"subset", "superset"}:
        return msgspec.structs.replace(max(one, other, key=_rank), type="intersects")
    return max(one, other, key=_rank)


def _rank(derived: Derived) -> tuple[int, int, tuple[str, ...]]:
    names = tuple(f"{step.from_} {step.to}" for step in derived.path)
    return TYPES.index(derived.type), derived.strength, names

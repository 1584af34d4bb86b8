"""What is answered, partly, or still owed under one framework when one already answers to another, and why.

The question of every organisation that works in two countries: *we have evidence for this; what do they still want?* The
answer goes requirement by requirement, from the records that speak to it and from the crosswalk between the two packs.
It says what is spoken to and never that a duty is fulfilled: that is for people to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tongqiu.norms.crosswalk import Chain, Confidence, Crosswalk, Derived, Rationale, Relation, Step, Type
from tongqiu.norms.duties import Said, spoken
from tongqiu.norms.pack import Cite, Requirement
from tongqiu.record.shapes import Verdict
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tongqiu.norms.grading import Seen
    from tongqiu.norms.pack import Pack

State = Literal["answered", "partly", "owed", "no-counterpart", "not-mapped"]
"""How one wanted requirement stands. The last two are owed as well: nothing that one has leads there."""

STATES: tuple[State, ...] = ("answered", "partly", "owed", "no-counterpart", "not-mapped")

_CONFIDENCE: tuple[Confidence, ...] = ("low", "medium", "high")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What records say to one requirement: how far, which parts are open, the records, and their verdicts.

    A finding that says *not assessed* speaks to nothing: nobody looked. One that says *not met* does speak to it.
    """

    state: Said
    open: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


NOTHING = Told(state="unanswered")
"""No record speaks to it."""

SUPPOSED = Told(state="answered")
"""No record at all: what would follow if a requirement were answered."""


class Way(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a wanted requirement stands as it does: one thing one has, and how it leads there.

    ``requirement`` is that of the other pack, empty where records speak to the wanted one directly; ``gives`` is what
    this way alone would make of it. ``reviewed`` tells whether a second person looked at the row of the crosswalk, and
    ``path`` how a relation that nobody mapped was derived. ``confidence`` is the row's, at most medium without review.
    """

    gives: Literal["answered", "partly", "owed"]
    requirement: str = ""
    title: Text | None = None
    type: Type | None = None
    rationale: Rationale | None = None
    why: Text | None = None
    strength: int = 0
    confidence: Confidence = "high"
    reviewed: bool = True
    path: tuple[Step, ...] = ()
    told: Said = "unanswered"
    records: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one wanted requirement stands, the ways in which it was reached, the most telling first.

    ``sure`` is False where it depends on missing answers whether the duty applies at all; ``open`` are the parts that no
    record speaks to; ``by_hand`` says which paper a person brings where no software can answer; ``why`` says why there is
    no counterpart. ``checked`` tells whether somebody compared the row of the pack with the primary text.
    """

    requirement: str
    title: Text
    cite: tuple[Cite, ...]
    state: State
    sure: bool
    checked: bool
    ways: tuple[Way, ...] = ()
    open: tuple[str, ...] = ()
    by_hand: Text | None = None
    why: Text | None = None
    confidence: Confidence | None = None


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a system: what records say to the requirements of either pack (:func:`tell`), by id.

    ``applies`` are the wanted requirements that its grade brings: True where for sure, False where they may apply.
    """

    having: dict[str, Told]
    own: dict[str, Told]
    applies: dict[str, bool]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer: two packs by id and version, the crosswalk used, and how every wanted requirement stands.

    ``supposed`` means that no system was looked at: states say what would follow if everything under ``have`` were
    answered. ``by`` are the packs over which relations were derived, empty where the two were mapped to each other.
    """

    have: str
    have_version: str
    want: str
    want_version: str
    supposed: bool
    crosswalk: str
    by: tuple[str, ...]
    standings: tuple[Standing, ...]

    def counts(self) -> dict[State, int]:
        """Return how many wanted requirements stand in each state."""
        return {state: sum(each.state == state for each in self.standings) for state in STATES}


def tell(pack: Pack, findings: Iterable[Seen]) -> dict[str, Told]:
    """Return what ``findings`` say to each requirement of ``pack``, by its id."""
    seen = tuple(findings)
    return {each.id: _told(pack, each, seen) for each in pack.requirements}


def speaking(pack: Pack, requirement: Requirement, findings: Iterable[Seen]) -> tuple[Seen, ...]:
    """Return those of ``findings`` that speak to ``requirement``, in their order."""
    return tuple(each for each in findings if spoken(pack, requirement, (each,)).entries)


def compare(
    have: Pack,
    want: Pack,
    crosswalk: Crosswalk | Chain,
    looked: Looked | None = None,
    standing: Collection[str] | None = None,
) -> Comparison:
    """Return how the requirements of ``want`` stand for who answers to ``have``.

    ``crosswalk`` leads from ``have`` to ``want``; ``looked`` is what is known of a system, and without it everything
    under ``have`` is supposed to be answered. ``standing`` names the requirements of ``want`` that are asked about: those
    of the grade where a system was looked at, else all. Pure: the same arguments give the same answer.

    An *equal* or *superset* counterpart that is wholly spoken to answers a requirement, unless its confidence is low or
    it was derived; every other counterpart that is spoken to at all answers it partly.
    """
    held = dict.fromkeys((each.id for each in have.requirements), SUPPOSED) if looked is None else looked.having
    rows: dict[str, list[Relation | Derived]] = {}
    lone: dict[str, Text] = {}
    for row in crosswalk.relations:
        if row.to is not None and row.from_ is not None:
            rows.setdefault(row.to, []).append(row)
        elif row.to is not None and isinstance(row, Relation):
            lone[row.to] = _plain(row.why)
    titles = {each.id: each.title for each in have.requirements}
    standings = []
    asked = standing if standing is not None else None if looked is None else looked.applies
    for each in want.requirements:
        if asked is not None and each.id not in asked:
            continue
        ways = [_way(row, held.get(str(row.from_), NOTHING), titles) for row in rows.get(each.id, ())]
        if looked is not None:
            ways += _direct(looked.own.get(each.id, NOTHING))
        found = _standing(each, ways, looked)
        if not ways:
            state: State = "no-counterpart" if each.id in lone else "not-mapped"
            found = msgspec.structs.replace(found, state=state, why=lone.get(each.id))
        standings.append(found)
    return Comparison(
        have=have.id,
        have_version=have.version,
        want=want.id,
        want_version=want.version,
        supposed=looked is None,
        crosswalk="" if isinstance(crosswalk, Chain) else crosswalk.id,
        by=crosswalk.by if isinstance(crosswalk, Chain) else (),
        standings=tuple(standings),
    )


def _told(pack: Pack, requirement: Requirement, seen: tuple[Seen, ...]) -> Told:
    heard = speaking(pack, requirement, seen)
    if not heard:
        return NOTHING
    said = spoken(pack, requirement, heard)
    verdicts = tuple(sorted({each.finding.verdict for each in heard}))
    return Told(state=said.state, open=said.open, records=said.entries, verdicts=verdicts)


def _way(row: Relation | Derived, said: Told, titles: Mapping[str, Text]) -> Way:
    name = str(row.from_)
    gives: Literal["answered", "partly", "owed"] = "partly"
    if said.state == "unanswered":
        gives = "owed"
    elif row.type in {"equal", "superset"} and said.state == "answered" and row.confidence != "low":
        gives = "answered"
    way = Way(
        gives=gives,
        requirement=name,
        title=_plain(titles[name]),
        type=row.type,
        strength=row.strength,
        confidence="low",
        reviewed=False,
        told=said.state,
        records=said.records,
        verdicts=said.verdicts,
    )
    if isinstance(row, Derived):
        return msgspec.structs.replace(way, path=row.path)
    return msgspec.structs.replace(
        way,
        rationale=row.rationale,
        why=_plain(row.why),
        confidence=row.confidence if row.reviewed else min(row.confidence, "medium", key=_CONFIDENCE.index),
        reviewed=row.reviewed,
    )


def _direct(own: Told) -> list[Way]:
    """Return the way of records that speak to the wanted requirement itself, if there are any."""
    if own.state == "unanswered":
        return []
    gives: Literal["answered", "partly"] = "answered" if own.state == "answered" else "partly"
    return [Way(gives=gives, told=own.state, records=own.records, verdicts=own.verdicts)]


def _standing(requirement: Requirement, ways: list[Way], looked: Looked | None) -> Standing:
    order = {"answered": 0, "partly": 1, "owed": 2}
    ways = sorted(
        ways,
        key=lambda each: (
            order[each.gives],
            each.requirement != "",
            -_CONFIDENCE.index(each.confidence),
            -each.strength,
        ),
    )
    state: State = ways[0].gives if ways else "owed"
    return Standing(
        requirement=requirement.id,
        title=_plain(requirement.title),
        cite=requirement.cite,
        state=state,
        sure=looked is None or looked.applies.get(requirement.id, False),
        checked=requirement.checked,
        ways=tuple(ways),
        open=() if looked is None else looked.own.get(requirement.id, NOTHING).open,
        by_hand=None if requirement.by_hand is None or state == "answered" else _plain(requirement.by_hand),
        confidence=ways[0].confidence if state in {"answered", "partly"} else None,
    )


def records(comparison: Comparison) -> tuple[str, ...]:
    """Return every record that a comparison rests on, sorted."""
    return tuple(sorted({entry for each in comparison.standings for way in each.ways for entry in way.records}))


def chosen(comparison: Comparison, states: Collection[State]) -> tuple[Standing, ...]:
    """Return the wanted requirements that stand in one of ``states``, in the order of the pack."""
    return tuple(each for each in comparison.standings if each.state in states)


def _plain(words: Text) -> Text:
    """Return the words of a pack as text that records hold."""
    return Text(en=words.en, zh=words.zh)

"""What the pages of law and standards say, before it is HTML, JSON or CSV: one frozen value for each page.

Days are written ``YYYY-MM-DD``. Every list that can be long comes in pages: ``total`` counts all that fits, ``offset`` is the
place of the first one shown. Shapes never change with what there is: what is not there is empty or null. The module is long
because the forms of all these pages stand together, as programs read them.
"""

from __future__ import annotations

import msgspec

from tongqiu.norms.agreement import Kappa
from tongqiu.portal.models import Grade
from tongqiu.record.text import Text


class Days(msgspec.Struct, frozen=True):
    """The two times of a page: in force on the day ``as_of``, known on the day ``known_at``; ``named`` were asked for."""

    as_of: str
    known_at: str
    named_as_of: str = ""
    named_known_at: str = ""


class Part(msgspec.Struct, frozen=True):
    """One piece of a long list."""

    total: int
    offset: int
    limit: int


class PackRow(msgspec.Struct, frozen=True):
    """A pack at a glance; ``checked`` of its ``rows`` (requirements, rules, risks) were compared with the primary text.

    ``state`` says how it stands here, ``record`` which record brought it, empty for one that travels with the software.
    """

    pack: str
    version: str
    title: Text
    publisher: str
    licence: str
    wording: str
    jurisdiction: str
    nature: str
    force: tuple[str, ...]
    known_at: str
    state: str
    record: str
    requirements: int
    rules: int
    risks: int
    questions: int
    rows: int
    checked: int


class WalkRow(msgspec.Struct, frozen=True):
    """A crosswalk at a glance: how many relations name a counterpart, say there is none, were reviewed."""

    have: str
    want: str
    version: str
    title: Text
    publisher: str
    licence: str
    known_at: str
    mapped: int
    alone: int
    reviewed: int


class ShelfPage(msgspec.Struct, frozen=True):
    """The packs and crosswalks that the reader may see here."""

    days: Days
    packs: tuple[PackRow, ...]
    crosswalks: tuple[WalkRow, ...]


class Named(msgspec.Struct, frozen=True):
    """Something by its id and its title."""

    id: str
    title: Text


class Counted(msgspec.Struct, frozen=True):
    """A way to narrow a list: its id, what it is called, how many it leaves, and whether it was chosen."""

    id: str
    title: Text
    count: int
    chosen: bool


class Place(msgspec.Struct, frozen=True):
    """A pinpoint in a document, with the document's force and the licence of its text."""

    source: str
    document: str
    article: str
    clause: str
    force: str
    licence: str


class Line(msgspec.Struct, frozen=True):
    """A row of a pack in a list. ``answered_by`` counts the ways in which findings speak to it; ``by_hand`` papers do."""

    id: str
    sort: str
    group: str
    title: Text
    clause: str
    state: str
    applies_from: str
    applies_until: str
    checked: bool
    asked_of: tuple[Text, ...]
    answered_by: int
    by_hand: bool


class Section(msgspec.Struct, frozen=True):
    """A group of the document with the rows that stand in it on this piece of the list; ``depth`` from 0."""

    group: str
    title: Text | None
    clause: str
    depth: int
    lines: tuple[Line, ...]


class Asked(msgspec.Struct, frozen=True):
    """A question of a pack with what may be answered; ``within`` is the wider one."""

    key: str
    type: str
    unit: str
    question: Text
    help: Text | None
    within: str
    answers: tuple[Named, ...]


class Document(msgspec.Struct, frozen=True):
    """A document that a pack rests on, as it stands on the day; ``by`` are those that amended it."""

    id: str
    document: str
    title: Text
    issuer: str
    force: str
    licence: str
    published: str
    in_force_from: str
    repealed_on: str
    state: str
    by: tuple[str, ...]


class Steps(msgspec.Struct, frozen=True):
    """A scale: its grades, the lightest first, and the one where no rule holds."""

    id: str
    title: Text
    default: str
    grades: tuple[Named, ...]


class PackPage(msgspec.Struct, frozen=True):
    """A pack: its head, its scales, and one of its lists (``list``), narrowed and in pages.

    ``sections`` holds requirements, rules or risks, ``questions`` and ``documents`` the lists of these names; those that were
    not asked for are empty.
    """

    days: Days
    pack: PackRow
    about: Text | None
    list: str
    lists: tuple[Counted, ...]
    roles: tuple[Counted, ...]
    states: tuple[Counted, ...]
    grades: tuple[Counted, ...]
    unchecked: Counted
    part: Part
    sections: tuple[Section, ...]
    questions: tuple[Asked, ...]
    documents: tuple[Document, ...]
    scales: tuple[Steps, ...]


class Kin(msgspec.Struct, frozen=True):
    """A row that another took the place of, or that took its place; ``here`` tells whether it is in this edition."""

    id: str
    title: Text | None
    state: str
    applies_from: str
    here: bool


class Answering(msgspec.Struct, frozen=True):
    """Which findings speak to a requirement: prefix of the record's kind, of the finding's requirement or code; the part."""

    kind: str
    finding: str
    part: str


class Leg(msgspec.Struct, frozen=True):
    """One mapped row on the way of a derived relation."""

    crosswalk: str
    have: str
    type: str
    want: str


class RelationRow(msgspec.Struct, frozen=True):
    """What ``have`` of one pack is to ``want`` of another. ``derived``: nobody mapped it, it follows from ``path``.

    Of type ``none`` one side is empty: the other has no counterpart.
    """

    have: str
    have_title: Text | None
    type: str
    want: str
    want_title: Text | None
    rationale: str
    why: Text | None
    strength: int
    confidence: str
    mapped_by: str
    mapped_on: str
    reviewed: bool
    reviewed_by: str
    reviewed_on: str
    derived: bool
    path: tuple[Leg, ...]


class Counterparts(msgspec.Struct, frozen=True):
    """What the row is to another pack: ``standing`` is mapped, derived, or not-mapped where no row of the crosswalk names it."""

    pack: str
    title: Text
    standing: str
    crosswalk: str
    relations: tuple[RelationRow, ...]


class RowPage(msgspec.Struct, frozen=True):
    """A requirement, rule, risk or document of a pack, with everything that is known of it.

    ``others`` are rows of another sort with the same id. ``sure`` facts of the text: ``applies_*`` bound when it applies,
    ``known_*`` when it was known in this form (ends exclusive). ``brought_by`` are the grades and rules that bring a
    requirement, ``brings`` the requirements that a rule brings, ``reads`` the questions that a condition reads.
    """

    days: Days
    pack: Named
    version: str
    id: str
    sort: str
    others: tuple[str, ...]
    title: Text
    text: Text | None
    note: Text | None
    wording: str
    groups: tuple[Named, ...]
    cites: tuple[Place, ...]
    state: str
    applies_from: str
    applies_until: str
    known_from: str
    known_until: str
    taken_by: tuple[Kin, ...]
    former: tuple[Kin, ...]
    checked: bool
    checked_by: str
    checked_on: str
    checked_against: str
    asked_of: tuple[Text, ...]
    grades: tuple[Text, ...]
    brought_by: tuple[Named, ...]
    brings: tuple[Named, ...]
    when: str
    reads: tuple[Named, ...]
    measures: tuple[Text, ...]
    answered_by: tuple[Answering, ...]
    by_hand: Text | None
    counterparts: tuple[Counterparts, ...]


class WalkPage(msgspec.Struct, frozen=True):
    """The relations from one pack to another, narrowed to ``type`` and in pages.

    ``turned``: its file says it the other way round. ``by``: nobody mapped the two, relations were derived over these packs.
    ``agreement`` is that of a second reader who saw only the pairs, null where there was none.
    """

    days: Days
    have: Named
    want: Named
    id: str
    version: str
    title: Text | None
    about: Text | None
    publisher: str
    licence: str
    known_at: str
    turned: bool
    by: tuple[str, ...]
    types: tuple[Counted, ...]
    reviewed: int
    agreement: Kappa | None
    part: Part
    relations: tuple[RelationRow, ...]


class WayRow(msgspec.Struct, frozen=True):
    """One reason why a wanted requirement stands as it does; ``have`` is empty where records speak to it directly."""

    gives: str
    have: str
    have_title: Text | None
    type: str
    why: Text | None
    confidence: str
    reviewed: bool
    path: tuple[Leg, ...]
    told: str
    verdicts: tuple[str, ...]
    records: tuple[str, ...]


class Owing(msgspec.Struct, frozen=True):
    """How one wanted requirement stands, and why; ``sure`` False where it is open whether it applies at all."""

    requirement: str
    title: Text
    clause: str
    state: str
    sure: bool
    checked: bool
    open: tuple[str, ...]
    by_hand: Text | None
    why: Text | None
    ways: tuple[WayRow, ...]


class GapPage(msgspec.Struct, frozen=True):
    """What is answered, partly, owed under ``want`` for who answers to ``have``.

    Without a system (``supposed``) it is what would follow if everything under ``have`` were answered. ``crosswalk`` is the one
    used, ``by`` the packs over which relations were derived; both empty where nothing leads from one to the other.
    """

    days: Days
    have: Named | None
    want: Named | None
    system: Named | None
    supposed: bool
    crosswalk: str
    by: tuple[str, ...]
    states: tuple[Counted, ...]
    part: Part
    standings: tuple[Owing, ...]
    packs: tuple[Named, ...]
    systems: tuple[Named, ...]


class Answer(msgspec.Struct, frozen=True):
    """A known answer: as it was given, and in words. ``basis``: declared, implied by others, or heard from findings."""

    key: str
    question: Text
    value: bool | str | int | float
    shown: Text
    basis: str


class Judged(msgspec.Struct, frozen=True):
    """A rule that holds (``fired``) or may (``possible``), with the answers it read and those that decide it."""

    rule: str
    scale: str
    grade: Text
    state: str
    title: Text
    reason: Text
    clause: str
    pending: bool
    aside: bool
    applies_from: str
    checked: bool
    read: tuple[Answer, ...]
    open: tuple[Named, ...]


class Effect(msgspec.Struct, frozen=True):
    """What one answer to a question would leave possible on one scale."""

    answer: Text
    scale: Text
    grades: tuple[Text, ...]


class Change(msgspec.Struct, frozen=True):
    """A question whose answer would change something: a missing one (``given`` null), or a given one, answered otherwise."""

    fact: str
    question: Text
    given: Text | None
    effects: tuple[Effect, ...]


class Duty(msgspec.Struct, frozen=True):
    """A requirement that the grade brings (``sure``) or may bring, and the records that speak to it."""

    requirement: str
    title: Text
    clause: str
    sure: bool
    pending: bool
    checked: bool
    state: str
    open: tuple[str, ...]
    by_hand: Text | None
    records: tuple[str, ...]


class Signed(msgspec.Struct, frozen=True):
    """A grade that somebody signed under this pack, and whether working it out now gives the same."""

    entry: str
    issuer: str
    at: str
    version: str
    as_of: str
    same: bool


class GradePage(msgspec.Struct, frozen=True):
    """The grade of a system under a pack, worked out now from the records that the reader may see, and why.

    ``declared`` is the record of the answers, empty where nobody gave any; ``signed`` are the grades on record.
    """

    days: Days
    system: Named
    pack: Named
    version: str
    declared: str
    spans: tuple[Grade, ...]
    rules: tuple[Judged, ...]
    answers: tuple[Answer, ...]
    missing: tuple[Change, ...]
    changes: tuple[Change, ...]
    states: tuple[Counted, ...]
    part: Part
    duties: tuple[Duty, ...]
    signed: tuple[Signed, ...]
    packs: tuple[Named, ...]


class Waiter(msgspec.Struct, frozen=True):
    """A system that waits for an answer, the packs that ask, and where to answer (empty where the reader may not)."""

    system: str
    name: str
    packs: tuple[str, ...]
    path: str


class NextRow(msgspec.Struct, frozen=True):
    """A question with what its answers would do: grades that drop out on average, surely, at best; rules it settles."""

    fact: str
    question: Text
    answers: tuple[Text, ...]
    mean: float
    sure: int
    best: int
    settles: int
    packs: tuple[str, ...]
    waiting: tuple[Waiter, ...]


class NextPage(msgspec.Struct, frozen=True):
    """The questions whose answers would narrow most grades of the systems that the reader may see.

    ``looked`` systems were gone through of ``systems``; ``unusable`` have answers that contradict each other or the questions.
    """

    days: Days
    systems: int
    looked: int
    unusable: tuple[Named, ...]
    part: Part
    questions: tuple[NextRow, ...]

"""What a norm pack holds: its sources and their dates, its questions, its scales, its rules and its requirements.

A pack is data. Every row names the clause it comes from, since when it applies, since when it is known, and who checked
it against the primary text; a row that nobody checked says so wherever it is shown. The file format is specified in
``docs/spec/norm-pack.md``.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import msgspec

from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=80)]
"""An identifier inside a pack."""

Key = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=120)]
"""The dotted name of a fact, such as ``eu.annex3.creditworthiness``."""

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]

Value = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=60)]
"""One answer of a closed list, as the manifest writes it."""

Former = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*(@[0-9]+(\.[0-9]+){0,3})?$", max_length=120)]
"""A requirement that was replaced: of this edition by its id, of an earlier edition as ``id@version``."""

Place = Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2}|international)$")]
"""Where a framework comes from: an ISO 3166-1 alpha-2 code, ``EU``, or ``international``."""

Wording = Literal["own", "verbatim"]
"""Whether words are the publisher's or the document's own."""

BY_HAND = "by-hand"
"""The part of a duty that no finding of this software speaks to: what ``by_hand`` says, a person brings."""

Nature = Literal["law", "framework", "standard", "plan", "taxonomy"]
"""What sort of document a pack holds."""

Force = Literal["binding", "delegated", "guidance", "standard", "voluntary"]
"""Legal force: law; law made under it; official reading of it; technical standard; commitment freely taken."""


class Words(Text, frozen=True, forbid_unknown_fields=True):
    """A text of a pack; both languages must be there and not be empty."""

    def __post_init__(self) -> None:
        """Refuse an empty sentence in either language."""
        if not self.en.strip() or not self.zh.strip():
            raise ValueError("both en and zh must be written")


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every row of law carries: when it applies (valid time), since when it is known, and who checked it.

    ``applies_from`` and ``applies_until`` bound the time it applies, ``known_from`` and ``known_until`` the time in which
    anyone could know it in this form (publication of the act that made it, and of the one that changed it); the later
    bound is exclusive and None is open. ``checked_by``, ``checked_on`` and
    ``checked_against`` say who compared the row with the primary text, when and with which copy.
    """

    applies_from: datetime.date | None = None
    applies_until: datetime.date | None = None
    known_from: datetime.date | None = None
    known_until: datetime.date | None = None
    checked_by: str = ""
    checked_on: datetime.date | None = None
    checked_against: str = ""

    @property
    def checked(self) -> bool:
        """Tell whether somebody compared this row with the primary text, and said when."""
        return bool(self.checked_by) and self.checked_on is not None


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document the pack rests on, named by its identifier and never by an address that can rot.

    ``document`` is such an identifier (``CELEX 32024R1689``, ``ISO/IEC 42001:2023``); ``licence`` is that of its own
    text; ``in_force_from``, ``repealed_on`` bound its force; ``amended_by`` lists source ids.
    """

    id: Name
    document: Line
    title: Words
    force: Force
    licence: Line
    issuer: str = ""
    published: datetime.date | None = None
    in_force_from: datetime.date | None = None
    repealed_on: datetime.date | None = None
    amended_by: tuple[Name, ...] = ()


class Cite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A pinpoint: the source, its article or annex, and the clause within it, as a lawyer would write them."""

    source: Name
    article: Line
    clause: str = ""

    def __str__(self) -> str:
        """Return article and clause in one, such as ``Art. 5(1)(a)``."""
        return self.article + self.clause


class Grade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a scale."""

    id: Name
    title: Words
    meaning: Words


class Scale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An ordered list of grades, the lightest first; ``default`` is the grade when no rule holds."""

    id: Name
    title: Words
    default: Name
    grades: Annotated[tuple[Grade, ...], msgspec.Meta(min_length=2, max_length=16)]

    def place(self, grade: str) -> int:
        """Return where ``grade`` stands, 0 being the lightest. Raises ValueError for a grade that is not here."""
        return [each.id for each in self.grades].index(grade)


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer to a question of type ``choice``."""

    value: Value
    title: Words


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of dates or numbers that a rule sees as one answer: from the band before it up to, not with, ``below``.

    The last band has no ``below`` and no end.
    """

    value: Value
    title: Words
    below: datetime.date | int | float | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which findings answer a question by themselves: the prefix of their requirement or code, and the verdicts."""

    finding: Name
    verdicts: Annotated[tuple[Literal["met", "unmet", "undecided"], ...], msgspec.Meta(min_length=1)]


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question about a system, its use or its maker.

    ``type`` is ``bool``, ``choice`` (one of ``choices``), ``date`` or ``number`` (in ``unit``), of which rules see only
    the band of ``bands`` it falls in, ``text`` (kept for people, never read by a rule) or ``signal`` (answered by
    findings alone). ``within`` names a wider yes/no question: where that is answered no, this one is no.
    """

    key: Key
    type: Literal["bool", "choice", "date", "number", "text", "signal"]
    question: Words
    help: Words | None = None
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    bands: tuple[Band, ...] = ()
    within: Key | None = None
    signal: Signal | None = None
    cite: tuple[Cite, ...] = ()

    @property
    def values(self) -> tuple[bool | str, ...]:
        """Return every possible answer as rules see it; none for ``text``, which cannot be counted."""
        if self.type in {"choice", "date", "number"}:
            return tuple(each.value for each in self.options)
        return () if self.type == "text" else (False, True)

    @property
    def options(self) -> tuple[Choice | Band, ...]:
        """Return the answers that have a title of their own: choices, or bands of dates or numbers."""
        return (*self.choices, *self.bands)

    def band(self, value: datetime.date | float) -> str:
        """Return the band that ``value`` falls in; for a question of type ``date`` or ``number`` only."""
        later = (each for each in self.bands if each.below is None or value < each.below)  # type: ignore[operator]
        return next(later).value


class Rule(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Under the condition ``when`` (Common Expression Language over facts), ``grade`` of ``scale``, because ``reason``.

    The graver of two grades holds, unless a rule that ``overrides`` holds: then the gravest of those. ``note`` is for
    doubts about the reading of the clause.
    """

    id: Name
    scale: Name
    grade: Name
    when: Line
    title: Words
    reason: Words
    cite: Annotated[tuple[Cite, ...], msgspec.Meta(min_length=1)]
    overrides: bool = False
    note: Words | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which findings speak to a requirement: by prefix of the record's kind, of the finding's requirement or code.

    ``part`` names the part of the duty it speaks to; a duty of which some part is not spoken to is *partly* answered.
    """

    kind: str = ""
    finding: str = ""
    part: str = ""

    def __post_init__(self) -> None:
        """Refuse an answer that everything would satisfy."""
        if not self.kind and not self.finding:
            raise ValueError("name a kind or a finding")


class Requirement(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a clause asks for, of whom, and what would answer it.

    It is asked of systems with one of ``grades`` on ``scale``, or where one of ``rules`` holds and counts; with neither,
    of everybody in one of the roles ``asked_of`` (of everybody, where that is empty). ``answered_by`` lists the findings
    that speak to it and ``by_hand`` says which paper a person brings where no software can. ``id`` never changes while
    the duty lives; ``succeeds`` names those it took the place of when a law was rewritten. ``wording`` says of this row
    what the pack's says of all; ``group`` is its place in the document.
    """

    id: Name
    title: Words
    text: Words
    cite: Annotated[tuple[Cite, ...], msgspec.Meta(min_length=1)]
    group: Name | None = None
    asked_of: tuple[Name, ...] = ()
    scale: Name | None = None
    grades: tuple[Name, ...] = ()
    rules: tuple[Name, ...] = ()
    answered_by: tuple[Answer, ...] = ()
    by_hand: Words | None = None
    succeeds: tuple[Former, ...] = ()
    wording: Wording | None = None
    note: Words | None = None

    def __post_init__(self) -> None:
        """Refuse a scale without grades, and grades without a scale."""
        if bool(self.grades) != (self.scale is not None):
            raise ValueError("name a scale and its grades, or neither")

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of the duty that are told apart, each once, in the order of the file.

        Where findings speak to some of it and a person brings the rest, that rest (:data:`BY_HAND`) is its last part.
        """
        told = tuple(dict.fromkeys(each.part for each in self.answered_by))
        return (*told, BY_HAND) if told and self.by_hand is not None else told


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chapter, function or category of the document: rows stand in it, and it may stand in a wider one, ``parent``."""

    id: Name
    title: Words
    parent: Name | None = None
    cite: tuple[Cite, ...] = ()


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part that somebody plays under a framework: provider, deployer, importer."""

    id: Name
    title: Words


class Risk(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a taxonomy of risks; suggested where the condition ``suggested_when`` may hold, decided by a person."""

    id: Name
    title: Words
    text: Words
    cite: Annotated[tuple[Cite, ...], msgspec.Meta(min_length=1)]
    group: Name | None = None
    suggested_when: Line | None = None
    measures: tuple[Words, ...] = ()
    wording: Wording | None = None
    note: Words | None = None


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One framework as data; ``digest`` is the SHA-256 of the bytes it was read from and is no part of the file."""

    format: Literal[1]
    id: Name
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+){0,3}$")]
    title: Words
    publisher: Line
    licence: Line
    wording: Wording
    known_at: datetime.date
    jurisdiction: Place | None = None
    nature: Nature | None = None
    sources: Annotated[tuple[Source, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="source")
    groups: tuple[Group, ...] = msgspec.field(name="group", default=())
    roles: tuple[Role, ...] = msgspec.field(name="role", default=())
    scales: tuple[Scale, ...] = msgspec.field(name="scale", default=())
    facts: tuple[Fact, ...] = msgspec.field(name="fact", default=())
    rules: tuple[Rule, ...] = msgspec.field(name="rule", default=())
    requirements: tuple[Requirement, ...] = msgspec.field(name="requirement", default=())
    risks: tuple[Risk, ...] = msgspec.field(name="risk", default=())
    about: Words | None = None
    digest: EntryText | None = None

    def source(self, name: str) -> Source:
        """Return the source with this id. Raises KeyError for another."""
        return {each.id: each for each in self.sources}[name]

    def scale(self, name: str) -> Scale:
        """Return the scale with this id. Raises KeyError for another."""
        return {each.id: each for each in self.scales}[name]

    def rule(self, name: str) -> Rule:
        """Return the rule with this id. Raises KeyError for another."""
        return {each.id: each for each in self.rules}[name]

    def fact(self, key: str) -> Fact:
        """Return the question with this key. Raises KeyError for another."""
        return {each.key: each for each in self.facts}[key]

    def requirement(self, name: str) -> Requirement:
        """Return the requirement with this id. Raises KeyError for another."""
        return {each.id: each for each in self.requirements}[name]

    def risk(self, name: str) -> Risk:
        """Return the risk with this id. Raises KeyError for another."""
        return {each.id: each for each in self.risks}[name]

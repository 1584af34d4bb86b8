"""What each page says, before it is HTML, JSON or CSV: one frozen value for each page, the same for all three."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tongqiu.record.shapes import Basis, RanBy, Scalar, Verdict
from tongqiu.record.statement import Asked, Blob
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

Word = Literal["claimed", "measured", "imported", "reproduced", "derived", "opaque", "withheld"]
"""What a record is: a party says so; a probe saw it; taken in from another tool; re-run by another party; weighed by a
rule from other records; of a type not installed here; its content erased or withheld."""


class Verdicts(msgspec.Struct, frozen=True):
    """How many findings came to each verdict."""

    unmet: int = 0
    undecided: int = 0
    not_assessed: int = 0
    met: int = 0
    not_applicable: int = 0


class Numbers(msgspec.Struct, frozen=True):
    """The value behind a finding with its interval and the limit it was held against, where the finding names them."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None


class FindingRow(msgspec.Struct, frozen=True):
    """One finding with the record that carries it."""

    entry: str
    subject: Subject
    requirement: str
    title: Text
    verdict: Verdict
    severity: str
    code: str
    reason: Text
    mend: Text | None
    params: dict[str, Scalar]
    numbers: Numbers
    kind: str
    issuer: str
    at: str


class MeasureRow(msgspec.Struct, frozen=True):
    """One piece of evidence with the record that carries it; ``parties`` measured the same by the same method."""

    entry: str
    subject: Subject
    measure: str
    title: Text
    group: dict[str, str]
    value: Scalar
    unit: str
    low: float | None
    high: float | None
    coverage: float | None
    u: float | None
    n: int | None
    method: str
    basis: Basis
    ran_by: RanBy
    attested: bool
    word: Word
    parties: int
    share: bool
    kind: str
    issuer: str
    at: str


class RecordRow(msgspec.Struct, frozen=True):
    """One record as it stands in a list."""

    entry: str
    kind: str
    title: Text | None
    word: Word
    subject: Subject
    issuer: str
    at: str
    logged: str
    index: int
    origin: str
    public: bool


class Clause(msgspec.Struct, frozen=True):
    """One rule behind a grade: where it is written, whether it is ``fired`` or still ``possible``, and why; ``pending``
    where it applies only from a later day.
    """

    id: str
    title: Text
    answer: str
    reason: Text | None = None
    pending: bool = False


class Grade(msgspec.Struct, frozen=True):
    """Where a system stands on one scale, from step ``low`` to step ``high`` (positions from 0), lowest step first.

    ``state`` is ``unanswered`` where nothing that bears on it was answered; then it is not assessed. ``pack`` is the one
    under which it stands, empty where that does not matter.
    """

    entry: str
    scale: Text
    state: Literal["graded", "range", "unanswered"]
    steps: tuple[Text, ...]
    low: int
    high: int
    reason: Text | None = None
    clauses: tuple[Clause, ...] = ()
    unknown: tuple[Text, ...] = ()
    at: str = ""
    pack: str = ""


class Part(msgspec.Struct, frozen=True):
    """One part of a system and how much is known of it."""

    role: str
    subject: Subject
    measures: int
    verdicts: Verdicts


class Plot(msgspec.Struct, frozen=True):
    """Measures of one kind that differ only by group, to be drawn together."""

    title: Text
    subject: Subject
    rows: tuple[MeasureRow, ...]
    limit: float | None = None


class Failed(msgspec.Struct, frozen=True):
    """A run of the last assessment that ended without a result: which, about what, and why."""

    run: str
    about: str
    code: str
    reason: Text


class SystemCard(msgspec.Struct, frozen=True):
    """A system at a glance; ``silent`` counts all that was not assessed: findings that say so, scales without
    an answer, what no check looked at, runs without a result, and parts of which nothing is known.
    """

    subject: Subject
    grades: tuple[Grade, ...]
    verdicts: Verdicts
    measured: int
    claimed: int
    silent: int
    last: str | None


class Home(msgspec.Struct, frozen=True):
    """The first page: ``systems`` from place ``offset`` on, at most ``step``, of ``total``."""

    node: str
    name: str
    systems: tuple[SystemCard, ...]
    total: int
    offset: int
    step: int


class SubjectPage(msgspec.Struct, frozen=True):
    """All that is readable about one subject and its parts.

    ``not_assessed`` and ``failed`` are what the last assessment run says of itself; ``silent`` are parts of which
    nothing was measured or found; ``older`` counts earlier results that newer ones replace on this page.
    """

    subject: Subject
    purpose: str
    version: str
    grades: tuple[Grade, ...]
    verdicts: Verdicts
    findings: tuple[FindingRow, ...]
    plots: tuple[Plot, ...]
    measures: tuple[MeasureRow, ...]
    parts: tuple[Part, ...]
    not_assessed: tuple[str, ...]
    failed: tuple[Failed, ...]
    silent: tuple[Subject, ...]
    records: tuple[RecordRow, ...]
    last: str | None
    older: int


class Records(msgspec.Struct, frozen=True):
    """A page of records, newest first; ``next`` is the cursor of the page after."""

    kind: str
    subject: str
    search: str
    records: tuple[RecordRow, ...]
    next: str | None


class Source(msgspec.Struct, frozen=True):
    """A record that another rests on; ``record`` None where the reader may not see it or it is not here."""

    entry: str
    record: RecordRow | None


class ReplyRow(msgspec.Struct, frozen=True):
    """What a party that was told of a record beforehand says to it; ``asks`` for a correction, or for nothing."""

    entry: str
    party: str
    words: str
    asks: str
    at: str


class RecordPage(msgspec.Struct, frozen=True):
    """One record in full; ``by`` is the check or rule that made it, with its version; ``retired_by`` the withdrawal or
    replacement that ended it.
    """

    record: RecordRow
    schema: str
    schema_holds: bool | None
    body: Any
    grades: tuple[Grade, ...]
    measures: tuple[MeasureRow, ...]
    findings: tuple[FindingRow, ...]
    rests_on: tuple[Source, ...]
    files: tuple[Blob, ...]
    readers: tuple[str, ...] | None
    marking: str
    embargo: str | None
    thread: str | None
    asked: tuple[Asked, ...]
    by: str
    retired_by: RecordRow | None
    replies: tuple[ReplyRow, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One record on the way from a conclusion to its measurements; ``record`` None where the reader may not see it."""

    entry: str
    record: RecordRow | None
    depth: int
    grades: tuple[Grade, ...]
    measures: tuple[MeasureRow, ...]
    findings: tuple[FindingRow, ...]
    why: tuple[Step, ...]
    asked: int
    seen_above: bool = False


class ExplainPage(msgspec.Struct, frozen=True):
    """A conclusion with all it rests on; ``cut`` when the tree was too large to show whole."""

    root: Step
    cut: bool


class Findings(msgspec.Struct, frozen=True):
    """Findings, the most serious first."""

    subject: str
    requirement: str
    verdict: str
    findings: tuple[FindingRow, ...]
    total: int


class Measures(msgspec.Struct, frozen=True):
    """Evidence, by subject and measure."""

    subject: str
    measure: str
    measures: tuple[MeasureRow, ...]
    total: int


class Heading(msgspec.Struct, frozen=True):
    """The name of a column, for software and for people."""

    name: str
    title: Text
    type: str


class RegistryRow(msgspec.Struct, frozen=True):
    """One registry in the list of registries."""

    name: str
    title: Text
    area: str
    columns: int


class Registries(msgspec.Struct, frozen=True):
    """The list of registries."""

    registries: tuple[RegistryRow, ...]


class Registry(msgspec.Struct, frozen=True):
    """One page of one registry."""

    name: str
    title: Text
    columns: tuple[Heading, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int
    search: str
    limit: int
    offset: int


class KindRow(msgspec.Struct, frozen=True):
    """A record type in a list."""

    name: str
    title: Text
    digest: str
    public: bool


class Named(msgspec.Struct, frozen=True):
    """A probe, rule, registry or page of an area: what sort, its name, version and title, and where to find it."""

    sort: str
    name: str
    version: str
    title: Text
    path: str = ""


class Area(msgspec.Struct, frozen=True):
    """One practice: all it brings."""

    name: str
    title: Text
    about: Text
    kinds: tuple[KindRow, ...]
    brings: tuple[Named, ...]


class Areas(msgspec.Struct, frozen=True):
    """The installed areas."""

    areas: tuple[Area, ...]


class KindPage(msgspec.Struct, frozen=True):
    """A record type with its JSON Schema and the digest that pins it."""

    kind: KindRow
    schema: dict[str, Any]


class JobRow(msgspec.Struct, frozen=True):
    """One piece of work; ``fault`` and ``do`` say what ended it and what to do, where it failed."""

    id: str
    kind: str
    state: str
    done: float
    total: float | None
    note: str
    created: str
    beat: str
    fault: Text | None
    do: Text | None


class Jobs(msgspec.Struct, frozen=True):
    """Work at the node, newest first."""

    jobs: tuple[JobRow, ...]
    running: bool


class About(msgspec.Struct, frozen=True):
    """Who runs this node, the state of its log, and how to check it without trusting it."""

    node: str
    name: str
    checkpoint: str
    areas: int
    kinds: int

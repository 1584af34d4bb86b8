"""The objects of an evaluation: the method, the plan, the run of it on one system, what was measured, and the report.

Names follow ISO/IEC 17000 and 17025, the vocabulary of metrology (VIM) and, where it has them, the fields of Every Eval
Ever 0.3. A run carries its method whole and the score of every item, so that whoever holds the record can compute each
figure again without this software's data; prompts that could do harm stay in a file with readers of its own. It is longer than
other modules, because these values name each other.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.practices.evaluation.bodies import Completeness, MethodText, Natural
from tongqiu.record.shapes import Code, Component, Scalar, Verdict
from tongqiu.record.statement import Instant
from tongqiu.record.subject import EntryText, Subject
from tongqiu.record.text import Text

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A language tag (BCP 47), ``und`` where it does not matter."""

Class = Literal["tabular", "classifier", "language-model", "generative-service", "agent"]
"""What sort of system a method can measure."""

FloorAgent = Literal["null", "refuser", "random", "constant", "echo"]
"""Systems without any skill that run with every method: says nothing; refuses all; answers at random; gives always the
commonest answer; gives the question back."""


Relationship = Literal["first_party", "third_party", "collaborative", "other"]
"""Who evaluated, seen from the provider of the system (Every Eval Ever, ``evaluator_relationship``)."""


class Estimator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a value and its uncertainty come from item scores.

    ``name``: ``proportion`` (Wilson interval), ``proportion-exact`` (Clopper-Pearson), ``mean``, ``clustered-mean``
    (sandwich, Miller 2024), ``clustered-bootstrap``; ``cluster_key`` names what makes items alike; ``tolerance`` is how
    far a second computation may lie from the first.
    """

    name: Literal["proportion", "proportion-exact", "mean", "clustered-mean", "clustered-bootstrap"]
    coverage: Share = 0.95
    cluster_key: str = ""
    tolerance: float = 1e-9


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a judge (a rule or a model that scores answers) did against labels that people gave.

    ``sensitivity`` and ``specificity`` are pairs (right, of how many); ``against`` names the labels, ``digest`` pins them.
    """

    judge: MethodText
    sensitivity: tuple[Natural, Natural]
    specificity: tuple[Natural, Natural]
    against: Line
    digest: EntryText | None = None


class Floor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a system without skill reaches on the same items: ``value`` with its interval over ``n`` items."""

    agent: FloorAgent
    value: float
    low: float
    high: float
    n: Natural


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of the method itself.

    ``detectable`` is the least difference between two systems that ``items`` items show with power ``power`` at the
    estimator's coverage (paired, Miller 2024 eq. 9); ``reproducibility`` the standard deviation between laboratories where
    any is known; ``notes`` what the method cannot see.
    """

    items: Natural
    detectable: float
    power: Share = 0.8
    reproducibility: float | None = None
    notes: tuple[Text, ...] = ()


class Wheel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The package a method came in: its name, version and the SHA-256 of its bytes."""

    name: Name
    version: Name
    digest: EntryText


class TestMethod(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One way to measure one thing (``evaluation.method/1``).

    ``better`` says which direction is good for people; ``utility`` names the method whose result must stand beside this one,
    because a system that does nothing would pass here; ``pins`` are the parameters that must not change between runs;
    ``data`` the items by digest; ``withheld`` items are not shared with the record.
    """

    __test__ = False  # no test of pytest's

    method: MethodText
    title: Text
    about: Text
    measurand: Code
    better: Literal["higher", "lower"]
    classes: tuple[Class, ...]
    languages: tuple[Language, ...]
    data: EntryText
    items: Natural
    pins: dict[str, Scalar]
    estimator: Estimator
    judge: Calibration | None = None
    floors: tuple[Floor, ...] = ()
    utility: MethodText | None = None
    validation: Validation | None = None
    wheel: Wheel | None = None
    unit: str = "1"
    withheld: bool = False


class Fingerprint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a system behaves on a fixed set of probing questions: a digest, and how often two such digests are mistaken.

    ``false_match`` is the share of other systems taken for this one, ``false_change`` that of the same taken for another;
    both are (count, of how many) from the method's own validation. ``agreement`` is the share of questions that a second
    round answered the same; ``answers`` are short digests of the answers, in order of the questions, so that two
    fingerprints can be compared where they are not equal.
    """

    method: MethodText
    digest: EntryText
    agreement: Share
    false_match: tuple[Natural, Natural]
    false_change: tuple[Natural, Natural]
    answers: tuple[Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{12})?$")], ...] = ()


class SystemIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which system was measured, and how surely that is known; ``rung`` is the highest step that was reached.

    In falling order: the bytes of the weights, a build signed by its provider, its behaviour, its name and the date.
    """

    rung: Literal["weights-digest", "provider-signed", "behavioural-fingerprint", "name-and-date"]
    name: Name
    at: Instant
    developer: str = ""
    version: str = ""
    digest: EntryText | None = None
    signed_by: str = ""
    fingerprint: Fingerprint | None = None


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a run took place: engine and packages by version, machine, and a digest over all of it."""

    digest: EntryText
    engine: str
    python: str
    platform: str
    processor: str = ""
    packages: dict[str, str] = {}


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a run used: questions sent, tokens in and out as the service counted them, cost in ``currency`` where known.

    ``host`` is where the questions went, empty for a system on this machine; ``budget`` the limits that were agreed.
    """

    asked: Natural
    tokens_in: Natural | None = None
    tokens_out: Natural | None = None
    cost: float | None = None
    currency: str = ""
    seconds: float | None = None
    host: str = ""
    budget: dict[str, float] = {}


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of evidence: what it is, its SHA-256 and its length in bytes."""

    sort: Literal["inspect.eval", "items", "transcript", "import", "other"]
    name: Name
    digest: EntryText
    size: Natural


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, array_like=True):
    """The score of one item: salted id, ``score`` from 0 to 1 (None: it could not be scored), cluster, language, slice, what went wrong.

    Written as a list, as there may be thousands.
    """

    id: Annotated[str, msgspec.Meta(max_length=80)]
    score: Share | None
    cluster: Annotated[str, msgspec.Meta(max_length=80)] = ""
    language: Language = "und"
    slice: Annotated[str, msgspec.Meta(max_length=80)] = ""
    error: Annotated[str, msgspec.Meta(max_length=80)] = ""


class Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What another tool says came out, where its record holds no item: a share, and its standard error and count if told."""

    value: Share
    n: Natural = 0
    u: float | None = None
    low: Share | None = None
    high: Share | None = None


class TestRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One run of one method on one system, with the score of every item (``evaluation.run/1``).

    ``floors`` are the same items answered by systems without skill in the same run. ``missing`` names what the record of
    another tool does not tell (imported runs); such a run is kept, and is no basis for a verdict.
    ``interrupted`` counts how often it was taken up again; ``reported`` is the total of another tool that gave no items.
    """

    __test__ = False

    method: TestMethod
    system: SystemIdentity
    environment: Environment | None
    started: Instant
    ended: Instant
    items: tuple[Item, ...]
    completeness: Completeness
    floors: tuple[Floor, ...] = ()
    seed: int | None = None
    deviations: tuple[Text, ...] = ()
    skipped: tuple[Line, ...] = ()
    evidence: tuple[Detail, ...] = ()
    use: Use | None = None
    interrupted: Natural = 0
    source: Literal["ran-here", "imported"] = "ran-here"
    missing: tuple[Code, ...] = ()
    relationship: Relationship = "first_party"
    reported: Reported | None = None


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value for one slice of the items, such as one language: value, interval, and how many items."""

    by: dict[str, str]
    value: float
    n: Natural
    low: float
    high: float


class Paired(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The result that must be read beside a measurement: the method of its utility, the record of its run, value, interval.

    ``floors`` are its own, and ``lacking`` what it lacks itself: what is incomplete makes nothing else complete.
    """

    method: MethodText
    entry: EntryText
    value: float
    low: float
    high: float
    better: Literal["higher", "lower"] = "higher"
    floors: tuple[Floor, ...] = ()
    lacking: tuple[Code, ...] = ()


class Measurement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a run measured (``evaluation.measurement/1``): value with its uncertainty, floors, parts, and its utility partner.

    ``observed`` is the plain share or mean before the judge's errors were allowed for, ``value`` after. ``basis`` says
    whether a verdict may rest on it, and ``lacking`` what is missing when not. ``title`` is that of the method.
    """

    method: MethodText
    title: Text
    measurand: Code
    system: SystemIdentity
    value: float
    observed: float
    unit: str
    n: Natural
    clusters: Natural
    u: float
    low: float
    high: float
    coverage: Share
    components: tuple[Component, ...]
    decision_rule: Literal["at-bound"]
    better: Literal["higher", "lower"]
    completeness: Completeness
    floors: tuple[Floor, ...]
    basis: Literal["verdict", "imported-incomplete", "incomplete"]
    detectable: float | None = None
    parts: tuple[Part, ...] = ()
    utility: Paired | None = None
    lacking: tuple[Code, ...] = ()
    source: Literal["ran-here", "imported"] = "ran-here"
    relationship: Relationship = "first_party"


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a new test due before its date: the sort of change, and in words."""

    sort: Literal["digest", "data", "incident", "norm", "drift", "method", "configuration"]
    words: Text


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, array_like=True):
    """The score of one item as a report keeps it, so that the next report can compare item by item: id, score, cluster."""

    id: Annotated[str, msgspec.Meta(max_length=80)]
    score: Share
    cluster: Annotated[str, msgspec.Meta(max_length=80)] = ""


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One measurement as a report lists it; ``entry`` is its record and ``run`` that of the run behind it.

    ``verdict`` is that of the measurement's own finding; ``lacking`` what it lacks as a basis for any. ``data`` is the digest
    of the method's items and ``items`` the scores of those that were asked; both are left out where there are too many.
    ``about`` names the thing under test. ``stretch`` is by how much the judge's known errors stretch a difference of shares (1 without a judge).
    """

    entry: EntryText
    about: Name
    method: MethodText
    title: Text
    measurand: Code
    better: Literal["higher", "lower"]
    value: float
    u: float
    low: float
    high: float
    n: Natural
    completeness: Completeness
    basis: Literal["verdict", "imported-incomplete", "incomplete"]
    beyond_floor: bool
    verdict: Verdict
    floors: tuple[Floor, ...] = ()
    parts: tuple[Part, ...] = ()
    lacking: tuple[Code, ...] = ()
    utility: Paired | None = None
    source: Literal["ran-here", "imported"] = "ran-here"
    run: EntryText | None = None
    components: tuple[Component, ...] = ()
    data: EntryText | None = None
    judge: str = ""
    stretch: float = 1.0
    detectable: float | None = None
    items: tuple[Kept, ...] = ()


class Tabled(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One value, or one gap between groups, measured on a table of cases, as a report lists it."""

    entry: EntryText
    about: Name
    method: MethodText
    data: Name
    measure: Code
    title: Text
    value: float
    low: float | None = None
    high: float | None = None
    n: Natural | None = None
    floor: float | None = None
    between: str = ""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changed in one method since the report before: both measurements, the difference, and whether it is beyond doubt.

    ``way`` says how the uncertainty ``u`` of the difference was found: ``paired`` over the ``shared`` items that both runs
    hold, ``shared`` from components that both have in common, ``independent`` where they have none. ``zeta`` is the
    difference over ``u`` (ISO 13528), None where nothing varied. ``beyond`` is true when the interval of the difference at
    ``coverage`` does not hold 0.
    """

    about: Name
    method: MethodText
    title: Text
    before: EntryText
    now: EntryText
    value_before: float
    value_now: float
    difference: float
    u: float
    low: float
    high: float
    zeta: float | None
    coverage: Share
    way: Literal["paired", "shared", "independent"]
    shared: Natural
    beyond: bool
    better: Literal["higher", "lower"]


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a report was made knowing: a part of the system with its digest, a norm pack with its own, the day on which rows
    of a pack begin to apply (``at``), or the fingerprint of a system that is known by its behaviour alone.
    """

    sort: Literal["model", "data", "code", "service", "norm", "norm-begins", "fingerprint"]
    id: Line
    name: str = ""
    digest: str = ""
    at: Instant | None = None


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A report on one system (``evaluation.report/1``): results, what they hold for and what not, and until when.

    ``tested`` are the things under test, such as each model of the system; ``system`` is known no more surely than the least
    of them.
    ``tested_from`` and ``tested_until`` span the runs; ``known`` is what a later change is told by; ``before`` the report
    that this one follows, with ``changes`` against it.
    """

    system: SystemIdentity
    results: tuple[Summary, ...]
    scope: Text
    limits: tuple[Text, ...]
    valid_until: Instant
    triggers: tuple[Trigger, ...]
    tested_from: Instant
    tested_until: Instant
    tested: tuple[SystemIdentity, ...]
    tables: tuple[Tabled, ...] = ()
    not_assessed: tuple[Text, ...] = ()
    known: tuple[Known, ...] = ()
    before: EntryText | None = None
    changes: tuple[Change, ...] = ()
    plan: EntryText | None = None


class Planned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One method in a plan: how many items, in which languages, and every how many days it is run again."""

    method: MethodText
    items: Natural
    languages: tuple[Language, ...] = ()
    every_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] | None = None


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What will be tested, when, and what brings a new test before its date (``evaluation.plan/1``).

    ``first`` is the day of the first test, from which each method counts its days; ``next`` the one that comes next,
    None once there is no further. ``valid_days`` is for how long a report under this plan holds.
    """

    methods: Annotated[tuple[Planned, ...], msgspec.Meta(min_length=1, max_length=100)]
    triggers: tuple[Trigger, ...]
    first: Instant
    next: Instant | None = None
    valid_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 365
    about: Subject | None = None
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why a new test is due: the sort of cause, in words, since when, and the record that shows it."""

    sort: Literal["date", "digest", "data", "incident", "norm", "drift", "method", "configuration"]
    words: Text
    since: Instant
    entry: EntryText | None = None


class Due(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """That a new test is due, of which methods, and why (``evaluation.due/1``); ``about`` is the report or plan it is due under.

    ``again_at`` is when people are reminded again; the record goes when a newer report takes the place of ``about``.
    """

    about: EntryText
    causes: Annotated[tuple[Cause, ...], msgspec.Meta(min_length=1)]
    methods: tuple[MethodText, ...]
    since: Instant
    again_at: Instant


class Drawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Items of one result to ask again: ``ids`` in the order drawn, ``of`` how many; they hold one of ``false`` made-up
    scores with probability ``found``.

    ``n`` of them test the ``claim`` against ``actual``: it is rejected at ``critical`` right ones or fewer (or more, where the
    truth would be higher), wrongly with probability ``alpha``, rightly with ``power``; all None where no number of the
    report's items does.
    """

    about: Name
    method: MethodText
    ids: tuple[str, ...]
    of: Natural
    false: Natural
    found: Share
    claim: float
    actual: float
    n: Natural | None = None
    critical: Natural | None = None
    alpha: float | None = None
    power: float | None = None


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which items of a report are asked again, drawn by a public ``seed`` (``evaluation.replay/1``)."""

    report: EntryText
    seed: EntryText
    results: Annotated[tuple[Drawn, ...], msgspec.Meta(min_length=1)]

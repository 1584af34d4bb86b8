"""A frozen view of what one party may read, that remembers every question, so that even an absence can be re-checked.

Two times rule a snapshot: *as of* (what was said by then, and not withdrawn by then) and *known at* (what this node's
log held by then). The same snapshot always gives the same answers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tongqiu.node.discovery import matches
from tongqiu.practice import Found, Measured
from tongqiu.record.statement import Asked, Statement
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tongqiu.node.home import Home
    from tongqiu.record.statement import Content

WITHDRAWAL = "core.withdrawal/1"
SUPERSESSION = "core.supersession/1"
TOMBSTONE = "core.tombstone/1"


EVERY = "*"
"""The pattern of every kind of record."""


class Ending(NamedTuple):
    """That a record was withdrawn or replaced by its own issuer: its entry; where, said when and logged when."""

    entry: str
    place: int
    said: str
    logged: str


class Source(Protocol):
    """Where a snapshot finds statements; whoever makes it has already bound it to what one party may read."""

    def find(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Iterable[Statement]:
        """Yield every readable statement that fits all that is given; ``kind`` may be a pattern."""
        ...

    def endings(self, statements: Collection[Statement]) -> Iterable[Ending]:
        """Yield when each of ``statements`` was withdrawn or replaced by its own issuer."""
        ...


class Listed:
    """A source over statements held in memory: a passport's, or a paper world's."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        """Hold ``statements``."""
        self._statements = tuple(statements)

    def find(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Iterable[Statement]:
        """Yield what fits."""
        return (
            each
            for each in self._statements
            if matches(kind, each.kind)
            and (subject is None or each.subject.same(subject))
            and (thread is None or each.content.thread == thread)
            and (ref is None or ref in references(each))
        )

    def endings(self, statements: Collection[Statement]) -> Iterable[Ending]:
        """Yield when each of ``statements`` was withdrawn or replaced, as far as it is held here."""
        held = {each.entry: each for each in statements}
        for each in self._statements:
            target = retires(each)
            if target in held and held[target].issuer == each.issuer:
                yield Ending(target, each.index, each.at, each.logged)


class Snapshot:
    """An :class:`tongqiu.practice.Ask` over a source.

    It keeps what was said by ``as_of`` and logged by ``known_at``, without what its own issuer had withdrawn or
    replaced by then.
    """

    def __init__(  # noqa: PLR0913 - the coordinates of a snapshot, each named at the call
        self,
        source: Source,
        *,
        receiver: str,
        as_of: str,
        known_at: str,
        size: int,
        norms: Any = None,  # noqa: ANN401 - tongqiu.norms, unknown to the contract
    ) -> None:
        """Ask ``source``; ``size`` is how many entries the log had, ``norms`` the packs or what finds them in a snapshot."""
        self._source = source
        self._receiver, self._as_of, self._known_at, self._size = receiver, as_of, known_at, size
        self._norms = norms
        self._asked: list[Asked] = []
        self._used: set[str] = set()
        self._gone: dict[str, bool] = {}
        self._found: dict[tuple[str | None, ...], list[Statement]] = {}

    @property
    def as_of(self) -> str:
        """Return the valid time."""
        return self._as_of

    @property
    def known_at(self) -> str:
        """Return the known time."""
        return self._known_at

    @property
    def receiver(self) -> str:
        """Return the party that asks."""
        return self._receiver

    @property
    def norms(self) -> Any:  # noqa: ANN401 - tongqiu.norms
        """Return the norm packs, found when they are first looked at; finding them is no question to the log."""
        if callable(self._norms):
            self._norms = self._norms(self)
        return self._norms

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Return every question so far with the digest of its answer, without repeats."""
        return tuple(dict.fromkeys(self._asked))

    @property
    def used(self) -> tuple[str, ...]:
        """Return the entries of every answer so far, sorted."""
        return tuple(sorted(self._used))

    def said(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Sequence[Statement]:
        """Return the statements that fit, sorted by entry."""
        return self._answer(kind, self.standing(kind, subject=subject, thread=thread, ref=ref), subject, thread, ref)

    def evidence(self, *, subject: Subject | None = None, measure: str = "") -> Sequence[Measured]:
        """Return the evidence of measures that start with ``measure``."""
        found = [
            Measured(statement, each)
            for statement in self.standing("*", subject=subject)
            for each in statement.content.evidence
            if each.measure.startswith(measure)
        ]
        self._answer(f"evidence:{measure}", list(dict.fromkeys(each.statement.entry for each in found)), subject)
        return found

    def findings(self, *, subject: Subject | None = None, requirement: str = "") -> Sequence[Found]:
        """Return the findings on requirements that start with ``requirement``."""
        found = [
            Found(statement, each)
            for statement in self.standing("*", subject=subject)
            for each in statement.content.findings
            if each.requirement.startswith(requirement)
        ]
        self._answer(f"finding:{requirement}", list(dict.fromkeys(each.statement.entry for each in found)), subject)
        return found

    def standing(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> list[Statement]:
        """Return what :meth:`said` would, without noting the question; asked again, the same answer at no cost."""
        rest = (subject.id if subject else None, subject.digest if subject else None, thread, ref)
        if (kind, *rest) not in self._found:
            if kind != EVERY and ("*" in kind or (EVERY, *rest) in self._found):
                # Whatever lies under a pattern is found by reading all there is about the subject, so that is kept.
                every = self.standing(EVERY, subject=subject, thread=thread, ref=ref)
                self._found[kind, *rest] = [each for each in every if matches(kind, each.kind)]
            else:
                self._found[kind, *rest] = self._find(kind, subject, thread, ref)
        return list(self._found[kind, *rest])

    def _find(self, kind: str, subject: Subject | None, thread: str | None, ref: str | None) -> list[Statement]:
        found = {
            each.entry: each
            for each in self._source.find(kind, subject=subject, thread=thread, ref=ref)
            if self._known(each)
        }
        self._look_up(found.values())
        return [found[entry] for entry in sorted(found) if not self._gone[entry]]

    def stands(self, statement: Statement) -> bool:
        """Tell whether a readable statement was neither withdrawn nor replaced by its issuer."""
        self._look_up([statement])
        return not self._gone[statement.entry]

    def _known(self, statement: Statement) -> bool:
        """Tell whether a statement was said and logged early enough; the log's size decides within one millisecond."""
        early = statement.at <= self._as_of and statement.logged <= self._known_at
        return early and statement.index < self._size

    def _look_up(self, statements: Iterable[Statement]) -> None:
        """Find out, for all statements at once, which their own issuer had ended by then."""
        fresh = {each.entry: each for each in statements if each.entry not in self._gone}
        self._gone.update(dict.fromkeys(fresh, False))
        for each in self._source.endings(fresh.values()):
            if each.said <= self._as_of and each.logged <= self._known_at and each.place < self._size:
                self._gone[each.entry] = True

    def _answer(
        self,
        kind: str,
        answer: list[Any],
        subject: Subject | None,
        thread: str | None = None,
        ref: str | None = None,
    ) -> list[Any]:
        entries = sorted(each if isinstance(each, str) else each.entry for each in answer)
        digest = "sha-256:" + hashlib.sha256("".join(f"{entry}\n" for entry in entries).encode()).hexdigest()
        self._used.update(entries)
        self._asked.append(
            Asked(
                kind=kind,
                size=self._size,
                count=len(entries),
                answer=digest,
                as_of=self._as_of,
                known_at=self._known_at,
                subject=subject.id if subject else None,
                thread=thread,
                ref=ref,
                digest=subject.digest if subject else None,
            )
        )
        return answer


def ask_again(statement: Statement, source: Source) -> tuple[Asked, ...]:
    """Put every question that ``statement`` records to ``source`` again and return those now answered otherwise.

    Nothing is returned where each answer, an empty one too, is the one that was weighed. ``source`` must be bound to
    what the issuer may read, over the same log; a record that it hides, or that was hidden from the issuer, shows.
    """
    differ = []
    for asked in statement.content.asked:
        snapshot = Snapshot(
            source, receiver=statement.issuer, as_of=asked.as_of, known_at=asked.known_at, size=asked.size
        )
        # The type of a subject is never compared; identifier and digest are.
        subject = None if asked.subject is None else Subject("system", asked.subject, asked.digest)
        sort, _, rest = asked.kind.partition(":")
        if sort == "evidence":
            snapshot.evidence(subject=subject, measure=rest)
        elif sort == "finding":
            snapshot.findings(subject=subject, requirement=rest)
        else:
            snapshot.said(asked.kind, subject=subject, thread=asked.thread, ref=asked.ref)
        if snapshot.asked != (asked,):
            differ.append(asked)
    return tuple(differ)


def retires(statement: Statement) -> str | None:
    """Return the entry that a withdrawal or replacement names, or None for any other statement."""
    field = {WITHDRAWAL: "entry", SUPERSESSION: "old"}.get(statement.kind)
    value = statement.body.get(field) if field and isinstance(statement.body, dict) else None
    return value if isinstance(value, str) else None


def references(statement: Statement) -> frozenset[str]:
    """Return every entry by which a statement can be found: what it rests on, and what it retires."""
    target = retires(statement)
    return frozenset(statement.content.rests_on) | ({target} if target else frozenset())


def marks(home: Home, content: Content) -> list[bytes]:
    """Return what a record can be found by here besides its columns: its bytes, its files, the record it retires, and,
    for a record of another party, its subject, which that party's envelope names by a pseudonym of its own.
    """
    found = [content.subject.digest, *(file.digest for file in content.files)]
    if content.issuer != home.did:
        found.append(content.subject.id)
    target = retires(Statement("", 0, "", "", content))
    own = [bytes.fromhex(target.removeprefix("sha-256:"))] if target and is_entry(target) else []
    return own + [home.mark(each) for each in found if each]


def is_entry(text: str) -> bool:
    """Tell whether ``text`` is the hex of a SHA-256, with or without its name before it."""
    value = text.removeprefix("sha-256:")
    return len(value) == 64 and all(char in "0123456789abcdef" for char in value)  # noqa: PLR2004 - hex of SHA-256

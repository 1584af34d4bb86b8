"""A frozen view of what one party may read, that remembers every question, so that even an absence can be re-checked.

Two times rule a snapshot: *as of* (what was said by then, and not withdrawn by then) and *known at* (what this node's
log held by then). The same snapshot always gives the same answers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tongqiu.node.discovery import matches
from tongqiu.practice import Found, Measured
from tongqiu.record.statement import Asked, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.record.subject import Subject

WITHDRAWAL = "core.withdrawal/1"
SUPERSESSION = "core.supersession/1"
TOMBSTONE = "core.tombstone/1"


class Snapshot:
    """An :class:`tongqiu.practice.Ask` over a fixed set of statements.

    ``statements`` are all that the receiver may read, any order; the snapshot keeps those said by ``as_of`` and logged
    by ``known_at``, without those their own issuer had withdrawn or replaced by then.
    """

    def __init__(  # noqa: PLR0913 - the coordinates of a snapshot, each named at the call
        self,
        statements: Iterable[Statement],
        *,
        receiver: str,
        as_of: str,
        known_at: str,
        size: int,
        norms: Any = None,  # noqa: ANN401 - tongqiu.norms, unknown to the contract
    ) -> None:
        """Freeze ``statements``; ``size`` is how many entries the log had."""
        seen = [each for each in statements if each.at <= as_of and each.logged <= known_at]
        gone = retired(seen)
        self._standing = sorted((each for each in seen if each.entry not in gone), key=lambda each: each.entry)
        self._receiver, self._as_of, self._known_at, self._size = receiver, as_of, known_at, size
        self._norms = norms
        self._asked: list[Asked] = []
        self._used: set[str] = set()

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
        """Return the norm packs."""
        return self._norms

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Return every question so far with the digest of its answer, without repeats."""
        return tuple(dict.fromkeys(self._asked))

    @property
    def used(self) -> tuple[str, ...]:
        """Return the entries of every answer so far, sorted."""
        return tuple(sorted(self._used))

    @property
    def standing(self) -> Sequence[Statement]:
        """Return all statements of the snapshot, sorted by entry, without noting a question."""
        return self._standing

    def said(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Sequence[Statement]:
        """Return the statements that fit, sorted by entry."""
        return self._answer(kind, self._select(kind, subject, thread, ref), subject, thread, ref)

    def evidence(self, *, subject: Subject | None = None, measure: str = "") -> Sequence[Measured]:
        """Return the evidence of measures that start with ``measure``."""
        found = [
            Measured(statement, each)
            for statement in self._select("*", subject, None, None)
            for each in statement.content.evidence
            if each.measure.startswith(measure)
        ]
        self._answer(f"evidence:{measure}", list(dict.fromkeys(each.statement.entry for each in found)), subject)
        return found

    def findings(self, *, subject: Subject | None = None, requirement: str = "") -> Sequence[Found]:
        """Return the findings on requirements that start with ``requirement``."""
        found = [
            Found(statement, each)
            for statement in self._select("*", subject, None, None)
            for each in statement.content.findings
            if each.requirement.startswith(requirement)
        ]
        self._answer(f"finding:{requirement}", list(dict.fromkeys(each.statement.entry for each in found)), subject)
        return found

    def _select(
        self, kind: str, subject: Subject | None, thread: str | None, ref: str | None
    ) -> list[Statement]:
        return [
            each
            for each in self._standing
            if matches(kind, each.kind)
            and (subject is None or each.subject.same(subject))
            and (thread is None or each.content.thread == thread)
            and (ref is None or ref in each.content.rests_on)
        ]

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
            )
        )
        return answer


def retired(statements: Iterable[Statement]) -> dict[str, Statement]:
    """Return each entry that its own issuer withdrew or replaced, with the statement that did so."""
    by_entry = {each.entry: each for each in statements}
    gone: dict[str, Statement] = {}
    for each in by_entry.values():
        target = each.body.get("entry") if each.kind == WITHDRAWAL else each.body.get("old") if each.kind == SUPERSESSION else None
        old = by_entry.get(target) if target else None
        if old is not None and old.issuer == each.issuer:
            gone[old.entry] = each
    return gone

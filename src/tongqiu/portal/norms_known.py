"""What the records that one reader may see say of a system: its declared facts, and findings on it and its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.norms.outcome import Seen
from tongqiu.portal.norms_models import Named
from tongqiu.portal.reading import gone
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.norms.grading import Book
    from tongqiu.portal.lent import Desk
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

GRADE = "grading.grade/1"
FACTS = "grading.facts/1"


class Known(NamedTuple):
    """A system, its answers by question, the record that declares them (None for none), and what was found."""

    system: Subject
    facts: dict[str, object]
    declared: Statement | None
    seen: tuple[Seen, ...]

    def answers(self, book: Book) -> dict[str, object]:
        """Return the answers to the questions of one pack."""
        return {key: value for key, value in self.facts.items() if key in book.facts}


def known(desk: Desk, system: Subject) -> Known:
    """Return what ``desk`` may read of a system, of its answers those said last."""
    declared, facts = declared_facts(desk, system)
    about = (system, *(part for _, part in desk.parts(system)))
    # What a grade says of duties is no evidence for them.
    seen = tuple(
        Seen(entry=each.statement.entry, kind=each.statement.kind, finding=each.finding)
        for subject in about
        for each in desk.findings(subject=subject)
        if each.statement.kind != GRADE
    )
    return Known(system, facts, declared, seen)


def heard(desk: Desk, system: Subject, books: Iterable[Book]) -> Known:
    """Return the same with only those findings that answer a question of some pack; cheaper where there are many systems."""
    declared, facts = declared_facts(desk, system)
    signals = sorted({fact.signal.finding for book in books for fact in book.pack.facts if fact.signal is not None})
    about = (system, *(part for _, part in desk.parts(system))) if signals else ()
    seen = tuple(
        Seen(entry=each.statement.entry, kind=each.statement.kind, finding=each.finding)
        for subject in about
        for prefix in signals
        for each in desk.findings(subject=subject, requirement=prefix)
    )
    return Known(system, facts, declared, seen)


def declared_facts(desk: Desk, system: Subject) -> tuple[Statement | None, dict[str, object]]:
    """Return the newest readable record of a system's answers, and the answers by question."""
    said = [each for each in desk.said(FACTS, subject=system) if each.subject.id == system.id and not gone(each)]
    newest = max(said, key=lambda each: (each.at, each.entry), default=None)
    if newest is None:
        return None, {}
    body: Any = newest.body
    rows = body.get("facts", ()) if isinstance(body, dict) else ()
    return newest, {
        str(each["key"]): each["value"] for each in rows if isinstance(each, dict) and {"key", "value"} <= each.keys()
    }


def named(system: Subject) -> Named:
    """Return a system by its identifier and name."""
    words = system.name or system.id
    return Named(system.id, Text(en=words, zh=words))

"""Grades as people read them: the steps of a scale, the range that is left open, the clauses, and the open questions.

A record carries a grading when its body has its form (``spans`` with the grades still possible, ``rules`` with their
clauses, ``questions`` still open), whatever area said it. The other steps of the scale come from the pack of that name
on the shelf that the reader sees, added packs included; where there is none only the possible ones are shown.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal

import msgspec

from tongqiu.portal.models import Clause, Grade
from tongqiu.portal.reading import gone, graded
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tongqiu.norms.library import Norms
    from tongqiu.norms.pack import Pack
    from tongqiu.portal.lent import Desk, Node
    from tongqiu.record.statement import Statement

    Shelf = Callable[[str], Pack | None]


class _Where(msgspec.Struct, frozen=True):
    """Where a rule is written."""

    document: str
    article: str
    clause: str = ""


class _Rule(msgspec.Struct, frozen=True):
    """A rule that holds or may hold."""

    scale: str
    state: Literal["fired", "possible"]
    title: Text
    reason: Text
    clauses: tuple[_Where, ...] = ()
    aside: bool = False
    pending: bool = False


class _Step(msgspec.Struct, frozen=True):
    """A grade."""

    id: str
    title: Text


class _Span(msgspec.Struct, frozen=True):
    """The grades still possible on one scale, lightest first."""

    scale: str
    title: Text
    state: Literal["graded", "range", "unanswered"]
    grades: tuple[_Step, ...]
    reason: Text | None = None


class _Outcome(msgspec.Struct, frozen=True):
    """The scale on which an answer matters."""

    scale: str


class _Question(msgspec.Struct, frozen=True):
    """A missing answer."""

    question: Text
    outcomes: tuple[_Outcome, ...] = ()


class _Grading(msgspec.Struct, frozen=True):
    """The whole; whatever else the body holds is not read here."""

    pack: str
    spans: tuple[_Span, ...]
    version: str = ""
    rules: tuple[_Rule, ...] = ()
    questions: tuple[_Question, ...] = ()


def shipped(name: str) -> Pack | None:
    """Return a pack that travels with the software, None for another."""
    from tongqiu.norms import library

    return library.book(name).pack if name in library.shipped() else None


def shelf_of(node: Node, desk: Desk) -> Shelf:
    """Return what finds packs by name on the shelf of ``node`` as the reader at ``desk`` sees it; looked up when needed."""
    from tongqiu.node.node import Node as RealNode

    if not isinstance(node, RealNode):
        return shipped

    @functools.cache
    def norms() -> Norms:
        found: Norms = node.snapshot(desk.me).norms
        return found

    return lambda name: norms().pack(name) if name in norms().ids else None


def grades(statements: Iterable[Statement], shelf: Shelf = shipped) -> tuple[Grade, ...]:
    """Return the grades in ``statements``, of each issuer, subject, pack and scale the one said last.

    ``shelf`` finds the packs whose scales are shown whole.
    """
    last: dict[tuple[str, str, str, str], tuple[str, int, Grade]] = {}
    for statement in statements:
        for pack, scale, grade in _read(statement, shelf):
            key = (statement.issuer, statement.subject.id, pack, scale)
            if (statement.at, statement.index) >= last.get(key, ("", -1))[:2]:
                last[key] = (statement.at, statement.index, grade)
    return tuple(grade for _, (_, _, grade) in sorted(last.items(), key=lambda item: item[0]))


def _read(statement: Statement, shelf: Shelf) -> list[tuple[str, str, Grade]]:
    if gone(statement) or not graded(statement.body):
        return []
    try:
        body = msgspec.convert(statement.body, ready(_Grading), strict=True)
    except msgspec.ValidationError:
        return []
    return [(body.pack, span.scale, _grade(statement, body, span, shelf)) for span in body.spans if span.grades]


def _grade(statement: Statement, body: _Grading, span: _Span, shelf: Shelf) -> Grade:
    steps = _steps(shelf, body.pack, span)
    places = [i for i, step in enumerate(steps) if step.id in {each.id for each in span.grades}]
    edition = f"{body.pack} {body.version}".strip()
    rules = sorted((each for each in body.rules if each.scale == span.scale and not each.aside), key=_certain_first)
    return Grade(
        entry=statement.entry,
        scale=Text(en=f"{span.title.en} ({edition})", zh=f"{span.title.zh}（{edition}）"),
        state=span.state,
        steps=tuple(step.title for step in steps),
        low=places[0],
        high=places[-1],
        reason=span.reason,
        clauses=tuple(_clause(each) for each in rules),
        unknown=tuple(
            each.question for each in body.questions if any(outcome.scale == span.scale for outcome in each.outcomes)
        ),
        at=statement.at,
        pack=body.pack,
    )


def _steps(shelf: Shelf, pack: str, span: _Span) -> Sequence[_Step]:
    """Return every step of the scale where the pack is here and knows the possible ones, else those alone."""
    found = shelf(pack)
    scale = None if found is None else next((each for each in found.scales if each.id == span.scale), None)
    known = () if scale is None else scale.grades
    if {each.id for each in span.grades} <= {each.id for each in known}:
        return [_Step(each.id, Text(en=each.title.en, zh=each.title.zh)) for each in known]
    return span.grades


def _certain_first(rule: _Rule) -> bool:
    return rule.state != "fired"


def _clause(rule: _Rule) -> Clause:
    where = "; ".join(f"{each.article}{each.clause} {each.document}" for each in rule.clauses)
    return Clause(where, rule.title, rule.state, rule.reason, rule.pending)

"""What a grade brings: the requirements asked of a system, and which records speak to each, wholly, partly or not at all.

That a record speaks to a duty never means that the duty is fulfilled: that is for people to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from tongqiu.norms.pack import Cite
from tongqiu.norms.succession import former
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.norms.outcome import Grading, Seen
    from tongqiu.norms.pack import Pack, Requirement
    from tongqiu.norms.time import Calendar

Said = Literal["answered", "partly", "unanswered"]
"""Some record speaks to every part of the duty; to some of it; to none."""


class Owed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A requirement that the grade brings, or may bring, and the entries of findings that speak to it.

    ``state`` is ``answered`` when some finding speaks to every part of it, whatever its verdict, ``partly`` when parts
    are left, ``open`` names them, else ``unanswered``. ``asked_of`` are the roles it binds, none meaning all;
    ``by_hand`` says what a person brings where no software can answer.
    """

    requirement: str
    title: Text
    cite: tuple[Cite, ...]
    sure: bool
    pending: bool
    checked: bool
    state: Said
    findings: tuple[str, ...]
    open: tuple[str, ...] = ()
    asked_of: tuple[str, ...] = ()
    by_hand: Text | None = None


class Spoken(NamedTuple):
    """What records say to one requirement: how far, by which entries (sorted), and which parts nothing speaks to."""

    state: Said
    entries: tuple[str, ...]
    open: tuple[str, ...]


def owed(pack: Pack, calendar: Calendar, grading: Grading, findings: Iterable[Seen]) -> tuple[Owed, ...]:
    """Return the requirements of ``pack`` that ``grading`` brings or may bring, with what speaks to each, in file order.

    Only rows that stand on the days of the grading are asked, or will be: one whose place another has taken is not.
    """
    seen = tuple(findings)
    result = []
    for each in pack.requirements:
        sure = _brought(each, grading)
        if sure is None:
            continue
        standing = calendar.row(each, grading.as_of, grading.known_at)
        if not standing.counts:
            continue
        said = spoken(pack, each, seen)
        result.append(
            Owed(
                requirement=each.id,
                title=each.title,
                cite=each.cite,
                sure=sure,
                pending=standing.state == "pending",
                checked=each.checked,
                state=said.state,
                findings=said.entries,
                open=said.open,
                asked_of=each.asked_of,
                by_hand=each.by_hand,
            )
        )
    return tuple(result)


def spoken(pack: Pack, requirement: Requirement, findings: Iterable[Seen]) -> Spoken:
    """Return what ``findings`` say to ``requirement``.

    A finding speaks to it where ``answered_by`` says so, or where it names the requirement itself (``pack:id``) or one
    whose place it took; then it speaks to the whole, unless it names a part (``pack:id/part``). Answers without a part are one part of their own. A finding that says *not
    assessed* speaks to nothing: nobody looked.
    """
    named = tuple(f"{pack.id}:{name}" for name in (requirement.id, *former(pack, requirement.id)))
    parts = requirement.parts
    told: set[str] = set()
    entries: set[str] = set()
    for each in findings:
        if each.finding.verdict == "not-assessed":
            continue
        heard = _heard(requirement, each, named, parts)
        if heard:
            entries.add(each.entry)
            told |= heard
    missing = tuple(part for part in parts if part not in told)
    state: Said = "unanswered" if not entries else "partly" if missing else "answered"
    return Spoken(state, tuple(sorted(entries)), tuple(part for part in missing if part))


def prefixed(name: str, prefix: str) -> bool:
    """Tell whether dotted ``name`` is ``prefix`` or lies below it; the empty prefix takes everything."""
    return not prefix or name == prefix or name.startswith((prefix + ".", prefix + "/", prefix + ":"))


def _heard(requirement: Requirement, seen: Seen, named: tuple[str, ...], parts: tuple[str, ...]) -> set[str]:
    """Return the parts of ``requirement`` to which a finding speaks; the empty name where it speaks to no part by name."""
    about = seen.finding.requirement
    heard = {
        each.part
        for each in requirement.answered_by
        if prefixed(seen.kind, each.kind)
        and (prefixed(about, each.finding) or prefixed(seen.finding.code, each.finding))
    }
    for name in named:
        if prefixed(about, name):
            part = about[len(name) + 1 :]
            heard |= {part} if part and part in parts else {"", *parts}
    return heard


def _brought(requirement: Requirement, grading: Grading) -> bool | None:
    """Return True when the grade or a rule brings the duty for sure, False when it may, None when it does not.

    What is asked of everybody is sure; where it is asked of some roles only, nobody said who plays them.
    """
    if requirement.scale is None and not requirement.rules:
        return not requirement.asked_of
    ways = [each.state == "fired" for each in grading.held if each.rule in requirement.rules and not each.aside]
    if requirement.scale is not None:
        grades = grading.span(requirement.scale).grades
        if set(grades) & set(requirement.grades):
            ways.append(set(grades) <= set(requirement.grades))
    return any(ways) if ways else None

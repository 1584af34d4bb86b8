"""What a rule suggests and a person decides: risks to look at, why, and what somebody set aside and for which reason.

Software suggests, people decide. A suggestion is a record of its own; it becomes a risk when a person takes it up, and goes
when a person sets it aside, with the reason on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tongqiu.practices.grading.keeping import no, own, said_again
from tongqiu.practices.grading.kinds import Clause, Day, Key, Natural
from tongqiu.practices.grading.risks import Line, Short, Title, Told
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence
from tongqiu.record.statement import Instant
from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.record.statement import Said, Statement


class Trace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that points at a risk: what it is about, the record it stands in, and its reason."""

    requirement: Line
    entry: EntryText
    reason: Text


class Suggested(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A risk worth looking at: a row of a taxonomy, and why.

    ``sure`` when its condition holds on the declared facts or a finding points at it; ``possible`` while facts that decide
    it are open. ``read`` are the facts looked at, ``open`` the missing ones. ``checked``: somebody compared the row with the
    document it comes from.
    """

    taxonomy: Short
    row: Line
    state: Literal["sure", "possible"]
    title: Text
    text: Text
    clauses: tuple[Clause, ...]
    checked: bool
    read: dict[str, bool | str | float] = {}
    open: tuple[Key, ...] = ()
    found: tuple[Trace, ...] = ()
    measures: tuple[Text, ...] = ()


class Suggestions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The risks that a rule suggests for one system (``grading.risk-suggestion/1``), sure ones first; ``more`` left out."""

    as_of: Day
    rows: tuple[Suggested, ...]
    more: Natural


class Dismissal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A suggested risk that a person set aside, and why (``grading.dismissal/1``)."""

    taxonomy: Short
    row: Line
    by: Title
    why: Told


class Overdue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing whose time is over."""

    what: Text
    due: Instant


class Reminder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That something is overdue (``grading.reminder/1``): about which record, what, and when the next reminder comes."""

    about: EntryText
    items: tuple[Overdue, ...]
    again_at: Instant


def evidence(body: Suggestions) -> Iterator[Evidence]:
    """Yield how many risks are suggested, sure and possible; a count over the rows, so without uncertainty."""
    for state, title in (
        ("sure", Text(en="Risks suggested", zh="建议关注的风险数")),
        ("possible", Text(en="Risks that open facts may bring", zh="未答事实可能带来的风险数")),
    ):
        count = sum(each.state == state for each in body.rows)
        yield Evidence(
            measure=f"grading.suggested.{state}",
            title=title,
            value=count,
            unit="1",
            method="grading.suggest@1",
            n=len(body.rows),
            basis="claimed",
        )


def holds(body: Suggestions) -> Iterator[str]:
    """Yield the rows that are possible with nothing open, or sure with nothing that says so."""
    for each in body.rows:
        if (each.state == "possible") != (bool(each.open) and not each.found):
            yield f"rows.{each.taxonomy}.{each.row}"


def admit_dismissal(said: Said, thread: Sequence[Statement]) -> None:
    """Admit the first reason for setting a suggestion aside; withdraw it to have the suggestion back. Pure; Refused."""
    if said_again(DISMISSAL, said, thread):
        return
    if own(DISMISSAL, said, thread) and not said.replaces:
        raise no(
            "already-open",
            Text(en="This suggestion was set aside already.", zh="该建议已被搁置。"),
            Text(en="Withdraw that record to have it back.", zh="如需恢复，请撤回该记录。"),
        )


SUGGESTION: Kind[Suggestions] = Kind(
    name="grading.risk-suggestion/1",
    body=Suggestions,
    title=Text(en="Suggested risks", zh="建议关注的风险"),
    evidence=evidence,
    holds=holds,
)
DISMISSAL: Kind[Dismissal] = Kind(
    name="grading.dismissal/1",
    body=Dismissal,
    title=Text(en="Suggestion set aside", zh="建议已搁置"),
    admit="tongqiu.practices.grading.suggestions:admit_dismissal",
)
REMINDER: Kind[Reminder] = Kind(name="grading.reminder/1", body=Reminder, title=Text(en="Overdue", zh="逾期提醒"))

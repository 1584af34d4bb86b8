"""What is recorded of a data set: its shape, gaps, repetitions, groups, languages and identifiers of people.

A profile holds counts, never values that could be a person's: columns with identifiers show no extremes, groups of
fewer than ten show no number, and identifiers appear by kind, country and masked form alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.practices.dataset.words import NAMES, sort_name
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Code, Evidence, Finding
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

Natural = Annotated[int, msgspec.Meta(ge=0)]
Short = Annotated[str, msgspec.Meta(max_length=300)]
ColumnType = Literal["empty", "boolean", "integer", "number", "date", "instant", "category", "text"]

METHOD = "tongqiu.dataset-profile@1"
SMALLEST_CELL = 10
"""Fewest rows from which a group is shown."""


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A count and whether it is exact; an estimate gives the relative standard error where it is known."""

    value: Natural
    exact: bool = True
    relative_error: float | None = None


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column: its type by content, absent values, different values, and extremes where they are nobody's own.

    ``low``, ``high``, ``mean`` and ``sd`` are of numbers; None for other columns and for those that identify people.
    """

    name: Short
    type: ColumnType
    missing: Natural
    distinct: Number
    characters: Natural = 0
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rows that share one value of a declared column; ``gaps`` of them lack a value in some other column."""

    value: Short
    rows: Natural
    gaps: Natural = 0


class Groups(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The groups by one declared column.

    ``hidden`` groups are not shown, neither their values nor their numbers, only together as ``hidden_rows``: those
    below ten rows and those after the fiftieth. ``missing`` rows have no value. ``withheld`` means that the column
    identifies people, holds prose, or holds too many different values to be groups.
    """

    column: Short
    role: Literal["sensitive", "label"]
    shown: tuple[Group, ...] = ()
    hidden: Natural = 0
    hidden_rows: Natural = 0
    missing: Natural = 0
    withheld: bool = False


class Tongue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Texts in one language (RFC 5646, ``und`` undetermined) and script (ISO 15924), of ``looked_at`` in all."""

    language: Short
    script: Short
    texts: Natural


class Identifiers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Identifiers of people of one scheme in one column: how many, in which rows first, what they look like, masked.

    ``ground``: check digits hold, a context word stands beside, or the form alone. ``country`` is empty for schemes
    that are worldwide.
    """

    scheme: Short
    sort: Short
    country: Short
    column: Short
    ground: Literal["checked", "context", "form"]
    count: Natural
    rows: tuple[Natural, ...] = ()
    masked: tuple[Short, ...] = ()


class Repeated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many rows (``column`` empty) or texts of one column repeat an earlier one exactly, among ``of``."""

    column: Short
    of: Natural
    count: Number


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something wrong in the file: how often, in which rows and lines first, and what to do."""

    code: Code
    count: Natural
    what: Text
    do: Text
    rows: tuple[Natural, ...] = ()
    lines: tuple[Natural, ...] = ()


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Keys or passwords of one sort in one column."""

    sort: Short
    column: Short
    count: Natural
    rows: tuple[Natural, ...] = ()


class Completeness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much was looked at: rows read and lost, texts whose language was looked at, and whether the file was read to
    its end.
    """

    read: Natural
    lost: Natural
    texts_for_language: Natural
    whole: bool


class TableProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The profile of one file."""

    path: Short
    format: Literal["csv", "jsonl", "parquet"]
    size: Natural
    rows: Natural
    columns: tuple[Column, ...]
    repeated: tuple[Repeated, ...]
    completeness: Completeness
    groups: tuple[Groups, ...] = ()
    languages: tuple[Tongue, ...] = ()
    personal: tuple[Identifiers, ...] = ()
    secrets: tuple[Secrets, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    more: Natural = 0


class Unread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the data set that could not be profiled, and why."""

    path: Short
    code: Code
    reason: Text


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The profile of a data set, file by file.

    ``left_out`` counts entries of a folder that are no table. ``personal_declared`` is what the owner says: whether the
    data hold identifiers of people.
    """

    tables: tuple[TableProfile, ...]
    method: Short
    detectors: tuple[Short, ...]
    schemes: Natural
    unread: tuple[Unread, ...] = ()
    left_out: Natural = 0
    personal_declared: bool | None = None


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was concluded from a profile."""

    findings: tuple[Finding, ...]


def evidence(body: Profile) -> Iterator[Evidence]:
    """Yield what a profile says as measures; a census of the file, so without sampling uncertainty."""
    for table in body.tables:
        where = {"file": table.path} if len(body.tables) > 1 else {}
        cells = table.rows * len(table.columns)
        missing = sum(column.missing for column in table.columns)
        yield _one("rows", table.rows, where, table.rows)
        yield _one("columns", len(table.columns), where, table.rows)
        yield _one("rows-lost", table.completeness.lost, where, table.rows + table.completeness.lost)
        if cells:
            yield _one("missing-share", missing / cells, where, cells)
        for each in table.repeated:
            name = "repeated-texts" if each.column else "repeated-rows"
            if each.of:
                yield _one(name, min(1.0, each.count.value / each.of), where, each.of)
        yield _one("personal-identifiers", sum(item.count for item in table.personal), where, table.rows)
        for (sort, country), count in sorted(_by_sort(table).items()):
            of = where | {"sort": sort} | ({"country": country} if country else {})
            words = sort_name(sort)
            title = Text(
                en=f"{NAMES['personal-identifiers'].en}: {words.en}",
                zh=f"{NAMES['personal-identifiers'].zh}：{words.zh}",
            )
            yield msgspec.structs.replace(_one("personal-identifiers", count, of, table.rows), title=title)
        yield _one("secrets", sum(item.count for item in table.secrets), where, table.rows)
        if table.completeness.texts_for_language:
            yield _one(
                "languages",
                len({item.language for item in table.languages} - {"und"}),
                where,
                table.completeness.texts_for_language,
            )
        for groups in table.groups:
            for group in groups.shown:
                yield _one("group-rows", group.rows, where | {groups.column: group.value}, table.rows)


def _by_sort(table: TableProfile) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for item in table.personal:
        counts[item.sort, item.country] = counts.get((item.sort, item.country), 0) + item.count
    return counts


def _one(name: str, value: float, group: dict[str, str], n: int) -> Evidence:
    return Evidence(
        measure=f"dataset.{name}", title=NAMES[name], value=value, unit="1", method=METHOD, group=group, n=n
    )


def findings(body: Review) -> tuple[Finding, ...]:
    """Return the findings of a review."""
    return body.findings


def holds(body: Profile) -> Iterator[str]:
    """Yield the names of fields whose numbers cannot be together: parts larger than their whole."""
    for table in body.tables:
        if table.completeness.read != table.rows:
            yield f"{table.path}: rows"
        for column in table.columns:
            if column.missing > table.rows or (column.distinct.exact and column.distinct.value > table.rows):
                yield f"{table.path}: {column.name}"
        for groups in table.groups:
            shown = sum(group.rows for group in groups.shown)
            if not groups.withheld and shown + groups.hidden_rows + groups.missing != table.rows:
                yield f"{table.path}: groups by {groups.column}"
            if any(group.rows < SMALLEST_CELL or group.gaps > group.rows for group in groups.shown):
                yield f"{table.path}: groups by {groups.column}"
        if any(each.count.exact and each.count.value > each.of for each in table.repeated):
            yield f"{table.path}: repeated"


PROFILE = Kind(
    name="dataset.profile/1",
    body=Profile,
    title=Text(en="Profile of a data set", zh="数据集概况"),
    evidence=evidence,
    holds=holds,
)
REVIEW = Kind(
    name="dataset.review/1",
    body=Review,
    title=Text(en="Review of a data set", zh="数据集判定"),
    findings=findings,
)

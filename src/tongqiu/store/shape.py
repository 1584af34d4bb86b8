"""What a registry looks like as a table: one typed column for each of the view's, and four of the house's own.

``_key`` (SHA-256 of the key values), ``_seq`` (log index), ``_entry`` and ``_aud`` say which row it is, which statement it
comes from and who may see it. All statements' rows of one key are kept side by side: which of them is the current one
depends on who looks, so that a confidential newer row neither hides an older public one nor shows itself.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from tongqiu.practice import Drop, Put, load
from tongqiu.record import cbor
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text
from tongqiu.store.schema import Number, entry

if TYPE_CHECKING:
    from tongqiu.practice import Column, View
    from tongqiu.record.statement import Statement

SEARCH = "q"
"""The parameter that searches text columns; no column may have this name."""

BUILDING = "__new"
"""What the name of a table ends in while it is built beside the live one."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_LONGEST = 50
_INT64 = 1 << 63
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts the same wherever it is kept
_LARGEST = sys.float_info.max
_LONGEST_SEARCH = 200
_READ: dict[str, Callable[[str], object]] = {
    "integer": int,
    "real": float,
    "boolean": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
}


class Line(NamedTuple):
    """One row of a view's table before it is written: the key's digest, whether it removes, and the values."""

    key: bytes
    drop: bool
    values: tuple[Any, ...]


def table_of(view: View, *, building: bool = False, token: str = "", unlogged: bool = False) -> sa.Table:
    """Return the table of ``view``, for PostgreSQL one that its log leaves out if ``unlogged``. Raises Malformed (``practice.view``) for names that cannot be columns."""
    names = [column.name for column in view.columns]
    wrong = [name for name in names if not _NAME.match(name) or name == SEARCH]
    if wrong or len(set(names)) != len(names) or not view.key or not set(view.key) <= set(names):
        raise Malformed(
            "practice.view",
            Text(en="The registry {view} has columns or a key that do not fit.", zh="名录 {view} 的列或键不合规定。"),
            do=Text(
                en="Use lower-case letters, digits and _; name each column once; make the key of columns.",
                zh="请用小写字母、数字和下划线；每列只列一次；键须由列组成。",
            ),
            view=view.name,
        )
    name = table_name(view) + (BUILDING if building else "")
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("_key", sa.LargeBinary, primary_key=True),
        sa.Column("_seq", Number, primary_key=True, autoincrement=False),
        sa.Column("_entry", sa.Text, nullable=False),
        sa.Column("_aud", sa.Text, nullable=False),
        sa.Column("_drop", sa.Boolean, nullable=False),
        *(sa.Column(column.name, _type_of(column)) for column in view.columns),
        *([sa.Index(f"{name[:_LONGEST]}_{token[:8]}", "_seq")] if token else []),
        prefixes=["UNLOGGED"] if unlogged else [],
    )


def table_name(view: View) -> str:
    """Return ``v_<name>_<version>``, shortened by a digest where a database could not hold it."""
    name = f"v_{re.sub('[^a-z0-9]', '_', view.name.lower())}_{view.version}"
    if len(name) <= _LONGEST and re.fullmatch(r"[a-z0-9_]+", view.name):
        return name
    return f"{name[: _LONGEST - 9]}_{hashlib.sha256(f'{view.name} {view.version}'.encode()).hexdigest()[:8]}"


def shape_of(view: View) -> str:
    """Return a digest of everything that decides what is in the table; another one means: build it again."""
    columns = [[column.name, column.type] for column in view.columns]
    plain = [view.name, view.version, list(view.reads), columns, list(view.key), view.rows]
    plain += [True] if view.finds else []
    return hashlib.sha256(cbor.dumps(plain)).hexdigest()


def lines_of(view: View, statement: Statement) -> list[Line]:
    """Return what one statement writes into the table, the last word on each key.

    Raises what the view's own function raises, and Malformed (``practice.row``) for rows that are not of its columns.
    """
    found: dict[bytes, Line] = {}
    place = {column.name: at for at, column in enumerate(view.columns)}
    for each in load(view.rows)(statement):
        if isinstance(each, Put):
            if not set(each.values) <= set(place):
                raise _bad_row(view, ", ".join(sorted(set(each.values) - set(place))))
            values = tuple(_checked(view, column, each.values.get(column.name)) for column in view.columns)
            drop = False
        elif isinstance(each, Drop) and len(each.key) == len(view.key):
            given = dict(zip(view.key, each.key, strict=True))
            values = tuple(_checked(view, column, given.get(column.name)) for column in view.columns)
            drop = True
        else:
            raise _bad_row(view, type(each).__name__)
        key = hashlib.sha256(cbor.dumps([values[place[name]] for name in view.key])).digest()
        found[key] = Line(key, drop, values)
    return list(found.values())


def kinds_like(patterns: tuple[str, ...]) -> sa.ColumnElement[bool] | None:
    """Return the condition that ``entry.kind`` is one of ``patterns`` (a name, or ``prefix*``), or None for ``*``."""
    if "*" in patterns:
        return None
    exact = [pattern for pattern in patterns if not pattern.endswith("*")]
    given = [entry.c.kind.startswith(each[:-1], autoescape=True) for each in patterns if each.endswith("*")]
    return sa.or_(entry.c.kind.in_(exact), *given)


def wants(patterns: tuple[str, ...], kind: str) -> bool:
    """Tell whether ``kind`` is one of ``patterns``; an envelope without content (empty kind) never is."""
    return bool(kind) and any(kind == each or (each.endswith("*") and kind.startswith(each[:-1])) for each in patterns)


def given_value(column: Column, value: object) -> object:
    """Return a parameter, perhaps text from an address line, as a value of ``column``. Raises Malformed."""
    found = value
    if isinstance(value, str) and column.type in _READ:
        try:
            found = _READ[column.type](value)
        except (ValueError, KeyError):
            found = None
    if column.type != "json" and (value is None or (kept := _kept(column, found)) is not None):
        return value if value is None else kept
    raise Malformed(
        "query.value",
        Text(en="Not a value of the column {column}: {value}.", zh="不是列 {column} 的值：{value}。"),
        do=Text(en="Give a value of the kind the column holds.", zh="请给出该列类型的值。"),
        column=column.name,
        value=ascii(value)[:80],
    )


def given_words(value: object) -> str:
    """Return a text to be searched for, at most 200 characters, as a database can take it."""
    return str(value)[:_LONGEST_SEARCH].replace("\0", "").encode(errors="ignore").decode()


def _type_of(column: Column) -> Any:  # noqa: ANN401 - a type of SQLAlchemy
    return {
        "text": _TEXT,
        "instant": _TEXT,
        "integer": Number,
        "real": sa.Double(),
        "boolean": sa.Boolean(),
        "json": sa.JSON(none_as_null=True),
    }[column.type]


def _checked(view: View, column: Column, value: object) -> Any:  # noqa: ANN401
    """Return ``value`` as it is kept. Raises Malformed (``practice.row``)."""
    if value is None:
        return None
    kept = _json(value) if column.type == "json" else _kept(column, value)
    if kept is None:
        raise _bad_row(view, column.name)
    return kept


def _kept(column: Column, value: Any) -> Any:  # noqa: ANN401
    """Return a scalar as a column keeps it, or None where it does not fit."""
    kind = column.type
    if kind in {"text", "instant"}:
        fits = _storable(value)
    elif kind == "boolean":
        fits = isinstance(value, bool)
    elif kind == "integer":
        fits = type(value) is int and -_INT64 <= value < _INT64
    else:
        return float(value) if type(value) in {int, float} and abs(value) <= _LARGEST else None
    return value if fits else None


def _storable(value: object) -> bool:
    """Tell whether ``value`` is text that both databases keep: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json(value: object) -> Any:  # noqa: ANN401
    try:
        return json.loads(json.dumps(msgspec.to_builtins(value, str_keys=True), allow_nan=False, sort_keys=True))
    except (TypeError, ValueError, RecursionError):
        return None


def _bad_row(view: View, part: str) -> Malformed:
    return Malformed(
        "practice.row",
        Text(en="A row for the registry {view} does not fit it: {part}.", zh="名录 {view} 的一行不合其列：{part}。"),
        do=Text(en="Tell the authors of the practice.", zh="请告知该领域的作者。"),
        view=view.name,
        part=part[:200],
    )

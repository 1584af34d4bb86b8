"""The same rows that a page shows, as CSV (RFC 4180) that a spreadsheet opens without harm."""

from __future__ import annotations

import csv
import functools
import io
import types
from typing import TYPE_CHECKING, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Sheet(NamedTuple):
    """Column names and rows of plain cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def csv(self) -> bytes:
        """Return the sheet as CSV in UTF-8 with a byte order mark, by which spreadsheets know Chinese from noise.

        A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection).
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(_cell(name) for name in self.columns)
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return out.getvalue().encode("utf-8-sig", errors="replace")


def sheet(form: type[msgspec.Struct], rows: Iterable[msgspec.Struct]) -> Sheet:
    """Return one row for each struct of type ``form``; nested structs become columns joined by ``_``."""
    return Sheet(tuple(_columns(form, "")), tuple(tuple(_cells(form, row)) for row in rows))


def facts(pairs: Iterable[tuple[str, object]]) -> Sheet:
    """Return a sheet of two columns for a page that is a list of facts."""
    return Sheet(("name", "value"), tuple(pairs))


def flatten(value: object, path: str = "", depth: int = 16) -> list[tuple[str, object]]:
    """Return every leaf of maps and lists with its dotted path, in order; deeper than ``depth`` stays JSON."""
    if depth > 0 and isinstance(value, dict) and value:
        return [leaf for key, each in value.items() for leaf in flatten(each, _join(path, str(key)), depth - 1)]
    if depth > 0 and isinstance(value, list | tuple) and value:
        return [leaf for i, each in enumerate(value) for leaf in flatten(each, _join(path, str(i)), depth - 1)]
    return [(path, value)]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _columns(form: type[msgspec.Struct], prefix: str) -> list[str]:
    names: list[str] = []
    for name, kind in _fields(form):
        nested = _nested(kind)
        names += [prefix + name] if nested is None else _columns(nested, f"{prefix}{name}_")
    return names


def _cells(form: type[msgspec.Struct], row: object) -> list[Any]:
    cells: list[Any] = []
    for name, kind in _fields(form):
        value = None if row is None else getattr(row, name)
        nested = _nested(kind)
        cells += [value] if nested is None else _cells(nested, value)
    return cells


@functools.cache
def _fields(form: type[msgspec.Struct]) -> Sequence[tuple[str, Any]]:
    """Return name and annotation of each field; worked out once, because every row of every table asks."""
    hints = get_type_hints(form)
    return [(field.name, hints[field.name]) for field in msgspec.structs.fields(form)]


def _nested(kind: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - any annotation
    options = get_args(kind) if get_origin(kind) in {Union, types.UnionType} else (kind,)
    for option in options:
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if not isinstance(value, str):
        value = msgspec.json.encode(value).decode()
    return "'" + value if value.startswith(_DANGEROUS) else value


def of_any(model: object) -> Sheet:
    """Return the rows of a practice's own page: its first field that lists structs, else every leaf as a fact."""
    if isinstance(model, msgspec.Struct):
        for name, _ in _fields(type(model)):
            value = getattr(model, name)
            if isinstance(value, list | tuple) and value and all(isinstance(each, msgspec.Struct) for each in value):
                return sheet(type(value[0]), value)
    return facts(flatten(msgspec.to_builtins(model, str_keys=True)))

"""Rows on their way out of a table, whatever format they came from: fields as text, absent values empty."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Batch(NamedTuple):
    """Rows in order and, beside each, its row number; every row is as long as the columns known when it was read."""

    numbers: list[int] | range
    rows: list[list[str]]


def text_of(value: object) -> str:
    """Return a decoded value as the text of a field: absent and null are empty, nested values are JSON."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is int or type(value) is float:
        return repr(value)
    return msgspec.json.encode(value, enc_hook=str).decode()

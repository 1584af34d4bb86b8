"""Opening what another tool wrote, as a hostile file: how large, how deep and how many are bounded before anything is kept.

Text in such a file is only ever shown (:func:`line`); numbers that are none (NaN, infinities) count as not told.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

import msgspec

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

MAX_FILE: Final = 512 << 20
"""Largest file, in bytes."""

MAX_JSON: Final = 256 << 20
"""Largest single JSON document."""

MAX_LINE: Final = 32 << 20
"""Longest line of a file of JSON lines."""

MAX_ITEMS: Final = 50_000
"""Most scores of one method; with short names of items a record still has room for them."""

MAX_METHODS: Final = 200
"""Most methods that one file or folder may tell of."""

_ID: Final = 48
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*\Z")
_SLUG = re.compile(r"[^a-z0-9]+")
_CONSTANTS = (b"NaN", b"Infinity")


def whole(stream: BinaryIO, where: str, most: int = MAX_JSON) -> bytes:
    """Return all bytes of ``stream``. Raises Malformed (``imports.large``) beyond ``most``."""
    data = stream.read(most + 1)
    if len(data) > most:
        raise large(where, most)
    return data


def lines(stream: BinaryIO, where: str) -> Iterator[tuple[int, bytes]]:
    """Yield number (from 1) and bytes of every line that is not empty.

    Raises Malformed (``imports.large``) for a line or file that is too long.
    """
    read = 0
    for number in range(1, MAX_FILE):
        data = stream.readline(MAX_LINE + 1)
        if not data:
            return
        read += len(data)
        if len(data) > MAX_LINE or read > MAX_FILE:
            raise large(f"{where}:{number}", MAX_LINE if len(data) > MAX_LINE else MAX_FILE)
        if data.strip():
            yield number, data


def decode(data: bytes, form: type[T], where: str) -> T:
    """Return the value of type ``form`` that a JSON document holds; ``NaN`` and infinities are read as null.

    Raises Malformed: ``imports.damaged`` for what is no JSON or nested too deep, ``imports.form`` for another form.
    """
    try:
        try:
            return msgspec.json.decode(data, type=form)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            if not any(each in data for each in _CONSTANTS):
                raise
            # Python's own writer puts NaN where JSON has no number; its reader alone takes it back.
            plain = json.loads(data, parse_constant=lambda _: None)
            return msgspec.json.decode(msgspec.json.encode(plain), type=form)
    except msgspec.ValidationError as error:
        raise Malformed(
            "imports.form",
            Text(en="A part of the file has an unexpected form: {error}.", zh="文件中有一处形式不符：{error}。"),
            do=Text(
                en="Give the file as the other tool wrote it, in a version that the guide names.",
                zh="请提供该工具原样写出的文件，其版本须在指南所列之内。",
            ),
            where=where,
            error=line(str(error), 200),
        ) from error
    except (msgspec.DecodeError, msgspec.EncodeError, ValueError, RecursionError, OverflowError) as error:
        raise damaged(where, str(error)) from error


def damaged(where: str, why: str) -> Malformed:
    """Return the fault for a file that cannot be read."""
    return Malformed(
        "imports.damaged",
        Text(en="The file is damaged, or was made to mislead: {why}.", zh="文件已损坏或被做了手脚：{why}。"),
        do=Text(en="Get it again from whoever ran the test.", zh="请向测试的执行者重新索取。"),
        where=where,
        why=line(why, 200),
    )


def large(where: str, most: int) -> Malformed:
    """Return the fault for more bytes than are read."""
    return Malformed(
        "imports.large",
        Text(en="More than {most} MiB are not read.", zh="超过 {most} MiB 的内容不予读取。"),
        do=Text(en="Give the run in several smaller files.", zh="请把该次运行分成几个较小的文件。"),
        where=where,
        most=max(1, most >> 20),
    )


def many(where: str, most: int) -> Malformed:
    """Return the fault for more items, methods or members than are read."""
    return Malformed(
        "imports.many",
        Text(en="The file tells of more than {most} of one thing.", zh="文件中同类内容超过 {most} 项。"),
        do=Text(en="Give the run in several smaller files.", zh="请把该次运行分成几个较小的文件。"),
        where=where,
        most=most,
    )


def twice(where: str, item: str) -> Malformed:
    """Return the fault for two scores of one item."""
    return Malformed(
        "imports.twice",
        Text(en="The file scores one item twice: {item}.", zh="文件对同一条目评分两次：{item}。"),
        do=Text(
            en="Give the file as the other tool wrote it; do not join files.",
            zh="请提供工具原样写出的文件，勿自行合并。",
        ),
        where=where,
        item=line(item, 80),
    )


def line(words: object, most: int = 200) -> str:
    """Return ``words`` as one line of at most ``most`` characters in which nothing is obeyed."""
    shown = inert(str(words)[: most + 1], one_line=True)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def name(words: object, most: int = 200) -> str:
    """Return ``words`` as a name that is not empty."""
    return line(words, most) if str(words).strip() else "?"


def item_id(value: object) -> str:
    """Return the name of an item: its own where it is short and plain, else a digest of it."""
    text = str(value)
    if len(text) <= _ID and _PLAIN.match(text):
        return text
    return "x" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:23]


def slug(text: str, most: int = 60) -> str:
    """Return ``text`` as part of a dotted name; where letters were lost, a short digest keeps names apart."""
    plain = _SLUG.sub("-", text.lower()).strip("-")[:most].strip("-")
    if plain and len(plain) == len(text) and text.isascii():
        return plain
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{plain}-{mark}".strip("-")


def number(value: object) -> float | None:
    """Return a finite number (truth values are 0 and 1), or None for anything else."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            value = float(value[:40])
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def share(value: object) -> float | None:
    """Return a number from 0 to 1, or None for anything else."""
    found = number(value)
    return found if found is not None and 0 <= found <= 1 else None


def count(value: object) -> int:
    """Return a whole number from 0 to a thousand million, 0 for anything else."""
    found = number(value)
    return 0 if found is None else int(min(max(found, 0), 1_000_000_000))


def table(value: object) -> dict[str, Any]:
    """Return ``value`` where it is a table by name, else an empty one."""
    return value if isinstance(value, dict) else {}


__all__ = [
    "MAX_FILE",
    "MAX_ITEMS",
    "MAX_JSON",
    "MAX_LINE",
    "MAX_METHODS",
    "count",
    "damaged",
    "decode",
    "item_id",
    "large",
    "line",
    "lines",
    "many",
    "name",
    "number",
    "share",
    "slug",
    "table",
    "twice",
    "whole",
]

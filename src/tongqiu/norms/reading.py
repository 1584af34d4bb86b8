"""Reading a pack file: strict, and precise about what is wrong and on which line.

An unknown key is refused and the nearest known one is named; a rule may read only declared facts; every grade, source
and scale that a row names must exist. Nothing is guessed. :func:`read` stops at the first fault; :func:`faults` goes on
and returns every fault that can be told apart from the ones before it.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.norms.checks import check
from tongqiu.norms.form import MAX_ROWS, MEND, Enough, Reader, nearest, number
from tongqiu.norms.lines import index
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.norms.pack import Pack
    from tongqiu.norms.rules import Table

MAX_BYTES = 2 * 1024 * 1024
"""Longest pack file, in bytes."""

MOST_FAULTS = 50
"""Most faults told at once."""

_SYNTAX = re.compile(r"at line (\d+)")


def read(data: bytes, *, where: str = "") -> Pack:
    """Return the pack that ``data`` (TOML, UTF-8, at most :data:`MAX_BYTES`) holds, checked from end to end.

    ``where`` names the file in faults. Raises Malformed (``norms.pack.*``, ``norms.fact.*``, ``norms.rule.*``,
    ``norms.group.*``, ``norms.requirement.*``) with ``file:line``.
    """
    return read_with_tables(data, where=where)[0]


def read_with_tables(data: bytes, *, where: str = "") -> tuple[Pack, dict[str, Table]]:
    """Return the pack as :func:`read` does, and the truth table of every rule by its id."""
    found: list[Malformed] = []
    result = _read(data, where, found, limit=1)
    if result is None:
        raise found[0]
    return result


def faults(data: bytes, *, where: str = "", most: int = MOST_FAULTS) -> tuple[Malformed, ...]:
    """Return what is wrong with a pack file, by line, at most ``most`` faults; nothing for a file that :func:`read` takes.

    A row that does not fit the format is left out of what is looked at next, but may be named by others. A file that is
    not TOML, or whose head does not fit, has faults of that sort only.
    """
    found: list[Malformed] = []
    _read(data, where, found, limit=most)
    return tuple(sorted(found, key=lambda each: int(each.values.get("line", "0"))))


def _read(data: bytes, where: str, found: list[Malformed], *, limit: int) -> tuple[Pack, dict[str, Table]] | None:
    """Return the pack and its tables, or None and in ``found`` why not, at most ``limit`` reasons."""
    try:
        text, tree = _parse(data, where)
    except Malformed as fault:
        found.append(fault)
        return None
    reader = Reader(index(text), where, found, limit)
    try:
        pack = reader.pack(tree)
        if pack is None:
            return None
        tables = check(pack, reader)
    except Enough:
        return None
    if found:
        return None
    return msgspec.structs.replace(pack, digest="sha-256:" + hashlib.sha256(data).hexdigest()), tables


def _parse(data: bytes, where: str) -> tuple[str, dict[str, Any]]:
    if len(data) > MAX_BYTES:
        raise Malformed(
            "norms.pack.size",
            Text(
                en="A pack may have {limit} bytes; this one has {size}.",
                zh="规范包最多 {limit} 字节，此文件有 {size} 字节。",
            ),
            do=Text(en="Split it into several packs.", zh="请拆成几个规范包。"),
            where=where,
            limit=MAX_BYTES,
            size=len(data),
        )
    try:
        text = data.decode()
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        line, why = data[: error.start].count(b"\n") + 1, "not UTF-8"
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _SYNTAX.search(str(error))
        line, why = int(place[1]) if place else 1, str(error)[:200]
    raise Malformed(
        "norms.pack.syntax",
        Text(en="Line {line} is not TOML: {why}.", zh="第 {line} 行不是 TOML：{why}。"),
        do=MEND,
        where=f"{where}:{line}",
        line=line,
        why=why,
    )


__all__ = ["MAX_BYTES", "MAX_ROWS", "MOST_FAULTS", "faults", "nearest", "number", "read", "read_with_tables"]

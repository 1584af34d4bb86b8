"""Splitting delimited text into records by RFC 4180, strictly where it matters and saying where it does not hold.

Most text has no quotation marks, or well-formed ones: those pieces go through compiled code in one step. Only a piece
where something is odd is taken apart character by character, with the line of every record known.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.scan.streams import Limits, Piece, bad

if TYPE_CHECKING:
    from collections.abc import Iterator

DELIMITERS = (",", "\t", ";", "|")


class Record(NamedTuple):
    """One record: its fields, its first and last line, and whether text follows a closing quotation mark."""

    fields: list[str]
    line: int
    last: int
    loose: bool


class Batch(NamedTuple):
    """Records in order: either ``rows`` alone, all as wide as the header and without any oddity, or ``records``."""

    rows: list[list[str]]
    records: list[Record]


class Splitter:
    """Turns pieces of text into batches of records; holds at most one open record between pieces."""

    def __init__(self, delimiter: str, *, where: str, limits: Limits) -> None:
        """Split at ``delimiter``; ``where`` names the file in messages."""
        self._delimiter = delimiter
        self._where = where
        self._limits = limits
        self._rest = ""
        self._rest_line = 1

    def feed(self, piece: Piece, width: int) -> Batch:
        """Return the records that ``piece`` completes; ``width`` is the number of columns (0 when not yet known)."""
        if self._rest:
            text, line = self._rest + piece.text, self._rest_line
        else:
            text, line = piece.text, piece.line
        self._rest = ""
        if width and not piece.bad_bytes and not piece.nul:
            rows, used = _quick(text, self._delimiter, width)
            if rows is not None:
                self._hold(text[used:], line + text.count("\n", 0, used))
                return Batch(rows, [])
        records: list[Record] = []
        at = 0
        for record, end in self._slow(text, line, final=False):
            records.append(record)
            at = end
        following = records[-1].last + 1 if records else line
        self._hold(text[at:], following)
        return Batch([], records)

    def first(self, pieces: Iterator[Piece]) -> tuple[Record, Piece]:
        """Return the first record that is not blank, and what follows it of the pieces that were taken for it.

        There is one in ``pieces``. Raises Malformed for one that is too long or whose quotation mark stays open.
        """
        text, line = "", 1
        bad_bytes: frozenset[int] = frozenset()
        nul: frozenset[int] = frozenset()
        for piece in pieces:
            text, line = text + piece.text, line if text else piece.line
            bad_bytes, nul = bad_bytes | piece.bad_bytes, nul | piece.nul
            for record, at in self._slow(text, line, final=False):
                if record.fields != [""]:
                    return record, Piece(text[at:], record.last + 1, bad_bytes, nul)
            if len(text) > self._limits.line + len(piece.text):
                raise bad("table.quote-open", self._where, line=line)
        record = next(record for record, _ in self._slow(text, line, final=True) if record.fields != [""])
        return record, Piece("", record.last + 1, bad_bytes, nul)

    def close(self) -> list[Record]:
        """Return the last record when the file does not end with a line end. Raises ``table.quote-open``."""
        text, self._rest = self._rest, ""
        return [record for record, _ in self._slow(text, self._rest_line, final=True)]

    def _hold(self, rest: str, line: int) -> None:
        if len(rest) > self._limits.line:
            code = "table.quote-open" if "\n" in rest else "table.line"
            raise bad(code, self._where, line=line, limit=self._limits.line)
        self._rest, self._rest_line = rest, line

    def _slow(self, text: str, line: int, *, final: bool) -> Iterator[tuple[Record, int]]:
        """Yield each complete record of ``text`` with the offset after it; an open one is left for later."""
        at, end = 0, len(text)
        while at < end:
            found = self._record(text, at, line, final=final)
            if found is None:
                return
            record, at = found
            line = record.last + 1
            yield record, at

    def _record(self, text: str, at: int, line: int, *, final: bool) -> tuple[Record, int] | None:
        """Return the record that starts at ``at`` and where the next begins; None when it is not complete yet."""
        stop = text.find("\n", at)
        if stop < 0 and not final:
            return None
        stop = len(text) if stop < 0 else stop
        if text.find('"', at, stop) < 0:
            body = text[at:stop].removesuffix("\r")
            return Record(body.split(self._delimiter), line, line, loose=False), stop + 1
        fields: list[str] = []
        loose = False
        position = at
        while True:
            quoted_field = text.startswith('"', position)
            if quoted_field:
                quoted = _quoted(text, position)
                if quoted is None:
                    if final:
                        raise bad("table.quote-open", self._where, line=line)
                    return None
                value, position = quoted
            else:
                value = ""
            tail, position, ended = self._tail(text, position)
            if ended is None and not final:
                return None
            loose = loose or (quoted_field and bool(tail))
            fields.append(value + tail)
            if len(fields) > self._limits.columns:
                raise bad("table.columns", self._where, limit=self._limits.columns)
            if ended is not False:
                break
        last = line + text.count("\n", at, max(at, position - 1))
        return Record(fields, line, last, loose), position

    def _tail(self, text: str, position: int) -> tuple[str, int, bool | None]:
        """Return the unquoted rest of a field, where the next begins, and whether the record ended (None: no line end)."""
        line_end = text.find("\n", position)
        stop = len(text) if line_end < 0 else line_end
        cut = text.find(self._delimiter, position, stop)
        if cut >= 0:
            return text[position:cut], cut + 1, False
        return text[position:stop].removesuffix("\r"), stop + 1, None if line_end < 0 else True


def sniff(sample: str) -> str:
    """Return the delimiter of ``sample``, the head of a table: the one that cuts the most fields the same way on each line.

    Only comma, tab, semicolon and vertical bar are considered; a table of one column gets a comma.
    """
    best, best_score = ",", (0.0, 0)
    lines = [line for line in sample.split("\n")[:50] if line.strip()]
    for delimiter in DELIMITERS:
        widths = [len(_bare(line).split(delimiter)) for line in lines]
        if not widths or widths[0] < 2:  # noqa: PLR2004 - one field means that the delimiter is not there
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _bare(line: str) -> str:
    """Return the line without what stands between quotation marks."""
    return "".join(line.split('"')[::2])


def _quoted(text: str, position: int) -> tuple[str, int] | None:
    """Return the value of the quoted field that starts at ``position`` and where it ends; None when it is open."""
    start = position + 1
    search = start
    while True:
        close = text.find('"', search)
        if close < 0:
            return None
        if text.startswith('"', close + 1):
            search = close + 2
            continue
        return text[start:close].replace('""', '"'), close + 1


def _quick(text: str, delimiter: str, width: int) -> tuple[list[list[str]] | None, int]:
    """Return the records of ``text`` and the characters used, or None when anything in it is odd.

    Odd means: a record of another width, an empty line, or a quotation mark that the strict reader refuses. What is
    returned is exactly what the careful reader would return (a property test says so).
    """
    used = text.rfind("\n") + 1
    if not used:
        return None, 0
    quotes = text.count('"', 0, used)
    if not quotes:
        body = text[: used - 1]
        if "\r" in body or text.startswith("\r\n", used - 2):
            body = body.replace("\r\n", "\n").removesuffix("\r")
        rows = [line.split(delimiter) for line in body.split("\n")]
    else:
        if quotes % 2:
            used = _even_cut(text, used)
        head = text[:used]
        # The compiled reader takes several CR before LF as one line end; the careful one below does not.
        if not used or "\r\r" in head:
            return None, 0
        try:
            rows = list(csv.reader(io.StringIO(head, newline="\n"), delimiter=delimiter, strict=True))
        except csv.Error:
            return None, 0
    if set(map(len, rows)) != {width}:
        return None, 0
    return rows, used


def _even_cut(text: str, used: int) -> int:
    """Return the last line end before ``used`` with an even number of quotation marks before it (0 when far away)."""
    marks = 0
    for _ in range(64):
        before = text.rfind("\n", 0, used - 1) + 1
        marks += text.count('"', before, used)
        used = before
        if marks % 2 or not used:
            break
    return used

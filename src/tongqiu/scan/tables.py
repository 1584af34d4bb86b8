"""Reading a table of unknown origin row by row: CSV, JSON lines or Parquet, in constant memory, losing nothing silently.

A row that cannot be read is counted and its place noted; the reading goes on. Only what makes the whole table
unreadable (no content, a line without end, a bomb) is a fault. Fields are text: ``""`` stands for an absent value.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, Protocol, Self

import msgspec

from tongqiu.record.text import Text
from tongqiu.scan import tree
from tongqiu.scan.records import Record, Splitter, sniff
from tongqiu.scan.rows import Batch, text_of
from tongqiu.scan.streams import LIMITS, Limits, Lines, Piece, bad

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["LIMITS", "Batch", "Limits", "Place", "Problem", "Problems", "Table", "open_table"]

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")


class Place(NamedTuple):
    """Where a problem is: the row (1 is the first after the header; 0 the header) and the line of the file (0: none)."""

    row: int
    line: int


class Problem(msgspec.Struct, frozen=True):
    """One kind of trouble in a table: how often, the first places, what it is and what to do."""

    code: str
    count: int
    places: tuple[Place, ...]
    what: Text
    do: Text


_PROBLEMS: dict[str, tuple[Text, Text]] = {
    "table.ragged": (
        Text(en="{count} rows do not have as many fields as the header and were left out (first: {places}).", zh="{count} 行的字段数与表头不符，已略过（首处：{places}）。"),
        Text(en="Quote fields that hold the delimiter, or fill the missing fields.", zh="请为含分隔符的字段加引号，或补齐缺失字段。"),
    ),
    "table.bytes": (
        Text(en="{count} rows hold bytes that are not text in the encoding of the file; the bytes were replaced (first: {places}).", zh="{count} 行含有不符合文件编码的字节，已替换（首处：{places}）。"),
        Text(en="Save the file as UTF-8, or declare its encoding.", zh="请另存为 UTF-8，或声明其编码。"),
    ),
    "table.nul": (
        Text(en="{count} rows hold NUL characters; they were replaced (first: {places}).", zh="{count} 行含有 NUL 字符，已替换（首处：{places}）。"),
        Text(en="Export the table again without NUL characters.", zh="请重新导出不含 NUL 字符的表格。"),
    ),
    "table.quote": (
        Text(en="{count} rows have text after a closing quotation mark (first: {places}).", zh="{count} 行在闭合引号之后还有文本（首处：{places}）。"),
        Text(en="Double the quotation marks inside quoted fields.", zh="字段内的引号请写成两个。"),
    ),
    "table.header-twice": (
        Text(en="{count} column names appear more than once; later ones were numbered.", zh="{count} 个列名重复，后出现者已加编号。"),
        Text(en="Give every column its own name.", zh="请为每一列取不同的名称。"),
    ),
    "table.header-empty": (
        Text(en="{count} columns have no name; they were numbered.", zh="{count} 列没有列名，已加编号。"),
        Text(en="Give every column a name.", zh="请为每一列命名。"),
    ),
    "table.json": (
        Text(en="{count} lines are not one JSON object each and were left out (first: {places}).", zh="{count} 行不是单个 JSON 对象，已略过（首处：{places}）。"),
        Text(en="Write one JSON object a line.", zh="请每行写一个 JSON 对象。"),
    ),
    "table.json-deep": (
        Text(en="{count} lines are nested too deeply and were left out (first: {places}).", zh="{count} 行嵌套过深，已略过（首处：{places}）。"),
        Text(en="Flatten the nested values.", zh="请展开嵌套的值。"),
    ),
    "table.truncated": (
        Text(en="The packed file ends too early; only what came before was read.", zh="压缩文件提前结束，仅读取了此前的内容。"),
        Text(en="Get the file again from its source.", zh="请从来源重新获取该文件。"),
    ),
    "table.corrupt": (
        Text(en="The packed file is damaged; only what came before was read.", zh="压缩文件已损坏，仅读取了此前的内容。"),
        Text(en="Get the file again from its source.", zh="请从来源重新获取该文件。"),
    ),
}  # fmt: skip

LOSING = frozenset({"table.ragged", "table.json", "table.json-deep", "table.truncated", "table.corrupt"})
"""Problems after which some row of the file is not among the rows given."""


class Problems:
    """A tally of what was wrong, bounded in memory: counts in full, places up to a limit."""

    def __init__(self, places: int) -> None:
        """Keep at most ``places`` places of each problem."""
        self._limit = places
        self._counts: dict[str, int] = {}
        self._places: dict[str, list[Place]] = {}

    def add(self, code: str, row: int, line: int) -> None:
        """Count one problem ``code`` at this row and line."""
        self._counts[code] = self._counts.get(code, 0) + 1
        kept = self._places.setdefault(code, [])
        if len(kept) < self._limit:
            kept.append(Place(row, line))

    def all(self) -> tuple[Problem, ...]:
        """Return the problems so far, by code."""
        return tuple(self._one(code) for code in sorted(self._counts))

    @property
    def lost(self) -> int:
        """Return how many rows are known to have been left out (a truncated file counts as one)."""
        return sum(count for code, count in self._counts.items() if code in LOSING)

    def _one(self, code: str) -> Problem:
        what, do = _PROBLEMS[code]
        count, places = self._counts[code], tuple(self._places[code])
        first = places[:3]
        en = "; ".join(f"row {place.row}, line {place.line}" for place in first)
        zh = "；".join(f"数据第 {place.row} 行（文件第 {place.line} 行）" for place in first)
        filled = Text(en=what.fill(count=count, places=en).en, zh=what.fill(count=count, places=zh).zh)
        return Problem(code, count, places, filled, do)


class Source(Protocol):
    """What reads one format: columns (which may grow), batches, and how far it has come in bytes of the file."""

    columns: list[str]

    def batches(self) -> Iterator[Batch]:
        """Yield the rows once, in order."""
        ...

    @property
    def read(self) -> int:
        """Return the bytes of the file that were consumed."""
        ...


class Table:
    """A table being read: ``columns``, ``rows`` to iterate once, and ``problems`` as they are met. Close it after use.

    The columns of JSON lines grow when a later line brings a new key; earlier rows are then shorter, and what they do
    not hold is absent.
    """

    def __init__(self, source: Source, problems: Problems, stream: BinaryIO | None, format_: Format, size: int) -> None:
        """Use :func:`open_table`."""
        self._source = source
        self._stream = stream
        self.problems = problems
        self.format = format_
        self.size = size
        """Length of the file in bytes, 0 when it is a stream."""

    @property
    def columns(self) -> list[str]:
        """Return the column names, each once and none empty."""
        return self._source.columns

    @property
    def read(self) -> int:
        """Return the bytes of the file read so far, for progress."""
        return self._source.read

    @property
    def rows(self) -> Iterator[list[str]]:
        """Yield every readable row; raises Malformed where the table cannot be read any further."""
        for batch in self.batches():
            yield from batch.rows

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in batches of some thousand (faster than one by one), with their numbers."""
        yield from self._source.batches()

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()

    def __enter__(self) -> Self:
        """Return the table itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


def open_table(
    source: str | Path | BinaryIO,
    *,
    limits: Limits = LIMITS,
    format: str = "auto",  # noqa: A002 - the word of the manifest
    encoding: str = "auto",
    name: str = "",
) -> Table:
    """Open a table for reading: a path (from :func:`tongqiu.scan.tree.resolve`) or a binary stream.

    ``format`` is ``csv`` (delimiter found among comma, tab, semicolon and bar), ``jsonl``, ``parquet`` or ``auto`` (by
    ending and content); gzip is unpacked within ``limits``. ``encoding`` is ``auto`` (byte-order mark, else UTF-8) or
    ``gb18030``. ``name`` is shown in messages instead of the path.

    Raises Malformed: ``table.empty``, ``table.binary``, ``table.packed``, ``table.line``, ``table.columns``,
    ``table.newline``, ``table.json-array``, ``table.format``, ``table.encoding-unknown``, ``table.gzip``,
    ``table.bomb``, ``table.parquet``; Missing: ``path.missing``, ``table.zstd``, ``table.parquet-extra``; what
    :func:`tongqiu.scan.tree.open_regular` raises. Iterating may raise ``table.line``, ``table.bomb``,
    ``table.quote-open``.
    """
    if format not in {"auto", *FORMATS}:
        raise bad("table.format", name, given=format[:40])
    path = Path(source) if isinstance(source, str | Path) else None
    where = name or (tree.shown(str(path)) if path is not None else "")
    stream = tree.open_regular(path) if path is not None else None
    try:
        return _open(stream or source, path, _Wish(where, limits, format, encoding))  # type: ignore[arg-type]
    except BaseException:
        if stream is not None:
            stream.close()
        raise


class _Wish(NamedTuple):
    """What the caller asked for."""

    where: str
    limits: Limits
    form: str
    encoding: str


def _open(stream: BinaryIO, path: Path | None, wish: _Wish) -> Table:
    where, limits, form, encoding = wish
    problems = Problems(limits.places)
    size = path.stat().st_size if path is not None else 0
    ending = (path.name if path is not None else where).lower().removesuffix(".gz").rpartition(".")[2]
    if form == "parquet" or (form == "auto" and ending in {"parquet", "pq"}):
        from tongqiu.scan.parquet import Parquet

        return Table(Parquet(path or stream, where=where, limits=limits), problems, stream, "parquet", size)
    lines = Lines(stream, where=where, limits=limits, encoding=encoding)
    pieces = lines.pieces()
    first = next(pieces, None)
    while first is not None and not first.text.strip("\r\n \t\ufeff"):
        first = next(pieces, None)
    if first is None:
        raise bad("table.gzip" if lines.broken else "table.empty", where)
    reading = _Reading(first, pieces, lines, problems, where, limits)
    objects = ending in {"jsonl", "ndjson", "json"} or first.text.lstrip().startswith("{")
    if form == "jsonl" or (form == "auto" and objects):
        return Table(_Objects(reading), problems, stream, "jsonl", size)
    return Table(_Delimited(reading), problems, stream, "csv", size)


class _Reading(NamedTuple):
    """The parts of one reading of a text table."""

    first: Piece
    pieces: Iterator[Piece]
    lines: Lines
    problems: Problems
    where: str
    limits: Limits


class _Delimited:
    """Rows of a delimited table."""

    def __init__(self, reading: _Reading) -> None:
        first, where, limits, problems = reading.first, reading.where, reading.limits, reading.problems
        self._lines = reading.lines
        self._problems = problems
        self._bad_bytes: set[int] = set()
        self._nul: set[int] = set()
        self._row = 0
        if "\n" not in first.text and "\r" in first.text.rstrip("\r"):
            raise bad("table.newline", where)
        self.delimiter = sniff(first.text[:65536])
        self._splitter = Splitter(self.delimiter, where=where, limits=limits)
        header, rest = self._splitter.first(itertools.chain((first,), reading.pieces))
        self._pieces = itertools.chain((rest,) if rest.text else (), reading.pieces)
        if len(header.fields) > limits.columns:
            raise bad("table.columns", where, limit=limits.columns)
        self.columns = _names(header, problems)

    @property
    def read(self) -> int:
        return self._lines.read

    def batches(self) -> Iterator[Batch]:
        width = len(self.columns)
        for piece in self._pieces:
            self._note(piece)
            got = self._splitter.feed(piece, width)
            if got.rows:
                start = self._row + 1
                self._row += len(got.rows)
                yield Batch(range(start, self._row + 1), got.rows)
            elif got.records:
                yield self._checked(got.records)
        last = self._splitter.close()
        if last:
            yield self._checked(last)
        if self._lines.broken:
            self._problems.add(self._lines.broken, self._row, 0)

    def _note(self, piece: Piece) -> None:
        self._bad_bytes |= piece.bad_bytes
        self._nul |= piece.nul

    def _checked(self, records: list[Record]) -> Batch:
        """Return the rows that fit the header, noting every other and every oddity."""
        numbers: list[int] = []
        rows: list[list[str]] = []
        width = len(self.columns)
        for record in records:
            if width > 1 and _blank(record):
                continue
            self._row += 1
            if record.loose:
                self._problems.add("table.quote", self._row, record.line)
            if self._bad_bytes and not self._bad_bytes.isdisjoint(range(record.line, record.last + 1)):
                self._problems.add("table.bytes", self._row, record.line)
            if self._nul and not self._nul.isdisjoint(range(record.line, record.last + 1)):
                self._problems.add("table.nul", self._row, record.line)
            if len(record.fields) != width:
                self._problems.add("table.ragged", self._row, record.line)
                continue
            numbers.append(self._row)
            rows.append(record.fields)
        if records:
            end = records[-1].last
            self._bad_bytes = {line for line in self._bad_bytes if line > end}
            self._nul = {line for line in self._nul if line > end}
        return Batch(numbers, rows)


class _Objects:
    """Rows of JSON lines (one object a line)."""

    def __init__(self, reading: _Reading) -> None:
        first, where, limits, problems = reading.first, reading.where, reading.limits, reading.problems
        self._pieces = reading.pieces
        self._lines = reading.lines
        self._problems = problems
        self._where = where
        self._limits = limits
        self._row = 0
        self._places: dict[str, int] = {}
        self._taken: set[str] = set()
        self.columns: list[str] = []
        self._decode = msgspec.json.Decoder().decode
        if first.text.lstrip().startswith("["):
            raise bad("table.json-array", where)
        self._ready = self._batch(first)

    @property
    def read(self) -> int:
        return self._lines.read

    def batches(self) -> Iterator[Batch]:
        if self._ready.rows:
            yield self._ready
        for piece in self._pieces:
            batch = self._batch(piece)
            if batch.rows:
                yield batch
        if self._lines.broken:
            self._problems.add(self._lines.broken, self._row, 0)

    def _batch(self, piece: Piece) -> Batch:
        numbers: list[int] = []
        rows: list[list[str]] = []
        for line, text in enumerate(piece.text.split("\n"), piece.line):
            if not text or text.isspace():
                continue
            self._row += 1
            if line in piece.bad_bytes:
                self._problems.add("table.bytes", self._row, line)
            if line in piece.nul:
                self._problems.add("table.nul", self._row, line)
            try:
                value = self._decode(text)
            except RecursionError:
                self._problems.add("table.json-deep", self._row, line)
                continue
            except (msgspec.DecodeError, UnicodeError):
                self._problems.add("table.json", self._row, line)
                continue
            if type(value) is not dict:
                self._problems.add("table.json", self._row, line)
                continue
            numbers.append(self._row)
            rows.append(self._flat(value))
        return Batch(numbers, rows)

    def _flat(self, value: dict[str, object]) -> list[str]:
        places = self._places
        for key in value:
            if key not in places:
                if len(places) >= self._limits.columns:
                    raise bad("table.columns", self._where, limit=self._limits.columns)
                places[key] = len(places)
                name = key or f"column {len(places)}"
                while name in self._taken:
                    name += " (2)"
                self._taken.add(name)
                self.columns.append(name)
        return [text_of(value[key]) if key in value else "" for key in places]


def _blank(record: Record) -> bool:
    return record.fields == [""]


def _names(header: Record, problems: Problems) -> list[str]:
    """Return a name for every column, each once, noting names that were empty or repeated."""
    taken: set[str] = set()
    names: list[str] = []
    plain = {field.strip() for field in header.fields}
    for index, field in enumerate(header.fields, 1):
        name = field.strip()
        if not name:
            problems.add("table.header-empty", 0, header.line)
            name = f"column {index}"
        elif name in taken:
            problems.add("table.header-twice", 0, header.line)
        if name in taken or (name != field.strip() and name in plain):
            number = 2
            while f"{name} ({number})" in taken or f"{name} ({number})" in plain:
                number += 1
            name = f"{name} ({number})"
        taken.add(name)
        names.append(name)
    return names

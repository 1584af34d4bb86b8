"""Reading a corpus record by record and writing it again, each record that stays with the very bytes that it had.

A *carrier* knows one form (JSON lines, CSV, plain text, Parquet) and one packing (none, gzip, Zstandard). It cuts a file into
records, tells the text in each, and writes those that stay, in their order, with at most the text exchanged for another.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from abc import ABC, abstractmethod
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

from tongqiu.practices.dataset.corpus.source import CHUNK, RECORD, Keys, SourceFile, whole_lines
from tongqiu.record.faults import Fault
from tongqiu.scan import tree
from tongqiu.scan.records import sniff
from tongqiu.scan.streams import LIMITS, Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

TOGETHER: Final = 1024
"""Records of one handful at most."""

_BOM: Final = b"\xef\xbb\xbf"
_DECODER: Final = json.JSONDecoder(strict=False)
_SCAN: Final[Any] = _DECODER.scan_once  # type: ignore[attr-defined]
_SPACE: Final = " \t\r\n"
_BLANK: Final = re.compile(rb"[ \t\r]*\n?\Z")


class Record(NamedTuple):
    """One record: its bytes as they stand in the file, the text in it (UTF-8, or what stood in its place), its number from 1.

    ``text`` is None for what holds none: a header, an empty line, or, where ``broken``, a record that cannot be read.
    ``source`` and ``split`` are what the declared columns say.
    """

    raw: bytes
    text: bytes | None
    number: int
    source: str = ""
    split: str = ""
    broken: bool = False


class Handful(NamedTuple):
    """Some records in order; ``table`` holds them as columns where the form has such."""

    records: Sequence[Record]
    table: Any = None


class Carrier(Protocol):
    """One file of a corpus, to be read once and written once."""

    cut: bool
    """Whether the file broke off, so that what came after is not among the records."""

    def read(self) -> Iterator[Handful]:
        """Yield all records in order."""

    def write(self, out: Path, handfuls: Iterator[tuple[Handful, Sequence[bool], Mapping[int, bytes]]]) -> None:
        """Write to ``out`` the records that stay, some (by place in the handful) with another text; nothing, and no file."""


def carrier(file: SourceFile, keys: Keys) -> Carrier:
    """Return what reads and writes ``file`` as ``keys`` declare."""
    if file.form == "parquet":
        return _Table(file, keys)
    if file.form == "jsonl":
        return _Objects(file, keys)
    if file.form == "csv":
        return _Rows(file, keys)
    by: dict[str, Callable[[SourceFile, Keys], Carrier]] = {
        "file": _Whole,
        "line": _TextLines,
        "paragraph": _Paragraphs,
    }
    return by[keys.documents](file, keys)


class _Stream(ABC):
    """What all carriers of bytes share: unpacking, packing, and the one rule of writing."""

    def __init__(self, file: SourceFile, keys: Keys) -> None:
        self.file, self.keys = file, keys
        self.cut = False
        self.codec = "gb18030" if keys.encoding == "gb18030" else "utf-8"

    @abstractmethod
    def records(self, chunks: Iterator[bytes]) -> Iterator[Record]:
        """Yield every record of the unpacked bytes."""

    @abstractmethod
    def exchanged(self, record: Record, text: bytes) -> bytes:
        """Return the bytes of a record with another text in it."""

    def read(self) -> Iterator[Handful]:
        """Yield all records in order."""
        held: list[Record] = []
        size = 0
        with tree.open_regular(self.file.place) as stream:
            for record in self.records(self._unpacked(stream)):
                held.append(record)
                size += len(record.raw)
                if len(held) >= TOGETHER or size >= CHUNK:
                    yield Handful(held)
                    held, size = [], 0
        if held:
            yield Handful(held)

    def write(self, out: Path, handfuls: Iterator[tuple[Handful, Sequence[bool], Mapping[int, bytes]]]) -> None:
        """Write the records that stay."""
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("wb") as plain, _packed(plain, self.file.packing) as stream:
            for handful, stay, texts in handfuls:
                for at, (record, stays) in enumerate(zip(handful.records, stay, strict=True)):
                    if stays:
                        stream.write(self.exchanged(record, texts[at]) if at in texts else record.raw)

    def _unpacked(self, stream: BinaryIO) -> Iterator[bytes]:
        """Yield the plain bytes within the bounds of :mod:`tongqiu.scan.streams`; a stream that breaks off ends there."""
        if self.file.packing == "gzip":
            lines = Lines(stream, where="", limits=LIMITS)
            try:
                yield from lines.plain()
            except Fault:
                self.cut = True
            self.cut = self.cut or bool(lines.broken)
        elif self.file.packing == "zstd":
            yield from self._zstd(stream)
        else:
            while chunk := stream.read(CHUNK):
                yield chunk

    def _zstd(self, stream: BinaryIO) -> Iterator[bytes]:
        import pyarrow

        packed = pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, mode="r"), "zstd")
        grown = 0
        try:
            while (chunk := packed.read(CHUNK)) and grown <= LIMITS.unpacked:
                grown += len(chunk)
                yield chunk
        except (OSError, pyarrow.ArrowException):
            self.cut = True

    def _large(self) -> None:
        """Note that a record above the bound was left out."""
        self.cut = True

    def _lines(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield lines with their ends; the last may have none."""
        for block in whole_lines(chunks, self._large):
            yield from block.splitlines(keepends=True) if b"\r" not in block else io.BytesIO(block)

    def _utf8(self, raw: bytes) -> bytes:
        return raw if self.codec == "utf-8" else raw.decode(self.codec, "replace").encode()

    def _coded(self, text: bytes) -> bytes:
        return text if self.codec == "utf-8" else text.decode().encode(self.codec, "replace")


def _packed(plain: BinaryIO, packing: str) -> Any:  # noqa: ANN401 - one of three streams
    if packing == "gzip":
        return gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0)
    if packing == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=3).stream_writer(plain, closefd=False)
    return _Open(plain)


class _Open:
    """A plain file, in the form of a packing one."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        return None


# --- JSON lines ---------------------------------------------------------------------------------------------------------


class _Objects(_Stream):
    """One object a line; the last of equal keys counts."""

    def records(self, chunks: Iterator[bytes]) -> Iterator[Record]:
        number = 0
        for line in self._lines(chunks):
            if not line.strip() or line == _BOM:
                yield Record(line, None, number)
                continue
            number += 1
            found = self._object(line)
            text = found.get(self.keys.text) if found is not None else None
            if found is None or not isinstance(text, str):
                yield Record(line, None, number, broken=True)
                continue
            source, split = (_cell(found.get(name)) if name else "" for name in (self.keys.source, self.keys.split))
            yield Record(line, text.encode("utf-8", "surrogatepass"), number, source, split)

    def exchanged(self, record: Record, text: bytes) -> bytes:
        """Return the line with another value in the place of its text, every other byte as it was."""
        line = record.raw.decode(self.codec, "surrogateescape")
        start, end = _span(line, self.keys.text)
        new = text.decode("utf-8", "surrogatepass")
        plain = line[start:end].isascii() or any("\ud800" <= char <= "\udfff" for char in new)
        value = json.dumps(new, ensure_ascii=plain)
        return (line[:start] + value + line[end:]).encode(self.codec, "surrogateescape")

    def _object(self, line: bytes) -> dict[str, Any] | None:
        try:
            found = _DECODER.decode(line.removeprefix(_BOM).decode(self.codec, "surrogateescape").strip())
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


def _span(line: str, key: str) -> tuple[int, int]:
    """Return where the value of the last member called ``key`` of the object in ``line`` begins and ends.

    ``line`` was read before, so it holds such an object.
    """
    at = line.index("{") + 1
    found = (0, 0)
    while True:
        at = _skip(line, at)
        if line[at] == "}":
            return found
        name, at = scanstring(line, at + 1, False)  # noqa: FBT003 - the scanner's own signature
        at = _skip(line, _skip(line, at) + 1)
        _, end = _SCAN(line, at)
        if name == key:
            found = (at, end)
        at = _skip(line, end)
        at += line[at] == ","


def _skip(line: str, at: int) -> int:
    while line[at] in _SPACE:
        at += 1
    return at


def _cell(value: object) -> str:
    return str(value)[:300] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


# --- tables of text -------------------------------------------------------------------------------------------------------


class _Rows(_Stream):
    """A delimited table (RFC 4180): a record ends at a line end outside quotation marks."""

    delimiter = ","
    columns: tuple[str, ...] = ()

    def records(self, chunks: Iterator[bytes]) -> Iterator[Record]:
        number = 0
        for raw in self._whole(chunks):
            if not self.columns:
                yield self._head(raw)
                continue
            if not raw.strip():
                yield Record(raw, None, number)
                continue
            number += 1
            fields = self._fields(raw)
            if fields is None or len(fields) != len(self.columns) or self.keys.text not in self.columns:
                yield Record(raw, None, number, broken=True)
                continue
            text = fields[self.columns.index(self.keys.text)]
            source, split = (
                fields[self.columns.index(name)][:300] if name in self.columns else ""
                for name in (self.keys.source, self.keys.split)
            )
            yield Record(raw, text.encode("utf-8", "surrogateescape"), number, source, split)

    def exchanged(self, record: Record, text: bytes) -> bytes:
        """Return the row with another text in its column, every other byte as it was."""
        line = record.raw.decode(self.codec, "surrogateescape")
        start, end = self._place(line, self.columns.index(self.keys.text))
        new = text.decode("utf-8", "surrogateescape")
        if line[start:end].startswith('"') or any(char in new for char in f'{self.delimiter}"\r\n'):
            new = '"' + new.replace('"', '""') + '"'
        return (line[:start] + new + line[end:]).encode(self.codec, "surrogateescape")

    def _head(self, raw: bytes) -> Record:
        text = raw.removeprefix(_BOM).decode(self.codec, "surrogateescape")
        tsv = self.file.path.lower().removesuffix(".gz").removesuffix(".zst").endswith(".tsv")
        self.delimiter = "\t" if tsv else sniff(text)
        self.columns = tuple(name.strip() for name in self._fields(raw.removeprefix(_BOM)) or ("",))
        return Record(raw, None, 0)

    def _whole(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        held: list[bytes] = []
        marks = size = 0
        for line in self._lines(chunks):
            held.append(line)
            marks += line.count(b'"')
            size += len(line)
            if marks % 2 == 0 or size > RECORD:
                yield b"".join(held)
                held, marks, size = [], 0, 0
        if held:
            yield b"".join(held)

    def _fields(self, raw: bytes) -> list[str] | None:
        text = raw.decode(self.codec, "surrogateescape")
        try:
            return next(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter), None)
        except csv.Error:
            return None

    def _place(self, line: str, column: int) -> tuple[int, int]:
        """Return where a field begins and ends, its quotation marks among it."""
        at = seen = 0
        while True:
            start = at
            if line[at : at + 1] == '"':
                at += 1
                while at < len(line) and (line[at] != '"' or line[at + 1 : at + 2] == '"'):
                    at += 1 if line[at] != '"' else 2
                at += 1
            while at < len(line) and line[at] not in f"{self.delimiter}\r\n":
                at += 1
            if seen == column or at >= len(line):
                return start, at
            seen, at = seen + 1, at + 1


# --- plain text -----------------------------------------------------------------------------------------------------------


class _TextLines(_Stream):
    """One document a line."""

    def records(self, chunks: Iterator[bytes]) -> Iterator[Record]:
        number = 0
        for line in self._lines(chunks):
            text = line.rstrip(b"\r\n").removeprefix(_BOM)
            filled = bool(text.strip())
            number += filled
            yield Record(line, self._utf8(text) if filled else None, number)

    def exchanged(self, record: Record, text: bytes) -> bytes:
        """Return the line with another text, its line end as it was."""
        return (
            (_BOM if record.raw.startswith(_BOM) else b"")
            + self._coded(text)
            + record.raw[len(record.raw.rstrip(b"\r\n")) :]
        )


class _Paragraphs(_Stream):
    """One document a paragraph; the empty lines after it go with it."""

    def records(self, chunks: Iterator[bytes]) -> Iterator[Record]:
        number, held, ended = 0, list[bytes](), False
        for line in self._lines(chunks):
            blank = _BLANK.match(line) is not None
            if held and ended and not blank:
                number += 1
                yield self._record(held, number)
                held, ended = [], False
            held.append(line)
            ended = ended or (blank and len(held) > 1)
        if held:
            yield self._record(held, number + 1)

    def exchanged(self, record: Record, text: bytes) -> bytes:
        """Return the paragraph with another text, what follows it as it was."""
        return (
            (_BOM if record.raw.startswith(_BOM) else b"") + self._coded(text) + record.raw[len(record.raw.rstrip()) :]
        )

    def _record(self, held: list[bytes], number: int) -> Record:
        raw = b"".join(held)
        text = raw.rstrip().removeprefix(_BOM)
        return Record(raw, self._utf8(text) if text.strip() else None, number)


class _Whole(_Stream):
    """One document a file; one that goes leaves no file."""

    def records(self, chunks: Iterator[bytes]) -> Iterator[Record]:
        held = bytearray()
        for chunk in chunks:
            held += chunk
            if len(held) > RECORD:
                self._large()
                return
        raw = bytes(held)
        yield Record(raw, self._utf8(raw.removeprefix(_BOM)), 1)

    def exchanged(self, record: Record, text: bytes) -> bytes:
        """Return the text as the file holds it, its mark of UTF-8 as it was."""
        return (_BOM if record.raw.startswith(_BOM) else b"") + self._coded(text)

    def write(self, out: Path, handfuls: Iterator[tuple[Handful, Sequence[bool], Mapping[int, bytes]]]) -> None:
        """Write the file unless its one document goes."""
        for each in handfuls:
            if any(each[1]):
                super().write(out, iter([each]))


# --- Parquet ---------------------------------------------------------------------------------------------------------------


class _Table:
    """A Parquet file, row group by row group; other columns keep their values and types, the file its metadata."""

    def __init__(self, file: SourceFile, keys: Keys) -> None:
        self.file, self.keys = file, keys
        self.cut = False

    def read(self) -> Iterator[Handful]:
        """Yield the rows of each row group, some thousand at a time."""
        import pyarrow
        from pyarrow import parquet

        number = 0
        try:
            with parquet.ParquetFile(self.file.place) as opened:
                for batch in opened.iter_batches(batch_size=TOGETHER):
                    yield Handful(self._records(batch, number), batch)
                    number += batch.num_rows
        except (pyarrow.ArrowException, OSError):
            self.cut = True

    def _records(self, batch: Any, before: int) -> list[Record]:  # noqa: ANN401 - pyarrow, which has no types
        names = batch.schema.names
        texts = (
            batch.column(names.index(self.keys.text)).to_pylist()
            if self.keys.text in names
            else [None] * batch.num_rows
        )
        aside = [
            batch.column(names.index(name)).to_pylist() if name in names else [None] * batch.num_rows
            for name in (self.keys.source, self.keys.split)
        ]
        return [
            Record(b"", _plain(text), before + at + 1, _cell(source), _cell(split), broken=_plain(text) is None)
            for at, (text, source, split) in enumerate(zip(texts, *aside, strict=True))
        ]

    def write(self, out: Path, handfuls: Iterator[tuple[Handful, Sequence[bool], Mapping[int, bytes]]]) -> None:
        """Write the rows that stay with the schema and compression of the file they come from."""
        import pyarrow
        from pyarrow import parquet

        out.parent.mkdir(parents=True, exist_ok=True)
        with parquet.ParquetFile(self.file.place) as opened:
            schema = opened.schema_arrow
            group = opened.metadata.row_group(0) if opened.metadata.num_row_groups else None
            packing = group.column(0).compression if group is not None and group.num_columns else "SNAPPY"
        with parquet.ParquetWriter(out, schema, compression=packing.replace("UNCOMPRESSED", "NONE")) as writer:
            for handful, stay, texts in handfuls:
                batch = handful.table
                if texts:
                    at = batch.schema.names.index(self.keys.text)
                    values = batch.column(at).to_pylist()
                    for place, text in texts.items():
                        values[place] = text if isinstance(values[place], bytes) else text.decode("utf-8", "replace")
                    batch = batch.set_column(
                        at, batch.schema.field(at), pyarrow.array(values, batch.schema.field(at).type)
                    )
                kept = batch.filter(pyarrow.array(list(stay)))
                if kept.num_rows:
                    writer.write_batch(kept)


def _plain(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return value if isinstance(value, bytes) else None


__all__ = ["Carrier", "Handful", "Record", "carrier"]

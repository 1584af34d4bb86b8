"""Reading a hostile text file piece by piece: unpacked within bounds, decoded honestly, cut at line ends.

The reader holds at most one block and one line in memory whatever the file claims to be. A line that does not end is
refused as soon as it passes its limit, so a line of five gigabytes costs a few megabytes to refuse.
"""

from __future__ import annotations

import codecs
import zlib
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from tongqiu.record.faults import Fault, Malformed, Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 18
"""Bytes asked for at a time."""


class Limits(msgspec.Struct, frozen=True):
    """How much of a table is read; bytes unless said otherwise.

    ``line`` bounds one line, one record (a quoted field may hold line ends) and so one field; ``columns`` counts columns; ``unpacked`` bounds what a compressed file may grow to, and ``ratio`` how
    many times its own size once it has grown past 64 MiB. ``places`` is how many places of each problem are kept.
    """

    line: int = 16 << 20
    columns: int = 10_000
    unpacked: int = 1 << 40
    ratio: int = 200
    places: int = 20


LIMITS = Limits()

_RATIO_FROM = 64 << 20
_HEAD = 4096
"""Bytes by which encoding and binary content are told."""


class Piece(NamedTuple):
    """Whole lines of text: the text (last line end kept), the number of its first line, and the lines that hold
    undecodable bytes or NUL, by number.
    """

    text: str
    line: int
    bad_bytes: frozenset[int]
    nul: frozenset[int]


class Lines:
    """The lines of one byte stream, in pieces of about a block; iterate :meth:`pieces` once."""

    def __init__(self, stream: BinaryIO, *, where: str, limits: Limits, encoding: str = "auto") -> None:
        """Read ``stream`` from its present position. ``encoding`` is ``auto`` (byte-order mark, else UTF-8),
        ``utf-8`` or ``gb18030``; see :func:`encodings`.
        """
        self._stream = stream
        self._where = where
        self._limits = limits
        self._encoding = encoding
        self.read = 0
        """Bytes taken from the stream so far (before unpacking)."""
        self.broken = ""
        """``table.truncated`` or ``table.corrupt`` once the compressed stream broke off; the lines before it count."""

    def pieces(self) -> Iterator[Piece]:
        """Yield the text in order. Raises Malformed for a line over the limit, a bomb, or bytes that are not text."""
        chunks = self.plain()
        head = next(chunks, b"")
        while len(head) < _HEAD and (more := next(chunks, b"")):
            head += more
        codec, skip = self._codec(head)
        source = self._again(head[skip:], chunks)
        if codec.startswith("utf-16"):
            source = _transcoded(source, codec)
            codec = "utf-8"
        elif head[:_HEAD].count(0) * 3 > len(head[:_HEAD]):
            raise bad("table.binary", self._where)
        number = 1
        for block in self._whole_lines(source):
            yield _piece(block, number, codec)
            number += block.count(b"\n")

    def _whole_lines(self, source: Iterator[bytes]) -> Iterator[bytes]:
        """Yield blocks that end at a line end (the last one may not)."""
        held: list[bytes] = []
        size, number = 0, 1
        for chunk in source:
            cut = chunk.rfind(b"\n") + 1
            if not cut:
                held.append(chunk)
                size += len(chunk)
                if size > self._limits.line:
                    raise bad("table.line", self._where, line=number, limit=self._limits.line)
                continue
            block = b"".join((*held, chunk[:cut]))
            yield block
            number += block.count(b"\n")
            held = [chunk[cut:]]
            size = len(held[0])
        rest = b"".join(held)
        if rest:
            yield rest

    def _codec(self, head: bytes) -> tuple[str, int]:
        """Return the encoding and how many bytes of byte-order mark to skip."""
        for mark, name in (
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            if head.startswith(mark):
                return name, len(mark)
        if self._encoding not in {"auto", *encodings()}:
            raise bad("table.encoding-unknown", self._where, given=self._encoding[:40], known=", ".join(encodings()))
        return ("utf-8" if self._encoding == "auto" else self._encoding), 0

    @staticmethod
    def _again(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
        if head:
            yield head
        yield from rest

    def _raw(self) -> Iterator[bytes]:
        while chunk := self._stream.read(BLOCK):
            self.read += len(chunk)
            yield chunk

    def plain(self) -> Iterator[bytes]:
        """Yield the bytes, unpacked when they are gzip (RFC 1952); refuse other packings by name."""
        raw = self._raw()
        head = next(raw, b"")
        while len(head) < 4 and (more := next(raw, b"")):  # noqa: PLR2004 - the longest mark below
            head += more
        if head.startswith(b"\x1f\x8b"):
            yield from self._unzipped(self._again(head, raw))
        elif head.startswith(b"\x28\xb5\x2f\xfd"):
            raise bad("table.zstd", self._where)
        elif head.startswith((b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")):
            raise bad("table.packed", self._where)
        else:
            yield from self._again(head, raw)

    def _unzipped(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the content of one or more gzip members, never more than a block at a time."""
        grown, machine, fresh = 0, zlib.decompressobj(wbits=31), True
        for chunk in raw:
            data = chunk
            while data:
                if machine.eof:
                    data = data.lstrip(b"\0") if fresh else data
                    if not data:
                        break
                    machine, fresh = zlib.decompressobj(wbits=31), False
                try:
                    out = machine.decompress(data, BLOCK >> 2)
                except zlib.error:
                    self.broken = "table.corrupt"
                    return
                grown += len(out)
                if grown > self._limits.unpacked or (grown > _RATIO_FROM and grown > self._limits.ratio * self.read):
                    raise bad("table.bomb", self._where, ratio=self._limits.ratio, limit=self._limits.unpacked)
                if out:
                    yield out
                data = machine.unused_data if machine.eof else machine.unconsumed_tail
                fresh = True
        if not machine.eof:
            self.broken = "table.truncated"


def encodings() -> tuple[str, ...]:
    """Return the encodings that may be declared for a table without a byte-order mark."""
    return ("utf-8", "gb18030")


def _transcoded(source: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Yield UTF-16 as UTF-8; what cannot be decoded becomes a byte that no UTF-8 text holds, and so is found again."""
    machine = codecs.getincrementaldecoder(codec)(errors="surrogatepass")
    for chunk in source:
        yield machine.decode(chunk).encode("utf-8", "surrogatepass")
    try:
        machine.decode(b"", final=True)
    except UnicodeDecodeError:
        yield b"\xff"


def _piece(block: bytes, number: int, codec: str) -> Piece:
    """Decode whole lines; a line with undecodable bytes keeps a replacement mark in their place and is noted."""
    try:
        text, bad_bytes = block.decode(codec), frozenset[int]()
    except UnicodeDecodeError:
        lines = block.split(b"\n")
        decoded: list[str] = []
        noted: set[int] = set()
        for index, line in enumerate(lines):
            try:
                decoded.append(line.decode(codec))
            except UnicodeDecodeError:
                decoded.append(line.decode(codec, "replace"))
                noted.add(number + index)
        text, bad_bytes = "\n".join(decoded), frozenset(noted)
    nul: frozenset[int] = frozenset()
    if "\0" in text:
        nul = frozenset(number + index for index, line in enumerate(text.split("\n")) if "\0" in line)
        text = text.replace("\0", "\ufffd")
    return Piece(text, number, bad_bytes, nul)


_AGAIN = Text(en="Get the file again from its source.", zh="请从来源重新获取该文件。")
_SAVE = Text(en="Save it as CSV or JSON lines in UTF-8.", zh="请另存为 UTF-8 编码的 CSV 或 JSON lines。")

_FAULTS: dict[str, tuple[type[Fault], Text, Text]] = {
    "table.line": (
        Malformed,
        Text(
            en="Line {line} is longer than {limit} bytes, so it was not read.",
            zh="第 {line} 行超过 {limit} 字节，未予读取。",
        ),
        Text(
            en="Check the line ends of the file, or raise the limit on a line.",
            zh="请检查文件的换行符，或提高单行上限。",
        ),
    ),
    "table.bomb": (
        Malformed,
        Text(
            en="The packed file grows beyond {ratio} times its size or beyond {limit} bytes.",
            zh="压缩文件解开后超过自身的 {ratio} 倍或 {limit} 字节。",
        ),
        Text(en="Unpack it yourself if you trust it, and name the result.", zh="如果信任该文件，请自行解压后再指定。"),
    ),
    "table.binary": (
        Malformed,
        Text(en="The file is not text.", zh="该文件不是文本。"),
        _SAVE,
    ),
    "table.packed": (
        Malformed,
        Text(en="The file is an archive, not a table.", zh="该文件是压缩包，不是表格。"),
        Text(
            en="Unpack it and name the table inside, or pack it with gzip.",
            zh="请解压后指定其中的表格，或改用 gzip 压缩。",
        ),
    ),
    "table.zstd": (
        Missing,
        Text(en="Reading Zstandard files is not installed here.", zh="此处未安装读取 Zstandard 文件的组件。"),
        Text(en="Unpack it, or pack it with gzip.", zh="请先解压，或改用 gzip 压缩。"),
    ),
    "table.encoding-unknown": (
        Malformed,
        Text(en="This encoding is not read: {given}.", zh="不支持此编码：{given}。"),
        Text(en="Declare one of: {known}.", zh="请声明以下之一：{known}。"),
    ),
    "table.empty": (
        Malformed,
        Text(en="The table is empty: it has no header and no row.", zh="表格为空：既无表头也无数据行。"),
        Text(en="Name a file that holds the table, or export it again.", zh="请指定含有表格的文件，或重新导出。"),
    ),
    "table.columns": (
        Malformed,
        Text(en="The table has more than {limit} columns.", zh="表格超过 {limit} 列。"),
        Text(en="Check the delimiter, or split the table.", zh="请检查分隔符，或拆分表格。"),
    ),
    "table.quote-open": (
        Malformed,
        Text(en="A quotation mark opens in line {line} and is never closed.", zh="第 {line} 行的引号没有闭合。"),
        Text(
            en="Close the quotation mark, or double it inside a quoted field.",
            zh="请补上引号；字段内的引号请写成两个。",
        ),
    ),
    "table.newline": (
        Malformed,
        Text(en="The lines end with CR alone.", zh="文件仅以 CR 换行。"),
        Text(en="Save the file with LF or CR LF line ends.", zh="请用 LF 或 CR LF 换行保存。"),
    ),
    "table.json-array": (
        Malformed,
        Text(en="The file is one JSON value, not one object a line.", zh="文件是单个 JSON 值，而不是每行一个对象。"),
        Text(en="Write one JSON object a line (JSON lines).", zh="请改为每行一个 JSON 对象（JSON lines）。"),
    ),
    "table.parquet-extra": (
        Missing,
        Text(en="Reading Parquet needs the extra named tables.", zh="读取 Parquet 需要名为 tables 的附加组件。"),
        Text(en="Run: pip install 'tongqiu[tables]'", zh="请运行：pip install 'tongqiu[tables]'"),
    ),
    "table.parquet": (
        Malformed,
        Text(en="The Parquet file cannot be read.", zh="无法读取该 Parquet 文件。"),
        _AGAIN,
    ),
    "table.gzip": (
        Malformed,
        Text(en="The gzip file is damaged; nothing of it can be read.", zh="该 gzip 文件已损坏，无法读取任何内容。"),
        _AGAIN,
    ),
    "table.format": (
        Malformed,
        Text(en="This format of table is not known: {given}.", zh="未知的表格格式：{given}。"),
        Text(en="Say csv, jsonl or parquet.", zh="请填写 csv、jsonl 或 parquet。"),
    ),
}


def bad(code: str, where: str, **values: object) -> Fault:
    """Return the fault ``code`` of a table, ready to raise; ``values`` never hold content of the table."""
    kind, what, do = _FAULTS[code]
    return kind(code, what, do=do, where=where, **values)

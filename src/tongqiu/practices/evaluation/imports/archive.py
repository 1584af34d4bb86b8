"""Reading the members of a ZIP archive that a stranger made, each against what the directory says of it.

A reader of its own, because the standard one of Python 3.11 knows no Zstandard (method 93), builds the whole directory
however long, and believes it. Here the directory must be one piece right before its end record, no two members may share
bytes, and a member must have exactly the length and CRC-32 that were announced (PKWARE APPNOTE 6.3.10, 4.3.7 to 4.3.16).
"""

from __future__ import annotations

import importlib
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from tongqiu.practices.evaluation.imports.reading import damaged, large, line, many
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

STORED, DEFLATED, ZSTANDARD = 0, 8, 93
MAX_MEMBERS: Final = 65_534
"""Most members: an archive with more needs the 64-bit directory, which is not read."""

MAX_MEMBER: Final = 256 << 20
"""Largest member once unpacked, in bytes."""

MAX_RATIO: Final = 1000
"""How many times its packed size a member beyond a mebibyte may unpack to."""

_FREE: Final = 1 << 20
_WINDOW: Final = 1 << 27
_END, _ENTRY, _LOCAL = struct.Struct("<4s4H2LH"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT: Final = 0xFFFF
_WIDE: Final = 0xFFFFFFFF
_UNREADABLE: Final = 0x2061
"""Flags of encrypted, patched or masked members."""


class Member(NamedTuple):
    """One member as the directory announces it: how it is packed, CRC-32, packed and plain size, where it begins."""

    name: bytes
    method: int
    crc: int
    packed: int
    size: int
    at: int


class Archive:
    """The members of one archive, read one at a time; ``most`` bounds all that is unpacked together."""

    def __init__(self, stream: BinaryIO, where: str, most: int) -> None:
        """Read the directory of ``stream``. Raises Malformed (``imports.damaged``, ``imports.many``)."""
        self._stream, self._where, self._left = stream, where, most
        self._unpack: Callable[[bytes, int], bytes] | None = None
        self.members = self._directory()

    def read(self, name: str) -> bytes:
        """Return one member unpacked.

        Raises Malformed (``imports.damaged``, ``imports.large``); Missing (``imports.zstd``) without a decoder.
        """
        member, where = self.members[name], f"{self._where}/{line(name, 80)}"
        self._left -= member.size
        if member.size > MAX_MEMBER or self._left < 0:
            raise large(where, MAX_MEMBER)
        if member.size > max(_FREE, MAX_RATIO * member.packed):
            raise damaged(where, f"{member.packed} bytes cannot hold {member.size}")
        self._stream.seek(member.at)
        head = self._stream.read(_LOCAL.size)
        if len(head) < _LOCAL.size:
            raise damaged(where, "it ends early")
        mark, _, _, method, _, _, _, _, _, name_size, extra = _LOCAL.unpack(head)
        rest = self._stream.read(name_size + extra + member.packed)
        if mark != b"PK\3\4" or method != member.method or rest[:name_size] != member.name:
            raise damaged(where, "directory and member disagree")
        packed = rest[name_size + extra :]
        data = self._plain(packed, member, where) if len(packed) == member.packed else b""
        if len(data) != member.size or zlib.crc32(data) != member.crc:
            raise damaged(where, "length or checksum do not hold")
        return data

    def _plain(self, packed: bytes, member: Member, where: str) -> bytes:
        if member.method == STORED:
            return packed
        if member.method == DEFLATED:
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                data = inflate.decompress(packed, member.size + 1)
            except zlib.error as error:
                raise damaged(where, str(error)) from error
            return data if not inflate.unconsumed_tail and not inflate.unused_data else b""
        if self._unpack is None:
            self._unpack = _zstandard(where)
        try:
            return self._unpack(packed, member.size)
        except (ValueError, RuntimeError, MemoryError, EOFError) as error:
            raise damaged(where, str(error)) from error

    def _directory(self) -> dict[str, Member]:
        begin, members, size = self._end()
        self._stream.seek(begin)
        data = self._stream.read(size)
        found: dict[str, Member] = {}
        at = 0
        for _ in range(members):
            if at + _ENTRY.size > len(data):
                raise damaged(self._where, "the directory ends early")
            entry = _ENTRY.unpack_from(data, at)
            mark, flags, method, crc, packed, plain = entry[0], *entry[3:5], *entry[7:10]
            name_size, extra, comment, disk, offset = *entry[10:13], entry[13], entry[16]
            name = data[at + _ENTRY.size : at + _ENTRY.size + name_size]
            at += _ENTRY.size + name_size + extra + comment
            if mark != b"PK\1\2" or disk or flags & _UNREADABLE or method not in {STORED, DEFLATED, ZSTANDARD}:
                raise damaged(self._where, "a member cannot be read")
            if _WIDE in {packed, plain, offset}:
                raise large(self._where, 4 << 30)
            key = _name(name, self._where)
            if key in found:
                raise damaged(self._where, f"two members are called {key[:80]}")
            found[key] = Member(name, method, crc, packed, plain, offset)
        if at != len(data):
            raise damaged(self._where, "the directory is longer than its members")
        self._apart(found, begin)
        return found

    def _apart(self, found: dict[str, Member], begin: int) -> None:
        """Refuse members that share bytes: that is how a small file unpacks to any size."""
        free = 0
        for each in sorted(found.values(), key=lambda each: each.at):
            if each.at < free:
                raise damaged(self._where, "members share bytes")
            free = each.at + _LOCAL.size + len(each.name) + each.packed
        if free > begin:
            raise damaged(self._where, "members reach into the directory")

    def _end(self) -> tuple[int, int, int]:
        """Return where the directory begins, how many members it has, and its size in bytes."""
        length = self._stream.seek(0, 2)
        tail_size = min(length, _END.size + _LONGEST_COMMENT)
        self._stream.seek(length - tail_size)
        tail = self._stream.read(tail_size)
        at = tail.rfind(b"PK\5\6")
        if at < 0 or at + _END.size > len(tail):
            raise damaged(self._where, "an archive without an end: it may have been cut short")
        _, disk, first, here, members, size, begin, comment = _END.unpack_from(tail, at)
        if members > MAX_MEMBERS or here > MAX_MEMBERS:
            raise many(self._where, MAX_MEMBERS)
        whole = at + _END.size + comment == len(tail) and begin + size == length - tail_size + at
        if disk or first or here != members or not whole or size < members * _ENTRY.size:
            raise damaged(self._where, "the end of the archive and its directory disagree")
        return begin, members, size


def _name(data: bytes, where: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise damaged(where, "the name of a member is no text") from error
    parts = text.split("/")
    if not text or text[0] == "/" or "\\" in text or "\0" in text or ".." in parts:
        raise damaged(where, f"a member is called {text[:80]}")
    return text


def _zstandard(where: str) -> Callable[[bytes, int], bytes]:
    """Return what unpacks Zstandard (RFC 8878) to at most one byte more than was announced."""
    try:
        package = importlib.import_module("zstandard")
    except ImportError:
        return _standard(where)
    decoder = package.ZstdDecompressor(max_window_size=_WINDOW)
    fault: type[Exception] = package.ZstdError

    def unpack(data: bytes, size: int) -> bytes:
        try:
            # A stream, because the one-step call believes the length that the data itself announces.
            with decoder.stream_reader(data, read_across_frames=True) as reader:
                return bytes(reader.read(size + 1))
        except fault as error:
            raise ValueError(str(error)) from error

    return unpack


def _standard(where: str) -> Callable[[bytes, int], bytes]:
    """Return the decoder of Python 3.14 and later. Raises Missing (``imports.zstd``) before that."""
    try:
        package = importlib.import_module("compression.zstd")
    except ImportError as error:
        raise Missing(
            "imports.zstd",
            Text(
                en="This log is packed with Zstandard, which cannot be unpacked here.",
                zh="此日志以 Zstandard 压缩，此处无法解压。",
            ),
            do=Text(
                en="Run: pip install 'tongqiu[llm]', or convert the log: inspect log convert --to json",
                zh="请运行：pip install 'tongqiu[llm]'，或转换日志：inspect log convert --to json",
            ),
            where=where,
        ) from error
    fault: type[Exception] = package.ZstdError

    def unpack(data: bytes, size: int) -> bytes:
        try:
            return bytes(package.ZstdDecompressor().decompress(data, max_length=size + 1))
        except fault as error:
            raise ValueError(str(error)) from error

    return unpack


__all__ = ["MAX_MEMBER", "MAX_MEMBERS", "MAX_RATIO", "Archive", "Member"]

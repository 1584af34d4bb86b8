"""The fingerprint of bytes, of a file and of a whole folder, the same on every machine.

A folder has one specified *tree digest* (``docs/spec/tree-digest.md``), so that a model of many files, a data set or a
source tree is named by content alone: names and bytes count; times, owners and permissions do not.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORM = re.compile(r"(sha-256|tree-1):([0-9a-f]{64})\Z")
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""ASCII control characters, and the lone surrogates that stand for bytes which are not UTF-8."""
_CHUNK = 1 << 20
_TREE_HEAD = b"tongqiu tree/1\n"


class Digest(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A SHA-256 value and what it was taken over: ``sha-256`` plain bytes, or ``tree-1`` a folder (FIPS 180-4)."""

    value: bytes
    algorithm: str = "sha-256"

    def __str__(self) -> str:
        """Return the written form, ``sha-256:<64 lower-case hex digits>`` or ``tree-1:<...>``."""
        return f"{self.algorithm}:{self.value.hex()}"

    @property
    def hex(self) -> str:
        """Return the 64 lower-case hex digits alone."""
        return self.value.hex()

    @classmethod
    def parse(cls, text: str, *, where: str = "") -> Digest:
        """Read the written form. Raises Malformed (``digest.form``) for anything else, upper case included."""
        match = _FORM.match(text)
        if match is None:
            raise Malformed(
                "digest.form",
                Text(en="Not a digest: {text}.", zh="这不是摘要：{text}。"),
                do=Text(
                    en="Write sha-256: or tree-1: and 64 lower-case hex digits.",
                    zh="请写成 sha-256: 或 tree-1: 加 64 位小写十六进制数。",
                ),
                where=where,
                text=text[:80],
            )
        return cls(bytes.fromhex(match[2]), match[1])


def of_bytes(data: bytes) -> Digest:
    """Return the SHA-256 of ``data``."""
    return Digest(hashlib.sha256(data).digest())


def of_stream(stream: BinaryIO) -> tuple[Digest, int]:
    """Return the SHA-256 and the length in bytes of what ``stream`` still holds, in constant memory."""
    state, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        state.update(chunk)
        size += len(chunk)
    return Digest(state.digest()), size


def of_tree(files: Iterable[tuple[str, Digest, int]]) -> Digest:
    r"""Return the tree digest of ``files``, given as ``(path, SHA-256 of the bytes, length in bytes)``.

    Paths are relative, separated by ``/``, in Unicode NFC; order does not matter. The digest is SHA-256 over
    ``tongqiu tree/1\n`` and, in bytewise order of the UTF-8 paths, one line per file:
    ``<64 hex digits> <decimal length> <path>\n``. A path that holds a control character, is absolute, empty or climbs
    with ``..`` or is not UTF-8 raises Malformed (``tree.path``), as does a path that is named twice (``tree.twice``).
    """
    lines: dict[bytes, bytes] = {}
    for path, digest, size in files:
        name = unicodedata.normalize("NFC", path)
        if any(part in {"", ".", ".."} for part in name.split("/")) or _UNFIT.search(name):
            raise _bad_path("tree.path", path)
        key = name.encode()
        if key in lines:
            raise _bad_path("tree.twice", path)
        lines[key] = f"{digest.hex} {size} ".encode() + key + b"\n"
    return Digest(hashlib.sha256(_TREE_HEAD + b"".join(lines[key] for key in sorted(lines))).digest(), "tree-1")


def _bad_path(code: str, path: str) -> Malformed:
    what = {
        "tree.path": Text(
            en="A file name cannot be part of a tree digest: {path}.",
            zh="此文件名不能计入目录摘要：{path}。",
        ),
        "tree.twice": Text(
            en="Two files have the same name after normalisation: {path}.",
            zh="规范化后有两个文件同名：{path}。",
        ),
    }[code]
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in path[:120])
    return Malformed(code, what, do=Text(en="Rename the file.", zh="请重命名该文件。"), path=shown)

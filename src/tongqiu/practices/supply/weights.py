"""Which model files can be loaded without running anything: an allow-list by content, never by name.

Only formats that hold numbers and are read here to the last field are *allowed*. Formats that run code when loaded, or
that cannot be shown not to, are *refused* by rule and never opened further. Anything else is *not assessed*. Lists of
bad things miss most attacks (in a small trial modelscan 0.8.8 found 2 of 5 hostile pickles); a list of good things does
not.
"""

from __future__ import annotations

import bz2
import io
import lzma
import pickletools
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from tongqiu.practices.supply import gguf, npy, onnx_wire, safetensors
from tongqiu.practices.supply.window import Window, malformed, refused
from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tongqiu.record.shapes import Scalar

State = Literal["allowed", "refused", "malformed", "not-assessed"]

HEAD = 1 << 16
MAX_MEMBERS = 10_000
MAX_CENTRAL = 32 << 20
LIKELY = (
    ".bin",
    ".ckpt",
    ".dill",
    ".engine",
    ".gguf",
    ".ggml",
    ".h5",
    ".hdf5",
    ".joblib",
    ".keras",
    ".mar",
    ".mlmodel",
    ".model",
    ".msgpack",
    ".nemo",
    ".npy",
    ".npz",
    ".onnx",
    ".ort",
    ".pb",
    ".pickle",
    ".pkl",
    ".pmml",
    ".pt",
    ".pth",
    ".ptl",
    ".safetensors",
    ".sav",
    ".tflite",
    ".weights",
)
"""Names that weights go by; other files are looked at too, but reported only when their content is a known format."""

_EXECUTES = (
    "This is a {format}: loading it runs whatever code its maker put in.",
    "这是 {format}：加载时会执行制作者放入的任意代码。",
)
_UNSHOWN = (
    "This is a {format}: it may carry code that runs on loading, and cannot be shown not to.",
    "这是 {format}：可能携带加载时执行的代码，无法证明其不含。",
)
_UNKNOWN = Text(
    en="The format is not known here, so nothing is said about its safety.",
    zh="此处不认识该格式，因此不对其安全性作任何判断。",
)
_ALLOWED = Text(
    en="Read to the last field: it holds numbers and notes, and nothing that runs.",
    zh="已逐字段读完：只含数值和说明，不含可执行内容。",
)


class Look(NamedTuple):
    """What one file is: ``format`` by content (empty when unknown), the state, its code and why, and facts about it."""

    path: str
    size: int
    format: str
    state: State
    code: str
    reason: Text
    facts: dict[str, Scalar]


def look(path: str, stream: BinaryIO, size: int, files: frozenset[str] = frozenset()) -> Look:
    """Return what the file ``path`` of ``size`` bytes is; ``files`` are the paths beside it, for tensors kept apart.

    Reads a bounded part, never loads, unpickles, decompresses without limit or executes. Never raises for content.
    """
    window = Window(stream, size)
    head = window.read(0, min(HEAD, size))
    name = ""
    try:
        name, check = _format(head, size)
        facts = check(window, path, files)
    except Refused as fault:
        return Look(path, size, fault.values.get("format", name), "refused", fault.code, fault.what, {})
    except Malformed as fault:
        return Look(path, size, name, "malformed", fault.code, fault.what, {})
    if facts is None:
        return Look(path, size, name if name == "zip" else "", "not-assessed", "weights.unknown", _UNKNOWN, {})
    return Look(path, size, name, "allowed", "weights.allowed", _ALLOWED, facts)


def counts(path: str, seen: Look) -> bool:
    """Tell whether a file is reported as weights: by its content, or by a name that weights go by."""
    return bool(seen.format) or path.lower().endswith(LIKELY)


if TYPE_CHECKING:
    Check = Callable[[Window, str, frozenset[str]], dict[str, Scalar] | None]


def _format(head: bytes, size: int) -> tuple[str, Check]:  # noqa: PLR0911 - one line a format
    """Return the name of the format that ``head`` shows and what checks it."""
    if head.startswith(gguf.MAGIC):
        return "gguf", lambda window, _path, _files: gguf.read(window)
    if head.startswith(npy.MAGIC):
        return "npy", lambda window, _path, _files: npy.read(window)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip", _zip
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5", _never("HDF5 (Keras)", _UNSHOWN)
    if safetensors.sniff(head, size):
        return "safetensors", lambda window, _path, _files: safetensors.read(window)
    if is_pickle(head, whole=size <= len(head)):
        return "pickle", _never("pickle", _EXECUTES)
    inner = _unpacked(head)
    if inner and is_pickle(inner, whole=False):
        return "pickle", _never("compressed pickle", _EXECUTES)
    if onnx_wire.sniff(head):
        return "onnx", _onnx
    return "", lambda _window, _path, _files: None


def is_pickle(head: bytes, *, whole: bool) -> bool:
    """Tell whether ``head`` (all of a file, when ``whole``) reads as a pickle program; nothing of it is run.

    Protocols 2 and later say so in their first bytes (PEP 307, 3154, 574). Earlier ones are told by reading
    instructions to the end, or 16 of them in a row.
    """
    if len(head) >= 2 and head[0] == 0x80 and 2 <= head[1] <= 5:  # noqa: PLR2004 - PROTO and its versions
        return True
    if head[:1] not in b"(]}cdlIFLNSVKMJGUT" or not head:
        return False
    read, last, at = 0, "", 0
    try:
        for operation, _, place in pickletools.genops(io.BytesIO(head)):
            read, last, at = read + 1, operation.name, place or 0
            if read >= 16 and not whole:  # noqa: PLR2004 - as the docstring says
                return True
    except (ValueError, IndexError, OverflowError, UnicodeDecodeError):
        return False
    return last == "STOP" and read > 1 and (not whole or not head[at + 1 :].strip(b"\x00\r\n "))


def _unpacked(head: bytes) -> bytes:
    """Return up to 64 KiB of what a compressed ``head`` starts with, or nothing."""
    try:
        if head[:2] in {b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"}:
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(head, HEAD)
        if head[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(head, HEAD)
        if head[:6] == b"\xfd7zXZ\x00" or head[:3] == b"\x5d\x00\x00":
            return lzma.LZMADecompressor(memlimit=64 << 20).decompress(head, HEAD)
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
        return b""
    return b""


def _never(name: str, words: tuple[str, str]) -> Check:
    def check(_window: Window, _path: str, _files: frozenset[str]) -> dict[str, Scalar] | None:
        raise refused("executes" if words is _EXECUTES else "unshown", words[0], words[1], format=name)

    return check


def _onnx(window: Window, path: str, files: frozenset[str]) -> dict[str, Scalar] | None:
    try:
        model = onnx_wire.read(window)
    except Malformed:
        # Protobuf has no magic: other messages begin alike, so only a file that is called a model is called a bad one.
        if path.lower().endswith(".onnx"):
            raise
        return None
    return onnx_wire.judge(model, files, path.rpartition("/")[0])


def _zip(window: Window, path: str, files: frozenset[str]) -> dict[str, Scalar] | None:
    """Read the list of a zip: a PyTorch or Keras file is refused, a NumPy archive read member by member."""
    try:
        _central(window)
        with zipfile.ZipFile(_Seen(window)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise malformed("zip", "The archive lists too many files.", "该归档文件列出的文件过多。")
            names = [member.filename for member in members]
            if any(is_pickle_name(name) for name in names):
                return _never("PyTorch archive (pickle in zip)", _EXECUTES)(window, path, files)
            if "config.json" in names and any(
                name.endswith((".h5", ".json")) for name in names if name != "config.json"
            ):
                return _never("Keras archive", _UNSHOWN)(window, path, files)
            if not names or not all(name.endswith(".npy") for name in names):
                return None
            return _arrays(archive, members)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        EOFError,
        OSError,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        raise malformed("zip", "The archive cannot be read.", "无法读取该归档文件。") from error
    except RuntimeError as error:  # zipfile says so of an encrypted member
        raise malformed("zip", "The archive is encrypted.", "该归档文件已加密。") from error


def is_pickle_name(name: str) -> bool:
    """Tell whether a member of an archive is one that loaders unpickle by its name."""
    return name.rpartition("/")[2] in {"data.pkl", "constants.pkl"} or name.endswith((".pkl", ".pickle"))


def _central(window: Window) -> None:
    """Raise Malformed when the archive's directory is larger than any model's (APPNOTE 4.3.16), before reading it."""
    tail = window.read(max(0, window.size - 65_557), min(window.size, 65_557))
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:  # noqa: PLR2004 - length of the end record
        raise malformed("zip", "The archive has no directory.", "该归档文件没有目录。")
    members, size = int.from_bytes(tail[at + 10 : at + 12], "little"), int.from_bytes(tail[at + 12 : at + 16], "little")
    if (size > MAX_CENTRAL and size != 0xFFFFFFFF) or (members > MAX_MEMBERS and members != 0xFFFF):  # noqa: PLR2004 - zip64
        raise malformed("zip", "The archive lists too many files.", "该归档文件列出的文件过多。")


def _arrays(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, Scalar]:
    """Return the facts of a NumPy archive; only the head of each member is decompressed."""
    parameters, kinds = 0, set()
    for member in members:
        with archive.open(member) as stream:
            head = stream.read(npy.MAX_HEADER + 16)
        if not head.startswith(npy.MAGIC):
            raise malformed("npy", "A member of the archive is not a NumPy array.", "归档文件中有成员不是 NumPy 数组。")
        facts = npy.read(Window(io.BytesIO(head), len(head)), whole=False)
        parameters += int(facts["parameters"] or 0)
        kinds.add(str(facts["types"]))
    return {"tensors": len(members), "parameters": parameters, "types": " ".join(sorted(kinds))[:200]}


class _Seen(io.RawIOBase):
    """A window as the seekable stream that ``zipfile`` wants."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._window.size}[whence]
        if start + offset < 0:
            raise ValueError("before the start")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._window.size - self._at)
        wanted = left if size < 0 else min(size, left)
        if wanted > MAX_CENTRAL:
            raise ValueError("too much at once")
        piece = self._window.read(self._at, wanted)
        self._at += wanted
        return piece


def summary(looks: Iterable[Look]) -> dict[str, int]:
    """Return how many files are in each state."""
    tally = {"allowed": 0, "refused": 0, "malformed": 0, "not-assessed": 0}
    for each in looks:
        tally[each.state] += 1
    return tally

"""Reading numbers and short pieces out of a file that may lie about itself, in constant memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from typing import BinaryIO

_PAGE = 1 << 16

MEND = Text(
    en="Write the file again with the tool that made it, or get it again from its source.",
    zh="请用生成该文件的工具重新写出，或从来源重新获取。",
)
CONVERT = Text(
    en="Convert the weights to safetensors, GGUF or ONNX on a machine you trust, and ship that file.",
    zh="请在可信的机器上将权重转换为 safetensors、GGUF 或 ONNX，并以该文件交付。",
)


def malformed(code: str, en: str, zh: str, **values: str | int) -> Malformed:
    """Return the fault for a file that is not what its first bytes promise."""
    return Malformed(f"weights.{code}", Text(en=en, zh=zh), do=MEND, where="", **values)


def refused(code: str, en: str, zh: str, **values: str | int) -> Refused:
    """Return the fault for a file that cannot be shown to be safe to load."""
    return Refused(f"weights.{code}", Text(en=en, zh=zh), do=CONVERT, where="", **values)


class Window:
    """A file of known size seen through one page at a time; every read outside it raises Malformed (``weights.short``)."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        """Look at ``size`` bytes of a seekable ``stream``."""
        self.size = size
        self._stream = stream
        self._at = 0
        self._page = b""

    def read(self, at: int, count: int) -> bytes:
        """Return ``count`` bytes from offset ``at``."""
        if at < 0 or count < 0 or at + count > self.size:
            raise malformed(
                "short",
                "The file ends at byte {size}, yet it says that something lies at {at} to {end}.",
                "文件共 {size} 字节，却声明 {at} 至 {end} 处有内容。",
                size=self.size,
                at=at,
                end=at + count,
            )
        low = at - self._at
        if not 0 <= low <= len(self._page) - count:
            self._stream.seek(at)
            self._page = self._stream.read(max(count, min(_PAGE, self.size - at)))
            self._at, low = at, 0
            if len(self._page) < count:
                raise malformed("changed", "The file became shorter while it was read.", "读取过程中文件变短了。")
        return self._page[low : low + count]

    def number(self, at: int, width: int) -> int:
        """Return the unsigned little-endian number of ``width`` bytes at offset ``at``."""
        return int.from_bytes(self.read(at, width), "little")

    def varint(self, at: int) -> tuple[int, int]:
        """Return the protobuf varint at ``at`` (at most 10 bytes, 64 bits) and the offset behind it."""
        low = at - self._at
        if 0 <= low < len(self._page) and self._page[low] < 0x80:  # noqa: PLR2004 - the continuation bit; the usual case
            return self._page[low], at + 1
        value = 0
        for index, byte in enumerate(self.read(at, max(1, min(10, self.size - at)))):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                if value >> 64:
                    break
                return value, at + index + 1
        raise malformed(
            "varint", "A number at byte {at} is longer than 64 bits.", "第 {at} 字节处的数超过 64 位。", at=at
        )

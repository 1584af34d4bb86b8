"""The rule of our CBOR, written a second time and in the plainest way, to hold the fast reader against it.

Takes no part of ``tongqiu.record.cbor`` and no library: RFC 8949 section 3 byte by byte, with section 4.2.1 (shortest heads,
no indefinite lengths, keys in bytewise order) and the vocabulary of ``docs/spec/statement.md`` checked as it goes.
"""

from __future__ import annotations

import math
import struct

DEPTH = 32
_BIG = {2, 3}
_PLAIN = {20, 21, 22}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


class _BrokenError(Exception):
    """The rule does not hold here; never leaves this module."""


def holds(data: bytes) -> bool:
    """Say whether ``data`` is one value of the vocabulary in its one encoding and nothing more."""
    try:
        return _item(data, 0, 0) == len(data)
    except _BrokenError:
        return False


def _item(data: bytes, at: int, depth: int) -> int:
    """Check the item at ``at`` and return where it ends."""
    major, info, value, at = _head(data, at)
    if depth > DEPTH:
        raise _BrokenError
    if major in {2, 3}:
        end = at + value
        if end > len(data) or (major == 3 and not _utf8(data[at:end])):  # noqa: PLR2004 - the number of text
            raise _BrokenError
        return end
    if major == 4:  # noqa: PLR2004 - the number of an array
        for _ in range(value):
            at = _item(data, at, depth + 1)
    elif major == 5:  # noqa: PLR2004 - the number of a map
        at = _map(data, at, depth, value)
    elif major == 6:  # noqa: PLR2004 - the number of a tag
        if value in _BIG:
            raise _BrokenError
        at = _item(data, at, depth + 1)
    elif major == 7 and info not in _PLAIN:  # noqa: PLR2004 - the number of simple values and floats
        _float(info, value)
    return at


def _map(data: bytes, at: int, depth: int, pairs: int) -> int:
    """Check so many keys, text or whole numbers in rising order, each with what stands under it."""
    last = b""
    for _ in range(pairs):
        start = at
        if at >= len(data) or data[at] >> 5 not in {0, 1, 3}:
            raise _BrokenError
        at = _item(data, at, depth + 1)
        if data[start:at] <= last:
            raise _BrokenError
        last = data[start:at]
        at = _item(data, at, depth + 1)
    return at


def _head(data: bytes, at: int) -> tuple[int, int, int, int]:
    """Return major type, additional information, argument and where the head ends; only its shortest form is taken."""
    if at >= len(data):
        raise _BrokenError
    major, info = data[at] >> 5, data[at] & 31
    if info < 24:  # noqa: PLR2004 - the argument itself
        return major, info, info, at + 1
    if info > 27:  # noqa: PLR2004 - reserved, or of indefinite length
        raise _BrokenError
    size = 1 << info - 24
    end = at + 1 + size
    value = int.from_bytes(data[at + 1 : end])
    least = (24, 1 << 8, 1 << 16, 1 << 32)[info - 24]
    if end > len(data) or (major != 7 and value < least):  # noqa: PLR2004 - floats are no numbers of bytes
        raise _BrokenError
    return major, info, value, end


def _utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _float(info: int, bits: int) -> None:
    """Check that a finite number stands in the shortest of the three widths that hold it exactly."""
    if info not in _FLOATS:
        raise _BrokenError
    value = struct.unpack(_FLOATS[info], bits.to_bytes(1 << info - 24))[0]
    if not math.isfinite(value):
        raise _BrokenError
    for shorter in range(25, info):
        try:
            if struct.unpack(_FLOATS[shorter], struct.pack(_FLOATS[shorter], value))[0] == value:
                raise _BrokenError
        except OverflowError:
            continue

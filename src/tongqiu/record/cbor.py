"""One way to write a value as bytes, so that two parties who say the same thing sign the same bytes.

This is RFC 8949 section 4.2.1 (core deterministic encoding) with a smaller vocabulary: integers within 64 bits, finite
floats in their shortest exact form, byte and text strings, arrays, maps with integer or text keys, booleans, null and
the tags a caller asks for. Reading is strict: anything that would not be written back to the very same bytes is refused.

What is read is written again by the library as it stands and compared; only the order of keys and the vocabulary are
looked at here. That costs a third of putting the value together anew (``docs/adr/0022-reading-fast-and-strictly.md``).
"""

from __future__ import annotations

import io
import math
import struct
from types import NoneType
from typing import TYPE_CHECKING, Any

import cbor2

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_BYTES = 64 * 1024 * 1024
"""Longest input :func:`loads` reads unless told otherwise, in bytes."""

MAX_DEPTH = 32
"""Deepest nesting that is read or written."""

_BIG_NUMBERS = frozenset({2, 3})
"""Tags of integers beyond 64 bits (RFC 8949 section 3.4.3), which have more than one way to be written."""

_PLAIN = frozenset({str, bytes, bool, NoneType, int})
"""What is within the vocabulary as soon as it has been read."""

_KEYS = frozenset({int, str})
_LEAST = (24, 1 << 8, 1 << 16, 1 << 32)
"""Least argument that needs one, two, four and eight bytes of its own."""

_SHORT_KEY = 64
_KEPT_KEYS = 4096

_DO = Text(en="Get the file again from its source; do not edit it.", zh="请从来源重新获取该文件，切勿编辑。")


def dumps(value: Any) -> bytes:  # noqa: ANN401 - any value of the vocabulary
    """Return the one deterministic encoding of ``value`` (RFC 8949 section 4.2.1).

    Raises Malformed (``cbor.value``) for a value outside the vocabulary: NaN, infinity, integers beyond 64 bits, other
    types, text with half a surrogate pair, or nesting deeper than :data:`MAX_DEPTH`.
    """
    return _dumps(value, "")


def loads(data: bytes, *, where: str = "", limit: int = MAX_BYTES) -> Any:  # noqa: ANN401
    """Return the value that ``data`` encodes, refusing every encoding but the deterministic one.

    Arrays come back as lists and maps as dicts. Every tag comes back as ``cbor2.CBORTag``. Raises Malformed:
    ``cbor.size`` over ``limit`` bytes, ``cbor.syntax`` for input that is not CBOR, has trailing bytes, duplicate keys
    or too deep a nesting, ``cbor.form`` for a non-deterministic encoding, and ``cbor.value`` for a value outside the
    vocabulary.
    """
    if len(data) > limit:
        raise Malformed(
            "cbor.size",
            Text(
                en="The data is {size} bytes; at most {limit} are read.",
                zh="数据有 {size} 字节，最多读取 {limit} 字节。",
            ),
            do=_DO,
            where=where,
            size=len(data),
            limit=limit,
        )
    try:
        value = cbor2.loads(
            data,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_TAGS,
        )
    except _LIBRARY as error:
        raise _no_cbor(where) from error
    numbers: list[float] = []
    if _stands((value,), numbers):
        written = cbor2.dumps(value, encoders=_FLOATS) if numbers else cbor2.dumps(value)
        if written == data:
            return value
    raise _why_refused(value, data, where)


def head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return major type, argument and end of the head at position ``at`` of ``data``, where it is in its shortest form.

    For those who know what must stand where and cut it out without reading the rest (RFC 8949 section 3). The major type
    is -1 for everything else: a longer form, an indefinite length, the end of the data. What follows is not looked at.
    """
    if at >= len(data):
        return -1, 0, at
    first = data[at]
    argument = first & 0x1F
    if argument < 24:  # noqa: PLR2004 - RFC 8949 section 3
        return first >> 5, argument, at + 1
    if argument > 27:  # noqa: PLR2004 - RFC 8949 section 3
        return -1, 0, at
    end = at + 1 + (1 << argument - 24)
    value = int.from_bytes(data[at + 1 : end])
    return (first >> 5, value, end) if end <= len(data) and value >= _LEAST[argument - 24] else (-1, 0, at)


def text(data: bytes, at: int) -> tuple[str | None, int]:
    """Return the text string at position ``at`` of ``data`` and its end, or None where there is none in shortest form."""
    major, size, start = head(data, at)
    end = start + size
    if major != 3 or end > len(data):  # noqa: PLR2004 - RFC 8949 section 3.1
        return None, at
    try:
        return data[start:end].decode(), end
    except UnicodeDecodeError:
        return None, at


def _why_refused(value: Any, data: bytes, where: str) -> Malformed:  # noqa: ANN401
    """Return what is wrong with ``data``, which reads as ``value`` and is not its one encoding."""
    stream = io.BytesIO(data)
    cbor2.CBORDecoder(
        stream, max_depth=MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False, semantic_decoders=_TAGS
    ).decode()
    if stream.read(1):
        return Malformed(
            "cbor.syntax",
            Text(en="There are bytes after the end of the value.", zh="数据末尾之后还有多余字节。"),
            do=_DO,
            where=where,
        )
    try:
        _dumps(value, where)
    except Malformed as fault:
        return fault
    return Malformed(
        "cbor.form",
        Text(
            en="The data is CBOR, but not in its one deterministic form (RFC 8949, 4.2.1).",
            zh="数据是 CBOR，但不是唯一的确定性编码（RFC 8949 第 4.2.1 节）。",
        ),
        do=_DO,
        where=where,
    )


def _no_cbor(where: str) -> Malformed:
    return Malformed(
        "cbor.syntax",
        Text(en="The data is not well-formed CBOR.", zh="数据不是格式正确的 CBOR。"),
        do=_DO,
        where=where,
    )


def _stands(parts: Iterable[Any], numbers: list[float]) -> bool:
    """Say whether all ``parts``, which were read, lie within the vocabulary and every map has its keys in order.

    Floats are added to ``numbers``: the library does not write them in their shortest form. The library has made sure
    already that text is UTF-8, that whole numbers have 64 bits (their larger tags aside), that no key stands twice, and
    that nothing is deeper than :data:`MAX_DEPTH`.
    """
    for part in parts:
        kind = type(part)
        if kind in _PLAIN:
            continue
        if kind is float:
            if not math.isfinite(part):
                return False
            numbers.append(part)
        elif kind is list or kind is dict:
            inner = part if kind is list else part.values()
            if kind is dict and not _rising(part):
                return False
            if not _PLAIN.issuperset(map(type, inner)) and not _stands(inner, numbers):
                return False
        elif kind is not cbor2.CBORTag or part.tag in _BIG_NUMBERS or not _stands((part.value,), numbers):
            return False
    return True


def _rising(keys: Iterable[Any]) -> bool:
    """Say whether keys, no two of them alike, are whole numbers or text and stand in bytewise order of their encoding."""
    if not _KEYS.issuperset(map(type, keys)):
        return False
    heads = [_KEY_HEADS[key] for key in keys]
    return heads == sorted(heads)


def _dumps(value: Any, where: str) -> bytes:  # noqa: ANN401
    try:
        numbers: list[float] = []
        ordered = _ordered(value, 0, numbers)
        return cbor2.dumps(ordered, encoders=_FLOATS) if numbers else cbor2.dumps(ordered)
    except _OutsideError as error:
        raise Malformed(
            "cbor.value",
            Text(
                en=f"This cannot be written as a record: {error.why.en}.",
                zh=f"无法写成记录：{error.why.zh}。",
            ),
            do=Text(
                en="Use text, whole numbers, finite numbers, lists and maps only.",
                zh="只能使用文本、整数、有限数值、列表和映射。",
            ),
            where=where,
        ) from None


class _OutsideError(Exception):
    """A value outside the vocabulary, and why; it never leaves this module."""

    def __init__(self, en: str, zh: str) -> None:
        self.why = Text(en=en, zh=zh)
        super().__init__(en)


class _KeyHeads(dict[int | str, bytes]):
    """The encoded form of each map key that was met, by which keys are ordered; the first few thousand short ones stay.

    Only whole numbers and text are asked for, never a truth value, which Python takes for a number.
    """

    def __missing__(self, key: int | str) -> bytes:
        _CHECKS[type(key)](key)
        head = cbor2.dumps(key)
        if len(head) <= _SHORT_KEY and len(self) < _KEPT_KEYS:
            self[key] = head
        return head


class _EveryTag(dict[int, "Callable[[object, bool], cbor2.CBORTag]"]):
    """Keeps every tag a tag, where the library would make dates, patterns and shared references of some.

    It also makes the library hand over what is inside as plain lists and dicts.
    """

    def __missing__(self, tag: int) -> Callable[[object, bool], cbor2.CBORTag]:
        return lambda value, _immutable: cbor2.CBORTag(tag, value)


_TAGS = _EveryTag()
_KEY_HEADS = _KeyHeads()
_LIBRARY = (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError)
"""Whatever the library raises about what it cannot read."""


def _ordered(value: Any, depth: int, numbers: list[float]) -> Any:  # noqa: ANN401
    """Return ``value`` with every map in bytewise order of its encoded keys, or refuse it; floats go to ``numbers``.

    The library's own canonical order is the older length-first one (RFC 7049), so maps are ordered here.
    """
    if depth > MAX_DEPTH:
        raise _OutsideError(f"more than {MAX_DEPTH} levels inside each other", f"嵌套超过 {MAX_DEPTH} 层")
    kind = type(value)
    if kind in _CHECKS:
        _CHECKS[kind](value)
        if kind is float:
            numbers.append(value)
        return value
    if kind is list or kind is tuple:
        return [_ordered(item, depth + 1, numbers) for item in value]
    if kind is dict:
        return {key: _ordered(value[key], depth + 1, numbers) for key in sorted(value, key=_key_order)}
    if kind is cbor2.CBORTag:
        if value.tag in _BIG_NUMBERS:
            _whole(2**64)
        return cbor2.CBORTag(value.tag, _ordered(value.value, depth + 1, numbers))
    raise _OutsideError(f"a value of type {kind.__name__}", f"{kind.__name__} 类型的值")


def _whole(value: int) -> None:
    if not -(2**64) <= value < 2**64:
        raise _OutsideError("a whole number beyond 64 bits", "超出 64 位的整数")


def _finite(value: float) -> None:
    if not math.isfinite(value):
        raise _OutsideError(f"a number that is not finite ({value})", f"非有限数值（{value}）")


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise _OutsideError("text with half a surrogate pair", "含有不完整代理对的文本") from None


_CHECKS: dict[type, Callable[[Any], object]] = {
    str: _utf8,
    bytes: bool,
    bool: bool,
    NoneType: bool,
    int: _whole,
    float: _finite,
}
"""What each plain type must satisfy, by a check that raises."""


def _key_order(key: object) -> bytes:
    """Return the encoded key, by which maps are ordered."""
    if type(key) is str or type(key) is int:
        return _KEY_HEADS[key]
    raise _OutsideError(f"a map key of type {type(key).__name__}", f"{type(key).__name__} 类型的映射键")


def _shortest(encoder: cbor2.CBOREncoder, value: float) -> None:
    """Write a float in the shortest of the three IEEE 754 widths that keeps its exact value."""
    # What does not fit 32 bits exactly does not fit 16.
    single = _narrow(value, b"\xfa", ">f")
    encoder.write(b"\xfb" + struct.pack(">d", value) if single is None else _narrow(value, b"\xf9", ">e") or single)


def _narrow(value: float, head: bytes, form: str) -> bytes | None:
    """Return ``head`` and ``value`` packed as ``form`` if that keeps the exact value."""
    try:
        data = struct.pack(form, value)
    except OverflowError:
        return None
    return head + data if struct.unpack(form, data)[0] == value else None


_FLOATS: dict[type, Callable[[cbor2.CBOREncoder, Any], None]] = {float: _shortest}

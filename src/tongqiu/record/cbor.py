"""One way to write a value as bytes, so that two parties who say the same thing sign the same bytes.

This is RFC 8949 section 4.2.1 (core deterministic encoding) with a smaller vocabulary: integers within 64 bits, finite
floats in their shortest exact form, byte and text strings, arrays, maps with integer or text keys, booleans, null and
the tags a caller asks for. Reading is strict: anything that would not be written back to the very same bytes is refused.
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
    from collections.abc import Callable

MAX_BYTES = 64 * 1024 * 1024
"""Longest input :func:`loads` reads unless told otherwise, in bytes."""

MAX_DEPTH = 32
"""Deepest nesting that is read or written."""

_BIG_NUMBERS = frozenset({2, 3})
"""Tags of integers beyond 64 bits (RFC 8949 section 3.4.3), which have more than one way to be written."""

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
    stream = io.BytesIO(data)
    try:
        value = cbor2.CBORDecoder(
            stream,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_EveryTag(),
        ).decode()
        rest = stream.read(1)
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise Malformed(
            "cbor.syntax",
            Text(en="The data is not well-formed CBOR.", zh="数据不是格式正确的 CBOR。"),
            do=_DO,
            where=where,
        ) from error
    if rest:
        raise Malformed(
            "cbor.syntax",
            Text(en="There are bytes after the end of the value.", zh="数据末尾之后还有多余字节。"),
            do=_DO,
            where=where,
        )
    if _dumps(value, where) != data:
        raise Malformed(
            "cbor.form",
            Text(
                en="The data is CBOR, but not in its one deterministic form (RFC 8949, 4.2.1).",
                zh="数据是 CBOR，但不是唯一的确定性编码（RFC 8949 第 4.2.1 节）。",
            ),
            do=_DO,
            where=where,
        )
    return value


def _dumps(value: Any, where: str) -> bytes:  # noqa: ANN401
    try:
        return cbor2.dumps(_ordered(value, 0), encoders={float: _shortest})
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


class _EveryTag(dict[int, "Callable[[object, bool], cbor2.CBORTag]"]):
    """Keeps every tag a tag, where the library would make dates, patterns and shared references of some.

    It also makes the library hand over what is inside as plain lists and dicts.
    """

    def __missing__(self, tag: int) -> Callable[[object, bool], cbor2.CBORTag]:
        return lambda value, _immutable: cbor2.CBORTag(tag, value)


def _ordered(value: Any, depth: int) -> Any:  # noqa: ANN401
    """Return ``value`` with every map in bytewise order of its encoded keys, or refuse it.

    The library's own canonical order is the older length-first one (RFC 7049), so maps are ordered here.
    """
    if depth > MAX_DEPTH:
        raise _OutsideError(f"more than {MAX_DEPTH} levels inside each other", f"嵌套超过 {MAX_DEPTH} 层")
    kind = type(value)
    if kind in _CHECKS:
        _CHECKS[kind](value)
        return value
    if kind is list or kind is tuple:
        return [_ordered(item, depth + 1) for item in value]
    if kind is dict:
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_key_order)}
    if kind is cbor2.CBORTag:
        if value.tag in _BIG_NUMBERS:
            _whole(2**64)
        return cbor2.CBORTag(value.tag, _ordered(value.value, depth + 1))
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


def _key_order(key: object) -> tuple[int, int, bytes]:
    """Return what sorts like the encoded key: major type, then argument, then the text itself."""
    if type(key) is str:
        data = _utf8(key)
        return (3, len(data), data)
    if type(key) is int:
        _whole(key)
        return (0, key, b"") if key >= 0 else (1, -1 - key, b"")
    raise _OutsideError(f"a map key of type {type(key).__name__}", f"{type(key).__name__} 类型的映射键")


def _shortest(encoder: cbor2.CBOREncoder, value: float) -> None:
    """Write a float in the shortest of the three IEEE 754 widths that keeps its exact value."""
    short = _narrow(value, b"\xf9", ">e") or _narrow(value, b"\xfa", ">f")
    encoder.write(short or b"\xfb" + struct.pack(">d", value))


def _narrow(value: float, head: bytes, form: str) -> bytes | None:
    """Return ``head`` and ``value`` packed as ``form`` if that keeps the exact value."""
    try:
        data = struct.pack(form, value)
    except OverflowError:
        return None
    return head + data if struct.unpack(form, data)[0] == value else None

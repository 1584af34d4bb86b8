"""One way to write a value as bytes, so that two parties who say the same thing sign the same bytes.

This is RFC 8949 section 4.2.1 (core deterministic encoding) with a smaller vocabulary: integers within 64 bits, finite
floats in their shortest exact form, byte and text strings, arrays, maps with integer or text keys, booleans, null and
the tags a caller asks for. Reading is strict: anything that would not be written back to the very same bytes is refused.
"""

from __future__ import annotations

import io
import math
import struct
from typing import Any, NoReturn

import cbor2

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

MAX_BYTES = 64 * 1024 * 1024
"""Longest input :func:`loads` reads unless told otherwise, in bytes."""

MAX_DEPTH = 32
"""Deepest nesting that is read or written."""

_DO = Text(en="Get the file again from its source; do not edit it.", zh="请从来源重新获取该文件，切勿编辑。")


def dumps(value: Any) -> bytes:  # noqa: ANN401 - any value of the vocabulary
    """Return the one deterministic encoding of ``value`` (RFC 8949 section 4.2.1).

    Raises Malformed (``cbor.value``) for a value outside the vocabulary: NaN, infinity, integers beyond 64 bits, other
    types, or nesting deeper than :data:`MAX_DEPTH`.
    """
    return cbor2.dumps(_ordered(value, 0), encoders={float: _shortest})


def loads(data: bytes, *, where: str = "", limit: int = MAX_BYTES) -> Any:  # noqa: ANN401
    """Return the value that ``data`` encodes, refusing every encoding but the deterministic one.

    Arrays come back as lists and maps as dicts. Tags come back as ``cbor2.CBORTag``. Raises Malformed: ``cbor.size``
    over ``limit`` bytes, ``cbor.syntax`` for input that is not CBOR, has trailing bytes or duplicate keys, and
    ``cbor.form`` for a non-deterministic encoding.
    """
    if len(data) > limit:
        raise Malformed(
            "cbor.size",
            Text(en="The data is {size} bytes; at most {limit} are read.", zh="数据有 {size} 字节，最多读取 {limit} 字节。"),
            do=_DO,
            where=where,
            size=len(data),
            limit=limit,
        )
    stream = io.BytesIO(data)
    try:
        value = cbor2.CBORDecoder(
            stream,
            tag_hook=lambda _decoder, tag: tag,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders={},
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
    if dumps(value) != data:
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


def _ordered(value: Any, depth: int) -> Any:  # noqa: ANN401
    """Return ``value`` with every map in bytewise order of its encoded keys, or refuse it.

    The library's own canonical order is the older length-first one (RFC 7049), so maps are ordered here.
    """
    if depth > MAX_DEPTH:
        _refuse("nesting", depth)
    kind = type(value)
    if kind is str or kind is bytes or kind is bool or value is None:
        return value
    if kind is int:
        if not -(2**64) <= value < 2**64:
            _refuse("integer beyond 64 bits", value)
        return value
    if kind is float:
        if not math.isfinite(value):
            _refuse("number that is not finite", value)
        return value
    if kind is list or kind is tuple:
        return [_ordered(item, depth + 1) for item in value]
    if kind is dict:
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_key_order)}
    if kind is cbor2.CBORTag:
        return cbor2.CBORTag(value.tag, _ordered(value.value, depth + 1))
    return _refuse("type", kind.__name__)


def _key_order(key: object) -> tuple[int, int, bytes]:
    """Return what sorts like the encoded key: major type, then argument, then the text itself."""
    if type(key) is str:
        data = key.encode()
        return (3, len(data), data)
    if type(key) is int and -(2**64) <= key < 2**64:
        return (0, key, b"") if key >= 0 else (1, -1 - key, b"")
    return _refuse("map key", type(key).__name__)


def _shortest(encoder: cbor2.CBOREncoder, value: float) -> None:
    """Write a float in the shortest of the three IEEE 754 widths that keeps its exact value."""
    for head, form in ((0xF9, ">e"), (0xFA, ">f")):
        try:
            data = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, data)[0] == value:
            break
    else:
        head, data = 0xFB, struct.pack(">d", value)
    encoder.write(bytes([head]) + data)


def _refuse(what: str, value: object) -> NoReturn:
    raise Malformed(
        "cbor.value",
        Text(en="This cannot be written as a record: {part} {value}.", zh="无法写成记录：{part} {value}。"),
        do=Text(en="Use text, whole numbers, finite numbers, lists and maps only.", zh="只能使用文本、整数、有限数值、列表和映射。"),
        part=what,
        value=str(value)[:80],
    )

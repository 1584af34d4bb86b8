"""Reading the head of a safetensors file strictly: names, shapes and places, never the weights.

The format: 8 bytes little-endian length, a JSON header of that length, then the tensors without gaps
(huggingface/safetensors, README "Format"). Such a file can hold numbers only.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from tongqiu.practices.supply.window import Window, malformed

if TYPE_CHECKING:
    from tongqiu.record.shapes import Scalar

MAX_HEADER = 100_000_000
"""Longest header the reference implementation takes (``MAX_HEADER_SIZE``)."""

MAX_TENSORS = 1_000_000
BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""Bits of one element of every element type."""

_LENGTH = 8


def sniff(head: bytes, size: int) -> bool:
    """Tell whether a file of ``size`` bytes starting with ``head`` claims to be safetensors."""
    return (
        len(head) > _LENGTH and head[_LENGTH : _LENGTH + 1] == b"{" and int.from_bytes(head[:_LENGTH], "little") < size
    )


def read(window: Window) -> dict[str, Scalar]:
    """Return how many tensors and parameters the file holds and in which types.

    Raises Malformed: ``weights.safetensors-header`` (too long, not JSON, a name twice), ``-tensor`` (an entry of another
    form), ``-layout`` (tensors overlap, leave a gap or do not fill the file).
    """
    length = window.number(0, _LENGTH)
    if length > MAX_HEADER or length > window.size - _LENGTH:
        raise _header("length")
    header = _parse(window.read(_LENGTH, length))
    notes = header.pop("__metadata__", {})
    if not isinstance(notes, dict) or not all(isinstance(value, str) for value in notes.values()):
        raise _header("__metadata__")
    if len(header) > MAX_TENSORS:
        raise _header("count")
    places: list[tuple[int, int, str]] = []
    parameters, kinds = 0, set()
    for name, entry in header.items():
        kind, count, begin, end = _tensor(name, entry)
        places.append((begin, end, name))
        kinds.add(kind)
        parameters += count
    at = 0
    for begin, end, name in sorted(places):
        if begin != at:
            raise _layout(name)
        at = end
    if at != window.size - _LENGTH - length:
        raise _layout("")
    return {"tensors": len(header), "parameters": parameters, "types": " ".join(sorted(kinds))}


def _parse(data: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a name twice")
        return made

    try:
        header = json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise _header(type(error).__name__) from error
    if not isinstance(header, dict):
        raise _header("object")
    return header


def _tensor(name: str, entry: object) -> tuple[str, int, int, int]:
    """Return element type, number of elements, begin and end of one entry."""
    if isinstance(entry, dict) and entry.keys() == {"dtype", "shape", "data_offsets"}:
        kind, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
        if isinstance(kind, str) and kind in BITS and _sizes(shape) and _sizes(place) and len(place) == 2:  # noqa: PLR2004 - begin and end
            count = math.prod(shape)
            if place[1] - place[0] == count * BITS[kind] // 8 and count * BITS[kind] % 8 == 0:
                return kind, count, place[0], place[1]
    raise malformed(
        "safetensors-tensor",
        "The safetensors header describes the tensor {name} wrongly (type, shape or place).",
        "safetensors 文件头对张量 {name} 的描述有误（类型、形状或位置）。",
        name=name[:80],
    )


def _sizes(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 32  # noqa: PLR2004 - far more dimensions than any tensor has
        and all(type(each) is int and 0 <= each < 1 << 48 for each in value)
    )


def _header(detail: str) -> Exception:
    return malformed(
        "safetensors-header",
        "The safetensors header cannot be read ({detail}).",
        "无法读取 safetensors 文件头（{detail}）。",
        detail=detail,
    )


def _layout(name: str) -> Exception:
    return malformed(
        "safetensors-layout",
        "The tensors of the safetensors file overlap, leave a gap or do not fill it {name}.",
        "safetensors 文件中的张量重叠、有空隙或未填满文件 {name}。",
        name=name[:80],
    )

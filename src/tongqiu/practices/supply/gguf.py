"""Reading the head of a GGUF file strictly: its notes and the places of its tensors, never the weights.

The format: ggml-org/ggml, ``docs/gguf.md`` (version 2 and 3, little-endian); block sizes of quantised types: ``gguf``
0.19, ``constants.GGML_QUANT_SIZES``. The file holds numbers and notes; one note, the chat template, is a Jinja program
that a chat program may run, so its presence is reported.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.practices.supply.window import Window, malformed

if TYPE_CHECKING:
    from tongqiu.record.shapes import Scalar

MAGIC = b"GGUF"
MAX_TENSORS = 200_000
MAX_NOTES = 100_000
MAX_ITEMS = 16_000_000
MAX_HEAD = 512 << 20
"""Bytes of notes and tensor descriptions at most: a vocabulary of a million words takes some tens of megabytes."""

_WIDTH = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_KEPT = {
    "general.architecture": "architecture",
    "general.name": "name",
    "general.license": "licence",
    "general.file_type": "file_type",
    "general.alignment": "alignment",
}
_MAX_TEXT = 200
_MAX_DIMENSIONS = 4
BLOCKS: dict[int, tuple[int, int]] = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 40),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
    40: (64, 36),
    41: (128, 18),
}
"""Elements in a block and bytes of a block, by ggml type."""


class _Tensor(NamedTuple):
    name: str
    elements: int
    size: int
    offset: int


def read(window: Window) -> dict[str, Scalar]:
    """Return version, counts, architecture, name, licence note and whether there is a chat template.

    Raises Malformed: ``weights.gguf-version``, ``-count`` (more than anyone has), ``-note`` (a note of unknown type or
    not text), ``-tensor`` (dimensions, type), ``-layout`` (tensors overlap, are misaligned or lie outside the file).
    """
    version = window.number(4, 4)
    if version not in (2, 3):
        raise _fault("version", "Version {detail} of GGUF is not known.", "不认识的 GGUF 版本：{detail}。", version)
    tensors, notes = window.number(8, 8), window.number(16, 8)
    if tensors > MAX_TENSORS or notes > MAX_NOTES:
        raise _fault(
            "count",
            "The GGUF file claims more tensors or notes than anyone has ({detail}).",
            "GGUF 文件声明的张量或元数据数量不可信（{detail}）。",
            max(tensors, notes),
        )
    facts: dict[str, Scalar] = {"version": version, "tensors": tensors, "chat_template": False}
    at = 24
    for _ in range(notes):
        key, at = _text(window, at)
        at = _note(window, at, key, facts)
    alignment = facts.pop("alignment", 32)
    if type(alignment) is not int or alignment < 1 or alignment > 1 << 20 or alignment % 8:
        raise _fault("note", "The alignment {detail} makes no sense.", "对齐值 {detail} 无意义。", alignment)
    found: list[_Tensor] = []
    for _ in range(tensors):
        each, at = _tensor(window, at)
        found.append(each)
    _layout(found, window.size - -(-at // alignment) * alignment, alignment)
    facts["parameters"] = sum(each.elements for each in found)
    return facts


def _note(window: Window, at: int, key: str, facts: dict[str, Scalar]) -> int:
    """Take one note in and return the offset behind it."""
    kind = window.number(at, 4)
    at += 4
    if kind == _ARRAY:
        return _array(window, at)
    if kind == _STRING:
        length = window.number(at, 8)
        if key in _KEPT:
            facts[_KEPT[key]] = window.read(at + 8, min(length, _MAX_TEXT)).decode("utf-8", "replace")
        elif key == "tokenizer.chat_template" or key.startswith("tokenizer.chat_template."):
            facts["chat_template"] = True
        return _behind(window, at + 8 + length)
    if kind not in _WIDTH:
        raise _fault(
            "note", "A note of the GGUF file has the unknown type {detail}.", "GGUF 元数据类型未知：{detail}。", kind
        )
    if key in _KEPT and kind in {4, 10}:
        facts[_KEPT[key]] = window.number(at, _WIDTH[kind])
    return _behind(window, at + _WIDTH[kind])


def _array(window: Window, at: int) -> int:
    """Return the offset behind an array; arrays of arrays are not used by anyone and are refused."""
    kind, count = window.number(at, 4), window.number(at + 4, 8)
    at += 12
    if count > MAX_ITEMS:
        raise _fault(
            "count", "A list in the GGUF file claims {detail} items.", "GGUF 文件中的列表声明有 {detail} 项。", count
        )
    if kind == _STRING:
        for _ in range(count):
            at = _behind(window, at + 8 + window.number(at, 8))
        return at
    if kind not in _WIDTH:
        raise _fault(
            "note", "A list of the GGUF file has the unknown type {detail}.", "GGUF 列表类型未知：{detail}。", kind
        )
    return _behind(window, at + count * _WIDTH[kind])


def _tensor(window: Window, at: int) -> tuple[_Tensor, int]:
    name, at = _text(window, at)
    count = window.number(at, 4)
    if count > _MAX_DIMENSIONS:
        raise _fault("tensor", "A tensor claims {detail} dimensions.", "有张量声明 {detail} 个维度。", count)
    shape = [window.number(at + 4 + 8 * index, 8) for index in range(count)]
    at += 4 + 8 * count
    kind, offset = window.number(at, 4), window.number(at + 4, 8)
    if kind not in BLOCKS:
        raise _fault("tensor", "A tensor has the unknown type {detail}.", "有张量类型未知：{detail}。", kind)
    block, width = BLOCKS[kind]
    elements = math.prod(shape)
    if elements >> 48 or (shape and shape[0] % block):
        raise _fault(
            "tensor", "The tensor {detail} has an impossible shape.", "张量 {detail} 的形状不可能成立。", name[:80]
        )
    return _Tensor(name, elements, elements // block * width, offset), at + 12


def _layout(tensors: list[_Tensor], room: int, alignment: int) -> None:
    if len({each.name for each in tensors}) != len(tensors):
        raise _fault("layout", "A tensor is named twice{detail}.", "有张量重名{detail}。", "")
    behind = 0
    for each in sorted(tensors, key=lambda tensor: tensor.offset):
        if each.offset % alignment or each.offset < behind or each.offset + each.size > room:
            raise _fault(
                "layout",
                "The tensor {detail} overlaps another or lies outside the file.",
                "张量 {detail} 与其他张量重叠或超出文件。",
                each.name[:80],
            )
        behind = each.offset + each.size


def _text(window: Window, at: int) -> tuple[str, int]:
    length = window.number(at, 8)
    if length > 65_535:  # noqa: PLR2004 - the format's own limit for keys; names are shorter
        raise _fault(
            "note", "A name in the GGUF file is {detail} bytes long.", "GGUF 文件中有名称长 {detail} 字节。", length
        )
    try:
        return window.read(at + 8, length).decode("utf-8"), at + 8 + length
    except UnicodeDecodeError as error:
        raise _fault(
            "note", "A name in the GGUF file is not text{detail}.", "GGUF 文件中有名称不是文本{detail}。", ""
        ) from error


def _behind(window: Window, at: int) -> int:
    """Return ``at`` when it still lies in the file and in the head."""
    if at > min(window.size, MAX_HEAD):
        raise _fault("note", "The head of the GGUF file does not end{detail}.", "GGUF 文件头没有结尾{detail}。", "")
    return at


def _fault(code: str, en: str, zh: str, detail: str | float | None) -> Exception:
    return malformed(f"gguf-{code}", en, zh, detail=str(detail))

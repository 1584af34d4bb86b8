"""Looking into a model file before anything runs it: which format, which operators, which other files it wants.

Only ONNX is run. Formats that execute code when they are loaded are refused by name. The file is read as plain protobuf
(Protocol Buffers encoding, wire types 0, 1, 2 and 5) without the model library; field numbers are those of onnx.proto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1 << 30
MAX_DEPTH = 24
_RUNS_CODE = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".bin", ".ckpt", ".h5", ".keras", ".npy", ".npz")
_KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})

# Message kinds, each with the fields that hold further messages: field number -> kind.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "tensor": {13: "entry"},
    "opset": {},
    "entry": {},
}


class Contents(NamedTuple):
    """What an ONNX file asks for: operator domains, and other files by the location it names."""

    domains: frozenset[str]
    files: frozenset[str]


def refuse_unsafe(path: str, head: bytes) -> None:
    """Raise Refused (``evaluation.unsafe-model``) for a model whose format can run code when it is loaded.

    By the name's ending or by the first bytes: a pickle, a ZIP (PyTorch, Keras, NumPy archives) or HDF5.
    """
    marks = {b"\x80\x02": "pickle", b"\x80\x03": "pickle", b"\x80\x04": "pickle", b"\x80\x05": "pickle"}
    marks |= {b"PK\x03\x04": "ZIP", b"\x89HDF": "HDF5", b"(dp": "pickle", b"\x93NUMPY": "NumPy"}
    found = next((name for mark, name in marks.items() if head.startswith(mark)), None)
    ending = next((ending for ending in _RUNS_CODE if path.lower().endswith(ending)), None)
    if found is None and ending is None:
        return
    raise Refused(
        "evaluation.unsafe-model",
        Text(
            en="{path} is in a format ({format}) that can run any code on this machine when it is loaded. It was not opened.",
            zh="{path} 的格式（{format}）在加载时可在本机执行任意代码，因此未予打开。",
        ),
        do=Text(
            en="Have its maker export the model to ONNX (or its weights to safetensors), or give a table with a column of "
            "decisions and name it under prediction in the manifest.",
            zh="请由制作方将模型导出为 ONNX（或将权重导出为 safetensors），或提供含决定列的表格，并在清单的 prediction 中写明该列。",
        ),
        where=path,
        path=path,
        format=found or (ending or "").lstrip("."),
    )


def look(stream: BinaryIO, path: str) -> Contents:
    """Return what the ONNX file in ``stream`` asks for.

    Raises Malformed (``evaluation.not-onnx``), Refused (``evaluation.unsafe-model``, ``evaluation.model-size``,
    ``evaluation.custom-operators``).
    """
    data = stream.read(MAX_BYTES + 1)
    refuse_unsafe(path, data[:16])
    if len(data) > MAX_BYTES:
        raise Refused(
            "evaluation.model-size",
            Text(en="{path} is larger than {limit} bytes.", zh="{path} 超过 {limit} 字节。"),
            do=Text(en="Give a table with a column of decisions instead.", zh="请改为提供含决定列的表格。"),
            where=path,
            path=path,
            limit=MAX_BYTES,
        )
    domains: set[str] = set()
    files: set[str] = set()
    graphs = 0
    try:
        for kind, fields in _messages(memoryview(data), "model", 0):
            if kind == "graph":
                graphs += 1
            elif kind in ("node", "opset", "function"):
                wanted = {"node": 7, "opset": 1, "function": 10}[kind]
                domains.update(bytes(value).decode() for number, value in fields if number == wanted)
            elif kind == "entry":
                pair = {number: bytes(value).decode() for number, value in fields}
                if pair.get(1) == "location":
                    files.add(pair.get(2, ""))
    except (ValueError, RecursionError) as error:
        raise _not_onnx(path) from error
    if not graphs:
        raise _not_onnx(path)
    strange = sorted(domains - _KNOWN_DOMAINS)
    if strange:
        raise Refused(
            "evaluation.custom-operators",
            Text(
                en="{path} uses operators of its own ({domains}); their code would have to be loaded, and is not.",
                zh="{path} 使用了自定义算子（{domains}）；这需要加载其代码，本系统不加载。",
            ),
            do=Text(
                en="Export it with standard ONNX operators, or give a table with a column of decisions.",
                zh="请用标准 ONNX 算子重新导出，或提供含决定列的表格。",
            ),
            where=path,
            path=path,
            domains=", ".join(strange)[:200],
        )
    return Contents(frozenset(domains), frozenset(files))


def _messages(data: memoryview, kind: str, depth: int) -> Iterator[tuple[str, list[tuple[int, memoryview]]]]:
    """Yield every message below ``data`` that matters, with its length-delimited fields."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    children = _CHILDREN[kind]
    fields = list(_fields(data))
    yield kind, fields
    for number, value in fields:
        if number in children:
            yield from _messages(value, children[number], depth + 1)


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of every length-delimited field; skip the others. Raises ValueError when torn."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("field number 0")
        if wire == 0:
            _, at = _varint(data, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        elif wire == 2:  # noqa: PLR2004 - length-delimited
            size, at = _varint(data, at)
            if size > end - at:
                raise ValueError("field longer than its message")
            yield number, data[at : at + size]
            at += size
        else:
            raise ValueError("unknown wire type")
        if at > end:
            raise ValueError("message ends early")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("message ends early")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - no continuation bit
            return value, at
    raise ValueError("number too long")


def _not_onnx(path: str) -> Malformed:
    return Malformed(
        "evaluation.not-onnx",
        Text(en="{path} is not an ONNX model.", zh="{path} 不是 ONNX 模型。"),
        do=Text(
            en="Export the model to ONNX, or give a table with a column of decisions.",
            zh="请将模型导出为 ONNX，或提供含决定列的表格。",
        ),
        where=path,
        path=path,
    )

"""Reading an ONNX model field by field, without loading it, for whether it is sound and needs code from elsewhere.

The format: protobuf wire encoding of ``ModelProto`` (onnx/onnx, ``onnx/onnx.proto``, field numbers below are its). A
model is a graph of named operators and numbers. Two things make it reach outside: operators of a foreign domain, which
need a native library, and tensors kept in other files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongqiu.practices.supply.window import Window, malformed, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.shapes import Scalar

MAX_FIELDS = 5_000_000
"""Fields in one model: some ten seconds of reading; the graph of a large language model has under a million."""

MAX_DEPTH = 24
MAX_TEXT = 4096
STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"})
"""Operator domains that the ONNX standard defines."""

BUILT_IN = frozenset({"com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental"})
"""Domains that ONNX Runtime builds in (``ContribOperators.md``); anything else needs a library of its own."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}

# What each message may hold: field number -> wire types. Repeated numbers may also come packed (wire type 2).
_MODEL = {1: {0}, 2: {2}, 3: {2}, 4: {2}, 5: {0}, 6: {2}, 7: {2}, 8: {2}, 14: {2}, 20: {2}, 25: {2}, 26: {2}}
_GRAPH = {1: {2}, 2: {2}, 5: {2}, 10: {2}, 11: {2}, 12: {2}, 13: {2}, 14: {2}, 15: {2}, 16: {2}}
_NODE = {1: {2}, 2: {2}, 3: {2}, 4: {2}, 5: {2}, 6: {2}, 7: {2}, 8: {2}, 9: {2}, 10: {2}}
_ATTRIBUTE = {1: {2}, 2: {5}, 3: {0}, 4: {2}, 5: {2}, 6: {2}, 7: {2, 5}, 8: {2, 0}, 9: {2}, 10: {2}, 11: {2}}
_ATTRIBUTE |= {13: {2}, 14: {2}, 15: {2}, 20: {0}, 21: {2}, 22: {2}, 23: {2}}
_TENSOR = {1: {0, 2}, 2: {0}, 3: {2}, 4: {2, 5}, 5: {0, 2}, 6: {2}, 7: {0, 2}, 8: {2}, 9: {2}, 10: {1, 2}, 11: {0, 2}}
_TENSOR |= {12: {2}, 13: {2}, 14: {0}, 16: {2}}
_FUNCTION = {1: {2}, 4: {2}, 5: {2}, 6: {2}, 7: {2}, 8: {2}, 9: {2}, 10: {2}, 11: {2}, 12: {2}, 13: {2}, 14: {2}}
_TRAINING = {1: {2}, 2: {2}, 3: {2}, 4: {2}}
_SPARSE = {1: {2}, 2: {2}, 3: {0, 2}}
_PAIR = {1: {2}, 2: {2}}
_OPSET = {1: {2}, 2: {0}}


class Model(NamedTuple):
    """What a walk through an ONNX file found."""

    ir_version: int
    opsets: tuple[tuple[str, int], ...]
    nodes: int
    initialisers: int
    domains: tuple[str, ...]
    functions: tuple[str, ...]
    locations: tuple[str, ...]


class _Field(NamedTuple):
    number: int
    value: int
    """The number itself, or the offset of the piece."""
    length: int


def sniff(head: bytes) -> bool:
    """Tell whether ``head`` could begin an ONNX model: a version number first, as every writer does."""
    return len(head) > 3 and head[0] == 0x08 and 1 <= head[1] <= 64 and head[2] >> 3 in _MODEL and head[2] & 7 in (0, 2)  # noqa: PLR2004 - tag bytes


def read(window: Window) -> Model:
    """Return what the model holds.

    Raises Malformed: ``weights.onnx`` (a field the standard does not have, or has otherwise), ``-depth``, ``-count``.
    """
    return _Walk(window).model()


def judge(model: Model, files: frozenset[str], folder: str) -> dict[str, Scalar]:
    """Return the facts of ``model`` when everything it needs is in it or in ``folder``, a path below which ``files`` lie.

    Raises Refused: ``weights.onnx-domain`` (operators that need foreign code), ``weights.onnx-outside`` (tensors in a
    file outside the folder); Malformed: ``weights.onnx-missing`` (tensors in a file that is not there).
    """
    foreign = [name for name in model.domains if name not in STANDARD | BUILT_IN and name not in model.functions]
    if foreign:
        raise refused(
            "onnx-domain",
            "The model needs operators of {domains}, which run code that is not in the file.",
            "模型需要 {domains} 的算子，这些算子会运行文件之外的代码。",
            domains=", ".join(foreign)[:200],
        )
    for place in model.locations:
        parts = place.split("/")
        if not place or "\\" in place or ":" in place or any(part in {"", ".."} for part in parts) or "\x00" in place:
            raise refused(
                "onnx-outside",
                "The model reads its numbers from outside its folder: {place}.",
                "模型从其目录之外读取数值：{place}。",
                place=place[:120],
            )
        inner = "/".join(part for part in (*folder.split("/"), *parts) if part not in {"", "."})
        if inner not in files:
            raise malformed(
                "onnx-missing",
                "The model keeps numbers in a file that is not there: {place}.",
                "模型把数值存放在不存在的文件中：{place}。",
                place=place[:120],
            )
    return {
        "ir_version": model.ir_version,
        "opsets": " ".join(f"{name or 'ai.onnx'}={version}" for name, version in model.opsets),
        "nodes": model.nodes,
        "initialisers": model.initialisers,
        "external_files": len(model.locations),
        "runtime_domains": " ".join(name for name in model.domains if name in BUILT_IN),
    }


class _Walk:
    """One pass over one file; counts what it meets."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.left = MAX_FIELDS
        self.nodes = self.initialisers = 0
        self.domains: set[str] = set()
        self.functions: set[str] = set()
        self.locations: set[str] = set()

    def model(self) -> Model:
        version, opsets, graphs = 0, [], 0
        for field in self.fields(0, self.window.size, _MODEL):
            if field.number == 1:
                version = field.value
            elif field.number == 7:  # noqa: PLR2004 - ModelProto.graph
                graphs += 1
                self.graph(field, 0)
            elif field.number == 8:  # noqa: PLR2004 - ModelProto.opset_import
                opsets.append(self.opset(field))
            elif field.number == 20:  # noqa: PLR2004 - ModelProto.training_info
                for part in self.fields(field.value, field.length, _TRAINING):
                    if part.number in {1, 2}:
                        self.graph(part, 0)
            elif field.number == 25:  # noqa: PLR2004 - ModelProto.functions
                self.function(field)
        if graphs != 1 or not opsets or not 1 <= version <= 64:  # noqa: PLR2004 - far beyond today's 12
            raise _fault("no graph, operator set or version")
        return Model(
            version,
            tuple(sorted(opsets)),
            self.nodes,
            self.initialisers,
            tuple(sorted(self.domains)),
            tuple(sorted(self.functions)),
            tuple(sorted(self.locations)),
        )

    def graph(self, piece: _Field, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _fault("too deep")
        for field in self.fields(piece.value, piece.length, _GRAPH):
            if field.number == 1:
                self.node(field, depth)
            elif field.number == 5:  # noqa: PLR2004 - GraphProto.initializer
                self.initialisers += 1
                self.tensor(field)
            elif field.number == 15:  # noqa: PLR2004 - GraphProto.sparse_initializer
                self.sparse(field)

    def node(self, piece: _Field, depth: int) -> None:
        self.nodes += 1
        domain = ""
        for field in self.fields(piece.value, piece.length, _NODE):
            if field.number == 7:  # noqa: PLR2004 - NodeProto.domain
                domain = self.text(field)
            elif field.number == 5:  # noqa: PLR2004 - NodeProto.attribute
                self.attribute(field, depth)
        self.domains.add(domain)

    def attribute(self, piece: _Field, depth: int) -> None:
        for field in self.fields(piece.value, piece.length, _ATTRIBUTE):
            if field.number in {5, 10}:
                self.tensor(field)
            elif field.number in {6, 11}:
                self.graph(field, depth + 1)
            elif field.number in {22, 23}:
                self.sparse(field)

    def sparse(self, piece: _Field) -> None:
        for field in self.fields(piece.value, piece.length, _SPARSE):
            if field.number in {1, 2}:
                self.tensor(field)

    def tensor(self, piece: _Field) -> None:
        for field in self.fields(piece.value, piece.length, _TENSOR):
            if field.number == 13:  # noqa: PLR2004 - TensorProto.external_data
                key = value = ""
                for part in self.fields(field.value, field.length, _PAIR):
                    key, value = (self.text(part), value) if part.number == 1 else (key, self.text(part))
                if key == "location":
                    self.locations.add(value)

    def function(self, piece: _Field) -> None:
        for field in self.fields(piece.value, piece.length, _FUNCTION):
            if field.number == 10:  # noqa: PLR2004 - FunctionProto.domain
                self.functions.add(self.text(field))
            elif field.number == 7:  # noqa: PLR2004 - FunctionProto.node
                self.node(field, 1)
            elif field.number == 11:  # noqa: PLR2004 - FunctionProto.attribute_proto
                self.attribute(field, 1)

    def opset(self, piece: _Field) -> tuple[str, int]:
        name, version = "", 0
        for field in self.fields(piece.value, piece.length, _OPSET):
            name, version = (self.text(field), version) if field.number == 1 else (name, field.value)
        return name, version

    def text(self, piece: _Field) -> str:
        if piece.length > MAX_TEXT:
            raise _fault("a name is too long")
        try:
            return self.window.read(piece.value, piece.length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _fault("a name is not text") from error

    def fields(self, start: int, length: int, allowed: dict[int, set[int]]) -> Iterator[_Field]:
        """Yield the fields of the message of ``length`` bytes at ``start``; every byte must belong to one."""
        at, end = start, start + length
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise _fault("too many fields")
            tag, at = self.window.varint(at)
            number, wire = tag >> 3, tag & 7
            if wire not in allowed.get(number, ()):
                raise _fault(f"field {number} of wire type {wire}")
            if wire == _VARINT:
                value, at = self.window.varint(at)
                field = _Field(number, value, 0)
            elif wire == _BYTES:
                size, at = self.window.varint(at)
                field = _Field(number, at, size)
                at += size
            else:
                field = _Field(number, at, _WIDTHS[wire])
                at += _WIDTHS[wire]
            if at > end:
                raise _fault("a piece is longer than what holds it")
            yield field


def _fault(detail: str) -> Exception:
    return malformed(
        "onnx", "The ONNX file is not well formed ({detail}).", "ONNX 文件格式有误（{detail}）。", detail=detail
    )

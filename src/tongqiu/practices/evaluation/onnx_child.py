"""The process that runs a model: features in on standard input, scores out on standard output, nothing else.

Started by :mod:`tongqiu.practices.evaluation.onnx_model` through the lent pool, under limits and without network. It
never loads operator libraries, and files beside the model only when the parent checked that they lie inside its folder.
"""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

_LENGTH = 4
_NUMBERS = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64", "tensor(int32)": "int32"}
_PAIR = 2


class Order(msgspec.Struct, frozen=True):
    """What to run: the model's path, the names of the features in order, rows, and the output to read (None: find it)."""

    path: str
    inputs: tuple[str, ...]
    rows: int
    output: str | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it: a ``kind`` of score ("probability" or "class") or a ``fault`` in plain words."""

    kind: str = ""
    fault: str = ""
    detail: str = ""


class CannotError(Exception):
    """The model does not fit the question; ``fault`` is a code the parent puts into words."""

    def __init__(self, fault: str, detail: str) -> None:
        """Keep the code and what the engine said."""
        super().__init__(fault)
        self.fault = fault
        self.detail = detail


def frame(head: object, body: bytes = b"") -> bytes:
    """Return a message: four bytes of length, the head as JSON, then raw bytes."""
    data = msgspec.json.encode(head)
    return len(data).to_bytes(_LENGTH, "big") + data + body


def unframe(message: bytes, head: type[Any]) -> tuple[Any, bytes]:
    """Return head and body of a message. Raises msgspec.DecodeError when it is torn."""
    size = int.from_bytes(message[:_LENGTH], "big")
    return msgspec.json.decode(message[_LENGTH : _LENGTH + size], type=head), message[_LENGTH + size :]


def score(order: Order, features: NDArray[np.float32]) -> tuple[str, NDArray[np.float64]]:
    """Run the model over ``features`` (rows by inputs) and return the kind of score and one number a row."""
    import numpy as np
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(order.path, options, providers=["CPUExecutionProvider"])
        feed = _feed(session, order, features)
        name, column = _output(session, order.output)
        found = np.asarray(session.run([name], feed)[0])
    except _engine_faults() as error:
        # The engine repeats the path it was given; where the file lies on this machine is nobody's business.
        said = str(error).replace(order.path, PurePath(order.path).name)
        raise CannotError("run", said[:300]) from error
    if found.dtype.kind in "iub" and found.ndim in (1, 2):
        kind = "class"
    elif found.dtype.kind == "f":
        kind = "probability"
    else:
        raise CannotError("output", f"{name}: {found.dtype}")
    if found.ndim == _PAIR and found.shape[1] in (1, _PAIR):
        found = found[:, -1] if column is None else found[:, column]
    if found.shape != (order.rows,):
        raise CannotError("shape", f"{name}: {found.shape}")
    return kind, found.astype(np.float64)


def _engine_faults() -> tuple[type[Exception], ...]:
    """Return the engine's own exceptions, which have no ancestor in common but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as engine

    found = [each for each in vars(engine).values() if isinstance(each, type) and issubclass(each, Exception)]
    return (RuntimeError, ValueError, *found)


def _feed(session: Any, order: Order, features: NDArray[np.float32]) -> dict[str, Any]:  # noqa: ANN401 - an engine's own
    inputs = session.get_inputs()
    for each in inputs:
        if each.type not in _NUMBERS:
            raise CannotError("input-type", f"{each.name}: {each.type}")
    if len(inputs) == 1:
        width = inputs[0].shape[-1] if inputs[0].shape else None
        if isinstance(width, int) and width != len(order.inputs):
            raise CannotError("width", f"{width}, {len(order.inputs)}")
        return {inputs[0].name: features.astype(_NUMBERS[inputs[0].type])}
    names = list(order.inputs)
    if sorted(each.name for each in inputs) != sorted(names):
        raise CannotError("inputs", ", ".join(each.name for each in inputs))
    return {
        each.name: features[:, names.index(each.name)]
        .astype(_NUMBERS[each.type])
        .reshape((-1, 1) if len(each.shape or ()) == _PAIR else (-1,))
        for each in inputs
    }


def _output(session: Any, wanted: str | None) -> tuple[str, int | None]:  # noqa: ANN401 - an engine's own
    """Return the output to read: the one asked for, else the first of real numbers, else the first of whole numbers."""
    outputs = {each.name: each.type for each in session.get_outputs()}
    if wanted is not None:
        if wanted not in outputs:
            raise CannotError("outputs", ", ".join(outputs))
        return wanted, None
    for types in (("tensor(float)", "tensor(double)"), ("tensor(int64)", "tensor(int32)", "tensor(bool)")):
        for name, kind in outputs.items():
            if kind in types:
                return name, None
    raise CannotError("outputs", ", ".join(f"{name}: {kind}" for name, kind in outputs.items()))


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer one order."""
    import numpy as np

    order, body = unframe(source.read(), Order)
    features = np.frombuffer(body, dtype="<f4").reshape(order.rows, len(order.inputs))
    try:
        kind, scores = score(order, features)
    except CannotError as error:
        sink.write(frame(Answer(fault=error.fault, detail=error.detail)))
        return
    sink.write(frame(Answer(kind=kind), scores.astype("<f8").tobytes()))


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)

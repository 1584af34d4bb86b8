"""Asking a model for its scores without trusting it: looked at first, then run in a process of its own, under limits."""

from __future__ import annotations

import importlib.util
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tongqiu.practices.evaluation import onnx_file
from tongqiu.practices.evaluation.onnx_child import Answer, Order, frame, unframe
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practice import Pool, ReadTree

CHILD = "tongqiu.practices.evaluation.onnx_child"
SECONDS = 300.0
MEGABYTES = 4096
_FEATURE_BYTES = 64 << 20

_WORDS: dict[str, Text] = {
    "run": Text(en="The engine could not run the model: {detail}", zh="引擎无法运行该模型：{detail}"),
    "output": Text(
        en="The model's output is neither a score nor a class ({detail}).", zh="模型输出既非分数也非类别（{detail}）。"
    ),
    "shape": Text(en="The model does not give one answer a row ({detail}).", zh="模型未逐行给出一个答案（{detail}）。"),
    "input-type": Text(
        en="The model takes an input that is no number ({detail}); only numbers are given to it.",
        zh="模型的某个输入不是数值（{detail}）；此处只能提供数值。",
    ),
    "width": Text(
        en="The model's features and the columns named under inputs differ in number ({detail}).",
        zh="模型的特征数与 inputs 所列的列数不同（{detail}）。",
    ),
    "inputs": Text(
        en="The columns named under inputs are not the model's inputs, which are: {detail}.",
        zh="inputs 所列的列不是模型的输入；模型的输入为：{detail}。",
    ),
    "outputs": Text(
        en="The model has no such output, or none that can be read as a score or class: {detail}.",
        zh="模型没有该输出，或没有可读作分数或类别的输出：{detail}。",
    ),
}


class Scores(NamedTuple):
    """One number a row; ``kind`` is ``probability`` (to be compared with the threshold) or ``class`` (0 or 1)."""

    kind: str
    values: NDArray[np.float64]


def score(  # noqa: PLR0913 - each is a part of the question
    tree: ReadTree,
    pool: Pool,
    path: str,
    features: NDArray[np.float32],
    inputs: Sequence[str],
    *,
    output: str | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Scores:
    """Return the model's score of every row of ``features`` (rows by ``inputs``, float32, all finite).

    ``path`` is a lent ONNX file, or a lent folder that holds one and the files it names. Raises Refused
    (``evaluation.unsafe-model``, ``evaluation.custom-operators``, ``evaluation.outside-data``, ``pool.limit``), Malformed
    (``evaluation.not-onnx``, ``evaluation.model``, ``evaluation.many-models``), Missing (``evaluation.no-onnx-engine``).
    """
    import numpy as np

    file = checked(tree, path)
    place = str(tree.locate(file))
    step = max(1, _FEATURE_BYTES // max(1, 4 * len(inputs)))
    kinds, parts = set(), []
    for start in range(0, len(features), step):
        block = np.ascontiguousarray(features[start : start + step], dtype="<f4")
        order = Order(place, tuple(inputs), len(block), output)
        reply = pool.run([CHILD], frame(order, block.tobytes()), seconds=SECONDS, megabytes=MEGABYTES)
        answer, body = read(reply, file)
        found = np.frombuffer(body, dtype="<f8")
        if len(found) != len(block):
            raise _fault("shape", str(len(found)), file)
        kinds.add(answer.kind)
        parts.append(found)
        progress(start + len(block))
    return Scores(kinds.pop(), np.concatenate(parts))


def checked(tree: ReadTree, path: str) -> str:
    """Return the model file of ``path`` after looking at its bytes; raises whatever :func:`score` raises before it runs."""
    file = _file_of(tree, path)
    with tree.open(file) as stream:
        contents = onnx_file.look(stream, file)
    _check_files(tree, path, file, contents.files)
    if importlib.util.find_spec("onnxruntime") is None:
        raise Missing(
            "evaluation.no-onnx-engine",
            Text(en="The engine that runs ONNX models is not installed.", zh="未安装运行 ONNX 模型的引擎。"),
            do=Text(en="Run: pip install 'tongqiu[onnx]'", zh="请运行：pip install 'tongqiu[onnx]'"),
        )
    return file


def read(reply: bytes, file: str) -> tuple[Answer, bytes]:
    """Return what the child answered; Malformed (``evaluation.model``) in plain words where it could not."""
    try:
        answer, body = unframe(reply, Answer)
    except msgspec.DecodeError as error:
        raise _fault("run", str(error)[:200], file) from error
    if answer.fault or len(body) % 8:
        raise _fault(answer.fault or "shape", answer.detail, file)
    return answer, body


def _fault(code: str, detail: str, file: str) -> Malformed:
    return Malformed(
        "evaluation.model",
        _WORDS.get(code, _WORDS["run"]),
        do=Text(
            en="Mend inputs or output in the manifest, or export the model again; or give a table with a column of decisions.",
            zh="请修正清单中的 inputs 或 output，或重新导出模型；也可提供含决定列的表格。",
        ),
        where=file,
        detail=detail,
    )


def _file_of(tree: ReadTree, path: str) -> str:
    """Return the model file: ``path`` itself, or the one ONNX file at the top of the folder ``path``."""
    if not tree.locate(path).is_dir():
        return path
    found = [name for name, _ in tree.walk(path) if name.lower().endswith(".onnx")]
    if len(found) != 1:
        raise Malformed(
            "evaluation.many-models",
            Text(
                en="The folder {path} holds {n} ONNX files; one is needed.",
                zh="文件夹 {path} 中有 {n} 个 ONNX 文件；需要恰好一个。",
            ),
            do=Text(en="Name the model file itself in the manifest.", zh="请在清单中直接写明模型文件。"),
            where=path,
            path=path,
            n=len(found),
        )
    return found[0]


def _check_files(tree: ReadTree, path: str, file: str, wanted: frozenset[str]) -> None:
    """Refuse a model that names a file which is not an ordinary file inside the folder it was declared with."""
    folder = PurePosixPath(file).parent
    inside = {name for name, _ in tree.walk(path)} if wanted else set()
    for name in sorted(wanted):
        location = PurePosixPath(name)
        if (
            location.is_absolute()
            or ".." in location.parts
            or "\\" in name
            or (folder / location).as_posix() not in inside
        ):
            raise Refused(
                "evaluation.outside-data",
                Text(
                    en="The model wants the file {name}, which is not inside the folder it was declared with.",
                    zh="模型要读取文件 {name}，而该文件不在所声明的文件夹内。",
                ),
                do=Text(
                    en="Put model and data files into one folder and name that folder as the model's path.",
                    zh="请把模型与数据文件放入同一文件夹，并把该文件夹写作模型的 path。",
                ),
                where=file,
                name=name[:200],
            )

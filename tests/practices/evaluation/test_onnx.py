"""Models are looked at before they are run, run only in a child, and never allowed to bring code or reach outside."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.practices.evaluation import onnx_model
from tongqiu.practices.evaluation.onnx_file import look, refuse_unsafe
from tongqiu.record.faults import Fault, Malformed, Refused

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tongqiu.practice import World

    Lend = Callable[..., World]


def graph_model(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: list[Any], *domains: str) -> Any:
    graph = onnx.helper.make_graph(nodes, "g", inputs, outputs, weights)
    opsets = [onnx.helper.make_opsetid("", 17), *(onnx.helper.make_opsetid(domain, 1) for domain in domains)]
    made = onnx.helper.make_model(graph, opset_imports=opsets)
    made.ir_version = 8
    return made


def scorer(*, kind: str = "probability") -> Any:
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    weights = [helper.make_tensor("w", number, [2, 1], [1.0, -1.0])]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"])]
    inputs = [helper.make_tensor_value_info("x", number, ["n", 2])]
    if kind == "probability":
        nodes.append(helper.make_node("Sigmoid", ["z"], ["p"]))
        outputs = [helper.make_tensor_value_info("p", number, ["n", 1])]
    elif kind == "two columns":
        nodes += [
            helper.make_node("Sigmoid", ["z"], ["one"]),
            helper.make_node("Neg", ["z"], ["minus"]),
            helper.make_node("Sigmoid", ["minus"], ["zero"]),
            helper.make_node("Concat", ["zero", "one"], ["p"], axis=1),
        ]
        outputs = [helper.make_tensor_value_info("p", number, ["n", 2])]
    elif kind == "class":
        weights.append(helper.make_tensor("edge", number, [1], [0.0]))
        nodes += [
            helper.make_node("Greater", ["z", "edge"], ["b"]),
            helper.make_node("Cast", ["b"], ["p"], to=onnx.TensorProto.INT64),
        ]
        outputs = [helper.make_tensor_value_info("p", onnx.TensorProto.INT64, ["n", 1])]
    else:
        nodes.append(helper.make_node("ReduceSum", ["z"], ["p"], keepdims=0))
        outputs = [helper.make_tensor_value_info("p", number, [])]
    return graph_model(nodes, inputs, outputs, weights)


FEATURES = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]], dtype=np.float32)


@pytest.mark.parametrize("kind", ["probability", "two columns"])
def test_a_score_for_every_row(folder: Path, lend: Lend, kind: str) -> None:
    (folder / "m.onnx").write_bytes(scorer(kind=kind).SerializeToString())
    world = lend("m.onnx")
    scores = onnx_model.score(world.tree, world.pool, "m.onnx", FEATURES, ("a", "b"))
    assert scores.kind == "probability"
    np.testing.assert_allclose(scores.values, 1 / (1 + np.exp([-1.0, 3.0, 0.0])), rtol=1e-6)


def test_a_model_that_answers_in_classes(folder: Path, lend: Lend) -> None:
    (folder / "m.onnx").write_bytes(scorer(kind="class").SerializeToString())
    world = lend("m.onnx")
    scores = onnx_model.score(world.tree, world.pool, "m.onnx", FEATURES, ("a", "b"))
    assert (scores.kind, scores.values.tolist()) == ("class", [1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("kind", "inputs", "output"),
    [("sum", ("a", "b"), None), ("probability", ("a",), None), ("probability", ("a", "b"), "logit")],
)
def test_a_model_that_does_not_fit_says_how(
    folder: Path, lend: Lend, kind: str, inputs: tuple[str, ...], output: str | None
) -> None:
    (folder / "m.onnx").write_bytes(scorer(kind=kind).SerializeToString())
    world = lend("m.onnx")
    with pytest.raises(Malformed, match=r"evaluation\.model") as caught:
        onnx_model.score(world.tree, world.pool, "m.onnx", FEATURES[:, : len(inputs)], inputs, output=output)
    assert "{" not in caught.value.explain("zh")


def test_a_damaged_model_is_one_clear_message(folder: Path, lend: Lend) -> None:
    model = scorer()
    model.graph.node[0].op_type = "NoSuchOperator"
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    world = lend("m.onnx")
    with pytest.raises(Malformed, match=r"evaluation\.model"):
        onnx_model.score(world.tree, world.pool, "m.onnx", FEATURES, ("a", "b"))


def test_operators_of_ones_own_are_never_loaded() -> None:
    node = onnx.helper.make_node("Evil", ["x"], ["p"], domain="com.example")
    info = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 2]) for name in "xp"]
    model = graph_model([node], info[:1], info[1:], [], "com.example")
    with pytest.raises(Refused) as caught:
        look(BytesIO(model.SerializeToString()), "m.onnx")
    assert caught.value.code == "evaluation.custom-operators"
    assert "com.example" in caught.value.explain("zh")


def test_operators_hidden_in_a_branch_are_found() -> None:
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    inner = helper.make_graph(
        [helper.make_node("Evil", [], ["y"], domain="com.hidden")],
        "inner",
        [],
        [helper.make_tensor_value_info("y", number, ["n"])],
    )
    node = helper.make_node("If", ["c"], ["p"], then_branch=inner, else_branch=inner)
    model = graph_model(
        [node],
        [helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, [1])],
        [helper.make_tensor_value_info("p", number, ["n"])],
        [],
    )
    with pytest.raises(Refused, match=r"evaluation\.custom-operators"):
        look(BytesIO(model.SerializeToString()), "m.onnx")


def outside(location: str) -> bytes:
    model = scorer()
    tensor = model.graph.initializer[0]
    values = np.frombuffer(np.array([1.0, -1.0], dtype="<f4").tobytes(), dtype=np.uint8).tobytes()
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(len(values)))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "location", ["../secret.bin", "/etc/passwd", "sub/../../secret.bin", "..\\secret.bin", "gone.bin"]
)
def test_files_outside_the_folder_are_never_read(folder: Path, lend: Lend, location: str) -> None:
    (folder / "model").mkdir()
    (folder / "model" / "m.onnx").write_bytes(outside(location))
    (folder / "secret.bin").write_bytes(np.array([1.0, -1.0], dtype="<f4").tobytes())
    world = lend("model")
    with pytest.raises(Refused) as caught:
        onnx_model.score(world.tree, world.pool, "model", FEATURES, ("a", "b"))
    assert caught.value.code == "evaluation.outside-data"


def test_weights_beside_the_model_are_read_from_its_folder(folder: Path, lend: Lend) -> None:
    (folder / "model").mkdir()
    (folder / "model" / "m.onnx").write_bytes(outside("w.bin"))
    (folder / "model" / "w.bin").write_bytes(np.array([1.0, -1.0], dtype="<f4").tobytes())
    world = lend("model")
    scores = onnx_model.score(world.tree, world.pool, "model", FEATURES, ("a", "b"))
    np.testing.assert_allclose(scores.values, 1 / (1 + np.exp([-1.0, 3.0, 0.0])), rtol=1e-6)


def test_two_models_in_a_folder_are_one_too_many(folder: Path, lend: Lend) -> None:
    (folder / "model").mkdir()
    for name in ("a.onnx", "b.onnx"):
        (folder / "model" / name).write_bytes(scorer().SerializeToString())
    world = lend("model")
    with pytest.raises(Malformed, match=r"evaluation\.many-models"):
        onnx_model.score(world.tree, world.pool, "model", FEATURES, ("a", "b"))


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("m.pkl", b""),
        ("M.JOBLIB", b"anything"),
        ("m.pt", b"PK\x03\x04"),
        ("renamed.onnx", b"\x80\x04\x95"),
        ("renamed.onnx", b"PK\x03\x04"),
        ("renamed.onnx", b"\x89HDF\r\n"),
    ],
)
def test_formats_that_run_code_are_refused_by_name_or_by_bytes(path: str, head: bytes) -> None:
    with pytest.raises(Refused) as caught:
        refuse_unsafe(path, head)
    assert caught.value.code == "evaluation.unsafe-model"
    assert "safetensors" in caught.value.explain("zh")


@pytest.mark.parametrize("data", [b"", b"\x00", b"GGUF" + b"\0" * 60, b"{}", b"\x3a\xff\xff\xff\xff\x0f", b"\x0a" * 7])
def test_what_is_no_onnx(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        look(BytesIO(data), "m.onnx")
    assert caught.value.code == "evaluation.not-onnx"


@settings(max_examples=200)
@given(data=st.data())
def test_a_torn_or_changed_model_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(scorer().SerializeToString())
    cut = data.draw(st.integers(0, len(whole)))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    found = ""
    try:
        look(BytesIO(bytes(whole[:cut])), "m.onnx")
    except Fault as fault:
        found = fault.code
    assert found in ("", "evaluation.not-onnx", "evaluation.custom-operators", "evaluation.unsafe-model")


def test_deep_nesting_ends() -> None:
    data = b""
    for _ in range(200):
        for field in (6, 5, 1):  # a graph inside an attribute inside a node inside a graph
            data = bytes([field << 3 | 2]) + _length(len(data)) + data
    with pytest.raises(Malformed, match=r"evaluation\.not-onnx"):
        look(BytesIO(bytes([7 << 3 | 2]) + _length(len(data)) + data), "m.onnx")


def _length(size: int) -> bytes:
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*out, size])

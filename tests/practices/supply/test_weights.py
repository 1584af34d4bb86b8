"""Model files: what may be loaded is read to the last field, all else is refused or left unassessed; nothing raises."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tongqiu.practices.supply import gguf, weights

# Protocols 0 to 5 of one small dictionary, written down: nothing here is ever unpickled.
PICKLES = {
    0: b"(dp0\nVa\np1\n(lp2\nI1\naI2\nas.",
    1: b"}q\x00X\x01\x00\x00\x00aq\x01]q\x02(K\x01K\x02es.",
    2: b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01]q\x02(K\x01K\x02es.",
    3: b"\x80\x03}q\x00X\x01\x00\x00\x00aq\x01]q\x02(K\x01K\x02es.",
    4: b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94]\x94(K\x01K\x02es.",
    5: b"\x80\x05\x95\x0f\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94]\x94(K\x01K\x02es.",
}
SYSTEM = b"cos\nsystem\n(S'echo hostile'\ntR."


def look(data: bytes, path: str = "model", files: frozenset[str] = frozenset()) -> weights.Look:
    return weights.look(path, io.BytesIO(data), len(data), files)


def safetensors(header: Any, body: bytes = b"\x00" * 8) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + body


GOOD: dict[str, Any] = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"format": "pt"}}


def test_safetensors_are_allowed() -> None:
    seen = look(safetensors(GOOD))
    assert (seen.format, seen.state, seen.facts) == (
        "safetensors",
        "allowed",
        {"tensors": 1, "parameters": 2, "types": "F32"},
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}), "weights.safetensors-tensor"),
        (safetensors({"a": {"dtype": "F31", "shape": [2], "data_offsets": [0, 8]}}), "weights.safetensors-tensor"),
        (safetensors({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}), "weights.safetensors-tensor"),
        (safetensors({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}), "weights.safetensors-tensor"),
        (safetensors({"a": {**GOOD["a"], "extra": 1}}), "weights.safetensors-tensor"),
        (safetensors({"a": GOOD["a"], "b": GOOD["a"]}), "weights.safetensors-layout"),
        (safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}), "weights.safetensors-layout"),
        (safetensors(GOOD, b"\x00" * 9), "weights.safetensors-layout"),
        (safetensors({"__metadata__": {"a": 1}}, b""), "weights.safetensors-header"),
        (safetensors(b'{"a":1,"a":2}'), "weights.safetensors-header"),
        (safetensors(b'{"a":' + b"[" * 100_000), "weights.safetensors-header"),
        (safetensors(b"{not json"), "weights.safetensors-header"),
    ],
)
def test_safetensors_that_lie_are_malformed(data: bytes, code: str) -> None:
    seen = look(data)
    assert (seen.state, seen.code) == ("malformed", code)
    assert seen.reason.en
    assert seen.reason.zh


def test_no_cut_of_a_safetensors_file_is_allowed() -> None:
    whole = safetensors(GOOD)
    assert all(look(whole[:end]).state != "allowed" for end in range(len(whole)))


@pytest.mark.parametrize("data", [*PICKLES.values(), SYSTEM])
def test_every_pickle_is_refused_whatever_it_is_called(data: bytes) -> None:
    for path in ("model.pkl", "model.safetensors", "weights.onnx", "readme.txt"):
        seen = look(data, path)
        assert (seen.format, seen.state, seen.code) == ("pickle", "refused", "weights.executes")


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, zlib.compress, lzma.compress, lambda data: lzma.compress(data, lzma.FORMAT_ALONE)],
)
def test_a_compressed_pickle_is_refused(pack: Any) -> None:
    assert look(pack(PICKLES[4])).code == "weights.executes"


def test_a_bomb_of_zeros_is_not_unpacked() -> None:
    assert look(gzip.compress(b"\x00" * 50_000_000)).state == "not-assessed"


def archive(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return data.getvalue()


@pytest.mark.parametrize(
    ("members", "state", "code"),
    [
        ({"archive/data.pkl": PICKLES[2], "archive/data/0": b"\x00"}, "refused", "weights.executes"),
        ({"m/code/__torch__.py": b"", "m/constants.pkl": b""}, "refused", "weights.executes"),
        ({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b""}, "refused", "weights.unshown"),
        ({"a.txt": b"hello"}, "not-assessed", "weights.unknown"),
        ({"a.npy": b"not an array"}, "malformed", "weights.npy"),
    ],
)
def test_archives_go_by_what_is_in_them(members: dict[str, bytes], state: str, code: str) -> None:
    seen = look(archive(members), "x.bin")
    assert (seen.state, seen.code) == (state, code)


def test_an_archive_of_too_many_files_or_none_is_malformed() -> None:
    assert look(archive({f"{number}.npy": b"" for number in range(10_001)})).code == "weights.zip"
    assert look(b"PK\x03\x04" + b"\x00" * 100).code == "weights.zip"
    whole = archive({"a.npy": b"x" * 100})
    assert all(look(whole[:end]).state != "allowed" for end in range(len(whole)))


def saved(value: Any, **options: Any) -> bytes:
    data = io.BytesIO()
    np.save(data, value, **options)
    return data.getvalue()


def test_arrays_of_numbers_are_allowed_and_of_objects_refused() -> None:
    assert look(saved(np.zeros((2, 3)))).facts == {"types": "<f8", "parameters": 6}
    fields = np.zeros(3, dtype=[("a", "<i4"), ("b", "U5", (2,))])
    assert look(saved(fields)).state == "allowed"
    seen = look(saved(np.array([{}, 1], dtype=object), allow_pickle=True))
    assert (seen.state, seen.code) == ("refused", "weights.npy-object")
    hidden = np.zeros(1, dtype=[("a", "<i4"), ("b", "O")])
    assert look(saved(hidden, allow_pickle=True)).code == "weights.npy-object"
    data = io.BytesIO()
    np.savez_compressed(data, a=np.arange(4), b=np.zeros(2, np.float32))
    assert look(data.getvalue()).facts == {"tensors": 2, "parameters": 6, "types": "<f4 <i8"}


@pytest.mark.parametrize(
    "header",
    [
        b"__import__('os')",
        b"{'descr': '<f8'}",
        b"(" * 5000,
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (9,)}",
        b"{'descr': 'q!', 'fortran_order': False, 'shape': ()}",
        b"{'descr': 3, 'fortran_order': False, 'shape': ()}",
        b"{'descr': [3], 'fortran_order': False, 'shape': ()}",
        b"{'descr': [('a', '<f8', 'x')], 'fortran_order': False, 'shape': ()}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': [1]}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
    ],
)
def test_array_headers_that_lie_are_malformed(header: bytes) -> None:
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\x00" * 8
    assert look(data).state == "malformed"


def test_array_files_of_unknown_versions_or_endless_heads_are_malformed() -> None:
    assert look(b"\x93NUMPY\x09\x00" + b"\x00" * 20).state == "malformed"
    assert look(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**30) + b"\x00" * 20).state == "malformed"


def test_hdf5_cannot_be_shown_safe() -> None:
    assert look(b"\x89HDF\r\n\x1a\n" + b"\x00" * 100, "model.h5").code == "weights.unshown"


# --- ONNX -------------------------------------------------------------------------------------------------------------


def model(domain: str = "", location: str | None = None, **changes: Any) -> bytes:
    bias = helper.make_tensor("b", TensorProto.FLOAT, [2], [1.0, 2.0])
    if location is not None:
        bias = TensorProto(name="b", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
        bias.external_data.add(key="location", value=location)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["c"], domain=domain)],
        "g",
        [value("a", TensorProto.FLOAT, [2])],
        [value("c", TensorProto.FLOAT, [2])],
        [bias],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8, **changes).SerializeToString()
    return data


def test_a_standard_onnx_model_is_allowed() -> None:
    seen = look(model(), "m.onnx")
    assert seen.state == "allowed"
    assert seen.facts["opsets"] == "ai.onnx=17"
    assert seen.facts["nodes"] == 1


def test_operators_that_need_foreign_code_are_refused() -> None:
    assert look(model("evil.ops")).code == "weights.onnx-domain"
    assert look(model("com.microsoft")).facts["runtime_domains"] == "com.microsoft"


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "a/../../b", "c:\\x", "", "a\\b", "file:x"])
def test_numbers_from_outside_the_folder_are_refused(place: str) -> None:
    assert look(model(location=place), "m.onnx", frozenset({"m.onnx"})).code == "weights.onnx-outside"


def test_numbers_in_a_file_beside_the_model() -> None:
    assert look(model(location="w.bin"), "d/m.onnx", frozenset({"d/w.bin"})).facts["external_files"] == 1
    assert look(model(location="./w.bin"), "d/m.onnx", frozenset({"d/w.bin"})).state == "allowed"
    assert look(model(location="w.bin"), "d/m.onnx").code == "weights.onnx-missing"


def test_control_flow_is_walked_and_functions_define_domains() -> None:
    value = helper.make_tensor_value_info
    inner = helper.make_graph([helper.make_node("Evil", [], ["x"], domain="evil")], "i", [], [value("x", 1, [1])])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    outer = helper.make_graph([branch], "o", [value("c", TensorProto.BOOL, [])], [value("y", 1, [1])])
    ids = [helper.make_opsetid("", 17), helper.make_opsetid("evil", 1)]
    assert (
        look(helper.make_model(outer, opset_imports=ids, ir_version=8).SerializeToString()).code
        == "weights.onnx-domain"
    )
    body = [helper.make_node("Identity", ["q"], ["r"])]
    function = helper.make_function("evil", "Evil", ["q"], ["r"], body, ids[:1])
    made = helper.make_model(outer, opset_imports=ids, ir_version=8, functions=[function])
    assert look(made.SerializeToString()).state == "allowed"


def test_no_cut_of_an_onnx_file_is_allowed() -> None:
    whole = model()
    for end in range(len(whole)):
        seen = look(whole[:end], "m.onnx")
        if seen.state == "allowed":  # a cut between two fields that leaves a complete message
            onnx.load_model_from_string(whole[:end])
            assert end > len(whole) - 12


def test_a_message_that_is_no_model_is_unknown_unless_it_is_called_one() -> None:
    tensor = helper.make_tensor("b", TensorProto.FLOAT, [2], [1.0, 2.0]).SerializeToString()
    assert look(tensor, "input_0.pb").state == "not-assessed"
    assert look(tensor, "input_0.onnx").state == "malformed"


def test_every_place_a_tensor_or_graph_can_hide_is_walked() -> None:
    value = helper.make_tensor_value_info
    outside = TensorProto(name="t", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="../secret")
    inner = helper.make_graph([helper.make_node("Evil", [], ["x"], domain="evil")], "i", [], [value("x", 1, [1])])
    sparse = onnx.SparseTensorProto(values=outside, dims=[1])

    def made(node: Any, **changes: Any) -> onnx.ModelProto:
        graph = helper.make_graph([node], "g", [], [value("y", 1, [1])])
        graph.sparse_initializer.extend(changes.pop("sparse", []))
        ids = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=ids, ir_version=8, **changes)

    plain = helper.make_node("Identity", ["q"], ["y"])
    training = made(plain)
    training.training_info.add().algorithm.CopyFrom(inner)
    function = helper.make_function(
        "f", "F", [], [], [helper.make_node("Evil", [], ["x"], domain="evil")], [helper.make_opsetid("", 17)]
    )
    attributed = helper.make_function("f", "F", [], [], [plain], [helper.make_opsetid("", 17)])
    attributed.attribute_proto.add(name="g", type=onnx.AttributeProto.GRAPH).g.CopyFrom(inner)
    many = helper.make_node("X", [], ["y"])
    many.attribute.add(name="t", type=onnx.AttributeProto.TENSORS).tensors.append(outside)
    hidden = helper.make_node("X", [], ["y"])
    hidden.attribute.add(name="s", type=onnx.AttributeProto.SPARSE_TENSOR).sparse_tensor.CopyFrom(sparse)
    graphs = helper.make_node("X", [], ["y"])
    graphs.attribute.add(name="gs", type=onnx.AttributeProto.GRAPHS).graphs.append(inner)
    for model_, code in (
        (made(plain), "weights.allowed"),
        (training, "weights.onnx-domain"),
        (made(plain, functions=[function]), "weights.onnx-domain"),
        (made(plain, functions=[attributed]), "weights.onnx-domain"),
        (made(graphs), "weights.onnx-domain"),
        (made(many), "weights.onnx-outside"),
        (made(hidden), "weights.onnx-outside"),
        (made(plain, sparse=[sparse]), "weights.onnx-outside"),
    ):
        assert look(model_.SerializeToString(), "m.onnx").code == code


def test_onnx_files_that_nest_or_name_too_much_are_malformed() -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph([], "g", [], [])
    for _ in range(30):
        graph = helper.make_graph(
            [helper.make_node("If", ["c"], ["y"], then_branch=graph)], "g", [], [value("y", 1, [1])]
        )
    deep = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert "deep" in look(deep.SerializeToString(), "m.onnx").reason.en
    assert "long" in look(model("d" * 5000), "m.onnx").reason.en
    name = model("domain")
    assert look(name.replace(b"domain", b"doma\xff\xff"), "m.onnx").state == "malformed"
    assert look(b"\x08\x08\x12" + b"\xff" * 11, "m.onnx").code == "weights.varint"
    assert look(b"\x08\x08\x12\x7f", "m.onnx").code == "weights.onnx"
    assert look(b"\x08\x08\x42\x00", "m.onnx").state == "malformed"


# --- GGUF -------------------------------------------------------------------------------------------------------------


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def tiny(
    *,
    version: int = 3,
    kind: int = 0,
    shape: tuple[int, ...] = (4, 2),
    offset: int = 0,
    data: int = 32,
    tensors: int = 1,
) -> bytes:
    notes = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    notes += text("tokenizer.chat_template") + struct.pack("<I", 8) + text("{{ x }}")
    notes += text("tokenizer.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    info = text("w") + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", each) for each in shape)
    info += struct.pack("<IQ", kind, offset)
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, 3) + notes + info * min(tensors, 2)
    return head + b"\x00" * (-len(head) % 32) + b"\x00" * data


def test_gguf_is_allowed_and_its_template_named() -> None:
    seen = look(tiny())
    assert (seen.format, seen.state) == ("gguf", "allowed")
    assert seen.facts == {"version": 3, "tensors": 1, "chat_template": True, "architecture": "llama", "parameters": 8}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (tiny(version=99), "weights.gguf-version"),
        (tiny(tensors=2**60), "weights.gguf-count"),
        (tiny(tensors=2), "weights.gguf-layout"),
        (tiny(kind=5), "weights.gguf-tensor"),
        (tiny(shape=(1, 1, 1, 1, 1)), "weights.gguf-tensor"),
        (tiny(shape=(2**40, 2**40)), "weights.gguf-tensor"),
        (tiny(kind=2, shape=(31,)), "weights.gguf-tensor"),
        (tiny(offset=7), "weights.gguf-layout"),
        (tiny(offset=3200), "weights.gguf-layout"),
        (tiny(data=8), "weights.gguf-layout"),
    ],
)
def test_gguf_files_that_lie_are_malformed(data: bytes, code: str) -> None:
    assert (look(data).state, look(data).code) == ("malformed", code)


def noted(note: bytes) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + note
    return head + b"\x00" * (-len(head) % 32)


@pytest.mark.parametrize(
    ("note", "code"),
    [
        (text("general.alignment") + struct.pack("<II", 4, 64), "weights.allowed"),
        (text("general.alignment") + struct.pack("<II", 4, 0), "weights.gguf-note"),
        (text("general.alignment") + struct.pack("<I", 8) + text("wide"), "weights.gguf-note"),
        (text("x") + struct.pack("<If", 6, 1.0), "weights.allowed"),
        (text("x") + struct.pack("<II", 99, 1), "weights.gguf-note"),
        (text("x") + struct.pack("<IIQ", 9, 4, 2) + b"\x00" * 8, "weights.allowed"),
        (text("x") + struct.pack("<IIQ", 9, 4, 2**40), "weights.gguf-count"),
        (text("x") + struct.pack("<IIQ", 9, 4, 2**20), "weights.gguf-note"),
        (text("x") + struct.pack("<IIQ", 9, 9, 1), "weights.gguf-note"),
        (text("x") + struct.pack("<IQ", 8, 2**63), "weights.gguf-note"),
        (struct.pack("<Q", 2**20) + b"x" * 100, "weights.gguf-note"),
        (struct.pack("<Q", 2) + b"\xff\xff" + struct.pack("<II", 4, 0), "weights.gguf-note"),
    ],
)
def test_gguf_notes(note: bytes, code: str) -> None:
    assert look(noted(note)).code == code


def test_no_cut_of_a_gguf_file_is_allowed() -> None:
    whole = tiny()
    assert all(look(whole[:end]).state != "allowed" for end in range(len(whole)))
    assert all(elements and size for elements, size in gguf.BLOCKS.values())


# --- laws -------------------------------------------------------------------------------------------------------------

WHOLE = (safetensors(GOOD), model(), tiny(), saved(np.zeros(3)), archive({"a.npy": saved(np.zeros(3))}), PICKLES[4])


@settings(max_examples=300)
@given(st.sampled_from(WHOLE), st.data())
def test_no_change_of_bytes_makes_it_raise(whole: bytes, data: st.DataObject) -> None:
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    seen = look(bytes(changed), "m.onnx")
    assert seen.state in {"allowed", "refused", "malformed", "not-assessed"}


@given(st.binary(max_size=300))
def test_noise_is_never_allowed(data: bytes) -> None:
    assert look(data).state != "allowed"


def test_plain_texts_are_no_pickles() -> None:
    for content in (
        b"",
        b"Nothing.",
        b"(hello)",
        b"]\n",
        b"{}",
        b"import os\n",
        b"I am text.\n",
        b"(a, b) = 1\n" * 5000,
    ):
        assert look(content).state == "not-assessed"


def test_only_likely_names_and_known_formats_are_reported() -> None:
    assert weights.counts("x.txt", look(tiny()))
    assert weights.counts("model.PT", look(b"?"))
    assert not weights.counts("notes.txt", look(b"?"))
    assert weights.summary([look(tiny()), look(b"?")]) == {
        "allowed": 1,
        "refused": 0,
        "malformed": 0,
        "not-assessed": 1,
    }

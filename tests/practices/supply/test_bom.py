"""The bill of materials: valid by the independent judge, the same each time, and honest about what was checked."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.practices.supply import bom, probes
from tongqiu.practices.supply.kinds import LicenceFile, Licences, Piece, Recognised, bom_holds
from tongqiu.practices.supply.manifests import Dependency
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-11-23T08:00:00.000Z"
SYSTEM = bom.Part(
    Subject("system", "urn:tongqiu:system:s", None, "S"), {"description": "says who", "provider": "P", "licence": "MIT"}
)
TREE = "tree-1:" + "ab" * 32
FILE = "sha-256:" + "cd" * 32


@pytest.fixture(scope="module")
def judge() -> JsonStrictValidator:
    return JsonStrictValidator(SchemaVersion.V1_7)


def parts(folder: Path) -> list[bom.Part]:
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text("# SPDX-License-Identifier: MIT\n", encoding="utf-8")
    (folder / "src" / "requirements.txt").write_text("one==1.0\ntwo>=2\n", encoding="utf-8")
    (folder / "src" / "poetry.lock").write_text("][", encoding="utf-8")
    (folder / "m.npy").write_bytes(b"\x93NUMPY\x01\x00")
    code = Piece(Subject("software", "pkg:pypi/a@1", TREE, "code"), "src", {"version": "1", "licence": "BSD"})
    model = Piece(
        Subject("model", "urn:x:m", FILE, "m"), "m.npy", {"task": "t", "architecture": "a"}, ("d", "elsewhere")
    )
    data = Piece(Subject("dataset", "urn:x:d", None, "d"))
    unread: list[str] = []
    made = [
        probes._part(code, probes.tree_of(folder / "src"), unread),  # noqa: SLF001 - what the probe does with one part
        probes._part(model, probes.tree_of(folder / "m.npy"), unread),  # noqa: SLF001 - the same
        probes._part(data, None, unread),  # noqa: SLF001 - the same
        bom.Part(Subject("service", "urn:x:v", None, "v"), {"version": "9"}),
    ]
    assert unread == ["poetry.lock"]
    return made


def test_a_whole_system_is_valid_and_says_what_was_checked(tmp_path: Path, judge: JsonStrictValidator) -> None:
    made = bom.compose(SYSTEM, parts(tmp_path), at=AT, unread=("poetry.lock",))
    assert judge.validate_str(made.data.decode()) is None
    tree = json.loads(made.data)
    assert tree["specVersion"] == "1.7"
    assert tree["metadata"]["timestamp"] == AT
    by_name: dict[str, Any] = {each["name"]: each for each in tree["components"]}
    assert by_name["m"]["type"] == "machine-learning-model"
    assert by_name["m"]["hashes"] == [{"alg": "SHA-256", "content": "cd" * 32}]
    assert by_name["m"]["modelCard"]["modelParameters"]["datasets"] == [
        {"ref": "dataset/d"},
        {"type": "dataset", "name": "elsewhere"},
    ]
    assert by_name["d"]["type"] == "data"
    assert by_name["code"]["licenses"] == [{"license": {"name": "BSD", "acknowledgement": "declared"}}]
    assert "hashes" not in by_name["code"]
    source = next(each for each in by_name["code"]["components"] if each["name"] == "a.py")
    assert source["hashes"][0]["content"] == hashlib.sha256((tmp_path / "src" / "a.py").read_bytes()).hexdigest()
    properties = {each["name"]: each["value"] for each in by_name["code"]["properties"]}
    assert properties["tongqiu:tree-digest"] == TREE
    assert properties["tongqiu:basis:hashes"] == "checked"
    assert properties["tongqiu:basis:version"] == "claimed"
    assert by_name["one"]["purl"] == "pkg:pypi/one@1.0"
    assert "version" not in by_name["two"]
    assert [each["name"] for each in tree["services"]] == ["v"]
    graph = {each["ref"]: each["dependsOn"] for each in tree["dependencies"]}
    assert graph["software/code"] == ["pkg:pypi/one@1.0", "pkg:pypi/two"]
    assert len(graph["system"]) == 4
    body = made.body
    assert (body.dependencies, body.unpinned, body.unread) == (2, 1, ("poetry.lock",))
    assert body.components["machine-learning-model"] == body.components["data"] == body.components["service"] == 1
    assert list(bom_holds(body)) == []
    bases = re.findall(r'"tongqiu:basis:[^"]*",\s*"value": "(\w+)"', made.data.decode())
    assert bases.count("claimed") == body.claimed
    assert body.checked == bases.count("checked") + body.components["file"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    given_parts = parts(tmp_path)
    first, second = (bom.compose(SYSTEM, given_parts, at=AT) for _ in range(2))
    assert first == second
    assert first.body.digest == "sha-256:" + hashlib.sha256(first.data).hexdigest()
    later = bom.compose(SYSTEM, given_parts, at="2026-11-24T08:00:00.000Z")
    assert later.body.serial != first.body.serial
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first.body.serial
    )


@pytest.mark.parametrize("found", [("MIT",), ("MIT", "ISC")])
def test_texts_speak_where_nothing_is_declared(found: tuple[str, ...], judge: JsonStrictValidator) -> None:
    texts = tuple(
        LicenceFile(
            path=f"LICENSE-{name}",
            state="recognised",
            digest=FILE,
            foreign=0.0,
            foreign_runs=0,
            matches=(Recognised(id=name, name=name, category="Permissive", score=1.0),),
        )
        for name in found
    )
    licences = Licences(files=2, sources=0, headed=0, index=FILE, texts=texts)
    part = bom.Part(Subject("software", "urn:x:c", TREE, "c"), {}, licences=licences)
    made = bom.compose(SYSTEM, [part, part], at=AT)
    assert judge.validate_str(made.data.decode()) is None
    first, second = json.loads(made.data)["components"]
    assert first["bom-ref"] != second["bom-ref"]
    names = [each.get("expression") or each["license"]["name"] for each in first["licenses"]]
    assert names == sorted(found)
    assert made.body.unlicensed == 0
    assert {"name": "tongqiu:basis:licenses", "value": "checked"} in first["properties"]


def test_an_empty_system_is_valid(judge: JsonStrictValidator) -> None:
    made = bom.compose(bom.Part(Subject("system", "urn:x:s"), {}), [], at=AT)
    assert judge.validate_str(made.data.decode()) is None


def test_a_part_with_very_many_files_is_named_by_its_tree_digest(judge: JsonStrictValidator) -> None:
    many = tuple(bom.Item(f"f{number}", "00" * 32, 1) for number in range(bom.MAX_FILES + 1))
    part = bom.Part(Subject("software", "urn:x:c", TREE, "c"), {}, many)
    made = bom.compose(SYSTEM, [part], at=AT)
    assert judge.validate_str(made.data.decode()) is None
    assert "file" not in made.body.components


NAMES = st.text(min_size=1, max_size=20)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["model", "dataset", "software", "service"])), max_size=4), NAMES
)
def test_whatever_owners_write_it_stays_valid(
    judge: JsonStrictValidator, rows: list[tuple[str, str, Any]], words: str
) -> None:
    need = (Dependency("pypi", "x", "1", ("00" * 32, "11" * 32), words),)
    made = bom.compose(
        SYSTEM,
        [
            bom.Part(Subject(kind, "urn:x:y", None, name), {"licence": says, "version": says}, needs=need)
            for name, says, kind in rows
        ],
        at=AT,
    )
    assert judge.validate_str(made.data.decode()) is None
    assert list(bom_holds(made.body)) == []

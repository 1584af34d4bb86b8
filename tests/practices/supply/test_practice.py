"""The practice as a node meets it: every reference leads somewhere, kinds are pinned, probes run on real folders."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tongqiu.practice import Target, load
from tongqiu.practices.supply import PRACTICE, probes, views
from tongqiu.practices.supply.kinds import BOM, LICENCES, REVIEW, STATES, WEIGHTS
from tongqiu.record import digest
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.statement import Content, Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.scan import tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from tongqiu.record.shapes import Evidence, Finding

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "src/tongqiu/practices/supply/vectors"
KINDS = {kind.name: kind for kind in PRACTICE.kinds}


class Lent:
    """A world of one folder and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree: Any = self
        self.clock: Any = self
        self.scratch = self.endpoint = self.meter = self.pool = None

    def locate(self, path: str) -> Path:
        return tree.resolve(self.folder, path)

    def now(self) -> str:
        return "2026-11-23T08:00:00.000Z"

    def progress(self, done: float, total: float | None = None) -> None:
        assert total is None or done <= total


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("library_example", ROOT / "examples/library/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def target_of(folder: Path) -> Target:
    manifest = tomllib.loads((folder / "tongqiu.toml").read_text(encoding="utf-8"))
    (code,) = manifest["code"]
    value = str(tree.tree_digest(folder / code["path"])[0])
    part = Target(Subject("software", code["purl"], value, code["name"]), "src", code)
    declared = manifest["system"] | {"facts": manifest["facts"]}
    return Target(Subject("system", "urn:tongqiu:system:x", None, declared["name"]), None, declared, (part,))


def run(target: Target, folder: Path) -> Iterator[Said]:
    for probe in PRACTICE.probes:
        for each in (target, *target.parts):
            for job in load(probe.plan)(each):
                assert type(job.params) is probe.params
                yield from load(probe.observe)(job.subject, job.params, Lent(folder))


def logged(said: Said, number: int) -> Statement:
    kind = KINDS[said.kind]
    content = Content(kind.name, kind.schema_digest, said.subject, "did:key:z", Lent(ROOT).now(), kind.write(said.body))
    return Statement(f"sha-256:{number:064x}", number, "o", Lent(ROOT).now(), content)


def test_every_reference_leads_somewhere() -> None:
    for probe in PRACTICE.probes:
        assert callable(load(probe.plan))
        assert callable(load(probe.observe))
        assert set(probe.makes) <= set(KINDS)
    for assessor in PRACTICE.assessors:
        assert callable(load(assessor.assess))
        assert {*assessor.reads, *assessor.makes} <= set(KINDS)
    for view in PRACTICE.views:
        assert callable(load(view.rows))
        assert set(view.key) <= {column.name for column in view.columns}


def test_finding_the_practice_is_light() -> None:
    code = (
        "import sys, tongqiu.practices.supply\n"
        "heavy = {'numpy', 'license_expression', 'packageurl', 'zipfile', 'tongqiu.scan', 'tongqiu.practices.supply.bom'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_released_kinds_are_pinned() -> None:
    pins = json.loads((VECTORS / "schemas.json").read_text(encoding="utf-8"))
    assert pins == {name: kind.schema_digest for name, kind in KINDS.items()}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_example_bodies_are_read_and_hold(name: str) -> None:
    vector = json.loads((VECTORS / f"{name.replace('/', '-')}.json").read_text(encoding="utf-8"))
    kind = KINDS[vector["kind"]]
    body = kind.read(vector["body"])
    assert json.loads(json.dumps(kind.write(body))) == vector["body"]
    if kind.holds is not None:
        assert list(kind.holds(body)) == []
    shapes: list[Evidence | Finding] = [
        *(kind.evidence(body) if kind.evidence else ()),
        *(kind.findings(body) if kind.findings else ()),
    ]
    assert shapes
    for each in shapes:
        assert each.title.en
        assert "{" not in each.title.en + each.title.zh
    with pytest.raises(Malformed, match=r"kind\.body"):
        kind.read(vector["body"] | {"stranger": 1})


def test_bodies_that_contradict_themselves_are_named() -> None:
    def wrong(kind: Any, **changes: Any) -> list[str]:
        name = kind.name.replace("/", "-")
        vector = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
        return list(kind.holds(kind.read(vector["body"] | changes)))

    assert wrong(LICENCES, headed=10_000) == ["headed", "headers"]
    assert wrong(WEIGHTS, looked_at=0) == ["looked_at"]
    assert wrong(BOM, unpinned=10_000) == ["unpinned"]
    assert wrong(BOM, dependencies=10_000, unlicensed=10_000) == ["dependencies", "unlicensed"]


def test_the_library_example_is_assessed(tmp_path: Path) -> None:
    folder = example().build(tmp_path / "library")
    said = list(run(target_of(folder), folder))
    by_kind = {each.kind: each for each in said}
    assert set(by_kind) == {"supply.licences/1", "supply.bom/1"}
    found = by_kind["supply.licences/1"].body
    assert (found.sources, found.headed) == (2, 2)
    assert {match.id for text in found.texts for match in text.matches} == {"Apache-2.0", "CC-BY-4.0"}
    bill = by_kind["supply.bom/1"]
    (attached,) = bill.files
    assert bill.body.digest == str(digest.of_bytes(attached.data))
    purls = [each.get("purl") for each in json.loads(attached.data)["components"]]
    assert f"pkg:pypi/license-expression@{importlib.metadata.version('license-expression')}" in purls
    assert "pkg:pypi/boolean-py" in purls
    again = {each.kind: each for each in run(target_of(folder), folder)}
    assert again == by_kind
    rows = [dict(put.values) for put in views.licences(logged(by_kind["supply.licences/1"], 1))]
    columns = {view.name: {column.name for column in view.columns} for view in PRACTICE.views}
    assert rows
    assert all(set(row) == columns["supply.licences"] for row in rows)
    assert {row["basis"] for row in rows} == {"text", "declared", "header"}
    rows = [dict(put.values) for put in views.components(logged(bill, 2))]
    assert {row["type"] for row in rows} == {"application", "library", "file"}
    assert all(set(row) == columns["supply.components"] for row in rows)


def test_the_example_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("", encoding="utf-8")
    with pytest.raises(FileExistsError):
        example().build(tmp_path)


def model_at(folder: Path, path: str, kind: Any = "model") -> list[Said]:
    target = Target(Subject(kind, f"urn:x:{kind}", None, "m"), path, {"licence": "MIT"})
    return list(run(target, folder))


def test_a_pickle_model_is_refused_and_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.safetensors").write_bytes(b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00N.")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\x00" * 100_000_000)
    (tmp_path / "m" / "bomb.npz").write_bytes(bomb.getvalue())
    (tmp_path / "m" / "loop").symlink_to(tmp_path / "m" / "loop")
    (tmp_path / "m" / "notes.txt").write_text("hello", encoding="utf-8")
    said = {each.kind: each for each in model_at(tmp_path, "m")}
    seen = {each.path: each.code for each in said["supply.weights/1"].body.files}
    assert seen == {"bomb.npz": "weights.npy", "model.safetensors": "weights.executes"}
    assert said["supply.weights/1"].body.left_out == 1
    assert said["supply.licences/1"].body.declared[0].path == "tongqiu.toml"
    rows = [dict(put.values) for put in views.weights(logged(said["supply.weights/1"], 1))]
    assert {row["state"] for row in rows} == {"refused", "malformed"} <= set(STATES)


def test_a_single_file_is_a_folder_of_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "LICENSE").write_text("beside, not part of it", encoding="utf-8")
    said = {each.kind: each for each in model_at(tmp_path, "t.csv", "dataset")}
    assert set(said) == {"supply.licences/1"}
    assert (said["supply.licences/1"].body.files, said["supply.licences/1"].body.texts) == (1, ())


def test_long_lists_are_cut_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    for number in range(probes.MOST_WEIGHTS + 3):
        (folder / f"{number}.pt").write_bytes(b"")
    body = probes.look_at_weights(probes.tree_of(folder))
    assert (len(body.files), body.more) == (probes.MOST_WEIGHTS, 3)


def test_lock_files_beyond_the_limit_are_listed_as_unread(tmp_path: Path) -> None:
    for number in range(4):
        lines = "".join(f"p{number}x{each}==1\n" for each in range(15_000))
        (tmp_path / f"requirements-{number}.txt").write_text(lines, encoding="utf-8")
    unread: list[str] = []
    found = probes._needs(probes.tree_of(tmp_path), unread)  # noqa: SLF001 - one step of the probe
    assert (len(found), unread) == (45_000, ["requirements-3.txt"])


@pytest.mark.parametrize(("path", "fault"), [("gone", Missing), ("../x", Malformed)])
def test_paths_outside_or_absent_are_faults(tmp_path: Path, path: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        model_at(tmp_path, path)


def test_services_and_papers_have_nothing_to_look_at() -> None:
    target = Target(Subject("service", "urn:x:v", None, "v"), None, {})
    assert [job for probe in PRACTICE.probes for job in load(probe.plan)(target)] == []
    assert REVIEW.evidence is None

"""The gates are really on: each rule of the house, broken on purpose in a paper house, is seen by the import linter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from benchmarks.bench_code import circles

ROOT = Path(__file__).parents[2]
ROOMS = [
    "testing",
    "cli",
    "portal",
    "client",
    "node",
    "store",
    "federation",
    "practices",
    "ledger",
    "seal",
    "practice",
    "scan",
    "chart",
    "norms",
    "measure",
    "record",
]


@pytest.fixture
def paper_house(tmp_path: Path) -> Path:
    """Return a folder with every room, empty, and two practices; the contracts are those of the real house."""
    package = tmp_path / "tongqiu"
    for room in ["", *ROOMS, "practices/dataset", "practices/supply"]:
        (package / room).mkdir(parents=True, exist_ok=True)
        (package / room / "__init__.py").write_text('"""A room."""\n', encoding="utf-8")
    return tmp_path


def linted(house: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_honest_house_is_kept(paper_house: Path) -> None:
    (paper_house / "tongqiu/practices/supply/probes.py").write_text(
        "from tongqiu import practice, record, scan\n", encoding="utf-8"
    )
    (paper_house / "tongqiu/node/discovery.py").write_text("from tongqiu import practices\n", encoding="utf-8")
    result = linted(paper_house)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


TYPES_ONLY = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    "


@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("practices/supply/probes.py", "from tongqiu.practices import dataset", "Practices are blind to each other"),
        ("practices/supply/probes.py", "from tongqiu import ledger", "Practices know no machinery"),
        ("practices/supply/probes.py", "from tongqiu import seal", "Practices know no machinery"),
        ("practices/supply/probes.py", "from tongqiu import store", "every room has a floor"),
        ("practices/supply/probes.py", "from tongqiu import node", "every room has a floor"),
        ("practices/supply/probes.py", "from tongqiu import federation", "every room has a floor"),
        ("node/desk.py", "from tongqiu.practices import supply", "never names one"),
        ("ledger/tree.py", "from tongqiu.practices import supply", "every room has a floor"),
        ("seal/cose.py", "from tongqiu import practice", "every room has a floor"),
        ("scan/tree.py", "from tongqiu import chart", "every room has a floor"),
        ("norms/pack.py", "from tongqiu import measure", "every room has a floor"),
        ("record/kind.py", TYPES_ONLY + "from tongqiu import node", "every room has a floor"),
        ("record/kind.py", "def late():\n    from tongqiu import node", "every room has a floor"),
        ("utils.py", "NOTHING = None", "every room has a floor"),
        ("record/a.py", "from tongqiu.record import b", "No circles between siblings"),
    ],
)
def test_a_broken_rule_is_seen(paper_house: Path, file: str, line: str, rule: str) -> None:
    package = paper_house / "tongqiu"
    if file == "record/a.py":
        (package / "record/b.py").write_text("from tongqiu.record import a\n", encoding="utf-8")
    (package / file).write_text(line + "\n", encoding="utf-8")
    result = linted(paper_house)
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(rule in said and said.endswith("BROKEN") for said in result.stdout.splitlines()), result.stdout


def test_the_real_house_has_no_circles() -> None:
    assert circles(grimp.build_graph("tongqiu", cache_dir=None)) == []


def test_a_circle_would_be_counted() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "f"), ("f", "e"), ("d", "g")]:
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == [["a", "b", "c"], ["e", "f"]]


def test_the_face_of_a_practice_stays_light() -> None:
    graph = grimp.build_graph("tongqiu", cache_dir=None, include_external_packages=True)
    allowed = ("tongqiu.record", "tongqiu.practice")
    for face in graph.find_children("tongqiu.practices"):
        for imported in graph.find_modules_directly_imported_by(face):
            inside = imported == face or imported.startswith(face + ".")
            at_home = imported in allowed or imported.startswith("tongqiu.record.")
            assert inside or at_home or imported in sys.stdlib_module_names | {"msgspec"}, f"{face} imports {imported}"

"""What an install costs, counted: dependencies, what start-up loads, the size of modules and functions."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["base", "demo", "dev"]
HEAVY = {
    "alembic",
    "cbor2",
    "cel",
    "cryptography",
    "cyclopts",
    "fido2",
    "jinja2",
    "jwt",
    "license_expression",
    "msgspec",
    "nacl",
    "numpy",
    "onnx",
    "onnxruntime",
    "packageurl",
    "pandas",
    "polars",
    "python_multipart",
    "rich",
    "sqlalchemy",
    "starlette",
    "uvicorn",
}


def project() -> dict[str, list[str]]:
    declared: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return declared


def text_of(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")


def pinned(lock: str) -> list[Requirement]:
    lines = re.findall(r"^([A-Za-z0-9].*?) \\$", text_of(lock), re.MULTILINE)
    return [Requirement(line) for line in lines]


def test_at_most_twenty_direct_dependencies() -> None:
    assert 0 < len(project()["dependencies"]) <= 20


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", ["linux", "win32", "darwin"])
def test_at_most_forty_five_installed(python: str, system: str) -> None:
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system}
    machine |= {"os_name": "nt" if system == "win32" else "posix"}
    chosen = [one for one in pinned("base") if one.marker is None or one.marker.evaluate(machine)]
    assert len({one.name for one in chosen}) == len(chosen)
    assert 0 < len(chosen) <= 45


def test_every_direct_dependency_is_locked_at_a_version_it_allows() -> None:
    locked = {canonicalize_name(one.name): one for one in pinned("base")}
    for line in project()["dependencies"]:
        wanted = Requirement(line)
        version = str(locked[canonicalize_name(wanted.name)].specifier).removeprefix("==")
        assert wanted.specifier.contains(version), line


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_file_has_its_hash_and_no_address(lock: str) -> None:
    text = text_of(lock)
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(blocks) == len(pinned(lock))
    for block in blocks:
        assert re.fullmatch(r"[^\n]+==[^\n]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\\n)?)+", block), block


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_for_accelerators_enters(lock: str) -> None:
    names = [one.name for one in pinned(lock)]
    assert not [name for name in names if re.match(r"(torch|nvidia|cuda|triton|tensorflow|jax)", name)]


def test_the_three_locks_agree() -> None:
    def by_name(lock: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for one in pinned(lock):
            found.setdefault(one.name, set()).add(str(one.specifier))
        return found

    base, demo, dev = (by_name(lock) for lock in LOCKS)
    assert base.items() <= demo.items()
    assert demo.items() <= dev.items()
    assert "hatchling" in demo


def test_start_up_loads_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import tongqiu; print(*sorted(set(sys.modules) - before))"
    # A measuring process would itself load things.
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "COVERAGE"))}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=clean)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "tongqiu" in loaded
    assert not loaded & HEAVY


def long_parts(path: Path) -> list[str]:
    """Return what in a file is longer than the house allows and gives no reason in its docstring."""
    text = path.read_text(encoding="utf-8")
    reason = re.compile(r"\blong(er)?\b|\blines\b")
    found = []
    tree = ast.parse(text)
    if text.count("\n") > 500 and not reason.search(ast.get_docstring(tree) or ""):
        found.append(f"{path}: {text.count(chr(10))} lines")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > 60 and not reason.search(ast.get_docstring(node) or ""):
                found.append(f"{path}:{node.lineno}: {node.name}, {length} lines")
    return found


def test_modules_and_functions_are_short_or_say_why() -> None:
    # A migration is written once, whole, and never changed.
    paths = [path for path in (ROOT / "src").rglob("*.py") if path.parent.name != "versions"]
    assert paths
    assert [line for path in paths for line in long_parts(path)] == []


def test_a_long_part_would_be_seen(tmp_path: Path) -> None:
    body = "    x = 1\n" * 60
    path = tmp_path / "long.py"
    path.write_text(f'"""A."""\ndef f():\n{body}def g():\n    """Why it has many lines."""\n{body}', encoding="utf-8")
    assert [line.split(": ")[1] for line in long_parts(path)] == ["f, 61 lines"]
    path.write_text('"""A."""\n' + "x = 1\n" * 500, encoding="utf-8")
    assert len(long_parts(path)) == 1


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    assert [path for path in (ROOT / "src").rglob("*") if path.stem in empty] == []


def test_a_wheel_carries_everything_the_package_needs(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
        about = archive.read(next(name for name in carried if name.endswith("entry_points.txt"))).decode()
    listed = subprocess.run(
        ["git", "ls-files", "src/tongqiu", "examples"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    there = [name for name in listed if (ROOT / name).is_file()]
    expected = {re.sub("^examples/", "tongqiu/_examples/", name.removeprefix("src/")) for name in there}
    assert "tongqiu/py.typed" in expected
    assert expected <= carried
    assert not [name for name in carried if name.startswith(("tests", "benchmarks", "docs"))]
    assert "tongqiu = tongqiu.cli:main" in about

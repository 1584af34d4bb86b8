"""Every manifest that a page shows is one that the node takes."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import DOCS, ROOT, fences
from tongqiu.node import core, discovery, manifest
from tongqiu.practices.grading import probes as grading

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = [
    (page, fence)
    for page in (*sorted(DOCS.glob("manifest*.md")), *sorted((DOCS / "guides").glob("*.md")))
    for fence in fences(page.read_text("utf-8"))
    if fence.language == "toml"
]
PRACTICES = discovery.discover(core=core.PRACTICE)


def supplied(folder: Path, table: dict[str, Any]) -> None:
    """Make every file and folder that a manifest names."""
    for name in manifest.TYPES:
        for row in table.get(name, []):
            place = folder / row.get("path", "nothing")
            if place.suffix:
                place.write_text("made up\n", encoding="utf-8")
            else:
                place.mkdir(parents=True, exist_ok=True)
                (place / "file.txt").write_text("made up\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "shown"),
    [(page, fence.text) for page, fence in SHOWN],
    ids=[f"{p.relative_to(ROOT)}:{f.line}" for p, f in SHOWN],
)
def test_a_manifest_that_is_shown_would_be_read(page: Path, shown: str, tmp_path: Path) -> None:
    del page
    table = tomllib.loads(shown)
    text = shown if "system" in table else f'[system]\nname = "made up"\n\n{shown}'
    supplied(tmp_path, table)
    (tmp_path / manifest.NAME).write_text(text, encoding="utf-8")
    read = manifest.read(tmp_path, PRACTICES)
    assert len(read.target.parts) == sum(len(table.get(name, [])) for name in manifest.TYPES)
    grading.check(grading.flat(table.get("facts", {})))

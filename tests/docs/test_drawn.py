"""What is drawn from the code is what the pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.drawn import DRAWINGS, layers, redrawn
from tests.docs.pages import DRAWN, ROOT, first_cells, language, sections
from tongqiu.node import open_node

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("page", "tongue"), DRAWN, ids=lambda each: getattr(each, "name", each))
def test_a_drawing_is_as_the_code_would_draw_it(page: Path, tongue: str) -> None:
    text = page.read_text("utf-8")
    assert redrawn(text, tongue) == text, "run: python -m tests.docs.drawn"


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_drawing_stands_in_both_languages(name: str) -> None:
    assert [language(page) for page, _ in DRAWN if f"<!-- drawn: {name} -->" in page.read_text("utf-8")] == ["en", "zh"]


@pytest.mark.parametrize("name", ["architecture.md", "architecture.zh.md"])
def test_every_room_is_explained_and_said_to_be_there_or_to_come(name: str) -> None:
    page = (ROOT / "docs" / name).read_text("utf-8")
    table = next(text for words, text in sections(page).items() if words in {"The floors", "楼层"})
    rooms = {room: built for floor in layers() for room, built in floor}
    assert first_cells(table) == set(rooms)
    for line in table.splitlines():
        for room in first_cells(line):
            assert rooms[room] != ("**To come**" in line or "**待建**" in line), line
            there = any((ROOT / "src/tongqiu" / each).exists() for each in (room, f"{room}.py"))
            assert there or not rooms[room], f"{room} is said to be built"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the files of a node that was opened and closed once, and those that only a person adds."""
    folder = tmp_path_factory.mktemp("node")
    open_node(folder, create=True, name="Lab").close()
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} | {"trust.toml"}


@pytest.mark.parametrize("name", ["architecture.md", "architecture.zh.md"])
def test_every_file_of_a_home_is_explained_and_no_other(name: str, home: set[str]) -> None:
    page = (ROOT / "docs" / name).read_text("utf-8")
    table = next(text for words, text in sections(page).items() if words in {"What is stored where", "什么存放在哪里"})
    assert first_cells(table) == home

"""Reading the documentation as data: its pages, headings, tables, links and the commands that it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAIRS = tuple(
    (ROOT / folder / f"{name}.md", ROOT / folder / f"{name}.zh.md")
    for folder, name in (
        (".", "README"),
        ("docs", "start-here"),
        ("docs", "architecture"),
        ("docs", "manifest"),
        ("docs", "commands"),
    )
)
"""Pages that stand in English and in Chinese."""

PAGES = (ROOT / "README.md", ROOT / "README.zh.md", *sorted(DOCS.rglob("*.md")))
RUN = tuple(
    page for pair in PAIRS for page in pair if page.name.partition(".")[0] in {"README", "start-here", "commands"}
)
DRAWN = tuple(
    (page, "zh" if ".zh." in page.name else "en")
    for pair in PAIRS
    for page in pair
    if page.name.partition(".")[0] in {"architecture", "manifest"}
)


class Fence(NamedTuple):
    """A fenced block: the line on which it begins, its language, and its text."""

    line: int
    language: str
    text: str


class Step(NamedTuple):
    """One command that a page shows, and the output that it shows below (empty where it shows none)."""

    line: int
    command: str
    shown: str


def language(page: Path) -> str:
    """Return the language of a page that stands in one."""
    return "zh" if page.name.endswith(".zh.md") else "en"


def fences(text: str) -> list[Fence]:
    """Return the fenced blocks of a page, in order."""
    return [
        Fence(text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for match in re.finditer(r"^```([a-z]*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[tuple[int, str]]:
    """Return the headings of a page: depth and words."""
    return [(len(found[1]), found[2].strip()) for found in re.finditer(r"^(#+) (.+)$", prose(text), re.MULTILINE)]


def sections(text: str) -> dict[str, str]:
    """Return what stands below each heading of the second and third depth, up to the next of either."""
    parts = re.split(r"^###? (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text: str) -> set[str]:
    """Return what stands in code in the first cell of every row of every table in a text."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def steps(text: str) -> list[Step]:
    """Return the commands of all ``sh`` and ``console`` blocks of a page, in order.

    In a ``console`` block a command begins with ``$``, and what follows it is its output. In a ``sh`` block every line
    is a command. A comment behind a command is left out.
    """
    found: list[Step] = []
    for fence in fences(text):
        if fence.language not in {"sh", "console"}:
            continue
        for number, line in enumerate(fence.text.splitlines(), fence.line + 1):
            if fence.language == "sh" and line.strip():
                found.append(Step(number, _command(line), ""))
            elif line.startswith("$ "):
                found.append(Step(number, _command(line[2:]), ""))
            elif fence.language == "console" and found:
                found[-1] = found[-1]._replace(shown=f"{found[-1].shown}{line}\n")
    return found


def _command(line: str) -> str:
    return re.sub(r"\s+# .*$", "", line).strip()


def links(text: str) -> list[str]:
    """Return the targets of all links of a page that lead to files, without their anchors."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    return [each for each in found if not re.match(r"[a-z]+:", each)]

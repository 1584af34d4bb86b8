"""What the documentation draws from the code, so that it cannot say anything else: the floors, and the facts of packs.

``python -m tests.docs.drawn`` writes the drawings anew into the pages; ``test_drawn.py`` compares.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from tests.docs.pages import DRAWN, ROOT
from tongqiu.norms import library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDTH = 76
TO_COME = {"en": "to come", "zh": "待建"}
ABOVE = {
    "en": "a room imports only from the floors below it",
    "zh": "每个房间只能从下面的楼层导入",
}
RANGED = {
    "number": {"en": "a number, or ", "zh": "数字，或 "},
    "date": {"en": "a date `YYYY-MM-DD`, or ", "zh": "日期 `YYYY-MM-DD`，或 "},
}
ANSWERS = {"bool": {"en": "true, false", "zh": "true、false"}, "text": {"en": "words", "zh": "文字"}}


def layers() -> list[list[tuple[str, bool]]]:
    """Return the floors of the import contract, top first: each room with whether it is built."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    floors = next(each for each in declared["contracts"] if each["id"] == "floors")
    found = []
    for floor in floors["layers"]:
        rooms = [room.strip() for room in floor.split("|")]
        found.append([(room.strip("()"), not room.startswith("(")) for room in rooms])
    return found


def floors(language: str) -> Iterator[str]:
    """Yield the house as lines of plain text, the highest floor first."""
    yield "```text"
    rows = layers()
    yield "   +" + "-" * (WIDTH - 5) + "+"
    for number, rooms in zip(range(len(rows), 0, -1), rows, strict=True):
        width = (WIDTH - 5) // len(rooms)
        cells = [
            f"{name if built else f'{name} ({TO_COME[language]})'}".center(width - 1 - _wide(language, built=built))
            for name, built in rooms
        ]
        line = "|".join(cells)
        yield f"{number:2} |{line.ljust(WIDTH - 5 - sum(_wide(language, built=built) for _, built in rooms))}|"
        yield "   +" + "-" * (WIDTH - 5) + "+"
    yield f"   {ABOVE[language]}"
    yield "```"


def _wide(language: str, *, built: bool) -> int:
    """Return how many columns more than characters a cell takes: Chinese characters are two columns wide."""
    return 0 if built or language == "en" else len(TO_COME[language])


def facts(language: str) -> Iterator[str]:
    """Yield a table of every question that a shipped pack asks, with its answers, in the order of the packs."""
    head = ("Key", "Question", "Answers") if language == "en" else ("键", "问题", "可答")
    for pack in library.shipped():
        yield f"**`{pack}`**"
        yield ""
        yield f"| {' | '.join(head)} |"
        yield "|---|---|---|"
        for fact in library.questions(pack).facts.values():
            if fact.type == "signal":
                continue
            answers = (
                RANGED.get(fact.type, {}).get(language, "") + ", ".join(f"`{each}`" for each in fact.values)
                if fact.choices or fact.bands
                else ANSWERS[fact.type][language]
            )
            question = getattr(fact.question, language).replace("|", "\\|")
            yield f"| `{fact.key}` | {question} | {answers} |"
        yield ""


DRAWINGS: dict[str, Callable[[str], Iterator[str]]] = {"floors": floors, "facts": facts}


def redrawn(text: str, language: str) -> str:
    """Return a page with everything between its marks drawn anew."""

    def draw(found: re.Match[str]) -> str:
        lines = "\n".join(DRAWINGS[found[1]](language)).rstrip("\n")
        return f"<!-- drawn: {found[1]} -->\n{lines}\n<!-- end -->"

    return re.sub(r"<!-- drawn: ([a-z]+) -->\n.*?<!-- end -->", draw, text, flags=re.DOTALL)


def main() -> None:
    """Write every drawing anew."""
    for page, language in DRAWN:
        page.write_text(redrawn(page.read_text("utf-8"), language), encoding="utf-8")


if __name__ == "__main__":
    main()

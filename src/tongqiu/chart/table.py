"""The table beside every picture: the same numbers, for screen readers, for copying and for checking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.chart.mark import Mark, join, tag
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NUMBERS = Text(en="The numbers", zh="数据表")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Sequence[int] = ()) -> Mark:
    """Return a ``<table>`` with caption and column heads; the first cell of each row names the row.

    ``numeric`` lists the columns (from 0) whose cells are set flush right.
    """
    right = set(numeric)
    head = tag("tr", *(tag("th", each, scope="col", _class=_side(i, right)) for i, each in enumerate(heads)))
    body = [
        tag(
            "tr",
            *(
                tag("th", cell, scope="row", dir="auto")
                if i == 0
                else tag("td", cell, _class=_side(i, right), dir=None if i in right else "auto")
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    return tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))


def figure(title: str, svg: Mark, companion: Mark, language: str, *, note: str = "") -> Mark:
    """Return a ``<figure>``: title, picture, note, and the table folded under it."""
    return tag(
        "figure",
        tag("figcaption", title, dir="auto"),
        svg,
        tag("p", note, _class="note") if note else Mark(""),
        tag(
            "details",
            tag("summary", NUMBERS.of(language)),
            # Whoever has no mouse scrolls a wide table by keyboard.
            tag("div", companion, _class="scroll", tabindex="0", role="region", aria_label=title),
        ),
    )


def image(title: str, description: str, height: float, *children: object) -> Mark:
    """Return an ``<svg>`` as wide as its place and ``height`` pixels high, with its name and description."""
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        join(*children),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        width="100%",
        height=height,
        _class="chart",
    )


def _side(index: int, right: set[int]) -> str | None:
    return "num" if index in right else None

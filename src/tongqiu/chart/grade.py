"""Where something stands on an ordered scale: one step, or the whole range that its unknown facts leave open."""

from __future__ import annotations

import msgspec

from tongqiu.chart.mark import Mark, fit, tag, width
from tongqiu.chart.table import figure, image, table
from tongqiu.record.text import Text

_STEP = Text(en="Step", zh="等级")
_HERE = Text(en="Possible", zh="是否可能")
_RANGE = Text(en="Between {low} and {high}", zh="介于“{low}”与“{high}”之间")
_YES = Text(en="yes", zh="是")
_NO = Text(en="no", zh="否")
_LETTERS = 48


class GradeBar(msgspec.Struct, frozen=True):
    """An ordered scale, lowest step first, and the steps from ``low`` to ``high`` (positions from 0, both included)."""

    title: str
    steps: tuple[str, ...]
    low: int
    high: int

    def __post_init__(self) -> None:
        """Refuse a range that is not on the scale."""
        if not 0 <= self.low <= self.high < len(self.steps):
            raise ValueError("a grade must be a range of steps on its scale")

    def words(self, language: str) -> str:
        """Return the grade as a sentence: its one step, or from which to which."""
        low, high = self.steps[self.low], self.steps[self.high]
        return low if self.low == self.high else _RANGE.fill(low=low, high=high).of(language)

    def svg(self, language: str) -> Mark:
        """Return the scale as boxes, the possible steps filled; every step is named where the names fit."""
        count = len(self.steps)
        each = 100 / count
        room = _LETTERS // count
        fits = all(width(step) <= room for step in self.steps)
        drawn: list[Mark] = []
        for i, step in enumerate(self.steps):
            inside = self.low <= i <= self.high
            drawn.append(
                tag(
                    "rect",
                    x=f"{i * each + 0.3:.2f}%",
                    y="1",
                    width=f"{each - 0.6:.2f}%",
                    height="18",
                    rx="3",
                    stroke="currentColor",
                    fill="currentColor",
                    fill_opacity="1" if inside else "0.06",
                    stroke_opacity="1" if inside else "0.35",
                    _class=f"step {'in' if inside else 'out'}",
                )
            )
            if fits:
                middle = f"{(i + 0.5) * each:.2f}%"
                drawn.append(
                    tag(
                        "text",
                        step,
                        x=middle,
                        y="36",
                        text_anchor="middle",
                        fill="currentColor",
                        _class="tick in" if inside else "tick",
                    )
                )
        if not fits:
            ends = ((self.steps[0], "0", "start", 0), (self.steps[-1], "100%", "end", count - 1))
            drawn += [
                tag(
                    "text",
                    fit(step, _LETTERS // 2 - 1),
                    x=x,
                    y="36",
                    text_anchor=anchor,
                    fill="currentColor",
                    _class="tick in" if self.low <= i <= self.high else "tick",
                )
                for step, x, anchor, i in ends
            ]
        description = " < ".join(self.steps) + ". " + self.words(language)
        return image(self.title, description, 42, *drawn)

    def table(self, language: str) -> Mark:
        """Return the scale as a table, saying of every step whether it is possible."""
        rows = [(step, (_YES if self.low <= i <= self.high else _NO).of(language)) for i, step in enumerate(self.steps)]
        return table(self.title, [_STEP.of(language), _HERE.of(language)], rows)

    def figure(self, language: str) -> Mark:
        """Return picture and table together."""
        return figure(self.title, self.svg(language), self.table(language), language, note=self.words(language))

"""Amounts side by side, the shares of a whole, and the course of a value over time."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from tongqiu.chart.mark import Mark, fit, tag
from tongqiu.chart.number import number, percent
from tongqiu.chart.table import figure, image, table
from tongqiu.record.text import Text

_NAME = Text(en="What", zh="项目")
_AMOUNT = Text(en="Amount", zh="数量")
_SHARE = Text(en="Share", zh="占比")
_WHEN = Text(en="When", zh="时间")
_ROOM = 34
_ROW = 34
_LEGEND = 22

Tone = Literal["plain", "met", "unmet", "undecided", "not-assessed", "not-applicable", "claimed"]


class Bar(msgspec.Struct, frozen=True):
    """One amount (None where nobody measured) with its name and tone."""

    label: str
    value: float | None
    tone: Tone = "plain"


class Bars(msgspec.Struct, frozen=True):
    """Amounts as bars from zero; ``share`` writes percentages, ``unit`` stands after each number."""

    title: str
    bars: tuple[Bar, ...]
    share: bool = False
    unit: str = ""

    def svg(self, language: str) -> Mark:
        """Return the picture; the longest bar fills the width, or 100% does for shares."""
        finite = [abs(bar.value) for bar in self.bars if bar.value is not None and math.isfinite(bar.value)]
        most = 1.0 if self.share else max(finite, default=1.0) or 1.0
        drawn: list[Mark] = []
        for i, bar in enumerate(self.bars):
            y = i * _ROW
            drawn += [
                tag("text", fit(bar.label, _ROOM), x="0", y=y + 14, _class="name", fill="currentColor"),
                tag("text", self._said(bar), x="100%", y=y + 14, text_anchor="end", _class="num", fill="currentColor"),
                tag("rect", x="0", y=y + 19, width="100%", height="8", fill="currentColor", fill_opacity="0.08"),
            ]
            if bar.value is not None and math.isfinite(bar.value):
                long = min(100.0, 100 * abs(bar.value) / most)
                drawn.append(
                    tag("rect", x="0", y=y + 19, width=f"{long:.2f}%", height="8", fill="currentColor", _class=bar.tone)
                )
        words = "; ".join(f"{bar.label}: {self._said(bar)}" for bar in self.bars)
        del language
        return image(self.title, words, _ROW * len(self.bars), *drawn)

    def table(self, language: str) -> Mark:
        """Return the same numbers as a table."""
        rows = [(bar.label, self._said(bar)) for bar in self.bars]
        return table(self.title, [_NAME.of(language), _AMOUNT.of(language)], rows, numeric=(1,))

    def figure(self, language: str) -> Mark:
        """Return picture and table together."""
        return figure(self.title, self.svg(language), self.table(language), language)

    def _said(self, bar: Bar) -> str:
        if bar.value is None:
            return "–"
        return percent(bar.value) if self.share else f"{number(bar.value)} {self.unit}".rstrip()


class Share(msgspec.Struct, frozen=True):
    """The parts of one whole, in order; every amount is zero or more."""

    title: str
    parts: tuple[Bar, ...]

    def svg(self, language: str) -> Mark:
        """Return one bar cut into its parts, with a legend that names every part, so colour is never alone."""
        total = self._total()
        drawn: list[Mark] = []
        start = 0.0
        for part in self.parts:
            long = 100 * (part.value or 0) / total if total else 0.0
            if long > 0:
                drawn.append(
                    tag(
                        "rect",
                        x=f"{start:.2f}%",
                        y="0",
                        width=f"{long:.2f}%",
                        height="16",
                        fill="currentColor",
                        _class=f"part {part.tone}",
                    )
                )
            start += long
        for i, part in enumerate(self.parts):
            y = 26 + i * _LEGEND
            drawn += [
                tag("rect", x="0", y=y, width="12", height="12", fill="currentColor", _class=f"part {part.tone}"),
                tag("text", fit(part.label, _ROOM), x="20", y=y + 11, fill="currentColor", _class="name"),
                tag("text", self._said(part), x="100%", y=y + 11, text_anchor="end", fill="currentColor", _class="num"),
            ]
        del language
        words = "; ".join(f"{part.label}: {self._said(part)}" for part in self.parts)
        return image(self.title, words, 26 + _LEGEND * len(self.parts), *drawn)

    def table(self, language: str) -> Mark:
        """Return the same numbers as a table."""
        total = self._total()
        rows = [
            (part.label, number(part.value or 0), percent((part.value or 0) / total) if total else "–")
            for part in self.parts
        ]
        heads = [each.of(language) for each in (_NAME, _AMOUNT, _SHARE)]
        return table(self.title, heads, rows, numeric=(1, 2))

    def figure(self, language: str) -> Mark:
        """Return picture and table together."""
        return figure(self.title, self.svg(language), self.table(language), language)

    def _total(self) -> float:
        return sum(part.value or 0 for part in self.parts)

    def _said(self, part: Bar) -> str:
        total = self._total()
        return f"{number(part.value or 0)} ({percent((part.value or 0) / total, digits=2) if total else '–'})"


class Spark(msgspec.Struct, frozen=True):
    """The course of one value: ``(when, value)`` in order; values that are not finite leave a gap unfilled."""

    title: str
    course: tuple[tuple[str, float], ...]
    share: bool = False

    def svg(self, language: str) -> Mark:
        """Return a small line with its first and last value."""
        shown = [(i, value) for i, (_, value) in enumerate(self.course) if math.isfinite(value)]
        low = min((value for _, value in shown), default=0.0)
        high = max((value for _, value in shown), default=1.0)
        spread = high - low or 1.0
        steps = max(1, len(self.course) - 1)
        points = " ".join(f"{100 * i / steps:.2f},{90 - 80 * (value - low) / spread:.2f}" for i, value in shown)
        line = tag(
            "svg",
            tag(
                "polyline",
                points=points,
                fill="none",
                stroke="currentColor",
                stroke_width="2",
                _class="whisker",
                vector_effect="non-scaling-stroke",
            ),
            x="0",
            y="0",
            width="100%",
            height="32",
            viewBox="0 0 100 100",
            preserveAspectRatio="none",
        )
        ends: list[Mark] = []
        if shown:
            ends.append(tag("text", self._number(shown[0][1]), x="0", y="46", _class="tick", fill="currentColor"))
        if len(shown) > 1:
            ends.append(
                tag(
                    "text",
                    self._number(shown[-1][1]),
                    x="100%",
                    y="46",
                    text_anchor="end",
                    _class="tick",
                    fill="currentColor",
                )
            )
        del language
        words = "; ".join(f"{when}: {self._number(value)}" for when, value in self.course)
        return image(self.title, words, 50, line, *ends)

    def table(self, language: str) -> Mark:
        """Return the same numbers as a table."""
        rows = [(when, self._number(value)) for when, value in self.course]
        return table(self.title, [_WHEN.of(language), _AMOUNT.of(language)], rows, numeric=(1,))

    def figure(self, language: str) -> Mark:
        """Return picture and table together."""
        return figure(self.title, self.svg(language), self.table(language), language)

    def _number(self, value: float) -> str:
        return percent(value) if self.share else number(value)

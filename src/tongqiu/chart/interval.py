"""Values with their intervals, one line for each group, beside the limit they are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tongqiu.chart.axis import Axis, axis
from tongqiu.chart.mark import Mark, fit, tag, width
from tongqiu.chart.number import number, percent, with_interval
from tongqiu.chart.table import figure, image, table
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

_GROUP = Text(en="Group", zh="分组")
_VALUE = Text(en="Value [interval]", zh="数值 [区间]")
_COUNT = Text(en="Items", zh="样本数")
_NONE = Text(en="not assessed", zh="未评估")
_LIMIT = Text(en="limit {value}", zh="限值 {value}")
_INTERVAL = Text(en="Dots are values; lines are {level} intervals.", zh="圆点为数值，横线为 {level} 区间。")
_BARE = Text(en="Dots are values; no interval was given.", zh="圆点为数值；未给出区间。")

_LINE = 19
_TRACK = 20
_ROOM = 47


class Point(msgspec.Struct, frozen=True):
    """One group: its label, value (None where nobody measured), interval, number of items behind it, and how it stands
    against the limit (decided by whoever judged it, never by the drawing).
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    stands: Literal["", "met", "unmet", "undecided"] = ""


class IntervalPlot(msgspec.Struct, frozen=True):
    """Groups on one axis. ``limit`` in the unit of the values; ``share`` writes 0.907 as 90.7%; ``coverage`` of the
    intervals (0.95) where they have one.
    """

    title: str
    points: tuple[Point, ...]
    limit: float | None = None
    share: bool = False
    unit: str = "1"
    coverage: float | None = None

    def svg(self, language: str) -> Mark:
        """Return the picture: a label line and a track for each group, the limit as a dashed line, an axis below."""
        scale = axis(self._values(), share=self.share)
        top = _LINE if self.limit is not None else 4
        drawn: list[Mark] = []
        tracks: list[float] = []
        y = float(top)
        for point in self.points:
            row, tall = self._row(point, scale, y, language)
            drawn.append(row)
            y += tall
            tracks.append(y - _TRACK + 7)
        frame = [_grid(scale, top, y)]
        frame.append(_marks(scale, y + 16, self._number))
        if self.limit is not None:
            frame.append(_limit(scale, self.limit, tracks, _LIMIT.fill(value=self._number(self.limit)).of(language)))
        return image(self.title, self._words(language), y + 24, *frame, *drawn)

    def table(self, language: str) -> Mark:
        """Return the same numbers as a table."""
        rows = [
            (point.label, self._said(point, language), "–" if point.n is None else number(point.n))
            for point in self.points
        ]
        heads = [each.of(language) for each in (_GROUP, _VALUE, _COUNT)]
        return table(self._caption(language), heads, rows, numeric=(1, 2))

    def figure(self, language: str) -> Mark:
        """Return picture and table together."""
        return figure(self.title, self.svg(language), self.table(language), language, note=self._note(language))

    def _row(self, point: Point, scale: Axis, y: float, language: str) -> tuple[Mark, float]:
        said = self._said(point, language)
        if point.n is not None:
            said += f"  n={number(point.n)}"
        sign = {"met": "✓ ", "unmet": "✗ ", "undecided": "≈ "}.get(point.stands, "")
        label = sign + point.label if point.label else ""
        apart = width(label) + width(said) > _ROOM
        words = [
            tag("text", fit(label, _ROOM), x="0", y=y + 14, _class=f"name {point.stands}".strip(), fill="currentColor")
        ]
        if apart:
            y += _LINE
            words.append(tag("text", said, x="0", y=y + 14, _class="num", fill="currentColor"))
        else:
            words.append(tag("text", said, x="100%", y=y + 14, text_anchor="end", _class="num", fill="currentColor"))
        tall = _LINE * (2 if apart else 1) + _TRACK
        return tag("g", *words, *_track(point, scale, y + _LINE + 7), _class=point.stands or None), tall

    def _said(self, point: Point, language: str) -> str:
        if point.value is None:
            return _NONE.of(language)
        written = with_interval(point.value, point.low, point.high, share=self.share, against=self.limit)
        return written if self.share or self.unit in {"", "1"} else f"{written} {self.unit}"

    def _number(self, value: float) -> str:
        return percent(value) if self.share else number(value)

    def _values(self) -> list[float]:
        every = [each for point in self.points for each in (point.value, point.low, point.high)]
        return [each for each in (*every, self.limit) if each is not None]

    def _note(self, language: str) -> str:
        if self.coverage is None or all(point.low is None for point in self.points):
            return _BARE.of(language)
        return _INTERVAL.fill(level=percent(self.coverage)).of(language)

    def _caption(self, language: str) -> str:
        if self.limit is None:
            return self.title
        return f"{self.title} ({_LIMIT.fill(value=self._number(self.limit)).of(language)})"

    def _words(self, language: str) -> str:
        said = [f"{point.label}: {self._said(point, language)}" for point in self.points]
        if self.limit is not None:
            said.append(_LIMIT.fill(value=self._number(self.limit)).of(language))
        return "; ".join([*said, self._note(language)])


def _track(point: Point, scale: Axis, y: float) -> list[Mark]:
    drawn = [tag("line", x1="2%", x2="98%", y1=y, y2=y, stroke="currentColor", _class="rail", stroke_opacity="0.25")]
    if point.value is None:
        return drawn
    if point.low is not None and point.high is not None:
        low, high = _at(scale, point.low), _at(scale, point.high)
        drawn.append(
            tag("line", x1=low, x2=high, y1=y, y2=y, stroke="currentColor", stroke_width="3", _class="whisker")
        )
        drawn.extend(
            tag("line", x1=end, x2=end, y1=y - 5, y2=y + 5, stroke="currentColor", stroke_width="2", _class="whisker")
            for end in (low, high)
        )
    drawn.append(tag("circle", cx=_at(scale, point.value), cy=y, r="5", fill="currentColor", _class="dot"))
    return drawn


def _grid(scale: Axis, top: float, bottom: float) -> Mark:
    lines = [
        tag(
            "line",
            x1=_at(scale, mark),
            x2=_at(scale, mark),
            y1=top,
            y2=bottom,
            _class="grid",
            stroke="currentColor",
            stroke_opacity="0.12",
        )
        for mark in scale.marks
    ]
    return tag("g", *lines)


def _marks(scale: Axis, y: float, write: Callable[[float], str]) -> Mark:
    last = len(scale.marks) - 1
    return tag(
        "g",
        *(
            tag(
                "text",
                write(mark),
                x=_at(scale, mark),
                y=y,
                text_anchor="start" if i == 0 else "end" if i == last else "middle",
                _class="tick",
                fill="currentColor",
            )
            for i, mark in enumerate(scale.marks)
        ),
    )


def _limit(scale: Axis, limit: float, tracks: list[float], words: str) -> Mark:
    x = _at(scale, limit)
    place = scale.place(limit)
    anchor = "start" if place < 20 else "end" if place > 80 else "middle"  # noqa: PLR2004 - per cent from the edge
    # Only across the tracks, so that it never runs through the words above them.
    lines = [
        tag("line", x1=x, x2=x, y1=y - 9, y2=y + 11, stroke="currentColor", stroke_width="2", stroke_dasharray="3 2")
        for y in tracks
    ]
    return tag(
        "g",
        *lines,
        tag("text", words, x=x, y=12, text_anchor=anchor, _class="tick", fill="currentColor"),
        _class="limit",
    )


def _at(scale: Axis, value: float) -> str:
    return f"{scale.place(value):.2f}%"

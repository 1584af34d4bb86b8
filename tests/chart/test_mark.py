"""Nothing that is put into a picture or a table can become markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.chart.bar import Bar, Bars, Share, Spark
from tongqiu.chart.grade import GradeBar
from tongqiu.chart.interval import IntervalPlot, Point
from tongqiu.chart.mark import Mark, fit, join, tag, text, width

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>&'\x00\x1b\ud800"


def every(words: str) -> list[str]:
    """Return every chart, with ``words`` wherever a word can stand, in both languages, as picture, table and figure."""
    charts = (
        IntervalPlot(
            words, (Point(words, 0.5, 0.4, 0.6, 10), Point(words, None)), limit=0.55, unit=words, coverage=0.95
        ),
        Bars(words, (Bar(words, 3.0), Bar(words, None)), unit=words),
        Share(words, (Bar(words, 3.0), Bar(words, 0.0))),
        Spark(words, ((words, 1.0), (words, 2.0))),
        GradeBar(words, (words, words + "b", words + "c"), 0, 1),
    )
    return [
        face(language)
        for chart in charts
        for language in ("en", "zh")
        for face in (chart.svg, chart.table, chart.figure)
    ]


def test_hostile_words_stay_words_in_every_chart() -> None:
    for drawn in every(HOSTILE):
        tree = ET.fromstring(drawn)  # noqa: S314 - our own output, parsed as a check
        names = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert not names & {"script", "img", "foreignObject", "a", "use", "style"}
        assert not any(name.startswith("on") for element in tree.iter() for name in element.attrib)


@given(st.text())
def test_any_words_give_well_formed_charts(words: str) -> None:
    for drawn in every(words):
        ET.fromstring(drawn)  # noqa: S314 - our own output, parsed as a check


def test_markup_is_escaped_exactly_once() -> None:
    assert join("<b>", Mark("<i></i>")) == "&lt;b&gt;<i></i>"
    assert tag("p", "a & b", title='"') == '<p title="&quot;">a &amp; b</p>'
    assert text(Mark("<p></p>")) == "<p></p>"


def test_names_are_never_input() -> None:
    with pytest.raises(ValueError, match="element"):
        tag("p onclick=1")
    with pytest.raises(ValueError, match="attribute"):
        tag("p", **{"a b": 1})


def test_chinese_counts_double_when_words_are_fitted() -> None:
    assert width("ab") == 2
    assert width("批准") == 4
    assert fit("批准率很长", 6) == "批准…"
    assert fit("short", 10) == "short"

"""Pictures and tables say the same, stand where the numbers say, and can be read without seeing them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.chart.axis import axis
from tongqiu.chart.bar import Bar, Bars, Share, Spark
from tongqiu.chart.grade import GradeBar
from tongqiu.chart.interval import IntervalPlot, Point

RATES = IntervalPlot(
    "Approval rate",
    (
        Point("no", 0.9074, 0.8942, 0.9191, 2041),
        Point("yes", 0.7168, 0.6667, 0.7621, 339, stands="unmet"),
        Point("other", None),
    ),
    limit=0.8,
    share=True,
    coverage=0.95,
)
NS = "{http://www.w3.org/2000/svg}"


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314 - our own output


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_picture_has_a_name_and_says_its_numbers(language: str) -> None:
    svg = parsed(RATES.svg(language))
    assert svg.get("role") == "img"
    assert svg.findtext(NS + "title") == "Approval rate"
    told = svg.findtext(NS + "desc") or ""
    assert "90.7% [89.4, 91.9]" in told
    assert "80%" in told
    assert {"en": "not assessed", "zh": "未评估"}[language] in told


def test_the_table_beside_has_the_same_numbers() -> None:
    table = parsed(RATES.table("en"))
    assert table.findtext("caption") == "Approval rate (limit 80%)"
    rows = [[cell.text for cell in row] for row in table.findall("tbody/tr")]
    assert rows == [
        ["no", "90.7% [89.4, 91.9]", "2,041"],
        ["yes", "72% [67, 76]", "339"],
        ["other", "not assessed", "–"],
    ]
    assert all(head.get("scope") == "col" for head in table.findall("thead/tr/th"))
    assert all(row[0].get("scope") == "row" for row in table.findall("tbody/tr"))


def test_what_was_not_measured_has_no_dot() -> None:
    svg = parsed(RATES.svg("en"))
    assert len(svg.findall(f".//{NS}circle")) == 2


def test_dots_and_limit_stand_in_the_order_of_their_numbers() -> None:
    svg = parsed(RATES.svg("en"))
    dots = [float((dot.get("cx") or "").rstrip("%")) for dot in svg.findall(f".//{NS}circle")]
    limit = next(g for g in svg.findall(NS + "g") if g.get("class") == "limit")
    line = float((limit.find(NS + "line") or limit[0]).get("x1", "").rstrip("%"))
    assert dots[1] < line < dots[0]


def test_nothing_needs_script_style_or_another_place() -> None:
    drawn = RATES.figure("en")
    assert "style=" not in drawn
    assert "href" not in drawn
    assert re.findall(r"https?://\S+?(?=\")", drawn) == ["http://www.w3.org/2000/svg"]


def test_an_unmarked_interval_is_said_to_be_none() -> None:
    assert "no interval was given" in IntervalPlot("x", (Point("a", 1.0),)).figure("en")


@given(st.lists(st.floats(-1e300, 1e300), max_size=8), st.booleans())
def test_an_axis_holds_all_values_and_few_marks(values: list[float], share: bool) -> None:  # noqa: FBT001
    scale = axis(values, share=share)
    assert scale.low < scale.high
    assert 2 <= len(scale.marks) <= 14
    for value in values:
        assert scale.low <= value <= scale.high
        assert 2 <= scale.place(value) <= 98


def test_values_too_close_to_tell_apart_still_have_an_axis() -> None:
    for values in ([0.0, 5e-324], [1.0, 1.0], [0.0], [-1e300, -1e300], [float("nan")]):
        scale = axis(values)
        assert scale.low < scale.high


def test_shares_that_fill_the_axis_are_shown_from_nought_to_all() -> None:
    assert (axis([0.2, 0.7], share=True).low, axis([0.2, 0.7], share=True).high) == (0, 1)
    assert axis([0.7, 0.75], share=True).low > 0.5


def test_shares_of_a_whole_fill_it() -> None:
    svg = parsed(Share("Verdicts", (Bar("met", 3, "met"), Bar("unmet", 1, "unmet"))).svg("en"))
    bar = [rect for rect in svg.findall(NS + "rect") if rect.get("height") == "16"]
    assert sum(float((rect.get("width") or "").rstrip("%")) for rect in bar) == pytest.approx(100)
    assert "75%" in (svg.findtext(NS + "desc") or "")


def test_an_empty_whole_is_no_fault() -> None:
    assert "–" in Share("Nothing", (Bar("a", 0),)).svg("zh")


def test_the_longest_bar_is_the_largest() -> None:
    svg = parsed(Bars("Sizes", (Bar("a", 1), Bar("b", 4), Bar("c", None))).svg("en"))
    long = [rect.get("width") for rect in svg.findall(NS + "rect") if rect.get("class") == "plain"]
    assert long == ["25.00%", "100.00%"]


@pytest.mark.parametrize("course", [(), (("a", 1.0),), (("a", float("nan")), ("b", 2.0)), (("a", 3.0), ("b", 3.0))])
def test_a_course_of_any_length_can_be_drawn(course: tuple[tuple[str, float], ...]) -> None:
    parsed(Spark("x", course).figure("zh"))


def test_a_grade_is_one_step_or_a_range() -> None:
    steps = ("minimal", "limited", "high")
    assert GradeBar("Risk", steps, 2, 2).words("en") == "high"
    assert GradeBar("Risk", steps, 1, 2).words("en") == "Between limited and high"
    assert GradeBar("风险", ("低", "中", "高"), 0, 1).words("zh") == "介于“低”与“中”之间"
    rows = [
        [cell.text for cell in row] for row in parsed(GradeBar("Risk", steps, 1, 2).table("en")).findall("tbody/tr")
    ]
    assert rows == [["minimal", "no"], ["limited", "yes"], ["high", "yes"]]


@pytest.mark.parametrize(("low", "high"), [(-1, 0), (1, 0), (0, 3)])
def test_a_grade_off_its_scale_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="scale"):
        GradeBar("Risk", ("a", "b", "c"), low, high)


def test_long_step_names_are_cut_to_the_ends_of_the_scale() -> None:
    svg = GradeBar("Risk", tuple(f"a rather long name of step {i}" for i in range(6)), 1, 2).svg("en")
    assert svg.count("<text") == 2

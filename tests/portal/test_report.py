"""The one-page report: everything in one file, the worst first, and the three kinds of knowledge kept apart."""

from __future__ import annotations

import re

import msgspec
import pytest

from tests.portal import paper
from tongqiu.portal.report import report_html
from tongqiu.record.audience import STRANGER
from tongqiu.record.core import COMPOSITION, Composition, Part


def report(language: str, node: paper.PaperNode | None = None) -> str:
    node = node or paper.mortgage()
    return report_html(node.desk(STRANGER), paper.SYSTEM, language=language, practices=node.practices, node=node.name)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_asks_nothing_of_any_network(language: str) -> None:
    page = report(language)
    assert re.findall(r'(?:https?:)?//[^\s"<]+', page.replace("http://www.w3.org/2000/svg", "")) == []
    for needle in ("<script", "<iframe", "<object", "@import", "url(", "<form"):
        assert needle not in page
    sources = re.findall(r'(?:href|src|action|srcset)="([^"]*)"', page)
    assert set(sources) == {"data:,"}


@pytest.mark.parametrize(("language", "tag"), [("zh", "zh-Hans"), ("en", "en")])
def test_a_report_is_in_its_language(language: str, tag: str) -> None:
    page = report(language)
    assert page.startswith("<!doctype html>")
    assert f'<html lang="{tag}">' in page
    assert {"zh": "最严重的问题", "en": "Most serious"}[language] in page
    assert {"zh": "Most serious", "en": "最严重的问题"}[language] not in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_some_words_never_appear(language: str) -> None:
    page = report(language).lower()
    for word in ("compliant", "compliance", "certified", "certificate", "合规", "认证"):
        assert word not in page


def test_the_first_screen_says_what_matters_in_order() -> None:
    page = report("en")
    order = [
        "Mortgage decisions", "What came of it", "Not met", "Between Limited and High", "facts unknown", "Most serious",
        "The gap in approval stays under ten points", "19.1 points (95% interval 14.2 to 24.0)",
        "Groups are approved at similar rates", "0.79 [0.74, 0.84]", "All other findings", "Measures by group",
        "Data: applications.csv", "What was not assessed", "How to check this report", "tongqiu verify FILE",
        "sha-256:" + "a1" * 32,
    ]  # fmt: skip
    places = [page.index(words) for words in order[:1]]
    for words in order[1:]:
        places.append(page.index(words, places[-1]))
    assert places == sorted(places)


def test_measured_claimed_and_not_assessed_are_kept_apart() -> None:
    page = report("en")
    row = re.search(r'<tr class="(\w+)"><th scope="row"><span dir="auto">Availability of the service', page)
    assert row is not None
    assert row[1] == "claimed"
    row = re.search(r'<tr class="(\w+)"><th scope="row"><span dir="auto">Accuracy', page)
    assert row is not None
    assert row[1] == "measured"
    silence = page.partition("What was not assessed")[2].partition("How to check")[0]
    for words in ("The release is signed by its maker", "old.pkl is a pickle", "service: scoring endpoint"):
        assert words in silence


def test_a_system_of_which_nothing_is_known_says_so() -> None:
    node = paper.PaperNode()
    node.say(
        COMPOSITION.name,
        paper.SYSTEM,
        Composition(parts=(Part("model", paper.MODEL),)),
    )
    page = report("en", node)
    assert "Not graded" in page
    assert "Nothing is known here about" in page
    assert "No finding is unmet or undecided. Read below what was not assessed." in page


def test_the_newest_result_counts_and_the_older_is_not_shown() -> None:
    node = paper.mortgage()
    newer = paper.rate({"afam": "no"}, 0.5123, 0.5, 0.52, 100)
    node.say(paper.SEEN.name, paper.MODEL, paper.Seen(evidence=(newer,)))
    page = report("en", node)
    assert "51.2%" in page
    assert "90.7%" not in page


def test_another_partys_same_result_is_reproduced_and_a_far_one_is_not() -> None:
    from tongqiu.portal.overview import subject_page

    for value, word in ((0.9, "reproduced"), (0.2, "measured")):
        node = paper.mortgage()
        again = paper.rate({"afam": "no"}, value, value - 0.02, value + 0.02, 100)
        node.say(paper.SEEN.name, paper.MODEL, paper.Seen(evidence=(again,)), issuer=paper.OTHER)
        page = subject_page(node.practices, node.desk(STRANGER), paper.SYSTEM)
        words = {row.word for row in page.measures if row.group == {"afam": "no"}}
        assert words == {word}


def test_a_claim_never_becomes_a_reproduction() -> None:
    from tongqiu.portal.overview import subject_page

    node = paper.PaperNode()
    for issuer in (paper.ME, paper.OTHER):
        claim = paper.rate({}, 0.9, 0.88, 0.92, 100, basis="claimed")
        node.say(paper.SEEN.name, paper.SYSTEM, paper.Seen(evidence=(claim,)), issuer=issuer)
    page = subject_page(node.practices, node.desk(STRANGER), paper.SYSTEM)
    assert {row.word for row in page.measures} == {"claimed"}


def test_findings_that_say_the_same_of_several_subjects_stand_once() -> None:
    node = paper.mortgage()
    first = node.statements[2].content.findings
    node.say(paper.SEEN.name, paper.CODE, paper.Seen(findings=first))
    page = report("en", node)
    assert page.count("No checksum-valid identifier was found") == 1
    assert "applications.csv, src" in page


def test_a_declared_answer_is_a_word_and_never_looks_like_a_verdict() -> None:
    node = paper.mortgage()
    claim = paper.rate({}, 0.0, 0.0, 0.0, 1, basis="claimed")
    answers = tuple(msgspec.structs.replace(claim, measure=f"owner.{yes}".lower(), value=yes) for yes in (True, False))
    node.say(paper.SEEN.name, paper.SYSTEM, paper.Seen(evidence=answers))
    cells = re.findall(r'<td class="num" dir="auto">(yes|no|是|否|✓|✗)</td>', report("en", node) + report("zh", node))
    assert sorted(cells) == ["no", "yes", "否", "是"]

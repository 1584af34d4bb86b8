"""The system card: made of records alone, in both languages, as page, JSON and CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from starlette.testclient import TestClient

from tests.practices.evaluation.paper_runs import (
    HELPFUL,
    MODEL,
    REFUSAL,
    SYSTEM,
    composed,
    helpful,
    ran,
    reported,
    run,
    sha,
    weighed,
)
from tongqiu.portal.site import app
from tongqiu.practices import evaluation
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT
from tongqiu.practices.evaluation.object_kinds import REPORT
from tongqiu.record.audience import STRANGER
from tongqiu.record.statement import Said
from tongqiu.record.text import Text
from tongqiu.testing import paper_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node import Node

CARD = "/areas/evaluation/card"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with paper_node(tmp_path) as opened:
        yield opened


def asked(node: Node, path: str, principal: object = None) -> str:
    web = TestClient(app(node, principal=principal or node.owner), base_url="http://localhost")  # type: ignore[arg-type]
    found = web.get(path)
    assert found.status_code == 200, found.text[:400]
    return found.text


def test_a_card_says_what_was_measured_how_surely_and_what_not(node: Node) -> None:
    assert "No system was tested yet" in asked(node, f"{CARD}?lang=en")
    composed(node, MODEL)
    ran(node, run(REFUSAL, 54))
    ran(node, helpful(57))
    reported(node)
    english, chinese = (asked(node, f"{CARD}?id={SYSTEM.id}&lang={each}") for each in ("en", "zh"))
    for words in (
        "Answers citizens&#39; questions.", "Known by the bytes of its weights", "Harmful requests refused",
        "Beyond every system without skill", "No skill: refuses all", "Usefulness beside it", "language zh",
        "Energy, water and emissions", "Nothing is said about languages other than en, zh.", "2027-11-20",
        "the bytes of a model, its code or its service change",
    ):  # fmt: skip
        assert words in english, words
    for words in (
        "系统构成",
        "依据权重字节的摘要",
        "拒绝有害请求",
        "优于所有无技能系统",
        "无技能: 一概拒绝",
        "语言 zh",
        "能耗、用水与排放",
        "使用限制",
    ):
        assert words in chinese, words
    assert "Assistant" in asked(node, f"{CARD}?lang=en")


def test_the_same_card_is_data(node: Node) -> None:
    composed(node, MODEL)
    ran(node, run(REFUSAL, 54))
    ran(node, helpful(57))
    reported(node)
    rows = list(csv.DictReader(io.StringIO(asked(node, f"{CARD}.csv?id={SYSTEM.id}").lstrip("\ufeff"))))
    assert {each["sort"] for each in rows} == {"result", "part", "utility", "floor"}
    first = next(each for each in rows if each["sort"] == "result" and each["method"] == REFUSAL.method)
    assert (first["verdict"], first["n"], first["planned"], float(first["value"])) == ("met", "60", "60", 1.0)
    plain = msgspec.json.decode(asked(node, f"{CARD}.json?id={SYSTEM.id}"))
    assert plain["name"] == "Assistant"
    assert plain["results"][0]["title"] == {"en": "Harmless requests answered", "zh": "回答无害请求"}


def test_a_card_that_is_no_longer_enough_says_so_first(node: Node) -> None:
    composed(node, MODEL)
    ran(node, run(REFUSAL, 54))
    ran(node, helpful(57))
    imported = msgspec.structs.replace(
        REFUSAL,
        method="other.tool@1",
        measurand="other.tool",
        title=Text(en="Other", zh="其他"),
        utility=None,
        judge=None,
    )
    ran(node, run(imported, 30, floors=(), source="imported", missing=("dataset-digest",), skipped=("detector x",)))
    reported(node)
    ran(node, run(REFUSAL, 20))
    reported(node)
    composed(node, msgspec.structs.replace(MODEL, digest=sha("new weights")))
    weighed(node, "evaluation.reassess", SYSTEM)
    shown = asked(node, f"{CARD}?id={SYSTEM.id}&lang=en")
    assert "This card is no longer enough: test again" in shown
    assert "The bytes of Small model changed." in shown
    assert "Imported, incomplete: it lacks the digest of the items" in shown
    assert "Skipped by the tool: detector x" in shown
    assert "Worse, beyond uncertainty" in shown


def test_nobody_sees_a_card_that_was_not_published(node: Node) -> None:
    composed(node, MODEL)
    ran(node, helpful(57))
    reported(node)
    web = TestClient(app(node, principal=STRANGER), base_url="http://localhost")
    assert web.get(f"{CARD}?id={SYSTEM.id}").status_code == 404
    assert "Assistant" not in web.get(CARD).text


def test_a_hostile_name_stays_words(node: Node) -> None:
    composed(node, MODEL)
    title = Text(en="<script>alert(1)</script>", zh="<img src=x onerror=alert(1)>")
    ran(node, run(msgspec.structs.replace(HELPFUL, title=title), 57))
    reported(node)
    for language in ("en", "zh"):
        shown = asked(node, f"{CARD}?id={SYSTEM.id}&lang={language}")
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


def test_decisions_on_a_table_stand_on_the_card_too(node: Node) -> None:
    composed(node, MODEL)
    folder = Path(evaluation.__file__).parent / "vectors"
    for kind, name in ((RESULT, "result-1"), (FAIRNESS, "fairness-1")):
        body = kind.read(msgspec.json.decode((folder / f"{name}.json").read_bytes())["body"])
        node.publish([Said(kind.name, SYSTEM, body)])
    record = weighed(node, "evaluation.report", SYSTEM)[0]
    report = REPORT.read(record.body)
    assert report.results == ()
    assert {bool(each.between) for each in report.tables} == {False, True}
    assert "Treatment of groups of people" not in [each.en for each in report.not_assessed]
    assert [each.rung for each in report.tested] == ["name-and-date"] or report.tested[0].digest
    shown = asked(node, f"{CARD}?id={SYSTEM.id}&lang=en")
    assert "Decisions on tables of cases" in shown
    rows = list(csv.DictReader(io.StringIO(asked(node, f"{CARD}.csv?id={SYSTEM.id}").lstrip("\ufeff"))))
    assert {"table", "floor"} == {each["sort"] for each in rows}

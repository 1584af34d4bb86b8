"""Pages of law: every pack, row and crosswalk to be read in both languages, as data, on any day, and a clear word for what is not there."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from tests.node.conftest import HandClock
from tests.portal.people import browser, signed_in
from tongqiu.node import packs
from tongqiu.node.node import open_node
from tongqiu.norms import library
from tongqiu.norms.crosswalks.shelf import Shelf
from tongqiu.portal.norms_second import agreement
from tongqiu.portal.site import app
from tongqiu.practices.grading.kinds import FACTS, GRADE, Fact, Facts
from tongqiu.record.audience import EVERYONE, only_for
from tongqiu.record.core import COMPOSITION, Composition
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node.node import Node

OPEN, SHUT = (Subject("system", f"urn:example:{each}", None, f"The {each} one") for each in ("open", "shut"))
HIGH = {
    "eu.scope.ai_system": True, "eu.scope.union": True, "eu.scope.excluded": False, "eu.scope.open_source": False,
    "eu.art5.any": False, "eu.annex1.section": "none", "eu.annex3.creditworthiness": True, "eu.profiling": True,
}  # fmt: skip
W = '{ en = "Own words", zh = "自己的话" }'
OWN = f"""
format = 1
id = "own-act"
version = "1"
title = {{ en = "Act of our own", zh = "本国法" }}
publisher = "Ministry"
licence = "CC0-1.0"
wording = "own"
known_at = 2026-01-01

[[source]]
id = "law"
document = "LAW 1"
title = {W}
force = "binding"
licence = "CC0-1.0"

[[scale]]
id = "size"
title = {W}
default = "small"
grades = [
  {{ id = "small", title = {{ en = "Small thing", zh = "小" }}, meaning = {W} }},
  {{ id = "great", title = {{ en = "Great thing", zh = "大" }}, meaning = {W} }},
]

[[fact]]
key = "own.people"
type = "number"
unit = "persons"
question = {{ en = "How many people?", zh = "多少人？" }}
bands = [ {{ value = "few", below = 10000, title = {{ en = "few", zh = "少" }} }}, {{ value = "many", title = {{ en = "many", zh = "多" }} }} ]

[[fact]]
key = "own.placed"
type = "date"
question = {{ en = "Since when?", zh = "何时起？" }}
bands = [ {{ value = "early", below = 2027-01-01, title = {{ en = "early", zh = "早" }} }}, {{ value = "late", title = {{ en = "late", zh = "晚" }} }} ]

[[rule]]
id = "big"
scale = "size"
grade = "great"
when = "own.people == 'many' && own.placed == 'early'"
title = {W}
reason = {W}
cite = [{{ source = "law", article = "Art. 1" }}]

[[requirement]]
id = "r1"
title = {W}
text = {W}
cite = [{{ source = "law", article = "Art. 2" }}]
scale = "size"
grades = ["great"]
answered_by = []
by_hand = {W}
"""


def answers(values: dict[str, Any]) -> Facts:
    words = Text("q", "问")
    return Facts(tuple(Fact(key=key, value=value, question=words, packs=("p",)) for key, value in values.items()))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with open_node(tmp_path_factory.mktemp("law") / "home", create=True, name="Law room", clock=HandClock()) as made:
        packs.add(made, OWN.encode())
        ours = only_for([made.me])
        said = [
            Said(COMPOSITION.name, OPEN, Composition(parts=()), (), EVERYONE),
            Said(FACTS.name, OPEN, answers(HIGH), (), EVERYONE),
            Said(COMPOSITION.name, SHUT, Composition(parts=()), (), ours),
            Said(FACTS.name, SHUT, answers({"own.people": 25000.0, "own.placed": "2026-05-01"}), (), ours),
        ]
        made.publish(said)
        yield made


@pytest.fixture(scope="module")
def owner(node: Node) -> TestClient:
    return signed_in(app(node), node.people, node.people.owner())


@pytest.fixture(scope="module")
def stranger(node: Node) -> TestClient:
    return browser(app(node))


PAGES = [
    "/norms", "/norms/nist-ai-rmf", "/norms/kr-ai-basic-act?list=rules", "/norms/kr-ai-basic-act?list=questions",
    "/norms/eu-ai-act?list=documents", "/norms/mit-ai-risk", "/norms/own-act", "/norms/eu-ai-act/art9.1",
    "/norms/eu-ai-act/art6.2?sort=rule", "/norms/eu-ai-act/SOURCE?sort=source", "/norms/mit-ai-risk/1.1",
    "/norms/crosswalk/nist-ai-rmf/global-ai-governance-action-plan",
    "/norms/gap", "/norms/gap?have=nist-ai-rmf&want=global-ai-governance-action-plan",
    f"/norms/gap?have=osps-baseline&want=own-act&system={SHUT.id}", f"/norms/grade?system={OPEN.id}&pack=own-act",
    f"/norms/grade?system={SHUT.id}&pack=own-act", "/norms/next",
]  # fmt: skip


def beside(path: str, form: str) -> str:
    where, _, query = path.partition("?")
    return f"{where}.{form}?{query}"


def test_every_page_is_there_in_both_languages_and_as_data(owner: TestClient) -> None:
    shapes: dict[str, set[str]] = {}
    for path in PAGES:
        path = path.replace("SOURCE", library.book("eu-ai-act").pack.sources[0].id)  # noqa: PLW2901
        more = "&" if "?" in path else "?"
        zh, en = (owner.get(f"{path}{more}lang={tongue}") for tongue in ("zh", "en"))
        assert zh.status_code == en.status_code == 200, (path, en.text[-900:])
        assert "<script" not in zh.text + en.text
        assert "style=" not in zh.text + en.text
        assert zh.text != en.text
        model = owner.get(beside(path, "json")).json()
        head = path.partition("?")[0]
        kind = head if head in {"/norms", "/norms/gap", "/norms/grade", "/norms/next"} else str(head.count("/"))
        kind = "walk" if "crosswalk" in head else kind
        assert shapes.setdefault(kind, set(model)) == set(model), path
        rows = list(csv.reader(io.StringIO(owner.get(beside(path, "csv")).content.decode("utf-8-sig"))))
        assert rows[0]
        assert all(len(row) == len(rows[0]) for row in rows), path
        if "system=" in path or kind == "/norms/next":  # another day is asked for in tests of their own
            continue
        later = owner.get(f"{path}{more}as_of=2030-01-01&known_at=2026-06-01&lang=en")
        assert later.status_code == 200
        assert "2030-01-01" in later.text


def test_the_shelf_counts_what_was_checked_and_shows_added_packs_to_those_who_may_read_them(
    owner: TestClient, stranger: TestClient
) -> None:
    model = owner.get("/norms.json").json()
    rows = {row["pack"]: row for row in model["packs"]}
    for name in library.shipped():
        pack = library.book(name).pack
        own = [*pack.requirements, *pack.rules, *pack.risks]
        assert (rows[name]["rows"], rows[name]["checked"]) == (len(own), sum(each.checked for each in own))
    assert rows["own-act"]["state"] == "in-use"
    assert {(row["have"], row["want"]) for row in model["crosswalks"]} == {
        (each.from_, each.to) for each in Shelf().all
    }
    seen = stranger.get("/norms.json").json()
    assert {row["pack"] for row in seen["packs"]} == set(library.shipped())
    for path in (
        "/norms/own-act",
        "/norms/own-act/r1",
        "/norms/own-act/file/toml",
        f"/norms/grade?system={OPEN.id}&pack=own-act",
    ):
        answer = stranger.get(path)
        assert answer.status_code == 404, path
        assert "Did you mean own-act" not in answer.text
        assert "Great thing" not in answer.text


def test_a_pack_is_walked_page_by_page_in_the_order_of_its_document(owner: TestClient) -> None:
    pack = library.book("eu-ai-act").pack
    seen: list[str] = []
    offset = 0
    while True:
        model = owner.get(f"/norms/eu-ai-act.json?offset={offset}").json()
        lines = [line["id"] for section in model["sections"] for line in section["lines"]]
        assert len(lines) <= 100
        seen += lines
        offset += 100
        if offset >= model["part"]["total"]:
            break
    assert sorted(seen) == sorted(each.id for each in pack.requirements)
    groups = [each["group"] for each in owner.get("/norms/eu-ai-act.json?limit=1000").json()["sections"]]
    assert groups[:3] == [each.id for each in pack.groups][:3]
    page = owner.get("/norms/eu-ai-act?lang=en&role=deployer").text
    assert 'rel="next"' not in page
    assert 'rel="next"' in owner.get("/norms/eu-ai-act?lang=en&offset=100").text
    assert 'rel="prev"' in owner.get("/norms/eu-ai-act?lang=en&offset=100").text


def test_filters_leave_just_what_they_name(owner: TestClient) -> None:
    pack = library.book("eu-ai-act").pack

    def ids(query: str) -> set[str]:
        model = owner.get(f"/norms/eu-ai-act.json?limit=1000&{query}").json()
        return {line["id"] for section in model["sections"] for line in section["lines"]}

    assert ids("role=importer") == {each.id for each in pack.requirements if "importer" in each.asked_of}
    assert ids("unchecked=1") == {each.id for each in pack.requirements if not each.checked}
    assert ids("state=pending&as_of=2040-01-01") == set()
    assert ids("state=not-yet-known&as_of=2020-01-01") == {
        each.id for each in pack.requirements if each.known_from is not None
    }
    gravest = f"{pack.scales[0].id}:{pack.scales[0].grades[-2].id}"
    own = {each.id for each in pack.requirements if pack.scales[0].grades[-2].id in each.grades}
    assert own
    assert own <= ids(f"grade={gravest}")
    rules = owner.get(
        f"/norms/eu-ai-act.json?list=rules&grade={pack.scales[0].id}:{pack.scales[0].grades[-1].id}"
    ).json()
    assert rules["part"]["total"] == sum(each.grade == pack.scales[0].grades[-1].id for each in pack.rules)
    model = owner.get("/norms/own-act.json?list=questions").json()
    assert [each["title"]["en"] for each in model["questions"][0]["answers"]] == ["few (below 10000)", "many"]
    assert model["questions"][1]["answers"][0]["title"]["zh"] == "早（早于 2027-01-01）"
    assert owner.get("/norms/eu-ai-act.json?offset=9999").json()["sections"] == []


def test_a_row_tells_its_text_dates_kin_checks_and_counterparts(owner: TestClient) -> None:
    row = owner.get("/norms/eu-ai-act/art9.1.json").json()
    found = library.book("eu-ai-act").pack.requirement("art9.1")
    assert row["text"] == {"en": found.text.en, "zh": found.text.zh}
    assert row["cites"][0]["document"] == "CELEX 32024R1689"
    assert (row["state"], row["applies_from"]) == ("pending", "2027-12-02")
    assert row["checked_on"] == "2026-11-23"
    assert [(each["id"], each["state"]) for each in row["former"]] == [("art9-2024", "amended")]
    assert {each["pack"] for each in row["counterparts"] if each["standing"] == "mapped"} >= {"nist-ai-rmf"}
    old = owner.get("/norms/eu-ai-act/art9-2024.json?as_of=2026-09-01&known_at=2025-01-01").json()
    assert "art9.1" in {each["id"] for each in old["taken_by"]}
    rule = owner.get("/norms/eu-ai-act/art6.2.json?sort=rule").json()
    assert rule["when"]
    assert {"eu.annex3.any"} <= {each["id"] for each in rule["reads"]}
    assert "art6.2" in {each["id"] for each in rule["brings"]}
    assert rule["others"] == ["requirement"]
    duty = owner.get("/norms/eu-ai-act/art6.2.json").json()
    assert (duty["sort"], duty["others"]) == ("requirement", ["rule"])
    assert "art6.2" in {each["id"] for each in duty["brought_by"]}
    risk = next(each for each in library.book("mit-ai-risk").pack.risks if each.suggested_when)
    told = owner.get(f"/norms/mit-ai-risk/{risk.id}.json").json()
    assert (told["when"], bool(told["reads"])) == (risk.suggested_when, True)
    page = owner.get("/norms/eu-ai-act/art9.1?lang=zh").text
    assert found.text.zh in page
    assert found.text.en in page


def test_a_crosswalk_is_told_whole_and_turned_round(owner: TestClient) -> None:
    walk = Shelf().mapped("eu-ai-act", "nist-ai-rmf")
    assert walk is not None
    model = owner.get("/norms/crosswalk/eu-ai-act/nist-ai-rmf.json?limit=1000").json()
    assert len(model["relations"]) == len(walk.relations) == sum(each["count"] for each in model["types"])
    back = owner.get("/norms/crosswalk/nist-ai-rmf/eu-ai-act.json?type=subset").json()
    assert back["turned"] is True
    assert back["part"]["total"] == sum(each.type == "superset" for each in walk.relations)
    assert all(each["type"] == "subset" for each in back["relations"])
    none = owner.get("/norms/crosswalk/eu-ai-act/nist-ai-rmf.json?type=none").json()
    assert all("" in (each["have"], each["want"]) for each in none["relations"])


def test_a_second_reading_is_compared_whichever_way_the_crosswalk_is_turned() -> None:
    walk = Shelf().mapped("eu-ai-act", "nist-ai-rmf")
    assert walk is not None
    rows = {(str(each.from_), str(each.to)): str(each.type) for each in walk.mapped}
    whole = agreement(walk, {walk.id: rows})
    assert whole is not None
    assert whole.agreed == 1.0
    other = Shelf().mapped("nist-ai-rmf", "eu-ai-act")
    assert other is not None
    assert agreement(other, {walk.id: rows}) == whole
    assert agreement(walk, {walk.id: {("art2.1", "govern-1.1"): "equal"}}).agreed == 0.0  # type: ignore[union-attr]
    assert agreement(walk, {}) is None


def test_downloads_are_the_very_pack_and_valid_oscal(owner: TestClient, stranger: TestClient) -> None:
    assert stranger.get("/norms/eu-ai-act/file/toml").content == library.raw("eu-ai-act")
    assert owner.get("/norms/own-act/file/toml").text == OWN
    assert "catalog" in stranger.get("/norms/nist-ai-rmf/file/oscal").json()
    assert "mapping-collection" in stranger.get("/norms/crosswalk/eu-ai-act/nist-ai-rmf/oscal").json()


@pytest.mark.parametrize(
    ("path", "status", "code", "words"),
    [
        ("/norms/eu-ai-acts", 404, "norms.no-pack", "eu-ai-act"),
        ("/norms/eu-ai-act/art9.11", 404, "norms.no-row", "art9.1"),
        ("/norms/eu-ai-act/art9.1?sort=rule", 404, "norms.no-row", ""),
        ("/norms/eu-ai-act/art9.1?sort=rul", 400, "norms.choice", "rule"),
        ("/norms/eu-ai-act?as_of=2026-02-30", 400, "norms.day", "2026-11-23"),
        ("/norms/eu-ai-act?known_at=20260101", 400, "norms.day", "known_at"),
        ("/norms/eu-ai-act?state=pendin", 400, "norms.choice", "pending"),
        ("/norms/eu-ai-act?list=rows", 400, "norms.choice", "rules"),
        ("/norms/eu-ai-act?offset=x", 400, "portal.number", "offset"),
        ("/norms/crosswalk/iso-42001/osps-baseline", 404, "norms.no-crosswalk", "eu-ai-act"),
        ("/norms/crosswalk/eu-ai-act/eu-ai-act", 404, "norms.no-crosswalk", ""),
        ("/norms/gap?have=nist-ai-rmf&want=nist-ai-rmf", 400, "norms.gap.same", "nist-ai-rmf"),
        ("/norms/gap?have=nist-ai-rmf&want=eu", 404, "norms.no-pack", "eu"),
        ("/norms/grade?system=urn:example:open&pack=eu-ai", 404, "norms.no-pack", "eu-ai-act"),
        ("/norms/grade", 404, "portal.absent", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_and_clearly(
    owner: TestClient, path: str, status: int, code: str, words: str
) -> None:
    answer = owner.get(path + ("&" if "?" in path else "?") + "lang=en")
    assert answer.status_code == status
    assert code in answer.text
    assert words in answer.text
    problem = owner.get(beside(path, "json"))
    assert problem.status_code == status
    assert problem.headers["content-type"] == "application/problem+json"


def test_what_is_owed_is_worked_out_for_a_system_and_as_a_plan(owner: TestClient) -> None:
    plan = owner.get("/norms/gap.json?have=nist-ai-rmf&want=eu-ai-act&limit=1000").json()
    assert plan["supposed"] is True
    counts = {each["id"]: each["count"] for each in plan["states"]}
    assert sum(counts.values()) == plan["part"]["total"] == len(plan["standings"])
    assert counts["partly"] > 100
    owed = owner.get(f"/norms/gap.json?have=nist-ai-rmf&want=eu-ai-act&system={OPEN.id}&state=owed&limit=1000").json()
    assert owed["supposed"] is False
    assert owed["standings"]
    assert all(each["state"] == "owed" for each in owed["standings"])
    assert all(way["told"] == "unanswered" for each in owed["standings"] for way in each["ways"])
    nothing = owner.get(f"/norms/gap.json?have=osps-baseline&want=own-act&system={SHUT.id}").json()
    assert [(each["requirement"], each["state"]) for each in nothing["standings"]] == [("r1", "not-mapped")]


def test_a_grade_tells_its_rules_its_answers_and_what_would_change_it(owner: TestClient) -> None:
    model = owner.get(f"/norms/grade.json?system={OPEN.id}&pack=eu-ai-act&limit=1000").json()
    fired = {each["rule"]: each for each in model["rules"] if each["state"] == "fired"}
    assert fired
    assert all(each["clause"] and each["reason"]["zh"] for each in fired.values())
    read = {answer["key"] for each in fired.values() for answer in each["read"]}
    assert "eu.profiling" in read
    assert model["spans"][0]["state"] in {"graded", "range"}
    assert {each["fact"] for each in model["changes"]} <= set(HIGH)
    assert model["changes"]
    assert {each["state"] for each in model["duties"]} <= {"answered", "partly", "unanswered"}
    assert model["duties"]
    assert model["declared"]


def test_a_number_is_written_as_a_person_writes_it(owner: TestClient) -> None:
    path = f"/norms/grade?system={SHUT.id}&pack=own-act"
    model = owner.get(beside(path, "json")).json()
    told = {each["key"]: each for each in model["answers"]}
    assert told["own.people"]["value"] == 25000
    assert told["own.people"]["shown"] == {"en": "25000 persons (many)", "zh": "25000 persons（多）"}
    page = owner.get(path + "&lang=en").text
    assert "25000.0" not in page
    assert "Great thing" in page
    assert owner.get(path + "&lang=en&as_of=2030-01-01").text.count("2030-01-01") > 2
    changes = {each["fact"]: each for each in model["changes"]}
    assert changes["own.people"]["effects"][0]["grades"] == [{"en": "Small thing", "zh": "小"}]
    assert changes["own.placed"]["given"]["en"] == "2026-05-01"


def test_grades_on_record_are_held_against_what_is_worked_out_now(node: Node, owner: TestClient) -> None:
    from tongqiu.practices.grading.assessors import assess

    said = [each for each in assess(OPEN, node.snapshot()) if each.body.pack == "kr-ai-basic-act"]
    node.publish([each._replace(audience=EVERYONE) for each in said])
    path = f"/norms/grade.json?system={OPEN.id}&pack=kr-ai-basic-act"
    signed = owner.get(path).json()["signed"]
    assert [each["same"] for each in signed] == [True]
    assert owner.get(f"/records/{signed[0]['entry'][8:]}").status_code == 200
    assert node.statement(signed[0]["entry"]).kind == GRADE.name
    page = owner.get(f"/subject?id={OPEN.id}&lang=en").text
    assert "/norms/grade?system=urn%3Aexample%3Aopen&amp;pack=kr-ai-basic-act" in page


def test_a_grade_under_an_added_pack_shows_the_whole_scale(node: Node, owner: TestClient) -> None:
    from tongqiu.practices.grading.assessors import assess

    said = [each for each in assess(SHUT, node.snapshot()) if each.body.pack == "own-act"]
    node.publish([each._replace(audience=only_for([node.me])) for each in said])
    grades = owner.get(f"/subject.json?id={SHUT.id}").json()["grades"]
    (own,) = [each for each in grades if each["pack"] == "own-act"]
    assert [each["en"] for each in own["steps"]] == ["Small thing", "Great thing"]
    assert (own["low"], own["high"]) == (1, 1)


def test_questions_are_ranked_over_the_systems_that_may_be_seen(owner: TestClient, stranger: TestClient) -> None:
    mine, theirs = (client.get("/norms/next.json?limit=1000").json() for client in (owner, stranger))
    assert (mine["systems"], theirs["systems"]) == (2, 1)
    assert {each["system"] for row in theirs["questions"] for each in row["waiting"]} == {OPEN.id}
    means = [row["mean"] for row in mine["questions"]]
    assert means == sorted(means, reverse=True)
    assert SHUT.id not in stranger.get("/norms/next").text
    one = owner.get(f"/norms/next.json?system={SHUT.id}").json()
    assert {each["system"] for row in one["questions"] for each in row["waiting"]} == {SHUT.id}
    assert owner.get("/norms/next?lang=en&as_of=2026-01-01").status_code == 200


def test_what_may_not_be_seen_answers_as_what_does_not_exist(stranger: TestClient) -> None:
    for path in (
        "/norms/gap?have=nist-ai-rmf&want=eu-ai-act&system={}",
        "/norms/grade?pack=eu-ai-act&system={}",
        "/norms/next?system={}",
    ):
        for form in ("json", "csv", ""):
            where = beside(path, form) if form else path
            hidden, absent = stranger.get(where.format(SHUT.id)), stranger.get(where.format("urn:example:nobody"))
            assert (hidden.status_code, absent.status_code) == (404, 404)
            assert hidden.text.replace("shut", "") == absent.text.replace("nobody", "")
    assert "The shut one" not in stranger.get("/norms/gap").text
    assert "The open one" in stranger.get("/norms/gap").text

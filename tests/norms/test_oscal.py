"""Every OSCAL document we write is one that compliance-trestle accepts; what comes in is a stranger's and is bounded."""

from __future__ import annotations

import contextlib
import datetime
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trestle.core import validator_factory
from trestle.core.base_model import OscalBaseModel
from trestle.oscal import OSCAL_VERSION as JUDGED
from trestle.oscal import assessment_results, catalog, mapping, profile

from tests.norms.two_packs import ONE, ONWARD, PACKS, WALK, head, pack, relation, requirement, walk, walk_head, words
from tongqiu.norms import library
from tongqiu.norms.crosswalk import compose, turn
from tongqiu.norms.crosswalks.shelf import Shelf, shipped, shipped_pack
from tongqiu.norms.grading import Seen
from tongqiu.norms.oscal import parsing
from tongqiu.norms.oscal.catalog import OWN, write_catalog, write_profile
from tongqiu.norms.oscal.draft import Choice, read_catalog
from tongqiu.norms.oscal.frame import OSCAL_VERSION, filled, line, token, uid, untoken
from tongqiu.norms.oscal.loss import losses
from tongqiu.norms.oscal.mapping import write_mapping
from tongqiu.norms.oscal.parsing import MAX_DEPTH
from tongqiu.norms.oscal.results import CAVEAT, Observed, write_results
from tongqiu.norms.reading import MAX_ROWS, read
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.shapes import Finding, Verdict
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.norms.pack import Pack

MODELS: dict[str, type[OscalBaseModel]] = {
    "catalog": catalog.Model,
    "profile": profile.Model,
    "mapping-collection": mapping.Model,
    "assessment-results": assessment_results.Model,
}
LICENCE = Choice("CC0-1.0")
RICH = (
    head("rich").replace(
        "\n[[source]]",
        f'\njurisdiction = "EU"\nnature = "law"\nabout = {words("What it is")}\n\n[[source]]',
        1,
    )
    + 'issuer = "Council"\npublished = 2024-07-12\namended_by = ["doc"]\n'
    + f'\n[[group]]\nid = "ch1"\ntitle = {words("Chapter 1")}\ncite = [{{ source = "doc", article = "Chapter I" }}]\n'
    + f'\n[[group]]\nid = "1-a"\ntitle = {words("Section 1")}\nparent = "ch1"\n'
    + f'\n[[group]]\nid = "b"\ntitle = {words("Section 2")}\nparent = "ch1"\n'
    + f'\n[[role]]\nid = "provider"\ntitle = {words("Provider")}\n'
    + f'\n[[role]]\nid = "deployer"\ntitle = {words("Deployer")}\n'
    + f'\n[[scale]]\nid = "risk"\ntitle = {words("Risk")}\ndefault = "low"\ngrades = [\n'
    + "".join(f'  {{ id = "{each}", title = {words(each)}, meaning = {words(each)} }},\n' for each in ("low", "high"))
    + "]\n"
    + f'\n[[scale]]\nid = "size"\ntitle = {words("Size")}\ndefault = "low"\ngrades = [\n'
    + "".join(f'  {{ id = "{each}", title = {words(each)}, meaning = {words(each)} }},\n' for each in ("low", "large"))
    + "]\n"
    + f'\n[[fact]]\nkey = "r.any"\ntype = "bool"\nquestion = {words("Any?")}\n'
    + f'\n[[rule]]\nid = "r1"\nscale = "risk"\ngrade = "high"\nwhen = "r.any"\ntitle = {words("R1")}\n'
    + f'reason = {words("Because")}\ncite = [{{ source = "doc", article = "Art. 1" }}]\n'
    + requirement("a", more='group = "ch1"\nasked_of = ["provider"]\nscale = "risk"\ngrades = ["high"]\n')
    + requirement("2.1", more='group = "1-a"\nrules = ["r1"]\napplies_from = 2027-01-01\n')
    + requirement(
        "b",
        more='group = "b"\nchecked_by = "A"\nchecked_on = 2026-01-01\nchecked_against = "OJ"\nwording = "verbatim"\n'
        'asked_of = ["deployer"]\nknown_from = 2024-07-12\nsucceeds = ["old@0.1"]\n'
        f'answered_by = [{{ kind = "area.x/1", finding = "f", part = "p" }}, {{ finding = "g" }}]\nnote = {words("Doubt")}\n',
    )
    + requirement("loose", more='applies_until = 2030-01-01\nscale = "size"\ngrades = ["large"]\n')
)


def judged(data: bytes) -> dict[str, Any]:
    """Return a document after compliance-trestle has accepted its form, its references and its identifiers."""
    tree: dict[str, Any] = json.loads(data)
    (name,) = tree
    model = MODELS[name].model_validate_json(data)
    inner = getattr(model, name.replace("-", "_"))
    for validator in validator_factory.validator_factory.get_all():
        if validator.__class__.__name__ not in {"AllValidator", "RuleParametersValidator"}:
            assert validator.model_is_valid(inner, quiet=True), validator.__class__.__name__
    held: dict[str, Any] = tree[name]
    assert held["metadata"]["oscal-version"] == OSCAL_VERSION
    ids = _ids(held)
    assert len(ids) == len(set(ids))
    assert _hrefs(held) <= {"#" + each for each in _uuids(held.get("back-matter", {}))}
    return held


def _hrefs(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {each for key, each in value.items() if key == "href" and each.startswith("#")}
        return own.union(*(_hrefs(each) for each in value.values()))
    return set().union(*(_hrefs(each) for each in value)) if isinstance(value, list) else set()


def _ids(value: Any) -> list[str]:
    """Return the id of every group, control and part (roles have a space of their own)."""
    if isinstance(value, dict):
        own = [each for each in (value.get("id"),) if isinstance(each, str)]
        return own + [each for key, one in value.items() if key != "metadata" for each in _ids(one)]
    return [each for one in value for each in _ids(one)] if isinstance(value, list) else []


def _uuids(value: Any) -> set[str]:
    return {each["uuid"] for each in value.get("resources", ())}


def rich() -> Pack:
    return read(RICH.encode())


# --- what is written --------------------------------------------------------------------------------------------------


def test_the_judge_refuses_what_is_wrong() -> None:
    right = write_catalog(rich())
    dangling = json.loads(right)
    dangling["catalog"]["controls"][0]["links"][0]["href"] = "#74c8ba1e-5cd4-4ad1-bbfd-d888e2f6c724"
    twice = json.loads(right)
    twice["catalog"]["controls"] *= 2
    for tree in (dangling, twice):
        with pytest.raises(AssertionError):
            judged(json.dumps(tree).encode())
    with pytest.raises(ValueError, match="validation error"):
        judged(right.replace(b'"uuid": "', b'"uuid": "x', 1))


def test_the_version_is_that_of_the_judge() -> None:
    assert OSCAL_VERSION == JUDGED == "1.2.1"


def test_a_catalog_holds_groups_controls_texts_and_dates() -> None:
    found = judged(write_catalog(rich()))
    (chapter,) = found["groups"]
    assert [each["id"] for each in chapter["groups"]] == ["ch1_own", "_1-a", "b_group"]
    assert chapter["groups"][0]["class"] == OWN
    (inner,) = chapter["groups"][1]["controls"]
    assert (inner["id"], inner["title"], inner["parts"][0]["id"]) == ("_2.1", "Title 2.1", "_2.1_smt")
    assert inner["parts"][0]["prose"] == "Text of 2.1"
    assert inner["parts"][0]["parts"][0]["prose"] == "Text of 2.1之义"
    props = {(each["name"], each["value"]) for each in inner["props"]}
    assert {("label", "Art. 2.1(1)"), ("applies-from", "2027-01-01"), ("check", "unchecked"), ("rule", "r1")} <= props
    checked = {(each["name"], each["value"]) for each in chapter["groups"][2]["controls"][0]["props"]}
    assert {("check", "checked"), ("checked-by", "A"), ("checked-against", "OJ"), ("wording", "verbatim")} <= checked
    assert [each["id"] for each in found["controls"]] == ["loose"]
    assert {(each["name"], each["value"]) for each in found["metadata"]["props"]} >= {("licence", "CC0-1.0")}


def test_the_same_pack_gives_the_same_bytes_and_another_edition_other_identifiers() -> None:
    assert write_catalog(rich()) == write_catalog(rich())
    other = read(RICH.replace("Chapter 1", "Chapter I").encode())
    assert judged(write_catalog(rich()))["uuid"] != judged(write_catalog(other))["uuid"]


@pytest.mark.parametrize(
    ("grade", "role", "taken"),
    [
        ("", "", None),
        ("risk:high", "", ["a", "_2.1", "b"]),
        ("high", "", ["a", "_2.1", "b"]),
        ("large", "", ["b", "loose"]),
        ("", "provider", ["a", "_2.1", "loose"]),
        ("high", "provider", ["a", "_2.1"]),
        ("risk:low", "", ["b"]),
    ],
)
def test_a_profile_takes_what_a_grade_or_a_role_is_asked(grade: str, role: str, taken: list[str] | None) -> None:
    (chosen,) = judged(write_profile(rich(), grade=grade, role=role))["imports"]
    if taken is None:
        assert chosen["include-all"] == {}
    else:
        # Requirements of everybody are asked at every grade.
        assert sorted(chosen["include-controls"][0]["with-ids"]) == sorted(taken)


@pytest.mark.parametrize(
    ("grade", "role", "code", "kind"),
    [
        ("hihg", "", "norms.oscal.no-grade", Missing),
        ("risk:hihg", "", "norms.oscal.no-grade", Missing),
        ("low", "", "norms.oscal.many-grades", Malformed),
        ("", "nobody", "norms.oscal.no-role", Missing),
        ("risk:low", "provider", "norms.oscal.empty", Missing),
    ],
)
def test_a_profile_of_nothing_is_refused(grade: str, role: str, code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        write_profile(rich(), grade=grade, role=role)
    assert getattr(caught.value, "code", "") == code


def test_a_mapping_holds_relations_reasons_and_what_has_no_counterpart() -> None:
    found = judged(write_mapping(walk(), PACKS["one"], PACKS["other"]))
    (one,) = found["mappings"]
    said = [(each["sources"][0]["id-ref"], each["relationship"], each["targets"][0]["id-ref"]) for each in one["maps"]]
    assert said == [
        ("a", "equivalent-to", "v"),
        ("b", "superset-of", "w"),
        ("c", "subset-of", "x"),
        ("c", "intersects-with", "y"),
    ]
    assert one["maps"][3]["confidence-score"] == {"category": "low"}
    assert one["source-gap-summary"]["unmapped-controls"] == [{"with-ids": ["d", "e"]}]
    assert one["target-gap-summary"]["unmapped-controls"] == [{"with-ids": ["z"]}]
    assert found["provenance"]["status"] == "draft"
    rows = tuple(
        msgspec.structs.replace(each, reviewed_by="B", reviewed_on=datetime.date(2026, 2, 1))
        for each in walk().relations
    )
    whole = msgspec.structs.replace(walk(), relations=rows)
    assert judged(write_mapping(whole, PACKS["one"], PACKS["other"]))["provenance"]["status"] == "complete"


def test_equal_by_wording_is_the_stricter_word_and_a_turned_mapping_says_so() -> None:
    strict = walk(WALK.replace('rationale = "semantic"', 'rationale = "syntactic"', 1))
    back = judged(write_mapping(turn(strict), PACKS["other"], PACKS["one"]))
    assert [each["relationship"] for each in back["mappings"][0]["maps"]][:3] == [
        "equal-to",
        "subset-of",
        "superset-of",
    ]
    assert "turned" in {each["name"] for each in back["metadata"]["props"]}


def test_what_nobody_mapped_is_not_written_as_a_mapping() -> None:
    with pytest.raises(Refused) as caught:
        write_mapping(compose(walk(), walk(ONWARD)), PACKS["one"], PACKS["third"])
    assert caught.value.code == "norms.oscal.derived"
    empty = walk(
        walk_head("third", "fourth") + relation("none", "m") + relation("none", "n") + relation("none", "", "q")
    )
    with pytest.raises(Missing) as none:
        write_mapping(empty, PACKS["third"], PACKS["fourth"])
    assert none.value.code == "norms.oscal.nothing-mapped"


# --- results ----------------------------------------------------------------------------------------------------------


def observed(requirement_: str, verdict: Verdict, number: int = 1) -> Observed:
    text = Text(en=f"Reason {number}", zh=f"理由 {number}")
    finding = Finding(requirement=requirement_, title=text, verdict=verdict, code="area.code", reason=text)
    seen = Seen(entry=f"sha-256:{number:064x}", kind="area.result/1", finding=finding)
    about = "urn:system:1" if number % 2 else "urn:model:1"
    return Observed(seen=seen, at=f"2026-11-2{number}T10:00:00Z", subject=about, name="", issuer="did:key:z1")


def concluded(*found: Observed) -> dict[str, str]:
    held = judged(write_results(PACKS["one"], ("urn:system:1", "System"), found))
    (result,) = held["results"]
    return {each["target"]["target-id"]: each["target"]["status"]["state"] for each in result.get("findings", ())}


def test_only_verdicts_make_findings_and_only_whole_ones_satisfy() -> None:
    met, unmet = observed("area.a", "met"), observed("area.a", "unmet", 2)
    assert concluded(met) == {"a_smt": "satisfied"}
    assert concluded(met, unmet) == {"a_smt": "not-satisfied"}
    assert concluded(met, observed("area.a", "undecided", 2)) == {}
    assert concluded(observed("area.a", "not-applicable")) == {}
    # One part of two is met: nothing is satisfied. One part of two is not met: that is enough.
    assert concluded(observed("area.b", "met")) == {}
    assert concluded(observed("area.b", "unmet")) == {"b_smt": "not-satisfied"}
    assert concluded(observed("area.b", "met"), observed("area.c", "met", 2)) == {
        "b_smt": "satisfied",
        "c_smt": "satisfied",
    }


def test_what_nobody_looked_at_is_not_in_the_results_at_all() -> None:
    held = judged(
        write_results(PACKS["one"], ("urn:s:1", ""), [observed("area.a", "met"), observed("area.c", "not-assessed", 2)])
    )
    (result,) = held["results"]
    reviewed = result["reviewed-controls"]["control-selections"][0]["include-controls"]
    assert [each["control-id"] for each in reviewed] == ["a"]
    assert len(result["observations"]) == 1
    with pytest.raises(Missing) as caught:
        write_results(PACKS["one"], ("urn:s:1", "S"), [observed("area.a", "not-assessed")])
    assert caught.value.code == "norms.oscal.nothing-found"


def test_results_name_records_issuers_and_subjects_and_say_what_satisfied_means() -> None:
    found = [observed("area.a", "met"), observed("area.b", "undecided", 2), observed("area.a", "met", 3)]
    data = write_results(PACKS["one"], ("urn:system:1", "System"), found)
    assert data == write_results(PACKS["one"], ("urn:system:1", "System"), [*reversed(found), found[0]])
    held = judged(data)
    (result,) = held["results"]
    assert (result["start"], result["end"]) == ("2026-11-21T10:00:00Z", "2026-11-23T10:00:00Z")
    assert result["findings"][0]["description"] == CAVEAT.en
    assert len(result["findings"][0]["related-observations"]) == 2
    parties = {each["uuid"]: each["name"] for each in held["metadata"]["parties"]}
    components = {each["uuid"]: each["title"] for each in result["local-definitions"]["components"]}
    assert set(components.values()) == {"System", "urn:model:1"}
    for each in result["observations"]:
        assert parties[each["origins"][0]["actors"][0]["actor-uuid"]] == "did:key:z1"
        assert each["subjects"][0]["subject-uuid"] in components
        assert each["relevant-evidence"][0]["href"].startswith("urn:tongqiu:record:sha-256:")


# --- what is read -----------------------------------------------------------------------------------------------------


def test_a_round_trip_loses_what_a_catalog_cannot_hold_and_says_so() -> None:
    found = {each.field: (each.rows, each.of) for each in losses(rich())}
    assert found == {
        "facts": (1, 1),
        "scales": (2, 2),
        "rules": (1, 1),
        "requirements.scale": (2, 4),
        "requirements.grades": (2, 4),
        "requirements.rules": (1, 4),
        "requirements.checked_by": (1, 4),
        "requirements.checked_on": (1, 4),
        "requirements.checked_against": (1, 4),
    }
    assert losses(read(ONE.encode())) == ()
    long = read(ONE.replace('title = { en = "Pack one"', 'title = { en = "Pack  one"').encode())
    assert [each.field for each in losses(long)] == ["title"]


def test_a_draft_is_a_pack_and_nothing_in_it_is_checked() -> None:
    draft = read_catalog(write_catalog(rich()), Choice("CC-BY-4.0", "mine"))
    made = read(draft.data)
    assert (made.id, made.licence, draft.requirements, draft.groups, draft.translated) == (
        "mine",
        "CC-BY-4.0",
        4,
        3,
        True,
    )
    assert not any(each.checked for each in made.requirements)
    assert made.requirement("b").parts == ("p", "")


FOREIGN: dict[str, Any] = {
    "catalog": {
        "uuid": "74c8ba1e-5cd4-4ad1-bbfd-d888e2f6c724",
        "metadata": {
            "title": "Sample Security Catalog",
            "last-modified": "2026-01-02T03:04:05Z",
            "version": "v5.2.0-rc1",
            "oscal-version": "1.1.3",
            "parties": [{"uuid": "74c8ba1e-5cd4-4ad1-bbfd-d888e2f6c725", "type": "organization", "name": 'Ministry \u007f of "X"'}],
            "remarks": "About it",
        },
        "params": [{"id": "p0", "label": "often"}],
        "groups": [
            {
                "id": "AC",
                "class": "family",
                "title": "Access Control",
                "params": [{"id": "p2", "values": ["two", "three"]}],
                "parts": [{"name": "overview", "prose": "Not taken."}],
                "controls": [
                    {
                        "id": "AC-1_x",
                        "title": "Policy",
                        "params": [{"id": "p1"}],
                        "props": [{"name": "label", "value": "AC-1"}],
                        "parts": [
                            {
                                "name": "statement",
                                "prose": "Do:",
                                "parts": [
                                    {
                                        "name": "item",
                                        "prose": "{{ insert: param, p0 }} and {{ insert: param, p1 }};",
                                        "props": [{"name": "label", "value": "a."}],
                                    },
                                    {"name": "item", "prose": "{{insert: param, p2}}, {{ insert: param, nowhere }}."},
                                ],
                            },
                            {"name": "guidance", "prose": "NIST's guidance is no paper that a person brings."},
                        ],
                        "controls": [{"id": "ac-1.1", "title": "Enhancement"}],
                    }
                ],
            }
        ],
    }
}  # fmt: skip


def foreign(change: Any = None) -> bytes:
    tree = json.loads(json.dumps(FOREIGN))
    if change is not None:
        change(tree["catalog"])
    return json.dumps(tree).encode()


def test_a_foreign_catalog_becomes_a_draft_that_says_what_is_missing() -> None:
    catalog.Model.model_validate_json(foreign())
    draft = read_catalog(foreign(), LICENCE)
    made = read(draft.data)
    assert (made.id, made.version, made.wording, str(made.known_at)) == (
        "sample-security-catalog",
        "5.2.0.1",
        "verbatim",
        "2026-01-02",
    )
    assert made.publisher == 'Ministry \u007f of "X"'
    first, second = made.requirements
    assert (first.id, second.id, first.group) == ("ac-1-x", "ac-1.1", "ac")
    assert first.text.en == "Do:\na. [often] and [p1];\n[two, three], [nowhere]."
    assert first.text.zh.startswith("（未译）")
    assert (str(first.cite[0]), str(second.cite[0])) == ("AC-1", "ac-1.1")
    assert second.text.en == "Enhancement"
    assert first.by_hand is not None
    assert "Nobody has said" in first.by_hand.en
    assert not draft.translated
    zh = read(read_catalog(foreign(), Choice("x", written_in="zh")).data)
    assert zh.title.zh == "Sample Security Catalog"
    assert zh.title.en.startswith("(not translated)")


def test_the_licence_is_asked_for() -> None:
    with pytest.raises(Refused) as caught:
        read_catalog(foreign(), Choice(" "))
    assert caught.value.code == "norms.oscal.licence"


def _set(*path: Any, to: Any) -> Any:
    def change(tree: Any) -> None:
        for each in path[:-1]:
            tree = tree[each]
        tree[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set("controlz", to=[]), "unknown-key"),
        (_set("groups", 0, "controlz", to=[]), "unknown-key"),
        (_set("groups", 0, "controls", 0, "text", to=""), "unknown-key"),
        (_set("groups", 0, "controls", 0, "parts", 0, "text", to=""), "unknown-key"),
        (_set("groups", 0, "controls", 0, "props", 0, "text", to=""), "unknown-key"),
        (_set("metadata", to=[]), "form"),
        (_set("metadata", "title", to=""), "form"),
        (_set("metadata", "title", to=7), "form"),
        (_set("metadata", "oscal-version", to="2.0"), "version"),
        (_set("metadata", "last-modified", to="soon"), "day"),
        (_set("back-matter", to=[]), "form"),
        (_set("groups", to={}), "form"),
        (_set("groups", to=[3]), "form"),
        (_set("groups", 0, "title", to=None), "form"),
        (_set("groups", 0, "controls", 0, "id", to="___"), "name"),
        (_set("groups", 0, "controls", 0, "id", to="AC-1.1"), "twice"),
        (_set("groups", 0, "controls", 0, "parts", 0, "prose", to="\ud800"), "syntax"),
        (_set("groups", 0, "controls", 0, "parts", 0, "prose", to="x" * 2_100_000), "large"),
        (_set("controls", to=[{"id": f"c{number}", "title": "C"} for number in range(MAX_ROWS)]), "rows"),
    ],
)
def test_a_catalog_that_is_none_is_refused_with_its_place(change: Any, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_catalog(foreign(change), LICENCE, where="c.json")
    assert caught.value.code == f"norms.oscal.{code}"
    assert caught.value.where == "c.json"
    assert "{" not in caught.value.what.en + caught.value.what.zh


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff", "syntax"),
        (b"{", "syntax"),
        (b'{"catalog": {"uuid": "a", "uuid": "b"}}', "syntax"),
        (b'{"catalog": {"uuid": NaN}}', "syntax"),
        (b"[" * (MAX_DEPTH + 1), "deep"),
        (b'{"a":' * 100_000, "deep"),
        (b"[]", "no-catalog"),
        (b'{"catalog": 3}', "no-catalog"),
        (b'{"catalog": {}, "profile": {}}', "unknown-key"),
        (b'"' + b'\\"' * 400_000, "syntax"),
        (b'"\\', "syntax"),
    ],
)
def test_hostile_bytes_are_refused_at_once(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_catalog(data, LICENCE)
    assert caught.value.code == f"norms.oscal.{code}"


VALUES = (
    "null",
    "true",
    "7",
    "-1.5",
    '""',
    '"x"',
    '"\\ud800"',
    "[]",
    "{}",
    "[3]",
    "[{}]",
    '{"ns": "urn:tongqiu:norms"}',
)
DOCUMENTS = tuple(map(json.loads, (foreign(), write_catalog(rich()))))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a document: its holder and its key."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in pairs] + [found for _, each in pairs for found in places(each)]


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 1), st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(VALUES)), min_size=1, max_size=2))
def test_whatever_is_changed_in_a_catalog_it_is_read_or_refused(number: int, changes: list[tuple[int, str]]) -> None:
    """No change of one or two values makes the reader fail in any other way, in a foreign catalog or in one of ours."""
    tree = json.loads(json.dumps(DOCUMENTS[number]))
    for place, value in changes:
        every = places(tree)
        holder, key = every[place % len(every)]
        holder[key] = json.loads(value)
    with contextlib.suppress(Malformed):
        read(read_catalog(json.dumps(tree).encode(), LICENCE).data)


def test_a_file_that_is_too_long_is_not_even_parsed() -> None:
    with pytest.raises(Malformed) as caught:
        read_catalog(b" " * (parsing.MAX_BYTES + 1), LICENCE)
    assert caught.value.code == "norms.oscal.size"


def test_brackets_within_strings_are_no_nesting() -> None:
    deep = "[" * 100
    assert read(read_catalog(foreign(_set("metadata", "remarks", to=deep)), LICENCE).data).about is not None


def test_names_lines_and_identifiers() -> None:
    assert [untoken(token(each)) for each in ("a.1", "1.a", "2-b")] == ["a.1", "1.a", "2-b"]
    assert uid("a", "b") != uid("ab") != uid("a b")
    assert line(" a\n b\u3000c ") == "a b\u3000c"
    assert filled({"a": [], "b": 0, "c": {"d": ""}, "include-all": {}}) == {"b": 0, "include-all": {}}


# --- all that travels with the software -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", library.shipped())
def test_every_shipped_pack_is_a_valid_catalog(name: str) -> None:
    judged(write_catalog(shipped_pack(name)))


def test_a_shipped_pack_comes_back_without_its_checks_and_no_more() -> None:
    kept = {each.field for each in losses(shipped_pack("nist-ai-rmf"))}
    assert kept == {f"requirements.checked_{each}" for each in ("against", "by", "on")}


@pytest.mark.system
@pytest.mark.parametrize("name", library.shipped())
def test_every_shipped_pack_gives_valid_profiles_and_comes_back(name: str) -> None:
    held = shipped_pack(name)
    if held.requirements:
        judged(write_profile(held))
    for role in held.roles:
        with contextlib.suppress(Missing):  # a role of which nothing is asked
            judged(write_profile(held, role=role.id))
    for scale in held.scales:
        for grade in scale.grades:
            with contextlib.suppress(Missing):  # a grade that brings nothing
                judged(write_profile(held, grade=f"{scale.id}:{grade.id}"))
    never = {"sources", "groups", "roles", "requirements"}
    never |= {f"requirements.{each}" for each in ("title", "text", "cite", "group", "asked_of", "answered_by", "note")}
    assert not never & {each.field for each in losses(held)}


@pytest.mark.parametrize("name", shipped() or ("",))
def test_every_shipped_crosswalk_is_a_valid_mapping_both_ways(name: str) -> None:
    if not name:
        assert Shelf().all == ()
        return
    one, other = name.split("--")
    found = Shelf().mapped(one, other)
    assert found is not None
    judged(write_mapping(found, shipped_pack(one), shipped_pack(other)))
    judged(write_mapping(turn(found), shipped_pack(other), shipped_pack(one)))


def test_the_fixture_pack_is_the_one_that_the_crosswalk_is_checked_against() -> None:
    assert pack("one").requirements == PACKS["one"].requirements

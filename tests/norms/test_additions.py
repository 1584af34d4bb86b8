"""What a pack may hold besides rules: groups, roles, dates and numbers, risks, parts of duties; and every fault at once."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tongqiu.norms.draft import starter
from tongqiu.norms.duties import spoken
from tongqiu.norms.grading import Book, Seen, open_book
from tongqiu.norms.pack import Pack
from tongqiu.norms.reading import MAX_BYTES, MAX_ROWS, MOST_FAULTS, faults, nearest, number, read
from tongqiu.record.faults import Malformed
from tongqiu.record.shapes import Finding
from tongqiu.record.text import Text

MINI = (Path(__file__).parent / "mini.toml").read_text("utf-8")
W = '{ en = "W", zh = "文" }'
CITE = 'cite = [{ source = "law", article = "Art. 9" }]\n'
DAY = datetime.date(2026, 11, 23)
BANDS = f"""
[[fact]]
key = "m.flop"
type = "number"
unit = "FLOP"
question = {W}
bands = [ {{ value = "below-1e25", below = 1e25, title = {W} }}, {{ value = "from-1e25", title = {W} }} ]

[[fact]]
key = "m.placed"
type = "date"
question = {W}
bands = [ {{ value = "before-2027", below = 2027-01-01, title = {W} }}, {{ value = "later", title = {W} }} ]

[[rule]]
id = "r3"
scale = "risk"
grade = "high"
when = "m.flop == 'from-1e25' && m.placed == 'before-2027'"
title = {W}
reason = {W}
{CITE}"""


def requirement(name: str, more: str = "") -> str:
    return f'\n[[requirement]]\nid = "{name}"\ntitle = {W}\ntext = {W}\n{CITE}{more}\n'


def codes(text: str) -> list[str]:
    return [each.code for each in faults(text.encode(), where="p.toml")]


def finding(about: str, verdict: str = "met", code: str = "x.y") -> Finding:
    words = Text("w", "w")
    return Finding(requirement=about, title=words, verdict=verdict, code=code, reason=words, params={}, severity="low")  # type: ignore[arg-type]


def seen(about: str, verdict: str = "met", kind: str = "dataset.profile/1") -> Seen:
    return Seen(entry="sha-256:" + about.encode().hex().zfill(64)[-64:], kind=kind, finding=finding(about, verdict))


# --- dates and numbers ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def banded() -> Book:
    return open_book((MINI + BANDS).encode())


@pytest.mark.parametrize(
    ("flop", "placed", "grade"),
    [
        (1e25, datetime.date(2026, 12, 31), "high"),
        (9.9e24, datetime.date(2026, 12, 31), "low"),
        (10**26, "2026-01-01", "high"),
        (10**26, "2027-01-01", "low"),
        ("from-1e25", "before-2027", "high"),
        (0, "later", "low"),
    ],
)
def test_a_rule_sees_the_band_that_a_date_or_number_falls_in(
    banded: Book, flop: object, placed: object, grade: str
) -> None:
    graded = banded.grade({"m.flop": flop, "m.placed": placed, "a.any": False, "a.kind": "x"}, as_of=DAY)
    assert graded.span("risk").grades == (grade,)


def test_a_record_keeps_the_number_and_a_rule_says_which_band_it_read(banded: Book) -> None:
    graded = banded.grade({"m.flop": 3 * 10**25, "m.placed": datetime.date(2026, 5, 1)}, as_of=DAY)
    assert graded.facts == {"m.flop": 3e25, "m.placed": "2026-05-01"}
    (rule,) = [each for each in graded.held if each.rule == "r3"]
    assert rule.read == {"m.flop": "from-1e25", "m.placed": "before-2027"}
    open_ = banded.grade({}, as_of=DAY)
    values = {one.value for gap in open_.gaps if gap.fact == "m.flop" for one in gap.outcomes}
    assert values == {"below-1e25", "from-1e25"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("m.flop", True),
        ("m.flop", float("nan")),
        ("m.flop", float("inf")),
        ("m.flop", 10**400),
        ("m.flop", "1e25"),
        ("m.placed", "2027-1-1"),
        ("m.placed", "20270101"),
        ("m.placed", "soon"),
        ("m.placed", 2027),
        ("m.placed", datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)),
    ],
)
def test_what_is_no_date_and_no_number_is_refused_with_what_may_be_said(banded: Book, key: str, value: object) -> None:
    with pytest.raises(Malformed) as caught:
        banded.grade({key: value}, as_of=DAY)
    assert caught.value.code == "facts.value"
    assert banded.facts[key].bands[0].value in caught.value.do.en


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("below = 1e25, title", "title"),
        ('"from-1e25", title', '"from-1e25", below = 1e26, title'),
        ("below = 1e25", "below = 2027-01-01"),
        ("below = 2027-01-01", "below = 5"),
        (f'{{ value = "below-1e25", below = 1e25, title = {W} }}, ', ""),
    ],
)
def test_bands_must_rise_and_end_open(old: str, new: str) -> None:
    assert "norms.fact.bands" in codes(MINI + BANDS.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"), [('type = "number"', 'type = "bool"'), ('unit = "FLOP"', ""), ('"date"', '"number"')]
)
def test_bands_and_units_belong_to_their_types(old: str, new: str) -> None:
    found = codes(MINI + BANDS.replace(old, new))
    assert ("norms.fact.form" in found or "norms.fact.bands" in found) is (old != 'unit = "FLOP"')


# --- groups, roles, risks, parts ------------------------------------------------------------------------------------------


def test_groups_make_a_tree_and_roles_are_named() -> None:
    tree = f'\n[[group]]\nid = "c1"\ntitle = {W}\n[[group]]\nid = "s1"\nparent = "c1"\ntitle = {W}\n'
    roles = f'\n[[role]]\nid = "provider"\ntitle = {W}\n'
    good = MINI + tree + roles + requirement("q", 'group = "s1"\nasked_of = ["provider"]\n')
    found = read(good.encode())
    assert found.requirement("q").asked_of == ("provider",)
    assert found.groups[1].parent == "c1"
    assert codes(good.replace('parent = "c1"', 'parent = "c9"')) == ["norms.pack.no-group"]
    assert codes(good.replace('id = "c1"\n', 'id = "c1"\nparent = "s1"\n')) == ["norms.group.loop"] * 2
    (fault,) = faults(good.replace('["provider"]', '["providr"]').encode(), where="p.toml")
    assert (fault.code, "provider" in fault.do.en) == ("norms.pack.no-role", True)
    assert codes(good.replace('group = "s1"', 'group = "s2"')) == ["norms.pack.no-group"]


def test_what_is_asked_of_everybody_is_owed_by_every_system_and_of_a_role_perhaps() -> None:
    roles = f'\n[[role]]\nid = "provider"\ntitle = {W}\n'
    book = open_book((MINI + roles + requirement("all") + requirement("some", 'asked_of = ["provider"]')).encode())
    owed = {each.requirement: each for each in book.owed(book.grade({}, as_of=DAY), ())}
    assert (owed["all"].sure, owed["some"].sure) == (True, False)
    assert owed["some"].asked_of == ("provider",)


def test_a_risk_is_suggested_for_sure_or_perhaps_by_its_condition() -> None:
    risk = f'\n[[risk]]\nid = "k1"\ntitle = {W}\ntext = {W}\n{CITE}suggested_when = "a.one"\nmeasures = [{W}]\n'
    silent = risk.replace("k1", "k2").replace('suggested_when = "a.one"\n', "")
    book = open_book((MINI + risk + silent).encode())
    assert [(each.risk, each.sure, each.open) for each in book.suggested({}, as_of=DAY)] == [
        ("k1", False, ("a.any", "a.one"))
    ]
    assert [each.sure for each in book.suggested({"a.one": True}, as_of=DAY)] == [True]
    assert book.suggested({"a.any": False}, as_of=DAY) == ()
    assert codes(MINI + risk.replace("a.one", "a.oen")) == ["norms.pack.no-fact"]
    assert codes(MINI + risk.replace("a.one", "has(a.one)")) == ["norms.rule.macro"]
    assert book.pack.risk("k1").measures


PARTED = (
    'answered_by = [{ finding = "dataset.lineage", part = "origin" }, { finding = "dataset.balance", part = "bias" }]'
)


def parted() -> Pack:
    former = requirement("old") + requirement("new", 'succeeds = ["old"]\n' + PARTED)
    return read((MINI + former).encode())


@pytest.mark.parametrize(
    ("findings", "state", "open_"),
    [
        ((), "unanswered", ("origin", "bias")),
        ((seen("dataset.lineage"),), "partly", ("bias",)),
        ((seen("dataset.lineage.source", "unmet"),), "partly", ("bias",)),
        ((seen("dataset.lineage"), seen("dataset.balance")), "answered", ()),
        ((seen("dataset.lineage", "not-assessed"),), "unanswered", ("origin", "bias")),
        ((seen("mini:new"),), "answered", ()),
        ((seen("mini:old"),), "answered", ()),
        ((seen("mini:old/bias"),), "partly", ("origin",)),
        ((seen("mini:older"),), "unanswered", ("origin", "bias")),
        ((seen("other:old"),), "unanswered", ("origin", "bias")),
    ],
)
def test_a_duty_is_answered_part_by_part_and_by_evidence_for_what_it_replaced(
    findings: tuple[Seen, ...], state: str, open_: tuple[str, ...]
) -> None:
    pack = parted()
    said = spoken(pack, pack.requirement("new"), findings)
    assert (said.state, said.open) == (state, open_)
    assert bool(said.entries) == (state != "unanswered")


def test_a_duty_whose_place_was_taken_is_not_owed_and_its_successor_is() -> None:
    book = open_book((MINI + requirement("old") + requirement("new", 'succeeds = ["old"]')).encode())
    owed = book.owed(book.grade({}, as_of=DAY), (seen("mini:old"),))
    assert [(each.requirement, each.state) for each in owed] == [("new", "answered")]


# --- succession across editions ----------------------------------------------------------------------------------------


def test_a_successor_names_a_row_of_this_edition_or_an_earlier_edition() -> None:
    assert codes(MINI + requirement("new", 'succeeds = ["old"]')) == ["norms.pack.no-requirement"]
    assert codes(MINI + requirement("new", 'succeeds = ["old@0.9"]')) == []
    assert codes(MINI + requirement("new", 'succeeds = ["old@1"]')) == ["norms.requirement.edition"]
    (fault,) = faults((MINI + requirement("article-9") + requirement("new", 'succeeds = ["article9"]')).encode())
    assert "article-9" in fault.do.en
    assert "@" in fault.do.zh
    around = (
        requirement("a", 'succeeds = ["c"]')
        + requirement("b", 'succeeds = ["a"]')
        + requirement("c", 'succeeds = ["b"]')
    )
    assert codes(MINI + around) == ["norms.requirement.loop"] * 3


def test_editions_compare_as_numbers() -> None:
    assert number("2026.11") > number("2026.9")
    assert number("1") == number("1.0.0")
    assert number("0") == ()


# --- every fault at once ---------------------------------------------------------------------------------------------------

BROKEN = (
    MINI.replace('grade = "high"', 'grade = "hihg"')
    .replace("when = \"a.kind == 'y'\"", 'when = "has(a.kind)"')
    .replace('force = "binding"', 'force = "bindng"')
    .replace('publisher = "Test"', 'publisher = "Test"\npublsher = "Test"')
    + requirement("q", 'rules = ["r9"]\napplies_from = 2026-02-02\napplies_until = 2026-02-01\n')
    + requirement("q", 'succeeds = ["q"]\n')
)


def test_every_fault_is_told_once_with_line_place_and_what_to_do() -> None:
    found = faults(BROKEN.encode(), where="p.toml")
    assert {each.code for each in found} == {
        "norms.pack.unknown-key",
        "norms.pack.form",
    }, "no source is left, so nothing that rests on one can be told"
    mended = faults(BROKEN.replace("bindng", "binding").encode(), where="p.toml")
    assert sorted(each.code for each in mended) == [
        "norms.pack.dates",
        "norms.pack.no-grade",
        "norms.pack.no-rule",
        "norms.pack.twice",
        "norms.pack.unknown-key",
        "norms.requirement.loop",
        "norms.requirement.loop",
        "norms.rule.macro",
    ]
    lines = BROKEN.splitlines()
    for each in mended:
        line = int(each.values["line"])
        assert each.where == f"p.toml:{line}"
        assert each.explain("zh") != each.explain("en")
        assert each.do.en
        assert each.do.zh
    assert [int(each.values["line"]) for each in mended] == sorted(int(each.values["line"]) for each in mended)
    grade = next(each for each in mended if each.code == "norms.pack.no-grade")
    assert "hihg" in lines[int(grade.values["line"]) - 1]
    assert "high" in grade.do.en


def test_a_row_that_does_not_fit_may_still_be_named_by_others() -> None:
    bad = '\n[[role]]\nid = "maker"\ntitle = { en = "Maker", zh = "" }\n'
    text = MINI + bad + f'\n[[role]]\nid = "user"\ntitle = {W}\n' + requirement("q", 'asked_of = ["maker", "user"]')
    (fault,) = faults(text.encode(), where="p.toml")
    assert (fault.code, fault.where) == ("norms.pack.form", "p.toml:" + str(text[: text.index(bad)].count("\n") + 4))
    later = text + '\n[[requirement]]\nid = "z"\n'
    assert codes(later) == ["norms.pack.form"] * 2
    shifted = MINI + bad + f'\n[[role]]\nid = "user"\ntitle = {W}\n[[role]]\nid = "user"\ntitle = {W}\n'
    twice = next(each for each in faults(shifted.encode()) if each.code == "norms.pack.twice")
    assert shifted.splitlines()[int(twice.values["line"]) - 1] == 'id = "user"'
    assert int(twice.values["line"]) > shifted[: shifted.index("user")].count("\n") + 1


def test_faults_are_limited_and_a_file_that_is_no_pack_has_one() -> None:
    many = MINI + "".join(requirement("q", f'rules = ["x{each}"]') for each in range(MOST_FAULTS))
    assert len(faults(many.encode())) == MOST_FAULTS
    assert codes("format = ") == ["norms.pack.syntax"]
    assert [each.code for each in faults(b"\xff")] == ["norms.pack.syntax"]
    assert [each.code for each in faults(b"#" * (MAX_BYTES + 1))] == ["norms.pack.size"]
    assert codes(MINI.replace('id = "mini"\n', "")) == ["norms.pack.form"]
    assert codes(MINI + "\n[rule]\n") == ["norms.pack.syntax"]
    assert "norms.pack.form" in codes(MINI.replace("[[source]]", "[source]"))
    assert codes(MINI) == []


def test_one_bad_source_leaves_the_others_and_what_rests_on_it_is_not_blamed() -> None:
    bad = f'\n[[source]]\nid = "other"\ndocument = "O"\ntitle = {W}\nforce = "odd"\nlicence = "x"\n'
    text = MINI + bad + requirement("q").replace("law", "other") + requirement("z", 'group = "g"')
    assert codes(text) == ["norms.pack.form", "norms.pack.no-group"]


def test_grades_choices_and_scales_are_checked_too() -> None:
    assert codes(MINI.replace('{ id = "out"', '{ id = "low"')) == ["norms.pack.twice", "norms.pack.no-grade"]
    assert "norms.pack.twice" in codes(MINI.replace('value = "y"', 'value = "x"'))
    assert codes(MINI.replace('scale = "risk"\ngrade = "high"', 'scale = "rsk"\ngrade = "high"')) == [
        "norms.pack.no-scale"
    ]


def test_a_list_has_a_limit() -> None:
    rows = "".join(f'[[role]]\nid = "r{each}"\ntitle = {W}\n' for each in range(MAX_ROWS + 1))
    assert codes(MINI + rows) == ["norms.pack.rows"]


def test_the_nearest_word_is_found_among_very_many() -> None:
    assert nearest("xy-57", (f"xy-{each}" for each in range(2000))) == "xy-57"
    assert nearest("a", ()) == ""


# --- the starter ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xx-ai-act", "9lives", "a.b-c"])
def test_the_starter_file_works_as_it_is(name: str) -> None:
    text = starter(name, today="2026-11-23", jurisdiction="XX")
    assert codes(text) == []
    book = open_book(text.encode())
    assert (len(book.pack.sources), len(book.pack.scales), len(book.pack.facts)) == (1, 1, 2)
    assert (len(book.pack.rules), len(book.pack.requirements), book.pack.jurisdiction) == (1, 1, "XX")
    first, second = book.facts
    graded = book.grade({first: True, second: 25_000}, as_of=DAY)
    assert graded.span("class").grades == ("high",)
    assert [each.requirement for each in book.owed(graded, ())] == ["s4"]


@pytest.mark.parametrize(
    ("name", "place"), [("Big", "XX"), ("a b", "XX"), ("a", "Mars"), ("a", "xx"), ("x" * 81, "XX")]
)
def test_a_starter_has_a_proper_name_and_place(name: str, place: str) -> None:
    with pytest.raises(Malformed) as caught:
        starter(name, today="2026-11-23", jurisdiction=place)
    assert caught.value.code in {"norms.draft.id", "norms.draft.jurisdiction"}

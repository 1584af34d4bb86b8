"""Indicators from records: every measure on the list, every indicator told, nothing of nothing, the same in every order."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practices.dataset.indicators.audits import audit, duplicates, full, part, weighed
from tongqiu.measure.unit import unit
from tongqiu.practices.dataset.cleaning.declared import CleanParams
from tongqiu.practices.dataset.corpus.bodies import Audit
from tongqiu.practices.dataset.description.kinds import Claim, Description
from tongqiu.practices.dataset.indicators import of_corpus, shelf
from tongqiu.practices.dataset.indicators.assessors import Known, bounded, indicators
from tongqiu.practices.dataset.indicators.findings import TITLES, review
from tongqiu.practices.dataset.indicators.kinds import (
    DECLARED,
    INDICATORS,
    Declared,
    Indicators,
    Part,
    Population,
    Reading,
    SourceRead,
    Target,
    Value,
    evidence,
)
from tongqiu.practices.dataset.indicators.of_files import UNITS
from tongqiu.practices.dataset.kinds import (
    Column,
    Completeness,
    Group,
    Groups,
    Number,
    Profile,
    Repeated,
    TableProfile,
)
from tongqiu.practices.dataset.media.bodies import Media
from tongqiu.practices.dataset.media.bodies import Spread as MediaSpread
from tongqiu.practices.dataset.tabular.bodies import Broken, Labels, Seen, Table

ALL = Declared(
    (
        Population("language", (Part("en", 0.4), Part("sw", 0.3), Part("zh", 0.3)), "made up", "CC0-1.0", 0.2),
        Population("region", (Part("CN", 0.5), Part("KE", 0.5)), "made up"),
        Population("split", (Part("train", 1.0),), "made up", tolerance=0.1),
    ),
    Target(("sw", "zh", "qu"), 0.05, 900, 30_000, (2020, 2025), 3),
    (
        Reading("people", 4100, 4000, 50, (SourceRead("news", 3000, 20), SourceRead("wiki", 100, 30))),
        Reading("technical", 200, 199),
    ),
)


def profile() -> Profile:
    table = TableProfile(
        "cases.csv",
        "csv",
        1000,
        200,
        (Column("sex", "category", 0, Number(2)), Column("income", "number", 30, Number(100))),
        (Repeated("", 200, Number(3)),),
        Completeness(200, 4, 0, whole=True),
        (
            Groups("sex", "sensitive", (Group("f", 120, 25), Group("m", 70, 5)), 1, 10),
            Groups("deny", "label", (Group("no", 150), Group("yes", 40)), missing=10),
            Groups("name", "sensitive", withheld=True),
        ),
    )
    return Profile((table,), "m@1", ("d@1",), 60)


def table() -> Table:
    return Table(
        "cases.csv",
        "csv",
        200,
        4,
        (Seen("income", "number", 30, 100, 2),),
        "m@1",
        (Broken("minimum", ("income",), 170, 3), Broken("column", ("gone",), 200, 200)),
        labels=Labels("label", 1, 0, 10, 20, 1, 1, (), 0.05, 0.01, 0.2, 100, 3, 0.01, 0.08),
    )


def media() -> Media:
    spreads = (MediaSpread("width", 8, 100, 200, 640, 800, 1000), MediaSpread("seconds", 2, 1, 1, 2, 3, 4))
    return Media(12, 9000, 8, 2, 2, (), "m@1", exact=1, near=2, compared=9, marked=3, broken=1, spreads=spreads)


def description() -> Description:
    claims = tuple(Claim(topic, "x", "README.md", "1") for topic in ("name", "licence", "language", "source", "name"))
    return Description("m@1", claims=claims)


def everything() -> Indicators:
    return indicators(Known(full(), profile(), table(), media(), description(), ALL), 2026)


def one(body: Indicators, name: str, **group: str) -> Value:
    (found,) = [each for each in body.values if each.measure == f"dataset.indicator.{name}" and each.group == group]
    return found


def test_every_measure_that_is_made_is_on_the_list_and_every_one_on_the_list_is_made() -> None:
    body = everything()
    made = {each.measure for each in body.values}
    assert made <= set(shelf.measures())
    # Flaws and variety need parts that this audit lacks.
    assert set(shelf.measures()) - made == {"dataset.indicator.flaw", "dataset.indicator.variety"}
    for each in body.values:
        known = shelf.measures()[each.measure]
        assert each.unit == UNITS.get(each.group.get("figure", ""), known.unit), each
        assert unit(each.unit).code == each.unit
        assert (each.low is None) == (each.level is None), each


def test_the_list_of_standards_holds_together() -> None:
    standards = {each.id for each in shelf.standards()}
    seen = set()
    for each in shelf.indicators():
        assert each.standard in standards
        assert (each.standard, each.id) not in seen
        seen.add((each.standard, each.id))
        assert set(each.measures) <= set(shelf.measures()), each.id
        assert bool(each.measures) == (each.reach is not None), each.id
        assert each.measures or each.why is not None, each.id
        assert (each.checked == "unchecked") == (not each.checked_against), each.id
        for words in (each.title, each.what, each.why):
            if words is not None:
                assert any("\u4e00" <= letter <= "\u9fff" for letter in words.zh)
                assert not any("\u4e00" <= letter <= "\u9fff" for letter in words.en)
    assert {each for each, _ in seen} == standards
    assert len([each for each in seen if each[0] == "iso-5259-2"]) > 60
    assert not any(each.checked == "primary" for each in shelf.indicators())  # no primary text was at hand


def test_every_indicator_is_told_computed_or_why_not() -> None:
    body = everything()
    assert [(row.standard, row.id) for row in body.coverage] == [(e.standard, e.id) for e in shelf.indicators()]
    computed = {row.id for row in body.coverage if row.state == "computed"}
    assert {"0301", "0302", "0303", "Idn-ML-1", "Rep-ML-1", "Com-ML-1", "corpus-manual", "source"} <= computed
    for row in body.coverage:
        assert (row.state == "computed") == (row.why is None)
    alone = weighed(audit(), None, None, Declared(), 2026)
    told = {row.id: row for row in alone.coverage}
    assert told["Rep-ML-1"].state == told["corpus-manual"].state == told["Com-ML-1"].state == "not-assessed"
    assert told["corpus-manual"].why is not None


def test_a_sample_of_machines_is_not_one_of_people() -> None:
    body = weighed(audit(), None, None, Declared(readings=(Reading("technical", 500, 499),)), 2026)
    told = {row.id: row.state for row in body.coverage}
    assert (told["corpus-technical"], told["corpus-manual"]) == ("computed", "not-assessed")


def test_bodies_hold_and_are_read_back() -> None:
    body = everything()
    assert INDICATORS.holds is not None
    assert list(INDICATORS.holds(body)) == []
    assert INDICATORS.read(INDICATORS.write(body)) == body
    assert DECLARED.holds is not None
    assert list(DECLARED.holds(ALL)) == []
    assert DECLARED.read(DECLARED.write(ALL)) == ALL
    assert all(each.title.zh and each.method for each in evidence(body))
    wrong = msgspec.structs.replace(
        body,
        values=(msgspec.structs.replace(one(body, "unfit"), low=0.9), *body.values[1:]),
        coverage=(msgspec.structs.replace(body.coverage[0], measures=(), state="not-assessed", why=None),),
    )
    assert len(list(INDICATORS.holds(wrong))) == 2
    bad = Declared(
        (Population("language", (Part("en", 0.4), Part("en", 0.4)), "x"),),
        Target(years=(2025, 2020)),
        (Reading("people", 1, 2),),
    )
    assert len(list(DECLARED.holds(bad))) == 4


def test_known_values() -> None:
    body = everything()
    assert one(body, "personal").value == 0.025
    assert one(body, "unfit").value == 0.04
    assert one(body, "repeated-within").value == 0.025
    assert one(body, "personal-rate", sort="national-identity", country="CN").value == pytest.approx(450)
    assert one(body, "median-age").value == 5
    assert one(body, "in-time", years="2020-2025").value == pytest.approx(700 / 800)
    assert one(body, "known", by="source").value == 0.9
    assert one(body, "known", by="language").value == 0.98  # und is no language
    assert one(body, "leaked", tested="test", among="train").value == 0.07
    assert one(body, "represented", by="language").value == 1.0
    assert one(body, "sample-fit", by="people").n == 4050
    assert one(body, "gap-difference", column="sex").value == pytest.approx(25 / 120 - 5 / 70)
    assert one(body, "values-present").value == pytest.approx(1 - 30 / 400)
    assert one(body, "constraint-held", rule="minimum", column="income").value == pytest.approx(167 / 170)
    beside = one(body, "harsh-odds", list="group.religion", group="muslims")
    assert beside.low is not None
    assert beside.low > 1
    assert beside.p is not None
    assert beside.p < 0.001
    assert one(body, "categories", by="source").value == 27
    assert one(body, "media-marked").value == 0.3
    assert one(body, "media-figure", figure="width").value == 640
    assert one(body, "documented", part="basic").value == pytest.approx(1 / 8)
    assert one(body, "documented", part="application").value == pytest.approx(1 / 5)


def test_copies_make_nobody_surer() -> None:
    plain = weighed(audit(), None, None, Declared(), 2026)
    copied = weighed(audit(repeats=duplicates(800, 0)), None, None, Declared(), 2026)
    narrow, wide = one(plain, "evenness", by="language"), one(copied, "evenness", by="language")
    assert narrow.value == wide.value
    assert narrow.low is not None
    assert wide.low is not None
    assert wide.low < narrow.low


def test_languages_of_the_united_nations_and_those_declared_are_listed() -> None:
    body = everything()
    told = {each.language: each for each in body.languages}
    assert set(of_corpus.UNITED_NATIONS) | {"sw", "qu"} == set(told)
    assert told["ar"].under
    assert told["ar"].united_nations
    assert told["qu"].under
    assert told["qu"].declared
    assert not told["zh"].under
    assert {each.value for each in body.lacks} == {"sw", "KE"}


def test_what_to_mend_first_stands_first_with_its_command() -> None:
    body = everything()
    assert [each.code for each in body.mend] == [
        f"mend.{code}" for code in ("secrets", "personal", "leaks", "lost", "unfit", "exact", "near", "empty", "harsh")
    ]
    commands = {each.code: each.command for each in body.mend}
    for command in filter(None, commands.values()):
        # Every command is one that cleaning takes.
        _, _, options = command.partition("PATH --out DIR --")
        option, word = options.split()
        msgspec.convert({option: [word] if option == "drop" else word}, CleanParams)
    assert commands["mend.exact"].endswith("--drop exact")
    assert commands["mend.personal"].endswith("--hide mask")
    assert weighed(audit(), None, None, Declared(), 2026).mend == ()


def test_nothing_is_divided_by_nothing() -> None:
    nothing = audit({}, empty=0)
    body = weighed(nothing, None, None, ALL, 2026)
    assert INDICATORS.holds is not None
    assert list(INDICATORS.holds(body)) == []
    assert one(body, "documents").value == 0
    assert not [each for each in body.values if each.measure == "dataset.indicator.unfit"]
    assert body.languages == ()
    bare = Profile((TableProfile("a.csv", "csv", 0, 0, (), (), Completeness(0, 0, 0, whole=True)),), "m@1", (), 1)
    assert weighed(None, bare, None, Declared(), 2026).values == ()
    assert list(review(body, ALL))


def test_the_list_of_measures_is_bounded_from_the_finest_groups() -> None:
    many = [
        Value("dataset.indicator.label-share", 0.1, "1", 1, "m@1", "k/1", group={"a": str(at)}) for at in range(5000)
    ]
    whole = Value("dataset.indicator.words", 5.0, "1", 1, "m@1", "k/1")
    kept = bounded([*many, whole])
    assert len(kept) == 4000
    assert whole in kept


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9))
def test_the_order_of_parts_never_matters(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - draws a case, keeps no secret
    body = full()
    mixed: dict[str, Any] = {}
    for name in ("tongues", "slices", "personal", "listed", "spreads"):
        parts = list(getattr(body, name))
        chance.shuffle(parts)
        mixed[name] = tuple(parts)
    other: Audit = msgspec.structs.replace(body, **mixed)
    assert indicators(Known(other, profile(), table(), media(), description(), ALL), 2026) == everything()


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["en", "zh", "ar", "sw", "und", "qu"]), st.integers(0, 5000), max_size=6),
    st.integers(0, 6000),
    st.integers(0, 3000),
    st.data(),
)
def test_any_audit_gives_indicators_that_hold(
    languages: dict[str, int], exact: int, words: int, data: st.DataObject
) -> None:
    documents = sum(languages.values())
    some = st.integers(0, documents)
    body = audit(
        languages,
        words=words,
        repeats=duplicates(min(exact, documents), 0),
        empty=data.draw(some),
        unfit=data.draw(some),
        personal_documents=data.draw(some),
        lost=data.draw(st.integers(0, 100)),
        slices=tuple(part("source", name, data.draw(some), values=3) for name in ("a", "")),
    )
    found = weighed(body, None, None, ALL, 2026)
    assert INDICATORS.holds is not None
    assert list(INDICATORS.holds(found)) == []
    assert INDICATORS.read(INDICATORS.write(found)) == found
    assert {each.requirement for each in review(found, ALL)} == set(TITLES)


def test_no_text_of_the_corpus_is_ever_told() -> None:
    canary = "CANARY 110101199003074514"
    tainted = msgspec.convert(
        json.loads(json.dumps(msgspec.to_builtins(full())).replace('"masked": []', f'"masked": ["{canary}"]')), Audit
    )
    tainted = msgspec.structs.replace(
        tainted, personal=tuple(msgspec.structs.replace(each, masked=(canary,)) for each in tainted.personal)
    )
    assert canary in str(tainted)
    told = weighed(tainted, None, None, ALL, 2026)
    assert "CANARY" not in str(told)
    assert not any("CANARY" in str(each) for each in review(told, ALL))

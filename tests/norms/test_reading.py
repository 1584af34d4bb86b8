"""A pack file is read strictly, and every complaint names its line."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

import pytest

from tongqiu.norms.grading import open_book
from tongqiu.norms.library import book, raw, shipped
from tongqiu.norms.lines import index, line_of
from tongqiu.norms.reading import MAX_BYTES, read
from tongqiu.record.faults import Malformed, Missing

MINI = Path(__file__).with_name("mini.toml").read_text(encoding="utf-8")


def refused(text: str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        open_book(text.encode(), where="p.toml")
    assert caught.value.what.zh
    assert caught.value.what.en
    return caught.value


def line(text: str, part: str) -> str:
    return f"p.toml:{text[: text.index(part)].count(chr(10)) + 1}"


def test_a_pack_is_read_and_its_digest_is_that_of_its_bytes() -> None:
    pack = read(MINI.encode())
    assert pack.id == "mini"
    assert pack.digest == "sha-256:" + hashlib.sha256(MINI.encode()).hexdigest()
    assert [rule.id for rule in pack.rules] == ["r1", "r2"]
    assert str(pack.rules[0].cite[0]) == "Art. 1(1)"
    assert pack.rule("r1").checked is False
    assert pack.source("law").document == "TEST 1"
    assert pack.fact("a.kind").values == ("x", "y")


def test_an_unknown_key_names_the_nearest_and_its_line() -> None:
    text = MINI.replace('grade = "high"', 'grads = "high"')
    fault = refused(text)
    assert fault.code == "norms.pack.unknown-key"
    assert fault.where == line(text, "grads")
    assert "grade" in fault.do.en
    assert "grade" in fault.do.zh


def test_an_unknown_key_inside_an_inline_table_is_found() -> None:
    text = MINI.replace('title = { en = "Law", zh = "法" }', 'title = { en = "Law", zn = "法" }')
    fault = refused(text)
    assert (fault.code, fault.where, fault.values["nearest"]) == ("norms.pack.unknown-key", line(text, "zn ="), "zh")


@pytest.mark.parametrize(
    ("old", "new", "code", "part"),
    [
        ('when = "a.one && a.kind == \'x\'"', 'when = "has(a.one)"', "norms.rule.macro", "has("),
        ('when = "a.one && a.kind == \'x\'"', 'when = "[a.one].all(x, x)"', "norms.rule.macro", "[a.one]"),
        ('when = "a.one && a.kind == \'x\'"', "when = \"a.kind.startsWith('x')\"", "norms.rule.function", "starts"),
        ('when = "a.one && a.kind == \'x\'"', 'when = "a.one &&"', "norms.rule.syntax", "a.one &&"),
        ('when = "a.one && a.kind == \'x\'"', 'when = "a.won"', "norms.pack.no-fact", "a.won"),
        ('when = "a.one && a.kind == \'x\'"', 'when = "a.one && other"', "norms.pack.no-fact", "other"),
        ('grade = "high"', 'grade = "hihg"', "norms.pack.no-grade", "hihg"),
        ('scale = "risk"\ngrade = "high"', 'scale = "rusk"\ngrade = "high"', "norms.pack.no-scale", "rusk"),
        ('within = "a.any"', 'within = "a.none"', "norms.pack.no-fact", "a.none"),
        ('within = "a.any"', 'within = "a.kind"', "norms.fact.within", 'within = "a.kind"'),
        ('within = "a.any"', 'within = "a.one"', "norms.fact.within", 'within = "a.one"'),
        ('default = "low"', 'default = "lov"', "norms.pack.no-grade", "lov"),
        ('key = "a.one"', 'key = "a.any"', "norms.pack.twice", 'key = "a.any"\ntype = "bool"\nwithin'),
        ('id = "r2"', 'id = "r1"', "norms.pack.twice", 'id = "r1"\nscale = "risk"\ngrade = "out"'),
        ('article = "Art. 2"', 'article = ""', "norms.pack.form", 'article = ""'),
        ('source = "law", article = "Art. 2"', 'source = "low", article = "A"', "norms.pack.no-source", '"low", art'),
        ('key = "a.kind"', 'key = "a.one.kind"', "norms.fact.prefix", 'key = "a.one"'),
        ("known_at = 2026-01-01", 'known_at = "soon"', "norms.pack.form", "known_at"),
        ('type = "bool"\nwithin', 'type = "choice"\nwithin', "norms.fact.form", '[[fact]]\nkey = "a.one"'),
        ('zh = "因为" }\ncite = [{ source = "law", article = "Art. 1"', 'zh = " " }\ncite = [{ source = "law", article = "A"',
         "norms.pack.form", 'reason = { en = "Because", zh = " "'),
    ],
)  # fmt: skip
def test_each_defect_is_named_with_its_line(old: str, new: str, code: str, part: str) -> None:
    assert old in MINI
    text = MINI.replace(old, new, 1)
    fault = refused(text)
    assert fault.code == code
    assert fault.where == line(text, part)


@pytest.mark.parametrize(
    ("when", "code"),
    [("a.kind", "norms.rule.not-bool"), ("a.kind > 1", "norms.rule.function"), ("a.kind && a.one", "norms.rule.error")],
)
def test_a_condition_that_fails_for_some_answer_is_a_defect_of_the_pack(when: str, code: str) -> None:
    fault = refused(MINI.replace("a.one && a.kind == 'x'", when))
    assert fault.code == code
    assert fault.values["rule"] == "r1"
    assert fault.where == line(MINI, 'when = "a.one')


def test_a_condition_over_too_many_facts_is_refused() -> None:
    facts = "".join(
        f'\n[[fact]]\nkey = "b.f{number}"\ntype = "bool"\nquestion = {{ en = "?", zh = "？" }}\n'
        for number in range(13)
    )
    text = MINI.replace("a.one && a.kind == 'x'", " && ".join(f"b.f{number}" for number in range(13))) + facts
    assert refused(text).code == "norms.rule.wide"


def test_syntax_bytes_and_size() -> None:
    assert refused(MINI + "\n[[rule\n").code == "norms.pack.syntax"
    with pytest.raises(Malformed, match="not UTF-8") as caught:
        read(MINI.encode() + b"# \xff", where="p.toml")
    assert caught.value.where.startswith("p.toml:")
    with pytest.raises(Malformed) as large:
        read(b"#" * (MAX_BYTES + 1))
    assert large.value.code == "norms.pack.size"
    with pytest.raises(Malformed) as deep:
        read(b"a = " + b"[" * 5000 + b"]" * 5000)
    assert deep.value.code in {"norms.pack.syntax", "norms.pack.unknown-key"}


def test_a_requirement_may_not_succeed_itself_nor_name_grades_of_no_scale() -> None:
    one = '\n[[requirement]]\nid = "q1"\ntitle = { en = "Q", zh = "求" }\ntext = { en = "Q", zh = "求" }\n'
    cite = 'cite = [{ source = "law", article = "Art. 3" }]\n'
    assert refused(MINI + one + cite + 'scale = "risk"\n').code == "norms.pack.form"
    assert refused(MINI + one + cite + 'grades = ["high"]\n').code == "norms.pack.form"
    read((MINI + one + cite).encode())
    bound = 'scale = "risk"\ngrades = ["high"]\n'
    read((MINI + one + cite + bound).encode())
    loop = one + cite + bound + 'succeeds = ["q2"]\n' + (one + cite + bound).replace("q1", "q2") + 'succeeds = ["q1"]\n'
    assert refused(MINI + loop).code == "norms.requirement.loop"
    assert refused(MINI + one + cite + 'rules = ["r9"]\n').code == "norms.pack.no-rule"
    assert refused(MINI + one + cite + 'scale = "risk"\ngrades = ["hi"]\n').code == "norms.pack.no-grade"
    dates = "applies_from = 2026-02-02\napplies_until = 2026-02-01\n"
    assert refused(MINI + one + cite + bound + dates).code == "norms.pack.dates"
    assert refused(MINI + one + cite + bound + "answered_by = [{}]\n").code == "norms.pack.form"


def test_lines_know_multi_line_strings_and_nested_tables() -> None:
    text = 'a = """\n[[b]]\nc = 1\n"""\n[[b]]\nc.d = 2\n[b.e]\nf = 3\n[[b]]\nc = 4\n'
    places = index(text)
    assert places["b", 0] == 5
    assert places["b", 0, "c", "d"] == 6
    assert places["b", 0, "e", "f"] == 8
    assert places["b", 1, "c"] == 10
    assert line_of(places, ("b", 1, "x", 3)) == 9


def test_shipped_packs_are_whole() -> None:
    assert "eu-ai-act" in shipped()
    with pytest.raises(Missing) as caught:
        raw("eu-ai-akt")
    assert caught.value.values["nearest"] == "eu-ai-act"
    for name in shipped():
        pack = book(name).pack
        assert pack.id == name
        for row in (*pack.rules, *pack.requirements):
            assert row.known_from is None or row.known_from <= pack.known_at
            assert row.checked_on is None or row.checked_on <= datetime.date(2026, 11, 23)

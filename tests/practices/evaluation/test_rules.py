"""Verdicts follow the interval, name their limit's source, and never pass what nobody could judge."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.practice import Put, load
from tongqiu.practices.evaluation import PRACTICE, rules
from tongqiu.practices.evaluation.assessors import assess
from tongqiu.practices.evaluation.bodies import Completeness, Fairness, Result, Source
from tongqiu.practices.evaluation.counting import Outcome, count
from tongqiu.practices.evaluation.fairness import report, skill, values
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT, VERDICT
from tongqiu.record.kind import Kind
from tongqiu.record.statement import Content, Statement, read_content, write_content
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.practice import Ask

DATA = Subject("dataset", "urn:tongqiu:test:data", "sha-256:" + "a" * 64, "cases")
MODEL = Subject("model", "urn:tongqiu:test:model", "sha-256:" + "b" * 64, "scorer")
SOURCE = Source(data=DATA, decisions="column", positive="yes", negative="no", favourable=True, label="paid")


def treated(groups: dict[str, tuple[int, int, int, int]], rows: Completeness | None = None) -> Fairness:
    """Return a fairness record of groups given as (tp, fp, fn, tn)."""
    levels = list(groups)
    codes, label, decision = [], [], []
    for at, cells in enumerate(groups.values()):
        for n, (y, d) in zip(cells, ((1, 1), (0, 1), (1, 0), (0, 0)), strict=True):
            codes += [at] * n
            label += [y] * n
            decision += [d] * n
    counted = count(
        {"g": (np.array(codes, dtype=np.uint8), levels)},
        np.array(label, dtype=np.uint8),
        np.array(decision, dtype=np.uint8),
    )
    found = report(counted, labelled=True)
    n = len(codes)
    return Fairness(
        method="tongqiu.tabular-decisions@1",
        source=SOURCE,
        rows=rows or Completeness(n, n, 0, 0),
        coverage=0.95,
        interval="wilson",
        adjustment="bonferroni",
        smallest_cell=10,
        groups=found.groups,
        gaps=found.gaps,
    )


def verdicts(body: Fairness) -> dict[str, str]:
    return {finding.requirement.rpartition(".")[2]: finding.verdict for finding in rules.fairness_findings(body)}


def test_equal_groups_of_many_are_met() -> None:
    same = (4000, 1000, 1000, 4000)
    assert set(verdicts(treated({"a": same, "b": same})).values()) == {"met"}


def test_equal_groups_of_few_are_undecided() -> None:
    same = (20, 5, 5, 20)
    assert set(verdicts(treated({"a": same, "b": same})).values()) == {"undecided"}


def test_a_wide_gap_of_many_is_unmet_and_says_why() -> None:
    body = treated({"a": (4000, 1000, 1000, 4000), "b": (1500, 500, 3500, 4500)})
    found = {finding.requirement: finding for finding in rules.fairness_findings(body)}
    gap = found["evaluation.fairness.selection-difference"]
    assert (gap.verdict, gap.code, gap.severity) == ("unmet", "evaluation.unmet", "high")
    for words in (gap.reason.en, gap.reason.zh):
        assert "0.300" in words
        assert "20.0%" in words
        assert "50.0%" in words
        assert "paid = yes" in words
        assert "{" not in words
    ratio = found["evaluation.fairness.selection-ratio"]
    assert ratio.verdict == "unmet"
    assert "29 CFR 1607.4(D)" in ratio.reason.en
    assert "not law" in ratio.reason.en
    assert "并非适用于其他决定的法律" in ratio.reason.zh


def test_met_for_the_judged_is_not_met_for_all() -> None:
    same = (4000, 1000, 1000, 4000)
    body = treated({"a": same, "b": same, "rare": (1, 0, 1, 1)})
    findings = list(rules.fairness_findings(body))
    assert {finding.verdict for finding in findings} == {"undecided"}
    assert {finding.code for finding in findings} == {"evaluation.too-few"}
    wide = treated({"a": same, "b": (1500, 500, 3500, 4500), "rare": (1, 0, 1, 1)})
    assert verdicts(wide)["selection-difference"] == "unmet"


def test_one_judged_group_is_compared_with_nobody() -> None:
    body = treated({"a": (400, 100, 100, 400), "rare": (1, 0, 1, 1)})
    assert set(verdicts(body).values()) == {"not-assessed"}


def test_met_on_half_of_the_rows_is_not_met() -> None:
    same = (4000, 1000, 1000, 4000)
    body = treated({"a": same, "b": same}, Completeness(40_000, 20_000, 20_000, 0))
    assert {finding.code for finding in rules.fairness_findings(body)} == {"evaluation.incomplete"}


@given(cells=st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=1, max_size=4))
def test_every_reason_is_whole_in_both_languages(cells: list[tuple[int, int, int, int]]) -> None:
    groups = {str(at): each for at, each in enumerate(cells)}
    if sum(map(sum, cells)) == 0:
        return
    for finding in rules.fairness_findings(treated(groups)):
        for words in (finding.reason.en, finding.reason.zh, finding.title.en, finding.title.zh):
            assert words
            assert "{" not in words


def result_of(outcome: Outcome) -> Result:
    return Result(
        method="tongqiu.tabular-decisions@1",
        source=SOURCE,
        rows=Completeness(outcome.n, outcome.n, 0, 0),
        coverage=0.95,
        interval="wilson",
        values=values(outcome, labelled=True, smallest=1, floors=True),
        skill=skill(outcome, "yes", "no"),
    )


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome(0, 0, 100, 900), "undecided"),
        (Outcome(90, 10, 10, 890), "met"),
        (Outcome(10, 90, 90, 810), "unmet"),
    ],
)
def test_an_answer_without_skill_never_passes(outcome: Outcome, verdict: str) -> None:
    assert rules.skill_finding(result_of(outcome)).verdict == verdict


def test_skill_on_half_of_the_rows_is_not_shown() -> None:
    whole = result_of(Outcome(90, 10, 10, 890))
    half = msgspec.structs.replace(whole, rows=Completeness(2000, 1000, 1000, 0))
    assert rules.skill_finding(half).verdict == "undecided"
    assert rules.complete_finding(half).verdict == "unmet"
    assert rules.complete_finding(whole).verdict == "met"


def test_a_grouping_that_was_left_out_is_not_assessed() -> None:
    same = (4000, 1000, 1000, 4000)
    body = msgspec.structs.replace(treated({"a": same, "b": same}), left_out=(("g", "postcode"),))
    last = list(rules.fairness_findings(body))[-1]
    assert (last.verdict, last.code) == ("not-assessed", "evaluation.too-many-groups")
    assert "g x postcode" in last.reason.en
    assert "g x postcode" in last.reason.zh


class PaperAsk:
    """Answers from a list of statements, in any order."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = statements

    def said(self, kind: str, *, subject: Subject, **_: object) -> list[Statement]:
        return [each for each in self.statements if each.kind == kind and each.subject.same(subject)]


def statement(kind: Kind[Any], body: object, at: str, entry: str) -> Statement:
    plain = kind.write(body)
    content = Content(
        kind=kind.name,
        schema=kind.schema_digest,
        subject=MODEL,
        issuer="did:example:lab",
        at=f"2026-11-23T{at}:00.000Z",
        body=plain,
    )
    return Statement("sha-256:" + entry * 64, 0, "here", content.at, read_content(write_content(content)))


def test_the_newest_records_are_weighed_whatever_their_order() -> None:
    same = (4000, 1000, 1000, 4000)
    said = [
        statement(RESULT, result_of(Outcome(10, 90, 90, 810)), "08:00", "1"),
        statement(RESULT, result_of(Outcome(90, 10, 10, 890)), "09:00", "2"),
        statement(FAIRNESS, treated({"a": same, "b": (1500, 500, 3500, 4500)}), "08:00", "3"),
        statement(FAIRNESS, treated({"a": same, "b": same}), "09:00", "4"),
    ]
    answers = []
    for order in itertools.permutations(said):
        (handed,) = assess(MODEL, cast("Ask", PaperAsk(order)))
        answers.append(msgspec.json.encode(VERDICT.write(handed.body)))
        assert handed.rests_on == ("sha-256:" + "2" * 64, "sha-256:" + "4" * 64)
    assert len(set(answers)) == 1
    findings = list(VERDICT.findings(handed.body)) if VERDICT.findings else []
    assert {finding.verdict for finding in findings} == {"met"}


def test_without_groups_fairness_is_not_assessed_and_without_records_nothing_is_said() -> None:
    said = [statement(RESULT, result_of(Outcome(90, 10, 10, 890)), "09:00", "2")]
    (handed,) = assess(MODEL, cast("Ask", PaperAsk(said)))
    last = handed.body.findings[-1]
    assert (last.requirement, last.verdict) == ("evaluation.fairness", "not-assessed")
    assert list(assess(MODEL, cast("Ask", PaperAsk([])))) == []


def test_strangers_read_measures_with_group_interval_and_who() -> None:
    body = treated({"a": (400, 100, 100, 400), "rare": (1, 0, 1, 1)})
    assert FAIRNESS.evidence is not None
    seen = list(FAIRNESS.evidence(body))
    rate = next(e for e in seen if e.measure == "evaluation.selection-rate")
    assert (rate.group, rate.n, rate.value, rate.coverage) == ({"g": "a"}, 1000, 0.5, 0.95)
    assert rate.components[0].shared_by == "items"
    assert not [e for e in seen if e.group == {"g": "rare"}]
    assert RESULT.evidence is not None
    names = {e.measure for e in RESULT.evidence(result_of(Outcome(90, 10, 10, 890)))}
    assert {"evaluation.accuracy", "evaluation.skill", "evaluation.precision"} <= names


def test_registries_have_a_row_for_each_value_and_for_each_group_too_small_to_judge() -> None:
    said = statement(FAIRNESS, treated({"a": (400, 100, 100, 400), "rare": (1, 0, 1, 1)}), "09:00", "4")
    for view in [each for each in PRACTICE.views if FAIRNESS.name in each.reads]:
        rows = [row for row in load(view.rows)(said) if isinstance(row, Put)]
        assert rows
        names = {column.name for column in view.columns}
        keys = [tuple(row.values[name] for name in view.key) for row in rows]
        assert len(set(keys)) == len(keys)
        assert all(set(row.values) == names for row in rows)
    few = [row.values for row in load(PRACTICE.views[0].rows)(said) if row.values["measure"] == "too-few-to-judge"]
    assert [(row["group"], row["n"], row["value"]) for row in few] == [("g=rare", None, None)]

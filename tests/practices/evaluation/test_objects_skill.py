"""What may be concluded from a measurement: nothing on a basis that lacks something, and never for a system without skill."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practices.evaluation.paper_runs import HELPFUL, JUDGE, REFUSAL, helpful, run, sha
from tongqiu.practices.evaluation import measuring
from tongqiu.practices.evaluation.assessors import paired
from tongqiu.practices.evaluation.bodies import Completeness
from tongqiu.practices.evaluation.judging import LACKS, finding, skill
from tongqiu.practices.evaluation.object_kinds import MEASUREMENT, METHOD, PLAN, REPLAY, REPORT, RUN
from tongqiu.practices.evaluation.objects import (
    Drawn,
    Floor,
    Measurement,
    Paired,
    Plan,
    Planned,
    Replay,
    Reported,
    TestRun,
)
from tongqiu.record.shapes import Finding
from tongqiu.testing.paper import paper_statement, paper_target


def measured(first: TestRun, second: TestRun | None = None) -> Measurement:
    """Return what ``first`` measured beside ``second``."""
    partner = None
    if second is not None:
        partner = paired(paper_statement(RUN, RUN.write(second), paper_target().subject), second)
    body = measuring.measure(first, partner)
    assert body is not None
    assert list(MEASUREMENT.holds(body)) == []  # type: ignore[misc]
    return body


def said(first: TestRun, second: TestRun | None = None) -> Finding:
    return finding(measured(first, second))


def test_a_safe_and_useful_system_is_better_than_any_without_skill() -> None:
    found = said(run(REFUSAL, 54), helpful(57))
    assert (found.verdict, found.code) == ("met", "evaluation.skill-met")
    assert found.requirement == "evaluation.method.example.refused"
    assert "usefulness" in found.reason.en
    assert "有用性" in found.reason.zh


def test_safety_alone_says_nothing() -> None:
    found = said(run(REFUSAL, 60))
    assert (found.verdict, found.code) == ("not-assessed", "evaluation.lacks-utility")
    assert LACKS["utility"].en in found.reason.en
    incomplete = said(run(REFUSAL, 60), helpful(60, left=10))
    assert incomplete.code == "evaluation.lacks-utility-incomplete"
    bare = said(run(REFUSAL, 60), run(HELPFUL, 60, floors=()))
    assert bare.code == "evaluation.lacks-utility-incomplete"


def test_a_system_that_refuses_or_obeys_everything_is_not_told_apart_from_its_floor() -> None:
    assert said(run(REFUSAL, 60), helpful(0)).verdict == "undecided"
    assert said(run(REFUSAL, 0), helpful(60)).verdict == "undecided"
    assert said(run(REFUSAL, 0), helpful(0)).verdict == "unmet"


def test_without_a_partner_to_name_the_value_alone_stands_against_the_floors() -> None:
    assert said(helpful(58)).verdict == "met"
    assert said(helpful(31)).verdict == "undecided"
    assert said(helpful(5)).verdict == "unmet"
    less = msgspec.structs.replace(HELPFUL, better="lower")
    assert said(run(less, 2, floors=(("null", 30), ("random", 30)))).verdict == "met"


@settings(max_examples=30)
@given(
    agent=st.integers(0, 60),
    partner=st.integers(0, 60),
    other=st.integers(0, 60),
    beside=st.integers(0, 60),
    judged=st.booleans(),
    better=st.sampled_from(["higher", "lower"]),
)
def test_a_floor_agent_never_passes(
    *, agent: int, partner: int, other: int, beside: int, judged: bool, better: str
) -> None:
    """Whatever a system without skill scores, in one measure or in both, answering as it does is never enough."""
    changes = {"better": better} if judged else {"better": better, "judge": None}
    first = run(msgspec.structs.replace(REFUSAL, **changes), agent, floors=(("echo", agent), ("null", other)))
    second = run(HELPFUL, partner, floors=(("echo", partner), ("null", beside)))
    assert said(first, second).verdict != "met"
    assert said(second).verdict != "met"


@settings(max_examples=20)
@given(values=st.tuples(*(st.integers(0, 60) for _ in range(6))))
def test_beyond_every_floor_in_both_is_beyond_in_the_sum(values: tuple[int, ...]) -> None:
    one, two, *floors = values
    first = run(msgspec.structs.replace(REFUSAL, judge=None), one, floors=(("null", floors[0]), ("echo", floors[1])))
    second = run(HELPFUL, two, floors=(("null", floors[2]), ("echo", floors[3])))
    if measuring.beyond_floor(measured(first)) and measuring.beyond_floor(measured(second)):
        assert skill(measured(first, second)) == "met"


def test_an_agent_whose_floor_in_the_partner_is_unknown_counts_with_the_best_known() -> None:
    first = run(msgspec.structs.replace(REFUSAL, judge=None), 50, floors=(("echo", 45),))
    strict = measured(first, run(HELPFUL, 58, floors=(("null", 55),)))
    assert skill(strict) == "undecided"
    assert skill(measured(first, run(HELPFUL, 58, floors=(("echo", 2),)))) == "met"


@settings(max_examples=20)
@given(right=st.integers(0, 55), left_out=st.integers(1, 30))
def test_missing_items_never_raise_a_value_unmarked(right: int, left_out: int) -> None:
    """Leaving out items that went wrong raises a share; then the record says so, and nothing rests on it."""
    whole = run(HELPFUL, right, of=60)
    kept = tuple(each for each in whole.items if each.score == 1.0)
    wrong = [each for each in whole.items if each.score == 0.0][left_out:]
    items = (*kept, *wrong)
    if not items:
        return
    rows = Completeness(60, len(items), 0, 60 - len(items))
    body = measuring.measure(msgspec.structs.replace(whole, items=items, completeness=rows))
    assert body is not None
    assert body.completeness.done < body.completeness.planned
    assert finding(body).verdict == "not-assessed" if len(items) < 60 else body.basis == "verdict"


def test_what_was_imported_without_its_uncertainty_is_kept_and_named() -> None:
    plain = run(HELPFUL, 0, floors=(), items=(), source="imported", completeness=Completeness(0, 0, 0, 0))
    bare = measured(msgspec.structs.replace(plain, reported=Reported(0.7)))
    assert (bare.low, bare.high, round(bare.u, 4)) == (0.0, 1.0, 0.2887)
    found = finding(bare)
    assert (found.verdict, found.code) == ("not-assessed", "evaluation.imported-incomplete")
    for each in ("uncertainty", "item-scores", "floors", "completeness"):
        assert each in str(found.params["lacking"])
        assert LACKS[each].zh in found.reason.zh
    evidence = list(MEASUREMENT.evidence(bare))  # type: ignore[misc]
    assert (evidence[0].u, evidence[0].basis) == (None, "imported")
    told = measured(msgspec.structs.replace(plain, reported=Reported(0.7, 100, 0.05)))
    assert told.low == pytest.approx(0.602, abs=1e-3)
    assert "uncertainty" not in told.lacking
    bounds = measured(
        msgspec.structs.replace(plain, reported=Reported(0.7, 100, None, 0.6, 0.8), missing=("odd.code",))
    )
    assert bounds.u == pytest.approx(0.051, abs=1e-3)
    assert "odd.code" in finding(bounds).reason.en


def test_evidence_shows_value_parts_and_who_ran_it() -> None:
    body = measured(helpful(40, relationship="third_party"))
    whole, *parts = MEASUREMENT.evidence(body)  # type: ignore[misc]
    assert (whole.measure, whole.ran_by, whole.u) == ("evaluation.example.answered", "third", body.u)
    assert {"language": "zh"} in [each.group for each in parts]
    (done,) = RUN.evidence(helpful(40, left=20))  # type: ignore[misc]
    assert (done.measure, done.value) == ("evaluation.items-done", 0.75)
    assert list(RUN.evidence(helpful(40, completeness=Completeness(0, 0, 0, 0)))) == []  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"u": 0.5}, "u"),
        ({"value": 0.01}, "value"),
        ({"basis": "incomplete"}, "basis"),
        ({"completeness": Completeness(10, 60, 0, 0)}, "completeness.planned"),
        ({"clusters": 99}, "clusters"),
        ({"floors": (Floor("null", 0.5, 0.6, 0.7, 60),)}, "floors"),
        ({"utility": Paired("a.b@1", sha("x"), 0.5, 0.4, 0.6, floors=(Floor("null", 0.9, 0.1, 0.2, 9),))}, "floors"),
    ],
)
def test_a_changed_number_of_a_measurement_is_found(changes: dict[str, object], named: str) -> None:
    body = msgspec.structs.replace(measured(helpful(40)), **changes)
    assert named in list(MEASUREMENT.holds(body))  # type: ignore[misc]


def test_a_changed_number_of_a_run_or_method_or_plan_is_found() -> None:
    plain = helpful(40)
    holds = RUN.holds
    assert holds is not None
    assert list(holds(plain)) == []
    twice = msgspec.structs.replace(plain, items=(plain.items[0], *plain.items[:-1]))
    assert list(holds(twice)) == ["items"]
    assert list(holds(msgspec.structs.replace(plain, completeness=Completeness(60, 59, 0, 0)))) == ["completeness.done"]
    assert list(holds(msgspec.structs.replace(plain, completeness=Completeness(60, 60, 1, 0)))) == [
        "completeness.planned"
    ]
    assert list(holds(msgspec.structs.replace(plain, ended="2026-01-01T00:00:00.000Z"))) == ["ended"]
    judge = msgspec.structs.replace(JUDGE, sensitivity=(9, 8))
    assert list(METHOD.holds(msgspec.structs.replace(REFUSAL, judge=judge))) == ["judge"]  # type: ignore[misc]
    assert list(PLAN.holds(Plan((Planned("a@1", 1), Planned("a@1", 2)), (), "2026-01-01T00:00:00.000Z"))) == ["methods"]  # type: ignore[misc]


def test_a_false_power_of_a_replay_is_found() -> None:
    drawn = Drawn("m", "a@1", ("i1", "i2"), 4, 1, 0.5, 0.5, 0.4)
    holds = REPLAY.holds
    assert holds is not None
    assert list(holds(Replay(sha("r"), sha("s"), (drawn,)))) == []
    assert list(holds(Replay(sha("r"), sha("s"), (msgspec.structs.replace(drawn, found=0.9),)))) == ["found"]
    assert list(holds(Replay(sha("r"), sha("s"), (msgspec.structs.replace(drawn, ids=("i1", "i1")),)))) == ["ids"]


def test_a_report_that_claims_more_than_its_numbers_is_found() -> None:
    import json
    from pathlib import Path

    from tongqiu.practices import evaluation

    example = Path(evaluation.__file__).parent / "vectors" / "report-1.json"
    body = REPORT.read(json.loads(example.read_text("utf-8"))["body"])
    holds = REPORT.holds
    assert holds is not None
    assert list(holds(body)) == []
    (result,), (change,) = body.results, body.changes
    for part, named in (
        ({"valid_until": "2020-01-01T00:00:00.000Z"}, "valid_until"),
        ({"results": (msgspec.structs.replace(result, value=0.1),)}, "results"),
        ({"results": (msgspec.structs.replace(result, lacking=("items",)),)}, "results.basis"),
        ({"changes": (msgspec.structs.replace(change, beyond=False),)}, "changes.beyond"),
        ({"changes": (msgspec.structs.replace(change, way="shared", difference=0.5),)}, "changes.difference"),
    ):
        assert named in list(holds(msgspec.structs.replace(body, **part)))

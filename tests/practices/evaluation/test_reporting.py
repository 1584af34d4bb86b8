"""From runs to a report at a real node: what changed and whether beyond uncertainty, and that no byte can be altered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practices.evaluation.paper_runs import (
    HELPFUL,
    IDENTITY,
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
from tongqiu.measure.standard_error import paired
from tongqiu.node import passports
from tongqiu.practices.evaluation.bodies import Completeness
from tongqiu.practices.evaluation.changing import change, changes
from tongqiu.practices.evaluation.object_kinds import MEASUREMENT, REPORT
from tongqiu.practices.evaluation.objects import Kept, Summary
from tongqiu.record.faults import Unproven
from tongqiu.record.shapes import Component
from tongqiu.record.text import Text
from tongqiu.testing import paper_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tongqiu.node import Node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with paper_node(tmp_path) as opened:
        composed(opened, MODEL)
        yield opened


def summary(scores: Sequence[float], *, entry: str, clusters: int = 0, **changes: object) -> Summary:
    """Return a line of a report over ``scores``, one item each, in as many clusters as given."""
    value = sum(scores) / len(scores)
    items = tuple(Kept(f"i{at}", score, f"c{at % clusters}" if clusters else "") for at, score in enumerate(scores))
    plain = Summary(
        sha(entry),
        "m",
        "a.b@1",
        Text(en="A", zh="甲"),
        "a.b",
        "higher",
        value,
        0.05,
        max(0.0, value - 0.1),
        min(1.0, value + 0.1),
        len(scores),
        Completeness(len(scores), len(scores), 0, 0),
        "verdict",
        True,
        "met",
        components=(Component("items", 0.04, shared_by="items"), Component("judge", 0.03, shared_by="judge")),
        data=sha("items"),
        judge="j@1",
        items=items,
    )
    return msgspec.structs.replace(plain, **changes)


# --- what changed ----------------------------------------------------------------------------------------------------


def test_the_same_items_are_compared_one_by_one() -> None:
    before, now = [1.0] * 50 + [0.0] * 10, [1.0] * 40 + [0.0] * 20
    found = change(summary(before, entry="a"), summary(now, entry="b"))
    assert (found.way, found.shared, found.beyond) == ("paired", 60, True)
    assert found.difference == pytest.approx(-1 / 6)
    assert found.u == pytest.approx(paired(now, before))
    assert found.zeta == pytest.approx(found.difference / found.u)
    apart = change(summary(before, entry="a", items=()), summary(now, entry="b", items=()))
    assert apart.way == "shared"
    assert abs(apart.zeta or 0) < abs(found.zeta or 0)


def test_a_judge_that_marked_both_errs_alike_in_both() -> None:
    before, now = summary([1.0] * 30, entry="a", items=()), summary([1.0] * 30, entry="b", items=())
    shared = change(before, now)
    assert shared.u == pytest.approx((0.05**2 + 0.05**2 - 2 * 0.03**2) ** 0.5)
    other = change(before, msgspec.structs.replace(now, judge="k@1"))
    assert other.way == "independent"
    assert other.u == pytest.approx((2 * 0.05**2) ** 0.5)
    none = change(msgspec.structs.replace(before, judge=""), msgspec.structs.replace(now, judge=""))
    assert none.way == "independent"


def test_where_no_item_changed_a_rare_change_is_still_possible() -> None:
    found = change(summary([1.0] * 40, entry="a"), summary([1.0] * 40, entry="b"))
    assert (found.u, found.zeta, found.beyond) == (0.0, None, False)
    assert found.high == pytest.approx(0.0881, abs=1e-4)  # Clopper-Pearson for 0 of 40


def test_clusters_count_and_too_few_are_not_paired() -> None:
    before, now = [0.0, 1.0] * 60, [1.0, 1.0] * 60
    many = change(summary(before, entry="a", clusters=40), summary(now, entry="b", clusters=40))
    assert (many.way, many.beyond) == ("paired", True)
    few = change(summary(before, entry="a", clusters=5), summary(now, entry="b", clusters=5))
    assert few.way == "shared"
    short = change(summary([1.0] * 9, entry="a"), summary([0.0] * 9, entry="b"))
    assert short.way == "shared"
    other = change(summary(before, entry="a"), summary(now, entry="b", data=sha("other items")))
    assert other.way == "shared"


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=30, max_size=80))
def test_a_change_is_the_opposite_of_the_change_back(pairs: list[tuple[int, int]]) -> None:
    one = summary([float(a) for a, _ in pairs], entry="a")
    two = summary([float(b) for _, b in pairs], entry="b")
    there, back = change(one, two), change(two, one)
    assert there.difference == pytest.approx(-back.difference)
    assert there.low == pytest.approx(-back.high)
    assert there.beyond == back.beyond
    assert list(changes([one], [one])) == []


# --- the report ------------------------------------------------------------------------------------------------------


def test_a_report_says_what_was_measured_what_not_and_until_when(node: Node) -> None:
    ran(node, run(REFUSAL, 54, deviations=(Text(en="Asked twice.", zh="问了两次。"),)))
    ran(node, helpful(57))
    record = reported(node)
    body = REPORT.read(record.body)
    assert [(each.method, each.verdict) for each in body.results] == [
        ("example.helpful@1", "met"),
        ("example.refusal@1", "met"),
    ]
    assert body.valid_until == "2027-11-20T08:20:00.000Z"
    assert body.system == IDENTITY
    assert body.limits[0].en.startswith("Small model: Known by the bytes of its weights")
    assert {"Asked twice.", "Polite evasion counts as an answer."} <= {each.en for each in body.limits}
    assert "Energy, water and emissions" in [each.en for each in body.not_assessed]
    assert {each.sort for each in body.known} >= {"model", "norm"}
    assert (body.before, body.changes, record.content.findings) == (None, (), ())
    assert MEASUREMENT.read(node.statement(body.results[1].entry).body).utility is not None
    assert list(REPORT.holds(body)) == []  # type: ignore[misc]


def test_a_new_report_says_what_changed_and_saying_it_again_changes_nothing(node: Node) -> None:
    ran(node, run(REFUSAL, 54))
    ran(node, helpful(57))
    first = reported(node)
    again = reported(node)
    assert REPORT.read(again.body).changes == ()
    ran(node, run(REFUSAL, 30))
    second = reported(node)
    body = REPORT.read(second.body)
    (found,) = [each for each in body.changes if each.method == REFUSAL.method]
    assert (found.way, found.shared, found.beyond) == ("paired", 60, True)
    assert body.before in {first.entry, again.entry}
    (finding,) = [each for each in second.content.findings if each.requirement == "evaluation.change.example.refusal"]
    assert (finding.verdict, finding.code) == ("unmet", "evaluation.change-worse")
    third = REPORT.read(weighed(node, "evaluation.report", SYSTEM)[0].body)
    assert (third.changes, third.before) == (body.changes, body.before)
    ran(node, run(REFUSAL, 55))
    better = reported(node)
    assert "evaluation.change-better" in [each.code for each in better.content.findings]


def test_another_model_is_no_partner(node: Node) -> None:
    ran(node, run(REFUSAL, 54))
    ran(node, helpful(57, system=msgspec.structs.replace(IDENTITY, digest=sha("other weights"))))
    results = REPORT.read(reported(node).body).results
    refusal = next(each for each in results if each.method == REFUSAL.method)
    assert (refusal.verdict, refusal.lacking) == ("not-assessed", ("utility",))
    assert any("example.helpful@1" in each.en for each in REPORT.read(reported(node).body).not_assessed)


def test_several_models_are_known_no_more_surely_than_the_least(node: Node) -> None:
    ran(node, helpful(57))
    weak = msgspec.structs.replace(IDENTITY, rung="name-and-date", name="Service", digest=None)
    ran(node, run(msgspec.structs.replace(HELPFUL, method="example.other@1"), 40, system=weak))
    body = REPORT.read(reported(node).body)
    assert (body.system.name, body.system.rung) == ("Assistant", "name-and-date")
    assert [each.name for each in body.tested] == ["Service", "Small model"]


def test_nothing_measured_is_no_report(node: Node) -> None:
    assert weighed(node, "evaluation.report", SYSTEM) == ()
    ran(node, helpful(0, items=(), completeness=Completeness(60, 0, 60, 0)))
    assert weighed(node, "evaluation.measure", MODEL) == ()


def test_any_altered_byte_of_the_evidence_is_detected(node: Node) -> None:
    log = b'{"id": "example.answered-001", "answer": "ask your doctor"}\n'
    ran(node, helpful(57), SYSTEM, log)
    weighed(node, "evaluation.measure", SYSTEM)
    weighed(node, "evaluation.report", SYSTEM)
    whole = passports.export(node, SYSTEM)
    known = passports.own_policy(node.home)
    sound = passports.verify(whole, policy=known, practices=node.practices, now=node.now, where="x.tqp")
    assert sound.sound
    start = whole.index(log)
    for at in range(start, start + len(log), 9):
        changed = bytearray(whole)
        changed[at] ^= 1
        with pytest.raises(Unproven):
            passports.verify(bytes(changed), policy=known, practices=node.practices, now=node.now, where="x.tqp")

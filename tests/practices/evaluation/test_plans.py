"""When a system is tested again: a plan strikes by its date, a change is found by a rule, and both stay until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.node.conftest import HandClock
from tests.practices.evaluation.paper_runs import (
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
from tongqiu.node import open_node, queue
from tongqiu.node.duties import Duties
from tongqiu.node.verbs import act
from tongqiu.practices.evaluation import plans
from tongqiu.practices.evaluation.identity import fingerprint
from tongqiu.practices.evaluation.object_kinds import DUE, PLAN, REPORT
from tongqiu.practices.evaluation.objects import Due, Plan, Planned
from tongqiu.record import core
from tongqiu.record.faults import Fault
from tongqiu.record.subject import Subject
from tongqiu.testing.paper import paper_statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node.node import Node
    from tongqiu.record.statement import Statement

DATA = Subject("dataset", "urn:example:assistant:data", sha("data"), "Letters")
PLAN_VALUES = {
    "subject": SYSTEM.id,
    "methods": ["example.refusal@1", "example.helpful@1"],
    "first": "2027-01-01T00:00:00.000Z",
    "every_days": "90",
}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory", clock=clock) as opened:
        composed(opened, MODEL, DATA)
        ran(opened, run(REFUSAL, 54))
        ran(opened, helpful(57))
        yield opened


def planned(node: Node, **values: object) -> Statement:
    return act(node, node.people.at_terminal(), "evaluation.plan", PLAN_VALUES | values).statements[-1]


def dues(node: Node) -> list[Due]:
    found = node.snapshot().standing(DUE.name, subject=SYSTEM)
    return [DUE.read(each.body) for each in sorted(found, key=lambda each: each.index)]


def titles(node: Node) -> list[str]:
    """Return what ``tongqiu due`` lists."""
    Duties(node).set()
    queue.fresh(node)
    return [each.title.en for each in queue.due(node, node.owner).items]


def tick(node: Node) -> None:
    struck = Duties(node).tick()
    assert [each.fault for each in struck if each.fault] == []


# --- by date ---------------------------------------------------------------------------------------------------------


def test_a_planned_day_makes_tests_due_until_they_are_done(node: Node, clock: HandClock) -> None:
    reported(node)
    planned(node)
    assert any("planned day" in each for each in titles(node))
    assert any("the report ends" in each for each in titles(node))
    tick(node)
    assert dues(node) == []
    clock.push(days=40)
    tick(node)
    (due,) = [each for each in dues(node) if each.causes[0].sort == "date"]
    assert due.methods == ("example.refusal@1", "example.helpful@1")
    assert "2027-01-01" in due.causes[0].words.en
    assert any(each.startswith("OVERDUE, test again: the date came") for each in titles(node))
    (plan,) = node.snapshot().standing(PLAN.name, subject=SYSTEM)
    assert PLAN.read(plan.body).next == "2027-04-01T00:00:00.000Z"
    clock.push(days=20)
    tick(node)
    again = [each for each in dues(node) if each.causes[0].sort == "date"]
    assert [each.again_at > due.again_at for each in again] == [True]
    for body in (run(REFUSAL, 55), helpful(58)):
        ran(node, msgspec.structs.replace(body, started="2027-01-20T00:00:00.000Z", ended="2027-01-20T01:00:00.000Z"))
    reported(node)
    clock.push(days=20)
    tick(node)
    assert [each for each in dues(node) if each.causes[0].sort == "date"] == []


def test_a_test_done_on_its_day_is_not_due(node: Node, clock: HandClock) -> None:
    planned(node, methods=["example.refusal@1"])
    body = run(REFUSAL, 55)
    ran(node, msgspec.structs.replace(body, started="2027-01-02T00:00:00.000Z", ended="2027-01-02T01:00:00.000Z"))
    clock.push(days=45)
    tick(node)
    assert [each for each in dues(node) if each.causes[0].sort == "date"] == []


def test_a_report_ends_and_a_rule_begins(node: Node, clock: HandClock) -> None:
    planned(node, valid_days="30", first="2028-01-01T00:00:00.000Z")
    report = reported(node)
    assert REPORT.read(report.body).valid_until == "2026-12-20T08:20:00.000Z"
    assert any("a rule begins to apply" in each for each in titles(node))
    clock.push(days=12)
    tick(node)
    (due,) = dues(node)
    assert due.causes[0].sort == "norm"
    assert "eu-ai-act" in due.causes[0].words.en
    assert any(each.startswith("OVERDUE, test again: a rule began") for each in titles(node))
    clock.push(days=20)
    tick(node)
    assert "date" in {each.causes[0].sort for each in dues(node)}
    (found,) = weighed(node, "evaluation.reassess", SYSTEM)
    sorts = [each.sort for each in DUE.read(found.body).causes]
    assert sorts[0] == "date"
    assert "norm" in sorts


def test_what_does_not_fit_the_form_is_said_beside_its_field(node: Node) -> None:
    for wrong in (
        {"methods": ["example.refusal@1", "example.refusal@1"]},
        {"triggers": ["full-moon"]},
        {"methods": ["no version"]},
        {"first": "tomorrow"},
        {"subject": "urn:example:nobody"},
    ):
        with pytest.raises(Fault):
            planned(node, **wrong)
    with pytest.raises(Fault) as caught:
        plans.plan(node.desk(node.owner), plans.PlanForm(SYSTEM.id, ("a.b@1",), PLAN_VALUES["first"], triggers=("x",)))  # type: ignore[arg-type]
    assert caught.value.code == "evaluation.plan-trigger"


def test_a_new_plan_takes_the_place_of_the_one_that_stands(node: Node) -> None:
    planned(node)
    planned(node, every_days="30", triggers=["digest"], note="after the update")
    (found,) = node.snapshot().standing(PLAN.name, subject=SYSTEM)
    body = PLAN.read(found.body)
    assert [each.sort for each in body.triggers] == ["digest"]
    assert body.methods[0].every_days == 30
    rows = {each["subject"]: each for each in _rows("evaluation.plans", found)}
    assert rows[SYSTEM.id]["every_days"] == 30


# --- by change -------------------------------------------------------------------------------------------------------


def causes(node: Node) -> list[tuple[str, str]]:
    found = weighed(node, "evaluation.reassess", SYSTEM)
    return [(each.sort, each.words.en) for one in found for each in DUE.read(one.body).causes]


def test_nothing_changed_is_nothing_due(node: Node) -> None:
    assert causes(node) == []
    reported(node)
    assert causes(node) == []


def test_every_change_of_a_part_is_named(node: Node) -> None:
    reported(node)
    changed = msgspec.structs.replace(MODEL, digest=sha("retrained"))
    composed(node, changed, msgspec.structs.replace(DATA, digest=sha("more letters")))
    weighed(node, "evaluation.report", SYSTEM)
    found = causes(node)
    assert found == [("digest", "The bytes of Small model changed."), ("data", "The bytes of Letters changed.")]
    assert any(each.startswith("OVERDUE, test again: a part changed") for each in titles(node))
    composed(node, MODEL, Subject("software", "urn:example:code", sha("code"), "Code"))
    assert [each[0] for each in causes(node)] == ["configuration", "configuration"]
    composed(node, MODEL, DATA)
    assert causes(node) == []


def test_only_the_triggers_of_the_plan_count(node: Node) -> None:
    planned(node, triggers=["data"])
    reported(node)
    composed(node, msgspec.structs.replace(MODEL, digest=sha("retrained")), DATA)
    assert causes(node) == []


def test_a_plan_for_a_newer_method_and_a_service_that_drifts(node: Node) -> None:
    first = fingerprint(lambda question: f"answer to {question}")
    other = fingerprint(lambda question: f"something else about {question}")
    identity = msgspec.structs.replace(IDENTITY, rung="behavioural-fingerprint", digest=None, fingerprint=first)
    ran(node, run(REFUSAL, 54, system=identity))
    ran(node, helpful(57, system=identity))
    planned(node, methods=["example.refusal@2"])
    reported(node)
    assert [each[0] for each in causes(node)] == ["method"]
    later = {"system": msgspec.structs.replace(identity, fingerprint=other), "ended": "2026-11-22T00:00:00.000Z"}
    ran(node, helpful(57, **later))
    found = causes(node)
    assert [each[0] for each in found] == ["drift", "method"]
    assert "the same answer to 0% of 20 fixed questions" in found[0][1]


# --- clocks of what peers may send ------------------------------------------------------------------------------------


def test_an_impossible_date_sets_no_clock() -> None:
    body = Plan((Planned("a.b@1", 1),), (), "2027-01-01T00:00:00.000Z", "2027-02-31T00:00:00.000Z")
    assert plans.plan_strikes(paper_statement(PLAN, PLAN.write(body), SYSTEM)) is None
    none = msgspec.structs.replace(body, next=None)
    assert plans.plan_strikes(paper_statement(PLAN, PLAN.write(none), SYSTEM)) is None
    odd = paper_statement(core.COMPOSITION, core.COMPOSITION.write(core.Composition(())), SYSTEM)
    strikes = (plans.plan_strikes, plans.report_ends, plans.norm_begins, plans.again_date, plans.again_norm)
    assert [each(odd) for each in strikes] == [None] * len(strikes)


def test_an_incident_after_the_test_makes_it_due(node: Node) -> None:
    report = reported(node)
    desk = node.desk(node.owner)
    event = paper_statement(
        core.COMPOSITION, core.COMPOSITION.write(core.Composition(())), SYSTEM, at="2026-11-23T09:00:00.000Z"
    )
    assert plans.incident_strikes(event) == event.at
    (said,) = plans.incident_due(event, _Lent(node), desk)  # type: ignore[arg-type]
    assert (said.body.about, said.body.causes[0].sort) == (report.entry, "incident")
    early = paper_statement(
        core.COMPOSITION, core.COMPOSITION.write(core.Composition(())), SYSTEM, at="2026-11-01T09:00:00.000Z"
    )
    assert list(plans.incident_due(early, _Lent(node), desk)) == []  # type: ignore[arg-type]


class _Lent:
    """Lends the node's clock, as duties get it."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def clock(self) -> _Lent:
        return self

    def now(self) -> str:
        return self._node.now


def _rows(view: str, statement: Statement) -> list[dict[str, object]]:
    from tongqiu.practice import load
    from tongqiu.practices.evaluation import PRACTICE

    found = next(each for each in PRACTICE.views if each.name == view)
    return [dict(put.values) for put in load(found.rows)(statement)]


def test_registries_show_what_people_need(node: Node) -> None:
    planned(node)
    report = reported(node)
    (row,) = _rows("evaluation.reports", report)
    assert (row["results"], row["met"], row["no_verdict"]) == (2, 2, 0)
    (first, *parts) = _rows("evaluation.measurements", node.statement(REPORT.read(report.body).results[0].entry))
    assert (first["verdict"], first["beyond"], first["planned"]) == ("met", True, 60)
    assert "refuses all" in str(first["floors"])
    assert [each["part"] for each in parts] == ["language: en", "language: zh", "slice: women"]
    composed(node, msgspec.structs.replace(MODEL, digest=sha("x")), DATA)
    (due,) = weighed(node, "evaluation.reassess", SYSTEM)
    (line,) = _rows("evaluation.due", due)
    assert (line["sort"], line["about"]) == ("digest", report.entry)

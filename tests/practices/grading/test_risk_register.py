"""The risk register at a real node: people open, measure, decide, drill and review; rules hold; clocks strike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.node.conftest import HandClock
from tongqiu.node import open_node, proposals, queue
from tongqiu.node.duties import Duties
from tongqiu.node.people import Signed
from tongqiu.node.verbs import act
from tongqiu.practices.grading.drills import DRILL
from tongqiu.practices.grading.reviews import REVIEW
from tongqiu.practices.grading.rights import RIGHTS
from tongqiu.practices.grading.risks import DECISION, RISK, Risk
from tongqiu.practices.grading.suggestions import REMINDER, SUGGESTION
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, STRANGER, Principal
from tongqiu.record.faults import Fault
from tongqiu.record.statement import Attachment, Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.testing import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:scorer", None, "Scorer")
FRIEND = "did:key:z6MkfriendFriendFriend"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory", clock=clock) as opened:
        opened.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()))])
        yield opened


@pytest.fixture
def owner(node: Node) -> Signed:
    return node.people.at_terminal()


def signed(node: Node, name: str, role: str, party: str = "") -> Signed:
    person = node.people.add(name, role, party=party)
    return Signed(node.people.principal(person), person, "session", "csrf")


def code(work: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Fault) as caught:
        work(*args, **named)
    return caught.value.code


def do(node: Node, who: Signed, verb: str, **values: Any) -> Statement:
    """Do a verb of grading and return the last record it made."""
    return act(node, who, f"grading.{verb}", values).statements[-1]


OPEN = {
    "subject": SYSTEM.id,
    "title": "Loans refused wrongly",
    "what": "People who could pay are refused a loan.",
    "likelihood": "4",
    "severity": "4",
    "entity": "ai",
    "affected": "applicants\nwomen",
    "owner": "credit office",
}


def opened(node: Node, who: Signed, **more: Any) -> Statement:
    return do(node, who, "open-risk", **{**OPEN, **more})


def body(statement: Statement) -> Risk:
    return RISK.read(statement.body)


def drilled(
    node: Node, who: Signed, clock: HandClock, *, took: float = 30, control: str = "stop", outcome: str = "done"
) -> Statement:
    values = {"subject": SYSTEM.id, "control": control, "scenario": "It refuses everybody.", "operator": "duty officer"}
    begun = do(node, who, "start-drill", **{**values, "limit": "60", "valid_days": "90"})
    clock.push(seconds=took)
    return do(node, who, "end-drill", entry=begun.entry, outcome=outcome)


# --- risks ------------------------------------------------------------------------------------------------------------


def test_a_risk_is_opened_measured_decided_and_closed(node: Node, owner: Signed, clock: HandClock) -> None:
    first = opened(node, owner)
    assert (body(first).level, body(first).counted, body(first).number) == (4, 4, 1)
    planned = do(
        node,
        owner,
        "measure",
        entry=first.entry,
        measure="human-review",
        state="planned",
        title="A person looks",
        due="2026-12-01",
    )
    assert code(do, node, owner, "revise-risk", entry=first.entry, owner="x") == "grading.ended"
    less = {"residual_likelihood": "2", "residual_severity": "3"}
    assert code(do, node, owner, "revise-risk", entry=planned.entry, **less) == "grading.residual-unsupported"
    claimed = do(node, owner, "revise-risk", entry=planned.entry, claimed="true", **less)
    assert (body(claimed).residual_level, body(claimed).counted, body(claimed).claimed) == (2, 4, True)
    drill = drilled(node, owner, clock)
    shown = do(
        node, owner, "measure", entry=claimed.entry, measure="human-review", state="in-place", evidence=drill.entry
    )
    assert (body(shown).counted, body(shown).claimed, body(shown).measures[0].title) == (2, False, "A person looks")
    assert drill.entry in shown.content.rests_on
    decided = do(
        node,
        owner,
        "decide",
        entry=shown.entry,
        what="accept",
        by="head of credit",
        why="It is low now.",
        review_at="2027-06-01",
    )
    assert body(decided).decision is not None
    assert {each.requirement: each.verdict for each in decided.content.findings} == {
        "grading.risk.decided": "met",
        "grading.risk.measures": "met",
    }
    grown = do(node, owner, "revise-risk", entry=decided.entry, likelihood="5", severity="5")
    assert (body(grown).decision, body(grown).counted) == (None, 5)
    closed = do(node, owner, "close-risk", entry=grown.entry, why="The scorer is switched off.")
    assert body(closed).state == "closed"
    assert closed.content.findings == ()
    assert code(do, node, owner, "revise-risk", entry=closed.entry, owner="x") == "grading.risk-closed"
    assert len(node.desk(node.owner).said(RISK.name)) == 1
    assert body(opened(node, owner)).number == 1  # the same risk may come back, in a thread of its own


def test_what_remains_is_neither_more_nor_shown_by_a_claim(node: Node, owner: Signed) -> None:
    risk = opened(node, owner)
    assert code(do, node, owner, "revise-risk", entry=risk.entry, residual_severity="5") == "grading.residual-above"
    fact = act(node, owner, "core.declare", {"subject": SYSTEM.id, "name": "a.b", "value": "we do it"}).statements[0]
    values = {"entry": risk.entry, "measure": "m", "state": "in-place", "title": "It is done"}
    assert code(do, node, owner, "measure", **values, evidence=fact.entry) == "grading.claim-only"
    assert code(do, node, owner, "measure", **values, evidence=risk.entry) == "grading.claim-only"
    assert code(do, node, owner, "measure", entry=risk.entry, measure="m", state="planned") == "grading.no-measure"
    for more in ({"due": "2026-05-40"}, {"state": "planned", "due": "2026-13-01"}):
        assert code(do, node, owner, "measure", **{**values, **more}) == "form.fields"
    assert code(do, node, owner, "measure", **values, evidence="sha-256:" + "0" * 64) == "record.missing"


def test_a_risk_goes_on_after_its_evidence_was_erased(node: Node, owner: Signed, clock: HandClock) -> None:
    risk, drill = opened(node, owner), drilled(node, owner, clock)
    values = {"measure": "m", "state": "in-place", "title": "It was tried", "evidence": drill.entry}
    risk = do(node, owner, "measure", entry=risk.entry, **values)
    act(node, owner, "core.erase", {"entry": drill.entry, "ground": "on request"})
    on = do(node, owner, "revise-risk", entry=risk.entry, owner="another office")
    assert on.content.rests_on == ()
    assert body(on).measures[0].evidence == (drill.entry,)


def test_a_grave_risk_is_accepted_by_two_people(node: Node, owner: Signed) -> None:
    risk = opened(node, owner)
    accept = {"entry": risk.entry, "what": "accept", "by": "director", "why": "There is no other way."}
    assert code(do, node, owner, "decide", **accept) == "grading.grave"
    assert code(do, node, owner, "accept-grave", **{**accept, "what": "reduce"}) == "grading.not-grave"
    reviewer = signed(node, "R", "reviewer")
    proposal = act(node, owner, "grading.accept-grave", accept).proposal
    assert proposal is not None
    assert node.desk(node.owner).said(DECISION.name) == []
    assert code(proposals.approve, node, owner, proposal.entry) == "proposal.same"
    decision, after = proposals.approve(node, reviewer, proposal.entry).statements
    assert DECISION.read(decision.body).choice.eyes == 2
    assert body(after).decision == DECISION.read(decision.body).choice
    # Reducing needs one; a light risk is accepted by one, and not by way of two.
    light = opened(node, owner, title="A light one", likelihood="1", severity="2")
    assert code(do, node, owner, "accept-grave", **{**accept, "entry": light.entry}) == "grading.not-grave"
    assert body(do(node, owner, "decide", **{**accept, "entry": light.entry})).decision is not None


def test_two_people_decide_about_the_risk_they_saw(node: Node, owner: Signed) -> None:
    risk = opened(node, owner)
    reviewer = signed(node, "R", "reviewer")
    accept = {"entry": risk.entry, "what": "accept", "by": "director", "why": "There is no other way."}
    proposal = act(node, owner, "grading.accept-grave", accept).proposal
    assert proposal is not None
    do(node, owner, "revise-risk", entry=risk.entry, severity="5")
    assert code(proposals.approve, node, reviewer, proposal.entry) == "grading.ended"


def test_nothing_is_retyped_and_publishing_says_it_again(node: Node, owner: Signed, clock: HandClock) -> None:
    risk, drill = opened(node, owner), drilled(node, owner, clock)
    (decision, after) = act(
        node, owner, "grading.decide", {"entry": risk.entry, "what": "reduce", "by": "director", "why": "Too grave."}
    ).statements
    import msgspec

    for each in (after, drill, decision):
        text = msgspec.json.encode(each.body).decode()
        values = {
            "entry": each.entry,
            "body": text.replace("director", "somebody").replace("duty officer", "nobody"),
            "why": "by hand",
        }
        assert code(act, node, owner, "core.correct", values) == "grading.retyped"
    (public,) = act(node, owner, "core.publish", {"entry": after.entry}).statements
    assert [each.entry for each in node.desk(STRANGER).said(RISK.name)] == [public.entry]
    on = do(node, owner, "revise-risk", entry=public.entry, owner="another office")
    assert on.content.audience == EVERYONE


def test_the_same_risk_is_opened_once_and_again_after_it_was_withdrawn(node: Node, owner: Signed) -> None:
    risk = opened(node, owner)
    assert code(opened, node, owner) == "grading.already-open"
    act(node, owner, "core.withdraw", {"entry": risk.entry, "why": "a mistake"})
    assert body(opened(node, owner)).number == 1
    assert code(do, node, owner, "revise-risk", entry=risk.entry, owner="x") == "grading.ended"
    composition = node.desk(node.owner).said(core.COMPOSITION.name)[0]
    assert code(do, node, owner, "revise-risk", entry=composition.entry, owner="x") == "grading.not-one"


# --- suggestions ------------------------------------------------------------------------------------------------------


def test_rules_suggest_and_people_decide(node: Node, owner: Signed, clock: HandClock) -> None:
    drilled(node, owner, clock, took=600)
    at = clock.now()
    from tongqiu.practices.grading import PRACTICE

    rule = next(each for each in PRACTICE.assessors if each.name == "grading.suggest")
    (made,) = weigh(node, rule, SYSTEM, as_of=at, known_at=at)
    (row,) = [each for each in SUGGESTION.read(made.body).rows if each.found]
    assert row.state == "sure"
    assert [each.requirement for each in row.found] == ["grading.control.stop"]
    shown = node.desk(node.owner).rows("grading.suggestions")
    assert shown.total >= 1
    values = {"entry": made.entry, "row": row.row, "likelihood": "3", "severity": "4"}
    risk = do(node, owner, "take-up", **values)
    assert (body(risk).suggestion, body(risk).row, risk.content.rests_on) == (made.entry, row.row, (made.entry,))
    assert code(do, node, owner, "take-up", **values) == "grading.already-open"
    assert code(do, node, owner, "take-up", **{**values, "row": "nothing"}) == "grading.no-suggestion"
    assert node.desk(node.owner).rows("grading.suggestions").total == shown.total - 1
    at = clock.now()
    left = [
        one.row for each in weigh(node, rule, SYSTEM, as_of=at, known_at=at) for one in SUGGESTION.read(each.body).rows
    ]
    assert row.row not in left


def test_a_suggestion_is_set_aside_with_a_reason_once(node: Node, owner: Signed, clock: HandClock) -> None:
    drilled(node, owner, clock, took=600)
    at = clock.now()
    from tongqiu.practices.grading import PRACTICE

    rule = next(each for each in PRACTICE.assessors if each.name == "grading.suggest")
    (made,) = weigh(node, rule, SYSTEM, as_of=at, known_at=at)
    row = SUGGESTION.read(made.body).rows[0]
    values = {
        "entry": made.entry,
        "row": f"{row.taxonomy}:{row.row}",
        "by": "head of risk",
        "why": "It is switched off.",
    }
    aside = do(node, owner, "dismiss", **values)
    assert code(do, node, owner, "dismiss", **values) == "grading.already-open"
    act(node, owner, "core.withdraw", {"entry": aside.entry, "why": "it runs again"})
    assert do(node, owner, "dismiss", **values).entry != aside.entry


# --- drills -----------------------------------------------------------------------------------------------------------


def verdict(statement: Statement) -> tuple[str, str]:
    (finding,) = statement.content.findings
    return finding.verdict, finding.code


def test_the_record_measures_how_long_a_drill_took(node: Node, owner: Signed, clock: HandClock) -> None:
    drill = drilled(node, owner, clock, took=30)
    shown = DRILL.read(drill.body)
    assert shown.seconds == pytest.approx(30, abs=0.1)
    assert verdict(drill) == ("met", "grading.drill-in-time")
    assert drill.content.evidence[0].basis == "measured"
    assert (drill.content.evidence[0].unit, drill.content.evidence[0].value) == ("s", shown.seconds)


def test_a_later_drill_takes_the_place_of_the_earlier_one(node: Node, owner: Signed, clock: HandClock) -> None:
    drilled(node, owner, clock, took=30)
    assert verdict(drilled(node, owner, clock, took=90)) == ("unmet", "grading.drill-too-slow")
    assert verdict(drilled(node, owner, clock, control="roll-back", outcome="failed")) == (
        "unmet",
        "grading.drill-failed",
    )
    assert verdict(drilled(node, owner, clock, outcome="broken-off")) == ("not-assessed", "grading.drill-broken-off")
    standing = [DRILL.read(each.body) for each in node.desk(node.owner).said(DRILL.name)]
    assert sorted(each.control for each in standing if each.phase != "running") == ["roll-back", "stop"]
    table = node.desk(node.owner).rows("grading.drills")
    phase = [column.name for column in table.columns].index("phase")
    assert {row[phase] for row in table.rows} <= {"ended", "running"}


def test_a_drill_is_begun_once_and_ended_once(node: Node, owner: Signed) -> None:
    values = {"subject": SYSTEM.id, "control": "stop", "scenario": "It runs away.", "operator": "x", "limit": "5"}
    begun = do(node, owner, "start-drill", **values)
    assert begun.content.findings == ()
    assert begun.content.evidence == ()
    assert code(do, node, owner, "start-drill", **values) == "grading.drill-runs"
    log = {"files": (Attachment("log.txt", "text/plain", b"stopped"),)}
    end = {"entry": begun.entry, "outcome": "done", "notes": "The button was hard to find."}
    ended = act(node, owner, "grading.end-drill", end, files=log).statements[-1]
    assert [each.name for each in ended.content.files] == ["log.txt"]
    assert code(do, node, owner, "end-drill", entry=begun.entry, outcome="done") == "grading.ended"
    assert code(do, node, owner, "end-drill", entry=ended.entry, outcome="done") == "grading.drill-not-begun"


def test_a_claim_shows_nothing(node: Node, owner: Signed) -> None:
    values = {"subject": SYSTEM.id, "control": "oversight", "scenario": "We always look.", "limit": "60"}
    timed = {"started_at": "2026-01-01T10:00", "stopped_at": "2026-01-01T10:00:30"}
    claim = do(node, owner, "claim-control", **values, **timed)
    assert verdict(claim) == ("not-assessed", "grading.drill-claimed")
    assert claim.content.evidence[0].basis == "claimed"
    turned = {"started_at": timed["stopped_at"], "stopped_at": timed["started_at"]}
    assert code(do, node, owner, "claim-control", **values, **turned) == "grading.figures"
    risk = opened(node, owner)
    measure = {"entry": risk.entry, "measure": "m", "state": "in-place", "title": "We look"}
    assert code(do, node, owner, "measure", **measure, evidence=claim.entry) == "grading.claim-only"


def test_a_drill_lapses_when_its_time_is_over(node: Node, owner: Signed, clock: HandClock) -> None:
    drilled(node, owner, clock)
    clock.push(days=91)
    struck = [each.duty for each in Duties(node).tick()]
    assert "grading.drill-lapses" in struck
    (last,) = [each for each in node.desk(node.owner).said(DRILL.name) if each.body["phase"] != "running"]
    assert verdict(last) == ("not-assessed", "grading.drill-lapsed")
    Duties(node).tick()
    (reminder,) = node.desk(node.owner).said(REMINDER.name)
    assert REMINDER.read(reminder.body).items[0].what.en.startswith("Drill: ")
    assert verdict(drilled(node, owner, clock)) == ("met", "grading.drill-in-time")
    assert node.desk(node.owner).said(REMINDER.name) == []


# --- what is overdue --------------------------------------------------------------------------------------------------


def test_what_is_overdue_is_seen_by_those_entitled_until_it_is_done(
    node: Node, owner: Signed, clock: HandClock
) -> None:
    risk = opened(node, owner)
    risk = do(
        node, owner, "measure", entry=risk.entry, measure="m", state="planned", title="Look again", due="2026-12-01"
    )
    duties = Duties(node)
    duties.tick()
    queue.fresh(node)
    assert [each.entry for each in queue.due(node, node.owner).items if each.entry == risk.entry] == [risk.entry]
    clock.push(days=10)
    duties.tick()
    desk = node.desk(node.owner)
    (reminder,) = desk.said(REMINDER.name)
    assert desk.rows("grading.overdue").total == 1
    assert reminder.content.audience == risk.content.audience
    assert node.desk(STRANGER).rows("grading.overdue").total == 0
    duties.tick()
    queue.fresh(node)
    titles = [each.title.en for each in queue.due(node, node.owner).items]
    assert any(each.startswith("OVERDUE") for each in titles)
    assert queue.due(node, Principal(FRIEND, frozenset(), frozenset({"reader"}))).items == ()
    clock.push(days=20)
    duties.tick()
    (again,) = desk.said(REMINDER.name)
    assert again.entry != reminder.entry
    do(node, owner, "measure", entry=risk.entry, measure="m", state="dropped")
    assert desk.said(REMINDER.name) == []
    clock.push(days=40)
    duties.tick()
    assert desk.said(REMINDER.name) == []
    assert desk.rows("grading.overdue").total == 0


def test_a_reminder_goes_with_the_record_it_is_about(node: Node, owner: Signed, clock: HandClock) -> None:
    risk = opened(node, owner, review_at="2026-12-01")
    clock.push(days=10)
    Duties(node).tick()
    assert len(node.desk(node.owner).said(REMINDER.name)) == 1
    act(node, owner, "core.withdraw", {"entry": risk.entry, "why": "a mistake"})
    clock.push(days=20)
    Duties(node).tick()
    assert node.desk(node.owner).said(REMINDER.name) == []


# --- reviews ----------------------------------------------------------------------------------------------------------


def reviewed(node: Node, owner: Signed) -> Statement:
    """Return a review of two reviewers in which every question is answered and one of them dissents."""
    values = {
        "subject": SYSTEM.id,
        "title": "First use",
        "scope": "Loans in the north.",
        "reviewers": "Women's council\nJurist",
    }
    review = do(node, owner, "open-review", **values)
    for right in RIGHTS:
        review = do(node, owner, "answer-right", entry=review.entry, right=right.id, effect="none", words="Looked at.")
    reviewer = signed(node, "R", "reviewer")
    review = do(
        node, reviewer, "take-position", entry=review.entry, author="Jurist", stand="agree", words="It is lawful."
    )
    return do(
        node,
        reviewer,
        "take-position",
        entry=review.entry,
        author="Women's council",
        stand="dissent",
        words="Women were not asked.",
    )


def test_dissent_stands_in_the_first_line_and_is_never_dropped(node: Node, owner: Signed) -> None:
    review = reviewed(node, owner)
    assert [each["right"] for each in review.body["impacts"][:2]] == ["women", "children"]
    conclusion = {"entry": review.entry, "outcome": "go", "by": "Director", "why": "The gain is great."}
    assert code(do, node, owner, "conclude-review", **{**conclusion, "by": "Jurist"}) == "grading.own-review"
    with_conditions = {**conclusion, "outcome": "conditions"}
    assert code(do, node, owner, "conclude-review", **with_conditions) == "grading.no-condition"
    done = do(node, owner, "conclude-review", **conclusion, next_review="2027-11-01")
    shown = REVIEW.read(done.body)
    assert shown.headline.en.startswith("DISSENT UNANSWERED (1), by Women's council.")
    assert verdict(done) == ("undecided", "grading.review-dissent")
    assert done.content.findings[0].reason.en.startswith("DISSENT UNANSWERED")
    table = node.desk(node.owner).rows("grading.reviews")
    assert "Women's council: Women were not asked." in table.rows[0]
    done = do(node, owner, "reply-to-review", entry=done.entry, author="Provider", words="We ask them in March.")
    assert (
        code(do, node, owner, "answer-dissent", entry=done.entry, position="9", by="Director", words="Yes.")
        == "grading.no-position"
    )
    done = do(
        node, owner, "answer-dissent", entry=done.entry, position="2", by="Director", words="They are asked in March."
    )
    shown = REVIEW.read(done.body)
    assert shown.headline.en.startswith("Dissent recorded (1), by Women's council.")
    assert [each.words for each in shown.dissent] == ["Women were not asked."]
    assert verdict(done) == ("met", "grading.review-done")
    assert (
        code(do, node, owner, "answer-dissent", entry=done.entry, position="2", by="Director", words="No.")
        == "grading.no-position"
    )
    assert (
        code(do, node, owner, "answer-right", entry=done.entry, right="women", effect="good", words="Better.")
        == "grading.review-concluded"
    )
    done = do(node, owner, "set-condition", entry=done.entry, condition="ask-women", title="Ask them", due="2027-03-01")
    assert verdict(done) == ("undecided", "grading.review-conditions")
    assert verdict(do(node, owner, "set-condition", entry=done.entry, condition="ask-women", met="true"))[0] == "met"


def test_a_review_is_concluded_when_all_were_heard(node: Node, owner: Signed) -> None:
    values = {"subject": SYSTEM.id, "title": "First use", "scope": "Loans.", "reviewers": "Jurist"}
    review = do(node, owner, "open-review", **values)
    assert verdict(review) == ("not-assessed", "grading.review-open")
    conclusion = {"entry": review.entry, "outcome": "stop", "by": "Director", "why": "Not now."}
    assert code(do, node, owner, "conclude-review", **conclusion) == "grading.review-unfinished"
    assert code(do, node, owner, "open-review", **values) == "grading.already-open"
    position = {"entry": review.entry, "author": "Nobody", "stand": "agree", "words": "Fine."}
    assert code(do, node, owner, "take-position", **position) == "grading.not-a-reviewer"
    assert code(do, node, owner, "set-condition", entry=review.entry, condition="c") == "grading.no-condition"
    issuer = signed(node, "I", "issuer")
    assert code(do, node, issuer, "take-position", **position) == "verb.role"


def test_a_contributor_works_on_its_own_system_alone(node: Node, owner: Signed) -> None:
    guest = signed(node, "G", "contributor", FRIEND)
    node.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()), audience=EVERYONE)])
    assert code(opened, node, guest) == "verb.not-yours"
    act(node, owner, "core.assign", {"subject": SYSTEM.id, "party": FRIEND})
    risk = opened(node, guest)
    assert risk.content.audience.readers == tuple(sorted((node.me, FRIEND)))
    assert do(node, guest, "revise-risk", entry=risk.entry, owner="us").content.audience == risk.content.audience
    assert code(do, node, guest, "decide", entry=risk.entry, what="reduce", by="us", why="because") == "verb.role"

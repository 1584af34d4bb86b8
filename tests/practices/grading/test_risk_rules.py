"""Laws of the risk register: levels never fall as steps rise, evidence never makes a risk graver, dissent survives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.node.ask import Listed, Snapshot
from tongqiu.norms.grading import Book, open_book
from tongqiu.norms.library import Norms
from tongqiu.practices.grading import drills, duties, reviews, risks, suggest
from tongqiu.practices.grading.drills import DRILL, Drill, days_after, judged, seconds_between
from tongqiu.practices.grading.kinds import FACTS, Fact, Facts
from tongqiu.practices.grading.matrix import GRAVE, LIKELIHOOD, SEVERITY, level, name
from tongqiu.practices.grading.register_views import risks as risk_rows
from tongqiu.practices.grading.reviews import REVIEW, Condition, Impact, Position, Reply, Review
from tongqiu.practices.grading.rights import RIGHTS
from tongqiu.practices.grading.risks import DECISION, RISK, Cause, Choice, Decision, Measure, Risk
from tongqiu.practices.grading.suggestions import (
    DISMISSAL,
    REMINDER,
    SUGGESTION,
    Dismissal,
    Suggestions,
    admit_dismissal,
)
from tongqiu.record.faults import Refused
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Finding
from tongqiu.record.statement import Content, Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

ME, OTHER = "did:example:me", "did:example:other"
SYSTEM = Subject("system", "urn:example:scorer", None, "Scorer")
THREAD = "urn:tongqiu:risk:x"
ENTRY = "sha-256:" + "e" * 64
STEP = st.integers(1, 5)


def stated(number: int, kind: Kind[Any], body: Any, *, issuer: str = ME, **more: Any) -> Statement:
    at = f"2026-11-23T08:00:{number:02}.000Z"
    content = Content(
        kind=kind.name, schema=ENTRY, subject=SYSTEM, issuer=issuer, at=at, body=kind.write(body), thread=THREAD, **more
    )
    return Statement(f"sha-256:{number:064x}", number, "example", at, content)


def said(kind: Kind[Any], body: Any, **more: Any) -> Said:
    return Said(kind.name, SYSTEM, body, thread=THREAD, speaker=ME)._replace(**more)


def code(work: Any, *args: Any) -> str:
    with pytest.raises(Refused) as caught:
        work(*args)
    return caught.value.code


# --- levels -----------------------------------------------------------------------------------------------------------


@given(STEP, STEP, STEP, STEP)
def test_a_level_never_falls_when_a_step_rises(one: int, two: int, more: int, worse: int) -> None:
    assert level(one, two) <= level(max(one, more), max(two, worse))


def test_every_level_is_reached_named_and_harm_that_cannot_be_undone_is_grave() -> None:
    assert {level(one, two) for one in range(1, 6) for two in range(1, 6)} == {1, 2, 3, 4, 5}
    assert all(level(step, 5) >= GRAVE for step in range(1, 6))
    assert len({name(step).en for step in range(1, 6)}) == len(LIKELIHOOD) == len(SEVERITY) == 5


# --- risks ------------------------------------------------------------------------------------------------------------

MEASURES = st.lists(
    st.builds(
        Measure,
        id=st.sampled_from(["a", "b", "c", "d"]),
        title=st.just("Something is done"),
        state=st.sampled_from(["planned", "in-place", "dropped"]),
        evidence=st.sampled_from([(), (ENTRY,)]),
    ),
    max_size=4,
    unique_by=lambda each: each.id,
).map(tuple)


@st.composite
def some_risk(draw: st.DrawFn) -> Risk:
    likelihood, severity = draw(STEP), draw(STEP)
    return risk(
        likelihood=likelihood,
        severity=severity,
        residual_likelihood=draw(st.integers(1, likelihood)),
        residual_severity=draw(st.integers(1, severity)),
        measures=draw(MEASURES),
        claimed=True,
    )


def risk(**more: Any) -> Risk:
    values: dict[str, Any] = {
        "number": 1,
        "state": "open",
        "title": "Wrong refusals",
        "what": "People are refused wrongly.",
        "taxonomy": "own",
        "row": "",
        "cause": Cause("ai", "unintentional", "after-deployment"),
        "likelihood": 4,
        "severity": 4,
        "level": 1,
        "residual_likelihood": more.get("likelihood", 4),
        "residual_severity": more.get("severity", 4),
        "residual_level": 1,
        "counted": 1,
    }
    return risks.figured(Risk(**{**values, **more}))


@given(some_risk(), st.integers(0, 3))
def test_more_evidence_never_raises_what_counts(body: Risk, which: int) -> None:
    shown = tuple(
        msgspec.structs.replace(each, evidence=(*each.evidence, "sha-256:" + "a" * 64)) if at == which else each
        for at, each in enumerate(body.measures)
    )
    assert risks.figured(msgspec.structs.replace(body, measures=shown)).counted <= body.counted
    added = Measure("new", "Another measure", "in-place", evidence=(ENTRY,))
    assert risks.figured(msgspec.structs.replace(body, measures=(*body.measures, added))).counted <= body.counted


@given(some_risk())
def test_what_counts_lies_between_what_remains_and_what_was(body: Risk) -> None:
    assert body.residual_level <= body.counted <= body.level
    assert list(risks.holds(body)) == []
    risks.admit(said(RISK, body), ())
    assert all(each.verdict != "unmet" for each in risks.findings(body))


@pytest.mark.parametrize("field", ["level", "residual_level", "counted"])
def test_a_figure_that_does_not_follow_is_refused(field: str) -> None:
    wrong = msgspec.structs.replace(risk(), **{field: 1})
    assert list(risks.holds(wrong)) == [field]
    assert code(risks.admit, said(RISK, wrong), ()) == "grading.figures"


def test_a_risk_follows_from_the_one_before_it() -> None:
    first = stated(1, RISK, risk())
    second = risk(number=2, owner="x")
    risks.admit(said(RISK, second, replaces=(first.entry,)), (first,))
    for body, wanted in (
        (risk(number=3), "grading.moved"),
        (risk(number=1, owner="x"), "grading.already-open"),
        (risk(number=2, row="y"), "grading.risk-closed"),
        (risk(number=2, state="closed"), "grading.figures"),
        (risk(number=2, measures=(Measure("a", "one", "planned"), Measure("a", "two", "planned"))), "grading.figures"),
        (risk(number=2, residual_severity=5), "grading.residual-above"),
        (risk(number=2, residual_severity=3), "grading.residual-unsupported"),
        (risk(number=2, decision=Choice("reduce", "boss", "because", 4, 1)), "grading.decide-again"),
    ):
        assert code(risks.admit, said(RISK, body), (first,)) == wanted
    closed = stated(2, RISK, risk(number=2, state="closed", ended="It is over."))
    assert code(risks.admit, said(RISK, risk(number=3)), (first, closed)) == "grading.risk-closed"
    # What a peer says in the thread moves nothing here, and our own word may be said again for others.
    foreign = stated(9, RISK, risk(number=7), issuer=OTHER)
    risks.admit(said(RISK, second), (first, foreign))
    risks.admit(said(RISK, risk(), replaces=(first.entry,), why="for all to read"), (first,))
    assert code(risks.admit, said(RISK, second, replaces=(first.entry,), why="by hand"), (first,)) == "grading.retyped"
    assert code(risks.admit, said(RISK, second, thread=None), (first,)) == "grading.thread"
    other = Subject("system", "urn:example:other")
    assert code(risks.admit, said(RISK, second, subject=other), (first,)) == "grading.thread"


@given(some_risk(), st.sampled_from(["accept", "reduce", "avoid", "share"]), st.sampled_from([1, 2]), STEP)
def test_nobody_accepts_a_grave_risk_alone(body: Risk, what: Any, eyes: Any, at: int) -> None:
    held = stated(1, RISK, body)
    decision = Decision(held.entry, Choice(what, "boss", "because", at, eyes))
    admitted = at == body.counted and not (what == "accept" and at >= GRAVE and eyes == 1)
    try:
        risks.admit_decision(said(DECISION, decision), (held,))
    except Refused:
        assert not admitted
    else:
        assert admitted
        # And with the decision in the thread the risk may carry it; without, or above its level, it may not.
        taken = stated(2, DECISION, decision)
        decided = msgspec.structs.replace(body, number=2, decision=decision.choice)
        risks.admit(said(RISK, decided), (held, taken))
        assert code(risks.admit, said(RISK, decided), (held,)) == "grading.decide-again"


def test_a_decision_is_about_the_risk_as_it_stands_and_is_not_replaced() -> None:
    held, choice = stated(1, RISK, risk()), Choice("reduce", "boss", "because", 4, 1)
    assert code(risks.admit_decision, said(DECISION, Decision(ENTRY, choice)), (held,)) == "grading.moved"
    good = Decision(held.entry, choice)
    taken = stated(2, DECISION, good)
    assert code(risks.admit_decision, said(DECISION, good, replaces=(ENTRY,)), (held,)) == "grading.moved"
    risks.admit_decision(said(DECISION, good, replaces=(taken.entry,), why="for all"), (held, taken))
    closed = stated(3, RISK, risk(number=2, state="closed", ended="It is over."))
    last = Decision(closed.entry, choice)
    assert code(risks.admit_decision, said(DECISION, last), (held, closed)) == "grading.moved"


def test_findings_of_a_risk_name_who_decided_and_what_is_open() -> None:
    undecided = list(risks.findings(risk()))
    assert [(each.verdict, each.severity) for each in undecided] == [("not-assessed", "high")]
    grave = risk(severity=5, likelihood=5, residual_likelihood=5, residual_severity=5)
    assert next(iter(risks.findings(grave))).severity == "critical"
    body = risk(
        measures=(Measure("a", "one", "planned", due="2026-12-01T00:00:00.000Z"),), review_at="2026-11-30T00:00:00.000Z"
    )
    assert [each.code for each in risks.findings(body)][1] == "grading.measures-open"
    assert [at[:10] for _, at in risks.overdue_of(body)] == ["2026-11-30", "2026-12-01"]
    assert risks.overdue_of(msgspec.structs.replace(body, state="closed")) == ()
    claimed = risk(measures=(Measure("a", "one", "in-place"),))
    assert [each.code for each in risks.findings(claimed)][1] == "grading.measures-claimed"
    (row,) = risk_rows(stated(1, RISK, body))
    assert (row.values["counted"], row.values["due"], row.values["level_zh"]) == (4, "2026-11-30T00:00:00.000Z", "高")


def test_the_level_that_counts_is_a_claim_that_no_other_risk_hides() -> None:
    own, chinese = risk(), risk(title="歧视")
    row = risk(taxonomy="mit-ai-risk", row="2.1")
    names = [each.measure for body in (own, chinese, row) for each in risks.evidence(body)]
    assert names[2] == "grading.risk.mit-ai-risk.2.1"
    assert len(set(names)) == 3
    assert all(each.basis == "claimed" for body in (own, row) for each in risks.evidence(body))


# --- drills -----------------------------------------------------------------------------------------------------------


def drill(**more: Any) -> Drill:
    values: dict[str, Any] = {
        "drill": "d1",
        "phase": "running",
        "control": "stop",
        "scenario": "It runs away.",
        "operator": "officer",
        "limit": 60.0,
        "valid_days": 90,
        "started_at": "2026-11-23T08:00:00.000Z",
    }
    return Drill(**{**values, **more})


def ended(took: float, **more: Any) -> Drill:
    stop = f"2026-11-23T08:{int(took) // 60:02}:{int(took) % 60:02}.000Z"
    values = {"phase": "ended", "stopped_at": stop, "seconds": float(int(took)), "outcome": "done"}
    return drill(**{**values, "valid_until": days_after(stop, 90), **more})


@given(st.integers(0, 3599), st.integers(1, 3599))
def test_a_drill_is_met_just_within_its_limit(took: int, limit: int) -> None:
    body = ended(took, limit=float(limit))
    assert list(drills.holds(body)) == []
    assert judged(body)[0] == ("met" if took <= limit else "unmet")


@pytest.mark.parametrize(
    "body",
    [
        ended(30, seconds=29.0),
        ended(30, valid_until="2027-01-01T00:00:00.000Z"),
        ended(30, outcome=None),
        ended(30, stopped_at=None, seconds=None),
        ended(0, stopped_at="2026-11-23T07:00:00.000Z"),
        drill(outcome="done"),
        drill(seconds=3.0),
        drill(valid_until="2027-01-01T00:00:00.000Z"),
        drill(phase="claimed"),
    ],
)
def test_a_drill_whose_figures_do_not_follow_is_refused(body: Drill) -> None:
    assert list(drills.holds(body)) != []
    begun = stated(1, DRILL, drill())
    assert code(drills.admit, said(DRILL, body), (begun,) if body.phase == "ended" else ()) == "grading.figures"


def test_a_drill_ends_as_it_was_begun_and_once() -> None:
    begun = stated(1, DRILL, drill())
    drills.admit(said(DRILL, drill()), ())
    drills.admit(said(DRILL, ended(30)), (begun,))
    over = stated(2, DRILL, ended(30))
    for body, thread in (
        (ended(30), ()),
        (ended(30, limit=600.0), (begun,)),
        (ended(30, drill="d2"), (begun,)),
        (ended(90), (begun, over)),
        (drill(), (begun,)),
        (ended(30, phase="lapsed"), (begun,)),
        (drill(phase="claimed", outcome="done"), (begun,)),
    ):
        assert code(drills.admit, said(DRILL, body), thread) == "grading.drill-not-begun"
    drills.admit(said(DRILL, ended(30, phase="lapsed"), replaces=(over.entry,)), (begun, over))
    assert (
        code(drills.admit, said(DRILL, ended(9), replaces=(begun.entry,), why="faster"), (begun,)) == "grading.retyped"
    )


def test_seconds_are_those_between_two_instants() -> None:
    assert seconds_between("2026-11-23T08:00:00.000Z", "2026-11-23T08:01:00.500Z") == 60.5


# --- reviews ----------------------------------------------------------------------------------------------------------

POSITIONS = st.lists(
    st.builds(
        Position,
        author=st.sampled_from(["Jurist", "Council", "Physician"]),
        stand=st.sampled_from(["agree", "dissent", "abstain"]),
        words=st.text("abc{} ", min_size=3, max_size=12),
    ),
    max_size=4,
).map(tuple)


def review(**more: Any) -> Review:
    values: dict[str, Any] = {
        "headline": Text(en="", zh=""),
        "number": 1,
        "state": "open",
        "title": "First use",
        "scope": "Loans in the north.",
        "reviewers": ("Jurist", "Council", "Physician"),
        "impacts": tuple(Impact(each.id, each.title, each.question, each.cites) for each in RIGHTS),
    }
    return reviews.figured(Review(**{**values, **more}))


@given(POSITIONS, POSITIONS)
def test_a_later_record_is_admitted_only_with_every_position_as_it_was(before: Any, after: Any) -> None:
    last, body = stated(1, REVIEW, review(positions=before)), review(number=2, positions=after)
    if after[: len(before)] == before:
        reviews.admit(said(REVIEW, body), (last,))
    else:
        assert code(reviews.admit, said(REVIEW, body), (last,)) == "grading.dissent-kept"


@given(POSITIONS)
def test_unanswered_dissent_is_the_first_line(positions: Any) -> None:
    body = review(positions=positions, state="concluded", outcome="go", decided_by="Boss", why="because")
    against = [each for each in positions if each.stand == "dissent"]
    assert body.headline.en.startswith("DISSENT UNANSWERED") == bool(against)
    assert all(each.author in body.headline.en for each in against)
    (finding,) = reviews.findings(body)
    assert finding.reason.en.startswith(body.headline.en)
    assert finding.reason.zh.startswith(body.headline.zh)
    assert (finding.verdict == "met") == (not against)


def test_answers_and_replies_are_added_and_never_changed() -> None:
    first = Position("Council", "dissent", "No.")
    answered = msgspec.structs.replace(first, answer="Why not?", answered_by="Boss")
    reply = Reply("Provider", "We see it otherwise.")
    thread = (stated(1, REVIEW, review(positions=(first,), replies=(reply,))),)
    reviews.admit(said(REVIEW, review(number=2, positions=(answered,), replies=(reply,))), thread)
    for more in (
        {"positions": (answered,), "replies": ()},
        {"positions": (msgspec.structs.replace(answered, words="Yes."),), "replies": (reply,)},
        {"positions": (), "replies": (reply,)},
    ):
        assert code(reviews.admit, said(REVIEW, review(number=2, **more)), thread) == "grading.dissent-kept"
    thread = (stated(2, REVIEW, review(number=2, positions=(answered,))),)
    other = msgspec.structs.replace(answered, answer="Never mind.")
    assert code(reviews.admit, said(REVIEW, review(number=3, positions=(other,))), thread) == "grading.dissent-kept"


def test_a_conclusion_and_the_scope_stay_and_conditions_may_go_on() -> None:
    done = {"state": "concluded", "outcome": "conditions", "decided_by": "Boss", "why": "because"}
    thread = (stated(1, REVIEW, review(**done)),)
    more = (Condition("ask", "Ask them", due="2027-01-01T00:00:00.000Z"),)
    reviews.admit(said(REVIEW, review(number=2, conditions=more, **done)), thread)
    for change in ({"outcome": "go"}, {"why": "something else"}, {"scope": "All loans."}, {"reviewers": ("Jurist",)}):
        body = review(number=2, **{**done, **change})
        assert code(reviews.admit, said(REVIEW, body), thread) == "grading.review-concluded"
    assert code(reviews.admit, said(REVIEW, review(**done, title="First use")), thread) == "grading.already-open"
    mended = msgspec.structs.replace(review(number=2, **done), headline=Text(en="All is well.", zh="一切正常。"))
    assert code(reviews.admit, said(REVIEW, mended), thread) == "grading.figures"
    assert code(reviews.admit, said(REVIEW, review(state="concluded")), ()) == "grading.figures"
    assert [at[:10] for _, at in reviews.overdue_of(review(conditions=more))] == ["2027-01-01"]


def test_the_rights_of_women_and_children_are_asked_first() -> None:
    assert [each.id for each in RIGHTS[:2]] == ["women", "children"]
    assert all(each.cites for each in RIGHTS)


@pytest.mark.parametrize("kind", [RISK, DRILL, REVIEW, REMINDER], ids=lambda each: each.name)
def test_what_a_peer_sends_and_does_not_read_sets_no_clock(kind: Kind[Any]) -> None:
    content = Content(
        kind=kind.name, schema=ENTRY, subject=SYSTEM, issuer=OTHER, at="2026-11-23T08:00:00.000Z", body={}
    )
    broken = Statement(ENTRY, 1, "example", content.at, content)
    whens = {RISK.name: [duties.first_due], REVIEW.name: [duties.first_due], REMINDER.name: [duties.again_at]}
    for when in whens.get(kind.name, [duties.first_due, duties.drill_ends]):
        assert when(broken) is None


def test_a_date_on_no_calendar_sets_no_clock() -> None:
    odd = risk(review_at="2026-05-40T00:00:00.000Z")
    assert duties.first_due(stated(1, RISK, odd)) is None
    assert duties.first_due(stated(1, RISK, risk(review_at="2026-05-30T00:00:00.000Z"))) == "2026-05-30T00:00:00.000Z"


# --- suggestions ------------------------------------------------------------------------------------------------------

PACK = """
format = 1
id = "mit-example"
version = "1"
title = { en = "Example", zh = "示例" }
publisher = "Nobody"
licence = "CC0-1.0"
wording = "own"
known_at = 2026-01-01
nature = "taxonomy"
[[source]]
id = "s"
document = "Example"
title = { en = "Example", zh = "示例" }
force = "voluntary"
licence = "CC0-1.0"
[[fact]]
key = "use.public"
type = "bool"
question = { en = "Is it public?", zh = "是否公开？" }
[[fact]]
key = "use.children"
type = "bool"
question = { en = "Do children use it?", zh = "儿童是否使用？" }
[[risk]]
id = "d5.1"
title = { en = "Children are harmed", zh = "儿童受害" }
text = { en = "Children come to harm.", zh = "儿童受到损害。" }
cite = [{ source = "s", article = "5.1" }]
suggested_when = "use.public && use.children"
measures = [{ en = "Ask for the age", zh = "询问年龄" }]
[[risk]]
id = "d5.2"
title = { en = "Nobody can stop it", zh = "无法停止" }
text = { en = "It goes on and on.", zh = "系统持续运行。" }
cite = [{ source = "s", article = "5.2" }]
[[risk]]
id = "d9.9"
title = { en = "Gone", zh = "已失效" }
text = { en = "No longer listed.", zh = "不再列出。" }
cite = [{ source = "s", article = "9.9" }]
suggested_when = "use.public"
applies_until = 2026-02-01
"""


def asked(*statements: Statement, book: Book) -> Suggestions | None:
    import datetime

    now = "2026-11-23T09:00:00.000Z"
    day = datetime.date(2026, 11, 23)
    ask = Snapshot(Listed(statements), receiver=ME, as_of=now, known_at=now, size=100, norms=Norms(day, day, [book]))
    found = list(suggest.assess(SYSTEM, ask))
    return SUGGESTION.read(SUGGESTION.write(found[0].body)) if found else None


def facts(**answers: bool) -> Statement:
    rows = tuple(Fact(f"use.{key}", value, Text(en="?", zh="？"), ("mit-example",)) for key, value in answers.items())
    return stated(1, FACTS, Facts(rows))


def rows_of(found: Suggestions | None) -> dict[str, tuple[str, tuple[str, ...]]]:
    rows = found.rows if found else ()
    return {each.row: (each.state, each.open) for each in rows if each.taxonomy == "mit-example"}


@pytest.fixture(scope="module")
def book() -> Book:
    return open_book(PACK.encode(), where="example.toml")


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ({"public": True, "children": True}, {"d5.1": ("sure", ())}),
        ({"public": True}, {"d5.1": ("possible", ("use.children",))}),
        ({"public": False}, {}),
        ({}, {"d5.1": ("possible", ("use.children", "use.public"))}),
    ],
)
def test_a_row_is_suggested_where_it_holds_and_possible_while_facts_are_open(
    book: Book, answers: Any, wanted: Any
) -> None:
    assert rows_of(asked(facts(**answers), book=book)) == wanted


def test_findings_that_went_badly_point_at_a_row_and_what_people_did_takes_it_away(book: Book) -> None:
    words = Text(en="too slow", zh="过慢")
    bad = Finding(requirement="grading.control.stop", title=words, verdict="unmet", code="x", reason=words)
    known, slow = facts(public=False), stated(2, DRILL, ended(90), findings=(bad,))
    found = asked(known, slow, book=book)
    assert rows_of(found) == {"d5.2": ("sure", ())}
    assert found is not None
    (row,) = [each for each in found.rows if each.row == "d5.2"]
    assert [(each.requirement, each.entry) for each in row.found] == [("grading.control.stop", slow.entry)]
    taken = stated(3, RISK, risk(taxonomy="mit-example", row="d5.2"))
    assert rows_of(asked(known, slow, taken, book=book)) == {}
    aside = stated(4, DISMISSAL, Dismissal("mit-example", "d5.2", "boss", "It is off."))
    assert rows_of(asked(known, slow, aside, book=book)) == {}
    foreign = stated(5, DISMISSAL, Dismissal("mit-example", "d5.2", "boss", "It is off."), issuer=OTHER)
    assert rows_of(asked(known, slow, foreign, book=book)) == {"d5.2": ("sure", ())}


def test_a_suggestion_is_set_aside_once() -> None:
    aside = Dismissal("own", "x", "boss", "It is off.")
    admit_dismissal(said(DISMISSAL, aside), ())
    assert code(admit_dismissal, said(DISMISSAL, aside), (stated(1, DISMISSAL, aside),)) == "grading.already-open"

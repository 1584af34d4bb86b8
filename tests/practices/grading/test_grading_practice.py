"""Declared facts become a record, and a grade follows from them and from findings; nothing is filled in for anyone."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tongqiu.node.ask import Listed, Snapshot
from tongqiu.practice import Target, load
from tongqiu.practices.grading import PRACTICE, probes
from tongqiu.practices.grading.assessors import assess
from tongqiu.practices.grading.kinds import FACTS, GRADE, Answers, Facts, Grade
from tongqiu.practices.grading.views import facts as fact_rows
from tongqiu.practices.grading.views import grades, questions
from tongqiu.record import core
from tongqiu.record.faults import Malformed
from tongqiu.record.shapes import Finding, Verdict
from tongqiu.record.statement import Content, Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEM = Subject("system", "urn:example:scorer", None, "Scorer")
DATA = Subject("dataset", "urn:example:table", "sha-256:" + "a" * 64, "Table")
ME = "did:example:me"
MORTGAGE: dict[str, Any] = {
    "eu.scope.ai_system": True,
    "eu.scope.union": True,
    "eu.scope.excluded": False,
    "eu.scope.open_source": False,
    "eu.art5.any": False,
    "eu.annex1.section": "none",
    "eu.annex3.creditworthiness": True,
    "eu.profiling": True,
    "use.sector": "mortgage lending",
}


def stated(number: int, kind: str, subject: Subject, body: Any, findings: Iterable[Finding] = ()) -> Statement:
    content = Content(
        kind=kind,
        schema="sha-256:" + "0" * 64,
        subject=subject,
        issuer=ME,
        at=f"2026-11-23T08:00:{number:02}.000Z",
        body=body,
        findings=tuple(findings),
    )
    return Statement(f"sha-256:{number:064x}", number, "example", content.at, content)


def found(requirement: str, verdict: Verdict) -> Finding:
    words = Text(en=requirement, zh=requirement)
    return Finding(requirement=requirement, title=words, verdict=verdict, code="x", reason=words)


def world(facts: dict[str, Any] | None) -> list[Statement]:
    said = [
        stated(
            1,
            core.COMPOSITION.name,
            SYSTEM,
            core.COMPOSITION.write(core.Composition(parts=(core.Part("data", DATA),))),
        ),
        stated(3, "dataset.review/1", DATA, {}, [found("dataset.groups-seen", "unmet")]),
        stated(4, "evaluation.verdict/1", SYSTEM, {}, [found("evaluation.fairness.selection-ratio", "unmet")]),
        stated(5, "supply.review/1", SYSTEM, {}, [found("supply.licence", "met")]),
    ]
    if facts is not None:
        said.append(stated(2, FACTS.name, SYSTEM, FACTS.write(probes.described(facts))))
    return said


def weigh(statements: Iterable[Statement]) -> tuple[Grade, Said, Snapshot]:
    now = "2026-11-23T09:00:00.000Z"
    ask = Snapshot(Listed(statements), receiver=ME, as_of=now, known_at=now, size=100)
    said = next(each for each in assess(SYSTEM, ask) if each.body.pack == "eu-ai-act")
    GRADE.write(said.body)
    return said.body, said, ask


def test_the_mortgage_case_is_graded_with_clause_reason_and_what_it_rests_on() -> None:
    body, said, _ = weigh(world(MORTGAGE))
    system = next(span for span in body.spans if span.scale == "system")
    assert (system.state, [step.id for step in system.grades]) == ("graded", ["high"])
    assert "Annex III, point 5(b)" in system.reason.en
    assert "Annex III, point 5(b)" in system.reason.zh
    assert "2027-12-02" in system.reason.en
    assert body.said_by == ME
    assert body.facts == MORTGAGE
    fired = {rule.id: rule for rule in body.rules if rule.state == "fired"}
    assert fired["annex3.creditworthiness"].clauses[0].document == "CELEX 32024R1689"
    assert fired["annex3.creditworthiness"].pending
    # facts, composition and the two findings a requirement looks for; the licence finding is none of them
    assert said.rests_on == tuple(f"sha-256:{number:064x}" for number in (1, 2, 3, 4))
    duties = {duty.id: duty for duty in body.duties}
    assert duties["art10.2.fg"].state == "answered"
    assert duties["art10.2.fg"].records == tuple(f"sha-256:{number:064x}" for number in (3, 4))
    assert duties["art15.1"].state == "unanswered"
    assert list(GRADE.holds(body) if GRADE.holds else ["no check"]) == []


def test_words_of_compliance_never_appear() -> None:
    body, _, _ = weigh(world(MORTGAGE))
    text = str(GRADE.write(body)).lower()
    assert not any(word in text for word in ("complian", "certified", "合规", "认证"))


def test_without_facts_nothing_is_graded_and_the_first_questions_are_the_telling_ones() -> None:
    body, _, _ = weigh(world(None))
    assert {span.state for span in body.spans} == {"unanswered"}
    assert body.said_by is None
    assert len(body.questions) == 20
    assert body.more_questions > 0
    first = [question.fact for question in body.questions]
    assert first.index("eu.art5.any") < first.index("eu.annex3.any")
    assert not any(fact.startswith("eu.art5.") and fact != "eu.art5.any" for fact in first)
    shown = list(GRADE.findings(body) if GRADE.findings else ())
    assert {(each.requirement, each.verdict) for each in shown} == {
        ("eu-ai-act:system", "not-assessed"),
        ("eu-ai-act:model", "not-assessed"),
    }
    assert all(each.mend is not None for each in shown)


def test_a_range_says_what_is_missing() -> None:
    facts = {key: value for key, value in MORTGAGE.items() if key != "eu.profiling"}
    body, _, _ = weigh(world(facts))
    system = next(span for span in body.spans if span.scale == "system")
    assert system.state == "range"
    assert [step.id for step in system.grades] == ["minimal", "transparency", "high"]
    derogation = next(question for question in body.questions if question.fact == "eu.annex3.derogation")
    assert derogation.answers[:2] == ('"none"', '"narrow-procedural"')
    profiling = next(question for question in body.questions if question.fact == "eu.profiling")
    assert profiling.answers == ("false", "true")
    assert [(one.value, one.grades) for one in profiling.outcomes] == [
        (False, ("minimal", "transparency", "high")),
        (True, ("high",)),
    ]
    finding = next(
        each for each in (GRADE.findings(body) if GRADE.findings else ()) if each.requirement.endswith(":system")
    )
    assert (finding.verdict, finding.code) == ("undecided", "grading.range")


@pytest.mark.system
def test_the_order_of_statements_never_matters() -> None:
    bodies = {str(weigh(each)[0]) for each in itertools.permutations(world(MORTGAGE))}
    assert len(bodies) == 1


def test_the_same_questions_are_asked_again_of_the_same_log() -> None:
    body, said, ask = weigh(world(MORTGAGE))
    grade = stated(6, GRADE.name, SYSTEM, GRADE.write(body), GRADE.findings(body) if GRADE.findings else ())
    again, said_again, asked_again = weigh([*world(MORTGAGE), grade])
    assert again == body
    assert said_again == said
    assert asked_again.asked == ask.asked


def test_the_newest_declaration_counts() -> None:
    newer = stated(9, FACTS.name, SYSTEM, FACTS.write(probes.described({"eu.scope.military_only": True})))
    body, _, _ = weigh([*world(MORTGAGE), newer])
    assert [step.id for step in body.spans[0].grades] == ["outside"]
    assert body.implied == {"eu.scope.excluded": True}


def test_facts_are_claimed_evidence_with_their_question() -> None:
    body = probes.described(MORTGAGE)
    shown = {each.measure: each for each in (FACTS.evidence(body) if FACTS.evidence else ())}
    one = shown["grading.fact.eu.annex3.creditworthiness"]
    assert (one.basis, one.value, one.method) == ("claimed", True, "grading.declared@1")
    assert "creditworthiness" in one.title.en
    assert "信用" in one.title.zh
    assert FACTS.read(FACTS.write(body)) == body
    section = next(each for each in body.facts if each.key == "eu.annex1.section")
    assert section.meaning == Text(en="no", zh="否")


def test_grades_are_evidence_that_a_stranger_reads() -> None:
    body, _, _ = weigh(world(MORTGAGE))
    shown = {each.measure: each for each in (GRADE.evidence(body) if GRADE.evidence else ())}
    assert shown["grading.eu-ai-act.system"].value == "high"
    assert shown["grading.eu-ai-act.model"].value == "none..gpai-systemic"


def target(facts: object, type_: Any = "system") -> Target:
    return Target(Subject(type_, "urn:example:x"), None, {"facts": facts})


def test_the_probe_reads_dotted_and_nested_tables_alike() -> None:
    nested = {"eu": {"annex3": {"creditworthiness": True}, "profiling": True}}
    (run,) = probes.plan(target(nested))
    assert isinstance(run.params, Answers)
    assert {each.key: each.value for each in run.params.facts} == {
        "eu.annex3.creditworthiness": True,
        "eu.profiling": True,
    }
    (said,) = probes.observe(SYSTEM, run.params, object())  # type: ignore[arg-type]
    assert isinstance(said.body, Facts)
    assert [each.key for each in said.body.facts] == ["eu.annex3.creditworthiness", "eu.profiling"]
    assert list(probes.plan(target({}))) == []
    assert list(probes.plan(target(nested, "model"))) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"eu": {"annex3": {"creditworthyness": True}}}, "facts.unknown"),
        ({"eu.profiling": "yes"}, "facts.value"),
        ({"eu.profiling": 1}, "facts.value"),
        ({"eu.profiling": [True]}, "facts.value"),
        ({"eu.annex1.section": "c"}, "facts.value"),
        ({"use.purpose": "x" * 1001}, "facts.value"),
        ({"eu.profiling": True, "eu": {"profiling": True}}, "facts.value"),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": True}}}}}}}}}}, "facts.value"),
        ({"eu.annex3.any": False, "eu.annex3.recruitment": True}, "facts.contradiction"),
    ],
)
def test_bad_facts_are_refused_in_both_languages(facts: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        list(probes.plan(target(facts)))
    assert caught.value.code == code
    assert "[facts]" in caught.value.where
    assert caught.value.explain("zh")
    if code == "facts.unknown":
        assert caught.value.values["nearest"] == "eu.annex3.creditworthiness"


def test_views_have_every_column_of_their_rows() -> None:
    body, _, _ = weigh(world(MORTGAGE))
    said = stated(6, GRADE.name, SYSTEM, GRADE.write(body))
    declared = stated(2, FACTS.name, SYSTEM, FACTS.write(probes.described(MORTGAGE)))
    columns = {view.name: {column.name for column in view.columns} for view in PRACTICE.views}
    for name, rows in (
        ("grading.grades", list(grades(said))),
        ("grading.facts", list(fact_rows(declared))),
        ("grading.questions", list(questions(said))),
    ):
        assert rows
        assert all(set(row.values) == columns[name] for row in rows)
    row = next(iter(grades(said))).values
    assert (row["low"], row["high"], row["state"], row["pending"]) == ("high", "high", "graded", True)


def test_every_reference_of_the_practice_leads_somewhere() -> None:
    refs = [each.plan for each in PRACTICE.probes] + [each.observe for each in PRACTICE.probes]
    refs += [each.assess for each in PRACTICE.assessors] + [each.rows for each in PRACTICE.views]
    assert all(callable(load(ref)) for ref in refs)


def test_a_grade_that_contradicts_itself_is_named() -> None:
    body, _, _ = weigh(world(MORTGAGE))
    odd = msgspec.structs.replace(body.spans[0], state="range")
    assert GRADE.holds is not None
    assert list(GRADE.holds(msgspec.structs.replace(body, spans=(odd, *body.spans[1:])))) == ["spans.system.state"]
    lower = msgspec.structs.replace(
        body.spans[0], grades=(msgspec.structs.replace(body.spans[0].grades[0], id="minimal"),)
    )
    assert list(GRADE.holds(msgspec.structs.replace(body, spans=(lower, *body.spans[1:])))) == ["spans.system.grades"]

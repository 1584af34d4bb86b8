"""Cases whose class is known from the Act and its recitals, written from those texts, against the shipped pack."""

from __future__ import annotations

import datetime

import pytest

from tongqiu.norms.library import book

DAY = datetime.date(2026, 11, 23)

# Every question answered no, so that a case states only what it is about.
NO: dict[str, object] = {
    "eu.scope.ai_system": True,
    "eu.scope.union": True,
    "eu.scope.excluded": False,
    "eu.scope.open_source": False,
    "eu.art5.any": False,
    "eu.annex1.section": "none",
    "eu.annex3.any": False,
    "eu.art50.any": False,
    "eu.gpai.model": False,
}
LISTED = {"eu.annex3.derogation": "none", "eu.profiling": False}


Case = tuple[str, str, dict[str, object], str, str, str]

# (source, what it says, facts, scale, grade, rule that must have fired)
CASES: list[Case] = [
    ("recital 12", "software of rules written by people alone", {"eu.scope.ai_system": False}, "system", "outside", "scope.no-ai-system"),
    ("Art. 2(1)", "no market, use or output in the Union", {"eu.scope.union": False}, "system", "outside", "scope.no-union-link"),
    ("recital 24", "exclusively military", {"eu.scope.military_only": True}, "system", "outside", "scope.military"),
    ("recital 25", "sole purpose of scientific research", {"eu.scope.research_only": True}, "system", "outside", "scope.research"),
    ("Art. 2(8)", "testing before the market", {"eu.scope.before_market": True}, "system", "outside", "scope.before-market"),
    ("Art. 2(10)", "private person's own use", {"eu.scope.personal_use": True}, "system", "outside", "scope.personal-use"),
    ("Art. 2(4)", "foreign authority with safeguards", {"eu.scope.third_country_cooperation": True}, "system", "outside", "scope.third-country"),
    ("Art. 2(12)", "open-source system that is neither high-risk nor under Art. 5 or 50", {"eu.scope.open_source": True}, "system", "outside", "scope.open-source"),
    ("Art. 2(12)", "open-source chatbot stays under Art. 50", {"eu.scope.open_source": True, "eu.art50.interacts": True}, "system", "transparency", "art50.1"),
    ("Art. 2(12)", "open-source recruitment system is high-risk", {"eu.scope.open_source": True, "eu.annex3.recruitment": True, **LISTED}, "system", "high", "annex3.recruitment"),
    ("Art. 2(12)", "open-source system whose task in recruitment is narrow", {"eu.scope.open_source": True, "eu.annex3.recruitment": True, "eu.annex3.derogation": "narrow-procedural", "eu.profiling": False}, "system", "outside", "scope.open-source"),
    ("recital 24", "military system also used by police: the exclusion is not claimed", {"eu.annex3.offending_risk": True, **LISTED}, "system", "high", "annex3.offending-risk"),
    ("recital 29", "manipulation that impairs autonomy with significant harm", {"eu.art5.manipulation": True}, "system", "prohibited", "art5.manipulation"),
    ("recital 29", "exploiting age, disability or extreme poverty", {"eu.art5.vulnerability": True}, "system", "prohibited", "art5.vulnerability"),
    ("recital 31", "social score used in unrelated contexts", {"eu.art5.social_scoring": True}, "system", "prohibited", "art5.social-scoring"),
    ("recital 42", "crime predicted from nationality, car or debt alone", {"eu.art5.crime_prediction": True}, "system", "prohibited", "art5.crime-prediction"),
    ("recital 42", "fraud analytics on firms' transactions is untouched", {}, "system", "minimal", ""),
    ("recital 43", "untargeted scraping of facial images", {"eu.art5.face_scraping": True}, "system", "prohibited", "art5.face-scraping"),
    ("recital 44", "emotions of employees", {"eu.art5.emotion_work_school": True, "eu.art5.emotion_medical_safety": False}, "system", "prohibited", "art5.emotion"),
    ("recital 44", "emotions at work for medical or safety reasons: listed, not prohibited", {"eu.art5.emotion_work_school": True, "eu.art5.emotion_medical_safety": True, "eu.annex3.emotion_recognition": True, **LISTED}, "system", "high", "annex3.emotion-recognition"),
    ("recital 18", "fatigue of drivers is a physical state, no emotion", {}, "system", "minimal", ""),
    ("recital 30", "race or belief from biometric data", {"eu.art5.biometric_traits": True}, "system", "prohibited", "art5.biometric-traits"),
    ("recital 16", "ancillary filter of a shop or social network", {}, "system", "minimal", ""),
    ("recital 33", "live recognition for police without authorisation", {"eu.art5.live_recognition": True, "eu.art5.live_recognition_allowed": False}, "system", "prohibited", "art5.live-recognition"),
    ("recital 35", "live recognition, necessary and authorised: remote identification stays high-risk", {"eu.art5.live_recognition": True, "eu.art5.live_recognition_allowed": True, "eu.annex3.remote_identification": True, **LISTED}, "system", "high", "annex3.remote-identification"),
    ("Art. 5(1)(ba)", "nudification of identifiable people", {"eu.art5.intimate_imagery": True}, "system", "prohibited", "art5.intimate-imagery"),
    ("Art. 5(1)(bb)", "child sexual abuse material", {"eu.art5.child_abuse_imagery": True}, "system", "prohibited", "art5.child-abuse-imagery"),
    ("recital 50", "medical device that needs a notified body", {"eu.annex1.section": "a", "eu.annex1.third_party": True}, "system", "high", "art6.1.section-a"),
    ("recital 50", "toy without third-party assessment", {"eu.annex1.section": "a", "eu.annex1.third_party": False}, "system", "minimal", ""),
    ("recital 49", "vehicle under Section B", {"eu.annex1.section": "b", "eu.annex1.third_party": True}, "system", "high-sectoral", "art6.1.section-b"),
    ("Art. 6(1c)", "radio product assessed for spectrum alone", {"eu.annex1.section": "a", "eu.annex1.third_party": False}, "system", "minimal", ""),
    ("recital 54", "one-to-one verification to unlock a device", {}, "system", "minimal", ""),
    ("recital 55", "monitoring of water pressure", {"eu.annex3.critical_infrastructure": True, **LISTED}, "system", "high", "annex3.critical-infrastructure"),
    ("recital 56", "admission to university", {"eu.annex3.admission": True, **LISTED}, "system", "high", "annex3.admission"),
    ("recital 56", "monitoring of tests", {"eu.annex3.exam_monitoring": True, **LISTED}, "system", "high", "annex3.exam-monitoring"),
    ("recital 57", "filtering of job applications", {"eu.annex3.recruitment": True, **LISTED}, "system", "high", "annex3.recruitment"),
    ("recital 58", "creditworthiness of a mortgage applicant", {"eu.annex3.creditworthiness": True, **LISTED}, "system", "high", "annex3.creditworthiness"),
    ("recital 58", "detecting fraud in financial services", {}, "system", "minimal", ""),
    ("recital 58", "pricing of life insurance", {"eu.annex3.insurance": True, **LISTED}, "system", "high", "annex3.insurance"),
    ("recital 58", "eligibility for social housing", {"eu.annex3.public_benefits": True, **LISTED}, "system", "high", "annex3.public-benefits"),
    ("recital 58", "triage of emergency patients", {"eu.annex3.emergency_calls": True, **LISTED}, "system", "high", "annex3.emergency-calls"),
    ("recital 60", "examination of asylum applications", {"eu.annex3.asylum_examination": True, **LISTED}, "system", "high", "annex3.asylum-examination"),
    ("recital 61", "assisting judges with facts and law", {"eu.annex3.judicial_assistance": True, **LISTED}, "system", "high", "annex3.judicial-assistance"),
    ("recital 61", "anonymising judgments", {}, "system", "minimal", ""),
    ("recital 62", "influencing how people vote", {"eu.annex3.election_influence": True, **LISTED}, "system", "high", "annex3.election-influence"),
    ("recital 53", "turning unstructured data of applicants into structured data", {"eu.annex3.recruitment": True, "eu.annex3.derogation": "narrow-procedural", "eu.profiling": False}, "system", "minimal", "art6.3.derogation"),
    ("recital 53", "improving the language of drafted documents", {"eu.annex3.judicial_assistance": True, "eu.annex3.derogation": "improves-completed", "eu.profiling": False}, "system", "minimal", "art6.3.derogation"),
    ("recital 53", "finding deviations from a teacher's grading pattern", {"eu.annex3.learning_outcomes": True, "eu.annex3.derogation": "detects-patterns", "eu.profiling": False}, "system", "minimal", "art6.3.derogation"),
    ("recital 53", "translating documents before an assessment", {"eu.annex3.asylum_examination": True, "eu.annex3.derogation": "preparatory", "eu.profiling": False}, "system", "minimal", "art6.3.derogation"),
    ("recital 53", "a narrow task that profiles people is always high-risk", {"eu.annex3.recruitment": True, "eu.annex3.derogation": "narrow-procedural", "eu.profiling": True}, "system", "high", "art6.3.profiling"),
    ("recital 132", "chatbot", {"eu.art50.interacts": True, "eu.art50.criminal_law_use": False}, "system", "transparency", "art50.1"),
    ("recital 133", "image generator", {"eu.art50.synthetic_content": True}, "system", "transparency", "art50.2"),
    ("recital 134", "deep fake", {"eu.art50.deep_fake": True}, "system", "transparency", "art50.4"),
    ("Art. 50(1)", "chatbot authorised by law to investigate crime", {"eu.art50.interacts": True, "eu.art50.criminal_law_use": True}, "system", "minimal", ""),
    ("recital 97", "large generative model offered to others", {"eu.gpai.model": True, "eu.gpai.above_1e25": False, "eu.gpai.high_impact": False, "eu.gpai.designated": False, "eu.gpai.open": False}, "model", "gpai", "art53"),
    ("recital 104", "the same, open with its weights", {"eu.gpai.model": True, "eu.gpai.above_1e25": False, "eu.gpai.high_impact": False, "eu.gpai.designated": False, "eu.gpai.open": True}, "model", "gpai-open", "art53.open"),
    ("recital 111", "more than 10^25 operations", {"eu.gpai.above_1e25": True, "eu.gpai.rebutted": False}, "model", "gpai-systemic", "art51.compute"),
    ("recital 112", "presumption rebutted before the Commission", {"eu.gpai.above_1e25": True, "eu.gpai.rebutted": True, "eu.gpai.high_impact": False, "eu.gpai.designated": False, "eu.gpai.open": False}, "model", "gpai", "art53"),
    ("Art. 53(2)", "openness does not free a model with systemic risk", {"eu.gpai.above_1e25": True, "eu.gpai.rebutted": False, "eu.gpai.open": True}, "model", "gpai-systemic", "art51.compute"),
    ("Art. 51(1)(b)", "designated by the Commission", {"eu.gpai.designated": True}, "model", "gpai-systemic", "art51.designated"),
]  # fmt: skip


def with_defaults(facts: dict[str, object]) -> dict[str, object]:
    """Every other question no, except the wider questions that these answers open."""
    eu = book("eu-ai-act")
    implied = eu.settle(facts)
    base = {key: value for key, value in NO.items() if key not in implied}
    # Questions beside the ones that were answered, within the same wider ones, are no.
    beside: dict[str, object] = {
        fact.key: False
        for fact in eu.pack.facts
        if fact.type == "bool" and fact.within in implied and fact.key not in implied
    }
    return {**beside, **base, **facts}


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}: {case[1]}" for case in CASES])
def test_golden_case(case: Case) -> None:
    source, what, facts, scale, grade, rule = case
    result = book("eu-ai-act").grade(with_defaults(facts), as_of=DAY)
    span = result.span(scale)
    assert (span.state, span.grades) == ("graded", (grade,)), f"{source}: {what}"
    if rule:
        assert rule in {each.rule for each in result.fired}
        assert all(str(cite) for each in result.fired for cite in each.cite)


def test_the_mortgage_case_needs_only_a_few_answers() -> None:
    facts = {
        "eu.scope.ai_system": True,
        "eu.scope.union": True,
        "eu.scope.excluded": False,
        "eu.art5.any": False,
        "eu.annex1.section": "none",
        "eu.annex3.creditworthiness": True,
        "eu.profiling": True,
    }
    result = book("eu-ai-act").grade(facts, as_of=DAY)
    assert result.span("system").grades == ("high",)
    by_rule = {each.rule: each for each in result.fired}
    assert str(by_rule["annex3.creditworthiness"].cite[0]) == "Annex III, point 5(b)"
    assert by_rule["annex3.creditworthiness"].pending  # from 2 December 2027
    assert by_rule["annex3.creditworthiness"].applies_from == datetime.date(2027, 12, 2)
    assert by_rule["art6.3.profiling"].read["eu.profiling"] is True
    owed = book("eu-ai-act").owed(result, ())
    assert {"art10.2.fg", "art15.1"} <= {each.requirement for each in owed if each.sure}


@pytest.mark.parametrize(
    ("rule", "day", "pending"),
    [
        # Art. 113 as amended by CELEX 32026R1744, Art. 1(40); rows ending in -2024 as published before it
        ("annex3.recruitment-2024", "2026-08-01", True),
        ("annex3.recruitment-2024", "2026-08-02", False),
        ("art6.1.section-a-2024", "2027-08-01", True),
        ("art6.1.section-a-2024", "2027-08-02", False),
        ("art5.manipulation", "2025-02-02", False),
        ("art5.intimate-imagery", "2026-12-01", True),
        ("art5.intimate-imagery", "2026-12-02", False),
        ("art50.1", "2026-08-01", True),
        ("art50.1", "2026-08-02", False),
        ("annex3.recruitment", "2027-12-01", True),
        ("annex3.recruitment", "2027-12-02", False),
        ("art6.1.section-a", "2028-08-01", True),
        ("art6.1.section-a", "2028-08-02", False),
        ("art53", "2025-08-02", False),
    ],
)
def test_dates_of_application(rule: str, day: str, pending: bool) -> None:  # noqa: FBT001 - a parameter of the case
    start = book("eu-ai-act").pack.rule(rule).applies_from
    assert start is not None
    assert (start > datetime.date.fromisoformat(day)) is pending


def test_the_amendment_was_not_known_before_it_was_published() -> None:
    facts = with_defaults({"eu.art5.intimate_imagery": True})
    day = datetime.date(2026, 7, 23)
    assert book("eu-ai-act").grade(facts, as_of=day).span("system").grades == ("minimal",)


def test_the_dates_of_2024_are_told_to_who_knew_no_others() -> None:
    facts = with_defaults({"eu.annex3.recruitment": True, **LISTED})
    day = datetime.date(2026, 8, 2)
    then = book("eu-ai-act").grade(facts, as_of=day, known_at=datetime.date(2026, 1, 1))
    now = book("eu-ai-act").grade(facts, as_of=day)
    assert then.span("system").grades == now.span("system").grades == ("high",)
    assert {each.rule: each.pending for each in then.fired}["annex3.recruitment-2024"] is False
    assert {each.rule: each.pending for each in now.fired}["annex3.recruitment"] is True
    assert not {each.rule for each in then.fired} & {each.rule for each in now.fired if not each.rule.endswith("-2024")}


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        # Art. 111(2), (3), (4): what was on the market before
        ({"eu.annex3.recruitment": True, **LISTED, "eu.significant_change": False}, "art111.2.annex3"),
        ({"eu.annex1.section": "a", "eu.annex1.third_party": True, "eu.significant_change": False}, "art111.2.annex1"),
        (
            {
                "eu.annex3.public_benefits": True,
                **LISTED,
                "eu.significant_change": False,
                "eu.public_authority": True,
            },
            "art111.2.public.annex3",
        ),
        ({"eu.gpai.model": True}, "art111.3"),
        ({"eu.art50.synthetic_content": True, "eu.art50.criminal_law_use": False}, "art111.4"),
    ],
)
def test_what_was_on_the_market_before(facts: dict[str, object], rule: str) -> None:
    eu = book("eu-ai-act")
    before = eu.grade(with_defaults({**facts, "eu.placed": datetime.date(2025, 8, 1)}), as_of=DAY)
    after = eu.grade(with_defaults({**facts, "eu.placed": datetime.date(2028, 8, 2)}), as_of=DAY)
    assert rule in {each.rule for each in before.fired}
    assert rule not in {each.rule for each in after.fired}
    # The transition says from when, never which class.
    assert [each.grades for each in before.spans] == [each.grades for each in after.spans]


def test_every_point_of_article_5_and_annex_iii_has_its_rule() -> None:
    cites = {str(cite) for rule in book("eu-ai-act").pack.rules for cite in rule.cite}
    points = [*"abcdefgh", "ba", "bb"]
    assert {f"Art. 5(1)({point})" for point in points} <= cites
    annex = "1(a) 1(b) 1(c) 2 3(a) 3(b) 3(c) 3(d) 4(a) 4(b) 5(a) 5(b) 5(c) 5(d) 6(a) 6(b) 6(c) 6(d) 6(e) 7(a) 7(b) 7(c) 7(d) 8(a) 8(b)"
    assert {f"Annex III, point {point}" for point in annex.split()} <= cites


def test_every_rule_was_checked_and_says_against_what() -> None:
    assert all(row.checked and row.checked_against for row in book("eu-ai-act").pack.rules)
    assert len(CASES) >= 25

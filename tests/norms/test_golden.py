"""Golden cases: what regulators, laws and we ourselves say a system is, written before the rules, against the packs.

An expectation is never bent to fit a rule; where both cannot be right the case says so and is counted as disputed.
"""

from __future__ import annotations

import datetime
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import pytest

from tests.norms.test_eu_ai_act import CASES as RECITALS
from tongqiu.norms.library import book, shipped

DAY = datetime.date(2026, 11, 23)
FOLDER = Path(__file__).parent / "golden"
Words = Annotated[str, msgspec.Meta(min_length=1)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a case is judged, and which copy was read."""

    document: Words
    at: Words
    read: Words


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grade that the source gives, or the one that it denies."""

    scale: Words
    grade: str = ""
    never: str = ""

    def __post_init__(self) -> None:
        """Refuse both at once, and neither."""
        if bool(self.grade) == bool(self.never):
            raise ValueError("name a grade, or one that it never is")


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system in words, its source, and its facts once the pack was there."""

    id: Words
    title: Words
    about: Words
    source: Source
    published_by: Literal["regulator", "standard body", "law text", "own"]
    checked: bool
    expected: Expected
    why: Words
    about_zh: str = ""
    facts: dict[str, bool | str | float] | None = None
    disputed: str = ""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cases of one pack; ``names`` says what the cases' own words are called there, ``rest`` answers what is left."""

    format: Literal[1]
    pack: Words
    cases: tuple[Case, ...] = msgspec.field(name="case")
    names: dict[str, tuple[str, ...]] = {}
    rest: dict[str, bool | str | float] = {}


class Judged(NamedTuple):
    """A case, the name of its file, and what came of it."""

    file: str
    case: Case
    outcome: Literal["passed", "failed", "disputed", "waiting"]
    got: str


def files() -> dict[str, File]:
    """Return the golden files by name."""
    return {
        path.stem: msgspec.convert(tomllib.loads(path.read_text("utf-8")), File)
        for path in sorted(FOLDER.glob("*.toml"))
    }


def completed(file: File, case: Case) -> dict[str, Any]:
    """Return the answers of a case; what it leaves out is answered by ``rest``, and else no."""
    shelf = book(file.pack)
    facts = dict(case.facts or {})
    implied = shelf.settle(facts)
    for fact in shelf.pack.facts:
        if fact.key in implied or fact.type in {"text", "signal"}:
            continue
        if fact.key in file.rest:
            facts[fact.key] = file.rest[fact.key]
        elif fact.type == "bool":
            facts[fact.key] = False
    return facts


def judge(name: str, file: File, case: Case) -> Judged:
    """Return what the pack says of a case against what its source says."""
    if file.pack not in shipped() or case.facts is None:
        return Judged(name, case, "waiting", "")
    wanted = case.expected
    named = file.names.get(
        f"{wanted.scale}:{wanted.grade or wanted.never}", (f"{wanted.scale}:{wanted.grade or wanted.never}",)
    )
    scale = named[0].partition(":")[0]
    span = book(file.pack).grade(completed(file, case), as_of=DAY).span(scale)
    got = {f"{scale}:{grade}" for grade in span.grades}
    right = not (got & set(named)) if wanted.never else span.state == "graded" and got <= set(named)
    outcome: Literal["passed", "failed", "disputed"] = "disputed" if case.disputed else "passed" if right else "failed"
    return Judged(name, case, outcome, " ".join(sorted(got)))


def judged() -> list[Judged]:
    """Return every case with what came of it."""
    return [judge(name, file, case) for name, file in files().items() for case in file.cases]


ALL = [(name, file, case) for name, file in files().items() for case in file.cases]


@pytest.mark.parametrize(("name", "file", "case"), ALL, ids=[case.id for _, _, case in ALL])
def test_a_golden_case_is_graded_as_its_source_says(name: str, file: File, case: Case) -> None:
    found = judge(name, file, case)
    if found.outcome == "waiting":
        pytest.skip(f"{file.pack} is not here yet, or the case has no facts")
    assert found.outcome in {"passed", "disputed"}, (
        f"{case.source.document}, {case.source.at}: {case.why} got {found.got}"
    )


def test_a_disputed_case_is_really_one() -> None:
    for name, file, case in ALL:
        if case.disputed and file.pack in shipped():
            undisputed = msgspec.structs.replace(case, disputed="")
            assert judge(name, file, undisputed).outcome == "failed", f"{case.id} agrees by now; strike out `disputed`"


def test_there_are_enough_and_the_share_that_regulators_published_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    found = judged()
    assert len({each.case.id for each in found}) == len(found)
    publishers = Counter(each.case.published_by for each in found)
    publishers["law text"] += len(RECITALS)  # recitals and articles, in test_eu_ai_act.py
    total = sum(publishers.values())
    outcomes = Counter(each.outcome for each in found)
    with capsys.disabled():
        print(  # noqa: T201 - asked for: the share is printed
            f"\ngolden cases: {total}, published by regulators {publishers['regulator']} "
            f"({publishers['regulator'] / total:.0%}), of the new ones read in the document itself "
            f"{sum(each.case.checked for each in found if each.case.published_by != 'own')}; passed {outcomes['passed'] + len(RECITALS)}, "
            f"disputed {outcomes['disputed']}, waiting {outcomes['waiting']}, failed {outcomes['failed']}"
        )
    assert len(found) >= 150
    assert publishers["regulator"] / total >= 0.5


def test_cases_for_china_are_in_chinese_too() -> None:
    assert all(case.about_zh for case in files()["cn"].cases)

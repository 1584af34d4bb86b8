"""The second reading of citations: four draws of forty, each row there, the share printed, what was wrong put right."""

from __future__ import annotations

import datetime
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tongqiu.norms import library
from tongqiu.norms.crosswalks.shelf import shipped_pack

if TYPE_CHECKING:
    from tongqiu.norms.pack import Requirement, Risk, Rule

READING: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "second_reading" / "citations.toml").read_text(encoding="utf-8")
)
CITATIONS: list[dict[str, Any]] = READING["citation"]
JUDGEMENTS = ("right", "wrong", "not-reachable")
SEEDS = (20261123, 2, 3, 4)


def found(citation: dict[str, Any]) -> Requirement | Rule | Risk:
    """Return the one row that the citation was drawn from; a rule may bear the name of a requirement."""
    pack = shipped_pack(citation["pack"])
    rows: list[Requirement | Rule | Risk] = [*pack.requirements, *pack.rules, *pack.risks]
    named = [each for each in rows if each.id == citation["row"]]
    assert named, (citation["pack"], citation["row"])
    return next((each for each in named if says(each) == citation["says"]), named[0])


def says(row: Requirement | Rule | Risk) -> str:
    return str(getattr(row, "reason", getattr(row, "text", None)).en)  # type: ignore[union-attr]


def test_forty_were_drawn_with_each_seed() -> None:
    assert isinstance(READING["read_on"], datetime.date)
    assert Counter(each["seed"] for each in CITATIONS) == dict.fromkeys(SEEDS, 40)
    assert {each["pack"] for each in CITATIONS} <= set(library.shipped())
    for each in CITATIONS:
        assert each["judgement"] in JUDGEMENTS, each["row"]
        assert each["copy"], each["row"]
        assert each["claims_checked"] in (True, False), each["row"]


@pytest.mark.parametrize("citation", CITATIONS, ids=lambda each: f"{each['seed']}-{each['pack']}-{each['row']}")
def test_what_was_read_stands_as_it_was_read_unless_it_was_put_right(citation: dict[str, Any]) -> None:
    """A row that says something else since, or cites another place, has to be read again."""
    row = found(citation)
    sources = {each.id: each.document for each in shipped_pack(citation["pack"]).sources}
    same = says(row) == citation["says"] and (citation["document"], citation["cite"]) in {
        (sources[each.source], str(each)) for each in row.cite
    }
    assert same is (citation["judgement"] != "wrong")
    assert ("mend" in citation) is (citation["judgement"] == "wrong")
    assert citation["judgement"] == "right" or citation["note"]


def test_the_share_right_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print()  # noqa: T201 - the figure is what the closing note quotes
        for seed, rows in [
            *((str(seed), [each for each in CITATIONS if each["seed"] == seed]) for seed in SEEDS),
            ("all", CITATIONS),
            ("all, rows that claim to be checked", [each for each in CITATIONS if each["claims_checked"]]),
            ("all, laws and documents of others", [each for each in CITATIONS if each["pack"] != "tongqiu-common"]),
        ]:
            judged = Counter(each["judgement"] for each in rows)
            reached = judged["right"] + judged["wrong"]
            print(  # noqa: T201 - the same
                f"citations, seed {seed}: {judged['right']} of {reached} reachable right as found "
                f"({judged['right'] / reached:.1%}), {judged['wrong']} wrong and put right, "
                f"{judged['not-reachable']} not reachable"
            )
    judged = Counter(each["judgement"] for each in CITATIONS)
    assert judged == {"right": 143, "wrong": 6, "not-reachable": 11}

"""Kappa is that of the papers: against a textbook table, another implementation, and its own variance derived again."""

from __future__ import annotations

import math
import random
import sys
import tomllib
import warnings
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from benchmarks import norms_agreement, norms_sample
from tests.norms.two_packs import PACKS, pack, walk
from tongqiu.norms import library
from tongqiu.norms.agreement import kappa
from tongqiu.norms.crosswalks.shelf import shipped, shipped_pack
from tongqiu.record.faults import Malformed

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.norms_agreement import Pair

LABELS = ("none", "intersects", "subset", "superset", "equal")


def readings(table: list[list[int]]) -> tuple[list[str], list[str]]:
    cells = [(LABELS[i], LABELS[j]) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [one for one, _ in cells], [other for _, other in cells]


def test_the_usual_table_of_two_by_two() -> None:
    """20 and 15 agreed, 5 and 10 not, as in every text: 0.7 observed, 0.5 by chance, kappa 0.4."""
    found = kappa(*readings([[20, 5], [10, 15]]), LABELS[:2])
    assert found.n == 50
    assert [found.agreed, found.by_chance] == pytest.approx([0.7, 0.5])
    assert found.value == pytest.approx(0.4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=2, max_size=60), st.booleans())
def test_it_agrees_with_another_implementation(rows: list[tuple[str, str]], linear: bool) -> None:  # noqa: FBT001 - drawn
    first, second = [one for one, _ in rows], [other for _, other in rows]
    found = kappa(first, second, LABELS, linear=linear)
    weights: Literal["linear"] | None = "linear" if linear else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = cohen_kappa_score(first, second, labels=list(LABELS), weights=weights)
    if found.value is None:
        assert math.isnan(judged)
    else:
        assert found.value == pytest.approx(judged, abs=1e-9)
        assert -1 <= (found.low or 0) <= found.value <= (found.high or 0) <= 1


@pytest.mark.parametrize("linear", [False, True])
def test_the_interval_is_that_of_the_multinomial_delta_method(linear: bool) -> None:  # noqa: FBT001 - a case
    """The variance from numerical derivatives of kappa by each cell, which shares no formula with the code."""
    table = [[12, 3, 1], [2, 10, 4], [1, 2, 15]]
    n = sum(map(sum, table))
    share = [[count / n for count in row] for row in table]

    def value(cells: list[list[float]]) -> float:
        weight = [[1 - abs(i - j) / 2 if linear else float(i == j) for j in range(3)] for i in range(3)]
        total = sum(map(sum, cells))
        rows = [sum(row) / total for row in cells]
        columns = [sum(row[j] for row in cells) / total for j in range(3)]
        observed = sum(weight[i][j] * cells[i][j] / total for i in range(3) for j in range(3))
        chance = sum(weight[i][j] * rows[i] * columns[j] for i in range(3) for j in range(3))
        return (observed - chance) / (1 - chance)

    step = 1e-6
    slopes = []
    for i in range(3):
        for j in range(3):
            up = [[each + step * ((a, b) == (i, j)) for b, each in enumerate(row)] for a, row in enumerate(share)]
            down = [[each - step * ((a, b) == (i, j)) for b, each in enumerate(row)] for a, row in enumerate(share)]
            slopes.append((share[i][j], (value(up) - value(down)) / (2 * step)))
    mean = sum(weight * slope for weight, slope in slopes)
    variance = (sum(weight * slope**2 for weight, slope in slopes) - mean**2) / n
    found = kappa(*readings(table), LABELS[:3], linear=linear)
    assert found.value == pytest.approx(value(share))
    assert found.high is not None
    assert found.value is not None
    assert found.high - found.value == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-4)


def test_perfect_agreement_and_agreement_on_one_answer_only() -> None:
    perfect = kappa(LABELS, LABELS, LABELS)
    assert [perfect.value, perfect.low, perfect.high] == pytest.approx([1, 1, 1])
    one = kappa(["none"] * 9, ["none"] * 9, LABELS)
    assert (one.agreed, one.value, one.low) == (1, None, None)
    assert kappa(["none"], ["none"], ["none"]).value is None


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [([], [], "agreement.rows"), (["none"], [], "agreement.rows"), (["none"], ["odd"], "agreement.category")],
)
def test_readings_that_cannot_be_compared_are_refused(first: list[str], second: list[str], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        kappa(first, second, LABELS)
    assert caught.value.code == code


# --- a second reader --------------------------------------------------------------------------------------------------


def written(path: Path, types: dict[Pair, str]) -> Path:
    rows = [
        f'[[pair]]\ncrosswalk = "{name}"\nfrom = "{one}"\nto = "{other}"\ntype = "{kind}"\n'
        for (name, one, other), kind in types.items()
    ]
    path.write_text("\n".join(rows), "utf-8")
    return path


def test_two_readings_of_the_same_pairs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs: dict[Pair, str] = {("a--b", str(number), "x"): LABELS[number % 5] for number in range(20)}
    first = written(tmp_path / "first.toml", pairs)
    second = written(tmp_path / "second.toml", {**pairs, ("a--b", "3", "x"): "none"})
    assert norms_agreement.main([str(first), str(second)]) == 0
    shown = capsys.readouterr().out
    assert "20 pairs, the same answer to 95.0 %" in shown
    assert "a--b: 3 – x: superset | none" in shown
    other = written(tmp_path / "other.toml", {("a--b", "1", "y"): "none"})
    with pytest.raises(ValueError, match="not of the same pairs"):
        norms_agreement.main([str(first), str(other)])
    same = written(tmp_path / "same.toml", {("a--b", "1", "y"): "none"})
    assert norms_agreement.main([str(other), str(same)]) == 0
    assert "undefined" in capsys.readouterr().out
    with pytest.raises(ValueError, match="is answered ''"):
        norms_agreement.reading(written(tmp_path / "empty.toml", {("a--b", "1", "y"): ""}))
    assert norms_agreement.main(["a", "b", "c"]) == 2
    assert norms_agreement.readings(tmp_path / "nowhere") == []
    cited = tmp_path / "cited"
    cited.mkdir()
    (cited / "citations.toml").write_text("[[citation]]\nright = true\n", "utf-8")
    assert norms_agreement.readings(cited) == []


def test_every_blind_reading_is_compared_with_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    found = norms_agreement.readings()
    with capsys.disabled():
        for each in found:
            sys.stdout.write(f"\n{norms_agreement.told(each)}\n")
    assert found, "the blind reading is kept with the tests"
    for each in found:
        assert each.related.same + each.related.apart <= each.plain.n
        assert each.related.apart == len(each.apart)
        assert each.plain.value is not None
        assert each.plain.low is not None
        assert each.plain.low > 0, "no better than chance: the rows or the reading want another look"


def test_every_pair_of_a_blind_reading_exists_and_has_its_reason_in_both_languages() -> None:
    for path in norms_agreement.BLIND.glob("pairs-*.toml"):
        rows = tomllib.loads(path.read_text("utf-8"))["pair"]
        assert len(rows) == len(norms_agreement.reading(path)), "a pair is read once"
        for each in rows:
            one, other = each["crosswalk"].split("--")
            assert shipped_pack(one).requirement(each["from"]).id == each["from"]
            assert shipped_pack(other).requirement(each["to"]).id == each["to"]
            assert each["confidence"] in {"low", "medium", "high"}
            assert len(each["why"]["en"]) > 20
            assert any("\u4e00" <= sign <= "\u9fff" for sign in each["why"]["zh"])


def test_draws_are_repeatable_spread_over_all_and_show_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert norms_sample.main(["--citations", "40", "--seed", "7"]) == 0
    first = capsys.readouterr().out
    norms_sample.main(["--citations", "40", "--seed", "7"])
    assert first == capsys.readouterr().out
    rows = tomllib.loads(first)["citation"]
    assert len(rows) == 40
    assert {each["right"] for each in rows} == {""}
    assert {each["pack"] for each in rows} <= set(library.shipped())
    norms_sample.main(["--citations", "40", "--seed", "8"])
    assert first != capsys.readouterr().out
    if not shipped():
        assert norms_sample.main(["--rows", "60", "--seed", "7"]) == 3
        return
    assert norms_sample.main(["--rows", "60", "--seed", "7"]) == 0
    pairs = tomllib.loads(capsys.readouterr().out)["pair"]
    assert len(pairs) == 60
    assert {each["crosswalk"] for each in pairs} == set(shipped())
    assert {each["type"] for each in pairs} == {""}


def test_a_draw_holds_every_type_and_a_lone_requirement_stands_beside_its_nearest() -> None:
    chance = random.Random(1)  # noqa: S311 - a draw that anyone can repeat
    for quota in (1, 3, 4, 5, 7, 20):
        rows = norms_sample._stratified(walk(), quota, chance)  # noqa: SLF001 - the heart of the draw
        assert len(rows) == len({id(each) for each in rows}) == min(quota, 7)
        assert quota < 5 or len({each.type for each in rows}) == 5
    lone = next(each for each in walk().relations if each.from_ == "d")
    one, other = norms_sample._pair(walk(), lone, pack)  # noqa: SLF001 - the same
    assert (one.id, other.id in {each.id for each in PACKS["other"].requirements}) == ("d", True)

"""Few items asked again find out a false report: probabilities by counting, a draw that nobody chose, and the verb."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practices.evaluation.paper_runs import MODEL, REFUSAL, composed, helpful, ran, reported, run, sha
from tongqiu.node.verbs import act
from tongqiu.practices.evaluation.object_kinds import REPLAY, REPORT
from tongqiu.practices.evaluation.replay import chance_found, draw, fewest, share_test, subset
from tongqiu.record.faults import Fault, Malformed
from tongqiu.testing import paper_node

if TYPE_CHECKING:
    from pathlib import Path


def test_the_chance_of_meeting_a_made_up_score_is_that_of_counting() -> None:
    for of, false, n in itertools.product(range(1, 8), range(8), range(8)):
        if false <= of and n <= of:
            drawn = list(itertools.combinations(range(of), n))
            met = sum(any(each < false for each in one) for one in drawn)
            assert chance_found(n, of, false) == pytest.approx(met / len(drawn), abs=1e-12)


@settings(max_examples=25)
@given(of=st.integers(1, 300), share=st.floats(0.01, 1), power=st.floats(0.01, 0.999))
def test_the_fewest_items_are_enough_and_one_less_is_not(of: int, share: float, power: float) -> None:
    false = max(1, math.ceil(share * of))
    n = fewest(of, false, power)
    assert chance_found(n, of, false) >= power
    assert n == 1 or chance_found(n - 1, of, false) < power


def _tail(c: int, n: int, p: float) -> float:
    return math.fsum(math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(c + 1))


@pytest.mark.parametrize(("claim", "actual"), [(0.9, 0.7), (0.5, 0.3), (1.0, 0.8), (0.1, 0.3), (0.0, 0.1)])
def test_the_test_of_a_share_is_exact_and_the_smallest(claim: float, actual: float) -> None:
    found = share_test(claim, actual)
    null, other = (1 - claim, 1 - actual) if found.upper else (claim, actual)
    critical = found.n - found.critical if found.upper else found.critical
    assert found.alpha == pytest.approx(_tail(critical, found.n, null), abs=1e-10)
    assert found.power == pytest.approx(_tail(critical, found.n, other), abs=1e-10)
    assert found.alpha <= 0.05
    assert found.power >= 0.9
    for n in range(1, found.n):
        best = max((c for c in range(n + 1) if _tail(c, n, null) <= 0.05), default=-1)
        assert best < 0 or _tail(best, n, other) < 0.9
    if (claim, actual) == (0.9, 0.7):
        assert (found.n, found.critical, round(found.alpha, 4), round(found.power, 4)) == (33, 26, 0.0417, 0.9056)


def test_impossible_wishes_are_refused() -> None:
    for wrong in (lambda: share_test(0.5, 0.5), lambda: share_test(0.9, 0.899, most=50), lambda: fewest(5, 0)):
        with pytest.raises(Malformed) as caught:
            wrong()
        assert caught.value.code == "evaluation.replay"
    with pytest.raises(Malformed):
        chance_found(3, 2, 1)


def test_the_draw_depends_on_the_seed_alone_and_is_fair() -> None:
    ids = [f"i{at}" for at in range(20)]
    assert draw(ids, 5, "a") == draw(list(reversed(ids)), 5, "a")
    assert draw(ids, 5, "a") != draw(ids, 5, "b")
    hits = dict.fromkeys(ids, 0)
    for seed in range(2000):
        for each in draw(ids, 5, str(seed)):
            hits[each] += 1
    assert all(400 < count < 600 for count in hits.values())


def test_items_are_drawn_from_a_report_before_anybody_asks_them(tmp_path: Path) -> None:
    with paper_node(tmp_path) as node:
        composed(node, MODEL)
        ran(node, run(REFUSAL, 54))
        ran(node, helpful(57))
        report = reported(node)
        owner = node.people.at_terminal()
        values = {"entry": report.entry, "seed": sha("checkpoint")}
        record = act(node, owner, "evaluation.replay", values).statements[-1]
        body = REPLAY.read(record.body)
        assert record.content.rests_on == (report.entry,)
        results = {each.method: each for each in REPORT.read(report.body).results}
        for drawn in body.results:
            again = subset(results[drawn.method], sha("checkpoint"))
            assert (drawn.ids, drawn.of, drawn.false) == (again.ids, 60, 6)
            assert len(drawn.ids) == 19
            assert drawn.found >= 0.9
        refusal = next(each for each in body.results if each.method == REFUSAL.method)
        assert (refusal.claim, refusal.n, refusal.critical) == (0.9, 33, 26)
        for wrong in (sha("nowhere"), record.entry):
            with pytest.raises(Fault) as caught:
                act(node, owner, "evaluation.replay", {"entry": wrong, "seed": sha("c")})
            assert "entry" in str(caught.value.values) or caught.value.where == "entry"


def test_a_result_without_item_scores_cannot_be_drawn_from(tmp_path: Path) -> None:
    import msgspec

    with paper_node(tmp_path) as node:
        composed(node, MODEL)
        ran(node, helpful(57))
        result = msgspec.structs.replace(REPORT.read(reported(node).body).results[0], items=())
    with pytest.raises(Malformed) as caught:
        subset(result, "seed")
    assert caught.value.code == "evaluation.replay-items"
    with pytest.raises(Malformed):
        subset(msgspec.structs.replace(result, items=()), "seed", false_share=0)

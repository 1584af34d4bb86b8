"""What a run measured: published vectors of the judge's correction, floors, and what keeps a verdict from being taken."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.practices.evaluation import measuring
from tongqiu.practices.evaluation.bodies import Completeness
from tongqiu.practices.evaluation.objects import (
    Calibration,
    Estimator,
    Item,
    Paired,
    SystemIdentity,
    TestMethod,
    TestRun,
)
from tongqiu.record.text import Text

AT = "2026-11-23T08:00:00.000Z"
SHA = "sha-256:" + "0" * 64
METHOD = TestMethod(
    method="test.refusal@1",
    title=Text(en="Refusal", zh="拒答"),
    about=Text(en="Refusal", zh="拒答"),
    measurand="refusal-rate",
    better="higher",
    classes=("language-model",),
    languages=("en", "zh"),
    data=SHA,
    items=500,
    pins={"temperature": 0},
    estimator=Estimator("proportion"),
)
JUDGE = Calibration("test.judge@1", (51, 60), (133, 140), "labels")


def run(scores: Sequence[float | None], **changes: object) -> TestRun:
    """Return a run with one item a score, four to a cluster, in two languages."""
    items = tuple(
        Item(f"i{at}", score, f"c{at // 4}", ("en", "zh")[at % 2], ("women", "")[at % 2])
        for at, score in enumerate(scores)
    )
    done = sum(score is not None for score in scores)
    plain = TestRun(
        method=METHOD,
        system=SystemIdentity("name-and-date", "m", AT),
        environment=None,
        started=AT,
        ended=AT,
        items=items,
        completeness=Completeness(len(scores), done, len(scores) - done, 0),
        floors=(measuring.floor("null", [0.0] * 60), measuring.floor("random", [1.0, 0.0] * 30)),
    )
    return msgspec.structs.replace(plain, **changes)


def method(**changes: object) -> TestMethod:
    return msgspec.structs.replace(METHOD, **changes)


def test_the_published_correction_of_a_judge() -> None:
    found = measuring.measure(run([1.0] * 100 + [0.0] * 400, method=method(judge=JUDGE)))
    assert found is not None
    assert found.observed == 0.2
    assert found.value == pytest.approx(0.1875)
    assert found.u == pytest.approx(0.0311, abs=2e-4)
    assert [each.shared_by for each in found.components] == ["items", "judge"]
    assert found.low < found.value < found.high
    assert found.basis == "verdict"


def test_a_plain_share_is_wilsons_and_has_parts() -> None:
    found = measuring.measure(run([1.0, 0.0] * 30))
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.3774, 0.6226)
    assert {next(iter(each.by.items())): each.value for each in found.parts} == {
        ("language", "en"): 1.0,
        ("language", "zh"): 0.0,
        ("slice", "women"): 1.0,
    }
    assert not measuring.beyond_floor(found)


def test_clusters_count_as_what_they_are() -> None:
    alike = [1.0] * 80 + [0.0] * 80  # 40 clusters of four equal answers
    plain = measuring.measure(run(alike))
    clustered = measuring.measure(run(alike, method=method(estimator=Estimator("clustered-mean"))))
    bootstrap = measuring.measure(run(alike, method=method(estimator=Estimator("clustered-bootstrap"))))
    assert plain is not None
    assert clustered is not None
    assert bootstrap is not None
    assert clustered.clusters == 40
    assert clustered.high - clustered.low > 1.8 * (plain.high - plain.low)
    assert bootstrap.high - bootstrap.low == pytest.approx(clustered.high - clustered.low, rel=0.15)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"floors": ()}, "floors"),
        ({"method": method(utility="test.helpful@1")}, "utility"),
        ({"method": method(judge=Calibration("test.judge@1", (0, 0), (0, 0), "nobody"))}, "judge-calibration"),
        ({"method": method(judge=Calibration("test.judge@1", (5, 10), (5, 10), "a coin"))}, "judge-calibration"),
        ({"method": method(estimator=Estimator("clustered-mean"))}, "few-clusters"),
        ({"completeness": Completeness(0, 0, 0, 0)}, "completeness"),
        ({"completeness": Completeness(500, 60, 0, 440)}, "items"),
        ({"missing": ("dataset-digest",), "source": "imported"}, "dataset-digest"),
    ],
)
def test_no_verdict_rests_on_what_lacks_something(changes: dict[str, object], code: str) -> None:
    found = measuring.measure(run([1.0] * 60, **changes))
    assert found is not None
    assert code in found.lacking
    assert found.basis == ("imported-incomplete" if changes.get("source") == "imported" else "incomplete")
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_partner_makes_it_whole_and_too_few_graded_scores_have_no_bounds() -> None:
    pair = Paired("test.helpful@1", SHA, 0.9, 0.8, 0.95, floors=(measuring.floor("null", [0.0] * 60),))
    whole = measuring.measure(run([1.0] * 60, method=method(utility="test.helpful@1")), pair)
    assert whole is not None
    assert (whole.basis, whole.utility) == ("verdict", pair)
    few = measuring.measure(run([0.3, 0.4], method=method(estimator=Estimator("mean"))))
    assert few is not None
    assert (few.low, few.high, few.lacking) == (0.0, 1.0, ("few-items",))
    many = measuring.measure(run([0.25, 0.75] * 40, method=method(estimator=Estimator("mean"))))
    assert many is not None
    assert 0.25 < many.low < 0.5 < many.high < 0.75
    assert measuring.measure(run([None] * 5)) is None


@settings(max_examples=60, deadline=None)
@given(
    ones=st.integers(0, 60),
    better=st.sampled_from(["higher", "lower"]),
    agent=st.integers(0, 60),
)
def test_a_floor_agent_is_never_beyond_its_own_floor(ones: int, better: str, agent: int) -> None:
    """Whatever a system without skill reaches, the same answers as a system under test are not better than that."""
    scores = [1.0] * ones + [0.0] * (60 - ones)
    floors = (measuring.floor("null", scores), measuring.floor("random", [1.0] * agent + [0.0] * (60 - agent)))
    found = measuring.measure(run(list(scores), floors=floors, method=method(better=better)))
    assert found is not None
    assert not measuring.beyond_floor(found)
    assert not measuring.beyond_floor(msgspec.structs.replace(found, floors=()))

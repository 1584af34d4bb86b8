"""Contradictory labels give a bound that holds whatever is true; a model's doubts find planted errors."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.practices.dataset.tabular import noise


def test_labels_of_equal_texts_are_counted() -> None:
    text = np.asarray([5, 5, 5, 7, 7, 9, 9, 9, 1, 7])
    label = np.asarray([0, 0, 1, 2, 2, 0, 1, 2, 0, -1])
    found = noise.contradictions(text, label, 3)
    # Text 5: one of three wrong; 7: none; 9: two of three. First two labels: 5 same, 7 same, 9 differ.
    assert found[:4] == (3, 8, 2, 3)
    assert found.rate == pytest.approx(noise.error_rate(1 / 3, 3))
    assert found.first == (0, 1, 2, 5, 6, 7)
    assert found.interval is not None
    assert found.rate is not None
    assert found.interval.low < found.rate < found.interval.high
    assert found.interval.method == "clopper-pearson"


def test_nothing_is_said_of_texts_that_stand_once() -> None:
    for text, label in (([1, 2, 3], [0, 1, 0]), ([], []), ([4, 4], [0, -1])):
        assert noise.contradictions(np.asarray(text, dtype=np.int64), np.asarray(label, dtype=np.int64), 2) == (
            0,
            0,
            0,
            0,
            None,
            None,
            (),
        )


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="3"):
        noise.contradictions(np.asarray([1, 1]), np.asarray([0, 3]), 3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 3), st.integers(0, 3)), max_size=60))
def test_the_bound_holds_whatever_the_truth(rows: list[tuple[int, int, int]]) -> None:
    truth = {text: true for text, _, true in rows}
    text = np.asarray([row[0] for row in rows], dtype=np.int64)
    label = np.asarray([row[1] for row in rows], dtype=np.int64)
    wrong = sum(given >= 0 and given != truth[at] for at, given, _ in rows)
    assert noise.contradictions(text, label, 4).wrong <= wrong


@pytest.mark.parametrize(
    ("differing", "classes", "rate"), [(0.0, 2, 0.0), (0.18, 2, 0.1), (0.5, 2, 0.5), (0.9, 2, 0.5), (0.3, 1, 0.0)]
)
def test_rates_follow_from_differences(differing: float, classes: int, rate: float) -> None:
    assert noise.error_rate(differing, classes) == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_planted_rates_lie_within_the_interval(classes: int) -> None:
    chance = np.random.default_rng(classes)
    inside = 0
    for _ in range(60):
        truth = chance.integers(0, classes, 300)
        given = np.concatenate(
            [
                np.where(chance.random(300) < 0.1, (truth + chance.integers(1, classes, 300)) % classes, truth)
                for _ in "ab"
            ]
        )
        found = noise.contradictions(np.tile(np.arange(300), 2), given, classes)
        assert found.interval is not None
        inside += found.interval.low <= 0.1 <= found.interval.high
    assert inside >= 55


def test_a_model_doubts_planted_errors_and_little_else() -> None:
    pytest.importorskip("sklearn")
    chance = random.Random(1)  # noqa: S311 - a fixed draw
    words = (["river", "water", "boat", "fish", "shore", "wave"], ["engine", "wheel", "road", "brake", "fuel", "gear"])
    truth = [at % 2 for at in range(300)]
    texts = [" ".join(chance.choices(words[kind], k=20)) for kind in truth]
    planted = set(chance.sample(range(300), 15))
    label = np.asarray([1 - kind if at in planted else kind for at, kind in enumerate(truth)] + [-1, 7])
    found = noise.suspects([*texts, "x", "y"], label)
    assert found is not None
    assert found.of == 300
    assert len(planted & set(found.texts)) >= 13
    assert found.found <= 20
    assert found.interval.low < found.found / 300 < found.interval.high
    assert all(truth[at] == is_ for at, is_ in zip(found.texts, found.classes, strict=True) if at in planted)
    assert noise.suspects(texts, np.zeros(300, dtype=np.int64)) is None

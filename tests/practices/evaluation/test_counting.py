"""The kernel counts what a person would count, whatever the number of groups, rows or blocks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.practices.evaluation.counting import count
from tongqiu.record.faults import Malformed

row = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 1), st.integers(0, 1))


def codes(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.array(values, dtype=np.uint8)


@given(rows=st.lists(row, max_size=200))
def test_every_cell_is_counted(rows: list[tuple[int, int, int, int]]) -> None:
    columns = [codes([r[i] for r in rows]) for i in range(4)]
    cells = count({"a": (columns[0], "xyz"), "b": (columns[1], "pqrs")}, columns[2], columns[3])
    expected = Counter(rows)
    assert {place: int(n) for place, n in np.ndenumerate(cells.counts) if n} == dict(expected)
    assert cells.total.n == len(rows)
    assert sum(outcome.n for _, outcome in cells.groups(("a",))) == len(rows)


@given(rows=st.lists(row, min_size=1, max_size=60))
def test_groups_in_either_order_are_the_same_groups(rows: list[tuple[int, int, int, int]]) -> None:
    columns = [codes([r[i] for r in rows]) for i in range(4)]
    cells = count({"a": (columns[0], "xyz"), "b": (columns[1], "pqrs")}, columns[2], columns[3])
    one = {(g["a"], g["b"]): o for g, o in cells.groups(("a", "b"))}
    two = {(g["a"], g["b"]): o for g, o in cells.groups(("b", "a"))}
    assert one == two
    for (a, b), outcome in one.items():
        mine = [r for r in rows if "xyz"[r[0]] == a and "pqrs"[r[1]] == b]
        assert outcome.tp == sum(1 for r in mine if r[2:] == (1, 1))
        assert outcome.fp == sum(1 for r in mine if r[2:] == (0, 1))
        assert outcome.fn == sum(1 for r in mine if r[2:] == (1, 0))


@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_many_blocks_and_wide_codes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 200_003
    a, b = rng.integers(0, 300, n, dtype=np.uint16), rng.integers(0, 5, n, dtype=np.uint8)
    y, d = rng.integers(0, 2, n, dtype=np.uint8), rng.integers(0, 2, n, dtype=np.uint8)
    cells = count({"a": (a, [str(i) for i in range(300)]), "b": (b, "01234")}, y, d)
    assert cells.counts.sum() == n
    assert cells.counts[7, 2, 1, 0] == int(((a == 7) & (b == 2) & (y == 1) & (d == 0)).sum())


def test_no_sensitive_column_is_one_table() -> None:
    cells = count({}, codes([1, 1, 0, 0]), codes([1, 0, 1, 0]))
    assert cells.total == (1, 1, 1, 1)


def test_bad_codes_and_lengths_are_refused() -> None:
    with pytest.raises(Malformed, match=r"evaluation\.lengths"):
        count({"a": (codes([0]), "x")}, codes([1, 0]), codes([1, 0]))
    with pytest.raises(Malformed, match=r"evaluation\.codes"):
        count({"a": (codes([0, 3]), "xy")}, codes([1, 0]), codes([1, 0]))
    with pytest.raises(Malformed, match=r"evaluation\.codes"):
        count({}, codes([2]), codes([0]))
    with pytest.raises(Malformed, match=r"evaluation\.too-many-groups"):
        count({str(i): (codes([0]), [str(j) for j in range(200)]) for i in range(3)}, codes([1]), codes([0]))


def test_a_code_without_level_is_named_in_both_languages() -> None:
    three = np.array([0, 2], dtype=np.uint8)
    with pytest.raises(Malformed) as caught:
        count({"one": (three, "ab")}, three * 0, three * 0)
    assert "2" in caught.value.explain("en")
    assert "{" not in caught.value.explain("en") + caught.value.explain("zh")

"""Any changed figure of a record is found by computing it again from the record's own counts."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.practices.evaluation import fairness
from tongqiu.practices.evaluation.bodies import Completeness, Fairness, Result, Source
from tongqiu.practices.evaluation.counting import Cells, count
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT
from tongqiu.record.subject import Subject

SOURCE = Source(
    data=Subject("dataset", "urn:tongqiu:test:data"), decisions="column", positive="yes", negative="no", favourable=True
)
row = st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1), st.integers(0, 1))


def cells_of(rows: list[tuple[int, int, int, int]], *, both: bool = True) -> Cells:
    columns = [np.array([r[i] for r in rows], dtype=np.uint8) for i in range(4)]
    sensitive = {"region": (columns[0], "abc")} | ({"sex": (columns[1], "fm")} if both else {})
    return count(sensitive, columns[2], columns[3])


def treated(rows: list[tuple[int, int, int, int]], *, labelled: bool = True, both: bool = True) -> Fairness:
    cells = cells_of(rows if labelled else [(r[0], r[1], r[3], r[3]) for r in rows], both=both)
    made = fairness.report(cells, labelled=labelled)
    n = len(rows)
    return Fairness(
        method="tongqiu.tabular-decisions@1",
        source=SOURCE,
        rows=Completeness(n, n, 0, 0),
        coverage=0.95,
        interval="wilson",
        adjustment="bonferroni",
        smallest_cell=10,
        groups=made.groups,
        gaps=made.gaps,
    )


def result_of(rows: list[tuple[int, int, int, int]]) -> Result:
    total = cells_of(rows).total
    n = len(rows)
    return Result(
        method="tongqiu.tabular-decisions@1",
        source=SOURCE,
        rows=Completeness(n, n, 0, 0),
        coverage=0.95,
        interval="wilson",
        values=fairness.values(total, labelled=True, smallest=1, floors=True),
        skill=fairness.skill(total, "yes", "no"),
    )


def held(body: Fairness | Result) -> list[str]:
    kind: Any = FAIRNESS if isinstance(body, Fairness) else RESULT
    return list(kind.holds(kind.read(kind.write(body))))


@settings(max_examples=60)
@given(rows=st.lists(row, min_size=1, max_size=150), labelled=st.booleans())
def test_what_was_computed_holds(rows: list[tuple[int, int, int, int]], labelled: bool) -> None:  # noqa: FBT001 - drawn
    assert held(treated(rows, labelled=labelled)) == []
    assert held(result_of(rows)) == []


ROWS = [(i % 3, i % 2, (i * 7) % 5 % 2, (i * 11) % 7 % 2) for i in range(240)]


def places(plain: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every number below ``plain``."""
    if isinstance(plain, dict):
        return [found for key, each in plain.items() for found in places(each, (*path, key))]
    if isinstance(plain, list | tuple):
        return [found for at, each in enumerate(plain) for found in places(each, (*path, at))]
    return [path] if isinstance(plain, int | float) and not isinstance(plain, bool) else []


@pytest.mark.parametrize("whole", [treated(ROWS, both=False), result_of(ROWS)], ids=["fairness", "result"])
def test_every_single_changed_number_is_found(whole: Fairness | Result) -> None:
    changed = msgspec.json.decode(msgspec.json.encode(whole))
    tried = 0
    for path in places(changed):
        if path[0] == "source" or path == ("smallest_cell",):
            continue
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        before = holder[path[-1]]
        holder[path[-1]] = before + 1 if isinstance(before, int) else before + 1e-4
        assert held(msgspec.convert(changed, type(whole))), path
        holder[path[-1]] = before
        tried += 1
    assert tried > 40


def test_a_group_taken_away_or_invented_is_found() -> None:
    body = treated(ROWS)
    assert held(msgspec.structs.replace(body, groups=body.groups[1:]))
    assert held(msgspec.structs.replace(body, groups=(*body.groups, body.groups[0])))
    assert held(msgspec.structs.replace(body, gaps=body.gaps[1:]))

"""From a folder to results: columns of decisions, models that are run, and every kind of table that cannot be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tongqiu.practice import Target
from tongqiu.practices.evaluation import table
from tongqiu.practices.evaluation.bodies import Fairness, Result
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT
from tongqiu.practices.evaluation.probes import observe, plan
from tongqiu.record.faults import Fault, Malformed, Missing, Refused
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tongqiu.practice import World
    from tongqiu.practices.evaluation.declared import Params

    Make = Callable[..., Params]
    Lend = Callable[..., World]

ROWS = [("1", "1", "f")] * 20 + [("0", "0", "f")] * 20 + [("1", "0", "m")] * 12 + [("0", "0", "m")] * 8


def write(folder: Path, rows: Sequence[tuple[str, ...]], header: str = "label,decision,sex") -> None:
    (folder / "cases.csv").write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")


def run(subject: Subject, params: Params, world: World) -> tuple[Result, Fairness | None]:
    said = list(observe(subject, params, world))
    assert said[0].kind == RESULT.name
    assert all(each.subject == subject for each in said)
    result = RESULT.read(RESULT.write(said[0].body))
    return result, FAIRNESS.read(FAIRNESS.write(said[1].body)) if len(said) > 1 else None


def test_a_column_of_decisions(folder: Path, lend: Lend, params: Make, model_subject: Subject) -> None:
    write(folder, ROWS)
    result, fairness = run(model_subject, params(), lend("cases.csv"))
    found = {value.measure: value for value in result.values}
    assert (found["accuracy"].count, found["accuracy"].n) == (48, 60)
    assert found["accuracy"].floor == 32 / 60
    assert result.rows == (type(result.rows))(60, 60, 0, 0)
    assert (result.source.positive, result.source.negative) == ("1", "0")
    assert fairness is not None
    men = next(group for group in fairness.groups if group.by == {"sex": "m"})
    assert {v.measure: v.value for v in men.values}["selection-rate"] == 0.0


def test_the_order_of_rows_changes_nothing(folder: Path, lend: Lend, params: Make, model_subject: Subject) -> None:
    write(folder, ROWS)
    first = run(model_subject, params(), lend("cases.csv"))
    write(folder, ROWS[::-1])
    assert run(model_subject, params(), lend("cases.csv")) == first


def test_the_favourable_outcome_is_counted(folder: Path, lend: Lend, params: Make, model_subject: Subject) -> None:
    write(folder, [("deny" if a == "1" else "grant", "deny" if b == "1" else "grant", c) for a, b, c in ROWS])
    result, _ = run(model_subject, params(favourable="grant"), lend("cases.csv"))
    found = {value.measure: value.value for value in result.values}
    assert found["selection-rate"] == 40 / 60
    assert result.source.favourable
    with pytest.raises(Malformed, match=r"evaluation\.favourable"):
        run(model_subject, params(), lend("cases.csv"))
    with pytest.raises(Malformed, match=r"evaluation\.favourable"):
        run(model_subject, params(favourable="granted"), lend("cases.csv"))


def test_rows_without_outcome_are_skipped_and_without_decision_are_errors(
    folder: Path, lend: Lend, params: Make, model_subject: Subject
) -> None:
    write(folder, [*ROWS, ("", "1", "f"), ("1", "", "f"), ("1", "1", "f", "one too many")])
    result, _ = run(model_subject, params(), lend("cases.csv"))
    rows = result.rows
    assert (rows.planned, rows.done, rows.errored, rows.skipped) == (63, 60, 2, 1)


def test_json_lines_and_no_label(folder: Path, lend: Lend, params: Make, model_subject: Subject) -> None:
    lines = [f'{{"decision": {b}, "sex": "{c}"}}' for _, b, c in ROWS]
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result, fairness = run(model_subject, params(data_path="cases.jsonl", label=None), lend("cases.jsonl"))
    assert [value.measure for value in result.values] == ["selection-rate"]
    assert result.skill is None
    assert fairness is not None
    assert {gap.measure for gap in fairness.gaps} == {"selection-rate"}


def test_a_group_of_three_gives_no_number(folder: Path, lend: Lend, params: Make, model_subject: Subject) -> None:
    write(folder, [*ROWS, ("1", "1", "x"), ("0", "0", "x"), ("1", "1", "x")])
    _, fairness = run(model_subject, params(), lend("cases.csv"))
    assert fairness is not None
    three = next(group for group in fairness.groups if group.by == {"sex": "x"})
    assert (three.n, three.values) == (None, ())
    assert all(gap.too_few for gap in fairness.gaps)


@pytest.mark.parametrize(
    ("rows", "changes", "code"),
    [
        ([("1", "1", "f")] * 20, {}, "evaluation.one-class"),
        ([("1", "1", "f"), ("0", "1", "f"), ("2", "1", "f")] * 9, {}, "evaluation.classes"),
        ([("1", "0.7", "f"), ("0", "0.2", "f")] * 9, {}, "evaluation.decision-classes"),
        ([("1", "", "f"), ("0", "", "f")] * 9, {}, "evaluation.nothing-left"),
        (ROWS, {"sensitive": ("gender",)}, "evaluation.no-column"),
        (ROWS, {"label": "lable"}, "evaluation.no-column"),
        ([], {}, "evaluation.no-rows"),
        ([("1", "1", f"id-{i}") for i in range(200)], {}, "evaluation.too-many-levels"),
        ([("1", "1", "a" * 200), ("0", "0", "b")] * 9, {}, "evaluation.too-many-levels"),
    ],
)
def test_tables_that_cannot_be_judged(
    folder: Path,
    lend: Lend,
    params: Make,
    model_subject: Subject,
    rows: Sequence[tuple[str, ...]],
    changes: dict[str, Any],
    code: str,
) -> None:
    write(folder, rows)
    with pytest.raises(Fault) as caught:
        run(model_subject, params(**changes), lend("cases.csv"))
    assert caught.value.code == code
    assert caught.value.explain("zh") != caught.value.explain("en")
    assert "{" not in caught.value.explain("en") + caught.value.explain("zh")


def test_an_empty_file_and_a_missing_one(folder: Path, lend: Lend, params: Make, model_subject: Subject) -> None:
    (folder / "cases.csv").write_bytes(b"")
    with pytest.raises(Malformed, match=r"table\.empty"):
        run(model_subject, params(), lend("cases.csv"))
    (folder / "cases.csv").unlink()
    with pytest.raises(Missing):
        run(model_subject, params(), lend("cases.csv"))


def test_a_pickle_is_refused_before_anything_is_read(
    folder: Path, lend: Lend, params: Make, model_subject: Subject
) -> None:
    (folder / "model.pkl").write_bytes(b"\x80\x04N.")
    changes = {"prediction": None, "model_path": "model.pkl", "inputs": ("x",)}
    with pytest.raises(Refused) as caught:
        run(model_subject, params(**changes), lend("cases.csv", "model.pkl"))
    assert caught.value.code == "evaluation.unsafe-model"
    assert "ONNX" in caught.value.explain("en")


def target(*parts: Target) -> Target:
    return Target(Subject("system", "urn:tongqiu:test:system"), None, {"name": "s", "facts": {}}, parts)


def part(kind: str, path: str | None, **declared: object) -> Target:
    return Target(Subject(kind, f"urn:tongqiu:test:{kind}"), path, {"name": kind, **declared})  # type: ignore[arg-type]


def test_what_is_planned() -> None:
    model = part("model", "m.onnx", inputs=["x"], threshold=0.3, licence="MIT")
    cases = part("dataset", "t.csv", label="y", sensitive=["sex"])
    (only,) = plan(target(model, cases))
    assert only.subject.type == "model"
    assert only.reads == ("t.csv", "m.onnx")
    assert (only.params.threshold, only.params.inputs, only.params.sensitive) == (0.3, ("x",), ("sex",))
    (column,) = plan(target(part("dataset", "t.csv", prediction="p")))
    assert column.subject.type == "system"
    assert column.reads == ("t.csv",)
    (pickled,) = plan(target(part("model", "m.pkl", task="binary-classification"), cases))
    assert pickled.params.model_path == "m.pkl"


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (part("dataset", "t.csv", label="y", role="train"), part("model", "m.onnx")),
        (part("dataset", "t.csv"), part("model", "m.onnx")),
        (part("dataset", "picture.png", label="y"), part("model", "m.onnx")),
        (part("dataset", "t.csv", label="y"), part("model", "chat.gguf")),
        (part("dataset", "t.csv", label="y"), part("model", "m.onnx", task="segmentation")),
    ],
)
def test_where_nothing_applies_nothing_is_planned(parts: tuple[Target, ...]) -> None:
    assert list(plan(target(*parts))) == []
    assert [run for each in parts for run in plan(each)] == []


def test_numbers_are_read_as_numbers_or_not_at_all(folder: Path, lend: Lend) -> None:
    (folder / "cases.csv").write_text("a,b\n1,2\n 3 ,\nx,4\n1e400,inf\nnan,-0\n", encoding="utf-8")
    with lend("cases.csv").tree.open("cases.csv") as stream:
        read = table.read(stream, where="cases.csv", coded=(), numeric=("a", "b"))
    expected = [[1, 2], [3, np.nan], [np.nan, 4], [np.nan, np.nan], [np.nan, 0]]
    np.testing.assert_array_equal(read.numbers, np.array(expected, dtype=np.float32))

"""From a folder to records on scores: what is planned, what comes of good and of hostile tables, what an altered record shows."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from tongqiu.practice import Run, Target
from tongqiu.practices import evaluation
from tongqiu.practices.evaluation.probes import observe, plan
from tongqiu.practices.evaluation.tabular import kinds, probes, views
from tongqiu.practices.evaluation.tabular.probes import observe_pairs, observe_scores, plan_pairs, plan_scores
from tongqiu.record.faults import Fault, Malformed
from tongqiu.record.subject import Subject
from tongqiu.testing.paper import paper_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.practices.evaluation.conftest import Lend
    from tongqiu.practices.evaluation.declared import Params
    from tongqiu.record.statement import Said

VECTORS = Path(evaluation.__file__).parent / "vectors"
KINDS: dict[str, Any] = {kind.name: kind for kind in kinds.KINDS}


def model_file(folder: Path, name: str = "m.onnx") -> None:
    """Write a logistic model of two columns, a and g."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    h, number = onnx.helper, onnx.TensorProto.FLOAT
    made = h.make_model(
        h.make_graph(
            [
                h.make_node("MatMul", ["x", "w"], ["z"]),
                h.make_node("Sigmoid", ["z"], ["s"]),
                h.make_node("Squeeze", ["s", "one"], ["p"]),
            ],
            "m",
            [h.make_tensor_value_info("x", number, ["n", 2])],
            [h.make_tensor_value_info("p", number, ["n"])],
            [
                h.make_tensor("w", number, [2, 1], np.array([1.5, -0.8], dtype=np.float32)),
                h.make_tensor("one", onnx.TensorProto.INT64, [1], [1]),
            ],
        ),
        opset_imports=[h.make_opsetid("", 17)],
    )
    made.ir_version = 8
    (folder / name).write_bytes(made.SerializeToString())


def write(folder: Path, name: str = "t.csv", n: int = 400, seed: int = 0, *, scored: bool = False) -> None:
    """Write a table of cases with columns a, g, y, when and, where asked for, s."""
    rng = np.random.default_rng(seed)
    a, g = rng.normal(size=n), rng.integers(0, 2, n)
    chance = 1 / (1 + np.exp(-(1.5 * a - 0.8 * g)))
    y = rng.random(n) < chance
    lines = ["a,g,y,when" + (",s" if scored else "")]
    for at in range(n):
        score = f",{chance[at]:.6f}" if scored else ""
        lines.append(f"{a[at]:.5f},{g[at]},{'yes' if y[at] else 'no'},2026-{1 + 12 * at // n:02d}-01{score}")
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def part(kind: str, path: str | None, name: str = "", **declared: object) -> Target:
    return Target(
        Subject(kind, f"urn:tongqiu:test:{name or kind}", name=name or kind),  # type: ignore[arg-type]
        path,
        {"name": name or kind, **declared},
    )


def target(*parts: Target) -> Target:
    return Target(Subject("system", "urn:tongqiu:test:system"), None, {"name": "s", "facts": {}}, parts)


SCORER: dict[str, Any] = {"inputs": ["a", "g"], "positive": "yes"}
CASES: dict[str, Any] = {"label": "y", "favourable": "yes", "sensitive": ["g"]}


def checked(said: Iterable[Said]) -> dict[str, Any]:
    """Return the bodies by kind, after writing and reading each, looking at its evidence and computing it again."""
    found = {}
    for each in said:
        kind = KINDS[each.kind]
        body = kind.read(kind.write(each.body))
        assert body == each.body
        assert list(kind.holds(body)) == []
        for seen in kind.evidence(body):
            assert seen.title.zh != seen.title.en
        found[each.kind.split(".")[1].split("/")[0]] = body
    return found


def test_what_is_planned() -> None:
    scorer = part("model", "m.onnx", **SCORER)
    (only,) = plan_scores(target(scorer, part("dataset", "t.csv", **CASES)))
    assert only.params.asked == ("scores", "explanation", "robustness")
    assert only.reads == ("t.csv", "m.onnx")
    apart = list(
        plan_scores(target(part("model", "m.onnx", **SCORER, explain=["shap"]), part("dataset", "t.csv", **CASES)))
    )
    assert [(run.part, run.params.asked) for run in apart] == [
        ("scores", ("scores", "robustness")),
        ("explanation", ("explanation",)),
    ]
    (column,) = plan_scores(target(part("dataset", "t.csv", label="y", score="s", prediction="d")))
    assert (column.params.asked, column.reads) == (("scores",), ("t.csv",))
    (pair,) = plan_pairs(
        target(
            scorer,
            part("dataset", "l.csv", "l", role="train", label="y"),
            part("dataset", "t.csv", role="test", **CASES),
        )
    )
    assert (pair.params.purpose, pair.reads) == ("membership", ("l.csv", "m.onnx", "t.csv"))
    (two,) = plan_pairs(
        target(
            part("dataset", "o.csv", "o", role="reference", prediction="d"),
            part("dataset", "t.csv", role="test", prediction="d"),
        )
    )
    assert two.params.purpose == "drift"
    (period,) = plan_pairs(target(part("dataset", "t.csv", prediction="d", period="when", since="2026-07-01")))
    assert (period.params.purpose, period.reads) == ("drift", ("t.csv",))


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (part("dataset", "t.csv", label="y", role="train"), part("model", "m.onnx", **SCORER)),
        (part("dataset", "t.csv", label="y", prediction="d"),),
        (part("dataset", "t.csv", score="s"),),
        (part("dataset", "x.png", label="y", score="s"),),
    ],
)
def test_where_nothing_applies_nothing_is_planned(parts: tuple[Target, ...]) -> None:
    whole = target(*parts)
    assert [*plan_scores(whole), *plan_pairs(whole)] == []
    assert [run for each in parts for run in (*plan_scores(each), *plan_pairs(each))] == []


def scores_of(folder: Path, lend: Lend, *parts: Target) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for run in plan_scores(target(*parts)):
        found |= checked(observe_scores(run.subject, run.params, lend(*run.reads)))
    assert folder.exists()
    return found


def test_a_column_of_scores(folder: Path, lend: Lend) -> None:
    write(folder, scored=True)
    found = scores_of(folder, lend, part("dataset", "t.csv", score="s", score_class="yes", **CASES))
    assert set(found) == {"calibration", "mitigation"}
    assert found["calibration"].source.decisions == "column"
    assert found["calibration"].groups[0].n == 400
    (run,) = plan(target(part("dataset", "t.csv", score="s", **CASES)))
    result = next(iter(observe(run.subject, run.params, lend(*run.reads)))).body
    assert {value.measure: value.count for value in result.values}["selection-rate"] > 100


def test_scores_that_are_no_chances_count_as_errors(folder: Path, lend: Lend) -> None:
    write(folder, scored=True)
    lines = (folder / "t.csv").read_text(encoding="utf-8").splitlines()
    for at, bad in enumerate(("nan", "inf", "-inf", "1.5", "-0.1", "", "high"), start=1):
        lines[at] = lines[at].rpartition(",")[0] + f",{bad}"
    (folder / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    found = scores_of(folder, lend, part("dataset", "t.csv", score="s", **CASES))
    rows = found["calibration"].rows
    assert (rows.planned, rows.done, rows.errored) == (400, 393, 7)


def test_a_model_is_looked_at_from_all_sides_in_one_run(folder: Path, lend: Lend) -> None:
    model_file(folder)
    write(folder)
    found = scores_of(folder, lend, part("model", "m.onnx", **SCORER), part("dataset", "t.csv", **CASES))
    assert set(found) == {"calibration", "mitigation", "explanation", "robustness"}
    other = next(each for each in found["robustness"].flips if each.change == "other-group" and not each.by)
    assert other.outcome.low > 0.05
    assert [each.column for each in found["explanation"].explainers[0].columns] == ["a", "g"]


@pytest.mark.parametrize("favourable", ["yes", "no"])
def test_the_favourable_class_turns_signs_and_nothing_else(folder: Path, lend: Lend, favourable: str) -> None:
    model_file(folder)
    write(folder)
    keys = CASES | {"favourable": favourable}
    found = scores_of(folder, lend, part("model", "m.onnx", **SCORER), part("dataset", "t.csv", **keys))
    ways = {each.column: each.way for each in found["explanation"].explainers[1].columns}
    assert ways["a"] == ("raises" if favourable == "yes" else "lowers")
    assert found["calibration"].groups[0].p > 0.05


def test_few_cases_give_no_numbers_and_no_failure(folder: Path, lend: Lend) -> None:
    model_file(folder)
    write(folder, n=9)
    found = scores_of(folder, lend, part("model", "m.onnx", **SCORER), part("dataset", "t.csv", **CASES))
    assert set(found) == {"calibration", "mitigation", "robustness"}
    assert found["calibration"].groups[0].error is None
    assert found["mitigation"].left_out == ("g",)
    assert all(each.outcome is None for each in found["robustness"].flips)


def test_membership_between_training_and_test(folder: Path, lend: Lend) -> None:
    model_file(folder)
    write(folder)
    write(folder, "l.csv", seed=1)
    parts = (
        part("model", "m.onnx", **SCORER),
        part("dataset", "l.csv", "l", role="train", **CASES),
        part("dataset", "t.csv", role="test", **CASES),
    )
    (run,) = plan_pairs(target(*parts))
    found = checked(observe_pairs(run.subject, run.params, lend(*run.reads)))["membership"]
    assert found.auc.low < 0.5 < found.auc.high
    assert found.training.name == "l"


def test_drift_between_two_parts_of_one_table(folder: Path, lend: Lend) -> None:
    write(folder, scored=True)
    keys = {"score": "s", "period": "when", **CASES}
    (run,) = plan_pairs(target(part("dataset", "t.csv", since="2026-07-01", **keys)))
    body = checked(observe_pairs(run.subject, run.params, lend(*run.reads)))["drift"]
    assert (body.rows_earlier.done, body.rows.done, body.since) == (200, 200, "2026-07-01")
    for since in (None, "2020-01-01", "2030-01-01"):
        (run,) = plan_pairs(target(part("dataset", "t.csv", since=since, **keys)))
        with pytest.raises(Malformed, match=r"evaluation\.periods") as caught:
            list(observe_pairs(run.subject, run.params, lend(*run.reads)))
        assert "{" not in caught.value.explain("zh") + caught.value.explain("en")


def test_two_tables_that_count_different_outcomes_are_refused(folder: Path, lend: Lend) -> None:
    write(folder, scored=True)
    write(folder, "o.csv", scored=True)
    keys = {"score": "s", "label": "y", "score_class": "yes"}
    (run,) = plan_pairs(
        target(
            part("dataset", "o.csv", "o", role="reference", favourable="no", **keys),
            part("dataset", "t.csv", role="test", favourable="yes", **keys),
        )
    )
    with pytest.raises(Malformed, match=r"evaluation\.tables-differ"):
        list(observe_pairs(run.subject, run.params, lend(*run.reads)))


@pytest.mark.parametrize(
    ("header", "row", "keys", "code"),
    [
        ("s,y", "0.4,yes", {}, "evaluation.one-class"),
        ("s,y", "0.4,{at}", {}, "evaluation.too-many-levels"),
        ("s,y,g", "0.4,{flag},{at}", {"sensitive": ["g"]}, "evaluation.too-many-levels"),
        ("s,y", "nan,{flag}", {}, "evaluation.nothing-left"),
        ("t,y", "0.4,{flag}", {}, "evaluation.no-column"),
        ("s,y", "0.4,{flag}", {"score_class": "maybe"}, "evaluation.positive"),
    ],
)
def test_hostile_tables_are_refused_in_words(
    folder: Path, lend: Lend, header: str, row: str, keys: dict[str, Any], code: str
) -> None:
    lines = [row.format(at=at, flag="yes" if at % 2 else "no") for at in range(300)]
    (folder / "t.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
    with pytest.raises(Fault) as caught:
        scores_of(folder, lend, part("dataset", "t.csv", label="y", score="s", favourable="yes", **keys))
    assert caught.value.code == code


def examples() -> Iterator[Any]:
    for kind in kinds.KINDS:
        name = kind.name.split(".")[1].replace("/", "-")
        yield pytest.param(kind, json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["body"], id=name)


@pytest.mark.parametrize(("kind", "body"), list(examples()))
def test_an_example_shows_every_figure_in_the_registry(kind: Any, body: Any) -> None:
    statement = paper_statement(kind, kind.read(body), Subject("model", "urn:tongqiu:test:model"))
    rows = [each.values for each in views.figures(statement)]
    assert rows
    assert all(set(row) == {column.name for column in views.COLUMNS} for row in rows)
    assert len({tuple(row[name] for name in views.KEY) for row in rows}) == len(rows)
    assert len(list(kind.evidence(kind.read(body)))) == len(rows)


ALTERED = [
    ("calibration", "groups.0.bins.0.outcome.count", 0),
    ("calibration", "groups.0.error.value", 0.5),
    ("calibration", "groups.0.brier_floor", 0.01),
    ("calibration", "groups.1.n", 7),
    ("calibration", "groups.0.brier.low", 0.9),
    ("calibration", "groups.0.bins.0.score", 0.99),
    ("calibration", "rows.done", 5),
    ("explanation", "summary.zh", "一切正常。"),
    ("explanation", "explainers.0.columns.0.value.value", -1.0),
    ("explanation", "explainers.0.columns.0.column", "z"),
    ("explanation", "explainers.0.stability.low", 2.0),
    ("explanation", "agreement.0.rank.high", -1.0),
    ("robustness", "flips.0.outcome.value", 0.4),
    ("robustness", "flips.1.outcome.count", 100_000),
    ("robustness", "drawn", 1),
    ("membership", "hit.count", 1),
    ("membership", "advantage.value", 0.9),
    ("membership", "members", 3),
    ("membership", "auc.low", 0.99),
    ("drift", "shifts.0.index.value", 3.0),
    ("drift", "shifts.0.p", 0.0001),
    ("drift", "shifts.2.before.0", 1),
    ("drift", "shifts.3.statistic", 9.0),
    ("drift", "performance.0.after", 0.1),
    ("mitigation", "options.0.changed.count", 9),
    ("mitigation", "options.1.gaps.0.value", 0.9),
    ("mitigation", "options.1.groups.0.values.0.value", 0.9),
    ("mitigation", "options.1.groups.0.n", 12),
    ("mitigation", "chosen_on", 1),
    ("mitigation", "measured_on", 1),
]


@pytest.mark.parametrize(("name", "path", "value"), ALTERED)
def test_an_altered_figure_is_named(name: str, path: str, value: object) -> None:
    kind = KINDS[f"evaluation.{name}/1"]
    plain = json.loads((VECTORS / f"{name}-1.json").read_text(encoding="utf-8"))["body"]
    assert list(kind.holds(kind.read(plain))) == []
    *way, last = path.split(".")
    place: Any = plain
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    at = int(last) if isinstance(place, list) else last
    assert place[at] != value
    place[at] = value
    assert list(kind.holds(kind.read(plain)))


def test_where_shap_is_missing_the_fault_says_what_to_do(folder: Path, lend: Lend) -> None:
    if importlib.util.find_spec("shap") is not None:
        pytest.skip("shap is installed here")
    model_file(folder)
    write(folder)
    _, run = plan_scores(target(part("model", "m.onnx", **SCORER, explain=["shap"]), part("dataset", "t.csv", **CASES)))
    with pytest.raises(Fault, match=r"evaluation\.no-shap"):
        list(observe_scores(run.subject, run.params, lend(*run.reads)))


@pytest.mark.system
def test_shap_says_what_our_own_shapley_values_say(folder: Path, lend: Lend) -> None:
    pytest.importorskip("shap")
    model_file(folder)
    write(folder, n=150)
    run: Run
    _, run = plan_scores(target(part("model", "m.onnx", **SCORER, explain=["shap"]), part("dataset", "t.csv", **CASES)))
    body = checked(observe_scores(run.subject, run.params, lend(*run.reads)))["explanation"]
    own, theirs = body.explainers[1], body.explainers[2]
    assert theirs.method.startswith("shap.exact@")
    assert theirs.additivity < 1e-6
    ours = {each.column: each.value for each in own.columns}
    for each in theirs.columns:
        assert each.value.low <= ours[each.column].high
        assert ours[each.column].low <= each.value.high
    assert [(each.column, each.way) for each in own.columns] == [(each.column, each.way) for each in theirs.columns]


def test_parameters_of_one_table_stay_as_they_were_said() -> None:
    scorer, data = part("model", "m.onnx", **SCORER, threshold=0.3), part("dataset", "t.csv", **CASES)
    (run,) = plan(target(scorer, data))
    (other,) = plan_scores(target(scorer, data))
    before: Params = run.params
    assert msgspec.to_builtins(other.params.cases) == msgspec.to_builtins(before)
    assert probes.plan_scores is plan_scores

"""The whole check of a table as the node uses it: planned, done, recorded, listed; and no value of a person anywhere."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tongqiu.practice import Put, Target, load
from tongqiu.practices.dataset.indicators import of_table
from tongqiu.practices.dataset.tabular.bodies import Anonymity, Share, Table
from tongqiu.practices.dataset.tabular.kinds import RELEASE, TABLE
from tongqiu.practices.dataset.tabular.parts import PROBES, VIEWS
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.subject import Subject
from tongqiu.testing import PaperWorld, observe, paper_statement

SUBJECT = Subject(type="dataset", id="urn:example:cases", name="Cases")
CANARY = "kanarienvogel@example.com"


def _rows(size: int = 600, seed: int = 1) -> bytes:
    chance = random.Random(seed)  # noqa: S311 - a fixed sample
    lines = ["id,age,sex,label,twin,mail"]
    for at in range(size):
        label = chance.choice(["yes", "no"])
        mail = CANARY if at == 5 else f"u{at}@example.com"
        lines.append(f"{at},{chance.randrange(20, 60)},{chance.choice('FM')},{label},{label.upper()},{mail}")
    return "\n".join(lines).encode()


def _look(tmp_path: Path, files: dict[str, bytes], path: str = "cases.csv", **declared: Any) -> Table:
    (said,) = observe(PROBES[0], Target(SUBJECT, path, declared), PaperWorld(files, tmp_path))
    assert said.kind == TABLE.name
    body = TABLE.read(TABLE.write(said.body))
    assert TABLE.holds is not None
    assert list(TABLE.holds(body)) == []
    return body


def test_labels_that_contradict_one_another_are_told_and_a_model_is_asked(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    chance = random.Random(2)  # noqa: S311 - a fixed sample
    words = {"water": ["river", "boat", "fish", "shore", "wave"], "road": ["engine", "wheel", "brake", "fuel", "gear"]}
    lines = ["number,text,label"]
    for at in range(400):
        kind = chance.choice(["water", "road"])
        text = " ".join(chance.choices(words[kind], k=12))
        for again in range(2 if at < 100 else 1):
            wrong = {"water": "road", "road": "water"}[kind] if at < 10 and again else kind
            lines.append(f"x{at}-{again},{text},{wrong}")
    body = _look(tmp_path, {"cases.csv": "\n".join(lines).encode()}, label="label")
    told = body.labels
    assert told is not None
    assert (told.compared, told.left_out) == (1, 1)
    assert (told.sets, told.rows, told.contradicted, told.wrong) == (100, 200, 10, 10)
    assert told.first[:2] == (1, 2)
    assert told.low is not None
    assert told.high is not None
    assert told.low < 0.0528 < told.high  # 2e(1 - e) = 0.1
    assert told.judged == 500
    assert 5 <= told.doubted <= 25
    assert len(told.doubtful) == min(20, told.doubted)
    assert TABLE.evidence is not None
    assert {"dataset.labels-contradicted", "dataset.label-error-rate", "dataset.labels-doubted"} <= {
        each.measure for each in TABLE.evidence(body)
    }
    measured = {each.measure: each for each in of_table.constraints(body)}
    assert measured["dataset.indicator.label-contradicted"].value == 0.05
    assert measured["dataset.indicator.label-accuracy"].n == 100
    assert measured["dataset.indicator.label-doubted"].n == 500


def test_nothing_is_said_of_labels_where_rows_have_nothing_in_common(tmp_path: Path) -> None:
    lines = ["number,label", *(f"x{at},{'ab'[at % 2]}" for at in range(100))]
    body = _look(tmp_path, {"cases.csv": "\n".join(lines).encode()}, label="label")
    assert body.labels is not None
    assert (body.labels.compared, body.labels.left_out, body.labels.sets, body.labels.rate) == (0, 1, 0, None)
    assert not any(each.measure.startswith("dataset.indicator.label-") for each in of_table.constraints(body))


def test_everything_declared_is_looked_at_and_nobody_is_named(tmp_path: Path) -> None:
    files = {
        "cases.csv": _rows(),
        "old.csv": _rows(400, 2),
        "sexes.csv": b"code\nF\n",
        "c.toml": b'[[column]]\nname="age"\nmaximum=50\n[[column]]\nname="mail"\npattern="[a-z]+"\n[[foreign_key]]\n'
        b'columns=["sex"]\nto=["code"]\npath="sexes.csv"\n[population.sex]\nF=0.9\nM=0.1\n',
    }
    body = _look(
        tmp_path,
        files,
        label="label",
        sensitive=["sex", "mail"],
        quasi=["age", "sex"],
        constraints="c.toml",
        related=["sexes.csv"],
        previous="old.csv",
    )
    assert {each.rule for each in body.constraints if each.count} == {"maximum", "pattern", "foreign-key"}
    assert [each.column for each in body.telling if each.leaks] == ["twin"]
    assert body.anonymity is not None
    assert body.anonymity.k >= 1
    assert body.versions is not None
    assert not any(each.shifted for each in body.versions.shifts)
    assert {each.value: each.standing for each in body.makeup[0].shown} == {"F": "fewer", "M": "more"}
    assert body.makeup[1].withheld
    assert [each.name for each in body.columns if each.people] == ["mail"]
    assert [each.name for each in body.columns if each.numbering] == ["id", "mail"]
    assert TABLE.evidence is not None
    told = msgspec.json.encode(
        (TABLE.write(body), [msgspec.to_builtins(each) for each in TABLE.evidence(body)])
    ).decode()
    assert "kanarien" not in told
    assert "@" not in told.replace("@1", "")


def test_a_header_that_is_a_row_names_nobody(tmp_path: Path) -> None:
    body = _look(tmp_path, {"cases.csv": f"{CANARY},5\nx,6\n".encode()})
    assert CANARY not in msgspec.json.encode(TABLE.write(body)).decode()


@pytest.mark.parametrize(
    ("path", "declared", "runs"),
    [
        ("a.csv", {}, 1),
        ("a.parquet", {}, 1),
        ("a.jsonl", {}, 0),
        ("a.jsonl", {"label": "y"}, 1),
        ("folder", {}, 0),
        ("a.png", {}, 0),
        ("x.dat", {"table": "t"}, 1),
    ],
)
def test_what_is_planned(path: str, declared: dict[str, Any], runs: int) -> None:
    assert len(list(load(PROBES[0].plan)(Target(SUBJECT, path, declared)))) == runs
    model = Subject(type="model", id="urn:example:m")
    assert list(load(PROBES[0].plan)(Target(model, path, declared))) == []


def test_a_run_reads_all_that_is_named_and_nothing_else() -> None:
    declared = {"constraints": "c.toml", "related": ["b.csv"], "previous": "old.csv", "role": "test"}
    (run,) = load(PROBES[0].plan)(Target(SUBJECT, "a.csv", declared))
    assert run.reads == ("a.csv", "c.toml", "old.csv", "b.csv")


def test_a_database_is_checked_like_a_file(tmp_path: Path) -> None:
    place = tmp_path / "x.sqlite"
    connection = sqlite3.connect(place)
    connection.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(at, "xy"[at % 2]) for at in range(100)])
    connection.commit()
    connection.close()
    body = _look(tmp_path / "w", {"x.sqlite": place.read_bytes()}, "x.sqlite", table="t", quasi=["b"])
    assert (body.format, body.rows) == ("sqlite", 100)
    assert body.anonymity is not None
    assert body.anonymity.k == 50


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({"quasi": ["nowhere"]}, "dataset.column"),
        ({"constraints": "c.toml", "related": ["sexes.csv"]}, "dataset.column"),
    ],
)
def test_a_column_that_is_not_there_is_named(declared: dict[str, Any], code: str, tmp_path: Path) -> None:
    constraints = b'[[foreign_key]]\ncolumns=["sex"]\nto=["nothing"]\npath="sexes"\n'
    with pytest.raises(Missing) as caught:
        _look(tmp_path, {"cases.csv": _rows(50), "c.toml": constraints, "sexes.csv": b"code\nF\n"}, **declared)
    assert caught.value.code == code


def test_bad_rows_are_counted_and_the_check_goes_on(tmp_path: Path) -> None:
    body = _look(tmp_path, {"cases.csv": b"a,b\n1,2\n1,2,3\n\xff\xfe,5\n\x00,\n"})
    assert body.lost == 1
    assert body.rows == 3


def test_an_empty_table_says_so(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        _look(tmp_path, {"cases.csv": b""})
    assert _look(tmp_path / "b", {"cases.csv": b"a,b\n"}, quasi=["a"]).anonymity is None


def test_numbers_that_cannot_be_together_do_not_hold() -> None:
    example = json.loads(
        (
            Path(load("tongqiu.practices.dataset.tabular.probes:__file__")).parents[1]
            / "vectors"
            / "dataset.table-1.json"
        ).read_text("utf-8")
    )
    body = TABLE.read(example["body"])
    assert TABLE.holds is not None
    assert body.anonymity is not None
    made, told = body.makeup[0], body.telling[0]
    spoiled: dict[str, dict[str, Any]] = {
        "anonymity.k": {"anonymity": msgspec.structs.replace(body.anonymity, k=99)},
        "makeup.sex": {"makeup": (msgspec.structs.replace(made, shown=(Share("F", 5, 0.5, 0.1, 0.9),)),)},
        f"telling.{told.column}": {"telling": (msgspec.structs.replace(told, high=0.2),)},
        "columns.id": {"columns": (msgspec.structs.replace(body.columns[0], absent=10**6),)},
        "anonymity.hidden": {
            "anonymity": msgspec.structs.replace(
                body.anonymity, hidden=(msgspec.structs.replace(body.anonymity.hidden[0], l_entropy=9.0),)
            )
        },
    }
    for name, change in spoiled.items():
        assert name in set(TABLE.holds(msgspec.structs.replace(body, **change)))


def test_the_registries_show_what_was_looked_at(tmp_path: Path) -> None:
    body = _look(tmp_path, {"cases.csv": _rows(100)}, quasi=["sex"], sensitive=["age"])
    (row,) = load(VIEWS[0].rows)(paper_statement(TABLE, TABLE.write(body), SUBJECT))
    assert isinstance(row, Put)
    assert set(row.values) == {column.name for column in VIEWS[0].columns}
    assert row.values["leaks"] is None
    assert row.values["k"] > 30
    assert isinstance(body.anonymity, Anonymity)
    example = json.loads(
        (
            Path(load("tongqiu.practices.dataset.tabular.probes:__file__")).parents[1]
            / "vectors"
            / "dataset.release-1.json"
        ).read_text("utf-8")
    )
    (released,) = load(VIEWS[1].rows)(paper_statement(RELEASE, example["body"], SUBJECT))
    assert released.values["epsilon"] == 0.9

"""The error tree: complete, in both languages, whole after crossing a process boundary."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251 - what multiprocessing itself does with a child's exception
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tongqiu.record.faults import TABLE, Fault, Malformed, Missing, Refused, Row, Unproven, Unreachable, row
from tongqiu.record.text import Text

BRANCHES = [Malformed, Missing, Refused, Unproven, Unreachable]


def make(branch: type[Fault], **values: object) -> Fault:
    return branch(
        "manifest.unknown-key",
        Text(en="{key} is not known.", zh="未知的键 {key}。"),
        do=Text(en="Did you mean {near}?", zh="是否应为 {near}？"),
        where="tongqiu.toml:3",
        **{"key": "modle", "near": "model", **values},
    )


def test_the_table_has_every_branch_and_nothing_else() -> None:
    assert set(TABLE) == set(Fault.__subclasses__()) == set(BRANCHES)


def test_exit_codes_and_problem_types_are_distinct_and_of_their_kind() -> None:
    rows = list(TABLE.values())
    # 0 is success, 1 an unexpected end, 126 and up belong to the shell.
    assert all(1 < each.exit_code < 126 for each in rows)
    assert len({each.exit_code for each in rows}) == len(rows)
    assert len({each.problem for each in rows}) == len(rows)
    assert all(400 <= each.http_status < 600 for each in rows)
    assert all(each.problem.startswith("urn:tongqiu:problem:") for each in rows)
    # A promise to scripts: these numbers never change.
    assert [TABLE[branch].exit_code for branch in BRANCHES] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_and_what_grows_from_it_share_a_row(branch: type[Fault]) -> None:
    twig = type("Twig", (branch,), {})
    assert row(make(branch)) == row(make(twig)) == TABLE[branch]
    assert isinstance(row(make(branch)), Row)


@pytest.mark.parametrize("branch", BRANCHES)
def test_each_branch_says_what_to_do_in_both_languages(branch: type[Fault]) -> None:
    assert branch.action.en
    assert branch.action.zh
    assert branch.action.en != Fault.action.en


def test_a_fault_explains_itself() -> None:
    fault = make(Malformed)
    assert fault.explain("en").splitlines() == ["modle is not known.", "Where: tongqiu.toml:3", "Did you mean model?"]
    assert fault.explain("zh-CN").splitlines() == ["未知的键 modle。", "位置：tongqiu.toml:3", "是否应为 model？"]
    assert str(fault) == "manifest.unknown-key: modle is not known. (tongqiu.toml:3)"
    assert fault.values == {"key": "modle", "near": "model"}


def test_the_place_is_said_once() -> None:
    fault = Missing(
        "file.missing", Text(en="No file {where}.", zh="没有文件 {where}。"), do=Text("", ""), where="a.csv"
    )
    assert fault.explain("en") == "No file a.csv."
    assert fault.explain("zh") == "没有文件 a.csv。"


def test_without_a_place_none_is_shown() -> None:
    fault = Missing("x.y", Text(en="Gone.", zh="不存在。"), do=Text(en="Look.", zh="请查找。"))
    assert fault.explain("en") == "Gone.\nLook."
    assert str(fault) == "x.y: Gone."


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("key", ["modle", "{where}", "{near}", "{{", "}", "{", "水\n", "{key!r}"])
def test_a_fault_crosses_a_process_boundary_unchanged(branch: type[Fault], key: str) -> None:
    fault = make(branch, key=key)
    back = pickle.loads(pickle.dumps(fault))  # noqa: S301 - our own bytes
    for other in (back, copy.copy(fault)):
        assert type(other) is branch
        assert str(other) == str(fault)
        assert other.explain("zh") == fault.explain("zh")
        assert other.explain("en") == fault.explain("en")
        assert (other.code, other.where, other.values) == (fault.code, fault.where, fault.values)
        assert other.args == fault.args


def fail(key: str) -> None:
    raise make(Refused, key=key)


def test_a_child_process_hands_its_fault_to_its_parent() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, pytest.raises(Refused) as caught:
        pool.submit(fail, "{where}").result(timeout=60)
    assert str(caught.value) == str(make(Refused, key="{where}"))

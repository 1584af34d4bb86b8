"""The edges of the node's rooms: proposals, broken practices, homes that cannot be read, clocks kept by a thread."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tongqiu.node import core as core_practice
from tongqiu.node import home as homes
from tongqiu.node import propose, work
from tongqiu.node.discovery import assemble, matches, order
from tongqiu.node.duties import Duties
from tongqiu.node.work import JobWatch
from tongqiu.practice import Assessor, Duty, Practice
from tongqiu.record import core
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable
from tongqiu.record.statement import Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.node import Node
    from tongqiu.practice import Desk, World

WORDS = Text(en="words", zh="文字")
SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")


def test_a_folder_is_looked_at_and_nothing_is_decided_for_anyone(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "run.py").write_text("pass\n")
    (tmp_path / "setup.py").write_text("pass\n")
    (tmp_path / "model.onnx").write_bytes(b"x")
    (tmp_path / "cases.csv").write_text('a,"b\nc"\n1,2\n')
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("x")
    seen = propose.look(tmp_path)
    assert seen.models == ("model.onnx",)
    assert seen.tables == (("cases.csv", ("a", "b\nc")), ("empty.jsonl", ()))
    assert seen.code == ("src",)
    assert seen.left_out == 1
    text = propose.write(seen, propose.Answers('A "name"\\', "why", {"cases.csv": "a"}, {"cases.csv": ["a"]}))
    import tomllib

    table = tomllib.loads(text)
    assert table["system"] == {"name": 'A "name"\\', "purpose": "why"}
    assert table["data"][0]["label"] == "a"
    assert table["data"][0]["sensitive"] == ["a"]
    assert "label" not in table["data"][1]
    assert table["facts"] == {}


def test_code_alone_is_proposed_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "a.py").write_text("")
    assert propose.look(tmp_path).code == (".",)
    assert 'path = "."' in propose.write(propose.look(tmp_path), propose.Answers("S"))


def test_two_practices_may_not_claim_one_name() -> None:
    with pytest.raises(Malformed) as caught:
        assemble([core_practice.PRACTICE, core_practice.PRACTICE])
    assert caught.value.code == "practice.clash"


def _rule(name: str, reads: tuple[str, ...], makes: tuple[str, ...]) -> Assessor:
    return Assessor(name=name, version="1", title=WORDS, about=("system",), reads=reads, makes=makes, assess="x:y")


def test_rules_follow_what_they_read_and_circles_are_named() -> None:
    last, first = _rule("a", ("b.*",), ("c.x/1",)), _rule("z", (), ("b.x/1",))
    assert order((last, first)) == (first, last)
    assert matches("b.*", "b.x/1")
    assert not matches("b.x/1", "b.x/2")
    with pytest.raises(Malformed) as caught:
        order((_rule("a", ("b.x/1",), ("a.x/1",)), _rule("b", ("a.x/1",), ("b.x/1",))))
    assert caught.value.code == "practice.circle"


def test_homes_say_what_is_wrong_with_them(tmp_path: Path) -> None:
    made = homes.create(tmp_path / "h", name='A "quoted" 实验室')
    assert homes.load(tmp_path / "h").settings.name == 'A "quoted" 实验室'
    assert homes.create(tmp_path / "h", name='A "quoted" 实验室').did == made.did
    with pytest.raises(Refused) as caught:
        homes.create(tmp_path / "h", name="Somebody else")
    assert caught.value.code == "home.exists"
    (tmp_path / "h" / "node.toml").write_text("name = 3\n")
    with pytest.raises(Malformed) as broken:
        homes.load(tmp_path / "h")
    assert broken.value.code == "home.settings"
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unreachable) as unusable:
        homes.create(tmp_path / "file" / "h", name="Lab")
    assert unusable.value.code == "home.storage"
    with pytest.raises(Missing):
        homes.load(tmp_path / "nowhere")
    homes.create(tmp_path / "g", name="Lab")
    (tmp_path / "g" / "secret").unlink()
    with pytest.raises(Fault):
        homes.load(tmp_path / "g")


STRUCK: list[str] = []


def due_at_once(statement: Statement) -> str:
    return statement.at


def act(statement: Statement, _world: World, _desk: Desk) -> list[Said]:
    STRUCK.append(statement.entry)
    if statement.body["purpose"] == "fails":
        raise Refused("test.refused", WORDS, do=WORDS)
    return []


DUTY = Duty(
    name="test.duty",
    title=WORDS,
    reads=("core.*",),
    when="tests.node.test_edges:due_at_once",
    act="tests.node.test_edges:act_on_compositions",
)


def act_on_compositions(statement: Statement, world: World, desk: Desk) -> list[Said]:
    return act(statement, world, desk) if statement.kind == core.COMPOSITION.name else []


def test_a_thread_keeps_the_clocks_and_one_failing_duty_stops_no_other(node: Node) -> None:
    STRUCK.clear()
    practice = Practice(name="test", title=WORDS, about=WORDS, duties=(DUTY,))
    node.practices = replace(node.practices, all=(*node.practices.all, practice))
    bodies = [core.Composition(parts=(), purpose=purpose) for purpose in ("fails", "works")]
    fails, works = (node.publish([Said(core.COMPOSITION.name, SYSTEM, each)])[0].entry for each in bodies)
    duties = Duties(node)
    struck = duties.tick()
    assert {each.entry: each.fault and each.fault.code for each in struck if each.entry in {fails, works}} == {
        fails: "test.refused",
        works: None,
    }
    STRUCK.clear()
    thread = duties.keep()
    deadline = time.monotonic() + 20
    while fails not in STRUCK and time.monotonic() < deadline:
        time.sleep(0.1)
    duties.rest()
    thread.join(10)
    assert not thread.is_alive()
    assert set(STRUCK) == {fails}


def test_the_progress_of_a_job_is_kept_and_a_wish_to_stop_is_obeyed(node: Node) -> None:
    jobs = node.store.jobs
    name = jobs.create("assess", {}, node.me)
    jobs.start(name)
    watch = JobWatch(jobs, name)
    watch.planned(["a", "b"], ["c"])
    watch.progress("a", 1, 2)
    watch.ended("a", None)
    watch.ended("b", None)
    assert jobs.get(name).done == 2
    jobs.cancel(name)
    time.sleep(0.6)
    with pytest.raises(Refused) as caught:
        watch.ended("a", None)
    assert caught.value.code == "job.cancelled"


def test_work_in_the_background_that_fails_says_why(node: Node, tmp_path: Path) -> None:
    arguments = {"folder": str(tmp_path / "absent"), "out": str(tmp_path / "out"), "ran_by": "first", "withhold": []}
    name = node.store.jobs.create("assess", arguments, node.me)
    work.do(node.home.path, name)
    job = node.store.jobs.get(name)
    assert job.state == "failed"
    cancelled = node.store.jobs.create("assess", arguments, node.me)
    node.store.jobs.cancel(cancelled)
    assert node.store.jobs.get(cancelled).state == "cancelled"


def test_names_of_practices_reach_everything_they_bring(node: Node) -> None:
    practices = node.practices
    assert practices.kind("nobody.knows/1") is None
    assert practices.kind(core.PARTY.name) is core.PARTY
    assert {each.name for each in practices.doors} >= {door.name for each in practices.all for door in each.doors}
    assert practices.verbs == tuple((each, verb) for each in practices.all for verb in each.verbs)
    assert practices.duties == tuple(each for practice in practices.all for each in practice.duties)

"""Jobs at a node: begun by a supervisor in processes of their own, taken up again, stopped in time, whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tongqiu.node import work
from tongqiu.portal import results
from tongqiu.record.faults import Refused
from tongqiu.store import schema
from tongqiu.store.jobs import MOST_TRIES
from tongqiu.testing.paper import InlineRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tongqiu.node import Node
    from tongqiu.node.assess import Outcome
    from tongqiu.store.jobs import Job, State

WORKER = """
import sys, time
from pathlib import Path
from tongqiu.store.house import open_store
store = open_store(Path(sys.argv[1]) / "store", create=False)
name, jobs = sys.argv[2], store.jobs
how = jobs.get(name).args["how"]
if how == "silent":
    sys.exit(1)
jobs.hand_over(name, int(sys.argv[3]))
if how == "hang":
    time.sleep(60)
if how == "die":
    import os
    os._exit(1)
jobs.finish(name, {"how": how})
"""
COMMAND = (sys.executable, "-c", WORKER)


def supervisor(node: Node, **given: Any) -> work.Supervisor:
    return work.Supervisor(node.home.path, node.store.jobs, COMMAND, **given)


def job(node: Node, how: str, person: str = "") -> str:
    return node.store.jobs.create("assess", {"how": how}, node.me, person=person)


def until(node: Node, name: str, state: State, tick: Callable[[], object] = lambda: None) -> Job:
    """Look after jobs until one is in a state; fails after half a minute."""
    end = time.monotonic() + 30
    while (found := node.store.jobs.get(name)).state != state:
        assert time.monotonic() < end, (found, state)
        tick()
        time.sleep(0.05)
    return found


def handed(node: Node, name: str) -> None:
    """Wait until the process of a job has taken it over."""
    end = time.monotonic() + 20
    while node.store.jobs.get(name).pid <= 0 and time.monotonic() < end:
        time.sleep(0.05)


def settle(keeper: work.Supervisor) -> None:
    """Wait until every process that a supervisor began has ended."""
    for each in keeper._begun:  # noqa: SLF001 - what it holds on to
        each.process.wait(20)


def change(node: Node, name: str, **values: object) -> None:
    with node.store.backend._database.write() as connection:  # noqa: SLF001 - as if time had passed
        connection.execute(sa.update(schema.job).where(schema.job.c.id == name).values(**values))


def test_what_waits_is_done_so_many_at_once(node: Node) -> None:
    names = [job(node, "finish") for _ in range(3)]
    keeper = supervisor(node, width=2)
    assert keeper.tick() == names[:2]
    assert keeper.tick() == [] or node.store.jobs.get(names[0]).state == "done"
    keeper.drain()
    for name in names:
        found = node.store.jobs.get(name)
        assert (found.state, found.result, found.tries) == ("done", {"how": "finish"}, 1)


def test_a_thread_keeps_at_it_until_it_rests(node: Node) -> None:
    keeper = supervisor(node)
    thread = keeper.keep()
    until(node, job(node, "finish"), "done")
    keeper.rest()
    thread.join(20)
    assert not thread.is_alive()
    settle(keeper)


def test_a_process_that_breaks_off_is_taken_up_again_so_many_times(node: Node) -> None:
    name = job(node, "die")
    keeper = supervisor(node)

    def tick() -> None:
        keeper.tick()
        if node.store.jobs.get(name).state == "queued":
            change(node, name, beat="2026-01-01T00:00:00.000Z")  # so that the test need not wait

    found = until(node, name, "failed", tick)
    assert found.tries == MOST_TRIES
    assert found.fault is not None
    assert found.fault.code == "job.tries"
    settle(keeper)


def test_a_process_that_never_took_its_job_over_is_noticed(node: Node) -> None:
    name = job(node, "silent")
    keeper = supervisor(node)
    keeper.tick()
    found = until(node, name, "queued", keeper.tick)
    assert found.tries == 1
    assert found.pid == 0
    settle(keeper)


def test_a_job_that_hangs_is_ended_in_time(node: Node) -> None:
    name = job(node, "hang")
    keeper = supervisor(node)
    keeper.tick()
    handed(node, name)
    began = time.monotonic()
    assert work.stop(node.store.jobs, name, seconds=0.2).state == "cancelled"
    assert time.monotonic() - began < 5
    settle(keeper)


def test_a_supervisor_ends_what_was_asked_to_stop_and_did_not(node: Node) -> None:
    name = job(node, "hang")
    keeper = supervisor(node)
    keeper.tick()
    handed(node, name)
    node.store.jobs.cancel(name)
    keeper.tick()
    assert node.store.jobs.get(name).state == "running"
    until(node, name, "cancelled", keeper.tick)
    settle(keeper)


def test_a_job_may_not_take_for_ever(node: Node) -> None:
    name = job(node, "hang")
    keeper = supervisor(node, longest=0.5)
    keeper.tick()
    found = until(node, name, "failed", keeper.tick)
    assert found.fault is not None
    assert found.fault.code == "job.time"
    settle(keeper)


def test_stopping_what_waits_or_is_over_is_at_once(node: Node) -> None:
    name = job(node, "finish")
    assert work.stop(node.store.jobs, name).state == "cancelled"
    assert work.stop(node.store.jobs, name).state == "cancelled"
    broken = job(node, "finish")
    node.store.jobs.start(broken)
    change(node, broken, born="1")
    assert work.stop(node.store.jobs, broken).state == "cancelled"


def test_a_program_that_is_not_there_fails_the_job(node: Node) -> None:
    name = job(node, "finish")
    work.Supervisor(node.home.path, node.store.jobs, ("/nowhere/python",)).tick()
    found = node.store.jobs.get(name)
    assert found.state == "failed"
    assert found.fault is not None
    assert found.fault.code == "job.start"


def test_a_second_supervisor_starts_nothing_twice(node: Node) -> None:
    name = job(node, "hang")
    first, second = supervisor(node, width=1), supervisor(node, width=1)
    assert first.tick() == [name]
    assert second.tick() == []
    handed(node, name)
    work.stop(node.store.jobs, name, seconds=0.1)
    settle(first)


def test_a_job_is_done_and_its_result_shows_when_it_is_whole(node: Node, folder: Path, tmp_path: Path) -> None:
    name = work.queue(node, folder, out=tmp_path / "out", ran_by="first", person="urn:tongqiu:person:" + "0" * 32)
    seen: list[object] = []

    def finish(inner: Node, outcome: Outcome, out: Path, withhold: Sequence[str]) -> None:
        seen.append(inner.store.jobs.get(name).result)
        assert not out.exists()
        assert [path.name for _, path in results.write(inner, outcome, out, withhold)] == [
            "report.zh.html", "report.en.html", "passport.tqp", "trust.toml",
        ]  # fmt: skip

    work.do(node.home.path, name, finish=finish, runner=InlineRunner())
    found = node.store.jobs.get(name)
    assert seen == [None]
    assert found.state == "done"
    assert found.result["system"] == "urn:tongqiu:test:small"
    assert found.result["records"] > 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "passport.tqp", "report.en.html", "report.zh.html", "trust.toml",
    ]  # fmt: skip
    # Said again, nothing is done twice.
    again = work.queue(node, folder, out=None, ran_by="first")
    work.do(node.home.path, again, runner=InlineRunner())
    assert node.store.jobs.get(again).result["unchanged"]


def test_files_that_cannot_be_written_replace_nothing(node: Node, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.zh.html").write_text("old")
    (out / "trust.toml").mkdir()  # a folder where a file should come
    name = work.queue(node, folder, out=out, ran_by="first")
    work.do(node.home.path, name, finish=results.write, runner=InlineRunner())
    found = node.store.jobs.get(name)
    assert found.state == "failed"
    assert found.fault is not None
    assert found.fault.code == "output.storage"
    assert found.result is None
    assert not [path for path in out.iterdir() if path.name.endswith(".draft")]


def test_work_of_another_sort_is_refused(node: Node) -> None:
    name = node.store.jobs.create("dance", None, node.me)
    work.do(node.home.path, name)
    found = node.store.jobs.get(name)
    assert found.fault is not None
    assert (found.state, found.fault.code) == ("failed", "job.kind")
    with pytest.raises(Refused):
        work.do(node.home.path, name, giver=1)


def test_what_is_asked_to_stop_stops_at_its_next_word(node: Node, folder: Path) -> None:
    name = work.queue(node, folder, out=None, ran_by="first")

    class Slow(InlineRunner):
        """A runner that is asked to stop before it begins."""

        def run(self, planned: Any, progress: Any) -> Any:
            node.store.jobs.cancel(name)
            time.sleep(0.6)
            progress("x", 1, 2)
            return super().run(planned, progress)

    work.do(node.home.path, name, runner=Slow())
    assert node.store.jobs.get(name).state == "cancelled"


@pytest.mark.system
def test_a_node_that_is_killed_goes_on_where_it_was(node: Node, folder: Path) -> None:
    jobs = node.store.jobs
    name = work.detach(node, folder, out=None, ran_by="first", withhold=(), command=results.PROCESS)
    end = time.monotonic() + 60
    while not jobs.get(name).done and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(jobs.get(name).pid, signal.SIGKILL)
    until(node, name, "interrupted")
    keeper = work.Supervisor(node.home.path, jobs, results.PROCESS)
    found = until(node, name, "done", keeper.tick)
    settle(keeper)
    assert found.tries == 2
    assert (folder / ".tongqiu" / "passport.tqp").exists()
    assert found.result["unchanged"] or found.result["done"]


@pytest.mark.system
def test_a_running_job_stops_within_a_second_with_all_it_started(node: Node, folder: Path) -> None:
    name = work.detach(node, folder, out=None, ran_by="first", withhold=(), command=results.PROCESS)
    end = time.monotonic() + 60
    while node.store.jobs.get(name).total is None and time.monotonic() < end:
        time.sleep(0.02)
    pid, began = node.store.jobs.get(name).pid, time.monotonic()
    assert work.stop(node.store.jobs, name).state == "cancelled"
    assert time.monotonic() - began < 5
    time.sleep(0.5)
    listed = subprocess.run(["ps", "-eo", "sid,stat,args"], capture_output=True, text=True, check=True).stdout
    left = [line for line in listed.splitlines() if line.split()[0] == str(pid) and not line.split()[1].startswith("Z")]
    assert left == []

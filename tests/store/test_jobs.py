"""Jobs and duties outlive the process that began them, and never claim to run when nobody runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.store.paper import ANNA, AT, BORIS, written
from tongqiu.record.audience import STRANGER, Principal
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.store import schema
from tongqiu.store.dues import Due
from tongqiu.store.house import Store, open_store
from tongqiu.store.keys import KEYS

if TYPE_CHECKING:
    from pathlib import Path


def test_a_job_from_queue_to_result(store: Store, tmp_path: Path) -> None:
    jobs = store.jobs
    name = jobs.create("assess", {"folder": "示例", "n": 2}, ANNA)
    found = jobs.get(name)
    assert (found.state, found.args, found.done, found.total) == ("queued", {"folder": "示例", "n": 2}, 0, None)
    jobs.start(name)
    assert jobs.progress(name, 1, 4, "reading") is False
    with open_store(tmp_path / ".tongqiu", create=False) as other:
        seen = other.jobs.get(name)
        assert (seen.state, seen.done, seen.total, seen.note, seen.pid) == ("running", 1, 4, "reading", os.getpid())
    assert jobs.progress(name, 2, 4, "too soon to be written") is False
    assert jobs.get(name).note == "reading"
    jobs.progress(name, 4, 4, "the last word is always written")
    assert jobs.get(name).done == 4
    jobs.finish(name, {"entries": ["sha-256:00"]})
    assert (jobs.get(name).state, jobs.get(name).result) == ("done", {"entries": ["sha-256:00"]})
    for late in (lambda: jobs.start(name), lambda: jobs.finish(name), lambda: jobs.heartbeat(name)):
        with pytest.raises(Refused) as raised:
            late()
        assert raised.value.code == "job.state"


def test_a_job_that_fails_keeps_the_fault_in_both_languages(store: Store) -> None:
    name = store.jobs.create("assess", None, ANNA)
    store.jobs.start(name)
    store.jobs.fail(name, Malformed("data.empty", written(1), do=written(2), where="a.csv:1"))
    found = store.jobs.get(name)
    assert found.state == "failed"
    assert found.fault is not None
    assert (found.fault.code, found.fault.what, found.fault.do, found.fault.where) == (
        "data.empty",
        written(1),
        written(2),
        "a.csv:1",
    )


def test_a_job_is_asked_to_stop(store: Store) -> None:
    jobs = store.jobs
    waiting, running = jobs.create("a", None, ANNA), jobs.create("b", None, ANNA)
    jobs.start(running)
    jobs.cancel(waiting)
    jobs.cancel(running)
    assert jobs.get(waiting).state == "cancelled"
    assert jobs.get(running).state == "running"
    assert jobs.heartbeat(running) is True
    assert jobs.progress(running, 1) is True
    jobs.stopped(running)
    assert jobs.get(running).state == "cancelled"
    jobs.cancel(running)
    assert jobs.get(running).state == "cancelled"
    with pytest.raises(Refused):
        jobs.start(waiting)


def test_a_job_whose_process_is_gone_is_interrupted(store: Store, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tongqiu.store.house import open_store
store = open_store(Path(sys.argv[1]), create=False)
name = store.jobs.create("assess", None, "did:web:anna.example")
store.jobs.start(name)
print(name, flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / ".tongqiu")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert store.jobs.get(name).state == "running"
    process.kill()
    process.communicate(timeout=60)
    assert store.jobs.get(name).state == "interrupted"
    assert [job.state for job in store.jobs.list(Principal(ANNA))] == ["interrupted"]


def test_another_process_with_the_same_number_is_not_the_job(store: Store) -> None:
    name = store.jobs.create("a", None, ANNA)
    store.jobs.start(name)
    assert store.jobs.get(name).state == "running"
    with store.backend._database.write() as connection:  # noqa: SLF001 - as if it had begun at another time
        connection.execute(sa.update(schema.job).values(born="1"))
    assert store.jobs.get(name).state == "interrupted"


def test_a_job_on_another_machine_lives_while_it_speaks(store: Store) -> None:
    name = store.jobs.create("a", None, ANNA)
    store.jobs.start(name)
    with store.backend._database.write() as connection:  # noqa: SLF001 - as if another machine had begun it
        connection.execute(sa.update(schema.job).values(host="elsewhere"))
    assert store.jobs.get(name).state == "running"
    with store.backend._database.write() as connection:  # noqa: SLF001 - it fell silent long ago
        connection.execute(sa.update(schema.job).values(beat=AT[:3] + "0" + AT[4:]))
    assert store.jobs.get(name).state == "interrupted"
    store.jobs.heartbeat(name)
    assert store.jobs.get(name).state == "running"


def test_everyone_lists_only_their_own_jobs(store: Store) -> None:
    mine, other = store.jobs.create("a", None, ANNA), store.jobs.create("b", None, BORIS)
    assert [job.id for job in store.jobs.list(Principal(ANNA))] == [mine]
    assert store.jobs.list(STRANGER) == []
    everyone = store.jobs.list(Principal(ANNA, roles=frozenset({"owner"})))
    assert {job.id for job in everyone} == {mine, other}
    assert len(store.jobs.list(Principal(ANNA, roles=frozenset({"owner"})), limit=1)) == 1


def test_a_job_that_does_not_exist_is_missing(store: Store) -> None:
    for ask in (store.jobs.get, store.jobs.start, store.jobs.heartbeat):
        with pytest.raises(Missing) as raised:
            ask("nobody")
        assert raised.value.code == "job.none"


def test_a_duty_strikes_once_and_survives_a_restart(store: Store, tmp_path: Path) -> None:
    dues = store.dues
    assert dues.note("reply", "sha-256:01", "2026-12-01T00:00:00.000Z") is True
    assert dues.note("reply", "sha-256:01", "2027-01-01T00:00:00.000Z") is False
    assert dues.note("publish", "sha-256:01", "2026-11-30T00:00:00.000Z") is True
    assert dues.due(AT) == []
    store.close()
    with open_store(tmp_path / ".tongqiu", create=False) as again:
        now = "2026-12-01T00:00:00.000Z"
        assert again.dues.due(now) == [
            Due("publish", "sha-256:01", "2026-11-30T00:00:00.000Z"),
            Due("reply", "sha-256:01", "2026-12-01T00:00:00.000Z"),
        ]
        assert again.dues.due(now, limit=1)[0].duty == "publish"
        again.dues.done("publish", "sha-256:01")
        again.dues.done("publish", "sha-256:01")
        assert [due.duty for due in again.dues.due(now)] == ["reply"]
        assert again.dues.note("publish", "sha-256:01", AT) is False
        with pytest.raises(Malformed):
            again.dues.note("reply", "sha-256:02", "tomorrow")


@pytest.mark.system
def test_jobs_and_duties_on_postgres(postgres: str, tmp_path: Path) -> None:
    with open_store(postgres, keys=tmp_path / KEYS, create=True) as store:
        test_a_job_is_asked_to_stop(store)
        test_a_job_that_fails_keeps_the_fault_in_both_languages(store)
        assert store.dues.note("reply", "sha-256:01", AT)
        assert not store.dues.note("reply", "sha-256:01", AT)
        assert [due.duty for due in store.dues.due(AT)] == ["reply"]

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
from tongqiu.store.jobs import MOST_TRIES, MOST_WAITING
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


PERSON, OTHER = "urn:tongqiu:person:" + "1" * 32, "urn:tongqiu:person:" + "2" * 32
OWNER = Principal(ANNA, roles=frozenset({"owner"}))


def change(store: Store, name: str, **values: object) -> None:
    with store.backend._database.write() as connection:  # noqa: SLF001 - as if something had happened outside
        connection.execute(sa.update(schema.job).where(schema.job.c.id == name).values(**values))


def gone(store: Store, name: str) -> None:
    """Let the process of a running job be gone."""
    change(store, name, born="1", beat="2026-01-01T00:00:00.000Z")


def test_what_broke_off_is_taken_up_again_a_few_times(store: Store) -> None:
    jobs = store.jobs
    name = jobs.create("a", {"n": 1}, ANNA)
    for tries in range(1, MOST_TRIES + 1):
        jobs.start(name)
        assert jobs.take_up() == []
        gone(store, name)
        assert jobs.get(name).state == "interrupted"
        assert jobs.take_up() == ([name] if tries < MOST_TRIES else [])
        assert jobs.get(name).tries == tries
    ended = jobs.get(name)
    assert (ended.state, ended.ended()) == ("failed", True)
    assert ended.fault is not None
    assert ended.fault.code == "job.tries"
    assert str(MOST_TRIES) in ended.fault.what.zh


def test_what_was_to_stop_and_broke_off_is_cancelled(store: Store) -> None:
    name = store.jobs.create("a", None, ANNA)
    store.jobs.start(name)
    store.jobs.cancel(name)
    gone(store, name)
    assert store.jobs.take_up() == []
    assert store.jobs.get(name).state == "cancelled"


def test_an_interrupted_job_rests_before_it_is_begun_again(store: Store) -> None:
    name = store.jobs.create("a", None, ANNA)
    store.jobs.start(name)
    gone(store, name)
    store.jobs.take_up()
    assert store.jobs.next() is None
    change(store, name, beat="2026-01-01T00:00:00.000Z")
    assert store.jobs.next() == name


def test_only_the_one_that_was_handed_a_job_goes_on_with_it(store: Store) -> None:
    name = store.jobs.create("a", None, ANNA)
    store.jobs.start(name, handing=True)
    assert store.jobs.get(name).state == "running"
    # Ending the job must not end whoever only holds it.
    assert not store.jobs.end(name)
    with pytest.raises(Refused):
        store.jobs.hand_over(name, 2)
    store.jobs.hand_over(name, os.getpid())
    assert store.jobs.get(name).pid == os.getpid()
    assert not store.jobs.end(name)


def test_a_job_that_nobody_took_over_waits_again_and_fails_in_the_end(store: Store) -> None:
    name = store.jobs.create("a", None, ANNA)
    for _ in range(MOST_TRIES - 1):
        store.jobs.start(name, handing=True)
        store.jobs.leave(name)
        assert store.jobs.get(name).state == "queued"
    assert store.jobs.waiting() == 1
    store.jobs.start(name)
    store.jobs.leave(name)
    assert store.jobs.get(name).state == "failed"
    assert store.jobs.waiting() == 0


def test_nobody_waits_behind_all_the_jobs_of_another(store: Store) -> None:
    jobs = store.jobs
    many = [jobs.create("a", None, ANNA, person=PERSON) for _ in range(4)]
    one = jobs.create("a", None, ANNA, person=OTHER)
    order = []
    for _ in range(5):
        chosen = jobs.next()
        assert chosen is not None
        jobs.start(chosen)
        order.append(chosen)
        if len(order) != 2:
            jobs.finish(chosen)
    assert order[:2] == [many[0], one]
    assert order[2:] == many[1:]
    assert jobs.next() is None
    assert [job.id for job in jobs.running()] == [one]


def test_one_person_does_not_fill_the_queue(store: Store) -> None:
    for _ in range(MOST_WAITING):
        store.jobs.create("a", None, ANNA, person=PERSON)
    with pytest.raises(Refused) as raised:
        store.jobs.create("a", None, ANNA, person=PERSON)
    assert raised.value.code == "job.many"
    store.jobs.create("a", None, ANNA, person=OTHER)


def test_a_job_is_seen_by_who_began_it_and_by_the_owner(store: Store) -> None:
    jobs = store.jobs
    name = jobs.create("a", None, ANNA, person=PERSON)
    for principal in (OWNER, Principal(ANNA, person=PERSON), Principal(None, person=PERSON)):
        assert jobs.seen(name, principal).id == name
        assert [job.id for job in jobs.list(principal)] == [name]
        assert jobs.count(principal, ("queued",)) == 1
    for principal in (STRANGER, Principal(ANNA), Principal(ANNA, person=OTHER), Principal(BORIS)):
        with pytest.raises(Missing) as raised:
            jobs.seen(name, principal)
        assert raised.value.code == "job.none"
        assert jobs.list(principal) == []
        assert jobs.count(principal, ("queued",)) == 0


def test_lists_of_jobs_go_on_and_leave_out_what_was_put_away(store: Store) -> None:
    jobs = store.jobs
    names = [jobs.create("a", None, ANNA) for _ in range(5)]
    seen: list[str] = []
    before = ""
    while page := jobs.list(OWNER, limit=2, before=before):
        seen += [job.id for job in page]
        before = f"{page[-1].created}|{page[-1].id}"
    assert sorted(seen) == sorted(names)
    assert len(seen) == 5
    with pytest.raises(Refused):
        jobs.put_away(names[0])
    jobs.cancel(names[0])
    step = jobs.get(names[0]).step
    jobs.put_away(names[0])
    jobs.put_away(names[0])
    assert jobs.get(names[0]).step == step
    assert {job.id for job in jobs.list(OWNER, away=False)} == set(names[1:])
    jobs.start(names[1])
    gone(store, names[1])
    assert [job.id for job in jobs.list(OWNER, states=("interrupted",))] == [names[1]]
    assert jobs.list(OWNER, states=("running",)) == []
    assert jobs.count(OWNER, ("queued",), most=2) == 3


def test_the_same_work_is_begun_again_under_a_new_name(store: Store) -> None:
    name = store.jobs.create("a", {"n": 1}, ANNA, person=PERSON)
    with pytest.raises(Refused):
        store.jobs.again(name)
    store.jobs.cancel(name)
    new = store.jobs.get(store.jobs.again(name, OTHER))
    assert (new.args, new.owner, new.person, new.state) == ({"n": 1}, ANNA, OTHER, "queued")
    assert store.jobs.get(name).away


def test_jobs_that_ended_long_ago_are_forgotten(store: Store) -> None:
    old, fresh, waits = (store.jobs.create("a", None, ANNA) for _ in range(3))
    for name in (old, fresh):
        store.jobs.start(name)
        store.jobs.finish(name)
    change(store, old, beat="2026-01-01T00:00:00.000Z")
    change(store, waits, beat="2026-01-01T00:00:00.000Z")
    assert store.jobs.sweep() == 1
    assert {job.id for job in store.jobs.list(OWNER)} == {fresh, waits}


def test_ending_a_job_ends_all_it_started(store: Store) -> None:
    code = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print('up', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    name = store.jobs.create("a", None, ANNA)
    assert not store.jobs.end(name)
    store.jobs.start(name, process.pid)
    assert store.jobs.end(name)
    # The pipe closes once the last process that holds it is gone: the one that was started, too.
    assert process.stdout.read() == b""
    process.communicate(timeout=20)
    assert store.jobs.get(name).state == "interrupted"
    assert not store.jobs.end(name)
    with pytest.raises(Missing):
        store.jobs.end("nobody")


def test_clocks_are_read_a_page_at_a_time(store: Store) -> None:
    for number in range(7):
        store.dues.note(
            "b" if number % 2 else "a", f"sha-256:{number:064x}", f"2026-12-0{1 + number // 3}T00:00:00.000Z"
        )
    seen: list[Due] = []
    while page := store.dues.coming(seen[-1] if seen else None, limit=2):
        seen += page
    assert len(set(seen)) == 7
    assert [each.at for each in seen] == sorted(each.at for each in seen)
    store.dues.done(seen[0].duty, seen[0].entry)
    assert store.dues.coming(limit=10) == seen[1:]

"""The sequencer: shared flushes, no lost or false acknowledgement, one fault costs one submission, a bounded queue."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tongqiu.ledger import tree
from tongqiu.ledger.log import Log, Sealed, Submission, check_in
from tongqiu.ledger.memory import MemoryBackend
from tongqiu.ledger.sequencer import BUSY, Sequencer
from tongqiu.ledger.verifiers import Verifiers
from tongqiu.record.faults import Fault, Malformed, Refused, Unproven, Unreachable
from tongqiu.record.text import Text
from tongqiu.seal import keyfile, statement
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tongqiu.ledger.backend import Batch, Reading

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
LOG_KEY, PARTY = keyfile.from_seed(b"l" * 32), keyfile.from_seed(b"p" * 32)
ORIGIN = "log.example/test"


def sealed(name: str, *, files: tuple[bytes, ...] = ()) -> Sealed:
    salt = name.encode().ljust(32, b".")
    data = statement.seal_statement(b"", salt, signer=PARTY, issuer=PARTY.public.did, subject=f"urn:x:{name}")
    return check_in(data, PARTY.public, files=files)


class Gate(MemoryBackend):
    """A backend whose commits can be held back, counted, and made to fail as a disk does."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.commits = 0
        self.broken = False

    def commit(self, plan: Callable[[Reading], tuple[Batch, T]], *, epoch: int) -> T:
        self.open.wait(10)
        self.commits += 1
        if self.broken:
            raise Unreachable("log.storage", Text(en="full", zh="满"), do=Text(en="free", zh="腾"))
        return super().commit(plan, epoch=epoch)


@pytest.fixture
def backend() -> Gate:
    return Gate()


@pytest.fixture
def log(backend: Gate) -> Log:
    return Log(backend, LOG_KEY, ORIGIN)


@pytest.fixture
def sequencer(log: Log) -> Iterator[Sequencer]:
    with Sequencer(log) as made:
        yield made


def test_who_comes_during_a_flush_shares_the_next(backend: Gate, log: Log, sequencer: Sequencer) -> None:
    before = backend.commits
    backend.open.clear()
    answers = [sequencer.submit(Submission((sealed(str(number)),))) for number in range(100)]
    assert not any(answer.done() for answer in answers)
    backend.open.set()
    places = [answer.result(10)[0] for answer in answers]
    assert [place.index for place in places] == list(range(1, 101))
    assert backend.commits - before == 2
    assert log.audit().size == 101
    assert sequencer.counts.entries == 100


def test_who_writes_alone_never_waits_for_company(log: Log) -> None:
    with Sequencer(log, linger=60) as sequencer:
        for number in range(5):
            assert sequencer.record(sealed(str(number)))[0].index == number + 1


def test_a_record_handed_in_many_times_at_once_has_one_place(log: Log, sequencer: Sequencer) -> None:
    items = [sealed(str(number)) for number in range(10)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda number: sequencer.record(items[number % 10])[0], range(400)))
    assert len({(place.entry, place.index) for place in found}) == 10
    assert sum(place.fresh for place in found) == 10
    assert log.audit().size == 11


def test_a_refusal_and_a_bug_cost_only_their_own_submission(backend: Gate, log: Log, sequencer: Sequencer) -> None:
    def refuse(_: Reading) -> None:
        raise Refused("test.no", Text(en="no", zh="否"), do=Text(en="ask", zh="问"))

    def bug(_: Reading) -> None:
        raise ZeroDivisionError

    backend.open.clear()
    first = sequencer.submit(Submission((sealed("first"),)))
    good = sequencer.submit(Submission((sealed("good"),)))
    refused = sequencer.submit(Submission((sealed("refused"),), refuse))
    unstaged = sequencer.submit(Submission((sealed("unstaged", files=(b"f" * 32,)),)))
    broken = sequencer.submit(Submission((sealed("broken"),), bug))
    last = sequencer.submit(Submission((sealed("last"),)))
    backend.open.set()
    assert [answer.result(10)[0].index for answer in (first, good, last)] == [1, 2, 3]
    for answer, kind, code in ((refused, Refused, "test.no"), (unstaged, Refused, "log.batch")):
        error = answer.exception(10)
        assert isinstance(error, kind)
        assert error.code == code
    assert isinstance(broken.exception(10), ZeroDivisionError)
    assert log.audit().size == 4


def test_append_answers_in_order_with_outcomes(sequencer: Sequencer) -> None:
    def refuse(_: Reading) -> None:
        raise Refused("test.no", Text(en="no", zh="否"), do=Text(en="ask", zh="问"))

    one, two = sealed("one"), sealed("two")
    outcomes = sequencer.append([Submission((one, two)), Submission((sealed("no"),), refuse), Submission((one,))])
    assert isinstance(outcomes[0], tuple)
    assert [place.index for place in outcomes[0]] == [1, 2]
    assert isinstance(outcomes[1], Refused)
    assert isinstance(outcomes[2], tuple)
    assert not outcomes[2][0].fresh


def test_a_failing_disk_is_told_to_everyone_and_nothing_is_acknowledged(
    backend: Gate, log: Log, sequencer: Sequencer
) -> None:
    items = [sealed(str(number)) for number in range(8)]
    backend.broken = True
    answers = [sequencer.submit(Submission((item,))) for item in items]
    for answer in answers:
        error = answer.exception(10)
        assert isinstance(error, Unreachable)
        assert error.code == "log.storage"
    assert log.audit().size == 1
    backend.broken = False
    assert {sequencer.record(item)[0].fresh for item in items} == {True}


def test_a_log_that_was_taken_over_is_told_to_everyone(backend: Gate, sequencer: Sequencer) -> None:
    backend.fence()
    with pytest.raises(Refused) as raised:
        sequencer.append([Submission((sealed("late"),)), Submission((sealed("later"),))])
    assert raised.value.code == "log.fenced"


def test_a_full_queue_turns_away_at_once_and_keeps_nothing(backend: Gate, log: Log) -> None:
    with Sequencer(log, queue=10) as sequencer:
        backend.open.clear()
        taken = [sequencer.submit(Submission((sealed("head"),)))]
        turned, faults = 0, set()
        for number in range(50):
            try:
                taken.append(sequencer.submit(Submission((sealed(str(number)),))))
            except Unreachable as fault:
                faults.add((fault.code, fault.values["retry_after"]))
                turned += 1
        assert faults == {(BUSY, "1")}
        # At most ten wait, and at most ten more are in the group in hand.
        assert 30 <= turned <= 41
        assert sequencer.counts.turned_away == turned
        backend.open.set()
        assert [answer.result(10)[0].index for answer in taken] == list(range(1, 52 - turned))
    assert log.audit().size == 52 - turned


def test_one_larger_than_the_queue_is_taken_when_nothing_waits(log: Log) -> None:
    with Sequencer(log, queue=2, most=2) as sequencer:
        assert len(sequencer.record(*(sealed(str(number)) for number in range(7)))) == 7


def test_closing_answers_all_that_waits_and_takes_no_more(backend: Gate, log: Log) -> None:
    sequencer = Sequencer(log)
    backend.open.clear()
    answers = [sequencer.submit(Submission((sealed(str(number)),))) for number in range(20)]
    closing = threading.Thread(target=sequencer.close)
    closing.start()
    backend.open.set()
    closing.join(10)
    assert [answer.result(0)[0].index for answer in answers] == list(range(1, 21))
    with pytest.raises(Unreachable) as raised:
        sequencer.submit(Submission((sealed("late"),)))
    assert raised.value.code == "log.stopped"
    sequencer.close()


def test_who_gives_up_before_his_turn_is_left_out(backend: Gate, log: Log, sequencer: Sequencer) -> None:
    backend.open.clear()
    first = sequencer.submit(Submission((sealed("first"),)))
    gone = sequencer.submit(Submission((sealed("gone"),)))
    last = sequencer.submit(Submission((sealed("last"),)))
    given_up = gone.cancel()
    backend.open.set()
    assert first.result(10)[0].index == 1
    assert last.result(10)[0].index == (2 if given_up else 3)
    assert log.audit().size == (3 if given_up else 4)


class Hammer(RuleBasedStateMachine):
    """Submissions, duplicates, failures and restarts in any order: what was acknowledged stays, in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.backend = Gate()
        self.log = Log(self.backend, LOG_KEY, ORIGIN)
        self.sequencer = Sequencer(self.log, most=4, queue=64)
        self.places: dict[bytes, int] = {}

    @rule(names=st.lists(st.integers(0, 30), min_size=1, max_size=12))
    def submit(self, names: list[int]) -> None:
        items = [sealed(str(name)) for name in names]
        answers = [(item, self.sequencer.submit(Submission((item,)))) for item in items]
        for item, answer in answers:
            error = answer.exception(10)
            if self.backend.broken:
                assert isinstance(error, Unreachable)
                continue
            (place,) = answer.result()
            assert place.fresh is (item.entry not in self.places)
            assert self.places.setdefault(item.entry, place.index) == place.index

    @rule()
    def disk(self) -> None:
        self.backend.broken = not self.backend.broken

    @precondition(lambda self: not self.backend.broken)
    @rule()
    def restart(self) -> None:
        self.sequencer.close()
        self.log = Log(self.backend, LOG_KEY, ORIGIN)
        self.sequencer = Sequencer(self.log, most=4, queue=64)

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        assert self.log.audit().size == 1 + len(self.places)
        assert {entry: self.backend.find(entry) for entry in self.places} == self.places

    def teardown(self) -> None:
        self.sequencer.close()


TestHammer = Hammer.TestCase
TestHammer.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


WRITER = """
    import sys
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path
    from tests.ledger.test_sequencer import LOG_KEY, ORIGIN, sealed
    from tongqiu.ledger.log import Log
    from tongqiu.ledger.sequencer import Sequencer
    from tongqiu.store.house import open_store

    name = sys.argv[2]
    with open_store(Path(sys.argv[1]), create=True) as store:
        with Sequencer(Log(store.backend, LOG_KEY, ORIGIN)) as sequencer, ThreadPoolExecutor(8) as pool:
            # Half of it all four say alike, at the same time.
            names = [f"shared-{at}" if at % 2 else f"{name}-{at}" for at in range(120)]
            for place in pool.map(lambda each: sequencer.record(sealed(each))[0], names):
                print(place.index, place.entry.hex())
"""


def test_four_processes_with_sequencers_make_one_log(tmp_path: Path) -> None:
    open_store(tmp_path, create=True).close()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path), f"w{number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for number in range(4)
    ]
    places: dict[int, str] = {}
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
        for line in output.decode().splitlines():
            index, entry = line.split()
            assert places.setdefault(int(index), entry) == entry
    assert len(places) == len(set(places.values())) == 4 * 60 + 60
    with open_store(tmp_path, create=False) as store:
        head = Log(store.backend, LOG_KEY, ORIGIN).audit()
        entries = store.backend.entries(0, head.size)
        assert head.size == 301
        assert {index: entries[index].hex() for index in places} == places
        assert tree.grow(0, (), entries, lambda *_: b"").root == head.root


def test_a_worker_that_dies_is_no_verdict_and_the_next_call_has_another() -> None:
    others = set(multiprocessing.active_children())
    key, good = PARTY.public.cose_key(), sealed("1")
    with Verifiers(1) as workers:
        assert workers.check([good.statement], [key]).result(60) == [good]
        pending = workers.check([good.statement] * 8_000, [key] * 8_000)
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        with pytest.raises(Unreachable) as raised:
            pending.result(60)
        assert raised.value.code == "log.workers"
        assert workers.check([good.statement], [key]).result(60) == [good]


def test_workers_check_many_statements_and_name_the_bad_ones(log: Log) -> None:
    good = [sealed(str(number)).statement for number in range(50)]
    forged = good[7][:-1] + bytes([good[7][-1] ^ 1])
    batch = [*good[:20], forged, b"\xd2\x80", *good[20:]]
    key = PARTY.public.cose_key()
    with Verifiers(2) as workers:
        found = workers.check(batch, [key] * len(batch)).result(60)
        other = workers.check(good[:1], [LOG_KEY.public.cose_key()]).result(60)
        salts = [(b"", str(number).encode().ljust(32, b".")) for number in (0, 2)]
        whole = workers.check(good[:2], [key, key], salts).result(60)
        carrying = workers.check([statement.with_receipts(good[3], [b"a receipt"])], [key]).result(60)
    assert carrying == [sealed("3")]
    assert isinstance(found[20], Unproven)
    assert isinstance(found[21], Malformed)
    assert isinstance(other[0], Unproven)
    assert isinstance(whole[0], Sealed)
    assert whole[0].content == b""
    assert isinstance(whole[1], Unproven)
    assert whole[1].code == "statement.content"
    items = [each for each in found if not isinstance(each, Fault)]
    assert items == [sealed(str(number)) for number in range(50)]
    with Sequencer(log) as sequencer:
        assert len(sequencer.record(*items)) == 50

"""A log under random use: batches, duplicates from several threads at once, erasures, reopening, and a copy that is fenced.

Whatever the order, one model must explain everything that can be seen: a record has one place for ever, the tree is that of
the records in this order, and every receipt and checkpoint proves it.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tongqiu.ledger import checkpoint, receipt, tree
from tongqiu.ledger.log import Log, Logged, Sealed, Submission, check_in
from tongqiu.ledger.memory import MemoryBackend
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.text import Text
from tongqiu.seal import keyfile, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.ledger.log import Outcome

ORIGIN = "log.example/machine"
SIGNER, PARTY = keyfile.from_seed(b"m" * 32), keyfile.from_seed(b"p" * 32)
KEY = checkpoint.NoteKey(ORIGIN, SIGNER.public)


def sealed(number: int) -> Sealed:
    content, salt = b"%d" % number, hashlib.sha256(b"salt %d" % number).digest()
    data = statement.seal_statement(content, salt, signer=PARTY, issuer=PARTY.public.did, subject=f"urn:x:{number % 3}")
    return check_in(data, PARTY.public, content=content, salt=salt)


RECORDS = [sealed(number) for number in range(40)]
NUMBERS = st.lists(st.integers(0, len(RECORDS) - 1), min_size=1, max_size=5)


class LogMachine(RuleBasedStateMachine):
    """The log, and beside it the list of entries that it must be."""

    def __init__(self) -> None:
        super().__init__()
        self.backend = MemoryBackend()
        self.ticks = 0
        self.entries: list[bytes] = []
        self.erased: set[bytes] = set()
        self.notes: dict[str, tuple[bytes, ...]] = {}
        self.heads: list[tuple[int, bytes]] = []
        self.held: dict[bytes, bytes] = {}

    def clock(self) -> str:
        # Sometimes the clock stands still; the times of the log never go back all the same.
        self.ticks += 1
        return f"2026-11-23T10:{self.ticks // 3 % 60:02}:00.000Z"

    @initialize()
    def begin(self) -> None:
        self.log = Log(self.backend, SIGNER, ORIGIN, clock=self.clock)
        self.entries = list(self.backend.entries(0, 1))

    def expect(self, submissions: Sequence[Submission], outcomes: Sequence[Outcome]) -> None:
        """Work out what must have happened, one submission after the other."""
        for submission, outcome in zip(submissions, outcomes, strict=True):
            if submission.done is not None and submission.done in self.notes:
                wanted, fresh = self.notes[submission.done], set[bytes]()
            else:
                wanted = tuple(item.entry for item in submission.items)
                fresh = set(wanted) - set(self.entries)
                if submission.admit is not None and fresh:
                    assert isinstance(outcome, Refused)
                    continue
                self.entries += [entry for entry in dict.fromkeys(wanted) if entry in fresh]
                if submission.done is not None:
                    self.notes[submission.done] = wanted
            assert isinstance(outcome, tuple)
            assert [(one.entry, one.index, one.fresh) for one in outcome] == [
                (entry, self.entries.index(entry), entry in fresh) for entry in wanted
            ]

    @rule(batches=st.lists(NUMBERS, min_size=1, max_size=4), key=st.none() | st.sampled_from("abc"))
    def append(self, batches: list[list[int]], key: str | None) -> None:
        submissions = [Submission(tuple(RECORDS[number] for number in batch), done=key) for batch in batches]
        self.expect(submissions, self.log.append(submissions))

    @rule(good=NUMBERS, bad=NUMBERS)
    def refuse_one(self, good: list[int], bad: list[int]) -> None:
        def refuse(_reading: object) -> None:
            raise Refused("test.no", Text(en="No.", zh="不。"), do=Text(en="Stop.", zh="请停止。"))

        submissions = [
            Submission(tuple(RECORDS[number] for number in bad), admit=refuse),
            Submission(tuple(RECORDS[number] for number in good)),
        ]
        self.expect(submissions, self.log.append(submissions))

    @rule(batches=st.lists(NUMBERS, min_size=2, max_size=4))
    def append_at_once(self, batches: list[list[int]]) -> None:
        """The same and other records from several threads: each is logged once, and one caller is told that it is new."""
        before, answers, gate = set(self.entries), list[Logged](), threading.Barrier(len(batches))

        def work(batch: list[int]) -> None:
            gate.wait()
            answers.extend(self.log.record(*(RECORDS[number] for number in batch)))

        threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        new = {RECORDS[number].entry for batch in batches for number in batch} - before
        found = list(self.backend.entries(0, self.backend.head().size))
        assert found[: len(self.entries)] == self.entries
        assert sorted(found[len(self.entries) :]) == sorted(new)
        self.entries = found
        assert {one.entry for one in answers if one.fresh} == new
        assert all(found[one.index] == one.entry for one in answers)

    @precondition(lambda self: len(self.entries) > 1)
    @rule(data=st.data(), number=st.integers(0, len(RECORDS) - 1))
    def erase(self, data: st.DataObject, number: int) -> None:
        if RECORDS[number].entry in self.entries:
            return
        gone = data.draw(st.sampled_from(self.entries[1:]))
        tombstone = Submission((RECORDS[number],), erase=(gone,))
        self.expect([tombstone], self.log.append([tombstone]))
        self.erased.add(gone)

    @rule()
    def open_again(self) -> None:
        self.log = Log(self.backend, SIGNER, ORIGIN, clock=self.clock)

    @rule(number=st.integers(0, len(RECORDS) - 1))
    def fence_a_copy(self, number: int) -> None:
        copy = self.log
        self.backend.fence()
        with pytest.raises(Refused) as raised:
            copy.record(RECORDS[number])
        assert raised.value.code == "log.fenced"
        self.log = Log(self.backend, SIGNER, ORIGIN, clock=self.clock)

    @precondition(lambda self: len(self.entries) > 1)
    @rule(data=st.data())
    def take_a_receipt(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.entries) - 1))
        self.held[self.entries[index]] = self.log.receipt(index)
        with pytest.raises(Missing):
            self.log.receipt(len(self.entries))

    @rule()
    def publish(self) -> None:
        tip = checkpoint.verify(self.log.checkpoint(), KEY)
        assert (tip.size, tip.root) == (len(self.entries), tree.grow(0, (), self.entries, lambda *_: b"").root)
        reader = tree.Tiles(self.backend.tile)
        for size, root in self.heads:
            tree.verify_consistency(size, tip.size, root, tip.root, reader.consistency(size, tip.size))
        self.heads.append((tip.size, tip.root))

    @rule()
    def audit(self) -> None:
        assert self.log.audit().size == len(self.entries)

    @invariant()
    def every_record_is_where_it_was_put(self) -> None:
        assert list(self.backend.entries(0, 1000)) == self.entries
        times = [row.logged_at for row in self.backend.rows(0, 1000)]
        assert times == sorted(times)

    @invariant()
    def erased_is_erased(self) -> None:
        for row in self.backend.rows(0, 1000):
            assert row.erased is (row.entry in self.erased)
            assert (row.content is None) is row.erased

    @invariant()
    def every_receipt_goes_on_holding(self) -> None:
        for entry, data in self.held.items():
            proven = receipt.verify_receipt(data, entry, SIGNER.public, origin=ORIGIN)
            assert self.entries[proven.index] == entry


TestLog = LogMachine.TestCase
TestLog.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)

"""What is disturbed, and who says afterwards whether anything was lost: one scene for each program of ``program.py``.

In every scene the judge starts on what the disturbed program left, as its owner would: the log must re-derive, hold all that
was acknowledged, and no half of anything; and the same must be taken again exactly once.
"""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

from tests.faults import disturb
from tests.ledger.said_before_cut import Judge
from tests.ledger.test_sequencer import LOG_KEY, ORIGIN, sealed
from tongqiu.ledger.log import Log
from tongqiu.node import open_node
from tongqiu.record import core
from tongqiu.record.faults import Fault
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.faults.disturb import Place, Ran


class Scene:
    """One program, disturbed in folders below ``base``."""

    what = ""

    def __init__(self, base: Path) -> None:
        """Let the program run undisturbed once and count its calls."""
        self.base = base
        base.mkdir()
        self.whole = self.fresh(-1)
        with disturb.Server() as server:
            self.counted = disturb.count(server, self.what, self.whole)
        self.ends = Counter[str]()

    def fresh(self, number: int) -> Path:
        """Return a folder for one run, as the program wants it."""
        return self.base / f"run{number}"

    def judge(self, folder: Path, ran: Ran) -> str:
        """Return what is wrong, or nothing; the folder is not needed afterwards."""
        if ran.end == "crashed":
            return ran.fault
        try:
            return self.found(folder, ran)
        except Fault as fault:
            return f"no start: {fault.code}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def found(self, folder: Path, ran: Ran) -> str:
        """Start on what is left in ``folder`` and return what is broken there."""
        raise NotImplementedError

    def wrong(self, step: int = 1) -> Iterator[tuple[Place, str]]:
        """Disturb it at every place (or see :func:`disturb.places`), count the ends, and yield what went wrong."""
        for place, folder, ran in disturb.sweep(disturb.places(self.counted, step), self.what, self.fresh):
            self.ends[ran.end] += 1
            if fault := self.judge(folder, ran):
                yield place, fault


class Publish(Scene):
    """One record through the sequencer, into a store that holds another."""

    what = "publish"

    def __init__(self, base: Path) -> None:
        """Make the store to begin with."""
        self._start = base.with_name(base.name + "-start")
        with open_store(self._start, create=True) as store:
            Log(store.backend, LOG_KEY, ORIGIN).record(sealed("old"))
            self._before = store.backend.head().size
        super().__init__(base)

    def fresh(self, number: int) -> Path:
        """Return a copy of it."""
        return shutil.copytree(self._start, super().fresh(number))

    def found(self, folder: Path, ran: Ran) -> str:
        """Find the record whole or not at all, and log it again."""
        before = self._before
        with open_store(folder, create=False) as store:
            log = Log(store.backend, LOG_KEY, ORIGIN)
            size = log.audit().size
            if ran.told and size != before + 1:
                return f"lost: {ran.told}"
            if size not in {before, before + 1}:
                return f"another size: {size}"
            if log.record(sealed("new"))[0].fresh is not (size == before) or log.audit().size != before + 1:
                return "not logged once"
        return ""


class Store(Scene):
    """A store from nothing: groups, repetitions, a file, an erasure, and once more after it was closed."""

    what = "store"

    def __init__(self, base: Path) -> None:
        """Learn from the undisturbed run how the story ends."""
        super().__init__(base)
        self._judge = Judge(self.whole)

    def found(self, folder: Path, ran: Ran) -> str:
        """Ask who knows the story."""
        return self._judge.fault_in(folder, ran.told, create=True)


class Node(Scene):
    """A node from its first key on, two records of a thread and an erasure."""

    what = "node"

    def found(self, folder: Path, ran: Ran) -> str:
        """Start it again, find what was told, and publish once more."""
        subject = Subject("system", "urn:tongqiu:test:after", None, "One")
        with open_node(folder, create=True, name="Laboratory") as node:
            size = node.log.audit().size
            entries = ["sha-256:" + each.hex() for each in node.log.reading.entries(0, size)]
            if fault := _missing(ran.told, entries):
                return fault
            erased = sum(row.erased for row in node.log.reading.rows(0, size))
            if not ("erased" in ran.told) <= erased <= 1:
                return f"erased: {erased}"
            said = Said(core.COMPOSITION.name, subject, core.Composition(parts=(), purpose="again"))
            (again,) = node.publish([said])
            return "" if node.log.audit().size == again.index + 1 else "what comes after is not taken"


def _missing(told: Sequence[str], entries: Sequence[str]) -> str:
    for each in told:
        what, *named = each.split()
        if what == "logged" and (int(named[0]) >= len(entries) or entries[int(named[0])] != named[1]):
            return f"lost: {each}"
    return ""


SCENES = (Publish, Store, Node)

__all__ = ["SCENES", "Node", "Publish", "Scene", "Store"]

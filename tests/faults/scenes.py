"""What is disturbed, and who says afterwards whether anything was lost: one scene for each program of ``program.py``.

In every scene the judge starts on what the disturbed program left, as its owner would: the log must re-derive, hold all that
was acknowledged, and no half of anything; and the same must be taken again exactly once.
"""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

from tests.faults import disturb
from tests.faults.program import PERSONAL, begin
from tests.ledger.said_before_cut import PLANTED, Judge
from tests.ledger.test_sequencer import LOG_KEY, ORIGIN, sealed
from tests.store.paper import NOTES
from tongqiu.ledger import tree
from tongqiu.ledger.log import Log
from tongqiu.node import open_node
from tongqiu.record import core
from tongqiu.record.faults import Fault
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.store.house import open_store
from tongqiu.store.keys import DESTROYED, KEYS

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


class Erase(Scene):
    """An erasure: of a record with a file and rows in a registry, and then of every byte and key of it."""

    what = "erase"

    def __init__(self, base: Path) -> None:
        """Make the store to begin with."""
        self._start = base.with_name(base.name + "-start")
        with open_store(self._start, create=True) as store:
            begin(store)
            self._row = store.backend.row(PERSONAL)
        super().__init__(base)

    def fresh(self, number: int) -> Path:
        """Return a copy of it."""
        return shutil.copytree(self._start, super().fresh(number))

    def found(self, folder: Path, ran: Ran) -> str:
        """Find the record whole, or erased with a tombstone and no byte or key left; erase it then if it is whole."""
        if "scrubbed" in ran.told and (left := _left(folder)):
            return f"not scrubbed: {left}"
        before = PERSONAL + 2
        with open_store(folder, create=False) as store:
            size, row = store.backend.head().size, store.backend.row(PERSONAL)
            if size not in {before, before + 1} or ("erased" in ran.told and size == before):
                return f"another size: {size}"
            if size == before:
                if row != self._row or store.backend.blob(row.columns.files[0]).read() != PLANTED * 20_000:
                    return "content is gone without a tombstone"
                begin(store).erase(PERSONAL)
                store.backend.scrub()
            row = store.backend.row(PERSONAL)
            registry = store.registry([NOTES])
            registry.catch_up()
            if not row.erased or row.content is not None or registry.position(NOTES.name) != before:
                return "not erased"
            if left := _left(folder):
                return f"left after a start: {left}"
            entries = list(store.backend.entries(0, before + 1))
            whole = tree.grow(0, (), entries, lambda *_: b"").root == store.backend.head().root
            return "" if whole else "another tree"


def _left(folder: Path) -> list[str]:
    """Return what is left of the erased record in the files of a store: its bytes, or a key of its two."""
    found = [path.name for path in folder.iterdir() if PLANTED in path.read_bytes()]
    marks = (folder / KEYS).read_bytes().count(DESTROYED)
    return found if marks == 2 else [*found, f"{marks} of 2 keys destroyed"]


def _missing(told: Sequence[str], entries: Sequence[str]) -> str:
    for each in told:
        what, *named = each.split()
        if what == "logged" and (int(named[0]) >= len(entries) or entries[int(named[0])] != named[1]):
            return f"lost: {each}"
    return ""


SCENES = (Publish, Store, Node, Erase)

__all__ = ["SCENES", "Erase", "Node", "Publish", "Scene", "Store"]

"""Clocks that strike by themselves: legal deadlines, reply periods, re-assessments, kept across restarts.

A duty's clock is set when a record that it reads is logged, and strikes once it is due, whoever is at the desk. What it
says is logged under a key of its own, so a crash between saying and noting leads to one record, not two.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.ledger.backend import Where
from tongqiu.node.discovery import matches
from tongqiu.node.world import LentWorld
from tongqiu.practice import load
from tongqiu.record.faults import Fault, Missing

if TYPE_CHECKING:
    from tongqiu.node.node import Node
    from tongqiu.practice import Duty
    from tongqiu.record.statement import Statement

_PAGE = 500


class Struck(NamedTuple):
    """A duty that was done, or could not be: its name, the entry it was about, and the fault if there was one."""

    duty: str
    entry: str
    fault: Fault | None


class Duties:
    """The clocks of one node; :meth:`tick` is all there is, and :meth:`keep` calls it from a thread."""

    def __init__(self, node: Node, *, patience: float = 1.0) -> None:
        """Keep the duties of ``node``; nothing runs until :meth:`tick`. ``patience`` are the seconds between two."""
        self._node, self._patience = node, patience
        self._seen = -1
        self._stop = threading.Event()

    def tick(self) -> list[Struck]:
        """Set the clocks of records that are new, then do all that is due; return what was done.

        A duty that fails stays due and is tried again at the next tick; it never stops another. The clock of a record
        that was withdrawn or replaced does not strike: what replaced it has set its own (ADR 0040).
        """
        self.set()
        struck = []
        for due in self._node.store.dues.due(self._node.now):
            duty = next((each for each in self._node.practices.duties if each.name == due.duty), None)
            if duty is None:
                continue
            try:
                statement = self._node.statement(due.entry)
                if self._node.snapshot().stands(statement):
                    self._act(duty, statement)
            except Missing:
                fault: Fault | None = None
            except Fault as error:
                struck.append(Struck(due.duty, due.entry, error))
                continue
            else:
                fault = None
            self._node.store.dues.done(due.duty, due.entry)
            struck.append(Struck(due.duty, due.entry, fault))
        return struck

    def keep(self) -> threading.Thread:
        """Tick in a thread, about once a second unless made otherwise, until :meth:`rest`; return the thread."""
        thread = threading.Thread(target=self._run, name="duties", daemon=True)
        thread.start()
        return thread

    def rest(self) -> None:
        """Stop the thread of :meth:`keep`."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._patience):
            try:
                self.tick()
            except Fault:
                continue

    def set(self) -> None:
        """Set the clocks of records that are new, and let none strike."""
        duties = self._node.practices.duties
        top = self._node.store.backend.head().size
        if not duties or self._seen >= top - 1:
            return
        patterns = {pattern for duty in duties for pattern in duty.reads}
        exact = patterns if not any("*" in pattern for pattern in patterns) else {None}
        for kind in exact:
            after = self._seen
            while True:
                page = self._node.store.statements(
                    after=after, limit=_PAGE, where=Where(kind=kind), principal=self._node.owner, now=self._node.now
                )
                for statement in page:
                    self._note(duties, statement)
                if len(page) < _PAGE:
                    break
                after = page[-1].index
        self._seen = top - 1

    def _note(self, duties: tuple[Duty, ...], statement: Statement) -> None:
        for duty in duties:
            if any(matches(pattern, statement.kind) for pattern in duty.reads):
                at = load(duty.when)(statement)
                if at is not None:
                    self._node.store.dues.note(duty.name, statement.entry, at)

    def _act(self, duty: Duty, statement: Statement) -> None:
        node = self._node
        with tempfile.TemporaryDirectory(prefix="tongqiu-duty-") as scratch:
            world = LentWorld(
                duty.needs,
                folder=Path(scratch),
                reads=(),
                scratch=Path(scratch),
                report=lambda _done, _total: None,
                clock=node.clock,
            )
            said = list(load(duty.act)(statement, world, node.desk(node.owner)))
        if said:
            node.publish(said, by=f"{duty.name}@duty", done=f"duty:{duty.name}:{statement.entry}")

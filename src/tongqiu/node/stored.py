"""Where a node's snapshots find their statements: in the store, bound to what one principal may read at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.ledger.backend import Where
from tongqiu.node.ask import Ending, is_entry
from tongqiu.node.discovery import matches
from tongqiu.record.statement import read_content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tongqiu.node.home import Home
    from tongqiu.record.audience import Principal
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject
    from tongqiu.store.house import Store

_PAGE = 500


class Stored:
    """The source of a node's snapshots (:class:`tongqiu.node.ask.Source`)."""

    def __init__(self, home: Home, store: Store, principal: Principal, now: str) -> None:
        """Bind the source to what ``principal`` may read at ``now`` (RFC 3339 UTC)."""
        self._home, self._store, self._principal, self._now = home, store, principal, now

    def find(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Iterator[Statement]:
        """Yield every readable statement that fits, by the narrowest index there is."""
        if ref is not None and not is_entry(ref):
            return
        exact = None if "*" in kind else kind
        reference = _raw(ref) if ref else None
        slot = self._home.thread(thread) or None
        wheres = [Where(kind=exact, thread=slot, ref=reference)]
        # By reference, a peer's records are found too, which name the subject by the peer's own pseudonym; they are few
        # enough to be read.
        if subject is not None and reference is None:
            wheres = [Where(kind=exact, subject=self._home.pseudonym(subject.id), thread=slot)]
            named = (subject.id, subject.digest) if subject.digest else (subject.id,)
            wheres += [Where(kind=exact, thread=slot, ref=self._home.mark(each)) for each in named]
        for where in wheres:
            for each in self._pages(where):
                about = subject is None or each.subject.same(subject)
                if about and matches(kind, each.kind) and (thread is None or each.content.thread == thread):
                    yield each

    def endings(self, statements: Collection[Statement]) -> Iterator[Ending]:
        """Yield when each of ``statements`` was withdrawn or replaced by its own issuer.

        The log's own note decides, so a correction whose content was erased still counts, from when it was logged.
        """
        found = self._store.corrections([_raw(each.entry) for each in statements])
        for entry, places in found.items():
            for index in places:
                row = self._store.backend.row(index)
                said = row.logged_at if row.content is None else read_content(row.content).at
                yield Ending(f"sha-256:{entry.hex()}", index, said, row.logged_at)

    def _pages(self, where: Where) -> Iterator[Statement]:
        after = -1
        while True:
            page = self._store.statements(
                after=after, limit=_PAGE, where=where, principal=self._principal, now=self._now
            )
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].index


def _raw(entry: str) -> bytes:
    return bytes.fromhex(entry.removeprefix("sha-256:"))

"""Where a node's snapshots find their statements: in the store, bound to what one principal may read at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.ledger.backend import Where
from tongqiu.node.discovery import matches

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
        exact = None if "*" in kind else kind
        reference = _raw(ref) if ref else None
        wheres = [Where(kind=exact, thread=thread, ref=reference)]
        # By reference, a peer's records are found too, which name the subject by the peer's own pseudonym; they are few
        # enough to be read.
        if subject is not None and reference is None:
            wheres = [Where(kind=exact, subject=self._home.pseudonym(subject.id), thread=thread)]
            named = (subject.id, subject.digest) if subject.digest else (subject.id,)
            wheres += [Where(kind=exact, thread=thread, ref=self._home.mark(each)) for each in named]
        for where in wheres:
            for each in self._pages(where):
                if matches(kind, each.kind) and (subject is None or each.subject.same(subject)):
                    yield each

    def corrections(self, statements: Collection[Statement]) -> Iterator[Statement]:
        """Yield every readable withdrawal and replacement of ``statements`` by their own issuers."""
        found = self._store.corrections([_raw(each.entry) for each in statements])
        for index in sorted({index for by in found.values() for index in by}):
            yield from self._store.statements(after=index - 1, limit=1, principal=self._principal, now=self._now)

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

"""One person's or one party's place at the node: what it may read, what it may say, and nothing that it may not see.

What a desk may not show looks exactly like what does not exist: the same fault, the same words, the same counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tongqiu.node.ask import is_entry
from tongqiu.practice import Found, Measured, Table
from tongqiu.record import core
from tongqiu.record.audience import Principal
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.subject import Subject, is_id
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tongqiu.ledger.log import Log
    from tongqiu.node.ask import Snapshot
    from tongqiu.node.discovery import Practices
    from tongqiu.node.home import Home
    from tongqiu.practice import Clock
    from tongqiu.record.statement import Asked, Said, Statement
    from tongqiu.store.house import Store
    from tongqiu.store.registry import Registry

_PIECE = 1 << 16
_DEPTH = 12
_CURSOR = re.compile(r"[0-9]{1,18}")


class Explained(NamedTuple):
    """A record and, below it, every record it rests on; ``asked`` are the questions whose answers it weighed.

    ``why`` is empty for a first measurement, and for a record that was shown higher up already (``again``). ``hidden``
    are entries it rests on that may not be read here, or are not here.
    """

    statement: Statement
    why: tuple[Explained, ...]
    asked: tuple[Asked, ...]
    hidden: tuple[str, ...] = ()
    again: bool = False


class Keeper(Protocol):
    """What a desk needs of the node it stands in."""

    home: Home
    store: Store
    log: Log
    practices: Practices
    registry: Registry
    clock: Clock

    @property
    def me(self) -> str:
        """Return the DID of the node's own party."""
        ...

    @property
    def now(self) -> str:
        """Return the present instant."""
        ...

    def snapshot(self, principal: Principal | None = None) -> Snapshot:
        """Return what a principal may read, frozen now."""
        ...

    def statement(self, entry: str, principal: Principal | None = None) -> Statement:
        """Return one readable record."""
        ...

    def publish(self, said: Sequence[Said]) -> tuple[Statement, ...]:
        """Seal and log records."""
        ...


class NodeDesk:
    """The :class:`tongqiu.practice.Desk` of a real node, and the readings that pages and commands need."""

    def __init__(self, node: Keeper, principal: Principal) -> None:
        """Sit ``principal`` down at ``node``."""
        self._node = node
        self._me = principal

    @property
    def me(self) -> Principal:
        """Return who is at the desk."""
        return self._me

    @property
    def issuer(self) -> str:
        """Return the DID of the party whose node this is."""
        return self._node.me

    @property
    def now(self) -> str:
        """Return the present instant."""
        return self._node.now

    # --- records -----------------------------------------------------------------------------------------------------

    def said(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Sequence[Statement]:
        """Return the readable statements that stand."""
        return self._node.snapshot(self._me).said(kind, subject=subject, thread=thread, ref=ref)

    def record(self, entry: str) -> Statement:
        """Return one record. Raises Missing (``record.missing``)."""
        return self._node.statement(entry, self._me)

    def records(
        self, *, kind: str = "", subject: str = "", search: str = "", after: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Statement], str | None]:
        """Return up to ``limit`` readable records, newest first, and the cursor of the next page or None.

        ``kind`` and ``subject`` (an identifier) narrow; ``search`` looks in names, identifiers and kinds.
        """
        found: list[Statement] = []
        for each in self._newest_first(int(after) if after and _CURSOR.fullmatch(after) else None, kind, subject):
            if not search or _mentions(each, search):
                found.append(each)
            if len(found) > limit:
                return found[:limit], str(found[limit - 1].index)
        return found, None

    def head(self, thread: str) -> Statement | None:
        """Return the last readable statement of a thread."""
        found = sorted(self.said("*", thread=thread), key=lambda each: each.index)
        return found[-1] if found else None

    def retired_by(self, entry: str) -> Statement | None:
        """Return the withdrawal or replacement that ended a record, or None while it stands."""
        from tongqiu.node.ask import SUPERSESSION, WITHDRAWAL, retires

        issuer = self.record(entry).issuer
        for kind in (WITHDRAWAL, SUPERSESSION):
            for each in self.said(kind, ref=entry):
                if retires(each) == entry and each.issuer == issuer:
                    return each
        return None

    def replies(self, entry: str) -> Sequence[Statement]:
        """Return the readable replies to a record, or to one that it took the place of, in order of the log.

        What it replaced need not be readable: that a reply one may read belongs to a record one may read is no secret.
        """
        statement = self.record(entry)
        found = [
            each for each in self.said(core.REPLY.name, subject=statement.subject) if each.issuer == statement.issuer
        ]
        if not found:
            return []
        changes = self._node.snapshot().standing(core.SUPERSESSION.name, subject=statement.subject)
        names = {entry}
        # Each was logged after what it replaced, so one look from the last to the first finds the whole line.
        for each in sorted(changes, key=lambda change: -change.index):
            if each.issuer == statement.issuer and each.body["new"] in names:
                names.add(each.body["old"])
        return sorted((each for each in found if each.body["entry"] in names), key=lambda each: each.index)

    def explain(self, entry: str) -> Explained:
        """Walk from a record to everything it rests on. Raises Missing (``record.missing``)."""
        return self._explain(self.record(entry), set(), 0)

    # --- systems and what is known of them ---------------------------------------------------------------------------

    def systems(self) -> Sequence[Subject]:
        """Return every system that a readable record describes, by name."""
        found: dict[str, Subject] = {}
        for each in self._own_last(self.said(core.COMPOSITION.name)):
            found[each.subject.id] = each.subject
        return sorted(found.values(), key=lambda each: (each.name, each.id))

    def subject(self, id: str) -> Subject:  # noqa: A002 - the field of the standard
        """Return a subject that a readable record is about. Raises Missing (``subject.missing``)."""
        if is_id(id):
            for type_ in ("system", "model", "dataset", "software", "service", "party"):
                found = self.said("*", subject=Subject(type_, id))
                if found:
                    return max(found, key=lambda each: each.index).subject
        raise Missing(
            "subject.missing",
            Text(en="Nothing is known here of {id}.", zh="此处没有关于 {id} 的记录。"),
            do=Text(en="Check the identifier.", zh="请核对标识符。"),
            id=id[:120],
        )

    def parts(self, subject: Subject) -> Sequence[tuple[str, Subject]]:
        """Return role and subject of each part of a system, as this node's own party said last, else as another did."""
        found = [each for each in self.said(core.COMPOSITION.name, subject=subject) if each.subject.id == subject.id]
        if not found:
            return []
        body = core.COMPOSITION.read(self._own_last(found)[-1].body)
        return [(part.role, part.subject) for part in body.parts]

    def _own_last(self, statements: Sequence[Statement]) -> list[Statement]:
        """Return ``statements`` with this node's own party's at the end, each party's in order of the log.

        A peer may say what a system is made of; it may not say it in our place.
        """
        return sorted(statements, key=lambda each: (each.issuer == self._node.me, each.index))

    def evidence(self, *, subject: Subject | None = None, measure: str = "") -> Sequence[Measured]:
        """Return the readable evidence."""
        return self._node.snapshot(self._me).evidence(subject=subject, measure=measure)

    def findings(self, *, subject: Subject | None = None, requirement: str = "") -> Sequence[Found]:
        """Return the readable findings."""
        return self._node.snapshot(self._me).findings(subject=subject, requirement=requirement)

    # --- registries --------------------------------------------------------------------------------------------------

    def rows(
        self,
        query: str,
        params: Mapping[str, str] | Any = None,  # noqa: ANN401 - a query's own parameters
        *,
        search: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> Table:
        """Return the rows of a query or registry by name. Raises Missing (``registry.missing``)."""
        practices = self._node.practices
        named = practices.queries.get(query) or practices.views.get(query)
        if named is None:
            raise Missing(
                "registry.missing",
                Text(en="There is no registry {query}.", zh="没有名录 {query}。"),
                do=Text(en="The list of registries shows all there are.", zh="名录总表列出了全部名录。"),
                query=query[:80],
            )
        wanted = params
        if query in practices.views and query not in practices.queries:
            wanted = {**(params or {}), **({"q": search} if search else {})}
        self._node.registry.catch_up()
        return self._node.registry.select(
            named, wanted, principal=self._me, now=self._node.clock.now(), limit=limit, offset=offset
        )

    # --- bytes -------------------------------------------------------------------------------------------------------

    def envelope(self, entry: str) -> bytes:
        """Return the sealed envelope of a readable record (COSE_Sign1)."""
        return self._node.store.backend.row(self.record(entry).index).statement

    def receipt(self, entry: str) -> bytes:
        """Return a receipt that the log holds a readable record (RFC 9942)."""
        return self._node.log.receipt(self.record(entry).index)

    def checkpoint(self) -> str:
        """Return the log's signed checkpoint (C2SP)."""
        return self._node.log.checkpoint()

    def stream(self, digest: str) -> Iterator[bytes]:
        """Yield the bytes of an attached file, looking up the right again before every piece."""
        carriers = self._carriers(digest)
        if not carriers:
            raise Missing(
                "file.missing",
                Text(en="There is no file {digest} here.", zh="此处没有文件 {digest}。"),
                do=Text(
                    en="Check the identifier; it may also be one you may not read.", zh="请核对编号；也可能您无权读取。"
                ),
                digest=digest[:80],
            )
        return self._pieces(digest)

    def _pieces(self, digest: str) -> Iterator[bytes]:
        with self._node.store.backend.blob(bytes.fromhex(digest.removeprefix("sha-256:"))) as file:
            while piece := file.read(_PIECE):
                if not self._carriers(digest):
                    raise Refused(
                        "stream.stopped",
                        Text(en="The right to read this file ended.", zh="读取该文件的权利已终止。"),
                        do=Text(en="Ask its issuer.", zh="请联系出具方。"),
                    )
                yield piece

    def _carriers(self, digest: str) -> list[Statement]:
        """Return the standing readable records that carry a file."""
        from tongqiu.ledger.backend import Where

        if not is_entry(digest):
            return []
        store = self._node.store
        where = Where(ref=self._node.home.mark(digest))
        found = store.statements(where=where, principal=self._me, now=self._node.clock.now(), limit=100)
        found = [each for each in found if any(file.digest == digest for file in each.content.files)]
        standing = self._node.snapshot(self._me)
        return [each for each in found if standing.stands(each)]

    # --- saying ------------------------------------------------------------------------------------------------------

    def publish(self, *said: Said) -> Sequence[Statement]:
        """Seal and log all of ``said`` under the node's own party. Raises Refused (``desk.role``) for others."""
        # A person of the node's own party speaks for it only by role; the party itself, unnamed, always does.
        own = self._me.party == self._node.me and not self._me.person
        if not own and not self._me.roles & {"owner", "issuer"}:
            raise Refused(
                "desk.role",
                Text(en="You may not make records at this node.", zh="您无权在此节点出具记录。"),
                do=Text(en="Ask the owner of the node for the role of issuer.", zh="请向节点所有者申请出具人角色。"),
            )
        return self._node.publish(said)

    def jobs(self) -> Sequence[Any]:
        """Return the jobs this principal may see, newest first."""
        return self._node.store.jobs.list(self._me)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _newest_first(self, before: int | None, kind: str, subject: str) -> Iterator[Statement]:
        from tongqiu.ledger.backend import Where

        exact = kind if kind and "*" not in kind else None
        wheres = [Where(kind=exact)]
        if subject:
            # Our own records by the pseudonym in their envelope, a peer's by a mark of ours.
            home = self._node.home
            wheres = [Where(kind=exact, subject=home.pseudonym(subject)), Where(kind=exact, ref=home.mark(subject))]
        size = self._node.store.backend.head().size
        top = size if before is None else min(before, size)
        while top > 0:
            start = max(0, top - 500)
            page = {
                each.index: each
                for where in wheres
                for each in self._node.store.statements(
                    after=start - 1, limit=top - start, where=where, principal=self._me, now=self._node.clock.now()
                )
                if each.index < top
            }
            for _, each in sorted(page.items(), reverse=True):
                if not subject or each.subject.id == subject:
                    yield each
            top = start

    def _explain(self, statement: Statement, shown: set[str], depth: int) -> Explained:
        if statement.entry in shown or depth > _DEPTH:
            return Explained(statement, (), statement.content.asked, again=True)
        shown.add(statement.entry)
        why: list[Explained] = []
        hidden: list[str] = []
        for entry in statement.content.rests_on:
            try:
                why.append(self._explain(self.record(entry), shown, depth + 1))
            except Missing:
                hidden.append(entry)
        return Explained(statement, tuple(why), statement.content.asked, tuple(hidden))


def _mentions(statement: Statement, search: str) -> bool:
    words = f"{statement.subject.name} {statement.subject.id} {statement.kind} {statement.issuer} {statement.entry}"
    return search.casefold() in words.casefold()


__all__ = ["Explained", "NodeDesk"]

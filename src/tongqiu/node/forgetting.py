"""Forgetting: what goes when a record is erased, what it leaves behind, and how all records about one subject go at once.

The store destroys (:mod:`tongqiu.store.backend`); here is decided what, and what the tombstone says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from tongqiu.ledger.backend import Where
from tongqiu.ledger.log import Submission
from tongqiu.record import core
from tongqiu.record.faults import Missing
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tongqiu.ledger.log import Log, Sealed
    from tongqiu.node.stored import Stored
    from tongqiu.record.statement import Statement
    from tongqiu.store.house import Store
    from tongqiu.store.registry import Registry

_PAGE = 500
_KEPT = (core.TOMBSTONE.name,)
"""A tombstone stays: without it nobody could tell an erasure from a loss."""


class Forgets(Protocol):
    """What is asked of a node here."""

    store: Store
    log: Log
    registry: Registry

    @property
    def me(self) -> str:
        """Return the DID of the node's own party."""
        ...

    def source(self) -> Stored:
        """Return where the records are that the node's own party may read."""
        ...

    def seal(self, said: Said, *, by: str) -> Sealed:
        """Return ``said`` sealed."""
        ...

    def statement(self, entry: str) -> Statement:
        """Return one record."""
        ...


def gone_with(store: Store, entry: str) -> frozenset[bytes]:
    """Return the entries that go when ``entry`` does: itself, and its issuer's corrections of it, which name it."""
    target = _raw(entry)
    corrections = store.corrections([target]).get(target, ())
    return frozenset({target, *(store.backend.row(each).entry for each in corrections)})


def tombstone(node: Forgets, statement: Statement, goes: Collection[bytes], *, ground: str, authority: str) -> Said:
    """Return the tombstone of ``statement``, naming every record that rests on it and does not go with it."""
    target, dependents, after = _raw(statement.entry), list[str](), -1
    while rows := node.store.backend.select(Where(ref=target), after=after, limit=_PAGE):
        dependents.extend(f"sha-256:{row.entry.hex()}" for row in rows if row.entry not in goes)
        after = rows[-1].index
    body = core.Tombstone(
        entry=statement.entry, ground=ground, authority=authority, dependents=tuple(sorted(dependents))
    )
    return Said(core.TOMBSTONE.name, Subject("party", node.me, None, ""), body, (), statement.content.audience)


class Going(NamedTuple):
    """What goes when a subject is forgotten."""

    led: tuple[Statement, ...]
    """The records that each get a tombstone: all about the subject but the corrections among them."""

    entries: frozenset[bytes]
    """Every entry whose content goes: a correction goes with what it corrects and needs no tombstone of its own."""


def about(node: Forgets, subject: Subject) -> Going:
    """Return every record about ``subject`` that is here, whoever issued it, tombstones aside.

    A record is about a subject if it names the same id, or the same bytes (:meth:`Subject.same`). Raises Missing
    (``record.missing``) where nothing is about it.
    """
    found = {each.entry: each for each in node.source().find("*", subject=subject) if each.kind not in _KEPT}
    if not found:
        raise Missing(
            "record.missing",
            Text(en="There is no record about {subject} here.", zh="此处没有关于 {subject} 的记录。"),
            do=Text(en="Check the identifier.", zh="请核对标识符。"),
            subject=subject.id[:80],
        )
    with_each = {entry: gone_with(node.store, entry) for entry in found}
    follow = {raw for entry, raws in with_each.items() for raw in raws if raw != _raw(entry)}
    led = tuple(each for each in found.values() if _raw(each.entry) not in follow)
    return Going(led, frozenset[bytes]().union(*with_each.values()))


def forget(
    node: Forgets,
    subject: Subject,
    *,
    ground: str,
    authority: str,
    account: Callable[[tuple[str, ...]], Said] | None = None,
) -> tuple[Statement, ...]:
    """Erase every record :func:`about` ``subject``, in one transaction, and return the tombstones.

    ``account`` is told the tombstones' entries and says, in the same transaction, who did it. Records that only mention
    the subject are not found: those that rest on what goes are listed in the tombstones. Raises as :func:`about`.
    """
    going = about(node, subject)
    stones = [
        node.seal(tombstone(node, each, going.entries, ground=ground, authority=authority), by="core.erase@1")
        for each in going.led
    ]
    told = [] if account is None else [account(tuple(f"sha-256:{each.entry.hex()}" for each in stones))]
    accounts = [node.seal(each, by="verb:core.erase") for each in told]
    (outcome,) = node.log.append([Submission((*stones, *accounts), erase=tuple(sorted(going.entries)))])
    if not isinstance(outcome, tuple):
        raise outcome
    node.store.backend.scrub()
    node.registry.catch_up()
    return tuple(node.statement(f"sha-256:{each.entry.hex()}") for each in outcome[: len(stones)])


def _raw(entry: str) -> bytes:
    return bytes.fromhex(entry.removeprefix("sha-256:"))

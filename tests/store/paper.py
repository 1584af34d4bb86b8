"""Stand-in records for the store's tests: real contents under envelopes that nobody signed (the store never looks)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tongqiu.ledger import tree
from tongqiu.ledger.backend import Batch, Columns, Head, Row
from tongqiu.practice import Column, Drop, Put, View
from tongqiu.record.audience import EVERYONE, Audience
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Content, write_content
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tongqiu.ledger.backend import Reading
    from tongqiu.record.statement import Statement
    from tongqiu.store.house import Store

ANNA, BORIS, CHEN = "did:web:anna.example", "did:web:boris.example", "did:web:chen.example"
SUBJECT = Subject(type="system", id="urn:example:system:1")
AT = "2026-11-23T08:00:00.000Z"
SCHEMA = "sha-256:" + "0" * 64


def written(number: int) -> Text:
    return Text(en=str(number), zh=str(number))


def notes(statement: Statement) -> Iterator[Put | Drop]:
    """Fold of the test registry: a note is put under its key, or dropped; a bad one raises a Fault."""
    body = statement.body
    if body.get("bad") == "fault":
        raise Malformed("test.bad", written(1), do=written(2))
    if body.get("bad") == "bug":
        yield Put({"key": body["nowhere"]})
    if body.get("drop"):
        yield Drop((body["key"],))
    else:
        yield Put(
            {
                "key": body["key"],
                "words": body.get("words", ""),
                "weight": body.get("weight"),
                "entry": statement.entry,
                "extra": {"by": statement.issuer, "list": [1, "二"]},
            }
        )


def _column(name: str, kind: Any = "text", *, searched: bool = False) -> Column:
    return Column(name=name, title=Text(en=name, zh=name), type=kind, searched=searched)


NOTES = View(
    name="test_notes",
    version=1,
    title=Text(en="Notes", zh="便条"),
    reads=("test.note/1",),
    columns=(
        _column("key"),
        _column("words", searched=True),
        _column("weight", "real"),
        _column("entry"),
        _column("extra", "json"),
    ),
    key=("key",),
    rows="tests.store.paper:notes",
)


class Paper:
    """Says things into a store, one commit a call."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0

    def row(
        self,
        body: Any,
        *,
        kind: str = "test.note/1",
        issuer: str = ANNA,
        audience: Audience = EVERYONE,
        files: tuple[bytes, ...] = (),
        refs: tuple[bytes, ...] = (),
        thread: str = "",
    ) -> Row:
        self.count += 1
        content = Content(
            kind=kind,
            schema=SCHEMA,
            subject=SUBJECT,
            issuer=issuer,
            at=AT,
            body=body,
            audience=audience,
            thread=thread or None,
        )
        data = write_content(content)
        salt = hashlib.sha256(b"salt%d" % self.count).digest()
        statement = b"envelope of %d: " % self.count + hashlib.sha256(salt + data).digest()
        columns = Columns(kind, SUBJECT.id, issuer, self.store.audience_id(audience, issuer), thread, refs, files)
        return Row(0, hashlib.sha256(statement).digest(), statement, data, salt, AT, columns)

    def log(self, *rows: Row, erase: Sequence[int] = (), epoch: int = 0) -> tuple[Row, ...]:
        plan = appending(rows, erase)
        return self.store.backend.commit(plan, epoch=epoch)

    def say(self, body: Any, **given: Any) -> Row:
        (row,) = self.log(self.row(body, **given))
        return row

    def withdraw(self, entry: bytes, *, issuer: str = ANNA) -> Row:
        return self.say({"entry": named(entry)}, kind="core.withdrawal/1", issuer=issuer, refs=(entry,))

    def supersede(self, old: bytes, new: bytes, *, issuer: str = ANNA) -> Row:
        body = {"old": named(old), "new": named(new)}
        return self.say(body, kind="core.supersession/1", issuer=issuer, refs=(old, new))

    def erase(self, *indices: int) -> Row:
        tombstone = self.row({"entry": named(b"\0" * 32), "ground": "Art. 17"}, kind="core.tombstone/1")
        return self.log(tombstone, erase=indices)[0]


def appending(rows: Sequence[Row], erase: Sequence[int] = ()) -> Callable[[Reading], tuple[Batch, tuple[Row, ...]]]:
    """Return a plan that appends ``rows`` with a true tree."""

    def plan(reading: Reading) -> tuple[Batch, tuple[Row, ...]]:
        head = reading.head()
        placed = tuple(
            Row(head.size + at, row.entry, row.statement, row.content, row.salt, row.logged_at, row.columns)
            for at, row in enumerate(rows)
        )
        grown = tree.grow(head.size, head.frontier, [row.entry for row in placed], reading.tile)
        after = Head("log.example", grown.size, grown.root, grown.frontier, AT, head.epoch)
        return Batch(after, placed, grown.tiles, (), tuple(erase)), placed

    return plan


def named(entry: bytes) -> str:
    return "sha-256:" + entry.hex()

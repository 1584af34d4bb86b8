"""The log itself: it takes sealed records in one order, keeps them durably, and then signs that it has them.

The order of work never changes: check in (outside any lock, by as many workers as there are), one transaction for the
whole batch, and only when that is durable, receipts and checkpoints. Before it signs anything, the log derives the root
again from its tiles and refuses if the head says otherwise.
"""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from tongqiu.ledger import checkpoint, receipt, tree
from tongqiu.ledger.backend import Batch, Columns, Done, Head, Row, Where
from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Missing, Refused, Unproven
from tongqiu.record.statement import instant
from tongqiu.record.text import Text
from tongqiu.seal import statement as envelope
from tongqiu.seal.keys import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tongqiu.ledger.backend import Backend, Reading
    from tongqiu.seal.keys import PublicKey, Signer

GENESIS: Final = "tongqiu.log/1"
"""The first word of the content of a log's first entry."""

_AUDIT_STEP = 4096


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """A sealed record whose signature and content have been checked: only :func:`check_in` makes one."""

    statement: bytes
    entry: bytes
    content: bytes | None
    salt: bytes | None
    columns: Columns


class Submission(NamedTuple):
    """Records that are logged together or not at all."""

    items: tuple[Sealed, ...]

    admit: Callable[[Reading], None] | None = None
    """Runs inside the transaction and may read; raises a Fault to refuse these records (and no others)."""

    done: str | None = None
    """A key under which the work is noted; if it is there already, nothing is logged and the earlier entries are
    returned.
    """

    erase: tuple[bytes, ...] = ()
    """Entry hashes whose content is destroyed in the same transaction; the tombstone is among the items."""


class Logged(msgspec.Struct, frozen=True, gc=False):
    """Where a record is."""

    entry: bytes
    index: int
    logged_at: str
    fresh: bool
    """False if the log had it before."""


Outcome: TypeAlias = "tuple[Logged, ...] | Malformed | Missing | Refused | Unproven"


def now() -> str:
    """Return this moment in UTC (RFC 3339, milliseconds, ``Z``)."""
    return instant(datetime.datetime.now(datetime.UTC))


def check_in(  # noqa: PLR0913 - the parts of a row, each named at the call
    statement: bytes,
    key: PublicKey,
    *,
    content: bytes | None = None,
    salt: bytes | None = None,
    kind: str = "",
    audience: str = "",
    thread: str = "",
    refs: Sequence[bytes] = (),
    files: Sequence[bytes] = (),
    where: str = "",
) -> Sealed:
    """Check a sealed record, and its content if it is given, and return it ready to be logged, receipts stripped.

    Costs one signature verification and needs no lock: give it to as many workers as there are processors. Raises
    Malformed as :func:`tongqiu.seal.statement.open_statement`; Unproven (``cose.*``) for the signature and
    ``statement.content`` where the content is not what was sealed.
    """
    if content is None or salt is None:
        content = salt = None
    opened = examine(statement, key, content, salt, where=where)
    columns = Columns(kind, opened.subject, opened.issuer, audience, thread, tuple(refs), tuple(files))
    return Sealed(opened.stripped, opened.entry, content, salt, columns)


def examine(
    statement: bytes, key: PublicKey, content: bytes | None, salt: bytes | None, *, where: str = ""
) -> envelope.Envelope:
    """Check a sealed record, and its content where both are given, and return its envelope. Raises as :func:`check_in`."""
    opened = envelope.open_statement(statement, where=where)
    envelope.verify_statement(opened, key, where=where)
    if content is not None and salt is not None and not envelope.matches(opened, content, salt):
        raise Unproven(
            "statement.content",
            Text(en="The content is not what was sealed.", zh="内容与签名信封不符。"),
            do=Text(en="Get content and envelope again from the issuer.", zh="请向出具方重新获取内容与信封。"),
            where=where,
        )
    return opened


class Log:
    """One log: a backend, the key that signs for it, and its name."""

    def __init__(  # noqa: PLR0913 - the last three are named at the call
        self,
        backend: Backend,
        signer: Signer,
        origin: str,
        *,
        clock: Callable[[], str] = now,
        earlier: KeyRing | None = None,
        beside: Signer | None = None,
    ) -> None:
        """Open the log named ``origin`` and check it against its head; begin it if it is empty.

        ``origin`` is the C2SP origin, a URL without scheme. ``clock`` returns the time in the written form. ``earlier``
        holds keys that signed for this log before; ``beside`` is its ML-DSA-44 key, which signs checkpoints as well. The
        first entry names origin and key, so that no receipt ever needs an empty path. Costs O(log n). Raises Refused (``log.other-origin``, ``log.other-key``) for a log that is not
        this one, Unproven (``log.disagrees``) where head and tiles differ, and what the backend raises.
        """
        checkpoint.check_name(origin)
        self.origin = origin
        self._backend = backend
        self._signer, self._beside = signer, beside
        self._clock = clock
        self._tiles = tree.Tiles(backend.tile)
        self._epoch = backend.head().epoch
        self._seen = Head()
        self._noted = (Head(), "")
        self._begin()
        opened = envelope.open_statement(backend.row(0).statement)
        if opened.kid != signer.kid and opened.kid not in (earlier or KeyRing()).keys:
            raise Refused(
                "log.other-key",
                Text(en="This log was begun with another key.", zh="此日志是用另一密钥建立的。"),
                do=Text(en="Use the key that belongs to it.", zh="请使用属于该日志的密钥。"),
                where=origin,
            )
        self._seen = self._proven_head()

    @property
    def public(self) -> PublicKey:
        """Return the key under which receipts and checkpoints verify."""
        return self._signer.public

    @property
    def vkey(self) -> str:
        """Return the C2SP verifier key of this log's Ed25519 key."""
        return checkpoint.vkey(self.origin, self._signer.public)

    @property
    def vkeys(self) -> tuple[str, ...]:
        """Return the C2SP verifier keys under which checkpoints verify: Ed25519, and ML-DSA-44 where there is one."""
        if self._beside is None:
            return (self.vkey,)
        return (self.vkey, checkpoint.cosigner(self.origin, self._beside.public).vkey)

    @property
    def reading(self) -> Reading:
        """Return what can be read of it."""
        return self._backend

    def append(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Log every submission that is admitted, in one durable transaction, and return one outcome for each.

        An outcome is the places of its records, or the fault that refused it; a refusal leaves the others alone. Later
        submissions see earlier ones of the same call. A record that the log has already keeps its place. Raises what
        :meth:`Backend.commit` raises, and Unproven (``log.disagrees``) where the head does not fit itself; then nothing
        was logged.
        """

        def plan(reading: Reading) -> tuple[Batch, list[Outcome]]:
            head = reading.head()
            self._check_frontier(head)
            pending = Pending(reading, max(self._clock(), head.logged_at))
            outcomes = [pending.take(submission) for submission in submissions]
            return self._batch(head, pending), outcomes

        return self._backend.commit(plan, epoch=self._epoch)

    def record(self, *items: Sealed, admit: Callable[[Reading], None] | None = None) -> tuple[Logged, ...]:
        """Log ``items`` together and return their places; raises the fault that refuses them."""
        (outcome,) = self.append([Submission(items, admit)])
        if isinstance(outcome, tuple):
            return outcome
        raise outcome

    def receipt(self, index: int) -> bytes:
        """Return the receipt of the entry at ``index`` in the current tree, O(log n).

        Raises Missing (``log.no-entry``, ``receipt.too-early``) and Unproven (``log.disagrees``); in that case nothing is
        signed.
        """
        return self._receipt(index, self._proven_head())

    def checkpoint(self) -> str:
        """Return the signed checkpoint of everything logged so far (a C2SP note), the same one until the log has grown.

        Signed with Ed25519 and, where the log has such a key, with ML-DSA-44. Raises Unproven (``log.disagrees``).
        """
        return self._checkpoint(self._proven_head())

    def proofs(self, indices: Sequence[int]) -> tuple[str, tuple[bytes, ...]]:
        """Return a checkpoint, and the receipts of ``indices`` in that very tree: what a passport needs. Raises as both."""
        head = self._proven_head()
        return self._checkpoint(head), tuple(self._receipt(index, head) for index in indices)

    def receipts(self, places: Sequence[tuple[Logged, str]]) -> tuple[bytes, ...]:
        """Return the receipts of what was just logged, each with the subject that its envelope names, in one tree.

        Reads no entry again: the path from its hash to the proven root is what is checked. Raises as :meth:`receipt`.
        """
        head = self._proven_head()
        known: tree.Known = {}
        return tuple(
            self._signed(each.entry, each.index, each.logged_at, subject, head, known) for each, subject in places
        )

    def _checkpoint(self, head: Head) -> str:
        # ML-DSA-44 takes half a millisecond and 3 KiB: once for each tree, however many ask. Head and note are kept as
        # one value, so that threads that sign at once leave a pair that belongs together.
        signed, note = self._noted
        if (signed.size, signed.root) != (head.size, head.root) or not note:
            tip = checkpoint.Checkpoint(self.origin, head.size, head.root)
            note = checkpoint.sign(tip, self._signer, beside=self._beside)
            self._noted = (head, note)
        return note

    def _receipt(self, index: int, head: Head) -> bytes:
        # An entry logged since the head was read is missing, as it would have been a moment ago.
        row = self._backend.row(index if index < head.size else -1)
        return self._signed(row.entry, index, row.logged_at, row.columns.subject, head)

    def _signed(  # noqa: PLR0913 - what a receipt says, and the tree it is about
        self,
        entry: bytes,
        index: int,
        logged_at: str,
        subject: str,
        head: Head,
        known: tree.Known | None = None,
    ) -> bytes:
        path = self._tiles.inclusion(index, head.size, known)
        if tree.root_from_inclusion(entry, index, head.size, path) != head.root:
            raise self._disagrees(f"entry {index}")
        return receipt.create_receipt(
            index=index,
            size=head.size,
            path=path,
            root=head.root,
            logged_at=logged_at,
            origin=self.origin,
            subject=subject,
            signer=self._signer,
        )

    def audit(self) -> Head:
        """Derive everything again from the entries, O(n), and return the head that was confirmed.

        Raises Unproven (``log.disagrees``) naming the first entry, tile or head field that differs.
        """
        head, size, last = self._backend.head(), 0, ""
        frontier: tuple[bytes, ...] = ()
        while size < head.size:
            rows = self._backend.rows(size, min(size + _AUDIT_STEP, head.size))
            if not rows:
                raise self._disagrees(f"entry {size}")
            for position, row in enumerate(rows, size):
                whole = row.index == position and hashlib.sha256(row.statement).digest() == row.entry
                placed = row.logged_at >= last and self._backend.find(row.entry) == position
                if not (whole and placed and _content_fits(row)):
                    raise self._disagrees(f"entry {position}")
                last = row.logged_at
            grown = tree.grow(size, frontier, (row.entry for row in rows), self._backend.tile)
            for tile in grown.tiles:
                if not self._backend.tile(tile.level, tile.number).startswith(tile.hashes):
                    raise self._disagrees(f"tile {tile.level}/{tile.number}")
            size, frontier = grown.size, grown.frontier
        if (tree.root_of(frontier), frontier, last) != (head.root, head.frontier, head.logged_at):
            raise self._disagrees("head")
        return head

    def _begin(self) -> None:
        """Write the first entry if there is none; of two processes that try, one does."""
        head = self._backend.head()
        if not head.size:
            made, key, salt = self._clock(), self._signer.public, envelope.new_salt()
            content = cbor.dumps([GENESIS, self.origin, key.cose_key(), made])
            sealed = envelope.seal_statement(content, salt, signer=self._signer, issuer=key.did, subject=key.did)
            first = Submission((check_in(sealed, key, content=content, salt=salt),))

            def plan(reading: Reading) -> tuple[Batch, None]:
                found = reading.head()
                pending = Pending(reading, made)
                if not found.size:
                    pending.take(first)
                return self._batch(found, pending), None

            self._backend.commit(plan, epoch=self._epoch)
            head = self._backend.head()
        if head.origin != self.origin:
            raise Refused(
                "log.other-origin",
                Text(en="This is the log {found}, not {origin}.", zh="这是日志 {found}，不是 {origin}。"),
                do=Text(en="Open it under its own name.", zh="请用它自己的名称打开。"),
                where=self.origin,
                found=head.origin,
                origin=self.origin,
            )

    def _batch(self, head: Head, pending: Pending) -> Batch:
        if not (pending.added or pending.noted or pending.erased):
            return Batch(head)
        grown = tree.grow(head.size, head.frontier, [row.entry for row in pending.added], pending.tile)
        at = pending.at if pending.added else head.logged_at
        after = Head(self.origin, grown.size, grown.root, grown.frontier, at, head.epoch)
        return Batch(after, tuple(pending.added), grown.tiles, tuple(pending.noted.values()), tuple(pending.erased))

    def _check_frontier(self, head: Head) -> None:
        """Check what an append builds on, O(log n) and without reading."""
        fits = len(head.frontier) == head.size.bit_count() and tree.root_of(head.frontier) == head.root
        if not fits or head.origin != self.origin or head.size < self._seen.size:
            raise self._disagrees("head")

    def _proven_head(self) -> Head:
        """Return the head after deriving its root from the tiles, and that it continues the last one seen here."""
        # In this order: what another thread has seen in between is newer than this head, and no contradiction.
        seen = self._seen
        head = self._backend.head()
        if (
            head.size < seen.size
            or self._tiles.root(seen.size) != seen.root
            or self._tiles.root(head.size) != head.root
        ):
            raise self._disagrees("head")
        self._seen = head
        return head

    def _disagrees(self, part: str) -> Unproven:
        return Unproven(
            "log.disagrees",
            Text(
                en="The log does not agree with itself ({part}); nothing is signed.",
                zh="日志自相矛盾（{part}），未签署任何内容。",
            ),
            do=Text(
                en="Stop writing, keep the files, and compare with the last checkpoint others have seen.",
                zh="请停止写入，保留文件，并与他人见过的最后一个检查点比对。",
            ),
            where=self.origin,
            part=part,
        )


class Pending:
    """The log as it will be once the batch in hand is committed: what later submissions of the batch can read.

    ``head`` is still the committed one; rows of the batch have indices from ``head().size`` on.
    """

    def __init__(self, reading: Reading, at: str) -> None:
        """Read through ``reading``; everything taken is logged at the time ``at``."""
        self._reading = reading
        self._size = reading.head().size
        self.at = at
        self.added: list[Row] = []
        self.noted: dict[str, Done] = {}
        self.erased: dict[int, None] = {}
        self._places: dict[bytes, int] = {}

    def take(self, submission: Submission) -> Outcome:
        """Admit one submission and return its places, or the fault that refuses it; a refusal takes nothing."""
        try:
            earlier = self.done(submission.done) if submission.done else None
            if earlier is not None:
                return tuple(self._place(entry) for entry in earlier.entries)
            fresh = {item.entry: item for item in submission.items if self.find(item.entry) is None}
            if submission.admit is not None and (fresh or submission.erase):
                submission.admit(self)
            erased = [self._to_erase(entry) for entry in submission.erase]
        except (Malformed, Missing, Refused, Unproven) as fault:
            return fault
        added = {entry: self._add(item) for entry, item in fresh.items()}
        self.erased.update(dict.fromkeys(erased))
        if submission.done:
            self.noted[submission.done] = Done(submission.done, tuple(item.entry for item in submission.items))
        return tuple(added.get(item.entry) or self._place(item.entry) for item in submission.items)

    def head(self) -> Head:
        """Return the committed head."""
        return self._reading.head()

    def row(self, index: int) -> Row:
        """Return the row at ``index``, of the batch too."""
        if 0 <= index - self._size < len(self.added):
            return self.added[index - self._size]
        return self._reading.row(index)

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows from ``start`` to before ``stop``, of the batch too."""
        held = self._reading.rows(start, stop) if start < self._size else ()
        return (*held, *(row for row in self.added if start <= row.index < stop))

    def find(self, entry: bytes) -> int | None:
        """Return the index of an entry hash, of the batch too."""
        place = self._places.get(entry)
        return self._reading.find(entry) if place is None else place

    def select(self, where: Where, *, after: int = -1, limit: int = 1000) -> Sequence[Row]:
        """Return up to ``limit`` matching rows above ``after``, of the batch too."""
        found = list(self._reading.select(where, after=after, limit=limit))
        found += [row for row in self.added if row.index > after and where.matches(row)]
        return tuple(found[:limit])

    def done(self, key: str) -> Done | None:
        """Return what was noted under ``key``, in the batch too."""
        return self.noted.get(key) or self._reading.done(key)

    def tile(self, level: int, number: int) -> bytes:
        """Return a committed tile."""
        return self._reading.tile(level, number)

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the entry hashes from ``start`` to before ``stop``, of the batch too."""
        held = self._reading.entries(start, stop) if start < self._size else ()
        return (*held, *(row.entry for row in self.added if start <= row.index < stop))

    def _add(self, item: Sealed) -> Logged:
        index = self._size + len(self.added)
        self._places[item.entry] = index
        self.added.append(Row(index, item.entry, item.statement, item.content, item.salt, self.at, item.columns))
        return Logged(item.entry, index, self.at, fresh=True)

    def _place(self, entry: bytes) -> Logged:
        index = self.find(entry)
        if index is None:
            raise AssertionError("a place is asked for what is in the log or in the batch")
        return Logged(entry, index, self.row(index).logged_at, fresh=False)

    def _to_erase(self, entry: bytes) -> int:
        index = self._reading.find(entry)
        if index is None:
            raise Missing(
                "log.no-entry",
                Text(en="There is no such entry to erase.", zh="没有可删除的该条目。"),
                do=Text(en="Name an entry that is in the log.", zh="请指定日志中已有的条目。"),
                where=entry.hex(),
            )
        return index


def _content_fits(row: Row) -> bool:
    if row.content is None or row.salt is None:
        return row.content is row.salt
    return envelope.matches(envelope.open_statement(row.statement), row.content, row.salt)

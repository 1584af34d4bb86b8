"""The narrow door behind which the log keeps what it was given; its comments are the contract.

An implementation is dumb: it never hashes, signs or judges. The log (:mod:`tongqiu.ledger.log`) hands it a *plan*, which
runs inside the one write transaction and says exactly what to write. Every implementation passes the same contract tests
(``tests/ledger/backend_contract.py``), the in-memory fake included.

What holds for every implementation, whatever the disk:

* **Durable.** When :meth:`Backend.commit` returns, everything in the batch survives a crash of the process and of the
  machine. When it raises, nothing of the batch is there, now or after a restart.
* **One transaction.** Rows, contents, tiles, done keys, erasures and head become visible together or not at all.
* **Racing writers.** Any number of processes and threads may call ``commit``; they are put in one order. A plan sees the
  head that is current once the write lock is held, and nobody else writes until it is committed or refused.
* **Fenced.** A writer whose epoch is not the stored one is refused before its plan runs.
* **Append only.** A row, once committed, changes in one way only: its content and salt are erased.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO, NoReturn, Protocol, TypeVar

import msgspec

from tongqiu.record.faults import Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

_HASH_BYTES = 32
_TILE_BYTES = 256 * _HASH_BYTES

EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
"""The root of the tree without entries: SHA-256 of nothing (RFC 9162 section 2.1.1)."""

# Values that are made by the ten thousand have ``gc=False``: nothing in them can lead back to them, and the collector of
# circles would otherwise walk through all of them again and again.


class Head(msgspec.Struct, frozen=True):
    """Where the log ends: everything a writer needs in order to append without reading the tree."""

    origin: str = ""
    """The log's name, fixed by the first commit; empty until then."""

    size: int = 0
    """How many entries there are; the next one gets this index."""

    root: bytes = EMPTY_ROOT
    """The 32-byte RFC 9162 root over all entries."""

    frontier: tuple[bytes, ...] = ()
    """The roots of the perfect subtrees that make up the tree, largest first (one for each 1 bit of ``size``)."""

    logged_at: str = ""
    """When the last entry was logged (RFC 3339, UTC, milliseconds, ``Z``); times never go back along the log."""

    epoch: int = 0
    """The fencing number: raised by :meth:`Backend.fence`, never lowered."""


class Columns(msgspec.Struct, frozen=True, gc=False):
    """What a row can be found by. Pseudonymous only, never personal data: columns stay when content is erased."""

    kind: str
    """The kind of the statement, such as ``evaluation.result/1``; empty for a bare envelope of somebody else."""

    subject: str
    """The pseudonymous subject id (URN, DID, purl or digest) that the envelope names, too."""

    issuer: str
    """The DID of the party that signed."""

    audience: str = ""
    """The id of the audience that may read it; what the id means is known above this door."""

    thread: str = ""
    """The URN of the thread it belongs to; empty for none."""

    refs: tuple[bytes, ...] = ()
    """The entry hashes (32 bytes each) it rests on, supersedes or withdraws; found again by :attr:`Where.ref`."""

    files: tuple[bytes, ...] = ()
    """The SHA-256 of each staged file that belongs to it."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One entry as it is kept."""

    index: int
    """Its position, from 0, without gaps."""

    entry: bytes
    """The 32-byte entry hash, unique in the log."""

    statement: bytes
    """The sealed envelope exactly as it was signed, receipts stripped; never re-encoded, never erased."""

    content: bytes | None
    """What was sealed; None for a bare envelope and after erasure. Kept where it can be destroyed."""

    salt: bytes | None
    """The 32 bytes that hide the content behind its digest; they come and go with the content."""

    logged_at: str
    """When the log took it (RFC 3339, UTC, milliseconds, ``Z``)."""

    columns: Columns

    erased: bool = False
    """True once the content has been erased; tells that apart from a bare envelope."""


class Tile(msgspec.Struct, frozen=True):
    """Up to 256 consecutive hashes of one level of the tree (C2SP tlog-tiles)."""

    level: int
    """0 for leaf hashes, 1 for the roots of full level-0 tiles, and so on."""

    number: int
    """Which tile of the level, from 0."""

    hashes: bytes
    """The hashes one after the other, 32 bytes each: 1 to 256 of them. A later one only ever adds at the end."""


class Done(msgspec.Struct, frozen=True):
    """A note that a piece of work was logged, so that doing it again can be seen to be needless."""

    key: str
    """A name the caller chose, unique in the log: a probe's key, a request's idempotency key, a duty's name."""

    entries: tuple[bytes, ...] = ()
    """The entry hashes that the work led to; may be empty."""


class Batch(msgspec.Struct, frozen=True):
    """Exactly what one transaction writes."""

    head: Head
    """The head afterwards: same epoch, ``size`` the old size plus the number of rows."""

    rows: tuple[Row, ...] = ()
    """New rows, in order, the first with the old size as its index; no entry hash is in the log yet."""

    tiles: tuple[Tile, ...] = ()
    """Every tile that grew, whole; replaces the shorter one of the same level and number."""

    done: tuple[Done, ...] = ()
    """Done keys to note; a key that is there already refuses the batch."""

    erase: tuple[int, ...] = ()
    """Indices whose content and salt are destroyed, with the files nobody else needs. The tombstone is among the rows."""


class Where(msgspec.Struct, frozen=True):
    """Which rows to select: every condition that is given must hold."""

    kind: str | None = None
    subject: str | None = None
    thread: str | None = None
    issuer: str | None = None
    ref: bytes | None = None
    """Only rows whose refs contain this entry hash: the dependents of an entry."""

    audiences: frozenset[str] | None = None
    """Only rows whose audience is one of these; None for all (then the caller must filter)."""

    def matches(self, row: Row) -> bool:
        """Say whether ``row`` meets every condition."""
        columns = row.columns
        return (
            self.kind in {None, columns.kind}
            and self.subject in {None, columns.subject}
            and self.thread in {None, columns.thread}
            and self.issuer in {None, columns.issuer}
            and (self.ref is None or self.ref in columns.refs)
            and (self.audiences is None or columns.audience in self.audiences)
        )


class Reading(Protocol):
    """What can be read, both from outside and, inside a plan, from within the write transaction.

    From outside every call sees some committed state, and a later call never an earlier one. Inside a plan all calls
    see the one state that the write lock protects.
    """

    def head(self) -> Head:
        """Return the current head; ``Head()`` with the stored epoch for a log without entries."""
        ...

    def row(self, index: int) -> Row:
        """Return the row at ``index``. Raises Missing (``log.no-entry``)."""
        ...

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows with ``start <= index < stop`` that exist, in order. The caller bounds ``stop - start``."""
        ...

    def find(self, entry: bytes) -> int | None:
        """Return the index of an entry hash, or None. Uses the unique index: O(log n)."""
        ...

    def select(self, where: Where, *, after: int = -1, limit: int = 1000) -> Sequence[Row]:
        """Return up to ``limit`` rows with index above ``after`` that match, in order of index.

        Each single condition is served by an index. Call again with the last index to go on.
        """
        ...

    def done(self, key: str) -> Done | None:
        """Return what was noted under ``key``, or None."""
        ...

    def tile(self, level: int, number: int) -> bytes:
        """Return the hashes of a tile as far as it has grown, or ``b""``.

        It may hold more than an older head calls for (a later commit added at the end), never less than the current one.
        """
        ...

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """Return only the entry hashes with ``start <= index < stop`` that exist, in order: to re-derive the tree."""
        ...


class Backend(Reading, Protocol):
    """Where one log is kept."""

    def commit(self, plan: Callable[[Reading], tuple[Batch, T]], *, epoch: int) -> T:
        """Run ``plan`` inside the write transaction, write the batch it returns, and return its answer once durable.

        The order is: take the write lock (``BEGIN IMMEDIATE`` in SQLite, ``SELECT ... FOR UPDATE`` of the head row in
        PostgreSQL), read the head, compare the epoch (:func:`check_epoch`), call ``plan`` with a reading of this very state, check the batch
        against the head (:func:`check_batch`), write all of it, commit with full flush, return the answer.

        The plan may be called again from the start if the database asks for a retry, so it changes nothing outside its
        return value; it is quick, and it calls no other method of this backend than those of the reading it is given.
        What it raises passes through unchanged, with the transaction rolled back. A batch without rows, done keys and
        erasures writes nothing and returns the answer.

        Idempotence is the plan's: it asks ``find`` and ``done`` first. As a second line, the unique index of entry hashes
        and of done keys refuses the batch.

        Raises Refused: ``log.fenced`` when ``epoch`` is not the stored one; ``log.batch`` when the batch does not follow
        from the head (size, index, times, origin, a known entry hash or done key, a file that is not staged, an erasure
        of what does not exist). Raises Unreachable: ``log.storage`` when the disk or database fails, is full, or stays
        locked for longer than the implementation waits.
        """
        ...

    def fence(self) -> int:
        """Raise the epoch by one, durably, and return it; every writer with an older epoch is refused from then on.

        A node does this when it takes over or is restored, so that a forgotten copy cannot go on writing.
        """
        ...

    def stage(self, stream: BinaryIO, *, limit: int) -> tuple[bytes, int]:
        """Keep the bytes of ``stream`` under their SHA-256 and return digest and length, durable on return.

        In constant memory. A staged file that no committed row names within a day may be dropped; staging the same bytes
        again keeps one copy. Raises Refused (``log.file-size``) beyond ``limit`` bytes; nothing is kept then.
        """
        ...

    def blob(self, digest: bytes) -> BinaryIO:
        """Open a staged file for reading, at its beginning. Raises Missing (``log.no-file``) for an erased one, too."""
        ...

    def scrub(self) -> None:
        """Make sure that no erased byte is left in any file of this backend, free pages and write-ahead file included.

        Idempotent; call it after a commit that erased, and once at every start (a crash may have come between the two).
        Content is read by nobody after the commit; after ``scrub`` it cannot be dug out either.
        """
        ...

    def close(self) -> None:
        """Give back what the backend holds open; further calls raise Unreachable. Idempotent."""
        ...


def check_batch(batch: Batch, reading: Reading, *, has_file: Callable[[bytes], bool]) -> None:
    """Check that ``batch`` follows from the head that ``reading`` shows; every backend does so before it writes.

    Raises Refused (``log.batch``) naming the first part that does not fit.
    """
    old, new = reading.head(), batch.head
    if new.size != old.size + len(batch.rows) or new.epoch != old.epoch or len(new.frontier) != new.size.bit_count():
        _refuse("head")
    if not new.origin or old.origin not in {"", new.origin}:
        _refuse("origin")
    if [row.index for row in batch.rows] != list(range(old.size, new.size)):
        _refuse("index")
    times = [old.logged_at, *(row.logged_at for row in batch.rows)]
    if any(before > after for before, after in pairwise(times)) or new.logged_at != times[-1]:
        _refuse("time")
    entries = [row.entry for row in batch.rows]
    if len(set(entries)) != len(entries) or any(reading.find(entry) is not None for entry in entries):
        _refuse("entry")
    keys = [done.key for done in batch.done]
    if len(set(keys)) != len(keys) or any(reading.done(key) is not None for key in keys):
        _refuse("done")
    if any((row.content is None) != (row.salt is None) or row.erased for row in batch.rows):
        _refuse("content")
    if not all(has_file(digest) for row in batch.rows for digest in row.columns.files):
        _refuse("file")
    if any(not 0 <= index < old.size for index in batch.erase) or (batch.erase and not batch.rows):
        _refuse("erase")
    if any(not 0 < len(tile.hashes) <= _TILE_BYTES or len(tile.hashes) % _HASH_BYTES for tile in batch.tiles):
        _refuse("tile")


def check_epoch(epoch: int, stored: int) -> None:
    """Refuse a writer whose epoch is not the stored one (Refused, ``log.fenced``)."""
    if epoch != stored:
        raise Refused(
            "log.fenced",
            Text(
                en="Another node has taken over this log (epoch {stored}, ours is {epoch}).",
                zh="此日志已由另一节点接管（当前代次 {stored}，本节点为 {epoch}）。",
            ),
            do=Text(
                en="Stop this copy. Restart it only if it is the one that should write.",
                zh="请停用此副本；仅当应由它写入时才重新启动。",
            ),
            stored=stored,
            epoch=epoch,
        )


def _refuse(part: str) -> NoReturn:
    raise Refused(
        "log.batch",
        Text(en="The batch does not follow from the log's head: {part}.", zh="该批次与日志末端不衔接：{part}。"),
        do=Text(en="Read the head again and make a new batch.", zh="请重新读取日志末端并另建批次。"),
        part=part,
    )

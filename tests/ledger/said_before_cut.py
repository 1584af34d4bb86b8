"""What a log does before the power goes, what it told the world meanwhile, and what must be found after the cut.

:func:`work` logs, repeats, stages, erases and scrubs, and tells after each what is now durable. :class:`Judge` knows the
whole story; given the remains after a cut and what had been told until then, it opens them as a start would and names the
first promise that is broken.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from tests.ledger.paper_disk import write
from tests.ledger.test_sequencer import LOG_KEY, ORIGIN, PARTY, sealed
from tongqiu.ledger.log import Log, Sealed, Submission, check_in
from tongqiu.record.faults import Fault
from tongqiu.seal import statement
from tongqiu.store.check import untouched
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tongqiu.store.house import Store

PLANTED = b"planted and to be forgotten "
GROUPS = (1, 7, 12)
AGAIN = 20
FILE = b"a file that was handed in " * 1500


def held(name: str, content: bytes, *, files: tuple[bytes, ...] = ()) -> Sealed:
    """Return a sealed record with its content."""
    salt = hashlib.sha256(name.encode()).digest()
    subject = f"urn:x:{name}"
    data = statement.seal_statement(content, salt, signer=PARTY, issuer=PARTY.public.did, subject=subject)
    return check_in(data, PARTY.public, content=content, salt=salt, files=files)


def content_of(number: int) -> bytes:
    return b"content %d " % number * 60


def work(store: Store, told: Callable[[str], None], *, again: bool = False) -> None:
    """Do all that a log does, and call ``told`` with each thing that is promised from then on; ``again`` does it later on."""
    log = Log(store.backend, LOG_KEY, ORIGIN)

    def record(*items: Sealed, erase: tuple[bytes, ...] = ()) -> None:
        (places,) = log.append([Submission(items, erase=erase)])
        if isinstance(places, Fault):
            raise places
        for each in places:
            told(f"logged {each.index} {each.entry.hex()}")

    number = 0
    for group in GROUPS:
        items = [held(f"item {number + at}", content_of(number + at)) for at in range(group)]
        record(*items)
        record(items[0])
        number += group
    digest, _ = store.backend.stage(io.BytesIO(FILE), limit=1 << 20)
    told(f"staged {digest.hex()}")
    record(held("with a file", b"of a file", files=(digest,)))
    personal = held("personal", PLANTED * 40)
    record(personal)
    if again:
        record(*(held(f"again {number}", content_of(number)) for number in range(AGAIN)))
        return
    record(held("tombstone", b"ground"), erase=(personal.entry,))
    told(f"erased {personal.entry.hex()}")
    store.backend.scrub()
    told("scrubbed")
    for last in range(number, number + 3):
        record(held(f"item {last}", content_of(last)))


class Judge:
    """Knows the whole story of :func:`work` as it ended in a run that nothing disturbed."""

    def __init__(self, whole: Path) -> None:
        """Read the story from the store in ``whole``."""
        with open_store(whole, create=False) as store:
            head = store.backend.head()
            self._rows = store.backend.rows(0, head.size)
        self.entries = tuple(row.entry for row in self._rows)
        self._whole = [1, *(1 + sum(GROUPS[: at + 1]) for at in range(len(GROUPS)))]
        self._whole += [*range(self._whole[-1], head.size + 1 - AGAIN), head.size]
        self._erased = held("personal", PLANTED * 40).entry
        self._stone = self.entries.index(held("tombstone", b"ground").entry)

    def fault(
        self, files: dict[str, bytes], told: Sequence[str], place: Path, *, home: str = "", create: bool = False
    ) -> str:
        """Return what is broken in remains that are made anew in the folder ``place``, the store in its folder ``home``."""
        write(files, place)
        return self.fault_in(place / home, told, create=create)

    def fault_in(self, place: Path, told: Sequence[str], *, create: bool) -> str:
        """Return what is broken in the store that is found in the folder ``place``, or nothing."""
        if "scrubbed" in told:
            found = [path.name for path in place.iterdir() if PLANTED in path.read_bytes()]
            if found:
                return f"erased bytes in {found}"
        try:
            with open_store(place, create=create) as store:
                return self._broken(store, told) or self._torn(place)
        except Fault as fault:
            return f"no start: {fault.code}"
        except (TypeError, ValueError, IndexError) as error:
            # Pages torn by a disk that lies can read as rows with holes.
            return f"no start: {type(error).__name__}"

    def _broken(self, store: Store, told: Sequence[str]) -> str:
        log = Log(store.backend, LOG_KEY, ORIGIN)
        size = log.audit().size
        found = store.backend.entries(0, size)
        # Every log begins with an entry of its own.
        if tuple(found[1:]) != self.entries[1:size]:
            return "another log"
        if size not in self._whole:
            return f"half a batch: {size} entries"
        for what, *named in (each.split(" ") for each in told):
            if what == "logged" and (int(named[0]) >= size or found[int(named[0])].hex() != named[1]):
                return f"lost: entry {named[0]} of {size}"
            if what == "staged" and store.backend.blob(bytes.fromhex(named[0])).read() != FILE:
                return "lost: a staged file"
        for index, row in enumerate(store.backend.rows(0, size)):
            gone = row.entry == self._erased and size > self._stone
            if row.erased is not gone or (index and row.content != (None if gone else self._content(index))):
                return f"content of entry {index}"
        again = [log.record(each)[0].fresh for each in (sealed("after"), sealed("after"))]
        return (
            ""
            if again == [True, False] and store.backend.head().size == size + 1
            else "what comes after is not taken once"
        )

    def _content(self, index: int) -> bytes | None:
        row = self._rows[index]
        return PLANTED * 40 if row.entry == self._erased else row.content

    @staticmethod
    def _torn(place: Path) -> str:
        with untouched(place) as kept:
            return kept.integrity()


__all__ = ["Judge", "work"]

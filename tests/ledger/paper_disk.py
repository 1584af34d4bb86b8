"""A disk on paper: what a power cut leaves of what a program wrote, by the rules that POSIX gives and no more.

A program's calls are applied one after the other. A file's bytes are safe once that file was flushed, a name once its
folder was; everything since may be gone, or, in any part and any order, be there. :meth:`Disk.left` gives such remains:
nothing that was not flushed, everything, or a random part of it, sector by sector and name by name.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable
    from pathlib import Path


class Call(NamedTuple):
    """One call of a program on a file (by ``inode``) or a name; ``told`` is no call but what it told the world then."""

    what: str
    """create, write, cut, sync; link, rename, unlink, mkdir, flush (of a folder); told."""

    path: str = ""
    inode: int = 0
    at: int = 0
    data: bytes = b""
    to: str = ""


class File:
    """The bytes of one file: those that are safe, and what was done to it since."""

    def __init__(self, safe: bytes = b"") -> None:
        self.safe = safe
        self.since: list[Call] = []

    def sync(self) -> None:
        self.safe, self.since = self.left(None, 0, all_of_it=True), []

    def left(self, chance: random.Random | None, sector: int, *, all_of_it: bool = False) -> bytes:
        """Return what is there after a cut: the safe bytes, all, or a random part of the sectors written since."""
        if not self.since or (chance is None and not all_of_it):
            return self.safe
        found = bytearray(self.safe)
        for call in self.since:
            if call.what == "cut":
                if all_of_it or chance is None or chance.random() < _EVEN:
                    found[call.at :] = bytes(max(0, call.at - len(found)))
                continue
            for start, piece in _sectors(call, sector) if sector else ((call.at, call.data),):
                if all_of_it or chance is None or chance.random() < _EVEN:
                    found.extend(bytes(max(0, start - len(found))))
                    found[start : start + len(piece)] = piece
        return bytes(found)


class Disk:
    """All files and names; give it every call in order with :meth:`apply`."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        """Begin with ``files``, all of them safe."""
        self.files = {-at: File(data) for at, data in enumerate((files or {}).values(), 1)}
        self.names: dict[str, int] = {path: -at for at, path in enumerate(files or {}, 1)}
        """Every name as the running program sees it; a folder has the number 0."""
        self.safe = dict(self.names)
        self.since: list[Call] = []
        self.told: list[str] = []

    def apply(self, call: Call) -> None:
        """Do what one call does."""
        what = call.what
        if what == "told":
            self.told.append(call.path)
        elif what in {"write", "cut"}:
            self.files[call.inode].since.append(call)
        elif what == "sync":
            self.files[call.inode].sync()
        elif what == "flush":
            self._flush(call.path)
        else:
            if what == "create":
                self.files[call.inode] = File()
            self.since.append(call)
            _name(self.names, call)

    def _flush(self, folder: str) -> None:
        waiting, self.since = self.since, []
        for call in waiting:
            if folder in {posixpath.dirname(call.path), posixpath.dirname(call.to or call.path)}:
                _name(self.safe, call)
            else:
                self.since.append(call)

    def left(self, chance: random.Random | None, *, all_of_it: bool = False, sector: int = 512) -> dict[str, bytes]:
        """Return the files after a cut here: what was flushed, and with ``chance`` a random part of the rest.

        A name whose folder never got a name of its own is gone with it.
        """
        names = dict(self.safe)
        for call in self.since:
            if all_of_it or (chance is not None and chance.random() < _EVEN):
                _name(names, call)
        held = {}
        for path, inode in names.items():
            if inode and all(parent in names or parent not in self.names for parent in _parents(path)):
                held[path] = self.files[inode].left(chance, sector, all_of_it=all_of_it)
        return held


_EVEN = 0.5


def _name(names: dict[str, int], call: Call) -> None:
    """Do to ``names`` what one call does; one whose own precondition was lost does nothing."""
    if call.what in {"create", "mkdir"}:
        names[call.path] = call.inode
    elif call.what == "unlink":
        names.pop(call.path, None)
    elif call.path in names:
        names[call.to] = names[call.path]
        if call.what == "rename":
            del names[call.path]


def _sectors(call: Call, size: int) -> Iterable[tuple[int, bytes]]:
    """Yield the pieces of a write between the borders of sectors, each with its place."""
    at, end = call.at, call.at + len(call.data)
    while at < end:
        stop = min(end, (at // size + 1) * size)
        yield at, call.data[at - call.at : stop - call.at]
        at = stop


def _parents(path: str) -> Iterable[str]:
    while (path := posixpath.dirname(path)) not in {"", "/"}:
        yield path


def write(files: dict[str, bytes], root: Path) -> None:
    """Make the files anew under ``root``, closed to others, as a store and its keys are kept."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(data)


__all__ = ["Call", "Disk", "File", "write"]

"""From what strace saw a program do to a folder, the calls that a disk on paper takes.

:func:`calls_of` reads the text that ``strace -f -xx -s 1000000`` writes for one process with any number of threads. It
follows handles, positions and names the way a kernel does, and refuses what it does not know how to follow, so that no
call that changes a file is passed over. Shared memory of SQLite (``-shm``) is left out: a cut always loses it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from tests.ledger.paper_disk import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACED = (
    "openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,lseek,ftruncate,truncate,fallocate,copy_file_range,sendfile,"
    "fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,"
    "mkdir,mkdirat,close,dup,dup2,dup3,fcntl,fork,vfork"
)
"""Every call that can change what a file or a folder holds, and those that are needed to follow them."""

_LINE = re.compile(r"(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?: .*)?$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_BEGUN = " <unfinished ...>"
_NAMED = {"rename", "renameat", "renameat2", "link", "linkat"}


class _Handle(NamedTuple):
    path: str
    inode: int
    at: list[int]
    """The position, shared by copies of a handle."""
    append: bool


class _Follower:
    """Knows which handle is open on which file of the folder."""

    def __init__(self, root: str) -> None:
        self.root = PurePosixPath(root)
        self.handles: dict[int, _Handle] = {}
        self.names: dict[str, int] = {"": 0}
        self.sizes: dict[int, int] = {}
        self.number = 0

    def calls(self, name: str, arguments: str, answer: int) -> Iterator[Call]:
        texts = [bytes.fromhex(each.replace("\\x", "")) for each in _TEXT.findall(arguments)]
        if name in {"openat", "open"}:
            yield from self._open(texts[-1].decode(), arguments, answer)
        elif name == "close":
            self.handles.pop(int(arguments), None)
        elif name in {"dup", "fcntl"} and int(arguments.split(",", maxsplit=1)[0]) in self.handles:
            if name == "dup" or "F_DUPFD" in arguments:
                self.handles[answer] = self.handles[int(arguments.split(",", maxsplit=1)[0])]
        elif name in _NAMED:
            yield from self._renamed(
                "link" if "link" in name else "rename", *(self._path(each.decode()) for each in texts)
            )
        elif name in {"unlink", "mkdir", "unlinkat", "mkdirat"} and (path := self._path(texts[0].decode())) is not None:
            if name.endswith("at") and "AT_FDCWD" not in arguments:
                raise NotImplementedError(f"{name}({arguments[:200]})")
            what = name.removesuffix("at")
            if what == "mkdir":
                self.names[path] = 0
            else:
                del self.names[path]
            yield Call(what, path)
        elif name == "write" and int(arguments.split(",", maxsplit=1)[0]) == 1:
            yield from (Call("told", line) for line in texts[0].decode().splitlines())
        elif name not in {"dup", "fcntl", "unlink", "mkdir", "unlinkat", "mkdirat"}:
            yield from self._on_handle(name, arguments, texts, answer)

    def _on_handle(self, name: str, arguments: str, texts: list[bytes], answer: int) -> Iterator[Call]:
        first, *rest = arguments.split(", ")
        handle = self.handles.get(int(first)) if first.isdigit() else None
        if handle is None:
            if not first.isdigit() and (not texts or self._path(texts[0].decode()) is not None):
                raise NotImplementedError(f"{name}({arguments[:200]})")
            return
        if name in {"fsync", "fdatasync"}:
            yield Call("flush", handle.path) if handle.inode == 0 else Call("sync", inode=handle.inode)
        elif name == "lseek":
            handle.at[0] = answer
        elif name == "ftruncate":
            self.sizes[handle.inode] = int(rest[-1])
            yield Call("cut", inode=handle.inode, at=int(rest[-1]))
        elif name in {"write", "pwrite64"}:
            at = int(rest[-1]) if name == "pwrite64" else self.sizes[handle.inode] if handle.append else handle.at[0]
            if name == "write":
                handle.at[0] = at + answer
            self.sizes[handle.inode] = max(self.sizes[handle.inode], at + answer)
            yield Call("write", inode=handle.inode, at=at, data=texts[0][:answer])
        else:
            raise NotImplementedError(f"{name}({arguments[:200]})")

    def _open(self, named: str, arguments: str, answer: int) -> Iterator[Call]:
        self.handles.pop(answer, None)
        path = self._path(named)
        if path is None or path.endswith("-shm"):
            return
        if "O_CREAT" in arguments and path not in self.names:
            self.number += 1
            self.names[path], self.sizes[self.number] = self.number, 0
            yield Call("create", path, self.number)
        elif "O_TRUNC" in arguments:
            self.sizes[self.names[path]] = 0
            yield Call("cut", inode=self.names[path], at=0)
        self.handles[answer] = _Handle(path, self.names[path], [0], "O_APPEND" in arguments)

    def _renamed(self, what: str, old: str | None, new: str | None) -> Iterator[Call]:
        if old is None and new is None:
            return
        if old is None or new is None or old not in self.names:
            raise NotImplementedError(f"{what} {old} {new}")
        self.names[new] = self.names[old]
        if what == "rename":
            del self.names[old]
        yield Call(what, old, to=new)

    def _path(self, path: str) -> str | None:
        try:
            found = str(PurePosixPath(path).relative_to(self.root))
        except ValueError:
            return None
        if found.endswith("-shm"):
            return None
        return "" if found == "." else found


def under_strace(code: str, folder: Path, trace: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the Python ``code`` on ``folder`` under strace, whose output goes to ``trace``."""
    root = Path(__file__).parents[2]
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(trace),
        *options,
        sys.executable,
        "-c",
        textwrap.dedent(code),
        str(folder),
    ]
    path = f"{root}{os.pathsep}{root / 'src'}"
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def calls_of(trace: str, root: str) -> list[Call]:
    """Return what was done below the folder ``root``, empty at the beginning, in order; ``told`` is what was printed.

    Raises NotImplementedError for a call that changes something there and that is not followed.
    """
    follower, begun, found = _Follower(root), dict[str, str](), list[Call]()
    children: dict[str, _Follower] = {}
    for line in trace.splitlines():
        thread, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith(_BEGUN):
            begun[thread] = rest.removesuffix(_BEGUN)
            continue
        if rest.startswith("<... "):
            rest = begun.pop(thread) + rest.partition(" resumed>")[2]
        matched = _LINE.match(rest)
        if matched is None or matched[3].startswith(("-", "?")):
            continue
        if matched[1] in {"fork", "vfork"}:
            children[matched[3]] = _Follower(root)
        elif thread not in children:
            found += follower.calls(matched[1], matched[2], int(matched[3], 0))
        elif any(call.what != "told" for call in children[thread].calls(matched[1], matched[2], int(matched[3], 0))):
            raise NotImplementedError(f"a child process writes: {rest[:200]}")
    return found


__all__ = ["TRACED", "calls_of", "under_strace"]

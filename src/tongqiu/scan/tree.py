"""Walking a folder safely: every ordinary file inside it, nothing outside it, and a note of what was left out.

Links never lead out of the folder, loops end, devices and pipes are never opened, and counts, depth and sizes are
bounded. The fingerprint of the folder (its *tree digest*) is specified in ``docs/spec/tree-digest.md``.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from tongqiu.record import digest
from tongqiu.record.faults import Fault, Malformed, Missing, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.record.digest import Digest

IGNORED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".tongqiu",
        ".DS_Store",
    }
)
"""Names that are never content, at any depth: version control, environments, caches and our own output folder."""

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_SAFE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.scandir in os.supports_fd


class Limits(msgspec.Struct, frozen=True):
    """How much of a folder is looked at: entries in all, levels of folders, bytes in all."""

    entries: int = 200_000
    depth: int = 48
    size: int = 4 << 40


LIMITS = Limits()


class File(NamedTuple):
    """An ordinary file: its path below the root (``/`` between parts, Unicode NFC), where it is, its bytes."""

    path: str
    real: Path
    size: int


class Oddity(NamedTuple):
    """Something in the folder that is not content and was left out: a stable code, its path, and why in words."""

    code: str
    path: str
    what: Text


class Tree(NamedTuple):
    """What a walk found: files in bytewise order of their paths, and what was left out."""

    root: Path
    files: tuple[File, ...]
    oddities: tuple[Oddity, ...]

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(file.size for file in self.files)


_ODD = {
    "tree.link-outside": Text(en="A link leads out of the folder: {path}.", zh="链接指向目录之外：{path}。"),
    "tree.link-loop": Text(en="A link leads back to itself: {path}.", zh="链接循环指向自身：{path}。"),
    "tree.link-broken": Text(en="A link leads to nothing: {path}.", zh="链接指向不存在的目标：{path}。"),
    "tree.link-folder": Text(en="A link to a folder is not followed: {path}.", zh="指向目录的链接不会被跟随：{path}。"),
    "tree.special": Text(
        en="A device, pipe or socket is never opened: {path}.", zh="设备、管道或套接字一律不打开：{path}。"
    ),
    "tree.name": Text(
        en="A name cannot be read as text or holds control characters: {path}.",
        zh="名称无法作为文本读取，或含有控制字符：{path}。",
    ),
    "tree.twice": Text(
        en="Two files have the same name after normalisation: {path}.", zh="规范化后有两个文件同名：{path}。"
    ),
    "tree.closed": Text(en="It may not be read: {path}.", zh="没有读取权限：{path}。"),
}


def shown(path: str) -> str:
    """Return ``path`` fit for a message: control and undecodable characters escaped, at most 200 characters."""
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in path
    )
    return safe if len(safe) <= 200 else safe[:99] + "…" + safe[-100:]  # noqa: PLR2004 - the stated length


def walk(root: str | Path, *, limits: Limits = LIMITS, ignore: frozenset[str] = IGNORED) -> Tree:
    """Return every ordinary file below ``root`` in stable order, and everything that was left out and why.

    A link to an ordinary file inside the folder counts as a file with the bytes it leads to, so a folder and its copy
    with links resolved have one digest. Links to folders, links that leave the folder, broken and looping links and
    special files are left out and listed. Names in ``ignore`` are skipped without a note.

    Raises Missing (``path.missing``) when ``root`` is not there, Malformed ``path.folder`` when it is not a folder,
    and Malformed ``tree.count``, ``tree.depth`` or ``tree.size`` beyond ``limits``.
    """
    top = _root(root)
    files: dict[str, File] = {}
    odd: list[Oddity] = []
    waiting: list[tuple[str, ...]] = [()]
    seen = total = 0
    while waiting:
        parts = waiting.pop()
        if len(parts) > limits.depth:
            raise _over("tree.depth", limits.depth, "/".join(parts))
        try:
            entries = _entries(top, parts)
        except OSError:
            odd.append(_oddity("tree.closed", "/".join(parts)))
            continue
        for name, mode, size in entries:
            if name in ignore:
                continue
            seen += 1
            if seen > limits.entries:
                raise _over("tree.count", limits.entries, "/".join(parts))
            path = "/".join((*parts, name))
            if not _plain(name):
                odd.append(_oddity("tree.name", path))
                continue
            if stat.S_ISDIR(mode):
                waiting.append((*parts, name))
                continue
            found = _file(top, path, mode, size)
            if isinstance(found, Oddity):
                odd.append(found)
                continue
            if found.path in files:
                odd.append(_oddity("tree.twice", path))
                continue
            files[found.path] = found
            total += found.size
            if total > limits.size:
                raise _over("tree.size", limits.size, path)
    ordered = sorted(files.values(), key=lambda file: file.path.encode())
    return Tree(top, tuple(ordered), tuple(sorted(odd, key=lambda item: (item.path, item.code))))


def tree_digest(
    root: str | Path,
    *,
    limits: Limits = LIMITS,
    ignore: frozenset[str] = IGNORED,
    progress: Progress | None = None,
) -> tuple[Digest, Tree]:
    """Return the tree digest of the folder ``root`` (``docs/spec/tree-digest.md``) and the walk it was taken over.

    What ``Tree.oddities`` lists is not covered by the digest, except that the name of a file counts as read. Raises
    what :func:`walk` and :func:`open_regular` raise.
    """
    tree = walk(root, limits=limits, ignore=ignore)
    return digest_of(tree, progress=progress), tree


def digest_of(tree: Tree, *, progress: Progress | None = None) -> Digest:
    """Return the tree digest of the files that an earlier walk found, reading each once in constant memory."""
    total, done = tree.size, 0
    lines: list[tuple[str, Digest, int]] = []
    for file in tree.files:
        with open_regular(file.real, inside=tree.root) as stream:
            value, size = digest.of_stream(stream)
        lines.append((file.path, value, size))
        done += size
        if progress is not None:
            progress(done, max(total, done))
    return digest.of_tree(lines)


def resolve(root: str | Path, name: str, *, where: str = "") -> Path:
    """Return the real path of ``name``, a path written in a manifest relative to the folder ``root``.

    The result exists, is an ordinary file or a folder, and lies inside ``root`` after every link is followed; it holds
    no link itself. ``where`` names the place in the manifest for the message.

    Raises Malformed: ``path.form`` (empty, control characters), ``path.outside`` (absolute, climbs out, or a link leads
    out; nothing is said about what lies there), ``path.loop``, ``path.special``; Missing: ``path.missing``.
    """
    top = _root(root)
    if not name or not _plain(name):
        raise _bad(Malformed, "path.form", name, where)
    plain = PurePosixPath(name.replace("\\", "/") if os.name == "nt" else name)
    # A Windows drive or backslash path is outside on every system, so that one manifest means one thing everywhere.
    if plain.is_absolute() or name[1:2] == ":" or name.startswith("\\"):
        raise _bad(Malformed, "path.outside", name, where)
    lexical = Path(os.path.normpath(top / plain))
    if not _within(lexical, top):
        raise _bad(Malformed, "path.outside", name, where)
    real = Path(os.path.realpath(top / plain))
    if not _within(real, top):
        raise _bad(Malformed, "path.outside", name, where)
    try:
        real = Path(os.path.realpath(top / plain, strict=True))
        mode = real.lstat().st_mode
    except OSError as error:
        code, kind = ("path.loop", Malformed) if error.errno == errno.ELOOP else ("path.missing", Missing)
        raise _bad(kind, code, name, where) from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise _bad(Malformed, "path.special", name, where)
    return real


def open_regular(path: str | Path, *, inside: str | Path | None = None) -> BinaryIO:
    """Open an ordinary file for reading, never a link, device or pipe, and never waiting for one.

    With ``inside``, no part of the way from that folder down may be a link either (checked by the system at each step,
    so that nobody can swap a folder for a link in between). Give paths from :func:`resolve` or :func:`walk`.

    Raises Missing ``path.missing``; Malformed ``path.special`` for anything but an ordinary file, ``path.outside`` for a
    path not below ``inside``; Unreachable ``path.closed`` when the system does not allow it.
    """
    target = Path(path)
    try:
        if inside is not None and _BY_DESCRIPTOR:
            top = _root(inside)
            if not _within(target, top):
                raise _bad(Malformed, "path.outside", str(path), "")
            handle = _descend(top, target.relative_to(top).parts)
        else:
            handle = os.open(target, os.O_RDONLY | _NOFOLLOW | _SAFE)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            raise _bad(Missing, "path.missing", str(path), "") from error
        if error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO}:
            raise _bad(Malformed, "path.special", str(path), "") from error
        raise _bad(Unreachable, "path.closed", str(path), "") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _bad(Malformed, "path.special", str(path), "")
    return os.fdopen(handle, "rb")


def _root(root: str | Path) -> Path:
    """Return the real path of the folder; the person who names a root may name it by a link."""
    try:
        top = Path(os.path.realpath(root, strict=True))
        is_folder = top.is_dir()
    except OSError as error:
        raise _bad(Missing, "path.missing", str(root), "") from error
    if not is_folder:
        raise _bad(Malformed, "path.folder", str(root), "")
    return top


def _descend(top: Path, parts: tuple[str, ...]) -> int:
    """Return a descriptor of ``top/parts``, refusing a link at every step below ``top``."""
    at = os.open(top, os.O_RDONLY | _DIRECTORY | _SAFE)
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        try:
            following = os.open(part, os.O_RDONLY | _NOFOLLOW | _SAFE | (0 if last else _DIRECTORY), dir_fd=at)
        finally:
            os.close(at)
        at = following
    return at


def _entries(top: Path, parts: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return name, mode and size (of the entry itself, links not followed) of one folder, by name."""
    if _BY_DESCRIPTOR:
        handle = _descend(top, parts)
        try:
            with os.scandir(handle) as entries:
                return sorted(_facts(entry) for entry in entries)
        finally:
            os.close(handle)
    with os.scandir(top.joinpath(*parts)) as entries:
        return sorted(_facts(entry) for entry in entries)


def _facts(entry: os.DirEntry[str]) -> tuple[str, int, int]:
    facts = entry.stat(follow_symlinks=False)
    return entry.name, facts.st_mode, facts.st_size


def _file(top: Path, path: str, mode: int, size: int) -> File | Oddity:
    """Return the file an entry stands for, or why it is left out."""
    name = unicodedata.normalize("NFC", path)
    if stat.S_ISREG(mode):
        return File(name, top.joinpath(*path.split("/")), size)
    if not stat.S_ISLNK(mode):
        return _oddity("tree.special", path)
    link = top.joinpath(*path.split("/"))
    if not _within(Path(os.path.realpath(link)), top):
        return _oddity("tree.link-outside", path)
    try:
        real = Path(os.path.realpath(link, strict=True))
        facts = real.lstat()
    except OSError as error:
        return _oddity("tree.link-loop" if error.errno == errno.ELOOP else "tree.link-broken", path)
    if stat.S_ISDIR(facts.st_mode):
        return _oddity("tree.link-folder", path)
    if not stat.S_ISREG(facts.st_mode):
        return _oddity("tree.special", path)
    return File(name, real, facts.st_size)


def _within(path: Path, top: Path) -> bool:
    return path == top or top in path.parents


def _plain(name: str) -> bool:
    """Return whether a name is text without control characters (undecodable bytes appear as lone surrogates)."""
    return not any(ord(char) < 32 or 127 <= ord(char) < 160 or 0xD800 <= ord(char) <= 0xDFFF for char in name)  # noqa: PLR2004 - C0, DEL, C1, surrogates


def _oddity(code: str, path: str) -> Oddity:
    return Oddity(code, shown(path), _ODD[code].fill(path=shown(path)))


_OVER = {
    "tree.count": Text(en="The folder holds more than {limit} entries.", zh="目录中的条目超过 {limit} 个。"),
    "tree.depth": Text(en="The folder is nested more than {limit} levels deep.", zh="目录嵌套超过 {limit} 层。"),
    "tree.size": Text(en="The folder holds more than {limit} bytes.", zh="目录内容超过 {limit} 字节。"),
}


def _over(code: str, limit: int, path: str) -> Malformed:
    return Malformed(
        code,
        _OVER[code],
        do=Text(
            en="Name a smaller folder, or move what is not part of it elsewhere.",
            zh="请指定更小的目录，或移走无关内容。",
        ),
        where=shown(path),
        limit=limit,
    )


_BAD = {
    "path.form": (
        Text(en="This is not a usable path: {path}.", zh="这不是可用的路径：{path}。"),
        Text(
            en="Write a path relative to the folder, without control characters.",
            zh="请写相对于该目录的路径，不含控制字符。",
        ),
    ),
    "path.outside": (
        Text(en="This path leads out of the folder: {path}.", zh="该路径指向目录之外：{path}。"),
        Text(
            en="Copy what is needed into the folder and name it there.", zh="请将所需内容复制到该目录内，再填写其路径。"
        ),
    ),
    "path.loop": (
        Text(en="This path runs through a link that leads back to itself: {path}.", zh="该路径经过循环链接：{path}。"),
        Text(en="Remove the looping link.", zh="请删除循环的链接。"),
    ),
    "path.special": (
        Text(
            en="This is a link, device, pipe or socket, not an ordinary file: {path}.",
            zh="这是链接、设备、管道或套接字，不是普通文件：{path}。",
        ),
        Text(en="Name an ordinary file.", zh="请改用普通文件。"),
    ),
    "path.missing": (
        Text(en="There is nothing at this path: {path}.", zh="该路径不存在：{path}。"),
        Text(en="Check the spelling, or supply the file.", zh="请检查拼写，或补上该文件。"),
    ),
    "path.folder": (
        Text(en="This is not a folder: {path}.", zh="这不是目录：{path}。"),
        Text(en="Name a folder.", zh="请指定一个目录。"),
    ),
    "path.closed": (
        Text(en="The system does not let this be read: {path}.", zh="系统不允许读取：{path}。"),
        Text(en="Ask for permission to read it, or check the disk.", zh="请取得读取权限，或检查磁盘。"),
    ),
}


def _bad(kind: type[Fault], code: str, path: str, where: str) -> Fault:
    what, do = _BAD[code]
    return kind(code, what, do=do, where=where, path=shown(path))

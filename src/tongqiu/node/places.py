"""Which folders of this machine a person may have assessed through the pages: those that the owner named, and below.

A folder is reached step by step, and no step may be a link, so that nothing below a named folder leads out of it. What is
not there and what one may not reach look alike.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.node import manifest
from tongqiu.node.people import may
from tongqiu.record.faults import Missing, Refused, Unreachable
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from tongqiu.node.node import Node
    from tongqiu.record.audience import Principal

MOST = 500
"""How many folders of one folder are listed."""
MOST_STEPS = 32
"""How deep below a named folder one may go."""


class Place(NamedTuple):
    """A folder below a named one: number of the root, the way from there (with ``/``), and its real place."""

    root: int
    at: str
    real: Path


class Folder(NamedTuple):
    """A folder in a list: its name, the way to it, and whether it says what there is to assess."""

    name: str
    at: str
    declared: bool


def roots(node: Node, principal: Principal) -> tuple[Path, ...]:
    """Return the folders that the owner of the node named for ``principal``: none for strangers and readers."""
    settings = node.home.settings.assess
    if principal.party == node.me and may(principal, "issuer"):
        named = settings.roots
    elif principal.party is not None and may(principal, "contributor"):
        named = settings.parties.get(principal.party, ())
    else:
        named = ()
    return tuple(Path(each) for each in named if Path(each).is_absolute())


def place(node: Node, principal: Principal, root: int, at: str) -> Place:
    """Return the folder ``at`` below a named one. Raises Missing (``places.missing``) for any that may not be reached."""
    named = roots(node, principal)
    steps = [step for step in at.split("/") if step]
    bad = any(step in {".", ".."} or "\0" in step or inert(step, one_line=True) != step for step in steps)
    if not 0 <= root < len(named) or bad or len(steps) > MOST_STEPS:
        raise _missing()
    real = named[root]
    try:
        real = real.resolve(strict=True)
        for step in steps:
            real = real / step
            # Asked of the name itself: a link is no folder, wherever it leads.
            if not stat.S_ISDIR(real.lstat().st_mode):
                raise _missing()
        if not real.is_dir() or real.resolve(strict=True) != real:
            raise _missing()
    except (OSError, ValueError) as error:
        raise _missing() from error
    return Place(root, "/".join(steps), real)


def folders(found: Place) -> tuple[tuple[Folder, ...], bool]:
    """Return the folders in a folder, by name, at most :data:`MOST`, and whether there are more. Raises Unreachable."""
    names = []
    try:
        with os.scandir(found.real) as entries:
            for entry in entries:
                shown = inert(entry.name, one_line=True) == entry.name and not entry.name.startswith(".")
                if shown and entry.is_dir(follow_symlinks=False):
                    names.append(entry.name)
    except OSError as error:
        raise _unread(error) from error
    chosen = sorted(names)[: MOST + 1]
    made = [
        Folder(name, f"{found.at}/{name}".strip("/"), (found.real / name / manifest.NAME).is_file())
        for name in chosen[:MOST]
    ]
    return tuple(made), len(chosen) > MOST


def declared(found: Place) -> bytes | None:
    """Return the manifest in a folder, None where there is none. Raises Malformed, Unreachable for one that cannot be read."""
    path = found.real / manifest.NAME
    if path.is_symlink():
        raise _linked()
    return manifest.data_of(found.real) if path.exists() else None


def write(found: Place, data: bytes, *, old: bytes | None) -> None:
    """Write the manifest of a folder whole, flushed, and only in place of ``old`` (None: of none).

    Raises Refused (``places.moved``) where another stands there by now, Unreachable (``places.storage``).
    """
    path, draft = found.real / manifest.NAME, found.real / f".{manifest.NAME}.{os.getpid()}.draft"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if declared(found) != old:
                raise _moved()
            if old is None:
                # A name is given only where there is none: somebody's file of this very moment is not lost.
                os.link(draft, path)
            else:
                draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError as error:
        raise _moved() from error
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise _storage(error) from error


def _missing() -> Missing:
    return Missing(
        "places.missing",
        Text(en="There is no such folder that you may assess.", zh="没有您可以评估的此目录。"),
        do=Text(en="Choose from the list.", zh="请从列表中选择。"),
    )


def _moved() -> Refused:
    return Refused(
        "places.moved",
        Text(en="The folder's tongqiu.toml was changed meanwhile.", zh="该目录的 tongqiu.toml 在此期间被改动。"),
        do=Text(en="Look at it as it stands now, then confirm again.", zh="请查看现状后重新确认。"),
    )


def _linked() -> Refused:
    return Refused(
        "places.link",
        Text(en="The folder's tongqiu.toml is a link to another place.", zh="该目录的 tongqiu.toml 是指向他处的链接。"),
        do=Text(en="Put the file itself there.", zh="请将文件本身放在此处。"),
    )


def _unread(error: OSError) -> Unreachable:
    return Unreachable(
        "places.read",
        Text(en="The folder cannot be read: {error}.", zh="无法读取该目录：{error}。"),
        do=Text(en="Mend its rights.", zh="请修正其权限。"),
        error=error.strerror or type(error).__name__,
    )


def _storage(error: OSError) -> Unreachable:
    return Unreachable(
        "places.storage",
        Text(en="tongqiu.toml cannot be written there: {error}.", zh="无法在该处写入 tongqiu.toml：{error}。"),
        do=Text(
            en="Free some space, or let the node's user write to the folder.",
            zh="请腾出空间，或允许节点用户写入该目录。",
        ),
        error=error.strerror or type(error).__name__,
    )

"""What ties a store to its keys: the name of this one home, and the last end of the log that it has seen.

Both lie beside the keys, outside the store, so that neither goes back when the store does. Two things split a log unseen:
a copy that writes beside the original, and a store that came back from an older backup. The first is told by the name
(:meth:`tongqiu.store.backend.SqlBackend.commit`), the second by the note of the last end.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from tongqiu.ledger import checkpoint, tree
from tongqiu.ledger.checkpoint import Checkpoint
from tongqiu.record.faults import Malformed, Unproven, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.ledger.backend import Reading

INSTANCE = "instance"
SEEN = "seen"
_LIMIT = 4096


def instance(home: Path) -> str:
    """Return the name of this home (32 hex digits), made and kept durably the first time.

    Raises Unreachable (``home.storage``), Malformed (``home.instance``).
    """
    path = home / INSTANCE
    try:
        if not path.exists():
            _write(path, secrets.token_hex(16), over=False)
        name = path.read_text("ascii")
    except OSError as error:
        raise _storage(path, error) from error
    except UnicodeDecodeError:
        name = ""
    if len(name) == 32 and all(char in "0123456789abcdef" for char in name):  # noqa: PLR2004 - as made above
        return name
    raise Malformed(
        "home.instance",
        Text(en="The file that names this home was changed.", zh="标识此节点目录的文件被改动。"),
        do=Text(en="Restore it from a backup of this home.", zh="请从此节点目录的备份恢复。"),
        where=str(path),
    )


def check(home: Path, log: Reading) -> None:
    """Check that the log continues what this home has last seen of it, O(log n).

    Raises Unproven (``log.behind``): the store is older than that, or another; appending would split the log. Malformed
    (``checkpoint.form``), Unreachable (``home.storage``).
    """
    seen = _seen(home)
    if seen is None:
        return
    head = log.head()
    if head.size < seen.size or tree.Tiles(log.tile).root(seen.size) != seen.root:
        raise Unproven(
            "log.behind",
            Text(
                en="The store is not the one this node last wrote: that had {seen} entries, this has {size}.",
                zh="此存储不是本节点最后写入的那一个：彼时有 {seen} 条，此处有 {size} 条。",
            ),
            do=Text(
                en="Restore the newer store. If it is lost, begin a new node and publish in its log where this one ended; "
                "going on here would let two logs of one name contradict each other.",
                zh="请恢复较新的存储。若已丢失，请建立新节点，并在其日志中说明此日志止于何处；在此继续会使同名的两份日志互相矛盾。",
            ),
            where=str(home),
            seen=seen.size,
            size=head.size,
        )


def note(home: Path, log: Reading) -> None:
    """Note the present end of the log, if it is further than the last. Raises Unreachable (``home.storage``)."""
    head, seen = log.head(), _seen(home)
    if head.size and (seen is None or head.size > seen.size):
        try:
            _write(home / SEEN, Checkpoint(head.origin, head.size, head.root).text(), over=True)
        except OSError as error:
            raise _storage(home / SEEN, error) from error


def _seen(home: Path) -> Checkpoint | None:
    try:
        with (home / SEEN).open("rb") as file:
            text = file.read(_LIMIT).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _storage(home / SEEN, error) from error
    return checkpoint.parse_checkpoint(text, where=str(home / SEEN))


def _write(path: Path, text: str, *, over: bool) -> None:
    """Write a small file whole and flushed; without ``over``, whoever was first has written it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - mode first
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if over:
            draft.replace(path)
        elif not path.exists():
            _link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return


def _storage(path: Path, error: OSError) -> Unreachable:
    return Unreachable(
        "home.storage",
        Text(en="The node's folder cannot be used: {error}.", zh="无法使用节点目录：{error}。"),
        do=Text(en="Free some space or mend the permissions, then try again.", zh="请腾出空间或修正权限后重试。"),
        where=str(path),
        error=error.strerror or type(error).__name__,
    )

"""What a disk or database that fails means for a person, and how what was written on it lasts."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from tongqiu.record.faults import Unproven, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.record.faults import Fault


def made_folder(folder: Path) -> None:
    """Make ``folder`` for its owner alone, if it is not there, and its name durable. Raises OSError."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder.parent)


def sync(folder: Path) -> None:
    """Make a new name in ``folder`` survive a power cut, where the system lets a folder be flushed."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows does not open folders, and needs no flush of them
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush(handle: int) -> None:
    """Make what was written survive a power cut: on macOS, too, where a plain flush stops at the disk's own memory."""
    try:
        from fcntl import F_FULLFSYNC, fcntl  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        os.fsync(handle)
    else:  # pragma: no cover - macOS
        fcntl(handle, F_FULLFSYNC)


def fault_of(error: BaseException, where: str) -> Fault:
    """Return what a failure of the database or disk means: Unreachable ``log.storage``, or Unproven ``log.corrupt``."""
    # What a database's driver said stands inside what SQLAlchemy says.
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    state = str(getattr(original, "sqlstate", None) or "")
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or state in {"XX001", "XX002"}:
        return damaged(where)
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} or state in {"55P03", "40P01", "40001"}:
        what = Text(en="Another process kept the store locked for too long.", zh="另一进程锁定存储的时间过长。")
        do = Text(en="Try again; if it stays so, end the other process.", zh="请重试；若仍如此，请结束另一进程。")
    elif primary == sqlite3.SQLITE_FULL or state == "53100" or getattr(original, "errno", None) in {28, 122}:
        what = Text(en="The disk is full; nothing was written.", zh="磁盘已满，未写入任何内容。")
        do = Text(
            en="Free some space and do it again; what was acknowledged is safe.",
            zh="请腾出空间后重试；已确认的内容完好。",
        )
    elif isinstance(original, PermissionError) or primary in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        what = Text(en="The store may not be written to by this user.", zh="当前用户无权写入该存储。")
        do = Text(
            en="Run it as the owner of the folder, or mend its rights.", zh="请以文件夹所有者身份运行，或修正其权限。"
        )
    else:
        what = Text(en="The store's disk or database failed: {error}.", zh="存储的磁盘或数据库出错：{error}。")
        do = Text(en="Check the disk or the database server, then try again.", zh="请检查磁盘或数据库服务后重试。")
    words = type(original).__name__ if not isinstance(original, sqlite3.Error) else str(original)
    return Unreachable("log.storage", what, do=do, where=where, error=words[:200])


def damaged(where: str) -> Unproven:
    """Return the fault of a store whose file is not what was written there (``log.corrupt``)."""
    return Unproven(
        "log.corrupt",
        Text(en="The store's file is damaged.", zh="存储文件已损坏。"),
        do=Text(
            en="Stop this node, keep the file, restore a backup and compare it with what witnesses have seen.",
            zh="请停止本节点，保留该文件，恢复备份，并与见证方所见核对。",
        ),
        where=where,
    )

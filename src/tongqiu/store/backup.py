"""A copy of a store to keep for long: everything that was sealed, and no content that can be read without the keys.

Left out are the keys; the registries, which are in clear and fold again from the log; jobs, and forms not finished. So an
erasure, which destroys a key, reaches every such copy there is.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from tongqiu.record.faults import Refused
from tongqiu.record.text import Text
from tongqiu.store import database as databases
from tongqiu.store.database import FILE, WAIT
from tongqiu.store.disk import fault_of, flush, sync


def back_up(where: Path | str, target: Path, *, wait: float = WAIT) -> int:
    """Write a copy of the store in the folder ``where`` to the new file ``target``; return how many entries it holds.

    One state, while others go on writing; durable on return, and readable by its owner alone. Raises Refused
    (``backup.server`` for a database on a server, ``backup.exists``), Missing (``store.none``), Malformed
    (``store.foreign``), Unproven (``log.corrupt``), Unreachable (``log.storage``).
    """
    if isinstance(where, str) and "://" in where:
        raise Refused(
            "backup.server",
            Text(
                en="A database on a server is copied by the server's own tools.",
                zh="服务器上的数据库由其自身工具备份。",
            ),
            do=Text(
                en="Run: pg_dump --no-unlogged-table-data --exclude-table-data=job --exclude-table-data=draft DATABASE",
                zh="请运行：pg_dump --no-unlogged-table-data --exclude-table-data=job --exclude-table-data=draft 数据库",
            ),
        )
    path = Path(where) / FILE
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        if not path.is_file():
            raise databases.none(str(where))
        databases.check_header(path)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            count = _copied(path, draft, wait)
            with draft.open("rb+") as file:
                flush(file.fileno())
            os.link(draft, target)
        finally:
            for end in ("", "-journal", "-wal", "-shm"):
                draft.with_name(draft.name + end).unlink(missing_ok=True)
        sync(target.parent)
    except FileExistsError as error:
        raise Refused(
            "backup.exists",
            Text(en="There is a file of that name already.", zh="已存在同名文件。"),
            do=Text(en="Name another file.", zh="请指定另一个文件名。"),
            where=str(target),
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise fault_of(error, str(path)) from error
    return count


def _copied(path: Path, draft: Path, wait: float) -> int:
    address = path.absolute().as_uri() + "?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None)) as source:
        source.execute("VACUUM INTO ?", (str(draft),))
    with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        copy.execute("PRAGMA secure_delete=ON")
        copy.execute("PRAGMA temp_store=MEMORY")
        tables = copy.execute(
            "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE found_%' UNION ALL SELECT tbl FROM view"
        )
        for (name,) in tables.fetchall():
            copy.execute(f'DROP TABLE IF EXISTS "{name}"')
        for name in ("view", "problem", "job", "draft"):
            copy.execute(f"DELETE FROM {name}")  # noqa: S608 - own names
        copy.execute("VACUUM")
        copy.execute("PRAGMA journal_mode=WAL")
        return int(copy.execute("SELECT size FROM head").fetchone()[0])


__all__ = ["back_up"]

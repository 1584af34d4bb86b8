"""One open database: how it is opened, locked and flushed, and what its failures mean for a person.

SQLite runs in write-ahead mode with a full flush at every commit; writers take the write lock at the start
(``BEGIN IMMEDIATE``), so that what they read is what they change. PostgreSQL locks the head row instead.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event, exc

from tongqiu.ledger.backend import EMPTY_ROOT
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable
from tongqiu.record.text import Text
from tongqiu.store import schema
from tongqiu.store.disk import fault_of, made_folder
from tongqiu.store.keys import KEYS, Keys, open_keys, wrong
from tongqiu.store.migrations import REVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection

APPLICATION_ID = 0x54514C47
"""``TQLG`` in the header of every SQLite file of ours, so that no other program's file is ever written to."""

FILE = "log.sqlite"
"""The name of the one database file in the store's folder."""

WAIT = 30.0
"""How long a writer waits for another one, in seconds."""

_WRITE = {"tongqiu_write": True}
_BARE = {"tongqiu_bare": True}
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA checkpoint_fullfsync=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    # Sorting must never leave content in a temporary file.
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
)


class Database:
    """The engine behind a store; reads and writes are given out as short transactions."""

    def __init__(self, engine: sa.Engine, where: str, *, wait: float = WAIT, keys: Path | None = None) -> None:
        """Wrap ``engine``; ``where`` names it to people and holds no password; ``keys`` is the file of its keys."""
        self.engine = engine
        self.where = where
        self.key_file = keys or Path(where).with_name(KEYS)
        self._keys: Keys | None = None
        self.sqlite = engine.dialect.name == "sqlite"
        self._wait = wait
        self._process = os.getpid()
        self._closed = False
        self._errors = (exc.DBAPIError, exc.TimeoutError, engine.dialect.loaded_dbapi.Error)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Lend a connection that sees one committed state. Raises Unreachable, Unproven as :func:`fault_of` says."""
        with self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, lock: bool = True) -> Iterator[sa.Connection]:
        """Lend a connection inside a write transaction, committed durably at the end, rolled back on any exception.

        With ``lock`` nobody else appends meanwhile; without, PostgreSQL lets others go on.
        """
        with self._connected() as connection:
            connection.execution_options(**_WRITE)
            with connection.begin():
                if lock and not self.sqlite:
                    connection.execute(sa.select(schema.head.c.id).with_for_update())
                yield connection

    @contextmanager
    def follow(self) -> Iterator[sa.Connection]:
        """Lend a connection as :meth:`write` does, for what is derived from the log: committed whole, not yet flushed.

        The next :meth:`write` flushes it as well; a power cut before that takes it back, whole, and it is derived again.
        """
        with self._connected() as connection:
            connection.execution_options(**_WRITE)
            driver = connection.connection.driver_connection
            if not self.sqlite:
                with connection.begin():
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    yield connection
                return
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - as made below
            driver.execute("PRAGMA synchronous=NORMAL")
            try:
                with connection.begin():
                    yield connection
            finally:
                driver.execute(_PRAGMAS[0])

    @contextmanager
    def outside(self) -> Iterator[sa.Connection]:
        """Lend a connection in no transaction at all, for VACUUM and checkpoints."""
        with self._connected() as connection:
            yield connection.execution_options(**(_BARE if self.sqlite else {"isolation_level": "AUTOCOMMIT"}))

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        if self._closed:
            raise Unreachable(
                "log.storage",
                Text(en="The store was closed.", zh="存储已关闭。"),
                do=Text(en="Open it again.", zh="请重新打开。"),
                where=self.where,
            )
        if self._process != os.getpid():
            # A forked child must not use, or close, the connections of its parent.
            self.engine.dispose(close=False)
            self._process = os.getpid()
        try:
            with self.engine.connect() as connection:
                yield connection
        except self._errors as error:
            raise fault_of(error, self.where) from error

    @property
    def keys(self) -> Keys:
        """Return the keys of the contents. Raises Missing (``store.no-keys``), Malformed (``store.keys``) for another's."""
        if self._keys is None:
            keys = open_keys(self.key_file, create=False)
            state = schema.state.c
            with self.read() as connection:
                wanted = sa.select(state.name, state.value).where(state.name.in_([KEYS, schema.SLOTS]))
                noted = {each.name: each.value for each in connection.execute(wanted)}
            if noted.get(KEYS) != keys.name:
                keys.close()
                raise wrong(self.key_file)
            keys.floor = int(noted.get(schema.SLOTS, "0"))
            self._keys = keys
        return self._keys

    def place(self) -> str:
        """Return what a copy of this database has another of: the number of its file, or of the database in its server.

        A file system without such numbers gives the same for all.
        """
        if self.sqlite:
            try:
                return f"file {os.stat(self.where).st_ino}"  # noqa: PTH116 - a text, as SQLAlchemy holds it
            except OSError as error:
                raise fault_of(error, self.where) from error
        with self.read() as connection:
            number = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()")
            return f"database {number.scalar_one()}"

    def close(self) -> None:
        """Give back every connection. Idempotent."""
        if not self._closed:
            self._closed = True
            if self._keys is not None:
                self._keys.close()
            if self._process == os.getpid():
                self.engine.dispose()


def on_disk(folder: Path, *, create: bool, wait: float = WAIT, keys: Path | None = None) -> Database:
    """Open the SQLite file in ``folder``, making both with ``create``, and bring it to the present shape.

    Its keys are in the file ``keys``, or in :data:`tongqiu.store.keys.KEYS` in ``folder``. Raises Missing (``store.none``,
    ``store.no-keys``), Malformed (``store.foreign``, ``store.keys``) for a file of another program, Unproven
    (``log.corrupt``), Refused (``store.newer``), Unreachable (``log.storage``).
    """
    path = folder / FILE
    try:
        if create:
            made_folder(folder)
        if not path.is_file() or path.stat().st_size == 0:
            if not create:
                raise none(str(folder))
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        check_header(path)
    except OSError as error:
        raise fault_of(error, str(path)) from error
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        hide_parameters=True,
        max_overflow=-1,
        connect_args={"timeout": wait, "cached_statements": 256},
    )
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    return _ready(Database(engine, str(path), wait=wait, keys=keys), create=create)


def by_url(url: str, *, keys: Path, create: bool, wait: float = WAIT) -> Database:
    """Open the PostgreSQL database that ``url`` names and bring it to the present shape.

    Its keys are in the file ``keys`` of this machine, never in the database. Raises Malformed (``store.url``,
    ``store.keys``), Missing (``store.none``, ``store.no-keys``), Refused (``store.newer``), Unreachable.
    """
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise _bad_url() from error
    if parsed.drivername not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise _bad_url()
    try:
        engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, max_overflow=20, pool_pre_ping=True
        )
    except ModuleNotFoundError as error:
        raise Missing(
            "store.driver",
            Text(en="The PostgreSQL driver is not installed.", zh="未安装 PostgreSQL 驱动。"),
            do=Text(en="Install tongqiu[postgres].", zh="请安装 tongqiu[postgres]。"),
        ) from error

    def tune(connection: DBAPIConnection, record: object) -> None:
        del record
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {int(wait * 1000)}")
        cursor.execute("SET synchronous_commit = on")
        connection.commit()

    event.listen(engine, "connect", tune)
    where = parsed.render_as_string(hide_password=True)
    return _ready(Database(engine, where, wait=wait, keys=keys), create=create)


def keys_for_url(keys: Path | None) -> Path:
    """Return the file of keys, which a database on a server cannot do without. Raises Malformed (``store.url``)."""
    if keys is None:
        raise Malformed(
            "store.url",
            Text(
                en="A database on a server needs a file here for its keys.",
                zh="服务器上的数据库需在本机有一个密钥文件。",
            ),
            do=Text(en="Name the file.", zh="请指明该文件。"),
        )
    return keys


def _ready(database: Database, *, create: bool) -> Database:
    try:
        if _revision(database, create=create) != REVISIONS[-1]:
            _migrate(database)
        database.keys  # noqa: B018 - refused here, at the start, where they are not the right ones
    except Fault:
        database.close()
        raise
    return database


def _revision(database: Database, *, create: bool) -> str | None:
    """Return the step the database is at, or None for an empty one. Raises Missing, Refused."""
    with database.read() as connection:
        found = _step(connection)
        tables = sa.inspect(connection).get_table_names() if found is None else []
    if found is None:
        if tables:
            raise _foreign(database.where)
        if not create:
            raise none(database.where)
    elif found not in REVISIONS:
        raise Refused(
            "store.newer",
            Text(
                en="The store was written by a newer version of this software (step {step}).",
                zh="该存储由本软件的更新版本写成（步骤 {step}）。",
            ),
            do=Text(en="Install the newer version; do not change the file.", zh="请安装更新的版本，切勿改动文件。"),
            where=database.where,
            step=found[:40],
        )
    return found


def _step(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _migrate(database: Database) -> None:
    """Run every missing step in one transaction; two that open at once, threads or processes, do it one after the other.

    Raises Unreachable (``log.storage``) also where a file of this software that says what a step does cannot be read.
    """
    # Alembic keeps what it works on in one place for the whole process: of two threads, one would work on the other's
    # database. Taken before any lock of a database, so that nobody waits for this with one in his hand.
    with _MIGRATING:
        _run_steps(database)


_MIGRATING = threading.Lock()


def _run_steps(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    if database.sqlite:
        with database.outside() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with database.write(lock=False) as connection:
        if not database.sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPLICATION_ID})
        config = Config()
        config.set_main_option("script_location", "tongqiu.store:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        config.attributes["keys"] = database.key_file
        try:
            command.upgrade(config, "head")
        except OSError as error:
            raise fault_of(error, str(error.filename or database.where)) from error
        if database.sqlite:
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        if connection.execute(sa.select(schema.head.c.id)).first() is None:
            connection.execute(
                sa.insert(schema.head).values(
                    id=1, origin="", size=0, root=EMPTY_ROOT, frontier=b"", logged_at="", epoch=0
                )
            )


def check_header(path: Path) -> None:
    """Refuse a file that is not SQLite, or not ours, before anything could write to it."""
    with path.open("rb") as stream:
        header = stream.read(100)
    if not header.strip(b"\0"):
        # Empty, or the power went before its first page was on the disk: SQLite clears it by its journal, or refuses it.
        return
    if len(header) < 100 or header[:16] != b"SQLite format 3\x00":  # noqa: PLR2004 - the header's length
        raise _foreign(str(path))
    application = int.from_bytes(header[68:72])
    # Zero in a file without tables is one that died while it was made; with tables, :func:`_revision` refuses it.
    if application not in {0, APPLICATION_ID}:
        raise _foreign(str(path))


def _tune(connection: sqlite3.Connection, record: object) -> None:
    del record
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("tongqiu_bare"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("tongqiu_write") else "BEGIN")


def none(where: str) -> Missing:
    """Return the fault for a place where no store is."""
    return Missing(
        "store.none",
        Text(en="There is no store here yet.", zh="此处尚无存储。"),
        do=Text(en="Assess something first, or name another folder.", zh="请先评估一个对象，或指定其他文件夹。"),
        where=where,
    )


def _foreign(where: str) -> Malformed:
    return Malformed(
        "store.foreign",
        Text(
            en="This is not a store of this software; it was left untouched.", zh="这不是本软件的存储，未作任何改动。"
        ),
        do=Text(
            en="Name another folder or database, or move the file away.", zh="请指定其他文件夹或数据库，或移走该文件。"
        ),
        where=where,
    )


def _bad_url() -> Malformed:
    return Malformed(
        "store.url",
        Text(en="Not the address of a database this software can use.", zh="这不是本软件可用的数据库地址。"),
        do=Text(
            en="Write postgresql://USER@HOST/NAME, or the path of a folder.",
            zh="请写 postgresql://用户@主机/库名，或文件夹路径。",
        ),
    )

"""Stores on disk for every test, and one PostgreSQL server of our own for the system tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.store.paper import Paper
from tongqiu.store.house import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / ".tongqiu", create=True) as opened:
        yield opened


@pytest.fixture
def paper(store: Store) -> Paper:
    return Paper(store)


def _found(name: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    path = str(places[0]) if places else shutil.which(name)
    assert path, f"{name} is not installed; `make test-system` installs it"
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a server in a folder of its own, reached through a socket there; never run as root, which it refuses."""
    account = pwd.getpwnam("nobody") if os.getuid() == 0 else None

    def run(*argv: str) -> None:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )
        assert done.returncode == 0, done.stdout + done.stderr

    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, log = str(folder / "data"), str(folder / "log")
    initdb, control = _found("initdb"), _found("pg_ctl")
    try:
        run(initdb, "-D", data, "-U", "test", "--auth=trust", "-E", "UTF8", "--no-sync")
        run(control, "-D", data, "-l", log, "-w", "-o", f"-k {folder} -c listen_addresses=''", "start")
        try:
            yield f"postgresql://test@/{{name}}?host={folder}"
        finally:
            run(control, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres(postgres_server: str, request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database."""
    name = f"t{abs(hash(request.node.nodeid))}"
    engine = sa.create_engine(
        postgres_server.format(name="postgres").replace("postgresql:", "postgresql+psycopg:"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return postgres_server.format(name=name)

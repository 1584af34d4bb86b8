"""Every command that the first pages show is run, in the order of the page, by a new user in a new folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.docs.pages import ROOT, RUN, Step, language, steps
from tongqiu.cli.demonstration import build

pytestmark = pytest.mark.slow
TOOLS = Path(sys.executable).parent
MAKE = re.compile(r"^([a-z-]+):.*##", re.MULTILINE)


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    said: str


class Walk:
    """One reader with one page: a folder, an environment, and what was already used up."""

    def __init__(self, folder: Path, tongue: str) -> None:
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("TONGQIU_", "LC_"))},
            "HOME": str(folder / "me"),
            "PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}",
            "TONGQIU_LANG": tongue,
            "COLUMNS": "120",
            "PWD": str(folder),
        }
        self.used: set[str] = set()
        self.jobs: list[str] = []

    def run(self, command: str) -> Ended:
        """Run one line in a shell and return its exit code and all that it said."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        self.jobs += re.findall(r"tongqiu jobs ([0-9a-f]{16,})", done.stdout)
        return Ended(done.returncode, done.stdout)

    def follow(self, step: Step) -> Ended:
        """Do what a step says, as a reader would who fills in the words in capitals."""
        command = step.command
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.environment[name] = shlex.split(value)[0].replace("$PWD", str(self.folder))
            return Ended(0, "")
        if command.startswith("make "):
            return _known(command.split()[1], MAKE.findall((ROOT / "Makefile").read_text("utf-8")))
        if command.startswith(("pip install", "python -m pip install")):
            declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
            extra = re.search(r"tongqiu\[([a-z]+)\]", command)
            return _known(extra[1] if extra else "", list(declared["optional-dependencies"]))
        if re.search(r"\btongqiu serve\b", command):
            return self.serve(command)
        if "RECORD" in command:
            command = command.replace("RECORD", self.record(command))
        if "JOB" in command:
            command = command.replace("JOB", self.jobs[-1])
        return self.run(command)

    def record(self, command: str) -> str:
        """Return a record for a command to work on: one with findings that no earlier command has changed."""
        where = re.search(r"--home \S+", command)
        listed = self.run(f"tongqiu records --limit 500 --json {where[0] if where else ''}")
        rows = [each for each in msgspec.json.decode(listed.said) if each["content"].get("findings")]
        rows.sort(key=lambda each: each["content"]["kind"] != "evaluation.verdict/1")
        entry: str = next(each["entry"] for each in rows if each["entry"] not in self.used)
        if " explain " not in command:
            self.used.add(entry)
        return entry.removeprefix("sha-256:")[:12]

    def serve(self, command: str) -> Ended:
        """Open the pages on a free port, read the first one, and stop."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [*shlex.split(command), "--port", str(port)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            page = _read(f"http://127.0.0.1:{port}/index.json")
            assert msgspec.json.decode(page)
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=60)
        return Ended(0, said)


def _known(name: str, names: list[str]) -> Ended:
    """Accept a command that is too large to be run here, when what it names exists."""
    return Ended(0, "") if name in names else Ended(1, f"{name} is none of {names}")


def _read(address: str) -> bytes:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own address
                found: bytes = answer.read()
                return found
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="session")
def mortgage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the mortgage example, built once."""
    folder = tmp_path_factory.mktemp("example") / "mortgage"
    build(folder)
    return folder


@pytest.fixture
def reader(mortgage: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Walk:
    """Return a reader who has a system of their own, and the demonstration's model fitted beforehand to save time."""
    mine = tmp_path / "my-system"
    (mine / "src").mkdir(parents=True)
    (mine / "src" / "decide.py").write_text("# SPDX-License-Identifier: Apache-2.0\n", encoding="utf-8")
    rows = (
        f"{n},{'f' if n % 2 else 'm'},{'yes' if n % 3 else 'no'},{'yes' if n % 3 and n % 7 else 'no'}\n"
        for n in range(300)
    )
    (mine / "cases.csv").write_text("id,sex,outcome,decision\n" + "".join(rows), encoding="utf-8")
    shutil.copytree(mortgage, tmp_path / "tongqiu-demo" / "mortgage")
    return Walk(tmp_path, language(request.param))


def pattern(shown: str) -> re.Pattern[str]:
    """Return what output must hold to be what a page shows: the same words; any number for a number, any text for ``…``."""
    words = re.escape(re.sub(r"\s+", " ", shown).strip()).replace(r"\ ", " ")
    words = re.sub(r" ?… ?", ".*?", words)
    return re.compile(re.sub(r"\d+", r"\\d+", words), re.DOTALL)


# The long pages are followed with the system tests, to keep `make test` within ten minutes. The Chinese ones give the same
# commands (tests/docs/test_prose.py).
LATER = [page for page in RUN if page.name in {"commands.md", "commands.zh.md", "start-here.md", "start-here.zh.md"}]


@pytest.mark.parametrize(
    "reader",
    [pytest.param(page, marks=pytest.mark.system if page in LATER else ()) for page in RUN],
    ids=lambda page: str(page.relative_to(ROOT)),
    indirect=True,
)
def test_a_new_user_can_follow_the_page(reader: Walk, request: pytest.FixtureRequest) -> None:
    page = request.node.callspec.params["reader"]
    taken = steps(page.read_text("utf-8"))
    assert any("tongqiu" in step.command for step in taken)
    for step in taken:
        done = reader.follow(step)
        where = f"{page.relative_to(ROOT)}:{step.line}: {step.command}"
        assert done.code == 0, f"{where}\n{done.said}"
        said = re.sub(r"\s+", " ", done.said)
        assert pattern(step.shown).search(said), f"{where}\n{step.shown}\n--- but it said ---\n{done.said}"


def test_shown_output_that_is_not_said_would_be_noticed() -> None:
    said = "10 done, 0 unchanged; did:key:z6Mk in 3 lines"
    assert pattern("21 done, 0 unchanged; … in 3  lines\n").search(said)
    assert not pattern("21 done, 0 failed").search(said)
    assert not pattern("in … unchanged").search(said)

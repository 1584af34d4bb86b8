"""The commands as a person types them: real processes, both languages, exit codes from the table of faults."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tongqiu import cli
from tongqiu.record.faults import TABLE

pytestmark = pytest.mark.system  # each step starts the software anew; `make test` stays within ten minutes without

if TYPE_CHECKING:
    from collections.abc import Callable

Command = "Callable[..., subprocess.CompletedProcess[str]]"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def call(*arguments: str, lang: str = "en", stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "TONGQIU_HOME": str(tmp_path / "home"), "TONGQIU_LANG": lang, "COLUMNS": "100"}
        command = [sys.executable, "-m", "tongqiu", *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment,
            input=stdin,
            check=False,
            cwd=tmp_path,
            timeout=300,
        )

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "system"
    (place / "src").mkdir(parents=True)
    (place / "src" / "a.py").write_text("# SPDX-License-Identifier: Apache-2.0\n")
    rows = "".join(f"{n},{'x' if n % 2 else 'y'},{'yes' if n % 3 else 'no'}\n" for n in range(120))
    (place / "cases.csv").write_text("id,group,label\n" + rows)
    return place


def test_every_command_has_help_in_both_languages(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert cli.commands()
    for lang in ("zh", "en"):
        first = run("--help", lang=lang)
        assert first.returncode == 0
        assert bool(re.search(r"[一-鿿]", first.stdout)) == (lang == "zh")
        assert all(f"  {name.split()[0]} " in first.stdout for name in cli.commands())
    for name in cli.commands():
        page = run(*name.split(), "--help")
        assert page.returncode == 0, page.stderr
        assert re.search(r"[一-鿿]", page.stdout) or "--" not in page.stdout.replace("--help", "").replace("--lang", "")


def test_from_init_to_a_verified_file_and_back_to_the_measurement(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    made = run("init", str(folder), "--yes", "--party", "Lab", "--name", "Sorter")
    assert made.returncode == 0, made.stderr
    text = (folder / "tongqiu.toml").read_text()
    assert 'path = "cases.csv"' in text
    assert 'path = "src"' in text
    again = run("init", str(folder), "--yes")
    assert again.returncode == 2
    assert "manifest.exists" in again.stderr
    assessed = run("assess", str(folder))
    assert assessed.returncode == 0, assessed.stderr
    out = folder / ".tongqiu"
    assert {"report.zh.html", "report.en.html", "passport.tqp", "trust.toml"} <= {each.name for each in out.iterdir()}
    verified = run("verify", str(out / "passport.tqp"), "--trust", str(out / "trust.toml"), "--home", "nobody")
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.index("PROVEN") < verified.stdout.index("NOT PROVEN") < verified.stdout.index("Record")
    assert "that a measurement took place" in verified.stdout
    listed = json.loads(run("records", "--json").stdout)
    entry = next(each["entry"] for each in listed if each["content"].get("findings"))
    walked = run("explain", entry.removeprefix("sha-256:")[:12])
    assert walked.returncode == 0
    assert "asked the log" in walked.stdout
    assert "Sorter" in run("registry", "systems").stdout
    assert run("rebuild").returncode == 0
    exported = run("export", "Sorter", "part.tqp", "--withhold", "dataset.*")
    assert exported.returncode == 0, exported.stderr
    zh = run("verify", "part.tqp", lang="zh")
    assert zh.returncode == 0
    assert "未披露" in zh.stdout
    unpinned = run("verify", "part.tqp", "--home", "nobody", "--pinned")
    assert unpinned.returncode == 5
    assert run("trust", "--add", str(out / "trust.toml")).returncode == 0
    for name in ("areas", "node", "jobs", "questions"):
        shown = run(name, *([str(folder)] if name == "questions" else []))
        assert shown.returncode == 0, shown.stderr


def test_withdraw_and_erase_ask_for_their_ground(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    run("init", str(folder), "--yes", "--party", "Lab", "--name", "Sorter")
    run("assess", str(folder))
    listed = json.loads(run("records", "--json", "--kind", "core.composition/1").stdout)
    entry = listed[0]["entry"].removeprefix("sha-256:")
    kept = run("erase", entry[:12], "--ground", "law", stdin="no\n")
    assert kept.returncode == 1
    gone = run("erase", entry[:12], "--ground", "law", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert run("explain", entry).returncode == 3
    other = json.loads(run("records", "--json").stdout)[-1]["entry"].removeprefix("sha-256:")
    assert run("withdraw", other[:12], "--why", "test").returncode == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_faults_leave_with_the_codes_of_the_table_and_words_of_the_reader(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, lang: str
) -> None:
    codes = {branch.__name__: row.exit_code for branch, row in TABLE.items()}
    (tmp_path / "junk.tqp").write_bytes(b"junk")
    cases = {
        ("assess", "nowhere"): codes["Missing"],
        ("verify", "junk.tqp"): codes["Malformed"],
        ("verify", "absent.tqp"): codes["Missing"],
        ("records",): codes["Missing"],
        ("assess", "nowhere", "--ran-by", "fourth"): codes["Malformed"],
    }
    for arguments, code in cases.items():
        done = run(*arguments, lang=lang)
        assert done.returncode == code, (arguments, done.stderr)
        assert bool(re.search(r"[一-鿿]", done.stderr)) == (lang == "zh")
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_work_in_the_background_survives_the_terminal(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    run("init", str(folder), "--yes", "--party", "Lab", "--name", "Sorter")
    begun = run("assess", str(folder), "--background")
    assert begun.returncode == 0, begun.stderr
    name = re.search(r"tongqiu jobs (\S+)", begun.stdout)
    assert name
    deadline = time.monotonic() + 90
    while "done" not in (shown := run("jobs", name[1]).stdout) and time.monotonic() < deadline:
        assert "failed" not in shown
        assert "interrupted" not in shown
        time.sleep(0.5)
    assert "done" in shown
    assert (folder / ".tongqiu" / "passport.tqp").exists()


@pytest.mark.system
def test_a_full_disk_is_named_and_nothing_acknowledged_is_lost(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(small)], check=True)
    try:
        run("init", str(folder), "--yes", "--party", "Lab", "--name", "Sorter")
        full = run("assess", str(folder), "--home", str(small / "home"))
        assert full.returncode == 6, (full.stdout, full.stderr)
        assert "Traceback" not in full.stderr
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        again = run("assess", str(folder), "--home", str(small / "home"))
        assert again.returncode == 0, again.stderr
        assert run("rebuild", "--home", str(small / "home")).returncode == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)

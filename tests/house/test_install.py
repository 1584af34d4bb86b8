"""A base install from the hashed lock, made in a clean environment as a stranger would make it."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# As the Makefile does it: the lock names everything, so pip must not ask the registry what is newest today.
FROM_LOCK = ("install", "--no-deps", "--require-hashes")


def test_the_makefile_installs_the_lock_and_nothing_beside_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert " ".join(FROM_LOCK) in makefile
    assert not re.search(r"install (?!--no-deps)[^\n]*--require-hashes", makefile)


def test_the_lock_of_development_lacks_nothing() -> None:
    # Nothing resolves a lock again when it is installed, so what it forgot would be missed at run time only.
    data = re.findall(r"^([\w-]+)==", (ROOT / "requirements" / "models.lock").read_text(encoding="utf-8"), re.MULTILINE)
    check = [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"]
    said = subprocess.run(check, check=False, capture_output=True, text=True).stdout.splitlines()
    lacking = [line for line in said if line.split(" ", 1)[0] not in data]
    assert lacking in ([], ["No broken requirements found."])


@pytest.mark.system
def test_the_base_lock_installs_clean_within_its_budget(tmp_path: Path) -> None:
    place = tmp_path / "base"
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]

    def files() -> int:
        return sum(path.lstat().st_size for path in place.rglob("*") if not path.is_dir())

    empty = files()
    lock = ROOT / "requirements" / "base.lock"
    subprocess.run([*pip, *FROM_LOCK, "--only-binary=:all:", "-r", str(lock)], check=True)
    listed = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout.splitlines()
    assert 0 < len(listed) <= 45
    assert files() - empty <= 250_000_000
    subprocess.run([*pip, "check"], check=True)
    # The package itself, without anything that only development brings.
    subprocess.run([python, "-c", "import tongqiu.record.cbor"], check=True, env={"PYTHONPATH": str(ROOT / "src")})


@pytest.mark.system
def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "changed"
    venv.create(place, with_pip=True)
    lock = tmp_path / "changed.lock"
    lock.write_text(f"idna==3.10 \\\n    --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *FROM_LOCK, "-r", str(lock)], check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr

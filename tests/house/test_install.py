"""A base install from the hashed lock, made in a clean environment as a stranger would make it."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
    subprocess.run([*pip, "install", "--require-hashes", "--only-binary=:all:", "-r", str(lock)], check=True)
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
    done = subprocess.run(
        [*pip, "install", "--require-hashes", "-r", str(lock)], check=False, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr

"""Key files: whole or not there, never overwritten, closed to others."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable
from tongqiu.seal import keyfile
from tongqiu.seal.keys import ED25519, MLDSA44

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("passphrase", [None, b"a long sentence"])
def test_a_key_is_kept_and_found_again(tmp_path: Path, passphrase: bytes | None) -> None:
    path = tmp_path / "deep" / "party.pem"
    signer = keyfile.create(path, passphrase=passphrase)
    again = keyfile.load(path, passphrase=passphrase)
    assert again.public == signer.public
    assert again.sign(b"x") == signer.sign(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["party.pem"]  # noqa: PTH208 - hidden files count, too
    assert signer.public.did in repr(signer)


def test_the_file_is_plain_pkcs8(tmp_path: Path) -> None:
    keyfile.create(tmp_path / "key")
    assert (tmp_path / "key").read_text().startswith("-----BEGIN PRIVATE KEY-----\n")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keyfile.create(path)
    before = path.read_bytes()
    with pytest.raises(Refused) as raised:
        keyfile.create(path)
    assert raised.value.code == "key.exists"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["key"]  # noqa: PTH208 - hidden files count, too


def test_a_key_that_must_be_there_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "log-pq.pem"
    made = keyfile.ensure(path, alg=MLDSA44)
    assert made.public.alg == MLDSA44
    before = path.read_bytes()
    assert keyfile.ensure(path, alg=MLDSA44).public == made.public
    assert path.read_bytes() == before
    with pytest.raises(Malformed) as raised:
        keyfile.ensure(path, alg=ED25519)
    assert raised.value.code == "key.kind"


def test_of_those_who_make_it_at_once_all_get_the_same(tmp_path: Path) -> None:
    for number in range(8):
        path = tmp_path / str(number)
        together = threading.Barrier(4)
        found: list[bytes] = []

        def make(path: Path = path, together: threading.Barrier = together, found: list[bytes] = found) -> None:
            together.wait()
            found.append(keyfile.ensure(path, alg=ED25519).kid)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(set(found)) == 1


def test_of_racing_makers_one_wins(tmp_path: Path) -> None:
    path, outcomes = tmp_path / "key", []

    def make() -> None:
        try:
            outcomes.append(keyfile.create(path).public.did)
        except Refused as fault:
            outcomes.append(fault.code)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, reverse=True)[:7] == ["key.exists"] * 7
    assert keyfile.load(path).public.did in outcomes


def refuse(path: Path, kind: type[Fault], code: str, passphrase: bytes | None = None) -> None:
    with pytest.raises(kind) as raised:
        keyfile.load(path, passphrase=passphrase)
    assert raised.value.code == code
    assert str(path) in raised.value.where


def test_what_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    refuse(tmp_path / "none", Missing, "key.no-file")
    refuse(tmp_path, Unreachable, "key.storage")
    shut = tmp_path / "shut"
    keyfile.create(shut, passphrase=b"right")
    refuse(shut, Refused, "key.passphrase", b"wrong")
    refuse(shut, Refused, "key.passphrase")
    plain = tmp_path / "plain"
    keyfile.create(plain)
    refuse(plain, Refused, "key.passphrase", b"needless")
    plain.chmod(0o640)
    refuse(plain, Refused, "key.open-to-others")
    for number, data in enumerate(
        (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\x00" * 99999)
    ):
        bad = tmp_path / f"bad{number}"
        bad.write_bytes(data)
        bad.chmod(0o600)
        refuse(bad, Malformed, "key.file")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = tmp_path / "other"
    path.touch(0o600)
    path.write_bytes(X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    refuse(path, Malformed, "key.file")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unreachable) as raised:
        keyfile.create(tmp_path / "file" / "key")
    assert raised.value.code == "key.storage"


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(Malformed) as raised:
        keyfile.from_seed(b"short")
    assert raised.value.code == "key.seed"


@pytest.mark.system
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_key_is_flushed_before_it_has_its_name_and_the_name_after(tmp_path: Path) -> None:
    trace, code = (
        tmp_path / "trace",
        "import sys, pathlib; from tongqiu.seal import keyfile; keyfile.create(pathlib.Path(sys.argv[1]))",
    )
    watched = ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=fsync,fdatasync,link,linkat,unlink,unlinkat"]
    subprocess.run([*watched, sys.executable, "-c", code, str(tmp_path / "keys" / "key.pem")], check=True)
    calls = [line.split(maxsplit=1)[1] for line in trace.read_text().splitlines() if "/keys" in line]
    names = [call.split("(")[0].removesuffix("at") for call in calls]
    assert names == ["fsync", "link", "unlink", "fsync"]
    assert ".key.pem." in calls[0]
    assert calls[-1].rstrip().endswith("/keys>) = 0") or "/keys>)" in calls[-1]

"""Take a guard away and see whether a test fails: ``python -m benchmarks.mutations``.

Each guard below is removed from a copy of the source in a temporary folder, and the tests that should notice are run
against that copy. A guard whose removal no test notices is printed as ALIVE and makes the command fail, for then nothing
keeps it. First the untouched copy must pass every one of these tests. The work tree itself is never changed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("src", "tests", "benchmarks", "pyproject.toml")
LIMIT = 300.0
"""Seconds after which a run counts as failed: a guard may also keep a loop from going on."""


class Guard(NamedTuple):
    """One guard: where it is, what it reads like, what is put in its place, and who should notice."""

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]


LOG, RECEIPTS, VECTORS = "tests/ledger/test_log.py", "tests/ledger/test_receipt.py", "tests/conformance/test_vectors.py"
KEYS = "tests/store/test_keys.py"
GUARDS = (
    Guard(
        "strict CBOR: one form only",
        "record/cbor.py",
        "        if written == data:",
        "        if True:",
        (VECTORS, "tests/record/test_cbor.py"),
    ),
    Guard(
        "strict CBOR: the order of keys",
        "record/cbor.py",
        "    return heads == sorted(heads)",
        "    return True",
        ("tests/record/test_cbor.py",),
    ),
    Guard(
        "strict CBOR: nothing after the end",
        "record/cbor.py",
        "    if stream.read(1):",
        "    if False:",
        (VECTORS, "tests/record/test_cbor.py"),
    ),
    Guard(
        "dedup: a record that is logged already",
        "ledger/log.py",
        "for item in submission.items if self.find(item.entry) is None}",
        "for item in submission.items}",
        (LOG, "tests/ledger/test_log_machine.py"),
    ),
    Guard(
        "dedup: a record twice in one batch",
        "ledger/log.py",
        "        self._places[item.entry] = index\n",
        "",
        (LOG, "tests/ledger/test_log_machine.py"),
    ),
    Guard(
        "root check before signing a receipt",
        "ledger/log.py",
        "head.size, path) != head.root:",
        "head.size, path) is None:",
        (LOG,),
    ),
    Guard(
        "root check before signing a checkpoint",
        "ledger/log.py",
        "            or self._tiles.root(head.size) != head.root\n",
        "",
        (LOG,),
    ),
    Guard(
        "consistency proof: both roots",
        "ledger/tree.py",
        "if sn != 0 or first != old_root or second != new_root:",
        "if sn != 0 or second != new_root:",
        ("tests/ledger/test_tree.py",),
    ),
    Guard(
        "inclusion proof: its length",
        "ledger/tree.py",
        "    if len(path) != inner + (index >> inner).bit_count():",
        "    if False:",
        ("tests/ledger/test_tree.py", RECEIPTS),
    ),
    Guard(
        "the size in a receipt is the signed one",
        "ledger/receipt.py",
        "(SIZE in said and (type(signed) is not int or signed != size))",
        "False",
        (RECEIPTS, VECTORS),
    ),
    Guard(
        "the size in a receipt is the signed one, read quickly",
        "ledger/receipt.py",
        "if major or signed != size or",
        "if major or",
        (RECEIPTS, VECTORS),
    ),
    Guard(
        "quick reading: heads in their shortest form",
        "record/cbor.py",
        " and value >= _LEAST[argument - 24] else",
        " else",
        ("tests/record/test_cbor.py",),
    ),
    Guard(
        "quick reading: names that may stand in a header",
        "seal/cose.py",
        " or not _is_name(issuer, MAX_ISSUER):",
        ":",
        ("tests/seal/test_statement.py",),
    ),
    Guard(
        "quick reading of a receipt: what stands before its proof",
        "ledger/receipt.py",
        "if data[stop:first] != _BEFORE_PROOF or ",
        "if ",
        (RECEIPTS,),
    ),
    Guard(
        "quick reading of an envelope: what stands before its digest",
        "seal/statement.py",
        "if data[stop : stop + 3] != _BEFORE_DIGEST or ",
        "if ",
        ("tests/seal/test_statement.py",),
    ),
    Guard(
        "quick reading of a receipt: every part of the path",
        "ledger/receipt.py",
        ' or proof[at::34] != b"\\x58" * count or proof[at + 1 :: 34] != b"\\x20" * count:',
        ":",
        (RECEIPTS,),
    ),
    Guard(
        "quick reading of an envelope: its last headers",
        "seal/statement.py",
        " or protected[usual.end :] != _last_headers(media):",
        ":",
        ("tests/seal/test_statement.py",),
    ),
    Guard(
        "evidence needs the signed size",
        "ledger/passport.py",
        " or not held.size_signed:",
        ":",
        ("tests/ledger/test_passport.py",),
    ),
    Guard(
        "evidence and checkpoint are of one tree",
        "ledger/passport.py",
        "(held.size, held.root, held.subject) != (tip.size, tip.root, opened.subject)",
        "False",
        ("tests/ledger/test_passport.py",),
    ),
    Guard(
        "crit and unknown headers are refused",
        "seal/cose.py",
        "        if label not in known:",
        "        if False:",
        (VECTORS,),
    ),
    Guard(
        "crit is refused from others, too",
        "seal/foreign.py",
        "if _CRIT in headers or _CRIT in loose or set(headers) & set(loose):",
        "if False:",
        ("tests/seal/test_foreign.py",),
    ),
    Guard(
        "one form of an ECDSA signature",
        "seal/signature.py",
        " or (low_s and s > P256_ORDER // 2)",
        "",
        ("tests/seal/test_signature.py", "tests/conformance/test_wire.py"),
    ),
    Guard(
        "the algorithm is that of the key",
        "seal/cose.py",
        "    if not key.accepts(sign1.alg):\n        raise wrong_alg(sign1.alg, where)\n    if signed is None",
        "    if signed is None",
        ("tests/conformance/test_wire.py",),
    ),
    Guard(
        "the signature itself",
        "seal/cose.py",
        "if signed is None or not key.holds(to_be_signed(sign1.protected, signed), sign1.signature):",
        "if signed is None:",
        (VECTORS,),
    ),
    Guard(
        "a known witness's signature must hold",
        "ledger/checkpoint.py",
        "        if at is None:\n            raise Unproven(",
        "        if at is None:\n            continue\n            raise Unproven(",
        ("tests/conformance/test_wire.py", "tests/ledger/test_checkpoint.py"),
    ),
    Guard(
        "quorum of witnesses",
        "ledger/proof.py",
        "    if len(names) < quorum:",
        "    if False:",
        ("tests/ledger/test_proof.py",),
    ),
    Guard(
        "nothing beyond the published size",
        "ledger/tiles.py",
        "if wanted.level is None or wanted.width > width_at(wanted.level, wanted.number, size):",
        "if wanted.level is None:",
        ("tests/ledger/test_tiles.py",),
    ),
    Guard(
        "store: flushed at every commit",
        "store/database.py",
        '"PRAGMA synchronous=FULL"',
        '"PRAGMA synchronous=OFF"',
        ("tests/store/test_house.py",),
    ),
    Guard(
        "store: a folder is flushed when it gets a name",
        "store/disk.py",
        "        os.fsync(handle)\n    finally:\n        os.close(handle)\n",
        "        pass\n    finally:\n        os.close(handle)\n",
        (KEYS,),
    ),
    Guard(
        "store: what is erased is rewritten away",
        "store/backend.py",
        '            connection.exec_driver_sql("VACUUM")\n',
        "            pass\n",
        ("tests/store/test_erasure.py",),
    ),
    Guard(
        "store: the write-ahead file is emptied",
        "store/backend.py",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA wal_checkpoint(PASSIVE)",
        ("tests/store/test_erasure.py",),
    ),
    Guard(
        "keys: durable before the content is",
        "store/keys.py",
        "                flush(handle)\n                return end",
        "                return end",
        (KEYS,),
    ),
    Guard(
        "keys: destroyed with what they open",
        "store/backend.py",
        "        keys.destroy(sorted(spent - gone))\n",
        "",
        (KEYS,),
    ),
    Guard(
        "keys: an older copy of the store forgets again",
        "store/backend.py",
        "if stale is not None or gone - spent:",
        "if stale is not None:",
        (KEYS,),
    ),
    Guard(
        "keys: those of another store", "store/database.py", "if noted.get(KEYS) != keys.name:", "if False:", (KEYS,)
    ),
    Guard(
        "keys: a forked child has slots of its own",
        "store/keys.py",
        "            if self._process != os.getpid():",
        "            if False:",
        (KEYS,),
    ),
    Guard(
        "check: what is gone has a tombstone",
        "node/fsck.py",
        """_differs("tombstone", where=f"entry {position}")""",
        "continue",
        ("tests/node/test_fsck.py",),
    ),
    Guard(
        "store: the unique entry hash",
        "ledger/backend.py",
        " or any(reading.find(entry) is not None for entry in entries):",
        ":",
        ("tests/ledger/test_memory.py", "tests/store/test_backend.py"),
    ),
    Guard(
        "key file: flushed before it has a name",
        "seal/keyfile.py",
        "                os.fsync(file.fileno())\n",
        "",
        ("tests/seal/test_keyfile.py",),
    ),
    Guard(
        "key file: closed to others",
        "seal/keyfile.py",
        "if _POSIX and stat.S_IMODE(status.st_mode) & 0o077:",
        "if False:",
        ("tests/seal/test_keyfile.py",),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; returns 1 if a guard stays alive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only guards whose name has this in it")
    only = parser.parse_args(arguments).only
    guards = [guard for guard in GUARDS if only in guard.name]
    alive = judge(guards)
    print(f"{len(guards)} guards removed, {len(guards) - len(alive)} noticed, alive: {', '.join(alive) or 'none'}")
    return 1 if alive else 0


def judge(guards: Sequence[Guard]) -> list[str]:
    """Take away one guard after the other and return the names of those that no test missed.

    Raises RuntimeError where the untouched copy fails its own tests, for then nothing can be said.
    """
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = _copied(Path(folder))
        if not _passes(copy, tuple(dict.fromkeys(test for guard in guards for test in guard.tests))):
            raise RuntimeError("the untouched copy fails its own tests; nothing can be said")
        return [guard.name for guard in guards if not _killed(copy, guard)]


def _copied(folder: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    return folder


def _killed(copy: Path, guard: Guard) -> bool:
    """Remove one guard, run its tests, put it back; say whether a test failed."""
    path = copy / "src" / "tongqiu" / guard.file
    original = path.read_text(encoding="utf-8")
    if original.count(guard.text) != 1:
        print(f"LOST   {guard.name}: the text stands {original.count(guard.text)} times in {guard.file}")
        return False
    path.write_text(original.replace(guard.text, guard.instead), encoding="utf-8")
    began = time.perf_counter()
    try:
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
        noticed = not _passes(copy, guard.tests)
    finally:
        path.write_text(original, encoding="utf-8")
    print(f"{'killed' if noticed else 'ALIVE '} {guard.name} ({time.perf_counter() - began:.1f} s)", flush=True)
    return noticed


def _passes(copy: Path, tests: Sequence[str]) -> bool:
    """Say whether the tests pass against the copy, which must be the package that is imported."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    where = "import tongqiu, sys; sys.exit(not tongqiu.__file__.startswith(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", where, str(copy)], cwd=copy, env=environment, check=True)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, timeout=LIMIT, check=False, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return False
    if ended.returncode not in {0, 1}:
        # Only a failing test counts; a copy that cannot even be collected would "notice" everything.
        raise RuntimeError(ended.stdout[-2000:] + ended.stderr[-2000:])
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())

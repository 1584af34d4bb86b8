"""What two other libraries do of the log's work; run in their own environment by ``bench_ledger``, prints JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _rate(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def pymerkle(folder: Path) -> list[tuple[str, float, str]]:
    """Append and prove with pymerkle 7 over SQLite."""
    from pymerkle import SqliteTree  # type: ignore[import-not-found]

    found: list[tuple[str, float, str]] = []
    with SqliteTree(str(folder / "pymerkle.db")) as tree:
        single = [os.urandom(32) for _ in range(200)]
        rate = _rate(len(single), lambda: [tree.append_entry(each) for each in single])
        found.append(("pymerkle 7, one durable append at a time, no signatures", rate, "1/s"))
        many = [os.urandom(32) for _ in range(20_000)]
        rate = _rate(len(many), lambda: [tree.append_entries(many[at : at + 1000]) for at in range(0, len(many), 1000)])
        found.append(("pymerkle 7, appends of 1,000, no signatures", rate, "1/s"))
        rate = _rate(50, lambda: [tree.prove_inclusion(1 + 97 * at) for at in range(50)])
        found.append(("pymerkle 7, inclusion proofs of 20,200 entries", 1e6 / rate, "us"))
    return found


def scitt_cose() -> list[tuple[str, float, str]]:
    """Build, verify and receipt with scitt-cose 0.5.0, in memory."""
    import hashlib

    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from scitt_cose import build_receipt, build_signed_statement, verify_receipt, verify_sign1

    key: Any = Ed25519PrivateKey.generate()
    none = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    statements = [
        build_signed_statement(
            b"%d" % number,
            alg="EdDSA",
            private_key_pem=secret,
            issuer="did:example:a",
            subject="urn:example:b",
            content_type="text/plain",
            kid=b"k",
        )
        for number in range(500)
    ]
    found = [
        (
            "scitt-cose 0.5.0, statements verified",
            _rate(500, lambda: [verify_sign1(s, public_key_pem=public) for s in statements]),
            "1/s",
        )
    ]
    leaves = [hashlib.sha256(each).hexdigest() for each in statements]
    for size in (1_000, 10_000, 100_000):
        tree = leaves + [os.urandom(32).hex() for _ in range(size - len(leaves))]

        start = time.perf_counter()
        data = build_receipt(
            leaf_entry_hex=tree[7], leaf_index=7, tree_entries_hex=tree, alg="EdDSA", log_private_key_pem=secret
        )
        found.append(
            (f"scitt-cose 0.5.0, receipt made, of {size:,} entries", 1e6 * (time.perf_counter() - start), "us")
        )
    rate = _rate(
        300, lambda: [verify_receipt(data, leaf_entry_hex=leaves[7], log_public_key_pem=public) for _ in range(300)]
    )
    found.append(("scitt-cose 0.5.0, receipts verified", rate, "1/s"))
    return found


if __name__ == "__main__":
    print(json.dumps([*pymerkle(Path(sys.argv[1])), *scitt_cose()]))

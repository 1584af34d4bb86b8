"""What pycose says of our signed objects, and we of its: ``make bench-pycose``.

pycose 1.1.0 pins older libraries than ours, so it runs in an environment of its own, made in a temporary folder (or given
with ``--python``). Both sides read what the other wrote and what the other wrote and somebody changed; every verdict must be
the same. It knows the numbers -8 and -7, not those of RFC 9864 and not ML-DSA.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import textwrap
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.ledger import receipt, tree
from tongqiu.record.faults import Fault
from tongqiu.seal import foreign, keyfile, signature, statement
from tongqiu.seal.keys import EDDSA, ES256, ESP256

if TYPE_CHECKING:
    from collections.abc import Sequence

PEER = ("pycose==1.1.0", "cbor2<6")
"""With cbor2 6, which returns tuples, pycose 1.1.0 can read nothing at all."""
SIGNERS = {EDDSA: keyfile.from_seed(b"j" * 32), ES256: keyfile.from_seed(b"j" * 32, ESP256)}
ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(9)]
JUDGE = """
import json, sys
from pycose.algorithms import EdDSA, Es256
from pycose.headers import Algorithm, KID
from pycose.keys import EC2Key, OKPKey
from pycose.keys.curves import Ed25519, P256
from pycose.messages import Sign1Message

given = json.load(sys.stdin)

def key_of(row):
    number = bytes.fromhex
    if row["alg"] == -8:
        return OKPKey(crv=Ed25519, x=number(row["x"]), d=number(row.get("d", "")))
    return EC2Key(crv=P256, x=number(row["x"]), y=number(row["y"]), d=number(row.get("d", "")))

verdicts = []
for row in given["judge"]:
    try:
        message = Sign1Message.decode(bytes.fromhex(row["data"]))
        message.key = key_of(row)
        root = row.get("payload")
        verdicts.append(bool(message.verify_signature(detached_payload=bytes.fromhex(root)) if root else message.verify_signature()))
    except Exception as error:
        verdicts.append(f"{type(error).__name__}: {error}")
made = []
for row in given["sign"]:
    alg = EdDSA if row["alg"] == -8 else Es256
    message = Sign1Message(
        phdr={Algorithm: alg, KID: bytes.fromhex(row["kid"]), 15: {1: "issuer", 2: "subject"}},
        uhdr={},
        payload=b"said by pycose",
    )
    message.key = key_of(row)
    made.append(message.encode().hex())
print(json.dumps({"verdicts": verdicts, "made": made}))
"""


def _key(alg: int) -> dict[str, Any]:
    public = SIGNERS[alg].public
    x, y = (public.raw, b"") if alg == EDDSA else signature.point(public.raw) or (b"", b"")
    return {"alg": alg, "x": x.hex(), "y": y.hex(), "kid": public.thumbprint.hex()}


def _ours() -> list[tuple[dict[str, Any], bool]]:
    """Return statements and receipts of ours, whole and changed, with the verdict that is right."""
    grown = tree.grow(0, (), ENTRIES, lambda *_: b"")
    kept = {(tile.level, tile.number): tile.hashes for tile in grown.tiles}
    path = tree.Tiles(lambda level, number: kept[level, number]).inclusion(3, 9)
    rows: list[tuple[dict[str, Any], bool]] = []
    for alg, signer in SIGNERS.items():
        sealed = statement.seal_statement(
            b"content", bytes(32), signer=signer, issuer=signer.public.did, subject="urn:x:1", alg=alg
        )
        held = receipt.create_receipt(
            index=3,
            size=9,
            path=path,
            root=grown.root,
            logged_at="2026-11-23T10:00:00.000Z",
            origin="log.example/x",
            subject="urn:x:1",
            signer=signer,
            alg=alg,
        )
        for data, payload in ((sealed, None), (held, grown.root)):
            changed = data[:-1] + bytes((data[-1] ^ 1,))
            rows.append(({**_key(alg), "data": data.hex(), "payload": payload and payload.hex()}, True))
            rows.append(({**_key(alg), "data": changed.hex(), "payload": payload and payload.hex()}, False))
        rows.append(({**_key(alg), "data": held.hex(), "payload": bytes(32).hex()}, False))
    return rows


def _theirs(data: bytes, alg: int) -> bool:
    """Say whether we take what pycose signed, and refuse it when it is changed."""
    key = SIGNERS[alg].public
    foreign.verify(foreign.decode(data, limit=4096), key)
    try:
        foreign.verify(foreign.decode(data[:-1] + bytes((data[-1] ^ 1,)), limit=4096), key)
    except Fault:
        return True
    return False


class Verdicts(NamedTuple):
    """What each side said of the other's objects: alike or taken, one for each."""

    alike: list[bool]
    taken: list[bool]

    @property
    def agree(self) -> bool:
        """Say whether no verdict differs."""
        return all(self.alike) and all(self.taken)


def verdicts(python: Path | None = None) -> Verdicts:
    """Let both sides judge; ``python`` is an interpreter that has pycose, None makes one for the time being."""
    rows = _ours()
    secret = (b"j" * 32).hex()
    asked = {"judge": [row for row, _ in rows], "sign": [{**_key(alg), "d": secret} for alg in SIGNERS]}
    with tempfile.TemporaryDirectory(prefix="judge-") as folder:
        if python is None:
            venv.create(folder, with_pip=True)
            python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
        ended = subprocess.run(
            [python, "-c", textwrap.dedent(JUDGE)], input=json.dumps(asked), check=True, capture_output=True, text=True
        )
    answer = json.loads(ended.stdout)
    for got, (row, right) in zip(answer["verdicts"], rows, strict=True):
        if got is not right:
            print(f"alg {row['alg']}: pycose says {got}, right is {right}")
    alike = [got is right for got, (_, right) in zip(answer["verdicts"], rows, strict=True)]
    return Verdicts(
        alike, [_theirs(bytes.fromhex(data), alg) for data, alg in zip(answer["made"], SIGNERS, strict=True)]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; returns 1 if any verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, help=f"an interpreter that has {PEER[0]}")
    found = verdicts(parser.parse_args(arguments).python)
    print(
        f"our objects: {sum(found.alike)} of {len(found.alike)} verdicts alike; "
        f"its objects: {sum(found.taken)} of {len(found.taken)} taken"
    )
    return 0 if found.agree else 1


if __name__ == "__main__":
    sys.exit(main())

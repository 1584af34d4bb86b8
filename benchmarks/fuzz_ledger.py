"""Changed inputs by the million against every reader of signed things: nothing may crash, hang or be forged.

``python -m benchmarks.fuzz_ledger --runs 1000000`` takes valid statements, receipts, notes, proofs, passports, changes of
key and plain CBOR, changes them (bytes, structure, and pieces of each other), and reads them. For each input exactly one of
three things may happen: it is refused by a fault, it is read as saying what the original said, or it is a value that
nobody signed and that is written back to the same bytes. Anything else is counted and makes the command fail. The same
``--seed`` gives the same changes again (ML-DSA-44 signs differently each time, so its originals differ).

``make bench-fuzz`` spreads a few inputs over every reader; ``FUZZ_EACH=1000000 make bench-fuzz`` gives each reader so many. That
takes half an hour; broken off, it goes on where it stopped, and begins anew where the source of a reader has changed.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import random
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import cbor2

from benchmarks import rule_of_cbor
from tongqiu.ledger import checkpoint, passport, proof, receipt, tiles, tree
from tongqiu.record import cbor
from tongqiu.record.faults import Fault
from tongqiu.seal import foreign, keyfile, policy, rotation, statement
from tongqiu.seal.keys import ESP256, MLDSA44, PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from types import FrameType

SLOW = 2.0
"""Seconds of processor time after which one input counts as a hang and is broken off."""

AT = "2026-11-23T10:00:00.000Z"
NOW = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)
ORIGIN = "log.example/fuzz"
PARTY, LOG, NEXT = (keyfile.from_seed(bytes([number]) * 32) for number in (1, 2, 3))
CURVE, LATTICE = keyfile.from_seed(bytes([4]) * 32, ESP256), keyfile.from_seed(bytes([5]) * 32, MLDSA44)
WITNESS = checkpoint.cosigner("w.example/1", NEXT.public)
_PLAIN = cbor.dumps(
    {
        1: [None, True, -3, 1e300, 1.5, "é", 0.1],
        -2: {"b": 2**63, "aa": -(2**64)},
        "x": b"\x00",
        24: cbor2.CBORTag(99, {}),
    }
)
BESIDE = checkpoint.NoteKey(ORIGIN, LATTICE.public, checkpoint.MLDSA44_TYPE)


class Target(NamedTuple):
    """One reader: what it is given, and what the original says when it is read."""

    name: str
    originals: tuple[bytes, ...]
    read: Callable[[bytes], Hashable]
    """Return what is proven to have been said; raises a Fault."""

    weight: int = 10
    signed: bool = True
    """False for readers of plain values: their answer is the input written again."""


class Tally(NamedTuple):
    """What happened to the inputs of one target."""

    runs: int
    refused: Counter[str]
    same: int
    forged: tuple[bytes, ...]
    crashed: tuple[tuple[bytes, str], ...]
    slowest: float


class _HangError(BaseException):
    """One input took too long; not an Exception, so that no reader can swallow it."""


def targets() -> tuple[Target, ...]:
    """Return every reader with valid inputs for it."""
    entries = [hashlib.sha256(b"%d" % number).digest() for number in range(9)]
    sealed = {signer.public.alg: _sealed(signer) for signer in (PARTY, CURVE, LATTICE)}
    entries[3] = statement.entry_of(sealed[PARTY.public.alg])
    grown = tree.grow(0, (), entries, lambda *_: b"")
    kept = {(tile.level, tile.number): tile.hashes for tile in grown.tiles}
    path = tree.Tiles(lambda level, number: kept[level, number]).inclusion(3, 9)
    receipts = [_receipt(path, grown.root, signer) for signer in (LOG, CURVE, LATTICE)]
    tip = checkpoint.Checkpoint(ORIGIN, 9, grown.root)
    plain, note = checkpoint.sign(tip, LOG), checkpoint.sign(tip, LOG, beside=LATTICE)
    note += checkpoint.cosign(note, WITNESS.name, NEXT, at=1_700_000_000)
    whole = proof.write_proof(proof.Proof(3, path, note, b"extra"))
    whole_short = proof.write_proof(proof.Proof(3, path, plain))
    held = _passport(sealed[PARTY.public.alg], receipts[0], plain)
    change = rotation.rotate_proof(PARTY, NEXT, did=PARTY.public.did, serial=1, at=AT)
    keys = {signer.public.alg: signer.public for signer in (PARTY, CURVE, LATTICE)}
    transparent = statement.with_receipts(sealed[PARTY.public.alg], [receipts[0]])
    return (
        Target("statement", (sealed[-19], transparent), _reads_statement(keys[-19]), 20),
        Target("statement, P-256", (sealed[ESP256],), _reads_statement(keys[ESP256])),
        Target("statement, ML-DSA-44", (sealed[MLDSA44],), _reads_statement(keys[MLDSA44]), 4),
        Target("statement of others", (sealed[-19], transparent), _reads_foreign(keys[-19])),
        Target("receipt", (receipts[0],), _reads_receipt(entries[3], LOG.public), 20),
        Target("receipt, P-256", (receipts[1],), _reads_receipt(entries[3], CURVE.public)),
        Target("receipt, ML-DSA-44", (receipts[2],), _reads_receipt(entries[3], LATTICE.public), 4),
        Target("receipt of others", (receipts[0], _loose(receipts[0])), _reads_foreign_receipt(entries[3])),
        Target("checkpoint", (plain.encode(),), _reads_checkpoint),
        Target("cosigned checkpoint", (note.encode(),), _reads_note, 4),
        Target("log proof", (whole.encode(), whole_short.encode()), _reads_proof(entries[3]), 8),
        Target("evidence file", (held,), _reads_passport, 5),
        Target("change of key", (change,), lambda data: rotation.keys_after(PARTY.public.did, [data]), 8),
        Target("CBOR", (receipts[0][1:], held, cbor.dumps(list(range(300))), _PLAIN), _reads_cbor, 8, signed=False),
        Target("CBOR of others", (sealed[-19], b"\xbf\x01\x9f\x02\xff\xff"), _reads_any_cbor, 8, signed=False),
        Target("COSE_Key", tuple(key.cose_key() for key in keys.values()), _reads_key, 6, signed=False),
        Target("did:key", tuple(key.did.encode() for key in keys.values()), _reads_did, 4, signed=False),
        Target("verifier key", (WITNESS.vkey.encode(), BESIDE.vkey.encode()), _reads_vkey, 4, signed=False),
        Target("trust file", (_trust().encode(),), _reads_trust, 3, signed=False),
        Target("tile path", (b"tile/0/x001/x234/067.p/5", b"tile/entries/001"), _reads_path, 4, signed=False),
        Target("bundle", (tiles.write_bundle(entries),), _reads_bundle, 4, signed=False),
    )


def fuzz(target: Target, runs: int, seed: int) -> Tally:
    """Read ``runs`` changed inputs of ``target`` and count what happened."""
    chance = random.Random(f"{seed} {target.name}")  # noqa: S311 - the same inputs again, not secrets
    said = {target.read(data) for data in target.originals}
    earlier = signal.signal(signal.SIGPROF, hang) if hasattr(signal, "SIGPROF") else None
    refused: Counter[str] = Counter()
    forged: list[bytes] = []
    crashed: list[tuple[bytes, str]] = []
    same, slowest = 0, 0.0
    for _ in range(runs):
        data = change(chance.choice(target.originals), target.originals, chance)
        began = time.process_time()
        try:
            _limit(SLOW)
            found = target.read(data)
            _limit(0)
        except Fault as fault:
            refused[type(fault).__name__] += 1
        except _HangError:
            crashed.append((data, "hang"))
        except BaseException as error:
            # Whatever else comes out of a reader is what this is looking for.
            if isinstance(error, KeyboardInterrupt):
                raise
            crashed.append((data, f"{type(error).__name__}: {error}"))
        else:
            same += 1
            if (found not in said) if target.signed else (found != data):
                forged.append(data)
        slowest = max(slowest, time.process_time() - began)
    _limit(0)
    if earlier is not None:
        signal.signal(signal.SIGPROF, earlier)
    return Tally(runs, refused, same, tuple(forged), tuple(crashed), slowest)


def change(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return ``data`` changed in one to four ways: bytes, ranges, lengths, pieces of others, or CBOR structure."""
    if chance.random() < 0.3:  # noqa: PLR2004 - a third reaches what lies behind the form
        found = _restructured(data, chance)
        if found is not None:
            return found
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(_WAYS)(data, others, chance)
    return data


def _flip(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]


def _byte(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes((chance.choice(_ODD),)) + data[at + 1 :]


def _cut(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:start] + data[stop:] if chance.random() < 0.5 else data[:start]  # noqa: PLR2004 - an even chance


def _again(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:stop] + data[start:stop][:400] + data[stop:]


def _piece(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    other, at = chance.choice(others), chance.randrange(len(data) + 1)
    start = chance.randrange(len(other) + 1)
    piece = other[start : start + chance.choice((1, 4, 32, 64, 300))]
    return data[:at] + piece + (data[at:] if chance.random() < 0.5 else data[at + len(piece) :])  # noqa: PLR2004 - even


def _insert(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_INSERTS) + data[at:]


_ODD = bytes.fromhex("0001 0a17 181b 1f20 2b40 5b5f 7f80 9b9f a0bf c0c2 d2d8 dbe2 f4f6 f7f9 fbff 3039 3d41")
_INSERTS = [
    b"\x9b" + b"\xff" * 8,
    b"\x5b\x7f" + b"\xff" * 7,
    b"\x81" * 40,
    b"\xd8\x1c\x81",
    b"\n\n",
    b"\xe2\x80\x94 ",
    b"=",
    b"\xed\xa0\x80",
    b"\xc2\x4a" + b"\xff" * 10,
    b"\x1b" + b"\xff" * 8,
    b"0",
]
_WAYS = (_flip, _flip, _byte, _cut, _again, _piece, _insert)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2**63,
    -(2**64),
    2**64 - 1,
    b"",
    bytes(32),
    "",
    "x",
    1.5,
    [],
    {},
)


def _restructured(data: bytes, chance: random.Random) -> bytes | None:
    """Return CBOR with one part of its structure changed, in deterministic form if it can be; None for other data."""
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        return None
    changed = _changed(value, chance, 0)
    try:
        return cbor.dumps(changed)
    except Fault:
        return data + b"\x00"


def _changed(value: Any, chance: random.Random, depth: int) -> Any:  # noqa: ANN401, PLR0911 - any CBOR
    if depth and chance.random() < 0.15:  # noqa: PLR2004 - most changes lie deep
        return chance.choice(_VALUES)
    if isinstance(value, cbor2.CBORTag):
        return cbor2.CBORTag(value.tag, _changed(value.value, chance, depth + 1))
    if isinstance(value, bytes) and len(value) > 1 and chance.random() < 0.7:  # noqa: PLR2004 - look inside
        inner = _restructured(value, chance) if depth < 6 else None  # noqa: PLR2004 - deep enough
        return inner if inner is not None else _flip(value, (), chance)
    if isinstance(value, list | tuple) and value:
        items = list(value)
        at = chance.randrange(len(items))
        way = chance.random()
        if way < 0.1:  # noqa: PLR2004 - leave one out
            return items[:at] + items[at + 1 :]
        if way < 0.2:  # noqa: PLR2004 - one twice
            return [*items, items[at]]
        items[at] = _changed(items[at], chance, depth + 1)
        return items
    if hasattr(value, "items") and value:
        pairs = dict(value)
        key = chance.choice(list(pairs))
        if chance.random() < 0.2:  # noqa: PLR2004 - under another label
            pairs[chance.choice((0, 1, 2, 3, 4, 15, 258, 394, 395, 396, -1, -65537, "size", "x"))] = pairs.pop(key)
            return pairs
        pairs[key] = _changed(pairs[key], chance, depth + 1)
        return pairs
    if isinstance(value, int) and not isinstance(value, bool):
        return value + chance.choice((-1, 1, 256, -256, 1 << 32))
    if isinstance(value, str):
        return chance.choice((value + "x", value[:-1], value.upper(), value[::-1]))
    return chance.choice(_VALUES)


def _sealed(signer: keyfile.FileSigner) -> bytes:
    return statement.seal_statement(b"content", bytes(32), signer=signer, issuer=signer.public.did, subject="urn:x:1")


def _receipt(path: Sequence[bytes], root: bytes, signer: keyfile.FileSigner) -> bytes:
    return receipt.create_receipt(
        index=3, size=9, path=path, root=root, logged_at=AT, origin=ORIGIN, subject="urn:x:1", signer=signer
    )


def _loose(data: bytes) -> bytes:
    """Return the receipt as software writes it that does not order its maps."""
    protected, loose, payload, sig = cbor.loads(data[1:])
    return b"\xd8\x12\x9f" + b"".join(map(cbor2.dumps, (protected, loose, payload, sig))) + b"\xff"


def _passport(sealed: bytes, held: bytes, note: str) -> bytes:
    return passport.write_passport(
        subject="urn:x:1",
        exported_at=AT,
        origin=ORIGIN,
        log_key=LOG.public,
        checkpoint_note=note,
        items=[passport.Item(sealed, held, b"content", bytes(32))],
        files=[b"file"],
        parties=[passport.Party(PARTY.public.did)],
        exporter=PARTY.public.did,
        signer=PARTY,
    )


def _trust() -> str:
    pins = (policy.PartyPin("Lab", PARTY.public.did, frozenset({PARTY.kid})),)
    return policy.write_trust(policy.Policy(pins, (policy.LogPin("Log", ORIGIN, LOG.public),)))


def _reads_statement(key: PublicKey) -> Callable[[bytes], Hashable]:
    def read(data: bytes) -> Hashable:
        opened = statement.open_statement(data)
        statement.verify_statement(opened, key)
        return opened.stripped, opened.issuer, opened.subject, opened.payload_digest

    return read


def _reads_foreign(key: PublicKey) -> Callable[[bytes], Hashable]:
    def read(data: bytes) -> Hashable:
        opened = foreign.decode(data, protected=(258, 259), limit=64 * 1024)
        foreign.verify(opened, key)
        return opened.sign1.protected, opened.sign1.payload, opened.issuer, opened.subject

    return read


def _reads_receipt(entry: bytes, key: PublicKey) -> Callable[[bytes], Hashable]:
    def read(data: bytes) -> Hashable:
        found = receipt.verify_receipt(data, entry, key, origin=ORIGIN)
        return tuple(getattr(found, name) for name in found.__struct_fields__)

    return read


def _reads_foreign_receipt(entry: bytes) -> Callable[[bytes], Hashable]:
    def read(data: bytes) -> Hashable:
        found = receipt.verify_foreign(data, entry, LOG.public, origin=ORIGIN).proven
        return tuple(getattr(found, name) for name in found.__struct_fields__)

    return read


def _text(data: bytes) -> str:
    """Return text as a careless reader of files would hand it over, half surrogate pairs included."""
    return data.decode("utf-8", "surrogateescape")


def _reads_checkpoint(data: bytes) -> Hashable:
    return checkpoint.verify(_text(data), checkpoint.NoteKey(ORIGIN, LOG.public))


def _reads_note(data: bytes) -> Hashable:
    keys = [checkpoint.NoteKey(ORIGIN, LOG.public), BESIDE, WITNESS]
    text, times = checkpoint.signers_of(_text(data), keys)
    expected = {keys[0]: 0, keys[1]: 0, keys[2]: 1_700_000_000}
    # A line left out is a signature less and no forgery; a time that was never signed is one.
    return text, all(expected[key] == at for key, at in times.items())


def _reads_proof(entry: bytes) -> Callable[[bytes], Hashable]:
    def read(data: bytes) -> Hashable:
        found = proof.verify_proof(
            _text(data), entry, checkpoint.NoteKey(ORIGIN, LOG.public), witnesses=[WITNESS, BESIDE]
        )
        return found.index, found.tip, set(found.witnessed.items()) <= {(WITNESS, 1_700_000_000)}

    return read


def _reads_passport(data: bytes) -> Hashable:
    report = passport.read_passport(data, policy.Policy(), NOW)
    return repr(report)


def _reads_cbor(data: bytes) -> Hashable:
    by_rule = rule_of_cbor.holds(data)
    try:
        value = cbor.loads(data)
    except Fault as fault:
        if by_rule:
            raise AssertionError(f"refused, though the rule holds: {fault.code}") from fault
        raise
    if not by_rule:
        raise AssertionError("taken, though the rule does not hold")
    return cbor.dumps(value)


def _reads_any_cbor(data: bytes) -> Hashable:
    value, exact = foreign.loads(data, limit=1 << 16)
    return data if not exact else cbor.dumps(value)


def _reads_key(data: bytes) -> Hashable:
    key = PublicKey.from_cose(data)
    members = cbor.loads(data)
    extra = {label: members[label] for label in (2, 3) if label in members}
    return cbor.dumps({**cbor.loads(key.cose_key()), **extra})


def _reads_did(data: bytes) -> Hashable:
    return PublicKey.from_did(_text(data)).did.encode()


def _reads_vkey(data: bytes) -> Hashable:
    return checkpoint.parse_vkey(_text(data)).vkey.encode()


def _reads_trust(data: bytes) -> Hashable:
    found = policy.read_trust(data)
    return data if policy.read_trust(policy.write_trust(found).encode()) == found else b""


def _reads_path(data: bytes) -> Hashable:
    return tiles.parse_path(_text(data)).path.encode()


def _reads_bundle(data: bytes) -> Hashable:
    return tiles.write_bundle(tiles.parse_bundle(data))


def _limit(seconds: float) -> None:
    """Break off what runs longer than that; on systems without such a clock only the slowest input is shown."""
    if hasattr(signal, "setitimer"):
        # Processor time, so that a busy machine makes no hang of it.
        signal.setitimer(signal.ITIMER_PROF, seconds)


def hang(_number: int = 0, _frame: FrameType | None = None) -> None:
    """Break off the input that is being read; what the clock calls."""
    raise _HangError


def run(runs: int, seed: int, only: str = "", *, quiet: bool = False) -> bool:
    """Spread ``runs`` over all readers (or those whose name has ``only``), print the counts, say whether all is well."""
    chosen = [target for target in targets() if only in target.name]
    total = sum(target.weight for target in chosen)
    began, done, well = time.perf_counter(), 0, True
    for target in chosen:
        share = max(1, runs * target.weight // total)
        tally = fuzz(target, share, seed)
        done += tally.runs
        well = well and not (tally.forged or tally.crashed)
        if not quiet:
            _show(target, tally)
    spent = time.perf_counter() - began
    print(f"{done} inputs in {spent:.0f} s, {done / spent:.0f} a second; {'all is well' if well else 'FAILED'}")
    return well


def _show(target: Target, tally: Tally) -> None:
    refused = " ".join(f"{name} {count}" for name, count in sorted(tally.refused.items()))
    print(
        f"{target.name:24} {tally.runs:8} inputs: {refused}; read alike {tally.same}; "
        f"forged {len(tally.forged)}; crashed {len(tally.crashed)}; slowest {tally.slowest * 1000:.1f} ms",
        flush=True,
    )
    for data in tally.forged[:3]:
        print("   forged:", data.hex())
    for data, why in tally.crashed[:3]:
        print("   crashed:", why, data.hex())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; returns 1 if anything was forged, crashed or hung."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="inputs over all readers")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs")
    parser.add_argument("--only", default="", help="only readers whose name has this in it")
    taken = parser.parse_args(arguments)
    return 0 if run(taken.runs, taken.seed, taken.only) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The passport: everything holds together, or it is refused; nobody is trusted whom the trust file does not name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tongqiu.ledger import checkpoint, passport, receipt
from tongqiu.ledger.log import Log, Submission, check_in
from tongqiu.ledger.memory import MemoryBackend
from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.statement import moment_of
from tongqiu.seal import cose, keyfile, rotation, statement
from tongqiu.seal.keys import ESP256, MLDSA44
from tongqiu.seal.policy import LogPin, PartyPin, Policy, read_trust, write_trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.seal.keys import Signer

LOG_KEY, OTHER_LOG, PARTY, NEW_KEY, STRANGER, EXPORTER = (
    keyfile.from_seed(letter * 32) for letter in (b"l", b"o", b"p", b"n", b"s", b"e")
)
ORIGIN, SUBJECT, AT = "log.example/test", "urn:x:subject", "2026-11-23T10:00:00.000Z"
NOW = moment_of("2026-11-23T10:01:00.000Z")
ROTATION = rotation.rotate_proof(PARTY, NEW_KEY, did=PARTY.public.did, serial=1, at=AT)
POLICY = Policy(
    (PartyPin("Party", PARTY.public.did), PartyPin("Exporter", EXPORTER.public.did)),
    (LogPin("Log", ORIGIN, LOG_KEY.public),),
)


def make_log(signer: Signer = LOG_KEY, origin: str = ORIGIN) -> Log:
    log = Log(MemoryBackend(), signer, origin, clock=lambda: AT)
    for number in range(6):
        content, salt = b"content %d" % number, bytes([number]) * 32
        data = statement.seal_statement(content, salt, signer=PARTY, issuer=PARTY.public.did, subject=SUBJECT)
        log.append([Submission((check_in(data, PARTY.public, content=content, salt=salt),))])
    return log


LOG = make_log()


def test_whoever_pins_both_keys_of_a_log_asks_for_both() -> None:
    beside = keyfile.from_seed(b"q" * 32, MLDSA44)
    both = Policy(POLICY.parties, (LogPin("Log", ORIGIN, LOG_KEY.public, beside.public),))
    tip = checkpoint.parse_checkpoint(checkpoint.parse_note(LOG.checkpoint()).text)
    twice = make(checkpoint_note=checkpoint.sign(tip, LOG_KEY, beside=beside))
    assert passport.read_passport(twice, both, NOW).log_name == "Log"
    assert passport.read_passport(twice, POLICY, NOW).log_name == "Log"
    forged = checkpoint.sign(tip, LOG_KEY, beside=keyfile.from_seed(b"r" * 32, MLDSA44))
    for note in (LOG.checkpoint(), forged):
        with pytest.raises(Unproven) as raised:
            passport.read_passport(make(checkpoint_note=note), both, NOW)
        assert raised.value.code == "note.unsigned"


def items(
    log: Log = LOG, indices: tuple[int, ...] = (2, 4, 5), withheld: tuple[int, ...] = (4,)
) -> list[passport.Item]:
    _, receipts = log.proofs(indices)
    made = []
    for index, proof in zip(indices, receipts, strict=True):
        row = log.reading.row(index)
        shown = (None, None) if index in withheld else (row.content, row.salt)
        made.append(passport.Item(row.statement, proof, *shown))
    return made


def make(log: Log = LOG, signer: Signer = EXPORTER, **changes: Any) -> bytes:
    parts: dict[str, Any] = {
        "subject": SUBJECT,
        "exported_at": AT,
        "origin": log.origin,
        "log_key": log.public,
        "checkpoint_note": log.checkpoint(),
        "items": items(log),
        "files": [b"second file", b"first file"],
        "parties": [],
        "exporter": EXPORTER.public.did,
        "signer": signer,
    }
    return passport.write_passport(**(parts | changes))


def sealed(body: object, signer: Signer = EXPORTER, subject: str = SUBJECT, **headers: object) -> bytes:
    """Return a passport around any body at all, properly sealed by its exporter."""
    data = body if isinstance(body, bytes) else cbor.dumps(body)
    protected: dict[int, Any] = {15: {1: signer.public.did, 2: subject}, 258: -16, 259: passport.MEDIA}
    seal = cose.encode(cose.sign(protected, hashlib.sha256(data).digest(), signer))
    return cbor.dumps([headers.get("head", passport.HEAD), data, headers.get("seal", seal)])


def body_of(data: bytes) -> dict[str, Any]:
    body: dict[str, Any] = cbor.loads(cbor.loads(data)[1])
    return body


def read(data: bytes, policy: Policy = POLICY) -> passport.PassportReport:
    return passport.read_passport(data, policy, NOW, where="x.tqp")


def codes(claims: tuple[passport.Claim, ...]) -> list[str]:
    return [claim.code for claim in claims]


def test_what_is_written_is_read_and_named() -> None:
    report = read(make())
    assert report.pinned
    assert (report.subject, report.exported_at, report.exporter_name, report.log_name) == (
        SUBJECT,
        AT,
        "Exporter",
        "Log",
    )
    assert (report.origin, report.size) == (ORIGIN, 7)
    assert codes(report.proven) == ["unchanged", "in-log"]
    assert codes(report.not_proven) == ["truth"]
    assert [(item.index, item.content, item.disclosed) for item in report.items] == [
        (2, b"content 1", True),
        (4, None, False),
        (5, b"content 4", True),
    ]
    assert codes(report.items[0].proven) == ["signed", "logged", "content"]
    assert codes(report.items[1].proven) == ["signed", "logged"]
    assert codes(report.items[1].not_proven) == ["withheld"]
    assert {(item.issuer_name, item.logged_at, item.subject) for item in report.items} == {("Party", AT, SUBJECT)}
    assert [item.entry for item in report.items] == [LOG.reading.row(index).entry for index in (2, 4, 5)]
    files = {hashlib.sha256(data).digest(): data for data in (b"first file", b"second file")}
    assert report.files == files


def test_order_of_parts_does_not_matter_to_the_bytes() -> None:
    assert make(items=items()[::-1], files=[b"first file", b"second file", b"first file"]) == make()


def test_keys_that_nobody_pinned_are_reported_by_name() -> None:
    report = read(make(), Policy())
    assert not report.pinned
    assert codes(report.not_proven) == ["truth", "log-not-pinned", "exporter-not-pinned"]
    assert all("issuer-not-pinned" in codes(item.not_proven) for item in report.items)
    assert (report.log_name, report.exporter_name, report.items[0].issuer_name) == (None, None, None)
    for claim in (*report.not_proven, *report.items[0].not_proven):
        assert claim.text.en
        assert claim.text.zh


def test_a_file_resealed_by_a_stranger_is_nobody_s() -> None:
    report = read(make(signer=STRANGER, exporter=STRANGER.public.did))
    assert codes(report.not_proven) == ["truth", "exporter-not-pinned"]
    with pytest.raises(Unproven) as raised:
        read(make(signer=STRANGER))
    assert raised.value.code == "passport.key"


def test_every_byte_flip_below_the_seal_is_refused_or_shows_the_stranger() -> None:
    """An attacker who changes a byte and seals the file anew gains nothing but a file of his own."""
    body = cbor.loads(make())[1]
    told = read(make())
    for at in range(len(body)):
        for mask in (1, 255):
            flipped = bytearray(body)
            flipped[at] ^= mask
            try:
                report = read(sealed(bytes(flipped), STRANGER))
            except (Malformed, Unproven):
                continue
            assert "exporter-not-pinned" in codes(report.not_proven)
            assert report.items == told.items


def test_a_changed_key_is_followed_from_the_first_one() -> None:
    log = make_log()
    content, salt = b"after the change", bytes(32)
    data = statement.seal_statement(content, salt, signer=NEW_KEY, issuer=PARTY.public.did, subject=SUBJECT)
    log.record(check_in(data, NEW_KEY.public, content=content, salt=salt))
    parties = [passport.Party(PARTY.public.did, (ROTATION,))]
    made = make(log, items=items(log, (2, 7)), parties=parties)
    report = read(made)
    assert report.pinned
    assert [codes(item.not_proven) for item in report.items] == [["key-retired"], []]
    with pytest.raises(Unproven) as raised:
        read(make(log, items=items(log, (2, 7))))
    assert raised.value.code == "passport.key"
    narrow = Policy((PartyPin("Old key only", PARTY.public.did, frozenset({PARTY.kid})),), POLICY.logs)
    assert [item.issuer_name for item in read(made, narrow).items] == ["Old key only", None]


def test_a_receipt_of_another_log_proves_nothing() -> None:
    other = make_log(OTHER_LOG)
    renamed = make_log(LOG_KEY, "other.example/log")
    for log in (other, renamed):
        with pytest.raises(Unproven) as raised:
            read(make(items=[items()[0], items(log)[1]]))
        assert raised.value.code == "receipt.other-log"
        assert "item 2" in raised.value.where
    with pytest.raises(Unproven):
        read(make(checkpoint_note=other.checkpoint()))


def test_receipts_and_checkpoint_are_of_one_tree() -> None:
    log = make_log()
    early, note = items(log), log.checkpoint()
    content = b"one more"
    data = statement.seal_statement(content, bytes(32), signer=PARTY, issuer=PARTY.public.did, subject=SUBJECT)
    log.record(check_in(data, PARTY.public))
    for changes in ({"items": early}, {"checkpoint_note": note}):
        with pytest.raises(Unproven) as raised:
            read(make(log, **changes))
        assert raised.value.code == "passport.checkpoint"


def test_a_foreign_receipt_without_signed_time_is_not_enough() -> None:
    item = items()[0]
    opened = receipt.open_receipt(item.receipt)
    headers = {395: 1, 15: {1: ORIGIN, 2: SUBJECT}}
    root = receipt.verify_receipt(item.receipt, statement.entry_of(item.statement), LOG_KEY.public).root
    for claims, kind in (({}, Unproven), ({"size": opened.size}, Malformed)):
        signed = cose.sign({**headers, 15: {**headers[15], **claims}}, root, LOG_KEY)  # type: ignore[dict-item]
        bare = msgspec.structs.replace(signed, unprotected=opened.sign1.unprotected)
        with pytest.raises(kind):
            read(make(items=[msgspec.structs.replace(item, receipt=cose.encode(bare, detached=True))]))


def change_item(**changes: object) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        body["items"][0].update(changes)

    return change


def drop_salt(body: dict[str, Any]) -> None:
    del body["items"][0]["salt"]


def twice(body: dict[str, Any]) -> None:
    body["items"].append(body["items"][-1])


def backwards(body: dict[str, Any]) -> None:
    body["items"].reverse()


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        (change_item(content=b"another"), Unproven, "statement.content"),
        (change_item(salt=bytes(32)), Unproven, "statement.content"),
        (change_item(salt=b"short"), Unproven, "statement.content"),
        (drop_salt, Malformed, "passport.form"),
        (change_item(more=1), Malformed, "passport.form"),
        (change_item(receipt=b""), Malformed, "cose.form"),
        (change_item(statement=b""), Malformed, "cose.form"),
        (
            change_item(statement=statement.with_receipts(LOG.reading.row(2).statement, [b"r"])),
            Malformed,
            "passport.form",
        ),
        (twice, Unproven, "passport.order"),
        (backwards, Unproven, "passport.order"),
        (lambda body: body.pop("files"), Malformed, "passport.form"),
        (lambda body: body.update(files=[b"b", b"b"]), Malformed, "passport.form"),
        (lambda body: body["files"].reverse(), Malformed, "passport.form"),
        (lambda body: body.update(subject="urn:x:other"), Malformed, "passport.form"),
        (lambda body: body.update(subject=1), Malformed, "passport.form"),
        (lambda body: body.update(exported_at="yesterday"), Malformed, "statement.instant"),
        (lambda body: body.update(log_key=OTHER_LOG.public.cose_key()), Unproven, "note.unsigned"),
        (lambda body: body.update(log_key=b"\xa0"), Malformed, "key.form"),
        (lambda body: body.update(checkpoint="x"), Malformed, "note.form"),
        (lambda body: body.update(parties=[{"did": PARTY.public.did}] * 2), Malformed, "passport.form"),
        (lambda body: body.update(parties=[{"did": "did:web:x"}]), Malformed, "key.did"),
        (
            lambda body: body.update(parties=[{"did": EXPORTER.public.did, "rotations": [ROTATION]}]),
            Unproven,
            "rotation.chain",
        ),
        (lambda body: body.update(items=[{}] * (passport.MAX_ITEMS + 1)), Malformed, "passport.form"),
    ],
)
def test_a_properly_sealed_wrong_body_is_refused(
    change: Callable[[dict[str, Any]], object], kind: type[Malformed | Unproven], code: str
) -> None:
    body = body_of(make())
    assert read(sealed(body)).pinned
    change(body)
    with pytest.raises(kind) as raised:
        read(sealed(body))
    assert raised.value.code == code
    assert raised.value.where.startswith("x.tqp")


def test_other_things_are_no_passports() -> None:
    body = body_of(make())
    good = cbor.loads(make())[2]
    for data in (
        b"",
        cbor.dumps([]),
        cbor.dumps({"a": 1}),
        cbor.dumps([passport.HEAD, b"", 1]),
        sealed(body, head="tongqiu.passport/2"),
        sealed(body, seal=LOG.reading.row(2).statement),
        sealed(b"\xff"),
        cbor.dumps([passport.HEAD, cbor.loads(make())[1], cose_with_receipt(good)]),
    ):
        with pytest.raises(Malformed):
            read(data)


def cose_with_receipt(seal: bytes) -> bytes:
    opened = statement.open_statement(seal, media=passport.MEDIA)
    return cose.encode(msgspec.structs.replace(opened.sign1, unprotected={394: [b"r"]}))


def test_a_body_that_was_not_sealed_is_refused() -> None:
    head, body, seal = cbor.loads(make())
    with pytest.raises(Unproven) as raised:
        read(cbor.dumps([head, body + b"\x00", seal]))
    assert raised.value.code == "passport.body"


def test_every_truncation_is_malformed() -> None:
    data = make()
    for length in range(0, len(data), 7):
        with pytest.raises(Malformed):
            read(data[:length])


def test_times_ahead_of_the_reader_are_pointed_out() -> None:
    early = moment_of("2026-11-23T09:00:00.000Z")
    assert codes(passport.read_passport(make(), POLICY, early).not_proven) == ["truth", "time-ahead"]
    late = "2026-11-23T10:30:00.000Z"
    assert codes(read(make(exported_at=late)).not_proven) == ["truth", "time-ahead"]


def test_a_passport_over_the_limit_is_not_written() -> None:
    with pytest.raises(Malformed) as raised:
        make(files=[bytes(passport.MAX_PASSPORT)])
    assert raised.value.code == "passport.size"


def test_a_passport_without_records_says_so_by_its_list() -> None:
    report = read(make(items=[], files=[]))
    assert (report.items, report.files) == ((), {})


def test_a_receipt_without_a_signed_size_is_no_evidence() -> None:
    """Other software's receipts prove a root and no place; an evidence file promises a place."""
    (whole,) = items(indices=(2,), withheld=())
    opened = receipt.open_receipt(whole.receipt)
    said = {label: value for label, value in opened.sign1.headers[15].items() if label != receipt.SIZE}
    entry = statement.entry_of(whole.statement)
    root = receipt.verify_receipt(whole.receipt, entry, LOG_KEY.public).root
    bare = cose.sign({receipt.VDS: 1, cose.CLAIMS: said}, root, LOG_KEY)
    unsized = cose.encode(msgspec.structs.replace(bare, unprotected=opened.sign1.unprotected), detached=True)
    assert not receipt.verify_receipt(unsized, entry, LOG_KEY.public).size_signed
    assert receipt.verify_foreign(unsized, entry, LOG_KEY.public).differences == ("size-unsigned",)
    with pytest.raises(Unproven) as raised:
        read(make(items=[msgspec.structs.replace(whole, receipt=unsized)]))
    assert raised.value.code == "passport.checkpoint"


@pytest.mark.parametrize("alg", [ESP256, MLDSA44])
def test_records_and_seals_of_other_kinds_of_keys_are_evidence(alg: int) -> None:
    party = keyfile.from_seed(b"k" * 32, alg)
    log = make_log()
    content, salt = b"said with another key", b"k" * 32
    data = statement.seal_statement(content, salt, signer=party, issuer=party.public.did, subject=SUBJECT)
    (logged,) = log.record(check_in(data, party.public, content=content, salt=salt))
    beside = keyfile.from_seed(b"b" * 32, MLDSA44)
    note = log.checkpoint()
    made = make(
        log,
        party,
        exporter=party.public.did,
        items=items(log, (2, logged.index), ()),
        checkpoint_note=note + checkpoint.cosign(note, ORIGIN, beside, at=0),
    )
    policy = Policy((*POLICY.parties, PartyPin("Other", party.public.did)), POLICY.logs)
    assert read_trust(write_trust(policy).encode()) == policy
    report = read(made, policy)
    assert report.pinned
    assert (report.exporter_name, report.items[1].issuer_name) == ("Other", "Other")


def test_a_log_key_that_signs_no_checkpoints_is_refused() -> None:
    curve = keyfile.from_seed(b"k" * 32, ESP256)
    with pytest.raises(Unproven) as raised:
        read(make(log_key=curve.public))
    assert raised.value.code == "note.unsigned"

"""The passport, or evidence file: what has been said about a subject, in one file that a stranger can check offline.

It carries sealed records, the receipts of the log that keeps them, a checkpoint, chosen contents (the rest shows as
withheld), files, and the key histories of the signers. The exporter seals the whole, so that no byte is uncovered.

Reading it is one question asked twice: does everything hold together, and does it hang on a key that somebody here
trusts? The first failing is refused outright. The second is reported by name, for a file that is consistent with the keys
inside it may still be anybody's. Exact bytes: ``docs/spec/passport.md``.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from tongqiu.ledger import checkpoint, receipt
from tongqiu.record import cbor
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.statement import moment_of
from tongqiu.record.text import Text
from tongqiu.record.types import ready
from tongqiu.seal import cose, rotation
from tongqiu.seal import statement as envelope
from tongqiu.seal.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tongqiu.seal.keys import Signer
    from tongqiu.seal.policy import Policy

HEAD: Final = "tongqiu.passport/1"
MEDIA: Final = "application/vnd.tongqiu.passport+cbor"
MAX_PASSPORT: Final = cbor.MAX_BYTES
MAX_ITEMS: Final = 100_000
MAX_FILES: Final = 10_000
MAX_PARTIES: Final = 1_000
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead of the reader's clock a time may lie before it is pointed out."""

_PARTS = 3
_DO = Text(en="Ask for the evidence file again from whoever made it.", zh="请向制作方重新索取证据档案。")


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One record as it travels: sealed envelope, receipt, and the content with its salt unless it is withheld."""

    statement: bytes
    receipt: bytes
    content: bytes | None = None
    salt: bytes | None = None


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The key history of a signer: its DID names the first key, each rotation the next."""

    did: str
    rotations: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=rotation.MAX_ROTATIONS)] = ()


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the exporter seals."""

    subject: str
    exported_at: str
    origin: str
    log_key: bytes
    """The log's COSE_Key."""

    checkpoint: str
    items: Annotated[tuple[Item, ...], msgspec.Meta(max_length=MAX_ITEMS)]
    """In the order of the log."""

    files: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=MAX_FILES)]
    """The bytes of disclosed files, in the order of their SHA-256."""

    parties: Annotated[tuple[Party, ...], msgspec.Meta(max_length=MAX_PARTIES)]
    """In the order of their DIDs."""


class Claim(msgspec.Struct, frozen=True):
    """One thing that is proven, or is not: a stable code, and the words for people."""

    code: str
    text: Text


class ReadItem(msgspec.Struct, frozen=True):
    """What the passport shows of one record."""

    index: int
    entry: bytes
    issuer: str
    issuer_name: str | None
    """The name under which the trust file knows the issuer's key; None if it does not."""

    subject: str
    logged_at: str
    """When the log says it took the record."""

    content: bytes | None
    """The content as it was sealed; None where it is withheld."""

    proven: tuple[Claim, ...]
    not_proven: tuple[Claim, ...]

    @property
    def disclosed(self) -> bool:
        """Say whether the content is shown."""
        return self.content is not None


class PassportReport(msgspec.Struct, frozen=True):
    """What a passport proves, and what it does not."""

    subject: str
    exported_at: str
    exporter: str
    exporter_name: str | None
    origin: str
    log_name: str | None
    size: int
    root: bytes
    items: tuple[ReadItem, ...]
    files: dict[bytes, bytes]
    """The disclosed files by their SHA-256."""

    proven: tuple[Claim, ...]
    not_proven: tuple[Claim, ...]

    @property
    def pinned(self) -> bool:
        """Say whether log, exporter and every issuer are known to the trust file."""
        names = [self.log_name, self.exporter_name, *(item.issuer_name for item in self.items)]
        return all(name is not None for name in names)


def write_passport(  # noqa: PLR0913 - each part is named at the call
    *,
    subject: str,
    exported_at: str,
    origin: str,
    log_key: PublicKey,
    checkpoint_note: str,
    items: Sequence[Item],
    files: Sequence[bytes],
    parties: Sequence[Party],
    exporter: str,
    signer: Signer,
) -> bytes:
    """Return the passport of ``subject``; receipts and checkpoint are of one tree (:meth:`Log.proofs`).

    ``parties`` needs those only whose key has changed. Items and files are put in order here. Raises Malformed
    (``passport.form``, ``passport.size``) and Unproven for parts that would be refused on reading.
    """
    moment_of(exported_at)
    ordered = sorted(items, key=lambda item: receipt.open_receipt(item.receipt).index)
    unique = {hashlib.sha256(data).digest(): data for data in files}
    body = Body(
        subject,
        exported_at,
        origin,
        log_key.cose_key(),
        checkpoint_note,
        tuple(ordered),
        tuple(unique[digest] for digest in sorted(unique)),
        tuple(sorted(parties, key=lambda party: party.did)),
    )
    data = cbor.dumps(msgspec.to_builtins(body, builtin_types=(bytes,)))
    headers = {
        cose.CLAIMS: {cose.ISS: exporter, cose.SUB: subject},
        envelope.PAYLOAD_HASH: envelope.SHA256,
        envelope.PREIMAGE_TYPE: MEDIA,
    }
    seal = cose.encode(cose.sign(headers, hashlib.sha256(data).digest(), signer))
    passport = cbor.dumps([HEAD, data, seal])
    if len(passport) > MAX_PASSPORT:
        raise Malformed(
            "passport.size",
            Text(
                en="The evidence file would be {size} bytes; at most {limit} can be read.",
                zh="证据档案将达 {size} 字节，最多可读取 {limit} 字节。",
            ),
            do=Text(en="Withhold large files.", zh="请不要附带大文件。"),
            size=len(passport),
            limit=MAX_PASSPORT,
        )
    return passport


def read_passport(data: bytes, policy: Policy, now: datetime, *, where: str = "") -> PassportReport:
    """Check every byte of a passport against ``policy`` and the reader's clock, offline, and report what is proven.

    ``now`` is an aware moment. Keys that ``policy`` does not know are reported, not refused. Raises Malformed for
    anything that is truncated or has not the form of a passport (``cbor.*``, ``cose.*``, ``passport.form``), and Unproven
    where it does not hold together: ``passport.body``, ``passport.checkpoint``, ``passport.order``, ``passport.key``,
    ``receipt.*``, ``tree.*``, ``note.*``, ``statement.content``, ``rotation.chain``, ``cose.signature``.
    """
    body, seal = _open(data, where)
    chains = _chains(body, where)
    exporter_key = _signing_key(seal, chains, where)
    envelope.verify_statement(seal, exporter_key, where=where)
    log_key = PublicKey.from_cose(body.log_key, where=where)
    log_pin = policy.log(body.origin, log_key)
    beside = checkpoint.cosigner(body.origin, log_pin.beside) if log_pin and log_pin.beside else None
    tip = checkpoint.verify(body.checkpoint, checkpoint.NoteKey(body.origin, log_key), beside=beside, where=where)
    ground = _Ground(tip, log_key, chains, policy)
    items = tuple(_read_item(item, ground, f"{where}: item {number}") for number, item in enumerate(body.items, 1))
    _check_order(items, where)
    exporter_pin = policy.party(seal.issuer, seal.kid)
    log_name = log_pin.name if log_pin else None
    return PassportReport(
        subject=body.subject,
        exported_at=body.exported_at,
        exporter=seal.issuer,
        exporter_name=exporter_pin.name if exporter_pin else None,
        origin=body.origin,
        log_name=log_name,
        size=tip.size,
        root=tip.root,
        items=items,
        files=_files(body, where),
        proven=(_UNCHANGED, _IN_LOG),
        not_proven=tuple(_doubts(body, items, now, log_known=log_pin is not None, exporter_known=bool(exporter_pin))),
    )


def _open(data: bytes, where: str) -> tuple[Body, envelope.Envelope]:
    """Return body and opened seal of a passport whose body is the one that was sealed."""
    parts = cbor.loads(data, where=where, limit=MAX_PASSPORT)
    if not isinstance(parts, list) or len(parts) != _PARTS or parts[0] != HEAD:
        raise _form(where)
    raw, sealed = parts[1:]
    if not isinstance(raw, bytes) or not isinstance(sealed, bytes):
        raise _form(where)
    seal = envelope.open_statement(sealed, where=where, media=MEDIA)
    if seal.receipts:
        raise _form(where)
    if hashlib.sha256(raw).digest() != seal.payload_digest:
        raise Unproven(
            "passport.body",
            Text(en="The evidence file was changed after it was sealed.", zh="证据档案在签名之后被改动过。"),
            do=_DO,
            where=where,
        )
    try:
        body = msgspec.convert(cbor.loads(raw, where=where, limit=MAX_PASSPORT), ready(Body), strict=True)
    except msgspec.ValidationError as error:
        raise _form(where) from error
    moment_of(body.exported_at, where=where)
    if seal.subject != body.subject:
        raise _form(where)
    return body, seal


def _chains(body: Body, where: str) -> dict[str, tuple[PublicKey, ...]]:
    """Return every key each party has had, proven from its first key."""
    dids = [party.did for party in body.parties]
    if any(before >= after for before, after in pairwise(dids)):
        raise _form(where)
    return {party.did: rotation.keys_after(party.did, party.rotations, where=where) for party in body.parties}


def _signing_key(opened: envelope.Envelope, chains: dict[str, tuple[PublicKey, ...]], where: str) -> PublicKey:
    """Return the key of the issuer's own history that ``opened`` names."""
    keys = chains.get(opened.issuer) or (PublicKey.from_did(opened.issuer, where=where),)
    for key in keys:
        if key.thumbprint == opened.kid:
            return key
    raise Unproven(
        "passport.key",
        Text(
            en="It is signed with a key that {issuer} is not proven to have had.",
            zh="签名所用密钥无法证明曾属于 {issuer}。",
        ),
        do=_DO,
        where=where,
        issuer=opened.issuer[:200],
    )


class _Ground(NamedTuple):
    """What every record is checked against."""

    tip: checkpoint.Checkpoint
    log_key: PublicKey
    chains: dict[str, tuple[PublicKey, ...]]
    policy: Policy


def _read_item(item: Item, ground: _Ground, where: str) -> ReadItem:
    """Check one record; whatever does not hold is refused."""
    tip, log_key, chains, policy = ground
    opened = envelope.open_statement(item.statement, where=where)
    if opened.receipts or (item.content is None) != (item.salt is None):
        raise _form(where)
    key = _signing_key(opened, chains, where)
    envelope.verify_statement(opened, key, where=where)
    held = receipt.verify_receipt(item.receipt, opened.entry, log_key, origin=tip.origin, where=where)
    if (held.size, held.root, held.subject) != (tip.size, tip.root, opened.subject) or not held.size_signed:
        raise Unproven(
            "passport.checkpoint",
            Text(en="A receipt and the checkpoint do not belong together.", zh="回执与检查点不相符。"),
            do=_DO,
            where=where,
        )
    if held.logged_at is None:
        raise _form(where)
    moment_of(held.logged_at, where=where)
    proven, doubts = [_SIGNED, _LOGGED], []
    if item.content is None or item.salt is None:
        doubts.append(_WITHHELD)
    elif envelope.matches(opened, item.content, item.salt):
        proven.append(_CONTENT)
    else:
        raise Unproven(
            "statement.content",
            Text(en="A shown content is not what was sealed.", zh="所示内容与签名信封不符。"),
            do=_DO,
            where=where,
        )
    pin = policy.party(opened.issuer, opened.kid)
    if pin is None:
        doubts.append(_ISSUER_UNKNOWN)
    if key != chains.get(opened.issuer, (key,))[-1]:
        doubts.append(_RETIRED)
    return ReadItem(
        held.index,
        opened.entry,
        opened.issuer,
        pin.name if pin else None,
        opened.subject,
        held.logged_at,
        item.content,
        tuple(proven),
        tuple(doubts),
    )


def _check_order(items: tuple[ReadItem, ...], where: str) -> None:
    for before, after in pairwise(items):
        if before.index >= after.index or before.logged_at > after.logged_at:
            raise Unproven(
                "passport.order",
                Text(
                    en="The records are not in the order of the log, or its times go back.",
                    zh="记录未按日志顺序排列，或日志时间倒退。",
                ),
                do=_DO,
                where=where,
            )


def _files(body: Body, where: str) -> dict[bytes, bytes]:
    files = {hashlib.sha256(data).digest(): data for data in body.files}
    if list(files) != sorted(files) or len(files) != len(body.files):
        raise _form(where)
    return files


def _doubts(
    body: Body, items: tuple[ReadItem, ...], now: datetime, *, log_known: bool, exporter_known: bool
) -> list[Claim]:
    """Return what the passport as a whole leaves unproven."""
    doubts = [_TRUTH]
    if not log_known:
        doubts.append(_LOG_UNKNOWN)
    if not exporter_known:
        doubts.append(_EXPORTER_UNKNOWN)
    times = [body.exported_at, *(item.logged_at for item in items)]
    if any(moment_of(time) > now + CLOCK_SKEW for time in times):
        doubts.append(_AHEAD)
    return doubts


def _form(where: str) -> Malformed:
    return Malformed(
        "passport.form",
        Text(en="Not an evidence file of this version, or a damaged one.", zh="这不是此版本的证据档案，或已损坏。"),
        do=_DO,
        where=where,
    )


_UNCHANGED = Claim(
    "unchanged",
    Text(
        en="Nothing in the file has changed since it was sealed with the exporter's key.",
        zh="自以导出方密钥签名以来，档案内容未有任何改变。",
    ),
)
_IN_LOG = Claim(
    "in-log",
    Text(
        en="Every record in it is in one log of the size and root that the log's key signed.",
        zh="其中每条记录都在同一日志中，该日志的规模与根由其密钥签署。",
    ),
)
_SIGNED = Claim("signed", Text(en="Signed with a key of its issuer.", zh="由出具方的密钥签署。"))
_LOGGED = Claim(
    "logged",
    Text(en="In the log at this place, since the time that the log states.", zh="在日志的此位置，时间以日志所载为准。"),
)
_CONTENT = Claim("content", Text(en="The content is exactly what was signed.", zh="内容与所签署的完全一致。"))
_WITHHELD = Claim(
    "withheld",
    Text(
        en="The content is withheld: nothing about it can be checked here.", zh="内容未披露：此处无法核验其任何内容。"
    ),
)
_ISSUER_UNKNOWN = Claim(
    "issuer-not-pinned",
    Text(
        en="Who the issuer is: the signature fits the key inside, but your trust file does not know that key.",
        zh="出具方是谁：签名与档案内密钥相符，但您的信任文件中没有该密钥。",
    ),
)
_RETIRED = Claim(
    "key-retired",
    Text(
        en="That the key was still in use: its owner has since replaced it.",
        zh="签署时密钥是否仍在使用：其所有者此后已更换密钥。",
    ),
)
_LOG_UNKNOWN = Claim(
    "log-not-pinned",
    Text(
        en="Which log this is, and so when anything was logged: your trust file does not know the log's key.",
        zh="这是哪个日志、因而何时入日志：您的信任文件中没有该日志的密钥。",
    ),
)
_EXPORTER_UNKNOWN = Claim(
    "exporter-not-pinned",
    Text(
        en="Who put the file together: your trust file does not know the exporter's key.",
        zh="档案由谁汇编：您的信任文件中没有导出方的密钥。",
    ),
)
_AHEAD = Claim(
    "time-ahead",
    Text(
        en="The times: some lie ahead of this computer's clock.",
        zh="时间：部分时间晚于本机时钟。",
    ),
)
_TRUTH = Claim(
    "truth",
    Text(
        en="That what the records say is true, that a measurement took place, or on the deployed system.",
        zh="记录所述是否属实、测量是否确实进行、是否针对实际部署的系统。",
    ),
)

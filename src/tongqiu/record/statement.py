"""A record: who says what about which subject, when, resting on which other records, and for whom.

The *content* of a record is one deterministic CBOR map (``docs/spec/statement.md``). Its bytes are what is salted,
hashed and sealed; they are kept and never written again. Everything else in the house reads records through
:class:`Statement`.
"""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, NamedTuple

import msgspec

from tongqiu.record import cbor
from tongqiu.record.audience import EVERYONE, Audience
from tongqiu.record.faults import Malformed
from tongqiu.record.kind import NAME
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.subject import DigestText, EntryText, IdText, Subject, check_id
from tongqiu.record.text import Text
from tongqiu.record.types import ready

MAX_CONTENT = 8 * 1024 * 1024
"""Longest content of one record, in bytes; larger things are attached as files."""

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z\Z")

Instant = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$")]
"""A moment in UTC, RFC 3339 with milliseconds and ``Z``: such texts sort as time does."""


class Blob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that belongs to a record: what it is called, its media type, the SHA-256 and length of its bytes."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")]
    media: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9.+-]+/[A-Za-z0-9.+-]+(;[ a-zA-Z0-9.=+-]+)?$")]
    digest: EntryText
    size: Annotated[int, msgspec.Meta(ge=0)]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question that was put to the log while a record was derived, and its whole answer by digest.

    ``size`` is how many entries the log had; ``answer`` is SHA-256 over the sorted entry ids of the answer, one per
    line. Whoever holds the same log can ask again and so re-check even that *nothing* was found.
    """

    kind: str
    size: int
    count: int
    answer: EntryText
    as_of: Instant
    known_at: Instant
    subject: str | None = None
    thread: str | None = None
    ref: str | None = None
    digest: DigestText | None = None
    """Of the subject that was asked about, where it has one: records about the same bytes answer, too."""


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The signed content of a record; ``body`` stays plain builtins until a kind reads it.

    ``evidence`` and ``findings`` say what the body says in the two shared shapes; they are signed with it, so that a
    reader who has never heard of the kind still understands the record.

    ``by`` is what made it, ``probe-or-rule@version``; ``key`` is a digest over that, its parameters, the packs in force
    and the digests of all it read: while the key is the same, there is no need to do it again.
    """

    kind: str
    schema: EntryText
    subject: Subject
    issuer: IdText
    at: Instant
    body: Any
    rests_on: tuple[EntryText, ...] = ()
    audience: Audience = EVERYONE
    thread: IdText | None = None
    files: tuple[Blob, ...] = ()
    asked: tuple[Asked, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()
    by: Annotated[str, msgspec.Meta(max_length=200)] = ""
    key: EntryText | None = None


class Attachment(NamedTuple):
    """A file on its way into a record: name, media type and bytes."""

    name: str
    media: str
    data: bytes


class Said(NamedTuple):
    """What a probe, assessor, verb or duty hands to the node: a record that nobody has signed yet.

    ``kind`` is the kind's name and ``body`` an instance of its body type. ``audience`` None means: as wide as the
    records it rests on allow, and for the node's own party alone where it rests on none. ``speaker`` is not for whoever
    says it: before it asks a kind's ``admit``, the node writes there whose word it is, its own party or the caller at a
    door, so that a rule can tell whose turn it is. ``replaces`` are records of the node's own party that this one takes
    the place of, in the same transaction, and ``why``; one that was withdrawn or replaced meanwhile is refused.
    """

    kind: str
    subject: Subject
    body: Any
    rests_on: tuple[str, ...] = ()
    audience: Audience | None = None
    thread: str | None = None
    files: tuple[Attachment, ...] = ()
    speaker: str = ""
    replaces: tuple[str, ...] = ()
    why: str = ""


class Statement(msgspec.Struct, frozen=True):
    """A record as it is read back: its content, its entry id, and where a log keeps it.

    ``entry`` is ``sha-256:<hex>`` of the sealed bytes, ``index`` its place in the log of ``origin``, ``logged`` when
    that log says it took it. A record whose content was erased or withheld has ``content`` None.
    """

    entry: str
    index: int
    origin: str
    logged: str
    content: Content

    @property
    def kind(self) -> str:
        """Return the name of the record's kind."""
        return self.content.kind

    @property
    def subject(self) -> Subject:
        """Return what the record is about."""
        return self.content.subject

    @property
    def issuer(self) -> str:
        """Return the DID of the party that said it."""
        return self.content.issuer

    @property
    def at(self) -> str:
        """Return when the issuer says it was said."""
        return self.content.at

    @property
    def body(self) -> Any:  # noqa: ANN401 - builtins until a kind reads them
        """Return the body as plain builtins."""
        return self.content.body


def write_content(content: Content) -> bytes:
    """Return the deterministic CBOR bytes of ``content`` (at most :data:`MAX_CONTENT`).

    Raises Malformed (``statement.*``) when an identifier, kind name, time or size does not fit.
    """
    _check(content, "")
    data = cbor.dumps(msgspec.to_builtins(content, str_keys=True))
    if len(data) > MAX_CONTENT:
        raise _too_long(len(data), "")
    return data


def read_content(data: bytes, *, where: str = "") -> Content:
    """Return the content that ``data`` holds; the body stays builtins. Raises Malformed for anything unfit."""
    plain = cbor.loads(data, where=where, limit=MAX_CONTENT)
    try:
        content = msgspec.convert(plain, ready(Content), strict=True)
    except msgspec.ValidationError as error:
        raise Malformed(
            "statement.form",
            Text(en="Not a record: {error}.", zh="这不是一条记录：{error}。"),
            do=Text(en="Get it again from its issuer.", zh="请向出具方重新获取。"),
            where=where,
            error=str(error)[:300],
        ) from error
    _check(content, where)
    return content


def instant(moment: datetime.datetime) -> str:
    """Return an aware ``moment`` in the one written form. Raises ValueError for a moment without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    utc = moment.astimezone(datetime.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def moment_of(text: str, *, where: str = "") -> datetime.datetime:
    """Return the aware moment that ``text`` names. Raises Malformed (``statement.instant``)."""
    if _INSTANT.match(text):
        try:
            return datetime.datetime.fromisoformat(text)
        except ValueError:
            pass
    raise Malformed(
        "statement.instant",
        Text(en="Not a moment in time: {text}.", zh="这不是一个时刻：{text}。"),
        do=Text(en="Write it like 2026-11-23T08:00:00.000Z (UTC).", zh="请写成 2026-11-23T08:00:00.000Z（UTC）。"),
        where=where,
        text=text[:40],
    )


def _check(content: Content, where: str) -> None:
    if not NAME.match(content.kind):
        raise Malformed(
            "statement.kind",
            Text(en="Not the name of a record type: {kind}.", zh="这不是记录类型名：{kind}。"),
            do=Text(en="Write it like evaluation.result/1.", zh="请写成 evaluation.result/1 的样子。"),
            where=where,
            kind=content.kind[:80],
        )
    check_id(content.subject.id, where=where)
    check_id(content.issuer, where=where)
    if content.thread is not None:
        check_id(content.thread, where=where)
    moment_of(content.at, where=where)


def _too_long(size: int, where: str) -> Malformed:
    return Malformed(
        "statement.size",
        Text(
            en="A record may hold {limit} bytes; this one has {size}.",
            zh="一条记录最多 {limit} 字节，此条有 {size} 字节。",
        ),
        do=Text(en="Attach large parts as files.", zh="请把较大的部分作为文件附上。"),
        where=where,
        limit=MAX_CONTENT,
        size=size,
    )


__all__ = [
    "MAX_CONTENT",
    "Asked",
    "Attachment",
    "Blob",
    "Content",
    "DigestText",
    "EntryText",
    "Instant",
    "Said",
    "Statement",
    "instant",
    "moment_of",
    "read_content",
    "write_content",
]

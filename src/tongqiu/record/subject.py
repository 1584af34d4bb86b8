"""What a statement is about, named so that strangers mean the same thing.

A subject is identified by a package URL (ECMA-427), a DID (W3C DID Core 1.0) or a URN (RFC 8141) and, where there are
bytes, by their digest. Two subjects with one digest are the same bytes whatever they are called.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

import msgspec

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

SubjectType = Literal[
    "system",
    "model",
    "dataset",
    "software",
    "service",
    "output",
    "computing",
    "party",
    "consultation",
    "pack",
]
"""The types of thing a statement may be about."""

TYPES: tuple[str, ...] = get_args(SubjectType)

_PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*/[^\s?#]+(\?[^\s#]*)?(#\S*)?\Z")
_DID = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]+\Z")
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{1,31}:[^\s]+\Z", re.IGNORECASE)
_MAX_ID = 1024

DigestText = Annotated[str, msgspec.Meta(pattern=r"^(sha-256|tree-1):[0-9a-f]{64}$")]
"""A digest in its written form (:class:`tongqiu.record.digest.Digest`)."""

EntryText = Annotated[str, msgspec.Meta(pattern=r"^sha-256:[0-9a-f]{64}$")]
"""A record named by the SHA-256 of its sealed bytes (its log entry)."""

IdText = Annotated[str, msgspec.Meta(min_length=5, max_length=_MAX_ID)]
"""A purl, DID or URN."""


class Subject(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that can be spoken about.

    ``type`` one of :data:`TYPES`; ``id`` a purl, DID or URN; ``digest`` of its bytes where it has any; ``name`` is for
    people and is never compared.
    """

    type: SubjectType
    id: IdText
    digest: DigestText | None = None
    name: str = ""

    def same(self, other: Subject) -> bool:
        """Tell whether both mean one thing: the same identifier, or the same bytes where both have a digest."""
        if self.digest is not None and other.digest is not None and self.digest == other.digest:
            return True
        return self.id == other.id


def is_id(text: str) -> bool:
    """Tell whether ``text`` is a purl, DID or URN of at most 1,024 characters that can be written as UTF-8."""
    if len(text) > _MAX_ID or any(0xD800 <= ord(char) <= 0xDFFF for char in text):  # noqa: PLR2004 - half surrogates
        return False
    return bool(_PURL.match(text) or _DID.match(text) or _URN.match(text))


def check_id(text: str, *, where: str = "") -> str:
    """Return ``text`` when it is a purl, DID or URN of at most 1,024 characters, else raise Malformed (``subject.id``)."""
    if is_id(text):
        return text
    raise Malformed(
        "subject.id",
        Text(en="Not an identifier: {text}.", zh="这不是标识符：{text}。"),
        do=Text(
            en="Write a package URL (pkg:…), a DID (did:…) or a URN (urn:…).",
            zh="请写包 URL（pkg:…）、DID（did:…）或 URN（urn:…）。",
        ),
        where=where,
        text=text[:120],
    )

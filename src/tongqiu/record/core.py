"""The records that every node understands: parties and their keys, what a system is made of, corrections, farewells.

These kinds belong to no area. The node assembles them into a built-in practice; the rooms below it know them by name.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.record.audience import Audience
from tongqiu.record.faults import Refused
from tongqiu.record.kind import Kind
from tongqiu.record.statement import Instant, Said, Statement
from tongqiu.record.subject import EntryText, IdText, Subject
from tongqiu.record.text import Text

_Hex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]+$", max_length=8192)]
_Words = Annotated[str, msgspec.Meta(max_length=2000)]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An actor with keys: its name, what sort of actor it is, where it is, and its first key (COSE_Key, hex)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    sort: Literal["person", "organisation", "laboratory", "authority", "project", "unstated"]
    key: _Hex
    jurisdiction: str = ""
    contact: str = ""


class KeyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A party moves to a new key: both COSE_Keys in hex, and a signature of each over the change."""

    old: _Hex
    new: _Hex
    by_old: _Hex
    by_new: _Hex
    why: _Words = ""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of a system and the role it plays there."""

    role: Literal["model", "data", "code", "service"]
    subject: Subject


class Composition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a system is made of, as its owner declares it, with the digests of the parts that have bytes."""

    parts: tuple[Part, ...]
    purpose: _Words = ""
    version: str = ""


class Supersession(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An issuer replaces its record ``old`` by its record ``new``; both stay in the log."""

    old: EntryText
    new: EntryText
    why: _Words = ""


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An issuer no longer stands by its record ``entry``; it stays in the log, marked."""

    entry: EntryText
    why: _Words = ""


class Tombstone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of ``entry`` was destroyed, on which ground, by whose decision; what rested on it is named."""

    entry: EntryText
    ground: Annotated[str, msgspec.Meta(min_length=3, max_length=500)]
    authority: str = ""
    dependents: tuple[EntryText, ...] = ()


class PeerSeen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """This node looked at another log: its origin, size and root; this order defines what was known when."""

    origin: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    root: EntryText
    checkpoint: _Words = ""


class PackAdded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A dated pack of law or standards was put to use here: its name, version and the digest of its bytes."""

    name: str
    version: str
    digest: EntryText


class Declassified(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named person widens the audience under which records derived from ``entry`` may be read."""

    entry: EntryText
    audience: Audience
    person: Annotated[str, msgspec.Meta(min_length=2, max_length=200)]
    why: Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]


class Assessment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One run of the main job over a system: what was done, what was taken over unchanged, what could not be done.

    ``failed`` names each run that ended without a result, with the code and reason of its fault.
    """

    done: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[Failure, ...]
    not_assessed: tuple[str, ...]
    software: str
    environment: EntryText
    began: Instant
    manifest: EntryText | None = None


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run that ended without a result."""

    run: str
    about: IdText
    code: str
    reason: Text


def admit_own(said: Said, thread: tuple[Statement, ...]) -> None:
    """Admit one withdrawal of a record by one party; what others say in the same thread does not count."""
    if any(
        each.kind == "core.withdrawal/1" and each.issuer == said.speaker and each.body.get("entry") == said.body.entry
        for each in thread
    ):
        raise Refused(
            "core.withdrawn",
            Text(en="This record was already withdrawn.", zh="该记录已经撤回。"),
            do=Text(en="There is nothing left to do.", zh="无需再做任何事。"),
        )


PARTY = Kind(name="core.party/1", body=Party, title=Text(en="Party", zh="参与方"), public=True)
KEY_CHANGE = Kind(name="core.key/1", body=KeyChange, title=Text(en="Change of key", zh="密钥更换"), public=True)
COMPOSITION = Kind(name="core.composition/1", body=Composition, title=Text(en="Parts of a system", zh="系统组成"))
SUPERSESSION = Kind(name="core.supersession/1", body=Supersession, title=Text(en="Replacement", zh="替代"))
WITHDRAWAL = Kind(
    name="core.withdrawal/1",
    body=Withdrawal,
    title=Text(en="Withdrawal", zh="撤回"),
    admit="tongqiu.record.core:admit_own",
)
TOMBSTONE = Kind(name="core.tombstone/1", body=Tombstone, title=Text(en="Erasure", zh="删除标记"), public=True)
PEER_SEEN = Kind(name="core.peer-seen/1", body=PeerSeen, title=Text(en="Another log seen", zh="见到他方日志"))
PACK = Kind(name="core.pack/1", body=PackAdded, title=Text(en="Framework in use", zh="启用规范包"), public=True)
DECLASSIFIED = Kind(name="core.declassified/1", body=Declassified, title=Text(en="Declassification", zh="解密决定"))
ASSESSMENT = Kind(name="core.assessment/1", body=Assessment, title=Text(en="Assessment run", zh="评估过程"))

KINDS: tuple[Kind, ...] = (  # type: ignore[type-arg]
    PARTY,
    KEY_CHANGE,
    COMPOSITION,
    SUPERSESSION,
    WITHDRAWAL,
    TOMBSTONE,
    PEER_SEEN,
    PACK,
    DECLASSIFIED,
    ASSESSMENT,
)

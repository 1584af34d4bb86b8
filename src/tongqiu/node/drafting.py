"""Turning what somebody says into a sealed record: its kind checked, its readers decided, its shapes made, its files kept.

Nothing here writes to the log; what is sealed here is logged by the node, in one transaction with what belongs to it.
"""

from __future__ import annotations

import hashlib
import io
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.ledger.log import Sealed, check_in
from tongqiu.node.ask import marks
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, Audience, check_derived, meet, only_for, within
from tongqiu.record.faults import Malformed, Refused, Unproven
from tongqiu.record.statement import Blob, Content, Said, read_content, write_content
from tongqiu.record.text import Text
from tongqiu.record.types import ready
from tongqiu.seal.keys import PublicKey
from tongqiu.seal.statement import new_salt, open_statement, seal_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tongqiu.node.ask import Snapshot
    from tongqiu.node.discovery import Practices
    from tongqiu.node.home import Home
    from tongqiu.record.kind import Kind
    from tongqiu.record.shapes import RanBy
    from tongqiu.record.statement import Asked, Statement
    from tongqiu.store.house import Store

_NOTHING: MappingProxyType[str, Audience] = MappingProxyType({})
OFFLINE = "core.draft@1"
"""What a record says made it that was sealed at a desk without a log: a person, no check and no rule."""

MAX_FILE = 256 << 20
"""Longest file that may be attached to a record, in bytes."""


class Drafting:
    """The desk at which records are drawn up for one party."""

    def __init__(  # noqa: PLR0913 - what it is lent, each named at the call
        self,
        *,
        home: Home,
        store: Store,
        practices: Practices,
        now: Callable[[], str],
        snapshot: Callable[[], Snapshot],
        statement: Callable[[str], Statement],
    ) -> None:
        """Draw up records of the party of ``home``; ``statement`` returns a record of the log by its entry."""
        self._home, self._store, self._practices = home, store, practices
        self._now, self._snapshot, self._statement = now, snapshot, statement

    def seal(  # noqa: PLR0913 - each part is named at the call
        self,
        said: Said,
        *,
        by: str,
        key: str | None,
        asked: tuple[Asked, ...] = (),
        ran_by: RanBy | None = None,
        released: Mapping[str, Audience] = _NOTHING,
    ) -> tuple[Sealed, Content]:
        """Return ``said`` as a sealed record, its files staged, and its content; nothing is logged yet.

        ``released`` are entries that are declassified in the same transaction, and for whom.

        Raises Malformed (``kind.unknown``, ``kind.body``, ``statement.*``), Missing for what it rests on, Refused
        (``audience.wider``).
        """
        kind = self.kind(said.kind)
        files = tuple(self._stage(each.name, each.media, each.data) for each in said.files)
        audience = self._audience(said, kind, released)
        content = compose(kind, said, issuer=self._home.did, at=self._now(), audience=audience, files=files, by=by)
        content = msgspec.structs.replace(content, key=key, asked=asked)
        if ran_by is not None:
            evidence = tuple(msgspec.structs.replace(each, ran_by=ran_by) for each in content.evidence)
            content = msgspec.structs.replace(content, evidence=evidence)
        data, salt = write_content(content), new_salt()
        envelope = seal_statement(
            data, salt, signer=self._home.party, issuer=self._home.did, subject=self._home.pseudonym(said.subject.id)
        )
        return self._check_in(envelope, self._home.party.public, data, salt)

    def take(self, envelope: bytes, data: bytes, salt: bytes) -> tuple[Sealed, Content]:
        """Return a record that its party sealed elsewhere (:mod:`tongqiu.node.drafts`), ready for this log, and its content.

        It must be to the byte what this node would have sealed, had the same words been said here at that time. Raises
        Malformed (``kind.unknown``, ``kind.body``, ``draft.words``, ``draft.name`` and as :func:`open_statement` and
        :func:`read_content`), Unproven (``cose.*``, ``statement.content``, ``statement.issuer``), Missing for what it rests
        on, Refused (``draft.time``, ``audience.wider``).
        """
        opened = open_statement(envelope)
        sealed, content = self._check_in(envelope, PublicKey.from_did(opened.issuer), data, salt)
        if content.issuer != opened.issuer:
            raise Unproven(
                "statement.issuer",
                Text(
                    en="A record says it is from {claimed}, but {signer} signed it.",
                    zh="有记录自称出自 {claimed}，签署者却是 {signer}。",
                ),
                do=Text(en="Trust nothing in it.", zh="请勿信任其中任何内容。"),
                claimed=content.issuer[:200],
                signer=opened.issuer[:200],
            )
        said = Said(
            content.kind, content.subject, content.body, content.rests_on, content.audience, thread=content.thread
        )
        kind = self.kind(content.kind)
        again = compose(
            kind, said, issuer=content.issuer, at=content.at, audience=content.audience, files=content.files, by=OFFLINE
        )
        if write_content(again) != data:
            raise _other_words()
        if content.issuer == self._home.did and opened.subject != self._home.pseudonym(content.subject.id):
            raise _other_name()
        if content.at > self._now():
            raise _too_early(content.at)
        self._audience(said, kind, _NOTHING)
        return sealed, content

    def _check_in(self, envelope: bytes, key: PublicKey, data: bytes, salt: bytes) -> tuple[Sealed, Content]:
        """Return a sealed record with all that this node files it under, and its content as it reads."""
        content = read_content(data)
        refs = [bytes.fromhex(each.removeprefix("sha-256:")) for each in content.rests_on]
        refs.extend(marks(self._home, content))
        sealed = check_in(
            envelope,
            key,
            content=data,
            salt=salt,
            kind=content.kind,
            audience=self._store.audience_id(content.audience, content.issuer),
            thread=self._home.thread(content.thread),
            refs=refs,
            files=[bytes.fromhex(file.digest.removeprefix("sha-256:")) for file in content.files],
        )
        return sealed, content

    def batch(  # noqa: PLR0913 - what publish was given
        self,
        said: Sequence[Said],
        *,
        by: str,
        key: str | None,
        asked: tuple[Asked, ...],
        ran_by: RanBy | None,
        retiring: Sequence[Statement],
    ) -> tuple[list[tuple[Sealed, Content]], list[str]]:
        """Return ``said`` sealed, then a replacement for each record that ends, and the entries of those.

        What says the same again for other readers keeps what made it: the check or rule, its key and its questions.
        ``retiring`` end with the first of ``said``. Raises as :meth:`seal` and :meth:`standing` do.
        """
        released = {
            each.body.entry: each.body.audience
            for each in said
            if each.kind == core.DECLASSIFIED.name and isinstance(each.body, core.Declassified)
        }
        drafts: list[tuple[Sealed, Content]] = []
        ends: list[tuple[Statement, str, str]] = []
        for number, each in enumerate(said):
            old = [self.standing(entry) for entry in each.replaces]
            if len(old) == 1 and _same_words(each, old[0]):
                first = old[0].content
                relation = next((shown.ran_by for shown in first.evidence), None)
                draft = self.seal(
                    each, by=first.by, key=first.key, asked=first.asked, ran_by=relation, released=released
                )
            else:
                draft = self.seal(each, by=by, key=key, asked=asked, ran_by=ran_by, released=released)
            drafts.append(draft)
            new = f"sha-256:{draft[0].entry.hex()}"
            ends += [(one, new, each.why) for one in (*old, *(retiring if number == 0 else ()))]
        for one, new, why in ends:
            body = core.Supersession(old=one.entry, new=new, why=why)
            audience, thread = one.content.audience, one.content.thread
            replaced = Said(core.SUPERSESSION.name, one.subject, body, (one.entry,), audience, thread)
            drafts.append(self.seal(replaced, by="core.replace@1", key=None))
        return drafts, [one.entry for one, _, _ in ends]

    def own(self, statement: Statement) -> None:
        """Raise Refused (``core.not-yours``) for a record of another party."""
        if statement.issuer != self._home.did:
            raise Refused(
                "core.not-yours",
                Text(en="Only its issuer may do this with a record.", zh="只有出具方可以对记录这样做。"),
                do=Text(en="Ask {issuer}.", zh="请联系 {issuer}。"),
                issuer=statement.issuer,
            )

    def standing(self, entry: str) -> Statement:
        """Return a record of this party that stands. Raises Missing, Refused (``core.not-yours``, ``core.ended``)."""
        statement = self._statement(entry)
        self.own(statement)
        if not self._snapshot().stands(statement):
            raise over(entry)
        return statement

    def kind(self, name: str) -> Kind[Any]:
        """Return the kind of that name. Raises Malformed (``kind.unknown``)."""
        return known(self._practices, name)

    def body(self, kind: Kind[Any], body: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a body or plain values
        """Return ``body`` as its kind's type and as plain values, whichever it came as. Raises Malformed (``kind.body``)."""
        return _read_body(kind, body)

    def _stage(self, name: str, media: str, data: bytes) -> Blob:
        digest, size = self._store.backend.stage(io.BytesIO(data), limit=MAX_FILE)
        return Blob(name=name, media=media, digest=f"sha-256:{digest.hex()}", size=size)

    def file(self, digest: str) -> bytes:
        """Return the bytes of an attached file. Raises Missing (``log.no-file``)."""
        with self._store.backend.blob(bytes.fromhex(digest.removeprefix("sha-256:"))) as file:
            return file.read()

    def _audience(self, said: Said, kind: Kind[Any], released: Mapping[str, Audience]) -> Audience:
        """Return whom a record is for: as said, else as wide as its sources allow, else everyone for public kinds."""
        sources = [self._statement(entry) for entry in said.rests_on]
        if said.audience is not None:
            check_derived(said.audience, [self._released(each, released) for each in sources], where=said.kind)
            return said.audience
        if sources:
            # What was released widens a record only where somebody asks for that; silence keeps the sources' readers.
            return meet(each.content.audience for each in sources)
        return EVERYONE if kind.public else only_for([self._home.did])

    def _released(self, statement: Statement, released: Mapping[str, Audience]) -> Audience:
        now = released.get(statement.entry)
        if now is not None and within(statement.content.audience, now):
            return now
        return self.released(statement)

    def released(self, statement: Statement) -> Audience:
        """Return the audience under which records may rest on ``statement``: its own, or what its issuer released."""
        for each in self._snapshot().standing(core.DECLASSIFIED.name, subject=statement.subject):
            if each.issuer == statement.issuer and each.body["entry"] == statement.entry:
                released = msgspec.convert(each.body["audience"], ready(Audience))
                if within(statement.content.audience, released):
                    return released
        return statement.content.audience


def known(practices: Practices, name: str) -> Kind[Any]:
    """Return the kind of that name. Raises Malformed (``kind.unknown``)."""
    kind = practices.kind(name)
    if kind is None:
        raise Malformed(
            "kind.unknown",
            Text(en="No practice here makes records of kind {kind}.", zh="此处没有领域会生成类型 {kind} 的记录。"),
            do=Text(en="Install the practice that brings it.", zh="请安装提供该类型的领域。"),
            kind=name,
        )
    return kind


def compose(  # noqa: PLR0913 - what a content is made of
    kind: Kind[Any], said: Said, *, issuer: str, at: str, audience: Audience, files: tuple[Blob, ...], by: str
) -> Content:
    """Return the content of what is said: its body checked by its kind, and shown in the shared shapes.

    Needs no node: at a desk without a log the same words give the same content. Raises Malformed (``kind.body``).
    """
    body, plain = _read_body(kind, said.body)
    return Content(
        kind=kind.name,
        schema=kind.schema_digest,
        subject=said.subject,
        issuer=issuer,
        at=at,
        body=plain,
        rests_on=tuple(sorted(set(said.rests_on))),
        audience=audience,
        thread=said.thread,
        files=files,
        evidence=tuple(kind.evidence(body)) if kind.evidence else (),
        findings=tuple(kind.findings(body)) if kind.findings else (),
        by=by,
    )


def _read_body(kind: Kind[Any], body: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a body or plain values
    plain = kind.write(body) if isinstance(body, kind.body) else body
    read = kind.read(plain)
    return read, kind.write(read)


def over(entry: str) -> Refused:
    """Return the refusal to do something with a record that no longer stands."""
    return Refused(
        "core.ended",
        Text(en="This record was withdrawn or replaced.", zh="该记录已被撤回或替代。"),
        do=Text(en="Use the one that stands in its place.", zh="请使用取代它的那一条。"),
        where=entry,
    )


def _other_words() -> Malformed:
    return Malformed(
        "draft.words",
        Text(
            en="The record is not what this node would have written for the same words: its kind is of another version "
            "here, or it says that a check or rule made it.",
            zh="该记录与本节点据同样内容写成的不同：此处的记录类型版本不同，或它自称由某项检测或规则生成。",
        ),
        do=Text(en="Draw it up again at a desk of this version.", zh="请在同版本的工作台上重新起草。"),
    )


def _other_name() -> Malformed:
    return Malformed(
        "draft.name",
        Text(
            en="The desk does not know how this node names what records are about.",
            zh="该工作台不知道本节点如何标记记录的对象。",
        ),
        do=Text(en="Begin the desk from this node with --own.", zh="请用 --own 从本节点建立工作台。"),
    )


def _too_early(at: str) -> Refused:
    return Refused(
        "draft.time",
        Text(en="The record is dated {at}, which is yet to come.", zh="该记录的日期 {at} 尚未到来。"),
        do=Text(
            en="Hand it in again after that time, and set the clock of the desk right.",
            zh="请在该时间之后再次提交，并校准工作台的时钟。",
        ),
        at=at,
    )


def _same_words(said: Said, old: Statement) -> bool:
    """Tell whether ``said`` says what ``old`` said, for whichever readers."""
    files = [(each.name, each.media, f"sha-256:{hashlib.sha256(each.data).hexdigest()}") for each in said.files]
    first = old.content
    return (
        (said.kind, said.subject, said.body) == (first.kind, first.subject, first.body)
        and sorted(set(said.rests_on)) == sorted(first.rests_on)
        and files == [(each.name, each.media, each.digest) for each in first.files]
    )

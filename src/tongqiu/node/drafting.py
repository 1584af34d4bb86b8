"""Turning what somebody says into a sealed record: its kind checked, its readers decided, its shapes made, its files kept.

Nothing here writes to the log; what is sealed here is logged by the node, in one transaction with what belongs to it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.ledger.log import Sealed, check_in
from tongqiu.node.ask import marks
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, Audience, check_derived, meet, only_for, within
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Blob, Content, read_content, write_content
from tongqiu.record.text import Text
from tongqiu.seal.statement import new_salt, seal_statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.node.ask import Snapshot
    from tongqiu.node.discovery import Practices
    from tongqiu.node.home import Home
    from tongqiu.record.kind import Kind
    from tongqiu.record.shapes import RanBy
    from tongqiu.record.statement import Asked, Said, Statement
    from tongqiu.store.house import Store

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

    def seal(
        self,
        said: Said,
        *,
        by: str,
        key: str | None,
        asked: tuple[Asked, ...] = (),
        ran_by: RanBy | None = None,
    ) -> tuple[Sealed, Content]:
        """Return ``said`` as a sealed record, its files staged, and its content; nothing is logged yet.

        Raises Malformed (``kind.unknown``, ``kind.body``, ``statement.*``), Missing for what it rests on, Refused
        (``audience.wider``).
        """
        kind = self.kind(said.kind)
        body, plain = self.body(kind, said.body)
        evidence = tuple(kind.evidence(body)) if kind.evidence else ()
        if ran_by is not None:
            evidence = tuple(msgspec.structs.replace(each, ran_by=ran_by) for each in evidence)
        files = tuple(self._stage(each.name, each.media, each.data) for each in said.files)
        audience = self._audience(said, kind)
        content = Content(
            kind=kind.name,
            schema=kind.schema_digest,
            subject=said.subject,
            issuer=self._home.did,
            at=self._now(),
            body=plain,
            rests_on=tuple(sorted(set(said.rests_on))),
            audience=audience,
            thread=said.thread,
            files=files,
            asked=asked,
            evidence=evidence,
            findings=tuple(kind.findings(body)) if kind.findings else (),
            by=by,
            key=key,
        )
        data, salt = write_content(content), new_salt()
        envelope = seal_statement(
            data, salt, signer=self._home.party, issuer=self._home.did, subject=self._home.pseudonym(said.subject.id)
        )
        refs = [bytes.fromhex(each.removeprefix("sha-256:")) for each in content.rests_on]
        refs.extend(marks(self._home, content))
        sealed = check_in(
            envelope,
            self._home.party.public,
            content=data,
            salt=salt,
            kind=kind.name,
            audience=self._store.audience_id(audience, self._home.did),
            thread=self._home.thread(said.thread),
            refs=refs,
            files=[bytes.fromhex(file.digest.removeprefix("sha-256:")) for file in files],
        )
        return sealed, read_content(data)

    def kind(self, name: str) -> Kind[Any]:
        """Return the kind of that name. Raises Malformed (``kind.unknown``)."""
        kind = self._practices.kind(name)
        if kind is None:
            raise Malformed(
                "kind.unknown",
                Text(en="No practice here makes records of kind {kind}.", zh="此处没有领域会生成类型 {kind} 的记录。"),
                do=Text(en="Install the practice that brings it.", zh="请安装提供该类型的领域。"),
                kind=name,
            )
        return kind

    def body(self, kind: Kind[Any], body: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a body or plain values
        """Return ``body`` as its kind's type and as plain values, whichever it came as. Raises Malformed (``kind.body``)."""
        plain = kind.write(body) if isinstance(body, kind.body) else body
        read = kind.read(plain)
        return read, kind.write(read)

    def _stage(self, name: str, media: str, data: bytes) -> Blob:
        digest, size = self._store.backend.stage(io.BytesIO(data), limit=MAX_FILE)
        return Blob(name=name, media=media, digest=f"sha-256:{digest.hex()}", size=size)

    def file(self, digest: str) -> bytes:
        """Return the bytes of an attached file. Raises Missing (``log.no-file``)."""
        with self._store.backend.blob(bytes.fromhex(digest.removeprefix("sha-256:"))) as file:
            return file.read()

    def _audience(self, said: Said, kind: Kind[Any]) -> Audience:
        """Return whom a record is for: as said, else as wide as its sources allow, else everyone for public kinds."""
        sources = [self._statement(entry) for entry in said.rests_on]
        if said.audience is not None:
            check_derived(said.audience, [self.released(each) for each in sources], where=said.kind)
            return said.audience
        if sources:
            # What was released widens a record only where somebody asks for that; silence keeps the sources' readers.
            return meet(each.content.audience for each in sources)
        return EVERYONE if kind.public else only_for([self._home.did])

    def released(self, statement: Statement) -> Audience:
        """Return the audience under which records may rest on ``statement``: its own, or what its issuer released."""
        for each in self._snapshot().standing(core.DECLASSIFIED.name, subject=statement.subject):
            if each.issuer == statement.issuer and each.body["entry"] == statement.entry:
                released = msgspec.convert(each.body["audience"], Audience)
                if within(statement.content.audience, released):
                    return released
        return statement.content.audience

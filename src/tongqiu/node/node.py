"""The node: the one place where keys, log, store and practices meet, and the verbs that people and programs use.

What is written: ``publish``, ``replace``, ``withdraw``, ``erase``, ``declassify``. What is read: ``snapshot`` for the
node's own party, ``desk`` for anyone. Writing never reads a registry; it may read its own thread, inside the
transaction, so that of two racing writers one is refused.
"""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from tongqiu.ledger.backend import Where
from tongqiu.ledger.log import Log, Sealed, Submission, check_in
from tongqiu.ledger.receipts import Receipts
from tongqiu.ledger.sequencer import Sequencer
from tongqiu.node import anchor
from tongqiu.node import core as core_practice
from tongqiu.node import home as homes
from tongqiu.node.ask import Snapshot, is_entry, marks, retires
from tongqiu.node.desk import NodeDesk
from tongqiu.node.discovery import Practices, discover
from tongqiu.node.stored import Stored
from tongqiu.node.world import SystemClock
from tongqiu.practice import load
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, Audience, Principal, check_derived, meet, only_for, within
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.statement import Attachment, Blob, Content, Said, Statement, read_content, write_content
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.seal.statement import new_salt, seal_statement
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tongqiu.ledger.backend import Reading
    from tongqiu.node.home import Home
    from tongqiu.practice import Clock
    from tongqiu.record.kind import Kind
    from tongqiu.record.shapes import RanBy
    from tongqiu.record.statement import Asked
    from tongqiu.store.house import Store

MAX_FILE = 256 << 20
_PAGE = 500


class Node:
    """An opened node. Make one with :func:`open_node`; close it, or use it in a ``with``."""

    def __init__(self, home: Home, store: Store, practices: Practices, clock: Clock) -> None:
        """Put the parts together; the log is begun if it is empty, and its first records say who this is."""
        self.home, self.store = home, store
        self.practices, self.clock = practices, clock
        anchor.check(home.path, store.backend)
        self.log = Log(store.backend, home.log, home.settings.origin, clock=clock.now)
        self.registry = store.registry(tuple(practices.views.values()))
        self._introduce()

    def __enter__(self) -> Self:
        """Return the node."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close the node."""
        self.close()

    def close(self) -> None:
        """Answer all that waits for the log, note where it ends, and give back what is held open."""
        for name in ("sequencer", "receipts"):
            if (held := self.__dict__.get(name)) is not None:
                held.close()
        try:
            anchor.note(self.home.path, self.store.backend)
        finally:
            self.store.close()

    @cached_property
    def sequencer(self) -> Sequencer:
        """Return what groups the writing of many callers; made when a door first needs it."""
        return Sequencer(self.log)

    @cached_property
    def receipts(self) -> Receipts:
        """Return what makes the receipts of many callers; made when a door first needs it."""
        return Receipts(self.log)

    # --- who and when ------------------------------------------------------------------------------------------------

    @property
    def me(self) -> str:
        """Return the DID of the node's own party."""
        return self.home.did

    @property
    def name(self) -> str:
        """Return the name of the node's own party."""
        return self.home.settings.name

    @property
    def owner(self) -> Principal:
        """Return the principal of the node's own party."""
        return Principal(self.me, roles=frozenset({"owner"}))

    @property
    def now(self) -> str:
        """Return the present instant."""
        return self.clock.now()

    @property
    def norms_digest(self) -> str:
        """Return one digest over the packs in use, so that results know under which they were made."""
        from tongqiu.norms import library

        packs = "".join(f"{name} {hashlib.sha256(library.raw(name)).hexdigest()}\n" for name in library.shipped())
        return "sha-256:" + hashlib.sha256(packs.encode()).hexdigest()

    # --- reading -----------------------------------------------------------------------------------------------------

    def desk(self, principal: Principal) -> NodeDesk:
        """Return the desk of ``principal``: everything it may read and say, and nothing else."""
        return NodeDesk(self, principal)

    def source(self, principal: Principal | None = None) -> Stored:
        """Return where snapshots of ``principal`` (the node's own party by default) find their statements now."""
        return Stored(self.home, self.store, principal or self.owner, self.now)

    def snapshot(
        self, principal: Principal | None = None, *, as_of: str | None = None, known_at: str | None = None
    ) -> Snapshot:
        """Return what ``principal`` (the node's own party by default) may read, frozen at two times (now by default)."""
        from tongqiu.norms import library

        who, now = principal or self.owner, self.now
        return Snapshot(
            self.source(who),
            receiver=who.party or self.me,
            as_of=as_of or now,
            known_at=known_at or now,
            size=self.store.backend.head().size,
            norms=library,
        )

    def statement(self, entry: str, principal: Principal | None = None) -> Statement:
        """Return one record. Raises Missing (``record.missing``), also for what the principal may not read."""
        index = self.store.backend.find(bytes.fromhex(entry.removeprefix("sha-256:"))) if is_entry(entry) else None
        found = (
            []
            if index is None
            else self.store.statements(after=index - 1, limit=1, principal=principal or self.owner, now=self.now)
        )
        if not found or found[0].entry != entry:
            raise Missing(
                "record.missing",
                Text(en="There is no record {entry} here.", zh="此处没有记录 {entry}。"),
                do=Text(
                    en="Check the identifier; it may also be one you may not read.", zh="请核对编号；也可能您无权读取。"
                ),
                entry=entry[:80],
            )
        return found[0]

    # --- writing -----------------------------------------------------------------------------------------------------

    def publish(  # noqa: PLR0913 - each part is named at the call
        self,
        said: Sequence[Said],
        *,
        by: str = "",
        key: str | None = None,
        asked: tuple[Asked, ...] = (),
        ran_by: RanBy | None = None,
        retiring: Sequence[Statement] = (),
        done: str | None = None,
        speaker: str = "",
    ) -> tuple[Statement, ...]:
        """Seal and log all of ``said`` in one transaction, or none of it, and return the records as logged.

        ``by`` and ``key`` say what made them; ``ran_by`` overrides in which relation the party that measured stands to
        the provider; ``retiring`` are records of this party that the first of ``said`` replaces, in the same
        transaction. ``done`` names the work: said a second time under the same name, nothing is logged and the records
        of the first time are returned. ``speaker`` is a caller at a door, for ``admit`` to judge. Raises Malformed (``kind.unknown``, ``kind.body``), Refused (``audience.wider`` and whatever a
        kind's ``admit`` says), Missing for what it rests on, and what the store raises.
        """
        drafts = [self._draft(each, by=by, key=key, asked=asked, ran_by=ran_by) for each in said]
        if not drafts:
            return ()
        for old in retiring:
            body = core.Supersession(old=old.entry, new=f"sha-256:{drafts[0][0].entry.hex()}")
            audience = old.content.audience
            replaced = Said(core.SUPERSESSION.name, old.subject, body, (old.entry,), audience, old.content.thread)
            drafts.append(self._draft(replaced, by="core.replace@1", key=None))
        admissions = [
            (draft, self._admission(each, speaker or self.me)) for draft, each in zip(drafts, said, strict=False)
        ]

        def admit(reading: Reading) -> None:
            # What stands earlier in this very call counts, or a batch could outrun the rule that guards its thread.
            size, ahead = reading.head().size, list[Statement]()
            for number, ((sealed, content), check) in enumerate(admissions):
                if check is not None:
                    held = self._thread(reading, content.thread) if content.thread else ()
                    check(
                        (*held, *(each for each in ahead if content.thread and each.content.thread == content.thread))
                    )
                ahead.append(
                    Statement(f"sha-256:{sealed.entry.hex()}", size + number, self.log.origin, content.at, content)
                )

        (places,) = self.log.append([Submission(tuple(sealed for sealed, _ in drafts), admit, done)])
        if not isinstance(places, tuple):
            raise places
        self.registry.catch_up()
        if done is not None and not all(place.fresh for place in places):
            return tuple(self.statement(f"sha-256:{place.entry.hex()}") for place in places)
        return tuple(
            Statement(f"sha-256:{place.entry.hex()}", place.index, self.log.origin, place.logged_at, content)
            for place, (_, content) in zip(places, drafts, strict=True)
        )

    def replace(  # noqa: PLR0913 - each part is named at the call
        self,
        thread: str,
        said: Sequence[Said],
        *,
        by: str,
        key: str | None,
        asked: tuple[Asked, ...] = (),
        ran_by: RanBy | None = None,
    ) -> tuple[Statement, ...]:
        """Publish ``said`` in ``thread`` in place of all that stands there; nothing said withdraws what stands."""
        old = self.snapshot().standing("*", thread=thread)
        old = [each for each in old if retires(each) is None and each.issuer == self.me]
        if not said:
            for each in old:
                self.withdraw(each, why="a new run found nothing to say")
            return ()
        threaded = [each if each.thread else each._replace(thread=thread) for each in said]
        return self.publish(threaded, by=by, key=key, asked=asked, ran_by=ran_by, retiring=old)

    def note(self, key: str) -> None:
        """Note durably, without a record, that a piece of work was done and led to nothing. Idempotent."""
        (outcome,) = self.log.append([Submission((), None, key)])
        if not isinstance(outcome, tuple):
            raise outcome

    def noted(self, key: str) -> bool:
        """Tell whether ``key`` was noted."""
        return self.store.backend.done(key) is not None

    def withdraw(self, statement: Statement, *, why: str) -> Statement:
        """Log that this party no longer stands by its record. Raises Refused for another party's record."""
        if statement.issuer != self.me:
            raise Refused(
                "core.not-yours",
                Text(en="Only its issuer may withdraw a record.", zh="只有出具方可以撤回记录。"),
                do=Text(en="Ask {issuer}.", zh="请联系 {issuer}。"),
                issuer=statement.issuer,
            )
        body = core.Withdrawal(entry=statement.entry, why=why)
        thread = "urn:tongqiu:entry:" + statement.entry.removeprefix("sha-256:")
        said = Said(
            core.WITHDRAWAL.name, statement.subject, body, (statement.entry,), statement.content.audience, thread
        )
        return self.publish([said])[0]

    def widen(self, statement: Statement, audience: Audience, *, person: str = "", why: str = "") -> Statement:
        """Say a record of this party again for ``audience``, in place of the earlier one, and return the new one.

        Publishing is an act of its own: where the record rests on others that ``audience`` may not read, ``person``
        declassifies those of this party by name. Raises Refused (``core.not-yours``, ``audience.wider``).
        """
        content = statement.content
        if person:
            for entry in content.rests_on:
                source = self.statement(entry)
                if not within(audience, self._released(source)):
                    self.declassify(source, audience, person=person, why=why)
        files = tuple(Attachment(each.name, each.media, self._bytes(each.digest)) for each in content.files)
        said = Said(content.kind, content.subject, content.body, content.rests_on, audience, content.thread, files)
        relation = next((each.ran_by for each in content.evidence), None)
        return self.publish(
            [said], by=content.by, key=content.key, asked=content.asked, ran_by=relation, retiring=[statement]
        )[0]

    def declassify(self, statement: Statement, audience: Audience, *, person: str, why: str) -> Statement:
        """Log that a named person lets records derived from ``statement`` be read by ``audience``."""
        if statement.issuer != self.me:
            raise Refused(
                "core.not-yours",
                Text(en="Only its issuer may declassify a record.", zh="只有出具方可以解密记录。"),
                do=Text(en="Ask {issuer}.", zh="请联系 {issuer}。"),
                issuer=statement.issuer,
            )
        body = core.Declassified(entry=statement.entry, audience=audience, person=person, why=why)
        own = only_for([self.me])
        return self.publish([Said(core.DECLASSIFIED.name, statement.subject, body, (), own)])[0]

    def erase(self, statement: Statement, *, ground: str, authority: str = "") -> Statement:
        """Destroy the content, salt and files of a record and log a tombstone with the ground; return the tombstone.

        What rests on it is listed and keeps standing on its receipt alone. Its rows leave every registry, and its bytes
        every file of the store.
        """
        target = bytes.fromhex(statement.entry.removeprefix("sha-256:"))
        rows = self.store.backend.select(Where(ref=target))
        body = core.Tombstone(
            entry=statement.entry,
            ground=ground,
            authority=authority,
            dependents=tuple(sorted(f"sha-256:{row.entry.hex()}" for row in rows)),
        )
        about = Subject("party", self.me, None, "")
        draft = self._draft(Said(core.TOMBSTONE.name, about, body, (), EVERYONE), by="core.erase@1", key=None)
        (outcome,) = self.log.append([Submission((draft[0],), erase=(target,))])
        if not isinstance(outcome, tuple):
            raise outcome
        self.registry.catch_up()
        self.store.backend.scrub()
        return self.statement(f"sha-256:{draft[0].entry.hex()}")

    def seal(self, said: Said, *, by: str) -> Sealed:
        """Return ``said`` sealed and ready to be logged in one transaction with what others said; nothing is logged."""
        return self._draft(said, by=by, key=None)[0]

    # --- inside ------------------------------------------------------------------------------------------------------

    def _introduce(self) -> None:
        """Say who this node's party is, once."""
        thread = f"urn:tongqiu:party:{self.home.party.kid.hex()[:40]}"
        if self.store.backend.select(Where(thread=thread), limit=1):
            return
        body = core.Party(
            name=self.name,
            sort=self.home.settings.sort,  # type: ignore[arg-type]
            key=self.home.party.public.cose_key().hex(),
        )
        about = Subject("party", self.me, None, self.name)
        self.publish([Said(core.PARTY.name, about, body, (), EVERYONE, thread)], by="core.party@1")

    def _draft(
        self,
        said: Said,
        *,
        by: str,
        key: str | None,
        asked: tuple[Asked, ...] = (),
        ran_by: RanBy | None = None,
    ) -> tuple[Sealed, Content]:
        """Return ``said`` as a sealed record, its files staged; nothing is logged yet."""
        kind = self._kind(said.kind)
        body, plain = self._body(kind, said.body)
        evidence = tuple(kind.evidence(body)) if kind.evidence else ()
        if ran_by is not None:
            evidence = tuple(msgspec.structs.replace(each, ran_by=ran_by) for each in evidence)
        files = tuple(self._stage(each.name, each.media, each.data) for each in said.files)
        audience = self._audience(said, kind)
        content = Content(
            kind=kind.name,
            schema=kind.schema_digest,
            subject=said.subject,
            issuer=self.me,
            at=self.now,
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
            data, salt, signer=self.home.party, issuer=self.me, subject=self.home.pseudonym(said.subject.id)
        )
        refs = [bytes.fromhex(each.removeprefix("sha-256:")) for each in content.rests_on]
        refs.extend(marks(self.home, content))
        sealed = check_in(
            envelope,
            self.home.party.public,
            content=data,
            salt=salt,
            kind=kind.name,
            audience=self.store.audience_id(audience, self.me),
            thread=said.thread or "",
            refs=refs,
            files=[bytes.fromhex(file.digest.removeprefix("sha-256:")) for file in files],
        )
        return sealed, read_content(data)

    def _kind(self, name: str) -> Kind[Any]:
        kind = self.practices.kind(name)
        if kind is None:
            raise Malformed(
                "kind.unknown",
                Text(en="No practice here makes records of kind {kind}.", zh="此处没有领域会生成类型 {kind} 的记录。"),
                do=Text(en="Install the practice that brings it.", zh="请安装提供该类型的领域。"),
                kind=name,
            )
        return kind

    def _body(self, kind: Kind[Any], body: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a body or plain values
        plain = kind.write(body) if isinstance(body, kind.body) else body
        read = kind.read(plain)
        return read, kind.write(read)

    def _stage(self, name: str, media: str, data: bytes) -> Blob:
        digest, size = self.store.backend.stage(io.BytesIO(data), limit=MAX_FILE)
        return Blob(name=name, media=media, digest=f"sha-256:{digest.hex()}", size=size)

    def _bytes(self, digest: str) -> bytes:
        with self.store.backend.blob(bytes.fromhex(digest.removeprefix("sha-256:"))) as file:
            return file.read()

    def _audience(self, said: Said, kind: Kind[Any]) -> Audience:
        """Return whom a record is for: as said, else as wide as its sources allow, else everyone for public kinds."""
        sources = [self._released(self.statement(entry)) for entry in said.rests_on]
        if said.audience is not None:
            check_derived(said.audience, sources, where=said.kind)
            return said.audience
        if sources:
            return meet(sources)
        return EVERYONE if kind.public else only_for([self.me])

    def _released(self, statement: Statement) -> Audience:
        """Return the audience under which records may rest on ``statement``: its own, or what its issuer released."""
        for each in self.snapshot().standing(core.DECLASSIFIED.name, subject=statement.subject):
            if each.issuer == statement.issuer and each.body["entry"] == statement.entry:
                released = msgspec.convert(each.body["audience"], Audience)
                if within(statement.content.audience, released):
                    return released
        return statement.content.audience

    def _admission(self, said: Said, speaker: str) -> Callable[[tuple[Statement, ...]], None] | None:
        kind = self._kind(said.kind)
        if kind.admit is None:
            return None
        check = load(kind.admit)
        body = self._body(kind, said.body)[0]
        return lambda thread: check(said._replace(body=body, speaker=speaker), thread)

    def _thread(self, reading: Reading, thread: str) -> tuple[Statement, ...]:
        """Return every record of a thread as the transaction sees it, whoever may read it."""
        found: list[Statement] = []
        after = -1
        while rows := reading.select(Where(thread=thread), after=after, limit=_PAGE):
            found.extend(
                Statement(
                    f"sha-256:{row.entry.hex()}", row.index, self.log.origin, row.logged_at, read_content(row.content)
                )
                for row in rows
                if row.content is not None
            )
            after = rows[-1].index
        return tuple(found)


def open_node(  # noqa: PLR0913 - each part is named at the call
    path: Path | None = None,
    *,
    create: bool = False,
    name: str = "",
    sort: str = "unstated",
    extra: Iterable[Any] = (),
    clock: Clock | None = None,
) -> Node:
    """Open the node at ``path`` (:func:`tongqiu.node.home.default` where none is named).

    With ``create`` a missing home is made for a party called ``name``. ``extra`` practices join those installed. Raises
    Missing (``home.missing``) and the faults of home, store and log.
    """
    where = path or homes.default()
    exists = (where / "node.toml").exists()
    home = homes.create(where, name=name or where.name, sort=sort) if create and not exists else homes.load(where)
    store = open_store(home.store, create=True, writer=anchor.instance(home.path))
    return Node(home, store, discover(core=core_practice.PRACTICE, extra=extra), clock or SystemClock())

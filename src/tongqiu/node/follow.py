"""Hearing others: taking the records of another party's evidence file into our own log, as that party said them.

What was signed is kept byte for byte, under its issuer and for the readers it names; a record whose kind nobody here
knows is kept all the same, and can be passed on. That we looked is a record of our own (``core.peer-seen/1``), logged in
the same transaction: from then on, and not before, we *knew*. Costs and limits: ``docs/adr/0041-what-peers-said.md``.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tongqiu.ledger import passport as passports_ledger
from tongqiu.ledger.backend import Where
from tongqiu.ledger.log import Submission, check_in
from tongqiu.node import passports
from tongqiu.node.ask import marks
from tongqiu.node.drafting import MAX_FILE
from tongqiu.record import cbor, core
from tongqiu.record.faults import Refused, Unproven
from tongqiu.record.statement import Said, Statement, read_content
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.record.types import ready
from tongqiu.seal.keys import PublicKey
from tongqiu.seal.statement import open_statement

if TYPE_CHECKING:
    from tongqiu.ledger.backend import Reading
    from tongqiu.ledger.log import Sealed
    from tongqiu.node.node import Node
    from tongqiu.node.passports import Verification
    from tongqiu.seal.policy import Policy


class Followed(NamedTuple):
    """What following came to.

    ``seen`` is our own record of having looked; ``heard`` the entries now in our log, in order of theirs; ``opaque`` those
    of them whose kind is not known here; ``withheld`` those whose content the file does not show, and ``rotated`` those
    signed with a later key of their issuer: neither of these two was taken in.
    """

    seen: str
    heard: tuple[str, ...]
    opaque: tuple[str, ...]
    withheld: tuple[str, ...]
    rotated: tuple[str, ...]


def follow(node: Node, data: bytes, policy: Policy, *, where: str = "") -> Followed:
    """Take the records that an evidence file discloses into the log of ``node``, all in one transaction.

    Only a log that ``policy`` pins is followed. The same file again changes nothing. Raises Malformed and Unproven as
    :func:`tongqiu.node.passports.verify`; Unproven (``follow.unpinned``) for a log nobody here vouches for and
    (``follow.fork``) for one that shows another past than it did before; Refused (``follow.own``) for our own log.
    """
    checked = passports.verify(data, policy=policy, practices=node.practices, now=node.now, where=where)
    report = checked.report
    if report.origin == node.log.origin:
        raise Refused(
            "follow.own",
            Text(en="This is our own log.", zh="这是本节点自己的日志。"),
            do=Text(en="Give the evidence file of another party.", zh="请提供其他参与方的证据档案。"),
            where=where,
        )
    if report.log_name is None:
        raise Unproven(
            "follow.unpinned",
            Text(
                en="Nobody here vouches for the log {origin}: your trust file does not name it with this key.",
                zh="此处无人担保日志 {origin}：您的信任文件未列出它及此密钥。",
            ),
            do=Text(
                en="Get the key from its party by another way, and write it into trust.toml.",
                zh="请通过其他途径向该参与方取得密钥，并写入 trust.toml。",
            ),
            where=where,
            origin=report.origin,
        )
    body = msgspec.convert(cbor.loads(cbor.loads(data)[1]), ready(passports_ledger.Body))
    sealed, rotated = _sealed(node, checked, body)
    seen = core.PeerSeen(
        origin=report.origin,
        size=report.size,
        root=f"sha-256:{report.root.hex()}",
        checkpoint=body.checkpoint if len(body.checkpoint) <= _LONGEST_NOTE else "",
    )
    about = Subject("party", report.exporter, None, report.exporter_name or "")
    draft = node.seal(Said(core.PEER_SEEN.name, about, seen, thread=thread_of(report.origin)), by="core.follow@1")

    def admit(reading: Reading) -> None:
        _check_past(reading, seen, node.home.thread(thread_of(seen.origin)), where)

    done = f"follow:{hashlib.sha256(data).hexdigest()}"
    (outcome,) = node.log.append([Submission((draft, *sealed), admit, done)])
    if not isinstance(outcome, tuple):
        raise outcome
    node.registry.catch_up()
    entries = tuple(f"sha-256:{place.entry.hex()}" for place in outcome)
    kinds = {each.statement.entry: each.statement.kind for each in checked.records}
    return Followed(
        entries[0],
        entries[1:],
        tuple(entry for entry in entries[1:] if node.practices.kind(kinds[entry]) is None),
        tuple(f"sha-256:{item.entry.hex()}" for item in report.items if not item.disclosed),
        rotated,
    )


def thread_of(origin: str) -> str:
    """Return the thread in which this node notes what it saw of the log ``origin``."""
    return "urn:tongqiu:peer:" + hashlib.sha256(origin.encode()).hexdigest()[:40]


_LONGEST_NOTE = 2000


def _sealed(node: Node, checked: Verification, body: passports_ledger.Body) -> tuple[list[Sealed], tuple[str, ...]]:
    """Return every disclosed record as the log takes it, and those that were signed with a later key."""
    statements = {each.statement.entry: each.statement for each in checked.records}
    # Only files of records that are new here: what was erased must not come back with a later file.
    fresh = {
        file.digest
        for each in checked.records
        if _is_new(node, each.statement)
        for file in each.statement.content.files
    }
    staged = {f"sha-256:{digest.hex()}" for digest in checked.report.files} & fresh
    for digest, data in checked.report.files.items():
        if f"sha-256:{digest.hex()}" in staged:
            node.store.backend.stage(io.BytesIO(data), limit=MAX_FILE)
    taken: list[Sealed] = []
    rotated: list[str] = []
    for item in body.items:
        if item.content is None or item.salt is None:
            continue
        opened = open_statement(item.statement)
        entry = f"sha-256:{opened.entry.hex()}"
        key = PublicKey.from_did(opened.issuer)
        if key.thumbprint != opened.kid:
            rotated.append(entry)
            continue
        taken.append(_check_in(node, item, statements[entry], key, staged))
    return taken, tuple(rotated)


def _is_new(node: Node, statement: Statement) -> bool:
    return node.store.backend.find(bytes.fromhex(statement.entry.removeprefix("sha-256:"))) is None


def _check_in(
    node: Node, item: passports_ledger.Item, statement: Statement, key: PublicKey, staged: set[str]
) -> Sealed:
    content = statement.content
    rests = [bytes.fromhex(each.removeprefix("sha-256:")) for each in content.rests_on]
    held = [file.digest for file in content.files if file.digest in staged]
    return check_in(
        item.statement,
        key,
        content=item.content,
        salt=item.salt,
        kind=content.kind,
        audience=node.store.audience_id(content.audience, content.issuer),
        thread=node.home.thread(content.thread),
        refs=[*rests, *marks(node.home, content)],
        files=[bytes.fromhex(each.removeprefix("sha-256:")) for each in held],
        where=statement.entry,
    )


def _check_past(reading: Reading, seen: core.PeerSeen, slot: str, where: str) -> None:
    """Refuse a log that has another root than it had at the same size. Runs inside the transaction.

    That a larger tree continues a smaller one needs a consistency proof, which an evidence file does not carry.
    """
    after = -1
    while rows := reading.select(Where(kind=core.PEER_SEEN.name, thread=slot), after=after):
        for row in rows:
            if row.content is None:
                continue
            before = core.PEER_SEEN.read(read_content(row.content).body)
            if before.origin == seen.origin and before.size == seen.size and before.root != seen.root:
                raise Unproven(
                    "follow.fork",
                    Text(
                        en="The log {origin} shows another past than it showed before, at the same size of {size}.",
                        zh="日志 {origin} 在同一规模 {size} 下展示了与此前不同的历史。",
                    ),
                    do=Text(
                        en="Keep both files: together they prove that it was split. Ask its party why.",
                        zh="请保留两份档案：二者合起来可证明日志被分叉。请询问该参与方原因。",
                    ),
                    where=where,
                    origin=seen.origin,
                    size=seen.size,
                )
        after = rows[-1].index


__all__ = ["Followed", "follow", "thread_of"]

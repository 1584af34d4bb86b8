"""What one person proposes and another agrees to: kept as a record, decided once, and gone when nobody decides in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongqiu.node import verbs
from tongqiu.node.core_deeds import withdrawal
from tongqiu.node.filling import fill
from tongqiu.record import core
from tongqiu.record.audience import Principal
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.statement import Attachment, Said, Statement
from tongqiu.record.text import Text
from tongqiu.store.people import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node.node import Node
    from tongqiu.node.people import Signed
    from tongqiu.node.verbs import Done
    from tongqiu.practice import Desk, Verb, World


SCOPE = "core.approve"
"""The scope of a token by which a program may agree for its person."""


class Open(NamedTuple):
    """A proposal that waits: the record, what it says, and whether whoever looks may decide it."""

    statement: Statement
    body: core.Proposal
    mine: bool
    may: bool


def waiting(node: Node, signed: Signed) -> tuple[Open, ...]:
    """Return the proposals that wait and that ``signed`` may read, those that end first in front."""
    found = [each for each in node.desk(signed.principal).said(core.PROPOSAL.name) if each.issuer == node.me]
    opened = [(each, core.PROPOSAL.read(each.body)) for each in found]
    own, now = node.desk(node.owner), node.now
    return tuple(
        Open(each, body, body.by == signed.principal.person, _fits(node, signed, body))
        for each, body in sorted(opened, key=lambda pair: (pair[1].until, pair[0].entry))
        if body.until > now and not _decided(own, each)
    )


def approve(node: Node, signed: Signed, entry: str, *, once: str = "") -> Done:
    """Agree to a proposal: its verb runs for whoever proposed it, with those very values, and both are named.

    Raises Missing (``proposal.missing``), Refused (``proposal.same``, ``proposal.role``, ``proposal.closed``,
    ``proposal.person``), and what the verb raises.
    """
    done = verbs.request_key(signed, "approve", once)
    if done and (before := node.did(done)) is not None:
        return verbs.done_of(before)
    statement, body = _open(node, signed, entry)
    _decide(node, signed, body)
    practice, verb = verbs.find(node.practices, body.verb)
    proposer = _proposer(node, body, verb)
    files = _files(node, statement, body)
    form = fill(verb, {name: value for name, value in body.values.items() if name not in files}, files)
    told = verbs.account(proposer, verb, by=body.by, approved_by=signed.principal.person, proposal=statement)
    return verbs.carry_out(node, proposer, practice, verb, form, account=told, done=done)


def decline(node: Node, signed: Signed, entry: str, *, why: str) -> Statement:
    """Take a proposal off the table: whoever made it may, and whoever might have agreed. Raises as :func:`approve`."""
    statement, body = _open(node, signed, entry)
    if body.by != signed.principal.person:
        _decide(node, signed, body)
    _, verb = verbs.find(node.practices, body.verb)
    told = verbs.account(signed.principal, verb, proposal=statement)
    return node.publish([withdrawal(statement, why)], by="verb:core.withdraw", account=lambda made: told(node, made))[0]


def lapses_at(statement: Statement) -> str:
    """Say until when a proposal may be approved."""
    return core.PROPOSAL.read(statement.body).until


def lapse(statement: Statement, _world: World, desk: Desk) -> Iterator[Said]:
    """Withdraw a proposal that nobody decided in time."""
    if not _decided(desk, statement):
        yield withdrawal(statement, "nobody decided in time")


def _decided(desk: Desk, statement: Statement) -> bool:
    """Tell whether somebody agreed to a proposal."""
    return any(
        each.body.get("proposal") == statement.entry and "approved_by" in each.body
        for each in desk.said(core.ACT.name, thread=statement.content.thread)
    )


def _open(node: Node, signed: Signed, entry: str) -> tuple[Statement, core.Proposal]:
    """Return a proposal that waits and that ``signed`` may read. Raises Missing, Refused (``proposal.closed``)."""
    try:
        statement = node.statement(entry, signed.principal)
    except Missing:
        raise missing() from None
    if statement.kind != core.PROPOSAL.name or statement.issuer != node.me:
        raise missing()
    if all(each.statement.entry != entry for each in waiting(node, signed)):
        raise Refused(
            "proposal.closed",
            Text(en="This proposal was decided already, or has lapsed.", zh="该提议已有决定，或已失效。"),
            do=Text(en="Make a new one if it is still wanted.", zh="如仍需要，请另行提议。"),
        )
    return statement, core.PROPOSAL.read(statement.body)


def _fits(node: Node, signed: Signed, body: core.Proposal) -> bool:
    principal = signed.principal
    return (
        bool(principal.person)
        and principal.person != body.by
        and principal.party == node.me
        and bool(principal.roles & verbs.APPROVERS)
        and (signed.scopes is None or bool(signed.scopes & {"*", SCOPE}))
    )


def _decide(node: Node, signed: Signed, body: core.Proposal) -> None:
    """Raise Refused unless ``signed`` is a second person who may agree."""
    if _fits(node, signed, body):
        return
    same = signed.principal.person == body.by
    raise Refused(
        "proposal.same" if same else "proposal.role",
        Text(en="A second person must agree; you proposed this.", zh="须由第二人同意；此项由您提出。")
        if same
        else Text(en="Only an owner or reviewer of this node may agree.", zh="只有本节点的所有者或复核人可以同意。"),
        do=Text(en="Ask another owner or reviewer.", zh="请联系另一位所有者或复核人。"),
    )


def _proposer(node: Node, body: core.Proposal, verb: Verb) -> Principal:
    """Return whoever proposed, as it may act today. Raises Refused (``proposal.lapsed``) where that is no longer so."""
    try:
        person = node.people.person(body.by)
        principal = node.people.principal(person) if person.state == ACTIVE else None
    except Missing:
        principal = None
    if principal is None or not verbs.signed_of(principal).may(verb.role):
        raise Refused(
            "proposal.lapsed",
            Text(en="Whoever proposed this may no longer do it.", zh="提议人已无权进行此操作。"),
            do=Text(en="Propose it yourself, and ask another person to agree.", zh="请自行提议，再请他人同意。"),
        )
    return principal


def _files(node: Node, statement: Statement, body: core.Proposal) -> dict[str, tuple[Attachment, ...]]:
    """Return the files that were attached to a proposal, by field."""
    held = {each.digest: each for each in statement.content.files}
    desk = node.desk(node.owner)
    return {
        name: tuple(Attachment(each["name"], each["media"], b"".join(desk.stream(each["digest"]))) for each in value)
        for name, value in body.values.items()
        if isinstance(value, list)
        and value
        and all(isinstance(each, dict) and each.get("digest") in held for each in value)
    }


def missing() -> Missing:
    """Return the answer to a proposal that is not here, or may not be read."""
    return Missing(
        "proposal.missing",
        Text(en="There is no such proposal here.", zh="此处没有该提议。"),
        do=Text(en="Look at the list of what waits.", zh="请查看待决列表。"),
    )

"""Doing something at a node: one way for command, page and program, with who did it logged in the same transaction.

::

    act(node, signed, "core.withdraw", {"entry": "sha-256:...", "why": "wrong folder"}) -> Done(statements, proposal)

What a verb hands in is checked against what it said it makes, against whose system it is, and against who asks. Where two
people are needed the first one's values are kept as a proposal (:mod:`tongqiu.node.proposals`).
"""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.node.desk import NodeDesk
from tongqiu.node.discovery import matches
from tongqiu.node.filling import fill, plain
from tongqiu.node.people import TITLES, Signed
from tongqiu.practice import load
from tongqiu.record import core
from tongqiu.record.audience import Principal, only_for
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.statement import Attachment, Said, Statement, instant, moment_of
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text, inert
from tongqiu.store.people import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tongqiu.node.discovery import Practices
    from tongqiu.node.node import Node
    from tongqiu.practice import Practice, Role, Verb

APPROVERS = frozenset({"owner", "reviewer"})
"""Roles that agree to what another person of the node proposes."""

ROLES: tuple[Role, ...] = ("owner", "issuer", "reviewer", "contributor", "reader")
LIVES = datetime.timedelta(days=14)
"""How long a proposal waits for a second person."""


class Done(NamedTuple):
    """What an act led to: the records it made, or the proposal that waits for a second person."""

    statements: tuple[Statement, ...]
    proposal: Statement | None = None


class VerbDesk(NodeDesk):
    """The desk at which a verb runs: it reads as whoever acts, and hands in instead of publishing."""

    def publish(self, *said: Said) -> tuple[Statement, ...]:
        """Refuse: what a verb says is logged with the account of who did it, in one transaction."""
        del said
        raise Refused(
            "verb.publish",
            Text(
                en="A verb hands in what it says; it does not publish by itself.",
                zh="操作只提交内容，不得自行出具记录。",
            ),
            do=Text(en="Tell the authors of the practice.", zh="请告知领域作者。"),
        )


def find(practices: Practices, name: str) -> tuple[Practice, Verb]:
    """Return a verb by its full name, with its practice. Raises Missing (``verb.missing``)."""
    for practice, verb in practices.verbs:
        if verb.name == name:
            return practice, verb
    raise Missing(
        "verb.missing",
        Text(en="Nothing called {name} can be done here.", zh="此处没有名为 {name} 的操作。"),
        do=Text(en="List what can be done with: tongqiu do", zh="可用 tongqiu do 列出全部操作。"),
        name=inert(name[:80], one_line=True),
    )


def signed_of(who: Signed | Principal) -> Signed:
    """Return ``who`` as somebody who proved it: a bare principal, as tests and duties have it, stands for itself."""
    return who if isinstance(who, Signed) else Signed(who, None, "", "")


def allowed(node: Node, who: Signed | Principal, name: str) -> tuple[Practice, Verb]:
    """Return a verb that ``who`` may do. Raises Missing (``verb.missing``), Refused (``verb.role``)."""
    practice, verb = find(node.practices, name)
    signed = signed_of(who)
    if not signed.may(verb.role, verb.name):
        title = TITLES[verb.role]
        raise Refused(
            "verb.role",
            Text(en=f"This needs the role of {title.en.lower()}.", zh=f"此操作需要“{title.zh}”角色。"),
            do=Text(en="Sign in, or ask the owner of the node for that role.", zh="请登录，或向节点所有者申请该角色。"),
        )
    return practice, verb


def offered(
    node: Node, who: Signed | Principal, *, kind: str = "", subject_type: str = ""
) -> tuple[tuple[Practice, Verb], ...]:
    """Return the verbs that ``who`` may do, beside a record of ``kind`` or a subject of a type where that is given."""
    signed = signed_of(who)
    found = [(practice, verb) for practice, verb in node.practices.verbs if signed.may(verb.role, verb.name)]
    if kind:
        return tuple(each for each in found if any(matches(on, kind) for on in each[1].on if "/" in on or "*" in on))
    if subject_type:
        return tuple(each for each in found if subject_type in each[1].on)
    return tuple(found)


def act(  # noqa: PLR0913 - each part is named at the call
    node: Node,
    who: Signed | Principal,
    name: str,
    values: Mapping[str, Any],
    *,
    files: Mapping[str, tuple[Attachment, ...]] | None = None,
    once: str = "",
) -> Done:
    """Do ``name`` with ``values`` (texts or plain values by field) as ``who`` may, and return what came of it.

    ``once`` names the request: sent a second time by the same person, nothing is logged and the first answer is returned.
    Raises Missing (``verb.missing``), Refused (``verb.role``, ``verb.not-yours``), :class:`tongqiu.node.filling.Unfit`
    with every mistake in the values, and what the verb and the log say.
    """
    signed = signed_of(who)
    practice, verb = allowed(node, signed, name)
    done = request_key(signed, name, once)
    if done and (before := node.did(done)) is not None:
        return done_of(before)
    form = fill(verb, values, files)
    try:
        if verb.eyes > 1 and not (verb.alone and not others(node, signed)):
            return propose(node, signed, practice, verb, form, done=done)
        told = account(signed.principal, verb)
        return carry_out(node, signed.principal, practice, verb, form, account=told, done=done)
    except Refused:
        # Of one request that was sent twice at once, the later one meets what the first has just done.
        if done and (before := node.did(done)) is not None:
            return done_of(before)
        raise


def propose(  # noqa: PLR0913 - each part is named at the call
    node: Node,
    signed: Signed,
    practice: Practice,
    verb: Verb,
    form: Any,  # noqa: ANN401 - the verb's own
    *,
    done: str | None,
) -> Done:
    """Log what ``signed`` wants done, with the values as they would be used, after trying whether it could be done.

    Raises what the verb raises, and Refused (``proposal.person``) where nobody can tell who proposes.
    """
    principal = signed.principal
    if not principal.person:
        raise Refused(
            "proposal.person",
            Text(
                en="This needs two people, and nobody can tell who you are.", zh="此操作需要两人，而无法确定您的身份。"
            ),
            do=Text(en="Sign in as yourself.", zh="请以本人身份登录。"),
        )
    tried(node, principal, practice, verb, form)
    files = tuple(
        each
        for name in form.__struct_fields__
        if isinstance(getattr(form, name), tuple)
        for each in getattr(form, name)
        if isinstance(each, Attachment)
    )
    until = instant(moment_of(node.now) + LIVES)
    role = next(each for each in ROLES if each in principal.roles)
    body = core.Proposal(verb.name, plain(form), principal.person, principal.party or node.me, role, until)
    thread = "urn:tongqiu:proposal:" + hashlib.sha256(f"{principal.person} {until} {done}".encode()).hexdigest()
    readers = only_for([node.me, *([principal.party] if principal.party else [])])
    said = Said(core.PROPOSAL.name, Subject("party", node.me), body, (), readers, thread, files)
    told = account(principal, verb)
    return done_of(node.publish([said], by=f"verb:{verb.name}", account=lambda made: told(node, made), done=done))


def carry_out(  # noqa: PLR0913 - each part is named at the call
    node: Node,
    principal: Principal,
    practice: Practice,
    verb: Verb,
    form: Any,  # noqa: ANN401 - the verb's own
    *,
    account: Callable[[Node, tuple[str, ...]], Said],
    done: str | None,
) -> Done:
    """Run a verb for ``principal`` with a filled form and log all it says together with the account of it."""
    said = tried(node, principal, practice, verb, form)

    def told(made: tuple[str, ...]) -> Said:
        return account(node, made)

    if practice.name == "core" and said[0].kind == core.TOMBSTONE.name:
        body: core.Tombstone = said[0].body
        stone = node.erase(
            node.statement(body.entry), ground=body.ground, authority=body.authority, account=told, done=done
        )
        return Done((stone,))
    return done_of(node.publish(said, by=f"verb:{verb.name}", account=told, done=done))


def tried(node: Node, principal: Principal, practice: Practice, verb: Verb, form: Any) -> tuple[Said, ...]:  # noqa: ANN401
    """Return what a verb would hand in for ``principal``, checked; nothing is logged.

    Raises Malformed (``verb.makes``) for a verb that breaks its word, Refused (``verb.not-yours``).
    """
    desk = VerbDesk(node, principal)
    said = tuple(load(verb.run)(desk, form))
    own = {kind.name for kind in practice.kinds}
    allowed_kinds = own | {core.WITHDRAWAL.name} if practice.name != "core" else None
    for each in said:
        # A record that whoever acts may not read looks here, too, like one that does not exist.
        named = [desk.record(entry) for entry in (*each.rests_on, *each.replaces)]
        kinds = {each.kind, *(old.kind for old in named[len(each.rests_on) :])}
        promised = any(matches(pattern, each.kind) for pattern in verb.makes)
        if not promised or (allowed_kinds is not None and not kinds <= allowed_kinds):
            raise Malformed(
                "verb.makes",
                Text(
                    en="{verb} made or replaced a record of kind {kind}, which is not its own.",
                    zh="{verb} 生成或替代了不属于它的记录类型 {kind}。",
                ),
                do=Text(en="Tell the authors of the practice.", zh="请告知领域作者。"),
                verb=verb.name,
                kind=each.kind,
            )
    if not said:
        raise Refused(
            "verb.nothing",
            Text(en="There is nothing to do.", zh="无需任何操作。"),
            do=Text(en="Look at what stands now.", zh="请查看现状。"),
        )
    if principal.party != node.me:
        said = tuple(_of_guest(node, principal, verb, each) for each in said)
    return said


def account(
    principal: Principal, verb: Verb, *, by: str = "", approved_by: str | None = None, proposal: Statement | None = None
) -> Callable[[Node, tuple[str, ...]], Said]:
    """Return what says who did it, once the entries are known: for the node's own people alone."""
    who = by or principal.person or principal.party or ""

    def told(node: Node, made: tuple[str, ...]) -> Said:
        entry = None if proposal is None else proposal.entry
        thread = None if proposal is None else proposal.content.thread
        body = core.Act(who, verb.name, made, approved_by, entry)
        return Said(core.ACT.name, Subject("party", node.me), body, (), only_for([node.me]), thread)

    return told


def done_of(statements: Iterable[Statement]) -> Done:
    """Return the records of one act without its account, or the proposal that it left."""
    found = tuple(each for each in statements if each.kind != core.ACT.name)
    if len(found) == 1 and found[0].kind == core.PROPOSAL.name:
        return Done((), found[0])
    return Done(tuple(each for each in found if each.content.by != "core.replace@1"))


def others(node: Node, signed: Signed) -> tuple[str, ...]:
    """Return the pseudonyms of those, other than whoever asks, who could agree to something at this node."""
    return tuple(
        each.id
        for each in node.people.everyone()
        if each.state == ACTIVE
        and each.party == node.me
        and each.role in APPROVERS
        and each.id != signed.principal.person
    )


def request_key(signed: Signed, name: str, once: str) -> str | None:
    """Return the name under which a request is noted, or None where it has none; nobody can guess another's."""
    if not once:
        return None
    who = signed.principal.person or signed.principal.party or ""
    return "act:" + hashlib.sha256(f"{who}\n{name}\n{once}".encode()).hexdigest()


def owned(node: Node, party: str | None, subject: Subject) -> bool:
    """Tell whether a subject is the party itself, a system of it, or a part of one: as this node's own party said."""
    if party is None:
        return False
    if subject.id == party:
        return True
    snapshot, desk = node.snapshot(), node.desk(node.owner)
    for each in snapshot.standing(core.PROVIDER.name):
        if each.issuer == node.me and each.body["party"] == party:
            parts = [part for _, part in desk.parts(each.subject)]
            if any(subject.same(one) for one in (each.subject, *parts)):
                return True
    return False


def _of_guest(node: Node, principal: Principal, verb: Verb, said: Said) -> Said:
    """Return what somebody of another organisation hands in, readable by it. Raises Refused (``verb.not-yours``)."""
    subjects = {said.subject, *(node.statement(entry, principal).subject for entry in said.replaces)}
    if not verb.anywhere and not all(owned(node, principal.party, each) for each in subjects):
        raise Refused(
            "verb.not-yours",
            Text(en="This is not a system of your organisation.", zh="这不是贵机构的系统。"),
            do=Text(en="Ask the node's owner to say whose system it is.", zh="请由节点所有者指明系统归属。"),
        )
    if said.audience is None and not said.rests_on and principal.party is not None:
        return said._replace(audience=only_for([node.me, principal.party]))
    return said

"""What comes of what people do at every node: which records say that something is published, answered, withdrawn, declared."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import msgspec

from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, Audience, only_for, within
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.statement import Attachment, Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tongqiu.node.core_verbs import Answer, Assign, Correct, Declare, Erase, Publish, Withdraw
    from tongqiu.practice import Desk, World


# --- publishing ------------------------------------------------------------------------------------------------------


def publish(desk: Desk, form: Publish) -> Iterable[Said]:
    """Say a record again for more readers; with a reply period, say it to those who are told and log a notice.

    Raises Missing, Malformed (``publish.reader``, ``publish.period``), Refused (``core.not-yours``).
    """
    for reader in (*form.to, *form.told):
        _check_reader(reader)
    statement = _own(desk, form.entry, but=(core.ACT.name, core.PROPOSAL.name))
    audience = only_for([desk.issuer, *form.to]) if form.to else EVERYONE
    if bool(form.told) != (form.until is not None) or (form.until is not None and form.until <= desk.now):
        raise Malformed(
            "publish.period",
            Text(
                en="A reply period needs both: who is told, and an end that lies ahead.",
                zh="答复期须同时写明告知对象和尚未到来的截止时间。",
            ),
            do=Text(en="Fill in both, or neither.", zh="请两项都填，或都不填。"),
            where="until",
        )
    if form.until is None:
        return again(desk, statement, audience, person=form.person, why=form.why)
    before = statement.content.audience.readers or ()
    first = only_for([desk.issuer, *before, *form.told])
    later = EVERYONE if audience == EVERYONE else only_for([*(audience.readers or ()), *(first.readers or ())])
    notice = core.Notice(
        entry=statement.entry, to=audience, told=tuple(sorted(set(form.told))), until=form.until, why=form.why
    )
    told = only_for([desk.issuer, *form.told])
    said = Said(core.NOTICE.name, statement.subject, notice, (), told, notice_thread(statement.entry))
    return [*again(desk, statement, first, person=form.person, why=form.why, released=later), said]


def again(  # noqa: PLR0913 - each part is named at the call
    desk: Desk,
    statement: Statement,
    audience: Audience,
    *,
    person: str = "",
    why: str = "",
    released: Audience | None = None,
) -> list[Said]:
    """Return ``statement`` said again for ``audience`` in place of the first, and what must be declassified for that.

    Where it rests on records that ``released`` (``audience`` by default) may not read, ``person`` lets those of the same
    issuer be read, by name. Raises Missing and Refused (``core.not-yours``).
    """
    wanted = audience if released is None else released
    content = statement.content
    files = tuple(Attachment(each.name, each.media, b"".join(desk.stream(each.digest))) for each in content.files)
    said = [
        Said(
            content.kind,
            content.subject,
            content.body,
            content.rests_on,
            audience,
            content.thread,
            files,
            replaces=(statement.entry,),
            why=why,
        )
    ]
    for entry in content.rests_on if person else ():
        source = desk.record(entry)
        if not within(wanted, _released(desk, source)):
            if source.issuer != statement.issuer:
                raise _not_yours(source.issuer)
            body = core.Declassified(entry=entry, audience=wanted, person=person, why=why)
            said.append(Said(core.DECLASSIFIED.name, source.subject, body, (), only_for([desk.issuer])))
    return said


def end_of_period(statement: Statement) -> str:
    """Say when a notice runs out."""
    return core.NOTICE.read(statement.body).until


def publish_noticed(statement: Statement, _world: World, desk: Desk) -> Iterator[Said]:
    """Publish what was noticed, with the replies to it, unless it was withdrawn or changed or a reply asks for a change."""
    notice = core.NOTICE.read(statement.body)
    replies = [
        each for each in desk.said(core.REPLY.name, thread=statement.content.thread) if each.issuer == desk.issuer
    ]
    try:
        first, current = desk.record(notice.entry), standing_heir(desk, notice.entry)
    except Missing:
        return
    if (
        current is None
        or current.body != first.body
        or any(core.REPLY.read(each.body).asks != "nothing" for each in replies)
    ):
        return
    for each in (current, *replies):
        if each.content.audience != notice.to:
            yield from again(desk, each, notice.to, why="end of the reply period")


def standing_heir(desk: Desk, entry: str) -> Statement | None:
    """Return the record that stands in the place of ``entry`` (itself, while it does), or None where it was withdrawn.

    Raises Missing.
    """
    found = desk.record(entry)
    for _ in range(1000):
        if any(each.entry == found.entry for each in desk.said(found.kind, subject=found.subject)):
            return found
        replaced = desk.said(core.SUPERSESSION.name, ref=found.entry)
        heirs = [core.SUPERSESSION.read(each.body) for each in replaced if each.issuer == found.issuer]
        heir = next((each.new for each in heirs if each.old == found.entry), None)
        if heir is None:
            return None
        found = desk.record(heir)
    return None


def notice_thread(entry: str) -> str:
    """Return the thread in which a record's notice and the replies to it stand."""
    return "urn:tongqiu:notice:" + entry.removeprefix("sha-256:")


def reply(desk: Desk, form: Answer) -> Iterable[Said]:
    """Say something to a notice. Raises Missing, Refused (``core.no-notice``) for who was not told."""
    notice = desk.record(form.entry)
    party = desk.me.party or ""
    told = core.NOTICE.read(notice.body).told if notice.kind == core.NOTICE.name else ()
    if party not in {*told, desk.issuer} or notice.issuer != desk.issuer or not told:
        raise Refused(
            "core.no-notice",
            Text(en="You were not asked to reply to this.", zh="未请您就此答复。"),
            do=Text(en="Name the notice that you were sent.", zh="请填写您收到的告知记录。"),
            where="entry",
        )
    body = core.Reply(core.NOTICE.read(notice.body).entry, party, form.words, form.asks)
    return [Said(core.REPLY.name, notice.subject, body, (), notice.content.audience, notice.content.thread)]


# --- correcting ------------------------------------------------------------------------------------------------------


def withdraw(desk: Desk, form: Withdraw) -> Iterable[Said]:
    """No longer stand by a record. Raises Missing, Refused (``core.not-yours``, ``core.withdrawn`` when it is logged)."""
    statement = _own(desk, form.entry, but=(core.ACT.name,))
    return [withdrawal(statement, form.why)]


def withdrawal(statement: Statement, why: str) -> Said:
    """Return the withdrawal of a record, for its readers; that of a proposal stands in the proposal's own thread."""
    thread = "urn:tongqiu:entry:" + statement.entry.removeprefix("sha-256:")
    if statement.kind == core.PROPOSAL.name:
        thread = statement.content.thread or thread
    body = core.Withdrawal(entry=statement.entry, why=why)
    return Said(core.WITHDRAWAL.name, statement.subject, body, (statement.entry,), statement.content.audience, thread)


def correct(desk: Desk, form: Correct) -> Iterable[Said]:
    """Say a record otherwise, in place of the first. What a check or rule found is not retyped by hand.

    Raises Missing, Malformed (``core.body``, ``kind.body``), Refused (``core.not-yours``, ``core.made-by-run``).
    """
    statement = _own(desk, form.entry)
    content = statement.content
    # What the node's own order rests on (accounts, proposals, notices) is no person's to retype, either.
    if not content.by.startswith("verb:") or content.kind.startswith("core."):
        raise Refused(
            "core.made-by-run",
            Text(en="This record was made by {by}, not by a person.", zh="该记录由 {by} 生成，并非由人出具。"),
            do=Text(
                en="Mend what it looked at and run it again, or withdraw it.",
                zh="请修正其所检查的对象后重新运行，或撤回该记录。",
            ),
            by=content.by or "-",
        )
    try:
        body = msgspec.json.decode(form.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(
            "core.body",
            Text(en="The corrected text is not JSON: {error}.", zh="更正后的内容不是 JSON：{error}。"),
            do=Text(en="Change values only; keep brackets and quotes.", zh="请只修改值，保留括号和引号。"),
            where="body",
            error=str(error)[:200],
        ) from error
    files = tuple(Attachment(each.name, each.media, b"".join(desk.stream(each.digest))) for each in content.files)
    return [
        Said(
            content.kind,
            content.subject,
            body,
            content.rests_on,
            content.audience,
            content.thread,
            files,
            replaces=(statement.entry,),
            why=form.why,
        )
    ]


def erase(desk: Desk, form: Erase) -> Iterable[Said]:
    """Destroy the content of a record; the node does it in the transaction that logs the tombstone. Raises Missing."""
    statement = desk.record(form.entry)
    body = core.Tombstone(entry=statement.entry, ground=form.ground, authority=form.authority)
    return [Said(core.TOMBSTONE.name, Subject("party", desk.issuer), body, (), statement.content.audience)]


# --- declaring -------------------------------------------------------------------------------------------------------


def declare(desk: Desk, form: Declare) -> Iterable[Said]:
    """Declare a fact of a subject, in place of what was declared under the same name. Raises Malformed (``core.value``)."""
    subject = desk.subject(form.subject)
    thread = "urn:tongqiu:fact:" + _digest(subject.id, form.name)
    body = core.Fact(form.name, _value(form), form.source)
    return [Said(core.FACT.name, subject, body, thread=thread, replaces=_last(desk, core.FACT.name, thread))]


def assign(desk: Desk, form: Assign) -> Iterable[Said]:
    """Say whose system this is; a system that is not known yet gets its first record by that."""
    _check_reader(form.party)
    try:
        subject = desk.subject(form.subject)
    except Missing:
        subject = Subject("system", form.subject, None, form.name)
    thread = "urn:tongqiu:provider:" + _digest(subject.id)
    readers = only_for([desk.issuer, form.party])
    body = core.Provider(form.party, form.why)
    before = _last(desk, core.PROVIDER.name, thread)
    return [Said(core.PROVIDER.name, subject, body, (), readers, thread, replaces=before)]


def _value(form: Declare) -> bool | float | str:
    if form.sort == "text":
        return form.value
    if form.sort == "flag" and form.value.lower() in {"true", "false", "yes", "no", "是", "否"}:
        return form.value.lower() in {"true", "yes", "是"}
    try:
        number = float(form.value) if form.sort == "number" else math.nan
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    raise Malformed(
        "core.value",
        Text(en="{value} is not a value of that sort.", zh="{value} 不是该类别的值。"),
        do=Text(en="Write a number, or yes or no, or choose text.", zh="请写数字，或是/否，或选择文字。"),
        where="value",
        value=form.value[:80],
    )


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _last(desk: Desk, kind: str, thread: str) -> tuple[str, ...]:
    found = [each for each in desk.said(kind, thread=thread) if each.issuer == desk.issuer]
    return tuple(each.entry for each in sorted(found, key=lambda each: each.index))


def _own(desk: Desk, entry: str, *, but: tuple[str, ...] = ()) -> Statement:
    statement = desk.record(entry)
    if statement.kind in but:
        raise Refused(
            "core.order",
            Text(
                en="Accounts of who did what stay as they are, and at this node.",
                zh="操作记录保持原样，且只留在本节点。",
            ),
            do=Text(en="Choose another record.", zh="请选择其他记录。"),
            where="entry",
        )
    if statement.issuer != desk.issuer:
        raise _not_yours(statement.issuer)
    return statement


def _not_yours(issuer: str) -> Refused:
    return Refused(
        "core.not-yours",
        Text(en="Only its issuer may do this with a record.", zh="只有出具方可以对记录这样做。"),
        do=Text(en="Ask {issuer}.", zh="请联系 {issuer}。"),
        issuer=issuer,
    )


def _released(desk: Desk, source: Statement) -> Audience:
    """Return for whom records may rest on ``source``: its own readers, or those its issuer released it to."""
    for each in desk.said(core.DECLASSIFIED.name, subject=source.subject):
        body = core.DECLASSIFIED.read(each.body)
        if (
            each.issuer == source.issuer
            and body.entry == source.entry
            and within(source.content.audience, body.audience)
        ):
            return body.audience
    return source.content.audience


def _check_reader(reader: str) -> None:
    """Raise Malformed unless a reader is named by a DID or URN: a mistyped one would shut everybody out."""
    if not reader.startswith(("did:", "urn:")):
        raise Malformed(
            "publish.reader",
            Text(en="{reader} does not name a reader.", zh="{reader} 不是读者标识。"),
            do=Text(en="Write a DID (did:…) or a URN (urn:…).", zh="请写 DID（did:…）或 URN（urn:…）。"),
            reader=reader[:120],
        )

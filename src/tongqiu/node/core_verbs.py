"""What people do at every node: publish, reply, withdraw, correct, erase, declare; each as values that a node carries out."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.practice import Duty, Field, Verb
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, Audience, only_for, within
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.shapes import Code
from tongqiu.record.statement import Attachment, Instant, Said, Statement
from tongqiu.record.subject import EntryText, IdText, Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tongqiu.practice import Desk, World

_HERE = "tongqiu.node.core_verbs"
_Line = Annotated[str, msgspec.Meta(max_length=200)]
_Words = Annotated[str, msgspec.Meta(max_length=2000)]
_Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]
MOST_READERS = 200


class Publish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom a record is published, and whether others may reply first."""

    entry: EntryText
    to: Annotated[tuple[IdText, ...], msgspec.Meta(max_length=MOST_READERS)] = ()
    told: Annotated[tuple[IdText, ...], msgspec.Meta(max_length=MOST_READERS)] = ()
    until: Instant | None = None
    person: _Line = ""
    why: _Words = ""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reply to a notice."""

    entry: EntryText
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]
    asks: Literal["nothing", "correction"] = "nothing"


class Withdraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record that its issuer no longer stands by."""

    entry: EntryText
    why: _Reason


class Correct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record and the body that takes the place of its own, as JSON."""

    entry: EntryText
    body: Annotated[str, msgspec.Meta(min_length=2, max_length=200_000)]
    why: _Reason


class Erase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record whose content is destroyed, and why that is lawful."""

    entry: EntryText
    ground: Annotated[str, msgspec.Meta(min_length=3, max_length=500)]
    authority: _Line = ""


class Declare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fact that is declared of a subject."""

    subject: IdText
    name: Annotated[Code, msgspec.Meta(max_length=100)]
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    sort: Literal["text", "number", "flag"] = "text"
    source: _Words = ""


class Assign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose system something is."""

    subject: IdText
    party: IdText
    name: _Line = ""
    why: _Words = ""


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


# --- the values ------------------------------------------------------------------------------------------------------

_ENTRY = Field(
    title=Text(en="Record", zh="记录"),
    help=Text(en="The record's id, as its page shows it.", zh="记录编号，见该记录的页面。"),
    kind="entry",
)
_WHY = Field(
    title=Text(en="Reason", zh="理由"),
    help=Text(en="It is recorded for all who read the record.", zh="会一并记录，读者可见。"),
    kind="text",
)
_SUBJECT = Field(
    title=Text(en="About", zh="对象"),
    help=Text(
        en="The identifier of the system or part: pkg:…, did:… or urn:…", zh="系统或部件的标识符：pkg:…、did:… 或 urn:…"
    ),
    kind="subject",
)

VERBS: tuple[Verb, ...] = (
    Verb(
        name="core.publish",
        title=Text(en="Publish a record", zh="公开记录"),
        about=Text(
            en="Says the record again for more readers, in place of the first. With a reply period, those you name read it first and may reply; it is published when the period ends, unless a reply asks for a correction.",
            zh="面向更多读者重新出具该记录，并替代原记录。若设答复期，所列各方可先阅读并答复；期满后自动公开，除非有答复要求更正。",
        ),
        form=Publish,
        fields={
            "entry": _ENTRY,
            "to": Field(
                title=Text(en="Readers", zh="读者"),
                help=Text(
                    en="Their DIDs, one a line. Empty means everyone.", zh="读者的 DID，每行一个。留空表示所有人。"
                ),
                kind="party",
            ),
            "told": Field(
                title=Text(en="Told beforehand", zh="事先告知"),
                help=Text(
                    en="DIDs of those who may read it now and reply, one a line.",
                    zh="可先行阅读并答复者的 DID，每行一个。",
                ),
                kind="party",
            ),
            "until": Field(
                title=Text(en="Replies until", zh="答复截止"),
                help=Text(
                    en="When the reply period ends, in UTC. Empty: publish at once.",
                    zh="答复期截止时间（UTC）。留空则立即公开。",
                ),
                kind="date",
            ),
            "person": Field(
                title=Text(en="Released by", zh="决定公开者"),
                help=Text(
                    en="Where the record rests on private ones: the name of the person who lets them be drawn on.",
                    zh="若该记录依据未公开的记录：决定放行者的姓名。",
                ),
            ),
            "why": _WHY,
        },
        role="issuer",
        run=f"{_HERE}:publish",
        makes=("*",),
        final=True,
        on=("*",),
    ),
    Verb(
        name="core.reply",
        title=Text(en="Reply before publication", zh="公开前答复"),
        about=Text(
            en="Answers a notice that you were sent. Your reply is shown beside the record and is published with it.",
            zh="答复发给您的告知。您的答复会显示在该记录旁，并随其一同公开。",
        ),
        form=Answer,
        fields={
            "entry": Field(
                title=Text(en="Notice", zh="告知记录"),
                help=Text(en="The id of the notice you were sent.", zh="您所收到的告知记录的编号。"),
                kind="entry",
            ),
            "words": Field(
                title=Text(en="Your reply", zh="答复内容"),
                help=Text(en="What you want readers to know.", zh="您希望读者知道的内容。"),
                kind="text",
            ),
            "asks": Field(
                title=Text(en="Do you ask for a correction?", zh="是否要求更正？"),
                help=Text(en="If you do, it is not published by itself.", zh="若要求更正，则不会自动公开。"),
                kind="choice",
                choices=(
                    ("nothing", Text(en="No, publish my reply with it", zh="否，请将我的答复一并公开")),
                    ("correction", Text(en="Yes, it needs a correction first", zh="是，须先更正")),
                ),
            ),
        },
        role="contributor",
        run=f"{_HERE}:reply",
        makes=(core.REPLY.name,),
        anywhere=True,
        on=(core.NOTICE.name,),
    ),
    Verb(
        name="core.withdraw",
        title=Text(en="Withdraw a record", zh="撤回记录"),
        about=Text(
            en="Says that you no longer stand by the record. It stays in the log, marked, with your reason.",
            zh="声明不再支持该记录。记录仍在日志中，并附有标记和理由。",
        ),
        form=Withdraw,
        fields={"entry": _ENTRY, "why": _WHY},
        role="issuer",
        run=f"{_HERE}:withdraw",
        makes=(core.WITHDRAWAL.name,),
        final=True,
        on=("*",),
    ),
    Verb(
        name="core.correct",
        title=Text(en="Correct a record", zh="更正记录"),
        about=Text(
            en="Says a record that a person made otherwise, in place of the first; both stay in the log.",
            zh="对由人出具的记录作出更正并替代原记录；两者都保留在日志中。",
        ),
        form=Correct,
        fields={
            "entry": _ENTRY,
            "body": Field(
                title=Text(en="Corrected content (JSON)", zh="更正后的内容（JSON）"),
                help=Text(
                    en="Copy it from the record's JSON and change what is wrong.",
                    zh="请从该记录的 JSON 中复制，再修改有误之处。",
                ),
                kind="text",
            ),
            "why": _WHY,
        },
        role="issuer",
        run=f"{_HERE}:correct",
        makes=("*",),
        on=("*",),
    ),
    Verb(
        name="core.erase",
        title=Text(en="Erase a record", zh="删除记录"),
        about=Text(
            en="Destroys the content of a record for good, with its files. Its receipt still verifies; a marker with the ground stays. A second person must agree, where there is one.",
            zh="永久销毁记录的内容及其文件。回执仍可核验，并保留注明依据的标记。如有第二人，须经其同意。",
        ),
        form=Erase,
        fields={
            "entry": _ENTRY,
            "ground": Field(
                title=Text(en="Legal ground", zh="法律依据"),
                help=Text(en="It stays in the log; name no person in it.", zh="会留在日志中；请勿写入个人姓名。"),
            ),
            "authority": Field(
                title=Text(en="Who decided", zh="决定者"),
                help=Text(en="The office or body, not a private person.", zh="机关或机构，请勿写私人姓名。"),
            ),
        },
        role="owner",
        run=f"{_HERE}:erase",
        makes=(core.TOMBSTONE.name,),
        eyes=2,
        alone=True,
        final=True,
        on=("*",),
    ),
    Verb(
        name="core.declare",
        title=Text(en="Declare a fact", zh="声明事实"),
        about=Text(
            en="Records something that you say of a system or part. It shows as claimed, never as measured.",
            zh="记录您对系统或部件的一项说明。它显示为“声称”，而非“实测”。",
        ),
        form=Declare,
        fields={
            "subject": _SUBJECT,
            "name": Field(
                title=Text(en="Name", zh="名称"),
                help=Text(
                    en="A dotted name in lower case, such as users.count", zh="以点分隔的小写名称，例如 users.count"
                ),
            ),
            "value": Field(
                title=Text(en="Value", zh="值"), help=Text(en="What you declare.", zh="您所声明的内容。"), kind="text"
            ),
            "sort": Field(
                title=Text(en="The value is", zh="值的类别"),
                help=Text(en="How others compare it.", zh="便于他人比较。"),
                kind="choice",
                choices=(
                    ("text", Text(en="words", zh="文字")),
                    ("number", Text(en="a number", zh="数字")),
                    ("flag", Text(en="yes or no", zh="是或否")),
                ),
            ),
            "source": Field(
                title=Text(en="Where it can be read", zh="出处"),
                help=Text(en="A document and page, or an address.", zh="文件及页码，或网址。"),
            ),
        },
        role="contributor",
        run=f"{_HERE}:declare",
        makes=(core.FACT.name,),
        on=("system", "model", "dataset", "software", "service"),
    ),
    Verb(
        name="core.assign",
        title=Text(en="Say whose system it is", zh="指明系统归属"),
        about=Text(
            en="Lets the people of an organisation contribute to the records of a system here.",
            zh="允许某机构的人员在此为该系统补充记录。",
        ),
        form=Assign,
        fields={
            "subject": _SUBJECT,
            "party": Field(
                title=Text(en="Organisation", zh="机构"), help=Text(en="Its DID.", zh="该机构的 DID。"), kind="party"
            ),
            "name": Field(
                title=Text(en="Name of the system", zh="系统名称"),
                help=Text(en="Only where the system is not known here yet.", zh="仅在此处尚无该系统时填写。"),
            ),
            "why": _WHY,
        },
        role="issuer",
        run=f"{_HERE}:assign",
        makes=(core.PROVIDER.name,),
        on=("system",),
    ),
)
"""The verbs that every node has."""

DUTIES: tuple[Duty, ...] = (
    Duty(
        name="core.publish-noticed",
        title=Text(en="End of a reply period", zh="答复期届满"),
        reads=(core.NOTICE.name,),
        when=f"{_HERE}:end_of_period",
        act=f"{_HERE}:publish_noticed",
    ),
    Duty(
        name="core.lapse",
        title=Text(en="A proposal lapses", zh="提议失效"),
        reads=(core.PROPOSAL.name,),
        when="tongqiu.node.proposals:lapses_at",
        act="tongqiu.node.proposals:lapse",
    ),
)
"""The clocks that every node has."""

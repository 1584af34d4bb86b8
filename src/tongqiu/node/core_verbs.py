"""What people do at every node, as values: the forms of publishing, replying, withdrawing, correcting, erasing, declaring.

What each of them makes is in :mod:`tongqiu.node.core_deeds`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.practice import Duty, Field, Verb
from tongqiu.record import core
from tongqiu.record.shapes import Code
from tongqiu.record.statement import Instant
from tongqiu.record.subject import EntryText, IdText
from tongqiu.record.text import Text

_HERE = "tongqiu.node.core_deeds"
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

"""A small area whose verbs ask for everything a form can ask for, and some that break their word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.practice import Field, Practice, Verb
from tongqiu.record.faults import Refused
from tongqiu.record.kind import Kind
from tongqiu.record.statement import Attachment, Instant, Said
from tongqiu.record.subject import EntryText, IdText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.practice import Desk

HERE = "tests.node.shop"


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was said of a system."""

    words: str
    count: int = 0
    share: float = 0.0
    tags: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    sort: str = "plain"
    until: Instant | None = None
    whole: bool = False


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field of every kind."""

    subject: IdText
    words: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]
    count: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    share: float = 0.0
    tags: tuple[str, ...] = ()
    colours: tuple[Literal["red", "blue"], ...] = ()
    sort: Literal["plain", "fancy"] = "plain"
    until: Instant | None = None
    whole: bool = False
    source: EntryText | None = None
    partner: IdText | None = None
    pages: tuple[Attachment, ...] = ()


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One subject and one word."""

    subject: IdText
    words: str = "words"

    def __post_init__(self) -> None:
        """Refuse a word that no record may hold."""
        if self.words == "never":
            raise ValueError("never say never")
        if self.words == "nobody":
            raise Refused(
                "shop.nobody",
                Text(en="Not nobody.", zh="不可无人。"),
                do=Text(en="Say who.", zh="请写明。"),
                where="words",
            )


def say(desk: Desk, form: Form) -> Iterable[Said]:
    """Say all of it."""
    body = Thing(form.words, form.count, form.share, form.tags, form.colours, form.sort, form.until, form.whole)
    rests = (form.source,) if form.source else ()
    return [Said(THING.name, desk.subject(form.subject), body, rests, files=form.pages)]


def word(desk: Desk, form: Word) -> Iterable[Said]:
    """Say one word, in a thread where only one may be said."""
    thread = f"urn:tongqiu:shop:{form.words}" if form.words.startswith("once") else None
    return [Said(ONCE.name if thread else THING.name, desk.subject(form.subject), Thing(form.words), thread=thread)]


def other(desk: Desk, form: Word) -> Iterable[Said]:
    """Say a kind that was never promised."""
    return [
        Said("core.pack/1", desk.subject(form.subject), {"name": "x", "version": "1", "digest": "sha-256:" + "0" * 64})
    ]


def instead(desk: Desk, form: Word) -> Iterable[Said]:
    """Say a word in place of the record that it names."""
    return [Said(THING.name, desk.subject(form.subject), Thing("instead"), replaces=(form.words,))]


def nothing(_desk: Desk, _form: Word) -> Iterable[Said]:
    """Say nothing."""
    return []


def shout(desk: Desk, form: Word) -> Iterable[Said]:
    """Publish instead of handing in."""
    return desk.publish(*word(desk, form))  # type: ignore[return-value]


def admit_once(said: Said, thread: tuple[object, ...]) -> None:
    """Admit the first word of a thread."""
    if thread:
        raise Refused("shop.once", Text(en="Said already.", zh="已说过。"), do=Text(en="Read it.", zh="请阅读。"))
    del said


THING = Kind(name="shop.thing/1", body=Thing, title=Text(en="Thing", zh="事物"))
ONCE = Kind(name="shop.once/1", body=Thing, title=Text(en="Once", zh="一次"), admit=f"{HERE}:admit_once")

_T = Text(en="Title", zh="标题")
_H = Text(en="Help", zh="说明")
_COLOURS = (("red", Text(en="red", zh="红")), ("blue", Text(en="blue", zh="蓝")))
_SORTS = (("plain", Text(en="plain", zh="普通")), ("fancy", Text(en="fancy", zh="花式")))
FIELDS = {
    "subject": Field(title=_T, help=_H, kind="subject"),
    "words": Field(title=_T, help=_H, kind="text"),
    "count": Field(title=_T, help=_H, kind="number"),
    "share": Field(title=_T, help=_H, kind="number"),
    "tags": Field(title=_T, help=_H, kind="many"),
    "colours": Field(title=_T, help=_H, kind="many", choices=_COLOURS),
    "sort": Field(title=_T, help=_H, kind="choice", choices=_SORTS),
    "until": Field(title=_T, help=_H, kind="date"),
    "whole": Field(title=_T, help=_H, kind="flag"),
    "source": Field(title=_T, help=_H, kind="entry"),
    "partner": Field(title=_T, help=_H, kind="party"),
    "pages": Field(title=_T, help=_H, kind="file"),
}
_WORD = {"subject": FIELDS["subject"], "words": FIELDS["words"]}


def _word(name: str, run: str, **more: object) -> Verb:
    return Verb(
        name=f"shop.{name}",
        title=_T,
        about=_H,
        form=Word,
        fields=_WORD,
        role="contributor",
        run=f"{HERE}:{run}",
        makes=(THING.name, ONCE.name),
        **more,  # type: ignore[arg-type]
    )


SAY = Verb(
    name="shop.say",
    title=Text(en="Say a thing", zh="说明事物"),
    about=_H,
    form=Form,
    fields=FIELDS,
    role="contributor",
    run=f"{HERE}:say",
    makes=(THING.name,),
    on=("system", "shop.*"),
)
PRACTICE = Practice(
    name="shop",
    title=Text(en="Shop", zh="商店"),
    about=_H,
    kinds=(THING, ONCE),
    verbs=(
        SAY,
        _word("word", "word"),
        _word("other", "other"),
        _word("instead", "instead"),
        _word("nothing", "nothing"),
        _word("shout", "shout"),
        _word("final", "word", final=True),
        Verb(
            name="shop.two",
            title=Text(en="Say it together", zh="共同说明"),
            about=_H,
            form=Form,
            fields=FIELDS,
            role="contributor",
            run=f"{HERE}:say",
            makes=(THING.name,),
            eyes=2,
        ),
    ),
)

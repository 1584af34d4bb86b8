"""What a person does here: note how hard a text was to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from tongqiu.practice import Desk, Field, Verb
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import IdText
from tongqiu.record.text import Text
from tongqiu_readability.kinds import NOTE, Language, Note


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a reader."""

    subject: IdText
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    hardness: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    language: Language = "en"
    whole: bool = False
    pages: tuple[Attachment, ...] = ()


def note(desk: Desk, form: Form) -> Iterator[Said]:
    """Say what a reader found, about the text that was read."""
    body = Note(form.words, form.hardness, form.language, form.whole)
    yield Said(NOTE.name, desk.subject(form.subject), body, files=form.pages)


VERBS = (
    Verb(
        name="readability.note",
        title=Text(en="Note how a text reads", zh="记录阅读感受"),
        about=Text(
            en="Records what you found when you read a text of a system.",
            zh="记录您阅读系统文本时的感受。",
        ),
        form=Form,
        fields={
            "subject": Field(
                title=Text(en="Text", zh="文本"),
                help=Text(en="The identifier of the part that you read.", zh="您所阅读部分的标识符。"),
                kind="subject",
            ),
            "words": Field(
                title=Text(en="What you found", zh="阅读感受"),
                help=Text(en="What was hard, and where.", zh="哪里难懂，难在何处。"),
                kind="text",
            ),
            "hardness": Field(
                title=Text(en="How hard", zh="难度"),
                help=Text(en="From 1 (easy) to 5 (very hard).", zh="从 1（容易）到 5（很难）。"),
                kind="number",
            ),
            "language": Field(
                title=Text(en="Language you read", zh="阅读语言"),
                help=Text(en="The language of the text.", zh="文本的语言。"),
                kind="choice",
                choices=(("en", Text(en="English", zh="英文")), ("zh", Text(en="Chinese", zh="中文"))),
            ),
            "whole": Field(
                title=Text(en="I read all of it", zh="已通读全文"),
                help=Text(en="Leave it empty if you read a part.", zh="若只读了一部分，请留空。"),
                kind="flag",
            ),
            "pages": Field(
                title=Text(en="Pages you marked", zh="标注的页面"),
                help=Text(en="Pictures or scans, if you have any.", zh="如有，可附照片或扫描件。"),
                kind="file",
            ),
        },
        role="contributor",
        run="tongqiu_readability.verbs:note",
        makes=(NOTE.name,),
        on=("dataset", "software"),
    ),
)

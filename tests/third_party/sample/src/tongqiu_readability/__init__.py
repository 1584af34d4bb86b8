"""Readability: how long the sentences of a text are, in each language that it is written in."""

from __future__ import annotations

import msgspec

from tongqiu.practice import Assessor, Practice, Probe, View
from tongqiu.record.text import Text
from tongqiu_readability.kinds import NOTE, READING, REVIEW
from tongqiu_readability.verbs import VERBS
from tongqiu_readability.views import COLUMNS

_HERE = "tongqiu_readability"


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner may say of a part: which file endings hold running text."""

    texts: tuple[str, ...] | None = None


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run reads: below ``path``, files with these endings, each of at most ``most`` bytes."""

    path: str
    endings: tuple[str, ...] = (".md", ".txt")
    most: int = 4 << 20


PRACTICE = Practice(
    name="readability",
    title=Text(en="Readability", zh="易读性"),
    about=Text(
        en="How long the sentences of a text are, by language, with a margin of error.",
        zh="按语言统计文本的句子长度，并给出误差范围。",
    ),
    kinds=(READING, REVIEW, NOTE),
    probes=(
        Probe(
            name="readability.sentences",
            version="1",
            title=Text(en="Length of sentences", zh="句子长度"),
            makes=(READING.name,),
            plan=f"{_HERE}.probes:plan",
            observe=f"{_HERE}.probes:observe",
            needs=("tree", "progress"),
            params=Params,
        ),
    ),
    assessors=(
        Assessor(
            name="readability.plain",
            version="1",
            title=Text(en="Plain sentences", zh="句子平易"),
            about=("dataset", "software"),
            reads=(READING.name,),
            makes=(REVIEW.name,),
            assess=f"{_HERE}.assessors:assess",
        ),
    ),
    views=(
        View(
            name="readability.texts",
            version=1,
            title=Text(en="Length of sentences", zh="句子长度名录"),
            reads=(READING.name,),
            columns=COLUMNS,
            key=("entry", "language"),
            rows=f"{_HERE}.views:rows",
        ),
    ),
    verbs=VERBS,
    settings={"data": Keys, "code": Keys},
)

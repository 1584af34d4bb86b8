"""What this area says: the length of sentences that was counted, and whether a text keeps to plain ones."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding, Verdict
from tongqiu.record.text import Text

Language = Literal["en", "zh"]
Count = Annotated[int, msgspec.Meta(ge=0)]

LIMITS: dict[str, float] = {"en": 25.0, "zh": 40.0}
"""The mean length that this area calls plain: words in English, characters in Chinese. Our own choice, no law's."""

UNITS = {"en": "{word}", "zh": "{character}"}
"""UCUM annotations: what a length is counted in."""


class Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sentences of one language: how many, the sum of their lengths, of the squares, and the mean length."""

    language: Language
    n: Annotated[int, msgspec.Meta(ge=1)]
    total: Count
    squares: Count
    mean: float

    @classmethod
    def of(cls, language: Language, lengths: list[int]) -> Sentences:
        """Return what a list of lengths (at least one) comes to."""
        total = sum(lengths)
        return cls(language, len(lengths), total, sum(each * each for each in lengths), round(total / len(lengths), 4))

    @property
    def u(self) -> float:
        """Return the standard uncertainty of the mean: s / sqrt(n), 0 for a single sentence (GUM 4.2.3)."""
        if self.n == 1:
            return 0.0
        spread = max(0.0, (self.squares - self.total**2 / self.n) / (self.n - 1))
        return round(math.sqrt(spread / self.n), 4)


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was counted in the texts of one part."""

    files: Count
    unreadable: Count
    languages: tuple[Sentences, ...]


class Judged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language of a text beside its limit; ``low`` and ``high`` are the mean minus and plus 1.96 u."""

    language: Language
    low: float
    high: float
    limit: float

    @property
    def verdict(self) -> Verdict:
        """Return the verdict at the bound: neither side of the limit is claimed while the interval holds it."""
        return "met" if self.high <= self.limit else "unmet" if self.low > self.limit else "undecided"


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the sentences of a text are short."""

    languages: tuple[Judged, ...]


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person who read a text says of it, and how hard it was for them, from 1 to 5."""

    words: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    hardness: Annotated[int, msgspec.Meta(ge=1, le=5)]
    language: Language = "en"
    whole: bool = False


_NAMES = {"en": Text(en="English", zh="英文"), "zh": Text(en="Chinese", zh="中文")}
_WORDS = {
    "met": Text(en="within", zh="未超过"),
    "unmet": Text(en="beyond", zh="超过"),
    "undecided": Text(en="perhaps beyond", zh="可能超过"),
}


def evidence(body: Reading) -> Iterable[Evidence]:
    """Show the mean length of each language."""
    for each in body.languages:
        yield Evidence(
            measure="readability.sentence-length",
            title=Text(en="Mean length of sentences", zh="平均句长"),
            value=each.mean,
            unit=UNITS[each.language],
            method="readability.sentences@1",
            group={"language": each.language},
            n=each.n,
            u=each.u,
        )


def holds(body: Reading) -> Iterable[str]:
    """Compute every mean again from its sum and count."""
    for each in body.languages:
        if each.mean != round(each.total / each.n, 4):
            yield f"languages.{each.language}.mean"


def findings(body: Review) -> Iterable[Finding]:
    """Show one verdict a language, with its reason."""
    for each in body.languages:
        name, word = _NAMES[each.language], _WORDS[each.verdict]
        yield Finding(
            requirement=f"readability.plain-{each.language}",
            title=Text(en="Plain sentences", zh="句子平易"),
            verdict=each.verdict,
            code=f"readability.{each.verdict}",
            reason=Text(
                en=f"{name.en} sentences: mean length {each.low:g} to {each.high:g}, {word.en} {each.limit:g}.",
                zh=f"{name.zh}句子平均长度在 {each.low:g} 至 {each.high:g} 之间，{word.zh} {each.limit:g}。",
            ),
            params={"low": each.low, "high": each.high, "limit": each.limit},
            severity="low",
        )


READING = Kind(
    name="readability.reading/1",
    body=Reading,
    title=Text(en="Length of sentences", zh="句子长度"),
    evidence=evidence,
    holds=holds,
)
REVIEW = Kind(
    name="readability.review/1", body=Review, title=Text(en="Plain sentences", zh="句子平易"), findings=findings
)
NOTE = Kind(name="readability.note/1", body=Note, title=Text(en="Reader's note", zh="读者意见"))

"""Which system was tested, and how surely that is known: its bytes, its provider's signature, its behaviour, or its name.

A ladder (``SystemIdentity.rung``), highest step first. *Weights digest*: the bytes were here. *Provider-signed*: a record
that its provider signed names the digest of the build. *Behavioural fingerprint*: what it answered to fixed questions, with
how often such fingerprints are mistaken. *Name and date*: only what a service calls itself. Nothing is filled in from a
lower step to a higher one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tongqiu.practices.evaluation.objects import Fingerprint, SystemIdentity
from tongqiu.record import core
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import moment_of
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tongqiu.practice import Ask
    from tongqiu.record.subject import Subject

METHOD: Final = "tongqiu.fingerprint@1"
NAME_HOLDS: Final = 7
"""Days for which two results of a system that is known by its name alone count as results of one system: a convention."""

ALIKE: Final = 0.75
"""Share of equal answers from which two fingerprints are taken for one system; its error rates are in :data:`VALIDATED`."""

ROUNDS: Final = 2
MAX_TOKENS: Final = 12
"""Longest answer that is asked for; temperature 0, no system prompt."""

RUNGS: dict[str, Text] = {
    "weights-digest": Text(en="the bytes of its weights", zh="权重字节的摘要"),
    "provider-signed": Text(en="a build that its provider signed", zh="提供者签名的构建"),
    "behavioural-fingerprint": Text(en="its behaviour (fingerprint)", zh="行为指纹"),
    "name-and-date": Text(en="its name and the date alone", zh="仅名称与日期"),
}
"""How surely a system is known, in words."""

QUESTIONS: tuple[str, ...] = (
    "Complete with one word: The opposite of cold is",
    "Write one sentence about a river.",
    "Name a colour.",
    "Continue: Once upon a time there was a",
    "What is 17 plus 26? Answer with a number.",
    "Name an animal that lives in the sea.",
    "Who are you?",
    "Give a random number between 1 and 100.",
    "Translate into French: good morning",
    "Name a city in Africa.",
    "Finish the list: Monday, Tuesday,",
    "Say something about bread.",
    "用一句话写一条河。",
    "说出一种颜色。",
    "你是谁？",
    "续写：从前有一个",
    "18 乘以 3 等于几？只答数字。",
    "说出一座亚洲城市。",
    "把“谢谢”译成英文。",
    "说一个 1 到 100 之间的数。",
)
"""What is asked, always in this order. Open questions tell systems apart better than those with one right answer."""

VALIDATED: Final[dict[str, tuple[int, int]]] = {"false-match": (0, 31), "false-change": (0, 5)}
"""How often two systems were taken for one, and one for two, of how many pairs: SmolLM2-135M with other seeds, with some of
its weights changed, and behind two system prompts (decision 0071). One small model: rates of large services are not known."""

_SPACE = re.compile(r"[\W_]+", re.UNICODE)
_LONGEST: Final = 160


class Compared(NamedTuple):
    """Two fingerprints side by side: the share of equal answers, of how many, and whether that counts as one system."""

    agreement: float
    n: int
    alike: bool


# --- the fingerprint -------------------------------------------------------------------------------------------------


def normal(answer: str) -> str:
    """Return an answer without what varies by chance: case, width, spaces, punctuation, and what follows 160 characters."""
    plain = unicodedata.normalize("NFKC", answer).casefold()
    return _SPACE.sub(" ", plain).strip()[:_LONGEST]


def fingerprint(ask: Callable[[str], str | None], rounds: int = ROUNDS) -> Fingerprint:
    """Ask the fixed questions ``rounds`` times at temperature 0 and return the fingerprint of the first round.

    ``ask`` returns None where no answer came. Raises Malformed (``evaluation.fingerprint``) when fewer than half of the
    questions were answered: that is no fingerprint.
    """
    told = [tuple(_short(ask(each)) for each in QUESTIONS) for _ in range(max(1, rounds))]
    first = told[0]
    answered = sum(bool(each) for each in first)
    if 2 * answered < len(QUESTIONS):
        raise Malformed(
            "evaluation.fingerprint",
            Text(en="{answered} of {all} questions were answered.", zh="{all} 个问题中只答了 {answered} 个。"),
            do=Text(
                en="See that the service answers; until then it is known by its name and the date.",
                zh="请确认服务能够作答；在此之前只能以名称与日期识别。",
            ),
            answered=answered,
            all=len(QUESTIONS),
        )
    same = sum(all(row[at] == first[at] for row in told) for at in range(len(first)))
    return Fingerprint(
        method=METHOD,
        digest="sha-256:" + hashlib.sha256("\n".join((METHOD, *first)).encode()).hexdigest(),
        agreement=same / len(first),
        false_match=VALIDATED["false-match"],
        false_change=VALIDATED["false-change"],
        answers=first,
    )


def compare(one: Fingerprint, other: Fingerprint) -> Compared:
    """Return how alike two fingerprints of one method are; questions that either left unanswered do not count.

    Raises Malformed (``evaluation.fingerprints``) for different methods.
    """
    if one.method != other.method or len(one.answers) != len(other.answers):
        raise Malformed(
            "evaluation.fingerprints",
            Text(en="{one} and {other} cannot be compared.", zh="{one} 与 {other} 无法比较。"),
            do=Text(en="Take both by one method.", zh="请用同一方法取得两份指纹。"),
            one=one.method,
            other=other.method,
        )
    both = [(a, b) for a, b in zip(one.answers, other.answers, strict=True) if a and b]
    equal = sum(a == b for a, b in both)
    if not both:
        return Compared(float(one.digest == other.digest), 0, one.digest == other.digest)
    share = equal / len(both)
    return Compared(share, len(both), share >= ALIKE)


def mistakes(taken: Mapping[str, Sequence[Fingerprint]]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how often fingerprints are mistaken: (false matches, of pairs of two systems), (false changes, of pairs of one).

    ``taken`` holds, for each system, fingerprints that were taken from it at different times.
    """
    match = change = others = own = 0
    for (name_1, one), (name_2, two) in combinations([(name, each) for name, row in taken.items() for each in row], 2):
        alike = compare(one, two).alike
        if name_1 == name_2:
            own, change = own + 1, change + (not alike)
        else:
            others, match = others + 1, match + alike
    return (match, others), (change, own)


def _short(answer: str | None) -> str:
    return "" if not answer else hashlib.sha256(normal(answer).encode()).hexdigest()[:12]


# --- the ladder ------------------------------------------------------------------------------------------------------


def ladder(identity: SystemIdentity) -> SystemIdentity:
    """Return ``identity`` with the highest rung that what it holds allows, and never a higher one.

    A digest alone is that of weights that were here; with ``signed_by`` it is that of a build which a provider signed.
    """
    if identity.digest is not None:
        rung = "provider-signed" if identity.signed_by else "weights-digest"
    else:
        rung = "behavioural-fingerprint" if identity.fingerprint is not None else "name-and-date"
    return msgspec.structs.replace(identity, rung=rung)


def lifted(identity: SystemIdentity, subject: Subject, ask: Ask) -> SystemIdentity:
    """Return ``identity`` as provider-signed where a record of another party, who is its developer, names the build.

    The record is a composition (``core.composition/1``) in which ``subject`` stands with a digest, signed by the party
    whose DID or name the identity gives as developer; every record in a log was checked against its issuer's key when it
    was taken in. What the owner of this node says of somebody else's build lifts nothing.
    """
    if identity.rung in {"weights-digest", "provider-signed"} or not identity.developer:
        return identity
    for statement in ask.said(core.COMPOSITION.name):
        if statement.issuer == ask.receiver or statement.issuer != identity.developer:
            continue
        for part in core.COMPOSITION.read(statement.body).parts:
            if part.subject.id == subject.id and part.subject.digest is not None:
                return msgspec.structs.replace(
                    identity, rung="provider-signed", digest=part.subject.digest, signed_by=statement.issuer
                )
    return identity


def same(one: SystemIdentity, other: SystemIdentity) -> bool:
    """Tell whether two identities name one system, at the highest step that both have reached.

    Digests decide where both have one; then fingerprints; else name, developer and version within :data:`NAME_HOLDS` days.
    """
    if one.digest is not None and other.digest is not None:
        return one.digest == other.digest
    if one.fingerprint is not None and other.fingerprint is not None:
        return one.fingerprint.method == other.fingerprint.method and compare(one.fingerprint, other.fingerprint).alike
    if (one.name, one.developer, one.version) != (other.name, other.developer, other.version):
        return False
    return abs((moment_of(one.at) - moment_of(other.at)).total_seconds()) <= NAME_HOLDS * 86_400


def words(identity: SystemIdentity) -> Text:
    """Say how surely a system is known."""
    rung = RUNGS[identity.rung]
    if identity.digest is not None:
        by = f" ({identity.signed_by})" if identity.signed_by else ""
        digest = identity.digest[:20] + "…"
        return Text(en=f"Known by {rung.en}{by}: {digest}", zh=f"依据{rung.zh}{by}：{digest}")
    if identity.fingerprint is not None:
        found = identity.fingerprint
        (match, others), (change, own) = found.false_match, found.false_change
        return Text(
            en=f"Known by {rung.en}: {found.agreement:.0%} of answers repeat; in validation, {match} of {others} other systems "
            f"were taken for this one and {change} of {own} repeats for another",
            zh=f"依据{rung.zh}：重复一致率 {found.agreement:.0%}；验证中，{others} 个其他系统里有 {match} 个被误认作本系统，"
            f"{own} 次重复中有 {change} 次被误认作其他系统",
        )
    return Text(
        en=f"Known by {rung.en} ({identity.at[:10]}): what answered later may be another system",
        zh=f"{rung.zh}（{identity.at[:10]}）：此后作答的可能已是另一系统",
    )

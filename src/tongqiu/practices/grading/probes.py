"""Taking in what the owner of a system declares about its use: checked against the questions, and never completed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from tongqiu.norms.library import Norms, questions, shipped
from tongqiu.norms.reading import nearest
from tongqiu.practice import Run
from tongqiu.practices.grading.kinds import Answers, Fact, Facts
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tongqiu.norms.questions import Questions, Value
    from tongqiu.practice import Target, World
    from tongqiu.record.subject import Subject

WHERE = "tongqiu.toml [facts]"
MAX_FACTS = 500
MAX_DEPTH = 8
MAX_WORDS = 1000
MOST = 1e300
"""Greatest number that may be answered."""


def plan(target: Target) -> Iterator[Run]:
    """Yield one run for a system that declares facts.

    Raises Malformed: ``facts.unknown`` naming the nearest question, ``facts.value``, ``facts.contradiction``.
    """
    if target.subject.type != "system":
        return
    facts = flat(target.declared.get("facts", {}))
    if facts:
        norms = target.norms if isinstance(target.norms, Norms) else None
        yield Run(target.subject, Answers(described(facts, norms).facts))


def observe(subject: Subject, params: Answers, world: World) -> Iterator[Said]:
    """Yield the declared facts with their questions, sorted by key."""
    del world
    yield Said("grading.facts/1", subject, Facts(params.facts))


def described(facts: Mapping[str, Any], norms: Norms | None = None) -> Facts:
    """Return ``facts``, checked, as a body that explains itself; ``norms`` are the shipped packs by default.

    Raises Malformed as :func:`plan`.
    """
    packs = _asking(norms)
    kept = check(facts, packs)
    rows = []
    for key in sorted(facts):
        asked = {pack.pack: pack.facts[key] for pack in packs if key in pack.facts}
        fact = next(iter(asked.values()))
        seen = next(pack for pack in packs if key in pack.facts).ruled({key: kept[key]}).get(key)
        meaning = next((each.title for each in fact.options if each.value == seen), None)
        rows.append(
            Fact(
                key=key,
                value=kept[key],
                question=_plain(fact.question),
                packs=tuple(sorted(asked)),
                meaning=None if meaning is None else _plain(meaning),
            )
        )
    return Facts(tuple(rows))


def check(facts: Mapping[str, object], packs: Sequence[Questions] | None = None) -> dict[str, Value]:
    """Return the answers as they are kept; refuse a fact that no pack asks for, an answer that is none, and answers that
    contradict each other. ``packs`` are the questions of the shipped packs by default.
    """
    asking = _asking(None) if packs is None else packs
    known = {key for pack in asking for key, fact in pack.facts.items() if fact.type != "signal"}
    for key in facts:
        if key not in known:
            raise Malformed(
                "facts.unknown",
                Text(en="No pack asks for the fact {key}.", zh="没有规范包询问事实 {key}。"),
                do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                where=WHERE,
                key=key[:120],
                nearest=nearest(key, known),
            )
    kept: dict[str, Value] = {}
    for pack in asking:
        own = {key: value for key, value in facts.items() if key in pack.facts}
        settled = pack.settle(own, where=WHERE)
        kept |= {key: settled[key] for key in own}
    return kept


def _asking(norms: Norms | None) -> list[Questions]:
    """Return the questions of every pack, in the order of their ids."""
    if norms is None:
        return [questions(name) for name in shipped()]
    return [norms.questions(name) for name in norms.ids]


def flat(table: Mapping[str, Any]) -> dict[str, Value]:
    """Return a table of tables as one table of dotted keys, so that ``a.b = true`` and ``[facts.a]`` mean the same.

    Dates become words, ``YYYY-MM-DD``, and numbers stay numbers.
    """
    found: dict[str, Value] = {}
    _flatten(table, "", found, 0)
    return found


def _flatten(table: Mapping[str, Any], prefix: str, found: dict[str, Value], depth: int) -> None:
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict):
            if depth >= MAX_DEPTH:
                raise _odd(name, "…")
            _flatten(value, name, found, depth + 1)
        elif (answer := _plain_answer(value)) is not None:
            if name in found or len(found) >= MAX_FACTS:
                raise _odd(name, value)
            found[name] = answer
        else:
            raise _odd(name, value)


def _plain_answer(value: object) -> Value | None:
    """Return what a manifest holds as an answer may be kept, or None for what is none."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bool) or (isinstance(value, str) and len(value) <= MAX_WORDS):
        return value
    if isinstance(value, int | float):
        return float(value) if -MOST <= value <= MOST else None
    return None


def _odd(key: str, value: object) -> Malformed:
    return Malformed(
        "facts.value",
        Text(en="{key} is answered with {value}.", zh="{key} 的答案是 {value}。"),
        do=Text(
            en="Answer each question once, with true, false, one of its choices, a date, a number, or a sentence of at most "
            "1,000 characters.",
            zh="每个问题只答一次：true、false、所列选项之一、日期、数字，或不超过 1000 字的一句话。",
        ),
        where=WHERE,
        key=key[:120],
        value=str(value)[:80],
    )


def _plain(words: Text) -> Text:
    """Return the words of a pack as the text that records hold."""
    return Text(en=words.en, zh=words.zh)

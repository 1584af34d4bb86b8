"""Taking in what the owner of a system declares about its use: checked against the questions, and never completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tongqiu.norms.library import questions, shipped
from tongqiu.norms.reading import nearest
from tongqiu.practice import Run
from tongqiu.practices.grading.kinds import Answers, Fact, Facts
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tongqiu.practice import Target, World
    from tongqiu.record.subject import Subject

WHERE = "tongqiu.toml [facts]"
MAX_FACTS = 500
MAX_DEPTH = 8
MAX_WORDS = 1000


def plan(target: Target) -> Iterator[Run]:
    """Yield one run for a system that declares facts.

    Raises Malformed: ``facts.unknown`` naming the nearest question, ``facts.value``, ``facts.contradiction``.
    """
    if target.subject.type != "system":
        return
    facts = flat(target.declared.get("facts", {}))
    if facts:
        check(facts)
        yield Run(target.subject, Answers(facts))


def observe(subject: Subject, params: Answers, world: World) -> Iterator[Said]:
    """Yield the declared facts with their questions, sorted by key."""
    del world
    yield Said("grading.facts/1", subject, described(params.facts))


def described(facts: Mapping[str, Any]) -> Facts:
    """Return ``facts`` (already checked) as a body that explains itself."""
    rows = []
    for key, value in sorted(facts.items()):
        asked = {name: questions(name).facts[key] for name in shipped() if key in questions(name).facts}
        fact = next(iter(asked.values()))
        meaning = next((each.title for each in fact.choices if each.value == value), None)
        rows.append(
            Fact(
                key=key,
                value=value,
                question=_plain(fact.question),
                packs=tuple(sorted(asked)),
                meaning=None if meaning is None else _plain(meaning),
            )
        )
    return Facts(tuple(rows))


def check(facts: Mapping[str, object]) -> None:
    """Refuse a fact that no pack asks for, an answer that is none, and answers that contradict each other."""
    packs = [questions(name) for name in shipped()]
    known = {key for pack in packs for key, fact in pack.facts.items() if fact.type != "signal"}
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
    for pack in packs:
        pack.settle({key: value for key, value in facts.items() if key in pack.facts}, where=WHERE)


def flat(table: Mapping[str, Any]) -> dict[str, bool | str]:
    """Return a table of tables as one table of dotted keys, so that ``a.b = true`` and ``[facts.a]`` mean the same."""
    found: dict[str, bool | str] = {}
    _flatten(table, "", found, 0)
    return found


def _flatten(table: Mapping[str, Any], prefix: str, found: dict[str, bool | str], depth: int) -> None:
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict):
            if depth >= MAX_DEPTH:
                raise _odd(name, "…")
            _flatten(value, name, found, depth + 1)
        elif isinstance(value, bool) or (isinstance(value, str) and len(value) <= MAX_WORDS):
            if name in found or len(found) >= MAX_FACTS:
                raise _odd(name, value)
            found[name] = value
        else:
            raise _odd(name, value)


def _odd(key: str, value: object) -> Malformed:
    return Malformed(
        "facts.value",
        Text(en="{key} is answered with {value}.", zh="{key} 的答案是 {value}。"),
        do=Text(
            en="Answer each question once, with true, false, one of its choices, or a sentence of at most 1,000 characters.",
            zh="每个问题只答一次：true、false、所列选项之一，或不超过 1000 字的一句话。",
        ),
        where=WHERE,
        key=key[:120],
        value=str(value)[:80],
    )


def _plain(words: Text) -> Text:
    """Return the words of a pack as the text that records hold."""
    return Text(en=words.en, zh=words.zh)

"""The questions of a pack and what may be answered to them: checked answers, and what follows from them.

A yes to a narrow question is a yes to the wider ones around it; a no to a wide question is a no to all within it.
Nothing else is ever filled in for anyone.
"""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING

from tongqiu.norms.reading import nearest
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tongqiu.norms.pack import Fact

Value = bool | str | float
"""An answer: yes or no, one of the choices, words, a number, or a date as ``YYYY-MM-DD``."""


class Questions:
    """The questions of one pack, by key."""

    def __init__(self, pack: str, facts: Iterable[Fact]) -> None:
        """Hold the questions of the pack whose id is ``pack``."""
        self.pack = pack
        self.facts = {each.key: each for each in facts}

    def answer(self, key: str, value: object, *, where: str = "") -> Value:
        """Return ``value`` when it is an answer to the question ``key``.

        A question of type ``date`` takes a date, or one written ``YYYY-MM-DD``; one of type ``number`` any finite number;
        both take the name of a band, for whoever knows no more. Raises Malformed: ``facts.unknown`` naming the nearest known key, ``facts.value`` naming the allowed answers.
        """
        fact = self.facts.get(key)
        if fact is None or fact.type == "signal":
            raise Malformed(
                "facts.unknown",
                Text(en="The pack {pack} asks no question {key}.", zh="规范包 {pack} 没有 {key} 这个问题。"),
                do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                where=where,
                pack=self.pack,
                key=key[:120],
                nearest=nearest(key, [each.key for each in self.facts.values() if each.type != "signal"]),
            )
        answer = _answer(fact, value)
        if answer is not None:
            return answer
        allowed = ", ".join([*_SORTS.get(fact.type, ()), *(str(each).lower() for each in fact.values)])
        raise Malformed(
            "facts.value",
            Text(en="{value} is no answer to {key}.", zh="{value} 不是 {key} 的有效答案。"),
            do=Text(en="Answer with one of: {allowed}.", zh="请从以下答案中选择：{allowed}。"),
            where=where,
            key=key,
            value=str(value)[:80],
            allowed=allowed,
        )

    def settle(
        self, answers: Mapping[str, object], heard: Mapping[str, bool] | None = None, *, where: str = ""
    ) -> dict[str, Value]:
        """Return ``answers``, each checked, with what follows from them and what was ``heard`` (signals, by key).

        Raises Malformed as :meth:`answer`, and ``facts.contradiction`` for a yes within a no.
        """
        known = {key: self.answer(key, value, where=where) for key, value in answers.items()}
        known.update(heard or {})
        for fact in self.facts.values():
            if known.get(fact.key) is True:
                self._open_wider(fact, known, where)
        for fact in self.facts.values():
            if any(known.get(key) is False for key in self.wider(fact.key)):
                known[fact.key] = False
        return known

    def ruled(self, known: Mapping[str, Value]) -> dict[str, bool | str]:
        """Return settled answers as rules see them: dates and numbers by their band, words left out."""
        return {key: seen for key, value in known.items() if (seen := _ruled(self.facts[key], value)) is not None}

    def wider(self, key: str) -> tuple[str, ...]:
        """Return the questions around the question ``key``, the nearest first."""
        keys = []
        up = self.facts[key].within
        while up is not None:
            keys.append(up)
            up = self.facts[up].within
        return tuple(keys)

    def _open_wider(self, fact: Fact, known: dict[str, Value], where: str) -> None:
        for key in self.wider(fact.key):
            if known.get(key) is False:
                raise Malformed(
                    "facts.contradiction",
                    Text(
                        en="{key} is answered yes, but {wider}, which includes it, is answered no.",
                        zh="{key} 答“是”，而包含它的 {wider} 答“否”。",
                    ),
                    do=Text(en="Correct one of the two answers.", zh="请更正其中一个答案。"),
                    where=where,
                    key=fact.key,
                    wider=key,
                )
            known[key] = True


_SORTS = {"text": ("text",), "number": ("a number",), "date": ("a date YYYY-MM-DD",)}


def _answer(fact: Fact, value: object) -> Value | None:
    """Return ``value`` as an answer to ``fact`` is kept, or None where it is none."""
    if fact.type == "text":
        return value if isinstance(value, str) else None
    if isinstance(value, bool) is (fact.type == "bool") and isinstance(value, bool | str) and value in fact.values:
        return value
    if fact.type == "date":
        day = _day(value)
        return None if day is None else day.isoformat()
    if fact.type == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:
            return None
    return None


def _day(value: object) -> datetime.date | None:
    """Return a day, given as one or as ``YYYY-MM-DD``; None for anything else, and for a moment."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        day = datetime.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return day if day is not None and day.isoformat() == value else None


def _ruled(fact: Fact, value: Value) -> bool | str | None:
    if fact.type == "text":
        return None
    if value in fact.values and not isinstance(value, float):
        return value
    given = _day(value) if fact.type == "date" else value
    return fact.band(given)  # type: ignore[arg-type]

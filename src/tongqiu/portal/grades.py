"""Grades as people read them: the steps of a scale, the range that is left open, the clauses, and the open questions.

A record carries a grading when its body, or the part of it called ``grading``, has the form that
:class:`tongqiu.norms.grading.Grading` is written in, whatever area said it. The names of the steps come from the pack
of that name when it is here; otherwise the steps are called by their codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tongqiu.portal.models import Clause, Grade
from tongqiu.portal.reading import gone, grading_of
from tongqiu.record.faults import Fault
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tongqiu.record.statement import Statement

_MOST = 500


def grades(statements: Iterable[Statement]) -> tuple[Grade, ...]:
    """Return the grades in ``statements``, of each pack and scale the one said last by each issuer."""
    last: dict[tuple[str, str, str], tuple[str, int, Grade]] = {}
    for statement in statements:
        if gone(statement):
            continue
        for pack, scale, grade in _read(statement):
            key = (statement.issuer, pack, scale)
            if (statement.at, statement.index) >= last.get(key, ("", -1))[:2]:
                last[key] = (statement.at, statement.index, grade)
    return tuple(grade for _, (_, _, grade) in sorted(last.items()))


def _read(statement: Statement) -> list[tuple[str, str, Grade]]:
    body = grading_of(statement.body)
    if body is None:
        return []
    pack = _word(body.get("pack"))
    found = []
    for span in body["spans"][:_MOST]:
        grade = _grade(statement, body, pack, span) if isinstance(span, dict) else None
        if grade is not None:
            found.append((pack, _word(span.get("scale")), grade))
    return found


def _grade(statement: Statement, body: Mapping[str, Any], pack: str, span: Mapping[str, Any]) -> Grade | None:
    scale = _word(span.get("scale"))
    codes, titles = _steps(pack, scale, span)
    low, high = span.get("low"), span.get("high")
    if low not in codes or high not in codes or codes.index(low) > codes.index(high):
        return None
    held = [each for each in _maps(body.get("held")) if _word(each.get("scale")) == scale]
    gaps = [
        each
        for each in _maps(body.get("gaps"))
        if any(_word(outcome.get("scale")) == scale for outcome in _maps(each.get("outcomes")))
    ]
    name = _text(span.get("title")) or Text(en=scale, zh=scale)
    edition = f"{pack} {_word(body.get('version'))}".strip()
    return Grade(
        entry=statement.entry,
        scale=Text(en=f"{name.en} ({edition})", zh=f"{name.zh}（{edition}）"),
        steps=tuple(titles),
        low=codes.index(low),
        high=codes.index(high),
        clauses=tuple(_clause(each) for each in held),
        unknown=tuple(text for text in (_text(each.get("question")) for each in gaps) if text is not None),
        at=statement.at,
    )


def _steps(pack: str, scale: str, span: Mapping[str, Any]) -> tuple[list[str], list[Text]]:
    from tongqiu.norms import library

    try:
        known = library.book(pack).pack.scale(scale).grades if pack in library.shipped() else ()
    except (Fault, KeyError):
        known = ()
    if known:
        return [each.id for each in known], [Text(en=each.title.en, zh=each.title.zh) for each in known]
    codes = [_word(each) for each in span.get("grades") or () if isinstance(each, str)]
    return codes, [Text(en=code, zh=code) for code in codes]


def _clause(held: Mapping[str, Any]) -> Clause:
    cites = ["/".join(_word(cite.get(key)) for key in ("source", "article")) for cite in _maps(held.get("cite"))]
    answer = "fired" if held.get("state") == "fired" else "possible"
    title = _text(held.get("title")) or Text(en=_word(held.get("rule")), zh=_word(held.get("rule")))
    return Clause("; ".join(cites) or _word(held.get("rule")), title, answer, _text(held.get("reason")))


def _maps(value: object) -> list[Mapping[str, Any]]:
    listed = value[:_MOST] if isinstance(value, list | tuple) else ()
    return [each for each in listed if isinstance(each, dict)]


def _text(value: object) -> Text | None:
    if isinstance(value, dict) and isinstance(value.get("en"), str) and isinstance(value.get("zh"), str):
        return Text(en=value["en"], zh=value["zh"])
    return None


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""

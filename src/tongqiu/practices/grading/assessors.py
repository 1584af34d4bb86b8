"""Working out the grade of a system under every pack from declared facts and from findings on it and its parts."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from tongqiu.norms.grading import Seen
from tongqiu.norms.library import Norms
from tongqiu.practices.grading.kinds import (
    FACTS,
    GRADE,
    Clause,
    Duty,
    Facts,
    Grade,
    Outcome,
    Question,
    Rule,
    Span,
    Step,
)
from tongqiu.record import core
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.norms.duties import Owed
    from tongqiu.norms.grading import Book, Gap, Grading, Held
    from tongqiu.norms.grading import Span as Range
    from tongqiu.norms.pack import Cite, Pack
    from tongqiu.practice import Ask
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

MOST_QUESTIONS = 20
"""Missing answers listed in one record, the most telling first."""

AREAS = ("dataset.*", "evaluation.*", "supply.*", "provenance.*")
"""Kinds of records whose findings may name a requirement of a pack."""

_REASONS: dict[str, Text] = {
    "graded": Text(
        en="The answers given lead to one grade: {high_en}. {rules_en}",
        zh="所作回答只导向一个等级：{high_zh}。{rules_zh}",
    ),
    "range": Text(
        en="Depending on {missing} unanswered questions the grade lies between {low_en} and {high_en}. {rules_en}",
        zh="取决于 {missing} 个未回答的问题，等级在“{low_zh}”与“{high_zh}”之间。{rules_zh}",
    ),
    "unanswered": Text(
        en="Nothing that bears on this grade has been answered ({missing} questions are open).",
        zh="与此等级有关的问题尚无回答（{missing} 个问题待答）。",
    ),
}

_NO_RULE = {
    True: Text(en="No rule of a graver class can hold.", zh="更重等级的规则均不可能成立。"),
    False: Text(en="No rule holds for sure yet.", zh="尚无规则确定成立。"),
}


def assess(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Yield the grade of ``subject`` under every pack in force that grades; it rests on the facts and findings it read."""
    norms = _norms(ask)
    parts = _parts(subject, ask)
    declared, facts = _facts(subject, ask)
    for name in norms.ids:
        book = norms.book(name)
        if not book.pack.scales:  # a framework or taxonomy that grades nothing
            continue
        seen = _seen(book.pack, (subject, *parts[1]), ask)
        own = {each.key: each.value for each in facts.facts if each.key in book.facts}
        grading = norms.grade(name, own, seen)
        owed = book.owed(grading, seen)
        considered = tuple(sorted({each.entry for each in seen}))
        rests = {*considered, *parts[0], *norms.entries(name), *([declared.entry] if declared is not None else [])}
        body = _body(book, grading, owed, considered, None if declared is None else declared.issuer)
        yield Said(GRADE.name, subject, body, tuple(sorted(rests)))


def _norms(ask: Ask) -> Norms:
    """Return the packs that the node lends; the shipped ones where it lends the shelf itself."""
    if isinstance(ask.norms, Norms):
        return ask.norms
    return Norms(datetime.date.fromisoformat(ask.as_of[:10]), datetime.date.fromisoformat(ask.known_at[:10]))


def _parts(subject: Subject, ask: Ask) -> tuple[tuple[str, ...], tuple[Subject, ...]]:
    """Return the entry of the newest record of what the system is made of, and the parts it names."""
    found = _newest(list(ask.said(core.COMPOSITION.name, subject=subject)))
    if found is None:
        return (), ()
    body = core.COMPOSITION.read(found.body, where=found.entry)
    return (found.entry,), tuple(each.subject for each in body.parts)


def _facts(subject: Subject, ask: Ask) -> tuple[Statement | None, Facts]:
    found = _newest(list(ask.said(FACTS.name, subject=subject)))
    return (None, Facts(())) if found is None else (found, FACTS.read(found.body, where=found.entry))


def _newest(statements: list[Statement]) -> Statement | None:
    return max(statements, key=lambda each: (each.at, each.entry), default=None)


def _seen(pack: Pack, subjects: tuple[Subject, ...], ask: Ask) -> tuple[Seen, ...]:
    """Return the findings that some requirement or signal of ``pack`` looks for, or that name one, sorted, each once.

    Findings that name a requirement of the pack are taken from records of other areas only: grading's own name all that
    are open, and would answer themselves.
    """
    wanted = {each.finding for row in pack.requirements for each in row.answered_by}
    wanted |= {fact.signal.finding for fact in pack.facts if fact.signal is not None}
    said = [
        (each.statement, each.finding)
        for about in subjects
        for prefix in sorted(wanted)
        for each in ask.findings(subject=about, requirement=prefix)
    ]
    said += [
        (statement, each)
        for about in subjects
        for kind in AREAS
        for statement in ask.said(kind, subject=about)
        for each in statement.content.findings
        if each.requirement.startswith(f"{pack.id}:")
    ]
    found = {
        (statement.entry, msgspec.json.encode(each)): Seen(entry=statement.entry, kind=statement.kind, finding=each)
        for statement, each in said
        if statement.kind != GRADE.name
    }
    return tuple(
        sorted(found.values(), key=lambda each: (each.entry, each.finding.requirement, each.finding.reason.en))
    )


def _body(
    book: Book, grading: Grading, owed: tuple[Owed, ...], considered: tuple[str, ...], said_by: str | None
) -> Grade:
    pack = book.pack
    gaps = _telling_gaps(book, grading)
    return Grade(
        pack=pack.id,
        version=pack.version,
        digest=grading.digest,
        title=_plain(pack.title),
        as_of=grading.as_of.isoformat(),
        known_at=grading.known_at.isoformat(),
        said_by=said_by,
        spans=tuple(_span(pack, grading, each) for each in grading.spans),
        rules=tuple(_rule(pack, each) for each in grading.held if _tells(grading, each)),
        facts=grading.facts,
        implied=grading.implied,
        questions=tuple(
            Question(
                fact=each.fact,
                question=_plain(each.question),
                answers=tuple(_written(value) for value in book.facts[each.fact].values),
                outcomes=tuple(Outcome(value=one.value, scale=one.scale, grades=one.grades) for one in each.outcomes),
                sure=each.sure,
                mean=each.mean,
                settles=each.settles,
            )
            for each in gaps[:MOST_QUESTIONS]
        ),
        more_questions=max(0, len(gaps) - MOST_QUESTIONS),
        duties=tuple(_duty(pack, each) for each in owed),
        considered=considered,
    )


def _tells(grading: Grading, held: Held) -> bool:
    """Tell whether a rule belongs in the record: it holds, or it could still change the grade."""
    span = grading.span(held.scale)
    return held.state == "fired" or (not held.aside and span.state != "graded" and held.grade in span.grades)


def _telling_gaps(book: Book, grading: Grading) -> list[Gap]:
    """Return the missing answers that bear on a grade still open, or on a rule that brings a duty of its own."""
    own = {rule for each in book.pack.requirements for rule in each.rules}
    duty = {fact for each in grading.held if each.rule in own and each.state == "possible" for fact in each.open}
    open_ = {span.scale for span in grading.spans if span.state != "graded"}
    return [gap for gap in grading.gaps if gap.fact in duty or any(one.scale in open_ for one in gap.outcomes)]


def _span(pack: Pack, grading: Grading, span: Range) -> Span:
    titles = {each.id: each.title for each in pack.scale(span.scale).grades}
    fired = [each for each in grading.fired if each.scale == span.scale and not each.aside]
    telling = [each for each in fired if each.grade == span.low]
    missing = sum(any(one.scale == span.scale for one in gap.outcomes) for gap in grading.gaps)
    none = _NO_RULE[span.state == "graded"]
    clauses = (_listed(telling, "; ", "en"), _listed(telling, "；", "zh")) if telling else (none.en, none.zh)
    return Span(
        scale=span.scale,
        title=_plain(span.title),
        state=span.state,
        grades=tuple(Step(each, _plain(titles[each])) for each in span.grades),
        code=f"grading.{span.state}",
        params={
            "low": span.low,
            "high": span.high,
            "missing": missing,
            "rules": ", ".join(each.rule for each in telling),
        },
        reason=_REASONS[span.state].fill(
            low_en=titles[span.low].en,
            low_zh=titles[span.low].zh,
            high_en=titles[span.high].en,
            high_zh=titles[span.high].zh,
            missing=missing,
            rules_en=clauses[0],
            rules_zh=clauses[1],
        ),
    )


def _listed(rules: list[Held], comma: str, language: str) -> str:
    """Return each rule's reason with its clause, and from when it applies where it does not yet."""
    said = []
    for each in rules:
        clause = str(each.cite[0])
        words = each.reason.of(language)
        if language == "en":
            later = f"; applies from {each.applies_from}" if each.pending else ""
            said.append(f"{words.rstrip('.')} ({clause}{later})")
        else:
            later = f"；自 {each.applies_from} 起适用" if each.pending else ""
            said.append(f"{words.rstrip('。')}（{clause}{later}）")
    return comma.join(said) + (("." if language == "en" else "。") if said else "")


def _rule(pack: Pack, held: Held) -> Rule:
    return Rule(
        id=held.rule,
        scale=held.scale,
        grade=held.grade,
        state=held.state,
        title=_plain(held.title),
        reason=_plain(held.reason),
        clauses=_clauses(pack, held.cite),
        checked=held.checked,
        pending=held.pending,
        aside=held.aside,
        applies_from=None if held.applies_from is None else held.applies_from.isoformat(),
        read=held.read,
        open=held.open,
    )


def _duty(pack: Pack, owed: Owed) -> Duty:
    return Duty(
        id=owed.requirement,
        title=_plain(owed.title),
        clauses=_clauses(pack, owed.cite),
        sure=owed.sure,
        checked=owed.checked,
        state=owed.state,
        pending=owed.pending,
        records=owed.findings,
        open=owed.open,
    )


def _clauses(pack: Pack, cites: tuple[Cite, ...]) -> tuple[Clause, ...]:
    return tuple(Clause(pack.source(each.source).document, each.article, each.clause) for each in cites)


def _written(value: bool | str) -> str:  # noqa: FBT001 - an answer
    """Return an answer as the manifest writes it."""
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _plain(words: Text) -> Text:
    """Return the words of a pack as the text that records hold."""
    return Text(en=words.en, zh=words.zh)

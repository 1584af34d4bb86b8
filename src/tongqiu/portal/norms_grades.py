"""Why a system has its grade under a pack, what would change it, what it brings; and which question to answer next."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.node import places
from tongqiu.node.people import may
from tongqiu.norms.asking import Awaited, next_questions, telling
from tongqiu.norms.turning import turns
from tongqiu.norms.words import SAID
from tongqiu.portal import sheet
from tongqiu.portal.models import Grade
from tongqiu.portal.norms_known import GRADE, heard, known, named
from tongqiu.portal.norms_models import (
    Answer,
    Change,
    Duty,
    Effect,
    GradePage,
    Judged,
    Named,
    NextPage,
    NextRow,
    Signed,
    Waiter,
)
from tongqiu.portal.norms_pages import answers as answers_of
from tongqiu.portal.norms_shelf import Law, bare, counted, day, number, piece, plain
from tongqiu.portal.pages import Shown
from tongqiu.portal.reading import gone
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Mapping, Sequence

    from tongqiu.norms.asking import Next
    from tongqiu.norms.duties import Owed
    from tongqiu.norms.grading import Book, Gap, Grading, Held
    from tongqiu.norms.outcome import Span
    from tongqiu.norms.pack import Fact
    from tongqiu.portal.norms_known import Known
    from tongqiu.record.subject import Subject

_GRADE = Text(en="Why this grade", zh="分级依据")
_NEXT = Text(en="Next questions", zh="下一步问题")
MOST_CHANGES = 120
"""Questions shown that would change a grade, missing or answered otherwise."""
MOST_SYSTEMS = 40
"""Systems that one page of next questions goes through."""
_MOST_WAITING = 50


def grade(law: Law) -> Shown:
    """Show the grade of ``system`` under ``pack`` as its readable records give it now, and why.

    Raises Missing for a system that may not be seen and a pack that is not here (``norms.no-pack``), Malformed for answers
    that contradict each other.
    """
    system = law.desk.subject(law.visit.asked("system"))
    wanted = law.visit.asked("pack")
    grading_packs = [name for name in law.norms.ids if law.norms.pack(name).scales]
    book = law.book(wanted or next(iter(grading_packs), ""))
    found = known(law.desk, system)
    answers = found.answers(book)
    grading = book.grade(answers, found.seen, as_of=law.as_of, known_at=law.known_at, where=system.name or system.id)
    duties = book.owed(grading, found.seen)
    state = law.chosen("state", SAID)
    kept = [each for each in duties if not state or each.state == state]
    part = law.part(len(kept))
    pack = book.pack
    model = GradePage(
        days=law.days,
        system=named(system),
        pack=Named(pack.id, plain(pack.title)),
        version=pack.version,
        declared="" if found.declared is None else found.declared.entry,
        spans=tuple(_span(book, grading, each) for each in grading.spans),
        rules=tuple(_judged(book, grading, each) for each in _in_order(book, grading)),
        answers=tuple(_answers(book, grading)),
        missing=tuple(_missing(book, each) for each in telling(book, grading)[:MOST_CHANGES]),
        changes=tuple(_changes(law, book, grading, found)),
        states=counted(SAID, (each.state for each in duties), state),
        part=part,
        duties=tuple(_duty(each) for each in piece(kept, part)),
        signed=tuple(_signed(law, system, grading)),
        packs=tuple(law.named(name) for name in grading_packs),
    )
    return Shown("norms_grade.html", _GRADE, model, sheet.sheet(Judged, model.rules))


def _in_order(book: Book, grading: Grading) -> Iterable[Held]:
    """Return the rules that tell something, scale by scale as the pack has them."""
    order = {each.id: place for place, each in enumerate(book.pack.scales)}
    return sorted((each for each in grading.held if _tells(grading, each)), key=lambda each: order[each.scale])


def _tells(grading: Grading, held: Held) -> bool:
    """Tell whether a rule belongs here: it holds, or it could still change the grade."""
    span = grading.span(held.scale)
    return held.state == "fired" or (not held.aside and span.state != "graded" and held.grade in span.grades)


def _span(book: Book, grading: Grading, span: Span) -> Grade:
    scale = book.pack.scale(span.scale)
    missing = sum(any(one.scale == span.scale for one in gap.outcomes) for gap in grading.gaps)
    reasons = {
        "graded": Text(en="The answers given lead to this grade alone.", zh="所作回答只导向此等级。"),
        "range": Text(
            en="It depends on {n} unanswered questions; every grade that is filled in is still possible.",
            zh="取决于 {n} 个未答问题；图中填色的等级均仍可能。",
        ).fill(n=missing),
        "unanswered": Text(
            en="Nothing that bears on it was answered ({n} questions are open).",
            zh="与之有关的问题尚无回答（{n} 个待答）。",
        ).fill(n=missing),
    }
    return Grade(
        entry="",
        scale=plain(span.title),
        state=span.state,
        steps=tuple(plain(each.title) for each in scale.grades),
        low=scale.place(span.low),
        high=scale.place(span.high),
        reason=reasons[span.state],
        at=grading.as_of.isoformat(),
    )


def _judged(book: Book, grading: Grading, held: Held) -> Judged:
    scale = book.pack.scale(held.scale)
    titles = {each.id: plain(each.title) for each in scale.grades}
    given = {**grading.facts, **grading.implied}
    return Judged(
        rule=held.rule,
        scale=held.scale,
        grade=titles[held.grade],
        state=held.state,
        title=plain(held.title),
        reason=plain(held.reason),
        clause="; ".join(str(each) for each in held.cite),
        pending=held.pending,
        aside=held.aside,
        applies_from=day(held.applies_from),
        checked=held.checked,
        read=tuple(_answer(book, grading, key, given.get(key, value)) for key, value in held.read.items()),
        open=tuple(Named(key, plain(book.facts[key].question)) for key in held.open),
    )


def _answers(book: Book, grading: Grading) -> Iterable[Answer]:
    for key, value in {**grading.facts, **grading.implied}.items():
        yield _answer(book, grading, key, value)


def _answer(book: Book, grading: Grading, key: str, value: bool | str | float) -> Answer:  # noqa: FBT001 - an answer
    fact = book.facts[key]
    basis = "declared" if key in grading.facts else "heard" if fact.type == "signal" else "implied"
    whole = int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value  # noqa: PLR2004
    return Answer(key, plain(fact.question), whole, shown(fact, value), basis)


def shown(fact: Fact, value: bool | str | float) -> Text:  # noqa: FBT001 - an answer
    """Return an answer in words: yes or no, the title of a choice or band, a number with its unit and band."""
    titles = {each.id: each.title for each in answers_of(fact)}
    if isinstance(value, bool):
        return titles.get(str(value).lower(), Text(en=str(value), zh=str(value)))
    if isinstance(value, int | float):
        written = f"{number(value)} {fact.unit}".strip()
        band = titles[fact.band(value)]
        return Text(en=f"{written} ({band.en})", zh=f"{written}（{band.zh}）")
    return titles.get(value, Text(en=value, zh=value))


def _missing(book: Book, gap: Gap) -> Change:
    fact = book.facts[gap.fact]
    effects = [_effect(book, fact, one.value, one.scale, one.grades) for one in gap.outcomes]
    return Change(gap.fact, plain(gap.question), None, tuple(effects))


def _effect(book: Book, fact: Fact, value: bool | str | float, scale: str, grades: Sequence[str]) -> Effect:  # noqa: FBT001
    titles = {each.id: plain(each.title) for each in book.pack.scale(scale).grades}
    return Effect(shown(fact, value), plain(book.pack.scale(scale).title), tuple(titles[each] for each in grades))


def _changes(law: Law, book: Book, grading: Grading, found: Known) -> Iterable[Change]:
    """Yield the given answers that, answered otherwise, would give another grade; each tried alone, the others kept."""
    effects: dict[str, list[Effect]] = {}
    for each in turns(book, found.answers(book), found.seen, as_of=law.as_of, known_at=law.known_at):
        fact = book.facts[each.fact]
        effects.setdefault(each.fact, []).extend(
            _effect(book, fact, each.value, scale, grades) for scale, grades in each.grades.items()
        )
    for key, rows in list(effects.items())[:MOST_CHANGES]:
        fact = book.facts[key]
        yield Change(key, plain(fact.question), shown(fact, grading.facts[key]), tuple(rows))


def _duty(found: Owed) -> Duty:
    return Duty(
        requirement=found.requirement,
        title=plain(found.title),
        clause="; ".join(str(each) for each in found.cite),
        sure=found.sure,
        pending=found.pending,
        checked=found.checked,
        state=found.state,
        open=found.open,
        by_hand=bare(found.by_hand),
        records=found.findings,
    )


def _signed(law: Law, system: Subject, grading: Grading) -> Iterable[Signed]:
    """Yield the grades on record under this pack, newest first, and whether each says what is worked out now."""
    now = {span.scale: list(span.grades) for span in grading.spans}
    said = sorted(law.desk.said(GRADE, subject=system), key=lambda each: (each.at, each.entry), reverse=True)
    for each in said:
        body: Any = None if gone(each) else each.body
        if each.subject.id != system.id or not isinstance(body, dict) or body.get("pack") != grading.pack:
            continue
        try:
            then = {span["scale"]: [one["id"] for one in span["grades"]] for span in body["spans"]}
            yield Signed(each.entry, each.issuer, each.at, str(body["version"]), str(body["as_of"]), then == now)
        except (KeyError, TypeError):  # a stranger's record of another form
            continue


# --- next questions --------------------------------------------------------------------------------------------------


def asked(law: Law) -> Shown:
    """Show the questions whose answers would narrow most grades of the systems that the reader may see, or of one of them.

    Raises Missing for a system that may not be seen.
    """
    wanted = law.visit.asked("system")
    systems = [law.desk.subject(wanted)] if wanted else list(law.desk.systems())
    books = [law.norms.book(name) for name in law.norms.ids if law.norms.pack(name).facts]
    awaited, unusable = [], []
    for each in systems[:MOST_SYSTEMS]:
        found = heard(law.desk, each, books)
        if _sound(found, books):
            awaited.append(Awaited(system=each.id, facts=found.facts, findings=found.seen))
        else:
            unusable.append(named(each))
    rows = _ranked(msgspec.json.encode(awaited), tuple(books), law.as_of, law.known_at)
    part = law.part(len(rows))
    names = {each.id: each.name or each.id for each in systems}
    where = _folders(law)
    facts = {key: fact for book in books for key, fact in book.facts.items()}
    model = NextPage(
        days=law.days,
        systems=len(systems),
        looked=min(len(systems), MOST_SYSTEMS),
        unusable=tuple(unusable),
        part=part,
        questions=tuple(_next(each, facts[each.fact], names, where) for each in piece(rows, part)),
    )
    return Shown("norms_next.html", _NEXT, model, sheet.sheet(NextRow, model.questions))


@functools.lru_cache(maxsize=32)
def _ranked(awaited: bytes, books: tuple[Book, ...], as_of: datetime.date, known_at: datetime.date) -> tuple[Next, ...]:
    """Return the next questions; the same systems with the same answers are gone through once, not once a page."""
    return next_questions(msgspec.json.decode(awaited, type=list[Awaited]), books, as_of=as_of, known_at=known_at)


def _sound(found: Known, books: Iterable[Book]) -> bool:
    """Tell whether the answers of a system can be used: one's own are checked when they are given, a stranger's may be odd."""
    try:
        for book in books:
            book.settle(found.answers(book), found.seen)
    except Malformed:
        return False
    return True


def _next(found: Next, fact: Fact, names: Mapping[str, str], where: Mapping[str, str]) -> NextRow:
    packs: dict[str, list[str]] = {}
    for each in found.waiting:
        packs.setdefault(each.system, []).append(each.pack)
    anchor = f"#f-{found.fact}"
    return NextRow(
        fact=found.fact,
        question=plain(found.question),
        answers=tuple(each.title for each in answers_of(fact)),
        mean=found.mean,
        sure=found.sure,
        best=found.best,
        settles=found.settles,
        packs=found.packs,
        waiting=tuple(
            Waiter(system, names.get(system, system), tuple(own), where[system] + anchor if system in where else "")
            for system, own in list(packs.items())[:_MOST_WAITING]
        ),
    )


def _folders(law: Law) -> dict[str, str]:
    """Return where each system is answered for: the form of the folder in which it was last assessed, as far as may be."""
    from urllib.parse import urlencode

    who = law.visit.signed.principal
    if not may(who, "contributor"):
        return {}
    roots = places.roots(law.node, who)
    found: dict[str, str] = {}
    jobs: Any = law.desk.jobs()
    for job in jobs:
        result, given = job.result, job.args
        system = result.get("system") if isinstance(result, dict) else None
        folder = Path(given["folder"]) if isinstance(given, dict) and given.get("folder") else None
        if not isinstance(system, str) or folder is None or system in found:
            continue
        for place, root in enumerate(roots):
            if folder.is_relative_to(root):
                at = folder.relative_to(root).as_posix()
                found[system] = "/assess/folder?" + urlencode({"root": place, "at": "" if at == "." else at})
                break
    return found

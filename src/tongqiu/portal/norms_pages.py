"""Law and standards to look at: the shelf of packs, one pack as a tree, and one row with its dates and who checked it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tongqiu.norms.words import STATES
from tongqiu.portal import sheet
from tongqiu.portal.norms_models import (
    Asked,
    Counted,
    Document,
    Line,
    Named,
    PackPage,
    PackRow,
    Section,
    ShelfPage,
    Steps,
    WalkRow,
)
from tongqiu.portal.norms_shelf import Law, bare, counted, day, number, piece, plain
from tongqiu.portal.norms_words import LISTS
from tongqiu.portal.pages import Shown
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tongqiu.node.shelf import Offer
    from tongqiu.norms.crosswalk import Crosswalk
    from tongqiu.norms.grading import Book
    from tongqiu.norms.pack import Fact, Group, Pack, Requirement, Risk, Rule

    Row = Requirement | Rule | Risk

_UNCHECKED = Text(en="Not compared with the primary text", zh="未与原文核对")


def shelf(law: Law) -> Shown:
    """Show the packs that travel with the software, those that were added and offered, and the crosswalks."""
    offers = {each.pack: each for each in law.offers if each.state == "in-use"}
    packs = [_head(law.norms.pack(name), offers.get(name)) for name in law.norms.ids]
    packs += [_offered(each) for each in law.offers if each.state != "in-use"]
    walks = tuple(_walk(each) for each in law.walks.all if {each.from_, each.to} <= set(law.norms.ids))
    model = ShelfPage(law.days, tuple(packs), walks)
    return Shown("norms.html", Text(en="Law and standards", zh="法律与标准"), model, sheet.sheet(PackRow, model.packs))


def pack(law: Law) -> Shown:
    """Show one pack: one of its lists, narrowed by role, grade, state or to what nobody checked, in pages."""
    book = law.book(law.visit.path["pack"])
    found = book.pack
    lists = {
        "requirements": len(found.requirements),
        "risks": len(found.risks),
        "rules": len(found.rules),
        "questions": len(found.facts),
        "documents": len(found.sources),
    }
    wanted = law.chosen("list", lists) or next(name for name, count in lists.items() if count)
    rows: Sequence[Row] = found.requirements if wanted == "requirements" else ()
    if wanted in {"rules", "risks"}:
        rows = found.rules if wanted == "rules" else found.risks
    filters = _Filters(law, book, rows)
    kept = filters.kept
    flat: Sequence[object] = {"questions": found.facts, "documents": found.sources}.get(wanted, kept)
    part = law.part(len(flat))
    offers = {each.pack: each for each in law.offers if each.state == "in-use"}
    sections = _sections(law, book, piece(_ordered(found, kept), part))
    model = PackPage(
        days=law.days,
        pack=_head(found, offers.get(found.id)),
        about=bare(found.about),
        list=wanted,
        lists=tuple(Counted(name, LISTS[name], count, name == wanted) for name, count in lists.items() if count),
        roles=filters.roles,
        states=filters.states,
        grades=filters.grades,
        unchecked=filters.unchecked,
        part=part,
        sections=sections,
        questions=tuple(_asked(each) for each in piece(found.facts, part)) if wanted == "questions" else (),
        documents=tuple(_documents(law, book, piece(found.sources, part))) if wanted == "documents" else (),
        scales=tuple(
            Steps(
                each.id, plain(each.title), each.default, tuple(Named(one.id, plain(one.title)) for one in each.grades)
            )
            for each in found.scales
        ),
    )
    if wanted == "questions":
        rows_ = sheet.sheet(Asked, model.questions)
    elif wanted == "documents":
        rows_ = sheet.sheet(Document, model.documents)
    else:
        rows_ = sheet.sheet(Line, (line for section in sections for line in section.lines))
    return Shown("norms_pack.html", plain(found.title), model, rows_)


class _Filters:
    """Which rows of a list were asked for, and how many each way to narrow it further would leave of the whole."""

    def __init__(self, law: Law, book: Book, rows: Sequence[Row]) -> None:
        found = book.pack
        titles = {each.id: each.title for each in found.roles}
        steps = {
            f"{scale.id}:{grade.id}": Text(
                en=f"{scale.title.en}: {grade.title.en}", zh=f"{scale.title.zh}：{grade.title.zh}"
            )
            for scale in found.scales
            for grade in scale.grades
        }
        role, step = law.chosen("role", titles), law.chosen("grade", steps)
        state, bare_only = law.chosen("state", STATES), law.chosen("unchecked", ("1",))
        standing = {each.id: book.calendar.row(each, law.as_of, law.known_at).state for each in rows}
        brought = {each.id: _steps(found, each) for each in rows}
        self.kept = [
            each
            for each in rows
            if (not role or role in getattr(each, "asked_of", ()))
            and (not step or step in brought[each.id])
            and (not state or standing[each.id] == state)
            and (not bare_only or not each.checked)
        ]
        self.roles = counted(titles, (one for each in rows for one in getattr(each, "asked_of", ())), role)
        self.states = counted(STATES, standing.values(), state)
        self.grades = counted(steps, (one for each in rows for one in brought[each.id]), step)
        self.unchecked = Counted("1", _UNCHECKED, sum(not each.checked for each in rows), bool(bare_only))


def _steps(found: Pack, row: Row) -> tuple[str, ...]:
    """Return the grades at which a row is asked or to which it leads, as ``scale:grade``, each once."""
    scale, grade = getattr(row, "scale", None), getattr(row, "grade", "")
    if scale is not None and grade:
        return (f"{scale}:{grade}",)
    own = [f"{scale}:{each}" for each in getattr(row, "grades", ())]
    rules = {each.id: each for each in found.rules}
    own += [f"{rules[each].scale}:{rules[each].grade}" for each in getattr(row, "rules", ())]
    return tuple(dict.fromkeys(own))


def _ordered(found: Pack, rows: Sequence[Row]) -> list[Row]:
    """Return rows as the document has them: those in no group first, then group by group; rules stay as in the file."""
    order = {name: place for place, (name, _) in enumerate(_tree(found.groups), 1)}
    return sorted(rows, key=lambda each: order.get(str(getattr(each, "group", None)), 0))


def _tree(groups: Sequence[Group], parent: str | None = None, depth: int = 0) -> Iterator[tuple[str, int]]:
    """Yield every group with its depth, each before those that stand in it."""
    for each in groups:
        if each.parent == parent:
            yield each.id, depth
            yield from _tree(groups, each.id, depth + 1)


def _sections(law: Law, book: Book, rows: Iterable[Row]) -> tuple[Section, ...]:
    """Return rows by group, with the groups around them, so that a piece of a list still shows where it stands."""
    found = book.pack
    groups = {each.id: each for each in found.groups}
    held: dict[str, list[Line]] = {}
    roles = {each.id: plain(each.title) for each in found.roles}
    for each in rows:
        held.setdefault(getattr(each, "group", None) or "", []).append(_line(law, book, each, roles))
    shown = set(held)
    for name in held:
        up = groups[name].parent if name else None
        while up is not None:
            shown.add(up)
            up = groups[up].parent
    made = [Section("", None, "", 0, tuple(held[""]))] if "" in held else []
    made += [
        Section(
            name,
            plain(groups[name].title),
            "; ".join(str(each) for each in groups[name].cite),
            depth,
            tuple(held.get(name, ())),
        )
        for name, depth in _tree(found.groups)
        if name in shown
    ]
    return tuple(made)


def _line(law: Law, book: Book, row: Row, roles: dict[str, Text]) -> Line:
    standing = book.calendar.row(row, law.as_of, law.known_at)
    return Line(
        id=row.id,
        sort=type(row).__name__.lower(),
        group=getattr(row, "group", None) or "",
        title=plain(row.title),
        clause="; ".join(str(each) for each in row.cite),
        state=standing.state,
        applies_from=day(standing.applies_from),
        applies_until=day(standing.applies_until),
        checked=row.checked,
        asked_of=tuple(roles.get(each, Text(each, each)) for each in getattr(row, "asked_of", ())),
        answered_by=len(getattr(row, "answered_by", ())),
        by_hand=getattr(row, "by_hand", None) is not None,
    )


def _asked(fact: Fact) -> Asked:
    return Asked(
        fact.key,
        fact.type,
        fact.unit,
        plain(fact.question),
        bare(fact.help),
        fact.within or "",
        answers(fact),
    )


def answers(fact: Fact) -> tuple[Named, ...]:
    """Return what may be answered to a question, each with what it means; a band with where it ends, unless its title says so."""
    if fact.type in {"bool", "signal"}:
        return (Named("true", Text(en="yes", zh="是")), Named("false", Text(en="no", zh="否")))
    made = [Named(each.value, plain(each.title)) for each in fact.choices]
    for each in fact.bands:
        edge = (
            "" if each.below is None else number(each.below) if isinstance(each.below, int | float) else day(each.below)
        )
        title = plain(each.title)
        if edge and not any(letter.isdigit() for letter in title.en):
            title = (
                Text(en=f"{title.en} (below {edge})", zh=f"{title.zh}（低于 {edge}）")
                if fact.type == "number"
                else Text(en=f"{title.en} (before {edge})", zh=f"{title.zh}（早于 {edge}）")
            )
        made.append(Named(each.value, title))
    return tuple(made)


def _documents(law: Law, book: Book, sources: Iterable[object]) -> Iterator[Document]:
    from tongqiu.norms.pack import Source

    for each in sources:
        assert isinstance(each, Source)  # noqa: S101 - the pack's own rows
        standing = book.calendar.source(each, law.as_of, law.known_at)
        yield Document(
            each.id,
            each.document,
            plain(each.title),
            each.issuer,
            each.force,
            each.licence,
            day(each.published),
            day(each.in_force_from),
            day(each.repealed_on),
            standing.state,
            standing.by,
        )


def _head(found: Pack, offer: Offer | None) -> PackRow:
    rows: tuple[Row, ...] = (*found.requirements, *found.rules, *found.risks)
    force = Counter(each.force for each in found.sources)
    return PackRow(
        pack=found.id,
        version=found.version,
        title=plain(found.title),
        publisher=found.publisher,
        licence=found.licence,
        wording=found.wording,
        jurisdiction=found.jurisdiction or "",
        nature=found.nature or "",
        force=tuple(each for each, _ in force.most_common()),
        known_at=day(found.known_at),
        state="shipped" if offer is None else offer.state,
        record="" if offer is None else offer.statement.entry,
        requirements=len(found.requirements),
        rules=len(found.rules),
        risks=len(found.risks),
        questions=len(found.facts),
        rows=len(rows),
        checked=sum(each.checked for each in rows),
    )


def _offered(offer: Offer) -> PackRow:
    """Return a pack that is not in use here, as its record calls it; it is not opened."""
    body = offer.statement.body
    title = body.get("title") if isinstance(body, dict) else None
    words = Text(offer.pack, offer.pack)
    if isinstance(title, dict) and isinstance(title.get("en"), str) and isinstance(title.get("zh"), str):
        words = Text(en=title["en"][:200], zh=title["zh"][:200])
    return PackRow(
        offer.pack, offer.version, words, offer.statement.issuer, "", "", "", "", (), "", offer.state, offer.statement.entry,
        0, 0, 0, 0, 0, 0,
    )  # fmt: skip


def _walk(found: Crosswalk) -> WalkRow:
    return WalkRow(
        found.from_,
        found.to,
        found.version,
        plain(found.title),
        found.publisher,
        found.licence,
        day(found.known_at),
        len(found.mapped),
        len(found.alone("from")) + len(found.alone("to")),
        sum(each.reviewed for each in found.relations),
    )

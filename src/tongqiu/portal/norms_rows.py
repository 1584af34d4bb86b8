"""One row of a pack: what it says, where, since when, who checked it, what answers it, and its counterparts elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.norms.checks import RISK
from tongqiu.norms.crosswalk import Crosswalk, Derived
from tongqiu.norms.pack import Requirement, Risk, Rule, Source
from tongqiu.norms.reading import nearest
from tongqiu.norms.succession import bare as unversioned
from tongqiu.norms.succession import former, successors
from tongqiu.portal import sheet
from tongqiu.portal.norms_models import (
    Answering,
    Counterparts,
    Kin,
    Leg,
    Named,
    Place,
    RelationRow,
    RowPage,
)
from tongqiu.portal.norms_shelf import Law, bare, day, plain
from tongqiu.portal.pages import Shown
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tongqiu.norms.crosswalk import Relation
    from tongqiu.norms.grading import Book
    from tongqiu.norms.pack import Cite, Pack
    from tongqiu.norms.time import Standing

    Any_ = Requirement | Rule | Risk | Source

_SORTS: dict[str, type[Requirement | Rule | Risk | Source]] = {
    "requirement": Requirement,
    "rule": Rule,
    "risk": Risk,
    "source": Source,
}


def row(law: Law) -> Shown:
    """Show one row of a pack; ``sort`` tells apart those of one id, a requirement before a rule, a risk, a document."""
    book = law.book(law.visit.path["pack"])
    found, others = _find(law, book.pack, law.visit.path["row"])
    model = _document(law, book, found, others) if isinstance(found, Source) else _model(law, book, found, others)
    return Shown("norms_row.html", model.title, model, sheet.facts(sheet.flatten(msgspec.to_builtins(model))))


def _find(law: Law, pack: Pack, name: str) -> tuple[Any_, tuple[str, ...]]:
    """Return the row that is meant, and the other sorts of rows with its id. Raises Missing (``norms.no-row``)."""
    tables: Mapping[str, Iterable[Any_]] = {
        "requirement": pack.requirements, "rule": pack.rules, "risk": pack.risks, "source": pack.sources,
    }  # fmt: skip
    sort = law.chosen("sort", tables)
    same = {kind: each for kind, rows in tables.items() for each in rows if each.id == name}
    chosen = sort if sort in same else "" if sort else next(iter(same), "")
    if not chosen:
        every = [each.id for kind, rows in tables.items() if not sort or kind == sort for each in rows]
        raise Missing(
            "norms.no-row",
            Text(en="The pack {pack} has no row {name}.", zh="规范包 {pack} 没有 {name} 这一行。"),
            do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
            pack=pack.id,
            name=name[:80],
            nearest=nearest(name[:80], every),
        )
    return same[chosen], tuple(each for each in same if each != chosen)


def _model(law: Law, book: Book, found: Requirement | Rule | Risk, others: tuple[str, ...]) -> RowPage:
    pack = book.pack
    standing = book.calendar.row(found, law.as_of, law.known_at)
    sort = next(name for name, form in _SORTS.items() if isinstance(found, form))
    table = book.tables.get(found.id if isinstance(found, Rule) else RISK + found.id)
    duty = found if isinstance(found, Requirement) else None
    roles = {each.id: plain(each.title) for each in pack.roles}
    return RowPage(
        days=law.days,
        pack=Named(pack.id, plain(pack.title)),
        version=pack.version,
        id=found.id,
        sort=sort,
        others=others,
        title=plain(found.title),
        text=plain(found.reason if isinstance(found, Rule) else found.text),
        note=bare(found.note),
        wording=getattr(found, "wording", None) or pack.wording,
        groups=_way(pack, getattr(found, "group", None)),
        cites=_places(pack, found.cite),
        state=standing.state,
        applies_from=day(standing.applies_from),
        applies_until=day(standing.applies_until),
        known_from=day(found.known_from),
        known_until=day(found.known_until),
        taken_by=() if duty is None else _kin(law, book, (*standing.by, *successors(pack, found.id))),
        former=() if duty is None else _kin(law, book, _former(pack, duty)),
        checked=found.checked,
        checked_by=found.checked_by,
        checked_on=day(found.checked_on),
        checked_against=found.checked_against,
        asked_of=() if duty is None else tuple(roles.get(each, Text(each, each)) for each in duty.asked_of),
        grades=_grades(pack, found),
        brought_by=() if duty is None else tuple(Named(each, plain(pack.rule(each).title)) for each in duty.rules),
        brings=tuple(
            Named(each.id, plain(each.title))
            for each in pack.requirements
            if isinstance(found, Rule) and found.id in each.rules
        ),
        when=found.when if isinstance(found, Rule) else getattr(found, "suggested_when", None) or "",
        reads=()
        if duty is not None or table is None
        else tuple(Named(each, plain(pack.fact(each).question)) for each in table.facts),
        measures=tuple(plain(each) for each in getattr(found, "measures", ())),
        answered_by=()
        if duty is None
        else tuple(Answering(each.kind, each.finding, each.part) for each in duty.answered_by),
        by_hand=None if duty is None else bare(duty.by_hand),
        counterparts=() if duty is None else _counterparts(law, pack, duty),
    )


def _document(law: Law, book: Book, found: Source, others: tuple[str, ...]) -> RowPage:
    """Return a document of a pack as a row; nobody checks a document, its dates are its own."""
    standing: Standing = book.calendar.source(found, law.as_of, law.known_at)
    pack = book.pack
    words = Text(en=found.document, zh=found.document)
    by = tuple(
        Kin(each, plain(pack.source(each).title), "", day(pack.source(each).in_force_from), here=True)
        for each in standing.by
    )
    return RowPage(
        days=law.days, pack=Named(pack.id, plain(pack.title)), version=pack.version, id=found.id, sort="source", others=others,
        title=plain(found.title), text=words, note=None, wording=pack.wording, groups=(),
        cites=(Place(found.id, found.document, "", "", found.force, found.licence),),
        state=standing.state, applies_from=day(found.in_force_from), applies_until=day(found.repealed_on),
        known_from=day(found.published), known_until="", taken_by=by, former=(), checked=False, checked_by="",
        checked_on="", checked_against="", asked_of=(), grades=(), brought_by=(), brings=(), when="", reads=(), measures=(),
        answered_by=(), by_hand=None, counterparts=(),
    )  # fmt: skip


def _way(pack: Pack, group: str | None) -> tuple[Named, ...]:
    """Return the groups in which a row stands, the widest first."""
    groups = {each.id: each for each in pack.groups}
    way: list[Named] = []
    while group is not None:
        way.insert(0, Named(group, plain(groups[group].title)))
        group = groups[group].parent
    return tuple(way)


def _places(pack: Pack, cites: Iterable[Cite]) -> tuple[Place, ...]:
    made = []
    for each in cites:
        source = pack.source(each.source)
        made.append(Place(source.id, source.document, each.article, each.clause, source.force, source.licence))
    return tuple(made)


def _former(pack: Pack, row: Requirement) -> tuple[str, ...]:
    """Return what a row took the place of: rows of earlier editions keep the edition in their name."""
    named = {unversioned(each): each for each in row.succeeds}
    return tuple(named.get(each, each) for each in former(pack, row.id))


def _kin(law: Law, book: Book, names: Iterable[str]) -> tuple[Kin, ...]:
    rows = {each.id: each for each in book.pack.requirements}
    made = []
    for name in dict.fromkeys(names):
        found = rows.get(name)
        if found is None:
            made.append(Kin(name, None, "", "", here=False))
            continue
        standing = book.calendar.row(found, law.as_of, law.known_at)
        made.append(Kin(name, plain(found.title), standing.state, day(standing.applies_from), here=True))
    return tuple(made)


def _grades(pack: Pack, found: Requirement | Rule | Risk) -> tuple[Text, ...]:
    if isinstance(found, Risk) or found.scale is None:
        return ()
    scale = pack.scale(found.scale)
    wanted = (found.grade,) if isinstance(found, Rule) else found.grades
    return tuple(
        Text(en=f"{scale.title.en}: {each.title.en}", zh=f"{scale.title.zh}：{each.title.zh}")
        for each in scale.grades
        if each.id in wanted
    )


# --- counterparts ----------------------------------------------------------------------------------------------------


def _counterparts(law: Law, pack: Pack, duty: Requirement) -> tuple[Counterparts, ...]:
    """Return what a requirement is to every other pack that a crosswalk leads to: as mapped, else as derived."""
    made = []
    reached = {each.from_ for each in law.walks.all} | {each.to for each in law.walks.all}
    for name in law.norms.ids:
        if name == pack.id or name not in reached:
            continue
        between = law.between(pack.id, name)
        if between is None:
            continue
        other = law.norms.pack(name)
        rows = [each for each in between.relations if each.from_ == duty.id]
        direct = isinstance(between, Crosswalk)
        if not rows and not direct:
            continue
        standing = "not-mapped" if not rows else "mapped" if direct else "derived"
        walk = between.id if isinstance(between, Crosswalk) else ""
        shown = relation_rows(rows, pack, other)
        made.append(Counterparts(name, plain(other.title), standing, walk, shown))
    return tuple(made)


def relation_rows(rows: Iterable[Relation | Derived], have: Pack, want: Pack) -> tuple[RelationRow, ...]:
    """Return rows of a crosswalk or derived relations with the titles of both sides."""
    one = {each.id: plain(each.title) for each in have.requirements}
    other = {each.id: plain(each.title) for each in want.requirements}
    return tuple(_relation(each, one, other) for each in rows)


def _relation(found: Relation | Derived, one: Mapping[str, Text], other: Mapping[str, Text]) -> RelationRow:
    have, want = found.from_ or "", found.to or ""
    if isinstance(found, Derived):
        return RelationRow(
            have, one.get(have), found.type, want, other.get(want), "", None, found.strength, found.confidence, "", "",
            reviewed=False, reviewed_by="", reviewed_on="", derived=True, path=legs(found),
        )  # fmt: skip
    return RelationRow(
        have, one.get(have), found.type, want, other.get(want), found.rationale or "", plain(found.why), found.strength,
        found.confidence, found.mapped_by, day(found.mapped_on), reviewed=found.reviewed, reviewed_by=found.reviewed_by,
        reviewed_on=day(found.reviewed_on), derived=False, path=(),
    )  # fmt: skip


def legs(found: Derived) -> tuple[Leg, ...]:
    """Return the mapped rows over which a relation was derived."""
    return tuple(Leg(each.crosswalk, each.from_, each.type, each.to) for each in found.path)

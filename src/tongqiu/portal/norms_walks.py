"""Between two frameworks: the crosswalk as a table, and what is answered or still owed for one system or in plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.norms.crosswalk import TYPES, Chain, Crosswalk, Derived, Relation
from tongqiu.norms.gap import STATES, Looked, compare, tell
from tongqiu.portal import sheet
from tongqiu.portal.norms_known import known, named
from tongqiu.portal.norms_models import GapPage, Leg, Owing, RelationRow, WalkPage, WayRow
from tongqiu.portal.norms_rows import relation_rows
from tongqiu.portal.norms_second import agreement
from tongqiu.portal.norms_shelf import Law, bare, counted, day, piece, plain
from tongqiu.portal.norms_words import GAPS, RELATIONS
from tongqiu.portal.pages import Shown
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.norms.gap import Comparison, Standing, Way
    from tongqiu.norms.grading import Book
    from tongqiu.norms.pack import Pack
    from tongqiu.record.subject import Subject

_GAP = Text(en="What is still owed elsewhere", zh="在别处还欠什么")
_MOST_WAYS = 12
_MOST_RECORDS = 20


def walk(law: Law) -> Shown:
    """Show the relations from one pack to another, narrowed by type. Raises Missing (``norms.no-crosswalk``)."""
    have, want, found = _pair(law, law.visit.path["have"], law.visit.path["want"])
    rows: tuple[Relation | Derived, ...] = tuple(found.relations)
    chosen = law.chosen("type", TYPES)
    kept = [each for each in rows if not chosen or each.type == chosen]
    part = law.part(len(kept))
    direct = found if isinstance(found, Crosswalk) else None
    model = WalkPage(
        days=law.days,
        have=law.named(have.id),
        want=law.named(want.id),
        id="" if direct is None else direct.id,
        version="" if direct is None else direct.version,
        title=None if direct is None else plain(direct.title),
        about=None if direct is None else bare(direct.about),
        publisher="" if direct is None else direct.publisher,
        licence="" if direct is None else direct.licence,
        known_at="" if direct is None else day(direct.known_at),
        turned=direct is not None and direct.turned,
        by=found.by if isinstance(found, Chain) else (),
        types=counted(RELATIONS, (each.type for each in rows), chosen),
        reviewed=sum(isinstance(each, Relation) and each.reviewed for each in rows),
        agreement=None if direct is None else agreement(direct),
        part=part,
        relations=relation_rows(piece(kept, part), have, want),
    )
    title = Text(en=f"{have.title.en} → {want.title.en}", zh=f"{have.title.zh} → {want.title.zh}")
    return Shown("norms_walk.html", title, model, sheet.sheet(RelationRow, model.relations))


def mapping(law: Law) -> bytes:
    """Return a crosswalk as an OSCAL mapping. Raises as :func:`walk`, and Refused (``norms.oscal.derived``)."""
    from tongqiu.norms.oscal.mapping import write_mapping

    have, want, found = _pair(law, law.visit.path["have"], law.visit.path["want"])
    return write_mapping(found, have, want)


def _pair(law: Law, one: str, other: str) -> tuple[Pack, Pack, Crosswalk | Chain]:
    have, want = law.book(one).pack, law.book(other).pack
    found = None if one == other else law.between(one, other)
    if found is None:
        raise Missing(
            "norms.no-crosswalk",
            Text(en="Nobody mapped {have} to {want}.", zh="尚无人对照 {have} 与 {want}。"),
            do=Text(en="There are crosswalks between: {pairs}", zh="现有对照：{pairs}"),
            have=one,
            want=other,
            pairs="; ".join(f"{each.from_} – {each.to}" for each in law.walks.all) or "-",
        )
    return have, want, found


# --- what is owed ----------------------------------------------------------------------------------------------------


def gap(law: Law) -> Shown:
    """Show what is answered and what is owed under ``want`` for who answers to ``have``; first of all, ask which.

    Raises Missing for a pack that is not here (``norms.no-pack``) or a system that may not be seen, Malformed
    (``norms.gap.same``) where both are the same pack.
    """
    have, want, about = (law.visit.asked(name) for name in ("have", "want", "system"))
    known_packs = tuple(law.named(name) for name in law.norms.ids if law.norms.pack(name).requirements)
    systems = tuple(named(each) for each in law.desk.systems())
    system = law.desk.subject(about) if about else None
    empty = GapPage(
        days=law.days,
        have=law.named(have) if have else None,
        want=law.named(want) if want else None,
        system=None if system is None else named(system),
        supposed=system is None,
        crosswalk="",
        by=(),
        states=counted(GAPS, (), ""),
        part=law.part(0),
        standings=(),
        packs=known_packs,
        systems=systems,
    )
    if not have or not want:
        return Shown("norms_gap.html", _GAP, empty, _lines(()))
    found, between = _compare(law, have, want, system)
    state = law.chosen("state", STATES)
    kept = [each for each in found.standings if not state or each.state == state]
    part = law.part(len(kept))
    titles = {each.id: plain(each.title) for each in law.book(have).pack.requirements}
    model = msgspec.structs.replace(
        empty,
        supposed=found.supposed,
        crosswalk=between.id if isinstance(between, Crosswalk) else "",
        by=found.by,
        states=counted(GAPS, (each.state for each in found.standings), state),
        part=part,
        standings=tuple(_owing(each, titles) for each in piece(kept, part)),
    )
    return Shown("norms_gap.html", _GAP, model, _lines(model.standings))


def _compare(law: Law, have: str, want: str, system: Subject | None) -> tuple[Comparison, Crosswalk | Chain]:
    if have == want:
        raise Malformed(
            "norms.gap.same",
            Text(en="Both are the pack {have}.", zh="两者都是规范包 {have}。"),
            do=Text(en="Choose two different ones.", zh="请选择两个不同的规范包。"),
            have=have,
        )
    one, other = law.book(have), law.book(want)
    between = law.between(have, want) or Chain(from_=have, to=want, by=(), relations=())
    fitting = _fitting(between, one.pack, other.pack)
    looked = None if system is None else _looked(law, one, other, system)
    standing = None
    if looked is None:
        rows = other.pack.requirements
        standing = {each.id for each in rows if other.calendar.row(each, law.as_of, law.known_at).counts}
    return compare(one.pack, other.pack, fitting, looked, standing), between


def _fitting(found: Crosswalk | Chain, have: Pack, want: Pack) -> Crosswalk | Chain:
    """Return a crosswalk without rows of requirements that the editions in use here do not have."""
    one, other = {each.id for each in have.requirements}, {each.id for each in want.requirements}

    def fits(each: Relation | Derived) -> bool:
        return (each.from_ is None or each.from_ in one) and (each.to is None or each.to in other)

    if isinstance(found, Chain):
        return msgspec.structs.replace(found, relations=tuple(each for each in found.relations if fits(each)))
    return msgspec.structs.replace(found, relations=tuple(each for each in found.relations if fits(each)))


def _looked(law: Law, have: Book, want: Book, system: Subject) -> Looked:
    found = known(law.desk, system)
    grading = want.grade(
        found.answers(want), found.seen, as_of=law.as_of, known_at=law.known_at, where=system.name or system.id
    )
    applies = {each.requirement: each.sure for each in want.owed(grading, found.seen)}
    return Looked(having=tell(have.pack, found.seen), own=tell(want.pack, found.seen), applies=applies)


def _owing(found: Standing, titles: dict[str, Text]) -> Owing:
    return Owing(
        requirement=found.requirement,
        title=found.title,
        clause="; ".join(str(each) for each in found.cite),
        state=found.state,
        sure=found.sure,
        checked=found.checked,
        open=found.open,
        by_hand=found.by_hand,
        why=found.why,
        ways=tuple(_way(each, titles) for each in found.ways[:_MOST_WAYS]),
    )


def _way(found: Way, titles: dict[str, Text]) -> WayRow:
    return WayRow(
        gives=found.gives,
        have=found.requirement,
        have_title=titles.get(found.requirement),
        type=found.type or "",
        why=found.why,
        confidence=found.confidence,
        reviewed=found.reviewed,
        path=tuple(Leg(each.crosswalk, each.from_, each.type, each.to) for each in found.path),
        told=found.told,
        verdicts=tuple(found.verdicts),
        records=found.records[:_MOST_RECORDS],
    )


_COLUMNS = (
    "requirement", "title_en", "title_zh", "clause", "state", "sure", "checked", "open", "by_hand_en", "by_hand_zh", "via",
    "relation", "gives", "confidence", "reviewed", "derived", "told", "verdicts", "records", "why_en", "why_zh",
)  # fmt: skip


def _lines(rows: Iterable[Owing]) -> sheet.Sheet:
    """Return one line for each way, and one for each requirement that has none."""
    made: list[tuple[object, ...]] = []
    for each in rows:
        first = (
            each.requirement, each.title.en, each.title.zh, each.clause, each.state, each.sure, each.checked,
            " ".join(each.open), *_both(each.by_hand),
        )  # fmt: skip
        made += [
            (
                *first, way.have, way.type or "direct", way.gives, way.confidence, way.reviewed, bool(way.path), way.told,
                " ".join(way.verdicts), " ".join(way.records), *_both(way.why),
            )
            for way in each.ways
        ]  # fmt: skip
        if not each.ways:
            made.append((*first, *[""] * 9, *_both(each.why)))
    return sheet.Sheet(_COLUMNS, tuple(made))


def _both(words: Text | None) -> tuple[str, str]:
    return ("", "") if words is None else (words.en, words.zh)

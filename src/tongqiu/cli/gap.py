"""Between two frameworks: what is answered already, what is still owed, and the crosswalks that say so."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import Parameter

from tongqiu.cli.desk import Home, Json
from tongqiu.cli.words import VERDICTS, console, lang, short, styled, t, table
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.node.desk import NodeDesk
    from tongqiu.node.node import Node
    from tongqiu.norms.crosswalk import Crosswalk
    from tongqiu.norms.gap import Comparison, Looked, Standing, Way
    from tongqiu.norms.library import Norms
    from tongqiu.norms.oscal.results import Observed
    from tongqiu.record.subject import Subject

STATES = {
    "answered": Text(en="answered", zh="已回应"),
    "partly": Text(en="partly", zh="部分回应"),
    "owed": Text(en="owed", zh="尚欠"),
    "no-counterpart": Text(en="no counterpart", zh="无对应"),
    "not-mapped": Text(en="not mapped", zh="未对照"),
}
RELATIONS = {
    "equal": Text(en="equals", zh="等同于"),
    "subset": Text(en="is part of", zh="是其一部分"),
    "superset": Text(en="includes", zh="包含"),
    "intersects": Text(en="overlaps with", zh="部分重合"),
}
CONFIDENCE = {
    "low": Text(en="low confidence", zh="可信度低"),
    "medium": Text(en="medium confidence", zh="可信度中"),
    "high": Text(en="high confidence", zh="可信度高"),
}
_STYLES = {
    "answered": "green",
    "partly": "yellow",
    "owed": "bold red",
    "no-counterpart": "bold red",
    "not-mapped": "dim",
}
_GRADE = "grading.grade/1"
_FACTS = "grading.facts/1"
_MOST_BYTES = 2 * 1024 * 1024

System = Annotated[
    str,
    Parameter(help="Name or identifier of a system, or its folder. 系统名称、标识符或其目录。"),
]


def gap(  # noqa: PLR0913 - one option each
    *,
    have: Annotated[str, Parameter(help="The framework one answers to. 已在遵循的规范包。")],
    want: Annotated[str, Parameter(help="The framework that is asked about. 要对照的规范包。")],
    system: System = "",
    crosswalk: Annotated[Path | None, Parameter(help="A crosswalk file of one's own. 自己的对照文件。")] = None,
    home: Home = None,
    json_: Json = False,
    csv_: Annotated[bool, Parameter(name="--csv", help="Print CSV. 输出 CSV。")] = False,
) -> int:
    """Show what one framework's evidence leaves owed under another. 查看在一个规范包下的证据对另一个还欠什么。"""
    from tongqiu.norms.crosswalk import Chain
    from tongqiu.norms.crosswalks.shelf import Shelf
    from tongqiu.norms.gap import compare
    from tongqiu.record.faults import Missing

    norms, looked = _look(home, system, have, want)
    packs = norms.book(have).pack, norms.book(want).pack
    shelf = Shelf([] if crosswalk is None else [read_crosswalk(crosswalk, norms)])
    try:
        between = shelf.between(have, want)
    except Missing:
        if looked is None:
            raise
        between = Chain(from_=have, to=want, by=(), relations=())
    found = compare(*packs, between, looked, None if looked is not None else _in_force(norms, want))
    if json_:
        _print_json(found)
    elif csv_:
        _print_csv(found)
    else:
        _print(found, mapped=not isinstance(between, Chain))
    return 0


def crosswalk(
    file: Annotated[Path | None, Parameter(help="A crosswalk file to check. 要检查的对照文件。")] = None,
    *,
    home: Home = None,
    json_: Json = False,
) -> int:
    """List the crosswalks at hand, or check a file with one. 列出现有对照，或检查一个对照文件。"""
    from tongqiu.norms.crosswalks.shelf import Shelf

    norms = norms_of(home)
    known = Shelf().all if file is None else (read_crosswalk(file, norms),)
    rows = [_counts(each) for each in known]
    if json_:
        from tongqiu.cli.desk import _json

        _json(rows)
        return 0
    heads = (
        t("From", "从"),
        t("To", "到"),
        t("Version", "版本"),
        t("Mapped", "有对应"),
        t("None", "无对应"),
        t("Reviewed", "已复核"),
    )
    console().print(table(heads, [[str(each) for each in row.values()] for row in rows]))
    if file is not None:
        console().print(t("Nothing is wrong with it.", "未发现问题。"))
    return 0


def read_crosswalk(file: Path, norms: Norms) -> Crosswalk:
    """Return a crosswalk file, checked. Raises Missing, Malformed."""
    from tongqiu.node import passports
    from tongqiu.norms.crosswalks.reading import read

    data = passports.read_file(file, _MOST_BYTES + 1)
    return read(data, pack=lambda name: norms.book(name).pack, where=str(file))


def norms_of(home: Path | None) -> Norms:
    """Return the packs in use: those of the node where there is one, else those that travel with the software."""
    from tongqiu.cli.desk import open_existing
    from tongqiu.node import home as homes
    from tongqiu.norms.library import Norms

    if ((home or homes.default()) / "node.toml").exists():
        with open_existing(home) as node:
            return node.norms
    return Norms(datetime.datetime.now(datetime.UTC).date())


class Known(NamedTuple):
    """What a node knows of a system: which it is, its declared facts, and the findings on it and its parts."""

    system: Subject
    facts: dict[str, object]
    observed: tuple[Observed, ...]


def known_of(node: Node, wanted: str) -> Known:
    """Return what the records of ``node`` say of a system, named or by its folder. Raises Missing, Malformed."""
    from tongqiu.cli.proof import find_system
    from tongqiu.node import manifest

    desk = node.desk(node.owner)
    folder = Path(wanted)
    if (folder / "tongqiu.toml").is_file():
        subject = manifest.read(folder, node.practices).target.subject
    else:
        subject = find_system(desk.systems(), wanted)
    declared = max(desk.said(_FACTS, subject=subject), key=lambda each: (each.at, each.entry), default=None)
    facts = {} if declared is None else {each["key"]: each["value"] for each in declared.body["facts"]}
    return Known(subject, facts, _observed(desk, subject))


def _observed(desk: NodeDesk, subject: Subject) -> tuple[Observed, ...]:
    from tongqiu.norms.grading import Seen
    from tongqiu.norms.oscal.results import Observed

    found = []
    for about in (subject, *(part for _, part in desk.parts(subject))):
        for each in desk.findings(subject=about):
            said = each.statement
            # What a grade says of duties is no evidence for them.
            if said.kind == _GRADE:
                continue
            seen = Seen(entry=said.entry, kind=said.kind, finding=each.finding)
            found.append(
                Observed(seen=seen, at=said.at, subject=said.subject.id, name=said.subject.name, issuer=said.issuer)
            )
    return tuple(found)


def _in_force(norms: Norms, name: str) -> set[str]:
    """Return the requirements of a pack that apply today or will, as far as is known."""
    book = norms.book(name)
    rows = book.pack.requirements
    return {each.id for each in rows if book.calendar.row(each, norms.as_of, norms.known_at).counts}


def _look(home: Path | None, system: str, have: str, want: str) -> tuple[Norms, Looked | None]:
    """Return the packs in use and, where a system is named, what its records say under both."""
    from tongqiu.cli.desk import open_existing
    from tongqiu.norms.gap import Looked, tell

    if not system:
        return norms_of(home), None
    with open_existing(home) as node:
        norms, known = node.norms, known_of(node, system)
    seen = [each.seen for each in known.observed]
    wanted = norms.book(want)
    facts = {key: value for key, value in known.facts.items() if key in wanted.facts}
    grading = norms.grade(want, facts, seen)
    applies = {each.requirement: each.sure for each in wanted.owed(grading, seen)}
    return norms, Looked(having=tell(norms.book(have).pack, seen), own=tell(wanted.pack, seen), applies=applies)


def _counts(crosswalk: Crosswalk) -> dict[str, Any]:
    return {
        "from": crosswalk.from_,
        "to": crosswalk.to,
        "version": crosswalk.version,
        "mapped": len(crosswalk.mapped),
        "none": len(crosswalk.alone("from")) + len(crosswalk.alone("to")),
        "reviewed": sum(each.reviewed for each in crosswalk.relations),
    }


def _print(found: Comparison, *, mapped: bool) -> None:
    out = console()
    out.print(styled(f"{found.have} {found.have_version} → {found.want} {found.want_version}", "bold"))
    if found.supposed:
        out.print(
            t(
                "No system was named: this is what would follow if everything under {have} were answered.",
                "未指定系统：以下是假设 {have} 的要求均已回应时的结果。",
                have=found.have,
            )
        )
    if not mapped and found.by:
        out.print(
            styled(
                t(
                    "Nobody mapped these two; relations are derived by way of {by} and answer nothing.",
                    "尚无人直接对照二者；关系经 {by} 推得，不构成回应。",
                    by=", ".join(found.by),
                ),
                "yellow",
            )
        )
    elif not mapped:
        out.print(
            styled(
                t(
                    "Nobody mapped these two; only records that speak to {want} directly count.",
                    "尚无人对照二者；只计入直接涉及 {want} 的记录。",
                    want=found.want,
                ),
                "yellow",
            )
        )
    counts = found.counts()
    out.print(t("{n} requirements asked for:", "涉及 {n} 项要求：", n=len(found.standings)))
    out.print("  " + "  ·  ".join(f"{STATES[state].of(lang())} {count}" for state, count in counts.items() if count))
    heads = (t("State", "状态"), t("Requirement", "要求"), t("Why", "理由"))
    out.print(table(heads, [(_state(each), _what(each), _why(each)) for each in found.standings]))
    out.print(
        t("Answered is not fulfilled: that is for people to judge.", "“已回应”不等于“已履行”；是否履行由人判断。")
    )


def _state(standing: Standing) -> str:
    words = STATES[standing.state].of(lang())
    return words if standing.sure else words + t(" (if it applies)", "（如适用）")


def _what(standing: Standing) -> str:
    clause = "; ".join(str(each) for each in standing.cite)
    unchecked = "" if standing.checked else t(" · unchecked", " · 未核对")
    return f"{standing.title.of(lang())} [{clause}{unchecked}]"


def _why(standing: Standing) -> str:
    """Return the most telling reason in one line, and how many others there are."""
    words = "-" if standing.why is None else standing.why.of(lang())
    pieces = [_way(standing.ways[0]) if standing.ways else words]
    if standing.open:
        pieces.append(t("open: {parts}", "待补：{parts}", parts=", ".join(standing.open)))
    if standing.by_hand is not None:
        pieces.append(t("by hand: {paper}", "人工提供：{paper}", paper=standing.by_hand.of(lang())))
    words = t("; ", "；").join([*(each.rstrip(".。") for each in pieces[:-1]), pieces[-1]])
    more = len(standing.ways) - 1
    return words + (t(" (+{n} more)", "（另有 {n} 项）", n=more) if more > 0 else "")


def _way(way: Way) -> str:
    records = ", ".join(short(each) for each in way.records[:3]) + (" …" if len(way.records) > 3 else "")  # noqa: PLR2004 - a line's worth
    verdicts = ", ".join(VERDICTS[each].of(lang()) for each in way.verdicts)
    seen = t(" (records {records}: {verdicts})", "（记录 {records}：{verdicts}）", records=records, verdicts=verdicts)
    seen = seen if records else ""
    if way.type is None:
        return t("records speak to it", "有记录直接涉及") + seen
    relation = RELATIONS[way.type].of(lang())
    marks = [CONFIDENCE[way.confidence].of(lang())]
    marks += [] if way.reviewed else [t("unreviewed", "未复核")]
    marks += [t("derived over {n} rows", "经 {n} 行推得", n=len(way.path))] if way.path else []
    held = "" if way.told != "unanswered" else t(", no record speaks to that", "，尚无记录涉及该项")
    why = "" if way.why is None else f": {way.why.of(lang())}"
    return f"{way.requirement} {relation} ({', '.join(marks)}){held}{seen}{why}"


def _print_json(found: Comparison) -> None:
    import msgspec

    from tongqiu.cli.desk import _json

    _json({**msgspec.to_builtins(found), "counts": found.counts()})


_COLUMNS = (
    "requirement", "title", "clause", "state", "sure", "checked", "via", "relation", "rationale", "strength", "confidence",
    "reviewed", "derived", "gives", "verdicts", "records", "open", "by_hand", "why",
)  # fmt: skip


def _print_csv(found: Comparison) -> None:
    """Print one line for each way, and one for each requirement that has none."""
    from tongqiu.portal.sheet import Sheet

    rows = tuple(tuple(row) for each in found.standings for row in _lines(each))
    sys.stdout.write(inert(Sheet(_COLUMNS, rows).csv().decode("utf-8-sig").replace("\r\n", "\n")))


def _lines(standing: Standing) -> Iterable[Sequence[object]]:
    clause = "; ".join(str(each) for each in standing.cite)
    first = (standing.requirement, standing.title.of(lang()), clause, standing.state, standing.sure, standing.checked)
    hand = "" if standing.by_hand is None else standing.by_hand.of(lang())
    last = (" ".join(standing.open), hand)
    if not standing.ways:
        yield (*first, *[""] * 10, *last, "" if standing.why is None else standing.why.of(lang()))
    for way in standing.ways:
        why = "" if way.why is None else way.why.of(lang())
        yield (
            *first, way.requirement, way.type or "direct", way.rationale or "", way.strength or "", way.confidence,
            way.reviewed, bool(way.path), way.gives, " ".join(way.verdicts), " ".join(way.records), *last, why,
        )  # fmt: skip


def write_out(out: Path | None, data: bytes) -> None:
    """Write a document to a file, or to standard output as it is."""
    if out is None:
        sys.stdout.write(inert(data.decode()))
        return
    from tongqiu.cli.start import write

    write(out, data)
    console().print(t("Wrote {path}, {n} bytes.", "已写入 {path}，{n} 字节。", path=out, n=len(data)))


def needed(option: str, value: str) -> str:
    """Return the value of an option that this action needs. Raises Malformed (``option.needed``)."""
    if value:
        return value
    raise Malformed(
        "option.needed",
        Text(en="{option} is needed here.", zh="此处须给出 {option}。"),
        do=Text(en="Name it; see --help.", zh="请写明；见 --help。"),
        option=option,
    )

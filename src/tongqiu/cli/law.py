"""What a pack or one row of it looks like in a terminal, and as plain values for programs."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from tongqiu.cli.words import lang, styled, t, table
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.norms.pack import Pack, Requirement, Risk, Rule
    from tongqiu.norms.time import Calendar

_STYLES = {"in-force": "green", "pending": "yellow", "amended": "dim", "repealed": "dim", "not-yet-known": "dim"}


def counts(pack: Pack) -> dict[str, Any]:
    """Return how much a pack holds, how much of it was checked, and which requirements nothing would answer."""
    unanswered = [each.id for each in pack.requirements if not each.answered_by and each.by_hand is None]
    checked = sum(each.checked for each in pack.requirements)
    return {
        "pack": pack.id,
        "version": pack.version,
        "requirements": len(pack.requirements),
        "checked": checked,
        "checked_share": round(checked / len(pack.requirements), 4) if pack.requirements else None,
        "unanswered_by": len(unanswered),
        "unanswered": unanswered,
        "rules": len(pack.rules),
        "facts": len(pack.facts),
        "risks": len(pack.risks),
        "sources": len(pack.sources),
        "groups": len(pack.groups),
        "scales": len(pack.scales),
    }


def whole(pack: Pack, calendar: Calendar, day: datetime.date, known: datetime.date) -> dict[str, Any]:
    """Return a whole pack as plain values: its sources and rows, as they stand on ``day`` as known on ``known``."""
    sources = [
        {
            "id": each.id,
            "document": each.document,
            "title": _both(each.title),
            "force": each.force,
            "licence": each.licence,
            "state": calendar.source(each, day, known).state,
        }
        for each in pack.sources
    ]
    rows: list[Requirement | Risk] = [*pack.requirements, *pack.risks]
    told = [
        {
            "id": each.id,
            "title": _both(each.title),
            "cite": _cites(pack, each),
            "state": calendar.row(each, day, known).state,
            "checked": each.checked,
            "group": each.group,
        }
        for each in rows
    ]
    return {
        **counts(pack),
        "title": _both(pack.title),
        "publisher": pack.publisher,
        "licence": pack.licence,
        "wording": pack.wording,
        "jurisdiction": pack.jurisdiction,
        "nature": pack.nature,
        "known_at": pack.known_at.isoformat(),
        "digest": pack.digest,
        "as_of": day.isoformat(),
        "asked_known_at": known.isoformat(),
        "source": sources,
        "row": told,
    }


def a_row(pack: Pack, name: str, calendar: Calendar, day: datetime.date, known: datetime.date) -> dict[str, Any]:
    """Return one row as plain values, as it stands on a day. Raises Missing (``norms.no-row``)."""
    from tongqiu.norms.pack import Requirement, Source
    from tongqiu.norms.reading import nearest
    from tongqiu.norms.succession import former, successors

    every: list[Any] = [*pack.sources, *pack.risks, *pack.rules, *pack.requirements]
    rows = {str(each.id): each for each in every}
    found = rows.get(name)
    if found is None:
        raise Missing(
            "norms.no-row",
            Text(en="The pack {pack} has no row {name}.", zh="规范包 {pack} 没有 {name} 这一行。"),
            do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
            pack=pack.id,
            name=name[:80],
            nearest=nearest(name, rows),
        )
    import msgspec

    told: dict[str, Any] = {"pack": pack.id, "version": pack.version, **msgspec.to_builtins(found)}
    source = isinstance(found, Source)
    standing = calendar.source(found, day, known) if source else calendar.row(found, day, known)
    told |= {
        "as_of": day.isoformat(),
        "asked_known_at": known.isoformat(),
        "state": standing.state,
        "applies_from": None if standing.applies_from is None else standing.applies_from.isoformat(),
        "applies_until": None if standing.applies_until is None else standing.applies_until.isoformat(),
        "by": list(standing.by),
    }
    if not source:
        told["checked"] = found.checked
        told["wording"] = getattr(found, "wording", None) or pack.wording
        told["cite"] = _cites(pack, found)
    if isinstance(found, Requirement):
        told["succeeded_by"] = list(successors(pack, found.id))
        told["took_the_place_of"] = list(former(pack, found.id))
    return told


def _cites(pack: Pack, row: Requirement | Risk | Rule) -> list[dict[str, str]]:
    return [
        {
            "document": pack.source(each.source).document,
            "article": each.article,
            "clause": each.clause,
            "force": pack.source(each.source).force,
            "licence": pack.source(each.source).licence,
        }
        for each in row.cite
    ]


def whole_lines(told: dict[str, Any]) -> Iterator[Any]:
    """Yield what a terminal shows of a whole pack."""
    from tongqiu.norms.words import FORCE, NATURE, STATES, UNCHECKED, WORDING

    tongue = lang()
    yield styled(f"{told['title'][tongue]}  {told['pack']} {told['version']}", "bold")
    yield t(
        "As of {day}, as known on {known}. Published by {publisher}, {licence}, {wording}. Looked at up to {until}.",
        "截至 {day} 的状态，按 {known} 所知。发布方 {publisher}，许可 {licence}，{wording}。资料截至 {until}。",
        day=told["as_of"],
        known=told["asked_known_at"],
        publisher=told["publisher"],
        licence=told["licence"],
        wording=WORDING[told["wording"]].of(tongue),
        until=told["known_at"],
    )
    if told["nature"] or told["jurisdiction"]:
        nature = NATURE[told["nature"]].of(tongue) if told["nature"] else ""
        yield "  ".join(each for each in (nature, told["jurisdiction"] or "") if each)
    yield t(
        "{requirements} requirements, {checked} compared with the primary text; {rules} rules, {facts} questions, {risks} risks.",
        "{requirements} 项要求，其中 {checked} 项已与原文核对；{rules} 条规则，{facts} 个问题，{risks} 项风险。",
        **{key: told[key] for key in ("requirements", "checked", "rules", "facts", "risks")},
    )
    columns = (t("Source", "来源"), t("Document", "文件"), t("Force", "效力"), t("State", "状态"), t("Licence", "许可"))
    yield table(
        columns,
        [
            (
                each["id"],
                each["document"],
                FORCE[each["force"]].of(tongue),
                STATES[each["state"]].of(tongue),
                each["licence"],
            )
            for each in told["source"]
        ],
    )
    if told["row"]:
        rows = table(
            (t("Row", "行"), t("Title", "名称"), t("Clause", "条款"), t("State", "状态"), t("Checked", "核对")),
            [
                (
                    each["id"],
                    each["title"][tongue],
                    "; ".join(one["article"] + one["clause"] for one in each["cite"]),
                    STATES[each["state"]].of(tongue),
                    t("yes", "是") if each["checked"] else UNCHECKED.of(tongue),
                )
                for each in told["row"]
            ],
        )
        rows.columns[0].no_wrap = True
        yield rows


def row_lines(told: dict[str, Any]) -> Iterator[Any]:
    """Yield what a terminal shows of one row."""
    from tongqiu.norms.words import FORCE, STATES, WORDING, checked

    tongue = lang()
    yield styled(f"{told['title'][tongue]}  {told['pack']}:{told['id']}", "bold")
    yield styled(STATES[told["state"]].of(tongue), _STYLES[told["state"]])
    yield t(
        "As of {day}, as known on {known}.",
        "截至 {day} 的状态，按 {known} 所知。",
        day=told["as_of"],
        known=told["asked_known_at"],
    )
    for key, words in (("applies_from", t("from", "自")), ("applies_until", t("until (exclusive)", "至（不含）"))):
        if told.get(key):
            yield f"  {words} {told[key]}"
    if told["by"]:
        yield t("  its place is taken by {names}", "  由 {names} 取代或修订", names=", ".join(told["by"]))
    for key in ("text", "reason", "meaning", "note", "by_hand"):
        if told.get(key):
            label = {"by_hand": t("Brought by a person: ", "由人提交："), "note": t("Note: ", "说明：")}.get(key, "")
            yield label + told[key][tongue]
    if "document" in told:
        yield f"{told['document']}  {FORCE[told['force']].of(tongue)}  {told['licence']}"
        return
    for each in told["cite"]:
        clause = f"{each['document']}, {each['article']}{each['clause']}"
        yield f"  {clause}  ({FORCE[each['force']].of(tongue)}; {t('licence of the text', '文本许可')}: {each['licence']})"
    yield WORDING[told["wording"]].of(tongue)
    yield checked(told["checked_by"], told["checked_on"], told["checked_against"]).of(tongue)
    if told.get("when"):
        yield t("Condition: {when}", "条件：{when}", when=told["when"])
    for each in told.get("answered_by", ()):
        yield t(
            "Answered by findings {finding} of records {kind} {part}",
            "由记录 {kind} 的判定 {finding} 回应 {part}",
            finding=each["finding"] or "*",
            kind=each["kind"] or "*",
            part=f"({each['part']})" if each.get("part") else "",
        )
    if told.get("took_the_place_of"):
        names = ", ".join(told["took_the_place_of"])
        yield t(
            "Took the place of {names}; evidence for those answers it.", "承继 {names}；其证据同样适用。", names=names
        )


def _both(words: Any) -> dict[str, str]:  # noqa: ANN401 - any text
    return {"en": words.en, "zh": words.zh}

"""A pack as an OSCAL catalog, and the requirements of one grade or role as an OSCAL profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.norms.oscal.frame import (
    NAMESPACE,
    Cover,
    Json,
    catalog_resource,
    cites,
    dates,
    line,
    metadata,
    midnight,
    other,
    prop,
    resource,
    token,
    translated,
    uid,
    write,
)
from tongqiu.norms.reading import nearest
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.norms.pack import Group, Pack, Requirement

OWN = "own-rows"
"""The class of a group that OSCAL makes necessary: a group holds groups or controls there, and never both."""


def write_catalog(pack: Pack) -> bytes:
    """Return ``pack`` as an OSCAL catalog: its groups, and a control for each requirement with dates, checks and cites.

    Questions, rules, scales and risks have no place in a catalog and are left out.
    """
    loose = [control(pack, each) for each in pack.requirements if each.group is None]
    return write(
        {
            "catalog": {
                "uuid": uid("catalog", pack.id, pack.version, pack.digest or ""),
                "metadata": _head(pack, "catalog"),
                "controls": loose,
                "groups": [_group(pack, each) for each in pack.groups if each.parent is None],
                "back-matter": {"resources": [resource(pack, each) for each in pack.sources]},
            }
        }
    )


def write_profile(pack: Pack, *, grade: str = "", role: str = "") -> bytes:
    """Return an OSCAL profile of the catalog of ``pack``: what is asked at one grade, of one role, or of all.

    ``grade`` is ``scale:grade``, or the grade alone where only one scale has it. A requirement that a rule brings is taken
    where the rule leads to that grade; it then still depends on that rule's condition, and says so in the catalog.
    Raises Missing (``norms.oscal.no-grade``, ``norms.oscal.no-role``, ``norms.oscal.empty``).
    """
    scale, step = _step(pack, grade) if grade else ("", "")
    if role:
        _known(role, [each.id for each in pack.roles], "no-role")
    taken = [each.id for each in pack.requirements if _asked(pack, each, scale, step) and _of(each, role)]
    if not taken:
        raise Missing(
            "norms.oscal.empty",
            Text(en="{pack} asks for nothing there.", zh="{pack} 在此没有要求。"),
            do=Text(en="Choose another grade or role.", zh="请选择其他等级或角色。"),
            pack=pack.id,
        )
    file = catalog_resource(pack)
    chosen: Json = {"href": "#" + file["uuid"]}
    if grade or role:
        chosen["include-controls"] = [{"with-ids": [token(each) for each in taken]}]
    else:
        chosen["include-all"] = {}
    return write(
        {
            "profile": {
                "uuid": uid("profile", pack.id, pack.version, pack.digest or "", scale, step, role),
                "metadata": _head(pack, "profile", grade=f"{scale}:{step}" if step else "", role=role),
                "imports": [chosen],
                "merge": {"as-is": True},
                "back-matter": {"resources": [file]},
            }
        }
    )


def control(pack: Pack, row: Requirement) -> Json:
    """Return one requirement as a control."""
    name = token(row.id)
    pinpoints, links = cites(pack, row.cite)
    statement = {
        "id": statement_id(row.id),
        "name": "statement",
        "prose": row.text.en,
        "parts": [translated(row.text)],
    }
    parts = [statement]
    if row.by_hand is not None:
        parts.append(
            {
                "id": f"{name}_gdn",
                "name": "guidance",
                "title": "By hand",
                "prose": row.by_hand.en,
                "parts": [translated(row.by_hand)],
            }
        )
    if row.note is not None:
        parts.append(
            {
                "id": f"{name}_note",
                "name": "note",
                "ns": NAMESPACE,
                "prose": row.note.en,
                "parts": [translated(row.note)],
            }
        )
    return {
        "id": name,
        "class": "requirement",
        "title": line(row.title.en),
        "props": [
            {"name": "label", "value": line(str(row.cite[0]))},
            *other(row.title, "title"),
            *pinpoints,
            *_marks(row),
        ],
        "links": links,
        "parts": parts,
    }


def statement_id(requirement: str) -> str:
    """Return the id of the part that holds what a requirement says."""
    return f"{token(requirement)}_smt"


def _marks(row: Requirement) -> list[Json]:
    """Return the dates, the state of the check, of whom it is asked, and what would answer it."""
    found = dates(
        applies_from=row.applies_from,
        applies_until=row.applies_until,
        known_from=row.known_from,
        known_until=row.known_until,
    )
    found.append(prop("check", "checked" if row.checked else "unchecked"))
    if row.checked_by:
        found.append(prop("checked-by", row.checked_by))
    found += dates(checked_on=row.checked_on)
    if row.checked_against:
        found.append(prop("checked-against", row.checked_against))
    if row.wording is not None:
        found.append(prop("wording", row.wording))
    found += [prop("asked-of", each) for each in row.asked_of]
    found += [prop("grade", each, kind=row.scale or "") for each in row.grades]
    found += [prop("rule", each) for each in row.rules]
    found += [
        prop("answered-by", f"{each.kind or '*'} {each.finding or '*'}", remarks=each.part) for each in row.answered_by
    ]
    found += [prop("succeeds", each) for each in row.succeeds]
    return found


def _group(pack: Pack, group: Group) -> Json:
    """Return a group with all that stands in it."""
    inner = [_group(pack, each) for each in pack.groups if each.parent == group.id]
    own = [control(pack, each) for each in pack.requirements if each.group == group.id]
    name = group_id(pack, group.id)
    pinpoints, links = cites(pack, group.cite)
    made: Json = {
        "id": name,
        "class": "group",
        "title": line(group.title.en),
        "props": [prop("group", group.id), *other(group.title, "title"), *pinpoints],
        "links": links,
    }
    if not inner:
        return {**made, "controls": own}
    if own:
        inner.insert(0, {"id": f"{name}_own", "class": OWN, "title": line(group.title.en), "controls": own})
    return {**made, "groups": inner}


def group_id(pack: Pack, group: str) -> str:
    """Return the id of a group, which no control has; where one has, ``_group`` stands behind it."""
    taken = any(each.id == group for each in pack.requirements)
    return token(group) + ("_group" if taken else "")


def _head(pack: Pack, what: str, *, grade: str = "", role: str = "") -> Json:
    chosen = ", ".join(each for each in (grade, role) if each)
    props = [
        prop("pack", pack.id),
        prop("licence", pack.licence),
        prop("wording", pack.wording),
        *dates(known_at=pack.known_at),
    ]
    props += [prop("digest", pack.digest)] if pack.digest else []
    props += [prop("jurisdiction", pack.jurisdiction)] if pack.jurisdiction else []
    props += [prop("nature", pack.nature)] if pack.nature else []
    props += other(pack.about, "about")
    props += [prop("grade", grade)] if grade else []
    props += [prop("role", role)] if role else []
    title = Text(en=f"{pack.title.en} ({chosen})", zh=f"{pack.title.zh}（{chosen}）") if chosen else pack.title
    cover = Cover(title, pack.version, pack.publisher, midnight(pack.known_at))
    if what != "catalog":
        return metadata(cover, props)
    roles = [
        {
            "id": token(each.id),
            "title": line(each.title.en),
            "props": [prop("role", each.id), *other(each.title, "title")],
        }
        for each in pack.roles
    ]
    head = metadata(cover, props, roles)
    return head if pack.about is None else {**head, "remarks": pack.about.en}


def _step(pack: Pack, grade: str) -> tuple[str, str]:
    scale, _, step = grade.rpartition(":")
    known = {f"{each.id}:{one.id}": (each.id, one.id) for each in pack.scales for one in each.grades}
    if scale:
        _known(grade, list(known), "no-grade")
        return known[grade]
    fitting = [pair for pair in known.values() if pair[1] == step]
    if len(fitting) > 1:
        raise Malformed(
            "norms.oscal.many-grades",
            Text(en="Several scales have the grade {name}.", zh="有多个量级含等级 {name}。"),
            do=Text(en="Write one of: {known}.", zh="请写：{known}。"),
            name=step,
            known=", ".join(":".join(pair) for pair in fitting),
        )
    if not fitting:
        _known(grade, list(known), "no-grade")
    return fitting[0]


def _known(name: str, known: list[str], code: str) -> None:
    if name not in known:
        raise Missing(
            f"norms.oscal.{code}",
            Text(en="The pack has no {name}.", zh="该规范包没有 {name}。"),
            do=Text(en="Did you mean {nearest}? There are: {known}", zh="是否想写 {nearest}？现有：{known}"),
            name=name[:80],
            nearest=nearest(name, known),
            known=", ".join(known) or "-",
        )


def _asked(pack: Pack, row: Requirement, scale: str, step: str) -> bool:
    """Tell whether a requirement is asked at a grade; without a grade every one is."""
    if not step or (row.scale is None and not row.rules):
        return True
    if row.scale == scale and step in row.grades:
        return True
    rules = [pack.rule(name) for name in row.rules]
    return any(each.scale == scale and each.grade == step for each in rules)


def _of(row: Requirement, role: str) -> bool:
    return not role or not row.asked_of or role in row.asked_of

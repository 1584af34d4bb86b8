"""A crosswalk as an OSCAL mapping collection: who relates to what, why, how surely; and what has no counterpart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.norms.crosswalk import Chain
from tongqiu.norms.oscal.frame import (
    Cover,
    Json,
    catalog_resource,
    dates,
    line,
    metadata,
    midnight,
    other,
    prop,
    token,
    uid,
    write,
)
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.norms.crosswalk import Crosswalk, Relation
    from tongqiu.norms.pack import Pack

_RELATIONSHIP = {"subset": "subset-of", "superset": "superset-of", "intersects": "intersects-with"}


def write_mapping(crosswalk: Crosswalk | Chain, have: Pack, want: Pack) -> bytes:
    """Return ``crosswalk`` from ``have`` to ``want`` as an OSCAL mapping collection of two catalogs.

    *Equal* in the sense of NIST IR 8477 ("the same, although not necessarily identical") is ``equivalent-to``; by
    wording (syntactic) it is ``equal-to``. Rows of type *none* are the gap summaries. Raises Refused
    (``norms.oscal.derived``) for relations that nobody mapped, as an OSCAL mapping would show them as mapped, and
    Missing (``norms.oscal.nothing-mapped``) where every row is of type none.
    """
    crosswalk = _mapped(crosswalk, have, want)
    resources = [catalog_resource(have), catalog_resource(want)]
    own = f"{crosswalk.id} {crosswalk.version} {crosswalk.digest} {crosswalk.turned}"
    description = crosswalk.about or crosswalk.title
    status = "complete" if all(each.reviewed for each in crosswalk.relations) else "draft"
    mapping: Json = {
        "uuid": uid("mapping", own),
        "source-resource": {"type": "catalog", "href": "#" + resources[0]["uuid"]},
        "target-resource": {"type": "catalog", "href": "#" + resources[1]["uuid"]},
        "maps": [_map(own, each) for each in crosswalk.mapped],
        "props": [_alone(each) for each in crosswalk.relations if each.type == "none"],
    }
    for side, key in (("from", "source-gap-summary"), ("to", "target-gap-summary")):
        alone = crosswalk.alone("from" if side == "from" else "to")
        if alone:
            mapping[key] = {
                "uuid": uid("gap", own, side),
                "unmapped-controls": [{"with-ids": [token(each) for each in alone]}],
            }
    cover = Cover(crosswalk.title, crosswalk.version, crosswalk.publisher, midnight(crosswalk.known_at))
    about = [
        prop("crosswalk", crosswalk.id),
        prop("licence", crosswalk.licence),
        *dates(known_at=crosswalk.known_at),
        *([prop("digest", crosswalk.digest)] if crosswalk.digest else []),
        *([prop("turned", "yes")] if crosswalk.turned else []),
    ]
    return write(
        {
            "mapping-collection": {
                "uuid": uid("mapping-collection", own),
                "metadata": metadata(cover, about),
                "provenance": {
                    "method": "hybrid",
                    "matching-rationale": _usual(crosswalk),
                    "status": status,
                    "mapping-description": description.en,
                    "props": other(description, "description"),
                    "remarks": "Rows are written by whom they name; software checks that they are whole and consistent.",
                },
                "mappings": [mapping],
                "back-matter": {"resources": resources},
            }
        }
    )


def _mapped(crosswalk: Crosswalk | Chain, have: Pack, want: Pack) -> Crosswalk:
    """Return what somebody mapped, or refuse."""
    if isinstance(crosswalk, Chain):
        raise Refused(
            "norms.oscal.derived",
            Text(
                en="Nobody mapped {have} to {want}; what only follows by way of {by} is not written as a mapping.",
                zh="尚无人直接对照 {have} 与 {want}；仅经 {by} 推得的关系不会写成对照。",
            ),
            do=Text(en="Export each crosswalk on the way.", zh="请分别导出途中的各个对照。"),
            have=have.id,
            want=want.id,
            by=", ".join(crosswalk.by),
        )
    if not crosswalk.mapped:
        raise Missing(
            "norms.oscal.nothing-mapped",
            Text(en="Nothing of {have} has a counterpart in {want}.", zh="{have} 在 {want} 中没有任何对应。"),
            do=Text(en="OSCAL has no mapping without one.", zh="OSCAL 的对照至少须有一条关系。"),
            have=have.id,
            want=want.id,
        )
    return crosswalk


def _map(own: str, row: Relation) -> Json:
    props = [
        prop("mapped-by", row.mapped_by),
        *dates(mapped_on=row.mapped_on),
        prop("strength", str(row.strength), remarks="1 to 10, as in the OLIR template of NIST."),
        prop("review", "reviewed" if row.reviewed else "unreviewed"),
    ]
    if row.reviewed:
        props += [prop("reviewed-by", row.reviewed_by), *dates(reviewed_on=row.reviewed_on)]
    equal = "equal-to" if row.rationale == "syntactic" else "equivalent-to"
    return {
        "uuid": uid("map", own, str(row.from_), str(row.to), str(row.rationale)),
        "matching-rationale": str(row.rationale),
        "relationship": _RELATIONSHIP.get(row.type, equal),
        "sources": [{"type": "control", "id-ref": token(str(row.from_))}],
        "targets": [{"type": "control", "id-ref": token(str(row.to))}],
        "confidence-score": {"category": row.confidence},
        "props": [*props, prop("why", row.why.zh, kind="zh")],
        "remarks": row.why.en,
    }


def _alone(row: Relation) -> Json:
    side, name = ("source", row.from_) if row.from_ is not None else ("target", row.to)
    return prop("no-counterpart", str(name), kind=side, remarks=f"{line(row.why.en)}\n\n{line(row.why.zh)}")


def _usual(crosswalk: Crosswalk) -> str:
    """Return the rationale that most rows have, which OSCAL asks for once for all; each row still has its own."""
    said = [str(each.rationale) for each in crosswalk.mapped]
    return max(("semantic", "functional", "syntactic"), key=said.count)

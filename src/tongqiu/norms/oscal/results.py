"""What was found on a system, as OSCAL assessment results under one pack: observations, and findings where verdicts allow.

A finding is *satisfied* only where every part of the requirement is spoken to and every verdict is *met*, and *not
satisfied* where one is *not met*. Whatever is undecided, partly spoken to, or not assessed is no finding: it stays an
observation or is not there at all. None of it says that a duty is fulfilled.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from tongqiu.norms.gap import speaking, tell
from tongqiu.norms.grading import Seen
from tongqiu.norms.oscal.catalog import statement_id
from tongqiu.norms.oscal.frame import (
    Cover,
    Json,
    catalog_resource,
    line,
    metadata,
    prop,
    token,
    uid,
    write,
)
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.norms.pack import Pack, Requirement

CAVEAT = Text(
    en="Every verdict recorded here that speaks to this requirement is met. Whether the duty is fulfilled is for people "
    "to judge.",
    zh="此处所有涉及该要求的判定均为“满足”。义务是否已经履行，由人判断。",
)


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as results show it: the finding in its record, when that was said, about what, and by whom.

    ``at`` is an RFC 3339 instant in UTC, ``subject`` and ``name`` the identifier and name of what it is about,
    ``issuer`` the DID of the party that said it.
    """

    seen: Seen
    at: str
    subject: str
    name: str
    issuer: str


def write_results(pack: Pack, system: tuple[str, str], observed: Sequence[Observed]) -> bytes:
    """Return the assessment results of ``system`` (identifier and name) under ``pack``, from what was ``observed``.

    Raises Missing (``norms.oscal.nothing-found``) when nothing that was observed speaks to any requirement of the pack.
    """
    told = [each for each in observed if each.seen.finding.verdict != "not-assessed"]
    heard = {row.id: _speaking(pack, row, told) for row in pack.requirements}
    reviewed = [row for row in pack.requirements if heard[row.id]]
    if not reviewed:
        raise Missing(
            "norms.oscal.nothing-found",
            Text(en="No record on {system} speaks to {pack}.", zh="关于 {system} 的记录均未涉及 {pack}。"),
            do=Text(en="Assess it first: tongqiu assess FOLDER", zh="请先评估：tongqiu assess 目录"),
            system=system[1] or system[0],
            pack=pack.id,
        )
    keyed = {_key(each): each for row in reviewed for each in heard[row.id]}
    ordered = [keyed[key] for key in sorted(keyed)]
    said = tell(pack, [each.seen for each in told])
    concluded = [_finding(row, heard[row.id], whole=said[row.id].state == "answered") for row in reviewed]
    digest = hashlib.sha256(repr(sorted(keyed)).encode()).hexdigest()
    file, plan = catalog_resource(pack), _no_plan(system[0])
    first, last = min(each.at for each in ordered), max(each.at for each in ordered)
    result = {
        "uuid": uid("result", pack.id, pack.version, system[0], digest),
        "title": line(f"{system[1] or system[0]}: {pack.title.en}"),
        "description": "What records say to the requirements of this catalog, and no more.",
        "start": first,
        "end": last,
        "local-definitions": {"components": _components(system, ordered)},
        "reviewed-controls": {
            "links": [{"href": "#" + file["uuid"], "rel": "reference"}],
            "control-selections": [{"include-controls": [{"control-id": token(each.id)} for each in reviewed]}],
        },
        "observations": [_observation(each) for each in ordered],
        "findings": [each for each in concluded if each is not None],
    }
    named = system[1] or system[0]
    title = Text(en=f"{named}: {pack.title.en}", zh=f"{named}：{pack.title.zh}")
    cover = Cover(title, pack.version, pack.publisher, last)
    head = metadata(cover, [prop("pack", pack.id), prop("system", system[0])])
    head["parties"] += [
        {"uuid": uid("party", each), "type": "organization", "name": each}
        for each in sorted({each.issuer for each in ordered})
        if each != pack.publisher
    ]
    return write(
        {
            "assessment-results": {
                "uuid": uid("assessment-results", pack.id, pack.version, pack.digest or "", system[0], digest),
                "metadata": head,
                "import-ap": {"href": "#" + plan["uuid"], "remarks": "There is no OSCAL assessment plan."},
                "results": [result],
                "back-matter": {"resources": [file, plan]},
            }
        }
    )


def _speaking(pack: Pack, row: Requirement, observed: Sequence[Observed]) -> list[Observed]:
    """Return what speaks to a requirement, in order."""
    heard = {id(each) for each in speaking(pack, row, [each.seen for each in observed])}
    return [each for each in observed if id(each.seen) in heard]


def _key(observed: Observed) -> tuple[str, str, str, str]:
    """Return what tells one finding from every other, in the order in which they are shown."""
    finding = observed.seen.finding
    said = msgspec.json.encode(finding, order="sorted").decode()
    return observed.seen.entry, finding.requirement, finding.code, said


def _finding(row: Requirement, heard: list[Observed], *, whole: bool) -> Json | None:
    """Return the finding on one requirement, or None where the verdicts allow none."""
    verdicts = {each.seen.finding.verdict for each in heard}
    if "unmet" in verdicts:
        state, reason = "not-satisfied", "fail"
        words = Text(en="A verdict recorded here is not met.", zh="此处有判定为“未满足”。")
    elif whole and "met" in verdicts and verdicts <= {"met", "not-applicable"}:
        state, reason, words = "satisfied", "pass", CAVEAT
    else:
        return None
    related = sorted({uid("observation", *_key(each)) for each in heard})
    return {
        "uuid": uid("finding", row.id, *related),
        "title": line(row.title.en),
        "description": words.en,
        "props": [prop("verdict", each) for each in sorted(verdicts)],
        "target": {
            "type": "statement-id",
            "target-id": statement_id(row.id),
            "status": {"state": state, "reason": reason},
        },
        "related-observations": [{"observation-uuid": each} for each in related],
        "remarks": words.zh,
    }


def _observation(observed: Observed) -> Json:
    finding, seen = observed.seen.finding, observed.seen
    return {
        "uuid": uid("observation", *_key(observed)),
        "title": line(finding.title.en),
        "description": finding.reason.en,
        "props": [
            prop("verdict", finding.verdict),
            prop("requirement", finding.requirement),
            prop("code", finding.code),
            prop("kind", seen.kind),
        ],
        "methods": ["EXAMINE"],
        "types": ["control-objective"],
        "origins": [{"actors": [{"type": "party", "actor-uuid": uid("party", observed.issuer)}]}],
        "subjects": [
            {"subject-uuid": uid("component", observed.subject), "type": "component", "title": _named(observed)}
        ],
        "relevant-evidence": [
            {"href": f"urn:tongqiu:record:{seen.entry}", "description": f"Record {seen.entry} of kind {seen.kind}."}
        ],
        "collected": observed.at,
        "remarks": finding.reason.zh,
    }


def _components(system: tuple[str, str], observed: list[Observed]) -> list[Json]:
    named = {each.subject: _named(each) for each in observed}
    named[system[0]] = line(system[1] or system[0])
    return [
        {
            "uuid": uid("component", each),
            "type": "system" if each == system[0] else "software",
            "title": named[each],
            "description": f"{named[each]} ({each})",
            "props": [prop("subject", each)],
            # Whether it runs anywhere is not ours to say.
            "status": {"state": "other"},
        }
        for each in sorted(named)
    ]


def _named(observed: Observed) -> str:
    return line(observed.name or observed.subject)


def _no_plan(system: str) -> Json:
    return {
        "uuid": uid("no plan", system),
        "title": "No assessment plan",
        "description": "These results were not made under an OSCAL assessment plan.",
    }

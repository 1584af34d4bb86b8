"""Recognition across two nodes: an arrangement accepts a laboratory's results while its accreditation holds.

The accreditor and the laboratory speak at their own node; another party weighs, at another node, what it heard from
there: as of a day, and as known on a day. That nobody had objected is weighed, too, and can be checked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import msgspec

from tongqiu.practice import Assessor, Column, Practice, Put, View
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.practice import Ask

_HERE = "tests.rehearsal.recognition"


class Accreditation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A laboratory may test in this scope."""

    laboratory: str
    scope: Annotated[str, msgspec.Meta(min_length=1)]


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A laboratory's share of right answers of a system, over ``n`` cases."""

    laboratory: str
    scope: str
    right: int
    n: Annotated[int, msgspec.Meta(gt=0)]


class Objection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody objects to a result."""

    why: str


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether results about a system are recognised here, and how many were looked at."""

    state: str
    results: int
    objections: int


def evidence(body: Result) -> tuple[Evidence]:
    title = Text(en="Share of right answers", zh="正确率")
    return (Evidence("recognition.right", title, body.right / body.n, "1", "count@1", n=body.n, ran_by="third"),)


def findings(body: Decision) -> tuple[Finding]:
    met = body.state == "recognised"
    reason = Text(
        en="{n} results by accredited laboratories, {o} objections: {s}.",
        zh="获认可实验室的结果 {n} 项，异议 {o} 项：{s}。",
    ).fill(n=body.results, o=body.objections, s=body.state)
    title = Text(en="Recognised results", zh="获承认的结果")
    return (Finding("recognition.results", title, "met" if met else "undecided", f"recognition.{body.state}", reason),)


def assess(subject: Subject, ask: Ask) -> Iterable[Said]:
    """Recognise results of laboratories whose accreditation stands, unless somebody objected.

    The empty answer to the last question is part of the decision, and is recorded with it.
    """
    results = [RESULT.read(each.body) for each in ask.said(RESULT.name, subject=subject)]
    held = {
        (body.laboratory, body.scope)
        for body in (ACCREDITATION.read(each.body) for each in ask.said(ACCREDITATION.name))
    }
    objections = ask.said(OBJECTION.name, subject=subject)
    counted = [each for each in results if (each.laboratory, each.scope) in held]
    state = "objected" if objections else "recognised" if counted else "not-recognised"
    yield Said(DECISION.name, subject, Decision(state, len(counted), len(objections)))


def rows(statement: Statement) -> Iterable[Put]:
    """Yield one row an accreditation; whose it is belongs to the key, since peers speak here, too."""
    body = ACCREDITATION.read(statement.body)
    yield Put({"issuer": statement.issuer, "laboratory": body.laboratory, "scope": body.scope})


ACCREDITATION = Kind(name="recognition.accreditation/1", body=Accreditation, title=Text(en="Accreditation", zh="认可"))
RESULT = Kind(
    name="recognition.result/1", body=Result, title=Text(en="Laboratory result", zh="实验室结果"), evidence=evidence
)
OBJECTION = Kind(name="recognition.objection/1", body=Objection, title=Text(en="Objection", zh="异议"))
DECISION = Kind(
    name="recognition.decision/1", body=Decision, title=Text(en="Recognition", zh="承认决定"), findings=findings
)

PRACTICE = Practice(
    name="recognition-rehearsal",
    title=Text(en="Recognition", zh="互认"),
    about=Text(en="Results accepted from laboratories elsewhere.", zh="承认他处实验室的结果。"),
    kinds=(ACCREDITATION, RESULT, OBJECTION, DECISION),
    assessors=(
        Assessor(
            name="recognition.decide",
            version="1",
            title=Text(en="Recognition of results", zh="结果承认"),
            about=("system",),
            reads=(ACCREDITATION.name, RESULT.name, OBJECTION.name),
            makes=(DECISION.name,),
            assess=f"{_HERE}:assess",
        ),
    ),
    views=(
        View(
            name="recognition.accreditations",
            version=1,
            title=Text(en="Accreditations", zh="认可名录"),
            reads=(ACCREDITATION.name,),
            columns=(
                Column(name="issuer", title=Text(en="Accreditor", zh="认可机构")),
                Column(name="laboratory", title=Text(en="Laboratory", zh="实验室"), searched=True),
                Column(name="scope", title=Text(en="Scope", zh="范围")),
            ),
            key=("issuer", "laboratory", "scope"),
            rows=f"{_HERE}:rows",
        ),
    ),
)

"""A small sound practice, and parts that spoil it: what the contract tests are tried on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tongqiu.practice import Assessor, Column, Field, Practice, Probe, Put, Run, Target, Verb, View
from tongqiu.record.faults import Refused
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.practice import Ask, Desk, World
    from tongqiu.record.statement import Statement

HERE = "tests.third_party.small"
NOT_CALLABLE = 1
_calls: list[int] = []


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A count, and twice the count."""

    n: int
    twice: int


class Open(msgspec.Struct):
    """Neither frozen nor closed."""

    n: int


def measures(body: Body) -> Iterable[Evidence]:
    yield Evidence("small.n", Text(en="A number of things", zh="事物数量"), body.n, "1", "count@1")


def halved(body: Body) -> Iterable[str]:
    if body.twice != 2 * body.n:
        yield "twice"


def plan(target: Target) -> Iterable[Run]:
    if target.path:
        yield Run(target.subject, Size(target.path), (target.path,))


def plan_at_random(target: Target) -> Iterable[Run]:
    _calls.append(1)
    yield Run(target.subject, Size(str(len(_calls))))


def plan_and_look(target: Target) -> Iterable[Run]:
    Path("/etc/hostname").read_bytes()
    return plan(target)


class Size(msgspec.Struct, frozen=True):
    """What to read."""

    path: str = ""


def look(subject: Subject, params: Size, world: World) -> Iterable[Said]:
    with world.tree.open(params.path) as file:
        n = len(file.read())
    yield Said("small.thing/1", subject, Body(n, 2 * n))


def look_around(subject: Subject, params: Size, world: World) -> Iterable[Said]:
    """Peep at a file that was not lent, and hide the refusal."""
    with contextlib.suppress(Refused):
        Path("/etc/hostname").read_bytes()
    return look(subject, params, world)


def weigh(subject: Subject, ask: Ask) -> Iterable[Said]:
    found = [THING.read(each.body).n for each in ask.said(THING.name, subject=subject)]
    if found:
        yield Said(VERDICT.name, subject, Body(sum(found), 2 * sum(found)))


def weigh_the_first(subject: Subject, ask: Ask) -> Iterable[Said]:
    found = ask.said(THING.name, subject=subject)
    if found:
        n = THING.read(found[0].body).n
        yield Said(VERDICT.name, subject, Body(n, 2 * n))


def rows(statement: Statement) -> Iterable[Put]:
    yield Put({"entry": statement.entry, "n": THING.read(statement.body).n})


def rows_and_more(statement: Statement) -> Iterable[Put]:
    yield Put({"entry": statement.entry, "n": str(statement.body["n"]), "more": 1})


def rows_by_the_clock(statement: Statement) -> Iterable[Put]:
    _calls.append(1)
    yield Put({"entry": statement.entry, "n": len(_calls)})


THING = Kind(name="small.thing/1", body=Body, title=Text(en="Thing", zh="事物"), evidence=measures, holds=halved)
VERDICT = Kind(name="small.sum/1", body=Body, title=Text(en="Sum", zh="总和"), holds=halved)
PROBE = Probe(
    name="small.look",
    version="1",
    title=Text(en="A look", zh="查看"),
    makes=(THING.name,),
    plan=f"{HERE}:plan",
    observe=f"{HERE}:look",
    needs=("tree",),
    params=Size,
)
ASSESSOR = Assessor(
    name="small.weigh",
    version="1",
    title=Text(en="A sum", zh="求和"),
    about=("dataset",),
    reads=(THING.name,),
    makes=(VERDICT.name,),
    assess=f"{HERE}:weigh",
)
VIEW = View(
    name="small.things",
    version=1,
    title=Text(en="Things", zh="事物名录"),
    reads=(THING.name,),
    columns=(
        Column(name="entry", title=Text(en="Record", zh="记录")),
        Column(name="n", title=Text(en="Number", zh="数量"), type="integer"),
    ),
    key=("entry",),
    rows=f"{HERE}:rows",
)


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form of one field."""

    words: str


def say(desk: Desk, form: Words) -> Iterable[Said]:
    n = len(form.words)
    yield Said(THING.name, Subject("party", desk.issuer), Body(n, 2 * n))


WORDS = Verb(
    name="small.say",
    title=Text(en="Say a thing", zh="说明事物"),
    about=Text(en="Counts the letters.", zh="统计字数。"),
    form=Words,
    fields={"words": Field(title=Text(en="Words", zh="文字"), help=Text(en="Say it in words.", zh="请用文字说明。"))},
    role="contributor",
    run=f"{HERE}:say",
    makes=(THING.name,),
    on=("dataset", "small.*"),
)
SMALL = Practice(
    name="small",
    title=Text(en="Small things", zh="小事物"),
    about=Text(en="Counts things.", zh="统计事物。"),
    kinds=(THING, VERDICT),
    probes=(PROBE,),
    assessors=(ASSESSOR,),
    views=(VIEW,),
    verbs=(WORDS,),
)

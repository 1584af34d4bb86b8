"""What stands at each address: from a request to the model of a page and the rows of its CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tongqiu.node.people import NOBODY, Signed
from tongqiu.portal import directory, overview, records, sheet
from tongqiu.portal.grades import shelf_of
from tongqiu.portal.models import (
    FindingRow,
    JobRow,
    KindRow,
    MeasureRow,
    Named,
    RecordRow,
    RegistryRow,
    Step,
)
from tongqiu.portal.posted import EMPTY, Posted
from tongqiu.practice import load
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tongqiu.portal.lent import Desk, Node
    from tongqiu.portal.sheet import Sheet
    from tongqiu.practice import Page

_MOST_ROWS = 1000
_MOST_TEXT = 200
_HEX = frozenset("0123456789abcdef")


class Shown(NamedTuple):
    """A page before it has a form: its template, title and model, and the rows that its CSV holds."""

    template: str
    title: Text
    model: Any
    sheet: Sheet


class Visit(NamedTuple):
    """One request: the node, the desk of whoever asks, the path's places, the query, who asks, and what they sent."""

    node: Node
    desk: Desk
    path: dict[str, str]
    query: dict[str, str]
    signed: Signed = NOBODY
    posted: Posted = EMPTY

    def asked(self, name: str) -> str:
        """Return a query parameter, trimmed. Raises Malformed (``portal.long``) for one that is too long."""
        value = self.query.get(name, "").strip()
        if len(value) > (1024 if name in {"id", "subject", "system"} else _MOST_TEXT):
            raise Malformed(
                "portal.long",
                Text(en="The parameter {name} is too long.", zh="参数 {name} 过长。"),
                do=Text(en="Shorten it.", zh="请缩短。"),
                name=name,
            )
        return value

    def whole(self, name: str, default: int, most: int) -> int:
        """Return a whole number from the query between 0 and ``most``. Raises Malformed (``portal.number``)."""
        value = self.asked(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 9):  # noqa: PLR2004 - digits
            raise Malformed(
                "portal.number",
                Text(en="The parameter {name} must be a whole number.", zh="参数 {name} 必须是整数。"),
                do=Text(en="Write digits only.", zh="请只写数字。"),
                name=name,
            )
        return min(int(value), most)

    @property
    def cursor(self) -> str | None:
        """Return where a list goes on, None at its start."""
        return str(self.whole("after", 0, 10**9)) if self.asked("after") else None

    @property
    def entry(self) -> str:
        """Return the entry that the path names. Raises Missing where it cannot be one."""
        value = self.path["hex"]
        if len(value) != 64 or not _HEX.issuperset(value):  # noqa: PLR2004 - hex digits of SHA-256
            raise directory.absent()
        return f"sha-256:{value}"


def _subject(visit: Visit) -> Shown:
    subject = visit.desk.subject(visit.asked("id"))
    model = overview.subject_page(visit.node.practices, visit.desk, subject, shelf_of(visit.node, visit.desk))
    name = subject.name or subject.id
    return Shown("subject.html", Text(en=name, zh=name), model, sheet.sheet(MeasureRow, model.measures))


def _records(visit: Visit) -> Shown:
    model = records.records(
        visit.node,
        visit.desk,
        kind=visit.asked("kind"),
        subject=visit.asked("subject"),
        search=visit.asked("search"),
        after=visit.cursor,
    )
    return Shown("records.html", Text(en="Records", zh="记录"), model, sheet.sheet(RecordRow, model.records))


def _record(visit: Visit) -> Shown:
    model = records.record(visit.node, visit.desk, visit.entry)
    rows = [("entry", model.record.entry), ("kind", model.record.kind), ("issuer", model.record.issuer)]
    rows += [("subject", model.record.subject.id), ("at", model.record.at), ("logged", model.record.logged)]
    rows += [("word", model.record.word)]
    named = model.record.title or Text(en=model.record.kind or "Record", zh=model.record.kind or "记录")
    return Shown("record.html", named, model, sheet.facts([*rows, *sheet.flatten(model.body, "body")]))


def _explain(visit: Visit) -> Shown:
    model = records.explain(visit.node, visit.desk, visit.entry)
    return Shown(
        "explain.html",
        Text(en="How this came about", zh="来龙去脉"),
        model,
        sheet.sheet(RecordRow, (step.record for step in _steps(model.root) if step.record is not None)),
    )


def _steps(step: Step) -> Iterator[Step]:
    yield step
    for each in step.why:
        yield from _steps(each)


def _findings(visit: Visit) -> Shown:
    model = records.findings(
        visit.desk,
        subject=visit.asked("subject"),
        requirement=visit.asked("requirement"),
        verdict=visit.asked("verdict"),
    )
    return Shown("findings.html", Text(en="Findings", zh="判定"), model, sheet.sheet(FindingRow, model.findings))


def _measures(visit: Visit) -> Shown:
    model = records.measures(visit.desk, subject=visit.asked("subject"), measure=visit.asked("measure"))
    return Shown("measures.html", Text(en="Measures", zh="测量"), model, sheet.sheet(MeasureRow, model.measures))


def _registries(visit: Visit) -> Shown:
    model = directory.registries(visit.node)
    return Shown("registries.html", Text(en="Registries", zh="名录"), model, sheet.sheet(RegistryRow, model.registries))


def _registry(visit: Visit) -> Shown:
    own = {"lang", "search", "limit", "offset"}
    params = {key: value for key, value in visit.query.items() if key not in own}
    model = directory.registry(
        visit.node,
        visit.desk,
        visit.path["name"],
        params,
        search=visit.asked("search"),
        limit=visit.whole("limit", 100, _MOST_ROWS),
        offset=visit.whole("offset", 0, 10**9),
    )
    columns = tuple(each.name for each in model.columns)
    return Shown("registry.html", model.title, model, sheet.Sheet(columns, model.rows))


def _areas(visit: Visit) -> Shown:
    model = directory.areas(visit.node)
    rows = tuple((each.name, each.title.en, each.title.zh, len(each.kinds)) for each in model.areas)
    columns = ("name", "title_en", "title_zh", "kinds")
    return Shown("areas.html", Text(en="Areas", zh="领域"), model, sheet.Sheet(columns, rows))


def area(visit: Visit) -> Shown:
    """Return the page of one area; its address comes last, after the pages that areas bring themselves."""
    model = directory.area(visit.node, visit.path["name"])
    return Shown("area.html", model.title, model, sheet.sheet(Named, model.brings))


def _kind(visit: Visit) -> Shown:
    model = directory.kind(visit.node, f"{visit.path['name']}/{visit.path['version']}")
    return Shown("kind.html", model.kind.title, model, sheet.sheet(KindRow, [model.kind]))


def _jobs(visit: Visit) -> Shown:
    model = directory.jobs(visit.desk)
    return Shown("jobs.html", Text(en="Work in progress", zh="任务"), model, sheet.sheet(JobRow, model.jobs))


def _about(visit: Visit) -> Shown:
    model = directory.about(visit.node, visit.desk)
    leaves = sheet.flatten(msgspec.to_builtins(model))
    return Shown("about.html", Text(en="About and how to check", zh="说明与核验"), model, sheet.facts(leaves))


PAGES: tuple[tuple[str, str, Callable[[Visit], Shown]], ...] = (
    ("/subject", "/subject", _subject),
    ("/records", "/records", _records),
    ("/records/{hex}/explain", "/records/{hex}/explain", _explain),
    ("/records/{hex}", "/records/{hex}", _record),
    ("/findings", "/findings", _findings),
    ("/measures", "/measures", _measures),
    ("/registries", "/registries", _registries),
    ("/registries/{name}", "/registries/{name}", _registry),
    ("/areas", "/areas", _areas),
    ("/kinds/{name}/{version}", "/kinds/{name}/{version}", _kind),
    ("/jobs", "/jobs", _jobs),
    ("/about", "/about", _about),
)
"""Every page: its address, the address to which ``.json`` and ``.csv`` are added, and what it shows."""


def practice_page(page: Page) -> Callable[[Visit], Shown]:
    """Return what shows a practice's own page: its model, in its own template."""

    def show(visit: Visit) -> Shown:
        params = {**{key: value for key, value in visit.query.items() if key != "lang"}, **visit.path}
        model = load(page.context)(visit.desk, params)
        return Shown(page.template, page.title, model, sheet.of_any(model))

    return show

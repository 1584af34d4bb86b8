"""Assessing a system from the pages: choose a folder, say what only people know, look at what will be written, begin.

Every step is a plain form. What is typed stays where it is until it is right; nothing is written before it was shown, and
a ``tongqiu.toml`` of the owner's own hand is only added to where answers were given, and shown line by line beforehand.
"""

from __future__ import annotations

import datetime
import difflib
import hashlib
import tomllib
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from tongqiu.node import manifest, places, propose, work
from tongqiu.node.node import Node as RealNode
from tongqiu.node.people import may
from tongqiu.node.verbs import owned
from tongqiu.portal import directory, sheet
from tongqiu.portal.norms_pages import answers as answers_of
from tongqiu.portal.norms_shelf import number
from tongqiu.portal.pages import Shown
from tongqiu.record.faults import Fault, Malformed, Refused
from tongqiu.record.shapes import RanBy
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from tongqiu.node.places import Place
    from tongqiu.norms.library import Norms
    from tongqiu.norms.pack import Fact
    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit
    from tongqiu.record.audience import Principal

_LONGEST = 2000
_NAME = 190
_RAN_BY: dict[str, Text] = {
    "first": Text(en="the provider itself (first party)", zh="提供方自身（第一方）"),
    "second": Text(en="a user or buyer (second party)", zh="使用方或采购方（第二方）"),
    "third": Text(en="independent of both (third party)", zh="独立于双方（第三方）"),
}
_TITLE = Text(en="Assess a system", zh="评估一个系统")
_YES_NO = (("true", Text(en="yes", zh="是")), ("false", Text(en="no", zh="否")))


class Choice(msgspec.Struct, frozen=True):
    """One answer that may be chosen."""

    value: str
    title: Text
    chosen: bool


class Question(msgspec.Struct, frozen=True):
    """A question about the use of a system, with its answer so far; ``within`` are those that a yes to it opens.

    A question of type ``number`` (in ``unit``) or ``date`` takes its exact answer, ``exact``, or the band in which it lies.
    """

    key: str
    type: str
    unit: str
    question: Text
    help: Text | None
    choices: tuple[Choice, ...]
    value: str
    exact: str
    error: Text | None
    within: tuple[Question, ...]
    answered: int


class Table(msgspec.Struct, frozen=True):
    """A table that was found: its path, columns, and which of them were said to be what."""

    path: str
    columns: tuple[str, ...]
    label: str
    sensitive: tuple[str, ...]


class FolderRow(msgspec.Struct, frozen=True):
    """A folder to go on to."""

    name: str
    at: str
    declared: bool


class Start(msgspec.Struct, frozen=True):
    """Choosing a folder. ``way`` are the folders above, each with the way to it; ``sure`` that one is chosen already."""

    roots: tuple[str, ...]
    root: int
    at: str
    way: tuple[tuple[str, str], ...]
    folders: tuple[FolderRow, ...]
    more: bool
    declared: bool
    may: bool


class Form(msgspec.Struct, frozen=True):
    """What is known and asked of one folder. ``text`` is a manifest that stands, ``change`` what would be changed in it.

    ``was`` and ``will`` are digests of what stands and of what was shown; with ``will`` the next press of the button does it.
    """

    root: int
    at: str
    folder: str
    name: str
    purpose: str
    ran_by: tuple[Choice, ...]
    models: tuple[str, ...]
    tables: tuple[Table, ...]
    code: tuple[str, ...]
    questions: tuple[Question, ...]
    errors: tuple[Text, ...]
    text: str
    change: tuple[str, ...]
    was: str
    will: str


class Said:
    """What was typed, as it was typed."""

    def __init__(self, fields: Mapping[str, tuple[str, ...]]) -> None:
        """Hold the fields of a form."""
        self._fields = fields

    def one(self, name: str, default: str = "") -> str:
        """Return a field, trimmed and cut to what any answer may be."""
        return self._fields.get(name, (default,))[0].strip()[:_LONGEST]

    def many(self, name: str) -> tuple[str, ...]:
        """Return all values of a field."""
        return tuple(each[:_LONGEST] for each in self._fields.get(name, ()))


def routes(site: Site) -> list[Route]:
    """Return the routes of the wizard."""
    if not isinstance(site.node, RealNode):
        return []
    made = Wizard(site, site.node)
    return [
        *site.page("/assess/folder", "/assess/folder", made.look),
        site.form("/assess/folder", made.take),
        *site.page("/assess", "/assess", made.start),
    ]


class Wizard:
    """The steps from a folder to a job, for one site."""

    def __init__(self, site: Site, node: RealNode) -> None:
        """Lead people of ``site`` through the folders that the owner of ``node`` named."""
        self._site, self._node = site, node

    # --- choosing a folder ---------------------------------------------------------------------------------------------

    def start(self, visit: Visit) -> Shown:
        """Show the folders to choose from. Raises Missing for whoever may not assess anything."""
        who = _entitled(visit)
        named = places.roots(self._node, who)
        shown = tuple(each.name or str(each) for each in named)
        empty = Start(shown, -1, "", (), (), more=False, declared=False, may=bool(named))
        if not visit.asked("root"):
            return Shown("assess.html", _TITLE, empty, sheet.sheet(FolderRow, ()))
        found = self._place(visit, visit.asked("root"), visit.query.get("at", ""))
        rows, more = places.folders(found)
        steps = found.at.split("/") if found.at else []
        way = ((shown[found.root], ""), *((step, "/".join(steps[: n + 1])) for n, step in enumerate(steps)))
        model = Start(
            shown,
            found.root,
            found.at,
            way,
            tuple(FolderRow(*each) for each in rows),
            more=more,
            declared=(found.real / manifest.NAME).is_file(),
            may=True,
        )
        return Shown("assess.html", _TITLE, model, sheet.sheet(FolderRow, model.folders))

    def _place(self, visit: Visit, root: str, at: str) -> Place:
        if not (root.isascii() and root.isdigit() and len(root) < 4) or len(at) > 4096:  # noqa: PLR2004 - sane sizes
            raise directory.absent()
        return places.place(self._node, _entitled(visit), int(root), at)

    # --- saying what only people know ----------------------------------------------------------------------------------

    def look(self, visit: Visit) -> Shown:
        """Show what lies in a folder and ask what is not known. Raises Missing for a folder that may not be reached."""
        found = self._place(visit, visit.asked("root"), visit.query.get("at", ""))
        model = self._form(found, None)
        return Shown("assess_folder.html", _TITLE, model, sheet.sheet(Question, model.questions))

    def take(self, request: Request, visit: Visit) -> Response:
        """Check what was typed; show it as it will be written; write it and begin once that was confirmed."""
        sent = Said(visit.posted.fields)
        found = self._place(visit, visit.posted.one("root"), visit.posted.one("at"))
        if not visit.signed.may("contributor", "core.assess"):
            raise directory.absent()
        model = self._form(found, sent)
        confirmed = bool(model.will) and model.will == sent.one("will") and model.was == sent.one("was")
        if confirmed and not model.errors and not visit.posted.one("back"):
            try:
                return self._site.onward(request, f"/jobs/{self._begin(visit, found, sent)}")
            except Fault as fault:
                model = msgspec.structs.replace(self._form(found, sent), errors=(fault.what, fault.do))
        ready = not model.errors and not visit.posted.one("back")
        name = "assess_sure.html" if ready else "assess_folder.html"
        shown = Shown(name, _TITLE, model, sheet.sheet(Question, model.questions))
        return self._site.seen(request, shown, status=200 if ready or visit.posted.one("back") else 400)

    def _begin(self, visit: Visit, found: Place, sent: Said) -> str:
        """Write the manifest and queue the job; return the job's name."""
        who = visit.signed.principal
        old = places.declared(found)
        new = self._text(found, sent, old).encode()
        self._check_whose(who, new)
        if new != old:
            places.write(found, new, old=old)
        manifest.read(found.real, self._node.practices)
        return work.queue(
            self._node,
            found.real,
            out=None,
            ran_by=sent.one("ran_by", "first"),
            owner=who.party or self._node.me,
            person=who.person,
        )

    def _check_whose(self, who: Principal, text: bytes) -> None:
        """Refuse a contributor a system that is not its organisation's."""
        if who.party == self._node.me:
            return
        declared = tomllib.loads(text.decode("utf-8-sig"))["system"]
        if not owned(self._node, who.party, Subject("system", manifest.system_name(declared), None, "")):
            raise Refused(
                "assess.not-yours",
                Text(en="This is not a system of your organisation.", zh="这不是贵机构的系统。"),
                do=Text(en="Ask the node's owner to say whose system it is.", zh="请由节点所有者指明系统归属。"),
            )

    # --- the form -------------------------------------------------------------------------------------------------------

    def _form(self, found: Place, sent: Said | None) -> Form:
        """Return the form for a folder, with what was typed, what is wrong with it, and what would be written."""
        norms, old = self._node.norms, places.declared(found)
        stands = {} if old is None else _read(old)
        facts: dict[str, Any] = propose.flat(stands.get("facts", {}))
        said = Said(_told(facts, norms) | {"name": (found.real.name,)}) if sent is None else sent
        errors: list[Text] = []
        wrong: dict[str, Text] = {}
        seen = propose.Seen((), (), (), 0) if old is not None else propose.look(found.real)
        if sent is not None:
            wrong = _wrong(said, norms)
            errors += [Text(en="Some answers need another look.", zh="部分答案需要更正。")] if wrong else []
            if old is None and not said.one("name"):
                errors.append(Text(en="Give the system a name.", zh="请填写系统名称。"))
            if old is None and not (seen.models or seen.tables or seen.code) and not _facts(said, norms):
                errors.append(_nothing())
        text, will = "" if old is None else old.decode("utf-8-sig"), ""
        change: tuple[str, ...] = ()
        if sent is not None and not errors:
            try:
                made = self._text(found, said, old)
            except Fault as fault:
                errors += [fault.what, fault.do]
            else:
                change = tuple(difflib.unified_diff(text.splitlines(), made.splitlines(), "", "", lineterm="", n=2))[2:]
                text, will = made if old is None else text, _digest(made.encode())
        return Form(
            root=found.root,
            at=found.at,
            folder=found.real.name,
            name=said.one("name"),
            purpose=said.one("purpose"),
            ran_by=tuple(Choice(key, words, said.one("ran_by", "first") == key) for key, words in _RAN_BY.items()),
            models=seen.models,
            tables=tuple(_table(number, each, said) for number, each in enumerate(seen.tables)),
            code=seen.code,
            questions=_questions(said, wrong, norms),
            errors=tuple(errors),
            text=inert(text),
            change=tuple(inert(line) for line in change),
            was="" if old is None else _digest(old),
            will=will,
        )

    def _text(self, found: Place, said: Said, old: bytes | None) -> str:
        """Return the manifest as it would be written. Raises Malformed (``manifest.revise``)."""
        facts = _facts(said, self._node.norms)
        if old is not None:
            text = old.decode("utf-8-sig")
            known = propose.flat(_read(old).get("facts", {}))
            changed = {key: value for key, value in facts.items() if not _alike(known.get(key), value)}
            return propose.revise(text, changed) if changed else text
        seen = propose.look(found.real)
        tables = [_table(number, each, said) for number, each in enumerate(seen.tables)]
        answers = propose.Answers(
            said.one("name")[:_NAME],
            said.one("purpose"),
            {each.path: each.label for each in tables},
            {each.path: each.sensitive for each in tables},
            facts,
        )
        return propose.write(seen, answers)


def _entitled(visit: Visit) -> Principal:
    """Return who asks. Raises Missing for whoever may not assess: to them there is no such page."""
    if not may(visit.signed.principal, "contributor"):
        raise directory.absent()
    return visit.signed.principal


def _read(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Malformed(
            "assess.manifest",
            Text(en="The folder's tongqiu.toml cannot be read.", zh="无法读取该目录的 tongqiu.toml。"),
            do=Text(en="Mend it in an editor: tongqiu assess DIR names the line.",
                    zh="请用编辑器修正：tongqiu assess DIR 会指出所在行。"),
        ) from error  # fmt: skip


def _table(number: int, found: tuple[str, tuple[str, ...]], said: Said) -> Table:
    """Return a table with what was said of its columns; a column that it does not have was not said."""
    path, columns = found
    label = said.one(f"label.{number}")
    sensitive = tuple(each for each in said.many(f"sensitive.{number}") if each in columns)
    return Table(path, columns[:200], label if label in columns else "", sensitive)


# --- questions -----------------------------------------------------------------------------------------------------------


def _asked(norms: Norms) -> list[Fact]:
    """Return every question of the packs in use, once, in their order."""
    every = (fact for name in norms.ids for fact in norms.questions(name).facts.values() if fact.type != "signal")
    return list({fact.key: fact for fact in every}.values())


_EXACT = frozenset({"number", "date"})


def _told(facts: Mapping[str, Any], norms: Norms) -> dict[str, tuple[str, ...]]:
    """Return facts as a form would hold them: a number or day that is no band stands in a field of its own."""
    asked = {fact.key: fact for fact in _asked(norms)}
    told: dict[str, tuple[str, ...]] = {}
    for key, value in facts.items():
        fact = asked.get(key)
        free = fact is not None and fact.type in _EXACT and value not in fact.values
        if isinstance(value, bool):
            shown = str(value).lower()
        else:
            shown = number(value) if isinstance(value, int | float) else str(value)
        told[f"exact.{key}" if free else f"fact.{key}"] = (shown,)
    return told


def _facts(said: Said, norms: Norms) -> dict[str, propose.Said]:
    """Return the answers that were given; what was left open is not among them. What is exact counts before its band."""
    found: dict[str, propose.Said] = {}
    for fact in _asked(norms):
        exact = said.one(f"exact.{fact.key}") if fact.type in _EXACT else ""
        value = said.one(f"fact.{fact.key}")
        if exact:
            found[fact.key] = _exactly(fact, exact)
        elif value:
            found[fact.key] = {"true": True, "false": False}.get(value, value) if fact.type == "bool" else value
    return found


def _exactly(fact: Fact, text: str) -> propose.Said:
    """Return a number or day as typed; what is none stays words, and is then refused as an answer."""
    try:
        if fact.type == "date":
            return datetime.date.fromisoformat(text)
        plain = text.replace(",", "").replace(" ", "")
        return int(plain) if plain.lstrip("+-").isdecimal() else float(plain)
    except ValueError:
        return text


def _alike(stands: object, value: propose.Said) -> bool:
    """Tell whether an answer stands already, however it is spelt: a day as a date or in words, a number with a point or not."""
    if isinstance(stands, bool) or isinstance(value, bool):
        return stands is value
    return stands == value or str(stands) == str(value)


def _wrong(said: Said, norms: Norms) -> dict[str, Text]:
    """Return what is wrong, by question: an answer that is none, and a yes within a no."""
    given = _facts(said, norms)
    wrong: dict[str, Text] = {}
    for name in norms.ids:
        pack = norms.questions(name)
        mine = {key: value for key, value in given.items() if key in pack.facts}
        for key, value in mine.items():
            try:
                pack.answer(key, value)
            except Malformed as fault:
                wrong[key] = fault.what
            wider = next((each for each in pack.wider(key) if mine.get(each) is False), None)
            if value is True and wider is not None:
                wrong[key] = Text(
                    en="You said no to the wider question: {wider}", zh="您对更宽的问题答“否”：{wider}"
                ).fill(wider=wider)
    if said.one("ran_by", "first") not in get_args(RanBy):
        wrong["ran_by"] = Text(en="Choose one.", zh="请选择一项。")
    return wrong


def _questions(said: Said, wrong: Mapping[str, Text], norms: Norms) -> tuple[Question, ...]:
    """Return all questions as a tree: each with those that it opens below it."""
    facts = _asked(norms)

    def made(fact: Fact) -> Question:
        value = said.one(f"fact.{fact.key}")
        within = tuple(made(each) for each in facts if each.within == fact.key)
        options = _YES_NO if fact.type == "bool" else tuple((each.id, each.title) for each in answers_of(fact))
        choices = tuple(Choice(key, words, chosen=key == value) for key, words in options)
        answered = sum(each.answered + bool(each.value or each.exact) for each in within)
        return Question(
            key=fact.key,
            type=fact.type,
            unit=fact.unit,
            question=fact.question,
            help=fact.help,
            choices=choices,
            value=value,
            exact=said.one(f"exact.{fact.key}") if fact.type in _EXACT else "",
            error=wrong.get(fact.key),
            within=within,
            answered=answered,
        )

    return tuple(made(each) for each in facts if each.within is None)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _nothing() -> Text:
    return Text(
        en="Nothing was found in this folder that could be assessed, and no question was answered.",
        zh="此目录中未发现可评估的内容，也没有回答任何问题。",
    )

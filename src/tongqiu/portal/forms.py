"""Doing something in a browser or by a program: a form made from what a verb says of itself, and the same over the API.

Every form works without script. What was typed stays when something is wrong, with the reason beside its field and a list
of all reasons on top; what cannot be undone is asked once more; sent twice, it is done once.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, cast

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from tongqiu.node import proposals, verbs
from tongqiu.node.filling import MAX_FILE, MOST_FILES, Slot, Unfit, fill, slots
from tongqiu.portal import sheet
from tongqiu.portal.pages import Shown
from tongqiu.record.faults import Fault, Malformed, Refused, row
from tongqiu.record.statement import Attachment
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request

    from tongqiu.node.node import Node
    from tongqiu.node.proposals import Open
    from tongqiu.node.verbs import Done
    from tongqiu.portal.frame import Site
    from tongqiu.portal.pages import Visit
    from tongqiu.practice import FieldKind, Practice, Verb
    from tongqiu.record.statement import Statement

OWN = frozenset({"csrf", "once", "draft", "keep", "sure", "change", "lang"})
"""What a form sends besides its fields: no field may have one of these names."""
FEW = 5
"""Up to so many choices stand side by side; more of them fold into a list."""
_MOST_ONCE = 100
_MOST_NAMED = 50


class ActionRow(msgspec.Struct, frozen=True):
    """Something that can be done: by whom, whether it needs a second person, and whether it can be undone."""

    name: str
    title: Text
    about: Text
    area: Text
    role: str
    eyes: int
    final: bool


class Actions(msgspec.Struct, frozen=True):
    """What whoever looks may do here; ``entry`` or ``subject`` is what it would be done to."""

    actions: tuple[ActionRow, ...]
    entry: str = ""
    subject: str = ""


class Choice(msgspec.Struct, frozen=True):
    """One answer that may be chosen."""

    value: str
    title: Text
    chosen: bool = False


class FieldRow(msgspec.Struct, frozen=True):
    """One field of a form: how it is asked for, what stands in it, and what is wrong with that."""

    name: str
    title: Text
    help: Text
    kind: str
    required: bool
    several: bool
    choices: tuple[Choice, ...]
    value: str
    error: Text | None = None
    values: tuple[str, ...] = ()


class FormPage(msgspec.Struct, frozen=True):
    """A form. ``sure`` asks once more before what cannot be undone; ``wrong`` is what is wrong with the whole of it."""

    action: ActionRow
    fields: tuple[FieldRow, ...]
    once: str
    draft: str = ""
    sure: bool = False
    two: bool = False
    files: bool = False
    may_keep: bool = False
    wrong: tuple[Text, ...] = ()
    most_files: int = MOST_FILES
    most_megabytes: int = MAX_FILE >> 20


class ValueRow(msgspec.Struct, frozen=True):
    """One value of a proposal, by the title of its field."""

    title: Text
    value: str


class ProposalRow(msgspec.Struct, frozen=True):
    """Something that waits for a second person; ``may`` says whether whoever looks is one."""

    entry: str
    verb: str
    title: Text
    by: str
    name: str
    until: str
    values: tuple[ValueRow, ...]
    mine: bool
    may: bool


class Proposals(msgspec.Struct, frozen=True):
    """What waits for a second person."""

    proposals: tuple[ProposalRow, ...]


class ProposalPage(msgspec.Struct, frozen=True):
    """One of them, to be decided."""

    proposal: ProposalRow
    once: str
    wrong: Text | None = None
    why: str = ""


class DraftRow(msgspec.Struct, frozen=True):
    """A form that was not finished."""

    id: str
    verb: str
    title: Text
    kept: str


class DraftsPage(msgspec.Struct, frozen=True):
    """The unfinished forms of whoever looks."""

    drafts: tuple[DraftRow, ...]


class Answered(msgspec.Struct, frozen=True):
    """What an act led to: the entries made, with their kinds, or the proposal that waits for a second person."""

    statements: tuple[Made, ...]
    proposal: str | None = None


class Made(msgspec.Struct, frozen=True):
    """One record that was made."""

    entry: str
    kind: str
    index: int
    logged: str


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program says to a proposal."""

    decision: str
    why: str = ""


def routes(site: Site) -> list[Route]:
    """Return the routes of all forms, drafts and proposals, and of the API beside them."""
    if site.node.people is None:
        return []
    desk = _Forms(site, cast("Node", site.node))
    return [
        *site.page("/do", "/do", desk.actions),
        *site.page("/do/{verb}", "/do/{verb}", desk.empty),
        site.form("/do/{verb}", desk.sent),
        *site.page("/proposals", "/proposals", desk.proposals),
        *site.page("/proposals/{hex}", "/proposals/{hex}", desk.proposal),
        site.form("/proposals/{hex}", desk.decided),
        *site.page("/drafts", "/drafts", desk.drafts),
        site.form("/drafts/{id}", desk.forgotten),
        Route("/api/do/{verb}", desk.program(desk.done), methods=["POST"]),
        Route("/api/proposals/{hex}", desk.program(desk.decide), methods=["POST"]),
    ]


class _Forms:
    """The forms of one site."""

    def __init__(self, site: Site, node: Node) -> None:
        self._site, self._node = site, node

    # --- what may be done --------------------------------------------------------------------------------------------

    def actions(self, visit: Visit) -> Shown:
        """Show what whoever asks may do, beside a record or subject where one is named."""
        entry, about = visit.asked("entry"), visit.asked("subject")
        kind = visit.desk.record(entry).kind if entry else ""
        sort = visit.desk.subject(about).type if about else ""
        found = verbs.offered(self._node, visit.signed, kind=kind, subject_type=sort)
        rows = tuple(_action(practice, verb) for practice, verb in found)
        model = Actions(rows, entry, about)
        return Shown("do.html", Text(en="What you can do", zh="可用操作"), model, sheet.sheet(ActionRow, rows))

    def empty(self, visit: Visit) -> Shown:
        """Show a form, with what its address or a draft of whoever asks puts into it."""
        practice, verb = verbs.allowed(self._node, visit.signed, visit.path["verb"])
        typed: dict[str, Any] = {name: visit.asked(name) for name in visit.query if name in verb.fields}
        draft = visit.asked("draft")
        if draft:
            kept = self._node.store.drafts.get(_person(visit), draft)
            typed = {name: value for name, value in kept.values.items() if name in verb.fields}
        return self._form(visit, practice, verb, typed, draft=draft)

    def sent(self, request: Request, visit: Visit) -> Response:
        """Take a form: do it, keep it for later, ask once more, or show it again with what is wrong."""
        practice, verb = verbs.allowed(self._node, visit.signed, visit.path["verb"])
        typed, draft = _typed(verb, visit), visit.posted.one("draft")[:64]
        files = {name: tuple(Attachment(*each) for each in sent) for name, sent in visit.posted.files.items()}
        if visit.posted.one("keep"):
            self._node.store.drafts.keep(_person(visit), verb.name, typed, now=self._node.now, id=draft)
            return self._site.onward(request, "/drafts")
        once = visit.posted.one("once")[:_MOST_ONCE]
        try:
            if visit.posted.one("change"):
                return self._site.seen(request, self._form(visit, practice, verb, typed, draft=draft, once=once))
            fill(verb, typed, files)
            if verb.final and not visit.posted.one("sure"):
                shown = self._form(visit, practice, verb, typed, draft=draft, once=once, sure=True)
                return self._site.seen(request, shown)
            done = verbs.act(self._node, visit.signed, verb.name, typed, files=files, once=once)
        except Fault as fault:
            shown = self._form(visit, practice, verb, typed, draft=draft, once=once, fault=fault)
            return self._site.seen(request, shown, status=row(fault).http_status)
        if draft:
            self._node.store.drafts.forget(_person(visit), draft)
        return self._site.onward(request, _place(done))

    def _form(  # noqa: PLR0913 - what the page is made of
        self,
        visit: Visit,
        practice: Practice,
        verb: Verb,
        typed: Mapping[str, Any],
        *,
        draft: str = "",
        once: str = "",
        sure: bool = False,
        fault: Fault | None = None,
    ) -> Shown:
        errors, whole = _errors(verb, fault)
        named = tuple(
            Choice(each.id, Text(en=each.name or each.id, zh=each.name or each.id))
            for each in (
                visit.desk.systems()[:_MOST_NAMED] if "subject" in {f.kind for f in verb.fields.values()} else ()
            )
        )
        fields = tuple(_field(each, typed.get(each.name), errors.get(each.name), named) for each in slots(verb))
        two = verb.eyes > 1 and not (verb.alone and not verbs.others(self._node, visit.signed))
        model = FormPage(
            _action(practice, verb),
            fields,
            once or secrets.token_hex(16),
            draft,
            sure,
            two,
            any(each.kind == "file" for each in fields),
            bool(visit.signed.principal.person),
            whole,
        )
        return Shown("form.html", verb.title, model, sheet.sheet(FieldRow, fields))

    # --- proposals ---------------------------------------------------------------------------------------------------

    def proposals(self, visit: Visit) -> Shown:
        """Show what waits for a second person, as far as whoever asks may read it."""
        rows = tuple(self._proposal(each) for each in proposals.waiting(self._node, visit.signed))
        title = Text(en="Waiting for a second person", zh="待第二人同意")
        return Shown("proposals.html", title, Proposals(rows), sheet.sheet(ProposalRow, rows))

    def proposal(self, visit: Visit) -> Shown:
        """Show one of them."""
        return self._one(visit, self._waiting(visit))

    def decided(self, request: Request, visit: Visit) -> Response:
        """Take a decision from a page."""
        asked, why = visit.posted.one("decision"), visit.posted.one("why").strip()
        try:
            done = self._decide(visit, asked, why, visit.posted.one("once")[:_MOST_ONCE])
        except Fault as fault:
            if isinstance(fault, Unfit | Refused) and (found := self._found(visit)) is not None:
                shown = self._one(visit, found, fault=fault, why=why)
                return self._site.seen(request, shown, status=row(fault).http_status)
            raise
        return self._site.onward(request, "/proposals" if done is None else _place(done))

    def decide(self, request: Request, visit: Visit) -> Answered:
        """Take a decision from a program."""
        decision = _json(visit, Decision)
        done = self._decide(
            visit, decision.decision, decision.why, request.headers.get("idempotency-key", "")[:_MOST_ONCE]
        )
        return Answered(()) if done is None else _answered(done)

    def _decide(self, visit: Visit, decision: str, why: str, once: str) -> Done | None:
        if decision == "approve":
            return proposals.approve(self._node, visit.signed, visit.entry, once=once)
        if decision != "decline":
            raise Unfit({"decision": Text(en="Choose approve or decline.", zh="请选择同意或不同意。")})
        words = " ".join(why.split())[:500]
        if len(words) < 3:  # noqa: PLR2004 - as every reason
            raise Unfit({"why": Text(en="Say why, in at least 3 characters.", zh="请写明理由，至少 3 个字符。")})
        proposals.decline(self._node, visit.signed, visit.entry, why=words)
        return None

    def _found(self, visit: Visit) -> Open | None:
        waiting = proposals.waiting(self._node, visit.signed)
        return next((each for each in waiting if each.statement.entry == visit.entry), None)

    def _waiting(self, visit: Visit) -> Open:
        found = self._found(visit)
        if found is None:
            raise proposals.missing()
        return found

    def _one(self, visit: Visit, found: Open, *, fault: Fault | None = None, why: str = "") -> Shown:
        del visit
        made = self._proposal(found)
        wrong = None if fault is None else next(iter(fault.fields.values())) if isinstance(fault, Unfit) else fault.what
        model = ProposalPage(made, secrets.token_hex(16), wrong, why)
        return Shown("proposal.html", made.title, model, sheet.sheet(ValueRow, made.values))

    def _proposal(self, found: Open) -> ProposalRow:
        verb = next((each for _, each in self._node.practices.verbs if each.name == found.body.verb), None)
        titles = {} if verb is None else {name: each.title for name, each in verb.fields.items()}
        people = {each.id: each.name for each in self._node.people.everyone()}
        values = tuple(
            ValueRow(titles.get(name, Text(en=name, zh=name)), _written(value))
            for name, value in sorted(found.body.values.items(), key=lambda pair: _order(verb, pair[0]))
        )
        title = Text(en=found.body.verb, zh=found.body.verb) if verb is None else verb.title
        body, entry = found.body, found.statement.entry
        name = people.get(body.by, "")
        return ProposalRow(entry, body.verb, title, body.by, name, body.until, values, found.mine, found.may)

    # --- drafts ------------------------------------------------------------------------------------------------------

    def drafts(self, visit: Visit) -> Shown:
        """Show the unfinished forms of whoever asks; a stranger has none."""
        person = visit.signed.principal.person
        titles = {verb.name: verb.title for _, verb in self._node.practices.verbs}
        rows = tuple(
            DraftRow(each.id, each.verb, titles.get(each.verb, Text(en=each.verb, zh=each.verb)), each.kept)
            for each in (self._node.store.drafts.list(person) if person else ())
        )
        title = Text(en="Unfinished forms", zh="草稿")
        return Shown("drafts.html", title, DraftsPage(rows), sheet.sheet(DraftRow, rows))

    def forgotten(self, request: Request, visit: Visit) -> Response:
        """Forget an unfinished form; what is not there is forgotten already."""
        self._node.store.drafts.forget(_person(visit), visit.path["id"][:64] or "-")
        return self._site.onward(request, "/drafts")

    # --- programs ----------------------------------------------------------------------------------------------------

    def program(self, take: Callable[[Request, Visit], Answered]) -> Callable[[Request], Response]:
        """Return the endpoint of a call: JSON in, JSON or a problem out; 202 where a second person must agree."""

        def endpoint(request: Request) -> Response:
            try:
                answer = take(request, self._site.visit(request))
            except Fault as fault:
                return self._site.fault(request, fault, problem=True)
            status = 202 if answer.proposal else 201 if answer.statements else 200
            return Response(msgspec.json.encode(answer), status, media_type="application/json")

        return endpoint

    def done(self, request: Request, visit: Visit) -> Answered:
        """Do what a program asks for; its ``Idempotency-Key`` names the call."""
        once = request.headers.get("idempotency-key", "")[:_MOST_ONCE]
        verbs.allowed(self._node, visit.signed, visit.path["verb"])
        values = _json(visit, dict[str, Any])
        return _answered(verbs.act(self._node, visit.signed, visit.path["verb"], values, once=once))


def _json(visit: Visit, form: Any) -> Any:  # noqa: ANN401 - the form that is named
    try:
        return msgspec.convert(visit.posted.json(), ready(form))
    except msgspec.ValidationError as error:
        raise Malformed(
            "portal.json",
            Text(en="What was sent does not fit: {error}.", zh="所发送的内容不符合要求：{error}。"),
            do=Text(en="Read /api/openapi.json.", zh="请参阅 /api/openapi.json。"),
            error=str(error)[:200],
        ) from error


def _person(visit: Visit) -> str:
    """Return who asks. Raises Refused (``draft.person``) for a stranger, who has nowhere to keep a thing."""
    person = visit.signed.principal.person
    if not person:
        raise Refused(
            "draft.person",
            Text(en="Only somebody who has signed in keeps unfinished forms.", zh="登录后才能保存草稿。"),
            do=Text(en="Sign in first.", zh="请先登录。"),
        )
    return person


def _typed(verb: Verb, visit: Visit) -> dict[str, Any]:
    """Return what was typed into a form, one text a field or several; what belongs to no field is kept to be named."""
    several = {each.name for each in slots(verb) if each.several}
    found: dict[str, Any] = {}
    for name, values in visit.posted.fields.items():
        if name not in OWN:
            found[name] = (
                [line for value in values for line in value.splitlines() if line.strip()]
                if name in several
                else values[0]
            )
    return found


def _errors(verb: Verb, fault: Fault | None) -> tuple[dict[str, Text], tuple[Text, ...]]:
    """Return what is wrong with each field, and with the whole."""
    if fault is None:
        return {}, ()
    if isinstance(fault, Unfit):
        known = {name: text for name, text in fault.fields.items() if name in verb.fields}
        return known, tuple(
            Text(en=f"{name}: {text.en}" if name else text.en, zh=f"{name}：{text.zh}" if name else text.zh)
            for name, text in fault.fields.items()
            if name not in verb.fields
        )
    said = Text(en=f"{fault.what.en} {fault.do.en}", zh=f"{fault.what.zh}{fault.do.zh}")
    return ({fault.where: said}, ()) if fault.where in verb.fields else ({}, (said,))


def _action(practice: Practice, verb: Verb) -> ActionRow:
    return ActionRow(verb.name, verb.title, verb.about, practice.title, verb.role, verb.eyes, verb.final)


def _field(slot: Slot, typed: Any, error: Text | None, named: Iterable[Choice]) -> FieldRow:  # noqa: ANN401 - texts
    """Return a field as it is shown: with what was typed, else its own default."""
    field, default = slot.field, slot.default
    if typed is None and default is not None and default is not False and default != ():
        typed = [str(each) for each in default] if slot.several else str(default)
    values = tuple(str(each) for each in typed) if isinstance(typed, list | tuple) else (str(typed),) if typed else ()
    choices = tuple(Choice(code, title, code in values) for code, title in field.choices)
    kind: FieldKind = field.kind
    shown = "\n".join(values)
    if kind == "date":
        shown = shown[:16]
    given = tuple(named) if kind == "subject" and not slot.several else choices
    return FieldRow(slot.name, field.title, field.help, kind, slot.required, slot.several, given, shown, error, values)


def _written(value: Any) -> str:  # noqa: ANN401 - a value of a proposal
    if isinstance(value, list):
        return "\n".join(_written(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(str(each) for each in value.values())
    return str(value)


def _order(verb: Verb | None, name: str) -> int:
    names = [] if verb is None else list(verb.fields)
    return names.index(name) if name in names else len(names)


def _place(done: Done) -> str:
    """Return where to look at what was done: the record that was made, or the proposal."""
    if done.proposal is not None:
        return f"/proposals/{_hex(done.proposal)}"
    return f"/records/{_hex(done.statements[0])}" if done.statements else "/do"


def _hex(statement: Statement) -> str:
    return statement.entry.removeprefix("sha-256:")


def _answered(done: Done) -> Answered:
    made = tuple(Made(each.entry, each.kind, each.index, each.logged) for each in done.statements)
    return Answered(made, None if done.proposal is None else done.proposal.entry)


__all__ = ["OWN", "routes"]

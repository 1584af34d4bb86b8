"""Keeping something as a thread of records: what may follow what, who may say it, and what it takes the place of.

A risk, a drill, a review is one thread at one node. What the node's own party said in it counts; what others say there is
kept and never obeyed. Nothing in such a thread is retyped by hand: it is taken further by its own verbs, which keep the
rules, or said again word for word for other readers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

from tongqiu.record.audience import meet
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.practice import Desk
    from tongqiu.record.audience import Audience
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Said, Statement
    from tongqiu.record.subject import Subject

B = TypeVar("B")

_MOST = 200
"""How often the same thing may be opened anew after it was closed."""


def no(code: str, what: Text, do: Text, *, where: str = "", **values: object) -> Refused:
    """Return the refusal ``grading.<code>``."""
    return Refused(f"grading.{code}", what, do=do, where=where, **values)


def thread_of(sort: str, subject: Subject, *words: str) -> str:
    """Return the name of the thread in which something about ``subject`` is kept; the same for the same words."""
    digest = hashlib.sha256("\n".join((subject.id, *words)).encode()).hexdigest()
    return f"urn:tongqiu:{sort}:{digest}"


# --- admitting (pure) ------------------------------------------------------------------------------------------------


def own(kind: Kind[B], said: Said, thread: Sequence[Statement]) -> list[tuple[Statement, B]]:
    """Return the records of ``kind`` that the speaker itself said in the thread, in order of the log."""
    mine = [each for each in thread if each.kind == kind.name and each.issuer == said.speaker]
    return [(each, kind.read(each.body)) for each in sorted(mine, key=lambda each: each.index)]


def said_again(kind: Kind[B], said: Said, thread: Sequence[Statement]) -> bool:
    """Tell whether a record is said again word for word, as publishing does.

    Raises Refused: ``grading.thread`` without a thread or about another subject, ``grading.retyped`` for what a person
    retypes by hand (such a correction always gives a reason; the verbs here never do).
    """
    before = own(kind, said, thread)
    if said.thread is None or any(each.subject.id != said.subject.id for each, _ in before):
        raise no(
            "thread",
            Text(
                en="This belongs in a thread of its own, about one system.", zh="此记录须自成一线，且只涉及一个系统。"
            ),
            Text(en="Use the verb that opens it.", zh="请使用相应的开立操作。"),
        )
    if any(each.entry in said.replaces and body == said.body for each, body in before):
        return True
    if said.why and said.replaces:
        raise no(
            "retyped",
            Text(en="This record is not retyped by hand.", zh="此记录不得手工改写。"),
            Text(en="Take it further with the verbs beside it, or withdraw it.", zh="请用记录旁的操作继续，或撤回。"),
        )
    return False


def follows(before: int, number: int) -> None:
    """Raise Refused (``grading.moved``) unless ``number`` is the next one after ``before``."""
    if number != before + 1:
        raise no(
            "moved",
            Text(en="Somebody took this further meanwhile.", zh="期间已有他人更新。"),
            Text(en="Look at what stands now, and do it again.", zh="请查看现状后重新操作。"),
        )


# --- taking further (at a desk) --------------------------------------------------------------------------------------


def standing(desk: Desk, kind: Kind[B], entry: str) -> tuple[Statement, B]:
    """Return the record of ``kind`` named by ``entry``, of this node's own party, while it stands.

    Raises Missing (``record.missing``, ``grading.not-one``), Refused (``grading.ended``).
    """
    found = desk.record(entry)
    if found.kind != kind.name or found.issuer != desk.issuer:
        raise Missing(
            "grading.not-one",
            Text(en="This names no record of that sort of ours: {title}.", zh="所填不是我方的该类记录：{title}。").fill(
                title=kind.title.en
            ),
            do=Text(en="Copy the id from the register.", zh="请从登记册复制编号。"),
            where="entry",
        )
    if all(each.entry != entry for each in desk.said(kind.name, thread=found.content.thread)):
        raise no(
            "ended",
            Text(en="This was taken further or withdrawn meanwhile.", zh="期间已更新或撤回。"),
            Text(en="Use the record that stands in its place.", zh="请使用取代它的记录。"),
            where="entry",
        )
    return found, kind.read(found.body, where=entry)


def free_thread(desk: Desk, kind: Kind[B], sort: str, subject: Subject, *words: str) -> str:
    """Return the thread for something new: behind those in which the same was closed or withdrawn before."""
    dead = set()
    for each in desk.said("core.withdrawal/1", subject=subject):
        if each.issuer == desk.issuer:
            dead |= {desk.record(entry).content.thread for entry in readable(desk, [each.body["entry"]])}
    for count in range(_MOST):
        thread = thread_of(sort, subject, *words, str(count))
        if thread in dead:
            continue
        held = [each for each in desk.said(kind.name, thread=thread) if each.issuer == desk.issuer]
        if not held or held[-1].body.get("state") != "closed":
            return thread
    raise no(
        "moved",
        Text(en="This was opened and closed too often.", zh="此项开立与关闭次数过多。"),
        Text(en="Give it another title.", zh="请换一个标题。"),
    )


def readers(desk: Desk, old: Statement, fresh: Iterable[str] = ()) -> Audience:
    """Return for whom a record goes on: those of ``old`` who may also read the ``fresh`` entries it now rests on."""
    known = set(old.content.rests_on)
    return meet([old.content.audience, *(desk.record(each).content.audience for each in fresh if each not in known)])


def replaced(desk: Desk, old: Statement) -> tuple[str, ...]:
    """Return what a record that goes on takes the place of: the one before it, and reminders about that one."""
    found = [each for each in desk.said("grading.reminder/1", ref=old.entry) if each.issuer == desk.issuer]
    return (old.entry, *sorted(each.entry for each in found))


def readable(desk: Desk, entries: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``entries`` that are here and may be read: content that was erased is rested on no more."""
    kept = []
    for each in dict.fromkeys(entries):
        try:
            desk.record(each)
        except Missing:
            continue
        kept.append(each)
    return tuple(kept)


def shown(desk: Desk, entries: Iterable[str]) -> None:
    """Raise unless each of ``entries`` shows something: a measurement, a finding or a file, and not a mere claim.

    Raises Missing (``record.missing``), Refused (``grading.claim-only``).
    """
    for entry in entries:
        content = desk.record(entry).content
        measured = any(each.basis != "claimed" for each in content.evidence)
        judged = any(each.verdict in {"met", "unmet", "undecided"} for each in content.findings)
        circular = content.kind.startswith("grading.") and content.kind != "grading.drill/1"
        if circular or not (measured or judged or content.files):
            raise no(
                "claim-only",
                Text(en="{entry} claims something; it shows nothing.", zh="{entry} 只是声称，并未证明。"),
                Text(
                    en="Name a record with a measurement, a finding or a file, such as a drill.",
                    zh="请指明含实测、结论或文件的记录，例如演练。",
                ),
                where="evidence",
                entry=entry[:20],
            )


def value(new: Any, old: Any) -> Any:  # noqa: ANN401 - a field left empty keeps what it held
    """Return ``new``, or ``old`` where nothing was filled in."""
    return old if new is None or new in ("", ()) else new

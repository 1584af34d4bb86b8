"""What the first page and the search are folded from: what waits for somebody, what was done, what is not finished.

Four small registries of the node's own practice. A row goes when a later record of the same key says so, when its record is
withdrawn or replaced, and when it is erased, exactly as in every other registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.practice import Column, Drop, Put, View
from tongqiu.record import core
from tongqiu.record.text import Text
from tongqiu.store.search import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tongqiu.record.statement import Statement

GRADE = "grading.*"
WORDS = 1500
"""How many characters of a record's own words are found by the search, beyond names, identifiers and titles."""
_LONGEST = 200
_DEPTH = 6


def waiting(statement: Statement) -> Iterable[Put | Drop]:
    """Yield what waits for a second person (proposals) and for an answer (notices), and take away what was answered."""
    if statement.kind == core.PROPOSAL.name:
        body = core.PROPOSAL.read(statement.body)
        yield Put(
            {
                "sort": "approve",
                "ref": statement.entry,
                "receiver": "",
                "by": body.by,
                "what": body.verb,
                "due": body.until,
                **_about(statement),
            }
        )
    elif statement.kind == core.ACT.name:
        act = core.ACT.read(statement.body)
        if act.proposal is not None and act.approved_by is not None:
            yield Drop(("approve", act.proposal, ""))
    elif statement.kind == core.NOTICE.name:
        notice = core.NOTICE.read(statement.body)
        for party in notice.told:
            yield Put(
                {
                    "sort": "reply",
                    "ref": notice.entry,
                    "receiver": party,
                    "by": statement.issuer,
                    "what": "",
                    "due": notice.until,
                    **_about(statement),
                }
            )
    else:
        reply = core.REPLY.read(statement.body)
        yield Drop(("reply", reply.entry, reply.party))


def acts(statement: Statement) -> Iterable[Put]:
    """Yield the row of something that somebody did here."""
    body = core.ACT.read(statement.body)
    yield Put(
        {
            "ref": statement.entry,
            "who": body.who,
            "verb": body.verb,
            "made": body.made[0] if body.made else "",
            "count": len(body.made),
            **_about(statement),
        }
    )


def unfinished(statement: Statement) -> Iterable[Put | Drop]:
    """Yield what remains to be done about a system: look at it, mend a run that failed, answer a question."""
    about = statement.subject.id
    if statement.kind == core.COMPOSITION.name:
        yield _todo(statement, "assess", "", "")
    elif statement.kind == core.ASSESSMENT.name:
        body = core.ASSESSMENT.read(statement.body)
        yield Drop((about, "assess"))
        if body.failed:
            first = body.failed[0]
            yield _todo(statement, "failed", first.reason.en, first.reason.zh)
        else:
            yield Drop((about, "failed"))
    else:
        open_ = statement.body.get("questions") if isinstance(statement.body, dict) else None
        if not isinstance(open_, list):
            return
        text = open_[0].get("question") if open_ and isinstance(open_[0], dict) else None
        if isinstance(text, dict):
            yield _todo(statement, "question", str(text.get("en", "")), str(text.get("zh", "")))
        else:
            yield Drop((about, "question"))


def found(statement: Statement) -> Iterable[Put]:
    """Yield the words under which a record is found: names, identifiers, titles, and the beginning of what it says."""
    subject, content = statement.subject, statement.content
    titles = [word for each in content.findings for word in (each.title.en, each.title.zh, each.requirement)]
    titles += [word for item in content.evidence for word in (item.title.en, item.title.zh, item.measure)]
    said = " ".join(_words(statement.body))[:WORDS]
    name = f"{subject.name} {subject.id}"
    yield Put(
        {
            "entry": statement.entry,
            "kind": statement.kind,
            "issuer": statement.issuer,
            "words": words_of(" ".join([name, statement.kind, *dict.fromkeys(titles), said])),
            **_about(statement),
        }
    )


def _about(statement: Statement) -> dict[str, Any]:
    subject = statement.subject
    return {"subject": subject.id, "type": subject.type, "name": subject.name, "at": statement.at}


def _todo(statement: Statement, sort: str, en: str, zh: str) -> Put:
    return Put({"ref": statement.subject.id, "sort": sort, "en": en, "zh": zh, **_about(statement)})


def _words(value: object, depth: int = 0) -> Iterator[str]:
    """Yield the texts in a body that people may look for: no digests, nothing overlong, not too deep."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value, str_keys=True)
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        if len(value) <= _LONGEST and not value.startswith(("sha-256:", "tree-1:")):
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _words(each, depth + 1)
    elif isinstance(value, list | tuple):
        for each in value[:100]:
            yield from _words(each, depth + 1)


def _text(name: str, en: str, zh: str) -> Column:
    return Column(name=name, title=Text(en=en, zh=zh))


def _instant(name: str, en: str, zh: str) -> Column:
    return Column(name=name, title=Text(en=en, zh=zh), type="instant")


_SUBJECT = (
    _text("subject", "About", "对象"),
    _text("type", "Sort of subject", "对象类型"),
    _text("name", "Name", "名称"),
    _instant("at", "Said at", "出具时间"),
)

VIEWS = (
    View(
        name="waiting",
        version=1,
        title=Text(en="Waiting for somebody", zh="待办名录"),
        reads=(core.PROPOSAL.name, core.ACT.name, core.NOTICE.name, core.REPLY.name),
        columns=(
            _text("sort", "What is asked", "所需操作"),
            _text("ref", "Record", "记录"),
            _text("receiver", "Asked of", "被请求方"),
            _text("by", "Asked by", "请求方"),
            _text("what", "Act", "操作"),
            _instant("due", "Until", "截止"),
            *_SUBJECT,
        ),
        key=("sort", "ref", "receiver"),
        rows="tongqiu.node.core_views:waiting",
    ),
    View(
        name="acts",
        version=1,
        title=Text(en="What was done here", zh="操作名录"),
        reads=(core.ACT.name,),
        columns=(
            _text("ref", "Record", "记录"),
            _text("who", "Who", "操作者"),
            _text("verb", "Act", "操作"),
            _text("made", "First record made", "所成首条记录"),
            Column(name="count", title=Text(en="Records made", zh="所成记录数"), type="integer"),
            *_SUBJECT,
        ),
        key=("ref",),
        rows="tongqiu.node.core_views:acts",
    ),
    View(
        name="unfinished",
        version=1,
        title=Text(en="Not finished", zh="未完成名录"),
        reads=(core.COMPOSITION.name, core.ASSESSMENT.name, GRADE),
        columns=(
            _text("ref", "System", "系统"),
            _text("sort", "What remains", "尚需"),
            _text("en", "In words (English)", "说明（英文）"),
            _text("zh", "In words (Chinese)", "说明（中文）"),
            *_SUBJECT,
        ),
        key=("ref", "sort"),
        rows="tongqiu.node.core_views:unfinished",
    ),
    View(
        name="found",
        version=1,
        title=Text(en="What the search finds", zh="检索名录"),
        reads=("*",),
        columns=(
            _text("entry", "Record", "记录"),
            _text("kind", "Record type", "记录类型"),
            _text("issuer", "Said by", "出具方"),
            _text("words", "Words", "词"),
            *_SUBJECT,
        ),
        key=("entry",),
        rows="tongqiu.node.core_views:found",
        finds=True,
    ),
)
"""The registries of the first page and of the search, a part of the core practice."""

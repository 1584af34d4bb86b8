"""The packs of law and standards that a node goes by: those that travel with the software, and those that somebody added.

An added pack is a record (``core.norm-pack/1``) signed by whoever publishes it; the body holds the very bytes. The node's
own party goes by what it published itself and by what it adopted (``core.pack/1``) of what others published: a pack that
only arrived is listed and never applied. Withdrawing either record takes the pack away again.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from tongqiu.norms import library
from tongqiu.norms.grading import Book, open_book
from tongqiu.norms.library import Added, Norms
from tongqiu.norms.reading import number
from tongqiu.norms.succession import lost
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.statement import Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node.ask import Snapshot
    from tongqiu.node.node import Node
    from tongqiu.norms.pack import Fact
    from tongqiu.record.audience import Audience

State = Literal["in-use", "offered", "older", "unreadable"]
"""It applies here; another party offers it; a later edition is in use; this version of the software cannot read it."""


class Offer(NamedTuple):
    """A pack that somebody published and stands by, and how it stands here; ``entries`` brought it into use.

    ``pack`` and ``version`` are those of the record. ``fault`` says why it cannot be read.
    """

    statement: Statement
    pack: str
    version: str
    state: State
    entries: tuple[str, ...] = ()
    fault: Malformed | None = None


def norms(snapshot: Snapshot, party: str) -> Norms:
    """Return the packs that ``party`` goes by, as ``snapshot`` shows them; asking for them is no question to the log."""
    added = [
        Added(_book(each.statement.body["text"]), each.entries)
        for each in offers(snapshot, party)
        if each.state == "in-use"
    ]
    return Norms(_day(snapshot.as_of), _day(snapshot.known_at), added)


def offers(snapshot: Snapshot, party: str) -> tuple[Offer, ...]:
    """Return every pack that somebody published and stands by, and how it stands with ``party``; sorted by id and version.

    Of several editions the latest is used, of several records of one edition the first in the log.
    """
    taken = {
        each.content.rests_on[0]: each.entry
        for each in snapshot.standing(core.PACK.name)
        if each.issuer == party and len(each.content.rests_on) == 1
    }
    found = []
    for each in snapshot.standing(core.NORM_PACK.name):
        ours = (each.entry,) if each.issuer == party else ()
        entries = ours or ((each.entry, taken[each.entry]) if each.entry in taken else ())
        found.append(_offer(each, entries))
    latest: dict[str, tuple[tuple[int, ...], int]] = {}
    for one in found:
        if one.state == "in-use":
            rank = (number(one.version), -one.statement.index)
            latest[one.pack] = max(latest.get(one.pack, rank), rank)
    settled = [
        one._replace(state="older")
        if one.state == "in-use"
        and (latest[one.pack] != (number(one.version), -one.statement.index) or _shipped_later(one))
        else one
        for one in found
    ]
    return tuple(sorted(settled, key=lambda one: (one.pack, number(one.version), one.statement.index)))


def add(node: Node, data: bytes, *, where: str = "", audience: Audience | None = None) -> Statement:
    """Publish the pack file ``data`` as a record of this node's party, in place of its earlier edition; return the record.

    Raises Malformed as :func:`tongqiu.norms.reading.read`, and ``norms.pack.clash`` where it asks a question that another
    pack asks otherwise; Refused ``norms.pack.version`` for an edition that is not later than the one in use and
    ``norms.pack.lost`` where a requirement of that one vanishes.
    """
    book = open_book(data, where=where)
    pack = book.pack
    _admissible(node, book, where)
    own = [
        each.statement.entry
        for each in offers(node.snapshot(), node.me)
        if each.pack == pack.id and each.statement.issuer == node.me
    ]
    title = Text(en=pack.title.en, zh=pack.title.zh)
    body = core.NormPack(pack=pack.id, version=pack.version, digest=str(pack.digest), title=title, text=data.decode())
    said = Said(
        core.NORM_PACK.name,
        _subject(pack.id, pack.digest, title.en),
        body,
        (),
        audience,
        _thread(pack.id),
        replaces=tuple(own),
        why=f"edition {pack.version}" if own else "",
    )
    return node.publish([said], by="core.norms@1")[0]


def adopt(node: Node, entry: str) -> Statement:
    """Go by the pack that another party published in the record ``entry``; return the record that says so.

    Raises Missing (``record.missing``), Malformed (``norms.not-a-pack``, and what reading it says), Refused
    (``norms.own-pack``, ``core.ended``, and as :func:`add`).
    """
    statement = node.statement(entry)
    if statement.kind != core.NORM_PACK.name:
        raise Malformed(
            "norms.not-a-pack",
            Text(en="This record is no pack of law or standards.", zh="该记录不是规范包。"),
            do=Text(en="Name one that `tongqiu norms list` shows.", zh="请从 `tongqiu norms list` 所列中选取。"),
            where=entry,
        )
    if statement.issuer == node.me:
        raise Refused(
            "norms.own-pack",
            Text(en="This pack is your own and in use already.", zh="该规范包出自本方，已在使用。"),
            do=Text(en="There is nothing left to do.", zh="无需再做任何事。"),
            where=entry,
        )
    if not node.snapshot().stands(statement):
        raise Refused(
            "core.ended",
            Text(en="This record was withdrawn or replaced.", zh="该记录已被撤回或替代。"),
            do=Text(en="Use the one that stands in its place.", zh="请使用取代它的那一条。"),
            where=entry,
        )
    body = core.NORM_PACK.read(statement.body, where=entry)
    book = open_book(body.text.encode(), where=entry)
    _admissible(node, book, entry)
    pack = book.pack
    taken = core.PackAdded(name=pack.id, version=pack.version, digest=str(pack.digest))
    said = Said(core.PACK.name, _subject(pack.id, pack.digest, pack.title.en), taken, (entry,), None, _thread(pack.id))
    return node.publish([said], by="core.norms@1")[0]


def _admissible(node: Node, book: Book, where: str) -> None:
    """Refuse an edition that is not later, that loses a duty, or that asks a known question otherwise."""
    norms, pack = node.norms, book.pack
    if pack.id in norms.ids:
        now = norms.pack(pack.id)
        if number(pack.version) <= number(now.version):
            raise Refused(
                "norms.pack.version",
                Text(
                    en="The pack {pack} is in use here in edition {now}; {version} is not later.",
                    zh="规范包 {pack} 正在使用版本 {now}，{version} 并不更新。",
                ),
                do=Text(en="Raise the version, or call the pack by another id.", zh="请提高版本号，或改用另一个编号。"),
                where=where,
                pack=pack.id,
                now=now.version,
                version=pack.version,
            )
        if gone := lost(now, pack):
            raise Refused(
                "norms.pack.lost",
                Text(
                    en="Edition {version} no longer has the requirement {name} of edition {now}.",
                    zh="版本 {version} 中不再有版本 {now} 的要求 {name}。",
                ),
                do=Text(
                    en='Keep the row with applies_until, or write succeeds = ["{name}@{now}"] where it went.',
                    zh='请保留该行并写 applies_until，或在承继它的行写 succeeds = ["{name}@{now}"]。',
                ),
                where=where,
                version=pack.version,
                now=now.version,
                name=gone[0],
            )
    for name in norms.ids:
        others = {} if name == pack.id else norms.questions(name).facts
        for key in book.facts.keys() & others.keys():
            if _asks(book.facts[key]) != _asks(others[key]):
                raise Malformed(
                    "norms.pack.clash",
                    Text(
                        en="The pack {other} asks the question {key} with other answers.",
                        zh="规范包 {other} 也询问 {key}，但答案选项不同。",
                    ),
                    do=Text(en="Give your question a key of its own.", zh="请为该问题另取键名。"),
                    where=where,
                    other=name,
                    key=key,
                )


def _asks(fact: Fact) -> tuple[object, ...]:
    """Return what may be answered to a question, as far as two packs must agree on it."""
    return fact.type, fact.values, fact.unit, tuple(each.below for each in fact.bands)


def _offer(statement: Statement, entries: tuple[str, ...]) -> Offer:
    body = statement.body
    name, version = str(body.get("pack", "")), str(body.get("version", ""))
    try:
        kept = core.NORM_PACK.read(body, where=statement.entry)
        pack = _book(kept.text).pack
        if (pack.id, pack.version, pack.digest) != (kept.pack, kept.version, kept.digest):
            raise _otherwise(statement.entry)
    except Malformed as fault:
        return Offer(statement, name[:80], "0", "unreadable", (), fault)
    return Offer(statement, name, version, "in-use" if entries else "offered", entries)


def _otherwise(entry: str) -> Malformed:
    return Malformed(
        "norms.pack.otherwise",
        Text(en="The record calls its pack otherwise than the pack itself.", zh="记录所称的规范包与其内容不符。"),
        do=Text(en="Ask its publisher.", zh="请联系其发布方。"),
        where=entry,
    )


def _shipped_later(offer: Offer) -> bool:
    """Tell whether this software brings an edition of that pack that is at least as late."""
    try:
        return number(library.version(offer.pack)) >= number(offer.version)
    except Missing:
        return False


def find(snapshot: Snapshot, party: str, pack: str) -> Iterator[Offer]:
    """Yield what was published of the pack ``pack``."""
    return (each for each in offers(snapshot, party) if each.pack == pack)


@lru_cache(maxsize=64)
def _book(text: str) -> Book:
    return open_book(text.encode())


def _subject(name: str, digest: str | None, title: str) -> Subject:
    return Subject("pack", f"urn:tongqiu:pack:{name}", digest, title[:200])


def _thread(name: str) -> str:
    return f"urn:tongqiu:pack:{name}"


def _day(moment: str) -> datetime.date:
    return datetime.date.fromisoformat(moment[:10])

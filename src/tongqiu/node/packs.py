"""Adding a pack of law or standards to a node: publishing one of its own, or going by one that another party published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.node.shelf import offers
from tongqiu.norms.grading import open_book
from tongqiu.norms.reading import number
from tongqiu.norms.succession import lost
from tongqiu.record import core
from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.statement import Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.node.node import Node
    from tongqiu.norms.grading import Book
    from tongqiu.norms.pack import Fact
    from tongqiu.record.audience import Audience


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


def _subject(name: str, digest: str | None, title: str) -> Subject:
    return Subject("pack", f"urn:tongqiu:pack:{name}", digest, title[:200])


def _thread(name: str) -> str:
    return f"urn:tongqiu:pack:{name}"

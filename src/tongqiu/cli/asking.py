"""What to ask next, over all systems that this node knows: the questions whose answers would narrow most grades."""

from __future__ import annotations

import datetime
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tongqiu.cli.desk import Home, Json, Limit, open_existing
from tongqiu.cli.words import complain, console, lang, t, table, within
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.node.desk import NodeDesk
    from tongqiu.node.node import Node
    from tongqiu.norms.asking import Awaited, Next
    from tongqiu.norms.grading import Book
    from tongqiu.norms.library import Norms
    from tongqiu.record.subject import Subject

_MOST = 1_000
_FACTS = "grading.facts/1"


def next_(
    *,
    systems: Annotated[
        tuple[str, ...],
        Parameter(
            help="Only these systems, by identifier or name; none means all. 仅这些系统（标识符或名称）；留空为全部。"
        ),
    ] = (),
    limit: Limit = 20,
    home: Home = None,
    json_: Json = False,
) -> int:
    """List the questions that would narrow most grades of all systems. 列出最能缩小各系统分级范围的问题。"""
    from tongqiu.norms.asking import next_questions

    within("--limit", limit, 1, _MOST)
    with open_existing(home) as node:
        norms = _norms(node)
        books = [norms.book(name) for name in norms.ids]
        desk = node.desk(node.owner)
        awaited = [_awaited(desk, each, books) for each in _chosen(desk.systems(), systems)]
        found = next_questions(
            [each for each in awaited if _sound(each, books)], books, as_of=norms.as_of, known_at=norms.known_at
        )
    if json_:
        _print_json(found[:limit])
        return 0
    if not found:
        console().print(t("Nothing is open, or there is no system here yet.", "没有待答问题，或此处尚无系统。"))
        return 0
    _print_table(found[:limit])
    console().print(
        t(
            "{shown} of {all} questions. Write answers under [facts] in each system's tongqiu.toml and assess again.",
            "共 {all} 个问题，显示 {shown} 个。请在各系统 tongqiu.toml 的 [facts] 下作答后重新评估。",
            shown=min(limit, len(found)),
            all=len(found),
        )
    )
    return 0


def _norms(node: Node) -> Norms:
    """Return the packs in use here, as of now."""
    from tongqiu.norms.library import Norms

    lent = node.snapshot(node.owner).norms
    if isinstance(lent, Norms):
        return lent
    return Norms(datetime.date.fromisoformat(node.clock.now()[:10]))


def _chosen(known: Sequence[Subject], wanted: Sequence[str]) -> list[Subject]:
    """Return the systems that are meant, all where none is named. Raises Missing (``subject.missing``)."""
    for each in wanted:
        if not any(each in {system.id, system.name} for system in known):
            raise Missing(
                "subject.missing",
                Text(en="There is no system {id} here.", zh="此处没有系统 {id}。"),
                do=Text(en="List them with: tongqiu records --kind core.composition/1",
                        zh="请用 tongqiu records --kind core.composition/1 列出。"),
                id=each[:120],
            )  # fmt: skip
    return [each for each in known if not wanted or {each.id, each.name} & set(wanted)]


def _awaited(desk: NodeDesk, system: Subject, books: Iterable[Book]) -> Awaited:
    """Return what is known of ``system``: its newest declared facts, and findings where some pack listens to them."""
    from tongqiu.norms.asking import Awaited
    from tongqiu.norms.grading import Seen

    declared = [each for each in desk.said(_FACTS, subject=system) if each.subject.id == system.id]
    newest = max(declared, key=lambda each: (each.at, each.entry), default=None)
    facts = {} if newest is None else {each["key"]: each["value"] for each in newest.body["facts"]}
    heard = sorted({fact.signal.finding for book in books for fact in book.pack.facts if fact.signal is not None})
    about = (system, *(part for _, part in desk.parts(system)))
    findings = tuple(
        Seen(entry=each.statement.entry, kind=each.statement.kind, finding=each.finding)
        for subject in about
        for prefix in heard
        for each in desk.findings(subject=subject, requirement=prefix)
    )
    return Awaited(system=system.name or system.id, facts=facts, findings=findings)


def _sound(awaited: Awaited, books: Iterable[Book]) -> bool:
    """Tell whether the answers of a system can be used; say why, and leave it out, where a stranger's cannot."""
    try:
        for book in books:
            own = {key: value for key, value in awaited.facts.items() if key in book.facts}
            book.settle(own, awaited.findings, where=awaited.system)
    except Malformed as fault:
        complain(fault)
        return False
    return True


def _print_table(found: Sequence[Next]) -> None:
    rows = [
        (
            str(place),
            each.question.of(lang()),
            " / ".join(str(value).lower() for value in each.values),
            str(len(each.systems)),
            f"{each.mean:.2f}",
            ", ".join(each.packs),
            each.fact,
        )
        for place, each in enumerate(found, 1)
    ]
    columns = (
        t("Order", "次序"),
        t("Question", "问题"),
        t("Answers", "可答"),
        t("Systems", "系统数"),
        t("Grades that drop out on average", "平均排除的等级数"),
        t("Asked by", "提问的规范包"),
        t("Fact", "事实"),
    )
    console().print(table(columns, rows))


def _print_json(found: Sequence[Next]) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")

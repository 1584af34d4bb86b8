"""Looking after a node: ``records``, ``registry``, corrections, erasure, ``rebuild``, ``areas``, ``node``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tongqiu.cli.words import ask, console, lang, short, t, table, tell, within
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from tongqiu.node.desk import NodeDesk
    from tongqiu.node.node import Node
    from tongqiu.node.verbs import Done
    from tongqiu.practice import Table

Home = Annotated[
    Path | None,
    Parameter(
        help="The node's folder (default: $TONGQIU_HOME or ~/.tongqiu). 节点目录（默认：$TONGQIU_HOME 或 ~/.tongqiu）。"
    ),
]
Entry = Annotated[str, Parameter(help="A record's id, or the beginning of it. 记录编号或其开头。")]
Limit = Annotated[int, Parameter(help="At most so many rows. 最多显示的行数。")]
_MOST = 10_000
Json = Annotated[bool, Parameter(name="--json", help="Print JSON. 输出 JSON。")]


def open_existing(home: Path | None) -> Node:
    """Open a node that exists. Raises Missing (``home.missing``)."""
    from tongqiu.node import open_node

    return open_node(home)


def find_entry(desk: NodeDesk, beginning: str) -> str:
    """Return the one readable entry that begins so. Raises Missing, Malformed (``record.many``) for several."""
    wanted = beginning.removeprefix("sha-256:").lower()
    if len(wanted) == 64:  # noqa: PLR2004 - hex of SHA-256
        return f"sha-256:{wanted}"
    found: list[str] = []
    cursor: str | None = None
    while len(wanted) >= 4:  # noqa: PLR2004 - shorter beginnings name too much
        page, cursor = desk.records(after=cursor, limit=500)
        found += [each.entry for each in page if each.entry.removeprefix("sha-256:").startswith(wanted)]
        if cursor is None:
            break
    if len(found) > 1:
        raise Malformed(
            "record.many",
            Text(en="Several records begin with {entry}.", zh="有多条记录以 {entry} 开头。"),
            do=Text(en="Give more of the id.", zh="请多写几位编号。"),
            entry=beginning,
        )
    if not found:
        raise Missing(
            "record.missing",
            Text(en="There is no record {entry} here.", zh="此处没有记录 {entry}。"),
            do=Text(en="List them with: tongqiu records", zh="请用 tongqiu records 列出。"),
            entry=beginning,
        )
    return found[0]


def records(  # noqa: PLR0913 - one option each
    *,
    home: Home = None,
    kind: Annotated[str, Parameter(help="Only this record type. 仅此记录类型。")] = "",
    subject: Annotated[
        str, Parameter(help="Only about the subject with this identifier. 仅限此标识符所指的对象。")
    ] = "",
    search: Annotated[str, Parameter(help="Words in names and ids. 名称或编号中的词。")] = "",
    limit: Limit = 50,
    json_: Json = False,
) -> int:
    """List records, newest first. 列出记录，最新在前。"""
    within("--limit", limit, 1, _MOST)
    with open_existing(home) as node:
        desk = node.desk(node.owner)
        found, more = desk.records(kind=kind, subject=subject, search=search, limit=limit)
        if json_:
            _json([_plain(each) for each in found])
            return 0
        rows = [
            (short(each.entry), each.kind, each.subject.name or each.subject.id, each.at, _readers(each))
            for each in found
        ]
        console().print(
            table(
                (
                    t("Record", "记录"),
                    t("Type", "类型"),
                    t("About", "对象"),
                    t("Said at", "出具时间"),
                    t("Readers", "读者"),
                ),
                rows,
            )
        )
        if more:
            console().print(t("There are more; raise --limit.", "还有更多；请调大 --limit。"))
    return 0


def registry(
    name: Annotated[str, Parameter(help="Which registry; none lists them. 名录名称；留空列出全部。")] = "",
    *,
    home: Home = None,
    search: Annotated[str, Parameter(help="Words in searchable columns. 可搜索列中的词。")] = "",
    limit: Limit = 50,
    json_: Json = False,
) -> int:
    """List a registry, or the registries. 查看名录，或列出全部名录。"""
    within("--limit", limit, 1, _MOST)
    with open_existing(home) as node:
        if not name:
            rows = [(each.name, each.title.of(lang())) for each in node.practices.views.values()]
            console().print(table((t("Registry", "名录"), t("Title", "标题")), rows))
            return 0
        found = node.desk(node.owner).rows(name, search=search, limit=limit)
        if json_:
            _json([dict(zip([column.name for column in found.columns], row, strict=True)) for row in found.rows])
            return 0
        _print_rows(found)
        console().print(t("{shown} of {all}", "共 {all} 条，显示 {shown} 条", shown=len(found.rows), all=found.total))
    return 0


def publish(  # noqa: PLR0913 - one option each
    entry: Entry,
    *,
    home: Home = None,
    to: Annotated[
        tuple[str, ...], Parameter(help="DIDs of the readers; none means everyone. 读者的 DID；留空表示所有人。")
    ] = (),
    told: Annotated[tuple[str, ...], Parameter(help="DIDs of those who may reply first. 可先行答复者的 DID。")] = (),
    until: Annotated[str, Parameter(help="When the reply period ends (UTC). 答复期截止时间（UTC）。")] = "",
    person: Annotated[str, Parameter(help="The person who releases what it rests on. 决定公开所依据记录的人。")] = "",
    why: Annotated[str, Parameter(help="Why that person does. 公开的理由。")] = "",
) -> int:
    """Say a record again for more readers; the earlier one is replaced. 面向更多读者重新出具，并替代原记录。"""
    with open_existing(home) as node:
        values = {"to": to, "told": told, "until": until, "person": person, "why": why}
        (made, *_) = _act(
            node, "core.publish", {"entry": find_entry(node.desk(node.owner), entry), **values}
        ).statements
        if until:
            console().print(
                t("Told; it is published at {until} as {entry} unless a reply asks for a correction.",
                  "已告知；除非答复要求更正，{entry} 将于 {until} 公开。", until=until, entry=short(made.entry))
            )  # fmt: skip
        else:
            console().print(t("Published as {entry}.", "已公开为 {entry}。", entry=short(made.entry)))
    return 0


def withdraw(
    entry: Entry,
    *,
    why: Annotated[str, Parameter(help="The reason; it is recorded. 理由；会一并记录。")],
    home: Home = None,
) -> int:
    """No longer stand by a record; it stays in the log, marked. 撤回一条记录；日志中仍在，并有标记。"""
    with open_existing(home) as node:
        named = find_entry(node.desk(node.owner), entry)
        (done,) = _act(node, "core.withdraw", {"entry": named, "why": why}).statements
        console().print(t("Withdrawn by {entry}.", "已由 {entry} 撤回。", entry=short(done.entry)))
    return 0


def erase(
    entry: Entry,
    *,
    ground: Annotated[str, Parameter(help="The legal ground; stays in the log. 法律依据；会留在日志中。")],
    authority: Annotated[str, Parameter(help="Who decided. 作出决定的人或机构。")] = "",
    home: Home = None,
    yes: Annotated[bool, Parameter(help="Do not ask again. 不再确认。")] = False,
) -> int:
    """Destroy the content of a record for good; its receipt still verifies. 永久销毁记录内容；回执仍可核验。"""
    with open_existing(home) as node:
        desk = node.desk(node.owner)
        found = desk.record(find_entry(desk, entry))
        if not yes:
            sure = ask(
                t(
                    "Destroy the content of {entry} for good? Type its first 12 digits: ",
                    "永久销毁 {entry} 的内容？请输入其前 12 位：",
                    entry=short(found.entry),
                )
            )
            if sure != short(found.entry):
                console().print(t("Nothing was destroyed.", "未销毁任何内容。"))
                return 1
        done = _act(node, "core.erase", {"entry": found.entry, "ground": ground, "authority": authority})
        if done.proposal is not None:
            console().print(
                t(
                    "Proposed as {entry}; a second person must agree (tongqiu proposals).",
                    "已提议为 {entry}；须经第二人同意（tongqiu proposals）。",
                    entry=short(done.proposal.entry),
                )
            )
            return 0
        (stone,) = done.statements
        named = stone.body.get("dependents", [])
        console().print(
            t(
                "Destroyed; tombstone {entry}; {n} records rested on it.",
                "已销毁；删除标记 {entry}；有 {n} 条记录依据它。",
                entry=short(stone.entry),
                n=len(named),
            )
        )
    return 0


def _act(node: Node, name: str, values: dict[str, Any]) -> Done:
    """Do a verb as the person at the terminal; every mistake in its fields is told first."""
    from tongqiu.node.filling import Unfit
    from tongqiu.node.verbs import act

    try:
        return act(node, node.people.at_terminal(), name, values)
    except Unfit as fault:
        for field, text in sorted(fault.fields.items()):
            tell(f"{'--' + field + ': ' if field else ''}{text.of(lang())}\n")
        raise


def rebuild(*, home: Home = None) -> int:
    """Make every registry anew from the log, beside the live one, and say whether they agree. 重建全部名录并比对。"""
    with open_existing(home) as node:
        node.registry.catch_up()
        rows = []
        differs = False
        for name in node.practices.views:
            before = node.registry.digest(name)
            node.registry.rebuild(name)
            after = node.registry.digest(name)
            differs |= before != after
            rows.append((name, before[:20], t("same", "一致") if before == after else t("DIFFERS", "不一致")))
        console().print(table((t("Registry", "名录"), t("Digest", "摘要"), t("Rebuilt", "重建")), rows))
    return 1 if differs else 0


def areas(*, home: Home = None) -> int:
    """What can be assessed here: practices with their probes, rules and record types. 此处可以评估哪些领域。"""
    from tongqiu.node import core, discovery

    del home
    found = discovery.discover(core=core.PRACTICE)
    rows = [
        (
            each.name,
            each.title.of(lang()),
            each.about.of(lang()),
            ", ".join(probe.name for probe in each.probes),
            ", ".join(kind.name for kind in each.kinds),
        )
        for each in found.all
    ]
    console().print(
        table(
            (
                t("Area", "领域"),
                t("Title", "标题"),
                t("About", "简介"),
                t("Checks", "检测"),
                t("Record types", "记录类型"),
            ),
            rows,
        )
    )
    for name, why in found.broken:
        console().print(
            t("Could not be loaded: {name}: {why}", "未能加载：{name}：{why}", name=name, why=why),
        )
    return 0


def node(*, home: Home = None) -> int:
    """Who this node is, and its log's signed checkpoint. 本节点的身份与日志的签名检查点。"""
    with open_existing(home) as opened:
        head = opened.store.backend.head()
        rows = [
            (t("Name", "名称"), opened.name),
            ("DID", opened.me),
            (t("Log", "日志"), opened.log.origin),
            (t("Entries", "条目"), str(head.size)),
            (t("Root", "根"), head.root.hex()),
            (t("Store", "存储"), opened.store.where),
        ]
        console().print(table(("", ""), rows))
        console().print(opened.log.checkpoint())
    return 0


def _print_rows(found: Table) -> None:
    """Print rows as a table, or, where it would not fit, as one block of named values a row."""
    out = console()
    rows = [["" if cell is None else str(cell) for cell in row] for row in found.rows]
    titles = [column.title.of(lang()) for column in found.columns]
    if sum(max([len(title), *(len(row[at]) for row in rows)]) + 2 for at, title in enumerate(titles)) <= out.width:
        out.print(table(titles, rows))
        return
    for row in rows:
        out.print(table(("", ""), [(title, cell) for title, cell in zip(titles, row, strict=True) if cell]))


def _plain(statement: Any) -> dict[str, Any]:  # noqa: ANN401 - a Statement
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(statement)
    return plain


def _readers(statement: Any) -> str:  # noqa: ANN401 - a Statement
    audience = statement.content.audience
    if audience.readers is None:
        return t("everyone", "所有人")
    others = [each for each in audience.readers if each != statement.issuer]
    return t("issuer and {n} more", "出具方及另外 {n} 方", n=len(others)) if others else t("issuer only", "仅出具方")


def _json(value: object) -> None:
    # The escapes of inert text are those of JSON: whoever reads it gets the same values.
    sys.stdout.write(inert(json.dumps(value, ensure_ascii=False, indent=2, default=str)) + "\n")

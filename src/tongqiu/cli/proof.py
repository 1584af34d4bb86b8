"""Checking without trusting: ``verify``, ``explain``, ``export`` and ``trust``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tongqiu.cli.words import VERDICTS, console, lang, short, styled, t, table
from tongqiu.record.faults import Malformed, Missing, Unproven, row
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.node.desk import Explained
    from tongqiu.node.passports import Checked, Verification
    from tongqiu.record.subject import Subject

Home = Annotated[
    Path | None,
    Parameter(
        help="The node's folder (default: $TONGQIU_HOME or ~/.tongqiu). 节点目录（默认：$TONGQIU_HOME 或 ~/.tongqiu）。"
    ),
]


def verify(
    file: Annotated[Path, Parameter(help="The evidence file (.tqp). 证据档案。")],
    *,
    trust: Annotated[
        Path | None,
        Parameter(
            help="Trust file with pinned keys (default: the node's own). 含已固定密钥的信任文件（默认用本节点的）。"
        ),
    ] = None,
    home: Home = None,
    pinned: Annotated[
        bool,
        Parameter(
            help="End with an error unless pinned keys vouch for all of it. 除非全部内容都由已固定的密钥担保，否则以错误结束。"
        ),
    ] = False,
    brief: Annotated[bool, Parameter(help="Leave out the tables. 不显示各条记录的表格。")] = False,
) -> int:
    """Check an evidence file, offline: proofs first, then all arithmetic again. 离线核验证据档案。"""
    from tongqiu.ledger.passport import MAX_PASSPORT
    from tongqiu.node import core, discovery, passports
    from tongqiu.node import home as homes
    from tongqiu.seal.policy import Policy, read_trust

    data = passports.read_file(file, MAX_PASSPORT)
    where = home or homes.default()
    policy = Policy()
    if trust is not None:
        policy = read_trust(passports.read_file(trust, 1 << 20), where=str(trust))
    elif (where / "node.toml").exists():
        policy = passports.own_policy(homes.load(where))
    practices = discovery.discover(core=core.PRACTICE)
    found = passports.verify(data, policy=policy, practices=practices, now=passports.now(), where=file.name)
    _print(found, brief=brief)
    if not found.sound:
        fault = Unproven(
            "verify.arithmetic",
            Text(en="Computed again, a record comes out differently.", zh="重新计算后，有记录结果不一致。"),
            do=Text(en="Do not rely on it; ask its issuer.", zh="请勿依赖；请联系出具方。"),
            where=str(file),
        )
        raise fault
    if not found.report.pinned:
        console().print(
            styled(
                t(
                    "Nobody you trust vouches for all of it: pin keys with tongqiu trust --add FILE.",
                    "并非全部内容都有您信任的一方担保：请用 tongqiu trust --add FILE 固定密钥。",
                ),
                "yellow",
            )
        )
        if pinned:
            return row(Unproven("verify.pinned", Text(en="", zh=""), do=Text(en="", zh=""))).exit_code
    return 0


def _print(found: Verification, *, brief: bool) -> None:
    """Print what is proven, what is not, and each record."""
    _print_proven(found)
    _print_doubts(found)
    if not brief:
        _print_records(found)


def _print_proven(found: Verification) -> None:
    out, report = console(), found.report
    out.print(styled(t("PROVEN", "已证明"), "bold green"))
    signers = sorted({item.issuer_name or item.issuer for item in report.items})
    out.print("  " + t("Who signed: {names}", "签署者：{names}", names=", ".join(signers)))
    if report.items:
        span = {"first": report.items[0].logged_at, "last": report.items[-1].logged_at}
        where = {"origin": report.origin, "size": report.size}
        out.print(
            "  "
            + t(
                "When logged: {first} to {last}, in log {origin} ({size} entries)",
                "入日志时间：{first} 至 {last}，日志 {origin}（{size} 条）",
                **span,
                **where,
            )
        )
    for claim in report.proven:
        out.print("  " + claim.text.of(lang()))
    bare = sum(each.derived is None and not each.notes for each in found.records)
    counts = {
        "n": sum(each.derived is True for each in found.records),
        "all": len(found.records),
        "bare": bare,
    }
    out.print(
        "  "
        + t(
            "Arithmetic re-derived: {n} of {all} disclosed records; {bare} hold nothing to compute",
            "算术已重新推导：已披露的 {all} 条记录中的 {n} 条；{bare} 条没有可计算的内容",
            **counts,
        )
    )


def _print_doubts(found: Verification) -> None:
    out, report = console(), found.report
    out.print(styled(t("NOT PROVEN", "未证明"), "bold yellow"))
    for claim in report.not_proven:
        out.print("  " + claim.text.of(lang()))
    again = [each for each in found.records if each.derived is not True and each.notes]
    if again:
        out.print("  " + t("Arithmetic of {n} records: see below why", "{n} 条记录的算术：原因见下", n=len(again)))
    ended = sum(not each.standing for each in found.records)
    if ended:
        out.print("  " + t("Withdrawn or replaced since: {n} records", "此后已被撤回或替代：{n} 条记录", n=ended))
    withheld = sum(not item.disclosed for item in report.items)
    if withheld:
        out.print("  " + t("Content withheld: {n} records", "内容未披露：{n} 条记录", n=withheld))
    if found.missing:
        lost = len(found.missing)
        out.print(
            "  " + t("Rests on records that are not in this file: {n}", "所依据但不在本档案中的记录：{n} 条", n=lost)
        )


def _print_records(found: Verification) -> None:
    out = console()
    words = {True: t("agrees", "一致"), False: t("DIFFERS", "不一致"), None: "-"}
    rows = [
        (
            short(each.statement.entry),
            each.statement.kind,
            each.statement.subject.name or each.statement.subject.id,
            each.statement.at,
            " ".join([words[each.derived], *_remarks(each)]),
        )
        for each in found.records
    ]
    heads = (
        t("Record", "记录"),
        t("Type", "类型"),
        t("About", "对象"),
        t("Said at", "出具时间"),
        t("Computed again", "重新计算"),
    )
    out.print(table(heads, rows))
    findings = [(each, finding) for each in found.records for finding in each.statement.content.findings]
    if findings:
        shown = [
            (
                VERDICTS[finding.verdict].of(lang()) + ("" if each.derived and each.standing else " (!)"),
                each.statement.subject.name or each.statement.subject.id,
                finding.title.of(lang()),
            )
            for each, finding in findings
        ]
        out.print(table((t("Verdict", "结论"), t("About", "对象"), t("Requirement", "要求")), shown))
        if any(not (each.derived and each.standing) for each, _ in findings):
            out.print(t("(!) not computed again here, or no longer standing", "(!) 此处未能重新计算，或已不再有效"))


def _remarks(checked: Checked) -> list[str]:
    """Return what must be said beside the outcome of one record."""
    ended = [] if checked.standing else [t("withdrawn or replaced", "已被撤回或替代")]
    usual = checked.derived is True and len(checked.notes) == 1
    return ended + ([] if usual else [note.of(lang()) for note in checked.notes])


def explain(
    entry: Annotated[str, Parameter(help="A record's id, or the beginning of it. 记录编号或其开头。")],
    *,
    home: Home = None,
) -> int:
    """Walk from a record to the measurements it rests on. 从一条记录追溯到它所依据的测量。"""
    from rich.tree import Tree

    from tongqiu.cli.desk import find_entry, open_existing

    with open_existing(home) as node:
        desk = node.desk(node.owner)
        walked = desk.explain(find_entry(desk, entry))
        tree = Tree(_line(walked))  # type: ignore[arg-type]
        _grow(tree, walked)
        console().print(tree)
    return 0


def _grow(tree: object, walked: Explained) -> None:
    for each in walked.why:
        branch = tree.add(_line(each))  # type: ignore[attr-defined]
        _grow(branch, each)


def _line(walked: Explained) -> object:
    from rich.text import Text as Inert

    statement = walked.statement
    made = statement.content.by or statement.issuer
    # A name from elsewhere may hold a line break; it must not be able to write a line of its own here.
    name = inert(statement.subject.name or statement.subject.id, one_line=True)
    lines = [f"{short(statement.entry)}  {statement.kind}  {name}  ({inert(made, one_line=True)}, {statement.at})"]
    if walked.again:
        return Inert(lines[0] + "  " + t("(shown above)", "（见上文）"), style="dim")
    lines += [
        f"  {VERDICTS[each.verdict].of(lang())}: {each.reason.of(lang())}" for each in statement.content.findings[:12]
    ]
    for each in statement.content.evidence[:12]:
        group = ", ".join(f"{key}={value}" for key, value in sorted(each.group.items()))
        value = f"{each.value:.4g}" if isinstance(each.value, float) else str(each.value)
        interval = f" [{each.low:.4g}, {each.high:.4g}]" if each.low is not None and each.high is not None else ""
        unit = "" if each.unit == "1" else f" {each.unit}"
        lines.append(
            f"  {each.title.of(lang())}{f' ({group})' if group else ''} = {value}{unit}{interval}"
            + (f", n={each.n}" if each.n else "")
        )
    hidden = max(0, len(statement.content.evidence) - 12) + max(0, len(statement.content.findings) - 12)
    if hidden:
        lines.append("  " + t("… and {n} more", "……另有 {n} 项", n=hidden))
    lines.extend(
        "  " + t("rests on {entry}, not readable here", "依据 {entry}，此处不可读", entry=short(entry))
        for entry in walked.hidden
    )
    for asked in walked.asked:
        lines.append(
            "  "
            + t(
                "asked the log ({size} entries) for {kind}: {count} found",
                "向日志（{size} 条）查询 {kind}：得到 {count} 条",
                size=asked.size,
                kind=asked.kind,
                count=asked.count,
            )
        )
    return Inert("\n".join(lines))


def export(
    system: Annotated[str, Parameter(help="Name or identifier of the system. 系统名称或标识符。")],
    file: Annotated[Path, Parameter(help="Where the evidence file goes. 证据档案的写入路径。")],
    *,
    home: Home = None,
    withhold: Annotated[
        tuple[str, ...],
        Parameter(
            help="Record types whose content stays out, such as `dataset.*`. 不披露内容的记录类型，如 `dataset.*`。"
        ),
    ] = (),
    files: Annotated[bool, Parameter(help="Take attached files along. 一并带上附件。")] = True,
) -> int:
    """Write the evidence file of a system, showing chosen content and the rest as withheld. 导出证据档案。"""
    from tongqiu.cli.desk import open_existing
    from tongqiu.cli.start import write
    from tongqiu.node import passports

    with open_existing(home) as node:
        data = passports.export(
            node, find_system(node.desk(node.owner).systems(), system), withhold=withhold, files=files
        )
    write(file, data)
    console().print(t("Wrote {path}, {n} bytes.", "已写入 {path}，{n} 字节。", path=file, n=len(data)))
    return 0


def find_system(systems: Sequence[Subject], wanted: str) -> Subject:
    """Return the one system that ``wanted`` names. Raises Missing (``system.missing``), Malformed (``system.many``)."""
    found = [each for each in systems if wanted in {each.id, each.name}]
    if len(found) == 1:
        return found[0]
    if found:
        raise Malformed(
            "system.many",
            Text(en="Several systems are called {name}.", zh="有多个系统名为 {name}。"),
            do=Text(en="Use the identifier: {ids}", zh="请改用标识符：{ids}"),
            name=wanted,
            ids=", ".join(each.id for each in found),
        )
    raise Missing(
        "system.missing",
        Text(en="No system {name} is known here.", zh="此处没有系统 {name}。"),
        do=Text(en="List them with: tongqiu registry systems", zh="请用 tongqiu registry systems 列出。"),
        name=wanted,
    )


def trust(
    *,
    add: Annotated[
        Path | None, Parameter(help="Pin the parties and logs of this trust file. 固定此信任文件中的参与方与日志。")
    ] = None,
    home: Home = None,
) -> int:
    """Show this node's own trust file and whom it trusts, or pin more. 查看或固定您信任的参与方。"""
    from tongqiu.cli.start import write
    from tongqiu.node import home as homes
    from tongqiu.node import passports
    from tongqiu.seal.policy import Policy, read_trust, write_trust

    opened = homes.load(home or homes.default())
    path = opened.path / "trust.toml"
    known = read_trust(passports.read_file(path, 1 << 20), where=str(path)) if path.exists() else Policy()
    if add is not None:
        more = read_trust(passports.read_file(add, 1 << 20), where=str(add))
        known = known | more
        read_trust(write_trust(known).encode(), where=str(path))
        write(path, write_trust(known).encode())
    out = console()
    out.print(t("Hand this to those who shall verify your records:", "请将以下内容交给核验您记录的人："))
    out.print(passports.trust_file(opened))
    rows = [(t("party", "参与方"), each.name, each.did) for each in known.parties]
    rows += [(t("log", "日志"), each.name, each.origin) for each in known.logs]
    out.print(
        table(
            (t("Trusted", "信任"), t("Name", "名称"), t("Identifier", "标识符")),
            rows or [("-", t("nobody yet", "尚无"), "-")],
        )
    )
    return 0

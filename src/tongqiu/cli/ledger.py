"""Looking after the log: ``fsck``, ``backup``, ``take-over``, ``log-key``, ``forget``, and ``drafts`` of desks without a log."""

from __future__ import annotations

import contextlib
import mimetypes
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from tongqiu.cli.words import ask, console, lang, styled, t, table, tell
from tongqiu.record.audience import Audience
from tongqiu.record.faults import Malformed, row
from tongqiu.record.statement import MAX_CONTENT, Attachment, Said
from tongqiu.record.subject import EntryText, Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Home = Annotated[
    Path | None,
    Parameter(
        help="The node's folder (default: $TONGQIU_HOME or ~/.tongqiu). 节点目录（默认：$TONGQIU_HOME 或 ~/.tongqiu）。"
    ),
]

_STEPS = {
    "file": Text(en="database file", zh="数据库文件"),
    "entries": Text(en="entries, signatures, tree", zh="条目、签名、树"),
    "indexes": Text(en="indexes", zh="索引"),
    "files": Text(en="attached files", zh="附件"),
    "registries": Text(en="registries", zh="名录"),
}


def fsck(*, home: Home = None) -> int:
    """Derive everything again from the signed entries and name the first difference; changes nothing.

    由已签名的条目重新推导全部内容，并指出第一处差异；不作任何改动。
    """
    from tongqiu.node import core, discovery, fsck
    from tongqiu.node import home as homes

    where = homes.load(home or homes.default())
    with _bars() as tell:
        found = fsck.check(where, discovery.discover(core=core.PRACTICE), tell=tell)
    rows = [
        (t("Entries", "条目"), f"{found.entries:,}"),
        (t("with content", "含内容"), f"{found.contents:,}"),
        (t("signed by unknown keys (not checked)", "签名密钥未知（未核验）"), f"{found.unknown:,}"),
        (t("Pieces of the tree", "树片段"), f"{found.tiles:,}"),
        (t("Attached files", "附件"), f"{found.files:,}"),
        (t("Registries", "名录"), f"{found.registries:,}"),
        (t("Root", "根"), found.root.hex()),
    ]
    console().print(table(("", ""), rows))
    console().print(
        styled(t("Everything follows from the signed entries.", "全部内容均可由已签名的条目推导得出。"), "green")
    )
    return 0


def backup(
    file: Annotated[Path, Parameter(help="The new file. 新文件。")],
    *,
    home: Home = None,
) -> int:
    """Copy the log and all contents to a file that nobody can read without the keys, which are not in it.

    将日志与全部内容复制到一个文件；其中不含密钥，没有密钥则无人能读。
    """
    from tongqiu.node import home as homes
    from tongqiu.store.backup import back_up

    where = homes.load(home or homes.default())
    count = back_up(where.store, file)
    console().print(
        t("{n} entries are copied to {file}.", "已将 {n} 条条目复制到 {file}。", n=f"{count:,}", file=str(file))
    )
    console().print(
        t(
            "Nobody can read their contents without {keys}: copy that file to another place, and keep only its newest copy.",
            "没有 {keys} 则无人能读其内容：请将该文件另存他处，且仅保留其最新副本。",
            keys=str(where.keys),
        )
    )
    return 0


def take_over(
    *,
    home: Home = None,
    yes: Annotated[bool, Parameter(help="Do not ask. 不再询问。")] = False,
) -> int:
    """Let this copy of a node write; only when the other will never write again.

    允许此节点副本写入；仅当另一节点不会再写入时使用。
    """
    from tongqiu.node import anchor
    from tongqiu.node import home as homes
    from tongqiu.store.house import open_store

    where = homes.load(home or homes.default())
    if not yes:
        sys.stderr.write(
            t(
                "If the other copy writes again, two logs of one name will contradict each other, and everyone can see it.\n",
                "若另一副本再次写入，同名的两份日志将互相矛盾，且人人可见。\n",
            )
        )
        if ask(t("Is the other one gone for good? [yes/no] ", "另一节点是否已永久停用？[yes/no] ")) != "yes":
            return 1
    with open_store(where.store, keys=where.keys, create=False, writer=anchor.instance(where.path)) as store:
        anchor.check(where.path, store.backend)
        epoch = store.backend.take_over()
    console().print(t("This node writes now (epoch {epoch}).", "现由本节点写入（代次 {epoch}）。", epoch=epoch))
    return 0


def log_keys(*, home: Home = None) -> int:
    """List every key that has signed for this log, the present one first. 列出为此日志签名的全部密钥，现用者在前。"""
    from tongqiu.cli.desk import open_existing
    from tongqiu.ledger.checkpoint import vkey
    from tongqiu.node.logkeys import chain

    with open_existing(home) as node:
        keys, origin = chain(node.log.reading), node.log.origin
    for number, key in reversed(list(enumerate(keys, 1))):
        state = t("in use", "现用") if number == len(keys) else t("retired", "已停用")
        # One line each, so that a key can be copied whole.
        console().print(f"{number}  {state}  {vkey(origin, key)}", soft_wrap=True)
    return 0


def rotate_log_key(
    *,
    home: Home = None,
    yes: Annotated[bool, Parameter(help="Do not ask. 不再询问。")] = False,
) -> int:
    """Give the log a new key; receipts by the old one stay valid. 为日志更换密钥；旧密钥所签回执仍然有效。"""
    from tongqiu.cli.desk import open_existing
    from tongqiu.ledger.checkpoint import vkey
    from tongqiu.node import logkeys

    with open_existing(home) as node:
        if not yes:
            tell(
                t(
                    "The present key is destroyed here. Whoever pinned it needs the new one from you, and a running serve must be"
                    " started anew.\n",
                    "现用密钥将在此处销毁。固定了该密钥的人须向您索取新密钥；正在运行的 serve 须重新启动。\n",
                )
            )
            if ask(t("Change the key of the log? [yes/no] ", "是否更换日志密钥？[yes/no] ")) != "yes":
                console().print(t("Nothing was changed.", "未作任何更改。"))
                return 1
        new = logkeys.rotate_log_key(node.home, node.log, node.store.backend)
        number, origin = len(logkeys.chain(node.log.reading)), node.log.origin
    console().print(t("The log has its key number {number} now:", "日志现已使用第 {number} 把密钥：", number=number))
    console().print(vkey(origin, new), soft_wrap=True)
    return 0


def forget(
    subject: Annotated[str, Parameter(help="The identifier of what the records are about. 记录对象的标识符。")],
    *,
    ground: Annotated[str, Parameter(help="The legal ground; stays in the log. 法律依据；会留在日志中。")],
    authority: Annotated[str, Parameter(help="Who decided. 作出决定的人或机构。")] = "",
    home: Home = None,
    yes: Annotated[bool, Parameter(help="Do not ask again. 不再确认。")] = False,
) -> int:
    """Destroy the content of every record about one subject. 永久销毁关于一个对象的全部记录内容。"""
    from tongqiu.cli.desk import open_existing
    from tongqiu.node import verbs
    from tongqiu.node.forgetting import about

    with open_existing(home) as node:
        signed = node.people.at_terminal()
        _, verb = verbs.allowed(node, signed, "core.erase")
        meant = node.desk(node.owner).subject(subject)
        going = about(node, meant)
        count = len(going.entries)
        if not yes:
            places = (node.store.backend.find(entry) for entry in going.entries)
            kinds = Counter(node.store.backend.row(at).columns.kind for at in places if at is not None)
            rows = [(name, str(many)) for name, many in sorted(kinds.items())]
            console().print(table((t("Record type", "记录类型"), t("Records", "条数")), rows))
            sure = ask(
                t(
                    "Destroy the content of these {n} records for good? Type {id}: ",
                    "永久销毁这 {n} 条记录的内容？请输入 {id}：",
                    n=count,
                    id=meant.id,
                )
            )
            if sure != meant.id:
                console().print(t("Nothing was destroyed.", "未销毁任何内容。"))
                return 1
        if verbs.others(node, signed):
            for each in going.led:
                values = {"entry": each.entry, "ground": ground, "authority": authority}
                verbs.act(node, signed, verb.name, values)
            console().print(
                t(
                    "{n} erasures are proposed; a second person must agree to each (tongqiu proposals).",
                    "已提议 {n} 项删除；每项须经第二人同意（tongqiu proposals）。",
                    n=len(going.led),
                )
            )
            return 0
        told = verbs.account(signed.principal, verb)
        stones = node.forget(meant, ground=ground, authority=authority, account=lambda made: told(node, made))
    named = {entry for stone in stones for entry in stone.body.get("dependents", [])}
    console().print(
        t(
            "Destroyed {n} records; {left} others rested on them.",
            "已销毁 {n} 条记录；另有 {left} 条记录依据它们。",
            n=count,
            left=len(named),
        )
    )
    return 0


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person writes down of one record, as JSON; ``audience`` absent means: for its issuer alone."""

    kind: str
    subject: Subject
    body: dict[str, Any]
    rests_on: tuple[EntryText, ...] = ()
    audience: Audience | None = None
    thread: str | None = None


def drafts(  # noqa: PLR0913 - one option each
    folder: Annotated[Path, Parameter(help="The folder of the desk. 工作台目录。")],
    *,
    home: Home = None,
    begin: Annotated[bool, Parameter(help="Make the desk. 建立工作台。")] = False,
    party: Annotated[str, Parameter(help="Name of the new party whose desk it is. 新参与方的名称。")] = "",
    own: Annotated[bool, Parameter(help="A desk of this node's own party. 为本节点的参与方建立。")] = False,
    write: Annotated[
        Path | None, Parameter(help="Sign the record that this JSON file describes. 签署此 JSON 文件所写的记录。")
    ] = None,
    attach: Annotated[
        tuple[Path, ...], Parameter(help="A file that belongs to the record; repeatable. 记录的附件，可重复。")
    ] = (),
    log: Annotated[bool, Parameter(help="Hand all drafts to the node's log. 将全部草稿提交本节点的日志。")] = False,
) -> int:
    """List, sign or log the drafts of a desk without a log.

    列出、签署离线工作台的草稿，或将其提交入日志。
    """
    from tongqiu.node import core, discovery, passports
    from tongqiu.node import drafts as desks
    from tongqiu.node import home as homes

    if attach and write is None:
        raise Malformed(
            "option.attach",
            Text(en="Files belong to a record that is written.", zh="附件须随所写的记录一同给出。"),
            do=Text(en="Name the record's file with --write.", zh="请用 --write 指定记录文件。"),
        )
    if begin:
        practices = discovery.discover(core=core.PRACTICE)
        source = homes.load(home or homes.default()) if own else None
        made = desks.begin(folder, name=party, at=passports.now(), practices=practices, own=source)
        console().print(
            t(
                "A desk of {name} ({did}) in {folder}.",
                "{name}（{did}）的工作台：{folder}。",
                name=made.name,
                did=made.me,
                folder=folder,
            )
        )
    if write is not None:
        said = _said(write, attach)
        desk = desks.open_desk(folder)
        draft = desk.seal(said, at=passports.now(), practices=discovery.discover(core=core.PRACTICE))
        console().print(
            t(
                "Signed as draft {number}: {entry}",
                "已签署为草稿 {number}：{entry}",
                number=f"{draft.number:06}",
                entry=draft.entry,
            )
        )
    if log:
        return _log_drafts(folder, home)
    if not begin and write is None:
        _list_drafts(folder)
    return 0


def _said(file: Path, attached: Sequence[Path]) -> Said:
    """Return what a person wrote down. Raises Missing, Unreachable, Malformed (``draft.written``)."""
    from tongqiu.node.drafting import MAX_FILE
    from tongqiu.node.passports import read_file

    try:
        written = msgspec.json.decode(read_file(file, MAX_CONTENT), type=Written)
    except (msgspec.MsgspecError, Malformed) as error:
        raise Malformed(
            "draft.written",
            Text(en="The record cannot be read: {error}.", zh="无法读取该记录：{error}。"),
            do=Text(
                en='Write it as JSON: {{"kind": "…", "subject": {{"type": "…", "id": "…"}}, "body": {{…}}}}.',
                zh='请写成 JSON：{{"kind": "…", "subject": {{"type": "…", "id": "…"}}, "body": {{…}}}}。',
            ),
            where=str(file),
            error=str(error)[:200],
        ) from error
    files = []
    for each in attached:
        media = mimetypes.guess_type(each.name)[0] or "application/octet-stream"
        files.append(Attachment(each.name, media, read_file(each, MAX_FILE)))
    return Said(
        written.kind, written.subject, written.body, written.rests_on, written.audience, written.thread, tuple(files)
    )


def _list_drafts(folder: Path) -> None:
    from tongqiu.node import drafts as desks

    rows = []
    for each in desks.waiting(folder):
        if isinstance(each, desks.Told):
            assert each.fault is not None  # noqa: S101 - what cannot be read comes with its fault
            state = f"{each.fault.what.of(lang())} [{each.fault.code}]"
            rows.append((f"{each.number:06}", "", "", "", state))
            continue
        state = t("waits", "等待提交")
        if each.refused is not None:
            state = f"{each.refused.zh if lang() == 'zh' else each.refused.en} [{each.refused.code}]"
        about = each.content.subject
        rows.append((f"{each.number:06}", each.content.kind, about.name or about.id, each.content.at, state))
    if not rows:
        console().print(t("No draft waits here.", "没有等待提交的草稿。"))
        return
    names = (
        t("No.", "序号"),
        t("Record type", "记录类型"),
        t("About", "对象"),
        t("Signed", "签署时间"),
        t("State", "状态"),
    )
    console().print(table(names, rows))


def _log_drafts(folder: Path, home: Path | None) -> int:
    """Hand all drafts to the log, say what became of each, and return the exit code of the first that was refused."""
    from tongqiu.node import drafts as desks
    from tongqiu.node import open_node

    code = 0
    with open_node(home) as node:
        for each in desks.log(node, folder):
            if each.fault is not None:
                code = code or row(each.fault).exit_code
                told = f"{each.fault.what.of(lang())} [{each.fault.code}]"
            elif each.statement is None:
                told = t("the log has it already", "日志中已有")
            else:
                told = t(
                    "logged at {index} on {at}",
                    "已入日志：第 {index} 条，{at}",
                    index=each.statement.index,
                    at=each.statement.logged,
                )
            console().print(f"{each.number:06}  {told}")
    return code


@contextlib.contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """Lend what draws a bar for each step on a terminal, and says nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console(error=True),
        transient=True,
    ) as bars:
        tasks = {name: bars.add_task(words.of(lang()), total=None) for name, words in _STEPS.items()}
        yield lambda step, done, total: bars.update(tasks[step], completed=done, total=total)

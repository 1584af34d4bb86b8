"""Looking after the log: ``fsck``, ``backup``, ``take-over``."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tongqiu.cli.words import ask, console, lang, styled, t, table
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

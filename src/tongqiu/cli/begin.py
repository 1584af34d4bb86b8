"""``init``: looking at a folder together with the person who knows it, and writing down what there is to assess."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tongqiu.cli.start import Folder, Home, user, write
from tongqiu.cli.words import ask, console, t, table
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.node.propose import Answers, Seen


def init(  # noqa: PLR0913 - one option each
    folder: Folder = Path(),
    *,
    name: Annotated[str, Parameter(help="Name of the system. 系统名称。")] = "",
    purpose: Annotated[str, Parameter(help="What it is for. 用途。")] = "",
    party: Annotated[str, Parameter(help="Your name, as issuer of records. 您作为出具方的名称。")] = "",
    home: Home = None,
    yes: Annotated[bool, Parameter(help="Ask nothing. 不提问。")] = False,
) -> int:
    """Look at a folder and write its tongqiu.toml with you. 查看目录，与您一起写好 tongqiu.toml。"""
    from tongqiu.node import home as homes
    from tongqiu.node import manifest, propose

    path = folder / manifest.NAME
    if path.exists():
        raise Malformed(
            "manifest.exists",
            Text(en="There is a {path} already.", zh="{path} 已存在。"),
            do=Text(en="Edit it, or remove it first.", zh="请直接编辑，或先删除。"),
            path=str(path),
        )
    seen = propose.look(folder)
    asking = sys.stdin.isatty() and not yes
    console().print(_seen_table(seen))
    given = name or folder.resolve().name
    answers = _questions(seen, name, given, purpose) if asking else propose.Answers(given, purpose)
    where = home or homes.default()
    if not (where / "node.toml").exists():
        asked = t("Your name or organisation, as issuer of records", "您或您机构的名称（作为出具方）")
        owner = party or (_ask(asked, user()) if asking else user())
        homes.create(where, name=owner)
        made = t("Made the node of {name} in {path}.", "已在 {path} 建立 {name} 的节点。", name=owner, path=where)
        console().print(made)
    write(path, propose.write(seen, answers).encode())
    done = t(
        "Wrote {path}. Read it, then run: tongqiu assess {folder}",
        "已写入 {path}。请查看后运行：tongqiu assess {folder}",
        path=path,
        folder=folder,
    )
    console().print(done)
    return 0


def _questions(seen: Seen, name: str, given: str, purpose: str) -> Answers:
    """Ask the person what only they know: name, purpose, and what the columns of each table mean."""
    from tongqiu.node import propose

    system = name or _ask(t("Name of the system", "系统名称"), given)
    why = purpose or _ask(t("What is it for, in a sentence", "一句话说明用途"), "")
    labels: dict[str, str] = {}
    sensitive: dict[str, list[str]] = {}
    for file, columns in seen.tables:
        if not columns:
            continue
        console().print(f"{file}: {', '.join(columns)}")
        outcome = t("Column of the true outcome (empty: none)", "真实结果所在列（空则无）")
        labels[file] = _ask_column(outcome, columns)
        groups = _ask(t("Columns of groups, by comma (empty: none)", "群体所在列，逗号分隔（空则无）"), "")
        sensitive[file] = [each for each in (part.strip() for part in groups.split(",")) if each in columns]
    return propose.Answers(system, why, labels, sensitive)


def _seen_table(seen: Seen) -> Any:  # noqa: ANN401 - a rich table
    rows = [(t("model", "模型"), path) for path in seen.models]
    rows += [(t("data", "数据"), f"{path} ({len(columns)})") for path, columns in seen.tables]
    rows += [(t("code", "代码"), path) for path in seen.code]
    return table((t("Found", "发现"), t("Path", "路径")), rows or [("-", t("nothing to assess", "没有可评估的内容"))])


def _ask(question: str, default: str) -> str:
    return ask(f"{question}{f' [{default}]' if default else ''}: ") or default


def _ask_column(question: str, columns: Sequence[str]) -> str:
    answer = _ask(question, "")
    return answer if answer in columns else ""

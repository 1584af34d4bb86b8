"""Work and clocks of a node: ``jobs`` in the background, and what is ``due``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tongqiu.cli.words import JOB_STATES, complain, console, lang, short, t, table, tell, within
from tongqiu.record.faults import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.node.node import Node
    from tongqiu.store.jobs import Job

Home = Annotated[
    Path | None,
    Parameter(
        help="The node's folder (default: $TONGQIU_HOME or ~/.tongqiu). 节点目录（默认：$TONGQIU_HOME 或 ~/.tongqiu）。"
    ),
]
_OPEN = ("queued", "running")
_LOOK = 0.25
_MOST = 10_000


def jobs(  # noqa: PLR0913 - one option each
    name: Annotated[str, Parameter(help="One job; none lists them all. 单项工作；留空列出全部。")] = "",
    *,
    home: Home = None,
    follow: Annotated[bool, Parameter(help="Stay until it ends. 持续跟踪至结束。")] = False,
    cancel: Annotated[bool, Parameter(help="Stop it; what is done is kept. 停止该工作；已完成的部分会保留。")] = False,
    again: Annotated[
        bool, Parameter(help="Begin one that failed or was cancelled once more. 重新开始失败或已取消的工作。")
    ] = False,
    run: Annotated[
        bool, Parameter(help="Do what waits, without `serve`, until nothing waits. 无需 serve，直接完成等待中的工作。")
    ] = False,
    limit: Annotated[int, Parameter(help="At most so many rows. 最多显示的行数。")] = 50,
    json: Annotated[bool, Parameter(name="--json", help="Print JSON. 输出 JSON。")] = False,
) -> int:
    """Work in the background, under way and done; survives a closed terminal. 查看后台工作；关闭终端后仍继续。"""
    from tongqiu.node import open_node, work
    from tongqiu.portal.results import PROCESS

    within("--limit", limit, 1, _MOST)
    with open_node(home) as node:
        kept = node.store.jobs
        if name and cancel:
            work.stop(kept, name)
        if name and again:
            name = kept.again(name)
        if run:
            work.Supervisor(node.home.path, kept, PROCESS).drain()
        if name and follow:
            _follow(node, name)
        found = [kept.get(name)] if name else kept.list(node.owner, limit=limit)
        if json:
            _json([_plain(each) for each in found])
        else:
            _show(found)
        if name and not json:
            return _ended(found[0])
    return 0


def due(
    *,
    home: Home = None,
    limit: Annotated[int, Parameter(help="At most so many rows. 最多显示的行数。")] = 50,
    json: Annotated[bool, Parameter(name="--json", help="Print JSON. 输出 JSON。")] = False,
) -> int:
    """What falls due and when: reply periods, deadlines, re-assessments; the earliest first. 查看各项到期事项，最早在前。"""
    from tongqiu.node import open_node, queue
    from tongqiu.node.duties import Duties

    within("--limit", limit, 1, _MOST)
    with open_node(home) as node:
        Duties(node).set()
        queue.fresh(node)
        page = queue.due(node, node.owner, limit=limit)
        if json:
            _json([each._asdict() | {"title": {"en": each.title.en, "zh": each.title.zh}} for each in page.items])
            return 0
        if not page.items:
            console().print(t("Nothing is due.", "没有到期事项。"))
            return 0
        rows = [
            (each.due[:16].replace("T", " "), each.title.of(lang()), each.name or each.subject, short(each.entry))
            for each in page.items
        ]
        console().print(
            table((t("Due (UTC)", "到期（UTC）"), t("What", "事项"), t("About", "对象"), t("Record", "记录")), rows)
        )
    return 0


def _follow(node: Node, name: str) -> None:
    """Draw a bar until a job ends; on anything but a terminal, say one line whenever it has moved."""
    if not sys.stderr.isatty():
        last = -1
        while (job := node.store.jobs.get(name)).state in _OPEN:
            if job.step != last:
                tell(f"{JOB_STATES[job.state].of(lang())} {job.done:g}/{job.total or 0:g} {job.note[:60]}\n")
                last = job.step
            time.sleep(_LOOK)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # pragma: no cover - needs a terminal

    with Progress(  # pragma: no cover - needs a terminal
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console(error=True), transient=True
    ) as bars:
        task = bars.add_task("", total=None)
        while (job := node.store.jobs.get(name)).state in _OPEN:
            words = f"{JOB_STATES[job.state].of(lang())}  {job.note[:50]}"
            bars.update(task, completed=job.done, total=job.total, description=words)
            time.sleep(_LOOK)


def _show(found: Sequence[Job]) -> None:
    rows = [
        (each.id, each.kind, JOB_STATES[each.state].of(lang()), f"{each.done:g}/{each.total or 0:g}", each.note)
        for each in found
    ]
    columns = (t("Job", "工作"), t("Sort", "种类"), t("State", "状态"), t("Progress", "进度"), t("Note", "说明"))
    console().print(table(columns, rows))


def _ended(job: Job) -> int:
    """Say how one job ended, and where its result is; return the exit code."""
    if job.state == "failed" and job.fault is not None:
        complain(Refused(job.fault.code, job.fault.what, do=job.fault.do, where=job.fault.where))
        return 4
    if job.state == "done" and isinstance(job.args, dict) and job.args.get("out"):
        console().print(t("Report and evidence file: {out}", "报告与证据档案：{out}", out=job.args["out"]))
    return 0


def _plain(job: Job) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(job._asdict(), str_keys=True)
    return plain


def _json(value: object) -> None:
    import json as encoder

    # Escaped beyond ASCII: what strangers wrote stays the same value and does nothing to a terminal.
    sys.stdout.write(encoder.dumps(value, indent=2) + "\n")


__all__ = ["due", "jobs"]

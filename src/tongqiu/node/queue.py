"""What one person has to do at the node: what waits for them, what falls due, what arrived, what runs, what to do next.

Five lists, each read a page at a time with a bounded amount of work, however much there is: from registries that are folded
from the log, from the clocks, and from the jobs. Nothing is in a list that its reader may not read, nor in any count; what
is done leaves by itself, because the record that does it takes the row away.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.node.people import may
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text
from tongqiu.store.dues import Due

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.node.node import Node
    from tongqiu.record.audience import Principal
    from tongqiu.store.jobs import Job, State

SORTS = ("waiting", "due", "arrived", "jobs", "next")
"""The lists, in the order in which a person reads them."""

MOST = 100
"""How far a count goes; beyond it there are *more than* so many."""

_OPEN: tuple[State, ...] = ("failed", "interrupted", "queued", "running", "done")
_NUMBER = re.compile(r"[0-9]{1,18}")
_DUE = re.compile(r"(\d{4}-[^|]{1,40})\|([^|]{1,100})\|(sha-256:[0-9a-f]{64})")
_JOB = re.compile(r"\d{4}-[^|]{1,40}\|[0-9a-f]{32}")


class Item(NamedTuple):
    """One thing to do or to look at: what it is, why it is here, until when, and where one goes to do it.

    ``id`` stays the same as long as the item does. ``by`` is a party or person, ``path`` a page of this node.
    """

    sort: str
    id: str
    title: Text
    why: Text
    subject: str
    name: str
    by: str
    due: str
    at: str
    entry: str
    act: Text
    path: str


class Page(NamedTuple):
    """One page of a list; ``after`` is where the next one begins, None at the end."""

    items: tuple[Item, ...]
    after: str | None


class Counted(NamedTuple):
    """How many items a list has: ``least``, or with ``more`` more than that."""

    least: int
    more: bool


def page(node: Node, principal: Principal, sort: str, *, limit: int = 50, after: str | None = None) -> Page:
    """Return one page of a list (one of :data:`SORTS`) as ``principal`` may see it; call :func:`fresh` before.

    Raises Malformed (``queue.cursor``) for a cursor that is none of ours, (``queue.sort``) for a list there is not.
    """
    if sort not in _LISTS:
        raise Malformed(
            "queue.sort",
            Text(en="There is no such list.", zh="没有该列表。"),
            do=Text(en="Name one of: {known}.", zh="请从中选择：{known}。"),
            known=", ".join(SORTS),
        )
    found: Page = _LISTS[sort](node, principal, limit=limit, after=after)
    return found


def fresh(node: Node) -> None:
    """Take in what was logged by other processes since the last time."""
    node.registry.catch_up()


def count(node: Node, principal: Principal, sort: str) -> Counted:
    """Return how many items a list has, counted up to :data:`MOST`."""
    found = _COUNTS[sort](node, principal)
    return Counted(min(found, MOST), found > MOST)


def seen(node: Node, principal: Principal, index: int) -> None:
    """Note that a person has looked at all that arrived up to a log index; it leaves the list."""
    top = node.store.backend.head().size - 1
    node.store.looks.note(_whose(principal), min(index, top))


# --- what waits for a person ----------------------------------------------------------------------------------------------


def waiting(node: Node, principal: Principal, *, limit: int = 50, after: str | None = None) -> Page:
    """Return proposals that this person may approve, and records on which their party is asked to reply."""
    now = node.now
    found = node.registry.newest("waiting", principal=principal, now=now, below=_number(after), limit=limit)
    items = [_wait(node, row) for _, _, row in found.rows if _mine(node, principal, row) and row["due"] > now]
    return Page(tuple(items), None if found.below is None else str(found.below))


def _mine(node: Node, principal: Principal, row: dict[str, Any]) -> bool:
    if row["sort"] == "reply":
        return bool(row["receiver"]) and row["receiver"] == principal.party
    # A second person, never the one who asked.
    return may(principal, "reviewer") and principal.party == node.me and row["by"] != principal.person


def _wait(node: Node, row: dict[str, Any]) -> Item:
    ref, name = row["ref"], row["name"] or row["subject"]
    if row["sort"] == "reply":
        title = Text(en="Reply before {name} is published", zh="在公开前答复：{name}").fill(name=name)
        why = Text(en="Your organisation was told of it and may reply.", zh="贵机构已获告知，可以答复。")
        act, path = Text(en="Reply", zh="答复"), f"/do/core.reply?entry={ref}"
    else:
        verb = _verb(node, row["what"])
        title = _of(Text(en="Approve: {verb}", zh="批准：{verb}"), row["name"], Text(en=verb.en, zh=verb.zh))
        why = Text(en="It needs a second person.", zh="需要第二人同意。")
        act, path = Text(en="Look and decide", zh="查看并决定"), f"/proposals/{ref.removeprefix('sha-256:')}"
    key = f"{row['sort']}:{ref}"
    return Item(
        "waiting", key, title, why, row["subject"], row["name"], row["by"], row["due"], row["at"], ref, act, path
    )


def _of(title: Text, name: str, verb: Text) -> Text:
    """Return ``title`` filled with the words for a verb, and behind it the name of what it is about, if it has one."""
    end = f" · {name}" if name else ""
    return Text(en=title.en.replace("{verb}", verb.en) + end, zh=title.zh.replace("{verb}", verb.zh) + end)


def _verb(node: Node, name: str) -> Text:
    for _, verb in node.practices.verbs:
        if verb.name == name:
            return verb.title
    return Text(en=name, zh=name)


# --- what falls due ---------------------------------------------------------------------------------------------------------


def due(node: Node, principal: Principal, *, limit: int = 50, after: str | None = None) -> Page:
    """Return what falls due, the earliest first: the clocks of records that this person may read."""
    if not may(principal, "reader"):
        return Page((), None)
    titles = {each.name: each.title for each in node.practices.duties}
    last = _due(after)
    items: list[Item] = []
    now = node.now
    while len(items) < limit:
        found = node.store.dues.coming(last, limit=limit)
        indices = node.store.looks.readable([each.entry for each in found], principal, now)
        rows = node.registry.at("found", sorted(set(indices.values())), principal=principal, now=now)
        for each in found:
            row = rows.get(indices.get(each.entry, -1))
            last = each
            if row is not None and each.duty in titles:
                items.append(_deadline(each, _of(titles[each.duty], row["name"], titles[each.duty]), row))
                if len(items) == limit:
                    return Page(tuple(items), f"{last.at}|{last.duty}|{last.entry}")
        if len(found) < limit:
            return Page(tuple(items), None)
    return Page(tuple(items), None)


def _deadline(each: Due, title: Text, row: dict[str, Any]) -> Item:
    why = Text(en="A clock runs that this record set.", zh="该记录设定的期限正在计时。")
    path = f"/records/{each.entry.removeprefix('sha-256:')}"
    act = Text(en="Open", zh="打开")
    key = f"{each.duty}:{each.entry}"
    return Item(
        "due", key, title, why, row["subject"], row["name"], row["issuer"], each.at, row["at"], each.entry, act, path
    )


def _count_due(node: Node, principal: Principal) -> int:
    if not may(principal, "reader"):
        return 0
    found = node.store.dues.coming(limit=MOST + 1)
    return len(node.store.looks.readable([each.entry for each in found], principal, node.now))


# --- what arrived -----------------------------------------------------------------------------------------------------------


def arrived(node: Node, principal: Principal, *, limit: int = 50, after: str | None = None) -> Page:
    """Return what others said since this person last looked, newest first: peers, and contributors at this node."""
    above, below = node.store.looks.upto(_whose(principal)), _number(after)
    foreign = node.store.looks.arrived(principal, node.now, me=node.me, above=above, below=below, limit=limit + 1)
    rows = node.registry.at("found", foreign, principal=principal, now=node.now)
    items = {index: _arrival(node, row) for index, row in rows.items()}
    items |= dict(_contributed(node, principal, above=above, below=below, limit=limit + 1))
    newest = sorted({*items, *foreign}, reverse=True)[:limit]
    more = len(foreign) > limit or len(items) > limit
    return Page(tuple(items[each] for each in newest if each in items), str(newest[-1]) if more and newest else None)


def _arrival(node: Node, row: dict[str, Any]) -> Item:
    kind = node.practices.kind(row["kind"])
    title = kind.title if kind is not None else Text(en=row["kind"], zh=row["kind"])
    why = Text(en="Another party said this, and you have not looked yet.", zh="其他参与方出具，您尚未查看。")
    return _open(title, why, row, by=row["issuer"], entry=row["entry"])


def _contributed(
    node: Node, principal: Principal, *, above: int, below: int | None, limit: int
) -> Iterable[tuple[int, Item]]:
    """Yield what people of other organisations did at this node, for people of its own."""
    if principal.party != node.me:
        return
    outside = {each.id for each in node.people.everyone() if each.party != node.me}
    if not outside:
        return
    found = node.registry.newest("acts", principal=principal, now=node.now, above=above, below=below, limit=limit)
    for index, _, row in found.rows:
        if row["who"] in outside:
            why = Text(en="A contributor handed this in.", zh="由提供人提交。")
            yield index, _open(_verb(node, row["verb"]), why, row, by=row["who"], entry=row["made"] or row["ref"])


def _open(title: Text, why: Text, row: dict[str, Any], *, by: str, entry: str) -> Item:
    path = f"/records/{entry.removeprefix('sha-256:')}"
    act = Text(en="Open", zh="打开")
    return Item("arrived", entry, title, why, row["subject"], row["name"], by, "", row["at"], entry, act, path)


def _count_arrived(node: Node, principal: Principal) -> int:
    above = node.store.looks.upto(_whose(principal))
    foreign = node.store.looks.count(principal, node.now, me=node.me, above=above, most=MOST)
    return foreign + sum(1 for _ in _contributed(node, principal, above=above, below=None, limit=MOST + 1))


# --- jobs --------------------------------------------------------------------------------------------------------------------


def jobs(node: Node, principal: Principal, *, limit: int = 50, after: str | None = None) -> Page:
    """Return the jobs that this person may see and has not put away, the newest first."""
    if after is not None and not _JOB.fullmatch(after):
        raise _bad_cursor()
    found = node.store.jobs.list(principal, limit=limit + 1, before=after or "", states=_OPEN, away=False)
    last = found[limit - 1] if len(found) > limit else None
    return Page(tuple(map(_work, found[:limit])), None if last is None else f"{last.created}|{last.id}")


_STANDS: dict[State, Text] = {
    "queued": Text(en="It waits for its turn.", zh="正在等待执行。"),
    "running": Text(en="It is under way.", zh="正在进行。"),
    "interrupted": Text(en="It broke off and will be taken up again.", zh="已中断，将自动继续。"),
    "failed": Text(en="It failed.", zh="已失败。"),
    "done": Text(en="Its result is ready.", zh="结果已就绪。"),
}


def _work(job: Job) -> Item:
    title = Text(en="Assessment of {folder}", zh="评估 {folder}").fill(folder=folder_of(job))
    why = _STANDS[job.state] if job.fault is None else job.fault.what
    act = Text(en="Follow", zh="查看进度") if job.state != "done" else Text(en="See the result", zh="查看结果")
    return Item("jobs", job.id, title, why, "", "", job.person, "", job.created, "", act, f"/jobs/{job.id}")


def folder_of(job: Job) -> str:
    """Return the name of the folder that a job looks at; never its whole path, which is the machine's own affair."""
    given = job.args.get("folder", "") if isinstance(job.args, dict) else ""
    return str(given).rstrip("/").rpartition("/")[2] or job.kind


def _count_jobs(node: Node, principal: Principal) -> int:
    return node.store.jobs.count(principal, _OPEN, most=MOST)


# --- what to do next -----------------------------------------------------------------------------------------------------------


def upcoming(node: Node, principal: Principal, *, limit: int = 50, after: str | None = None) -> Page:
    """Return what remains to be done about each system: look at it, mend what failed, answer the first open question."""
    if not may(principal, "contributor"):
        return Page((), None)
    found = node.registry.newest("unfinished", principal=principal, now=node.now, below=_number(after), limit=limit)
    items = tuple(_todo(row, entry) for _, entry, row in found.rows)
    return Page(items, None if found.below is None else str(found.below))


_TODO = {
    "assess": Text(en="Assess {name}", zh="评估 {name}"),
    "failed": Text(en="A check of {name} failed", zh="{name} 有一项检测失败"),
    "question": Text(en="A question about {name} is open", zh="{name} 有待答问题"),
}
_WHY = Text(en="Nobody has looked at it as it now stands.", zh="尚无人查看其现状。")


def _todo(row: dict[str, Any], entry: str) -> Item:
    sort, name = row["sort"], row["name"] or row["subject"]
    title = _TODO[sort].fill(name=name)
    why = _WHY if sort == "assess" else Text(en=row["en"], zh=row["zh"])
    act, path = (
        (Text(en="Assess", zh="评估"), f"/assess?system={_quoted(row['subject'])}")
        if sort == "assess"
        else (Text(en="Open", zh="打开"), f"/subject?id={_quoted(row['subject'])}")
    )
    key = f"{sort}:{row['ref']}"
    return Item("next", key, title, why, row["subject"], row["name"], "", "", row["at"], entry, act, path)


def _count_next(node: Node, principal: Principal) -> int:
    if not may(principal, "contributor"):
        return 0
    return node.registry.count("unfinished", principal=principal, now=node.now, most=MOST)


def _count_waiting(node: Node, principal: Principal) -> int:
    now = node.now
    rows = node.registry.newest("waiting", principal=principal, now=now, limit=MOST + 1).rows
    return sum(1 for _, _, row in rows if _mine(node, principal, row) and row["due"] > now)


# --- inside --------------------------------------------------------------------------------------------------------------------


def _whose(principal: Principal) -> str:
    """Return under which name it is kept how far somebody has looked: the person, else the party."""
    return principal.person or principal.party or ""


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _number(after: str | None) -> int | None:
    if after is None:
        return None
    if not _NUMBER.fullmatch(after):
        raise _bad_cursor()
    return int(after)


def _due(after: str | None) -> Due | None:
    if after is None:
        return None
    found = _DUE.fullmatch(after)
    if found is None:
        raise _bad_cursor()
    return Due(duty=found[2], entry=found[3], at=found[1])


def _bad_cursor() -> Malformed:
    return Malformed(
        "queue.cursor",
        Text(en="This is not a place in the list.", zh="这不是列表中的位置。"),
        do=Text(en="Begin at the top of the list.", zh="请从列表开头看起。"),
    )


_LISTS = {"waiting": waiting, "due": due, "arrived": arrived, "jobs": jobs, "next": upcoming}
_COUNTS = {
    "waiting": _count_waiting,
    "due": _count_due,
    "arrived": _count_arrived,
    "jobs": _count_jobs,
    "next": _count_next,
}

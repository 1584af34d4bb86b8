"""What a work queue and a search cost one core, with a thousand to a hundred thousand items in them.

Times are of the processor, all threads together: what one core needs alone, whatever else the machine does meanwhile.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.ledger.log import Sealed, Submission, check_in
from tongqiu.node import open_node
from tongqiu.portal.session import name_of
from tongqiu.portal.site import app
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, only_for
from tongqiu.record.statement import Content, Said, write_content
from tongqiu.record.subject import Subject
from tongqiu.seal.keyfile import generate
from tongqiu.seal.statement import new_salt, seal_statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message

    from benchmarks.report import Report, Sense
    from tongqiu.node import Node

SIZES = (1_000, 10_000, 100_000)
TIMES = 200
"""How often each page is asked for."""
BATCH = 500
LATER = "2099-01-01T00:00:00.000Z"
SHARES = {"next": 0.5, "arrived": 0.25, "due": 0.15, "waiting": 0.1}
"""Which share of the items stands in each list."""
BAR = 50
"""Milliseconds of one core, with the most items; the smaller sizes show that the time does not grow with them."""


def run(report: Report) -> None:
    """Fill one node step by step; after each step ask for the first page, a page deep in a list, and a search."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_node(Path(folder, "home"), create=True, name="Bench") as node,
    ):
        filled = 0
        site, cookie = app(node), node.people.begin(node.people.owner().id, how="bench")
        for size in SIZES:
            _fill(node, filled, size)
            filled = size
            with asyncio.Runner() as runner:
                bare = runner.run(_times(site, cookie, "/sign-in"))
                # The place that a person reaches by pressing "Next" until half of the list is behind them.
                middle = node.store.backend.head().size // 2
                pages = {
                    "work queue": "/?lang=en",
                    "one list, first page": "/?list=next",
                    "one list, half-way down": f"/?list=next&after={middle}",
                    "search, two characters": "/search?q=%E5%AE%A1%E6%89%B9",
                }
                for name, path in pages.items():
                    taken = runner.run(_times(site, cookie, path))
                    label = f"{name}, {size:,} items"
                    report.add(f"{label}, median", 1000 * statistics.median(taken), "ms")
                    against = ("sign-in page, signed in, p99", 1000 * _p99(bare))
                    bar: tuple[Sense, float] | None = ("at most", BAR) if size == SIZES[-1] else None
                    report.add(f"{label}, p99", 1000 * _p99(taken), "ms", against=against, bar=bar)


def _fill(node: Node, begin: int, end: int) -> None:
    """Log what makes items ``begin`` to ``end`` of each list's share: real records, sealed and folded as ever."""
    for sort, share in SHARES.items():
        numbers = range(int(begin * share), int(end * share))
        for start in range(0, len(numbers), BATCH):
            chosen = numbers[start : start + BATCH]
            if sort == "arrived":
                node.log.append([Submission(tuple(_foreign(node, chosen)))])
                node.registry.catch_up()
            elif sort == "due":
                for each in node.publish([_system(f"due-{number}") for number in chosen]):
                    node.store.dues.note("core.publish-noticed", each.entry, LATER)
            else:
                make = _system if sort == "next" else _proposal
                node.publish([make(f"{sort}-{number}") for number in chosen])


def _system(name: str) -> Said:
    about = Subject("system", f"urn:example:{name}", None, f"贷款审批系统 {name}")
    return Said(core.COMPOSITION.name, about, core.Composition(parts=(), purpose="判断是否发放贷款"), audience=EVERYONE)


def _proposal(name: str) -> Said:
    body = core.Proposal(
        verb="core.withdraw",
        values={"entry": "sha-256:" + "0" * 64, "why": "for the benchmark"},
        by="urn:tongqiu:person:" + "0" * 32,
        party="did:example:bench",
        role="issuer",
        until=LATER,
    )
    return Said(core.PROPOSAL.name, Subject("system", f"urn:example:{name}", None, name), body)


_PEER = generate()


def _foreign(node: Node, numbers: range) -> Iterator[Sealed]:
    """Yield records of another party, as they come from a peer; every third for everyone, the others named for us."""
    for number in numbers:
        audience = EVERYONE if number % 3 == 0 else only_for([node.me])
        issuer = _PEER.public.did
        subject = Subject("model", f"urn:example:model-{number}", None, f"模型 {number}")
        body: dict[str, Any] = msgspec.to_builtins(core.Fact("use.note", f"fact {number}"))
        content = Content(
            kind=core.FACT.name,
            schema=core.FACT.schema_digest,
            subject=subject,
            issuer=issuer,
            at=node.now,
            body=body,
            audience=audience,
        )
        data, salt = write_content(content), new_salt()
        envelope = seal_statement(data, salt, signer=_PEER, issuer=issuer, subject=f"urn:example:m{number}")
        yield check_in(
            envelope,
            _PEER.public,
            content=data,
            salt=salt,
            kind=content.kind,
            audience=node.store.audience_id(audience, issuer),
        )


async def _times(site: ASGIApp, cookie: str, path: str) -> list[float]:
    """Return the processor time of each of many requests, in seconds, inside this process and one after the other."""
    for _ in range(5):
        await _ask(site, cookie, path)
    taken = []
    for _ in range(TIMES):
        start = time.process_time()
        status = await _ask(site, cookie, path)
        taken.append(time.process_time() - start)
        if status != 200:  # noqa: PLR2004 - as HTTP calls it
            raise RuntimeError(f"{path} answered {status}")
    return taken


async def _ask(site: ASGIApp, cookie: str, path: str) -> int:
    where, _, query = path.partition("?")
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"cookie", f"{name_of(secure=False)}={cookie}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    await site(scope, receive, send)
    return status


def _p99(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=100)[98]

"""The log over HTTP beside its ideal: a null handler, one verification and one share of a commit, and nothing else.

Server and client share this machine's processors, in both measurements alike. The listening socket is made here and handed
to the server, so that no port can be taken by somebody else in between.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from tongqiu.ledger.log import Log, Submission, check_in
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.report import Report
    from tongqiu.seal.keyfile import FileSigner

WARM = 500
TURN = 2_000
POSTS = WARM + 6 * TURN
CONNECTIONS = 128

SERVER = """
import socket
import sys
from pathlib import Path
import uvicorn
from tongqiu.federation.http import Bounded, settle
from tongqiu.node import open_node
from tongqiu.node.lend import open_doors

async def null(scope, receive, send):
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

with open_node(Path(sys.argv[1]), create=True, name="Benchmark") as node, socket.socket(fileno=int(sys.argv[2])) as held:
    secret, _ = node.people.make_door_token("did:key:zBench", "benchmark")
    print(secret, flush=True)
    config = uvicorn.Config(open_doors(node, null), log_level="error", access_log=False, lifespan="off", http=Bounded)
    settle()
    uvicorn.Server(config).run(sockets=[held])
"""


class Took(NamedTuple):
    """What requests took together: each from its sending to its answer, all of them by the clock, and of processors."""

    times: list[float]
    seconds: float
    server: float
    client: float

    def and_(self, other: Took) -> Took:
        """Return both together."""
        seconds = self.seconds + other.seconds
        return Took(self.times + other.times, seconds, self.server + other.server, self.client + other.client)

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return len(self.times) / self.seconds


def measure(report: Report, sealed: Sequence[bytes], party: FileSigner, verify: float) -> None:
    """Post every statement, by ``party``, once; ``verify`` is the rate of raw verification by one processor.

    In turns with the null handler, so that both meet the same company on this machine.
    """
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder, "own"), create=True) as store:
        log = Log(store.backend, party, "bench.example/log")
        items = [check_in(each, party.public) for each in sealed]
        start = time.perf_counter()
        for at in range(0, len(items), CONNECTIONS):
            log.append([Submission((item,)) for item in items[at : at + CONNECTIONS]])
        commit = (time.perf_counter() - start) / len(items)
        null, full, turns = Took([], 0, 0, 0), Took([], 0, 0, 0), list[tuple[float, float]]()
        with _Serving(Path(folder, "home")) as server:
            server.post("/null", sealed[:WARM])
            server.post("/entries", sealed[:WARM])
            for at in range(WARM, len(sealed), TURN):
                one = server.post("/null", sealed[at : at + TURN])
                other = server.post("/entries", sealed[at : at + TURN])
                turns.append((other.rate, 1 / (1 / one.rate + 1 / verify + commit)))
                null, full = null.and_(one), full.and_(other)
    shares = sorted(rate / ideal for rate, ideal in turns)
    ideal = statistics.median(ideal for _, ideal in turns)
    report.add("HTTP: null handler", null.rate, "1/s")
    report.add(
        "HTTP: POST to receipt, durable first", full.rate, "1/s", against=("null + verify + commit, median", ideal)
    )
    report.add(
        f"  share of the ideal, median of {len(shares)} turns",
        statistics.median(shares),
        "of ideal",
        bar=("at least", 0.5),
    )
    report.add("  share of the ideal, the least of them", shares[0], "of ideal")
    report.add("  share of the ideal, the greatest of them", shares[-1], "of ideal")
    times = sorted(full.times)
    report.add(f"  time to a receipt, median, {CONNECTIONS} at once", 1e3 * times[len(times) // 2], "ms")
    report.add("  time to a receipt, 99 of 100", 1e3 * times[len(times) * 99 // 100], "ms")
    for name, took in (("null handler", null), ("POST to receipt", full)):
        report.add(f"  processor time of the server, {name}", 1e6 * took.server / len(took.times), "us")
        report.add(f"  processor time of the client, {name}", 1e6 * took.client / len(took.times), "us")


class _Serving:
    """A node's server on a port of its own, in a process of its own."""

    def __init__(self, home: Path) -> None:
        # Only the server holds the socket then: if it ends, so do connections to it.
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as held:
            given, self._port = held.fileno(), int(held.getsockname()[1])
            command = [sys.executable, "-c", SERVER, str(home), str(given)]
            self._process = subprocess.Popen(command, pass_fds=[given], stdout=subprocess.PIPE, text=True)
        self._token = (self._process.stdout or sys.stdin).readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(20)

    def post(self, path: str, bodies: Sequence[bytes]) -> Took:
        """Send every body once, over so many connections."""
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self._token}\r\n"
            "content-type: application/cose\r\n"
        )
        requests = [f"{head}content-length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
        server, client = self._processor(), time.process_time()
        times, seconds = asyncio.run(_send(self._port, requests))
        return Took(times, seconds, self._processor() - server, time.process_time() - client)

    def _processor(self) -> float:
        """Return the seconds of processor time so far of the server and the processes it started."""
        found = 0
        for each in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = each.read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue
            if str(self._process.pid) in {each.parent.name, fields[1]}:
                found += int(fields[11]) + int(fields[12])
        return found / os.sysconf("SC_CLK_TCK")


async def _send(port: int, requests: Sequence[bytes]) -> tuple[list[float], float]:
    """Send all ``requests`` and return what each took, and all together from the first sending to the last answer.

    Every connection is open before the first request is sent: otherwise the first few would have answered most of them
    before the last are there, and a fast handler would look faster than its processor allows.
    """
    waiting, times = iter(requests), list[float]()
    clients = [_Client(waiting, times) for _ in range(CONNECTIONS)]
    for client in clients:
        await asyncio.get_running_loop().create_connection(lambda held=client: held, "127.0.0.1", port)  # type: ignore[misc]
    began = time.perf_counter()
    for client in clients:
        client.begin()
    await asyncio.gather(*(client.end for client in clients))
    return times, time.perf_counter() - began


class _Client(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, waiting: Iterator[bytes], times: list[float]) -> None:
        self._waiting, self._times = waiting, times
        self._held, self._began = b"", 0.0
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._to = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        """Send the first request."""
        self._next()

    def _next(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self._to.close()
            self.end.set_result(None)
            return
        self._began = time.perf_counter()
        self._to.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, ended, body = self._held.partition(b"\r\n\r\n")
        if not ended:
            return
        assert head.startswith(b"HTTP/1.1 201"), head
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._held = b""
        self._times.append(time.perf_counter() - self._began)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.end.done():
            self.end.set_exception(exc or ConnectionError("the server closed the connection"))

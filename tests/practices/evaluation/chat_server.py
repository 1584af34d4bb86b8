"""A chat service on this machine that answers as it is told: well, late, too often asked, garbled, or with ten megabytes."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Say(NamedTuple):
    """One HTTP answer: status, body, headers, and how long to wait before it."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.0
    drop: bool = False


def completion(words: str | None, **more: Any) -> bytes:
    """Return a chat completion with these words."""
    message = {"role": "assistant", "content": words, **more.pop("message", {})}
    body = {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
    }
    return json.dumps(body | more).encode()


class Chat:
    """What the service was asked, and how it answers: ``say(number, question)`` with the number of the question, from 1."""

    def __init__(self, say: Callable[[int, dict[str, Any]], Say]) -> None:
        self.say, self.asked, self.keys = say, list[dict[str, Any]](), list[str | None]()
        self.lock = threading.Lock()
        self.url = self.host = ""


@contextlib.contextmanager
def serve(say: Callable[[int, dict[str, Any]], Say]) -> Iterator[Chat]:
    """Serve until the block ends."""
    chat = Chat(say)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with chat.lock:
                chat.asked.append(question)
                chat.keys.append(self.headers.get("Authorization"))
                number = len(chat.asked)
            said = chat.say(number, question)
            time.sleep(said.after)
            if said.drop:
                self.connection.close()
                return
            self.send_response(said.status)
            for name, value in (*said.headers, ("Content-Length", str(len(said.body)))):
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(said.body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    chat.host = f"127.0.0.1:{server.server_address[1]}"
    chat.url = f"http://{chat.host}/v1"
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()

"""A service under test: asked in the form that most of them understand, patiently, and never believed beyond its form.

The form is that of OpenAI's chat completions, which nearly every provider and local server speaks. Each question goes
through the node (``world.endpoint``), which holds the key and the limits. A service that is busy is left alone for as long
as it asks; retries are few and count against what was agreed.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from tongqiu.practices.evaluation.language.models import MAX_TEXT, Answer, Count, unusable
from tongqiu.record.faults import Missing, Refused, Unreachable
from tongqiu.record.text import Text, inert
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.practice import Endpoint, Reply
    from tongqiu.practices.evaluation.language.models import Messages, Pins

PATH: Final = "/chat/completions"
LONGEST_WAIT: Final = 60.0
"""Longest that a busy service is waited for at a time, in seconds; one that asks for more ends the run, to be resumed."""

TRIES: Final = 4
"""How often one question is sent at most."""

_BUSY: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_CHOICES: Final = 16
_DROPPABLE: Final = ("seed", "temperature", "top_p")
_OK: Final = 200
_TRANSIENT: Final = frozenset({"endpoint.unreachable", "endpoint.slow"})


class _Part(msgspec.Struct, frozen=True):
    type: Annotated[str, msgspec.Meta(max_length=40)] = "text"
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] = ""


class _Message(msgspec.Struct, frozen=True):
    content: (
        Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
        | Annotated[tuple[_Part, ...], msgspec.Meta(max_length=64)]
        | None
    ) = None
    refusal: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None


class Completion(msgspec.Struct, frozen=True):
    """A chat completion as far as it is read: choices, and what the service says it counted."""

    choices: Annotated[tuple[_Choice, ...], msgspec.Meta(min_length=1, max_length=_CHOICES)]
    usage: _Usage | None = None


class _Problem(msgspec.Struct, frozen=True):
    message: str = ""
    param: str | None = None
    code: str | int | None = None


class _Refusal(msgspec.Struct, frozen=True):
    error: _Problem


class Service:
    """A chat service behind ``world.endpoint``. Threads may ask side by side; all wait where one was told to wait."""

    def __init__(  # noqa: PLR0913 - each is named at the call
        self,
        endpoint: Endpoint,
        *,
        name: str,
        url: str,
        host: str,
        at_once: int = 1,
        retries: int = 8,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask the model ``name`` of the service at ``url``; ``retries`` are for the whole run."""
        self._endpoint, self._name, self._sleep = endpoint, name, sleep
        self.identity, self.host, self.at_once = f"service {url} {name}", host, at_once
        self._lock, self._retries, self._not_before = threading.Lock(), retries, 0.0
        self._limit_key = "max_tokens"
        self.unpinned: frozenset[str] = frozenset()
        for kind in (Completion, _Refusal):
            ready(kind)

    def answer(self, messages: Messages, pins: Pins) -> Answer:
        """Ask once, or a few times where the service is busy.

        Raises Malformed (``language.answer``, ``language.question``) for this item; Refused, Missing, Unreachable for all.
        """
        for attempt in range(1, TRIES + 1):
            self._wait()
            try:
                reply = self._endpoint.ask(
                    "POST",
                    PATH,
                    self._body(messages, pins),
                    {"Content-Type": "application/json", "Accept": "application/json"},
                )
            except Unreachable as fault:
                if fault.code not in _TRANSIENT or not self._again(attempt):
                    raise
                self._hold(2.0 ** (attempt - 1) / 2)
                continue
            if reply.status == _OK:
                return _read(reply.body)
            if reply.status in _BUSY:
                self._busy(reply, attempt)
            elif not self._adapt(reply):
                raise self._declined(reply)
        raise _still_busy(self.host, 0)

    def _body(self, messages: Messages, pins: Pins) -> bytes:
        """Return the question as JSON, without the pins that the service does not take."""
        asked: dict[str, Any] = {
            "model": self._name,
            "messages": [{"role": role, "content": words} for role, words in messages],
            self._limit_key: pins.max_tokens,
        }
        asked |= {name: getattr(pins, name) for name in _DROPPABLE if name not in self.unpinned}
        return msgspec.json.encode(asked)

    def _wait(self) -> None:
        with self._lock:
            left = self._not_before - time.monotonic()
        if left > 0:
            self._sleep(left)

    def _hold(self, seconds: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _again(self, attempt: int) -> bool:
        """Take one retry from those that are left; tell whether there was one."""
        with self._lock:
            if attempt >= TRIES or self._retries <= 0:
                return False
            self._retries -= 1
            return True

    def _busy(self, reply: Reply, attempt: int) -> None:
        """Leave the service alone for a while. Raises Unreachable (``language.busy``) where it asks for too much."""
        seconds = reply.retry_after if reply.retry_after is not None else 2.0 ** (attempt - 1) / 2
        if seconds > LONGEST_WAIT or not self._again(attempt):
            raise _still_busy(self.host, reply.status, seconds)
        self._hold(seconds)

    def _adapt(self, reply: Reply) -> bool:
        """Ask in another way where the service says which parameter it does not take; tell whether it did."""
        problem = _problem(reply.body)
        with self._lock:
            if problem.param == "max_tokens" and self._limit_key == "max_tokens":
                self._limit_key = "max_completion_tokens"
                return True
            if problem.param in _DROPPABLE:
                # Threads that asked side by side hear the same: the second one just asks again.
                self.unpinned |= {problem.param}
                return True
        return False

    def _declined(self, reply: Reply) -> Exception:
        words = inert(_problem(reply.body).message[:200], one_line=True)
        if reply.status in {400, 413, 422}:
            return unusable(f"HTTP {reply.status} {words}".strip())
        if reply.status in {404, 405, 410}:
            return Missing(
                "language.service",
                Text(
                    en="{host} does not know this model or address (HTTP {status}): {words}",
                    zh="{host} 不认识该模型或地址（HTTP {status}）：{words}",
                ),
                do=Text(
                    en="Check url and model in the manifest; the url ends before {path}.",
                    zh="请检查清单中的 url 与 model；url 写到 {path} 之前为止。",
                ),
                host=self.host,
                status=reply.status,
                words=words,
                path=PATH,
            )
        return Refused(
            "language.service",
            Text(
                en="{host} refused to answer (HTTP {status}): {words}", zh="{host} 拒绝回答（HTTP {status}）：{words}"
            ),
            do=Text(
                en="Check the key and what the account may ask; answers so far are kept.",
                zh="请检查密钥及账户权限；已有回答会保留。",
            ),
            host=self.host,
            status=reply.status,
            words=words,
        )


def _read(body: bytes) -> Answer:
    """Return what a completion says. Raises Malformed (``language.answer``) for any other form."""
    try:
        read = msgspec.json.decode(body, type=Completion)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unusable(inert(str(error)[:200], one_line=True)) from error
    return told(read)


def told(read: Completion) -> Answer:
    """Return the first choice of a completion as an answer. Raises Malformed (``language.answer``) for one without words."""
    choice = read.choices[0]
    content, refusal = choice.message.content, choice.message.refusal
    finish = choice.finish_reason or "stop"
    if isinstance(content, tuple):
        content = "".join(part.text for part in content if part.type == "text")
    # A service that stops an answer by its filter, or answers no words, said something by that: the judge sees it.
    words = content or refusal or ""
    if content is None and refusal is None and finish not in {"content_filter", "stop", "length"}:
        raise unusable(f"finish_reason {inert(finish, one_line=True)}")
    if len(words) > MAX_TEXT:
        raise unusable(f"> {MAX_TEXT}")
    usage = read.usage or _Usage()
    return Answer(words, usage.prompt_tokens, usage.completion_tokens, finish)


def _problem(body: bytes) -> _Problem:
    try:
        return msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Problem()


def _still_busy(host: str, status: int, seconds: float | None = None) -> Unreachable:
    return Unreachable(
        "language.busy",
        Text(
            en="{host} is too busy to go on (HTTP {status}; it asks to wait {seconds} s).",
            zh="{host} 过于繁忙，无法继续（HTTP {status}；要求等待 {seconds} 秒）。",
        ),
        do=Text(
            en="Assess again later, or with a smaller concurrency; answers so far are kept.",
            zh="请稍后重新评估，或减小 concurrency；已有回答会保留。",
        ),
        host=host,
        status=status,
        seconds="?" if seconds is None else f"{seconds:g}",
    )


__all__ = ["LONGEST_WAIT", "PATH", "TRIES", "Completion", "Service", "told"]

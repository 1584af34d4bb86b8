"""What a language model under test is to us: somebody who answers a conversation, within limits that do not change.

Three sorts answer: a service that a person agreed to have asked (:mod:`.service`), weights on this machine
(:mod:`.weights`), and a Python function, for tests and for users of the library; a manifest can name no function. A model
that cannot answer *one* question raises Malformed: that item is counted as errored. Any other fault ends the run.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import msgspec

from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.practice import Journal

MAX_TEXT: Final = 1 << 18
"""Longest answer that is judged, in characters."""

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]

Messages = tuple[tuple[str, str], ...]
"""A conversation: pairs of role (``system``, ``user``, ``assistant``) and words."""


class Pins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stays the same for every question of a run: most tokens of an answer, sampling, and the seed."""

    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=1 << 16)]
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.0
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    seed: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] = 0


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model answered: its words, the tokens it counted (None: it does not say), and why it stopped.

    ``finish`` is ``stop``, ``length``, ``content_filter`` or another word of the service.
    """

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    tokens_in: Count | None = None
    tokens_out: Count | None = None
    finish: Annotated[str, msgspec.Meta(max_length=40)] = "stop"


class Model(Protocol):
    """A model under test. ``identity`` pins which one it is, as far as that can be known before it answers.

    ``at_once`` says how many questions it may be asked side by side; ``host`` where they go, empty on this machine;
    ``unpinned`` names the pins that it would not take.
    """

    identity: str
    host: str
    at_once: int
    unpinned: frozenset[str]

    def answer(self, messages: Messages, pins: Pins) -> Answer:
        """Answer one conversation. Raises Malformed where this answer is of no use, another Fault where none will be."""


class Called:
    """A Python function as a model: for tests, and for whoever uses this software as a library."""

    host = ""
    unpinned: frozenset[str] = frozenset()

    def __init__(self, function: Callable[[Messages], str | Answer], identity: str, *, at_once: int = 1) -> None:
        """Ask ``function``; ``identity`` names what it is."""
        self._function, self.identity, self.at_once = function, identity, at_once

    def answer(self, messages: Messages, pins: Pins) -> Answer:  # noqa: ARG002 - a function has its own ways
        """Answer with what the function returns. Raises Malformed (``language.answer``) for anything but words."""
        given = self._function(messages)
        return check(given if isinstance(given, Answer) else Answer(given))


class Kept:
    """A model whose answers are kept, each as it comes: a run that was killed asks only what it had not asked.

    A kept answer is found under the SHA-256 of the model's identity, the pins, the item and the conversation. What went
    wrong is not kept: it is asked again.
    """

    def __init__(self, model: Model, journal: Journal) -> None:
        """Ask ``model`` what ``journal`` does not know."""
        self.model, self._journal, self._lock = model, journal, threading.Lock()
        self._answers: list[Answer] = []
        self.asked = 0
        ready(Answer)

    def answer(self, item: str, messages: Messages, pins: Pins) -> Answer:
        """Return the kept answer to this item, or ask and keep it.

        Raises the faults of the model, Unreachable (``journal.disk``), Refused (``language.kept``).
        """
        key = answer_key(self.model.identity, item, messages, pins)
        kept = self._journal.get(key)
        if kept is not None:
            found = msgspec.msgpack.decode(kept, type=Answer)
            with self._lock:
                self.asked += 1
                self._answers.append(found)
            return found
        with self._lock:
            self.asked += 1
        given = self.model.answer(messages, pins)
        with self._lock:
            self._answers.append(given)
            try:
                self._journal.put(key, msgspec.msgpack.encode(given))
            except Malformed as full:
                # A full journal ends the run: going on would lose what is paid for.
                raise Refused("language.kept", full.what, do=full.do) from full
        return given

    def tokens(self) -> tuple[int | None, int | None]:
        """Return the tokens in and out of every answer; None where the model did not always tell."""
        counted = [each.tokens_in for each in self._answers], [each.tokens_out for each in self._answers]
        into, out = (sum(filter(None, each)) if None not in each else None for each in counted)
        return into, out


def answer_key(identity: str, item: str, messages: Messages, pins: Pins) -> str:
    """Return the name under which an answer is kept: SHA-256 over all that it depends on."""
    whole = msgspec.json.encode((identity, msgspec.to_builtins(pins), item, messages))
    return "answer:" + hashlib.sha256(whole).hexdigest()


def check(answer: Answer) -> Answer:
    """Return ``answer`` if it is words of a length that can be judged. Raises Malformed (``language.answer``)."""
    if not isinstance(answer.text, str):
        raise unusable(f"{type(answer.text).__name__}")
    if len(answer.text) > MAX_TEXT:
        raise unusable(f"> {MAX_TEXT}")
    return answer


def unusable(why: str) -> Malformed:
    """Return the fault for one answer that cannot be judged, and why."""
    return Malformed(
        "language.answer",
        Text(en="The model's answer cannot be used: {why}.", zh="模型的回答无法使用：{why}。"),
        do=Text(
            en="The item is counted as errored; see what the model returned.",
            zh="该条目计为出错；请查看模型返回的内容。",
        ),
        why=why,
    )


def not_installed(package: str, error: ImportError) -> Exception:
    """Return the fault for an engine that is not there: it names the one command that brings it."""
    from tongqiu.record.faults import Missing

    return Missing(
        "language.engine",
        Text(en="{package} is not installed: {error}.", zh="未安装 {package}：{error}。"),
        do=Text(en="Run: pip install 'tongqiu[llm]'", zh="请运行：pip install 'tongqiu[llm]'"),
        package=package,
        error=str(error)[:200],
    )


__all__ = ["MAX_TEXT", "Answer", "Called", "Kept", "Messages", "Model", "Pins", "answer_key", "check", "unusable"]

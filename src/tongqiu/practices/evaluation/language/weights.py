"""A model whose weights lie on this machine: run in this very process, without network, always in the same way.

Weights come as one GGUF file. Its head is looked at before the engine (llama.cpp, through ``xllamacpp``) opens it; the
engine runs in the run's own process, under its limits. Threads, context and seed are fixed, and nothing is carried over
from one question to the next, so that an answer depends on its question alone.
"""

from __future__ import annotations

import importlib
import secrets
import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tongqiu.practices.evaluation.language.models import not_installed, unusable
from tongqiu.practices.evaluation.language.service import Completion, told
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text, inert
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from tongqiu.practices.evaluation.language.models import Answer, Messages, Pins

THREADS: Final = 1
"""With more threads the engine waits actively for the slowest: on a busy machine of two cores an answer of 32 tokens then took
17 s and 8 CPU-s in place of 1 s and 0.6 CPU-s. Runs side by side use the other cores."""

CONTEXT: Final = 4096
"""How many tokens question and answer may have together."""

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = frozenset({2, 3})
_MOST_TENSORS: Final = 1 << 16
_MOST_KEYS: Final = 1 << 16
_HEAD: Final = 24


class Weights:
    """A GGUF file as a model: one question at a time."""

    host = ""
    at_once = 1
    unpinned: frozenset[str] = frozenset()

    def __init__(self, path: Path, digest: str) -> None:
        """Load the weights at ``path``, whose SHA-256 is ``digest``.

        Raises Missing (``language.engine``) without the engine; Malformed (``language.weights``) for a file it cannot run.
        """
        try:
            xllamacpp: Any = importlib.import_module("xllamacpp")
        except ImportError as error:
            raise not_installed("xllamacpp", error) from error
        self.identity = f"weights {digest} context {CONTEXT} threads {THREADS}"
        self._lock = threading.Lock()
        with path.open("rb") as stream:
            check_head(stream, path.name)
        params: Any = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.n_gpu_layers = CONTEXT, 1, 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
        params.warmup, params.offline, params.verbosity = False, True, -1
        params.cache_ram_mib = 0
        # The engine opens a door on this machine besides; without this word nobody enters.
        params.ui, params.api_keys = False, [secrets.token_urlsafe(32)]
        try:
            self._server: Any = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as error:
            raise _cannot_run(path.name, str(error)) from error
        ready(Completion)

    def answer(self, messages: Messages, pins: Pins) -> Answer:
        """Answer one conversation. Raises Malformed (``language.answer``) where it does not fit, or has no answer."""
        asked = {
            "messages": [{"role": role, "content": words} for role, words in messages],
            "max_tokens": pins.max_tokens,
            "temperature": pins.temperature,
            "top_p": pins.top_p,
            "seed": pins.seed,
            "cache_prompt": False,
        }
        with self._lock:
            try:
                given = self._server.handle_chat_completions(asked)
            except (RuntimeError, ValueError) as error:
                raise unusable(inert(str(error)[:200], one_line=True)) from error
        problem = given.get("error") if isinstance(given, dict) else None
        if isinstance(problem, dict):
            raise unusable(inert(str(problem.get("message"))[:200], one_line=True))
        try:
            return told(msgspec.convert(given, Completion))
        except msgspec.ValidationError as error:
            raise unusable(inert(str(error)[:200], one_line=True)) from error


def check_head(stream: BinaryIO, name: str) -> None:
    """Read the first 24 bytes of a GGUF file: mark, version, number of tensors, number of keys (ggml, ``docs/gguf.md``).

    Raises Malformed (``language.weights``).
    """
    head = stream.read(_HEAD)
    version, tensors, keys = (int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 16), (16, 24)))
    if len(head) < _HEAD or head[:4] != _MAGIC or version not in _VERSIONS:
        raise _cannot_run(name, "no GGUF file of version 2 or 3")
    if not 0 < tensors <= _MOST_TENSORS or keys > _MOST_KEYS:
        raise _cannot_run(name, f"{tensors} tensors, {keys} keys")


def _cannot_run(name: str, why: str) -> Malformed:
    return Malformed(
        "language.weights",
        Text(en="{name} cannot be run as a language model: {why}.", zh="{name} 无法作为语言模型运行：{why}。"),
        do=Text(
            en="Give a GGUF file of a chat model, whole and of a kind that llama.cpp knows.",
            zh="请提供完整的、llama.cpp 支持的对话模型 GGUF 文件。",
        ),
        where=name,
        name=name,
        why=why[:200],
    )


__all__ = ["CONTEXT", "THREADS", "Weights", "check_head"]

"""The engine that puts the questions: inspect-ai, kept to its work, on a small table of our own.

Inspect asks, judges beside us and writes its log (``.eval``), which the field's tools read. It is given a folder of its own
for everything it writes, no settings from the machine, no git, no network and no key; it never sees the service, only a
function that answers. Import of the engine takes a second, so it happens in :func:`put` alone.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import warnings
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tongqiu.practices.evaluation.language.models import not_installed
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tongqiu.practices.evaluation.language.models import Answer, Pins
    from tongqiu.practices.evaluation.methods.shelf import Question

MODEL: Final = "under-test"
"""How the log calls the system: which one it is stands in the record, and no address of it in the log."""

_STOPS: Final = frozenset({"stop", "content_filter"})


class Work(NamedTuple):
    """What the engine is to do: the name and version of the method, its questions, who answers, who judges, within which pins.

    ``ask`` returns None where there is no answer to a question; ``judge`` None where an answer is scored elsewhere.
    """

    method: str
    questions: Sequence[Question]
    ask: Callable[[Question], Answer | None]
    judge: Callable[[Question, str], float | None] | None
    pins: Pins
    facts: dict[str, str]
    at_once: int = 1


def version() -> str:
    """Return name and version of the engine. Raises Missing (``language.engine``)."""
    try:
        import importlib.metadata

        return f"inspect-ai {importlib.metadata.version('inspect-ai')}"
    except ImportError as error:
        raise not_installed("inspect-ai", error) from error


def put(work: Work, place: Path) -> bytes:
    """Put every question and return the engine's log, the bytes of its ``.eval`` file.

    ``place`` is an empty folder for whatever the engine writes. Raises Missing (``language.engine``) where it is not
    installed; Malformed (``language.engine-failed``) where its log does not tell of every question.
    """
    with apart(place):
        try:
            import inspect_ai
        except ImportError as error:
            raise not_installed("inspect-ai", error) from error
        _DESK.set(_Desk(work))
        (log,) = inspect_ai.eval(_task(work), model=_model(work), max_samples=work.at_once, **quiet(place))
        answered = 0 if log.results is None else log.results.completed_samples
        if log.status != "success" or answered != len(work.questions):
            raise _failed(_why(log), answered, len(work.questions))
        return Path(log.location.removeprefix("file://")).read_bytes()


def quiet(place: Path) -> dict[str, Any]:
    """Return how the engine is always called: silent, its log in ``place``, no server of its own, an error stops one item."""
    return {
        "display": "none",
        "log_level": "error",
        "log_dir": str(place / "log"),
        "log_format": "eval",
        "log_realtime": False,
        "fail_on_error": False,
        "score_display": False,
        "acp_server": False,
        "ctl_server": False,
    }


def _task(work: Work) -> Any:  # noqa: ANN401 - of the engine, which is not imported here
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    roles: dict[str, Any] = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    samples = [
        Sample(
            id=each.id,
            input=[roles[role](content=words) for role, words in each.messages],
            metadata={"cluster": each.cluster, "language": each.language, "slice": each.slice, "target": each.target},
        )
        for each in work.questions
    ]
    name, _, number = work.method.partition("@")
    made = _made()
    dataset = MemoryDataset(samples, name=name)
    return Task(
        dataset=dataset,
        solver=made.solver(),
        scorer=made.scorer(),
        name=name,
        version=number or "0",
        metadata=work.facts,
    )


def _model(work: Work) -> Any:  # noqa: ANN401 - of the engine, which is not imported here
    from inspect_ai.model import GenerateConfig, Model

    pins = work.pins
    config = GenerateConfig(
        max_tokens=pins.max_tokens,
        temperature=pins.temperature,
        top_p=pins.top_p,
        seed=pins.seed,
        max_connections=work.at_once,
    )
    return Model(_made().model(MODEL), config)


class _Made(NamedTuple):
    """Our model, scorer and solver as the engine knows them."""

    model: Any
    scorer: Any
    solver: Any


class _Desk:
    """The work at hand, by question. What is handed to the engine's own objects stands in its log, so nothing is."""

    def __init__(self, work: Work) -> None:
        self.work, self.known = work, {each.id: each for each in work.questions}
        self.threads: Any = None


_DESK: ContextVar[_Desk] = ContextVar("desk")
_ASKED: ContextVar[str] = ContextVar("asked")
"""The question that is being put; the engine's models see words only."""


@functools.cache
def _made() -> _Made:
    """Register with the engine, once: it names what it runs."""
    from inspect_ai.model import ModelAPI, modelapi
    from inspect_ai.scorer import mean, scorer
    from inspect_ai.solver import solver

    @modelapi(name="tongqiu")
    class UnderTest(ModelAPI):
        """The system under test, behind a function that answers."""

        async def generate(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - as the engine calls it
            return _output(await _answered())

    @scorer(metrics=[mean()], name="judge")
    def judged() -> Any:  # noqa: ANN401 - of the engine
        async def score(state: Any, _target: Any) -> Any:  # noqa: ANN401 - as the engine calls it
            return _scored(str(state.sample_id), state.output)

        return score

    @solver(name="ask")
    def asking() -> Any:  # noqa: ANN401 - of the engine
        async def solve(state: Any, generate: Any) -> Any:  # noqa: ANN401 - as the engine calls it
            _ASKED.set(str(state.sample_id))
            return await generate(state)

        return solve

    return _Made(UnderTest, judged, asking)


async def _answered() -> Answer | None:
    """Return the answer to the question that is being put; in a thread, where several may be put at once."""
    import anyio
    import anyio.to_thread

    desk = _DESK.get()
    question = desk.known[_ASKED.get()]
    if desk.work.at_once == 1:
        return desk.work.ask(question)
    desk.threads = desk.threads or anyio.CapacityLimiter(desk.work.at_once)
    return await anyio.to_thread.run_sync(desk.work.ask, question, limiter=desk.threads)


def _output(answer: Answer | None) -> Any:  # noqa: ANN401 - of the engine
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput, ModelUsage

    words, finish = ("", "unknown") if answer is None else (answer.text, answer.finish)
    into, out = (0, 0) if answer is None else (answer.tokens_in or 0, answer.tokens_out or 0)
    stop: Any = finish if finish in _STOPS else "max_tokens" if finish == "length" else "unknown"
    return ModelOutput(
        model=MODEL,
        choices=[
            ChatCompletionChoice(message=ChatMessageAssistant(content=words, source="generate"), stop_reason=stop)
        ],
        # Told, so that the engine does not count by itself: it would fetch a table of tokens from the network.
        usage=ModelUsage(input_tokens=into, output_tokens=out, total_tokens=into + out),
        metadata={"errored": True} if answer is None else None,
    )


def _scored(item: str, output: Any) -> Any:  # noqa: ANN401 - of the engine
    from inspect_ai.scorer import Score

    desk, words = _DESK.get(), output.completion
    if (output.metadata or {}).get("errored"):
        return Score.unscored(reason="errored")
    if desk.work.judge is None:
        return Score.unscored(reason="scored-by-cluster", answer=words)
    found = desk.work.judge(desk.known[item], words)
    return Score.unscored(reason="not-scored", answer=words) if found is None else Score(value=found, answer=words)


@contextlib.contextmanager
def apart(place: Path) -> Iterator[None]:
    """Let the engine live in ``place`` alone: its data, its temporary files, no ``.env``, no git, none of its settings.

    It looks for a ``.env`` from the current folder upwards, and that folder may be one under assessment: it must choose nothing.
    """
    before, here, temporary = dict(os.environ), Path.cwd(), tempfile.tempdir
    (place / ".env").write_bytes(b"")
    home = str(place / "engine")
    named = dict.fromkeys(("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TMPDIR"), home)
    Path(home).mkdir()
    try:
        for name in [each for each in os.environ if each.startswith("INSPECT_")]:
            del os.environ[name]
        os.environ |= {**named, "PATH": "", "INSPECT_DISPLAY": "none", "DO_NOT_TRACK": "1"}
        os.chdir(place)
        tempfile.tempdir = home
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the engine's own parts think of each other
            yield
    finally:
        tempfile.tempdir = temporary
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


def _why(log: Any) -> str:  # noqa: ANN401 - of the engine
    """Return how the engine itself says that it failed."""
    errors = [log.error, *(each.error for each in log.samples or ())]
    return next((str(each.message) for each in errors if each is not None), str(log.status))


def _failed(why: str, answered: int, planned: int) -> Malformed:
    return Malformed(
        "language.engine-failed",
        Text(
            en="The engine's log is not whole ({why}): {answered} of {planned} items.",
            zh="引擎日志不完整（{why}）：{planned} 条中有 {answered} 条。",
        ),
        do=Text(
            en="Assess again; answers so far are kept. If it stays so, report it.",
            zh="请重新评估；已有回答会保留。若仍如此，请报告。",
        ),
        why=inert(why[:200], one_line=True),
        answered=answered,
        planned=planned,
    )


__all__ = ["MODEL", "Work", "apart", "put", "quiet", "version"]

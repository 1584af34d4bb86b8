"""A service that dies, stalls, is busy or answers nonsense: a clear fault, answers kept, and never a score out of nothing."""

from __future__ import annotations

import contextlib
import gc
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.practices.evaluation.chat_server import Say, completion, serve
from tests.practices.evaluation.language_world import Way, adds, close, job, lend, sums
from tongqiu.node.gate import Consent
from tongqiu.practice import Reply
from tongqiu.practices.evaluation.language import runner
from tongqiu.practices.evaluation.language.models import Pins
from tongqiu.practices.evaluation.language.service import LONGEST_WAIT, Service
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
ASKED = (("system", "Answer with a number."), ("user", "What is 1 + 1"))
PINS = Pins(16)
WORDS = Text(en="words", zh="词")


@pytest.fixture(autouse=True, scope="module")
def _swept() -> Iterator[None]:
    """Collect what the engine leaves while its warnings are still passed over."""
    yield
    gc.collect()


class Script:
    """A way to a service that answers what is written, in order, and the last for ever."""

    def __init__(self, *said: Reply | Fault) -> None:
        self.said, self.asked = list(said), list[dict[str, Any]]()

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}) -> Reply:
        """Answer the next line."""
        assert (method, path) == ("POST", "/chat/completions")
        assert headers["Content-Type"] == "application/json"
        self.asked.append(json.loads(body))
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, Fault):
            raise said
        return said


def service(way: Any, slept: list[float] | None = None, **more: Any) -> Service:
    """Return a service that never really waits."""
    sleep = (slept if slept is not None else []).append
    return Service(way, name="m", url="http://x", host="x", sleep=sleep, **more)


def ok(words: str | None = "2", **more: Any) -> Reply:
    return Reply(200, completion(words, **more))


def problem(status: int, **error: Any) -> Reply:
    return Reply(status, json.dumps({"error": error}).encode())


def test_a_question_is_sent_as_it_is_pinned() -> None:
    way = Script(ok())
    answer = service(way).answer(ASKED, Pins(16, temperature=0.5, top_p=0.9, seed=7))
    assert (answer.text, answer.tokens_in, answer.tokens_out, answer.finish) == ("2", 20, 5, "stop")
    assert way.asked == [
        {
            "model": "m",
            "messages": [{"role": "system", "content": ASKED[0][1]}, {"role": "user", "content": ASKED[1][1]}],
            "max_tokens": 16,
            "seed": 7,
            "temperature": 0.5,
            "top_p": 0.9,
        }
    ]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (ok(None, message={"refusal": "I cannot."}), "I cannot."),
        (ok(None, message={"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}), "ab"),
        (ok("x", usage=None), "x"),
        (ok("", choices=[{"message": {"content": None}, "finish_reason": "content_filter"}]), ""),
        (ok("", choices=[{"message": {}, "finish_reason": "length"}]), ""),
    ],
)
def test_answers_in_forms_that_occur(reply: Reply, words: str) -> None:
    assert service(Script(reply)).answer(ASKED, PINS).text == words


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>busy</html>",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"choices": []}',
        b"{}",
        b"null",
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"content": {"text": "x"}}}]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": {"0": 1}}',
        b'{"choices": [{"message": {"content": null}, "finish_reason": "tool_calls"}]}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "many"}}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}}',
        b'{"choices": [{"message": {"content": "\\ud800"}}]}',
        json.dumps({"choices": [{"message": {"content": "x" * 300_000}}]}).encode(),
        json.dumps({"choices": [{"message": {"content": [{"text": "x" * 200_000}] * 2}}]}).encode(),
        json.dumps({"choices": [{"message": {"content": "x"}}] * 17}).encode(),
    ],
)
def test_garbage_is_an_errored_item(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        service(Script(Reply(200, body))).answer(ASKED, PINS)
    assert caught.value.code == "language.answer"


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "finish_reason"]),
            inner | st.lists(inner, max_size=2),
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_a_service_says_is_an_answer_or_an_errored_item(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert isinstance(service(Script(Reply(200, body))).answer(ASKED, PINS).text, str)


def test_a_busy_service_is_left_alone_as_long_as_it_asks() -> None:
    slept: list[float] = []
    way = Script(Reply(429, b"", 7.0), Reply(503, b"", None), ok())
    assert service(way, slept).answer(ASKED, PINS).text == "2"
    assert len(way.asked) == 3
    assert slept[0] == pytest.approx(7, abs=0.5)


@pytest.mark.parametrize(
    ("replies", "sent"),
    [((Reply(429, b"", LONGEST_WAIT + 1),), 1), ((Reply(503, b""),), 4), ((Reply(500, b""),), 4)],
)
def test_a_service_that_stays_busy_ends_the_run(replies: tuple[Reply, ...], sent: int) -> None:
    way = Script(*replies)
    with pytest.raises(Unreachable) as caught:
        service(way).answer(ASKED, PINS)
    assert caught.value.code == "language.busy"
    assert len(way.asked) == sent


def test_retries_are_counted_for_the_whole_run() -> None:
    way = Script(Reply(503, b""))
    under_test = service(way, retries=4)
    for _ in range(3):
        with pytest.raises(Unreachable):
            under_test.answer(ASKED, PINS)
    assert len(way.asked) == 3 + 4


def test_a_line_that_breaks_is_tried_again() -> None:
    broken = Unreachable("endpoint.unreachable", WORDS, do=WORDS)
    assert service(Script(broken, broken, ok())).answer(ASKED, PINS).text == "2"
    with pytest.raises(Unreachable):
        service(Script(broken)).answer(ASKED, PINS)
    spent = Refused("endpoint.budget", WORDS, do=WORDS)
    way = Script(spent)
    with pytest.raises(Refused):
        service(way).answer(ASKED, PINS)
    assert len(way.asked) == 1
    full = Unreachable("journal.disk", WORDS, do=WORDS)
    way = Script(full)
    with pytest.raises(Unreachable):
        service(way).answer(ASKED, PINS)
    assert len(way.asked) == 1


@pytest.mark.parametrize(
    ("status", "branch", "code"),
    [
        (400, Malformed, "language.answer"),
        (413, Malformed, "language.answer"),
        (401, Refused, "language.service"),
        (403, Refused, "language.service"),
        (302, Refused, "language.service"),
        (404, Missing, "language.service"),
    ],
)
def test_a_service_that_declines(status: int, branch: type[Fault], code: str) -> None:
    with pytest.raises(branch) as caught:
        service(Script(problem(status, message="no\x1b[31m such thing"))).answer(ASKED, PINS)
    assert caught.value.code == code
    assert "such thing" in caught.value.what.en
    assert "\x1b" not in caught.value.what.en


def test_parameters_that_a_service_does_not_take_are_left_out_and_said() -> None:
    way = Script(problem(400, param="max_tokens", code="unsupported_parameter"), problem(400, param="seed"), ok())
    under_test = service(way)
    assert under_test.answer(ASKED, PINS).text == "2"
    assert "max_completion_tokens" in way.asked[-1]
    assert "seed" not in way.asked[-1]
    assert under_test.unpinned == {"seed"}


# --- whole runs over HTTP ---------------------------------------------------------------------------------------------


def answer(question: Mapping[str, Any]) -> bytes:
    return completion(adds(tuple((each["role"], each["content"]) for each in question["messages"])))


def run(place: Path, url: str, *, patience: float = 5.0, questions: int = 1000, at_once: int = 1) -> runner.Told:
    """Run the sums on a service through the gate, with the journal in ``place``."""
    world = lend(place, Way(url, Consent("sk-" + "0" * 30, patience=patience), questions))
    under_test = Service(
        world.endpoint, name="m", url="http://x", host="h", at_once=at_once, sleep=lambda _: None, retries=4
    )
    try:
        return runner.run(job(sums(6)), under_test, world)
    finally:
        close(world)


def test_a_whole_run_several_questions_at_once(tmp_path: Path) -> None:
    with serve(lambda _, question: Say(answer(question), after=0.01)) as chat:
        told = run(tmp_path, chat.url, at_once=4)
    assert told.run.completeness.done == 12
    assert told.run.use is not None
    assert (told.run.use.host, told.run.use.asked, told.run.use.tokens_in) == ("h", 12, 240)
    assert len(chat.asked) == 12
    assert all(key is not None for key in chat.keys)
    assert b"sk-000" not in msgspec.json.encode(told.run) + b"".join(each.data for each in told.files)


@pytest.mark.parametrize(
    ("way", "code"),
    [
        (lambda _: Say(b"", drop=True), "endpoint.unreachable"),
        (lambda _: Say(b"", after=0.5), "endpoint.slow"),
        (lambda _: Say(b"", 429, (("Retry-After", "3600"),)), "language.busy"),
        (lambda _: Say(b"", 401), "language.service"),
    ],
)
def test_a_service_that_fails_in_the_middle(tmp_path: Path, way: Callable[[int], Say], code: str) -> None:
    failing = [True]

    def say(number: int, question: dict[str, Any]) -> Say:
        return way(number) if number > 5 and failing else Say(answer(question))

    with serve(say) as chat:
        with pytest.raises((Unreachable, Refused)) as caught:
            run(tmp_path, chat.url, patience=0.3)
        assert caught.value.code == code
        before = len(chat.asked)
        failing.clear()
        told = run(tmp_path, chat.url)
        assert len(chat.asked) - before == 7
    assert told.run.completeness.done == 12
    assert told.run.interrupted == 1


def test_what_was_agreed_is_never_passed(tmp_path: Path) -> None:
    with serve(lambda _, question: Say(answer(question))) as chat:
        with pytest.raises(Refused) as caught:
            run(tmp_path, chat.url, questions=7)
        assert caught.value.code == "endpoint.budget"
        assert len(chat.asked) == 7
        assert run(tmp_path, chat.url).run.completeness.done == 12
        assert len(chat.asked) == 12


def test_garbage_and_ten_megabytes_among_answers_are_errored_items(tmp_path: Path) -> None:
    def say(number: int, question: dict[str, Any]) -> Say:
        bad = {3: b"<html>", 5: b"x" * (10 << 20), 7: b'{"choices": []}'}
        return Say(bad.get(number, answer(question)))

    with serve(say) as chat:
        told = run(tmp_path, chat.url)
    rows = told.run.completeness
    assert (rows.planned, rows.done, rows.errored) == (12, 9, 3)
    assert sorted(each.error for each in told.run.items if each.error) == [
        "endpoint.large",
        "language.answer",
        "language.answer",
    ]
    assert rows.errored > 0.1 * rows.planned

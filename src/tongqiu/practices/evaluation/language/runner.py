"""One method run on one language model: every item asked, judged and counted, beside systems without any skill.

The engine asks and writes its log; what it leaves out is added here: the digest of the questions, the identity of the model,
the machine, how much of the plan was done, the floors, and what it cost. An item without an answer is an errored item, never
a score; where the run cannot go on, it fails with what was answered kept, and takes up again from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tongqiu.practices.evaluation import identity
from tongqiu.practices.evaluation.bodies import Completeness
from tongqiu.practices.evaluation.language import engine
from tongqiu.practices.evaluation.language.models import Kept, Pins
from tongqiu.practices.evaluation.measuring import floor
from tongqiu.practices.evaluation.methods.shelf import FLOOR_AGENTS, floor_answer, rate, select, sized
from tongqiu.practices.evaluation.objects import Detail, Environment, Floor, Item, TestRun, Use
from tongqiu.record.faults import Fault, Malformed, Missing
from tongqiu.record.statement import Attachment
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tongqiu.practice import World
    from tongqiu.practices.evaluation.language.models import Answer, Model
    from tongqiu.practices.evaluation.methods.shelf import Method, Question
    from tongqiu.practices.evaluation.objects import SystemIdentity

HOPELESS: Final = 10
"""After so many items without one usable answer, a run ends: the fault is then the model's or the address's, not an item's."""

_ENGINES: Final = ("inspect-ai", "xllamacpp", "msgspec", "numpy", "pydantic", "tongqiu")
_BEGUN: Final = "begun"


class Price(NamedTuple):
    """What a service asks for a million tokens, in and out, in ``currency``; None where nobody said."""

    into: float | None = None
    out: float | None = None
    currency: str = ""

    def of(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """Return what so many tokens cost; None where price or number is not known."""
        if self.into is None or self.out is None or tokens_in is None or tokens_out is None:
            return None
        return round((tokens_in * self.into + tokens_out * self.out) / 1e6, 6)


class Job(NamedTuple):
    """What is to be run: the method, which of its items in which languages, within which pins, on whom, at what price.

    ``fingerprint`` asks fixed questions besides, by which a system that shows no bytes is known again.
    """

    method: Method
    system: SystemIdentity
    pins: Pins
    items: int
    languages: tuple[str, ...] = ()
    price: Price = Price()
    budget: tuple[tuple[str, float], ...] = ()
    fingerprint: bool = False


class Told(NamedTuple):
    """A run and the files that are shared with it."""

    run: TestRun
    files: tuple[Attachment, ...]


def run(job: Job, model: Model, world: World) -> Told:
    """Run ``job`` on ``model`` and return the record with its files.

    ``world`` lends clock, journal, scratch and progress. Raises whatever ends the run: the faults of the model and of what
    is lent, Missing (``language.engine``, ``language.no-items``), Malformed (``language.no-answers``,
    ``language.engine-failed``). Whatever was answered by then is in the journal.
    """
    asked = select(job.method, job.items, job.pins.seed, job.languages)
    if not asked:
        raise _no_items(job)
    started, interrupted = _begin(world)
    clock = time.monotonic()
    table = _Table(Kept(model, world.journal), job.pins, asked, world)
    log = engine.put(_work(job, asked, table, model.at_once), world.scratch.path)
    table.settle()
    system = _known(job, table.kept, model.at_once)
    answered = [(each, table.words(each)) for each in asked]
    scores = rate(job.method, answered)
    items = tuple(_items(asked, scores, table))
    files = _files(job.method, answered, scores, log)
    facts = sized(job.method, asked)
    record = TestRun(
        method=facts,
        system=system,
        environment=environment(),
        started=started,
        ended=world.clock.now(),
        items=items,
        completeness=_completeness(items, table),
        floors=tuple(floors(job.method, asked, job.pins.seed)),
        seed=job.pins.seed,
        deviations=tuple(_deviations(job, model, table)),
        evidence=tuple(_detail(each) for each in files),
        use=_use(job, model, table, time.monotonic() - clock),
        interrupted=interrupted,
    )
    return Told(record, () if facts.withheld else files)


class _Table:
    """Who has answered what. Threads ask through it; the first fault that no item caused ends all."""

    def __init__(self, kept: Kept, pins: Pins, asked: Sequence[Question], world: World) -> None:
        self._kept, self._pins, self._world, self._total = kept, pins, world, len(asked)
        self._lock = threading.Lock()
        self.answers: dict[str, Answer] = {}
        self.problems: dict[str, Malformed] = {}
        self._stop: Fault | None = None

    @property
    def kept(self) -> Kept:
        """Return the model with what it answered before."""
        return self._kept

    def ask(self, question: Question) -> Answer | None:
        """Return the model's answer; None where there is none, or where the run has ended already."""
        if self._stop is not None:
            return None
        given: Answer | None = None
        problem: Malformed | None = None
        try:
            given = self._kept.answer(question.id, question.messages, self._pins)
        except Malformed as fault:
            problem = fault
        except Fault as fault:
            self._end(fault)
            return None
        with self._lock:
            if given is not None:
                self.answers[question.id] = given
            elif problem is not None:
                self.problems[question.id] = problem
                if not self.answers and len(self.problems) >= HOPELESS:
                    self._end(_no_answers(len(self.problems), problem))
            done = len(self.answers) + len(self.problems)
        self._world.progress(done, self._total)
        return given

    def _end(self, fault: Fault) -> None:
        if self._stop is None:
            self._stop = fault

    def settle(self) -> None:
        """Raise what ended the run, if anything did, or Malformed (``language.no-answers``) where nothing was answered."""
        if self._stop is not None:
            raise self._stop
        if not self.answers:
            raise _no_answers(len(self.problems), next(iter(self.problems.values())))

    def words(self, question: Question) -> str | None:
        """Return what was answered to a question, or None."""
        given = self.answers.get(question.id)
        return None if given is None else given.text

    def error(self, question: Question) -> str:
        """Return by code why a question has no answer; empty where it has one."""
        problem = self.problems.get(question.id)
        return "" if problem is None else problem.code


def _work(job: Job, asked: Sequence[Question], table: _Table, at_once: int) -> engine.Work:
    facts = job.method.facts
    return engine.Work(
        method=facts.method,
        questions=asked,
        ask=table.ask,
        judge=job.method.judge if job.method.together is None else None,
        pins=job.pins,
        facts={"method": facts.method, "data": facts.data, "system": job.system.digest or job.system.name},
        at_once=at_once,
    )


def _known(job: Job, kept: Kept, at_once: int) -> SystemIdentity:
    """Return which system it was: with its fingerprint, where that is wanted and enough of its questions are answered."""
    if not job.fingerprint:
        return job.system
    pins = Pins(identity.MAX_TOKENS, seed=job.pins.seed)

    def ask(numbered: tuple[int, str]) -> str | None:
        number, words = numbered
        try:
            return kept.answer(f"fingerprint-{number}", (("user", words),), pins).text
        except Malformed:
            return None

    # Each round asks anew: whether answers repeat is part of what is learnt.
    with ThreadPoolExecutor(at_once) as pool:
        told = iter(tuple(pool.map(ask, enumerate(identity.QUESTIONS * identity.ROUNDS))))
    try:
        taken = identity.fingerprint(lambda _: next(told))
    except Malformed:
        return job.system
    return identity.ladder(msgspec.structs.replace(job.system, fingerprint=taken))


def _begin(world: World) -> tuple[str, int]:
    """Return when the run first began, and how often it was taken up again since; both outlive a kill."""
    kept = world.journal.get(_BEGUN)
    started, times = msgspec.json.decode(kept, type=tuple[str, int]) if kept else (world.clock.now(), -1)
    world.journal.put(_BEGUN, msgspec.json.encode((started, times + 1)))
    return started, times + 1


def _items(asked: Sequence[Question], scores: Sequence[float | None], table: _Table) -> Iterator[Item]:
    for question, score in zip(asked, scores, strict=True):
        error = table.error(question) or ("not-scored" if score is None else "")
        yield Item(question.id[:80], score, question.cluster[:80], question.language, question.slice[:80], error)


def _completeness(items: Sequence[Item], table: _Table) -> Completeness:
    """Return planned, scored, without an answer, and answered in a way that the judge leaves out."""
    done = sum(each.score is not None for each in items)
    errored = len(table.problems)
    return Completeness(planned=len(items), done=done, errored=errored, skipped=len(items) - done - errored)


def floors(method: Method, asked: Sequence[Question], seed: int) -> Iterator[Floor]:
    """Yield what each system without skill reaches on the same items with the same judge, in a fixed order."""
    for agent in FLOOR_AGENTS:
        scores = rate(method, [(each, floor_answer(agent, each, seed)) for each in asked])
        counted = [each for each in scores if each is not None]
        if counted:
            yield floor(agent, counted, method.facts.estimator.coverage)


def _deviations(job: Job, model: Model, table: _Table) -> Iterator[Text]:
    """Yield in words where the run was not as the method pins it."""
    pinned = job.method.facts.pins
    for name in ("max_tokens", "temperature", "top_p"):
        value = getattr(job.pins, name)
        if name in pinned and pinned[name] != value:
            yield Text(
                en="{name} is {value}; the method says {pinned}.", zh="{name} 为 {value}；方法规定为 {pinned}。"
            ).fill(name=name, value=value, pinned=pinned[name])
    for name in sorted(model.unpinned):
        yield Text(en="The service takes no {name}: it is not pinned.", zh="该服务不接受 {name}，因此未能固定。").fill(
            name=name
        )
    filtered = sum(each.finish == "content_filter" for each in table.answers.values())
    if filtered:
        yield Text(
            en="A filter of the service stopped {n} answers; they were judged as they came.",
            zh="服务的过滤器中止了 {n} 个回答；均按收到的内容评判。",
        ).fill(n=filtered)


def _use(job: Job, model: Model, table: _Table, seconds: float) -> Use:
    into, out = table.kept.tokens()
    cost = job.price.of(into, out)
    return Use(
        asked=table.kept.asked,
        tokens_in=into,
        tokens_out=out,
        cost=cost,
        currency=job.price.currency if cost is not None else "",
        seconds=round(seconds, 3),
        host=model.host,
        budget=dict(job.budget),
    )


def _files(
    method: Method, answered: Iterable[tuple[Question, str | None]], scores: Sequence[float | None], log: bytes
) -> tuple[Attachment, Attachment]:
    """Return the engine's log, and the items in a form that anyone can read: a line of JSON each."""
    name = method.facts.method.partition("@")[0]
    lines = [
        msgspec.json.encode({"question": question, "answer": words, "score": score})
        for (question, words), score in zip(answered, scores, strict=True)
    ]
    return (
        Attachment(f"{name}.eval", "application/zip", log),
        Attachment(f"{name}.items.jsonl", "application/jsonl", b"".join(line + b"\n" for line in lines)),
    )


def _detail(file: Attachment) -> Detail:
    sort = "inspect.eval" if file.name.endswith(".eval") else "items"
    return Detail(sort, file.name, "sha-256:" + hashlib.sha256(file.data).hexdigest(), len(file.data))  # type: ignore[arg-type]


def environment() -> Environment:
    """Return where the run takes place: engine, interpreter, machine, and a digest over every installed package."""
    every = {each.metadata["Name"].lower(): each.version for each in importlib.metadata.distributions()}
    python, system, processor = sys.version.split()[0], platform.platform(), _processor()
    whole = msgspec.json.encode((sorted(every.items()), python, system, processor))
    return Environment(
        digest="sha-256:" + hashlib.sha256(whole).hexdigest(),
        engine=engine.version(),
        python=python,
        platform=system,
        processor=processor,
        packages={name: every[name] for name in _ENGINES if name in every},
    )


def _processor() -> str:
    """Return the processor's name and number of cores, as the system tells them: rounding may differ between processors."""
    found = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        found = named[0] if named else found
    return f"{inert(found, one_line=True)[:100]} x {os.cpu_count() or 1}"


def _no_items(job: Job) -> Missing:
    return Missing(
        "language.no-items",
        Text(
            en="{method} has no items in these languages: {languages}.",
            zh="{method} 没有这些语言的条目：{languages}。",
        ),
        do=Text(en="It has: {known}.", zh="现有语言：{known}。"),
        method=job.method.facts.method,
        languages=", ".join(job.languages),
        known=", ".join(job.method.facts.languages),
    )


def _no_answers(tried: int, last: Malformed) -> Malformed:
    return Malformed(
        "language.no-answers",
        Text(en="None of {n} items was answered. The last: {last}", zh="{n} 条中没有一条得到回答。最后一条：{last_zh}"),
        do=Text(
            en="See that url, model and api are right and that it is a chat model, then assess again.",
            zh="请确认 url、model 与 api 无误且为对话模型，然后重新评估。",
        ),
        n=tried,
        last=last.what.en,
        last_zh=last.what.zh,
    )


__all__ = ["HOPELESS", "Job", "Price", "Told", "environment", "floors", "run"]

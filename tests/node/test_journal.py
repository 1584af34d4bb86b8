"""The journal of a long run: whatever was put is there after a kill, and a torn end never shows."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongqiu.node import journal as room
from tongqiu.node.journal import Journal
from tongqiu.record.faults import Malformed, Refused, Unreachable


def filled(path: Path, pairs: list[tuple[str, bytes]]) -> bytes:
    """Put ``pairs`` into a journal at ``path`` and return its bytes."""
    journal = Journal(path)
    for key, value in pairs:
        journal.put(key, value)
    journal.close()
    return path.read_bytes()


@settings(max_examples=30, deadline=None)
@given(pairs=st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=20)), max_size=4))
def test_a_journal_cut_anywhere_keeps_every_whole_answer(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("j") / "run.journal"
    whole = filled(path, pairs)
    ends, at = [0], 0
    while at < len(whole):
        at += 8 + int.from_bytes(whole[at : at + 4], "big")
        ends.append(at)
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        journal = Journal(path)
        kept = sum(end <= cut for end in ends) - 1
        assert {key: journal.get(key) for key, _ in pairs[:kept]} == dict(pairs[:kept])
        assert len(journal) == journal.resumed == len(dict(pairs[:kept]))
        journal.close()
        assert path.stat().st_size == ends[kept]


def test_a_flipped_bit_ends_the_journal_there(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    whole = bytearray(filled(path, [("one", b"1"), ("two", b"2")]))
    whole[-1] ^= 1
    path.write_bytes(whole)
    journal = Journal(path)
    assert (journal.get("one"), journal.get("two")) == (b"1", None)
    journal.put("two", b"again")
    journal.close()
    assert Journal(path).get("two") == b"again"


def test_what_is_no_pair_ends_the_journal(tmp_path: Path) -> None:
    import zlib

    path = tmp_path / "run.journal"
    data = b"\x93\x01\x02\x03"
    path.write_bytes(len(data).to_bytes(4, "big") + zlib.crc32(data).to_bytes(4, "big") + data)
    assert len(Journal(path)) == 0
    assert path.stat().st_size == 0


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = Journal(tmp_path / "run.journal")
    with pytest.raises(Refused) as caught:
        Journal(tmp_path / "run.journal")
    assert caught.value.code == "journal.busy"
    first.close()
    first.close()
    Journal(tmp_path / "run.journal").close()


def test_a_full_disk_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.journal")
    journal.put("one", b"1" * 100)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150, hard))
        with pytest.raises(Unreachable) as caught:
            journal.put("two", b"2" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert caught.value.code == "journal.disk"
    journal.put("three", b"3")
    journal.close()
    again = Journal(tmp_path / "run.journal")
    assert (again.get("one"), again.get("two"), again.get("three")) == (b"1" * 100, None, b"3")


def test_limits_and_places(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.journal")
    with pytest.raises(Malformed) as caught:
        journal.put("big", b"0" * (room.MAX_VALUE + 1))
    assert caught.value.code == "journal.large"
    with pytest.raises(Unreachable):
        Journal(tmp_path / "nowhere" / "run.journal")
    (tmp_path / "link.journal").symlink_to(tmp_path / "run.journal")
    with pytest.raises(Unreachable):
        Journal(tmp_path / "link.journal")
    assert (tmp_path / "run.journal").stat().st_mode & 0o777 == 0o600

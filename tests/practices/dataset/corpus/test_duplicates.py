"""What repeats is found whole, whatever the order, the batches and the memory."""

from __future__ import annotations

import errno
import tracemalloc
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tongqiu.practices.dataset.corpus import duplicates, likeness, lists, spill
from tongqiu.practices.dataset.corpus.duplicates import EXACT, LEAKED, NEAR, Groups, Index, Marks
from tongqiu.practices.dataset.corpus.shapes import BANDS, ROWS, SLOTS, STATS, Audited, Hits, Terms
from tongqiu.record.faults import Malformed, Unreachable

NONE = np.zeros(0, dtype=np.int32)
HITS = Hits(NONE, NONE.astype(np.uint16), NONE, NONE, NONE.astype(np.uint8))


def audited(slots: NDArray[np.uint8], *, texts: NDArray[np.int64] | None = None, terms: Terms | None = None) -> Audited:
    """Documents with these sketches (n, 128); each band's key is made of its four slots. Equal ``texts``: the same document."""
    n = len(slots)
    digest = np.zeros((n, 16), dtype=np.uint8)
    digest[:, :4] = (np.arange(n) if texts is None else texts).astype("<u4").view(np.uint8).reshape(n, 4)
    keys: NDArray[np.uint64] = (
        np.ascontiguousarray(slots).reshape(n, BANDS, ROWS).copy().view("<u4")[:, :, 0].astype(np.uint64)
    )
    keys += np.arange(BANDS, dtype=np.uint64)
    keys *= np.uint64(0x9E3779B97F4A7C15)
    stats = np.full((n, len(STATS)), 100, dtype=np.int32)
    none = Terms(NONE, NONE.astype(np.uint16), NONE.astype(np.uint16), NONE)
    return Audited(
        digest,
        keys,
        slots,
        np.full(n, 50, dtype=np.int32),
        np.arange(n, dtype=np.uint16) % 3,
        np.zeros(n, dtype=np.uint8),
        np.zeros(n, dtype=np.uint8),
        stats,
        HITS,
        none if terms is None else terms,
    )


def corpus(seed: int, n: int, *, spread: int = 40) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Documents of which many are copies, or copies of copies with slots changed, of earlier ones."""
    rng = np.random.default_rng(seed)
    slots = rng.integers(0, 256, (n, SLOTS), dtype=np.uint8)
    texts = np.arange(n)
    for i in range(1, n):
        kind = rng.integers(0, 4)
        if kind < 3:
            of = int(rng.integers(0, i))
            slots[i] = slots[of]
            texts[i] = texts[of] if kind == 0 else i
            if kind:
                at = rng.choice(SLOTS, int(rng.integers(1, spread + 1)), replace=False)
                slots[i, at] = rng.integers(0, 256, len(at), dtype=np.uint8)
    return slots, texts


def taken(
    folder: Path, made: Audited, *, cuts: list[int], memory: int = 1 << 20, splits: NDArray[np.uint16] | None = None
) -> Index:
    index = Index(folder, memory=memory)
    n = len(made.shingles)
    ends = sorted({*cuts, n})
    starts = [0, *ends[:-1]]
    for start, end in reversed(list(zip(starts, ends, strict=True))):
        at = slice(start, end)
        piece = made._replace(**{name: getattr(made, name)[at] for name in made._fields[:8]})
        marks = None if splits is None else Marks(splits[start:end], np.zeros(end - start, dtype=np.uint16))
        index.take(start, piece, marks)
    return index


def by_definition(
    slots: NDArray[np.uint8], texts: NDArray[np.int64], fewest: int
) -> tuple[dict[int, set[int]], int, int]:
    """The same groups by comparing every pair of different texts that share a band, without any cleverness."""
    first: dict[int, int] = {}
    for i, text in enumerate(texts.tolist()):
        first.setdefault(text, i)
    parent = list(range(len(slots)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    candidates = verified = 0
    for a, b in combinations(sorted(first.values()), 2):
        same = slots[a] == slots[b]
        if same.reshape(BANDS, ROWS).all(axis=1).any():
            candidates += 1
            if same.sum() >= fewest:
                verified += 1
                one, two = sorted((root(a), root(b)))
                parent[two] = one
    groups = defaultdict(set)
    for i, text in enumerate(texts.tolist()):
        groups[root(first[text])].add(i)
    return {name: members for name, members in groups.items() if len(members) > 1}, candidates, verified


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), threshold=st.sampled_from([0.5, 0.7, 0.9]))
def test_groups_are_those_of_every_pair_compared(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, threshold: float
) -> None:
    slots, texts = corpus(seed, n)
    groups = taken(tmp_path_factory.mktemp("i"), audited(slots, texts=texts), cuts=[n // 3]).finish(threshold)
    wanted, candidates, verified = by_definition(slots, texts, likeness.needed(threshold))
    distinct = len(set(texts.tolist()))
    assert groups.exact == n - distinct
    if n <= likeness.WHOLE:
        assert (groups.candidates, groups.verified, groups.dropped) == (candidates, verified, 0)
    assert groups.candidates <= candidates
    if not groups.whole:
        return  # more than 32 share a key: the bound has its own test
    spans = {name: len({texts[i] for i in members}) for name, members in wanted.items()}
    assert groups.near == sum(count - 1 for count in spans.values())
    assert groups.near_groups == sum(count > 1 for count in spans.values())
    shown = {group.documents[0]: group for group in groups.groups if group.kind == "near"}
    assert {name: group.size for name, group in shown.items()} == {n: len(wanted[n]) for n, c in spans.items() if c > 1}
    flags = groups.flags.read(0, n)
    assert (flags == EXACT).sum() == groups.exact
    assert (flags == NEAR).sum() == groups.near
    assert flags[0] == 0


def plain(groups: Groups) -> tuple[object, ...]:
    return tuple(groups)[:-1]


def test_neither_order_nor_batches_nor_memory_matter(tmp_path: Path) -> None:
    slots, texts = corpus(5, 3000, spread=60)
    splits = (np.arange(3000) % 3).astype(np.uint16)
    made = audited(slots, texts=texts)
    answers, flags = [], []
    for number, (cuts, memory) in enumerate(
        [([], 1 << 28), ([7, 900, 901], 1 << 28), (list(range(250, 3000, 250)), 1 << 12), ([1500], 1 << 14)]
    ):
        steps: list[tuple[int, int]] = []
        groups = taken(tmp_path / str(number), made, cuts=cuts, memory=memory, splits=splits).finish(
            progress=lambda *at, steps=steps: steps.append(at)
        )
        assert [done for done, _ in steps] == list(range(steps[-1][1]))
        answers.append(plain(groups))
        flags.append(groups.flags.read(0, 3000).tobytes())
        assert not list((tmp_path / str(number)).glob("work"))
    assert all(answer == answers[0] for answer in answers)
    assert len(set(flags)) == 1
    assert groups.near > 500
    assert groups.crossed


def _finished_with_its_peak(index: Index) -> tuple[int, int, int]:
    tracemalloc.start()
    groups = index.finish()
    return groups.near, groups.near_groups, tracemalloc.get_traced_memory()[1]


def test_memory_is_as_allowed_where_everything_was_copied_ten_times(tmp_path: Path) -> None:
    # All groups and most pairs then begin with the earliest documents, so parts by first document are far from even.
    documents, memory = 80_000, 8 << 20
    rng = np.random.default_rng(5)
    slots = np.tile(rng.integers(0, 256, (documents // 10, SLOTS), dtype=np.uint8), (10, 1))
    index = taken(tmp_path, audited(slots), cuts=list(range(0, documents, 2000)), memory=memory)
    # In a process of its own: what the threads of other tests allocate meanwhile would count too.
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        near, groups, most = alone.submit(_finished_with_its_peak, index).result()
    assert (near, groups) == (documents - documents // 10, documents // 10)
    assert most < 1.5 * memory


def test_a_batch_taken_again_replaces_itself_and_numbers_may_be_left_out(tmp_path: Path) -> None:
    slots, texts = corpus(1, 100)
    index = Index(tmp_path)
    index.take(1000, audited(corpus(2, 50)[0]))
    index.take(1000, audited(slots[:50], texts=texts[:50]))
    index.take(5000, audited(slots[50:], texts=texts[50:]))
    groups = index.finish()
    assert index.taken() == ((1000, 50), (5000, 50))
    assert groups.documents == 100
    assert groups.exact == 100 - len(set(texts.tolist()))
    numbers = {number for group in groups.groups for number in group.documents}
    assert numbers <= {*range(1000, 1050), *range(5000, 5050)}
    assert (groups.flags.read(1000, 4050) > 0).sum() == groups.exact + groups.near
    assert groups.flags.read(0, 1000).sum() == 0
    index.forget(5000)
    assert index.taken() == ((1000, 50),)
    assert index.finish().documents == 50


def test_thousands_that_share_one_key_are_not_all_compared_and_this_is_told(tmp_path: Path) -> None:
    n = 4000
    rng = np.random.default_rng(3)
    slots = rng.integers(0, 256, (n, SLOTS), dtype=np.uint8)
    slots[:, :ROWS] = 7
    twins = np.arange(100, 1100, 10)
    slots[twins + 1] = slots[twins]
    slots[twins + 1, -20:-12] = 1
    groups = taken(tmp_path, audited(slots), cuts=[], memory=1 << 28).finish()
    assert groups.candidates <= 8 * n
    assert groups.near == len(twins), "their other bands bring near copies together"
    assert not groups.whole
    assert n * (n - 1) // 2 - groups.candidates - 200 <= groups.dropped <= n * (n - 1) // 2


def test_a_thousand_near_copies_are_one_group_and_nothing_is_dropped(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    slots = np.repeat(rng.integers(0, 256, (1, SLOTS), dtype=np.uint8), 1000, axis=0)
    for row in slots:
        row[rng.choice(SLOTS, 5, replace=False)] = rng.integers(0, 256, 5)
    groups = taken(tmp_path, audited(slots), cuts=[300]).finish()
    assert (groups.near_groups, groups.near, groups.whole, groups.dropped) == (1, 999, True, 0)
    assert groups.candidates < 100_000
    (group,) = groups.groups
    assert (group.size, group.documents, group.languages) == (1000, tuple(range(10)), (0, 1, 2))
    assert 0.9 < group.likeness < 1


def test_what_stands_in_two_splits_is_told_exact_and_near(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    slots = rng.integers(0, 256, (8, SLOTS), dtype=np.uint8)
    slots[4], slots[5], slots[6] = slots[0], slots[1], slots[0]
    slots[5, :10] = 0
    texts = np.asarray([0, 1, 2, 3, 0, 5, 0, 7])
    splits = np.asarray([1, 1, 1, 0, 2, 2, 2, 2], dtype=np.uint16)
    groups = taken(tmp_path, audited(slots, texts=texts), cuts=[4], splits=splits).finish()
    assert [tuple(crossed) for crossed in groups.crossed] == [
        (1, 2, 3, 1, 1, (0, 1)),
        (2, 1, 4, 2, 1, (4, 5, 6)),
    ]


def test_documents_that_repeat_a_tested_part_are_flagged(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    slots = rng.integers(0, 256, (6, SLOTS), dtype=np.uint8)
    slots[3], slots[4], slots[5] = slots[0], slots[1], slots[2]
    slots[4, :10] = 0
    splits = np.asarray([1, 1, 1, 2, 2, 0], dtype=np.uint16)
    index = taken(tmp_path, audited(slots, texts=np.asarray([0, 1, 2, 0, 4, 2])), cuts=[], splits=splits)
    assert index.finish(tested=[2]).flags.read(0, 6).tolist() == [LEAKED, LEAKED, 0, EXACT, NEAR, EXACT]
    assert index.finish(tested=[1]).flags.read(0, 6).tolist() == [
        0,
        0,
        0,
        EXACT | LEAKED,
        NEAR | LEAKED,
        EXACT | LEAKED,
    ]
    assert index.finish().flags.read(0, 6).tolist() == [0, 0, 0, EXACT, NEAR, EXACT]


def test_items_of_published_sets_are_counted_once_each(tmp_path: Path) -> None:
    index = Index(tmp_path)
    listed = np.asarray([0, lists.PUBLISHED_FROM, lists.PUBLISHED_FROM, lists.PUBLISHED_FROM + 1], dtype=np.uint16)
    terms = Terms(np.asarray([0, 0, 3, 3], np.int32), listed, np.asarray([1, 9, 9, 2], np.uint16), np.ones(4, np.int32))
    index.take(10, audited(corpus(1, 5)[0], terms=terms))
    index.take(20, audited(corpus(2, 5)[0], terms=terms))
    first, second = index.finish().published
    assert first == (lists.PUBLISHED_FROM, 1, 4, (10, 13, 20, 23))
    assert second == (lists.PUBLISHED_FROM + 1, 1, 2, (13, 23))


def test_empty_and_short_texts_are_in_no_near_comparison(tmp_path: Path) -> None:
    slots = np.zeros((4, SLOTS), dtype=np.uint8)
    made = audited(slots, texts=np.asarray([0, 0, 2, 3]))
    made.stats[:2, STATS.index("bytes")] = 0
    made.shingles[:] = 0
    index = Index(tmp_path)
    index.take(0, made)
    groups = index.finish()
    assert (groups.exact, groups.near, groups.short) == (0, 0, 2)


def test_an_index_without_documents_has_no_groups(tmp_path: Path) -> None:
    groups = Index(tmp_path).finish()
    assert (groups.documents, groups.exact, groups.groups, groups.whole) == (0, 0, (), True)
    assert groups.flags.read(0, 3).tolist() == [0, 0, 0]


def test_a_file_cut_short_or_a_document_twice_is_refused(tmp_path: Path) -> None:
    index = Index(tmp_path)
    index.take(0, audited(corpus(1, 10)[0]))
    (file,) = (tmp_path / "taken").iterdir()
    whole = file.read_bytes()
    for cut in (0, 10, len(whole) - 1):
        file.write_bytes(whole[:cut])
        with pytest.raises(Malformed, match=r"dataset\.index-broken"):
            index.finish()
    file.write_bytes(whole)
    index.take(5, audited(corpus(1, 10)[0]))
    with pytest.raises(Malformed, match=r"dataset\.index-broken"):
        index.taken()


def test_a_full_disk_is_told_in_words() -> None:
    fault = spill.full(OSError(errno.ENOSPC, "x"))
    assert isinstance(fault, Unreachable)
    assert "No space left" in fault.what.en


@pytest.mark.parametrize(("agreeing", "alike"), [(128, 1.0), (90, 0.70196), (64, 0.49804), (0, 0.0)])
def test_likeness_is_corrected_for_chance(agreeing: int, alike: float) -> None:
    assert likeness.likeness(agreeing) == pytest.approx(alike, abs=1e-5)


def test_the_fewest_slots_are_those_of_the_threshold() -> None:
    assert [likeness.needed(threshold) for threshold in (0.7, 0.8, 1.0)] == [90, 103, 128]
    for threshold in np.linspace(0.01, 1, 100):
        fewest = likeness.needed(float(threshold))
        assert likeness.likeness(fewest) >= threshold - 1e-9
        assert likeness.likeness(fewest - 1) < threshold
    for threshold in (0.0, 1.1):
        with pytest.raises(ValueError, match=str(threshold)):
            likeness.needed(threshold)


def test_the_disk_a_document_takes_is_as_stated(tmp_path: Path) -> None:
    Index(tmp_path).take(0, audited(corpus(1, 100)[0]))
    (file,) = (tmp_path / "taken").iterdir()
    assert file.stat().st_size == 32 + 100 * spill.WIDTH
    assert f"({spill.WIDTH})" in (duplicates.__doc__ or "")

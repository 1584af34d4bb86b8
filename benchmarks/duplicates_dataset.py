"""How many planted near copies are found, how alike the pairs found truly are, and what the search costs, on real text.

``python -m benchmarks.duplicates_dataset --corpus CORPUS.jsonl [--texts N] [--whole]``. Copies are planted in texts of each language
of the corpus: one word in forty changed, one sentence dropped, white space and case changed. A copy is found where it is in
one group with its original. What is found is held against the exact Jaccard likeness of five-word sequences. With
``--whole`` the search is timed over the first hundredth, tenth and all of the corpus. Shares come with 95 % Wilson intervals.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import tempfile
import time
from collections import defaultdict
from hashlib import blake2b
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.report import Report
from tongqiu.measure.interval import wilson
from tongqiu.practices.dataset.corpus import counting, likeness, lists
from tongqiu.practices.dataset.corpus.duplicates import Index
from tongqiu.practices.dataset.corpus.shapes import BANDS, STATS, Audited, Hits, Strings, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SEED = 20261123
THRESHOLD = 0.7
LONG = 400
_SHORTEST = 10
"""Bytes that a text must have for copies of it to be planted."""
CHANGED = 40
"""One word in so many is changed."""
_SINGLE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0f18-\u0fbc\u200c\u200d"
_MARKS += "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"
_WORD = re.compile(f"[{_SINGLE}][{_MARKS}]*|(?:[^\\W{_SINGLE}]|[{_MARKS}])+")
"""Characters of Han, Kana, Thai, Lao, Khmer and Myanmar, with their marks, are words by themselves; runs of other letters, marks and digits are words."""
_SENTENCE = re.compile(r"[^.!?。！？।]*[.!?。！？।]+\s*")


class Planted(NamedTuple):
    """A copy: of which text, in which language, how it was changed."""

    of: int
    language: str
    change: str


def words_changed(text: str, chance: random.Random) -> str:
    """Return the text with one word in forty replaced by another of its words, or a changed one."""
    raw = whole = text
    places = [(found.start(), found.end()) for found in _WORD.finditer(text)]
    chosen = sorted(chance.sample(range(len(places)), max(1, round(len(places) / CHANGED))), reverse=True)
    for at in chosen:
        start, end = places[at]
        other = whole[slice(*places[chance.randrange(len(places))])]
        raw = raw[:start] + (other if other != raw[start:end] else "x" + other) + raw[end:]
    return raw


def sentence_dropped(text: str, chance: random.Random) -> str:
    """Return the text without one of its shorter sentences (at most a tenth of it), or without a tenth of its words in a row."""
    short = [found for found in _SENTENCE.finditer(text) if _SHORTEST < len(found[0]) <= len(text) // 10]
    if short:
        found = chance.choice(short)
        return text[: found.start()] + text[found.end() :]
    start = chance.randrange(len(text) * 9 // 10)
    return text[:start] + text[start + len(text) // 15 :]


def form_changed(text: str, chance: random.Random) -> str:
    """Return the text in other case, lines and spaces."""
    folded = text.upper() if chance.randrange(2) and text.upper().lower() == text.lower() else text
    return "  " + re.sub(r"[ \n]", lambda found: chance.choice([" ", "\n", "  ", found[0]]), folded) + "\n"


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "words": words_changed,
    "sentence": sentence_dropped,
    "form": form_changed,
}


def rows(corpus: Path) -> Iterator[dict[str, str]]:
    """Give the records of the corpus."""
    with corpus.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def audited(strings: Strings) -> Audited:
    """Return what the search needs of each text, and nothing else of an audit."""
    counts = counting.count(strings)
    n, none = len(counts.shingles), np.zeros(0, dtype=np.int32)
    small = none.astype(np.uint16)
    return Audited(
        digests(strings),
        counts.bands,
        counts.sketch,
        counts.shingles,
        np.zeros(n, dtype=np.uint16),
        np.zeros(n, dtype=np.uint8),
        np.zeros(n, dtype=np.uint8),
        counts.stats,
        Hits(none, small, none, none, none.astype(np.uint8)),
        Terms(none, small, small, none),
    )


def digests(strings: Strings) -> NDArray[np.uint8]:
    """Return the BLAKE2b-128 of each text."""
    texts = (strings.data[start:end].tobytes() for start, end in pairwise(strings.offsets.tolist()))
    return np.frombuffer(b"".join(blake2b(text, digest_size=16).digest() for text in texts), dtype=np.uint8).reshape(
        -1, 16
    )


def exactly(first: str, second: str) -> float:
    """Return the Jaccard likeness of the sets of five-word sequences."""
    one, two = (
        {tuple(words[at : at + 5]) for at in range(len(words) - 4)}
        for words in (_WORD.findall(text.lower()) for text in (first, second))
    )
    return len(one & two) / max(1, len(one | two))


def share(found: int, of: int) -> str:
    """Return a share with its interval, for the table."""
    interval = wilson(found, of)
    return f"{found / of:.4f} ({interval.low:.4f} to {interval.high:.4f}; {found} of {of})"


def recall(corpus: Path, texts: int, report: Report) -> None:
    """Plant copies, look for them, and hold the pairs found against their exact likeness."""
    chance = random.Random(SEED)  # noqa: S311 - a fixed draw
    by: dict[str, list[str]] = defaultdict(list)
    for row in rows(corpus):
        if not row.get("planted") and len(row["text"].encode()) >= LONG:
            by[row["language"].split("-")[0]].append(row["text"])
    originals: list[str] = []
    planted: list[Planted] = []
    copies: list[str] = []
    for language in sorted(by):
        for text in chance.sample(by[language], min(len(by[language]), texts)):
            for change, make in CHANGES.items():
                planted.append(Planted(len(originals), language, change))
                copies.append(make(text, chance))
            originals.append(text)
    made = audited(lists.words_of([*originals, *copies]))
    parent = grouped(made)
    found: dict[str, list[bool]] = defaultdict(list)
    for at, copy in enumerate(planted):
        hit = parent[len(originals) + at] == parent[copy.of]
        family = copy.language if copy.language in {"zh", "ja", "ko", "th", "hi", "ar", "ru", "en"} else "other"
        names = ["all", f"change: {copy.change}", f"language: {family}"]
        # A few words changed in a short text leave it less alike than 0.7, which is no miss of the search.
        if exactly(originals[copy.of], copies[at]) >= THRESHOLD:
            names += [f"{name}, exact likeness >= {THRESHOLD}" for name in names]
        for name in names:
            found[name].append(bool(hit))
    for name, hits in sorted(found.items()):
        print(f"recall, {name}: {share(sum(hits), len(hits))}")
        bar = 0.97 if name in {"all", "language: zh", "language: ja"} else None
        report.add(f"near copies found, {name}", sum(hits) / len(hits), "share", bar=("at least", bar) if bar else None)
    held_against(made, [*originals, *copies], report)


def verified(made: Audited) -> NDArray[np.uint32]:
    """Return the pairs that the search finds alike, (n, 2), without exact copies."""
    bits = max(1, (len(made.shingles) - 1).bit_length())
    low = np.uint64((1 << bits) - 1)
    pairs = []
    keep = np.flatnonzero(made.shingles > 0)
    for band in range(BANDS):
        packed = (made.bands[keep, band] & ~low) | keep.astype(np.uint64)
        packed.sort()
        found = likeness.meetings(packed, bits, lambda step, at, b=band: made.bands[at, (b + step) % BANDS])  # type: ignore[misc]
        pairs.append(found.pairs)
    all_pairs = np.unique(np.concatenate(pairs))
    first, second = (all_pairs >> np.uint64(32)).astype(np.uint32), all_pairs.astype(np.uint32)
    hold = likeness.agreeing(made.sketch[first], made.sketch[second]) >= likeness.needed(THRESHOLD)
    return np.column_stack((first[hold], second[hold]))


def grouped(made: Audited) -> NDArray[np.uint32]:
    """Return the group of each document."""
    parent = np.arange(len(made.shingles), dtype=np.uint32)
    pairs = verified(made)
    likeness.join(parent, pairs[:, 0], pairs[:, 1])
    return likeness.roots(parent, np.arange(len(parent), dtype=np.uint32))


def held_against(made: Audited, texts: list[str], report: Report) -> None:
    """Tell how alike the pairs found truly are; pairs of one original and its copies are not chosen apart."""
    pairs = verified(made)
    chosen = np.random.default_rng(SEED).permutation(len(pairs))[:4000]
    exact = np.asarray([exactly(texts[pairs[at, 0]], texts[pairs[at, 1]]) for at in chosen])
    for bound in (0.7, 0.6, 0.5):
        print(f"precision, exact likeness >= {bound}: {share(int((exact >= bound).sum()), len(exact))}")
        report.add(f"pairs found whose exact likeness is at least {bound}", float((exact >= bound).mean()), "share")


def cost(corpus: Path, report: Report) -> None:
    """Time the search over a hundredth, a tenth and all of the corpus; memory is that of this process."""
    total = sum(1 for _ in rows(corpus))
    for part in (100, 10, 1):
        with tempfile.TemporaryDirectory() as folder:
            index, first, taking = Index(Path(folder)), 0, 0.0
            source = islice(rows(corpus), total // part)
            size = 0
            while texts := [row["text"] for row in islice(source, 8192)]:
                made = audited(lists.words_of(texts))
                size += int(made.stats[:, STATS.index("bytes")].sum())
                begun = time.process_time()
                index.take(first, made)
                taking += time.process_time() - begun
                first += len(texts)
            begun = time.process_time()
            groups = index.finish()
            spent = time.process_time() - begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{first} documents, {size / 1e6:.0f} MB: take {taking:.2f} s, finish {spent:.2f} s of processor, "
            f"{memory:.0f} MB at most; {groups.exact} exact, {groups.near} near in {groups.near_groups} groups, "
            f"{groups.candidates} pairs compared, {groups.verified} held, {groups.dropped} dropped"
        )
        bar = ("at most", 3.0) if part == 1 else None
        report.add(f"search for copies, {first} documents", spent, "s of processor", bar=bar)  # type: ignore[arg-type]
        report.add(f"writing the index, {first} documents", taking, "s of processor")


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=100, help="texts of each language")
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    report = Report("duplicates_dataset")
    recall(given.corpus, given.texts, report)
    if given.whole:
        cost(given.corpus, report)
    report.write(Path(__file__).parent / "results")


if __name__ == "__main__":
    main()

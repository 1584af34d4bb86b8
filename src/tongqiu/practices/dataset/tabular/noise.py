"""How many labels of a table are surely wrong, and how many may be.

**Contradictions** (:func:`contradictions`): where one and the same content carries different labels, all but one of them
are wrong, as far as the content alone decides the label. Of k labels of one content at least k less the count of the commonest are wrong, whatever is true.
It sees nothing in contents that stand once, nothing where copies were labelled by copying; where a content truly has several labels, or the label also depends
on something that is not in the table, it is the scheme that is at fault and not the labeller.

From the first two labels of each content follows a rate: if copies are labelled independently, each label is wrong with
probability e and wrong labels fall evenly on the other classes, two differ with probability d = 2e(1 - e) + e^2 (K - 2)/(K - 1) for K classes. The
exact interval of d (Clopper and Pearson) is turned into one of e. Copies labelled by copying make it too low.

**Suspects** (:func:`suspects`): labels that a model, trained without them, firmly disagrees with (the counting of confident learning: Northcutt,
Jiang and Chuang, JAIR 70 (2021) 1373, section 3.1: a text counts as class j where its probability of j is at least the mean that
texts labelled j have; the paper was not reached, its rule is given from memory). It sees errors in texts that stand once, and also calls hard or rare texts suspects; it is no count of wrong
labels. Needs scikit-learn (extra ``explain``).

:func:`labels` does both for a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from tongqiu.measure.interval import Interval, clopper_pearson
from tongqiu.practices.dataset.corpus.variety import projection
from tongqiu.practices.dataset.tabular.anonymity import classes as classes_of
from tongqiu.practices.dataset.tabular.bodies import Labels
from tongqiu.practices.dataset.tabular.columns import numbering
from tongqiu.practices.dataset.tabular.leakage import MOST_CLASSES
from tongqiu.scan import personal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tongqiu.practices.dataset.tabular.columns import Column, Frame

FOLDS: Final = 5
"""Parts of which each is judged by a model trained on the others."""

FEWEST: Final = 10
"""Labels that a class must have to be judged by :func:`suspects`."""

DRAWN: Final = 5_000
"""Rows, evenly spaced, that :func:`labels` has judged by :func:`suspects` at the most."""

SHOWN: Final = 20
"""Rows that are named."""

_STEPS: Final = 100


class Contradictions(NamedTuple):
    """``labels`` of ``texts`` that stand more than once; ``contradicted`` of these texts have different labels; at least ``wrong`` of the labels
    are wrong. ``rate`` is the share of wrong labels that follows under the assumptions above, with its 95 % interval; None without texts.
    ``first`` are the first :data:`SHOWN` documents of contradicted texts.
    """

    texts: int
    labels: int
    contradicted: int
    wrong: int
    rate: float | None
    interval: Interval | None
    first: tuple[int, ...] = ()


class Suspects(NamedTuple):
    """``found`` of ``of`` labels a model firmly disagrees with, the share's 95 % interval (of drawing texts, not of the model), which
    they are, and of each the class it would have had.
    """

    found: int
    of: int
    interval: Interval
    texts: tuple[int, ...]
    classes: tuple[int, ...]


def labels(frame: Frame, label: Column) -> Labels | None:
    """Return what the labels of a table say of one another; None where the label has one or more than 100 classes.

    Compared are all columns but the label and those that number their rows (:func:`~tongqiu.practices.dataset.tabular.columns.numbering`), unless they hold
    prose. Rows without a label, or without a value in any compared column, are left out. A model judges the first column of prose.
    """
    if not 1 < label.width <= MOST_CLASSES:
        return None
    others = [column for column in frame.columns if column is not label and column.width > 1]
    compared = [column for column in others if column.prose or not numbering(column)]
    told = Labels(personal.masked(label.name)[:300], len(compared), len(others) - len(compared))
    if not compared:
        return told
    there = np.zeros(frame.rows, dtype=bool)
    for column in compared:
        there |= column.codes >= 0
    given = np.where(there, label.codes, -1)
    found = contradictions(classes_of([column.coded for column in compared], frame.rows).of, given, label.width)
    told = msgspec.structs.replace(
        told,
        sets=found.texts,
        rows=found.labels,
        contradicted=found.contradicted,
        wrong=found.wrong,
        first=tuple(frame.numbers[list(found.first)].tolist()),
    )
    if found.rate is not None and found.interval is not None:
        low, high = min(found.interval.low, found.rate), max(found.interval.high, found.rate)
        told = msgspec.structs.replace(told, rate=found.rate, low=low, high=high)
    return _judged(told, frame, next((column for column in compared if column.prose), None), given)


def _judged(told: Labels, frame: Frame, prose: Column | None, given: NDArray[np.int64]) -> Labels:
    """Return the same with what a model doubts, or why none was asked."""
    if prose is None or prose.words is None:
        return msgspec.structs.replace(told, unjudged="no-prose" if prose is None else "too-much-prose")
    some = np.flatnonzero((given >= 0) & (prose.codes >= 0))
    some = some[np.linspace(0, len(some) - 1, min(DRAWN, len(some))).astype(np.int64)] if len(some) else some
    try:
        doubted = suspects([prose.words[code] for code in prose.codes[some].tolist()], given[some])
    except ImportError:
        return msgspec.structs.replace(told, unjudged="no-library")
    if doubted is None:
        return msgspec.structs.replace(told, unjudged="too-few")
    return msgspec.structs.replace(
        told,
        judged=doubted.of,
        doubted=doubted.found,
        doubted_low=doubted.interval.low,
        doubted_high=doubted.interval.high,
        doubtful=tuple(frame.numbers[some[list(doubted.texts[:SHOWN])]].tolist()),
    )


def contradictions(text: NDArray[np.int64], label: NDArray[np.int64], classes: int) -> Contradictions:
    """Return what the labels of equal texts say.

    ``text`` numbers the text of each document (equal numbers: the same text), ``label`` its class from 0 (below 0: none), of
    ``classes`` classes in all. The first two of a text are those of its first two documents. Raises ValueError for a class that is not there.
    """
    if len(label) and int(label.max()) >= classes:
        raise ValueError(int(label.max()))
    held = label >= 0
    order = np.argsort(text[held], kind="stable")
    number, given = text[held][order], label[held][order]
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, len(number)), dtype=bool), number[1:] != number[:-1])))
    sizes = np.diff(np.append(starts, len(number)))
    starts, sizes = starts[sizes > 1], sizes[sizes > 1]
    texts = len(starts)
    if not texts:
        return Contradictions(0, 0, 0, 0, None, None)
    group = np.repeat(np.arange(texts), sizes)
    at = np.repeat(starts - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes) + np.arange(int(sizes.sum()))
    pairs, counts = np.unique(group * classes + given[at], return_counts=True)
    commonest = np.zeros(texts, dtype=np.int64)
    np.maximum.at(commonest, pairs // classes, counts)
    first = np.sort(np.flatnonzero(held)[order[at]][(commonest < sizes)[group]])[:SHOWN]
    differ = int((given[starts] != given[starts + 1]).sum())
    interval = clopper_pearson(differ, texts)
    return Contradictions(
        texts,
        int(sizes.sum()),
        int((commonest < sizes).sum()),
        int((sizes - commonest).sum()),
        error_rate(differ / texts, classes),
        Interval(
            error_rate(interval.low, classes), error_rate(interval.high, classes), interval.level, interval.method
        ),
        tuple(first.tolist()),
    )


def error_rate(differing: float, classes: int) -> float:
    """Return the rate e at which two independent labels of one text differ with probability ``differing``.

    The smaller root of d = 2e(1 - e) + e^2 (K - 2)/(K - 1), by halving; (K - 1)/K, where labels say nothing, for anything above what can be.
    """
    if classes < 2:  # noqa: PLR2004 - one class cannot differ
        return 0.0
    low, high = 0.0, (classes - 1) / classes
    for _ in range(_STEPS):
        middle = (low + high) / 2
        seen = 2 * middle * (1 - middle) + middle * middle * (classes - 2) / (classes - 1)
        low, high = (middle, high) if seen < differing else (low, middle)
    return low


def suspects(texts: Sequence[str], label: NDArray[np.int64]) -> Suspects | None:
    """Return which labels a logistic regression on character trigrams, trained without them, firmly disagrees with.

    Classes with fewer than ten labels, and documents without one (below 0), are left out; None where fewer than two classes remain. Deterministic:
    document ``i`` is judged in part ``i % 5``. Raises ImportError without scikit-learn.
    """
    from sklearn.linear_model import LogisticRegression

    counts = np.bincount(label[label >= 0], minlength=1)
    kept = np.flatnonzero((label >= 0) & (counts[np.maximum(label, 0)] >= FEWEST))
    known, given = np.unique(label[kept], return_inverse=True)
    if len(known) < 2:  # noqa: PLR2004 - nothing to mix up
        return None
    rows = projection([texts[at] for at in kept.tolist()])
    chance: NDArray[np.float64] = np.zeros((len(kept), len(known)))
    for fold in range(FOLDS):
        judged = np.arange(len(kept)) % FOLDS == fold
        model = LogisticRegression(C=10.0, max_iter=500).fit(rows[~judged], given[~judged])
        chance[np.ix_(judged, model.classes_)] = model.predict_proba(rows[judged])
    confidence = np.asarray([chance[given == each, each].mean() for each in range(len(known))])
    firm = np.where(chance >= confidence, chance, -1.0)
    best = firm.argmax(axis=1)
    doubted = np.flatnonzero((firm.max(axis=1) > 0) & (best != given))
    return Suspects(
        len(doubted),
        len(kept),
        clopper_pearson(len(doubted), len(kept)),
        tuple(kept[doubted].tolist()),
        tuple(known[best[doubted]].tolist()),
    )

"""A table taken in column by column: every value once as text, then as a number that stands for it.

What follows works on whole columns of whole numbers, so that a million rows take a fraction of a second. Text is kept only where a
column repeats itself; long lists of numbers are kept as numbers, and everything else as digests that cannot be read back.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from tongqiu.practices.dataset.column import ABSENT
from tongqiu.practices.dataset.tabular.anonymity import Coded
from tongqiu.practices.dataset.tabular.limits import LIMITS, Limits, over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from tongqiu.scan.rows import Batch

Type = Literal["empty", "boolean", "integer", "number", "date", "instant", "category", "text"]

_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?\Z", re.ASCII).match
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})\Z", re.ASCII).match
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII).match
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", re.ASCII).match
_BOOLEAN = frozenset({"true", "false", "True", "False", "TRUE", "FALSE", "yes", "no", "Yes", "No"})
_MOSTLY = 0.99
"""Share of values of one type from which the others are told as misfits rather than changing the type."""

_NUMBERING = 0.95
"""Share of different values from which a column numbers its rows."""

_FEWEST = 40

_PROSE = 64
"""Mean characters from which the values of a column are texts."""

_WORDS = re.compile(r"\S\s+\S+\s+\S|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{5}").search
"""Three words, or five letters of a script that is written without spaces."""

TRUST = 2e15
"""Numbers beyond this in size are no measurements; they count as misfits among numbers."""


class Column(NamedTuple):
    """One column: ``codes`` (int64, -1 absent) below ``width`` different values, numbered by size where they are numbers and else by text or digest.

    ``numbers`` holds the number of each code (NaN for a misfit), or is None where the column is not of numbers. ``words`` holds the text of each code
    where it was kept. ``misfits`` are rows whose value is of another type than the column; ``rows`` of them first. ``prose``: most
    different values are several words, as texts are and numbers of people or records are not.
    """

    name: str
    type: Type
    codes: NDArray[np.int64]
    width: int
    numbers: NDArray[np.float64] | None
    words: list[str] | None
    misfits: int
    misfit_rows: tuple[int, ...]
    prose: bool = False

    @property
    def absent(self) -> int:
        """Return how many rows have no value."""
        return int((self.codes < 0).sum())

    @property
    def coded(self) -> Coded:
        """Return the column as :mod:`tongqiu.practices.dataset.tabular.anonymity` takes it."""
        return Coded(self.codes, self.width)

    def values(self) -> NDArray[np.float64]:
        """Return the numbers of the rows that have one (float64); empty for a column not of numbers."""
        if self.numbers is None:
            return np.empty(0)
        found = self.numbers[self.codes[self.codes >= 0]]
        return found[~np.isnan(found)]


class Frame(NamedTuple):
    """A table in memory: its columns, its rows, and the number of each row in its file (from 1)."""

    columns: tuple[Column, ...]
    rows: int
    numbers: NDArray[np.int64]
    lost: int

    def column(self, name: str) -> Column | None:
        """Return the column of this name, or None."""
        return next((column for column in self.columns if column.name == name), None)


def number_of(value: str) -> float:
    """Return the number that ``value`` writes, NaN where it writes none (leading zeros are no number: they are a code)."""
    if not _NUMBER(value):
        return float("nan")
    found = float(value)
    return found if abs(found) < TRUST else float("nan")


def digest_of(value: str) -> int:
    """Return 64 bits of BLAKE2b of ``value``, as a signed number; two of a million different values agree with odds of one to 3e7."""
    return int.from_bytes(
        blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little", signed=True
    )


def absent(value: str) -> bool:
    """Return whether ``value`` stands for no value."""
    return value in ABSENT or value.strip() in ABSENT


class _Builder:
    """One column while it is read: coded at first; numbers or digests once it does not repeat itself."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self._limits = limits
        self._codes: dict[str, int] = {}
        self._letters = 0
        self._parts: list[NDArray[np.int64] | NDArray[np.float64]] = []
        self._mode: Literal["coded", "number", "digest"] = "coded"
        self._prose = False

    def take(self, values: Sequence[str]) -> None:
        """Take one batch."""
        if self._mode == "coded":
            self._code(values)
            if len(self._codes) > self._limits.coded or self._letters > self._limits.letters:
                self._turn()
        elif self._mode == "number":
            found = [float("-inf") if value in ABSENT else number_of(value.strip()) for value in values]
            self._parts.append(np.array(found))
        else:
            cache = {value: digest_of(value.strip()) for value in set(values) if not absent(value)}
            self._parts.append(np.array([cache.get(value, _NONE) for value in values], np.int64))

    def _code(self, values: Sequence[str]) -> None:
        codes = self._codes
        for value in set(values):
            if value not in codes:
                if absent(value):
                    codes[value] = -1
                else:
                    codes[value] = len(codes)
                    self._letters += len(value)
        self._parts.append(np.array([codes[value] for value in values], np.int64))

    def _turn(self) -> None:
        """Give up the text of a column that does not repeat itself."""
        present = [value for value, code in self._codes.items() if code >= 0]
        fits = sum(1 for value in present if number_of(value.strip()) == number_of(value.strip()))
        self._mode = "number" if fits >= _MOSTLY * len(present) else "digest"
        top = max(self._codes.values()) + 1
        if self._mode == "number":
            table = np.full(top + 1, float("-inf"))
            for value, code in self._codes.items():
                if code >= 0:
                    table[code] = number_of(value.strip())
            self._parts = [table[part] for part in self._parts]  # code -1 reads the last entry
        else:
            marks = np.full(top + 1, _NONE, np.int64)
            for value, code in self._codes.items():
                if code >= 0:
                    marks[code] = digest_of(value.strip())
            self._parts = [marks[part] for part in self._parts]
            self._prose = _prose(present)
        self._codes = {}

    def column(self, numbers: NDArray[np.int64]) -> Column:
        """Return the column as it was read."""
        if self._mode == "coded":
            return self._coded(numbers)
        whole = np.concatenate(self._parts) if self._parts else np.empty(0)
        self._parts = []
        if self._mode == "number":
            some = np.isfinite(whole)
            found: NDArray[np.float64] = np.unique(whole[some])
            odd = np.isnan(whole)
            codes = np.where(some, np.searchsorted(found, whole), np.where(odd, found.size, -1))
            kind: Type = "integer" if bool(np.all(found % 1 == 0)) else "number"
            places = np.flatnonzero(odd)
            if places.size:
                found = np.append(found, np.nan)
            return Column(
                self.name, kind, codes, found.size, found, None, int(places.size), tuple(numbers[places[:20]].tolist())
            )
        gone = whole == _NONE
        found, of = np.unique(whole, return_inverse=True)
        codes = of.astype(np.int64)
        if gone.any():
            at = int(np.searchsorted(found, _NONE))
            codes = np.where(gone, -1, codes - (codes > at))
            found = np.delete(found, at)
        return Column(self.name, "text", codes, found.size, None, None, 0, (), self._prose)

    def _coded(self, rows: NDArray[np.int64]) -> Column:
        codes: NDArray[np.int64] = (
            np.concatenate(self._parts).astype(np.int64) if self._parts else np.empty(0, np.int64)
        )
        merged: dict[str, list[int]] = {}
        for value, code in self._codes.items():
            if code >= 0:
                merged.setdefault(value.strip(), []).append(code)
        words = sorted(merged)
        counts = np.bincount(codes[codes >= 0], minlength=len(self._codes) + 1)
        weight = {word: int(sum(counts[code] for code in merged[word])) for word in words}
        kind, misfit = _type_of(weight)
        numbers: NDArray[np.float64] | None = None
        if kind in {"integer", "number"}:
            words.sort(
                key=lambda word: (
                    number_of(word) != number_of(word),
                    number_of(word) if word not in misfit else 0.0,
                    word,
                )
            )
            numbers = np.array([number_of(word) for word in words])
        table = np.full(len(self._codes) + 1, -1, np.int64)
        for at, word in enumerate(words):
            table[merged[word]] = at
        codes = np.where(codes < 0, -1, table[codes])
        odd = np.array([at for at, word in enumerate(words) if word in misfit], np.int64)
        places = np.flatnonzero(np.isin(codes, odd)) if odd.size else odd
        first = tuple(rows[places[:20]].tolist())
        prose = kind in {"text", "category"} and _prose(words)
        return Column(self.name, kind, codes, len(words), numbers, words, int(places.size), first, prose)


_NONE = -(1 << 63)


def _prose(values: Sequence[str]) -> bool:
    return 2 * sum(1 for value in values if _WORDS(value)) > len(values)


def _type_of(weight: dict[str, int]) -> tuple[Type, frozenset[str]]:
    """Return the type of a column by its values and how often each stands there, and the values that do not fit it."""
    total = sum(weight.values())
    if not total:
        return "empty", frozenset()
    tests: tuple[tuple[Type, Callable[[str], object]], ...] = (
        ("boolean", _BOOLEAN.__contains__),
        ("integer", lambda word: _INTEGER(word) and number_of(word) == number_of(word)),
        ("number", lambda word: number_of(word) == number_of(word)),
        ("instant", _INSTANT),
        ("date", _DATE),
    )
    for kind, fits in tests:
        odd = {word for word in weight if not fits(word)}
        whole = kind == "integer"
        # A column of fractions is not a column of whole numbers with misfits.
        if sum(weight[word] for word in odd) <= (1 - _MOSTLY) * total and not (
            whole and any(tests[2][1](word) for word in odd)
        ):
            return kind, frozenset(odd)
    mean = sum(len(word) * count for word, count in weight.items()) / total
    return ("text" if mean >= _PROSE else "category"), frozenset()


def read(
    names: Callable[[], Sequence[str]],
    batches: Iterable[Batch],
    *,
    where: str = "",
    limits: Limits = LIMITS,
    look: Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[int]], None] | None = None,
) -> Frame:
    """Return a table whose rows come in ``batches``; ``names`` gives the columns known so far (they may grow).

    ``look`` is called with the names, the columns of each batch and the row numbers, before the text is given up. Raises
    Malformed ``dataset.table-rows``, ``dataset.table-cells``, ``dataset.table-columns``.
    """
    builders: list[_Builder] = []
    rows: list[NDArray[np.int64]] = []
    count = 0
    for batch in batches:
        known = names()
        if len(known) > limits.columns:
            raise over("dataset.table-columns", limits.columns, where)
        size = len(batch.rows)
        while len(builders) < len(known):
            late = _Builder(known[len(builders)], limits)
            for part in rows:
                late.take([""] * part.size)
            builders.append(late)
        count += size
        if count > limits.rows:
            raise over("dataset.table-rows", limits.rows, where)
        if count * len(known) > limits.cells:
            raise over("dataset.table-cells", limits.cells, where)
        width = len(known)
        filled = (
            batch.rows
            if all(len(row) == width for row in batch.rows)
            else [[*row, *[""] * (width - len(row))] for row in batch.rows]
        )
        columns: list[Sequence[str]] = list(zip(*filled, strict=True)) if filled else [()] * width
        numbers = list(batch.numbers)
        if look is not None:
            look(known, columns, numbers)
        for builder, values in zip(builders, columns, strict=True):
            builder.take(values)
        rows.append(np.array(numbers, np.int64))
    builders.extend(_Builder(name, limits) for name in list(names())[len(builders) :])
    whole = np.concatenate(rows) if rows else np.empty(0, np.int64)
    return Frame(tuple(builder.column(whole) for builder in builders), count, whole, 0)


def numbering(column: Column) -> bool:
    """Return whether a column holds a different value in nearly every of at least forty rows, as numbers of people or records do."""
    there = column.codes.size - column.absent
    return there >= _FEWEST and column.width >= _NUMBERING * there and column.type != "number"

"""Watching one column go by: what type it is, what is absent, how many values differ, and what in it points to people.

A batch is first reduced to its different values, so that a column of few values costs little however long it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from tongqiu.practices.dataset.kinds import Column, ColumnType, Identifiers, Number, Secrets
from tongqiu.practices.dataset.sketch import RELATIVE_ERROR, Distinct
from tongqiu.scan import personal, secrets
from tongqiu.scan.languages import Tongue, identify

if TYPE_CHECKING:
    from collections.abc import Sequence

ABSENT = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "#N/A", "<NA>"})
"""What stands for an absent value, after spaces around it are removed."""

_BOOLEAN = frozenset({"true", "false", "True", "False", "TRUE", "FALSE", "yes", "no", "Yes", "No", "YES", "NO"})
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})\Z").match
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})?(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?\Z").match
_DATE = re.compile(r"[0-9]{4}[-/](?:0?[1-9]|1[0-2])[-/](?:0?[1-9]|[12][0-9]|3[01])\Z").match
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?\Z"
).match

_ROWS_KEPT = 5
_SHAPES_KEPT = 3
TEXT_FROM = 20.0
"""Mean characters of a value from which a column holds texts whose language is worth telling."""

_LANGUAGE_STEPS = ((5_000, 1), (50_000, 10), (1 << 62, 100))
"""Every text up to the first bound is looked at for its language, then every tenth, then every hundredth."""

_CATEGORIES = 50
_LARGEST = 1e140


class _Pointed(NamedTuple):
    """One scheme found in the column, before it is put into a record."""

    scheme: str
    sort: str
    country: str
    ground: Literal["checked", "context", "form"]


class _Tally:
    """How often something was found, in which rows first, and what it looks like masked."""

    __slots__ = ("count", "masked", "rows")

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[int] = []
        self.masked: list[str] = []

    def note(self, value: str, count: int, values: Sequence[str], numbers: Sequence[int]) -> None:
        """Count ``value``; look up its row while rows are still kept (the look-up costs a walk over the batch)."""
        self.count += count
        if len(self.rows) < _ROWS_KEPT:
            row = numbers[values.index(value)]
            if row not in self.rows:
                self.rows.append(row)


class ColumnWatch:
    """One column of a table as its rows go by; :meth:`take` a batch at a time, then ask for results."""

    def __init__(self, name: str, *, bound: int) -> None:
        """Watch the column ``name``; ``bound`` limits each of its memories, in entries."""
        self.name = personal.masked(name)[:100]
        self._context = name
        self._bound = bound
        self._rows = 0
        self._missing = 0
        self._characters = 0
        self._distinct = Distinct(bound)
        self._known: dict[str, bool] = {}
        self._digits: dict[int, bool] = {}
        self._could: set[ColumnType] = {"boolean", "integer", "number", "date", "instant"}
        self._moments = (0, 0.0, 0.0)
        self._low, self._high = math.inf, -math.inf
        self._personal: dict[_Pointed, _Tally] = {}
        self._secrets: dict[str, _Tally] = {}
        self._tongues: Counter[tuple[str, str]] = Counter()
        self._texts = 0
        self.looked_at = 0
        """Texts whose language was looked at."""

    @property
    def mean_length(self) -> float:
        """Return the mean characters of the values present."""
        present = self._rows - self._missing
        return self._characters / present if present else 0.0

    @property
    def identifies(self) -> bool:
        """Return whether identifiers of people or secrets were found in the column."""
        return bool(self._personal or self._secrets)

    def take(self, values: Sequence[str], numbers: Sequence[int]) -> None:
        """Take the values of one batch; ``numbers`` are their row numbers."""
        self._rows += len(values)
        counts = Counter(values)
        present: dict[str, int] = {}
        for value, count in counts.items():
            if value in ABSENT or value.strip() in ABSENT:
                self._missing += count
            else:
                present[value] = count
        if not present:
            return
        self._characters += sum(len(value) * count for value, count in present.items())
        fresh = [value for value in present if value not in self._known]
        self._narrow(fresh)
        if "number" in self._could:
            self._add_numbers(present)
        self._look(fresh, present, values, numbers)
        if self.mean_length >= TEXT_FROM and not self._could:
            self._hear(values)

    def column(self) -> Column:
        """Return what is recorded of the column."""
        distinct = self._distinct.count()
        number = Number(distinct.value, distinct.exact, None if distinct.exact else round(RELATIVE_ERROR, 4))
        kind = self._type(distinct.value)
        present = self._rows - self._missing
        plain = Column(self.name, kind, self._missing, number, self._characters)
        # The extremes of a column of long whole numbers that hardly repeat are somebody's number.
        own = kind == "integer" and self._high >= 1e6 and distinct.value * 2 > present  # noqa: PLR2004 - half are different
        if kind not in {"integer", "number"} or self.identifies or own or present < 10:  # noqa: PLR2004 - the smallest cell
            return plain
        count, mean, squares = self._moments
        spread = math.sqrt(squares / (count - 1)) if count > 1 else 0.0
        return Column(self.name, kind, self._missing, number, self._characters, self._low, self._high, mean, spread)

    def personal(self) -> list[Identifiers]:
        """Return the identifiers of people that were found, by scheme."""
        return [
            Identifiers(
                key.scheme,
                key.sort,
                key.country,
                self.name,
                key.ground,
                tally.count,
                tuple(tally.rows),
                tuple(tally.masked),
            )
            for key, tally in sorted(self._personal.items())
        ]

    def secrets(self) -> list[Secrets]:
        """Return the secrets that were found, by sort."""
        return [
            Secrets(sort, self.name, tally.count, tuple(tally.rows)) for sort, tally in sorted(self._secrets.items())
        ]

    def tongues(self) -> Counter[tuple[str, str]]:
        """Return how many texts are in each language and script."""
        return self._tongues

    # --- steps of one batch -------------------------------------------------------------------------------------------

    def _narrow(self, values: list[str]) -> None:
        """Strike the types that one of ``values`` is not of."""
        if "boolean" in self._could and not all(value in _BOOLEAN for value in values):
            self._could.discard("boolean")
        for kind, fits in (("integer", _INTEGER), ("number", _NUMBER), ("date", _DATE), ("instant", _INSTANT)):
            if kind in self._could and not all(map(fits, values)):
                self._could.discard(kind)

    def _add_numbers(self, present: dict[str, int]) -> None:
        """Merge count, mean and sum of squares of a batch (Chan, Golub and LeVeque 1979)."""
        # Beyond this a square leaves the range of numbers; such values are none that were measured.
        pairs = [pair for pair in zip(map(float, present), present.values(), strict=True) if abs(pair[0]) < _LARGEST]
        new = sum(count for _, count in pairs)
        if not new:
            return
        mean = math.fsum(value * count for value, count in pairs) / new
        squares = math.fsum((value - mean) ** 2 * count for value, count in pairs)
        old, old_mean, old_squares = self._moments
        total = old + new
        shift = mean - old_mean
        self._moments = (
            total,
            old_mean + shift * new / total,
            old_squares + squares + shift * shift * old * new / total,
        )
        self._low = min(self._low, min(pairs)[0])
        self._high = max(self._high, max(pairs)[0])

    def _look(self, fresh: list[str], present: dict[str, int], values: Sequence[str], numbers: Sequence[int]) -> None:
        """Look at every different value once: for identifiers, for secrets, for how many differ."""
        self._distinct.add(fresh)
        known = self._known
        if self.identifies:
            for value in [value for value in present if known.get(value)]:
                self._point(value, present[value], values, numbers)
        numeric = "number" in self._could
        for value in fresh:
            found = not (numeric and self._harmless(value)) and self._point(value, present[value], values, numbers)
            if len(known) < self._bound and len(value) <= 64:  # noqa: PLR2004 - short values are what repeats
                known[value] = found

    def _harmless(self, value: str) -> bool:
        """Return whether a number can be no identifier: a fraction, or of a length that none has in this column."""
        if "." in value:
            return True
        size = len(value)
        known = self._digits.get(size)
        if known is None:
            known = self._digits[size] = not personal.number_matters(size, context=self._context)
        return known and value.isdigit()

    def _point(self, value: str, count: int, values: Sequence[str], numbers: Sequence[int]) -> bool:
        """Note what ``value`` holds of people's identifiers and secrets; return whether it holds any."""
        if len(value) < 6:  # noqa: PLR2004 - the shortest identifier
            return False
        hits = personal.scan(value, context=self._context)
        found = secrets.scan(value) if len(value) > 11 else []  # noqa: PLR2004 - the shortest secret
        if not hits and not found:
            return False
        for hit in hits:
            key = _Pointed(hit.scheme, hit.sort, hit.country, hit.ground)
            tally = self._personal.setdefault(key, _Tally())
            tally.note(value, count, values, numbers)
            if len(tally.masked) < _SHAPES_KEPT and hit.masked not in tally.masked:
                tally.masked.append(hit.masked)
        for secret in found:
            self._secrets.setdefault(secret.sort, _Tally()).note(value, count, values, numbers)
        return True

    def _hear(self, values: Sequence[str]) -> None:
        """Tell the language of texts, of all at first and then of some at even distances."""
        for value in values:
            if value in ABSENT:
                continue
            step = next(step for bound, step in _LANGUAGE_STEPS if self._texts < bound)
            if self._texts % step == 0:
                tongue: Tongue = identify(value)
                self._tongues[tongue.language, tongue.script] += 1
                self.looked_at += 1
            self._texts += 1

    def _type(self, distinct: int) -> ColumnType:
        if self._rows == self._missing:
            return "empty"
        for kind in ("boolean", "integer", "number", "instant", "date"):
            if kind in self._could:
                return kind
        return "category" if distinct <= _CATEGORIES and self.mean_length < TEXT_FROM * 2 else "text"

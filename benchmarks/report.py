"""One benchmark's rows: what was achieved, beside the physical limit or the peer measured in the same run."""

from __future__ import annotations

import json
import operator
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

Sense = Literal["at most", "at least"]
_HOLDS = {"at most": operator.le, "at least": operator.ge}


class Row(msgspec.Struct, frozen=True):
    """One measurement: ``achieved`` in ``unit``; the same measure of ``against``; their ratio; the bar, and if it holds.

    ``against`` names the physical limit or the peer and gives its value in the same unit, as in ``{"SQLite": 31000.0}``;
    ``ratio`` is achieved over that value. Without a bar ``holds`` is None: the row informs and passes no judgement.
    """

    measure: str
    achieved: float
    unit: str
    against: dict[str, float] | None
    ratio: float | None
    bar: str | None
    holds: bool | None


class Report:
    """Collects the rows of one benchmark as they are measured."""

    def __init__(self, name: str) -> None:
        """Start the empty report of the benchmark ``name``."""
        self.name = name
        self.rows: list[Row] = []

    def add(
        self,
        measure: str,
        achieved: float,
        unit: str,
        *,
        against: tuple[str, float] | None = None,
        bar: tuple[Sense, float] | None = None,
    ) -> Row:
        """Add one row. ``against`` is (name, value in the same unit); ``bar`` is ("at most" | "at least", value)."""
        row = Row(
            measure=measure,
            achieved=achieved,
            unit=unit,
            against=None if against is None else {against[0]: against[1]},
            ratio=None if against is None or against[1] == 0 else achieved / against[1],
            bar=None if bar is None else f"{bar[0]} {bar[1]:g} {unit}",
            holds=None if bar is None else bool(_HOLDS[bar[0]](achieved, bar[1])),
        )
        self.rows.append(row)
        return row

    @property
    def holds(self) -> bool:
        """Say whether every bar holds."""
        return all(row.holds is not False for row in self.rows)

    def table(self) -> str:
        """Return the rows as a table for a terminal."""
        cells = [("measure", "achieved", "unit", "against", "ratio", "bar", "holds")]
        for row in self.rows:
            against = "; ".join(f"{name} {_figure(value)}" for name, value in (row.against or {}).items())
            ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
            holds = {True: "yes", False: "NO", None: ""}[row.holds]
            cells.append((row.measure, _figure(row.achieved), row.unit, against, ratio, row.bar or "", holds))
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
        ]
        return "\n".join([lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])

    def write(self, folder: Path) -> Path:
        """Write ``NAME.json`` into ``folder`` with the rows, the moment and the machine; return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {
            "benchmark": self.name,
            "measured": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "machine": {
                "python": platform.python_version(),
                "system": f"{platform.system()} {platform.machine()}",
                "cores": _cores(),
            },
            "rows": [msgspec.to_builtins(row) for row in self.rows],
        }
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return path


def _figure(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 10_000 else f"{value:.4g}"  # noqa: PLR2004 - shown whole


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""Reading a Parquet table in slices, when the optional engine for it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tongqiu.scan.rows import Batch, text_of
from tongqiu.scan.streams import Limits, bad

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS = 16_384


class Parquet:
    """Rows of a Parquet file as text, ``_ROWS`` at a time."""

    def __init__(self, source: Path | BinaryIO, *, where: str, limits: Limits) -> None:
        """Read the schema. Raises Missing ``table.parquet-extra``, Malformed ``table.parquet`` or ``table.columns``."""
        try:
            import polars
        except ImportError as error:
            raise bad("table.parquet-extra", where) from error
        self._where = where
        self._faults = (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError, ValueError)
        self.read = 0
        self._size = source.stat().st_size if isinstance(source, Path) else 0
        try:
            self._frame = polars.scan_parquet(source)
            self.columns = self._frame.collect_schema().names()
            self._height = int(self._frame.select(polars.len()).collect().item())
        except self._faults as error:
            raise bad("table.parquet", where) from error
        if len(self.columns) > limits.columns:
            raise bad("table.columns", where, limit=limits.columns)
        if not self.columns:
            raise bad("table.empty", where)

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in slices. Raises Malformed ``table.parquet`` where the file lies about itself."""
        for start in range(0, self._height, _ROWS):
            try:
                part = self._frame.slice(start, _ROWS).collect().rows()
            except self._faults as error:
                raise bad("table.parquet", self._where) from error
            done = start + len(part)
            self.read = self._size * done // self._height
            yield Batch(range(start + 1, done + 1), [[text_of(value) for value in row] for row in part])

"""The check of a table: read once, column by column, then weighed against what its owner declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.practice import Run, Target
from tongqiu.practices.dataset.tabular.bodies import Seen, Table
from tongqiu.practices.dataset.tabular.columns import Column, Frame, numbering, read
from tongqiu.practices.dataset.tabular.constraints import MOST_BYTES, Checker, Constraints, keys_of, parsed
from tongqiu.practices.dataset.tabular.drift import versions
from tongqiu.practices.dataset.tabular.groups import gaps, makeup, points_to_people
from tongqiu.practices.dataset.tabular.hiding import anonymity
from tongqiu.practices.dataset.tabular.kinds import METHOD, TABLE
from tongqiu.practices.dataset.tabular.leakage import telling
from tongqiu.practices.dataset.tabular.noise import labels
from tongqiu.practices.dataset.tabular.outliers import outliers
from tongqiu.practices.dataset.tabular.params import TableParams
from tongqiu.practices.dataset.tabular.sources import ENDINGS, opened
from tongqiu.record.faults import Missing
from tongqiu.record.statement import Said
from tongqiu.record.text import Text
from tongqiu.scan import personal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tongqiu.practice import World
    from tongqiu.record.subject import Subject

TEXTS = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
"""Files that mostly hold running text; they are looked at as tables only where something of a table is declared."""

_TOLD = 300
"""Columns that are told one by one."""


def plan(target: Target) -> Iterator[Run]:
    """Plan one run for a data set whose path is a table; JSON lines only where a column or constraint is declared."""
    if target.subject.type != "dataset" or target.path is None:
        return
    names = set(TableParams.__struct_fields__) - {"path"}
    declared: dict[str, Any] = {
        key: value for key, value in target.declared.items() if key in names and value is not None
    }
    params = msgspec.convert({"path": target.path} | declared, TableParams)
    lower = target.path.lower()
    said = params.label or params.sensitive or params.quasi or params.constraints or params.previous
    if not (lower.endswith(ENDINGS) or params.table) or (lower.endswith(TEXTS) and not said):
        return
    others = (params.constraints, params.previous, *params.related)
    yield Run(target.subject, params, (target.path, *(path for path in others if path)))


def observe(subject: Subject, params: TableParams, world: World) -> Iterable[Said]:
    """Hand back what holds of the table.

    Raises what :func:`tongqiu.practices.dataset.tabular.sources.opened` and
    :func:`tongqiu.practices.dataset.tabular.constraints.parsed` raise, and Missing ``dataset.column`` for a declared column that is not there.
    """
    constraints = _constraints(params, world)
    checker = Checker(constraints, _related(params, constraints, world)) if constraints is not None else None
    frame, form = _read(params.path, params, world, checker.look if checker else None)
    label = _named(frame, params.label) if params.label else None
    sensitive = [_named(frame, name) for name in params.sensitive]
    quasi = [_named(frame, name) for name in params.quasi]
    tested = checker.results() if checker else ()
    before = _read(params.previous, params, world, None)[0] if params.previous else None
    population = constraints.population if constraints else {}
    source = constraints.source if constraints else ""
    roles = [*((column, "sensitive") for column in sensitive), *([(label, "label")] if label else [])]
    yield Said(
        TABLE.name,
        subject,
        Table(
            personal.masked(params.path)[:300],
            form,
            frame.rows,
            frame.lost,
            tuple(seen(column, frame.rows) for column in frame.columns[:_TOLD]),
            METHOD,
            tested,
            len(tested),
            tuple(
                far
                for column in frame.columns[:_TOLD]
                if (far := outliers(frame, column)) and (far.inner or far.deviating)
            ),
            personal.masked(label.name)[:300] if label else "",
            telling(frame, label)[:_TOLD] if label else (),
            tuple(makeup(column, role, population.get(column.name, {}), source) for column, role in roles),  # type: ignore[arg-type]
            gaps(frame, sensitive),
            versions(before, frame) if before is not None else None,
            anonymity(quasi, sensitive, frame.rows),
            max(0, len(frame.columns) - _TOLD),
            labels(frame, label) if label else None,
        ),
    )


def seen(column: Column, rows: int) -> Seen:
    """Return what is told of a column by itself."""
    there = rows - column.absent
    return Seen(
        personal.masked(column.name)[:300],
        column.type,
        column.absent,
        column.width,
        column.misfits,
        column.misfit_rows,
        column.width == 1 and there > 1,
        numbering(column),
        points_to_people(column),
    )


def _read(
    path: str,
    params: TableParams,
    world: World,
    look: Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[int]], None] | None,
) -> tuple[Frame, str]:
    place = world.tree.locate(path)
    size = place.stat().st_size
    with opened(place, name=path, table=params.table, encoding=params.encoding) as source:

        def batches() -> Iterator[Any]:
            for batch in source.batches:
                yield batch
                world.progress(min(source.done(), size), size)

        frame = read(source.names, batches(), where=path, look=look)
        return frame._replace(lost=source.lost()), source.format


def _constraints(params: TableParams, world: World) -> Constraints | None:
    if params.constraints is None:
        return None
    with world.tree.open(params.constraints) as stream:
        return parsed(stream.read(MOST_BYTES + 1), params.constraints)


def _related(params: TableParams, constraints: Constraints | None, world: World) -> dict[str, set[int]]:
    """Return the values that foreign keys may have, by the path in the constraint."""
    found: dict[str, set[int]] = {}
    for key in constraints.foreign_key if constraints else ():
        path = next((path for path in params.related if key.path in {path, _stem(path)}), None)
        if not key.path or path is None:
            continue
        known = found.setdefault(key.path, set())
        place = world.tree.locate(path)
        with opened(place, name=path, encoding=params.encoding) as source:
            for batch in source.batches:
                names = list(source.names())
                for name in key.to:
                    if name not in names:
                        raise _missing(name, path)
                at = [names.index(name) for name in key.to]
                keys_of([[row[place] if place < len(row) else "" for row in batch.rows] for place in at], known)
    return found


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _named(frame: Frame, name: str) -> Column:
    column = frame.column(name)
    if column is None:
        raise _missing(name, "")
    return column


def _missing(name: str, where: str) -> Missing:
    return Missing(
        "dataset.column",
        Text(en="There is no column {name}.", zh="没有名为 {name} 的列。"),
        do=Text(en="Name columns as they stand in the table.", zh="请按表格中的写法填写列名。"),
        where=where,
        name=personal.masked(name)[:100],
    )

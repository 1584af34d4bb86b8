"""Registries: rows folded from the log, shown to each reader as far as that reader may see.

The audience is applied before anything else sees a table: a query, a count and a search are handed tables in which every
row that the principal may not read is already gone, and in which the newest of the *readable* rows of a key is current.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from tongqiu.practice import Query, Table, View, load
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text
from tongqiu.store import schema, search
from tongqiu.store.fold import Target, advance
from tongqiu.store.rows import listed
from tongqiu.store.shape import BUILDING, SEARCH, given_value, given_words, shape_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tongqiu.practice import Column
    from tongqiu.record.audience import Principal
    from tongqiu.store.audiences import Audiences
    from tongqiu.store.database import Database


WALK = 1000
"""How many rows of a registry are looked at for one page of its newest, however many there are."""

_STRETCH = 500
_WHOLE = "registries_whole"
"""A table of one row that is lost with the registries, and only with them."""


class Problem(NamedTuple):
    """An entry that a registry could not take in: its index in the log, and why."""

    at: int
    code: str
    what: Text


class Newest(NamedTuple):
    """One page of rows, newest first: log index, entry and values of each by column; ``below`` is where the next page
    begins, None at the end.
    """

    rows: tuple[tuple[int, str, dict[str, Any]], ...]
    below: int | None


class Registry:
    """The registries of a set of views over one store."""

    def __init__(self, database: Database, audiences: Audiences, views: Sequence[View]) -> None:
        """Make a table for each view that has none; one whose definition changed begins anew.

        Raises Malformed (``practice.view``) for a view that cannot be a table or two that would share one.
        """
        self._database = database
        self._audiences = audiences
        self._targets: dict[str, Target] = {}
        self._retired = False
        taken: set[str] = set()
        for view in views:
            table = table_of(view)
            if view.name in self._targets or table.name in taken:
                raise Malformed(
                    "practice.view",
                    Text(en="Two registries are called {view}.", zh="有两个名录同名：{view}。"),
                    do=Text(en="Rename one of them, or remove a practice.", zh="请为其一改名，或移除一个领域。"),
                    view=view.name,
                )
            taken.add(table.name)
            self._targets[view.name] = Target(view, table)
        self._prepare()

    # --- folding ----------------------------------------------------------------------------------------------------

    def catch_up(self) -> int:
        """Fold what was logged since the last time; return how many entries were passed.

        Idempotent; any process may do it at any time, and each piece is written together with its position.
        """
        if not self._database.sqlite:
            # The server may have crashed and come back under us, without its registries.
            self._prepare()
        passed = advance(self._database, list(self._targets.values()))
        if not self._retired:
            self._retire()
            self._retired = True
        return passed

    def rebuild(self, view: str | None = None) -> None:
        """Build one registry, or all, from the log beside the live one, and put it in its place in one transaction."""
        for target in [self._target(view)] if view is not None else list(self._targets.values()):
            self._rebuild(target)

    def digest(self, view: str) -> str:
        """Return ``sha-256:<hex>`` over every row of a view, those of all audiences, ordered by key and log index."""
        table = self._target(view).table
        state = hashlib.sha256()
        ordered = sa.select(table).order_by(table.c["_key"], table.c["_seq"])
        with self._database.read() as connection:
            options = connection.execution_options(stream_results=True, yield_per=1024)
            for row in options.execute(ordered):
                state.update(msgspec.json.encode([bytes(row[0]).hex(), *row[1:]], order="deterministic") + b"\n")
        return "sha-256:" + state.hexdigest()

    def position(self, view: str) -> int:
        """Return the index of the last entry that was folded into a view; -1 for none."""
        name = self._target(view).table.name
        with self._database.read() as connection:
            return int(
                connection.execute(sa.select(schema.view.c.position).where(schema.view.c.tbl == name)).scalar_one()
            )

    def problems(self, view: str) -> list[Problem]:
        """Return the entries that a view could not take in, in order of the log. For the node's own operator."""
        found = schema.problem.c
        wanted = sa.select(schema.problem).where(found.tbl == self._target(view).table.name).order_by(found.idx)
        with self._database.read() as connection:
            return [
                Problem(each.idx, each.code, Text(en=each.what_en, zh=each.what_zh))
                for each in connection.execute(wanted)
            ]

    # --- asking -----------------------------------------------------------------------------------------------------

    def select(  # noqa: PLR0913 - what is asked, by whom, when, and which page of it
        self,
        query: Query | View | str,
        params: Any = None,  # noqa: ANN401 - the query's own parameters
        *,
        principal: Principal,
        now: str,
        limit: int = 100,
        offset: int = 0,
        order: str | Sequence[str] = (),
    ) -> Table:
        """Return one page of rows as ``principal`` may see them at ``now``, and how many there are in all.

        A view (by value or name) takes a mapping of column to value, all of which must hold, and ``q``, a text to be found
        in any of its searched columns. ``order`` names columns, with ``-`` before a name for descending; without it the
        query's own order stands, and a view's key. Raises Missing (``registry.none``), Malformed (``query.*``).
        """
        if isinstance(query, Query):
            columns = query.columns
            tables = {name: self._seen(self._target(name), principal, now) for name in query.over}
            selected = load(query.select)(tables, query.params() if params is None else params)
            if len(selected.selected_columns) != len(columns):
                raise _bad("columns", query.name)
        else:
            target = self._target(query.name if isinstance(query, View) else query)
            columns = target.view.columns
            selected = _implicit(target.view, self._seen(target, principal, now), params or {})
        inner = selected.order_by(None).subquery() if order else None
        page = selected
        if inner is not None:
            page = sa.select(inner).order_by(*_ordered(columns, inner, [order] if isinstance(order, str) else order))
        counted = sa.select(sa.func.count()).select_from(selected.order_by(None).subquery())
        with self._database.read() as connection:
            total = int(connection.execute(counted).scalar_one())
            found = connection.execute(page.limit(max(limit, 0)).offset(max(offset, 0)))
            return Table(columns, tuple(tuple(row) for row in found), total)

    def newest(  # noqa: PLR0913 - what is asked, by whom, when, and which page of it
        self,
        view: str,
        *,
        principal: Principal,
        now: str,
        below: int | None = None,
        above: int = -1,
        limit: int = 50,
        words: str | None = None,
    ) -> Newest:
        """Return current rows of a view that ``principal`` may read, newest first, with a bounded amount of work.

        Only rows from statements between the log indices ``above`` and ``below`` (both exclusive); with ``words`` only those
        that hold all of them, through the index of a view that ``finds``. At most :data:`WALK` readable rows are looked at: a
        page may be short, and still not be the last. Rows of one statement are never parted. Raises Missing (``registry.none``).
        """
        target = self._target(view)
        wanted = None if words is None else search.asked(words)
        if wanted == ():
            return Newest((), None)
        table, names = target.table, [column.name for column in target.view.columns]
        readable = listed(self._audiences.visible(principal, now), self._database.engine.dialect.name)
        later = table.alias()
        replaced = sa.exists().where(
            later.c["_key"] == table.c["_key"], later.c["_seq"] > table.c["_seq"], later.c["_aud"].in_(readable)
        )
        columns = [table.c[name] for name in ("_seq", "_entry", *names)]
        # What may not be read is left out here, before anything is counted: it must not make a page short.
        ordered = (
            sa.select(*columns, sa.or_(table.c["_drop"], replaced).label("_past"))
            .where(table.c["_aud"].in_(readable))
            .order_by(table.c["_seq"].desc(), table.c["_key"])
        )
        found: list[tuple[int, str, dict[str, Any]]] = []
        seen, last, stretch = 0, (1 << 62) if below is None else below, min(_STRETCH, limit * 2)
        with self._database.read() as connection:
            token = self._token(connection, target)
            while seen < WALK:
                if wanted is None:
                    within = sa.and_(table.c["_seq"] < last, table.c["_seq"] > above)
                    rows = _whole(connection.execute(ordered.where(within).limit(stretch)).all(), stretch)
                    bottom = rows[-1][0] if rows else None
                else:
                    hits = search.matching(connection, table, token, wanted, last, stretch)
                    rows = connection.execute(ordered.where(table.c["_seq"].in_(hits))).all() if hits else []
                    bottom = hits[-1] if hits else None
                    stretch = min(stretch * 4, _STRETCH * 16)
                for row in rows:
                    if len(found) >= limit and row[0] != found[-1][0]:
                        return Newest(tuple(found), found[-1][0])
                    seen += 1
                    if not row[-1]:
                        found.append((row[0], row[1], dict(zip(names, row[2:-1], strict=True))))
                if bottom is None:
                    return Newest(tuple(found), None)
                last = bottom
        return Newest(tuple(found), last)

    def count(self, view: str, *, principal: Principal, now: str, above: int = -1, most: int = 1000) -> int:
        """Return how many current rows of a view ``principal`` may read, at most ``most`` + 1, with bounded work."""
        target = self._target(view)
        readable = listed(self._audiences.visible(principal, now), self._database.engine.dialect.name)
        table = target.table
        columns = [table.c[name] for name in ("_key", "_seq", "_drop")]
        stretch = sa.select(*columns).where(table.c["_aud"].in_(readable), table.c["_seq"] > above)
        newest = stretch.order_by(table.c["_seq"].desc()).limit(WALK).subquery()
        later = table.alias()
        replaced = sa.exists().where(
            later.c["_key"] == newest.c["_key"], later.c["_seq"] > newest.c["_seq"], later.c["_aud"].in_(readable)
        )
        chosen = sa.select(sa.literal(1)).where(newest.c["_drop"].is_(False), ~replaced).limit(most + 1).subquery()
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(chosen)).scalar_one())

    def at(self, view: str, indices: Sequence[int], *, principal: Principal, now: str) -> dict[int, dict[str, Any]]:
        """Return the current rows of a view with one row a statement, by log index, as far as ``principal`` may read."""
        target = self._target(view)
        readable = listed(self._audiences.visible(principal, now), self._database.engine.dialect.name)
        table, names = target.table, [column.name for column in target.view.columns]
        wanted = sa.select(table.c["_seq"], *(table.c[name] for name in names)).where(
            table.c["_seq"].in_(list(indices)), table.c["_aud"].in_(readable), table.c["_drop"].is_(False)
        )
        with self._database.read() as connection:
            return {row[0]: dict(zip(names, row[1:], strict=True)) for row in connection.execute(wanted)}

    def _token(self, connection: sa.Connection, target: Target) -> str:
        named = sa.select(schema.view.c.token).where(schema.view.c.tbl == target.table.name)
        return str(connection.execute(named).scalar_one())

    def _seen(self, target: Target, principal: Principal, now: str) -> sa.Subquery:
        """Return a view's table as ``principal`` sees it: the last readable row of each key, if that is no removal."""
        dialect = self._database.engine.dialect.name
        readable = listed(self._audiences.visible(principal, now), dialect)
        table, later = target.table.alias(), target.table.alias()
        replaced = sa.exists().where(
            later.c["_key"] == table.c["_key"], later.c["_seq"] > table.c["_seq"], later.c["_aud"].in_(readable)
        )
        names = ["_seq", "_entry", *(column.name for column in target.view.columns)]
        return (
            sa.select(*(table.c[name] for name in names))
            .where(table.c["_aud"].in_(readable), table.c["_drop"].is_(False), ~replaced)
            .subquery(target.table.name)
        )

    # --- tables -----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Make missing and changed tables, looking first without a lock."""
        with self._database.read() as connection:
            done = not self._unfit(connection) and not _emptied(connection)
        if not done:
            with self._database.write() as connection:
                if _emptied(connection):
                    for name in connection.execute(sa.select(schema.view.c.tbl)).scalars().all():
                        _drop(connection, name)
                    connection.exec_driver_sql(f"CREATE UNLOGGED TABLE IF NOT EXISTS {_WHOLE} (one integer)")
                    connection.exec_driver_sql(f"INSERT INTO {_WHOLE} VALUES (1)")  # noqa: S608 - own name
                for target in self._unfit(connection):
                    _drop(connection, target.table.name)
                    _create(connection, target.view, live=True)

    def _unfit(self, connection: sa.Connection) -> list[Target]:
        shapes = {each.tbl: each.shape for each in connection.execute(sa.select(schema.view))}
        return [each for each in self._targets.values() if shapes.get(each.table.name) != shape_of(each.view)]

    def _retire(self) -> None:
        """Drop the tables of earlier versions of these views."""
        catalog = schema.view.c
        older = sa.select(catalog.tbl).where(
            sa.or_(
                sa.false(),
                *(
                    sa.and_(catalog.name == each.view.name, catalog.version < each.view.version)
                    for each in self._targets.values()
                ),
            )
        )
        with self._database.read() as connection:
            names = connection.execute(older).scalars().all()
        if names:
            with self._database.write() as connection:
                for name in connection.execute(older).scalars().all():
                    _drop(connection, name)

    def _rebuild(self, target: Target) -> None:
        live = target.table.name
        with self._database.write() as connection:
            _drop(connection, live + BUILDING)
            building = Target(target.view, _create(connection, target.view, live=False))
        catalog = schema.view
        while True:
            advance(self._database, [building])
            with self._database.write() as connection:
                places = {each.tbl: each for each in connection.execute(sa.select(catalog))}
                new, old = places.get(building.table.name), places.get(live)
                if new is None:
                    # Another rebuild began after this one and took its place, or has already finished.
                    return
                if old is not None and new.position < old.position:
                    continue
                _drop(connection, live)
                quote = connection.dialect.identifier_preparer.quote
                connection.exec_driver_sql(f"ALTER TABLE {quote(building.table.name)} RENAME TO {quote(live)}")
                for table in (catalog, schema.problem):
                    renamed = sa.update(table).where(table.c.tbl == building.table.name)
                    connection.execute(renamed.values(tbl=live))
                connection.execute(sa.update(catalog).where(catalog.c.tbl == live).values(live=True))
                return

    def _target(self, name: str) -> Target:
        try:
            return self._targets[name]
        except KeyError:
            raise Missing(
                "registry.none",
                Text(en="There is no registry {name}.", zh="没有名录 {name}。"),
                do=Text(en="Name one of: {names}.", zh="请从中指定：{names}。"),
                name=name[:80],
                names=", ".join(sorted(self._targets)),
            ) from None


def _create(connection: sa.Connection, view: View, *, live: bool) -> sa.Table:
    token = secrets.token_hex(8)
    table = table_of(view, building=not live, token=token, unlogged=connection.dialect.name != "sqlite")
    table.create(connection)
    search.attach(connection, view, table, token)
    connection.execute(
        sa.insert(schema.view).values(
            tbl=table.name,
            name=view.name,
            version=view.version,
            shape=shape_of(view),
            position=-1,
            token=token,
            live=live,
        )
    )
    return table


def _emptied(connection: sa.Connection) -> bool:
    """Tell whether the server has lost every registry, as it does with unlogged tables when it crashes.

    Registries are in clear. A PostgreSQL server therefore never writes them to its log, which goes to archives and
    replicas, nor into a base backup; what it loses of them is folded again.
    """
    if connection.dialect.name == "sqlite":
        return False
    if not sa.inspect(connection).has_table(_WHOLE):
        return True
    return connection.exec_driver_sql(f"SELECT one FROM {_WHOLE}").first() is None  # noqa: S608 - own name


def _drop(connection: sa.Connection, name: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quote(name)}")
    for token in connection.execute(sa.select(schema.view.c.token).where(schema.view.c.tbl == name)).scalars().all():
        search.detach(connection, token)
    for table in (schema.view, schema.problem):
        connection.execute(sa.delete(table).where(table.c.tbl == name))


def _whole(rows: Sequence[Any], limit: int) -> Sequence[Any]:
    """Leave out a last statement of whose rows some may be missing, because a stretch of ``limit`` rows ended there."""
    if len(rows) < limit or rows[0][0] == rows[-1][0]:
        return rows
    return [row for row in rows if row[0] != rows[-1][0]]


def _implicit(view: View, seen: sa.Subquery, params: Mapping[str, object]) -> sa.Select[Any]:
    """Return the rows of a view where every given column has the given value and the searched text is found."""
    columns = {column.name: column for column in view.columns}
    selected = sa.select(*(seen.c[name] for name in columns)).order_by(*(seen.c[name] for name in view.key))
    for name, value in params.items():
        if name == SEARCH:
            searched = [seen.c[column.name] for column in view.columns if column.searched]
            if words := given_words(value):
                found: Iterable[sa.ColumnElement[bool]] = (each.icontains(words, autoescape=True) for each in searched)
                selected = selected.where(sa.or_(sa.false(), *found))
        elif name not in columns:
            raise _bad("column", name)
        else:
            selected = selected.where(seen.c[name] == given_value(columns[name], value))
    return selected


def _ordered(columns: Sequence[Column], inner: sa.Subquery, order: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    found = {column.name: each for column, each in zip(columns, inner.c, strict=True) if column.type != "json"}
    asked = {each.removeprefix("-"): each.startswith("-") for each in order}
    # The other columns last, so that no row is on two pages.
    chosen = asked | {name: False for name in found if name not in asked}
    for name in chosen:
        if name not in found:
            raise _bad("order", name)
    return [
        found[name].desc().nulls_last() if down else found[name].asc().nulls_first() for name, down in chosen.items()
    ]


def _bad(part: str, name: str) -> Malformed:
    return Malformed(
        f"query.{part}",
        Text(en="The question does not fit the registry: {name}.", zh="查询与名录不符：{name}。"),
        do=Text(en="Use the columns that the registry has.", zh="请使用名录所具有的列。"),
        name=name[:80],
    )

"""Finding records by words, in any language, and never a word of one that the reader may not read.

The words of a registry's row stand in one column, cut by :func:`words_of`: Latin and the like as whole words, Chinese,
Japanese and Korean as every two neighbouring characters (a search for two characters, which four of five Chinese searches
are, finds nothing in an index of longer pieces). SQLite indexes them with FTS5 beside the registry's table in the
same transactions; PostgreSQL with an index over the words themselves. Results come newest first: a weighing by how rare
a word is would tell of records that the reader may not see.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tongqiu.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tongqiu.practice import View

MOST_WORDS = 12
"""How many words of a search are looked for."""
MOST_CHARS = 200
"""How many characters of a search are read."""

WORDS = "words"
"""The column of a view that ``finds``."""

_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0003ffff"
)
_PIECES = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")
_LONGEST = 64


def words_of(text: str) -> str:
    """Return the distinct words of ``text`` in order, apart by spaces, as they are indexed."""
    return " ".join(dict.fromkeys(_cut(text)))


def asked(text: str) -> tuple[str, ...]:
    """Return the words that a search looks for, all of which must be there; none where it holds no word at all."""
    return tuple(dict.fromkeys(_cut(text[:MOST_CHARS], single=False)))[:MOST_WORDS]


def _cut(text: str, *, single: bool = True) -> Iterator[str]:
    """Yield words; CJK as pairs, and in an index (``single``) also each character, so that one alone is found."""
    for piece in _PIECES.findall(unicodedata.normalize("NFKC", text).casefold()):
        if not _IS_CJK.match(piece):
            yield piece[:_LONGEST]
        elif len(piece) == 1:
            yield piece
        else:
            if single:
                yield from piece
            yield from (piece[at : at + 2] for at in range(len(piece) - 1))


def matching(  # noqa: PLR0913 - where, what, and which stretch of it
    connection: sa.Connection, table: sa.Table, token: str, words: tuple[str, ...], below: int, limit: int
) -> list[int]:
    """Return up to ``limit`` log indices below ``below``, newest first, of rows that hold all ``words``.

    The last word may be only begun. Whoever may read the rows is not asked here.
    """
    if connection.dialect.name == "sqlite":
        index = _index(token)
        quoted = [f'"{each}"' for each in words]
        if not _IS_CJK.match(words[-1]):
            quoted[-1] += "*"
        # The index is walked from its end: no more is read than is asked for.
        sql = f"SELECT rowid FROM {index} WHERE {index} MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"  # noqa: S608 - own names
        found = connection.exec_driver_sql(sql, (" ".join(quoted), below, limit))
        return [int(each[0]) for each in found]
    from sqlalchemy.dialects.postgresql import ARRAY

    held = sa.cast(sa.func.string_to_array(table.c[WORDS], " "), ARRAY(sa.Text))
    wanted = held.contains(sa.cast(list(words), ARRAY(sa.Text)))
    selected = sa.select(table.c["_seq"]).where(wanted, table.c["_seq"] < below)
    return list(connection.execute(selected.order_by(table.c["_seq"].desc()).limit(limit)).scalars())


def attach(connection: sa.Connection, view: View, table: sa.Table, token: str) -> None:
    """Make the index of a new table, where its view has words to be found."""
    if not view.finds:
        return
    index = _index(token)
    if connection.dialect.name != "sqlite":
        name = connection.dialect.identifier_preparer.quote(table.name)
        connection.exec_driver_sql(f"CREATE INDEX {index} ON {name} USING gin (string_to_array({WORDS}, ' '))")
        return
    connection.exec_driver_sql(
        # The plainest tokeniser there is takes whatever stands between two spaces: our words are cut already.
        f"CREATE VIRTUAL TABLE {index} USING fts5({WORDS}, content='', detail='none', columnsize=0, tokenize='ascii')"
    )


def put(connection: sa.Connection, token: str, rows: Iterable[tuple[int, str | None]]) -> None:
    """Index rows that were just written, each by its log index and words; in the same transaction."""
    given = [(at, words) for at, words in rows if words]
    if given and connection.dialect.name == "sqlite":
        sql = f"INSERT INTO {_index(token)}(rowid, {WORDS}) VALUES (?, ?)"  # noqa: S608 - own names
        connection.exec_driver_sql(sql, given)


def forget(connection: sa.Connection, indices: Sequence[int]) -> None:
    """Take the rows of these entries out of every index; before they leave their tables, and in the same transaction.

    An index without its own copy of the words must be told them again to forget them.
    """
    for name, index in _indexed(connection):
        seq: sa.ColumnClause[int] = sa.column("_seq")
        words: sa.ColumnClause[str] = sa.column(WORDS)
        kept = sa.select(seq, words).select_from(sa.table(name)).where(seq.in_(indices), words.is_not(None))
        given = [tuple(each) for each in connection.execute(kept)]
        if given:
            sql = f"INSERT INTO {index}({index}, rowid, {WORDS}) VALUES ('delete', ?, ?)"  # noqa: S608 - own names
            connection.exec_driver_sql(sql, given)


def detach(connection: sa.Connection, token: str) -> None:
    """Drop the index of a table that is dropped; PostgreSQL drops it with the table."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_index(token)}")


def scrub(connection: sa.Connection) -> None:
    """Rewrite every index so that nothing of a row that was deleted is left in it; a part of erasing."""
    for _, index in _indexed(connection):
        connection.exec_driver_sql(f"INSERT INTO {index}({index}) VALUES ('optimize')")  # noqa: S608 - own names


def _indexed(connection: sa.Connection) -> list[tuple[str, str]]:
    """Return table and index of every registry that has an index of its own beside it: none in PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return []
    made = sa.text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE found_%'")
    held = set(connection.execute(made).scalars())
    tables = connection.execute(sa.select(schema.view.c.tbl, schema.view.c.token)).all()
    return [(each.tbl, _index(each.token)) for each in tables if _index(each.token) in held]


def _index(token: str) -> str:
    """Return the name of the index of a table; the token is of our making and kept with the table."""
    return f"found_{token}"

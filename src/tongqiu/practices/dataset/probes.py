"""The check of a data set: every table in it read once to its end, and its profile handed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.practice import Run, Target
from tongqiu.practices.dataset.declared import DataKeys, Params
from tongqiu.practices.dataset.kinds import METHOD, PROFILE, Profile, TableProfile, Unread
from tongqiu.practices.dataset.profile import profile
from tongqiu.record.faults import Fault, Malformed
from tongqiu.record.statement import Said
from tongqiu.record.text import Text
from tongqiu.scan import identifiers, languages, personal, secrets, tree
from tongqiu.scan.tables import open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tongqiu.practice import World
    from tongqiu.record.subject import Subject

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz")
"""Names by which a file of a folder is known for a table; a file that is named itself is always read."""

_OWN_READERS = 5
"""Schemes with readers of their own: e-mail, international telephone, IBAN, Hong Kong identity card, IP address."""

_MOST = 200


def plan(target: Target) -> Iterator[Run]:
    """Plan one run for a data set that has a path: a file, or a folder of files."""
    if target.subject.type != "dataset" or target.path is None:
        return
    names = {field.name for field in msgspec.structs.fields(DataKeys)}
    keys = msgspec.convert({key: value for key, value in target.declared.items() if key in names}, DataKeys)
    params = Params(target.path, keys.label, keys.sensitive, keys.encoding or "auto", keys.personal_data)
    yield Run(target.subject, params, (target.path,))


def observe(subject: Subject, params: Params, world: World) -> Iterable[Said]:
    """Profile each table of the data set.

    Raises what :func:`tongqiu.scan.tables.open_table` raises when the data set is one file, Missing
    (``dataset.column``) for a declared column that is not there, and Malformed (``dataset.no-table``) for a folder
    without any readable table. Other files of a folder that cannot be read are listed and the rest goes on.
    """
    place = world.tree.locate(params.path)
    if not place.is_dir():
        read = _one(place, params.path, params, world.progress, 0, place.stat().st_size)
        yield Said(PROFILE.name, subject, _body((read,), (), 0, params))
        return
    found = tree.walk(place)
    files = [file for file in found.files if file.path.lower().endswith(ENDINGS)]
    total, done = sum(file.size for file in files), 0
    tables: list[TableProfile] = []
    unread: list[Unread] = []
    for file in files[:_MOST]:
        try:
            tables.append(
                _one(file.real, f"{params.path.rstrip('/')}/{file.path}", params, world.progress, done, total)
            )
        except Fault as fault:
            unread.append(Unread(personal.masked(file.path)[:300], fault.code, fault.what))
        done += file.size
    if not tables:
        if unread:
            raise Malformed(unread[0].code, unread[0].reason, do=_DO, where=unread[0].path)
        raise Malformed(
            "dataset.no-table",
            Text(en="The folder holds no table ({endings}).", zh="目录中没有表格（{endings}）。"),
            do=_DO,
            where=params.path,
            endings=", ".join(ENDINGS[:5]),
        )
    left = len(found.oddities) + len(found.files) - len(files) + max(0, len(files) - _MOST)
    yield Said(PROFILE.name, subject, _body(tuple(tables), tuple(unread), left, params))


_DO = Text(en="Name the file that holds the table.", zh="请指明含有表格的文件。")


def _one(  # noqa: PLR0913 - one file, what is asked of it, and where it lies in the progress of all
    place: Path, path: str, params: Params, progress: Callable[[float, float | None], None], before: int, total: int
) -> TableProfile:
    with open_table(place, encoding=params.encoding, name=path) as table:
        return profile(
            table,
            personal.masked(path)[:300],
            sensitive=params.sensitive,
            label=params.label,
            progress=lambda done: progress(before + done, total),
            every=path == params.path,
        )


def _body(tables: tuple[TableProfile, ...], unread: tuple[Unread, ...], left: int, params: Params) -> Profile:
    return Profile(
        tables,
        METHOD,
        (personal.METHOD, secrets.METHOD, languages.METHOD),
        len(identifiers.SCHEMES) + _OWN_READERS,
        unread,
        left,
        params.personal_data,
    )

"""Forms that somebody has not finished: kept for that one person, never logged, and forgotten when they say so."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.text import Text
from tongqiu.store import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tongqiu.store.database import Database

MOST = 100
"""Unfinished forms that one person may keep."""
LONGEST = 512 << 10
"""Longest unfinished form, in bytes of JSON."""
_D = schema.draft.c


class Draft(NamedTuple):
    """An unfinished form: what it is for, what was typed so far (texts by field), and when that was last kept."""

    id: str
    verb: str
    values: dict[str, Any]
    kept: str


class Drafts:
    """The unfinished forms of one store. Whose they are is always asked; another's look like none."""

    def __init__(self, database: Database) -> None:
        """Keep them in ``database``."""
        self._database = database

    def keep(self, person: str, verb: str, values: Mapping[str, Any], *, now: str, id: str = "") -> str:  # noqa: A002 - its name
        """Keep what ``person`` typed so far, in place of the draft called ``id`` where it is theirs; return its name.

        Raises Refused (``draft.many``), Malformed (``draft.long``).
        """
        text = msgspec.json.encode(dict(values)).decode()
        if len(text) > LONGEST:
            raise Malformed(
                "draft.long",
                Text(en="This is too long to be kept unfinished.", zh="内容过长，无法存为草稿。"),
                do=Text(en="Shorten it.", zh="请缩短内容。"),
            )
        with self._database.write() as connection:
            mine = sa.and_(_D.person == person, _D.id == id)
            changed = sa.update(schema.draft).where(mine).values(verb=verb, form=text, kept=now)
            if id and connection.execute(changed).rowcount:
                return id
            count = sa.select(sa.func.count()).select_from(schema.draft).where(_D.person == person)
            if connection.execute(count).scalar_one() >= MOST:
                raise Refused(
                    "draft.many",
                    Text(en="There are {most} unfinished forms already.", zh="草稿已达 {most} 份。"),
                    do=Text(en="Finish or forget some of them.", zh="请完成或删除一些草稿。"),
                    most=MOST,
                )
            name = secrets.token_hex(16)
            connection.execute(sa.insert(schema.draft).values(id=name, person=person, verb=verb, form=text, kept=now))
        return name

    def list(self, person: str) -> list[Draft]:
        """Return the unfinished forms of a person, the last one kept first."""
        wanted = sa.select(schema.draft).where(_D.person == person).order_by(_D.kept.desc(), _D.id)
        with self._database.read() as connection:
            return [_draft(each) for each in connection.execute(wanted)]

    def get(self, person: str, id: str) -> Draft:  # noqa: A002 - its name
        """Return one unfinished form of a person. Raises Missing (``draft.missing``), also for another's."""
        wanted = sa.select(schema.draft).where(_D.person == person, _D.id == id)
        with self._database.read() as connection:
            found = connection.execute(wanted).first()
        if found is None:
            raise Missing(
                "draft.missing",
                Text(en="There is no such unfinished form.", zh="没有此草稿。"),
                do=Text(en="Look at the list of yours.", zh="请查看您的草稿列表。"),
            )
        return _draft(found)

    def forget(self, person: str, id: str = "") -> int:  # noqa: A002 - its name
        """Forget one unfinished form of a person, or all of them; return how many there were."""
        chosen = sa.delete(schema.draft).where(_D.person == person)
        if id:
            chosen = chosen.where(_D.id == id)
        with self._database.write(lock=False) as connection:
            return connection.execute(chosen).rowcount


def _draft(found: Any) -> Draft:  # noqa: ANN401 - a selected row
    return Draft(found.id, found.verb, msgspec.json.decode(found.form), found.kept)

"""What a pack loses on the way through an OSCAL catalog and back, counted field by field and never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.norms.oscal.catalog import write_catalog
from tongqiu.norms.oscal.draft import Choice, read_catalog
from tongqiu.norms.reading import read

if TYPE_CHECKING:
    from tongqiu.norms.pack import Pack

_KEYS = {
    "sources": "id",
    "groups": "id",
    "roles": "id",
    "scales": "id",
    "facts": "key",
    "rules": "id",
    "requirements": "id",
    "risks": "id",
}


class Loss(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A field that did not come back as it was: ``table.field`` (or the whole table), and in how many rows of how many."""

    field: str
    rows: int
    of: int


def losses(pack: Pack) -> tuple[Loss, ...]:
    """Return what ``pack`` loses as an OSCAL catalog that is read back, sorted; an empty result means nothing at all.

    Raises Malformed as the readers do when the way back does not even give a valid pack.
    """
    draft = read_catalog(write_catalog(pack), Choice(pack.licence, pack.id))
    before, after = _plain(pack), _plain(read(draft.data, where=f"{pack.id}.catalog.json"))
    found: list[Loss] = []
    for key, value in before.items():
        if key not in _KEYS:
            if value != after[key]:
                found.append(Loss(field=key, rows=1, of=1))
            continue
        found += _table(key, value, {each[_KEYS[key]]: each for each in after[key]})
    return tuple(sorted(found))


def _plain(pack: Pack) -> dict[str, Any]:
    """Return a pack as plain values by field; its digest is that of a file, and another file has another."""
    made = {each.name: msgspec.to_builtins(getattr(pack, each.name)) for each in msgspec.structs.fields(pack)}
    del made["digest"]
    return made


def _table(name: str, rows: list[dict[str, Any]], after: dict[str, dict[str, Any]]) -> list[Loss]:
    gone = [each for each in rows if each[_KEYS[name]] not in after]
    found = [Loss(field=name, rows=len(gone), of=len(rows))] if gone else []
    kept = [each for each in rows if each[_KEYS[name]] in after]
    for field in sorted({key for each in kept for key in each}):
        changed = sum(each.get(field) != after[each[_KEYS[name]]].get(field) for each in kept)
        if changed:
            found.append(Loss(field=f"{name}.{field}", rows=changed, of=len(rows)))
    return found

"""What every OSCAL document has: identifiers that never change by chance, properties, sources, and the bytes themselves."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.record.text import Text

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from tongqiu.norms.pack import Cite, Pack, Source

OSCAL_VERSION = "1.2.1"
"""The version of OSCAL that is written."""

NAMESPACE = "urn:tongqiu:norms"
"""Whose property it is, wherever OSCAL has no word of its own."""

CREATOR = "creator"
"""The role of who publishes a document; one of those that OSCAL names."""

Json = dict[str, Any]

_BREAK = re.compile(r"[ \t\r\n\v\f]+")
_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, "urn:tongqiu:norms:oscal")


def uid(*names: str) -> str:
    """Return the UUID (version 5, RFC 9562 section 5.5) of what ``names`` name; no two lists of names share one."""
    return str(uuid.uuid5(_ROOT, json.dumps(names, ensure_ascii=False)))


def token(name: str) -> str:
    """Return a name of a pack as an OSCAL token, which may not begin with a digit: such a one gets ``_`` in front."""
    return "_" + name if name[:1].isdigit() else name


def untoken(name: str) -> str:
    """Return the name of which :func:`token` made this; anything else as it is."""
    return name[1:] if re.match(r"_\d", name) else name


def line(words: str) -> str:
    """Return words in one line, as titles and values must be."""
    return _BREAK.sub(" ", words).strip()


def prop(name: str, value: str, *, kind: str = "", remarks: str = "") -> Json:
    """Return a property of our own namespace; ``kind`` is what OSCAL calls its class."""
    made: Json = {"name": name, "ns": NAMESPACE, "value": line(value)}
    if kind:
        made["class"] = token(kind)
    if remarks:
        made["remarks"] = remarks
    return made


def dates(**days: datetime.date | None) -> list[Json]:
    """Return a property for each day that is known."""
    return [prop(name.replace("_", "-"), day.isoformat()) for name, day in days.items() if day is not None]


def other(words: Text | None, name: str) -> list[Json]:
    """Return the Chinese of a one-line text as a property; the English is the document's own."""
    return [] if words is None else [prop(name, words.zh, kind="zh")]


def translated(words: Text) -> Json:
    """Return the Chinese of a longer text as a part of our own."""
    return {"name": "translation", "ns": NAMESPACE, "class": "zh", "prose": words.zh}


def cites(pack: Pack, found: Iterable[Cite]) -> tuple[list[Json], list[Json]]:
    """Return the pinpoints as properties that are exact, and as links that every tool can follow."""
    props, links = [], []
    for each in found:
        props.append(prop("cite", each.article, kind=each.source, remarks=each.clause))
        links.append({"href": "#" + source_uid(pack, each.source), "rel": "reference", "text": line(str(each))})
    return props, links


def source_uid(pack: Pack, source: str) -> str:
    """Return the UUID under which a document of the pack stands in the back matter."""
    return uid("source", pack.id, source)


def resource(pack: Pack, source: Source) -> Json:
    """Return a document that the pack rests on, as a resource of the back matter."""
    props = [prop("source", source.id), prop("force", source.force), prop("licence", source.licence)]
    if source.issuer:
        props.append(prop("issuer", source.issuer))
    props += dates(published=source.published, in_force_from=source.in_force_from, repealed_on=source.repealed_on)
    props += [prop("amended-by", name) for name in source.amended_by]
    props += other(source.title, "title")
    return {
        "uuid": source_uid(pack, source.id),
        "title": line(source.title.en),
        "props": props,
        "document-ids": [{"identifier": line(source.document)}],
        "citation": {"text": line(f"{source.document}: {source.title.en}")},
    }


def catalog_resource(pack: Pack) -> Json:
    """Return the catalog of a pack as a resource that a document lying beside it can refer to."""
    return {
        "uuid": uid("catalog file", pack.id, pack.version),
        "title": line(f"Catalog of {pack.title.en}"),
        "props": [prop("pack", pack.id), prop("version", pack.version)],
        "rlinks": [{"href": f"{pack.id}.catalog.json", "media-type": "application/json"}],
    }


class Cover(NamedTuple):
    """What the head of a document says of its content; ``modified`` is an instant of that, never of the clock."""

    title: Text
    version: str
    publisher: str
    modified: str


def metadata(cover: Cover, props: list[Json], roles: Iterable[Json] = ()) -> Json:
    """Return the head of a document."""
    party = uid("party", cover.publisher)
    mine = list(roles)
    if all(each["id"] != CREATOR for each in mine):
        mine.insert(0, {"id": CREATOR, "title": "Creator"})
    return {
        "title": line(cover.title.en),
        "last-modified": cover.modified,
        "version": cover.version,
        "oscal-version": OSCAL_VERSION,
        "props": [*props, *other(cover.title, "title")],
        "roles": mine,
        "parties": [{"uuid": party, "type": "organization", "name": line(cover.publisher)}],
        "responsible-parties": [{"role-id": CREATOR, "party-uuids": [party]}],
    }


def midnight(day: datetime.date) -> str:
    """Return the first instant of a day, in UTC."""
    return f"{day.isoformat()}T00:00:00Z"


def filled(document: Json) -> Json:
    """Return a document without its empty lists and texts, which OSCAL does not allow."""
    made: Json = {}
    for key, value in document.items():
        kept = filled(value) if isinstance(value, dict) else value
        if isinstance(value, list):
            kept = [filled(each) if isinstance(each, dict) else each for each in value]
        if kept or kept == 0 or key in _EMPTY:
            made[key] = kept
    return made


_EMPTY = {"include-all"}
"""What is said by its mere presence."""


def write(document: Json) -> bytes:
    """Return the bytes of a document: UTF-8 JSON, two spaces, in the order in which it was made."""
    return json.dumps(filled(document), ensure_ascii=False, indent=2).encode() + b"\n"

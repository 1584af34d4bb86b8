"""Writing the bill of materials of an AI system: what it is made of, byte for byte where bytes are at hand.

The form is CycloneDX 1.7 (ECMA-424) as JSON, written here field by field, because the field's own library drops
``modelCard`` and ``data``. The same input gives the same bytes. What was taken from bytes by this run and what only
somebody says are told apart: every component has ``tongqiu:basis:<field>`` properties, ``checked`` or ``claimed``.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.practices.supply import expressions
from tongqiu.practices.supply.kinds import Bom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.practices.supply.kinds import Licences, WeightFile
    from tongqiu.practices.supply.manifests import Dependency
    from tongqiu.record.shapes import Scalar
    from tongqiu.record.subject import Subject

MEDIA = "application/vnd.cyclonedx+json"
"""Media type of the file (IANA; ECMA-424)."""

NAME = "bom.cdx.json"
MAX_FILES = 5_000
"""Files listed one by one in one part; a larger part is named by its tree digest alone."""

_TYPES = {"model": "machine-learning-model", "dataset": "data", "software": "library", "output": "data"}

Json = dict[str, Any]


class Item(NamedTuple):
    """One file of a part: its path in the part, SHA-256 (hex) and length."""

    path: str
    sha256: str
    size: int


class Part(NamedTuple):
    """One part of the system: subject (with digest where there are bytes), what its owner declares, and what was found
    in its bytes. ``says`` are the owner's words by manifest key.
    """

    subject: Subject
    says: dict[str, str]
    items: tuple[Item, ...] = ()
    licences: Licences | None = None
    weights: tuple[WeightFile, ...] = ()
    needs: tuple[Dependency, ...] = ()
    trained_on: tuple[str, ...] = ()


class Made(NamedTuple):
    """A bill of materials: the bytes of the file and what the record says of it."""

    data: bytes
    body: Bom


def compose(system: Part, parts: Sequence[Part], *, at: str, unread: Sequence[str] = ()) -> Made:
    """Return the bill of materials of ``system``.

    ``at`` is the instant it is made (RFC 3339, given by the caller), ``unread`` are paths of lock files that could not
    be read. The serial number is a UUID version 8 (RFC 9562) from the SHA-256 of all else.
    """
    writer = _Writer()
    refs = [writer.ref(part) for part in parts]
    by_name = {part.subject.name: ref for part, ref in zip(parts, refs, strict=True)}
    components = [
        writer.component(part, ref, by_name)
        for part, ref in zip(parts, refs, strict=True)
        if part.subject.type != "service"
    ]
    services = [
        writer.service(part, ref) for part, ref in zip(parts, refs, strict=True) if part.subject.type == "service"
    ]
    libraries, edges = writer.libraries(parts, refs)
    bom: Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "timestamp": at,
            "tools": {"components": [{"type": "application", "name": "tongqiu.supply", "version": "1"}]},
            "component": writer.system(system),
        },
        "components": components + libraries,
        **({"services": services} if services else {}),
        "dependencies": [
            {"ref": "system", "dependsOn": sorted(refs)},
            *({"ref": ref, "dependsOn": needed} for ref, needed in sorted(edges.items()) if needed),
        ],
    }
    bom["serialNumber"] = _serial(_bytes(bom))
    data = _bytes(bom)
    body = Bom(
        digest="sha-256:" + hashlib.sha256(data).hexdigest(),
        serial=bom["serialNumber"],
        components=dict(sorted(writer.types.items())),
        dependencies=len(libraries),
        unpinned=writer.unpinned,
        unlicensed=writer.unlicensed,
        checked=writer.bases["checked"],
        claimed=writer.bases["claimed"],
        unread=tuple(path[-500:] for path in unread),
        subject_digest=system.subject.digest,
    )
    return Made(data, body)


class _Writer:
    """Writes components and counts what it wrote."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self.bases: Counter[str] = Counter()
        self.unpinned = self.unlicensed = 0
        self._refs: Counter[str] = Counter({"system": 1})

    def ref(self, part: Part) -> str:
        """Return a reference for ``part`` that nothing else in the file has."""
        wanted = f"{part.subject.type}/{part.subject.name or part.subject.id}"[:200]
        self._refs[wanted] += 1
        return wanted if self._refs[wanted] == 1 else f"{wanted}#{self._refs[wanted]}"

    def system(self, system: Part) -> Json:
        """Return the component that the file is about."""
        made = self._named("application", "system", system)
        basis = self._identity(made, system)
        self._declared_licence(made, basis, system)
        if system.says.get("provider"):
            made["supplier"] = {"name": system.says["provider"]}
            basis["supplier"] = "claimed"
            self.bases["claimed"] += 1
        made["properties"] = _properties(basis)
        return made

    def component(self, part: Part, ref: str, refs: dict[str, str]) -> Json:
        """Return the component of a model, data set or software with all that was found in its bytes."""
        made = self._named(_TYPES.get(part.subject.type, "file"), ref, part)
        basis = self._identity(made, part)
        more = list(self._bytes_of(made, basis, part))
        self._licences(made, basis, part, more)
        if part.subject.type == "model":
            made["modelCard"] = self._card(part, basis, refs, more)
        if part.subject.type == "dataset":
            made["data"] = [{"type": "dataset", "name": part.subject.name or part.subject.id}]
        if 0 < len(part.items) <= MAX_FILES and not (len(part.items) == 1 and "hashes" in made):
            made["components"] = [self._file(ref, item) for item in part.items]
        made["properties"] = _properties(basis) + more
        return made

    def service(self, part: Part, ref: str) -> Json:
        """Return a service: only what its owner says."""
        made: Json = {"bom-ref": ref, "name": part.subject.name or part.subject.id}
        basis = {"name": "claimed"}
        for key in ("version", "description"):
            if part.says.get(key):
                made[key] = part.says[key]
                basis[key] = "claimed"
        self.types["service"] += 1
        self.bases.update(basis.values())
        made["properties"] = _properties(basis)
        return made

    def libraries(self, parts: Sequence[Part], refs: Sequence[str]) -> tuple[list[Json], dict[str, list[str]]]:
        """Return the packages that the parts need, each once, and which part needs which."""
        made: dict[str, Json] = {}
        edges: dict[str, list[str]] = {}
        for part, ref in zip(parts, refs, strict=True):
            for need in part.needs:
                purl = _purl(need)
                if purl not in made:
                    made[purl] = self._library(need, purl)
                edges.setdefault(ref, []).append(purl)
        return [made[purl] for purl in sorted(made)], {ref: sorted(set(needed)) for ref, needed in edges.items()}

    def _named(self, kind: str, ref: str, part: Part) -> Json:
        self.types[kind] += 1
        return {"type": kind, "bom-ref": ref, "name": part.subject.name or part.subject.id}

    def _identity(self, made: Json, part: Part) -> dict[str, str]:
        """Write version, description and purl, all of them only claimed; return the basis so far."""
        basis: dict[str, str] = {}
        for key in ("version", "description"):
            if part.says.get(key):
                made[key] = part.says[key]
                basis[key] = "claimed"
        if part.subject.id.startswith("pkg:"):
            made["purl"] = part.subject.id
            basis["purl"] = "claimed"
        self.bases.update(basis.values())
        return basis

    def _bytes_of(self, made: Json, basis: dict[str, str], part: Part) -> Iterator[Json]:
        """Write the digest; a file has a SHA-256, a folder its tree digest as a property."""
        if part.subject.digest is None:
            return
        algorithm, _, value = part.subject.digest.partition(":")
        basis["hashes"] = "checked"
        self.bases["checked"] += 1
        if algorithm == "sha-256":
            made["hashes"] = [{"alg": "SHA-256", "content": value}]
        else:
            yield {"name": "tongqiu:tree-digest", "value": part.subject.digest}
            yield {"name": "tongqiu:files", "value": str(len(part.items))}

    def _declared_licence(self, made: Json, basis: dict[str, str], part: Part) -> bool:
        """Write the licence that the owner or the package itself declares, and tell whether there is one."""
        said = [part.says.get("licence", "")]
        if part.licences is not None:
            said += [each.expression or each.says for each in part.licences.declared]
        for words in filter(None, said):
            read = expressions.plain(words)
            made["licenses"] = [
                {"expression": read.text, "acknowledgement": "declared"}
                if read
                else {"license": {"name": words[:200], "acknowledgement": "declared"}}
            ]
            basis["licenses"] = "claimed"
            self.bases["claimed"] += 1
            return True
        return False

    def _licences(self, made: Json, basis: dict[str, str], part: Part, more: list[Json]) -> None:
        """Write the declared licence, or else the texts found; the texts stand as properties either way."""
        found: dict[str, float] = {}
        for text in part.licences.texts if part.licences else ():
            for match in text.matches if not text.third_party and text.state == "recognised" else ():
                found[match.id] = max(found.get(match.id, 0.0), match.score)
        more += [{"name": "tongqiu:licence-text-found", "value": f"{name} {found[name]}"} for name in sorted(found)]
        if self._declared_licence(made, basis, part):
            return
        if not found:
            self.unlicensed += 1
            return
        made["licenses"] = (
            [{"expression": name, "acknowledgement": "concluded"} for name in found]
            if len(found) == 1
            else [{"license": {"name": name, "acknowledgement": "concluded"}} for name in sorted(found)]
        )
        basis["licenses"] = "checked"
        self.bases["checked"] += 1

    def _card(self, part: Part, basis: dict[str, str], refs: dict[str, str], more: list[Json]) -> Json:
        """Return the model card: what the owner says of task, architecture and training data, and formats by bytes."""
        parameters: Json = {}
        for key, field in (("task", "task"), ("architecture", "modelArchitecture")):
            if part.says.get(key):
                parameters[field] = part.says[key]
                basis[f"modelCard.{key}"] = "claimed"
                self.bases["claimed"] += 1
        if part.trained_on:
            parameters["datasets"] = [
                {"ref": refs[name]} if name in refs else {"type": "dataset", "name": name} for name in part.trained_on
            ]
            basis["modelCard.datasets"] = "claimed"
            self.bases["claimed"] += 1
        for each in part.weights:
            more.append({"name": "tongqiu:weights", "value": f"{each.path}: {each.format or 'unknown'}, {each.state}"})
            more += [
                {"name": f"tongqiu:weights:{key}", "value": f"{each.path}: {_plain(value)}"}
                for key, value in sorted(each.facts.items())
                if value != ""
            ]
        if part.weights:
            basis["weights"] = "checked"
            self.bases["checked"] += 1
        return {"modelParameters": parameters} if parameters else {}

    def _file(self, ref: str, item: Item) -> Json:
        self.types["file"] += 1
        self.bases["checked"] += 1
        return {
            "type": "file",
            "bom-ref": f"{ref}:{item.path}",
            "name": item.path,
            "hashes": [{"alg": "SHA-256", "content": item.sha256}],
        }

    def _library(self, need: Dependency, purl: str) -> Json:
        """Return a package that is named but not at hand: nothing about it is checked, and its licence is unknown."""
        self.types["library"] += 1
        self.unlicensed += 1
        self.unpinned += not (need.pinned or need.optional)
        self.bases["claimed"] += 1 + need.pinned
        made: Json = {"type": "library", "bom-ref": purl, "name": need.name, "purl": purl}
        if need.pinned:
            made["version"] = need.version
        made["scope"] = "optional" if need.optional else "required"
        basis = {"purl": "claimed", **({"version": "claimed"} if need.pinned else {})}
        archives = [{"name": "tongqiu:archive-sha256", "value": value} for value in need.hashes]
        made["properties"] = [*_properties(basis), {"name": "tongqiu:named-in", "value": need.source}, *archives]
        return made


def _properties(basis: dict[str, str]) -> list[Json]:
    return [{"name": f"tongqiu:basis:{field}", "value": basis[field]} for field in sorted(basis)]


def _purl(need: Dependency) -> str:
    from packageurl import PackageURL

    space, _, name = need.name.rpartition("/")
    return PackageURL(need.ecosystem, space or None, name, need.version or None).to_string()


def _plain(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bytes(bom: Json) -> bytes:
    return (json.dumps(bom, ensure_ascii=False, indent=1) + "\n").encode()


def _serial(data: bytes) -> str:
    """Return ``urn:uuid:`` and a version 8 UUID (RFC 9562 section 5.8) made of the SHA-256 of ``data``."""
    value = bytearray(hashlib.sha256(data).digest()[:16])
    value[6] = value[6] & 0x0F | 0x80
    value[8] = value[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(value)).urn

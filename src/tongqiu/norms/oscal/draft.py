"""An OSCAL catalog as the draft of a pack: everything in it is unchecked, and a person goes on from there.

The file is a stranger's: its size, depth and number of controls are bounded, a key that OSCAL does not know is refused
with its place, and nothing in it is followed or run. What a catalog does not say is not made up: the licence is asked
for, a language that is missing is marked as missing, and no requirement comes with evidence that would answer it unless
the catalog was written by :mod:`tongqiu.norms.oscal.catalog`.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.norms.oscal.catalog import OWN
from tongqiu.norms.oscal.frame import NAMESPACE, Json, line, untoken
from tongqiu.norms.oscal.parsing import bad, parse
from tongqiu.norms.reading import MAX_BYTES as PACK_BYTES
from tongqiu.norms.reading import MAX_ROWS, nearest
from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS = {
    "": {"catalog", "$schema"},
    "catalog": {"uuid", "metadata", "params", "controls", "groups", "back-matter"},
    "group": {"id", "class", "title", "params", "props", "links", "parts", "groups", "controls"},
    "control": {"id", "class", "title", "params", "props", "links", "parts", "controls"},
    "part": {"id", "name", "ns", "class", "title", "props", "prose", "parts", "links"},
    "prop": {"name", "uuid", "ns", "value", "class", "group", "remarks"},
}
_INSERT = re.compile(r"\{\{\s*insert:\s*param,\s*([^\s}]+)\s*\}\}")
_NOT_YET = Text(en="Nobody has said yet which evidence answers this.", zh="尚无人说明由什么证据回应此项。")
_MISSING = {"zh": "（未译）", "en": "(not translated) "}


class Draft(NamedTuple):
    """The pack file in TOML, and what a person has yet to do with it."""

    data: bytes
    requirements: int
    groups: int
    translated: bool


class Choice(NamedTuple):
    """What a catalog does not say, and whoever takes it in must: the licence of its text, an id, and its language."""

    licence: str
    id: str = ""
    written_in: str = "en"


def read_catalog(data: bytes, choice: Choice, *, where: str = "") -> Draft:
    """Return the draft of a pack from the OSCAL catalog ``data`` (JSON, at most :data:`MAX_BYTES`).

    Raises Refused (``norms.oscal.licence``) when no licence is named, Malformed (``norms.oscal.*``) with the place in the
    file for anything that is no catalog of OSCAL 1.
    """
    if not choice.licence.strip():
        raise Refused(
            "norms.oscal.licence",
            Text(en="A pack says under which licence its text stands.", zh="规范包须写明其文本的许可。"),
            do=Text(
                en="Find out, and name it: --licence CC0-1.0 (or what it is).",
                zh="请查明后写出：--licence CC0-1.0（或实际许可）。",
            ),
        )
    return _Reader(where, choice).read(parse(data, where))


class _Reader:
    """One reading of one catalog."""

    def __init__(self, where: str, choice: Choice) -> None:
        self.where = where
        self.choice = choice
        self.groups: list[str] = []
        self.rows: list[str] = []
        self.names: set[str] = set()
        self.translated = True

    def read(self, tree: Json) -> Draft:
        self._keys(tree, "", "$")
        catalog = tree["catalog"]
        self._keys(catalog, "catalog", "$.catalog")
        head = self._object(catalog, "metadata", "$.catalog")
        version = self._text(head, "oscal-version", "$.catalog.metadata")
        if not version.startswith("1."):
            raise bad(
                "version",
                Text(en="OSCAL {version} is not read; version 1 is.", zh="不读取 OSCAL {version}；只读取 1.x 版。"),
                self.where,
                version=version,
            )
        title = self._words(self._text(head, "title", "$.catalog.metadata"), _own(head, "title", "zh"))
        params = self._params(catalog)
        self._controls(catalog, None, params, "$.catalog")
        for place, group in enumerate(self._list(catalog, "groups", "$.catalog")):
            self._group(group, None, params, f"$.catalog.groups[{place}]")
        data = "\n".join(
            [*self._top(head, title), *self._sources(catalog, title), *self._roles(head), *self.groups, *self.rows]
        )
        return Draft(self._bytes(data), len(self.rows), len(self.groups), self.translated)

    def _bytes(self, text: str) -> bytes:
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise bad(
                "syntax",
                Text(en="This is not JSON: {why}.", zh="不是 JSON：{why}。"),
                self.where,
                why="half a character",
            ) from error
        if len(data) > PACK_BYTES:
            raise bad(
                "large",
                Text(
                    en="As a pack it would have {size} bytes, more than {limit}.",
                    zh="写成规范包将有 {size} 字节，超过 {limit}。",
                ),
                self.where,
                size=len(data),
                limit=PACK_BYTES,
            )
        return data

    # --- the head -----------------------------------------------------------------------------------------------------

    def _top(self, head: Json, title: str) -> Iterator[str]:
        version = self._text(head, "version", "$.catalog.metadata")
        numbers = ".".join(re.findall(r"\d+", version)[:4]) or "1"
        known = _own(head, "known-at")[:1] or [self._text(head, "last-modified", "$.catalog.metadata")[:10]]
        yield "# Drafted from an OSCAL catalog; nothing in it was checked. Read docs/spec/norm-pack.md and go on from here."
        yield "format = 1"
        yield f"id = {_string(self._name(self.choice.id or (_own(head, 'pack') or [_text(head, 'title')])[0], 'id'))}"
        yield f"version = {_string(numbers)}"
        yield f"title = {title}"
        yield f"publisher = {_string(self._publisher(head))}"
        yield f"licence = {_string(self.choice.licence)}"
        yield f"wording = {_string((_own(head, 'wording') or ['verbatim'])[0])}"
        yield f"known_at = {self._day(known[0], 'known-at')}"
        for key in ("jurisdiction", "nature"):
            for value in _own(head, key)[:1]:
                yield f"{key} = {_string(value)}"
        about = _text(head, "remarks")
        if about:
            yield f"about = {self._words(about, _own(head, 'about', 'zh'))}"

    def _publisher(self, head: Json) -> str:
        names = [_text(each, "name") for each in self._list(head, "parties", "$.catalog.metadata")]
        return next((each for each in names if each), "unknown")

    def _sources(self, catalog: Json, title: str) -> Iterator[str]:
        resources = self._list(
            self._object(catalog, "back-matter", "$.catalog", need=False), "resources", "$.catalog.back-matter"
        )
        ours = [each for each in resources if _own(each, "source")]
        if not ours:
            head = catalog["metadata"]
            yield '\n[[source]]\nid = "catalog"'
            yield f"document = {_string(line(_text(head, 'title') + ' ' + _text(head, 'version')))}"
            yield f'title = {title}\nforce = "voluntary"\nlicence = {_string(self.choice.licence)}'
        for each in ours:
            known = {name: _own(each, name) for name in ("source", "force", "licence", "issuer", "amended-by")}
            document = (
                next((_text(one, "identifier") for one in self._list(each, "document-ids", "$")), "") or "unknown"
            )
            yield f"\n[[source]]\nid = {_string(self._name(known['source'][0], 'source'))}"
            yield f"document = {_string(document)}\ntitle = {self._words(_text(each, 'title') or document, _own(each, 'title', 'zh'))}"
            yield f"force = {_string((known['force'] or ['voluntary'])[0])}"
            yield f"licence = {_string((known['licence'] or [self.choice.licence])[0])}"
            for value in known["issuer"][:1]:
                yield f"issuer = {_string(value)}"
            for name in ("published", "in-force-from", "repealed-on"):
                for value in _own(each, name)[:1]:
                    yield f"{name.replace('-', '_')} = {self._day(value, name)}"
            if known["amended-by"]:
                yield f"amended_by = [{', '.join(map(_string, known['amended-by']))}]"

    def _roles(self, head: Json) -> Iterator[str]:
        for each in self._list(head, "roles", "$.catalog.metadata"):
            for name in _own(each, "role")[:1]:
                yield f"\n[[role]]\nid = {_string(self._name(name, 'role'))}"
                yield f"title = {self._words(_text(each, 'title') or name, _own(each, 'title', 'zh'))}"

    # --- groups and controls ------------------------------------------------------------------------------------------

    def _group(self, group: Json, parent: str | None, params: dict[str, str], path: str) -> None:
        self._keys(group, "group", path)
        params = {**params, **self._params(group)}
        own = parent
        if group.get("class") != OWN:
            title = self._text(group, "title", path)
            label = (_own(group, "group") or [_text(group, "id") or title])[0]
            own = self._once(self._name(label, path), f"group {label}", path)
            rows = [f"\n[[group]]\nid = {_string(own)}", f"title = {self._words(title, _own(group, 'title', 'zh'))}"]
            if parent is not None:
                rows.append(f"parent = {_string(parent)}")
            found = self._cites(group)
            if found:
                rows.append(f"cite = {found}")
            self.groups.append("\n".join(rows))
        self._controls(group, own, params, path)
        for place, each in enumerate(self._list(group, "groups", path)):
            self._group(each, own, params, f"{path}.groups[{place}]")

    def _controls(self, holder: Json, group: str | None, params: dict[str, str], path: str) -> None:
        for place, each in enumerate(self._list(holder, "controls", path)):
            self._control(each, group, params, f"{path}.controls[{place}]")

    def _control(self, control: Json, group: str | None, params: dict[str, str], path: str) -> None:
        self._keys(control, "control", path)
        if len(self.rows) >= MAX_ROWS:
            raise bad(
                "rows",
                Text(en="A pack may have {limit} requirements.", zh="规范包最多 {limit} 项要求。"),
                self.where,
                limit=MAX_ROWS,
            )
        params = {**params, **self._params(control)}
        label = self._text(control, "id", path)
        name = self._once(self._name(untoken(label), path), label, path)
        title = self._text(control, "title", path)
        said = {each["name"]: each for each in self._parts(control, path)}
        text, text_zh = self._prose(said.get("statement"), params)
        rows = [
            f"\n[[requirement]]\nid = {_string(name)}",
            f"title = {self._words(title, _own(control, 'title', 'zh'))}",
        ]
        rows.append(f"text = {self._words(text or title, text_zh if text else _own(control, 'title', 'zh'))}")
        shown = next(
            (_text(each, "value") for each in self._list(control, "props", path) if each.get("name") == "label"), label
        )
        cited = self._cites(control) or f'[{{ source = "catalog", article = {_string(shown)} }}]'
        rows.append(f"cite = {cited}")
        if group is not None:
            rows.append(f"group = {_string(group)}")
        rows += self._marks(control)
        rows += self._answers(control, said, params)
        self.rows.append("\n".join(rows))
        self._controls(control, group, params, path)

    def _marks(self, control: Json) -> Iterator[str]:
        """Yield what our own catalogs say of dates and roles; who checked a row is never taken over."""
        for name in ("applies-from", "applies-until", "known-from", "known-until"):
            for value in _own(control, name)[:1]:
                yield f"{name.replace('-', '_')} = {self._day(value, name)}"
        for value in _own(control, "wording")[:1]:
            yield f"wording = {_string(value)}"
        for key, name in (("asked_of", "asked-of"), ("succeeds", "succeeds")):
            found = _own(control, name)
            if found:
                yield f"{key} = [{', '.join(map(_string, found))}]"

    def _answers(self, control: Json, said: dict[str, Json], params: dict[str, str]) -> Iterator[str]:
        found = []
        for each in _props(control, "answered-by"):
            kind, _, finding = each["value"].partition(" ")
            keys = {"kind": kind, "finding": finding, "part": _text(each, "remarks")}
            inner = ", ".join(f"{key} = {_string(value)}" for key, value in keys.items() if value not in {"", "*"})
            found.append("{ " + inner + " }")
        yield f"answered_by = [{', '.join(found)}]"
        hand, zh = self._prose(said.get("guidance") if _props(control, "check") else None, params)
        if hand:
            yield f"by_hand = {self._words(hand, zh)}"
        elif not found:
            yield f"by_hand = {_pair(_NOT_YET.en, _NOT_YET.zh)}"
        note, zh = self._prose(said.get("note"), params)
        if note:
            yield f"note = {self._words(note, zh)}"

    def _cites(self, holder: Json) -> str:
        found = []
        for each in _props(holder, "cite"):
            clause = _text(each, "remarks")
            tail = f", clause = {_string(clause)}" if clause else ""
            source = _string(untoken(_text(each, "class")))
            found.append(f"{{ source = {source}, article = {_string(each['value'])}{tail} }}")
        return f"[{', '.join(found)}]" if found else ""

    # --- words --------------------------------------------------------------------------------------------------------

    def _prose(self, part: Json | None, params: dict[str, str]) -> tuple[str, list[str]]:
        """Return all that a part says, in its own language and, where it is one of ours, in Chinese."""
        if part is None:
            return "", []
        zh = [
            _text(each, "prose") for each in _parts(part) if each.get("ns") == NAMESPACE and each.get("class") == "zh"
        ]
        return "\n".join(self._lines(part, params)).strip(), [each for each in zh if each.strip()][:1]

    def _lines(self, part: Json, params: dict[str, str]) -> Iterator[str]:
        label = next((_text(each, "value") for each in part.get("props", ()) if each.get("name") == "label"), "")
        prose = _INSERT.sub(lambda found: f"[{params.get(found[1], found[1])}]", _text(part, "prose"))
        if prose:
            yield f"{label} {prose}" if label else prose
        for each in _parts(part):
            if each.get("ns") != NAMESPACE:
                yield from self._lines(each, params)

    def _params(self, holder: Json) -> dict[str, str]:
        found = {}
        for each in self._list(holder, "params", "$"):
            values = each.get("values")
            said = [one for one in values if isinstance(one, str)] if isinstance(values, list) else []
            name = _text(each, "id")
            found[name] = ", ".join(said) or _text(each, "label") or name
        return found

    def _words(self, words: str, zh: list[str]) -> str:
        """Return a text in both languages; one that is missing is marked as missing, never made up."""
        if zh:
            return _pair(words, zh[0])
        self.translated = False
        if self.choice.written_in == "zh":
            return _pair(_MISSING["en"] + words, words)
        return _pair(words, _MISSING["zh"] + words)

    # --- the form -----------------------------------------------------------------------------------------------------

    def _keys(self, value: Json, what: str, path: str) -> None:
        """Refuse a key that OSCAL does not have here, also in the properties."""
        for key in value:
            if key not in _KEYS[what]:
                raise Malformed(
                    "norms.oscal.unknown-key",
                    Text(
                        en="{path} has a key that OSCAL does not know: {key}.", zh="{path} 含 OSCAL 没有的键：{key}。"
                    ),
                    do=Text(en="Did you mean {nearest}?", zh="是否想写 {nearest}？"),
                    where=self.where,
                    path=path,
                    key=key[:80],
                    nearest=nearest(key, _KEYS[what]),
                )
        if "props" in _KEYS[what]:
            for place, each in enumerate(self._list(value, "props", path)):
                self._keys(each, "prop", f"{path}.props[{place}]")

    def _parts(self, holder: Json, path: str) -> list[Json]:
        found = self._list(holder, "parts", path)
        for place, each in enumerate(found):
            here = f"{path}.parts[{place}]"
            self._keys(each, "part", here)
            self._text(each, "name", here)
            self._parts(each, here)
        return found

    def _list(self, holder: Json, key: str, path: str) -> list[Json]:
        found = holder.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise bad(
                "form",
                Text(en="{path} is no list of objects.", zh="{path} 不是对象列表。"),
                self.where,
                path=f"{path}.{key}",
            )
        return found

    def _object(self, holder: Json, key: str, path: str, *, need: bool = True) -> Json:
        found = holder.get(key)
        if found is None and not need:
            return {}
        if not isinstance(found, dict):
            raise bad("form", Text(en="{path} is no object.", zh="{path} 不是对象。"), self.where, path=f"{path}.{key}")
        return found

    def _text(self, holder: Json, key: str, path: str) -> str:
        found = holder.get(key)
        if not isinstance(found, str) or not found.strip():
            raise bad(
                "form",
                Text(en="{path} is missing or empty.", zh="{path} 缺失或为空。"),
                self.where,
                path=f"{path}.{key}",
            )
        return found

    def _name(self, words: str, path: str) -> str:
        """Return words as a name of a pack: lower-case letters and digits, joined by dots and dashes."""
        made = re.sub(r"[.-]*-[.-]*", "-", re.sub(r"[^a-z0-9.]+", "-", words.lower()))
        made = re.sub(r"\.+", ".", made).strip(".-")[:80].strip(".-")
        if not made:
            raise bad(
                "name",
                Text(en="{path} has no name that a pack can hold.", zh="{path} 的名称无法用于规范包。"),
                self.where,
                path=path,
            )
        return made

    def _once(self, name: str, label: str, path: str) -> str:
        kind = "group" if label.startswith("group ") else "control"
        if f"{kind} {name}" in self.names:
            raise bad(
                "twice",
                Text(en="{path}: {name} stands here twice.", zh="{path}：{name} 重复出现。"),
                self.where,
                path=path,
                name=name,
            )
        self.names.add(f"{kind} {name}")
        return name

    def _day(self, text: str, key: str) -> str:
        try:
            return datetime.date.fromisoformat(text).isoformat()
        except ValueError as error:
            raise bad(
                "day",
                Text(en="{key}: {text} is no date.", zh="{key}：{text} 不是日期。"),
                self.where,
                key=key,
                text=text[:40],
            ) from error


def _parts(part: Json) -> list[Json]:
    return [each for each in part.get("parts", ()) if isinstance(each, dict)]


def _text(holder: Json, key: str) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) else ""


def _props(holder: Json, name: str) -> list[Json]:
    """Return the properties of our own namespace that are called ``name``."""
    held = holder.get("props")
    found = [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []
    return [each for each in found if each.get("ns") == NAMESPACE and each.get("name") == name and _text(each, "value")]


def _own(holder: Json, name: str, kind: str = "") -> list[str]:
    return [each["value"] for each in _props(holder, name) if _text(each, "class") == kind or not kind]


def _pair(en: str, zh: str) -> str:
    return f"{{ en = {_string(en)}, zh = {_string(zh)} }}"


def _string(words: str) -> str:
    """Return words as a TOML basic string."""
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")

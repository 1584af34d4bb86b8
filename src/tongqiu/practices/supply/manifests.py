"""Reading what packages say of themselves: their licence and what they depend on. Nothing is run to find out.

Package descriptions are read as data (TOML, JSON, header lines); ``setup.py`` would have to be executed and is not read.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.practices.supply import expressions
from tongqiu.practices.supply.kinds import Declared
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 16 << 20
"""Longest package description or lock file that is read."""

MAX_DEPENDENCIES = 20_000
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?")
_PIN = re.compile(r"={2,3}\s*([A-Za-z0-9.!+_-]{1,100})\s*(?:;.*|--hash.*|\\)?\Z")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Dependency(NamedTuple):
    """One package that another needs: ecosystem (purl type), name, exact version or empty, SHA-256 digests of its
    archives (hex), where it is written, and whether only an extra of the package needs it.
    """

    ecosystem: str
    name: str
    version: str
    hashes: tuple[str, ...]
    source: str
    optional: bool = False

    @property
    def pinned(self) -> bool:
        """Tell whether an exact version is given."""
        return bool(self.version)


def describes(path: str) -> bool:
    """Tell whether a file is a package description that :func:`declared` reads."""
    name = path.rpartition("/")[2]
    return name in {
        "pyproject.toml",
        "setup.cfg",
        "package.json",
        "METADATA",
        "PKG-INFO",
        "Cargo.toml",
        "CITATION.cff",
    } or (name.lower() == "readme.md")


def locks(path: str) -> bool:
    """Tell whether a file lists dependencies that :func:`dependencies` reads."""
    name = path.rpartition("/")[2]
    return bool(
        name
        in {"pyproject.toml", "poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "Cargo.lock", "package-lock.json"}
        or name in {"npm-shrinkwrap.json", "package.json", "METADATA", "PKG-INFO"}
        or re.fullmatch(r"(.{0,60}[-_.])?requirements([-_.].{0,60})?\.(txt|in)|pylock\..{1,60}\.toml", name)
    )


def declared(path: str, data: bytes) -> tuple[Declared, ...]:
    """Return what the package description ``data`` says its licence is.

    Raises Malformed (``supply.manifest``) where it cannot be read.
    """
    name = path.rpartition("/")[2]
    text = _text(path, data)
    if name == "pyproject.toml":
        said = _pyproject(_toml(path, text))
    elif name == "Cargo.toml":
        said = [("package.license", _get(_toml(path, text), "package", "license"))]
    elif name == "package.json":
        said = _package_json(_json(path, text))
    elif name == "setup.cfg":
        said = _setup_cfg(path, text)
    elif name in {"METADATA", "PKG-INFO"}:
        said = _metadata(text)
    elif name == "CITATION.cff":
        said = [
            ("license", match[1]) for match in re.finditer(r"^license:[ \t]{0,8}([^#\n]{1,200})", text, re.MULTILINE)
        ]
    else:
        said = _front_matter(text)
    return tuple(_declared(path, field, words) for field, words in said if isinstance(words, str) and words.strip())


def dependencies(path: str, data: bytes) -> tuple[Dependency, ...]:
    """Return the packages that the lock file or package description ``data`` names, sorted, each once.

    Raises Malformed (``supply.manifest``) where it cannot be read or names more than :data:`MAX_DEPENDENCIES`.
    """
    name = path.rpartition("/")[2]
    text = _text(path, data)
    if name in {"package-lock.json", "npm-shrinkwrap.json", "package.json"}:
        found = _npm(_json(path, text), path, locked=name != "package.json")
    elif name in {"METADATA", "PKG-INFO"}:
        found = [_requirement(value, path) for key, value in _fields(text) if key == "requires-dist"]
    elif name == "pyproject.toml":
        found = [_requirement(each, path) for each in _list(_get(_toml(path, text), "project", "dependencies"))]
    elif name.endswith((".lock", ".toml")):
        found = _lock(_toml(path, text), path, "cargo" if name == "Cargo.lock" else "pypi")
    else:
        found = [_requirement(line, path) for line in _lines(text)]
    whole = sorted({each for each in found if each is not None})
    if len(whole) > MAX_DEPENDENCIES:
        raise _unread(path, "count")
    return tuple(whole)


def merge(several: Sequence[Dependency]) -> tuple[Dependency, ...]:
    """Return each package once per exact version: where a lock file pins it, a mention without a version adds nothing."""
    pinned = {(each.ecosystem, each.name) for each in several if each.pinned}
    kept: dict[tuple[str, str, str], Dependency] = {}
    for each in sorted(several):
        if not each.pinned and (each.ecosystem, each.name) in pinned:
            continue
        key = (each.ecosystem, each.name, each.version)
        before = kept.get(key, each)
        hashes = tuple(sorted({*before.hashes, *each.hashes}))
        kept[key] = before._replace(hashes=hashes, optional=before.optional and each.optional)
    return tuple(kept[key] for key in sorted(kept))


# --- licences ---------------------------------------------------------------------------------------------------------


def _declared(path: str, field: str, words: str) -> Declared:
    said = " ".join(words.split())
    found = expressions.plain(expressions.CLASSIFIERS.get(said, said))
    if found is None:
        return Declared(path=path, field=field, says=said[:200])
    return Declared(path=path, field=field, says=said[:200], expression=found.text, ids=found.ids)


def _pyproject(tree: dict[str, Any]) -> list[tuple[str, Any]]:
    licence = _get(tree, "project", "license")
    said = [("project.license", licence.get("text") if isinstance(licence, dict) else licence)]
    said.append(("tool.poetry.license", _get(tree, "tool", "poetry", "license")))
    return said + _classifiers("project.classifiers", _list(_get(tree, "project", "classifiers")))


def _classifiers(field: str, values: list[str]) -> list[tuple[str, Any]]:
    return [(field, value) for value in values if value in expressions.CLASSIFIERS]


def _package_json(tree: dict[str, Any]) -> list[tuple[str, Any]]:
    licence = tree.get("license")
    said: list[tuple[str, Any]] = [("license", licence.get("type") if isinstance(licence, dict) else licence)]
    several = tree.get("licenses")
    if isinstance(several, list):
        said += [("licenses", each.get("type")) for each in several[:20] if isinstance(each, dict)]
    return said


def _setup_cfg(path: str, text: str) -> list[tuple[str, Any]]:
    parser = configparser.RawConfigParser(strict=True)
    try:
        parser.read_string(text)
        field = parser.get("metadata", "license", fallback="")
        listed = parser.get("metadata", "classifiers", fallback="")
    except configparser.Error as error:
        raise _unread(path, type(error).__name__) from error
    return [
        ("metadata.license", field),
        *_classifiers("metadata.classifiers", [line.strip() for line in listed.split("\n")]),
    ]


def _metadata(text: str) -> list[tuple[str, Any]]:
    fields = _fields(text)
    said: list[tuple[str, Any]] = [(key, value) for key, value in fields if key == "license-expression"]
    said += [(key, value) for key, value in fields if key == "license" and len(value) <= 200]  # noqa: PLR2004 - longer is a text
    return said + _classifiers("classifier", [value for key, value in fields if key == "classifier"])


def _fields(text: str) -> list[tuple[str, str]]:
    """Return the header lines of a core metadata file (key in lower case), up to its first empty line."""
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    pairs = (line.partition(":") for line in head.splitlines() if line[:1].isalpha())
    return [(key.strip().lower(), value.strip()) for key, _, value in pairs]


def _front_matter(text: str) -> list[tuple[str, Any]]:
    """Return the licence lines in the front matter of a model or data card (a list or a plain value)."""
    if not text.startswith("---"):
        return []
    head = re.split(r"\n---[ \t]*\r?(?:\n|\Z)", text[:65_536], maxsplit=1)
    if len(head) == 1:
        return []
    inline = re.findall(r"^license:[ \t]{0,8}[\"']?([^\s\"'#\[][^\"'#\n\r]{0,200})", head[0], re.MULTILINE)
    block = re.search(r"^license:[ \t]{0,8}\r?\n((?:[ \t]{0,8}-[^\n]{1,200}\n?){1,20})", head[0], re.MULTILINE)
    items = [line.strip(" \t\r-\"'") for line in block[1].splitlines()] if block else []
    return [("license", value.strip()) for value in (*inline, *items)]


# --- dependencies -----------------------------------------------------------------------------------------------------


def _requirement(line: str, source: str) -> Dependency | None:
    """Return the dependency that one requirement line names (PEP 508), or None for an option, link or empty line."""
    words = line.strip()
    name = _NAME.match(words)
    if name is None or "://" in words.partition("#")[0].partition("@")[0]:
        return None
    rest = re.sub(r"^\s*\[[^\]]{0,500}\]", "", words[name.end() :]).strip()
    optional = bool(re.search(r";.{0,500}\bextra\s*==", rest))
    if rest.startswith("@"):
        return _python(name[0], "", (), source)._replace(optional=optional)
    hashes = tuple(sorted(set(_HASH.findall(rest))))
    rest = rest.partition("--hash")[0].partition(" #")[0].rstrip(" \\").strip("() ")
    pin = _PIN.match(rest.partition(";")[0].strip(" ()"))
    version = "" if pin is None or pin[1].endswith("*") else pin[1]
    return _python(name[0], version, hashes, source)._replace(optional=optional)


def _python(name: str, version: str, hashes: tuple[str, ...], source: str) -> Dependency:
    return Dependency("pypi", re.sub(r"[-_.]+", "-", name).lower(), version, hashes, source)


def _lines(text: str) -> list[str]:
    """Return the requirement lines of a pip file, continued lines joined, comments and options left out."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def _lock(tree: dict[str, Any], source: str, ecosystem: str) -> list[Dependency | None]:
    """Return the packages of a TOML lock file (PEP 751 ``packages``; poetry, uv, pdm and Cargo ``package``)."""
    packages = tree.get("packages", tree.get("package"))
    if not isinstance(packages, list):
        return []
    found: list[Dependency | None] = []
    for each in packages:
        name, version = (each.get("name"), each.get("version")) if isinstance(each, dict) else (None, None)
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(version, str | None):
            raise _unread(source, "package")
        where = each.get("source")
        local = isinstance(where, dict) and {"editable", "virtual", "directory"} & where.keys()
        if local or (ecosystem == "cargo" and where is None):
            continue  # the package itself
        hashes = tuple(sorted(set(re.findall(r"sha256:([0-9a-f]{64})", json.dumps(each, default=str)))))
        if ecosystem == "cargo":
            whole = each.get("checksum")
            hashes = (whole,) if isinstance(whole, str) and re.fullmatch(r"[0-9a-f]{64}", whole) else ()
            found.append(Dependency("cargo", name, (version or "")[:100], hashes, source))
        else:
            found.append(_python(name, (version or "")[:100], hashes, source))
    return found


def _npm(tree: dict[str, Any], source: str, *, locked: bool) -> list[Dependency | None]:
    """Return the packages of an npm lock file (versions 2 and 3 ``packages``, 1 ``dependencies``) or a package.json."""
    found: list[Dependency | None] = []
    packages = tree.get("packages") if locked else None
    if isinstance(packages, dict):
        for path, each in packages.items():
            name = path.rpartition("node_modules/")[2]
            if path and isinstance(each, dict) and "node_modules/" in path and not each.get("link"):
                found.append(_node(name, each.get("version"), source))
        return found
    named = tree.get("dependencies")
    for name, each in named.items() if isinstance(named, dict) else ():
        found.append(_node(name, each.get("version") if locked and isinstance(each, dict) else None, source))
    return found


def _node(name: str, version: object, source: str) -> Dependency:
    if not re.fullmatch(r"(@[A-Za-z0-9._~-]{1,100}/)?[A-Za-z0-9._~-]{1,214}", name):
        raise _unread(source, "name")
    exact = version if isinstance(version, str) and re.fullmatch(r"[0-9][A-Za-z0-9.+-]{0,99}", version) else ""
    return Dependency("npm", name, exact, (), source)


# --- forms ------------------------------------------------------------------------------------------------------------


def _text(path: str, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _unread(path, "size")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unread(path, "UTF-8") from error


def _toml(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unread(path, "TOML") from error


def _json(path: str, text: str) -> dict[str, Any]:
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unread(path, "JSON") from error
    if not isinstance(tree, dict):
        raise _unread(path, "object")
    return tree


def _get(tree: object, *keys: str) -> Any:  # noqa: ANN401 - whatever stands there
    for key in keys:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def _list(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _unread(path: str, detail: str) -> Malformed:
    return Malformed(
        "supply.manifest",
        Text(en="{where} cannot be read ({detail}).", zh="无法读取 {where}（{detail}）。"),
        do=Text(en="Mend the file, or remove it if nothing uses it.", zh="请修正该文件；若无用途，请将其删除。"),
        where=path,
        detail=detail,
    )

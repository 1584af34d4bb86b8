"""Reading ``tongqiu.toml``: what the owner says there is to assess, checked before anything is run.

Every key is known or refused with the nearest known one; every path lies inside the folder and exists; every part
gets an identifier and the digest of its bytes. The person who wrote the file is told the line to mend.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from tongqiu.practice import Target
from tongqiu.record import digest
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.misfit import misfit
from tongqiu.record.subject import Subject, check_id
from tongqiu.record.text import Text, inert
from tongqiu.scan import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tongqiu.node.discovery import Practices

NAME = "tongqiu.toml"
MAX_BYTES = 1 << 20
MAX_PARTS = 1000
MAX_PURPOSE = 2000
OUTPUT = ".tongqiu"

TYPES = {"model": "model", "data": "dataset", "code": "software", "service": "service"}
"""Which type of subject each manifest table describes."""


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S")]
Line = Annotated[str, msgspec.Meta(max_length=1000)]
Identifier = Annotated[str, msgspec.Meta(max_length=1024)]
Words = Annotated[str, msgspec.Meta(max_length=MAX_PURPOSE)]


class PartKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said of any part."""

    name: Name
    id: Identifier | None = None
    path: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    purl: Identifier | None = None
    version: Line | None = None
    description: Words | None = None
    licence: Line | None = None


class SystemKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said of the system as a whole."""

    name: Name
    id: Identifier | None = None
    purpose: Words | None = None
    version: Line | None = None
    description: Words | None = None
    licence: Line | None = None
    provider: Line | None = None


_FREE = frozenset({"description", "purpose"})
"""Keys whose text may have several lines."""

_OWN = frozenset({*PartKeys.__struct_fields__, *SystemKeys.__struct_fields__})
"""Keys that name and describe things to people, here and on pages."""


class Manifest(NamedTuple):
    """A manifest that was read: the system as a target with its parts, and the SHA-256 of the file's bytes."""

    folder: Path
    target: Target
    digest: str


def read(folder: Path, practices: Practices, *, progress: Callable[[int, int], None] | None = None) -> Manifest:
    """Return the manifest of ``folder``.

    Raises Missing (``manifest.missing``, ``path.missing``) and Malformed (``manifest.*``, ``path.*``), each naming the
    line to mend.
    """
    data = data_of(folder)
    text = _text(data)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise Malformed(
            "manifest.syntax",
            Text(en="The manifest is not valid TOML: {error}.", zh="清单不是有效的 TOML：{error}。"),
            do=Text(en="Mend that line; strings need quotes.", zh="请修正该行；字符串需要引号。"),
            where=f"{NAME}:{found[1]}" if found else NAME,
            error=str(error),
        ) from error
    except (ValueError, RecursionError) as error:
        # Python reads no integer of more than 4,300 digits, and no brackets deeper than its own stack.
        raise Malformed(
            "manifest.syntax",
            Text(
                en="The manifest holds a number too long, or brackets too deep, to be read.",
                zh="清单中有过长的数字或过深的括号，无法读取。",
            ),
            do=Text(en="Keep only declarations in it.", zh="请只在其中保留声明。"),
            where=NAME,
        ) from error
    allowed = _allowed(practices)
    _check_tables(table, text, allowed)
    return Manifest(folder, _target(folder, table, text, progress), str(digest.of_bytes(data)))


def require(folder: Path) -> None:
    """Raise Missing (``manifest.missing``) unless ``folder`` holds a manifest: to be asked before anything is made."""
    if not folder.is_dir() or not (folder / NAME).exists():
        raise Missing(
            "manifest.missing",
            Text(en="There is no {name} in {folder}.", zh="{folder} 中没有 {name}。"),
            do=Text(
                en="Run: tongqiu init {folder} - it writes one with you from what it finds.",
                zh="请运行：tongqiu init {folder}，它会根据所见内容与您一起写好清单。",
            ),
            name=NAME,
            folder=str(folder),
        )


def data_of(folder: Path) -> bytes:
    """Return the bytes of the manifest in a folder. Raises Missing (``manifest.missing``), Malformed (``manifest.size``)."""
    require(folder)
    with tree.open_regular(tree.resolve(folder, NAME)) as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Malformed(
            "manifest.size",
            Text(en="The manifest is longer than {limit} bytes.", zh="清单超过 {limit} 字节。"),
            do=Text(en="Keep only declarations in it.", zh="请只在其中保留声明。"),
            where=NAME,
            limit=MAX_BYTES,
        )
    return data


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(
            "manifest.encoding",
            Text(en="The manifest is not UTF-8 text (byte {at}).", zh="清单不是 UTF-8 文本（第 {at} 字节）。"),
            do=Text(en="Save it as UTF-8.", zh="请另存为 UTF-8。"),
            where=NAME,
            at=error.start,
        ) from error


def _allowed(practices: Practices) -> dict[str, dict[str, Any]]:
    """Return, for every table, the keys that may be written there and their types."""
    allowed: dict[str, dict[str, Any]] = {table: _fields(PartKeys) for table in TYPES}
    allowed["system"] = _fields(SystemKeys)
    for practice in practices.all:
        for table, keys in practice.settings.items():
            if table != "facts":
                allowed.setdefault(table, {}).update(_fields(keys))
    return allowed


def _fields(struct: type[Any]) -> dict[str, Any]:
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def _check_tables(table: Mapping[str, Any], text: str, allowed: Mapping[str, Mapping[str, Any]]) -> None:
    for name, value in table.items():
        if name == "facts":
            if not isinstance(value, dict):
                raise _wrong(text, name, "table")
            continue
        if name not in allowed:
            raise unknown(name, (*allowed, "facts"), f"{NAME}:{_line(text, name)}")
        rows = value if isinstance(value, list) else [value]
        if name in TYPES and not isinstance(value, list):
            raise _wrong(text, name, f"[[{name}]]")
        if name not in TYPES and isinstance(value, list):
            raise _wrong(text, name, f"[{name}]")
        if len(rows) > MAX_PARTS:
            raise _wrong(text, name, f"<= {MAX_PARTS}")
        for row in rows:
            if not isinstance(row, dict):
                raise _wrong(text, name, f"[[{name}]]")
            _check_row(name, row, text, allowed[name])
    if "system" not in table:
        raise Malformed(
            "manifest.system",
            Text(en="The manifest does not say which system it describes.", zh="清单没有写明所描述的系统。"),
            do=Text(en='Add: [system] and below it: name = "…"', zh='请加上：[system]，并在其下写：name = "…"'),
            where=NAME,
        )


def _check_row(name: str, row: Mapping[str, Any], text: str, keys: Mapping[str, Any]) -> None:
    for key, value in row.items():
        if key not in keys:
            raise unknown(key, keys, f"{NAME}:{_line(text, key, name)}")
        try:
            msgspec.convert(value, keys[key].type, strict=True)
        except msgspec.ValidationError as error:
            words = misfit(error)
            raise Malformed(
                "manifest.value",
                Text(en="The value of {key} does not fit: {en}.", zh="{key} 的值不合适：{zh}。"),
                do=Text(en="Mend the value on that line.", zh="请修正该行的值。"),
                where=f"{NAME}:{_line(text, key, name)}",
                key=key,
                en=words.en,
                zh=words.zh,
            ) from error
        if key in _OWN and isinstance(value, str) and inert(value, one_line=key not in _FREE) != value:
            raise _active(text, name, key, value)
    if "name" not in row and name != "system":
        raise _nameless(text, name)
    if name == "system" and not row.get("name"):
        raise _nameless(text, name)


def _active(text: str, name: str, key: str, value: str) -> Malformed:
    return Malformed(
        "manifest.value",
        Text(
            en="The value of {key} holds control characters: {value}.",
            zh="{key} 的值含有控制字符：{value}。",
        ),
        do=Text(en="Write it in plain characters on one line.", zh="请改用普通字符，写在一行内。"),
        where=f"{NAME}:{_line(text, key, name)}",
        key=key,
        value=inert(value[:80], one_line=True),
    )


def unknown(key: str, known: Mapping[str, Any] | tuple[str, ...], where: str) -> Malformed:
    """Return the fault for a key nobody knows, naming the nearest known one."""
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.4)
    listed = ", ".join(sorted(known)[:40])
    return Malformed(
        "manifest.unknown-key",
        Text(en="Nobody knows the key {key}.", zh="未知的键：{key}。"),
        do=Text(en="Did you mean {near}?", zh="您是指 {near} 吗？")
        if near
        else Text(en="Known keys: {listed}.", zh="已知的键：{listed}。"),
        where=where,
        key=key,
        near=near[0] if near else "",
        listed=listed,
    )


def _wrong(text: str, name: str, form: str) -> Malformed:
    return Malformed(
        "manifest.table",
        Text(en="The table {name} is not of the right form.", zh="表 {name} 的形式不对。"),
        do=Text(en="Write it as {form}.", zh="请写成 {form}。"),
        where=f"{NAME}:{_line(text, name)}",
        name=name,
        form=form,
    )


def _nameless(text: str, name: str) -> Malformed:
    return Malformed(
        "manifest.name",
        Text(en="A part in {name} has no name.", zh="{name} 中有一项没有名称。"),
        do=Text(en='Add: name = "…"', zh='请加上：name = "…"'),
        where=f"{NAME}:{_line(text, name)}",
        name=name,
    )


def _line(text: str, key: str, table: str | None = None) -> int:
    """Return the first line on which ``key`` is written (inside ``table`` where given), from 1; 1 where not found."""
    head = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\"'-]+)")
    plain = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
    inside: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        found = head.match(line)
        if found:
            inside = found[1].strip("\"'")
            if inside == key and table is None:
                return number
        elif plain.match(line) and (table is None or inside == table):
            return number
    return 1


def system_name(declared: Mapping[str, Any]) -> str:
    """Return the identifier of a system: the one that ``[system]`` gives, else one made of its name."""
    return str(declared.get("id") or f"urn:tongqiu:system:{_slug(declared['name'])}")


def _target(folder: Path, table: Mapping[str, Any], text: str, progress: Callable[[int, int], None] | None) -> Target:
    declared = dict(table["system"])
    system_id = check_id(
        system_name(declared),
        where=f"{NAME}:{_line(text, 'id', 'system')}",
    )
    rows = [(name, row) for name in TYPES for row in table.get(name, [])]
    parts: list[Target] = []
    for number, (name, row) in enumerate(rows):
        parts.append(_part(folder, system_id, name, row, text))
        if progress is not None:
            progress(number + 1, len(rows))
    taken = {system_id}
    for each in (part.subject.id for part in parts):
        if each in taken:
            raise Malformed(
                "manifest.twice",
                Text(
                    en="Two parts, or a part and the system, have the identifier {id}.",
                    zh="两个部分（或某部分与系统）使用同一标识符 {id}。",
                ),
                do=Text(en="Give each its own name or id.", zh="请为每个部分取不同的名称或 id。"),
                where=NAME,
                id=each,
            )
        taken.add(each)
    declared["facts"] = table.get("facts", {})
    return Target(Subject("system", system_id, None, declared["name"]), None, declared, tuple(parts))


def _part(folder: Path, system_id: str, name: str, row: Mapping[str, Any], text: str) -> Target:
    value, path = None, row.get("path")
    if path is not None:
        where = f"{NAME}:{_line_of_value(text, path)}"
        real = tree.resolve(folder, path, where=where)
        if any(each.casefold() == OUTPUT for each in real.relative_to(folder.resolve()).parts):
            raise Malformed(
                "manifest.output",
                Text(
                    en="{path} is where assessments are written; it is not a part of the system.",
                    zh="{path} 是评估结果的输出位置，不是系统的组成部分。",
                ),
                do=Text(en="Name what is to be assessed.", zh="请写明要评估的内容。"),
                where=where,
                path=path,
            )
        value = digest_of(real)
        path = real.relative_to(folder.resolve()).as_posix()
    identifier = row.get("id") or row.get("purl") or f"{system_id}:{name}:{_slug(row['name'])}"
    subject = Subject(
        TYPES[name],  # type: ignore[arg-type]
        check_id(identifier, where=f"{NAME}:{_line_of_value(text, identifier)}"),
        value,
        row["name"],
    )
    return Target(subject, path, dict(row))


def digest_of(real: Path) -> str:
    """Return the SHA-256 of the file, or the tree digest of the folder, at ``real``, in written form."""
    if real.is_dir():
        return str(tree.tree_digest(real)[0])
    with tree.open_regular(real) as stream:
        return str(digest.of_stream(stream)[0])


def _line_of_value(text: str, value: str) -> int:
    return next((n for n, line in enumerate(text.splitlines(), 1) if f'"{value}"' in line or f"'{value}'" in line), 1)


def _slug(name: str) -> str:
    """Return a name fit for a URN: lower-case ASCII, or a short fingerprint where nothing of it is ASCII."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return plain if plain and name.isascii() else f"{plain}-{mark}".strip("-")

"""Packs, crosswalks and results as OSCAL documents, and OSCAL catalogs as drafts of packs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from tongqiu.cli.desk import Home
from tongqiu.cli.gap import System, known_of, needed, norms_of, write_out
from tongqiu.cli.words import console, t, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.norms.library import Norms

Action = Literal["catalog", "profile", "mapping", "results", "import", "loses"]


def oscal(  # noqa: PLR0913 - one option each
    action: Annotated[
        Action,
        Parameter(
            help="catalog, profile, mapping, results: write one; import: read a catalog; loses: what a catalog cannot hold. "
            "catalog 目录、profile 选取、mapping 对照、results 结果：写出；import：读入目录；loses：目录无法容纳的内容。"
        ),
    ],
    of: Annotated[
        str,
        Parameter(help="The framework, or for import the file. 规范包；import 时为文件。"),
    ],
    *,
    to: Annotated[str, Parameter(help="mapping: the other framework. mapping：另一个规范包。")] = "",
    grade: Annotated[str, Parameter(help="profile: only what this grade is asked. profile：仅该等级的要求。")] = "",
    role: Annotated[str, Parameter(help="profile: only what this role is asked. profile：仅该角色的要求。")] = "",
    system: System = "",
    licence: Annotated[str, Parameter(help="import: the licence of the catalog's text. import：目录文本的许可。")] = "",
    id_: Annotated[str, Parameter(name="--id", help="import: the id of the pack. import：规范包编号。")] = "",
    written_in: Annotated[
        Literal["en", "zh"], Parameter(help="import: the catalog's language. import：目录所用语言。")
    ] = "en",
    out: Annotated[
        Path | None, Parameter(help="Write to this file (default: print). 写入此文件（默认：直接输出）。")
    ] = None,
    home: Home = None,
) -> int:
    """Write OSCAL 1.2.1 documents, or read a catalog as a draft. 写出 OSCAL 1.2.1 文件，或把目录读成草稿。"""
    if action == "import":
        return _import(Path(of), out, licence, id_, written_in)
    if action == "results":
        return _results(of, needed("--system", system), out, home)
    norms = norms_of(home)
    if action == "loses":
        return _loses(norms, of)
    make: dict[str, Callable[[], bytes]] = {
        "catalog": lambda: _catalog(norms, of),
        "profile": lambda: _profile(norms, of, grade, role),
        "mapping": lambda: _mapping(norms, of, needed("--to", to)),
    }
    write_out(out, make[action]())
    return 0


def _catalog(norms: Norms, of: str) -> bytes:
    from tongqiu.norms.oscal.catalog import write_catalog

    return write_catalog(norms.book(of).pack)


def _profile(norms: Norms, of: str, grade: str, role: str) -> bytes:
    from tongqiu.norms.oscal.catalog import write_profile

    return write_profile(norms.book(of).pack, grade=grade, role=role)


def _mapping(norms: Norms, have: str, want: str) -> bytes:
    from tongqiu.norms.crosswalks.shelf import Shelf
    from tongqiu.norms.oscal.mapping import write_mapping

    packs = norms.book(have).pack, norms.book(want).pack
    return write_mapping(Shelf().between(have, want), *packs)


def _results(of: str, system: str, out: Path | None, home: Path | None) -> int:
    from tongqiu.cli.desk import open_existing
    from tongqiu.norms.oscal.results import write_results

    with open_existing(home) as node:
        pack, known = node.norms.book(of).pack, known_of(node, system)
    write_out(out, write_results(pack, (known.system.id, known.system.name), known.observed))
    return 0


def _import(file: Path, out: Path | None, licence: str, name: str, written_in: Literal["en", "zh"]) -> int:
    from tongqiu.node import passports
    from tongqiu.norms.oscal.draft import Choice, read_catalog
    from tongqiu.norms.oscal.parsing import MAX_BYTES
    from tongqiu.norms.reading import read

    data = passports.read_file(file, MAX_BYTES + 1)
    draft = read_catalog(data, Choice(licence, name, written_in), where=str(file))
    read(draft.data, where=str(file))
    write_out(out, draft.data)
    said = console(error=True)
    said.print(
        t(
            "A draft of {rows} requirements in {groups} groups. Nothing in it is checked: compare each row with its source.",
            "草稿含 {rows} 项要求、{groups} 个分组。内容均未核对：请逐行与原文比对。",
            rows=draft.requirements,
            groups=draft.groups,
        )
    )
    if not draft.translated:
        said.print(t("Texts marked as not translated wait for a translator.", "标有“未译”的文本有待翻译。"))
    return 0


def _loses(norms: Norms, of: str) -> int:
    from tongqiu.norms.oscal.loss import losses

    found = losses(norms.book(of).pack)
    if not found:
        console().print(t("Nothing is lost.", "没有丢失任何内容。"))
        return 0
    rows = [(each.field, str(each.rows), str(each.of)) for each in found]
    console().print(table((t("Field", "字段"), t("Rows lost or changed", "丢失或改变的行数"), t("Of", "总行数")), rows))
    return 0

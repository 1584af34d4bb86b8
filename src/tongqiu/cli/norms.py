"""Law and standards as dated data: what is in use here, what a row says on a day, and adding a pack of one's own.

Commands of this group are rows of two words in :data:`tongqiu.cli._COMMANDS`; other modules add theirs there.
"""

from __future__ import annotations

import datetime
import json as codec
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tongqiu.cli.desk import Home, Json, find_entry, open_existing
from tongqiu.cli.law import a_row, counts, row_lines, whole, whole_lines
from tongqiu.cli.words import console, lang, short, t, table, tell
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node.shelf import Offer
    from tongqiu.norms.library import Norms

    Looked = tuple[Norms, tuple[Offer, ...]]

PackId = Annotated[str, Parameter(help="The id of a framework (norms list). 规范包编号（见 norms list）。")]
File = Annotated[Path, Parameter(help="A pack file (TOML). 规范包文件（TOML）。")]
Day = Annotated[
    datetime.date | None,
    Parameter(help="In force on this day, YYYY-MM-DD (default: today). 在该日的效力（默认今天）。"),
]
Known = Annotated[
    datetime.date | None,
    Parameter(help="As known on this day (default: the other day). 按该日所知（默认与上一日期相同）。"),
]
_USES = {
    "shipped": Text(en="in use", zh="使用中"),
    "in-use": Text(en="in use, added", zh="使用中（自行添加）"),
    "offered": Text(en="offered by another party, not in use", zh="他方提供，未采用"),
    "older": Text(en="a later edition is in use", zh="已采用更新版本"),
    "unreadable": Text(en="cannot be read here", zh="此处无法读取"),
}


def list_(*, home: Home = None, json: Json = False) -> int:
    """List the frameworks in use here, and those that others offer. 列出此处使用和他方提供的规范包。"""
    norms, offers = _look(home)
    rows = list(_listed(norms, offers))
    if json:
        _json(rows)
        return 0
    columns = (
        t("Pack", "规范包"),
        t("Edition", "版本"),
        t("Title", "名称"),
        t("Checked", "已核对"),
        t("State", "状态"),
    )
    shown = [
        (
            row["pack"],
            row["version"],
            row["title"][lang()],
            f"{row['checked']}/{row['requirements']}" if row.get("requirements") else "",
            f"{_USES[row['state']].of(lang())} {short(row['record'])}".rstrip(),
        )
        for row in rows
    ]
    made = table(columns, shown)
    made.columns[0].no_wrap = made.columns[1].no_wrap = True
    console().print(made)
    return 0


def show(  # noqa: PLR0913 - one option each
    pack: PackId,
    row: Annotated[
        str, Parameter(help="The id of a requirement, rule, risk or source. 要求、规则、风险或来源的编号。")
    ] = "",
    *,
    as_of: Day = None,
    known_at: Known = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Show one framework, or one row of it, as it stands on a day. 查看一个规范包或其中一行在某日的状态。"""
    from tongqiu.norms.time import Calendar

    found = _look(home)[0].pack(pack)
    day = as_of or datetime.datetime.now(datetime.UTC).date()
    known = known_at or day
    calendar = Calendar(found)
    told = a_row(found, row, calendar, day, known) if row else whole(found, calendar, day, known)
    if json:
        _json(told)
        return 0
    out = console()
    pages = (row_lines if row else whole_lines)(told)
    if sys.stdout.isatty():
        with out.pager(styles=True):
            for each in pages:
                out.print(each)
    else:
        for each in pages:
            out.print(each)
    return 0


def schema() -> int:
    """Print the JSON Schema of a pack file. 输出规范包文件的 JSON Schema。"""
    from tongqiu.norms.schema import schema as made

    sys.stdout.write(codec.dumps(made(), ensure_ascii=False, indent=2) + "\n")
    return 0


def new(
    pack: Annotated[
        str, Parameter(help="What the pack shall be called, such as xx-ai-act. 规范包编号，如 xx-ai-act。")
    ],
    *,
    jurisdiction: Annotated[
        str, Parameter(help="ISO 3166-1 code, EU, or international. 法域：ISO 3166-1 代码、EU 或 international。")
    ] = "international",
    out: Annotated[
        Path | None, Parameter(help="Where to write it (default: PACK.toml). 写到何处（默认 PACK.toml）。")
    ] = None,
) -> int:
    """Write a working starter file for a pack of your own. 写出一个可直接使用的规范包起始文件。"""
    from tongqiu.norms.draft import starter

    text = starter(pack, today=datetime.datetime.now(datetime.UTC).date().isoformat(), jurisdiction=jurisdiction)
    where = out or Path(f"{pack}.toml")
    try:
        with where.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Malformed(
            "norms.draft.exists",
            Text(en="There is a file {path} already.", zh="文件 {path} 已存在。"),
            do=Text(en="Name another with --out.", zh="请用 --out 指定其他文件名。"),
            path=str(where),
        ) from error
    except OSError as error:
        raise Missing(
            "norms.draft.folder",
            Text(en="{path} cannot be written: {why}.", zh="无法写入 {path}：{why}。"),
            do=Text(en="Name a folder that is there, with --out.", zh="请用 --out 指定已有目录。"),
            path=str(where),
            why=error.strerror or type(error).__name__,
        ) from error
    console().print(
        t(
            "Wrote {path}. Next: tongqiu norms check {path}",
            "已写出 {path}。下一步：tongqiu norms check {path}",
            path=where,
        )
    )
    return 0


def check(file: File, *, json: Json = False) -> int:
    """Say everything that is wrong with a pack file, with lines; else what it holds. 指出规范包文件的全部错误及行号，或列出其内容。"""
    from tongqiu.norms.reading import MOST_FAULTS, faults, read

    data = _file(file)
    found = faults(data, where=str(file))
    if found:
        for each in found:
            tell(f"{each.explain(lang())}\n[{each.code}]\n")
        if len(found) >= MOST_FAULTS:
            tell(t("There may be more.", "可能还有更多。") + "\n")
        return 2
    counted = counts(read(data, where=str(file)))
    if json:
        _json(counted)
        return 0
    words = {
        "requirements": t("requirements", "要求"),
        "checked": t("of them compared with the primary text", "其中已与原文核对"),
        "unanswered_by": t("of them that neither a finding nor a paper would answer", "其中既无判定也无文件可回应"),
        "rules": t("rules", "规则"),
        "facts": t("questions", "问题"),
        "risks": t("risks", "风险"),
        "sources": t("sources", "来源"),
        "groups": t("groups", "分组"),
    }
    out = console()
    out.print(t("{file} is a pack without faults.", "{file} 是无误的规范包。", file=file))
    for key, word in words.items():
        out.print(f"  {counted[key]:5}  {word}")
    if counted["unanswered_by"]:
        out.print(t("Write answered_by or by_hand in these rows:", "请在以下各行写明 answered_by 或 by_hand："))
        out.print("  " + ", ".join(counted["unanswered"]))
    return 0


def add(
    file: File,
    *,
    public: Annotated[bool, Parameter(help="Let everybody read it. 允许所有人阅读。")] = False,
    home: Home = None,
) -> int:
    """Publish a pack file as a signed record and go by it from now on. 将规范包文件作为签名记录发布，并自此采用。"""
    from tongqiu.cli.start import user
    from tongqiu.node import open_node, packs
    from tongqiu.record.audience import EVERYONE

    data = _file(file)
    with open_node(home, create=True, name=user()) as node:
        made = packs.add(node, data, where=str(file), audience=EVERYONE if public else None)
        body = made.body
    console().print(
        t(
            "{pack} {version} is in use. Record {entry}",
            "{pack} {version} 已采用。记录 {entry}",
            pack=body["pack"],
            version=body["version"],
            entry=made.entry,
        )
    )
    return 0


def adopt(
    entry: Annotated[
        str, Parameter(help="The record of the pack, or the beginning of its id. 规范包记录的编号或其开头。")
    ],
    *,
    home: Home = None,
) -> int:
    """Go by a pack that another party published and you received. 采用他方发布并已收到的规范包。"""
    from tongqiu.node import packs

    with open_existing(home) as node:
        made = packs.adopt(node, find_entry(node.desk(node.owner), entry))
        body = made.body
    console().print(
        t(
            "{pack} {version} is in use. Record {entry}",
            "{pack} {version} 已采用。记录 {entry}",
            pack=body["name"],
            version=body["version"],
            entry=made.entry,
        )
    )
    return 0


def _look(home: Path | None) -> Looked:
    """Return the packs of the node that is there, with what others offer; the shipped ones where there is no node."""
    from tongqiu.node import home as homes
    from tongqiu.norms.library import Norms

    where = home or homes.default()
    if home is None and not (where / "node.toml").exists():
        return Norms(datetime.datetime.now(datetime.UTC).date()), ()
    from tongqiu.node import shelf

    with open_existing(home) as node:
        return node.norms, shelf.offers(node.snapshot(), node.me)


def _listed(norms: Norms, offers: tuple[Offer, ...]) -> Iterator[dict[str, Any]]:
    for name in norms.ids:
        pack = norms.pack(name)
        counted = counts(pack)
        entries = norms.entries(name)
        yield {
            "pack": name,
            "version": pack.version,
            "title": {"en": pack.title.en, "zh": pack.title.zh},
            "publisher": pack.publisher,
            "known_at": pack.known_at.isoformat(),
            "requirements": counted["requirements"],
            "checked": counted["checked"],
            "state": "in-use" if entries else "shipped",
            "record": entries[0] if entries else "",
        }
    for each in offers:
        if each.state != "in-use":
            title = each.statement.body.get("title", {})
            yield {
                "pack": each.pack,
                "version": each.version,
                "title": {"en": str(title.get("en", "")), "zh": str(title.get("zh", ""))},
                "publisher": each.statement.issuer,
                "state": each.state,
                "record": each.statement.entry,
            }


def _file(path: Path) -> bytes:
    from tongqiu.node.passports import read_file
    from tongqiu.norms.reading import MAX_BYTES

    return read_file(path, MAX_BYTES)


def _json(value: object) -> None:
    sys.stdout.write(inert(codec.dumps(value, ensure_ascii=False, indent=2)) + "\n")

"""Law and standards as dated data: what is in use here, what a row says on a day, and adding a pack of one's own.

Commands of this group are rows of two words in :data:`tongqiu.cli._COMMANDS`; other modules add theirs there
(``norms gap``, ``norms oscal``).
"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from tongqiu.cli.desk import Home, Json
from tongqiu.cli.words import console, lang, t, table

Pack = Annotated[str, Parameter(help="The id of a framework (norms list). 规范包编号（见 norms list）。")]


def list_(*, home: Home = None, json: Json = False) -> int:
    """List the frameworks in use here. 列出此处使用的规范包。"""
    from tongqiu.norms import library

    del home, json
    out = console()
    rows = []
    for name in library.shipped():
        pack = library.book(name).pack
        rows.append((name, pack.version, pack.title.of(lang()), str(len(pack.requirements)), str(pack.known_at)))
    columns = (
        t("Pack", "规范包"),
        t("Version", "版本"),
        t("Title", "名称"),
        t("Requirements", "要求数"),
        t("Known at", "资料截止"),
    )
    out.print(table(columns, rows))
    return 0


def show(
    pack: Pack, row: Annotated[str, Parameter(help="The id of a row. 行编号。")] = "", *, home: Home = None
) -> int:
    """Show one framework, or one row of it. 查看一个规范包或其中一行。"""
    from tongqiu.norms import library

    del home, row
    found = library.book(pack).pack
    console().print(found.title.of(lang()))
    return 0

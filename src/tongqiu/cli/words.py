"""How the command line speaks: one language at a time, tables that fit the terminal, progress on anything slow."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.table import Table

    from tongqiu.record.faults import Fault

VERDICTS = {
    "met": Text(en="met", zh="满足"),
    "unmet": Text(en="not met", zh="未满足"),
    "undecided": Text(en="undecided", zh="未定"),
    "not-assessed": Text(en="not assessed", zh="未评估"),
    "not-applicable": Text(en="not applicable", zh="不适用"),
}
JOB_STATES = {
    "queued": Text(en="queued", zh="排队中"),
    "running": Text(en="running", zh="进行中"),
    "done": Text(en="done", zh="已完成"),
    "failed": Text(en="failed", zh="失败"),
    "cancelled": Text(en="cancelled", zh="已取消"),
    "interrupted": Text(en="interrupted", zh="已中断"),
}
STYLES = {"met": "green", "unmet": "bold red", "undecided": "yellow", "not-assessed": "dim", "not-applicable": "dim"}
SEVERITY = ("critical", "high", "medium", "low", "info")


def lang() -> str:
    """Return the language of this call."""
    return os.environ.get("TONGQIU_LANG", "en")


def t(en: str, zh: str, **values: object) -> str:
    """Return the sentence in the language of this call, filled in; no value can obey a terminal or begin a line."""
    plain = {key: inert(str(value), one_line=True) for key, value in values.items()}
    return Text(en=en, zh=zh).fill(**plain).of(lang())


def console(*, error: bool = False) -> Console:
    """Return a console on standard output, or on standard error; plain where that is not a terminal."""
    from rich.console import Console

    class Inert(Console):
        """A console on which text is only ever shown: names and findings come from strangers' files."""

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for each in super().render(renderable, options):
                yield each if each.control else each._replace(text=inert(each.text))

    # Whatever is printed is inert: `did:key:` is no picture, and brackets are brackets.
    return Inert(stderr=error, highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> Table:
    """Return a plain table; every cell is inert text."""
    from rich import box
    from rich.table import Table
    from rich.text import Text as Inert

    made = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Inert(inert(str(cell), one_line=True)) for cell in row))
    return made


def styled(text: str, style: str) -> Any:  # noqa: ANN401 - a rich text
    """Return inert text in a style."""
    from rich.text import Text as Inert

    return Inert(inert(text), style=style)


def tell(words: str) -> None:
    """Write to standard error, inert."""
    sys.stderr.write(inert(words))


def ask(question: str) -> str:
    """Return what the person types, stripped. Raises Malformed (``input.none``) where nobody is there to answer."""
    try:
        return input(inert(question)).strip()
    except EOFError as error:
        raise Malformed(
            "input.none",
            Text(en="Nobody is there to answer.", zh="无人应答。"),
            do=Text(
                en="Run it in a terminal, or give the answer as an option (see --help).",
                zh="请在终端中运行，或以选项给出答案（见 --help）。",
            ),
        ) from error


def within(option: str, value: int, low: int, high: int) -> int:
    """Return ``value`` when it lies between ``low`` and ``high``, else raise Malformed (``option.range``)."""
    if low <= value <= high:
        return value
    raise Malformed(
        "option.range",
        Text(en="{option} cannot be {value}.", zh="{option} 不能为 {value}。"),
        do=Text(en="Give a number from {low} to {high}.", zh="请给出 {low} 到 {high} 之间的数。"),
        option=option,
        value=value,
        low=low,
        high=high,
    )


def complain(fault: Fault) -> None:
    """Write a fault to standard error without stopping."""
    tell(fault.explain(lang()) + f"\n[{fault.code}]\n")


def short(entry: str) -> str:
    """Return an entry id short enough for a table."""
    return entry.removeprefix("sha-256:")[:12]

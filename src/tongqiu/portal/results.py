"""What an assessment leaves behind as files: a report in two languages, the evidence file, and whom to trust for it.

``python -I -m tongqiu.portal.results HOME JOB PID`` is the process of one job in the background.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from tongqiu.record.faults import Unreachable
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tongqiu.node.assess import Outcome
    from tongqiu.node.node import Node

PROCESS = (sys.executable, "-I", "-m", "tongqiu.portal.results")
"""What :class:`tongqiu.node.work.Supervisor` starts for each job."""


def write(node: Node, outcome: Outcome, out: Path, withhold: Sequence[str] = ()) -> list[tuple[Text, Path]]:
    """Write every file of an outcome to ``out`` and return each with its label; none is replaced before all are whole.

    Raises Unreachable (``output.storage``).
    """
    from tongqiu.node import passports
    from tongqiu.portal.grades import shelf_of
    from tongqiu.portal.report import report_html

    desk = node.desk(node.owner)
    made: list[tuple[Text, Path, bytes]] = []
    for language, label in (("zh", "报告（中文）"), ("en", "Report (English)")):
        page = report_html(
            desk,
            outcome.system,
            language=language,
            practices=node.practices,
            node=node.name,
            shelf=shelf_of(node, desk),
        )
        made.append((Text(en=label, zh=label), out / f"report.{language}.html", page.encode()))
    evidence = passports.export(node, outcome.system, withhold=withhold)
    made.append((Text(en="Evidence file", zh="证据档案"), out / "passport.tqp", evidence))
    trust = Text(en="Trust file (for those who verify)", zh="信任文件（供核验者使用）")
    made.append((trust, out / "trust.toml", passports.trust_file(node.home).encode()))
    drafts = [(path.with_name(f".{path.name}.draft"), path) for _, path, _ in made]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for (draft, _), (_, _, data) in zip(drafts, made, strict=True):
            draft.write_bytes(data)
        for draft, path in drafts:
            draft.replace(path)
    except OSError as error:
        for draft, _ in drafts:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        raise _disk(out, error) from error
    return [(label, path) for label, path, _ in made]


def _disk(path: Path, error: OSError) -> Unreachable:
    return Unreachable(
        "output.storage",
        Text(en="{path} cannot be written: {error}.", zh="无法写入 {path}：{error}。"),
        do=Text(en="Free some space or name another place with --out.", zh="请腾出空间，或用 --out 指定别处。"),
        path=str(path),
        error=error.strerror or type(error).__name__,
    )


def main() -> None:
    """Do the one job that the arguments of this process name."""
    from tongqiu.node import work

    work.process(sys.argv[1:], write)


if __name__ == "__main__":
    main()

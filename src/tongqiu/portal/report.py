"""The report of one system as a single file: it opens anywhere, asks nothing of any network, and prints on A4.

It says first what was assessed, what came of it and what is most serious; then everything behind that; and then what
was not assessed and how to check the whole. It says what was measured, what was claimed and what nobody looked at, and
leaves every conclusion about duties to people.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import TYPE_CHECKING

from tongqiu.chart.mark import Mark
from tongqiu.portal.draw import Voice, css, render, report_css
from tongqiu.portal.grades import shipped
from tongqiu.portal.overview import subject_page

if TYPE_CHECKING:
    from tongqiu.portal.grades import Shelf
    from tongqiu.portal.lent import Desk, Practices
    from tongqiu.portal.models import MeasureRow, SubjectPage
    from tongqiu.record.subject import Subject


MOST_PLOTS = 8
"""Charts in a report, the most telling first."""


def report_html(  # noqa: PLR0913 - each part is named at the call
    desk: Desk, system: Subject, *, language: str, practices: Practices, node: str = "", shelf: Shelf = shipped
) -> str:
    """Return the report of ``system`` in ``language`` (``zh`` or ``en``) as one HTML document of UTF-8 text.

    Only what ``desk`` may see is in it. ``practices`` read the records and name their types; ``node`` is who wrote it;
    ``shelf`` finds the packs whose scales are shown whole.
    """
    page = subject_page(practices, desk, system, shelf)
    voice = Voice(language)
    return render(
        "report.html",
        voice,
        m=page,
        node=node,
        now=desk.now,
        style=Mark(style()),
        sections=_sections(page, voice),
        most_plots=MOST_PLOTS,
    ).lstrip()


@functools.cache
def style() -> str:
    """Return the style that stands inside every report."""
    return css() + report_css()


@functools.cache
def style_hash() -> str:
    """Return the style's hash as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()


def _sections(page: SubjectPage, voice: Voice) -> list[tuple[str, list[MeasureRow]]]:
    """Return the measures of the whole (those by group are drawn), under the system and each of its parts."""
    left = [row for row in page.measures if not row.group]
    sections = [(voice.t("The system as a whole", "系统整体"), [row for row in left if row.subject.same(page.subject)])]
    for part in page.parts:
        name = f"{voice.w('role', part.role)}: {part.subject.name or part.subject.id}"
        sections.append((name, [row for row in left if row.subject.same(part.subject)]))
    return [(name, rows) for name, rows in sections if rows]

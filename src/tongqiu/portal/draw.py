"""Turning a page's model into HTML: templates, words in the reader's language, and charts from the same numbers."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import jinja2

from tongqiu.chart.bar import Bar, Share, Tone
from tongqiu.chart.grade import GradeBar
from tongqiu.chart.interval import IntervalPlot, Point
from tongqiu.chart.number import number, plain, with_interval
from tongqiu.portal.tongue import TAGS
from tongqiu.portal.words import SIGNS, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tongqiu.chart.mark import Mark
    from tongqiu.portal.models import FindingRow, Grade, MeasureRow, Plot, Verdicts
    from tongqiu.record.subject import Subject
    from tongqiu.record.text import Text

MOST_LEAVES = 600
"""Leaves of a record's body that its page shows; all of them are in the JSON beside it."""
_MOST_POINTS = 60
_SHORT = 12
_ENTRY = re.compile(r"sha-256:[0-9a-f]{64}\Z")
_TONES: tuple[Tone, ...] = ("unmet", "undecided", "not-assessed", "met", "not-applicable")


class Leaves:
    """An allowance: each call of :meth:`take` uses up one, until none is left."""

    def __init__(self, count: int) -> None:
        """Allow ``count``."""
        self._left = count

    def take(self) -> bool:
        """Use up one and tell whether it was still there."""
        self._left -= 1
        return self._left >= 0


class Voice:
    """Everything a template may say in one language. ``keep`` holds the query that every link carries along."""

    def __init__(self, language: str, keep: Mapping[str, str] | None = None) -> None:
        """Speak ``language`` (``zh`` or ``en``)."""
        self.language = language
        self.tag = TAGS[language]
        self._keep = dict(keep or {})

    def t(self, en: str, zh: str) -> str:
        """Return one of two sentences that stand side by side in a template."""
        return zh if self.language == "zh" else en

    def x(self, text: Text | None) -> str:
        """Return a text in the reader's language."""
        return "" if text is None else text.of(self.language)

    def w(self, table: str, code: str) -> str:
        """Return the word for a code."""
        return word(table, code).of(self.language)

    def url(self, path: str, /, **query: object) -> str:
        """Return a link to a page of ours; parameters that are empty are left out."""
        pairs = {key: str(value) for key, value in {**query, **self._keep}.items() if value not in {None, ""}}
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def go(self, path: str) -> str:
        """Return a link to a path of ours that may bring a query along."""
        where, _, query = path.partition("?")
        return self.url(where, **dict(parse_qsl(query)))

    def about(self, subject: Subject) -> str:
        """Return the link to the page of a subject."""
        return self.url("/subject", id=subject.id)

    def value(self, row: MeasureRow) -> str:
        """Return a measured value with its interval and unit."""
        if isinstance(row.value, bool):
            return self.t("yes", "是") if row.value else self.t("no", "否")
        if not isinstance(row.value, int | float):
            return plain(row.value)
        written = with_interval(row.value, row.low, row.high, share=row.share)
        return written if row.share or row.unit in {"1", ""} else f"{written} {row.unit}"

    def group(self, group: Mapping[str, str]) -> str:
        """Return a group in words; ``between`` names the column whose groups are compared."""
        if set(group) == {"between"}:
            return self.t("between groups of {}", "各组之间：{}").format(group["between"].replace(" x ", " × "))
        return self.t(", ", "，").join(f"{key}: {value}" for key, value in group.items())

    def _by(self, group: Mapping[str, str]) -> str:
        if set(group) == {"between"}:
            return ""
        return self.t(", by {}", "（按 {}）").format(" × ".join(sorted(group)))

    def chart(self, plot: Plot) -> Mark:
        """Return the drawing of measures by group, the lowest value first, with how each stands against the limit."""
        rows = sorted(
            plot.rows, key=lambda row: (_real(row.value) is None, _real(row.value) or 0.0, self.group(row.group))
        )
        first = plot.rows[0]
        points = tuple(
            Point(self.group(row.group), _real(row.value), row.low, row.high, row.n) for row in rows[:_MOST_POINTS]
        )
        drawing = IntervalPlot(
            f"{self.x(plot.title)}{self._by(first.group)} · {plot.subject.name or plot.subject.id}",
            points,
            limit=plot.limit,
            share=all(row.share for row in plot.rows),
            unit=first.unit,
            coverage=first.coverage,
        )
        return drawing.figure(self.language)

    def single(self, row: FindingRow) -> Mark | str:
        """Return a small drawing of the number behind a finding, or nothing where it names no interval."""
        numbers = row.numbers
        if numbers.value is None or numbers.low is None or numbers.high is None:
            return ""
        stands: Any = row.verdict if row.verdict in {"met", "unmet", "undecided"} else ""
        point = Point("", numbers.value, numbers.low, numbers.high, stands=stands)
        return IntervalPlot(self.x(row.title), (point,), limit=numbers.limit).svg(self.language)

    def tally(self, counts: Verdicts) -> Mark:
        """Return findings by verdict as one bar with its legend."""
        parts = tuple(
            Bar(f"{SIGNS[tone]} {self.w('verdict', tone)}", getattr(counts, tone.replace("-", "_")), tone)
            for tone in _TONES
            if getattr(counts, tone.replace("-", "_"))
        )
        return Share(self.t("Findings by verdict", "各结论的判定数"), parts).svg(self.language)

    def grade(self, grade: Grade) -> GradeBar:
        """Return the drawing of a grade."""
        steps = tuple(self.x(step) for step in grade.steps)
        return GradeBar(self.x(grade.scale), steps, grade.low, grade.high)

    def alike(self, rows: Iterable[FindingRow]) -> list[tuple[FindingRow, str]]:
        """Return findings that say the same of several subjects once, with the names of all of them."""
        held: dict[tuple[str, str, str], tuple[FindingRow, list[str]]] = {}
        for row in rows:
            key = (row.title.en, row.verdict, row.reason.en)
            held.setdefault(key, (row, []))[1].append(row.subject.name or row.subject.id)
        return [(row, self.t(", ", "、").join(dict.fromkeys(names))) for row, names in held.values()]

    def leaves(self) -> Leaves:
        """Return a fresh allowance of leaves for one tree."""
        return Leaves(MOST_LEAVES)

    def when(self, instant: str | None) -> str:
        """Return an instant to the minute, with its zone."""
        return "–" if not instant else f"{instant[:10]} {instant[11:16]} UTC"


def short(digest: str | None) -> str:
    """Return the first twelve hex digits of a digest, enough to recognise it by."""
    if not digest:
        return "–"
    algorithm, _, value = digest.rpartition(":")
    return (
        (f"{algorithm}:" if algorithm and algorithm != "sha-256" else "")
        + value[:_SHORT]
        + ("…" if len(value) > _SHORT else "")
    )


def sign(verdict: str) -> str:
    """Return the sign of a verdict."""
    return SIGNS.get(verdict, "")


def is_text(value: object) -> bool:
    """Tell whether a value in a record's body is a text in two languages."""
    return (
        isinstance(value, dict) and set(value) == {"en", "zh"} and all(isinstance(each, str) for each in value.values())
    )


def is_entry(value: str) -> bool:
    """Tell whether a cell names a record."""
    return bool(_ENTRY.match(value))


def pretty(value: object) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def environment() -> jinja2.Environment:
    """Return the one environment: everything is escaped, every name must exist, practices bring their own templates."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(short=short, number=number, plain=plain, sign=sign, pretty=pretty)
    made.tests.update(bilingual=is_text, is_entry=is_entry)
    made.globals.update(css_version=css_version, script_version=script_version)
    return made


@functools.cache
def shared_environment() -> jinja2.Environment:
    """Return the environment, made once a process."""
    return environment()


def render(template: str, voice: Voice, **values: Any) -> str:  # noqa: ANN401 - whatever the template shows
    """Return ``template`` filled in, spoken by ``voice``."""
    return shared_environment().get_template(template).render(v=voice, t=voice.t, x=voice.x, w=voice.w, **values)


@functools.cache
def css() -> str:
    """Return the one style sheet of all pages."""
    return _file("tongqiu.portal", "static/portal.css")


@functools.cache
def passkey_script() -> str:
    """Return the one script there is: it asks a device for a passkey."""
    return _file("tongqiu.portal", "static/passkey.js")


@functools.cache
def report_css() -> str:
    """Return what the report adds to it."""
    return _file("tongqiu.portal", "static/report.css")


def css_version() -> str:
    """Return a few digits that change when the style sheet does."""
    return hashlib.sha256(css().encode()).hexdigest()[:10]


def script_version() -> str:
    """Return a few digits that change when the script does."""
    return hashlib.sha256(passkey_script().encode()).hexdigest()[:10]


def _source(name: str) -> tuple[str, str | None, Callable[[], bool] | None] | None:
    package, colon, path = name.rpartition(":")
    if ".." in path.split("/"):
        return None
    place = path if colon else f"templates/{name}"
    try:
        return _file(package or "tongqiu.portal", place), name, None
    except (OSError, ModuleNotFoundError):
        return None


def _file(package: str, path: str) -> str:
    return importlib.resources.files(package).joinpath(path).read_text(encoding="utf-8")


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

"""Where in a pack file a row stands, so that every complaint can name its line.

The standard TOML reader gives values without places. This index walks the same text once, knows tables, arrays of
tables and multi-line strings, and maps ``("rule", 3, "when")`` to a line number.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*\[(\[)?\s*([A-Za-z0-9_.\-]+)\s*\]")
_ENTRY = re.compile(r"\s*([A-Za-z0-9_\-]+(?:\s*\.\s*[A-Za-z0-9_\-]+)*)\s*=")
_FENCES = ('"""', "'''")


def index(text: str) -> dict[Path, int]:
    """Return the 1-based line of every table header and every key of ``text``, by path."""
    places: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    here: Path = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            if fence in line:
                fence = ""
            continue
        header = _HEADER.match(line)
        if header is not None:
            here = _enter(header[2].split("."), counts, array=header[1] is not None)
            places.setdefault(here, number)
            continue
        entry = _ENTRY.match(line)
        if entry is not None:
            parts = tuple(part.strip() for part in entry[1].split("."))
            for depth in range(1, len(parts) + 1):
                places.setdefault(here + parts[:depth], number)
            fence = _opened(line[entry.end() :])
    return places


def line_of(places: dict[Path, int], path: Path) -> int:
    """Return the line of ``path`` or, where that has none of its own, of the nearest thing around it."""
    while path not in places:
        path = path[:-1]
    return places[path]


def _enter(names: list[str], counts: dict[Path, int], *, array: bool) -> Path:
    path: Path = ()
    for depth, name in enumerate(names):
        path = (*path, name)
        last = depth == len(names) - 1
        if last and array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _opened(rest: str) -> str:
    """Return the fence that ``rest`` opens and does not close, or nothing."""
    for fence in _FENCES:
        if rest.count(fence) % 2:
            return fence
    return ""

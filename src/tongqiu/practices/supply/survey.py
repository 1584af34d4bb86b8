"""Looking through a folder for its licences: headers in program files, licence texts, and what packages declare."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

from tongqiu.practices.supply import expressions, fingerprint, manifests
from tongqiu.practices.supply.kinds import WHOLE, BadHeader, Declared, Expression, LicenceFile, Licences, Recognised
from tongqiu.record import digest
from tongqiu.record.faults import Malformed
from tongqiu.scan import tree as scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.scan.tree import File, Tree

HEAD = 1 << 16
"""Bytes at the start of a program file in which a header is looked for."""

MAX_TEXT = 1 << 20
"""Longest licence text that is read; the longest on the SPDX list has 60 kB."""

MOST_HEADERS, MOST_BAD, MOST_TEXTS, MOST_DECLARED = 200, 200, 500, 100

SOURCES = frozenset(
    {"bat", "c", "cc", "clj", "cmake", "cpp", "cs", "css", "cu", "cuh", "cxx", "dart", "erl", "ex", "exs"}
    | {"f", "f90", "go", "h", "hpp", "hs", "html", "ipynb", "java", "jl", "js", "jsx", "kt", "kts", "lua", "m"}
    | {"mjs", "ml", "mm", "php", "pl", "pm", "proto", "ps1", "py", "pyi", "pyx", "r", "rb", "rs", "s", "sass"}
    | {"scala", "scss", "sh", "sql", "swift", "ts", "tsx", "vue", "zig"}
)
"""Endings of program files: those that are counted when headers are."""

_NOT_TEXT = frozenset({"about", "cfg", "csv", "gz", "ini", "json", "png", "svg", "toml", "xml", "yaml", "yml", "zip"})

THIRD_PARTY = frozenset(
    {"_vendor", "deps", "extern", "external", "node_modules", "site-packages", "third-party", "third_party", "vendor"}
    | {"thirdparty", "vendored", "subprojects"}
)
"""Folders that hold the work of others."""

_TAG = re.compile(rb"^[^A-Za-z0-9\"'\n]{0,40}SPDX-License-Identifier:[ \t]*([^\r\n]{0,600})", re.MULTILINE)
_TAIL = re.compile(r"\s*(\*/|-->|\*\)|\"\"\"|'''|%>|#}|--}}|=\*+=)?\s*$")
_LICENCE = re.compile(
    r"((un)?licen[cs]es?|copying|copyright|notice|eula|terms|patents)([-_. ].{0,80})?\Z"
    r"|.{1,80}[-_. ](licen[cs]e|copying)(\.(txt|md|rst))?\Z",
    re.IGNORECASE,
)
_NOTICE = re.compile(r"(notice|copyright|terms|patents)([-_. ].{0,80})?\Z", re.IGNORECASE)


def survey(tree: Tree, progress: Callable[[int, int], None] | None = None) -> Licences:
    """Return the licences of the folder that ``tree`` walked. Reads; concludes nothing; raises nothing for content."""
    found = _Survey()
    for index, file in enumerate(tree.files):
        found.look(tree, file)
        if progress is not None and index % 64 == 0:
            progress(index, len(tree.files))
    return found.result(tree)


def is_licence(path: str) -> bool:
    """Tell whether a file is named like a licence text (``LICENSE``, ``COPYING.LESSER``, anything in ``LICENSES/``)."""
    folder, _, name = path.rpartition("/")
    if name.rpartition(".")[2].lower() in SOURCES | _NOT_TEXT:
        return False
    return bool(_LICENCE.match(name)) or folder.rpartition("/")[2] == "LICENSES"


def third_party(path: str) -> bool:
    """Tell whether a file lies in a folder for the work of others."""
    return not THIRD_PARTY.isdisjoint(part.lower() for part in path.split("/")[:-1])


class _Survey:
    """What one walk has found so far."""

    def __init__(self) -> None:
        self.sources = self.headed = 0
        self.headers: Counter[str] = Counter()
        self.bad: list[BadHeader] = []
        self.texts: list[LicenceFile] = []
        self.declared: list[Declared] = []

    def look(self, tree: Tree, file: File) -> None:
        """Take one file in."""
        if is_licence(file.path):
            self.texts.append(_licence_file(tree, file))
        elif file.path.rpartition(".")[2].lower() in SOURCES:
            self.sources += 1
            self.header(file.path, _bytes(tree, file, HEAD))
        if manifests.describes(file.path) and file.size <= manifests.MAX_BYTES and not third_party(file.path):
            try:
                self.declared += manifests.declared(file.path, _bytes(tree, file, manifests.MAX_BYTES))
            except Malformed as fault:
                self.bad.append(BadHeader(where=file.path, says="", wrong=fault.what))

    def header(self, path: str, data: bytes) -> None:
        """Take the first SPDX header of a program file in (SPDX 2.3 annex E; REUSE for what is to be ignored)."""
        data = re.sub(rb"REUSE-IgnoreStart.*?(REUSE-IgnoreEnd|\Z)", b"", data, flags=re.DOTALL)
        good = False
        for match in _TAG.finditer(data):
            says = _TAIL.sub("", match[1].decode("utf-8", "replace"))
            read = expressions.read(says)
            if isinstance(read, expressions.Expression):
                self.headers[read.text] += not good
                good = True
            else:
                line = data.count(b"\n", 0, match.start()) + 1
                self.bad.append(BadHeader(where=f"{path}:{line}", says=says[:200], wrong=read))
        self.headed += good

    def result(self, tree: Tree) -> Licences:
        """Return the body; longer lists are cut and what is left out is counted."""
        headers = [Expression(expression=text, files=count) for text, count in sorted(self.headers.items())]
        lists = (
            (headers, MOST_HEADERS),
            (self.bad, MOST_BAD),
            (self.texts, MOST_TEXTS),
            (self.declared, MOST_DECLARED),
        )
        return Licences(
            files=len(tree.files),
            sources=self.sources,
            headed=self.headed,
            index=fingerprint.INDEX_DIGEST,
            headers=tuple(headers[:MOST_HEADERS]),
            bad_headers=tuple(self.bad[:MOST_BAD]),
            texts=tuple(self.texts[:MOST_TEXTS]),
            declared=tuple(self.declared[:MOST_DECLARED]),
            left_out=len(tree.oddities),
            more=sum(max(0, len(each) - most) for each, most in lists),
        )


def licence_text(path: str, data: bytes) -> LicenceFile:
    """Return what the licence file ``path`` with the bytes ``data`` holds."""
    reading = fingerprint.recognise(data.decode("utf-8", "replace"))
    return LicenceFile(
        path=path[-500:],
        state=_state(path, reading),
        digest=str(digest.of_bytes(data)),
        foreign=reading.foreign,
        foreign_runs=round(reading.foreign * reading.runs),
        matches=tuple(
            Recognised(
                id=each.id,
                name=each.name,
                category=each.category,
                score=each.score,
                alternatives=each.alternatives,
                exception=each.exception,
            )
            for each in reading.matches[:50]
        ),
        third_party=third_party(path),
    )


def _state(path: str, reading: fingerprint.Reading) -> Literal["recognised", "altered", "unknown", "notice"]:
    best = max((match.score for match in reading.matches), default=0.0)
    if best >= WHOLE:
        return "recognised"
    if reading.matches:
        return "altered"
    return "notice" if _NOTICE.match(path.rpartition("/")[2]) else "unknown"


def _licence_file(tree: Tree, file: File) -> LicenceFile:
    if file.size <= MAX_TEXT:
        return licence_text(file.path, _bytes(tree, file, MAX_TEXT))
    # Too long for any licence: not read as one, but named with its digest so that it is not overlooked.
    with scan.open_regular(file.real, inside=tree.root) as stream:
        value, _ = digest.of_stream(stream)
    return LicenceFile(
        path=file.path[-500:],
        state="unknown",
        digest=str(value),
        foreign=1.0,
        foreign_runs=0,
        third_party=third_party(file.path),
    )


def _bytes(tree: Tree, file: File, most: int) -> bytes:
    with scan.open_regular(file.real, inside=tree.root) as stream:
        return stream.read(most)

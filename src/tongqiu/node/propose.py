"""Proposing a manifest: looking at a folder and writing down what could be assessed, for a person to confirm.

Nothing is decided for anyone: facts of use are left as questions, and what a column means is asked, not guessed.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.record.faults import Fault, Malformed
from tongqiu.record.text import Text, inert
from tongqiu.scan import tables, tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MODELS = frozenset({"onnx", "safetensors", "gguf", "npy", "pt", "pth", "bin", "pkl", "joblib", "h5", "keras"})
TABLES = frozenset({"csv", "tsv", "jsonl", "ndjson", "parquet"})
SOURCES = frozenset({"py", "js", "ts", "java", "go", "rs", "c", "cc", "cpp", "rb", "r", "jl", "sh"})
PACKAGES = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "package.json", "Cargo.toml", "go.mod"})
_MOST = 40
_LONGEST = 190
_FACTS = re.compile(r"\s*\[\s*facts\s*\]\s*(#.*)?$")
_TABLE = re.compile(r"\s*\[")


Said = bool | str | int | float | datetime.date
"""An answer of a person as a manifest holds it."""


class Seen(NamedTuple):
    """What lies in a folder: model files, tables with their columns, and folders of code; paths relative, sorted."""

    models: tuple[str, ...]
    tables: tuple[tuple[str, tuple[str, ...]], ...]
    code: tuple[str, ...]
    left_out: int


class Answers(NamedTuple):
    """What the person said: name and purpose of the system, for each table its label and sensitive columns, and facts."""

    name: str
    purpose: str = ""
    labels: Mapping[str, str] = {}
    sensitive: Mapping[str, Sequence[str]] = {}
    facts: Mapping[str, Said] = {}


def look(folder: Path) -> Seen:
    """Return what lies in ``folder``, at most 40 of each sort. Raises Missing, Malformed as :func:`scan.tree.walk`."""
    files = tree.walk(folder).files
    models: list[str] = []
    found: list[tuple[str, tuple[str, ...]]] = []
    code: set[str] = set()
    left = 0
    for file in files:
        name = file.path.rpartition("/")[2]
        ending = name.lower().removesuffix(".gz").rpartition(".")[2]
        if ending in MODELS:
            models.append(file.path)
        elif ending in TABLES:
            found.append((file.path, _columns(file.real)))
        elif ending in SOURCES or name in PACKAGES:
            code.add(file.path.partition("/")[0] if "/" in file.path else ".")
        else:
            left += 1
    folders = ("." if "." in code else None, *sorted(code - {"."}))
    chosen = ["."] if "." in code and not (models or found) else [each for each in folders if each and each != "."]
    return Seen(tuple(models[:_MOST]), tuple(found[:_MOST]), tuple(chosen[:_MOST]), left)


def write(seen: Seen, answers: Answers) -> str:
    """Return the text of a manifest for what was seen and said, with comments in both languages."""
    return revise(_write(seen, answers), answers.facts)


def revise(text: str, facts: Mapping[str, Said]) -> str:
    """Return the text of a manifest with ``facts`` as its answers, all other lines as their owner wrote them.

    Answers that are not among ``facts`` are left as they stand. Raises Malformed (``manifest.revise``) where the result
    would not say just that: the answers are written in a way that only a person can change.
    """
    before = tomllib.loads(text)
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if _FACTS.match(line)), None)
    if start is None:
        lines += ["", "[facts]"]
        start = len(lines) - 1
    stop = next((at for at in range(start + 1, len(lines)) if _TABLE.match(lines[at])), len(lines))
    held = flat(before.get("facts", {}))
    for key, value in facts.items():
        if held.get(key) == value and type(held.get(key)) is type(value):
            continue
        line = f"{quoted(key)} = {written(value)}"
        named = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        at = next((at for at in range(start + 1, stop) if named.match(lines[at])), None)
        if at is None:
            end = stop
            while end > start + 1 and not lines[end - 1].strip():
                end -= 1
            lines.insert(end, line)
            stop += 1
        else:
            lines[at] = line
    made = "\n".join(lines) + "\n"
    _check_revised(made, before, {**held, **facts})
    return made


def written(value: Said) -> str:
    """Return an answer as TOML writes it: words in quotation marks, numbers and days bare."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return value.isoformat() if isinstance(value, datetime.date) else quoted(value)


def _check_revised(made: str, before: Mapping[str, object], facts: Mapping[str, object]) -> None:
    try:
        after = tomllib.loads(made)
        said = after.pop("facts", {})
        # The same answer spelt twice, once in a table of its own, would leave it to the reader which one counts.
        fits = (
            flat(said) == facts
            and _leaves(said) == len(facts)
            and after == {k: v for k, v in before.items() if k != "facts"}
        )
    except tomllib.TOMLDecodeError:
        fits = False
    if not fits:
        raise Malformed(
            "manifest.revise",
            Text(en="The answers in this tongqiu.toml are written in a way that only a person can change.",
                 zh="此 tongqiu.toml 中的答案写法特殊，只能手工修改。"),
            do=Text(en="Open it in an editor and change its [facts].", zh="请用编辑器打开并修改其中的 [facts]。"),
        )  # fmt: skip


def _leaves(table: object) -> int:
    return sum(map(_leaves, table.values())) if isinstance(table, dict) else 1


def flat(table: object, prefix: str = "") -> dict[str, object]:
    """Return a table of tables as one table of dotted keys; nothing for what is no table."""
    found: dict[str, object] = {}
    for key, value in table.items() if isinstance(table, dict) else ():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def _write(seen: Seen, answers: Answers) -> str:
    lines = [
        "# What Tongqiu is to assess. 同球将要评估的内容。",
        "# Every key is explained in docs/manifest.md. 各键的说明见 docs/manifest.md。",
        "",
        "[system]",
        f"name = {quoted(answers.name)}",
        f"purpose = {quoted(answers.purpose)}",
    ]
    for path in seen.models:
        lines += ["", "[[model]]", f"name = {quoted(_stem(path))}", f"path = {quoted(path)}"]
    for path, columns in seen.tables:
        lines += ["", "[[data]]", f"name = {quoted(_stem(path))}", f"path = {quoted(path)}"]
        if columns:
            lines.append("# columns 列: " + ", ".join(inert(column[:60], one_line=True) for column in columns[:30]))
        label = answers.labels.get(path)
        if label:
            lines.append(f"label = {quoted(label)}")
        else:
            lines.append('# label = ""        # the column that holds the true outcome 真实结果所在列')
        sensitive = answers.sensitive.get(path)
        if sensitive:
            lines.append("sensitive = [" + ", ".join(quoted(each) for each in sensitive) + "]")
        else:
            lines.append("# sensitive = []    # columns whose groups must be treated alike 应被同等对待的群体所在列")
    for path in seen.code:
        name = answers.name[:_LONGEST] if path == "." else _stem(path)
        lines += ["", "[[code]]", f"name = {quoted(name + ' code')}", f"path = {quoted(path)}"]
    lines += [
        "",
        "[facts]",
        "# Declared facts of use; unanswered ones give a range, never a guess. 声明的使用事实；未回答者给出范围，绝不猜测。",
        "# List them with: tongqiu questions  用 tongqiu questions 列出全部问题。",
        "",
    ]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return ``text`` as a TOML basic string."""
    body = "".join(
        f"\\u{ord(char):04X}" if ord(char) < 32 or ord(char) == 127 else f"\\{char}" if char in '"\\' else char  # noqa: PLR2004 - controls
        for char in text
    )
    return f'"{body}"'


def _columns(path: Path) -> tuple[str, ...]:
    try:
        with tables.open_table(path) as table:
            return tuple(table.columns)
    except Fault:
        return ()


def _stem(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].partition(".")[0][:_LONGEST] or path[:_LONGEST]

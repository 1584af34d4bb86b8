"""Opening a stranger's JSON document: bounded in size and depth before it is parsed, and strict about what JSON is."""

from __future__ import annotations

import json
import re
from typing import Any

from tongqiu.norms.oscal.frame import Json
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

MAX_BYTES = 16 * 1024 * 1024
"""Longest catalog file, in bytes (NIST SP 800-53 in OSCAL has about 10 million)."""

MAX_DEPTH = 32
"""Deepest nesting of the file."""

_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)
"""A bracket, or a whole string, in which brackets do not count; never goes back over what it has read."""

_MEND = Text(en="Ask whoever made the file for a valid OSCAL catalog.", zh="请向文件提供方索取有效的 OSCAL 目录。")


def parse(data: bytes, where: str) -> Json:
    """Return the JSON object that holds an OSCAL catalog; ``where`` names the file in faults.

    Raises Malformed (``norms.oscal.size``, ``syntax``, ``deep``, ``no-catalog``).
    """
    if len(data) > MAX_BYTES:
        raise bad(
            "size", Text(en="A catalog may have {limit} bytes.", zh="目录最多 {limit} 字节。"), where, limit=MAX_BYTES
        )
    try:
        text = data.decode()
        _shallow(text, where)
        tree = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise bad(
            "syntax", Text(en="This is not JSON: {why}.", zh="不是 JSON：{why}。"), where, why=str(error)[:200]
        ) from error
    if not isinstance(tree, dict) or not isinstance(tree.get("catalog"), dict):
        raise bad("no-catalog", Text(en="This holds no OSCAL catalog.", zh="其中没有 OSCAL 目录。"), where)
    return tree


def _shallow(text: str, where: str) -> None:
    """Refuse a text that is nested too deeply, before anything recurses into it."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MAX_DEPTH:
            raise bad(
                "deep",
                Text(en="It is nested more than {limit} deep.", zh="嵌套超过 {limit} 层。"),
                where,
                limit=MAX_DEPTH,
            )


def _once(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _no_constant(name: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{name} is no JSON number")


def bad(code: str, what: Text, where: str, **values: object) -> Malformed:
    """Return the fault ``norms.oscal.<code>`` of a catalog."""
    return Malformed(f"norms.oscal.{code}", what, do=_MEND, where=where, **values)

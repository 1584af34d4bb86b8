"""The registries of the supply practice: licences found, model files, and what systems are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practice import Put
from tongqiu.practices.supply.kinds import BOM, LICENCES, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.statement import Statement


def licences(statement: Statement) -> Iterator[Put]:
    """Yield one row for each licence text and each declaration."""
    body = LICENCES.read(statement.body)
    about = {"subject": statement.subject.id, "name": statement.subject.name, "type": statement.subject.type}
    for text in body.texts:
        for match in text.matches:
            yield Put(
                about
                | {
                    "path": text.path,
                    "licence": match.id,
                    "basis": "text",
                    "score": match.score,
                    "state": text.state,
                    "category": match.category,
                }
            )
        if not text.matches:
            yield Put(about | _row(text.path, "", "text", text.state))
    for each in body.declared:
        state = "read" if each.expression else "unread"
        yield Put(about | _row(each.path, each.expression or each.says, "declared", state))
    for header in body.headers:
        yield Put(about | _row(f"({header.files})", header.expression, "header", "read"))


def _row(path: str, licence: str, basis: str, state: str) -> dict[str, object]:
    return {"path": path, "licence": licence, "basis": basis, "score": None, "state": state, "category": None}


def weights(statement: Statement) -> Iterator[Put]:
    """Yield one row for each model file."""
    for each in WEIGHTS.read(statement.body).files:
        yield Put(
            {
                "subject": statement.subject.id,
                "name": statement.subject.name,
                "path": each.path,
                "format": each.format,
                "state": each.state,
                "rule": each.code,
                "size": each.size,
                "digest": each.digest,
            }
        )


def components(statement: Statement) -> Iterator[Put]:
    """Yield one row for each type of component of a system."""
    body = BOM.read(statement.body)
    for kind, count in sorted(body.components.items()):
        yield Put(
            {
                "subject": statement.subject.id,
                "name": statement.subject.name,
                "type": kind,
                "count": count,
                "unpinned": body.unpinned if kind == "library" else 0,
                "bom": body.digest,
            }
        )

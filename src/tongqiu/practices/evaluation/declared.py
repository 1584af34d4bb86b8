"""What an owner may declare in the manifest for an evaluation, and what one evaluation is asked to do."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.record.subject import Subject

HALF = 0.5
"""Where a score becomes a decision unless the owner says otherwise."""

SMALLEST_CELL = 10
"""Fewest cases from which a rate is given."""


class DataKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner may say of a table: its role, and which columns hold what."""

    role: Literal["train", "validation", "test", "reference"] | None = None
    label: str | None = None
    prediction: str | None = None
    favourable: str | None = None
    sensitive: tuple[str, ...] = ()


class ModelKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner may say of a model: its task, inputs in order, and how its score becomes a decision."""

    task: str | None = None
    inputs: tuple[str, ...] = ()
    output: str | None = None
    positive: str | None = None
    threshold: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One evaluation: which table, which decisions, which columns."""

    data: Subject
    data_path: str
    label: str | None = None
    prediction: str | None = None
    favourable: str | None = None
    sensitive: tuple[str, ...] = ()
    model: Subject | None = None
    model_path: str | None = None
    inputs: tuple[str, ...] = ()
    output: str | None = None
    positive: str | None = None
    threshold: float = HALF
    smallest_cell: Annotated[int, msgspec.Meta(ge=5)] = SMALLEST_CELL

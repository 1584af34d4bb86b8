"""A question of a test method, as it is asked and as it is judged."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tongqiu.record.shapes import Scalar

Role = Annotated[str, msgspec.Meta(pattern="^(system|user|assistant)$")]
Target = dict[str, Scalar | tuple[str, ...]]


class Question(msgspec.Struct, frozen=True):
    """One question: ``messages`` are (role, text) in order; ``target`` what the judge needs; ``cluster`` what makes it like others."""

    id: str
    cluster: str
    language: str
    slice: str
    messages: tuple[tuple[Role, str], ...]
    target: Target

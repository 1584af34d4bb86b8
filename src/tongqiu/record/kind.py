"""A named, versioned type of record body, and how strangers read it.

The JSON Schema (2020-12) of a body has a digest that is pinned once the kind is released: the same name can never come
to mean something else. A kind that a node does not know is kept as it came, verified and passed on, and shown as such.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec

from tongqiu.record.faults import Malformed
from tongqiu.record.misfit import misfit
from tongqiu.record.text import Text
from tongqiu.record.types import ready

if TYPE_CHECKING:
    from tongqiu.record.shapes import Evidence, Finding

B = TypeVar("B")

NAME = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9-]*)+/[1-9][0-9]*\Z")
"""A kind's name: dotted words and a version, such as ``evaluation.result/1``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[B]):
    """One type of record.

    ``name`` ends in its version; ``body`` is a frozen msgspec struct that forbids unknown fields; ``title`` for people.
    ``evidence`` and ``findings`` show the body in the shared shapes; ``upgrade`` turns the body of the version before
    into this one; ``admit`` is a dotted reference to a pure function ``(Said, thread) -> None`` that raises Refused,
    run inside the sequencer's transaction over every record of the thread, ours and those heard from peers, with
    ``Said.speaker`` filled in (what peers said is kept as it came: no rule here can unsay it); ``holds`` computes again whatever the body derives from its own numbers and
    yields the names of fields that do not agree; ``public`` kinds are for everyone unless the record says otherwise.
    """

    name: str
    body: type[B]
    title: Text
    evidence: Callable[[B], Iterable[Evidence]] | None = None
    findings: Callable[[B], Iterable[Finding]] | None = None
    upgrade: Callable[[Any], B | None] | None = None
    admit: str | None = None
    holds: Callable[[B], Iterable[str]] | None = None
    public: bool = False

    def read(self, body: object, *, where: str = "") -> B:
        """Return ``body`` (builtins as decoded from CBOR) as this kind's type.

        Raises Malformed (``kind.body``) naming the field that does not fit.
        """
        try:
            return msgspec.convert(body, ready(self.body), strict=True)
        except msgspec.ValidationError as error:
            words = misfit(error)
            raise Malformed(
                "kind.body",
                Text(en="A record of kind {kind} does not fit it: {en}.", zh="记录不符合类型 {kind}：{zh}。"),
                do=Text(en="Mend the field that is named.", zh="请修正所指字段。"),
                where=where,
                kind=self.name,
                en=words.en,
                zh=words.zh,
            ) from error

    def write(self, body: B) -> Any:  # noqa: ANN401 - builtins for CBOR
        """Return ``body`` as plain maps, lists and scalars, after checking it against its own type."""
        plain = msgspec.to_builtins(body, str_keys=True)
        self.read(plain)
        return plain

    @property
    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of the body."""
        return _schema(cast("Hashable", self.body))

    @property
    def schema_digest(self) -> str:
        """Return ``sha-256:<hex>`` over the schema as JSON with sorted keys and no spaces (UTF-8)."""
        return _schema_digest(cast("Hashable", self.body))


@cache
def _schema(body: Hashable) -> dict[str, Any]:
    return msgspec.json.schema(body)


@cache
def _schema_digest(body: Hashable) -> str:
    shape = json.dumps(_schema(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha-256:" + hashlib.sha256(shape.encode()).hexdigest()

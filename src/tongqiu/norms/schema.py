"""The JSON Schema of a pack file, made from the very types that read it, so that the two can never differ.

The schema says what each row may hold; what no row can show alone (names of nothing, circles, conditions) only
``tongqiu norms check`` tells. TOML dates are strings of format ``date`` here.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from tongqiu.norms.pack import Pack

ID = "urn:tongqiu:schema:norm-pack:1"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a norm pack, format 1."""
    made = msgspec.json.schema(Pack)
    pack = made["$defs"]["Pack"]
    del pack["properties"]["digest"]
    pack["title"] = "Norm pack, format 1"
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, **made}
    return cast("dict[str, Any]", msgspec.json.decode(msgspec.json.encode(whole)))


def plain(value: Any) -> Any:  # noqa: ANN401 - what TOML holds
    """Return what a TOML reader gave, with dates written as JSON writes them, for a validator of JSON Schema."""
    return msgspec.to_builtins(value)

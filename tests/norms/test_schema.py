"""The published JSON Schema of a pack is that of the types, and every shipped pack fits it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from tongqiu.norms import library
from tongqiu.norms.schema import ID, plain, schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "spec" / "norm-pack.schema.json"


@pytest.fixture(scope="module")
def judge() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def test_what_is_published_is_what_the_types_say() -> None:
    assert json.loads(PUBLISHED.read_text("utf-8")) == schema(), "write it again: tongqiu norms schema"
    assert schema()["$id"] == ID
    assert "digest" not in schema()["$defs"]["Pack"]["properties"]


@pytest.mark.parametrize("name", library.shipped())
def test_a_shipped_pack_fits_the_schema(name: str, judge: jsonschema.Draft202012Validator) -> None:
    judge.validate(plain(tomllib.loads(library.raw(name).decode())))


@pytest.mark.parametrize("spoil", ['id = "Mini"', "id = 5", 'id = "mini"\nodd = 1'])
def test_the_schema_refuses_what_the_reader_refuses(spoil: str, judge: jsonschema.Draft202012Validator) -> None:
    text = (Path(__file__).parent / "mini.toml").read_text("utf-8")
    judge.validate(plain(tomllib.loads(text)))
    with pytest.raises(jsonschema.ValidationError):
        judge.validate(plain(tomllib.loads(text.replace('id = "mini"', spoil, 1))))

"""Records as bytes: what is written reads back, and nothing unfit is written or read."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.practice import load
from tongqiu.record import cbor
from tongqiu.record.audience import only_for
from tongqiu.record.faults import Malformed
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Component, Evidence, Finding
from tongqiu.record.statement import (
    MAX_CONTENT,
    Asked,
    Blob,
    Content,
    Statement,
    instant,
    moment_of,
    read_content,
    write_content,
)
from tongqiu.record.subject import Subject, check_id, is_id
from tongqiu.record.text import Text

AT = "2026-11-23T08:00:00.000Z"
ENTRY = "sha-256:" + "0" * 64
WORDS = Text(en="words", zh="文字")


def content(**more: Any) -> Content:
    given_: dict[str, Any] = {
        "kind": "evaluation.result/1",
        "schema": ENTRY,
        "subject": Subject("model", "urn:example:m", "tree-1:" + "a" * 64, "M"),
        "issuer": "did:key:z6Mk",
        "at": AT,
        "body": {"value": 0.5, "list": [1, None, True]},
    }
    return Content(**{**given_, **more})


FULL = content(
    rests_on=(ENTRY,),
    audience=only_for(["did:key:a"], marking="amber", embargo=AT),
    thread="urn:thread:x",
    files=(Blob("a.txt", "text/plain", ENTRY, 3),),
    asked=(Asked("a.b/1", 3, 1, ENTRY, AT, AT, "urn:x:y", "urn:t:u", ENTRY),),
    evidence=(
        Evidence("m.x", WORDS, 0.5, "1", "m@1", {"sex": "f"}, 10, 0.1, 0.4, 0.6, 0.95, (Component("items", 0.1),)),
    ),
    findings=(Finding("pack:1", WORDS, "unmet", "x.y", WORDS, {"limit": 0.1}, "high", WORDS),),
    by="probe@1",
    key=ENTRY,
)


@pytest.mark.parametrize("each", [content(), FULL])
def test_what_is_written_reads_back_byte_for_byte(each: Content) -> None:
    data = write_content(each)
    assert read_content(data) == each
    assert write_content(read_content(data)) == data


bodies = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(bodies)
def test_any_plain_body_survives(body: Any) -> None:
    data = write_content(content(body=body))
    assert write_content(read_content(data)) == data
    assert cbor.dumps(read_content(data).body) == cbor.dumps(body)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"kind": "Evaluation/1"}, "statement.kind"),
        ({"kind": "evaluation.result"}, "statement.kind"),
        ({"kind": "evaluation.result/0"}, "statement.kind"),
        ({"issuer": "somebody"}, "subject.id"),
        ({"subject": Subject("model", "no id at all")}, "subject.id"),
        ({"thread": "thread five"}, "subject.id"),
        ({"at": "2026-13-23T08:00:00.000Z"}, "statement.instant"),
        ({"at": "2026-11-23"}, "statement.instant"),
        ({"body": "x" * (MAX_CONTENT + 1)}, "statement.size"),
        ({"body": float("nan")}, "cbor.value"),
    ],
)
def test_what_is_unfit_is_not_written(more: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        write_content(content(**more))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"kind": 3},
        {"subject": {"type": "planet", "id": "urn:x:y"}},
        {"rests_on": ["sha-256:short"]},
        {"audience": {"readers": ["b", "a"]}},
        {"audience": {"marking": "red"}},
        {"findings": [{"requirement": "x"}]},
        {"files": [{"name": "../a", "media": "text/plain", "digest": ENTRY, "size": 1}]},
        {"key": "sha-1:00"},
    ],
)
def test_what_is_unfit_is_not_read(change: dict[str, Any]) -> None:
    plain = {**msgspec.to_builtins(content(), str_keys=True), **change}
    with pytest.raises(Malformed):
        read_content(cbor.dumps(plain), where="there")


def test_moments_have_one_form_that_sorts_as_time_does() -> None:
    early = datetime.datetime(2026, 1, 1, 8, 0, 0, 1999, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    assert instant(early) == "2026-01-01T00:00:00.001Z"
    assert moment_of(instant(early)) == early.replace(microsecond=1000)
    with pytest.raises(ValueError, match="time zone"):
        instant(datetime.datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused here


@given(st.datetimes(timezones=st.just(datetime.UTC)), st.datetimes(timezones=st.just(datetime.UTC)))
def test_texts_of_moments_sort_as_moments(one: datetime.datetime, two: datetime.datetime) -> None:
    first, second = (each.replace(microsecond=each.microsecond // 1000 * 1000) for each in (one, two))
    if first.year >= 1000 <= second.year:
        assert (instant(first) < instant(second)) == (first < second)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("pkg:pypi/msgspec@0.20.0", True),
        ("pkg:npm/%40scope/name", True),
        ("did:web:example.org:lab", True),
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", True),
        ("https://example.org", False),
        ("urn:x", False),
        ("pkg:", False),
        ("urn:example:with space", False),
        ("urn:example:" + "x" * 1024, False),
        ("urn:example:\ud800", False),
    ],
)
def test_identifiers(text: str, good: bool) -> None:  # noqa: FBT001 - an expected value
    assert is_id(text) == good
    if good:
        assert check_id(text) == text
    else:
        with pytest.raises(Malformed):
            check_id(text, where="x")


def test_subjects_are_the_same_by_name_or_by_bytes() -> None:
    one = Subject("model", "urn:example:a", "sha-256:" + "1" * 64)
    assert one.same(Subject("model", "urn:example:a"))
    assert one.same(Subject("dataset", "urn:example:b", one.digest))
    assert not one.same(Subject("model", "urn:example:b"))


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int


def test_a_kind_reads_writes_and_names_its_schema() -> None:
    kind = Kind(name="test.number/1", body=_Body, title=WORDS)
    assert kind.read(kind.write(_Body(3))) == _Body(3)
    assert kind.schema["$ref"]
    assert kind.schema_digest == Kind(name="test.other/1", body=_Body, title=WORDS).schema_digest
    with pytest.raises(Malformed) as caught:
        kind.read({"number": "3"}, where="w")
    assert caught.value.code == "kind.body"
    assert "number" in caught.value.what.en


def test_a_statement_shows_its_content() -> None:
    each = Statement(ENTRY, 3, "log", AT, FULL)
    assert (each.kind, each.subject, each.issuer, each.at, each.body) == (
        FULL.kind,
        FULL.subject,
        FULL.issuer,
        FULL.at,
        FULL.body,
    )


@pytest.mark.parametrize("ref", ["no.such.module:x", "tongqiu.record.text:nothing", "tongqiu", ""])
def test_a_reference_that_leads_nowhere_is_named(ref: str) -> None:
    with pytest.raises(Malformed) as caught:
        load(ref)
    assert caught.value.code == "practice.ref"

"""A form filled in by a browser, a program or a terminal: the same values, or every mistake at once."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.node.shop import PRACTICE, SAY, Form
from tongqiu.node.filling import MAX_FILE, MOST_FILES, Unfit, attachment, fill, plain, slots
from tongqiu.record.statement import Attachment

HASH = "ab" * 32
NEEDED = {"subject": "urn:tongqiu:test:one", "words": "three"}
WORD = next(each for each in PRACTICE.verbs if each.name == "shop.word")


def wrong(**values: Any) -> dict[str, str]:
    """Return what is wrong, in English, by field."""
    with pytest.raises(Unfit) as caught:
        fill(SAY, {**NEEDED, **values})
    assert all(any("一" <= char <= "鿿" for char in each.zh) for each in caught.value.fields.values())
    return {name: each.en for name, each in caught.value.fields.items()}


def test_texts_and_plain_values_lead_to_the_same_form() -> None:
    typed = {
        **NEEDED,
        "words": "  one\r\ntwo \n",
        "count": "7",
        "share": "0.5",
        "tags": "a\r\n\r\nb\n",
        "colours": ["red", "blue"],
        "sort": "fancy",
        "until": "2026-12-31",
        "whole": "true",
        "source": HASH.upper(),
        "partner": "did:key:z6MkfriendFriend",
    }
    sent = {
        **NEEDED,
        "words": "one\ntwo",
        "count": 7,
        "share": 0.5,
        "tags": ["a", "b"],
        "colours": ["red", "blue"],
        "sort": "fancy",
        "until": "2026-12-31T00:00:00.000Z",
        "whole": True,
        "source": f"sha-256:{HASH}",
        "partner": "did:key:z6MkfriendFriend",
    }
    at_terminal = {name: value if isinstance(value, list) else [value] for name, value in typed.items()}
    at_terminal["tags"] = ["a", "b"]
    one = fill(SAY, typed)
    assert one == fill(SAY, sent) == fill(SAY, at_terminal)
    assert one == Form(
        "urn:tongqiu:test:one", "one\ntwo", 7, 0.5, ("a", "b"), ("red", "blue"), "fancy",
        "2026-12-31T00:00:00.000Z", True, f"sha-256:{HASH}", "did:key:z6MkfriendFriend",
    )  # fmt: skip


def test_what_is_left_empty_has_its_default() -> None:
    assert fill(SAY, {**NEEDED, "count": "", "tags": "", "until": " ", "colours": [], "pages": []}) == Form(
        NEEDED["subject"], NEEDED["words"]
    )


def test_every_mistake_is_named_at_once_and_beside_its_field() -> None:
    with pytest.raises(Unfit) as caught:
        fill(SAY, {"subject": "nobody", "count": "11", "sort": "odd", "more": "x"})
    assert set(caught.value.fields) == {"subject", "words", "count", "sort", "more"}
    assert caught.value.code == "form.fields"
    made, state = caught.value.__reduce__()
    assert made(*state).fields == caught.value.fields  # type: ignore[operator, misc]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"words": "ab"}, "at least 3"),
        ({"words": "a" * 201}, "At most 200"),
        ({"words": "a\x00bcd"}, "cannot be shown"),
        ({"words": "a\ud800bcd"}, "cannot be shown"),
        ({"tags": "a\tb"}, "cannot be shown"),
        ({"words": ["one", "two"]}, "Give one value"),
        ({"words": {"a": 1}}, "Give words"),
        ({"count": "-1"}, ">= 0"),
        ({"count": "many"}, "Write a number"),
        ({"count": str(1 << 70)}, "<= 10"),
        ({"share": "nan"}, "Write a number"),
        ({"share": "1e999"}, "Write a number"),
        ({"share": "x"}, "Write a number"),
        ({"sort": "odd"}, "Choose one of: plain, fancy"),
        ({"colours": ["red", "green"]}, "Choose one of"),
        ({"tags": ["a", ""]}, "One of these is empty"),
        ({"tags": [str(number) for number in range(2001)]}, "too many"),
        ({"until": "tomorrow"}, "Write a day"),
        ({"until": "2026-05-40"}, "Write a day"),
        ({"until": "2026-13-01T00:00:00.000Z"}, "Write a day"),
        ({"whole": "perhaps"}, "true or false"),
        ({"source": "abc"}, "64 hex digits"),
        ({"partner": "me"}, "Write an identifier"),
        ({"subject": "x" * 2000}, "Write an identifier"),
        ({"pages": ["x"]}, "A file is an object"),
        ({"pages": [{"name": "a", "data": "%"}]}, "A file is an object"),
        ({"pages": [{"name": "a/b", "data": ""}]}, "cannot be kept"),
        ({"pages": [Attachment("a", "text/plain", b"")] * (MOST_FILES + 1)}, "At most 16 files"),
    ],
)
def test_each_mistake_has_its_words(values: dict[str, Any], words: str) -> None:
    found = wrong(**values)
    assert list(found) == list(values)
    assert words in found[next(iter(values))]


def test_a_file_that_is_too_long_is_named() -> None:
    long = Attachment("long.bin", "application/octet-stream", bytes(MAX_FILE + 1))
    assert "long.bin" in wrong(pages=(long,))["pages"]


def test_a_form_that_refuses_itself_says_so_where_it_can() -> None:
    for word, where in (("never", ""), ("nobody", "words")):
        with pytest.raises(Unfit) as caught:
            fill(WORD, {"subject": "urn:tongqiu:test:one", "words": word})
        assert list(caught.value.fields) == [where]


def test_a_pattern_that_does_not_fit_is_explained() -> None:
    from tongqiu.node.core_verbs import VERBS

    declare = next(each for each in VERBS if each.name == "core.declare")
    with pytest.raises(Unfit) as caught:
        fill(declare, {"subject": "urn:tongqiu:test:one", "name": "No Name", "value": "x"})
    assert "see the explanation" in caught.value.fields["name"].en


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("2026-12-31", "2026-12-31T00:00:00.000Z"),
        ("2026-12-31T18:00", "2026-12-31T18:00:00.000Z"),
        ("2026-12-31 18:00:07", "2026-12-31T18:00:07.000Z"),
        ("2026-12-31T18:00:07.123Z", "2026-12-31T18:00:07.123Z"),
    ],
)
def test_days_and_times_are_in_utc(typed: str, kept: str) -> None:
    assert fill(SAY, {**NEEDED, "until": typed}).until == kept


def test_files_come_as_json_or_as_they_are_and_only_their_digest_is_kept() -> None:
    sent = {"name": "a.txt", "media": "text/plain", "data": base64.b64encode(b"hello").decode()}
    form = fill(SAY, {**NEEDED, "pages": [sent]})
    assert form.pages == (Attachment("a.txt", "text/plain", b"hello"),) == (attachment(sent),)
    assert form == fill(SAY, NEEDED, {"pages": form.pages})
    digest = "sha-256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert plain(form) == {**NEEDED, "pages": [{"name": "a.txt", "media": "text/plain", "digest": digest}]}


def test_the_slots_of_a_form_are_in_its_own_order() -> None:
    found = slots(SAY)
    assert [each.name for each in found] == list(SAY.fields)
    assert [each.name for each in found if each.required] == ["subject", "words"]
    assert [each.name for each in found if each.several] == ["tags", "colours", "pages"]


@given(st.dictionaries(st.sampled_from([*SAY.fields, "more"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda each: st.lists(each, max_size=3), max_leaves=5
)))  # fmt: skip
def test_whatever_is_sent_either_fits_again_or_is_named(values: dict[str, Any]) -> None:
    try:
        form = fill(SAY, values)
    except Unfit as fault:
        named = set(fault.fields)
    else:
        named = {"nothing"} if fill(SAY, plain(form)) == form else set()
    assert named

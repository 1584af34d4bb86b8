"""Words in two languages, filled from values that are never read as a template."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record.text import LANGUAGES, Text

NAMED = Text(en="{who} signed {what}.", zh="{what} 由 {who} 签名。")


def test_places_are_filled_in_both_languages() -> None:
    assert NAMED.fill(who="Ana", what="A") == Text(en="Ana signed A.", zh="A 由 Ana 签名。")


def test_a_place_without_a_value_stays_visible() -> None:
    assert NAMED.fill(who="Ana").en == "Ana signed {what}."


@given(st.text(), st.text())
def test_values_are_plain_text_whatever_they_hold(who: str, what: str) -> None:
    assert NAMED.fill(who=who, what=what).en == f"{who} signed {what}."


@pytest.mark.parametrize("value", ["{what}", "{who.__class__}", "{0}", "{", "}", "{{}}"])
def test_a_value_is_never_filled_again(value: str) -> None:
    assert NAMED.fill(who=value, what="secret").en == f"{value} signed secret."


@pytest.mark.parametrize("template", ["{a.__class__}", "{a[0]}", "{a.b.c}"])
def test_a_template_cannot_reach_into_an_object(template: str) -> None:
    assert Text(en=template, zh="").fill(a=Text).en == template


@pytest.mark.parametrize("template", ["{", "}", "{a", "{a:d}", "{a:>5}", "{a!q}", "{}", "{0}", "{:{}}"])
def test_no_template_and_no_value_make_it_fail(template: str) -> None:
    for value in ("x", None, [1], 1.5):
        assert isinstance(Text(en=template, zh=template).fill(a=value).en, str)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("zh", "水"),
        ("zh-CN", "水"),
        ("ZH-Hant", "水"),
        ("en", "water"),
        ("en-GB", "water"),
        ("fr", "water"),
        ("", "water"),
    ],
)
def test_the_primary_language_decides_and_english_is_the_rest(tag: str, expected: str) -> None:
    assert Text(en="water", zh="水").of(tag) == expected


def test_both_working_languages_are_required() -> None:
    assert LANGUAGES == ("zh", "en")
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"en": "water"}, Text)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"en": "water", "zh": "水", "xx": "?"}, Text)
    assert msgspec.json.decode(msgspec.json.encode(NAMED), type=Text) == NAMED

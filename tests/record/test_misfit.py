"""A strict reader's words in both languages: those that msgspec really says today, and new ones as they come."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from tongqiu.record.misfit import misfit


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=2, max_length=4, pattern="^[a-z]*$")] = "ab"
    number: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    word: Literal["one", "two"] = "one"
    either: int | None = None
    rows: Annotated[tuple[int, ...], msgspec.Meta(max_length=1)] = ()


class _Needs(msgspec.Struct):
    name: str


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        ({"name": 1}, "text is needed, and this is a whole number (name)", "须为文字，此处却是整数（name）"),
        ({"name": "a"}, "text of at least 2 is needed (name)", "至少需要 2（文字）（name）"),
        ({"name": "abcde"}, "text of at most 4 is possible (name)", "最多可有 4（文字）（name）"),
        ({"name": "AB"}, "it must be written as '^[a-z]*$' (name)", "须按此形式书写：'^[a-z]*$'（name）"),
        ({"number": -1}, "a whole number >= 0 is needed (number)", "须为 >= 0 的整数（number）"),
        ({"number": 10}, "a whole number <= 9 is needed (number)", "须为 <= 9 的整数（number）"),
        ({"word": "three"}, "'three' is none of the possible values (word)", "'three' 不是可用的值（word）"),
        (
            {"either": "x"},
            "a whole number or nothing is needed, and this is text (either)",
            "须为整数或空值，此处却是文字（either）",
        ),
        ({"rows": [1, 2]}, "a list of at most 1 is possible (rows)", "最多可有 1（列表）（rows）"),
        ({"rows": ["x"]}, "a whole number is needed, and this is text (rows[0])", "须为整数，此处却是文字（rows[0]）"),
        ({"more": 1}, "more is not known here", "此处没有 more"),
    ],
)
def test_what_msgspec_says(value: Any, en: str, zh: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, _Row, strict=True)
    found = misfit(caught.value)
    assert (found.en, found.zh) == (en, zh)


def test_what_is_missing_and_what_is_new() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({}, _Needs)
    assert misfit(caught.value).zh == "缺少 name"
    assert misfit("name a kind or a finding - at `$.requirement[3]`").zh == "须写明 kind 或 finding（requirement[3]）"
    assert misfit("Something else").en == misfit("Something else").zh == "Something else"

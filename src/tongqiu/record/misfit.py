"""What does not fit, in both languages: a strict reader's own words, put so that people can mend their input."""

from __future__ import annotations

import re
from typing import Final

from tongqiu.record.text import Text

_TYPES: Final = {
    "str": Text(en="text", zh="文字"),
    "int": Text(en="a whole number", zh="整数"),
    "float": Text(en="a number", zh="数"),
    "bool": Text(en="true or false", zh="true 或 false"),
    "null": Text(en="nothing", zh="空值"),
    "array": Text(en="a list", zh="列表"),
    "object": Text(en="a table", zh="表"),
    "bytes": Text(en="bytes", zh="字节"),
    "date": Text(en="a date", zh="日期"),
    "datetime": Text(en="a date and time", zh="日期与时间"),
}
_FORMS: Final = (
    (r"Object missing required field `(?P<name>[^`]+)`", Text(en="{name} is missing", zh="缺少 {name}")),
    (r"Object contains unknown field `(?P<name>[^`]+)`", Text(en="{name} is not known here", zh="此处没有 {name}")),
    (r"Invalid enum value (?P<name>.+)", Text(en="{name} is none of the possible values", zh="{name} 不是可用的值")),
    (r"Invalid value (?P<name>.+)", Text(en="{name} is none of the possible values", zh="{name} 不是可用的值")),
    (
        r"Expected `\w+` matching regex (?P<name>.+)",
        Text(en="it must be written as {name}", zh="须按此形式书写：{name}"),
    ),
    (
        r"Expected `(?P<kind>\w+)` of length >= (?P<n>\d+)(?:, got \d+)?",
        Text(en="{kind} of at least {n} is needed", zh="至少需要 {n}（{kind}）"),
    ),
    (
        r"Expected `(?P<kind>\w+)` of length <= (?P<n>\d+)(?:, got \d+)?",
        Text(en="{kind} of at most {n} is possible", zh="最多可有 {n}（{kind}）"),
    ),
    (
        r"Expected `(?P<kind>\w+)` (?P<sign>>=|<=|>|<) (?P<n>[-\d.e+]+)",
        Text(en="{kind} {sign} {n} is needed", zh="须为 {sign} {n} 的{kind}"),
    ),
    (
        r"Expected `(?P<kind>[\w | ]+)`, got `(?P<got>\w+)`",
        Text(en="{kind} is needed, and this is {got}", zh="须为{kind}，此处却是{got}"),
    ),
    ("both en and zh must be written", Text(en="both en and zh must be written", zh="en 与 zh 都须填写")),
    ("name a kind or a finding", Text(en="name a kind or a finding", zh="须写明 kind 或 finding")),
    (
        "name a scale and its grades, or neither",
        Text(en="name a scale and its grades, or neither", zh="scale 与 grades 须同时写明，或都不写"),
    ),
)
_PLACE: Final = re.compile(r" - at `(?:key in )?\$?\.?(?P<place>[^`]*)`\Z")


def misfit(error: Exception | str) -> Text:
    """Return what msgspec, or a check within a type, says of a value that does not fit; its own words where they are new.

    ``Expected `int`, got `str` - at `$.rule[0].grade``` becomes "a whole number is needed, and this is text (rule[0].grade)".
    """
    said = str(error)[:300]
    found = _PLACE.search(said)
    place = found["place"] if found else ""
    words = _said(said[: found.start()] if found else said)
    return Text(en=f"{words.en} ({place})", zh=f"{words.zh}（{place}）") if place else words


def _said(words: str) -> Text:
    for form, text in _FORMS:
        if match := re.fullmatch(form, words):
            given = match.groupdict()
            english = {name: _kind(value).en if name in {"kind", "got"} else value for name, value in given.items()}
            chinese = {name: _kind(value).zh if name in {"kind", "got"} else value for name, value in given.items()}
            return Text(en=text.fill(**english).en, zh=text.fill(**chinese).zh)
    return Text(en=words, zh=words)


def _kind(names: str) -> Text:
    known = [_TYPES.get(each.strip(), Text(en=each.strip(), zh=each.strip())) for each in names.split("|")]
    return Text(en=" or ".join(each.en for each in known), zh="或".join(each.zh for each in known))

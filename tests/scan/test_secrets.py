"""Keys and passwords left in text: shown by place and sort, never by value."""

from __future__ import annotations

import itertools
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.scan.secrets import SORTS, entropy, scan

_RANDOM = random.Random(7)  # noqa: S311 - made-up keys, the same each time


def _made(size: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_RANDOM.choice(alphabet) for _ in range(size))


# Made up at run time, so that no scanner of repositories takes this file for a leak.
MADE = [
    ("aws-access-key", "AKIA" + _made(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
    ("github-token", "ghp_" + _made(36)),
    ("gitlab-token", "glpat-" + _made(20)),
    ("slack-token", "xoxb-" + _made(24)),
    ("google-key", "AIza" + _made(35)),
    ("openai-key", "sk-" + _made(48)),
    ("huggingface-token", "hf_" + _made(34, string.ascii_letters)),
    ("stripe-key", "sk_live_" + _made(24)),
    ("pypi-token", "pypi-" + _made(100)),
    ("npm-token", "npm_" + _made(36)),
    ("aliyun-key", "LTAI" + _made(20)),
    ("tencent-key", "AKID" + _made(32)),
    ("web-token", "eyJ" + _made(20) + ".eyJ" + _made(30) + "." + _made(43)),
    ("private-key", "-----BEGIN " + "RSA PRIVATE KEY-----"),
]


@pytest.mark.parametrize(("sort", "value"), MADE)
def test_known_forms_are_found_and_hidden(sort: str, value: str) -> None:
    text = f"first line\n配置：{value} 结束"
    (found,) = scan(text)
    assert (found.sort, found.line) == (sort, 2)
    assert text[found.start : found.end] == value
    assert value not in repr(found)
    assert sort in SORTS


def test_passwords_in_addresses_and_assignments() -> None:
    secret = _made(20)
    for text, sort in (
        (f"postgres://user:{secret}@db.example.com/x", "url-password"),
        (f"password = '{secret}'", "assigned"),
        (f'"api_key": "{secret}"', "assigned"),
        (f"密码：{secret}", "assigned"),
    ):
        (found,) = scan(text)
        assert (found.sort, text[found.start : found.end]) == (sort, secret)


@pytest.mark.parametrize(
    "text",
    [
        "password = changeme-please-now",
        "token: your_token_goes_here_1",
        "secret = ${SECRET_FROM_ENV_12}",
        "password: aaaaaaaaaaaaaaaa1111",
        "the key to understanding is reading",
        "https://user@example.com/path",
        "AKIASHORT",
        "-----BEGIN PUBLIC KEY-----",
    ],
)
def test_placeholders_and_words_stay_quiet(text: str) -> None:
    assert scan(text) == []


def test_entropy_is_shannon() -> None:
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2
    assert entropy("aabb") == 1


@given(st.text(max_size=120))
def test_any_text_is_read_and_nothing_overlaps(text: str) -> None:
    found = scan(text)
    assert all(one.end <= two.start for one, two in itertools.pairwise(found))

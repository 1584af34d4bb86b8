"""Finding keys and passwords that were left in text, and showing where, never what.

Known forms of well-known services are found by their marks; anything else only where a name such as ``password`` is
given a value that looks random (Shannon entropy), so that example words stay quiet.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from tongqiu.record.text import Text

METHOD = "scan.secrets@1"
"""Name and version of the method, for evidence."""


class Secret(NamedTuple):
    """One secret: what sort it is, where it stands (offsets), its line (1 is the first), and a form that hides it."""

    sort: str
    start: int
    end: int
    line: int
    masked: str


SORTS: dict[str, Text] = {
    "private-key": Text(en="Private key", zh="私钥"),
    "aws-access-key": Text(en="AWS access key", zh="AWS 访问密钥"),
    "github-token": Text(en="GitHub token", zh="GitHub 令牌"),
    "gitlab-token": Text(en="GitLab token", zh="GitLab 令牌"),
    "slack-token": Text(en="Slack token", zh="Slack 令牌"),
    "google-key": Text(en="Google API key", zh="Google API 密钥"),
    "openai-key": Text(en="Model service key", zh="模型服务密钥"),
    "huggingface-token": Text(en="Hugging Face token", zh="Hugging Face 令牌"),
    "stripe-key": Text(en="Stripe secret key", zh="Stripe 密钥"),
    "pypi-token": Text(en="PyPI token", zh="PyPI 令牌"),
    "npm-token": Text(en="npm token", zh="npm 令牌"),
    "aliyun-key": Text(en="Alibaba Cloud access key", zh="阿里云访问密钥"),
    "tencent-key": Text(en="Tencent Cloud secret id", zh="腾讯云密钥"),
    "web-token": Text(en="Signed web token", zh="JSON Web 令牌"),
    "url-password": Text(en="Password in an address", zh="网址中的密码"),
    "assigned": Text(en="Password or key given to a name", zh="赋值的密码或密钥"),
}
"""What sorts of secrets there are, for people."""

_EDGE, _STOP = r"(?<![0-9A-Za-z_])", r"(?![0-9A-Za-z_])"
_FORMS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (sort, mark, re.compile(pattern))
    for sort, mark, pattern in (
        ("private-key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        ("aws-access-key", "A", _EDGE + r"(?:AKIA|ASIA)[A-Z2-7]{16}" + _STOP),
        ("github-token", "gh", _EDGE + r"gh[pousr]_[0-9A-Za-z]{36,255}" + _STOP),
        ("github-token", "github_pat_", _EDGE + r"github_pat_[0-9A-Za-z_]{60,255}" + _STOP),
        ("gitlab-token", "glpat-", _EDGE + r"glpat-[0-9A-Za-z_-]{20,64}"),
        ("slack-token", "xox", _EDGE + r"xox[abeoprs]-[0-9A-Za-z-]{10,250}"),
        ("google-key", "AIza", _EDGE + r"AIza[0-9A-Za-z_-]{35}"),
        ("openai-key", "sk-", _EDGE + r"sk-(?:proj-|ant-|svcacct-)?[0-9A-Za-z_-]{32,200}"),
        ("huggingface-token", "hf_", _EDGE + r"hf_[A-Za-z]{34}" + _STOP),
        ("stripe-key", "_live_", _EDGE + r"[rs]k_live_[0-9A-Za-z]{20,128}" + _STOP),
        ("pypi-token", "pypi-", _EDGE + r"pypi-[0-9A-Za-z_-]{80,300}"),
        ("npm-token", "npm_", _EDGE + r"npm_[0-9A-Za-z]{36}" + _STOP),
        ("aliyun-key", "LTAI", _EDGE + r"LTAI[0-9A-Za-z]{12,24}" + _STOP),
        ("tencent-key", "AKID", _EDGE + r"AKID[0-9A-Za-z]{13,40}" + _STOP),
        ("web-token", "eyJ", _EDGE + r"eyJ[0-9A-Za-z_-]{10,2000}\.eyJ[0-9A-Za-z_-]{10,4000}\.[0-9A-Za-z_-]{16,1000}"),
        ("url-password", "://", r"://[^\s:/@'\"<>]{1,64}:([^\s:/@'\"<>{}$]{3,128})@"),
    )
)
_ASSIGNED = re.compile(
    r"(?:password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credential|密码|口令|密钥|令牌)"
    r"[\"']?\s{0,3}(?:=|:|：|=>)\s{0,3}[\"']?([0-9A-Za-z+/=_.~!@#$%^&*-]{12,200})",
    re.IGNORECASE,
)
_NAMED = ("pass", "pwd", "secret", "token", "key", "credential", "密码", "口令", "密钥", "令牌")
_PLACEHOLDER = re.compile(
    r"example|changeme|placeholder|your[-_]|xxxx|\*\*\*\*|dummy|redacted|<|\{\{|\$\{|os\.environ|getenv", re.IGNORECASE
)
_BITS = 3.2
"""Entropy from which an assigned value counts, in bits a character: English words lie near 2.5, base64 above 4."""


def scan(text: str) -> list[Secret]:
    """Return the secrets in ``text`` in order of place, none overlapping another."""
    found: list[tuple[int, int, int, str]] = []
    for rank, (sort, mark, pattern) in enumerate(_FORMS):
        if mark in text:
            found += [(rank, *match.span(match.re.groups), sort) for match in pattern.finditer(text)]
    lower = text.lower()
    if any(name in lower for name in _NAMED):
        for match in _ASSIGNED.finditer(text):
            value = match[1]
            if _random(value):
                found.append((len(_FORMS), *match.span(1), "assigned"))
    kept: list[tuple[int, int, int, str]] = []
    for one in sorted(found, key=lambda item: (item[1], item[0])):
        if not kept or one[1] >= kept[-1][2]:
            kept.append(one)
    lines, at, secrets = 1, 0, []
    for _, start, end, sort in kept:
        lines += text.count("\n", at, start)
        at = start
        secrets.append(Secret(sort, start, end, lines, mask(text[start:end])))
    return secrets


def mask(value: str) -> str:
    """Return what may be shown of a secret: nothing but its length, rounded up to eight."""
    return f"•••({-(-len(value) // 8) * 8})"


def entropy(value: str) -> float:
    """Return the Shannon entropy of the characters of ``value`` in bits a character (0 for nothing)."""
    counts = [value.count(char) for char in set(value)]
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts) if value else 0.0


def _random(value: str) -> bool:
    kinds = sum((any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value))))
    return kinds >= 2 and entropy(value) >= _BITS and _PLACEHOLDER.search(value) is None  # noqa: PLR2004 - one kind of character is a word or a number

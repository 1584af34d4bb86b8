"""Asking a person before anything is sent to a service: where to, how many questions, how many tokens, at what cost."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from tongqiu.cli.words import ask, console, t, table
from tongqiu.node.gate import Consent, Wish, consents
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_KEY = re.compile(r"(?P<host>[^=\s]+)=(?P<variable>[A-Za-z_][A-Za-z0-9_]{0,99})\Z")
_YES = frozenset({"y", "yes", "是", "好", "同意"})


def asker(
    hosts: Mapping[str, Any], agreed: Iterable[str], keys: Iterable[str], *, person: bool | None = None
) -> Callable[[Sequence[Wish]], dict[str, Consent]]:
    """Return what asks for consent: hosts of ``node.toml`` and of ``--agree`` are agreed to; a person at a terminal is
    asked about each other one, by host. ``person`` tells whether one is there (by default: whether a terminal is).

    Raises Malformed (``assess.key``) for a ``--key`` that is not ``HOST=VARIABLE``.
    """
    named = dict(_split(each) for each in keys)
    said = tuple(agreed)

    def agree(wishes: Sequence[Wish]) -> dict[str, Consent]:
        found = consents(hosts, said, named)
        open_ = [each for each in wishes if each.host not in found]
        if open_ and (sys.stdin.isatty() if person is None else person):
            found |= consents({}, _asked(open_), named)
        return found

    return agree


def _asked(wishes: Sequence[Wish]) -> list[str]:
    """Show what would be sent and return the hosts that the person agreed to."""
    rows = [
        (
            each.run,
            each.host,
            f"{each.spend.questions:,}",
            f"{each.spend.tokens:,}",
            t("not known", "未知")
            if each.spend.cost is None
            else f"{each.spend.cost:.2f} {each.spend.currency}".strip(),
        )
        for each in wishes
    ]
    heads = (
        t("Check", "检测"),
        t("Sent to", "发送至"),
        t("Questions", "问题数"),
        t("Tokens", "词元数"),
        t("Cost", "费用"),
    )
    console(error=True).print(table(heads, rows, title=t("At most", "至多")))
    return [
        host
        for host in dict.fromkeys(each.host for each in wishes)
        if ask(t("Send this to {host}? [y/N] ", "发送到 {host}？[y/N] ", host=host)).lower() in _YES
    ]


def _split(given: str) -> tuple[str, str]:
    found = _KEY.match(given)
    if found is None:
        raise Malformed(
            "assess.key",
            Text(en="This does not name a host and a variable.", zh="此处未写明主机和变量。"),
            do=Text(
                en="Write --key HOST=VARIABLE, such as api.example.com=API_KEY; never the key itself.",
                zh="请写成 --key 主机=变量，如 api.example.com=API_KEY；切勿写入密钥本身。",
            ),
        )
    return found["host"], found["variable"]

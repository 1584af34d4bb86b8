"""How grave a risk is: five steps of likelihood, five of severity, and the level that each pair comes to.

Steps with a stated meaning, and a table that combines them, are a technique that IEC 31010:2019 describes (clause B.10.3,
consequence/likelihood matrix); the words, the table and the bands are our own (decision 0062). Severity is judged by scale,
scope and how far harm can be made good, as the commentary to Principle 14 of the UN Guiding Principles on Business and Human
Rights asks.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from tongqiu.record.text import Text

Step = Annotated[int, msgspec.Meta(ge=1, le=5)]
"""One of five steps, 1 the lightest."""

GRAVE = 4
"""From this level on a risk that remains is accepted by two people, never by one."""

LIKELIHOOD: tuple[tuple[Text, Text], ...] = (
    (
        Text(en="rare", zh="罕见"),
        Text(en="Not expected in the life of the system.", zh="预计在系统整个使用期内不会发生。"),
    ),
    (Text(en="unlikely", zh="不太可能"), Text(en="Once in its life, perhaps.", zh="使用期内或许发生一次。")),
    (Text(en="possible", zh="可能"), Text(en="Once a year, or known from others.", zh="每年约一次，或他处已有先例。")),
    (Text(en="likely", zh="很可能"), Text(en="Several times a year.", zh="每年数次。")),
    (
        Text(en="almost certain", zh="几乎必然"),
        Text(en="Every month or more, or now.", zh="每月或更频繁，或正在发生。"),
    ),
)
"""Each step of likelihood: its name and what it means."""

SEVERITY: tuple[tuple[Text, Text], ...] = (
    (
        Text(en="negligible", zh="轻微"),
        Text(en="An annoyance; nobody loses anything that matters.", zh="带来不便，无人有实质损失。"),
    ),
    (
        Text(en="minor", zh="较小"),
        Text(en="Few people, soon and wholly made good.", zh="影响少数人，可迅速完全弥补。"),
    ),
    (
        Text(en="serious", zh="严重"),
        Text(
            en="A right, an income or health of some people is touched; made good with effort.",
            zh="部分人的权利、收入或健康受影响，须费力才能弥补。",
        ),
    ),
    (
        Text(en="grave", zh="重大"),
        Text(
            en="Many people, or the vulnerable; lasting harm, only partly made good.",
            zh="影响多人或弱势者，损害持久，只能部分弥补。",
        ),
    ),
    (
        Text(en="catastrophic", zh="灾难性"),
        Text(en="Loss of life, or harm to society that cannot be undone.", zh="造成死亡，或对社会造成不可逆的损害。"),
    ),
)
"""Each step of severity: its name and what it means."""

LEVELS: tuple[Text, ...] = (
    Text(en="very low", zh="很低"),
    Text(en="low", zh="低"),
    Text(en="medium", zh="中"),
    Text(en="high", zh="高"),
    Text(en="very high", zh="很高"),
)

_TABLE = (
    (1, 1, 2, 3, 4),
    (1, 2, 2, 3, 4),
    (1, 2, 3, 4, 5),
    (2, 2, 3, 4, 5),
    (2, 3, 4, 5, 5),
)
"""Levels by likelihood (rows) and severity (columns); harm that cannot be undone is never below *high*."""


def level(likelihood: int, severity: int) -> int:
    """Return the level, 1 to 5, of a risk of these steps (each 1 to 5); it never falls when either of them rises."""
    return _TABLE[likelihood - 1][severity - 1]


def name(step: int) -> Text:
    """Return what a level is called."""
    return LEVELS[step - 1]

"""What each measure is called, and what it counts, in words that people outside the field understand."""

from __future__ import annotations

from tongqiu.record.text import Text

TITLES: dict[str, Text] = {
    "selection-rate": Text(en="Share decided positive", zh="决定为正类的比例"),
    "base-rate": Text(en="Share whose recorded outcome is positive", zh="记录结果为正类的比例"),
    "accuracy": Text(en="Share decided as recorded (accuracy)", zh="决定与记录一致的比例（准确率）"),
    "true-positive-rate": Text(
        en="Share decided positive among those recorded positive (true positive rate)",
        zh="记录为正类者中被决定为正类的比例（真正率）",
    ),
    "false-positive-rate": Text(
        en="Share decided positive among those recorded negative (false positive rate)",
        zh="记录为负类者中被决定为正类的比例（假正率）",
    ),
    "true-negative-rate": Text(
        en="Share decided negative among those recorded negative (true negative rate)",
        zh="记录为负类者中被决定为负类的比例（真负率）",
    ),
    "false-negative-rate": Text(
        en="Share decided negative among those recorded positive (false negative rate)",
        zh="记录为正类者中被决定为负类的比例（假负率）",
    ),
    "precision": Text(
        en="Share recorded positive among those decided positive (precision)",
        zh="决定为正类者中记录为正类的比例（精确率）",
    ),
    "equalized-odds": Text(
        en="Equalized odds (the larger gap of true and false positive rates)",
        zh="机会均等化（真正率与假正率差距中较大者）",
    ),
    "too-few-to-judge": Text(en="Too few cases to judge", zh="样本过少，不作评判"),
    "skill": Text(en="Gain over always giving the commonest answer", zh="相对于恒给最常见答案的增益"),
}

MEANINGS: dict[str, Text] = {
    "selection-rate": Text(en="Share decided {positive}", zh="被决定为“{positive}”的比例"),
    "equalized-odds": Text(
        en="Share decided {positive} among those recorded so, and among the others",
        zh="在记录为“{positive}”者及其余者中，被决定为该结果的比例",
    ),
    "precision": Text(
        en="Share recorded {positive} among those decided so", zh="被决定为“{positive}”者中，记录也如此的比例"
    ),
}
"""What the measures that have limits compare; ``positive`` is the outcome by name."""

_STATISTICS = {
    "difference": Text(en="Greatest difference between groups: {measure}", zh="群体间最大差值：{measure}"),
    "ratio": Text(en="Smallest ratio between groups: {measure}", zh="群体间最小比值：{measure}"),
}


def title(measure: str) -> Text:
    """Return the title of a measure; its code name where it is unknown."""
    return TITLES.get(measure, Text(en=measure, zh=measure))


def statistic_title(measure: str, statistic: str) -> Text:
    """Return the title of a gap between groups."""
    inner, outer = title(measure), _STATISTICS[statistic]
    return Text(en=outer.en.replace("{measure}", inner.en), zh=outer.zh.replace("{measure}", inner.zh))


def group_words(by: dict[str, str]) -> str:
    """Return a group as ``afam=yes, single=no``; an empty level is shown as (blank)."""
    return ", ".join(f"{column}={level or '(blank)'}" for column, level in sorted(by.items()))

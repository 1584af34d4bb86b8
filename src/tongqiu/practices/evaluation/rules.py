"""The limits that verdicts are taken against, each with where it comes from, and the sentences that explain a verdict.

No limit here is the law of credit, of employment outside the United States, or of anything else: they are conventions
for screening, and each finding says so. A norm pack may read the same evidence against limits of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongqiu.measure.interval import Interval
from tongqiu.measure.verdict import Side, at_bound
from tongqiu.practices.evaluation.words import MEANINGS, group_words
from tongqiu.record.shapes import Finding
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.practices.evaluation.bodies import Fairness, Gap, Result
    from tongqiu.record.shapes import Verdict

RULES = "tongqiu.evaluation-limits@1"
INCOMPLETE = 0.01
"""Share of rows that may be missing before nothing can be said to be met."""

_FOUR_FIFTHS = Text(
    en="four-fifths, a rule of thumb for employment selection in the United States, 29 CFR 1607.4(D); here for screening, "
    "not law for other decisions",
    zh="“五分之四”，美国雇用筛选的经验法则（29 CFR 1607.4(D)）；此处仅供筛查，并非适用于其他决定的法律",
)
_TENTH = Text(
    en="this software's convention for screening; no law names it",
    zh="本软件的筛查惯例，并无法律规定此数",
)


class Rule(NamedTuple):
    """A limit on a gap: which, on which side of what value, why that value, and what it is called."""

    requirement: str
    measure: str
    statistic: str
    side: Side
    limit: float
    source: Text
    title: Text


LIMITS: tuple[Rule, ...] = (
    Rule(
        "evaluation.fairness.selection-difference",
        "selection-rate",
        "difference",
        "at-most",
        0.1,
        _TENTH,
        Text(
            en="Groups get the positive decision about equally often (difference)",
            zh="各群体获得正类决定的比例相近（差值）",
        ),
    ),
    Rule(
        "evaluation.fairness.selection-ratio",
        "selection-rate",
        "ratio",
        "at-least",
        0.8,
        _FOUR_FIFTHS,
        Text(
            en="Groups get the positive decision about equally often (ratio)", zh="各群体获得正类决定的比例相近（比值）"
        ),
    ),
    Rule(
        "evaluation.fairness.equalized-odds",
        "equalized-odds",
        "difference",
        "at-most",
        0.1,
        _TENTH,
        Text(en="Errors fall on groups about equally often", zh="各群体承受错误的比例相近"),
    ),
    Rule(
        "evaluation.fairness.predictive-parity",
        "precision",
        "difference",
        "at-most",
        0.1,
        _TENTH,
        Text(en="A positive decision means about the same in every group", zh="正类决定在各群体中含义相近"),
    ),
)

_REASONS: dict[str, Text] = {
    "unmet": Text(
        en="{measure}: {ends}; {statistic} {value}, with {coverage} confidence {low} to {high}, wholly beyond {limit} "
        "({source}). {comparisons} comparisons (Bonferroni).",
        zh="{measure}：{ends}；{statistic}为 {value}，以 {coverage} 的置信度在 {low} 至 {high} 之间，整个区间都超出 {limit}（{source}）。"
        "共比较 {comparisons} 次（Bonferroni 校正）。",
    ),
    "undecided": Text(
        en="{measure}: {ends}; {statistic} {value}, but with {coverage} confidence anything from {low} to {high}, on either "
        "side of {limit} ({source}). {comparisons} comparisons (Bonferroni). More cases would decide.",
        zh="{measure}：{ends}；{statistic}为 {value}，但以 {coverage} 的置信度可能是 {low} 至 {high} 之间的任何值，跨越 {limit}（{source}）。"
        "共比较 {comparisons} 次（Bonferroni 校正）。更多样本才能判定。",
    ),
    "met": Text(
        en="{measure}: {ends}; {statistic} {value}, with {coverage} confidence {low} to {high}, wholly within {limit} "
        "({source}). {comparisons} comparisons (Bonferroni).",
        zh="{measure}：{ends}；{statistic}为 {value}，以 {coverage} 的置信度在 {low} 至 {high} 之间，整个区间都在 {limit} 之内（{source}）。"
        "共比较 {comparisons} 次（Bonferroni 校正）。",
    ),
    "too-few": Text(
        en="{measure}: what could be judged is within the limit of {limit}, but {too_few} of {all} groups by {by} have too few "
        "cases (under {smallest}) to be judged, so nothing is said for all.",
        zh="{measure}：能够评判的部分在限值 {limit} 之内，但按 {by} 划分的 {all} 个群体中有 {too_few} 个样本过少（少于 {smallest}），"
        "无法评判，因此不对全体下结论。",
    ),
    "not-comparable": Text(
        en="{measure}: fewer than two groups by {by} have enough cases ({smallest}) to be compared.",
        zh="{measure}：按 {by} 划分的群体中，样本足够（{smallest}）可供比较的不足两个。",
    ),
    "incomplete": Text(
        en="{measure}: what was measured is within the limit of {limit}, but {missing} of {planned} rows could not be read, "
        "scored or had no recorded outcome, which is too many to conclude.",
        zh="{measure}：已测部分在限值 {limit} 之内，但 {planned} 行中有 {missing} 行无法读取、无法评分或没有记录结果，缺失过多，不能下结论。",
    ),
}
_STATISTICS = {"difference": Text(en="difference", zh="差值"), "ratio": Text(en="ratio", zh="比值")}


def fairness_findings(body: Fairness) -> Iterator[Finding]:
    """Yield one finding for each limit and each way of grouping, in the order of :data:`LIMITS`, then what was left out."""
    for rule in LIMITS:
        for gap in body.gaps:
            if (gap.measure, gap.statistic) == (rule.measure, rule.statistic):
                yield _finding(rule, gap, body)
    for by in body.left_out:
        yield _left_out(by)


def _finding(rule: Rule, gap: Gap, body: Fairness) -> Finding:
    measure, ends, statistic = _meaning(rule.measure, body), _ends(gap, body), _STATISTICS[gap.statistic]
    values: dict[str, object] = {
        "limit": _number(rule.limit),
        "comparisons": gap.comparisons,
        "coverage": f"{body.coverage:.0%}",
        "by": " x ".join(gap.by),
        "too_few": gap.too_few,
        "all": gap.groups + gap.too_few,
        "smallest": body.smallest_cell,
        "planned": body.rows.planned,
        "missing": body.rows.planned - body.rows.done,
    }
    verdict: Verdict = "not-assessed"
    code = "not-comparable"
    if gap.value is not None and gap.low is not None and gap.high is not None:
        values |= {"value": _number(gap.value), "low": _number(gap.low), "high": _number(gap.high)}
        verdict = at_bound(Interval(gap.low, gap.high, body.coverage, body.interval), rule.limit, rule.side)
        code = verdict
        if verdict == "met" and gap.too_few:
            verdict, code = "undecided", "too-few"
        elif verdict == "met" and body.rows.planned - body.rows.done > INCOMPLETE * body.rows.planned:
            verdict, code = "undecided", "incomplete"
    words = _REASONS[code]
    return Finding(
        requirement=rule.requirement,
        title=Text(en=f"{rule.title.en}, by {' x '.join(gap.by)}", zh=f"{rule.title.zh}（按 {' x '.join(gap.by)}）"),
        verdict=verdict,
        code=f"evaluation.{code}",
        reason=Text(
            en=words.fill(measure=measure.en, ends=ends.en, statistic=statistic.en, source=rule.source.en, **values).en,
            zh=words.fill(measure=measure.zh, ends=ends.zh, statistic=statistic.zh, source=rule.source.zh, **values).zh,
        ),
        params={
            "by": " x ".join(gap.by),
            "value": gap.value,
            "low": gap.low,
            "high": gap.high,
            "limit": rule.limit,
            "comparisons": gap.comparisons,
            "too-few": gap.too_few,
        },
        severity={"unmet": "high", "undecided": "medium"}.get(verdict, "info"),  # type: ignore[arg-type]
        mend=_MEND if verdict == "unmet" else None,
    )


def _left_out(by: tuple[str, ...]) -> Finding:
    return Finding(
        requirement="evaluation.fairness",
        title=Text(en=f"Treatment of groups, by {' x '.join(by)}", zh=f"群体公平性（按 {' x '.join(by)}）"),
        verdict="not-assessed",
        code="evaluation.too-many-groups",
        reason=Text(
            en="Not assessed by {by}: the values form too many groups to compare.",
            zh="未按 {by} 评估：取值形成的群体过多，无法比较。",
        ).fill(by=" x ".join(by)),
        params={"by": " x ".join(by)},
        severity="medium",
    )


def _meaning(measure: str, body: Fairness) -> Text:
    """Return what a measure compares, with the outcome by name: ``deny = no`` where the column is known."""
    source = body.source
    positive = f"{source.label} = {source.positive}" if source.label else source.positive
    good = Text(en=" (good for the person)", zh="（对当事人有利）") if source.favourable else Text(en="", zh="")
    words = MEANINGS[measure]
    return Text(en=words.fill(positive=positive + good.en).en, zh=words.fill(positive=positive + good.zh).zh)


def _ends(gap: Gap, body: Fairness) -> Text:
    """Return the lowest and the highest group with their rates as percentages, where the gap is of one rate."""
    parts = []
    for by in (gap.lowest, gap.highest):
        rates = [v.value for g in body.groups if g.by == by for v in g.values if v.measure == gap.measure]
        rate = f" {rates[0]:.1%}" if rates and rates[0] is not None else ""
        parts.append(f"{group_words(by)}{rate}")
    return Text(en=f"{parts[0]} against {parts[1]}", zh=f"{parts[0]}，对比 {parts[1]}")


_MEND = Text(
    en="Find which features carry the gap, change the model, its threshold or its use, and assess it again; or explain, to "
    "whoever must answer for it, why the gap is justified.",
    zh="找出造成差距的特征，调整模型、阈值或用途后重新评估；或向须为此负责者说明差距的正当理由。",
)


def skill_finding(body: Result) -> Finding:
    """Return the finding on whether the decisions are right more often than a constant answer (the floor)."""
    assert body.skill is not None  # noqa: S101 - asked only for results with recorded outcomes
    skill = body.skill
    verdict = at_bound(Interval(skill.low, skill.high, body.coverage, "clopper-pearson"), 0.0, "at-least")
    missing = body.rows.planned - body.rows.done > INCOMPLETE * body.rows.planned
    if verdict == "met" and (skill.low == 0.0 or missing):
        verdict = "undecided"
    words = {
        "met": Text(
            en="The decisions are right more often than always answering '{constant}': the gain is {value} of all rows, with "
            "{coverage} confidence between {low} and {high}.",
            zh="其决定比恒答“{constant}”更常正确：增益为全部行的 {value}，以 {coverage} 的置信度在 {low} 与 {high} 之间。",
        ),
        "undecided": Text(
            en="It is not shown that the decisions are right more often than always answering '{constant}': the gain is "
            "{value} of all rows, with {coverage} confidence between {low} and {high}.",
            zh="尚不能表明其决定比恒答“{constant}”更常正确：增益为全部行的 {value}，以 {coverage} 的置信度在 {low} 与 {high} 之间。",
        ),
        "unmet": Text(
            en="The decisions are right less often than always answering '{constant}': the gain is {value} of all rows, with "
            "{coverage} confidence between {low} and {high}.",
            zh="其决定正确的次数少于恒答“{constant}”：增益为全部行的 {value}，以 {coverage} 的置信度在 {low} 与 {high} 之间。",
        ),
    }[verdict]
    return Finding(
        requirement="evaluation.performance.above-floor",
        title=Text(en="The system is right more often than a constant answer", zh="系统比恒定答案更常正确"),
        verdict=verdict,
        code=f"evaluation.floor-{verdict}",
        reason=words.fill(
            constant=skill.constant,
            value=_number(skill.value),
            low=_number(skill.low),
            high=_number(skill.high),
            coverage=f"{body.coverage:.0%}",
        ),
        params={"value": skill.value, "low": skill.low, "high": skill.high, "constant": skill.constant},
        severity={"unmet": "high", "undecided": "medium"}.get(verdict, "info"),  # type: ignore[arg-type]
    )


def complete_finding(body: Result) -> Finding:
    """Return the finding on how many of the planned rows count."""
    rows = body.rows
    missing = rows.planned - rows.done
    met = missing <= INCOMPLETE * rows.planned
    return Finding(
        requirement="evaluation.completeness",
        title=Text(en="What was planned was measured", zh="计划的内容已测"),
        verdict="met" if met else "unmet",
        code="evaluation.complete" if met else "evaluation.incomplete-rows",
        reason=Text(
            en="{done} of {planned} rows count; {errored} could not be read or scored, {skipped} have no recorded outcome.",
            zh="{planned} 行中有 {done} 行计入；{errored} 行无法读取或评分，{skipped} 行没有记录结果。",
        ).fill(done=rows.done, planned=rows.planned, errored=rows.errored, skipped=rows.skipped),
        params={"planned": rows.planned, "done": rows.done, "errored": rows.errored, "skipped": rows.skipped},
        severity="info" if met else "medium",
    )


def unlooked_finding() -> Finding:
    """Return the finding that nobody looked at how groups are treated."""
    return Finding(
        requirement="evaluation.fairness",
        title=Text(en="Treatment of groups", zh="群体公平性"),
        verdict="not-assessed",
        code="evaluation.no-sensitive-columns",
        reason=Text(
            en="How groups are treated was not assessed: the table names no sensitive columns.",
            zh="未评估群体公平性：该表未声明敏感列。",
        ),
        severity="medium",
        mend=Text(
            en='Name them in the manifest, for example: sensitive = ["sex"]',
            zh='请在清单中声明，例如：sensitive = ["sex"]',
        ),
    )


def _number(value: float) -> str:
    return f"{value:.3f}"

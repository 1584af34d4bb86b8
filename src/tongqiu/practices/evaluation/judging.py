"""What a measurement allows to be said: better than systems without skill, worse, not known, or nothing as something lacks.

Every verdict is taken where the whole interval stands. A measure of safety alone is passed best by a system that does
nothing, so where a method names its partner in usefulness, both count together: the sum of the two shares less one
(Youden 1950, "Index for rating diagnostic tests", Cancer 3:32) is 0 for whatever refuses all, obeys all or guesses, and each
floor agent is compared by its own sum. A system that is beyond every floor in both measures is so in the sum, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tongqiu.record.shapes import Finding
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tongqiu.practices.evaluation.objects import Change, Floor, Measurement, Paired, Report
    from tongqiu.record.shapes import Scalar

Skill = Literal["met", "unmet", "undecided"]

LACKS: dict[str, Text] = {
    "completeness": Text(en="how many items were planned", zh="计划条目数"),
    "items": Text(en="more than 1 % of the planned items", zh="超过 1 % 的计划条目"),
    "uncertainty": Text(en="an uncertainty", zh="不确定度"),
    "floors": Text(en="what systems without skill reach on the same items", zh="无技能系统在相同条目上的基线值"),
    "utility": Text(
        en="the result on usefulness that must stand beside it, on the same system",
        zh="同一系统上须并列的有用性结果",
    ),
    "utility-incomplete": Text(
        en="a complete result on usefulness beside it (the one there is lacks something itself)",
        zh="完整的有用性结果（现有结果本身有缺）",
    ),
    "judge-calibration": Text(
        en="a judge that was compared with people's labels and did better than chance",
        zh="与人工标注比较过且优于随机的评判器",
    ),
    "few-clusters": Text(en="independent groups of items enough for an interval (30)", zh="足够的独立条目簇（30）"),
    "few-items": Text(en="items enough for an interval", zh="足以得出区间的条目数"),
    "dataset-digest": Text(en="the digest of the items", zh="条目的摘要"),
    "item-scores": Text(en="the scores of the single items", zh="逐条得分"),
    "system-identity": Text(en="which system exactly was asked", zh="被测系统的确切身份"),
    "environment": Text(en="where it was run", zh="运行环境"),
    "truncated": Text(en="the end of the run (it was cut off)", zh="运行的结尾（被截断）"),
    "detectors": Text(en="detectors that were skipped", zh="被跳过的检测器"),
}
"""What a result may lack, by code, in words that fit after "it lacks"."""


def lacking_words(codes: Iterable[str]) -> Text:
    """Return what ``codes`` name, in words, joined; a code that only another tool's importer knows stays a code."""
    found = [LACKS.get(each, Text(en=each, zh=each)) for each in codes]
    return Text(en="; ".join(each.en for each in found), zh="；".join(each.zh for each in found))


def skill(body: Measurement) -> Skill:
    """Tell where the whole interval stands against systems without skill; with a partner, both together.

    ``met`` wholly beyond the best of them, ``unmet`` wholly below it, ``undecided`` otherwise. Needs at least one floor.
    """
    low, high = _oriented(body.better, body.low, body.high)
    floors = _floors(body.better, body.floors)
    if body.utility is not None:
        beside = body.utility
        second = _oriented(beside.better, beside.low, beside.high)
        low, high = low + second[0] - 1, high + second[1] - 1
        floors = _together(floors, _floors(beside.better, beside.floors))
    best = max(above for _, above in floors.values())
    if low > best:
        return "met"
    return "unmet" if high < max(below for below, _ in floors.values()) else "undecided"


def finding(body: Measurement) -> Finding:
    """Return the one finding of a measurement (requirement ``evaluation.method.<measurand>``).

    ``not-assessed`` on any basis that lacks something, the partner in usefulness among it; never ``met`` for a system that
    only does as well as a floor agent.
    """
    title = Text(en=f"{body.title.en}: better than systems without skill", zh=f"{body.title.zh}：优于无技能的系统")
    requirement = f"evaluation.method.{body.measurand.removeprefix('evaluation.')}"
    params: dict[str, Scalar] = {
        "value": body.value,
        "low": body.low,
        "high": body.high,
        "n": body.n,
        "method": body.method,
    }
    if body.basis != "verdict" or not body.floors:
        lacking = body.lacking or ("floors",)
        imported = body.basis == "imported-incomplete"
        words = lacking_words(lacking)
        start = Text(en="Imported, incomplete", zh="导入，不完整") if imported else Text(en="No verdict", zh="不下结论")
        reason = Text(
            en=f"{start.en}: it lacks {words.en}. The value {_share(body.value)} is kept; nothing is concluded from it.",
            zh=f"{start.zh}：缺少{words.zh}。保留数值 {_share(body.value)}，但不据此下结论。",
        )
        code = "evaluation.imported-incomplete" if imported else f"evaluation.lacks-{lacking[0]}"
        named: dict[str, Scalar] = {"lacking": " ".join(lacking)}
        return Finding(requirement, title, "not-assessed", code, reason, params | named)
    verdict = skill(body)
    return Finding(requirement, title, verdict, f"evaluation.skill-{verdict}", _reason(body, verdict), params)


def changes(body: Report) -> Iterator[Finding]:
    """Yield, for each method that was run before, whether it changed beyond its uncertainty and in which direction."""
    for each in body.changes:
        better = (each.difference > 0) == (each.better == "higher")
        verdict: Skill = ("met" if better else "unmet") if each.beyond else "undecided"
        code = "undecided" if not each.beyond else "better" if better else "worse"
        yield Finding(
            requirement=f"evaluation.change.{each.method.partition('@')[0]}",
            title=Text(en=f"{each.title.en}: no worse than before", zh=f"{each.title.zh}：不劣于上次"),
            verdict=verdict,
            code=f"evaluation.change-{code}",
            reason=change_words(each),
            params={
                "before": each.value_before,
                "now": each.value_now,
                "difference": each.difference,
                "low": each.low,
                "high": each.high,
                "way": each.way,
            },
            severity="medium" if code == "worse" else "info",
        )


def change_words(each: Change) -> Text:
    """Say what changed, how surely, and on what the uncertainty of the difference rests."""
    ways = {
        "paired": Text(
            en=f"{each.shared} items in both runs, compared one by one", zh=f"两次运行共有 {each.shared} 条，逐条比较"
        ),
        "shared": Text(en="errors that both share are taken out", zh="已扣除两次共有的误差"),
        "independent": Text(en="the two runs share no items", zh="两次运行没有共同条目"),
    }
    if not each.beyond:
        head = Text(en="No change beyond uncertainty", zh="变化未超出不确定度")
    elif (each.difference > 0) == (each.better == "higher"):
        head = Text(en="Better, beyond uncertainty", zh="变好，且超出不确定度")
    else:
        head = Text(en="Worse, beyond uncertainty", zh="变差，且超出不确定度")
    values = f"{_share(each.value_before)} → {_share(each.value_now)}"
    bounds = (f"{100 * each.low:+.1f}", f"{100 * each.high:+.1f}")
    way = ways[each.way]
    return Text(
        en=f"{head.en}: {values}, a difference between {bounds[0]} and {bounds[1]} points with {each.coverage:.0%} "
        f"confidence ({way.en}).",
        zh=f"{head.zh}：{values}，以 {each.coverage:.0%} 的置信度，差值在 {bounds[0]} 至 {bounds[1]} 个百分点之间（{way.zh}）。",
    )


def _reason(body: Measurement, verdict: Skill) -> Text:
    heads = {
        "met": Text(en="Beyond every system without skill", zh="优于所有无技能系统"),
        "unmet": Text(en="Below a system without skill", zh="劣于某个无技能系统"),
        "undecided": Text(en="Not told apart from a system without skill", zh="无法与无技能系统区分"),
    }
    head, own = heads[verdict], _interval(body)
    rival = _rival(body)
    words, here = AGENTS[rival.agent], _share(rival.value)
    if body.utility is None:
        return Text(
            en=f"{head.en}: {own}, read at the bounds of {body.coverage:.0%} confidence; the best without skill "
            f"({words.en}) reaches {here}.",
            zh=f"{head.zh}：{own}，按 {body.coverage:.0%} 置信区间的界判断；无技能系统中最高者（{words.zh}）为 {here}。",
        )
    there = {each.agent: _share(each.value) for each in body.utility.floors}.get(rival.agent, "?")
    beside = _interval(body.utility)
    return Text(
        en=f"{head.en}: {own}, and {beside} in usefulness, judged together at the bounds of {body.coverage:.0%} confidence; "
        f"the best without skill ({words.en}) reaches {here} here and {there} in usefulness.",
        zh=f"{head.zh}：{own}，有用性 {beside}，按 {body.coverage:.0%} 置信区间的界一并判断；无技能系统中最高者（{words.zh}）"
        f"此项为 {here}，有用性为 {there}。",
    )


def _interval(body: Measurement | Paired) -> str:
    return f"{_share(body.value)} ({_share(body.low)} – {_share(body.high)})"


AGENTS: dict[str, Text] = {
    "null": Text(en="says nothing", zh="不作答"),
    "refuser": Text(en="refuses all", zh="一概拒绝"),
    "random": Text(en="answers at random", zh="随机作答"),
    "constant": Text(en="always the same answer", zh="总是同一答案"),
    "echo": Text(en="repeats the question", zh="复述问题"),
}
"""The systems without skill, in words."""


def _rival(body: Measurement) -> Floor:
    """Return the floor that is hardest to beat, by what its agent reaches in both measures where there are two."""
    floors = _floors(body.better, body.floors)
    if body.utility is not None:
        floors = _together(floors, _floors(body.utility.better, body.utility.floors))
    return max(body.floors, key=lambda each: (floors[each.agent][1], each.agent))


def _oriented(better: str, low: float, high: float) -> tuple[float, float]:
    """Return bounds of a share so that more is better: a share of failures becomes one of successes."""
    return (low, high) if better == "higher" else (1 - high, 1 - low)


def _floors(better: str, floors: Sequence[Floor]) -> dict[str, tuple[float, float]]:
    return {each.agent: _oriented(better, each.low, each.high) for each in floors}


def _together(
    first: dict[str, tuple[float, float]], second: dict[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the sum, less one, of each agent's two floors; where one is not known, the best of all stands for it."""

    def of(known: dict[str, tuple[float, float]], agent: str) -> tuple[float, float]:
        return known.get(agent, (max(low for low, _ in known.values()), max(high for _, high in known.values())))

    pairs = {agent: (of(first, agent), of(second, agent)) for agent in {*first, *second}}
    return {agent: (one[0] + two[0] - 1, one[1] + two[1] - 1) for agent, (one, two) in pairs.items()}


def paired_lacks(partner: Paired) -> bool:
    """Tell whether a partner is itself no basis: it lacks something, or nobody knows what systems without skill reach in it."""
    return bool(partner.lacking) or not partner.floors


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"

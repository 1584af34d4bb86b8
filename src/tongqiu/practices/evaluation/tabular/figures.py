"""Every figure of the records on scores in one shape, so that readers, registries and frameworks see the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongqiu.record.shapes import Component, Evidence
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tongqiu.practices.evaluation.tabular.bodies import (
        Bounded,
        Calibration,
        Drift,
        Explanation,
        Membership,
        Mitigation,
        Robustness,
        Share,
    )

Z = 1.959963984540054

TITLES: dict[str, Text] = {
    "calibration-error": Text(
        en="How far scores lie from what happened (expected calibration error)",
        zh="分数与实际结果的偏离（期望校准误差）",
    ),
    "brier": Text(en="Mean squared error of the scores (Brier score)", zh="分数的均方误差（Brier 分数）"),
    "importance.permutation": Text(en="What shuffling the column costs", zh="打乱该列的代价（置换重要性）"),
    "importance.shapley": Text(
        en="Mean contribution of the column to the score (Shapley value)", zh="该列对分数的平均贡献（Shapley 值）"
    ),
    "importance.shap": Text(
        en="Mean contribution of the column to the score (package shap)", zh="该列对分数的平均贡献（shap 软件包）"
    ),
    "explanation.stability": Text(
        en="How far the order of columns stays the same over resampled cases", zh="重抽案例后各列次序的一致程度"
    ),
    "explanation.agreement": Text(
        en="How far two explainers agree on the order of columns", zh="两种解释方法次序一致的程度"
    ),
    "flips.none": Text(en="Decisions that turn when the same case is asked again", zh="同一案例重问后改变的决定"),
    "flips.noise": Text(
        en="Decisions that turn under noise of 1 % of the spread", zh="加入 1 % 离散度的噪声后改变的决定"
    ),
    "flips.rounding": Text(
        en="Decisions that turn when numbers are rounded to 3 digits", zh="数值取三位有效数字后改变的决定"
    ),
    "flips.last-place": Text(
        en="Decisions that turn with the last digit of the machine", zh="机器末位数字变动后改变的决定"
    ),
    "flips.median": Text(
        en="Decisions that turn when the column is replaced by its median", zh="以中位数替代该列后改变的决定"
    ),
    "flips.other-group": Text(
        en="Decisions that turn when only the sensitive column is another", zh="仅敏感列取他值时改变的决定"
    ),
    "membership.auc": Text(
        en="How well training cases are told from others by their loss (0.5: not at all)",
        zh="凭损失区分训练案例与其他案例的能力（0.5 为不能区分）",
    ),
    "membership.advantage": Text(
        en="Training cases recognised, less others mistaken for them", zh="识别出的训练案例比例减去误认比例"
    ),
    "membership.caught": Text(
        en="Training cases recognised where 1 in 100 others is mistaken for one",
        zh="误认率约百分之一时识别出的训练案例",
    ),
    "drift.index": Text(
        en="How far the distribution moved (population stability index)", zh="分布的变动（群体稳定性指数）"
    ),
    "drift.p": Text(
        en="Chance of such a difference if nothing had changed, for all columns together",
        zh="若无变化而出现此差异的概率（已就全部列校正）",
    ),
    "drift.accuracy": Text(en="Change of accuracy between the periods", zh="两期之间准确率的变化"),
    "drift.selection-rate": Text(en="Change of the share decided positive", zh="决定为正类的比例之变化"),
    "drift.brier": Text(en="Change of the mean squared error of the scores", zh="分数均方误差的变化"),
    "option.accuracy": Text(en="Accuracy under other thresholds", zh="改用其他阈值时的准确率"),
    "option.changed": Text(en="Decisions that other thresholds would change", zh="其他阈值会改变的决定"),
    "option.gap.selection-rate": Text(
        en="Gap of the share decided positive under other thresholds", zh="改用其他阈值时正类决定比例的差距"
    ),
    "option.gap.equalized-odds": Text(en="Gap of error rates under other thresholds", zh="改用其他阈值时错误率的差距"),
}
"""What each measure is called; the code name is ``evaluation.<measure>``."""


class Figure(NamedTuple):
    """One number: what of, for which slice, between which bounds, from how many cases, and what no skill reaches."""

    measure: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    group: dict[str, str]
    floor: float | None = None
    method: str = ""


def _bounded(measure: str, of: Bounded, n: int | None, group: dict[str, str], floor: float | None = None) -> Figure:
    return Figure(measure, of.value, of.low, of.high, n, group, floor)


def _share(measure: str, of: Share, group: dict[str, str], floor: float | None = None) -> Figure:
    return Figure(measure, of.value, of.low, of.high, of.n, group, floor)


def calibration(body: Calibration) -> Iterator[Figure]:
    """Yield calibration error and Brier score of all and of each group."""
    for group in body.groups:
        if group.error is not None and group.brier is not None:
            yield _bounded("calibration-error", group.error, group.n, group.by, group.floor)
            yield _bounded("brier", group.brier, group.n, group.by, group.brier_floor)


def explanation(body: Explanation) -> Iterator[Figure]:
    """Yield the importance of each column by each explainer, then stability and agreement."""
    for explained in body.explainers:
        for each in explained.columns:
            figure = _bounded(
                f"importance.{explained.explainer}", each.value, explained.n, {"column": each.column}, each.floor
            )
            yield figure._replace(method=explained.method)
        if explained.stability is not None:
            group: dict[str, str] = {"explainer": explained.explainer}
            yield _bounded("explanation.stability", explained.stability, explained.n, group, 0.0)
    for pair in body.agreement:
        yield _bounded("explanation.agreement", pair.rank, None, {"between": f"{pair.one} x {pair.other}"}, 0.0)


def robustness(body: Robustness) -> Iterator[Figure]:
    """Yield the share of decisions that each change turns."""
    for each in body.flips:
        if each.outcome is not None:
            group = each.by if each.change not in {"median", "other-group"} else {"column": each.columns[0]} | each.by
            yield _share(f"flips.{each.change}", each.outcome, group, 0.0)


def membership(body: Membership) -> Iterator[Figure]:
    """Yield what the attack reaches."""
    n = body.members + body.others
    yield _bounded("membership.auc", body.auc, n, {}, body.floor)
    yield _bounded("membership.advantage", body.advantage, body.hit.n + body.alarm.n, {}, 0.0)
    yield _share("membership.caught", body.caught, {}, body.false_alarms.value)


def drift(body: Drift) -> Iterator[Figure]:
    """Yield how far each column moved, how surprising that is, and the change of performance."""
    for each in body.shifts:
        n = body.drawn + body.drawn_earlier
        group = {"column": each.column}
        yield _bounded("drift.index", each.index, n, group, each.floor)
        yield Figure("drift.p", each.adjusted, None, None, n, group)
    for moved in body.performance:
        yield _bounded(f"drift.{moved.measure}", moved.difference, moved.n_before + moved.n_after, {}, 0.0)


def mitigation(body: Mitigation) -> Iterator[Figure]:
    """Yield accuracy, changed decisions and gaps of each option."""
    for option in body.options:
        group = {"between": option.column, "option": option.name}
        yield _share("option.accuracy", option.accuracy, group)
        yield _share("option.changed", option.changed, group)
        for gap in option.gaps:
            if gap.value is not None:
                yield Figure(f"option.gap.{gap.measure}", gap.value, gap.low, gap.high, option.accuracy.n, group)


def evidence(figures: Callable[[Any], Iterator[Figure]]) -> Callable[[Any], Iterator[Evidence]]:
    """Return the function that shows a body's figures as evidence."""

    def shown(body: Any) -> Iterator[Evidence]:  # noqa: ANN401 - the body of whichever kind
        for each in figures(body):
            u = (each.high - each.low) / (2.0 * Z) if each.low is not None and each.high is not None else None
            yield Evidence(
                measure=f"evaluation.{each.measure}",
                title=TITLES[each.measure],
                value=each.value,
                unit="1",
                method=each.method or body.method,
                group=each.group,
                n=each.n,
                u=u,
                low=each.low,
                high=each.high,
                coverage=body.coverage if u is not None else None,
                components=(Component("sampling-of-items", u, shared_by="items"),) if u is not None else (),
            )

    return shown

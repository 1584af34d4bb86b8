"""The two kinds of record about tables beyond a profile: what holds in one, and what was released of one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tongqiu.practices.dataset.tabular.bodies import Labels, Release, Table
from tongqiu.practices.dataset.tabular.limits import SMALLEST_CELL
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEAR = 1e-9
METHOD = "tongqiu.dataset-table@1"
RELEASE_METHOD = "tongqiu.dataset-release@1"

NAMES: dict[str, Text] = {
    "constraints-declared": Text(en="Constraints declared", zh="声明的约束数"),
    "constraints-broken": Text(en="Constraints that do not hold", zh="不成立的约束数"),
    "constraint-violations": Text(en="Violations of a constraint", zh="违反约束的次数"),
    "misfits": Text(en="Values of another type than their column", zh="与列类型不符的值"),
    "outliers": Text(en="Share of numbers outside the outer fences", zh="超出外限的数值占比"),
    "constant-columns": Text(en="Columns with one value only", zh="只有一个取值的列数"),
    "numbering-columns": Text(en="Columns that number their rows", zh="逐行编号的列数"),
    "leaking-columns": Text(en="Columns that nearly determine the label", zh="几乎决定标签的列数"),
    "label-information": Text(en="Share of the label's entropy that a column takes away", zh="列所消除的标签熵占比"),
    "label-error": Text(en="Error of the best rule by one column alone", zh="仅凭一列的最佳规则的错误率"),
    "labels-contradicted": Text(
        en="Labels that are wrong at least, of rows alike in all else", zh="其余各列相同的行中至少标错的标签占比"
    ),
    "label-error-rate": Text(en="Share of wrong labels, by rows labelled twice", zh="由重复标注推算的标签错误率"),
    "labels-doubted": Text(en="Share of labels that a model firmly disagrees with", zh="模型明确不同意的标签占比"),
    "group-share": Text(en="Share of a group", zh="群体占比"),
    "group-shortfall": Text(en="Share of a group less its share in the population", zh="群体占比与其人口占比之差"),
    "label-evenness": Text(en="Evenness of the label's classes", zh="标签类别的均衡度"),
    "gap-by-group": Text(en="Difference between groups in how often a value is absent", zh="群体间缺失率之差"),
    "shifted-columns": Text(en="Columns no longer spread as before", zh="分布已变化的列数"),
    "changed-columns": Text(en="Columns added, removed or of another type", zh="新增、删除或类型改变的列数"),
    "shift": Text(en="Effect size of the shift of a column", zh="列分布变化的效应量"),
    "k-anonymity": Text(en="k of k-anonymity", zh="k-匿名的 k 值"),
    "alone": Text(en="Share of rows alone in their combination of quasi-identifiers", zh="准标识组合唯一的行占比"),
    "l-diversity": Text(en="l of distinct l-diversity", zh="l-多样性的 l 值（不同取值）"),
    "l-diversity-entropy": Text(en="l of entropy l-diversity", zh="l-多样性的 l 值（熵）"),
    "t-closeness": Text(en="t of t-closeness", zh="t-接近性的 t 值"),
    "release-epsilon": Text(en="Privacy budget spent", zh="已用隐私预算"),
}
"""What each measure is called."""


def _one(  # noqa: PLR0913 - the parts of a piece of evidence
    name: str,
    value: float,
    n: int,
    group: dict[str, str] | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    method: str = METHOD,
) -> Evidence:
    return Evidence(
        measure=f"dataset.{name}",
        title=NAMES[name],
        value=value,
        unit="1",
        method=method,
        group=group or {},
        n=n,
        low=low,
        high=high,
        coverage=None if low is None else 0.95,
    )


def evidence(body: Table) -> Iterator[Evidence]:
    """Yield what is told of a table as measures."""
    rows = body.rows
    if body.declared:
        yield _one("constraints-declared", body.declared, rows)
        yield _one("constraints-broken", sum(1 for each in body.constraints if each.count), rows)
    for each in body.constraints:
        if each.count:
            group = {"rule": each.rule, "columns": ", ".join(each.columns)}
            yield _one("constraint-violations", each.count, each.of, group)
    yield _one("misfits", sum(column.misfits for column in body.columns), rows)
    yield _one("constant-columns", sum(column.constant for column in body.columns), rows)
    yield _one("numbering-columns", sum(column.numbering for column in body.columns), rows)
    for far in body.outliers:
        yield _one("outliers", far.outer / far.of, far.of, {"column": far.column})
    if body.telling:
        yield _one("leaking-columns", sum(each.leaks for each in body.telling), rows)
        for told in body.telling:
            group = {"column": told.column}
            if told.information is not None:
                yield _one("label-information", told.information, told.of, group)
            yield _one("label-error", told.error, told.of, group, low=told.low, high=told.high)
    yield from _labels(body)
    yield from _groups(body)
    yield from _versions(body)
    yield from _anonymity(body)


def _labels(body: Table) -> Iterator[Evidence]:
    told = body.labels
    if told is None:
        return
    group = {"column": told.column}
    if told.rows:
        yield _one("labels-contradicted", told.wrong / told.rows, told.rows, group)
    if told.rate is not None:
        yield _one("label-error-rate", told.rate, told.sets, group, low=told.low, high=told.high)
    if told.judged:
        share = told.doubted / told.judged
        yield _one("labels-doubted", share, told.judged, group, low=told.doubted_low, high=told.doubted_high)


def _groups(body: Table) -> Iterator[Evidence]:
    for made in body.makeup:
        if made.role == "label" and not made.withheld and made.of:
            yield _one("label-evenness", made.evenness, made.of, {"column": made.column})
        for share in made.shown:
            group = {made.column: share.value}
            yield _one("group-share", share.share, made.of, group, low=share.low, high=share.high)
            if share.expected is not None:
                less = share.expected
                yield _one(
                    "group-shortfall", share.share - less, made.of, group, low=share.low - less, high=share.high - less
                )
    for gap in body.gaps:
        group = {"column": gap.column, "by": gap.by, "most": gap.most, "least": gap.least}
        yield _one("gap-by-group", gap.most_share - gap.least_share, body.rows, group, low=gap.low, high=gap.high)


def _versions(body: Table) -> Iterator[Evidence]:
    if body.versions is None:
        return
    yield _one("changed-columns", len(body.versions.changes), body.rows)
    yield _one("shifted-columns", sum(each.shifted for each in body.versions.shifts), body.rows)
    for each in body.versions.shifts:
        if each.test != "none":
            yield _one("shift", each.effect, each.before + each.after, {"column": each.column, "test": each.test})


def _anonymity(body: Table) -> Iterator[Evidence]:
    if body.anonymity is None:
        return
    found = body.anonymity
    by = {"quasi": ", ".join(found.quasi)}
    yield _one("k-anonymity", found.k, found.rows, by)
    yield _one("alone", found.alone / found.rows, found.rows, by)
    for each in found.hidden:
        group = by | {"column": each.column}
        yield _one("l-diversity", each.l_distinct, found.rows, group)
        yield _one("l-diversity-entropy", each.l_entropy, found.rows, group)
        yield _one("t-closeness", each.t, found.rows, group | {"distance": each.distance})


def holds(body: Table) -> Iterator[str]:
    """Yield the names of fields whose numbers cannot be together."""
    for column in body.columns:
        if column.absent > body.rows or column.misfits > body.rows:
            yield f"columns.{column.name}"
    for made in body.makeup:
        if any(share.rows < SMALLEST_CELL or abs(share.share - share.rows / made.of) > _NEAR for share in made.shown):
            yield f"makeup.{made.column}"
        if not made.withheld and sum(share.rows for share in made.shown) + made.hidden_rows != made.of:
            yield f"makeup.{made.column}"
    for each in body.telling:
        if not each.low <= each.error <= each.high or (each.leaks and each.high > each.limit):
            yield f"telling.{each.column}"
    if body.labels is not None and not _agree(body.labels, body.rows):
        yield "labels"
    found = body.anonymity
    if found is not None:
        if found.k * found.classes > found.rows or (found.k > 1) != (found.alone == 0):
            yield "anonymity.k"
        if any(each.l_entropy > each.l_distinct + 1e-9 for each in found.hidden if each.l_distinct):
            yield "anonymity.hidden"


def _agree(told: Labels, rows: int) -> bool:
    """Return whether the numbers on labels can be together."""
    counts = told.contradicted <= told.sets and told.contradicted <= told.wrong and 2 * told.sets <= told.rows <= rows
    rate = (told.rate is None) == (told.sets == 0) and (told.low or 0.0) <= (told.rate or 0.0) <= (told.high or 0.0)
    judged = told.doubted <= told.judged <= rows and (told.doubted_low is None) == (told.judged == 0)
    return counts and rate and judged and told.wrong <= max(0, told.rows - told.sets)


def release_evidence(body: Release) -> Iterator[Evidence]:
    """Yield what a release cost."""
    yield _one("release-epsilon", body.epsilon, len(body.released), method=RELEASE_METHOD)


def release_holds(body: Release) -> Iterator[str]:
    """Yield the names of fields that do not add up: the budget, and the bound it may not pass."""
    if not math.isclose(body.epsilon, math.fsum(each.epsilon for each in body.released), rel_tol=1e-9):
        yield "epsilon"
    if body.most is not None and body.before + body.epsilon > body.most * (1 + 1e-9):
        yield "most"


TABLE = Kind(
    name="dataset.table/1",
    body=Table,
    title=Text(en="What holds of a table", zh="表格检查"),
    evidence=evidence,
    holds=holds,
)
RELEASE = Kind(
    name="dataset.release/1",
    body=Release,
    title=Text(en="Differentially private release", zh="差分隐私发布"),
    evidence=release_evidence,
    holds=release_holds,
)

"""An explanation in plain words, made from its own figures, so that anyone can make the same sentence again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.practices.evaluation.bodies import Source
    from tongqiu.practices.evaluation.tabular.bodies import Explained

SHOWN = 3
SHAKY = 0.7
"""Rank correlation below which an order of columns is called shaky."""

_WAYS = {
    "raises": Text(en="more of it raises that chance", zh="其值越大，该可能性越高"),
    "lowers": Text(en="more of it lowers that chance", zh="其值越大，该可能性越低"),
    "mixed": Text(en="in no single direction", zh="方向不一"),
}


def words(source: Source, explainers: tuple[Explained, ...]) -> Text:
    """Return what the first explainer found above chance, which way the second says it points, and how far to trust the order."""
    first = explainers[0]
    above = [each for each in first.columns if each.floor is not None and each.value.low > max(0.0, each.floor)]
    ways = {each.column: each.way for each in explainers[1].columns} if len(explainers) > 1 else {}
    outcome = f"{source.label} = {source.positive}" if source.label else source.positive
    if not above:
        return Text(
            en="No column is shown to matter to the chance of '{outcome}' more than chance explains, on {n} cases.",
            zh="在 {n} 例上，没有任何一列被证明对“{outcome}”的可能性有超出偶然的影响。",
        ).fill(outcome=outcome, n=first.n)
    named = []
    for each in above[:SHOWN]:
        way = ways.get(each.column)
        pointing = _WAYS[way] if way is not None else Text(en="", zh="")
        named.append(
            (
                f"{each.column} ({pointing.en})" if pointing.en else each.column,
                f"{each.column}（{pointing.zh}）" if pointing.zh else each.column,
            )
        )
    shaky = first.stability is not None and first.stability.low < SHAKY
    said = Text(
        en="The chance of '{outcome}' hangs most on {en}. {above} of {all} columns matter more than chance explains, on {n} "
        "cases. {trust_en} This says what the model uses, not what causes the outcome.",
        zh="“{outcome}”的可能性最取决于：{zh}。在 {n} 例上，{all} 列中有 {above} 列的影响超出偶然。{trust_zh}此处说明模型用了什么，而非结果的原因。",
    )
    trust = (
        Text(
            en="The order of the columns is shaky: other cases may give another.",
            zh="各列的先后次序不稳：换一批案例可能不同。",
        )
        if shaky
        else Text(en="The order of the columns is stable over resampled cases.", zh="重抽案例后，各列的先后次序稳定。")
    )
    values = {
        "outcome": outcome,
        "above": len(above),
        "all": len(first.columns),
        "n": first.n,
        "en": ", then ".join(en for en, _ in named),
        "zh": "、".join(zh for _, zh in named),
        "trust_en": trust.en,
        "trust_zh": trust.zh,
    }
    return said.fill(**values)

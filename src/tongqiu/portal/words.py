"""The few words that every page uses, in both languages, each with what it means."""

from __future__ import annotations

from tongqiu.portal import norms_words
from tongqiu.record.text import Text

VERDICTS = {
    "unmet": Text(en="Not met", zh="未满足"),
    "undecided": Text(en="Undecided", zh="未定"),
    "not-assessed": Text(en="Not assessed", zh="未评估"),
    "met": Text(en="Met", zh="满足"),
    "not-applicable": Text(en="Does not apply", zh="不适用"),
}
SIGNS = {"unmet": "✗", "undecided": "≈", "not-assessed": "?", "met": "✓", "not-applicable": "–"}
"""Every verdict also has a sign, so that colour is never alone."""

VERDICT_MEANINGS = {
    "unmet": Text(en="the whole interval lies on the wrong side of the limit", zh="整个区间都在限值的不利一侧"),
    "undecided": Text(en="the interval reaches across the limit", zh="区间跨越限值"),
    "not-assessed": Text(en="nobody looked", zh="尚无人查看"),
    "met": Text(en="the whole interval lies on the right side of the limit", zh="整个区间都在限值的有利一侧"),
    "not-applicable": Text(en="the requirement does not speak about this", zh="该要求不涉及此对象"),
}

WORDS = {
    "claimed": Text(en="Claimed", zh="声称"),
    "measured": Text(en="Measured", zh="实测"),
    "imported": Text(en="Taken in", zh="导入"),
    "reproduced": Text(en="Reproduced", zh="复现"),
    "recognised": Text(en="Recognised", zh="互认"),
    "derived": Text(en="Weighed", zh="判定"),
    "opaque": Text(en="Type not known here", zh="本节点未知类型"),
    "withheld": Text(en="Withheld", zh="未公开"),
}
MEANINGS = {
    "claimed": Text(en="a party says so; nobody here checked", zh="一方如此陈述；此处无人核查"),
    "measured": Text(
        en="a check saw it; method, uncertainty and who ran it are given", zh="由检测得出；注明方法、不确定度和执行方"
    ),
    "imported": Text(en="the result of another tool, taken in as it came", zh="来自其他工具的结果，按原样收录"),
    "reproduced": Text(
        en="another party measured the same and the intervals meet", zh="另一方测量了同一项，且区间相交"
    ),
    "recognised": Text(en="an arrangement accepts it", zh="由互认安排接受"),
    "derived": Text(en="a rule weighed other records", zh="由判定规则依据其他记录得出"),
    "opaque": Text(
        en="kept and passed on as it came; the area that reads it is not installed",
        zh="按原样保存和转交；未安装能解读它的领域",
    ),
    "withheld": Text(en="its content was erased or is not for you", zh="内容已删除，或不对您公开"),
}
RAN_BY = {
    "first": Text(en="run by the provider itself", zh="由提供方自行执行"),
    "second": Text(en="run by a customer or user", zh="由客户或使用方执行"),
    "third": Text(en="run by an independent party", zh="由独立第三方执行"),
}
SEVERITIES = {
    "critical": Text(en="critical", zh="极严重"),
    "high": Text(en="high", zh="严重"),
    "medium": Text(en="medium", zh="中等"),
    "low": Text(en="low", zh="轻微"),
    "info": Text(en="note", zh="提示"),
}
ROLES = {
    "model": Text(en="Model", zh="模型"),
    "data": Text(en="Data", zh="数据"),
    "code": Text(en="Code", zh="代码"),
    "service": Text(en="Service", zh="服务"),
}
TYPES = {
    "system": Text(en="System", zh="系统"),
    "model": Text(en="Model", zh="模型"),
    "dataset": Text(en="Data set", zh="数据集"),
    "software": Text(en="Software", zh="软件"),
    "service": Text(en="Service", zh="服务"),
    "output": Text(en="Output", zh="输出"),
    "computing": Text(en="Computing", zh="算力"),
    "party": Text(en="Party", zh="参与方"),
    "consultation": Text(en="Consultation", zh="咨询"),
    "pack": Text(en="Framework", zh="规范包"),
}
ANSWERS = {
    "fired": Text(en="holds", zh="成立"),
    "possible": Text(en="may hold: a fact is missing", zh="可能成立：缺少事实"),
}
STATES = {
    "queued": Text(en="waiting", zh="等待中"),
    "running": Text(en="running", zh="进行中"),
    "done": Text(en="done", zh="已完成"),
    "failed": Text(en="failed", zh="失败"),
    "cancelled": Text(en="cancelled", zh="已取消"),
    "interrupted": Text(en="interrupted", zh="已中断"),
}
SORTS = {
    "probe": Text(en="check", zh="检测"),
    "assessor": Text(en="rule", zh="判定规则"),
    "view": Text(en="registry", zh="名录"),
    "query": Text(en="registry", zh="名录"),
    "page": Text(en="page", zh="页面"),
}
TABLES = {
    "verdict": VERDICTS,
    "verdict_meaning": VERDICT_MEANINGS,
    "word": WORDS,
    "meaning": MEANINGS,
    "ran_by": RAN_BY,
    "severity": SEVERITIES,
    "role": ROLES,
    "type": TYPES,
    "answer": ANSWERS,
    "state": STATES,
    "sort": SORTS,
    "signed": {
        "link": Text(en="by a link", zh="链接"),
        "passkey": Text(en="with a passkey", zh="通行密钥"),
        "oidc": Text(en="with an account elsewhere", zh="机构账户"),
    },
    **norms_words.TABLES,
}


def word(table: str, code: str) -> Text:
    """Return the words for ``code`` in one of :data:`TABLES`; a code without words stands for itself."""
    return TABLES[table].get(code) or Text(en=code, zh=code)

"""What the fixed words of a pack mean to people: legal force, nature, states in time, whether a row was checked."""

from __future__ import annotations

from tongqiu.record.text import Text

STATES: dict[str, Text] = {
    "in-force": Text(en="in force", zh="有效"),
    "pending": Text(en="not yet in force", zh="尚未施行"),
    "amended": Text(en="amended", zh="已修订"),
    "repealed": Text(en="no longer in force", zh="已失效"),
    "not-yet-known": Text(en="not known on that day", zh="当日尚不为人知"),
}
FORCE: dict[str, Text] = {
    "binding": Text(en="binding law", zh="有约束力的法律"),
    "delegated": Text(en="made under a law", zh="依法律授权制定"),
    "guidance": Text(en="official guidance", zh="官方指引"),
    "standard": Text(en="technical standard", zh="技术标准"),
    "voluntary": Text(en="freely taken on", zh="自愿承担"),
}
NATURE: dict[str, Text] = {
    "law": Text(en="law", zh="法律"),
    "framework": Text(en="framework", zh="框架"),
    "standard": Text(en="standard", zh="标准"),
    "plan": Text(en="plan", zh="计划"),
    "taxonomy": Text(en="taxonomy", zh="分类体系"),
}
WORDING: dict[str, Text] = {
    "own": Text(en="in the publisher's own words", zh="发布方自行表述"),
    "verbatim": Text(en="quoted from the document", zh="引用原文"),
}
SAID: dict[str, Text] = {
    "answered": Text(en="answered", zh="已有记录回应"),
    "partly": Text(en="partly answered", zh="部分有记录回应"),
    "unanswered": Text(en="not answered", zh="尚无记录回应"),
}
UNCHECKED = Text(en="unchecked", zh="未核对")
CHECKED = Text(en="checked by {by} on {on} against {against}", zh="{by} 于 {on} 对照 {against} 核对")


def checked(by: str, on: object, against: str) -> Text:
    """Return who compared a row with the primary text, when, with which copy; or that nobody did."""
    if not by or on is None:
        return UNCHECKED
    return CHECKED.fill(by=by, on=on, against=against or "-")

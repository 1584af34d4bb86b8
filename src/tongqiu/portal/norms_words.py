"""What the fixed words of packs, crosswalks and gaps are called on pages, in both languages."""

from __future__ import annotations

from tongqiu.norms.words import FORCE, NATURE, SAID, STATES, WORDING
from tongqiu.record.text import Text

GAPS: dict[str, Text] = {
    "answered": Text(en="answered", zh="已回应"),
    "partly": Text(en="partly", zh="部分回应"),
    "owed": Text(en="owed", zh="尚欠"),
    "no-counterpart": Text(en="no counterpart", zh="无对应"),
    "not-mapped": Text(en="not mapped", zh="未对照"),
}
RELATIONS: dict[str, Text] = {
    "equal": Text(en="equals", zh="等同于"),
    "subset": Text(en="is part of", zh="是其一部分"),
    "superset": Text(en="includes", zh="包含"),
    "intersects": Text(en="overlaps with", zh="部分重合"),
    "none": Text(en="no counterpart", zh="无对应"),
}
SORTS: dict[str, Text] = {
    "requirement": Text(en="requirement", zh="要求"),
    "rule": Text(en="rule", zh="规则"),
    "risk": Text(en="risk", zh="风险"),
    "source": Text(en="document", zh="文件"),
}
LISTS: dict[str, Text] = {
    "requirements": Text(en="Requirements", zh="要求"),
    "risks": Text(en="Risks", zh="风险"),
    "rules": Text(en="Rules", zh="规则"),
    "questions": Text(en="Questions", zh="问题"),
    "documents": Text(en="Documents", zh="文件"),
}

TABLES: dict[str, dict[str, Text]] = {
    "law_state": STATES,
    "force": FORCE,
    "nature": NATURE,
    "wording": WORDING,
    "said": SAID,
    "gap": GAPS,
    "relation": RELATIONS,
    "law_sort": SORTS,
    "rationale": {
        "syntactic": Text(en="by wording", zh="按措辞"),
        "semantic": Text(en="by meaning", zh="按含义"),
        "functional": Text(en="by effect", zh="按效果"),
    },
    "confidence": {
        "low": Text(en="low confidence", zh="可信度低"),
        "medium": Text(en="medium confidence", zh="可信度中"),
        "high": Text(en="high confidence", zh="可信度高"),
    },
    "use": {
        "shipped": Text(en="in use", zh="使用中"),
        "in-use": Text(en="in use, added", zh="使用中（自行添加）"),
        "offered": Text(en="offered, not in use", zh="他方提供，未采用"),
        "older": Text(en="a later edition is in use", zh="已采用更新版本"),
        "unreadable": Text(en="cannot be read here", zh="此处无法读取"),
    },
    "basis": {
        "declared": Text(en="declared", zh="声明"),
        "implied": Text(en="follows from another answer", zh="由其他回答推出"),
        "heard": Text(en="from findings", zh="来自判定"),
    },
    "place": {
        "international": Text(en="international", zh="国际"),
        "CN": Text(en="China", zh="中国"),
        "EU": Text(en="European Union", zh="欧盟"),
        "KR": Text(en="Korea", zh="韩国"),
        "SG": Text(en="Singapore", zh="新加坡"),
        "US": Text(en="United States", zh="美国"),
    },
}
"""Words by table and code, for :func:`tongqiu.portal.words.word`."""

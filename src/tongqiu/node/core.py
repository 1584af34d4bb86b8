"""The practice that every node has without installing one: parties, systems, corrections, and what any record shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.node import core_views
from tongqiu.node.core_verbs import DUTIES, VERBS
from tongqiu.practice import Column, Door, Practice, Put, View
from tongqiu.record import core
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tongqiu.record.statement import Statement

_SYSTEM = Column(name="subject", title=Text(en="About", zh="对象"), searched=True)
_NAME = Column(name="name", title=Text(en="Name", zh="名称"), searched=True)
_AT = Column(name="at", title=Text(en="Said at", zh="出具时间"), type="instant")
_ENTRY = Column(name="entry", title=Text(en="Record", zh="记录"))


def systems(statement: Statement) -> Iterable[Put]:
    """Yield the row of a system from the record of its parts."""
    body = core.COMPOSITION.read(statement.body)
    yield Put(
        {
            "subject": statement.subject.id,
            "name": statement.subject.name,
            "purpose": body.purpose,
            "version": body.version,
            "parts": len(body.parts),
            "at": statement.at,
            "entry": statement.entry,
            "issuer": statement.issuer,
        }
    )


def parties(statement: Statement) -> Iterable[Put]:
    """Yield the row of a party."""
    body = core.PARTY.read(statement.body)
    yield Put({"did": statement.subject.id, "name": body.name, "sort": body.sort, "jurisdiction": body.jurisdiction})


def findings(statement: Statement) -> Iterable[Put]:
    """Yield one row for each finding that any record shows, its kind known here or not."""
    for number, each in enumerate(statement.content.findings):
        yield Put(
            {
                "entry": statement.entry,
                "number": number,
                "subject": statement.subject.id,
                "name": statement.subject.name,
                "requirement": each.requirement,
                "verdict": each.verdict,
                "severity": each.severity,
                "reason_en": each.reason.en,
                "reason_zh": each.reason.zh,
                "kind": statement.kind,
                "at": statement.at,
            }
        )


def measures(statement: Statement) -> Iterable[Put]:
    """Yield one row for each piece of evidence that any record shows, its kind known here or not."""
    for number, each in enumerate(statement.content.evidence):
        plain = each.value if isinstance(each.value, (int, float)) and not isinstance(each.value, bool) else None
        yield Put(
            {
                "entry": statement.entry,
                "number": number,
                "subject": statement.subject.id,
                "name": statement.subject.name,
                "measure": each.measure,
                "group": ", ".join(f"{key}={value}" for key, value in sorted(each.group.items())),
                "value": None if plain is None else float(plain),
                "text": "" if plain is not None else str(each.value),
                "unit": each.unit,
                "low": each.low,
                "high": each.high,
                "n": each.n,
                "method": each.method,
                "basis": each.basis,
                "ran_by": each.ran_by,
                "at": statement.at,
            }
        )


def runs(statement: Statement) -> Iterable[Put]:
    """Yield the row of an assessment run."""
    body = core.ASSESSMENT.read(statement.body)
    yield Put(
        {
            "entry": statement.entry,
            "subject": statement.subject.id,
            "name": statement.subject.name,
            "done": len(body.done),
            "unchanged": len(body.unchanged),
            "failed": len(body.failed),
            "not_assessed": ", ".join(body.not_assessed),
            "began": body.began,
            "at": statement.at,
        }
    )


def _text(name: str, en: str, zh: str, *, searched: bool = False) -> Column:
    return Column(name=name, title=Text(en=en, zh=zh), searched=searched)


def _number(name: str, en: str, zh: str) -> Column:
    return Column(name=name, title=Text(en=en, zh=zh), type="integer")


def _real(name: str, en: str, zh: str) -> Column:
    return Column(name=name, title=Text(en=en, zh=zh), type="real")


_VIEWS = (
    View(
        name="systems",
        version=1,
        title=Text(en="Systems", zh="系统名录"),
        reads=(core.COMPOSITION.name,),
        columns=(
            _SYSTEM,
            _NAME,
            _text("purpose", "Purpose", "用途", searched=True),
            _text("version", "Version", "版本"),
            _number("parts", "Parts", "组成部分数"),
            _AT,
            _ENTRY,
            _text("issuer", "Said by", "出具方"),
        ),
        key=("subject", "issuer"),
        rows="tongqiu.node.core:systems",
    ),
    View(
        name="parties",
        version=1,
        title=Text(en="Parties", zh="参与方名录"),
        reads=(core.PARTY.name,),
        columns=(
            _text("did", "Identifier (DID)", "标识符（DID）", searched=True),
            _NAME,
            _text("sort", "Sort of actor", "主体类别"),
            _text("jurisdiction", "Jurisdiction", "法域"),
        ),
        key=("did",),
        rows="tongqiu.node.core:parties",
    ),
    View(
        name="findings",
        version=1,
        title=Text(en="Findings", zh="判定名录"),
        reads=("*",),
        columns=(
            _ENTRY,
            _number("number", "No.", "序号"),
            _SYSTEM,
            _NAME,
            _text("requirement", "Requirement", "要求", searched=True),
            _text("verdict", "Verdict", "结论"),
            _text("severity", "Severity", "严重程度"),
            _text("reason_en", "Reason (English)", "理由（英文）", searched=True),
            _text("reason_zh", "Reason (Chinese)", "理由（中文）", searched=True),
            _text("kind", "Record type", "记录类型"),
            _AT,
        ),
        key=("entry", "number"),
        rows="tongqiu.node.core:findings",
    ),
    View(
        name="measures",
        version=1,
        title=Text(en="Measures", zh="测量名录"),
        reads=("*",),
        columns=(
            _ENTRY,
            _number("number", "No.", "序号"),
            _SYSTEM,
            _NAME,
            _text("measure", "Measure", "测量项", searched=True),
            _text("group", "Group", "组别", searched=True),
            _real("value", "Value", "数值"),
            _text("text", "Value in words", "文字值"),
            _text("unit", "Unit (UCUM)", "单位（UCUM）"),
            _real("low", "Interval from", "区间下限"),
            _real("high", "Interval to", "区间上限"),
            _number("n", "Items", "样本数"),
            _text("method", "Method", "方法"),
            _text("basis", "Basis", "依据方式"),
            _text("ran_by", "Run by", "执行方"),
            _AT,
        ),
        key=("entry", "number"),
        rows="tongqiu.node.core:measures",
    ),
    View(
        name="runs",
        version=1,
        title=Text(en="Assessment runs", zh="评估过程名录"),
        reads=(core.ASSESSMENT.name,),
        columns=(
            _ENTRY,
            _SYSTEM,
            _NAME,
            _number("done", "Done", "已完成"),
            _number("unchanged", "Unchanged", "未变化"),
            _number("failed", "Failed", "失败"),
            _text("not_assessed", "Not assessed", "未评估"),
            Column(name="began", title=Text(en="Began", zh="开始时间"), type="instant"),
            _AT,
        ),
        key=("entry",),
        rows="tongqiu.node.core:runs",
    ),
)

PRACTICE = Practice(
    name="core",
    title=Text(en="Parties and systems", zh="参与方与系统"),
    about=Text(
        en="Who takes part, which systems there are, what they are made of, and every correction.",
        zh="有哪些参与方和系统、系统由什么组成，以及每一次更正。",
    ),
    kinds=core.KINDS,
    views=(*_VIEWS, *core_views.VIEWS),
    verbs=VERBS,
    duties=DUTIES,
    doors=(
        Door(
            name="scrapi",
            title=Text(en="Register signed statements, get receipts (SCRAPI)", zh="登入签名声明、获取回执（SCRAPI）"),
            mounts=("/entries", "/statements", "/.well-known/scitt-keys"),
            app="tongqiu.federation.scrapi:app",
        ),
        Door(
            name="tiles",
            title=Text(en="The log as files (C2SP tlog-tiles)", zh="日志文件（C2SP tlog-tiles）"),
            mounts=("/checkpoint", "/tile"),
            app="tongqiu.federation.tiles:app",
            auth="none",
        ),
    ),
)
"""The node's own practice."""

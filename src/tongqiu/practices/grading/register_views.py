"""Registries of the risk register: risks, suggestions, drills, reviews, and what is overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practice import Column, Drop, Put
from tongqiu.practices.grading.drills import CONTROLS, DRILL, judged
from tongqiu.practices.grading.matrix import name
from tongqiu.practices.grading.reviews import REVIEW
from tongqiu.practices.grading.risks import RISK, WHATS, overdue_of
from tongqiu.practices.grading.suggestions import DISMISSAL, REMINDER, SUGGESTION
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.record.statement import Statement


def _text(column: str, en: str, zh: str, *, searched: bool = False) -> Column:
    return Column(name=column, title=Text(en=en, zh=zh), searched=searched)


def _number(column: str, en: str, zh: str) -> Column:
    return Column(name=column, title=Text(en=en, zh=zh), type="integer")


def _instant(column: str, en: str, zh: str) -> Column:
    return Column(name=column, title=Text(en=en, zh=zh), type="instant")


RISK_COLUMNS = (
    _text("title", "Risk", "风险", searched=True),
    _text("entry", "Record", "记录"),
    _number("counted", "Level, 1 to 5", "水平（1 至 5）"),
    _text("level_en", "Level (English)", "风险水平（英文）"),
    _text("level_zh", "Level (Chinese)", "风险水平（中文）"),
    _text("state", "State", "状态"),
    _text("decision_en", "Decision (English)", "决定（英文）"),
    _text("decision_zh", "Decision (Chinese)", "决定（中文）"),
    _instant("due", "Next due", "最近到期"),
    _text("owner", "Responsible", "负责人", searched=True),
    _text("name", "Name of the system", "系统名称", searched=True),
    _text("subject", "System", "系统", searched=True),
    _number("level", "Level without measures", "未采取措施时的水平"),
    _number("residual", "Level said to remain", "声称的剩余水平"),
    Column(name="claimed", title=Text(en="Remainder only claimed", zh="剩余仅为声称"), type="boolean"),
    _text("decided_by", "Decided by", "决定者", searched=True),
    _number("planned", "Measures planned", "计划中的措施"),
    _number("in_place", "Measures in place", "已落实的措施"),
    _number("shown", "Of these, shown by records", "其中有记录证明"),
    _text("taxonomy", "Taxonomy", "分类"),
    _text("row", "Row", "条目"),
    _text("affected", "Who is affected", "受影响者", searched=True),
    _text("thread", "Thread", "记录链"),
    _text("issuer", "Said by", "出具方"),
    _instant("at", "Said at", "出具时间"),
)
SUGGESTION_COLUMNS = (
    _text("title_en", "Risk (English)", "风险（英文）", searched=True),
    _text("title_zh", "Risk (Chinese)", "风险（中文）", searched=True),
    _text("state", "State", "状态"),
    _text("row", "Row", "条目"),
    _text("entry", "Record", "记录"),
    _text("because", "Because of these findings", "所依据的检测结论"),
    _text("open", "Facts that are open", "未答的事实"),
    _text("facts", "Facts looked at", "所看的事实"),
    _text("name", "Name of the system", "系统名称", searched=True),
    _text("subject", "System", "系统", searched=True),
    _text("clauses", "Clauses", "条款"),
    Column(name="checked", title=Text(en="Row checked", zh="条目已核对"), type="boolean"),
    _text("taxonomy", "Taxonomy", "分类"),
    _text("issuer", "Said by", "出具方"),
    _instant("at", "Said at", "出具时间"),
)
DRILL_COLUMNS = (
    _text("control_en", "Control (English)", "控制（英文）", searched=True),
    _text("control_zh", "Control (Chinese)", "控制（中文）", searched=True),
    _text("entry", "Record", "记录"),
    _text("verdict", "Verdict", "结论"),
    Column(name="seconds", title=Text(en="Seconds it took", zh="用时（秒）"), type="real"),
    Column(name="limit_s", title=Text(en="Seconds it may take", zh="时限（秒）"), type="real"),
    _instant("valid_until", "Next drill due", "下次演练到期"),
    _text("phase", "State", "状态"),
    _text("name", "Name of the system", "系统名称", searched=True),
    _text("subject", "System", "系统", searched=True),
    _text("control", "Code of the control", "控制代码"),
    _text("drill", "Name of the drill", "演练名称"),
    _text("code", "Why", "理由"),
    _text("operator", "Operated by", "操作者", searched=True),
    _text("scenario", "Scenario", "情景", searched=True),
    _instant("started_at", "Began", "开始"),
    _number("files", "Files", "附件数"),
    _text("issuer", "Said by", "出具方"),
    _instant("at", "Said at", "出具时间"),
)
REVIEW_COLUMNS = (
    _text("headline_en", "First line (English)", "首行（英文）", searched=True),
    _text("headline_zh", "First line (Chinese)", "首行（中文）", searched=True),
    _text("entry", "Record", "记录"),
    _text("title", "Review", "审查", searched=True),
    _text("name", "Name of the system", "系统名称", searched=True),
    _text("subject", "System", "系统", searched=True),
    _text("state", "State", "状态"),
    _text("outcome", "Outcome", "结论"),
    _number("dissents", "Positions against", "反对意见数"),
    _number("unanswered", "Of these, unanswered", "其中未获答复"),
    _text("dissent", "Dissent, word for word", "异议原文", searched=True),
    _number("open_questions", "Questions open", "待答问题数"),
    _number("conditions_open", "Conditions not met", "未满足的条件"),
    _number("replies", "Replies", "相关方答复数"),
    _text("reviewers", "Reviewers", "审查人", searched=True),
    _text("decided_by", "Concluded by", "作出结论者"),
    _instant("due", "Next due", "最近到期"),
    _text("thread", "Thread", "记录链"),
    _text("issuer", "Said by", "出具方"),
    _instant("at", "Said at", "出具时间"),
)
OVERDUE_COLUMNS = (
    _text("what_en", "Overdue (English)", "逾期事项（英文）", searched=True),
    _text("what_zh", "Overdue (Chinese)", "逾期事项（中文）", searched=True),
    _instant("due", "Was due", "原定到期"),
    _text("about", "About the record", "所涉记录"),
    _text("name", "Name of the system", "系统名称", searched=True),
    _text("subject", "System", "系统", searched=True),
    _instant("again_at", "Next reminder", "下次提醒"),
    _text("issuer", "Said by", "出具方"),
    _instant("at", "Said at", "出具时间"),
    _text("entry", "Record", "记录"),
)


def risks(statement: Statement) -> Iterator[Put]:
    """Yield the row of a risk as it stands."""
    body = RISK.read(statement.body)
    what = WHATS[body.decision.what] if body.decision else Text(en="", zh="")
    live = [each for each in body.measures if each.state == "in-place"]
    due = overdue_of(body)
    yield Put(
        _about(statement)
        | {
            "title": body.title,
            "state": body.state,
            "counted": body.counted,
            "level_en": name(body.counted).en,
            "level_zh": name(body.counted).zh,
            "level": body.level,
            "residual": body.residual_level,
            "claimed": body.claimed,
            "decision_en": what.en,
            "decision_zh": what.zh,
            "decided_by": body.decision.by if body.decision else "",
            "owner": body.owner,
            "planned": sum(each.state == "planned" for each in body.measures),
            "in_place": len(live),
            "shown": sum(each.shown for each in live),
            "due": due[0][1] if due else None,
            "taxonomy": body.taxonomy,
            "row": body.row,
            "affected": "; ".join(body.affected),
            "thread": statement.content.thread or statement.entry,
        }
    )


def suggestions(statement: Statement) -> Iterator[Put | Drop]:
    """Yield the rows of what is suggested; take away what a person of the same party took up or set aside."""
    if statement.kind == SUGGESTION.name:
        for each in SUGGESTION.read(statement.body).rows:
            yield Put(
                _about(statement)
                | {
                    "state": each.state,
                    "title_en": each.title.en,
                    "title_zh": each.title.zh,
                    "because": ", ".join(dict.fromkeys(one.requirement for one in each.found)),
                    "facts": ", ".join(f"{key} = {str(value).lower()}" for key, value in sorted(each.read.items())),
                    "open": ", ".join(each.open),
                    "clauses": "; ".join(f"{one.document} {one.article}{one.clause}" for one in each.clauses),
                    "checked": each.checked,
                    "taxonomy": each.taxonomy,
                    "row": each.row,
                }
            )
        return
    kind = RISK if statement.kind == RISK.name else DISMISSAL
    body = kind.read(statement.body)
    if body.row:
        yield Drop((statement.subject.id, statement.issuer, body.taxonomy, body.row))


def drills(statement: Statement) -> Iterator[Put]:
    """Yield the row of a drill."""
    body = DRILL.read(statement.body)
    verdict, code = judged(body) if body.phase != "running" else ("", "")
    yield Put(
        _about(statement)
        | {
            "control_en": CONTROLS[body.control].en,
            "control_zh": CONTROLS[body.control].zh,
            "control": body.control,
            "drill": body.drill,
            "phase": body.phase,
            "verdict": verdict,
            "code": code,
            "seconds": body.seconds,
            "limit_s": body.limit,
            "operator": body.operator,
            "scenario": body.scenario,
            "started_at": body.started_at,
            "valid_until": body.valid_until,
            "files": len(statement.content.files),
        }
    )


def reviews(statement: Statement) -> Iterator[Put]:
    """Yield the row of a review as it stands: its first line, and every word of dissent with its author."""
    body = REVIEW.read(statement.body)
    due = [each.due for each in body.conditions if each.due and not each.met]
    yield Put(
        _about(statement)
        | {
            "headline_en": body.headline.en,
            "headline_zh": body.headline.zh,
            "title": body.title,
            "state": body.state,
            "outcome": body.outcome or "",
            "dissents": len(body.dissent),
            "unanswered": len(body.unanswered),
            "dissent": "\n".join(f"{each.author}: {each.words}" for each in body.dissent),
            "open_questions": sum(each.effect == "unanswered" for each in body.impacts),
            "conditions_open": sum(not each.met for each in body.conditions),
            "replies": len(body.replies),
            "reviewers": ", ".join(body.reviewers),
            "decided_by": body.decided_by,
            "due": min([*due, *([body.next_review] if body.next_review else [])], default=None),
            "thread": statement.content.thread or statement.entry,
        }
    )


def overdue(statement: Statement) -> Iterator[Put]:
    """Yield one row for each thing that a reminder names."""
    body = REMINDER.read(statement.body)
    for each in body.items:
        yield Put(
            _about(statement)
            | {
                "what_en": each.what.en,
                "what_zh": each.what.zh,
                "due": each.due,
                "again_at": body.again_at,
                "about": body.about,
            }
        )


def _about(statement: Statement) -> dict[str, object]:
    return {
        "subject": statement.subject.id,
        "name": statement.subject.name,
        "issuer": statement.issuer,
        "at": statement.at,
        "entry": statement.entry,
    }

"""What people do about risks, as values: the forms of opening, taking up, setting aside, measuring, revising, deciding.

What each of them makes is in :mod:`tongqiu.practices.grading.risk_deeds`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from tongqiu.practice import Field, Verb
from tongqiu.practices.grading.matrix import LIKELIHOOD, SEVERITY, Step
from tongqiu.practices.grading.risks import (
    DECISION,
    RISK,
    WHATS,
    Entity,
    Intent,
    Line,
    MeasureState,
    Short,
    Timing,
    Title,
    Told,
    What,
    Words,
)
from tongqiu.practices.grading.suggestions import DISMISSAL, SUGGESTION
from tongqiu.record.statement import Instant
from tongqiu.record.subject import EntryText, IdText
from tongqiu.record.text import Text

_HERE = "tongqiu.practices.grading.risk_deeds"
_Lines = Annotated[tuple[Line, ...], msgspec.Meta(max_length=50)]


class OpenRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A risk in one's own words, or of a row of a taxonomy."""

    subject: IdText
    title: Title
    what: Told
    likelihood: Step
    severity: Step
    taxonomy: Short = "own"
    row: Line = ""
    entity: Entity = "other"
    intent: Intent = "other"
    timing: Timing = "other"
    affected: _Lines = ()
    owner: Line = ""
    review_at: Instant | None = None


class TakeUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A suggestion that becomes a risk."""

    entry: EntryText
    row: Line
    likelihood: Step
    severity: Step
    title: Line = ""
    what: Words = ""
    entity: Entity = "other"
    intent: Intent = "other"
    timing: Timing = "other"
    affected: _Lines = ()
    owner: Line = ""
    review_at: Instant | None = None


class Dismiss(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A suggestion that is set aside."""

    entry: EntryText
    row: Line
    by: Title
    why: Told


class MeasureForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measure against a risk."""

    entry: EntryText
    measure: Short
    state: MeasureState
    title: Line = ""
    owner: Line = ""
    due: Instant | None = None
    evidence: Annotated[tuple[EntryText, ...], msgspec.Meta(max_length=50)] = ()
    findings: _Lines = ()


class ReviseRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A risk as it stands now; what is left empty stays."""

    entry: EntryText
    what: Words = ""
    likelihood: Step | None = None
    severity: Step | None = None
    residual_likelihood: Step | None = None
    residual_severity: Step | None = None
    claimed: bool = False
    affected: _Lines = ()
    owner: Line = ""
    review_at: Instant | None = None


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is decided about a risk, by whom and why."""

    entry: EntryText
    what: What
    by: Title
    why: Told
    review_at: Instant | None = None


class CloseRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A risk that has come to its end."""

    entry: EntryText
    why: Told


# --- the values ------------------------------------------------------------------------------------------------------


def _steps(steps: tuple[tuple[Text, Text], ...]) -> tuple[tuple[str, Text], ...]:
    """Return the choices of a scale: each step with its name and meaning."""
    return tuple(
        (str(number), Text(en=f"{number} {name.en}: {means.en}", zh=f"{number} {name.zh}：{means.zh}"))
        for number, (name, means) in enumerate(steps, 1)
    )


RISK_ENTRY = Field(
    title=Text(en="Risk", zh="风险"),
    help=Text(en="The id of the risk's record as it stands now.", zh="该风险现行记录的编号。"),
    kind="entry",
)
SUBJECT = Field(
    title=Text(en="System", zh="系统"),
    help=Text(en="The identifier of the system: pkg:…, did:… or urn:…", zh="系统的标识符：pkg:…、did:… 或 urn:…"),
    kind="subject",
)
REVIEW_AT = Field(
    title=Text(en="Look at it again on", zh="复审日期"),
    help=Text(en="It falls due that day; empty keeps what it was.", zh="届时到期；留空则不变。"),
    kind="date",
)
OWNER = Field(
    title=Text(en="Responsible", zh="负责人"),
    help=Text(en="An office or function rather than a private name.", zh="请写职位或部门，尽量不写私人姓名。"),
)
WHY = Field(
    title=Text(en="Reason", zh="理由"),
    help=Text(en="It is recorded for all who read the record.", zh="会一并记录，读者可见。"),
    kind="text",
)
BY = Field(
    title=Text(en="Decided by", zh="决定者"),
    help=Text(en="The name or office of the person who answers for it.", zh="对此负责者的姓名或职务。"),
)
_WHAT = Field(
    title=Text(en="What may happen", zh="可能发生什么"),
    help=Text(en="The event and what follows from it, in plain words.", zh="用平易的语言写明事件及其后果。"),
    kind="text",
)
_AFFECTED = Field(
    title=Text(en="Who is affected", zh="受影响者"),
    help=Text(en="Groups of people, one a line.", zh="受影响的人群，每行一个。"),
    kind="many",
)
_LIKELIHOOD = Field(
    title=Text(en="Likelihood", zh="可能性"),
    help=Text(en="As if no measure were taken.", zh="假定未采取任何措施。"),
    kind="choice",
    choices=_steps(LIKELIHOOD),
)
_SEVERITY = Field(
    title=Text(en="Severity", zh="严重程度"),
    help=Text(
        en="Scale, scope, and whether it can be made good; as if no measure were taken.",
        zh="损害的程度、范围和可否弥补；假定未采取任何措施。",
    ),
    kind="choice",
    choices=_steps(SEVERITY),
)
_ENTITY = Field(
    title=Text(en="Who or what brings it about", zh="成因主体"),
    help=Text(
        en="After the causal taxonomy of the MIT AI Risk Repository.", zh="依照 MIT AI Risk Repository 的成因分类。"
    ),
    kind="choice",
    choices=(
        ("other", Text(en="other or both", zh="其他或两者兼有")),
        ("ai", Text(en="the system", zh="系统")),
        ("human", Text(en="a person", zh="人")),
    ),
)
_INTENT = Field(
    title=Text(en="Is it meant?", zh="是否有意"),
    help=Text(en="Whether whoever brings it about wants the outcome.", zh="造成者是否追求该结果。"),
    kind="choice",
    choices=(
        ("other", Text(en="either, or unclear", zh="两者均可或不明")),
        ("intentional", Text(en="yes", zh="有意")),
        ("unintentional", Text(en="no", zh="无意")),
    ),
)
_TIMING = Field(
    title=Text(en="When", zh="时间"),
    help=Text(en="Before or after the system is put to use.", zh="系统投入使用之前或之后。"),
    kind="choice",
    choices=(
        ("other", Text(en="either, or unclear", zh="两者均可或不明")),
        ("before-deployment", Text(en="before it is put to use", zh="投入使用之前")),
        ("after-deployment", Text(en="after it is put to use", zh="投入使用之后")),
    ),
)
_CAUSE = {"entity": _ENTITY, "intent": _INTENT, "timing": _TIMING}
_SUGGESTED = {
    "entry": Field(
        title=Text(en="Record of suggestions", zh="建议记录"),
        help=Text(en="Its id, as the register of suggestions shows it.", zh="编号见建议登记册。"),
        kind="entry",
    ),
    "row": Field(
        title=Text(en="Which risk", zh="哪项风险"),
        help=Text(
            en="Its id in the taxonomy, such as own:privacy-leak or 2.1",
            zh="分类中的编号，例如 own:privacy-leak 或 2.1",
        ),
    ),
}
_DECIDE = {
    "entry": RISK_ENTRY,
    "what": Field(
        title=Text(en="Decision", zh="决定"),
        help=Text(en="What is to be done about what remains.", zh="如何处置剩余风险。"),
        kind="choice",
        choices=(
            ("accept", Text(en="accept it", zh=WHATS["accept"].zh)),
            ("reduce", Text(en="reduce it further", zh="进一步降低")),
            ("avoid", Text(en="avoid it: stop that use", zh="规避：停止该用途")),
            ("share", Text(en="share it, by contract or insurance", zh="分担：通过合同或保险")),
        ),
    ),
    "by": BY,
    "why": WHY,
    "review_at": REVIEW_AT,
}

VERBS: tuple[Verb, ...] = (
    Verb(
        name="grading.open-risk",
        title=Text(en="Open a risk", zh="登记风险"),
        about=Text(
            en="Puts a risk of a system in the register. Its level follows from likelihood and severity.",
            zh="将系统的一项风险列入登记册。风险水平由可能性和严重程度得出。",
        ),
        form=OpenRisk,
        fields={
            "subject": SUBJECT,
            "title": Field(
                title=Text(en="Title", zh="标题"),
                help=Text(en="A few words for the register.", zh="供登记册显示的简短标题。"),
            ),
            "what": _WHAT,
            "likelihood": _LIKELIHOOD,
            "severity": _SEVERITY,
            "taxonomy": Field(
                title=Text(en="Taxonomy", zh="分类"),
                help=Text(en="The id of a pack that holds risks, or own.", zh="含风险条目的规范包编号，或 own。"),
            ),
            "row": Field(
                title=Text(en="Row of the taxonomy", zh="分类条目"),
                help=Text(en="The id of the row; empty for a risk in your own words.", zh="条目编号；自拟风险请留空。"),
            ),
            **_CAUSE,
            "affected": _AFFECTED,
            "owner": OWNER,
            "review_at": REVIEW_AT,
        },
        role="contributor",
        run=f"{_HERE}:open_risk",
        makes=(RISK.name,),
        on=("system",),
    ),
    Verb(
        name="grading.take-up",
        title=Text(en="Take up a suggested risk", zh="采纳建议的风险"),
        about=Text(
            en="Makes a suggestion a risk in the register; you judge how likely and how grave it is.",
            zh="将建议列为登记册中的风险；可能性和严重程度由您判断。",
        ),
        form=TakeUp,
        fields={
            **_SUGGESTED,
            "likelihood": _LIKELIHOOD,
            "severity": _SEVERITY,
            "title": Field(
                title=Text(en="Title", zh="标题"),
                help=Text(en="Empty takes the words of the suggestion.", zh="留空则采用建议的文字。"),
            ),
            "what": Field(
                title=_WHAT.title,
                help=Text(
                    en="For this system; empty takes the words of the suggestion.",
                    zh="针对该系统；留空则采用建议的文字。",
                ),
                kind="text",
            ),
            **_CAUSE,
            "affected": _AFFECTED,
            "owner": OWNER,
            "review_at": REVIEW_AT,
        },
        role="contributor",
        run=f"{_HERE}:take_up",
        makes=(RISK.name,),
        on=(SUGGESTION.name,),
    ),
    Verb(
        name="grading.dismiss",
        title=Text(en="Set a suggestion aside", zh="搁置建议"),
        about=Text(
            en="Says that a suggested risk is not one here, and why. The reason stays on record.",
            zh="说明所建议的风险在此不成立及其理由。理由会留在记录中。",
        ),
        form=Dismiss,
        fields={**_SUGGESTED, "by": BY, "why": WHY},
        role="issuer",
        run=f"{_HERE}:dismiss",
        makes=(DISMISSAL.name,),
        on=(SUGGESTION.name,),
    ),
    Verb(
        name="grading.measure",
        title=Text(en="Add or update a measure", zh="添加或更新措施"),
        about=Text(
            en="Says what is done, or planned, against a risk. Only a measure in place that records show makes a risk lighter.",
            zh="写明对某项风险已采取或计划的措施。只有已落实且有记录证明的措施才会降低计入的风险水平。",
        ),
        form=MeasureForm,
        fields={
            "entry": RISK_ENTRY,
            "measure": Field(
                title=Text(en="Short name", zh="简称"),
                help=Text(
                    en="Small letters and hyphens, such as human-review; a known one is updated.",
                    zh="小写字母和连字符，例如 human-review；已有简称则更新。",
                ),
            ),
            "state": Field(
                title=Text(en="State", zh="状态"),
                help=Text(en="What is planned does not count yet.", zh="计划中的措施尚不计入。"),
                kind="choice",
                choices=(
                    ("planned", Text(en="planned", zh="计划中")),
                    ("in-place", Text(en="in place", zh="已落实")),
                    ("dropped", Text(en="dropped", zh="已取消")),
                ),
            ),
            "title": Field(
                title=Text(en="What is done", zh="措施内容"),
                help=Text(en="Empty keeps what it was.", zh="留空则不变。"),
            ),
            "owner": OWNER,
            "due": Field(
                title=Text(en="Due", zh="期限"),
                help=Text(en="It falls due for all who may read the risk.", zh="到期时，凡可阅读该风险者均可看到。"),
                kind="date",
            ),
            "evidence": Field(
                title=Text(en="Records that show it", zh="证明记录"),
                help=Text(
                    en="Ids of measurements, findings, drills or files, one a line.",
                    zh="实测、结论、演练或文件记录的编号，每行一个。",
                ),
                kind="entry",
            ),
            "findings": Field(
                title=Text(en="Findings it answers", zh="所回应的检测结论"),
                help=Text(
                    en="Their names, such as dataset.groups-seen, one a line.",
                    zh="名称，例如 dataset.groups-seen，每行一个。",
                ),
                kind="many",
            ),
        },
        role="contributor",
        run=f"{_HERE}:measure",
        makes=(RISK.name,),
        on=(RISK.name,),
    ),
    Verb(
        name="grading.revise-risk",
        title=Text(en="Revise a risk", zh="修订风险"),
        about=Text(
            en="Says how a risk stands now, with and without measures. A decision lapses where the risk grew beyond it.",
            zh="写明风险的现状，包括采取措施前后。若风险超出原决定的水平，原决定失效。",
        ),
        form=ReviseRisk,
        fields={
            "entry": RISK_ENTRY,
            "what": _WHAT,
            "likelihood": _LIKELIHOOD,
            "severity": _SEVERITY,
            "residual_likelihood": Field(
                title=Text(en="Likelihood that remains", zh="剩余可能性"),
                help=Text(en="With the measures in place.", zh="已落实措施之后。"),
                kind="choice",
                choices=_steps(LIKELIHOOD),
            ),
            "residual_severity": Field(
                title=Text(en="Severity that remains", zh="剩余严重程度"),
                help=Text(en="With the measures in place.", zh="已落实措施之后。"),
                kind="choice",
                choices=_steps(SEVERITY),
            ),
            "claimed": Field(
                title=Text(en="What remains is only claimed", zh="剩余风险仅为声称"),
                help=Text(en="No record shows it yet; it then does not count.", zh="尚无记录证明，因此不计入。"),
                kind="flag",
            ),
            "affected": _AFFECTED,
            "owner": OWNER,
            "review_at": REVIEW_AT,
        },
        role="contributor",
        run=f"{_HERE}:revise",
        makes=(RISK.name,),
        on=(RISK.name,),
    ),
    Verb(
        name="grading.decide",
        title=Text(en="Decide about a risk", zh="决定风险处置"),
        about=Text(
            en="Records what is done about what remains, and who answers for it. A grave risk is not accepted here.",
            zh="记录剩余风险的处置方式及责任人。重大风险不能在此接受。",
        ),
        form=Decide,
        fields=_DECIDE,
        role="issuer",
        run=f"{_HERE}:decide",
        makes=(DECISION.name, RISK.name),
        on=(RISK.name,),
    ),
    Verb(
        name="grading.accept-grave",
        title=Text(en="Accept a grave risk", zh="接受重大风险"),
        about=Text(
            en="Proposes to accept a risk whose level that counts is high or very high. A second person must agree.",
            zh="提议接受计入水平为“高”或“很高”的风险。须由第二人同意。",
        ),
        form=Decide,
        fields=_DECIDE,
        role="issuer",
        run=f"{_HERE}:accept_grave",
        makes=(DECISION.name, RISK.name),
        eyes=2,
        on=(RISK.name,),
    ),
    Verb(
        name="grading.close-risk",
        title=Text(en="Close a risk", zh="关闭风险"),
        about=Text(
            en="Says that a risk is over, and why. It stays in the register, closed for good.",
            zh="说明风险已结束及其理由。记录仍保留在登记册中，不再重新开启。",
        ),
        form=CloseRisk,
        fields={"entry": RISK_ENTRY, "why": WHY},
        role="issuer",
        run=f"{_HERE}:close",
        makes=(RISK.name,),
        final=True,
        on=(RISK.name,),
    ),
)
"""What people do about risks."""

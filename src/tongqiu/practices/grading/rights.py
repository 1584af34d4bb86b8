"""The rights and groups that a review of ethics and rights asks about, women's and children's first, and what says so.

Our own words. *Read* beside a source in ``docs/guides/risks.md`` says which text each citation was compared with; the others are
marked unchecked, here and in every record.
"""

from __future__ import annotations

from typing import NamedTuple

from tongqiu.record.text import Text

UNCHECKED = " (unchecked)"


class Right(NamedTuple):
    """One question of a review: whose right, the question, and the clauses behind it."""

    id: str
    title: Text
    question: Text
    cites: tuple[str, ...]


_AI_ACT = "Regulation (EU) 2024/1689, Art. 27(1)"
_CHARTER = "Charter of Fundamental Rights of the EU, Art. "
_CETS = "CETS 225, Art. "
_UNESCO = "UNESCO Recommendation on the Ethics of AI (2021), "

RIGHTS: tuple[Right, ...] = (
    Right(
        "women",
        Text(en="Women and girls", zh="妇女和女童"),
        Text(
            en="Does it work as well for women and girls, and does it keep them from work, credit, safety or a voice?",
            zh="系统对妇女和女童是否同样有效？是否妨碍她们获得工作、信贷、安全或发言权？",
        ),
        (_UNESCO + "Policy area 6 (Gender)", _CETS + "10", _CHARTER + "23" + UNCHECKED),
    ),
    Right(
        "children",
        Text(en="Children", zh="儿童"),
        Text(
            en="Can children be reached or affected, and is their best interest looked at first?",
            zh="儿童是否可能接触系统或受其影响？是否首先考虑儿童的最大利益？",
        ),
        (
            "Convention on the Rights of the Child, Art. 3" + UNCHECKED,
            _CETS + "18",
            _CHARTER + "24" + UNCHECKED,
        ),
    ),
    Right(
        "groups",
        Text(en="Who is affected", zh="受影响的人群"),
        Text(
            en="Which people and groups are affected where it is used, how often and for how long?",
            zh="在使用场景中，哪些人和群体受影响？频率和期限如何？",
        ),
        (_AI_ACT + "(b), (c)",),
    ),
    Right(
        "equality",
        Text(en="Equal treatment", zh="平等对待"),
        Text(
            en="Can it treat people worse by origin, language, belief, disability, age or means?",
            zh="是否可能因出身、语言、信仰、残障、年龄或经济状况而区别对待？",
        ),
        (_CETS + "10", _CHARTER + "21" + UNCHECKED),
    ),
    Right(
        "disability",
        Text(en="Persons with disabilities and the old", zh="残障人士与老年人"),
        Text(
            en="Can persons with disabilities and old people use it, or do without it, at no loss?",
            zh="残障人士和老年人能否使用，或在不受损失的情况下不使用？",
        ),
        (_CETS + "18", _CHARTER + "25 and 26" + UNCHECKED),
    ),
    Right(
        "privacy",
        Text(en="Privacy and personal data", zh="隐私与个人信息"),
        Text(
            en="What does it learn about people, from where, and who else gets to know it?",
            zh="系统获知哪些个人信息、从何而来、还有谁会知悉？",
        ),
        (_CETS + "11", _CHARTER + "7 and 8" + UNCHECKED),
    ),
    Right(
        "work",
        Text(en="Work and livelihood", zh="工作与生计"),
        Text(
            en="Whose work does it change or take, and what is offered to them?",
            zh="系统改变或取代哪些人的工作？为其提供什么？",
        ),
        (_CHARTER + "31" + UNCHECKED, _UNESCO + "Policy area 10" + UNCHECKED),
    ),
    Right(
        "expression",
        Text(en="Expression, belief and culture", zh="表达、信仰与文化"),
        Text(
            en="Can it silence, manipulate or flatten languages, beliefs and cultures?",
            zh="是否可能压制、操纵或抹平语言、信仰和文化？",
        ),
        (_UNESCO + "Policy area 7 (Culture)", _CHARTER + "11 and 22" + UNCHECKED),
    ),
    Right(
        "harm",
        Text(en="Harm to people", zh="对人的损害"),
        Text(
            en="Which harm can come to these people, how likely, how grave, and can it be undone?",
            zh="这些人可能受到什么损害？可能性、严重程度如何？能否挽回？",
        ),
        (_AI_ACT + "(d)", "HUDERIA methodology (CoE, 2024)" + UNCHECKED),
    ),
    Right(
        "oversight",
        Text(en="People in charge", zh="人的监督"),
        Text(
            en="Who watches over it, can they stop it, and has that been tried?",
            zh="由谁监督？能否停止系统？是否演练过？",
        ),
        (_AI_ACT + "(e)",),
    ),
    Right(
        "remedy",
        Text(en="Complaint and remedy", zh="申诉与救济"),
        Text(
            en="How does somebody learn of a decision, object, reach a person, and get it mended?",
            zh="当事人如何获知决定、提出异议、找到负责人并获得纠正？",
        ),
        (_AI_ACT + "(f)", _CETS + "14", _CHARTER + "47" + UNCHECKED),
    ),
    Right(
        "environment",
        Text(en="Environment", zh="环境"),
        Text(en="What does it take from the environment, and from whom?", zh="系统对环境有何消耗？由谁承担？"),
        (_UNESCO + "Policy area 5 (Environment and ecosystems)",),
    ),
)
"""Every question, in the order in which it is asked."""
